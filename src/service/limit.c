/*
 * service/limit.c - rate limits: a token bucket for each category and key. A bucket holds `burst`
 * tokens and is filled at `limit` tokens per window; a request takes one, a push one for each operation.
 *
 * In memory: another start begins with full buckets. The table has a fixed size: for a new key, of the
 * places where it may be, the one that was asked for longest ago is forgotten.
 */
#include "base/mem.h"
#include "service/inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PLACES = 16384, /* a power of two */
    TRIES = 8
};

typedef struct bucket {
    uint64_t key; /* hash of category and key, 0: free */
    int64_t at_ms;
    int64_t fill_ms; /* what is there, as the time that filling it took */
} bucket;

struct sl_sv_buckets {
    bucket at[PLACES];
};

static const struct {
    const char *name;
    int64_t limit;
    int64_t window_s;
    int64_t burst;
} RATES[SL_RATES] = {
    [SL_RATE_PUBLIC] = {"public", 100, 60, 150},
    [SL_RATE_AUTHENTICATED] = {"authenticated", 1000, 60, 1500},
    [SL_RATE_UPLOAD] = {"upload", 10, 3600, 15},
    [SL_RATE_WEBHOOK] = {"webhook", 50, 60, 75},
    [SL_RATE_ANALYTICS] = {"analytics", 500, 60, 750},
    [SL_RATE_MAIL] = {"mail", 5, 3600, 5},
    [SL_RATE_PUSH] = {"push", 6000, 60, 20000},
    [SL_RATE_FRAMES] = {"frames", 36000, 60, 60000},
};

const char *sl_sv_rate_name(sl_rate rate)
{
    return RATES[rate].name;
}

int64_t sl_sv_rate_limit(sl_rate rate)
{
    return RATES[rate].limit;
}

int64_t sl_sv_rate_window_s(sl_rate rate)
{
    return RATES[rate].window_s;
}

sl_sv_buckets *sl_sv_buckets_new(void)
{
    return sl_mem(sizeof(sl_sv_buckets));
}

void sl_sv_buckets_free(sl_sv_buckets *b)
{
    sl_mem_free(b);
}

static uint64_t hash_of(sl_rate rate, const char *key)
{
    uint64_t h = UINT64_C(14695981039346656037) ^ (uint64_t)rate; /* FNV-1a */
    for (; *key != 0; key++) {
        h = (h ^ (uint8_t)*key) * UINT64_C(1099511628211);
    }
    return h | 1;
}

/* How long a whole bucket takes to fill, in units of 1/limit of a millisecond: whole numbers. */
static int64_t room(sl_rate rate)
{
    return RATES[rate].burst * RATES[rate].window_s * 1000;
}

static int64_t filled(const bucket *b, sl_rate rate, int64_t now_ms)
{
    int64_t passed = now_ms > b->at_ms ? now_ms - b->at_ms : 0;
    int64_t most = room(rate);
    int64_t add = passed < most ? passed * RATES[rate].limit : most;
    return b->fill_ms + add < most ? b->fill_ms + add : most;
}

static bucket *place(sl_sv_buckets *all, sl_rate rate, uint64_t key, int64_t now_ms)
{
    bucket *fullest = NULL;
    for (size_t i = 0; i < TRIES; i++) {
        bucket *b = &all->at[(key / 2 + i) & (PLACES - 1)];
        if (b->key == key) {
            return b;
        }
        if (fullest == NULL || b->key == 0 || (fullest->key != 0 && b->at_ms < fullest->at_ms)) {
            fullest = b;
        }
    }
    *fullest = (bucket){key, now_ms, room(rate)};
    return fullest;
}

sl_sv_allowance sl_sv_bucket_take(sl_sv_buckets *b, sl_rate rate, const char *key, int64_t n,
                                  int64_t now_ms)
{
    bucket *mine = place(b, rate, hash_of(rate, key), now_ms);
    const int64_t token = RATES[rate].window_s * 1000;
    const int64_t want = n * token;
    const int64_t limit = RATES[rate].limit;
    int64_t have = filled(mine, rate, now_ms);
    sl_sv_allowance a = {.ok = have >= want};
    mine->fill_ms = a.ok ? have - want : have;
    mine->at_ms = now_ms > mine->at_ms ? now_ms : mine->at_ms;
    a.left = mine->fill_ms / token;
    a.reset_s = (room(rate) - mine->fill_ms + limit * 1000 - 1) / (limit * 1000);
    a.wait_s = a.ok ? 0 : (want - mine->fill_ms + limit * 1000 - 1) / (limit * 1000);
    return a;
}

/* ---- addresses ---- */

enum {
    GROUPS = 8 /* of 16 bits */
};

/* One group of an IPv6 address, or two written as an IPv4 address; *p moves behind them. 0: neither. */
static size_t read_group(const char **p, uint16_t to[2])
{
    size_t digits = strspn(*p, "0123456789abcdefABCDEF");
    if (digits == 0 || digits > 4) {
        return 0;
    }
    if ((*p)[digits] != '.') {
        to[0] = (uint16_t)strtoul(*p, NULL, 16);
        *p += digits;
        return 1;
    }
    unsigned long parts[4] = {0};
    char *end = NULL;
    for (size_t i = 0; i < 4; i++) {
        parts[i] = strtoul(*p, &end, 10);
        if (end == *p || parts[i] > 255 || (i < 3 && *end != '.')) {
            return 0;
        }
        *p = i < 3 ? end + 1 : end;
    }
    to[0] = (uint16_t)(parts[0] << 8 | parts[1]);
    to[1] = (uint16_t)(parts[2] << 8 | parts[3]);
    return 2;
}

/* The text of an IPv6 address (RFC 4291); what comes behind a % names an interface. */
static bool read_v6(const char *p, uint16_t groups[GROUPS])
{
    uint16_t at[GROUPS + 1] = {0};
    size_t n = 0;
    size_t gap = GROUPS + 1; /* where the :: is; none */
    while (*p != 0 && *p != '%' && n < GROUPS) {
        if (p[0] == ':' && p[1] == ':' && gap > GROUPS) {
            gap = n;
            p += 2;
            continue;
        }
        p += *p == ':' && n > 0 && gap != n ? 1 : 0;
        size_t more = read_group(&p, &at[n]);
        if (more == 0) {
            return false;
        }
        n += more;
    }
    if ((*p != 0 && *p != '%') || n > GROUPS || (gap > GROUPS && n != GROUPS)) {
        return false;
    }
    size_t head = gap > GROUPS ? n : gap;
    memset(groups, 0, GROUPS * sizeof *groups);
    memcpy(groups, at, head * sizeof *at);
    memcpy(groups + GROUPS - (n - head), at + head, (n - head) * sizeof *at);
    return true;
}

void sl_sv_peer_key(const char *peer, char *out, size_t n)
{
    static const uint16_t v4[6] = {0, 0, 0, 0, 0, 0xffff};
    uint16_t g[GROUPS];
    if (strchr(peer, ':') == NULL || !read_v6(peer, g)) {
        sl_sv_copy(out, n, peer);
    } else if (memcmp(g, v4, sizeof v4) == 0) {
        (void)snprintf(out, n, "%d.%d.%d.%d", g[6] >> 8, g[6] & 255, g[7] >> 8, g[7] & 255);
    } else {
        (void)snprintf(out, n, "%x:%x:%x:%x", g[0], g[1], g[2], g[3]);
    }
}

bool sl_sv_may_push(sl_service *s, const char *user, size_t count, int64_t *wait_s)
{
    int64_t n =
        count < SL_SV_PUSH_MAX ? (int64_t)count : SL_SV_PUSH_MAX; /* more is broken anyhow */
    sl_sv_allowance a = {.ok = true};
    if (s->buckets != NULL) {
        a = sl_sv_bucket_take(s->buckets, SL_RATE_PUSH, user, n, sl_sv_now(s));
        s->counts.limited += a.ok ? 0 : 1;
    }
    *wait_s = a.wait_s;
    return a.ok;
}
