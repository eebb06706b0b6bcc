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

void sl_hex(char *out, const void *p, size_t n)
{
    const uint8_t *bytes = p;
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
        out[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
    }
    out[2 * n] = 0;
}

/* One more than the value of a lower-case digit, 0 for anything else. */
static const uint8_t DIGITS[256] = {
    ['0'] = 1, ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9, ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16};

bool sl_hex_byte(uint8_t *out, const char *s)
{
    unsigned hi = DIGITS[(uint8_t)s[0]];
    unsigned lo = hi != 0 ? DIGITS[(uint8_t)s[1]] : 0;
    *out = lo != 0 ? (uint8_t)((hi - 1) << 4 | (lo - 1)) : 0;
    return lo != 0;
}

bool sl_hex_decode(uint8_t *out, size_t n, const char *s)
{
    bool ok = strlen(s) == 2 * n;
    for (size_t i = 0; ok && i < n; i++) {
        ok = sl_hex_byte(&out[i], s + 2 * i);
    }
    return ok;
}
