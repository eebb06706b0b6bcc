/* Forms: the first line is the header's value, the rest the body. */
#include "base/error.h"
#include "service/form.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char type[200] = "";
    const uint8_t *line = size > 0 ? memchr(data, '\n', size) : NULL;
    size_t n = line != NULL ? (size_t)(line - data) : 0;
    if (line == NULL || n >= sizeof type) {
        return 0;
    }
    memcpy(type, data, n);
    sl_form f;
    sl_form_part part;
    bool got = true;
    const uint8_t *body = line + 1;
    size_t left = size - n - 1;
    const char *why = sl_form_begin(&f, type, body, left);
    while (why == NULL && got) {
        why = sl_form_next(&f, &part, &got);
        if (why == NULL && got) {
            SL_ASSERT(part.data >= body && part.data + part.len <= body + left);
        }
    }
    return 0;
}
