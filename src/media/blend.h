/*
 * media/blend.h - drawings over a picture, in the picture's own colours (pure).
 *
 * Premultiplied ARGB onto YUV 4:2:0 of the range 16..235: for each plane
 *     new = old * (255 - a) / 255 + offset * a / 255 + k . rgb
 * where the offset (16 or 128) is scaled by alpha too: without it ink would brighten what it is
 * drawn over.
 */
#ifndef SL_MEDIA_BLEND_H
#define SL_MEDIA_BLEND_H

#include "annotation/item.h"
#include "sideline/render.h"

#include <stdbool.h>

typedef struct sl_yuv {
    uint8_t *plane[3];
    int stride[3];
    int32_t width;
    int32_t height;
} sl_yuv;

/* Only within the box, in pixels; it may reach beyond both. is_709: the picture's colours. */
void sl_blend(const sl_pixels *ink, sl_box box, bool is_709, const sl_yuv *picture);

#endif
