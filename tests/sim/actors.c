/* Who acts: people and their devices, signing in, going online, taking events; work.c has what they
 * do then. */
#include "base/error.h"
#include "base/mem.h"
#include "organisations.h"
#include "sideline/record.h"
#include "sideline/sync.h"

#include <stdio.h>
#include <string.h>

enum {
    PAUSE_MS_MIN = 40,
    PAUSE_MS = 500,
    DAMAGED_MIN = 3 /* answers, until a file is given up */
};

/* --- asking a core ------------------------------------------------------------------------ */

sl_json *actor_query(actor *a, const char *query)
{
    sl_bytes *out = NULL;
    if (a->node->core == NULL ||
        sl_query_once(a->node->core, query, strlen(query), &out, NULL) != SL_OK) {
        return NULL;
    }
    sl_json *rows = sl_json_parse((const char *)sl_bytes_data(out), sl_bytes_len(out));
    sl_bytes_release(out);
    return rows;
}

sl_json *make_op(const char *kind, const char *entity, const char *space, const char *id,
                 sl_json *fields)
{
    sl_json *op = sl_json_object();
    bool ok = sl_json_set_str(op, "op", kind) && sl_json_set_str(op, "entity", entity) &&
              sl_json_set_str(op, "id", id);
    if (ok && strcmp(kind, "create") == 0) {
        ok = sl_json_set_str(op, "space", space);
    }
    if (fields != NULL) {
        ok = sl_json_set(op, "fields", fields) && ok;
    }
    return op;
}

sl_json *one_op(sl_json *op)
{
    sl_json *ops = sl_json_array();
    (void)sl_json_add(ops, op);
    return ops;
}

sl_status actor_apply(actor *a, sl_json *ops)
{
    sl_bytes *out = NULL;
    sl_error *err = NULL;
    char *text = sl_json_print(ops);
    sl_json_free(ops);
    sl_status status = text != NULL ? sl_apply(a->node->core, text, strlen(text), &out, &err)
                                    : sl_fail_nomem(&err);
    a->world->acts++;
    sl_sim_trace(a->world->sim, "%s applies %.300s: %s", a->node->host.name, text,
                 status == SL_OK ? "SL_OK" : sl_error_message(err));
    if (status == SL_E_INTERNAL || status == SL_E_CORRUPT || status == SL_E_INVALID) {
        sl_sim_fail(a->world->sim, "%s: %s", a->node->host.name, sl_error_message(err));
    }
    sl_mem_free(text);
    sl_error_release(err);
    sl_bytes_release(out);
    return status;
}

/* --- events ------------------------------------------------------------------------------- */

static void take_rows(actor *a, mirror *m)
{
    sl_bytes *out = NULL;
    if (m->rows == NULL || sl_query_take(a->node->core, m->sub, &out, NULL) != SL_OK) {
        return;
    }
    sl_json *diff = sl_json_parse((const char *)sl_bytes_data(out), sl_bytes_len(out));
    const sl_json *upserts = sl_json_get(diff, "upserts");
    const sl_json *removed = sl_json_get(diff, "removed");
    for (const sl_json *r = sl_json_first(upserts); r != NULL; r = sl_json_next(r)) {
        const char *id = sl_json_str(r, "id");
        (void)sl_json_set(m->rows, id != NULL ? id : "count", sl_json_clone(r));
    }
    for (const sl_json *r = sl_json_first(removed); r != NULL; r = sl_json_next(r)) {
        sl_json_remove(m->rows, sl_json_text(r));
    }
    sl_json_free(m->order);
    m->order = sl_json_clone(sl_json_get(diff, "order"));
    sl_json_free(diff);
    sl_bytes_release(out);
}

static void on_auth(actor *a, const sl_json *event)
{
    bool ok = sl_json_bool_or(event, "ok", false);
    int64_t code = sl_json_int_or(event, "code", 0);
    const char *field = sl_json_str(event, "field");
    a->auth = 0;
    sl_sim_trace(a->world->sim, "%s signs in%s: %s", a->node->host.name,
                 a->auth_intrudes ? " as another" : "",
                 ok ? "yes" : sl_status_name((sl_status)code));
    if (a->auth_intrudes) {
        a->intruder = NULL;
        if (ok) {
            sl_sim_fail(a->world->sim, "%s, the folder of one user, lets in another",
                        a->node->host.name);
        }
    } else if (!ok && code == SL_E_INVALID && field != NULL && strcmp(field, "email") == 0) {
        a->log_in = true; /* the address has an account: the answer was lost */
    } else if (!ok && code == SL_E_AUTH && a->first) {
        a->log_in = a->who->account; /* else the sign-up that was refused never was */
    }
}

static void on_rejected(actor *a, const sl_json *event)
{
    const char *entity = sl_json_str(event, "entity");
    const char *id = sl_json_str(event, "id");
    a->rejected_events++;
    sl_sim_trace(a->world->sim, "%s rejected: %s %s %s %s", a->node->host.name, entity, id,
                 sl_json_str(event, "code"), sl_json_str(event, "message"));
    if (entity == NULL || id == NULL || !refusal_expected(a->world, a, entity, id)) {
        sl_sim_fail(a->world->sim, "%s: rejected without need: %s %s, %s", a->node->host.name,
                    entity, id, sl_json_str(event, "message"));
    }
}

/* What was fetched is here, unless it was taken away since. It is given up as damaged only when it was. */
static void on_fetched(actor *a, const sl_json *event)
{
    sl_bytes *bytes = NULL;
    a->fetch = 0;
    if (sl_json_int_or(event, "code", 0) == SL_E_CORRUPT &&
        a->node->damaged - a->fetch_damaged < DAMAGED_MIN) {
        sl_sim_fail(a->world->sim, "%s gives the file %.8s up as damaged", a->node->host.name,
                    a->fetch_hex);
    }
    if (sl_json_bool_or(event, "ok", false) && a->world->sim->server.restored == 0 &&
        !world_tied(&a->world->lost, a->who->index, a->fetch_space) &&
        sl_blob_get(a->node->core, a->fetch_hex, &bytes, NULL) == SL_E_NOT_FOUND) {
        sl_sim_fail(a->world->sim, "%s fetched the file %.8s and has it not", a->node->host.name,
                    a->fetch_hex);
    }
    sl_bytes_release(bytes);
}

static void on_settled(actor *a, const sl_json *event)
{
    a->settle = 0;
    if (!sl_json_bool_or(event, "ok", false)) {
        sl_sim_fail(a->world->sim, "%s: settling ended: %s", a->node->host.name,
                    sl_json_str(event, "message"));
    }
}

static void on_rows(actor *a, sl_id sub)
{
    for (unsigned i = 0; i < MIRRORS; i++) {
        if (a->mirrors[i].sub == sub) {
            take_rows(a, &a->mirrors[i]);
        }
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
        on_fetched(a, event);
    } else if (strcmp(ev, "op") == 0 && op == a->load) {
        actor_loaded(a, event);
    } else if (strcmp(ev, "op") == 0 && op == a->settle) {
        on_settled(a, event);
    } else if (strcmp(ev, "op") == 0 && op == a->numbers) {
        a->numbers = 0;
        check_numbers_told(a->world, a, event);
    } else if (strcmp(ev, "rows") == 0) {
        on_rows(a, (sl_id)sl_json_int_or(event, "sub", 0));
    } else if (strcmp(ev, "rejected") == 0) {
        on_rejected(a, event);
    } else if (strcmp(ev, "integrity") == 0) { /* no fault may lead to it */
        sl_sim_fail(a->world->sim, "%s has %s not as the server has it", a->node->host.name,
                    sl_json_str(event, "space"));
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

static void watch(actor *a, mirror *m)
{
    sl_json_free(m->rows);
    sl_json_free(m->order);
    m->rows = NULL;
    m->order = NULL;
    m->sub = 0;
    if (m->query[0] != 0 &&
        sl_query_watch(a->node->core, m->query, strlen(m->query), &m->sub, NULL) == SL_OK) {
        m->rows = sl_json_object();
    }
}

/* A core that was opened anew knows nothing of what was asked of the last one. */
static void set_up(actor *a)
{
    a->life = a->node->host.life;
    a->auth = 0;
    a->fetch = 0;
    a->load = 0;
    a->numbers = 0;
    if (a->online) {
        (void)sl_sync_control(a->node->core, SL_SYNC_START, NULL);
    }
    for (unsigned i = 0; i < MIRRORS; i++) {
        watch(a, &a->mirrors[i]);
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
    a->in = user != NULL;
    if (a->in && a->who->user[0] == 0) {
        (void)snprintf(a->who->user, sizeof a->who->user, "%s", user);
        a->who->account = true;
    } else if (a->in && strcmp(a->who->user, user) != 0) {
        sl_sim_fail(a->world->sim, "%s is %s and was %s", a->node->host.name, user, a->who->user);
    }
    sl_json_free(info);
    sl_bytes_release(out);
    return a->in;
}

static void sign_in(actor *a)
{
    char json[300];
    const person *who = a->intruder != NULL ? a->intruder : a->who;
    bool log_in = a->intruder != NULL || a->who->account || a->log_in;
    if (a->auth != 0 || (!a->first && !log_in)) {
        return;
    }
    a->auth_intrudes = a->intruder != NULL;
    int n = snprintf(json, sizeof json,
                     "{\"email\":\"%s\",\"password\":\"correct horse\",\"name\":\"%s\","
                     "\"birth_date\":\"1990-01-31\",\"role\":\"%s\"}",
                     who->email, who->name, who->role == COACH ? "coach" : "athlete");
    sl_status status = log_in ? sl_session_login(a->node->core, json, (size_t)n, &a->auth, NULL)
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
    } else {
        actor_load_all(a);
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
    a->intruder = NULL;
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

/* --- people ------------------------------------------------------------------------------- */

static void add_person(world *w, station role)
{
    static const char *const names[] = {"athlete", "coach", "stranger"};
    person *p = &w->people[w->people_count];
    p->index = w->people_count++;
    p->role = role;
    (void)snprintf(p->name, sizeof p->name, "%s%u", names[role], p->index);
    (void)snprintf(p->email, sizeof p->email, "p%u@sim.test", p->index);
}

static void add_device(world *w, unsigned whose)
{
    unsigned count = 0;
    for (unsigned i = 0; i < w->actor_count; i++) {
        count += w->actors[i].who->index == whose ? 1 : 0;
    }
    actor *a = &w->actors[w->actor_count];
    a->world = w;
    a->index = w->actor_count++;
    a->who = &w->people[whose];
    a->first = count == 0;
    a->online = true;
    person who = w->people[whose];
    (void)snprintf(a->name, sizeof a->name, "%.15s.%c", who.name, (char)('a' + count % 26));
}

/* An athlete and a coach with two devices each, a stranger, and another athlete, who is not to hear what
 * the two say; beyond that by chance. Where there are organisations the others are coaches, one of them with
 * two devices. */
void people_make(world *w, unsigned cores)
{
    bool organised = w->clubs != NULL;
    add_person(w, ATHLETE);
    add_person(w, COACH);
    add_person(w, organised ? COACH : STRANGER);
    add_person(w, organised ? COACH : ATHLETE);
    while (w->people_count < PEOPLE_MAX && w->people_count * 3 < cores) {
        add_person(w, world_chance(w, 60) ? ATHLETE : COACH);
    }
    for (unsigned i = 0; i < w->people_count; i++) {
        add_device(w, i);
    }
    add_device(w, organised ? 2 : 0);
    add_device(w, 1);
    while (w->actor_count < cores) {
        add_device(w, (unsigned)world_dice(w, w->people_count));
    }
}

static void choose_queries(actor *a)
{
    world *w = a->world;
    const sl_entity *e = &sl_entities[world_dice(w, (int64_t)sl_entity_count)];
    (void)snprintf(a->mirrors[0].query, sizeof a->mirrors[0].query,
                   "{\"from\":\"message\",\"order\":[\"%s\"]}",
                   w->sim->windows[0] % 2 == 0 ? "seq" : "place");
    (void)snprintf(a->mirrors[1].query, sizeof a->mirrors[1].query,
                   "{\"from\":\"%s\",\"order\":[\"-seq\"],\"limit\":%d}", e->name,
                   1 + (int)world_dice(w, 5));
    (void)snprintf(a->mirrors[2].query, sizeof a->mirrors[2].query,
                   "{\"from\":\"%s\",\"count\":true}",
                   sl_entities[world_dice(w, (int64_t)sl_entity_count)].name);
}

void actor_start(world *w, unsigned index)
{
    actor *a = &w->actors[index];
    choose_queries(a);
    a->node = sl_sim_node_new(w->sim, a->name, w->prng.state + index);
    if (a->node == NULL) {
        sl_sim_fail(w->sim, "out of memory");
        return;
    }
    sl_sim_at(w->sim, w->sim->now_ms + world_dice(w, PAUSE_MS), act, a, false);
}
