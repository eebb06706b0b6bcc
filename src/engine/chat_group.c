/* Groups: making one, letting people in, removing, leaving. The server has the last word on who may. */
#include "engine/chat.h"

#include "base/error.h"
#include "chat/chat.h"

#include <string.h>

static bool is_user(const sl_json *j, const char *user)
{
    const char *id = sl_json_str(j, "user_id");
    return id != NULL && strcmp(id, user) == 0;
}

/* A list of users without the one who is signed in, none twice. */
static sl_status check_users(const sl_core *core, const sl_json *in, const char *key,
                             sl_error **err)
{
    const sl_json *list = sl_json_get(in, key);
    if (list == NULL || sl_json_is_null(list)) {
        return SL_OK;
    }
    if (!sl_json_is_array(list) || sl_json_count(list) >= SL_CHAT_GROUP_MAX) {
        return sl_fail_field(err, SL_E_INVALID, key, "%s is a list of up to %d users", key,
                             SL_CHAT_GROUP_MAX - 1);
    }
    for (const sl_json *u = sl_json_first(list); u != NULL; u = sl_json_next(u)) {
        const char *user = sl_json_text(u);
        if (user == NULL || !sl_uuid_ok(user) || strcmp(user, core->session.user) == 0) {
            return sl_fail_field(err, SL_E_INVALID, key, "%s names other users by their ids", key);
        }
        for (const sl_json *v = sl_json_first(list); v != u; v = sl_json_next(v)) {
            if (strcmp(sl_json_text(v), user) == 0) {
                return sl_fail_field(err, SL_E_INVALID, key, "%s names somebody twice", key);
            }
        }
    }
    return SL_OK;
}

static sl_status check_members(const sl_json *in, const char *const *keys, size_t n, sl_error **err)
{
    for (const sl_json *v = sl_json_first(in); v != NULL; v = sl_json_next(v)) {
        bool known = false;
        for (size_t i = 0; i < n; i++) {
            known = known || strcmp(sl_json_key(v), keys[i]) == 0;
        }
        if (!known) {
            return sl_fail_field(err, SL_E_INVALID, sl_json_key(v), "a group has no \"%s\"",
                                 sl_json_key(v));
        }
    }
    return SL_OK;
}

/* Whether the policy lets this user do it, by what this device knows. */
static sl_status may(sl_core *core, const char *deed, const char *thread, sl_error **err)
{
    sl_buf text = {0};
    sl_json *answer = NULL;
    sl_buf_fmt(&text, "{\"do\":\"%s\",\"entity\":\"thread\",\"space\":\"%s\"}", deed, thread);
    sl_json *ask = text.failed ? NULL : sl_json_parse(sl_buf_text(&text), text.len);
    sl_status status = ask != NULL ? sl_engine_can(core, ask, &answer, err) : sl_fail_nomem(err);
    if (status == SL_OK && !sl_json_bool_or(answer, "allow", false)) {
        status = sl_fail(err, SL_E_DENIED, "groups are made and led by coaches");
    }
    sl_json_free(answer);
    sl_json_free(ask);
    sl_buf_free(&text);
    return status;
}

static void put_member(sl_buf *ops, const char *thread, const char *user)
{
    sl_chat_op_create(ops, "participant", thread);
    sl_buf_fmt(ops, ",\"fields\":{\"user_id\":\"%s\"}}", user);
}

static void put_gone(sl_buf *ops, const sl_json *participant, bool gone)
{
    sl_chat_op_change(ops, "patch", "participant", sl_json_str(participant, "id"));
    sl_buf_fmt(ops, ",\"fields\":{\"gone\":%s}}", gone ? "true" : "false");
}

static void put_title(sl_buf *ops, const char *title, bool group)
{
    sl_buf_str(ops, ",\"fields\":{\"title\":");
    sl_json_put_text(ops, title, strlen(title));
    sl_buf_str(ops, group ? ",\"group\":true}}" : "}}");
}

sl_status sl_chat_group_make(sl_core *core, const char *id, const sl_json *in, sl_error **err)
{
    static const char *const keys[] = {"title", "members"};
    char thread[SL_SPACE_MAX];
    sl_buf ops = {0};
    const char *title = sl_json_str(in, "title");
    sl_space_name(thread, "thread", id);
    sl_status status = check_members(in, keys, 2, err);
    if (status == SL_OK && title == NULL) {
        status = sl_fail_field(err, SL_E_INVALID, "title", "a group needs a title");
    }
    if (status == SL_OK) {
        status = check_users(core, in, "members", err);
    }
    if (status == SL_OK) {
        status = may(core, "create", thread, err);
    }
    if (status != SL_OK || title == NULL) {
        return status;
    }
    sl_chat_op_create(&ops, "thread", thread);
    put_title(&ops, title, true);
    const sl_json *members = sl_json_get(in, "members");
    for (const sl_json *u = sl_json_first(members); u != NULL; u = sl_json_next(u)) {
        put_member(&ops, thread, sl_json_text(u));
    }
    return sl_chat_apply(core, &ops, err);
}

/* --- changing -------------------------------------------------------------------------------- */

/* All who are or were in the group; SL_E_INVALID: it is none. */
static sl_status people_of(sl_core *core, const char *thread, sl_json **people, sl_error **err)
{
    sl_record rec = {0};
    sl_buf query = {0};
    *people = NULL;
    sl_status status =
        sl_store_record(core->store, sl_entity_find("thread"), sl_space_id(thread), &rec, err);
    bool there = status == SL_OK && rec.entity != NULL && !rec.deleted;
    if (status == SL_OK && !there) {
        status = sl_fail(err, SL_E_NOT_FOUND, "there is no such conversation on this device");
    } else if (status == SL_OK && sl_record_int(&rec, "group", 0) == 0) {
        status = sl_fail(err, SL_E_INVALID, "a conversation of two is no group");
    }
    sl_record_free(&rec);
    if (status != SL_OK) {
        return status;
    }
    sl_buf_fmt(&query, "{\"from\":\"participant\",\"where\":{\"space\":\"%s\"},\"limit\":10000}",
               thread);
    return sl_chat_ask(core, &query, people, err);
}

static const sl_json *participant_of(const sl_json *people, const char *user)
{
    const sl_json *p = sl_json_first(people);
    while (p != NULL && !is_user(p, user)) {
        p = sl_json_next(p);
    }
    return p;
}

/* Those who are in it already are left as they are. */
static void put_added(sl_buf *ops, const char *thread, const sl_json *people, const sl_json *users)
{
    for (const sl_json *u = sl_json_first(users); u != NULL; u = sl_json_next(u)) {
        const sl_json *p = participant_of(people, sl_json_text(u));
        if (p == NULL) {
            put_member(ops, thread, sl_json_text(u));
        } else if (sl_json_bool_or(p, "gone", false)) {
            put_gone(ops, p, false);
        }
    }
}

static sl_status put_removed(sl_buf *ops, const sl_json *people, const sl_json *users,
                             sl_error **err)
{
    for (const sl_json *u = sl_json_first(users); u != NULL; u = sl_json_next(u)) {
        const sl_json *p = participant_of(people, sl_json_text(u));
        if (p == NULL || sl_json_bool_or(p, "gone", false)) {
            return sl_fail_field(err, SL_E_NOT_FOUND, "remove", "somebody named is not in it");
        }
        put_gone(ops, p, true);
    }
    return SL_OK;
}

sl_status sl_chat_group_change(sl_core *core, const char *thread, const sl_json *in, sl_error **err)
{
    static const char *const keys[] = {"title", "add", "remove"};
    sl_buf ops = {0};
    sl_json *people = NULL;
    const char *title = sl_json_str(in, "title");
    sl_status status = check_members(in, keys, 3, err);
    if (status == SL_OK && title == NULL && sl_json_get(in, "title") != NULL) {
        status = sl_fail_field(err, SL_E_INVALID, "title", "a title is a text");
    }
    for (size_t i = 1; status == SL_OK && i < 3; i++) {
        status = check_users(core, in, keys[i], err);
    }
    if (status == SL_OK) {
        status = people_of(core, thread, &people, err);
    }
    if (status == SL_OK) {
        status = may(core, "patch", thread, err);
    }
    if (status == SL_OK && title != NULL) {
        sl_chat_op_change(&ops, "patch", "thread", sl_space_id(thread));
        put_title(&ops, title, false);
    }
    if (status == SL_OK) {
        put_added(&ops, thread, people, sl_json_get(in, "add"));
        status = put_removed(&ops, people, sl_json_get(in, "remove"), err);
    }
    if (status == SL_OK) {
        status = sl_chat_apply(core, &ops, err);
    }
    sl_buf_free(&ops);
    sl_json_free(people);
    return status;
}

sl_status sl_chat_group_leave(sl_core *core, const char *thread, sl_error **err)
{
    sl_buf ops = {0};
    sl_json *people = NULL;
    sl_status status = people_of(core, thread, &people, err);
    const sl_json *own = status == SL_OK ? participant_of(people, core->session.user) : NULL;
    if (status == SL_OK && own == NULL) {
        status = sl_fail(err, SL_E_NOT_FOUND, "the group has not been sent yet");
    }
    if (status == SL_OK) {
        put_gone(&ops, own, true);
        status = sl_chat_apply(core, &ops, err);
    }
    sl_buf_free(&ops);
    sl_json_free(people);
    return status;
}
