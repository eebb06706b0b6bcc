/*
 * annotation/rc.h - an adaptive binary range coder (Martin 1979, in the byte-wise form of LZMA).
 *
 * A bit is coded with the probability that its context has had so far. Integers only: every machine
 * writes the same bytes. The end is found from outside: bytes past it read as zero, and trailing
 * zeros are not written.
 */
#ifndef SL_ANNOTATION_RC_H
#define SL_ANNOTATION_RC_H

#include "base/buf.h"

/* How often a bit was 0 in its context. Zeroed memory is a fresh one. */
typedef struct sl_rc_bit {
    int16_t lean; /* off one half, of 4096 */
    uint8_t seen; /* learns fast at first */
} sl_rc_bit;

typedef struct sl_rc_out {
    sl_buf *to;
    uint64_t low;
    uint32_t range;
    uint32_t held; /* bytes that a carry may still change: `cache`, then 0xFF each */
    uint8_t cache;
    bool begun;
    size_t start;
} sl_rc_out;

typedef struct sl_rc_in {
    const uint8_t *p;
    size_t left;
    uint32_t range;
    uint32_t code;
} sl_rc_in;

void sl_rc_start(sl_rc_out *rc, sl_buf *to);
void sl_rc_put(sl_rc_out *rc, sl_rc_bit *context, int bit);
void sl_rc_put_even(sl_rc_out *rc, uint32_t value, int bits); /* bits of one half each */
void sl_rc_end(sl_rc_out *rc);

void sl_rc_open(sl_rc_in *rc, const uint8_t *p, size_t n);
int sl_rc_take(sl_rc_in *rc, sl_rc_bit *context);
uint32_t sl_rc_take_even(sl_rc_in *rc, int bits);

/* The contexts of one column of signed numbers: how many bits (after how many bits before), the
 * sign, the two bits below the highest. */
enum {
    SL_RC_AFTER = 8,
    SL_RC_CLASSES = 32
};

typedef struct sl_rc_column {
    sl_rc_bit size[SL_RC_AFTER][SL_RC_CLASSES];
    sl_rc_bit sign[3];
    sl_rc_bit high[SL_RC_CLASSES][4];
    uint8_t after;
    uint8_t last_sign; /* 0: none yet or zero, 1: positive, 2: negative */
} sl_rc_column;

/* |v| < 2^30. */
void sl_rc_put_number(sl_rc_out *rc, sl_rc_column *column, int32_t v);
int32_t sl_rc_take_number(sl_rc_in *rc, sl_rc_column *column);

/* The same for columns that share what they have learnt, with few contexts: how many bits is counted
 * off one by one, so that small numbers are cheap before anything is learnt. */
enum {
    SL_RC_NEAR = 4
};

typedef struct sl_rc_shared {
    sl_rc_bit more[SL_RC_NEAR][SL_RC_CLASSES];
    sl_rc_bit sign[3];
    sl_rc_bit high[SL_RC_CLASSES][4];
} sl_rc_shared;

/* A column's own last number. Zeroed: none yet. */
typedef struct sl_rc_past {
    uint8_t size; /* its bits */
    uint8_t sign; /* as last_sign above */
} sl_rc_past;

void sl_rc_put_shared(sl_rc_out *rc, sl_rc_shared *table, sl_rc_past *past, int32_t v);
int32_t sl_rc_take_shared(sl_rc_in *rc, sl_rc_shared *table, sl_rc_past *past);

#endif
