/* Live queries: who hears of a change, and who does not. */
#include "api/host.h"

#include <stdio.h>
#include <string.h>

#define A "01890000-0000-7000-8000-0000000000a1"
#define B "01890000-0000-7000-8000-0000000000a2"
#define C "01890000-0000-7000-8000-0000000000a3"
/* The first two of those that begin with "a". */
#define QUERY                                                                                \
    "{\"from\":\"comment\",\"where\":{\"space\":\"" VIDEO "\",\"body\":{\"prefix\":\"a\"}}," \
    "\"order\":[\"body\"],\"limit\":2}"

static sl_core *g_core;
static sl_id g_sub;

/* True when somebody is told that there is a difference. */
static bool wakes(void)
{
    (void)sl_core_step(g_core);
    return strstr(events(g_core), "\"rows\"") != NULL;
}

static void take(sl_id sub, const char *order)
{
    sl_bytes *diff = NULL;
    ck_assert_int_eq(sl_query_take(g_core, sub, &diff, NULL), SL_OK);
    const char *told = strstr((const char *)sl_bytes_data(diff), "\"order\":");
    ck_assert_ptr_nonnull(told);
    ck_assert_str_eq(told + strlen("\"order\":"), order);
    sl_bytes_release(diff);
}

static sl_id watch(const char *query)
{
    sl_id sub = 0;
    ck_assert_int_eq(sl_query_watch(g_core, query, strlen(query), &sub, NULL), SL_OK);
    ck_assert(wakes());
    return sub;
}

static void apply(const char *ops)
{
    ck_assert_int_eq(sl_apply(g_core, ops, strlen(ops), NULL, NULL), SL_OK);
}

/* deed "create" or "patch" with a body, or "delete" without. */
static bool wakes_by(const char *deed, const char *id, const char *body)
{
    char op[400];
    char fields[100] = "";
    if (body != NULL) {
        (void)snprintf(fields, sizeof fields, ",\"fields\":{\"body\":\"%s\"}", body);
    }
    (void)snprintf(op, sizeof op, "[{\"op\":\"%s\",\"entity\":\"comment\",\"id\":\"%s\"%s%s}]",
                   deed, id, strcmp(deed, "create") == 0 ? ",\"space\":\"" VIDEO "\"" : "", fields);
    apply(op);
    return wakes();
}

static void set_up(void)
{
    host_set_up();
    g_core = online(true);
    g_sub = watch(QUERY);
    take(g_sub, "[]}");
}

static void tear_down(void)
{
    sl_core_close(g_core);
    host_tear_down();
}

START_TEST(live__an_unrelated_record_of_the_space_wakes_nobody)
{
    ck_assert(!wakes_by("create", A, "b"));
    ck_assert(!wakes_by("patch", A, "bb"));
    ck_assert(!wakes_by("delete", A, NULL));
}
END_TEST

START_TEST(live__what_enters_changes_leaves_or_is_deleted_wakes)
{
    ck_assert(wakes_by("create", A, "a"));
    take(g_sub, "[\"" A "\"]}");
    ck_assert(wakes_by("patch", A, "ab"));
    take(g_sub, "[\"" A "\"]}");
    ck_assert(wakes_by("patch", A, "b"));
    take(g_sub, "[]}");
    ck_assert(!wakes_by("patch", A, "c"));
    ck_assert(wakes_by("patch", A, "a"));
    take(g_sub, "[\"" A "\"]}");
    ck_assert(wakes_by("delete", A, NULL));
    take(g_sub, "[]}");
}
END_TEST

START_TEST(live__what_is_told_before_it_was_taken_wakes_for_what_was_taken_last)
{
    ck_assert(wakes_by("create", A, "a"));
    ck_assert(!wakes_by("patch", A, "b")); /* it is as it was taken */
    take(g_sub, "[]}");
    ck_assert(wakes_by("patch", A, "a"));
    take(g_sub, "[\"" A "\"]}");
    ck_assert(wakes_by("patch", A, "b"));
    ck_assert(wakes_by("patch", A, "a"));
    take(g_sub, "[\"" A "\"]}");
}
END_TEST

START_TEST(live__another_order_wakes_and_so_does_what_another_leaves_room_for)
{
    (void)wakes_by("create", A, "a1");
    (void)wakes_by("create", B, "a2");
    (void)wakes_by("create", C, "a3");
    take(g_sub, "[\"" A "\",\"" B "\"]}");
    ck_assert(wakes_by("patch", A, "a25"));
    take(g_sub, "[\"" B "\",\"" A "\"]}");
    ck_assert(wakes_by("patch", B, "b"));
    take(g_sub, "[\"" A "\",\"" C "\"]}");
    ck_assert(wakes_by("delete", A, NULL));
    take(g_sub, "[\"" C "\"]}");
}
END_TEST

/* An app may show more around the rows of a query than these. */
START_TEST(live__what_is_deleted_beyond_the_limit_wakes)
{
    (void)wakes_by("create", A, "a1");
    (void)wakes_by("create", B, "a2");
    (void)wakes_by("create", C, "a3");
    take(g_sub, "[\"" A "\",\"" B "\"]}");
    ck_assert(wakes_by("delete", C, NULL));
}
END_TEST

START_TEST(live__counts_searches_and_what_was_never_taken_hear_of_all)
{
    (void)watch("{\"from\":\"comment\",\"where\":{\"body\":\"x\"}}");
    ck_assert(wakes_by("create", A, "b"));
    ck_assert_int_eq(sl_query_unwatch(g_core, g_sub + 1), SL_OK);
    sl_id count = watch("{\"from\":\"comment\",\"count\":true,\"where\":{\"body\":\"x\"}}");
    take(count, "[\"count\"]}");
    ck_assert(wakes_by("patch", A, "bb"));
    ck_assert_int_eq(sl_query_unwatch(g_core, count), SL_OK);
    sl_id search = watch("{\"from\":\"comment\",\"search\":\"elbow\"}");
    take(search, "[]}");
    ck_assert(wakes_by("patch", A, "b"));
    ck_assert_int_eq(sl_query_unwatch(g_core, search), SL_OK);
    ck_assert(!wakes_by("patch", A, "bb"));
}
END_TEST

START_TEST(live__many_changes_at_once_wake_all_of_their_space)
{
    char ops[4000] = "[";
    size_t n = 1;
    for (int i = 0; i < 9; i++) {
        n += (size_t)snprintf(ops + n, sizeof ops - n,
                              "%s{\"op\":\"create\",\"entity\":\"comment\",\"space\":\"" VIDEO
                              "\",\"fields\":{\"body\":\"b\"}}",
                              i > 0 ? "," : "");
    }
    (void)snprintf(ops + n, sizeof ops - n, "]");
    apply(ops);
    ck_assert(wakes());
}
END_TEST

static void comes(int seq, const char *id, const char *body)
{
    char text[500];
    (void)snprintf(text, sizeof text,
                   "{\"t\":\"change\",\"space\":\"" VIDEO "\",\"seq\":%d,\"record\":{\"entity\":"
                   "\"comment\",\"id\":\"%s\",\"space\":\"" VIDEO "\",\"seq\":%d,%s%s%s}}",
                   seq, id, seq, body != NULL ? "\"fields\":{\"body\":\"" : "\"deleted\":true",
                   body != NULL ? body : "", body != NULL ? "\"},\"clocks\":{}" : "");
    frame(g_core, text);
    ck_assert_int_eq(g_closed, 0);
}

START_TEST(live__what_comes_from_the_server_wakes_whom_it_concerns)
{
    comes(1, A, "b");
    ck_assert(!wakes());
    comes(2, A, "a");
    ck_assert(wakes());
    take(g_sub, "[\"" A "\"]}");
    comes(3, B, "b");
    ck_assert(!wakes());
    comes(4, A, "ab");
    ck_assert(wakes());
    take(g_sub, "[\"" A "\"]}");
    comes(5, B, NULL);
    ck_assert(!wakes());
    comes(6, A, NULL);
    ck_assert(wakes());
    take(g_sub, "[]}");
}
END_TEST

START_TEST(live__receipts_wake_whom_they_concern)
{
    ck_assert(!wakes_by("create", A, "b"));
    frame(g_core, "{\"t\":\"receipt\",\"n\":1,\"result\":\"applied\",\"seq\":1}");
    ck_assert(!wakes());
    comes(1, A, "b");
    ck_assert(!wakes());
    ck_assert(wakes_by("create", B, "a"));
    take(g_sub, "[\"" B "\"]}");
    frame(g_core, "{\"t\":\"receipt\",\"n\":2,\"result\":\"applied\",\"seq\":2}");
    ck_assert(wakes()); /* it is sent: a chat shows that */
    take(g_sub, "[\"" B "\"]}");
    comes(2, B, "a");
    ck_assert(wakes());
    take(g_sub, "[\"" B "\"]}");
    ck_assert(wakes_by("patch", B, "b"));
    take(g_sub, "[]}");
    frame(g_core, "{\"t\":\"receipt\",\"n\":3,\"result\":\"rejected\",\"code\":\"SL_E_DENIED\","
                  "\"message\":\"no\"}");
    ck_assert(strstr(events(g_core), "\"rows\"") != NULL); /* it is "a" again */
    take(g_sub, "[\"" B "\"]}");
}
END_TEST

/* The server lets its own state stand: what is over without a record coming is told too. */
START_TEST(live__what_was_accepted_without_an_effect_wakes_when_it_is_over)
{
    comes(1, A, "a");
    ck_assert(wakes());
    take(g_sub, "[\"" A "\"]}");
    ck_assert(wakes_by("patch", A, "b"));
    take(g_sub, "[]}");
    frame(g_core, "{\"t\":\"receipt\",\"n\":1,\"result\":\"merged\",\"seq\":1}");
    ck_assert(strstr(events(g_core), "\"rows\"") != NULL);
    take(g_sub, "[\"" A "\"]}");
}
END_TEST

SL_TEST_MAIN_WITH("live", set_up, tear_down, live__an_unrelated_record_of_the_space_wakes_nobody,
                  live__what_enters_changes_leaves_or_is_deleted_wakes,
                  live__what_is_told_before_it_was_taken_wakes_for_what_was_taken_last,
                  live__another_order_wakes_and_so_does_what_another_leaves_room_for,
                  live__what_is_deleted_beyond_the_limit_wakes,
                  live__counts_searches_and_what_was_never_taken_hear_of_all,
                  live__many_changes_at_once_wake_all_of_their_space,
                  live__what_comes_from_the_server_wakes_whom_it_concerns,
                  live__receipts_wake_whom_they_concern,
                  live__what_was_accepted_without_an_effect_wakes_when_it_is_over)
