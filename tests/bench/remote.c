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

static void arrive(link_t *l, arrival *best)
{
    device *d = device_open(l, "arrival");
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
    bench_ratio("the set arrives in an empty store, durable", "s", ours.cpu, "bare insert",
                bare.insert, 1.2);
    bench_ratio("the same", "s", ours.cpu, "PowerSync", powersync.apply, 0.5);
    bench_value("the same, what the service spends", "s", ours.service, 0);
    bench_ratio("the same, longest single call (write lock)", "s", ours.longest, "PowerSync",
                powersync.longest, 0);
    bench_value("the same, frames to the client", "MB", ours.wire / 1e6, 0);
    bench_ratio("database of the set as it arrived", "MB", ours.bytes / 1e6, "bare",
                bare.bytes / 1e6, 1.25);
    bench_ratio("the same", "MB", ours.bytes / 1e6, "PowerSync", powersync.applied_bytes / 1e6, 0);
}
