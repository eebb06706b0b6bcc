/*
 * render/lanes.h - eight pixels at a time, in vectors of the compiler's: they become what the machine
 * has. A function that is to have wider ones is compiled for them as a whole.
 */
#ifndef SL_RENDER_LANES_H
#define SL_RENDER_LANES_H

#include <stdint.h>
#include <string.h>

typedef uint32_t sl_words8 __attribute__((vector_size(32)));
typedef int32_t sl_signed8 __attribute__((vector_size(32)));
typedef uint16_t sl_halves16 __attribute__((vector_size(32)));
typedef uint8_t sl_bytes16 __attribute__((vector_size(16)));
typedef uint8_t sl_bytes32 __attribute__((vector_size(32)));
typedef uint16_t sl_halves8 __attribute__((vector_size(16)));
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wpsabi" /* no such vector crosses a call: all is inlined */
#endif

#define SL_INLINE static inline __attribute__((always_inline))

/* a * b / 255, rounded, as pixman has it. */
SL_INLINE uint32_t sl_mul255(uint32_t a, uint32_t b)
{
    uint32_t t = a * b + 128;
    return (t + (t >> 8)) >> 8;
}

/* Eight bytes, each in both halves of its word. By shifts, each lane its own: for those that have
 * such. */
SL_INLINE void sl_spread_shift(sl_words8 *out, const uint8_t *bytes)
{
    const sl_words8 by = {0, 8, 16, 24, 0, 8, 16, 24};
    uint32_t h[2];
    memcpy(h, bytes, sizeof h);
    sl_words8 w = {h[0], h[0], h[0], h[0], h[1], h[1], h[1], h[1]};
    w = w >> by & 255;
    *out = w | w << 16;
}

/* The same by doubling twice. */
SL_INLINE void sl_spread_twice(sl_words8 *out, const uint8_t *bytes)
{
    sl_bytes16 b = {0};
    sl_halves8 h;
    sl_halves8 w[2];
    memcpy(&b, bytes, 8);
    b = __builtin_shufflevector(b, b, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
    memcpy(&h, &b, sizeof h);
    h &= 255;
    w[0] = __builtin_shufflevector(h, h, 0, 0, 1, 1, 2, 2, 3, 3);
    w[1] = __builtin_shufflevector(h, h, 4, 4, 5, 5, 6, 6, 7, 7);
    memcpy(out, w, sizeof *out);
}

#endif
