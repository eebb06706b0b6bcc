/*
 * service/organisation.c - organisations: who is in them, and what that gives.
 *
 *   [ORG-1] nobody is put into an organisation: who is invited holds a `membership`, and by making it active
 *           agrees. `member` and `membership` have one id and are kept in step, as the copies of a connection;
 *   [ORG-2] while it has members it has an admin: the last one hands over or closes it. Where an account that was
 *           the last admin ends, the member who was invited first follows; where there is none it is closed;
 *   [ORG-3] what a membership gives (the organisation's space, programs) is in `access`, and goes with it;
 *   [ORG-4] an invitation goes with whoever made it.
 *
 * Each of these operations is a transaction of its own: what the database says is what was before it.
 */
#include "base/error.h"
#include "base/plant.h"
#include "service/effect.h"

#include <string.h>

enum {
    MEMBERS_MAX = 100 /* of an organisation, those who are invited among them */
};

static const char *text_of(const sl_sv_item *item, const char *field)
{
    const char *text = item->rec.entity != NULL ? sl_record_text(&item->rec, field) : NULL;
    return text != NULL ? text : "";
}

static bool is_active(const sl_sv_item *item)
{
    return strcmp(text_of(item, "state"), "active") == 0;
}

static bool is_there(const sl_sv_item *item)
{
    return item->rec.entity != NULL && !item->rec.deleted;
}

/* An audit line about one member. */
static sl_status note(sl_sv_tx *tx, const char *actor, const char *action, const char *id,
                      const char *outcome, sl_error **err)
{
    return sl_sv_audit_add(tx->s, tx->now_ms, actor, action, id, outcome, err);
}

/* ---- who is in ---- */

typedef struct bond { /* both copies */
    sl_sv_item *member;
    sl_sv_item *mine;
} bond;

static sl_status bond_of(sl_sv_tx *tx, const char *space, const char *id, const char *user,
                         bond *out, sl_error **err)
{
    sl_sv_space own;
    sl_space_name(own, "user", user);
    sl_status status = sl_sv_get(tx, sl_entity_find("member"), space, id, &out->member, err);
    return status == SL_OK ? sl_sv_get(tx, sl_entity_find("membership"), own, id, &out->mine, err)
                           : status;
}

static sl_status set_both(const bond *b, const char *field, const char *value, sl_error **err)
{
    sl_status status = sl_sv_set(b->member, field, value, err);
    return status == SL_OK ? sl_sv_set(b->mine, field, value, err) : status;
}

static sl_status bury_both(const bond *b, sl_error **err)
{
    sl_status status = sl_sv_bury(b->member, err);
    return status == SL_OK ? sl_sv_bury(b->mine, err) : status;
}

/* id, user, role, state of those who are in and who are invited. */
static sl_status members_of(sl_service *s, const char *space, sl_sv_rows *rows, sl_error **err)
{
    return sl_sv_all(s,
                     "SELECT m.\"id\", m.\"user_id\", m.\"role\", m.\"state\" FROM feed f JOIN"
                     " \"member\" m ON m.\"id\"=f.id AND m.\"space\"=f.space WHERE f.space=$1 AND"
                     " f.listed='member' AND m.\"deleted\"=0 ORDER BY m.\"id\"",
                     SL_SV_ARGS(sl_cell_text(space)), rows, err);
}

static const char *role_of(const char *role)
{
    return strcmp(role, "admin") == 0 ? "coach" : "member";
}

/* Whether this user leads the organisation and nobody else does. */
static sl_status is_last(sl_service *s, const char *space, const char *user, bool *yes,
                         sl_error **err)
{
    sl_sv_rows rows;
    sl_status status = sl_sv_all(s, "SELECT user_id FROM access WHERE space=$1 AND role='coach'",
                                 SL_SV_ARGS(sl_cell_text(space)), &rows, err);
    *yes = status == SL_OK && rows.count == 1 && strcmp(sl_sv_text(&rows, 0, 0), user) == 0;
    sl_sv_rows_free(&rows);
    return status;
}

static sl_status may_go(sl_service *s, const char *space, const char *user, sl_error **err)
{
    bool last = false;
    sl_status status = is_last(s, space, user, &last, err);
    return status == SL_OK && last && !SL_PLANTED("last-may-go")
               ? sl_fail(err, SL_E_CONFLICT,
                         "you are the only admin: make another member admin, or delete the"
                         " organisation")
               : status;
}

/* What the user asked of others there. */
static sl_status take_back(sl_sv_tx *tx, const char *space, const char *user, sl_error **err)
{
    sl_sv_rows rows;
    sl_status status = members_of(tx->s, space, &rows, err);
    for (size_t i = 0; status == SL_OK && i < rows.count; i++) {
        bond b;
        status = bond_of(tx, space, sl_sv_text(&rows, i, 0), sl_sv_text(&rows, i, 1), &b, err);
        bool asked =
            status == SL_OK && !is_active(b.member) && strcmp(text_of(b.mine, "by_id"), user) == 0;
        status = asked ? bury_both(&b, err) : status;
    }
    sl_sv_rows_free(&rows);
    return status;
}

/* Who was in goes, with all that it gave. */
static sl_status let_out(sl_sv_tx *tx, const char *space, const char *user, sl_error **err)
{
    sl_status status = SL_PLANTED("invitation-stays") ? SL_OK : take_back(tx, space, user, err);
    if (status == SL_OK) {
        status = sl_sv_lend_end(tx, space, "", user, err);
    }
    if (status == SL_OK) {
        status = sl_sv_revoke(tx, user, space, err);
    }
    return status == SL_OK ? sl_sv_lend_settle(tx, user, err) : status;
}

/* Everybody goes. */
static sl_status close_down(sl_sv_tx *tx, const char *space, sl_error **err)
{
    sl_sv_rows rows;
    sl_status status = sl_sv_lend_end(tx, space, "", "", err);
    if (status != SL_OK) {
        return status;
    }
    status = members_of(tx->s, space, &rows, err);
    for (size_t i = 0; status == SL_OK && i < rows.count; i++) {
        bond b;
        status = bond_of(tx, space, sl_sv_text(&rows, i, 0), sl_sv_text(&rows, i, 1), &b, err);
        bool active = status == SL_OK && is_active(b.member);
        status = status == SL_OK ? bury_both(&b, err) : status;
        status = active ? sl_sv_revoke(tx, sl_sv_text(&rows, i, 1), space, err) : status;
    }
    for (size_t i = 0; status == SL_OK && i < rows.count; i++) {
        status = sl_sv_lend_settle(tx, sl_sv_text(&rows, i, 1), err);
    }
    sl_sv_rows_free(&rows);
    return status;
}

static sl_status set_rank(sl_sv_tx *tx, const char *space, const bond *b, const char *role,
                          sl_error **err)
{
    const char *user = text_of(b->member, "user_id");
    sl_status status = set_both(b, "role", role, err);
    if (status == SL_OK && is_active(b->member) && !SL_PLANTED("rank-not-granted")) {
        status = sl_sv_regrant(tx, user, space, role_of(role), err);
        status = status == SL_OK ? sl_sv_lend_settle(tx, user, err) : status;
    }
    return status;
}

/* Somebody else leads, or it is closed. */
static sl_status succeed(sl_sv_tx *tx, const char *space, const char *user, sl_error **err)
{
    sl_sv_rows rows;
    sl_sv_item *root = NULL;
    bond b = {NULL, NULL};
    sl_status status = members_of(tx->s, space, &rows, err);
    for (size_t i = 0; status == SL_OK && b.member == NULL && i < rows.count; i++) {
        const char *other = sl_sv_text(&rows, i, 1);
        if (strcmp(other, user) != 0 && strcmp(sl_sv_text(&rows, i, 3), "active") == 0) {
            status = bond_of(tx, space, sl_sv_text(&rows, i, 0), other, &b, err);
        }
    }
    sl_sv_rows_free(&rows);
    if (status != SL_OK) {
        return status;
    }
    if (b.member != NULL) {
        status = set_rank(tx, space, &b, "admin", err);
        return status == SL_OK ? note(tx, user, "organisation_role", b.member->id, "admin", err)
                               : status;
    }
    status = sl_sv_get(tx, sl_entity_find("organisation"), space, sl_space_id(space), &root, err);
    status = status == SL_OK ? sl_sv_bury(root, err) : status;
    return status == SL_OK ? close_down(tx, space, err) : status;
}

static sl_status leave(sl_sv_tx *tx, const char *user, const char *space, const char *id,
                       sl_error **err)
{
    bond b;
    bool last = false;
    sl_status status = bond_of(tx, space, id, user, &b, err);
    if (status != SL_OK || !is_there(b.member)) {
        return status;
    }
    bool active = is_active(b.member);
    status = active ? is_last(tx->s, space, user, &last, err) : SL_OK;
    if (status == SL_OK && last) {
        status = succeed(tx, space, user, err);
    }
    if (status == SL_OK && is_there(b.member)) {
        status = bury_both(&b, err);
        status = status == SL_OK && active ? let_out(tx, space, user, err) : status;
    }
    return status == SL_OK ? note(tx, user, "organisation_leave", id, "ended", err) : status;
}

sl_status sl_sv_organisations_leave(sl_sv_tx *tx, const char *user, sl_error **err)
{
    sl_sv_space own;
    sl_sv_rows rows;
    sl_space_name(own, "user", user);
    sl_status status = sl_sv_all(
        tx->s,
        "SELECT m.\"id\", m.\"organisation_id\" FROM feed f JOIN \"membership\" m ON m.\"id\"=f.id"
        " AND m.\"space\"=f.space WHERE f.space=$1 AND f.listed='membership' AND m.\"deleted\"=0"
        " ORDER BY m.\"id\"",
        SL_SV_ARGS(sl_cell_text(own)), &rows, err);
    for (size_t i = 0; status == SL_OK && i < rows.count; i++) {
        sl_sv_space space;
        sl_space_name(space, "organisation", sl_sv_text(&rows, i, 1));
        status = leave(tx, user, space, sl_sv_text(&rows, i, 0), err);
    }
    sl_sv_rows_free(&rows);
    return status;
}

/* ---- the organisation itself ---- */

static sl_status fill_membership(sl_sv_item *mine, const char *space, const char *name,
                                 const char *role, const char *state, sl_error **err)
{
    const char *const parts[][2] = {
        {"organisation_id", sl_space_id(space)}, {"name", name}, {"role", role}, {"state", state}};
    sl_status status = SL_OK;
    for (size_t i = 0; status == SL_OK && i < sizeof parts / sizeof parts[0]; i++) {
        status = sl_sv_set(mine, parts[i][0], parts[i][1], err);
    }
    return status;
}

static sl_status made(sl_sv_tx *tx, const sl_sv_op *o, const sl_sv_item *root, sl_error **err)
{
    sl_sv_person me;
    sl_sv_space own;
    bond b = {NULL, NULL};
    sl_status status = sl_sv_person_by_id(tx->s, o->user, &me, err);
    if (status == SL_OK) {
        status = sl_sv_new(tx, "member", o->op->space, NULL, &b.member, err);
    }
    if (status == SL_OK) {
        sl_space_name(own, "user", o->user);
        status = sl_sv_new(tx, "membership", own, b.member->id, &b.mine, err);
    }
    if (status == SL_OK) {
        status =
            fill_membership(b.mine, o->op->space, text_of(root, "name"), "admin", "active", err);
    }
    if (status == SL_OK) {
        status = sl_sv_set(b.member, "role", "admin", err);
    }
    if (status == SL_OK) {
        status = sl_sv_set(b.member, "state", "active", err);
    }
    if (status == SL_OK) {
        status = sl_sv_set(b.member, "user_id", o->user, err);
    }
    if (status == SL_OK) {
        status = sl_sv_set(b.member, "name", me.name, err);
    }
    return status == SL_OK ? note(tx, o->user, "organisation_make", b.member->id, "admin", err)
                           : status;
}

static sl_status renamed(sl_sv_tx *tx, const sl_sv_op *o, const sl_sv_item *root, sl_error **err)
{
    sl_sv_rows rows;
    sl_status status = members_of(tx->s, o->op->space, &rows, err);
    for (size_t i = 0; status == SL_OK && i < rows.count; i++) {
        bond b;
        status =
            bond_of(tx, o->op->space, sl_sv_text(&rows, i, 0), sl_sv_text(&rows, i, 1), &b, err);
        status = status == SL_OK ? sl_sv_set(b.mine, "name", text_of(root, "name"), err) : status;
    }
    sl_sv_rows_free(&rows);
    return status;
}

/* ---- invitations ---- */

static sl_status invite_before(sl_sv_tx *tx, const sl_sv_op *o, sl_error **err)
{
    const char *email = sl_op_text(o->op, "email");
    sl_sv_person peer;
    sl_sv_rows rows;
    bool blocked = false;
    if (email == NULL) {
        return sl_fail_field(err, SL_E_INVALID, "email", "an invitation needs an address");
    }
    sl_status status = sl_sv_person_by_email(tx->s, email, &peer, err);
    if (status == SL_OK && (!peer.found || strcmp(peer.rank.role, "athlete") == 0)) {
        status = sl_fail_field(err, SL_E_NOT_FOUND, "email", "no coach has this e-mail address");
    }
    if (status == SL_OK) {
        status = sl_sv_has_blocked(tx->s, peer.id, o->user, &blocked, err);
    }
    if (status == SL_OK && blocked) {
        status = sl_fail_field(err, SL_E_DENIED, "email",
                               "this person does not take invitations from you");
    }
    if (status != SL_OK) {
        return status;
    }
    status = members_of(tx->s, o->op->space, &rows, err);
    for (size_t i = 0; status == SL_OK && i < rows.count; i++) {
        if (strcmp(sl_sv_text(&rows, i, 1), peer.id) == 0) {
            status = sl_fail_field(err, SL_E_CONFLICT, "email",
                                   "this person is in the organisation, or invited");
        }
    }
    if (status == SL_OK && rows.count >= MEMBERS_MAX) {
        status = sl_fail(err, SL_E_LIMIT, "an organisation has up to %d members", MEMBERS_MAX);
    }
    sl_sv_rows_free(&rows);
    return status;
}

/* Who invites sees a name when it was accepted. */
static sl_status invited(sl_sv_tx *tx, const sl_sv_op *o, sl_sv_item *member, sl_error **err)
{
    sl_sv_person me;
    sl_sv_person peer;
    sl_sv_space theirs;
    sl_sv_item *root = NULL;
    sl_sv_item *mine = NULL;
    const char *role = text_of(member, "role")[0] != 0 ? text_of(member, "role") : "coach";
    sl_status status = sl_sv_person_by_id(tx->s, o->user, &me, err);
    if (status == SL_OK) {
        status = sl_sv_person_by_email(tx->s, text_of(member, "email"), &peer, err);
    }
    if (status == SL_OK) {
        status = sl_sv_get(tx, sl_entity_find("organisation"), o->op->space,
                           sl_space_id(o->op->space), &root, err);
    }
    if (status == SL_OK) {
        sl_space_name(theirs, "user", peer.id);
        status = sl_sv_new(tx, "membership", theirs, member->id, &mine, err);
    }
    if (status == SL_OK) {
        status = fill_membership(mine, o->op->space, text_of(root, "name"), role, "invited", err);
    }
    if (status == SL_OK) {
        status = sl_sv_set(mine, "by_id", me.id, err);
    }
    if (status == SL_OK) {
        status = sl_sv_set(mine, "by_name", me.name, err);
    }
    if (status == SL_OK) {
        status = sl_sv_set(member, "user_id", peer.id, err);
    }
    if (status == SL_OK) {
        status = sl_sv_set(member, "role", role, err);
    }
    if (status == SL_OK) {
        status = sl_sv_set(member, "state", "invited", err);
    }
    return status == SL_OK ? note(tx, o->user, "organisation_invite", member->id, role, err)
                           : status;
}

/* ---- what members do ---- */

static sl_status role_before(sl_sv_tx *tx, sl_sv_op *o, const sl_sv_item *member, sl_error **err)
{
    const char *wish = sl_op_text(o->op, "role");
    if (!is_there(member) || sl_op_value(o->op, "role") == NULL) {
        return SL_OK; /* the merge says so */
    }
    if (wish == NULL) {
        return sl_fail_field(err, SL_E_INVALID, "role", "a member is a coach or an admin");
    }
    bool down = is_active(member) && strcmp(text_of(member, "role"), "admin") == 0 &&
                strcmp(wish, "admin") != 0;
    if (strcmp(wish, text_of(member, "role")) == 0) {
        o->done = true;
        o->merged = SL_MERGED_NOTHING;
    }
    return down ? may_go(tx->s, o->op->space, text_of(member, "user_id"), err) : SL_OK;
}

static sl_status role_changed(sl_sv_tx *tx, const sl_sv_op *o, const sl_sv_item *member,
                              sl_error **err)
{
    bond b;
    char role[8];
    sl_sv_copy(role, sizeof role, text_of(member, "role"));
    sl_status status = bond_of(tx, o->op->space, member->id, text_of(member, "user_id"), &b, err);
    if (status == SL_OK && strcmp(text_of(b.mine, "role"), role) != 0) {
        status = set_rank(tx, o->op->space, &b, role, err);
        status = status == SL_OK ? note(tx, o->user, "organisation_role", member->id, role, err)
                                 : status;
    }
    return status;
}

/* An end, by an admin or, with `mine`, the member: the other copy goes too. */
static sl_status end_before(sl_sv_tx *tx, const char *space, const char *user, sl_sv_item *one,
                            bool mine, sl_error **err)
{
    bond b;
    sl_status status = bond_of(tx, space, one->id, user, &b, err);
    bool active = status == SL_OK && is_active(one);
    status = active ? may_go(tx->s, space, user, err) : status;
    if (status == SL_OK) {
        status = sl_sv_bury(mine ? b.member : b.mine, err);
    }
    return status == SL_OK && active ? let_out(tx, space, user, err) : status;
}

static sl_status accept(sl_sv_tx *tx, sl_sv_op *o, sl_sv_item *mine, const char *space,
                        sl_error **err)
{
    bond b;
    sl_sv_person me;
    const char *const gone[] = {"by_id", "by_name"};
    sl_status status = bond_of(tx, space, mine->id, o->user, &b, err);
    if (status == SL_OK) {
        status = sl_sv_person_by_id(tx->s, o->user, &me, err);
    }
    if (status == SL_OK) {
        status = sl_sv_overrule(mine, "state", "active", o->op->hlc, err);
    }
    for (size_t i = 0; status == SL_OK && i < 2; i++) {
        status = sl_sv_set(mine, gone[i], NULL, err);
    }
    if (status == SL_OK) {
        status = sl_sv_set(b.member, "state", "active", err);
    }
    if (status == SL_OK) {
        status = sl_sv_set(b.member, "email", NULL, err);
    }
    if (status == SL_OK) {
        status = sl_sv_set(b.member, "name", me.name, err);
    }
    if (status == SL_OK) {
        status = sl_sv_grant(tx, o->user, space, role_of(text_of(mine, "role")), err);
    }
    if (status == SL_OK) {
        status = sl_sv_lend_settle(tx, o->user, err);
    }
    return status == SL_OK ? note(tx, o->user, "organisation_join", mine->id, "ok", err) : status;
}

static sl_status membership_before(sl_sv_tx *tx, sl_sv_op *o, sl_sv_item *mine, sl_error **err)
{
    sl_sv_space space;
    const char *wish = sl_op_text(o->op, "state");
    if (!is_there(mine)) {
        return SL_OK; /* the merge says so */
    }
    sl_space_name(space, "organisation", text_of(mine, "organisation_id"));
    if (o->op->kind == SL_OP_DELETE) {
        return end_before(tx, space, o->user, mine, true, err);
    }
    o->done = true;
    o->merged = SL_MERGED_NOTHING;
    if (o->op->has == 0 || (wish != NULL && strcmp(wish, text_of(mine, "state")) == 0)) {
        return SL_OK;
    }
    if (wish == NULL || strcmp(wish, "active") != 0) {
        return sl_fail_field(err, SL_E_INVALID, "state",
                             "an invitation is accepted, or deleted to decline");
    }
    o->merged = SL_MERGED_ALL;
    return accept(tx, o, mine, space, err);
}

/* ---- all ---- */

bool sl_sv_organisation_has(const sl_entity *e)
{
    return strcmp(e->space_kind, "organisation") == 0 || strcmp(e->name, "membership") == 0;
}

sl_status sl_sv_organisation_before(sl_sv_tx *tx, sl_sv_op *o, sl_sv_item *item, sl_error **err)
{
    if (strcmp(o->op->entity->name, "membership") == 0) {
        return membership_before(tx, o, item, err);
    }
    if (sl_sv_op_is(o, SL_OP_CREATE, "member")) {
        return invite_before(tx, o, err);
    }
    if (sl_sv_op_is(o, SL_OP_PATCH, "member")) {
        return role_before(tx, o, item, err);
    }
    if (sl_sv_op_is(o, SL_OP_DELETE, "member") && is_there(item)) {
        return end_before(tx, o->op->space, text_of(item, "user_id"), item, false, err);
    }
    return strcmp(o->op->entity->name, "program_share") == 0 ? sl_sv_lend_before(tx, o, item, err)
                                                             : SL_OK;
}

sl_status sl_sv_organisation_after(sl_sv_tx *tx, sl_sv_op *o, sl_sv_item *item, sl_error **err)
{
    const char *action = NULL;
    sl_status status = SL_OK;
    if (sl_sv_op_is(o, SL_OP_CREATE, "organisation")) {
        status = made(tx, o, item, err);
    } else if (sl_sv_op_is(o, SL_OP_PATCH, "organisation")) {
        status = renamed(tx, o, item, err);
    } else if (sl_sv_op_is(o, SL_OP_DELETE, "organisation")) {
        action = "organisation_close";
        status = close_down(tx, o->op->space, err);
    } else if (sl_sv_op_is(o, SL_OP_CREATE, "member")) {
        status = invited(tx, o, item, err);
    } else if (sl_sv_op_is(o, SL_OP_PATCH, "member") && is_there(item)) {
        status = role_changed(tx, o, item, err);
    } else if (sl_sv_op_is(o, SL_OP_DELETE, "member")) {
        action = "organisation_remove";
    } else if (sl_sv_op_is(o, SL_OP_DELETE, "membership")) {
        action = "organisation_leave";
    } else if (sl_sv_op_is(o, SL_OP_CREATE, "program_share")) {
        status = sl_sv_lend_made(tx, o, err);
    }
    return status == SL_OK && action != NULL ? note(tx, o->user, action, item->id, "ok", err)
                                             : status;
}
