/* render/inside.h - what the files of this module share: one item's ink on its way to Cairo. */
#ifndef SL_RENDER_INSIDE_H
#define SL_RENDER_INSIDE_H

#include "annotation/measure.h"
#include "annotation/tool.h"
#include "render/keep.h"
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
    sl_raster *raster; /* NULL: Cairo fills and strokes all */
    sl_raster_level level;
    sl_outline outline;
    sl_dot *dots;
    uint32_t dots_room;
    sl_fills once; /* of what is not kept */
    uint8_t *layer;
    size_t layer_room;
    bool failed; /* out of memory */
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
    sl_fills *fills;    /* where fillings go, by the rasteriser; NULL: all is Cairo's */
    bool at_once;       /* ... and are blended one by one, since Cairo paints in between */
    sl_box whole;       /* in pixels: what the item may touch, from a multiple of SL_BLOCK on */
    sl_box box;         /* ... of it what is asked for */
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

/* What an item is drawn with, kept from picture to picture. */
typedef struct sl_kept {
    sl_fills fills;
    sl_box box;      /* all of it */
    uint64_t *tiles; /* a bit for each that is touched, row by row, of those of the box */
} sl_kept;

enum {
    SL_TILE = SL_BAND /* pixels a side */
};

/* What kept fillings are good for. */
typedef struct sl_view_of {
    cairo_matrix_t to_px;
    int32_t width;
    int32_t height;
    sl_scale units;
} sl_view_of;

struct sl_renderer {
    sl_ink_tools tools;
    sl_keep *keep; /* sl_kept by item and revision; NULL: nothing is */
    sl_view_of view;
};

/* A scene being drawn item by item, or part by part. */
typedef struct sl_pass {
    ink k;
    sl_scale units;
    sl_renderer *renderer;
    cairo_surface_t *surface;
    bool full; /* there is no room for more to be kept */
} sl_pass;

bool sl_same_scale(const sl_scale *a, const sl_scale *b);
sl_status sl_pass_begin(sl_pass *p, sl_renderer *r, const sl_scene *scene, const sl_scale *units,
                        const sl_pixels *into, sl_error **err);
/* Finds or makes what the item is drawn with: good until the pass ends. NULL: it is not kept, or
 * there is no room. */
const sl_kept *sl_pass_keep(sl_pass *p, const sl_shown *shown);
/* Paints what lies in the clip (x0 == x1: all) of an item visible now. False: out of memory. */
bool sl_pass_paint(sl_pass *p, const sl_shown *shown, const sl_kept *kept, sl_box clip);
sl_status sl_pass_end(sl_pass *p, bool ok, sl_error **err);
const sl_kept *sl_renderer_kept(sl_renderer *r, const sl_item *item, uint64_t revision);
void sl_kept_free(void *kept);
/* Whether anything of it lies in the tile of that column and row. */
bool sl_kept_touches(const sl_kept *kept, int32_t col, int32_t row);
bool sl_ink_is_effect(sl_kind kind);
bool sl_ink_is_visible(const sl_shown *shown, int64_t t_us);
/* The box becomes what of it lies in the clip; x0 == x1: no bound. */
void sl_ink_clip(sl_box *box, const sl_box *clip);

sl_ink_tools *sl_renderer_tools(sl_renderer *r);
/* What a drawing of a scene is made of (render.c), for those who draw it elsewhere. */
bool sl_ink_pose(const sl_item *item, int64_t t_us, posed *out); /* false: out of memory */
void sl_ink_matrix(const sl_scene *scene, const sl_pixels *into, cairo_matrix_t *m);
void sl_ink_scale(const sl_scene *scene, const sl_shown *shown, size_t n, sl_scale *out);
void sl_ink_set(ink *k, const sl_shown *shown, const sl_item *item);
sl_box sl_ink_box(ink *k);
bool sl_ink_item(ink *k, sl_box box, int32_t opacity);  /* by Cairo; false: out of memory */
bool sl_ink_dots_room(sl_ink_tools *tools, uint32_t n); /* what dots there are stay */
/* Fills what was added to the rasteriser. */
void sl_ink_pour(const ink *k, int32_t rgb, double alpha);
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
