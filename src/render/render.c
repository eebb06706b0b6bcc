#include "render/render.h"

#include "base/error.h"
#include "base/mem.h"
#include "render/inside.h"

#include <math.h>
#include <string.h>

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

static double linear(int32_t v)
{
    double c = v / 255.0;
    return c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
}

/* A colour with less than 3:1 against black would drown in dark video: its halo is light. */
static bool is_dark(int32_t rgb)
{
    double luminance =
        0.2126 * linear(rgb >> 16) + 0.7152 * linear(rgb >> 8 & 0xFF) + 0.0722 * linear(rgb & 0xFF);
    return (luminance + 0.05) / 0.05 < 3.0;
}

double sl_ink_halo_level(const ink *k)
{
    return is_dark(k->item->style.rgb) ? 1.0 : 0.0;
}

void sl_ink_halo(const ink *k, double width)
{
    sl_ink_stroke(k, width, sl_ink_halo_level(k) > 0 ? 0xFFFFFF : 0, SL_HALO_ALPHA);
}

void sl_extent_add(extent *e, double x, double y, double pad)
{
    e->x0 = fmin(e->x0, x - pad);
    e->y0 = fmin(e->y0, y - pad);
    e->x1 = fmax(e->x1, x + pad);
    e->y1 = fmax(e->y1, y + pad);
}

/* True when only measuring: the path is then used up. */
static bool measured(const ink *k, double pad)
{
    double x0 = 0;
    double y0 = 0;
    double x1 = 0;
    double y1 = 0;
    if (k->measure == NULL) {
        return false;
    }
    if (cairo_has_current_point(k->cr)) {
        cairo_path_extents(k->cr, &x0, &y0, &x1, &y1);
        sl_extent_add(k->measure, x0, y0, pad);
        sl_extent_add(k->measure, x1, y1, pad);
    }
    cairo_new_path(k->cr);
    return true;
}

static void set_dash(const ink *k, double width)
{
    double dashes[2][2] = {{3.0 * width, 2.5 * width}, {0.01, 2.2 * width}};
    if (k->item->style.dash == SL_DASH_DASHES) {
        cairo_set_dash(k->cr, dashes[0], 2, 0);
    } else if (k->item->style.dash == SL_DASH_DOTS) {
        cairo_set_dash(k->cr, dashes[1], 2, 0);
    }
}

void sl_ink_thin(const ink *k, double width)
{
    if (measured(k, width * 0.5 + k->halo)) {
        return;
    }
    set_dash(k, width);
    sl_ink_halo(k, width + 2 * k->halo);
    sl_ink_stroke(k, width, k->item->style.rgb, 1);
    cairo_new_path(k->cr);
    cairo_set_dash(k->cr, NULL, 0, 0);
}

void sl_ink_line(const ink *k)
{
    sl_ink_thin(k, k->width);
}

void sl_ink_body(const ink *k)
{
    if (measured(k, k->halo)) {
        return;
    }
    sl_ink_halo(k, 2 * k->halo);
    sl_ink_fill(k, k->item->style.rgb, 1);
    cairo_new_path(k->cr);
}

void sl_ink_area(const ink *k, int32_t rgb, double alpha)
{
    if (measured(k, 0)) {
        return;
    }
    sl_ink_fill(k, rgb, alpha);
    cairo_new_path(k->cr);
}

void sl_ink_fill_style(const ink *k)
{
    if (k->measure == NULL && k->item->style.fill >= 0) {
        sl_ink_fill(k, k->item->style.fill, 0.4);
    }
}

void sl_ink_at(const ink *k, sl_point p, double *x, double *y)
{
    *x = p.x;
    *y = p.y;
    cairo_matrix_transform_point(&k->to_px, x, y);
}

double sl_ink_x(const ink *k, uint32_t i)
{
    sl_point p = k->item->geo.points[i];
    return k->to_px.xx * p.x + k->to_px.xy * p.y + k->to_px.x0;
}

double sl_ink_y(const ink *k, uint32_t i)
{
    sl_point p = k->item->geo.points[i];
    return k->to_px.yx * p.x + k->to_px.yy * p.y + k->to_px.y0;
}

bool sl_ink_pose(const sl_item *item, int64_t t_us, posed *out)
{
    out->many = NULL;
    if (sl_item_is_posed(item) && item->geo.n > SL_EDIT_POINTS_MAX) {
        out->many = sl_mem_array(item->geo.n, sizeof *out->many);
        if (out->many == NULL) {
            return false;
        }
    }
    sl_item_pose(item, t_us, &out->item, out->many != NULL ? out->many : out->few);
    return true;
}

void sl_ink_matrix(const sl_scene *scene, const sl_pixels *into, cairo_matrix_t *m)
{
    double longer = scene->frame_w > scene->frame_h ? scene->frame_w : scene->frame_h;
    double x0 = 0;
    double y0 = 0;
    double w = scene->frame_w * SL_UNITS / longer;
    double h = scene->frame_h * SL_UNITS / longer;
    if (scene->crop.x0 != scene->crop.x1) {
        x0 = scene->crop.x0;
        y0 = scene->crop.y0;
        w = (double)scene->crop.x1 - scene->crop.x0;
        h = (double)scene->crop.y1 - scene->crop.y0;
    }
    static const double turned[4][6] = {
        {1, 0, 0, 1, 0, 0}, {0, 1, -1, 0, 1, 0}, {-1, 0, 0, -1, 1, 1}, {0, -1, 1, 0, 0, 1}};
    const double *t = turned[scene->turns & 3];
    cairo_matrix_t turn = {t[0], t[1], t[2], t[3], t[4], t[5]};
    cairo_matrix_init(m, 1 / w, 0, 0, 1 / h, -x0 / w, -y0 / h);
    cairo_matrix_multiply(m, m, &turn);
    cairo_matrix_t stretch = {into->width, 0, 0, into->height, 0, 0};
    cairo_matrix_multiply(m, m, &stretch);
}

void sl_ink_set(ink *k, const sl_shown *shown, const sl_item *item)
{
    double across = hypot(k->to_px.xx, k->to_px.yx);
    double down = hypot(k->to_px.xy, k->to_px.yy);
    k->item = item;
    k->age_us = shown->age_us;
    k->scale = fmin(across, down);
    k->width = fmax(item->style.width * k->scale, 1.0);
    k->halo = fmin(fmax(0.2 * k->width, 1.0), fmax(4.0, 64 * k->scale));
    k->measure = NULL;
}

/* Whole pixels, one more on each side for the smoothing of edges, within the picture. */
sl_box sl_ink_box(ink *k)
{
    extent e = {HUGE_VAL, HUGE_VAL, -HUGE_VAL, -HUGE_VAL};
    sl_box none = {0, 0, 0, 0};
    k->measure = &e;
    (void)sl_ink_draw(k); /* a text without memory to measure it is everywhere */
    k->measure = NULL;
    double x0 = fmax(floor(e.x0) - 1, 0);
    double y0 = fmax(floor(e.y0) - 1, 0);
    double x1 = fmin(ceil(e.x1) + 1, k->into->width);
    double y1 = fmin(ceil(e.y1) + 1, k->into->height);
    if (!(x0 < x1) || !(y0 < y1)) {
        return none;
    }
    sl_box box = {(int32_t)x0 / SL_BLOCK * SL_BLOCK, (int32_t)y0, (int32_t)x1, (int32_t)y1};
    return box;
}

void sl_ink_clip(sl_box *box, const sl_box *clip)
{
    if (clip->x0 == clip->x1) {
        return;
    }
    box->x0 = box->x0 > clip->x0 ? box->x0 : clip->x0;
    box->y0 = box->y0 > clip->y0 ? box->y0 : clip->y0;
    box->x1 = box->x1 < clip->x1 ? box->x1 : clip->x1;
    box->y1 = box->y1 < clip->y1 ? box->y1 : clip->y1;
}

/* A see-through item is drawn whole on a layer of its own size first: its halo and its crossings
 * must not show through. */
bool sl_ink_item(ink *k, sl_box box, int32_t opacity)
{
    k->box = box;
    cairo_save(k->cr);
    cairo_rectangle(k->cr, box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0);
    cairo_clip(k->cr);
    bool layer = opacity < SL_OPAQUE && k->item->geo.kind != SL_KIND_BLUR;
    if (layer) {
        cairo_push_group(k->cr);
    }
    cairo_set_line_cap(k->cr, CAIRO_LINE_CAP_ROUND);
    cairo_set_line_join(k->cr, CAIRO_LINE_JOIN_ROUND);
    bool ok = sl_ink_draw(k);
    if (layer) {
        cairo_pop_group_to_source(k->cr);
        cairo_paint_with_alpha(k->cr, (double)opacity / SL_OPAQUE);
    }
    cairo_restore(k->cr);
    return ok;
}

sl_status sl_ink_failed(cairo_status_t status, sl_error **err)
{
    return status == CAIRO_STATUS_NO_MEMORY
               ? sl_fail_nomem(err)
               : sl_fail(err, SL_E_INTERNAL, "drawing failed: %s", cairo_status_to_string(status));
}

/* The scale of the lowest ruler that calibrates. */
void sl_ink_scale(const sl_scene *scene, const sl_shown *shown, size_t n, sl_scale *out)
{
    sl_scale_pixels(scene->frame_w > scene->frame_h ? scene->frame_w : scene->frame_h, out);
    for (size_t i = 0; i < n; i++) {
        posed p;
        if (shown[i].item->geo.kind != SL_KIND_RULER) {
            continue;
        }
        sl_item_pose(shown[i].item, scene->t_us, &p.item, p.few);
        if (sl_scale_ruler(&p.item, out)) {
            return;
        }
    }
}

bool sl_ink_is_visible(const sl_shown *shown, int64_t t_us)
{
    return sl_tool_of(shown->item->geo.kind)->form != SL_FORM_HIDDEN &&
           sl_item_opacity_at(shown->item, t_us) > 0;
}

sl_status sl_render_shown(const sl_shown *shown, size_t n, int32_t frame_w, int32_t frame_h,
                          int64_t t_us, const sl_pixels *into, sl_error **err)
{
    sl_scene scene = {.frame_w = frame_w, .frame_h = frame_h, .t_us = t_us};
    return sl_render_scene(&scene, shown, n, into, err);
}

static void add_box(sl_box *all, sl_box box)
{
    if (box.x0 >= box.x1 || box.y0 >= box.y1) {
        return;
    }
    if (all->x0 == all->x1) {
        *all = box;
    }
    all->x0 = box.x0 < all->x0 ? box.x0 : all->x0;
    all->y0 = box.y0 < all->y0 ? box.y0 : all->y0;
    all->x1 = box.x1 > all->x1 ? box.x1 : all->x1;
    all->y1 = box.y1 > all->y1 ? box.y1 : all->y1;
}

sl_box sl_render_scene_damage(const sl_scene *scene, const sl_shown *shown, size_t n,
                              const sl_pixels *into)
{
    sl_box all = {0, 0, 0, 0};
    if (scene->frame_w < 1 || scene->frame_h < 1) {
        return all;
    }
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_A8, 1, 1);
    sl_scale units;
    ink k = {.cr = cairo_create(surface), .scene = scene, .units = &units, .into = into};
    sl_ink_matrix(scene, into, &k.to_px);
    sl_ink_scale(scene, shown, n, &units);
    for (size_t i = 0; i < n; i++) {
        posed p;
        if (!sl_ink_is_visible(&shown[i], scene->t_us)) {
            continue;
        }
        if (sl_ink_pose(shown[i].item, scene->t_us, &p)) {
            sl_ink_set(&k, &shown[i], &p.item);
            add_box(&all, sl_ink_box(&k));
            sl_mem_free(p.many);
            k.item = NULL;
        } else {
            add_box(&all, (sl_box){0, 0, into->width, into->height}); /* all is never too little */
        }
    }
    cairo_destroy(k.cr);
    cairo_surface_destroy(surface);
    sl_ink_clip(&all, &scene->clip);
    return all.x0 < all.x1 && all.y0 < all.y1 ? all : (sl_box){0, 0, 0, 0};
}

sl_box sl_render_damage(const sl_shown *shown, size_t n, int32_t frame_w, int32_t frame_h,
                        int64_t t_us, const sl_pixels *into)
{
    sl_scene scene = {.frame_w = frame_w, .frame_h = frame_h, .t_us = t_us};
    return sl_render_scene_damage(&scene, shown, n, into);
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
    return status == CAIRO_STATUS_SUCCESS ? SL_OK : sl_ink_failed(status, err);
}
