/*
 * render/path.c - the current path filled and stroked: by the rasteriser where pixels are the aim, by
 * Cairo into anything else. Cairo says how curves become lines; dashes are Cairo's, as a mask.
 */
#include "base/mem.h"
#include "render/inside.h"

#include <math.h>

static const double STEP_MIN_PX = 0.02; /* points closer than that are one */

/* As pixman has a colour of Cairo's: premultiplied, cut to eight bits. */
static uint32_t channel(double v)
{
    return v >= 1 ? 255 : (uint32_t)(v * 65536) >> 8;
}

static uint32_t premultiplied(int32_t rgb, double alpha)
{
    return channel(alpha) << 24 | channel((rgb >> 16) / 255.0 * alpha) << 16 |
           channel((rgb >> 8 & 0xFF) / 255.0 * alpha) << 8 | channel((rgb & 0xFF) / 255.0 * alpha);
}

static void set_source(const ink *k, int32_t rgb, double alpha)
{
    cairo_set_source_rgba(k->cr, (rgb >> 16) / 255.0, (rgb >> 8 & 0xFF) / 255.0,
                          (rgb & 0xFF) / 255.0, alpha);
}

/* Where the pixels of what Cairo paints on are. */
static sl_raster_target pixels_of(cairo_t *cr)
{
    double dx = 0;
    double dy = 0;
    cairo_surface_t *surface = cairo_get_group_target(cr);
    cairo_surface_flush(surface);
    cairo_surface_get_device_offset(surface, &dx, &dy);
    sl_raster_target to = {cairo_image_surface_get_data(surface),
                           cairo_image_surface_get_stride(surface)};
    to.data += (int64_t)dy * to.stride + 4 * (int64_t)dx;
    return to;
}

static void poured(const ink *k)
{
    if (k->fills->failed) {
        k->tools->failed = true;
    } else if (k->at_once) {
        sl_raster_target to = pixels_of(k->cr);
        sl_fills_paint(k->fills, k->tools->level, &to, k->box);
        sl_fills_clear(k->fills);
        cairo_surface_mark_dirty(cairo_get_group_target(k->cr));
    }
}

void sl_ink_pour(const ink *k, int32_t rgb, double alpha)
{
    (void)sl_raster_take(k->tools->raster, premultiplied(rgb, alpha), k->fills);
    poured(k);
}

bool sl_ink_dots_room(sl_ink_tools *tools, uint32_t n)
{
    if (n > tools->dots_room) {
        uint32_t room = n + n / 2 + 64;
        sl_dot *dots = sl_mem_resize(tools->dots, room, sizeof *dots);
        if (dots == NULL) {
            tools->failed = true;
            return false;
        }
        tools->dots = dots;
        tools->dots_room = room;
    }
    return true;
}

/* The dots of one part of a path, none in the place of the one before; *i goes on to the next. */
static uint32_t next_part(const ink *k, const cairo_path_t *path, int *i, double r)
{
    sl_ink_tools *tools = k->tools;
    uint32_t n = 0;
    bool lines = false; /* a place alone is nothing */
    bool closed = false;
    for (; *i < path->num_data && !closed; *i += path->data[*i].header.length) {
        const cairo_path_data_t *d = &path->data[*i];
        if (d->header.type == CAIRO_PATH_MOVE_TO && n > 0) {
            break;
        }
        if (!sl_ink_dots_room(tools, n + 1)) {
            *i = path->num_data;
            return 0;
        }
        closed = d->header.type == CAIRO_PATH_CLOSE_PATH;
        lines = lines || d->header.type != CAIRO_PATH_MOVE_TO;
        sl_dot at = closed ? tools->dots[0] : (sl_dot){d[1].point.x, d[1].point.y, r};
        if (n == 0 || fabs(at.x - tools->dots[n - 1].x) >= STEP_MIN_PX ||
            fabs(at.y - tools->dots[n - 1].y) >= STEP_MIN_PX) {
            tools->dots[n++] = at;
        }
    }
    return lines ? n : 0;
}

static cairo_path_t *flat_path(const ink *k)
{
    cairo_path_t *path = cairo_copy_path_flat(k->cr);
    if (path->status != CAIRO_STATUS_SUCCESS || !sl_raster_begin(k->tools->raster, k->box)) {
        k->tools->failed = true;
        cairo_path_destroy(path);
        return NULL;
    }
    return path;
}

static void add_part(const ink *k, uint32_t n)
{
    sl_ink_tools *tools = k->tools;
    double *xy = sl_outline_room(&tools->outline, n);
    for (uint32_t i = 0; xy != NULL && i < n; i++) {
        xy[2 * i] = tools->dots[i].x;
        xy[2 * i + 1] = tools->dots[i].y;
    }
    if (xy != NULL) {
        sl_raster_loop(tools->raster, xy, n);
    }
}

void sl_ink_fill(const ink *k, int32_t rgb, double alpha)
{
    if (k->svg != NULL) {
        sl_svg_fill(k, rgb, alpha);
        return;
    }
    if (k->fills == NULL) {
        set_source(k, rgb, alpha);
        cairo_fill_preserve(k->cr);
        return;
    }
    cairo_path_t *path = flat_path(k);
    if (path != NULL) {
        for (int i = 0; i < path->num_data;) {
            add_part(k, next_part(k, path, &i, 0));
        }
        sl_ink_pour(k, rgb, alpha);
        cairo_path_destroy(path);
    }
}

/* Always of the whole item, so that a part is drawn as it is in the whole. */
static void stroke_mask(const ink *k, double width, int32_t rgb, double alpha)
{
    double dashes[2];
    double offset = 0;
    sl_box box = k->whole;
    cairo_surface_t *mask =
        cairo_image_surface_create(CAIRO_FORMAT_A8, box.x1 - box.x0, box.y1 - box.y0);
    cairo_t *cr = cairo_create(mask);
    cairo_path_t *path = cairo_copy_path(k->cr);
    cairo_translate(cr, -box.x0, -box.y0);
    cairo_append_path(cr, path);
    cairo_get_dash(k->cr, dashes, &offset);
    cairo_set_dash(cr, dashes, 2, offset);
    cairo_set_line_cap(cr, CAIRO_LINE_CAP_ROUND);
    cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
    cairo_set_line_width(cr, width);
    cairo_stroke(cr);
    cairo_surface_flush(mask);
    if (cairo_status(cr) == CAIRO_STATUS_SUCCESS) {
        sl_fills_mask(k->fills, premultiplied(rgb, alpha), box, cairo_image_surface_get_data(mask),
                      (size_t)cairo_image_surface_get_stride(mask));
        poured(k);
    } else {
        k->tools->failed = true;
    }
    cairo_path_destroy(path);
    cairo_destroy(cr);
    cairo_surface_destroy(mask);
}

void sl_ink_stroke(const ink *k, double width, int32_t rgb, double alpha)
{
    if (k->svg != NULL) {
        sl_svg_stroke(k, width, rgb, alpha);
        return;
    }
    if (k->fills == NULL) {
        cairo_set_line_width(k->cr, width);
        set_source(k, rgb, alpha);
        cairo_stroke_preserve(k->cr);
        return;
    }
    if (cairo_get_dash_count(k->cr) == 2) {
        stroke_mask(k, width, rgb, alpha);
        return;
    }
    cairo_path_t *path = flat_path(k);
    if (path != NULL) {
        sl_outline *o = &k->tools->outline;
        for (int i = 0; i < path->num_data;) {
            uint32_t n = next_part(k, path, &i, width * 0.5);
            if (n > 0) {
                sl_outline_make(o, k->tools->dots, n, 0);
                sl_raster_loop(k->tools->raster, o->xy, o->n);
            }
        }
        sl_ink_pour(k, rgb, alpha);
        cairo_path_destroy(path);
    }
}
