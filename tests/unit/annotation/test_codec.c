#include "make.h"

#include "annotation/codec.h"
#include "base/prng.h"

static void random_geometry(sl_prng *r, sl_geometry *geo)
{
    memset(geo, 0, sizeof *geo);
    geo->kind = (sl_kind)sl_prng_below(r, SL_KIND_COUNT);
    static const uint32_t counts[] = {0, 2, 2, 2, 2, 3, 1};
    geo->n = geo->kind == SL_KIND_PEN ? (uint32_t)sl_prng_below(r, 200) + 1 : counts[geo->kind];
    geo->points = sl_mem_array(geo->n, sizeof *geo->points);
    for (uint32_t i = 0; i < geo->n; i++) {
        geo->points[i].x = (int32_t)sl_prng_below(r, 2 * SL_COORD_MAX + 1) - SL_COORD_MAX;
        geo->points[i].y = (int32_t)sl_prng_below(r, 2 * SL_COORD_MAX + 1) - SL_COORD_MAX;
    }
    if (geo->kind == SL_KIND_PEN && sl_prng_below(r, 2) == 0) {
        geo->pressure = sl_mem(geo->n);
        for (uint32_t i = 0; i < geo->n; i++) {
            geo->pressure[i] = (uint8_t)sl_prng_below(r, 256);
        }
    }
    if (geo->kind == SL_KIND_PEN && sl_prng_below(r, 2) == 0) {
        geo->dt_ms = sl_mem_array(geo->n, sizeof *geo->dt_ms);
        for (uint32_t i = 1; i < geo->n; i++) {
            geo->dt_ms[i] = geo->dt_ms[i - 1] + (uint32_t)sl_prng_below(r, 1000);
        }
    }
    geo->text = geo->kind == SL_KIND_TEXT ? sl_text_dup("Knie \xC3\xBC"
                                                        "ber Fu\xC3\x9F")
                                          : NULL;
}

static bool same(const sl_geometry *a, const sl_geometry *b)
{
    return a->kind == b->kind && a->n == b->n &&
           memcmp(a->points, b->points, a->n * sizeof *a->points) == 0 &&
           (a->pressure == NULL) == (b->pressure == NULL) &&
           (a->pressure == NULL || memcmp(a->pressure, b->pressure, a->n) == 0) &&
           (a->dt_ms == NULL) == (b->dt_ms == NULL) &&
           (a->dt_ms == NULL || memcmp(a->dt_ms, b->dt_ms, a->n * sizeof *a->dt_ms) == 0) &&
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
            ck_assert_uint_eq(again.len, bytes.len);
            ck_assert_mem_eq(again.data, bytes.data, bytes.len);
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
    static const uint8_t later[] = {2, 2, 0, 2, 0, 2, 0, 2};
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

START_TEST(codec__an_even_movement_costs_about_two_bytes_a_point)
{
    sl_geometry geo = {SL_KIND_PEN, 1000, NULL, NULL, NULL, NULL};
    geo.points = sl_mem_array(geo.n, sizeof *geo.points);
    for (uint32_t i = 0; i < geo.n; i++) {
        geo.points[i].x = (int32_t)(20 * i);
        geo.points[i].y = (int32_t)(5 * i);
    }
    sl_buf bytes = {0};
    sl_geometry_encode(&bytes, &geo);
    ck_assert_uint_lt(bytes.len, 2 * geo.n + 16);
    sl_buf_free(&bytes);
    sl_geometry_clear(&geo);
}
END_TEST

SL_TEST_MAIN("annotation_codec", codec__any_geometry_comes_back_and_ends_where_it_says,
             codec__damaged_bytes_are_refused_or_are_another_geometry_in_its_own_bytes,
             codec__a_later_version_is_too_new_and_a_longer_spelling_is_refused,
             codec__an_even_movement_costs_about_two_bytes_a_point)
