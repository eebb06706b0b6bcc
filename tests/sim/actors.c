/* Who acts: signing in, going online, taking events; work.c has what they do then. */
#include "base/mem.h"
#include "sideline/record.h"
#include "sideline/sync.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

enum {
    PAUSE_MS_MIN = 40,
    PAUSE_MS = 700
};

static const char *const EMAILS[ACTORS] = {"ana@sim.test", "cleo@sim.test", "cleo@sim.test"};
static const char *const NAMES[ACTORS] = {"athlete", "phone", "tablet"};

/* --- events ------------------------------------------------------------------------------- */

static void take_rows(actor *a)
{
    sl_bytes *out = NULL;
    if (a->mirror == NULL || sl_query_take(a->node->core, a->sub, &out, NULL) != SL_OK) {
        return;
    }
    sl_json *diff = sl_json_parse((const char *)sl_bytes_data(out), sl_bytes_len(out));
    const sl_json *upserts = sl_json_get(diff, "upserts");
    const sl_json *removed = sl_json_get(diff, "removed");
    for (const sl_json *r = sl_json_first(upserts); r != NULL; r = sl_json_next(r)) {
        (void)sl_json_set(a->mirror, sl_json_str(r, "id"), sl_json_clone(r));
    }
    for (const sl_json *r = sl_json_first(removed); r != NULL; r = sl_json_next(r)) {
        sl_json_remove(a->mirror, sl_json_text(r));
    }
    sl_json_free(diff);
    sl_bytes_release(out);
}

static void on_auth(actor *a, const sl_json *event)
{
    bool ok = sl_json_bool_or(event, "ok", false);
    int64_t code = sl_json_int_or(event, "code", 0);
    a->auth = 0;
    sl_sim_trace(a->world->sim, "%s signs in: %s", a->node->host.name,
                 ok ? "yes" : sl_status_name((sl_status)code));
    if (!ok && code == SL_E_CONFLICT) {
        a->log_in = true;
    } else if (!ok && code == SL_E_AUTH && a->may_sign_up) {
        a->log_in = false;
    }
}

static void on_event(actor *a, const sl_json *event)
{
    const char *ev = sl_json_str(event, "ev");
    sl_id op = (sl_id)sl_json_int_or(event, "op", 0);
    if (ev == NULL) {
        sl_sim_fail(a->world->sim, "%s: an event without a kind", a->node->host.name);
    } else if (strcmp(ev, "op") == 0 && op == a->auth) {
        on_auth(a, event);
    } else if (strcmp(ev, "op") == 0 && op == a->fetch) {
        a->fetch = 0;
    } else if (strcmp(ev, "op") == 0 && op == a->settle) {
        a->settle = 0;
        if (!sl_json_bool_or(event, "ok", false)) {
            sl_sim_fail(a->world->sim, "%s: settling ended: %s", a->node->host.name,
                        sl_json_str(event, "message"));
        }
    } else if (strcmp(ev, "rows") == 0) {
        take_rows(a);
    } else if (strcmp(ev, "rejected") == 0) {
        a->rejected_events++;
        sl_sim_trace(a->world->sim, "%s rejected: %s %s %s", a->node->host.name,
                     sl_json_str(event, "entity"), sl_json_str(event, "code"),
                     sl_json_str(event, "message"));
    }
}

static void take_events(actor *a)
{
    sl_bytes *out = NULL;
    while (sl_core_poll(a->node->core, 1U << 20, &out, NULL) == SL_OK && out != NULL) {
        sl_json *events = sl_json_parse((const char *)sl_bytes_data(out), sl_bytes_len(out));
        for (const sl_json *e = sl_json_first(events); e != NULL; e = sl_json_next(e)) {
            on_event(a, e);
        }
        sl_json_free(events);
        sl_bytes_release(out);
        out = NULL;
    }
}

/* --- session ------------------------------------------------------------------------------ */

/* A core that was opened anew knows nothing of what was asked of the last one. */
static void set_up(actor *a)
{
    static const char query[] = "{\"from\":\"message\",\"order\":[\"seq\"]}";
    a->life = a->node->host.life;
    a->auth = 0;
    a->fetch = 0;
    a->sub = 0;
    sl_json_free(a->mirror);
    a->mirror = NULL;
    if (a->online) {
        (void)sl_sync_control(a->node->core, SL_SYNC_START, NULL);
    }
    if (sl_query_watch(a->node->core, query, sizeof query - 1, &a->sub, NULL) == SL_OK) {
        a->mirror = sl_json_object();
    }
}

static bool signed_in(actor *a)
{
    sl_bytes *out = NULL;
    if (sl_core_info(a->node->core, "session", &out, NULL) != SL_OK) {
        return false;
    }
    sl_json *info = sl_json_parse((const char *)sl_bytes_data(out), sl_bytes_len(out));
    const char *user = sl_json_str(info, "user");
    bool in = user != NULL;
    if (in) {
        (void)snprintf(a->user, sizeof a->user, "%s", user);
        a->world->actors[2].log_in |= a->coach; /* the other device of the same user */
    }
    sl_json_free(info);
    sl_bytes_release(out);
    return in;
}

static void sign_in(actor *a)
{
    char json[200];
    if (a->auth != 0 || (!a->may_sign_up && !a->log_in)) {
        return;
    }
    int n = snprintf(json, sizeof json,
                     "{\"email\":\"%s\",\"password\":\"correct horse\",\"name\":\"%s\","
                     "\"role\":\"%s\"}",
                     a->email, NAMES[a->index], a->coach ? "coach" : "athlete");
    sl_status status = a->log_in
                           ? sl_session_login(a->node->core, json, (size_t)n, &a->auth, NULL)
                           : sl_session_signup(a->node->core, json, (size_t)n, &a->auth, NULL);
    if (status != SL_OK) {
        a->auth = 0;
    }
}

static void look_after(actor *a)
{
    if (a->life != a->node->host.life) {
        set_up(a);
    }
    take_events(a);
    if (!signed_in(a)) {
        sign_in(a);
    } else if (a->world->acting) {
        actor_work(a);
    }
    sl_sim_node_touched(a->node);
}

static void act(sl_sim *s, void *arg)
{
    actor *a = arg;
    world *w = a->world;
    if (a->node->core != NULL) {
        look_after(a);
    }
    sl_sim_at(s, s->now_ms + PAUSE_MS_MIN + world_dice(w, PAUSE_MS), act, a, false);
}

void actor_rest(actor *a)
{
    a->online = true;
    if (a->node->core != NULL && a->life == a->node->host.life) {
        (void)sl_sync_control(a->node->core, SL_SYNC_START, NULL);
        sl_sim_node_touched(a->node);
    }
}

void actor_settle(actor *a)
{
    if (sl_sync_settle(a->node->core, &a->settle, NULL) != SL_OK) {
        sl_sim_fail(a->world->sim, "%s cannot ask to settle", a->node->host.name);
    }
    sl_sim_node_touched(a->node);
}

void actor_start(world *w, unsigned index)
{
    actor *a = &w->actors[index];
    a->world = w;
    a->index = index;
    a->email = EMAILS[index];
    a->coach = index > 0;
    a->may_sign_up = index < 2;
    a->online = true;
    a->node = sl_sim_node_new(w->sim, NAMES[index], w->prng.state + index);
    if (a->node == NULL) {
        sl_sim_fail(w->sim, "out of memory");
        return;
    }
    sl_sim_at(w->sim, w->sim->now_ms + world_dice(w, PAUSE_MS), act, a, false);
}
