/*
 * render/effects.c - what works on the picture rather than over it: spotlight, magnifier, stamp,
 * blur. They read the target's own memory, so Cairo is told before and after.
 */
#include "render/inside.h"

#include <math.h>
#include <string.h>

static const double PI = 3.141592653589793;
static const double DIM = 0.6;

enum {
    BLUR_CELLS = 8, /* across the shorter side of the box */
    BLUR_CELL_MIN = 4,
    BLUR_GREY = 0x80
};

static void path_oval(const ink *k, uint32_t a, uint32_t b)
{
    cairo_save(k->cr);
    cairo_translate(k->cr, (sl_ink_x(k, a) + sl_ink_x(k, b)) * 0.5,
                    (sl_ink_y(k, a) + sl_ink_y(k, b)) * 0.5);
    cairo_scale(k->cr, fmax(fabs(sl_ink_x(k, a) - sl_ink_x(k, b)) * 0.5, 0.01),
                fmax(fabs(sl_ink_y(k, a) - sl_ink_y(k, b)) * 0.5, 0.01));
    cairo_new_sub_path(k->cr);
    cairo_arc_negative(k->cr, 0, 0, 1, 2 * PI, 0);
    cairo_close_path(k->cr);
    cairo_restore(k->cr);
}

/* All but the ellipse, which runs the other way round, grows dark. */
bool sl_ink_spotlight(const ink *k)
{
    cairo_rectangle(k->cr, 0, 0, k->into->width, k->into->height);
    if (k->measure == NULL) {
        path_oval(k, 0, 1);
    }
    sl_ink_area(k, 0, DIM);
    return true;
}

/* A copy of the target's pixels from (x0, y0) on, transparent outside; NULL: out of memory. */
static cairo_surface_t *copy_of(const ink *k, int32_t x0, int32_t y0, int32_t w, int32_t h)
{
    const sl_pixels *into = k->into;
    cairo_surface_t *copy = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, w, h);
    if (cairo_surface_status(copy) != CAIRO_STATUS_SUCCESS) {
        cairo_surface_destroy(copy);
        return NULL;
    }
    cairo_surface_flush(cairo_get_target(k->cr));
    int32_t from = x0 < 0 ? -x0 : 0;
    int32_t to = x0 + w > into->width ? into->width - x0 : w;
    uint8_t *data = cairo_image_surface_get_data(copy);
    int stride = cairo_image_surface_get_stride(copy);
    int32_t rows = into->data != NULL ? h : 0; /* a page without a picture under it */
    for (int32_t y = y0 < 0 ? -y0 : 0; y < rows && y + y0 < into->height && from < to; y++) {
        memcpy(data + (ptrdiff_t)y * stride + (ptrdiff_t)from * 4,
               into->data + (ptrdiff_t)(y + y0) * into->stride + ((ptrdiff_t)x0 + from) * 4,
               (size_t)(to - from) * 4);
    }
    cairo_surface_mark_dirty(copy);
    return copy;
}

bool sl_ink_picture(const ink *k, cairo_surface_t *picture, cairo_filter_t filter,
                    const double *lens)
{
    if (k->svg != NULL) {
        return sl_svg_picture(k, picture, filter, lens);
    }
    cairo_matrix_t to;
    cairo_get_matrix(k->cr, &to);
    if (lens != NULL) {
        cairo_identity_matrix(k->cr);
        cairo_new_path(k->cr);
        cairo_arc(k->cr, lens[0], lens[1], lens[2], 0, 2 * PI);
        cairo_clip(k->cr);
        cairo_set_matrix(k->cr, &to);
    } else {
        cairo_rectangle(k->cr, 0, 0, cairo_image_surface_get_width(picture),
                        cairo_image_surface_get_height(picture));
    }
    cairo_set_source_surface(k->cr, picture, 0, 0);
    cairo_pattern_set_filter(cairo_get_source(k->cr), filter);
    if (lens != NULL) {
        cairo_paint(k->cr);
    } else {
        cairo_pattern_set_extend(cairo_get_source(k->cr), CAIRO_EXTEND_PAD);
        cairo_fill(k->cr);
    }
    return true;
}

/* Within the lens, zoom times as large, what lies around the third point. */
static bool paint_lens(const ink *k, double r)
{
    double zoom = k->item->style.zoom / 1000.0;
    double sx = sl_ink_x(k, 2);
    double sy = sl_ink_y(k, 2);
    double seen = fmin(r / zoom + 2, SL_PIXELS_SIDE_MAX);
    double far = 4.0 * SL_PIXELS_SIDE_MAX;
    if (!(fabs(sx) < far && fabs(sy) < far)) {
        return true;
    }
    int32_t x0 = (int32_t)floor(sx - seen);
    int32_t y0 = (int32_t)floor(sy - seen);
    int32_t side = (int32_t)ceil(2 * seen) + 1;
    cairo_surface_t *copy = copy_of(k, x0, y0, side, side);
    if (copy == NULL) {
        return false;
    }
    double lens[3] = {sl_ink_x(k, 0), sl_ink_y(k, 0), r};
    cairo_save(k->cr);
    cairo_translate(k->cr, lens[0], lens[1]);
    cairo_scale(k->cr, zoom, zoom);
    cairo_translate(k->cr, x0 - sx, y0 - sy);
    bool ok = sl_ink_picture(k, copy, CAIRO_FILTER_BILINEAR, lens);
    cairo_restore(k->cr);
    cairo_surface_destroy(copy);
    return ok;
}

bool sl_ink_magnifier(const ink *k)
{
    double x = sl_ink_x(k, 0);
    double y = sl_ink_y(k, 0);
    double r = hypot(sl_ink_x(k, 1) - x, sl_ink_y(k, 1) - y);
    r = fmax(r, 1);
    if (k->measure == NULL && !paint_lens(k, r)) {
        return false;
    }
    cairo_new_sub_path(k->cr);
    cairo_arc(k->cr, x, y, r, 0, 2 * PI);
    cairo_close_path(k->cr);
    sl_ink_line(k);
    return true;
}

/* The item's box in whole pixels. */
static sl_box pixel_box(const ink *k)
{
    double far = 2.0 * SL_PIXELS_SIDE_MAX;
    double x[2] = {sl_ink_x(k, 0), sl_ink_x(k, 1)};
    double y[2] = {sl_ink_y(k, 0), sl_ink_y(k, 1)};
    sl_box box = {
        (int32_t)floor(fmax(fmin(x[0], x[1]), -far)), (int32_t)floor(fmax(fmin(y[0], y[1]), -far)),
        (int32_t)ceil(fmin(fmax(x[0], x[1]), far)), (int32_t)ceil(fmin(fmax(y[0], y[1]), far))};
    return box;
}

bool sl_ink_stamp(const ink *k)
{
    const sl_scene *scene = k->scene;
    const sl_pixels *picture = NULL;
    if (scene->stamp != NULL && k->measure == NULL) {
        picture = scene->stamp(scene->user, k->item->geo.text);
    }
    double x0 = fmin(sl_ink_x(k, 0), sl_ink_x(k, 1));
    double y0 = fmin(sl_ink_y(k, 0), sl_ink_y(k, 1));
    double w = fmax(fabs(sl_ink_x(k, 1) - sl_ink_x(k, 0)), 0.01);
    double h = fmax(fabs(sl_ink_y(k, 1) - sl_ink_y(k, 0)), 0.01);
    if (picture == NULL) {
        cairo_rectangle(k->cr, x0, y0, w, h);
        cairo_move_to(k->cr, x0, y0);
        cairo_line_to(k->cr, x0 + w, y0 + h);
        sl_ink_line(k);
        return true;
    }
    cairo_surface_t *surface = cairo_image_surface_create_for_data(
        picture->data, CAIRO_FORMAT_ARGB32, picture->width, picture->height, picture->stride);
    cairo_save(k->cr);
    cairo_translate(k->cr, x0, y0);
    cairo_scale(k->cr, w / picture->width, h / picture->height);
    bool ok = sl_ink_picture(k, surface, CAIRO_FILTER_GOOD, NULL);
    cairo_restore(k->cr);
    cairo_surface_finish(surface);
    cairo_surface_destroy(surface);
    return ok;
}

static uint32_t pixel_at(const uint8_t *data, int stride, int32_t x, int32_t y)
{
    uint32_t v = 0;
    memcpy(&v, data + (ptrdiff_t)y * stride + (ptrdiff_t)x * 4, sizeof v);
    return v;
}

/* One cell becomes its own mean, over grey: always opaque. */
static void blur_cell(uint8_t *data, int stride, sl_box cell)
{
    uint64_t sum[4] = {0, 0, 0, 0};
    uint64_t count = (uint64_t)(cell.x1 - cell.x0) * (uint64_t)(cell.y1 - cell.y0);
    for (int32_t y = cell.y0; y < cell.y1; y++) {
        for (int32_t x = cell.x0; x < cell.x1; x++) {
            uint32_t v = pixel_at(data, stride, x, y);
            for (int i = 0; i < 4; i++) {
                sum[i] += v >> (8 * i) & 0xFF;
            }
        }
    }
    uint64_t grey = (255 - sum[3] / count) * BLUR_GREY / 255;
    uint32_t mean = UINT32_C(0xFF000000);
    for (int i = 0; i < 3; i++) {
        uint64_t v = sum[i] / count + grey;
        mean |= (uint32_t)(v > 255 ? 255 : v) << (8 * i);
    }
    for (int32_t y = cell.y0; y < cell.y1; y++) {
        for (int32_t x = cell.x0; x < cell.x1; x++) {
            memcpy(data + (ptrdiff_t)y * stride + (ptrdiff_t)x * 4, &mean, sizeof mean);
        }
    }
}

static void blur_all(cairo_surface_t *copy, int32_t w, int32_t h)
{
    uint8_t *data = cairo_image_surface_get_data(copy);
    int stride = cairo_image_surface_get_stride(copy);
    int32_t side = (w < h ? w : h) / BLUR_CELLS;
    side = side < BLUR_CELL_MIN ? BLUR_CELL_MIN : side;
    cairo_surface_flush(copy);
    for (int32_t y = 0; y < h; y += side) {
        for (int32_t x = 0; x < w; x += side) {
            sl_box cell = {x, y, x + side < w ? x + side : w, y + side < h ? y + side : h};
            blur_cell(data, stride, cell);
        }
    }
    cairo_surface_mark_dirty(copy);
}

bool sl_ink_blur(const ink *k)
{
    sl_box box = pixel_box(k);
    if (k->measure != NULL) {
        sl_extent_add(k->measure, box.x0, box.y0, 0);
        sl_extent_add(k->measure, box.x1, box.y1, 0);
        return true;
    }
    /* Only the part on the picture: cells are those of this part. */
    box.x0 = box.x0 < 0 ? 0 : box.x0;
    box.y0 = box.y0 < 0 ? 0 : box.y0;
    box.x1 = box.x1 > k->into->width ? k->into->width : box.x1;
    box.y1 = box.y1 > k->into->height ? k->into->height : box.y1;
    if (box.x0 >= box.x1 || box.y0 >= box.y1) {
        return true;
    }
    int32_t w = box.x1 - box.x0;
    int32_t h = box.y1 - box.y0;
    cairo_surface_t *copy = copy_of(k, box.x0, box.y0, w, h);
    if (copy == NULL) {
        return false;
    }
    blur_all(copy, w, h);
    cairo_save(k->cr);
    cairo_translate(k->cr, box.x0, box.y0);
    bool ok = sl_ink_picture(k, copy, CAIRO_FILTER_NEAREST, NULL);
    cairo_restore(k->cr);
    cairo_surface_destroy(copy);
    return ok;
}
