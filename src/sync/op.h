/* sync/op.h - an operation: what one device did to one record, as it is queued, sent and merged. */
#ifndef SL_SYNC_OP_H
#define SL_SYNC_OP_H

#include "base/hlc.h"
#include "schema/record.h"

typedef enum sl_op_kind {
    SL_OP_CREATE = 1,
    SL_OP_PATCH = 2,
    SL_OP_DELETE = 3
} sl_op_kind;

typedef struct sl_op {
    int64_t n; /* number on its device, from 1 */
    sl_op_kind kind;
    const sl_entity *entity;
    char space[SL_SPACE_MAX];
    char id[SL_UUID_LEN + 1];
    sl_hlc hlc;
    /* By index of the field; NULL for a delete. A counter's is what to add; a set's the text of
     * {"add","remove","seen"}. */
    sl_cell *values;
    uint64_t has; /* bits of the fields that are there, nulls too */
    sl_arena mem; /* what the values point into */
} sl_op;

/* An op is made in a zeroed struct or in the place of another, whose memory it uses. */
void sl_op_clear(sl_op *op); /* empty, its memory kept */
void sl_op_free(sl_op *op);  /* the struct is then zeroed */
/* A value that is there: NULL when it is not. */
const sl_cell *sl_op_value(const sl_op *op, const char *field);
const char *sl_op_text(const sl_op *op, const char *field);
/* Reads an object of fields: known ones, of the right types. SL_E_INVALID names the field. */
sl_status sl_op_set_fields(sl_op *op, const sl_json *fields, sl_error **err);
/* {"field":value,..}; an empty object for a delete. */
void sl_op_put_fields(sl_buf *out, const sl_op *op);

/* With "t":"op", as PROTOCOL.md has it. */
void sl_op_put_json(sl_buf *out, const sl_op *op);
/* Checks the shape (known entity and fields, ids, stamp), not the limits. */
sl_status sl_op_from_json(sl_op *op, const sl_json *j, sl_error **err);

/* As bytes, for the outbox: a creation without values says so, and they are elsewhere. SL_E_CORRUPT. */
void sl_op_pack(sl_buf *out, const sl_op *op);
/* What a packed one is about, and the record's id; NULL: it makes no sense. */
const sl_entity *sl_op_about(const uint8_t *p, size_t n, char id[SL_UUID_LEN + 1]);
sl_status sl_op_unpack(sl_op *op, const uint8_t *p, size_t n, sl_error **err);

#endif
