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

void sl_uuid_encode(char out[SL_UUID_LEN + 1], const uint8_t bytes[SL_UUID_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    char *to = out;
    for (int i = 0; i < SL_UUID_BYTES; i++) {
        *to = '-';
        to += i == 4 || i == 6 || i == 8 || i == 10;
        *to++ = digits[bytes[i] >> 4];
        *to++ = digits[bytes[i] & 15];
    }
    *to = 0;
}

bool sl_uuid_ok(const char *s)
{
    uint8_t bytes[SL_UUID_BYTES];
    return sl_uuid_decode(bytes, s);
}

bool sl_uuid_decode(uint8_t out[SL_UUID_BYTES], const char *s)
{
    bool ok = s != NULL;
    for (int i = 0; ok && i < SL_UUID_BYTES; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            ok = *s++ == '-';
        }
        ok = ok && sl_hex_byte(&out[i], s); /* reads nothing behind a NUL */
        s += 2;
    }
    return ok && *s == 0;
}
