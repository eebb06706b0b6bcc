/*
 * voice/take.h - one take of the recorder, as a machine: mono sound in, an Ogg Opus file out
 * (RFC 6716, RFC 7845), byte by byte in order through a function of the caller.
 *
 *            record            record
 *     idle ----------> recording <------> paused        finish: recording, paused -> finished
 *                                  pause                cancel: any but finished  -> failed
 *
 *   [TAKE-1] pages end every 200 ms, so that what a killed process wrote is missing less than
 *            a quarter of a second of what was pushed;
 *   [TAKE-2] a finished file decodes to exactly the sound pushed: ceil(n * 48000 / rate) frames;
 *   [TAKE-3] pauses leave no gap.
 */
#ifndef SL_VOICE_TAKE_H
#define SL_VOICE_TAKE_H

#include "base/error.h"
#include "voice/peaks.h"
#include "voice/resample.h"

#include <stdbool.h>

typedef struct sl_take sl_take;

typedef enum sl_take_state {
    SL_TAKE_IDLE,
    SL_TAKE_PAUSED,
    SL_TAKE_RECORDING,
    SL_TAKE_FINISHED,
    SL_TAKE_FAILED
} sl_take_state;

typedef enum sl_take_command {
    SL_TAKE_RECORD = 1,
    SL_TAKE_PAUSE,
    SL_TAKE_FINISH,
    SL_TAKE_CANCEL
} sl_take_command;

enum {
    SL_TAKE_BITRATE = 24000,
    SL_TAKE_BITRATE_MIN = 6000,
    SL_TAKE_BITRATE_MAX = 128000
};

typedef struct sl_take_config {
    int32_t rate;
    int32_t bitrate; /* bits per second */
    uint32_t serial; /* of the Ogg stream: any number */
    /* Takes the next bytes of the file, borrowed for the call. A failure fails the take. */
    sl_status (*write)(void *user, const uint8_t *p, size_t n, sl_error **err);
    void *user;
} sl_take_config;

/* SL_E_INVALID, naming the field: rate or bitrate out of range. */
sl_status sl_take_new(const sl_take_config *config, sl_take **out, sl_error **err);
void sl_take_free(sl_take *t);

/* SL_E_MISUSE for a command its state refuses; finishing a take without sound is one. After a
 * failure every command but cancel answers that failure. */
sl_status sl_take_command_run(sl_take *t, sl_take_command command, sl_error **err);
/* Mono frames, -1..1. Ignored while not recording. */
sl_status sl_take_push(sl_take *t, const float *pcm, size_t n, sl_error **err);

sl_take_state sl_take_state_of(const sl_take *t);
/* Microseconds of sound pushed. */
int64_t sl_take_position_us(const sl_take *t);
/* Of the file once finished: frames of 48 kHz, and its picture. */
int64_t sl_take_frames(const sl_take *t);
const sl_peaks *sl_take_peaks(const sl_take *t);

#endif
