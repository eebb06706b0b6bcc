#include "server/db_sqlite.h"

#include "base/error.h"
#include "base/mem.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

enum {
    CACHE = 96,
    BUSY_MS = 2000,
    COLUMNS_MAX = SL_CELLS_MAX
};

typedef struct entry {
    uint32_t hash;
    bool busy;
    uint64_t used;
    char *sql;
    sqlite3_stmt *stmt;
} entry;

typedef struct db {
    sqlite3 *lite;
    uint64_t turn;
    entry cache[CACHE];
} db;

static sl_status status_of(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE: return SL_OK;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return SL_E_BUSY;
    case SQLITE_FULL: return SL_E_FULL;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return SL_E_CORRUPT;
    case SQLITE_NOMEM: return SL_E_NOMEM;
    case SQLITE_IOERR: return rc == SQLITE_IOERR_NOMEM ? SL_E_NOMEM : SL_E_IO;
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM: return SL_E_IO;
    case SQLITE_CONSTRAINT: return SL_E_CONFLICT;
    case SQLITE_TOOBIG: return SL_E_LIMIT;
    default: return SL_E_INTERNAL;
    }
}

static sl_status failed(db *d, int rc, sl_error **err)
{
    sl_status status = status_of(rc);
    if (status == SL_E_NOMEM) {
        return sl_fail_nomem(err);
    }
    return sl_fail(err, status, "the server's database: %s",
                   d->lite != NULL ? sqlite3_errmsg(d->lite) : sqlite3_errstr(rc));
}

static uint32_t hash_of(const char *sql)
{
    uint32_t h = 2166136261U;
    for (; *sql != 0; sql++) {
        h = (h ^ (uint8_t)*sql) * 16777619U;
    }
    return h;
}

static entry *cached(db *d, const char *sql, uint32_t hash)
{
    for (size_t i = 0; i < CACHE; i++) {
        entry *e = &d->cache[i];
        if (e->sql != NULL && e->hash == hash && !e->busy && strcmp(e->sql, sql) == 0) {
            return e;
        }
    }
    return NULL;
}

/* The place for a new statement: an empty one or that used longest ago. NULL: all are running. */
static entry *place(db *d)
{
    entry *best = NULL;
    for (size_t i = 0; i < CACHE; i++) {
        entry *e = &d->cache[i];
        if (e->sql == NULL) {
            return e;
        }
        if (!e->busy && (best == NULL || e->used < best->used)) {
            best = e;
        }
    }
    if (best != NULL) {
        (void)sqlite3_finalize(best->stmt);
        sl_mem_free(best->sql);
        memset(best, 0, sizeof *best);
    }
    return best;
}

static sl_status prepare(db *d, const char *sql, entry **out, sl_error **err)
{
    uint32_t hash = hash_of(sql);
    *out = cached(d, sql, hash);
    if (*out != NULL) {
        return SL_OK;
    }
    entry *e = place(d);
    if (e == NULL) {
        return sl_fail(err, SL_E_INTERNAL, "too many statements run inside each other");
    }
    int rc = sqlite3_prepare_v3(d->lite, sql, -1, SQLITE_PREPARE_PERSISTENT, &e->stmt, NULL);
    if (rc != SQLITE_OK) {
        return failed(d, rc, err);
    }
    e->sql = sl_text_dup(sql);
    if (e->sql == NULL) {
        (void)sqlite3_finalize(e->stmt);
        e->stmt = NULL;
        return sl_fail_nomem(err);
    }
    e->hash = hash;
    *out = e;
    return SL_OK;
}

/* SQLite numbers $-parameters by appearance: each is looked up by its name. */
static int bind(sqlite3_stmt *stmt, const sl_cell *params, size_t n)
{
    int rc = SQLITE_OK;
    for (size_t i = 0; i < n && rc == SQLITE_OK; i++) {
        char name[24];
        (void)snprintf(name, sizeof name, "$%zu", i + 1);
        int at = sqlite3_bind_parameter_index(stmt, name);
        if (at == 0) {
            continue;
        }
        switch (params[i].kind) {
        case SL_CELL_NULL: rc = sqlite3_bind_null(stmt, at); break;
        case SL_CELL_INT: rc = sqlite3_bind_int64(stmt, at, params[i].i); break;
        case SL_CELL_REAL: rc = sqlite3_bind_double(stmt, at, params[i].r); break;
        case SL_CELL_TEXT:
            rc = sqlite3_bind_text(stmt, at, params[i].text, -1, SQLITE_STATIC);
            break;
        }
    }
    return rc;
}

static int read_row(sqlite3_stmt *stmt, sl_cell *cells, int count)
{
    for (int i = 0; i < count; i++) {
        cells[i] = (sl_cell){SL_CELL_NULL, 0, 0, NULL};
        int type = sqlite3_column_type(stmt, i);
        if (type == SQLITE_INTEGER) {
            cells[i].kind = SL_CELL_INT;
            cells[i].i = sqlite3_column_int64(stmt, i);
        } else if (type == SQLITE_FLOAT) {
            cells[i].kind = SL_CELL_REAL;
            cells[i].r = sqlite3_column_double(stmt, i);
        } else if (type != SQLITE_NULL) {
            const unsigned char *text = sqlite3_column_text(stmt, i);
            if (text == NULL) {
                return SQLITE_NOMEM;
            }
            cells[i].kind = SL_CELL_TEXT;
            memcpy(&cells[i].text, &text, sizeof text);
        }
    }
    return SQLITE_OK;
}

static int step_all(sqlite3_stmt *stmt, bool (*row)(void *ctx, const sl_cell *cells, size_t n),
                    void *ctx)
{
    int count = sqlite3_column_count(stmt);
    sl_cell cells[COLUMNS_MAX];
    int rc = SQLITE_OK;
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        if (row == NULL) {
            continue;
        }
        if (count > COLUMNS_MAX) {
            return SQLITE_TOOBIG;
        }
        rc = read_row(stmt, cells, count);
        if (rc != SQLITE_OK || !row(ctx, cells, (size_t)count)) {
            return rc;
        }
    }
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static bool one_statement(const char *sql)
{
    const char *end = strchr(sql, ';');
    return end == NULL || end[1 + strspn(end + 1, " \n\t")] == 0;
}

static sl_status db_run(void *user, const char *sql, const sl_cell *params, size_t n,
                        bool (*row)(void *ctx, const sl_cell *cells, size_t n), void *ctx,
                        sl_error **err)
{
    db *d = user;
    if (n == 0 && !one_statement(sql)) {
        int rc = sqlite3_exec(d->lite, sql, NULL, NULL, NULL);
        return rc == SQLITE_OK ? SL_OK : failed(d, rc, err);
    }
    entry *e = NULL;
    sl_status status = prepare(d, sql, &e, err);
    if (status != SL_OK) {
        return status;
    }
    e->busy = true;
    e->used = ++d->turn;
    int rc = bind(e->stmt, params, n);
    if (rc == SQLITE_OK) {
        rc = step_all(e->stmt, row, ctx);
    }
    if (rc != SQLITE_OK) {
        status = failed(d, rc, err);
    }
    (void)sqlite3_reset(e->stmt);
    (void)sqlite3_clear_bindings(e->stmt);
    e->busy = false;
    return status;
}

static sl_status db_begin(void *user, sl_error **err)
{
    return db_run(user, "BEGIN IMMEDIATE", NULL, 0, NULL, NULL, err);
}

static sl_status db_commit(void *user, sl_error **err)
{
    return db_run(user, "COMMIT", NULL, 0, NULL, NULL, err);
}

/* After some failures SQLite has rolled back by itself. */
static void db_rollback(void *user)
{
    db *d = user;
    if (d->lite != NULL && sqlite3_get_autocommit(d->lite) == 0) {
        (void)db_run(user, "ROLLBACK", NULL, 0, NULL, NULL, NULL);
    }
}

static void db_close(void *user)
{
    db *d = user;
    for (size_t i = 0; i < CACHE; i++) {
        (void)sqlite3_finalize(d->cache[i].stmt);
        sl_mem_free(d->cache[i].sql);
    }
    (void)sqlite3_close(d->lite);
    sl_mem_free(d);
}

/* The exclusive lock needs no shared memory of the VFS and keeps a second server out. */
static sl_status set_up(db *d, sl_error **err)
{
    static const char *const steps[] = {
        "PRAGMA locking_mode=EXCLUSIVE", "PRAGMA journal_mode=WAL",
        "PRAGMA synchronous=FULL",       "PRAGMA temp_store=MEMORY",
        "PRAGMA cache_size=-32768",      "PRAGMA trusted_schema=OFF",
        "PRAGMA cell_size_check=ON",     "PRAGMA wal_autocheckpoint=1000",
    };
    (void)sqlite3_extended_result_codes(d->lite, 1);
    (void)sqlite3_busy_timeout(d->lite, BUSY_MS);
    (void)sqlite3_db_config(d->lite, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(d->lite, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    (void)sqlite3_db_config(d->lite, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        int rc = sqlite3_exec(d->lite, steps[i], NULL, NULL, NULL);
        if (rc != SQLITE_OK) {
            return failed(d, rc, err);
        }
    }
    int rc = sqlite3_exec(d->lite, "SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL);
    return rc == SQLITE_OK ? SL_OK : failed(d, rc, err);
}

sl_status sl_db_sqlite_open(const char *path, const char *vfs, sl_db *out, sl_error **err)
{
    memset(out, 0, sizeof *out);
    db *d = sl_mem(sizeof *d);
    if (d == NULL) {
        return sl_fail_nomem(err);
    }
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    int rc = sqlite3_open_v2(path, &d->lite, flags, vfs);
    sl_status status = rc == SQLITE_OK ? set_up(d, err) : failed(d, rc, err);
    if (status != SL_OK) {
        db_close(d);
        return status;
    }
    *out = (sl_db){d, db_run, db_begin, db_commit, db_rollback, db_close};
    return SL_OK;
}
