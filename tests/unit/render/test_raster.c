/*
 * The rasteriser against itself at every level, and strokes by it against strokes by Cairo.
 */
#include "render/raster.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/prng.h"
#include "render/render.h"
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    W = 203,
    H = 117
};

/* What fontconfig keeps until the process ends is not ours to free. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libfontconfig\n";
}

static double random_to(sl_prng *r, double max)
{
    return (double)sl_prng_below(r, 1000000) / 1000000.0 * max;
}

/* Loops of a few corners, some far outside, over pixels of noise. */
static void draw_loops(uint64_t seed, sl_raster_level level, sl_box box, uint8_t *data)
{
    sl_prng r;
    double xy[2 * 12];
    sl_raster *raster = sl_raster_new();
    sl_raster_target to = {data, W * 4};
    sl_prng_seed(&r, seed);
    for (size_t i = 0; i < (size_t)W * H * 4; i++) {
        data[i] = (uint8_t)(i % 4 == 3 ? 255 : sl_prng_next(&r));
    }
    sl_raster_use(raster, level);
    for (int loop = 0; loop < 6; loop++) {
        size_t n = 3 + (size_t)sl_prng_below(&r, 10);
        double reach = sl_prng_below(&r, 3) == 0 ? 4000 : 300;
        for (size_t i = 0; i < 2 * n; i++) {
            xy[i] = random_to(&r, reach) - reach / 4;
        }
        ck_assert(sl_raster_begin(raster, box));
        sl_raster_loop(raster, xy, n);
        sl_raster_fill(raster, loop % 2 == 0 ? 0xFF30A0F0U : 0x60203040U, &to);
    }
    sl_raster_free(raster);
}

START_TEST(raster__every_level_gives_the_same_bytes_within_the_box)
{
    uint8_t *a = sl_mem((size_t)W * H * 4);
    uint8_t *b = sl_mem((size_t)W * H * 4);
    static const sl_box boxes[] = {{0, 0, W, H}, {17, 5, 102, 99}, {1, 1, 2, 2}, {195, 100, W, H}};
    for (uint64_t seed = 1; seed <= 200; seed++) {
        sl_box box = boxes[seed % 4];
        draw_loops(seed, SL_RASTER_PLAIN, box, a);
        for (int level = SL_RASTER_VECTORS; level <= (int)sl_raster_best(); level++) {
            draw_loops(seed, (sl_raster_level)level, box, b);
            ck_assert_mem_eq(a, b, (size_t)W * H * 4);
        }
    }
    sl_mem_free(a);
    sl_mem_free(b);
}
END_TEST

START_TEST(raster__a_part_is_what_the_whole_has_there)
{
    uint8_t *all = sl_mem((size_t)W * H * 4);
    uint8_t *part = sl_mem((size_t)W * H * 4);
    sl_box box = {40, 20, 140, 90};
    for (uint64_t seed = 1; seed <= 100; seed++) {
        draw_loops(seed, sl_raster_best(), (sl_box){0, 0, W, H}, all);
        draw_loops(seed, sl_raster_best(), box, part);
        for (int32_t y = box.y0; y < box.y1; y++) {
            size_t row = (size_t)(y * W + box.x0) * 4;
            ck_assert_mem_eq(all + row, part + row, (size_t)(box.x1 - box.x0) * 4);
        }
    }
    sl_mem_free(all);
    sl_mem_free(part);
}
END_TEST

START_TEST(raster__a_square_covers_what_it_covers)
{
    uint32_t p[16] = {0};
    sl_raster_target to = {(uint8_t *)p, 16};
    sl_raster *r = sl_raster_new();
    const double xy[] = {0.5, 1, 3, 1, 3, 2.25, 0.5, 2.25};
    ck_assert(sl_raster_begin(r, (sl_box){0, 0, 4, 4}));
    sl_raster_loop(r, xy, 4);
    sl_raster_fill(r, 0xFFFFFFFFU, &to);
    ck_assert_uint_eq(p[0], 0);
    ck_assert_uint_eq(p[4], 0x80808080U);
    ck_assert_uint_eq(p[5], 0xFFFFFFFFU);
    ck_assert_uint_eq(p[7], 0);
    ck_assert_uint_eq(p[9], 0x40404040U);
    ck_assert_uint_eq(p[12], 0);
    sl_raster_free(r);
}
END_TEST

/* A pen of n points that wanders, by a seed. */
static sl_item *wander(uint64_t seed, uint32_t n)
{
    static const char text[] = "{\"kind\":\"pen\",\"points\":[[0,0]],\"in\":0,\"out\":1000}";
    sl_json *j = sl_json_parse(text, sizeof text - 1);
    sl_item *item = NULL;
    sl_prng r;
    double x = 12000;
    double y = 9000;
    double a = 0;
    double turn = 0;
    ck_assert_int_eq(sl_item_from_json(j, &item, NULL), SL_OK);
    sl_json_free(j);
    sl_geometry_clear(&item->geo);
    item->geo.n = n;
    item->geo.points = sl_mem_array(n, sizeof *item->geo.points);
    item->geo.pressure = sl_mem(n);
    sl_prng_seed(&r, seed);
    for (uint32_t i = 0; i < n; i++) {
        turn = 0.8 * turn + random_to(&r, 0.2) - 0.1; /* as a hand does */
        a += turn;
        x += 400 * cos(a);
        y += 400 * sin(a);
        item->geo.points[i] = (sl_point){(int32_t)x, (int32_t)y};
        item->geo.pressure[i] = (uint8_t)(128 + 100 * sin(0.2 * i));
    }
    item->style.rgb = 0xFFD400;
    item->style.width = 500;
    return item;
}

START_TEST(raster__strokes_are_within_half_a_level_of_cairo_s)
{
    sl_renderer *cairo = sl_renderer_new(true);
    sl_renderer *own = sl_renderer_new(false);
    sl_scene scene = {.frame_w = 1920, .frame_h = 1080, .t_us = 5};
    double sum = 0;
    size_t covered = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        sl_item *item = wander(seed, 80);
        sl_shown shown = {item, -1};
        sl_pixels a = {sizeof a, 640, 360, 2560, sl_mem((size_t)640 * 360 * 4)};
        sl_pixels b = {sizeof b, 640, 360, 2560, sl_mem((size_t)640 * 360 * 4)};
        ck_assert_int_eq(sl_renderer_draw(cairo, &scene, &shown, 1, &a, NULL), SL_OK);
        ck_assert_int_eq(sl_renderer_draw(own, &scene, &shown, 1, &b, NULL), SL_OK);
        for (size_t i = 0; i < (size_t)640 * 360 * 4; i++) {
            sum += abs(a.data[i] - b.data[i]);
            covered += a.data[i] != 0 || b.data[i] != 0;
        }
        sl_mem_free(a.data);
        sl_mem_free(b.data);
        sl_item_free(item);
    }
    ck_assert_uint_gt(covered, 1000);
    ck_assert_msg(sum / (double)covered <= 0.5, "mean %.3f", sum / (double)covered);
    sl_renderer_free(cairo);
    sl_renderer_free(own);
    ck_assert_int_eq(sl_debug_live_objects(), 0);
}
END_TEST

SL_TEST_MAIN("raster", raster__every_level_gives_the_same_bytes_within_the_box,
             raster__a_part_is_what_the_whole_has_there, raster__a_square_covers_what_it_covers,
             raster__strokes_are_within_half_a_level_of_cairo_s)
