/* Threads that are held in part: asking for what is missing, and what devices say of it. */
#include "engine/engine.h"
#include "sideline/chat.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

/* A message that somebody wrote into the thread, there or not. NULL: none. */
static const char *some_message(const actor *a, const char *thread)
{
    world *w = a->world;
    const char *id = NULL;
    int64_t seen = 0;
    for (size_t i = 0; i < w->fact_count; i++) {
        const fact *f = &w->facts[i];
        if (f->kind == FACT_CREATE && strcmp(f->entity->name, "message") == 0 &&
            strcmp(f->space, thread) == 0 && world_dice(w, ++seen) == 0) {
            id = f->id;
        }
    }
    return id;
}

void actor_load(actor *a, const char *thread)
{
    world *w = a->world;
    int32_t way = (int32_t)(SL_CHAT_OLDER + world_dice(w, 3));
    const char *id = world_chance(w, 40) && way == SL_CHAT_OLDER ? NULL : some_message(a, thread);
    uint32_t limit = (uint32_t)(1 + world_dice(w, 4));
    if (a->load != 0 || (id == NULL && way != SL_CHAT_OLDER)) {
        return;
    }
    sl_status status = sl_chat_load(a->node->core, thread, way, id, limit, &a->load, NULL);
    w->acts++;
    sl_sim_trace(w->sim, "%s loads %u messages, %s %s: %s", a->node->host.name, limit,
                 way == SL_CHAT_OLDER   ? "below"
                 : way == SL_CHAT_NEWER ? "above"
                                        : "around",
                 id != NULL ? id : "the newest", sl_status_name(status));
    if (status == SL_E_MISUSE || status == SL_E_INTERNAL || status == SL_E_CORRUPT) {
        sl_sim_fail(w->sim, "%s cannot load: %s", a->node->host.name, sl_status_name(status));
    }
    if (status != SL_OK) {
        a->load = 0;
    }
}

void actor_loaded(actor *a, const sl_json *event)
{
    bool ok = sl_json_bool_or(event, "ok", false);
    int64_t code = sl_json_int_or(event, "code", 0);
    a->load = 0;
    const sl_json *res = sl_json_get(event, "res");
    sl_sim_trace(a->world->sim, "%s has loaded %lld: %s%s", a->node->host.name,
                 (long long)sl_json_int_or(res, "loaded", 0),
                 ok ? "SL_OK" : sl_status_name((sl_status)code),
                 sl_json_bool_or(res, "more", false) ? ", there is more" : "");
    if (!ok && (code == SL_E_INVALID || code == SL_E_CORRUPT || code == SL_E_INTERNAL)) {
        sl_sim_fail(a->world->sim, "%s: loading ended: %s", a->node->host.name,
                    sl_json_str(event, "message"));
    }
}

bool actor_wants_all(const actor *a)
{
    return a->index % 2 == 1;
}

typedef struct gap_search {
    const actor *a;
    char space[SL_SPACE_MAX]; /* one with gaps; "" none */
} gap_search;

static bool one_space(void *ctx, const sl_space *space)
{
    gap_search *g = ctx;
    sl_holes holes;
    if (sl_store_holes(g->a->node->core->store, space->name, &holes, NULL) == SL_OK &&
        holes.n > 0) {
        (void)snprintf(g->space, sizeof g->space, "%s", space->name);
    }
    return g->space[0] == 0;
}

static void find_gap(gap_search *g)
{
    if (g->a->node->core != NULL) {
        (void)sl_store_spaces(g->a->node->core->store, one_space, g, NULL);
    }
}

bool any_gap(const actor *a)
{
    gap_search g = {.a = a};
    find_gap(&g);
    return g.space[0] != 0;
}

void actor_load_all(actor *a)
{
    gap_search g = {.a = a};
    if (!actor_wants_all(a) || a->load != 0) {
        return;
    }
    find_gap(&g);
    if (g.space[0] != 0 &&
        sl_chat_load(a->node->core, g.space, SL_CHAT_OLDER, NULL, 3, &a->load, NULL) != SL_OK) {
        a->load = 0;
    }
}

bool in_gap(const actor *a, const char *entity, const char *space, const sl_json *fields)
{
    const sl_entity *e = sl_entity_find(entity);
    sl_bytes *out = NULL;
    bool in = false;
    if (e->place_field < 0 || space == NULL ||
        sl_chat_gaps(a->node->core, space, &out, NULL) != SL_OK) {
        return false;
    }
    int64_t at = sl_json_int_or(fields, e->fields[e->place_field].name, 0);
    sl_json *gaps = sl_json_parse((const char *)sl_bytes_data(out), sl_bytes_len(out));
    for (const sl_json *g = sl_json_first(gaps); g != NULL; g = sl_json_next(g)) {
        in = in || (at > sl_json_int_or(g, "above", 0) && at <= sl_json_int_or(g, "upto", 0));
    }
    sl_json_free(gaps);
    sl_bytes_release(out);
    return in;
}
