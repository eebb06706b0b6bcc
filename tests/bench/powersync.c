/*
 * PowerSync's client core, a loadable extension of SQLite, driven as its own SDK does: writes through
 * the view that it makes (they go to its table and its upload queue), reads through the view, and a
 * download played to it line by line, as its service sends it.
 */
#include "sqlite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LINE_MAX_BYTES = BENCH_BATCH * 1000
};

static const char SCHEMA[] =
    "{\"tables\":[{\"name\":\"annotation\",\"view_name\":null,\"local_only\":false,"
    "\"insert_only\":false,\"columns\":["
    "{\"name\":\"video_id\",\"type\":\"text\"},{\"name\":\"kind\",\"type\":\"text\"},"
    "{\"name\":\"geometry\",\"type\":\"text\"},{\"name\":\"style\",\"type\":\"text\"},"
    "{\"name\":\"z\",\"type\":\"text\"},{\"name\":\"t_in\",\"type\":\"integer\"},"
    "{\"name\":\"t_out\",\"type\":\"integer\"}],"
    "\"indexes\":[{\"name\":\"by_video\",\"columns\":["
    "{\"name\":\"video_id\",\"ascending\":true,\"type\":\"text\"},"
    "{\"name\":\"t_in\",\"ascending\":true,\"type\":\"integer\"}]}]}]}";

static const char START[] =
    "{\"parameters\":{},\"app_metadata\":{},\"active_streams\":[],\"include_defaults\":true,"
    "\"checkpoint_mode\":\"legacy\"}";

static sqlite3 *open_db(const char *dir)
{
    sqlite3 *db = bench_sql_open(dir);
    char *message = NULL;
    char path[400];
    (void)snprintf(path, sizeof path,
                   "%s/node_modules/@powersync/node/lib/libpowersync_x64.linux.so", g_bench.peers);
    (void)sqlite3_enable_load_extension(db, 1);
    if (sqlite3_load_extension(db, path, "sqlite3_powersync_init", &message) != SQLITE_OK) {
        bench_die("PowerSync: %s", message != NULL ? message : "the extension cannot be loaded");
    }
    bench_sql_run(db, "BEGIN; SELECT powersync_init()");
    sqlite3_stmt *s = bench_sql_prepare(db, "SELECT powersync_replace_schema(?)");
    (void)sqlite3_bind_text(s, 1, SCHEMA, -1, SQLITE_STATIC);
    (void)bench_sql_drain(s);
    (void)sqlite3_finalize(s);
    bench_sql_run(db, "COMMIT");
    return db;
}

static void insert(sqlite3_stmt *s, const bench_row *r)
{
    (void)sqlite3_bind_text(s, 1, r->id, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(s, 2, r->video, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(s, 3, r->kind, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(s, 4, r->geometry, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(s, 5, r->style, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(s, 6, r->z, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(s, 7, r->t_in);
    (void)sqlite3_bind_int64(s, 8, r->t_out);
    (void)bench_sql_drain(s);
}

static double insert_all(sqlite3 *db)
{
    static bench_row rows[BENCH_BATCH];
    sqlite3_stmt *s = bench_sql_prepare(
        db, "INSERT INTO annotation (id, video_id, kind, geometry, style, z, t_in,"
            " t_out) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    double took = 0;
    for (size_t i = 0; i < g_bench.rows; i += BENCH_BATCH) {
        for (size_t k = 0; k < BENCH_BATCH; k++) {
            bench_row_of(i + k, &rows[k]);
        }
        double began = bench_cpu_s();
        bench_sql_run(db, "BEGIN");
        for (size_t k = 0; k < BENCH_BATCH; k++) {
            insert(s, &rows[k]);
        }
        bench_sql_run(db, "COMMIT");
        took += bench_cpu_s() - began;
    }
    (void)sqlite3_finalize(s);
    return took;
}

static double read_all(sqlite3 *db, const char *name)
{
    sqlite3_stmt *s =
        bench_sql_prepare(db, "SELECT * FROM annotation WHERE video_id=? ORDER BY t_in");
    size_t rows = 0;
    double began = bench_cpu_s();
    for (size_t i = 0; i < BENCH_READS; i++) {
        char video[37];
        bench_video_of(bench_read_of(i), video);
        (void)sqlite3_bind_text(s, 1, video, -1, SQLITE_STATIC);
        rows += bench_sql_drain(s);
    }
    double took = bench_cpu_s() - began;
    (void)sqlite3_finalize(s);
    if (rows != BENCH_READS * (g_bench.rows / BENCH_VIDEOS)) {
        bench_die("PowerSync read %zu rows of what was %s", rows, name);
    }
    return took;
}

/* --- the download ------------------------------------------------------------------------- */

static double control(sqlite3 *db, sqlite3_stmt *s, const char *op, const char *payload, size_t n)
{
    (void)sqlite3_bind_text(s, 1, op, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(s, 2, payload, (int)n, SQLITE_STATIC);
    double began = bench_cpu_s();
    bench_sql_run(db, "BEGIN");
    (void)bench_sql_drain(s);
    bench_sql_run(db, "COMMIT");
    return bench_cpu_s() - began;
}

static uint32_t checksum_of(size_t i)
{
    return (uint32_t)i * 2654435761U;
}

/* One line of BENCH_BATCH rows; style is JSON inside JSON, so its quotes are escaped twice. */
static size_t data_line(char *line, size_t first)
{
    size_t n = (size_t)snprintf(line, LINE_MAX_BYTES,
                                "{\"data\":{\"bucket\":\"all[]\",\"after\":\"%zu\","
                                "\"next_after\":\"%zu\",\"has_more\":false,\"data\":[",
                                first, first + BENCH_BATCH);
    for (size_t i = first; i < first + BENCH_BATCH; i++) {
        bench_row r;
        char style[2 * sizeof r.style * 2];
        char *p = style;
        bench_row_of(i, &r);
        for (const char *q = r.style; *q != '\0'; q++) {
            if (*q == '"') {
                memcpy(p, "\\\\\\", 3);
                p += 3;
            }
            *p++ = *q;
        }
        *p = '\0';
        n += (size_t)snprintf(
            line + n, LINE_MAX_BYTES - n,
            "%s{\"op_id\":\"%zu\",\"op\":\"PUT\",\"object_type\":\"annotation\","
            "\"object_id\":\"%s\",\"checksum\":%u,\"subkey\":\"%s\",\"data\":\"{"
            "\\\"video_id\\\":\\\"%s\\\",\\\"kind\\\":\\\"%s\\\",\\\"geometry\\\":\\\"%s\\\","
            "\\\"style\\\":\\\"%s\\\",\\\"z\\\":\\\"%s\\\",\\\"t_in\\\":%lld,\\\"t_out\\\":%lld}\"}",
            i == first ? "" : ",", i + 1, r.id, checksum_of(i), r.id, r.video, r.kind, r.geometry,
            style, r.z, (long long)r.t_in, (long long)r.t_out);
    }
    n += (size_t)snprintf(line + n, LINE_MAX_BYTES - n, "]}}");
    return n;
}

static double download_all(sqlite3 *db, double *longest)
{
    char *line = malloc(LINE_MAX_BYTES);
    sqlite3_stmt *s = bench_sql_prepare(db, "SELECT powersync_control(?, ?)");
    uint32_t sum = 0;
    if (line == NULL) {
        bench_die("out of memory");
    }
    for (size_t i = 0; i < g_bench.rows; i++) {
        sum += checksum_of(i);
    }
    double took = control(db, s, "start", START, strlen(START));
    took += control(db, s, "connection", "established", strlen("established"));
    int n = snprintf(line, LINE_MAX_BYTES,
                     "{\"checkpoint\":{\"last_op_id\":\"%zu\",\"write_checkpoint\":null,"
                     "\"streams\":[],\"buckets\":[{\"bucket\":\"all[]\",\"checksum\":%u,"
                     "\"count\":%zu,\"priority\":3,\"subscriptions\":[]}]}}",
                     g_bench.rows, sum, g_bench.rows);
    took += control(db, s, "line_text", line, (size_t)n);
    for (size_t i = 0; i < g_bench.rows; i += BENCH_BATCH) {
        took += control(db, s, "line_text", line, data_line(line, i));
    }
    n = snprintf(line, LINE_MAX_BYTES, "{\"checkpoint_complete\":{\"last_op_id\":\"%zu\"}}",
                 g_bench.rows);
    *longest = control(db, s, "line_text", line, (size_t)n);
    (void)sqlite3_finalize(s);
    free(line);
    return took + *longest;
}

/* --- in the child and around it ------------------------------------------------------------- */

void bench_powersync_child(const char *job)
{
    double read = 0;
    const char *dir = bench_dir("powersync");
    sqlite3 *db = open_db(dir);
    if (strcmp(job, "powersync-local") == 0) {
        double insert = insert_all(db);
        read = read_all(db, "written");
        (void)printf("%.6f %.6f %.0f\n", insert, read, (double)bench_sql_close(db, dir));
        return;
    }
    double longest = 0;
    double apply = download_all(db, &longest);
    read = read_all(db, "downloaded");
    (void)printf("%.6f %.6f %.0f %.6f\n", apply, longest, (double)bench_sql_close(db, dir), read);
}

static bool run_child(const char *job, double *out, size_t n)
{
    char libraries[400];
    if (g_bench.peers == NULL) {
        return false;
    }
    (void)snprintf(libraries, sizeof libraries, "%s/sqlite", g_bench.peers);
    return bench_child(job, libraries, NULL, out, n);
}

void bench_powersync_local(bench_peer *best)
{
    double got[3];
    if (run_child("powersync-local", got, 3)) {
        bench_best(&best->insert, got[0]);
        bench_best(&best->read, got[1]);
        bench_best(&best->bytes, got[2]);
    }
}

void bench_powersync_apply(bench_peer *best)
{
    double got[3];
    if (run_child("powersync-apply", got, 3)) {
        bench_best(&best->apply, got[0]);
        bench_best(&best->longest, got[1]);
        bench_best(&best->applied_bytes, got[2]);
    }
}
