#include "make.h"

#include "annotation/codec.h"
#include "annotation/tool.h"
#include "base/prng.h"

#include <math.h>

static bool coin(sl_prng *r)
{
    return sl_prng_below(r, 2) == 0;
}

static void random_points(sl_prng *r, sl_geometry *geo)
{
    /* Some far apart, some a hand's steps. */
    uint64_t reach = coin(r) ? 2 * SL_COORD_MAX : 200;
    for (uint32_t i = 0; i < geo->n; i++) {
        int64_t x = (int64_t)sl_prng_below(r, reach + 1) - (int64_t)(reach / 2);
        int64_t y = (int64_t)sl_prng_below(r, reach + 1) - (int64_t)(reach / 2);
        geo->points[i].x = (int32_t)x + (reach == 200 ? (int32_t)i : 0);
        geo->points[i].y = (int32_t)y;
    }
}

static void random_geometry(sl_prng *r, sl_geometry *geo)
{
    memset(geo, 0, sizeof *geo);
    geo->kind = (sl_kind)sl_prng_below(r, SL_KIND_COUNT);
    const sl_tool *tool = sl_tool_of(geo->kind);
    uint32_t spread = tool->points_max - tool->points_min + 1;
    geo->n = tool->points_min + (uint32_t)sl_prng_below(r, spread < 200 ? spread : 200);
    geo->points = sl_mem_array(geo->n, sizeof *geo->points);
    random_points(r, geo);
    if ((tool->may & SL_HAS_PRESSURE) != 0 && coin(r)) {
        geo->pressure = sl_mem(geo->n);
        for (uint32_t i = 0; i < geo->n; i++) {
            geo->pressure[i] = (uint8_t)sl_prng_below(r, 256);
        }
    }
    if ((tool->must & SL_HAS_DT) != 0 || ((tool->may & SL_HAS_DT) != 0 && coin(r))) {
        geo->dt_ms = sl_mem_array(geo->n, sizeof *geo->dt_ms);
        for (uint32_t i = 1; i < geo->n; i++) {
            geo->dt_ms[i] = geo->dt_ms[i - 1] + (uint32_t)sl_prng_below(r, 1000);
        }
    }
    if ((tool->may & SL_HAS_TILT) != 0 && coin(r)) {
        geo->tilt = sl_mem(geo->n);
        for (uint32_t i = 0; i < geo->n; i++) {
            geo->tilt[i] = (uint8_t)sl_prng_below(r, SL_TILT_MAX + 1);
        }
    }
    if (geo->kind == SL_KIND_STAMP) {
        geo->text = sl_text_dup("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff");
    } else if ((tool->must & SL_HAS_TEXT) != 0 || ((tool->may & SL_HAS_TEXT) != 0 && coin(r))) {
        geo->text = sl_text_dup("Knie \xC3\xBC"
                                "ber Fu\xC3\x9F");
    }
    if (sl_prng_below(r, 8) == 0) {
        static const uint8_t later[] = {3, 0, 9, 4, 'n', 'e', 'w', 's', 0x90, 1, 1, 7};
        geo->unknown = sl_mem(sizeof later);
        memcpy(geo->unknown, later, sizeof later);
        geo->unknown_n = sizeof later;
    }
}

static bool same(const sl_geometry *a, const sl_geometry *b)
{
    return a->kind == b->kind && a->n == b->n &&
           memcmp(a->points, b->points, a->n * sizeof *a->points) == 0 &&
           (a->pressure == NULL) == (b->pressure == NULL) &&
           (a->pressure == NULL || memcmp(a->pressure, b->pressure, a->n) == 0) &&
           (a->dt_ms == NULL) == (b->dt_ms == NULL) &&
           (a->dt_ms == NULL || memcmp(a->dt_ms, b->dt_ms, a->n * sizeof *a->dt_ms) == 0) &&
           (a->tilt == NULL) == (b->tilt == NULL) &&
           (a->tilt == NULL || memcmp(a->tilt, b->tilt, a->n) == 0) &&
           a->unknown_n == b->unknown_n &&
           (a->unknown_n == 0 || memcmp(a->unknown, b->unknown, a->unknown_n) == 0) &&
           (a->text == NULL) == (b->text == NULL) &&
           (a->text == NULL || strcmp(a->text, b->text) == 0);
}

START_TEST(codec__any_geometry_comes_back_and_ends_where_it_says)
{
    sl_prng r;
    sl_prng_seed(&r, 1);
    for (int round = 0; round < 300; round++) {
        sl_geometry a;
        random_geometry(&r, &a);
        sl_buf bytes = {0};
        sl_geometry_encode(&bytes, &a);
        size_t len = bytes.len;
        sl_buf_str(&bytes, "more");
        sl_geometry b;
        size_t used = 0;
        ck_assert_int_eq(sl_geometry_decode(bytes.data, bytes.len, &used, &b, NULL), SL_OK);
        ck_assert_uint_eq(used, len);
        ck_assert(same(&a, &b));
        sl_geometry_clear(&b);
        ck_assert_int_eq(sl_geometry_decode(bytes.data, bytes.len, NULL, &b, NULL), SL_E_INVALID);
        ck_assert_int_eq(sl_geometry_decode(bytes.data, len - 1, NULL, &b, NULL), SL_E_INVALID);
        sl_buf_free(&bytes);
        sl_geometry_clear(&a);
    }
}
END_TEST

START_TEST(codec__damaged_bytes_are_refused_or_are_another_geometry_in_its_own_bytes)
{
    sl_prng r;
    sl_prng_seed(&r, 2);
    for (int round = 0; round < 3000; round++) {
        sl_geometry a;
        random_geometry(&r, &a);
        sl_buf bytes = {0};
        sl_geometry_encode(&bytes, &a);
        for (uint64_t hits = 1 + sl_prng_below(&r, 3); hits > 0; hits--) {
            bytes.data[sl_prng_below(&r, bytes.len)] = (uint8_t)sl_prng_next(&r);
        }
        sl_geometry b;
        if (sl_geometry_decode(bytes.data, bytes.len, NULL, &b, NULL) == SL_OK) {
            sl_buf again = {0};
            sl_geometry_encode(&again, &b);
            if (bytes.data[0] != SL_GEOMETRY_UNSHARED) { /* another version's own bytes */
                ck_assert_uint_eq(again.len, bytes.len);
                ck_assert_mem_eq(again.data, bytes.data, bytes.len);
            }
            sl_buf_free(&again);
            sl_geometry_clear(&b);
        }
        sl_buf_free(&bytes);
        sl_geometry_clear(&a);
    }
    ck_assert_int_eq(sl_debug_live_objects(), 0);
}
END_TEST

START_TEST(codec__a_later_version_is_too_new_and_a_longer_spelling_is_refused)
{
    static const uint8_t line[] = {1, 2, 0, 2, 0, 2, 0, 2};
    static const uint8_t later[] = {4, 2, 0, 2, 0, 2, 0, 2};
    static const uint8_t longer[] = {1, 2, 0, 0x82, 0, 0, 2, 0, 2};
    static const uint8_t many[] = {1, 0, 0, 0xFF, 0xFF, 3, 0, 0};
    sl_geometry geo;
    ck_assert_int_eq(sl_geometry_decode(line, sizeof line, NULL, &geo, NULL), SL_OK);
    ck_assert_int_eq(geo.points[1].x, 1);
    sl_geometry_clear(&geo);
    ck_assert_int_eq(sl_geometry_decode(later, sizeof later, NULL, &geo, NULL), SL_E_TOO_NEW);
    ck_assert_int_eq(sl_geometry_decode(longer, sizeof longer, NULL, &geo, NULL), SL_E_INVALID);
    ck_assert_int_eq(sl_geometry_decode(many, sizeof many, NULL, &geo, NULL), SL_E_INVALID);
    ck_assert_int_eq(sl_geometry_decode(line, 0, NULL, &geo, NULL), SL_E_INVALID);
}
END_TEST

/* A hand's loop sampled at 120 Hz, with pressure and noise of a sixth of a pixel. */
static void hand(sl_geometry *geo, uint32_t n, uint32_t noise)
{
    sl_prng r;
    sl_prng_seed(&r, 5);
    memset(geo, 0, sizeof *geo);
    geo->n = n;
    geo->points = sl_mem_array(n, sizeof *geo->points);
    geo->pressure = sl_mem(n);
    geo->dt_ms = sl_mem_array(n, sizeof *geo->dt_ms);
    for (uint32_t i = 0; i < n; i++) {
        double a = i * 0.02;
        geo->points[i].x = (int32_t)(16000 + 6000 * cos(a) + 900 * sin(3.1 * a));
        geo->points[i].y = (int32_t)(9000 + 4000 * sin(a * 1.3));
        geo->points[i].x += (int32_t)sl_prng_below(&r, noise + 1);
        geo->points[i].y += (int32_t)sl_prng_below(&r, noise + 1);
        geo->pressure[i] = (uint8_t)(128 + 90 * sin(a * 2));
        geo->dt_ms[i] = i * 1000 / 120;
    }
}

START_TEST(codec__a_hand_drawn_point_costs_less_than_two_and_a_half_bytes)
{
    sl_geometry geo;
    hand(&geo, 1000, 5);
    sl_buf bytes = {0};
    sl_geometry_encode(&bytes, &geo);
    ck_assert_double_lt((double)bytes.len / geo.n, 2.5);
    sl_geometry back;
    ck_assert_int_eq(sl_geometry_decode(bytes.data, bytes.len, NULL, &back, NULL), SL_OK);
    ck_assert(same(&geo, &back));
    sl_buf_free(&bytes);
    sl_geometry_clear(&back);
    sl_geometry_clear(&geo);
}
END_TEST

START_TEST(codec__the_plain_bytes_of_before_are_read_at_any_length)
{
    sl_geometry geo;
    hand(&geo, 300, 5);
    sl_buf bytes = {0};
    static const uint8_t head[] = {1, 0, 0, 0xAC, 2}; /* a pen of 300 points */
    sl_buf_put(&bytes, head, sizeof head);
    for (int axis = 0; axis < 2; axis++) {
        int64_t last = 0;
        int64_t before = 0;
        for (uint32_t i = 0; i < geo.n; i++) {
            int64_t v = axis == 0 ? geo.points[i].x : geo.points[i].y;
            sl_buf_zigzag(&bytes, v - (i < 2 ? last : 2 * last - before));
            before = last;
            last = v;
        }
    }
    sl_geometry back;
    ck_assert_int_eq(sl_geometry_decode(bytes.data, bytes.len, NULL, &back, NULL), SL_OK);
    ck_assert_mem_eq(back.points, geo.points, geo.n * sizeof *geo.points);
    ck_assert_ptr_null(back.pressure);
    sl_buf again = {0};
    sl_geometry_encode(&again, &back);
    ck_assert_uint_eq(again.data[0], SL_GEOMETRY_VERSION);
    ck_assert_uint_lt(again.len, bytes.len);
    sl_buf_free(&again);
    sl_buf_free(&bytes);
    sl_geometry_clear(&back);
    sl_geometry_clear(&geo);
}
END_TEST

START_TEST(codec__bytes_of_version_2_are_read_and_only_as_version_2_wrote_them)
{
    static const uint8_t bytes[] = {0x02, 0x00, 0x0E, 0x01, 0x1B, 0x23, 0x03, 0x9A, 0x90,
                                    0x70, 0x65, 0x07, 0x34, 0xD4, 0xE6, 0xC7, 0xD8, 0x27,
                                    0x84, 0x40, 0x13, 0xE1, 0x9A, 0x97, 0x6E, 0x32, 0xFB,
                                    0x0A, 0xB2, 0x46, 0x58, 0x75, 0x00};
    sl_geometry geo;
    ck_assert_int_eq(sl_geometry_decode(bytes, sizeof bytes, NULL, &geo, NULL), SL_OK);
    ck_assert_uint_eq(geo.n, 14);
    for (int32_t i = 0; i < 14; i++) {
        ck_assert_int_eq(geo.points[i].x, 15000 + i * 130 - i * i * 3);
        ck_assert_int_eq(geo.points[i].y, 9000 - i * 40 + i * i * 7);
        ck_assert_uint_eq(geo.pressure[i], 90 + 5U * (uint32_t)i);
        ck_assert_uint_eq(geo.dt_ms[i], (uint32_t)(i * 15 + 1) / 2);
    }
    sl_buf now = {0};
    sl_geometry_encode(&now, &geo);
    ck_assert_uint_eq(now.data[0], SL_GEOMETRY_VERSION);
    sl_geometry back;
    ck_assert_int_eq(sl_geometry_decode(now.data, now.len, NULL, &back, NULL), SL_OK);
    ck_assert(same(&geo, &back));
    now.data[0] = SL_GEOMETRY_UNSHARED;
    sl_geometry none;
    ck_assert_int_eq(sl_geometry_decode(now.data, now.len, NULL, &none, NULL), SL_E_INVALID);
    sl_buf_free(&now);
    sl_geometry_clear(&back);
    sl_geometry_clear(&geo);
}
END_TEST

START_TEST(codec__points_on_a_grid_are_told_in_its_steps_and_in_no_smaller_ones)
{
    sl_geometry geo;
    hand(&geo, 200, 5);
    sl_buf fine = {0};
    sl_geometry_encode(&fine, &geo);
    for (uint32_t i = 0; i < geo.n; i++) {
        geo.points[i].x = geo.points[i].x / 5 * 5;
        geo.points[i].y = geo.points[i].y / 5 * 5;
        geo.pressure[i] = (uint8_t)(geo.pressure[i] / 15 * 15);
    }
    sl_buf coarse = {0};
    sl_geometry_encode(&coarse, &geo);
    ck_assert_uint_lt(coarse.len + 100, fine.len);
    ck_assert_uint_eq(coarse.data[8], 5);
    ck_assert_uint_eq(coarse.data[9], 15);
    sl_geometry back;
    ck_assert_int_eq(sl_geometry_decode(coarse.data, coarse.len, NULL, &back, NULL), SL_OK);
    ck_assert(same(&geo, &back));
    for (int step = 0; step < 256; step++) { /* other steps tell other places, or are refused */
        sl_geometry other;
        coarse.data[8] = (uint8_t)step;
        if (step != 5 && sl_geometry_decode(coarse.data, coarse.len, NULL, &other, NULL) == SL_OK) {
            ck_assert_int_eq(other.points[0].x, geo.points[0].x / 5 * step);
            sl_geometry_clear(&other);
        }
    }
    sl_buf_free(&fine);
    sl_buf_free(&coarse);
    sl_geometry_clear(&back);
    sl_geometry_clear(&geo);
}
END_TEST

SL_TEST_MAIN("annotation_codec", codec__any_geometry_comes_back_and_ends_where_it_says,
             codec__damaged_bytes_are_refused_or_are_another_geometry_in_its_own_bytes,
             codec__a_later_version_is_too_new_and_a_longer_spelling_is_refused,
             codec__a_hand_drawn_point_costs_less_than_two_and_a_half_bytes,
             codec__the_plain_bytes_of_before_are_read_at_any_length,
             codec__bytes_of_version_2_are_read_and_only_as_version_2_wrote_them,
             codec__points_on_a_grid_are_told_in_its_steps_and_in_no_smaller_ones)
