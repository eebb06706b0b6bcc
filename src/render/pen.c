/*
 * render/pen.c - a pen's stroke as one path, filled once.
 *
 * The path is the union of a tapered body for each segment, the wedge that a turn leaves open, and
 * round ends. All parts run the same way round, so the nonzero rule gives their union: no hole at a
 * tight turn and no darker overlap, whatever the opacity.
 */
#include "render/inside.h"

#include "base/mem.h"

#include <math.h>

static const double PI = 3.141592653589793;
static const double STEP_MIN_PX = 0.25; /* points closer than that cannot be told apart */
static const double FLATNESS_PX = 0.08;

typedef struct dot {
    double x;
    double y;
    double r;
} dot;

static dot dot_at(const ink *k, uint32_t i)
{
    const sl_geometry *geo = &k->item->geo;
    double press = geo->pressure != NULL ? 0.3 + 0.7 * geo->pressure[i] / 255.0 : 1.0;
    press = geo->kind == SL_KIND_PEN ? press : 1.0; /* the others are as wide all along */
    if (geo->tilt != NULL && geo->kind == SL_KIND_PEN) {
        press *= 1.0 + 0.8 * geo->tilt[i] / SL_TILT_MAX; /* as a pencil laid on its side */
    }
    dot d = {sl_ink_x(k, i), sl_ink_y(k, i), k->width * press * 0.5};
    d.r = d.r < 0.5 ? 0.5 : d.r;
    return d;
}

/* The dots to draw at the stroke's age; at least one. dots has room for all points. */
static uint32_t collect(const ink *k, dot *dots)
{
    const sl_geometry *geo = &k->item->geo;
    uint32_t end = geo->n;
    double age_ms = (double)k->age_us / 1000.0;
    bool growing = k->age_us >= 0 && geo->dt_ms != NULL;
    if (growing) {
        end = 1;
        while (end < geo->n && geo->dt_ms[end] <= age_ms) {
            end++;
        }
    }
    uint32_t n = 0;
    for (uint32_t i = 0; i < end; i++) {
        dot d = dot_at(k, i);
        bool close = n > 0 && hypot(d.x - dots[n - 1].x, d.y - dots[n - 1].y) < STEP_MIN_PX;
        if (!close) {
            dots[n++] = d;
        } else if (d.r > dots[n - 1].r) {
            dots[n - 1].r = d.r;
        }
    }
    if (growing && end < geo->n) {
        dot a = dot_at(k, end - 1);
        dot b = dot_at(k, end);
        double part = (age_ms - geo->dt_ms[end - 1]) / (geo->dt_ms[end] - geo->dt_ms[end - 1]);
        dot d = {a.x + part * (b.x - a.x), a.y + part * (b.y - a.y), a.r + part * (b.r - a.r)};
        if (hypot(d.x - dots[n - 1].x, d.y - dots[n - 1].y) >= STEP_MIN_PX) {
            dots[n++] = d;
        }
    }
    return n;
}

/* The part of a disc from angle a to b, with its centre unless it is half a disc or more. */
static void add_fan(cairo_t *cr, const dot *d, double r, double a, double b)
{
    if (b > a) {
        double swap = a;
        a = b;
        b = swap;
    }
    double step = 2.0 * acos(1.0 - (r > FLATNESS_PX ? FLATNESS_PX / r : 1.0));
    int steps = (int)ceil((a - b) / step);
    steps = steps < 1 ? 1 : steps > 128 ? 128 : steps;
    if (a - b < PI - 1e-9) {
        cairo_line_to(cr, d->x, d->y);
    }
    for (int i = 0; i <= steps; i++) {
        double at = a + (b - a) * i / steps;
        cairo_line_to(cr, d->x + r * cos(at), d->y + r * sin(at));
    }
    cairo_close_path(cr);
}

static void add_body(cairo_t *cr, const dot *a, const dot *b, double grow, double nx, double ny)
{
    double ra = a->r + grow;
    double rb = b->r + grow;
    cairo_move_to(cr, a->x + nx * ra, a->y + ny * ra);
    cairo_line_to(cr, b->x + nx * rb, b->y + ny * rb);
    cairo_line_to(cr, b->x - nx * rb, b->y - ny * rb);
    cairo_line_to(cr, a->x - nx * ra, a->y - ny * ra);
    cairo_close_path(cr);
}

/* The wedge between two bodies that meet at d, on the outside of the turn. */
static void add_turn(cairo_t *cr, const dot *d, double r, double before, double after)
{
    double turn = after - before;
    turn -= 2 * PI * floor((turn + PI) / (2 * PI)); /* to [-pi, pi) */
    double side = turn > 0 ? -PI / 2 : PI / 2;
    if (fabs(turn) > 1e-6) {
        cairo_new_sub_path(cr);
        add_fan(cr, d, r, before + side, before + side + turn);
    }
}

static void add_path(cairo_t *cr, const dot *dots, uint32_t n, double grow)
{
    cairo_new_path(cr);
    double before = 0;
    for (uint32_t i = 0; i + 1 < n; i++) {
        const dot *a = &dots[i];
        const dot *b = &dots[i + 1];
        double len = hypot(b->x - a->x, b->y - a->y);
        double along = atan2(b->y - a->y, b->x - a->x);
        if (i == 0) {
            cairo_new_sub_path(cr);
            add_fan(cr, a, a->r + grow, along + PI / 2, along + 3 * PI / 2);
        } else {
            add_turn(cr, a, a->r + grow, before, along);
        }
        add_body(cr, a, b, grow, -(b->y - a->y) / len, (b->x - a->x) / len);
        before = along;
    }
    const dot *last = &dots[n - 1];
    cairo_new_sub_path(cr);
    if (n == 1) {
        add_fan(cr, last, last->r + grow, 0, 2 * PI);
    } else {
        add_fan(cr, last, last->r + grow, before - PI / 2, before + PI / 2);
    }
}

static double widest(const ink *k)
{
    double tilted = k->item->geo.tilt != NULL ? 0.9 : 0.5;
    return k->width * tilted + (k->item->geo.kind == SL_KIND_HIGHLIGHTER ? 0 : k->halo);
}

static void measure_pen(const ink *k)
{
    double pad = widest(k) + 1;
    for (uint32_t i = 0; i < k->item->geo.n; i++) {
        sl_extent_add(k->measure, sl_ink_x(k, i), sl_ink_y(k, i), pad);
    }
}

bool sl_ink_pen(const ink *k)
{
    if (k->measure != NULL) {
        measure_pen(k);
        return true;
    }
    dot *dots = sl_mem_array((size_t)k->item->geo.n + 1, sizeof *dots);
    if (dots == NULL) {
        return false;
    }
    uint32_t n = collect(k, dots);
    cairo_set_fill_rule(k->cr, CAIRO_FILL_RULE_WINDING);
    if (k->item->geo.kind == SL_KIND_HIGHLIGHTER) {
        add_path(k->cr, dots, n, 0);
        sl_ink_area(k, k->item->style.rgb, 0.4);
        sl_mem_free(dots);
        return true;
    }
    add_path(k->cr, dots, n, k->halo);
    if (k->item->geo.kind == SL_KIND_LASER) {
        sl_ink_area(k, k->item->style.rgb, 0.35); /* it glows */
    } else {
        sl_ink_halo(k);
        cairo_fill(k->cr);
    }
    add_path(k->cr, dots, n, 0);
    sl_ink_area(k, k->item->style.rgb, 1);
    sl_mem_free(dots);
    return true;
}
