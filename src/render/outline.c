#include "render/outline.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>

static const double PI = 3.141592653589793;
static const float FLATNESS = 0.08F; /* pixels between an arc and its chord */
static const float STRAIGHT = 0.35F; /* a turn that moves the side by less is a corner of its own */

void sl_outline_free(sl_outline *o)
{
    sl_mem_free(o->xy);
    sl_mem_free(o->lanes);
    *o = (sl_outline){0};
}

/* Room for `more` points between those at the beginning and those at the end. */
static bool reserve(sl_outline *o, size_t more)
{
    size_t used = o->n + o->back;
    if (used + more <= o->room) {
        return true;
    }
    size_t room = o->room != 0 ? 2 * o->room : 256;
    room = room < used + more ? used + more : room;
    double *xy = sl_mem_resize(o->xy, room, 2 * sizeof *xy);
    if (xy == NULL) {
        o->failed = true;
        return false;
    }
    size_t bytes = o->back * 2 * sizeof *xy;
    if (bytes > 0) {
        memmove(xy + 2 * (room - o->back), xy + 2 * (o->room - o->back), bytes);
    }
    o->xy = xy;
    o->room = room;
    return true;
}

double *sl_outline_room(sl_outline *o, size_t n)
{
    o->n = 0;
    o->back = 0;
    return reserve(o, n + 1) ? o->xy : NULL;
}

/* One more at the beginning, or before those at the end. */
static void put(sl_outline *o, bool back, double x, double y)
{
    double *to = o->xy + 2 * (back ? o->room - o->back - 1 : o->n);
    to[0] = x;
    to[1] = y;
    o->n += !back;
    o->back += back;
}

/* Cosine and sine of a step: to 1e-9 of those that a picture can show. */
static void rotation(double a, double *c, double *s)
{
    double q = a * a;
    *c = 1 - q / 2 * (1 - q / 12 * (1 - q / 30 * (1 - q / 56 * (1 - q / 90 * (1 - q / 132)))));
    *s = a * (1 - q / 6 * (1 - q / 20 * (1 - q / 42 * (1 - q / 72 * (1 - q / 110)))));
}

/* From the direction (ax, ay) clockwise, as pictures have it, by `turn`; both ends included. */
static void put_arc(sl_outline *o, bool back, const sl_dot *d, double r, const double from[2],
                    double turn)
{
    double flat = (double)FLATNESS;
    double step = sqrt(8.0 * flat / (r > flat ? r : flat)); /* a little less than may be */
    int steps = (int)ceil(fabs(turn) / step);
    steps = steps < 1 ? 1 : steps > 128 ? 128 : steps;
    if (!reserve(o, (size_t)steps + 1)) {
        return;
    }
    double c = 1;
    double s = 0;
    rotation(turn / steps, &c, &s);
    double x = from[0];
    double y = from[1];
    for (int i = 0; i <= steps; i++) {
        put(o, back, d->x + r * x, d->y + r * y);
        double next = x * c - y * s;
        y = x * s + y * c;
        x = next;
    }
}

/* What is had of all dots at once, in single precision, which is a hundred thousandth of a pixel
 * here, and several at a time. A dot whose turn is a slight one has one point on either side, a
 * corner of one chord or two has three inside the turn and two or three outside. */
typedef struct lanes {
    float *nx; /* of length one, to the left of the way to the next */
    float *ny;
    float *r;
    float *px; /* from the dot to the first point of its left side */
    float *py;
    float *mx; /* to the one in the middle, outside the turn */
    float *my;
    int32_t *kind;
} lanes;

typedef float some __attribute__((vector_size(16)));
typedef int32_t mask __attribute__((vector_size(16)));

enum {
    AT_ONCE = 4,
    LANES = 8,
    SLIGHT = 0,
    OUTSIDE = 3, /* how many points are outside the turn: 2 or 3 */
    RIGHT = 4,   /* the outside is the right */
    SHARP = 8
};

static bool make_room(sl_outline *o, uint32_t n, lanes *out)
{
    size_t padded = (size_t)n + AT_ONCE + 1;
    if (padded > o->lanes_room) {
        sl_mem_free(o->lanes);
        o->lanes = sl_mem_array(padded, LANES * sizeof *o->lanes);
        o->lanes_room = o->lanes != NULL ? padded : 0;
        o->failed = o->failed || o->lanes == NULL;
    }
    size_t room = o->lanes_room;
    if (room == 0) {
        return false;
    }
    float *l = &o->lanes->f;
    *out = (lanes){l,
                   l + room,
                   l + 2 * room,
                   l + 3 * room,
                   l + 4 * room,
                   l + 5 * room,
                   l + 6 * room,
                   &(o->lanes + 7 * room)->i};
    return reserve(o, 6 * (size_t)n);
}

static inline some load(const float *p)
{
    some v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline void store(void *p, some v)
{
    memcpy(p, &v, sizeof v);
}

static inline some root(some v)
{
    return (some){sqrtf(v[0]), sqrtf(v[1]), sqrtf(v[2]), sqrtf(v[3])};
}

static inline some pick(mask m, some a, some b)
{
    return (some)(((mask)a & m) | ((mask)b & ~m));
}

/* Those after the last, up to a whole vector, are made up. */
static void find_ways(const lanes *l, const sl_dot *dots, uint32_t n, double grow)
{
    for (uint32_t i = 0; i + 1 < n; i++) {
        l->nx[i] = (float)(dots[i + 1].y - dots[i].y);
        l->ny[i] = (float)(dots[i].x - dots[i + 1].x);
        l->r[i] = (float)(dots[i].r + grow);
    }
    for (uint32_t i = n - 1; i < n + AT_ONCE; i++) {
        l->nx[i] = 1;
        l->ny[i] = 0;
        l->r[i] = 1;
    }
    for (uint32_t i = 0; i + 1 < n; i += AT_ONCE) {
        some x = load(l->nx + i);
        some y = load(l->ny + i);
        some by = 1.0F / root(x * x + y * y);
        store(l->nx + i, x * by);
        store(l->ny + i, y * by);
    }
}

/* Without a branch: what a dot is, and its points' places. */
static void find_turns(const lanes *l, uint32_t n)
{
    const mask right = {RIGHT, RIGHT, RIGHT, RIGHT};
    const mask two = {2, 2, 2, 2};
    const mask sharp = {SHARP, SHARP, SHARP, SHARP};
    for (uint32_t i = 1; i + 1 < n; i += AT_ONCE) {
        some ux = load(l->nx + i - 1);
        some uy = load(l->ny + i - 1);
        some vx = load(l->nx + i);
        some vy = load(l->ny + i);
        some r = load(l->r + i);
        some cross = ux * vy - uy * vx;
        some dot = ux * vx + uy * vy;
        some x = ux + vx;
        some y = uy + vy;
        some half = root((1.0F + dot) * 0.5F); /* the cosine of half the turn */
        some aside = r / (1.0F + dot);
        some middle = aside * half; /* r / (2 * half) */
        some inside = r - FLATNESS;
        mask slight = (cross * r < STRAIGHT) & (cross * r > -STRAIGHT) & (dot > 0.9F);
        mask chords = (dot > 0.0F) & (r * r * (1.0F + half) * 0.5F >= inside * inside);
        mask kind = two - (r * (1.0F - half) > FLATNESS); /* what is so is -1 */
        kind |= (cross < 0.0F) & right;
        kind = ((kind & chords) | (sharp & ~chords)) & ~slight;
        memcpy(l->kind + i, &kind, sizeof kind);
        store(l->px + i, pick(slight, x * aside, ux * r));
        store(l->py + i, pick(slight, y * aside, uy * r));
        store(l->mx + i, x * middle);
        store(l->my + i, y * middle);
    }
}

/* A corner of more than two chords, or that turns back. The outer side is round, the inner one goes
 * through the middle. */
static void put_sharp(sl_outline *o, const sl_dot *d, const lanes *l, uint32_t i, double r)
{
    double u[2] = {(double)l->nx[i - 1], (double)l->ny[i - 1]};
    double v[2] = {(double)l->nx[i], (double)l->ny[i]};
    double turn = atan2(u[0] * v[1] - u[1] * v[0], u[0] * v[0] + u[1] * v[1]);
    bool right = turn < 0; /* is outside */
    double k = right ? r : -r;
    double from[2] = {right ? -u[0] : u[0], right ? -u[1] : u[1]};
    put(o, !right, d->x + u[0] * k, d->y + u[1] * k);
    put(o, !right, d->x, d->y);
    put(o, !right, d->x + v[0] * k, d->y + v[1] * k);
    put_arc(o, right, d, r, from, turn);
}

/* Both sides of a corner of one chord or two: three points are written on each side, and as many
 * taken as are meant. */
static inline void put_corner(sl_outline *o, const sl_dot *d, const lanes *l, uint32_t i)
{
    const double p[2] = {(double)l->px[i], (double)l->py[i]};
    const double q[2] = {(double)(l->nx[i] * l->r[i]), (double)(l->ny[i] * l->r[i])};
    const double middle[2][2] = {{(double)l->mx[i], (double)l->my[i]}, {0, 0}};
    bool right = (l->kind[i] & RIGHT) != 0;
    size_t outside = (size_t)(l->kind[i] & OUTSIDE);
    size_t there = right ? 3 : outside;
    size_t back = right ? outside : 3;
    const double *m = middle[right];
    double *to = o->xy + 2 * o->n;
    to[0] = d->x + p[0];
    to[1] = d->y + p[1];
    to[2] = d->x + m[0];
    to[3] = d->y + m[1];
    to[2 * there - 2] = d->x + q[0];
    to[2 * there - 1] = d->y + q[1];
    o->n += there;
    m = middle[!right];
    to = o->xy + 2 * (o->room - o->back - 3);
    to[4] = d->x - p[0];
    to[5] = d->y - p[1];
    to[2] = d->x - m[0];
    to[3] = d->y - m[1];
    to[6 - 2 * back] = d->x - q[0];
    to[7 - 2 * back] = d->y - q[1];
    o->back += back;
}

/* Both sides at the dots between the first and the last. */
static void put_sides(sl_outline *o, const sl_dot *dots, uint32_t n, double grow, const lanes *l)
{
    for (uint32_t i = 1; i + 1 < n && !o->failed; i++) {
        double *there = o->xy + 2 * o->n;
        double *back = o->xy + 2 * (o->room - o->back) - 2;
        uint32_t from = i;
        for (; i + 1 < n && l->kind[i] == SLIGHT; i++, there += 2, back -= 2) {
            double x = (double)l->px[i];
            double y = (double)l->py[i];
            there[0] = dots[i].x + x;
            there[1] = dots[i].y + y;
            back[0] = dots[i].x - x;
            back[1] = dots[i].y - y;
        }
        o->n += i - from;
        o->back += i - from;
        if (i + 1 < n && l->kind[i] != SHARP) {
            put_corner(o, dots + i, l, i);
        } else if (i + 1 < n) {
            put_sharp(o, dots + i, l, i, dots[i].r + grow);
            (void)reserve(o, 6 * (size_t)(n - i));
        }
    }
}

/* The way there along the left from the beginning of the room, the way back from its end down. */
static void put_stroke(sl_outline *o, const sl_dot *dots, uint32_t n, double grow)
{
    lanes l;
    if (!make_room(o, n, &l)) {
        return;
    }
    find_ways(&l, dots, n, grow);
    find_turns(&l, n);
    put_sides(o, dots, n, grow, &l);
    double last[2] = {(double)l.nx[n - 2], (double)l.ny[n - 2]};
    double first[2] = {-(double)l.nx[0], -(double)l.ny[0]};
    put_arc(o, false, dots + n - 1, dots[n - 1].r + grow, last, PI);
    if (o->failed) {
        return;
    }
    if (o->back > 0) {
        memmove(o->xy + 2 * o->n, o->xy + 2 * (o->room - o->back), o->back * 2 * sizeof *o->xy);
    }
    o->n += o->back;
    o->back = 0;
    put_arc(o, false, dots, dots->r + grow, first, PI);
}

void sl_outline_make(sl_outline *o, const sl_dot *dots, uint32_t n, double grow)
{
    o->n = 0;
    o->back = 0;
    if (n == 1) {
        double up[2] = {0, -1};
        put_arc(o, false, dots, dots->r + grow, up, 2 * PI);
    } else {
        put_stroke(o, dots, n, grow);
    }
}
