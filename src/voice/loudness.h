/*
 * voice/loudness.h - how loud a voice is: ITU-R BS.1770-4 with its two gates, and the true peak
 * of sound; mono at 48 kHz. One entry is kept for each 100 ms, so that a voice cut back is known
 * as well as one that was always so short.
 */
#ifndef SL_VOICE_LOUDNESS_H
#define SL_VOICE_LOUDNESS_H

#include "base/buf.h"

enum {
    SL_LOUDNESS_BLOCK = 4800,
    SL_LOUDNESS_TAPS = 12 /* of each of the four filters that find peaks between samples */
};

#define SL_LOUDNESS_SILENT (-1000.0)

/* Of sound that comes in pieces, the true peak alone; zero-initialise. */
typedef struct sl_true_peak {
    float recent[2 * SL_LOUDNESS_TAPS];
    uint32_t place; /* in recent */
} sl_true_peak;

/* The largest of these frames and what lies between them; `least` when none is larger. */
float sl_true_peak_of(sl_true_peak *t, const float *pcm, size_t n, float least);

/* Zero-initialise; sl_loudness_free. */
typedef struct sl_loudness {
    sl_buf blocks;      /* of floats: mean square of the weighted sound */
    double state[2][2]; /* of the two filters of the weighting */
    uint32_t fill;      /* frames in the block in the making */
    double sum;
} sl_loudness;

void sl_loudness_add(sl_loudness *l, const float *pcm, size_t n);
/* Forgets all after so many frames; what is no whole block is forgotten too. */
void sl_loudness_cut(sl_loudness *l, int64_t frames);
void sl_loudness_free(sl_loudness *l);

/* LUFS; SL_LOUDNESS_SILENT when no 400 ms reach -70. */
double sl_loudness_lufs(const sl_loudness *l);

#endif
