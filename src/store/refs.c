/*
 * References within a space: what an operation newly names must be there.
 *
 * They are no foreign keys of the tables: a page of a feed may end between a record and the one it
 * names, and a record that is deleted leaves the references to it. Of a thread held in part nobody here
 * knows whether a message that is not held is in one of its holes: the server does.
 */
#include "store/inside.h"

#include "base/error.h"

#include <stdio.h>

/* True when the id is that of a record of this entity, in this space, not deleted. */
static sl_status is_there(sl_store *s, const sl_entity *e, int64_t space, const char *id, bool *yes,
                          sl_error **err)
{
    char sql[128];
    uint8_t bytes[SL_UUID_BYTES];
    sl_cell one;
    *yes = false;
    if (!sl_uuid_decode(bytes, id)) {
        return SL_OK;
    }
    sl_cell params[] = {sl_cell_blob(bytes, sizeof bytes), sl_cell_int(space)};
    (void)snprintf(sql, sizeof sql,
                   "SELECT 1 FROM \"%s\" WHERE \"id\"=$1 AND \"rid\">>32=$2 AND \"deleted\"=0",
                   e->name);
    sl_status status = sl_store_one(s, sql, params, 2, &(sl_taken){&one, 1, NULL}, err);
    *yes = status == SL_OK;
    return status == SL_E_NOT_FOUND ? SL_OK : status;
}

/* True when the record may be in a hole of the space. */
static sl_status may_be_there(sl_store *s, const sl_entity *e, const char *space, bool *yes,
                              sl_error **err)
{
    sl_holes holes = {0};
    sl_status status = e->place_field >= 0 ? sl_store_holes(s, space, &holes, err) : SL_OK;
    *yes = status == SL_OK && holes.n > 0;
    return status;
}

sl_status sl_store_refers(sl_store *s, const sl_field *f, const char *space, const char *id,
                          bool *yes, sl_error **err)
{
    int64_t no = 0;
    sl_status status = sl_space_no(s, space, false, &no, err);
    *yes = false;
    return status == SL_OK ? is_there(s, f->to, no, id, yes, err) : status;
}

sl_status sl_refs_check(sl_store *s, const sl_op *op, const sl_record *old, sl_error **err)
{
    int64_t space = 0;
    uint64_t refs = op->has & op->entity->refs;
    sl_status status = refs != 0 ? sl_space_no(s, op->space, false, &space, err) : SL_OK;
    for (size_t i = 0; status == SL_OK && refs >> i != 0; i++) {
        const sl_field *f = &op->entity->fields[i];
        bool yes = (refs >> i & 1) == 0 || op->values[i].kind == SL_CELL_NULL ||
                   (old != NULL && sl_cell_same(&old->values[i], &op->values[i]));
        if (!yes) {
            status = is_there(s, f->to, space, op->values[i].text, &yes, err);
        }
        if (status == SL_OK && !yes) {
            status = may_be_there(s, f->to, op->space, &yes, err);
        }
        if (status == SL_OK && !yes) {
            status = sl_fail_field(err, SL_E_NOT_FOUND, f->name,
                                   "%s names no %s that is in this space", f->name, f->to->name);
        }
    }
    return status;
}
