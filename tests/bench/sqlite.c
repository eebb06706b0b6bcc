#include "sqlite.h"

#include <stdio.h>
#include <string.h>

enum {
    ROW_MAX = 1000000
};

sqlite3 *bench_sql_open(const char *dir)
{
    char path[300];
    sqlite3 *db = NULL;
    (void)snprintf(path, sizeof path, "%s/bare.db", dir);
    if (sqlite3_open(path, &db) != SQLITE_OK) {
        bench_die("%s cannot be opened", path);
    }
    bench_sql_run(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL");
    return db;
}

void bench_sql_run(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        bench_die("%s: %s", sqlite3_errmsg(db), sql);
    }
}

sqlite3_stmt *bench_sql_prepare(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK) {
        bench_die("%s: %s", sqlite3_errmsg(db), sql);
    }
    return statement;
}

size_t bench_sql_drain(sqlite3_stmt *statement)
{
    static char copy[ROW_MAX];
    size_t rows = 0;
    int rc = SQLITE_DONE;
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
        size_t at = 0;
        rows++;
        for (int c = 0; c < sqlite3_column_count(statement); c++) {
            int64_t whole = 0;
            const void *p = &whole;
            size_t n = sizeof whole;
            if (sqlite3_column_type(statement, c) == SQLITE_INTEGER) {
                whole = sqlite3_column_int64(statement, c);
            } else {
                p = sqlite3_column_blob(statement, c);
                n = (size_t)sqlite3_column_bytes(statement, c);
            }
            if (p != NULL && at + n <= sizeof copy) {
                memcpy(copy + at, p, n);
                at += n;
            }
        }
    }
    if (rc != SQLITE_DONE || sqlite3_reset(statement) != SQLITE_OK) {
        bench_die("%s", sqlite3_errmsg(sqlite3_db_handle(statement)));
    }
    return rows;
}

int64_t bench_sql_close(sqlite3 *db, const char *dir)
{
    bench_sql_run(db, "PRAGMA wal_checkpoint(TRUNCATE)");
    if (sqlite3_close(db) != SQLITE_OK) {
        bench_die("a statement is still open");
    }
    return bench_tree_bytes(dir, NULL);
}
