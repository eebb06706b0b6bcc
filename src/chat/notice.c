#include "chat/notice.h"

#include "base/error.h"

#include <stdio.h>
#include <string.h>

/* Cut at a character. */
static void copy_text(char *to, size_t room, const char *from)
{
    size_t n = from != NULL ? strlen(from) : 0;
    if (n >= room) {
        n = room - 1;
        while (n > 0 && ((uint8_t)from[n] & 0xC0) == 0x80) {
            n--;
        }
    }
    if (n > 0) {
        memcpy(to, from, n);
    }
    to[n] = 0;
}

/* An id that may be missing. False: something else is there. */
static bool copy_id(char to[SL_UUID_LEN + 1], const sl_json *j, const char *key)
{
    const char *id = sl_json_str(j, key);
    copy_text(to, SL_UUID_LEN + 1, id);
    return id == NULL ? sl_json_get(j, key) == NULL : sl_uuid_ok(id);
}

static bool known_kind(const char *kind)
{
    static const char *const kinds[] = {"message", "connection", "review", "comment",
                                        "program", "payment",    "system"};
    bool known = false;
    for (size_t i = 0; kind != NULL && i < sizeof kinds / sizeof kinds[0]; i++) {
        known = known || strcmp(kind, kinds[i]) == 0;
    }
    return known;
}

static sl_status broken(sl_error **err)
{
    return sl_fail(err, SL_E_INVALID, "this is not a notification of Sideline");
}

static sl_status take(const sl_json *j, sl_notice *out, sl_error **err)
{
    const char *kind = sl_json_str(j, "kind");
    const char *space = sl_json_str(j, "space");
    if (!sl_json_is_object(j) || sl_json_int_or(j, "v", 0) < 1) {
        return broken(err);
    }
    if (sl_json_int_or(j, "v", 0) > 1 || (kind != NULL && !known_kind(kind))) {
        return sl_fail(err, SL_E_UNSUPPORTED, "the notification is of a later version");
    }
    bool is_message = kind != NULL && strcmp(kind, "message") == 0;
    bool ok = kind != NULL && copy_id(out->to, j, "to") && out->to[0] != 0 &&
              copy_id(out->id, j, "id") && copy_id(out->user, j, "user") &&
              (space == NULL ? !is_message : sl_space_ok(space));
    out->place = sl_json_int_or(j, "place", 0);
    if (ok && is_message) {
        ok = sl_space_is(space, "thread") && out->id[0] != 0 && out->user[0] != 0 && out->place > 0;
    }
    if (!ok) {
        return broken(err);
    }
    out->named = sl_json_bool_or(j, "named", false);
    copy_text(out->kind, sizeof out->kind, kind);
    copy_text(out->space, sizeof out->space, space);
    copy_text(out->title, sizeof out->title, sl_json_str(j, "title"));
    copy_text(out->body, sizeof out->body, sl_json_str(j, "body"));
    return SL_OK;
}

sl_status sl_notice_read(const char *p, size_t n, sl_notice *out, sl_error **err)
{
    sl_json *j = NULL;
    memset(out, 0, sizeof *out);
    if (n > SL_NOTICE_MAX) {
        return sl_fail(err, SL_E_LIMIT, "a notification has up to %d bytes", SL_NOTICE_MAX);
    }
    sl_status status = sl_json_read(p, n, &j, err);
    if (status == SL_OK) {
        const sl_json *inner = sl_json_get(j, "sideline");
        status = take(inner != NULL ? inner : j, out, err);
    }
    sl_json_free(j);
    return status;
}
