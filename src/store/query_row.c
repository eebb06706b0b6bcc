/* One row of a query as JSON: from SQLite's cells straight into memory that has room for the longest
 * spelling of all of them. */
#include "store/query.h"

#include "base/base64.h"
#include "base/error.h"

#include <string.h>

enum {
    REAL_ROOM = 40
};

static bool unreadable(sl_rows *r)
{
    r->status =
        sl_fail(r->err, SL_E_CORRUPT, "a stored %s record cannot be read", r->query->entity->name);
    return false;
}

/* --- the space ------------------------------------------------------------------------------- */

static bool keep_name(void *ctx, const sl_cell *cells, size_t n)
{
    sl_place *seen = ctx;
    (void)n;
    if (cells[0].kind == SL_CELL_TEXT && cells[0].len < SL_SPACE_MAX) {
        memcpy(seen->space, cells[0].text, cells[0].len + 1);
    }
    return false;
}

/* Rows of one space come one behind the other, mostly. */
static bool find_space(sl_rows *r, int64_t no)
{
    sl_place *seen = &r->reader->seen;
    if (seen->no == no) {
        return true;
    }
    sl_cell params[] = {sl_cell_int(no)};
    memset(seen, 0, sizeof *seen);
    r->status = sl_sql_run(r->reader->sql, "SELECT name FROM space WHERE no=$1", params, 1,
                           keep_name, seen, r->err);
    seen->no = seen->space[0] != 0 ? no : 0;
    if (r->status == SL_OK && seen->no == 0) {
        r->status = sl_fail(r->err, SL_E_CORRUPT, "a stored record is in no space");
    }
    return r->status == SL_OK;
}

/* --- values ---------------------------------------------------------------------------------- */

static size_t cell_room(const sl_cell *c)
{
    switch (c->kind) {
    case SL_CELL_NULL:
    case SL_CELL_INT: return SL_JSON_INT_ROOM;
    case SL_CELL_REAL: return REAL_ROOM;
    case SL_CELL_TEXT:
    case SL_CELL_BLOB: break;
    }
    return SL_JSON_TEXT_ROOM((size_t)c->len);
}

static uint8_t *put(uint8_t *to, const void *p, size_t n)
{
    memcpy(to, p, n);
    return to + n;
}

static uint8_t *put_quoted(uint8_t *to, const char *s, size_t n)
{
    *to++ = '"';
    to = put(to, s, n);
    *to++ = '"';
    return to;
}

/* The buffer has the room, so that nothing moves. */
static uint8_t *put_real(sl_buf *out, uint8_t *to, double v)
{
    out->len = (size_t)(to - out->data);
    sl_json_put_real(out, v);
    return out->data + out->len;
}

/* A field's value as its column has it; NULL: damaged. */
static uint8_t *put_value(sl_rows *r, uint8_t *to, const sl_field *f, const sl_cell *c)
{
    char text[65];
    if (c->kind == SL_CELL_BLOB && c->len == SL_UUID_BYTES) {
        sl_uuid_encode(text, c->blob);
        return put_quoted(to, text, SL_UUID_LEN);
    }
    if (c->kind == SL_CELL_BLOB && c->len == 32) {
        sl_hex(text, c->blob, 32);
        return put_quoted(to, text, 64);
    }
    if (c->kind == SL_CELL_BLOB || !sl_schema_kind_ok(f, c)) {
        return NULL;
    }
    if (c->kind == SL_CELL_REAL) {
        return put_real(r->out, to, c->r);
    }
    if (c->kind == SL_CELL_TEXT) {
        return f->type == SL_T_JSON ? put(to, c->text, c->len)
                                    : sl_json_text_at(to, c->text, c->len);
    }
    if (f->type == SL_T_BOOL) {
        return c->i != 0 ? put(to, "true", 4) : put(to, "false", 5);
    }
    return sl_json_int_at(to, c->i);
}

/* --- members --------------------------------------------------------------------------------- */

static uint8_t *put_named(uint8_t *to, const sl_rows *r, const sl_out *o, const sl_cell *c)
{
    const char *space = r->reader->seen.space;
    to = put(to, o->key, o->key_len);
    switch (o->kind) {
    case SL_OUT_SPACE: return sl_json_text_at(to, space, strlen(space));
    case SL_OUT_SEQ: return sl_json_int_at(to, c->i);
    case SL_OUT_PENDING: return c->kind != SL_CELL_NULL ? put(to, "true", 4) : put(to, "false", 5);
    case SL_OUT_SNIPPET:
        return c->kind == SL_CELL_TEXT ? sl_json_text_at(to, c->text, c->len) : put(to, "\"\"", 2);
    case SL_OUT_GIVEN:
    case SL_OUT_ENTITY:
    case SL_OUT_EXT:
    case SL_OUT_FIELD: break;
    }
    return to;
}

static uint8_t *put_member(sl_rows *r, uint8_t *to, const sl_out *o, const sl_cell *c)
{
    if (o->kind != SL_OUT_FIELD) {
        return put_named(to, r, o, c);
    }
    if (c->kind == SL_CELL_NULL) {
        return to;
    }
    return put_value(r, put(to, o->key, o->key_len), o->field, c);
}

/* What the schema does not know is read before it is told, and of any length. */
static bool put_ext(sl_rows *r, const sl_cell *c)
{
    if (c->kind != SL_CELL_TEXT) {
        return true;
    }
    bool ok = c->text[0] == '{' && sl_json_ok(c->text, c->len);
    if (ok) {
        sl_ext_put_public(r->out, c->text, c->len);
    }
    return ok || unreadable(r);
}

static bool put_count(sl_rows *r, const sl_cell *cells)
{
    sl_buf_str(r->out, "{\"count\":");
    sl_json_put_int(r->out, cells[0].i);
    sl_buf_u8(r->out, '}');
    return true;
}

/* Room for what is left of the row, from the ith member on. */
static uint8_t *room_for(sl_rows *r, const sl_cell *cells, size_t i)
{
    const sl_query *q = r->query;
    size_t n = sizeof "{\"id\":\"\"}" + SL_UUID_LEN;
    for (; i < q->out_count; i++) {
        const sl_out *o = &q->out[i];
        n += o->key_len + (o->column > 0             ? cell_room(&cells[o->column])
                           : o->kind == SL_OUT_SPACE ? SL_JSON_TEXT_ROOM(SL_SPACE_MAX)
                                                     : 0);
    }
    return sl_buf_room(r->out, n);
}

static bool put_members(sl_rows *r, uint8_t *to, const sl_cell *cells)
{
    const sl_query *q = r->query;
    for (size_t i = 0; to != NULL && i < q->out_count; i++) {
        const sl_out *o = &q->out[i];
        const sl_cell *c = &cells[o->column];
        if (o->kind == SL_OUT_EXT) {
            if (c->kind != SL_CELL_NULL) {
                r->out->len = (size_t)(to - r->out->data);
                to = put_ext(r, c) ? room_for(r, cells, i + 1) : NULL;
            }
        } else {
            to = put_member(r, to, o, c);
        }
    }
    if (to == NULL) {
        return false;
    }
    *to++ = '}';
    r->out->len = (size_t)(to - r->out->data);
    r->out->data[r->out->len] = 0;
    return true;
}

bool sl_query_put_row(sl_rows *r, const sl_cell *cells, char id[SL_UUID_LEN + 1])
{
    const sl_query *q = r->query;
    bool ok = true;
    id[0] = 0;
    if (q->count) {
        ok = put_count(r, cells);
    } else if (cells[1].kind != SL_CELL_BLOB || cells[1].len != SL_UUID_BYTES) {
        return unreadable(r);
    } else if (q->tells_space && !find_space(r, cells[0].i >> 32)) {
        return false;
    } else {
        uint8_t *to = room_for(r, cells, 0);
        sl_uuid_encode(id, cells[1].blob);
        if (to != NULL) {
            to = put(to, "{\"id\":", 6);
            ok = put_members(r, put_quoted(to, id, SL_UUID_LEN), cells);
        }
    }
    if (r->out->failed) {
        r->status = sl_fail_nomem(r->err);
    } else if (!ok && r->status == SL_OK) {
        (void)unreadable(r);
    }
    return r->status == SL_OK;
}
