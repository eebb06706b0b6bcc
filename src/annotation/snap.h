/*
 * annotation/snap.h - where a point that is drawn or dragged is drawn to: pure functions.
 *
 * The first that is within the tolerance counts: a point of another item; a direction of a multiple of
 * 45 degrees from where the line begins; the frame's edges, middle and thirds, across and down each for
 * itself.
 */
#ifndef SL_ANNOTATION_SNAP_H
#define SL_ANNOTATION_SNAP_H

#include "annotation/drawing.h"

enum {
    SL_SNAP_POINT = 1,
    SL_SNAP_ANGLE = 2,
    SL_SNAP_ACROSS = 4,
    SL_SNAP_DOWN = 8
};

/* from: where the line begins, NULL for none. *to becomes the place; what drew it there (SL_SNAP_), 0
 * when nothing did and it is as it was. `except`: the id of what is dragged itself, or NULL. */
uint32_t sl_snap(const sl_drawing *d, const char *except, const sl_point *from, sl_point *to,
                 int32_t tolerance, int64_t t_us);

#endif
