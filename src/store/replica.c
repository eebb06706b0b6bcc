/*
 * Confirmed and visible records, and the outbox between them.
 *
 *   local op ------> visible, outbox (confirmed kept in shadow at the first one)
 *   server's state -> shadow when operations are pending, then visible = shadow + replay
 *                     visible otherwise
 *   receipt + cursor covers it, or rejection -> operation leaves, visible = shadow + rest
 */
#include "store/inside.h"

#include "base/error.h"
#include "base/mem.h"
#include "sync/merge.h"
#include "sync/set.h"

#include <stdio.h>
#include <string.h>

enum {
    SQL_MAX = 2048
};

typedef struct read_row {
    const sl_entity *entity;
    sl_record *out;
    sl_status status;
    sl_error **err;
} read_row;

static bool take_record(void *ctx, const sl_cell *cells, size_t n)
{
    read_row *r = ctx;
    (void)n;
    r->status = sl_record_from_cells(r->out, r->entity, cells, r->err);
    return false;
}

sl_status sl_store_record(sl_store *s, const sl_entity *e, const char *id, sl_record *out,
                          sl_error **err)
{
    memset(out, 0, sizeof *out);
    char sql[SQL_MAX];
    (void)snprintf(sql, sizeof sql, "%s WHERE \"id\"=$1", e->select_sql);
    sl_cell params[] = {sl_cell_text(id)};
    read_row row = {e, out, SL_OK, err};
    sl_status status = sl_sql_run(s->sql, sql, params, 1, take_record, &row, err);
    return status != SL_OK ? status : row.status;
}

bool sl_store_pending(sl_store *s, const sl_entity *e, const char *id)
{
    sl_cell params[] = {sl_cell_text(e->name), sl_cell_text(id)};
    sl_cell one;
    return sl_store_one(s, "SELECT 1 FROM shadow WHERE entity=$1 AND id=$2", params, 2, &one, 1,
                        NULL) == SL_OK;
}

static sl_status upsert(sl_store *s, const sl_record *rec, sl_error **err)
{
    sl_cell cells[SL_CELLS_MAX];
    sl_status status = sl_record_to_cells(rec, cells, err);
    if (status == SL_OK) {
        status = sl_sql_run(s->sql, rec->entity->upsert_sql, cells,
                            sl_record_cell_count(rec->entity), NULL, NULL, err);
        sl_cells_free(cells, SL_CELLS_MAX);
    }
    return status;
}

static sl_status put_visible(sl_store *s, const sl_record *rec, sl_error **err)
{
    bool same = true;
    sl_cell params[] = {sl_cell_text(rec->id)};
    sl_status status = sl_search_same(s, rec, &same, err);
    if (status == SL_OK && !same) {
        status = sl_search_take_out(s, rec->entity, "\"id\"=$1", params, 1, err);
    }
    if (status == SL_OK) {
        status = upsert(s, rec, err);
    }
    if (status == SL_OK && !same) {
        status = sl_search_put_in(s, rec->entity, rec->id, err);
    }
    return status;
}

static sl_status remove_visible(sl_store *s, const sl_entity *e, const char *id, sl_error **err)
{
    char sql[128];
    (void)snprintf(sql, sizeof sql, "DELETE FROM \"%s\" WHERE \"id\"=$1", e->name);
    sl_cell params[] = {sl_cell_text(id)};
    sl_status status = sl_search_take_out(s, e, "\"id\"=$1", params, 1, err);
    return status == SL_OK ? sl_sql_run(s->sql, sql, params, 1, NULL, NULL, err) : status;
}

/* rec->entity NULL: there is no confirmed record. */
static sl_status put_shadow(sl_store *s, const sl_entity *e, const char *id, const sl_record *rec,
                            sl_error **err)
{
    char *text = NULL;
    if (rec->entity != NULL) {
        sl_json *wire = sl_record_to_wire(rec);
        text = wire != NULL ? sl_json_print(wire) : NULL;
        sl_json_free(wire);
        if (text == NULL) {
            return sl_fail_nomem(err);
        }
    }
    sl_cell params[] = {sl_cell_text(e->name), sl_cell_text(id), sl_cell_text(text)};
    sl_status status = sl_sql_run(s->sql, "INSERT OR REPLACE INTO shadow VALUES ($1, $2, $3)",
                                  params, 3, NULL, NULL, err);
    sl_mem_free(text);
    return status;
}

/* SL_E_NOT_FOUND, without an error, when there is no shadow. */
static sl_status get_shadow(sl_store *s, const sl_entity *e, const char *id, sl_record *out,
                            sl_error **err)
{
    memset(out, 0, sizeof *out);
    sl_cell params[] = {sl_cell_text(e->name), sl_cell_text(id)};
    sl_cell cell;
    sl_status status = sl_store_one(s, "SELECT record FROM shadow WHERE entity=$1 AND id=$2",
                                    params, 2, &cell, 1, err);
    if (status == SL_OK && cell.kind == SL_CELL_TEXT) {
        sl_json *wire = sl_json_parse(cell.text, strlen(cell.text));
        status = sl_record_from_wire(out, wire, err);
        sl_json_free(wire);
    }
    sl_cells_free(&cell, 1);
    return status;
}

static sl_status drop_shadow(sl_store *s, const sl_entity *e, const char *id, sl_error **err)
{
    sl_cell params[] = {sl_cell_text(e->name), sl_cell_text(id)};
    return sl_sql_run(s->sql, "DELETE FROM shadow WHERE entity=$1 AND id=$2", params, 2, NULL, NULL,
                      err);
}

static sl_status parse_op(const char *text, sl_op *out, sl_error **err)
{
    sl_json *j = sl_json_parse(text, strlen(text));
    sl_status status = j != NULL ? sl_op_from_json(out, j, err) : SL_E_CORRUPT;
    sl_json_free(j);
    return status == SL_OK || status == SL_E_NOMEM
               ? status
               : sl_fail(err, SL_E_CORRUPT, "a stored operation cannot be read");
}

typedef struct replay {
    sl_record *rec;
    size_t count;
    sl_status status;
    sl_error **err;
} replay;

/* An operation that no longer fits (its record is gone, or came back with the echo) changes
 * nothing here: the server's verdict on it decides. */
static bool replay_one(void *ctx, const sl_cell *cells, size_t n)
{
    replay *r = ctx;
    (void)n;
    sl_op op = {0};
    sl_merged merged;
    r->count++;
    r->status = parse_op(cells[0].text, &op, r->err);
    if (r->status == SL_OK) {
        sl_status fit = sl_merge_replay(r->rec, &op, &merged, NULL);
        r->status = fit == SL_E_NOMEM ? sl_fail_nomem(r->err) : SL_OK;
    }
    sl_op_free(&op);
    return r->status == SL_OK;
}

/* Makes the visible record from the shadow and what is pending; without pending operations the
 * shadow goes. */
static sl_status show(sl_store *s, const sl_entity *e, const char *id, sl_error **err)
{
    sl_record rec;
    sl_status status = get_shadow(s, e, id, &rec, err);
    if (status != SL_OK) {
        return status == SL_E_NOT_FOUND ? SL_OK : status;
    }
    replay r = {&rec, 0, SL_OK, err};
    sl_cell params[] = {sl_cell_text(e->name), sl_cell_text(id)};
    status = sl_sql_run(s->sql, "SELECT op FROM outbox WHERE entity=$1 AND id=$2 ORDER BY n",
                        params, 2, replay_one, &r, err);
    status = status == SL_OK ? r.status : status;
    if (status == SL_OK) {
        status = rec.entity != NULL ? put_visible(s, &rec, err) : remove_visible(s, e, id, err);
    }
    if (status == SL_OK && r.count == 0) {
        status = drop_shadow(s, e, id, err);
    }
    sl_record_free(&rec);
    return status;
}

/* The number of the newest operation, 0 before the first. */
static sl_status last_number(sl_store *s, int64_t *out, sl_error **err)
{
    sl_cell cell;
    sl_status status = sl_store_one(s, "SELECT CAST(value AS INTEGER) FROM meta WHERE key='last_n'",
                                    NULL, 0, &cell, 1, err);
    *out = status == SL_OK ? cell.i : 0;
    return status == SL_E_NOT_FOUND ? SL_OK : status;
}

static sl_status queue(sl_store *s, sl_op *op, sl_error **err)
{
    sl_status status = last_number(s, &op->n, err);
    if (status != SL_OK) {
        return status;
    }
    op->n++;
    char number[32];
    (void)snprintf(number, sizeof number, "%lld", (long long)op->n);
    status = sl_store_set_meta(s, "last_n", number, err);
    sl_json *j = sl_op_to_json(op);
    char *text = j != NULL ? sl_json_print(j) : NULL;
    sl_json_free(j);
    if (status == SL_OK && text == NULL) {
        status = sl_fail_nomem(err);
    }
    if (status == SL_OK) {
        sl_cell params[] = {sl_cell_int(op->n), sl_cell_text(op->entity->name),
                            sl_cell_text(op->id), sl_cell_text(op->space), sl_cell_text(text)};
        status = sl_sql_run(s->sql, "INSERT INTO outbox VALUES ($1, $2, $3, $4, $5, NULL)", params,
                            5, NULL, NULL, err);
    }
    sl_mem_free(text);
    return status;
}

sl_status sl_store_apply_local(sl_store *s, sl_op *op, sl_error **err)
{
    sl_record rec;
    sl_merged merged;
    sl_status status = sl_store_record(s, op->entity, op->id, &rec, err);
    if (status == SL_OK && op->kind != SL_OP_CREATE && (rec.entity == NULL || rec.deleted)) {
        status = sl_fail(err, SL_E_NOT_FOUND, "there is no such %s", op->entity->name);
    }
    if (status == SL_OK && op->kind != SL_OP_CREATE) {
        memcpy(op->space, rec.space, sizeof op->space);
    }
    if (status == SL_OK && !sl_store_pending(s, op->entity, op->id)) {
        status = put_shadow(s, op->entity, op->id, &rec, err);
    }
    if (status == SL_OK && op->kind == SL_OP_PATCH) {
        status = sl_set_observe(&rec, op, err);
    }
    if (status == SL_OK) {
        status = sl_merge_op(&rec, op, &merged, err);
    }
    if (status == SL_OK) {
        status = put_visible(s, &rec, err);
    }
    if (status == SL_OK) {
        status = queue(s, op, err);
    }
    sl_record_free(&rec);
    return status;
}

/* True when another space holds a record of this id: ids are made by devices, and whoever may
 * write to one space must not take records out of another by using their ids again. */
static bool held_elsewhere(sl_store *s, const sl_record *rec)
{
    char sql[128];
    (void)snprintf(sql, sizeof sql, "SELECT 1 FROM \"%s\" WHERE \"id\"=$1 AND \"space\"<>$2",
                   rec->entity->name);
    sl_cell params[] = {sl_cell_text(rec->id), sl_cell_text(rec->space)};
    sl_cell one;
    return sl_store_one(s, sql, params, 2, &one, 1, NULL) == SL_OK;
}

sl_status sl_store_apply_remote(sl_store *s, const sl_record *rec, sl_error **err)
{
    if (held_elsewhere(s, rec)) {
        return SL_OK;
    }
    if (!sl_store_pending(s, rec->entity, rec->id)) {
        return put_visible(s, rec, err);
    }
    sl_status status = put_shadow(s, rec->entity, rec->id, rec, err);
    if (status == SL_OK) {
        sl_cell params[] = {sl_cell_text(rec->entity->name), sl_cell_text(rec->id),
                            sl_cell_int(rec->seq)};
        status = sl_sql_run(s->sql, "DELETE FROM outbox WHERE entity=$1 AND id=$2 AND seq<=$3",
                            params, 3, NULL, NULL, err);
    }
    return status == SL_OK ? show(s, rec->entity, rec->id, err) : status;
}

sl_status sl_store_outbox(sl_store *s, sl_outbox_state *out, sl_error **err)
{
    sl_cell cells[3];
    memset(out, 0, sizeof *out);
    sl_status status = last_number(s, &out->last, err);
    if (status == SL_OK) {
        status = sl_store_one(s,
                              "SELECT (SELECT min(n) FROM outbox WHERE seq IS NULL),"
                              " EXISTS (SELECT 1 FROM outbox), (SELECT min(n) FROM outbox)",
                              NULL, 0, cells, 3, err);
    }
    if (status == SL_OK) {
        out->floor = cells[0].kind == SL_CELL_INT ? cells[0].i : out->last + 1;
        out->empty = cells[1].i == 0;
        out->keep = cells[2].kind == SL_CELL_INT ? cells[2].i : out->last + 1;
    }
    return status;
}

static sl_status count(sl_store *s, const char *sql, int64_t *out, sl_error **err)
{
    sl_cell cell;
    sl_status status = sl_store_one(s, sql, NULL, 0, &cell, 1, err);
    *out = status == SL_OK ? cell.i : 0;
    return status;
}

sl_status sl_store_outbox_count(sl_store *s, int64_t *out, sl_error **err)
{
    return count(s, "SELECT count(*) FROM outbox", out, err);
}

sl_status sl_store_outbox_op(sl_store *s, int64_t n, sl_op *out, sl_error **err)
{
    memset(out, 0, sizeof *out);
    sl_cell params[] = {sl_cell_int(n)};
    sl_cell cell;
    sl_status status =
        sl_store_one(s, "SELECT op FROM outbox WHERE n=$1", params, 1, &cell, 1, err);
    if (status == SL_E_NOT_FOUND) {
        status = sl_fail(err, SL_E_NOT_FOUND, "there is no operation %lld", (long long)n);
    }
    if (status == SL_OK) {
        status = parse_op(cell.text, out, err);
    }
    sl_cells_free(&cell, 1);
    return status;
}

typedef struct each_op {
    bool (*fn)(void *ctx, const sl_op *op);
    void *ctx;
    sl_status status;
    sl_error **err;
} each_op;

static bool one_op(void *ctx, const sl_cell *cells, size_t n)
{
    each_op *each = ctx;
    (void)n;
    sl_op op = {0};
    sl_status read = parse_op(cells[0].text, &op, NULL); /* a damaged one has nothing to tell */
    if (read == SL_E_NOMEM || (read == SL_OK && !each->fn(each->ctx, &op))) {
        each->status = sl_fail_nomem(each->err);
    }
    sl_op_free(&op);
    return each->status == SL_OK;
}

sl_status sl_store_outbox_of(sl_store *s, const char *space, bool (*fn)(void *ctx, const sl_op *op),
                             void *ctx, sl_error **err)
{
    each_op each = {fn, ctx, SL_OK, err};
    sl_cell params[] = {sl_cell_text(space)};
    sl_status status =
        sl_sql_run(s->sql, "SELECT op FROM outbox WHERE space=$1 AND seq IS NULL ORDER BY n",
                   params, 1, one_op, &each, err);
    return status != SL_OK ? status : each.status;
}

sl_status sl_store_outbox_accepted(sl_store *s, int64_t n, int64_t seq, sl_error **err)
{
    sl_cell params[] = {sl_cell_int(n), sl_cell_int(seq)};
    return sl_sql_run(s->sql, "UPDATE outbox SET seq=$2 WHERE n=$1", params, 2, NULL, NULL, err);
}

sl_status sl_store_outbox_again(sl_store *s, const char *space, sl_error **err)
{
    sl_cell params[] = {sl_cell_text(space)};
    return sl_sql_run(s->sql,
                      "UPDATE outbox SET seq=NULL WHERE seq IS NOT NULL AND (space=$1"
                      " OR space NOT IN (SELECT name FROM space))",
                      params, 1, NULL, NULL, err);
}

static sl_status leave(sl_store *s, const sl_op *op, sl_error **err)
{
    SL_ASSERT(op->entity != NULL);
    sl_cell params[] = {sl_cell_int(op->n)};
    sl_status status =
        sl_sql_run(s->sql, "DELETE FROM outbox WHERE n=$1", params, 1, NULL, NULL, err);
    return status == SL_OK ? show(s, op->entity, op->id, err) : status;
}

sl_status sl_store_outbox_rejected(sl_store *s, int64_t n, const char *code, const char *message,
                                   sl_error **err)
{
    sl_op op;
    sl_status status = sl_store_outbox_op(s, n, &op, err);
    if (status == SL_OK) {
        sl_cell params[] = {sl_cell_int(n), sl_cell_text(code), sl_cell_text(message)};
        status = sl_sql_run(s->sql,
                            "INSERT OR REPLACE INTO rejected SELECT n, op, $2, $3 FROM outbox"
                            " WHERE n=$1",
                            params, 3, NULL, NULL, err);
    }
    if (status == SL_OK) {
        status = leave(s, &op, err);
    }
    sl_op_free(&op);
    return status;
}

sl_status sl_store_outbox_settle(sl_store *s, const char *space, sl_error **err)
{
    sl_space at;
    sl_status status = sl_store_space(s, space, &at, err);
    while (status == SL_OK) {
        sl_cell params[] = {sl_cell_text(space), sl_cell_int(at.cursor)};
        sl_cell cell;
        sl_op op = {0};
        status =
            sl_store_one(s, "SELECT n FROM outbox WHERE space=$1 AND seq<=$2 ORDER BY n LIMIT 1",
                         params, 2, &cell, 1, err);
        if (status == SL_OK) {
            status = sl_store_outbox_op(s, cell.i, &op, err);
        }
        if (status == SL_OK) {
            status = leave(s, &op, err);
        }
        sl_op_free(&op);
    }
    return status == SL_E_NOT_FOUND ? SL_OK : status;
}

sl_status sl_store_rejected_count(sl_store *s, int64_t *out, sl_error **err)
{
    return count(s, "SELECT count(*) FROM rejected", out, err);
}
