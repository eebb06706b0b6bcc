/*
 * render/tiles.h - a canvas's tiles: what of them changed, drawing that, and keeping those that may be
 * wanted again.
 */
#ifndef SL_RENDER_TILES_H
#define SL_RENDER_TILES_H

#include "render/inside.h"

/* How one item was shown. */
typedef struct sl_look {
    const sl_item *item; /* compared, never looked into: it may be gone */
    uint64_t revision;
    int64_t moment; /* of what runs with the time or is keyframed; else 0 */
    int64_t age_us; /* of what grows; else -1 */
    uint32_t points;
    int32_t opacity;
    bool fades; /* just now */
    sl_box box; /* in pixels */
} sl_look;

typedef struct sl_tiles {
    const sl_pixels *pixels;
    int32_t cols;
    int32_t rows;
    sl_box *dirty;  /* of each tile, in pixels */
    sl_box *damage; /* the same as few boxes as there may be */
    size_t damaged;
    sl_keep *shots;
    size_t *band; /* items that a row of tiles may have */
    size_t *here; /* ... that a tile has */
    bool *asked;  /* whether `kept` is known */
    const sl_kept **kept;
    size_t room; /* of these four */
} sl_tiles;

/* False: out of memory. */
bool sl_tiles_init(sl_tiles *t, const sl_pixels *pixels);
void sl_tiles_free(sl_tiles *t);
bool sl_tiles_keep(sl_tiles *t, size_t bytes);
size_t sl_tiles_bytes(const sl_tiles *t);
bool sl_tiles_room(sl_tiles *t, size_t items);
void sl_tiles_forget(sl_tiles *t); /* what was kept is of another view */
void sl_tiles_begin(sl_tiles *t);  /* nothing has changed */
/* What lies in the box has; kept, when not NULL, says in which tiles of it there is any ink. */
void sl_tiles_touch(sl_tiles *t, const sl_kept *kept, const sl_box *box);
/* A box around all that changed. */
sl_box sl_tiles_damage(const sl_tiles *t);
/* Whether more than half of the tiles have changed. */
bool sl_tiles_most(const sl_tiles *t);
/* All that changed is this. */
void sl_tiles_one(sl_tiles *t, const sl_box *box);
/* Draws what changed. False: out of memory. */
bool sl_tiles_draw(sl_tiles *t, sl_pass *pass, const sl_look *looks, const sl_shown *shown,
                   size_t n);

bool sl_boxes_meet(const sl_box *a, const sl_box *b);
void sl_box_grow(sl_box *all, const sl_box *box);

#endif
