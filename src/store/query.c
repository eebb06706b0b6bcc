/* Queries: read against the schema, compiled to one prepared statement, run. */
#include "store/query.h"

#include "base/base64.h"
#include "base/error.h"
#include "base/mem.h"

#include <string.h>

/* One expression of the order. "seq" makes two: 0 is not accepted yet and sorts after all that
 * is. */
typedef struct key {
    sl_column column;
    bool unsent; /* whether seq is 0 */
    bool down;
} key;

enum {
    KEYS_MAX = SL_QUERY_ORDER_MAX * 2 + 1
};

typedef struct keys {
    key list[KEYS_MAX];
    size_t n;
    bool ranked; /* by how well a search was met */
} keys;

void sl_query_free(sl_query *q)
{
    if (q != NULL) {
        sl_mem_free(q->params);
        sl_arena_free(&q->mem);
        sl_mem_free(q->sql);
        sl_mem_free(q);
    }
}

/* --- order and window ------------------------------------------------------------------------ */

static sl_status add_order(const sl_query *q, keys *to, const char *name, sl_error **err)
{
    key k = {.down = name != NULL && name[0] == '-'};
    if (!sl_query_column(q->entity, k.down ? name + 1 : name, &k.column) ||
        k.column.type == SL_T_JSON) {
        return sl_fail_field(err, SL_E_INVALID, "order", "a query is ordered by fields of %s",
                             q->entity->name);
    }
    if (strcmp(k.column.name, "seq") == 0) {
        to->list[to->n++] = (key){k.column, true, k.down};
    }
    to->list[to->n++] = k;
    return SL_OK;
}

static bool has_index(const sl_entity *e, const keys *order)
{
    const sl_field *f = sl_field_find(e, order->list[0].column.name);
    return f != NULL ? f->ordered : e->by_seq && strcmp(order->list[0].column.name, "seq") == 0;
}

/* The id breaks every tie. */
static sl_status read_order(sl_query *q, const sl_json *order, keys *to, sl_error **err)
{
    bool by_id = false;
    if (order != NULL && !sl_json_is_null(order) && !sl_json_is_array(order)) {
        return sl_fail_field(err, SL_E_INVALID, "order", "order is a list of fields");
    }
    if (sl_json_count(order) > SL_QUERY_ORDER_MAX) {
        return sl_fail_field(err, SL_E_LIMIT, "order", "a query is ordered by at most %d fields",
                             SL_QUERY_ORDER_MAX);
    }
    for (const sl_json *v = sl_json_first(order); v != NULL; v = sl_json_next(v)) {
        const char *name = sl_json_text(v);
        sl_status status = add_order(q, to, name, err);
        if (status != SL_OK) {
            return status;
        }
        by_id = by_id || (name != NULL && strcmp(name + (name[0] == '-' ? 1 : 0), "id") == 0);
    }
    to->ranked = q->search && to->n == 0;
    q->indexed = to->n > 0 && !q->search && has_index(q->entity, to);
    return by_id ? SL_OK : add_order(q, to, "id", err);
}

static void put_key(const sl_query *q, sl_buf *sql, const key *k)
{
    sl_buf_str(sql, k->unsent ? "(" : "");
    sl_query_put_column(q, sql, &k->column);
    sl_buf_str(sql, k->unsent ? "=0)" : "");
}

static void put_order(const sl_query *q, const keys *order, sl_buf *sql)
{
    sl_buf_str(sql, " ORDER BY ");
    if (order->ranked) {
        sl_buf_fmt(sql, "bm25(\"%s_fts\"), ", q->entity->name);
    }
    for (size_t i = 0; i < order->n; i++) {
        sl_buf_str(sql, i > 0 ? ", " : "");
        put_key(q, sql, &order->list[i]);
        sl_buf_str(sql, order->list[i].down ? " DESC" : "");
    }
}

/* The number of the parameter that holds this key of the last record seen: *out 0 for null. */
static sl_status key_param(sl_query *q, const key *k, const sl_json *after, size_t *out,
                           sl_error **err)
{
    const sl_json *v = sl_json_get(after, k->column.name);
    *out = 0;
    if (v == NULL || sl_json_is_null(v)) {
        return k->column.nullable ? SL_OK
                                  : sl_fail_field(err, SL_E_INVALID, k->column.name,
                                                  "\"after\" needs %s", k->column.name);
    }
    sl_status status = sl_query_check_rank(&k->column, v, err);
    if (status != SL_OK) {
        return status;
    }
    *out = sl_query_param(q, &k->column, v);
    if (*out > 0 && k->unsent) {
        sl_cell *cell = &q->params[*out - 1];
        *cell = sl_cell_int(cell->i == 0 ? 1 : 0);
    }
    return *out > 0 ? SL_OK : sl_fail_nomem(err);
}

/* True of records after the value in this key alone; null sorts before all values. */
static void put_beyond(const sl_query *q, sl_buf *sql, const key *k, size_t param)
{
    if (param == 0 && k->down) {
        sl_buf_str(sql, "0");
        return;
    }
    bool or_null = k->down && k->column.nullable;
    sl_buf_str(sql, or_null ? "(" : "");
    put_key(q, sql, k);
    if (param == 0) {
        sl_buf_str(sql, " IS NOT NULL");
    } else {
        sl_buf_fmt(sql, "%s$%zu", k->down ? "<" : ">", param);
    }
    if (or_null) {
        sl_buf_str(sql, " OR ");
        put_key(q, sql, k);
        sl_buf_str(sql, " IS NULL)");
    }
}

static void put_same(const sl_query *q, sl_buf *sql, const key *k, size_t param)
{
    put_key(q, sql, k);
    if (param == 0) {
        sl_buf_str(sql, " IS NULL");
    } else {
        sl_buf_fmt(sql, "=$%zu", param);
    }
}

static sl_status check_after(const keys *order, const sl_json *after, sl_error **err)
{
    if (!sl_json_is_object(after) || order->ranked) {
        return sl_fail_field(err, SL_E_INVALID, "after",
                             "after is an object with the values of \"order\" and \"id\"");
    }
    for (const sl_json *v = sl_json_first(after); v != NULL; v = sl_json_next(v)) {
        bool known = false;
        for (size_t i = 0; i < order->n; i++) {
            known = known || strcmp(order->list[i].column.name, sl_json_key(v)) == 0;
        }
        if (!known) {
            return sl_fail_field(err, SL_E_INVALID, sl_json_key(v),
                                 "\"after\" has %s, which \"order\" has not", sl_json_key(v));
        }
    }
    return SL_OK;
}

/* Records after the one told: beyond it in the first key, or the same there and beyond it in the
 * second, and so on. */
static sl_status put_after(sl_query *q, const keys *order, const sl_json *after, sl_buf *sql,
                           sl_error **err)
{
    size_t params[KEYS_MAX] = {0};
    sl_status status = check_after(order, after, err);
    for (size_t i = 0; status == SL_OK && i < order->n; i++) {
        status = key_param(q, &order->list[i], after, &params[i], err);
    }
    if (status != SL_OK) {
        return status;
    }
    if (params[0] > 0 && !order->list[0].down) { /* says nothing new, but an index can use it */
        sl_buf_str(sql, " AND ");
        put_key(q, sql, &order->list[0]);
        sl_buf_fmt(sql, ">=$%zu", params[0]);
    }
    sl_buf_str(sql, " AND (");
    for (size_t i = 0; i < order->n; i++) {
        sl_buf_str(sql, i > 0 ? " OR (" : "(");
        for (size_t k = 0; k < i; k++) {
            put_same(q, sql, &order->list[k], params[k]);
            sl_buf_str(sql, " AND ");
        }
        put_beyond(q, sql, &order->list[i], params[i]);
        sl_buf_str(sql, ")");
    }
    sl_buf_str(sql, ")");
    return SL_OK;
}

/* --- the statement --------------------------------------------------------------------------- */

static void put_out(const sl_query *q, sl_buf *sql, const sl_out *o)
{
    const char *e = q->entity->name;
    switch (o->kind) {
    case SL_OUT_ENTITY:
    case SL_OUT_SPACE: sl_buf_str(sql, ", NULL"); break; /* known without the row, or by rid */
    case SL_OUT_SEQ: sl_buf_fmt(sql, ", \"%s\".\"seq\"", e); break;
    case SL_OUT_PENDING: sl_buf_fmt(sql, ", \"%s\".\"pending\"", e); break;
    case SL_OUT_EXT: sl_buf_fmt(sql, ", \"%s\".\"ext\"", e); break;
    case SL_OUT_FIELD: sl_buf_fmt(sql, ", \"%s\".\"%s\"", e, o->field->name); break;
    case SL_OUT_SNIPPET:
        sl_buf_fmt(sql, ", snippet(\"%s_fts\", -1, '[', ']', '\xE2\x80\xA6', 12)", e);
        break;
    }
}

/* rid, id, then what a row tells. What is not selected is not read from the file. */
static void put_columns(const sl_query *q, sl_buf *sql)
{
    sl_buf_fmt(sql, "\"%s\".\"rid\", \"%s\".\"id\"", q->entity->name, q->entity->name);
    for (size_t i = 0; i < q->out_count; i++) {
        put_out(q, sql, &q->out[i]);
    }
}

static sl_status put_search(sl_query *q, const sl_json *words, sl_buf *sql, sl_error **err)
{
    sl_buf expression = {0};
    sl_status status = sl_search_expression(sl_json_text(words), &expression, err);
    if (status == SL_OK) {
        size_t n = expression.failed
                       ? 0
                       : sl_query_param_text(q, sl_buf_text(&expression), expression.len);
        sl_buf_fmt(sql, " AND \"%s_fts\" MATCH $%zu", q->entity->name, n);
        status = n > 0 ? SL_OK : sl_fail_nomem(err);
    }
    sl_buf_free(&expression);
    return status;
}

/* CROSS JOIN keeps the order: the search first, then the few records it found. */
static void put_from(const sl_query *q, sl_buf *sql)
{
    const char *e = q->entity->name;
    sl_buf_str(sql, " FROM ");
    if (q->search) {
        sl_buf_fmt(sql, "\"%s_fts\" CROSS JOIN \"%s\" ON \"%s\".\"rid\"=\"%s_fts\".rowid", e, e, e,
                   e);
    } else {
        sl_buf_fmt(sql, "\"%s\"", e);
    }
    sl_buf_fmt(sql, " WHERE \"%s\".\"deleted\"=0", e);
}

static sl_status put_conditions(sl_query *q, const sl_json *j, const keys *order, sl_buf *sql,
                                sl_error **err)
{
    const sl_json *where = sl_json_get(j, "where");
    const sl_json *after = sl_json_get(j, "after");
    sl_status status = SL_OK;
    if (q->search) {
        status = put_search(q, sl_json_get(j, "search"), sql, err);
    }
    if (status == SL_OK && where != NULL && !sl_json_is_null(where)) {
        sl_buf_str(sql, " AND ");
        status = sl_query_where(q, where, sql, err);
    }
    if (status == SL_OK && after != NULL && !sl_json_is_null(after)) {
        status = put_after(q, order, after, sql, err);
    }
    return status;
}

static sl_status build(sl_query *q, const sl_json *j, sl_error **err)
{
    const sl_json *limit = sl_json_get(j, "limit");
    int64_t n = limit == NULL ? SL_QUERY_LIMIT_DEFAULT : sl_json_int_or(j, "limit", 0);
    if (n < 1 || n > SL_QUERY_LIMIT_MAX) {
        return sl_fail_field(err, SL_E_INVALID, "limit", "limit must be from 1 to %d",
                             SL_QUERY_LIMIT_MAX);
    }
    keys order = {0};
    sl_status status = read_order(q, sl_json_get(j, "order"), &order, err);
    if (status != SL_OK) {
        return status;
    }
    sl_buf sql = {0};
    sl_buf_str(&sql, "SELECT ");
    if (q->count) {
        sl_buf_str(&sql, "count(*)");
    } else {
        put_columns(q, &sql);
    }
    put_from(q, &sql);
    status = put_conditions(q, j, &order, &sql, err);
    if (!q->count) {
        put_order(q, &order, &sql);
        sl_buf_fmt(&sql, " LIMIT %lld", (long long)n);
    }
    if (status == SL_OK) {
        q->sql = sql.failed ? NULL : sl_text_dup(sl_buf_text(&sql));
        status = q->sql != NULL ? SL_OK : sl_fail_nomem(err);
    }
    sl_buf_free(&sql);
    return status;
}

/* --- reading --------------------------------------------------------------------------------- */

static sl_status check_keys(const sl_json *j, sl_error **err)
{
    static const char *const known[] = {"from",  "where", "order",  "limit",  "select",
                                        "count", "after", "search", "snippet"};
    for (const sl_json *v = sl_json_first(j); v != NULL; v = sl_json_next(v)) {
        bool any = false;
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
            any = any || strcmp(known[i], sl_json_key(v)) == 0;
        }
        if (!any) {
            return sl_fail_field(err, SL_E_INVALID, sl_json_key(v), "a query has no part \"%s\"",
                                 sl_json_key(v));
        }
    }
    return SL_OK;
}

static sl_status read_flag(const sl_json *j, const char *name, bool *out, sl_error **err)
{
    const sl_json *v = sl_json_get(j, name);
    *out = sl_json_truth(v);
    return v == NULL || sl_json_is_bool(v)
               ? SL_OK
               : sl_fail_field(err, SL_E_INVALID, name, "%s is true or false", name);
}

static sl_status read_search(sl_query *q, const sl_json *j, sl_error **err)
{
    const sl_json *v = sl_json_get(j, "search");
    q->search = v != NULL && !sl_json_is_null(v);
    if (q->search && !sl_json_is_string(v)) {
        return sl_fail_field(err, SL_E_INVALID, "search", "search is the words to find");
    }
    if (q->search && !sl_search_covers(q->entity)) {
        return sl_fail_field(err, SL_E_INVALID, "search", "%s has no searched text",
                             q->entity->name);
    }
    sl_status status = read_flag(j, "snippet", &q->snippet, err);
    if (status == SL_OK && q->snippet && !q->search) {
        status = sl_fail_field(err, SL_E_INVALID, "snippet", "a snippet goes with a search");
    }
    return status;
}

static void add_out(sl_query *q, sl_out_kind kind, const sl_field *f)
{
    q->out[q->out_count++] = (sl_out){kind, f};
}

static const struct {
    const char *name;
    sl_out_kind kind;
} NAMED[] = {{"entity", SL_OUT_ENTITY},
             {"space", SL_OUT_SPACE},
             {"seq", SL_OUT_SEQ},
             {"pending", SL_OUT_PENDING}};

enum {
    NAMED_COUNT = sizeof NAMED / sizeof NAMED[0]
};

static bool has_out(const sl_query *q, sl_out_kind kind, const sl_field *f)
{
    bool any = false;
    for (size_t i = 0; i < q->out_count; i++) {
        any = any || (q->out[i].kind == kind && q->out[i].field == f);
    }
    return any;
}

static sl_status select_one(sl_query *q, const char *name, sl_error **err)
{
    const sl_field *f = name != NULL ? sl_field_find(q->entity, name) : NULL;
    sl_out_kind kind = SL_OUT_FIELD;
    bool known = f != NULL;
    for (size_t i = 0; !known && name != NULL && i < NAMED_COUNT; i++) {
        known = strcmp(name, NAMED[i].name) == 0;
        kind = known ? NAMED[i].kind : kind;
    }
    if (known && !has_out(q, kind, f)) {
        add_out(q, kind, f);
    }
    return known || (name != NULL && strcmp(name, "id") == 0)
               ? SL_OK
               : sl_fail_field(err, SL_E_INVALID, "select", "%s has no field \"%s\"",
                               q->entity->name, name != NULL ? name : "");
}

static sl_status read_select(sl_query *q, const sl_json *list, sl_error **err)
{
    sl_status status = SL_OK;
    if (list == NULL || sl_json_is_null(list)) {
        for (size_t i = 0; i < NAMED_COUNT; i++) {
            add_out(q, NAMED[i].kind, NULL);
        }
        add_out(q, SL_OUT_EXT, NULL);
        for (size_t i = 0; i < q->entity->field_count; i++) {
            add_out(q, SL_OUT_FIELD, &q->entity->fields[i]);
        }
    } else if (!sl_json_is_array(list)) {
        return sl_fail_field(err, SL_E_INVALID, "select", "select is a list of fields");
    }
    for (const sl_json *v = sl_json_first(list); status == SL_OK && v != NULL;
         v = sl_json_next(v)) {
        status = select_one(q, sl_json_text(v), err);
    }
    if (q->snippet) {
        add_out(q, SL_OUT_SNIPPET, NULL);
    }
    return status;
}

sl_status sl_query_parse(const sl_json *j, sl_query **out, sl_error **err)
{
    *out = NULL;
    const sl_entity *e = sl_entity_find(sl_json_str(j, "from"));
    if (e == NULL) {
        return sl_fail_field(err, SL_E_INVALID, "from", "a query names a known entity in \"from\"");
    }
    sl_query *q = sl_mem(sizeof *q);
    if (q == NULL) {
        return sl_fail_nomem(err);
    }
    q->entity = e;
    sl_status status = check_keys(j, err);
    if (status == SL_OK) {
        status = read_flag(j, "count", &q->count, err);
    }
    if (status == SL_OK) {
        status = read_search(q, j, err);
    }
    if (status == SL_OK) {
        status = read_select(q, sl_json_get(j, "select"), err);
    }
    if (status == SL_OK) {
        status = build(q, j, err);
    }
    if (status != SL_OK) {
        sl_query_free(q);
        return status;
    }
    *out = q;
    return SL_OK;
}

bool sl_query_concerns(const sl_query *q, const sl_entity *e, const char *space)
{
    return q->entity == e && (q->space[0] == 0 || strcmp(q->space, space) == 0);
}

/* --- running --------------------------------------------------------------------------------- */

typedef struct rows {
    sl_store *store;
    const sl_query *query;
    sl_buf *out;
    sl_query_row fn;
    void *ctx;
    sl_status status;
    sl_error **err;
} rows;

static sl_status unreadable(const rows *r)
{
    return sl_fail(r->err, SL_E_CORRUPT, "a stored %s record cannot be read",
                   r->query->entity->name);
}

static void put_name(sl_buf *out, const char *name)
{
    sl_buf_put(out, ",\"", 2);
    sl_buf_str(out, name);
    sl_buf_put(out, "\":", 2);
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

static void put_space_name(rows *r, int64_t rid)
{
    char name[SL_SPACE_MAX];
    r->status = sl_space_of(r->store, rid >> 32, name, r->err);
    if (r->status == SL_OK) {
        put_name(r->out, "space");
        sl_json_put_text(r->out, name, strlen(name));
    }
}

static void put_member(rows *r, const sl_out *o, const sl_cell *c, int64_t rid)
{
    sl_buf *out = r->out;
    bool damaged = false;
    switch (o->kind) {
    case SL_OUT_ENTITY:
        put_name(out, "entity");
        sl_json_put_text(out, r->query->entity->name, strlen(r->query->entity->name));
        break;
    case SL_OUT_SPACE: put_space_name(r, rid); break;
    case SL_OUT_SEQ:
        put_name(out, "seq");
        sl_json_put_int(out, c->i);
        break;
    case SL_OUT_PENDING:
        put_name(out, "pending");
        sl_buf_str(out, c->kind != SL_CELL_NULL ? "true" : "false");
        break;
    case SL_OUT_EXT:
        damaged =
            c->kind == SL_CELL_TEXT && (c->text[0] != '{' || !sl_json_ok(c->text, c->len));
        if (c->kind == SL_CELL_TEXT && !damaged) {
            sl_ext_put_public(out, c->text, c->len);
        }
        break;
    case SL_OUT_FIELD:
        if (c->kind != SL_CELL_NULL) {
            put_name(out, o->field->name);
            damaged = !put_field_value(out, o->field, c);
        }
        break;
    case SL_OUT_SNIPPET:
        put_name(out, "snippet");
        sl_json_put_text(out, c->kind == SL_CELL_TEXT ? c->text : "",
                         c->kind == SL_CELL_TEXT ? c->len : 0);
        break;
    }
    if (damaged) {
        r->status = unreadable(r);
    }
}

static bool take_row(void *ctx, const sl_cell *cells, size_t n)
{
    rows *r = ctx;
    const sl_query *q = r->query;
    size_t from = r->out->len;
    char id[SL_UUID_LEN + 1] = "";
    (void)n;
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
        put_member(r, &q->out[i], &cells[2 + i], cells[0].i);
    }
    sl_buf_u8(r->out, '}');
    if (r->status == SL_OK && (r->out->failed || !r->fn(r->ctx, id, from))) {
        r->status = sl_fail_nomem(r->err);
    }
    return r->status == SL_OK;
}

sl_status sl_store_query(sl_store *s, const sl_query *q, sl_buf *out, sl_query_row fn, void *ctx,
                         sl_error **err)
{
    rows r = {s, q, out, fn, ctx, SL_OK, err};
    sl_status status = sl_sql_run(s->sql, q->sql, q->params, q->param_count, take_row, &r, err);
    return status != SL_OK ? status : r.status;
}
