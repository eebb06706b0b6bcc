/*
 * annotation/zkey.c - keys of the stack: fractions of base 62.
 *
 * Putting on top or at the bottom counts the first STEP_DIGITS digits up or down, so that keys stay
 * short however many items are added; in between takes the middle.
 */
#include "annotation/drawing.h"

#include "base/error.h"

#include <string.h>

enum {
    BASE = 62,
    STEP_DIGITS = 6
};

static const char DIGITS[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static int digit_of(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'A' && c <= 'Z') {
        return c - 'A' + 10;
    }
    return c >= 'a' && c <= 'z' ? c - 'a' + 36 : -1;
}

bool sl_z_ok(const char *z)
{
    size_t n = 0;
    while (z[n] != 0) {
        if (n >= SL_Z_MAX || digit_of(z[n]) < 0) {
            return false;
        }
        n++;
    }
    return n > 0 && z[n - 1] != '0';
}

/* Digit i of a fraction that sl_z_ok accepts: it goes on with zeros. */
static int digit_at(const char *z, size_t n, size_t i)
{
    int digit = i < n ? digit_of(z[i]) : 0;
    return digit < 0 ? 0 : digit;
}

static void end_key(char *out, size_t n)
{
    while (n > 0 && out[n - 1] == '0') {
        n--;
    }
    out[n] = 0;
}

/* Counts the first digits of z up (1) or down (-1). False when there is no room left that way. */
static bool step(const char *z, int way, char *out)
{
    size_t n = strlen(z);
    int64_t v = 0;
    int64_t top = 1;
    for (size_t i = 0; i < STEP_DIGITS; i++) {
        v = v * BASE + digit_at(z, n, i);
        top *= BASE;
    }
    /* Below, what z has beyond these digits is room already, but one step keeps it simple. */
    v += way;
    if (v <= 0 || v >= top) {
        return false;
    }
    for (size_t i = STEP_DIGITS; i-- > 0;) {
        out[i] = DIGITS[v % BASE];
        v /= BASE;
    }
    end_key(out, STEP_DIGITS);
    return true;
}

/* The shortest middle of two fractions, `above` empty meaning 1. False when too long. */
static bool middle(const char *below, const char *above, char *out)
{
    size_t nb = strlen(below);
    size_t na = strlen(above);
    bool open = na == 0; /* no bound above any more */
    for (size_t i = 0; i < SL_Z_MAX; i++) {
        int lo = digit_at(below, nb, i);
        int hi = open ? BASE : digit_at(above, na, i);
        if (hi - lo > 1) {
            out[i] = DIGITS[lo + (hi - lo) / 2];
            out[i + 1] = 0;
            return true;
        }
        out[i] = DIGITS[lo];
        open = open || hi > lo;
    }
    return false;
}

sl_status sl_z_between(const char *below, const char *above, char out[SL_Z_MAX + 1], sl_error **err)
{
    const char *lo = below != NULL ? below : "";
    const char *hi = above != NULL ? above : "";
    if ((lo[0] != 0 && !sl_z_ok(lo)) || (hi[0] != 0 && !sl_z_ok(hi)) ||
        (lo[0] != 0 && hi[0] != 0 && strcmp(lo, hi) >= 0)) {
        return sl_fail_field(err, SL_E_INVALID, "z", "the two keys are not in order");
    }
    bool done = (hi[0] == 0 && lo[0] != 0 && step(lo, 1, out)) ||
                (lo[0] == 0 && hi[0] != 0 && step(hi, -1, out));
    if (!done && !middle(lo, hi, out)) {
        return sl_fail_field(err, SL_E_LIMIT, "z", "no shorter key fits between the two");
    }
    return SL_OK;
}
