/*
 * render/svg.h - a page being written as SVG.
 *
 * Paths are those the renderer makes for Cairo, letters included, so that no viewer needs a font; in
 * pixels of the page, to a hundredth.
 */
#ifndef SL_RENDER_SVG_H
#define SL_RENDER_SVG_H

#include "base/buf.h"
#include "render/render.h"

#include <cairo.h>

typedef struct sl_svg {
    sl_buf *out;
    uint32_t clips; /* made so far: their ids */
} sl_svg;

void sl_svg_open(sl_svg *svg, int32_t width, int32_t height);
void sl_svg_close(sl_svg *svg);
/* The group of an item, with all that its record holds. False: out of memory. */
bool sl_svg_item_open(sl_svg *svg, const sl_item *item, double opacity, bool hidden);
void sl_svg_item_close(sl_svg *svg);
/* The page's ground. False: out of memory. */
bool sl_svg_ground(sl_svg *svg, cairo_surface_t *picture);

#endif
