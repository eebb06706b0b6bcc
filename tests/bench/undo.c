/*
 * What can be taken back: where it lies and what it costs. Edits of one field, each a step of its own,
 * in one space. The heap is counted without SQLite's, whose pages have their own limit.
 */
#include "bench.h"
#include "sqlite.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WARM = 3000, /* until the log has its full length: its index is memory as well */
    EDITS = 1000,
    UNDOS = 100 /* as many as a space keeps */
};

static sl_core *open_core(const char *dir)
{
    sl_config cfg = {.struct_size = sizeof cfg, .flags = SL_CORE_STEPPED, .dir = dir};
    sl_core *core = NULL;
    sl_error *err = NULL;
    sl_status status = sl_core_open(&cfg, &core, &err);
    bench_must(status, err, "sl_core_open");
    return core;
}

static void apply(sl_core *core, const char *ops, size_t n)
{
    sl_error *err = NULL;
    sl_status status = sl_apply(core, ops, n, NULL, &err);
    bench_must(status, err, "sl_apply");
    (void)sl_core_step(core);
}

/* Annotations of the one video, in turns. */
static void edit(sl_core *core, size_t i)
{
    char ops[200];
    bench_row r;
    bench_row_of(i % (BENCH_BATCH / BENCH_VIDEOS) * BENCH_VIDEOS, &r);
    int n = snprintf(ops, sizeof ops,
                     "[{\"op\":\"patch\",\"entity\":\"annotation\",\"id\":\"%s\",\"fields\":{"
                     "\"t_in\":%zu}}]",
                     r.id, 1000 + i);
    apply(core, ops, (size_t)n);
}

static double heap(void)
{
    return (double)mallinfo2().uordblks - (double)sqlite3_memory_used();
}

/* How many steps can be taken back, and how long one is. */
static void look_at(const char *dir, double out[2])
{
    char path[200];
    sqlite3 *db = NULL;
    (void)snprintf(path, sizeof path, "%s/sideline.db", dir);
    if (sqlite3_open(path, &db) != SQLITE_OK) {
        bench_die("%s cannot be opened", path);
    }
    sqlite3_stmt *s =
        bench_sql_prepare(db, "SELECT count(*), avg(length(step)) FROM undo WHERE redo = 0");
    if (sqlite3_step(s) != SQLITE_ROW) {
        bench_die("%s", sqlite3_errmsg(db));
    }
    out[0] = sqlite3_column_double(s, 0);
    out[1] = sqlite3_column_double(s, 1);
    (void)sqlite3_finalize(s);
    (void)sqlite3_close(db);
}

static double undo_all(sl_core *core)
{
    bench_row r;
    char space[48];
    double began = bench_cpu_s();
    bench_row_of(0, &r);
    (void)snprintf(space, sizeof space, "video:%s", r.video);
    for (int i = 0; i < UNDOS; i++) {
        sl_error *err = NULL;
        sl_status status = sl_undo(core, space, NULL, &err);
        bench_must(status, err, "sl_undo");
    }
    return bench_cpu_s() - began;
}

void bench_undo(void)
{
    const char *dir = bench_dir("undo");
    double kept[2];
    size_t n = 0;
    char *ops = bench_creates(0, &n);
    sl_core *core = open_core(dir);
    apply(core, ops, n);
    free(ops);
    for (size_t i = 0; i < WARM; i++) {
        edit(core, i);
    }
    double before = heap();
    for (size_t i = WARM; i < WARM + EDITS; i++) {
        edit(core, i);
    }
    double grown = heap() - before;
    sl_core_close(core);
    look_at(dir, kept);
    core = open_core(dir);
    double took = undo_all(core);
    sl_core_close(core);
    bench_value("undo: what the core's heap grows by, an edit", "bytes", grown / EDITS, 64);
    bench_value("undo: a step in the database, one field of one record", "bytes", kept[1], 64);
    bench_value("undo: steps that a space keeps", "steps", kept[0], 0);
    bench_value("undo: one taken back", "ms", took * 1000 / UNDOS, 0);
}
