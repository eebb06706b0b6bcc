/*
 * Running a query: rows become JSON text as they are stepped, without anything between.
 *
 * Queries run on a connection of their own, beside the writer: they see what was committed when
 * they began and wait for no transaction.
 */
#include "store/query.h"

#include "base/base64.h"
#include "base/error.h"
#include "base/mem.h"

#include <string.h>

typedef struct rows {
    sl_reader *reader;
    const sl_query *query;
    sl_buf *out;
    sl_query_row fn;
    void *ctx;
    sl_status status;
    sl_error **err;
} rows;

/* --- one row --------------------------------------------------------------------------------- */

static sl_status unreadable(const rows *r)
{
    return sl_fail(r->err, SL_E_CORRUPT, "a stored %s record cannot be read",
                   r->query->entity->name);
}

/* A field's value as its column has it. False: damaged. */
static bool put_field_value(sl_buf *out, const sl_field *f, const sl_cell *c)
{
    char text[65];
    if (c->kind == SL_CELL_BLOB && c->len == SL_UUID_BYTES) {
        sl_uuid_encode(text, c->blob);
        sl_json_put_text(out, text, SL_UUID_LEN);
    } else if (c->kind == SL_CELL_BLOB && c->len == 32) {
        sl_hex(text, c->blob, 32);
        sl_json_put_text(out, text, 64);
    } else if (sl_schema_kind_ok(f, c)) {
        sl_cell_put_json(out, f, c);
    } else {
        return false;
    }
    return true;
}

static bool put_ext(sl_buf *out, const sl_cell *c)
{
    if (c->kind != SL_CELL_TEXT) {
        return true;
    }
    bool ok = c->text[0] == '{' && sl_json_ok(c->text, c->len);
    if (ok) {
        sl_ext_put_public(out, c->text, c->len);
    }
    return ok;
}

static bool keep_name(void *ctx, const sl_cell *cells, size_t n)
{
    sl_place *seen = ctx;
    (void)n;
    if (cells[0].kind == SL_CELL_TEXT && cells[0].len < SL_SPACE_MAX) {
        memcpy(seen->space, cells[0].text, cells[0].len + 1);
    }
    return false;
}

static void put_space_name(rows *r, int64_t rid)
{
    sl_place *seen = &r->reader->seen;
    sl_cell params[] = {sl_cell_int(rid >> 32)};
    if (seen->no != rid >> 32) {
        memset(seen, 0, sizeof *seen);
        r->status = sl_sql_run(r->reader->sql, "SELECT name FROM space WHERE no=$1", params, 1,
                               keep_name, seen, r->err);
        seen->no = seen->space[0] != 0 ? rid >> 32 : 0;
    }
    if (r->status == SL_OK && seen->no == 0) {
        r->status = sl_fail(r->err, SL_E_CORRUPT, "a stored record is in no space");
    }
    sl_json_put_text(r->out, seen->space, strlen(seen->space));
}

static void put_key(sl_buf *out, const sl_out *o)
{
    sl_buf_put(out, o->key, o->key_len);
}

static void put_member(rows *r, const sl_out *o, const sl_cell *c, int64_t rid)
{
    sl_buf *out = r->out;
    bool ok = true;
    switch (o->kind) {
    case SL_OUT_ENTITY:
        put_key(out, o);
        sl_json_put_text(out, r->query->entity->name, strlen(r->query->entity->name));
        break;
    case SL_OUT_SPACE:
        put_key(out, o);
        put_space_name(r, rid);
        break;
    case SL_OUT_SEQ:
        put_key(out, o);
        sl_json_put_int(out, c->i);
        break;
    case SL_OUT_PENDING:
        put_key(out, o);
        sl_buf_str(out, c->kind != SL_CELL_NULL ? "true" : "false");
        break;
    case SL_OUT_EXT: ok = put_ext(out, c); break;
    case SL_OUT_FIELD:
        if (c->kind != SL_CELL_NULL) {
            put_key(out, o);
            ok = put_field_value(out, o->field, c);
        }
        break;
    case SL_OUT_SNIPPET:
        put_key(out, o);
        sl_json_put_text(out, c->kind == SL_CELL_TEXT ? c->text : "",
                         c->kind == SL_CELL_TEXT ? c->len : 0);
        break;
    }
    if (!ok) {
        r->status = unreadable(r);
    }
}

/* Writes the row; its id into `id`, "" for a count. */
static bool put_row(rows *r, const sl_cell *cells, char id[SL_UUID_LEN + 1])
{
    const sl_query *q = r->query;
    id[0] = 0;
    if (q->count) {
        sl_buf_str(r->out, "{\"count\":");
        sl_json_put_int(r->out, cells[0].i);
    } else if (cells[1].kind == SL_CELL_BLOB && cells[1].len == SL_UUID_BYTES) {
        sl_uuid_encode(id, cells[1].blob);
        sl_buf_str(r->out, "{\"id\":\"");
        sl_buf_put(r->out, id, SL_UUID_LEN);
        sl_buf_u8(r->out, '"');
    } else {
        r->status = unreadable(r);
    }
    for (size_t i = 0; !q->count && r->status == SL_OK && i < q->out_count; i++) {
        put_member(r, &q->out[i], &cells[q->out[i].column], cells[0].i);
    }
    sl_buf_u8(r->out, '}');
    if (r->status == SL_OK && r->out->failed) {
        r->status = sl_fail_nomem(r->err);
    }
    return r->status == SL_OK;
}

static bool take_row(void *ctx, const sl_cell *cells, size_t n)
{
    rows *r = ctx;
    char id[SL_UUID_LEN + 1];
    size_t from = r->out->len;
    (void)n;
    if (put_row(r, cells, id) && !r->fn(r->ctx, id, from)) {
        r->status = sl_fail_nomem(r->err);
    }
    return r->status == SL_OK;
}

/* --- rows sorted by us ----------------------------------------------------------------------- */

typedef struct sorted {
    char id[SL_UUID_LEN + 1];
    size_t from;
    size_t len;
    const sl_cell *keys;
} sorted;

typedef struct sorting {
    rows rows; /* into `text` */
    sl_buf text;
    sl_arena mem; /* of the keys */
    sorted *list;
    size_t count;
    size_t room;
} sorting;

static sorted *new_row(sorting *s)
{
    if (s->count == s->room) {
        size_t room = s->room > 0 ? s->room * 2 : 64;
        sorted *grown = sl_mem_resize(s->list, room, sizeof *grown);
        if (grown == NULL) {
            return NULL;
        }
        s->list = grown;
        s->room = room;
    }
    return &s->list[s->count];
}

static const sl_cell *keep_keys(sorting *s, const sl_cell *cells, size_t n)
{
    sl_cell *keys = sl_arena_take(&s->mem, n * sizeof *keys);
    for (size_t i = 0; keys != NULL && i < n; i++) {
        keys[i] = cells[i];
        keys = sl_cell_keep(&keys[i], &s->mem) ? keys : NULL;
    }
    return keys;
}

static bool gather_row(void *ctx, const sl_cell *cells, size_t n)
{
    sorting *s = ctx;
    const sl_query *q = s->rows.query;
    size_t from = s->text.len;
    sorted *row = new_row(s);
    const sl_cell *keys = row != NULL ? keep_keys(s, cells + n - q->key_count, q->key_count) : NULL;
    if (keys == NULL) {
        s->rows.status = sl_fail_nomem(s->rows.err);
        return false;
    }
    if (put_row(&s->rows, cells, row->id)) {
        row->from = from;
        row->len = s->text.len - from;
        row->keys = keys;
        s->count++;
    }
    return s->rows.status == SL_OK;
}

static int rank(const sl_cell *c)
{
    return c->kind == SL_CELL_NULL   ? 0
           : c->kind == SL_CELL_TEXT ? 2
           : c->kind == SL_CELL_BLOB ? 3
                                     : 1;
}

/* As SQLite compares: null, numbers, text, bytes. */
static int compare_cells(const sl_cell *a, const sl_cell *b)
{
    int by = rank(a) - rank(b);
    if (by != 0 || rank(a) == 0) {
        return by;
    }
    if (rank(a) == 1 && a->kind == SL_CELL_INT && b->kind == SL_CELL_INT) {
        return (a->i > b->i) - (a->i < b->i);
    }
    if (rank(a) == 1) {
        double x = a->kind == SL_CELL_INT ? (double)a->i : a->r;
        double y = b->kind == SL_CELL_INT ? (double)b->i : b->r;
        return (x > y) - (x < y);
    }
    by = memcmp(a->text, b->text, a->len < b->len ? a->len : b->len);
    return by != 0 ? by : (a->len > b->len) - (a->len < b->len);
}

static bool comes_before(const sl_query *q, const sorted *a, const sorted *b)
{
    for (size_t i = 0; i < q->key_count; i++) {
        int by = compare_cells(&a->keys[i], &b->keys[i]);
        if (by != 0) {
            return q->down[i] ? by > 0 : by < 0;
        }
    }
    return false;
}

/* Merge sort of [0, n), from `list` by way of `spare`. */
static void sort_rows(const sl_query *q, sorted *list, sorted *spare, size_t n)
{
    if (n < 2) {
        return;
    }
    size_t half = n / 2;
    sort_rows(q, list, spare, half);
    sort_rows(q, list + half, spare, n - half);
    memcpy(spare, list, half * sizeof *list);
    size_t i = 0;
    size_t k = half;
    for (size_t to = 0; i < half; to++) {
        bool right = k < n && comes_before(q, &list[k], &spare[i]);
        list[to] = right ? list[k++] : spare[i++];
    }
}

static sl_status give_sorted(const sorting *s, const rows *r)
{
    const sl_query *q = r->query;
    for (size_t i = 0; i < s->count && (int64_t)i < q->limit; i++) {
        size_t from = r->out->len;
        sl_buf_put(r->out, s->text.data + s->list[i].from, s->list[i].len);
        if (r->out->failed || !r->fn(r->ctx, s->list[i].id, from)) {
            return sl_fail_nomem(r->err);
        }
    }
    return SL_OK;
}

/* *many: there are too many rows for us, nothing was given. */
static sl_status run_plain(const rows *r, bool *many)
{
    const sl_query *q = r->query;
    sorting s = {.rows = *r};
    s.rows.out = &s.text;
    sl_status status =
        sl_sql_run(r->reader->sql, q->plain, q->params, q->param_count, gather_row, &s, r->err);
    status = status != SL_OK ? status : s.rows.status;
    *many = s.count > SL_QUERY_SORT_MAX;
    if (status == SL_OK && !*many) {
        sorted *spare = sl_mem_array(s.count + 1, sizeof *spare);
        if (spare != NULL) {
            sort_rows(q, s.list, spare, s.count);
        }
        status = spare != NULL ? give_sorted(&s, r) : sl_fail_nomem(r->err);
        sl_mem_free(spare);
    }
    sl_mem_free(s.list);
    sl_arena_free(&s.mem);
    sl_buf_free(&s.text);
    return status;
}

/* --- all of them ----------------------------------------------------------------------------- */

static sl_status run(sl_reader *reader, const sl_query *q, sl_buf *out, sl_query_row fn, void *ctx,
                     sl_error **err)
{
    rows r = {reader, q, out, fn, ctx, SL_OK, err};
    bool many = true;
    sl_status status = q->plain != NULL ? run_plain(&r, &many) : SL_OK;
    if (status != SL_OK || !many) {
        return status;
    }
    status = sl_sql_run(reader->sql, q->sql, q->params, q->param_count, take_row, &r, err);
    return status != SL_OK ? status : r.status;
}

/* The connection is made by the first query. */
static sl_status open_reader(sl_store *s, sl_error **err)
{
    if (s->reader.sql != NULL) {
        return SL_OK;
    }
    char *path = sl_store_path(s, "sideline.db");
    sl_status status = path != NULL
                           ? sl_sql_open_reader(path, sl_vfs_name(s->vfs), &s->reader.sql, err)
                           : sl_fail_nomem(err);
    sl_mem_free(path);
    return status;
}

sl_status sl_store_query(sl_store *s, const sl_query *q, sl_buf *out, sl_query_row fn, void *ctx,
                         sl_error **err)
{
    sl_lock(s->reader.lock);
    sl_status status = open_reader(s, err);
    if (status == SL_OK) {
        status = run(&s->reader, q, out, fn, ctx, err);
    }
    sl_unlock(s->reader.lock);
    return status;
}
