#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

/* Length of the sequence that starts at p, 0 when it is not valid. */
static size_t sequence(const uint8_t *p, size_t left)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t len = p[0] < 0x80   ? 1
                 : p[0] < 0xC2 ? 0
                 : p[0] < 0xE0 ? 2
                 : p[0] < 0xF0 ? 3
                 : p[0] < 0xF5 ? 4
                               : 0;
    if (len < 2 || len > left) {
        return len == 1 ? 1 : 0;
    }
    uint32_t code = p[0] & (0xFFu >> (len + 1));
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xC0) != 0x80) {
            return 0;
        }
        code = (code << 6) | (p[i] & 0x3Fu);
    }
    bool surrogate = code >= 0xD800 && code < 0xE000;
    return code < least[len] || code > 0x10FFFF || surrogate ? 0 : len;
}

/* True when none of eight bytes begins or continues a longer sequence. */
static bool all_ascii(const uint8_t *p)
{
    uint64_t w;
    memcpy(&w, p, 8);
    return (w & UINT64_C(0x8080808080808080)) == 0;
}

bool sl_utf8_ok(const char *s, size_t n)
{
    const uint8_t *p = (const uint8_t *)s;
    while (n > 0) {
        size_t len = n >= 8 && all_ascii(p) ? 8 : sequence(p, n);
        if (len == 0) {
            return false;
        }
        p += len;
        n -= len;
    }
    return true;
}

size_t sl_utf8_count(const char *s, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        count += ((uint8_t)s[i] & 0xC0) != 0x80;
    }
    return count;
}
