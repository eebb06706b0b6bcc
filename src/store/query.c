/* Queries: parsed against the schema, compiled to one prepared statement, never string-pasted:
 * only names that the schema knows reach the SQL text. */
#include "store/inside.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

enum {
    CONDITIONS_MAX = 8,
    ORDER_MAX = 4,
    LIMIT_MAX = 10000,
    LIMIT_DEFAULT = 1000
};

struct sl_query {
    const sl_entity *entity;
    char space[SL_SPACE_MAX]; /* "" when any */
    char *sql;
    sl_cell params[CONDITIONS_MAX];
    size_t param_count;
};

void sl_query_free(sl_query *q)
{
    if (q != NULL) {
        sl_cells_free(q->params, CONDITIONS_MAX);
        sl_mem_free(q->sql);
        sl_mem_free(q);
    }
}

/* A column the outside may name: a field, or one of the fixed ones. */
static bool known_column(const sl_entity *e, const char *name)
{
    return sl_field_find(e, name) != NULL || strcmp(name, "id") == 0 ||
           strcmp(name, "space") == 0 || strcmp(name, "seq") == 0;
}

static bool to_cell(sl_cell *out, const sl_json *v)
{
    if (sl_json_is_string(v)) {
        *out = (sl_cell){SL_CELL_TEXT, 0, 0, sl_text_dup(sl_json_text(v))};
        return out->text != NULL;
    }
    if (sl_json_is_bool(v)) {
        *out = (sl_cell){SL_CELL_INT, sl_json_truth(v) ? 1 : 0, 0, NULL};
    } else if (sl_json_is_int(v)) {
        *out = (sl_cell){SL_CELL_INT, (int64_t)sl_json_value(v), 0, NULL};
    } else {
        *out = (sl_cell){SL_CELL_REAL, 0, sl_json_value(v), NULL};
    }
    return true;
}

static sl_status add_condition(sl_query *q, sl_buf *sql, const sl_json *v, sl_error **err)
{
    const char *name = sl_json_key(v);
    if (!known_column(q->entity, name)) {
        return sl_fail_field(err, SL_E_INVALID, name, "%s has no field \"%s\"", q->entity->name,
                             name);
    }
    if (sl_json_is_null(v)) {
        sl_buf_fmt(sql, " AND \"%s\" IS NULL", name);
        return SL_OK;
    }
    if (!sl_json_is_string(v) && !sl_json_is_number(v) && !sl_json_is_bool(v)) {
        return sl_fail_field(err, SL_E_INVALID, name, "a condition must be a plain value");
    }
    if (q->param_count == CONDITIONS_MAX) {
        return sl_fail(err, SL_E_LIMIT, "a query has at most %d conditions", CONDITIONS_MAX);
    }
    if (strcmp(name, "space") == 0 && sl_json_is_string(v)) {
        (void)snprintf(q->space, sizeof q->space, "%s", sl_json_text(v));
    }
    if (!to_cell(&q->params[q->param_count], v)) {
        return sl_fail_nomem(err);
    }
    q->param_count++;
    sl_buf_fmt(sql, " AND \"%s\"=$%zu", name, q->param_count);
    return SL_OK;
}

/* seq 0 is not accepted yet: it sorts after all that is. */
static sl_status add_order(const sl_query *q, sl_buf *sql, const sl_json *order, sl_error **err)
{
    if (sl_json_count(order) > ORDER_MAX) {
        return sl_fail(err, SL_E_LIMIT, "a query is ordered by at most %d fields", ORDER_MAX);
    }
    sl_buf_str(sql, " ORDER BY ");
    for (const sl_json *v = sl_json_first(order); v != NULL; v = sl_json_next(v)) {
        const char *name = sl_json_text(v);
        bool down = name != NULL && name[0] == '-';
        name = down ? name + 1 : name;
        if (name == NULL || !known_column(q->entity, name)) {
            return sl_fail_field(err, SL_E_INVALID, "order", "a query is ordered by fields");
        }
        const char *way = down ? " DESC" : "";
        if (strcmp(name, "seq") == 0) {
            sl_buf_fmt(sql, "(\"seq\"=0)%s, ", way);
        }
        sl_buf_fmt(sql, "\"%s\"%s, ", name, way);
    }
    sl_buf_str(sql, "\"id\"");
    return SL_OK;
}

static sl_status build(sl_query *q, const sl_json *j, sl_error **err)
{
    int64_t limit = sl_json_int_or(j, "limit", LIMIT_DEFAULT);
    if (limit < 1 || limit > LIMIT_MAX) {
        return sl_fail_field(err, SL_E_INVALID, "limit", "limit must be from 1 to %d", LIMIT_MAX);
    }
    sl_buf sql = {0};
    sl_buf_fmt(&sql, "%s WHERE \"deleted\"=0", q->entity->select_sql);
    sl_status status = SL_OK;
    const sl_json *where = sl_json_get(j, "where");
    if (where != NULL && !sl_json_is_object(where) && !sl_json_is_null(where)) {
        status = sl_fail_field(err, SL_E_INVALID, "where", "where names fields and their values");
    }
    for (const sl_json *v = sl_json_first(where); status == SL_OK && v != NULL;
         v = sl_json_next(v)) {
        status = add_condition(q, &sql, v, err);
    }
    if (status == SL_OK) {
        status = add_order(q, &sql, sl_json_get(j, "order"), err);
    }
    sl_buf_fmt(&sql, " LIMIT %lld", (long long)limit);
    if (status == SL_OK) {
        q->sql = sql.failed ? NULL : sl_text_dup(sl_buf_text(&sql));
        status = q->sql != NULL ? SL_OK : sl_fail_nomem(err);
    }
    sl_buf_free(&sql);
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
    sl_status status = build(q, j, err);
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

typedef struct rows {
    sl_store *store;
    const sl_entity *entity;
    bool (*fn)(void *ctx, sl_json *row);
    void *ctx;
    sl_status status;
    sl_error **err;
} rows;

static bool take_row(void *ctx, const sl_cell *cells, size_t n)
{
    rows *r = ctx;
    (void)n;
    sl_record rec;
    r->status = sl_record_from_cells(&rec, r->entity, cells, r->err);
    if (r->status != SL_OK) {
        return false;
    }
    sl_json *row = sl_record_to_public(&rec, sl_store_pending(r->store, r->entity, rec.id));
    sl_record_free(&rec);
    if (row == NULL) {
        r->status = sl_fail_nomem(r->err);
        return false;
    }
    return r->fn(r->ctx, row);
}

sl_status sl_store_query(sl_store *s, const sl_query *q, bool (*fn)(void *ctx, sl_json *row),
                         void *ctx, sl_error **err)
{
    rows r = {s, q->entity, fn, ctx, SL_OK, err};
    sl_status status = sl_sql_run(s->sql, q->sql, q->params, q->param_count, take_row, &r, err);
    return status != SL_OK ? status : r.status;
}
