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
    SL_KIND_COUNT = 7
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
    uint8_t *pressure; /* n, pens only, NULL when not recorded */
    uint32_t *dt_ms;   /* n, pens only, from 0 upwards, NULL when not recorded */
    char *text;        /* texts only */
} sl_geometry;

typedef struct sl_style {
    uint32_t rgb; /* 0xRRGGBB */
    int32_t opacity;
    int32_t width;
    int32_t font_size;
} sl_style;

typedef struct sl_item {
    sl_geometry geo;
    sl_style style;
    int64_t t_in;
    int64_t t_out;
    int64_t fade_us;
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

/* style (the members given), in, out, fade, z. On failure the item is as it was. */
sl_status sl_item_patch(sl_item *item, const sl_json *j, sl_error **err);
/* Checks every limit but the id; also that of geometry made by hand. */
sl_status sl_item_check(const sl_item *item, sl_error **err);
/* The part of it that lies in the geometry alone. */
sl_status sl_geometry_check(const sl_geometry *geo, sl_error **err);
sl_item *sl_item_clone(const sl_item *item);
void sl_geometry_clear(sl_geometry *geo);
void sl_item_free(sl_item *item);

/* 0 outside [in, out), else up to SL_OPAQUE: the style's opacity, ramped over `fade` at both ends. */
int32_t sl_item_opacity_at(const sl_item *item, int64_t t_us);
/* What the shape covers, line width included. A text's width is an estimate: fonts are the
 * renderer's. */
sl_box sl_item_bounds(const sl_item *item);
/* Within radius of the ink; rectangles and ellipses count along their line, a text as its box. */
bool sl_item_hit(const sl_item *item, int32_t x, int32_t y, int32_t radius);

#endif
