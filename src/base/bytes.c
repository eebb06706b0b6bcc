#include "base/buf.h"
#include "base/mem.h"

#include <stdalign.h>
#include <string.h>

/* The bytes lie behind it, or in memory that was a buffer's. */
struct sl_bytes {
    size_t len;
    uint8_t *data;
    alignas(16) uint8_t behind[];
};

sl_bytes *sl_bytes_copy(const void *p, size_t n)
{
    size_t size = 0;
    if (!sl_size_add(n, sizeof(sl_bytes) + 1, &size)) {
        return NULL;
    }
    sl_bytes *b = sl_mem(size);
    if (b == NULL) {
        return NULL;
    }
    b->len = n;
    b->data = b->behind;
    if (n > 0) {
        memcpy(b->data, p, n);
    }
    sl_live_add(1);
    return b;
}

sl_bytes *sl_bytes_take(uint8_t *p, size_t n)
{
    sl_bytes *b = sl_mem(sizeof *b);
    if (b == NULL) {
        return NULL;
    }
    b->len = n;
    b->data = p;
    sl_live_add(1);
    return b;
}

sl_bytes *sl_bytes_text(const char *s)
{
    return sl_bytes_copy(s, strlen(s));
}

const uint8_t *sl_bytes_data(const sl_bytes *b)
{
    return b->data;
}

size_t sl_bytes_len(const sl_bytes *b)
{
    return b->len;
}

void sl_bytes_release(sl_bytes *b)
{
    if (b != NULL) {
        sl_live_add(-1);
        if (b->data != b->behind) {
            sl_mem_free(b->data);
        }
        sl_mem_free(b);
    }
}
