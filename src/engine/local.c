/* Local reads and writes: checked, atomic, durable when they return. */
#include "engine/engine.h"

#include "base/error.h"
#include "base/mem.h"
#include "chat/chat.h"

#include <stdio.h>
#include <string.h>

enum {
    BATCH_MAX = 1000
};

static sl_status make_create(sl_core *core, const sl_json *j, sl_op *op, sl_error **err)
{
    const char *space = sl_json_str(j, "space");
    const char *id = sl_json_str(j, "id");
    if (!sl_space_ok(space) || !sl_space_is(space, op->entity->space_kind)) {
        return sl_fail_field(err, SL_E_INVALID, "space", "a %s lives in a %s space",
                             op->entity->name, op->entity->space_kind);
    }
    if (op->entity->create == 0) {
        return sl_fail(err, SL_E_DENIED, "a %s is made by the server", op->entity->name);
    }
    memcpy(op->space, space, strlen(space) + 1);
    if (id == NULL) {
        id = op->entity->root ? sl_space_id(space) : NULL;
    }
    if (id == NULL) {
        return sl_engine_uuid(core, op->id, err);
    }
    if (!sl_uuid_ok(id) || (op->entity->root && strcmp(id, sl_space_id(space)) != 0)) {
        return sl_fail_field(err, SL_E_INVALID, "id", "the id is not one, or not its space's");
    }
    memcpy(op->id, id, sizeof op->id);
    return SL_OK;
}

static sl_status make_change(const sl_json *j, sl_op *op, sl_error **err)
{
    const char *id = sl_json_str(j, "id");
    unsigned may = op->kind == SL_OP_PATCH ? op->entity->patch : op->entity->remove;
    if (!sl_uuid_ok(id)) {
        return sl_fail_field(err, SL_E_INVALID, "id", "the id is not one");
    }
    if (may == 0) {
        return sl_fail(err, SL_E_DENIED, "a %s is changed by the server only", op->entity->name);
    }
    memcpy(op->id, id, sizeof op->id);
    return SL_OK;
}

static sl_status make_op(sl_core *core, const sl_json *j, sl_op *op, sl_error **err)
{
    memset(op, 0, sizeof *op);
    const char *kind = sl_json_str(j, "op");
    op->entity = sl_entity_find(sl_json_str(j, "entity"));
    if (op->entity == NULL) {
        return sl_fail_field(err, SL_E_INVALID, "entity", "an operation names a known entity");
    }
    if (kind != NULL && strcmp(kind, "create") == 0) {
        op->kind = SL_OP_CREATE;
    } else if (kind != NULL && strcmp(kind, "patch") == 0) {
        op->kind = SL_OP_PATCH;
    } else if (kind != NULL && strcmp(kind, "delete") == 0) {
        op->kind = SL_OP_DELETE;
    } else {
        return sl_fail_field(err, SL_E_INVALID, "op", "an operation is create, patch or delete");
    }
    sl_status status =
        op->kind == SL_OP_CREATE ? make_create(core, j, op, err) : make_change(j, op, err);
    if (status == SL_OK && op->kind != SL_OP_DELETE) {
        const sl_json *fields = sl_json_get(j, "fields");
        status = sl_schema_check(op->entity, fields, op->kind == SL_OP_CREATE, err);
        op->fields = status == SL_OK ? sl_json_clone(fields) : NULL;
        if (status == SL_OK && op->fields == NULL) {
            status = sl_fail_nomem(err);
        }
    }
    sl_hlc_print(op->hlc, sl_hlc_tick(&core->clock, sl_engine_wall(core)));
    return status;
}

static sl_json *ids_of(const sl_op *made, size_t n)
{
    sl_json *out = sl_json_object();
    sl_json *ids = sl_json_array();
    bool ok = out != NULL && ids != NULL;
    for (size_t i = 0; ok && i < n; i++) {
        ok = sl_json_add_str(ids, made[i].id);
    }
    if (!ok || !sl_json_set(out, "ids", ids)) {
        sl_json_free(ok ? NULL : ids);
        sl_json_free(out);
        return NULL;
    }
    return out;
}

/* *ids (may be NULL) is made before the commit: what was committed must not be reported as failed. */
static sl_status write_all(sl_core *core, const sl_json *ops, sl_op *made, sl_json **ids,
                           sl_error **err)
{
    sl_status status = sl_store_begin(core->store, err);
    size_t i = 0;
    for (const sl_json *j = sl_json_first(ops); j != NULL && status == SL_OK; j = sl_json_next(j)) {
        status = make_op(core, j, &made[i], err);
        if (status == SL_OK) {
            status = sl_store_apply_local(core->store, &made[i], err);
        }
        i++;
    }
    if (status == SL_OK) {
        status = sl_engine_keep_clock(core, err);
    }
    if (status == SL_OK && ids != NULL) {
        *ids = ids_of(made, i);
        status = *ids != NULL ? SL_OK : sl_fail_nomem(err);
    }
    if (status == SL_OK) {
        status = sl_store_commit(core->store, err);
    }
    if (status != SL_OK) {
        sl_store_rollback(core->store);
        if (ids != NULL) {
            sl_json_free(*ids);
            *ids = NULL;
        }
    }
    return status;
}

sl_status sl_local_apply(sl_core *core, const sl_json *ops, sl_json **ids, sl_error **err)
{
    size_t n = sl_json_count(ops);
    if (!sl_json_is_array(ops) || n == 0 || n > BATCH_MAX) {
        return sl_fail(err, SL_E_INVALID, "a batch is an array of 1 to %d operations", BATCH_MAX);
    }
    sl_op *made = sl_mem_array(n, sizeof *made);
    if (made == NULL) {
        return sl_fail_nomem(err);
    }
    sl_status status = write_all(core, ops, made, ids, err);
    if (status == SL_OK) {
        for (size_t i = 0; i < n; i++) {
            sl_live_touch(core, made[i].entity, made[i].space);
        }
        sl_online_outbox_changed(core);
        sl_engine_kick(core);
    }
    for (size_t i = 0; i < n; i++) {
        sl_op_free(&made[i]);
    }
    sl_mem_free(made);
    return status;
}

sl_status sl_local_get(sl_core *core, const char *entity, const char *id, sl_bytes **out,
                       sl_error **err)
{
    const sl_entity *e = sl_entity_find(entity);
    if (e == NULL) {
        return sl_fail_field(err, SL_E_INVALID, "entity", "there is no entity \"%s\"", entity);
    }
    sl_record rec;
    sl_status status = sl_store_record(core->store, e, id, &rec, err);
    if (status != SL_OK) {
        return status;
    }
    if (rec.entity == NULL || rec.deleted) {
        sl_record_free(&rec);
        return sl_fail(err, SL_E_NOT_FOUND, "there is no %s with this id here", entity);
    }
    sl_json *j = sl_record_to_public(&rec, sl_store_pending(core->store, e, id));
    sl_record_free(&rec);
    *out = j != NULL ? sl_json_bytes(j) : NULL;
    sl_json_free(j);
    return *out != NULL ? SL_OK : sl_fail_nomem(err);
}

typedef struct collected {
    sl_json *rows;
    bool failed;
} collected;

static bool collect(void *ctx, sl_json *row)
{
    collected *c = ctx;
    c->failed = !sl_json_add(c->rows, row);
    return !c->failed;
}

sl_status sl_local_query(sl_core *core, const sl_json *query, sl_json **rows, sl_error **err)
{
    sl_query *q = NULL;
    sl_status status = sl_query_parse(query, &q, err);
    if (status != SL_OK) {
        return status;
    }
    *rows = sl_json_array();
    collected all = {*rows, *rows == NULL};
    status = all.failed ? SL_OK : sl_store_query(core->store, q, collect, &all, err);
    status = status == SL_OK && all.failed ? sl_fail_nomem(err) : status;
    sl_query_free(q);
    if (status != SL_OK) {
        sl_json_free(*rows);
        *rows = NULL;
    }
    return status;
}

static sl_json *query_of(const char *entity, const char *space, const char *key, const char *value)
{
    sl_json *q = sl_json_object();
    sl_json *where = sl_json_object();
    bool ok = where != NULL && sl_json_set_str(where, "space", space) &&
              (key == NULL || sl_json_set_str(where, key, value));
    ok = q != NULL && sl_json_set_str(q, "from", entity) && ok;
    if (!ok || !sl_json_set(q, "where", where)) {
        sl_json_free(ok ? NULL : where);
        sl_json_free(q);
        return NULL;
    }
    return q;
}

static sl_status patch_own(sl_core *core, const sl_json *participant, const char *field,
                           int64_t seq, sl_error **err)
{
    sl_json *fields = NULL;
    sl_status status = sl_chat_mark_patch(participant, field, seq, &fields, err);
    if (status != SL_OK || fields == NULL) {
        return status;
    }
    sl_json *ops = sl_json_array();
    sl_json *op = sl_json_object();
    bool ok = ops != NULL && op != NULL && sl_json_set_str(op, "op", "patch") &&
              sl_json_set_str(op, "entity", "participant") &&
              sl_json_set_str(op, "id", sl_json_str(participant, "id"));
    if (ok) {
        ok = sl_json_set(op, "fields", fields) && sl_json_add(ops, op);
    } else {
        sl_json_free(fields);
        sl_json_free(op);
    }
    status = ok ? sl_local_apply(core, ops, NULL, err) : sl_fail_nomem(err);
    sl_json_free(ops);
    return status;
}

sl_status sl_local_mark(sl_core *core, const char *space, const char *field, int64_t seq,
                        sl_error **err)
{
    sl_json *query = query_of("participant", space, "user_id", core->session.user);
    sl_json *rows = NULL;
    sl_status status = query != NULL ? sl_local_query(core, query, &rows, err) : sl_fail_nomem(err);
    const sl_json *own = sl_json_first(rows);
    if (status == SL_OK && own == NULL) {
        status = sl_fail(err, SL_E_NOT_FOUND, "this user takes no part in the thread %s", space);
    }
    if (status == SL_OK) {
        status = patch_own(core, own, field, seq, err);
    }
    sl_json_free(rows);
    sl_json_free(query);
    return status;
}
