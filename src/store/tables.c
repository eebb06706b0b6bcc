/*
 * The database's tables and their versions. A database older than this schema takes the steps that
 * bring it here, in one transaction.
 */
#include "store/inside.h"

#include "base/error.h"
#include "base/mem.h"
#include "store/query.h"

#include <stdio.h>
#include <string.h>

const char sl_store_tables[] =
    "CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE space (no INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,"
    " held INTEGER NOT NULL, epoch TEXT NOT NULL, cursor INTEGER NOT NULL,"
    " as_of INTEGER NOT NULL DEFAULT 0, sum INTEGER DEFAULT 0, counted INTEGER NOT NULL DEFAULT 0,"
    " partial INTEGER NOT NULL DEFAULT 0, healed INTEGER NOT NULL DEFAULT 0, holes TEXT NOT NULL DEFAULT '') STRICT;"
    "CREATE TABLE outbox (n INTEGER PRIMARY KEY, prev INTEGER, space INTEGER NOT NULL, seq INTEGER,"
    " op BLOB NOT NULL) STRICT;"
    "CREATE INDEX outbox_accepted ON outbox (space, seq) WHERE seq IS NOT NULL;"
    "CREATE TABLE shadow (entity INTEGER NOT NULL, rid INTEGER NOT NULL, record BLOB NOT NULL,"
    " PRIMARY KEY (entity, rid)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE rejected (n INTEGER PRIMARY KEY, op BLOB NOT NULL, code TEXT NOT NULL,"
    " message TEXT NOT NULL, field TEXT NOT NULL, space TEXT NOT NULL) STRICT;"
    "CREATE INDEX rejected_space ON rejected (space, n);"
    "CREATE TABLE undo (no INTEGER PRIMARY KEY, space INTEGER NOT NULL, redo INTEGER NOT NULL,"
    " \"group\" TEXT NOT NULL, step BLOB NOT NULL) STRICT;"
    "CREATE INDEX undo_space ON undo (space, redo, no);"
    "CREATE TABLE IF NOT EXISTS upload (hex TEXT NOT NULL, space TEXT NOT NULL, type TEXT NOT NULL,"
    " size INTEGER NOT NULL, url TEXT NOT NULL, PRIMARY KEY (hex, space)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS upload_space ON upload (space, size);"
    "CREATE TABLE blob (hex TEXT PRIMARY KEY, gone INTEGER NOT NULL) STRICT, WITHOUT ROWID;";

static const char *column_type(sl_type type)
{
    switch (type) {
    case SL_T_INT:
    case SL_T_BOOL: return "INTEGER";
    case SL_T_REAL: return "REAL";
    case SL_T_REF:
    case SL_T_BLOB: return "BLOB";
    case SL_T_TEXT:
    case SL_T_JSON:
    case SL_T_ENUM: return "TEXT";
    }
    return "TEXT";
}

static void put_indexes(sl_buf *sql, const sl_entity *e)
{
    for (size_t i = 0; i < e->field_count; i++) {
        if (e->fields[i].ordered) {
            sl_buf_fmt(sql,
                       "CREATE INDEX IF NOT EXISTS \"%s_%s\" ON \"%s\" ((\"rid\">>32), \"%s\","
                       " \"id\");",
                       e->name, e->fields[i].name, e->name, e->fields[i].name);
        }
    }
    if (e->place_field >= 0) {
        const char *place = e->fields[e->place_field].name;
        sl_buf_fmt(
            sql,
            "CREATE INDEX IF NOT EXISTS \"%s_place\" ON \"%s\" ((\"rid\">>32), (\"%s\" IS NULL), \"%s\","
            " \"id\");",
            e->name, e->name, place, place);
    }
}

/* Columns that refer to records are no FOREIGN KEYs: see refs.c. */
void sl_table_ddl(sl_buf *sql, const sl_entity *e)
{
    sl_buf_fmt(sql,
               "CREATE TABLE \"%s\" (\"rid\" INTEGER PRIMARY KEY, \"id\" BLOB NOT NULL UNIQUE,"
               " \"seq\" INTEGER NOT NULL, \"deleted\" INTEGER NOT NULL, \"pending\" INTEGER,"
               " \"clocks\" BLOB NOT NULL, \"ext\" TEXT",
               e->name);
    for (size_t i = 0; i < e->field_count; i++) {
        sl_buf_fmt(sql, ", \"%s\" %s", e->fields[i].name, column_type(e->fields[i].type));
    }
    sl_buf_str(sql, ") STRICT;");
    put_indexes(sql, e);
}

/* Indexes that came without a new version: what opens a database makes those that it has not. */
static const char LATER_INDEXES[] =
    "CREATE INDEX IF NOT EXISTS outbox_waiting ON outbox (seq) WHERE seq IS NULL;";

/* --- statements ------------------------------------------------------------------------------ */

static const char *const FIXED[] = {"rid", "id", "seq", "deleted", "pending", "clocks", "ext"};

static const char *column(const sl_entity *e, size_t i)
{
    return i < SL_ROW_FIELDS ? FIXED[i] : e->fields[i - SL_ROW_FIELDS].name;
}

static char *taken(sl_buf *sql)
{
    char *text = sql->failed ? NULL : sl_text_dup(sl_buf_text(sql));
    sl_buf_free(sql);
    return text;
}

/* The columns by name, here and below: a table that grew has them in another order. */
static char *insert_text(const sl_entity *e)
{
    sl_buf sql = {0};
    size_t n = SL_ROW_FIELDS + e->field_count;
    sl_buf_fmt(&sql, "INSERT INTO \"%s\" (", e->name);
    for (size_t i = 0; i < n; i++) {
        sl_buf_fmt(&sql, "%s\"%s\"", i > 0 ? "," : "", column(e, i));
    }
    sl_buf_str(&sql, ") VALUES (");
    for (size_t i = 0; i < n; i++) {
        sl_buf_fmt(&sql, "%s$%zu", i > 0 ? "," : "", i + 1);
    }
    sl_buf_str(&sql, ") ON CONFLICT (\"id\") DO NOTHING");
    return taken(&sql);
}

static char *update_text(const sl_entity *e)
{
    sl_buf sql = {0};
    size_t n = SL_ROW_FIELDS + e->field_count;
    sl_buf_fmt(&sql, "UPDATE \"%s\" SET ", e->name);
    for (size_t i = SL_ROW_SEQ; i < n; i++) {
        sl_buf_fmt(&sql, "%s\"%s\"=$%zu", i > SL_ROW_SEQ ? "," : "", column(e, i), i + 1);
    }
    sl_buf_str(&sql, " WHERE \"rid\"=$1");
    return taken(&sql);
}

static char *select_text(const sl_entity *e)
{
    sl_buf sql = {0};
    sl_buf_str(&sql, "SELECT ");
    for (size_t i = 0; i < SL_ROW_FIELDS + e->field_count; i++) {
        sl_buf_fmt(&sql, "%s\"%s\"", i > 0 ? "," : "", column(e, i));
    }
    sl_buf_fmt(&sql, " FROM \"%s\" WHERE \"id\"=$1", e->name);
    return taken(&sql);
}

sl_status sl_tables_make(sl_store *s, sl_error **err)
{
    s->tables = sl_mem_array(sl_entity_count, sizeof *s->tables);
    for (size_t i = 0; s->tables != NULL && i < sl_entity_count; i++) {
        s->tables[i].search = sl_search_covers(&sl_entities[i]);
    }
    return s->tables != NULL ? SL_OK : sl_fail_nomem(err);
}

sl_status sl_table_of(sl_store *s, const sl_entity *e, const sl_table **out, sl_error **err)
{
    sl_table *t = &s->tables[e->index];
    *out = t;
    t->insert = t->insert != NULL ? t->insert : insert_text(e);
    t->update = t->update != NULL ? t->update : update_text(e);
    t->select = t->select != NULL ? t->select : select_text(e);
    if (t->last == NULL) {
        t->last =
            sl_text_fmt("SELECT max(\"rid\") FROM \"%s\" WHERE \"rid\" BETWEEN $1 AND $2", e->name);
    }
    bool ok = t->insert != NULL && t->update != NULL && t->select != NULL && t->last != NULL;
    return ok ? SL_OK : sl_fail_nomem(err);
}

void sl_tables_free(sl_store *s)
{
    for (size_t i = 0; s->tables != NULL && i < sl_entity_count; i++) {
        sl_mem_free(s->tables[i].insert);
        sl_mem_free(s->tables[i].update);
        sl_mem_free(s->tables[i].select);
        sl_mem_free(s->tables[i].last);
    }
    sl_mem_free(s->tables);
    s->tables = NULL;
}

/* --- versions -------------------------------------------------------------------------------- */

static sl_status run_text(sl_store *s, sl_buf *sql, sl_error **err)
{
    sl_status status =
        sql->failed ? sl_fail_nomem(err) : sl_sql_script(s->sql, sl_buf_text(sql), err);
    sl_buf_free(sql);
    return status;
}

static sl_status create_tables(sl_store *s, sl_error **err)
{
    sl_buf sql = {0};
    sl_buf_str(&sql, "BEGIN IMMEDIATE;");
    sl_buf_str(&sql, sl_store_tables);
    for (size_t i = 0; i < sl_entity_count; i++) {
        sl_table_ddl(&sql, &sl_entities[i]);
    }
    sl_buf_fmt(&sql, "PRAGMA user_version=%d; COMMIT;", sl_schema_version);
    return run_text(s, &sql, err);
}

/* What an older version could not read was skipped: now it is read again. */
static sl_status read_skipped(sl_store *s, sl_error **err)
{
    sl_cell params[] = {sl_cell_text(SL_STORE_LATER)};
    sl_status status = sl_sql_run(
        s->sql,
        "UPDATE space SET cursor=0, partial=0 WHERE EXISTS (SELECT 1 FROM meta WHERE key=$1)",
        params, 1, NULL, NULL, err);
    return status == SL_OK ? sl_store_set_meta(s, SL_STORE_LATER, NULL, err) : status;
}

static sl_status run_if_any(sl_store *s, sl_buf *sql, sl_error **err)
{
    if (sql->len > 0) {
        return run_text(s, sql, err);
    }
    sl_buf_free(sql);
    return SL_OK;
}

typedef struct having {
    const sl_entity *entity;
    uint64_t fields; /* bits */
    bool any;
} having;

static bool note_column(void *ctx, const sl_cell *cells, size_t n)
{
    having *h = ctx;
    const sl_field *f = sl_field_find(h->entity, sl_cell_str(&cells[0]));
    (void)n;
    h->any = true;
    h->fields |= f != NULL ? UINT64_C(1) << f->index : 0;
    return true;
}

static sl_status grow_table(sl_store *s, const sl_entity *e, sl_error **err)
{
    having h = {.entity = e};
    sl_buf sql = {0};
    sl_cell params[] = {sl_cell_text(e->name)};
    sl_status status = sl_sql_run(s->sql, "SELECT name FROM pragma_table_info($1)", params, 1,
                                  note_column, &h, err);
    if (!h.any) {
        sl_table_ddl(&sql, e);
        return status == SL_OK ? run_if_any(s, &sql, err) : status;
    }
    for (size_t i = 0; i < e->field_count; i++) {
        if ((h.fields >> i & 1) == 0) {
            sl_buf_fmt(&sql, "ALTER TABLE \"%s\" ADD COLUMN \"%s\" %s;", e->name, e->fields[i].name,
                       column_type(e->fields[i].type));
        }
    }
    put_indexes(&sql, e);
    return status == SL_OK ? run_if_any(s, &sql, err) : status;
}

sl_status sl_tables_grow(sl_store *s, sl_error **err)
{
    sl_status status = SL_OK;
    for (size_t i = 0; status == SL_OK && i < sl_entity_count; i++) {
        status = grow_table(s, &sl_entities[i], err);
    }
    return status;
}

/* Version 4: sizes of a clip that the server makes, and why it could not. A newer server may have
 * spoken of both already, so that the videos' spaces are read again. */
static sl_status read_videos(sl_store *s, sl_error **err)
{
    return sl_sql_script(s->sql, "UPDATE space SET cursor=0, partial=0 WHERE name LIKE 'video:%'",
                         err);
}

/* Version 5: places. Spaces that have them are read anew, in part. What is there stays to be seen until
 * then. */
static sl_status read_places(sl_store *s, int64_t from, sl_error **err)
{
    static const char holes[] = "ALTER TABLE space ADD COLUMN holes TEXT NOT NULL DEFAULT '';"
                                "DROP INDEX IF EXISTS message_seq;";
    sl_status status = from >= 3 ? sl_sql_script(s->sql, holes, err) : SL_OK;
    for (size_t i = 0; status == SL_OK && i < sl_entity_count; i++) {
        if (sl_entities[i].place_field >= 0) {
            char kind[48];
            (void)snprintf(kind, sizeof kind, "%s:%%", sl_entities[i].space_kind);
            sl_cell params[] = {sl_cell_text(kind)};
            status = sl_sql_run(s->sql, "UPDATE space SET cursor=0 WHERE name LIKE $1", params, 1,
                                NULL, NULL, err);
        }
    }
    return status;
}

/* Version 9: what was deleted leaves nothing and is in no sum. An index of texts that is not there is made
 * from the records when the store opens. */
static sl_status forget_deleted(sl_store *s, sl_error **err)
{
    sl_status status = SL_OK;
    for (size_t i = 0; status == SL_OK && i < sl_entity_count; i++) {
        char sql[200];
        const char *name = sl_entities[i].name;
        (void)snprintf(sql, sizeof sql, "DELETE FROM \"%s\" WHERE deleted=1 AND pending IS NULL",
                       name);
        status = sl_sql_run(s->sql, sql, NULL, 0, NULL, NULL, err);
        if (status == SL_OK && sl_sql_changes(s->sql) > 0 && sl_search_covers(&sl_entities[i])) {
            (void)snprintf(sql, sizeof sql, "DROP TABLE IF EXISTS \"%s_fts\"", name);
            status = sl_sql_script(s->sql, sql, err);
        }
    }
    return status == SL_OK ? sl_sql_script(s->sql, "UPDATE space SET sum=NULL", err) : status;
}

static sl_status run_steps(sl_store *s, int64_t from, sl_error **err)
{
    char version[48];
    (void)snprintf(version, sizeof version, "PRAGMA user_version=%d", sl_schema_version);
    sl_status status = sl_store_begin(s, err);
    if (status == SL_OK && from < 3) {
        status = sl_migrate_old(s, from, err);
    } else if (status == SL_OK && from < 4) {
        status = read_videos(s, err);
    }
    if (status == SL_OK) {
        status = sl_tables_grow(s, err);
    }
    if (status == SL_OK && from < 5) {
        status = read_places(s, from, err);
    }
    if (status == SL_OK && from < 9) {
        status = forget_deleted(s, err);
    }
    if (status == SL_OK) {
        status = read_skipped(s, err);
    }
    if (status == SL_OK) {
        status = sl_sql_script(s->sql, version, err);
    }
    if (status == SL_OK) {
        return sl_store_commit(s, err);
    }
    sl_store_rollback(s);
    return status;
}

sl_status sl_tables_follow(sl_store *s, sl_error **err)
{
    sl_cell version;
    sl_status status =
        sl_store_one(s, "PRAGMA user_version", NULL, 0, &(sl_taken){&version, 1, NULL}, err);
    if (status != SL_OK) {
        return status;
    }
    if (version.i > sl_schema_version) {
        return sl_fail(err, SL_E_TOO_NEW,
                       "the data folder was written by a newer version of Sideline");
    }
    if (version.i < 0) {
        return sl_fail(err, SL_E_CORRUPT, "the database is damaged");
    }
    status = version.i == 0                  ? create_tables(s, err)
             : version.i < sl_schema_version ? run_steps(s, version.i, err)
                                             : SL_OK;
    return status == SL_OK ? sl_sql_script(s->sql, LATER_INDEXES, err) : status;
}
