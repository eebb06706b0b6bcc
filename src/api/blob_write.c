/* The exported functions that store a blob piece by piece. */
#include "sideline/sync.h"

#include "api/inside.h"
#include "base/error.h"
#include "base/mem.h"
#include "crypto/hash.h"
#include "engine/engine.h"

#include <stdio.h>
#include <string.h>

enum {
    NAME_MAX_LEN = 1000
};

struct sl_blob_writer {
    sl_blob_writer *next; /* of the same core */
    sl_core *core;
    sl_core_blob blob;
    char draft[SL_SHA256_HEX_LEN + 1]; /* "": it has no name */
};

/* Into the core's list, unless its name is there. */
static bool enlist(sl_core *core, sl_blob_writer *w)
{
    bool taken = false;
    sl_lock(core->lock);
    for (const sl_blob_writer *o = core->writers; o != NULL && w->draft[0] != '\0'; o = o->next) {
        taken = taken || strcmp(o->draft, w->draft) == 0;
    }
    if (!taken) {
        w->next = core->writers;
        core->writers = w;
    }
    sl_unlock(core->lock);
    return !taken;
}

static void strike_off(sl_blob_writer *w)
{
    sl_lock(w->core->lock);
    sl_blob_writer **at = &w->core->writers;
    while (*at != NULL && *at != w) {
        at = &(*at)->next;
    }
    if (*at != NULL) {
        *at = w->next;
    }
    sl_unlock(w->core->lock);
}

/* The place of a draft is that of a download of the name's hash, which is no blob's name. */
static sl_status open_draft(sl_blob_writer *w, sl_error **err)
{
    w->blob.path = sl_store_part_path(w->core->store, w->draft);
    return w->blob.path == NULL
               ? sl_fail_nomem(err)
               : sl_store_blob_make(w->core->store, w->blob.path, true, &w->blob.out, err);
}

sl_status sl_blob_begin(sl_core *core, const char *draft, sl_blob_writer **out, int64_t *size,
                        sl_error **err)
{
    sl_error_start(err);
    if (core == NULL || out == NULL ||
        (draft != NULL && (draft[0] == '\0' || strlen(draft) > NAME_MAX_LEN))) {
        return sl_fail(err, SL_E_MISUSE, "a draft's name has 1 to %d bytes", NAME_MAX_LEN);
    }
    *out = NULL;
    sl_blob_writer *w = sl_mem(sizeof *w);
    if (w == NULL) {
        return sl_fail_nomem(err);
    }
    w->core = core;
    if (draft != NULL) {
        char salted[NAME_MAX_LEN + 8];
        int n = snprintf(salted, sizeof salted, "draft:%s", draft);
        sl_sha256_hex(salted, (size_t)n, w->draft);
    }
    if (!enlist(core, w)) {
        sl_mem_free(w);
        return sl_fail(err, SL_E_BUSY, "this draft is being written already");
    }
    sl_status status = draft != NULL ? open_draft(w, err) : sl_core_blob_begin(core, &w->blob, err);
    if (status != SL_OK) {
        strike_off(w);
        sl_core_blob_drop(core, &w->blob);
        sl_mem_free(w);
        return status;
    }
    if (size != NULL) {
        *size = sl_blob_out_size(w->blob.out);
    }
    sl_live_add(1);
    *out = w;
    return SL_OK;
}

sl_status sl_blob_append(sl_blob_writer *w, const uint8_t *p, size_t n, sl_error **err)
{
    sl_error_start(err);
    if (w == NULL || w->blob.out == NULL || (p == NULL && n > 0)) {
        return sl_fail(err, SL_E_MISUSE, "bytes are appended to a blob that is not finished");
    }
    sl_status status = sl_blob_out_append(w->blob.out, p, n);
    return status == SL_OK
               ? SL_OK
               : sl_fail(err, status,
                         status == SL_E_FULL ? "the disk is full" : "the blob cannot be written");
}

sl_status sl_blob_finish(sl_blob_writer *w, const char *space, const char *media_type,
                         sl_bytes **sha256, sl_error **err)
{
    sl_error_start(err);
    if (sha256 != NULL) {
        *sha256 = NULL;
    }
    if (w == NULL || w->blob.out == NULL || !sl_space_ok(space) || media_type == NULL ||
        strlen(media_type) >= sizeof(((sl_upload *)NULL)->type)) {
        return sl_fail(err, SL_E_MISUSE, "a blob is finished once, with a space and a media type");
    }
    char hex[SL_SHA256_HEX_LEN + 1];
    sl_status status = sl_core_blob_end(w->core, &w->blob, space, media_type, hex, err);
    if (status == SL_OK && sha256 != NULL) {
        *sha256 = sl_bytes_text(hex);
        status = *sha256 != NULL ? SL_OK : sl_fail_nomem(err);
    }
    return status;
}

void sl_blob_drop(sl_blob_writer *w, int32_t keep)
{
    if (w == NULL) {
        return;
    }
    if (keep != 0 && w->draft[0] != '\0' && w->blob.out != NULL) {
        sl_blob_out_close(w->blob.out);
        w->blob.out = NULL;
    }
    sl_core_blob_drop(w->core, &w->blob);
    strike_off(w);
    sl_mem_free(w);
    sl_live_add(-1);
}
