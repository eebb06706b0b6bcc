#include "sync/merge.h"

#include "base/error.h"
#include "sync/set.h"

#include <string.h>

/* Fields whose value in an operation is a change, not a state. */
static bool is_change(const sl_field *f)
{
    return f != NULL && (f->merge == SL_M_SET || f->merge == SL_M_COUNTER);
}

static sl_status take_change(sl_record *rec, const sl_field *f, const sl_json *v, const char *hlc,
                             bool *taken, sl_error **err)
{
    return f->merge == SL_M_SET ? sl_set_take(rec, f, v, hlc, taken, err)
                                : sl_counter_take(rec, f, v, hlc, taken, err);
}

/* Merges the changes of a creation into its new record. */
static sl_status merged_fields(sl_record *rec, const sl_op *op, sl_error **err)
{
    sl_status status = SL_OK;
    for (const sl_json *v = sl_json_first(op->fields); status == SL_OK && v != NULL;
         v = sl_json_next(v)) {
        const sl_field *f = sl_field_find(op->entity, sl_json_key(v));
        bool taken = false;
        if (is_change(f)) {
            sl_json_remove(rec->fields, f->name);
            status = take_change(rec, f, v, op->hlc, &taken, err);
        }
    }
    if (status != SL_OK) {
        sl_record_free(rec);
    }
    return status;
}

static sl_status create(sl_record *rec, const sl_op *op, sl_error **err)
{
    memset(rec, 0, sizeof *rec);
    rec->entity = op->entity;
    memcpy(rec->id, op->id, sizeof rec->id);
    memcpy(rec->space, op->space, sizeof rec->space);
    rec->fields = sl_json_clone(op->fields);
    rec->clocks = sl_json_object();
    if (rec->fields == NULL || !sl_json_set_str(rec->clocks, "*", op->hlc)) {
        sl_record_free(rec);
        return sl_fail_nomem(err);
    }
    return merged_fields(rec, op, err);
}

/* The stamp under which an lww field was last written. */
static const char *clock_of(const sl_record *rec, const char *field)
{
    const char *own = sl_json_str(rec->clocks, field);
    const char *birth = sl_json_str(rec->clocks, "*");
    return own != NULL ? own : birth != NULL ? birth : "";
}

/* A value of a later version, kept aside, is replaced like any other. */
static bool set_value(sl_record *rec, const sl_json *v)
{
    if (rec->ext != NULL) {
        sl_json_remove(rec->ext, sl_json_key(v));
    }
    return sl_json_set(rec->fields, sl_json_key(v), sl_json_clone(v));
}

/* -1 out of memory, 0 the record's value stays, 1 taken. */
static int take_lww(sl_record *rec, const sl_json *v, const char *hlc)
{
    const char *field = sl_json_key(v);
    if (strcmp(hlc, clock_of(rec, field)) < 0) {
        return 0;
    }
    return set_value(rec, v) && sl_json_set_str(rec->clocks, field, hlc) ? 1 : -1;
}

static int take_max(sl_record *rec, const sl_json *v)
{
    const sl_json *old = sl_json_get(rec->fields, sl_json_key(v));
    old = old != NULL ? old : sl_json_get(rec->ext, sl_json_key(v));
    if (sl_json_is_number(old) && sl_json_value(old) >= sl_json_value(v)) {
        return 0;
    }
    return set_value(rec, v) ? 1 : -1;
}

typedef struct merging {
    sl_record *rec;
    const sl_op *op;
    bool replay; /* over a state that may hold the operation already */
} merging;

/* *got: 0 the record's value stays, 1 taken. */
static sl_status take(const merging *m, const sl_json *v, int *got, sl_error **err)
{
    const sl_field *f = sl_field_find(m->rec->entity, sl_json_key(v));
    *got = 0;
    if (is_change(f)) {
        bool taken = false;
        if (m->replay && f->merge == SL_M_COUNTER && sl_counter_has(m->rec, f, m->op->hlc)) {
            return SL_OK;
        }
        sl_status status = take_change(m->rec, f, v, m->op->hlc, &taken, err);
        *got = taken ? 1 : 0;
        return status;
    }
    if (f != NULL && f->merge == SL_M_LWW) {
        *got = take_lww(m->rec, v, m->op->hlc);
    } else if (f != NULL && f->merge == SL_M_MAX) {
        *got = take_max(m->rec, v);
    }
    return *got < 0 ? sl_fail_nomem(err) : SL_OK;
}

static sl_status patch(const merging *m, sl_merged *out, sl_error **err)
{
    size_t taken = 0;
    size_t lost = 0;
    for (const sl_json *v = sl_json_first(m->op->fields); v != NULL; v = sl_json_next(v)) {
        int got = 0;
        sl_status status = take(m, v, &got, err);
        if (status != SL_OK) {
            return status;
        }
        taken += got > 0;
        lost += got == 0;
    }
    *out = taken == 0 ? SL_MERGED_NOTHING : lost == 0 ? SL_MERGED_ALL : SL_MERGED_PART;
    return SL_OK;
}

static sl_status bury(sl_record *rec, sl_error **err)
{
    sl_json *fields = sl_json_object();
    sl_json *clocks = sl_json_object();
    if (fields == NULL || clocks == NULL) {
        sl_json_free(fields);
        sl_json_free(clocks);
        return sl_fail_nomem(err);
    }
    sl_json_free(rec->fields);
    sl_json_free(rec->clocks);
    sl_json_free(rec->ext);
    rec->fields = fields;
    rec->clocks = clocks;
    rec->ext = NULL;
    rec->deleted = true;
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
    if (rec->deleted) {
        *out = SL_MERGED_NOTHING;
        return SL_OK;
    }
    return op->kind == SL_OP_DELETE ? bury(rec, err) : patch(m, out, err);
}

sl_status sl_merge_op(sl_record *rec, const sl_op *op, sl_merged *out, sl_error **err)
{
    return merge(&(merging){rec, op, false}, out, err);
}

sl_status sl_merge_replay(sl_record *rec, const sl_op *op, sl_merged *out, sl_error **err)
{
    return merge(&(merging){rec, op, true}, out, err);
}

sl_status sl_merge_server(sl_record *rec, const char *field, sl_json *v, sl_error **err)
{
    if (rec->ext != NULL) {
        sl_json_remove(rec->ext, field);
    }
    return sl_json_set(rec->fields, field, v) ? SL_OK : sl_fail_nomem(err);
}
