#include "platform/sim/sim.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct sl_sim_event {
    int64_t at_ms;
    uint64_t seq;
    sl_sim_fn fn;
    void *arg;
    bool owned;
};

static const uint64_t FNV_START = UINT64_C(14695981039346656037);

static uint64_t fnv(uint64_t h, const void *p, size_t n)
{
    const uint8_t *b = p;
    for (size_t i = 0; i < n; i++) {
        h = (h ^ b[i]) * UINT64_C(1099511628211);
    }
    return h;
}

uint64_t sl_sim_hash_of(const void *p, size_t n)
{
    return fnv(FNV_START, p, n);
}

static bool before(const sl_sim_event *a, const sl_sim_event *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->seq < b->seq;
}

void sl_sim_at(sl_sim *s, int64_t at_ms, sl_sim_fn fn, void *arg, bool owned)
{
    if (s->event_count == s->event_cap) {
        size_t cap = s->event_cap == 0 ? 256 : s->event_cap * 2;
        sl_sim_event *grown = sl_mem_resize(s->events, cap, sizeof *grown);
        if (grown == NULL) {
            sl_sim_fail(s, "out of memory for events");
            if (owned) {
                sl_mem_free(arg);
            }
            return;
        }
        s->events = grown;
        s->event_cap = cap;
    }
    sl_sim_event e = {at_ms > s->now_ms ? at_ms : s->now_ms, s->next_seq++, fn, arg, owned};
    size_t i = s->event_count++;
    while (i > 0 && before(&e, &s->events[(i - 1) / 2])) {
        s->events[i] = s->events[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    s->events[i] = e;
}

static sl_sim_event take(sl_sim *s)
{
    sl_sim_event first = s->events[0];
    sl_sim_event last = s->events[--s->event_count];
    size_t i = 0;
    for (;;) {
        size_t child = i * 2 + 1;
        if (child >= s->event_count) {
            break;
        }
        if (child + 1 < s->event_count && before(&s->events[child + 1], &s->events[child])) {
            child++;
        }
        if (!before(&s->events[child], &last)) {
            break;
        }
        s->events[i] = s->events[child];
        i = child;
    }
    s->events[i] = last;
    return first;
}

bool sl_sim_next(sl_sim *s)
{
    if (s->event_count == 0 || s->failure != NULL) {
        return false;
    }
    sl_sim_event e = take(s);
    s->now_ms = e.at_ms;
    e.fn(s, e.arg);
    if (e.owned) {
        sl_mem_free(e.arg);
    }
    return true;
}

void sl_sim_trace(sl_sim *s, const char *fmt, ...)
{
    char line[512];
    int n = snprintf(line, sizeof line, "%lld ", (long long)s->now_ms);
    va_list args;
    va_start(args, fmt);
    int m = vsnprintf(line + n, sizeof line - (size_t)n, fmt, args);
    va_end(args);
    size_t len = (size_t)n + (m > 0 ? (size_t)m : 0);
    len = len < sizeof line ? len : sizeof line - 1;
    s->hash = fnv(s->hash, line, len);
    s->traced++;
    if (s->verbose) {
        (void)fwrite(line, 1, len, stdout);
        (void)fputc('\n', stdout);
    }
}

void sl_sim_fail(sl_sim *s, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    char *text = sl_text_vfmt(fmt, args);
    va_end(args);
    if (s->failure != NULL) {
        sl_mem_free(text);
        return;
    }
    s->failure = text != NULL ? text : sl_text_dup("out of memory");
    sl_sim_trace(s, "FAILED %s", s->failure != NULL ? s->failure : "");
}

int64_t sl_sim_dice(sl_sim *s, int64_t below)
{
    return (int64_t)sl_prng_below(&s->chance, (uint64_t)below);
}

const char *sl_sim_fault_name(sl_sim_fault fault)
{
    static const char *const names[SL_FAULT_COUNT] = {"a delay",
                                                      "refused",
                                                      "a cut socket",
                                                      "a half-open socket",
                                                      "a lost change",
                                                      "a cut request",
                                                      "a lost answer",
                                                      "a cut answer",
                                                      "a damaged answer",
                                                      "power at a node",
                                                      "power",
                                                      "full disk",
                                                      "full disk at the server",
                                                      "a bad write",
                                                      "a bad write at the server",
                                                      "a clock",
                                                      "the server's clock",
                                                      "a restart",
                                                      "the server's restart",
                                                      "a day",
                                                      "a portal",
                                                      "too many requests",
                                                      "expired tokens",
                                                      "a restored server",
                                                      "a frame twice",
                                                      "retention"};
    return names[fault];
}

bool sl_sim_strikes(sl_sim *s, sl_sim_fault fault, int64_t in)
{
    if ((s->faults & (UINT32_C(1) << fault)) == 0 || sl_sim_dice(s, in) != 0) {
        return false;
    }
    s->fault_counts[fault]++;
    sl_sim_trace(s, "fault: %s", sl_sim_fault_name(fault));
    return true;
}

/* --- hosts -------------------------------------------------------------------------------- */

/* Unix time at the start of every run. */
static const int64_t WALL_START_MS = INT64_C(1767225600000);

static int64_t host_mono(void *user)
{
    const sl_sim_host *h = user;
    return h->mono_start_ms + h->sim->now_ms;
}

static int64_t host_wall(void *user)
{
    const sl_sim_host *h = user;
    return WALL_START_MS + h->wall_off_ms + h->sim->now_ms;
}

static sl_status host_fill(void *user, void *dst, size_t n)
{
    sl_sim_host *h = user;
    uint8_t *p = dst;
    for (size_t i = 0; i < n; i++) {
        p[i] = (uint8_t)(sl_prng_next(&h->random) >> 32);
    }
    return SL_OK;
}

static const sl_clock_ops CLOCK = {
    .struct_size = sizeof CLOCK, .mono_ms = host_mono, .wall_ms = host_wall};
static const sl_random_ops RANDOM = {.struct_size = sizeof RANDOM, .fill = host_fill};

bool sl_sim_host_init(sl_sim *s, sl_sim_host *h, const char *name, uint64_t seed)
{
    h->disk = sl_disk_new(seed * 3 + 1);
    h->sim = s;
    h->name = name;
    sl_prng_seed(&h->random, seed * 3 + 2);
    h->platform = (sl_platform){.struct_size = sizeof h->platform,
                                .user = h,
                                .clock = &CLOCK,
                                .random = &RANDOM,
                                .files = &sl_disk_files};
    if (h->disk != NULL) {
        sl_disk_set_lying(h->disk, s->plant == SL_PLANT_LYING_DISK);
    }
    return h->disk != NULL;
}

/* --- the world ---------------------------------------------------------------------------- */

sl_sim *sl_sim_new(uint64_t seed, const char *key_pem)
{
    sl_sim *s = sl_mem(sizeof *s);
    if (s != NULL) {
        s->hash = FNV_START;
        s->key_pem = key_pem;
        sl_prng_seed(&s->chance, seed);
    }
    return s;
}

void sl_sim_free(sl_sim *s)
{
    if (s == NULL) {
        return;
    }
    while (s->nodes != NULL) {
        sl_sim_node *n = s->nodes;
        sl_sim_node_close(n);
        s->nodes = n->next;
        sl_disk_free(n->host.disk);
        sl_mem_free(n);
    }
    sl_sim_server_close(s);
    sl_disk_free(s->server.host.disk);
    sl_disk_free(s->server.backup);
    sl_sim_net_free(s);
    for (size_t i = 0; i < s->event_count; i++) {
        if (s->events[i].owned) {
            sl_mem_free(s->events[i].arg);
        }
    }
    sl_mem_free(s->events);
    sl_mem_free(s->failure);
    sl_mem_free(s);
}
