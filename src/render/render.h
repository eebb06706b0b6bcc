/*
 * render/render.h - items to pixels. The home of Cairo.
 *
 * The display frame (frame_w by frame_h pixels) fills `into`, whatever its size. Every shape has a
 * halo, dark or, around dark colours, light, so that it reads on any picture. The same arguments
 * give the same bytes.
 *
 * A magnifier and a blur look at what `into` holds: give them the frame's pixels. Where there are
 * none (alpha below 255), a blur covers with grey: it never lets through what it is to hide, nor
 * does its opacity or fade.
 */
#ifndef SL_RENDER_RENDER_H
#define SL_RENDER_RENDER_H

#include "annotation/item.h"
#include "base/buf.h"
#include "sideline/render.h"

enum {
    SL_PIXELS_SIDE_MAX = 16384
};

/* age_us: since it was shown: a pen with times grows as it was drawn; -1: complete. */
typedef struct sl_shown {
    const sl_item *item;
    int64_t age_us;
} sl_shown;

/* As age_us, on a page: part of the document, not of the picture. */
#define SL_SHOWN_HIDDEN INT64_MIN

/* What of the frame is drawn, and how. */
typedef struct sl_scene {
    int32_t frame_w;
    int32_t frame_h;
    int64_t t_us;
    sl_box crop;   /* in units; x0 == x1: all of the frame */
    int32_t turns; /* quarter turns clockwise, 0 to 3 */
    sl_box clip;   /* in pixels of `into`: nothing outside is touched; x0 == x1: no bound */
    /* The picture of a stamp by its blob's name, borrowed for the call; NULL: not at hand, a frame
     * is drawn in its place. May be NULL. */
    const sl_pixels *(*stamp)(void *user, const char *blob);
    void *user;
} sl_scene;

/* SL_E_MISUSE unless the pixels are such as can be drawn on. */
sl_status sl_pixels_check(const sl_pixels *pixels, sl_error **err);
/* Memory kept from one drawing to the next. by_cairo: strokes too are filled by Cairo, as the
 * reference. NULL: out of memory. */
typedef struct sl_renderer sl_renderer;
sl_renderer *sl_renderer_new(bool by_cairo);
void sl_renderer_free(sl_renderer *r);
/* From now on it keeps what items are drawn with, up to so many bytes: one that is drawn again in the
 * same view is only blended. For that an item at the same place in memory and of the same revision
 * must be the same. False: out of memory; it works on without. */
bool sl_renderer_keep(sl_renderer *r, size_t bytes);
size_t sl_renderer_bytes(const sl_renderer *r); /* kept now */
sl_status sl_renderer_draw(sl_renderer *r, const sl_scene *scene, const sl_shown *shown, size_t n,
                           const sl_pixels *into, sl_error **err);
/* Draws, in this order, what is visible at scene->t_us. */
sl_status sl_render_scene(const sl_scene *scene, const sl_shown *shown, size_t n,
                          const sl_pixels *into, sl_error **err);
/* All of the frame. */
sl_status sl_render_shown(const sl_shown *shown, size_t n, int32_t frame_w, int32_t frame_h,
                          int64_t t_us, const sl_pixels *into, sl_error **err);
/* The pixels the same call may touch, within `into`; x0 == x1 when none. Reads no pixel. */
sl_box sl_render_damage(const sl_shown *shown, size_t n, int32_t frame_w, int32_t frame_h,
                        int64_t t_us, const sl_pixels *into);
sl_box sl_render_scene_damage(const sl_scene *scene, const sl_shown *shown, size_t n,
                              const sl_pixels *into);

/* A drawing as a page of lines and letters' outlines rather than pixels. */
typedef struct sl_page {
    sl_scene scene; /* without crop, turns and clip: a page is the whole frame */
    /* The picture under the drawing, which goes into the page with every blur carried out, never
     * without; the page is as large. NULL: none, and a page as large as the frame. */
    const sl_pixels *frame;
    bool whole; /* every item, whatever its time, each as it stands at the end of it, not faded */
} sl_page;
/* Appends the SVG; of each item all its record's fields are in attributes data-*, whence
 * exchange/exchange.h has them back. */
sl_status sl_page_svg(const sl_page *page, const sl_shown *shown, size_t n, sl_buf *out,
                      sl_error **err);
/* SL_E_UNSUPPORTED: this build's Cairo writes no PDF. */
sl_status sl_page_pdf(const sl_page *page, const sl_shown *shown, size_t n, sl_buf *out,
                      sl_error **err);
/* Appends the PNG of the pixels. */
sl_status sl_pixels_png(const sl_pixels *from, sl_buf *out, sl_error **err);

#endif
