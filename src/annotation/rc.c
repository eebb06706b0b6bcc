#include "annotation/rc.h"

enum {
    ONE_BITS = 12,
    HALF = 1 << (ONE_BITS - 1),
    LEAN_MAX = HALF - 32, /* neither bit is ever impossible */
    SLOWEST = 30,
    SIZE_MAX_BITS = 30 /* of a number */
};

#define RENORM (UINT32_C(1) << 24)

static uint32_t part_of(uint32_t range, const sl_rc_bit *context)
{
    return (range >> ONE_BITS) * (uint32_t)(HALF + context->lean);
}

static void learn(sl_rc_bit *context, int bit)
{
    int32_t target = bit == 0 ? LEAN_MAX : -LEAN_MAX;
    context->lean = (int16_t)(context->lean + (target - context->lean) / (context->seen + 2));
    context->seen = (uint8_t)(context->seen < SLOWEST ? context->seen + 1 : SLOWEST);
}

void sl_rc_start(sl_rc_out *rc, sl_buf *to)
{
    rc->to = to;
    rc->low = 0;
    rc->range = UINT32_MAX;
    rc->held = 1;
    rc->cache = 0;
    rc->begun = false;
    rc->start = to->len;
}

static void shift_low(sl_rc_out *rc)
{
    if (rc->low < UINT64_C(0xFF000000) || rc->low > UINT32_MAX) {
        uint8_t carry = (uint8_t)(rc->low >> 32);
        for (uint8_t v = rc->cache; rc->held > 0; rc->held--, v = 0xFF) {
            if (rc->begun) {
                sl_buf_u8(rc->to, (uint8_t)(v + carry));
            }
            rc->begun = true; /* the very first byte is always 0 and is not written */
        }
        rc->cache = (uint8_t)(rc->low >> 24);
    }
    rc->held++;
    rc->low = (rc->low << 8) & UINT32_MAX;
}

void sl_rc_put(sl_rc_out *rc, sl_rc_bit *context, int bit)
{
    uint32_t part = part_of(rc->range, context);
    if (bit == 0) {
        rc->range = part;
    } else {
        rc->low += part;
        rc->range -= part;
    }
    learn(context, bit);
    while (rc->range < RENORM) {
        rc->range <<= 8;
        shift_low(rc);
    }
}

void sl_rc_put_even(sl_rc_out *rc, uint32_t value, int bits)
{
    for (int i = bits - 1; i >= 0; i--) {
        rc->range >>= 1;
        rc->low += (value >> i & 1U) != 0 ? rc->range : 0;
        while (rc->range < RENORM) {
            rc->range <<= 8;
            shift_low(rc);
        }
    }
}

void sl_rc_end(sl_rc_out *rc)
{
    /* Any number of the range will do: the one with the most zeros at its end. */
    uint64_t end = rc->low + rc->range - 1;
    for (int bits = 32; bits > 0; bits--) {
        uint64_t rounded = end >> bits << bits;
        if (rounded >= rc->low) {
            rc->low = rounded;
            break;
        }
    }
    for (int i = 0; i < 5; i++) {
        shift_low(rc);
    }
    while (!rc->to->failed && rc->to->len > rc->start && rc->to->data[rc->to->len - 1] == 0) {
        rc->to->len--;
    }
}

static uint32_t next_byte(sl_rc_in *rc)
{
    if (rc->left == 0) {
        return 0;
    }
    rc->left--;
    return *rc->p++;
}

void sl_rc_open(sl_rc_in *rc, const uint8_t *p, size_t n)
{
    rc->p = p;
    rc->left = n;
    rc->range = UINT32_MAX;
    rc->code = 0;
    for (int i = 0; i < 4; i++) {
        rc->code = rc->code << 8 | next_byte(rc);
    }
}

static void renorm(sl_rc_in *rc)
{
    while (rc->range < RENORM) {
        rc->range <<= 8;
        rc->code = rc->code << 8 | next_byte(rc);
    }
}

int sl_rc_take(sl_rc_in *rc, sl_rc_bit *context)
{
    uint32_t part = part_of(rc->range, context);
    int bit = rc->code >= part;
    if (bit == 0) {
        rc->range = part;
    } else {
        rc->code -= part;
        rc->range -= part;
    }
    learn(context, bit);
    renorm(rc);
    return bit;
}

uint32_t sl_rc_take_even(sl_rc_in *rc, int bits)
{
    uint32_t v = 0;
    for (int i = 0; i < bits; i++) {
        rc->range >>= 1;
        uint32_t bit = rc->code >= rc->range;
        rc->code -= bit != 0 ? rc->range : 0;
        v = v << 1 | bit;
        renorm(rc);
    }
    return v;
}

static int size_of(uint32_t mag)
{
    int size = 0;
    while (mag >> size != 0) {
        size++;
    }
    return size;
}

static uint8_t sign_of(int size, bool negative)
{
    return (uint8_t)(size == 0 ? 0 : negative ? 2 : 1);
}

static void remember(sl_rc_column *column, int size, bool negative)
{
    column->after = (uint8_t)(size < SL_RC_AFTER ? size : SL_RC_AFTER - 1);
    column->last_sign = sign_of(size, negative);
}

/* What a number of `size` bits is: its sign, then what stands below its highest bit. */
static void put_value(sl_rc_out *rc, sl_rc_bit *sign, sl_rc_bit *high, int size, int32_t v)
{
    uint32_t mag = v < 0 ? (uint32_t) - (int64_t)v : (uint32_t)v;
    if (size == 0) {
        return;
    }
    sl_rc_put(rc, sign, v < 0);
    int low = size - 1;
    for (int at = 1; low > 0 && at < 4;) {
        int bit = (int)(mag >> --low & 1U);
        sl_rc_put(rc, &high[at], bit);
        at = at * 2 + bit;
    }
    sl_rc_put_even(rc, mag, low);
}

static int32_t take_value(sl_rc_in *rc, sl_rc_bit *sign, sl_rc_bit *high, int size)
{
    if (size == 0) {
        return 0;
    }
    bool negative = sl_rc_take(rc, sign) != 0;
    uint32_t mag = 1;
    int low = size - 1;
    for (int at = 1; low > 0 && at < 4; low--) {
        int bit = sl_rc_take(rc, &high[at]);
        mag = mag << 1 | (uint32_t)bit;
        at = at * 2 + bit;
    }
    mag = low > 0 ? mag << low | sl_rc_take_even(rc, low) : mag;
    mag = mag < UINT32_C(1) << 30 ? mag : (UINT32_C(1) << 30) - 1;
    return negative ? -(int32_t)mag : (int32_t)mag;
}

void sl_rc_put_number(sl_rc_out *rc, sl_rc_column *column, int32_t v)
{
    int size = size_of(v < 0 ? (uint32_t) - (int64_t)v : (uint32_t)v);
    sl_rc_bit *tree = column->size[column->after];
    for (int i = 4, at = 1; i >= 0; i--) {
        int bit = size >> i & 1;
        sl_rc_put(rc, &tree[at], bit);
        at = at * 2 + bit;
    }
    put_value(rc, &column->sign[column->last_sign], column->high[size], size, v);
    remember(column, size, v < 0);
}

int32_t sl_rc_take_number(sl_rc_in *rc, sl_rc_column *column)
{
    sl_rc_bit *tree = column->size[column->after];
    int size = 1;
    for (int i = 0; i < 5; i++) {
        size = size * 2 + sl_rc_take(rc, &tree[size]);
    }
    size -= 32;
    int32_t v = take_value(rc, &column->sign[column->last_sign], column->high[size], size);
    remember(column, size, v < 0);
    return v;
}

static sl_rc_bit *more_of(sl_rc_shared *table, const sl_rc_past *past)
{
    int near = past->size / 3;
    return table->more[near < SL_RC_NEAR ? near : SL_RC_NEAR - 1];
}

void sl_rc_put_shared(sl_rc_out *rc, sl_rc_shared *table, sl_rc_past *past, int32_t v)
{
    int size = size_of(v < 0 ? (uint32_t) - (int64_t)v : (uint32_t)v);
    sl_rc_bit *more = more_of(table, past);
    for (int i = 0; i <= size && i < SIZE_MAX_BITS; i++) {
        sl_rc_put(rc, &more[i], i < size);
    }
    put_value(rc, &table->sign[past->sign], table->high[size], size, v);
    *past = (sl_rc_past){(uint8_t)size, sign_of(size, v < 0)};
}

int32_t sl_rc_take_shared(sl_rc_in *rc, sl_rc_shared *table, sl_rc_past *past)
{
    sl_rc_bit *more = more_of(table, past);
    int size = 0;
    while (size < SIZE_MAX_BITS && sl_rc_take(rc, &more[size]) != 0) {
        size++;
    }
    int32_t v = take_value(rc, &table->sign[past->sign], table->high[size], size);
    *past = (sl_rc_past){(uint8_t)size, sign_of(size, v < 0)};
    return v;
}
