/*
 * media/mix.h - the sound of a review: the voice, and under it the clip as the timeline plays it. While
 * a second video sounds too, each of the two has half the strength.
 */
#ifndef SL_MEDIA_MIX_H
#define SL_MEDIA_MIX_H

#include "base/error.h"
#include "media/export.h"

typedef struct sl_mix sl_mix;

enum {
    SL_MIX_BLOCK = 480 /* frames of 48 kHz: 10 ms */
};

/* job: its source, seconds, voice and timeline; borrowed until the mix is closed. */
sl_status sl_mix_open(const sl_export_job *job, sl_mix **out, sl_error **err);
void sl_mix_close(sl_mix *m);
/* The next SL_MIX_BLOCK frames, interleaved stereo. */
sl_status sl_mix_next(sl_mix *m, float stereo[2 * SL_MIX_BLOCK], sl_error **err);

#endif
