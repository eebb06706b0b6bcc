/* Receipts: what the server says of the operations that were sent. */
#include "engine/engine.h"

#include "base/json.h"

#include <stdio.h>
#include <string.h>

/* What a batch of receipts leaves to be done once it is committed. */
typedef struct answers {
    bool touched[64];        /* by entity index */
    sl_few few;              /* the records */
    sl_json *spaces;         /* where */
    char last[SL_SPACE_MAX]; /* of them */
    sl_json *rejected;       /* events */
    bool more;               /* of the frame, in another transaction */
} answers;

static bool note_space(answers *due, const char *space)
{
    if (strcmp(due->last, space) == 0) {
        return true;
    }
    (void)snprintf(due->last, sizeof due->last, "%s", space);
    for (const sl_json *v = sl_json_first(due->spaces); v != NULL; v = sl_json_next(v)) {
        if (strcmp(sl_json_text(v), space) == 0) {
            return true;
        }
    }
    return sl_json_add_str(due->spaces, space);
}

static sl_status note_answer(answers *due, const sl_entity *e, const char *space, const char *id,
                             bool refused)
{
    due->touched[e->index] = true;
    sl_few_add(&due->few, e, space, id, refused);
    return note_space(due, space) ? SL_OK : SL_E_NOMEM;
}

/* What it made is as the server has it, if it is there. */
static bool note_settled(void *ctx, const sl_op *op)
{
    return note_answer(ctx, op->entity, op->space, op->id, true) == SL_OK;
}

static sl_status store_rejection(sl_core *core, const sl_receipt *r, answers *due)
{
    sl_op op = {0};
    const char *code = r->code != NULL ? r->code : "SL_E_DENIED";
    const char *message = r->message != NULL ? r->message : "";
    sl_status status = sl_store_outbox_op(core->store, r->n, &op, NULL);
    if (status == SL_E_NOT_FOUND) {
        sl_op_free(&op);
        return SL_OK;
    }
    if (status == SL_OK) {
        status = note_answer(due, op.entity, op.space, op.id, true);
    }
    if (status == SL_OK) {
        sl_json *event = sl_rejected_event(&op, code, message);
        status = event != NULL && sl_json_add(due->rejected, event)
                     ? sl_store_outbox_rejected(core->store, r->n, code, message,
                                                r->field != NULL ? r->field : "", NULL)
                     : SL_E_NOMEM;
    }
    sl_op_free(&op);
    return status;
}

static sl_status store_receipt(sl_core *core, const sl_receipt *r, answers *due)
{
    sl_accepted of;
    if (r->result == SL_REJECTED) {
        return store_rejection(core, r, due);
    }
    sl_status status = sl_store_outbox_accepted(core->store, r->n, r->seq, &of, NULL);
    return status == SL_OK && of.entity != NULL
               ? note_answer(due, of.entity, of.space, of.id, false)
               : status;
}

/* Those of the frame, or as many as the lock may be held for. */
static sl_status read_receipts(sl_core *core, answers *due)
{
    sl_status status = SL_OK;
    bool got = true;
    while (status == SL_OK && got && !due->more) {
        sl_receipt r;
        bool fresh = false;
        status = sl_frame_receipt(core->link.in, &r, &got, NULL);
        if (status == SL_OK && got) {
            status = sl_sync_receipt(core->sync, &r, &fresh, NULL);
        }
        if (status == SL_OK && fresh) {
            status = store_receipt(core, &r, due);
            due->more = sl_kept_hurry(core);
        }
    }
    for (const sl_json *v = sl_json_first(due->spaces); status == SL_OK && v != NULL;
         v = sl_json_next(v)) {
        const char *space = sl_json_text(v);
        sl_space held;
        if (sl_sync_live(core->sync, space)) {
            status = sl_store_outbox_settle(core->store, space, note_settled, due, NULL);
        } else if (sl_store_space(core->store, space, &held, NULL) == SL_E_NOT_FOUND) {
            /* To be held, or not any more: at the own space's head it is known which. */
            sl_sync_check(core->sync, core->session.space);
        }
    }
    return status;
}

static void tell_answers(sl_core *core, const answers *due)
{
    bool told = sl_live_touch_few(core, &due->few);
    for (const sl_json *v = sl_json_first(due->spaces); !told && v != NULL; v = sl_json_next(v)) {
        for (size_t i = 0; i < sl_entity_count; i++) {
            if (due->touched[i]) {
                sl_live_touch(core, &sl_entities[i], sl_json_text(v));
            }
        }
    }
    sl_lost_tell(core, due->rejected);
}

/* One transaction. True: there is more. */
static bool some_receipts(sl_core *core)
{
    answers due = {.spaces = sl_json_array(), .rejected = sl_json_array()};
    bool ready = due.spaces != NULL && due.rejected != NULL;
    sl_status status = ready ? sl_store_begin(core->store, NULL) : SL_E_NOMEM;
    if (status == SL_OK) {
        status = read_receipts(core, &due);
        if (status == SL_OK) {
            status = sl_store_commit(core->store, NULL);
        } else {
            sl_store_rollback(core->store);
        }
    }
    if (status == SL_OK) {
        tell_answers(core, &due);
    } else {
        bool broken = status == SL_E_INVALID;
        core->platform.ws->close(core->platform.user, core->ws, broken ? 1002 : 1011,
                                 broken ? "protocol" : "cannot store");
    }
    sl_json_free(due.spaces);
    sl_json_free(due.rejected);
    return status == SL_OK && due.more;
}

/* The receipts of a frame: others may have the core between two of them. */
void sl_online_receipts(sl_core *core)
{
    sl_id ws = core->ws;
    while (some_receipts(core)) {
        sl_kept_give_way(core);
        if (ws != core->ws || !core->session.have || !core->want_online) {
            return; /* the rest is told again by another connection */
        }
    }
}
