/*
 * From versions 1 and 2: there a record's row was known by its id as text, its space a text column,
 * clocks, operations and shadows JSON. Each table is renamed, read and dropped.
 *
 * Version 1 skipped what it did not know without a note of it, so that all is read again.
 */
#include "store/query.h"

#include "base/error.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

static sl_json *json_of(const sl_cell *c)
{
    return c->kind == SL_CELL_TEXT ? sl_json_parse(c->text, c->len) : NULL;
}

/* --- records --------------------------------------------------------------------------------- */

/* The columns of an old table, by place. */
typedef struct columns {
    const sl_entity *entity;
    const sl_field *field[SL_CELLS_MAX];
    size_t n;
    sl_buf names;
} columns;

static bool note_column(void *ctx, const sl_cell *cells, size_t n)
{
    columns *c = ctx;
    (void)n;
    const sl_field *f = sl_field_find(c->entity, cells[0].text);
    if (f != NULL && c->n < SL_FIELDS_MAX) {
        c->field[c->n++] = f;
        sl_buf_fmt(&c->names, ", \"%s\"", f->name);
    }
    return true;
}

typedef struct moving {
    sl_store *store;
    const columns *columns;
    sl_record *rec;
    sl_status status;
    sl_error **err;
} moving;

/* A value as JSON, as the old wire form had it. */
static sl_json *value_of(const sl_field *f, const sl_cell *c)
{
    switch (c->kind) {
    case SL_CELL_INT:
        return f->type == SL_T_BOOL ? sl_json_parse(c->i != 0 ? "true" : "false", c->i != 0 ? 4 : 5)
                                    : sl_json_number((double)c->i);
    case SL_CELL_REAL: return sl_json_number(c->r);
    case SL_CELL_TEXT:
        return f->type == SL_T_JSON ? sl_json_parse(c->text, c->len) : sl_json_string(c->text);
    case SL_CELL_NULL:
    case SL_CELL_BLOB: break;
    }
    return NULL;
}

/* The old row as a record on the wire: id, space, seq, deleted, clocks, ext, fields. */
static sl_json *wire_of(const columns *at, const sl_cell *cells)
{
    if (cells[0].kind != SL_CELL_TEXT || cells[1].kind != SL_CELL_TEXT) {
        return NULL;
    }
    sl_json *fields = json_of(&cells[5]);
    fields = fields != NULL ? fields : sl_json_object();
    bool ok = fields != NULL;
    for (size_t i = 0; ok && i < at->n; i++) {
        const sl_cell *c = &cells[6 + i];
        if (c->kind != SL_CELL_NULL) {
            ok = sl_json_set(fields, at->field[i]->name, value_of(at->field[i], c));
        }
    }
    sl_json *j = sl_json_object();
    ok = ok && sl_json_set_str(j, "entity", at->entity->name) &&
         sl_json_set_str(j, "id", cells[0].text) && sl_json_set_str(j, "space", cells[1].text) &&
         sl_json_set_int(j, "seq", sl_cell_int_or(&cells[2], 0)) &&
         sl_json_set_bool(j, "deleted", sl_cell_int_or(&cells[3], 0) != 0);
    ok = ok && sl_json_set(j, "clocks", json_of(&cells[4]));
    ok = sl_json_set(j, "fields", fields) && ok;
    if (!ok) {
        sl_json_free(j);
        return NULL;
    }
    return j;
}

static bool move_row(void *ctx, const sl_cell *cells, size_t n)
{
    moving *m = ctx;
    (void)n;
    sl_json *wire = wire_of(m->columns, cells);
    sl_row row = {0, 0};
    m->status = wire != NULL ? sl_record_from_wire(m->rec, wire, m->err)
                             : sl_fail(m->err, SL_E_CORRUPT, "a stored %s record cannot be read",
                                       m->columns->entity->name);
    sl_json_free(wire);
    if (m->status == SL_OK) {
        m->status = sl_row_insert(m->store, m->rec, &row, m->err);
    }
    return m->status == SL_OK;
}

static sl_status read_old(sl_store *s, columns *at, sl_error **err)
{
    sl_record rec = {0};
    moving m = {s, at, &rec, SL_OK, err};
    char *sql = at->names.failed ? NULL
                                 : sl_text_fmt("SELECT id, space, seq, deleted, clocks, ext%s FROM"
                                               " \"old_%s\" ORDER BY space, seq, id",
                                               sl_buf_text(&at->names), at->entity->name);
    sl_status status =
        sql != NULL ? sl_sql_run(s->sql, sql, NULL, 0, move_row, &m, err) : sl_fail_nomem(err);
    sl_mem_free(sql);
    sl_record_free(&rec);
    return status != SL_OK ? status : m.status;
}

static sl_status rename_old(sl_store *s, const sl_entity *e, sl_error **err)
{
    char *sql = sl_text_fmt("DROP TABLE IF EXISTS \"%s_fts\"; DROP INDEX IF EXISTS \"%s_space\";"
                            "ALTER TABLE \"%s\" RENAME TO \"old_%s\"",
                            e->name, e->name, e->name, e->name);
    sl_status status = sql != NULL ? sl_sql_script(s->sql, sql, err) : sl_fail_nomem(err);
    sl_mem_free(sql);
    return status;
}

static sl_status drop_old(sl_store *s, const char *name, sl_error **err)
{
    char sql[96];
    (void)snprintf(sql, sizeof sql, "DROP TABLE \"old_%s\"", name);
    return sl_sql_script(s->sql, sql, err);
}

static sl_status move_entity(sl_store *s, const sl_entity *e, sl_error **err)
{
    columns at = {.entity = e};
    sl_buf ddl = {0};
    sl_cell params[] = {sl_cell_text(e->name)};
    sl_cell one;
    sl_table_ddl(&ddl, e);
    sl_status there = sl_store_one(s, "SELECT 1 FROM sqlite_schema WHERE type='table' AND name=$1",
                                   params, 1, &(sl_taken){&one, 1, NULL}, err);
    sl_status status = there == SL_E_NOT_FOUND ? SL_OK : there;
    if (there == SL_OK) {
        status = sl_sql_run(s->sql, "SELECT name FROM pragma_table_info($1)", params, 1,
                            note_column, &at, err);
    }
    if (status == SL_OK && there == SL_OK) {
        status = rename_old(s, e, err);
    }
    if (status == SL_OK) {
        status = ddl.failed ? sl_fail_nomem(err) : sl_sql_script(s->sql, sl_buf_text(&ddl), err);
    }
    if (status == SL_OK && sl_search_covers(e)) {
        status = sl_search_make(s, e, err);
    }
    if (status == SL_OK && there == SL_OK) {
        status = read_old(s, &at, err);
    }
    if (status == SL_OK && there == SL_OK) {
        status = drop_old(s, e->name, err);
    }
    sl_buf_free(&ddl);
    sl_buf_free(&at.names);
    return status;
}

/* --- operations and shadows ------------------------------------------------------------------ */

/* The row that an operation belongs to: one to be seen, or an empty one for what waits. */
static sl_status row_for(sl_store *s, const sl_op *op, sl_record *rec, sl_row *row, sl_error **err)
{
    sl_status status = sl_row_load(s, op->entity, op->id, rec, row, err);
    if (status == SL_OK && row->rid == 0) {
        status = sl_record_make(rec, op->entity, op->id, op->space, err);
        rec->deleted = true;
        status = status == SL_OK ? sl_row_insert(s, rec, row, err) : status;
    }
    return status;
}

static sl_status set_pending(sl_store *s, const sl_op *op, int64_t rid, sl_error **err)
{
    char sql[128];
    sl_cell params[] = {sl_cell_int(rid), sl_cell_int(op->n)};
    (void)snprintf(sql, sizeof sql, "UPDATE \"%s\" SET \"pending\"=$2 WHERE \"rid\"=$1",
                   op->entity->name);
    return sl_sql_run(s->sql, sql, params, 2, NULL, NULL, err);
}

static bool move_op(void *ctx, const sl_cell *cells, size_t n)
{
    moving *m = ctx;
    (void)n;
    sl_op op = {0};
    sl_row row = {0, 0};
    sl_json *j = json_of(&cells[0]);
    m->status = sl_op_from_json(&op, j, m->err);
    sl_json_free(j);
    if (m->status == SL_OK) {
        m->status = row_for(m->store, &op, m->rec, &row, m->err);
    }
    if (m->status == SL_OK) {
        m->status =
            sl_outbox_add(m->store, &op, row.pending, sl_cell_int_or(&cells[1], 0), false, m->err);
    }
    if (m->status == SL_OK) {
        m->status = set_pending(m->store, &op, row.rid, m->err);
    }
    sl_op_free(&op);
    return m->status == SL_OK;
}

static bool move_shadow(void *ctx, const sl_cell *cells, size_t n)
{
    moving *m = ctx;
    (void)n;
    sl_record seen = {0};
    sl_row row = {0, 0};
    sl_json *j = json_of(&cells[0]);
    m->status = sl_record_from_wire(m->rec, j, m->err);
    sl_json_free(j);
    if (m->status == SL_OK) {
        m->status = sl_row_load(m->store, m->rec->entity, m->rec->id, &seen, &row, m->err);
    }
    if (m->status == SL_OK && row.rid != 0) {
        m->status = sl_shadow_put(m->store, m->rec, row.rid, m->err);
    }
    sl_record_free(&seen);
    return m->status == SL_OK;
}

static bool move_rejected(void *ctx, const sl_cell *cells, size_t n)
{
    moving *m = ctx;
    (void)n;
    sl_op op = {0};
    sl_buf packed = {0};
    sl_json *j = json_of(&cells[1]);
    m->status = sl_op_from_json(&op, j, m->err);
    sl_json_free(j);
    if (m->status == SL_OK) {
        sl_op_pack(&packed, &op);
        m->status = packed.failed ? sl_fail_nomem(m->err) : SL_OK;
    }
    if (m->status == SL_OK) {
        sl_cell params[] = {cells[0], sl_cell_blob(packed.data, packed.len), cells[2], cells[3],
                            sl_cell_text(op.space)};
        m->status =
            sl_sql_run(m->store->sql, "INSERT INTO rejected VALUES ($1, $2, $3, $4, '', $5)",
                       params, 5, NULL, NULL, m->err);
    }
    sl_op_free(&op);
    sl_buf_free(&packed);
    return m->status == SL_OK;
}

/* Files that records name; whether they are here shows when they go. */
static sl_status note_blobs(sl_store *s, const sl_entity *e, sl_error **err)
{
    sl_status status = SL_OK;
    for (size_t i = 0; status == SL_OK && i < e->field_count; i++) {
        char sql[200];
        const char *name = e->fields[i].name;
        (void)snprintf(sql, sizeof sql,
                       "INSERT OR IGNORE INTO blob SELECT lower(hex(\"%s\")), 0 FROM \"%s\""
                       " WHERE \"%s\" IS NOT NULL",
                       name, e->name, name);
        status = e->fields[i].type == SL_T_BLOB ? sl_sql_script(s->sql, sql, err) : SL_OK;
    }
    return status;
}

static sl_status move_all(sl_store *s, const char *sql, sl_sql_row row, sl_error **err)
{
    sl_record rec = {0};
    moving m = {s, NULL, &rec, SL_OK, err};
    sl_status status = sl_sql_run(s->sql, sql, NULL, 0, row, &m, err);
    sl_record_free(&rec);
    return status != SL_OK ? status : m.status;
}

sl_status sl_migrate_old(sl_store *s, int64_t from, sl_error **err)
{
    static const char *const own[] = {"space", "outbox", "shadow", "rejected"};
    sl_status status = SL_OK;
    for (size_t i = 0; status == SL_OK && i < sizeof own / sizeof own[0]; i++) {
        char sql[96];
        (void)snprintf(sql, sizeof sql, "ALTER TABLE \"%s\" RENAME TO \"old_%s\"", own[i], own[i]);
        status = sl_sql_script(s->sql, sql, err);
    }
    if (status == SL_OK) {
        status = sl_sql_script(s->sql, sl_store_tables, err);
    }
    if (status == SL_OK) {
        status = sl_sql_script(s->sql,
                               "INSERT INTO space (name, held, epoch, cursor)"
                               " SELECT name, 1, epoch, cursor FROM old_space",
                               err);
    }
    for (size_t i = 0; status == SL_OK && i < sl_entity_count; i++) {
        status = move_entity(s, &sl_entities[i], err);
        status = status == SL_OK ? note_blobs(s, &sl_entities[i], err) : status;
    }
    if (status == SL_OK) {
        status = move_all(s, "SELECT op, seq FROM old_outbox ORDER BY n", move_op, err);
    }
    if (status == SL_OK) {
        status =
            move_all(s, "SELECT record FROM old_shadow WHERE record IS NOT NULL", move_shadow, err);
    }
    if (status == SL_OK) {
        status = move_all(s, "SELECT n, op, code, message FROM old_rejected ORDER BY n",
                          move_rejected, err);
    }
    for (size_t i = 0; status == SL_OK && i < sizeof own / sizeof own[0]; i++) {
        status = drop_old(s, own[i], err);
    }
    if (status == SL_OK) { /* added up when somebody asks */
        status = sl_sql_script(s->sql, "UPDATE space SET sum=NULL", err);
    }
    return status == SL_OK && from < 2 ? sl_store_set_meta(s, SL_STORE_LATER, "1", err) : status;
}
