/* render/pen.c - a pen's stroke as one outline, filled twice: its halo and itself. */
#include "render/inside.h"

#include "base/mem.h"

#include <math.h>

static const double STEP_MIN_PX = 0.25; /* points closer than that cannot be told apart */

static sl_dot dot_at(const ink *k, uint32_t i)
{
    const sl_geometry *geo = &k->item->geo;
    double press = geo->pressure != NULL ? 0.3 + 0.7 * geo->pressure[i] / 255.0 : 1.0;
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

/* As pixman has a colour of Cairo's: premultiplied, cut to eight bits. */
static uint32_t channel(double v)
{
    return v >= 1 ? 255 : (uint32_t)(v * 65536) >> 8;
}

static uint32_t premultiplied(const double rgb[3], double alpha)
{
    return channel(alpha) << 24 | channel(rgb[0] * alpha) << 16 | channel(rgb[1] * alpha) << 8 |
           channel(rgb[2] * alpha);
}

/* Where the target's pixels are; false when it has none, being a picture of lines. */
static bool pixels_of(cairo_t *cr, sl_raster_target *to)
{
    double dx = 0;
    double dy = 0;
    cairo_surface_t *surface = cairo_get_group_target(cr);
    if (cairo_surface_get_type(surface) != CAIRO_SURFACE_TYPE_IMAGE ||
        cairo_image_surface_get_format(surface) != CAIRO_FORMAT_ARGB32) {
        return false;
    }
    cairo_surface_flush(surface);
    cairo_surface_get_device_offset(surface, &dx, &dy);
    to->stride = cairo_image_surface_get_stride(surface);
    to->data = cairo_image_surface_get_data(surface);
    if (to->data == NULL) {
        return false;
    }
    to->data += (int64_t)dy * to->stride + 4 * (int64_t)dx;
    return true;
}

static int32_t rgb_of(const double rgb[3])
{
    return (int32_t)(rgb[0] * 255 + 0.5) << 16 | (int32_t)(rgb[1] * 255 + 0.5) << 8 |
           (int32_t)(rgb[2] * 255 + 0.5);
}

/* Fills the current outline: by the rasteriser into pixels, by Cairo into anything else. */
static bool fill(const ink *k, const double rgb[3], double alpha)
{
    const sl_outline *o = &k->tools->outline;
    sl_raster_target to;
    if (k->tools->raster == NULL || !pixels_of(k->cr, &to)) {
        cairo_new_path(k->cr);
        for (size_t i = 0; i < o->n; i++) {
            cairo_line_to(k->cr, o->xy[2 * i], o->xy[2 * i + 1]);
        }
        cairo_close_path(k->cr);
        cairo_set_fill_rule(k->cr, CAIRO_FILL_RULE_WINDING);
        sl_ink_fill(k, rgb_of(rgb), alpha);
        cairo_new_path(k->cr);
        return true;
    }
    if (!sl_raster_begin(k->tools->raster, k->box)) {
        return false;
    }
    sl_raster_loop(k->tools->raster, o->xy, o->n);
    sl_raster_fill(k->tools->raster, premultiplied(rgb, alpha), &to);
    cairo_surface_mark_dirty_rectangle(cairo_get_group_target(k->cr), k->box.x0, k->box.y0,
                                       k->box.x1 - k->box.x0, k->box.y1 - k->box.y0);
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

static bool room_for(sl_ink_tools *tools, uint32_t n)
{
    if (n <= tools->dots_room) {
        return true;
    }
    sl_mem_free(tools->dots);
    tools->dots = sl_mem_array(n, sizeof *tools->dots);
    tools->dots_room = tools->dots != NULL ? n : 0;
    return tools->dots != NULL;
}

bool sl_ink_pen(const ink *k)
{
    if (k->measure != NULL) {
        measure_pen(k);
        return true;
    }
    sl_outline *o = &k->tools->outline;
    uint32_t n = room_for(k->tools, k->item->geo.n + 1) ? collect(k, k->tools->dots) : 0;
    int32_t c = k->item->style.rgb;
    double rgb[3] = {(c >> 16) / 255.0, (c >> 8 & 0xFF) / 255.0, (c & 0xFF) / 255.0};
    double halo = sl_ink_halo_level(k);
    double around[3] = {halo, halo, halo};
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
