/* What comes from elsewhere: the set to an empty store, edits, two devices that edit the same. */
#include "link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- apply ---------------------------------------------------------------------------------- */

typedef struct arrival {
    double cpu;
    double longest;
    double service;
    double bytes;
    double wire;
} arrival;

static double g_apply_cpu = BENCH_BEST;

static void arrive(link_t *l, arrival *best)
{
    device *d = device_open(l, "arrival", false);
    double service = link_service_cpu(l);
    device_online(d);
    device_settle(d);
    link_spent spent = device_spent(d);
    if (device_count(d) != g_bench.rows) {
        bench_die("%zu rows arrived", device_count(d));
    }
    char dir[128];
    (void)snprintf(dir, sizeof dir, "%s", device_dir(d));
    device_close(d);
    bench_best(&best->cpu, spent.cpu);
    bench_best(&best->longest, spent.longest);
    bench_best(&best->service, link_service_cpu(l) - service);
    bench_best(&best->bytes, (double)bench_tree_bytes(dir, NULL));
    bench_best(&best->wire, (double)spent.down);
}

double bench_apply_cpu(void)
{
    device *seed = NULL;
    arrival once = {BENCH_BEST, BENCH_BEST, BENCH_BEST, BENCH_BEST, BENCH_BEST};
    if (g_apply_cpu >= BENCH_BEST) {
        arrive(link_seeded(&seed), &once);
        g_apply_cpu = once.cpu;
    }
    return g_apply_cpu;
}

void bench_apply(void)
{
    device *seed = NULL;
    arrival ours = {BENCH_BEST, BENCH_BEST, BENCH_BEST, BENCH_BEST, BENCH_BEST};
    bench_peer bare = BENCH_PEER_NEW;
    bench_peer powersync = BENCH_PEER_NEW;
    link_t *l = link_seeded(&seed);
    for (unsigned i = 0; i < g_bench.rounds; i++) {
        bench_bare_insert(&bare);
        bench_powersync_apply(&powersync);
        arrive(l, &ours);
    }
    g_apply_cpu = ours.cpu;
    bench_ratio("the set arrives in an empty store, durable", "s", ours.cpu, "bare insert",
                bare.insert, 1.2);
    bench_ratio("the same", "s", ours.cpu, "PowerSync", powersync.apply, 0.5);
    bench_value("the same, what the service spends", "s", ours.service, 0);
    bench_ratio("the same, longest single step of the core", "s", ours.longest, "PowerSync",
                powersync.longest, 0);
    bench_value("the same, frames to the client", "MB", ours.wire / 1e6, 0);
    bench_ratio("database of the set as it arrived", "MB", ours.bytes / 1e6, "bare",
                bare.bytes / 1e6, 1.25);
    bench_ratio("the same", "MB", ours.bytes / 1e6, "PowerSync", powersync.applied_bytes / 1e6, 0);
}

/* --- edits ---------------------------------------------------------------------------------- */

typedef enum edit_kind {
    EDIT_TIMES,
    EDIT_TIMES_AND_Z, /* every odd edit is of z */
    EDIT_SCATTERED
} edit_kind;

static void edit(device *d, size_t first, size_t count, unsigned round, edit_kind kind)
{
    static char ops[BENCH_BATCH * 200];
    size_t n = 0;
    for (size_t i = first; i < first + count; i++) {
        bench_row r;
        bench_row_of(kind == EDIT_SCATTERED ? bench_scattered_edit_of(i) : bench_edit_of(i), &r);
        n += (size_t)snprintf(ops + n, sizeof ops - n,
                              "%s{\"op\":\"patch\",\"entity\":\"annotation\",\"id\":\"%s\","
                              "\"fields\":{",
                              i == first ? "[" : ",", r.id);
        n += kind == EDIT_TIMES_AND_Z && i % 2 == 1
                 ? (size_t)snprintf(ops + n, sizeof ops - n, "\"z\":\"b%zu\"}}", i)
                 : (size_t)snprintf(ops + n, sizeof ops - n, "\"t_out\":%lld}}",
                                    (long long)bench_edit_time(i, round));
    }
    ops[n++] = ']';
    device_apply(d, ops, n);
}

static void edit_all(device *d, unsigned round, edit_kind kind)
{
    for (size_t i = 0; i < BENCH_EDITS; i += BENCH_BATCH) {
        edit(d, i, BENCH_BATCH, round, kind);
    }
}

static uint64_t sent_settled(device *d, uint64_t before)
{
    device_settle(d);
    return device_spent(d).up - before;
}

/* Bytes of each of the edits, made offline, on the wire. */
static double batch_bytes(device *d, edit_kind kind, uint64_t hello)
{
    device_offline(d);
    edit_all(d, 1, kind);
    uint64_t before = device_spent(d).up;
    device_online(d);
    return (double)(sent_settled(d, before) - hello) / BENCH_EDITS;
}

void bench_edits(void)
{
    device *d = NULL;
    double yjs[5] = {BENCH_BEST, BENCH_BEST, BENCH_BEST, BENCH_BEST, BENCH_BEST};
    (void)link_seeded(&d);
    (void)bench_yjs(yjs);
    device_offline(d);
    uint64_t before = device_spent(d).up;
    device_online(d);
    uint64_t hello = sent_settled(d, before); /* what connecting costs anyway */
    double cpu = device_spent(d).cpu;
    double batch = batch_bytes(d, EDIT_TIMES, hello);
    cpu = device_spent(d).cpu - cpu;
    double scattered = batch_bytes(d, EDIT_SCATTERED, hello);
    before = device_spent(d).up;
    edit(d, 0, 1, 2, EDIT_TIMES);
    double single = (double)sent_settled(d, before);
    bench_value("10,000 offline edits, an edit in a batch on the wire", "bytes", batch, 4);
    bench_ratio("the same", "bytes", batch, "Yjs compressed", yjs[3], 0);
    bench_value("the same, each of another video than the one before", "bytes", scattered, 0);
    bench_value("a single edit on the wire", "bytes", single, 32);
    bench_ratio("the same", "bytes", single, "Yjs", yjs[4], 0);
    bench_value("10,000 offline edits made and sent", "s", cpu, 0);
}

/* --- merge ---------------------------------------------------------------------------------- */

static sl_bytes *rows_of(device *d, unsigned video)
{
    char query[250];
    char id[37];
    sl_bytes *out = NULL;
    sl_error *err = NULL;
    bench_video_of(video, id);
    (void)snprintf(query, sizeof query,
                   "{\"from\":\"annotation\",\"where\":{\"space\":\"video:%s\"},\"limit\":10000}",
                   id);
    sl_status status = sl_query_once(device_core(d), query, strlen(query), &out, &err);
    bench_must(status, err, "sl_query_once");
    return out;
}

static void must_be_equal(device *a, device *b)
{
    for (unsigned v = 0; v < BENCH_VIDEOS; v++) {
        sl_bytes *left = rows_of(a, v);
        sl_bytes *right = rows_of(b, v);
        size_t n = sl_bytes_len(left);
        if (n != sl_bytes_len(right) || memcmp(sl_bytes_data(left), sl_bytes_data(right), n) != 0) {
            bench_die("the two devices differ in video %u", v);
        }
        sl_bytes_release(left);
        sl_bytes_release(right);
    }
}

static void merge_once(link_t *l, device *a, device *b, unsigned round, double *edits,
                       double *devices, double *service)
{
    device_offline(a);
    device_offline(b);
    double a_began = device_spent(a).cpu;
    double b_began = device_spent(b).cpu;
    edit_all(a, round, EDIT_TIMES);
    edit_all(b, round + 1, EDIT_TIMES_AND_Z);
    double a_edited = device_spent(a).cpu;
    double b_edited = device_spent(b).cpu;
    double service_began = link_service_cpu(l);
    device_online(a);
    device_settle(a);
    device_online(b);
    device_settle(b);
    device_settle(a);
    bench_best(edits, a_edited - a_began + b_edited - b_began);
    bench_best(devices, device_spent(a).cpu - a_edited + device_spent(b).cpu - b_edited);
    bench_best(service, link_service_cpu(l) - service_began);
    must_be_equal(a, b);
}

void bench_merge(void)
{
    device *a = NULL;
    double yjs[5] = {BENCH_BEST, BENCH_BEST, BENCH_BEST, BENCH_BEST, BENCH_BEST};
    double edits = BENCH_BEST;
    double devices = BENCH_BEST;
    double service = BENCH_BEST;
    link_t *l = link_seeded(&a);
    device *b = device_open(l, "other", true);
    device_online(b);
    device_settle(b);
    for (unsigned i = 0; i < g_bench.rounds; i++) {
        (void)bench_yjs(yjs);
        merge_once(l, a, b, 10 + 2 * i, &edits, &devices, &service);
    }
    device_close(b);
    bench_ratio("2 x 10,000 concurrent edits exchanged, both devices", "s", devices, "Yjs", yjs[1],
                0.5);
    bench_ratio("the same with the edits themselves", "s", devices + edits, "Yjs", yjs[1] + yjs[0],
                0.5);
    bench_value("the same, what the service spends", "s", service, 0);
}
