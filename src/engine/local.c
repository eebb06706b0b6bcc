/* Local reads and writes: checked, atomic, durable when they return. */
#include "engine/engine.h"

#include "base/error.h"
#include "base/mem.h"
#include "chat/chat.h"

#include <stdio.h>
#include <string.h>

enum {
    BATCH_MAX = 1000,
    GROUP_MAX = 64
};

/* A root without a space makes one of its own. */
static sl_status make_space(sl_core *core, sl_op *op, const char *id, sl_error **err)
{
    char fresh[SL_UUID_LEN + 1];
    sl_status status = id == NULL ? sl_engine_uuid(core, fresh, err) : SL_OK;
    if (status == SL_OK) {
        sl_space_name(op->space, op->entity->space_kind, id != NULL ? id : fresh);
        memcpy(op->id, sl_space_id(op->space), sizeof op->id);
    }
    return status;
}

static sl_status make_create(sl_core *core, const sl_json *j, sl_op *op, sl_error **err)
{
    const char *space = sl_json_str(j, "space");
    const char *id = sl_json_str(j, "id");
    bool none = sl_json_get(j, "space") == NULL && op->entity->root && op->entity->create != 0;
    if (none && (id == NULL || sl_uuid_ok(id))) {
        return make_space(core, op, id, err);
    }
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
    sl_op_clear(op);
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
        status = sl_op_set_fields(op, sl_json_get(j, "fields"), err);
    }
    if (status == SL_OK && op->kind != SL_OP_DELETE) {
        status = sl_schema_check(op->entity, op->values, op->has, op->kind == SL_OP_CREATE, err);
    }
    return status;
}

static void note_id(sl_buf *ids, const sl_op *op, bool first)
{
    sl_buf_str(ids, first ? "{\"ids\":[\"" : ",\"");
    sl_buf_put(ids, op->id, SL_UUID_LEN);
    sl_buf_u8(ids, '"');
}

/* *j NULL after the last operation of the batch. */
static sl_status next_op(sl_json_walk *ops, const sl_json **j, sl_error **err)
{
    sl_status status = sl_json_walk_next(ops, j);
    if (status == SL_E_INVALID) {
        return sl_fail(err, SL_E_INVALID, "the input is not valid JSON");
    }
    if (status == SL_OK && (ops->count == 0 || ops->count > BATCH_MAX)) {
        return sl_fail(err, SL_E_INVALID, "a batch is an array of 1 to %d operations", BATCH_MAX);
    }
    return status == SL_OK ? SL_OK : sl_fail_nomem(err);
}

static sl_status write_all(sl_core *core, sl_batch *b, sl_json_walk *ops, sl_buf *ids,
                           sl_error **err)
{
    sl_op op = {0};
    const sl_json *j = NULL;
    sl_status status = next_op(ops, &j, err);
    while (status == SL_OK && j != NULL) {
        status = make_op(core, j, &op, err);
        if (status == SL_OK) {
            status = sl_batch_op(core, b, &op, err);
        }
        if (status == SL_OK) {
            note_id(ids, &op, ops->count == 1);
            status = next_op(ops, &j, err);
        }
    }
    sl_op_free(&op);
    sl_buf_str(ids, "]}");
    return status == SL_OK && ids->failed ? sl_fail_nomem(err) : status;
}

/* The answer is made before the commit: what was committed must not be reported as failed. */
static sl_status write_and_answer(sl_core *core, sl_batch *b, sl_json_walk *ops, sl_bytes **answer,
                                  sl_error **err)
{
    sl_buf ids = {0};
    sl_status status = write_all(core, b, ops, &ids, err);
    if (status == SL_OK && answer != NULL) {
        *answer = sl_buf_bytes(&ids);
        status = *answer != NULL ? SL_OK : sl_fail_nomem(err);
    }
    sl_buf_free(&ids);
    return status;
}

static sl_status start(sl_json_walk *ops, const char *text, size_t n, sl_error **err)
{
    switch (sl_json_walk_start(ops, text, n)) {
    case SL_OK: return SL_OK;
    case SL_E_INVALID: return sl_fail(err, SL_E_INVALID, "the input is not valid JSON");
    case SL_E_NOMEM: return sl_fail_nomem(err);
    default:
        return sl_fail(err, SL_E_INVALID, "a batch is an array of 1 to %d operations", BATCH_MAX);
    }
}

/* What a batch is. */
typedef enum wish {
    WISH_OF_USER, /* it can be undone */
    WISH_MARK,    /* how far somebody is */
    WISH_REACHED  /* the same, made by the core itself */
} wish;

static sl_status apply(sl_core *core, const char *text, size_t n, const char *group, wish of,
                       sl_bytes **answer, sl_error **err)
{
    sl_json_walk ops;
    sl_batch b;
    sl_status status = start(&ops, text, n, err);
    if (status == SL_OK) {
        status =
            of == WISH_REACHED ? sl_batch_begin_soft(core, &b, err) : sl_batch_begin(core, &b, err);
    }
    if (status == SL_OK) {
        b.unnoted = of != WISH_OF_USER;
        status = write_and_answer(core, &b, &ops, answer, err);
        status = sl_batch_end(core, &b, status, SL_UNDO_BATCH, group, err);
    }
    sl_json_walk_end(&ops);
    if (status != SL_OK && answer != NULL) {
        sl_bytes_release(*answer);
        *answer = NULL;
    }
    return status;
}

sl_status sl_local_apply(sl_core *core, const char *ops, size_t n, const char *group,
                         sl_bytes **answer, sl_error **err)
{
    if (answer != NULL) {
        *answer = NULL;
    }
    if (strlen(group) > GROUP_MAX) {
        return sl_fail(err, SL_E_INVALID, "the name of a group has up to %d bytes", GROUP_MAX);
    }
    return apply(core, ops, n, group, WISH_OF_USER, answer, err);
}

static bool comma(void *ctx, const char *id, size_t from)
{
    sl_buf *rows = ctx;
    (void)id;
    (void)from;
    sl_buf_u8(rows, ',');
    return !rows->failed;
}

sl_status sl_local_query(sl_core *core, const sl_json *query, sl_buf *rows, sl_error **err)
{
    sl_query *q = NULL;
    sl_status status = sl_query_parse(query, &q, err);
    if (status != SL_OK) {
        return status;
    }
    sl_buf_u8(rows, '[');
    status = sl_store_query(core->store, q, rows, comma, rows, err);
    if (status == SL_OK && rows->len > 1) {
        rows->len--; /* the last comma */
    }
    sl_buf_u8(rows, ']');
    sl_query_free(q);
    return status == SL_OK && rows->failed ? sl_fail_nomem(err) : status;
}

static bool one(void *ctx, const char *id, size_t from)
{
    (void)ctx;
    (void)id;
    (void)from;
    return true;
}

sl_status sl_local_get(sl_core *core, const char *entity, const char *id, sl_bytes **out,
                       sl_error **err)
{
    sl_query *q = NULL;
    sl_buf row = {0};
    if (sl_entity_find(entity) == NULL) {
        return sl_fail_field(err, SL_E_INVALID, "entity", "there is no entity \"%s\"", entity);
    }
    sl_json *j = sl_json_object();
    sl_json *where = sl_json_object();
    bool ok = where != NULL && sl_json_set_str(where, "id", id);
    ok = j != NULL && sl_json_set_str(j, "from", entity) && ok;
    ok = sl_json_set(j, "where", where) && ok;
    sl_status status = ok ? sl_query_parse(j, &q, err) : sl_fail_nomem(err);
    sl_json_free(j);
    if (status == SL_OK) {
        status = sl_store_query(core->store, q, &row, one, NULL, err);
    }
    sl_query_free(q);
    if (status == SL_OK && row.len == 0) {
        status = sl_fail(err, SL_E_NOT_FOUND, "there is no %s with this id here", entity);
    }
    if (status == SL_OK) {
        *out = sl_buf_bytes(&row);
        status = *out != NULL ? SL_OK : sl_fail_nomem(err);
    }
    sl_buf_free(&row);
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
                           int64_t place, wish of, sl_error **err)
{
    sl_json *fields = NULL;
    sl_status status = sl_chat_mark_patch(participant, field, place, &fields, err);
    if (status != SL_OK || fields == NULL) {
        return status;
    }
    sl_json *ops = sl_json_array();
    sl_json *op = sl_json_object();
    bool ok = ops != NULL && op != NULL && sl_json_set_str(op, "op", "patch") &&
              sl_json_set_str(op, "entity", "participant") &&
              sl_json_set_str(op, "id", sl_json_str(participant, "id"));
    if (ok) {
        ok = sl_json_set(op, "fields", fields);
    } else {
        sl_json_free(fields);
    }
    if (ok) {
        ok = sl_json_add(ops, op);
    } else {
        sl_json_free(op);
    }
    char *text = ok ? sl_json_print(ops) : NULL;
    sl_json_free(ops);
    status = text != NULL ? apply(core, text, strlen(text), "", of, NULL, err) : sl_fail_nomem(err);
    sl_mem_free(text);
    return status;
}

/* The participant that is the user, *own NULL: none; of the rows, which are given. */
static sl_status find_own(sl_core *core, const char *space, sl_json **rows, const sl_json **own,
                          sl_error **err)
{
    sl_json *query = query_of("participant", space, "user_id", core->session.user);
    sl_buf text = {0};
    sl_status status = query != NULL ? sl_local_query(core, query, &text, err) : sl_fail_nomem(err);
    *rows = status == SL_OK ? sl_json_parse(sl_buf_text(&text), text.len) : NULL;
    if (status == SL_OK && *rows == NULL) {
        status = sl_fail_nomem(err);
    }
    *own = sl_json_first(*rows);
    sl_buf_free(&text);
    sl_json_free(query);
    return status;
}

sl_status sl_local_own(sl_core *core, const char *space, char id[SL_UUID_LEN + 1], sl_error **err)
{
    sl_json *rows = NULL;
    const sl_json *own = NULL;
    sl_status status = find_own(core, space, &rows, &own, err);
    (void)snprintf(id, SL_UUID_LEN + 1, "%s", own != NULL ? sl_json_str(own, "id") : "");
    sl_json_free(rows);
    return status;
}

static sl_status mark(sl_core *core, const char *space, const char *field, int64_t place, wish of,
                      sl_error **err)
{
    sl_json *rows = NULL;
    const sl_json *own = NULL;
    sl_status status = find_own(core, space, &rows, &own, err);
    if (status == SL_OK && own == NULL) {
        status = sl_fail(err, SL_E_NOT_FOUND, "this user takes no part in the thread %s", space);
    }
    if (status == SL_OK) {
        status = patch_own(core, own, field, place, of, err);
    }
    sl_json_free(rows);
    return status;
}

sl_status sl_local_mark(sl_core *core, const char *space, const char *field, int64_t place,
                        sl_error **err)
{
    return mark(core, space, field, place, WISH_MARK, err);
}

sl_status sl_local_reached(sl_core *core, const char *space, int64_t place, sl_error **err)
{
    return mark(core, space, "delivered", place, WISH_REACHED, err);
}
