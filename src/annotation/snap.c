#include "annotation/snap.h"

#include <math.h>
#include <string.h>

static const double HALF_ROOT = 0.70710678118654752; /* of 2: along a diagonal */

typedef struct nearest {
    const char *except;
    sl_point at;
    sl_point best;
    double distance; /* up to which a point counts */
    bool found;
    int64_t t_us;
} nearest;

static bool try_points(void *user, const sl_item *item)
{
    nearest *q = user;
    sl_point handles[SL_EDIT_POINTS_MAX];
    if (q->except != NULL && strcmp(item->id, q->except) == 0) {
        return true;
    }
    uint32_t n = sl_item_handles(item, q->t_us, handles, SL_EDIT_POINTS_MAX);
    for (uint32_t i = 0; i < n && i < SL_EDIT_POINTS_MAX; i++) {
        double dx = (double)handles[i].x - q->at.x;
        double dy = (double)handles[i].y - q->at.y;
        double distance = sqrt(dx * dx + dy * dy);
        if (distance < q->distance || (distance <= q->distance && !q->found)) {
            q->best = handles[i];
            q->distance = distance;
            q->found = true;
        }
    }
    return true;
}

/* The foot of the perpendicular on the nearest of the eight rays. */
static bool snap_angle(sl_point from, sl_point *to, int32_t tolerance)
{
    static const double rays[4][2] = {
        {1, 0}, {HALF_ROOT, HALF_ROOT}, {0, 1}, {-HALF_ROOT, HALF_ROOT}};
    double dx = (double)to->x - from.x;
    double dy = (double)to->y - from.y;
    double least = tolerance;
    int best = -1;
    for (int i = 0; i < 4; i++) {
        double off = fabs(dx * rays[i][1] - dy * rays[i][0]);
        if (off <= least) {
            least = off;
            best = i;
        }
    }
    if (best < 0 || (to->x == from.x && to->y == from.y)) {
        return false;
    }
    double along = dx * rays[best][0] + dy * rays[best][1];
    /* On a diagonal both ways are the same, to the unit. */
    int32_t x = (int32_t)floor(along * rays[best][0] + 0.5);
    int32_t y = best == 0 ? 0 : best == 2 ? (int32_t)floor(along + 0.5) : best == 1 ? x : -x;
    to->x = from.x + (best == 2 ? 0 : x);
    to->y = from.y + y;
    return true;
}

static bool snap_line(int32_t *v, int32_t size, int32_t tolerance)
{
    const int32_t lines[5] = {0, size / 3, size / 2, size - size / 3, size};
    int32_t best = -1;
    int32_t least = tolerance;
    for (int i = 0; i < 5; i++) {
        int32_t off = *v < lines[i] ? lines[i] - *v : *v - lines[i];
        if (off <= least && (best < 0 || off < least)) {
            best = i;
            least = off;
        }
    }
    if (best >= 0) {
        *v = lines[best];
    }
    return best >= 0;
}

uint32_t sl_snap(const sl_drawing *d, const char *except, const sl_point *from, sl_point *to,
                 int32_t tolerance, int64_t t_us)
{
    int64_t longer =
        sl_drawing_width(d) > sl_drawing_height(d) ? sl_drawing_width(d) : sl_drawing_height(d);
    nearest q = {.except = except, .at = *to, .distance = tolerance, .t_us = t_us};
    if (tolerance < 0 || to->x < -SL_COORD_MAX || to->x > SL_COORD_MAX || to->y < -SL_COORD_MAX ||
        to->y > SL_COORD_MAX) {
        return 0;
    }
    sl_box box = {to->x - tolerance, to->y - tolerance, to->x + tolerance, to->y + tolerance};
    sl_drawing_near(d, box, t_us, try_points, &q);
    if (q.found) {
        *to = q.best;
        return SL_SNAP_POINT;
    }
    if (from != NULL && snap_angle(*from, to, tolerance)) {
        return SL_SNAP_ANGLE;
    }
    uint32_t how = 0;
    how |= snap_line(&to->x, (int32_t)(sl_drawing_width(d) * (int64_t)SL_UNITS / longer), tolerance)
               ? SL_SNAP_ACROSS
               : 0;
    how |=
        snap_line(&to->y, (int32_t)(sl_drawing_height(d) * (int64_t)SL_UNITS / longer), tolerance)
            ? SL_SNAP_DOWN
            : 0;
    return how;
}
