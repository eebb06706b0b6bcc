/*
 * voice/chain.h - what is done to a voice at 48 kHz before it is encoded; each stage optional:
 *
 *   high-pass   80 Hz, 12 dB an octave: rumble, wind, hands on the phone
 *   denoise     libspeexdsp: steady noise, 15 dB down
 *   level       slow gain towards -18 dBFS of speech, 3 dB a second up, and a limiter at -1.5 dBFS
 *   crest       no peak is more than 9 dB above the speech of the last seconds, so that the whole
 *               can be made as loud as others are
 *   speech      for each 20 ms whether somebody speaks (with libspeexdsp)
 *
 * The stages delay; the chain gives that time back:
 *   [CHAIN-1] n frames in and a flush give n frames out, each at the place where it went in.
 */
#ifndef SL_VOICE_CHAIN_H
#define SL_VOICE_CHAIN_H

#include "base/buf.h"
#include "base/error.h"
#include "voice/resample.h"

typedef struct sl_chain sl_chain;

enum {
    SL_CHAIN_BLOCK = 960 /* frames */
};

typedef struct sl_chain_config {
    bool highpass;
    bool denoise;
    bool level;
    bool speech;
    bool crest;
} sl_chain_config;

/* Whether this build can denoise and tell speech. */
bool sl_chain_has_dsp(void);

/* SL_E_UNSUPPORTED, naming the field: a stage that this build is without. */
sl_status sl_chain_new(const sl_chain_config *config, sl_chain **out, sl_error **err);
void sl_chain_free(sl_chain *c);
/* False when `out` was. */
bool sl_chain_push(sl_chain *c, const float *pcm, size_t n, sl_resampler_out out, void *user);
/* Gives what is held back. What is pushed next begins anew; what was learnt of the noise stays. */
bool sl_chain_flush(sl_chain *c, sl_resampler_out out, void *user);

/* One byte for each SL_CHAIN_BLOCK frames in, 1: speech. The caller may shorten it after a flush. */
sl_buf *sl_chain_speech(sl_chain *c);

#endif
