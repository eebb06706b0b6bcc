#include "server/strict.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <string.h>

enum {
    OP_CONTINUATION = 0,
    OP_TEXT = 1,
    OP_BINARY = 2,
    OP_CLOSE = 8,
    OP_PONG = 10,
    CODE_PROTOCOL = 1002,
    CODE_TEXT = 1007,
    CODE_TOO_BIG = 1009,
    CODE_NO_MEMORY = 1011,
    CODE_APP_FIRST = 3000,
    CODE_APP_LAST = 4999
};

/* What is wrong with the first two bytes of a frame: a close code, 0 when nothing is. */
static int32_t check_start(const sl_strict *s, const uint8_t *h)
{
    uint8_t opcode = h[0] & 0x0F;
    bool fin = (h[0] & 0x80) != 0;
    bool control = opcode >= OP_CLOSE;
    bool known = opcode <= OP_BINARY || (control && opcode <= OP_PONG);
    bool fits = control                     ? fin && (h[1] & 0x7F) <= SL_STRICT_CONTROL_MAX
                : opcode == OP_CONTINUATION ? s->in_message
                                            : !s->in_message;
    bool masked = (h[1] & 0x80) != 0;
    return (h[0] & 0x70) != 0 || !known || !fits || !masked ? CODE_PROTOCOL : 0;
}

/* Codes that an endpoint may send (RFC 6455, 7.4). */
static bool code_ok(unsigned code)
{
    return (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006) ||
           (code >= CODE_APP_FIRST && code <= CODE_APP_LAST);
}

/* A control frame, whole; n bytes behind its two and its mask. */
static int32_t take_control(sl_strict *s, uint8_t *h, size_t n)
{
    uint8_t plain[SL_STRICT_CONTROL_MAX];
    if ((h[0] & 0x0F) != OP_CLOSE) {
        return 0;
    }
    for (size_t i = 0; i < n; i++) {
        plain[i] = h[6 + i] ^ h[2 + (i & 3)];
    }
    if (n == 1 || (n >= 2 && !code_ok((unsigned)plain[0] << 8 | plain[1]))) {
        return CODE_PROTOCOL;
    }
    if (n > 2 && !sl_utf8_ok((const char *)plain + 2, n - 2)) {
        return CODE_TEXT;
    }
    if (n >= 2 && plain[0] == 0x03 && plain[1] >= 0xF4 && plain[1] <= 0xF6) { /* 1012 to 1014 */
        s->said = (uint16_t)(plain[0] << 8 | plain[1]);
        h[7] = 0xE8 ^ h[3]; /* 1000, which libwebsockets knows */
    }
    s->dead = true; /* after it nothing counts */
    return 0;
}

/* One byte of a text (RFC 3629). */
static void note_byte(sl_strict *s, uint8_t c)
{
    if (s->more > 0) {
        s->bad = s->bad || c < s->least || c > s->most;
        s->more--;
        s->least = 0x80;
        s->most = 0xBF;
    } else if (c >= 0x80) {
        s->bad = s->bad || c < 0xC2 || c > 0xF4;
        s->more = c < 0xE0 ? 1 : c < 0xF0 ? 2 : 3;
        s->least = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80; /* no longer than needed */
        s->most = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF;  /* no surrogate, none too great */
    }
}

static void note_text(sl_strict *s, const uint8_t *p, size_t n)
{
    for (size_t i = 0; s->text && i < n; i++) {
        note_byte(s, p[i] ^ s->mask[(s->turn + i) & 3]);
    }
    s->turn = (uint8_t)((s->turn + n) & 3);
}

/* The text is wrong, as libwebsockets sees when the frame is whole. */
static void end_text(sl_strict *s)
{
    if (s->text && (s->bad || (s->more > 0 && !s->in_message))) {
        s->dead = true;
        s->fault = CODE_TEXT;
    }
}

/* The head of a data frame, whole. */
static int32_t take_data(sl_strict *s, const uint8_t *h)
{
    uint64_t len = h[1] & 0x7F;
    size_t end = len < 126 ? 2 : len == 126 ? 4 : 10;
    if (len >= 126) {
        len = 0;
        for (size_t i = 2; i < end; i++) {
            len = len << 8 | h[i];
        }
    }
    if ((h[0] & 0x0F) != OP_CONTINUATION) {
        s->message = 0;
        s->text = (h[0] & 0x0F) == OP_TEXT;
        s->bad = false;
        s->more = 0;
    }
    if (len > s->message_max || s->message + len > s->message_max) {
        return CODE_TOO_BIG;
    }
    if (len == 0 && (h[0] & 0x80) != 0 && s->text && s->more > 0) {
        return CODE_TEXT; /* an empty last frame: libwebsockets does not look */
    }
    s->message += len;
    s->in_message = (h[0] & 0x80) == 0;
    s->left = len;
    s->turn = 0;
    memcpy(s->mask, h + end, sizeof s->mask);
    return 0;
}

/* How many bytes must be there for a step: the head, of a control frame all of it. */
static size_t step_size(const uint8_t *h)
{
    uint8_t len = h[1] & 0x7F;
    bool control = (h[0] & 0x0F) >= OP_CLOSE;
    size_t more = control ? len : len == 126 ? 2 : len == 127 ? 8 : 0;
    return 2 + 4 + more;
}

/* How many bytes from p on are right and whole enough to pass; *code: what is wrong behind them. */
static size_t walk(sl_strict *s, uint8_t *p, size_t n, int32_t *code)
{
    size_t at = 0;
    while (at < n && !s->dead) {
        if (s->left > 0) {
            size_t take = s->left < n - at ? (size_t)s->left : n - at;
            note_text(s, p + at, take);
            s->left -= take;
            at += take;
            if (s->left == 0) {
                end_text(s);
            }
            continue;
        }
        if (n - at < 2) {
            return at;
        }
        *code = check_start(s, p + at);
        size_t size = step_size(p + at);
        if (*code != 0 || n - at < size) {
            return at;
        }
        bool control = (p[at] & 0x0F) >= OP_CLOSE;
        *code = control ? take_control(s, p + at, size - 6) : take_data(s, p + at);
        if (*code != 0) {
            return at;
        }
        at += size;
    }
    return at;
}

static size_t put_close(uint8_t *p, int32_t code)
{
    const uint8_t frame[SL_STRICT_CLOSE_LEN] = {
        0x88, 0x82, 0, 0, 0, 0, (uint8_t)(code >> 8), (uint8_t)code};
    memcpy(p, frame, sizeof frame);
    return sizeof frame;
}

/* ---- heads of requests ---- */

static size_t put_refused(uint8_t *p)
{
    static const char text[] = "GET " SL_STRICT_REFUSED " HTTP/1.1\r\nHost: x\r\n\r\n";
    memcpy(p, text, sizeof text - 1);
    return sizeof text - 1;
}

/* Goes over heads and bodies from p[at] on; the head under way begins at p[0]. *code: what is wrong. Returns where
 * the head begins that is under way then. */
static size_t walk_heads(sl_strict *s, const uint8_t *p, size_t at, size_t n, int32_t *code)
{
    size_t begun = 0;
    while (at < n && s->heads) {
        if (s->body > 0) {
            size_t take = s->body < n - at ? (size_t)s->body : n - at;
            s->body -= take;
            at += take;
            begun = at;
            continue;
        }
        int32_t got = 0;
        at += sl_head_take(&s->head, p + at, n - at, &got);
        if (got == SL_HEAD_DONE) {
            s->body = s->head.length;
            s->heads = !s->head.spoilt; /* it is refused, and nothing behind it looked at */
            memset(&s->head, 0, sizeof s->head);
            begun = at;
        } else if (got != 0) {
            *code = got;
            return begun;
        }
    }
    return s->heads ? begun : n;
}

size_t sl_strict_room(const sl_strict *s)
{
    return s->heads ? SL_STRICT_HEAD_ROOM : SL_STRICT_ROOM;
}

/* What has come of a head, or of a frame's, waits for the rest. */
static bool hold(sl_strict *s, const uint8_t *p, size_t n)
{
    if (n == 0) {
        sl_mem_free(s->held);
    }
    uint8_t *now = n > 0 ? sl_mem_resize(s->held, n, 1) : NULL;
    if (n > 0 && now == NULL) {
        return false;
    }
    s->held = now;
    s->held_len = (uint16_t)n;
    if (n > 0) {
        memcpy(now, p, n);
    }
    return true;
}

size_t sl_strict_filter(sl_strict *s, uint8_t *p, size_t n)
{
    int32_t code = 0;
    if (!s->framing) {
        for (size_t i = n > 4 ? n - 4 : 0; i < n; i++) {
            memmove(s->last, s->last + 1, 3);
            s->last[3] = p[i];
        }
    }
    if (s->dead) {
        return 0;
    }
    if (!s->framing && !s->heads) {
        return n;
    }
    size_t held = s->held_len;
    if (held > 0) {
        memmove(p + held, p, n);
        memcpy(p, s->held, held);
    }
    n += held;
    size_t good = s->framing ? walk(s, p, n, &code) : walk_heads(s, p, held, n, &code);
    if (code == 0 && !hold(s, p + good, s->dead ? 0 : n - good)) {
        code = s->framing ? CODE_NO_MEMORY : 503;
    }
    if (code == 0) {
        return good;
    }
    s->dead = true;
    s->fault = (uint16_t)code;
    return good + (s->framing ? put_close(p + good, code) : put_refused(p + good));
}

bool sl_strict_begin(sl_strict *s, uint64_t message_max)
{
    bool clean = memcmp(s->last, "\r\n\r\n", sizeof s->last) == 0;
    memset(s->last, 0, sizeof s->last);
    s->heads = false;
    s->framing = true;
    s->message_max = message_max;
    return clean;
}

void sl_strict_end(sl_strict *s)
{
    (void)hold(s, NULL, 0);
}
