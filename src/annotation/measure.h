/*
 * annotation/measure.h - what the measuring tools say: angles, lengths, speeds, times, counts.
 *
 * A ruler with a known length (style.length and style.unit) sets the scale of the drawing; the
 * lowest such ruler counts. Without one, lengths are in pixels of the video's frame.
 */
#ifndef SL_ANNOTATION_MEASURE_H
#define SL_ANNOTATION_MEASURE_H

#include "annotation/item.h"

enum {
    SL_LABEL_MAX = 80 /* bytes with the NUL */
};

typedef struct sl_scale {
    double per_unit; /* what one unit of coordinates is long */
    char unit[9];
} sl_scale;

enum {
    SL_MEASURES_DEGREES = 1,
    SL_MEASURES_LENGTH = 2,
    SL_MEASURES_SPEED = 4, /* unit per second */
    SL_MEASURES_SECONDS = 8,
    SL_MEASURES_COUNT = 16
};

typedef struct sl_measure {
    uint8_t has; /* SL_MEASURES_ */
    int32_t count;
    double degrees;
    double length;
    double speed;
    double seconds;
    char unit[9];
} sl_measure;

/* The scale of a frame whose longer side has so many pixels, before any ruler. */
void sl_scale_pixels(int32_t longer, sl_scale *out);
/* True when the item, posed, is a ruler that calibrates: it has set *out. */
bool sl_scale_ruler(const sl_item *item, sl_scale *out);
/* What an item, posed, says at a time. has == 0: nothing. */
void sl_measure_at(const sl_item *item, int64_t t_us, const sl_scale *scale, sl_measure *out);
/* As it is written beside the item; "" when it says nothing. */
void sl_measure_label(const sl_measure *m, char out[SL_LABEL_MAX]);

/* Arm, vertex and arm of an angle or a protractor, the second arm made up when it has none. */
void sl_angle_points(const sl_item *item, sl_point out[3]);
/* From 0 to 180, between the arms of a vertex. */
double sl_angle_degrees(sl_point a, sl_point vertex, sl_point b);
/* Where a path is at a time: the index of the last point passed and the way on to the next, in
 * thousandths. */
void sl_path_at(const sl_item *item, int64_t t_us, uint32_t *passed, int32_t *part);

#endif
