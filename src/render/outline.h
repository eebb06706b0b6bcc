/*
 * render/outline.h - the outline of a stroke of varying width, as one closed line.
 *
 * It runs along the left side, round the end, back along the right side and round the beginning.
 * Outside a turn it follows the pen's round tip, inside it goes through the middle: so all of its
 * parts run the same way round, and the nonzero rule, or the size of the winding, gives the union:
 * no hole at a tight turn and no darker overlap, whatever the opacity.
 */
#ifndef SL_RENDER_OUTLINE_H
#define SL_RENDER_OUTLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct sl_dot {
    double x;
    double y;
    double r;
} sl_dot;

typedef union sl_lane {
    float f;
    int32_t i;
} sl_lane;

typedef struct sl_outline {
    double *xy; /* x, y, x, y, .. */
    size_t n;   /* points */
    size_t room;
    size_t back;    /* points of the right side at the end of the room, while it is made */
    sl_lane *lanes; /* of each dot, while it is made */
    size_t lanes_room;
    bool failed; /* out of memory */
} sl_outline;

/* Makes it anew from dots, no two neighbours of which are in one place, with `grow` more radius. */
void sl_outline_make(sl_outline *o, const sl_dot *dots, uint32_t n, double grow);
/* Its place for n points, empty; NULL: out of memory. */
double *sl_outline_room(sl_outline *o, size_t n);
void sl_outline_free(sl_outline *o);

#endif
