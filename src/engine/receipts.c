/* Receipts: what the server says of the operations that were sent. */
#include "engine/engine.h"

#include "base/json.h"

#include <string.h>

/* What a batch of receipts leaves to be done once it is committed. */
typedef struct answers {
    bool touched[64];  /* by entity index */
    sl_json *spaces;   /* where */
    sl_json *rejected; /* events */
} answers;

static bool note_space(answers *due, const char *space)
{
    for (const sl_json *v = sl_json_first(due->spaces); v != NULL; v = sl_json_next(v)) {
        if (strcmp(sl_json_text(v), space) == 0) {
            return true;
        }
    }
    return sl_json_add_str(due->spaces, space);
}

static sl_status store_receipt(sl_core *core, const sl_receipt *r, answers *due)
{
    sl_op op = {0};
    sl_status status = r->result == SL_REJECTED
                           ? sl_store_outbox_op(core->store, r->n, &op, NULL)
                           : sl_store_outbox_head(core->store, r->n, &op, NULL);
    const char *code = r->code != NULL ? r->code : "SL_E_DENIED";
    const char *message = r->message != NULL ? r->message : "";
    if (status == SL_E_NOT_FOUND) {
        sl_op_free(&op);
        return SL_OK;
    }
    if (status == SL_OK) {
        due->touched[op.entity->index] = true;
        status = note_space(due, op.space) ? SL_OK : SL_E_NOMEM;
    }
    if (status == SL_OK && r->result == SL_REJECTED) {
        sl_json *event = sl_rejected_event(&op, code, message);
        status = event != NULL && sl_json_add(due->rejected, event)
                     ? sl_store_outbox_rejected(core->store, r->n, code, message,
                                                r->field != NULL ? r->field : "", NULL)
                     : SL_E_NOMEM;
    } else if (status == SL_OK) {
        status = sl_store_outbox_accepted(core->store, r->n, r->seq, NULL);
    }
    sl_op_free(&op);
    return status;
}

static sl_status read_receipts(sl_core *core, answers *due)
{
    sl_status status = SL_OK;
    bool got = true;
    while (status == SL_OK && got) {
        sl_receipt r;
        bool fresh = false;
        status = sl_frame_receipt(core->link.in, &r, &got, NULL);
        if (status == SL_OK && got) {
            status = sl_sync_receipt(core->sync, &r, &fresh, NULL);
        }
        if (status == SL_OK && fresh) {
            status = store_receipt(core, &r, due);
        }
    }
    for (const sl_json *v = sl_json_first(due->spaces); status == SL_OK && v != NULL;
         v = sl_json_next(v)) {
        if (sl_sync_live(core->sync, sl_json_text(v))) {
            status = sl_store_outbox_settle(core->store, sl_json_text(v), NULL);
        }
    }
    return status;
}

static void tell_answers(sl_core *core, const answers *due)
{
    for (const sl_json *v = sl_json_first(due->spaces); v != NULL; v = sl_json_next(v)) {
        for (size_t i = 0; i < sl_entity_count; i++) {
            if (due->touched[i]) {
                sl_live_touch(core, &sl_entities[i], sl_json_text(v));
            }
        }
    }
    sl_lost_tell(core, due->rejected);
}

/* All receipts of a frame in one transaction. */
void sl_online_receipts(sl_core *core)
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
}
