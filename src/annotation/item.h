/*
 * annotation/item.h - one drawing on a video: geometry, style, time range, place in the stack.
 *
 * Coordinates and widths are units of the display frame (its longer side is SL_UNITS), times are
 * microseconds of the video. An item that came out of this header's functions obeys every limit
 * below, so nothing that draws or stores it checks again. Geometry never changes; style, time
 * range and z do, through sl_item_patch.
 */
#ifndef SL_ANNOTATION_ITEM_H
#define SL_ANNOTATION_ITEM_H

#include "base/json.h"
#include "base/uuid.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    SL_UNITS = 32768,
    SL_COORD_MAX = 131072, /* four frames out on every side */
    SL_PEN_POINTS_MAX = 65536,
    SL_SHAPE_POINTS_MAX = 1024, /* of what is clicked point by point */
    SL_EDIT_POINTS_MAX = 32,    /* an item with more is moved and scaled only as a whole */
    SL_KEYS_MAX = 32,
    SL_STYLE_BYTES_MAX = 2000, /* as JSON */
    SL_EDIT_SCALE_ONE = 1000,  /* scales are in thousandths */
    SL_EDIT_SCALE_MAX = 100000,
    SL_TILT_MAX = 90,
    SL_DT_MS_MAX = 3600000,
    SL_ITEM_TEXT_MAX = 4000, /* characters */
    SL_WIDTH_MAX = 8192,
    SL_WIDTH_DEFAULT = 96,
    SL_FONT_MIN = 64,
    SL_FONT_MAX = 16384,
    SL_FONT_DEFAULT = 1024,
    SL_OPACITY_MAX = 1000, /* style opacity is kept in thousandths */
    SL_FADE_US_MAX = 10000000,
    SL_Z_MAX = 128,
    SL_OPAQUE = 65535 /* of sl_item_opacity_at */
};

#define SL_ITEM_US_MAX INT64_C(36000000000) /* the latest time in a video */

typedef enum sl_kind {
    SL_KIND_PEN = 0,
    SL_KIND_ARROW = 1,
    SL_KIND_LINE = 2,
    SL_KIND_RECT = 3,
    SL_KIND_ELLIPSE = 4,
    SL_KIND_ANGLE = 5,
    SL_KIND_TEXT = 6,
    SL_KIND_HIGHLIGHTER = 7,
    SL_KIND_POLYLINE = 8,
    SL_KIND_POLYGON = 9,
    SL_KIND_CURVE = 10,
    SL_KIND_CALLOUT = 11,
    SL_KIND_PROTRACTOR = 12,
    SL_KIND_RULER = 13,
    SL_KIND_PATH = 14,
    SL_KIND_STOPWATCH = 15,
    SL_KIND_COUNTER = 16,
    SL_KIND_MARKER = 17,
    SL_KIND_GRID = 18,
    SL_KIND_PERSPECTIVE = 19,
    SL_KIND_SPOTLIGHT = 20,
    SL_KIND_MAGNIFIER = 21,
    SL_KIND_FIGURE = 22,
    SL_KIND_STAMP = 23,
    SL_KIND_BLUR = 24,
    SL_KIND_FREEZE = 25,
    SL_KIND_BOOKMARK = 26,
    SL_KIND_LAYER = 27,
    SL_KIND_LASER = 28,
    SL_KIND_COUNT = 29
} sl_kind;

typedef struct sl_point {
    int32_t x;
    int32_t y;
} sl_point;

/* x1 and y1 lie outside: an empty box has x0 == x1. */
typedef struct sl_box {
    int32_t x0;
    int32_t y0;
    int32_t x1;
    int32_t y1;
} sl_box;

typedef struct sl_geometry {
    sl_kind kind;
    uint32_t n;
    sl_point *points;
    uint8_t *pressure; /* n, NULL when not recorded */
    uint32_t *dt_ms;   /* n, from 0 upwards, NULL when not recorded */
    uint8_t *tilt;     /* n, degrees from upright to SL_TILT_MAX, NULL when not recorded */
    char *text;
    uint8_t *unknown; /* sections of a newer version's encoding, kept as they are */
    size_t unknown_n;
} sl_geometry;

/* What style says beside colours and sizes; annotation/style.c has the table of all. */
typedef enum sl_dash {
    SL_DASH_SOLID,
    SL_DASH_DASHES,
    SL_DASH_DOTS
} sl_dash;

typedef struct sl_style {
    int32_t rgb; /* 0xRRGGBB */
    int32_t opacity;
    int32_t width;
    int32_t font_size;
    int32_t fill; /* 0xRRGGBB, -1: none */
    int32_t heads;
    int32_t dash; /* sl_dash */
    int32_t rows;
    int32_t cols;
    int32_t zoom; /* thousandths */
    int32_t value;
    int32_t vertical; /* a protractor's zero is the vertical, not the horizontal */
    int32_t box;      /* a text has a ground */
    int32_t length;   /* of a ruler that calibrates, in thousandths of its unit; 0: none */
    int32_t hold_ms;  /* of a frozen frame */
    int32_t hidden;   /* layers */
    int32_t locked;
    char unit[9];
    char layer[SL_UUID_LEN + 1]; /* the layer's id, "": the one below all others */
} sl_style;

enum {
    SL_EDIT_MOVE = 1,
    SL_EDIT_SCALE = 2,
    SL_EDIT_OPACITY = 4,
    SL_EDIT_POINTS = 8
};

/* What became of the geometry since it was drawn: in all, or at one time. */
typedef struct sl_edit {
    uint8_t has; /* SL_EDIT_ */
    int32_t dx;
    int32_t dy;
    int32_t scale;    /* about the middle of the points, thousandths */
    int32_t opacity;  /* times the style's, thousandths */
    sl_point *points; /* instead of the geometry's, as many */
    int64_t t_us;     /* keyframes: 0 in what holds for all times */
} sl_edit;

typedef struct sl_item {
    sl_geometry geo;
    sl_edit edit;
    sl_edit *keys;  /* by time */
    sl_json *extra; /* members of style that a newer version made, kept as they are */
    int64_t t_in;
    int64_t t_out;
    int64_t fade_us;
    uint64_t revision; /* the drawing's count when it took this item in */
    sl_style style;
    uint32_t keys_n;
    bool live;                /* a stroke being drawn: it only gains points */
    char id[SL_UUID_LEN + 1]; /* "" until it has one */
    char z[SL_Z_MAX + 1];     /* "" until it has one */
} sl_item;

const char *sl_kind_name(sl_kind kind);
bool sl_kind_parse(const char *name, sl_kind *out);

/* The JSON of sideline/annotation.h. SL_E_INVALID names the field; *out is NULL on failure. */
sl_status sl_item_from_json(const sl_json *j, sl_item **out, sl_error **err);
/* The same for the beginning of a live stroke: a pen without points. */
sl_status sl_item_from_json_open(const sl_json *j, sl_item **out, sl_error **err);
/* NULL when out of memory. */
sl_json *sl_item_to_json(const sl_item *item);

/* The fields of an "annotation" record: kind, geometry (base64 of annotation/codec.h), style, t_in,
 * t_out, fade, z. Other fields are ignored. `id` may be NULL. */
sl_status sl_item_from_fields(const sl_json *fields, const char *id, sl_item **out, sl_error **err);
sl_json *sl_item_to_fields(const sl_item *item);

/* style (the members given; null takes one back), in, out, fade, z. On failure the item is as it
 * was. */
sl_status sl_item_patch(sl_item *item, const sl_json *j, sl_error **err);
/* The order of the stack: by z, then by id. */
int sl_item_compare(const sl_item *a, const sl_item *b);
/* Checks every limit but the id; also that of geometry made by hand. */
sl_status sl_item_check(const sl_item *item, sl_error **err);
/* The part of it that lies in the geometry alone. */
sl_status sl_geometry_check(const sl_geometry *geo, sl_error **err);
sl_item *sl_item_clone(const sl_item *item);
void sl_geometry_clear(sl_geometry *geo);
void sl_item_free(sl_item *item);

/* The item as it stands at a time, in `out`: its keyframes and edits carried out on the points, for
 * which `room` has geo.n places. It borrows from both. */
void sl_item_pose(const sl_item *item, int64_t t_us, sl_item *out, sl_point *room);
/* Whether it has edits or keyframes at all. */
bool sl_item_is_posed(const sl_item *item);

/* What can be dragged at t_us: the points, or of an item with more than SL_EDIT_POINTS_MAX the
 * corners of their box. Returns how many there are, of which `room` are written. */
uint32_t sl_item_handles(const sl_item *item, int64_t t_us, sl_point *out, uint32_t room);
/* Takes a handle to a point, as an edit for all times; on keyframed points, at the key nearest
 * t_us. SL_E_NOT_FOUND: no such handle. */
sl_status sl_item_drag(sl_item *item, int64_t t_us, uint32_t handle, sl_point to, sl_error **err);
/* Moves the whole of it, at all times. */
sl_status sl_item_move(sl_item *item, int32_t dx, int32_t dy, sl_error **err);

/* 0 outside [in, out), else up to SL_OPAQUE: the style's opacity, ramped over `fade` at both ends. */
int32_t sl_item_opacity_at(const sl_item *item, int64_t t_us);
/* What the shape covers as drawn, whatever its edits, line width included. A text's width is an
 * estimate: fonts are the renderer's. */
sl_box sl_item_bounds(const sl_item *item);
/* What it may cover at any time, edits and keyframes included. */
sl_box sl_item_reach(const sl_item *item);
/* Within radius of the ink as drawn; outlines count along their line, texts, signs and areas
 * inside too. What has no ink is never hit. */
bool sl_item_hit(const sl_item *item, int32_t x, int32_t y, int32_t radius);
/* The same as the item stands at a time. */
bool sl_item_hit_at(const sl_item *item, int64_t t_us, sl_point at, int32_t radius);
/* From a place to the straight step from a to b. */
double sl_step_distance(double x, double y, sl_point a, sl_point b);

#endif
