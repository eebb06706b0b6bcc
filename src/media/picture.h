/*
 * media/picture.h - decoded frames of any kind to the two kinds used here: YUV 4:2:0 with 8
 * bits for encoders, and premultiplied ARGB for drawing; scaled and turned. Inside this folder.
 */
#ifndef SL_MEDIA_PICTURE_H
#define SL_MEDIA_PICTURE_H

#include "base/error.h"
#include "media/tone.h"
#include "sideline/render.h"

#include <libavutil/frame.h>
#include <stdbool.h>

/* One conversion by swscale, and what it was made for. */
typedef struct sl_scaling {
    struct SwsContext *sws;
    int plan[10];
} sl_scaling;

/* Remembers the last conversion; zero-initialise, sl_scaler_free. */
typedef struct sl_scaler {
    sl_scaling scaling;
    sl_scaling deep;  /* to 10 bits, for pictures that are not of ordinary light */
    bool quick;       /* looks matter less than time */
    AVFrame *upright; /* before it is turned */
    AVFrame *deeper;
    AVFrame *toned; /* what is made of them */
    sl_tone *tone;
} sl_scaler;

void sl_scaler_free(sl_scaler *s);

/* True: BT.709 colours, false: BT.601; what the frame says, else by its height. Of pictures of
 * ordinary light. */
bool sl_picture_is_709(const AVFrame *f);
/* A new frame with memory: format AV_PIX_FMT_YUV420P or AV_PIX_FMT_RGB32. NULL: no memory. */
AVFrame *sl_picture_new(int format, int32_t width, int32_t height);
/* Fills `to` (made by sl_picture_new) with `from`, turned as sl_clip_rotation says and scaled to
 * fill it. YUV becomes BT.709 or BT.601 as to->colorspace says; when that is unspecified BT.709, and
 * of JPEGs, where readers take nothing else, BT.601. full: the whole range 0..255 instead of 16..235,
 * for JPEG. What is not of ordinary light becomes so (media/tone.h). */
sl_status sl_picture_convert(sl_scaler *s, const AVFrame *from, int32_t rotation, bool full,
                             AVFrame *to, sl_error **err);
/* Scales one part of a YUV 4:2:0 picture onto a part of another; all numbers even, within both. */
typedef struct sl_part {
    int32_t x;
    int32_t y;
    int32_t w;
    int32_t h;
} sl_part;
sl_status sl_picture_stretch(sl_scaler *s, const AVFrame *from, sl_part source, AVFrame *to,
                             sl_part target, sl_error **err);
/* Copies a YUV 4:2:0 picture onto a part of another; x and y even, all within. */
void sl_picture_put(const AVFrame *from, AVFrame *to, int32_t x, int32_t y);
/* The same, `opacity` thousandths of it. */
void sl_picture_mix(const AVFrame *from, AVFrame *to, int32_t x, int32_t y, int32_t opacity);
/* Black. */
void sl_picture_clear(AVFrame *yuv);

#endif
