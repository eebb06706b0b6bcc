/* The frame shown at a time is exactly that one; turning; thumbnails; sound at a place. */
#include "media/frame.h"

#include "base/prng.h"
#include "clip.h"
#include "media/sound.h"
#include "support.h"

#include <math.h>
#include <string.h>

static char dir[CLIP_PATH_MAX];
static char path[CLIP_PATH_MAX];
static sl_frames *frames;

static void open_clip(const char *name, int count, int rate, int rotation)
{
    char from[CLIP_PATH_MAX];
    clip_folder(dir);
    clip_join(from, dir, "from.mp4");
    clip_join(path, dir, name);
    if (strstr(name, ".avi") != NULL) {
        clip_make_avi(path, count, rate);
    } else {
        clip_make(from, count, rate, true);
        clip_remux(from, path, rotation);
    }
    ck_assert_int_eq(sl_frames_open(SL_SOURCE_FILE(path), &frames, NULL), SL_OK);
}

static void close_clip(void)
{
    sl_frames_close(frames);
    clip_folder_drop(dir);
}

static int number_at(int64_t t_us, sl_pixels *p)
{
    int64_t shown = 0;
    ck_assert_int_eq(sl_frames_pixels(frames, t_us, p, &shown, NULL), SL_OK);
    return clip_number(p);
}

static int64_t time_of(int k, int rate)
{
    return ((int64_t)k * 1000000 + rate / 2) / rate;
}

static const char *const containers[] = {"c.mp4", "c.mkv", "c.avi", "c.mov"};

START_TEST(frame__any_time_in_any_order_shows_its_frame)
{
    open_clip(containers[_i], 150, 30, 0);
    sl_pixels p = clip_pixels(CLIP_WIDTH, CLIP_HEIGHT);
    sl_prng random;
    sl_prng_seed(&random, 5);
    for (int i = 0; i < 30; i++) {
        int k = (int)sl_prng_below(&random, 150);
        int64_t next = k == 149 ? INT64_C(99000000) : time_of(k + 1, 30) - 1000;
        ck_assert_int_eq(number_at(time_of(k, 30), &p), k);
        ck_assert_int_eq(number_at(next, &p), k);
    }
    clip_pixels_free(&p);
    close_clip();
}
END_TEST

START_TEST(frame__forwards_and_backwards_frame_by_frame)
{
    open_clip("c.mp4", 100, 25, 0);
    sl_pixels p = clip_pixels(CLIP_WIDTH, CLIP_HEIGHT);
    for (int k = 0; k < 100; k++) {
        ck_assert_int_eq(number_at(time_of(k, 25), &p), k);
    }
    for (int k = 99; k >= 0; k -= 7) {
        ck_assert_int_eq(number_at(time_of(k, 25), &p), k);
    }
    ck_assert_int_eq(number_at(-5, &p), 0);
    ck_assert_int_eq(number_at(INT64_MAX / 2, &p), 99);
    ck_assert_int_eq(number_at(0, &p), 0);
    clip_pixels_free(&p);
    close_clip();
}
END_TEST

/* Turned by 90, the blocks run from top to bottom on the right half. */
static int number_turned(const sl_pixels *p, int rotation)
{
    sl_pixels upright = clip_pixels(CLIP_WIDTH, CLIP_HEIGHT);
    for (int32_t y = 0; y < CLIP_HEIGHT; y++) {
        for (int32_t x = 0; x < CLIP_WIDTH; x++) {
            int32_t sx = rotation == 90    ? CLIP_HEIGHT - 1 - y
                         : rotation == 180 ? CLIP_WIDTH - 1 - x
                                           : y;
            int32_t sy = rotation == 90    ? x
                         : rotation == 180 ? CLIP_HEIGHT - 1 - y
                                           : CLIP_WIDTH - 1 - x;
            for (int b = 0; b < 4; b++) {
                upright.data[y * upright.stride + x * 4 + b] = p->data[sy * p->stride + sx * 4 + b];
            }
        }
    }
    int n = clip_number(&upright);
    clip_pixels_free(&upright);
    return n;
}

START_TEST(frame__steps_go_to_the_very_next_and_previous_frame)
{
    char folder[CLIP_PATH_MAX];
    char file[CLIP_PATH_MAX];
    sl_frames *f = NULL;
    const struct AVFrame *frame = NULL;
    int64_t shown_us = 0;
    clip_folder(folder);
    clip_join(file, folder, "steps.mp4");
    clip_make(file, 150, 30, false);
    ck_assert_int_eq(sl_frames_open(SL_SOURCE_FILE(file), &f, NULL), SL_OK);
    ck_assert_int_eq(sl_frames_at(f, 4000000, &frame, &shown_us, NULL), SL_OK);
    for (int k = 119; k >= 0; k--) {
        ck_assert_int_eq(sl_frames_step(f, -1, &frame, &shown_us, NULL), SL_OK);
        ck_assert_int_eq((shown_us * 30 + 500000) / 1000000, k);
    }
    ck_assert_int_eq(sl_frames_step(f, -1, &frame, &shown_us, NULL), SL_OK);
    ck_assert_int_eq(shown_us, 0);
    for (int k = 1; k < 150; k++) {
        ck_assert_int_eq(sl_frames_step(f, 1, &frame, &shown_us, NULL), SL_OK);
        ck_assert_int_eq((shown_us * 30 + 500000) / 1000000, k);
    }
    ck_assert_int_eq(sl_frames_step(f, 1, &frame, &shown_us, NULL), SL_OK);
    ck_assert_int_eq((shown_us * 30 + 500000) / 1000000, 149);
    sl_frames_close(f);
    clip_folder_drop(folder);
}
END_TEST

START_TEST(frame__a_turned_clip_is_shown_upright)
{
    static const int rotations[] = {90, 180, 270};
    int rotation = rotations[_i];
    open_clip("c.mp4", 20, 25, rotation);
    int32_t w = 0;
    int32_t h = 0;
    sl_frames_size(frames, &w, &h);
    ck_assert_int_eq(w, rotation == 180 ? CLIP_WIDTH : CLIP_HEIGHT);
    ck_assert_int_eq(h, rotation == 180 ? CLIP_HEIGHT : CLIP_WIDTH);
    sl_pixels p = clip_pixels(w, h);
    ck_assert_int_eq(sl_frames_pixels(frames, time_of(11, 25), &p, NULL, NULL), SL_OK);
    ck_assert_int_eq(number_turned(&p, rotation), 11);
    clip_pixels_free(&p);
    close_clip();
}
END_TEST

START_TEST(frame__pixels_are_opaque_and_grey_where_the_clip_is)
{
    open_clip("c.mp4", 5, 25, 0);
    sl_pixels p = clip_pixels(100, 60); /* also scaled */
    ck_assert_int_eq(number_at(time_of(3, 25), &p), 3);
    uint32_t argb = *(const uint32_t *)(const void *)(p.data + 45 * p.stride + 50 * 4);
    ck_assert_uint_eq(argb >> 24, 255);
    for (int shift = 0; shift < 24; shift += 8) {
        ck_assert_int_le(abs((int)(argb >> shift & 255U) - 109), 3); /* (110 - 16) * 255 / 219 */
    }
    clip_pixels_free(&p);
    close_clip();
}
END_TEST

START_TEST(frame__a_file_without_one_is_refused)
{
    clip_folder(dir);
    clip_join(path, dir, "absent.mp4");
    ck_assert_int_eq(sl_frames_open(SL_SOURCE_FILE(path), &frames, NULL), SL_E_NOT_FOUND);
    ck_assert_ptr_null(frames);
    clip_folder_drop(dir);
}
END_TEST

static double level(const float *stereo, int n, double hz, int64_t at)
{
    double re = 0.0;
    double im = 0.0;
    for (int i = 0; i < n; i++) {
        double a = 2.0 * 3.14159265358979323846 * hz * (double)(at + i) / SL_SOUND_RATE;
        re += (double)stereo[2 * i] * cos(a);
        im += (double)stereo[2 * i] * sin(a);
    }
    return 2.0 * sqrt(re * re + im * im) / n;
}

START_TEST(sound__any_place_in_any_order_has_its_tone)
{
    enum {
        N = 4800
    };
    static float stereo[2 * N];
    static const int order[] = {0, 3, 1, 1, 4, 0, 2, 4};
    open_clip("c.mp4", 125, 25, 0);
    sl_sound *s = NULL;
    ck_assert_int_eq(sl_sound_open(SL_SOURCE_FILE(path), &s, NULL), SL_OK);
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        int64_t at = (int64_t)order[i] * SL_SOUND_RATE + SL_SOUND_RATE / 3;
        ck_assert_int_eq(sl_sound_read(s, at, stereo, N, NULL), SL_OK);
        for (int second = 0; second < 5; second++) {
            double l = level(stereo, N, clip_hz(second), at);
            ck_assert(second == order[i] ? l > 0.45 && l < 0.55 : l < 0.05);
        }
        /* The phase too: the place is exact to within a few samples. */
        double want = 0.5 * sin(2.0 * 3.14159265358979323846 * clip_hz(order[i]) *
                                (double)(at + 100) / SL_SOUND_RATE);
        ck_assert_double_le(fabs((double)stereo[200] - want), 0.1);
    }
    ck_assert_int_eq(sl_sound_read(s, 6 * (int64_t)SL_SOUND_RATE, stereo, N, NULL), SL_OK);
    ck_assert_double_lt(level(stereo, N, clip_hz(4), 0), 0.001);
    ck_assert_int_eq(sl_sound_read(s, SL_SOUND_RATE / 2, stereo, N, NULL), SL_OK);
    ck_assert_double_gt(level(stereo, N, clip_hz(0), 0), 0.45);
    sl_sound_close(s);
    close_clip();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("media_frame");
    TCase *tcase = tcase_create("frame");
    tcase_set_timeout(tcase, SL_TEST_TIMEOUT_S);
    tcase_add_loop_test(tcase, frame__any_time_in_any_order_shows_its_frame, 0,
                        (int)(sizeof containers / sizeof containers[0]));
    tcase_add_test(tcase, frame__forwards_and_backwards_frame_by_frame);
    tcase_add_test(tcase, frame__steps_go_to_the_very_next_and_previous_frame);
    tcase_add_loop_test(tcase, frame__a_turned_clip_is_shown_upright, 0, 3);
    tcase_add_test(tcase, frame__pixels_are_opaque_and_grey_where_the_clip_is);
    tcase_add_test(tcase, frame__a_file_without_one_is_refused);
    tcase_add_test(tcase, sound__any_place_in_any_order_has_its_tone);
    suite_add_tcase(suite, tcase);
    return sl_test_run(suite);
}
