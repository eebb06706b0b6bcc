/* render/pen.c - a pen's stroke as one outline, filled twice: its halo and itself. */
#include "render/inside.h"

#include <math.h>

static const double STEP_MIN_PX = 0.25; /* points closer than that cannot be told apart */

static sl_dot dot_at(const ink *k, uint32_t i)
{
    const sl_geometry *geo = &k->item->geo;
    double press = geo->pressure != NULL ? 0.3 + 0.7 / 255 * geo->pressure[i] : 1.0;
    press = geo->kind == SL_KIND_PEN ? press : 1.0; /* the others are as wide all along */
    if (geo->tilt != NULL && geo->kind == SL_KIND_PEN) {
        press *= 1.0 + 0.8 * geo->tilt[i] / SL_TILT_MAX; /* as a pencil laid on its side */
    }
    sl_dot d = {sl_ink_x(k, i), sl_ink_y(k, i), k->width * press * 0.5};
    d.r = d.r < 0.5 ? 0.5 : d.r;
    return d;
}

static bool is_close(const sl_dot *a, const sl_dot *b)
{
    double dx = a->x - b->x;
    double dy = a->y - b->y;
    return dx * dx + dy * dy < STEP_MIN_PX * STEP_MIN_PX;
}

/* The dots to draw at the stroke's age; at least one. dots has room for all points. */
static uint32_t collect(const ink *k, sl_dot *dots)
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
        sl_dot d = dot_at(k, i);
        bool close = n > 0 && is_close(&d, &dots[n - 1]);
        if (!close) {
            dots[n++] = d;
        } else if (d.r > dots[n - 1].r) {
            dots[n - 1].r = d.r;
        }
    }
    if (growing && end < geo->n) {
        sl_dot a = dot_at(k, end - 1);
        sl_dot b = dot_at(k, end);
        double part = (age_ms - geo->dt_ms[end - 1]) / (geo->dt_ms[end] - geo->dt_ms[end - 1]);
        sl_dot d = {a.x + part * (b.x - a.x), a.y + part * (b.y - a.y), a.r + part * (b.r - a.r)};
        if (!is_close(&d, &dots[n - 1])) {
            dots[n++] = d;
        }
    }
    return n;
}

/* Fills the current outline: by the rasteriser into pixels, by Cairo into anything else. */
static bool fill(const ink *k, int32_t rgb, double alpha)
{
    const sl_outline *o = &k->tools->outline;
    if (k->fills == NULL) {
        cairo_new_path(k->cr);
        for (size_t i = 0; i < o->n; i++) {
            cairo_line_to(k->cr, o->xy[2 * i], o->xy[2 * i + 1]);
        }
        cairo_close_path(k->cr);
        cairo_set_fill_rule(k->cr, CAIRO_FILL_RULE_WINDING);
        sl_ink_fill(k, rgb, alpha);
        cairo_new_path(k->cr);
        return true;
    }
    if (!sl_raster_begin(k->tools->raster, k->box)) {
        return false;
    }
    sl_raster_loop(k->tools->raster, o->xy, o->n);
    sl_ink_pour(k, rgb, alpha);
    return true;
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
    sl_outline *o = &k->tools->outline;
    uint32_t n = sl_ink_dots_room(k->tools, k->item->geo.n + 1) ? collect(k, k->tools->dots) : 0;
    int32_t rgb = k->item->style.rgb;
    int32_t around = sl_ink_halo_level(k) > 0 ? 0xFFFFFF : 0;
    bool highlighter = k->item->geo.kind == SL_KIND_HIGHLIGHTER;
    bool laser = k->item->geo.kind == SL_KIND_LASER; /* it glows */
    bool ok = n > 0;
    if (ok && !highlighter) {
        sl_outline_make(o, k->tools->dots, n, k->halo);
        ok = !o->failed && fill(k, laser ? rgb : around, laser ? 0.35 : SL_HALO_ALPHA);
    }
    if (ok) {
        sl_outline_make(o, k->tools->dots, n, 0);
        ok = !o->failed && fill(k, rgb, highlighter ? 0.4 : 1);
    }
    return ok;
}
