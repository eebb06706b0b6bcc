/* render/inside.h - what the files of this module share: one item's ink on its way to Cairo. */
#ifndef SL_RENDER_INSIDE_H
#define SL_RENDER_INSIDE_H

#include "annotation/measure.h"
#include "annotation/tool.h"
#include "render/outline.h"
#include "render/raster.h"
#include "render/render.h"

#include <cairo.h>

/* Half-open like sl_box, but where ink really ends. */
typedef struct extent {
    double x0;
    double y0;
    double x1;
    double y1;
} extent;

#define SL_HALO_ALPHA 0.7

/* What strokes are drawn with, kept from one to the next. */
typedef struct sl_ink_tools {
    sl_raster *raster; /* NULL: Cairo fills the outlines too */
    sl_outline outline;
    sl_dot *dots;
    uint32_t dots_room;
} sl_ink_tools;

typedef struct ink {
    cairo_t *cr;
    const sl_item *item; /* posed */
    int64_t age_us;
    const sl_scene *scene;
    const sl_scale *units;
    const sl_pixels *into;
    cairo_matrix_t to_px; /* units to pixels */
    double scale;         /* for widths: pixels per unit, the smaller of the two ways */
    double width;         /* of the line, in pixels, at least one */
    double halo;          /* what the halo adds on each side */
    sl_ink_tools *tools;
    struct sl_svg *svg; /* not NULL: it is written there rather than painted */
    sl_box box;         /* in pixels: what may be touched */
    extent *measure;    /* not NULL: nothing is painted, it grows by all that would be touched */
} ink;

/* A point of the item in pixels. */
double sl_ink_x(const ink *k, uint32_t i);
double sl_ink_y(const ink *k, uint32_t i);
void sl_ink_at(const ink *k, sl_point p, double *x, double *y);

double sl_ink_halo_level(const ink *k); /* black 0 or white 1 */
/* Along or within the current path, which stays. */
void sl_ink_stroke(const ink *k, double width, int32_t rgb, double alpha);
void sl_ink_fill(const ink *k, int32_t rgb, double alpha);
void sl_ink_halo(const ink *k, double width); /* a stroke in the colour of the item's halo */
/* Each uses the current path up. */
void sl_ink_line(const ink *k);                            /* halo and line along it */
void sl_ink_thin(const ink *k, double width);              /* the same with another width */
void sl_ink_body(const ink *k);                            /* filled, with a halo around it */
void sl_ink_area(const ink *k, int32_t rgb, double alpha); /* filled, without */
void sl_ink_fill_style(const ink *k);                      /* the style's fill; keeps the path */
void sl_extent_add(extent *e, double x, double y, double pad);

/* Draws the item at full opacity, or measures it. False: out of memory. */
bool sl_ink_draw(const ink *k);
/* A picture, `to` being its place under the current matrix; lens: x, y and radius of the circle of it
 * that shows, or NULL. False: out of memory. */
bool sl_ink_picture(const ink *k, cairo_surface_t *picture, cairo_filter_t filter,
                    const double *lens);

/* One item as it stands at a time, and the room for its points. */
typedef struct posed {
    sl_item item;
    sl_point few[SL_EDIT_POINTS_MAX];
    sl_point *many; /* freed by the caller */
} posed;

sl_ink_tools *sl_renderer_tools(sl_renderer *r);
/* What a drawing of a scene is made of (render.c), for those who draw it elsewhere. */
bool sl_ink_pose(const sl_item *item, int64_t t_us, posed *out); /* false: out of memory */
void sl_ink_matrix(const sl_scene *scene, const sl_pixels *into, cairo_matrix_t *m);
void sl_ink_scale(const sl_scene *scene, const sl_shown *shown, size_t n, sl_scale *out);
void sl_ink_set(ink *k, const sl_shown *shown, const sl_item *item);
sl_box sl_ink_box(ink *k);
bool sl_ink_item(ink *k, sl_box box, int32_t opacity); /* false: out of memory */
sl_status sl_ink_failed(cairo_status_t status, sl_error **err);

/* The SVG being written (svg.c). */
void sl_svg_stroke(const ink *k, double width, int32_t rgb, double alpha);
void sl_svg_fill(const ink *k, int32_t rgb, double alpha);
bool sl_svg_picture(const ink *k, cairo_surface_t *picture, cairo_filter_t filter,
                    const double *lens);

/* Those with a file of their own. */
bool sl_ink_pen(const ink *k);
bool sl_ink_text(const ink *k);
bool sl_ink_spotlight(const ink *k);
bool sl_ink_magnifier(const ink *k);
bool sl_ink_stamp(const ink *k);
bool sl_ink_blur(const ink *k);

/* A line of text with its halo, centred on (x, y), `size` times the font's size. */
void sl_ink_label(const ink *k, const char *label, double x, double y, double size);
/* The same on a rounded ground of the item's fill colour, or nearly black. */
void sl_ink_boxed_label(const ink *k, const char *label, double x, double y, double size);

#endif
