/* render_bytes.c - what points of strokes take as they are stored: of workload W, or of a recording. */
#include "bench_render.h"

#include "annotation/codec.h"
#include "annotation/stroke.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BATCH = 8,
    LINE_MAX = 256
};

/* Sums over all strokes, in bytes. */
typedef struct sums {
    size_t strokes;
    size_t points;
    size_t kept; /* points */
    size_t captured;
    size_t stored;
    size_t stored_text; /* in the record's field, base64 */
    size_t places;      /* of what is stored: less the columns, and what each of them adds */
    size_t pressure;
    size_t times;
} sums;

static size_t bytes_of(const sl_geometry *geo)
{
    sl_buf bytes = {0};
    sl_geometry_encode(&bytes, geo);
    must(!bytes.failed, "encode");
    size_t n = bytes.len;
    sl_buf_free(&bytes);
    return n;
}

static void add_stored(sums *s, const sl_geometry *geo)
{
    size_t all = bytes_of(geo);
    sl_geometry less = *geo;
    less.pressure = NULL;
    size_t timed = bytes_of(&less);
    less.dt_ms = NULL;
    size_t places = bytes_of(&less);
    s->kept += geo->n;
    s->stored += all;
    s->stored_text += (all + 2) / 3 * 4;
    s->places += places;
    s->times += timed - places;
    s->pressure += all - timed;
}

static void report(const char *name, const sums *s)
{
    double n = (double)s->points;
    (void)printf("bytes a point, %s: %zu strokes, %zu points captured, %zu kept\n", name,
                 s->strokes, s->points, s->kept);
    (void)printf("  %.3f as captured; %.3f a captured point as stored (%.3f a kept one), %.3f as "
                 "the record's text\n",
                 (double)s->captured / n, (double)s->stored / n,
                 (double)s->stored / (double)s->kept, (double)s->stored_text / n);
    (void)printf("  a kept point's bits: %.2f places and head, %.2f time, %.2f pressure\n",
                 8.0 * (double)s->places / (double)s->kept,
                 8.0 * (double)s->times / (double)s->kept,
                 8.0 * (double)s->pressure / (double)s->kept);
}

void bench_bytes(const sl_drawing *d)
{
    sums s = {0};
    for (size_t i = 0; i < STROKES; i++) {
        sl_item *item = sl_item_clone(sl_drawing_at(d, i));
        if (item == NULL) {
            must(false, "memory");
            return;
        }
        s.strokes++;
        s.points += item->geo.n;
        s.captured += bytes_of(&item->geo);
        must(sl_stroke_simplify(&item->geo), "simplify");
        add_stored(&s, &item->geo);
        sl_item_free(item);
    }
    report("noise of 0.15 px", &s);
}

/* A stroke as a finger's or a pen's reports make it, through the filter, kept as it is by default. */
static void add_stroke(sums *s, const float *xypt, size_t n)
{
    static const char style[] = "{\"kind\":\"pen\",\"in\":0,\"out\":1000000}";
    sl_json *j = sl_json_parse(style, sizeof style - 1);
    sl_item *item = NULL;
    must(j != NULL && sl_item_from_json_open(j, &item, NULL) == SL_OK, "a style");
    sl_json_free(j);
    sl_stroke *stroke = sl_stroke_new(item);
    must(stroke != NULL, "memory");
    for (size_t i = 0; i < n; i += BATCH) {
        size_t part = n - i < BATCH ? n - i : BATCH;
        must(sl_stroke_points(stroke, xypt + 4 * i, part, NULL) == SL_OK, "points");
    }
    s->strokes++;
    s->points += n;
    s->captured += bytes_of(&sl_stroke_now(stroke)->geo);
    must(sl_stroke_finish(stroke, &item, NULL) == SL_OK, "finish");
    add_stored(s, &item->geo);
    sl_item_free(item);
}

/* Four numbers of a line; false: it has not as many. */
static bool numbers_of(const char *line, double v[4])
{
    for (int i = 0; i < 4; i++) {
        char *end = NULL;
        v[i] = strtod(line, &end);
        if (end == line) {
            return false;
        }
        line = end;
    }
    return true;
}

void bench_recording(const char *path)
{
    FILE *f = fopen(path, "r");
    must(f != NULL, path);
    sums s = {0};
    sl_buf points = {0};
    double first = 0;
    char line[LINE_MAX];
    for (bool more = true; more;) {
        more = fgets(line, sizeof line, f) != NULL;
        double v[4] = {0};
        if (more && numbers_of(line, v)) {
            first = points.len == 0 ? v[2] : first;
            float q[4] = {(float)v[0], (float)v[1], (float)v[3], (float)((v[2] - first) / 1000)};
            sl_buf_put(&points, q, sizeof q);
        } else {
            must(!more || line[strspn(line, " \t\r\n")] == 0, "a line of x y t_us pressure");
            if (points.len > 0) {
                add_stroke(&s, (const float *)(const void *)points.data, points.len / 16);
            }
            sl_buf_clear(&points);
        }
    }
    must(!points.failed && s.points > 0, "the recording");
    report(path, &s);
    sl_buf_free(&points);
    (void)fclose(f);
}
