/*
 * render/raster.h - fills polygons: exact areas, integers, SIMD.
 *
 * Each edge adds, to every pixel it crosses, how much of that pixel lies to its right; summed up
 * along a row this is the winding, in parts of a pixel, and its size, at most one, is the coverage.
 * Parts that run the same way round so give their union, as the nonzero rule does. Only blocks of
 * eight pixels that an edge crosses are summed; what lies between is empty or one even span.
 *
 * Blending is that of Cairo's image surfaces, to the bit. All levels of SIMD give the same bytes:
 * everything after the edges' arithmetic, which is the same code, is integers.
 */
#ifndef SL_RENDER_RASTER_H
#define SL_RENDER_RASTER_H

#include "annotation/item.h"

typedef enum sl_raster_level {
    SL_RASTER_PLAIN,   /* a pixel at a time */
    SL_RASTER_VECTORS, /* what every machine of this kind has */
    SL_RASTER_WIDE     /* AVX2 */
} sl_raster_level;

typedef struct sl_raster sl_raster;

/* Where it blends: premultiplied ARGB32. */
typedef struct sl_raster_target {
    uint8_t
        *data; /* of pixel (0, 0), which may lie before the memory when nothing is drawn there */
    int64_t stride;
} sl_raster_target;

/* Of the best level there is. NULL: out of memory. */
sl_raster *sl_raster_new(void);
void sl_raster_free(sl_raster *r);
sl_raster_level sl_raster_best(void);
void sl_raster_use(sl_raster *r, sl_raster_level level);

/* Begins a filling within the box, in pixels. False: out of memory. */
bool sl_raster_begin(sl_raster *r, sl_box box);
/* The closed line through n points x, y. */
void sl_raster_loop(sl_raster *r, const double *xy, size_t n);
/* Blends the colour, premultiplied, where the edges' inside is, and forgets them. */
void sl_raster_fill(sl_raster *r, uint32_t argb, const sl_raster_target *to);

#endif
