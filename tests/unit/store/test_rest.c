/* Soft transactions, and what is done beside writers: the log synced, and copied. */
#include "base/mem.h"
#include "unit/store/folder.h"

static sl_store *g_store;
static unsigned g_syncs;
static sl_status g_answer; /* of a sync */

static sl_status count_sync(void *user, void *file)
{
    (void)user;
    (void)file;
    g_syncs++;
    return g_answer;
}

static void setup(void)
{
    folder_make();
    g_files.sync = count_sync;
    g_answer = SL_OK;
    g_store = folder_open();
    g_syncs = 0;
}

static void teardown(void)
{
    sl_store_close(g_store);
    folder_remove();
}

/* Returns how often something was synced. */
static unsigned commit(bool soft, const char *value)
{
    unsigned before = g_syncs;
    ck_assert_int_eq((soft ? sl_store_begin_soft : sl_store_begin)(g_store, NULL), SL_OK);
    ck_assert_int_eq(sl_store_set_meta(g_store, "fact", value, NULL), SL_OK);
    ck_assert_int_eq(sl_store_commit(g_store, NULL), SL_OK);
    return g_syncs - before;
}

static unsigned rest(void)
{
    unsigned before = g_syncs;
    sl_store_rest(g_store, sl_store_rest_due(g_store, true));
    return g_syncs - before;
}

START_TEST(rest__a_soft_transaction_is_synced_once_when_there_is_time)
{
    (void)commit(false, "first"); /* a log's first header is synced by itself */
    ck_assert_uint_eq(commit(true, "a"), 0);
    ck_assert_uint_eq(commit(true, "b"), 0);
    ck_assert_uint_eq(rest(), 1);
    ck_assert_uint_eq(rest(), 0);
}
END_TEST

START_TEST(rest__soft_transactions_may_wait_for_more_to_share_a_sync)
{
    (void)commit(false, "first");
    ck_assert(!sl_store_is_soft(g_store));
    for (int i = 0; i < 3; i++) {
        ck_assert_uint_eq(commit(true, i % 2 == 0 ? "a" : "b"), 0);
        ck_assert(sl_store_is_soft(g_store));
        sl_store_rest(g_store, sl_store_rest_due(g_store, false));
    }
    ck_assert_uint_eq(rest(), 1);
    ck_assert(!sl_store_is_soft(g_store));
}
END_TEST

START_TEST(rest__a_transaction_that_is_not_soft_is_durable_with_all_before_it)
{
    (void)commit(false, "first");
    ck_assert_uint_eq(commit(true, "a"), 0);
    ck_assert_uint_eq(commit(false, "b"), 1);
    ck_assert_uint_eq(rest(), 0);
    ck_assert_uint_eq(commit(true, "c"), 0);
    sl_store_rollback(g_store);
    ck_assert_uint_eq(rest(), 1); /* a rollback takes nothing of what was committed */
}
END_TEST

START_TEST(rest__a_rolled_back_transaction_leaves_the_next_one_hard)
{
    (void)commit(false, "first");
    ck_assert_int_eq(sl_store_begin_soft(g_store, NULL), SL_OK);
    ck_assert_int_eq(sl_store_set_meta(g_store, "fact", "no", NULL), SL_OK);
    sl_store_rollback(g_store);
    ck_assert_uint_eq(rest(), 0);
    ck_assert_uint_eq(commit(false, "yes"), 1);
}
END_TEST

START_TEST(rest__what_cannot_be_synced_is_due_again)
{
    (void)commit(false, "first");
    ck_assert_uint_eq(commit(true, "a"), 0);
    g_answer = SL_E_IO;
    ck_assert_uint_eq(rest(), 1);
    ck_assert_int_eq(sl_store_harden(g_store, NULL), SL_E_IO);
    g_answer = SL_OK;
    ck_assert_int_eq(sl_store_harden(g_store, NULL), SL_OK);
    ck_assert_uint_eq(rest(), 0);
}
END_TEST

enum {
    BIG = 1 << 20, /* bytes: 256 pages of the log, and a few */
    TIMES = 20
};

/* The i-th differs from the one before: SQLite writes pages that differ only. Pages in the log then. */
static int commit_big(char *big, unsigned i)
{
    memset(big, 'a' + (int)(i % 26), BIG);
    big[BIG] = 0;
    (void)commit(i % 2 == 0, big);
    return sl_sql_logged(g_store->sql);
}

START_TEST(rest__a_long_log_is_copied_and_begins_anew)
{
    char *big = malloc(BIG + 1);
    ck_assert_ptr_nonnull(big);
    int longest = 0;
    for (unsigned i = 0; i < TIMES; i++) {
        int logged = commit_big(big, i);
        longest = logged > longest ? logged : longest;
        (void)rest();
    }
    free(big);
    ck_assert_int_gt(longest, 4000);
    ck_assert_int_lt(longest, 4600);
    char *fact = NULL;
    ck_assert_int_eq(sl_store_meta(g_store, "fact", &fact, NULL), SL_OK);
    ck_assert_uint_eq(strlen(fact), BIG);
    sl_mem_free(fact);
}
END_TEST

/* As while pages come without end: nobody asks what is due from one copying to the next. */
START_TEST(rest__a_log_that_began_anew_is_too_long_at_the_same_length_again)
{
    char *big = malloc(BIG + 1);
    unsigned i = 0;
    ck_assert_ptr_nonnull(big);
    while (commit_big(big, i++) < 4600) {
    }
    ck_assert(sl_store_log_long(g_store));
    sl_rest due = sl_store_rest_due(g_store, true);
    ck_assert(due.copy);
    ck_assert(!sl_store_log_long(g_store)); /* somebody is at it */
    sl_store_rest(g_store, due);
    int logged = commit_big(big, i++);
    ck_assert_int_lt(logged, 1000);
    while (logged < 4000) {
        ck_assert(!sl_store_log_long(g_store));
        logged = commit_big(big, i++);
    }
    ck_assert_int_lt(logged, 4600);
    ck_assert(sl_store_log_long(g_store));
    free(big);
}
END_TEST

SL_TEST_MAIN_WITH("rest", setup, teardown,
                  rest__a_soft_transaction_is_synced_once_when_there_is_time,
                  rest__soft_transactions_may_wait_for_more_to_share_a_sync,
                  rest__a_transaction_that_is_not_soft_is_durable_with_all_before_it,
                  rest__a_rolled_back_transaction_leaves_the_next_one_hard,
                  rest__what_cannot_be_synced_is_due_again,
                  rest__a_long_log_is_copied_and_begins_anew,
                  rest__a_log_that_began_anew_is_too_long_at_the_same_length_again)
