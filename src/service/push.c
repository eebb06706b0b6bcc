/*
 * service/push.c - operations that came in one frame: each known already or not, applied in order,
 * answered.
 *
 *   [OP-1] an operation has its effect once, and its receipt is in the same transaction;
 *   [OP-2] a rejected one leaves nothing but its receipt, and undoes nothing but itself;
 *   [OP-3] what failed on the server's side gets no receipt: the connection ends and the
 *          device sends it again;
 *   [OP-4] receipts are sent after the commit, behind the changes that the operations caused;
 *   [OP-5] a receipt is written behind all others, in `receipt_log`, and before one is looked for, or when
 *          there are many, they are sorted into `receipt`: many devices write into few places.
 *
 * A frame is one transaction, but for operations whose rules ask the database for what others
 * before them may have changed: those are transactions of their own.
 */
#include "base/error.h"
#include "base/mem.h"
#include "base/plant.h"
#include "service/inside.h"

#include <string.h>

enum {
    LOGGED_MAX = 2048
};

typedef struct sl_sv_job {
    sl_op op;                 /* n and hlc at least */
    char hlc[SL_HLC_LEN + 1]; /* as the device wrote it: the same number under another stamp is
                                 another operation */
    bool broken;              /* not an operation: the receipt says why */
    bool known;
    sl_sv_item *item; /* of the record that it changed, once it was applied */
    /* The receipt. */
    sl_result result;
    int64_t seq;
    char *code;
    char *message;
    char *field;
} job;

typedef struct chunk {
    sl_sv_from *from;
    job *jobs;
    size_t count;
} chunk;

static void job_clear(job *j)
{
    sl_mem_free(j->code);
    sl_mem_free(j->message);
    sl_mem_free(j->field);
    j->code = NULL;
    j->message = NULL;
    j->field = NULL;
    j->item = NULL;
    j->seq = 0;
}

void sl_sv_jobs_free(sl_service *s)
{
    for (size_t i = 0; s->jobs != NULL && i < SL_SV_PUSH_MAX; i++) {
        job_clear(&s->jobs[i]);
        sl_op_free(&s->jobs[i].op);
    }
    sl_mem_free(s->jobs);
    s->jobs = NULL;
}

static bool is_verdict(sl_status status)
{
    return status == SL_E_INVALID || status == SL_E_DENIED || status == SL_E_CONFLICT ||
           status == SL_E_NOT_FOUND || status == SL_E_LIMIT;
}

static char *dup_or_null(const char *s)
{
    return s != NULL && s[0] != 0 ? sl_text_dup(s) : NULL;
}

static sl_status reject(job *j, const char *code, const char *message, const char *field)
{
    job_clear(j);
    j->result = SL_REJECTED;
    j->code = sl_text_dup(code);
    j->message = sl_text_dup(message);
    j->field = dup_or_null(field);
    return j->code != NULL && j->message != NULL ? SL_OK : SL_E_NOMEM;
}

/* A folder that was restored from a backup, or copied, counts from an old number: its new operation
 * must not be taken for the one that had the number before. */
static sl_status answered_before(job *j)
{
    j->known = true;
    return reject(j, "SL_E_CONFLICT", "this device has used the operation's number before", NULL);
}

/* --- receipts -------------------------------------------------------------------------------- */

static const char *const RESULTS[] = {"applied", "merged", "rejected"};

static sl_result result_of(const char *stored)
{
    return strcmp(stored, RESULTS[SL_APPLIED]) == 0  ? SL_APPLIED
           : strcmp(stored, RESULTS[SL_MERGED]) == 0 ? SL_MERGED
                                                     : SL_REJECTED;
}

static sl_status take_receipt(job *j, const sl_sv_rows *rows, size_t i)
{
    if (strcmp(sl_sv_text(rows, i, 6), j->hlc) != 0) {
        return answered_before(j);
    }
    job_clear(j);
    j->known = true;
    j->result = result_of(sl_sv_text(rows, i, 1));
    j->seq = sl_sv_int(rows, i, 2);
    j->code = dup_or_null(sl_sv_text(rows, i, 3));
    j->message = dup_or_null(sl_sv_text(rows, i, 4));
    j->field = dup_or_null(sl_sv_text(rows, i, 5));
    return SL_OK;
}

/* One that is there already stays: it was the answer. */
sl_status sl_sv_receipts_sort(sl_service *s, sl_error **err)
{
    sl_sv_rows rows;
    sl_status status = sl_sv_all(s, "SELECT n FROM receipt_log LIMIT 1", NULL, 0, &rows, err);
    bool some = status == SL_OK && rows.count > 0;
    sl_sv_rows_free(&rows);
    if (some) {
        status = sl_sv_run(
            s,
            "INSERT INTO receipt (user_id, device, n, hlc, result, seq, code, message, field)"
            " SELECT user_id, device, n, hlc, result, seq, code, message, field FROM receipt_log"
            " WHERE 1=1 ORDER BY user_id, device, n ON CONFLICT (user_id, device, n) DO NOTHING",
            NULL, 0, err);
    }
    if (some && status == SL_OK) {
        status = sl_sv_run(s, "DELETE FROM receipt_log", NULL, 0, err);
    }
    s->logged = 0;
    return status;
}

/* What the newest receipt's number is. */
static sl_status find_top(sl_service *s, sl_sv_from *from, sl_error **err)
{
    sl_sv_rows rows;
    sl_status status = sl_sv_receipts_sort(s, err);
    if (status != SL_OK) {
        return status;
    }
    status =
        sl_sv_all(s, "SELECT n FROM receipt WHERE user_id=$1 AND device=$2 ORDER BY n DESC LIMIT 1",
                  SL_SV_ARGS(sl_cell_text(from->user), sl_cell_text(from->device)), &rows, err);
    if (status == SL_OK) {
        from->top = rows.count > 0 ? sl_sv_int(&rows, 0, 0) : 0;
    }
    sl_sv_rows_free(&rows);
    return status;
}

/* The receipts that are there already, for all of the chunk: none when its numbers, which rise, are above
 * the newest one's. */
static sl_status find_receipts(sl_service *s, const chunk *c, sl_error **err)
{
    sl_sv_rows rows;
    sl_status known = c->from->top < 0 ? find_top(s, c->from, err) : SL_OK;
    if (known != SL_OK || c->jobs[0].op.n > c->from->top) {
        return known;
    }
    known = sl_sv_receipts_sort(s, err);
    if (known != SL_OK) {
        return known;
    }
    int64_t from = c->jobs[0].op.n;
    int64_t to = from;
    for (size_t i = 0; i < c->count; i++) {
        from = c->jobs[i].op.n < from ? c->jobs[i].op.n : from;
        to = c->jobs[i].op.n > to ? c->jobs[i].op.n : to;
    }
    sl_status status = sl_sv_all(
        s,
        "SELECT n, result, seq, code, message, field, hlc FROM receipt WHERE user_id=$1 AND"
        " device=$2 AND n>=$3 AND n<=$4 ORDER BY n",
        SL_SV_ARGS(sl_cell_text(c->from->user), sl_cell_text(c->from->device), sl_cell_int(from),
                   sl_cell_int(to)),
        &rows, err);
    size_t at = 0;
    for (size_t i = 0; status == SL_OK && i < c->count; i++) { /* numbers rise on both sides */
        while (at < rows.count && sl_sv_int(&rows, at, 0) < c->jobs[i].op.n) {
            at++;
        }
        if (at < rows.count && sl_sv_int(&rows, at, 0) == c->jobs[i].op.n) {
            status = take_receipt(&c->jobs[i], &rows, at);
        }
    }
    sl_sv_rows_free(&rows);
    return status;
}

static sl_status keep_receipt(sl_service *s, const sl_sv_from *c, const job *j, sl_error **err)
{
    sl_status status = sl_sv_run(
        s,
        "INSERT INTO receipt_log (user_id, device, n, hlc, result, seq, code, message, field)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        SL_SV_ARGS(sl_cell_text(c->user), sl_cell_text(c->device), sl_cell_int(j->op.n),
                   sl_cell_text(j->hlc), sl_cell_text(RESULTS[j->result]), sl_cell_int(j->seq),
                   sl_cell_text(j->code), sl_cell_text(j->message), sl_cell_text(j->field)),
        err);
    s->logged++;
    return status == SL_OK && s->logged >= LOGGED_MAX ? sl_sv_receipts_sort(s, err) : status;
}

/* --- the transaction ------------------------------------------------------------------------- */

/* A clock that runs far ahead would win every merge for a long time. Its stamps are cut to the
 * limit, not to now, and told apart by their numbers: of two stamps of a device the later one stays the
 * greater, also in one millisecond. */
static void clamp_stamp(const sl_sv_tx *tx, sl_op *op)
{
    int64_t limit_ms = tx->now_ms + SL_SV_HLC_AHEAD_MS;
    if (sl_hlc_ms(op->hlc) >= limit_ms && !SL_PLANTED("clamp-missing")) {
        op->hlc.time = (uint64_t)(limit_ms > 0 ? limit_ms : 0) << 16 | ((uint64_t)op->n & 0xFFFF);
    }
}

/* A verdict against the operation undoes it and makes the receipt. */
static sl_status run_one(sl_sv_tx *tx, const sl_sv_from *c, job *j, sl_error **err)
{
    sl_sv_op o = {.op = &j->op, .user = c->user, .standing = sl_sv_standing(&c->rank, tx->now_ms)};
    sl_error *why = NULL;
    clamp_stamp(tx, &j->op);
    sl_sv_part_begin(tx);
    sl_status status = sl_sv_apply(tx, &o, &j->item, &why);
    if (status == SL_OK) {
        j->result = o.merged == SL_MERGED_ALL ? SL_APPLIED : SL_MERGED;
        j->item = o.merged != SL_MERGED_NOTHING ? j->item : NULL;
        status = sl_sv_part_keep(tx, err);
    } else if (is_verdict(status) && why != NULL) {
        const char *code = sl_status_name(status);
        status = sl_sv_part_undo(tx, err);
        if (status == SL_OK &&
            reject(j, code, sl_error_message(why), sl_error_field(why)) != SL_OK) {
            status = sl_fail_nomem(err);
        }
    } else {
        status = is_verdict(status) ? SL_E_NOMEM : status;
    }
    sl_error_release(why);
    return status;
}

static sl_status run_chunk(sl_sv_tx *tx, void *ctx, sl_error **err)
{
    const chunk *c = ctx;
    for (size_t i = 0; i < c->count; i++) {
        if (!c->jobs[i].broken) {
            job_clear(&c->jobs[i]);
        }
        c->jobs[i].known = false;
    }
    sl_status status = SL_PLANTED("skip-receipt") ? SL_OK : find_receipts(tx->s, c, err);
    for (size_t i = 0; status == SL_OK && i < c->count; i++) {
        job *j = &c->jobs[i];
        if (!j->known && j->op.n < c->from->floor) {
            status = answered_before(j); /* it has said to have the receipt: it cannot ask again */
        } else if (!j->known && !j->broken) {
            status = run_one(tx, c->from, j, err);
        }
    }
    if (status == SL_OK) {
        status = sl_sv_flush(tx, err);
    }
    for (size_t i = 0; status == SL_OK && i < c->count; i++) {
        job *j = &c->jobs[i];
        if (!j->known && j->result == SL_REJECTED && strcmp(j->code, "SL_E_DENIED") == 0) {
            status =
                sl_sv_audit_add(tx->s, tx->now_ms, c->from->user, "operation", "-", "denied", err);
        }
        if (status == SL_OK && !j->known && !SL_PLANTED("forget-receipt")) {
            j->seq = j->item != NULL && j->item->saved ? j->item->rec.seq : 0;
            status = keep_receipt(tx->s, c->from, j, err);
        }
    }
    return status;
}

/* Adds them to s->receipts. */
static sl_status note_receipts(sl_service *s, const chunk *k)
{
    sl_status status = SL_OK;
    for (size_t i = 0; status == SL_OK && i < k->count; i++) {
        const job *j = &k->jobs[i];
        sl_receipt r = {.n = j->op.n,
                        .result = j->result,
                        .seq = j->seq,
                        .code = j->code,
                        .message = j->message,
                        .field = j->field};
        status = sl_items_receipt(s->receipts, &r) == SL_OK ? SL_OK : SL_E_NOMEM;
    }
    return status;
}

/* --- the frame ------------------------------------------------------------------------------- */

/* Reads the next operation into its place. SL_E_INVALID: the frame is broken. */
static sl_status read_job(sl_service *s, job *j, bool *got)
{
    sl_error *why = NULL;
    j->broken = false;
    sl_status status = sl_frame_op(s->in, &j->op, got, &j->broken, &why);
    if (status == SL_OK && *got && j->broken) {
        status = reject(j, "SL_E_INVALID", why != NULL ? sl_error_message(why) : "not an operation",
                        why != NULL ? sl_error_field(why) : NULL);
    }
    sl_hlc_print(j->hlc, j->op.hlc);
    sl_error_release(why);
    return status;
}

/* *count: how many. They rise in number. */
static sl_status read_jobs(sl_service *s, size_t *count)
{
    *count = 0;
    if (s->jobs == NULL) {
        s->jobs = sl_mem_array(SL_SV_PUSH_MAX, sizeof *s->jobs);
    }
    sl_status status = s->jobs != NULL ? SL_OK : SL_E_NOMEM;
    bool got = true;
    job over = {.broken = false};
    while (status == SL_OK && got) {
        bool full = *count == SL_SV_PUSH_MAX;
        job *j = full ? &over : &s->jobs[*count];
        status = read_job(s, j, &got);
        if (status == SL_OK && got) {
            bool rises = *count == 0 || j->op.n > s->jobs[*count - 1].op.n;
            status = !full && rises ? SL_OK : SL_E_INVALID;
            *count += 1;
        }
    }
    job_clear(&over);
    sl_op_free(&over.op);
    return status == SL_OK && *count == 0 ? SL_E_INVALID : status;
}

static bool alone(const job *j)
{
    return !j->broken && sl_sv_stands_alone(&j->op);
}

/* How many from here on are one transaction. */
static size_t chunk_of(const job *jobs, size_t left)
{
    size_t n = 1;
    while (!alone(&jobs[0]) && n < left && !alone(&jobs[n])) {
        n++;
    }
    return n;
}

static void count_up(sl_service *s, const chunk *k)
{
    for (size_t i = 0; i < k->count; i++) {
        s->counts.ops++;
        s->counts.rejected += k->jobs[i].result == SL_REJECTED ? 1 : 0;
    }
}

sl_status sl_sv_push(sl_service *s, sl_sv_from *from, sl_sv_receipts_fn fn, void *ctx)
{
    size_t count = 0;
    bool goes_on = true;
    sl_status status = read_jobs(s, &count);
    sl_items_clear(s->receipts);
    for (size_t i = 0; status == SL_OK && goes_on && i < count;) {
        chunk k = {from, &s->jobs[i], chunk_of(&s->jobs[i], count - i)};
        status = sl_sv_change(s, run_chunk, &k, NULL);
        status = status == SL_E_INVALID ? SL_E_INTERNAL : status;
        i += k.count;
        int64_t last = s->jobs[i - 1].op.n;
        from->top = from->top < 0 || from->top > last ? from->top : last;
        if (status == SL_OK) {
            count_up(s, &k);
            status = note_receipts(s, &k);
        }
        goes_on = status == SL_OK && fn(ctx);
    }
    return status;
}

typedef struct pushing {
    sl_service *s;
    sl_id conn;
} pushing;

/* Telling others may have ended the connection. */
static bool send_receipts(void *ctx)
{
    const pushing *p = ctx;
    sl_sv_conn *c = sl_sv_conn_find(p->s, p->conn);
    sl_frame f = {.kind = SL_FRAME_RECEIPTS};
    if (c != NULL && sl_sv_send(p->s, c, &f, p->s->receipts) == 0) {
        sl_sv_drop_failed(p->s, c, SL_E_NOMEM);
        return false;
    }
    sl_items_clear(p->s->receipts);
    return c != NULL;
}

void sl_sv_on_push(sl_service *s, sl_sv_conn *c)
{
    pushing p = {s, c->id};
    sl_sv_from from = {.floor = c->floor, .top = c->top}; /* the connection may end on the way */
    memcpy(from.user, c->user, sizeof from.user);
    memcpy(from.device, c->device, sizeof from.device);
    from.rank = c->rank;
    sl_status status = sl_sv_push(s, &from, send_receipts, &p);
    c = sl_sv_conn_find(s, p.conn);
    if (c != NULL) {
        c->top = from.top;
    }
    if (c != NULL && status == SL_E_INVALID) {
        sl_sv_drop(s, c, 4400, SL_E_INVALID, SL_SV_PUSH_BROKEN);
    } else if (c != NULL && status != SL_OK) {
        sl_sv_drop(s, c, 1011, SL_E_INTERNAL, "the server failed; try again");
    }
}
