#include "support.h"
#include "sync/client.h"

#include <stdio.h>
#include <string.h>

#define SPACE "video:01890000-0000-7000-8000-000000000002"
#define EPOCH "01890000-0000-7000-8000-0000000000ee"

/* What the news point into lives until the next frame. */
static sl_frame_in *g_in;
static sl_wire g_wire;

static sl_news frame(sl_sync *s, const char *text, sl_status expected)
{
    sl_frame f;
    sl_news news = {.kind = SL_NEWS_NONE};
    sl_status status = sl_frame_read(g_in, &g_wire, text, strlen(text), &f, NULL);
    if (status == SL_OK) {
        status = sl_sync_frame(s, &f, &news, NULL);
    }
    ck_assert_int_eq(status, expected);
    return news;
}

/* True when the receipt counts. */
static bool receipt(sl_sync *s, int64_t n, sl_status expected)
{
    bool fresh = false;
    sl_receipt r = {.n = n, .result = SL_APPLIED, .seq = 3};
    ck_assert_int_eq(sl_sync_receipt(s, &r, &fresh, NULL), expected);
    return fresh;
}

/* The next step is a push of these. */
static void pushes(sl_sync *s, int64_t now_ms, int64_t n, int64_t count, size_t bytes)
{
    sl_sync_step step = sl_sync_next(s, now_ms);
    ck_assert_int_eq(step.kind, SL_STEP_PUSH);
    ck_assert_int_eq(step.n, n);
    ck_assert_int_eq(step.count, count);
    sl_sync_pushed(s, n + count - 1, bytes);
}

static void setup(void)
{
    g_in = sl_frame_in_new();
    ck_assert_ptr_nonnull(g_in);
}

static void teardown(void)
{
    sl_frame_in_free(g_in);
    sl_wire_free(&g_wire);
}

static sl_sync_kind next(sl_sync *s, int64_t now_ms)
{
    return sl_sync_next(s, now_ms).kind;
}

/* A machine that is connected, with nothing to hold. */
static sl_sync *connected(void)
{
    sl_sync *s = sl_sync_new(1);
    sl_sync_want(s, true);
    ck_assert_int_eq(next(s, 0), SL_STEP_OPEN);
    sl_sync_opened(s);
    ck_assert_int_eq(next(s, 0), SL_STEP_GREET);
    ck_assert_int_eq(frame(s, "{\"t\":\"connected\",\"now\":5}", SL_OK).kind, SL_NEWS_CONNECTED);
    return s;
}

static sl_sync *live(int64_t cursor)
{
    sl_sync *s = connected();
    char text[200];
    ck_assert_int_eq(sl_sync_hold(s, SPACE, EPOCH, cursor), SL_OK);
    ck_assert_int_eq(next(s, 0), SL_STEP_SUBSCRIBE);
    (void)snprintf(text, sizeof text,
                   "{\"t\":\"subscribed\",\"space\":\"" SPACE "\",\"epoch\":\"" EPOCH
                   "\",\"seq\":%lld}",
                   (long long)cursor);
    frame(s, text, SL_OK);
    ck_assert(sl_sync_live(s, SPACE));
    return s;
}

START_TEST(client__does_nothing_until_wanted)
{
    sl_sync *s = sl_sync_new(1);
    ck_assert_int_eq(next(s, 0), SL_STEP_IDLE);
    ck_assert_int_eq(sl_sync_state_of(s), SL_SYNC_OFFLINE);
    sl_sync_free(s);
}
END_TEST

START_TEST(client__takes_the_next_change_and_asks_again_after_a_gap) /* [SYNC-1] */
{
    sl_sync *s = live(10);
    sl_news news =
        frame(s, "{\"t\":\"change\",\"space\":\"" SPACE "\",\"seq\":11,\"record\":{}}", SL_OK);
    ck_assert_int_eq(news.kind, SL_NEWS_APPLY);
    ck_assert_int_eq(news.seq, 11);
    news = frame(s, "{\"t\":\"change\",\"space\":\"" SPACE "\",\"seq\":11,\"record\":{}}", SL_OK);
    ck_assert_msg(news.kind == SL_NEWS_NONE, "a change twice is one change");
    news = frame(s, "{\"t\":\"change\",\"space\":\"" SPACE "\",\"seq\":13,\"record\":{}}", SL_OK);
    ck_assert_int_eq(news.kind, SL_NEWS_NONE);
    ck_assert(!sl_sync_live(s, SPACE));
    sl_sync_step step = sl_sync_next(s, 0);
    ck_assert_int_eq(step.kind, SL_STEP_SUBSCRIBE);
    ck_assert_int_eq(step.from, 11);
    sl_sync_free(s);
}
END_TEST

START_TEST(client__refuses_a_page_that_does_not_start_at_the_cursor) /* [SYNC-1] */
{
    sl_sync *s = connected();
    sl_sync_hold(s, SPACE, EPOCH, 4);
    ck_assert_int_eq(next(s, 0), SL_STEP_SUBSCRIBE);
    sl_news news = frame(s,
                         "{\"t\":\"page\",\"space\":\"" SPACE "\",\"epoch\":\"" EPOCH
                         "\",\"from\":5,\"to\":9,\"records\":[]}",
                         SL_OK);
    ck_assert_int_eq(news.kind, SL_NEWS_NONE);
    ck_assert_int_eq(next(s, 0), SL_STEP_SUBSCRIBE);
    news = frame(s,
                 "{\"t\":\"page\",\"space\":\"" SPACE "\",\"epoch\":\"" EPOCH
                 "\",\"from\":4,\"to\":9,\"records\":[]}",
                 SL_OK);
    ck_assert_int_eq(news.kind, SL_NEWS_APPLY);
    ck_assert_int_eq(news.seq, 9);
    sl_sync_free(s);
}
END_TEST

/* Asking anew would leave two answers on their way, of which the first is taken for the second. */
START_TEST(client__passes_over_a_page_that_came_before)
{
    static const char page[] = "{\"t\":\"page\",\"space\":\"" SPACE "\",\"epoch\":\"" EPOCH
                               "\",\"from\":0,\"to\":9,\"more\":true,\"records\":[]}";
    sl_sync *s = connected();
    sl_sync_hold(s, SPACE, "", 0);
    ck_assert_int_eq(next(s, 0), SL_STEP_SUBSCRIBE);
    ck_assert_int_eq(frame(s, page, SL_OK).kind, SL_NEWS_APPLY);
    ck_assert_int_eq(frame(s, page, SL_OK).kind, SL_NEWS_NONE);
    ck_assert_int_ne(next(s, 0), SL_STEP_SUBSCRIBE);
    sl_news news = frame(s,
                         "{\"t\":\"page\",\"space\":\"" SPACE "\",\"epoch\":\"" EPOCH
                         "\",\"from\":9,\"to\":12,\"records\":[]}",
                         SL_OK);
    ck_assert_int_eq(news.kind, SL_NEWS_APPLY);
    ck_assert_int_eq(news.seq, 12);
    sl_sync_free(s);
}
END_TEST

/* The server tells no changes while it answers: what happened meanwhile is in the second answer only. */
START_TEST(client__takes_the_rest_of_a_second_answer_at_the_head)
{
    sl_sync *s = live(10);
    sl_news news = frame(s,
                         "{\"t\":\"page\",\"space\":\"" SPACE "\",\"epoch\":\"" EPOCH
                         "\",\"from\":4,\"to\":10,\"more\":true,\"records\":[]}",
                         SL_OK);
    ck_assert_int_eq(news.kind, SL_NEWS_NONE);
    ck_assert_int_ne(next(s, 0), SL_STEP_SUBSCRIBE);
    news = frame(s,
                 "{\"t\":\"page\",\"space\":\"" SPACE "\",\"epoch\":\"" EPOCH
                 "\",\"from\":10,\"to\":12,\"records\":[]}",
                 SL_OK);
    ck_assert_int_eq(news.kind, SL_NEWS_APPLY);
    ck_assert_int_eq(news.seq, 12);
    news = frame(
        s, "{\"t\":\"subscribed\",\"space\":\"" SPACE "\",\"epoch\":\"" EPOCH "\",\"seq\":12}",
        SL_OK);
    ck_assert_int_ne(next(s, 0), SL_STEP_SUBSCRIBE);
    (void)frame(s,
                "{\"t\":\"subscribed\",\"space\":\"" SPACE "\",\"epoch\":\"" EPOCH "\",\"seq\":13}",
                SL_OK);
    ck_assert_int_eq(next(s, 0), SL_STEP_SUBSCRIBE);
    sl_sync_free(s);
}
END_TEST

START_TEST(client__what_could_not_be_stored_is_asked_for_again)
{
    sl_sync *s = live(10);
    frame(s, "{\"t\":\"change\",\"space\":\"" SPACE "\",\"seq\":11,\"record\":{}}", SL_OK);
    sl_sync_not_applied(s, SPACE, 10);
    sl_sync_step step = sl_sync_next(s, 0);
    ck_assert_int_eq(step.kind, SL_STEP_SUBSCRIBE);
    ck_assert_int_eq(step.from, 10);
    sl_sync_free(s);
}
END_TEST

START_TEST(client__sends_at_most_so_many_operations_without_a_receipt) /* [SYNC-2] */
{
    sl_sync *s = connected();
    sl_sync_outbox(s, 1, SL_SYNC_WINDOW + 10);
    pushes(s, 0, 1, SL_SYNC_PUSH, 100);
    pushes(s, 0, SL_SYNC_PUSH + 1, SL_SYNC_WINDOW - SL_SYNC_PUSH, 100);
    ck_assert_int_ne(next(s, 0), SL_STEP_PUSH);
    ck_assert(!sl_sync_settled(s));
    ck_assert(receipt(s, 1, SL_OK));
    pushes(s, 0, SL_SYNC_WINDOW + 1, 1, 100);
    sl_sync_free(s);
}
END_TEST

START_TEST(client__sends_at_most_so_many_bytes_without_a_receipt) /* [SYNC-2] */
{
    sl_sync *s = connected();
    sl_sync_outbox(s, 1, 10);
    sl_sync_step step = sl_sync_next(s, 0);
    ck_assert_int_eq(step.kind, SL_STEP_PUSH);
    sl_sync_pushed(s, 3, SL_SYNC_WINDOW_BYTES - 1); /* no more fitted into the frame */
    step = sl_sync_next(s, 0);
    ck_assert_int_eq(step.kind, SL_STEP_PUSH);
    ck_assert_int_eq(step.n, 4);
    sl_sync_pushed(s, 4, 1);
    ck_assert_int_ne(next(s, 0), SL_STEP_PUSH);
    ck_assert(receipt(s, 1, SL_OK));
    ck_assert(receipt(s, 2, SL_OK));
    ck_assert_int_ne(next(s, 0), SL_STEP_PUSH);
    ck_assert(receipt(s, 3, SL_OK));
    pushes(s, 0, 5, 6, 10);
    sl_sync_free(s);
}
END_TEST

START_TEST(client__sends_again_on_a_new_connection_what_has_no_receipt) /* [SYNC-2] */
{
    sl_sync *s = connected();
    sl_sync_outbox(s, 1, 3);
    pushes(s, 0, 1, 3, 60);
    ck_assert(receipt(s, 1, SL_OK));
    sl_sync_closed(s, 0);
    sl_sync_outbox(s, 2, 3);
    ck_assert_int_eq(next(s, 60000), SL_STEP_OPEN);
    sl_sync_opened(s);
    ck_assert_int_eq(next(s, 60000), SL_STEP_GREET);
    frame(s, "{\"t\":\"connected\",\"now\":5}", SL_OK);
    pushes(s, 60000, 2, 2, 40);
    ck_assert_int_ne(next(s, 60000), SL_STEP_PUSH);
    sl_sync_free(s);
}
END_TEST

START_TEST(client__refuses_a_receipt_for_what_was_not_sent)
{
    sl_sync *s = connected();
    sl_sync_outbox(s, 1, 1);
    pushes(s, 0, 1, 1, 30);
    sl_sync_outbox(s, 1, 3);
    ck_assert(!receipt(s, 2, SL_E_INVALID));
    ck_assert(receipt(s, 1, SL_OK));
    ck_assert_msg(!receipt(s, 1, SL_OK), "a receipt twice is one receipt");
    sl_sync_free(s);
}
END_TEST

START_TEST(client__goes_on_over_operations_that_left_the_outbox)
{
    sl_sync *s = connected();
    sl_sync_outbox(s, 1, 4);
    sl_sync_skip(s, 2); /* its space was taken away */
    sl_sync_skip(s, 4);
    pushes(s, 0, 1, 4, 60);
    ck_assert(receipt(s, 1, SL_OK));
    ck_assert(!sl_sync_settled(s));
    ck_assert(receipt(s, 3, SL_OK));
    ck_assert_msg(sl_sync_settled(s), "the last one was skipped");
    sl_sync_free(s);
}
END_TEST

START_TEST(client__says_of_every_page_that_it_is_done_with) /* [SYNC-5] */
{
    sl_sync *s = connected();
    ck_assert_int_eq(sl_sync_hold(s, SPACE, EPOCH, 0), SL_OK);
    ck_assert_int_eq(next(s, 0), SL_STEP_SUBSCRIBE);
    sl_sync_page_done(s, 1000);
    sl_sync_page_done(s, 24);
    sl_sync_step step = sl_sync_next(s, 0);
    ck_assert_int_eq(step.kind, SL_STEP_MORE);
    ck_assert_int_eq(step.n, 1024);
    ck_assert_int_ne(next(s, 0), SL_STEP_MORE);
    sl_sync_free(s);
}
END_TEST

START_TEST(client__asks_for_what_is_on_the_screen_first)
{
    static const char OTHER[] = "thread:01890000-0000-7000-8000-000000000003";
    sl_sync *s = connected();
    ck_assert_int_eq(sl_sync_hold(s, SPACE, EPOCH, 0), SL_OK);
    ck_assert_int_eq(sl_sync_hold(s, OTHER, EPOCH, 0), SL_OK);
    sl_sync_prefer(s, SPACE);
    ck_assert_str_eq(sl_sync_next(s, 0).space, SPACE);
    ck_assert_str_eq(sl_sync_next(s, 0).space, OTHER);
    sl_sync_prefer(s, OTHER); /* it was asked for already */
    sl_sync_step step = sl_sync_next(s, 0);
    ck_assert_int_eq(step.kind, SL_STEP_PREFER);
    ck_assert_str_eq(step.space, OTHER);
    ck_assert_int_ne(next(s, 0), SL_STEP_PREFER);
    sl_sync_free(s);
}
END_TEST

/* An answer to what was asked before may be older than what the server did since. */
START_TEST(client__a_space_to_be_checked_is_at_the_head_by_a_later_answer_only)
{
    static const char ANSWER[] =
        "{\"t\":\"subscribed\",\"space\":\"" SPACE "\",\"epoch\":\"" EPOCH "\",\"seq\":10}";
    sl_sync *s = live(10);
    sl_sync_check(s, SPACE);
    ck_assert(!sl_sync_settled(s));
    ck_assert_int_eq(next(s, 0), SL_STEP_SUBSCRIBE);
    sl_sync_check(s, SPACE);
    ck_assert_int_ne(next(s, 0), SL_STEP_SUBSCRIBE);
    frame(s, ANSWER, SL_OK);
    ck_assert(!sl_sync_settled(s));
    ck_assert_int_eq(next(s, 0), SL_STEP_SUBSCRIBE);
    frame(s, ANSWER, SL_OK);
    ck_assert(sl_sync_settled(s));
    sl_sync_free(s);
}
END_TEST

START_TEST(client__takes_several_changes_of_one_transaction_at_once) /* [SYNC-1] */
{
    sl_sync *s = live(10);
    sl_news news = frame(
        s, "{\"t\":\"change\",\"space\":\"" SPACE "\",\"seq\":12,\"from\":10,\"records\":[{},{}]}",
        SL_OK);
    ck_assert_int_eq(news.kind, SL_NEWS_APPLY);
    ck_assert_int_eq(news.seq, 12);
    frame(s, "{\"t\":\"change\",\"space\":\"" SPACE "\",\"seq\":14,\"from\":12,\"records\":[{}]}",
          SL_E_INVALID);
    news = frame(
        s, "{\"t\":\"change\",\"space\":\"" SPACE "\",\"seq\":13,\"from\":11,\"records\":[{},{}]}",
        SL_OK);
    ck_assert_int_eq(news.kind, SL_NEWS_NONE);
    ck_assert(!sl_sync_live(s, SPACE));
    sl_sync_free(s);
}
END_TEST

START_TEST(client__a_space_that_fails_each_time_is_tried_ever_more_rarely) /* [SYNC-3] */
{
    static const char OTHER[] = "thread:01890000-0000-7000-8000-000000000003";
    sl_sync *s = sl_sync_new(3);
    sl_sync_want(s, true);
    ck_assert_int_eq(sl_sync_hold(s, SPACE, EPOCH, 0), SL_OK);
    ck_assert_int_eq(sl_sync_hold(s, OTHER, EPOCH, 0), SL_OK);
    int64_t now_ms = 0;
    int64_t waited_ms = 0;
    for (int i = 0; i < 7; i++) {
        ck_assert_int_eq(next(s, now_ms), SL_STEP_OPEN);
        sl_sync_opened(s);
        (void)next(s, now_ms);
        frame(s, "{\"t\":\"connected\",\"now\":5}", SL_OK);
        ck_assert_int_eq(next(s, now_ms), SL_STEP_SUBSCRIBE);
        ck_assert_int_eq(next(s, now_ms), SL_STEP_SUBSCRIBE);
        frame(s, "{\"t\":\"subscribed\",\"space\":\"" SPACE "\",\"epoch\":\"" EPOCH "\",\"seq\":0}",
              SL_OK);
        sl_sync_not_applied(s, OTHER, 0);
        sl_sync_closed(s, now_ms);
        waited_ms = sl_sync_next(s, now_ms).until_ms - now_ms;
        now_ms += waited_ms;
    }
    ck_assert_int_ge(waited_ms, 15000);
    sl_sync_free(s);
}
END_TEST

START_TEST(client__an_epoch_means_nothing_before_the_first_change)
{
    sl_sync *s = connected();
    ck_assert_int_eq(sl_sync_hold(s, SPACE, EPOCH, 0), SL_OK);
    ck_assert_int_eq(next(s, 0), SL_STEP_SUBSCRIBE);
    sl_news news = frame(s,
                         "{\"t\":\"page\",\"space\":\"" SPACE "\",\"epoch\":\"other\","
                         "\"from\":0,\"to\":9,\"records\":[]}",
                         SL_OK);
    ck_assert_int_eq(news.kind, SL_NEWS_APPLY);
    ck_assert_str_eq(news.epoch, "other");
    sl_sync_free(s);
}
END_TEST

START_TEST(client__does_not_fight_for_its_place)
{
    sl_sync *s = live(0);
    sl_sync_slow_down(s);
    sl_sync_closed(s, 0);
    ck_assert_int_ge(sl_sync_next(s, 0).until_ms, 15000);
    sl_sync_free(s);
}
END_TEST

START_TEST(client__comes_no_sooner_than_the_server_told_it_whoever_wants_it)
{ /* [SYNC-3] */
    sl_sync *s = live(0);
    frame(s, "{\"t\":\"error\",\"code\":\"SL_E_LIMIT\",\"retry_after\":90}", SL_OK);
    sl_sync_closed(s, 1000);
    ck_assert_int_eq(sl_sync_next(s, 1000).until_ms, 91000);
    sl_sync_want(s, true); /* at once, were it not for that */
    ck_assert_int_eq(sl_sync_next(s, 2000).until_ms, 91000);
    ck_assert_int_eq(next(s, 91000), SL_STEP_OPEN);
    sl_sync_opened(s);
    ck_assert_int_eq(next(s, 91000), SL_STEP_GREET);
    /* Before it is greeted too; and nobody is kept away for more than an hour. */
    frame(s, "{\"t\":\"error\",\"code\":\"SL_E_LIMIT\",\"retry_after\":999999999999}", SL_OK);
    sl_sync_closed(s, 91000);
    ck_assert_int_eq(sl_sync_next(s, 91000).until_ms, 91000 + 3600000);
    /* It held for that time alone. */
    ck_assert_int_eq(next(s, 91000 + 3600000), SL_STEP_OPEN);
    sl_sync_closed(s, 91000 + 3600000);
    ck_assert_int_le(sl_sync_next(s, 91000 + 3600000).until_ms, 91000 + 3602000);
    sl_sync_free(s);
}
END_TEST

START_TEST(client__waits_longer_after_each_failure_up_to_30_s_and_starts_over_once_subscribed)
{ /* [SYNC-3] */
    static const int64_t ceilings[] = {500, 1000, 2000, 4000, 8000, 16000, 30000, 30000};
    sl_sync *s = sl_sync_new(7);
    sl_sync_want(s, true);
    int64_t now_ms = 1000;
    for (size_t i = 0; i < sizeof ceilings / sizeof ceilings[0]; i++) {
        ck_assert_int_eq(next(s, now_ms), SL_STEP_OPEN);
        sl_sync_closed(s, now_ms);
        sl_sync_step step = sl_sync_next(s, now_ms);
        ck_assert_int_eq(step.kind, SL_STEP_WAIT);
        ck_assert_int_ge(step.until_ms - now_ms, ceilings[i] / 2);
        ck_assert_int_le(step.until_ms - now_ms, ceilings[i]);
        now_ms = step.until_ms;
    }
    ck_assert_int_eq(next(s, now_ms), SL_STEP_OPEN);
    sl_sync_opened(s);
    (void)next(s, now_ms);
    frame(s, "{\"t\":\"connected\",\"now\":5}", SL_OK);
    (void)sl_sync_hold(s, SPACE, EPOCH, 0);
    ck_assert_int_eq(next(s, now_ms), SL_STEP_SUBSCRIBE);
    frame(s, "{\"t\":\"subscribed\",\"space\":\"" SPACE "\",\"epoch\":\"e\",\"seq\":0}", SL_OK);
    sl_sync_closed(s, now_ms);
    ck_assert_int_le(sl_sync_next(s, now_ms).until_ms - now_ms, 500);
    sl_sync_free(s);
}
END_TEST

START_TEST(client__closes_a_socket_that_never_greets)
{
    sl_sync *s = sl_sync_new(1);
    sl_sync_want(s, true);
    ck_assert_int_eq(next(s, 0), SL_STEP_OPEN);
    ck_assert_int_eq(next(s, 14999), SL_STEP_WAIT);
    ck_assert_int_eq(next(s, 15000), SL_STEP_CLOSE);
    sl_sync_free(s);
}
END_TEST

START_TEST(client__closes_when_no_longer_wanted)
{
    sl_sync *s = live(0);
    sl_sync_want(s, false);
    ck_assert_int_eq(next(s, 0), SL_STEP_CLOSE);
    sl_sync_closed(s, 0);
    ck_assert_int_eq(next(s, 100000), SL_STEP_IDLE);
    sl_sync_free(s);
}
END_TEST

START_TEST(client__a_reset_starts_from_zero_and_a_revocation_forgets)
{
    sl_sync *s = live(10);
    ck_assert_int_eq(frame(s, "{\"t\":\"reset\",\"space\":\"" SPACE "\"}", SL_OK).kind,
                     SL_NEWS_RESET);
    sl_sync_step step = sl_sync_next(s, 0);
    ck_assert_int_eq(step.kind, SL_STEP_SUBSCRIBE);
    ck_assert_int_eq(step.from, 0);
    ck_assert_str_eq(step.epoch, "");
    ck_assert_int_eq(frame(s, "{\"t\":\"revoked\",\"space\":\"" SPACE "\"}", SL_OK).kind,
                     SL_NEWS_REVOKED);
    ck_assert_int_eq(next(s, 0), SL_STEP_IDLE);
    ck_assert(sl_sync_settled(s));
    sl_sync_free(s);
}
END_TEST

SL_TEST_MAIN_WITH(
    "client", setup, teardown, client__does_nothing_until_wanted,
    client__takes_the_next_change_and_asks_again_after_a_gap,
    client__refuses_a_page_that_does_not_start_at_the_cursor,
    client__passes_over_a_page_that_came_before,
    client__takes_the_rest_of_a_second_answer_at_the_head,
    client__what_could_not_be_stored_is_asked_for_again,
    client__sends_at_most_so_many_operations_without_a_receipt,
    client__sends_at_most_so_many_bytes_without_a_receipt,
    client__sends_again_on_a_new_connection_what_has_no_receipt,
    client__refuses_a_receipt_for_what_was_not_sent,
    client__goes_on_over_operations_that_left_the_outbox,
    client__says_of_every_page_that_it_is_done_with, client__asks_for_what_is_on_the_screen_first,
    client__a_space_to_be_checked_is_at_the_head_by_a_later_answer_only,
    client__takes_several_changes_of_one_transaction_at_once,
    client__a_space_that_fails_each_time_is_tried_ever_more_rarely,
    client__an_epoch_means_nothing_before_the_first_change, client__does_not_fight_for_its_place,
    client__comes_no_sooner_than_the_server_told_it_whoever_wants_it,
    client__waits_longer_after_each_failure_up_to_30_s_and_starts_over_once_subscribed,
    client__closes_a_socket_that_never_greets, client__closes_when_no_longer_wanted,
    client__a_reset_starts_from_zero_and_a_revocation_forgets)
