/*
 * Undo and redo: the newest step of a space, taken back by a new batch. What that batch did is a step
 * itself, to be redone, or undone again.
 *
 * Records are made first, those that refer to others last, then everything else from the end.
 */
#include "engine/engine.h"

#include "base/error.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

enum {
    NAMES_MAX = 64 /* of a set, in one operation */
};

typedef struct undoing {
    sl_core *core;
    const char *space;
    sl_undo_step step;
    sl_batch batch;
    sl_op op;
    sl_record rec;
    char (*was)[SL_UUID_LEN + 1]; /* ids of entries before records came back under others */
    sl_json *ids;
    sl_json *left;
    int64_t changed;
} undoing;

#define GONE   "it is no longer there"
#define EDITED "somebody has changed it since"

/* What stays as it is, and why. */
static sl_status leave(undoing *u, size_t at, const sl_field *f, const char *why, sl_error **err)
{
    sl_json *j = sl_json_object();
    bool ok = j != NULL && sl_json_set_str(j, "entity", u->step.entries[at].entity->name) &&
              sl_json_set_str(j, "id", u->was[at]) &&
              (f == NULL || sl_json_set_str(j, "field", f->name)) && sl_json_set_str(j, "why", why);
    if (!ok) {
        sl_json_free(j);
        return sl_fail_nomem(err);
    }
    return sl_json_add(u->left, j) ? SL_OK : sl_fail_nomem(err);
}

static sl_status start_op(undoing *u, sl_op_kind kind, const sl_undo_entry *e, sl_error **err)
{
    size_t size = e->entity->field_count * sizeof *u->op.values;
    sl_op_clear(&u->op);
    u->op.kind = kind;
    u->op.entity = e->entity;
    memcpy(u->op.id, e->id, sizeof u->op.id);
    (void)snprintf(u->op.space, sizeof u->op.space, "%s", u->space);
    u->op.values = kind != SL_OP_DELETE ? sl_arena_take(&u->op.mem, size) : NULL;
    if (kind != SL_OP_DELETE && u->op.values == NULL) {
        return sl_fail_nomem(err);
    }
    if (kind != SL_OP_DELETE) {
        memset(u->op.values, 0, size);
    }
    return SL_OK;
}

static void put_value(undoing *u, const sl_field *f, sl_cell v)
{
    u->op.values[f->index] = v;
    u->op.has |= UINT64_C(1) << f->index;
}

static sl_status run_op(undoing *u, sl_error **err)
{
    sl_status status = sl_batch_op(u->core, &u->batch, &u->op, err);
    u->changed += status == SL_OK ? 1 : 0;
    return status;
}

/* Text of JSON as a value of the operation; j is taken. */
static sl_status put_json(undoing *u, const sl_field *f, sl_json *j, sl_error **err)
{
    char *text = j != NULL ? sl_json_print(j) : NULL;
    sl_cell v = sl_cell_text(text);
    bool ok = text != NULL && sl_cell_keep(&v, &u->op.mem);
    sl_mem_free(text);
    sl_json_free(j);
    if (!ok) {
        return sl_fail_nomem(err);
    }
    put_value(u, f, v);
    return SL_OK;
}

/* --- records that come back ------------------------------------------------------------------ */

/* The set's elements as an addition of them. */
static sl_status add_elements(undoing *u, size_t at, const sl_field *f, const sl_cell *set,
                              sl_error **err)
{
    sl_json *old = sl_json_parse(set->text, set->len);
    sl_json *add = sl_json_array();
    sl_json *change = sl_json_object();
    bool ok = old != NULL && add != NULL && change != NULL;
    bool more = sl_json_count(old) > NAMES_MAX;
    for (size_t i = 0; ok && i < NAMES_MAX && i < sl_json_count(old); i++) {
        ok = sl_json_add_str(add, sl_json_text(sl_json_at(old, i)));
    }
    sl_json_free(old);
    if (!ok || !sl_json_set(change, "add", add)) {
        sl_json_free(ok ? NULL : add);
        sl_json_free(change);
        return sl_fail_nomem(err);
    }
    sl_status status = put_json(u, f, change, err);
    return status == SL_OK && more ? leave(u, at, f, "only its first 64 elements came back", err)
                                   : status;
}

/* *ok: false when the record cannot come back without this field. */
static sl_status give_back(undoing *u, size_t at, const sl_field *f, const sl_cell *v, bool *ok,
                           sl_error **err)
{
    if (f->merge == SL_M_SET) {
        return add_elements(u, at, f, v, err);
    }
    bool there = true;
    sl_status status = f->to != NULL && v->kind == SL_CELL_TEXT
                           ? sl_store_refers(u->core->store, f, u->space, v->text, &there, err)
                           : SL_OK;
    if (status == SL_OK && !there) {
        *ok = !f->required;
        return leave(u, at, f, "what it names is no longer there", err);
    }
    put_value(u, f, *v);
    return status;
}

static sl_status tell_id(undoing *u, size_t at, sl_error **err)
{
    const char *fresh = u->step.entries[at].id;
    sl_status status = sl_store_undo_rename(u->core->store, u->space, u->was[at], fresh, err);
    return status != SL_OK || sl_json_set_str(u->ids, u->was[at], fresh) ? status
                                                                         : sl_fail_nomem(err);
}

static sl_status make_again(undoing *u, size_t at, sl_error **err)
{
    const sl_undo_entry *e = &u->step.entries[at];
    if (e->entity->create == 0 || e->entity->root) {
        return leave(u, at, NULL, "a record of this kind cannot be made again", err);
    }
    sl_status status = start_op(u, SL_OP_CREATE, e, err);
    bool ok = true;
    for (size_t i = 0; status == SL_OK && i < e->entity->field_count; i++) {
        const sl_field *f = &e->entity->fields[i];
        if ((e->has >> i & 1) != 0 && f->merge != SL_M_SERVER) {
            status = give_back(u, at, f, &e->before[i], &ok, err);
        }
    }
    if (status != SL_OK || !ok) {
        return status;
    }
    status = run_op(u, err);
    return status == SL_OK ? tell_id(u, at, err) : status;
}

/* --- records that go, fields that go back ---------------------------------------------------- */

/* True when the marks name a device that is not this one. */
static bool others_marks(const sl_field *f, const char *marks, const char *device)
{
    sl_json *j = sl_json_parse(marks, strlen(marks));
    bool others = j == NULL;
    if (f->merge == SL_M_COUNTER) {
        for (const sl_json *d = sl_json_first(j); d != NULL; d = sl_json_next(d)) {
            others = others || strcmp(sl_json_key(d), device) != 0;
        }
        sl_json_free(j);
        return others;
    }
    for (const sl_json *side = sl_json_first(j); side != NULL; side = sl_json_next(side)) {
        for (const sl_json *e = sl_json_first(side); e != NULL; e = sl_json_next(e)) {
            for (const sl_json *d = sl_json_first(e); d != NULL; d = sl_json_next(d)) {
                others = others || strcmp(sl_json_key(d), device) != 0;
            }
        }
    }
    sl_json_free(j);
    return others;
}

/* True when another device wrote a field of the record after it was made. */
static bool others_work(const sl_record *rec, uint32_t number)
{
    char device[9];
    bool others = false;
    (void)snprintf(device, sizeof device, "%08x", (unsigned)number);
    for (size_t i = 0; rec->clocks != NULL && i < rec->entity->field_count; i++) {
        const sl_clock *c = &rec->clocks[i];
        others = others || (c->at.time != 0 && c->at.device != number) ||
                 (c->marks != NULL && others_marks(&rec->entity->fields[i], c->marks, device));
    }
    return others;
}

static sl_status take_away(undoing *u, size_t at, sl_error **err)
{
    const sl_undo_entry *e = &u->step.entries[at];
    if (e->entity->remove == 0) {
        return leave(u, at, NULL, "a record of this kind cannot be deleted", err);
    }
    if (others_work(&u->rec, u->core->clock.device)) {
        return leave(u, at, NULL, EDITED, err);
    }
    sl_status status = start_op(u, SL_OP_DELETE, e, err);
    return status == SL_OK ? run_op(u, err) : status;
}

/* {"add":[..],"remove":[..]} the other way round. */
static sl_status turn_around(undoing *u, const sl_field *f, const sl_cell *after, sl_error **err)
{
    sl_json *did = sl_json_parse(after->text, after->len);
    sl_json *change = did != NULL ? sl_json_object() : NULL;
    sl_json *add = sl_json_clone(sl_json_get(did, "remove"));
    sl_json *remove = sl_json_clone(sl_json_get(did, "add"));
    bool ok = change != NULL && sl_json_set(change, "add", add);
    add = change != NULL ? NULL : add;
    ok = change != NULL && sl_json_set(change, "remove", remove) && ok;
    remove = change != NULL ? NULL : remove;
    sl_json_free(add);
    sl_json_free(remove);
    sl_json_free(did);
    if (!ok) {
        sl_json_free(change);
        return sl_fail_nomem(err);
    }
    return put_json(u, f, change, err);
}

static sl_status field_back(undoing *u, size_t at, const sl_field *f, sl_error **err)
{
    const sl_undo_entry *e = &u->step.entries[at];
    const sl_cell *before = &e->before[f->index];
    const sl_cell *after = &e->after[f->index];
    bool there = true;
    sl_status status = SL_OK;
    if (f->merge == SL_M_COUNTER) {
        put_value(u, f, sl_cell_int(-sl_cell_int_or(after, 0)));
        return SL_OK;
    }
    if (f->merge == SL_M_SET) {
        return turn_around(u, f, after, err);
    }
    if (f->merge != SL_M_LWW) {
        return leave(u, at, f, "it only grows", err);
    }
    if (!sl_cell_same(&u->rec.values[f->index], after)) {
        return leave(u, at, f, EDITED, err);
    }
    if (f->to != NULL && before->kind == SL_CELL_TEXT) {
        status = sl_store_refers(u->core->store, f, u->space, before->text, &there, err);
    }
    if (status == SL_OK && !there) {
        return leave(u, at, f, "what it named is no longer there", err);
    }
    put_value(u, f, *before);
    return status;
}

static sl_status change_back(undoing *u, size_t at, sl_error **err)
{
    const sl_undo_entry *e = &u->step.entries[at];
    sl_status status = start_op(u, SL_OP_PATCH, e, err);
    for (size_t i = 0; status == SL_OK && i < e->entity->field_count; i++) {
        if ((e->has >> i & 1) != 0) {
            status = field_back(u, at, &e->entity->fields[i], err);
        }
    }
    return status == SL_OK && u->op.has != 0 ? run_op(u, err) : status;
}

static sl_status take_back(undoing *u, size_t at, sl_error **err)
{
    const sl_undo_entry *e = &u->step.entries[at];
    sl_status status = sl_store_record(u->core->store, e->entity, e->id, &u->rec, err);
    if (status == SL_OK && (u->rec.entity == NULL || u->rec.deleted)) {
        return leave(u, at, NULL, GONE, err);
    }
    if (status != SL_OK) {
        return status;
    }
    return e->kind == SL_OP_CREATE ? take_away(u, at, err) : change_back(u, at, err);
}

/* --- a step ---------------------------------------------------------------------------------- */

static void rename_values(const sl_undo_entry *e, sl_cell *values, const char *from, const char *to)
{
    for (size_t i = 0; values != NULL && i < e->entity->field_count; i++) {
        sl_cell *v = &values[i];
        if (e->entity->fields[i].type == SL_T_REF && v->kind == SL_CELL_TEXT &&
            strcmp(v->text, from) == 0) {
            *v = sl_cell_text(to);
        }
    }
}

/* Every record that comes back gets another id, in the whole step. */
static sl_status new_ids(undoing *u, sl_error **err)
{
    sl_status status = SL_OK;
    size_t n = u->step.count;
    u->was = sl_mem_array(n + 1, sizeof *u->was);
    if (u->was == NULL) {
        return sl_fail_nomem(err);
    }
    for (size_t i = 0; i < n; i++) {
        memcpy(u->was[i], u->step.entries[i].id, sizeof u->was[i]);
    }
    for (size_t i = 0; status == SL_OK && i < n; i++) {
        if (u->step.entries[i].kind != SL_OP_DELETE) {
            continue;
        }
        char fresh[SL_UUID_LEN + 1];
        status = sl_engine_uuid(u->core, fresh, err);
        const char *kept = sl_arena_text(&u->step.mem, fresh, SL_UUID_LEN);
        if (status == SL_OK && kept == NULL) {
            status = sl_fail_nomem(err);
        }
        for (size_t k = 0; status == SL_OK && k < n; k++) {
            sl_undo_entry *e = &u->step.entries[k];
            if (e->entity == u->step.entries[i].entity && strcmp(u->was[k], u->was[i]) == 0) {
                memcpy(e->id, fresh, sizeof e->id);
            }
            rename_values(e, e->before, u->was[i], kept);
            rename_values(e, e->after, u->was[i], kept);
        }
    }
    return status;
}

static sl_status run_step(undoing *u, sl_error **err)
{
    sl_status status = new_ids(u, err);
    for (int leaning = 0; leaning < 2; leaning++) {
        for (size_t i = u->step.count; status == SL_OK && i-- > 0;) {
            const sl_undo_entry *e = &u->step.entries[i];
            if (e->kind == SL_OP_DELETE && (e->entity->refs != 0) == (leaning == 1)) {
                status = make_again(u, i, err);
            }
        }
    }
    for (size_t i = u->step.count; status == SL_OK && i-- > 0;) {
        if (u->step.entries[i].kind != SL_OP_DELETE) {
            status = take_back(u, i, err);
        }
    }
    return status;
}

static sl_json *answer_of(undoing *u)
{
    int64_t undo = 0;
    int64_t redo = 0;
    (void)sl_store_undo_count(u->core->store, u->space, &undo, &redo, NULL);
    sl_json *j = sl_json_object();
    bool ok = sl_json_set_int(j, "changed", u->changed) && sl_json_set_int(j, "undo", undo) &&
              sl_json_set_int(j, "redo", redo);
    if (ok) {
        ok = sl_json_set(j, "ids", u->ids);
        u->ids = NULL; /* taken, or freed */
    }
    if (ok) {
        ok = sl_json_set(j, "left", u->left);
        u->left = NULL;
    }
    if (!ok) {
        sl_json_free(j);
        return NULL;
    }
    return j;
}

sl_status sl_local_undo(sl_core *core, const char *space, bool redo, sl_json **out, sl_error **err)
{
    undoing u = {.core = core, .space = space};
    sl_status status = sl_batch_begin(core, &u.batch, err);
    bool begun = status == SL_OK;
    u.ids = sl_json_object();
    u.left = sl_json_array();
    if (status == SL_OK && (u.ids == NULL || u.left == NULL)) {
        status = sl_fail_nomem(err);
    }
    if (status == SL_OK) {
        status = sl_store_undo_take(core->store, space, redo, &u.step, err);
    }
    if (status == SL_OK) {
        status = run_step(&u, err);
    }
    if (begun) {
        sl_undo_kind kind = redo ? SL_UNDO_REDID : SL_UNDO_UNDID;
        status = sl_batch_end(core, &u.batch, status, kind, "", err);
    }
    if (status == SL_OK) {
        *out = answer_of(&u);
        status = *out != NULL ? SL_OK : sl_fail_nomem(err);
    }
    sl_json_free(u.ids);
    sl_json_free(u.left);
    sl_undo_step_free(&u.step);
    sl_op_free(&u.op);
    sl_record_free(&u.rec);
    sl_mem_free(u.was);
    return status;
}

static void put_space(void *ctx, const char *space, int64_t undo, int64_t redo)
{
    sl_json *j = sl_json_object();
    bool ok = j != NULL && sl_json_set_str(j, "space", space) && sl_json_set_int(j, "undo", undo) &&
              sl_json_set_int(j, "redo", redo);
    if (!ok || !sl_json_add(ctx, j)) {
        sl_json_free(ok ? NULL : j);
    }
}

sl_json *sl_local_undo_info(sl_core *core)
{
    sl_json *list = sl_json_array();
    if (list != NULL && sl_store_undo_spaces(core->store, put_space, list, NULL) != SL_OK) {
        sl_json_free(list);
        return NULL;
    }
    return list;
}
