/*
 * annotation/stroke.h - a stroke while it is drawn.
 *
 * Points are smoothed by the One-Euro filter (Casiez, Roussel and Vogel, CHI 2012) as they come,
 * rounded to units and kept. The end catches up with the pen, thins the points out
 * (Ramer-Douglas-Peucker) where that leaves out a quarter of them or more, and rounds places to
 * SL_STROKE_STEP units and pressure to SL_STROKE_PRESSURE_STEP, which is where most of a stored
 * point's bytes would go. Against the smoothed points,
 *   [STROKE-1] the line moves by at most SL_STROKE_ERROR units,
 *   [STROKE-2] where the pen was at a recorded time by at most SL_STROKE_LAG_ERROR units,
 *   [STROKE-3] pressure by at most SL_STROKE_PRESSURE_ERROR of 255,
 *   [STROKE-4] tilt by at most SL_STROKE_TILT_ERROR degrees.
 */
#ifndef SL_ANNOTATION_STROKE_H
#define SL_ANNOTATION_STROKE_H

#include "annotation/item.h"

enum {
    SL_STROKE_ERROR = 7, /* 0.41 pixels at 1920 wide: 4 of it of thinning out */
    SL_STROKE_LAG_ERROR = 128,
    SL_STROKE_PRESSURE_ERROR = 16, /* 8 of it of thinning out */
    SL_STROKE_TILT_ERROR = 8,
    SL_STROKE_STEP = 5, /* moves a point by two units each way at most */
    SL_STROKE_PRESSURE_STEP = 15,
    SL_PREDICT_MS_MAX = 100
};

typedef struct sl_stroke sl_stroke;

/* `style` is taken: an item of sl_item_from_json_open. NULL when out of memory. */
sl_stroke *sl_stroke_new(sl_item *style);
void sl_stroke_free(sl_stroke *s);
bool sl_stroke_is_laser(const sl_stroke *s);
/* x, y in units, pressure 0..1, ms since the stroke began, `n` times. SL_E_INVALID when a number
 * is not finite, SL_E_LIMIT beyond SL_PEN_POINTS_MAX: none of these points is then added. */
sl_status sl_stroke_points(sl_stroke *s, const float *xypt, size_t n, sl_error **err);
/* The pen's tilt from upright from the next point on, 0 to 90 degrees; of those before the first tilt that
 * is told it is that one. SL_E_INVALID. */
sl_status sl_stroke_tilt(sl_stroke *s, double degrees, sl_error **err);
/* The stroke so far as an item, borrowed until the next call; NULL before the first point. */
const sl_item *sl_stroke_now(const sl_stroke *s);
/* Where the pen will be so many ms after its last report, by its smoothed speed; false: it has no
 * points yet. A guess to draw the end of a live line with, never kept. */
bool sl_stroke_predict(const sl_stroke *s, int32_t ahead_ms, sl_point *out);
/* The finished item. The stroke is freed in any case. SL_E_INVALID: no points. */
sl_status sl_stroke_finish(sl_stroke *s, sl_item **out, sl_error **err);

/* Thins geometry out and rounds it in place, within the bounds above. False: out of memory,
 * unchanged. */
bool sl_stroke_simplify(sl_geometry *geo);

#endif
