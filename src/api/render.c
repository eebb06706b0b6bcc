/* api/render.c - sideline/render.h. */
#include "render/canvas.h"

#include "api/doc.h"
#include "base/error.h"
#include "base/mem.h"

/* What a document shows at a time. What is being drawn just now is seen whatever its time range:
 * `live` holds the copies whose range is the moment. Their geometry stays the stroke's. */
typedef struct gathered {
    const sl_item **items;
    sl_shown *shown;
    size_t n;
    sl_item live[SL_DOC_STROKES_MAX];
} gathered;

static void gather_free(gathered *g)
{
    sl_mem_free(g->items);
    sl_mem_free(g->shown);
}

/* False: out of memory. */
static bool gather(const sl_doc *doc, int64_t t_us, gathered *g)
{
    size_t room = sl_drawing_count(doc->drawing) + SL_DOC_STROKES_MAX;
    g->items = sl_mem_array(room, sizeof(const sl_item *));
    g->shown = sl_mem_array(room, sizeof *g->shown);
    if (g->items == NULL || g->shown == NULL) {
        gather_free(g);
        return false;
    }
    g->n = sl_drawing_shown(doc->drawing, g->items);
    for (size_t i = 0; i < g->n; i++) {
        g->shown[i] = (sl_shown){g->items[i], -1};
    }
    for (size_t i = 0; i < SL_DOC_STROKES_MAX; i++) {
        const sl_stroke *stroke = doc->strokes[i].stroke;
        const sl_item *now = stroke != NULL ? sl_stroke_now(stroke) : NULL;
        if (now == NULL) {
            continue;
        }
        g->live[i] = *now;
        g->live[i].t_in = t_us;
        g->live[i].t_out = t_us + 1;
        g->live[i].fade_us = 0;
        g->shown[g->n++] = (sl_shown){&g->live[i], -1};
    }
    return true;
}

sl_scene sl_doc_scene(const sl_doc *doc, int64_t t_us)
{
    sl_scene scene = {.frame_w = sl_drawing_width(doc->drawing),
                      .frame_h = sl_drawing_height(doc->drawing),
                      .t_us = t_us,
                      .stamp = doc->stamp,
                      .user = doc->stamp_user};
    return scene;
}

sl_status sl_render_stamps(sl_doc *doc, sl_stamp_fn stamp, void *user)
{
    if (doc == NULL) {
        return SL_E_MISUSE;
    }
    sl_lock(doc->mutex);
    doc->stamp = stamp;
    doc->stamp_user = user;
    sl_unlock(doc->mutex);
    return SL_OK;
}

sl_status sl_render_draw(sl_doc *doc, int64_t t_us, const sl_pixels *into, sl_error **err)
{
    sl_error_start(err);
    if (doc == NULL || into == NULL || t_us == INT64_MAX) {
        return sl_fail(err, SL_E_MISUSE, "no document, no pixels or no time");
    }
    gathered g;
    sl_lock(doc->mutex);
    sl_status s = gather(doc, t_us, &g) ? SL_OK : sl_fail_nomem(err);
    if (s == SL_OK) {
        sl_scene scene = sl_doc_scene(doc, t_us);
        s = sl_render_scene(&scene, g.shown, g.n, into, err);
        gather_free(&g);
    }
    sl_unlock(doc->mutex);
    return s;
}

struct sl_overlay {
    sl_doc *doc;
    sl_canvas *canvas;
    gathered last; /* its `live` stays in place: a canvas knows items by where they are */
};

sl_status sl_overlay_new(sl_doc *doc, int32_t width, int32_t height, sl_overlay **out,
                         sl_error **err)
{
    sl_error_start(err);
    if (doc == NULL || out == NULL || width < 1 || height < 1 || width > SL_PIXELS_SIDE_MAX ||
        height > SL_PIXELS_SIDE_MAX) {
        return sl_fail(err, SL_E_MISUSE, "an overlay has a document and from 1 to %d pixels a side",
                       SL_PIXELS_SIDE_MAX);
    }
    *out = NULL;
    sl_overlay *o = sl_mem(sizeof *o);
    if (o == NULL) {
        return sl_fail_nomem(err);
    }
    o->doc = doc;
    o->canvas = sl_canvas_new(width, height);
    if (o->canvas == NULL) {
        sl_mem_free(o);
        return sl_fail_nomem(err);
    }
    sl_live_add(1);
    *out = o;
    return SL_OK;
}

void sl_overlay_free(sl_overlay *overlay)
{
    if (overlay != NULL) {
        sl_canvas_free(overlay->canvas);
        sl_mem_free(overlay);
        sl_live_add(-1);
    }
}

sl_status sl_overlay_show(sl_overlay *overlay, int64_t t_us, sl_pixels *pixels, int32_t *damage,
                          sl_error **err)
{
    sl_error_start(err);
    if (overlay == NULL || pixels == NULL || damage == NULL || t_us == INT64_MAX ||
        pixels->struct_size < sizeof *pixels) {
        return sl_fail(err, SL_E_MISUSE, "no overlay, no place for the answer or no time");
    }
    const sl_doc *doc = overlay->doc;
    sl_box box = {0, 0, 0, 0};
    sl_lock(doc->mutex);
    sl_scene scene = sl_doc_scene(doc, t_us);
    gathered *g = &overlay->last;
    sl_status s = gather(doc, t_us, g) ? SL_OK : sl_fail_nomem(err);
    if (s == SL_OK) {
        s = sl_canvas_show(overlay->canvas, &scene, g->shown, g->n, &box, err);
        gather_free(g);
    }
    sl_unlock(doc->mutex);
    const sl_pixels *shown = sl_canvas_pixels(overlay->canvas);
    pixels->width = shown->width;
    pixels->height = shown->height;
    pixels->stride = shown->stride;
    pixels->data = shown->data;
    damage[0] = box.x0;
    damage[1] = box.y0;
    damage[2] = box.x1 - box.x0;
    damage[3] = box.y1 - box.y0;
    return s;
}

sl_status sl_overlay_boxes(const sl_overlay *overlay, int32_t *boxes, size_t room, size_t *n)
{
    if (overlay == NULL || n == NULL || (boxes == NULL && room > 0)) {
        return SL_E_MISUSE;
    }
    const sl_box *damage = sl_canvas_damage(overlay->canvas, n);
    for (size_t i = 0; i < *n && i < room; i++, boxes += 4) {
        boxes[0] = damage[i].x0;
        boxes[1] = damage[i].y0;
        boxes[2] = damage[i].x1 - damage[i].x0;
        boxes[3] = damage[i].y1 - damage[i].y0;
    }
    return SL_OK;
}

sl_status sl_render_png(const sl_pixels *from, sl_bytes **png, sl_error **err)
{
    sl_error_start(err);
    if (png == NULL) {
        return sl_fail(err, SL_E_MISUSE, "nowhere to put the PNG");
    }
    *png = NULL;
    sl_buf out = {0};
    sl_status s = sl_pixels_png(from, &out, err);
    if (s != SL_OK) {
        sl_buf_free(&out);
        return s;
    }
    *png = sl_buf_bytes(&out);
    return *png != NULL ? SL_OK : sl_fail_nomem(err);
}
