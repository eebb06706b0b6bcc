#include "world.h"

#include "base/mem.h"
#include "organisations.h"

#include <stdio.h>
#include <string.h>

int64_t world_dice(world *w, int64_t below)
{
    return (int64_t)sl_prng_below(&w->prng, (uint64_t)below);
}

bool world_chance(world *w, int percent)
{
    return world_dice(w, 100) < percent;
}

void world_id(world *w, char out[SL_UUID_LEN + 1])
{
    uint8_t random[10];
    for (size_t i = 0; i < sizeof random; i++) {
        random[i] = (uint8_t)world_dice(w, 256);
    }
    sl_uuid7(out, w->sim->now_ms, random);
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

bool world_tied(const ties *t, unsigned who, const char *space)
{
    for (size_t i = 0; i < t->count; i++) {
        if (t->list[i].person == who && strcmp(t->list[i].space, space) == 0) {
            return true;
        }
    }
    return false;
}

void world_tie(world *w, ties *t, unsigned who, const char *space)
{
    if (world_tied(t, who, space)) {
        return;
    }
    tie *grown = sl_mem_resize(t->list, t->count + 1, sizeof *grown);
    if (grown == NULL) {
        sl_sim_fail(w->sim, "out of memory");
        return;
    }
    t->list = grown;
    tie *n = &t->list[t->count++];
    n->person = who;
    (void)snprintf(n->space, sizeof n->space, "%s", space);
}

void world_lose_all(world *w, const char *space)
{
    for (unsigned i = 0; i < w->people_count; i++) {
        world_tie(w, &w->lost, i, space);
    }
}

person *world_person(world *w, const char *user)
{
    for (unsigned i = 0; user != NULL && i < w->people_count; i++) {
        if (w->people[i].user[0] != 0 && strcmp(w->people[i].user, user) == 0) {
            return &w->people[i];
        }
    }
    return NULL;
}

uint64_t world_hash(const sl_json *v)
{
    char *text = v != NULL ? sl_json_print(v) : NULL;
    const char *shown = text != NULL ? text : "null";
    uint64_t h = sl_sim_hash_of(shown, strlen(shown));
    sl_mem_free(text);
    return h;
}

void world_free(world *w)
{
    for (unsigned i = 0; i < w->actor_count; i++) {
        for (unsigned k = 0; k < MIRRORS; k++) {
            sl_json_free(w->actors[i].mirrors[k].rows);
            sl_json_free(w->actors[i].mirrors[k].order);
        }
    }
    for (unsigned i = 0; i < w->people_count; i++) {
        sl_mem_free(w->people[i].token);
    }
    clubs_free(w->clubs);
    free_truth(w);
    sl_sim_free(w->sim);
    sl_mem_free(w->facts);
    sl_mem_free(w->allowed.list);
    sl_mem_free(w->met.list);
    sl_mem_free(w->lost.list);
    sl_mem_free(w->holds.list);
    sl_mem_free(w->places);
    sl_mem_free(w->marks);
    sl_mem_free(w->blobs);
    memset(w, 0, sizeof *w);
}

/* --- frames ------------------------------------------------------------------------------- */

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

/* Marks move forward only, whoever hears of them. */
static void see_mark(world *w, const sl_json *rec)
{
    const char *entity = sl_json_str(rec, "entity");
    const char *id = sl_json_str(rec, "id");
    const sl_json *fields = sl_json_get(rec, "fields");
    if (entity == NULL || id == NULL || strcmp(entity, "participant") != 0 ||
        w->sim->server.restored > 0) {
        return;
    }
    mark now = {.seq = sl_json_int_or(rec, "seq", 0),
                .delivered = sl_json_int_or(fields, "delivered", 0),
                .read = sl_json_int_or(fields, "read", 0)};
    (void)snprintf(now.id, sizeof now.id, "%s", id);
    for (size_t i = 0; i < w->mark_count; i++) {
        mark *m = &w->marks[i];
        if (strcmp(m->id, id) != 0) {
            continue;
        }
        const mark *old = now.seq >= m->seq ? m : &now;
        const mark *new = now.seq >= m->seq ? &now : m;
        if (new->delivered < old->delivered || new->read < old->read) {
            sl_sim_fail(w->sim, "a mark of participant %s went back", id);
        }
        *m = *new;
        return;
    }
    mark *grown = sl_mem_resize(w->marks, w->mark_count + 1, sizeof *grown);
    if (grown != NULL) {
        w->marks = grown;
        w->marks[w->mark_count++] = now;
    }
}

/* One record, or several of one transaction. */
static void on_change(world *w, const sl_sim_node *node, place *p, const sl_json *frame)
{
    const sl_json *record = sl_json_get(frame, "record");
    int64_t seq = sl_json_int_or(frame, "seq", -1);
    int64_t from = record != NULL ? seq - 1 : sl_json_int_or(frame, "from", -1);
    see_mark(w, record);
    for (const sl_json *r = sl_json_first(sl_json_get(frame, "records")); r != NULL;
         r = sl_json_next(r)) {
        see_mark(w, r);
    }
    if (p == NULL || p->seq < 0) {
        return;
    }
    if (from != p->seq) {
        sl_sim_fail(w->sim, "%s is sent change %lld of %s after %lld", node->host.name,
                    (long long)(from + 1), p->space, (long long)p->seq);
    }
    p->seq = seq;
}

void world_meet(world *w, const person *one, const person *other)
{
    char space[SL_SPACE_MAX];
    sl_space_name(space, "user", other->user);
    world_tie(w, &w->met, one->index, space);
    sl_space_name(space, "user", one->user);
    world_tie(w, &w->met, other->index, space);
}

/* The server makes a thread when a connection is accepted, and says so in a record of each of the two. */
static void see_thread(world *w, const person *who, const sl_json *rec)
{
    const char *entity = sl_json_str(rec, "entity");
    const sl_json *fields = sl_json_get(rec, "fields");
    const char *thread = sl_json_str(fields, "thread_id");
    char space[SL_SPACE_MAX];
    if (entity == NULL || strcmp(entity, "connection") != 0 || thread == NULL) {
        return;
    }
    const person *peer = world_person(w, sl_json_str(fields, "peer_id"));
    sl_space_name(space, "user", peer != NULL ? peer->user : "");
    if (peer == NULL || !world_tied(&w->met, who->index, space)) {
        sl_sim_fail(w->sim, "%s is in a thread with %s, and they never met", who->name,
                    peer != NULL ? peer->name : "nobody");
        return;
    }
    sl_space_name(space, "thread", thread);
    world_tie(w, &w->allowed, who->index, space);
    world_tie(w, &w->allowed, peer->index, space);
}

/* Whether a person may ever have heard of this space. */
static bool may_hear(world *w, const person *who, const char *space)
{
    if (sl_space_is(space, "user")) {
        return strcmp(sl_space_id(space), who->user) == 0 || who->user[0] == 0;
    }
    return world_tied(&w->allowed, who->index, space) || club_may_hear(w, who, space);
}

static void see_frame(world *w, sl_sim_node *node, sl_id ws, const sl_json *frame)
{
    static const char *const followed[] = {"change", "page", "subscribed", "reset", "revoked"};
    const char *t = sl_json_str(frame, "t");
    const char *space = sl_json_str(frame, "space");
    const person *who = w->actors[node->index].who;
    int kind = -1;
    for (int i = 0; t != NULL && space != NULL && i < 5; i++) {
        kind = strcmp(t, followed[i]) == 0 ? i : kind;
    }
    see_thread(w, who, sl_json_get(frame, "record"));
    for (const sl_json *r = sl_json_first(sl_json_get(frame, "records")); r != NULL;
         r = sl_json_next(r)) {
        see_thread(w, who, r);
    }
    /* "revoked" says no more than that one may not ask. */
    if (t != NULL && space != NULL && kind != 4 && !may_hear(w, who, space)) {
        sl_sim_fail(w->sim, "%s is sent a %s of %s, which is not for %s", node->host.name, t, space,
                    who->name);
    }
    if (kind == 3) {
        check_reset(w, &w->actors[node->index], space);
    }
    if (kind == 0) {
        on_change(w, node, find_place(w, node->index, ws, space), frame);
    } else if (kind == 2) {
        set_place(w, node->index, ws, space, sl_json_int_or(frame, "seq", -1));
    } else if (kind > 0 && find_place(w, node->index, ws, space) != NULL) {
        set_place(w, node->index, ws, space, -1); /* a new subscription is on its way */
    }
    if (t == NULL) {
        sl_sim_fail(w->sim, "%s is sent what is no frame", node->host.name);
    }
}

void world_frame(void *ctx, sl_sim_node *node, sl_id ws, const char *text, size_t n)
{
    world *w = ctx;
    sl_json *frame = sl_json_parse(text, n);
    see_frame(w, node, ws, frame);
    sl_json_free(frame);
}
