/*
 * sideline/annotation.h - the drawings on one video.
 *
 * Coordinates are integers in the video's own display-rotated frame: the longer
 * side is 32768 units, the same unit on both axes, origin top left. Widths of
 * lines and sizes of text use the same unit. Times are microseconds of the video,
 * ranges half-open [in, out).
 *
 * An item in JSON:
 *   {"id","kind":"pen|arrow|line|rect|ellipse|angle|text","points":[[x,y],..],
 *    "pressure":[0..255,..]?,"dt":[ms since the first point,..]?,"text":".."?,
 *    "style":{"color":"#RRGGBB","opacity":0..1,"width":units,"font_size":units},
 *    "in":us,"out":us,"fade":us?,"z":".."?}
 * points: pen n >= 1; arrow and line 2 (from, to); rect and ellipse 2 (opposite
 * corners of the box); angle 3 (arm, vertex, arm); text 1 (top left).
 *
 * A document may be bound to a core (changes are records, offline first) or stand
 * alone. A document is safe to call from one thread at a time.
 */
#ifndef SIDELINE_ANNOTATION_H
#define SIDELINE_ANNOTATION_H

#include "core.h"

#ifdef __cplusplus
extern "C" {
#endif
SL_BEGIN

typedef struct sl_doc sl_doc;

/* Stands alone: width and height of the video's display frame in pixels. */
SL_API sl_status sl_doc_new(int32_t width, int32_t height, sl_doc *SL_NULLABLE *SL_NULLABLE out,
                            sl_error *SL_NULLABLE *SL_NULLABLE err);
/* The drawings of a video the core holds. space: "video:<id>". Later changes come with refresh. */
SL_API sl_status sl_doc_open(sl_core *core, const char *space, sl_doc *SL_NULLABLE *SL_NULLABLE out,
                             sl_error *SL_NULLABLE *SL_NULLABLE err);
SL_API sl_status sl_doc_refresh(sl_doc *doc, sl_error *SL_NULLABLE *SL_NULLABLE err);
SL_API void sl_doc_close(sl_doc *SL_NULLABLE doc);

/* Adds one item; *id: the item's id as text. SL_E_INVALID names what is wrong. */
SL_API sl_status sl_doc_add(sl_doc *doc, const char *item, size_t n,
                            sl_bytes *SL_NULLABLE *SL_NULLABLE id,
                            sl_error *SL_NULLABLE *SL_NULLABLE err);
/* style, in, out, fade, z of an item; geometry never changes. */
SL_API sl_status sl_doc_patch(sl_doc *doc, const char *id, const char *json, size_t n,
                              sl_error *SL_NULLABLE *SL_NULLABLE err);
SL_API sl_status sl_doc_remove(sl_doc *doc, const char *id, sl_error *SL_NULLABLE *SL_NULLABLE err);

/* Live stroke: style JSON as an item without points. Then points, then end. */
SL_API sl_status sl_doc_stroke_begin(sl_doc *doc, const char *item, size_t n, sl_id *stroke,
                                     sl_error *SL_NULLABLE *SL_NULLABLE err);
/* xypt: `points` times (x, y in units, pressure 0..1, ms since the stroke began). */
SL_API sl_status sl_doc_stroke_points(sl_doc *doc, sl_id stroke, const float *xypt,
                                      uint32_t points);
/* keep 0 cancels; otherwise *id is the item's id. */
SL_API sl_status sl_doc_stroke_end(sl_doc *doc, sl_id stroke, int32_t keep,
                                   sl_bytes *SL_NULLABLE *SL_NULLABLE id,
                                   sl_error *SL_NULLABLE *SL_NULLABLE err);

/* The topmost item visible at t_us within radius of (x, y); *id is NULL when none. */
SL_API sl_status sl_doc_hit(sl_doc *doc, int32_t x, int32_t y, int32_t radius, int64_t t_us,
                            sl_bytes *SL_NULLABLE *SL_NULLABLE id);
/* {"width","height","items":[..]} in drawing order. */
SL_API sl_status sl_doc_json(sl_doc *doc, sl_bytes *SL_NULLABLE *SL_NULLABLE out,
                             sl_error *SL_NULLABLE *SL_NULLABLE err);

SL_END
#ifdef __cplusplus
}
#endif

#endif
