/* exchange/svg_path.c - the d of a path (SVG 1.1, 8.3) as straight steps. */
#include "exchange/inside.h"

#include "base/error.h"

#include <math.h>
#include <string.h>

enum {
    STEPS_MAX = 256 /* of one curve or arc */
};

static const double PI = 3.141592653589793;

typedef struct pen {
    const double *to; /* the file's coordinates into units */
    sl_spots spots;
    sl_spot at; /* in the file's coordinates */
    sl_spot start;
    sl_spot control; /* of the last curve, for those that go on smoothly */
    char last;
    sl_subpath_fn *tell;
    void *user;
} pen;

static sl_spot through(const pen *p, sl_spot v)
{
    const double *m = p->to;
    return (sl_spot){m[0] * v.x + m[2] * v.y + m[4], m[1] * v.x + m[3] * v.y + m[5]};
}

static void put(pen *p, sl_spot v)
{
    sl_spot u = through(p, v);
    sl_spots_add(&p->spots, u.x, u.y);
}

static sl_status end_subpath(pen *p, bool closed)
{
    sl_status s = p->spots.failed  ? sl_fail_nomem(NULL)
                  : p->spots.n > 1 ? p->tell(p->user, &p->spots, closed)
                                   : SL_OK;
    p->spots.n = 0;
    return s;
}

static double length(double x, double y)
{
    return sqrt(x * x + y * y);
}

static int steps_of(double bend)
{
    double n = ceil(sqrt(0.75 * bend / SL_CURVE_ERROR));
    return !(n > 1) ? 1 : n > STEPS_MAX ? STEPS_MAX : (int)n;
}

static void put_cubic(pen *p, sl_spot b, sl_spot c, sl_spot d)
{
    sl_spot u[4] = {through(p, p->at), through(p, b), through(p, c), through(p, d)};
    double bend = fmax(length(u[0].x - 2 * u[1].x + u[2].x, u[0].y - 2 * u[1].y + u[2].y),
                       length(u[1].x - 2 * u[2].x + u[3].x, u[1].y - 2 * u[2].y + u[3].y));
    int steps = steps_of(bend);
    for (int i = 1; i <= steps; i++) {
        double t = (double)i / steps;
        double s = 1 - t;
        double k[4] = {s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t};
        sl_spots_add(&p->spots, k[0] * u[0].x + k[1] * u[1].x + k[2] * u[2].x + k[3] * u[3].x,
                     k[0] * u[0].y + k[1] * u[1].y + k[2] * u[2].y + k[3] * u[3].y);
    }
    p->control = c;
    p->at = d;
}

static void put_quadratic(pen *p, sl_spot c, sl_spot d)
{
    sl_spot a = p->at;
    sl_spot b1 = {a.x + (c.x - a.x) * 2 / 3, a.y + (c.y - a.y) * 2 / 3};
    sl_spot b2 = {d.x + (c.x - d.x) * 2 / 3, d.y + (c.y - d.y) * 2 / 3};
    put_cubic(p, b1, b2, d);
    p->control = c;
}

/* From its ends to its centre (SVG 1.1, F.6.5 and F.6.6). */
static void put_arc(pen *p, const double v[7], sl_spot end)
{
    double rx = fabs(v[0]);
    double ry = fabs(v[1]);
    double c = cos(v[2] * PI / 180);
    double s = sin(v[2] * PI / 180);
    double hx = (p->at.x - end.x) / 2;
    double hy = (p->at.y - end.y) / 2;
    double x1 = c * hx + s * hy;
    double y1 = -s * hx + c * hy;
    if (!(rx > 0) || !(ry > 0) || !(length(hx, hy) > 0)) {
        put(p, end);
        p->at = end;
        return;
    }
    double over = (x1 / rx) * (x1 / rx) + (y1 / ry) * (y1 / ry);
    double grow = over > 1 ? sqrt(over) : 1;
    rx *= grow;
    ry *= grow;
    double far = (rx * y1) * (rx * y1) + (ry * x1) * (ry * x1);
    double k = far > 0 ? sqrt(fmax((rx * ry) * (rx * ry) / far - 1, 0)) : 0;
    k = (v[3] > 0) == (v[4] > 0) ? -k : k;
    double cx = k * rx * y1 / ry;
    double cy = -k * ry * x1 / rx;
    double from = atan2((y1 - cy) / ry, (x1 - cx) / rx);
    double turn = atan2((-y1 - cy) / ry, (-x1 - cx) / rx) - from;
    turn += v[4] > 0 && turn < 0 ? 2 * PI : v[4] <= 0 && turn > 0 ? -2 * PI : 0;
    double size = fmax(length(p->to[0], p->to[1]), length(p->to[2], p->to[3])) * fmax(rx, ry);
    double step = 2 * acos(1 - SL_CURVE_ERROR / fmax(size, 2.0 * SL_CURVE_ERROR));
    double n = ceil(fabs(turn) / step);
    int steps = !(n > 1) ? 1 : n > STEPS_MAX ? STEPS_MAX : (int)n;
    double mx = (p->at.x + end.x) / 2 + c * cx - s * cy;
    double my = (p->at.y + end.y) / 2 + s * cx + c * cy;
    for (int i = 1; i < steps; i++) {
        double a = from + turn * i / steps;
        double ex = rx * cos(a);
        double ey = ry * sin(a);
        put(p, (sl_spot){mx + c * ex - s * ey, my + s * ex + c * ey});
    }
    put(p, end);
    p->at = end;
}

/* How many numbers a command takes; -1: no command. */
static int arity(char command)
{
    switch (command) {
    case 'm':
    case 'l':
    case 't': return 2;
    case 'h':
    case 'v': return 1;
    case 's':
    case 'q': return 4;
    case 'c': return 6;
    case 'a': return 7;
    case 'z': return 0;
    default: return -1;
    }
}

static sl_spot mirrored(const pen *p, const char *after)
{
    bool smooth = p->last != 0 && strchr(after, p->last) != NULL;
    return smooth ? (sl_spot){2 * p->at.x - p->control.x, 2 * p->at.y - p->control.y} : p->at;
}

static sl_status move_to(pen *p, sl_spot end)
{
    sl_status s = end_subpath(p, false);
    p->at = p->start = end;
    put(p, end);
    return s;
}

/* v: the numbers of one command, made absolute. */
static sl_status carry_out(pen *p, char command, const double v[7])
{
    sl_spot a = {v[0], v[1]};
    sl_spot b = {v[2], v[3]};
    sl_spot c = {v[4], v[5]};
    sl_status s = SL_OK;
    if (p->spots.n == 0 && command != 'm' && command != 'z') {
        put(p, p->at); /* after a closed one: it starts where that did */
        p->start = p->at;
    }
    switch (command) {
    case 'm': s = move_to(p, a); break;
    case 'c': put_cubic(p, a, b, c); break;
    case 's': put_cubic(p, mirrored(p, "cs"), a, b); break;
    case 'q': put_quadratic(p, a, b); break;
    case 't': put_quadratic(p, mirrored(p, "qt"), a); break;
    case 'a': put_arc(p, v, (sl_spot){v[5], v[6]}); break;
    case 'z':
        s = end_subpath(p, true);
        p->at = p->start;
        break;
    default:
        put(p, a);
        p->at = a;
        break;
    }
    p->last = command;
    return s;
}

/* Lines across and down become lines, steps become places. */
static char make_absolute(const pen *p, char command, bool relative, double v[7])
{
    double x = relative ? p->at.x : 0;
    double y = relative ? p->at.y : 0;
    if (command == 'h') {
        v[0] += x;
        v[1] = p->at.y;
        return 'l';
    }
    if (command == 'v') {
        v[1] = v[0] + y;
        v[0] = p->at.x;
        return 'l';
    }
    if (command == 'a') {
        v[5] += x;
        v[6] += y;
        return 'a';
    }
    for (int i = 0; i < 6; i += 2) {
        v[i] += x;
        v[i + 1] += y;
    }
    return command;
}

/* The flags of an arc may stand without space between: "a1 1 0 01 5 5". */
static bool take_numbers(const char **d, char command, int n, double v[7])
{
    for (int i = 0; i < n; i++) {
        if (command == 'a' && (i == 3 || i == 4)) {
            *d += strspn(*d, " \t\r\n,");
            if (**d != '0' && **d != '1') {
                return false;
            }
            v[i] = **d - '0';
            (*d)++;
        } else if (!sl_number(d, &v[i])) {
            return false;
        }
    }
    return true;
}

sl_status sl_svg_path(const char *d, const double to[6], sl_subpath_fn *tell, void *user)
{
    pen p = {.to = to, .tell = tell, .user = user};
    char command = 0;
    bool relative = false;
    sl_status s = SL_OK;
    /* As a viewer does: what comes before a mistake counts. */
    while (s == SL_OK) {
        double v[7] = {0};
        d += strspn(d, " \t\r\n,");
        char c = *d;
        bool lower = c >= 'a' && c <= 'z';
        bool upper = c >= 'A' && c <= 'Z';
        if (lower || upper) {
            command = lower ? c : (char)(c - 'A' + 'a');
            relative = lower;
            d++;
        } else if (c == 0 || command == 0 || command == 'z') {
            break;
        }
        int n = arity(command);
        if (n < 0 || !take_numbers(&d, command, n, v)) {
            break;
        }
        char absolute = make_absolute(&p, command, relative, v);
        s = carry_out(&p, absolute, v);
        command = command == 'm' ? 'l' : command; /* more pairs after a move are lines */
    }
    s = s == SL_OK ? end_subpath(&p, false) : s;
    sl_spots_free(&p.spots);
    return s;
}
