/* Live queries: what one change costs while a thousand are open. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    QUERIES = 1000,
    CHANGES = 200,
    ROWS = 20000 /* 100 of each video */
};

typedef struct spent {
    double apply; /* the change itself */
    double diff;  /* until every query that heard of it has given its difference */
    size_t takes;
    size_t upserts;
} spent;

static sl_core *open_core(void)
{
    sl_config cfg = {.struct_size = sizeof cfg, .flags = SL_CORE_STEPPED, .dir = bench_dir("live")};
    sl_core *core = NULL;
    sl_error *err = NULL;
    sl_status status = sl_core_open(&cfg, &core, &err);
    bench_must(status, err, "sl_core_open");
    return core;
}

static void fill(sl_core *core)
{
    for (size_t i = 0; i < ROWS; i += BENCH_BATCH) {
        size_t n = 0;
        char *ops = bench_creates(i, &n);
        sl_error *err = NULL;
        sl_status status = sl_apply(core, ops, n, NULL, &err);
        bench_must(status, err, "sl_apply");
        free(ops);
    }
}

/* Five questions about each video, as a player, a list and a timeline ask them. */
static void watch(sl_core *core, size_t i)
{
    static const char *const more[] = {"", ",\"kind\":\"pen\"", ",\"kind\":\"arrow\"",
                                       ",\"t_in\":{\"lt\":10000000}",
                                       ",\"t_out\":{\"gt\":50000000}"};
    char query[300];
    char video[37];
    sl_id sub = 0;
    sl_error *err = NULL;
    bench_video_of((unsigned)(i % BENCH_VIDEOS), video);
    (void)snprintf(query, sizeof query,
                   "{\"from\":\"annotation\",\"where\":{\"space\":\"video:%s\"%s},"
                   "\"order\":[\"t_in\"],\"limit\":50}",
                   video, more[i / BENCH_VIDEOS % 5]);
    sl_status status = sl_query_watch(core, query, strlen(query), &sub, &err);
    bench_must(status, err, "sl_query_watch");
}

/* Takes from every query whose event waits. */
static void take_all(sl_core *core, spent *s)
{
    sl_bytes *events = NULL;
    (void)sl_core_step(core);
    while (sl_core_poll(core, 1000000, &events, NULL) == SL_OK && events != NULL) {
        const char *p = (const char *)sl_bytes_data(events);
        while ((p = strstr(p, "\"sub\":")) != NULL) {
            sl_bytes *diff = NULL;
            sl_error *err = NULL;
            p += strlen("\"sub\":");
            sl_status status = sl_query_take(core, strtoul(p, NULL, 10), &diff, &err);
            bench_must(status, err, "sl_query_take");
            s->takes++;
            s->upserts += strstr((const char *)sl_bytes_data(diff), "\"geometry\"") != NULL;
            sl_bytes_release(diff);
        }
        sl_bytes_release(events);
    }
}

static void change(sl_core *core, size_t i, spent *s)
{
    char ops[200];
    bench_row r;
    sl_error *err = NULL;
    bench_row_of(i * 97 % ROWS, &r);
    int n = snprintf(ops, sizeof ops,
                     "[{\"op\":\"patch\",\"entity\":\"annotation\",\"id\":\"%s\",\"fields\":{"
                     "\"t_in\":%zu}}]",
                     r.id, 1000 + i);
    double began = bench_cpu_s();
    sl_status status = sl_apply(core, ops, (size_t)n, NULL, &err);
    double applied = bench_cpu_s();
    bench_must(status, err, "sl_apply");
    take_all(core, s);
    s->apply += applied - began;
    s->diff += bench_cpu_s() - applied;
}

void bench_live(void)
{
    spent none = {0};
    spent s = {0};
    spent alone = {0};
    sl_core *core = open_core();
    fill(core);
    for (size_t i = 0; i < CHANGES; i++) {
        change(core, i, &alone);
    }
    for (size_t i = 0; i < QUERIES; i++) {
        watch(core, i);
    }
    take_all(core, &none);
    for (size_t i = CHANGES; i < 2 * CHANGES; i++) {
        change(core, i, &s);
    }
    sl_core_close(core);
    if (s.takes == 0 || s.upserts == 0) {
        bench_die("no live query heard of a change");
    }
    bench_value("live: a change's differences taken, 1,000 queries open", "ms",
                s.diff * 1000 / CHANGES, 1);
    bench_value("live: each change was heard by", "queries", (double)s.takes / CHANGES, 0);
    bench_ratio("live: the change itself", "ms", s.apply * 1000 / CHANGES, "without queries",
                alone.apply * 1000 / CHANGES, 0);
}
