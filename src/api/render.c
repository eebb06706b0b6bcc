/* api/render.c - sideline/render.h. */
#include "render/render.h"

#include "api/doc.h"
#include "base/error.h"
#include "base/mem.h"

/* What is being drawn just now is seen whatever its time range: `live` holds the copies whose
 * range is the moment. Their geometry stays the stroke's. */
static size_t gather(const sl_doc *doc, int64_t t_us, sl_shown *shown, sl_item *live)
{
    size_t n = 0;
    size_t count = sl_drawing_count(doc->drawing);
    for (size_t i = 0; i < count; i++) {
        shown[n].item = sl_drawing_at(doc->drawing, i);
        shown[n++].age_us = -1;
    }
    for (size_t i = 0; i < SL_DOC_STROKES_MAX; i++) {
        const sl_stroke *stroke = doc->strokes[i].stroke;
        const sl_item *now = stroke != NULL ? sl_stroke_now(stroke) : NULL;
        if (now == NULL) {
            continue;
        }
        live[i] = *now;
        live[i].t_in = t_us;
        live[i].t_out = t_us + 1;
        live[i].fade_us = 0;
        shown[n].item = &live[i];
        shown[n++].age_us = -1;
    }
    return n;
}

sl_status sl_render_draw(sl_doc *doc, int64_t t_us, const sl_pixels *into, sl_error **err)
{
    sl_error_start(err);
    if (doc == NULL || into == NULL || t_us == INT64_MAX) {
        return sl_fail(err, SL_E_MISUSE, "no document, no pixels or no time");
    }
    sl_item live[SL_DOC_STROKES_MAX];
    sl_lock(doc->mutex);
    sl_shown *shown =
        sl_mem_array(sl_drawing_count(doc->drawing) + SL_DOC_STROKES_MAX, sizeof *shown);
    sl_status s = SL_OK;
    if (shown == NULL) {
        s = sl_fail_nomem(err);
    } else {
        size_t n = gather(doc, t_us, shown, live);
        s = sl_render_shown(shown, n, sl_drawing_width(doc->drawing),
                            sl_drawing_height(doc->drawing), t_us, into, err);
    }
    sl_unlock(doc->mutex);
    sl_mem_free(shown);
    return s;
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
