/* A JSON array whose elements are walked, against the reader of it as a whole. */
#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(const sl_json *a, const sl_json *b)
{
    char *one = sl_json_print(a);
    char *other = sl_json_print(b);
    SL_ASSERT(one != NULL && other != NULL && strcmp(one, other) == 0);
    sl_mem_free(one);
    sl_mem_free(other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sl_json_walk w;
    const sl_json *j = NULL;
    char *text = sl_mem(size); /* its end is where memory ends */
    if (text != NULL && size > 0) {
        memcpy(text, data, size);
    }
    sl_status status = text != NULL ? sl_json_walk_start(&w, text, size) : SL_E_NOMEM;
    sl_json *whole = status == SL_OK ? sl_json_parse(text, size) : NULL;
    size_t count = 0;
    while (status == SL_OK && (status = sl_json_walk_next(&w, &j)) == SL_OK && j != NULL) {
        if (whole != NULL) { /* NULL when a number later on is too long */
            same(j, sl_json_at(whole, count));
        }
        count++;
    }
    SL_ASSERT(whole == NULL || (status == SL_OK && count == sl_json_count(whole)));
    if (text != NULL) {
        sl_json_walk_end(&w);
    }
    sl_json_free(whole);
    sl_mem_free(text);
    return 0;
}
