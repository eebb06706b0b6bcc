/* service/op.c - one operation: allowed? valid? merge and effects. */
#include "base/error.h"
#include "base/mem.h"
#include "base/plant.h"
#include "service/inside.h"

#include <string.h>

static sl_status check_place(const sl_op *op, sl_error **err)
{
    if (!sl_space_is(op->space, op->entity->space_kind)) {
        return sl_fail(err, SL_E_INVALID, "a %s is not kept in this kind of space",
                       op->entity->name);
    }
    if (op->entity->root && strcmp(op->id, sl_space_id(op->space)) != 0) {
        return sl_fail(err, SL_E_INVALID, "the id of a %s is that of its space", op->entity->name);
    }
    return SL_OK;
}

static sl_deed deed_of(const sl_op *op)
{
    return op->kind == SL_OP_CREATE  ? SL_DEED_CREATE
           : op->kind == SL_OP_PATCH ? SL_DEED_PATCH
                                     : SL_DEED_DELETE;
}

static sl_ruling rule(const sl_sv_op *o, bool author)
{
    sl_policy_ask ask = {o->standing, o->relation, deed_of(o->op), o->op->entity, author};
    return sl_policy_rule(&ask);
}

/* Creating a root makes its space: nobody holds it yet, so the author is as good as its owner. */
static sl_status find_role(sl_sv_tx *tx, sl_sv_op *o, sl_error **err)
{
    bool exists = true;
    sl_status status = sl_sv_role(tx->s, o->user, o->op->space, &o->role, err);
    if (status == SL_OK) {
        status =
            sl_sv_relation(tx->s, o->user, o->standing, o->op->space, o->role, &o->relation, err);
    }
    if (status == SL_OK && o->role == 0) {
        status = sl_sv_space_exists(tx->s, o->op->space, &exists, err);
    }
    if (status != SL_OK || o->role != 0 || (exists && rule(o, false) != SL_RULING_HIDE)) {
        return status; /* in it, or let in as a stranger */
    }
    if (exists || o->op->kind != SL_OP_CREATE || !o->op->entity->root ||
        !sl_sv_may_make(o->standing, o->user, o->op->space)) {
        return sl_fail(err, SL_E_DENIED, "not allowed in this space");
    }
    o->role = SL_R_OWNER;
    o->relation = SL_REL_OWN;
    /* A group or an organisation is led, by its maker and others: it is not one's own. */
    bool led = sl_space_is(o->op->space, "thread") || sl_space_is(o->op->space, "organisation");
    const char *role = led ? "coach" : "owner";
    status = sl_sv_space_make(tx, o->op->space, err);
    return status == SL_OK ? sl_sv_grant(tx, o->user, o->op->space, role, err) : status;
}

static bool is_author(const sl_sv_op *o, const sl_record *rec)
{
    int field = o->op->entity->author_field;
    if (field < 0 || rec->entity == NULL) {
        return false;
    }
    const char *author = sl_cell_str(&rec->values[field]);
    return author != NULL && (strcmp(author, o->user) == 0 || SL_PLANTED("author-any"));
}

static sl_status check_policy(const sl_sv_op *o, const sl_record *rec, sl_error **err)
{
    const sl_entity *e = o->op->entity;
    if (o->op->kind != SL_OP_CREATE && rec->deleted) {
        return SL_OK; /* nothing can come of it, and its author is no longer known */
    }
    if (o->op->kind == SL_OP_DELETE && rec->entity == NULL && strcmp(e->name, "reaction") == 0) {
        return SL_OK; /* an equal one was there before it (thread.c) */
    }
    if (rule(o, is_author(o, rec)) == SL_RULING_ALLOW || SL_PLANTED("no-policy")) {
        return SL_OK;
    }
    if (o->op->kind != SL_OP_CREATE && rec->entity == NULL) {
        return sl_fail(err, SL_E_NOT_FOUND, "there is no such %s", e->name);
    }
    return sl_fail(err, SL_E_DENIED, "your role does not allow this");
}

/* What is said about a deleted video goes nowhere, nor what is put into a deleted program. */
static sl_status check_root(sl_sv_tx *tx, const sl_op *op, sl_error **err)
{
    static const char *const kinds[] = {"video", "program", "coach"};
    const char *kind = op->entity->space_kind;
    bool rooted = false;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        rooted = rooted || strcmp(kinds[i], kind) == 0;
    }
    if (op->kind == SL_OP_DELETE || op->entity->root || !rooted) {
        return SL_OK;
    }
    sl_sv_item *root = NULL;
    sl_status status =
        sl_sv_get(tx, sl_entity_find(kind), op->space, sl_space_id(op->space), &root, err);
    if (status == SL_OK && (root->rec.entity == NULL || root->rec.deleted)) {
        status = sl_fail(err, SL_E_NOT_FOUND, "the %s was deleted", kind);
    }
    return status;
}

/* The record that the operation is about. *elsewhere: it creates one whose id another space has. */
static sl_status find_record(sl_sv_tx *tx, const sl_op *op, sl_sv_item **item, bool *elsewhere,
                             sl_error **err)
{
    sl_sv_rows rows;
    *elsewhere = false;
    if (op->kind != SL_OP_CREATE) {
        return sl_sv_get(tx, op->entity, op->space, op->id, item, err);
    }
    *elsewhere = sl_sv_has_elsewhere(tx, op->entity, op->space, op->id);
    sl_status status = sl_sv_all(tx->s, tx->s->sql[op->entity->index].where,
                                 SL_SV_ARGS(sl_cell_text(op->id)), &rows, err);
    bool here = sl_sv_has(tx, op->entity, op->space, op->id);
    for (size_t i = 0; status == SL_OK && i < rows.count; i++) {
        bool same = strcmp(sl_sv_text(&rows, i, 0), op->space) == 0;
        here = here || same;
        *elsewhere = *elsewhere || !same;
    }
    sl_sv_rows_free(&rows);
    if (status != SL_OK) {
        return status;
    }
    return here ? sl_sv_get(tx, op->entity, op->space, op->id, item, err)
                : sl_sv_get_none(tx, op->entity, op->space, op->id, item, err);
}

/* Devices make the ids and keep their records by them alone: one who may write to a space must not
 * take a record out of another by using its id again. Both copies of a connection share theirs. */
static sl_status check_id(const sl_op *op, bool elsewhere, sl_error **err)
{
    return elsewhere && strcmp(op->entity->name, "connection") != 0
               ? sl_fail_field(err, SL_E_CONFLICT, "id", "the id is that of another %s",
                               op->entity->name)
               : SL_OK;
}

/* What is to be deleted is not there: another device did it, perhaps long ago (retain.c). A reaction may stand
 * for an equal one that was there before it (thread.c). */
static bool gone_already(const sl_op *op, const sl_record *rec)
{
    return op->kind == SL_OP_DELETE && rec->entity == NULL &&
           strcmp(op->entity->name, "reaction") != 0;
}

static sl_status merge(sl_sv_op *o, sl_sv_item *item, sl_error **err)
{
    sl_status status = sl_sv_touch(item, err);
    if (status == SL_OK) {
        status = sl_merge_op(&item->rec, o->op, &o->merged, err);
        if (SL_PLANTED("apply-twice") && o->op->kind == SL_OP_PATCH && status == SL_OK) {
            status = sl_merge_op(&item->rec, o->op, &o->merged, err);
        }
    }
    item->dirty = item->dirty || (status == SL_OK && o->merged != SL_MERGED_NOTHING);
    return status;
}

sl_status sl_sv_apply(sl_sv_tx *tx, sl_sv_op *o, sl_sv_item **item, sl_error **err)
{
    bool elsewhere = false;
    sl_status status = check_place(o->op, err);
    if (status == SL_OK) {
        status = find_role(tx, o, err);
    }
    if (status == SL_OK) {
        status = find_record(tx, o->op, item, &elsewhere, err);
    }
    if (status == SL_OK && gone_already(o->op, &(*item)->rec)) {
        o->merged = SL_MERGED_NOTHING;
        return SL_OK;
    }
    if (status == SL_OK) {
        status = check_policy(o, &(*item)->rec, err);
    }
    if (status == SL_OK) {
        status = check_root(tx, o->op, err);
    }
    if (status == SL_OK) {
        status = check_id(o->op, elsewhere, err);
    }
    if (status == SL_OK && o->op->kind != SL_OP_DELETE) {
        status = sl_schema_check(o->op->entity, o->op->values, o->op->has,
                                 o->op->kind == SL_OP_CREATE, err);
    }
    if (status == SL_OK) {
        status = sl_sv_check_refs(tx, o->op, &(*item)->rec, err);
    }
    if (status == SL_OK) {
        status = sl_sv_before(tx, o, *item, err);
    }
    if (status == SL_OK && !o->done) {
        status = merge(o, *item, err);
    }
    if (status == SL_OK && o->merged != SL_MERGED_NOTHING) {
        status = sl_sv_after(tx, o, *item, err);
    }
    return status;
}
