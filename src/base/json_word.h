/*
 * base/json_word.h - JSON text eight bytes at a time; for the files of base alone.
 */
#ifndef SL_BASE_JSON_WORD_H
#define SL_BASE_JSON_WORD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* How many of eight bytes come before the first that is not itself in a string: below 0x20, a quote, a
 * backslash. Bit tricks of Mycroft: a byte is less than n when taking n from it reaches its high bit;
 * above the first such byte others may seem so too. With one bit turned the quote is the next after
 * what is below 0x20. */
static inline size_t sl_json_plain_word(uint64_t w)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t low = (w ^ ones * 2) - ones * 0x21;
    uint64_t slash = (w ^ ones * '\\') - ones;
    uint64_t hit = (low | slash) & ~w & ones * 0x80;
    return hit == 0 ? 8 : (size_t)__builtin_ctzll(hit) / 8;
}

/* The first byte lowest. */
static inline uint64_t sl_json_word(const char *s)
{
    uint64_t w;
    memcpy(&w, s, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    w = __builtin_bswap64(w);
#endif
    return w;
}

/* How many of n bytes come before the first such. */
static inline size_t sl_json_plain(const char *s, size_t n)
{
    size_t i = 0;
    while (n - i >= 8) {
        size_t plain = sl_json_plain_word(sl_json_word(s + i));
        i += plain;
        if (plain < 8) {
            return i;
        }
    }
    if (i > 0 && i < n) { /* the last eight once more */
        return n - 8 + sl_json_plain_word(sl_json_word(s + n - 8));
    }
    for (; i < n; i++) {
        uint8_t c = (uint8_t)s[i];
        if (c < 0x20 || c == '"' || c == '\\') {
            break;
        }
    }
    return i;
}

#endif
