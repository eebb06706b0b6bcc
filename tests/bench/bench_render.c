/*
 * What drawing costs, against Cairo in the same run: thread CPU time, rounds interleaved, the best of each.
 *
 * Workload W: 200 strokes of 120 points (mean step 5.5 pixels at 1080p, pressure), 40 arrows, 20
 * ellipses, 20 labels. The typical overlay: 12 strokes, 4 arrows, 2 ellipses, 3 labels.
 */
#include "bench_render.h"

#include "annotation/drawing.h"
#include "annotation/stroke.h"
#include "base/mem.h"
#include "base/prng.h"
#include "render/canvas.h"
#include "render/outline.h"
#include "render/raster.h"
#include "render/render.h"

#include <cairo.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    HITS = 2000
};

double now_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

double best_of(const double *v, int n)
{
    double best = v[0];
    for (int i = 1; i < n; i++) {
        best = v[i] < best ? v[i] : best;
    }
    return best;
}

double part_of(double *v, int n, double part)
{
    qsort(v, (size_t)n, sizeof *v, by_value);
    return v[(int)((n - 1) * part)];
}

void must(bool ok, const char *what)
{
    if (!ok) {
        (void)fprintf(stderr, "bench_render: %s failed\n", what);
        exit(1);
    }
}

static double random_to(sl_prng *r, double max)
{
    return (double)sl_prng_below(r, 1000000) / 1000000.0 * max;
}

static sl_item *new_item(sl_kind kind, uint32_t n, int32_t rgb, int number)
{
    static const char line[] = "{\"kind\":\"line\",\"points\":[[0,0],[1,1]],\"in\":0,\"out\":1000}";
    sl_json *j = sl_json_parse(line, sizeof line - 1);
    sl_item *item = NULL;
    must(j != NULL && sl_item_from_json(j, &item, NULL) == SL_OK, "an item");
    sl_json_free(j);
    sl_mem_free(item->geo.points);
    item->geo.kind = kind;
    item->geo.n = n;
    item->geo.points = sl_mem_array(n, sizeof *item->geo.points);
    must(item->geo.points != NULL, "memory");
    item->style.rgb = rgb;
    (void)snprintf(item->id, sizeof item->id, "00000000-0000-7000-8000-%012d", number);
    return item;
}

/* A hand's path: it keeps its direction and changes it slowly; noise of 0.15 pixels. */
static sl_item *new_stroke(sl_prng *r, int number, double step_px)
{
    sl_item *item = new_item(SL_KIND_PEN, POINTS, (int32_t)sl_prng_below(r, 0x1000000), number);
    double unit = SL_UNITS / (double)W;
    double x = random_to(r, W);
    double y = random_to(r, H);
    double a = random_to(r, 6.28);
    double turn = 0;
    item->geo.pressure = sl_mem(POINTS);
    item->geo.dt_ms = sl_mem_array(POINTS, sizeof(uint32_t));
    must(item->geo.pressure != NULL && item->geo.dt_ms != NULL, "memory");
    for (uint32_t i = 0; i < POINTS; i++) {
        turn = 0.9 * turn + random_to(r, 0.06) - 0.03;
        a += turn;
        x += step_px * cos(a);
        y += step_px * sin(a);
        a += x < 0 || y < 0 || x > W || y > H ? 0.2 : 0;
        item->geo.points[i].x = (int32_t)((x + random_to(r, 0.3) - 0.15) * unit);
        item->geo.points[i].y = (int32_t)((y + random_to(r, 0.3) - 0.15) * unit);
        item->geo.pressure[i] = (uint8_t)(128 + 100 * sin(i * 0.05 + a));
        item->geo.dt_ms[i] = i * 1000 / 120;
    }
    item->style.width = (int32_t)((6 + random_to(r, 12)) * unit);
    return item;
}

static sl_drawing *scene_of(int strokes, int arrows, int ellipses, int labels)
{
    sl_prng r;
    sl_drawing *d = sl_drawing_new(W, H);
    int number = 1;
    sl_prng_seed(&r, 42);
    for (int i = 0; i < strokes; i++) {
        must(sl_drawing_add(d, new_stroke(&r, number++, 5.5), NULL) == SL_OK, "add");
    }
    for (int i = 0; i < arrows + ellipses + labels; i++) {
        sl_kind kind = i < arrows              ? SL_KIND_ARROW
                       : i < arrows + ellipses ? SL_KIND_ELLIPSE
                                               : SL_KIND_TEXT;
        sl_item *item = new_item(kind, kind == SL_KIND_TEXT ? 1 : 2, 0xFFD400, number++);
        for (uint32_t k = 0; k < item->geo.n; k++) {
            item->geo.points[k].x = (int32_t)random_to(&r, 30000);
            item->geo.points[k].y = (int32_t)random_to(&r, 17000);
        }
        item->geo.text = kind == SL_KIND_TEXT ? sl_text_dup("Elbow up") : NULL;
        must(sl_drawing_add(d, item, NULL) == SL_OK, "add");
    }
    return d;
}

/* The items of a drawing as the renderer takes them; freed by the caller. */
static sl_shown *shown_of(const sl_drawing *d, size_t *n)
{
    *n = sl_drawing_count(d);
    sl_shown *shown = sl_mem_array(*n, sizeof *shown);
    for (size_t i = 0; i < *n; i++) {
        shown[i] = (sl_shown){sl_drawing_at(d, i), -1};
    }
    return shown;
}

static uint32_t dots_of(const sl_item *item, sl_dot *dots)
{
    double unit = W / (double)SL_UNITS;
    double half = item->style.width * unit * 0.5;
    uint32_t n = 0;
    for (uint32_t i = 0; i < item->geo.n; i++) {
        sl_dot d = {item->geo.points[i].x * unit, item->geo.points[i].y * unit,
                    half * (0.3 + 0.7 / 255 * item->geo.pressure[i])};
        double dx = n > 0 ? d.x - dots[n - 1].x : 1;
        double dy = n > 0 ? d.y - dots[n - 1].y : 1;
        if (dx * dx + dy * dy > 0.0625) {
            dots[n++] = d;
        }
    }
    return n;
}

static sl_box box_of(const sl_outline *o)
{
    double b[4] = {W, H, 0, 0};
    for (size_t i = 0; i < o->n; i++) {
        b[0] = fmin(b[0], o->xy[2 * i]);
        b[1] = fmin(b[1], o->xy[2 * i + 1]);
        b[2] = fmax(b[2], o->xy[2 * i]);
        b[3] = fmax(b[3], o->xy[2 * i + 1]);
    }
    return (sl_box){(int32_t)fmax(b[0] - 1, 0) / SL_BLOCK * SL_BLOCK, (int32_t)fmax(b[1] - 1, 0),
                    (int32_t)fmin(b[2] + 2, W), (int32_t)fmin(b[3] + 2, H)};
}

static double cairo_fills(const sl_outline *o, cairo_t *cr)
{
    double began = now_us();
    for (int i = 0; i < STROKES; i++) {
        cairo_new_path(cr);
        for (size_t k = 0; k < o[i].n; k++) {
            cairo_line_to(cr, o[i].xy[2 * k], o[i].xy[2 * k + 1]);
        }
        cairo_close_path(cr);
        cairo_set_source_rgb(cr, 1, 0.8, 0);
        cairo_fill(cr);
    }
    return now_us() - began;
}

/* As the renderer does: all strokes to what they cover, then that blended, a band after another. */
static double raster_fills(const sl_outline *o, sl_raster *r, sl_raster_level level,
                           const sl_raster_target *to, sl_fills *fills)
{
    double began = now_us();
    sl_raster_use(r, level);
    for (int i = 0; i < STROKES; i++) {
        sl_fills_clear(&fills[i]);
        must(sl_raster_begin(r, box_of(&o[i])), "begin");
        sl_raster_loop(r, o[i].xy, o[i].n);
        must(sl_raster_take(r, 0xFFFFCC00U, &fills[i]), "take");
    }
    for (int y = 0; y < H; y += SL_BAND) {
        for (int i = 0; i < STROKES; i++) {
            sl_fills_paint(&fills[i], level, to, (sl_box){0, y, W, y + SL_BAND});
        }
    }
    return now_us() - began;
}

/* As the peer does: one round after another, nothing between. */
static double bench_outlines(const sl_drawing *d)
{
    double made[ROUNDS];
    sl_dot dots[POINTS];
    size_t corners = 0;
    sl_outline once = {0};
    for (int round = 0; round < ROUNDS; round++) {
        double began = now_us();
        for (int i = 0; i < STROKES; i++) { /* in one place, as the renderer does */
            uint32_t n = dots_of(sl_drawing_at(d, (size_t)i), dots);
            sl_outline_make(&once, dots, n, 0);
            corners += once.n;
        }
        made[round] = now_us() - began;
    }
    double best = best_of(made, ROUNDS);
    (void)printf("outline of 200 x 120 points: %.2f ms (%.0f ns a point, %.2f corners each)\n",
                 best / 1000, best * 1000 / (STROKES * POINTS),
                 (double)corners / ((double)ROUNDS * STROKES * POINTS));
    sl_outline_free(&once);
    return best;
}

static void bench_fills(const sl_drawing *d, const peers *p)
{
    static sl_outline outlines[STROKES];
    static sl_fills fills[STROKES];
    double times[4][ROUNDS];
    sl_dot dots[POINTS];
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, W, H);
    cairo_t *cr = cairo_create(surface);
    sl_raster *raster = sl_raster_new();
    sl_raster_target to = {cairo_image_surface_get_data(surface),
                           cairo_image_surface_get_stride(surface)};
    double made = bench_outlines(d);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < STROKES; i++) {
            uint32_t n = dots_of(sl_drawing_at(d, (size_t)i), dots);
            sl_outline_make(&outlines[i], dots, n, 0);
        }
        times[0][round] = cairo_fills(outlines, cr);
        for (int level = SL_RASTER_PLAIN; level <= (int)sl_raster_best(); level++) {
            times[1 + level][round] =
                raster_fills(outlines, raster, (sl_raster_level)level, &to, fills);
        }
    }
    double cairo = best_of(times[0], ROUNDS);
    (void)printf("200 strokes, filled: Cairo %.1f ms", cairo / 1000);
    static const char *const names[] = {"plain C", "vectors", "AVX2"};
    for (int level = 0; level <= (int)sl_raster_best(); level++) {
        double own = best_of(times[1 + level], ROUNDS);
        (void)printf(", %s %.1f ms (%.1f x faster)", names[level], own / 1000, cairo / own);
    }
    (void)printf("\n");
    bench_peers(p, outlines, d, (ours){best_of(times[1 + sl_raster_best()], ROUNDS), made});
    for (int i = 0; i < STROKES; i++) {
        sl_outline_free(&outlines[i]);
        sl_fills_free(&fills[i]);
    }
    sl_raster_free(raster);
    cairo_destroy(cr);
    cairo_surface_destroy(surface);
}

/* The whole of a scene, halos and all, by both renderers. */
static void bench_scene(const char *name, const sl_drawing *d)
{
    size_t n = 0;
    sl_shown *shown = shown_of(d, &n);
    sl_pixels into = {sizeof into, W, H, W * 4, sl_mem((size_t)W * H * 4)};
    sl_scene scene = {.frame_w = W, .frame_h = H, .t_us = 5};
    sl_renderer *both[2] = {sl_renderer_new(true), sl_renderer_new(false)};
    double times[2][ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        for (int k = 0; k < 2; k++) {
            double began = now_us();
            must(sl_renderer_draw(both[k], &scene, shown, n, &into, NULL) == SL_OK, "draw");
            times[k][round] = now_us() - began;
        }
    }
    double cairo = best_of(times[0], ROUNDS);
    double own = best_of(times[1], ROUNDS);
    (void)printf("%s, %zu items: Cairo alone %.2f ms, ours %.2f ms, ratio %.2f\n", name, n,
                 cairo / 1000, own / 1000, own / cairo);
    sl_renderer_free(both[0]);
    sl_renderer_free(both[1]);
    sl_mem_free(into.data);
    sl_mem_free(shown);
}

/* One more point of a live stroke over a scene; a picture in which nothing changed; a seek. */
static void bench_canvas(const char *name, const sl_drawing *d)
{
    static double appended[POINTS];
    static double shown_in[POINTS];
    static double unchanged[POINTS];
    static double sought[POINTS];
    size_t n = 0;
    sl_box damage;
    sl_shown *shown = shown_of(d, &n);
    sl_shown *more = sl_mem_array(n + 1, sizeof *more);
    sl_canvas *c = sl_canvas_new(W, H);
    sl_scene scene = {.frame_w = W, .frame_h = H, .t_us = 5};
    sl_prng r;
    sl_prng_seed(&r, 99);
    sl_item *path = new_stroke(&r, 1, 5.5);
    sl_item *style = new_item(SL_KIND_PEN, 1, 0xFFFFFF, 2);
    style->geo.n = 0;
    sl_mem_free(style->geo.points);
    style->geo.points = NULL;
    sl_stroke *live = sl_stroke_new(style);
    must(more != NULL && c != NULL && live != NULL, "memory");
    memcpy(more, shown, n * sizeof *more);
    must(sl_canvas_show(c, &scene, shown, n, &damage, NULL) == SL_OK, "show");
    for (uint32_t i = 0; i < POINTS; i++) {
        float q[4] = {(float)path->geo.points[i].x, (float)path->geo.points[i].y, 0.5F,
                      (float)i * 8.3F};
        double a = now_us();
        must(sl_stroke_points(live, q, 1, NULL) == SL_OK, "points");
        double b = now_us();
        more[n] = (sl_shown){sl_stroke_now(live), -1};
        must(sl_canvas_show(c, &scene, more, n + 1, &damage, NULL) == SL_OK, "show");
        double e = now_us();
        must(sl_canvas_show(c, &scene, more, n + 1, &damage, NULL) == SL_OK, "show");
        appended[i] = b - a;
        shown_in[i] = e - b;
        unchanged[i] = now_us() - e;
    }
    /* Every tenth item comes or goes. */
    for (uint32_t i = 0; i < POINTS; i++) {
        size_t part = 0;
        for (size_t k = 0; k < n; k++) {
            more[part] = shown[k];
            part += i % 2 == 0 || k % 10 != 0;
        }
        double a = now_us();
        must(sl_canvas_show(c, &scene, more, part, &damage, NULL) == SL_OK, "show");
        sought[i] = now_us() - a;
    }
    (void)printf("%s: a live point %.2f us to append, %.0f us to show; unchanged picture %.1f us; "
                 "seek, a tenth changed, %.2f ms\n",
                 name, part_of(appended, POINTS, 0.5), part_of(shown_in, POINTS, 0.5),
                 part_of(unchanged, POINTS, 0.5), part_of(sought, POINTS, 0.5) / 1000);
    sl_stroke_free(live);
    sl_item_free(path);
    sl_canvas_free(c);
    sl_mem_free(more);
    sl_mem_free(shown);
}

/* A document as large as one may be: strokes of 20 points, a million, all of them visible. */
static void bench_many(void)
{
    enum {
        MANY = 50000,
        FEW = 20,
        SEEKS = 8
    };
    double sought[SEEKS];
    double unchanged[SEEKS];
    sl_prng r;
    size_t n = 0;
    sl_box damage;
    sl_drawing *d = sl_drawing_new(W, H);
    sl_scene scene = {.frame_w = W, .frame_h = H, .t_us = 5};
    sl_prng_seed(&r, 11);
    double began = now_us();
    for (int i = 0; i < MANY; i++) {
        sl_item *item = new_stroke(&r, i + 1, 2);
        item->geo.n = FEW;
        must(sl_drawing_add(d, item, NULL) == SL_OK, "add");
    }
    double added = now_us() - began;
    sl_shown *shown = shown_of(d, &n);
    sl_canvas *c = sl_canvas_new(W, H);
    must(c != NULL, "a canvas");
    began = now_us();
    must(sl_canvas_show(c, &scene, shown, n, &damage, NULL) == SL_OK, "show");
    double first = now_us() - began;
    for (int i = 0; i < SEEKS; i++) { /* one in a hundred comes or goes */
        size_t part = i % 2 == 0 ? n - n / 100 : n;
        began = now_us();
        must(sl_canvas_show(c, &scene, shown, part, &damage, NULL) == SL_OK, "show");
        sought[i] = now_us() - began;
        began = now_us();
        must(sl_canvas_show(c, &scene, shown, part, &damage, NULL) == SL_OK, "show");
        unchanged[i] = now_us() - began;
    }
    (void)printf("50,000 strokes of 20 points: %.1f s to make; shown first in %.0f ms, unchanged "
                 "%.2f ms, one in a hundred changed %.0f ms; %.0f MB kept\n",
                 added / 1e6, first / 1000, best_of(unchanged, SEEKS) / 1000,
                 part_of(sought, SEEKS, 0.5) / 1000, (double)sl_canvas_kept(c) / 1e6);
    sl_canvas_free(c);
    sl_mem_free(shown);
    sl_drawing_free(d);
}

static void bench_hits(void)
{
    static double times[HITS];
    sl_prng r;
    sl_drawing *d = sl_drawing_new(W, H);
    size_t found = 0;
    sl_prng_seed(&r, 7);
    for (int i = 0; i < 10000; i++) {
        must(sl_drawing_add(d, new_stroke(&r, i + 1, 0.5), NULL) == SL_OK, "add");
    }
    for (int i = 0; i < HITS; i++) {
        sl_point at = {(int32_t)random_to(&r, 32768), (int32_t)random_to(&r, 18432)};
        double began = now_us();
        found += sl_drawing_hit(d, at, 136, 5) != NULL;
        times[i] = now_us() - began;
    }
    double p50 = part_of(times, HITS, 0.5);
    (void)printf("hit among 10,000 strokes: median %.1f us, p99 %.1f us (%zu of %d found)\n", p50,
                 part_of(times, HITS, 0.99), found, HITS);
    sl_drawing_free(d);
}

/* [PEERS SCRIPTS]: where the peers and their scripts are; or --strokes FILE: what the strokes of a
 * recording take, and those of W, and nothing else. */
int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--strokes") == 0) {
        sl_drawing *noisy = scene_of(STROKES, 0, 0, 0);
        bench_bytes(noisy);
        bench_recording(argv[2]);
        sl_drawing_free(noisy);
        return 0;
    }
    peers p = {argc == 3 ? argv[1] : NULL, argc == 3 ? argv[2] : NULL};
    sl_drawing *dense = scene_of(STROKES, 40, 20, 20);
    sl_drawing *typical = scene_of(12, 4, 2, 3);
    bench_fills(dense, &p);
    bench_scene("W", dense);
    bench_scene("typical", typical);
    bench_canvas("W", dense);
    bench_canvas("typical", typical);
#ifdef SL_BENCH_FILM
    bench_film("W", dense);
    bench_film("typical", typical);
#endif
    bench_bytes(dense);
    bench_hits();
    bench_many();
    sl_drawing_free(dense);
    sl_drawing_free(typical);
    return 0;
}
