/* What the user is told of operations that came to nothing: refused, or gone with their space. */
#include "engine/engine.h"

#include "base/json.h"
#include "base/mem.h"
#include "engine/chat.h"

#include <string.h>

static sl_json *fields_of(const sl_op *op)
{
    sl_buf b = {0};
    sl_op_put_fields(&b, op);
    sl_json *fields = !b.failed ? sl_json_parse(sl_buf_text(&b), b.len) : NULL;
    sl_buf_free(&b);
    return fields;
}

sl_json *sl_rejected_event(const sl_op *op, const char *code, const char *message)
{
    sl_json *event = sl_json_object();
    bool ok = event != NULL && sl_json_set_str(event, "ev", "rejected") &&
              sl_json_set_str(event, "entity", op->entity->name) &&
              sl_json_set_str(event, "id", op->id) && sl_json_set_str(event, "code", code) &&
              sl_json_set_str(event, "message", message) &&
              sl_json_set_int(event, "draft", op->n) &&
              (op->values == NULL || sl_json_set(event, "fields", fields_of(op)));
    if (!ok) {
        sl_json_free(event);
        return NULL;
    }
    return event;
}

/* A space that goes. What waits of one's own participant (how far one has read, that one leaves), or of the
 * organisation itself (that it is deleted), went with it: nobody is told that it was refused. */
typedef struct losing {
    sl_json *lost; /* gets the events of the other operations */
    char own[SL_UUID_LEN + 1];
} losing;

static bool note_lost(void *ctx, const sl_op *op)
{
    const losing *l = ctx;
    if (strcmp(op->id, l->own) == 0) {
        return true;
    }
    sl_json *event = sl_rejected_event(op, "SL_E_DENIED", SL_STORE_TAKEN_AWAY);
    return event != NULL && sl_json_add(l->lost, event);
}

static void forget_file(void *ctx, const char *hex)
{
    sl_transfers_forget(ctx, hex);
}

sl_status sl_lost_space(sl_core *core, const char *space, sl_json *lost, sl_error **err)
{
    losing l = {.lost = lost};
    int64_t *numbers = NULL;
    size_t count = 0;
    bool organisation = sl_space_is(space, "organisation");
    sl_status status = sl_space_is(space, "thread") ? sl_local_own(core, space, l.own, err) : SL_OK;
    if (organisation) {
        memcpy(l.own, sl_space_id(space), sizeof l.own);
    }
    if (status == SL_OK && l.own[0] != 0) {
        const sl_entity *e = sl_entity_find(organisation ? "organisation" : "participant");
        status = sl_store_pending_of(core->store, e, l.own, &numbers, &count, err);
    }
    if (status == SL_OK) {
        status = sl_store_outbox_of(core->store, space, note_lost, &l, err);
    }
    if (status == SL_OK) {
        status = sl_store_drop_space(core->store, space, false, err);
    }
    for (size_t i = 0; status == SL_OK && i < count; i++) {
        char code[32];
        sl_op op = {0};
        status = sl_store_rejected_take(core->store, numbers[i], &op, code, sizeof code, NULL);
        status = status == SL_E_NOT_FOUND ? SL_OK : status; /* accepted before */
        sl_op_free(&op);
    }
    sl_mem_free(numbers);
    if (status == SL_OK) {
        status = sl_chat_forget(core, space, err);
    }
    return status == SL_OK ? sl_store_sweep_blobs(core->store, forget_file, core, err) : status;
}

void sl_lost_tell(sl_core *core, sl_json *lost)
{
    for (const sl_json *e = sl_json_first(lost); e != NULL; e = sl_json_next(e)) {
        sl_events_push(core->events, sl_json_clone(e));
    }
}
