/*
 * render/render.h - items to pixels. The home of Cairo.
 *
 * The display frame (frame_w by frame_h pixels) fills `into`, whatever its size. Every shape has a
 * halo, dark or, around dark colours, light, so that it reads on any picture. The same arguments
 * give the same bytes.
 */
#ifndef SL_RENDER_RENDER_H
#define SL_RENDER_RENDER_H

#include "annotation/item.h"
#include "base/buf.h"
#include "sideline/render.h"

enum {
    SL_PIXELS_SIDE_MAX = 16384
};

/* age_us: since it was shown: a pen with times grows as it was drawn; -1: complete. */
typedef struct sl_shown {
    const sl_item *item;
    int64_t age_us;
} sl_shown;

/* SL_E_MISUSE unless the pixels are such as can be drawn on. */
sl_status sl_pixels_check(const sl_pixels *pixels, sl_error **err);
/* Draws, in this order, what is visible at t_us of the video. */
sl_status sl_render_shown(const sl_shown *shown, size_t n, int32_t frame_w, int32_t frame_h,
                          int64_t t_us, const sl_pixels *into, sl_error **err);
/* The pixels the same call may touch, within `into`; x0 == x1 when none. Reads no pixel. */
sl_box sl_render_damage(const sl_shown *shown, size_t n, int32_t frame_w, int32_t frame_h,
                        int64_t t_us, const sl_pixels *into);
/* Appends the PNG of the pixels. */
sl_status sl_pixels_png(const sl_pixels *from, sl_buf *out, sl_error **err);

#endif
