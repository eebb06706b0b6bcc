#include "base/hlc.h"

#include "base/base64.h"

#include <stddef.h>
#include <string.h>

sl_hlc sl_hlc_tick(sl_hlc *clock, int64_t wall_ms)
{
    uint64_t now = (uint64_t)(wall_ms > 0 ? wall_ms : 0) << 16;
    clock->time = now > clock->time ? now : clock->time + 1;
    return *clock;
}

void sl_hlc_see(sl_hlc *clock, sl_hlc seen)
{
    if (seen.time > clock->time) {
        clock->time = seen.time;
    }
}

int sl_hlc_compare(sl_hlc a, sl_hlc b)
{
    if (a.time != b.time) {
        return a.time < b.time ? -1 : 1;
    }
    return a.device == b.device ? 0 : a.device < b.device ? -1 : 1;
}

int64_t sl_hlc_ms(sl_hlc h)
{
    return (int64_t)(h.time >> 16);
}

void sl_hlc_print(char out[SL_HLC_LEN + 1], sl_hlc h)
{
    uint8_t b[12];
    for (int i = 0; i < 8; i++) {
        b[i] = (uint8_t)(h.time >> (56 - 8 * i));
    }
    for (int i = 0; i < 4; i++) {
        b[8 + i] = (uint8_t)(h.device >> (24 - 8 * i));
    }
    sl_hex(out, b, 12);
}

bool sl_hlc_parse(sl_hlc *out, const char *s)
{
    uint8_t b[12];
    if (s == NULL || !sl_hex_decode(b, 12, s)) {
        return false;
    }
    *out = (sl_hlc){0, 0};
    for (int i = 0; i < 8; i++) {
        out->time = (out->time << 8) | b[i];
    }
    for (int i = 8; i < 12; i++) {
        out->device = (out->device << 8) | b[i];
    }
    return true;
}
