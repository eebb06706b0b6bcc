/* The exported functions of sideline/record.h and sideline/chat.h. */
#include "sideline/record.h"

#include "base/error.h"
#include "chat/chat.h"
#include "engine/engine.h"
#include "sideline/chat.h"

#include <stdio.h>
#include <string.h>

sl_status sl_record_get(sl_core *core, const char *entity, const char *id, sl_bytes **out,
                        sl_error **err)
{
    sl_error_start(err);
    if (entity == NULL || id == NULL || out == NULL) {
        return sl_fail(err, SL_E_MISUSE, "a record is named by entity and id, and goes somewhere");
    }
    *out = NULL;
    return sl_local_get(core, entity, id, out, err);
}

sl_status sl_apply(sl_core *core, const char *ops, size_t n, sl_bytes **out, sl_error **err)
{
    return sl_apply_group(core, "", ops, n, out, err);
}

sl_status sl_apply_group(sl_core *core, const char *group, const char *ops, size_t n,
                         sl_bytes **out, sl_error **err)
{
    sl_error_start(err);
    if (out != NULL) {
        *out = NULL;
    }
    sl_lock(core->lock);
    sl_status status = sl_local_apply(core, ops, n, group, out, err);
    sl_unlock(core->lock);
    return status;
}

static sl_status undo(sl_core *core, const char *space, bool redo, sl_bytes **out, sl_error **err)
{
    sl_error_start(err);
    if (out != NULL) {
        *out = NULL;
    }
    if (!sl_space_ok(space)) {
        return sl_fail(err, SL_E_MISUSE, "undo and redo name a space");
    }
    sl_json *answer = NULL;
    sl_lock(core->lock);
    sl_status status = sl_local_undo(core, space, redo, &answer, err);
    sl_unlock(core->lock);
    if (status == SL_OK && out != NULL) {
        *out = sl_json_bytes(answer);
        status = *out != NULL ? SL_OK : sl_fail_nomem(err);
    }
    sl_json_free(answer);
    return status;
}

sl_status sl_undo(sl_core *core, const char *space, sl_bytes **out, sl_error **err)
{
    return undo(core, space, false, out, err);
}

sl_status sl_redo(sl_core *core, const char *space, sl_bytes **out, sl_error **err)
{
    return undo(core, space, true, out, err);
}

sl_status sl_query_once(sl_core *core, const char *query, size_t n, sl_bytes **out, sl_error **err)
{
    sl_error_start(err);
    if (out == NULL) {
        return sl_fail(err, SL_E_MISUSE, "there is no place for the answer");
    }
    *out = NULL;
    sl_json *q = NULL;
    sl_buf rows = {0};
    sl_status status = sl_json_read(query, n, &q, err);
    if (status == SL_OK) {
        status = sl_local_query(core, q, &rows, err);
    }
    if (status == SL_OK) {
        *out = sl_buf_bytes(&rows);
        status = *out != NULL ? SL_OK : sl_fail_nomem(err);
    }
    sl_buf_free(&rows);
    sl_json_free(q);
    return status;
}

sl_status sl_query_watch(sl_core *core, const char *query, size_t n, sl_id *sub, sl_error **err)
{
    sl_error_start(err);
    sl_json *q = NULL;
    sl_status status = sl_json_read(query, n, &q, err);
    if (status == SL_OK) {
        sl_lock(core->lock);
        status = sl_live_watch(core, q, sub, err);
        sl_unlock(core->lock);
    }
    sl_json_free(q);
    return status;
}

sl_status sl_query_take(sl_core *core, sl_id sub, sl_bytes **diff, sl_error **err)
{
    sl_error_start(err);
    if (diff == NULL) {
        return sl_fail(err, SL_E_MISUSE, "there is no place for the answer");
    }
    *diff = NULL;
    sl_lock(core->lock);
    sl_status status = sl_live_take(core, sub, diff, err);
    sl_unlock(core->lock);
    return status;
}

sl_status sl_query_unwatch(sl_core *core, sl_id sub)
{
    sl_lock(core->lock);
    sl_status status = sl_live_unwatch(core, sub);
    sl_unlock(core->lock);
    return status;
}

/* --- drafts ---------------------------------------------------------------------------------- */

sl_status sl_drafts(sl_core *core, const char *space, sl_id after, sl_bytes **out, sl_error **err)
{
    sl_error_start(err);
    if (out == NULL) {
        return sl_fail(err, SL_E_MISUSE, "there is no place for the answer");
    }
    *out = NULL;
    sl_json *list = NULL;
    sl_lock(core->lock);
    sl_status status = sl_drafts_list(core, space, (int64_t)after, &list, err);
    sl_unlock(core->lock);
    if (status == SL_OK) {
        *out = sl_json_bytes(list);
        status = *out != NULL ? SL_OK : sl_fail_nomem(err);
    }
    sl_json_free(list);
    return status;
}

sl_status sl_draft_send(sl_core *core, sl_id draft, const char *json, size_t n, sl_bytes **out,
                        sl_error **err)
{
    sl_error_start(err);
    if (out != NULL) {
        *out = NULL;
    }
    char id[SL_UUID_LEN + 1] = "";
    char text[SL_UUID_LEN + 16];
    sl_json *edits = NULL;
    sl_status status = sl_json_read(json, n, &edits, err);
    if (status == SL_OK && !sl_json_is_object(edits)) {
        status = sl_fail(err, SL_E_INVALID, "what is edited is an object of fields");
    }
    if (status == SL_OK) {
        sl_lock(core->lock);
        status = sl_drafts_send(core, (int64_t)draft, edits, id, err);
        sl_unlock(core->lock);
    }
    sl_json_free(edits);
    if (status == SL_OK && out != NULL) {
        (void)snprintf(text, sizeof text, "{\"id\":\"%s\"}", id);
        *out = sl_bytes_text(text);
        status = *out != NULL ? SL_OK : sl_fail_nomem(err);
    }
    return status;
}

sl_status sl_draft_discard(sl_core *core, sl_id draft, sl_error **err)
{
    sl_error_start(err);
    sl_lock(core->lock);
    sl_status status = sl_drafts_discard(core, (int64_t)draft, err);
    sl_unlock(core->lock);
    return status;
}

/* --- chat ------------------------------------------------------------------------------------ */

/* [{"op":"create",..}]; fields are borrowed. */
static void put_message(sl_buf *out, const char *thread, const char *id, const sl_json *fields)
{
    sl_buf_str(out, "[{\"op\":\"create\",\"entity\":\"message\",\"space\":");
    sl_json_put_text(out, thread, strlen(thread));
    sl_buf_str(out, ",\"id\":");
    sl_json_put_text(out, id, strlen(id));
    sl_buf_str(out, ",\"fields\":");
    sl_json_put(out, fields);
    sl_buf_str(out, "}]");
}

/* The message's id and the answer that names it, before there is a message: what was committed must
 * not fail. Called locked. */
static sl_status new_message_id(sl_core *core, char id[SL_UUID_LEN + 1], sl_bytes **answer,
                                sl_error **err)
{
    char text[SL_UUID_LEN + 16];
    sl_status status = sl_engine_uuid(core, id, err);
    if (status == SL_OK) {
        (void)snprintf(text, sizeof text, "{\"id\":\"%s\"}", id);
        *answer = sl_bytes_text(text);
        status = *answer != NULL ? SL_OK : sl_fail_nomem(err);
    }
    return status;
}

sl_status sl_chat_send(sl_core *core, const char *thread, const char *json, size_t n,
                       sl_bytes **out, sl_error **err)
{
    sl_error_start(err);
    if (out != NULL) {
        *out = NULL;
    }
    char id[SL_UUID_LEN + 1];
    sl_json *in = NULL;
    sl_json *fields = NULL;
    sl_buf batch = {0};
    sl_bytes *answer = NULL;
    sl_status status = sl_json_read(json, n, &in, err);
    if (status == SL_OK) {
        status = sl_chat_message(in, &fields, err);
    }
    sl_lock(core->lock);
    if (status == SL_OK) {
        status = new_message_id(core, id, &answer, err);
    }
    if (status == SL_OK) {
        put_message(&batch, thread, id, fields);
        status = batch.failed ? sl_fail_nomem(err)
                              : sl_local_apply(core, sl_buf_text(&batch), batch.len, "", NULL, err);
    }
    sl_unlock(core->lock);
    if (status == SL_OK && out != NULL) {
        *out = answer;
    } else {
        sl_bytes_release(answer);
    }
    sl_buf_free(&batch);
    sl_json_free(fields);
    sl_json_free(in);
    return status;
}

/* Called locked: the seq to mark up to. */
static sl_status reach_of(sl_core *core, const char *thread, const char *message, int64_t *out,
                          sl_error **err)
{
    sl_record rec = {0};
    sl_space space;
    sl_status status = sl_store_space(core->store, thread, &space, err);
    *out = space.cursor;
    if (status != SL_OK || message == NULL) {
        return status;
    }
    status = sl_store_record(core->store, sl_entity_find("message"), message, &rec, err);
    if (status == SL_OK && (rec.entity == NULL || strcmp(rec.space, thread) != 0)) {
        status = sl_fail(err, SL_E_NOT_FOUND, "there is no such message in this thread");
    }
    *out = rec.seq;
    sl_record_free(&rec);
    return status;
}

static sl_status send_typing(sl_core *core, const char *thread, sl_error **err)
{
    sl_frame frame = {.kind = SL_FRAME_TYPING, .space = thread};
    sl_status status = sl_online_send(core, &frame);
    return status == SL_OK ? SL_OK : sl_fail(err, status, "nobody can be told now");
}

sl_status sl_chat_mark(sl_core *core, const char *thread, int32_t kind, const char *message,
                       sl_error **err)
{
    sl_error_start(err);
    if (!sl_space_is(thread, "thread") || kind < SL_CHAT_DELIVERED || kind > SL_CHAT_TYPING) {
        return sl_fail(err, SL_E_MISUSE, "a mark names a thread's space and a known kind");
    }
    int64_t seq = 0;
    sl_lock(core->lock);
    sl_status status = SL_OK;
    if (kind == SL_CHAT_TYPING) {
        status = send_typing(core, thread, err);
    } else {
        status = reach_of(core, thread, message, &seq, err);
        if (status == SL_OK) {
            const char *field = kind == SL_CHAT_READ ? "read" : "delivered";
            status = sl_local_mark(core, thread, field, seq, err);
        }
    }
    sl_unlock(core->lock);
    return status;
}

sl_status sl_chat_load(sl_core *core, const char *thread, int32_t way, const char *message,
                       uint32_t limit, sl_id *op, sl_error **err)
{
    static const sl_window_way ways[] = {SL_WINDOW_OLDER, SL_WINDOW_NEWER, SL_WINDOW_AROUND};
    sl_error_start(err);
    if (!sl_space_is(thread, "thread") || way < SL_CHAT_OLDER || way > SL_CHAT_AROUND ||
        op == NULL || limit > SL_WINDOW_LOAD_MAX) {
        return sl_fail(err, SL_E_MISUSE,
                       "loading names a thread's space, a known way and up to %d messages",
                       SL_WINDOW_LOAD_MAX);
    }
    if (message != NULL ? !sl_uuid_ok(message) : way != SL_CHAT_OLDER) {
        return sl_fail(err, SL_E_MISUSE, "newer messages and those around are of a message's id");
    }
    sl_lock(core->lock);
    sl_status status = sl_window_load(core, thread, ways[way - SL_CHAT_OLDER], message,
                                      limit > 0 ? limit : SL_WINDOW_LOAD, op, err);
    sl_unlock(core->lock);
    return status;
}

sl_status sl_chat_gaps(sl_core *core, const char *thread, sl_bytes **out, sl_error **err)
{
    sl_error_start(err);
    if (!sl_space_is(thread, "thread") || out == NULL) {
        return sl_fail(err, SL_E_MISUSE, "gaps are those of a thread's space");
    }
    *out = NULL;
    sl_lock(core->lock);
    sl_status status = sl_window_gaps(core, thread, out, err);
    sl_unlock(core->lock);
    return status;
}
