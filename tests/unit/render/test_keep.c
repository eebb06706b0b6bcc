/* Things kept up to a number of bytes: what goes, what stays, what fails. */
#include "render/keep.h"

#include "base/mem.h"
#include "support.h"

enum {
    THING = 1000,
    ROOM = 4 * (THING + 200) /* an entry's own bytes are counted too */
};

static int g_dropped;

static void drop(void *thing)
{
    g_dropped++;
    sl_mem_free(thing);
}

static bool put(sl_keep *k, uint64_t n)
{
    void *thing = sl_mem(1);
    bool ok = thing != NULL && sl_keep_put(k, (sl_keep_key){n, ~n}, thing, THING);
    if (!ok) {
        sl_mem_free(thing);
    }
    return ok;
}

static bool has(sl_keep *k, uint64_t n)
{
    return sl_keep_find(k, (sl_keep_key){n, ~n}) != NULL;
}

START_TEST(keep__the_one_not_used_for_longest_goes_first)
{
    sl_keep *k = sl_keep_new(ROOM, drop);
    g_dropped = 0;
    for (uint64_t n = 1; n <= 4; n++) {
        ck_assert(put(k, n));
    }
    sl_keep_turn(k);
    ck_assert(has(k, 1));
    ck_assert(put(k, 5));
    ck_assert_int_eq(g_dropped, 1);
    ck_assert(has(k, 1) && !has(k, 2) && has(k, 3) && has(k, 4) && has(k, 5));
    ck_assert_uint_le(sl_keep_bytes(k), ROOM);
    sl_keep_clear(k);
    ck_assert_uint_eq(sl_keep_bytes(k), 0);
    ck_assert_int_eq(g_dropped, 5);
    sl_keep_free(k);
}
END_TEST

START_TEST(keep__what_a_turn_has_stays_until_the_next)
{
    sl_keep *k = sl_keep_new(ROOM, drop);
    g_dropped = 0;
    for (uint64_t n = 1; n <= 4; n++) {
        ck_assert(put(k, n));
    }
    ck_assert(!put(k, 5));
    ck_assert(!put(k, 4)); /* there already */
    ck_assert_int_eq(g_dropped, 0);
    sl_keep_turn(k);
    ck_assert(put(k, 5));
    sl_keep_free(k);
    ck_assert_int_eq(g_dropped, 5);
}
END_TEST

START_TEST(keep__what_is_larger_than_all_of_it_is_refused)
{
    sl_keep *k = sl_keep_new(THING, drop);
    ck_assert(!put(k, 1)); /* with the entry it is */
    sl_keep_free(k);
    k = sl_keep_new(THING + 200, drop);
    ck_assert(put(k, 1));
    sl_keep_free(k);
}
END_TEST

START_TEST(keep__many_are_found_and_every_failed_allocation_is_survived)
{
    for (uint64_t at = 1; at < 300; at++) {
        (void)sl_mem_fail_at(at, false);
        sl_keep *k = sl_keep_new(1 << 20, drop);
        uint64_t there = 0;
        for (uint64_t n = 0; k != NULL && n < 200; n++) {
            there += put(k, n);
        }
        (void)sl_mem_fail_at(0, false);
        uint64_t found = 0;
        for (uint64_t n = 0; k != NULL && n < 200; n++) {
            found += has(k, n);
        }
        ck_assert_uint_eq(found, there);
        ck_assert(k == NULL || there >= 198);
        sl_keep_free(k);
    }
}
END_TEST

SL_TEST_MAIN("keep", keep__the_one_not_used_for_longest_goes_first,
             keep__what_a_turn_has_stays_until_the_next,
             keep__what_is_larger_than_all_of_it_is_refused,
             keep__many_are_found_and_every_failed_allocation_is_survived)
