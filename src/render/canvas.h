/*
 * render/canvas.h - the overlay of one view, kept from picture to picture.
 *
 * The canvas remembers what it shows: which items, of which revision, how they stand at that time.
 * Shown again it compares: nothing changed costs a look at each visible item and touches no pixel.
 * Otherwise it draws anew the tiles that what changed has ink in, of each only the part around that.
 * Kept, up to limits, are what settled items are drawn with, so that an item that comes again is only
 * blended, and the tiles of settled items alone, so that going back to where one was copies them. What
 * is being drawn, fades or runs with the time is drawn over these each time.
 *   [CANVAS-1] its pixels are, to the bit, those of drawing the whole scene onto clear ones;
 *   [CANVAS-2] *damage, and the list of boxes, hold every pixel that changed;
 *   [CANVAS-3] what is kept is never more than the limits.
 */
#ifndef SL_RENDER_CANVAS_H
#define SL_RENDER_CANVAS_H

#include "render/render.h"

typedef struct sl_canvas sl_canvas;

enum {
    SL_CANVAS_ITEMS_BYTES = 8 << 20, /* unless limited otherwise */
    SL_CANVAS_TILES_BYTES = 24 << 20
};

/* NULL: out of memory, or a size that cannot be drawn on. */
sl_canvas *sl_canvas_new(int32_t width, int32_t height);
void sl_canvas_free(sl_canvas *c);
/* Brings it to the scene (its clip is not looked at). *damage: x0 == x1 when nothing changed. After
 * an error the next call draws all anew. */
sl_status sl_canvas_show(sl_canvas *c, const sl_scene *scene, const sl_shown *shown, size_t n,
                         sl_box *damage, sl_error **err);
/* What changed in the last call, as boxes none of which meet; borrowed until the next. */
const sl_box *sl_canvas_damage(const sl_canvas *c, size_t *n);
/* How many bytes are kept at most of items and of tiles; what is kept now is let go. False: out of
 * memory; nothing is kept then. */
bool sl_canvas_limit(sl_canvas *c, size_t items, size_t tiles);
/* Kept now, of both. */
size_t sl_canvas_kept(const sl_canvas *c);
/* What is shown, borrowed until the next call. */
const sl_pixels *sl_canvas_pixels(const sl_canvas *c);

#endif
