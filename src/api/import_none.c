/* api/import_none.c - sl_doc_import in builds without an XML reader. */
#include "base/error.h"
#include "sideline/annotation.h"

sl_status sl_doc_import(sl_doc *doc, const char *format, const void *data, size_t n,
                        const int64_t *range, sl_bytes **out, sl_error **err)
{
    (void)doc;
    (void)format;
    (void)data;
    (void)n;
    (void)range;
    sl_error_start(err);
    if (out != NULL) {
        *out = NULL;
    }
    return sl_fail(err, SL_E_UNSUPPORTED, "this build reads no files of other programs");
}
