/* A whole export: which frame is where, what is drawn when, what is heard, what is left behind. */
#include "media/export.h"

#include "base/mem.h"
#include "clip.h"
#include "media/av.h"
#include "media/probe.h"
#include "media/sound.h"
#include "support.h"
#include "unit/voice/recording.h"

#include <libavutil/frame.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    RATE = 30,
    CLIP_FRAMES = 90,
    SECOND = 48000
};

static const char mark_id[] = "01900000-0000-7000-8000-000000000001";
static const char gone_id[] = "01900000-0000-7000-8000-000000000002";
static const double voice_hz = 1300.0;

/* What the tests share: a clip of three seconds, a voice of four, a drawing. */
static char dir[CLIP_PATH_MAX];
static char clip[CLIP_PATH_MAX];
static char out[CLIP_PATH_MAX];
static sl_buf voice;
static sl_item *mark;
static sl_timeline *timeline;

/* Silence but for a tone from the first to the second second. */
static void speak(int seconds)
{
    static float pcm[SECOND];
    recording r = {.file = voice};
    sl_take *t = recording_start(&r, SECOND);
    ck_assert_int_eq(recording_run(t, SL_TAKE_RECORD), SL_OK);
    for (int s = 0; s < seconds; s++) {
        for (int i = 0; i < SECOND; i++) {
            double v = sin(2.0 * 3.14159265358979323846 * voice_hz * i / SECOND);
            pcm[i] = s == 1 ? (float)(0.4 * v) : 0.0F;
        }
        ck_assert_int_eq(sl_take_push(t, pcm, SECOND, NULL), SL_OK);
    }
    ck_assert_int_eq(recording_run(t, SL_TAKE_FINISH), SL_OK);
    sl_take_free(t);
    voice = r.file;
}

static void add(const char *event)
{
    sl_json *j = sl_json_parse(event, strlen(event));
    ck_assert_ptr_nonnull(j);
    ck_assert_int_eq(sl_timeline_push_json(timeline, j, NULL), SL_OK);
    sl_json_free(j);
}

static void set_up(void)
{
    static const char drawing[] =
        "{\"kind\":\"line\",\"points\":[[4096,16000],[28672,16000]],\"style\":{\"color\":\"#FF0000\","
        "\"opacity\":1,\"width\":2048},\"in\":0,\"out\":10000000}";
    clip_folder(dir);
    clip_join(clip, dir, "clip.mp4");
    clip_join(out, dir, "out.mp4");
    clip_make(clip, CLIP_FRAMES, RATE, true);
    speak(4);
    sl_json *j = sl_json_parse(drawing, strlen(drawing));
    ck_assert_int_eq(sl_item_from_json(j, &mark, NULL), SL_OK);
    sl_json_free(j);
    memcpy(mark->id, mark_id, sizeof mark_id);
    ck_assert_int_eq(sl_timeline_make(3000000, &timeline, NULL), SL_OK);
}

static void tear_down(void)
{
    sl_timeline_drop(timeline);
    sl_item_free(mark);
    sl_buf_free(&voice);
    clip_folder_drop(dir);
}

/* Plays, stops at 1 s, marks at 1.5 s, jumps back and plays at half speed from 2 s on, then fast
 * and without the mark from 3 s on. */
static void review(int64_t end_us)
{
    char show[128];
    char hide[128];
    char none[128];
    (void)snprintf(show, sizeof show, "{\"t\":1500000,\"do\":\"show\",\"item\":\"%s\"}", mark_id);
    (void)snprintf(none, sizeof none, "{\"t\":1500000,\"do\":\"show\",\"item\":\"%s\"}", gone_id);
    (void)snprintf(hide, sizeof hide, "{\"t\":3000000,\"do\":\"hide\",\"item\":\"%s\"}", mark_id);
    add("{\"t\":0,\"do\":\"play\"}");
    add("{\"t\":1000000,\"do\":\"pause\"}");
    add(show);
    add(none);
    add("{\"t\":2000000,\"do\":\"seek\",\"to\":500000}");
    add("{\"t\":2000000,\"do\":\"play\",\"rate\":0.5}");
    add(hide);
    add("{\"t\":3000000,\"do\":\"rate\",\"rate\":2.0}");
    ck_assert_int_eq(sl_timeline_finish(timeline, end_us, NULL), SL_OK);
}

static sl_export_job job_of(const sl_item *const *items)
{
    return (sl_export_job){.source = {.path = clip},
                           .voice = voice.data,
                           .voice_len = voice.len,
                           .timeline = timeline,
                           .items = items,
                           .items_n = 1,
                           .path = out};
}

static bool is_red(const sl_pixels *p)
{
    uint32_t v = 0;
    int32_t y = p->height * 5 / 6; /* 16000 units of the width */
    memcpy(&v, p->data + y * p->stride + p->width / 2 * 4, sizeof v);
    return (v >> 16 & 255U) > 200 && (v >> 8 & 255U) < 60;
}

static void check_pictures(int64_t frames)
{
    sl_frames *f = NULL;
    sl_pixels p = clip_pixels(CLIP_WIDTH, CLIP_HEIGHT);
    ck_assert_int_eq(sl_frames_open(SL_SOURCE_FILE(out), &f, NULL), SL_OK);
    for (int64_t k = 0; k < frames; k++) {
        sl_timeline_state_t state;
        int64_t t_us = (k * 1000000 + RATE / 2) / RATE;
        ck_assert_int_eq(sl_frames_pixels(f, t_us, &p, NULL, NULL), SL_OK);
        sl_timeline_at(timeline, t_us, &state);
        int64_t want = (state.position_us * RATE + 50) / 1000000;
        want = want >= CLIP_FRAMES ? CLIP_FRAMES - 1 : want;
        ck_assert_int_eq(clip_number(&p), want);
        ck_assert_int_eq(is_red(&p), t_us >= 1500000 && t_us < 3000000);
    }
    clip_pixels_free(&p);
    sl_frames_close(f);
}

static size_t be32(const uint8_t *p)
{
    return (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
}

static size_t count_of(const sl_buf *bytes, const char *box)
{
    size_t n = 0;
    for (size_t i = 0; i + 4 <= bytes->len; i++) {
        n += memcmp(bytes->data + i, box, 4) == 0 ? 1 : 0;
    }
    return n;
}

/* What QuickTime and browsers want of a movie: the index in front of the pictures, H.264 of 4:2:0
 * under avc1 and AAC under mp4a, an edit list for each track, so that what the encoders put in front
 * is not shown and both begin at 0. */
static void check_rules(void)
{
    sl_buf bytes = {0};
    sl_clip c = {0};
    ck_assert(clip_read(out, &bytes));
    ck_assert_mem_eq(bytes.data + 4, "ftyp", 4);
    size_t index = be32(bytes.data);
    ck_assert_mem_eq(bytes.data + index + 4, "moov", 4);
    bytes.len = index + be32(bytes.data + index); /* no further than the index */
    ck_assert_uint_eq(count_of(&bytes, "elst"), 2);
    ck_assert_uint_eq(count_of(&bytes, "avcC"), 1);
    sl_buf_free(&bytes);
    ck_assert_int_eq(sl_clip_open(&c, SL_SOURCE_FILE(out), NULL), SL_OK);
    ck_assert_uint_eq(c.format->nb_streams, 2);
    for (unsigned i = 0; i < 2; i++) {
        const AVStream *s = c.format->streams[i];
        bool video = s->codecpar->codec_type == AVMEDIA_TYPE_VIDEO;
        ck_assert_int_eq(s->codecpar->codec_id, video ? AV_CODEC_ID_H264 : AV_CODEC_ID_AAC);
        ck_assert_uint_eq(s->codecpar->codec_tag,
                          video ? MKTAG('a', 'v', 'c', '1') : MKTAG('m', 'p', '4', 'a'));
        ck_assert_int_eq(s->start_time, 0);
        ck_assert(!video || s->codecpar->format == AV_PIX_FMT_YUV420P);
    }
    sl_clip_close(&c);
}

/* [EXPORT-1] */
START_TEST(export__shows_and_plays_what_the_timeline_says)
{
    set_up();
    review(4017000);
    const sl_item *items[] = {mark};
    sl_export_job job = job_of(items);
    sl_export_result made;
    ck_assert_int_eq(sl_export(&job, &made, NULL), SL_OK);
    ck_assert_int_eq(made.frames, 121); /* 4.017 s at 30 a second */
    ck_assert_int_eq(made.duration_us, 4017000);
    ck_assert_uint_gt(strlen(made.encoder), 0);
    check_pictures(made.frames);
    check_rules();
    ck_assert_double_le(fabs(clip_seconds(out, true) - 4.017), 0.04);
    ck_assert_double_le(fabs(clip_seconds(out, false) - 4.017), 0.04);

    sl_sound *s = NULL;
    ck_assert_int_eq(sl_sound_open(SL_SOURCE_FILE(out), &s, NULL), SL_OK);
    ck_assert_double_eq_tol(clip_heard(s, clip_hz(0), 0.1, 0.8), 0.15, 0.03); /* ducked */
    ck_assert_double_lt(clip_heard(s, voice_hz, 0.1, 0.8), 0.01);
    ck_assert_double_lt(clip_heard(s, clip_hz(0), 1.1, 0.8), 0.01); /* paused: silent */
    ck_assert_double_gt(clip_heard(s, voice_hz, 1.1, 0.8), 0.3);
    ck_assert_double_lt(clip_heard(s, clip_hz(0), 2.1, 0.8), 0.01); /* slow: silent */
    ck_assert_double_lt(clip_heard(s, voice_hz, 2.1, 0.8), 0.01);
    sl_sound_close(s);
    char names[200];
    clip_folder_list(dir, names, sizeof names);
    ck_assert_str_eq(names, "clip.mp4 out.mp4 ");
    tear_down();
}
END_TEST

START_TEST(export__without_a_voice_the_clip_is_as_loud_as_it_is)
{
    set_up();
    add("{\"t\":0,\"do\":\"play\"}");
    ck_assert_int_eq(sl_timeline_finish(timeline, 2500000, NULL), SL_OK);
    sl_export_job job = job_of(NULL);
    job.voice = NULL;
    job.items_n = 0;
    job.width = 161; /* odd: rounded down */
    job.height = 97;
    sl_export_result made;
    sl_probe probe;
    ck_assert_int_eq(sl_export(&job, &made, NULL), SL_OK);
    ck_assert_int_eq(sl_probe_file(out, &probe, NULL), SL_OK);
    ck_assert_int_eq(probe.width, 160);
    ck_assert_int_eq(probe.height, 96);
    ck_assert_int_eq(probe.frames, 75);
    sl_sound *s = NULL;
    ck_assert_int_eq(sl_sound_open(SL_SOURCE_FILE(out), &s, NULL), SL_OK);
    ck_assert_double_eq_tol(clip_heard(s, clip_hz(0), 0.1, 0.8), 0.5, 0.05);
    ck_assert_double_eq_tol(clip_heard(s, clip_hz(1), 1.1, 0.8), 0.5, 0.05);
    sl_sound_close(s);
    tear_down();
}
END_TEST

START_TEST(export__a_view_shows_its_part)
{
    set_up();
    add("{\"t\":0,\"do\":\"seek\",\"to\":1000000}"); /* frame 30: 00011110 */
    add("{\"t\":0,\"do\":\"view\",\"x\":16384,\"y\":0,\"scale\":2.0}");
    add("{\"t\":1000000,\"do\":\"view\",\"x\":-50000,\"y\":0,\"scale\":1.0}");
    ck_assert_int_eq(sl_timeline_finish(timeline, 2000000, NULL), SL_OK);
    sl_export_job job = job_of(NULL);
    job.items_n = 0;
    sl_export_result made;
    ck_assert_int_eq(sl_export(&job, &made, NULL), SL_OK);
    sl_frames *f = NULL;
    sl_pixels p = clip_pixels(CLIP_WIDTH, CLIP_HEIGHT);
    ck_assert_int_eq(sl_frames_open(SL_SOURCE_FILE(out), &f, NULL), SL_OK);
    ck_assert_int_eq(sl_frames_pixels(f, 500000, &p, NULL, NULL), SL_OK);
    ck_assert_int_eq(clip_number(&p), 0xfc); /* the lower four bits, each twice as wide */
    ck_assert_int_eq(sl_frames_pixels(f, 1500000, &p, NULL, NULL), SL_OK);
    for (int32_t i = 0; i < CLIP_WIDTH * CLIP_HEIGHT; i++) {
        ck_assert_uint_lt(p.data[4 * i + 1], 20); /* looks past it: black */
    }
    sl_frames_close(f);
    clip_pixels_free(&p);
    tear_down();
}
END_TEST

typedef struct watcher {
    int64_t done;
    int64_t stop_at;
} watcher;

static void watch(void *user, int64_t done, int64_t total)
{
    watcher *w = user;
    ck_assert_int_eq(done, w->done + 1);
    ck_assert_int_le(done, total);
    w->done = done;
}

static bool enough(void *user)
{
    const watcher *w = user;
    return w->done == w->stop_at;
}

/* [EXPORT-2] */
START_TEST(export__a_cancel_leaves_what_was_there)
{
    set_up();
    review(4000000);
    ck_assert(clip_write(out, "old", 3));
    const sl_item *items[] = {mark};
    for (int64_t stop = 0; stop <= 100; stop += 50) {
        watcher w = {.stop_at = stop};
        sl_export_job job = job_of(items);
        job.progress = watch;
        job.cancelled = enough;
        job.user = &w;
        sl_export_result made;
        sl_error *err = NULL;
        ck_assert_int_eq(sl_export(&job, &made, &err), SL_E_CANCELLED);
        ck_assert_ptr_nonnull(err);
        sl_error_release(err);
        ck_assert_int_eq(w.done, stop);
        char names[200];
        clip_folder_list(dir, names, sizeof names);
        ck_assert_str_eq(names, "clip.mp4 out.mp4 ");
        sl_buf bytes = {0};
        ck_assert(clip_read(out, &bytes));
        ck_assert_uint_eq(bytes.len, 3);
        sl_buf_free(&bytes);
    }
    tear_down();
}
END_TEST

START_TEST(export__failures_have_a_reason_and_leave_nothing)
{
    char absent[CLIP_PATH_MAX];
    char nowhere[CLIP_PATH_MAX];
    char names[200];
    sl_export_result made;
    set_up();
    review(4000000);
    clip_join(absent, dir, "absent.mp4");
    clip_join(nowhere, dir, "no/such/folder.mp4");
    sl_export_job job = job_of(NULL);
    job.items_n = 0;
    job.source.path = absent;
    ck_assert_int_eq(sl_export(&job, &made, NULL), SL_E_NOT_FOUND);
    job = job_of(NULL);
    job.items_n = 0;
    job.path = nowhere;
    ck_assert_int_eq(sl_export(&job, &made, NULL), SL_E_NOT_FOUND);
    job = job_of(NULL);
    job.items_n = 0;
    job.voice = (const uint8_t *)"no voice";
    job.voice_len = 8;
    ck_assert_int_eq(sl_export(&job, &made, NULL), SL_E_INVALID);
    job = job_of(NULL);
    job.items_n = 0;
    job.encoder = "none of that name";
    ck_assert_int_eq(sl_export(&job, &made, NULL), SL_E_UNSUPPORTED);
    clip_folder_list(dir, names, sizeof names);
    ck_assert_str_eq(names, "clip.mp4 ");
    tear_down();
}
END_TEST

START_TEST(export__a_review_without_length_is_refused)
{
    set_up();
    sl_export_job job = job_of(NULL);
    sl_export_result made;
    job.items_n = 0;
    ck_assert_int_eq(sl_export(&job, &made, NULL), SL_E_INVALID);
    tear_down();
}
END_TEST

/* Sum over the decoded luma of a frame. */
static uint32_t decoded(sl_frames *f, int64_t t_us)
{
    const AVFrame *frame = NULL;
    uint32_t sum = 0;
    ck_assert_int_eq(sl_frames_at(f, t_us, &frame, NULL, NULL), SL_OK);
    for (int p = 0; p < 3; p++) {
        for (int y = 0; y < (p == 0 ? CLIP_HEIGHT : CLIP_HEIGHT / 2); y++) {
            for (int x = 0; x < (p == 0 ? CLIP_WIDTH : CLIP_WIDTH / 2); x++) {
                sum = sum * 31 + frame->data[p][y * frame->linesize[p] + x];
            }
        }
    }
    return sum;
}

static void mark_between(int64_t from_us, int64_t until_us)
{
    char event[128];
    (void)snprintf(event, sizeof event, "{\"t\":%d,\"do\":\"show\",\"item\":\"%s\"}", (int)from_us,
                   mark_id);
    add(event);
    (void)snprintf(event, sizeof event, "{\"t\":%d,\"do\":\"hide\",\"item\":\"%s\"}", (int)until_us,
                   mark_id);
    add(event);
}

/* Six seconds with a key frame every two; from `first` on they are played at 1x. */
static void check_copied(int first, int64_t from_us, int64_t until_us, const char *copied)
{
    char seek[64];
    set_up();
    clip_make(clip, 180, RATE, true);
    sl_timeline_drop(timeline);
    ck_assert_int_eq(sl_timeline_make(6000000, &timeline, NULL), SL_OK);
    (void)snprintf(seek, sizeof seek, "{\"t\":0,\"do\":\"seek\",\"to\":%d}",
                   first * 1000000 / RATE);
    add(seek);
    add("{\"t\":0,\"do\":\"play\"}");
    if (from_us >= 0) {
        mark_between(from_us, until_us);
    }
    int64_t length_us = 6000000 - (int64_t)first * 1000000 / RATE;
    ck_assert_int_eq(sl_timeline_finish(timeline, length_us, NULL), SL_OK);
    const sl_item *items[] = {mark};
    sl_export_job job = job_of(items);
    sl_export_result made;
    ck_assert_int_eq(sl_export(&job, &made, NULL), SL_OK);
    ck_assert_int_eq(made.frames, 180 - first);
    check_rules();
    sl_frames *a = NULL;
    sl_frames *b = NULL;
    sl_pixels p = clip_pixels(CLIP_WIDTH, CLIP_HEIGHT);
    char seen[8] = "";
    bool same = false;
    ck_assert_int_eq(sl_frames_open(SL_SOURCE_FILE(clip), &a, NULL), SL_OK);
    ck_assert_int_eq(sl_frames_open(SL_SOURCE_FILE(out), &b, NULL), SL_OK);
    for (int k = 0; k < 180 - first; k++) {
        int64_t t_us = (int64_t)k * 1000000 / RATE + 1;
        int64_t source_us = (int64_t)(k + first) * 1000000 / RATE + 1;
        ck_assert_int_eq(sl_frames_pixels(b, t_us, &p, NULL, NULL), SL_OK);
        ck_assert_int_eq(clip_number(&p), k + first);
        int64_t drawn_us = ((int64_t)k * 1000000 + RATE / 2) / RATE;
        ck_assert_int_eq(is_red(&p), drawn_us >= from_us && drawn_us < until_us);
        same = ((k + first) % 60 == 0 || same) && decoded(a, source_us) == decoded(b, t_us);
        if ((k + first) % 60 == 59) {
            (void)strcat(seen, same ? "c" : "e");
        }
    }
    ck_assert_str_eq(seen, copied);
    int64_t wanted = 0;
    for (const char *c = copied; *c != 0; c++) {
        wanted += *c == 'c' ? 60 : 0;
    }
    ck_assert_int_eq(made.copied, wanted);
    clip_pixels_free(&p);
    sl_frames_close(a);
    sl_frames_close(b);
    tear_down();
}

START_TEST(export__what_nothing_touches_is_copied_bit_for_bit)
{
    check_copied(0, 2500000, 3500000, "cec");
    check_copied(60, 500000, 600000, "ec");
    check_copied(0, 1999999, 2000001, "cec");
    check_copied(0, -1, -1, "ccc");
}
END_TEST

START_TEST(export__copies_nothing_when_told_not_to_or_when_the_size_differs)
{
    for (int i = 0; i < 2; i++) {
        set_up();
        add("{\"t\":0,\"do\":\"play\"}");
        ck_assert_int_eq(sl_timeline_finish(timeline, 3000000, NULL), SL_OK);
        sl_export_job job = job_of(NULL);
        sl_export_result made;
        job.items_n = 0;
        job.encode_all = i == 0;
        job.width = i == 0 ? 0 : CLIP_WIDTH / 2;
        job.height = i == 0 ? 0 : CLIP_HEIGHT / 2;
        ck_assert_int_eq(sl_export(&job, &made, NULL), SL_OK);
        ck_assert_int_eq(made.copied, 0);
        ck_assert_int_eq(made.frames, 90);
        tear_down();
    }
}
END_TEST

/* Every allocation of our own fails once; FFmpeg's are its own. */
START_TEST(export__running_out_of_memory_is_only_an_error)
{
    set_up();
    review(4000000);
    const sl_item *items[] = {mark};
    sl_export_job job = job_of(items);
    watcher w = {.stop_at = 60}; /* far enough: the mark has been drawn */
    job.progress = watch;
    job.cancelled = enough;
    job.user = &w;
    bool enough_memory = false;
    int failed = 0;
    for (uint64_t k = 1; k < 120 && !enough_memory; k++) {
        sl_export_result made;
        w.done = 0;
        (void)sl_mem_fail_at(k, false);
        sl_status status = sl_export(&job, &made, NULL);
        enough_memory = sl_mem_fail_at(0, false) < k;
        /* A clip whose sound cannot be opened for another reason is silent, not for this one. */
        ck_assert(status == SL_E_CANCELLED || (status == SL_E_NOMEM && !enough_memory));
        failed += status == SL_E_NOMEM; /* without room to keep drawings it goes on */
        char names[200];
        clip_folder_list(dir, names, sizeof names);
        ck_assert_str_eq(names, "clip.mp4 ");
    }
    ck_assert_int_gt(failed, 30);
    tear_down();
}
END_TEST

static sl_item *item_of(const char *text, const char *id)
{
    sl_item *item = NULL;
    sl_json *j = sl_json_parse(text, strlen(text));
    ck_assert_int_eq(sl_item_from_json(j, &item, NULL), SL_OK);
    sl_json_free(j);
    (void)snprintf(item->id, sizeof item->id, "%s", id);
    return item;
}

static int green_at(const sl_pixels *p, int32_t x, int32_t y)
{
    return p->data[(ptrdiff_t)y * p->stride + 4 * (ptrdiff_t)x + 1];
}

/* Frame 30 has its fourth to seventh block bright, and an even ground below. */
START_TEST(export__a_blur_and_a_magnifier_look_at_the_picture)
{
    set_up();
    sl_item *blur = item_of("{\"kind\":\"blur\",\"points\":[[0,0],[32768,9800]],\"in\":0,\"out\":"
                            "10000000}",
                            mark_id);
    sl_item *lens =
        item_of("{\"kind\":\"magnifier\",\"points\":[[16384,15000],[18000,15000],[18432,4900]],"
                "\"in\":0,\"out\":10000000}",
                gone_id);
    char show[128];
    add("{\"t\":0,\"do\":\"seek\",\"to\":1000000}");
    (void)snprintf(show, sizeof show, "{\"t\":0,\"do\":\"show\",\"item\":\"%s\"}", mark_id);
    add(show);
    (void)snprintf(show, sizeof show, "{\"t\":500000,\"do\":\"show\",\"item\":\"%s\"}", gone_id);
    add(show);
    ck_assert_int_eq(sl_timeline_finish(timeline, 1000000, NULL), SL_OK);
    const sl_item *items[] = {blur, lens};
    sl_export_job job = job_of(items);
    job.items_n = 2;
    sl_export_result made;
    ck_assert_int_eq(sl_export(&job, &made, NULL), SL_OK);
    sl_frames *f = NULL;
    sl_pixels p = clip_pixels(CLIP_WIDTH, CLIP_HEIGHT);
    ck_assert_int_eq(sl_frames_open(SL_SOURCE_FILE(out), &f, NULL), SL_OK);
    ck_assert_int_eq(sl_frames_pixels(f, 250000, &p, NULL, NULL), SL_OK);
    ck_assert_int_eq(clip_number(&p), 30); /* what is there, in cells, and not a cover */
    ck_assert_int_le(abs(green_at(&p, 160, 146) - 110), 8);
    ck_assert_int_eq(sl_frames_pixels(f, 750000, &p, NULL, NULL), SL_OK);
    ck_assert_int_gt(green_at(&p, 160, 146), 180);
    ck_assert_int_le(abs(green_at(&p, 260, 146) - 110), 8);
    sl_frames_close(f);
    clip_pixels_free(&p);
    sl_item_free(blur);
    sl_item_free(lens);
    tear_down();
}
END_TEST

SL_TEST_MAIN("media_export", export__shows_and_plays_what_the_timeline_says,
             export__without_a_voice_the_clip_is_as_loud_as_it_is, export__a_view_shows_its_part,
             export__a_cancel_leaves_what_was_there,
             export__failures_have_a_reason_and_leave_nothing,
             export__a_review_without_length_is_refused,
             export__what_nothing_touches_is_copied_bit_for_bit,
             export__copies_nothing_when_told_not_to_or_when_the_size_differs,
             export__running_out_of_memory_is_only_an_error,
             export__a_blur_and_a_magnifier_look_at_the_picture)
