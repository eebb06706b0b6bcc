#include "sync/column.h"

#include "base/mem.h"

#include <string.h>

enum {
    MODE_BITS = 2,
    DICTIONARY_MAX = 255, /* words; more are rarely worth the search */
    BITS_NONE = 0,
    BITS_ALL = 1,
    BITS_MAP = 2,
    BITS_RUNS = 3
};

static void put_column(sl_buf *out, const sl_buf *content, unsigned mode)
{
    sl_buf_varint(out, (uint64_t)content->len << MODE_BITS | mode);
    sl_buf_put(out, content->data, content->len);
    out->failed = out->failed || content->failed;
}

/* --- writing --------------------------------------------------------------------------------- */

static int64_t difference(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

static size_t zigzag_size(int64_t v)
{
    uint64_t z = ((uint64_t)v << 1) ^ (v < 0 ? UINT64_MAX : 0);
    size_t n = 1;
    while (z >= 0x80) {
        z >>= 7;
        n++;
    }
    return n;
}

/* Of all differences but the first: what divides them, 1 when nothing does or nothing is gained. */
static uint64_t divisor(const int64_t *v, size_t n)
{
    uint64_t by = 0;
    for (size_t i = 1; i < n && by != 1; i++) {
        int64_t step = difference(v[i], v[i - 1]);
        uint64_t rest = step < 0 ? 0 - (uint64_t)step : (uint64_t)step;
        while (rest != 0) {
            uint64_t next = by % rest;
            by = rest;
            rest = next;
        }
    }
    return by > 1 ? by : 1;
}

/* The differences, all but the first divided. */
static void put_steps(sl_buf *out, const int64_t *v, size_t n, int64_t base, uint64_t by)
{
    int64_t last = base;
    for (size_t i = 0; i < n; i++) {
        int64_t step = difference(v[i], last);
        uint64_t size = (step < 0 ? 0 - (uint64_t)step : (uint64_t)step) / (i > 0 ? by : 1);
        sl_buf_zigzag(out, (int64_t)(step < 0 ? 0 - size : size));
        last = v[i];
    }
}

void sl_column_put_ints(sl_buf *out, const int64_t *v, size_t n, int64_t base, sl_buf *tmp)
{
    size_t plain = 0;
    int64_t last = base;
    sl_buf_clear(tmp);
    for (size_t i = 0; i < n;) {
        int64_t step = difference(v[i], last);
        size_t run = 1;
        while (i + run < n && difference(v[i + run], v[i + run - 1]) == step) {
            run++;
        }
        sl_buf_varint(tmp, run);
        sl_buf_zigzag(tmp, step);
        plain += run * zigzag_size(step);
        last = v[i + run - 1];
        i += run;
    }
    if (tmp->len < plain) {
        put_column(out, tmp, 1);
        return;
    }
    uint64_t by = n > 2 ? divisor(v, n) : 1;
    sl_buf_clear(tmp);
    if (by > 1) {
        sl_buf_varint(tmp, by);
    }
    put_steps(tmp, v, n, base, by);
    put_column(out, tmp, by > 1 ? 2 : 0);
}

void sl_column_put_bits(sl_buf *out, const uint8_t *v, size_t n, sl_buf *tmp)
{
    uint8_t now = 0;
    sl_buf_clear(tmp);
    for (size_t i = 0; i < n;) {
        size_t run = 0;
        while (i + run < n && v[i + run] == now) {
            run++;
        }
        sl_buf_varint(tmp, run);
        i += run;
        now = now == 0;
    }
    if (n > 0 && memchr(v, 1, n) == NULL) {
        sl_buf_clear(tmp);
        put_column(out, tmp, BITS_NONE);
        return;
    }
    if (n == 0 || memchr(v, 0, n) == NULL) {
        sl_buf_clear(tmp);
        put_column(out, tmp, n == 0 ? BITS_NONE : BITS_ALL);
        return;
    }
    if (tmp->len < (n + 7) / 8) {
        put_column(out, tmp, BITS_RUNS);
        return;
    }
    sl_buf_clear(tmp);
    for (size_t i = 0; i < n; i += 8) {
        unsigned byte = 0;
        for (size_t k = i; k < n && k < i + 8; k++) {
            byte |= (unsigned)v[k] << (k - i);
        }
        sl_buf_u8(tmp, (uint8_t)byte);
    }
    put_column(out, tmp, BITS_MAP);
}

static bool same(sl_span a, sl_span b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* places[i]: of v[i] among the words, which are the first of their kind. 0: too many words. */
static size_t find_words(const sl_span *v, size_t n, int64_t *places, size_t *first)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        size_t k = i > 0 && same(v[i], v[i - 1]) ? (size_t)places[i - 1] : 0;
        while (k < count && !same(v[first[k]], v[i])) {
            k++;
        }
        if (k == count && count == DICTIONARY_MAX) {
            return 0;
        }
        if (k == count) {
            first[count++] = i;
        }
        places[i] = (int64_t)k;
        if (i > 32 && count > i / 2) {
            return 0; /* hardly any comes twice */
        }
    }
    return count;
}

static void put_span(sl_buf *out, sl_span v, size_t width)
{
    if (width == 0) {
        sl_buf_varint(out, v.n);
    }
    sl_buf_put(out, v.p, v.n);
}

void sl_column_put_spans(sl_buf *out, const sl_span *v, size_t n, size_t width, int64_t *places,
                         sl_buf tmp[3])
{
    size_t first[DICTIONARY_MAX];
    size_t words = n > 1 ? find_words(v, n, places, first) : 0;
    sl_buf *plain = &tmp[0];
    sl_buf *dictionary = &tmp[1];
    sl_buf_clear(plain);
    sl_buf_clear(dictionary);
    if (width == 0) {
        sl_buf_clear(&tmp[2]);
        for (size_t i = 0; i < n; i++) {
            sl_buf_varint(&tmp[2], v[i].n);
        }
        sl_buf_varint(plain, tmp[2].len);
        sl_buf_put(plain, tmp[2].data, tmp[2].len);
        plain->failed = plain->failed || tmp[2].failed;
    }
    for (size_t i = 0; i < n; i++) {
        sl_buf_put(plain, v[i].p, v[i].n);
    }
    if (words > 0) {
        sl_buf_varint(dictionary, words);
        for (size_t i = 0; i < words; i++) {
            put_span(dictionary, v[first[i]], width);
        }
        sl_column_put_ints(dictionary, places, n, 0, &tmp[2]);
    }
    bool shorter = words > 0 && dictionary->len < plain->len;
    put_column(out, shorter ? dictionary : plain, shorter ? 1 : 0);
}

/* --- reading --------------------------------------------------------------------------------- */

/* The content of the next column. */
static sl_rd open_column(sl_rd *in, unsigned *mode)
{
    uint64_t head = sl_rd_varint(in);
    uint64_t n = head >> MODE_BITS;
    *mode = (unsigned)(head & ((1U << MODE_BITS) - 1));
    const uint8_t *p = n <= in->left ? sl_rd_take(in, (size_t)n) : NULL;
    in->bad = in->bad || p == NULL;
    sl_rd content = {p, p != NULL ? (size_t)n : 0, in->bad};
    return content;
}

static bool done(const sl_rd *in)
{
    return !in->bad && in->left == 0;
}

void sl_ints_start(sl_ints *c, sl_rd *in, int64_t base)
{
    unsigned mode = 0;
    memset(c, 0, sizeof *c);
    c->in = open_column(in, &mode);
    c->runs = mode == 1;
    c->first = true;
    c->by = mode == 2 ? sl_rd_varint(&c->in) : 1;
    c->in.bad = c->in.bad || mode > 2 || c->by == 0;
    c->last = (uint64_t)base;
}

int64_t sl_ints_next(sl_ints *c)
{
    if (c->runs && c->left == 0) {
        c->left = sl_rd_varint(&c->in);
        c->step = (uint64_t)sl_rd_zigzag(&c->in);
        c->in.bad = c->in.bad || c->left == 0;
    } else if (!c->runs) {
        c->left = 1;
        c->step = (uint64_t)sl_rd_zigzag(&c->in) * (c->first ? 1 : c->by);
        c->first = false;
    }
    if (c->in.bad) {
        c->left = 0;
        return 0;
    }
    c->left--;
    c->last += c->step;
    return (int64_t)c->last;
}

bool sl_ints_done(const sl_ints *c)
{
    return done(&c->in) && c->left == 0;
}

void sl_bits_start(sl_bits *c, sl_rd *in)
{
    memset(c, 0, sizeof *c);
    c->in = open_column(in, &c->mode);
    c->set = true; /* the first run turns it */
}

bool sl_bits_next(sl_bits *c)
{
    switch (c->mode) {
    case BITS_NONE: return false;
    case BITS_ALL: return true;
    case BITS_MAP:
        if (c->at == 0) {
            c->byte = sl_rd_u8(&c->in);
        }
        bool set = (c->byte >> c->at & 1) != 0;
        c->at = (c->at + 1) % 8;
        return set;
    default: break;
    }
    for (int i = 0; i < 2 && c->left == 0 && !c->in.bad;
         i++) { /* only the first run may be empty */
        c->left = sl_rd_varint(&c->in);
        c->set = !c->set;
    }
    if (c->left == 0) {
        c->in.bad = true;
        return false;
    }
    c->left--;
    return c->set && !c->in.bad;
}

bool sl_bits_done(const sl_bits *c)
{
    return done(&c->in) && c->left == 0 &&
           (c->mode != BITS_MAP || c->byte >> c->at == 0 || c->at == 0);
}

static sl_span next_span(sl_rd *in, uint64_t n)
{
    const uint8_t *p = n <= in->left ? sl_rd_take(in, (size_t)n) : NULL;
    in->bad = in->bad || p == NULL;
    return (sl_span){p, p != NULL ? (size_t)n : 0};
}

void sl_spans_start(sl_spans *c, sl_rd *in, size_t width, size_t rows,
                    void *(*take)(void *ctx, size_t n), void *ctx)
{
    unsigned mode = 0;
    memset(c, 0, sizeof *c);
    c->in = open_column(in, &mode);
    c->width = width;
    c->dictionary = mode == 1;
    c->in.bad = c->in.bad || mode > 1;
    if (c->dictionary) {
        uint64_t count = sl_rd_varint(&c->in);
        c->in.bad = c->in.bad || count == 0 || count > rows;
        c->words = !c->in.bad ? take(ctx, (size_t)count * sizeof *c->words) : NULL;
        c->count = c->words != NULL ? (size_t)count : 0;
        c->in.bad = c->in.bad || c->words == NULL;
        for (size_t i = 0; i < c->count; i++) {
            c->words[i] = next_span(&c->in, width > 0 ? width : sl_rd_varint(&c->in));
        }
        sl_ints_start(&c->places, &c->in, 0);
    } else if (width == 0) {
        sl_span lengths = next_span(&c->in, sl_rd_varint(&c->in));
        c->lengths = (sl_rd){lengths.p, lengths.n, c->in.bad};
    }
}

sl_span sl_spans_next(sl_spans *c)
{
    sl_span none = {NULL, 0};
    if (c->in.bad) {
        return none;
    }
    if (c->dictionary) {
        int64_t place = sl_ints_next(&c->places);
        c->in.bad = c->places.in.bad || place < 0 || (uint64_t)place >= c->count;
        return c->in.bad ? none : c->words[place];
    }
    uint64_t n = c->width > 0 ? c->width : sl_rd_varint(&c->lengths);
    c->in.bad = c->lengths.bad;
    return c->in.bad ? none : next_span(&c->in, n);
}

bool sl_spans_done(const sl_spans *c)
{
    return done(&c->in) &&
           (c->dictionary ? sl_ints_done(&c->places) : c->width > 0 || done(&c->lengths));
}
