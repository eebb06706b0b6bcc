/*
 * voice/spool.h - sound at 48 kHz into an Ogg Opus file (RFC 6716, RFC 7845) that grows at its
 * end and can be cut back to any frame.
 *
 *   [SPOOL-1] a page ends every 160 ms and is written at once;
 *   [SPOOL-2] a finished file decodes to exactly the frames put;
 *   [SPOOL-3] after a cut the file is a right one at every moment, and what is put next begins at
 *             exactly the frame cut at: the encoder hears again what came before it.
 */
#ifndef SL_VOICE_SPOOL_H
#define SL_VOICE_SPOOL_H

#include "base/error.h"

#include <stdbool.h>

/* The file. Each call's failure fails the spool for good. */
typedef struct sl_spool_file {
    sl_status (*write)(void *user, const uint8_t *p, size_t n, int64_t at, sl_error **err);
    sl_status (*read)(void *user, uint8_t *p, size_t n, int64_t at, sl_error **err); /* all of n */
    sl_status (*truncate)(void *user, int64_t size, sl_error **err);
    void *user;
} sl_spool_file;

typedef struct sl_spool_config {
    sl_spool_file file;
    uint32_t serial;    /* of the Ogg stream: any number */
    int32_t rate;       /* of the source: for information only */
    int32_t bitrate;    /* bits per second of sound, on average, also when nobody ever pauses */
    int32_t complexity; /* 0..10 */
    bool dtx;           /* next to nothing for silence */
    bool fec;           /* each packet can mend the loss of the one before */
    bool again;         /* it was encoded before: as it is, without another high-pass */
    bool heard;         /* decodes what it encodes, for sl_spool_peak: under 0.5 % of a core */
} sl_spool_config;

typedef struct sl_spool sl_spool;

sl_status sl_spool_new(const sl_spool_config *config, sl_spool **out, sl_error **err);
void sl_spool_free(sl_spool *s);
/* The first call writes the headers. */
sl_status sl_spool_put(sl_spool *s, const float *pcm, size_t n, sl_error **err);
/* Keeps the first `frames`, at most those put. */
sl_status sl_spool_cut(sl_spool *s, int64_t frames, sl_error **err);
/* All that was put is encoded; nothing can be put or cut any more. */
sl_status sl_spool_end(sl_spool *s, sl_error **err);
/* After that, when the spool is `heard`: the true peak of what a decoder makes of the file. 1 is
 * full scale. */
float sl_spool_peak(const sl_spool *s);
/* The end, if it was not before. gain: dB, written into the head for every player to apply. */
sl_status sl_spool_finish(sl_spool *s, double gain, sl_error **err);
int64_t sl_spool_frames(const sl_spool *s); /* put */

#endif
