/*
 * sync/column.h - columns of values as bytes: what rows of one kind share is written once.
 *
 *   column   head varint = length of what follows << 2 | mode
 *   ints     mode 0: zig-zag differences, the first from `base`; 1: {repeats varint, difference}..;
 *            2: a divisor varint, not 0, the first difference, the others divided by it
 *   bits     0: all clear; 1: all set; 2: bitmap, low bit first; 3: {run length varint}.., the
 *            first of clear ones
 *   texts    0: bytes of lengths varint, the lengths (varints), the bytes; 1: count varint of a
 *            dictionary, {length varint, bytes}.., ints of places in it (base 0)
 *   atoms    of one width: 0: one after the other; 1: count varint of a dictionary, atoms, ints
 *
 * Readers are started on a column and then asked once for each row. After anything wrong they
 * set `bad` in the reader they were started from or in their own, and hand out zeros; the caller
 * asks sl_*_done at the end, which is false then or when bytes are left.
 */
#ifndef SL_SYNC_COLUMN_H
#define SL_SYNC_COLUMN_H

#include "base/buf.h"

#include <stdbool.h>

typedef struct sl_span {
    const uint8_t *p;
    size_t n;
} sl_span;

/* --- writing; tmp: buffers used on the way, emptied --- */

void sl_column_put_ints(sl_buf *out, const int64_t *v, size_t n, int64_t base, sl_buf *tmp);
void sl_column_put_bits(sl_buf *out, const uint8_t *v, size_t n, sl_buf *tmp);
/* width 0: texts; else atoms. places: n numbers of room. */
void sl_column_put_spans(sl_buf *out, const sl_span *v, size_t n, size_t width, int64_t *places,
                         sl_buf tmp[3]);

/* --- reading --- */

typedef struct sl_ints {
    sl_rd in;
    bool runs;
    bool first;    /* difference: it is not divided */
    uint64_t by;   /* what the others were divided by */
    uint64_t left; /* in the run */
    uint64_t step;
    uint64_t last;
} sl_ints;

typedef struct sl_bits {
    sl_rd in;
    unsigned mode;
    uint64_t left;
    bool set;
    unsigned at; /* in the byte */
    uint8_t byte;
} sl_bits;

typedef struct sl_spans {
    sl_rd in; /* the bytes */
    sl_rd lengths;
    sl_ints places;
    bool dictionary;
    size_t width;
    size_t count; /* of the dictionary */
    sl_span *words;
} sl_spans;

void sl_ints_start(sl_ints *c, sl_rd *in, int64_t base);
int64_t sl_ints_next(sl_ints *c);
bool sl_ints_done(const sl_ints *c);

void sl_bits_start(sl_bits *c, sl_rd *in);
bool sl_bits_next(sl_bits *c);
bool sl_bits_done(const sl_bits *c);

/* take(ctx, n): memory for a dictionary, NULL when there is none. Up to `rows` values. */
void sl_spans_start(sl_spans *c, sl_rd *in, size_t width, size_t rows,
                    void *(*take)(void *ctx, size_t n), void *ctx);
sl_span sl_spans_next(sl_spans *c); /* p NULL: wrong */
bool sl_spans_done(const sl_spans *c);

#endif
