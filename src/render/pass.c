/*
 * render/pass.c - a scene on its way to pixels, item by item: what an item is drawn with, made or kept,
 * and blended where it is asked for.
 */
#include "base/error.h"
#include "base/mem.h"
#include "render/inside.h"

#include <string.h>

enum {
    AREA_MAX = 1 << 24 /* pixels that the rasteriser has in hand at once */
};

/* What looks at pixels, or places others', is drawn by Cairo where it belongs. */
bool sl_ink_is_effect(sl_kind kind)
{
    return kind == SL_KIND_STAMP || kind == SL_KIND_MAGNIFIER || kind == SL_KIND_BLUR;
}

/* What an item is drawn with is the same whenever it is drawn, but for its opacity. */
static bool may_keep(const sl_shown *shown)
{
    const sl_item *item = shown->item;
    return shown->age_us < 0 && !item->live && item->keys_n == 0 &&
           item->geo.kind != SL_KIND_PATH && item->geo.kind != SL_KIND_STOPWATCH &&
           !sl_ink_is_effect(item->geo.kind);
}

static sl_keep_key key_of(const sl_item *item)
{
    return (sl_keep_key){(uint64_t)(uintptr_t)item, item->revision};
}

/* The fillings of an item in the part of it that is asked for. False: out of memory. */
static bool make_fills(ink *k, sl_box box)
{
    sl_ink_tools *tools = k->tools;
    k->box = box;
    k->fills = &tools->once;
    k->at_once = false;
    sl_fills_clear(&tools->once);
    cairo_save(k->cr);
    bool ok = sl_ink_draw(k);
    cairo_restore(k->cr);
    k->fills = NULL;
    return ok && !tools->failed && !tools->outline.failed;
}

/* Sees through: on a layer first, a band at a time, so that nothing drawn twice is darker. */
static bool paint_layer(const ink *k, const sl_fills *fills, sl_box box, uint32_t alpha)
{
    sl_ink_tools *tools = k->tools;
    size_t stride = (size_t)(box.x1 - box.x0) * 4;
    if (stride * SL_BAND > tools->layer_room) {
        sl_mem_free(tools->layer);
        tools->layer = sl_mem_array(SL_BAND, stride);
        tools->layer_room = tools->layer != NULL ? stride * SL_BAND : 0;
    }
    if (tools->layer == NULL) {
        return false;
    }
    for (int32_t y = box.y0; y < box.y1; y += SL_BAND) {
        sl_box band = {box.x0, y, box.x1, y + SL_BAND < box.y1 ? y + SL_BAND : box.y1};
        sl_raster_target to = {tools->layer - (int64_t)stride * y - 4 * (int64_t)box.x0,
                               (int64_t)stride};
        memset(tools->layer, 0, stride * SL_BAND);
        sl_fills_paint(fills, tools->level, &to, band);
        for (int32_t row = y; row < band.y1; row++) {
            sl_layer_paint(
                tools->level, tools->layer + stride * (size_t)(row - y), box.x1 - box.x0, alpha,
                k->into->data + (ptrdiff_t)row * k->into->stride + 4 * (ptrdiff_t)box.x0);
        }
    }
    return true;
}

static bool paint_fills(const ink *k, const sl_fills *fills, sl_box box, int32_t opacity)
{
    if (opacity < SL_OPAQUE) {
        uint32_t alpha = ((uint32_t)opacity * 255 + SL_OPAQUE / 2) / SL_OPAQUE;
        return paint_layer(k, fills, box, alpha);
    }
    sl_raster_target to = {k->into->data, k->into->stride};
    sl_fills_paint(fills, k->tools->level, &to, box);
    return true;
}

static bool is_empty(const sl_box *box)
{
    return box->x0 >= box->x1 || box->y0 >= box->y1;
}

/* By Cairo: all, or what is drawn where it belongs. */
static bool draw_by_cairo(ink *k, sl_box box, int32_t opacity)
{
    k->fills = k->tools->raster != NULL ? &k->tools->once : NULL;
    k->at_once = true;
    sl_fills_clear(&k->tools->once);
    cairo_surface_mark_dirty(cairo_get_target(k->cr));
    bool ok = sl_ink_item(k, box, opacity);
    cairo_surface_flush(cairo_get_target(k->cr));
    k->fills = NULL;
    return ok && !k->tools->failed && !k->tools->outline.failed;
}

static bool paint_posed(ink *k, const sl_shown *shown, const sl_item *item, sl_box clip)
{
    int32_t opacity = sl_item_opacity_at(item, k->scene->t_us);
    sl_ink_set(k, shown, item);
    k->whole = sl_ink_box(k);
    sl_box box = k->whole;
    sl_ink_clip(&box, &clip);
    if (opacity == 0 || is_empty(&box)) {
        return true;
    }
    if (k->tools->raster == NULL || sl_ink_is_effect(item->geo.kind)) {
        return draw_by_cairo(k, box, opacity);
    }
    bool ok = true;
    int32_t rows = AREA_MAX / (box.x1 - box.x0);
    for (sl_box part = box; ok && part.y0 < box.y1; part.y0 = part.y1) {
        part.y1 = box.y1 - part.y0 > rows ? part.y0 + rows : box.y1;
        sl_box made = {box.x0 / SL_BLOCK * SL_BLOCK, part.y0, box.x1, part.y1};
        ok = make_fills(k, made) && paint_fills(k, &k->tools->once, part, opacity);
    }
    return ok;
}

bool sl_pass_paint(sl_pass *p, const sl_shown *shown, const sl_kept *kept, sl_box clip)
{
    posed it;
    if (kept != NULL) {
        int32_t opacity = sl_item_opacity_at(shown->item, p->k.scene->t_us);
        sl_box box = kept->box;
        sl_ink_clip(&box, &clip);
        return is_empty(&box) || paint_fills(&p->k, &kept->fills, box, opacity);
    }
    if (!sl_ink_pose(shown->item, p->k.scene->t_us, &it)) {
        return false;
    }
    bool ok = paint_posed(&p->k, shown, &it.item, clip);
    sl_mem_free(it.many);
    p->k.item = NULL;
    return ok;
}

/* Of the box's tiles, from its first on: how many a row. */
static int32_t tiles_across(const sl_box *box)
{
    return ((box->x1 - 1) / SL_TILE) - box->x0 / SL_TILE + 1;
}

static size_t tile_words(const sl_box *box)
{
    int32_t down = ((box->y1 - 1) / SL_TILE) - box->y0 / SL_TILE + 1;
    return ((size_t)tiles_across(box) * (size_t)down + 63) / 64;
}

static void mark_tile(sl_kept *kept, int32_t x, int32_t y)
{
    int32_t row = y / SL_TILE - kept->box.y0 / SL_TILE;
    size_t at = (size_t)(row * tiles_across(&kept->box) + x / SL_TILE - kept->box.x0 / SL_TILE);
    kept->tiles[at / 64] |= UINT64_C(1) << (at % 64);
}

static bool mark_tiles(sl_kept *kept)
{
    const sl_fills *f = &kept->fills;
    kept->tiles = sl_mem_array(tile_words(&kept->box), sizeof *kept->tiles);
    if (kept->tiles == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < f->blocks; i++) { /* a block never lies in two */
        mark_tile(kept, f->block[i].x, f->block[i].y);
    }
    for (uint32_t i = 0; i < f->evens; i++) {
        const sl_even *e = &f->even[i];
        for (int32_t x = e->x; x < e->x + e->n; x = (x / SL_TILE + 1) * SL_TILE) {
            mark_tile(kept, x, e->y);
        }
    }
    return true;
}

bool sl_kept_touches(const sl_kept *kept, int32_t col, int32_t row)
{
    const sl_box *box = &kept->box;
    int32_t x = col - box->x0 / SL_TILE;
    int32_t y = row - box->y0 / SL_TILE;
    if (is_empty(box) || x < 0 || y < 0 || x >= tiles_across(box) ||
        row > (box->y1 - 1) / SL_TILE) {
        return false;
    }
    size_t at = (size_t)y * (size_t)tiles_across(box) + (size_t)x;
    return (kept->tiles[at / 64] >> (at % 64) & 1) != 0;
}

/* A copy of what has just been made, put by; NULL: there is no room. */
static const sl_kept *put_by(sl_pass *p, const sl_item *item, sl_box box)
{
    sl_kept *kept = sl_mem(sizeof *kept);
    if (kept == NULL) {
        return NULL;
    }
    kept->box = box;
    bool ok =
        is_empty(&box) || (sl_fills_copy(&p->k.tools->once, &kept->fills) && mark_tiles(kept));
    size_t bytes = sizeof *kept + sl_fills_bytes(&kept->fills);
    bytes += is_empty(&box) ? 0 : tile_words(&box) * sizeof *kept->tiles;
    if (!ok || !sl_keep_put(p->renderer->keep, key_of(item), kept, bytes)) {
        sl_kept_free(kept);
        return NULL;
    }
    return kept;
}

static const sl_kept *keep(sl_pass *p, const sl_shown *shown)
{
    posed it;
    ink *k = &p->k;
    if (!sl_ink_pose(shown->item, k->scene->t_us, &it)) {
        return NULL;
    }
    sl_ink_set(k, shown, &it.item);
    k->whole = sl_ink_box(k);
    int64_t area = (int64_t)(k->whole.x1 - k->whole.x0) * (k->whole.y1 - k->whole.y0);
    bool ok = is_empty(&k->whole) || (area <= AREA_MAX && make_fills(k, k->whole));
    const sl_kept *kept = ok ? put_by(p, shown->item, k->whole) : NULL;
    p->full = kept == NULL && area <= AREA_MAX;
    sl_mem_free(it.many);
    k->item = NULL;
    k->tools->failed = false; /* it is drawn without, then */
    k->tools->outline.failed = false;
    return kept;
}

const sl_kept *sl_pass_keep(sl_pass *p, const sl_shown *shown)
{
    if (p->renderer->keep == NULL || !may_keep(shown)) {
        return NULL;
    }
    const sl_kept *kept = sl_keep_find(p->renderer->keep, key_of(shown->item));
    if (kept == NULL && !p->full) {
        kept = keep(p, shown);
    }
    return kept;
}

const sl_kept *sl_renderer_kept(sl_renderer *r, const sl_item *item, uint64_t revision)
{
    sl_keep_key key = {(uint64_t)(uintptr_t)item, revision};
    return r->keep != NULL ? sl_keep_find(r->keep, key) : NULL;
}

void sl_kept_free(void *kept)
{
    sl_kept *it = kept;
    sl_fills_free(&it->fills);
    sl_mem_free(it->tiles);
    sl_mem_free(it);
}

sl_renderer *sl_renderer_new(bool by_cairo)
{
    sl_renderer *r = sl_mem(sizeof *r);
    if (r != NULL && !by_cairo) {
        r->tools.level = sl_raster_best();
        r->tools.raster = sl_raster_new();
        if (r->tools.raster == NULL) {
            sl_mem_free(r);
            return NULL;
        }
    }
    return r;
}

bool sl_renderer_keep(sl_renderer *r, size_t bytes)
{
    sl_keep_free(r->keep);
    r->keep = sl_keep_new(bytes, sl_kept_free);
    return r->keep != NULL;
}

size_t sl_renderer_bytes(const sl_renderer *r)
{
    return r->keep != NULL ? sl_keep_bytes(r->keep) : 0;
}

void sl_renderer_free(sl_renderer *r)
{
    if (r != NULL) {
        sl_keep_free(r->keep);
        sl_raster_free(r->tools.raster);
        sl_outline_free(&r->tools.outline);
        sl_fills_free(&r->tools.once);
        sl_mem_free(r->tools.layer);
        sl_mem_free(r->tools.dots);
        sl_mem_free(r);
    }
}

sl_ink_tools *sl_renderer_tools(sl_renderer *r)
{
    return &r->tools;
}

sl_status sl_render_scene(const sl_scene *scene, const sl_shown *shown, size_t n,
                          const sl_pixels *into, sl_error **err)
{
    sl_renderer *r = sl_renderer_new(false);
    if (r == NULL) {
        return sl_fail_nomem(err);
    }
    sl_status s = sl_renderer_draw(r, scene, shown, n, into, err);
    sl_renderer_free(r);
    return s;
}

bool sl_same_scale(const sl_scale *a, const sl_scale *b)
{
    return a->per_unit >= b->per_unit && a->per_unit <= b->per_unit &&
           strcmp(a->unit, b->unit) == 0;
}

static bool same_matrix(const cairo_matrix_t *a, const cairo_matrix_t *b)
{
    return a->xx == b->xx && a->xy == b->xy && a->yx == b->yx && a->yy == b->yy && a->x0 == b->x0 &&
           a->y0 == b->y0;
}

/* What is kept is of one view and one scale of measures. */
static void forget_another_view(sl_renderer *r, const sl_pass *p)
{
    const sl_view_of *was = &r->view;
    sl_view_of now = {p->k.to_px, p->k.into->width, p->k.into->height, p->units};
    bool same = same_matrix(&now.to_px, &was->to_px) && now.width == was->width &&
                now.height == was->height && sl_same_scale(&now.units, &was->units);
    if (r->keep != NULL && !same) {
        sl_keep_clear(r->keep);
    }
    r->view = now;
}

sl_status sl_pass_begin(sl_pass *p, sl_renderer *r, const sl_scene *scene, const sl_scale *units,
                        const sl_pixels *into, sl_error **err)
{
    sl_status s = sl_pixels_check(into, err);
    if (s == SL_OK && (scene->frame_w < 1 || scene->frame_h < 1)) {
        s = sl_fail(err, SL_E_MISUSE, "the frame has no size");
    }
    if (s != SL_OK) {
        return s;
    }
    memset(p, 0, sizeof *p);
    p->renderer = r;
    p->surface = cairo_image_surface_create_for_data(into->data, CAIRO_FORMAT_ARGB32, into->width,
                                                     into->height, into->stride);
    p->k = (ink){.cr = cairo_create(p->surface),
                 .scene = scene,
                 .units = &p->units,
                 .into = into,
                 .tools = &r->tools};
    r->tools.outline.failed = false;
    r->tools.failed = false;
    sl_ink_matrix(scene, into, &p->k.to_px);
    p->units = *units;
    forget_another_view(r, p);
    if (r->keep != NULL) {
        sl_keep_turn(r->keep);
    }
    return SL_OK;
}

sl_status sl_pass_end(sl_pass *p, bool ok, sl_error **err)
{
    sl_status s = ok ? SL_OK : sl_fail_nomem(err);
    if (s == SL_OK && cairo_status(p->k.cr) != CAIRO_STATUS_SUCCESS) {
        s = sl_ink_failed(cairo_status(p->k.cr), err);
    }
    cairo_destroy(p->k.cr);
    cairo_surface_finish(p->surface);
    cairo_surface_destroy(p->surface);
    return s;
}

sl_status sl_renderer_draw(sl_renderer *r, const sl_scene *scene, const sl_shown *shown, size_t n,
                           const sl_pixels *into, sl_error **err)
{
    sl_pass p;
    sl_scale units;
    sl_ink_scale(scene, shown, n, &units);
    sl_status s = sl_pass_begin(&p, r, scene, &units, into, err);
    if (s != SL_OK) {
        return s;
    }
    bool ok = true;
    for (size_t i = 0; ok && i < n; i++) {
        ok = !sl_ink_is_visible(&shown[i], scene->t_us) ||
             sl_pass_paint(&p, &shown[i], sl_pass_keep(&p, &shown[i]), scene->clip);
    }
    return sl_pass_end(&p, ok, err);
}
