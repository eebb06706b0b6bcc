/*
 * What offline first costs: records written through the store (checked, merged, queued in the
 * outbox, shadowed) against bare inserts of the same bytes into the same SQLite with the same
 * settings. CPU time, both in this run, alternating; the ratio is what counts.
 */
#include "base/mem.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    RECORDS = 20000,
    BATCH = 1000,
    ROUNDS = 3
};

#define SPACE "video:01890000-0000-7000-8000-000000000002"
#define BODY  "Keep the elbow up through the release, and let it roll off the fingers."

static void must(sl_status status, const char *what)
{
    if (status != SL_OK) {
        (void)fprintf(stderr, "bench_store: %s: %s\n", what, sl_status_name(status));
        exit(1);
    }
}

static double cpu_s(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static void id_of(char out[37], unsigned round, unsigned i)
{
    (void)snprintf(out, 37, "01890000-%04x-7000-8000-%012x", round, i);
}

static void write_one(sl_store *s, unsigned round, unsigned i, const sl_json *fields)
{
    sl_error *err = NULL;
    sl_op op = {.kind = SL_OP_CREATE, .entity = sl_entity_find("comment"), .space = SPACE};
    id_of(op.id, round, i);
    (void)snprintf(op.hlc, sizeof op.hlc, "%016x00000001", i + 1);
    op.fields = sl_json_clone(fields);
    must(sl_schema_check(op.entity, op.fields, true, &err), "check");
    must(sl_store_apply_local(s, &op, &err), "apply");
    sl_op_free(&op);
}

static double through_store(sl_store *s, unsigned round, unsigned batch)
{
    sl_json *fields = sl_json_object();
    (void)sl_json_set_str(fields, "body", BODY);
    double began = cpu_s();
    for (unsigned i = 0; i < RECORDS; i++) {
        if (i % batch == 0) {
            must(sl_store_begin(s, NULL), "begin");
        }
        write_one(s, round, i, fields);
        if ((i + 1) % batch == 0) {
            must(sl_store_commit(s, NULL), "commit");
        }
    }
    double took = cpu_s() - began;
    sl_json_free(fields);
    return took;
}

static double bare(sl_sql *db, unsigned round, unsigned batch)
{
    double began = cpu_s();
    for (unsigned i = 0; i < RECORDS; i++) {
        char id[37];
        id_of(id, round, i);
        if (i % batch == 0) {
            must(sl_sql_run(db, "BEGIN", NULL, 0, NULL, NULL, NULL), "begin");
        }
        sl_cell row[] = {sl_cell_text(id), sl_cell_text(SPACE), sl_cell_int(0), sl_cell_text(BODY)};
        must(sl_sql_run(db, "INSERT INTO t VALUES ($1, $2, $3, $4)", row, 4, NULL, NULL, NULL),
             "insert");
        if ((i + 1) % batch == 0) {
            must(sl_sql_run(db, "COMMIT", NULL, 0, NULL, NULL, NULL), "commit");
        }
    }
    return cpu_s() - began;
}

static void compare(sl_store *s, sl_sql *db, unsigned batch, unsigned first_round)
{
    double best_store = 1e9;
    double best_bare = 1e9;
    for (unsigned r = 0; r < ROUNDS; r++) {
        double a = through_store(s, first_round + r, batch);
        double b = bare(db, first_round + r, batch);
        best_store = a < best_store ? a : best_store;
        best_bare = b < best_bare ? b : best_bare;
    }
    (void)printf("%4u per transaction: store %7.0f records/CPU-s, bare SQLite %7.0f, ratio %.2f\n",
                 batch, RECORDS / best_store, RECORDS / best_bare, best_store / best_bare);
}

int main(void)
{
    char dir[] = "/tmp/sideline-bench-XXXXXX";
    char path[64];
    char command[80];
    sl_platform platform = {.struct_size = sizeof platform};
    sl_store *store = NULL;
    sl_sql *db = NULL;
    if (mkdtemp(dir) == NULL) {
        return 1;
    }
    must(sl_platform_builtin(&platform), "platform");
    must(sl_store_open(&platform, dir, &store, NULL), "open");
    (void)snprintf(path, sizeof path, "%s/bare.db", dir);
    must(sl_sql_open(path, NULL, &db, NULL), "open");
    must(sl_sql_script(db,
                       "CREATE TABLE t (id TEXT PRIMARY KEY, space TEXT NOT NULL, seq INTEGER NOT"
                       " NULL, body TEXT) STRICT; CREATE INDEX t_space ON t (space, seq);",
                       NULL),
         "table");
    compare(store, db, BATCH, 0);
    compare(store, db, 10, ROUNDS);
    sl_sql_close(db);
    sl_store_close(store);
    if (platform.release != NULL) {
        platform.release(platform.user);
    }
    (void)snprintf(command, sizeof command, "rm -rf '%s'", dir);
    return system(command) == 0 ? 0 : 1; /* NOLINT: the path is this program's own */
}
