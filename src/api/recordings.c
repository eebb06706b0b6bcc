/*
 * api/recordings.c - voices whose recorder was killed.
 *
 * The names of the files that recorders write are noted in the store while they do. What is noted
 * when a core opens was interrupted: it is made a whole file and offered until the host has removed
 * it. Only a failure to note is an error; what cannot be mended now is tried at the next opening.
 */
#include "api/inside.h"
#include "base/error.h"
#include "base/mem.h"
#include "engine/engine.h"
#include "voice/listen.h"
#include "voice/ogg.h"
#include "voice/resample.h"

#include <string.h>

static const char NOTED[] = "recordings"; /* an array of names in the folder's tmp */

enum {
    SIZE_MAX_MENDED = 256 * 1024 * 1024
};

static sl_json *noted(sl_core *core)
{
    char *text = NULL;
    (void)sl_store_meta(core->store, NOTED, &text, NULL);
    sl_json *list = text != NULL ? sl_json_parse(text, strlen(text)) : NULL;
    sl_mem_free(text);
    if (!sl_json_is_array(list)) {
        sl_json_free(list);
        list = sl_json_array();
    }
    return list;
}

static sl_status note(sl_core *core, const sl_json *list, sl_error **err)
{
    char *text = sl_json_count(list) > 0 ? sl_json_print(list) : NULL;
    if (text == NULL && sl_json_count(list) > 0) {
        return sl_fail_nomem(err);
    }
    sl_status status = sl_store_set_meta(core->store, NOTED, text, err);
    sl_mem_free(text);
    return status;
}

sl_status sl_core_recording(sl_core *core, const char *path, bool begins, sl_error **err)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    sl_lock(core->lock);
    sl_json *old = noted(core);
    sl_json *list = sl_json_array();
    bool ok = old != NULL && list != NULL;
    for (const sl_json *v = sl_json_first(old); ok && v != NULL; v = sl_json_next(v)) {
        const char *other = sl_json_text(v);
        ok = other == NULL || strcmp(other, name) == 0 || sl_json_add_str(list, other);
    }
    ok = ok && (!begins || sl_json_add_str(list, name));
    sl_status status = ok ? note(core, list, err) : sl_fail_nomem(err);
    sl_unlock(core->lock);
    sl_json_free(old);
    sl_json_free(list);
    return status;
}

/* --- at opening --------------------------------------------------------------------------- */

static bool offer(sl_core *core, const char *path, int64_t frames)
{
    sl_json *one = sl_json_object();
    bool ok =
        one != NULL && sl_json_set_str(one, "path", path) &&
        sl_json_set_int(one, "duration_us", (frames * 1000000 + SL_VOICE_RATE / 2) / SL_VOICE_RATE);
    if (!ok) {
        sl_json_free(one);
        return false;
    }
    return sl_json_add(core->recordings, one);
}

/* *n: the length of what is whole, 0 when there is no sound in it. Bytes of p may change. */
static sl_status mend_bytes(uint8_t *p, size_t *n, int64_t *frames)
{
    sl_listener *l = NULL;
    *n = sl_ogg_recover(p, *n);
    sl_status status = *n > 0 ? sl_listen_open(p, *n, &l, NULL) : SL_E_INVALID;
    if (status == SL_OK) {
        *frames = sl_listen_frames(l);
        sl_listen_close(l);
    }
    return status;
}

/* SL_E_INVALID: no voice. */
static sl_status mend_file(sl_core *core, void *file, int64_t *frames)
{
    const sl_platform *p = &core->platform;
    int64_t size = p->files->size(p->user, file);
    if (size < 0 || size > SIZE_MAX_MENDED) {
        return SL_E_LIMIT;
    }
    size_t n = (size_t)size;
    uint8_t *bytes = sl_mem(n + 1);
    if (bytes == NULL) {
        return SL_E_NOMEM;
    }
    sl_status status = p->files->read(p->user, file, bytes, n, 0) == size
                           ? mend_bytes(bytes, &n, frames)
                           : SL_E_IO;
    if (status == SL_OK) {
        status = p->files->write(p->user, file, bytes, n, 0);
    }
    if (status == SL_OK) {
        status = p->files->truncate(p->user, file, (int64_t)n);
    }
    if (status == SL_OK) {
        status = p->files->sync(p->user, file);
    }
    sl_mem_free(bytes);
    return status;
}

/* False when there is nothing to come back to. */
static bool recover(sl_core *core, const char *path)
{
    const sl_platform *p = &core->platform;
    void *file = NULL;
    int64_t frames = 0;
    sl_status status = p->files->open(p->user, path, SL_FILE_READ | SL_FILE_WRITE, &file);
    if (status != SL_OK) {
        return status != SL_E_NOT_FOUND;
    }
    status = mend_file(core, file, &frames);
    p->files->close(p->user, file);
    if (status == SL_E_INVALID) {
        (void)p->files->remove(p->user, path);
        return false;
    }
    if (status == SL_OK) {
        (void)offer(core, path, frames);
    }
    return true;
}

void sl_recordings_recover(sl_core *core)
{
    sl_lock(core->lock);
    sl_json *list = noted(core);
    sl_json *left = sl_json_array();
    core->recordings = sl_json_array();
    bool ok = list != NULL && left != NULL && core->recordings != NULL;
    for (const sl_json *v = sl_json_first(list); ok && v != NULL; v = sl_json_next(v)) {
        const char *name = sl_json_text(v);
        char *path = name != NULL && strchr(name, '/') == NULL
                         ? sl_text_fmt("%s/tmp/%s", sl_store_dir(core->store), name)
                         : NULL;
        bool there = path != NULL && recover(core, path);
        ok = !there || sl_json_add_str(left, name);
        sl_mem_free(path);
    }
    if (ok && sl_json_count(left) != sl_json_count(list)) {
        (void)note(core, left, NULL);
    }
    sl_unlock(core->lock);
    sl_json_free(list);
    sl_json_free(left);
}

sl_json *sl_recordings_info(sl_core *core)
{
    const sl_platform *p = &core->platform;
    sl_json *list = sl_json_array();
    bool ok = list != NULL;
    for (const sl_json *v = sl_json_first(core->recordings); ok && v != NULL; v = sl_json_next(v)) {
        if (p->files->exists(p->user, sl_json_str(v, "path")) == 1) {
            ok = sl_json_add(list, sl_json_clone(v));
        }
    }
    if (!ok) {
        sl_json_free(list);
        return NULL;
    }
    return list;
}
