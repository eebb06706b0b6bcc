#include "render/outline.h"

#include "base/mem.h"

#include <math.h>

static const double PI = 3.141592653589793;
static const double FLATNESS = 0.08; /* pixels between an arc and its chord */
static const double STRAIGHT = 0.35; /* a turn that moves the side by less is a corner of its own */

void sl_outline_free(sl_outline *o)
{
    sl_mem_free(o->xy);
    sl_mem_free(o->ways);
    sl_mem_free(o->aside);
    o->xy = NULL;
    o->ways = NULL;
    o->aside = NULL;
    o->n = o->room = o->ways_room = 0;
}

static bool reserve(sl_outline *o, size_t more)
{
    if (o->n + more <= o->room) {
        return true;
    }
    size_t room = o->room != 0 ? 2 * o->room : 256;
    room = room < o->n + more ? o->n + more : room;
    double *xy = sl_mem_resize(o->xy, room, 2 * sizeof *xy);
    if (xy == NULL) {
        o->failed = true;
        return false;
    }
    o->xy = xy;
    o->room = room;
    return true;
}

double *sl_outline_room(sl_outline *o, size_t n)
{
    o->n = 0;
    return reserve(o, n + 1) ? o->xy : NULL;
}

static void put(sl_outline *o, double x, double y)
{
    o->xy[2 * o->n] = x;
    o->xy[2 * o->n + 1] = y;
    o->n++;
}

/* From the direction (ax, ay) clockwise, as pictures have it, by `turn`; both ends included. */
static void put_arc(sl_outline *o, const sl_dot *d, double r, const double from[2], double turn)
{
    double step =
        sqrt(8.0 * FLATNESS / (r > FLATNESS ? r : FLATNESS)); /* a little less than may be */
    int steps = (int)ceil(fabs(turn) / step);
    steps = steps < 1 ? 1 : steps > 128 ? 128 : steps;
    if (!reserve(o, (size_t)steps + 1)) {
        return;
    }
    double c = cos(turn / steps);
    double s = sin(turn / steps);
    double x = from[0];
    double y = from[1];
    for (int i = 0; i <= steps; i++) {
        put(o, d->x + r * x, d->y + r * y);
        double next = x * c - y * s;
        y = x * s + y * c;
        x = next;
    }
}

/* The round outside of a turn of less than a right angle: one chord or two do for most, and are had
 * without an angle. */
static void put_round(sl_outline *o, const sl_dot *d, double r, const double nu[2],
                      const double nv[2], double dot)
{
    double half = sqrt((1 + dot) * 0.5); /* the cosine of half the turn */
    bool flat = r * (1 - half) <= FLATNESS;
    put(o, d->x + nu[0] * r, d->y + nu[1] * r);
    if (!flat) {
        double k = r / (2 * half);
        put(o, d->x + (nu[0] + nv[0]) * k, d->y + (nu[1] + nv[1]) * k);
    }
    put(o, d->x + nv[0] * r, d->y + nv[1] * r);
}

/* Whether two chords are near enough to the arc. */
static bool is_shallow(double r, double dot)
{
    return dot > 0 && r * (1 - sqrt((1 + sqrt((1 + dot) * 0.5)) * 0.5)) <= FLATNESS;
}

/* The side at a corner between two directions, both of length one. */
static void put_corner(sl_outline *o, const sl_dot *d, double r, const double u[2],
                       const double v[2])
{
    double nu[2] = {u[1], -u[0]}; /* to the left */
    double nv[2] = {v[1], -v[0]};
    double cross = u[0] * v[1] - u[1] * v[0];
    double dot = u[0] * v[0] + u[1] * v[1];
    if (!reserve(o, 3)) {
        return;
    }
    if (cross < 0 || (cross <= 0 && dot > 0)) {
        put(o, d->x + nu[0] * r, d->y + nu[1] * r);
        put(o, d->x, d->y);
        put(o, d->x + nv[0] * r, d->y + nv[1] * r);
    } else if (is_shallow(r, dot)) {
        put_round(o, d, r, nu, nv, dot);
    } else {
        put_arc(o, d, r, nu, atan2(cross, dot));
    }
}

/* The directions from each dot to the next, once for both sides. */
static bool find_directions(sl_outline *o, const sl_dot *dots, uint32_t n)
{
    if (n > o->ways_room) {
        sl_mem_free(o->ways);
        sl_mem_free(o->aside);
        o->ways = sl_mem_array(n, 2 * sizeof *o->ways);
        o->aside = sl_mem_array(n, 2 * sizeof *o->aside);
        o->ways_room = o->ways != NULL && o->aside != NULL ? n : 0;
    }
    if (o->ways_room == 0) {
        o->failed = true;
        return false;
    }
    for (uint32_t i = 0; i + 1 < n; i++) {
        double dx = dots[i + 1].x - dots[i].x;
        double dy = dots[i + 1].y - dots[i].y;
        double by = 1 / sqrt(dx * dx + dy * dy);
        o->ways[2 * i] = dx * by;
        o->ways[2 * i + 1] = dy * by;
    }
    return true;
}

/* Where the side is between the ways before and after a dot, when the turn is a slight one. */
static inline void find_aside(double *aside, const double *u, double r)
{
    double cross = u[0] * u[3] - u[1] * u[2];
    double dot = u[0] * u[2] + u[1] * u[3];
    double k = r / (1 + dot);
    bool slight = dot > 0.9 && fabs(cross) * r < STRAIGHT;
    aside[0] = slight ? (u[1] + u[3]) * k : HUGE_VAL;
    aside[1] = (-u[0] - u[2]) * k;
}

static void put_left(sl_outline *o, const sl_dot *dots, uint32_t n, double grow)
{
    for (uint32_t i = 1; i + 1 < n; i++) {
        find_aside(o->aside + 2 * i, o->ways + 2 * (i - 1), dots[i].r + grow);
    }
    for (uint32_t i = 1; i + 1 < n;) {
        if (!reserve(o, n)) {
            return;
        }
        double *at = o->xy + 2 * o->n;
        for (; i + 1 < n && o->aside[2 * i] < HUGE_VAL; i++, at += 2) {
            at[0] = dots[i].x + o->aside[2 * i];
            at[1] = dots[i].y + o->aside[2 * i + 1];
        }
        o->n = (size_t)(at - o->xy) / 2;
        if (i + 1 < n) {
            put_corner(o, dots + i, dots[i].r + grow, o->ways + 2 * (i - 1), o->ways + 2 * i);
            i++;
        }
    }
    const double *u = o->ways + 2 * (n - 2);
    double left[2] = {u[1], -u[0]};
    put_arc(o, dots + n - 1, dots[n - 1].r + grow, left, PI);
}

static void put_right(sl_outline *o, const sl_dot *dots, double grow, uint32_t n)
{
    for (uint32_t i = n - 2; i > 0;) {
        if (!reserve(o, n)) {
            return;
        }
        double *at = o->xy + 2 * o->n;
        for (; i > 0 && o->aside[2 * i] < HUGE_VAL; i--, at += 2) {
            at[0] = dots[i].x - o->aside[2 * i];
            at[1] = dots[i].y - o->aside[2 * i + 1];
        }
        o->n = (size_t)(at - o->xy) / 2;
        if (i > 0) {
            double u[2] = {-o->ways[2 * i], -o->ways[2 * i + 1]};
            double v[2] = {-o->ways[2 * i - 2], -o->ways[2 * i - 1]};
            put_corner(o, dots + i, dots[i].r + grow, u, v);
            i--;
        }
    }
    double left[2] = {-o->ways[1], o->ways[0]};
    put_arc(o, dots, dots->r + grow, left, PI);
}

void sl_outline_make(sl_outline *o, const sl_dot *dots, uint32_t n, double grow)
{
    o->n = 0;
    if (n == 1) {
        double up[2] = {0, -1};
        put_arc(o, dots, dots->r + grow, up, 2 * PI);
    } else if (find_directions(o, dots, n)) {
        put_left(o, dots, n, grow);
        put_right(o, dots, grow, n);
    }
}
