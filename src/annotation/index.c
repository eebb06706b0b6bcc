#include "annotation/index.h"

#include "base/mem.h"

enum {
    SIDE = 32, /* cells each way */
    CELL = SL_UNITS / SIDE,
    WIDE = 64 /* cells that an item may cover, before it is held apart */
};

typedef struct cell {
    sl_index_entry *entries;
    uint32_t n;
    uint32_t room;
} cell;

struct sl_index {
    cell cells[SIDE * SIDE];
    cell wide;
};

/* Cells from x0, y0 up to x1, y1, these included. */
typedef struct range {
    int32_t x0;
    int32_t y0;
    int32_t x1;
    int32_t y1;
} range;

static int32_t cell_of(int32_t v)
{
    return v < 0 ? 0 : v >= SL_UNITS ? SIDE - 1 : v / CELL;
}

static range range_of(sl_box b)
{
    range r = {cell_of(b.x0), cell_of(b.y0), cell_of(b.x1), cell_of(b.y1)};
    return r;
}

static bool is_wide(range r)
{
    return (r.x1 - r.x0 + 1) * (r.y1 - r.y0 + 1) > WIDE;
}

sl_index *sl_index_new(void)
{
    return sl_mem(sizeof(sl_index));
}

void sl_index_free(sl_index *x)
{
    if (x != NULL) {
        for (size_t i = 0; i < SIDE * SIDE; i++) {
            sl_mem_free(x->cells[i].entries);
        }
        sl_mem_free(x->wide.entries);
        sl_mem_free(x);
    }
}

static bool put(cell *c, const sl_item *item, sl_box box)
{
    if (c->n == c->room) {
        uint32_t room = c->room != 0 ? c->room * 2 : 4;
        sl_index_entry *entries = sl_mem_resize(c->entries, room, sizeof *entries);
        if (entries == NULL) {
            return false;
        }
        c->entries = entries;
        c->room = room;
    }
    c->entries[c->n++] = (sl_index_entry){box, item};
    return true;
}

static void take(cell *c, const sl_item *item)
{
    for (uint32_t i = 0; i < c->n; i++) {
        if (c->entries[i].item == item) {
            c->entries[i] = c->entries[--c->n];
            return;
        }
    }
}

bool sl_index_add(sl_index *x, const sl_item *item, sl_box box)
{
    range r = range_of(box);
    if (is_wide(r)) {
        return put(&x->wide, item, box);
    }
    for (int32_t cy = r.y0; cy <= r.y1; cy++) {
        for (int32_t cx = r.x0; cx <= r.x1; cx++) {
            if (!put(&x->cells[cy * SIDE + cx], item, box)) {
                sl_index_remove(x, item, box);
                return false;
            }
        }
    }
    return true;
}

void sl_index_remove(sl_index *x, const sl_item *item, sl_box box)
{
    range r = range_of(box);
    if (is_wide(r)) {
        take(&x->wide, item);
        return;
    }
    for (int32_t cy = r.y0; cy <= r.y1; cy++) {
        for (int32_t cx = r.x0; cx <= r.x1; cx++) {
            take(&x->cells[cy * SIDE + cx], item);
        }
    }
}

static bool meet(const sl_box *a, const sl_box *b)
{
    return a->x0 <= b->x1 && b->x0 <= a->x1 && a->y0 <= b->y1 && b->y0 <= a->y1;
}

void sl_index_find(const sl_index *x, sl_box box,
                   void (*tell)(void *user, const sl_index_entry *entry), void *user)
{
    range r = range_of(box);
    for (uint32_t i = 0; i < x->wide.n; i++) {
        if (meet(&x->wide.entries[i].box, &box)) {
            tell(user, &x->wide.entries[i]);
        }
    }
    for (int32_t cy = r.y0; cy <= r.y1; cy++) {
        for (int32_t cx = r.x0; cx <= r.x1; cx++) {
            const cell *c = &x->cells[cy * SIDE + cx];
            for (uint32_t i = 0; i < c->n; i++) {
                const sl_index_entry *e = &c->entries[i];
                if (!meet(&e->box, &box)) {
                    continue;
                }
                /* Of the cells that both cover, the first one tells. */
                range own = range_of(e->box);
                if ((own.x0 > r.x0 ? own.x0 : r.x0) == cx &&
                    (own.y0 > r.y0 ? own.y0 : r.y0) == cy) {
                    tell(user, e);
                }
            }
        }
    }
}
