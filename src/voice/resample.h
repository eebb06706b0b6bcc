/*
 * voice/resample.h - mono sound of any rate to 48 kHz, as a stream.
 *
 * A windowed sinc, whose place is kept as an exact fraction: n frames in give
 * ceil(n * 48000 / rate) frames out, without drift and without delay.
 */
#ifndef SL_VOICE_RESAMPLE_H
#define SL_VOICE_RESAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SL_VOICE_RATE = 48000,
    SL_VOICE_RATE_MIN = 8000,
    SL_VOICE_RATE_MAX = 192000
};

typedef struct sl_resampler sl_resampler;

/* Takes what was made; n frames, borrowed for the call. False stops the stream. */
typedef bool (*sl_resampler_out)(void *user, const float *pcm, size_t n);

/* NULL when out of memory; rate within the limits above. */
sl_resampler *sl_resampler_new(int32_t rate);
void sl_resampler_free(sl_resampler *r);
/* False when `out` was. */
bool sl_resampler_push(sl_resampler *r, const float *pcm, size_t n, sl_resampler_out out,
                       void *user);
/* The end of the stream: gives what the filter still holds. */
bool sl_resampler_flush(sl_resampler *r, sl_resampler_out out, void *user);
/* As new, at the same rate. */
void sl_resampler_restart(sl_resampler *r);

#endif
