/* Drafts: operations that were refused, to be looked at, discarded, or sent again with other fields. */
#include "engine/engine.h"

#include "base/error.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LIST_MAX = 1000
};

/* A listed draft that would make a record. */
typedef struct maker {
    char id[SL_UUID_LEN + 1];
    int64_t n;
} maker;

typedef struct listing {
    sl_json *list;
    maker *makers; /* in order of n, sorted by id when all are there */
    size_t count;
} listing;

static sl_json *fields_of(const sl_op *op)
{
    sl_buf b = {0};
    sl_op_put_fields(&b, op);
    sl_json *fields = !b.failed ? sl_json_parse(sl_buf_text(&b), b.len) : NULL;
    sl_buf_free(&b);
    return fields;
}

static bool list_one(void *ctx, const sl_op *op, const char *code, const char *message,
                     const char *field)
{
    static const char *const kinds[] = {"", "create", "patch", "delete"};
    listing *l = ctx;
    sl_json *j = sl_json_object();
    bool ok = j != NULL && sl_json_set_int(j, "draft", op->n) &&
              sl_json_set_str(j, "op", kinds[op->kind]) &&
              sl_json_set_str(j, "entity", op->entity->name) &&
              sl_json_set_str(j, "space", op->space) && sl_json_set_str(j, "id", op->id) &&
              (op->kind == SL_OP_DELETE || sl_json_set(j, "fields", fields_of(op))) &&
              sl_json_set_str(j, "code", code) && sl_json_set_str(j, "message", message) &&
              (field[0] == 0 || sl_json_set_str(j, "field", field));
    if (!ok) {
        sl_json_free(j);
        return false;
    }
    if (op->kind == SL_OP_CREATE) {
        maker *m = &l->makers[l->count++];
        memcpy(m->id, op->id, sizeof m->id);
        m->n = op->n;
    }
    return sl_json_add(l->list, j);
}

static int by_id(const void *a, const void *b)
{
    return strcmp(((const maker *)a)->id, ((const maker *)b)->id);
}

/* The number of the draft that makes this record; 0: none. */
static int64_t maker_of(const listing *l, const char *id)
{
    const maker *m = NULL;
    if (id != NULL && l->makers != NULL && strlen(id) == SL_UUID_LEN) {
        maker key = {.n = 0};
        memcpy(key.id, id, sizeof key.id);
        m = bsearch(&key, l->makers, l->count, sizeof key, by_id);
    }
    return m != NULL ? m->n : 0;
}

/* "needs": the drafts without which this one will be refused again. */
static bool put_needs(const listing *l, sl_json *draft)
{
    int64_t own = sl_json_int_or(draft, "draft", 0);
    int64_t n = maker_of(l, sl_json_str(draft, "id"));
    sl_json *needs = sl_json_array();
    bool ok = needs != NULL && (n == 0 || n == own || sl_json_add_num(needs, (double)n));
    const sl_entity *e = sl_entity_find(sl_json_str(draft, "entity"));
    const sl_json *fields = sl_json_get(draft, "fields");
    for (const sl_json *f = sl_json_first(fields); ok && f != NULL; f = sl_json_next(f)) {
        const sl_field *field = sl_field_find(e, sl_json_key(f));
        n = field != NULL && field->to != NULL ? maker_of(l, sl_json_text(f)) : 0;
        ok = n == 0 || sl_json_add_num(needs, (double)n);
    }
    if (!ok || sl_json_count(needs) == 0) {
        sl_json_free(needs);
        return ok;
    }
    return sl_json_set(draft, "needs", needs);
}

sl_status sl_drafts_list(sl_core *core, const char *space, int64_t after, sl_json **out,
                         sl_error **err)
{
    listing l = {.list = sl_json_array(), .makers = sl_mem_array(LIST_MAX, sizeof(maker))};
    sl_status status =
        l.list != NULL && l.makers != NULL
            ? sl_store_rejected(core->store, space, after, LIST_MAX, list_one, &l, err)
            : sl_fail_nomem(err);
    if (status == SL_OK && l.makers != NULL) {
        qsort(l.makers, l.count, sizeof *l.makers, by_id);
    }
    sl_json *done = status == SL_OK ? sl_json_array() : NULL;
    bool ok = done != NULL;
    for (const sl_json *j = sl_json_first(l.list); ok && j != NULL; j = sl_json_next(j)) {
        sl_json *draft = sl_json_clone(j);
        ok = draft != NULL && put_needs(&l, draft);
        if (!ok) {
            sl_json_free(draft);
        }
        ok = ok && sl_json_add(done, draft);
    }
    if (status == SL_OK && !ok) {
        sl_json_free(done);
        done = NULL;
        status = sl_fail_nomem(err);
    }
    *out = done;
    sl_json_free(l.list);
    sl_mem_free(l.makers);
    return status;
}

/* The draft's fields with the edited ones in their place. */
static sl_status edit(sl_op *op, const sl_json *edits, sl_error **err)
{
    if (op->kind == SL_OP_DELETE) {
        return sl_json_count(edits) == 0
                   ? SL_OK
                   : sl_fail(err, SL_E_INVALID, "a deletion has no fields to edit");
    }
    sl_json *fields = fields_of(op);
    bool ok = fields != NULL;
    for (const sl_json *f = sl_json_first(edits); ok && f != NULL; f = sl_json_next(f)) {
        ok = sl_json_set(fields, sl_json_key(f), sl_json_clone(f));
    }
    sl_status status = ok ? sl_op_set_fields(op, fields, err) : sl_fail_nomem(err);
    sl_json_free(fields);
    return status == SL_OK
               ? sl_schema_check(op->entity, op->values, op->has, op->kind == SL_OP_CREATE, err)
               : status;
}

sl_status sl_drafts_send(sl_core *core, int64_t draft, const sl_json *edits, char *id,
                         sl_error **err)
{
    sl_batch b;
    sl_op op = {0};
    char code[32];
    sl_status status = sl_batch_begin(core, &b, err);
    if (status != SL_OK) {
        return status;
    }
    status = sl_store_rejected_take(core->store, draft, &op, code, sizeof code, err);
    if (status == SL_OK) {
        status = edit(&op, edits, err);
    }
    bool taken = op.kind == SL_OP_CREATE && strcmp(code, "SL_E_CONFLICT") == 0;
    if (status == SL_OK && taken && !op.entity->root) {
        status = sl_engine_uuid(core, op.id, err); /* the id was that of another record */
    }
    if (status == SL_OK) {
        status = sl_batch_op(core, &b, &op, err);
    }
    memcpy(id, op.id, sizeof op.id);
    status = sl_batch_end(core, &b, status, SL_UNDO_BATCH, "", err);
    sl_op_free(&op);
    return status;
}

static const char *blob_of(const sl_op *op, size_t i)
{
    bool blob = op->values != NULL && op->entity->fields[i].type == SL_T_BLOB;
    return blob ? sl_cell_str(&op->values[i]) : NULL;
}

/* Nothing will name what only the draft did: nobody waits for its bytes. *dropped: fields, by bit. */
static sl_status drop_uploads(sl_core *core, const sl_op *op, uint64_t *dropped, sl_error **err)
{
    sl_status status = SL_OK;
    for (size_t i = 0; status == SL_OK && i < op->entity->field_count; i++) {
        sl_upload u = {.size = 0};
        const char *hex = blob_of(op, i);
        bool named = hex == NULL;
        if (!named) {
            status = sl_store_blob_named(core->store, hex, &named, err);
        }
        if (status == SL_OK && !named) {
            (void)snprintf(u.hex, sizeof u.hex, "%s", hex);
            (void)snprintf(u.space, sizeof u.space, "%s", op->space);
            status = sl_store_upload_done(core->store, &u, err);
            *dropped |= UINT64_C(1) << i;
        }
    }
    return status;
}

sl_status sl_drafts_discard(sl_core *core, int64_t draft, sl_error **err)
{
    sl_batch b;
    sl_op op = {0};
    char code[32];
    uint64_t dropped = 0;
    sl_status status = sl_batch_begin(core, &b, err);
    if (status == SL_OK) {
        status = sl_store_rejected_take(core->store, draft, &op, code, sizeof code, err);
        if (status == SL_OK) {
            status = drop_uploads(core, &op, &dropped, err);
        }
        status = sl_batch_end(core, &b, status, SL_UNDO_BATCH, "", err);
    }
    for (size_t i = 0; status == SL_OK && i < op.entity->field_count; i++) {
        if ((dropped >> i & 1) != 0) {
            sl_transfers_drop_upload(core, blob_of(&op, i), op.space);
        }
    }
    sl_op_free(&op);
    return status;
}
