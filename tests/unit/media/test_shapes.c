/*
 * Exports of clips that are turned, mirrored, of odd sizes, of pixels that are not square, of 10 bits,
 * of no even rate: the picture as it is to be seen, and a drawing at its place on it.
 *
 * A picture has a grey of its own in each quarter; what goes where was written down by hand.
 */
#include "clip.h"
#include "media/av.h"
#include "media/export.h"
#include "media/ladder.h"
#include "media/picture.h"
#include "support.h"

#include <stdio.h>
#include <string.h>

enum {
    RATE = 30,
    FRAMES = 10,
    LENGTH_US = 333333
};

static const char mark_id[] = "01900000-0000-7000-8000-000000000001";
static const int greys[] = {50, 100, 150,
                            200}; /* upper left, upper right, lower left, lower right */

static char g_folder[CLIP_PATH_MAX];
static char g_clip[CLIP_PATH_MAX];
static char g_out[CLIP_PATH_MAX];

static void setup(void)
{
    clip_folder(g_folder);
    clip_join(g_out, g_folder, "out.mp4");
}

static void teardown(void)
{
    clip_folder_drop(g_folder);
}

static void fill_row(uint8_t *row, int w, bool deep, int left, int right)
{
    for (int x = 0; x < w; x++) {
        int v = x >= w / 2 ? right : left;
        uint16_t wide = (uint16_t)(v * 4);
        if (deep) {
            memcpy(row + (ptrdiff_t)x * 2, &wide, 2);
        } else {
            row[x] = (uint8_t)v;
        }
    }
}

static void quarters(AVFrame *f, int number, void *user)
{
    bool deep = f->format == AV_PIX_FMT_YUV422P10;
    (void)number;
    (void)user;
    for (int p = 0; p < 3; p++) {
        int w = p == 0 ? f->width : (f->width + 1) / 2;
        int h = p == 0 || deep ? f->height : (f->height + 1) / 2;
        for (int y = 0; y < h; y++) {
            const int *pair = greys + (y >= h / 2 ? 2 : 0);
            fill_row(f->data[p] + (ptrdiff_t)y * f->linesize[p], w, deep, p == 0 ? pair[0] : 128,
                     p == 0 ? pair[1] : 128);
        }
    }
}

/* A red stroke in the middle of the lower half, of a picture as it is shown. */
static sl_item *stroke(int width, int height)
{
    char text[256];
    sl_item *item = NULL;
    int longer = width > height ? width : height;
    int y = height * 3 / 4 * SL_UNITS / longer;
    (void)snprintf(
        text, sizeof text,
        "{\"kind\":\"line\",\"points\":[[%d,%d],[%d,%d]],\"style\":{\"color\":\"#FF0000\","
        "\"opacity\":1,\"width\":1500},\"in\":0,\"out\":10000000}",
        width * 35 / 100 * SL_UNITS / longer, y, width * 65 / 100 * SL_UNITS / longer, y);
    sl_json *j = sl_json_parse(text, strlen(text));
    ck_assert_int_eq(sl_item_from_json(j, &item, NULL), SL_OK);
    sl_json_free(j);
    memcpy(item->id, mark_id, sizeof mark_id);
    return item;
}

static void add(sl_timeline *t, const char *event)
{
    sl_json *j = sl_json_parse(event, strlen(event));
    ck_assert_int_eq(sl_timeline_push_json(t, j, NULL), SL_OK);
    sl_json_free(j);
}

/* All of the clip at its own speed; with the stroke, or nothing, over it. */
static void export_clip(const sl_item *item, int64_t length_us)
{
    char show[128];
    sl_timeline *t = NULL;
    sl_export_result made;
    sl_error *err = NULL;
    (void)snprintf(show, sizeof show, "{\"t\":0,\"do\":\"show\",\"item\":\"%s\"}", mark_id);
    ck_assert_int_eq(sl_timeline_make(length_us, &t, NULL), SL_OK);
    add(t, "{\"t\":0,\"do\":\"play\"}");
    add(t, show);
    ck_assert_int_eq(sl_timeline_finish(t, length_us, NULL), SL_OK);
    sl_export_job job = {.source = {.path = g_clip},
                         .timeline = t,
                         .items = &item,
                         .items_n = item != NULL ? 1 : 0,
                         .path = g_out};
    sl_status status = sl_export(&job, &made, &err);
    ck_assert_msg(status == SL_OK, "%s", err != NULL ? sl_error_message(err) : "");
    sl_timeline_drop(t);
}

static uint32_t pixel(const sl_pixels *p, int across, int down)
{
    uint32_t v = 0;
    memcpy(&v,
           p->data + (ptrdiff_t)(p->height * down / 100) * p->stride +
               (ptrdiff_t)(p->width * across / 100) * 4,
           sizeof v);
    return v;
}

static bool is_red(uint32_t v)
{
    return (v >> 16 & 255U) > 180 && (v >> 8 & 255U) < 80 && (v & 255U) < 80;
}

/* Each quarter of what is shown has the grey of this quarter of the clip. */
static void check_quarters(const sl_pixels *p, const int wanted[4])
{
    for (int i = 0; i < 4; i++) {
        uint32_t v = pixel(p, i % 2 == 0 ? 20 : 80, i < 2 ? 20 : 90);
        int grey = (greys[wanted[i]] - 16) * 255 / 219;
        for (int k = 0; k < 3; k++) {
            int got = (int)(v >> (8 * k) & 255U);
            ck_assert_msg(got > grey - 6 && got < grey + 6, "quarter %d: %d instead of %d", i, got,
                          grey);
        }
    }
}

static void check_export(int width, int height, const int wanted[4])
{
    sl_frames *f = NULL;
    int32_t w = 0;
    int32_t h = 0;
    ck_assert_int_eq(sl_frames_open(SL_SOURCE_FILE(g_out), &f, NULL), SL_OK);
    sl_frames_size(f, &w, &h);
    ck_assert_int_eq(w, width);
    ck_assert_int_eq(h, height);
    ck_assert_int_eq(sl_frames_rotation(f), 0);
    sl_pixels p = clip_pixels(width, height);
    ck_assert_int_eq(sl_frames_pixels(f, LENGTH_US / 2, &p, NULL, NULL), SL_OK);
    check_quarters(&p, wanted);
    ck_assert(is_red(pixel(&p, 50, 75)));
    ck_assert(is_red(pixel(&p, 38, 75)));
    ck_assert(is_red(pixel(&p, 62, 75)));
    ck_assert(!is_red(pixel(&p, 25, 75)));
    ck_assert(!is_red(pixel(&p, 75, 75)));
    ck_assert(!is_red(pixel(&p, 50, 25)));
    ck_assert(!is_red(pixel(&p, 50, 66)));
    ck_assert(!is_red(pixel(&p, 50, 84)));
    clip_pixels_free(&p);
    sl_frames_close(f);
}

typedef struct shape {
    const char *encoder;
    const char *file;
    int format, width, height, wide, high, rotation;
    int shown_w, shown_h;
    int wanted[4];
} shape;

#define PLAIN "mpeg4", "clip.mp4", AV_PIX_FMT_YUV420P

static const shape shapes[] = {
    {PLAIN, 320, 192, 0, 0, 0, 320, 192, {0, 1, 2, 3}},
    {PLAIN, 320, 192, 0, 0, 90, 192, 320, {2, 0, 3, 1}},
    {PLAIN, 320, 192, 0, 0, 180, 320, 192, {3, 2, 1, 0}},
    {PLAIN, 320, 192, 0, 0, 270, 192, 320, {1, 3, 0, 2}},
    {PLAIN, 320, 192, 0, 0, SL_MIRRORED, 320, 192, {1, 0, 3, 2}},
    {PLAIN, 320, 192, 0, 0, SL_MIRRORED + 90, 192, 320, {3, 1, 2, 0}},
    {PLAIN, 320, 192, 0, 0, SL_MIRRORED + 180, 320, 192, {2, 3, 0, 1}},
    {PLAIN, 320, 192, 0, 0, SL_MIRRORED + 270, 192, 320, {0, 2, 1, 3}},
    {PLAIN, 321, 181, 0, 0, 0, 320, 180, {0, 1, 2, 3}},
    {PLAIN, 181, 321, 0, 0, 90, 320, 180, {2, 0, 3, 1}},
    {PLAIN, 180, 144, 16, 11, 0, 262, 144, {0, 1, 2, 3}},
    {PLAIN, 180, 144, 16, 11, 90, 144, 262, {2, 0, 3, 1}},
    {"prores_ks", "clip.mov", AV_PIX_FMT_YUV422P10, 320, 192, 0, 0, 0, 320, 192, {0, 1, 2, 3}},
    {"prores_ks", "clip.mov", AV_PIX_FMT_YUV422P10, 320, 192, 0, 0, 90, 192, 320, {2, 0, 3, 1}}};

enum {
    SHAPES = sizeof shapes / sizeof shapes[0]
};

static void make(const shape *s)
{
    clip_recipe r = {.encoder = s->encoder,
                     .format = s->format,
                     .width = s->width,
                     .height = s->height,
                     .wide = s->wide,
                     .high = s->high,
                     .rate = RATE,
                     .frames = FRAMES,
                     .rotation = s->rotation,
                     .paint = quarters};
    clip_join(g_clip, g_folder, s->file);
    ck_assert(clip_encode(&r, g_clip));
}

START_TEST(shapes__an_export_is_upright_square_and_drawn_on_where_it_was_meant)
{
    const shape *s = &shapes[_i];
    make(s);
    sl_item *item = stroke(s->shown_w, s->shown_h);
    export_clip(item, LENGTH_US);
    check_export(s->shown_w, s->shown_h, s->wanted);
    sl_item_free(item);
}
END_TEST

/* Rungs keep the clip's orientation and say it. */
START_TEST(shapes__a_rung_is_shown_as_the_clip_is)
{
    const shape *s = &shapes[_i];
    sl_ladder ladder;
    sl_cmaf_index index[SL_LADDER_RUNGS];
    sl_frames *f = NULL;
    make(s);
    ck_assert_int_eq(sl_ladder_plan(g_clip, &ladder, NULL), SL_OK);
    sl_ladder_job job = {.path = g_clip, .ladder = &ladder, .to = {g_out}};
    ck_assert_int_eq(sl_ladder_encode(&job, index, NULL), SL_OK);
    sl_cmaf_index_free(&index[0]);
    ck_assert_int_eq(sl_frames_open(SL_SOURCE_FILE(g_out), &f, NULL), SL_OK);
    ck_assert_int_eq(sl_frames_rotation(f), s->rotation);
    sl_pixels p = clip_pixels(s->shown_w, s->shown_h);
    ck_assert_int_eq(sl_frames_pixels(f, 0, &p, NULL, NULL), SL_OK);
    check_quarters(&p, s->wanted);
    clip_pixels_free(&p);
    sl_frames_close(f);
}
END_TEST

static void numbered(AVFrame *f, int number, void *user)
{
    (void)user;
    sl_picture_clear(f);
    for (int y = 0; y < f->height; y++) {
        for (int x = 0; x < f->width; x++) {
            int bit = CLIP_BITS - 1 - x * CLIP_BITS / f->width;
            f->data[0][(ptrdiff_t)y * f->linesize[0] + x] = (number >> bit & 1) != 0 ? 210 : 40;
        }
    }
}

/* Frames that come as a phone in the dark has them: each is shown from its time to the next one's. */
START_TEST(shapes__of_a_clip_without_an_even_rate_each_picture_is_the_one_shown_then)
{
    static const int at[] = {0, 1, 2, 5, 6, 10, 11, 12, 16, 20, 21, 25, 26, 27, 29};
    enum {
        N = sizeof at / sizeof at[0]
    };
    sl_frames *f = NULL;
    clip_recipe r = {.encoder = "mpeg4",
                     .format = AV_PIX_FMT_YUV420P,
                     .width = CLIP_WIDTH,
                     .height = CLIP_HEIGHT,
                     .rate = RATE,
                     .frames = N,
                     .at = at,
                     .paint = numbered};
    int32_t num = 0;
    int32_t den = 0;
    clip_join(g_clip, g_folder, "clip.mp4");
    ck_assert(clip_encode(&r, g_clip));
    export_clip(NULL, 1000000);
    ck_assert_int_eq(sl_frames_open(SL_SOURCE_FILE(g_out), &f, NULL), SL_OK);
    sl_frames_rate(f, &num, &den);
    sl_pixels p = clip_pixels(CLIP_WIDTH, CLIP_HEIGHT);
    int shown = 0;
    for (int64_t k = 0; k * den < num; k++) { /* one second */
        int64_t t_us = (k * den * 1000000 + num - 1) / num;
        int wanted = 0;
        while (wanted + 1 < N && (int64_t)at[wanted + 1] * 1000000 / RATE <= t_us) {
            wanted++;
        }
        ck_assert_int_eq(sl_frames_pixels(f, t_us, &p, NULL, NULL), SL_OK);
        ck_assert_int_eq(clip_number(&p), wanted);
        shown++;
    }
    ck_assert_int_ge(shown, 20);
    clip_pixels_free(&p);
    sl_frames_close(f);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("media shapes");
    TCase *tcase = tcase_create("shapes");
    tcase_set_timeout(tcase, SL_TEST_TIMEOUT_S);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, shapes__an_export_is_upright_square_and_drawn_on_where_it_was_meant,
                        0, SHAPES);
    tcase_add_loop_test(tcase, shapes__a_rung_is_shown_as_the_clip_is, 0, 8);
    tcase_add_test(tcase,
                   shapes__of_a_clip_without_an_even_rate_each_picture_is_the_one_shown_then);
    suite_add_tcase(suite, tcase);
    return sl_test_run(suite);
}
