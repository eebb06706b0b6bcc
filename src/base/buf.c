#include "base/buf.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

uint8_t *sl_buf_room(sl_buf *b, size_t n)
{
    size_t need = 0;
    if (b->failed || !sl_size_add(b->len, n, &need) || !sl_size_add(need, 1, &need)) {
        b->failed = true;
        return NULL;
    }
    if (need > b->cap) { /* twice as much, or what is asked at once when that is more */
        size_t cap = b->cap < 32 ? 32 : b->cap;
        cap = sl_size_mul(cap, 2, &cap) && cap > need ? cap : need;
        uint8_t *data = sl_mem_resize(b->data, cap, 1);
        if (data == NULL) {
            b->failed = true;
            return NULL;
        }
        b->data = data;
        b->cap = cap;
    }
    return b->data + b->len;
}

void sl_buf_put_slow(sl_buf *b, const void *p, size_t n)
{
    uint8_t *to = sl_buf_room(b, n);
    if (to == NULL) {
        return;
    }
    if (n > 0) {
        memcpy(to, p, n);
    }
    b->len += n;
    b->data[b->len] = 0;
}

void sl_buf_fmt(sl_buf *b, const char *fmt, ...)
{
    enum {
        MOSTLY = 64 /* longer ones are spelled twice */
    };
    va_list args;
    va_list again;
    va_start(args, fmt);
    va_copy(again, args);
    uint8_t *to = sl_buf_room(b, MOSTLY);
    size_t room = b->cap - b->len;
    int n = to != NULL ? vsnprintf((char *)to, room, fmt, args) : 0;
    if (n > 0 && (size_t)n >= room) {
        to = sl_buf_room(b, (size_t)n);
        n = to != NULL ? vsnprintf((char *)to, (size_t)n + 1, fmt, again) : 0;
    }
    b->failed = b->failed || n < 0;
    b->len += n > 0 ? (size_t)n : 0;
    va_end(again);
    va_end(args);
}

static void put_le(sl_buf *b, uint64_t v, size_t n)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < n; i++) {
        bytes[i] = (uint8_t)(v >> (8 * i));
    }
    sl_buf_put(b, bytes, n);
}

void sl_buf_u16le(sl_buf *b, uint16_t v)
{
    put_le(b, v, 2);
}

void sl_buf_u32le(sl_buf *b, uint32_t v)
{
    put_le(b, v, 4);
}

void sl_buf_u64le(sl_buf *b, uint64_t v)
{
    put_le(b, v, 8);
}

void sl_buf_varint(sl_buf *b, uint64_t v)
{
    while (v >= 0x80) {
        sl_buf_u8(b, (uint8_t)(v | 0x80));
        v >>= 7;
    }
    sl_buf_u8(b, (uint8_t)v);
}

void sl_buf_zigzag(sl_buf *b, int64_t v)
{
    sl_buf_varint(b, ((uint64_t)v << 1) ^ (v < 0 ? UINT64_MAX : 0));
}

void sl_buf_clear(sl_buf *b)
{
    b->len = 0;
    b->failed = false;
    if (b->data != NULL) {
        b->data[0] = 0;
    }
}

void sl_buf_free(sl_buf *b)
{
    sl_mem_free(b->data);
    memset(b, 0, sizeof *b);
}

const char *sl_buf_text(const sl_buf *b)
{
    return b->data != NULL ? (const char *)b->data : "";
}

/* What is small is copied: its buffer is of no use to others. What is long is not, and room that stands
 * empty behind it is given back. */
sl_bytes *sl_buf_bytes(sl_buf *b)
{
    enum {
        SMALL = 4096
    };
    if (b->failed || b->len < SMALL) {
        sl_bytes *bytes = b->failed ? NULL : sl_bytes_copy(b->data, b->len);
        sl_buf_free(b);
        return bytes;
    }
    if (b->cap - b->len > b->len / 8) {
        uint8_t *fit = sl_mem_resize(b->data, b->len + 1, 1);
        b->data = fit != NULL ? fit : b->data;
    }
    sl_bytes *bytes = sl_bytes_take(b->data, b->len);
    if (bytes != NULL) {
        memset(b, 0, sizeof *b);
    }
    sl_buf_free(b);
    return bytes;
}

const uint8_t *sl_rd_take(sl_rd *r, size_t n)
{
    if (r->bad || n > r->left) {
        r->bad = true;
        return NULL;
    }
    const uint8_t *p = r->p;
    r->p += n;
    r->left -= n;
    return p;
}

static uint64_t take_le(sl_rd *r, size_t n)
{
    const uint8_t *p = sl_rd_take(r, n);
    uint64_t v = 0;
    for (size_t i = 0; p != NULL && i < n; i++) {
        v |= (uint64_t)p[i] << (8 * i);
    }
    return v;
}

uint8_t sl_rd_u8(sl_rd *r)
{
    return (uint8_t)take_le(r, 1);
}

uint16_t sl_rd_u16le(sl_rd *r)
{
    return (uint16_t)take_le(r, 2);
}

uint32_t sl_rd_u32le(sl_rd *r)
{
    return (uint32_t)take_le(r, 4);
}

uint64_t sl_rd_u64le(sl_rd *r)
{
    return take_le(r, 8);
}

uint64_t sl_rd_varint(sl_rd *r)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = sl_rd_u8(r);
        if (r->bad || (shift == 63 && byte > 1)) {
            break;
        }
        v |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) {
            return v;
        }
    }
    r->bad = true;
    return 0;
}

int64_t sl_rd_zigzag(sl_rd *r)
{
    uint64_t v = sl_rd_varint(r);
    return (int64_t)((v >> 1) ^ (~(v & 1) + 1));
}
