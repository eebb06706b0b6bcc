/*
 * base/hlc.h - hybrid logical clock (Kulkarni et al., 2014): 48 bits of milliseconds,
 * 16 bits of counter, tie broken by device.
 *
 *   [HLC-1] a stamp made after another was made or seen here is greater than it;
 *   [HLC-2] text form compares as the stamps do: 24 hexadecimal digits.
 */
#ifndef SL_BASE_HLC_H
#define SL_BASE_HLC_H

#include <stdbool.h>
#include <stdint.h>

enum {
    SL_HLC_LEN = 24
};

typedef struct sl_hlc {
    uint64_t time; /* ms << 16 | counter */
    uint32_t device;
} sl_hlc;

/* The next stamp of `clock`, which becomes it. */
sl_hlc sl_hlc_tick(sl_hlc *clock, int64_t wall_ms);
/* Learns of a stamp made elsewhere. */
void sl_hlc_see(sl_hlc *clock, sl_hlc seen);
int sl_hlc_compare(sl_hlc a, sl_hlc b);
int64_t sl_hlc_ms(sl_hlc h);
void sl_hlc_print(char out[SL_HLC_LEN + 1], sl_hlc h);
bool sl_hlc_parse(sl_hlc *out, const char *s);

#endif
