#include "server/head.h"

#include <string.h>

enum {
    DIGITS_MAX = 18,
    /* states */
    METHOD = 0,
    TARGET_FIRST,
    TARGET,
    VERSION,
    LINE_END, /* a CR has come */
    LINE,
    NAME,
    LENGTH, /* the value of this header */
    UPGRADE,
    OTHER,
    END /* a CR in the place of a line */
};

static bool is_token(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

/* Beyond what fits it is none of the words that are asked for. */
static void put_word(sl_head *h, uint8_t c)
{
    if (h->word_len < SL_HEAD_WORD_MAX) {
        h->word[h->word_len] = (char)c;
    }
    h->word_len = (uint8_t)(h->word_len + (h->word_len <= SL_HEAD_WORD_MAX ? 1 : 0));
}

static bool word_is(const sl_head *h, const char *text)
{
    size_t n = strlen(text);
    return h->word_len == n && memcmp(h->word, text, n) == 0;
}

static int32_t go(sl_head *h, uint8_t state)
{
    h->state = state;
    h->word_len = 0;
    return 0;
}

static int32_t on_method(sl_head *h, uint8_t c)
{
    static const char *const methods[] = {"GET", "HEAD",   "POST",   "PATCH",
                                          "PUT", "DELETE", "OPTIONS"};
    if (c != ' ') {
        put_word(h, c);
        return is_token(c) ? 0 : 400;
    }
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (word_is(h, methods[i])) {
            return go(h, TARGET_FIRST);
        }
    }
    return h->word_len == 0 ? 400 : 501;
}

static int hex(uint8_t c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static int32_t on_target(sl_head *h, uint8_t c)
{
    if (h->escape > 0) {
        if (hex(c) < 0) {
            return 400;
        }
        h->octet = (uint8_t)(h->octet << 4 | hex(c));
        h->escape--;
        return h->escape == 0 && h->octet == 0 ? 400 : 0;
    }
    if (c == ' ') {
        return go(h, VERSION);
    }
    if (c < '!' || c > '~' || c == '#') {
        return 400;
    }
    h->escape = c == '%' ? 2 : 0;
    h->octet = 0;
    h->lines = (uint16_t)(h->lines + (c == '&' ? 1 : 0));
    h->target++;
    return h->target > SL_HEAD_TARGET_MAX || h->lines > SL_HEAD_LINES_MAX ? 414 : 0;
}

static int32_t on_version(sl_head *h, uint8_t c)
{
    if (c != '\r') {
        put_word(h, c);
        return h->word_len > 8 ? 400 : 0;
    }
    if (word_is(h, "HTTP/1.1") || word_is(h, "HTTP/1.0")) {
        return go(h, LINE_END);
    }
    return h->word_len == 8 && memcmp(h->word, "HTTP/", 5) == 0 ? 505 : 400;
}

static int32_t on_name(sl_head *h, uint8_t c)
{
    if (c != ':') {
        put_word(h, c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c);
        return is_token(c) ? 0 : 400;
    }
    if (word_is(h, "content-length")) {
        h->spoilt = h->spoilt || h->has_length;
        h->has_length = true;
        h->state = LENGTH;
    } else {
        h->spoilt = h->spoilt || word_is(h, "transfer-encoding");
        h->state = word_is(h, "upgrade") ? UPGRADE : OTHER;
    }
    h->lines++;
    return h->lines > SL_HEAD_LINES_MAX ? 431 : 0;
}

/* Of a value: its end, or what may be within. */
static int32_t on_other(sl_head *h, uint8_t c)
{
    if (c == '\r') {
        return go(h, LINE_END);
    }
    return c == '\t' || (c >= ' ' && c != 0x7F) ? 0 : 400;
}

/* Blanks around it are no part of it; of those within, and all else, guard.h has its say. */
static int32_t on_length(sl_head *h, uint8_t c)
{
    if (c >= '0' && c <= '9' && h->digits < DIGITS_MAX) {
        h->length = h->length * 10 + (c - '0');
        h->digits = (uint8_t)(h->digits + (h->length > 0 ? 1 : 0));
    } else {
        h->spoilt = h->spoilt || (c != ' ' && c != '\t' && c != '\r');
    }
    return on_other(h, c);
}

/* libwebsockets answers other protocols by itself. */
static int32_t on_upgrade(sl_head *h, uint8_t c)
{
    static const char only[] = "websocket";
    uint8_t lower = c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
    if (c == '\r') {
        return h->upgrade == sizeof only - 1 ? go(h, LINE_END) : 400;
    }
    if (h->upgrade < sizeof only - 1 && lower == (uint8_t)only[h->upgrade]) {
        h->upgrade++;
        return 0;
    }
    bool around = h->upgrade == 0 || h->upgrade == sizeof only - 1;
    return around && (c == ' ' || c == '\t') ? 0 : 400;
}

/* A line that begins with a blank would go on with the one before (obs-fold). */
static int32_t on_line(sl_head *h, uint8_t c)
{
    if (c == '\r') {
        return go(h, END);
    }
    (void)go(h, NAME);
    return c == ':' ? 400 : on_name(h, c);
}

static int32_t next(sl_head *h, uint8_t c)
{
    h->size++;
    if (h->size > SL_HEAD_MAX) {
        return h->state <= TARGET ? 414 : 431;
    }
    switch (h->state) {
    case METHOD: return on_method(h, c);
    case TARGET_FIRST: h->state = TARGET; return c == '/' ? on_target(h, c) : 400;
    case TARGET: return on_target(h, c);
    case VERSION: return on_version(h, c);
    case LINE_END: return c == '\n' ? go(h, LINE) : 400;
    case LINE: return on_line(h, c);
    case NAME: return on_name(h, c);
    case LENGTH: return on_length(h, c);
    case UPGRADE: return on_upgrade(h, c);
    case OTHER: return on_other(h, c);
    default: return c == '\n' ? SL_HEAD_DONE : 400;
    }
}

/* How many octets are of a value that nobody asks for: most of a head. */
static size_t pass(sl_head *h, const uint8_t *p, size_t n)
{
    size_t most = (size_t)(SL_HEAD_MAX - h->size);
    size_t at = 0;
    most = n < most ? n : most;
    while (h->state == OTHER && at < most && p[at] >= ' ' && p[at] != 0x7F) {
        at++;
    }
    h->size = (uint16_t)(h->size + at);
    return at;
}

size_t sl_head_take(sl_head *h, const uint8_t *p, size_t n, int32_t *status)
{
    size_t at = 0;
    *status = 0;
    while (at < n && *status == 0) {
        at += pass(h, p + at, n - at);
        if (at < n) {
            *status = next(h, p[at++]);
        }
    }
    return at;
}
