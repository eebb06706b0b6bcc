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
    sl_store_rest(g_store, sl_store_rest_due(g_store));
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

START_TEST(rest__a_long_log_is_copied_and_begins_anew)
{
    enum {
        BIG = 1 << 20,
        TIMES = 20
    };
    char *big = malloc(BIG + 1);
    ck_assert_ptr_nonnull(big);
    big[BIG] = 0;
    int longest = 0;
    for (unsigned i = 0; i < TIMES; i++) {
        memset(big, 'a' + (int)i, BIG); /* SQLite writes pages that differ only */
        (void)commit(i % 2 == 0, big);
        int logged = sl_sql_logged(g_store->sql);
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

SL_TEST_MAIN_WITH("rest", setup, teardown,
                  rest__a_soft_transaction_is_synced_once_when_there_is_time,
                  rest__a_transaction_that_is_not_soft_is_durable_with_all_before_it,
                  rest__a_rolled_back_transaction_leaves_the_next_one_hard,
                  rest__what_cannot_be_synced_is_due_again,
                  rest__a_long_log_is_copied_and_begins_anew)
