#include "render/outline.h"

#include "base/mem.h"

#include <math.h>

static const double PI = 3.141592653589793;
static const double FLATNESS = 0.08; /* pixels between an arc and its chord */
static const float STRAIGHT = 0.35F; /* a turn that moves the side by less is a corner of its own */

void sl_outline_free(sl_outline *o)
{
    sl_mem_free(o->xy);
    sl_mem_free(o->back);
    sl_mem_free(o->lanes);
    o->xy = NULL;
    o->back = NULL;
    o->lanes = NULL;
    o->n = o->room = o->back_n = o->back_room = o->lanes_room = 0;
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

/* The same for the way back, which takes the place of the way there. */
static void turn_round(sl_outline *o)
{
    double *xy = o->xy;
    size_t n = o->n;
    size_t room = o->room;
    o->xy = o->back;
    o->n = o->back_n;
    o->room = o->back_room;
    o->back = xy;
    o->back_n = n;
    o->back_room = room;
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

/* Cosine and sine of a step: to 1e-9 of those that a picture can show. */
static void rotation(double a, double *c, double *s)
{
    double q = a * a;
    *c = 1 - q / 2 * (1 - q / 12 * (1 - q / 30 * (1 - q / 56 * (1 - q / 90 * (1 - q / 132)))));
    *s = a * (1 - q / 6 * (1 - q / 20 * (1 - q / 42 * (1 - q / 72 * (1 - q / 110)))));
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
    double c = 1;
    double s = 0;
    rotation(turn / steps, &c, &s);
    double x = from[0];
    double y = from[1];
    for (int i = 0; i <= steps; i++) {
        put(o, d->x + r * x, d->y + r * y);
        double next = x * c - y * s;
        y = x * s + y * c;
        x = next;
    }
}

/* A dot between two directions of length one. */
typedef struct bend {
    double nu[2]; /* to the left of the one before */
    double nv[2]; /* ... of the one after */
    double cross;
    double dot;
} bend;

/* A corner of more than two chords, or that turns back. The outer side is round, the inner one goes
 * through the middle. */
static void put_sharp(sl_outline *o, const sl_dot *d, double r, const bend *b, uint32_t left)
{
    bool inner = b->cross < 0; /* the left one is */
    double turn = inner ? atan2(b->cross, b->dot) : fabs(atan2(b->cross, b->dot));
    double mu[2] = {-b->nu[0], -b->nu[1]};
    for (int side = 0; side < 2; side++) {
        const double *from = side == 0 ? b->nu : mu;
        double k = side == 0 ? r : -r;
        if (inner == (side == 0)) {
            put(o, d->x + b->nu[0] * k, d->y + b->nu[1] * k);
            put(o, d->x, d->y);
            put(o, d->x + b->nv[0] * k, d->y + b->nv[1] * k);
        } else {
            put_arc(o, d, r, from, turn);
        }
        (void)reserve(o, 3 * (size_t)left);
        turn_round(o);
    }
}

/* Both sides of a corner of one chord or two. */
static inline void put_corner(sl_outline *o, const sl_dot *d, double r, const bend *b, double half)
{
    double k = r / (2 * half);
    bool flat = r * (1 - half) <= FLATNESS;
    bool inner = b->cross < 0;
    double mx = (b->nu[0] + b->nv[0]) * k;
    double my = (b->nu[1] + b->nv[1]) * k;
    double *l = o->xy + 2 * o->n;
    double *m = o->back + 2 * o->back_n;
    size_t two = flat ? 2 : 4;
    l[0] = d->x + b->nu[0] * r;
    l[1] = d->y + b->nu[1] * r;
    m[0] = d->x - b->nu[0] * r;
    m[1] = d->y - b->nu[1] * r;
    l[2] = inner ? d->x : d->x + mx;
    l[3] = inner ? d->y : d->y + my;
    m[2] = inner ? d->x - mx : d->x;
    m[3] = inner ? d->y - my : d->y;
    size_t at = inner ? 4 : two;
    size_t back = inner ? two : 4;
    l[at] = d->x + b->nv[0] * r;
    l[at + 1] = d->y + b->nv[1] * r;
    m[back] = d->x - b->nv[0] * r;
    m[back + 1] = d->y - b->nv[1] * r;
    o->n += at / 2 + 1;
    o->back_n += back / 2 + 1;
}

/* What is had of all dots at once: of length one, to the left of the way to the next; from the dot to
 * its left side when its turn is a slight one, else HUGE_VALF first. In single precision, which is a
 * hundred thousandth of a pixel here, and four at a time. */
typedef struct lanes {
    float *nx;
    float *ny;
    float *r;
    float *ax;
    float *ay;
} lanes;

static bool make_room(sl_outline *o, uint32_t n, lanes *out)
{
    if (n > o->lanes_room) {
        sl_mem_free(o->lanes);
        o->lanes = sl_mem_array(n, 5 * sizeof *o->lanes);
        o->lanes_room = o->lanes != NULL ? n : 0;
        o->failed = o->failed || o->lanes == NULL;
    }
    size_t room = o->lanes_room;
    if (room == 0) {
        return false;
    }
    *out = (lanes){o->lanes, o->lanes + room, o->lanes + 2 * room, o->lanes + 3 * room,
                   o->lanes + 4 * room};
    o->back_n = 0;
    bool ok = reserve(o, 3 * (size_t)n);
    turn_round(o);
    ok = ok && reserve(o, 3 * (size_t)n);
    turn_round(o);
    o->failed = o->failed || !ok;
    return ok;
}

static void find_ways(const lanes *l, const sl_dot *dots, uint32_t n, double grow)
{
    float *restrict nx = l->nx;
    float *restrict ny = l->ny;
    float *restrict r = l->r;
    for (uint32_t i = 0; i + 1 < n; i++) {
        nx[i] = (float)(dots[i + 1].y - dots[i].y);
        ny[i] = (float)(dots[i].x - dots[i + 1].x);
        r[i] = (float)(dots[i].r + grow);
    }
    for (uint32_t i = 0; i + 1 < n; i++) {
        float by = 1.0F / sqrtf(nx[i] * nx[i] + ny[i] * ny[i]);
        nx[i] *= by;
        ny[i] *= by;
    }
}

static void find_asides(const lanes *l, uint32_t n)
{
    const float *restrict nx = l->nx;
    const float *restrict ny = l->ny;
    const float *restrict r = l->r;
    float *restrict ax = l->ax;
    float *restrict ay = l->ay;
    for (uint32_t i = 1; i + 1 < n; i++) {
        float cross = fabsf(nx[i - 1] * ny[i] - ny[i - 1] * nx[i]) * r[i];
        float dot = nx[i - 1] * nx[i] + ny[i - 1] * ny[i];
        float k = r[i] / (1.0F + dot);
        float x = (nx[i - 1] + nx[i]) * k;
        ay[i] = (ny[i - 1] + ny[i]) * k;
        x = cross < STRAIGHT ? x : HUGE_VALF;
        ax[i] = dot > 0.9F ? x : HUGE_VALF;
    }
}

static void put_turn(sl_outline *o, const sl_dot *d, double r, const lanes *l, uint32_t i,
                     uint32_t left)
{
    bend b = {
        {(double)l->nx[i - 1], (double)l->ny[i - 1]}, {(double)l->nx[i], (double)l->ny[i]}, 0, 0};
    b.cross = b.nu[0] * b.nv[1] - b.nu[1] * b.nv[0];
    b.dot = b.nu[0] * b.nv[0] + b.nu[1] * b.nv[1];
    double half = sqrt((1 + b.dot) * 0.5); /* the cosine of half the turn */
    if (b.dot > 0 && r * r * (1 + half) * 0.5 >= (r - FLATNESS) * (r - FLATNESS)) {
        put_corner(o, d, r, &b, half);
    } else {
        put_sharp(o, d, r, &b, left);
    }
}

/* Both sides at the dots between the first and the last. */
static void put_sides(sl_outline *o, const sl_dot *dots, uint32_t n, double grow, const lanes *l)
{
    for (uint32_t i = 1; i + 1 < n && !o->failed;) {
        double *there = o->xy + 2 * o->n;
        double *back = o->back + 2 * o->back_n;
        uint32_t from = i;
        for (; i + 1 < n && l->ax[i] < HUGE_VALF; i++, there += 2, back += 2) {
            double ax = (double)l->ax[i];
            double ay = (double)l->ay[i];
            there[0] = dots[i].x + ax;
            there[1] = dots[i].y + ay;
            back[0] = dots[i].x - ax;
            back[1] = dots[i].y - ay;
        }
        o->n += i - from;
        o->back_n += i - from;
        if (i + 1 < n) {
            put_turn(o, dots + i, dots[i].r + grow, l, i, n - i);
            i++;
        }
    }
}

/* The way there along the left, the way back kept apart; then one behind the other. */
static void put_stroke(sl_outline *o, const sl_dot *dots, uint32_t n, double grow)
{
    lanes l;
    if (!make_room(o, n, &l)) {
        return;
    }
    find_ways(&l, dots, n, grow);
    find_asides(&l, n);
    put_sides(o, dots, n, grow, &l);
    double last[2] = {(double)l.nx[n - 2], (double)l.ny[n - 2]};
    double first[2] = {-(double)l.nx[0], -(double)l.ny[0]};
    put_arc(o, dots + n - 1, dots[n - 1].r + grow, last, PI);
    if (o->failed || !reserve(o, o->back_n)) {
        return;
    }
    double *to = o->xy + 2 * o->n;
    for (size_t i = o->back_n; i > 0; i--, to += 2) {
        to[0] = o->back[2 * i - 2];
        to[1] = o->back[2 * i - 1];
    }
    o->n += o->back_n;
    put_arc(o, dots, dots->r + grow, first, PI);
}

void sl_outline_make(sl_outline *o, const sl_dot *dots, uint32_t n, double grow)
{
    o->n = 0;
    if (n == 1) {
        double up[2] = {0, -1};
        put_arc(o, dots, dots->r + grow, up, 2 * PI);
    } else {
        put_stroke(o, dots, n, grow);
    }
}
