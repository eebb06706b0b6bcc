/* Push notifications on their way: in order, again when nobody answers, for ever never, and no more than
 * the queue holds. The webhook is a function here; tests/peers has a real one. */
#include "support.h"

#include "base/mem.h"
#include "base/thread.h"
#include "server/pusher.h"

#include <stdio.h>
#include <string.h>

static sl_mutex *g_lock;
static char g_seen[4096]; /* bodies in order, a blank behind each */
static int g_posts;       /* so many came */
static int g_bad;         /* so many of the first are answered by g_answer */
static int32_t g_answer;  /* 0: no answer */
static bool g_shut;       /* nothing is answered until it opens */
static char g_gone[256];

static sl_status post(const char *url, const char *secret, const char *json, int32_t *status)
{
    ck_assert_str_eq(url, "http://127.0.0.1:1/");
    ck_assert_str_eq(secret, "s");
    sl_lock(g_lock);
    g_posts++;
    sl_signal(g_lock);
    while (g_shut) {
        sl_wait(g_lock, -1);
    }
    size_t n = strlen(g_seen);
    (void)snprintf(g_seen + n, sizeof g_seen - n, "%s ", json);
    bool bad = g_posts <= g_bad;
    *status = bad ? g_answer : 200;
    sl_status result = bad && g_answer == 0 ? SL_E_NETWORK : SL_OK;
    sl_unlock(g_lock);
    return result;
}

static void gone(void *user, const char *body)
{
    ck_assert_ptr_eq(user, &g_posts);
    sl_lock(g_lock);
    (void)snprintf(g_gone, sizeof g_gone, "%s", body);
    sl_signal(g_lock);
    sl_unlock(g_lock);
}

static sl_pusher *start(int bad, int32_t answer)
{
    sl_pusher *p = NULL;
    sl_pusher_config config = {.url = "http://127.0.0.1:1/",
                               .secret = "s",
                               .post = post,
                               .gone = gone,
                               .user = &g_posts,
                               .wait_ms = 1};
    g_lock = sl_mutex_new();
    g_seen[0] = 0;
    g_gone[0] = 0;
    g_posts = 0;
    g_bad = bad;
    g_answer = answer;
    g_shut = false;
    ck_assert_int_eq(sl_pusher_new(&config, &p, NULL), SL_OK);
    return p;
}

static void end(sl_pusher *p)
{
    sl_pusher_free(p);
    sl_mutex_free(g_lock);
}

/* Until so many requests have come. */
static void wait_posts(int count)
{
    sl_lock(g_lock);
    while (g_posts < count) {
        sl_wait(g_lock, -1);
    }
    sl_unlock(g_lock);
}

/* Until all that was given has an end. */
static sl_pusher_counts wait_all(sl_pusher *p, uint64_t count)
{
    sl_pusher_counts c = sl_pusher_count(p);
    while (c.sent + c.gone + c.failed + c.dropped < count) {
        c = sl_pusher_count(p);
    }
    return c;
}

START_TEST(pusher__sends_in_order)
{
    sl_pusher *p = start(0, 0);
    sl_pusher_send(p, "a");
    sl_pusher_send(p, "b");
    sl_pusher_counts c = wait_all(p, 2);
    ck_assert_uint_eq(c.sent, 2);
    ck_assert_str_eq(g_seen, "a b ");
    end(p);
}
END_TEST

START_TEST(pusher__tries_again_what_had_no_answer_or_a_failure)
{
    static const int32_t answers[] = {0, 408, 429, 500, 503};
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        sl_pusher *p = start(SL_PUSHER_TRIES - 1, answers[i]);
        sl_pusher_send(p, "a");
        sl_pusher_counts c = wait_all(p, 1);
        ck_assert_uint_eq(c.sent, 1);
        ck_assert_uint_eq(c.retried, SL_PUSHER_TRIES - 1);
        end(p);
    }
}
END_TEST

START_TEST(pusher__gives_up_after_its_tries_and_at_once_when_refused)
{
    sl_pusher *p = start(SL_PUSHER_TRIES, 503);
    sl_pusher_send(p, "a");
    sl_pusher_counts c = wait_all(p, 1);
    ck_assert_uint_eq(c.failed, 1);
    ck_assert_int_eq(g_posts, SL_PUSHER_TRIES);
    end(p);
    p = start(1, 400);
    sl_pusher_send(p, "a");
    c = wait_all(p, 1);
    ck_assert_uint_eq(c.failed, 1);
    ck_assert_uint_eq(c.retried, 0);
    end(p);
}
END_TEST

START_TEST(pusher__says_which_token_is_gone)
{
    static const int32_t answers[] = {404, 410};
    for (size_t i = 0; i < 2; i++) {
        sl_pusher *p = start(1, answers[i]);
        sl_pusher_send(p, "a");
        sl_pusher_counts c = wait_all(p, 1);
        ck_assert_uint_eq(c.gone, 1);
        ck_assert_str_eq(g_gone, "a");
        end(p);
    }
}
END_TEST

START_TEST(pusher__holds_a_thousand_and_drops_the_next)
{
    sl_pusher *p = start(0, 0);
    g_shut = true;
    sl_pusher_send(p, "x"); /* under way */
    wait_posts(1);
    for (int i = 0; i < SL_PUSHER_WAITING; i++) {
        sl_pusher_send(p, "y");
    }
    ck_assert_uint_eq(sl_pusher_count(p).dropped, 0);
    sl_pusher_send(p, "z");
    ck_assert_uint_eq(sl_pusher_count(p).dropped, 1);
    sl_lock(g_lock);
    g_shut = false;
    sl_signal(g_lock);
    sl_unlock(g_lock);
    ck_assert_uint_eq(wait_all(p, SL_PUSHER_WAITING + 2).sent, SL_PUSHER_WAITING + 1);
    end(p);
}
END_TEST

START_TEST(pusher__ends_with_what_waits)
{
    sl_pusher *p = start(1000000, 503);
    for (int i = 0; i < 10; i++) {
        sl_pusher_send(p, "a");
    }
    wait_posts(1);
    end(p);
}
END_TEST

SL_TEST_MAIN("pusher", pusher__sends_in_order, pusher__tries_again_what_had_no_answer_or_a_failure,
             pusher__gives_up_after_its_tries_and_at_once_when_refused,
             pusher__says_which_token_is_gone, pusher__holds_a_thousand_and_drops_the_next,
             pusher__ends_with_what_waits)
