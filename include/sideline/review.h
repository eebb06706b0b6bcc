/*
 * sideline/review.h - the review timeline: what the coach did, against the voice clock.
 *
 * Not a screen recording: a list of events with times in microseconds of the voice,
 * kilobytes, from which the state at any voice time follows.
 *   {"t":us,"do":"play","rate":1.0?} | "pause" | {"do":"seek","to":us} |
 *   {"do":"rate","rate":0.25} | {"do":"show","item":"<annotation id>"} |
 *   {"do":"hide","item":".."} | {"do":"view","x":..,"y":..,"scale":..}
 * Times never go back.
 */
#ifndef SIDELINE_REVIEW_H
#define SIDELINE_REVIEW_H

#include "core.h"

#ifdef __cplusplus
extern "C" {
#endif
SL_BEGIN

typedef struct sl_timeline sl_timeline;

/* media_duration_us: the clip's length; positions are clamped to it. */
SL_API sl_status sl_timeline_new(int64_t media_duration_us,
                                 sl_timeline *SL_NULLABLE *SL_NULLABLE out,
                                 sl_error *SL_NULLABLE *SL_NULLABLE err);
SL_API sl_status sl_timeline_decode(const uint8_t *p, size_t n,
                                    sl_timeline *SL_NULLABLE *SL_NULLABLE out,
                                    sl_error *SL_NULLABLE *SL_NULLABLE err);
SL_API void sl_timeline_free(sl_timeline *SL_NULLABLE t);
/* Appends one event. SL_E_INVALID: unknown, or before the last one. */
SL_API sl_status sl_timeline_add(sl_timeline *t, const char *event, size_t n,
                                 sl_error *SL_NULLABLE *SL_NULLABLE err);
/* Ends the timeline at this voice time (normally the voice's length). */
SL_API sl_status sl_timeline_end(sl_timeline *t, int64_t t_us,
                                 sl_error *SL_NULLABLE *SL_NULLABLE err);
/* Canonical bytes, to be stored as a blob. */
SL_API sl_status sl_timeline_encode(const sl_timeline *t, sl_bytes *SL_NULLABLE *SL_NULLABLE out,
                                    sl_error *SL_NULLABLE *SL_NULLABLE err);
/* {"position":us,"rate":x,"playing":bool,"view":{..},"items":[{"id","since":us}],"duration":us} */
SL_API sl_status sl_timeline_state(const sl_timeline *t, int64_t t_us,
                                   sl_bytes *SL_NULLABLE *SL_NULLABLE out,
                                   sl_error *SL_NULLABLE *SL_NULLABLE err);

SL_END
#ifdef __cplusplus
}
#endif

#endif
