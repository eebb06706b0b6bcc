/* Operations that were refused: kept with what they carried until somebody sends or discards them. */
#include "store/inside.h"

#include "base/error.h"

#include <stdio.h>
#include <string.h>

sl_status sl_store_rejected_count(sl_store *s, int64_t *out, sl_error **err)
{
    sl_cell cell;
    sl_status status =
        sl_store_one(s, "SELECT count(*) FROM rejected", NULL, 0, &(sl_taken){&cell, 1, NULL}, err);
    *out = status == SL_OK ? cell.i : 0;
    return status;
}

typedef struct each_rejected {
    sl_op op;
    sl_rejected_fn fn;
    void *ctx;
    bool found;
    sl_status status;
    sl_error **err;
} each_rejected;

static const char *text_or_none(const sl_cell *c)
{
    const char *text = sl_cell_str(c);
    return text != NULL ? text : "";
}

static bool one_rejected(void *ctx, const sl_cell *cells, size_t n)
{
    each_rejected *each = ctx;
    (void)n;
    each->found = true;
    each->status = cells[1].kind == SL_CELL_BLOB
                       ? sl_op_unpack(&each->op, cells[1].blob, cells[1].len, each->err)
                       : sl_fail(each->err, SL_E_CORRUPT, "a stored operation cannot be read");
    each->op.n = cells[0].i;
    if (each->status == SL_OK && each->fn != NULL &&
        !each->fn(each->ctx, &each->op, text_or_none(&cells[2]), text_or_none(&cells[3]),
                  text_or_none(&cells[4]))) {
        each->status = sl_fail_nomem(each->err);
    }
    return each->status == SL_OK;
}

sl_status sl_store_rejected(sl_store *s, const char *space, int64_t after, int64_t limit,
                            sl_rejected_fn fn, void *ctx, sl_error **err)
{
    each_rejected each = {.fn = fn, .ctx = ctx, .err = err};
    sl_cell params[] = {sl_cell_int(after), sl_cell_int(limit), sl_cell_text(space)};
    sl_status status =
        space != NULL
            ? sl_sql_run(s->sql,
                         "SELECT n, op, code, message, field FROM rejected WHERE n>$1 AND space=$3"
                         " ORDER BY n LIMIT $2",
                         params, 3, one_rejected, &each, err)
            : sl_sql_run(s->sql,
                         "SELECT n, op, code, message, field FROM rejected WHERE n>$1 ORDER BY n"
                         " LIMIT $2",
                         params, 2, one_rejected, &each, err);
    sl_op_free(&each.op);
    return status != SL_OK ? status : each.status;
}

typedef struct copy_code {
    char *to;
    size_t room;
} copy_code;

static bool take_code(void *ctx, const sl_op *op, const char *code, const char *message,
                      const char *field)
{
    const copy_code *c = ctx;
    (void)op;
    (void)message;
    (void)field;
    (void)snprintf(c->to, c->room, "%s", code);
    return true;
}

sl_status sl_store_rejected_take(sl_store *s, int64_t n, sl_op *out, char *code, size_t room,
                                 sl_error **err)
{
    copy_code copy = {code, room};
    each_rejected each = {.op = *out, .fn = take_code, .ctx = &copy, .err = err};
    sl_cell params[] = {sl_cell_int(n)};
    sl_status status =
        sl_sql_run(s->sql, "SELECT n, op, code, message, field FROM rejected WHERE n=$1", params, 1,
                   one_rejected, &each, err);
    *out = each.op;
    status = status != SL_OK ? status : each.status;
    if (status == SL_OK && !each.found) {
        status = sl_fail(err, SL_E_NOT_FOUND, "there is no draft %lld", (long long)n);
    }
    return status == SL_OK
               ? sl_sql_run(s->sql, "DELETE FROM rejected WHERE n=$1", params, 1, NULL, NULL, err)
               : status;
}
