/*
 * media/export.h - a review as a movie: the clip as the timeline plays it, the drawings burnt in,
 * the voice mixed with the clip's own sound.
 *
 * For each picture of the movie, at its time T: the timeline's state at T gives the place in the
 * clip, the frame shown there is decoded (a freeze decodes nothing), the drawings shown are
 * rendered and blended where they have ink, those that look at the picture (blur, magnifier) on the
 * picture itself; then the view cuts out its part. The clip's sound is heard, lowered under the
 * voice, only while it plays at its own speed.
 * A second video (the timeline's pair) is beside, below or, under the drawings, over the first; each
 * keeps its shape within its half. The view and the drawings are the first's. Both are heard, each with
 * half its strength, while the second moves as fast as the first.
 * Whole groups of pictures that play at 1x, in step with the movie, with no drawing, alone and all in view,
 * are copied as they are; libx264 encodes the others beside them (media/splice.h).
 * The movie is BT.709 of the limited range, whatever the clip is (media/tone.h); only one with parts
 * copied out of a clip in BT.601 is in that.
 *   [EXPORT-1] both streams are as long as the timeline, within half a frame;
 *   [EXPORT-2] after a failure or a cancel no file is left, and an old one is untouched.
 */
#ifndef SL_MEDIA_EXPORT_H
#define SL_MEDIA_EXPORT_H

#include "annotation/item.h"
#include "media/source.h"
#include "review/timeline.h"

#include <stdbool.h>

/* Slower than 1x: each frame again, or what lies between two (media/between.h). */
typedef enum sl_slow {
    SL_SLOW_REPEAT = 0,
    SL_SLOW_MOTION = 1
} sl_slow;

/* A video that the timeline pairs with the clip. */
typedef struct sl_export_second {
    const char *video; /* its record's id */
    sl_source source;
} sl_export_second;

typedef struct sl_export_job {
    sl_source source;                /* the clip */
    const sl_export_second *seconds; /* one that is missing leaves the first alone */
    size_t seconds_n;
    sl_slow slow;
    const uint8_t *voice; /* Ogg Opus, or NULL */
    size_t voice_len;
    const sl_timeline *timeline;
    const sl_item *const *items; /* those the timeline may show, in any order */
    size_t items_n;
    int32_t width; /* of the movie; 0: as the clip is shown, at most SL_EXPORT_SIDE */
    int32_t height;
    const char *path;
    const char *encoder; /* only this H.264 encoder, or NULL for the first that opens */
    bool encode_all;     /* copy nothing */
    void (*progress)(void *user, int64_t done, int64_t total); /* frames; may be NULL */
    bool (*cancelled)(void *user);                             /* may be NULL */
    void *user;
} sl_export_job;

enum {
    SL_EXPORT_SIDE = 1920 /* the longer side, unless asked for more */
};

typedef struct sl_export_result {
    int64_t frames;
    int64_t copied; /* of them, as the clip has them */
    int64_t duration_us;
    char encoder[32];
} sl_export_result;

/* SL_E_CANCELLED, SL_E_INVALID, SL_E_FULL, SL_E_IO, SL_E_UNSUPPORTED. */
sl_status sl_export(const sl_export_job *job, sl_export_result *out, sl_error **err);

#endif
