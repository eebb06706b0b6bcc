#include "annotation/stroke.h"

#include "base/error.h"
#include "base/mem.h"

#include <math.h>
#include <string.h>

/* The filter's parameters: in Hz, Hz per (unit per second), Hz. A slow pen (30 px/s) is smoothed
 * at about 5 Hz, a fast one (3000 px/s) hardly at all. */
static const double MIN_CUTOFF = 3.0;
static const double BETA = 0.004;
static const double SPEED_CUTOFF = 1.0;
static const double PREDICT_CUTOFF = 8.0; /* of the pen's own speed */
static const double PACE_PART = 0.125;    /* of a new interval in the pen's usual one */
static const double PAUSE = 4;            /* usual intervals */
static const double TAU = 6.283185307179586;

enum {
    FIRST_ROOM = 256,
    THIN_ERROR = 4, /* what is left of the bounds after rounding */
    THIN_LAG = SL_STROKE_LAG_ERROR - 3,
    THIN_PRESSURE = 8,
    TILT_UNKNOWN = -1,
    RUN_MAX = 1024 /* points between forced keeps: bounds the cost of thinning out */
};

typedef struct one_euro {
    double value;
    double speed;
} one_euro;

struct sl_stroke {
    sl_item *item; /* points, pressure and dt_ms have room for `room`, and tilt when it is known */
    uint32_t room;
    int32_t tilt; /* of the next points, degrees */
    one_euro fx;
    one_euro fy;
    double ms_first;
    double ms_last;
    double pace_s; /* how long the pen's reports usually are apart; 0: not known */
    sl_point pen;  /* where the pen really is */
    double pen_vx; /* how fast it goes there, units a second */
    double pen_vy;
};

sl_stroke *sl_stroke_new(sl_item *style)
{
    sl_stroke *s = sl_mem(sizeof *s);
    if (s == NULL) {
        sl_item_free(style);
        return NULL;
    }
    s->item = style;
    s->item->live = true;
    s->tilt = TILT_UNKNOWN;
    return s;
}

void sl_stroke_free(sl_stroke *s)
{
    if (s != NULL) {
        sl_item_free(s->item);
        sl_mem_free(s);
    }
}

bool sl_stroke_is_laser(const sl_stroke *s)
{
    return s->item->geo.kind == SL_KIND_LASER;
}

static double alpha(double cutoff_hz, double dt_s)
{
    double r = TAU * cutoff_hz * dt_s;
    return r / (r + 1.0);
}

static double smooth(one_euro *f, double v, double dt_s)
{
    double speed = (v - f->value) / dt_s;
    f->speed += alpha(SPEED_CUTOFF, dt_s) * (speed - f->speed);
    f->value += alpha(MIN_CUTOFF + BETA * fabs(f->speed), dt_s) * (v - f->value);
    return f->value;
}

static double clamp(double v, double lo, double hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

static sl_point to_point(double x, double y)
{
    sl_point p = {(int32_t)floor(clamp(x, -SL_COORD_MAX, SL_COORD_MAX) + 0.5),
                  (int32_t)floor(clamp(y, -SL_COORD_MAX, SL_COORD_MAX) + 0.5)};
    return p;
}

/* Reports come at an even rate but are told at ragged times. The filter goes by the rate, or what
 * it smooths would be as ragged. */
static double paced(sl_stroke *s, double dt_s)
{
    if (s->pace_s <= 0) {
        s->pace_s = dt_s;
    } else if (dt_s < PAUSE * s->pace_s) {
        s->pace_s += PACE_PART * (dt_s - s->pace_s);
        return s->pace_s;
    }
    return dt_s;
}

static bool grow(sl_stroke *s, uint32_t need)
{
    if (need <= s->room) {
        return true;
    }
    uint32_t room = s->room != 0 ? s->room : FIRST_ROOM;
    while (room < need) {
        room *= 2;
    }
    sl_geometry *geo = &s->item->geo;
    sl_point *points = sl_mem_resize(geo->points, room, sizeof *points);
    geo->points = points != NULL ? points : geo->points;
    uint8_t *pressure = points != NULL ? sl_mem_resize(geo->pressure, room, 1) : NULL;
    geo->pressure = pressure != NULL ? pressure : geo->pressure;
    uint32_t *dt = pressure != NULL ? sl_mem_resize(geo->dt_ms, room, sizeof *dt) : NULL;
    geo->dt_ms = dt != NULL ? dt : geo->dt_ms;
    uint8_t *tilt = dt != NULL && s->tilt >= 0 ? sl_mem_resize(geo->tilt, room, 1) : geo->tilt;
    bool ok = dt != NULL && (s->tilt < 0 || tilt != NULL);
    geo->tilt = ok ? tilt : geo->tilt;
    s->room = ok ? room : s->room;
    return ok;
}

sl_status sl_stroke_tilt(sl_stroke *s, double degrees, sl_error **err)
{
    if (!(degrees >= 0 && degrees <= SL_TILT_MAX)) {
        return sl_fail_field(err, SL_E_INVALID, "tilt", "a tilt is from 0 to %d degrees",
                             SL_TILT_MAX);
    }
    sl_geometry *geo = &s->item->geo;
    int32_t tilt = (int32_t)floor(degrees + 0.5);
    if (s->tilt < 0 && s->room > 0) {
        geo->tilt = sl_mem(s->room);
        if (geo->tilt == NULL) {
            return sl_fail_nomem(err);
        }
        memset(geo->tilt, tilt, geo->n); /* it was not otherwise when nobody said so */
    }
    s->tilt = tilt;
    return SL_OK;
}

static void append(sl_stroke *s, sl_point p, double pressure, double ms)
{
    sl_geometry *geo = &s->item->geo;
    geo->points[geo->n] = p;
    geo->pressure[geo->n] = (uint8_t)floor(clamp(pressure, 0, 1) * 255 + 0.5);
    geo->dt_ms[geo->n] = (uint32_t)floor(clamp(ms - s->ms_first, 0, SL_DT_MS_MAX) + 0.5);
    if (geo->tilt != NULL) {
        geo->tilt[geo->n] = (uint8_t)s->tilt;
    }
    geo->n++;
}

static void add_point(sl_stroke *s, const float *q)
{
    double x = clamp((double)q[0], -SL_COORD_MAX, SL_COORD_MAX);
    double y = clamp((double)q[1], -SL_COORD_MAX, SL_COORD_MAX);
    double ms = (double)q[3];
    if (s->item->geo.n == 0) {
        s->ms_first = s->ms_last = ms;
        s->fx.value = x;
        s->fy.value = y;
    } else {
        /* Reports of one batch may carry one time: they are taken as a millisecond apart. */
        double dt_s = (ms > s->ms_last ? ms - s->ms_last : 1.0) / 1000.0;
        s->ms_last = ms > s->ms_last ? ms : s->ms_last;
        double part = alpha(PREDICT_CUTOFF, dt_s);
        s->pen_vx += part * ((x - s->pen.x) / dt_s - s->pen_vx);
        s->pen_vy += part * ((y - s->pen.y) / dt_s - s->pen_vy);
        double pace_s = paced(s, dt_s);
        x = smooth(&s->fx, x, pace_s);
        y = smooth(&s->fy, y, pace_s);
    }
    append(s, to_point(x, y), (double)q[2], s->ms_last);
    s->pen = to_point((double)q[0], (double)q[1]);
}

sl_status sl_stroke_points(sl_stroke *s, const float *xypt, size_t n, sl_error **err)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < 4; k++) {
            if (!isfinite(xypt[4 * i + k])) {
                return sl_fail_field(err, SL_E_INVALID, "points", "point %zu is not a number", i);
            }
        }
    }
    /* One place stays free for the pen's last position. */
    if (n >= SL_PEN_POINTS_MAX || s->item->geo.n + n > SL_PEN_POINTS_MAX - 1) {
        return sl_fail_field(err, SL_E_LIMIT, "points", "a stroke has at most %d points",
                             SL_PEN_POINTS_MAX);
    }
    if (!grow(s, s->item->geo.n + (uint32_t)n + 1)) {
        return sl_fail_nomem(err);
    }
    for (size_t i = 0; i < n; i++) {
        add_point(s, xypt + 4 * i);
    }
    return SL_OK;
}

const sl_item *sl_stroke_now(const sl_stroke *s)
{
    return s->item->geo.n > 0 ? s->item : NULL;
}

bool sl_stroke_predict(const sl_stroke *s, int32_t ahead_ms, sl_point *out)
{
    if (s->item->geo.n == 0) {
        return false;
    }
    double ahead = ahead_ms / 1000.0;
    *out = to_point(s->pen.x + s->pen_vx * ahead, s->pen.y + s->pen_vy * ahead);
    return true;
}

/* The largest of the four errors, each as a part of what is allowed, that point i would suffer
 * from the straight way from a to b. */
static double error_of(const sl_geometry *g, uint32_t a, uint32_t b, uint32_t i)
{
    double dx = (double)g->points[b].x - g->points[a].x;
    double dy = (double)g->points[b].y - g->points[a].y;
    double px = (double)g->points[i].x - g->points[a].x;
    double py = (double)g->points[i].y - g->points[a].y;
    double len2 = dx * dx + dy * dy;
    double along = len2 > 0 ? clamp((px * dx + py * dy) / len2, 0, 1) : 0;
    double ex = px - along * dx;
    double ey = py - along * dy;
    double worst = (ex * ex + ey * ey) / ((double)THIN_ERROR * THIN_ERROR);
    if (g->dt_ms != NULL) {
        double span = (double)g->dt_ms[b] - g->dt_ms[a];
        double part = span > 0 ? ((double)g->dt_ms[i] - g->dt_ms[a]) / span : along;
        double lx = px - part * dx;
        double ly = py - part * dy;
        double lag = (lx * lx + ly * ly) / ((double)THIN_LAG * THIN_LAG);
        worst = lag > worst ? lag : worst;
    }
    if (g->pressure != NULL) {
        double meant = g->pressure[a] + along * ((double)g->pressure[b] - g->pressure[a]);
        double dp = (g->pressure[i] - meant) / THIN_PRESSURE;
        worst = dp * dp > worst ? dp * dp : worst;
    }
    if (g->tilt != NULL) {
        double meant = g->tilt[a] + along * ((double)g->tilt[b] - g->tilt[a]);
        double dt = (g->tilt[i] - meant) / SL_STROKE_TILT_ERROR;
        worst = dt * dt > worst ? dt * dt : worst;
    }
    return worst;
}

/* Marks what must stay between the kept points a and b. Each level of the stack halves nothing for
 * certain, but a run has at most RUN_MAX points and so has the stack. */
static void thin_run(const sl_geometry *g, uint32_t a, uint32_t b, uint8_t *keep)
{
    uint32_t stack[RUN_MAX + 1];
    size_t depth = 0;
    stack[depth++] = b;
    while (depth > 0) {
        uint32_t end = stack[depth - 1];
        double worst = 1.0;
        uint32_t at = a;
        for (uint32_t i = a + 1; i < end; i++) {
            double e = error_of(g, a, end, i);
            if (e > worst) {
                worst = e;
                at = i;
            }
        }
        if (at == a) {
            a = end;
            depth--;
        } else {
            keep[at] = 1;
            stack[depth++] = at;
        }
    }
}

static void leave_out(sl_geometry *geo, const uint8_t *keep)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < geo->n; i++) {
        if (keep[i] == 0) {
            continue;
        }
        geo->points[n] = geo->points[i];
        if (geo->pressure != NULL) {
            geo->pressure[n] = geo->pressure[i];
        }
        if (geo->dt_ms != NULL) {
            geo->dt_ms[n] = geo->dt_ms[i];
        }
        if (geo->tilt != NULL) {
            geo->tilt[n] = geo->tilt[i];
        }
        n++;
    }
    geo->n = n;
}

static int32_t to_step(int32_t v, int32_t step)
{
    int32_t half = v < 0 ? -(step / 2) : step / 2;
    return (v + half) / step * step;
}

static void settle(sl_geometry *geo)
{
    for (uint32_t i = 0; i < geo->n; i++) {
        geo->points[i].x = to_step(geo->points[i].x, SL_STROKE_STEP);
        geo->points[i].y = to_step(geo->points[i].y, SL_STROKE_STEP);
        if (geo->pressure != NULL) {
            geo->pressure[i] = (uint8_t)to_step(geo->pressure[i], SL_STROKE_PRESSURE_STEP);
        }
    }
}

bool sl_stroke_simplify(sl_geometry *geo)
{
    if (geo->n < 3) {
        settle(geo);
        return true;
    }
    uint8_t *keep = sl_mem(geo->n);
    if (keep == NULL) {
        return false;
    }
    keep[0] = keep[geo->n - 1] = 1;
    for (uint32_t a = 0; a + 1 < geo->n;) {
        uint32_t b = geo->n - 1 - a < RUN_MAX ? geo->n - 1 : a + RUN_MAX;
        keep[b] = 1;
        thin_run(geo, a, b, keep);
        a = b;
    }
    uint32_t n = 0;
    for (uint32_t i = 0; i < geo->n; i++) {
        n += keep[i];
    }
    /* Points at an even pace say more of each other than a few that are left over of them. */
    if (4 * (uint64_t)n <= 3 * (uint64_t)geo->n) {
        leave_out(geo, keep);
    }
    sl_mem_free(keep);
    settle(geo);
    return true;
}

sl_status sl_stroke_finish(sl_stroke *s, sl_item **out, sl_error **err)
{
    *out = NULL;
    sl_geometry *geo = &s->item->geo;
    sl_status status = SL_OK;
    if (geo->n == 0) {
        status = sl_fail_field(err, SL_E_INVALID, "points", "the stroke has no points");
    } else {
        sl_point last = geo->points[geo->n - 1];
        if (last.x != s->pen.x || last.y != s->pen.y) {
            append(s, s->pen, geo->pressure[geo->n - 1] / 255.0, s->ms_last);
        }
        status = sl_stroke_simplify(geo) ? sl_item_check(s->item, err) : sl_fail_nomem(err);
    }
    if (status == SL_OK) {
        s->item->live = false;
        *out = s->item;
        s->item = NULL;
    }
    sl_stroke_free(s);
    return status;
}
