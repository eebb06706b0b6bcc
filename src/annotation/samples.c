#include "annotation/samples.h"

#include "annotation/codec.h"
#include "annotation/rc.h"
#include "annotation/tool.h"
#include "base/error.h"
#include "base/mem.h"

/* The last three values of a coordinate. */
typedef struct predictor {
    int64_t last;
    int64_t before;
    int64_t first;
} predictor;

static void learn(predictor *p, int64_t v)
{
    p->first = p->before;
    p->before = p->last;
    p->last = v;
}

sl_status sl_geometry_damaged(sl_error **err)
{
    return sl_fail_field(err, SL_E_INVALID, "geometry", "the geometry is damaged");
}

sl_status sl_geometry_columns(sl_geometry *geo, int columns, sl_error **err)
{
    geo->points = sl_mem_array(geo->n, sizeof *geo->points);
    geo->pressure = (columns & SL_HAS_PRESSURE) != 0 ? sl_mem(geo->n) : NULL;
    geo->dt_ms = (columns & SL_HAS_DT) != 0 ? sl_mem_array(geo->n, sizeof *geo->dt_ms) : NULL;
    geo->tilt = (columns & SL_HAS_TILT) != 0 ? sl_mem(geo->n) : NULL;
    bool ok = geo->points != NULL && (geo->pressure != NULL || (columns & SL_HAS_PRESSURE) == 0) &&
              (geo->dt_ms != NULL || (columns & SL_HAS_DT) == 0) &&
              (geo->tilt != NULL || (columns & SL_HAS_TILT) == 0);
    return ok ? SL_OK : sl_fail_nomem(err);
}

/* The ways of guessing a coordinate: as the last, half or all of the last step on, and as far on as
 * the time since asks for; and, from version 3 on, with half or all of what the last step differs
 * from the one before. The writer takes the first that leaves least. */
enum {
    GUESS_LAST,
    GUESS_HALF,
    GUESS_STEP,
    GUESS_TIME,
    GUESS_BEND,
    GUESS_BEND_ALL,
    GUESSES,
    GUESSES_OLD = GUESS_BEND, /* of version 2 */
    STEP_MAX = 255
};

/* What all coordinates and pressures are multiples of. */
typedef struct steps {
    uint32_t place;
    uint32_t pressure;
} steps;

static int64_t guess(int way, const sl_geometry *geo, uint32_t i, const predictor *p)
{
    if (i < 2 || way == GUESS_LAST) {
        return p->last;
    }
    int64_t step = p->last - p->before;
    if (way == GUESS_HALF) {
        return p->last + step / 2;
    }
    if (way == GUESS_TIME && geo->dt_ms != NULL && geo->dt_ms[i - 1] > geo->dt_ms[i - 2]) {
        int64_t was = (int64_t)geo->dt_ms[i - 1] - geo->dt_ms[i - 2];
        int64_t now = (int64_t)geo->dt_ms[i] - geo->dt_ms[i - 1];
        now = now > 4 * was ? 4 * was : now;
        return p->last + step * now / was;
    }
    if (way >= GUESS_BEND && i > 2) {
        int64_t bend = step - (p->before - p->first);
        return p->last + step + (way == GUESS_BEND ? bend / 2 : bend);
    }
    return p->last + step;
}

static int bits_of(int64_t v)
{
    int n = 0;
    for (v = v < 0 ? -v : v; v != 0; v >>= 1) {
        n++;
    }
    return n;
}

static int best_guess(const sl_geometry *geo, int ways, int32_t step)
{
    uint64_t least = UINT64_MAX;
    int best = 0;
    for (int way = 0; way < ways; way++) {
        predictor x = {0};
        predictor y = {0};
        uint64_t sum = 0;
        for (uint32_t i = 0; i < geo->n; i++) {
            sl_point p = {geo->points[i].x / step, geo->points[i].y / step};
            sum += (uint64_t)bits_of(p.x - guess(way, geo, i, &x));
            sum += (uint64_t)bits_of(p.y - guess(way, geo, i, &y));
            learn(&x, p.x);
            learn(&y, p.y);
        }
        if (sum < least) {
            least = sum;
            best = way;
        }
    }
    return best;
}

static uint32_t common(uint32_t a, int32_t of)
{
    uint32_t b = of < 0 ? 0 - (uint32_t)of : (uint32_t)of;
    while (b != 0) {
        uint32_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static steps steps_of(const sl_geometry *geo)
{
    steps s = {0, 0};
    for (uint32_t i = 0; i < geo->n && s.place != 1; i++) {
        s.place = common(s.place, geo->points[i].x);
        s.place = common(s.place, geo->points[i].y);
    }
    for (uint32_t i = 0; geo->pressure != NULL && i < geo->n; i++) {
        s.pressure = common(s.pressure, geo->pressure[i]);
    }
    s.place = s.place > 0 && s.place <= STEP_MAX ? s.place : 1;
    s.pressure = s.pressure > 0 ? s.pressure : 1;
    return s;
}

/* One column's contexts in either version. */
typedef struct column {
    sl_rc_column own; /* version 2 */
    sl_rc_past past;
    sl_rc_shared *shared; /* NULL: version 2 */
} column;

typedef struct contexts {
    column x;
    column y;
    column pressure;
    column dt;
    column tilt;
    sl_rc_shared places;
    sl_rc_shared pressures;
    sl_rc_shared times;
    sl_rc_shared tilts;
} contexts;

static contexts *new_contexts(int version)
{
    contexts *c = sl_mem(sizeof *c);
    if (c != NULL && version > SL_GEOMETRY_UNSHARED) {
        c->x.shared = c->y.shared = &c->places;
        c->pressure.shared = &c->pressures;
        c->dt.shared = &c->times;
        c->tilt.shared = &c->tilts;
    }
    return c;
}

static void put_number(sl_rc_out *rc, column *c, int64_t v)
{
    if (c->shared != NULL) {
        sl_rc_put_shared(rc, c->shared, &c->past, (int32_t)v);
    } else {
        sl_rc_put_number(rc, &c->own, (int32_t)v);
    }
}

static int32_t take_number(sl_rc_in *rc, column *c)
{
    return c->shared != NULL ? sl_rc_take_shared(rc, c->shared, &c->past)
                             : sl_rc_take_number(rc, &c->own);
}

/* What a sample's other values are guessed from: as the last, times as the last step on. */
static int64_t dt_guess(const sl_geometry *geo, uint32_t i)
{
    return i == 0 ? 0 : i == 1 ? geo->dt_ms[0] : 2 * (int64_t)geo->dt_ms[i - 1] - geo->dt_ms[i - 2];
}

/* The samples' head; *way: how coordinates are guessed. */
static steps put_head(sl_buf *out, const sl_geometry *geo, int version, int *way)
{
    int columns = (geo->pressure != NULL ? SL_HAS_PRESSURE : 0) |
                  (geo->dt_ms != NULL ? SL_HAS_DT : 0) | (geo->tilt != NULL ? SL_HAS_TILT : 0);
    bool old = version == SL_GEOMETRY_UNSHARED;
    steps by = old ? (steps){1, 1} : steps_of(geo);
    *way = best_guess(geo, old ? GUESSES_OLD : GUESSES, (int32_t)by.place);
    sl_buf_u8(out, (uint8_t)(columns | *way << 4));
    if (!old) {
        sl_buf_u8(out, (uint8_t)by.place);
    }
    if (!old && geo->pressure != NULL) {
        sl_buf_u8(out, (uint8_t)by.pressure);
    }
    return by;
}

void sl_samples_put(sl_buf *out, const sl_geometry *geo, int version)
{
    contexts *c = new_contexts(version);
    if (c == NULL) {
        out->failed = true;
        return;
    }
    int way = 0;
    steps by = put_head(out, geo, version, &way);
    int32_t step = (int32_t)by.place;
    int32_t pressed = 0;
    sl_rc_out rc;
    predictor x = {0};
    predictor y = {0};
    sl_rc_start(&rc, out);
    for (uint32_t i = 0; i < geo->n; i++) {
        sl_point p = {geo->points[i].x / step, geo->points[i].y / step};
        if (geo->dt_ms != NULL) {
            put_number(&rc, &c->dt, geo->dt_ms[i] - dt_guess(geo, i));
        }
        put_number(&rc, &c->x, p.x - guess(way, geo, i, &x));
        put_number(&rc, &c->y, p.y - guess(way, geo, i, &y));
        learn(&x, p.x);
        learn(&y, p.y);
        if (geo->pressure != NULL) {
            int32_t now = (int32_t)(geo->pressure[i] / by.pressure);
            put_number(&rc, &c->pressure, now - pressed);
            pressed = now;
        }
        if (geo->tilt != NULL) {
            put_number(&rc, &c->tilt, geo->tilt[i] - (i > 0 ? geo->tilt[i - 1] : 0));
        }
    }
    sl_rc_end(&rc);
    sl_mem_free(c);
}

static bool in(int64_t v, int64_t lo, int64_t hi)
{
    return v >= lo && v <= hi;
}

/* Where a decoder of samples is. */
typedef struct sampler {
    sl_rc_in rc;
    contexts *c;
    steps by;
    int way;
    predictor x;
    predictor y;
} sampler;

static bool take_place(sampler *s, sl_geometry *geo, uint32_t i)
{
    int64_t x = guess(s->way, geo, i, &s->x) + take_number(&s->rc, &s->c->x);
    int64_t y = guess(s->way, geo, i, &s->y) + take_number(&s->rc, &s->c->y);
    learn(&s->x, x);
    learn(&s->y, y);
    x *= s->by.place;
    y *= s->by.place;
    if (!in(x, -SL_COORD_MAX, SL_COORD_MAX) || !in(y, -SL_COORD_MAX, SL_COORD_MAX)) {
        return false;
    }
    geo->points[i] = (sl_point){(int32_t)x, (int32_t)y};
    return true;
}

/* One sample; false when a value lies outside its range: with that every guess stays small. */
static bool take_sample(sampler *s, sl_geometry *geo, uint32_t i)
{
    int64_t v = 0;
    if (geo->dt_ms != NULL) {
        v = dt_guess(geo, i) + take_number(&s->rc, &s->c->dt);
        if (!in(v, 0, SL_DT_MS_MAX)) {
            return false;
        }
        geo->dt_ms[i] = (uint32_t)v;
    }
    if (!take_place(s, geo, i)) {
        return false;
    }
    if (geo->pressure != NULL) {
        v = (i > 0 ? geo->pressure[i - 1] : 0) +
            (int64_t)take_number(&s->rc, &s->c->pressure) * s->by.pressure;
        geo->pressure[i] = (uint8_t)v;
        if (!in(v, 0, 255)) {
            return false;
        }
    }
    if (geo->tilt != NULL) {
        v = (i > 0 ? geo->tilt[i - 1] : 0) + (int64_t)take_number(&s->rc, &s->c->tilt);
        geo->tilt[i] = (uint8_t)v;
        return in(v, 0, SL_TILT_MAX);
    }
    return true;
}

sl_status sl_samples_take(sl_rd *r, int version, sl_geometry *geo, sl_error **err)
{
    bool old = version == SL_GEOMETRY_UNSHARED;
    uint8_t head = sl_rd_u8(r);
    int columns = head & 15;
    sampler s = {.way = head >> 4, .by = {1, 1}};
    if (!old) {
        s.by.place = sl_rd_u8(r);
        s.by.pressure = (columns & SL_HAS_PRESSURE) != 0 ? sl_rd_u8(r) : 1;
    }
    if (r->bad || (columns & SL_HAS_TEXT) != 0 || s.way >= (old ? GUESSES_OLD : GUESSES) ||
        s.by.place == 0 || s.by.pressure == 0) {
        return sl_geometry_damaged(err);
    }
    sl_status status = sl_geometry_columns(geo, columns, err);
    s.c = status == SL_OK ? new_contexts(version) : NULL;
    if (s.c == NULL) {
        return status == SL_OK ? sl_fail_nomem(err) : status;
    }
    sl_rc_open(&s.rc, r->p, r->left);
    for (uint32_t i = 0; status == SL_OK && i < geo->n; i++) {
        status = take_sample(&s, geo, i) ? SL_OK : sl_geometry_damaged(err);
    }
    sl_mem_free(s.c);
    return status;
}
