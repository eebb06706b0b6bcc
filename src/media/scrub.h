/*
 * media/scrub.h - what is shown while a finger moves over a clip: at once, if not exactly.
 *
 * A thread reads the clip once, from the beginning, and keeps small stills of its frames within a
 * budget: when it is used up, every second still is given back and from then on every second frame
 * is passed over, so that the stills always lie evenly. While the finger moves the still before it is
 * shown; when it rests, sl_frames_at shows the frame itself.
 */
#ifndef SL_MEDIA_SCRUB_H
#define SL_MEDIA_SCRUB_H

#include "base/error.h"
#include "media/source.h"
#include "sideline/render.h"

#include <stdbool.h>

typedef struct sl_scrub sl_scrub;

enum {
    SL_SCRUB_SIDE = 640, /* of a still, the longer side */
    SL_SCRUB_BYTES = 64 * 1024 * 1024
};

/* bytes: for stills; 0: SL_SCRUB_BYTES. What the source reads from must live until sl_scrub_close;
 * it is read by the thread alone. */
sl_status sl_scrub_open(const sl_source *source, size_t bytes, sl_scrub **out, sl_error **err);
/* Ends the thread. */
void sl_scrub_close(sl_scrub *s);
/* The still shown at t_us, scaled to fill `into`; *shown_us: its time. Where the thread has not come
 * yet it is the last there is. SL_E_NOT_FOUND: there is none yet. By one thread at a time. */
sl_status sl_scrub_pixels(sl_scrub *s, int64_t t_us, const sl_pixels *into, int64_t *shown_us,
                          sl_error **err);
/* How far the thread has come; *whole: to the end of the clip, or of what can be read. */
int64_t sl_scrub_until_us(sl_scrub *s, bool *whole);
/* Waits until it is. */
void sl_scrub_wait(sl_scrub *s);

#endif
