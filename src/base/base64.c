#include "base/base64.h"

#include <string.h>

static const char STD[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char URL[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void encode(sl_buf *out, const uint8_t *p, size_t n, const char *digits, bool pad)
{
    for (size_t i = 0; i < n; i += 3) {
        size_t have = n - i < 3 ? n - i : 3;
        uint32_t v = (uint32_t)p[i] << 16;
        v |= have > 1 ? (uint32_t)p[i + 1] << 8 : 0;
        v |= have > 2 ? p[i + 2] : 0;
        for (size_t k = 0; k < 4; k++) {
            if (k <= have) {
                sl_buf_u8(out, (uint8_t)digits[(v >> (18 - 6 * k)) & 63]);
            } else if (pad) {
                sl_buf_u8(out, '=');
            }
        }
    }
}

static bool decode(sl_buf *out, const char *s, size_t n, const char *digits)
{
    uint32_t v = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < n; i++) {
        const char *at = s[i] != 0 ? strchr(digits, s[i]) : NULL;
        if (at == NULL) {
            return false;
        }
        v = ((v << 6) | (uint32_t)(at - digits)) & 0xFFFF;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            sl_buf_u8(out, (uint8_t)(v >> bits));
        }
    }
    return bits < 6 && (v & ((1u << bits) - 1)) == 0 && !out->failed;
}

void sl_base64(sl_buf *out, const void *p, size_t n)
{
    encode(out, p, n, STD, true);
}

void sl_base64url(sl_buf *out, const void *p, size_t n)
{
    encode(out, p, n, URL, false);
}

bool sl_base64_decode(sl_buf *out, const char *s, size_t n)
{
    if (n % 4 != 0) {
        return false;
    }
    size_t pad = n > 0 && s[n - 1] == '=' ? 1 : 0;
    pad += pad == 1 && s[n - 2] == '=' ? 1 : 0;
    return decode(out, s, n - pad, STD);
}

bool sl_base64url_decode(sl_buf *out, const char *s, size_t n)
{
    return decode(out, s, n, URL);
}

const char sl_hex_pairs[513] =
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021222324252627"
    "28292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f"
    "505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f7071727374757677"
    "78797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
    "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7"
    "c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeef"
    "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff";

void sl_hex(char *out, const void *p, size_t n)
{
    const uint8_t *bytes = p;
    for (size_t i = 0; i < n; i++) {
        memcpy(out + 2 * i, sl_hex_pairs + (size_t)2 * bytes[i], 2);
    }
    out[2 * n] = 0;
}

const uint8_t sl_hex_digits[256] = {
    ['0'] = 1, ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9, ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16};

static bool hex_byte(uint8_t *out, const char *s)
{
    unsigned hi = sl_hex_digits[(uint8_t)s[0]] - 1U;
    unsigned lo = sl_hex_digits[(uint8_t)s[1]] - 1U;
    *out = (uint8_t)(hi << 4 | lo);
    return (hi | lo) < 16;
}

bool sl_hex_decode(uint8_t *out, size_t n, const char *s)
{
    bool ok = strlen(s) == 2 * n;
    for (size_t i = 0; ok && i < n; i++) {
        ok = hex_byte(&out[i], s + 2 * i);
    }
    return ok;
}
