#include "annotation/drawing.h"

#include "annotation/index.h"
#include "base/error.h"
#include "base/mem.h"

#include <string.h>

struct sl_drawing {
    int32_t width;
    int32_t height;
    sl_item **order; /* by z, then id */
    sl_item **by_id;
    size_t n;
    size_t room;
    uint64_t revisions;
    sl_index *index;
    const sl_item *layers[SL_LAYERS_MAX]; /* lowest first */
    size_t layers_n;
};

sl_drawing *sl_drawing_new(int32_t width, int32_t height)
{
    sl_drawing *d = sl_mem(sizeof *d);
    if (d != NULL) {
        d->width = width;
        d->height = height;
        d->index = sl_index_new();
        if (d->index == NULL) {
            sl_mem_free(d);
            return NULL;
        }
    }
    return d;
}

void sl_drawing_free(sl_drawing *d)
{
    if (d == NULL) {
        return;
    }
    for (size_t i = 0; i < d->n; i++) {
        sl_item_free(d->order[i]);
    }
    sl_mem_free(d->order);
    sl_index_free(d->index);
    sl_mem_free(d->by_id);
    sl_mem_free(d);
}

void sl_drawing_follow(sl_drawing *d, const sl_drawing *before)
{
    d->revisions += before->revisions;
    for (size_t i = 0; i < d->n; i++) {
        d->order[i]->revision += before->revisions;
    }
}

int32_t sl_drawing_width(const sl_drawing *d)
{
    return d->width;
}

int32_t sl_drawing_height(const sl_drawing *d)
{
    return d->height;
}

static int compare_id(const sl_item *a, const sl_item *b)
{
    return strcmp(a->id, b->id);
}

/* The first place whose item is not before `item`. */
static size_t place_of(sl_item *const *items, size_t n, const sl_item *item,
                       int (*compare)(const sl_item *, const sl_item *))
{
    size_t lo = 0;
    size_t hi = n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (compare(items[mid], item) < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

static void insert_at(sl_item **items, size_t n, size_t at, sl_item *item)
{
    memmove(items + at + 1, items + at, (n - at) * sizeof(sl_item *));
    items[at] = item;
}

static void remove_at(sl_item **items, size_t n, size_t at)
{
    memmove(items + at, items + at + 1, (n - at - 1) * sizeof(sl_item *));
}

/* There is room for one more. */
static void insert_in_order(sl_drawing *d, size_t n, sl_item *item)
{
    size_t at = place_of(d->order, n, item, sl_item_compare);
    insert_at(d->order, n, at, item);
}

static void remove_from_order(sl_drawing *d, size_t n, const sl_item *item)
{
    size_t at = place_of(d->order, n, item, sl_item_compare);
    remove_at(d->order, n, at);
}

/* After an item that is one came, went or changed. */
static void find_layers(sl_drawing *d)
{
    d->layers_n = 0;
    for (size_t i = 0; i < d->n && d->layers_n < SL_LAYERS_MAX; i++) {
        if (d->order[i]->geo.kind == SL_KIND_LAYER) {
            d->layers[d->layers_n++] = d->order[i];
        }
    }
}

static sl_item *find(const sl_drawing *d, const char *id, size_t *at)
{
    sl_item key = {0};
    if (id == NULL || strlen(id) >= sizeof key.id) {
        return NULL;
    }
    memcpy(key.id, id, strlen(id) + 1);
    *at = place_of(d->by_id, d->n, &key, compare_id);
    return *at < d->n && strcmp(d->by_id[*at]->id, id) == 0 ? d->by_id[*at] : NULL;
}

bool sl_drawing_reserve(sl_drawing *d, size_t n)
{
    size_t room = d->room != 0 ? d->room : 16;
    if (d->n + n <= d->room) {
        return true;
    }
    while (room < d->n + n) {
        room *= 2;
    }
    sl_item **order = sl_mem_resize(d->order, room, sizeof(sl_item *));
    if (order == NULL) {
        return false;
    }
    d->order = order;
    sl_item **by_id = sl_mem_resize(d->by_id, room, sizeof(sl_item *));
    if (by_id == NULL) {
        return false;
    }
    d->by_id = by_id;
    d->room = room;
    return true;
}

sl_status sl_drawing_add(sl_drawing *d, sl_item *item, sl_error **err)
{
    size_t at = 0;
    sl_status s = SL_OK;
    if (!sl_uuid_ok(item->id)) {
        s = sl_fail_field(err, SL_E_INVALID, "id", "an id is a UUID in lower case");
    } else if (find(d, item->id, &at) != NULL) {
        s = sl_fail_field(err, SL_E_CONFLICT, "id", "there is an item with this id");
    } else if (d->n >= SL_DRAWING_ITEMS_MAX) {
        s = sl_fail(err, SL_E_LIMIT, "a video has at most %d drawings", SL_DRAWING_ITEMS_MAX);
    } else if (!sl_drawing_reserve(d, 1)) {
        s = sl_fail_nomem(err);
    } else if (item->z[0] == 0) {
        s = sl_z_between(d->n > 0 ? d->order[d->n - 1]->z : NULL, NULL, item->z, err);
    }
    if (s == SL_OK && !sl_index_add(d->index, item, sl_item_reach(item))) {
        s = sl_fail_nomem(err);
    }
    if (s != SL_OK) {
        sl_item_free(item);
        return s;
    }
    item->revision = ++d->revisions;
    insert_at(d->by_id, d->n, at, item);
    insert_in_order(d, d->n, item);
    d->n++;
    if (item->geo.kind == SL_KIND_LAYER) {
        find_layers(d);
    }
    return SL_OK;
}

bool sl_drawing_remove(sl_drawing *d, const char *id)
{
    size_t at = 0;
    sl_item *item = find(d, id, &at);
    if (item == NULL) {
        return false;
    }
    sl_index_remove(d->index, item, sl_item_reach(item));
    remove_from_order(d, d->n, item);
    remove_at(d->by_id, d->n, at);
    d->n--;
    if (item->geo.kind == SL_KIND_LAYER) {
        find_layers(d);
    }
    sl_item_free(item);
    return true;
}

sl_status sl_drawing_replace(sl_drawing *d, sl_item *item, sl_error **err)
{
    size_t at = 0;
    sl_item *old = find(d, item->id, &at);
    if (old == NULL) {
        sl_item_free(item);
        return sl_fail(err, SL_E_NOT_FOUND, "there is no such item");
    }
    if (item->z[0] == 0) {
        memcpy(item->z, old->z, sizeof item->z);
    }
    if (!sl_index_add(d->index, item, sl_item_reach(item))) {
        sl_item_free(item);
        return sl_fail_nomem(err);
    }
    sl_index_remove(d->index, old, sl_item_reach(old));
    item->revision = ++d->revisions;
    remove_from_order(d, d->n, old);
    insert_in_order(d, d->n - 1, item);
    d->by_id[at] = item;
    if (old->geo.kind == SL_KIND_LAYER || item->geo.kind == SL_KIND_LAYER) {
        find_layers(d);
    }
    sl_item_free(old);
    return SL_OK;
}

const sl_item *sl_drawing_find(const sl_drawing *d, const char *id)
{
    size_t at = 0;
    return find(d, id, &at);
}

size_t sl_drawing_count(const sl_drawing *d)
{
    return d->n;
}

const sl_item *sl_drawing_at(const sl_drawing *d, size_t i)
{
    return i < d->n ? d->order[i] : NULL;
}

/* 0: below all layers, which is also the place of what names a layer that is not there. */
static size_t rank_of(const sl_drawing *d, const sl_item *item)
{
    for (size_t i = 0; item->style.layer[0] != 0 && i < d->layers_n; i++) {
        if (strcmp(d->layers[i]->id, item->style.layer) == 0) {
            return i + 1;
        }
    }
    return 0;
}

size_t sl_drawing_stack(const sl_drawing *d, bool with_hidden, const sl_item **out)
{
    size_t n = 0;
    for (size_t rank = 0; rank <= d->layers_n; rank++) {
        if (rank > 0 && d->layers[rank - 1]->style.hidden != 0 && !with_hidden) {
            continue;
        }
        for (size_t i = 0; i < d->n; i++) {
            if (d->layers_n == 0 || rank_of(d, d->order[i]) == rank) {
                out[n++] = d->order[i];
            }
        }
    }
    return n;
}

size_t sl_drawing_shown(const sl_drawing *d, const sl_item **out)
{
    return sl_drawing_stack(d, false, out);
}

bool sl_drawing_hides(const sl_drawing *d, const sl_item *item)
{
    const sl_item *layer = sl_drawing_find(d, item->style.layer);
    return layer != NULL && layer->geo.kind == SL_KIND_LAYER && layer->style.hidden != 0;
}

/* Whether what lies there can be taken: in no hidden or locked layer. */
static bool is_open(const sl_drawing *d, size_t rank)
{
    return rank == 0 ||
           (d->layers[rank - 1]->style.hidden == 0 && d->layers[rank - 1]->style.locked == 0);
}

typedef struct search {
    const sl_drawing *d;
    sl_point at;
    int32_t radius;
    int64_t t_us;
    const sl_item *best;
    size_t rank;
} search;

/* Of those that may be it, the look at the shape itself is the dear one, and comes last. */
static bool try_entry(void *user, const sl_index_entry *entry)
{
    search *q = user;
    const sl_item *item = entry->item;
    size_t rank = rank_of(q->d, item);
    bool below = q->best != NULL && sl_item_compare(item, q->best) < 0;
    if (below && rank <= q->rank) {
        return q->d->layers_n > 0; /* without layers, so is the rest of the list */
    }
    if (q->best != NULL && rank < q->rank) {
        return true;
    }
    if (sl_item_opacity_at(item, q->t_us) > 0 && is_open(q->d, rank) &&
        sl_item_hit_at(item, q->t_us, q->at, q->radius)) {
        q->best = item;
        q->rank = rank;
    }
    return true;
}

static sl_box around(sl_point at, int32_t radius)
{
    int64_t r = radius > 0 ? radius : 0;
    int64_t far = INT32_MAX;
    sl_box box = {
        (int32_t)(at.x - r < -far ? -far : at.x - r), (int32_t)(at.y - r < -far ? -far : at.y - r),
        (int32_t)(at.x + r > far ? far : at.x + r), (int32_t)(at.y + r > far ? far : at.y + r)};
    return box;
}

const sl_item *sl_drawing_hit(const sl_drawing *d, sl_point at, int32_t radius, int64_t t_us)
{
    search q = {.d = d, .at = at, .radius = radius, .t_us = t_us};
    sl_index_find(d->index, around(at, radius), try_entry, &q);
    return q.best;
}

typedef struct vicinity {
    const sl_drawing *d;
    int64_t t_us;
    bool (*tell)(void *user, const sl_item *item);
    void *user;
    bool done;
} vicinity;

static bool tell_near(void *user, const sl_index_entry *entry)
{
    vicinity *v = user;
    if (!v->done && sl_item_opacity_at(entry->item, v->t_us) > 0 &&
        is_open(v->d, rank_of(v->d, entry->item))) {
        v->done = !v->tell(v->user, entry->item);
    }
    return !v->done;
}

void sl_drawing_near(const sl_drawing *d, sl_box box, int64_t t_us,
                     bool (*tell)(void *user, const sl_item *item), void *user)
{
    vicinity v = {d, t_us, tell, user, false};
    sl_index_find(d->index, box, tell_near, &v);
}

sl_json *sl_drawing_json(const sl_drawing *d)
{
    sl_json *j = sl_json_object();
    sl_json *items = sl_json_array();
    bool ok = sl_json_set_int(j, "width", d->width) && sl_json_set_int(j, "height", d->height);
    for (size_t i = 0; ok && i < d->n; i++) {
        ok = sl_json_add(items, sl_item_to_json(d->order[i]));
    }
    if (!ok) {
        sl_json_free(items);
        items = NULL;
    }
    if (!sl_json_set(j, "items", items)) {
        sl_json_free(j);
        return NULL;
    }
    return j;
}
