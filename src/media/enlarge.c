/* media/enlarge.c - parts are 128ths, so that a product of one and a byte fits in 16 bits. */
#include "media/enlarge.h"

#include "base/mem.h"

#include <string.h>

enum {
    WHOLE = 128,
    SHIFT = 7,
    AT_ONCE = 4
};

typedef uint32_t words __attribute__((vector_size(16)));
typedef uint16_t halves __attribute__((vector_size(16)));

typedef struct spot {
    int32_t at;
    int32_t part; /* of the next one */
} spot;

/* Where the centre of pixel i of n lies among those of `from`. */
static spot spot_of(int32_t i, int32_t n, int32_t from)
{
    int64_t twice = ((int64_t)2 * i + 1) * from * WHOLE / n - WHOLE;
    int64_t most = (int64_t)2 * (from - 1) * WHOLE;
    twice = twice < 0 ? 0 : twice > most ? most : twice;
    return (spot){(int32_t)(twice / (2 * WHOLE)), (int32_t)(twice % (2 * WHOLE) / 2)};
}

void sl_enlarge_free(sl_enlarge *e)
{
    sl_mem_free(e->at);
    *e = (sl_enlarge){0};
}

static bool make_room(sl_enlarge *e, int32_t from, int32_t to)
{
    if (e->from == from && e->to == to) {
        return true;
    }
    size_t padded = ((size_t)to + AT_ONCE - 1) / AT_ONCE * AT_ONCE;
    sl_enlarge_free(e);
    e->at = sl_mem_array(2 * padded + (size_t)from + 1, sizeof *e->at);
    if (e->at == NULL) {
        return false;
    }
    e->part = e->at + padded;
    e->row = e->part + padded;
    e->from = from;
    e->to = to;
    for (size_t x = 0; x < padded; x++) {
        spot s = spot_of(x < (size_t)to ? (int32_t)x : to - 1, to, from);
        e->at[x] = (uint32_t)s.at;
        e->part[x] = (uint32_t)s.part * 0x10001U;
    }
    return true;
}

static void between_rows(const uint8_t *restrict a, const uint8_t *restrict b, int32_t part,
                         size_t n, uint8_t *restrict out)
{
    const uint16_t more = (uint16_t)part;
    const uint16_t rest = (uint16_t)(WHOLE - part);
    for (size_t i = 0; i < n; i++) {
        out[i] = (uint8_t)((uint16_t)(a[i] * rest + b[i] * more + WHOLE / 2) >> SHIFT);
    }
}

static inline halves mix(halves a, halves b, halves part)
{
    return ((a << SHIFT) + (b - a) * part + WHOLE / 2) >> SHIFT;
}

/* Four pixels. */
static inline void along_row(const uint32_t *row, const uint32_t *at, const uint32_t *parts,
                             uint32_t out[AT_ONCE])
{
    const words low = {0xFF00FF, 0xFF00FF, 0xFF00FF, 0xFF00FF};
    words a = {row[at[0]], row[at[1]], row[at[2]], row[at[3]]};
    words b = {row[at[0] + 1], row[at[1] + 1], row[at[2] + 1], row[at[3] + 1]};
    halves part;
    memcpy(&part, parts, sizeof part);
    words even = (words)mix((halves)(a & low), (halves)(b & low), part);
    words odd = (words)mix((halves)(a >> 8 & low), (halves)(b >> 8 & low), part);
    even |= odd << 8;
    memcpy(out, &even, sizeof even);
}

sl_status sl_enlarge_into(sl_enlarge *e, const uint8_t *rows, ptrdiff_t stride, int32_t width,
                          int32_t height, const sl_pixels *into, sl_error **err)
{
    if (!make_room(e, width, into->width)) {
        return sl_fail_nomem(err);
    }
    size_t bytes = (size_t)width * 4;
    size_t whole = (size_t)into->width / AT_ONCE * AT_ONCE;
    for (int32_t y = 0; y < into->height; y++) {
        spot s = spot_of(y, into->height, height);
        const uint8_t *a = rows + s.at * stride;
        uint8_t *to = into->data + (ptrdiff_t)y * into->stride;
        uint32_t out[AT_ONCE];
        between_rows(a, s.part > 0 ? a + stride : a, s.part, bytes, (uint8_t *)e->row);
        e->row[width] = e->row[width - 1];
        for (size_t x = 0; x < whole; x += AT_ONCE) {
            along_row(e->row, e->at + x, e->part + x, out);
            memcpy(to + x * 4, out, sizeof out);
        }
        if (whole < (size_t)into->width) {
            along_row(e->row, e->at + whole, e->part + whole, out);
            memcpy(to + whole * 4, out, ((size_t)into->width - whole) * 4);
        }
    }
    return SL_OK;
}
