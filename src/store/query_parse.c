/* The conditions of a query: from JSON to one SQL expression. */
#include "store/query.h"

#include "base/base64.h"
#include "base/error.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

typedef struct parse {
    sl_query *q;
    sl_buf *sql;
    size_t conditions;
    sl_error **err;
} parse;

bool sl_query_column(const sl_entity *e, const char *name, sl_column *out)
{
    static const sl_column fixed[] = {
        {"id", SL_T_REF, false}, {"space", SL_T_TEXT, false}, {"seq", SL_T_INT, false}};
    if (name == NULL) {
        return false;
    }
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
        if (strcmp(name, fixed[i].name) == 0) {
            *out = fixed[i];
            return true;
        }
    }
    const sl_field *f = sl_field_find(e, name);
    if (f != NULL) {
        *out = (sl_column){f->name, f->type, true};
    }
    return f != NULL;
}

sl_status sl_query_check_value(const sl_column *c, const sl_json *v, sl_error **err)
{
    const char *wanted = NULL;
    switch (c->type) {
    case SL_T_TEXT:
    case SL_T_REF:
    case SL_T_BLOB:
    case SL_T_ENUM: wanted = sl_json_is_string(v) ? NULL : "text"; break;
    case SL_T_INT: wanted = sl_json_is_int(v) ? NULL : "a whole number"; break;
    case SL_T_REAL: wanted = sl_json_is_number(v) ? NULL : "a number"; break;
    case SL_T_BOOL: wanted = sl_json_is_bool(v) ? NULL : "true or false"; break;
    case SL_T_JSON: wanted = "null: there is nothing else to compare it with"; break;
    }
    return wanted == NULL ? SL_OK
                          : sl_fail_field(err, SL_E_INVALID, c->name, "a query compares %s with %s",
                                          c->name, wanted);
}

sl_status sl_query_check_rank(const sl_column *c, const sl_json *v, sl_error **err)
{
    uint8_t bytes[32];
    const char *text = sl_json_text(v);
    sl_status status = sl_query_check_value(c, v, err);
    bool whole =
        status != SL_OK || (c->type != SL_T_REF && c->type != SL_T_BLOB) ||
        (c->type == SL_T_REF ? sl_uuid_ok(text) : sl_hex_decode(bytes, sizeof bytes, text));
    return whole ? status
                 : sl_fail_field(err, SL_E_INVALID, c->name, "a query ranks %s by whole ids",
                                 c->name);
}

static size_t add_param(sl_query *q, sl_cell cell)
{
    if (q->param_count == q->param_room) {
        size_t room = q->param_room > 0 ? q->param_room * 2 : 4;
        sl_cell *more = sl_mem_resize(q->params, room, sizeof *more);
        if (more == NULL) {
            return 0;
        }
        q->params = more;
        q->param_room = room;
    }
    if (!sl_cell_keep(&cell, &q->mem)) {
        return 0;
    }
    q->params[q->param_count++] = cell;
    return q->param_count;
}

size_t sl_query_param_int(sl_query *q, int64_t v)
{
    return add_param(q, sl_cell_int(v));
}

size_t sl_query_param_text(sl_query *q, const char *text, size_t len)
{
    return add_param(q, sl_cell_text_n(text, len));
}

/* Ids and names of blobs are bytes in the database. Other text is equal to none of them. */
size_t sl_query_param(sl_query *q, const sl_column *c, const sl_json *v)
{
    uint8_t bytes[32];
    const char *text = sl_json_text(v);
    if (text != NULL && c->type == SL_T_REF && sl_uuid_decode(bytes, text)) {
        return add_param(q, sl_cell_blob(bytes, SL_UUID_BYTES));
    }
    if (text != NULL && c->type == SL_T_BLOB && sl_hex_decode(bytes, sizeof bytes, text)) {
        return add_param(q, sl_cell_blob(bytes, sizeof bytes));
    }
    if (text != NULL) {
        return sl_query_param_text(q, text, strlen(text));
    }
    if (sl_json_is_bool(v)) {
        return add_param(q, sl_cell_int(sl_json_truth(v) ? 1 : 0));
    }
    return add_param(q, sl_json_is_int(v) ? sl_cell_int((int64_t)sl_json_value(v))
                                          : sl_cell_real(sl_json_value(v)));
}

void sl_query_put_column(const sl_query *q, sl_buf *sql, const sl_column *c)
{
    const char *e = q->entity->name;
    if (strcmp(c->name, "space") == 0) {
        sl_buf_fmt(sql, "(SELECT name FROM space WHERE no=\"%s\".\"rid\">>32)", e);
    } else {
        sl_buf_fmt(sql, "\"%s\".\"%s\"", e, c->name);
    }
}

static void put_column(const parse *p, const sl_column *c)
{
    sl_query_put_column(p->q, p->sql, c);
}

/* `sign` between the column and the value. */
static sl_status put_comparison(parse *p, const sl_column *c, const char *sign, const sl_json *v)
{
    sl_status status = sl_query_check_value(c, v, p->err);
    if (status != SL_OK) {
        return status;
    }
    size_t n = sl_query_param(p->q, c, v);
    put_column(p, c);
    sl_buf_fmt(p->sql, "%s$%zu", sign, n);
    return n > 0 ? SL_OK : sl_fail_nomem(p->err);
}

static sl_status put_in(parse *p, const sl_column *c, const sl_json *list)
{
    if (!sl_json_is_array(list)) {
        return sl_fail_field(p->err, SL_E_INVALID, c->name, "\"in\" takes a list of values");
    }
    if (sl_json_count(list) > SL_QUERY_IN_MAX) {
        return sl_fail_field(p->err, SL_E_LIMIT, c->name, "\"in\" takes at most %d values",
                             SL_QUERY_IN_MAX);
    }
    put_column(p, c);
    sl_buf_str(p->sql, " IN (");
    for (const sl_json *v = sl_json_first(list); v != NULL; v = sl_json_next(v)) {
        sl_status status = sl_query_check_value(c, v, p->err);
        if (status != SL_OK) {
            return status;
        }
        size_t n = sl_query_param(p->q, c, v);
        if (n == 0) {
            return sl_fail_nomem(p->err);
        }
        sl_buf_fmt(p->sql, "%s$%zu", v == sl_json_first(list) ? "" : ",", n);
    }
    sl_buf_str(p->sql, ")");
    return SL_OK;
}

static sl_status check_pattern(const parse *p, const sl_column *c, const char *op, const sl_json *v)
{
    if ((c->type != SL_T_TEXT && c->type != SL_T_ENUM) || !sl_json_is_string(v)) {
        return sl_fail_field(p->err, SL_E_INVALID, c->name, "\"%s\" takes text and a text field",
                             op);
    }
    if (strlen(sl_json_text(v)) > SL_QUERY_TEXT_MAX) {
        return sl_fail_field(p->err, SL_E_LIMIT, c->name, "\"%s\" takes at most %d bytes", op,
                             SL_QUERY_TEXT_MAX);
    }
    return SL_OK;
}

/* A range, so that an index serves: from the prefix up to the least text after all that begin
 * with it. Text is UTF-8, compared byte by byte, and has no byte 0xFF. */
static sl_status put_prefix(parse *p, const sl_column *c, const sl_json *v)
{
    sl_status status = check_pattern(p, c, "prefix", v);
    if (status != SL_OK) {
        return status;
    }
    char end[SL_QUERY_TEXT_MAX + 1];
    size_t len = strlen(sl_json_text(v));
    memcpy(end, sl_json_text(v), len + 1);
    size_t from = sl_query_param(p->q, c, v);
    size_t to = from;
    sl_buf_str(p->sql, "(");
    put_column(p, c);
    sl_buf_fmt(p->sql, ">=$%zu", from);
    if (len > 0) {
        end[len - 1] = (char)((unsigned char)end[len - 1] + 1);
        to = sl_query_param_text(p->q, end, len);
        sl_buf_str(p->sql, " AND ");
        put_column(p, c);
        sl_buf_fmt(p->sql, "<$%zu", to);
    }
    sl_buf_str(p->sql, ")");
    return from > 0 && to > 0 ? SL_OK : sl_fail_nomem(p->err);
}

static sl_status put_text(parse *p, const sl_column *c, const sl_json *v)
{
    sl_status status = check_pattern(p, c, "text", v);
    if (status != SL_OK) {
        return status;
    }
    sl_buf pattern = {0};
    sl_buf_str(&pattern, "%");
    for (const char *s = sl_json_text(v); *s != 0; s++) {
        if (strchr("\\%_", *s) != NULL) {
            sl_buf_u8(&pattern, '\\');
        }
        sl_buf_u8(&pattern, (uint8_t)*s);
    }
    sl_buf_str(&pattern, "%");
    size_t n = pattern.failed ? 0 : sl_query_param_text(p->q, sl_buf_text(&pattern), pattern.len);
    sl_buf_free(&pattern);
    put_column(p, c);
    sl_buf_fmt(p->sql, " LIKE $%zu ESCAPE '\\'", n);
    return n > 0 ? SL_OK : sl_fail_nomem(p->err);
}

static bool is_place(const parse *p, const sl_column *c)
{
    const sl_entity *e = p->q->entity;
    return e->place_field >= 0 && strcmp(e->fields[e->place_field].name, c->name) == 0;
}

/* Of a place as its index has it. */
static sl_status put_null(const parse *p, const sl_column *c, bool is)
{
    bool place = is_place(p, c);
    sl_buf_str(p->sql, place ? "(" : "");
    put_column(p, c);
    sl_buf_str(p->sql, place ? (is ? " IS NULL)=1" : " IS NULL)=0")
                       : is  ? " IS NULL"
                             : " IS NOT NULL");
    return SL_OK;
}

/* The records of one space: they lie together, and an index may have them in order. */
static sl_status put_space(parse *p, const char *name)
{
    const char *e = p->q->entity->name;
    size_t n = sl_query_param_text(p->q, name, strlen(name));
    const char *no = "(SELECT no FROM space WHERE name=$";
    if (p->q->indexed) { /* a column's affinity would keep the index from being used */
        sl_buf_fmt(p->sql, "(\"%s\".\"rid\">>32)=+%s%zu)", e, no, n);
    } else {
        sl_buf_fmt(p->sql, "\"%s\".\"rid\" BETWEEN %s%zu)<<32 AND %s%zu)<<32|4294967295", e, no, n,
                   no, n);
    }
    return n > 0 ? SL_OK : sl_fail_nomem(p->err);
}

/* Says nothing new of a place that is compared, but its index can use it. */
static void put_placed(const parse *p, const sl_column *c)
{
    if (is_place(p, c)) {
        (void)put_null(p, c, false);
        sl_buf_str(p->sql, " AND ");
    }
}

static sl_status put_operator(parse *p, const sl_column *c, const char *op, const sl_json *v)
{
    static const struct {
        const char *name;
        const char *sign;
    } ranks[] = {{"lt", "<"}, {"le", "<="}, {"gt", ">"}, {"ge", ">="}};
    if (++p->conditions > SL_QUERY_CONDITIONS_MAX) {
        return sl_fail(p->err, SL_E_LIMIT, "a query has at most %d conditions",
                       SL_QUERY_CONDITIONS_MAX);
    }
    if (strcmp(op, "eq") == 0 && strcmp(c->name, "space") == 0 && sl_json_is_string(v)) {
        return put_space(p, sl_json_text(v));
    }
    if (strcmp(op, "eq") == 0) {
        return sl_json_is_null(v) ? put_null(p, c, true) : put_comparison(p, c, "=", v);
    }
    if (strcmp(op, "ne") == 0) {
        return sl_json_is_null(v) ? put_null(p, c, false) : put_comparison(p, c, " IS NOT ", v);
    }
    if (strcmp(op, "in") == 0) {
        return put_in(p, c, v);
    }
    if (strcmp(op, "prefix") == 0) {
        return put_prefix(p, c, v);
    }
    if (strcmp(op, "text") == 0) {
        return put_text(p, c, v);
    }
    for (size_t i = 0; c->type != SL_T_BOOL && i < sizeof ranks / sizeof ranks[0]; i++) {
        if (strcmp(op, ranks[i].name) == 0) {
            sl_status status = sl_query_check_rank(c, v, p->err);
            put_placed(p, c);
            return status == SL_OK ? put_comparison(p, c, ranks[i].sign, v) : status;
        }
    }
    return sl_fail_field(p->err, SL_E_INVALID, c->name, "%s cannot be compared by \"%s\"", c->name,
                         op);
}

static void note_space(sl_query *q, const sl_json *v)
{
    const char *space = sl_json_is_object(v) ? sl_json_str(v, "eq") : sl_json_text(v);
    if (space != NULL) {
        (void)snprintf(q->space, sizeof q->space, "%s", space);
    }
}

/* Whether the value is compared by rank: then there is one. */
static bool bounds(const sl_json *v)
{
    return sl_json_get(v, "lt") != NULL || sl_json_get(v, "le") != NULL ||
           sl_json_get(v, "gt") != NULL || sl_json_get(v, "ge") != NULL;
}

/* `all`: no record is found that fails this condition. */
static sl_status put_field(parse *p, const sl_json *v, bool all)
{
    sl_column c;
    const char *name = sl_json_key(v);
    if (!sl_query_column(p->q->entity, name, &c)) {
        return sl_fail_field(p->err, SL_E_INVALID, name, "%s has no field \"%s\"",
                             p->q->entity->name, name);
    }
    if (all && strcmp(c.name, "space") == 0) {
        note_space(p->q, v);
    }
    p->q->placed = p->q->placed || (all && is_place(p, &c) && bounds(v));
    if (!sl_json_is_object(v)) {
        return put_operator(p, &c, "eq", v);
    }
    if (sl_json_count(v) == 0) {
        return sl_fail_field(p->err, SL_E_INVALID, c.name, "a condition on %s needs an operator",
                             c.name);
    }
    for (const sl_json *op = sl_json_first(v); op != NULL; op = sl_json_next(op)) {
        sl_buf_str(p->sql, op == sl_json_first(v) ? "" : " AND ");
        sl_status status = put_operator(p, &c, sl_json_key(op), op);
        if (status != SL_OK) {
            return status;
        }
    }
    return SL_OK;
}

static sl_status put_object(parse *p, const sl_json *where, int depth, bool all);

static sl_status put_list(parse *p, const sl_json *list, int depth, bool all)
{
    bool either = strcmp(sl_json_key(list), "or") == 0;
    if (!sl_json_is_array(list)) {
        return sl_fail_field(p->err, SL_E_INVALID, sl_json_key(list), "\"%s\" takes a list",
                             sl_json_key(list));
    }
    if (sl_json_count(list) > SL_QUERY_CONDITIONS_MAX) {
        return sl_fail(p->err, SL_E_LIMIT, "a query has at most %d conditions",
                       SL_QUERY_CONDITIONS_MAX);
    }
    sl_buf_str(p->sql, sl_json_count(list) > 0 ? "(" : (either ? "(0" : "(1"));
    for (const sl_json *v = sl_json_first(list); v != NULL; v = sl_json_next(v)) {
        if (v != sl_json_first(list)) {
            sl_buf_str(p->sql, either ? " OR " : " AND ");
        }
        sl_status status = put_object(p, v, depth + 1, all && !either);
        if (status != SL_OK) {
            return status;
        }
    }
    sl_buf_str(p->sql, ")");
    return SL_OK;
}

static sl_status put_not(parse *p, const sl_json *inner, int depth)
{
    sl_buf_str(p->sql, "(");
    sl_status status = put_object(p, inner, depth + 1, false);
    sl_buf_str(p->sql, " IS NOT TRUE)");
    return status;
}

static sl_status put_object(parse *p, const sl_json *where, int depth, bool all)
{
    if (!sl_json_is_object(where)) {
        return sl_fail_field(p->err, SL_E_INVALID, "where",
                             "conditions are an object of fields and their values");
    }
    if (depth > SL_QUERY_DEPTH_MAX) {
        return sl_fail_field(p->err, SL_E_LIMIT, "where", "conditions nest at most %d deep",
                             SL_QUERY_DEPTH_MAX);
    }
    sl_buf_str(p->sql, sl_json_count(where) > 0 ? "(" : "(1");
    for (const sl_json *v = sl_json_first(where); v != NULL; v = sl_json_next(v)) {
        const char *key = sl_json_key(v);
        sl_status status;
        sl_buf_str(p->sql, v == sl_json_first(where) ? "" : " AND ");
        if (strcmp(key, "and") == 0 || strcmp(key, "or") == 0) {
            status = put_list(p, v, depth, all);
        } else if (strcmp(key, "not") == 0) {
            status = put_not(p, v, depth);
        } else {
            status = put_field(p, v, all);
        }
        if (status != SL_OK) {
            return status;
        }
    }
    sl_buf_str(p->sql, ")");
    return SL_OK;
}

sl_status sl_query_where(sl_query *q, const sl_json *where, sl_buf *sql, sl_error **err)
{
    parse p = {q, sql, 0, err};
    return put_object(&p, where, 0, true);
}
