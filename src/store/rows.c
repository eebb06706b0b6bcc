/* Records in their tables. */
#include "store/inside.h"

#include "base/base64.h"
#include "base/error.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

enum {
    SHA_BYTES = 32
};

/* A field's value as its column has it. What it needs to be written in is in the arena. */
static bool to_column(sl_cell *c, const sl_field *f, sl_arena *mem)
{
    if (c->kind != SL_CELL_TEXT || (f->type != SL_T_REF && f->type != SL_T_BLOB)) {
        return true;
    }
    size_t n = f->type == SL_T_REF ? SL_UUID_BYTES : SHA_BYTES;
    uint8_t *bytes = sl_arena_take(mem, n);
    if (bytes == NULL) {
        return false;
    }
    bool ok =
        f->type == SL_T_REF ? sl_uuid_decode(bytes, c->text) : sl_hex_decode(bytes, n, c->text);
    if (ok) {
        *c = sl_cell_blob(bytes, n);
    }
    return true; /* the schema's check lets nothing else through */
}

static bool from_column(sl_cell *c, const sl_field *f, sl_arena *mem)
{
    char text[2 * SHA_BYTES + 1];
    if (c->kind == SL_CELL_BLOB && f->type == SL_T_REF && c->len == SL_UUID_BYTES) {
        sl_uuid_encode(text, c->blob);
        *c = sl_cell_text_n(text, SL_UUID_LEN);
    } else if (c->kind == SL_CELL_BLOB && f->type == SL_T_BLOB && c->len == SHA_BYTES) {
        sl_hex(text, c->blob, SHA_BYTES);
        *c = sl_cell_text_n(text, (size_t)2 * SHA_BYTES);
    }
    return sl_cell_keep(c, mem);
}

/* The cells of a row in the order of the columns; ids in `id` and s->cells, clocks in
 * s->scratch. */
static sl_status to_cells(sl_store *s, const sl_record *rec, const sl_row *row,
                          uint8_t id[SL_UUID_BYTES], sl_cell *cells, sl_error **err)
{
    const sl_entity *e = rec->entity;
    bool ok = sl_uuid_decode(id, rec->id);
    sl_arena_clear(&s->cells);
    SL_ASSERT(ok && e->field_count + SL_ROW_FIELDS <= SL_CELLS_MAX);
    sl_buf_clear(&s->scratch);
    sl_record_put_clocks(&s->scratch, rec);
    cells[SL_ROW_RID] = sl_cell_int(row->rid);
    cells[SL_ROW_ID] = sl_cell_blob(id, SL_UUID_BYTES);
    cells[SL_ROW_SEQ] = sl_cell_int(rec->seq);
    cells[SL_ROW_DELETED] = sl_cell_int(rec->deleted ? 1 : 0);
    cells[SL_ROW_PENDING] = row->pending != 0 ? sl_cell_int(row->pending) : sl_cell_text(NULL);
    cells[SL_ROW_CLOCKS] = sl_cell_blob(s->scratch.data, s->scratch.len);
    cells[SL_ROW_EXT] = sl_cell_text(rec->ext);
    ok = ok && !s->scratch.failed;
    for (size_t i = 0; ok && i < e->field_count; i++) {
        cells[SL_ROW_FIELDS + i] = rec->values[i];
        ok = to_column(&cells[SL_ROW_FIELDS + i], &e->fields[i], &s->cells);
    }
    return ok ? SL_OK : sl_fail_nomem(err);
}

static sl_status write_row(sl_store *s, const char *sql, const sl_record *rec, const sl_row *row,
                           sl_error **err)
{
    sl_cell cells[SL_CELLS_MAX];
    uint8_t id[SL_UUID_BYTES];
    sl_status status = to_cells(s, rec, row, id, cells, err);
    return status == SL_OK ? sl_sql_run(s->sql, sql, cells,
                                        SL_ROW_FIELDS + rec->entity->field_count, NULL, NULL, err)
                           : status;
}

sl_status sl_row_insert(sl_store *s, const sl_record *rec, sl_row *row, sl_error **err)
{
    int64_t no = 0;
    const sl_table *t = NULL;
    sl_status status = sl_table_of(s, rec->entity, &t, err);
    if (status == SL_OK) {
        status = sl_space_no(s, rec->space, true, &no, err);
    }
    if (status == SL_OK) {
        status = sl_space_next_rid(s, rec->entity, no, &row->rid, err);
    }
    if (status == SL_OK) {
        status = write_row(s, t->insert, rec, row, err);
    }
    if (status == SL_OK && sl_sql_changes(s->sql) == 0) {
        row->rid = 0;
        return SL_OK;
    }
    return status == SL_OK && t->search ? sl_search_put_in(s, rec, row->rid, err) : status;
}

/* The update of the fields that differ alone: it leaves the indexes of the others as they are. False: too
 * many do. */
static bool few_text(char *sql, size_t room, const sl_record *rec, const sl_record *old)
{
    enum {
        FEW = 3
    };
    const sl_entity *e = rec->entity;
    unsigned count = 0;
    int n = snprintf(sql, room,
                     "UPDATE \"%s\" SET \"seq\"=$3,\"deleted\"=$4,\"pending\"=$5,\"clocks\"=$6,"
                     "\"ext\"=$7",
                     e->name);
    for (size_t i = 0; i < e->field_count && count <= FEW; i++) {
        if (!sl_cell_same(&rec->values[i], &old->values[i])) {
            count++;
            n += n < (int)room ? snprintf(sql + n, room - (size_t)n, ",\"%s\"=$%zu",
                                          e->fields[i].name, SL_ROW_FIELDS + i + 1)
                               : 0;
        }
    }
    n += n < (int)room ? snprintf(sql + n, room - (size_t)n, " WHERE \"rid\"=$1") : 0;
    return count <= FEW && n < (int)room;
}

sl_status sl_row_update(sl_store *s, const sl_record *rec, const sl_record *old, const sl_row *row,
                        sl_error **err)
{
    char few[320];
    const sl_table *t = NULL;
    sl_status status = sl_table_of(s, rec->entity, &t, err);
    bool again = status == SL_OK && t->search && !sl_search_same(old, rec);
    if (again) {
        status = sl_search_take_out(s, old, row->rid, err);
    }
    if (status == SL_OK) {
        bool some = old != NULL && few_text(few, sizeof few, rec, old);
        status = write_row(s, some ? few : t->update, rec, row, err);
    }
    return status == SL_OK && again ? sl_search_put_in(s, rec, row->rid, err) : status;
}

sl_status sl_row_delete(sl_store *s, const sl_record *old, const sl_row *row, sl_error **err)
{
    sl_buf sql = {0};
    sl_cell params[] = {sl_cell_int(row->rid)};
    sl_status status =
        s->tables[old->entity->index].search ? sl_search_take_out(s, old, row->rid, err) : SL_OK;
    sl_buf_fmt(&sql, "DELETE FROM \"%s\" WHERE \"rid\"=$1", old->entity->name);
    if (status == SL_OK) {
        status = sql.failed ? sl_fail_nomem(err)
                            : sl_sql_run(s->sql, sl_buf_text(&sql), params, 1, NULL, NULL, err);
    }
    sl_buf_free(&sql);
    return status;
}

static sl_status damaged(const sl_entity *e, sl_error **err)
{
    return sl_fail(err, SL_E_CORRUPT, "a stored %s record cannot be read", e->name);
}

sl_status sl_row_read(sl_store *s, const sl_entity *e, const sl_cell *cells, sl_record *rec,
                      sl_error **err)
{
    char id[SL_UUID_LEN + 1];
    char space[SL_SPACE_MAX];
    if (cells[SL_ROW_ID].kind != SL_CELL_BLOB || cells[SL_ROW_ID].len != SL_UUID_BYTES ||
        cells[SL_ROW_CLOCKS].kind != SL_CELL_BLOB) {
        return damaged(e, err);
    }
    sl_uuid_encode(id, cells[SL_ROW_ID].blob);
    sl_status status = sl_space_of(s, cells[SL_ROW_RID].i >> 32, space, err);
    if (status == SL_OK) {
        status = sl_record_make(rec, e, id, space, err);
    }
    if (status != SL_OK) {
        return status == SL_E_INVALID ? damaged(e, err) : status;
    }
    rec->seq = cells[SL_ROW_SEQ].i;
    rec->deleted = cells[SL_ROW_DELETED].i != 0;
    bool ok = true;
    bool sound = true;
    if (cells[SL_ROW_EXT].kind == SL_CELL_TEXT) {
        sound = cells[SL_ROW_EXT].text[0] == '{' &&
                sl_json_ok(cells[SL_ROW_EXT].text, cells[SL_ROW_EXT].len);
        rec->ext = sl_arena_text(&rec->mem, cells[SL_ROW_EXT].text, cells[SL_ROW_EXT].len);
        ok = rec->ext != NULL;
    }
    for (size_t i = 0; ok && i < e->field_count; i++) {
        rec->values[i] = cells[SL_ROW_FIELDS + i];
        ok = from_column(&rec->values[i], &e->fields[i], &rec->mem);
        sound = sound && sl_schema_kind_ok(&e->fields[i], &rec->values[i]);
    }
    status =
        !sound ? damaged(e, err)
        : ok ? sl_record_read_clocks(rec, cells[SL_ROW_CLOCKS].blob, cells[SL_ROW_CLOCKS].len, err)
             : sl_fail_nomem(err);
    if (status != SL_OK) {
        sl_record_free(rec);
    }
    return status;
}

typedef struct loading {
    sl_store *store;
    const sl_entity *entity;
    sl_record *rec;
    sl_row *row;
    sl_status status;
    sl_error **err;
} loading;

static bool load_row(void *ctx, const sl_cell *cells, size_t n)
{
    loading *l = ctx;
    (void)n;
    l->row->rid = cells[SL_ROW_RID].i;
    l->row->pending = sl_cell_int_or(&cells[SL_ROW_PENDING], 0);
    l->status = sl_row_read(l->store, l->entity, cells, l->rec, l->err);
    return false;
}

sl_status sl_row_load(sl_store *s, const sl_entity *e, const char *id, sl_record *rec, sl_row *row,
                      sl_error **err)
{
    uint8_t bytes[SL_UUID_BYTES];
    loading l = {s, e, rec, row, SL_OK, err};
    memset(row, 0, sizeof *row);
    rec->entity = NULL;
    if (!sl_uuid_decode(bytes, id)) {
        return SL_OK;
    }
    sl_cell params[] = {sl_cell_blob(bytes, sizeof bytes)};
    const sl_table *t = NULL;
    sl_status status = sl_table_of(s, e, &t, err);
    if (status == SL_OK) {
        status = sl_sql_run(s->sql, t->select, params, 1, load_row, &l, err);
    }
    return status != SL_OK ? status : l.status;
}
