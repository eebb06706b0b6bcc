/*
 * exchange/exchange.h - drawings from other programs' files: SVG, InkML, Kinovea's KVA.
 *
 * What has a place in a drawing becomes an item that obeys every limit of annotation/item.h, what has
 * none is counted. Coordinates are fitted into the frame:
 *   SVG    its view box into the frame, centred. Our own SVG (render/render.h) comes back as it was;
 *          from others: rect, circle, ellipse, line, polyline, polygon, path, text, under any
 *          transform, with colours, widths, dashes and opacity from attributes and style="..". A
 *          line with a marker at its end is an arrow. Curves become straight steps within
 *          SL_CURVE_ERROR units. Style sheets set what they set by element names, classes and ids;
 *          rules of other selectors are counted. A gradient is its stops' mean, a pattern the
 *          mean of its shapes' colours, what is clipped or masked is there whole; all are counted. `use`
 *          draws what it names. Pictures are left out
 *   InkML  traces with pressure (F) and time (T) in explicit, first and second differences; colour,
 *          width and transparency of brushes. Ink within the frame's pixels stays where it is, other
 *          ink is fitted into the frame
 *   KVA    key images as bookmarks; pencils, lines, arrows, circles, crosses, labels, angles,
 *          rectangles, planes and their divisions, polylines, chronometers (of those with sections the
 *          first), trajectories, spotlights, numbers; the calibration as a ruler. Image pixels into the
 *          frame; fading as Kinovea has it. A counter is one for each of its counts; human models and
 *          OpenPose's points are a figure, a goniometer an angle, any other posture a polyline
 *          through its points in their order; each tracked point of a drawing is a path. Pictures
 *          are left out
 */
#ifndef SL_EXCHANGE_EXCHANGE_H
#define SL_EXCHANGE_EXCHANGE_H

#include "annotation/item.h"

enum {
    SL_CURVE_ERROR = 4,
    SL_IMPORT_ITEMS_MAX = 50000
};

typedef enum sl_format {
    SL_FORMAT_SVG,
    SL_FORMAT_INKML,
    SL_FORMAT_KVA
} sl_format;

typedef struct sl_import {
    int32_t frame_w; /* pixels of the display frame */
    int32_t frame_h;
    int64_t t_in; /* of what names no time of its own */
    int64_t t_out;
    sl_item **items; /* from bottom to top */
    size_t n;
    size_t skipped;     /* what had no place in a drawing */
    uint32_t rules;     /* of style sheets that were left out */
    uint32_t gradients; /* that became one colour */
    uint32_t patterns;  /* the same */
    uint32_t clipped;   /* elements under a clip path or a mask, which are there whole */
    /* --- the rest is the readers' --- */
    size_t room;
    double scale; /* units of a pixel or step of the file */
    double dx;
    double dy;
} sl_import;

/* frame_w, frame_h, t_in and t_out are set. On failure there are no items. SL_E_INVALID: not such a
 * file, or damaged; SL_E_LIMIT: beyond SL_IMPORT_ITEMS_MAX or a limit of exchange/xml.h. */
sl_status sl_import_read(sl_import *im, sl_format format, const void *data, size_t n,
                         sl_error **err);
void sl_import_clear(sl_import *im);

#endif
