/*
 * service/effect.c - what single entities ask beyond roles, and what operations cause.
 * src/sync/PROTOCOL.md lists it for readers.
 */
#include "service/effect.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/plant.h"

#include <ctype.h>
#include <string.h>

static sl_status account_by(sl_service *s, const char *sql, const char *key, sl_sv_person *out,
                            sl_error **err)
{
    memset(out, 0, sizeof *out);
    sl_sv_rows rows;
    sl_status status = sl_sv_all(s, sql, SL_SV_ARGS(sl_cell_text(key)), &rows, err);
    if (status == SL_OK && rows.count > 0) {
        out->found = true;
        sl_sv_copy(out->id, sizeof out->id, sl_sv_text(&rows, 0, 0));
        sl_sv_copy(out->email, sizeof out->email, sl_sv_text(&rows, 0, 1));
        sl_sv_copy(out->name, sizeof out->name, sl_sv_text(&rows, 0, 2));
        sl_sv_rank_read(&out->rank, &rows, 0, 3);
    }
    sl_sv_rows_free(&rows);
    return status;
}

sl_status sl_sv_person_by_id(sl_service *s, const char *id, sl_sv_person *out, sl_error **err)
{
    return account_by(s,
                      "SELECT id, email, name, role, plan, plan_until_ms FROM account WHERE id=$1",
                      id, out, err);
}

sl_status sl_sv_person_by_email(sl_service *s, const char *email, sl_sv_person *out, sl_error **err)
{
    char lower[256];
    sl_sv_copy(lower, sizeof lower, email);
    for (char *p = lower; *p != 0; p++) {
        *p = (char)tolower((unsigned char)*p);
    }
    return account_by(
        s, "SELECT id, email, name, role, plan, plan_until_ms FROM account WHERE email=$1", lower,
        out, err);
}

/* Whether two users have a connection in this or a later state. */
sl_status sl_sv_connected(sl_service *s, const char *user, const char *peer, bool asked_counts,
                          bool *yes, sl_error **err)
{
    sl_sv_space own;
    sl_space_name(own, "user", user);
    sl_sv_rows rows;
    sl_status status = sl_sv_all(s,
                                 "SELECT \"status\" FROM \"connection\" WHERE \"space\"=$1"
                                 " AND \"peer_id\"=$2 AND \"deleted\"=0",
                                 SL_SV_ARGS(sl_cell_text(own), sl_cell_text(peer)), &rows, err);
    *yes = false;
    for (size_t i = 0; status == SL_OK && i < rows.count; i++) {
        const char *state = sl_sv_text(&rows, i, 0);
        *yes = *yes || strcmp(state, "accepted") == 0 ||
               (asked_counts && strcmp(state, "requested") == 0);
    }
    sl_sv_rows_free(&rows);
    return status;
}

sl_status sl_sv_has_blocked(sl_service *s, const char *user, const char *by, bool *yes,
                            sl_error **err)
{
    sl_sv_space own;
    sl_sv_rows rows;
    sl_space_name(own, "user", user);
    sl_status status = sl_sv_all(s,
                                 "SELECT 1 FROM feed u JOIN \"block\" b ON b.\"id\"=u.id AND"
                                 " b.\"space\"=u.space WHERE u.space=$1 AND u.listed='block' AND"
                                 " b.\"user_id\"=$2 AND b.\"deleted\"=0 LIMIT 1",
                                 SL_SV_ARGS(sl_cell_text(own), sl_cell_text(by)), &rows, err);
    *yes = status == SL_OK && rows.count > 0;
    sl_sv_rows_free(&rows);
    return status;
}

/* ---- connection ---- */

static sl_status connection_create(sl_sv_tx *tx, sl_sv_op *o, sl_error **err)
{
    const char *state = sl_op_text(o->op, "status");
    if (state != NULL && strcmp(state, "requested") != 0) {
        return sl_fail_field(err, SL_E_INVALID, "status", "a connection begins as requested");
    }
    sl_sv_person peer;
    sl_status status = sl_sv_person_by_email(tx->s, sl_op_text(o->op, "peer_email"), &peer, err);
    if (status != SL_OK) {
        return status;
    }
    if (!peer.found) {
        return sl_fail_field(err, SL_E_NOT_FOUND, "peer_email", "nobody has this e-mail address");
    }
    if (strcmp(peer.id, o->user) == 0) {
        return sl_fail_field(err, SL_E_INVALID, "peer_email", "this is your own address");
    }
    bool already = false;
    status = sl_sv_connected(tx->s, o->user, peer.id, true, &already, err);
    if (status == SL_OK && already) {
        status = sl_fail_field(err, SL_E_CONFLICT, "peer_email",
                               "you are connected with this person or one of you has asked");
    }
    return status;
}

static sl_status set_peer(sl_sv_item *item, const sl_sv_person *peer, sl_error **err)
{
    sl_status status = sl_sv_set(item, "peer_id", peer->id, err);
    if (status == SL_OK) {
        status = sl_sv_set(item, "peer_name", peer->name, err);
    }
    return status == SL_OK ? sl_sv_set(item, "peer_role", peer->rank.role, err) : status;
}

/* The one who is asked sees who asks; the one who asks sees a name when it was accepted. */
static sl_status connection_created(sl_sv_tx *tx, sl_sv_op *o, sl_sv_item *mine, sl_error **err)
{
    sl_sv_person me;
    sl_sv_person peer;
    sl_sv_space theirs;
    sl_sv_item *copy = NULL;
    sl_status status = sl_sv_person_by_id(tx->s, o->user, &me, err);
    if (status == SL_OK) {
        status = sl_sv_person_by_email(tx->s, sl_op_text(o->op, "peer_email"), &peer, err);
    }
    if (status == SL_OK && (!me.found || !peer.found)) {
        status = sl_fail(err, SL_E_NOT_FOUND, "the account is gone");
    }
    if (status == SL_OK) {
        status = sl_sv_set(mine, "status", "requested", err);
    }
    if (status == SL_OK) {
        status = sl_sv_set(mine, "direction", "out", err);
    }
    if (status == SL_OK) {
        status = sl_sv_set(mine, "peer_id", peer.id, err);
    }
    if (status == SL_OK) {
        sl_space_name(theirs, "user", peer.id);
        status = sl_sv_new(tx, "connection", theirs, mine->id, &copy, err);
    }
    if (status == SL_OK) {
        status = sl_sv_set(copy, "peer_email", me.email, err);
    }
    if (status == SL_OK) {
        status = sl_sv_set(copy, "status", "requested", err);
    }
    if (status == SL_OK) {
        status = sl_sv_set(copy, "direction", "in", err);
    }
    return status == SL_OK ? set_peer(copy, &me, err) : status;
}

static sl_status other_copy(sl_sv_tx *tx, const sl_sv_item *mine, sl_sv_item **out, sl_error **err)
{
    const char *peer = sl_record_text(&mine->rec, "peer_id");
    sl_sv_space theirs;
    if (!sl_uuid_ok(peer)) {
        return sl_fail(err, SL_E_INTERNAL, "a connection has no other side");
    }
    sl_space_name(theirs, "user", peer);
    return sl_sv_get(tx, mine->entity, theirs, mine->id, out, err);
}

static sl_status connection_accepted(sl_sv_tx *tx, sl_sv_item *mine, sl_sv_item *theirs,
                                     const char *user, sl_error **err)
{
    sl_sv_person me;
    sl_sv_person peer;
    sl_sv_id thread;
    sl_status status = sl_sv_person_by_id(tx->s, user, &me, err);
    if (status == SL_OK) {
        status = sl_sv_person_by_id(tx->s, sl_record_text(&mine->rec, "peer_id"), &peer, err);
    }
    if (status == SL_OK && (!me.found || !peer.found)) {
        status = sl_fail(err, SL_E_NOT_FOUND, "the account is gone");
    }
    if (status == SL_OK) {
        status = sl_sv_room_for_student(tx->s, me.id, sl_sv_standing(&me.rank, tx->now_ms), err);
    }
    if (status == SL_OK) {
        status =
            sl_sv_room_for_student(tx->s, peer.id, sl_sv_standing(&peer.rank, tx->now_ms), err);
    }
    if (status == SL_OK) {
        status = sl_sv_thread_make(tx, &peer, &me, thread, err);
    }
    if (status == SL_OK) {
        status = set_peer(mine, &peer, err);
    }
    if (status == SL_OK) {
        status = set_peer(theirs, &me, err);
    }
    if (status == SL_OK) {
        status = sl_sv_set(mine, "thread_id", thread, err);
    }
    return status == SL_OK ? sl_sv_set(theirs, "thread_id", thread, err) : status;
}

sl_status sl_sv_overrule(sl_sv_item *item, const char *field, const char *value, sl_hlc stamp,
                         sl_error **err)
{
    sl_status status = sl_sv_touch(item, err);
    if (status != SL_OK) {
        return status;
    }
    sl_clock *clock = sl_record_clock(&item->rec, sl_field_find(item->entity, field));
    if (clock == NULL) {
        return sl_fail_nomem(err);
    }
    clock->at = sl_hlc_compare(item->rec.birth, stamp) > 0 ? item->rec.birth : stamp;
    return sl_sv_set(item, field, value, err);
}

static sl_status connection_patch(sl_sv_tx *tx, sl_sv_op *o, sl_sv_item *mine, sl_error **err)
{
    const char *wish = sl_op_text(o->op, "status");
    const char *state = sl_record_text(&mine->rec, "status");
    const char *direction = sl_record_text(&mine->rec, "direction");
    o->done = true;
    o->merged = SL_MERGED_NOTHING;
    if (mine->rec.deleted || o->op->has == 0) {
        return SL_OK;
    }
    if (wish == NULL || strcmp(wish, "requested") == 0) {
        return sl_fail_field(err, SL_E_INVALID, "status", "a connection is accepted or declined");
    }
    if (direction == NULL || strcmp(direction, "in") != 0) {
        return sl_fail_field(err, SL_E_DENIED, "status", "the answer is for the one who was asked");
    }
    if (state != NULL && strcmp(state, wish) == 0 && !SL_PLANTED("accepted-twice")) {
        return SL_OK;
    }
    if ((state == NULL || strcmp(state, "requested") != 0) && !SL_PLANTED("accepted-twice")) {
        return sl_fail_field(err, SL_E_CONFLICT, "status", "the connection was answered already");
    }
    sl_sv_item *theirs = NULL;
    sl_status status = other_copy(tx, mine, &theirs, err);
    if (status != SL_OK) {
        return status;
    }
    if (theirs == NULL || theirs->rec.entity == NULL || theirs->rec.deleted) {
        (void)sl_fail(err, SL_E_CONFLICT, "the request was taken back");
        return SL_E_CONFLICT;
    }
    status =
        strcmp(wish, "accepted") == 0 ? connection_accepted(tx, mine, theirs, o->user, err) : SL_OK;
    if (status == SL_OK) {
        status = sl_sv_overrule(mine, "status", wish, o->op->hlc, err);
    }
    if (status == SL_OK) {
        status = sl_sv_overrule(theirs, "status", wish, o->op->hlc, err);
    }
    o->merged = SL_MERGED_ALL;
    return status;
}

static sl_status connection_delete(sl_sv_tx *tx, const sl_sv_item *mine, sl_error **err)
{
    if (mine->rec.entity == NULL || mine->rec.deleted) {
        return SL_OK;
    }
    sl_sv_item *theirs = NULL;
    sl_status status = other_copy(tx, mine, &theirs, err);
    return status == SL_OK ? sl_sv_bury(theirs, err) : status;
}

/* ---- share and video ---- */

static sl_status share_create(sl_sv_tx *tx, const sl_sv_op *o, sl_error **err)
{
    const char *user = sl_op_text(o->op, "user_id");
    bool yes = false;
    sl_status status = sl_sv_connected(tx->s, o->user, user, false, &yes, err);
    if (status == SL_OK && !yes) {
        status = sl_fail_field(err, SL_E_DENIED, "user_id", "you are not connected with this user");
    }
    unsigned role = 0;
    if (status == SL_OK) {
        status = sl_sv_role(tx->s, user, o->op->space, &role, err);
    }
    if (status == SL_OK && role != 0) {
        status = sl_fail_field(err, SL_E_CONFLICT, "user_id", "the video is shared with this user");
    }
    return status;
}

/* Everyone a deleted video was shared with loses it. */
static sl_status video_deleted(sl_sv_tx *tx, const char *space, sl_error **err)
{
    sl_sv_rows rows;
    sl_status status =
        sl_sv_all(tx->s,
                  "SELECT \"id\", \"user_id\" FROM \"share\" WHERE \"space\"=$1 AND \"deleted\"=0"
                  " ORDER BY \"id\"",
                  SL_SV_ARGS(sl_cell_text(space)), &rows, err);
    for (size_t i = 0; status == SL_OK && i < rows.count; i++) {
        sl_sv_item *share = NULL;
        status =
            sl_sv_get(tx, sl_entity_find("share"), space, sl_sv_text(&rows, i, 0), &share, err);
        if (status == SL_OK) {
            status = sl_sv_bury(share, err);
        }
        if (status == SL_OK) {
            status = sl_sv_revoke(tx, sl_sv_text(&rows, i, 1), space, err);
        }
    }
    sl_sv_rows_free(&rows);
    return status;
}

/* ---- all ---- */

bool sl_sv_stands_alone(const sl_op *op)
{
    static const char *const names[] = {"connection", "share", "block"};
    bool alone =
        (op->kind == SL_OP_DELETE && op->entity->root) || sl_sv_organisation_has(op->entity);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        alone = alone || strcmp(op->entity->name, names[i]) == 0;
    }
    return alone;
}

bool sl_sv_op_is(const sl_sv_op *o, sl_op_kind kind, const char *entity)
{
    return o->op->kind == kind && strcmp(o->op->entity->name, entity) == 0;
}

sl_status sl_sv_before(sl_sv_tx *tx, sl_sv_op *o, sl_sv_item *item, sl_error **err)
{
    if (o->op->kind == SL_OP_CREATE && item->rec.entity != NULL) {
        return SL_OK; /* the merge says that it exists */
    }
    if (sl_sv_op_is(o, SL_OP_CREATE, "connection")) {
        return connection_create(tx, o, err);
    }
    if (sl_sv_op_is(o, SL_OP_PATCH, "connection") && item->rec.entity != NULL) {
        return connection_patch(tx, o, item, err);
    }
    if (sl_sv_op_is(o, SL_OP_DELETE, "connection")) {
        return connection_delete(tx, item, err);
    }
    if (sl_sv_op_is(o, SL_OP_CREATE, "share")) {
        return share_create(tx, o, err);
    }
    if (sl_sv_op_is(o, SL_OP_DELETE, "share") && !SL_PLANTED("unshare-keeps") &&
        item->rec.entity != NULL && !item->rec.deleted) {
        return sl_sv_revoke(tx, sl_record_text(&item->rec, "user_id"), o->op->space, err);
    }
    if (sl_sv_organisation_has(o->op->entity)) {
        return sl_sv_organisation_before(tx, o, item, err);
    }
    return sl_space_is(o->op->space, "thread") ? sl_sv_thread_before(tx, o, item, err) : SL_OK;
}

/* References to blobs that the operation makes. *ready: the bytes of field "blob" are here. */
static sl_status refer(sl_sv_tx *tx, const sl_sv_op *o, bool *ready, sl_error **err)
{
    sl_status status = SL_OK;
    for (size_t i = 0; status == SL_OK && i < o->op->entity->field_count; i++) {
        const sl_field *f = &o->op->entity->fields[i];
        const char *hash = f->type == SL_T_BLOB ? sl_op_text(o->op, f->name) : NULL;
        bool here = false;
        if (hash == NULL) {
            continue;
        }
        status = sl_sv_blob_refer(tx, hash, o->op->space, o->user, o->standing, &here, err);
        *ready = *ready || (here && strcmp(f->name, "blob") == 0);
    }
    return status;
}

static sl_status created(sl_sv_tx *tx, sl_sv_op *o, sl_sv_item *item, bool ready, sl_error **err)
{
    const sl_entity *e = o->op->entity;
    sl_status status = SL_OK;
    bool theirs = e->author_field >= 0 && e->fields[e->author_field].merge == SL_M_SERVER;
    if (theirs && !SL_PLANTED("author-not-set")) {
        status = sl_sv_set(item, e->fields[e->author_field].name, o->user, err);
    }
    if (status == SL_OK && sl_sv_op_is(o, SL_OP_CREATE, "video")) {
        status =
            ready ? sl_sv_media_begin(tx, item, err) : sl_sv_set(item, "status", "uploading", err);
    } else if (status == SL_OK && sl_sv_op_is(o, SL_OP_CREATE, "post")) {
        status = sl_sv_set_int(item, "posted_ms", tx->now_ms, err);
    } else if (status == SL_OK && sl_sv_op_is(o, SL_OP_CREATE, "report")) {
        status = sl_sv_set(item, "status", "open", err);
    } else if (status == SL_OK && sl_sv_op_is(o, SL_OP_CREATE, "connection")) {
        status = connection_created(tx, o, item, err);
    } else if (status == SL_OK && sl_sv_op_is(o, SL_OP_CREATE, "share") &&
               !SL_PLANTED("share-without-grant")) {
        status = sl_sv_grant(tx, sl_record_text(&item->rec, "user_id"), o->op->space,
                             sl_record_text(&item->rec, "role"), err);
    }
    return status;
}

sl_status sl_sv_after(sl_sv_tx *tx, sl_sv_op *o, sl_sv_item *item, sl_error **err)
{
    bool ready = false;
    sl_status status = refer(tx, o, &ready, err);
    if (status == SL_OK && o->op->kind == SL_OP_CREATE) {
        status = created(tx, o, item, ready, err);
    }
    if (status == SL_OK && sl_sv_op_is(o, SL_OP_DELETE, "video") &&
        !SL_PLANTED("deleted-video-shared")) {
        status = video_deleted(tx, o->op->space, err);
    }
    if (status == SL_OK && sl_sv_organisation_has(o->op->entity)) {
        status = sl_sv_organisation_after(tx, o, item, err);
    }
    if (status == SL_OK && strcmp(o->op->entity->name, "program") == 0) {
        status = sl_sv_lend_program(tx, o, err);
    }
    if (status == SL_OK && sl_space_is(o->op->space, "thread")) {
        status = sl_sv_thread_after(tx, o, item, err);
    }
    if (status == SL_OK && sl_sv_op_is(o, SL_OP_PATCH, "user")) {
        const char *name = sl_record_text(&item->rec, "name");
        status = sl_sv_run(
            tx->s, "UPDATE account SET name=$1 WHERE id=$2",
            SL_SV_ARGS(sl_cell_text(name != NULL ? name : ""), sl_cell_text(o->user)), err);
    }
    return status;
}
