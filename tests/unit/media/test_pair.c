/* What an export makes of two videos, and of slow motion; what lies between two pictures. */
#include "base/mem.h"
#include "clip.h"
#include "media/between.h"
#include "media/export.h"
#include "media/picture.h"
#include "support.h"

#include <math.h>
#include <string.h>

#define SECOND_ID "01900000-0000-7000-8000-00000000000a"
#define NOBODY_ID "01900000-0000-7000-8000-00000000000b"

static char dir[CLIP_PATH_MAX];
static char first[CLIP_PATH_MAX];
static char second[CLIP_PATH_MAX];
static char out[CLIP_PATH_MAX];
static sl_timeline *timeline;

static void set_up(void)
{
    clip_folder(dir);
    clip_join(first, dir, "first.mp4");
    clip_join(second, dir, "second.mp4");
    clip_join(out, dir, "out.mp4");
    clip_make(first, 60, 30, true);
    clip_make(second, 100, 25, false);
    ck_assert_int_eq(sl_timeline_make(2000000, &timeline, NULL), SL_OK);
}

static void tear_down(void)
{
    sl_timeline_drop(timeline);
    clip_folder_drop(dir);
}

static void add(const char *event)
{
    sl_json *j = sl_json_parse(event, strlen(event));
    ck_assert_ptr_nonnull(j);
    ck_assert_int_eq(sl_timeline_push_json(timeline, j, NULL), SL_OK);
    sl_json_free(j);
}

static sl_export_result export(sl_slow slow)
{
    sl_export_second with = {.video = SECOND_ID, .source = {.path = second}};
    sl_export_job job = {.source = {.path = first},
                         .seconds = &with,
                         .seconds_n = 1,
                         .slow = slow,
                         .timeline = timeline,
                         .path = out};
    sl_export_result made;
    sl_error *err = NULL;
    sl_status status = sl_export(&job, &made, &err);
    ck_assert_msg(status == SL_OK, "%s", err != NULL ? sl_error_message(err) : "no reason");
    return made;
}

static int green_at(const sl_pixels *p, int32_t x, int32_t y)
{
    return p->data[(ptrdiff_t)y * p->stride + 4 * (ptrdiff_t)x + 1];
}

/* The number of the small picture at a place of the movie. */
static int number_in(const sl_pixels *p, int32_t x, int32_t y, int32_t w, int32_t h)
{
    int number = 0;
    for (int i = 0; i < CLIP_BITS; i++) {
        int32_t column = x + (2 * i + 1) * w / (2 * CLIP_BITS);
        number = number * 2 + (green_at(p, column, y + h / 4) > 128 ? 1 : 0);
    }
    return number;
}

/* Frame k of the movie, whose clip plays at 1x from its beginning. */
static void check_both(const sl_pixels *p, int k, bool side)
{
    int64_t position_us = (int64_t)k * 1000000 / 30;
    int64_t second_us = 2000000 + (position_us - 1000000) / 2;
    int two = (int)((second_us + 20) * 25 / 1000000);
    int32_t w = 160;
    int32_t h = 96;
    int32_t x = side ? 0 : 80;
    int32_t y = side ? 48 : 0;
    ck_assert_int_eq(number_in(p, x, y, w, h), k);
    ck_assert_int_eq(number_in(p, side ? 160 : 80, side ? 48 : 96, w, h), two);
    /* Each keeps its shape: what is left over is black. */
    ck_assert_int_lt(green_at(p, side ? 80 : 20, side ? 20 : 48), 20);
    ck_assert_int_lt(green_at(p, side ? 240 : 300, side ? 170 : 144), 20);
}

static void check_halves(const char *event, bool side)
{
    set_up();
    add("{\"t\":0,\"do\":\"play\"}");
    add(event);
    ck_assert_int_eq(sl_timeline_finish(timeline, 2000000, NULL), SL_OK);
    sl_export_result made = export(SL_SLOW_REPEAT);
    ck_assert_int_eq(made.frames, 60);
    ck_assert_int_eq(made.copied, 0);
    sl_frames *f = NULL;
    sl_pixels p = clip_pixels(CLIP_WIDTH, CLIP_HEIGHT);
    ck_assert_int_eq(sl_frames_open(SL_SOURCE_FILE(out), &f, NULL), SL_OK);
    for (int k = 0; k < 60; k += 7) {
        int64_t t_us = (int64_t)k * 1000000 / 30 + 1;
        ck_assert_int_eq(sl_frames_pixels(f, t_us, &p, NULL, NULL), SL_OK);
        check_both(&p, k, side);
    }
    clip_pixels_free(&p);
    sl_frames_close(f);
    tear_down();
}

START_TEST(pair__the_second_is_beside_or_below_at_the_marked_moment)
{
    check_halves("{\"t\":0,\"do\":\"pair\",\"layout\":\"side\",\"video\":\"" SECOND_ID
                 "\",\"mark\":[1000000,2000000],\"length\":4000000,\"rate\":0.5}",
                 true);
    check_halves("{\"t\":0,\"do\":\"pair\",\"layout\":\"stack\",\"video\":\"" SECOND_ID
                 "\",\"mark\":[1000000,2000000],\"length\":4000000,\"rate\":0.5}",
                 false);
}
END_TEST

/* Both stand at a frame: 30 of the first (00011110), 50 of the second (00110010). */
START_TEST(pair__the_second_lies_over_the_first_as_opaque_as_said_until_it_goes)
{
    set_up();
    add("{\"t\":0,\"do\":\"seek\",\"to\":1000000}");
    add("{\"t\":0,\"do\":\"pair\",\"layout\":\"over\",\"video\":\"" SECOND_ID
        "\",\"mark\":[1000000,2000000],\"length\":4000000,\"opacity\":0.25}");
    add("{\"t\":500000,\"do\":\"pair\",\"layout\":\"single\"}");
    ck_assert_int_eq(sl_timeline_finish(timeline, 1000000, NULL), SL_OK);
    (void)export(SL_SLOW_REPEAT);
    sl_frames *f = NULL;
    sl_pixels p = clip_pixels(CLIP_WIDTH, CLIP_HEIGHT);
    ck_assert_int_eq(sl_frames_open(SL_SOURCE_FILE(out), &f, NULL), SL_OK);
    ck_assert_int_eq(sl_frames_pixels(f, 250000, &p, NULL, NULL), SL_OK);
    /* 40 and 210 of luma, as shown 28 and 226: of each block what both are. */
    static const int wanted[CLIP_BITS] = {28, 28, 77, 226, 176, 176, 226, 28};
    for (int i = 0; i < CLIP_BITS; i++) {
        int green = green_at(&p, (2 * i + 1) * CLIP_WIDTH / 16, 48);
        ck_assert_int_le(abs(green - wanted[i]), 10);
    }
    ck_assert_int_eq(sl_frames_pixels(f, 750000, &p, NULL, NULL), SL_OK);
    ck_assert_int_eq(clip_number(&p), 30);
    ck_assert_int_le(abs(green_at(&p, 50, 48) - 28), 10);
    clip_pixels_free(&p);
    sl_frames_close(f);
    tear_down();
}
END_TEST

/* The second is half a second ahead, so that its tone changes before the first's does. */
static void check_sound(bool first_sounds, bool second_sounds, const double strength[2])
{
    sl_sound *s = NULL;
    set_up();
    if (!first_sounds) {
        clip_make(first, 60, 30, false);
    }
    if (second_sounds) {
        clip_make(second, 100, 25, true);
    }
    add("{\"t\":0,\"do\":\"play\"}");
    add("{\"t\":0,\"do\":\"pair\",\"layout\":\"side\",\"video\":\"" SECOND_ID
        "\",\"mark\":[0,500000],\"length\":4000000}");
    add("{\"t\":1000000,\"do\":\"pair\",\"layout\":\"side\",\"video\":\"" SECOND_ID
        "\",\"mark\":[0,500000],\"length\":4000000,\"rate\":0.5}");
    ck_assert_int_eq(sl_timeline_finish(timeline, 2000000, NULL), SL_OK);
    (void)export(SL_SLOW_REPEAT);
    ck_assert_int_eq(sl_sound_open(SL_SOURCE_FILE(out), &s, NULL), SL_OK);
    ck_assert_double_eq_tol(clip_heard(s, clip_hz(0), 0.55, 0.4), strength[0], 0.03);
    ck_assert_double_eq_tol(clip_heard(s, clip_hz(1), 0.55, 0.4), strength[1], 0.03);
    /* Slower than the first it is silent, and the first alone again. */
    ck_assert_double_eq_tol(clip_heard(s, clip_hz(1), 1.05, 0.4), first_sounds ? 0.5 : 0, 0.03);
    ck_assert_double_eq_tol(clip_heard(s, clip_hz(2), 1.55, 0.4), 0, 0.03);
    sl_sound_close(s);
    tear_down();
}

START_TEST(pair__both_are_heard_with_half_their_strength_and_one_alone_with_all)
{
    check_sound(true, true, (double[]){0.25, 0.25});
    check_sound(true, false, (double[]){0.5, 0});
    check_sound(false, true, (double[]){0, 0.5});
}
END_TEST

START_TEST(pair__a_second_that_is_not_here_leaves_the_first_alone)
{
    set_up();
    add("{\"t\":0,\"do\":\"play\"}");
    add("{\"t\":0,\"do\":\"pair\",\"layout\":\"side\",\"video\":\"" NOBODY_ID
        "\",\"mark\":[0,0],\"length\":4000000}");
    ck_assert_int_eq(sl_timeline_finish(timeline, 500000, NULL), SL_OK);
    (void)export(SL_SLOW_REPEAT);
    sl_frames *f = NULL;
    sl_pixels p = clip_pixels(CLIP_WIDTH, CLIP_HEIGHT);
    ck_assert_int_eq(sl_frames_open(SL_SOURCE_FILE(out), &f, NULL), SL_OK);
    ck_assert_int_eq(sl_frames_pixels(f, 400001, &p, NULL, NULL), SL_OK);
    ck_assert_int_eq(clip_number(&p), 12);
    clip_pixels_free(&p);
    sl_frames_close(f);
    tear_down();
}
END_TEST

/* A quarter of the speed: each frame four times, or three of four something between two. */
static int changes(sl_slow slow)
{
    set_up();
    add("{\"t\":0,\"do\":\"play\",\"rate\":0.25}");
    ck_assert_int_eq(sl_timeline_finish(timeline, 1000000, NULL), SL_OK);
    (void)export(slow);
    sl_frames *f = NULL;
    int n = 0;
    sl_pixels p = clip_pixels(CLIP_WIDTH, CLIP_HEIGHT);
    sl_pixels before = clip_pixels(CLIP_WIDTH, CLIP_HEIGHT);
    ck_assert_int_eq(sl_frames_open(SL_SOURCE_FILE(out), &f, NULL), SL_OK);
    for (int k = 0; k < 29; k++) {
        int64_t t_us = (int64_t)k * 1000000 / 30 + 1;
        ck_assert_int_eq(sl_frames_pixels(f, t_us, &p, NULL, NULL), SL_OK);
        if (k % 4 == 0) {
            ck_assert_int_eq(clip_number(&p), k / 4);
        }
        int most = 0;
        for (int32_t x = 0; k > 0 && x < CLIP_WIDTH; x++) {
            int d = abs(green_at(&p, x, 48) - green_at(&before, x, 48));
            most = d > most ? d : most;
        }
        n += most > 25 ? 1 : 0;
        memcpy(before.data, p.data, (size_t)p.stride * CLIP_HEIGHT);
    }
    clip_pixels_free(&p);
    clip_pixels_free(&before);
    sl_frames_close(f);
    tear_down();
    return n;
}

START_TEST(slow__repeats_frames_or_makes_what_lies_between)
{
    ck_assert_int_eq(changes(SL_SLOW_REPEAT), 7);
    ck_assert_int_gt(changes(SL_SLOW_MOTION), 20);
}
END_TEST

/* ---- between two pictures ---- */

enum {
    WIDTH = 256,
    HEIGHT = 160,
    EDGE = 24 /* where something new comes in nobody can know it */
};

/* An uneven ground that was moved, and a disc that moves the other way. */
static void paint(AVFrame *f, double x0, double y0, bool with_disc)
{
    sl_picture_clear(f);
    for (int y = 0; y < f->height; y++) {
        for (int x = 0; x < f->width; x++) {
            double u = x - x0;
            double v = y - y0;
            double ground = 110 + 40 * sin(u * 0.21) * cos(v * 0.17) + 25 * sin((u + 2 * v) * 0.07);
            double dx = x - (WIDTH / 2.0 - x0);
            double dy = y - (HEIGHT / 2.0 + y0);
            bool disc = with_disc && dx * dx + dy * dy < 400;
            f->data[0][(ptrdiff_t)y * f->linesize[0] + x] =
                (uint8_t)(disc ? 180 + 30 * sin(dx * 0.5) : ground);
        }
    }
}

static double psnr(const AVFrame *a, const AVFrame *b)
{
    double sum = 0;
    for (int y = EDGE; y < HEIGHT - EDGE; y++) {
        for (int x = EDGE; x < WIDTH - EDGE; x++) {
            double d = a->data[0][(ptrdiff_t)y * a->linesize[0] + x] -
                       b->data[0][(ptrdiff_t)y * b->linesize[0] + x];
            sum += d * d;
        }
    }
    sum /= (WIDTH - 2.0 * EDGE) * (HEIGHT - 2.0 * EDGE);
    return sum < 1e-9 ? 99.0 : 10.0 * log10(255.0 * 255.0 / sum);
}

START_TEST(between__follows_what_moves)
{
    AVFrame *f[4];
    for (int i = 0; i < 4; i++) {
        f[i] = sl_picture_new(AV_PIX_FMT_YUV420P, WIDTH, HEIGHT);
        ck_assert_ptr_nonnull(f[i]);
    }
    sl_between *b = sl_between_new(WIDTH, HEIGHT);
    ck_assert_ptr_nonnull(b);
    for (int disc = 0; disc < 2; disc++) {
        paint(f[0], 0, 0, disc == 1);
        paint(f[1], 9, -6, disc == 1);
        sl_between_learn(b, f[0], f[1]);
        ck_assert(!sl_between_is_cut(b));
        for (int part = 250; part <= 750; part += 250) {
            paint(f[2], 9.0 * part / 1000, -6.0 * part / 1000, disc == 1);
            sl_between_make(b, part, f[3]);
            double ours = psnr(f[2], f[3]);
            ck_assert_int_ge(av_frame_copy(f[3], f[0]), 0);
            sl_picture_mix(f[1], f[3], 0, 0, part);
            /* Nothing covers or uncovers anything; then the disc's rim does. */
            ck_assert_double_gt(ours, psnr(f[2], f[3]) + (disc == 1 ? 2 : 15));
        }
    }
    sl_between_make(b, 0, f[3]);
    ck_assert_double_gt(psnr(f[0], f[3]), 98);
    sl_between_make(b, SL_BETWEEN_WHOLE, f[3]);
    ck_assert_double_gt(psnr(f[1], f[3]), 98);
    sl_between_free(b);
    for (int i = 0; i < 4; i++) {
        av_frame_free(&f[i]);
    }
}
END_TEST

START_TEST(between__repeats_the_nearer_one_at_a_cut)
{
    AVFrame *a = sl_picture_new(AV_PIX_FMT_YUV420P, WIDTH, HEIGHT);
    AVFrame *b = sl_picture_new(AV_PIX_FMT_YUV420P, WIDTH, HEIGHT);
    AVFrame *made = sl_picture_new(AV_PIX_FMT_YUV420P, WIDTH, HEIGHT);
    sl_between *between = sl_between_new(WIDTH, HEIGHT);
    paint(a, 0, 0, false);
    sl_picture_clear(b);
    sl_between_learn(between, a, b);
    ck_assert(sl_between_is_cut(between));
    sl_between_make(between, 499, made);
    ck_assert_double_gt(psnr(a, made), 98);
    sl_between_make(between, 500, made);
    ck_assert_double_gt(psnr(b, made), 98);
    sl_between_free(between);
    av_frame_free(&a);
    av_frame_free(&b);
    av_frame_free(&made);
}
END_TEST

START_TEST(between__takes_any_size)
{
    static const int32_t sizes[][2] = {{16, 16}, {16, 330}, {330, 18}, {46, 62}, {1280, 720}};
    for (size_t i = 0; i < 5; i++) {
        int32_t w = sizes[i][0];
        int32_t h = sizes[i][1];
        AVFrame *a = sl_picture_new(AV_PIX_FMT_YUV420P, w, h);
        AVFrame *made = sl_picture_new(AV_PIX_FMT_YUV420P, w, h);
        sl_between *b = sl_between_new(w, h);
        ck_assert_ptr_nonnull(b);
        paint(a, 0, 0, false);
        sl_between_learn(b, a, a);
        sl_between_make(b, 300, made);
        for (int32_t y = 0; y < h; y++) {
            ck_assert_mem_eq(a->data[0] + (ptrdiff_t)y * a->linesize[0],
                             made->data[0] + (ptrdiff_t)y * made->linesize[0], (size_t)w);
        }
        sl_between_free(b);
        av_frame_free(&a);
        av_frame_free(&made);
    }
}
END_TEST

SL_TEST_MAIN("media_pair", pair__the_second_is_beside_or_below_at_the_marked_moment,
             pair__the_second_lies_over_the_first_as_opaque_as_said_until_it_goes,
             pair__both_are_heard_with_half_their_strength_and_one_alone_with_all,
             pair__a_second_that_is_not_here_leaves_the_first_alone,
             slow__repeats_frames_or_makes_what_lies_between, between__follows_what_moves,
             between__repeats_the_nearer_one_at_a_cut, between__takes_any_size)
