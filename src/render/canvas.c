#include "render/canvas.h"

#include "base/error.h"
#include "base/mem.h"
#include "render/tiles.h"

#include <string.h>

struct sl_canvas {
    sl_pixels pixels;
    sl_renderer *renderer;
    sl_tiles tiles;
    sl_scene scene;
    sl_scale units; /* a ruler that changes may change every measure */
    bool fresh;     /* what is shown is what `looks` says */
    sl_look *looks;
    sl_look *next;
    size_t n;
    size_t room; /* of both */
    sl_shown *part;
};

sl_canvas *sl_canvas_new(int32_t width, int32_t height)
{
    if (width < 1 || height < 1 || width > SL_PIXELS_SIDE_MAX || height > SL_PIXELS_SIDE_MAX) {
        return NULL;
    }
    sl_canvas *c = sl_mem(sizeof *c);
    if (c == NULL) {
        return NULL;
    }
    c->pixels.struct_size = sizeof c->pixels;
    c->pixels.width = width;
    c->pixels.height = height;
    c->pixels.stride = width * 4;
    c->pixels.data = sl_mem_array((size_t)width * (size_t)height, 4);
    c->renderer = sl_renderer_new(false);
    if (c->pixels.data == NULL || c->renderer == NULL || !sl_tiles_init(&c->tiles, &c->pixels) ||
        !sl_canvas_limit(c, SL_CANVAS_ITEMS_BYTES, SL_CANVAS_TILES_BYTES)) {
        sl_canvas_free(c);
        return NULL;
    }
    return c;
}

void sl_canvas_free(sl_canvas *c)
{
    if (c != NULL) {
        sl_tiles_free(&c->tiles);
        sl_renderer_free(c->renderer);
        sl_mem_free(c->pixels.data);
        sl_mem_free(c->looks);
        sl_mem_free(c->next);
        sl_mem_free(c->part);
        sl_mem_free(c);
    }
}

bool sl_canvas_limit(sl_canvas *c, size_t items, size_t tiles)
{
    bool kept = sl_renderer_keep(c->renderer, items);
    return sl_tiles_keep(&c->tiles, tiles) && kept;
}

size_t sl_canvas_kept(const sl_canvas *c)
{
    return sl_renderer_bytes(c->renderer) + sl_tiles_bytes(&c->tiles);
}

const sl_box *sl_canvas_damage(const sl_canvas *c, size_t *n)
{
    *n = c->tiles.damaged;
    return c->tiles.damage;
}

const sl_pixels *sl_canvas_pixels(const sl_canvas *c)
{
    return &c->pixels;
}

static bool make_room(sl_canvas *c, size_t n)
{
    if (n <= c->room) {
        return true;
    }
    sl_look *looks = sl_mem_resize(c->looks, n, sizeof *looks);
    c->looks = looks != NULL ? looks : c->looks;
    sl_look *next = looks != NULL ? sl_mem_resize(c->next, n, sizeof *next) : NULL;
    c->next = next != NULL ? next : c->next;
    sl_shown *part = next != NULL ? sl_mem_resize(c->part, n, sizeof *part) : NULL;
    c->part = part != NULL ? part : c->part;
    c->room = part != NULL ? n : c->room;
    return part != NULL;
}

static bool runs_with_time(sl_kind kind)
{
    return kind == SL_KIND_PATH || kind == SL_KIND_STOPWATCH;
}

/* How an item would be shown; its box is found later, if it is asked for. */
static bool look_at(const sl_scene *scene, const sl_shown *shown, sl_look *out)
{
    const sl_item *item = shown->item;
    int32_t opacity = sl_item_opacity_at(item, scene->t_us);
    if (opacity == 0 || sl_tool_of(item->geo.kind)->form == SL_FORM_HIDDEN) {
        return false;
    }
    memset(out, 0, sizeof *out);
    bool grows = shown->age_us >= 0 && item->geo.dt_ms != NULL &&
                 shown->age_us / 1000 <= item->geo.dt_ms[item->geo.n - 1];
    out->item = item;
    out->revision = item->revision;
    out->moment = item->keys_n > 0 || runs_with_time(item->geo.kind) ? scene->t_us : 0;
    out->age_us = grows ? shown->age_us : -1;
    out->points = item->geo.n;
    out->opacity = opacity;
    out->fades = item->fade_us > 0 && (scene->t_us < item->t_in + item->fade_us ||
                                       scene->t_us >= item->t_out - item->fade_us);
    return true;
}

static bool same_look(const sl_look *a, const sl_look *b)
{
    return a->item == b->item && a->revision == b->revision && a->moment == b->moment &&
           a->age_us == b->age_us && a->points == b->points && a->opacity == b->opacity;
}

static bool same_view(const sl_scene *a, const sl_scene *b)
{
    return a->frame_w == b->frame_w && a->frame_h == b->frame_h && a->turns == b->turns &&
           memcmp(&a->crop, &b->crop, sizeof a->crop) == 0;
}

static bool is_empty(const sl_box *b)
{
    return b->x0 >= b->x1 || b->y0 >= b->y1;
}

/* A live stroke that only gained points changes around these: from the last but a few on, since
 * smoothing and joins reach back a little. */
static sl_box gained(const sl_canvas *c, const sl_scene *scene, const sl_look *old,
                     const sl_look *now)
{
    enum {
        BACK = 2
    };
    sl_item tail = *now->item;
    uint32_t from = old->points > BACK ? old->points - BACK : 0;
    tail.geo.points += from;
    tail.geo.n -= from;
    tail.geo.pressure = tail.geo.pressure != NULL ? tail.geo.pressure + from : NULL;
    tail.geo.tilt = tail.geo.tilt != NULL ? tail.geo.tilt + from : NULL;
    tail.geo.dt_ms = NULL;
    sl_shown shown = {&tail, -1};
    return sl_render_scene_damage(scene, &shown, 1, &c->pixels);
}

static bool only_gained(const sl_look *old, const sl_look *now)
{
    sl_look longer = *old;
    longer.points = now->points;
    return now->item->live && old->points < now->points && same_look(&longer, now);
}

/* An item that is no longer shown so: where it had ink. */
static void gone(sl_canvas *c, const sl_look *was)
{
    sl_tiles_touch(&c->tiles, sl_renderer_kept(c->renderer, was->item, was->revision), &was->box);
}

/* Boxes of the new looks, taken from the old where they are the same, and what changed. */
static void compare(sl_canvas *c, sl_pass *pass, const sl_shown *shown, size_t n)
{
    size_t old = 0;
    for (size_t i = 0; i < n; i++) {
        sl_look *now = &c->next[i];
        size_t at = old;
        while (at < c->n && c->looks[at].item != now->item) {
            at++;
        }
        if (at < c->n) { /* those passed over are gone */
            for (; old < at; old++) {
                gone(c, &c->looks[old]);
            }
            old++;
        }
        const sl_look *was = at < c->n ? &c->looks[at] : NULL;
        if (was != NULL && same_look(was, now)) {
            now->box = was->box;
            continue;
        }
        const sl_kept *kept = sl_pass_keep(pass, &shown[i]);
        now->box = kept != NULL ? kept->box
                                : sl_render_scene_damage(pass->k.scene, &shown[i], 1, &c->pixels);
        sl_box changed = now->box;
        if (was != NULL && only_gained(was, now)) {
            changed = gained(c, pass->k.scene, was, now);
        } else if (was != NULL) {
            gone(c, was);
        }
        sl_tiles_touch(&c->tiles, kept, &changed);
    }
    for (; old < c->n; old++) {
        gone(c, &c->looks[old]);
    }
}

/* The pixels that a magnifier shows at the scene's time. Its third point is in their middle. */
static sl_box seen_by(const sl_canvas *c, const sl_scene *scene, const sl_item *lens)
{
    enum {
        MARGIN = 5
    };
    sl_box all = {0, 0, c->pixels.width, c->pixels.height};
    if (lens->geo.n != 3 || lens->style.zoom < 1) {
        return all;
    }
    sl_point room[3];
    sl_item eye;
    sl_item_pose(lens, scene->t_us, &eye, room);
    const sl_point *p = eye.geo.points;
    sl_point round[3] = {p[2], p[2], p[2]};
    round[1].x += (int32_t)((int64_t)(p[1].x - p[0].x) * 1000 / lens->style.zoom);
    round[1].y += (int32_t)((int64_t)(p[1].y - p[0].y) * 1000 / lens->style.zoom);
    eye.geo.points = round;
    sl_shown shown = {&eye, -1};
    sl_box box = sl_render_scene_damage(scene, &shown, 1, &c->pixels);
    if (is_empty(&box)) {
        return box;
    }
    box.x0 = box.x0 > MARGIN ? box.x0 - MARGIN : 0;
    box.y0 = box.y0 > MARGIN ? box.y0 - MARGIN : 0;
    box.x1 = box.x1 + MARGIN < all.x1 ? box.x1 + MARGIN : all.x1;
    box.y1 = box.y1 + MARGIN < all.y1 ? box.y1 + MARGIN : all.y1;
    return box;
}

/* What reads pixels or places others' is drawn whole when any pixel of it changes; a magnifier also
 * when any does that it shows, which are then drawn again beside it, as it sees them without what
 * lies above. Returns whether any had to be. */
static bool widen(sl_canvas *c, const sl_scene *scene, size_t n, sl_box *damage)
{
    bool any = false;
    if (is_empty(damage)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        sl_kind kind = c->next[i].item->geo.kind;
        const sl_box *box = &c->next[i].box;
        if (!sl_ink_is_effect(kind)) {
            continue;
        }
        if (kind == SL_KIND_MAGNIFIER) {
            sl_box seen = seen_by(c, scene, c->next[i].item);
            if (sl_boxes_meet(box, damage) || sl_boxes_meet(&seen, damage)) {
                sl_box_grow(damage, box);
                sl_box_grow(damage, &seen);
                any = true;
            }
        } else if (sl_boxes_meet(box, damage)) {
            sl_box_grow(damage, box);
            any = true;
        }
    }
    return any;
}

/* One after another, in one box. */
static bool redraw_box(sl_canvas *c, sl_pass *pass, size_t n, const sl_box *damage)
{
    bool ok = true;
    for (int32_t y = damage->y0; y < damage->y1; y++) {
        memset(c->pixels.data + (ptrdiff_t)y * c->pixels.stride + (ptrdiff_t)damage->x0 * 4, 0,
               (size_t)(damage->x1 - damage->x0) * 4);
    }
    for (size_t i = 0; ok && i < n && !is_empty(damage); i++) {
        if (sl_boxes_meet(&c->next[i].box, damage)) {
            ok = sl_pass_paint(pass, &c->part[i], sl_pass_keep(pass, &c->part[i]), *damage);
        }
    }
    return ok;
}

/* Whether all is shown as it already is. */
static bool is_shown(const sl_canvas *c, size_t n)
{
    bool same = c->n == n;
    for (size_t i = 0; same && i < n; i++) {
        same = same_look(&c->looks[i], &c->next[i]);
    }
    return same;
}

static bool redraw(sl_canvas *c, sl_pass *pass, size_t n)
{
    sl_box box = sl_tiles_damage(&c->tiles);
    bool wide = false;
    for (;;) { /* one that grew may meet another */
        sl_box before = box;
        wide = widen(c, pass->k.scene, n, &box);
        if (memcmp(&before, &box, sizeof box) == 0) {
            break;
        }
    }
    /* What is not kept is made anew for each tile: when that is most of the picture, better once. */
    if (wide || (pass->full && sl_tiles_most(&c->tiles))) {
        sl_tiles_one(&c->tiles, &box);
        return redraw_box(c, pass, n, &box);
    }
    return sl_tiles_draw(&c->tiles, pass, c->next, c->part, n);
}

/* Brings the pixels to the looks in `next`. */
static sl_status bring(sl_canvas *c, const sl_scene *scene, size_t n, bool anew, sl_error **err)
{
    sl_pass pass;
    sl_status s = sl_pass_begin(&pass, c->renderer, scene, &c->units, &c->pixels, err);
    if (s != SL_OK) {
        return s;
    }
    if (anew) {
        sl_box all = {0, 0, c->pixels.width, c->pixels.height};
        c->n = 0;
        sl_tiles_forget(&c->tiles);
        sl_tiles_touch(&c->tiles, NULL, &all);
    }
    compare(c, &pass, c->part, n);
    return sl_pass_end(&pass, redraw(c, &pass, n), err);
}

sl_status sl_canvas_show(sl_canvas *c, const sl_scene *scene, const sl_shown *shown, size_t n,
                         sl_box *damage, sl_error **err)
{
    size_t count = 0;
    *damage = (sl_box){0, 0, 0, 0};
    sl_tiles_begin(&c->tiles);
    if (!make_room(c, n) || !sl_tiles_room(&c->tiles, n)) {
        c->fresh = false;
        return sl_fail_nomem(err);
    }
    for (size_t i = 0; i < n; i++) {
        if (look_at(scene, &shown[i], &c->next[count])) {
            c->part[count] = (sl_shown){shown[i].item, c->next[count].age_us};
            count++;
        }
    }
    sl_scene whole = *scene;
    whole.clip = (sl_box){0, 0, 0, 0};
    sl_scale units;
    sl_ink_scale(scene, shown, n, &units);
    bool anew = !c->fresh || !same_view(scene, &c->scene) || !sl_same_scale(&units, &c->units);
    c->units = units;
    if (!anew && is_shown(c, count)) {
        c->scene = whole;
        return SL_OK;
    }
    c->fresh = false;
    sl_status s = bring(c, &whole, count, anew, err);
    *damage = sl_tiles_damage(&c->tiles);
    if (s == SL_OK) {
        sl_look *swap = c->looks;
        c->looks = c->next;
        c->next = swap;
        c->n = count;
        c->scene = whole;
        c->fresh = true;
    }
    return s;
}
