/* render/inside.h - what the files of this module share: one item's ink on its way to Cairo. */
#ifndef SL_RENDER_INSIDE_H
#define SL_RENDER_INSIDE_H

#include "render/render.h"

#include <cairo.h>

typedef struct ink {
    cairo_t *cr;
    const sl_item *item;
    int64_t age_us;
    double sx; /* pixels per unit, across and down */
    double sy;
    double scale; /* for widths: the smaller of the two */
    double width; /* of the line, in pixels, at least one */
    double halo;  /* what the halo adds on each side */
} ink;

/* Half-open like sl_box, but where ink really ends. */
typedef struct extent {
    double x0;
    double y0;
    double x1;
    double y1;
} extent;

void sl_ink_body(const ink *k);        /* the source becomes the item's colour */
void sl_ink_halo(const ink *k);        /* ... that of its halo */
void sl_ink_stroke_path(const ink *k); /* halo and line along the current path, which is used up */
void sl_extent_add(extent *e, double x, double y, double pad);

/* Each kind draws at full opacity and grows *e by all it may touch. */
bool sl_ink_pen(const ink *k); /* false: out of memory */
void sl_ink_shape(const ink *k);
void sl_ink_text(const ink *k);
void sl_ink_extent(const ink *k, extent *e);

/* Text with its halo, top left at (x, y), or centred there. */
void sl_ink_font(const ink *k);
void sl_ink_label(const ink *k, const char *label, double x, double y);
/* The place and content of an angle's label. */
void sl_ink_angle_label(const ink *k, char out[16], double *x, double *y);
void sl_ink_text_extent(const ink *k, extent *e);
void sl_ink_label_extent(const ink *k, const char *label, double x, double y, extent *e);

#endif
