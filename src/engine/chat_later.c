/*
 * What is not a message yet: the text begun in each conversation, and messages planned for a time.
 *
 * Both are small facts of this device's folder. A planned message becomes an ordinary one, under the
 * id that it was given at once, in the transaction that takes it off the list: exactly once, whatever
 * ends in between. Its time is the server's, known once there was a connection since the core was
 * opened; the clock of the device does not matter.
 */
#include "engine/chat.h"

#include "base/error.h"
#include "base/mem.h"
#include "chat/chat.h"

#include <stdio.h>
#include <string.h>

enum {
    DRAFT_MAX = 16 * 1024,
    PLANNED_MAX = 100,
    AGAIN_MS = 1000 /* after what may pass, like a full disk */
};

static const char PLANNED[] = "chat.planned";

/* --- texts begun ----------------------------------------------------------------------------- */

static void draft_key(char out[80], const char *thread)
{
    (void)snprintf(out, 80, "chat.draft.%s", thread);
}

sl_status sl_chat_draft_read(sl_core *core, const char *thread, sl_json **out, sl_error **err)
{
    char key[80];
    char *text = NULL;
    draft_key(key, thread);
    sl_status status = sl_store_meta(core->store, key, &text, err);
    *out = text != NULL ? sl_json_parse(text, strlen(text)) : NULL;
    if (status == SL_OK && text != NULL && *out == NULL) {
        status = sl_fail_nomem(err);
    }
    sl_mem_free(text);
    return status;
}

sl_status sl_chat_draft_write(sl_core *core, const char *thread, const sl_json *draft,
                              sl_error **err)
{
    char key[80];
    char *text = draft != NULL ? sl_json_print(draft) : NULL;
    sl_space space;
    draft_key(key, thread);
    sl_status status = sl_store_space(core->store, thread, &space, err);
    if (status == SL_OK && draft != NULL && text == NULL) {
        status = sl_fail_nomem(err);
    }
    if (status == SL_OK && text != NULL && strlen(text) > DRAFT_MAX) {
        status = sl_fail(err, SL_E_LIMIT, "a text begun has up to %d bytes", DRAFT_MAX);
    }
    if (status == SL_OK) {
        status = sl_store_set_meta(core->store, key, text, err);
    }
    if (status == SL_OK) {
        sl_live_touch(core, sl_entity_find("thread"), thread);
    }
    sl_mem_free(text);
    return status;
}

sl_status sl_chat_forget(sl_core *core, const char *space, sl_error **err)
{
    char key[80];
    draft_key(key, space);
    return sl_space_is(space, "thread") ? sl_store_set_meta(core->store, key, NULL, err) : SL_OK;
}

/* --- messages planned ------------------------------------------------------------------------ */

static sl_status read_planned(sl_core *core, sl_json **out, sl_error **err)
{
    char *text = NULL;
    sl_status status = sl_store_meta(core->store, PLANNED, &text, err);
    *out = text != NULL ? sl_json_parse(text, strlen(text)) : sl_json_array();
    if (status == SL_OK && *out == NULL) {
        status = sl_fail_nomem(err);
    }
    sl_mem_free(text);
    return status;
}

static bool is_failed(const sl_json *p)
{
    return sl_json_get(p, "code") != NULL;
}

/* When the first is due, by the server's clock. */
static int64_t first_due(const sl_json *list)
{
    int64_t due = INT64_MAX;
    for (const sl_json *p = sl_json_first(list); p != NULL; p = sl_json_next(p)) {
        int64_t ms = sl_json_int_or(p, "send_ms", 0);
        due = !is_failed(p) && ms < due ? ms : due;
    }
    return due;
}

static sl_status write_planned(sl_core *core, const sl_json *list, sl_error **err)
{
    char *text = sl_json_count(list) > 0 ? sl_json_print(list) : NULL;
    if (text == NULL && sl_json_count(list) > 0) {
        return sl_fail_nomem(err);
    }
    sl_status status = sl_store_set_meta(core->store, PLANNED, text, err);
    sl_mem_free(text);
    return status;
}

/* The list with `one` (taken, may be NULL) in the place of the entry of this id; *out is given. */
static sl_status replaced(const sl_json *list, const char *id, sl_json *one, sl_json **out,
                          sl_error **err)
{
    *out = sl_json_array();
    bool ok = *out != NULL;
    for (const sl_json *p = sl_json_first(list); ok && p != NULL; p = sl_json_next(p)) {
        if (strcmp(sl_json_str(p, "id"), id) != 0) {
            ok = sl_json_add(*out, sl_json_clone(p));
        }
    }
    if (ok && one != NULL) {
        ok = sl_json_add(*out, one);
    } else {
        sl_json_free(one);
    }
    if (!ok) {
        sl_json_free(*out);
        *out = NULL;
        return sl_fail_nomem(err);
    }
    return SL_OK;
}

/* Puts the entry (taken, may be NULL) in the place of the one of this id, durably. */
static sl_status put_planned(sl_core *core, const char *id, sl_json *one, sl_error **err)
{
    sl_json *list = NULL;
    sl_json *next = NULL;
    sl_status status = read_planned(core, &list, err);
    if (status == SL_OK) {
        status = replaced(list, id, one, &next, err);
        one = NULL;
    }
    if (status == SL_OK && sl_json_count(next) > PLANNED_MAX) {
        status = sl_fail(err, SL_E_LIMIT, "at most %d messages are planned at a time", PLANNED_MAX);
    }
    if (status == SL_OK) {
        status = write_planned(core, next, err);
    }
    if (status == SL_OK) {
        core->planned_due_ms = first_due(next);
        sl_engine_kick(core);
    }
    sl_json_free(one);
    sl_json_free(next);
    sl_json_free(list);
    return status;
}

static sl_json *entry_of(const char *thread, const char *id, int64_t send_ms, const sl_json *fields)
{
    sl_json *p = sl_json_object();
    bool ok = p != NULL && sl_json_set_str(p, "id", id) && sl_json_set_str(p, "thread", thread) &&
              sl_json_set_int(p, "send_ms", send_ms) &&
              sl_json_set(p, "fields", sl_json_clone(fields));
    if (!ok) {
        sl_json_free(p);
        return NULL;
    }
    return p;
}

/* Also the values, as they are checked when the message is made. */
static sl_status check_values(const sl_json *fields, sl_error **err)
{
    sl_op op = {.kind = SL_OP_CREATE, .entity = sl_entity_find("message")};
    sl_status status = sl_op_set_fields(&op, fields, err);
    if (status == SL_OK) {
        status = sl_schema_check(op.entity, op.values, op.has, true, err);
    }
    sl_op_free(&op);
    return status;
}

sl_status sl_chat_plan(sl_core *core, const char *thread, const char *id, int64_t send_ms,
                       const sl_json *fields, sl_error **err)
{
    sl_space space;
    sl_status status = sl_store_space(core->store, thread, &space, err);
    if (status == SL_OK) {
        status = sl_chat_check_thread(core, thread, fields, err);
    }
    if (status == SL_OK) {
        status = check_values(fields, err);
    }
    if (status != SL_OK) {
        return status;
    }
    sl_json *p = entry_of(thread, id, send_ms, fields);
    return p != NULL ? put_planned(core, id, p, err) : sl_fail_nomem(err);
}

static sl_status find_planned(sl_core *core, const char *id, sl_json **out, sl_error **err)
{
    sl_json *list = NULL;
    sl_status status = read_planned(core, &list, err);
    const sl_json *p = sl_json_first(list);
    while (p != NULL && strcmp(sl_json_str(p, "id"), id) != 0) {
        p = sl_json_next(p);
    }
    *out = p != NULL ? sl_json_clone(p) : NULL;
    if (status == SL_OK && p == NULL) {
        status = sl_fail(err, SL_E_NOT_FOUND, "no message is planned under this id");
    } else if (status == SL_OK && *out == NULL) {
        status = sl_fail_nomem(err);
    }
    sl_json_free(list);
    return status;
}

/* The entry's message with the members of `edits` in the place of its own. */
static sl_json *edited(const sl_json *entry, const sl_json *edits)
{
    sl_json *in = sl_json_clone(sl_json_get(entry, "fields"));
    bool ok = in != NULL;
    for (const sl_json *e = sl_json_first(edits); ok && e != NULL; e = sl_json_next(e)) {
        ok = sl_json_set(in, sl_json_key(e), sl_json_clone(e));
    }
    if (!ok) {
        sl_json_free(in);
        return NULL;
    }
    return in;
}

sl_status sl_chat_plan_edit(sl_core *core, const char *id, const sl_json *edits, sl_error **err)
{
    sl_json *entry = NULL;
    sl_json *fields = NULL;
    sl_status status = find_planned(core, id, &entry, err);
    sl_json *in = status == SL_OK ? edited(entry, edits) : NULL;
    if (status == SL_OK) {
        status = in != NULL ? sl_chat_message(in, &fields, err) : sl_fail_nomem(err);
    }
    if (status == SL_OK) {
        int64_t send_ms = sl_json_int_or(in, "send_ms", sl_json_int_or(entry, "send_ms", 0));
        status = sl_chat_plan(core, sl_json_str(entry, "thread"), id, send_ms, fields, err);
    }
    sl_json_free(fields);
    sl_json_free(in);
    sl_json_free(entry);
    return status;
}

sl_status sl_chat_plan_drop(sl_core *core, const char *id, sl_error **err)
{
    sl_json *entry = NULL;
    sl_status status = find_planned(core, id, &entry, err);
    sl_json_free(entry);
    return status == SL_OK ? put_planned(core, id, NULL, err) : status;
}

sl_status sl_chat_planned(sl_core *core, const char *thread, sl_json **out, sl_error **err)
{
    sl_json *list = NULL;
    sl_status status = read_planned(core, &list, err);
    *out = status == SL_OK ? sl_json_array() : NULL;
    for (const sl_json *p = sl_json_first(list); status == SL_OK && p != NULL;
         p = sl_json_next(p)) {
        bool wanted = thread == NULL || strcmp(sl_json_str(p, "thread"), thread) == 0;
        if (*out == NULL || (wanted && !sl_json_add(*out, sl_json_clone(p)))) {
            status = sl_fail_nomem(err);
        }
    }
    if (status != SL_OK) {
        sl_json_free(*out);
        *out = NULL;
    }
    sl_json_free(list);
    return status;
}

sl_status sl_chat_later_open(sl_core *core, sl_error **err)
{
    sl_json *list = NULL;
    sl_status status = read_planned(core, &list, err);
    core->planned_due_ms = status == SL_OK ? first_due(list) : INT64_MAX;
    sl_json_free(list);
    return status;
}

/* --- its time has come ----------------------------------------------------------------------- */

/* Makes the message and takes it off the list, in one transaction. */
static sl_status release(sl_core *core, const sl_json *list, const sl_json *entry, sl_error **err)
{
    const char *id = sl_json_str(entry, "id");
    sl_json *next = NULL;
    sl_space space;
    sl_batch b;
    sl_status status = sl_store_space(core->store, sl_json_str(entry, "thread"), &space, err);
    if (status == SL_OK) {
        status = replaced(list, id, NULL, &next, err);
    }
    if (status == SL_OK) {
        status = sl_batch_begin(core, &b, err);
        if (status == SL_OK) {
            b.unnoted = true;
            status = sl_chat_put(core, &b, space.name, id, sl_json_get(entry, "fields"), err);
            if (status == SL_OK) {
                status = write_planned(core, next, err);
            }
            status = sl_batch_end(core, &b, status, SL_UNDO_BATCH, "", err);
        }
    }
    if (status == SL_OK) {
        core->planned_due_ms = first_due(next);
    }
    sl_json_free(next);
    return status;
}

/* It cannot become a message: it stays on the list with the reason. */
static sl_status mark_failed(sl_core *core, const sl_json *entry, sl_status why,
                             const sl_error *reason)
{
    sl_json *one = sl_json_clone(entry);
    bool ok = one != NULL && sl_json_set_str(one, "code", sl_status_name(why)) &&
              sl_json_set_str(one, "message", reason != NULL ? sl_error_message(reason) : "");
    if (!ok) {
        sl_json_free(one);
        return SL_E_NOMEM;
    }
    return put_planned(core, sl_json_str(entry, "id"), one, NULL);
}

static sl_status release_first(sl_core *core)
{
    sl_json *list = NULL;
    sl_error *err = NULL;
    sl_status status = read_planned(core, &list, &err);
    const sl_json *due = NULL;
    for (const sl_json *p = sl_json_first(list); p != NULL; p = sl_json_next(p)) {
        bool first = !is_failed(p) && sl_json_int_or(p, "send_ms", 0) == core->planned_due_ms;
        due = due == NULL && first ? p : due;
    }
    if (status == SL_OK && due == NULL) {
        core->planned_due_ms = first_due(list);
    } else if (status == SL_OK) {
        status = release(core, list, due, &err);
    }
    bool final = status == SL_E_NOT_FOUND || status == SL_E_INVALID || status == SL_E_DENIED ||
                 status == SL_E_CONFLICT;
    if (final && due != NULL) {
        status = mark_failed(core, due, status, err);
    }
    sl_error_release(err);
    sl_json_free(list);
    return status;
}

int64_t sl_chat_later_turn(sl_core *core, int64_t now_ms)
{
    if (!core->server_known || !core->session.have) {
        return -1;
    }
    while (core->planned_due_ms <= now_ms + core->server_ahead_ms) {
        if (release_first(core) != SL_OK) {
            return now_ms + AGAIN_MS;
        }
    }
    return core->planned_due_ms == INT64_MAX ? -1 : core->planned_due_ms - core->server_ahead_ms;
}
