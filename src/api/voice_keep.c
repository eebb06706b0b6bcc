/*
 * api/voice_keep.c - the file of a recorder while it grows, and what becomes of it at the end.
 */
#include "api/recorder.h"
#include "base/base64.h"
#include "base/error.h"
#include "base/mem.h"
#include "voice/regroup.h"

#include <string.h>

enum {
    COPY_STEP = 64 * 1024,
    SILENCE_BLOCKS = 25, /* half a second */
    SILENCES_MAX = 1000
};

/* --- the file ----------------------------------------------------------------------------- */

static sl_status file_write(void *user, const uint8_t *p, size_t n, int64_t at, sl_error **err)
{
    sl_recorder *r = user;
    sl_status status = sl_draft_write(r->file, p, n, at);
    if (status != SL_OK) {
        return sl_fail(err, status, "The voice could not be written to the disk");
    }
    r->size = at + (int64_t)n > r->size ? at + (int64_t)n : r->size;
    r->synced = r->synced < r->size ? r->synced : r->size - 1;
    return SL_OK;
}

static sl_status file_read(void *user, uint8_t *p, size_t n, int64_t at, sl_error **err)
{
    sl_recorder *r = user;
    int64_t got = sl_draft_read(r->file, p, n, at);
    if (got != (int64_t)n) {
        return sl_fail(err, got < 0 ? (sl_status)got : SL_E_IO, "The voice could not be read back");
    }
    return SL_OK;
}

static sl_status file_truncate(void *user, int64_t size, sl_error **err)
{
    sl_recorder *r = user;
    sl_status status = sl_draft_truncate(r->file, size);
    if (status != SL_OK) {
        return sl_fail(err, status, "The voice could not be cut back");
    }
    r->size = size;
    r->synced = r->synced < size ? r->synced : size - 1;
    return SL_OK;
}

sl_spool_file sl_recorder_file(sl_recorder *r)
{
    return (sl_spool_file){file_write, file_read, file_truncate, r};
}

sl_status sl_recorder_open_file(sl_recorder *r, sl_error **err)
{
    r->path = sl_core_temp_path(r->core, ".ogg");
    if (r->path == NULL) {
        return sl_fail_nomem(err);
    }
    sl_status status = sl_core_draft_open(
        r->core, r->path, SL_FILE_READ | SL_FILE_WRITE | SL_FILE_CREATE | SL_FILE_TRUNCATE,
        &r->file);
    if (status != SL_OK) {
        return sl_fail(err, status, "The file for the voice could not be made");
    }
    return sl_core_recording(r->core, r->path, true, r->note, err);
}

sl_status sl_recorder_sync_file(sl_recorder *r, sl_error **err)
{
    sl_status status = sl_draft_sync(r->file);
    if (status != SL_OK) {
        return sl_fail(err, status, "The voice could not be made safe on the disk");
    }
    r->synced = r->size;
    return SL_OK;
}

void sl_recorder_close_file(sl_recorder *r, bool keep)
{
    const sl_platform *platform = sl_core_platform(r->core);
    if (r->file != NULL) {
        sl_draft_close(r->file);
        r->file = NULL;
    }
    if (r->path == NULL) {
        return;
    }
    if (keep) {
        sl_recording_keep(r->core, r->path);
    } else {
        (void)platform->files->remove(platform->user, r->path);
        (void)sl_core_recording(r->core, r->path, false, NULL, NULL);
    }
}

/* --- the end ------------------------------------------------------------------------------ */

/* What was lost at the very end is silence too; then the file ends. Called locked. */
static sl_status end_take(sl_recorder *r, sl_error **err)
{
    atomic_store(&r->recording, false);
    sl_recorder_pump(r);
    uint64_t lost = r->failure == NULL ? sl_ring_tail(r->ring) : 0;
    memset(r->pcm, 0, sizeof r->pcm);
    while (lost > 0 && r->failure == NULL) {
        size_t n = lost < SL_RECORDER_PUMP_FRAMES ? (size_t)lost : SL_RECORDER_PUMP_FRAMES;
        (void)sl_recorder_note(r, sl_take_push(r->take, r->pcm, n, &r->failure));
        lost -= n;
    }
    if (r->failure != NULL) {
        return sl_recorder_tell(r, err);
    }
    sl_status status = sl_take_command_run(r->take, SL_TAKE_FINISH, 0, &r->failure);
    if (status == SL_OK) {
        status = sl_recorder_sync_file(r, &r->failure);
    }
    if (status == SL_OK) {
        return SL_OK;
    }
    (void)sl_recorder_tell(r, err);
    if (sl_take_failure(r->take) == SL_OK && sl_take_state_of(r->take) != SL_TAKE_FINISHED) {
        sl_error_release(r->failure); /* refused, and no failure */
        r->failure = NULL;
        return status;
    }
    return sl_recorder_note(r, status);
}

bool sl_recorder_leave(sl_recorder *r)
{
    if (r->note == NULL) {
        return false;
    }
    sl_lock(r->lock);
    bool kept = end_take(r, NULL) == SL_OK;
    sl_unlock(r->lock);
    return kept;
}

static bool set_loudness(sl_json *j, const sl_take_facts *facts)
{
    if (facts->loudness < -100.0) {
        return sl_json_set_null(j, "loudness");
    }
    sl_json *loudness = sl_json_object();
    bool ok = loudness != NULL && sl_json_set_num(loudness, "lufs", facts->loudness) &&
              sl_json_set_num(loudness, "peak_db", facts->peak) &&
              sl_json_set_num(loudness, "gain_db", facts->gain);
    if (!ok) {
        sl_json_free(loudness);
        return false;
    }
    return sl_json_set(j, "loudness", loudness);
}

static bool add_silence(sl_json *list, size_t from, size_t to)
{
    int64_t block_us = (int64_t)SL_CHAIN_BLOCK * 1000000 / SL_VOICE_RATE;
    sl_json *pair = sl_json_array();
    bool ok = pair != NULL && sl_json_add_num(pair, (double)((int64_t)from * block_us)) &&
              sl_json_add_num(pair, (double)((int64_t)to * block_us));
    if (!ok) {
        sl_json_free(pair);
        return false;
    }
    return sl_json_add(list, pair);
}

static bool set_silences(sl_json *j, const sl_buf *speech)
{
    sl_json *list = sl_json_array();
    bool ok = list != NULL && sl_json_set(j, "silences", list);
    for (size_t i = 0; ok && i < speech->len;) {
        size_t n = 0;
        while (i + n < speech->len && speech->data[i + n] == 0) {
            n++;
        }
        if (n >= SILENCE_BLOCKS && sl_json_count(list) < SILENCES_MAX) {
            ok = add_silence(list, i, i + n);
        }
        i += n + 1;
    }
    return ok;
}

static sl_status result(const sl_recorder *r, const char *hex, sl_bytes **out, sl_error **err)
{
    const sl_peaks *peaks = sl_take_peaks(r->take);
    const sl_buf *speech = sl_take_speech(r->take);
    sl_take_facts facts;
    sl_take_tell(r->take, &facts);
    sl_buf text = {0};
    sl_base64(&text, peaks->pair, (size_t)peaks->count * 2);
    sl_json *j = sl_json_object();
    int64_t us = (facts.frames * 1000000 + SL_VOICE_RATE / 2) / SL_VOICE_RATE;
    bool ok = j != NULL && !text.failed && sl_json_set_str(j, "blob", hex) &&
              sl_json_set_int(j, "duration_us", us) &&
              sl_json_set_str(j, "peaks", sl_buf_text(&text)) &&
              sl_json_set_int(j, "dropped", (int64_t)sl_ring_dropped(r->ring)) &&
              set_loudness(j, &facts) && (speech->len == 0 || set_silences(j, speech));
    *out = ok ? sl_json_bytes(j) : NULL;
    sl_json_free(j);
    sl_buf_free(&text);
    return *out != NULL ? SL_OK : sl_fail_nomem(err);
}

static sl_status copy_some(sl_regroup *g, sl_buf *pages, const uint8_t *p, size_t n,
                           sl_blob_out *to, sl_error **err)
{
    sl_status status = sl_regroup_put(g, p, n, pages, err);
    if (status == SL_OK && pages->len > 0) {
        status = sl_blob_out_append(to, pages->data, pages->len);
        sl_buf_clear(pages);
        status = status == SL_OK ? SL_OK : sl_fail(err, status, "The voice could not be kept");
    }
    return status;
}

static sl_status copy_voice(sl_recorder *r, sl_draft *from, sl_blob_out *to, sl_error **err)
{
    uint8_t *step = sl_mem(COPY_STEP);
    sl_regroup g = {.ended = false};
    sl_buf pages = {0};
    int64_t at = 0;
    sl_status status = step != NULL ? SL_OK : sl_fail_nomem(err);
    while (status == SL_OK && at < r->size) {
        int64_t left = r->size - at;
        int64_t n = sl_draft_read(from, step, (size_t)(left < COPY_STEP ? left : COPY_STEP), at);
        status = n > 0 ? copy_some(&g, &pages, step, (size_t)n, to, err)
                       : sl_fail(err, n < 0 ? (sl_status)n : SL_E_IO,
                                 "The voice could not be read back");
        at += n;
    }
    status = status == SL_OK ? sl_regroup_end(&g, err) : status;
    sl_regroup_free(&g);
    sl_buf_free(&pages);
    sl_mem_free(step);
    return status;
}

/* The finished file becomes a blob. It is there until then, for when the program is killed. */
static sl_status keep_file(sl_recorder *r, const char *space, char hex[65], sl_error **err)
{
    sl_draft *draft = NULL;
    sl_core_blob blob = {.path = NULL};
    sl_status status = sl_core_draft_open(r->core, r->path, SL_FILE_READ, &draft);
    if (status != SL_OK) {
        return sl_fail(err, status, "The voice could not be read back");
    }
    status = sl_core_blob_begin(r->core, &blob, err);
    if (status == SL_OK) {
        status = copy_voice(r, draft, blob.out, err);
    }
    sl_draft_close(draft);
    if (status == SL_OK) {
        status = sl_core_blob_end(r->core, &blob, space, "audio/ogg", hex, err);
    }
    sl_core_blob_drop(r->core, &blob);
    return status;
}

static sl_status keep_take(sl_recorder *r, const char *space, sl_bytes **out, sl_error **err)
{
    sl_lock(r->lock);
    sl_status status = end_take(r, err);
    sl_recorder_show(r);
    sl_unlock(r->lock);
    if (status != SL_OK) {
        return status;
    }
    sl_recorder_close_mic(r);
    sl_recorder_end_thread(r);
    sl_draft_close(r->file);
    r->file = NULL;
    char hex[65];
    status = keep_file(r, space, hex, err);
    sl_recorder_close_file(r, status != SL_OK);
    return status == SL_OK ? result(r, hex, out, err) : status;
}

sl_status sl_recorder_finish(sl_recorder *r, const char *space, int32_t keep, sl_bytes **out,
                             sl_error **err)
{
    sl_error_start(err);
    if (out != NULL) {
        *out = NULL;
    }
    if (r == NULL || (keep != 0 && (space == NULL || out == NULL))) {
        return sl_fail(err, SL_E_MISUSE, "sl_recorder_finish needs a recorder, space and result");
    }
    if (keep != 0) {
        return keep_take(r, space, out, err);
    }
    atomic_store(&r->recording, false);
    sl_lock(r->lock);
    sl_status status = sl_take_state_of(r->take) == SL_TAKE_CANCELLED
                           ? SL_OK
                           : sl_take_command_run(r->take, SL_TAKE_SWIPE, 0, err);
    sl_recorder_show(r);
    sl_unlock(r->lock);
    if (status == SL_OK) {
        sl_recorder_close_mic(r);
        sl_recorder_end_thread(r);
        sl_recorder_close_file(r, false);
    }
    return status;
}
