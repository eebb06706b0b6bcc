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
    char hlc[SL_HLC_LEN + 1];
    sl_json *fields; /* NULL for delete */
} sl_op;

void sl_op_free(sl_op *op); /* what it holds */
/* With "t":"op", as PROTOCOL.md has it. NULL: out of memory. */
sl_json *sl_op_to_json(const sl_op *op);
/* Checks the shape (known entity, ids, stamp), not the fields. */
sl_status sl_op_from_json(sl_op *out, const sl_json *j, sl_error **err);

#endif
