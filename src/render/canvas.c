#include "render/canvas.h"

#include "annotation/tool.h"
#include "base/error.h"
#include "base/mem.h"

#include <string.h>

/* How one item was shown. */
typedef struct look {
    const sl_item *item; /* compared, never looked into: it may be gone */
    uint64_t revision;
    int64_t moment; /* of what runs with the time or is keyframed; else 0 */
    int64_t age_us; /* of what grows; else -1 */
    uint32_t points;
    int32_t opacity;
    bool ruler;
    sl_box box; /* in pixels */
} look;

struct sl_canvas {
    sl_pixels pixels;
    sl_renderer *renderer;
    sl_scene scene;
    bool fresh; /* what is shown is what `looks` says */
    look *looks;
    look *next;
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
    if (c->pixels.data == NULL || c->renderer == NULL) {
        sl_canvas_free(c);
        return NULL;
    }
    return c;
}

void sl_canvas_free(sl_canvas *c)
{
    if (c != NULL) {
        sl_renderer_free(c->renderer);
        sl_mem_free(c->pixels.data);
        sl_mem_free(c->looks);
        sl_mem_free(c->next);
        sl_mem_free(c->part);
        sl_mem_free(c);
    }
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
    look *looks = sl_mem_resize(c->looks, n, sizeof *looks);
    c->looks = looks != NULL ? looks : c->looks;
    look *next = looks != NULL ? sl_mem_resize(c->next, n, sizeof *next) : NULL;
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
static bool look_at(const sl_scene *scene, const sl_shown *shown, look *out)
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
    out->ruler = item->geo.kind == SL_KIND_RULER;
    return true;
}

static bool same_look(const look *a, const look *b)
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

static bool meet(const sl_box *a, const sl_box *b)
{
    return a->x0 < b->x1 && b->x0 < a->x1 && a->y0 < b->y1 && b->y0 < a->y1;
}

static void grow(sl_box *all, const sl_box *box)
{
    if (is_empty(box)) {
        return;
    }
    if (is_empty(all)) {
        *all = *box;
        return;
    }
    all->x0 = box->x0 < all->x0 ? box->x0 : all->x0;
    all->y0 = box->y0 < all->y0 ? box->y0 : all->y0;
    all->x1 = box->x1 > all->x1 ? box->x1 : all->x1;
    all->y1 = box->y1 > all->y1 ? box->y1 : all->y1;
}

/* A live stroke that only gained points changes around these: from the last but a few on, since
 * smoothing and joins reach back a little. */
static sl_box gained(const sl_canvas *c, const sl_scene *scene, const look *old, const look *now)
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

static bool only_gained(const look *old, const look *now)
{
    look longer = *old;
    longer.points = now->points;
    return now->item->live && old->points < now->points && same_look(&longer, now);
}

/* Boxes of the new looks, taken from the old where they are the same, and what changed. */
static void compare(sl_canvas *c, const sl_scene *scene, const sl_shown *shown, size_t n,
                    sl_box *damage)
{
    size_t old = 0;
    for (size_t i = 0; i < n; i++) {
        look *now = &c->next[i];
        size_t at = old;
        while (at < c->n && c->looks[at].item != now->item) {
            at++;
        }
        if (at < c->n) { /* those passed over are gone */
            for (; old < at; old++) {
                grow(damage, &c->looks[old].box);
            }
            old++;
        }
        const look *was = at < c->n ? &c->looks[at] : NULL;
        if (was != NULL && same_look(was, now)) {
            now->box = was->box;
            continue;
        }
        now->box = sl_render_scene_damage(scene, &shown[i], 1, &c->pixels);
        sl_box changed = now->box;
        if (was != NULL && only_gained(was, now)) {
            changed = gained(c, scene, was, now);
        } else if (was != NULL) {
            grow(damage, &was->box);
        }
        grow(damage, &changed);
    }
    for (; old < c->n; old++) {
        grow(damage, &c->looks[old].box);
    }
}

/* A blur is drawn whole when any pixel changes. A magnifier looks at pixels elsewhere as they are
 * below it: all of the picture is drawn again. */
static void widen(const sl_canvas *c, size_t n, sl_box *damage)
{
    for (size_t i = 0; i < n && !is_empty(damage); i++) {
        sl_kind kind = c->next[i].item->geo.kind;
        if (kind == SL_KIND_BLUR) {
            grow(damage, &c->next[i].box);
        } else if (kind == SL_KIND_MAGNIFIER) {
            *damage = (sl_box){0, 0, c->pixels.width, c->pixels.height};
        }
    }
}

static void clear(const sl_pixels *p, const sl_box *box)
{
    for (int32_t y = box->y0; y < box->y1; y++) {
        memset(p->data + (ptrdiff_t)y * p->stride + (ptrdiff_t)box->x0 * 4, 0,
               (size_t)(box->x1 - box->x0) * 4);
    }
}

/* The rulers stay in: one of them sets the scale of the others' labels. */
static sl_status redraw(sl_canvas *c, const sl_scene *scene, size_t n, const sl_box *damage,
                        sl_error **err)
{
    sl_scene clipped = *scene;
    size_t count = 0;
    clipped.clip = *damage;
    for (size_t i = 0; i < n; i++) {
        if (meet(&c->next[i].box, damage) || c->next[i].item->geo.kind == SL_KIND_RULER) {
            c->part[count].item = c->next[i].item;
            c->part[count++].age_us = c->next[i].age_us;
        }
    }
    clear(&c->pixels, damage);
    return sl_renderer_draw(c->renderer, &clipped, c->part, count, &c->pixels, err);
}

/* A ruler that changed may change every measure. */
static bool rulers_changed(const sl_canvas *c, size_t n)
{
    size_t a = 0;
    size_t b = 0;
    for (;;) {
        while (a < n && c->next[a].item->geo.kind != SL_KIND_RULER) {
            a++;
        }
        while (b < c->n && !c->looks[b].ruler) {
            b++;
        }
        if (a == n || b == c->n) {
            return a != n || b != c->n;
        }
        if (!same_look(&c->next[a++], &c->looks[b++])) {
            return true;
        }
    }
}

sl_status sl_canvas_show(sl_canvas *c, const sl_scene *scene, const sl_shown *shown, size_t n,
                         sl_box *damage, sl_error **err)
{
    sl_box all = {0, 0, c->pixels.width, c->pixels.height};
    size_t count = 0;
    *damage = (sl_box){0, 0, 0, 0};
    if (!make_room(c, n)) {
        c->fresh = false;
        return sl_fail_nomem(err);
    }
    for (size_t i = 0; i < n; i++) {
        if (look_at(scene, &shown[i], &c->next[count])) {
            c->part[count++] = shown[i];
        }
    }
    sl_scene whole = *scene;
    whole.clip = (sl_box){0, 0, 0, 0};
    bool anew = !c->fresh || !same_view(scene, &c->scene) || rulers_changed(c, count);
    if (anew) {
        c->n = 0;
    }
    compare(c, &whole, c->part, count, damage);
    widen(c, count, damage);
    *damage = anew ? all : *damage;
    c->fresh = false;
    sl_status s = is_empty(damage) ? SL_OK : redraw(c, &whole, count, damage, err);
    if (s == SL_OK) {
        look *swap = c->looks;
        c->looks = c->next;
        c->next = swap;
        c->n = count;
        c->scene = whole;
        c->fresh = true;
    }
    return s;
}
