/* api/page.c - documents as SVG and PDF (sideline/render.h), and their measures as CSV. */
#include "api/doc.h"
#include "base/error.h"
#include "base/mem.h"

typedef sl_status write_page(const sl_page *page, const sl_shown *shown, size_t n, sl_buf *out,
                             sl_error **err);

/* Everything of a whole document, what is seen of a moment. */
static sl_status write_locked(const sl_doc *doc, const sl_page *page, write_page *write,
                              sl_buf *out, sl_error **err)
{
    size_t count = sl_drawing_count(doc->drawing);
    const sl_item **items = sl_mem_array(count + 1, sizeof(const sl_item *));
    sl_shown *shown = sl_mem_array(count + 1, sizeof *shown);
    sl_status s = SL_OK;
    if (items == NULL || shown == NULL) {
        s = sl_fail_nomem(err);
    } else {
        size_t n = sl_drawing_stack(doc->drawing, page->whole, items);
        for (size_t i = 0; i < n; i++) {
            bool hidden = page->whole && sl_drawing_hides(doc->drawing, items[i]);
            shown[i] = (sl_shown){items[i], hidden ? SL_SHOWN_HIDDEN : -1};
        }
        s = write(page, shown, n, out, err);
    }
    sl_mem_free(items);
    sl_mem_free(shown);
    return s;
}

static sl_status write_doc(sl_doc *doc, int64_t t_us, const sl_pixels *frame, write_page *write,
                           sl_bytes **out, sl_error **err)
{
    sl_error_start(err);
    if (doc == NULL || out == NULL || t_us < -1 || t_us == INT64_MAX) {
        return sl_fail(err, SL_E_MISUSE, "no document, no time or nowhere to put the page");
    }
    *out = NULL;
    sl_buf page_bytes = {0};
    sl_lock(doc->mutex);
    bool whole = t_us == -1;
    sl_page page = {.scene = sl_doc_scene(doc, whole ? 0 : t_us), .frame = frame, .whole = whole};
    sl_status s = write_locked(doc, &page, write, &page_bytes, err);
    sl_unlock(doc->mutex);
    if (s != SL_OK) {
        sl_buf_free(&page_bytes);
        return s;
    }
    *out = sl_buf_bytes(&page_bytes);
    return *out != NULL ? SL_OK : sl_fail_nomem(err);
}

sl_status sl_render_svg(sl_doc *doc, int64_t t_us, const sl_pixels *frame, sl_bytes **svg,
                        sl_error **err)
{
    return write_doc(doc, t_us, frame, sl_page_svg, svg, err);
}

sl_status sl_render_pdf(sl_doc *doc, int64_t t_us, const sl_pixels *frame, sl_bytes **pdf,
                        sl_error **err)
{
    return write_doc(doc, t_us, frame, sl_page_pdf, pdf, err);
}

sl_status sl_doc_csv(sl_doc *doc, sl_bytes **out, sl_error **err)
{
    sl_error_start(err);
    if (doc == NULL || out == NULL) {
        return sl_fail(err, SL_E_MISUSE, "a required argument is NULL");
    }
    sl_buf csv = {0};
    sl_lock(doc->mutex);
    bool ok = sl_drawing_csv(doc->drawing, &csv);
    sl_unlock(doc->mutex);
    if (!ok) {
        sl_buf_free(&csv);
        *out = NULL;
        return sl_fail_nomem(err);
    }
    *out = sl_buf_bytes(&csv);
    return *out != NULL ? SL_OK : sl_fail_nomem(err);
}
