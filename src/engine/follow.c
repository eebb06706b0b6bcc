/* Operations that end when the changes of one record that waited when they began are with everybody. */
#include "engine/engine.h"

#include "base/error.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

typedef enum stage {
    STAGE_DURABLE,
    STAGE_SENT,
    STAGE_ACCEPTED,
    STAGE_VISIBLE
} stage;

static const char *const STAGES[] = {"durable", "sent", "accepted", "visible"};

struct sl_follow {
    sl_id op;
    int64_t *numbers; /* of the operations, sl_mem */
    size_t count;
    stage told;
    sl_follow *next;
};

static void drop(sl_core *core, sl_follow *f)
{
    sl_follow **at = &core->follows;
    while (*at != f) {
        at = &(*at)->next;
    }
    *at = f->next;
    sl_mem_free(f->numbers);
    sl_mem_free(f);
}

void sl_follow_stop(sl_core *core)
{
    while (core->follows != NULL) {
        drop(core, core->follows);
    }
}

sl_status sl_follow_record(sl_core *core, const char *entity, const char *id, sl_id *op,
                           sl_error **err)
{
    const sl_entity *e = sl_entity_find(entity);
    if (e == NULL) {
        return sl_fail_field(err, SL_E_INVALID, "entity", "there is no entity \"%s\"", entity);
    }
    sl_follow *f = sl_mem(sizeof *f);
    if (f == NULL) {
        return sl_fail_nomem(err);
    }
    sl_status status = sl_store_pending_of(core->store, e, id, &f->numbers, &f->count, err);
    if (status == SL_OK) {
        f->op = sl_events_op(core->events);
        status = f->op != 0 ? SL_OK : sl_fail_nomem(err);
    }
    if (status != SL_OK) {
        sl_mem_free(f->numbers);
        sl_mem_free(f);
        return status;
    }
    f->next = core->follows;
    core->follows = f;
    *op = f->op;
    sl_engine_kick(core);
    return SL_OK;
}

static void tell(sl_core *core, const sl_follow *f)
{
    sl_json *event = sl_json_object();
    bool ok = event != NULL && sl_json_set_str(event, "ev", "stage") &&
              sl_json_set_int(event, "op", (int64_t)f->op) &&
              sl_json_set_str(event, "stage", STAGES[f->told]);
    if (ok) {
        sl_events_push(core->events, event);
    } else {
        sl_json_free(event);
    }
}

static sl_status status_of(const char *name)
{
    for (sl_status s = SL_E_TOO_NEW; s < SL_OK; s++) {
        if (strcmp(sl_status_name(s), name) == 0) {
            return s;
        }
    }
    return SL_E_DENIED;
}

typedef struct refusal {
    int64_t n;
    bool found;
    sl_status code;
    char message[200];
} refusal;

static bool take_refusal(void *ctx, const sl_op *op, const char *code, const char *message,
                         const char *field)
{
    refusal *r = ctx;
    (void)field;
    if (op->n == r->n) {
        r->found = true;
        r->code = status_of(code);
        (void)snprintf(r->message, sizeof r->message, "%s", message);
    }
    return true;
}

/* How far one operation is. */
static sl_status stage_of(sl_core *core, int64_t n, stage *out, refusal *r)
{
    bool waits = false;
    bool accepted = false;
    sl_status status = sl_store_outbox_state(core->store, n, &waits, &accepted, NULL);
    *out = !waits                        ? STAGE_VISIBLE
           : accepted                    ? STAGE_ACCEPTED
           : sl_sync_sent(core->sync, n) ? STAGE_SENT
                                         : STAGE_DURABLE;
    if (status == SL_OK && !waits) {
        r->n = n;
        status = sl_store_rejected(core->store, NULL, n - 1, 1, take_refusal, r, NULL);
    }
    return status;
}

/* True when the operation has ended. */
static bool run_one(sl_core *core, sl_follow *f)
{
    if (sl_events_op_cancelled(core->events, f->op)) {
        sl_events_op_failed(core->events, f->op, SL_E_CANCELLED, "cancelled");
        return true;
    }
    stage least = STAGE_VISIBLE;
    refusal r = {.found = false};
    for (size_t i = 0; i < f->count; i++) {
        stage one = STAGE_DURABLE;
        if (stage_of(core, f->numbers[i], &one, &r) != SL_OK) {
            return false; /* looked at again in the next turn */
        }
        least = one < least ? one : least;
    }
    if (r.found) {
        sl_events_op_failed(core->events, f->op, r.code, r.message);
        return true;
    }
    if (least == STAGE_VISIBLE) {
        sl_events_op_done(core->events, f->op, NULL);
        return true;
    }
    if (least > f->told) {
        f->told = least;
        tell(core, f);
    }
    return false;
}

void sl_follow_run(sl_core *core)
{
    sl_follow *f = core->follows;
    while (f != NULL) {
        sl_follow *next = f->next;
        if (run_one(core, f)) {
            drop(core, f);
        }
        f = next;
    }
}
