/* What must hold: while faults strike, and at rest. Looks into the cores' stores and the service's
 * database directly. */
#include "base/mem.h"
#include "crypto/hash.h"
#include "engine/engine.h"
#include "service/inside.h"
#include "store/inside.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

typedef struct list {
    char (*items)[SL_SPACE_MAX];
    size_t count;
} list;

static bool list_add(void *ctx, const sl_cell *cells, size_t n)
{
    list *l = ctx;
    (void)n;
    void *grown = sl_mem_resize(l->items, l->count + 1, sizeof l->items[0]);
    if (grown != NULL) {
        l->items = grown;
        (void)snprintf(l->items[l->count++], SL_SPACE_MAX, "%s", cells[0].text);
    }
    return grown != NULL;
}

static bool take_int(void *ctx, const sl_cell *cells, size_t n)
{
    (void)n;
    *(int64_t *)ctx = cells[0].kind == SL_CELL_INT ? cells[0].i : 0;
    return false;
}

static int64_t server_int(world *w, const char *sql, const char *key, int64_t otherwise)
{
    sl_service *s = w->sim->server.service;
    int64_t v = otherwise;
    sl_cell args[] = {sl_cell_text(key)};
    (void)s->ports.db.run(s->ports.db.user, sql, args, 1, take_int, &v, NULL);
    return v;
}

static int64_t store_int(sl_store *store, const char *sql, const char *key, int64_t otherwise)
{
    int64_t v = otherwise;
    sl_cell args[] = {sl_cell_text(key)};
    (void)sl_sql_run(store->sql, sql, args, 1, take_int, &v, NULL);
    return v;
}

static sl_store *store_of(const actor *a)
{
    return a->node->core != NULL ? a->node->core->store : NULL;
}

/* --- while faults strike ------------------------------------------------------------------ */

static void check_mark(world *w, const char *id, int64_t delivered, int64_t read)
{
    for (size_t i = 0; i < w->mark_count; i++) {
        mark *m = &w->marks[i];
        if (strcmp(m->id, id) == 0) {
            if (delivered < m->delivered || read < m->read) {
                sl_sim_fail(w->sim, "a mark of %s went back", id);
            }
            m->delivered = delivered;
            m->read = read;
            return;
        }
    }
    mark *grown = sl_mem_resize(w->marks, w->mark_count + 1, sizeof *grown);
    if (grown != NULL) {
        w->marks = grown;
        w->marks[w->mark_count] = (mark){.delivered = delivered, .read = read};
        (void)snprintf(w->marks[w->mark_count++].id, sizeof grown->id, "%s", id);
    }
}

static bool one_mark(void *ctx, const sl_cell *cells, size_t n)
{
    (void)n;
    check_mark(ctx, cells[0].text, cells[1].i, cells[2].i);
    return true;
}

typedef struct ahead {
    world *w;
    const actor *a;
} ahead;

static bool one_cursor(void *ctx, const sl_space *space)
{
    ahead *h = ctx;
    int64_t seq =
        server_int(h->w, "SELECT seq FROM space WHERE space=$1", space->name, space->cursor);
    if (space->cursor > seq) {
        sl_sim_fail(h->w->sim, "%s is at %lld of %s, the server at %lld", h->a->node->host.name,
                    (long long)space->cursor, space->name, (long long)seq);
    }
    return true;
}

void check_now(world *w)
{
    sl_service *s = w->sim->server.service;
    if (s == NULL || sl_disk_dead(w->sim->server.host.disk)) {
        return;
    }
    (void)s->ports.db.run(s->ports.db.user,
                          "SELECT \"id\", \"delivered\", \"read\" FROM \"participant\"", NULL, 0,
                          one_mark, w, NULL);
    for (unsigned i = 0; i < ACTORS; i++) {
        ahead h = {w, &w->actors[i]};
        if (store_of(h.a) != NULL && !sl_disk_dead(h.a->node->host.disk)) {
            (void)sl_store_spaces(store_of(h.a), one_cursor, &h, NULL);
        }
    }
}

/* --- at rest? ----------------------------------------------------------------------------- */

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
    if (store_int(
            store,
            "SELECT count(*) FROM upload WHERE space IN (SELECT name FROM space WHERE held=1) AND $1=$1",
            "", 1) != 0) {
        return "an upload waits";
    }
    int64_t behind = 0;
    list spaces = {NULL, 0};
    (void)sl_sql_run(store->sql, "SELECT name FROM space WHERE held=1", NULL, 0, list_add, &spaces,
                     NULL);
    for (size_t i = 0; i < spaces.count; i++) {
        int64_t at = store_int(store, "SELECT cursor FROM space WHERE name=$1", spaces.items[i], 0);
        behind += server_int(w, "SELECT seq FROM space WHERE space=$1", spaces.items[i], -1) != at;
    }
    sl_mem_free(spaces.items);
    return behind != 0 ? "a space is behind" : NULL;
}

bool check_rest(world *w, const char **why)
{
    *why = w->sim->server.service == NULL ? "the server is down"
           : !sl_sim_net_quiet(w->sim)    ? "a request is on its way"
                                          : NULL;
    for (unsigned i = 0; i < ACTORS && *why == NULL; i++) {
        *why = not_at_rest(w, &w->actors[i]);
    }
    return *why == NULL;
}

/* --- equal? ------------------------------------------------------------------------------- */

static void compare_record(world *w, const actor *a, const sl_record *server)
{
    sl_record rec = {0};
    if (sl_store_record(store_of(a), server->entity, server->id, &rec, NULL) != SL_OK) {
        sl_sim_fail(w->sim, "%s cannot read its store", a->node->host.name);
        return;
    }
    sl_buf theirs = {0};
    sl_buf ours = {0};
    sl_record_put_wire(&theirs, server);
    if (rec.entity != NULL) {
        sl_record_put_wire(&ours, &rec);
    }
    if (strcmp(sl_buf_text(&theirs), sl_buf_text(&ours)) != 0) {
        sl_sim_trace(w->sim, "server: %.400s", sl_buf_text(&theirs));
        sl_sim_trace(w->sim, "%s: %.400s", a->node->host.name, sl_buf_text(&ours));
        sl_sim_fail(w->sim, "%s differs from the server in %s %s", a->node->host.name,
                    server->entity->name, server->id);
    }
    sl_buf_free(&theirs);
    sl_buf_free(&ours);
    sl_record_free(&rec);
}

static int64_t rows_held(sl_store *store, const char *space)
{
    int64_t n = 0;
    for (size_t i = 0; i < sl_entity_count; i++) {
        char sql[120];
        (void)snprintf(
            sql, sizeof sql,
            "SELECT count(*) FROM \"%s\" WHERE \"rid\">>32=(SELECT no FROM space WHERE name=$1)",
            sl_entities[i].name);
        n += store_int(store, sql, space, 0);
    }
    return n;
}

static void compare_space(world *w, const actor *a, const char *space)
{
    sl_sv_rows rows;
    sl_service *s = w->sim->server.service;
    sl_cell args[] = {sl_cell_text(space)};
    (void)sl_sv_all(s, "SELECT entity, id, seq FROM feed WHERE space=$1 ORDER BY seq", args, 1,
                    &rows, NULL);
    for (size_t i = 0; i < rows.count && w->sim->failure == NULL; i++) {
        sl_record rec = {0};
        const sl_entity *e = sl_entity_find(sl_sv_text(&rows, i, 0));
        if (sl_sv_load(s, e, space, sl_sv_text(&rows, i, 1), &rec, NULL) != SL_OK ||
            rec.entity == NULL || rec.seq != sl_sv_int(&rows, i, 2)) {
            sl_sim_fail(w->sim, "the feed of %s names what is not there", space);
        } else {
            compare_record(w, a, &rec);
        }
        sl_record_free(&rec);
    }
    if (rows_held(store_of(a), space) != (int64_t)rows.count) {
        sl_sim_fail(w->sim, "%s holds %lld records of %s, the server %zu", a->node->host.name,
                    (long long)rows_held(store_of(a), space), space, rows.count);
    }
    int64_t seq = server_int(w, "SELECT seq FROM space WHERE space=$1", space, -1);
    int64_t top = server_int(w, "SELECT max(seq) FROM feed WHERE space=$1", space, 0);
    if (seq != top) {
        sl_sim_fail(w->sim, "%s is at %lld but its newest record is %lld", space, (long long)seq,
                    (long long)top);
    }
    sl_sv_rows_free(&rows);
}

static void compare_actor(world *w, const actor *a)
{
    sl_store *store = store_of(a);
    list held = {NULL, 0};
    (void)sl_sql_run(store->sql, "SELECT name FROM space WHERE held=1 ORDER BY name", NULL, 0,
                     list_add, &held, NULL);
    int64_t may = server_int(w, "SELECT count(*) FROM access WHERE user_id=$1", a->user, -1);
    if (may != (int64_t)held.count) {
        sl_sim_fail(w->sim, "%s holds %zu spaces and may hold %lld", a->node->host.name, held.count,
                    (long long)may);
    }
    /* Each access but that to one's own space is told by one grant. */
    int64_t told = server_int(w,
                              "SELECT count(*) FROM \"grant\" WHERE \"deleted\"=0"
                              " AND \"space\"='user:' || $1",
                              a->user, -1);
    if (told + 1 != may) {
        sl_sim_fail(w->sim, "%s has %lld grants for %lld spaces", a->node->host.name,
                    (long long)told, (long long)may);
    }
    for (size_t i = 0; i < held.count && w->sim->failure == NULL; i++) {
        char sql[160];
        (void)snprintf(sql, sizeof sql,
                       "SELECT count(*) FROM access WHERE user_id=$1 AND space='%s'",
                       held.items[i]);
        if (server_int(w, sql, a->user, 0) != 1) {
            sl_sim_fail(w->sim, "%s holds %s without a grant", a->node->host.name, held.items[i]);
        }
        compare_space(w, a, held.items[i]);
    }
    for (size_t i = 0; i < sl_entity_count; i++) {
        char sql[160];
        (void)snprintf(sql, sizeof sql,
                       "SELECT count(*) FROM \"%s\" WHERE \"rid\">>32 NOT IN"
                       " (SELECT no FROM space WHERE held=1) AND $1=$1",
                       sl_entities[i].name);
        if (store_int(store, sql, "", -1) != 0) {
            sl_sim_fail(w->sim, "%s keeps %s records of a space it does not hold",
                        a->node->host.name, sl_entities[i].name);
        }
    }
    if (store_int(store, "SELECT count(*) FROM shadow WHERE $1=$1", "", -1) != 0) {
        sl_sim_fail(w->sim, "%s keeps a confirmed state aside", a->node->host.name);
    }
    sl_mem_free(held.items);
}

/* The differences a live query gave add up to what it asks for. */
static void compare_mirror(world *w, actor *a)
{
    sl_json *rows = actor_query(a, "{\"from\":\"message\",\"order\":[\"seq\"]}");
    if (a->mirror == NULL || rows == NULL || sl_json_count(rows) != sl_json_count(a->mirror)) {
        sl_sim_fail(w->sim, "%s: the live query has %zu messages of %zu", a->node->host.name,
                    sl_json_count(a->mirror), sl_json_count(rows));
    }
    int64_t last = 0;
    for (const sl_json *r = sl_json_first(rows); r != NULL; r = sl_json_next(r)) {
        if (!sl_json_equal(r, sl_json_get(a->mirror, sl_json_str(r, "id")))) {
            sl_sim_fail(w->sim, "%s: the live query has an old message", a->node->host.name);
        }
        if (sl_json_int_or(r, "seq", 0) <= last) {
            sl_sim_fail(w->sim, "%s: messages are out of order", a->node->host.name);
        }
        last = sl_json_int_or(r, "seq", 0);
    }
    sl_json_free(rows);
}

/* --- complete? ---------------------------------------------------------------------------- */

typedef struct refusals {
    world *w;
    const actor *a;
} refusals;

/* In a space that nobody took away the server refuses nothing but connections and shares. */
static bool one_refusal(void *ctx, const sl_cell *cells, size_t n)
{
    const refusals *r = ctx;
    (void)n;
    sl_op op = {0};
    bool may = sl_op_unpack(&op, cells[0].blob, cells[0].len, NULL) == SL_OK &&
               (strcmp(op.entity->name, "connection") == 0 ||
                strcmp(op.entity->name, "share") == 0 || world_lost(r->w, op.space));
    if (!may) {
        sl_sim_fail(r->w->sim, "%s: rejected without need: %s %s, %s", r->a->node->host.name,
                    op.entity != NULL ? op.entity->name : "?", op.id, cells[1].text);
    }
    sl_op_free(&op);
    return may;
}

static void check_refusals(world *w, const actor *a)
{
    refusals r = {w, a};
    (void)sl_sql_run(store_of(a)->sql, "SELECT op, message FROM rejected ORDER BY n", NULL, 0,
                     one_refusal, &r, NULL);
}

static bool same_field(const fact *a, const fact *b)
{
    return a->entity == b->entity && strcmp(a->id, b->id) == 0 && a->kind != SL_OP_DELETE &&
           strcmp(a->field, b->field) == 0;
}

/* True when only this device wrote the field: then order is its own. */
static bool one_writer(const world *w, const fact *f)
{
    for (size_t i = 0; i < w->fact_count; i++) {
        if (same_field(&w->facts[i], f) && w->facts[i].actor != f->actor) {
            return false;
        }
    }
    return true;
}

static bool maybe_deleted(const world *w, const fact *f)
{
    for (size_t i = 0; i < w->fact_count; i++) {
        const fact *d = &w->facts[i];
        if (d->kind == SL_OP_DELETE && d->entity == f->entity && strcmp(d->id, f->id) == 0) {
            return true;
        }
    }
    return false;
}

/* The value at rest was written by this fact or a later one. */
static void check_value(world *w, size_t at, const sl_record *rec)
{
    const fact *f = &w->facts[at];
    const char *value = sl_record_text(rec, f->field);
    bool own = one_writer(w, f);
    for (size_t i = own ? at : 0; i < w->fact_count && value != NULL; i++) {
        if (same_field(&w->facts[i], f) && strcmp(w->facts[i].value, value) == 0) {
            return;
        }
    }
    sl_sim_fail(w->sim, "%s %s has %s \"%s\", but \"%s\" was acknowledged", f->entity->name, f->id,
                f->field, value != NULL ? value : "(none)", f->value);
}

static void check_fact(world *w, size_t at)
{
    const fact *f = &w->facts[at];
    sl_record rec = {0};
    if (!f->sure || world_lost(w, f->space)) {
        return;
    }
    if (sl_sv_load(w->sim->server.service, f->entity, f->space, f->id, &rec, NULL) != SL_OK) {
        sl_sim_fail(w->sim, "the server's database cannot be read");
        return;
    }
    if (rec.entity == NULL) {
        sl_sim_fail(w->sim, "%s %s of %s was acknowledged and is nowhere", f->entity->name, f->id,
                    w->actors[f->actor].node->host.name);
    } else if (rec.deleted) {
        if (!maybe_deleted(w, f)) {
            sl_sim_fail(w->sim, "%s %s is deleted, but nobody did it", f->entity->name, f->id);
        }
    } else if (f->kind == SL_OP_DELETE) {
        sl_sim_fail(w->sim, "%s %s was deleted and is there", f->entity->name, f->id);
    } else if (w->sim->fault_counts[SL_FAULT_SERVER_CLOCK] == 0) {
        check_value(w, at, &rec); /* stamps are held against the server's clock */
    }
    sl_record_free(&rec);
}

static bool add_hex(void *ctx, const sl_cell *cells, size_t n)
{
    world *w = ctx;
    (void)n;
    sl_service *s = w->sim->server.service;
    const sl_platform *p = &w->sim->server.host.platform;
    if (cells[1].kind != SL_CELL_TEXT || strcmp(cells[1].text, "ready") != 0) {
        sl_sim_fail(w->sim, "the video of blob %.8s is not ready", cells[0].text);
        return false;
    }
    char *path = sl_sv_blob_path(s, cells[0].text);
    void *f = NULL;
    uint8_t bytes[8192];
    char hex[SL_SHA256_HEX_LEN + 1] = "";
    if (path != NULL && p->files->open(p->user, path, SL_FILE_READ, &f) == SL_OK) {
        int64_t got = p->files->read(p->user, f, bytes, sizeof bytes, 0);
        p->files->close(p->user, f);
        sl_sha256_hex(bytes, got > 0 ? (size_t)got : 0, hex);
    }
    sl_mem_free(path);
    if (strcmp(hex, cells[0].text) != 0) {
        sl_sim_fail(w->sim, "the server's blob %.8s is damaged", cells[0].text);
    }
    return true;
}

static void check_messages(world *w)
{
    int64_t all =
        server_int(w, "SELECT count(*) FROM \"message\" WHERE \"deleted\"=0 AND $1=$1", "", 0);
    int64_t bodies = server_int(
        w, "SELECT count(DISTINCT \"body\") FROM \"message\" WHERE \"deleted\"=0 AND $1=$1", "", 0);
    int64_t threads = server_int(w, "SELECT count(*) FROM \"thread\" WHERE $1=$1", "", 0);
    if (all != bodies) {
        sl_sim_fail(w->sim, "%lld messages have %lld texts", (long long)all, (long long)bodies);
    }
    if (threads > 1) {
        sl_sim_fail(w->sim, "one connection made %lld threads", (long long)threads);
    }
}

void check_end(world *w)
{
    sl_service *s = w->sim->server.service;
    check_now(w);
    for (unsigned i = 0; i < ACTORS && w->sim->failure == NULL; i++) {
        compare_actor(w, &w->actors[i]);
    }
    for (unsigned i = 0; i < ACTORS && w->sim->failure == NULL; i++) {
        compare_mirror(w, &w->actors[i]);
        check_refusals(w, &w->actors[i]);
    }
    for (size_t i = 0; i < w->fact_count && w->sim->failure == NULL; i++) {
        check_fact(w, i);
    }
    (void)s->ports.db.run(s->ports.db.user,
                          "SELECT \"blob\", \"status\" FROM \"video\" WHERE \"deleted\"=0", NULL, 0,
                          add_hex, w, NULL);
    check_messages(w);
}
