/*
 * bench_review SPEECH.wav - a review's state at any time of a log of an hour, and how large five minutes
 * with their drawings and their voice are. Wall clock of single calls; bytes as they are stored.
 */
#include "annotation/codec.h"
#include "annotation/item.h"
#include "base/mem.h"
#include "base/prng.h"
#include "examples/cli/wav.h"
#include "review/timeline.h"
#include "voice/regroup.h"
#include "voice/take.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    PART_S = 300, /* what happens in five minutes: */
    TURNS = 40,   /* play or pause */
    MOVES = 2400, /* of a finger over the clip */
    STROKES = 60,
    POINTS = 180, /* of each, 120 a second */
    VIEWS = 20,
    HOUR_PARTS = 12,
    ASKED = 20000,
    SHOWN_MAX = 256,
    RATE = 48000
};

static void must(bool ok, const char *what)
{
    if (!ok) {
        (void)fprintf(stderr, "bench_review: %s failed\n", what);
        exit(1);
    }
}

static double wall_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* ---- the log ---- */

static void push(sl_timeline *t, sl_event e)
{
    must(sl_timeline_push(t, &e, NULL) == SL_OK, "an event");
}

static void name_item(sl_event *e, int part, int stroke)
{
    (void)snprintf(e->item, sizeof e->item, "01900000-0000-7000-8000-%06u%06u",
                   (unsigned)part % 1000000U, (unsigned)stroke % 1000000U);
}

/* Strokes are drawn one after the other; each fourth time all that are there go. */
static void draw(sl_timeline *t, sl_event e, int stroke, int part)
{
    e.kind = SL_EVENT_DRAW;
    name_item(&e, part, stroke);
    push(t, e);
    for (int i = 3; i >= 0 && stroke % 4 == 3; i--) {
        e.kind = SL_EVENT_ERASE;
        name_item(&e, part, stroke - i);
        push(t, e);
    }
}

static sl_timeline *make_log(int parts)
{
    sl_timeline *t = NULL;
    must(sl_timeline_make((int64_t)60 * 1000000, &t, NULL) == SL_OK, "a timeline");
    for (int k = 0; k < parts * MOVES; k++) {
        int in_part = k % MOVES;
        sl_event e = {.t_us = (int64_t)k * PART_S * 1000000 / MOVES,
                      .kind = SL_EVENT_SEEK,
                      .to_us = (int64_t)(30 + 29 * sin(k * 0.02)) * 1000000 + k % 997 * 33};
        push(t, e);
        if (in_part % (MOVES / TURNS) == 0) {
            e.kind = in_part / (MOVES / TURNS) % 2 == 0 ? SL_EVENT_PLAY : SL_EVENT_PAUSE;
            push(t, e);
        }
        if (in_part % (MOVES / VIEWS) == 0) {
            e.kind = SL_EVENT_VIEW;
            e.view = (sl_view){k % 9000, k % 5000, 1000 + k % 2000};
            push(t, e);
        }
        if (in_part % (MOVES / STROKES) == 0) {
            draw(t, e, in_part / (MOVES / STROKES), k / MOVES);
        }
    }
    must(sl_timeline_finish(t, (int64_t)parts * PART_S * 1000000, NULL) == SL_OK, "the end");
    return t;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static void bench_state(void)
{
    static double took[ASKED];
    static double json_took[ASKED];
    static sl_timeline_shown shown[SHOWN_MAX];
    sl_timeline *t = make_log(HOUR_PARTS);
    sl_buf bytes = {0};
    sl_prng random;
    size_t most = 0;
    sl_prng_seed(&random, 9);
    for (int i = 0; i < ASKED; i++) {
        int64_t at = (int64_t)sl_prng_below(&random, (uint64_t)HOUR_PARTS * PART_S * 1000000);
        sl_timeline_state_t state;
        double from = wall_us();
        sl_timeline_at(t, at, &state);
        size_t n = sl_timeline_visible(t, at, shown, SHOWN_MAX);
        took[i] = wall_us() - from;
        most = n > most ? n : most;
        from = wall_us();
        sl_json *j = sl_timeline_state_json(t, at);
        json_took[i] = wall_us() - from;
        must(j != NULL, "a state");
        sl_json_free(j);
    }
    qsort(took, ASKED, sizeof took[0], by_value);
    qsort(json_took, ASKED, sizeof json_took[0], by_value);
    sl_timeline_write(t, &bytes);
    (void)printf("state at %d times of an hour's log (%zu bytes, at most %zu drawings): p50 %.2f, "
                 "p99 %.2f, p99.9 %.1f us; as JSON p50 %.1f, p99 %.1f, p99.9 %.1f us\n",
                 ASKED, bytes.len, most, took[ASKED / 2], took[ASKED / 100 * 99],
                 took[ASKED / 1000 * 999], json_took[ASKED / 2], json_took[ASKED / 100 * 99],
                 json_took[ASKED / 1000 * 999]);
    sl_buf_free(&bytes);
    sl_timeline_drop(t);
}

/* ---- the size ---- */

static size_t log_bytes(void)
{
    sl_buf bytes = {0};
    sl_timeline *t = make_log(1);
    sl_timeline_write(t, &bytes);
    size_t n = bytes.len;
    sl_buf_free(&bytes);
    sl_timeline_drop(t);
    return n;
}

/* A stroke as a hand draws it: bends that change, pressure, and some noise. */
static size_t ink_bytes(void)
{
    size_t sum = 0;
    sl_prng random;
    sl_prng_seed(&random, 4);
    for (int k = 0; k < STROKES; k++) {
        sl_buf written = {0};
        sl_buf out = {0};
        sl_item *item = NULL;
        sl_buf_str(&written, "{\"kind\":\"pen\",\"points\":[");
        for (int i = 0; i < POINTS; i++) {
            double a = i * 0.05 + k;
            int noise = (int)sl_prng_below(&random, 5) - 2;
            sl_buf_fmt(&written, "%s[%d,%d]", i > 0 ? "," : "",
                       (int)(15000 + 9000 * cos(a) + 900 * sin(3.1 * a)) + noise,
                       (int)(9000 + 6000 * sin(1.3 * a)) + noise);
        }
        sl_buf_str(&written, "],\"times\":[");
        for (int i = 0; i < POINTS; i++) {
            sl_buf_fmt(&written, "%s%d", i > 0 ? "," : "", i * 1000 / 120);
        }
        sl_buf_str(&written,
                   "],\"style\":{\"color\":\"#FFCC00\",\"width\":300},\"in\":0,\"out\":1}");
        sl_json *j = sl_json_parse(sl_buf_text(&written), written.len);
        must(j != NULL && sl_item_from_json(j, &item, NULL) == SL_OK, "a stroke");
        sl_geometry_encode(&out, &item->geo);
        sum += out.len;
        sl_json_free(j);
        sl_item_free(item);
        sl_buf_free(&out);
        sl_buf_free(&written);
    }
    return sum;
}

static sl_status keep(void *user, const uint8_t *p, size_t n, int64_t at, sl_error **err)
{
    sl_buf *file = user;
    size_t over = file->len - (size_t)at;
    over = over < n ? over : n;
    if (over > 0) {
        memcpy(file->data + at, p, over);
    }
    sl_buf_put(file, p + over, n - over);
    return file->failed ? sl_fail_nomem(err) : SL_OK;
}

/* The speech again and again, five minutes. */
static size_t voice_bytes(const char *path)
{
    wav w;
    sl_buf file = {0};
    sl_take *take = NULL;
    sl_take_config config = {
        .spool = {.bitrate = SL_TAKE_BITRATE, .complexity = SL_TAKE_COMPLEXITY, .serial = 1}};
    must(wav_read(path, &w) == NULL && w.channels == 1, "reading the speech (one channel)");
    config.spool.rate = (int32_t)w.rate;
    config.spool.file = (sl_spool_file){keep, NULL, NULL, &file};
    must(sl_take_new(&config, &take, NULL) == SL_OK, "a recorder");
    must(sl_take_command_run(take, SL_TAKE_RECORD, 0, NULL) == SL_OK, "recording");
    for (uint64_t at = 0; at < (uint64_t)PART_S * w.rate; at += w.rate / 100) {
        float block[RATE / 100];
        for (uint32_t i = 0; i < w.rate / 100; i++) {
            block[i] = (float)w.samples[(at + i) % w.frames] / 32768.0F;
        }
        must(sl_take_push(take, block, w.rate / 100, NULL) == SL_OK, "a push");
    }
    must(sl_take_command_run(take, SL_TAKE_FINISH, 0, NULL) == SL_OK, "the end of the voice");
    sl_take_free(take);
    wav_free(&w);
    sl_regroup g = {.ended = false}; /* as it is kept */
    sl_buf kept = {0};
    must(sl_regroup_put(&g, file.data, file.len, &kept, NULL) == SL_OK &&
             sl_regroup_end(&g, NULL) == SL_OK,
         "keeping the voice");
    size_t n = kept.len;
    sl_regroup_free(&g);
    sl_buf_free(&kept);
    sl_buf_free(&file);
    return n;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        (void)fprintf(stderr, "usage: bench_review SPEECH.wav\n");
        return 2;
    }
    bench_state();
    size_t log = log_bytes();
    size_t ink = ink_bytes();
    size_t voice = voice_bytes(argv[1]);
    (void)printf("five minutes: log %zu, %d strokes of %d points %zu, voice %zu: %zu bytes\n", log,
                 STROKES, POINTS, ink, voice, log + ink + voice);
    return 0;
}
