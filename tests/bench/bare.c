/* Bare SQLite: the same rows under the same index, prepared statements, nothing else. */
#include "sqlite.h"

static void bind_text(sqlite3_stmt *s, int at, const char *text)
{
    if (sqlite3_bind_text(s, at, text, -1, SQLITE_STATIC) != SQLITE_OK) {
        bench_die("bare SQLite: a value cannot be bound");
    }
}

static void insert(sqlite3_stmt *s, const bench_row *r)
{
    (void)sqlite3_bind_blob(s, 1, r->raw_id, sizeof r->raw_id, SQLITE_STATIC);
    bind_text(s, 2, r->video);
    bind_text(s, 3, r->kind);
    bind_text(s, 4, r->geometry);
    bind_text(s, 5, r->style);
    bind_text(s, 6, r->z);
    (void)sqlite3_bind_int64(s, 7, r->t_in);
    (void)sqlite3_bind_int64(s, 8, r->t_out);
    (void)bench_sql_drain(s);
}

static double insert_all(sqlite3 *db)
{
    static bench_row rows[BENCH_BATCH];
    sqlite3_stmt *s = bench_sql_prepare(db, "INSERT INTO t VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
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

static double read_all(sqlite3 *db)
{
    sqlite3_stmt *s = bench_sql_prepare(db, "SELECT * FROM t WHERE video=? ORDER BY t_in");
    size_t rows = 0;
    double began = bench_cpu_s();
    for (size_t i = 0; i < BENCH_READS; i++) {
        char video[37];
        bench_video_of(bench_read_of(i), video);
        bind_text(s, 1, video);
        rows += bench_sql_drain(s);
    }
    double took = bench_cpu_s() - began;
    (void)sqlite3_finalize(s);
    if (rows != BENCH_READS * (g_bench.rows / BENCH_VIDEOS)) {
        bench_die("bare SQLite read %zu rows", rows);
    }
    return took;
}

static void one_round(bench_peer *best, bool read)
{
    const char *dir = bench_dir("bare");
    sqlite3 *db = bench_sql_open(dir);
    bench_sql_run(db, "CREATE TABLE t (id BLOB PRIMARY KEY, video TEXT NOT NULL, kind TEXT,"
                      " geometry TEXT, style TEXT, z TEXT, t_in INTEGER, t_out INTEGER);"
                      "CREATE INDEX t_video ON t (video, t_in)");
    bench_best(&best->insert, insert_all(db));
    if (read) {
        bench_best(&best->read, read_all(db));
    }
    bench_best(&best->bytes, (double)bench_sql_close(db, dir));
}

void bench_bare_insert(bench_peer *best)
{
    one_round(best, false);
}

void bench_bare_round(bench_peer *best)
{
    one_round(best, true);
}
