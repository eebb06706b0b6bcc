#include "chat/chat.h"

#include "base/error.h"

#include <string.h>

/* --- what is a message ----------------------------------------------------------------------- */

static bool is(const char *a, const char *b)
{
    return a != NULL && strcmp(a, b) == 0;
}

static bool empty(const char *s)
{
    return s == NULL || s[0] == 0;
}

static sl_status check_reference(const sl_chat_content *c, sl_error **err)
{
    bool needs = is(c->kind, "video") || is(c->kind, "review");
    if (needs && (c->ref_id == NULL || c->ref_space == NULL)) {
        return sl_fail_field(err, SL_E_INVALID, "ref_id", "a %s message needs ref_space and ref_id",
                             c->kind);
    }
    if ((c->ref_id == NULL) != (c->ref_space == NULL)) {
        return sl_fail_field(err, SL_E_INVALID, "ref_id", "ref_space and ref_id go together");
    }
    if (c->ref_space != NULL && !sl_space_ok(c->ref_space)) {
        return sl_fail_field(err, SL_E_INVALID, "ref_space", "ref_space is not a space");
    }
    if (c->has_moment && (c->ref_space == NULL || !sl_space_is(c->ref_space, "video"))) {
        return sl_fail_field(err, SL_E_INVALID, "at_us", "a moment is one of a video: name it");
    }
    return SL_OK;
}

static sl_status check_blob(const sl_chat_content *c, sl_error **err)
{
    if (is(c->kind, "voice") && (c->blob == NULL || !c->has_length)) {
        return sl_fail_field(err, SL_E_INVALID, "blob",
                             "a voice message needs its blob and duration_us");
    }
    if ((c->blob == NULL) != (c->media_type == NULL)) {
        return sl_fail_field(err, SL_E_INVALID, "media_type",
                             "what is attached has a blob and a media_type");
    }
    return SL_OK;
}

sl_status sl_chat_check(const sl_chat_content *c, sl_error **err)
{
    if (is(c->kind, "notice")) {
        return sl_fail_field(err, SL_E_INVALID, "kind", "a notice is made by the server");
    }
    if (is(c->kind, "text") && empty(c->body) && c->blob == NULL) {
        return sl_fail_field(err, SL_E_INVALID, "body", "a text message needs a text");
    }
    sl_status status = check_reference(c, err);
    if (status == SL_OK) {
        status = check_blob(c, err);
    }
    if (status == SL_OK && c->mentions != NULL) {
        sl_json *mentions = sl_json_parse(c->mentions, strlen(c->mentions));
        status = mentions != NULL
                     ? sl_chat_check_mentions(c->body, mentions, err)
                     : sl_fail_field(err, SL_E_INVALID, "mentions", "mentions are a list");
        sl_json_free(mentions);
    }
    return status;
}

/* --- mentions -------------------------------------------------------------------------------- */

/* Moves *p over so many UTF-16 units; false: the text ends before, or a character is cut. */
static bool skip_units(const char **p, int64_t units)
{
    while (units > 0 && **p != 0) {
        uint8_t lead = (uint8_t) * *p;
        int bytes = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
        units -= bytes == 4 ? 2 : 1;
        for (int i = 0; i < bytes && **p != 0; i++) {
            (*p)++;
        }
    }
    return units == 0;
}

sl_status sl_chat_check_mentions(const char *body, const sl_json *mentions, sl_error **err)
{
    const char *p = body != NULL ? body : "";
    int64_t end = 0;
    if (!sl_json_is_array(mentions) || sl_json_count(mentions) > SL_CHAT_MENTIONS_MAX) {
        return sl_fail_field(err, SL_E_INVALID, "mentions", "mentions are a list of at most %d",
                             SL_CHAT_MENTIONS_MAX);
    }
    for (const sl_json *m = sl_json_first(mentions); m != NULL; m = sl_json_next(m)) {
        const char *user = sl_json_str(m, "user");
        int64_t at = sl_json_int_or(m, "at", -1);
        int64_t len = sl_json_int_or(m, "len", 0);
        if (user == NULL || !sl_uuid_ok(user) || sl_json_count(m) != 3) {
            return sl_fail_field(err, SL_E_INVALID, "mentions", "a mention is {user, at, len}");
        }
        if (at < end || len < 1 || !skip_units(&p, at - end) || !skip_units(&p, len)) {
            return sl_fail_field(err, SL_E_INVALID, "mentions",
                                 "mentions are ranges of whole characters of the text, in order");
        }
        end = at + len;
    }
    return SL_OK;
}

/* --- fields ---------------------------------------------------------------------------------- */

static const char *const CARRIED[] = {"body",       "mentions", "reply_to",   "ref_space",
                                      "ref_id",     "at_us",    "blob",       "thumb",
                                      "media_type", "size",     "duration_us"};
enum {
    CARRIED_COUNT = sizeof CARRIED / sizeof CARRIED[0]
};

static bool known_member(const char *key)
{
    bool known = is(key, "kind") || is(key, "send_ms");
    for (size_t i = 0; i < CARRIED_COUNT; i++) {
        known = known || is(key, CARRIED[i]);
    }
    return known;
}

/* Copies a member that is there and not null. */
static bool copy(sl_json *to, const sl_json *from, const char *key)
{
    const sl_json *v = sl_json_get(from, key);
    return v == NULL || sl_json_is_null(v) || sl_json_set(to, key, sl_json_clone(v));
}

static sl_status check_fields(const sl_json *fields, sl_error **err)
{
    sl_chat_content c = {.kind = sl_json_str(fields, "kind"),
                         .body = sl_json_str(fields, "body"),
                         .ref_space = sl_json_str(fields, "ref_space"),
                         .ref_id = sl_json_str(fields, "ref_id"),
                         .blob = sl_json_str(fields, "blob"),
                         .media_type = sl_json_str(fields, "media_type"),
                         .has_length = sl_json_get(fields, "duration_us") != NULL,
                         .has_moment = sl_json_get(fields, "at_us") != NULL};
    const sl_json *mentions = sl_json_get(fields, "mentions");
    sl_status status = sl_chat_check(&c, err);
    return status == SL_OK && mentions != NULL ? sl_chat_check_mentions(c.body, mentions, err)
                                               : status;
}

sl_status sl_chat_message(const sl_json *in, sl_json **fields, sl_error **err)
{
    const char *kind = sl_json_str(in, "kind");
    *fields = NULL;
    for (const sl_json *v = sl_json_first(in); v != NULL; v = sl_json_next(v)) {
        if (!known_member(sl_json_key(v))) {
            return sl_fail_field(err, SL_E_INVALID, sl_json_key(v), "a message has no \"%s\"",
                                 sl_json_key(v));
        }
    }
    sl_json *out = sl_json_object();
    bool ok = out != NULL && sl_json_set_str(out, "kind", kind != NULL ? kind : "text");
    for (size_t i = 0; ok && i < CARRIED_COUNT; i++) {
        ok = copy(out, in, CARRIED[i]);
    }
    sl_status status = ok ? check_fields(out, err) : sl_fail_nomem(err);
    if (status != SL_OK) {
        sl_json_free(out);
        return status;
    }
    *fields = out;
    return SL_OK;
}

sl_status sl_chat_edit_fields(const sl_json *in, const char *kind, sl_json **fields, sl_error **err)
{
    const char *body = sl_json_str(in, "body");
    const sl_json *mentions = sl_json_get(in, "mentions");
    bool listed = mentions != NULL && !sl_json_is_null(mentions);
    *fields = NULL;
    if (body == NULL || (body[0] == 0 && is(kind, "text"))) {
        return sl_fail_field(err, SL_E_INVALID, "body", "an edited message needs a text");
    }
    sl_status status = listed ? sl_chat_check_mentions(body, mentions, err) : SL_OK;
    if (status != SL_OK) {
        return status;
    }
    sl_json *out = sl_json_object();
    bool ok = out != NULL && sl_json_set_str(out, "body", body) &&
              (listed ? copy(out, in, "mentions") : sl_json_set_null(out, "mentions"));
    if (!ok) {
        sl_json_free(out);
        return sl_fail_nomem(err);
    }
    *fields = out;
    return SL_OK;
}

sl_status sl_chat_forward_fields(const sl_json *message, sl_json **fields, sl_error **err)
{
    static const char *const dropped[] = {"mentions", "reply_to"}; /* they belong to its thread */
    const char *first = sl_json_str(message, "forward_of");
    *fields = NULL;
    if (is(sl_json_str(message, "kind"), "notice")) {
        return sl_fail(err, SL_E_INVALID, "what happened to a group is no message to send on");
    }
    sl_json *out = sl_json_object();
    bool ok = out != NULL && copy(out, message, "kind");
    for (size_t i = 0; ok && i < CARRIED_COUNT; i++) {
        bool drop = is(CARRIED[i], dropped[0]) || is(CARRIED[i], dropped[1]);
        ok = drop || copy(out, message, CARRIED[i]);
    }
    ok = ok &&
         sl_json_set_str(out, "forward_of", first != NULL ? first : sl_json_str(message, "id"));
    if (!ok) {
        sl_json_free(out);
        return sl_fail_nomem(err);
    }
    *fields = out;
    return SL_OK;
}

sl_status sl_chat_mark_patch(const sl_json *participant, const char *field, int64_t place,
                             sl_json **fields, sl_error **err)
{
    *fields = NULL;
    if (place <= sl_json_int_or(participant, field, 0)) {
        return SL_OK;
    }
    sl_json *out = sl_json_object();
    bool ok = out != NULL && sl_json_set_int(out, field, place);
    if (ok && strcmp(field, "read") == 0 && place > sl_json_int_or(participant, "delivered", 0)) {
        ok = sl_json_set_int(out, "delivered", place);
    }
    if (!ok) {
        sl_json_free(out);
        return sl_fail_nomem(err);
    }
    *fields = out;
    return SL_OK;
}
