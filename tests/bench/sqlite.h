/* sqlite.h - what the parts that drive SQLite themselves share. Failure ends the program. */
#ifndef SL_BENCH_SQLITE_H
#define SL_BENCH_SQLITE_H

#include "bench.h"

#include <sqlite3.h>

/* A new database in WAL mode with synchronous=NORMAL and otherwise as SQLite comes. */
sqlite3 *bench_sql_open(const char *dir);
void bench_sql_run(sqlite3 *db, const char *sql);
sqlite3_stmt *bench_sql_prepare(sqlite3 *db, const char *sql);
/* Steps to the end of a statement, copying every column of every row; then resets it. The rows. */
size_t bench_sql_drain(sqlite3_stmt *statement);
/* Finalizes nothing: every statement must be gone. The bytes of the folder afterwards. */
int64_t bench_sql_close(sqlite3 *db, const char *dir);

#endif
