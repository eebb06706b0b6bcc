#include "store/sql.h"

#include "base/error.h"
#include "base/mem.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

enum {
    STATEMENTS_MAX = 96,
    PARAMS_MAX = SL_CELLS_MAX
};

struct sl_sql {
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENTS_MAX];
    size_t count;
    size_t next_victim;
};

sl_cell sl_cell_text(const char *s)
{
    /* A parameter is only read: the cast drops a const that binding puts back. */
    return (sl_cell){s != NULL ? SL_CELL_TEXT : SL_CELL_NULL, 0, 0, (char *)(uintptr_t)s};
}

sl_cell sl_cell_int(int64_t v)
{
    return (sl_cell){SL_CELL_INT, v, 0, NULL};
}

static sl_status fail(const sl_sql *db, int code, sl_error **err)
{
    switch (code & 0xFF) {
    case SQLITE_FULL:
        return sl_fail(err, SL_E_FULL, "the disk is full: nothing of this change was kept");
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return sl_fail(err, SL_E_CORRUPT, "the database is damaged");
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return sl_fail(err, SL_E_BUSY, "the database is in use");
    case SQLITE_NOMEM: return sl_fail_nomem(err);
    case SQLITE_CONSTRAINT: return sl_fail(err, SL_E_CONFLICT, "SQL: %s", sqlite3_errmsg(db->db));
    case SQLITE_IOERR:
        if (code == SQLITE_IOERR_NOMEM) {
            return sl_fail_nomem(err);
        }
        return sl_fail(err, SL_E_IO, "the database cannot be read or written");
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM: return sl_fail(err, SL_E_IO, "the database cannot be opened for writing");
    default: return sl_fail(err, SL_E_INTERNAL, "SQL: %s", sqlite3_errmsg(db->db));
    }
}

/* A reader that looks while the writer writes the WAL's index asks again, and the other way round. */
enum {
    BUSY_MS = 5000
};

/* The last step reads the file for the first time. */
static int set_up(sqlite3 *db, bool alone, bool reads)
{
    static const char writer[] =
        "PRAGMA page_size=4096; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;";
    static const char both[] = "PRAGMA temp_store=MEMORY; PRAGMA trusted_schema=OFF;"
                               "PRAGMA cell_size_check=ON; SELECT count(*) FROM sqlite_schema;";
    (void)sqlite3_extended_result_codes(db, 1);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    int code = alone ? sqlite3_exec(db, "PRAGMA locking_mode=EXCLUSIVE;", NULL, NULL, NULL)
                     : sqlite3_busy_timeout(db, BUSY_MS);
    if (code == SQLITE_OK) {
        code = sqlite3_exec(db, reads ? "PRAGMA query_only=ON;" : writer, NULL, NULL, NULL);
    }
    return code == SQLITE_OK ? sqlite3_exec(db, both, NULL, NULL, NULL) : code;
}

static sl_status open_with(const char *path, const char *vfs, bool reads, sl_sql **out,
                           sl_error **err)
{
    *out = NULL;
    sl_sql *db = sl_mem(sizeof *db);
    if (db == NULL) {
        return sl_fail_nomem(err);
    }
    int flags = reads ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    int code = sqlite3_open_v2(path, &db->db, flags | SQLITE_OPEN_NOMUTEX, vfs);
    if (code == SQLITE_OK) {
        code = set_up(db->db, vfs == NULL, reads);
    }
    if (code != SQLITE_OK) {
        sl_status status = db->db != NULL ? fail(db, code, err) : sl_fail_nomem(err);
        sl_sql_close(db);
        return status;
    }
    *out = db;
    return SL_OK;
}

sl_status sl_sql_open(const char *path, const char *vfs, sl_sql **out, sl_error **err)
{
    return open_with(path, vfs, false, out, err);
}

sl_status sl_sql_open_reader(const char *path, const char *vfs, sl_sql **out, sl_error **err)
{
    SL_ASSERT(vfs != NULL); /* SQLite's own keeps everybody else out */
    return open_with(path, vfs, true, out, err);
}

void sl_sql_close(sl_sql *db)
{
    if (db == NULL) {
        return;
    }
    for (size_t i = 0; i < db->count; i++) {
        (void)sqlite3_finalize(db->statements[i]);
    }
    (void)sqlite3_close(db->db);
    sl_mem_free(db);
}

/* The prepared statement for this text. When the table is full, the oldest place is given up. */
static int statement(sl_sql *db, const char *sql, sqlite3_stmt **out)
{
    for (size_t i = 0; i < db->count; i++) {
        if (strcmp(sqlite3_sql(db->statements[i]), sql) == 0 &&
            !sqlite3_stmt_busy(db->statements[i])) {
            *out = db->statements[i];
            return SQLITE_OK;
        }
    }
    int code = sqlite3_prepare_v3(db->db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);
    if (code != SQLITE_OK) {
        return code;
    }
    if (db->count < STATEMENTS_MAX) {
        db->statements[db->count++] = *out;
        return SQLITE_OK;
    }
    while (sqlite3_stmt_busy(db->statements[db->next_victim])) {
        db->next_victim = (db->next_victim + 1) % STATEMENTS_MAX;
    }
    (void)sqlite3_finalize(db->statements[db->next_victim]);
    db->statements[db->next_victim] = *out;
    db->next_victim = (db->next_victim + 1) % STATEMENTS_MAX;
    return SQLITE_OK;
}

/* $3 is a name to SQLite: its place is where the name first stood. */
static int bind(sqlite3_stmt *st, const sl_cell *params, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char name[24];
        (void)snprintf(name, sizeof name, "$%zu", i + 1);
        int at = sqlite3_bind_parameter_index(st, name);
        int code = SQLITE_OK;
        if (at == 0) {
            continue;
        }
        switch (params[i].kind) {
        case SL_CELL_NULL: code = sqlite3_bind_null(st, at); break;
        case SL_CELL_INT: code = sqlite3_bind_int64(st, at, params[i].i); break;
        case SL_CELL_REAL: code = sqlite3_bind_double(st, at, params[i].r); break;
        case SL_CELL_TEXT:
            code = sqlite3_bind_text(st, at, params[i].text, -1, SQLITE_STATIC);
            break;
        }
        if (code != SQLITE_OK) {
            return code;
        }
    }
    return SQLITE_OK;
}

static int read_row(sqlite3_stmt *st, sl_cell *cells, int count)
{
    for (int i = 0; i < count; i++) {
        switch (sqlite3_column_type(st, i)) {
        case SQLITE_INTEGER: cells[i] = sl_cell_int(sqlite3_column_int64(st, i)); break;
        case SQLITE_FLOAT:
            cells[i] = (sl_cell){SL_CELL_REAL, 0, sqlite3_column_double(st, i), NULL};
            break;
        case SQLITE_NULL: cells[i] = sl_cell_text(NULL); break;
        default:
            cells[i] = sl_cell_text((const char *)sqlite3_column_text(st, i));
            if (cells[i].kind == SL_CELL_NULL) {
                return SQLITE_NOMEM;
            }
        }
    }
    return SQLITE_OK;
}

static int step_all(sqlite3_stmt *st, sl_sql_row row, void *ctx)
{
    int count = sqlite3_column_count(st);
    SL_ASSERT(count <= SL_CELLS_MAX);
    for (;;) {
        int code = sqlite3_step(st);
        if (code != SQLITE_ROW) {
            return code == SQLITE_DONE ? SQLITE_OK : code;
        }
        sl_cell cells[SL_CELLS_MAX];
        if (row != NULL) {
            code = read_row(st, cells, count);
            if (code != SQLITE_OK || !row(ctx, cells, (size_t)count)) {
                return code == SQLITE_ROW ? SQLITE_OK : code;
            }
        }
    }
}

sl_status sl_sql_run(sl_sql *db, const char *sql, const sl_cell *params, size_t n, sl_sql_row row,
                     void *ctx, sl_error **err)
{
    sqlite3_stmt *st = NULL;
    int code = statement(db, sql, &st);
    if (code == SQLITE_OK) {
        code = bind(st, params, n);
    }
    if (code == SQLITE_OK) {
        code = step_all(st, row, ctx);
    }
    sl_status status = code == SQLITE_OK ? SL_OK : fail(db, code, err);
    if (st != NULL) {
        (void)sqlite3_reset(st);
        (void)sqlite3_clear_bindings(st);
    }
    return status;
}

sl_status sl_sql_script(sl_sql *db, const char *sql, sl_error **err)
{
    int code = sqlite3_exec(db->db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? SL_OK : fail(db, code, err);
}

bool sl_sql_in_transaction(const sl_sql *db)
{
    return sqlite3_get_autocommit(db->db) == 0;
}
