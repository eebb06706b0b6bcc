#include "base/uuid.h"

#include "base/base64.h"

#include <string.h>

void sl_uuid7(char out[SL_UUID_LEN + 1], int64_t wall_ms, const uint8_t random[10])
{
    uint8_t b[16];
    for (int i = 0; i < 6; i++) {
        b[i] = (uint8_t)((uint64_t)wall_ms >> (40 - 8 * i));
    }
    memcpy(b + 6, random, 10);
    b[6] = (uint8_t)(0x70 | (b[6] & 0x0F));
    b[8] = (uint8_t)(0x80 | (b[8] & 0x3F));
    sl_uuid_encode(out, b);
}

/* Places of the digits that a byte is made of; between them hyphens. */
static const uint8_t PLACES[SL_UUID_BYTES] = {0,  2,  4,  6,  9,  11, 14, 16,
                                              19, 21, 24, 26, 28, 30, 32, 34};

void sl_uuid_encode(char out[SL_UUID_LEN + 1], const uint8_t bytes[SL_UUID_BYTES])
{
    for (int i = 0; i < SL_UUID_BYTES; i++) {
        memcpy(out + PLACES[i], sl_hex_pairs + (size_t)2 * bytes[i], 2);
    }
    out[8] = out[13] = out[18] = out[23] = '-';
    out[SL_UUID_LEN] = 0;
}

bool sl_uuid_ok(const char *s)
{
    uint8_t bytes[SL_UUID_BYTES];
    return sl_uuid_decode(bytes, s);
}

bool sl_uuid_decode(uint8_t out[SL_UUID_BYTES], const char *s)
{
    if (s == NULL || memchr(s, 0, SL_UUID_LEN + 1) != s + SL_UUID_LEN || s[8] != '-' ||
        s[13] != '-' || s[18] != '-' || s[23] != '-') {
        return false;
    }
    unsigned any = 0; /* bits of all digits: more than four when one is none */
    for (int i = 0; i < SL_UUID_BYTES; i++) {
        unsigned hi = sl_hex_digits[(uint8_t)s[PLACES[i]]] - 1U;
        unsigned lo = sl_hex_digits[(uint8_t)s[PLACES[i] + 1]] - 1U;
        any |= hi | lo;
        out[i] = (uint8_t)(hi << 4 | lo);
    }
    return any < 16;
}
