#include "sync/op.h"

#include "base/error.h"

#include <string.h>

static const char *const KINDS[] = {"", "create", "patch", "delete"};

void sl_op_clear(sl_op *op)
{
    sl_arena mem = op->mem;
    sl_arena_clear(&mem);
    memset(op, 0, sizeof *op);
    op->mem = mem;
}

void sl_op_free(sl_op *op)
{
    sl_arena_free(&op->mem);
    memset(op, 0, sizeof *op);
}

const sl_cell *sl_op_value(const sl_op *op, const char *field)
{
    const sl_field *f = sl_field_find(op->entity, field);
    return f != NULL && (op->has >> f->index & 1) != 0 ? &op->values[f->index] : NULL;
}

const char *sl_op_text(const sl_op *op, const char *field)
{
    const sl_cell *v = sl_op_value(op, field);
    return v != NULL ? sl_cell_str(v) : NULL;
}

sl_status sl_op_set_fields(sl_op *op, const sl_json *fields, sl_error **err)
{
    size_t size = op->entity->field_count * sizeof *op->values;
    if (!sl_json_is_object(fields)) {
        return sl_fail(err, SL_E_INVALID, "fields must be an object");
    }
    op->has = 0;
    op->values = sl_arena_take(&op->mem, size);
    if (op->values == NULL) {
        return sl_fail_nomem(err);
    }
    memset(op->values, 0, size);
    for (const sl_json *v = sl_json_first(fields); v != NULL; v = sl_json_next(v)) {
        const char *name = sl_json_key(v);
        const sl_field *f = sl_field_find(op->entity, name);
        if (f == NULL) {
            return sl_fail_field(err, SL_E_INVALID, name, "%s has no field \"%s\"",
                                 op->entity->name, name);
        }
        sl_status status = sl_cell_from_json(&op->values[f->index], f, v, &op->mem, err);
        if (status != SL_OK) {
            return status;
        }
        op->has |= UINT64_C(1) << f->index;
    }
    return SL_OK;
}

void sl_op_put_fields(sl_buf *out, const sl_op *op)
{
    bool first = true;
    sl_buf_u8(out, '{');
    for (size_t i = 0; i < op->entity->field_count; i++) {
        if ((op->has >> i & 1) != 0) {
            sl_buf_str(out, first ? "\"" : ",\"");
            sl_buf_str(out, op->entity->fields[i].name);
            sl_buf_str(out, "\":");
            sl_cell_put_json(out, &op->entity->fields[i], &op->values[i]);
            first = false;
        }
    }
    sl_buf_u8(out, '}');
}

static void put_member(sl_buf *out, const char *name, const char *text)
{
    sl_buf_str(out, ",\"");
    sl_buf_str(out, name);
    sl_buf_str(out, "\":\"");
    sl_buf_str(out, text);
    sl_buf_u8(out, '"');
}

void sl_op_put_json(sl_buf *out, const sl_op *op)
{
    char hlc[SL_HLC_LEN + 1];
    sl_hlc_print(hlc, op->hlc);
    sl_buf_str(out, "{\"t\":\"op\",\"n\":");
    sl_json_put_int(out, op->n);
    put_member(out, "op", KINDS[op->kind]);
    put_member(out, "entity", op->entity->name);
    put_member(out, "space", op->space);
    put_member(out, "id", op->id);
    put_member(out, "hlc", hlc);
    if (op->kind != SL_OP_DELETE) {
        sl_buf_str(out, ",\"fields\":");
        sl_op_put_fields(out, op);
    }
    sl_buf_u8(out, '}');
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

sl_status sl_op_from_json(sl_op *op, const sl_json *j, sl_error **err)
{
    sl_op_clear(op);
    const char *space = sl_json_str(j, "space");
    const char *id = sl_json_str(j, "id");
    const char *hlc = sl_json_str(j, "hlc");
    op->kind = kind_of(sl_json_str(j, "op"));
    op->entity = sl_entity_find(sl_json_str(j, "entity"));
    bool ok = op->kind != 0 && op->entity != NULL && sl_json_int(j, "n", &op->n) && op->n > 0 &&
              sl_space_ok(space) && sl_uuid_ok(id) && sl_hlc_parse(&op->hlc, hlc);
    if (!ok) {
        return sl_fail(err, SL_E_INVALID, "not an operation");
    }
    memcpy(op->space, space, strlen(space) + 1);
    memcpy(op->id, id, sizeof op->id);
    return op->kind == SL_OP_DELETE ? SL_OK : sl_op_set_fields(op, sl_json_get(j, "fields"), err);
}

enum {
    WITHOUT_VALUES = 0x80 /* in the kind: of a creation whose values are elsewhere */
};

/* n varint | kind u8 | entity number varint | id 16 | space 17 | stamp 12 | values */
void sl_op_pack(sl_buf *out, const sl_op *op)
{
    uint8_t id[SL_UUID_BYTES] = {0};
    uint8_t space[SL_SPACE_BYTES] = {0};
    bool bare = op->kind == SL_OP_CREATE && op->values == NULL;
    bool ok = sl_uuid_decode(id, op->id) && sl_space_encode(space, op->space);
    SL_ASSERT(ok);
    out->failed = out->failed || !ok;
    sl_buf_varint(out, (uint64_t)op->n);
    sl_buf_u8(out, (uint8_t)(op->kind | (bare ? WITHOUT_VALUES : 0)));
    sl_buf_varint(out, op->entity->no);
    sl_buf_put(out, id, sizeof id);
    sl_buf_put(out, space, sizeof space);
    sl_buf_u64le(out, op->hlc.time);
    sl_buf_u32le(out, op->hlc.device);
    if (op->kind != SL_OP_DELETE && !bare) {
        sl_values_pack(out, op->entity, op->values, op->has);
    }
}

static sl_status corrupt(sl_error **err)
{
    return sl_fail(err, SL_E_CORRUPT, "a stored operation cannot be read");
}

const sl_entity *sl_op_about(const uint8_t *p, size_t n, char id[SL_UUID_LEN + 1])
{
    sl_rd in = {p, n, false};
    (void)sl_rd_varint(&in);
    (void)sl_rd_u8(&in);
    const sl_entity *e = sl_entity_of(sl_rd_varint(&in));
    const uint8_t *bytes = sl_rd_take(&in, SL_UUID_BYTES);
    if (in.bad || bytes == NULL) {
        return NULL;
    }
    sl_uuid_encode(id, bytes);
    return e;
}

sl_status sl_op_unpack(sl_op *op, const uint8_t *p, size_t n, sl_error **err)
{
    sl_rd in = {p, n, false};
    sl_op_clear(op);
    op->n = (int64_t)sl_rd_varint(&in);
    unsigned kind = sl_rd_u8(&in);
    bool bare = kind == (SL_OP_CREATE | WITHOUT_VALUES);
    kind = bare ? SL_OP_CREATE : kind;
    op->entity = sl_entity_of(sl_rd_varint(&in));
    const uint8_t *id = sl_rd_take(&in, SL_UUID_BYTES);
    const uint8_t *space = sl_rd_take(&in, SL_SPACE_BYTES);
    op->hlc.time = sl_rd_u64le(&in);
    op->hlc.device = sl_rd_u32le(&in);
    if (in.bad || kind < SL_OP_CREATE || kind > SL_OP_DELETE || op->entity == NULL || id == NULL ||
        space == NULL || op->n <= 0 || !sl_space_decode(op->space, space)) {
        sl_op_clear(op);
        return corrupt(err);
    }
    op->kind = (sl_op_kind)kind;
    sl_uuid_encode(op->id, id);
    sl_status status = SL_OK;
    if (op->kind != SL_OP_DELETE && !bare) {
        status = sl_values_unpack(op->entity, in.p, in.left, &op->mem, &op->values, &op->has, err);
    } else if (in.left > 0) {
        status = corrupt(err);
    }
    return status;
}
