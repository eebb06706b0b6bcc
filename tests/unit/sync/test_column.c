/* Columns of integers as bytes: each mode is taken where it is short, and reads back what was written
 * (PROTOCOL.md, "Columns"). */
#include "base/prng.h"
#include "support.h"
#include "sync/column.h"

#include <string.h>

enum {
    ROWS = 200,
    HEAD_MODES = 3
};

/* Writes, reads back and compares; the mode that was taken. */
static unsigned mode_of(const int64_t *v, size_t n, int64_t base, size_t *bytes)
{
    sl_buf out = {0};
    sl_buf tmp = {0};
    sl_ints ints;
    sl_column_put_ints(&out, v, n, base, &tmp);
    ck_assert(!out.failed);
    sl_rd in = {out.data, out.len, false};
    sl_ints_start(&ints, &in, base);
    for (size_t i = 0; i < n; i++) {
        ck_assert_int_eq(sl_ints_next(&ints), v[i]);
    }
    ck_assert(sl_ints_done(&ints) && !in.bad && in.left == 0);
    unsigned mode = out.data[0] & HEAD_MODES;
    *bytes = out.len;
    sl_buf_free(&out);
    sl_buf_free(&tmp);
    return mode;
}

/* Whether a column of these bytes reads to its end as n numbers. */
static bool reads(const uint8_t *p, size_t len, size_t n)
{
    sl_rd in = {p, len, false};
    sl_ints ints;
    sl_ints_start(&ints, &in, 0);
    for (size_t i = 0; i < n; i++) {
        (void)sl_ints_next(&ints);
    }
    return sl_ints_done(&ints);
}

START_TEST(ints__what_rises_evenly_takes_a_few_bytes)
{
    int64_t v[ROWS];
    size_t bytes = 0;
    for (int64_t i = 0; i < ROWS; i++) {
        v[i] = INT64_C(1700000000000) + i * 7;
    }
    ck_assert_uint_eq(mode_of(v, ROWS, v[0], &bytes), 1);
    ck_assert_uint_le(bytes, 8);
}
END_TEST

START_TEST(ints__times_on_a_grid_are_written_as_steps_of_it)
{
    sl_prng prng = {0};
    int64_t v[ROWS];
    size_t bytes = 0;
    sl_prng_seed(&prng, 1);
    for (int i = 0; i < ROWS; i++) {
        v[i] = 70000123 + (int64_t)sl_prng_below(&prng, 64) * 100000;
    }
    ck_assert_uint_eq(mode_of(v, ROWS, 0, &bytes), 2);
    ck_assert_uint_le(bytes, ROWS + 20); /* 64 steps either way: a byte each */
    v[ROWS / 2]++;
    ck_assert_uint_eq(mode_of(v, ROWS, 0, &bytes), 0);
}
END_TEST

START_TEST(ints__the_ends_of_the_range_come_back_in_every_mode)
{
    static const int64_t FAR[] = {INT64_MIN, INT64_MAX, 0, INT64_MIN, INT64_MIN, INT64_MAX};
    static const int64_t HALVES[] = {INT64_MIN, 0, INT64_C(1) << 62, INT64_C(1) << 62, INT64_MIN};
    static const int64_t ONE[] = {INT64_MAX};
    size_t bytes = 0;
    ck_assert_uint_eq(mode_of(FAR, sizeof FAR / sizeof FAR[0], -1, &bytes), 0);
    ck_assert_uint_eq(mode_of(HALVES, sizeof HALVES / sizeof HALVES[0], 5, &bytes), 2);
    ck_assert_uint_eq(mode_of(ONE, 1, INT64_MIN, &bytes), 0);
    (void)mode_of(ONE, 0, 0, &bytes);
}
END_TEST

START_TEST(ints__any_numbers_on_any_grid_come_back)
{
    sl_prng prng = {0};
    size_t bytes = 0;
    unsigned taken[4] = {0};
    sl_prng_seed(&prng, 7);
    for (int round = 0; round < 2000; round++) {
        int64_t v[ROWS];
        size_t n = (size_t)sl_prng_below(&prng, ROWS);
        uint64_t grid = 1 + sl_prng_below(&prng, round % 3 == 0 ? 1 : 1000000);
        uint64_t range = UINT64_C(1) << sl_prng_below(&prng, 40);
        for (size_t i = 0; i < n; i++) {
            v[i] = (int64_t)(sl_prng_below(&prng, range) * grid - range * grid / 2);
        }
        taken[mode_of(v, n, (int64_t)sl_prng_next(&prng), &bytes)]++;
    }
    ck_assert(taken[0] > 0 && taken[1] > 0 && taken[2] > 0);
}
END_TEST

START_TEST(ints__what_no_writer_writes_is_refused)
{
    static const uint8_t GOOD[] = {3 << 2 | 2, 5, 2, 2};
    static const uint8_t BY_NOTHING[] = {3 << 2 | 2, 0, 2, 2};
    static const uint8_t NO_DIVISOR[] = {0 << 2 | 2};
    static const uint8_t NO_SUCH_MODE[] = {2 << 2 | 3, 2, 2};
    static const uint8_t EMPTY_RUN[] = {2 << 2 | 1, 0, 2};
    ck_assert(reads(GOOD, sizeof GOOD, 2));
    ck_assert(!reads(GOOD, sizeof GOOD, 1));
    ck_assert(!reads(GOOD, sizeof GOOD, 3));
    ck_assert(!reads(BY_NOTHING, sizeof BY_NOTHING, 2));
    ck_assert(!reads(NO_DIVISOR, sizeof NO_DIVISOR, 0));
    ck_assert(!reads(NO_SUCH_MODE, sizeof NO_SUCH_MODE, 2));
    ck_assert(!reads(EMPTY_RUN, sizeof EMPTY_RUN, 1));
}
END_TEST

SL_TEST_MAIN("column", ints__what_rises_evenly_takes_a_few_bytes,
             ints__times_on_a_grid_are_written_as_steps_of_it,
             ints__the_ends_of_the_range_come_back_in_every_mode,
             ints__any_numbers_on_any_grid_come_back, ints__what_no_writer_writes_is_refused)
