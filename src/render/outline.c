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
    o->xy = NULL;
    o->ways = NULL;
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
    double step = 2.0 * acos(1.0 - (r > FLATNESS ? FLATNESS / r : 1.0));
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

/* The side at a dot between two directions, both of length one. */
static void put_turn(sl_outline *o, const sl_dot *d, double r, const double u[2], const double v[2])
{
    double nu[2] = {u[1], -u[0]}; /* to the left */
    double nv[2] = {v[1], -v[0]};
    double cross = u[0] * v[1] - u[1] * v[0];
    double dot = u[0] * v[0] + u[1] * v[1];
    if (!reserve(o, 3)) {
        return;
    }
    if (dot > 0.9 && fabs(cross) * r < STRAIGHT) {
        double k = r / (1 + dot);
        put(o, d->x + (nu[0] + nv[0]) * k, d->y + (nu[1] + nv[1]) * k);
    } else if (cross < 0 || (cross <= 0 && dot > 0)) {
        put(o, d->x + nu[0] * r, d->y + nu[1] * r);
        put(o, d->x, d->y);
        put(o, d->x + nv[0] * r, d->y + nv[1] * r);
    } else {
        put_arc(o, d, r, nu, atan2(cross, dot));
    }
}

/* The directions from each dot to the next, once for both sides. */
static bool find_directions(sl_outline *o, const sl_dot *dots, uint32_t n)
{
    if (n > o->ways_room) {
        sl_mem_free(o->ways);
        o->ways = sl_mem_array(n, 2 * sizeof *o->ways);
        o->ways_room = o->ways != NULL ? n : 0;
    }
    if (o->ways == NULL) {
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

static void put_left(sl_outline *o, const sl_dot *dots, uint32_t n, double grow)
{
    for (uint32_t i = 1; i + 1 < n; i++) {
        put_turn(o, dots + i, dots[i].r + grow, o->ways + 2 * (i - 1), o->ways + 2 * i);
    }
    const double *u = o->ways + 2 * (n - 2);
    double left[2] = {u[1], -u[0]};
    put_arc(o, dots + n - 1, dots[n - 1].r + grow, left, PI);
}

static void put_right(sl_outline *o, const sl_dot *dots, double grow, uint32_t n)
{
    for (uint32_t i = n - 2; i > 0; i--) {
        double u[2] = {-o->ways[2 * i], -o->ways[2 * i + 1]};
        double v[2] = {-o->ways[2 * i - 2], -o->ways[2 * i - 1]};
        put_turn(o, dots + i, dots[i].r + grow, u, v);
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
