/*
 * What media work costs, against the same library bare in the same run: CPU time of the process,
 * rounds interleaved, the best of each.
 *
 *   bench_media CLIP [ROUNDS [PART]]    a clip of 1080p with 30 frames a second, 10 s or longer
 */
#include "base/json.h"
#include "base/mem.h"
#include "media/av.h"
#include "media/between.h"
#include "media/encoder.h"
#include "media/export.h"
#include "media/frame.h"
#include "media/ladder.h"
#include "media/picture.h"
#include "media/probe.h"
#include "media/scrub.h"
#include "media/thumb.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum {
    ROUNDS = 3,
    SECONDS_MAX = 30,
    SEEKS = 40,
    MOVES = 400,
    BETWEEN = 60,
    TONED = 30,
    WORD = 1024,
    THUMB_US = 5000000
};

static const char *g_clip;
static sl_probe g_probe;
static int64_t g_length_us;

static double cpu_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double thread_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double wall_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(bool ok, const char *what)
{
    if (!ok) {
        (void)fprintf(stderr, "bench_media: %s failed\n", what);
        exit(1);
    }
}

static void must_be_ok(sl_status status, const sl_error *err, const char *what)
{
    if (status != SL_OK) {
        (void)fprintf(stderr, "bench_media: %s: %s\n", what,
                      err != NULL ? sl_error_message(err) : sl_status_name(status));
        exit(1);
    }
}

/* ---- bare: decode, encode, write nothing ---- */

static void bare_export(void)
{
    sl_clip c = {0};
    AVFrame *frame = av_frame_alloc();
    AVPacket *packet = av_packet_alloc();
    AVCodecContext *e = NULL;
    sl_encoder_config config = {.width = g_probe.width,
                                .height = g_probe.height,
                                .time_base = {g_probe.rate_den, g_probe.rate_num},
                                .rate = {g_probe.rate_num, g_probe.rate_den},
                                .is_709 = true,
                                .gop = 60};
    must(sl_clip_open(&c, SL_SOURCE_FILE(g_clip), NULL) == SL_OK &&
             sl_clip_decode(&c, AVMEDIA_TYPE_VIDEO, NULL) == SL_OK &&
             sl_encoder_open(&config, &e, NULL) == SL_OK,
         "the bare run");
    bool end = false;
    for (int64_t k = 0; !end && k * 1000000 / 30 < g_length_us; k++) {
        must(sl_clip_next(&c, frame, &end, NULL) == SL_OK, "decoding");
        if (!end) {
            frame->pts = k;
            frame->pict_type = AV_PICTURE_TYPE_NONE;
            must(avcodec_send_frame(e, frame) >= 0, "encoding");
        }
        av_frame_unref(frame);
        while (avcodec_receive_packet(e, packet) >= 0) {
            av_packet_unref(packet);
        }
    }
    (void)avcodec_send_frame(e, NULL);
    while (avcodec_receive_packet(e, packet) >= 0) {
        av_packet_unref(packet);
    }
    avcodec_free_context(&e);
    av_packet_free(&packet);
    av_frame_free(&frame);
    sl_clip_close(&c);
}

/* ---- the export ---- */

static sl_item *pen(int number, double phase)
{
    sl_buf text = {0};
    sl_item *item = NULL;
    sl_buf_str(&text, "{\"kind\":\"pen\",\"points\":[");
    for (int i = 0; i < 120; i++) {
        double a = (double)i / 120.0 * 6.28 + phase;
        sl_buf_fmt(&text, "%s[%d,%d]", i > 0 ? "," : "", (int)(12000 + 6000 * cos(a)),
                   (int)(9000 + 5000 * sin(a)));
    }
    sl_buf_str(&text, "],\"times\":[");
    for (int i = 0; i < 120; i++) {
        sl_buf_fmt(&text, "%s%d", i > 0 ? "," : "", i * 25);
    }
    sl_buf_str(&text,
               "],\"style\":{\"color\":\"#FFCC00\",\"width\":300},\"in\":0,\"out\":36000000000}");
    sl_json *j = sl_json_parse(sl_buf_text(&text), text.len);
    sl_error *err = NULL;
    must_be_ok(sl_item_from_json(j, &item, &err), err, "an item");
    (void)snprintf(item->id, sizeof item->id, "00000000-0000-7000-8000-%012d", number);
    sl_json_free(j);
    sl_buf_free(&text);
    return item;
}

static void add(sl_timeline *t, const char *event)
{
    sl_json *j = sl_json_parse(event, strlen(event));
    must(j != NULL && sl_timeline_push_json(t, j, NULL) == SL_OK, "an event");
    sl_json_free(j);
}

/* A pen that grows, a new one every three seconds, from `from` to `until` seconds. */
static sl_timeline *ink_between(int from, int until)
{
    sl_timeline *t = NULL;
    char event[128];
    must(sl_timeline_make(g_probe.duration_us, &t, NULL) == SL_OK, "a timeline");
    add(t, "{\"t\":0,\"do\":\"play\"}");
    for (int s = from; s < until; s += 3) {
        (void)snprintf(
            event, sizeof event,
            "{\"t\":%d000000,\"do\":\"show\",\"item\":\"00000000-0000-7000-8000-%012d\"}", s,
            (s - from) / 3);
        add(t, event);
    }
    for (int s = from; s < until; s += 3) {
        (void)snprintf(
            event, sizeof event,
            "{\"t\":%d000000,\"do\":\"hide\",\"item\":\"00000000-0000-7000-8000-%012d\"}", until,
            (s - from) / 3);
        add(t, event);
    }
    must(sl_timeline_finish(t, g_length_us, NULL) == SL_OK, "an end");
    return t;
}

static sl_export_result export(const sl_timeline *t, bool encode_all)
{
    sl_item *items[10];
    sl_export_result made;
    sl_error *err = NULL;
    for (int i = 0; i < 10; i++) {
        items[i] = pen(i, i * 0.3);
    }
    sl_export_job job = {.source = {.path = g_clip},
                         .timeline = t,
                         .items = (const sl_item *const *)items,
                         .items_n = 10,
                         .path = "bench_media.mp4",
                         .encode_all = encode_all};
    must_be_ok(sl_export(&job, &made, &err), err, "the export");
    for (int i = 0; i < 10; i++) {
        sl_item_free(items[i]);
    }
    return made;
}

typedef struct best {
    double cpu;
    double wall;
} best;

static void keep(best *b, double cpu, double wall)
{
    b->cpu = b->cpu == 0 || cpu < b->cpu ? cpu : b->cpu;
    b->wall = b->wall == 0 || wall < b->wall ? wall : b->wall;
}

static void bench_export(int rounds)
{
    best bare = {0, 0};
    best full = {0, 0};
    best plain = {0, 0};
    best copied = {0, 0};
    sl_export_result made = {0};
    int seconds = (int)(g_length_us / 1000000);
    sl_timeline *all = ink_between(0, seconds);
    sl_timeline *none = ink_between(0, 0);
    sl_timeline *some = ink_between(seconds / 3, seconds / 3 + 3);
    for (int i = 0; i < rounds; i++) {
        double c = cpu_s();
        double w = wall_s();
        bare_export();
        keep(&bare, cpu_s() - c, wall_s() - w);
        c = cpu_s();
        w = wall_s();
        (void)export(none, true);
        keep(&plain, cpu_s() - c, wall_s() - w);
        c = cpu_s();
        w = wall_s();
        (void)export(all, true);
        keep(&full, cpu_s() - c, wall_s() - w);
        c = cpu_s();
        w = wall_s();
        made = export(some, false);
        keep(&copied, cpu_s() - c, wall_s() - w);
    }
    (void)printf("export with ink in each picture: %.2f s CPU, bare decode and encode %.2f s: %.3f"
                 " of its speed (wall %.2f and %.2f s)\n",
                 full.cpu, bare.cpu, bare.cpu / full.cpu, full.wall, bare.wall);
    (void)printf("the same without ink: %.2f s CPU: %.3f (wall %.2f s)\n", plain.cpu,
                 bare.cpu / plain.cpu, plain.wall);
    (void)printf(
        "%d s with 3 s of ink, %d of %d pictures copied: %.2f s CPU, %.3f of encoding all\n",
        seconds, (int)made.copied, (int)made.frames, copied.cpu, copied.cpu / full.cpu);
    sl_timeline_drop(all);
    sl_timeline_drop(none);
    sl_timeline_drop(some);
}

/* ---- frames ---- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double part_of(double *v, size_t n, double part)
{
    qsort(v, n, sizeof *v, by_value);
    return v[(size_t)((double)(n - 1) * part)];
}

/* The frame at a time as the bare library finds it: seek, decode up to it. */
static void bare_seek(sl_clip *c, AVFrame *frame, int64_t t_us)
{
    bool end = false;
    must(sl_clip_seek(c, t_us), "seeking");
    for (;;) {
        must(sl_clip_next(c, frame, &end, NULL) == SL_OK, "decoding");
        if (end || sl_clip_us(c, frame->best_effort_timestamp) + 20000 >= t_us) {
            return;
        }
    }
}

static int64_t place(int i)
{
    return g_length_us / 1000 * ((int64_t)i * 379 % 997) / 997 * 1000;
}

static void bench_seeks(void)
{
    double bare[SEEKS];
    double ours[SEEKS];
    double moving[MOVES];
    sl_clip c = {0};
    sl_frames *f = NULL;
    sl_scrub *s = NULL;
    AVFrame *frame = av_frame_alloc();
    const AVFrame *found = NULL;
    sl_pixels p = {.struct_size = sizeof p, .width = 1920, .height = 1080, .stride = 1920 * 4};
    p.data = sl_mem((size_t)p.stride * (size_t)p.height);
    must(sl_clip_open(&c, SL_SOURCE_FILE(g_clip), NULL) == SL_OK &&
             sl_clip_decode(&c, AVMEDIA_TYPE_VIDEO, NULL) == SL_OK &&
             sl_frames_open(SL_SOURCE_FILE(g_clip), &f, NULL) == SL_OK &&
             sl_scrub_open(SL_SOURCE_FILE(g_clip), 0, &s, NULL) == SL_OK && p.data != NULL,
         "opening");
    double built = cpu_s();
    sl_scrub_wait(s);
    built = cpu_s() - built;
    for (int i = 0; i < SEEKS; i++) {
        double t = cpu_s();
        bare_seek(&c, frame, place(i));
        bare[i] = (cpu_s() - t) * 1000;
        t = cpu_s();
        must(sl_frames_at(f, place(i), &found, NULL, NULL) == SL_OK, "a frame");
        ours[i] = (cpu_s() - t) * 1000;
    }
    for (int i = 0; i < MOVES; i++) { /* of this thread: the decoders' are not at rest yet */
        double t = thread_s();
        must(sl_scrub_pixels(s, place(i), &p, NULL, NULL) == SL_OK, "a still");
        moving[i] = (thread_s() - t) * 1000;
    }
    double sum = 0;
    double sum_bare = 0;
    for (int i = 0; i < SEEKS; i++) {
        sum += ours[i];
        sum_bare += bare[i];
    }
    (void)printf(
        "settled exact frame: p50 %.1f, p95 %.1f ms; bare p50 %.1f, p95 %.1f: %.3f of bare\n",
        part_of(ours, SEEKS, 0.5), part_of(ours, SEEKS, 0.95), part_of(bare, SEEKS, 0.5),
        part_of(bare, SEEKS, 0.95), sum / sum_bare);
    (void)printf(
        "while the finger moves, 1080p pixels: p50 %.1f, p95 %.1f ms; stills made in %.2f s"
        " CPU\n",
        part_of(moving, MOVES, 0.5), part_of(moving, MOVES, 0.95), built);
    sl_scrub_close(s);
    sl_frames_close(f);
    sl_clip_close(&c);
    av_frame_free(&frame);
    sl_mem_free(p.data);
}

static void bench_thumbnail(int rounds)
{
    double best_ms = 0;
    for (int i = 0; i < rounds * 5; i++) {
        sl_buf jpeg = {0};
        sl_thumb made;
        double t = cpu_s();
        must(sl_thumb_make(SL_SOURCE_FILE(g_clip), THUMB_US, 0, &jpeg, &made, NULL) == SL_OK,
             "the thumbnail");
        t = (cpu_s() - t) * 1000;
        best_ms = i == 0 || t < best_ms ? t : best_ms;
        sl_buf_free(&jpeg);
    }
    (void)printf("thumbnail at 5 s, file opened and closed: %.1f ms CPU\n", best_ms);
}

static void bench_ladder(void)
{
    sl_ladder ladder;
    sl_cmaf_index index[SL_LADDER_RUNGS];
    sl_ladder_job job = {.path = g_clip,
                         .ladder = &ladder,
                         .to = {"bench_1080.mp4", "bench_720.mp4", "bench_480.mp4"}};
    double c = cpu_s();
    must(sl_ladder_plan(g_clip, &ladder, NULL) == SL_OK, "the plan");
    must(ladder.rungs[0].copied, "an original that players take");
    must(sl_ladder_copy(&job, &index[0], NULL) == SL_OK, "the copy");
    sl_cmaf_index_free(&index[0]);
    double first = cpu_s() - c;
    must(sl_ladder_encode(&job, index, NULL) == SL_OK, "the rungs");
    double all = cpu_s() - c;
    (void)printf(
        "ladder of %.0f s: %.2f s CPU until it can be watched, %.2f s in all, %.1f ms a frame\n",
        (double)g_probe.duration_us / 1e6, first, all, all * 1000 / (double)g_probe.frames);
    for (size_t i = 0; i < SL_LADDER_RUNGS; i++) {
        sl_cmaf_index_free(&index[i]);
        (void)remove(job.to[i]);
    }
}

/* The same outputs by the ffmpeg program, once each: CPU seconds. */
static double by_ffmpeg(const char *how)
{
    char command[WORD];
    struct rusage before;
    struct rusage after;
    (void)snprintf(command, sizeof command,
                   "ffmpeg -nostdin -v error -y -i '%s' %s -movflags "
                   "+frag_keyframe+empty_moov+default_base_moof bench_peer.mp4",
                   g_clip, how);
    (void)getrusage(RUSAGE_CHILDREN, &before);
    must(system(command) == 0, "ffmpeg"); /* NOLINT: the path is the one given */
    (void)getrusage(RUSAGE_CHILDREN, &after);
    (void)remove("bench_peer.mp4");
    return (double)(after.ru_utime.tv_sec - before.ru_utime.tv_sec) +
           (double)(after.ru_stime.tv_sec - before.ru_stime.tv_sec) +
           (double)(after.ru_utime.tv_usec - before.ru_utime.tv_usec) / 1e6 +
           (double)(after.ru_stime.tv_usec - before.ru_stime.tv_usec) / 1e6;
}

static void bench_three_runs(void)
{
    double copied = by_ffmpeg("-c copy");
    double large = by_ffmpeg("-c:v libx264 -preset veryfast -crf 23 -g 60 -c:a aac -b:a 128k");
    double small = by_ffmpeg("-vf scale=-2:720 -c:v libx264 -preset veryfast -crf 23 -g 60 "
                             "-c:a aac -b:a 128k") +
                   by_ffmpeg("-vf scale=-2:480 -c:v libx264 -preset veryfast -crf 23 -g 60 "
                             "-c:a aac -b:a 128k");
    (void)printf("the same by three runs of ffmpeg: %.2f s CPU; %.2f s when the first one copies\n",
                 large + small, copied + small);
}

static double difference(const AVFrame *a, const AVFrame *b)
{
    double sum = 0;
    for (int y = 0; y < a->height; y++) {
        for (int x = 0; x < a->width; x++) {
            double d = a->data[0][(ptrdiff_t)y * a->linesize[0] + x] -
                       b->data[0][(ptrdiff_t)y * b->linesize[0] + x];
            sum += d * d;
        }
    }
    return sum / a->width / a->height;
}

static double decibels(double mean_square)
{
    return 10 * log10(255.0 * 255.0 / mean_square);
}

/* Every second frame is made of those beside it, and compared with what it is. */
static void bench_between(void)
{
    sl_frames *f = NULL;
    sl_scaler scaler = {0};
    const AVFrame *frame = NULL;
    AVFrame *p[4];
    double wrong[3] = {0, 0, 0};
    double took = 0;
    must(sl_frames_open(SL_SOURCE_FILE(g_clip), &f, NULL) == SL_OK, "opening");
    sl_between *b = sl_between_new(g_probe.width, g_probe.height);
    for (int i = 0; i < 4; i++) {
        p[i] = sl_picture_new(AV_PIX_FMT_YUV420P, g_probe.width, g_probe.height);
        must(p[i] != NULL && b != NULL, "memory");
    }
    must(sl_frames_at(f, 2000000, &frame, NULL, NULL) == SL_OK &&
             sl_picture_convert(&scaler, frame, 0, false, p[0], NULL) == SL_OK,
         "a frame");
    for (int k = 0; k < BETWEEN; k++) {
        for (int i = 1; i <= 2; i++) {
            must(sl_frames_step(f, 1, &frame, NULL, NULL) == SL_OK &&
                     sl_picture_convert(&scaler, frame, 0, false, p[i], NULL) == SL_OK,
                 "a step");
        }
        double from = cpu_s();
        sl_between_learn(b, p[0], p[2]);
        sl_between_make(b, SL_BETWEEN_WHOLE / 2, p[3]);
        took += cpu_s() - from;
        wrong[0] += difference(p[1], p[3]);
        wrong[1] += difference(p[1], p[0]);
        must(av_frame_copy(p[3], p[0]) >= 0, "a copy");
        sl_picture_mix(p[2], p[3], 0, 0, SL_BETWEEN_WHOLE / 2);
        wrong[2] += difference(p[1], p[3]);
        AVFrame *next = p[2];
        p[2] = p[0];
        p[0] = next;
    }
    (void)printf("slow motion, %d frames left out and made again: %.2f dB, blending %.2f, "
                 "repeating %.2f; %.1f ms CPU each\n",
                 BETWEEN, decibels(wrong[0] / BETWEEN), decibels(wrong[2] / BETWEEN),
                 decibels(wrong[1] / BETWEEN), took * 1000 / BETWEEN);
    for (int i = 0; i < 4; i++) {
        av_frame_free(&p[i]);
    }
    sl_between_free(b);
    sl_scaler_free(&scaler);
    sl_frames_close(f);
}

/* The same picture with two bits more, as a phone's HLG. */
static void deepen(const AVFrame *from, AVFrame *to)
{
    for (int p = 0; p < 3; p++) {
        int w = p == 0 ? from->width : from->width / 2;
        int h = p == 0 ? from->height : from->height / 2;
        for (int y = 0; y < h; y++) {
            const uint8_t *in = from->data[p] + (ptrdiff_t)y * from->linesize[p];
            uint16_t *out = (uint16_t *)(void *)(to->data[p] + (ptrdiff_t)y * to->linesize[p]);
            for (int x = 0; x < w; x++) {
                out[x] = (uint16_t)(in[x] * 4);
            }
        }
    }
    to->color_trc = AVCOL_TRC_ARIB_STD_B67;
    to->color_primaries = AVCOL_PRI_BT2020;
    to->colorspace = AVCOL_SPC_BT2020_NCL;
}

static AVCodecContext *open_encoder(void)
{
    AVCodecContext *e = NULL;
    sl_encoder_config config = {.width = g_probe.width,
                                .height = g_probe.height,
                                .time_base = {1, 30},
                                .rate = {30, 1},
                                .is_709 = true,
                                .gop = 60};
    must(sl_encoder_open(&config, &e, NULL) == SL_OK, "the encoder");
    return e;
}

/* HLG to BT.709, and encoding what comes of it. */
static void bench_tone(void)
{
    sl_frames *f = NULL;
    sl_scaler scaler = {0};
    const AVFrame *frame = NULL;
    AVFrame *deep[TONED];
    AVFrame *made[TONED];
    AVPacket *packet = av_packet_alloc();
    AVCodecContext *e = open_encoder();
    must(packet != NULL && sl_frames_open(SL_SOURCE_FILE(g_clip), &f, NULL) == SL_OK &&
             sl_frames_at(f, 2000000, &frame, NULL, NULL) == SL_OK,
         "opening");
    for (int k = 0; k < TONED; k++) {
        deep[k] = sl_picture_new(AV_PIX_FMT_YUV420P10, g_probe.width, g_probe.height);
        made[k] = sl_picture_new(AV_PIX_FMT_YUV420P, g_probe.width, g_probe.height);
        must(deep[k] != NULL && made[k] != NULL, "memory");
        must(sl_frames_step(f, 1, &frame, NULL, NULL) == SL_OK, "a step");
        deepen(frame, deep[k]);
    }
    sl_frames_close(f);
    double from = cpu_s();
    for (int k = 0; k < TONED; k++) {
        must(sl_picture_convert(&scaler, deep[k], 0, false, made[k], NULL) == SL_OK, "converting");
    }
    double toning = (cpu_s() - from) * 1000 / TONED;
    from = cpu_s();
    for (int k = 0; k <= TONED; k++) {
        if (k < TONED) {
            made[k]->pts = k;
        }
        must(avcodec_send_frame(e, k < TONED ? made[k] : NULL) >= 0, "encoding");
        while (avcodec_receive_packet(e, packet) >= 0) {
            av_packet_unref(packet);
        }
    }
    double encoding = (cpu_s() - from) * 1000 / TONED;
    (void)printf("HLG to BT.709, %d pictures of 1080p: %.1f ms CPU each, %.2f of encoding them "
                 "(%.1f ms)\n",
                 TONED, toning, toning / encoding, encoding);
    for (int k = 0; k < TONED; k++) {
        av_frame_free(&deep[k]);
        av_frame_free(&made[k]);
    }
    avcodec_free_context(&e);
    av_packet_free(&packet);
    sl_scaler_free(&scaler);
}

static bool is_wanted(const char *part, const char *name)
{
    return part == NULL || strcmp(part, name) == 0;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        (void)fprintf(
            stderr,
            "usage: bench_media CLIP [ROUNDS [thumbnail|seeks|between|tone|ladder|export]]\n");
        return 2;
    }
    g_clip = argv[1];
    sl_error *err = NULL;
    must_be_ok(sl_probe_file(g_clip, &g_probe, &err), err, "the clip");
    g_length_us = g_probe.duration_us < (int64_t)SECONDS_MAX * 1000000
                      ? g_probe.duration_us
                      : (int64_t)SECONDS_MAX * 1000000;
    int rounds = argc > 2 ? atoi(argv[2]) : ROUNDS;
    const char *part = argc > 3 ? argv[3] : NULL;
    if (is_wanted(part, "thumbnail")) {
        bench_thumbnail(rounds);
    }
    if (is_wanted(part, "seeks")) {
        bench_seeks();
    }
    if (is_wanted(part, "between")) {
        bench_between();
    }
    if (is_wanted(part, "tone")) {
        bench_tone();
    }
    if (is_wanted(part, "ladder")) {
        bench_ladder();
        bench_three_runs();
    }
    if (is_wanted(part, "export")) {
        bench_export(rounds);
    }
    (void)remove("bench_media.mp4");
    return 0;
}
