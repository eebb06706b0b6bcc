/* Messages: what the user does with them. Everything becomes operations on records, in one batch. */
#include "engine/chat.h"

#include "base/error.h"
#include "base/mem.h"
#include "chat/chat.h"

#include <stdio.h>
#include <string.h>

/* --- reading --------------------------------------------------------------------------------- */

sl_status sl_chat_ask(sl_core *core, sl_buf *query, sl_json **rows, sl_error **err)
{
    sl_buf text = {0};
    sl_json *q = !query->failed ? sl_json_parse(sl_buf_text(query), query->len) : NULL;
    sl_status status = q != NULL ? sl_local_query(core, q, &text, err) : sl_fail_nomem(err);
    *rows = status == SL_OK ? sl_json_parse(sl_buf_text(&text), text.len) : NULL;
    if (status == SL_OK && *rows == NULL) {
        status = sl_fail_nomem(err);
    }
    sl_json_free(q);
    sl_buf_free(&text);
    sl_buf_free(query);
    return status;
}

/* A refused creation of this message. */
static sl_status find_refused(sl_core *core, const char *message, sl_json **out, int64_t *draft,
                              sl_error **err)
{
    sl_json *drafts = NULL;
    sl_status status = sl_drafts_list(core, NULL, 0, &drafts, err);
    const sl_json *d = sl_json_first(drafts);
    while (d != NULL && (strcmp(sl_json_str(d, "entity"), "message") != 0 ||
                         strcmp(sl_json_str(d, "op"), "create") != 0 ||
                         strcmp(sl_json_str(d, "id"), message) != 0)) {
        d = sl_json_next(d);
    }
    if (status == SL_OK && d == NULL) {
        status = sl_fail(err, SL_E_NOT_FOUND, "there is no such message on this device");
    } else if (status == SL_OK) {
        *draft = sl_json_int_or(d, "draft", 0);
        *out = sl_json_clone(sl_json_get(d, "fields"));
        bool ok = *out != NULL && sl_json_set_str(*out, "id", message) &&
                  sl_json_set_str(*out, "space", sl_json_str(d, "space"));
        status = ok ? SL_OK : sl_fail_nomem(err);
    }
    if (status != SL_OK) {
        sl_json_free(*out);
        *out = NULL;
    }
    sl_json_free(drafts);
    return status;
}

sl_status sl_chat_find(sl_core *core, const char *message, sl_json **out, int64_t *draft,
                       sl_error **err)
{
    sl_buf query = {0};
    sl_json *rows = NULL;
    *out = NULL;
    *draft = 0;
    if (!sl_uuid_ok(message)) {
        return sl_fail(err, SL_E_INVALID, "a message is named by its id");
    }
    sl_buf_fmt(&query, "{\"from\":\"message\",\"where\":{\"id\":\"%s\"}}", message);
    sl_status status = sl_chat_ask(core, &query, &rows, err);
    if (status == SL_OK && sl_json_first(rows) != NULL) {
        *out = sl_json_clone(sl_json_first(rows));
        status = *out != NULL ? SL_OK : sl_fail_nomem(err);
    } else if (status == SL_OK) {
        status = find_refused(core, message, out, draft, err);
    }
    sl_json_free(rows);
    return status;
}

/* The same, of one that was not refused. */
static sl_status find_kept(sl_core *core, const char *message, sl_json **out, sl_error **err)
{
    int64_t draft = 0;
    sl_status status = sl_chat_find(core, message, out, &draft, err);
    if (status == SL_OK && draft != 0) {
        sl_json_free(*out);
        *out = NULL;
        status =
            sl_fail(err, SL_E_INVALID, "this message was not sent: send it again or discard it");
    }
    return status;
}

static bool is_own(const sl_core *core, const sl_json *record)
{
    const char *author = sl_json_str(record, "author_id");
    return author == NULL || strcmp(author, core->session.user) == 0;
}

sl_status sl_chat_reach(sl_core *core, const char *thread, const char *message, int64_t *place,
                        sl_error **err)
{
    sl_buf query = {0};
    sl_json *rows = NULL;
    sl_space space;
    sl_status status = sl_store_space(core->store, thread, &space, err);
    *place = 0;
    if (status != SL_OK) {
        return status;
    }
    sl_buf_fmt(&query, "{\"from\":\"message\",\"where\":{\"space\":\"%s\"", thread);
    if (message != NULL) {
        sl_buf_str(&query, ",\"id\":");
        sl_json_put_text(&query, message, strlen(message));
    } else {
        sl_buf_str(&query, ",\"place\":{\"gt\":0}");
    }
    sl_buf_str(&query, "},\"order\":[\"-place\"],\"limit\":1,\"select\":[\"place\"]}");
    status = sl_chat_ask(core, &query, &rows, err);
    if (status == SL_OK && message != NULL && sl_json_first(rows) == NULL) {
        status = sl_fail(err, SL_E_NOT_FOUND, "there is no such message in this thread");
    }
    *place = sl_json_int_or(sl_json_first(rows), "place", 0);
    sl_json_free(rows);
    return status;
}

/* --- operations ------------------------------------------------------------------------------ */

static void put_text(sl_buf *ops, const char *key, const char *value)
{
    sl_buf_fmt(ops, ",\"%s\":", key);
    sl_json_put_text(ops, value, strlen(value));
}

void sl_chat_op_create(sl_buf *ops, const char *entity, const char *space)
{
    sl_buf_str(ops, ops->len > 0 ? ",{\"op\":\"create\"" : "[{\"op\":\"create\"");
    put_text(ops, "entity", entity);
    put_text(ops, "space", space);
}

void sl_chat_op_change(sl_buf *ops, const char *kind, const char *entity, const char *id)
{
    sl_buf_fmt(ops, "%s{\"op\":\"%s\"", ops->len > 0 ? "," : "[", kind);
    put_text(ops, "entity", entity);
    put_text(ops, "id", id);
}

static void put_delete(sl_buf *ops, const char *entity, const char *id)
{
    sl_chat_op_change(ops, "delete", entity, id);
    sl_buf_u8(ops, '}');
}

sl_status sl_chat_apply(sl_core *core, sl_buf *ops, sl_error **err)
{
    sl_status status = SL_OK;
    if (ops->len > 0 || ops->failed) {
        sl_buf_u8(ops, ']');
        status = !ops->failed ? sl_local_apply(core, sl_buf_text(ops), ops->len, "", NULL, err)
                              : sl_fail_nomem(err);
    }
    sl_buf_free(ops);
    return status;
}

sl_status sl_chat_put(sl_core *core, sl_batch *b, const char *thread, const char *id,
                      const sl_json *fields, sl_error **err)
{
    sl_op op = {.kind = SL_OP_CREATE, .entity = sl_entity_find("message")};
    (void)snprintf(op.space, sizeof op.space, "%s", thread);
    (void)snprintf(op.id, sizeof op.id, "%s", id);
    sl_status status = sl_op_set_fields(&op, fields, err);
    if (status == SL_OK) {
        status = sl_schema_check(op.entity, op.values, op.has, true, err);
    }
    if (status == SL_OK) {
        status = sl_batch_op(core, b, &op, err);
    }
    sl_op_free(&op);
    return status;
}

/* --- sending --------------------------------------------------------------------------------- */

sl_status sl_chat_members(sl_core *core, const char *thread, sl_json **people, sl_error **err)
{
    sl_buf query = {0};
    sl_buf_fmt(&query,
               "{\"from\":\"participant\",\"where\":{\"space\":\"%s\",\"gone\":{\"ne\":true}},"
               "\"limit\":1000}",
               thread);
    return sl_chat_ask(core, &query, people, err);
}

static bool takes_part(const sl_json *people, const char *user)
{
    bool found = false;
    for (const sl_json *p = sl_json_first(people); p != NULL; p = sl_json_next(p)) {
        const char *id = sl_json_str(p, "user_id");
        found = found || (id != NULL && strcmp(id, user) == 0);
    }
    return found;
}

sl_status sl_chat_check_thread(sl_core *core, const char *thread, const sl_json *fields,
                               sl_error **err)
{
    const sl_json *mentions = sl_json_get(fields, "mentions");
    const char *reply = sl_json_str(fields, "reply_to");
    sl_json *people = NULL;
    sl_record rec = {0};
    sl_status status = SL_OK;
    if (mentions != NULL && !sl_json_is_null(mentions)) {
        status = sl_chat_members(core, thread, &people, err);
    }
    for (const sl_json *m = sl_json_first(mentions); status == SL_OK && m != NULL;
         m = sl_json_next(m)) {
        status = takes_part(people, sl_json_str(m, "user"))
                     ? SL_OK
                     : sl_fail_field(err, SL_E_INVALID, "mentions",
                                     "somebody named takes no part in the thread");
    }
    if (status == SL_OK && reply != NULL && sl_uuid_ok(reply)) {
        status = sl_store_record(core->store, sl_entity_find("message"), reply, &rec, err);
        if (status == SL_OK && rec.entity != NULL && strcmp(rec.space, thread) != 0) {
            status = sl_fail_field(err, SL_E_INVALID, "reply_to",
                                   "what is answered is a message of the same thread");
        }
    }
    sl_record_free(&rec);
    sl_json_free(people);
    return status;
}

sl_status sl_chat_post(sl_core *core, const char *thread, const char *id, const sl_json *fields,
                       sl_error **err)
{
    sl_buf ops = {0};
    sl_status status = sl_chat_check_thread(core, thread, fields, err);
    if (status != SL_OK) {
        return status;
    }
    sl_chat_op_create(&ops, "message", thread);
    put_text(&ops, "id", id);
    sl_buf_str(&ops, ",\"fields\":");
    sl_json_put(&ops, fields);
    sl_buf_u8(&ops, '}');
    return sl_chat_apply(core, &ops, err);
}

sl_status sl_chat_repeat(sl_core *core, const char *message, const char *thread, const char *id,
                         sl_error **err)
{
    sl_json *found = NULL;
    sl_json *fields = NULL;
    sl_status status = find_kept(core, message, &found, err);
    if (status == SL_OK) {
        status = sl_chat_forward_fields(found, &fields, err);
    }
    if (status == SL_OK) {
        status = sl_chat_post(core, thread, id, fields, err);
    }
    sl_json_free(fields);
    sl_json_free(found);
    return status;
}

sl_status sl_chat_again(sl_core *core, const char *message, bool send, sl_error **err)
{
    sl_json *found = NULL;
    sl_json *none = sl_json_object();
    char id[SL_UUID_LEN + 1];
    int64_t draft = 0;
    sl_status status =
        none != NULL ? sl_chat_find(core, message, &found, &draft, err) : sl_fail_nomem(err);
    if (status == SL_OK && draft == 0) {
        status = sl_fail(err, SL_E_NOT_FOUND, "this message has not failed");
    }
    if (status == SL_OK) {
        status =
            send ? sl_drafts_send(core, draft, none, id, err) : sl_drafts_discard(core, draft, err);
    }
    sl_json_free(none);
    sl_json_free(found);
    return status;
}

/* --- changing -------------------------------------------------------------------------------- */

static sl_status check_own(const sl_core *core, const sl_json *message, sl_error **err)
{
    return is_own(core, message)
               ? SL_OK
               : sl_fail(err, SL_E_DENIED, "a message is changed by who wrote it");
}

sl_status sl_chat_change(sl_core *core, const char *message, const sl_json *in, sl_error **err)
{
    sl_json *found = NULL;
    sl_json *fields = NULL;
    sl_buf ops = {0};
    sl_status status = find_kept(core, message, &found, err);
    if (status == SL_OK) {
        status = check_own(core, found, err);
    }
    if (status == SL_OK) {
        status = sl_chat_edit_fields(in, sl_json_str(found, "kind"), &fields, err);
    }
    if (status == SL_OK) {
        status = sl_chat_check_thread(core, sl_json_str(found, "space"), fields, err);
    }
    if (status == SL_OK) {
        sl_chat_op_change(&ops, "patch", "message", message);
        sl_buf_str(&ops, ",\"fields\":");
        sl_json_put(&ops, fields);
        sl_buf_u8(&ops, '}');
        status = sl_chat_apply(core, &ops, err);
    }
    sl_json_free(fields);
    sl_json_free(found);
    return status;
}

sl_status sl_chat_remove(sl_core *core, const char *message, sl_error **err)
{
    sl_json *found = NULL;
    sl_buf ops = {0};
    sl_status status = find_kept(core, message, &found, err);
    if (status == SL_OK) {
        status = check_own(core, found, err);
    }
    if (status == SL_OK) {
        put_delete(&ops, "message", message);
        status = sl_chat_apply(core, &ops, err);
    }
    sl_json_free(found);
    return status;
}

/* A record that says something of a message. */
static void put_remark(sl_buf *ops, const char *entity, const sl_json *message, const char *emoji)
{
    sl_chat_op_create(ops, entity, sl_json_str(message, "space"));
    sl_buf_str(ops, ",\"fields\":{\"message_id\":");
    sl_json_put_text(ops, sl_json_str(message, "id"), SL_UUID_LEN);
    if (emoji != NULL) {
        put_text(ops, "emoji", emoji);
    }
    sl_buf_str(ops, "}}");
}

/* The remarks that are there, rows of an entity: all but the own ones are left out when `own`. */
static void put_deletes(const sl_core *core, sl_buf *ops, const char *entity, const sl_json *rows,
                        bool own)
{
    for (const sl_json *r = sl_json_first(rows); r != NULL; r = sl_json_next(r)) {
        if (!own || is_own(core, r)) {
            put_delete(ops, entity, sl_json_str(r, "id"));
        }
    }
}

static bool any(const sl_core *core, const sl_json *rows, bool own)
{
    const sl_json *r = sl_json_first(rows);
    while (r != NULL && own && !is_own(core, r)) {
        r = sl_json_next(r);
    }
    return r != NULL;
}

/* Makes a remark on a message, or takes it back. With an emoji it is one's own sign; without, the pin,
 * which is everybody's. */
static sl_status remark(sl_core *core, const char *entity, const char *message, const char *emoji,
                        bool on, sl_error **err)
{
    sl_json *found = NULL;
    sl_json *rows = NULL;
    sl_buf query = {0};
    sl_buf ops = {0};
    bool own = emoji != NULL;
    sl_status status = find_kept(core, message, &found, err);
    if (status == SL_OK) {
        sl_buf_fmt(&query, "{\"from\":\"%s\",\"where\":{\"space\":\"%s\",\"message_id\":\"%s\"",
                   entity, sl_json_str(found, "space"), message);
        if (own) {
            put_text(&query, "emoji", emoji);
        }
        sl_buf_fmt(&query, "}%s}", own ? ",\"order\":[\"message_id\"]" : "");
        status = sl_chat_ask(core, &query, &rows, err);
    }
    if (status == SL_OK && on && !any(core, rows, own)) {
        put_remark(&ops, entity, found, emoji);
    } else if (status == SL_OK && !on) {
        put_deletes(core, &ops, entity, rows, own);
    }
    if (status == SL_OK) {
        status = sl_chat_apply(core, &ops, err);
    }
    sl_buf_free(&ops);
    sl_json_free(rows);
    sl_json_free(found);
    return status;
}

sl_status sl_chat_sign(sl_core *core, const char *message, const char *emoji, bool on,
                       sl_error **err)
{
    return remark(core, "reaction", message, emoji, on, err);
}

sl_status sl_chat_keep(sl_core *core, const char *message, bool on, sl_error **err)
{
    return remark(core, "pin", message, NULL, on, err);
}

/* --- oneself --------------------------------------------------------------------------------- */

sl_status sl_chat_silence(sl_core *core, const char *thread, int64_t until_ms, sl_error **err)
{
    sl_buf query = {0};
    sl_buf ops = {0};
    sl_json *rows = NULL;
    sl_space space;
    sl_status status = sl_store_space(core->store, thread, &space, err);
    if (status != SL_OK) {
        return status;
    }
    sl_buf_fmt(&query, "{\"from\":\"thread_setting\",\"where\":{\"thread_id\":\"%s\"}}",
               sl_space_id(thread));
    status = sl_chat_ask(core, &query, &rows, err);
    if (status == SL_OK && sl_json_count(rows) == 0 && until_ms > 0) {
        sl_chat_op_create(&ops, "thread_setting", core->session.space);
        sl_buf_fmt(&ops, ",\"fields\":{\"thread_id\":\"%s\",\"muted_until_ms\":%lld}}",
                   sl_space_id(thread), (long long)until_ms);
    }
    for (const sl_json *r = sl_json_first(rows); r != NULL; r = sl_json_next(r)) {
        sl_chat_op_change(&ops, "patch", "thread_setting", sl_json_str(r, "id"));
        sl_buf_fmt(&ops, ",\"fields\":{\"muted_until_ms\":%lld}}", (long long)until_ms);
    }
    if (status == SL_OK) {
        status = sl_chat_apply(core, &ops, err);
    }
    sl_buf_free(&ops);
    sl_json_free(rows);
    return status;
}

sl_status sl_chat_shut(sl_core *core, const char *user, bool on, sl_error **err)
{
    sl_buf query = {0};
    sl_buf ops = {0};
    sl_json *rows = NULL;
    sl_buf_fmt(&query, "{\"from\":\"block\",\"where\":{\"user_id\":\"%s\"}}", user);
    sl_status status = sl_chat_ask(core, &query, &rows, err);
    if (status == SL_OK && on && sl_json_count(rows) == 0) {
        sl_chat_op_create(&ops, "block", core->session.space);
        sl_buf_fmt(&ops, ",\"fields\":{\"user_id\":\"%s\"}}", user);
    } else if (status == SL_OK && !on) {
        put_deletes(core, &ops, "block", rows, false);
    }
    if (status == SL_OK) {
        status = sl_chat_apply(core, &ops, err);
    }
    sl_buf_free(&ops);
    sl_json_free(rows);
    return status;
}
