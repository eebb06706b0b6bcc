/* Queries: read against the schema, compiled to one prepared statement, run. */
#include "store/query.h"

#include "base/error.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

/* One expression of the order. "seq" and places make two: what has none is not accepted yet and sorts
 * after all that is. */
typedef struct key {
    sl_column column;
    const char *unsent; /* it is asked whether there is none, by this; NULL: for the value */
    bool down;
} key;

enum {
    KEYS_MAX = SL_QUERY_KEYS_MAX
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
        sl_mem_free(q->plain);
        sl_mem_free(q->one);
        sl_mem_free(q);
    }
}

/* --- order and window ------------------------------------------------------------------------ */

static bool is_place(const sl_entity *e, const char *name)
{
    return e->place_field >= 0 && strcmp(e->fields[e->place_field].name, name) == 0;
}

static sl_status add_order(const sl_query *q, keys *to, const char *name, sl_error **err)
{
    key k = {.down = name != NULL && name[0] == '-'};
    if (!sl_query_column(q->entity, k.down ? name + 1 : name, &k.column) ||
        k.column.type == SL_T_JSON) {
        return sl_fail_field(err, SL_E_INVALID, "order", "a query is ordered by fields of %s",
                             q->entity->name);
    }
    bool seq = strcmp(k.column.name, "seq") == 0;
    if (seq || is_place(q->entity, k.column.name)) {
        to->list[to->n++] = (key){k.column, seq ? "=0" : " IS NULL", k.down};
    }
    to->list[to->n++] = k;
    return SL_OK;
}

static bool has_index(const sl_entity *e, const keys *order)
{
    const sl_field *f = sl_field_find(e, order->list[0].column.name);
    return f != NULL && (f->ordered || is_place(e, f->name));
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
    sl_buf_str(sql, k->unsent != NULL ? "(" : "");
    sl_query_put_column(q, sql, &k->column);
    if (k->unsent != NULL) {
        sl_buf_fmt(sql, "%s)", k->unsent);
    }
}

/* Places, of which a space has each once, and nothing without one: an index gives them in order, up or
 * down, and whichever way ids go. */
static bool by_place_alone(const sl_query *q, const keys *order)
{
    return q->placed && q->indexed && q->space[0] != 0 && order->n == 3 &&
           order->list[0].unsent != NULL;
}

static void put_order(const sl_query *q, const keys *order, sl_buf *sql)
{
    sl_buf_str(sql, " ORDER BY ");
    if (order->ranked) {
        sl_buf_fmt(sql, "bm25(\"%s_fts\"), ", q->entity->name);
    }
    bool placed = by_place_alone(q, order);
    for (size_t i = placed ? 1 : 0; i < order->n; i++) {
        bool down = order->list[placed ? 1 : i].down;
        sl_buf_str(sql, i > (placed ? 1 : 0) ? ", " : "");
        put_key(q, sql, &order->list[i]);
        sl_buf_str(sql, down ? " DESC" : "");
    }
}

/* The number of the parameter that holds this key of the last record seen: *out 0 for null. */
static sl_status key_param(sl_query *q, const key *k, const sl_json *after, size_t *out,
                           sl_error **err)
{
    const sl_json *v = sl_json_get(after, k->column.name);
    bool none = v == NULL || sl_json_is_null(v);
    *out = 0;
    if (k->unsent != NULL && k->column.nullable) { /* of a place */
        *out = sl_query_param_int(q, none ? 1 : 0);
        return *out > 0 ? SL_OK : sl_fail_nomem(err);
    }
    if (none) {
        return k->column.nullable ? SL_OK
                                  : sl_fail_field(err, SL_E_INVALID, k->column.name,
                                                  "\"after\" needs %s", k->column.name);
    }
    sl_status status = sl_query_check_rank(&k->column, v, err);
    if (status != SL_OK) {
        return status;
    }
    *out = sl_query_param(q, &k->column, v);
    if (*out > 0 && k->unsent != NULL) {
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
    bool or_null = k->down && k->column.nullable && k->unsent == NULL;
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
    case SL_OUT_GIVEN:
    case SL_OUT_ENTITY:
    case SL_OUT_SPACE: break; /* known without the row, or by rid */
    case SL_OUT_SEQ: sl_buf_fmt(sql, ", \"%s\".\"seq\"", e); break;
    case SL_OUT_PENDING: sl_buf_fmt(sql, ", \"%s\".\"pending\"", e); break;
    case SL_OUT_EXT: sl_buf_fmt(sql, ", \"%s\".\"ext\"", e); break;
    case SL_OUT_FIELD: sl_buf_fmt(sql, ", \"%s\".\"%s\"", e, o->field->name); break;
    case SL_OUT_SNIPPET:
        sl_buf_fmt(sql, ", snippet(\"%s_fts\", -1, '[', ']', '\xE2\x80\xA6', 12)", e);
        break;
    }
}

/* rid (when it is not known whose space it tells), id, then what a row tells. What is not selected is
 * not read from the file. */
static void put_columns(const sl_query *q, sl_buf *sql)
{
    if (q->space[0] != 0) {
        sl_buf_str(sql, "NULL");
    } else {
        sl_buf_fmt(sql, "\"%s\".\"rid\"", q->entity->name);
    }
    sl_buf_fmt(sql, ", \"%s\".\"id\"", q->entity->name);
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

/* Records of one space lie together: a few of them are read as they lie and sorted by us, which
 * costs less than to let SQLite copy every row into a sorter and out of it. */
static bool sorts_itself(const sl_query *q, const keys *order)
{
    return !q->count && !q->search && !q->indexed && q->space[0] != 0 &&
           q->column_count + order->n <= SL_CELLS_MAX;
}

/* The column of a row that has the key's value; 0: none has. */
static size_t column_of(const sl_query *q, const key *k)
{
    if (k->unsent == NULL && strcmp(k->column.name, "id") == 0) {
        return SL_QUERY_ID;
    }
    for (size_t i = 0; k->unsent == NULL && i < q->out_count; i++) {
        const sl_out *o = &q->out[i];
        if ((o->kind == SL_OUT_FIELD && strcmp(k->column.name, o->field->name) == 0) ||
            (o->kind == SL_OUT_SEQ && strcmp(k->column.name, "seq") == 0)) {
            return o->column;
        }
    }
    return 0;
}

/* Keys that no column has become columns behind the others. */
static void put_keys(sl_query *q, const keys *order, sl_buf *sql)
{
    size_t at = q->column_count;
    for (size_t i = 0; i < order->n; i++) {
        q->down[i] = order->list[i].down;
        q->key_at[i] = column_of(q, &order->list[i]);
        if (q->key_at[i] == 0) {
            sl_buf_str(sql, ", ");
            put_key(q, sql, &order->list[i]);
            q->key_at[i] = at++;
        }
    }
    q->key_count = order->n;
}

static char *taken(sl_buf *sql, const sl_buf *rest)
{
    char *text = sql->failed || rest->failed ? NULL : sl_text_dup(sl_buf_text(sql));
    sl_buf_free(sql);
    return text;
}

static char *ordered(sl_query *q, const keys *order, const sl_buf *rest)
{
    sl_buf sql = {0};
    sl_buf_str(&sql, "SELECT ");
    if (q->count) {
        sl_buf_str(&sql, "count(*)");
    } else {
        put_columns(q, &sql);
    }
    q->rest_at = sql.len;
    q->rest_len = rest->len;
    sl_buf_put(&sql, rest->data, rest->len);
    if (!q->count) {
        put_order(q, order, &sql);
        sl_buf_fmt(&sql, " LIMIT %lld", (long long)q->limit);
    }
    return taken(&sql, rest);
}

/* For sl_sql_gather, with the keys as columns. */
static char *plain(sl_query *q, const keys *order, const sl_buf *rest)
{
    sl_buf sql = {0};
    sl_buf_str(&sql, "SELECT sl_row(");
    put_columns(q, &sql);
    put_keys(q, order, &sql);
    sl_buf_u8(&sql, ')');
    sl_buf_put(&sql, rest->data, rest->len);
    return taken(&sql, rest);
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
    q->limit = n;
    sl_buf rest = {0}; /* from FROM on */
    put_from(q, &rest);
    status = put_conditions(q, j, &order, &rest, err);
    if (status == SL_OK) {
        q->sql = ordered(q, &order, &rest);
        status = q->sql != NULL ? SL_OK : sl_fail_nomem(err);
    }
    if (status == SL_OK && sorts_itself(q, &order)) {
        q->plain = plain(q, &order, &rest);
        status = q->plain != NULL ? SL_OK : sl_fail_nomem(err);
    }
    sl_buf_free(&rest);
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

/* False: out of memory. */
static bool add_out(sl_query *q, sl_out_kind kind, const sl_field *f, const char *name)
{
    char text[80];
    int len = snprintf(text, sizeof text, ",\"%s\":", name);
    bool free_of_row = kind == SL_OUT_ENTITY || kind == SL_OUT_SPACE;
    sl_out *out = &q->out[q->out_count++];
    *out = (sl_out){.kind = kind, .field = f, .key_len = (size_t)len};
    q->tells_space = q->tells_space || kind == SL_OUT_SPACE;
    out->key = sl_arena_text(&q->mem, text, (size_t)len);
    out->column = free_of_row ? 0 : q->column_count++;
    return out->key != NULL;
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
        return add_out(q, kind, f, name) ? SL_OK : sl_fail_nomem(err);
    }
    return known || (name != NULL && strcmp(name, "id") == 0)
               ? SL_OK
               : sl_fail_field(err, SL_E_INVALID, "select", "%s has no field \"%s\"",
                               q->entity->name, name != NULL ? name : "");
}

static bool select_all(sl_query *q)
{
    bool ok = true;
    for (size_t i = 0; ok && i < NAMED_COUNT; i++) {
        ok = add_out(q, NAMED[i].kind, NULL, NAMED[i].name);
    }
    ok = ok && add_out(q, SL_OUT_EXT, NULL, "");
    for (size_t i = 0; ok && i < q->entity->field_count; i++) {
        ok = add_out(q, SL_OUT_FIELD, &q->entity->fields[i], q->entity->fields[i].name);
    }
    return ok;
}

static sl_status read_select(sl_query *q, const sl_json *list, sl_error **err)
{
    sl_status status = SL_OK;
    if (list == NULL || sl_json_is_null(list)) {
        status = select_all(q) ? SL_OK : sl_fail_nomem(err);
    } else if (!sl_json_is_array(list)) {
        return sl_fail_field(err, SL_E_INVALID, "select", "select is a list of fields");
    }
    for (const sl_json *v = sl_json_first(list); status == SL_OK && v != NULL;
         v = sl_json_next(v)) {
        status = select_one(q, sl_json_text(v), err);
    }
    if (status == SL_OK && q->snippet && !add_out(q, SL_OUT_SNIPPET, NULL, "snippet")) {
        status = sl_fail_nomem(err);
    }
    return status;
}

/* What is the same in every row is written once: the entity, and the space of a query that is of one.
 * False: out of memory. */
static bool settle(sl_query *q)
{
    sl_buf text = {0};
    bool ok = true;
    for (size_t i = 0; ok && i < q->out_count; i++) {
        sl_out *o = &q->out[i];
        const char *value = o->kind == SL_OUT_ENTITY  ? q->entity->name
                            : o->kind == SL_OUT_SPACE ? q->space
                                                      : "";
        if (value[0] != 0) {
            sl_buf_clear(&text);
            sl_buf_put(&text, o->key, o->key_len);
            sl_json_put_text(&text, value, strlen(value));
            o->kind = SL_OUT_GIVEN;
            o->key_len = text.len;
            o->key = text.failed ? NULL : sl_arena_text(&q->mem, sl_buf_text(&text), text.len);
            ok = o->key != NULL;
        }
    }
    q->tells_space = q->tells_space && q->space[0] == 0;
    sl_buf_free(&text);
    return ok;
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
    q->column_count = 2;
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
    if (status == SL_OK && !settle(q)) {
        status = sl_fail_nomem(err);
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

bool sl_query_is_plain(const sl_query *q)
{
    return !q->count && !q->search;
}

bool sl_query_is_cut(const sl_query *q, size_t rows)
{
    return (int64_t)rows >= q->limit;
}
