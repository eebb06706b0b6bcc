#include "base/arena.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/prng.h"
#include "support.h"

#include <stdint.h>
#include <string.h>

enum {
    PIECES = 400
};

START_TEST(arena__pieces_are_aligned_and_never_share_a_byte)
{
    static const size_t sizes[] = {0, 1, 7, 8, 9, 100, 1015, 1016, 1024, 5000, 70000};
    sl_arena a = {NULL, NULL};
    uint8_t *at[PIECES];
    size_t n[PIECES];
    sl_prng r;
    sl_prng_seed(&r, 1);
    for (size_t i = 0; i < PIECES; i++) {
        n[i] = sizes[sl_prng_below(&r, sizeof sizes / sizeof sizes[0])];
        at[i] = sl_arena_take(&a, n[i]);
        ck_assert_ptr_nonnull(at[i]);
        ck_assert_uint_eq((uintptr_t)at[i] % 8, 0);
        if (n[i] > 0) {
            memset(at[i], (int)(i % 251), n[i]);
        }
    }
    for (size_t i = 0; i < PIECES; i++) {
        size_t same = 0;
        while (same < n[i] && at[i][same] == i % 251) {
            same++;
        }
        ck_assert_uint_eq(same, n[i]);
    }
    sl_arena_free(&a);
    ck_assert_ptr_null(a.first);
    sl_arena_free(&a); /* again: nothing */
}
END_TEST

START_TEST(arena__text_ends_with_a_nul)
{
    sl_arena a = {NULL, NULL};
    ck_assert_str_eq(sl_arena_text(&a, "elbow", 3), "elb");
    ck_assert_str_eq(sl_arena_text(&a, "", 0), "");
    ck_assert_str_eq(sl_arena_text(&a, NULL, 0), "");
    sl_arena_free(&a);
}
END_TEST

START_TEST(arena__a_loop_that_clears_it_allocates_once)
{
    sl_arena a = {NULL, NULL};
    void *first = sl_arena_take(&a, 10);
    ck_assert_ptr_nonnull(sl_arena_take(&a, 5000)); /* another block */
    for (int i = 0; i < 3; i++) {
        sl_arena_clear(&a);
        sl_mem_fail_at(1, true);
        ck_assert_ptr_eq(sl_arena_take(&a, 10), first);
        ck_assert_ptr_nonnull(sl_arena_take(&a, 500));
        sl_mem_fail_at(0, false);
    }
    sl_arena_free(&a);
    sl_arena_clear(&a); /* of nothing: nothing */
    ck_assert_ptr_null(a.first);
}
END_TEST

START_TEST(arena__without_memory_gives_null_and_keeps_what_was)
{
    sl_arena a = {NULL, NULL};
    sl_mem_fail_at(1, true);
    ck_assert_ptr_null(sl_arena_take(&a, 1));
    ck_assert_ptr_null(sl_arena_text(&a, "a", 1));
    sl_mem_fail_at(0, false);
    char *text = sl_arena_text(&a, "kept", 4);
    sl_mem_fail_at(1, true);
    ck_assert_ptr_null(sl_arena_take(&a, 100000));
    sl_mem_fail_at(0, false);
    ck_assert_ptr_null(sl_arena_take(&a, SIZE_MAX));
    ck_assert_ptr_null(sl_arena_take(&a, SIZE_MAX / 4 + 1));
    ck_assert_str_eq(text, "kept");
    ck_assert_ptr_nonnull(sl_arena_take(&a, 100000));
    ck_assert_str_eq(text, "kept");
    sl_arena_free(&a);
    ck_assert_int_eq(sl_debug_live_objects(), 0);
}
END_TEST

SL_TEST_MAIN("arena", arena__pieces_are_aligned_and_never_share_a_byte, arena__text_ends_with_a_nul,
             arena__a_loop_that_clears_it_allocates_once,
             arena__without_memory_gives_null_and_keeps_what_was)
