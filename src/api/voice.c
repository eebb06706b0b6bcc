/*
 * api/voice.c - sl_recorder: the ring, the take and its file.
 *
 *     audio thread --write--> ring --pump--> take --> file --finish--> blob store
 *
 * The pump runs every 20 ms on a thread of the recorder's own; on a stepped core there is none
 * and the calls themselves pump. `lock` guards all but the ring and the atomics, and is never
 * taken by sl_recorder_write on a core with threads.
 */
#include "sideline/voice.h"

#include "api/inside.h"
#include "base/base64.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/thread.h"
#include "voice/ring.h"
#include "voice/take.h"

#include <stdatomic.h>
#include <string.h>

enum {
    COPY_STEP = 64 * 1024,
    RING_SECONDS = 10,
    PUMP_MS = 20,
    SYNC_MS = 1000,
    PUMP_FRAMES = 4096
};

typedef struct works {
    sl_core *core;
    sl_ring *ring;
    uint32_t channels;
    uint32_t ring_frames;
    sl_mutex *lock;
    sl_thread *thread; /* NULL on a stepped core */
    bool stop;
    sl_take *take;
    char *path;
    sl_draft *file; /* open until finished */
    int64_t size;
    int64_t synced; /* of size */
    int64_t sync_at_ms;
    sl_error *failure; /* the first one, of the disk or the encoder */
    float pcm[PUMP_FRAMES];
    atomic_bool recording;
    _Atomic int32_t failed; /* its status, for sl_recorder_write */
    _Atomic int64_t position_us;
} works;

struct sl_recorder {
    works *in;
};

static sl_status file_write(void *user, const uint8_t *p, size_t n, sl_error **err)
{
    works *w = user;
    sl_status status = sl_draft_write(w->file, p, n, w->size);
    if (status != SL_OK) {
        return sl_fail(err, status, "The voice could not be written to the disk");
    }
    w->size += (int64_t)n;
    return SL_OK;
}

static sl_status file_sync(works *w, sl_error **err)
{
    sl_status status = sl_draft_sync(w->file);
    if (status != SL_OK) {
        return sl_fail(err, status, "The voice could not be made safe on the disk");
    }
    w->synced = w->size;
    return SL_OK;
}

static void file_close(works *w, bool remove)
{
    const sl_platform *platform = sl_core_platform(w->core);
    if (w->file != NULL) {
        sl_draft_close(w->file);
        w->file = NULL;
    }
    if (remove && w->path != NULL) {
        (void)platform->files->remove(platform->user, w->path);
        (void)sl_core_recording(w->core, w->path, false, NULL);
    }
}

static sl_status note_failure(works *w, sl_status status)
{
    if (status != SL_OK) {
        atomic_store(&w->failed, status);
        atomic_store(&w->recording, false);
    }
    return status;
}

/* What is in the ring into the take, the file made safe once a second. Called locked. */
static void pump(works *w)
{
    uint32_t n = 0;
    sl_status status = SL_OK;
    if (sl_take_state_of(w->take) == SL_TAKE_RECORDING) {
        while (status == SL_OK && (n = sl_ring_read(w->ring, w->pcm, PUMP_FRAMES)) > 0) {
            status = note_failure(w, sl_take_push(w->take, w->pcm, n, &w->failure));
        }
        atomic_store(&w->position_us, sl_take_position_us(w->take));
    }
    const sl_platform *platform = sl_core_platform(w->core);
    int64_t now = platform->clock->mono_ms(platform->user);
    if (status == SL_OK && w->file != NULL && w->size > w->synced && now >= w->sync_at_ms) {
        (void)note_failure(w, file_sync(w, &w->failure));
        w->sync_at_ms = now + SYNC_MS;
    }
}

static void pump_thread(void *arg)
{
    works *w = arg;
    sl_lock(w->lock);
    while (!w->stop) {
        pump(w);
        sl_wait(w->lock, PUMP_MS);
    }
    sl_unlock(w->lock);
}

static void end_thread(works *w)
{
    if (w->thread != NULL) {
        sl_lock(w->lock);
        w->stop = true;
        sl_signal(w->lock);
        sl_unlock(w->lock);
        sl_thread_join(w->thread);
        w->thread = NULL;
    }
}

static void works_free(works *w)
{
    if (w == NULL) {
        return;
    }
    end_thread(w);
    file_close(w, w->file != NULL);
    sl_take_free(w->take);
    sl_ring_free(w->ring);
    sl_mutex_free(w->lock);
    sl_mem_free(w->path);
    sl_error_release(w->failure);
    sl_mem_free(w);
}

static sl_status read_settings(const char *json, size_t n, sl_take_config *config,
                               uint32_t *channels, sl_error **err)
{
    sl_json *j = NULL;
    sl_status status = sl_json_read(json, n, &j, err);
    if (status != SL_OK) {
        return status;
    }
    int64_t rate = sl_json_int_or(j, "rate", 0);
    int64_t count = sl_json_int_or(j, "channels", 0);
    int64_t bitrate = sl_json_int_or(j, "bitrate", SL_TAKE_BITRATE);
    sl_json_free(j);
    if (count != 1 && count != 2) {
        return sl_fail_field(err, SL_E_INVALID, "channels", "There must be 1 or 2 channels");
    }
    if (rate < SL_VOICE_RATE_MIN || rate > SL_VOICE_RATE_MAX) {
        return sl_fail_field(err, SL_E_INVALID, "rate", "The rate must be %d to %d frames a second",
                             SL_VOICE_RATE_MIN, SL_VOICE_RATE_MAX);
    }
    bool fits = bitrate >= SL_TAKE_BITRATE_MIN && bitrate <= SL_TAKE_BITRATE_MAX;
    config->rate = (int32_t)rate;
    config->bitrate = fits ? (int32_t)bitrate : 0; /* 0: the take refuses it */
    *channels = (uint32_t)count;
    return SL_OK;
}

static sl_status open_file(works *w, sl_error **err)
{
    w->path = sl_core_temp_path(w->core, ".ogg");
    if (w->path == NULL) {
        return sl_fail_nomem(err);
    }
    sl_status status = sl_core_draft_open(
        w->core, w->path, SL_FILE_WRITE | SL_FILE_CREATE | SL_FILE_TRUNCATE, &w->file);
    if (status != SL_OK) {
        return sl_fail(err, status, "The file for the voice could not be made");
    }
    return sl_core_recording(w->core, w->path, true, err);
}

static sl_status start(works *w, sl_take_config *config, sl_error **err)
{
    const sl_platform *platform = sl_core_platform(w->core);
    config->write = file_write;
    config->user = w;
    sl_status status =
        platform->random->fill(platform->user, &config->serial, sizeof config->serial);
    if (status != SL_OK) {
        return sl_fail(err, status, "There are no random numbers");
    }
    status = sl_take_new(config, &w->take, err);
    if (status != SL_OK) {
        return status;
    }
    w->ring_frames = (uint32_t)config->rate * RING_SECONDS;
    w->ring = sl_ring_new(w->ring_frames);
    w->lock = sl_mutex_new();
    if (w->ring == NULL || w->lock == NULL) {
        return sl_fail_nomem(err);
    }
    status = open_file(w, err);
    if (status == SL_OK && !sl_core_is_stepped(w->core)) {
        w->thread = sl_thread_start(pump_thread, w);
        status = w->thread != NULL ? SL_OK : sl_fail_nomem(err);
    }
    return status;
}

sl_status sl_recorder_new(sl_core *core, const char *json, size_t n, sl_recorder **out,
                          sl_error **err)
{
    sl_error_start(err);
    if (core == NULL || json == NULL || out == NULL) {
        return sl_fail(err, SL_E_MISUSE, "sl_recorder_new needs a core, settings and a result");
    }
    *out = NULL;
    sl_take_config config = {0};
    uint32_t channels = 0;
    sl_status status = read_settings(json, n, &config, &channels, err);
    if (status != SL_OK) {
        return status;
    }
    sl_recorder *r = sl_mem(sizeof *r);
    works *w = sl_mem(sizeof *w);
    if (r == NULL || w == NULL) {
        sl_mem_free(r);
        sl_mem_free(w);
        return sl_fail_nomem(err);
    }
    w->core = core;
    w->channels = channels;
    status = start(w, &config, err);
    if (status != SL_OK) {
        works_free(w);
        sl_mem_free(r);
        return status;
    }
    r->in = w;
    sl_live_add(1);
    *out = r;
    return SL_OK;
}

void sl_recorder_free(sl_recorder *r)
{
    if (r != NULL) {
        works_free(r->in);
        sl_mem_free(r);
        sl_live_add(-1);
    }
}

/* A failure that happened beside the calls, with its own words. */
static sl_status tell_failure(const works *w, sl_error **err)
{
    return sl_fail(err, sl_error_code(w->failure), "%s", sl_error_message(w->failure));
}

sl_status sl_recorder_command(sl_recorder *r, int32_t command, sl_error **err)
{
    sl_error_start(err);
    if (r == NULL || (command != SL_RECORDER_RECORD && command != SL_RECORDER_PAUSE)) {
        return sl_fail(err, SL_E_MISUSE, "sl_recorder_command needs a recorder and a command");
    }
    works *w = r->in;
    bool record = command == SL_RECORDER_RECORD;
    sl_lock(w->lock);
    if (!record) {
        /* What was written until now belongs to the voice. */
        atomic_store(&w->recording, false);
        pump(w);
    }
    sl_status status = SL_OK;
    if (w->failure != NULL) {
        status = tell_failure(w, err);
    } else {
        status = sl_take_command_run(w->take, record ? SL_TAKE_RECORD : SL_TAKE_PAUSE, err);
    }
    bool recording = sl_take_state_of(w->take) == SL_TAKE_RECORDING;
    atomic_store(&w->recording, recording && w->failure == NULL);
    sl_unlock(w->lock);
    return status;
}

/* On a stepped core nobody else empties the ring: piece by piece, so that all of it fits. */
static float write_stepped(works *w, const float *pcm, uint32_t frames)
{
    float level = 0.0F;
    while (frames > 0) {
        uint32_t n = frames < w->ring_frames ? frames : w->ring_frames;
        float peak = sl_ring_write(w->ring, pcm, n, w->channels);
        level = peak > level ? peak : level;
        pcm += (size_t)n * w->channels;
        frames -= n;
        sl_lock(w->lock);
        pump(w);
        sl_unlock(w->lock);
    }
    return level;
}

sl_status sl_recorder_write(sl_recorder *r, const float *pcm, uint32_t frames, float *level)
{
    if (r == NULL || (pcm == NULL && frames > 0)) {
        return SL_E_MISUSE;
    }
    works *w = r->in;
    float peak = 0.0F;
    if (!atomic_load(&w->recording)) {
        peak = sl_ring_peak(pcm, frames, w->channels);
    } else if (w->thread == NULL) {
        peak = write_stepped(w, pcm, frames);
    } else {
        peak = sl_ring_write(w->ring, pcm, frames, w->channels);
    }
    if (level != NULL) {
        *level = peak;
    }
    return atomic_load(&w->failed);
}

int64_t sl_recorder_position(const sl_recorder *r)
{
    return r == NULL ? 0 : atomic_load(&r->in->position_us);
}

/* What was lost at the very end is silence too; then the file ends. Called locked. */
static sl_status end_take(works *w, sl_error **err)
{
    atomic_store(&w->recording, false);
    pump(w);
    uint64_t lost = w->failure == NULL ? sl_ring_tail(w->ring) : 0;
    memset(w->pcm, 0, sizeof w->pcm);
    while (lost > 0 && w->failure == NULL) {
        size_t n = lost < PUMP_FRAMES ? (size_t)lost : PUMP_FRAMES;
        (void)note_failure(w, sl_take_push(w->take, w->pcm, n, &w->failure));
        lost -= n;
    }
    if (w->failure != NULL) {
        return tell_failure(w, err);
    }
    sl_status status = sl_take_command_run(w->take, SL_TAKE_FINISH, err);
    atomic_store(&w->position_us, sl_take_position_us(w->take));
    if (status == SL_OK) {
        status = file_sync(w, err);
    }
    return status;
}

static sl_status result(const works *w, const char *hex, sl_bytes **out, sl_error **err)
{
    const sl_peaks *peaks = sl_take_peaks(w->take);
    int64_t frames = sl_take_frames(w->take);
    sl_buf text = {0};
    sl_base64(&text, peaks->pair, (size_t)peaks->count * 2);
    sl_json *j = sl_json_object();
    bool ok =
        j != NULL && !text.failed && sl_json_set_str(j, "blob", hex) &&
        sl_json_set_int(j, "duration_us", (frames * 1000000 + SL_VOICE_RATE / 2) / SL_VOICE_RATE) &&
        sl_json_set_str(j, "peaks", sl_buf_text(&text)) &&
        sl_json_set_int(j, "dropped", (int64_t)sl_ring_dropped(w->ring));
    *out = ok ? sl_json_bytes(j) : NULL;
    sl_json_free(j);
    sl_buf_free(&text);
    return *out != NULL ? SL_OK : sl_fail_nomem(err);
}

static sl_status copy_voice(works *w, sl_draft *from, sl_blob_out *to, sl_error **err)
{
    uint8_t *step = sl_mem(COPY_STEP);
    int64_t at = 0;
    sl_status status = step != NULL ? SL_OK : sl_fail_nomem(err);
    while (status == SL_OK && at < w->size) {
        int64_t left = w->size - at;
        int64_t n = sl_draft_read(from, step, (size_t)(left < COPY_STEP ? left : COPY_STEP), at);
        status = n > 0 ? sl_blob_out_append(to, step, (size_t)n) : n < 0 ? (sl_status)n : SL_E_IO;
        at += n;
    }
    sl_mem_free(step);
    return status == SL_OK ? SL_OK : sl_fail(err, status, "The voice could not be kept");
}

/* The finished file becomes a blob. It is there until then, for when the program is killed. */
static sl_status keep_file(works *w, const char *space, char hex[65], sl_error **err)
{
    sl_draft *draft = NULL;
    sl_core_blob blob = {.path = NULL};
    sl_status status = sl_core_draft_open(w->core, w->path, SL_FILE_READ, &draft);
    if (status != SL_OK) {
        return sl_fail(err, status, "The voice could not be read back");
    }
    status = sl_core_blob_begin(w->core, &blob, err);
    if (status == SL_OK) {
        status = copy_voice(w, draft, blob.out, err);
    }
    sl_draft_close(draft);
    if (status == SL_OK) {
        status = sl_core_blob_end(w->core, &blob, space, "audio/ogg", hex, err);
    }
    sl_core_blob_drop(w->core, &blob);
    return status;
}

static sl_status keep_take(works *w, const char *space, sl_bytes **out, sl_error **err)
{
    sl_lock(w->lock);
    sl_status status = end_take(w, err);
    if (status != SL_OK) {
        bool recording = sl_take_state_of(w->take) == SL_TAKE_RECORDING;
        atomic_store(&w->recording, recording && w->failure == NULL);
    }
    sl_unlock(w->lock);
    if (status != SL_OK) {
        return status;
    }
    end_thread(w);
    file_close(w, false);
    char hex[65];
    status = keep_file(w, space, hex, err);
    if (status == SL_OK) { /* else it is found when the folder is next opened */
        file_close(w, true);
    }
    return status == SL_OK ? result(w, hex, out, err) : status;
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
    works *w = r->in;
    if (keep != 0) {
        return keep_take(w, space, out, err);
    }
    atomic_store(&w->recording, false);
    sl_lock(w->lock);
    sl_status status = sl_take_command_run(w->take, SL_TAKE_CANCEL, err);
    sl_unlock(w->lock);
    if (status == SL_OK) {
        end_thread(w);
        file_close(w, true);
    }
    return status;
}
