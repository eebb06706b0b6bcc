/* The locks and the WAL's index that connections of one process share. */
#include "base/mem.h"
#include "store/shared.h"
#include "support.h"

#include <sqlite3.h>
#include <string.h>

static sl_shared_list g_list;
static sl_hold g_a;
static sl_hold g_b;

static void setup(void)
{
    ck_assert(sl_shared_list_open(&g_list));
    ck_assert(sl_shared_join(&g_a, &g_list, "x.db"));
    ck_assert(sl_shared_join(&g_b, &g_list, "x.db"));
}

static void teardown(void)
{
    sl_shared_leave(&g_a);
    sl_shared_leave(&g_b);
    ck_assert_ptr_null(g_list.first);
    sl_shared_list_close(&g_list);
}

START_TEST(shared__a_database_has_many_readers_and_one_writer)
{
    ck_assert_int_eq(sl_shared_lock(&g_a, SQLITE_LOCK_SHARED), SQLITE_OK);
    ck_assert_int_eq(sl_shared_lock(&g_b, SQLITE_LOCK_SHARED), SQLITE_OK);
    ck_assert(!sl_shared_reserved(&g_a));
    ck_assert_int_eq(sl_shared_lock(&g_a, SQLITE_LOCK_RESERVED), SQLITE_OK);
    ck_assert_int_eq(sl_shared_lock(&g_a, SQLITE_LOCK_RESERVED), SQLITE_OK); /* it has it */
    ck_assert(sl_shared_reserved(&g_b));
    ck_assert_int_eq(sl_shared_lock(&g_b, SQLITE_LOCK_RESERVED), SQLITE_BUSY);
    ck_assert_int_eq(sl_shared_lock(&g_a, SQLITE_LOCK_EXCLUSIVE), SQLITE_BUSY); /* b reads */
    ck_assert_int_eq(sl_shared_unlock(&g_b, SQLITE_LOCK_NONE), SQLITE_OK);
    ck_assert_int_eq(sl_shared_lock(&g_a, SQLITE_LOCK_EXCLUSIVE), SQLITE_OK);
    ck_assert_int_eq(sl_shared_lock(&g_b, SQLITE_LOCK_SHARED), SQLITE_BUSY);
    ck_assert_int_eq(sl_shared_unlock(&g_a, SQLITE_LOCK_SHARED), SQLITE_OK);
    ck_assert_int_eq(sl_shared_lock(&g_b, SQLITE_LOCK_SHARED), SQLITE_OK);
    ck_assert(!sl_shared_reserved(&g_b));
}
END_TEST

START_TEST(shared__another_database_has_locks_of_its_own)
{
    sl_hold other;
    ck_assert(sl_shared_join(&other, &g_list, "y.db"));
    ck_assert_int_eq(sl_shared_lock(&g_a, SQLITE_LOCK_SHARED), SQLITE_OK);
    ck_assert_int_eq(sl_shared_lock(&g_a, SQLITE_LOCK_EXCLUSIVE), SQLITE_OK);
    ck_assert_int_eq(sl_shared_lock(&other, SQLITE_LOCK_SHARED), SQLITE_OK);
    ck_assert_int_eq(sl_shared_lock(&other, SQLITE_LOCK_EXCLUSIVE), SQLITE_OK);
    sl_shared_leave(&other);
}
END_TEST

static int place(sl_hold *h, int first, int n, int how)
{
    return sl_shared_place(h, first, n, how);
}

START_TEST(shared__a_place_is_held_by_many_or_by_one)
{
    enum {
        LOCK_SHARED = SQLITE_SHM_LOCK | SQLITE_SHM_SHARED,
        LOCK_ALONE = SQLITE_SHM_LOCK | SQLITE_SHM_EXCLUSIVE,
        FREE_SHARED = SQLITE_SHM_UNLOCK | SQLITE_SHM_SHARED,
        FREE_ALONE = SQLITE_SHM_UNLOCK | SQLITE_SHM_EXCLUSIVE
    };
    ck_assert_int_eq(place(&g_a, 3, 1, LOCK_SHARED), SQLITE_OK);
    ck_assert_int_eq(place(&g_b, 3, 1, LOCK_SHARED), SQLITE_OK);
    ck_assert_int_eq(place(&g_b, 4, 1, LOCK_ALONE), SQLITE_OK);
    ck_assert_int_eq(place(&g_a, 4, 1, LOCK_SHARED), SQLITE_BUSY);
    /* All of the places or none: 2 stays free when 3 is refused, and what was held stays held. */
    ck_assert_int_eq(place(&g_a, 2, 1, LOCK_ALONE), SQLITE_OK);
    ck_assert_int_eq(place(&g_b, 1, 3, LOCK_ALONE), SQLITE_BUSY);
    ck_assert_int_eq(place(&g_a, 1, 1, LOCK_ALONE), SQLITE_OK);
    ck_assert_int_eq(place(&g_a, 1, 2, FREE_ALONE), SQLITE_OK);
    ck_assert_int_eq(place(&g_b, 1, 2, LOCK_ALONE), SQLITE_OK);
    ck_assert_int_eq(place(&g_b, 1, 2, FREE_ALONE), SQLITE_OK);
    ck_assert_int_eq(place(&g_a, 3, 1, FREE_SHARED), SQLITE_OK);
    ck_assert_int_eq(place(&g_a, 3, 1, FREE_SHARED), SQLITE_OK); /* once is enough */
    ck_assert_int_eq(place(&g_a, 3, 1, LOCK_ALONE), SQLITE_BUSY);
    sl_shared_unmap(&g_b); /* lets go of all */
    ck_assert_int_eq(place(&g_a, 3, 2, LOCK_ALONE), SQLITE_OK);
    ck_assert_int_eq(place(&g_a, 3, 2, FREE_ALONE), SQLITE_OK);
}
END_TEST

START_TEST(shared__the_index_is_zero_and_stays_until_the_last_lets_go)
{
    enum {
        SIZE = 32768
    };
    static const char zero[SIZE];
    void volatile *a = NULL;
    void volatile *b = NULL;
    void volatile *again = NULL;
    ck_assert_int_eq(sl_shared_map(&g_a, 0, SIZE, false, &a), SQLITE_OK);
    ck_assert_ptr_null((void *)(uintptr_t)a);
    ck_assert_int_eq(sl_shared_map(&g_a, 1, SIZE, true, &a), SQLITE_OK);
    ck_assert_int_eq(memcmp((void *)(uintptr_t)a, zero, SIZE), 0);
    ((char volatile *)a)[7] = 'x';
    ck_assert_int_eq(sl_shared_map(&g_b, 9, SIZE, true, &b), SQLITE_OK); /* moves nothing */
    ck_assert_int_eq(sl_shared_map(&g_b, 1, SIZE, false, &again), SQLITE_OK);
    ck_assert(a == again);
    sl_shared_unmap(&g_a);
    ck_assert_int_eq(((char volatile *)again)[7], 'x');
    sl_shared_unmap(&g_b);
    ck_assert_int_eq(sl_shared_map(&g_b, 1, SIZE, true, &b), SQLITE_OK);
    ck_assert_int_eq(((char volatile *)b)[7], 0);
}
END_TEST

START_TEST(shared__without_memory_nothing_changes)
{
    for (uint64_t k = 1; k <= 4; k++) {
        sl_hold h;
        void volatile *p = NULL;
        (void)sl_mem_fail_at(k, false);
        bool joined = sl_shared_join(&h, &g_list, "z.db");
        int code = joined ? sl_shared_map(&h, 0, 32768, true, &p) : SQLITE_NOMEM;
        (void)sl_mem_fail_at(0, false);
        ck_assert_int_eq(code, SQLITE_NOMEM);
        if (joined) {
            ck_assert_int_eq(sl_shared_map(&h, 0, 32768, true, &p), SQLITE_OK);
            sl_shared_leave(&h);
        }
    }
}
END_TEST

SL_TEST_MAIN_WITH("shared", setup, teardown, shared__a_database_has_many_readers_and_one_writer,
                  shared__another_database_has_locks_of_its_own,
                  shared__a_place_is_held_by_many_or_by_one,
                  shared__the_index_is_zero_and_stays_until_the_last_lets_go,
                  shared__without_memory_nothing_changes)
