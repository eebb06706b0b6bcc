/* service/refs.c - references within a space: what an operation newly names must be there. */
#include "base/error.h"
#include "service/inside.h"

sl_status sl_sv_check_refs(sl_sv_tx *tx, const sl_op *op, const sl_record *old, sl_error **err)
{
    uint64_t refs = op->kind != SL_OP_DELETE ? op->has & op->entity->refs : 0;
    sl_status status = SL_OK;
    for (size_t i = 0; status == SL_OK && refs >> i != 0; i++) {
        const sl_field *f = &op->entity->fields[i];
        const sl_cell *v = op->values != NULL ? &op->values[i] : NULL;
        bool same =
            old->entity != NULL && !old->deleted && v != NULL && sl_cell_same(&old->values[i], v);
        if ((refs >> i & 1) == 0 || v == NULL || v->kind == SL_CELL_NULL || same) {
            continue;
        }
        sl_sv_item *named = NULL;
        status = sl_sv_get(tx, f->to, op->space, v->text, &named, err);
        if (status == SL_OK && (named->rec.entity == NULL || named->rec.deleted)) {
            status = sl_fail_field(err, SL_E_NOT_FOUND, f->name,
                                   "%s names no %s that is in this space", f->name, f->to->name);
        }
    }
    return status;
}
