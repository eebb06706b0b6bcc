/*
 * api/voice_mic.c - microphones of the platform, written into a recorder.
 *
 * The platform's thread calls `take`, which writes as a host would. Opening and closing happen
 * without r->lock, because closing waits for that thread, which on a stepped core takes the lock.
 */
#include "api/recorder.h"
#include "base/error.h"
#include "engine/engine.h"

enum {
    RATE = 48000
};

static void take(void *ctx, const float *pcm, uint32_t frames)
{
    sl_recorder *r = ctx;
    (void)sl_recorder_write(r, pcm, frames, NULL);
}

static void close_stream(const sl_recorder *r, void *mic)
{
    const sl_platform *p = sl_core_platform(r->core);
    if (mic != NULL) {
        p->audio->close(p->user, mic);
    }
}

/* The microphone, which is the recorder's no more. */
static void *let_go(sl_recorder *r, sl_status status)
{
    sl_lock(r->lock);
    void *mic = r->mic;
    r->mic = NULL;
    atomic_store(&r->mic_status, status);
    sl_unlock(r->lock);
    return mic;
}

void sl_recorder_close_mic(sl_recorder *r)
{
    if (r->lock != NULL) {
        close_stream(r, let_go(r, SL_E_MISUSE));
    }
}

void sl_recorder_watch_mic(sl_recorder *r)
{
    const sl_platform *p = sl_core_platform(r->core);
    if (r->mic == NULL || atomic_load(&r->mic_status) != SL_OK ||
        p->audio->status(p->user, r->mic) == SL_OK) {
        return;
    }
    /* What is left of the stream is closed by the next call about it. */
    atomic_store(&r->mic_status, SL_E_CLOSED);
    atomic_store(&r->recording, false);
    sl_recorder_pump(r);
    if (sl_machine_takes(sl_take_state_of(r->take))) {
        (void)sl_take_command_run(r->take, SL_TAKE_PAUSE, 0, NULL);
    }
    sl_recorder_show(r);
}

static sl_status open_mic(sl_recorder *r, const char *name, sl_error **err)
{
    const sl_platform *p = sl_core_platform(r->core);
    int32_t rate = RATE;
    int32_t channels = 1;
    void *mic = NULL;
    sl_status status = p->audio->open(p->user, name, &rate, &channels, take, r, &mic);
    if (status == SL_E_NOT_FOUND) {
        return name[0] != '\0' ? sl_fail(err, status, "There is no microphone \"%s\"", name)
                               : sl_fail(err, status, "There is no microphone");
    }
    if (status != SL_OK) {
        return sl_fail(err, status, "The microphone cannot be opened");
    }
    status = sl_recorder_format(r, rate, channels, err);
    if (status == SL_OK) {
        status = p->audio->start(p->user, mic);
        if (status != SL_OK) {
            (void)sl_fail(err, status, "The microphone does not start");
        }
    }
    if (status != SL_OK) {
        close_stream(r, mic);
        return status;
    }
    sl_lock(r->lock);
    r->mic = mic;
    atomic_store(&r->mic_status, SL_OK);
    sl_unlock(r->lock);
    return SL_OK;
}

sl_status sl_recorder_capture(sl_recorder *r, const char *name, sl_error **err)
{
    sl_error_start(err);
    if (r == NULL) {
        return sl_fail(err, SL_E_MISUSE, "sl_recorder_capture needs a recorder");
    }
    if (sl_core_platform(r->core)->audio == NULL) {
        return sl_fail(err, SL_E_UNSUPPORTED, "This platform has no microphones");
    }
    sl_recorder_close_mic(r);
    return name != NULL ? open_mic(r, name, err) : SL_OK;
}

sl_status sl_recorder_microphone(const sl_recorder *r)
{
    return r == NULL ? SL_E_MISUSE : atomic_load(&r->mic_status);
}

static void add_name(void *ctx, const char *name)
{
    (void)sl_json_add_str(ctx, name);
}

sl_json *sl_microphones_info(sl_core *core)
{
    const sl_platform *p = &core->platform;
    sl_json *list = sl_json_array();
    if (list != NULL && p->audio != NULL) {
        (void)p->audio->list(p->user, add_name, list); /* none that can be had is none */
    }
    return list;
}
