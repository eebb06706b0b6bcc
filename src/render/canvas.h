/*
 * render/canvas.h - the overlay of one view, kept from picture to picture.
 *
 * The canvas remembers what it shows: which items, of which revision, how they stand at that time.
 * Shown again it compares: nothing changed costs a look at each visible item and touches no pixel;
 * otherwise it clears and draws what lies in the boxes of what changed, clipped to them.
 *   [CANVAS-1] its pixels are those of drawing the whole scene onto clear ones: strokes to the bit,
 *              what Cairo draws but for single pixels, off by at most 16 of 255, where a clip cuts
 *              an edge;
 *   [CANVAS-2] *damage holds every pixel that changed.
 */
#ifndef SL_RENDER_CANVAS_H
#define SL_RENDER_CANVAS_H

#include "render/render.h"

typedef struct sl_canvas sl_canvas;

/* NULL: out of memory, or a size that cannot be drawn on. */
sl_canvas *sl_canvas_new(int32_t width, int32_t height);
void sl_canvas_free(sl_canvas *c);
/* Brings it to the scene (its clip is not looked at). *damage: x0 == x1 when nothing changed. After
 * an error the next call draws all anew. */
sl_status sl_canvas_show(sl_canvas *c, const sl_scene *scene, const sl_shown *shown, size_t n,
                         sl_box *damage, sl_error **err);
/* What is shown, borrowed until the next call. */
const sl_pixels *sl_canvas_pixels(const sl_canvas *c);

#endif
