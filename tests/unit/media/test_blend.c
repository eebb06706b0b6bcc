/* Ink onto YUV: exact colours, transparency, borders. */
#include "media/blend.h"

#include "base/mem.h"
#include "base/prng.h"
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
    sl_film *film = sl_film_new(SIDE, SIDE);
    ck_assert_ptr_nonnull(film);
    ck_assert(sl_film_is_clear(film));
    sl_film_take(film, &ink, &box, 1, is_709);
    sl_film_blend(film, &yuv);
    sl_film_free(film);
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

START_TEST(blend__only_the_rows_of_the_box_are_touched)
{
    canvas c = filled(0xffffffffU, 50, 60, 70);
    blend(&c, (sl_box){2, 2, 4, 4}, false);
    for (int y = 0; y < SIDE; y++) {
        for (int x = 0; x < SIDE; x++) {
            bool inside = y >= 2 && y < 4;
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

enum {
    W = 202,
    H = 134
};

typedef struct frame {
    uint8_t y[W * H];
    uint8_t u[W * H / 4];
    uint8_t v[W * H / 4];
} frame;

/* Valid ink: clear, opaque and anything between, in runs. */
static void scribble(uint32_t *ink, sl_prng *r, sl_box box)
{
    for (int32_t y = box.y0; y < box.y1; y++) {
        for (int32_t x = box.x0; x < box.x1; x++) {
            uint32_t kind = (uint32_t)sl_prng_below(r, 4);
            uint32_t a = kind == 0 ? 0 : kind == 1 ? 255 : (uint32_t)sl_prng_below(r, 256);
            uint32_t v = a << 24;
            for (int k = 0; k < 24; k += 8) {
                v |= (uint32_t)sl_prng_below(r, a + 1) << k;
            }
            ink[y * W + x] = v;
        }
    }
}

static void lay(const sl_film *film, frame *f, uint64_t seed)
{
    sl_prng r;
    sl_yuv yuv = {{f->y, f->u, f->v}, {W, W / 2, W / 2}, W, H};
    sl_prng_seed(&r, seed);
    for (size_t i = 0; i < sizeof *f; i++) {
        ((uint8_t *)f)[i] = (uint8_t)sl_prng_next(&r);
    }
    sl_film_blend(film, &yuv);
}

START_TEST(blend__every_level_gives_the_same_bytes_and_a_change_those_of_all_anew)
{
    static uint32_t ink[W * H];
    static frame a;
    static frame b;
    sl_prng r;
    sl_prng_seed(&r, 5);
    sl_pixels pixels = {sizeof pixels, W, H, W * 4, (uint8_t *)ink};
    sl_film *kept = sl_film_new(W, H);
    sl_box all = {0, 0, W, H};
    for (uint64_t round = 0; round < 20; round++) {
        int32_t x = (int32_t)sl_prng_below(&r, W);
        int32_t y = (int32_t)sl_prng_below(&r, H);
        sl_box box = {x, y, x + (int32_t)sl_prng_below(&r, (uint64_t)(W - x)) + 1,
                      y + (int32_t)sl_prng_below(&r, (uint64_t)(H - y)) + 1};
        bool is_709 = true;
        scribble(ink, &r, box);
        sl_film_take(kept, &pixels, &box, 1, is_709);
        lay(kept, &a, round);
        for (int level = SL_RASTER_PLAIN; level <= (int)sl_raster_best(); level++) {
            sl_film *anew = sl_film_new(W, H);
            sl_film_use(anew, (sl_raster_level)level);
            sl_film_take(anew, &pixels, &all, 1, is_709);
            lay(anew, &b, round);
            ck_assert_mem_eq(&a, &b, sizeof a);
            sl_film_free(anew);
        }
    }
    memset(ink, 0, sizeof ink);
    ck_assert(!sl_film_is_clear(kept));
    sl_film_take(kept, &pixels, &all, 1, true);
    ck_assert(sl_film_is_clear(kept));
    sl_film_free(kept);
}
END_TEST

START_TEST(blend__a_film_without_memory_is_none)
{
    for (uint64_t k = 1; k <= 3; k++) {
        (void)sl_mem_fail_at(k, false);
        ck_assert_ptr_null(sl_film_new(64, 64));
    }
    (void)sl_mem_fail_at(0, false);
}
END_TEST

SL_TEST_MAIN("media_blend", blend__opaque_colours_are_those_of_the_standards,
             blend__no_ink_changes_nothing, blend__half_transparent_ink_lies_half_way,
             blend__only_the_rows_of_the_box_are_touched, blend__a_box_beyond_the_picture_is_cut,
             blend__one_pixel_of_four_colours_a_quarter,
             blend__every_level_gives_the_same_bytes_and_a_change_those_of_all_anew,
             blend__a_film_without_memory_is_none)
