/*
 * Heads of requests as a socket brings them: the first byte says in how large pieces, the rest is what comes.
 *
 * Whatever the pieces, the same passes and the same is refused. Of a head that passes, this and guard.h, which
 * libwebsockets' reading of it comes to, have one opinion of where its body ends, or the connection is ended: else a
 * request could hide in another one's body.
 */
#include "base/error.h"
#include "base/mem.h"
#include "server/guard.h"
#include "server/strict.h"

#include <string.h>
#include <strings.h>

enum {
    INPUT_MAX = 64 * 1024,
    VALUE_MAX = SL_HEAD_MAX + 4
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- in pieces ---- */

typedef struct came {
    uint8_t *data;
    size_t len;
    uint16_t fault;
    bool dead;
} came;

static came read_in(const uint8_t *p, size_t size, size_t step)
{
    sl_strict s;
    came out = {.data = sl_mem(size + SL_STRICT_HEAD_ROOM)};
    uint8_t *room = sl_mem(step + SL_STRICT_HEAD_ROOM);
    SL_ASSERT(out.data != NULL && room != NULL);
    memset(&s, 0, sizeof s);
    s.heads = true;
    for (size_t at = 0; at < size; at += step) {
        size_t n = step < size - at ? step : size - at;
        SL_ASSERT(sl_strict_room(&s) <= SL_STRICT_HEAD_ROOM);
        memcpy(room, p + at, n);
        size_t got = sl_strict_filter(&s, room, n);
        SL_ASSERT(got <= n + SL_STRICT_HEAD_ROOM && out.len + got <= size + SL_STRICT_HEAD_ROOM);
        memcpy(out.data + out.len, room, got);
        out.len += got;
    }
    out.fault = s.fault;
    out.dead = s.dead;
    sl_strict_end(&s);
    sl_mem_free(room);
    return out;
}

static void check_pieces(const uint8_t *p, size_t size, size_t step)
{
    came whole = read_in(p, size, size);
    came pieces = read_in(p, size, step);
    SL_ASSERT(whole.fault == pieces.fault && whole.dead == pieces.dead);
    SL_ASSERT(whole.len == pieces.len && memcmp(whole.data, pieces.data, whole.len) == 0);
    SL_ASSERT(whole.dead || memcmp(whole.data, p, whole.len) == 0);
    sl_mem_free(whole.data);
    sl_mem_free(pieces.data);
}

/* ---- in another's eyes ---- */

/* The values of all headers of this name, joined, without the blanks around; NULL: there is none. */
static const char *values_of(const char *head, const char *name, char out[VALUE_MAX])
{
    size_t n = strlen(name);
    size_t len = 0;
    bool any = false;
    for (const char *line = strstr(head, "\r\n") + 2; *line != '\r';
         line = strstr(line, "\r\n") + 2) {
        if (strncasecmp(line, name, n) != 0 || line[n] != ':') {
            continue;
        }
        const char *from = line + n + 1;
        const char *end = strstr(from, "\r\n");
        from += strspn(from, " \t");
        while (end > from && (end[-1] == ' ' || end[-1] == '\t')) {
            end--;
        }
        if (any) {
            memcpy(out + len, ", ", 2);
            len += 2;
        }
        memcpy(out + len, from, (size_t)(end - from));
        len += (size_t)(end - from);
        any = true;
    }
    out[len] = 0;
    return any ? out : NULL;
}

/* A head that passed, `n` bytes with its empty line. */
static void check_head(const uint8_t *p, size_t n, const sl_head *h)
{
    static char text[SL_HEAD_MAX + 1];
    static char values[3][VALUE_MAX];
    int64_t length = 0;
    const char *why = NULL;
    SL_ASSERT(n <= SL_HEAD_MAX && memchr(p, 0, n) == NULL && n >= 4 &&
              memcmp(p + n - 4, "\r\n\r\n", 4) == 0);
    memcpy(text, p, n);
    text[n] = 0;
    SL_ASSERT(strstr(text, "\r\n\r\n") == text + n - 4);
    for (size_t i = 0; i < n; i++) {
        SL_ASSERT((text[i] == '\r') == (text[i + 1] == '\n')); /* neither without the other */
    }
    sl_guard_in in = {.content_length = values_of(text, "content-length", values[0]),
                      .transfer_encoding = values_of(text, "transfer-encoding", values[1]),
                      .host = values_of(text, "host", values[2]),
                      .old_http = strstr(text, " HTTP/1.0\r\n") != NULL};
    if (sl_guard_check(&in, INT64_MAX, &length, &why) == 0) {
        SL_ASSERT(!h->spoilt && h->length == (uint64_t)length);
    } else {
        SL_ASSERT(why[0] != 0);
    }
}

static void check_heads(const uint8_t *p, size_t size)
{
    sl_head h;
    size_t at = 0;
    size_t begun = 0;
    memset(&h, 0, sizeof h);
    while (at < size) {
        int32_t got = 0;
        size_t taken = sl_head_take(&h, p + at, size - at, &got);
        SL_ASSERT(taken > 0 && taken <= size - at);
        SL_ASSERT(got == 0 || got == SL_HEAD_DONE || (got >= 400 && got <= 505));
        at += taken;
        SL_ASSERT(got != 0 || at == size);
        if (got != SL_HEAD_DONE) {
            return;
        }
        check_head(p + begun, at - begun, &h);
        if (h.spoilt || h.length >= size - at) {
            return;
        }
        at += (size_t)h.length;
        begun = at;
        memset(&h, 0, sizeof h);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > INPUT_MAX) {
        return 0;
    }
    size_t step = data[0] > 0 ? data[0] : 1;
    check_pieces(data + 1, size - 1, step);
    check_heads(data + 1, size - 1);
    return 0;
}
