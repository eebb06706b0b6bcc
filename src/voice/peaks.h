/*
 * voice/peaks.h - the picture of a voice: the lowest and highest sample of each 10 ms as two
 * signed bytes. When there are SL_PEAKS_MAX, neighbours are merged and the span doubles, so that
 * memory and the stored text are bounded whatever the length.
 */
#ifndef SL_VOICE_PEAKS_H
#define SL_VOICE_PEAKS_H

#include <stddef.h>
#include <stdint.h>

enum {
    SL_PEAKS_MAX = 1500, /* 3000 bytes, 4000 in base64 */
    SL_PEAKS_SPAN = 480  /* frames of 48 kHz: 10 ms */
};

/* Zero-initialise. */
typedef struct sl_peaks {
    int8_t pair[SL_PEAKS_MAX][2]; /* lowest, highest; -127..127 */
    uint32_t count;
    uint32_t shift; /* a pair covers SL_PEAKS_SPAN << shift frames */
    uint64_t fill;  /* frames in the pair in the making */
    float low;
    float high;
} sl_peaks;

void sl_peaks_add(sl_peaks *k, const float *pcm, size_t n);
/* Keeps the first `frames` of those added. */
void sl_peaks_cut(sl_peaks *k, int64_t frames);
/* Closes a pair begun and not full. */
void sl_peaks_end(sl_peaks *k);

#endif
