/* The exported functions of sideline/sync.h, and the host's reports of sideline/platform.h. */
#include "sideline/sync.h"

#include "api/inside.h"
#include "base/error.h"
#include "base/mem.h"
#include "engine/engine.h"

#include <string.h>

static bool has_transport(const sl_core *core)
{
    return core->platform.http != NULL && core->platform.ws != NULL;
}

sl_status sl_sync_control(sl_core *core, int32_t action, sl_error **err)
{
    sl_error_start(err);
    if (action != SL_SYNC_START && action != SL_SYNC_STOP) {
        return sl_fail(err, SL_E_MISUSE, "sync is started or stopped");
    }
    sl_lock(core->lock);
    sl_status status = SL_OK;
    if (action == SL_SYNC_START && !has_transport(core)) {
        status = sl_fail(err, SL_E_UNSUPPORTED, "this platform has no transport");
    } else {
        sl_online_want(core, action == SL_SYNC_START);
    }
    sl_unlock(core->lock);
    return status;
}

sl_status sl_sync_settle(sl_core *core, sl_id *op, sl_error **err)
{
    sl_error_start(err);
    sl_lock(core->lock);
    sl_status status = has_transport(core)
                           ? sl_wait_settled(core, op, err)
                           : sl_fail(err, SL_E_UNSUPPORTED, "this platform has no transport");
    sl_unlock(core->lock);
    return status;
}

sl_status sl_sync_wait(sl_core *core, const char *entity, const char *id, sl_id *op, sl_error **err)
{
    sl_error_start(err);
    if (entity == NULL || id == NULL) {
        return sl_fail(err, SL_E_MISUSE, "a record is named by entity and id");
    }
    sl_lock(core->lock);
    sl_status status = sl_follow_record(core, entity, id, op, err);
    sl_unlock(core->lock);
    return status;
}

sl_status sl_sync_focus(sl_core *core, const char *space, sl_error **err)
{
    sl_error_start(err);
    if (!sl_space_ok(space)) {
        return sl_fail(err, SL_E_MISUSE, "what is on the screen is a space");
    }
    sl_lock(core->lock);
    sl_sync_prefer(core->sync, space);
    sl_unlock(core->lock);
    sl_engine_kick(core);
    return SL_OK;
}

sl_status sl_blob_put(sl_core *core, const char *space, const uint8_t *p, size_t n,
                      const char *media_type, sl_bytes **sha256, sl_error **err)
{
    sl_error_start(err);
    if (sha256 != NULL) {
        *sha256 = NULL;
    }
    if (!sl_space_ok(space) || (p == NULL && n > 0) || media_type == NULL ||
        strlen(media_type) >= sizeof(((sl_upload *)NULL)->type)) {
        return sl_fail(err, SL_E_MISUSE, "a blob needs a space, bytes and a media type");
    }
    char hex[65];
    sl_core_blob blob = {.path = NULL};
    sl_status status = sl_core_blob_begin(core, &blob, err);
    if (status == SL_OK) {
        status = sl_blob_out_append(blob.out, p, n);
        if (status != SL_OK) {
            (void)sl_fail(err, status,
                          status == SL_E_FULL ? "the disk is full" : "the blob cannot be written");
        }
    }
    if (status == SL_OK) {
        status = sl_core_blob_end(core, &blob, space, media_type, hex, err);
    }
    sl_core_blob_drop(core, &blob);
    if (status == SL_OK && sha256 != NULL) {
        *sha256 = sl_bytes_text(hex);
        status = *sha256 != NULL ? SL_OK : sl_fail_nomem(err);
    }
    return status;
}

static bool hex_ok(const char *hex)
{
    return hex != NULL && strlen(hex) == 64 && strspn(hex, "0123456789abcdef") == 64;
}

static sl_status read_whole(sl_blob_in *in, sl_bytes **out)
{
    sl_buf buf = {0};
    int64_t size = sl_blob_in_size(in);
    uint8_t *room = sl_buf_room(&buf, (size_t)size);
    int64_t got = room != NULL ? sl_blob_in_read(in, room, (size_t)size, 0) : SL_E_NOMEM;
    if (got != size) {
        sl_buf_free(&buf);
        return got < 0 ? (sl_status)got : SL_E_IO;
    }
    buf.len = (size_t)size;
    *out = sl_buf_bytes(&buf);
    return *out != NULL ? SL_OK : SL_E_NOMEM;
}

sl_status sl_sync_network(sl_core *core, int32_t kind, int64_t limit, sl_error **err)
{
    sl_error_start(err);
    if ((kind != SL_NETWORK_FREE && kind != SL_NETWORK_METERED) || limit < 0) {
        return sl_fail(err, SL_E_MISUSE, "a network is free or metered, a limit is not negative");
    }
    sl_lock(core->lock);
    sl_holds_network(core, kind == SL_NETWORK_METERED, limit);
    sl_unlock(core->lock);
    return SL_OK;
}

sl_status sl_transfer_control(sl_core *core, const char *sha256, int32_t action, sl_error **err)
{
    sl_error_start(err);
    if (action < SL_TRANSFER_PAUSE || action > SL_TRANSFER_CANCEL) {
        return sl_fail(err, SL_E_MISUSE, "a transfer is paused, resumed or cancelled");
    }
    if (!hex_ok(sha256)) {
        return sl_fail(err, SL_E_INVALID, "a blob is named by 64 hex digits");
    }
    sl_lock(core->lock);
    sl_status status = sl_holds_control(core, sha256, action, err);
    sl_unlock(core->lock);
    return status;
}

sl_status sl_blob_get(sl_core *core, const char *sha256, sl_bytes **out, sl_error **err)
{
    sl_error_start(err);
    if (out == NULL) {
        return sl_fail(err, SL_E_MISUSE, "there is no place for the answer");
    }
    *out = NULL;
    if (!hex_ok(sha256)) {
        return sl_fail(err, SL_E_INVALID, "a blob is named by 64 hex digits");
    }
    sl_blob_in *in = NULL;
    sl_status status = sl_core_blob_open(core, sha256, &in, err);
    if (status == SL_OK) {
        status = read_whole(in, out);
        if (status != SL_OK) {
            (void)sl_fail(err, status, "the blob cannot be read");
        }
    }
    sl_blob_in_close(in);
    return status;
}

sl_status sl_blob_fetch(sl_core *core, const char *sha256, sl_id *op, sl_error **err)
{
    sl_error_start(err);
    if (!hex_ok(sha256)) {
        return sl_fail(err, SL_E_INVALID, "a blob is named by 64 hex digits");
    }
    sl_lock(core->lock);
    sl_status status = sl_wait_blob(core, sha256, op, err);
    sl_unlock(core->lock);
    return status;
}

void sl_host_http_head(sl_core *core, sl_id req, int32_t status, const char *headers)
{
    sl_engine_post(core, SL_PORT_HTTP_HEAD, req, status, headers, strlen(headers));
}

void sl_host_http_data(sl_core *core, sl_id req, const uint8_t *p, size_t n)
{
    sl_engine_post(core, SL_PORT_HTTP_DATA, req, 0, p, n);
}

void sl_host_http_done(sl_core *core, sl_id req, sl_status status)
{
    sl_engine_post(core, SL_PORT_HTTP_DONE, req, status, NULL, 0);
}

void sl_host_ws_opened(sl_core *core, sl_id ws)
{
    sl_engine_post(core, SL_PORT_WS_OPENED, ws, 0, NULL, 0);
}

void sl_host_ws_message(sl_core *core, sl_id ws, int32_t kind, const uint8_t *p, size_t n)
{
    sl_engine_post(core, SL_PORT_WS_MESSAGE, ws, kind, p, n);
}

void sl_host_ws_closed(sl_core *core, sl_id ws, int32_t code)
{
    sl_engine_post(core, SL_PORT_WS_CLOSED, ws, code, NULL, 0);
}
