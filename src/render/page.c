/* render/page.c - a drawing as a page: SVG by render/svg.c, PDF by Cairo. */
#include "base/error.h"
#include "base/mem.h"
#include "render/inside.h"
#include "render/svg.h"

#include <string.h>
#ifdef CAIRO_HAS_PDF_SURFACE
#include <cairo-pdf.h>
#endif

/* One page on its way: the ink to draw with and what lies under it. */
typedef struct draft {
    const sl_page *page;
    sl_pixels into; /* its size; data: the frame, NULL for none */
    uint8_t *frame; /* a copy of the frame with every blur carried out */
    sl_renderer *renderer;
    sl_scale units;
    ink k;
} draft;

static int64_t time_of(const sl_page *page, const sl_shown *shown)
{
    return page->whole ? shown->item->t_out - 1 : page->scene.t_us;
}

/* 0: it is no part of the picture. */
static int32_t opacity_of(const draft *d, const sl_item *item)
{
    if (sl_tool_of(item->geo.kind)->form == SL_FORM_HIDDEN) {
        return 0;
    }
    return d->page->whole ? (int32_t)((int64_t)item->style.opacity * SL_OPAQUE / SL_OPACITY_MAX)
                          : sl_item_opacity_at(item, d->page->scene.t_us);
}

/* What is to be hidden must not lie in the file under its cover. */
static sl_status blur_frame(draft *d, const sl_shown *shown, size_t n, sl_error **err)
{
    sl_status s = SL_OK;
    for (size_t i = 0; s == SL_OK && i < n; i++) {
        if (shown[i].item->geo.kind == SL_KIND_BLUR) {
            sl_scene scene = d->page->scene;
            sl_item opaque = *shown[i].item;
            sl_shown one = {&opaque, -1};
            opaque.fade_us = 0;
            opaque.style.opacity = SL_OPACITY_MAX;
            scene.t_us = time_of(d->page, &shown[i]);
            s = sl_renderer_draw(d->renderer, &scene, &one, 1, &d->into, err);
        }
    }
    return s;
}

static sl_status copy_frame(draft *d, const sl_pixels *frame, sl_error **err)
{
    sl_status s = sl_pixels_check(frame, err);
    if (s != SL_OK) {
        return s;
    }
    d->into = *frame;
    d->into.stride = frame->width * 4;
    d->frame = sl_mem_array((size_t)frame->height, (size_t)d->into.stride);
    d->into.data = d->frame;
    for (int32_t y = 0; d->frame != NULL && y < frame->height; y++) {
        memcpy(d->frame + (size_t)y * (size_t)d->into.stride,
               frame->data + (ptrdiff_t)y * frame->stride, (size_t)d->into.stride);
    }
    return d->frame != NULL ? SL_OK : sl_fail_nomem(err);
}

static void draft_clear(draft *d)
{
    sl_renderer_free(d->renderer);
    sl_mem_free(d->frame);
}

static sl_status draft_begin(draft *d, const sl_page *page, const sl_shown *shown, size_t n,
                             sl_error **err)
{
    const sl_scene *scene = &page->scene;
    memset(d, 0, sizeof *d);
    d->page = page;
    d->into = (sl_pixels){
        .struct_size = sizeof d->into, .width = scene->frame_w, .height = scene->frame_h};
    if (scene->frame_w < 1 || scene->frame_h < 1 || scene->frame_w > SL_PIXELS_SIDE_MAX ||
        scene->frame_h > SL_PIXELS_SIDE_MAX) {
        return sl_fail(err, SL_E_MISUSE, "a page has from 1 to %d pixels a side",
                       SL_PIXELS_SIDE_MAX);
    }
    d->renderer = sl_renderer_new(true);
    if (d->renderer == NULL) {
        return sl_fail_nomem(err);
    }
    sl_status s = page->frame != NULL ? copy_frame(d, page->frame, err) : SL_OK;
    s = s == SL_OK && d->frame != NULL ? blur_frame(d, shown, n, err) : s;
    return s;
}

static sl_status draw_one(draft *d, const sl_shown *shown, sl_error **err)
{
    posed p;
    sl_scene scene = d->page->scene;
    bool seen = shown->age_us != SL_SHOWN_HIDDEN;
    scene.t_us = time_of(d->page, shown);
    if (!d->page->whole && sl_item_opacity_at(shown->item, scene.t_us) == 0) {
        return SL_OK;
    }
    if (!sl_ink_pose(shown->item, scene.t_us, &p)) {
        return sl_fail_nomem(err);
    }
    ink *k = &d->k;
    k->scene = &scene;
    sl_ink_set(k, shown, &p.item);
    int32_t opacity = opacity_of(d, &p.item);
    sl_box box = opacity > 0 ? sl_ink_box(k) : (sl_box){0, 0, 0, 0};
    bool inked = opacity > 0 && box.x0 < box.x1 && box.y0 < box.y1;
    bool ok = true;
    if (k->svg != NULL) {
        ok = sl_svg_item_open(k->svg, shown->item, (double)opacity / SL_OPAQUE, !seen);
        k->box = box;
        ok = ok && (!inked || sl_ink_draw(k));
        sl_svg_item_close(k->svg);
    } else if (inked && seen) {
        ok = sl_ink_item(k, box, opacity);
    }
    sl_mem_free(p.many);
    k->item = NULL;
    k->scene = &d->page->scene;
    return ok && !k->tools->failed ? SL_OK : sl_fail_nomem(err);
}

static sl_status draw_all(draft *d, cairo_surface_t *surface, sl_svg *svg, const sl_shown *shown,
                          size_t n, sl_error **err)
{
    ink *k = &d->k;
    *k = (ink){.cr = cairo_create(surface),
               .scene = &d->page->scene,
               .units = &d->units,
               .into = &d->into,
               .tools = sl_renderer_tools(d->renderer),
               .svg = svg};
    sl_ink_matrix(&d->page->scene, &d->into, &k->to_px);
    sl_ink_scale(&d->page->scene, shown, n, &d->units);
    sl_status s = SL_OK;
    if (d->frame != NULL) {
        cairo_surface_t *ground = cairo_image_surface_create_for_data(
            d->frame, CAIRO_FORMAT_ARGB32, d->into.width, d->into.height, d->into.stride);
        bool ok = svg != NULL ? sl_svg_ground(svg, ground)
                              : sl_ink_picture(k, ground, CAIRO_FILTER_NEAREST, NULL);
        s = ok ? SL_OK : sl_fail_nomem(err);
        cairo_surface_destroy(ground);
    }
    for (size_t i = 0; s == SL_OK && i < n; i++) {
        s = draw_one(d, &shown[i], err);
    }
    cairo_status_t status = cairo_status(k->cr);
    cairo_destroy(k->cr);
    return s == SL_OK && status != CAIRO_STATUS_SUCCESS ? sl_ink_failed(status, err) : s;
}

sl_status sl_page_svg(const sl_page *page, const sl_shown *shown, size_t n, sl_buf *out,
                      sl_error **err)
{
    draft d;
    sl_svg svg = {.out = out};
    sl_status s = draft_begin(&d, page, shown, n, err);
    if (s == SL_OK) {
        /* Paths are made and measured on it, nothing is painted. It has no edge: Cairo leaves letters
         * out of a path that lie beyond one. */
        cairo_surface_t *surface = cairo_recording_surface_create(CAIRO_CONTENT_COLOR_ALPHA, NULL);
        sl_svg_open(&svg, d.into.width, d.into.height);
        s = draw_all(&d, surface, &svg, shown, n, err);
        sl_svg_close(&svg);
        cairo_surface_destroy(surface);
    }
    draft_clear(&d);
    return s == SL_OK && out->failed ? sl_fail_nomem(err) : s;
}

#ifdef CAIRO_HAS_PDF_SURFACE
static cairo_status_t keep_pdf(void *closure, const unsigned char *data, unsigned int n)
{
    sl_buf *out = closure;
    sl_buf_put(out, data, n);
    return out->failed ? CAIRO_STATUS_NO_MEMORY : CAIRO_STATUS_SUCCESS;
}

static sl_status draw_pdf(draft *d, const sl_shown *shown, size_t n, sl_buf *out, sl_error **err)
{
    cairo_surface_t *surface =
        cairo_pdf_surface_create_for_stream(keep_pdf, out, d->into.width, d->into.height);
    /* The same drawing gives the same bytes: no date of the machine. */
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, "2000-01-01T00:00:00Z");
    sl_status s = draw_all(d, surface, NULL, shown, n, err);
    cairo_surface_finish(surface);
    cairo_status_t status = cairo_surface_status(surface);
    cairo_surface_destroy(surface);
    return s == SL_OK && status != CAIRO_STATUS_SUCCESS ? sl_ink_failed(status, err) : s;
}
#else
static sl_status draw_pdf(draft *d, const sl_shown *shown, size_t n, sl_buf *out, sl_error **err)
{
    (void)d;
    (void)shown;
    (void)n;
    (void)out;
    return sl_fail(err, SL_E_UNSUPPORTED, "this build writes no PDF");
}
#endif

sl_status sl_page_pdf(const sl_page *page, const sl_shown *shown, size_t n, sl_buf *out,
                      sl_error **err)
{
    draft d;
    sl_status s = draft_begin(&d, page, shown, n, err);
    s = s == SL_OK ? draw_pdf(&d, shown, n, out, err) : s;
    draft_clear(&d);
    return s == SL_OK && out->failed ? sl_fail_nomem(err) : s;
}
