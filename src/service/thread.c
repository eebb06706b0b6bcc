/*
 * service/thread.c - conversations.
 *
 *   [GRP-1] a group is made by a coach, who lets in whom he is connected with; every coach in it leads it:
 *           renames it, lets in, removes. What athletes write in it a coach reads: where none is left they
 *           are among themselves, and the policy lets them read only;
 *   [GRP-2] who is let in sees all that was said before, read; who leaves keeps nothing of it. The
 *           participant stays, with its name, for those who read what it wrote.
 */
#include "base/error.h"
#include "base/mem.h"
#include "base/plant.h"
#include "chat/chat.h"
#include "service/effect.h"

#include <string.h>

static bool has_value(const sl_op *op, const char *field)
{
    const sl_cell *v = sl_op_value(op, field);
    return v != NULL && v->kind != SL_CELL_NULL;
}

static sl_status head_of(sl_service *s, const char *name, int64_t *seq, sl_error **err)
{
    sl_sv_state space = {.name = name};
    bool found = false;
    sl_status status = sl_sv_state_read(s, &space, &found, err);
    *seq = found ? space.seq : 0;
    return status;
}

/* ---- who takes part ---- */

/* Whom they are from here on; what was said before is read. role NULL: in a conversation of two. */
static sl_status fill_participant(sl_sv_tx *tx, sl_sv_item *item, const sl_sv_person *who,
                                  const char *role, sl_error **err)
{
    static const char *const marks[] = {"delivered", "read"};
    int64_t seq = 0;
    sl_status status = head_of(tx->s, item->space, &seq, err);
    if (status == SL_OK) {
        status = sl_sv_set(item, "name", who->name, err);
    }
    if (status == SL_OK && role != NULL) {
        status = sl_sv_set(item, "role", role, err);
    }
    for (size_t i = 0; status == SL_OK && i < 2; i++) {
        int64_t had = sl_record_int(&item->rec, marks[i], 0);
        status = sl_sv_set_int(item, marks[i], had > seq ? had : seq, err);
    }
    return status;
}

static sl_status add_participant(sl_sv_tx *tx, const char *space, const sl_sv_person *who,
                                 const char *role, sl_error **err)
{
    sl_sv_item *item = NULL;
    sl_status status = sl_sv_new(tx, "participant", space, NULL, &item, err);
    if (status == SL_OK) {
        status = sl_sv_set(item, "user_id", who->id, err);
    }
    return status == SL_OK ? fill_participant(tx, item, who, role, err) : status;
}

sl_status sl_sv_thread_make(sl_sv_tx *tx, const sl_sv_person *a, const sl_sv_person *b, sl_sv_id id,
                            sl_error **err)
{
    const sl_sv_person *const two[] = {a, b};
    sl_sv_space space;
    sl_sv_item *thread = NULL;
    sl_status status = sl_sv_uuid(tx->s, id, err);
    if (status != SL_OK) {
        return status;
    }
    sl_space_name(space, "thread", id);
    status = sl_sv_space_make(tx, space, err);
    if (status == SL_OK) {
        status = sl_sv_new(tx, "thread", space, id, &thread, err);
    }
    for (size_t i = 0; status == SL_OK && i < 2; i++) {
        status = add_participant(tx, space, two[i], NULL, err);
        status = status == SL_OK ? sl_sv_grant(tx, two[i]->id, space, "member", err) : status;
    }
    return status;
}

/* ---- groups ---- */

static const char *role_of(const sl_sv_person *p)
{
    return strcmp(p->rank.role, "athlete") == 0 ? "member" : "coach";
}

/* The thread's own record, when it is a group; else *out is NULL. */
static sl_status group_of(sl_sv_tx *tx, const char *space, sl_sv_item **out, sl_error **err)
{
    sl_status status = sl_sv_get(tx, sl_entity_find("thread"), space, sl_space_id(space), out, err);
    bool is = status == SL_OK && (*out)->rec.entity != NULL;
    if (!is || sl_record_int(&(*out)->rec, "group", 0) == 0) {
        *out = NULL;
    }
    return status;
}

/* What happened to a group, as a message of it. about and body may be NULL. */
static sl_status notice(sl_sv_tx *tx, const sl_sv_op *o, const char *event, const char *about,
                        const char *body, sl_error **err)
{
    const char *const parts[][2] = {{"kind", "notice"},
                                    {"event", event},
                                    {"author_id", o->user},
                                    {"about_id", about},
                                    {"body", body}};
    sl_sv_item *item = NULL;
    sl_status status = sl_sv_new(tx, "message", o->op->space, NULL, &item, err);
    for (size_t i = 0; status == SL_OK && i < sizeof parts / sizeof parts[0]; i++) {
        status = parts[i][1] != NULL ? sl_sv_set(item, parts[i][0], parts[i][1], err) : SL_OK;
    }
    return status == SL_OK ? sl_sv_set_int(item, "sent_ms", tx->now_ms, err) : status;
}

static sl_status group_create(const sl_sv_op *o, sl_error **err)
{
    const sl_cell *group = sl_op_value(o->op, "group");
    if (group == NULL || sl_cell_int_or(group, 0) == 0) {
        return sl_fail_field(err, SL_E_INVALID, "group", "a conversation that is made is a group");
    }
    return has_value(o->op, "title")
               ? SL_OK
               : sl_fail_field(err, SL_E_INVALID, "title", "a group needs a title");
}

static sl_status group_created(sl_sv_tx *tx, const sl_sv_op *o, sl_error **err)
{
    sl_sv_person me;
    sl_status status = sl_sv_person_by_id(tx->s, o->user, &me, err);
    if (status == SL_OK && !me.found) {
        status = sl_fail(err, SL_E_NOT_FOUND, "the account is gone");
    }
    if (status == SL_OK) {
        status = notice(tx, o, "made", NULL, sl_op_text(o->op, "title"), err);
    }
    return status == SL_OK ? add_participant(tx, o->op->space, &me, "coach", err) : status;
}

static sl_status group_patch(sl_sv_op *o, const sl_sv_item *item, sl_error **err)
{
    const char *wish = sl_op_text(o->op, "title");
    const char *title = item->rec.entity != NULL ? sl_record_text(&item->rec, "title") : NULL;
    if (sl_op_value(o->op, "title") != NULL && wish == NULL) {
        return sl_fail_field(err, SL_E_INVALID, "title", "a group needs a title");
    }
    if (wish != NULL && title != NULL && strcmp(wish, title) == 0) {
        o->done = true; /* it has this title: nobody is told */
        o->merged = SL_MERGED_NOTHING;
    }
    return SL_OK;
}

/* Whether anybody with a participant of the group, also one who left, is this user. */
static sl_status was_in(sl_service *s, const char *space, const char *user, bool *yes,
                        sl_error **err)
{
    sl_sv_rows rows;
    sl_status status =
        sl_sv_all(s,
                  "SELECT 1 FROM feed f JOIN \"participant\" p ON p.\"id\"=f.id AND"
                  " p.\"space\"=f.space WHERE f.space=$1 AND f.listed='participant' AND"
                  " p.\"user_id\"=$2 AND p.\"deleted\"=0 LIMIT 1",
                  SL_SV_ARGS(sl_cell_text(space), sl_cell_text(user)), &rows, err);
    *yes = status == SL_OK && rows.count > 0;
    sl_sv_rows_free(&rows);
    return status;
}

static sl_status check_room(sl_service *s, const char *space, sl_error **err)
{
    sl_sv_rows rows;
    sl_status status = sl_sv_all(s, "SELECT count(*) FROM access WHERE space=$1",
                                 SL_SV_ARGS(sl_cell_text(space)), &rows, err);
    if (status == SL_OK && sl_sv_int(&rows, 0, 0) >= SL_CHAT_GROUP_MAX) {
        status = sl_fail(err, SL_E_LIMIT, "a group has up to %d people", SL_CHAT_GROUP_MAX);
    }
    sl_sv_rows_free(&rows);
    return status;
}

/* Whether the one who asks may let this user into the group, now. */
static sl_status may_let_in(sl_sv_tx *tx, const sl_sv_op *o, const char *user, sl_error **err)
{
    unsigned role = 0;
    bool connected = false;
    bool blocked = false;
    sl_status status = sl_sv_connected(tx->s, o->user, user, false, &connected, err);
    if (status == SL_OK) {
        status = sl_sv_has_blocked(tx->s, user, o->user, &blocked, err);
    }
    if (status == SL_OK && (!connected || blocked) && !SL_PLANTED("group-of-strangers")) {
        return sl_fail_field(err, SL_E_DENIED, "user_id",
                             blocked ? "this person does not take messages from you"
                                     : "you are not connected with this user");
    }
    if (status == SL_OK) {
        status = sl_sv_role(tx->s, user, o->op->space, &role, err);
    }
    if (status == SL_OK && role != 0) {
        status = sl_fail_field(err, SL_E_CONFLICT, "user_id", "this user is in the group");
    }
    return status == SL_OK ? check_room(tx->s, o->op->space, err) : status;
}

static sl_status participant_create(sl_sv_tx *tx, const sl_sv_op *o, sl_error **err)
{
    const char *user = sl_op_text(o->op, "user_id");
    bool was = false;
    if (sl_op_value(o->op, "gone") != NULL) {
        return sl_fail_field(err, SL_E_INVALID, "gone", "who is let in is there");
    }
    sl_status status = may_let_in(tx, o, user, err);
    if (status == SL_OK) {
        status = was_in(tx->s, o->op->space, user, &was, err);
    }
    if (status == SL_OK && was) {
        status = sl_fail_field(err, SL_E_CONFLICT, "user_id",
                               "this user was in the group: let the participant in again");
    }
    return status;
}

/* The user of the participant is in the group from now on. */
static sl_status let_in(sl_sv_tx *tx, const sl_sv_op *o, sl_sv_item *item, sl_error **err)
{
    const char *user = sl_record_text(&item->rec, "user_id");
    sl_sv_item *group = NULL;
    sl_sv_person who;
    sl_status status = sl_sv_person_by_id(tx->s, user, &who, err);
    if (status == SL_OK && !who.found) {
        status = sl_fail_field(err, SL_E_NOT_FOUND, "user_id", "the account is gone");
    }
    if (status == SL_OK) {
        status = fill_participant(tx, item, &who, role_of(&who), err);
    }
    if (status == SL_OK) {
        status = sl_sv_grant(tx, who.id, o->op->space, role_of(&who), err);
    }
    if (status == SL_OK) {
        status = group_of(tx, o->op->space, &group, err);
    }
    /* Those with whom it begins are part of its making. */
    bool begins = status == SL_OK && group != NULL && group->had == 0;
    return status != SL_OK || begins ? status : notice(tx, o, "added", who.id, NULL, err);
}

static sl_status gone_or_back(sl_sv_tx *tx, const sl_sv_op *o, sl_sv_item *item, sl_error **err)
{
    const char *user = sl_record_text(&item->rec, "user_id");
    bool gone = sl_record_int(&item->rec, "gone", 0) != 0;
    bool self = user != NULL && strcmp(user, o->user) == 0;
    unsigned role = 0;
    sl_status status = sl_sv_role(tx->s, user, o->op->space, &role, err);
    if (status != SL_OK || gone == (role == 0)) {
        return status;
    }
    if (!gone) {
        return let_in(tx, o, item, err);
    }
    status = notice(tx, o, self ? "left" : "removed", user, NULL, err);
    return status == SL_OK && !SL_PLANTED("left-keeps") ? sl_sv_revoke(tx, user, o->op->space, err)
                                                        : status;
}

/* Leaving is for all, removing and letting in again for those who lead. */
static sl_status check_gone(sl_sv_tx *tx, const sl_sv_op *o, const sl_sv_item *item, bool self,
                            sl_error **err)
{
    const char *user = sl_record_text(&item->rec, "user_id");
    bool is = sl_record_int(&item->rec, "gone", 0) != 0;
    bool wish = sl_cell_int_or(sl_op_value(o->op, "gone"), 0) != 0;
    sl_sv_item *group = NULL;
    sl_status status = group_of(tx, o->op->space, &group, err);
    if (status == SL_OK && group == NULL) {
        status = sl_fail_field(err, SL_E_INVALID, "gone", "a conversation of two cannot be left");
    } else if (status == SL_OK && is && !wish && !self) {
        status = may_let_in(tx, o, user, err);
    }
    return status;
}

/* A mark beyond the thread's newest number would make everything to come read. */
static sl_status participant_patch(sl_sv_tx *tx, const sl_sv_op *o, const sl_sv_item *item,
                                   sl_error **err)
{
    int64_t seq = 0;
    if (item->rec.entity == NULL || item->rec.deleted) {
        return SL_OK; /* the merge says so */
    }
    const char *user = sl_record_text(&item->rec, "user_id");
    bool self = user != NULL && strcmp(user, o->user) == 0;
    sl_status status = head_of(tx->s, o->op->space, &seq, err);
    if (status == SL_OK && sl_op_value(o->op, "gone") != NULL) {
        status = check_gone(tx, o, item, self, err);
    }
    for (size_t i = 0; status == SL_OK && i < o->op->entity->field_count; i++) {
        const sl_field *f = &o->op->entity->fields[i];
        const sl_cell *v = f->merge == SL_M_MAX ? sl_op_value(o->op, f->name) : NULL;
        if (v != NULL && !self) {
            status = sl_fail(err, SL_E_DENIED, "how far somebody has read only they say");
        } else if (v != NULL && sl_cell_int_or(v, 0) > seq) {
            status = sl_fail_field(err, SL_E_INVALID, f->name, "the thread has not come so far");
        }
    }
    return status;
}

/* ---- messages ---- */

/* In a conversation of two the other has blocked the author. In a group the message is for the rest. */
static sl_status not_blocked(sl_sv_tx *tx, const sl_sv_op *o, sl_error **err)
{
    sl_sv_rows rows;
    sl_sv_known *known = sl_sv_known_of(tx->s, o->user, o->op->space);
    if (known != NULL && known->unblocked) {
        return SL_OK;
    }
    sl_status status =
        sl_sv_all(tx->s,
                  "SELECT 1 FROM feed t JOIN \"participant\" p ON p.\"id\"=t.id AND"
                  " p.\"space\"=t.space JOIN feed u ON u.space='user:' || p.\"user_id\" AND"
                  " u.listed='block' JOIN \"block\" b ON b.\"id\"=u.id AND b.\"space\"=u.space"
                  " WHERE t.space=$1 AND t.listed='participant' AND p.\"deleted\"=0 AND"
                  " p.\"user_id\"<>$2 AND b.\"user_id\"=$2 AND b.\"deleted\"=0 AND NOT EXISTS"
                  " (SELECT 1 FROM \"thread\" g WHERE g.\"id\"=$3 AND g.\"space\"=t.space AND"
                  " g.\"group\"=1) LIMIT 1",
                  SL_SV_ARGS(sl_cell_text(o->op->space), sl_cell_text(o->user),
                             sl_cell_text(sl_space_id(o->op->space))),
                  &rows, err);
    if (status == SL_OK && rows.count > 0) {
        status = sl_fail(err, SL_E_DENIED, "this person does not take messages from you");
    }
    sl_sv_rows_free(&rows);
    if (known != NULL) {
        known->unblocked = status == SL_OK;
    }
    return status;
}

static sl_chat_content content_of(const sl_op *op)
{
    return (sl_chat_content){.kind = sl_op_text(op, "kind"),
                             .body = sl_op_text(op, "body"),
                             .mentions = sl_op_text(op, "mentions"),
                             .ref_space = sl_op_text(op, "ref_space"),
                             .ref_id = sl_op_text(op, "ref_id"),
                             .blob = sl_op_text(op, "blob"),
                             .media_type = sl_op_text(op, "media_type"),
                             .has_length = has_value(op, "duration_us"),
                             .has_moment = has_value(op, "at_us")};
}

/* Whoever is named is in the thread. The mentions were found right. */
static sl_status take_part(sl_sv_tx *tx, const sl_sv_op *o, const char *text, sl_error **err)
{
    sl_json *mentions = text != NULL ? sl_json_parse(text, strlen(text)) : NULL;
    sl_status status = text != NULL && mentions == NULL ? sl_fail_nomem(err) : SL_OK;
    for (const sl_json *m = sl_json_first(mentions); status == SL_OK && m != NULL;
         m = sl_json_next(m)) {
        unsigned role = 0;
        status = sl_sv_role(tx->s, sl_json_str(m, "user"), o->op->space, &role, err);
        if (status == SL_OK && role == 0) {
            status = sl_fail_field(err, SL_E_INVALID, "mentions",
                                   "somebody named takes no part in the thread");
        }
    }
    sl_json_free(mentions);
    return status;
}

static sl_status message_create(sl_sv_tx *tx, const sl_sv_op *o, sl_error **err)
{
    sl_status open = not_blocked(tx, o, err);
    if (open != SL_OK) {
        return open;
    }
    open = sl_sv_use(tx, o->user, SL_LIMIT_MESSAGES_DAY, o->standing, err);
    if (open != SL_OK) {
        return open;
    }
    sl_chat_content c = content_of(o->op);
    open = sl_chat_check(&c, err);
    if (open == SL_OK) {
        open = take_part(tx, o, c.mentions, err);
    }
    if (open != SL_OK || c.ref_space == NULL) {
        return open;
    }
    unsigned role = 0;
    sl_status status = sl_sv_may_read(tx->s, o->user, o->standing, c.ref_space, &role, err);
    if (status == SL_OK && role == 0) {
        status = sl_fail_field(err, SL_E_DENIED, "ref_space", "you do not hold what you send");
    }
    return status;
}

/* Mentions are ranges of the text: they change with it. */
static sl_status message_patch(sl_sv_tx *tx, const sl_sv_op *o, sl_error **err)
{
    sl_chat_content c = content_of(o->op);
    if (c.mentions == NULL) {
        return SL_OK;
    }
    sl_json *mentions = sl_json_parse(c.mentions, strlen(c.mentions));
    sl_status status = mentions != NULL
                           ? sl_chat_check_mentions(c.body, mentions, err)
                           : sl_fail_field(err, SL_E_INVALID, "mentions", "mentions are a list");
    sl_json_free(mentions);
    return status == SL_OK ? take_part(tx, o, c.mentions, err) : status;
}

/* ---- reactions ---- */

static bool says(const sl_record *rec, const sl_sv_op *o)
{
    static const char *const fields[] = {"message_id", "emoji"};
    const char *author = sl_record_text(rec, "author_id");
    bool same = !rec->deleted && author != NULL && strcmp(author, o->user) == 0;
    for (size_t i = 0; i < 2; i++) {
        const char *had = sl_record_text(rec, fields[i]);
        const char *new = sl_op_text(o->op, fields[i]);
        same = same && had != NULL && new != NULL &&strcmp(had, new) == 0;
    }
    return same;
}

/* Whether the user has given the message this sign: as this transaction has it, which may have given or
 * taken back one. */
static sl_status has_sign(sl_sv_tx *tx, const sl_sv_op *o, bool *yes, sl_error **err)
{
    sl_sv_rows rows;
    *yes = false;
    sl_status status = sl_sv_all(
        tx->s,
        "SELECT \"id\" FROM \"reaction\" WHERE \"message_id\"=$1 AND \"space\"=$2 AND"
        " \"emoji\"=$3 AND \"author_id\"=$4 AND \"deleted\"=0",
        SL_SV_ARGS(sl_cell_text(sl_op_text(o->op, "message_id")), sl_cell_text(o->op->space),
                   sl_cell_text(sl_op_text(o->op, "emoji")), sl_cell_text(o->user)),
        &rows, err);
    for (size_t i = 0; status == SL_OK && i < rows.count; i++) {
        sl_sv_item *item = NULL;
        status = sl_sv_get(tx, o->op->entity, o->op->space, sl_sv_text(&rows, i, 0), &item, err);
        *yes = *yes || (status == SL_OK && item->rec.entity != NULL && says(&item->rec, o));
    }
    sl_sv_rows_free(&rows);
    for (size_t i = 0; i < tx->item_count; i++) {
        const sl_sv_item *item = tx->items[i];
        bool new = item->entity == o->op->entity && item->rec.entity != NULL &&
                   item->dirty &&strcmp(item->space, o->op->space) == 0;
        *yes = *yes || (new &&says(&item->rec, o));
    }
    return status;
}

/* [SIGN-1] One person gives one message one sign once, from however many devices: another equal one is
 * answered as merged, and is none. Nor is there anything to take back of it. */
static sl_status reaction_before(sl_sv_tx *tx, sl_sv_op *o, const sl_sv_item *item, sl_error **err)
{
    bool none = o->op->kind == SL_OP_DELETE && item->rec.entity == NULL;
    sl_status status = SL_OK;
    if (o->op->kind == SL_OP_CREATE && !SL_PLANTED("signs-twice")) {
        status = has_sign(tx, o, &none, err);
    }
    if (none) {
        o->done = true;
        o->merged = SL_MERGED_NOTHING;
    }
    return status;
}

/* What the server tells of a group is nobody's to change. */
static sl_status not_notice(const sl_sv_item *item, sl_error **err)
{
    const char *kind = item->rec.entity != NULL ? sl_record_text(&item->rec, "kind") : NULL;
    return kind == NULL || strcmp(kind, "notice") != 0
               ? SL_OK
               : sl_fail(err, SL_E_DENIED, "what happened to a group stays as it is told");
}

/* ---- all ---- */

sl_status sl_sv_thread_before(sl_sv_tx *tx, sl_sv_op *o, sl_sv_item *item, sl_error **err)
{
    if (sl_sv_op_is(o, SL_OP_CREATE, "thread")) {
        return group_create(o, err);
    }
    if (sl_sv_op_is(o, SL_OP_PATCH, "thread")) {
        return group_patch(o, item, err);
    }
    if (sl_sv_op_is(o, SL_OP_CREATE, "participant")) {
        return participant_create(tx, o, err);
    }
    if (sl_sv_op_is(o, SL_OP_PATCH, "participant")) {
        return participant_patch(tx, o, item, err);
    }
    if (sl_sv_op_is(o, SL_OP_CREATE, "message")) {
        return message_create(tx, o, err);
    }
    if (strcmp(o->op->entity->name, "reaction") == 0) {
        return reaction_before(tx, o, item, err);
    }
    if (strcmp(o->op->entity->name, "message") != 0) {
        return SL_OK;
    }
    sl_status status = not_notice(item, err);
    return status == SL_OK && o->op->kind == SL_OP_PATCH ? message_patch(tx, o, err) : status;
}

sl_status sl_sv_thread_after(sl_sv_tx *tx, sl_sv_op *o, sl_sv_item *item, sl_error **err)
{
    if (sl_sv_op_is(o, SL_OP_CREATE, "thread")) {
        return group_created(tx, o, err);
    }
    if (sl_sv_op_is(o, SL_OP_PATCH, "thread")) {
        return notice(tx, o, "renamed", NULL, sl_record_text(&item->rec, "title"), err);
    }
    if (sl_sv_op_is(o, SL_OP_CREATE, "participant")) {
        return let_in(tx, o, item, err);
    }
    if (sl_sv_op_is(o, SL_OP_PATCH, "participant") && sl_op_value(o->op, "gone") != NULL) {
        return gone_or_back(tx, o, item, err);
    }
    if (sl_sv_op_is(o, SL_OP_CREATE, "message")) {
        return sl_sv_set_int(item, "sent_ms", tx->now_ms, err);
    }
    bool edited = sl_sv_op_is(o, SL_OP_PATCH, "message") && o->merged != SL_MERGED_NOTHING;
    return edited && !item->rec.deleted && sl_op_value(o->op, "body") != NULL
               ? sl_sv_set_int(item, "edited_ms", tx->now_ms, err)
               : SL_OK;
}
