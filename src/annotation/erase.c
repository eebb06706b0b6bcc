#include "annotation/erase.h"

#include "annotation/style.h"
#include "annotation/tool.h"
#include "base/error.h"
#include "base/mem.h"

#include <math.h>
#include <string.h>

/* A stretch of the stroke that stays: from part `t0` of step i0 to part `t1` of step i1. */
typedef struct span {
    uint32_t i0;
    uint32_t i1;
    double t0;
    double t1;
} span;

typedef struct spans {
    span *list;
    size_t n;
    size_t room;
    bool failed;
    bool open;   /* the last one goes on */
    bool erased; /* something was left out */
} spans;

typedef struct part {
    double from;
    double to;
} part;

static sl_point end_of(const sl_eraser *e, uint32_t i)
{
    return e->path[i + 1 < e->n ? i + 1 : i];
}

sl_box sl_eraser_box(const sl_eraser *e)
{
    sl_box box = {e->path[0].x, e->path[0].y, e->path[0].x, e->path[0].y};
    for (uint32_t i = 1; i < e->n; i++) {
        box.x0 = e->path[i].x < box.x0 ? e->path[i].x : box.x0;
        box.y0 = e->path[i].y < box.y0 ? e->path[i].y : box.y0;
        box.x1 = e->path[i].x > box.x1 ? e->path[i].x : box.x1;
        box.y1 = e->path[i].y > box.y1 ? e->path[i].y : box.y1;
    }
    box.x0 -= e->radius;
    box.y0 -= e->radius;
    box.x1 += e->radius;
    box.y1 += e->radius;
    return box;
}

bool sl_eraser_meets(const sl_eraser *e, const sl_item *item, int64_t t_us)
{
    for (uint32_t i = 0; i < e->n; i++) {
        sl_point a = e->path[i];
        sl_point b = end_of(e, i);
        double way = sqrt(((double)b.x - a.x) * ((double)b.x - a.x) +
                          ((double)b.y - a.y) * ((double)b.y - a.y));
        double steps = ceil(way / (e->radius > 1 ? e->radius : 1));
        steps = steps > 4096 ? 4096 : steps;
        for (int s = 0; s <= (int)steps; s++) {
            double t = steps > 0 ? s / steps : 0;
            sl_point at = {(int32_t)floor(a.x + t * ((double)b.x - a.x) + 0.5),
                           (int32_t)floor(a.y + t * ((double)b.y - a.y) + 0.5)};
            if (sl_item_hit_at(item, t_us, at, e->radius)) {
                return true;
            }
        }
    }
    return false;
}

bool sl_item_can_be_cut(const sl_item *item)
{
    return sl_tool_of(item->geo.kind)->form == SL_FORM_STROKE && item->keys_n == 0;
}

enum {
    ROUNDS = 40
};

/* How far part t of the step from a to b is from step i of the eraser. */
typedef struct passing {
    sl_point a;
    sl_point b;
    sl_point from;
    sl_point to;
    double radius;
} passing;

static double distance(const passing *p, double t)
{
    return sl_step_distance(p->a.x + t * ((double)p->b.x - p->a.x),
                            p->a.y + t * ((double)p->b.y - p->a.y), p->from, p->to);
}

/* The distance has one valley: its bottom, by thirds. */
static double bottom_of(const passing *p)
{
    double lo = 0;
    double hi = 1;
    for (int k = 0; k < ROUNDS; k++) {
        double third = (hi - lo) / 3;
        if (distance(p, lo + third) <= distance(p, hi - third)) {
            hi -= third;
        } else {
            lo += third;
        }
    }
    return (lo + hi) / 2;
}

/* Where between the bottom and an end of the step the eraser's reach ends, by halves. */
static double shore_of(const passing *p, double bottom, double end)
{
    double in = bottom;
    double far = end;
    if (distance(p, far) <= p->radius) {
        return far;
    }
    for (int k = 0; k < ROUNDS; k++) {
        double middle = (in + far) / 2;
        if (distance(p, middle) > p->radius) {
            far = middle;
        } else {
            in = middle;
        }
    }
    return far;
}

static bool covered(sl_point a, sl_point b, const sl_eraser *e, uint32_t i, part *out)
{
    passing p = {a, b, e->path[i], end_of(e, i), e->radius};
    double bottom = bottom_of(&p);
    if (distance(&p, bottom) > p.radius) {
        return false;
    }
    *out = (part){shore_of(&p, bottom, 0), shore_of(&p, bottom, 1)};
    return true;
}

static bool is_beside(sl_point a, sl_point b, const sl_box *box)
{
    return (a.x < box->x0 && b.x < box->x0) || (a.x > box->x1 && b.x > box->x1) ||
           (a.y < box->y0 && b.y < box->y0) || (a.y > box->y1 && b.y > box->y1);
}

/* The parts of a step that the eraser covers, by their beginnings, none meeting another. */
static uint32_t find_parts(sl_point a, sl_point b, const sl_eraser *e, const sl_box *box,
                           part parts[SL_ERASER_POINTS_MAX])
{
    uint32_t n = 0;
    if (is_beside(a, b, box)) {
        return 0;
    }
    for (uint32_t i = 0; i < e->n; i++) {
        part p;
        if (!covered(a, b, e, i, &p)) {
            continue;
        }
        uint32_t kept = 0;
        for (uint32_t k = 0; k < n; k++) { /* those it meets become one with it */
            if (parts[k].from <= p.to && p.from <= parts[k].to) {
                p.from = parts[k].from < p.from ? parts[k].from : p.from;
                p.to = parts[k].to > p.to ? parts[k].to : p.to;
            } else {
                parts[kept++] = parts[k];
            }
        }
        uint32_t at = kept;
        for (; at > 0 && parts[at - 1].from > p.from; at--) {
            parts[at] = parts[at - 1];
        }
        parts[at] = p;
        n = kept + 1;
    }
    return n;
}

static void keep(spans *s, uint32_t i, double from, double to)
{
    if (s->open && from <= 0) {
        s->list[s->n - 1].i1 = i;
        s->list[s->n - 1].t1 = to;
    } else if (to > from) {
        if (s->n == s->room) {
            size_t room = s->room != 0 ? s->room * 2 : 16;
            span *list = sl_mem_resize(s->list, room, sizeof *list);
            if (list == NULL) {
                s->failed = true;
                return;
            }
            s->list = list;
            s->room = room;
        }
        s->list[s->n++] = (span){i, i, from, to};
    }
    s->open = to >= 1 && s->n > 0;
}

static void find_spans(const sl_geometry *geo, const sl_eraser *e, spans *s)
{
    sl_box box = sl_eraser_box(e);
    part parts[SL_ERASER_POINTS_MAX];
    for (uint32_t i = 0; !s->failed && i + 1 < geo->n; i++) {
        uint32_t n = find_parts(geo->points[i], geo->points[i + 1], e, &box, parts);
        double from = 0;
        for (uint32_t k = 0; k < n; k++) {
            s->erased = true;
            if (parts[k].from > from) {
                keep(s, i, from, parts[k].from);
            }
            s->open = false;
            from = parts[k].to;
        }
        if (from < 1) {
            keep(s, i, from, 1);
        } else {
            s->open = false;
        }
    }
}

/* The point at part t of step i, all its columns in between. */
static void put_between(sl_geometry *to, const sl_geometry *geo, uint32_t i, double t)
{
    uint32_t n = to->n++;
    uint32_t k = t > 0 && i + 1 < geo->n ? i + 1 : i;
    double x = geo->points[i].x + t * ((double)geo->points[k].x - geo->points[i].x);
    double y = geo->points[i].y + t * ((double)geo->points[k].y - geo->points[i].y);
    to->points[n] = (sl_point){(int32_t)floor(x + 0.5), (int32_t)floor(y + 0.5)};
    if (geo->pressure != NULL) {
        double v = geo->pressure[i] + t * ((double)geo->pressure[k] - geo->pressure[i]);
        to->pressure[n] = (uint8_t)floor(v + 0.5);
    }
    if (geo->tilt != NULL) {
        double v = geo->tilt[i] + t * ((double)geo->tilt[k] - geo->tilt[i]);
        to->tilt[n] = (uint8_t)floor(v + 0.5);
    }
    if (geo->dt_ms != NULL) {
        double v = geo->dt_ms[i] + t * ((double)geo->dt_ms[k] - geo->dt_ms[i]);
        to->dt_ms[n] = (uint32_t)floor(v + 0.5);
    }
}

/* The span into `to`, which has room for it; times from its own beginning on. */
static void fill_piece(sl_geometry *to, const sl_geometry *geo, const span *s)
{
    to->n = 0;
    put_between(to, geo, s->i0, s->t0);
    for (uint32_t i = s->i0 + 1; i <= s->i1; i++) {
        put_between(to, geo, i, 0);
    }
    if (s->t1 > 0) {
        put_between(to, geo, s->i1, s->t1);
    }
    uint32_t start = to->dt_ms != NULL ? to->dt_ms[0] : 0;
    for (uint32_t i = 0; to->dt_ms != NULL && i < to->n; i++) {
        to->dt_ms[i] -= start;
    }
}

static bool make_room(sl_geometry *to, const sl_geometry *geo)
{
    size_t n = (size_t)geo->n + 2;
    to->points = sl_mem_array(n, sizeof *to->points);
    to->pressure = geo->pressure != NULL ? sl_mem(n) : NULL;
    to->tilt = geo->tilt != NULL ? sl_mem(n) : NULL;
    to->dt_ms = geo->dt_ms != NULL ? sl_mem_array(n, sizeof *to->dt_ms) : NULL;
    return to->points != NULL && (to->pressure != NULL || geo->pressure == NULL) &&
           (to->tilt != NULL || geo->tilt == NULL) && (to->dt_ms != NULL || geo->dt_ms == NULL);
}

static sl_status make_pieces(const sl_item *item, const spans *s, sl_pieces *out, sl_error **err)
{
    sl_geometry room = {.kind = item->geo.kind};
    out->items = sl_mem_array(s->n + 1, sizeof(sl_item *));
    bool ok = out->items != NULL && make_room(&room, &item->geo);
    for (size_t i = 0; ok && i < s->n; i++) {
        sl_item piece = *item;
        fill_piece(&room, &item->geo, &s->list[i]);
        piece.geo = room;
        piece.id[0] = 0;
        memset(&piece.edit, 0, sizeof piece.edit);
        piece.keys = NULL;
        piece.keys_n = 0;
        out->items[i] = sl_item_clone(&piece);
        ok = out->items[i] != NULL;
        out->n += ok;
    }
    sl_geometry_clear(&room);
    return ok ? SL_OK : sl_fail_nomem(err);
}

sl_status sl_item_erase(const sl_item *item, int64_t t_us, const sl_eraser *e, sl_pieces *out,
                        sl_error **err)
{
    spans s = {0};
    sl_item posed;
    memset(out, 0, sizeof *out);
    sl_point *points = sl_mem_array(item->geo.n, sizeof *points);
    if (points == NULL) {
        return sl_fail_nomem(err);
    }
    sl_item_pose(item, t_us, &posed, points);
    sl_status status = SL_OK;
    if (posed.geo.n == 1) {
        s.erased = sl_eraser_meets(e, item, t_us);
    } else {
        find_spans(&posed.geo, e, &s);
    }
    out->touched = s.erased;
    if (s.failed) {
        status = sl_fail_nomem(err);
    } else if (s.n > SL_PIECES_MAX) {
        status = sl_fail(err, SL_E_LIMIT, "an eraser cuts a stroke into at most %d pieces",
                         SL_PIECES_MAX);
    } else if (s.erased) {
        status = make_pieces(&posed, &s, out, err);
    }
    if (status != SL_OK) {
        sl_pieces_clear(out);
    }
    sl_mem_free(s.list);
    sl_mem_free(points);
    return status;
}

void sl_pieces_clear(sl_pieces *p)
{
    for (size_t i = 0; i < p->n; i++) {
        sl_item_free(p->items[i]);
    }
    sl_mem_free(p->items);
    memset(p, 0, sizeof *p);
}
