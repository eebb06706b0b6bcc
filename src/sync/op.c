#include "sync/op.h"

#include "base/error.h"

#include <string.h>

static const char *const KINDS[] = {"", "create", "patch", "delete"};

void sl_op_free(sl_op *op)
{
    sl_json_free(op->fields);
    memset(op, 0, sizeof *op);
}

sl_json *sl_op_to_json(const sl_op *op)
{
    sl_json *j = sl_json_object();
    bool ok = j != NULL && sl_json_set_str(j, "t", "op") && sl_json_set_int(j, "n", op->n) &&
              sl_json_set_str(j, "op", KINDS[op->kind]) &&
              sl_json_set_str(j, "entity", op->entity->name) &&
              sl_json_set_str(j, "space", op->space) && sl_json_set_str(j, "id", op->id) &&
              sl_json_set_str(j, "hlc", op->hlc) &&
              (op->fields == NULL || sl_json_set(j, "fields", sl_json_clone(op->fields)));
    if (!ok) {
        sl_json_free(j);
        return NULL;
    }
    return j;
}

static sl_op_kind kind_of(const char *name)
{
    for (int i = SL_OP_CREATE; name != NULL && i <= SL_OP_DELETE; i++) {
        if (strcmp(KINDS[i], name) == 0) {
            return (sl_op_kind)i;
        }
    }
    return (sl_op_kind)0;
}

sl_status sl_op_from_json(sl_op *out, const sl_json *j, sl_error **err)
{
    memset(out, 0, sizeof *out);
    const char *space = sl_json_str(j, "space");
    const char *id = sl_json_str(j, "id");
    const char *hlc = sl_json_str(j, "hlc");
    const sl_json *fields = sl_json_get(j, "fields");
    sl_hlc stamp;
    out->kind = kind_of(sl_json_str(j, "op"));
    out->entity = sl_entity_find(sl_json_str(j, "entity"));
    bool ok = out->kind != 0 && out->entity != NULL && sl_json_int(j, "n", &out->n) && out->n > 0 &&
              sl_space_ok(space) && sl_uuid_ok(id) && sl_hlc_parse(&stamp, hlc) &&
              (out->kind == SL_OP_DELETE || sl_json_is_object(fields));
    if (!ok) {
        return sl_fail(err, SL_E_INVALID, "not an operation");
    }
    memcpy(out->space, space, strlen(space) + 1);
    memcpy(out->id, id, sizeof out->id);
    memcpy(out->hlc, hlc, sizeof out->hlc);
    if (out->kind != SL_OP_DELETE) {
        out->fields = sl_json_clone(fields);
        if (out->fields == NULL) {
            return sl_fail_nomem(err);
        }
    }
    return SL_OK;
}
