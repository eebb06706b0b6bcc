#include "store/sql.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/plant.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

enum {
    STATEMENTS_MAX = 128,
    BUCKETS = 256
};

/* A prepared statement, in a chain of those whose texts have the same hash. */
typedef struct kept {
    sqlite3_stmt *st;
    size_t len; /* of its text */
    unsigned bucket;
    int next;    /* in the chain, -1 at its end */
    int *params; /* the parameter bound at each place, from 0 */
    int param_count;
} kept;

struct sl_sql {
    sqlite3 *db;
    sqlite3_stmt *rollback; /* made beforehand: it is wanted when there is no memory */
    kept kept[STATEMENTS_MAX];
    size_t count;
    size_t next_victim;
    int chain[BUCKETS]; /* first of each, -1 when empty */
    sl_sql_row row;     /* what takes the rows of the statement that gathers, */
    void *row_ctx;
    bool stopped; /* and whether it wants no more */
    int logged;   /* pages */
    bool inside;  /* a transaction, as far as its owner knows */
};

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

/* --- rows ------------------------------------------------------------------------------------ */

/* False: out of memory. */
static bool read_cell(sqlite3_value *v, sl_cell *cell)
{
    const void *p = NULL;
    switch (sqlite3_value_type(v)) {
    case SQLITE_INTEGER: *cell = sl_cell_int(sqlite3_value_int64(v)); return true;
    case SQLITE_FLOAT: *cell = sl_cell_real(sqlite3_value_double(v)); return true;
    case SQLITE_NULL: *cell = (sl_cell){.kind = SL_CELL_NULL}; return true;
    case SQLITE_TEXT:
        p = sqlite3_value_text(v);
        *cell = (sl_cell){.kind = SL_CELL_TEXT, .len = (uint32_t)sqlite3_value_bytes(v), .text = p};
        return p != NULL;
    default:
        p = sqlite3_value_blob(v);
        *cell = (sl_cell){.kind = SL_CELL_BLOB, .len = (uint32_t)sqlite3_value_bytes(v), .blob = p};
        if (cell->len == 0) { /* no bytes: no place either */
            cell->blob = (const uint8_t *)"";
            return true;
        }
        return p != NULL;
    }
}

/* The values of a row are its arguments: SQLite has them all at hand, and goes on to the next row
 * without coming back to who asked. */
static void gather_step(sqlite3_context *ctx, int count, sqlite3_value **values)
{
    sl_sql *db = sqlite3_user_data(ctx);
    sl_cell cells[SL_CELLS_MAX];
    bool ok = count <= SL_CELLS_MAX;
    for (int i = 0; ok && i < count; i++) {
        ok = read_cell(values[i], &cells[i]);
    }
    if (!ok) {
        sqlite3_result_error_nomem(ctx);
    } else if (db->row == NULL || !db->row(db->row_ctx, cells, (size_t)count)) {
        db->stopped = true;
        sqlite3_result_error_code(ctx, SQLITE_ABORT);
    }
}

static void gather_end(sqlite3_context *ctx)
{
    sqlite3_result_null(ctx);
}

/* --- opening --------------------------------------------------------------------------------- */

/* A reader that looks while the writer writes the WAL's index asks again, and the other way round. */
enum {
    BUSY_MS = 5000,
    COPIER_BUSY_MS = 10
};

/* After a commit, in the place of SQLite's own limit. */
static int on_logged(void *ctx, sqlite3 *db, const char *name, int pages)
{
    sl_sql *sql = ctx;
    sql->logged = pages;
    if (pages >= SL_SQL_LOG_MAX) {
        (void)sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    }
    return SQLITE_OK;
}

/* The last step reads the file for the first time. */
static int set_up(sqlite3 *db, bool alone, bool reads)
{
    static const char writer[] =
        "PRAGMA page_size=4096; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
        "PRAGMA wal_autocheckpoint=4000; PRAGMA journal_size_limit=33554432;";
    static const char both[] = "PRAGMA temp_store=MEMORY; PRAGMA trusted_schema=OFF;"
                               "PRAGMA cell_size_check=ON; PRAGMA cache_size=-8192;"
                               " SELECT count(*) FROM sqlite_schema;";
    (void)sqlite3_extended_result_codes(db, 1);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    int code = alone ? sqlite3_exec(db, "PRAGMA locking_mode=EXCLUSIVE;", NULL, NULL, NULL)
                     : sqlite3_busy_timeout(db, BUSY_MS);
    if (code == SQLITE_OK) {
        code = sqlite3_exec(db, reads ? "PRAGMA query_only=ON;" : writer, NULL, NULL, NULL);
    }
    if (code == SQLITE_OK && SL_PLANTED("sync-normal")) {
        code = sqlite3_exec(db, "PRAGMA synchronous=NORMAL;", NULL, NULL, NULL);
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
    for (size_t i = 0; i < BUCKETS; i++) {
        db->chain[i] = -1;
    }
    int flags = reads ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    int code = sqlite3_open_v2(path, &db->db, flags | SQLITE_OPEN_NOMUTEX, vfs);
    if (code == SQLITE_OK) {
        code = set_up(db->db, vfs == NULL, reads);
    }
    if (code == SQLITE_OK && vfs != NULL && !reads) {
        (void)sqlite3_wal_hook(db->db, on_logged, db);
    }
    if (code == SQLITE_OK && reads) {
        code = sqlite3_create_function(db->db, "sl_row", -1, SQLITE_UTF8 | SQLITE_DIRECTONLY, db,
                                       NULL, gather_step, gather_end);
    }
    if (code == SQLITE_OK) {
        code = sqlite3_prepare_v3(db->db, "ROLLBACK", -1, SQLITE_PREPARE_PERSISTENT, &db->rollback,
                                  NULL);
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

sl_status sl_sql_open_copier(const char *path, const char *vfs, sl_sql **out, sl_error **err)
{
    SL_ASSERT(vfs != NULL);
    sl_status status = open_with(path, vfs, false, out, err);
    if (*out != NULL) {
        (void)sqlite3_busy_timeout((*out)->db, COPIER_BUSY_MS);
    }
    return status;
}

void sl_sql_close(sl_sql *db)
{
    if (db == NULL) {
        return;
    }
    for (size_t i = 0; i < db->count; i++) {
        (void)sqlite3_finalize(db->kept[i].st);
        sl_mem_free(db->kept[i].params);
    }
    (void)sqlite3_finalize(db->rollback);
    (void)sqlite3_close(db->db);
    sl_mem_free(db);
}

/* Texts differ at their ends more than at their beginnings. */
static unsigned bucket_of(const char *sql, size_t len)
{
    enum {
        PART = 24
    };
    uint64_t h = len;
    uint64_t words[2 * PART / 8] = {0};
    size_t n = len < PART ? len : PART;
    memcpy(words, sql, n);
    memcpy(words + PART / 8, sql + len - n, n);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        h = (h ^ words[i]) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 32;
    }
    return (unsigned)(h % BUCKETS);
}

static void forget(sl_sql *db, kept *k)
{
    int *link = &db->chain[k->bucket];
    while (*link != k - db->kept) {
        link = &db->kept[*link].next;
    }
    *link = k->next;
    (void)sqlite3_finalize(k->st);
    sl_mem_free(k->params);
    memset(k, 0, sizeof *k);
}

/* A free place; when the table is full, the oldest that is not in use is given up. */
static kept *place(sl_sql *db)
{
    if (db->count < STATEMENTS_MAX) {
        return &db->kept[db->count++];
    }
    while (sqlite3_stmt_busy(db->kept[db->next_victim].st)) {
        db->next_victim = (db->next_victim + 1) % STATEMENTS_MAX;
    }
    kept *k = &db->kept[db->next_victim];
    db->next_victim = (db->next_victim + 1) % STATEMENTS_MAX;
    forget(db, k);
    return k;
}

/* $3 is a name to SQLite: its place is where the name first stood. */
static int *params_of(sqlite3_stmt *st, int count)
{
    int *params = sl_mem_array((size_t)count + 1, sizeof *params);
    for (int i = 0; params != NULL && i < count; i++) {
        const char *name = sqlite3_bind_parameter_name(st, i + 1);
        params[i] = name != NULL ? (int)strtol(name + 1, NULL, 10) - 1 : -1;
    }
    return params;
}

static int prepare(sl_sql *db, const char *sql, size_t len, unsigned bucket, kept **out)
{
    sqlite3_stmt *st = NULL;
    int code = sqlite3_prepare_v3(db->db, sql, (int)len + 1, SQLITE_PREPARE_PERSISTENT, &st, NULL);
    if (code != SQLITE_OK) {
        return code;
    }
    int count = sqlite3_bind_parameter_count(st);
    int *params = params_of(st, count);
    if (params == NULL) {
        (void)sqlite3_finalize(st);
        return SQLITE_NOMEM;
    }
    kept *k = place(db);
    *k = (kept){st, len, bucket, db->chain[bucket], params, count};
    db->chain[bucket] = (int)(k - db->kept);
    *out = k;
    return SQLITE_OK;
}

/* The prepared statement for this text. */
static int statement(sl_sql *db, const char *sql, kept **out)
{
    size_t len = strlen(sql);
    unsigned bucket = bucket_of(sql, len);
    for (int i = db->chain[bucket]; i >= 0; i = db->kept[i].next) {
        kept *k = &db->kept[i];
        if (k->len == len && memcmp(sqlite3_sql(k->st), sql, len) == 0 &&
            !sqlite3_stmt_busy(k->st)) {
            *out = k;
            return SQLITE_OK;
        }
    }
    return prepare(db, sql, len, bucket, out);
}

static int bind_one(sqlite3_stmt *st, int at, const sl_cell *c)
{
    switch (c->kind) {
    case SL_CELL_NULL: return sqlite3_bind_null(st, at);
    case SL_CELL_INT: return sqlite3_bind_int64(st, at, c->i);
    case SL_CELL_REAL: return sqlite3_bind_double(st, at, c->r);
    case SL_CELL_TEXT: return sqlite3_bind_text(st, at, c->text, (int)c->len, SQLITE_STATIC);
    case SL_CELL_BLOB: return sqlite3_bind_blob(st, at, c->blob, (int)c->len, SQLITE_STATIC);
    }
    return SQLITE_MISUSE;
}

static int bind(const kept *k, const sl_cell *params, size_t n)
{
    static const sl_cell none = {.kind = SL_CELL_NULL}; /* nothing stays bound from another run */
    int code = SQLITE_OK;
    for (int i = 0; code == SQLITE_OK && i < k->param_count; i++) {
        bool given = k->params[i] >= 0 && (size_t)k->params[i] < n;
        code = bind_one(k->st, i + 1, given ? &params[k->params[i]] : &none);
    }
    return code;
}

/* Cells by way of the row's values: one call each, where sqlite3_column_* take two or three. No other
 * thread uses the connection, so that the values need no protection. */
static int read_row(sqlite3_stmt *st, sl_cell *cells, int count)
{
    bool ok = true;
    for (int i = 0; ok && i < count; i++) {
        ok = read_cell(sqlite3_column_value(st, i), &cells[i]);
    }
    return ok ? SQLITE_OK : SQLITE_NOMEM;
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

bool sl_sql_in_transaction(const sl_sql *db)
{
    return sqlite3_get_autocommit(db->db) == 0;
}

/* For want of memory or room SQLite ends a transaction by itself, maybe in a statement whose failure nobody
 * minded: what was run then would stay, whatever becomes of the rest. */
static bool was_ended(const sl_sql *db)
{
    return db->inside && !sl_sql_in_transaction(db);
}

static sl_status fail_ended(sl_error **err)
{
    return sl_fail(err, SL_E_IO, "the database ended the transaction");
}

sl_status sl_sql_run(sl_sql *db, const char *sql, const sl_cell *params, size_t n, sl_sql_row row,
                     void *ctx, sl_error **err)
{
    if (was_ended(db)) {
        return fail_ended(err);
    }
    kept *k = NULL;
    int code = statement(db, sql, &k);
    if (code != SQLITE_OK) {
        return fail(db, code, err);
    }
    sqlite3_stmt *st = k->st; /* its place may be given to another while rows are taken */
    code = bind(k, params, n);
    if (code == SQLITE_OK) {
        code = step_all(st, row, ctx);
    }
    bool done = code == SQLITE_OK || db->stopped;
    sl_status status = done ? SL_OK : fail(db, code, err);
    (void)sqlite3_reset(st);
    db->inside = done ? sl_sql_in_transaction(db) : db->inside;
    return status;
}

sl_status sl_sql_gather(sl_sql *db, const char *sql, const sl_cell *params, size_t n,
                        sl_sql_row row, void *ctx, sl_error **err)
{
    db->row = row;
    db->row_ctx = ctx;
    sl_status status = sl_sql_run(db, sql, params, n, NULL, NULL, err);
    db->row = NULL;
    db->stopped = false;
    return status;
}

sl_status sl_sql_script(sl_sql *db, const char *sql, sl_error **err)
{
    if (was_ended(db)) {
        return fail_ended(err);
    }
    int code = sqlite3_exec(db->db, sql, NULL, NULL, NULL);
    db->inside = code == SQLITE_OK ? sl_sql_in_transaction(db) : db->inside;
    return code == SQLITE_OK ? SL_OK : fail(db, code, err);
}

int sl_sql_logged(const sl_sql *db)
{
    return db->logged;
}

sl_status sl_sql_copy(sl_sql *db, bool *whole, sl_error **err)
{
    int in_log = 0;
    int copied = 0;
    int code = sqlite3_wal_checkpoint_v2(db->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &in_log, &copied);
    *whole = code == SQLITE_OK && copied == in_log;
    if (*whole) { /* and nobody reads from the log: a reader that has begun is waited for, not long */
        (void)sqlite3_wal_checkpoint_v2(db->db, NULL, SQLITE_CHECKPOINT_RESTART, NULL, NULL);
    }
    return code == SQLITE_OK ? SL_OK : fail(db, code, err);
}

void sl_sql_rollback(sl_sql *db)
{
    db->inside = false;
    if (sl_sql_in_transaction(db)) {
        (void)sqlite3_step(db->rollback);
        (void)sqlite3_reset(db->rollback);
    }
}

int64_t sl_sql_changes(const sl_sql *db)
{
    return sqlite3_changes64(db->db);
}
