/*
 * annotation/drawing.h - the items of one video, in drawing order: by z, then by id.
 */
#ifndef SL_ANNOTATION_DRAWING_H
#define SL_ANNOTATION_DRAWING_H

#include "annotation/measure.h"

enum {
    SL_LAYERS_MAX = 64, /* more are none: their items lie below all */
    SL_LASSO_POINTS_MAX = 1024,
    SL_DRAWING_ITEMS_MAX = 50000
};

typedef struct sl_drawing sl_drawing;

sl_drawing *sl_drawing_new(int32_t width, int32_t height);
void sl_drawing_free(sl_drawing *d);
/* d takes the place of `before`: its revisions count on. */
void sl_drawing_follow(sl_drawing *d, const sl_drawing *before);
int32_t sl_drawing_width(const sl_drawing *d);
int32_t sl_drawing_height(const sl_drawing *d);

/* `item` is taken. It has an id; without a z it goes on top. SL_E_CONFLICT: the id is there. */
sl_status sl_drawing_add(sl_drawing *d, sl_item *item, sl_error **err);
/* Room for n more items, so that adding them allocates nothing. False: out of memory. */
bool sl_drawing_reserve(sl_drawing *d, size_t n);
bool sl_drawing_remove(sl_drawing *d, const char *id);
/* Puts `item`, taken, where the item of that id was: after a patch. SL_E_NOT_FOUND. */
sl_status sl_drawing_replace(sl_drawing *d, sl_item *item, sl_error **err);
/* Borrowed until the drawing changes; NULL when absent. */
const sl_item *sl_drawing_find(const sl_drawing *d, const char *id);
size_t sl_drawing_count(const sl_drawing *d);
const sl_item *sl_drawing_at(const sl_drawing *d, size_t i); /* bottom first */
/* Those whose layer is not hidden, as they lie on one another: what is in no layer, then layer by
 * layer. `out` has room for all. */
size_t sl_drawing_shown(const sl_drawing *d, const sl_item **out);
/* The same, with those of hidden layers at will. */
size_t sl_drawing_stack(const sl_drawing *d, bool with_hidden, const sl_item **out);
/* Whether the item's layer is hidden. */
bool sl_drawing_hides(const sl_drawing *d, const sl_item *item);
/* The topmost item visible at t_us within radius of (x, y), in no hidden or locked layer, or NULL. */
const sl_item *sl_drawing_hit(const sl_drawing *d, sl_point at, int32_t radius, int64_t t_us);
/* Tells, in no order, the items visible at t_us, in no hidden or locked layer, whose box meets `box`,
 * until one is answered false. */
void sl_drawing_near(const sl_drawing *d, sl_box box, int64_t t_us,
                     bool (*tell)(void *user, const sl_item *item), void *user);
/* Those of them of which more than half lies within a loop: of strokes and lines their points, of boxes
 * and ovals their corners. In order of the stack; `out` has room for all. */
size_t sl_drawing_lasso(const sl_drawing *d, const sl_point *loop, uint32_t n, int64_t t_us,
                        const sl_item **out);

/* How long a unit is: by the lowest ruler that calibrates, as it stands at a time, else in pixels. */
void sl_drawing_scale(const sl_drawing *d, int64_t t_us, sl_scale *out);
/* Appends what the measuring tools say as CSV (RFC 4180), a row for each value:
 *   id,kind,t,quantity,value,unit
 * t in seconds of the video. Angles, lengths and counts at "in" and at each keyframe, a path at each
 * point (distance so far and speed up to it), a stopwatch once, a figure's joints each. No text of a
 * person is in it, so that no spreadsheet takes one for a formula. False: out of memory. */
bool sl_drawing_csv(const sl_drawing *d, sl_buf *out);
/* {"width","height","items":[..]}; NULL when out of memory. */
sl_json *sl_drawing_json(const sl_drawing *d);

/* Keys of the stack: digits 0-9A-Za-z read as a fraction, not ending in 0, compared as text. */
bool sl_z_ok(const char *z);
/* A key above `below` and under `above`; either may be NULL or "" for no bound. SL_E_INVALID when
 * they are not in that order, SL_E_LIMIT when the key would be longer than SL_Z_MAX. */
sl_status sl_z_between(const char *below, const char *above, char out[SL_Z_MAX + 1],
                       sl_error **err);

#endif
