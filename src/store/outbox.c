/*
 * The outbox: operations in order of their numbers. Those of one record are a chain: each names the
 * one before it, the record's row the newest.
 */
#include "store/inside.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/plant.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- numbers --------------------------------------------------------------------------------- */

static sl_status read_last(sl_store *s, sl_error **err)
{
    char *text = NULL;
    sl_status status = s->last_n < 0 ? sl_store_meta(s, "last_n", &text, err) : SL_OK;
    if (status == SL_OK && s->last_n < 0) {
        int64_t n = text != NULL ? strtoll(text, NULL, 10) : 0;
        s->last_n_new = false;
        s->last_n = n >= 0 && n < SL_JSON_INT_MAX ? n : -1;
        status = s->last_n >= 0 ? SL_OK
                                : sl_fail(err, SL_E_CORRUPT, "the last operation's number is lost");
    }
    sl_mem_free(text);
    return status;
}

sl_status sl_outbox_number(sl_store *s, sl_op *op, sl_error **err)
{
    sl_status status = read_last(s, err);
    if (status == SL_OK) {
        op->n = ++s->last_n;
        s->last_n_new = true;
    }
    return status;
}

sl_status sl_outbox_flush(sl_store *s, sl_error **err)
{
    char text[24];
    if (!s->last_n_new || SL_PLANTED("number-not-stored")) {
        return SL_OK;
    }
    (void)snprintf(text, sizeof text, "%lld", (long long)s->last_n);
    sl_status status = sl_store_set_meta(s, "last_n", text, err);
    s->last_n_new = s->last_n_new && status != SL_OK;
    return status;
}

/* --- chains ---------------------------------------------------------------------------------- */

/* A row has no more and no less than what such an operation says: sums and sets are another thing. */
static bool fits_row(const sl_op *op)
{
    bool fits = op->kind == SL_OP_CREATE;
    for (size_t i = 0; fits && i < op->entity->field_count; i++) {
        sl_merge by = op->entity->fields[i].merge;
        fits = (op->has >> i & 1) == 0 || (by != SL_M_COUNTER && by != SL_M_SET);
    }
    return fits;
}

sl_status sl_outbox_add(sl_store *s, const sl_op *op, int64_t prev, int64_t seq, bool in_row,
                        sl_error **err)
{
    sl_op bare = *op;
    int64_t no = 0;
    sl_status status = sl_space_no(s, op->space, true, &no, err);
    if (status != SL_OK) {
        return status;
    }
    if (in_row && fits_row(op)) {
        bare.values = NULL;
    }
    sl_buf_clear(&s->scratch);
    sl_op_pack(&s->scratch, &bare);
    if (s->scratch.failed) {
        return sl_fail_nomem(err);
    }
    sl_cell none = sl_cell_text(NULL);
    sl_cell params[] = {sl_cell_int(op->n), prev != 0 ? sl_cell_int(prev) : none, sl_cell_int(no),
                        seq != 0 ? sl_cell_int(seq) : none,
                        sl_cell_blob(s->scratch.data, s->scratch.len)};
    status = sl_sql_run(s->sql, "INSERT INTO outbox VALUES ($1, $2, $3, $4, $5)", params, 5, NULL,
                        NULL, err);
    if (status == SL_OK && seq == 0) {
        sl_waiting_add(s, no, 1);
    }
    return status;
}

/* The values that an operation left in its record's row. */
static sl_status take_values(sl_store *s, sl_op *op, sl_error **err)
{
    sl_row row;
    size_t size = op->entity->field_count * sizeof *op->values;
    sl_status status = sl_row_load(s, op->entity, op->id, &s->made, &row, err);
    if (status == SL_OK && (row.rid == 0 || row.pending != op->n)) {
        return sl_fail(err, SL_E_CORRUPT, "what a waiting operation made is missing");
    }
    op->values = status == SL_OK ? sl_arena_take(&op->mem, size) : NULL;
    bool ok = op->values != NULL;
    for (size_t i = 0; ok && i < op->entity->field_count; i++) {
        op->values[i] = s->made.values[i];
        ok = sl_cell_keep(&op->values[i], &op->mem);
        op->has |= (uint64_t)(op->values[i].kind != SL_CELL_NULL) << i;
    }
    return status != SL_OK ? status : ok ? SL_OK : sl_fail_nomem(err);
}

static sl_status unpack(sl_store *s, sl_op *op, const sl_cell *packed, sl_error **err)
{
    sl_status status = sl_op_unpack(op, packed->blob, packed->len, err);
    bool elsewhere = status == SL_OK && op->kind == SL_OP_CREATE && op->values == NULL;
    return elsewhere ? take_values(s, op, err) : status;
}

typedef struct filling {
    sl_store *store;
    sl_op *op;
    bool left; /* its values are in the row */
    sl_status status;
    sl_error **err;
} filling;

static bool take_left(void *ctx, const sl_cell *cells, size_t n)
{
    filling *f = ctx;
    (void)n;
    f->status = cells[0].kind == SL_CELL_BLOB
                    ? sl_op_unpack(f->op, cells[0].blob, cells[0].len, f->err)
                    : sl_fail(f->err, SL_E_CORRUPT, "a stored operation cannot be read");
    f->left = f->status == SL_OK && f->op->kind == SL_OP_CREATE && f->op->values == NULL;
    if (f->left) {
        f->status = take_values(f->store, f->op, f->err);
    }
    return false;
}

sl_status sl_outbox_fill(sl_store *s, int64_t n, sl_error **err)
{
    sl_op op = {0};
    sl_buf full = {0};
    filling f = {s, &op, false, SL_OK, err};
    sl_cell params[] = {sl_cell_int(n), sl_cell_text(NULL)};
    sl_status status =
        sl_sql_run(s->sql, "SELECT op FROM outbox WHERE n=$1", params, 1, take_left, &f, err);
    status = status == SL_OK ? f.status : status;
    if (status == SL_OK && f.left) {
        sl_op_pack(&full, &op);
        params[1] = sl_cell_blob(full.data, full.len);
        status = full.failed ? sl_fail_nomem(err)
                             : sl_sql_run(s->sql, "UPDATE outbox SET op=$2 WHERE n=$1", params, 2,
                                          NULL, NULL, err);
    }
    sl_buf_free(&full);
    sl_op_free(&op);
    return status;
}

sl_status sl_outbox_remove(sl_store *s, int64_t n, sl_error **err)
{
    sl_cell params[] = {sl_cell_int(n)};
    sl_cell cells[2];
    sl_status status = sl_store_one(s, "DELETE FROM outbox WHERE n=$1 RETURNING space, seq", params,
                                    1, &(sl_taken){cells, 2, NULL}, err);
    if (status == SL_OK && cells[1].kind == SL_CELL_NULL) {
        sl_waiting_add(s, sl_cell_int_or(&cells[0], -1), -1);
    }
    return status == SL_E_NOT_FOUND ? SL_OK : status;
}

sl_status sl_outbox_set_prev(sl_store *s, int64_t n, int64_t prev, sl_error **err)
{
    sl_cell params[] = {sl_cell_int(n), prev != 0 ? sl_cell_int(prev) : sl_cell_text(NULL)};
    return sl_sql_run(s->sql, "UPDATE outbox SET prev=$2 WHERE n=$1", params, 2, NULL, NULL, err);
}

static void turn_around(sl_chain *chain)
{
    for (size_t i = 0; i + 1 < chain->count - i; i++) {
        sl_waiting first = chain->links[i];
        chain->links[i] = chain->links[chain->count - 1 - i];
        chain->links[chain->count - 1 - i] = first;
    }
}

sl_status sl_outbox_chain(sl_store *s, int64_t newest, sl_chain *out, sl_error **err)
{
    size_t room = 0;
    sl_status status = SL_OK;
    *out = (sl_chain){NULL, 0};
    while (status == SL_OK && newest != 0) {
        sl_cell params[] = {sl_cell_int(newest)};
        sl_cell cells[2];
        status = sl_store_one(s, "SELECT prev, seq FROM outbox WHERE n=$1", params, 1,
                              &(sl_taken){cells, 2, NULL}, err);
        if (status == SL_E_NOT_FOUND) {
            status = sl_fail(err, SL_E_CORRUPT, "a waiting operation is missing");
        }
        if (status == SL_OK && (out->links == NULL || out->count == room)) {
            room = room == 0 ? 4 : room * 2;
            sl_waiting *grown = sl_mem_resize(out->links, room, sizeof *grown);
            status = grown != NULL ? SL_OK : sl_fail_nomem(err);
            out->links = grown != NULL ? grown : out->links;
        }
        if (status == SL_OK && out->links != NULL) {
            int64_t prev = sl_cell_int_or(&cells[0], 0);
            out->links[out->count++] = (sl_waiting){newest, prev, sl_cell_int_or(&cells[1], 0)};
            newest = prev < newest ? prev : 0;
        }
    }
    if (status != SL_OK) {
        sl_mem_free(out->links);
        *out = (sl_chain){NULL, 0};
    }
    if (out->count > 1) {
        turn_around(out);
    }
    return status;
}

/* --- what the engine asks -------------------------------------------------------------------- */

sl_status sl_store_outbox(sl_store *s, sl_outbox_state *out, sl_error **err)
{
    sl_cell cells[3];
    memset(out, 0, sizeof *out);
    sl_status status = read_last(s, err);
    if (status == SL_OK) {
        out->last = s->last_n;
        status = sl_store_one(s,
                              "SELECT (" SL_OUTBOX_FLOOR "), EXISTS (SELECT 1 FROM outbox),"
                              " (SELECT min(n) FROM outbox)",
                              NULL, 0, &(sl_taken){cells, 3, NULL}, err);
    }
    if (status == SL_OK) {
        out->floor = sl_cell_int_or(&cells[0], out->last + 1);
        out->empty = cells[1].i == 0;
        out->keep = sl_cell_int_or(&cells[2], out->last + 1);
    }
    return status;
}

static sl_status count(sl_store *s, const char *sql, int64_t *out, sl_error **err)
{
    sl_cell cell;
    sl_status status = sl_store_one(s, sql, NULL, 0, &(sl_taken){&cell, 1, NULL}, err);
    *out = status == SL_OK ? cell.i : 0;
    return status;
}

sl_status sl_store_outbox_count(sl_store *s, int64_t *out, sl_error **err)
{
    return count(s, "SELECT count(*) FROM outbox", out, err);
}

typedef struct each_op {
    sl_store *store;
    sl_op *op;
    sl_op_fn fn;
    void *ctx;
    bool head; /* without its values */
    bool found;
    sl_status status;
    sl_error **err;
} each_op;

static bool one_op(void *ctx, const sl_cell *cells, size_t n)
{
    each_op *each = ctx;
    (void)n;
    each->found = true;
    bool bytes = cells[0].kind == SL_CELL_BLOB;
    each->status = !bytes       ? SL_E_CORRUPT
                   : each->head ? sl_op_unpack(each->op, cells[0].blob, cells[0].len, each->err)
                                : unpack(each->store, each->op, &cells[0], each->err);
    if (each->status == SL_OK ? each->op->n != cells[1].i : !bytes) {
        each->status = sl_fail(each->err, SL_E_CORRUPT, "a stored operation cannot be read");
    }
    if (each->status == SL_OK && each->fn != NULL && !each->fn(each->ctx, each->op)) {
        each->status = sl_fail_nomem(each->err);
    }
    return each->status == SL_OK;
}

sl_status sl_store_outbox_op(sl_store *s, int64_t n, sl_op *out, sl_error **err)
{
    each_op each = {s, out, NULL, NULL, false, false, SL_OK, err};
    sl_cell params[] = {sl_cell_int(n)};
    sl_status status =
        sl_sql_run(s->sql, "SELECT op, n FROM outbox WHERE n=$1", params, 1, one_op, &each, err);
    status = status != SL_OK ? status : each.status;
    if (status == SL_OK && !each.found) {
        status = sl_fail(err, SL_E_NOT_FOUND, "there is no operation %lld", (long long)n);
    }
    return status;
}

sl_status sl_store_outbox_of(sl_store *s, const char *space, sl_op_fn fn, void *ctx, sl_error **err)
{
    sl_op op = {0};
    each_op each = {s, &op, fn, ctx, false, false, SL_OK, err};
    sl_cell params[] = {sl_cell_text(space)};
    sl_status status =
        sl_sql_run(s->sql,
                   "SELECT op, n FROM outbox WHERE space=(SELECT no FROM space WHERE name=$1) AND"
                   " seq IS NULL ORDER BY n",
                   params, 1, one_op, &each, err);
    sl_op_free(&op);
    return status != SL_OK ? status : each.status;
}

sl_status sl_store_pending_of(sl_store *s, const sl_entity *e, const char *id, int64_t **numbers,
                              size_t *count, sl_error **err)
{
    sl_row row;
    sl_chain chain = {NULL, 0};
    *numbers = NULL;
    *count = 0;
    sl_status status = sl_row_load(s, e, id, &s->old, &row, err);
    if (status == SL_OK) {
        status = sl_outbox_chain(s, row.pending, &chain, err);
    }
    if (status == SL_OK && chain.count > 0) {
        *numbers = sl_mem_array(chain.count, sizeof **numbers);
        status = *numbers != NULL ? SL_OK : sl_fail_nomem(err);
        *count = *numbers != NULL ? chain.count : 0;
    }
    for (size_t i = 0; chain.links != NULL && i < *count; i++) {
        (*numbers)[i] = chain.links[i].n;
    }
    sl_mem_free(chain.links);
    return status;
}

sl_status sl_store_outbox_state(sl_store *s, int64_t n, bool *waits, bool *accepted, sl_error **err)
{
    sl_cell seq;
    sl_cell params[] = {sl_cell_int(n)};
    sl_status status = sl_store_one(s, "SELECT seq FROM outbox WHERE n=$1", params, 1,
                                    &(sl_taken){&seq, 1, NULL}, err);
    *waits = status == SL_OK;
    *accepted = *waits && seq.kind != SL_CELL_NULL;
    return status == SL_E_NOT_FOUND ? SL_OK : status;
}

typedef struct accepting {
    int64_t no; /* of the space; -1: no operation was */
    const sl_entity *entity;
    char id[SL_UUID_LEN + 1];
} accepting;

static bool take_accepted(void *ctx, const sl_cell *cells, size_t n)
{
    accepting *a = ctx;
    (void)n;
    a->no = sl_cell_int_or(&cells[0], 0);
    a->entity =
        cells[1].kind == SL_CELL_BLOB ? sl_op_about(cells[1].blob, cells[1].len, a->id) : NULL;
    return false;
}

sl_status sl_store_outbox_accepted(sl_store *s, int64_t n, int64_t seq, sl_accepted *out,
                                   sl_error **err)
{
    accepting a = {.no = -1};
    sl_cell params[] = {sl_cell_int(n), sl_cell_int(seq)};
    sl_status status = sl_sql_run(
        s->sql, "UPDATE outbox SET seq=$2 WHERE n=$1 AND seq IS NULL RETURNING space, op", params,
        2, take_accepted, &a, err);
    if (status == SL_OK && a.no >= 0) {
        sl_waiting_add(s, a.no, -1);
    }
    if (out != NULL) {
        memset(out, 0, sizeof *out);
    }
    if (status != SL_OK || a.no < 0 || out == NULL) {
        return status;
    }
    out->entity = a.entity;
    memcpy(out->id, a.id, sizeof out->id);
    return a.entity != NULL ? sl_space_of(s, a.no, out->space, err)
                            : sl_fail(err, SL_E_CORRUPT, "a stored operation cannot be read");
}

sl_status sl_store_outbox_again(sl_store *s, const char *space, sl_error **err)
{
    sl_cell params[] = {sl_cell_text(SL_PLANTED("again-forgotten") ? "" : space)};
    sl_waiting_forget(s);
    return sl_sql_run(s->sql,
                      "UPDATE outbox SET seq=NULL WHERE seq IS NOT NULL AND space IN"
                      " (SELECT no FROM space WHERE name=$1 OR held=0)",
                      params, 1, NULL, NULL, err);
}

sl_status sl_store_outbox_unknown(sl_store *s, const char *space, sl_error **err)
{
    sl_cell params[] = {sl_cell_text(SL_PLANTED("unknown-forgotten") ? "" : space)};
    sl_waiting_forget(s);
    return sl_sql_run(s->sql,
                      "UPDATE outbox SET seq=NULL WHERE space=(SELECT no FROM space WHERE name=$1)"
                      " AND seq>(SELECT cursor FROM space WHERE name=$1)",
                      params, 1, NULL, NULL, err);
}

sl_status sl_store_outbox_rejected(sl_store *s, int64_t n, const char *code, const char *message,
                                   const char *field, sl_error **err)
{
    sl_op op = {0};
    sl_status status = sl_outbox_fill(s, n, err);
    if (status == SL_OK) {
        status = sl_store_outbox_op(s, n, &op, err);
    }
    if (status == SL_OK) {
        sl_cell params[] = {sl_cell_int(n), sl_cell_text(code), sl_cell_text(message),
                            sl_cell_text(field), sl_cell_text(op.space)};
        status = sl_sql_run(s->sql,
                            "INSERT OR REPLACE INTO rejected SELECT n, op, $2, $3, $4, $5 FROM"
                            " outbox WHERE n=$1",
                            params, 5, NULL, NULL, err);
    }
    if (status == SL_OK) {
        status = sl_replica_leave(s, &op, err);
    }
    sl_op_free(&op);
    return status;
}

/* Those that the query finds, one after the other; each->fn hears of each before it leaves. */
static sl_status leave_all(each_op *each, const char *sql, const sl_cell *params, size_t n)
{
    sl_op op = {0};
    sl_status status = SL_OK;
    each->op = &op;
    each->head = true;
    each->found = true;
    while (status == SL_OK && each->found && !SL_PLANTED("settle-never")) {
        each->found = false;
        status = sl_sql_run(each->store->sql, sql, params, n, one_op, each, each->err);
        status = status != SL_OK ? status : each->status;
        if (status == SL_OK && each->found) {
            status = sl_replica_leave(each->store, &op, each->err);
        }
    }
    sl_op_free(&op);
    return status;
}

sl_status sl_store_outbox_settle(sl_store *s, const char *space, sl_op_fn fn, void *ctx,
                                 sl_error **err)
{
    sl_space at;
    each_op each = {.store = s, .fn = fn, .ctx = ctx, .err = err};
    sl_status status = sl_store_space(s, space, &at, err);
    if (status != SL_OK) {
        return status == SL_E_NOT_FOUND ? SL_OK : status;
    }
    sl_cell params[] = {sl_cell_text(space), sl_cell_int(at.cursor)};
    return leave_all(&each,
                     "SELECT op, n FROM outbox WHERE space=(SELECT no FROM space WHERE name=$1) AND"
                     " seq<=$2 ORDER BY seq LIMIT 1",
                     params, 2);
}

sl_status sl_store_outbox_settle_unheld(sl_store *s, sl_error **err)
{
    each_op each = {.store = s, .err = err};
    return leave_all(&each,
                     "SELECT op, n FROM outbox WHERE seq IS NOT NULL AND space IN (SELECT no FROM"
                     " space WHERE held=0) ORDER BY n LIMIT 1",
                     NULL, 0);
}

typedef struct numbers {
    int64_t *list;
    size_t count;
} numbers;

static bool note_number(void *ctx, const sl_cell *cells, size_t n)
{
    numbers *all = ctx;
    (void)n;
    int64_t *grown = sl_mem_resize(all->list, all->count + 1, sizeof *grown);
    if (grown != NULL) {
        all->list = grown;
        all->list[all->count++] = cells[0].i;
    }
    return grown != NULL;
}

sl_status sl_outbox_fill_space(sl_store *s, int64_t no, sl_error **err)
{
    int64_t count = -1;
    sl_cell cell;
    sl_cell params[] = {sl_cell_int(no)};
    numbers all = {NULL, 0};
    const char *of = "FROM outbox WHERE space=$1 AND seq IS NULL";
    char sql[128];
    (void)snprintf(sql, sizeof sql, "SELECT count(*) %s", of);
    sl_status status = sl_store_one(s, sql, params, 1, &(sl_taken){&cell, 1, NULL}, err);
    if (status == SL_OK) {
        count = cell.i;
        (void)snprintf(sql, sizeof sql, "SELECT n %s", of);
        status = sl_sql_run(s->sql, sql, params, 1, note_number, &all, err);
    }
    if (status == SL_OK && (int64_t)all.count != count) {
        status = sl_fail_nomem(err);
    }
    for (size_t i = 0; status == SL_OK && i < all.count; i++) {
        status = sl_outbox_fill(s, all.list[i], err);
    }
    sl_mem_free(all.list);
    return status;
}
