/* The exported functions of sideline/record.h. */
#include "sideline/record.h"

#include "base/error.h"
#include "engine/engine.h"

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
