/*
 * service/op.c - one operation: known already? allowed? valid? merge, effects, receipt.
 *
 *   [OP-1] an operation has its effect once, and its receipt is in the same transaction;
 *   [OP-2] a rejected one leaves nothing but its receipt;
 *   [OP-3] what failed on the server's side gets no receipt: the connection ends and the
 *          device sends it again.
 */
#include "base/error.h"
#include "base/mem.h"
#include "service/inside.h"

#include <stdio.h>
#include <string.h>

typedef struct job {
    const sl_sv_conn *conn;
    const sl_json *frame;
    int64_t n;
    const char *hlc; /* as the device wrote it: the same number under another stamp is another op */
    /* The receipt. */
    bool known;
    const char *result;
    int64_t seq;
    char *code;
    char *message;
    char *field;
} job;

static void job_clear(job *j)
{
    sl_mem_free(j->code);
    sl_mem_free(j->message);
    sl_mem_free(j->field);
    j->code = NULL;
    j->message = NULL;
    j->field = NULL;
}

static bool is_verdict(sl_status status)
{
    return status == SL_E_INVALID || status == SL_E_DENIED || status == SL_E_CONFLICT ||
           status == SL_E_NOT_FOUND || status == SL_E_LIMIT;
}

static const char *result_of(const char *stored)
{
    static const char *const results[] = {"applied", "merged", "rejected"};
    for (size_t i = 0; i < 3; i++) {
        if (strcmp(results[i], stored) == 0) {
            return results[i];
        }
    }
    return "rejected";
}

static char *dup_or_null(const char *s)
{
    return s != NULL && s[0] != 0 ? sl_text_dup(s) : NULL;
}

/* A folder that was restored from a backup, or copied, counts from an old number: its new operation
 * must not be taken for the one that had the number before. */
static bool answered_before(job *j)
{
    job_clear(j);
    j->known = true;
    j->result = "rejected";
    j->seq = 0;
    j->code = sl_text_dup("SL_E_CONFLICT");
    j->message = sl_text_dup("this device has used the operation's number before");
    return j->code != NULL && j->message != NULL;
}

static sl_status find_receipt(sl_service *s, job *j, sl_error **err)
{
    sl_sv_rows rows;
    sl_status status = sl_sv_all(
        s,
        "SELECT result, seq, code, message, field, hlc FROM receipt WHERE user_id=$1 AND device=$2"
        " AND n=$3",
        SL_SV_ARGS(sl_cell_text(j->conn->user), sl_cell_text(j->conn->device), sl_cell_int(j->n)),
        &rows, err);
    if (status == SL_OK && rows.count > 0 && strcmp(sl_sv_text(&rows, 0, 5), j->hlc) != 0) {
        status = answered_before(j) ? SL_OK : sl_fail_nomem(err);
    } else if (status == SL_OK && rows.count > 0) {
        job_clear(j);
        j->known = true;
        j->result = result_of(sl_sv_text(&rows, 0, 0));
        j->seq = sl_sv_int(&rows, 0, 1);
        j->code = dup_or_null(sl_sv_text(&rows, 0, 2));
        j->message = dup_or_null(sl_sv_text(&rows, 0, 3));
        j->field = dup_or_null(sl_sv_text(&rows, 0, 4));
    }
    sl_sv_rows_free(&rows);
    return status;
}

static sl_status keep_receipt(sl_service *s, const job *j, sl_error **err)
{
    return sl_sv_run(s,
                     "INSERT INTO receipt (user_id, device, n, hlc, result, seq, code, message,"
                     " field) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                     SL_SV_ARGS(sl_cell_text(j->conn->user), sl_cell_text(j->conn->device),
                                sl_cell_int(j->n), sl_cell_text(j->hlc), sl_cell_text(j->result),
                                sl_cell_int(j->seq), sl_cell_text(j->code),
                                sl_cell_text(j->message), sl_cell_text(j->field)),
                     err);
}

/* A clock that runs far ahead would win every merge for a long time. Its stamps are cut to the
 * limit, not to now: of two stamps of a device the later one stays the greater. */
static void clamp_stamp(const sl_sv_tx *tx, sl_op *op)
{
    int64_t limit_ms = tx->now_ms + SL_SV_HLC_AHEAD_MS;
    if (sl_hlc_ms(op->hlc) > limit_ms) {
        op->hlc.time = (uint64_t)(limit_ms > 0 ? limit_ms : 0) << 16 | 0xFFFF;
    }
}

static sl_status check_place(const sl_op *op, sl_error **err)
{
    if (!sl_space_is(op->space, op->entity->space_kind)) {
        return sl_fail(err, SL_E_INVALID, "a %s is not kept in this kind of space",
                       op->entity->name);
    }
    if (op->entity->root && strcmp(op->id, sl_space_id(op->space)) != 0) {
        return sl_fail(err, SL_E_INVALID, "the id of a %s is that of its space", op->entity->name);
    }
    return SL_OK;
}

/* Who may make a space of this kind by creating its root: anyone a video's, a coach a program's and
 * the one storefront under the account's own id. */
static sl_status may_make(sl_service *s, const sl_sv_op *o, bool *yes, sl_error **err)
{
    const char *kind = o->op.entity->name;
    bool storefront = strcmp(kind, "coach") == 0;
    *yes = o->op.kind == SL_OP_CREATE && strcmp(kind, "video") == 0;
    if (o->op.kind != SL_OP_CREATE || (!storefront && strcmp(kind, "program") != 0) ||
        (storefront && strcmp(sl_space_id(o->op.space), o->user) != 0)) {
        return SL_OK;
    }
    sl_sv_rows rows;
    sl_status status = sl_sv_all(s, "SELECT 1 FROM account WHERE id=$1 AND role='coach'",
                                 SL_SV_ARGS(sl_cell_text(o->user)), &rows, err);
    *yes = status == SL_OK && rows.count > 0;
    sl_sv_rows_free(&rows);
    return status;
}

/* Creating a root makes its space: nobody holds it yet, so the author is as good as its owner. */
static sl_status find_role(sl_sv_tx *tx, sl_sv_op *o, sl_error **err)
{
    sl_status status = sl_sv_role(tx->s, o->user, o->op.space, &o->role, err);
    if (status != SL_OK || o->role != 0) {
        return status;
    }
    bool may = false;
    bool exists = true;
    status = may_make(tx->s, o, &may, err);
    if (status == SL_OK && may) {
        status = sl_sv_space_exists(tx->s, o->op.space, &exists, err);
    }
    if (status == SL_OK && exists) {
        status = sl_fail(err, SL_E_DENIED, "not allowed in this space");
    }
    if (status != SL_OK) {
        return status;
    }
    o->role = SL_R_OWNER;
    status = sl_sv_space_make(tx, o->op.space, err);
    return status == SL_OK ? sl_sv_grant(tx, o->user, o->op.space, "owner", err) : status;
}

static bool is_author(const sl_sv_op *o, const sl_record *rec)
{
    int field = o->op.entity->author_field;
    if (field < 0 || rec->entity == NULL) {
        return false;
    }
    const char *author = sl_cell_str(&rec->values[field]);
    return author != NULL && strcmp(author, o->user) == 0;
}

static sl_status check_policy(const sl_sv_op *o, const sl_record *rec, sl_error **err)
{
    const sl_entity *e = o->op.entity;
    if (o->op.kind != SL_OP_CREATE && rec->deleted) {
        return SL_OK; /* nothing can come of it, and its author is no longer known */
    }
    unsigned may = o->op.kind == SL_OP_CREATE  ? e->create
                   : o->op.kind == SL_OP_PATCH ? e->patch
                                               : e->remove;
    unsigned have = o->role;
    if (o->op.kind != SL_OP_CREATE && is_author(o, rec)) {
        have |= SL_R_AUTHOR;
    }
    if ((may & have) != 0) {
        return SL_OK;
    }
    if (o->op.kind != SL_OP_CREATE && rec->entity == NULL) {
        return sl_fail(err, SL_E_NOT_FOUND, "there is no such %s", e->name);
    }
    return sl_fail(err, SL_E_DENIED, "your role does not allow this");
}

/* What is said about a deleted video goes nowhere, nor what is put into a deleted program. */
static sl_status check_root(sl_sv_tx *tx, const sl_op *op, sl_error **err)
{
    static const char *const kinds[] = {"video", "program", "coach"};
    const char *kind = op->entity->space_kind;
    bool rooted = false;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        rooted = rooted || strcmp(kinds[i], kind) == 0;
    }
    if (op->kind == SL_OP_DELETE || op->entity->root || !rooted) {
        return SL_OK;
    }
    sl_sv_item *root = NULL;
    sl_status status =
        sl_sv_get(tx, sl_entity_find(kind), op->space, sl_space_id(op->space), &root, err);
    if (status == SL_OK && (root->rec.entity == NULL || root->rec.deleted)) {
        status = sl_fail(err, SL_E_NOT_FOUND, "the %s was deleted", kind);
    }
    return status;
}

/* Devices make the ids and keep their records by them alone: one who may write to a space must not
 * take a record out of another by using its id again. Both copies of a connection share theirs. */
static sl_status check_id(sl_service *s, const sl_op *op, sl_error **err)
{
    if (strcmp(op->entity->name, "connection") == 0) {
        return SL_OK;
    }
    char sql[128];
    sl_sv_rows rows;
    (void)snprintf(sql, sizeof sql, "SELECT 1 FROM \"%s\" WHERE \"id\"=$1 AND \"space\"<>$2",
                   op->entity->name);
    sl_status status =
        sl_sv_all(s, sql, SL_SV_ARGS(sl_cell_text(op->id), sl_cell_text(op->space)), &rows, err);
    if (status == SL_OK && rows.count > 0) {
        status = sl_fail_field(err, SL_E_CONFLICT, "id", "the id is that of another %s",
                               op->entity->name);
    }
    sl_sv_rows_free(&rows);
    return status;
}

static sl_status apply(sl_sv_tx *tx, sl_sv_op *o, sl_sv_item **item, sl_error **err)
{
    sl_status status = check_place(&o->op, err);
    if (status == SL_OK) {
        status = find_role(tx, o, err);
    }
    if (status == SL_OK) {
        status = sl_sv_get(tx, o->op.entity, o->op.space, o->op.id, item, err);
    }
    if (status == SL_OK) {
        status = check_policy(o, &(*item)->rec, err);
    }
    if (status == SL_OK) {
        status = check_root(tx, &o->op, err);
    }
    if (status == SL_OK && o->op.kind == SL_OP_CREATE) {
        status = check_id(tx->s, &o->op, err);
    }
    if (status == SL_OK && o->op.kind != SL_OP_DELETE) {
        status =
            sl_schema_check(o->op.entity, o->op.values, o->op.has, o->op.kind == SL_OP_CREATE, err);
    }
    if (status == SL_OK) {
        status = sl_sv_check_refs(tx, &o->op, &(*item)->rec, err);
    }
    if (status == SL_OK) {
        status = sl_sv_before(tx, o, *item, err);
    }
    if (status == SL_OK && !o->done) {
        status = sl_merge_op(&(*item)->rec, &o->op, &o->merged, err);
        (*item)->dirty = status == SL_OK && o->merged != SL_MERGED_NOTHING;
    }
    if (status == SL_OK && o->merged != SL_MERGED_NOTHING) {
        status = sl_sv_after(tx, o, *item, err);
    }
    return status;
}

static sl_status run_op(sl_sv_tx *tx, void *ctx, sl_error **err)
{
    job *j = ctx;
    sl_status status = find_receipt(tx->s, j, err);
    if (status != SL_OK || j->known) {
        return status;
    }
    sl_sv_op o = {.user = j->conn->user};
    sl_sv_item *item = NULL;
    status = sl_op_from_json(&o.op, j->frame, err);
    if (status == SL_OK) {
        clamp_stamp(tx, &o.op);
        status = apply(tx, &o, &item, err);
    }
    if (status == SL_OK) {
        status = sl_sv_flush(tx, err);
    }
    if (status == SL_OK) {
        j->result = o.merged == SL_MERGED_ALL ? "applied" : "merged";
        j->seq = item->saved ? item->rec.seq : 0;
        status = keep_receipt(tx->s, j, err);
    }
    sl_op_free(&o.op);
    return status;
}

static sl_status run_rejection(sl_sv_tx *tx, void *ctx, sl_error **err)
{
    return keep_receipt(tx->s, ctx, err);
}

static sl_status reject(sl_service *s, job *j, sl_status code, const sl_error *why)
{
    job_clear(j);
    j->result = "rejected";
    j->seq = 0;
    j->code = sl_text_dup(sl_status_name(code));
    j->message = sl_text_dup(sl_error_message(why));
    j->field = dup_or_null(sl_error_field(why));
    if (j->code == NULL || j->message == NULL) {
        return SL_E_NOMEM;
    }
    return sl_sv_change(s, run_rejection, j, NULL);
}

static sl_status send_receipt(sl_service *s, const sl_sv_conn *c, const job *j)
{
    sl_json *f = sl_json_object();
    bool ok = f != NULL && sl_json_set_str(f, "t", "receipt") && sl_json_set_int(f, "n", j->n) &&
              sl_json_set_str(f, "result", j->result) && sl_json_set_int(f, "seq", j->seq) &&
              (j->code == NULL || sl_json_set_str(f, "code", j->code)) &&
              (j->message == NULL || sl_json_set_str(f, "message", j->message)) &&
              (j->field == NULL || sl_json_set_str(f, "field", j->field));
    char *text = ok ? sl_json_print(f) : NULL;
    sl_json_free(f);
    if (text == NULL) {
        return SL_E_NOMEM;
    }
    sl_sv_send(s, c, text, strlen(text));
    sl_mem_free(text);
    return SL_OK;
}

/* Below the floor the device has said that it has the receipt, so it cannot ask again. */
static bool below_floor(const sl_sv_conn *c, job *j)
{
    return j->n < c->floor && answered_before(j);
}

void sl_sv_on_op(sl_service *s, sl_sv_conn *c, const sl_json *frame)
{
    job j = {.conn = c, .frame = frame, .hlc = sl_json_str(frame, "hlc")};
    if (j.hlc == NULL || strlen(j.hlc) > SL_HLC_LEN) {
        j.hlc = "";
    }
    if (!sl_json_int(frame, "n", &j.n) || j.n <= 0) {
        sl_sv_drop(s, c, 4400, SL_E_INVALID, "an operation has a number");
        return;
    }
    sl_id id = c->id;
    sl_status status = SL_OK;
    if (!below_floor(c, &j)) {
        sl_error *why = NULL;
        status = sl_sv_change(s, run_op, &j, &why);
        if (is_verdict(status)) {
            status = reject(s, &j, status, why);
        }
        sl_error_release(why);
    }
    c = sl_sv_conn_find(s, id); /* telling others may have ended it */
    if (c != NULL && status == SL_OK) {
        status = send_receipt(s, c, &j);
    }
    if (c != NULL && status != SL_OK) {
        sl_sv_drop(s, c, 1011, SL_E_INTERNAL, "the server failed; try again");
    }
    job_clear(&j);
}
