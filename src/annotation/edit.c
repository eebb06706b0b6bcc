/*
 * annotation/edit.c - what became of an item since it was drawn: moved, scaled, its handles dragged,
 * at all times or between keyframes; and the handles themselves.
 *
 * All arithmetic is that of integers: two devices see the same picture.
 */
#include "annotation/style.h"

#include "base/error.h"
#include "base/mem.h"

#include <math.h>
#include <string.h>

enum {
    MOVE_MAX = 2 * SL_COORD_MAX,
    FAR_MAX = 8 * SL_COORD_MAX /* posed points stay within: what draws need not fear overflow */
};

bool sl_edits_known(const char *member)
{
    static const char *const names[] = {"move", "scale", "points", "keys"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(member, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

void sl_edits_clear(sl_item *item)
{
    for (uint32_t i = 0; i < item->keys_n; i++) {
        sl_mem_free(item->keys[i].points);
    }
    sl_mem_free(item->keys);
    sl_mem_free(item->edit.points);
    item->keys = NULL;
    item->keys_n = 0;
    memset(&item->edit, 0, sizeof item->edit);
}

static bool copy_edit(sl_edit *to, const sl_edit *from, uint32_t n)
{
    *to = *from;
    to->points = NULL;
    if (from->points == NULL) {
        return true;
    }
    to->points = sl_mem_array(n, sizeof *to->points);
    if (to->points != NULL) {
        memcpy(to->points, from->points, n * sizeof *to->points);
    }
    return to->points != NULL;
}

bool sl_edits_copy(sl_item *item, const sl_item *from)
{
    uint32_t n = from->geo.n;
    bool ok = copy_edit(&item->edit, &from->edit, n);
    if (from->keys_n > 0) {
        item->keys = sl_mem_array(from->keys_n, sizeof *item->keys);
        ok = item->keys != NULL && ok;
    }
    for (uint32_t i = 0; ok && i < from->keys_n; i++) {
        ok = copy_edit(&item->keys[i], &from->keys[i], n);
        item->keys_n++;
    }
    return ok;
}

bool sl_item_is_posed(const sl_item *item)
{
    return item->edit.has != 0 || item->keys_n > 0;
}

static int32_t narrow(double v)
{
    return v > 2147483647.0 ? INT32_MAX : v < -2147483648.0 ? INT32_MIN : (int32_t)v;
}

static sl_status read_one(const sl_json *j, bool key, sl_edit *e, sl_error **err)
{
    const sl_json *move = sl_json_get(j, "move");
    const sl_json *scale = sl_json_get(j, "scale");
    const sl_json *opacity = key ? sl_json_get(j, "opacity") : NULL;
    if (move != NULL && !sl_json_is_null(move)) {
        const sl_json *x = sl_json_count(move) == 2 ? sl_json_first(move) : NULL;
        if (!sl_json_is_array(move) || !sl_json_is_int(x) || !sl_json_is_int(sl_json_next(x))) {
            return sl_fail_field(err, SL_E_INVALID, "style.move", "move is [x,y] of integers");
        }
        e->has |= SL_EDIT_MOVE;
        e->dx = narrow(sl_json_value(x));
        e->dy = narrow(sl_json_value(sl_json_next(x)));
    }
    if (scale != NULL && !sl_json_is_null(scale)) {
        e->has |= SL_EDIT_SCALE;
        e->scale = sl_json_is_number(scale) ? narrow(floor(sl_json_value(scale) * 1000 + 0.5)) : 0;
    }
    if (opacity != NULL && !sl_json_is_null(opacity)) {
        e->has |= SL_EDIT_OPACITY;
        e->opacity =
            sl_json_is_number(opacity) ? narrow(floor(sl_json_value(opacity) * 1000 + 0.5)) : -1;
    }
    return SL_OK;
}

static sl_status read_edit_points(const sl_json *j, uint32_t n, sl_edit *e, sl_error **err)
{
    const sl_json *points = sl_json_get(j, "points");
    if (points == NULL || sl_json_is_null(points)) {
        return SL_OK;
    }
    uint32_t count = 0;
    sl_status s = sl_points_read(points, SL_EDIT_POINTS_MAX, &e->points, &count, err);
    if (s == SL_OK && count != n) {
        s = sl_fail_field(err, SL_E_INVALID, "style.points",
                          "edited points are as many as the item has, at most %d",
                          SL_EDIT_POINTS_MAX);
    }
    e->has |= s == SL_OK ? SL_EDIT_POINTS : 0;
    return s;
}

static sl_status read_keys(const sl_json *keys, sl_item *item, sl_error **err)
{
    size_t count = sl_json_is_array(keys) ? sl_json_count(keys) : SL_KEYS_MAX + 1;
    if (count > SL_KEYS_MAX) {
        return sl_fail_field(err, SL_E_INVALID, "style.keys", "keys is an array of at most %d",
                             SL_KEYS_MAX);
    }
    item->keys = count > 0 ? sl_mem_array(count, sizeof *item->keys) : NULL;
    if (item->keys == NULL) {
        return count == 0 ? SL_OK : sl_fail_nomem(err);
    }
    sl_status s = SL_OK;
    for (const sl_json *k = sl_json_first(keys); s == SL_OK && k != NULL; k = sl_json_next(k)) {
        sl_edit *e = &item->keys[item->keys_n++];
        e->t_us = -1;
        (void)sl_json_int(k, "t", &e->t_us);
        s = read_one(k, true, e, err);
        s = s == SL_OK ? read_edit_points(k, item->geo.n, e, err) : s;
    }
    return s;
}

static void drop_edit(sl_edit *e, uint8_t what)
{
    e->has &= (uint8_t)~what;
    if ((what & SL_EDIT_POINTS) != 0) {
        sl_mem_free(e->points);
        e->points = NULL;
    }
}

sl_status sl_edits_read(const sl_json *j, sl_item *item, sl_error **err)
{
    const sl_json *keys = sl_json_get(j, "keys");
    drop_edit(&item->edit, sl_json_get(j, "move") != NULL ? SL_EDIT_MOVE : 0);
    drop_edit(&item->edit, sl_json_get(j, "scale") != NULL ? SL_EDIT_SCALE : 0);
    drop_edit(&item->edit, sl_json_get(j, "points") != NULL ? SL_EDIT_POINTS : 0);
    sl_status s = read_one(j, false, &item->edit, err);
    s = s == SL_OK ? read_edit_points(j, item->geo.n, &item->edit, err) : s;
    if (s == SL_OK && keys != NULL) {
        sl_edit kept = item->edit;
        memset(&item->edit, 0, sizeof item->edit);
        sl_edits_clear(item);
        item->edit = kept;
        s = sl_json_is_null(keys) ? SL_OK : read_keys(keys, item, err);
    }
    return s;
}

static bool write_one(sl_json *j, const sl_edit *e, uint32_t n)
{
    bool ok = true;
    if ((e->has & SL_EDIT_MOVE) != 0) {
        sl_json *move = sl_json_array();
        ok = sl_json_add_num(move, e->dx) && sl_json_add_num(move, e->dy);
        ok = sl_json_set(j, "move", move) && ok;
    }
    if ((e->has & SL_EDIT_SCALE) != 0) {
        ok = sl_json_set_num(j, "scale", e->scale / 1000.0) && ok;
    }
    if ((e->has & SL_EDIT_OPACITY) != 0) {
        ok = sl_json_set_num(j, "opacity", e->opacity / 1000.0) && ok;
    }
    if ((e->has & SL_EDIT_POINTS) != 0) {
        ok = sl_json_set(j, "points", sl_points_write(e->points, n)) && ok;
    }
    return ok;
}

bool sl_edits_write(sl_json *j, const sl_item *item)
{
    bool ok = write_one(j, &item->edit, item->geo.n);
    sl_json *keys = ok && item->keys_n > 0 ? sl_json_array() : NULL;
    for (uint32_t i = 0; ok && i < item->keys_n; i++) {
        sl_json *key = sl_json_object();
        ok = sl_json_set_int(key, "t", item->keys[i].t_us) &&
             write_one(key, &item->keys[i], item->geo.n);
        ok = sl_json_add(keys, key) && ok;
    }
    if (!ok || item->keys_n == 0) {
        sl_json_free(keys);
        return ok;
    }
    return sl_json_set(j, "keys", keys);
}

static sl_status check_one(const sl_edit *e, uint32_t n, sl_error **err)
{
    if ((e->has & SL_EDIT_MOVE) != 0 &&
        (e->dx < -MOVE_MAX || e->dx > MOVE_MAX || e->dy < -MOVE_MAX || e->dy > MOVE_MAX)) {
        return sl_fail_field(err, SL_E_INVALID, "style.move", "a move is within %d units",
                             MOVE_MAX);
    }
    if ((e->has & SL_EDIT_SCALE) != 0 && (e->scale < 1 || e->scale > SL_EDIT_SCALE_MAX)) {
        return sl_fail_field(err, SL_E_INVALID, "style.scale", "a scale is from 0.001 to %d",
                             SL_EDIT_SCALE_MAX / SL_EDIT_SCALE_ONE);
    }
    if ((e->has & SL_EDIT_OPACITY) != 0 && (e->opacity < 0 || e->opacity > SL_OPACITY_MAX)) {
        return sl_fail_field(err, SL_E_INVALID, "style.keys", "opacity is from 0 to 1");
    }
    for (uint32_t i = 0; e->points != NULL && i < n; i++) {
        sl_point p = e->points[i];
        if (p.x < -SL_COORD_MAX || p.x > SL_COORD_MAX || p.y < -SL_COORD_MAX ||
            p.y > SL_COORD_MAX) {
            return sl_fail_field(err, SL_E_INVALID, "style.points",
                                 "point %u lies more than %d units away", i, SL_COORD_MAX);
        }
    }
    return SL_OK;
}

sl_status sl_edits_check(const sl_item *item, sl_error **err)
{
    sl_status s = check_one(&item->edit, item->geo.n, err);
    int64_t last = -1;
    for (uint32_t i = 0; s == SL_OK && i < item->keys_n; i++) {
        const sl_edit *key = &item->keys[i];
        if (key->t_us <= last || key->t_us > SL_ITEM_US_MAX) {
            return sl_fail_field(err, SL_E_INVALID, "style.keys",
                                 "keys have times \"t\", each later than the one before");
        }
        last = key->t_us;
        s = check_one(key, item->geo.n, err);
    }
    return s;
}

/* The keys that hold an attribute around a time: both the same outside their span. */
typedef struct around {
    const sl_edit *a;
    const sl_edit *b;
    int64_t part;
    int64_t span;
} around;

static around find_around(const sl_item *item, uint8_t what, int64_t t_us)
{
    around r = {NULL, NULL, 0, 1};
    for (uint32_t i = 0; i < item->keys_n && r.b == NULL; i++) {
        const sl_edit *key = &item->keys[i];
        if ((key->has & what) != 0 && key->t_us <= t_us) {
            r.a = key;
        } else if ((key->has & what) != 0) {
            r.b = key;
        }
    }
    if (r.a == NULL && r.b == NULL && (item->edit.has & what) != 0) {
        r.a = &item->edit;
    }
    r.a = r.a != NULL ? r.a : r.b;
    r.b = r.b != NULL ? r.b : r.a;
    if (r.a != r.b) {
        r.part = t_us - r.a->t_us;
        r.span = r.b->t_us - r.a->t_us;
    }
    return r;
}

static int32_t between(const around *r, int32_t a, int32_t b)
{
    int64_t way = ((int64_t)b - a) * r->part;
    return a + (int32_t)((way < 0 ? way - r->span / 2 : way + r->span / 2) / r->span);
}

/* How the whole is moved and scaled at a time. */
typedef struct placing {
    sl_point middle;
    int32_t dx;
    int32_t dy;
    int32_t scale;
} placing;

static sl_point middle_of(const sl_point *p, uint32_t n)
{
    sl_point lo = p[0];
    sl_point hi = p[0];
    for (uint32_t i = 1; i < n; i++) {
        lo.x = p[i].x < lo.x ? p[i].x : lo.x;
        lo.y = p[i].y < lo.y ? p[i].y : lo.y;
        hi.x = p[i].x > hi.x ? p[i].x : hi.x;
        hi.y = p[i].y > hi.y ? p[i].y : hi.y;
    }
    sl_point middle = {(int32_t)(((int64_t)lo.x + hi.x) / 2),
                       (int32_t)(((int64_t)lo.y + hi.y) / 2)};
    return middle;
}

static placing placing_at(const sl_item *item, const sl_point *points, int64_t t_us)
{
    placing p = {{0, 0}, 0, 0, SL_EDIT_SCALE_ONE};
    around move = find_around(item, SL_EDIT_MOVE, t_us);
    around scale = find_around(item, SL_EDIT_SCALE, t_us);
    if (move.a != NULL) {
        p.dx = between(&move, move.a->dx, move.b->dx);
        p.dy = between(&move, move.a->dy, move.b->dy);
    }
    if (scale.a != NULL) {
        p.scale = between(&scale, scale.a->scale, scale.b->scale);
        p.middle = middle_of(points, item->geo.n);
    }
    return p;
}

static int32_t place(int32_t v, int32_t middle, int32_t scale, int32_t move)
{
    int64_t way = ((int64_t)v - middle) * scale;
    way = (way < 0 ? way - SL_EDIT_SCALE_ONE / 2 : way + SL_EDIT_SCALE_ONE / 2) / SL_EDIT_SCALE_ONE;
    int64_t to = middle + way + move;
    return (int32_t)(to < -FAR_MAX ? -FAR_MAX : to > FAR_MAX ? FAR_MAX : to);
}

static void pose_points(const sl_item *item, int64_t t_us, sl_point *room)
{
    uint32_t n = item->geo.n;
    around r = find_around(item, SL_EDIT_POINTS, t_us);
    room[0] = item->geo.points[0];
    for (uint32_t i = 0; i < n; i++) {
        room[i] = item->geo.points[i];
        if (r.a != NULL) {
            room[i].x = between(&r, r.a->points[i].x, r.b->points[i].x);
            room[i].y = between(&r, r.a->points[i].y, r.b->points[i].y);
        }
    }
    placing p = placing_at(item, room, t_us);
    for (uint32_t i = 0; i < n; i++) {
        room[i].x = place(room[i].x, p.middle.x, p.scale, p.dx);
        room[i].y = place(room[i].y, p.middle.y, p.scale, p.dy);
    }
}

void sl_item_pose(const sl_item *item, int64_t t_us, sl_item *out, sl_point *room)
{
    *out = *item;
    if (!sl_item_is_posed(item)) {
        return;
    }
    pose_points(item, t_us, room);
    out->geo.points = room;
    around r = find_around(item, SL_EDIT_OPACITY, t_us);
    if (r.a != NULL) {
        int32_t opacity = between(&r, r.a->opacity, r.b->opacity);
        out->style.opacity = item->style.opacity * opacity / SL_OPACITY_MAX;
    }
    memset(&out->edit, 0, sizeof out->edit);
    out->keys = NULL;
    out->keys_n = 0;
}

sl_box sl_item_reach(const sl_item *item)
{
    sl_box all = {INT32_MIN, INT32_MIN, INT32_MAX, INT32_MAX};
    if (item->keys_n > 0) {
        return all;
    }
    if (item->edit.has == 0) {
        return sl_item_bounds(item);
    }
    sl_point room[SL_EDIT_POINTS_MAX];
    sl_item posed;
    if (item->geo.n <= SL_EDIT_POINTS_MAX) {
        sl_item_pose(item, 0, &posed, room);
        return sl_item_bounds(&posed);
    }
    /* Moved and scaled as a whole: so is its box, whose padding a scale above one only enlarges. */
    sl_box box = sl_item_bounds(item);
    placing p = placing_at(item, item->geo.points, 0);
    int32_t scale = p.scale;
    int32_t pad = scale < SL_EDIT_SCALE_ONE ? item->style.width : 0;
    sl_box out = {place(box.x0, p.middle.x, scale, p.dx) - pad,
                  place(box.y0, p.middle.y, scale, p.dy) - pad,
                  place(box.x1, p.middle.x, scale, p.dx) + pad + 1,
                  place(box.y1, p.middle.y, scale, p.dy) + pad + 1};
    return out;
}

bool sl_item_hit_at(const sl_item *item, int64_t t_us, sl_point at, int32_t radius)
{
    if (!sl_item_is_posed(item)) {
        return sl_item_hit(item, at.x, at.y, radius);
    }
    if (item->geo.n <= SL_EDIT_POINTS_MAX) {
        sl_point room[SL_EDIT_POINTS_MAX];
        sl_item posed;
        sl_item_pose(item, t_us, &posed, room);
        return sl_item_hit(&posed, at.x, at.y, radius);
    }
    /* Many points: rather than them, the place asked for goes where they were drawn. */
    placing p = placing_at(item, item->geo.points, t_us);
    double back = (double)SL_EDIT_SCALE_ONE / p.scale;
    double x = p.middle.x + ((double)at.x - p.dx - p.middle.x) * back;
    double y = p.middle.y + ((double)at.y - p.dy - p.middle.y) * back;
    double half = item->style.width * 0.5;
    double reach = ((radius > 0 ? radius : 0) + half) * back - half;
    return sl_item_hit(item, narrow(floor(x + 0.5)), narrow(floor(y + 0.5)), narrow(reach));
}

uint32_t sl_item_handles(const sl_item *item, int64_t t_us, sl_point *out, uint32_t room)
{
    sl_point points[SL_EDIT_POINTS_MAX];
    uint32_t n = item->geo.n;
    if (n <= SL_EDIT_POINTS_MAX) {
        pose_points(item, t_us, points);
    } else {
        sl_box box = sl_item_bounds(item);
        placing p = placing_at(item, item->geo.points, t_us);
        sl_point corners[4] = {
            {box.x0, box.y0}, {box.x1, box.y0}, {box.x1, box.y1}, {box.x0, box.y1}};
        n = 4;
        for (uint32_t i = 0; i < n; i++) {
            points[i].x = place(corners[i].x, p.middle.x, p.scale, p.dx);
            points[i].y = place(corners[i].y, p.middle.y, p.scale, p.dy);
        }
    }
    for (uint32_t i = 0; i < n && i < room; i++) {
        out[i] = points[i];
    }
    return n;
}

/* The edit that a drag changes: that of all times, or the key nearest to the time. */
static sl_edit *edit_at(sl_item *item, int64_t t_us, uint8_t what)
{
    sl_edit *best = NULL;
    int64_t away = INT64_MAX;
    for (uint32_t i = 0; i < item->keys_n; i++) {
        int64_t d = item->keys[i].t_us - t_us;
        d = d < 0 ? -d : d;
        if ((item->keys[i].has & what) != 0 && d < away) {
            best = &item->keys[i];
            away = d;
        }
    }
    return best != NULL ? best : &item->edit;
}

static sl_status drag_point(sl_item *item, int64_t t_us, uint32_t handle, sl_point to,
                            sl_error **err)
{
    sl_edit *e = edit_at(item, t_us, SL_EDIT_POINTS);
    if (e->points == NULL) {
        e->points = sl_mem_array(item->geo.n, sizeof *e->points);
        if (e->points == NULL) {
            return sl_fail_nomem(err);
        }
        memcpy(e->points, item->geo.points, item->geo.n * sizeof *e->points);
        e->has |= SL_EDIT_POINTS;
    }
    /* A scale moves with its middle: the drag settles it first, so that the handle ends at `to`. */
    if ((item->edit.has & SL_EDIT_SCALE) != 0 && e == &item->edit) {
        placing p = placing_at(item, e->points, t_us);
        for (uint32_t i = 0; i < item->geo.n; i++) {
            e->points[i].x = place(e->points[i].x, p.middle.x, p.scale, 0);
            e->points[i].y = place(e->points[i].y, p.middle.y, p.scale, 0);
        }
        drop_edit(&item->edit, SL_EDIT_SCALE);
    }
    placing p = placing_at(item, e->points, t_us);
    e->points[handle].x = to.x - p.dx;
    e->points[handle].y = to.y - p.dy;
    return SL_OK;
}

/* By a corner: the scale that its distance from the middle asks for. */
static void drag_corner(sl_item *item, int64_t t_us, uint32_t handle, sl_point to)
{
    sl_box box = sl_item_bounds(item);
    placing p = placing_at(item, item->geo.points, t_us);
    sl_point middle = middle_of(item->geo.points, item->geo.n);
    double x = handle == 0 || handle == 3 ? box.x0 : box.x1;
    double y = handle < 2 ? box.y0 : box.y1;
    double drawn = hypot(x - middle.x, y - middle.y);
    double now = hypot((double)to.x - p.dx - middle.x, (double)to.y - p.dy - middle.y);
    sl_edit *e = edit_at(item, t_us, SL_EDIT_SCALE);
    double scale = drawn > 0 ? floor(now / drawn * SL_EDIT_SCALE_ONE + 0.5) : SL_EDIT_SCALE_ONE;
    e->has |= SL_EDIT_SCALE;
    e->scale = scale < 1 ? 1 : scale > SL_EDIT_SCALE_MAX ? SL_EDIT_SCALE_MAX : (int32_t)scale;
}

/* Carries out on a copy, which replaces the item's edits when it obeys the limits. */
static sl_status settle(sl_item *item, sl_item *with, sl_status s, sl_error **err)
{
    s = s == SL_OK ? sl_style_check(with, err) : s;
    if (s == SL_OK) {
        sl_edit edit = item->edit;
        sl_edit *keys = item->keys;
        uint32_t n = item->keys_n;
        item->edit = with->edit;
        item->keys = with->keys;
        item->keys_n = with->keys_n;
        with->edit = edit;
        with->keys = keys;
        with->keys_n = n;
    }
    sl_edits_clear(with);
    return s;
}

static bool borrow(sl_item *with, const sl_item *item)
{
    *with = *item;
    with->keys = NULL;
    with->keys_n = 0;
    memset(&with->edit, 0, sizeof with->edit);
    if (!sl_edits_copy(with, item)) {
        sl_edits_clear(with);
        return false;
    }
    return true;
}

sl_status sl_item_drag(sl_item *item, int64_t t_us, uint32_t handle, sl_point to, sl_error **err)
{
    sl_item with;
    if (handle >= sl_item_handles(item, t_us, NULL, 0)) {
        return sl_fail(err, SL_E_NOT_FOUND, "the item has no handle %u", handle);
    }
    if (to.x < -SL_COORD_MAX || to.x > SL_COORD_MAX || to.y < -SL_COORD_MAX ||
        to.y > SL_COORD_MAX) {
        return sl_fail_field(err, SL_E_INVALID, "points", "a handle is within %d units",
                             SL_COORD_MAX);
    }
    if (!borrow(&with, item)) {
        return sl_fail_nomem(err);
    }
    sl_status s = SL_OK;
    if (item->geo.n <= SL_EDIT_POINTS_MAX) {
        s = drag_point(&with, t_us, handle, to, err);
    } else {
        drag_corner(&with, t_us, handle, to);
    }
    return settle(item, &with, s, err);
}

static int32_t added(int32_t a, int32_t b)
{
    int64_t sum = (int64_t)a + b;
    return sum > INT32_MAX ? INT32_MAX : sum < INT32_MIN ? INT32_MIN : (int32_t)sum;
}

sl_status sl_item_move(sl_item *item, int32_t dx, int32_t dy, sl_error **err)
{
    sl_item with;
    if (!borrow(&with, item)) {
        return sl_fail_nomem(err);
    }
    bool keyed = false;
    for (uint32_t i = 0; i < with.keys_n; i++) {
        if ((with.keys[i].has & SL_EDIT_MOVE) != 0) {
            with.keys[i].dx = added(with.keys[i].dx, dx);
            with.keys[i].dy = added(with.keys[i].dy, dy);
            keyed = true;
        }
    }
    if (!keyed) {
        with.edit.has |= SL_EDIT_MOVE;
        with.edit.dx = added(with.edit.dx, dx);
        with.edit.dy = added(with.edit.dy, dy);
    }
    return settle(item, &with, SL_OK, err);
}
