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
    char hex[33];
    sl_hex(hex, bytes, SL_UUID_BYTES);
    char *to = out;
    for (int i = 0; i < 32; i++) {
        if (i == 8 || i == 12 || i == 16 || i == 20) {
            *to++ = '-';
        }
        *to++ = hex[i];
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
    if (s == NULL || strlen(s) != SL_UUID_LEN || s[8] != '-' || s[13] != '-' || s[18] != '-' ||
        s[23] != '-') {
        return false;
    }
    char hex[33];
    char *to = hex;
    for (int i = 0; i < SL_UUID_LEN; i++) {
        if (i != 8 && i != 13 && i != 18 && i != 23) {
            *to++ = s[i];
        }
    }
    *to = 0;
    return sl_hex_decode(out, SL_UUID_BYTES, hex);
}
