/*
 * base/buf.h - a growing byte buffer that remembers a failed allocation, so that a
 * sequence of puts is checked once, at the end. Zero-initialise it; free it.
 */
#ifndef SL_BASE_BUF_H
#define SL_BASE_BUF_H

#include "sideline/base.h"

#include <stdbool.h>
#include <string.h>

typedef struct sl_buf {
    uint8_t *data; /* followed by a NUL when len > 0 */
    size_t len;
    size_t cap;
    bool failed;
} sl_buf;

void sl_buf_put_slow(sl_buf *b, const void *p, size_t n); /* when there may be no room */
static inline void sl_buf_put(sl_buf *b, const void *p, size_t n)
{
    if (!b->failed && n < b->cap - b->len) {
        if (n > 0) {
            memcpy(b->data + b->len, p, n);
        }
        b->len += n;
        b->data[b->len] = 0;
    } else {
        sl_buf_put_slow(b, p, n);
    }
}
static inline void sl_buf_str(sl_buf *b, const char *s)
{
    sl_buf_put(b, s, strlen(s));
}
static inline void sl_buf_u8(sl_buf *b, uint8_t v)
{
    sl_buf_put(b, &v, 1);
}
void sl_buf_fmt(sl_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void sl_buf_u16le(sl_buf *b, uint16_t v);
void sl_buf_u32le(sl_buf *b, uint32_t v);
void sl_buf_u64le(sl_buf *b, uint64_t v);
/* LEB128, unsigned; and zig-zag for signed. */
void sl_buf_varint(sl_buf *b, uint64_t v);
void sl_buf_zigzag(sl_buf *b, int64_t v);
/* Room for n more bytes at the end, not counted in len yet; NULL on failure. */
uint8_t *sl_buf_room(sl_buf *b, size_t n);
void sl_buf_clear(sl_buf *b); /* len = 0, keeps the memory and clears `failed` */
void sl_buf_free(sl_buf *b);
/* The text, "" when empty. Borrowed until the next change. */
const char *sl_buf_text(const sl_buf *b);
/* The content as owned bytes; frees the buffer in any case; NULL when it or this failed. */
sl_bytes *sl_buf_bytes(sl_buf *b);

/* Reading with bounds: after the first short read `bad` is set and zeros come back. */
typedef struct sl_rd {
    const uint8_t *p;
    size_t left;
    bool bad;
} sl_rd;

uint8_t sl_rd_u8(sl_rd *r);
uint16_t sl_rd_u16le(sl_rd *r);
uint32_t sl_rd_u32le(sl_rd *r);
uint64_t sl_rd_u64le(sl_rd *r);
uint64_t sl_rd_varint(sl_rd *r);
int64_t sl_rd_zigzag(sl_rd *r);
/* n bytes, borrowed from the input; NULL when short. */
const uint8_t *sl_rd_take(sl_rd *r, size_t n);

/* Owned bytes (sideline/base.h) from a copy; NULL when out of memory. */
sl_bytes *sl_bytes_copy(const void *p, size_t n);
sl_bytes *sl_bytes_text(const char *s);
/* Of memory from sl_mem, with a NUL behind the n bytes; taken unless NULL comes back. */
sl_bytes *sl_bytes_take(uint8_t *p, size_t n);

#endif
