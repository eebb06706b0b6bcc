#include "chat/chat.h"

#include "base/error.h"

#include <string.h>

static bool copy_text(sl_json *to, const sl_json *from, const char *key)
{
    const sl_json *v = sl_json_get(from, key);
    return v == NULL || sl_json_is_null(v) || sl_json_set(to, key, sl_json_clone(v));
}

sl_status sl_chat_message(const sl_json *in, sl_json **fields, sl_error **err)
{
    *fields = NULL;
    const char *kind = sl_json_str(in, "kind");
    const char *body = sl_json_str(in, "body");
    bool refers = kind != NULL && (strcmp(kind, "video") == 0 || strcmp(kind, "review") == 0);
    if (!refers && (body == NULL || body[0] == 0)) {
        return sl_fail_field(err, SL_E_INVALID, "body", "a text message needs a text");
    }
    if (refers && (sl_json_str(in, "ref_id") == NULL || sl_json_str(in, "ref_space") == NULL)) {
        return sl_fail_field(err, SL_E_INVALID, "ref_id", "a %s message needs ref_space and ref_id",
                             kind);
    }
    sl_json *out = sl_json_object();
    bool ok = out != NULL && sl_json_set_str(out, "kind", kind != NULL ? kind : "text") &&
              copy_text(out, in, "body") && copy_text(out, in, "ref_space") &&
              copy_text(out, in, "ref_id");
    if (!ok) {
        sl_json_free(out);
        return sl_fail_nomem(err);
    }
    *fields = out;
    return SL_OK;
}

sl_status sl_chat_mark_patch(const sl_json *participant, const char *field, int64_t seq,
                             sl_json **fields, sl_error **err)
{
    *fields = NULL;
    if (seq <= sl_json_int_or(participant, field, 0)) {
        return SL_OK;
    }
    sl_json *out = sl_json_object();
    bool ok = out != NULL && sl_json_set_int(out, field, seq);
    if (ok && strcmp(field, "read") == 0 && seq > sl_json_int_or(participant, "delivered", 0)) {
        ok = sl_json_set_int(out, "delivered", seq);
    }
    if (!ok) {
        sl_json_free(out);
        return sl_fail_nomem(err);
    }
    *fields = out;
    return SL_OK;
}
