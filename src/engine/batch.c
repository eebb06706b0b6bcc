/* A batch of local operations: one transaction, told to those who watch once it is durable. */
#include "engine/engine.h"

#include "base/error.h"
#include "base/mem.h"

#include <string.h>

sl_status sl_batch_begin(sl_core *core, sl_batch *b, sl_error **err)
{
    memset(b, 0, sizeof *b);
    return sl_store_begin(core->store, err);
}

sl_status sl_batch_begin_soft(sl_core *core, sl_batch *b, sl_error **err)
{
    memset(b, 0, sizeof *b);
    core->soft_ops = true;
    return sl_store_begin_soft(core->store, err);
}

static bool note_touched(sl_batch *b, const sl_op *op)
{
    const sl_touched_space *last = b->count > 0 ? &b->touched[b->count - 1] : NULL;
    sl_few_add(&b->few, op->entity, op->space, op->id, op->kind == SL_OP_DELETE);
    if (last != NULL && last->entity == op->entity && strcmp(last->space, op->space) == 0) {
        return true;
    }
    if (b->touched == NULL || b->count == b->room) {
        size_t room = b->room > 0 ? b->room * 2 : 4;
        sl_touched_space *grown = sl_mem_resize(b->touched, room, sizeof *grown);
        if (grown == NULL) {
            return false;
        }
        b->touched = grown;
        b->room = room;
    }
    sl_touched_space *t = &b->touched[b->count++];
    t->entity = op->entity;
    memcpy(t->space, op->space, sizeof t->space);
    return true;
}

sl_status sl_batch_op(sl_core *core, sl_batch *b, sl_op *op, sl_error **err)
{
    op->hlc = sl_hlc_tick(&core->clock, sl_engine_wall(core));
    sl_status status = sl_store_apply_local(core->store, op, err);
    if (status == SL_OK && !b->unnoted) {
        status = sl_store_undo_note(core->store, op, &b->log, err);
    }
    if (status == SL_OK && !note_touched(b, op)) {
        status = sl_fail_nomem(err);
    }
    return status;
}

sl_status sl_batch_end(sl_core *core, sl_batch *b, sl_status status, sl_undo_kind kind,
                       const char *group, sl_error **err)
{
    if (status == SL_OK) {
        status = sl_store_undo_keep(core->store, &b->log, kind, group, err);
    }
    if (status == SL_OK && b->count > 0) {
        status = sl_engine_keep_clock(core, err);
    }
    if (status == SL_OK) {
        status = sl_store_commit(core->store, err);
    }
    if (status != SL_OK) {
        sl_store_rollback(core->store);
    }
    bool told = status != SL_OK || sl_live_touch_few(core, &b->few);
    for (size_t i = 0; !told && i < b->count; i++) {
        sl_live_touch(core, b->touched[i].entity, b->touched[i].space);
    }
    if (status == SL_OK && b->count > 0) {
        sl_online_outbox_changed(core);
        sl_engine_kick(core);
    }
    sl_undo_log_free(&b->log);
    sl_mem_free(b->touched);
    memset(b, 0, sizeof *b);
    return status;
}
