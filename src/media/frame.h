/*
 * media/frame.h - the frame a video shows at a time: exactly that one.
 *
 * The frame shown at t is the last one whose time is not after t; before the first, the first.
 * Times are microseconds from the first frame. Going forward decodes on; everything else seeks to
 * the key frame before and decodes up to t, leaving out what nothing else needs. The frames passed
 * last are kept, at most SL_FRAMES_KEPT and SL_FRAMES_BYTES, so that going back step by step decodes
 * a group of pictures once.
 */
#ifndef SL_MEDIA_FRAME_H
#define SL_MEDIA_FRAME_H

#include "base/error.h"
#include "media/source.h"
#include "sideline/render.h"

#include <stdbool.h>

struct AVFrame;
typedef struct sl_frames sl_frames;

enum {
    SL_FRAMES_KEPT = 64,
    SL_FRAMES_BYTES = 128 * 1024 * 1024
};

sl_status sl_frames_open(const sl_source *source, sl_frames **out, sl_error **err);
void sl_frames_close(sl_frames *f);
/* Of the picture as shown. */
void sl_frames_size(const sl_frames *f, int32_t *width, int32_t *height);
int32_t sl_frames_rotation(const sl_frames *f); /* as sl_clip_rotation */
/* How much later than the time asked for a frame may begin: containers round. */
int64_t sl_frames_slack_us(const sl_frames *f);
/* Frames a second. */
void sl_frames_rate(const sl_frames *f, int32_t *num, int32_t *den);
/* As decoded, borrowed until the next call; *shown_us: the frame's own time. */
sl_status sl_frames_at(sl_frames *f, int64_t t_us, const struct AVFrame **out, int64_t *shown_us,
                       sl_error **err);
/* The frame after (+1) or before (-1) the one that the last call showed; at either end the same
 * frame again. */
sl_status sl_frames_step(sl_frames *f, int32_t by, const struct AVFrame **out, int64_t *shown_us,
                         sl_error **err);
/* As pixels, scaled and turned to fill `into`. */
sl_status sl_frames_pixels(sl_frames *f, int64_t t_us, const sl_pixels *into, int64_t *shown_us,
                           sl_error **err);

#endif
