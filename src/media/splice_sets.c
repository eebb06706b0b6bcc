/* media/splice_sets.c - H.264's units and parameter sets: start codes, lengths, avcC. */
#include "media/splice.h"

#include <string.h>

enum {
    UNIT_SLICE = 1,
    UNIT_IDR = 5,
    UNIT_SPS = 7,
    UNIT_PPS = 8,
    SETS_MAX = 32,
    UNIT_MAX = 65535,
    PROFILE_HIGH = 100
};

typedef struct unit {
    const uint8_t *p;
    size_t n;
} unit;

/* The next unit behind a start code from *at on; false at the end. */
static bool next_unit(const uint8_t *p, size_t n, size_t *at, unit *out)
{
    size_t i = *at;
    while (i + 3 <= n && !(p[i] == 0 && p[i + 1] == 0 && p[i + 2] == 1)) {
        i++;
    }
    if (i + 3 > n) {
        return false;
    }
    size_t begin = i + 3;
    size_t end = begin;
    while (end < n && !(end + 3 <= n && p[end] == 0 && p[end + 1] == 0 && p[end + 2] <= 1)) {
        end++;
    }
    *at = end;
    *out = (unit){p + begin, end - begin};
    return true;
}

void sl_splice_lengths(const uint8_t *p, size_t n, sl_buf *out)
{
    size_t at = 0;
    unit u;
    while (next_unit(p, n, &at, &u)) {
        uint8_t len[4] = {(uint8_t)(u.n >> 24), (uint8_t)(u.n >> 16), (uint8_t)(u.n >> 8),
                          (uint8_t)u.n};
        sl_buf_put(out, len, sizeof len);
        sl_buf_put(out, u.p, u.n);
    }
}

bool sl_splice_is_idr(const uint8_t *p, size_t n, int length_size)
{
    size_t at = 0;
    while (at + (size_t)length_size < n) {
        size_t len = 0;
        for (int i = 0; i < length_size; i++) {
            len = len << 8 | p[at + (size_t)i];
        }
        at += (size_t)length_size;
        int type = p[at] & 31;
        if (type == UNIT_IDR || type == UNIT_SLICE) {
            return type == UNIT_IDR;
        }
        if (len > n - at) {
            return false;
        }
        at += len;
    }
    return false;
}

typedef struct sets {
    unit sps[SETS_MAX];
    unit pps[SETS_MAX];
    size_t sps_n;
    size_t pps_n;
} sets;

/* One list of an avcC. */
static bool take_list(sl_rd *r, size_t count, unit *out, size_t *n)
{
    for (size_t i = 0; i < count; i++) {
        const uint8_t *len = sl_rd_take(r, 2);
        size_t size = len != NULL ? (size_t)len[0] << 8 | len[1] : 0;
        const uint8_t *p = size > 0 ? sl_rd_take(r, size) : NULL;
        if (p == NULL || *n >= SETS_MAX) {
            return false;
        }
        out[(*n)++] = (unit){p, size};
    }
    return true;
}

static bool sets_of_avcc(const uint8_t *p, size_t n, sets *out)
{
    sl_rd r = {p, n, false};
    const uint8_t *head = sl_rd_take(&r, 6);
    if (head == NULL || head[0] != 1 || !take_list(&r, head[5] & 31, out->sps, &out->sps_n)) {
        return false;
    }
    size_t count = sl_rd_u8(&r);
    return !r.bad && take_list(&r, count, out->pps, &out->pps_n) && out->sps_n > 0 &&
           out->pps_n > 0;
}

static bool sets_of_units(const uint8_t *p, size_t n, sets *out)
{
    size_t at = 0;
    unit u;
    while (next_unit(p, n, &at, &u)) {
        int type = u.n > 0 ? u.p[0] & 31 : 0;
        if (u.n > UNIT_MAX || out->sps_n >= SETS_MAX || out->pps_n >= SETS_MAX) {
            return false;
        }
        if (type == UNIT_SPS) {
            out->sps[out->sps_n++] = u;
        } else if (type == UNIT_PPS) {
            out->pps[out->pps_n++] = u;
        }
    }
    return out->sps_n > 0 && out->pps_n > 0;
}

/* The first number (Exp-Golomb) of a unit from a byte on; -1: it is too short. */
static int first_number(const unit *u, size_t from)
{
    size_t bit = from * 8;
    int zeros = 0;
    while (bit < u->n * 8 && (u->p[bit / 8] >> (7 - bit % 8) & 1) == 0) {
        zeros++;
        bit++;
    }
    int value = 0;
    if (zeros > 15 || bit + (size_t)zeros + 1 > u->n * 8) {
        return -1;
    }
    for (int i = 0; i <= zeros; i++, bit++) {
        value = value << 1 | (u->p[bit / 8] >> (7 - bit % 8) & 1);
    }
    return value - 1;
}

static bool has_number(const sets *s, int number)
{
    for (size_t i = 0; i < s->sps_n; i++) {
        if (first_number(&s->sps[i], 4) == number) {
            return true;
        }
    }
    for (size_t i = 0; i < s->pps_n; i++) {
        if (first_number(&s->pps[i], 1) == number) {
            return true;
        }
    }
    return false;
}

int sl_splice_free_number(const uint8_t *avcc, size_t n)
{
    sets s = {.sps_n = 0};
    if (!sets_of_avcc(avcc, n, &s)) {
        return -1;
    }
    int number = 1;
    while (number < SETS_MAX && has_number(&s, number)) {
        number++;
    }
    return number < SETS_MAX ? number : -1;
}

static void put_list(sl_buf *out, const unit *a, size_t an, const unit *b, size_t bn)
{
    for (size_t i = 0; i < an + bn; i++) {
        const unit *u = i < an ? &a[i] : &b[i - an];
        uint8_t len[2] = {(uint8_t)(u->n >> 8), (uint8_t)u->n};
        sl_buf_put(out, len, sizeof len);
        sl_buf_put(out, u->p, u->n);
    }
}

bool sl_splice_describe(const AVCodecParameters *clip, const uint8_t *encoded, size_t n,
                        sl_buf *out)
{
    sets a = {.sps_n = 0};
    sets b = {.sps_n = 0};
    if (!sets_of_avcc(clip->extradata, (size_t)clip->extradata_size, &a) ||
        !sets_of_units(encoded, n, &b) || a.sps_n + b.sps_n > 31 || a.pps_n + b.pps_n > 255) {
        return false;
    }
    for (size_t i = 0; i < b.sps_n; i++) {
        if (b.sps[i].n < 4 || has_number(&a, first_number(&b.sps[i], 4))) {
            return false;
        }
    }
    /* The stricter of both: profile and level that decode either. */
    const uint8_t *x = a.sps[0].p + 1;
    const uint8_t *y = b.sps[0].p + 1;
    uint8_t profile = x[0] > y[0] ? x[0] : y[0];
    uint8_t level = x[2] > y[2] ? x[2] : y[2];
    uint8_t head[6] = {1,     profile, (uint8_t)(x[1] & y[1]),
                       level, 0xff,    (uint8_t)(0xe0 | (a.sps_n + b.sps_n))};
    sl_buf_put(out, head, sizeof head);
    put_list(out, a.sps, a.sps_n, b.sps, b.sps_n);
    sl_buf_u8(out, (uint8_t)(a.pps_n + b.pps_n));
    put_list(out, a.pps, a.pps_n, b.pps, b.pps_n);
    if (profile >= PROFILE_HIGH) {
        static const uint8_t tail[4] = {0xfd, 0xf8, 0xf8, 0}; /* 4:2:0, 8 bits */
        sl_buf_put(out, tail, sizeof tail);
    }
    return !out->failed;
}
