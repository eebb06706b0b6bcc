/*
 * render/fills.h - what a drawing covers, kept: blended as often as wanted, whole or in part.
 *
 * A filling is one colour and two lists of what it covers: blocks of eight pixels in a row with a
 * byte of coverage for each, and even runs of one coverage. Both go row by row downwards, in numbers
 * that do not depend on how the memory is used later: to blend a filling is one pass over each.
 *
 * Blending is that of Cairo's image surfaces, rounded once rather than twice, and the same bytes at
 * every level. What a part of the picture gets does not depend on which part is asked for.
 */
#ifndef SL_RENDER_FILLS_H
#define SL_RENDER_FILLS_H

#include "annotation/item.h"

typedef enum sl_raster_level {
    SL_RASTER_PLAIN,   /* a pixel at a time */
    SL_RASTER_VECTORS, /* what every machine of this kind has */
    SL_RASTER_WIDE     /* AVX2 */
} sl_raster_level;

/* Where it blends: premultiplied ARGB32. */
typedef struct sl_raster_target {
    uint8_t
        *data; /* of pixel (0, 0), which may lie before the memory when nothing is drawn there */
    int64_t stride;
} sl_raster_target;

enum {
    SL_BLOCK = 8,
    SL_BAND_BITS = 6,
    SL_BAND = 1 << SL_BAND_BITS /* rows from one entry of a filling's index to the next */
};

/* x is a multiple of SL_BLOCK; all of it lies within the picture. */
typedef struct sl_block {
    uint16_t x;
    uint16_t y;
    uint8_t cov[SL_BLOCK];
} sl_block;

typedef struct sl_even {
    uint16_t x;
    uint16_t y;
    uint16_t n;
    uint16_t cov;
} sl_even;

/* Where a band's entries begin. */
typedef struct sl_band {
    uint32_t block;
    uint32_t even;
} sl_band;

typedef struct sl_fill {
    sl_box box; /* nothing lies outside */
    uint32_t argb;
    uint32_t band; /* in the index: that of box.y0, and on to one past that of its last row */
} sl_fill;

/* In the order of drawing. */
typedef struct sl_fills {
    sl_fill *fill;
    sl_block *block;
    sl_even *even;
    sl_band *band;
    uint32_t fills, blocks, evens, bands;
    uint32_t fill_room, block_room, even_room, band_room;
    bool failed; /* out of memory: what is there is not all */
} sl_fills;

sl_raster_level sl_raster_best(void);

/* Empties it; its memory stays. */
void sl_fills_clear(sl_fills *f);
void sl_fills_free(sl_fills *f);
/* A filling of the box, whose x0 is a multiple of SL_BLOCK, with room for as many more of each. Its
 * maker appends to the lists row by row, calls sl_fills_row before each row and sl_fills_close. */
bool sl_fills_open(sl_fills *f, uint32_t argb, sl_box box, size_t blocks, size_t evens);
static inline void sl_fills_row(sl_fills *f, int32_t y)
{
    if ((y & (SL_BAND - 1)) == 0 || y == f->fill[f->fills].box.y0) {
        f->band[f->bands++] = (sl_band){f->blocks, f->evens};
    }
}
void sl_fills_close(sl_fills *f);
/* Takes over a picture's coverage, a byte a pixel, as one filling. */
void sl_fills_mask(sl_fills *f, uint32_t argb, sl_box box, const uint8_t *mask, size_t stride);
/* A copy that is as large as it must be; false: out of memory. */
bool sl_fills_copy(const sl_fills *f, sl_fills *out);
size_t sl_fills_bytes(const sl_fills *f);
/* Blends what lies within the clip, which may reach beyond. */
void sl_fills_paint(const sl_fills *f, sl_raster_level level, const sl_raster_target *to,
                    sl_box clip);
/* Whether anything lies within the box. */
bool sl_fills_touch(const sl_fills *f, sl_box box);

/* Blends n pixels, premultiplied, times alpha of 255. */
void sl_layer_paint(sl_raster_level level, const uint8_t *from, int32_t n, uint32_t alpha,
                    uint8_t *to);

#endif
