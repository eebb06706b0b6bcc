/* The blocks of a pack: a bit for each, and lists of runs. */
#include "platform/wasm/pack_inside.h"

#include <stdlib.h>
#include <string.h>

enum {
    LAST_BLOCK = 0x7fffffff
};

bool extents_add(extents *e, extent one)
{
    if (e->count > 0) {
        extent *last = &e->all[e->count - 1];
        if (last->start + last->count == one.start) {
            last->count += one.count;
            return true;
        }
    }
    if (e->count == e->room) {
        uint32_t room = e->room > 0 ? e->room * 2 : 4;
        extent *grown = realloc(e->all, room * sizeof *grown);
        if (grown == NULL) {
            return false;
        }
        e->all = grown;
        e->room = room;
    }
    e->all[e->count++] = one;
    return true;
}

static bool is_used(const pack *p, uint32_t block)
{
    return block < p->used_blocks && (p->used[block / 8] & (1u << (block % 8))) != 0;
}

static void mark(pack *p, extent e, bool used)
{
    for (uint32_t b = e.start; b < e.start + e.count; b++) {
        uint8_t bit = (uint8_t)(1u << (b % 8));
        p->used[b / 8] = (uint8_t)(used ? p->used[b / 8] | bit : p->used[b / 8] & ~bit);
    }
}

static bool make_room(pack *p, uint32_t blocks)
{
    if (blocks <= p->used_blocks) {
        return true;
    }
    uint32_t room = p->used_blocks * 2 > blocks ? p->used_blocks * 2 : blocks;
    room = (room + 1023) / 1024 * 1024;
    uint8_t *grown = realloc(p->used, room / 8);
    if (grown == NULL) {
        return false;
    }
    memset(grown + p->used_blocks / 8, 0, (room - p->used_blocks) / 8);
    p->used = grown;
    p->used_blocks = room;
    return true;
}

bool pack_take(pack *p, extent e, sl_status *status)
{
    *status = SL_E_CORRUPT;
    if (e.count == 0 || e.start > LAST_BLOCK || e.count > LAST_BLOCK - e.start) {
        return false;
    }
    for (uint32_t b = e.start; b < e.start + e.count && b < p->used_blocks; b++) {
        if (is_used(p, b)) {
            return false;
        }
    }
    if (!make_room(p, e.start + e.count)) {
        *status = SL_E_NOMEM;
        return false;
    }
    mark(p, e, true);
    *status = SL_OK;
    return true;
}

static uint32_t run_at(const pack *p, uint32_t start, uint32_t want)
{
    uint32_t n = 0;
    while (n < want && start + n < LAST_BLOCK && !is_used(p, start + n)) {
        n++;
    }
    return n;
}

sl_status pack_find(pack *p, uint32_t want, uint32_t near, bool exact, extent *out)
{
    uint32_t least = exact ? want : 1;
    uint32_t start = near;
    uint32_t n = near > 0 ? run_at(p, near, want) : 0;
    if (n < least) {
        start = p->lowest;
        while ((n = run_at(p, start, want)) < least && start < p->used_blocks) {
            start += n + 1;
        }
        if (start >= LAST_BLOCK - want) {
            return SL_E_FULL;
        }
    }
    *out = (extent){start, n};
    sl_status status = SL_OK;
    if (!pack_take(p, *out, &status)) {
        return status;
    }
    while (is_used(p, p->lowest)) {
        p->lowest++;
    }
    return SL_OK;
}

void pack_free(pack *p, extent e)
{
    mark(p, e, false);
    p->lowest = e.start < p->lowest ? e.start : p->lowest;
}

sl_status pack_give_up(pack *p, extent e)
{
    return extents_add(&p->given_up, e) ? SL_OK : SL_E_NOMEM;
}

void pack_reclaim(pack *p)
{
    for (uint32_t i = 0; i < p->given_up.count; i++) {
        pack_free(p, p->given_up.all[i]);
    }
    p->given_up.count = 0;
}

uint32_t pack_end(const pack *p)
{
    uint32_t end = p->used_blocks;
    while (end > 0 && !is_used(p, end - 1)) {
        end--;
    }
    return end;
}
