#include "world.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

int64_t world_dice(world *w, int64_t below)
{
    return (int64_t)sl_prng_below(&w->prng, (uint64_t)below);
}

fact *world_fact(world *w, const fact *f)
{
    if (w->fact_count == w->fact_cap) {
        size_t cap = w->fact_cap == 0 ? 128 : w->fact_cap * 2;
        fact *grown = sl_mem_resize(w->facts, cap, sizeof *grown);
        if (grown == NULL) {
            sl_sim_fail(w->sim, "out of memory");
            return NULL;
        }
        w->facts = grown;
        w->fact_cap = cap;
    }
    w->facts[w->fact_count] = *f;
    return &w->facts[w->fact_count++];
}

bool world_lost(const world *w, const char *space)
{
    for (size_t i = 0; i < w->lost_count; i++) {
        if (strcmp(w->lost[i], space) == 0) {
            return true;
        }
    }
    return false;
}

void world_lose(world *w, const char *space)
{
    if (world_lost(w, space)) {
        return;
    }
    void *grown = sl_mem_resize(w->lost, w->lost_count + 1, sizeof w->lost[0]);
    if (grown == NULL) {
        sl_sim_fail(w->sim, "out of memory");
        return;
    }
    w->lost = grown;
    (void)snprintf(w->lost[w->lost_count++], SL_SPACE_MAX, "%s", space);
}

void world_free(world *w)
{
    for (unsigned i = 0; i < ACTORS; i++) {
        sl_json_free(w->actors[i].mirror);
    }
    sl_sim_free(w->sim);
    sl_mem_free(w->facts);
    sl_mem_free(w->lost);
    sl_mem_free(w->places);
    sl_mem_free(w->marks);
    sl_mem_free(w->blobs);
    memset(w, 0, sizeof *w);
}

static place *find_place(world *w, unsigned node, sl_id ws, const char *space)
{
    for (size_t i = 0; i < w->place_count; i++) {
        place *p = &w->places[i];
        if (p->node == node && p->ws == ws && strcmp(p->space, space) == 0) {
            return p;
        }
    }
    return NULL;
}

static void set_place(world *w, unsigned node, sl_id ws, const char *space, int64_t seq)
{
    place *p = find_place(w, node, ws, space);
    if (p == NULL) {
        place *grown = sl_mem_resize(w->places, w->place_count + 1, sizeof *grown);
        if (grown == NULL) {
            sl_sim_fail(w->sim, "out of memory");
            return;
        }
        w->places = grown;
        p = &grown[w->place_count++];
        memset(p, 0, sizeof *p);
        p->node = node;
        p->ws = ws;
        (void)snprintf(p->space, sizeof p->space, "%s", space);
    }
    p->seq = seq;
}

static void on_change(world *w, const sl_sim_node *node, place *p, int64_t seq)
{
    if (p == NULL || p->seq < 0) {
        return;
    }
    if (seq != p->seq + 1) {
        sl_sim_fail(w->sim, "%s is sent change %lld of %s after %lld", node->host.name,
                    (long long)seq, p->space, (long long)p->seq);
    }
    p->seq = seq;
}

void world_frame(void *ctx, sl_sim_node *node, sl_id ws, const char *text, size_t n)
{
    world *w = ctx;
    static const char *const watched[] = {"change", "page", "subscribed", "reset", "revoked"};
    sl_json *frame = sl_json_parse(text, n);
    const char *t = sl_json_str(frame, "t");
    const char *space = sl_json_str(frame, "space");
    int kind = -1;
    for (int i = 0; t != NULL && space != NULL && i < 5; i++) {
        kind = strcmp(t, watched[i]) == 0 ? i : kind;
    }
    if (kind == 0) {
        on_change(w, node, find_place(w, node->index, ws, space), sl_json_int_or(frame, "seq", -1));
    } else if (kind == 2) {
        set_place(w, node->index, ws, space, sl_json_int_or(frame, "seq", -1));
    } else if (kind > 0 && find_place(w, node->index, ws, space) != NULL) {
        set_place(w, node->index, ws, space, -1); /* a new subscription is on its way */
    }
    if (frame == NULL || t == NULL) {
        sl_sim_fail(w->sim, "%s is sent what is no frame", node->host.name);
    }
    sl_json_free(frame);
}
