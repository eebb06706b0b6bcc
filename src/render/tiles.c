#include "render/tiles.h"

#include "base/mem.h"

#include <string.h>

/* A tile as it was. */
typedef struct shot {
    uint32_t pixels[SL_TILE * SL_TILE];
} shot;

bool sl_tiles_init(sl_tiles *t, const sl_pixels *pixels)
{
    memset(t, 0, sizeof *t);
    t->pixels = pixels;
    t->cols = (pixels->width + SL_TILE - 1) / SL_TILE;
    t->rows = (pixels->height + SL_TILE - 1) / SL_TILE;
    size_t n = (size_t)t->cols * (size_t)t->rows;
    t->dirty = sl_mem_array(n, sizeof *t->dirty);
    t->damage = sl_mem_array(n, sizeof *t->damage);
    return t->dirty != NULL && t->damage != NULL;
}

void sl_tiles_free(sl_tiles *t)
{
    sl_keep_free(t->shots);
    sl_mem_free(t->dirty);
    sl_mem_free(t->damage);
    sl_mem_free(t->band);
    sl_mem_free(t->here);
    sl_mem_free(t->asked);
    sl_mem_free(t->kept);
}

bool sl_tiles_keep(sl_tiles *t, size_t bytes)
{
    sl_keep_free(t->shots);
    t->shots = sl_keep_new(bytes, sl_mem_free);
    return t->shots != NULL;
}

size_t sl_tiles_bytes(const sl_tiles *t)
{
    return t->shots != NULL ? sl_keep_bytes(t->shots) : 0;
}

bool sl_tiles_room(sl_tiles *t, size_t items)
{
    if (items <= t->room) {
        return true;
    }
    sl_mem_free(t->band);
    sl_mem_free(t->here);
    sl_mem_free(t->asked);
    sl_mem_free(t->kept);
    t->band = sl_mem_array(items, sizeof *t->band);
    t->here = sl_mem_array(items, sizeof *t->here);
    t->asked = sl_mem_array(items, sizeof *t->asked);
    t->kept = sl_mem_array(items, sizeof(const sl_kept *));
    bool ok = t->band != NULL && t->here != NULL && t->asked != NULL && t->kept != NULL;
    t->room = ok ? items : 0;
    return ok;
}

void sl_tiles_forget(sl_tiles *t)
{
    if (t->shots != NULL) {
        sl_keep_clear(t->shots);
    }
}

void sl_tiles_begin(sl_tiles *t)
{
    memset(t->dirty, 0, (size_t)t->cols * (size_t)t->rows * sizeof *t->dirty);
    t->damaged = 0;
}

static bool is_empty(const sl_box *b)
{
    return b->x0 >= b->x1 || b->y0 >= b->y1;
}

bool sl_boxes_meet(const sl_box *a, const sl_box *b)
{
    return a->x0 < b->x1 && b->x0 < a->x1 && a->y0 < b->y1 && b->y0 < a->y1;
}

void sl_box_grow(sl_box *all, const sl_box *box)
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

/* Of the picture, what lies in a tile. */
static sl_box tile_box(const sl_tiles *t, int32_t col, int32_t row)
{
    sl_box box = {col * SL_TILE, row * SL_TILE, (col + 1) * SL_TILE, (row + 1) * SL_TILE};
    box.x1 = box.x1 < t->pixels->width ? box.x1 : t->pixels->width;
    box.y1 = box.y1 < t->pixels->height ? box.y1 : t->pixels->height;
    return box;
}

void sl_tiles_touch(sl_tiles *t, const sl_kept *kept, const sl_box *box)
{
    if (is_empty(box)) {
        return;
    }
    for (int32_t row = box->y0 / SL_TILE; row <= (box->y1 - 1) / SL_TILE; row++) {
        for (int32_t col = box->x0 / SL_TILE; col <= (box->x1 - 1) / SL_TILE; col++) {
            if (kept == NULL || sl_kept_touches(kept, col, row)) {
                sl_box part = tile_box(t, col, row);
                sl_ink_clip(&part, box);
                part.x0 = part.x0 / SL_BLOCK * SL_BLOCK; /* so that no block is cut */
                part.x1 = (part.x1 + SL_BLOCK - 1) / SL_BLOCK * SL_BLOCK;
                part.x1 = part.x1 < t->pixels->width ? part.x1 : t->pixels->width;
                sl_box_grow(&t->dirty[row * t->cols + col], &part);
            }
        }
    }
}

/* Those side by side that are as high become one. */
static void list_damage(sl_tiles *t)
{
    t->damaged = 0;
    for (int32_t i = 0; i < t->rows * t->cols; i++) {
        const sl_box *box = &t->dirty[i];
        sl_box *last = t->damaged > 0 ? &t->damage[t->damaged - 1] : NULL;
        if (is_empty(box)) {
            continue;
        }
        if (last != NULL && last->x1 == box->x0 && last->y0 == box->y0 && last->y1 == box->y1) {
            last->x1 = box->x1;
        } else {
            t->damage[t->damaged++] = *box;
        }
    }
}

sl_box sl_tiles_damage(const sl_tiles *t)
{
    sl_box all = {0, 0, 0, 0};
    for (int32_t i = 0; i < t->rows * t->cols; i++) {
        sl_box_grow(&all, &t->dirty[i]);
    }
    return all;
}

bool sl_tiles_most(const sl_tiles *t)
{
    int32_t n = 0;
    for (int32_t i = 0; i < t->rows * t->cols; i++) {
        n += !is_empty(&t->dirty[i]);
    }
    return 2 * n > t->rows * t->cols;
}

void sl_tiles_one(sl_tiles *t, const sl_box *box)
{
    sl_tiles_begin(t);
    sl_tiles_touch(t, NULL, box);
    list_damage(t);
}

static uint8_t *pixel_at(const sl_tiles *t, int32_t x, int32_t y)
{
    return t->pixels->data + (ptrdiff_t)y * t->pixels->stride + 4 * (ptrdiff_t)x;
}

/* Copies a tile to or from its shot. */
static void copy_tile(const sl_tiles *t, const sl_box *box, shot *s, bool keep)
{
    size_t row = (size_t)(box->x1 - box->x0) * 4;
    for (int32_t y = box->y0; y < box->y1; y++) {
        uint32_t *there = s->pixels + (ptrdiff_t)(y - box->y0) * SL_TILE;
        uint8_t *here = pixel_at(t, box->x0, y);
        memcpy(keep ? (void *)there : here, keep ? (const void *)here : there, row);
    }
}

static uint64_t stir(uint64_t h, uint64_t v)
{
    h = (h ^ v) * UINT64_C(0xFF51AFD7ED558CCD);
    return h ^ h >> 32;
}

/* What a tile shows, as a key. */
static sl_keep_key key_of(const sl_tiles *t, const sl_look *looks, size_t n, uint64_t tile)
{
    sl_keep_key key = {tile, ~tile};
    for (size_t i = 0; i < n; i++) {
        const sl_look *l = &looks[t->here[i]];
        uint64_t item = (uint64_t)(uintptr_t)l->item;
        key.a = stir(stir(stir(key.a, item), l->revision), (uint64_t)l->opacity);
        key.b = stir(stir(stir(key.b, l->revision), (uint64_t)l->opacity), item);
    }
    return key;
}

/* The items that a tile has, of those of its row; whether all of them stay as they are. */
static size_t gather(sl_tiles *t, sl_pass *pass, const sl_look *looks, const sl_shown *shown,
                     size_t band, sl_box box, bool *settled)
{
    size_t n = 0;
    *settled = true;
    for (size_t i = 0; i < band; i++) {
        size_t at = t->band[i];
        if (!sl_boxes_meet(&looks[at].box, &box)) {
            continue;
        }
        if (!t->asked[at]) {
            t->asked[at] = true;
            t->kept[at] = sl_pass_keep(pass, &shown[at]);
        }
        const sl_kept *kept = t->kept[at];
        if (kept == NULL || sl_kept_touches(kept, box.x0 / SL_TILE, box.y0 / SL_TILE)) {
            t->here[n++] = at;
            *settled = *settled && kept != NULL && !looks[at].fades;
        }
    }
    return n;
}

static bool paint(const sl_tiles *t, sl_pass *pass, const sl_shown *shown, size_t n,
                  const sl_box *dirty)
{
    bool ok = true;
    for (int32_t y = dirty->y0; y < dirty->y1; y++) {
        memset(pixel_at(t, dirty->x0, y), 0, (size_t)(dirty->x1 - dirty->x0) * 4);
    }
    for (size_t i = 0; ok && i < n; i++) {
        ok = sl_pass_paint(pass, &shown[t->here[i]], t->kept[t->here[i]], *dirty);
    }
    return ok;
}

static void put_by(const sl_tiles *t, const sl_box *box, sl_keep_key key)
{
    shot *s = sl_mem(sizeof *s);
    if (s != NULL) {
        copy_tile(t, box, s, true);
        if (!sl_keep_put(t->shots, key, s, sizeof *s)) {
            sl_mem_free(s);
        }
    }
}

static bool draw_tile(sl_tiles *t, sl_pass *pass, const sl_look *looks, const sl_shown *shown,
                      size_t band, int32_t at)
{
    sl_box box = tile_box(t, at % t->cols, at / t->cols);
    bool settled = false;
    size_t n = gather(t, pass, looks, shown, band, box, &settled);
    settled = settled && n > 0 && t->shots != NULL;
    sl_keep_key key = {0, 0};
    if (settled) {
        key = key_of(t, looks, n, (uint64_t)at);
        shot *s = sl_keep_find(t->shots, key);
        if (s != NULL) {
            copy_tile(t, &box, s, false);
            return true;
        }
    }
    bool ok = paint(t, pass, shown, n, &t->dirty[at]);
    if (ok && settled) {
        put_by(t, &box, key);
    }
    return ok;
}

bool sl_tiles_draw(sl_tiles *t, sl_pass *pass, const sl_look *looks, const sl_shown *shown,
                   size_t n)
{
    bool ok = true;
    list_damage(t);
    if (n > 0) {
        memset(t->asked, 0, n * sizeof *t->asked);
    }
    if (t->shots != NULL) {
        sl_keep_turn(t->shots);
    }
    for (int32_t row = 0; ok && row < t->rows; row++) {
        const sl_box *dirty = t->dirty + row * t->cols;
        sl_box all = {0, 0, 0, 0};
        size_t band = 0;
        for (int32_t col = 0; col < t->cols; col++) {
            sl_box_grow(&all, &dirty[col]);
        }
        for (size_t i = 0; i < n && !is_empty(&all); i++) {
            t->band[band] = i;
            band += sl_boxes_meet(&looks[i].box, &all);
        }
        for (int32_t col = 0; ok && col < t->cols; col++) {
            ok = is_empty(&dirty[col]) ||
                 draw_tile(t, pass, looks, shown, band, row * t->cols + col);
        }
    }
    return ok;
}
