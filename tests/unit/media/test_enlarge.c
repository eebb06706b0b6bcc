/* A still made larger: as straight lines between its pixels say, and nothing beyond. */
#include "media/enlarge.h"

#include "base/mem.h"
#include "base/prng.h"
#include "support.h"

#include <math.h>
#include <string.h>

enum {
    GUARD = 0xA5
};

/* The channel of a picture at a place, by its definition. */
static double wanted(const uint8_t *p, int w, int h, double x, double y, int channel)
{
    x = fmin(fmax(x, 0), w - 1);
    y = fmin(fmax(y, 0), h - 1);
    int x0 = (int)x;
    int y0 = (int)y;
    int x1 = x0 + 1 < w ? x0 + 1 : x0;
    int y1 = y0 + 1 < h ? y0 + 1 : y0;
    double a =
        p[(y0 * w + x0) * 4 + channel] * (1 - (x - x0)) + p[(y0 * w + x1) * 4 + channel] * (x - x0);
    double b =
        p[(y1 * w + x0) * 4 + channel] * (1 - (x - x0)) + p[(y1 * w + x1) * 4 + channel] * (x - x0);
    return a * (1 - (y - y0)) + b * (y - y0);
}

static void check_size(sl_enlarge *e, int w, int h, int to_w, int to_h)
{
    size_t stride = (size_t)to_w * 4 + 12;
    uint8_t *from = sl_mem((size_t)(w * h) * 4);
    uint8_t *to = sl_mem(stride * (size_t)to_h);
    sl_pixels into = {sizeof into, to_w, to_h, (int32_t)stride, to};
    sl_prng random;
    sl_prng_seed(&random, (uint64_t)(w * 1000 + to_w));
    for (int i = 0; i < w * h * 4; i++) {
        from[i] = (uint8_t)sl_prng_below(&random, 256);
    }
    memset(to, GUARD, stride * (size_t)to_h);
    ck_assert_int_eq(sl_enlarge_into(e, from, (ptrdiff_t)w * 4, w, h, &into, NULL), SL_OK);
    for (int y = 0; y < to_h; y++) {
        const uint8_t *row = to + (size_t)y * stride;
        for (int x = 0; x < to_w * 4; x++) {
            double want = wanted(from, w, h, (x / 4 + 0.5) * w / to_w - 0.5,
                                 (y + 0.5) * h / to_h - 0.5, x % 4);
            ck_assert_double_le(fabs(row[x] - want), 5.0); /* parts are 128ths, twice */
        }
        for (size_t x = (size_t)to_w * 4; x < stride; x++) {
            ck_assert_uint_eq(row[x], GUARD);
        }
    }
    sl_mem_free(from);
    sl_mem_free(to);
}

START_TEST(enlarge__pixels_lie_on_straight_lines_and_nothing_beyond_is_touched)
{
    static const int sizes[][4] = {{1, 1, 1, 1},    {1, 1, 5, 3},    {7, 5, 7, 5},     {7, 5, 8, 5},
                                   {16, 9, 48, 27}, {16, 9, 47, 31}, {3, 40, 1000, 41}};
    sl_enlarge e = {0};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        check_size(&e, sizes[i][0], sizes[i][1], sizes[i][2], sizes[i][3]);
    }
    sl_enlarge_free(&e);
}
END_TEST

START_TEST(enlarge__one_colour_stays_exactly_what_it_is)
{
    uint32_t from[12];
    uint32_t to[70];
    sl_pixels into = {sizeof into, 10, 7, 40, (uint8_t *)to};
    sl_enlarge e = {0};
    for (uint32_t colour = 0; colour < 256; colour += 51) {
        for (int i = 0; i < 12; i++) {
            from[i] = 0xFF000000U | colour * 0x010101U;
        }
        ck_assert_int_eq(sl_enlarge_into(&e, (const uint8_t *)from, 16, 4, 3, &into, NULL), SL_OK);
        for (int i = 0; i < 70; i++) {
            ck_assert_uint_eq(to[i], from[0]);
        }
    }
    sl_enlarge_free(&e);
}
END_TEST

START_TEST(enlarge__running_out_of_memory_is_only_an_error)
{
    uint32_t from[4] = {1, 2, 3, 4};
    uint32_t to[16];
    sl_pixels into = {sizeof into, 4, 4, 16, (uint8_t *)to};
    sl_enlarge e = {0};
    (void)sl_mem_fail_at(1, false);
    ck_assert_int_eq(sl_enlarge_into(&e, (const uint8_t *)from, 8, 2, 2, &into, NULL), SL_E_NOMEM);
    (void)sl_mem_fail_at(0, false);
    ck_assert_int_eq(sl_enlarge_into(&e, (const uint8_t *)from, 8, 2, 2, &into, NULL), SL_OK);
    sl_enlarge_free(&e);
}
END_TEST

SL_TEST_MAIN("media_enlarge", enlarge__pixels_lie_on_straight_lines_and_nothing_beyond_is_touched,
             enlarge__one_colour_stays_exactly_what_it_is,
             enlarge__running_out_of_memory_is_only_an_error)
