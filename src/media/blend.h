/*
 * media/blend.h - drawings over a picture, in the picture's own colours (pure).
 *
 * A film is an overlay, premultiplied ARGB, made ready for YUV 4:2:0 of the range 16..235: for each
 * value of a plane how much of the old it keeps and what it adds,
 *     new = old * (255 - a) / 255 + (offset * a / 255 + k . rgb)
 * where the offset (16 or 128) is scaled by alpha too: without it ink would brighten what it is
 * drawn over. Chroma is of the mean of the four pixels that share it. It is made once for what
 * changed of the overlay and laid over as many pictures as show it, in those spans of its rows alone
 * that have ink. All levels of SIMD give the same bytes.
 */
#ifndef SL_MEDIA_BLEND_H
#define SL_MEDIA_BLEND_H

#include "render/fills.h"
#include "sideline/render.h"

typedef struct sl_yuv {
    uint8_t *plane[3];
    int stride[3];
    int32_t width;
    int32_t height;
} sl_yuv;

typedef struct sl_film sl_film;

/* Without ink; both even. NULL: out of memory. */
sl_film *sl_film_new(int32_t width, int32_t height);
void sl_film_free(sl_film *f);
void sl_film_clear(sl_film *f); /* no ink any more */
/* Of the best level unless said otherwise. */
void sl_film_use(sl_film *f, sl_raster_level level);
/* Takes over what the overlay, as large as the film, has in the boxes, in pixels, and a little around
 * them; they may reach beyond. is_709: the pictures' colours. */
void sl_film_take(sl_film *f, const sl_pixels *ink, const sl_box *boxes, size_t n, bool is_709);
bool sl_film_is_clear(const sl_film *f);
/* Over a picture of the same size. */
void sl_film_blend(const sl_film *f, const sl_yuv *picture);

#endif
