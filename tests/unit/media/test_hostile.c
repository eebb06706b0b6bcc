/* Clips made to harm: beyond the limits of size and length, torn, damaged. None hangs or crashes. */
#include "clip.h"
#include "media/av.h"
#include "media/frame.h"
#include "media/picture.h"
#include "media/probe.h"
#include "media/scrub.h"
#include "media/thumb.h"
#include "support.h"

#include <string.h>
#include <sys/resource.h>

enum {
    SECONDS_MAX = SL_CLIP_HOURS_MAX * 3600,
    DAMAGES = 24,
    GROWN = 60,
    SPARE_KB = 200 * 1024 /* what the decoder holds, and a sanitizer */
};

static char dir[CLIP_PATH_MAX];
static char path[CLIP_PATH_MAX];

static void set_up(void)
{
    clip_folder(dir);
    clip_join(path, dir, "x.mov");
}

static void tear_down(void)
{
    clip_folder_drop(dir);
}

static AVCodecContext *open_mjpeg(int width, int height)
{
    AVCodecContext *c = avcodec_alloc_context3(avcodec_find_encoder(AV_CODEC_ID_MJPEG));
    ck_assert_ptr_nonnull(c);
    c->width = width;
    c->height = height;
    c->pix_fmt = AV_PIX_FMT_YUV420P;
    c->color_range = AVCOL_RANGE_JPEG;
    c->strict_std_compliance = FF_COMPLIANCE_UNOFFICIAL;
    c->time_base = (AVRational){1, 1000};
    ck_assert_int_ge(avcodec_open2(c, NULL, NULL), 0);
    return c;
}

/* What is written of a clip: a MOV that says it is of this size. */
typedef struct writing {
    AVFormatContext *out;
    AVStream *stream;
    AVPacket *packet;
} writing;

static void begin(writing *w, int width, int height)
{
    AVCodecContext *c = open_mjpeg(width, height);
    w->packet = av_packet_alloc();
    ck_assert_int_ge(avformat_alloc_output_context2(&w->out, NULL, NULL, path), 0);
    w->stream = avformat_new_stream(w->out, NULL);
    ck_assert_int_ge(avcodec_parameters_from_context(w->stream->codecpar, c), 0);
    w->stream->time_base = c->time_base;
    ck_assert_int_ge(avio_open(&w->out->pb, path, AVIO_FLAG_WRITE), 0);
    ck_assert_int_ge(avformat_write_header(w->out, NULL), 0);
    avcodec_free_context(&c);
}

/* The same grey picture of this size, `count` times, each so much after the one before. */
static void put(writing *w, int width, int height, int count, int64_t from_ms, int64_t apart_ms)
{
    AVRational ms = {1, 1000};
    AVCodecContext *c = open_mjpeg(width, height);
    AVFrame *f = sl_picture_new(AV_PIX_FMT_YUV420P, width, height);
    AVPacket *picture = av_packet_alloc();
    sl_picture_clear(f);
    f->color_range = AVCOL_RANGE_JPEG;
    f->pts = 0;
    ck_assert_int_ge(avcodec_send_frame(c, f), 0);
    ck_assert_int_ge(avcodec_receive_packet(c, picture), 0);
    for (int k = 0; k < count; k++) {
        AVPacket *p = w->packet;
        ck_assert_int_ge(av_packet_ref(p, picture), 0);
        p->pts = av_rescale_q(from_ms + k * apart_ms, ms, w->stream->time_base);
        p->dts = p->pts;
        p->duration = av_rescale_q(apart_ms, ms, w->stream->time_base);
        ck_assert_int_ge(av_write_frame(w->out, p), 0);
        av_packet_unref(p);
    }
    av_frame_free(&f);
    av_packet_free(&picture);
    avcodec_free_context(&c);
}

static void finish(writing *w)
{
    ck_assert_int_ge(av_write_trailer(w->out), 0);
    av_packet_free(&w->packet);
    avio_closep(&w->out->pb);
    avformat_free_context(w->out);
}

/* Two grey pictures of this size, so long after each other. */
static void make(int width, int height, int64_t apart_ms)
{
    writing w;
    begin(&w, width, height);
    put(&w, width, height, 2, 0, apart_ms);
    finish(&w);
}

static sl_status probed(void)
{
    sl_probe p;
    return sl_probe_file(path, &p, NULL);
}

/* Everything that opens a clip keeps the same limits. */
static void is_refused(void)
{
    sl_frames *f = NULL;
    sl_buf jpeg = {0};
    sl_thumb made;
    ck_assert_int_eq(probed(), SL_E_INVALID);
    ck_assert_int_eq(sl_frames_open(SL_SOURCE_FILE(path), &f, NULL), SL_E_INVALID);
    ck_assert_int_eq(sl_thumb_make(SL_SOURCE_FILE(path), 0, 0, &jpeg, &made, NULL), SL_E_INVALID);
}

START_TEST(hostile__a_side_of_8192_passes_and_a_longer_one_is_refused)
{
    set_up();
    make(SL_CLIP_SIDE_MAX, 16, 40);
    ck_assert_int_eq(probed(), SL_OK);
    make(SL_CLIP_SIDE_MAX + 2, 16, 40);
    is_refused();
    make(16, SL_CLIP_SIDE_MAX, 40);
    ck_assert_int_eq(probed(), SL_OK);
    make(16, SL_CLIP_SIDE_MAX + 2, 40);
    is_refused();
    tear_down();
}
END_TEST

START_TEST(hostile__ten_hours_pass_and_a_second_more_is_refused)
{
    set_up();
    make(64, 48, (int64_t)SECONDS_MAX * 500);
    ck_assert_int_eq(probed(), SL_OK);
    make(64, 48, (int64_t)SECONDS_MAX * 500 + 500);
    is_refused();
    make(64, 48, (int64_t)SECONDS_MAX * 1500);
    is_refused();
    tear_down();
}
END_TEST

static long resident_kb(void)
{
    struct rusage u;
    ck_assert_int_eq(getrusage(RUSAGE_SELF, &u), 0);
    return u.ru_maxrss;
}

/* Sixty frames of 12 MB behind one of nothing: what is kept of them stays within its budget, in
 * whichever direction one steps. */
START_TEST(hostile__pictures_that_grow_do_not_fill_the_memory)
{
    writing w;
    sl_frames *f = NULL;
    const AVFrame *frame = NULL;
    int64_t shown_us = 0;
    set_up();
    begin(&w, 16, 16);
    put(&w, 16, 16, 2, 0, 40);
    put(&w, 4096, 2048, GROWN, 80, 40);
    finish(&w);
    long before = resident_kb();
    ck_assert_int_eq(sl_frames_open(SL_SOURCE_FILE(path), &f, NULL), SL_OK);
    ck_assert_int_eq(sl_frames_at(f, 0, &frame, &shown_us, NULL), SL_OK);
    for (int k = 0; k < GROWN; k++) {
        ck_assert_int_eq(sl_frames_step(f, 1, &frame, &shown_us, NULL), SL_OK);
    }
    ck_assert_int_eq(frame->width, 4096);
    ck_assert_int_eq(sl_frames_step(f, -1, &frame, &shown_us, NULL), SL_OK);
    ck_assert_int_lt(resident_kb() - before, 2L * SL_FRAMES_BYTES / 1024 + SPARE_KB);
    sl_frames_close(f);
    tear_down();
}
END_TEST

/* The file says 16 by 16: what does not decode to less than the limit is passed over. */
START_TEST(hostile__pictures_larger_than_the_limit_are_passed_over)
{
    writing w;
    sl_frames *f = NULL;
    const AVFrame *frame = NULL;
    int64_t shown_us = 0;
    set_up();
    begin(&w, 16, 16);
    put(&w, 16, 16, 1, 0, 40);
    put(&w, SL_CLIP_SIDE_MAX + 2, 16, 3, 40, 40);
    put(&w, 16, SL_CLIP_SIDE_MAX, 1, 160, 40);
    put(&w, 16, SL_CLIP_SIDE_MAX + 2, 1, 200, 40);
    finish(&w);
    ck_assert_int_eq(sl_frames_open(SL_SOURCE_FILE(path), &f, NULL), SL_OK);
    ck_assert_int_eq(sl_frames_at(f, 120000, &frame, &shown_us, NULL), SL_OK);
    ck_assert_int_eq(frame->width, 16);
    ck_assert_int_eq(shown_us, 0);
    ck_assert_int_eq(sl_frames_at(f, 999000, &frame, &shown_us, NULL), SL_OK);
    ck_assert_int_eq(frame->height, SL_CLIP_SIDE_MAX);
    ck_assert_int_eq(shown_us, 160000);
    sl_frames_close(f);
    tear_down();
}
END_TEST

/* Reads what it can of a clip, in every way; what comes of it matters less than that it ends. */
static void look(void)
{
    sl_frames *f = NULL;
    sl_scrub *s = NULL;
    sl_buf jpeg = {0};
    sl_thumb made;
    const AVFrame *frame = NULL;
    int64_t shown_us = 0;
    (void)probed();
    (void)sl_thumb_make(SL_SOURCE_FILE(path), 700000, 64, &jpeg, &made, NULL);
    if (sl_frames_open(SL_SOURCE_FILE(path), &f, NULL) == SL_OK) {
        for (int64_t t_us = 1500000; t_us >= 0; t_us -= 500000) {
            if (sl_frames_at(f, t_us, &frame, &shown_us, NULL) == SL_OK) {
                ck_assert_int_le(frame->width, SL_CLIP_SIDE_MAX);
                (void)sl_frames_step(f, -1, &frame, &shown_us, NULL);
            }
        }
    }
    sl_frames_close(f);
    if (sl_scrub_open(SL_SOURCE_FILE(path), 0, &s, NULL) == SL_OK) {
        sl_scrub_wait(s);
    }
    sl_scrub_close(s);
    sl_buf_free(&jpeg);
}

/* Half of the damage strikes the index, half the pictures. */
START_TEST(hostile__random_damage_ends_in_frames_or_in_an_error)
{
    sl_buf whole = {0};
    uint32_t random = 7;
    set_up();
    clip_join(path, dir, "x.mp4");
    clip_make(path, 40, 25, true);
    ck_assert(clip_read(path, &whole));
    for (int i = 0; i < DAMAGES; i++) {
        uint8_t *copy = malloc(whole.len);
        ck_assert_ptr_nonnull(copy);
        memcpy(copy, whole.data, whole.len);
        for (int k = 0; k <= i % 5; k++) {
            random = random * 1664525U + 1013904223U;
            size_t at = (random >> 8) % (i % 2 == 0 ? 3000 : whole.len);
            copy[at] = (uint8_t)(random >> 24);
        }
        ck_assert(clip_write(path, copy, whole.len));
        free(copy);
        look();
    }
    sl_buf_free(&whole);
    tear_down();
}
END_TEST

SL_TEST_MAIN("media_hostile", hostile__a_side_of_8192_passes_and_a_longer_one_is_refused,
             hostile__ten_hours_pass_and_a_second_more_is_refused,
             hostile__pictures_that_grow_do_not_fill_the_memory,
             hostile__pictures_larger_than_the_limit_are_passed_over,
             hostile__random_damage_ends_in_frames_or_in_an_error)
