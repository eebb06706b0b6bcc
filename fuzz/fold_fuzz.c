/* Folded text: it is text again, folding it changes nothing, and it has all of its own words. */
#include "base/error.h"
#include "base/utf8.h"
#include "service/fold.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[SL_SV_FOLD_MAX / 4];
    if (size >= sizeof text || memchr(data, 0, size) != NULL ||
        !sl_utf8_ok((const char *)data, size)) {
        return 0;
    }
    memcpy(text, data, size);
    text[size] = 0;
    sl_buf once = {0};
    sl_buf twice = {0};
    sl_sv_fold(&once, text);
    sl_sv_fold(&twice, sl_buf_text(&once));
    SL_ASSERT(!once.failed && !twice.failed);
    SL_ASSERT(sl_utf8_ok(sl_buf_text(&once), once.len));
    SL_ASSERT(strcmp(sl_buf_text(&once), sl_buf_text(&twice)) == 0);
    SL_ASSERT(sl_sv_fold_has(sl_buf_text(&once), sl_buf_text(&twice)));
    sl_buf_free(&once);
    sl_buf_free(&twice);
    return 0;
}
