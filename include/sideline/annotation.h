/*
 * sideline/annotation.h - the drawings on one video.
 *
 * Coordinates are integers in the video's own display-rotated frame: the longer
 * side is 32768 units, the same unit on both axes, origin top left. Widths of
 * lines and sizes of text use the same unit. Times are microseconds of the video,
 * ranges half-open [in, out).
 *
 * An item in JSON:
 *   {"id","kind","points":[[x,y],..],"pressure":[0..255,..]?,"tilt":[degrees from upright,..]?,
 *    "dt":[ms since the first point,..]?,"text":".."?,"blob":"<SHA-256>"?,
 *    "style":{..},"in":us,"out":us,"fade":us?,"z":".."?,"unknown":".."?}
 *
 * kind         points
 *   pen          1 or more; the line's width follows pressure and tilt, its growth dt
 *   highlighter  the same, see-through, as wide all along
 *   laser        the same, in live strokes only: shown, never kept
 *   line, arrow  2: from, to; style.heads 0 to 2
 *   curve        3: from, drawn towards, to; style.heads
 *   polyline     2 to 1024
 *   polygon      3 to 1024
 *   rect, ellipse, grid   2: opposite corners of the box; a grid has style.rows and style.cols
 *   perspective  4: the corners of a grid in order, rows and cols as above
 *   angle        3: arm, vertex, arm; 2: arm, vertex, against the level or, with style.vertical,
 *                the plumb line
 *   protractor   2: vertex, arm; with a dial
 *   text         1: top left; style.box gives it a ground
 *   callout      2: top left, what it speaks of
 *   ruler        2: ends; style.length and style.unit make it the scale of all measures
 *   path         1 to 1024 with dt: the way a thing goes from "in" on, how far and how fast
 *   stopwatch    1: the time since "in"
 *   counter, marker   1: style.value, in a box or on a disc
 *   spotlight    2: the box of the ellipse that stays lit
 *   magnifier    3: centre and edge of the lens, what it looks at; style.zoom
 *   figure       14 joints: head, neck, left shoulder, elbow, wrist, the same right, left hip, knee,
 *                ankle, the same right; with the angles of elbows and knees
 *   stamp        2: box of the picture "blob"
 *   blur         2: box of what is not to be seen
 *   freeze       1: where its sign may stand; the frame of "in" is held for style.hold_ms
 *   bookmark     1: a key image, "text" says why; nothing hangs on it
 *   layer        1: "text" is its name; style.hidden, style.locked, z is the place of all its items
 *
 * style: "color" and "fill" "#RRGGBB", "opacity" 0..1, "width" and "font_size" in units, "dash"
 * solid|dashes|dots, "heads", "rows", "cols", "zoom", "value", "vertical", "box", "length", "unit",
 * "hold_ms", "hidden", "locked", "layer" (the id of one). null takes a member back. Geometry never
 * changes; what became of it is style too: "move":[dx,dy], "scale", "points" (as many as the item
 * has, up to 32), and "keys":[{"t":us,"move"?,"scale"?,"opacity"?,"points"?},..], between which they
 * run straight. Members of style and sections of geometry ("unknown") that a newer version made are
 * kept as they are. style has at most 2000 bytes of JSON.
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

/* What can be dragged of an item as it stands at t_us: {"handles":[[x,y],..]}: its points, or of one
 * with more than 32 the corners of its box. */
SL_API sl_status sl_doc_handles(sl_doc *doc, const char *id, int64_t t_us,
                                sl_bytes *SL_NULLABLE *SL_NULLABLE out,
                                sl_error *SL_NULLABLE *SL_NULLABLE err);
/* Takes a handle to (x, y); keyframed points change at the key nearest t_us. */
SL_API sl_status sl_doc_drag(sl_doc *doc, const char *id, int64_t t_us, uint32_t handle, int32_t x,
                             int32_t y, sl_error *SL_NULLABLE *SL_NULLABLE err);
/* Moves the whole item by (dx, dy), at all times. */
SL_API sl_status sl_doc_move(sl_doc *doc, const char *id, int32_t dx, int32_t dy,
                             sl_error *SL_NULLABLE *SL_NULLABLE err);

/* Where a point that is drawn or dragged is drawn to, within `tolerance` units: a point of another item
 * visible at t_us; else, when a line begins at `from` (x, y), a direction of a multiple of 45 degrees;
 * else the frame's edges, middle and thirds. except: the id of what is dragged itself. `to` (x, y)
 * becomes the place, *how what drew it there: 1 a point, 2 a direction, 4 a line down the frame, 8 one
 * across, 0 nothing. */
SL_API sl_status sl_doc_snap(sl_doc *doc, const char *SL_NULLABLE except,
                             const int32_t *SL_NULLABLE from, int32_t *to, int32_t tolerance,
                             int64_t t_us, uint32_t *SL_NULLABLE how);

/* An eraser of a radius led along a path of up to 256 points (x, y), as one step: all of it, or nothing.
 * Pens and highlighters lose what it goes over, and what stays of each becomes items of the same style,
 * range and place, with the points, pressure and times they had; one with keyframes goes as a whole, and
 * so, by sl_doc_erase_items, does whatever the eraser touches. Items of hidden and locked layers stay.
 * *out: {"removed":[ids],"made":[ids]}. SL_E_LIMIT: over 1000 items come and go, or a stroke would fall
 * into more than 500 pieces. */
SL_API sl_status sl_doc_erase(sl_doc *doc, const int32_t *xy, uint32_t points, int32_t radius,
                              int64_t t_us, sl_bytes *SL_NULLABLE *SL_NULLABLE out,
                              sl_error *SL_NULLABLE *SL_NULLABLE err);
SL_API sl_status sl_doc_erase_items(sl_doc *doc, const int32_t *xy, uint32_t points, int32_t radius,
                                    int64_t t_us, sl_bytes *SL_NULLABLE *SL_NULLABLE out,
                                    sl_error *SL_NULLABLE *SL_NULLABLE err);

/* {"ids":[..]}, in order of the stack: what is visible at t_us and for more than its half within a loop
 * of up to 1024 points (x, y), in no hidden or locked layer. */
SL_API sl_status sl_doc_lasso(sl_doc *doc, const int32_t *xy, uint32_t points, int64_t t_us,
                              sl_bytes *SL_NULLABLE *SL_NULLABLE out,
                              sl_error *SL_NULLABLE *SL_NULLABLE err);

/* Live stroke: style JSON as an item without points. Then points, then end. */
SL_API sl_status sl_doc_stroke_begin(sl_doc *doc, const char *item, size_t n, sl_id *stroke,
                                     sl_error *SL_NULLABLE *SL_NULLABLE err);
/* xypt: `points` times (x, y in units, pressure 0..1, ms since the stroke began). */
SL_API sl_status sl_doc_stroke_points(sl_doc *doc, sl_id stroke, const float *xypt,
                                      uint32_t points);
/* For pens that tell it: the tilt from upright of the points that follow, 0 to 90 degrees. A stroke of which none
 * is told is kept without. SL_E_INVALID: another number. */
SL_API sl_status sl_doc_stroke_tilt(sl_doc *doc, sl_id stroke, double degrees);
/* Where the pen will be ahead_ms (0 to 100) after its last report, as x, y: to draw the end of a live
 * line ahead of the screen's delay. SL_E_NOT_FOUND: no such stroke, or no points yet. */
SL_API sl_status sl_doc_stroke_predict(sl_doc *doc, sl_id stroke, int32_t ahead_ms, int32_t *xy);
/* keep 0 cancels; otherwise *id is the item's id. A laser is never kept: *id is NULL. */
SL_API sl_status sl_doc_stroke_end(sl_doc *doc, sl_id stroke, int32_t keep,
                                   sl_bytes *SL_NULLABLE *SL_NULLABLE id,
                                   sl_error *SL_NULLABLE *SL_NULLABLE err);

/* The topmost item visible at t_us within radius of (x, y); *id is NULL when none. */
SL_API sl_status sl_doc_hit(sl_doc *doc, int32_t x, int32_t y, int32_t radius, int64_t t_us,
                            sl_bytes *SL_NULLABLE *SL_NULLABLE id);
/* What is done between the naming of a group, 1 to 64 bytes, and that of another or NULL is undone by
 * one sl_undo, such as all the steps of a drag. Documents that stand alone have no undo. */
SL_API sl_status sl_doc_group(sl_doc *doc, const char *SL_NULLABLE name,
                              sl_error *SL_NULLABLE *SL_NULLABLE err);

/* Adds the drawings of a file: format "svg", "inkml" or "kva" (Kinovea). What names no time of its own
 * is there within `range` (in, out), NULL: always. SVG of sl_render_svg comes back as it was,
 * in a document of a core with new ids; of other SVG shapes, paths
 * and texts; of InkML traces with pressure and times; of KVA all that has a tool here.
 * *out: {"ids":[..],"skipped":n,"gradients":n,"patterns":n,"clipped":n,"rules":n}: what was made, how
 * much had no place in a drawing, how many gradients and patterns of SVG became their mean colour, how
 * many elements are there whole though a clip path or a mask cuts them, and how many rules of its
 * style sheets were left out: those that select by more than an element's name, class and id. One
 * sl_undo takes all of it back; into a core it goes 1000 items at a time.
 * SL_E_INVALID: not such a file; SL_E_LIMIT: over 64 MB, 50000 drawings, 500000 elements or 128 deep;
 * SL_E_UNSUPPORTED: this build reads none (WebAssembly). */
SL_API sl_status sl_doc_import(sl_doc *doc, const char *format, const void *data, size_t n,
                               const int64_t *SL_NULLABLE range,
                               sl_bytes *SL_NULLABLE *SL_NULLABLE out,
                               sl_error *SL_NULLABLE *SL_NULLABLE err);

/* What the measuring tools say, as CSV (RFC 4180), a row for each value: id,kind,t,quantity,value,unit;
 * t in seconds of the video, lengths in the unit of the lowest ruler that calibrates, else pixels.
 * Angles, lengths and counts at "in" and at each keyframe, a path at each of its points, a figure's
 * joints each, a stopwatch once. */
SL_API sl_status sl_doc_csv(sl_doc *doc, sl_bytes *SL_NULLABLE *SL_NULLABLE out,
                            sl_error *SL_NULLABLE *SL_NULLABLE err);
/* {"width","height","items":[..]} in drawing order; its JSON Schema is annotation.schema.json. */
SL_API sl_status sl_doc_json(sl_doc *doc, sl_bytes *SL_NULLABLE *SL_NULLABLE out,
                             sl_error *SL_NULLABLE *SL_NULLABLE err);

/* A stroke of this user while it is drawn, for those who look at the video now. video: its space. Nothing is
 * stored, what is saved (sl_apply, sl_doc_*) is what was drawn; who is slow, or offline, misses some. json:
 *   {"stroke":id,"do":"begin","tool":"..","at_us":n,"style":{..}?,"points":[x,y,..]?}
 *   {"stroke":id,"do":"points","points":[x,y,..]}    up to 256 points in units, gathered for 50 ms
 *   {"stroke":id,"do":"end","item":id?}              item: the record that it became
 *   {"stroke":id,"do":"cancel"}
 * with an id that the app makes, up to 8 at a time. Others get "stroke" events with the same members and
 * "from": so many points came before; fewer than that, and some were missed. A stroke that goes silent for
 * 10 s is cancelled for them. The server tells those who may see the video what somebody draws who may
 * draw on it, 30 a second. SL_E_NOT_FOUND: points of a stroke that did not begin. */
SL_API sl_status sl_stroke_live(sl_core *core, const char *video, const char *json, size_t n,
                                sl_error *SL_NULLABLE *SL_NULLABLE err);

SL_END
#ifdef __cplusplus
}
#endif

#endif
