/* The exported functions of sideline/chat.h, and what is drawn before others. */
#include "sideline/chat.h"

#include "base/error.h"
#include "base/mem.h"
#include "chat/chat.h"
#include "engine/chat.h"
#include "sideline/annotation.h"

#include <stdio.h>
#include <string.h>

/* --- what all of them check ------------------------------------------------------------------ */

static bool is_thread(const char *thread)
{
    return thread != NULL && sl_space_ok(thread) && sl_space_is(thread, "thread");
}

static sl_status no_thread(sl_error **err)
{
    return sl_fail(err, SL_E_MISUSE, "a thread is named by its space, thread:<id>");
}

static sl_status no_place(sl_error **err)
{
    return sl_fail(err, SL_E_MISUSE, "there is no place for the answer");
}

static sl_status check_message(const char *message, sl_error **err)
{
    return message != NULL && sl_uuid_ok(message)
               ? SL_OK
               : sl_fail(err, SL_E_MISUSE, "a message is named by its id");
}

/* JSON of an object. */
static sl_status read_object(const char *json, size_t n, sl_json **out, sl_error **err)
{
    sl_status status = sl_json_read(json, n, out, err);
    if (status == SL_OK && !sl_json_is_object(*out)) {
        sl_json_free(*out);
        *out = NULL;
        status = sl_fail(err, SL_E_INVALID, "the input is a JSON object");
    }
    return status;
}

/* Prints the answer (taken). */
static sl_status give(sl_status status, sl_json *j, sl_bytes **out, sl_error **err)
{
    if (status == SL_OK) {
        *out = sl_json_bytes(j);
        status = *out != NULL ? SL_OK : sl_fail_nomem(err);
    }
    sl_json_free(j);
    return status;
}

/* The answer that names what is made, before it is: what was committed must not fail. */
static sl_status name_answer(sl_core *core, const char *member, char id[SL_UUID_LEN + 1],
                             sl_bytes **answer, sl_error **err)
{
    char text[SL_UUID_LEN + 32];
    sl_status status = sl_engine_uuid(core, id, err);
    if (status == SL_OK) {
        (void)snprintf(text, sizeof text, "{\"%s%s\"}", member, id);
        *answer = sl_bytes_text(text);
        status = *answer != NULL ? SL_OK : sl_fail_nomem(err);
    }
    return status;
}

static void give_answer(sl_status status, sl_bytes *answer, sl_bytes **out)
{
    if (status == SL_OK && out != NULL) {
        *out = answer;
    } else {
        sl_bytes_release(answer);
    }
}

/* --- sending --------------------------------------------------------------------------------- */

sl_status sl_chat_send(sl_core *core, const char *thread, const char *json, size_t n,
                       sl_bytes **out, sl_error **err)
{
    sl_error_start(err);
    if (out != NULL) {
        *out = NULL;
    }
    if (!is_thread(thread)) {
        return no_thread(err);
    }
    char id[SL_UUID_LEN + 1];
    sl_json *in = NULL;
    sl_json *fields = NULL;
    sl_bytes *answer = NULL;
    int64_t send_ms = 0;
    sl_status status = read_object(json, n, &in, err);
    bool later = status == SL_OK && sl_json_get(in, "send_ms") != NULL;
    if (status == SL_OK) {
        status = sl_chat_message(in, &fields, err);
    }
    if (status == SL_OK && later && (!sl_json_int(in, "send_ms", &send_ms) || send_ms < 0)) {
        status = sl_fail_field(err, SL_E_INVALID, "send_ms", "send_ms is a time, Unix in ms");
    }
    sl_lock(core->lock);
    if (status == SL_OK) {
        status = name_answer(core, "id\":\"", id, &answer, err);
    }
    if (status == SL_OK) {
        status = later ? sl_chat_plan(core, thread, id, send_ms, fields, err)
                       : sl_chat_post(core, thread, id, fields, err);
    }
    sl_unlock(core->lock);
    give_answer(status, answer, out);
    sl_json_free(fields);
    sl_json_free(in);
    return status;
}

sl_status sl_chat_forward(sl_core *core, const char *message, const char *thread, sl_bytes **out,
                          sl_error **err)
{
    char id[SL_UUID_LEN + 1];
    sl_bytes *answer = NULL;
    sl_error_start(err);
    if (out != NULL) {
        *out = NULL;
    }
    sl_status status = is_thread(thread) ? check_message(message, err) : no_thread(err);
    if (status != SL_OK) {
        return status;
    }
    sl_lock(core->lock);
    status = name_answer(core, "id\":\"", id, &answer, err);
    if (status == SL_OK) {
        status = sl_chat_repeat(core, message, thread, id, err);
    }
    sl_unlock(core->lock);
    give_answer(status, answer, out);
    return status;
}

/* A wish about one message that is done under the lock. */
typedef enum wish {
    WISH_DELETE,
    WISH_RETRY,
    WISH_DISCARD,
    WISH_PIN,
    WISH_UNPIN
} wish;

static sl_status do_wish(sl_core *core, const char *message, wish w, sl_error **err)
{
    sl_error_start(err);
    sl_status status = check_message(message, err);
    if (status != SL_OK) {
        return status;
    }
    sl_lock(core->lock);
    switch (w) {
    case WISH_DELETE: status = sl_chat_remove(core, message, err); break;
    case WISH_RETRY: status = sl_chat_again(core, message, true, err); break;
    case WISH_DISCARD: status = sl_chat_again(core, message, false, err); break;
    case WISH_PIN: status = sl_chat_keep(core, message, true, err); break;
    case WISH_UNPIN: status = sl_chat_keep(core, message, false, err); break;
    }
    sl_unlock(core->lock);
    return status;
}

sl_status sl_chat_delete(sl_core *core, const char *message, sl_error **err)
{
    return do_wish(core, message, WISH_DELETE, err);
}

sl_status sl_chat_retry(sl_core *core, const char *message, sl_error **err)
{
    return do_wish(core, message, WISH_RETRY, err);
}

sl_status sl_chat_discard(sl_core *core, const char *message, sl_error **err)
{
    return do_wish(core, message, WISH_DISCARD, err);
}

sl_status sl_chat_pin(sl_core *core, const char *message, int32_t on, sl_error **err)
{
    return do_wish(core, message, on != 0 ? WISH_PIN : WISH_UNPIN, err);
}

/* A message is changed by what `write` makes of the object. */
static sl_status change_by(sl_core *core, const char *message, const char *json, size_t n,
                           sl_status (*write)(sl_core *, const char *, const sl_json *,
                                              sl_error **),
                           sl_error **err)
{
    sl_json *in = NULL;
    sl_error_start(err);
    sl_status status = check_message(message, err);
    if (status == SL_OK) {
        status = read_object(json, n, &in, err);
    }
    if (status == SL_OK) {
        sl_lock(core->lock);
        status = write(core, message, in, err);
        sl_unlock(core->lock);
    }
    sl_json_free(in);
    return status;
}

sl_status sl_chat_edit(sl_core *core, const char *message, const char *json, size_t n,
                       sl_error **err)
{
    return change_by(core, message, json, n, sl_chat_change, err);
}

sl_status sl_chat_react(sl_core *core, const char *message, const char *emoji, int32_t on,
                        sl_error **err)
{
    sl_error_start(err);
    sl_status status = check_message(message, err);
    if (status == SL_OK && (emoji == NULL || emoji[0] == 0)) {
        status = sl_fail(err, SL_E_MISUSE, "a reaction is an emoji");
    }
    if (status == SL_OK) {
        sl_lock(core->lock);
        status = sl_chat_sign(core, message, emoji, on != 0, err);
        sl_unlock(core->lock);
    }
    return status;
}

/* --- groups ---------------------------------------------------------------------------------- */

sl_status sl_chat_group(sl_core *core, const char *json, size_t n, sl_bytes **out, sl_error **err)
{
    char id[SL_UUID_LEN + 1];
    sl_json *in = NULL;
    sl_bytes *answer = NULL;
    sl_error_start(err);
    if (out != NULL) {
        *out = NULL;
    }
    sl_status status = read_object(json, n, &in, err);
    sl_lock(core->lock);
    if (status == SL_OK) {
        status = name_answer(core, "thread\":\"thread:", id, &answer, err);
    }
    if (status == SL_OK) {
        status = sl_chat_group_make(core, id, in, err);
    }
    sl_unlock(core->lock);
    give_answer(status, answer, out);
    sl_json_free(in);
    return status;
}

sl_status sl_chat_group_edit(sl_core *core, const char *thread, const char *json, size_t n,
                             sl_error **err)
{
    sl_json *in = NULL;
    sl_error_start(err);
    if (!is_thread(thread)) {
        return no_thread(err);
    }
    sl_status status = read_object(json, n, &in, err);
    if (status == SL_OK) {
        sl_lock(core->lock);
        status = sl_chat_group_change(core, thread, in, err);
        sl_unlock(core->lock);
    }
    sl_json_free(in);
    return status;
}

sl_status sl_chat_leave(sl_core *core, const char *thread, sl_error **err)
{
    sl_error_start(err);
    if (!is_thread(thread)) {
        return no_thread(err);
    }
    sl_lock(core->lock);
    sl_status status = sl_chat_group_leave(core, thread, err);
    sl_unlock(core->lock);
    return status;
}

/* --- texts begun, messages planned ----------------------------------------------------------- */

sl_status sl_chat_set_draft(sl_core *core, const char *thread, const char *json, size_t n,
                            sl_error **err)
{
    sl_json *draft = NULL;
    sl_error_start(err);
    if (!is_thread(thread)) {
        return no_thread(err);
    }
    sl_status status = json != NULL ? read_object(json, n, &draft, err) : SL_OK;
    if (status == SL_OK) {
        sl_lock(core->lock);
        status = sl_chat_draft_write(core, thread, draft, err);
        sl_unlock(core->lock);
    }
    sl_json_free(draft);
    return status;
}

sl_status sl_chat_draft(sl_core *core, const char *thread, sl_bytes **out, sl_error **err)
{
    sl_json *draft = NULL;
    sl_error_start(err);
    if (!is_thread(thread) || out == NULL) {
        return out == NULL ? no_place(err) : no_thread(err);
    }
    *out = NULL;
    sl_lock(core->lock);
    sl_status status = sl_chat_draft_read(core, thread, &draft, err);
    sl_unlock(core->lock);
    return draft != NULL ? give(status, draft, out, err) : status;
}

sl_status sl_chat_scheduled(sl_core *core, const char *thread, sl_bytes **out, sl_error **err)
{
    sl_json *list = NULL;
    sl_error_start(err);
    if ((thread != NULL && !is_thread(thread)) || out == NULL) {
        return out == NULL ? no_place(err) : no_thread(err);
    }
    *out = NULL;
    sl_lock(core->lock);
    sl_status status = sl_chat_planned(core, thread, &list, err);
    sl_unlock(core->lock);
    return give(status, list, out, err);
}

sl_status sl_chat_reschedule(sl_core *core, const char *message, const char *json, size_t n,
                             sl_error **err)
{
    return change_by(core, message, json, n, sl_chat_plan_edit, err);
}

sl_status sl_chat_unschedule(sl_core *core, const char *message, sl_error **err)
{
    sl_error_start(err);
    sl_status status = check_message(message, err);
    if (status == SL_OK) {
        sl_lock(core->lock);
        status = sl_chat_plan_drop(core, message, err);
        sl_unlock(core->lock);
    }
    return status;
}

/* --- what is shown --------------------------------------------------------------------------- */

sl_status sl_chat_messages(sl_core *core, const char *thread, const char *json, size_t n,
                           sl_bytes **out, sl_error **err)
{
    sl_json *in = NULL;
    sl_json *page = NULL;
    sl_error_start(err);
    if (!is_thread(thread) || out == NULL) {
        return out == NULL ? no_place(err) : no_thread(err);
    }
    *out = NULL;
    sl_status status = json != NULL ? read_object(json, n, &in, err) : SL_OK;
    if (status == SL_OK) {
        sl_lock(core->lock);
        status = sl_chat_page(core, thread, in, &page, err);
        sl_unlock(core->lock);
    }
    sl_json_free(in);
    return give(status, page, out, err);
}

sl_status sl_chat_search(sl_core *core, const char *json, size_t n, sl_bytes **out, sl_error **err)
{
    sl_json *in = NULL;
    sl_json *found = NULL;
    sl_error_start(err);
    if (out == NULL) {
        return no_place(err);
    }
    *out = NULL;
    sl_status status = read_object(json, n, &in, err);
    if (status == SL_OK) {
        sl_lock(core->lock);
        status = sl_chat_find_text(core, in, &found, err);
        sl_unlock(core->lock);
    }
    sl_json_free(in);
    return give(status, found, out, err);
}

sl_status sl_chat_threads(sl_core *core, sl_bytes **out, sl_error **err)
{
    sl_json *list = NULL;
    sl_error_start(err);
    if (out == NULL) {
        return no_place(err);
    }
    *out = NULL;
    sl_lock(core->lock);
    sl_status status = sl_chat_list(core, &list, err);
    sl_unlock(core->lock);
    return give(status, list, out, err);
}

sl_status sl_chat_counts(sl_core *core, sl_bytes **out, sl_error **err)
{
    sl_json *counts = NULL;
    sl_error_start(err);
    if (out == NULL) {
        return no_place(err);
    }
    *out = NULL;
    sl_lock(core->lock);
    sl_status status = sl_chat_count(core, &counts, err);
    sl_unlock(core->lock);
    return give(status, counts, out, err);
}

/* --- oneself --------------------------------------------------------------------------------- */

sl_status sl_chat_mute(sl_core *core, const char *thread, int64_t until_ms, sl_error **err)
{
    sl_error_start(err);
    if (!is_thread(thread)) {
        return no_thread(err);
    }
    if (until_ms < 0 || until_ms > SL_JSON_INT_MAX - 1) {
        return sl_fail(err, SL_E_MISUSE, "silence ends at a time, Unix in ms");
    }
    sl_lock(core->lock);
    sl_status status = sl_chat_silence(core, thread, until_ms, err);
    sl_unlock(core->lock);
    return status;
}

sl_status sl_chat_block(sl_core *core, const char *user, int32_t on, sl_error **err)
{
    sl_error_start(err);
    if (user == NULL || !sl_uuid_ok(user)) {
        return sl_fail(err, SL_E_MISUSE, "a user is named by an id");
    }
    sl_lock(core->lock);
    sl_status status = sl_chat_shut(core, user, on != 0, err);
    sl_unlock(core->lock);
    return status;
}

sl_status sl_chat_mark(sl_core *core, const char *thread, int32_t kind, const char *message,
                       sl_error **err)
{
    sl_error_start(err);
    if (!is_thread(thread) || kind < SL_CHAT_DELIVERED || kind > SL_CHAT_TYPING) {
        return sl_fail(err, SL_E_MISUSE, "a mark names a thread's space and a known kind");
    }
    int64_t place = 0;
    sl_lock(core->lock);
    sl_status status = SL_OK;
    if (kind == SL_CHAT_TYPING) {
        status = sl_signal_typing(core, thread, err);
    } else {
        status = sl_chat_reach(core, thread, message, &place, err);
        if (status == SL_OK) {
            const char *field = kind == SL_CHAT_READ ? "read" : "delivered";
            status = sl_local_mark(core, thread, field, place, err);
        }
    }
    sl_unlock(core->lock);
    return status;
}

sl_status sl_chat_notice(sl_core *core, const char *payload, size_t n, sl_bytes **out,
                         sl_error **err)
{
    sl_json *notice = NULL;
    sl_error_start(err);
    if (out == NULL) {
        return no_place(err);
    }
    *out = NULL;
    sl_lock(core->lock);
    sl_status status = sl_chat_notified(core, payload, n, &notice, err);
    sl_unlock(core->lock);
    return give(status, notice, out, err);
}

sl_status sl_chat_presence(sl_core *core, int32_t here, sl_error **err)
{
    sl_error_start(err);
    sl_lock(core->lock);
    sl_signal_present(core, here != 0);
    sl_unlock(core->lock);
    return SL_OK;
}

sl_status sl_chat_people(sl_core *core, const char *thread, sl_bytes **out, sl_error **err)
{
    sl_json *list = NULL;
    sl_error_start(err);
    if (!is_thread(thread) || out == NULL) {
        return out == NULL ? no_place(err) : no_thread(err);
    }
    *out = NULL;
    sl_lock(core->lock);
    sl_status status = sl_chat_who(core, thread, &list, err);
    sl_unlock(core->lock);
    return give(status, list, out, err);
}

sl_status sl_stroke_live(sl_core *core, const char *video, const char *json, size_t n,
                         sl_error **err)
{
    sl_json *in = NULL;
    sl_error_start(err);
    if (video == NULL || !sl_space_ok(video) || !sl_space_is(video, "video")) {
        return sl_fail(err, SL_E_MISUSE, "a video is named by its space, video:<id>");
    }
    sl_status status = read_object(json, n, &in, err);
    if (status == SL_OK) {
        sl_lock(core->lock);
        status = sl_signal_stroke(core, video, in, err);
        sl_unlock(core->lock);
    }
    sl_json_free(in);
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
