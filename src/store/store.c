#include "store/inside.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

/* The store's own tables; those of the entities come from the schema. */
static const char TABLES[] =
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE space (name TEXT PRIMARY KEY, epoch TEXT NOT NULL, cursor INTEGER NOT NULL)"
    " STRICT, WITHOUT ROWID;"
    "CREATE TABLE outbox (n INTEGER PRIMARY KEY, entity TEXT NOT NULL, id TEXT NOT NULL,"
    " space TEXT NOT NULL, op TEXT NOT NULL, seq INTEGER) STRICT;"
    "CREATE INDEX outbox_record ON outbox (entity, id, n);"
    "CREATE INDEX outbox_space ON outbox (space, seq);"
    "CREATE TABLE shadow (entity TEXT NOT NULL, id TEXT NOT NULL, record TEXT,"
    " PRIMARY KEY (entity, id)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE rejected (n INTEGER PRIMARY KEY, op TEXT NOT NULL, code TEXT NOT NULL,"
    " message TEXT NOT NULL) STRICT;"
    "CREATE TABLE upload (hex TEXT NOT NULL, space TEXT NOT NULL, type TEXT NOT NULL,"
    " size INTEGER NOT NULL, url TEXT NOT NULL, PRIMARY KEY (hex, space)) STRICT, WITHOUT ROWID;";

char *sl_store_path(const sl_store *s, const char *name)
{
    return sl_text_fmt("%s/%s", s->dir, name);
}

const char *sl_store_dir(const sl_store *s)
{
    return s->dir;
}

typedef struct one_row {
    sl_cell *out;
    size_t n;
    bool found;
    bool failed;
} one_row;

static bool take_one(void *ctx, const sl_cell *cells, size_t n)
{
    one_row *r = ctx;
    r->found = true;
    for (size_t i = 0; i < r->n && i < n; i++) {
        r->out[i] = cells[i];
        if (cells[i].kind == SL_CELL_TEXT) {
            r->out[i].text = sl_text_dup(cells[i].text);
            r->failed = r->failed || r->out[i].text == NULL;
        }
    }
    return false;
}

sl_status sl_store_one(sl_store *s, const char *sql, const sl_cell *params, size_t np, sl_cell *out,
                       size_t n, sl_error **err)
{
    one_row row = {out, n, false, false};
    memset(out, 0, n * sizeof *out);
    sl_status status = sl_sql_run(s->sql, sql, params, np, take_one, &row, err);
    if (status == SL_OK && row.failed) {
        status = sl_fail_nomem(err);
    }
    if (status != SL_OK) {
        sl_cells_free(out, n);
    }
    return status == SL_OK && !row.found ? SL_E_NOT_FOUND : status;
}

static sl_status create_tables(sl_store *s, sl_error **err)
{
    sl_buf sql = {0};
    sl_buf_str(&sql, "BEGIN IMMEDIATE;");
    sl_buf_str(&sql, TABLES);
    for (size_t i = 0; i < sl_entity_count; i++) {
        sl_buf_str(&sql, sl_entities[i].ddl);
    }
    sl_buf_fmt(&sql, "PRAGMA user_version=%d; COMMIT;", sl_schema_version);
    sl_status status =
        sql.failed ? sl_fail_nomem(err) : sl_sql_script(s->sql, sl_buf_text(&sql), err);
    sl_buf_free(&sql);
    return status;
}

typedef struct columns {
    const sl_entity *entity;
    bool table;
    bool has[SL_CELLS_MAX]; /* by field */
} columns;

static bool note_column(void *ctx, const sl_cell *cells, size_t n)
{
    columns *c = ctx;
    (void)n;
    c->table = true;
    for (size_t i = 0; i < c->entity->field_count; i++) {
        c->has[i] = c->has[i] || strcmp(c->entity->fields[i].name, cells[0].text) == 0;
    }
    return true;
}

static const char *column_type(sl_type type)
{
    bool whole = type == SL_T_INT || type == SL_T_BOOL;
    return whole ? "INTEGER" : type == SL_T_REAL ? "REAL" : "TEXT";
}

/* The kinds of JSON value that a column of this type takes. */
static const char *json_kinds(sl_type type)
{
    switch (type) {
    case SL_T_INT: return "'integer'";
    case SL_T_REAL: return "'real', 'integer'";
    case SL_T_BOOL: return "'true', 'false'";
    case SL_T_JSON: return "'object', 'array'";
    case SL_T_TEXT:
    case SL_T_REF:
    case SL_T_BLOB:
    case SL_T_ENUM: return "'text'";
    }
    return "''";
}

/* A field that was unknown until now may have come from a newer server: it waits in `ext`. */
static void add_column(sl_buf *sql, const char *table, const sl_field *f)
{
    sl_buf_fmt(sql, "ALTER TABLE \"%s\" ADD COLUMN \"%s\" %s;", table, f->name,
               column_type(f->type));
    sl_buf_fmt(sql,
               "UPDATE \"%s\" SET \"%s\"=json_extract(ext, '$.%s'), ext=json_remove(ext, '$.%s')"
               " WHERE ext IS NOT NULL AND json_type(ext, '$.%s') IN (%s);",
               table, f->name, f->name, f->name, f->name, json_kinds(f->type));
}

static sl_status follow_entity(sl_store *s, const sl_entity *e, sl_error **err)
{
    columns have = {.entity = e};
    sl_cell params[] = {sl_cell_text(e->name)};
    sl_status status = sl_sql_run(s->sql, "SELECT name FROM pragma_table_info($1)", params, 1,
                                  note_column, &have, err);
    if (status == SL_OK && !have.table) {
        return sl_sql_script(s->sql, e->ddl, err);
    }
    sl_buf sql = {0};
    for (size_t i = 0; i < e->field_count; i++) {
        if (!have.has[i]) {
            add_column(&sql, e->name, &e->fields[i]);
        }
    }
    if (status == SL_OK && sql.failed) {
        status = sl_fail_nomem(err);
    }
    if (status == SL_OK && sql.len > 0) {
        status = sl_sql_script(s->sql, sl_buf_text(&sql), err);
    }
    sl_buf_free(&sql);
    return status;
}

/* Tables and columns for what the schema has gained. */
static sl_status follow_schema(sl_store *s, sl_error **err)
{
    sl_status status = SL_OK;
    for (size_t i = 0; status == SL_OK && i < sl_entity_count; i++) {
        status = follow_entity(s, &sl_entities[i], err);
    }
    return status;
}

/* Version 1 skipped what it did not know without a note of it. */
static sl_status note_skipped(sl_store *s, sl_error **err)
{
    sl_cell params[] = {sl_cell_text(SL_STORE_LATER)};
    return sl_sql_run(s->sql,
                      "INSERT OR REPLACE INTO meta SELECT $1, '1' FROM pragma_user_version"
                      " WHERE user_version=1",
                      params, 1, NULL, NULL, err);
}

/* What an older version could not read was skipped: now it is read again. */
static sl_status read_skipped(sl_store *s, sl_error **err)
{
    sl_cell params[] = {sl_cell_text(SL_STORE_LATER)};
    sl_status status = sl_sql_run(
        s->sql, "UPDATE space SET cursor=0 WHERE EXISTS (SELECT 1 FROM meta WHERE key=$1)", params,
        1, NULL, NULL, err);
    return status == SL_OK ? sl_store_set_meta(s, SL_STORE_LATER, NULL, err) : status;
}

/* The full-text indexes know records by their places in the tables: they go, and are made anew when
 * the store opens. */
static sl_status drop_indexes(sl_store *s, sl_error **err)
{
    sl_status status = SL_OK;
    for (size_t i = 0; status == SL_OK && i < sl_entity_count; i++) {
        char sql[128];
        (void)snprintf(sql, sizeof sql, "DROP TABLE IF EXISTS \"%s_fts\"", sl_entities[i].name);
        status = sl_sql_script(s->sql, sql, err);
    }
    return status;
}

/* In order; a database older than `to` takes the step. */
static const struct {
    int64_t to;
    sl_status (*run)(sl_store *s, sl_error **err);
} STEPS[] = {
    {2, follow_schema},
    {2, note_skipped},
};

static sl_status run_steps(sl_store *s, int64_t from, sl_error **err)
{
    sl_status status = sl_store_begin(s, err);
    for (size_t i = 0; status == SL_OK && i < sizeof STEPS / sizeof STEPS[0]; i++) {
        status = from < STEPS[i].to ? STEPS[i].run(s, err) : SL_OK;
    }
    if (status == SL_OK) {
        status = read_skipped(s, err);
    }
    if (status == SL_OK) {
        status = drop_indexes(s, err);
    }
    char version[48];
    (void)snprintf(version, sizeof version, "PRAGMA user_version=%d", sl_schema_version);
    if (status == SL_OK) {
        status = sl_sql_script(s->sql, version, err);
    }
    if (status == SL_OK) {
        return sl_store_commit(s, err);
    }
    sl_store_rollback(s);
    return status;
}

static sl_status migrate(sl_store *s, sl_error **err)
{
    sl_cell version;
    sl_status status = sl_store_one(s, "PRAGMA user_version", NULL, 0, &version, 1, err);
    if (status != SL_OK) {
        return status;
    }
    if (version.i == 0) {
        return create_tables(s, err);
    }
    if (version.i > sl_schema_version) {
        return sl_fail(err, SL_E_TOO_NEW,
                       "the data folder was written by a newer version of Sideline");
    }
    return version.i < sl_schema_version ? run_steps(s, version.i, err) : SL_OK;
}

static sl_status make_dirs(sl_store *s, sl_error **err)
{
    static const char *const names[] = {"", "blobs", "tmp"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char *path = sl_store_path(s, names[i]);
        sl_status status =
            path != NULL ? s->platform->files->mkdir(s->platform->user, path) : SL_E_NOMEM;
        sl_mem_free(path);
        if (status != SL_OK) {
            return sl_fail(err, status, "the data folder %s cannot be made", s->dir);
        }
    }
    return SL_OK;
}

static sl_status take_lock(sl_store *s, sl_error **err)
{
    char *path = sl_store_path(s, "lock");
    uint32_t flags = SL_FILE_READ | SL_FILE_WRITE | SL_FILE_CREATE | SL_FILE_LOCK;
    sl_status status = path != NULL
                           ? s->platform->files->open(s->platform->user, path, flags, &s->lock)
                           : SL_E_NOMEM;
    sl_mem_free(path);
    if (status == SL_E_BUSY) {
        return sl_fail(err, status, "the data folder %s is in use by another process", s->dir);
    }
    return status == SL_OK ? SL_OK
                           : sl_fail(err, status, "the data folder %s cannot be used", s->dir);
}

static sl_status open_database(sl_store *s, sl_error **err)
{
    sl_status status = sl_vfs_new(s->platform, &s->vfs, err);
    char *path = sl_store_path(s, "sideline.db");
    if (status == SL_OK && path == NULL) {
        status = sl_fail_nomem(err);
    }
    if (status == SL_OK) {
        status = sl_sql_open(path, sl_vfs_name(s->vfs), &s->sql, err);
    }
    sl_mem_free(path);
    return status == SL_OK ? migrate(s, err) : status;
}

sl_status sl_store_open(const sl_platform *platform, const char *dir, sl_store **out,
                        sl_error **err)
{
    *out = NULL;
    sl_store *s = sl_mem(sizeof *s);
    if (s == NULL) {
        return sl_fail_nomem(err);
    }
    s->platform = platform;
    s->dir = sl_text_dup(dir);
    sl_status status = s->dir != NULL ? make_dirs(s, err) : sl_fail_nomem(err);
    if (status == SL_OK) {
        status = take_lock(s, err);
    }
    if (status == SL_OK) {
        status = open_database(s, err);
    }
    if (status == SL_OK) {
        status = sl_store_blobs_prepare(s, err);
    }
    if (status == SL_OK) {
        status = sl_search_prepare(s, err);
    }
    if (status != SL_OK) {
        sl_store_close(s);
        return status;
    }
    *out = s;
    return SL_OK;
}

void sl_store_close(sl_store *s)
{
    if (s == NULL) {
        return;
    }
    sl_sql_close(s->sql);
    sl_vfs_free(s->vfs);
    if (s->lock != NULL) {
        s->platform->files->close(s->platform->user, s->lock);
    }
    sl_mem_free(s->dir);
    sl_mem_free(s);
}

sl_status sl_store_begin(sl_store *s, sl_error **err)
{
    return sl_sql_run(s->sql, "BEGIN IMMEDIATE", NULL, 0, NULL, NULL, err);
}

sl_status sl_store_commit(sl_store *s, sl_error **err)
{
    sl_status status = sl_sql_run(s->sql, "COMMIT", NULL, 0, NULL, NULL, err);
    if (status != SL_OK) {
        sl_store_rollback(s);
    }
    return status;
}

void sl_store_rollback(sl_store *s)
{
    if (sl_sql_in_transaction(s->sql)) {
        (void)sl_sql_run(s->sql, "ROLLBACK", NULL, 0, NULL, NULL, NULL);
    }
}

sl_status sl_store_meta(sl_store *s, const char *key, char **out, sl_error **err)
{
    sl_cell params[] = {sl_cell_text(key)};
    sl_cell value;
    sl_status status =
        sl_store_one(s, "SELECT value FROM meta WHERE key=$1", params, 1, &value, 1, err);
    *out = status == SL_OK ? value.text : NULL;
    return status == SL_E_NOT_FOUND ? SL_OK : status;
}

sl_status sl_store_set_meta(sl_store *s, const char *key, const char *value, sl_error **err)
{
    sl_cell params[] = {sl_cell_text(key), sl_cell_text(value)};
    const char *sql = value != NULL ? "INSERT OR REPLACE INTO meta VALUES ($1, $2)"
                                    : "DELETE FROM meta WHERE key=$1";
    return sl_sql_run(s->sql, sql, params, value != NULL ? 2 : 1, NULL, NULL, err);
}
