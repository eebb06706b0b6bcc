/*
 * voice/take.h - one take of the recorder: mono sound of any rate in, an Ogg Opus file out.
 *
 *     push -> resampler -> chain -> peaks, loudness -> spool -> file
 *
 * The states and what each gesture does: voice/machine.h.
 *
 *   [TAKE-1] what a killed process wrote is missing less than a quarter of a second of what was
 *            pushed;
 *   [TAKE-2] a finished file decodes to exactly the sound pushed: ceil(n * 48000 / rate) frames of
 *            each stretch of one rate;
 *   [TAKE-3] pauses leave no gap.
 */
#ifndef SL_VOICE_TAKE_H
#define SL_VOICE_TAKE_H

#include "voice/chain.h"
#include "voice/machine.h"
#include "voice/peaks.h"
#include "voice/resample.h"
#include "voice/spool.h"

typedef struct sl_take sl_take;

enum {
    SL_TAKE_BITRATE = 24000,
    SL_TAKE_BITRATE_MIN = 6000,
    SL_TAKE_BITRATE_MAX = 128000,
    SL_TAKE_COMPLEXITY = 5,
    SL_TAKE_COMPLEXITY_MAX = 10
};

typedef struct sl_take_config {
    sl_spool_config spool; /* its rate is the take's first one */
    sl_chain_config chain;
    /* The file's gain brings it to -16 LUFS, or less where the true peak of what a decoder makes of it
     * would pass full scale (by BS.1770-4, which finds peaks between samples to 0.1 dB or so). A codec's
     * peaks are up to 2 dB above those of what went in: what is encoded is decoded too while recording
     * (under 0.5 % of a core), and speech of 24 kbit/s ends at -16 to -17 LUFS and does not clip. */
    bool loudness;
} sl_take_config;

typedef struct sl_take_facts {
    int64_t frames;  /* of 48 kHz */
    double loudness; /* LUFS before the gain; below -100: silence */
    double peak; /* dB of full scale, true peak of what a decoder makes of it, before the gain */
    double gain; /* dB, in the file */
} sl_take_facts;

/* SL_E_INVALID, naming the field: rate, bitrate or complexity out of range. */
sl_status sl_take_new(const sl_take_config *config, sl_take **out, sl_error **err);
void sl_take_free(sl_take *t);

/* SL_E_MISUSE for a command its state refuses. at: frames of 48 kHz where a retake begins. After a
 * failure every command but a swipe answers that failure. */
sl_status sl_take_command_run(sl_take *t, sl_take_command command, int64_t at, sl_error **err);
/* Mono frames, -1..1. Ignored while not recording. */
sl_status sl_take_push(sl_take *t, const float *pcm, size_t n, sl_error **err);
/* The rate of what is pushed from now on; SL_E_INVALID when out of range. */
sl_status sl_take_set_rate(sl_take *t, int32_t rate, sl_error **err);

sl_take_state sl_take_state_of(const sl_take *t);
/* SL_OK, or why the take can go no further. */
sl_status sl_take_failure(const sl_take *t);
/* Frames of 48 kHz, and microseconds, of sound pushed. */
int64_t sl_take_length(const sl_take *t);
int64_t sl_take_position_us(const sl_take *t);

/* Of a finished take. */
void sl_take_tell(const sl_take *t, sl_take_facts *facts);
const sl_peaks *sl_take_peaks(const sl_take *t);
/* One byte for each 20 ms, 1: speech. Empty without that stage. */
const sl_buf *sl_take_speech(const sl_take *t);

#endif
