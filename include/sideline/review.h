/*
 * sideline/review.h - the review timeline: what the coach did, against the voice clock.
 *
 * Not a screen recording: a list of events with times in microseconds of the voice,
 * kilobytes, from which the state at any voice time follows.
 *   {"t":us,"do":"play","rate":1.0?}    plays on, at this rate if one is given
 *   {"do":"pause"}
 *   {"do":"seek","to":us}               plays on from there, or stands there
 *   {"do":"step","to":us}               stands at a frame's time: the next or the previous one
 *   {"do":"freeze","for":us}            the picture stands for so long of the voice, then goes on
 *   {"do":"rate","rate":0.25}           0.01 to 16
 *   {"do":"view","x":..,"y":..,"scale":..}  zoom and pan: what is seen, in units of the frame
 *   {"do":"draw","item":"<annotation id>"}  it appears, growing as it was drawn
 *   {"do":"show","item":".."}           it appears, whole
 *   {"do":"erase","item":".."} | {"do":"hide","item":".."}  it is gone
 *   {"do":"pair","layout":"side"|"stack"|"over","video":"<video id>","mark":[us,us],
 *    "length":us,"rate":1.0?,"opacity":0.5?} | {"do":"pair","layout":"single"}
 * A pair shows a second video beside, below or over the first. It has no clock of its own: at the
 * first of the two marks (the impact, say) in the first video it is at the second mark, and away
 * from there it moves at its own rate against the first's. It stays within its length.
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
/* {"position":us,"rate":x,"playing":bool,"frozen":bool,"view":{..},"items":[{"id","since":us,
 * "growing":bool}],"duration":us,"second":{"video","position":us,"layout","opacity"}?}. Takes the
 * same time wherever in the log t_us lies, and however long the log is. */
SL_API sl_status sl_timeline_state(const sl_timeline *t, int64_t t_us,
                                   sl_bytes *SL_NULLABLE *SL_NULLABLE out,
                                   sl_error *SL_NULLABLE *SL_NULLABLE err);

/* The player's states, the same in every shell:
 *
 *   none -open-> playing <-play/pause-> paused; playing -finish-> finished (the clip's end)
 *   any of these -annotate-> tools -choose-> active -look-> preview -finish-> annotated
 *   any of those -draw-> drawing, -speak-> voice_over; either -save-> saving -finish-> playing
 *   playing, paused, finished -close-> closed
 */
enum {
    SL_PLAYER_NONE = 1,
    SL_PLAYER_PLAYING = 2,
    SL_PLAYER_PAUSED = 3,
    SL_PLAYER_FINISHED = 4,
    SL_PLAYER_TOOLS = 5,
    SL_PLAYER_ACTIVE = 6,
    SL_PLAYER_PREVIEW = 7,
    SL_PLAYER_ANNOTATED = 8,
    SL_PLAYER_DRAWING = 9,
    SL_PLAYER_VOICE_OVER = 10,
    SL_PLAYER_SAVING = 11,
    SL_PLAYER_CLOSED = 12
};
enum {
    SL_PLAYER_OPEN = 1,
    SL_PLAYER_PLAY = 2,
    SL_PLAYER_PAUSE = 3,
    SL_PLAYER_FINISH = 4,
    SL_PLAYER_ANNOTATE = 5,
    SL_PLAYER_CHOOSE = 6,
    SL_PLAYER_LOOK = 7,
    SL_PLAYER_DRAW = 8,
    SL_PLAYER_SPEAK = 9,
    SL_PLAYER_SAVE = 10,
    SL_PLAYER_CLOSE = 11
};
/* The state that follows, into *next. SL_E_CONFLICT: the action is refused in this state, *next is
 * untouched. SL_E_MISUSE: no state or action of those above. Any thread. */
SL_API sl_status sl_player_next(int32_t state, int32_t action, int32_t *next,
                                sl_error *SL_NULLABLE *SL_NULLABLE err);

SL_END
#ifdef __cplusplus
}
#endif

#endif
