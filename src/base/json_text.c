#include "base/json.h"
#include "base/json_word.h"
#include "base/utf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DEPTH_MAX = 64
};

static uint8_t *escape_at(uint8_t *to, uint8_t c)
{
    static const char letters[] = "btnvfr"; /* from 8; 11 has no letter in JSON */
    *to++ = '\\';
    if (c == '"' || c == '\\') {
        *to++ = c;
    } else if (c >= 8 && c <= 13 && c != 11) {
        *to++ = (uint8_t)letters[c - 8];
    } else {
        to[0] = 'u';
        to[1] = '0';
        to[2] = '0';
        to[3] = (uint8_t)("0123456789abcdef"[c >> 4]);
        to[4] = (uint8_t)("0123456789abcdef"[c & 15]);
        to += 5;
    }
    return to;
}

static uint8_t *body_at(uint8_t *to, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t plain = sl_json_plain(s + i, n - i);
        memcpy(to, s + i, plain);
        to += plain;
        i += plain;
        to = i < n ? escape_at(to, (uint8_t)s[i]) : to;
    }
    return to;
}

uint8_t *sl_json_text_at(uint8_t *to, const char *s, size_t n)
{
    *to++ = '"';
    to = body_at(to, s, n);
    *to++ = '"';
    return to;
}

/* In pieces, so that room for the longest spelling stays small. */
void sl_json_put_text(sl_buf *out, const char *s, size_t n)
{
    enum {
        PIECE = 1000
    };
    sl_buf_u8(out, '"');
    for (size_t from = 0; from < n; from += PIECE) {
        size_t piece = n - from < PIECE ? n - from : PIECE;
        uint8_t *at = sl_buf_room(out, SL_JSON_TEXT_ROOM(piece));
        if (at == NULL) {
            return;
        }
        out->len += (size_t)(body_at(at, s + from, piece) - at);
    }
    sl_buf_u8(out, '"');
}

uint8_t *sl_json_int_at(uint8_t *to, int64_t v)
{
    static const char pairs[] =
        "0001020304050607080910111213141516171819202122232425262728293031323334"
        "3536373839404142434445464748495051525354555657585960616263646566676869"
        "707172737475767778798081828384858687888990919293949596979899";
    char text[SL_JSON_INT_ROOM];
    size_t at = sizeof text;
    uint64_t rest = v < 0 ? -(uint64_t)v : (uint64_t)v;
    for (; rest >= 100; rest /= 100) {
        at -= 2;
        memcpy(text + at, pairs + rest % 100 * 2, 2);
    }
    if (rest >= 10) {
        at -= 2;
        memcpy(text + at, pairs + rest * 2, 2);
    } else {
        text[--at] = (char)('0' + rest);
    }
    if (v < 0) {
        text[--at] = '-';
    }
    memcpy(to, text + at, sizeof text - at);
    return to + sizeof text - at;
}

void sl_json_put_int(sl_buf *out, int64_t v)
{
    uint8_t text[SL_JSON_INT_ROOM];
    sl_buf_put(out, text, (size_t)(sl_json_int_at(text, v) - text));
}

void sl_json_put_real(sl_buf *out, double v)
{
    char text[32];
    if (!isfinite(v)) {
        sl_buf_str(out, "null");
        return;
    }
    if (fabs(v) <= (double)SL_JSON_INT_MAX && floor(v) == v) {
        sl_json_put_int(out, (int64_t)v);
        return;
    }
    int n = snprintf(text, sizeof text, "%1.15g", v);
    if (strtod(text, NULL) != v) {
        n = snprintf(text, sizeof text, "%1.17g", v);
    }
    size_t len = 0;
    for (int i = 0; i < n; i++) { /* a locale may have another point, of several bytes */
        if (strchr("0123456789+-e", text[i]) != NULL) {
            text[len++] = text[i];
        } else if (len == 0 || text[len - 1] != '.') {
            text[len++] = '.';
        }
    }
    sl_buf_put(out, text, len);
}

/* --- checking -------------------------------------------------------------------------------- */

typedef struct scan {
    const char *p;
    const char *end;
} scan;

static void skip_space(scan *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r')) {
        s->p++;
    }
}

static bool eat(scan *s, char c)
{
    bool yes = s->p < s->end && *s->p == c;
    s->p += yes;
    return yes;
}

static bool eat_word(scan *s, const char *word)
{
    size_t n = strlen(word);
    bool yes = (size_t)(s->end - s->p) >= n && memcmp(s->p, word, n) == 0;
    s->p += yes ? n : 0;
    return yes;
}

/* Four hexadecimal digits; 0 when they are none: text ends at a NUL. */
static unsigned eat_unit(scan *s)
{
    unsigned unit = 0;
    for (int i = 0; i < 4; i++, s->p++) {
        const char *digits = "0123456789abcdefABCDEF";
        const char *d = s->p < s->end && *s->p != 0 ? strchr(digits, *s->p) : NULL;
        if (d == NULL) {
            return 0;
        }
        unsigned v = (unsigned)(d - digits);
        unit = unit << 4 | (v > 15 ? v - 6 : v);
    }
    return unit;
}

/* After the backslash. A surrogate comes with its other half. */
static bool eat_escape(scan *s)
{
    if (s->p >= s->end) {
        return false;
    }
    char c = *s->p++;
    if (c != 'u') {
        return c != 0 && strchr("\"\\/bfnrt", c) != NULL;
    }
    unsigned unit = eat_unit(s);
    if (unit < 0xD800 || unit > 0xDFFF) {
        return unit != 0;
    }
    unsigned low = unit < 0xDC00 && eat_word(s, "\\u") ? eat_unit(s) : 0;
    return low >= 0xDC00 && low <= 0xDFFF;
}

static bool eat_string(scan *s)
{
    if (!eat(s, '"')) {
        return false;
    }
    for (s->p += sl_json_plain(s->p, (size_t)(s->end - s->p)); s->p < s->end;
         s->p += sl_json_plain(s->p, (size_t)(s->end - s->p))) {
        char c = *s->p++;
        if (c == '"') {
            return true;
        }
        if (c != '\\' || !eat_escape(s)) {
            return false;
        }
    }
    return false;
}

static bool eat_digits(scan *s)
{
    const char *from = s->p;
    while (s->p < s->end && *s->p >= '0' && *s->p <= '9') {
        s->p++;
    }
    return s->p > from;
}

static bool eat_number(scan *s)
{
    (void)eat(s, '-');
    if (!eat(s, '0') && !eat_digits(s)) {
        return false;
    }
    if (eat(s, '.') && !eat_digits(s)) {
        return false;
    }
    if (eat(s, 'e') || eat(s, 'E')) {
        (void)(eat(s, '+') || eat(s, '-'));
        return eat_digits(s);
    }
    return true;
}

static bool eat_scalar(scan *s)
{
    return (s->p < s->end && *s->p == '"') ? eat_string(s)
                                           : eat_word(s, "true") || eat_word(s, "false") ||
                                                 eat_word(s, "null") || eat_number(s);
}

/* The key of an object's member, when in one. */
static bool eat_key(scan *s, bool object)
{
    if (!object) {
        return true;
    }
    skip_space(s);
    bool ok = eat_string(s);
    skip_space(s);
    return ok && eat(s, ':');
}

/* Behind a value: closes what ends here; *more: another value follows. */
static bool eat_ends(scan *s, const bool *object, size_t *depth, bool *more)
{
    while (*depth > 0) {
        skip_space(s);
        if (eat(s, ',')) {
            *more = true;
            return eat_key(s, object[*depth - 1]);
        }
        if (!eat(s, object[*depth - 1] ? '}' : ']')) {
            return false;
        }
        (*depth)--;
    }
    *more = false;
    return true;
}

bool sl_json_ok(const char *text, size_t n)
{
    scan s = {text, text + n};
    bool object[DEPTH_MAX]; /* what is open, from outside */
    size_t depth = 0;
    bool more = sl_utf8_ok(text, n);
    bool ok = more && n > 0 && strchr(" \t\n\r", text[0]) == NULL;
    while (ok && more) {
        skip_space(&s);
        bool brace = eat(&s, '{');
        if (!brace && !eat(&s, '[')) {
            ok = eat_scalar(&s) && eat_ends(&s, object, &depth, &more);
            continue;
        }
        if (depth == DEPTH_MAX) {
            return false;
        }
        object[depth++] = brace;
        skip_space(&s);
        if (s.p < s.end && *s.p == (brace ? '}' : ']')) {
            ok = eat_ends(&s, object, &depth, &more);
        } else {
            ok = eat_key(&s, brace);
        }
    }
    return ok && s.p == s.end;
}
