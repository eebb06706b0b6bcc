/* Thumbnails and sheets of them: which frame, how large, where; and the index that players read. */
#include "media/thumb.h"

#include "clip.h"
#include "media/jpeg.h"
#include "support.h"

#include <libavutil/frame.h>
#include <stdio.h>
#include <string.h>

enum {
    RATE = 30,
    FRAMES = 150, /* a key frame every two seconds: 0, 60, 120 */
    LENGTH_US = 5000000
};

static char dir[CLIP_PATH_MAX];
static char path[CLIP_PATH_MAX];

static void make_clip(const char *name, int rotation)
{
    char from[CLIP_PATH_MAX];
    clip_folder(dir);
    clip_join(from, dir, "from.mp4");
    clip_join(path, dir, name);
    clip_make(from, FRAMES, RATE, true);
    clip_remux(from, path, rotation);
}

/* The number that a part of a picture says (clip.h), of pictures that are not turned. */
static int number_in(const AVFrame *f, int x, int y, int w, int h)
{
    int number = 0;
    for (int i = 0; i < CLIP_BITS; i++) {
        int column = x + (2 * i + 1) * w / (2 * CLIP_BITS);
        number = number * 2 + (f->data[0][(y + h / 4) * f->linesize[0] + column] > 128 ? 1 : 0);
    }
    return number;
}

static void check_thumb(int64_t t_us, int32_t side, int wanted)
{
    sl_buf jpeg = {0};
    sl_thumb made;
    sl_unjpeg *reader = NULL;
    const AVFrame *picture = NULL;
    ck_assert_int_eq(sl_thumb_make(SL_SOURCE_FILE(path), t_us, side, &jpeg, &made, NULL), SL_OK);
    ck_assert_int_le((int64_t)made.t_us * RATE / 1000000 - wanted, 1);
    ck_assert_int_eq(sl_unjpeg_open(&reader, NULL), SL_OK);
    ck_assert_int_eq(sl_unjpeg_read(reader, jpeg.data, jpeg.len, &picture, NULL), SL_OK);
    ck_assert_int_eq(picture->width, made.width);
    ck_assert_int_eq(picture->height, made.height);
    ck_assert_int_eq(number_in(picture, 0, 0, made.width, made.height), wanted);
    sl_unjpeg_close(reader);
    sl_buf_free(&jpeg);
}

START_TEST(thumb__is_the_key_frame_at_or_before_the_time)
{
    static const char *const names[] = {"c.mov", "c.mkv", "c.mp4"};
    char from[CLIP_PATH_MAX];
    make_clip(names[0], 0);
    clip_join(from, dir, "from.mp4");
    for (size_t i = 0; i < 3; i++) {
        clip_join(path, dir, names[i]);
        clip_remux(from, path, 0);
        check_thumb(-1, 0, 0);
        check_thumb(1990000, 160, 0);
        check_thumb(2010000, 160, 60);
        check_thumb(3500000, 0, 60);
        check_thumb(INT64_C(99000000), 0, 120);
    }
    clip_folder_drop(dir);
}
END_TEST

static void check_size(int32_t side, int32_t width, int32_t height)
{
    sl_buf jpeg = {0};
    sl_thumb made;
    ck_assert_int_eq(sl_thumb_make(SL_SOURCE_FILE(path), 0, side, &jpeg, &made, NULL), SL_OK);
    ck_assert_int_eq(made.width, width);
    ck_assert_int_eq(made.height, height);
    ck_assert_mem_eq(jpeg.data, "\xff\xd8\xff", 3);
    ck_assert_mem_eq(jpeg.data + jpeg.len - 2, "\xff\xd9", 2);
    sl_buf_free(&jpeg);
}

START_TEST(thumb__stands_upright_and_is_never_larger_than_the_clip)
{
    make_clip("c.mp4", 90);
    check_size(0, 192, 320);
    check_size(SL_THUMB_SIDE_MAX, 192, 320);
    check_size(160, 96, 160);
    check_size(SL_THUMB_SIDE_MIN, 10, 16);
    clip_folder_drop(dir);
}
END_TEST

START_TEST(thumb__refuses_other_sizes_and_what_is_no_clip)
{
    sl_buf jpeg = {0};
    sl_thumb made;
    make_clip("c.mp4", 0);
    static const int32_t sides[] = {-1, SL_THUMB_SIDE_MIN - 1, SL_THUMB_SIDE_MAX + 1};
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(sl_thumb_make(SL_SOURCE_FILE(path), 0, sides[i], &jpeg, &made, NULL),
                         SL_E_INVALID);
    }
    ck_assert(clip_write(path, "no clip, by no means", 20));
    ck_assert_int_eq(sl_thumb_make(SL_SOURCE_FILE(path), 0, 0, &jpeg, &made, NULL), SL_E_INVALID);
    ck_assert_uint_eq(jpeg.len, 0);
    clip_folder_drop(dir);
}
END_TEST

static void check_sheet(const sl_sheet *s, const sl_buf *jpeg)
{
    sl_unjpeg *reader = NULL;
    const AVFrame *all = NULL;
    ck_assert_int_eq(sl_unjpeg_open(&reader, NULL), SL_OK);
    ck_assert_int_eq(sl_unjpeg_read(reader, jpeg->data, jpeg->len, &all, NULL), SL_OK);
    ck_assert_int_eq(all->width, s->columns * s->width);
    ck_assert_int_eq(all->height, s->rows * s->height);
    for (int i = 0; i < s->count; i++) {
        int from = FRAMES * i / s->count;
        int until = FRAMES * (i + 1) / s->count;
        int middle = (from + until) / 2;
        int key = middle / 60 * 60;
        int wanted = key >= from ? key : middle;
        int shown = number_in(all, i % s->columns * s->width, i / s->columns * s->height, s->width,
                              s->height);
        ck_assert_int_eq(shown, wanted);
        ck_assert_int_eq((s->shown_us[i] * RATE + 500000) / 1000000, wanted);
    }
    sl_unjpeg_close(reader);
}

START_TEST(sheet__each_part_has_its_key_frame_or_its_middle)
{
    static const int32_t counts[] = {1, 5, 10, 25};
    make_clip("c.mp4", 0);
    for (size_t i = 0; i < 4; i++) {
        sl_buf jpeg = {0};
        sl_sheet s;
        sl_sheet_job job = {.source = {.path = path}, .duration_us = LENGTH_US, .count = counts[i]};
        ck_assert_int_eq(sl_sheet_make(&job, &jpeg, &s, NULL), SL_OK);
        ck_assert_int_eq(s.count, counts[i]);
        ck_assert_int_eq(s.width, 160);
        ck_assert_int_eq(s.height, 96);
        check_sheet(&s, &jpeg);
        sl_buf_free(&jpeg);
    }
    clip_folder_drop(dir);
}
END_TEST

START_TEST(sheet__the_index_is_what_players_read)
{
    sl_sheet s = {.count = 3, .columns = 2, .rows = 2, .width = 160, .height = 90};
    sl_buf cues = {0};
    s.duration_us = INT64_C(3661500000);
    sl_sheet_vtt(&s, "a.jpg", &cues);
    ck_assert_str_eq(sl_buf_text(&cues),
                     "WEBVTT\n\n00:00:00.000 --> 00:20:20.500\na.jpg#xywh=0,0,160,90\n"
                     "\n00:20:20.500 --> 00:40:41.000\na.jpg#xywh=160,0,160,90\n"
                     "\n00:40:41.000 --> 01:01:01.500\na.jpg#xywh=0,90,160,90\n");
    sl_buf_free(&cues);
}
END_TEST

static bool stop_at_once(void *user)
{
    (void)user;
    return true;
}

static sl_status try_sheet(int32_t count, int32_t side, int32_t columns, int64_t duration_us)
{
    sl_buf jpeg = {0};
    sl_sheet s;
    sl_sheet_job job = {.source = {.path = path},
                        .duration_us = duration_us,
                        .count = count,
                        .side = side,
                        .columns = columns,
                        .cancelled = stop_at_once};
    sl_status status = sl_sheet_make(&job, &jpeg, &s, NULL);
    sl_buf_free(&jpeg);
    return status;
}

START_TEST(sheet__keeps_its_limits_and_can_be_cancelled)
{
    make_clip("c.mp4", 0);
    ck_assert_int_eq(try_sheet(1, SL_THUMB_SIDE_MIN, 1, LENGTH_US), SL_E_CANCELLED);
    ck_assert_int_eq(try_sheet(SL_SHEET_COUNT_MAX, 0, 0, LENGTH_US), SL_E_CANCELLED);
    ck_assert_int_eq(try_sheet(0, SL_SHEET_SIDE_MAX, 0, LENGTH_US), SL_E_CANCELLED);
    ck_assert_int_eq(try_sheet(51, 160, 51, LENGTH_US), SL_E_CANCELLED);
    ck_assert_int_eq(try_sheet(52, 160, 52, LENGTH_US), SL_E_INVALID); /* 8320 pixels */
    ck_assert_int_eq(try_sheet(SL_SHEET_COUNT_MAX + 1, 0, 0, LENGTH_US), SL_E_INVALID);
    ck_assert_int_eq(try_sheet(1, SL_THUMB_SIDE_MIN - 1, 0, LENGTH_US), SL_E_INVALID);
    ck_assert_int_eq(try_sheet(1, SL_SHEET_SIDE_MAX + 1, 0, LENGTH_US), SL_E_INVALID);
    ck_assert_int_eq(try_sheet(3, 0, 4, LENGTH_US), SL_E_INVALID);
    ck_assert_int_eq(try_sheet(3, 0, 0, 0), SL_E_INVALID);
    clip_folder_drop(dir);
}
END_TEST

SL_TEST_MAIN("media_thumb", thumb__is_the_key_frame_at_or_before_the_time,
             thumb__stands_upright_and_is_never_larger_than_the_clip,
             thumb__refuses_other_sizes_and_what_is_no_clip,
             sheet__each_part_has_its_key_frame_or_its_middle,
             sheet__the_index_is_what_players_read, sheet__keeps_its_limits_and_can_be_cancelled)
