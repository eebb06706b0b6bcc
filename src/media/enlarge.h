/*
 * media/enlarge.h - a still made larger, fast: between neighbours by straight lines, centre on centre.
 * Inside this folder.
 */
#ifndef SL_MEDIA_ENLARGE_H
#define SL_MEDIA_ENLARGE_H

#include "base/error.h"
#include "sideline/render.h"

#include <stddef.h>

/* Remembers the sizes of the last time; zero-initialise, sl_enlarge_free. */
typedef struct sl_enlarge {
    int32_t from; /* widths */
    int32_t to;
    uint32_t *at;   /* of each pixel of a row: the source pixel to its left, */
    uint32_t *part; /* and how much of the next one, in both halves */
    uint32_t *row;  /* between two rows of the source, its last pixel twice */
} sl_enlarge;

/* rows: width x height pixels of 32 bits, `stride` bytes from row to row; `into` is as large or
 * larger, by less than 2^15 pixels a side. */
sl_status sl_enlarge_into(sl_enlarge *e, const uint8_t *rows, ptrdiff_t stride, int32_t width,
                          int32_t height, const sl_pixels *into, sl_error **err);
void sl_enlarge_free(sl_enlarge *e);

#endif
