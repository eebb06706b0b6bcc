/*
 * media/ladder.h - a clip at several sizes for streaming: 1080, 720 and 480 lines.
 *
 * A rung is named by the shorter side of its picture. None is larger than the clip: a clip between
 * two sizes has the larger one's rung at its own size. An original that players take as it is
 * becomes its rung without being encoded again:
 *   [LADDER-1] H.264 of 8 bits 4:2:0 of ordinary brightness and colours, square pixels, at most 1080 by SL_LADDER_LONG, 60 frames and
 *              SL_LADDER_BITRATE a second, every picture in its order, a key frame that nothing
 *              reaches across at least every SL_LADDER_KEY_US;
 *   [LADDER-2] rungs that are encoded have key frames where the copied one has them, so that all are
 *              cut at the same moments; they are BT.709 of the limited range and say so, whatever the
 *              clip is (media/tone.h).
 * A clip that is turned stays as it is, and the rung says by how much.
 */
#ifndef SL_MEDIA_LADDER_H
#define SL_MEDIA_LADDER_H

#include "media/cmaf.h"
#include "media/probe.h"

enum {
    SL_LADDER_RUNGS = 3,
    SL_LADDER_LONG = 2560,
    SL_LADDER_BITRATE = 30 * 1000 * 1000,
    SL_LADDER_KEY_US = 10 * 1000 * 1000,
    SL_LADDER_MINUTES_MAX = 120
};

typedef struct sl_rung {
    int32_t lines; /* 1080, 720 or 480 */
    int32_t width; /* as shown */
    int32_t height;
    bool copied;
} sl_rung;

typedef struct sl_ladder {
    sl_probe probe;
    sl_rung rungs[SL_LADDER_RUNGS]; /* the largest first; only it may be copied */
    size_t n;
} sl_ladder;

/* Reads the whole file. SL_E_INVALID: no video, damaged, or beyond a limit. */
sl_status sl_ladder_plan(const char *path, sl_ladder *out, sl_error **err);
/* The rungs of these sizes for a picture. */
size_t sl_ladder_rungs(int32_t width, int32_t height, sl_rung out[SL_LADDER_RUNGS]);

typedef struct sl_ladder_job {
    const char *path;
    const sl_ladder *ladder;
    const char *to[SL_LADDER_RUNGS]; /* files */
    const char *encoder;             /* only this one, or NULL */
    bool (*cancelled)(void *user);   /* may be NULL */
    void *user;
} sl_ladder_job;

/* The rung that is copied. */
sl_status sl_ladder_copy(const sl_ladder_job *job, sl_cmaf_index *out, sl_error **err);
/* All others, from one decoding; out[i] for rung i. */
sl_status sl_ladder_encode(const sl_ladder_job *job, sl_cmaf_index out[SL_LADDER_RUNGS],
                           sl_error **err);

#endif
