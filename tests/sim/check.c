/* While faults strike nothing goes back; and whether everything has come to rest. */
#include "engine/engine.h"
#include "organisations.h"
#include "service/inside.h"
#include "store/inside.h"

#include <string.h>

static bool take_int(void *ctx, const sl_cell *cells, size_t n)
{
    (void)n;
    *(int64_t *)ctx = cells[0].kind == SL_CELL_INT ? cells[0].i : 0;
    return false;
}

/* The server's number of a space, -1 when it has none. */
static int64_t server_seq(world *w, const char *space)
{
    sl_service *s = w->sim->server.service;
    int64_t v = -1;
    const sl_cell args[] = {sl_cell_text(space)};
    (void)s->ports.db.run(s->ports.db.user, "SELECT seq FROM space WHERE space=$1", args, 1,
                          take_int, &v, NULL);
    return v;
}

static sl_store *store_of(const actor *a)
{
    return a->node->core != NULL ? a->node->core->store : NULL;
}

typedef struct compared {
    world *w;
    const actor *a;
    bool ahead;
    bool behind;
} compared;

static bool one_cursor(void *ctx, const sl_space *space)
{
    compared *c = ctx;
    int64_t seq = server_seq(c->w, space->name);
    c->behind = c->behind || space->cursor != seq;
    if (seq >= 0 && space->cursor > seq && c->w->sim->server.restored == 0) {
        sl_sim_fail(c->w->sim, "%s is at %lld of %s, the server at %lld", c->a->node->host.name,
                    (long long)space->cursor, space->name, (long long)seq);
    }
    return true;
}

void check_now(world *w)
{
    if (w->sim->server.service == NULL || sl_disk_dead(w->sim->server.host.disk)) {
        return;
    }
    check_clubs_now(w);
    for (unsigned i = 0; i < w->actor_count; i++) {
        compared c = {w, &w->actors[i], false, false};
        if (store_of(c.a) != NULL && !sl_disk_dead(c.a->node->host.disk)) {
            (void)sl_store_spaces(store_of(c.a), one_cursor, &c, NULL);
        }
    }
}

static bool keep_fact(void *ctx, const sl_cell *cells, size_t n)
{
    compared *c = ctx;
    sl_op op = {0};
    (void)n;
    if (sl_store_outbox_op(store_of(c->a), cells[0].i, &op, NULL) != SL_OK) {
        return true;
    }
    for (size_t i = 0; op.kind == SL_OP_CREATE && i < c->w->fact_count; i++) {
        fact *f = &c->w->facts[i];
        bool is = f->kind == FACT_CREATE && f->entity == op.entity && strcmp(f->id, op.id) == 0;
        f->kept = f->kept || (is && f->names[0] == 0);
    }
    sl_op_free(&op);
    return true;
}

void check_reset(world *w, const actor *a, const char *space)
{
    compared c = {w, a, false, false};
    const sl_cell args[] = {sl_cell_text(space)};
    if (store_of(a) != NULL && !sl_disk_dead(a->node->host.disk) && sl_space_is(space, "user")) {
        (void)sl_sql_run(store_of(a)->sql,
                         "SELECT n FROM outbox WHERE space=(SELECT no FROM space WHERE name=$1)",
                         args, 1, keep_fact, &c, NULL);
    }
}

static const char *not_at_rest(world *w, const actor *a)
{
    sl_store *store = store_of(a);
    sl_outbox_state outbox;
    if (store == NULL) {
        return "a core is down";
    }
    if (!a->node->core->session.have) {
        return "nobody is signed in";
    }
    if (sl_store_outbox(store, &outbox, NULL) != SL_OK || !outbox.empty) {
        return "an outbox is not empty";
    }
    if (!sl_sync_settled(a->node->core->sync)) {
        return "a core is not settled";
    }
    /* Bytes of a video whose record was never made have nowhere to go. */
    if (!sl_transfers_settled(a->node->core)) {
        return "an upload waits";
    }
    compared c = {w, a, false, false};
    (void)sl_store_spaces(store, one_cursor, &c, NULL);
    if (actor_wants_all(a) && (a->load != 0 || any_gap(a))) {
        return "a thread is not loaded";
    }
    return c.behind ? "a space is behind" : NULL;
}

static bool one_waiting(void *ctx, const sl_cell *cells, size_t n)
{
    compared *c = ctx;
    sl_op op = {0};
    (void)n;
    if (sl_store_outbox_op(store_of(c->a), cells[0].i, &op, NULL) == SL_OK) {
        sl_sim_trace(c->w->sim, "%s waits: operation %lld on %s %s of %s, %s %lld",
                     c->a->node->host.name, (long long)op.n, op.entity->name, op.id, op.space,
                     cells[1].kind == SL_CELL_INT ? "accepted at" : "not answered",
                     (long long)cells[1].i);
        sl_op_free(&op);
    }
    return true;
}

static bool one_place(void *ctx, const sl_space *space)
{
    compared *c = ctx;
    sl_sim_trace(c->w->sim, "%s is at %lld of %s, the server at %lld", c->a->node->host.name,
                 (long long)space->cursor, space->name, (long long)server_seq(c->w, space->name));
    return true;
}

void check_explain(world *w)
{
    for (unsigned i = 0; i < w->actor_count; i++) {
        compared c = {w, &w->actors[i], false, false};
        if (w->sim->server.service != NULL && not_at_rest(w, c.a) != NULL &&
            store_of(c.a) != NULL) {
            sl_sim_trace(w->sim, "%s: %s", c.a->node->host.name, not_at_rest(w, c.a));
            (void)sl_sql_run(store_of(c.a)->sql, "SELECT n, seq FROM outbox ORDER BY n", NULL, 0,
                             one_waiting, &c, NULL);
            (void)sl_store_spaces(store_of(c.a), one_place, &c, NULL);
        }
    }
}

bool check_rest(world *w, const char **why)
{
    *why = w->sim->server.service == NULL ? "the server is down"
           : !sl_sim_net_quiet(w->sim)    ? "a request is on its way"
           : sl_sim_net_half_open(w->sim) ? "a socket is half-open"
                                          : NULL;
    for (unsigned i = 0; i < w->actor_count && *why == NULL; i++) {
        *why = not_at_rest(w, &w->actors[i]);
    }
    return *why == NULL;
}
