/*
 * render/raster.h - fills polygons: exact areas, integers, SIMD.
 *
 * Each edge adds, to every pixel it crosses, how much of that pixel lies to its right; summed up
 * along a row this is the winding, in parts of a pixel, and its size, at most one, is the coverage.
 * Parts that run the same way round so give their union, as the nonzero rule does. Only blocks of
 * eight pixels that an edge crosses are summed; what lies between is empty or one even span.
 *
 * All levels of SIMD give the same bytes: everything after the edges' arithmetic, which is the same
 * code, is integers.
 */
#ifndef SL_RENDER_RASTER_H
#define SL_RENDER_RASTER_H

#include "render/fills.h"

typedef struct sl_raster sl_raster;

/* Of the best level there is. NULL: out of memory. */
sl_raster *sl_raster_new(void);
void sl_raster_free(sl_raster *r);
void sl_raster_use(sl_raster *r, sl_raster_level level);

/* Begins a filling within the box, in pixels of the target, x0 a multiple of SL_BLOCK. False: out of
 * memory. */
bool sl_raster_begin(sl_raster *r, sl_box box);
/* The closed line through n points x, y. */
void sl_raster_loop(sl_raster *r, const double *xy, size_t n);
/* Blends the colour, premultiplied, where the edges' inside is, and forgets them. False: out
 * of memory. */
bool sl_raster_fill(sl_raster *r, uint32_t argb, const sl_raster_target *to);
/* The same as a filling. False: out of memory; the edges are forgotten all the same. */
bool sl_raster_take(sl_raster *r, uint32_t argb, sl_fills *into);

#endif
