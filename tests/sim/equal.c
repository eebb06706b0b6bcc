/* At rest: every device shows what the truth is, in all its spaces, and nothing else; and the truth
 * itself keeps the policy. */
#include "base/mem.h"
#include "crypto/hash.h"
#include "engine/engine.h"
#include "organisations.h"
#include "service/inside.h"
#include "sideline/sync.h"

#include <stdio.h>
#include <string.h>

/* --- devices ------------------------------------------------------------------------------ */

/* A record as a query shows it, from what the service sends. */
static sl_json *public_of(const sl_json *wire)
{
    static const char *const own[] = {"id", "space", "entity", "seq"};
    sl_json *j = sl_json_object();
    const sl_json *fields = sl_json_get(wire, "fields");
    for (const sl_json *v = sl_json_first(fields); v != NULL; v = sl_json_next(v)) {
        if (!sl_json_is_null(v)) {
            (void)sl_json_set(j, sl_json_key(v), sl_json_clone(v));
        }
    }
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        (void)sl_json_set(j, own[i], sl_json_clone(sl_json_get(wire, own[i])));
    }
    (void)sl_json_set_bool(j, "pending", false);
    return j;
}

static void compare_row(world *w, const actor *a, const sl_json *row)
{
    const char *space = sl_json_str(row, "space");
    const char *entity = sl_json_str(row, "entity");
    const char *id = sl_json_str(row, "id");
    if (space == NULL || !world_tied(&w->holds, a->who->index, space)) {
        sl_sim_fail(w->sim, "%s keeps %s %s of %s, which it may not hold", a->node->host.name,
                    entity, id, space);
        return;
    }
    sl_json *theirs = public_of(truth_record(w, space, entity, id));
    if (!sl_json_equal(theirs, row)) {
        char *x = sl_json_print(theirs);
        char *y = sl_json_print(row);
        sl_sim_trace(w->sim, "server: %.400s", x);
        sl_sim_trace(w->sim, "%s: %.400s", a->node->host.name, y);
        sl_sim_fail(w->sim, "%s differs from the server in %s %s", a->node->host.name, entity, id);
        sl_mem_free(x);
        sl_mem_free(y);
    }
    sl_json_free(theirs);
}

/* Live records of an entity that this person holds, by the truth, and this device says to hold. */
static size_t expected_rows(const world *w, const actor *a, const char *entity)
{
    size_t n = 0;
    for (size_t i = 0; i < w->truth_count; i++) {
        const char *space = w->truths[i].space;
        if (!world_tied(&w->holds, a->who->index, space)) {
            continue;
        }
        for (const sl_json *r = sl_json_first(w->truths[i].records); r != NULL;
             r = sl_json_next(r)) {
            n += strcmp(sl_json_str(r, "entity"), entity) == 0 &&
                         !sl_json_bool_or(r, "deleted", false) &&
                         !in_gap(a, entity, space, sl_json_get(r, "fields"))
                     ? 1
                     : 0;
        }
    }
    return n;
}

/* Rows that the device says to hold. Those in its gaps are more than it says. */
static size_t said_rows(const actor *a, const char *entity, const sl_json *rows)
{
    size_t n = 0;
    for (const sl_json *r = sl_json_first(rows); r != NULL; r = sl_json_next(r)) {
        n += in_gap(a, entity, sl_json_str(r, "space"), r) ? 0 : 1;
    }
    return n;
}

static void compare_entity(world *w, actor *a, const char *entity)
{
    char query[120];
    (void)snprintf(query, sizeof query, "{\"from\":\"%s\",\"limit\":10000}", entity);
    sl_json *rows = actor_query(a, query);
    size_t want = expected_rows(w, a, entity);
    size_t has = said_rows(a, entity, rows);
    if (rows == NULL || has != want) {
        sl_sim_fail(w->sim, "%s has %zu records of %s, the server %zu for it", a->node->host.name,
                    has, entity, want);
    }
    for (const sl_json *r = sl_json_first(rows); r != NULL && w->sim->failure == NULL;
         r = sl_json_next(r)) {
        compare_row(w, a, r);
    }
    sl_json_free(rows);
}

/* Whether anybody ever wrote or the truth has such a record: others cannot be anywhere. */
static bool in_use(const world *w, const sl_entity *e)
{
    for (size_t i = 0; i < w->fact_count; i++) {
        if (w->facts[i].entity == e) {
            return true;
        }
    }
    return !entity_plain(e);
}

typedef struct held {
    world *w;
    const actor *a;
    size_t count;
} held;

static bool one_held(void *ctx, const sl_space *space)
{
    held *h = ctx;
    h->count++;
    if (!world_tied(&h->w->holds, h->a->who->index, space->name)) {
        sl_sim_fail(h->w->sim, "%s holds %s without a grant", h->a->node->host.name, space->name);
    }
    return true;
}

static void compare_spaces(world *w, const actor *a)
{
    held h = {w, a, 0};
    size_t may = 0;
    (void)sl_store_spaces(a->node->core->store, one_held, &h, NULL);
    for (size_t i = 0; i < w->holds.count; i++) {
        may += w->holds.list[i].person == a->who->index ? 1 : 0;
    }
    if (h.count != may) {
        sl_sim_fail(w->sim, "%s holds %zu spaces and may hold %zu", a->node->host.name, h.count,
                    may);
    }
}

/* Whether a record that this person holds names the blob. */
static bool names_blob(const world *w, unsigned who, const char *hex)
{
    for (size_t i = 0; i < w->truth_count; i++) {
        const sl_json *r = sl_json_first(w->truths[i].records);
        for (; world_tied(&w->holds, who, w->truths[i].space) && r != NULL; r = sl_json_next(r)) {
            const sl_json *f = sl_json_first(sl_json_get(r, "fields"));
            for (; f != NULL; f = sl_json_next(f)) {
                if (sl_json_is_string(f) && strcmp(sl_json_text(f), hex) == 0) {
                    return true;
                }
            }
        }
    }
    return false;
}

/* Whether somebody ever wrote it into another space: a record there may have named it when the first
 * was taken away, and not any more. */
static bool named_elsewhere(const world *w, const blob *b)
{
    sl_json *j = sl_json_string(b->hex);
    uint64_t hash = world_hash(j);
    sl_json_free(j);
    for (size_t i = 0; i < w->fact_count; i++) {
        if (w->facts[i].value == hash && strcmp(w->facts[i].space, b->space) != 0) {
            return true;
        }
    }
    return false;
}

/* The file of a clip goes with the last space that shows it. */
static void compare_blobs(world *w, const actor *a)
{
    for (size_t i = 0; i < w->blob_count && w->sim->failure == NULL; i++) {
        const blob *b = &w->blobs[i];
        bool may = b->owner == a->who->index || names_blob(w, a->who->index, b->hex) ||
                   named_elsewhere(w, b);
        sl_bytes *out = NULL;
        bool has = sl_blob_get(a->node->core, b->hex, &out, NULL) == SL_OK;
        char hex[SL_SHA256_HEX_LEN + 1] = "";
        if (has) {
            sl_sha256_hex(sl_bytes_data(out), sl_bytes_len(out), hex);
        }
        if (has && strcmp(hex, b->hex) != 0) {
            sl_sim_fail(w->sim, "%s has a damaged file %.8s", a->node->host.name, b->hex);
        }
        if (!may && has) {
            sl_sim_fail(w->sim, "%s keeps the file %.8s of %s, which was taken away",
                        a->node->host.name, b->hex, b->space);
        }
        sl_bytes_release(out);
    }
}

/* The differences a live query gave add up to what it asks for, in its order. */
static void compare_mirror(world *w, actor *a, const mirror *m)
{
    sl_json *rows = actor_query(a, m->query);
    const sl_json *at = sl_json_first(m->order);
    if (m->rows == NULL || rows == NULL || sl_json_count(rows) != sl_json_count(m->rows)) {
        sl_sim_fail(w->sim, "%s: %s has %zu rows live of %zu", a->node->host.name, m->query,
                    sl_json_count(m->rows), sl_json_count(rows));
    }
    for (const sl_json *r = sl_json_first(rows); r != NULL && w->sim->failure == NULL;
         r = sl_json_next(r)) {
        const char *id = sl_json_str(r, "id");
        id = id != NULL ? id : "count";
        if (!sl_json_equal(r, sl_json_get(m->rows, id))) {
            sl_sim_fail(w->sim, "%s: %s has an old row live", a->node->host.name, m->query);
        }
        if (at == NULL || strcmp(sl_json_text(at), id) != 0) {
            sl_sim_fail(w->sim, "%s: %s is live in another order", a->node->host.name, m->query);
        }
        at = sl_json_next(at);
    }
    sl_json_free(rows);
}

static void compare_actor(world *w, actor *a)
{
    compare_spaces(w, a);
    for (size_t i = 0; i < sl_entity_count && w->sim->failure == NULL; i++) {
        if (in_use(w, &sl_entities[i])) {
            compare_entity(w, a, sl_entities[i].name);
        }
    }
    for (unsigned i = 0; i < MIRRORS && w->sim->failure == NULL; i++) {
        compare_mirror(w, a, &a->mirrors[i]);
    }
    compare_blobs(w, a);
}

/* --- the truth ---------------------------------------------------------------------------- */

/* Whether the records of a space let this person in. */
static bool let_in(const truth *t, const person *p)
{
    const char *entity = NULL;
    const char *field = NULL;
    if (sl_space_is(t->space, "user")) {
        return strcmp(sl_space_id(t->space), p->user) == 0;
    }
    for (const sl_json *r = sl_json_first(t->records); r != NULL; r = sl_json_next(r)) {
        const sl_json *f = sl_json_get(r, "fields");
        entity = sl_json_str(r, "entity");
        field = strcmp(entity, "share") == 0 || strcmp(entity, "participant") == 0 ||
                        strcmp(entity, "coach") == 0
                    ? "user_id"
                : strcmp(entity, "video") == 0   ? "owner_id"
                : strcmp(entity, "program") == 0 ? "coach_id"
                                                 : NULL;
        const char *user = field != NULL ? sl_json_str(f, field) : NULL;
        bool gone = sl_json_bool_or(f, "gone", false);
        if (user != NULL && strcmp(user, p->user) == 0 && !gone) {
            return true;
        }
    }
    return false;
}

/* A deleted root no longer says whose it was; its maker keeps the space, but of an organisation nobody. */
static bool root_deleted(const truth *t)
{
    for (const sl_json *r = sl_json_first(t->records); r != NULL; r = sl_json_next(r)) {
        if (strcmp(sl_json_str(r, "id"), sl_space_id(t->space)) == 0) {
            return sl_json_bool_or(r, "deleted", false);
        }
    }
    return false;
}

static bool made_root(const world *w, const truth *t, unsigned who)
{
    for (size_t i = 0; i < w->fact_count; i++) {
        const fact *f = &w->facts[i];
        if (f->kind == FACT_CREATE && f->entity->root && strcmp(f->space, t->space) == 0 &&
            !sl_space_is(f->space, "organisation")) {
            return w->actors[f->actor].who->index == who;
        }
    }
    return false;
}

static void check_policy(world *w)
{
    for (size_t i = 0; i < w->truth_count && w->sim->failure == NULL; i++) {
        const truth *t = &w->truths[i];
        bool gone = root_deleted(t);
        for (unsigned k = 0; k < w->people_count; k++) {
            const person *p = &w->people[k];
            bool may = gone ? made_root(w, t, k) : let_in(t, p) || club_lets_in(w, t, p);
            bool has = world_tied(&w->holds, k, t->space);
            if (may != has) {
                sl_sim_fail(w->sim, "%s %s %s, by its records", w->people[k].name,
                            has ? "holds and may not hold" : "does not hold", t->space);
            }
        }
    }
}

static void check_blob(world *w, const char *hex)
{
    sl_service *s = w->sim->server.service;
    const sl_platform *p = &w->sim->server.host.platform;
    char *path = sl_sv_blob_path(s, hex);
    void *f = NULL;
    uint8_t bytes[8192];
    char found[SL_SHA256_HEX_LEN + 1] = "";
    if (path != NULL && p->files->open(p->user, path, SL_FILE_READ, &f) == SL_OK) {
        int64_t got = p->files->read(p->user, f, bytes, sizeof bytes, 0);
        p->files->close(p->user, f);
        sl_sha256_hex(bytes, got > 0 ? (size_t)got : 0, found);
    }
    sl_mem_free(path);
    if (strcmp(hex, found) != 0) {
        sl_sim_fail(w->sim, "the server's blob %.8s is damaged", hex);
    }
}

/* No stamp is later than the service lets pass. */
static void check_stamps(world *w, const sl_json *rec)
{
    const sl_sim *s = w->sim;
    int64_t now_ms = s->server.host.platform.clock->wall_ms(s->server.host.platform.user);
    bool jumped = s->fault_counts[SL_FAULT_SERVER_CLOCK] + s->fault_counts[SL_FAULT_TOKEN] > 0;
    const sl_json *clocks = sl_json_get(rec, "clocks");
    for (const sl_json *c = sl_json_first(clocks); c != NULL && !jumped; c = sl_json_next(c)) {
        sl_hlc stamp;
        const char *text = sl_json_text(c);
        if (text != NULL && sl_hlc_parse(&stamp, text) &&
            sl_hlc_ms(stamp) > now_ms + SL_SV_HLC_AHEAD_MS) {
            sl_sim_fail(w->sim, "%s %s has a stamp of the future", sl_json_str(rec, "entity"),
                        sl_json_str(rec, "id"));
        }
    }
}

static void check_record(world *w, const sl_json *rec, sl_json *texts)
{
    const char *entity = sl_json_str(rec, "entity");
    const sl_json *fields = sl_json_get(rec, "fields");
    check_stamps(w, rec);
    if (strcmp(entity, "video") == 0 && w->sim->server.restored == 0) {
        const char *status = sl_json_str(fields, "status");
        if (status == NULL || strcmp(status, "ready") != 0) {
            sl_sim_fail(w->sim, "video %s is not ready", sl_json_str(rec, "id"));
        }
        check_blob(w, sl_json_str(fields, "blob"));
    }
    const char *body = strcmp(entity, "message") == 0 ? sl_json_str(fields, "body") : NULL;
    if (body != NULL && sl_json_get(texts, body) != NULL) {
        sl_sim_fail(w->sim, "the message \"%s\" is there twice", body);
    } else if (body != NULL) {
        (void)sl_json_set_bool(texts, body, true);
    }
}

/* Two people have one thread. */
static void check_threads(world *w, sl_json *pairs, const truth *t)
{
    char pair[2 * SL_UUID_LEN + 2] = "";
    for (unsigned i = 0; i < w->people_count; i++) {
        for (const sl_json *r = sl_json_first(t->records); r != NULL; r = sl_json_next(r)) {
            const char *user = sl_json_str(sl_json_get(r, "fields"), "user_id");
            size_t n = strlen(pair);
            if (strcmp(sl_json_str(r, "entity"), "participant") == 0 && user != NULL &&
                strcmp(user, w->people[i].user) == 0) {
                (void)snprintf(pair + n, sizeof pair - n, "%s", user);
            }
        }
    }
    if (sl_json_get(pairs, pair) != NULL && w->sim->server.restored == 0) {
        sl_sim_fail(w->sim, "two people have two threads: %s", t->space);
    }
    (void)sl_json_set_bool(pairs, pair, true);
}

/* One person gives one message one sign once. */
static void check_signs(world *w, const truth *t)
{
    static const char *const parts[] = {"message_id", "author_id", "emoji"};
    sl_json *seen = sl_json_object();
    for (const sl_json *r = sl_json_first(t->records); r != NULL && w->sim->failure == NULL;
         r = sl_json_next(r)) {
        const sl_json *fields = sl_json_get(r, "fields");
        char key[160] = "";
        if (strcmp(sl_json_str(r, "entity"), "reaction") != 0 ||
            sl_json_bool_or(r, "deleted", false)) {
            continue;
        }
        for (size_t i = 0; i < 3; i++) {
            size_t n = strlen(key);
            const char *part = sl_json_str(fields, parts[i]);
            (void)snprintf(key + n, sizeof key - n, "%s ", part != NULL ? part : "");
        }
        if (sl_json_get(seen, key) != NULL) {
            sl_sim_fail(w->sim, "a sign was given twice: %s", key);
        }
        (void)sl_json_set_bool(seen, key, true);
    }
    sl_json_free(seen);
}

/* Whether a device of this user holds a message: one behind its window never reached it. */
static bool reached(const world *w, const char *user, const char *space, const sl_json *message)
{
    for (unsigned i = 0; i < w->actor_count; i++) {
        const actor *a = &w->actors[i];
        if (strcmp(a->who->user, user) == 0 &&
            !in_gap(a, "message", space, sl_json_get(message, "fields"))) {
            return true;
        }
    }
    return false;
}

/* The core moves the delivered mark to the newest message of others that reached it. */
static void check_marks(world *w, const truth *t)
{
    const sl_sim *s = w->sim;
    bool ill = s->fault_counts[SL_FAULT_NODE_POWER] + s->fault_counts[SL_FAULT_NODE_FULL] +
                   s->fault_counts[SL_FAULT_NODE_IO] + s->server.restored >
               0;
    for (const sl_json *p = sl_json_first(t->records); p != NULL && !ill; p = sl_json_next(p)) {
        const sl_json *fields = sl_json_get(p, "fields");
        const char *user = sl_json_str(fields, "user_id");
        if (strcmp(sl_json_str(p, "entity"), "participant") != 0 || user == NULL ||
            sl_json_bool_or(fields, "gone", false)) {
            continue;
        }
        int64_t newest = 0;
        for (const sl_json *m = sl_json_first(t->records); m != NULL; m = sl_json_next(m)) {
            const char *author = sl_json_str(sl_json_get(m, "fields"), "author_id");
            int64_t stands = sl_json_int_or(sl_json_get(m, "fields"), "place", 0);
            if (strcmp(sl_json_str(m, "entity"), "message") == 0 && author != NULL &&
                strcmp(author, user) != 0 && stands > newest && reached(w, user, t->space, m)) {
                newest = stands;
            }
        }
        if (sl_json_int_or(fields, "delivered", 0) < newest) {
            sl_sim_fail(w->sim, "message %lld of %s reached %s and is not marked",
                        (long long)newest, t->space, user);
        }
    }
}

/* What a lost phone yields: nothing on the disk of a sealed folder can be read. */
static void check_sealed(world *w)
{
    static const char *const canaries[] = {"canary", "@sim.test", "SQLite format 3", "refresh"};
    for (unsigned i = 0; i < w->actor_count && w->sim->node_key != NULL; i++) {
        const sl_sim_host *host = &w->actors[i].node->host;
        for (size_t k = 0; k < sizeof canaries / sizeof canaries[0]; k++) {
            const char *path = sl_disk_holds(host->disk, canaries[k]);
            if (path != NULL) {
                sl_sim_fail(w->sim, "%s holds \"%s\" in the clear in %s", host->name, canaries[k],
                            path);
            }
        }
    }
}

void check_end(world *w)
{
    sl_json *texts = sl_json_object();
    sl_json *pairs = sl_json_object();
    check_now(w);
    check_sealed(w);
    if (w->sim->failure == NULL && read_truth(w)) {
        check_policy(w);
        check_clubs(w);
    }
    for (size_t i = 0; i < w->truth_count && w->sim->failure == NULL; i++) {
        for (const sl_json *r = sl_json_first(w->truths[i].records); r != NULL;
             r = sl_json_next(r)) {
            if (!sl_json_bool_or(r, "deleted", false)) {
                check_record(w, r, texts);
            }
        }
        check_marks(w, &w->truths[i]);
        if (sl_space_is(w->truths[i].space, "thread")) {
            check_threads(w, pairs, &w->truths[i]);
            check_signs(w, &w->truths[i]);
        }
    }
    for (unsigned i = 0; i < w->actor_count && w->sim->failure == NULL; i++) {
        compare_actor(w, &w->actors[i]);
        check_unread(w, &w->actors[i]);
    }
    if (w->sim->failure == NULL) {
        check_facts(w);
    }
    sl_json_free(texts);
    sl_json_free(pairs);
}
