/* Queries: read against the schema, compiled to one prepared statement, run. */
#include "store/query.h"

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
        sl_cells_free(q->params, q->param_count);
        sl_mem_free(q->params);
        sl_json_free(q->select);
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

/* The id breaks every tie. */
static sl_status read_order(const sl_query *q, const sl_json *order, keys *to, sl_error **err)
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
    return by_id ? SL_OK : add_order(q, to, "id", err);
}

static void put_key(const sl_query *q, sl_buf *sql, const key *k)
{
    sl_buf_fmt(sql, k->unsent ? "(\"%s\".\"%s\"=0)" : "\"%s\".\"%s\"", q->entity->name,
               k->column.name);
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
    sl_status status = sl_query_check_value(&k->column, v, err);
    if (status != SL_OK) {
        return status;
    }
    *out = sl_query_param(q, v);
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

static bool selected(const sl_query *q, const char *name)
{
    bool any = q->select == NULL;
    for (const sl_json *v = sl_json_first(q->select); v != NULL; v = sl_json_next(v)) {
        any = any || strcmp(sl_json_text(v), name) == 0;
    }
    return any;
}

/* As sl_record_from_cells reads them. What is not selected is not read from the file. */
static void put_columns(const sl_query *q, sl_buf *sql)
{
    const char *e = q->entity->name;
    sl_buf_fmt(sql, "\"%s\".\"id\", \"%s\".\"space\", \"%s\".\"seq\", 0, '{}', ", e, e, e);
    if (q->select == NULL) {
        sl_buf_fmt(sql, "\"%s\".\"ext\"", e);
    } else {
        sl_buf_str(sql, "NULL");
    }
    for (size_t i = 0; i < q->entity->field_count; i++) {
        const char *name = q->entity->fields[i].name;
        if (selected(q, name)) {
            sl_buf_fmt(sql, ", \"%s\".\"%s\"", e, name);
        } else {
            sl_buf_str(sql, ", NULL");
        }
    }
    if (q->snippet) {
        sl_buf_fmt(sql, ", snippet(\"%s_fts\", -1, '[', ']', '\xE2\x80\xA6', 12)", e);
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
        sl_buf_fmt(sql, "\"%s_fts\" CROSS JOIN \"%s\" ON \"%s\".rowid=\"%s_fts\".rowid", e, e, e,
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

static sl_status read_select(sl_query *q, const sl_json *list, sl_error **err)
{
    if (list == NULL || sl_json_is_null(list)) {
        q->pending = true;
        return SL_OK;
    }
    if (!sl_json_is_array(list) || sl_json_count(list) > SL_CELLS_MAX) {
        return sl_fail_field(err, SL_E_INVALID, "select", "select is a list of fields");
    }
    for (const sl_json *v = sl_json_first(list); v != NULL; v = sl_json_next(v)) {
        sl_column c;
        const char *name = sl_json_text(v);
        bool pending = name != NULL && strcmp(name, "pending") == 0;
        bool entity = name != NULL && strcmp(name, "entity") == 0;
        if (!pending && !entity && !sl_query_column(q->entity, name, &c)) {
            return sl_fail_field(err, SL_E_INVALID, "select", "%s has no field \"%s\"",
                                 q->entity->name, name != NULL ? name : "");
        }
        q->pending = q->pending || pending;
    }
    q->select = sl_json_clone(list);
    return q->select != NULL ? SL_OK : sl_fail_nomem(err);
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
    bool (*fn)(void *ctx, sl_json *row);
    void *ctx;
    sl_status status;
    sl_error **err;
} rows;

/* The selected part of a row, which is freed. NULL: out of memory. */
static sl_json *project(const sl_query *q, sl_json *row)
{
    sl_json *out = row != NULL ? sl_json_object() : NULL;
    bool ok = out != NULL && sl_json_set_str(out, "id", sl_json_str(row, "id"));
    for (const sl_json *v = sl_json_first(q->select); ok && v != NULL; v = sl_json_next(v)) {
        const sl_json *value = sl_json_get(row, sl_json_text(v));
        ok = value == NULL || sl_json_set(out, sl_json_text(v), sl_json_clone(value));
    }
    sl_json_free(row);
    if (!ok) {
        sl_json_free(out);
        return NULL;
    }
    return out;
}

static sl_json *count_row(int64_t n)
{
    sl_json *row = sl_json_object();
    if (row != NULL && !sl_json_set_int(row, "count", n)) {
        sl_json_free(row);
        return NULL;
    }
    return row;
}

static sl_json *record_row(rows *r, const sl_cell *cells, size_t n)
{
    const sl_query *q = r->query;
    sl_record rec;
    r->status = sl_record_from_cells(&rec, q->entity, cells, r->err);
    if (r->status != SL_OK) {
        return NULL;
    }
    sl_json *row =
        sl_record_to_public(&rec, q->pending && sl_store_pending(r->store, q->entity, rec.id));
    sl_record_free(&rec);
    if (q->select != NULL) {
        row = project(q, row);
    }
    const char *snippet = cells[n - 1].text;
    if (row != NULL && q->snippet &&
        !sl_json_set_str(row, "snippet", snippet != NULL ? snippet : "")) {
        sl_json_free(row);
        row = NULL;
    }
    return row;
}

static bool take_row(void *ctx, const sl_cell *cells, size_t n)
{
    rows *r = ctx;
    sl_json *row = r->query->count ? count_row(cells[0].i) : record_row(r, cells, n);
    if (row == NULL) {
        r->status = r->status != SL_OK ? r->status : sl_fail_nomem(r->err);
        return false;
    }
    return r->fn(r->ctx, row);
}

sl_status sl_store_query(sl_store *s, const sl_query *q, bool (*fn)(void *ctx, sl_json *row),
                         void *ctx, sl_error **err)
{
    rows r = {s, q, fn, ctx, SL_OK, err};
    sl_status status = sl_sql_run(s->sql, q->sql, q->params, q->param_count, take_row, &r, err);
    return status != SL_OK ? status : r.status;
}
