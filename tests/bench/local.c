/* What one device does alone: creates with everything that belongs to them, reads, size. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static sl_core *open_core(const char *dir)
{
    sl_config cfg = {.struct_size = sizeof cfg, .flags = SL_CORE_STEPPED, .dir = dir};
    sl_core *core = NULL;
    sl_error *err = NULL;
    sl_status status = sl_core_open(&cfg, &core, &err);
    bench_must(status, err, "sl_core_open");
    return core;
}

/* What the engine does after a batch is part of its price. */
static double create_all(sl_core *core)
{
    double took = 0;
    for (size_t i = 0; i < g_bench.rows; i += BENCH_BATCH) {
        size_t n = 0;
        char *ops = bench_creates(i, &n);
        sl_bytes *ids = NULL;
        sl_error *err = NULL;
        double began = bench_cpu_s();
        sl_status status = sl_apply(core, ops, n, &ids, &err);
        (void)sl_core_step(core);
        took += bench_cpu_s() - began;
        bench_must(status, err, "sl_apply");
        sl_bytes_release(ids);
        free(ops);
    }
    return took;
}

static size_t count_rows(const sl_bytes *rows)
{
    size_t n = 0;
    const char *p = (const char *)sl_bytes_data(rows);
    while ((p = strstr(p, "\"geometry\"")) != NULL) {
        n++;
        p++;
    }
    return n;
}

static double read_all(sl_core *core)
{
    double took = 0;
    size_t rows = 0;
    for (size_t i = 0; i < BENCH_READS; i++) {
        char query[200];
        char video[37];
        sl_bytes *out = NULL;
        sl_error *err = NULL;
        bench_video_of(bench_read_of(i), video);
        (void)snprintf(query, sizeof query,
                       "{\"from\":\"annotation\",\"where\":{\"space\":\"video:%s\"},"
                       "\"order\":[\"t_in\"],\"limit\":10000}",
                       video);
        double began = bench_cpu_s();
        sl_status status = sl_query_once(core, query, strlen(query), &out, &err);
        took += bench_cpu_s() - began;
        bench_must(status, err, "sl_query_once");
        rows += i % 100 == 0 ? count_rows(out) * 100 : 0;
        sl_bytes_release(out);
    }
    if (rows != BENCH_READS * (g_bench.rows / BENCH_VIDEOS)) {
        bench_die("sl_query_once read about %zu rows", rows);
    }
    return took;
}

static void round_of_ours(bench_peer *best)
{
    const char *dir = bench_dir("local");
    sl_core *core = open_core(dir);
    bench_best(&best->insert, create_all(core));
    bench_best(&best->read, read_all(core));
    sl_core_close(core);
    bench_best(&best->bytes, (double)bench_tree_bytes(dir, NULL));
}

void bench_local(void)
{
    bench_peer ours = BENCH_PEER_NEW;
    bench_peer bare = ours;
    bench_peer powersync = ours;
    for (unsigned i = 0; i < g_bench.rounds; i++) {
        bench_bare_round(&bare);
        bench_powersync_local(&powersync);
        round_of_ours(&ours);
    }
    bench_ratio("creates in batches, outbox and field clocks included", "s", ours.insert, "bare",
                bare.insert, 1.3);
    bench_ratio("the same", "s", ours.insert, "PowerSync", powersync.insert, 0.5);
    bench_ratio("1,000 reads of a video's rows in time order", "s", ours.read, "bare", bare.read,
                0.5);
    bench_ratio("the same", "s", ours.read, "PowerSync", powersync.read, 0.2);
    bench_ratio("database with everything in the outbox", "MB", ours.bytes / 1e6, "bare",
                bare.bytes / 1e6, 0);
    bench_ratio("the same", "MB", ours.bytes / 1e6, "PowerSync", powersync.bytes / 1e6, 0);
}
