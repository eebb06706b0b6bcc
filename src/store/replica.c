/*
 * Confirmed and visible records.
 *
 *   local op ------> visible, outbox (confirmed kept in shadow at the first one)
 *   server's state -> shadow when operations are pending, then visible = shadow + replay
 *                     visible otherwise
 *   receipt + cursor covers it, or rejection -> operation leaves, visible = shadow + rest
 *
 * A record that has pending operations has a row, even when nothing of it is to be seen: it is then
 * deleted and empty, and goes with the last of them. A confirmed deletion leaves nothing: changes come in
 * order, so nothing that is older can come after it.
 */
#include "store/inside.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/plant.h"
#include "sync/merge.h"
#include "sync/set.h"

#include <stdio.h>
#include <string.h>

sl_status sl_store_record(sl_store *s, const sl_entity *e, const char *id, sl_record *out,
                          sl_error **err)
{
    sl_row row;
    return sl_row_load(s, e, id, out, &row, err);
}

bool sl_store_pending(sl_store *s, const sl_entity *e, const char *id)
{
    char sql[128];
    uint8_t bytes[SL_UUID_BYTES] = {0};
    sl_cell one;
    sl_cell params[] = {sl_cell_blob(bytes, sizeof bytes)};
    (void)snprintf(sql, sizeof sql, "SELECT 1 FROM \"%s\" WHERE \"id\"=$1 AND \"pending\">0",
                   e->name);
    return sl_uuid_decode(bytes, id) &&
           sl_store_one(s, sql, params, 1, &(sl_taken){&one, 1, NULL}, NULL) == SL_OK;
}

/* --- shadows --------------------------------------------------------------------------------- */

sl_status sl_shadow_put(sl_store *s, const sl_record *rec, int64_t rid, sl_error **err)
{
    sl_buf_clear(&s->scratch);
    sl_record_pack(&s->scratch, rec);
    if (s->scratch.failed) {
        return sl_fail_nomem(err);
    }
    sl_cell params[] = {sl_cell_int(rec->entity->no), sl_cell_int(rid),
                        sl_cell_blob(s->scratch.data, s->scratch.len)};
    return sl_sql_run(s->sql, "INSERT OR REPLACE INTO shadow VALUES ($1, $2, $3)", params, 3, NULL,
                      NULL, err);
}

/* *was: there was one; NULL: nobody asks. */
static sl_status shadow_drop(sl_store *s, const sl_entity *e, int64_t rid, bool *was,
                             sl_error **err)
{
    sl_cell params[] = {sl_cell_int(e->no), sl_cell_int(rid)};
    sl_status status = sl_sql_run(s->sql, "DELETE FROM shadow WHERE entity=$1 AND rid=$2", params,
                                  2, NULL, NULL, err);
    if (was != NULL) {
        *was = status == SL_OK && sl_sql_changes(s->sql) > 0;
    }
    return status;
}

typedef struct reading {
    sl_record *rec;
    sl_status status;
    sl_error **err;
} reading;

static bool take_shadow(void *ctx, const sl_cell *cells, size_t n)
{
    reading *r = ctx;
    (void)n;
    r->status = cells[0].kind == SL_CELL_BLOB
                    ? sl_record_unpack(r->rec, cells[0].blob, cells[0].len, r->err)
                    : sl_fail(r->err, SL_E_CORRUPT, "a stored record cannot be read");
    return false;
}

/* The confirmed state of the record in the row; rec->entity NULL: nothing is confirmed. */
static sl_status shadow_get(sl_store *s, const sl_record *was, int64_t rid, sl_record *rec,
                            sl_error **err)
{
    reading r = {rec, SL_OK, err};
    sl_cell params[] = {sl_cell_int(was->entity->no), sl_cell_int(rid)};
    rec->entity = NULL;
    sl_status status = sl_sql_run(s->sql, "SELECT record FROM shadow WHERE entity=$1 AND rid=$2",
                                  params, 2, take_shadow, &r, err);
    status = status != SL_OK ? status : r.status;
    if (status == SL_OK && rec->entity != NULL &&
        (rec->entity != was->entity || strcmp(rec->id, was->id) != 0)) {
        status = sl_fail(err, SL_E_CORRUPT, "a confirmed state is another record's");
    }
    return status;
}

/* --- showing --------------------------------------------------------------------------------- */

/* An operation that no longer fits (its record is gone, or came back with the echo) changes
 * nothing here: the server's verdict on it decides. */
static sl_status replay(sl_store *s, const sl_chain *chain, const sl_record *was, sl_record *rec,
                        sl_error **err)
{
    sl_op op = {0};
    sl_merged merged;
    sl_status status = SL_OK;
    for (size_t i = 0; status == SL_OK && i < chain->count; i++) {
        status = sl_store_outbox_op(s, chain->links[i].n, &op, err);
        if (status == SL_OK && (op.entity != was->entity || strcmp(op.id, was->id) != 0)) {
            status = sl_fail(err, SL_E_CORRUPT, "a waiting operation is another record's");
        }
        if (status == SL_OK && sl_merge_replay(rec, &op, &merged, NULL) == SL_E_NOMEM) {
            status = sl_fail_nomem(err);
        }
    }
    sl_op_free(&op);
    return status;
}

/* Makes the visible record of an existing row from what is confirmed (NULL: as the shadow says) and what
 * is pending; without pending operations the shadow goes. */
static sl_status show(sl_store *s, const sl_record *was, const sl_row *row, const sl_chain *chain,
                      const sl_record *confirmed, sl_error **err)
{
    sl_record rec = {0};
    sl_row to = {row->rid, chain->count > 0 ? chain->links[chain->count - 1].n : 0};
    sl_status status = confirmed == NULL ? shadow_get(s, was, row->rid, &rec, err)
                       : sl_record_copy(&rec, confirmed) == SL_OK ? SL_OK
                                                                  : sl_fail_nomem(err);
    if (status == SL_OK) {
        status = replay(s, chain, was, &rec, err);
    }
    if (status == SL_OK && rec.entity == NULL && chain->count > 0) {
        status = sl_record_make(&rec, was->entity, was->id, was->space, err);
        rec.deleted = true;
    }
    if (status == SL_OK && chain->count == 1) { /* it may have left its values in the row */
        status = sl_outbox_fill(s, chain->links[0].n, err);
    }
    if (status == SL_OK) {
        bool gone = rec.entity == NULL || (rec.deleted && chain->count == 0);
        status = gone ? sl_row_delete(s, was, row, err) : sl_row_update(s, &rec, was, &to, err);
    }
    if (status == SL_OK && chain->count == 0) {
        status = shadow_drop(s, was->entity, row->rid, NULL, err);
    }
    sl_record_free(&rec);
    return status;
}

/* Takes the links that `gone` names out of the chain and closes it. */
static sl_status close_chain(sl_store *s, sl_chain *chain,
                             bool (*gone)(const sl_waiting *, int64_t), int64_t arg, sl_error **err)
{
    sl_status status = SL_OK;
    size_t kept = 0;
    for (size_t i = 0; status == SL_OK && i < chain->count; i++) {
        sl_waiting link = chain->links[i];
        int64_t prev = kept > 0 ? chain->links[kept - 1].n : 0;
        if (gone(&link, arg)) {
            status = sl_outbox_remove(s, link.n, err);
        } else {
            status = link.prev != prev ? sl_outbox_set_prev(s, link.n, prev, err) : SL_OK;
            chain->links[kept++] = link;
        }
    }
    chain->count = kept;
    return status;
}

static bool is_n(const sl_waiting *link, int64_t n)
{
    return link->n == n;
}

static bool is_covered(const sl_waiting *link, int64_t seq)
{
    return (link->seq > 0 || SL_PLANTED("covered-early")) && link->seq <= seq;
}

sl_status sl_replica_leave(sl_store *s, const sl_op *op, sl_error **err)
{
    sl_row row;
    sl_chain chain = {NULL, 0};
    sl_status status = sl_row_load(s, op->entity, op->id, &s->old, &row, err);
    if (status == SL_OK && row.rid == 0) {
        return sl_outbox_remove(s, op->n, err);
    }
    if (status == SL_OK) {
        status = sl_outbox_chain(s, row.pending, &chain, err);
    }
    size_t before = chain.count;
    if (status == SL_OK) {
        status = close_chain(s, &chain, is_n, op->n, err);
    }
    if (status == SL_OK && chain.count == before) { /* no record waits for it */
        status = sl_outbox_remove(s, op->n, err);
    }
    if (status == SL_OK && !SL_PLANTED("undo-forgotten")) {
        status = show(s, &s->old, &row, &chain, NULL, err);
    }
    sl_mem_free(chain.links);
    return status;
}

/* --- applying -------------------------------------------------------------------------------- */

static sl_status create(sl_store *s, sl_op *op, sl_error **err)
{
    sl_merged merged;
    s->rec.entity = NULL;
    sl_status status = sl_refs_check(s, op, NULL, err);
    if (status == SL_OK) {
        status = sl_merge_op(&s->rec, op, &merged, err);
    }
    if (status == SL_OK) {
        status = sl_outbox_number(s, op, err);
    }
    sl_row row = {0, op->n};
    if (status == SL_OK) {
        status = sl_row_insert(s, &s->rec, &row, err);
    }
    if (status == SL_OK && row.rid == 0) {
        status = sl_fail(err, SL_E_CONFLICT, "the %s already exists", op->entity->name);
    }
    return status == SL_OK ? sl_outbox_add(s, op, 0, 0, true, err) : status;
}

static sl_status change(sl_store *s, sl_op *op, sl_error **err)
{
    sl_row row;
    sl_merged merged;
    sl_status status = sl_row_load(s, op->entity, op->id, &s->old, &row, err);
    if (status == SL_OK && (row.rid == 0 || s->old.deleted)) {
        status = sl_fail(err, SL_E_NOT_FOUND, "there is no such %s", op->entity->name);
    }
    if (status == SL_OK && row.pending == 0 && !SL_PLANTED("shadow-not-kept")) {
        status = sl_shadow_put(s, &s->old, row.rid, err);
    }
    if (status == SL_OK) {
        memcpy(op->space, s->old.space, sizeof op->space);
        status = sl_record_copy(&s->rec, &s->old) == SL_OK ? SL_OK : sl_fail_nomem(err);
    }
    if (status == SL_OK && op->kind == SL_OP_PATCH) {
        status = sl_refs_check(s, op, &s->old, err);
    }
    if (status == SL_OK && op->kind == SL_OP_PATCH) {
        status = sl_set_observe(&s->rec, op, err);
    }
    if (status == SL_OK) {
        status = sl_merge_op(&s->rec, op, &merged, err);
    }
    int64_t before = row.pending;
    if (status == SL_OK && before != 0) {
        status = sl_outbox_fill(s, before, err);
    }
    if (status == SL_OK) {
        status = sl_outbox_number(s, op, err);
    }
    if (status == SL_OK) {
        row.pending = op->n;
        status = sl_row_update(s, &s->rec, &s->old, &row, err);
    }
    return status == SL_OK ? sl_outbox_add(s, op, before, 0, false, err) : status;
}

sl_status sl_store_apply_local(sl_store *s, sl_op *op, sl_error **err)
{
    return op->kind == SL_OP_CREATE ? create(s, op, err) : change(s, op, err);
}

/* The number of the confirmed state; 0: nothing is confirmed. A row has that of its shadow, and
 * after a reset, until the server's state comes, that of what was dropped. */
static sl_status confirmed_seq(sl_store *s, const sl_record *rec, const sl_row *row, int64_t *seq,
                               sl_error **err)
{
    sl_cell one;
    sl_cell params[] = {sl_cell_int(rec->entity->no), sl_cell_int(row->rid)};
    *seq = rec->seq;
    if (row->pending == 0 || rec->seq == 0) {
        return SL_OK;
    }
    sl_status status = sl_store_one(s, "SELECT 1 FROM shadow WHERE entity=$1 AND rid=$2", params, 2,
                                    &(sl_taken){&one, 1, NULL}, err);
    *seq = status == SL_OK ? *seq : 0;
    return status == SL_E_NOT_FOUND ? SL_OK : status;
}

/* The server's state, and no operation waits any more: it is what is to be seen. */
static sl_status confirm_all(sl_store *s, const sl_record *rec, const sl_row *row, sl_error **err)
{
    bool was = row->pending == 0;
    sl_row to = {row->rid, 0};
    sl_status status = row->pending != 0 ? shadow_drop(s, rec->entity, row->rid, &was, err) : SL_OK;
    int64_t had = was && !SL_PLANTED("sum-keeps-old") ? s->old.seq : 0;
    if (status == SL_OK) {
        status = sl_sum_move(s, row->rid >> 32, rec, had, err);
    }
    if (status != SL_OK) {
        return status;
    }
    return rec->deleted ? sl_row_delete(s, &s->old, row, err)
                        : sl_row_update(s, rec, &s->old, &to, err);
}

/* The server's state beside operations that wait. */
static sl_status confirm_some(sl_store *s, const sl_record *rec, const sl_row *row,
                              const sl_chain *chain, sl_error **err)
{
    int64_t had = 0;
    sl_status status = confirmed_seq(s, &s->old, row, &had, err);
    if (status == SL_OK) {
        status = sl_sum_move(s, row->rid >> 32, rec, SL_PLANTED("sum-keeps-old") ? 0 : had, err);
    }
    if (status == SL_OK) {
        status = rec->deleted ? shadow_drop(s, rec->entity, row->rid, NULL, err)
                              : sl_shadow_put(s, rec, row->rid, err);
    }
    return status == SL_OK ? show(s, &s->old, row, chain, rec, err) : status;
}

/* The server's state of a record that has a row; *here: it has one. */
static sl_status confirm(sl_store *s, const sl_record *rec, bool *here, sl_error **err)
{
    sl_row row;
    sl_chain chain = {NULL, 0};
    sl_status status = sl_row_load(s, rec->entity, rec->id, &s->old, &row, err);
    *here = status != SL_OK || row.rid != 0;
    /* Another space holds the id: ids are made by devices, and whoever may write to one space must
     * not take records out of another by using their ids again. */
    if (status != SL_OK || row.rid == 0 || strcmp(s->old.space, rec->space) != 0) {
        return status;
    }
    if (row.pending != 0) {
        status = sl_outbox_chain(s, row.pending, &chain, err);
    }
    if (status == SL_OK) {
        status = close_chain(s, &chain, is_covered, rec->seq, err);
    }
    if (status == SL_OK) {
        status = chain.count == 0 ? confirm_all(s, rec, &row, err)
                                  : confirm_some(s, rec, &row, &chain, err);
    }
    sl_mem_free(chain.links);
    return status;
}

/* Records of a first read are new, those of changes are mostly here: what the one before was is asked
 * first. */
sl_status sl_store_apply_remote(sl_store *s, const sl_record *rec, sl_error **err)
{
    sl_row row = {0, 0};
    bool here = false;
    sl_status status = s->here || rec->deleted ? confirm(s, rec, &here, err) : SL_OK;
    if (status == SL_OK && !here && !rec->deleted) {
        status = sl_row_insert(s, rec, &row, err);
        here = status == SL_OK && row.rid == 0;
        if (here) {
            status = confirm(s, rec, &here, err);
        } else if (status == SL_OK) {
            status = sl_sum_move(s, row.rid >> 32, rec, 0, err);
        }
    }
    s->here = here;
    return status;
}
