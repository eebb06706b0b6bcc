/*
 * api/recordings.c - voices whose recorder was killed, or left behind.
 *
 * The names of the files that recorders write are noted in the store while they do, and the note that
 * the host gave. What is noted when a core opens was interrupted: it is made a whole file and offered
 * until it is removed. Only a failure to note is an error; what cannot be mended now is tried at the
 * next opening.
 */
#include "api/inside.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "engine/engine.h"
#include "sideline/voice.h"
#include "voice/listen.h"
#include "voice/ogg.h"
#include "voice/resample.h"

#include <string.h>

/* An array of names in the folder's tmp, {"name","note"} where the host gave a note. */
static const char NOTED[] = "recordings";

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

static const char *name_of(const sl_json *entry)
{
    const char *plain = sl_json_text(entry);
    return plain != NULL ? plain : sl_json_str(entry, "name");
}

static const char *last_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static bool add_entry(sl_json *list, const char *name, const char *text)
{
    if (text == NULL) {
        return sl_json_add_str(list, name);
    }
    sl_json *entry = sl_json_object();
    bool ok = entry != NULL && sl_json_set_str(entry, "name", name) &&
              sl_json_set_str(entry, "note", text);
    if (!ok) {
        sl_json_free(entry);
        return false;
    }
    return sl_json_add(list, entry);
}

static sl_status set_noted(sl_core *core, const sl_json *list, sl_error **err)
{
    char *text = sl_json_count(list) > 0 ? sl_json_print(list) : NULL;
    if (text == NULL && sl_json_count(list) > 0) {
        return sl_fail_nomem(err);
    }
    sl_status status = sl_store_set_meta(core->store, NOTED, text, err);
    sl_mem_free(text);
    return status;
}

/* Called locked. */
static sl_status renote(sl_core *core, const char *path, bool begins, const char *text,
                        sl_error **err)
{
    const char *name = last_of(path);
    sl_json *old = noted(core);
    sl_json *list = sl_json_array();
    bool ok = old != NULL && list != NULL;
    for (const sl_json *v = sl_json_first(old); ok && v != NULL; v = sl_json_next(v)) {
        const char *other = name_of(v);
        ok = other == NULL || strcmp(other, name) == 0 || sl_json_add(list, sl_json_clone(v));
    }
    ok = ok && (!begins || add_entry(list, name, text));
    sl_status status = ok ? set_noted(core, list, err) : sl_fail_nomem(err);
    sl_json_free(old);
    sl_json_free(list);
    return status;
}

sl_status sl_core_recording(sl_core *core, const char *path, bool begins, const char *note,
                            sl_error **err)
{
    sl_lock(core->lock);
    sl_status status = renote(core, path, begins, note, err);
    sl_unlock(core->lock);
    return status;
}

/* --- at opening --------------------------------------------------------------------------- */

static bool offer(sl_core *core, const char *path, int64_t frames, const char *text)
{
    sl_json *one = sl_json_object();
    bool ok = one != NULL && sl_json_set_str(one, "path", path) &&
              sl_json_set_int(one, "duration_us",
                              (frames * 1000000 + SL_VOICE_RATE / 2) / SL_VOICE_RATE) &&
              (text == NULL || sl_json_set_str(one, "note", text));
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

/* What mending changed goes to the file; what was whole already needs no room on the disk. */
static sl_status write_mended(sl_draft *file, const uint8_t *bytes, size_t n, bool changed)
{
    sl_status status = changed ? sl_draft_write(file, bytes, n, 0) : SL_OK;
    if (status == SL_OK && (int64_t)n != sl_draft_size(file)) {
        status = sl_draft_truncate(file, (int64_t)n);
    }
    return status == SL_OK ? sl_draft_sync(file) : status;
}

/* SL_E_INVALID: no voice. SL_E_FULL: it is one, but for the marks of its end. */
static sl_status mend_file(sl_draft *file, int64_t *frames)
{
    int64_t size = sl_draft_size(file);
    if (size < 0 || size > SIZE_MAX_MENDED) {
        return SL_E_LIMIT;
    }
    size_t n = (size_t)size;
    uint8_t *bytes = sl_mem(n + 1);
    if (bytes == NULL) {
        return SL_E_NOMEM;
    }
    sl_status status = sl_draft_read(file, bytes, n, 0) == size ? SL_OK : SL_E_IO;
    uint32_t before = sl_ogg_crc(bytes, n);
    if (status == SL_OK) {
        status = mend_bytes(bytes, &n, frames);
    }
    if (status == SL_OK) {
        bool changed = n != (size_t)size || sl_ogg_crc(bytes, n) != before;
        status = write_mended(file, bytes, n, changed);
    }
    sl_mem_free(bytes);
    return status;
}

/* False when there is nothing to come back to. */
static bool recover(sl_core *core, const char *path, const char *text)
{
    const sl_platform *p = &core->platform;
    sl_draft *file = NULL;
    int64_t frames = 0;
    sl_status status = sl_core_draft_open(core, path, SL_FILE_READ | SL_FILE_WRITE, &file);
    if (status != SL_OK) {
        return status != SL_E_NOT_FOUND;
    }
    status = mend_file(file, &frames);
    sl_draft_close(file);
    if (status == SL_E_INVALID) {
        (void)p->files->remove(p->user, path);
        return false;
    }
    if (status == SL_OK || status == SL_E_FULL) {
        (void)offer(core, path, frames, text);
    }
    return true;
}

void sl_recording_keep(sl_core *core, const char *path)
{
    sl_lock(core->lock);
    if (core->recordings == NULL) {
        core->recordings = sl_json_array();
    }
    sl_json *list = noted(core);
    const char *text = NULL;
    for (const sl_json *v = sl_json_first(list); v != NULL; v = sl_json_next(v)) {
        const char *name = name_of(v);
        text = name != NULL && strcmp(name, last_of(path)) == 0 ? sl_json_str(v, "note") : text;
    }
    if (core->recordings != NULL && !recover(core, path, text)) {
        (void)renote(core, path, false, NULL, NULL);
    }
    sl_unlock(core->lock);
    sl_json_free(list);
}

void sl_recordings_recover(sl_core *core)
{
    sl_lock(core->lock);
    sl_json *list = noted(core);
    sl_json *left = sl_json_array();
    core->recordings = sl_json_array();
    bool ok = list != NULL && left != NULL && core->recordings != NULL;
    for (const sl_json *v = sl_json_first(list); ok && v != NULL; v = sl_json_next(v)) {
        const char *name = name_of(v);
        char *path = name != NULL && strchr(name, '/') == NULL
                         ? sl_text_fmt("%s/tmp/%s", sl_store_dir(core->store), name)
                         : NULL;
        bool there = path != NULL && recover(core, path, sl_json_str(v, "note"));
        ok = !there || sl_json_add(left, sl_json_clone(v));
        sl_mem_free(path);
    }
    if (ok && sl_json_count(left) != sl_json_count(list)) {
        (void)set_noted(core, left, NULL);
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

/* --- taking one ----------------------------------------------------------------------------- */

static bool is_offered(sl_core *core, const char *path)
{
    const sl_platform *p = &core->platform;
    bool found = false;
    sl_lock(core->lock);
    for (const sl_json *v = sl_json_first(core->recordings); v != NULL; v = sl_json_next(v)) {
        found = found || strcmp(sl_json_str(v, "path"), path) == 0;
    }
    found = found && p->files->exists(p->user, path) == 1;
    sl_unlock(core->lock);
    return found;
}

/* A sealed file may look a few bytes longer: what follows the last whole page is no voice. */
static sl_status read_draft(sl_draft *file, sl_buf *out)
{
    int64_t size = sl_draft_size(file);
    if (size < 0 || size > SIZE_MAX_MENDED) {
        return size < 0 ? (sl_status)size : SL_E_LIMIT;
    }
    uint8_t *room = sl_buf_room(out, (size_t)size);
    if (room == NULL) {
        return SL_E_NOMEM;
    }
    int64_t got = sl_draft_read(file, room, (size_t)size, 0);
    out->len = got > 0 ? sl_ogg_recover(room, (size_t)got) : 0;
    return got < 0 ? (sl_status)got : SL_OK;
}

sl_status sl_recording_read(sl_core *core, const char *path, sl_bytes **out, sl_error **err)
{
    sl_error_start(err);
    if (core == NULL || path == NULL || out == NULL) {
        return sl_fail(err, SL_E_MISUSE, "sl_recording_read needs a core, a path and a result");
    }
    *out = NULL;
    if (!is_offered(core, path)) {
        return sl_fail(err, SL_E_NOT_FOUND, "There is no such interrupted recording");
    }
    sl_draft *file = NULL;
    sl_buf bytes = {0};
    sl_status status = sl_core_draft_open(core, path, SL_FILE_READ, &file);
    if (status == SL_OK) {
        status = read_draft(file, &bytes);
    }
    sl_draft_close(file);
    if (status != SL_OK) {
        sl_buf_free(&bytes);
        return sl_fail(err, status, "The recording cannot be read");
    }
    *out = sl_buf_bytes(&bytes);
    return *out != NULL ? SL_OK : sl_fail_nomem(err);
}

sl_status sl_recording_remove(sl_core *core, const char *path, sl_error **err)
{
    sl_error_start(err);
    if (core == NULL || path == NULL) {
        return sl_fail(err, SL_E_MISUSE, "sl_recording_remove needs a core and a path");
    }
    if (!is_offered(core, path)) {
        return sl_fail(err, SL_E_NOT_FOUND, "There is no such interrupted recording");
    }
    const sl_platform *p = &core->platform;
    sl_status status = p->files->remove(p->user, path);
    if (status != SL_OK) {
        return sl_fail(err, status, "The recording cannot be removed");
    }
    return sl_core_recording(core, path, false, NULL, err);
}
