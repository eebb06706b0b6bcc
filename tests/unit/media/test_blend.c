/* Ink onto YUV: exact colours, transparency, borders. */
#include "media/blend.h"

#include "support.h"

#include <string.h>

enum {
    SIDE = 6
};

typedef struct canvas {
    uint32_t ink[SIDE * SIDE];
    uint8_t y[SIDE * SIDE];
    uint8_t u[SIDE * SIDE / 4];
    uint8_t v[SIDE * SIDE / 4];
} canvas;

static const sl_box everything = {0, 0, SIDE, SIDE};

static canvas filled(uint32_t argb, uint8_t y, uint8_t u, uint8_t v)
{
    canvas c;
    for (int i = 0; i < SIDE * SIDE; i++) {
        c.ink[i] = argb;
    }
    memset(c.y, y, sizeof c.y);
    memset(c.u, u, sizeof c.u);
    memset(c.v, v, sizeof c.v);
    return c;
}

static void blend(canvas *c, sl_box box, bool is_709)
{
    sl_pixels ink = {.struct_size = sizeof ink,
                     .width = SIDE,
                     .height = SIDE,
                     .stride = SIDE * 4,
                     .data = (uint8_t *)c->ink};
    sl_yuv yuv = {.plane = {c->y, c->u, c->v},
                  .stride = {SIDE, SIDE / 2, SIDE / 2},
                  .width = SIDE,
                  .height = SIDE};
    sl_blend(&ink, box, is_709, &yuv);
}

START_TEST(blend__opaque_colours_are_those_of_the_standards)
{
    static const struct {
        uint32_t argb;
        bool is_709;
        int y, u, v;
    } cases[] = {{0xffffffffU, false, 235, 128, 128}, {0xff000000U, false, 16, 128, 128},
                 {0xffffffffU, true, 235, 128, 128},  {0xff000000U, true, 16, 128, 128},
                 {0xffff0000U, false, 81, 90, 240},   {0xff00ff00U, false, 145, 54, 34},
                 {0xff0000ffU, false, 41, 240, 110},  {0xffff0000U, true, 63, 102, 240},
                 {0xff00ff00U, true, 173, 42, 26},    {0xff0000ffU, true, 32, 240, 118}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        canvas c = filled(cases[i].argb, 77, 33, 200);
        blend(&c, everything, cases[i].is_709);
        ck_assert_int_le(abs(c.y[7] - cases[i].y), 1);
        ck_assert_int_le(abs(c.u[4] - cases[i].u), 1);
        ck_assert_int_le(abs(c.v[4] - cases[i].v), 1);
    }
}
END_TEST

START_TEST(blend__no_ink_changes_nothing)
{
    canvas c = filled(0, 77, 33, 200);
    canvas before = c;
    blend(&c, everything, true);
    ck_assert_mem_eq(&c, &before, sizeof c);
}
END_TEST

/* Half transparent black darkens towards 16, half transparent white lightens towards 235. */
START_TEST(blend__half_transparent_ink_lies_half_way)
{
    canvas c = filled(0x80000000U, 100, 60, 180);
    blend(&c, everything, false);
    ck_assert_int_le(abs(c.y[0] - 58), 1);
    ck_assert_int_le(abs(c.u[0] - 94), 1);
    ck_assert_int_le(abs(c.v[0] - 154), 1);
    c = filled(0x80808080U, 100, 128, 128);
    blend(&c, everything, false);
    ck_assert_int_le(abs(c.y[0] - 168), 1);
    ck_assert_int_eq(c.u[0], 128);
}
END_TEST

START_TEST(blend__only_the_box_is_touched)
{
    canvas c = filled(0xffffffffU, 50, 60, 70);
    blend(&c, (sl_box){2, 2, 4, 4}, false);
    for (int y = 0; y < SIDE; y++) {
        for (int x = 0; x < SIDE; x++) {
            bool inside = x >= 2 && x < 4 && y >= 2 && y < 4;
            ck_assert_int_eq(c.y[y * SIDE + x], inside ? 235 : 50);
            ck_assert_int_eq(c.u[y / 2 * (SIDE / 2) + x / 2], inside ? 128 : 60);
        }
    }
}
END_TEST

START_TEST(blend__a_box_beyond_the_picture_is_cut)
{
    canvas c = filled(0xff000000U, 50, 60, 70);
    blend(&c, (sl_box){-100, -3, 1000, 99}, false);
    for (int i = 0; i < SIDE * SIDE; i++) {
        ck_assert_int_eq(c.y[i], 16);
    }
}
END_TEST

START_TEST(blend__one_pixel_of_four_colours_a_quarter)
{
    canvas c = filled(0, 50, 128, 128);
    c.ink[0] = 0xffff0000U;
    blend(&c, everything, false);
    ck_assert_int_le(abs(c.y[0] - 81), 1);
    ck_assert_int_eq(c.y[1], 50);
    ck_assert_int_le(abs(c.v[0] - 156), 1); /* 128 + (240 - 128) / 4 */
    ck_assert_int_eq(c.v[1], 128);
}
END_TEST

SL_TEST_MAIN("media_blend", blend__opaque_colours_are_those_of_the_standards,
             blend__no_ink_changes_nothing, blend__half_transparent_ink_lies_half_way,
             blend__only_the_box_is_touched, blend__a_box_beyond_the_picture_is_cut,
             blend__one_pixel_of_four_colours_a_quarter)
