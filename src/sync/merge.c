#include "sync/merge.h"

#include "base/error.h"
#include "base/plant.h"
#include "sync/set.h"

#include <string.h>

/* Fields whose value in an operation is a change, not a state. */
static bool is_change(const sl_field *f)
{
    return f->merge == SL_M_SET || f->merge == SL_M_COUNTER;
}

static bool has(const sl_op *op, const sl_field *f)
{
    return (op->has >> f->index & 1) != 0;
}

static sl_status take_change(sl_record *rec, const sl_field *f, const sl_op *op, bool *taken,
                             sl_error **err)
{
    const sl_cell *v = &op->values[f->index];
    return f->merge == SL_M_SET ? sl_set_take(rec, f, v, op->hlc, taken, err)
                                : sl_counter_take(rec, f, v, op->hlc, taken, err);
}

static sl_status create(sl_record *rec, const sl_op *op, sl_error **err)
{
    sl_status status = sl_record_make(rec, op->entity, op->id, op->space, err);
    for (size_t i = 0; status == SL_OK && i < op->entity->field_count; i++) {
        const sl_field *f = &op->entity->fields[i];
        bool taken = false;
        if (has(op, f) && is_change(f)) {
            status = take_change(rec, f, op, &taken, err);
        } else if (has(op, f)) {
            status = sl_record_set(rec, f, &op->values[i], err);
        }
    }
    rec->birth = op->hlc;
    if (status != SL_OK) {
        sl_record_free(rec);
    }
    return status;
}

static sl_status take_lww(sl_record *rec, const sl_field *f, const sl_op *op, bool *taken,
                          sl_error **err)
{
    *taken =
        (sl_hlc_compare(op->hlc, sl_record_written(rec, f)) >= 0) != SL_PLANTED("lww-backwards");
    if (!*taken) {
        return SL_OK;
    }
    sl_clock *clock = sl_record_clock(rec, f);
    if (clock == NULL) {
        return sl_fail_nomem(err);
    }
    clock->at = op->hlc;
    return sl_record_set(rec, f, &op->values[f->index], err);
}

/* The greatest number: that of a later version, kept aside, counts too. */
static double max_so_far(const sl_record *rec, const sl_field *f, bool *any)
{
    const sl_cell *old = &rec->values[f->index];
    *any = old->kind == SL_CELL_INT || old->kind == SL_CELL_REAL;
    if (*any || rec->ext == NULL) {
        return old->kind == SL_CELL_REAL ? old->r : (double)old->i;
    }
    sl_json *ext = sl_json_parse(rec->ext, strlen(rec->ext));
    const sl_json *kept = sl_json_get(ext, f->name);
    *any = sl_json_is_number(kept);
    double n = sl_json_value(kept);
    sl_json_free(ext);
    return n;
}

static sl_status take_max(sl_record *rec, const sl_field *f, const sl_op *op, bool *taken,
                          sl_error **err)
{
    const sl_cell *v = &op->values[f->index];
    bool any = false;
    double had = max_so_far(rec, f, &any);
    double wish = v->kind == SL_CELL_REAL ? v->r : v->kind == SL_CELL_INT ? (double)v->i : 0;
    *taken = !any || (SL_PLANTED("max-min") ? wish < had : wish > had);
    return *taken ? sl_record_set(rec, f, v, err) : SL_OK;
}

typedef struct merging {
    sl_record *rec;
    const sl_op *op;
    bool replay; /* over a state that may hold the operation already */
} merging;

/* *taken: false when the record's value stays. */
static sl_status take(const merging *m, const sl_field *f, bool *taken, sl_error **err)
{
    *taken = false;
    switch (f->merge) {
    case SL_M_COUNTER:
        return m->replay && sl_counter_has(m->rec, f, m->op->hlc)
                   ? SL_OK
                   : take_change(m->rec, f, m->op, taken, err);
    case SL_M_SET: return take_change(m->rec, f, m->op, taken, err);
    case SL_M_LWW: return take_lww(m->rec, f, m->op, taken, err);
    case SL_M_MAX: return take_max(m->rec, f, m->op, taken, err);
    case SL_M_IMMUTABLE:
    case SL_M_SERVER: break;
    }
    return SL_OK;
}

static sl_status patch(const merging *m, sl_merged *out, sl_error **err)
{
    size_t taken = 0;
    size_t lost = 0;
    for (size_t i = 0; i < m->op->entity->field_count; i++) {
        const sl_field *f = &m->op->entity->fields[i];
        bool got = false;
        sl_status status = has(m->op, f) ? take(m, f, &got, err) : SL_OK;
        if (status != SL_OK) {
            return status;
        }
        taken += got;
        lost += has(m->op, f) && !got;
    }
    *out = taken == 0 ? SL_MERGED_NOTHING : lost == 0 ? SL_MERGED_ALL : SL_MERGED_PART;
    return SL_OK;
}

static sl_status merge(const merging *m, sl_merged *out, sl_error **err)
{
    sl_record *rec = m->rec;
    const sl_op *op = m->op;
    *out = SL_MERGED_ALL;
    if (op->kind == SL_OP_CREATE) {
        return rec->entity == NULL
                   ? create(rec, op, err)
                   : sl_fail(err, SL_E_CONFLICT, "the %s already exists", op->entity->name);
    }
    if (rec->entity == NULL || rec->entity != op->entity) {
        return sl_fail(err, SL_E_NOT_FOUND, "there is no such %s", op->entity->name);
    }
    if (rec->deleted && !SL_PLANTED("resurrect")) {
        *out = SL_MERGED_NOTHING;
        return SL_OK;
    }
    if (SL_PLANTED("resurrect")) {
        rec->deleted = false;
    }
    if (op->kind == SL_OP_DELETE) {
        sl_record_bury(rec);
        return SL_OK;
    }
    return patch(m, out, err);
}

sl_status sl_merge_op(sl_record *rec, const sl_op *op, sl_merged *out, sl_error **err)
{
    return merge(&(merging){rec, op, false}, out, err);
}

sl_status sl_merge_replay(sl_record *rec, const sl_op *op, sl_merged *out, sl_error **err)
{
    return merge(&(merging){rec, op, true}, out, err);
}
