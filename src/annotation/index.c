#include "annotation/index.h"

#include "base/mem.h"

#include <string.h>

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
    uint32_t at = c->n;
    uint32_t low = 0;
    if (at > 0 && sl_item_compare(c->entries[at - 1].item, item) > 0) { /* most come on top */
        while (low < at) {
            uint32_t mid = low + (at - low) / 2;
            if (sl_item_compare(c->entries[mid].item, item) < 0) {
                low = mid + 1;
            } else {
                at = mid;
            }
        }
    }
    memmove(c->entries + at + 1, c->entries + at, (c->n - at) * sizeof *c->entries);
    c->entries[at] = (sl_index_entry){box, item};
    c->n++;
    return true;
}

static void take(cell *c, const sl_item *item)
{
    for (uint32_t i = c->n; i-- > 0;) {
        if (c->entries[i].item == item) {
            c->n--;
            memmove(c->entries + i, c->entries + i + 1, (c->n - i) * sizeof *c->entries);
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

/* The question of a box: the cells it covers, and whom to tell. */
typedef struct question {
    sl_box box;
    range r;
    bool (*tell)(void *user, const sl_index_entry *entry);
    void *user;
} question;

/* Of the cells that both cover, the first one tells of an item. */
static bool is_first(const question *q, const sl_box *box, int32_t cx, int32_t cy)
{
    range own = range_of(*box);
    return (own.x0 > q->r.x0 ? own.x0 : q->r.x0) == cx &&
           (own.y0 > q->r.y0 ? own.y0 : q->r.y0) == cy;
}

static void look_through(const cell *c, const question *q, int32_t cx, int32_t cy)
{
    bool go_on = true;
    for (uint32_t i = c->n; go_on && i-- > 0;) {
        const sl_index_entry *e = &c->entries[i];
        if (meet(&e->box, &q->box) && (cx < 0 || is_first(q, &e->box, cx, cy))) {
            go_on = q->tell(q->user, e);
        }
    }
}

void sl_index_find(const sl_index *x, sl_box box,
                   bool (*tell)(void *user, const sl_index_entry *entry), void *user)
{
    question q = {box, range_of(box), tell, user};
    for (int32_t cy = q.r.y0; cy <= q.r.y1; cy++) {
        for (int32_t cx = q.r.x0; cx <= q.r.x1; cx++) {
            look_through(&x->cells[cy * SIDE + cx], &q, cx, cy);
        }
    }
    look_through(&x->wide, &q, -1, -1);
}
