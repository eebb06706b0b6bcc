#include "render/render.h"

#include "base/error.h"
#include "render/inside.h"

#include <math.h>

static const double HALO_ALPHA = 0.7;

sl_status sl_pixels_check(const sl_pixels *pixels, sl_error **err)
{
    if (pixels == NULL || pixels->struct_size < sizeof *pixels || pixels->data == NULL) {
        return sl_fail(err, SL_E_MISUSE, "no pixels, or struct_size is not set");
    }
    if (pixels->width < 1 || pixels->height < 1 || pixels->width > SL_PIXELS_SIDE_MAX ||
        pixels->height > SL_PIXELS_SIDE_MAX) {
        return sl_fail(err, SL_E_MISUSE, "a picture has from 1 to %d pixels each way",
                       SL_PIXELS_SIDE_MAX);
    }
    if (pixels->stride % 4 != 0 || pixels->stride / 4 < pixels->width) {
        return sl_fail(err, SL_E_MISUSE, "the stride is a multiple of 4 that holds a row");
    }
    return SL_OK;
}

static double linear(uint32_t v)
{
    double c = v / 255.0;
    return c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
}

/* A colour with less than 3:1 against black would drown in dark video: its halo is light. */
static bool is_dark(uint32_t rgb)
{
    double luminance =
        0.2126 * linear(rgb >> 16) + 0.7152 * linear(rgb >> 8 & 0xFF) + 0.0722 * linear(rgb & 0xFF);
    return (luminance + 0.05) / 0.05 < 3.0;
}

void sl_ink_body(const ink *k)
{
    uint32_t rgb = k->item->style.rgb;
    cairo_set_source_rgb(k->cr, (rgb >> 16) / 255.0, (rgb >> 8 & 0xFF) / 255.0,
                         (rgb & 0xFF) / 255.0);
}

void sl_ink_halo(const ink *k)
{
    double v = is_dark(k->item->style.rgb) ? 1.0 : 0.0;
    cairo_set_source_rgba(k->cr, v, v, v, HALO_ALPHA);
}

void sl_ink_stroke_path(const ink *k)
{
    cairo_set_line_width(k->cr, k->width + 2 * k->halo);
    sl_ink_halo(k);
    cairo_stroke_preserve(k->cr);
    cairo_set_line_width(k->cr, k->width);
    sl_ink_body(k);
    cairo_stroke(k->cr);
}

void sl_extent_add(extent *e, double x, double y, double pad)
{
    e->x0 = fmin(e->x0, x - pad);
    e->y0 = fmin(e->y0, y - pad);
    e->x1 = fmax(e->x1, x + pad);
    e->y1 = fmax(e->y1, y + pad);
}

static ink make_ink(cairo_t *cr, const sl_shown *shown, int32_t frame_w, int32_t frame_h,
                    const sl_pixels *into)
{
    double longer = frame_w > frame_h ? frame_w : frame_h;
    ink k = {cr, shown->item, shown->age_us, 0, 0, 0, 0, 0};
    k.sx = longer / SL_UNITS * into->width / frame_w;
    k.sy = longer / SL_UNITS * into->height / frame_h;
    k.scale = fmin(k.sx, k.sy);
    k.width = fmax(k.item->style.width * k.scale, 1.0);
    k.halo = fmin(fmax(0.2 * k.width, 1.0), fmax(4.0, 64 * k.scale));
    return k;
}

/* Whole pixels, one more on each side for the smoothing of edges, within the picture. */
static sl_box box_of(const ink *k, const sl_pixels *into)
{
    extent e = {HUGE_VAL, HUGE_VAL, -HUGE_VAL, -HUGE_VAL};
    sl_box none = {0, 0, 0, 0};
    sl_ink_extent(k, &e);
    double x0 = fmax(floor(e.x0) - 1, 0);
    double y0 = fmax(floor(e.y0) - 1, 0);
    double x1 = fmin(ceil(e.x1) + 1, into->width);
    double y1 = fmin(ceil(e.y1) + 1, into->height);
    if (!(x0 < x1) || !(y0 < y1)) {
        return none;
    }
    sl_box box = {(int32_t)x0, (int32_t)y0, (int32_t)x1, (int32_t)y1};
    return box;
}

static bool draw_kind(const ink *k)
{
    if (k->item->geo.kind == SL_KIND_PEN) {
        return sl_ink_pen(k);
    }
    if (k->item->geo.kind == SL_KIND_TEXT) {
        sl_ink_text(k);
    } else {
        sl_ink_shape(k);
    }
    return true;
}

/* A see-through item is drawn whole on a layer of its own size first: its halo and its crossings
 * must not show through. */
static bool draw_item(const ink *k, sl_box box, int32_t opacity)
{
    cairo_save(k->cr);
    cairo_rectangle(k->cr, box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0);
    cairo_clip(k->cr);
    bool layer = opacity < SL_OPAQUE;
    if (layer) {
        cairo_push_group(k->cr);
    }
    cairo_set_line_cap(k->cr, CAIRO_LINE_CAP_ROUND);
    cairo_set_line_join(k->cr, CAIRO_LINE_JOIN_ROUND);
    bool ok = draw_kind(k);
    if (layer) {
        cairo_pop_group_to_source(k->cr);
        cairo_paint_with_alpha(k->cr, (double)opacity / SL_OPAQUE);
    }
    cairo_restore(k->cr);
    return ok;
}

static sl_status cairo_failed(cairo_status_t status, sl_error **err)
{
    return status == CAIRO_STATUS_NO_MEMORY
               ? sl_fail_nomem(err)
               : sl_fail(err, SL_E_INTERNAL, "drawing failed: %s", cairo_status_to_string(status));
}

sl_status sl_render_shown(const sl_shown *shown, size_t n, int32_t frame_w, int32_t frame_h,
                          int64_t t_us, const sl_pixels *into, sl_error **err)
{
    sl_status s = sl_pixels_check(into, err);
    if (s != SL_OK) {
        return s;
    }
    if (frame_w < 1 || frame_h < 1) {
        return sl_fail(err, SL_E_MISUSE, "the frame has no size");
    }
    cairo_surface_t *surface = cairo_image_surface_create_for_data(
        into->data, CAIRO_FORMAT_ARGB32, into->width, into->height, into->stride);
    cairo_t *cr = cairo_create(surface);
    for (size_t i = 0; s == SL_OK && i < n; i++) {
        int32_t opacity = sl_item_opacity_at(shown[i].item, t_us);
        ink k = make_ink(cr, &shown[i], frame_w, frame_h, into);
        sl_box box = opacity > 0 ? box_of(&k, into) : (sl_box){0, 0, 0, 0};
        if (box.x0 < box.x1 && !draw_item(&k, box, opacity)) {
            s = sl_fail_nomem(err);
        }
    }
    if (s == SL_OK && cairo_status(cr) != CAIRO_STATUS_SUCCESS) {
        s = cairo_failed(cairo_status(cr), err);
    }
    cairo_destroy(cr);
    cairo_surface_finish(surface);
    cairo_surface_destroy(surface);
    return s;
}

sl_box sl_render_damage(const sl_shown *shown, size_t n, int32_t frame_w, int32_t frame_h,
                        int64_t t_us, const sl_pixels *into)
{
    sl_box all = {0, 0, 0, 0};
    if (frame_w < 1 || frame_h < 1) {
        return all;
    }
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_A8, 1, 1);
    cairo_t *cr = cairo_create(surface);
    for (size_t i = 0; i < n; i++) {
        if (sl_item_opacity_at(shown[i].item, t_us) == 0) {
            continue;
        }
        ink k = make_ink(cr, &shown[i], frame_w, frame_h, into);
        sl_box box = box_of(&k, into);
        if (box.x0 == box.x1) {
            continue;
        }
        if (all.x0 == all.x1) {
            all = box;
        }
        all.x0 = box.x0 < all.x0 ? box.x0 : all.x0;
        all.y0 = box.y0 < all.y0 ? box.y0 : all.y0;
        all.x1 = box.x1 > all.x1 ? box.x1 : all.x1;
        all.y1 = box.y1 > all.y1 ? box.y1 : all.y1;
    }
    cairo_destroy(cr);
    cairo_surface_destroy(surface);
    return all;
}

static cairo_status_t write_png(void *closure, const unsigned char *data, unsigned int n)
{
    sl_buf *out = closure;
    sl_buf_put(out, data, n);
    return out->failed ? CAIRO_STATUS_NO_MEMORY : CAIRO_STATUS_SUCCESS;
}

sl_status sl_pixels_png(const sl_pixels *from, sl_buf *out, sl_error **err)
{
    sl_status s = sl_pixels_check(from, err);
    if (s != SL_OK) {
        return s;
    }
    cairo_surface_t *surface = cairo_image_surface_create_for_data(
        from->data, CAIRO_FORMAT_ARGB32, from->width, from->height, from->stride);
    cairo_status_t status = cairo_surface_write_to_png_stream(surface, write_png, out);
    cairo_surface_destroy(surface);
    return status == CAIRO_STATUS_SUCCESS ? SL_OK : cairo_failed(status, err);
}
