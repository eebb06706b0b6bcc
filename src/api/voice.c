/*
 * api/voice.c - sl_recorder: beginning, commands, writing, what can be seen of it.
 */
#include "api/recorder.h"
#include "base/error.h"
#include "base/mem.h"

#include <string.h>

enum {
    RING_SECONDS = 10,
    PUMP_MS = 20,
    SYNC_MS = 1000,
    NOTE_MAX = 1000
};

/* --- the pump ----------------------------------------------------------------------------- */

sl_status sl_recorder_note(sl_recorder *r, sl_status status)
{
    if (status != SL_OK) {
        atomic_store(&r->failed, status);
        atomic_store(&r->recording, false);
    }
    return status;
}

void sl_recorder_show(sl_recorder *r)
{
    sl_take_state state = sl_take_state_of(r->take);
    atomic_store(&r->state, (int32_t)state);
    atomic_store(&r->position_us, sl_take_position_us(r->take));
    atomic_store(&r->recording, sl_machine_takes(state) && r->failure == NULL);
}

void sl_recorder_pump(sl_recorder *r)
{
    uint32_t n = 0;
    sl_status status = SL_OK;
    if (sl_machine_takes(sl_take_state_of(r->take))) {
        while (status == SL_OK &&
               (n = sl_ring_read(r->ring, r->pcm, SL_RECORDER_PUMP_FRAMES)) > 0) {
            status = sl_recorder_note(r, sl_take_push(r->take, r->pcm, n, &r->failure));
        }
        atomic_store(&r->position_us, sl_take_position_us(r->take));
    }
    const sl_platform *platform = sl_core_platform(r->core);
    int64_t now = platform->clock->mono_ms(platform->user);
    if (status == SL_OK && r->file != NULL && r->size > r->synced && now >= r->sync_at_ms) {
        (void)sl_recorder_note(r, sl_recorder_sync_file(r, &r->failure));
        r->sync_at_ms = now + SYNC_MS;
    }
}

static void pump_thread(void *arg)
{
    sl_recorder *r = arg;
    sl_lock(r->lock);
    while (!r->stop) {
        sl_recorder_pump(r);
        sl_recorder_watch_mic(r);
        sl_wait(r->lock, PUMP_MS);
    }
    sl_unlock(r->lock);
}

void sl_recorder_end_thread(sl_recorder *r)
{
    if (r->thread != NULL) {
        sl_lock(r->lock);
        r->stop = true;
        sl_signal(r->lock);
        sl_unlock(r->lock);
        sl_thread_join(r->thread);
        r->thread = NULL;
    }
}

/* --- beginning and end -------------------------------------------------------------------- */

static void works_free(sl_recorder *r)
{
    sl_recorder_close_mic(r);
    sl_recorder_end_thread(r);
    if (r->file != NULL) {
        /* What the disk could no longer take is worth keeping; what nobody finished only with a note. */
        bool cancelled = r->take == NULL || sl_take_state_of(r->take) == SL_TAKE_CANCELLED;
        sl_recorder_close_file(r, !cancelled && (r->failure != NULL || sl_recorder_leave(r)));
    }
    sl_take_free(r->take);
    sl_ring_free(r->ring);
    sl_mutex_free(r->lock);
    sl_mem_free(r->path);
    sl_mem_free(r->note);
    sl_error_release(r->failure);
    sl_mem_free(r);
}

static sl_status check_format(int64_t rate, int64_t channels, sl_error **err)
{
    if (channels != 1 && channels != 2) {
        return sl_fail_field(err, SL_E_INVALID, "channels", "There must be 1 or 2 channels");
    }
    if (rate < SL_VOICE_RATE_MIN || rate > SL_VOICE_RATE_MAX) {
        return sl_fail_field(err, SL_E_INVALID, "rate", "The rate must be %d to %d frames a second",
                             SL_VOICE_RATE_MIN, SL_VOICE_RATE_MAX);
    }
    return SL_OK;
}

/* What does not fit in 32 bits becomes what the take refuses. */
static int32_t small(const sl_json *j, const char *key, int32_t otherwise)
{
    int64_t v = sl_json_int_or(j, key, otherwise);
    return v >= INT32_MIN && v <= INT32_MAX ? (int32_t)v : INT32_MIN;
}

static sl_status read_note(const sl_json *j, char **note, sl_error **err)
{
    const char *text = sl_json_str(j, "note");
    if (text != NULL && strlen(text) > NOTE_MAX) {
        return sl_fail_field(err, SL_E_INVALID, "note", "A note has up to %d bytes", NOTE_MAX);
    }
    *note = text != NULL ? sl_text_dup(text) : NULL;
    return text == NULL || *note != NULL ? SL_OK : sl_fail_nomem(err);
}

static sl_status read_settings(const char *json, size_t n, sl_take_config *config,
                               uint32_t *channels, char **note, sl_error **err)
{
    sl_json *j = NULL;
    sl_status status = sl_json_read(json, n, &j, err);
    if (status != SL_OK) {
        return status;
    }
    int64_t rate = sl_json_int_or(j, "rate", 0);
    int64_t count = sl_json_int_or(j, "channels", 0);
    status = check_format(rate, count, err);
    if (status == SL_OK) {
        status = read_note(j, note, err);
    }
    if (status == SL_OK) {
        sl_spool_config *s = &config->spool;
        s->rate = (int32_t)rate;
        s->bitrate = small(j, "bitrate", SL_TAKE_BITRATE);
        s->complexity = small(j, "complexity", SL_TAKE_COMPLEXITY);
        s->dtx = sl_json_bool_or(j, "dtx", false);
        s->fec = sl_json_bool_or(j, "fec", false);
        config->chain.highpass = sl_json_bool_or(j, "highpass", true);
        config->chain.denoise = sl_json_bool_or(j, "denoise", false);
        config->chain.level = sl_json_bool_or(j, "level", false);
        config->chain.speech = sl_json_bool_or(j, "speech", false);
        config->loudness = sl_json_bool_or(j, "loudness", true);
        *channels = (uint32_t)count;
    }
    sl_json_free(j);
    return status;
}

static sl_status start(sl_recorder *r, sl_take_config *config, sl_error **err)
{
    const sl_platform *platform = sl_core_platform(r->core);
    uint32_t *serial = &config->spool.serial;
    config->spool.file = sl_recorder_file(r);
    sl_status status = platform->random->fill(platform->user, serial, sizeof *serial);
    if (status != SL_OK) {
        return sl_fail(err, status, "There are no random numbers");
    }
    status = sl_take_new(config, &r->take, err);
    if (status != SL_OK) {
        return status;
    }
    r->ring_frames = (uint32_t)config->spool.rate * RING_SECONDS;
    r->ring = sl_ring_new(r->ring_frames);
    r->lock = sl_mutex_new();
    if (r->ring == NULL || r->lock == NULL) {
        return sl_fail_nomem(err);
    }
    status = sl_recorder_open_file(r, err);
    if (status == SL_OK && !sl_core_is_stepped(r->core)) {
        r->thread = sl_thread_start(pump_thread, r);
        status = r->thread != NULL ? SL_OK : sl_fail_nomem(err);
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
    sl_take_config config = {.loudness = true};
    uint32_t channels = 0;
    char *note = NULL;
    sl_status status = read_settings(json, n, &config, &channels, &note, err);
    if (status != SL_OK) {
        return status;
    }
    sl_recorder *r = sl_mem(sizeof *r);
    if (r == NULL) {
        sl_mem_free(note);
        return sl_fail_nomem(err);
    }
    r->core = core;
    r->note = note;
    atomic_store(&r->channels, channels);
    atomic_store(&r->mic_status, SL_E_MISUSE);
    status = start(r, &config, err);
    if (status != SL_OK) {
        works_free(r);
        return status;
    }
    sl_live_add(1);
    *out = r;
    return SL_OK;
}

void sl_recorder_free(sl_recorder *r)
{
    if (r != NULL) {
        works_free(r);
        sl_live_add(-1);
    }
}

/* --- commands ----------------------------------------------------------------------------- */

sl_status sl_recorder_tell(const sl_recorder *r, sl_error **err)
{
    return sl_fail(err, sl_error_code(r->failure), "%s", sl_error_message(r->failure));
}

static sl_status run(sl_recorder *r, sl_take_command command, int64_t at, sl_error **err)
{
    sl_status status = SL_OK;
    sl_lock(r->lock);
    atomic_store(&r->recording, false);
    sl_recorder_pump(r); /* what was written until now belongs to the voice */
    if (r->failure != NULL && command != SL_TAKE_SWIPE) {
        status = sl_recorder_tell(r, err);
    } else {
        status = sl_take_command_run(r->take, command, at, err);
    }
    sl_recorder_show(r);
    sl_unlock(r->lock);
    return status;
}

sl_status sl_recorder_command(sl_recorder *r, int32_t command, sl_error **err)
{
    sl_error_start(err);
    if (r == NULL || command < SL_RECORDER_RECORD || command > SL_RECORDER_SWIPE) {
        return sl_fail(err, SL_E_MISUSE, "sl_recorder_command needs a recorder and a command");
    }
    return run(r, (sl_take_command)command, 0, err);
}

sl_status sl_recorder_retake(sl_recorder *r, int64_t at_us, sl_error **err)
{
    sl_error_start(err);
    if (r == NULL) {
        return sl_fail(err, SL_E_MISUSE, "sl_recorder_retake needs a recorder");
    }
    bool within = at_us >= 0 && at_us <= (int64_t)1 << 50;
    return run(r, SL_TAKE_RETAKE, within ? (at_us * 6 + 124) / 125 : -1, err);
}

sl_status sl_recorder_format(sl_recorder *r, int32_t rate, int32_t channels, sl_error **err)
{
    sl_error_start(err);
    if (r == NULL) {
        return sl_fail(err, SL_E_MISUSE, "sl_recorder_format needs a recorder");
    }
    sl_status status = check_format(rate, channels, err);
    if (status != SL_OK) {
        return status;
    }
    sl_lock(r->lock);
    sl_recorder_pump(r);
    status = r->failure != NULL ? sl_recorder_tell(r, err)
                                : sl_recorder_note(r, sl_take_set_rate(r->take, rate, &r->failure));
    if (status != SL_OK && r->failure != NULL) {
        (void)sl_recorder_tell(r, err);
    }
    atomic_store(&r->channels, (uint32_t)channels);
    sl_unlock(r->lock);
    return status;
}

/* --- writing ------------------------------------------------------------------------------ */

/* On a stepped core nobody else empties the ring: piece by piece, so that all of it fits. */
static void write_stepped(sl_recorder *r, sl_pcm pcm, sl_meter *meter)
{
    uint32_t left = pcm.frames;
    while (left > 0) {
        sl_meter part;
        pcm.frames = left < r->ring_frames ? left : r->ring_frames;
        sl_ring_write(r->ring, &pcm, &part);
        meter->peak = part.peak > meter->peak ? part.peak : meter->peak;
        meter->rms = part.rms > meter->rms ? part.rms : meter->rms;
        size_t step = (size_t)pcm.frames * pcm.channels;
        pcm.floats = pcm.floats != NULL ? pcm.floats + step : NULL;
        pcm.words = pcm.words != NULL ? pcm.words + step : NULL;
        left -= pcm.frames;
        sl_lock(r->lock);
        sl_recorder_pump(r);
        sl_unlock(r->lock);
    }
}

static sl_status write_pcm(sl_recorder *r, sl_pcm pcm, float *level)
{
    sl_meter meter = {0};
    pcm.channels = atomic_load_explicit(&r->channels, memory_order_relaxed);
    if (!atomic_load(&r->recording)) {
        sl_ring_measure(&pcm, &meter);
    } else if (r->thread == NULL) {
        write_stepped(r, pcm, &meter);
    } else {
        sl_ring_write(r->ring, &pcm, &meter);
    }
    atomic_store_explicit(&r->peak, meter.peak, memory_order_relaxed);
    atomic_store_explicit(&r->rms, meter.rms, memory_order_relaxed);
    if (level != NULL) {
        *level = meter.peak;
    }
    return atomic_load(&r->failed);
}

sl_status sl_recorder_write(sl_recorder *r, const float *pcm, uint32_t frames, float *level)
{
    if (r == NULL || (pcm == NULL && frames > 0)) {
        return SL_E_MISUSE;
    }
    return write_pcm(r, (sl_pcm){.floats = pcm, .frames = frames}, level);
}

sl_status sl_recorder_write16(sl_recorder *r, const int16_t *pcm, uint32_t frames, float *level)
{
    if (r == NULL || (pcm == NULL && frames > 0)) {
        return SL_E_MISUSE;
    }
    return write_pcm(r, (sl_pcm){.words = pcm, .frames = frames}, level);
}

/* --- looking ------------------------------------------------------------------------------ */

int64_t sl_recorder_position(const sl_recorder *r)
{
    return r == NULL ? 0 : atomic_load(&r->position_us);
}

int32_t sl_recorder_state(const sl_recorder *r)
{
    return r == NULL ? SL_RECORDER_WAS_CANCELLED : atomic_load(&r->state);
}

void sl_recorder_meter(const sl_recorder *r, float *peak, float *rms)
{
    if (peak != NULL) {
        *peak = r == NULL ? 0.0F : atomic_load_explicit(&r->peak, memory_order_relaxed);
    }
    if (rms != NULL) {
        *rms = r == NULL ? 0.0F : atomic_load_explicit(&r->rms, memory_order_relaxed);
    }
}

uint32_t sl_recorder_peaks(sl_recorder *r, uint32_t from, int8_t *pairs, uint32_t max,
                           int64_t *span_us)
{
    if (r == NULL) {
        return 0;
    }
    sl_lock(r->lock);
    const sl_peaks *k = sl_take_peaks(r->take);
    uint32_t left = from < k->count ? k->count - from : 0;
    uint32_t n = left < max && pairs != NULL ? left : pairs != NULL ? max : 0;
    if (n > 0) {
        memcpy(pairs, k->pair[from], (size_t)n * 2);
    }
    if (span_us != NULL) {
        *span_us = ((int64_t)SL_PEAKS_SPAN << k->shift) * 1000000 / SL_VOICE_RATE;
    }
    sl_unlock(r->lock);
    return n;
}
