/* What signed-in actors do: one thing at a time, chosen by chance among what is possible. */
#include "base/mem.h"
#include "organisations.h"
#include "sideline/chat.h"
#include "sideline/record.h"
#include "sideline/sync.h"

#include <stdio.h>
#include <string.h>

enum {
    VIDEOS_MAX = 3,
    PROGRAMS_MAX = 5, /* that one may read */
    BLOB_MAX = 3000,
    BATCH_MAX = 3
};

static bool chance(actor *a, int percent)
{
    return world_chance(a->world, percent);
}

/* One of the rows by chance, NULL when there is none. */
static const sl_json *pick_row(actor *a, const sl_json *rows)
{
    size_t n = sl_json_count(rows);
    return n > 0 ? sl_json_at(rows, (size_t)world_dice(a->world, (int64_t)n)) : NULL;
}

static person *pick_person(world *w, station role)
{
    person *found = NULL;
    int64_t n = 0;
    for (unsigned i = 0; i < w->people_count; i++) {
        if (w->people[i].role == role && world_dice(w, ++n) == 0) {
            found = &w->people[i];
        }
    }
    return found;
}

/* --- connecting --------------------------------------------------------------------------- */

static void ask(actor *a)
{
    const person *peer = pick_person(a->world, COACH);
    char space[SL_SPACE_MAX];
    char id[SL_UUID_LEN + 1];
    sl_json *fields = sl_json_object();
    (void)sl_json_set_str(fields, "peer_email", peer->email);
    sl_space_name(space, "user", a->who->user);
    world_id(a->world, id);
    (void)actor_apply(a, one_op(make_op("create", "connection", space, id, fields)));
}

static void answer(actor *a, const char *id, const person *peer)
{
    sl_json *fields = sl_json_object();
    bool accept = chance(a, 95);
    if (accept && peer != NULL) {
        world_meet(a->world, a->who, peer);
    }
    (void)sl_json_set_str(fields, "status", accept ? "accepted" : "declined");
    (void)actor_apply(a, one_op(make_op("patch", "connection", NULL, id, fields)));
}

/* Asks for and accepts connections. Writes the name of a thread, "" when there is none. */
static void connect(actor *a, char thread[SL_SPACE_MAX])
{
    sl_json *rows = actor_query(a, "{\"from\":\"connection\",\"order\":[\"id\"]}");
    int64_t threads = 0;
    thread[0] = 0;
    for (const sl_json *c = sl_json_first(rows); c != NULL; c = sl_json_next(c)) {
        const char *id = sl_json_str(c, "thread_id");
        const char *status = sl_json_str(c, "status");
        const char *direction = sl_json_str(c, "direction");
        if (id != NULL && world_dice(a->world, ++threads) == 0) {
            sl_space_name(thread, "thread", id);
        }
        if (status != NULL && direction != NULL && strcmp(status, "requested") == 0 &&
            strcmp(direction, "in") == 0) {
            answer(a, sl_json_str(c, "id"), world_person(a->world, sl_json_str(c, "peer_id")));
        }
    }
    if (rows != NULL && a->who->role == ATHLETE && (sl_json_count(rows) == 0 || chance(a, 3))) {
        ask(a);
    }
    sl_json_free(rows);
}

/* --- videos ------------------------------------------------------------------------------- */

static void keep_blob(actor *a, const char *hex, const char *space)
{
    world *w = a->world;
    blob *grown = sl_mem_resize(w->blobs, w->blob_count + 1, sizeof *grown);
    if (grown != NULL) {
        w->blobs = grown;
        blob *b = &grown[w->blob_count++];
        b->owner = a->who->index;
        (void)snprintf(b->hex, sizeof b->hex, "%s", hex);
        (void)snprintf(b->space, sizeof b->space, "%s", space);
    }
}

static sl_json *video_fields(world *w, const char *hex, size_t size)
{
    const sl_entity *e = sl_entity_find("video");
    sl_json *fields = sl_json_object();
    (void)sl_json_set(fields, "title", value_of(w, sl_field_find(e, "title")));
    (void)sl_json_set_str(fields, "blob", hex);
    (void)sl_json_set_str(fields, "media_type", "video/mp4");
    (void)sl_json_set_int(fields, "size", (int64_t)size);
    (void)sl_json_set_int(fields, "duration_us", 1000000);
    (void)sl_json_set_int(fields, "width", 64);
    (void)sl_json_set_int(fields, "height", 64);
    return fields;
}

static void make_video(actor *a)
{
    world *w = a->world;
    uint8_t bytes[BLOB_MAX];
    char id[SL_UUID_LEN + 1];
    char space[SL_SPACE_MAX];
    size_t n = (size_t)(1 + world_dice(w, BLOB_MAX));
    for (size_t i = 0; i < n; i++) {
        bytes[i] = (uint8_t)sl_prng_next(&w->prng);
    }
    memcpy(bytes, "canary", n < 6 ? n : 6);
    world_id(w, id);
    sl_space_name(space, "video", id);
    sl_bytes *hex = NULL;
    sl_status status = sl_blob_put(a->node->core, space, bytes, n, "video/mp4", &hex, NULL);
    sl_sim_trace(w->sim, "%s puts a blob of %zu: %s", a->node->host.name, n,
                 sl_status_name(status));
    if (status == SL_OK && !sl_disk_dead(a->node->host.disk)) {
        const char *name = (const char *)sl_bytes_data(hex);
        sl_json *fields = video_fields(w, name, n);
        sl_json *kept = sl_json_clone(fields);
        world_tie(w, &w->allowed, a->who->index, space);
        status = actor_apply(a, one_op(make_op("create", "video", space, id, fields)));
        note_op(a, FACT_CREATE, sl_entity_find("video"), id, space, kept, status);
        keep_blob(a, name, space);
        sl_json_free(kept);
    }
    sl_bytes_release(hex);
}

static void share_with(actor *a, const char *space, const person *with)
{
    char id[SL_UUID_LEN + 1];
    world *w = a->world;
    if (with->user[0] == 0 || with == a->who) {
        return;
    }
    sl_json *fields = sl_json_object();
    (void)sl_json_set_str(fields, "user_id", with->user);
    (void)sl_json_set_str(fields, "role", chance(a, 70) ? "coach" : "member");
    world_id(w, id);
    world_tie(w, &w->allowed, with->index, space);
    (void)actor_apply(a, one_op(make_op("create", "share", space, id, fields)));
}

/* Shares what is not shared, or takes a share back; sometimes gives it again at once. */
static void share(actor *a, const char *space)
{
    char query[200];
    world *w = a->world;
    (void)snprintf(query, sizeof query,
                   "{\"from\":\"share\",\"where\":{\"space\":\"%s\"},\"order\":[\"id\"]}", space);
    sl_json *rows = actor_query(a, query);
    const sl_json *shared = pick_row(a, rows);
    if (shared != NULL && chance(a, 50)) {
        person *other = world_person(w, sl_json_str(shared, "user_id"));
        if (other != NULL) {
            world_tie(w, &w->lost, other->index, space);
        }
        (void)actor_apply(
            a, one_op(make_op("delete", "share", NULL, sl_json_str(shared, "id"), NULL)));
        if (other != NULL && chance(a, 30)) {
            share_with(a, space, other);
        }
    } else if (rows != NULL) {
        share_with(a, space, pick_person(w, COACH));
    }
    sl_json_free(rows);
}

static void fetch(actor *a, const sl_json *video)
{
    const char *hex = sl_json_str(video, "blob");
    const char *space = sl_json_str(video, "space");
    if (a->fetch != 0 || hex == NULL || space == NULL) {
        return;
    }
    (void)snprintf(a->fetch_hex, sizeof a->fetch_hex, "%s", hex);
    (void)snprintf(a->fetch_space, sizeof a->fetch_space, "%s", space);
    a->fetch_damaged = a->node->damaged;
    if (sl_blob_fetch(a->node->core, hex, &a->fetch, NULL) != SL_OK) {
        a->fetch = 0;
    }
}

void actor_drop_root(actor *a, const char *entity, const char *space)
{
    world_lose_all(a->world, space);
    sl_status status =
        actor_apply(a, one_op(make_op("delete", entity, NULL, sl_space_id(space), NULL)));
    note_op(a, FACT_DELETE, sl_entity_find(entity), sl_space_id(space), space, NULL, status);
}

static void retitle(actor *a, const char *space)
{
    const sl_entity *e = sl_entity_find("video");
    sl_json *fields = values_of(a, e, space, false);
    sl_json *kept = sl_json_clone(fields);
    sl_status status =
        actor_apply(a, one_op(make_op("patch", "video", NULL, sl_space_id(space), fields)));
    note_op(a, FACT_VALUE, e, sl_space_id(space), space, kept, status);
    sl_json_free(kept);
}

static void about_a_video(actor *a)
{
    sl_json *videos = actor_query(a, "{\"from\":\"video\",\"order\":[\"id\"]}");
    const sl_json *video = pick_row(a, videos);
    const char *owner = sl_json_str(video, "owner_id");
    bool mine = owner != NULL && strcmp(owner, a->who->user) == 0;
    char space[SL_SPACE_MAX] = "";
    int64_t dice = world_dice(a->world, 100);
    (void)snprintf(space, sizeof space, "%s", video != NULL ? sl_json_str(video, "space") : "");
    if (a->who->role == ATHLETE && sl_json_count(videos) < VIDEOS_MAX &&
        (video == NULL || chance(a, 12))) {
        make_video(a);
    } else if (video != NULL && (dice < 25 || !mine)) {
        fetch(a, video);
    } else if (video != NULL && dice < 70) {
        share(a, space);
    } else if (video != NULL && dice < 95) {
        retitle(a, space);
    } else if (video != NULL) {
        actor_drop_root(a, "video", space);
    }
    sl_json_free(videos);
}

/* --- everything else, as the schema has it ------------------------------------------------- */

static unsigned role_bit(const char *name)
{
    return name == NULL                 ? 0
           : strcmp(name, "owner") == 0 ? SL_R_OWNER
           : strcmp(name, "coach") == 0 ? SL_R_COACH
                                        : SL_R_MEMBER;
}

/* A space this device holds, by chance, and the role in it. */
static unsigned pick_space(actor *a, char space[SL_SPACE_MAX])
{
    unsigned have = SL_R_OWNER;
    sl_space_name(space, "user", a->who->user);
    sl_json *grants = actor_query(a, "{\"from\":\"grant\",\"order\":[\"id\"]}");
    const sl_json *g = chance(a, 65) ? pick_row(a, grants) : NULL;
    const char *target = sl_json_str(g, "target");
    if (target != NULL) {
        (void)snprintf(space, SL_SPACE_MAX, "%s", target);
        have = role_bit(sl_json_str(g, "role"));
    }
    sl_json_free(grants);
    return have;
}

/* A plain entity that this role makes in this space. */
static const sl_entity *pick_entity(actor *a, const char *space, unsigned have)
{
    const sl_entity *found = NULL;
    int64_t n = 0;
    for (size_t i = 0; i < sl_entity_count; i++) {
        const sl_entity *e = &sl_entities[i];
        if (entity_plain(e) && !e->root && sl_space_is(space, e->space_kind) &&
            (e->create & have) != 0 && world_dice(a->world, ++n) == 0) {
            found = e;
        }
    }
    return found;
}

/* A reference to nothing is refused at once. */
static void must_refuse(actor *a, bool dangles, sl_status status)
{
    if (dangles && status == SL_OK) {
        sl_sim_fail(a->world->sim, "%s may name what is not there", a->node->host.name);
    }
}

static void make_records(actor *a, const sl_entity *e, const char *space, fact_kind kind)
{
    world *w = a->world;
    int64_t n = 1 + world_dice(w, BATCH_MAX);
    char ids[BATCH_MAX][SL_UUID_LEN + 1];
    sl_json *ops = sl_json_array();
    bool dangles = false;
    for (int64_t i = 0; i < n; i++) {
        world_id(w, ids[i]);
        sl_json *fields = values_of(a, e, space, true);
        dangles = dangles || w->dangles;
        (void)sl_json_add(ops, make_op("create", e->name, space, ids[i], fields));
    }
    /* What it would answer to is not there yet, or may lie in a gap, where only the server knows. */
    if (dangles && (any_gap(a) || !chance(a, 25))) {
        sl_json_free(ops);
        return;
    }
    sl_json *kept = sl_json_clone(ops);
    sl_status status = actor_apply(a, ops);
    must_refuse(a, dangles, status);
    for (int64_t i = 0; i < n; i++) {
        note_op(a, kind, e, ids[i], space, sl_json_get(sl_json_at(kept, (size_t)i), "fields"),
                status);
    }
    sl_json_free(kept);
}

static void make_a_root(actor *a, const sl_entity *e, const char *id)
{
    char space[SL_SPACE_MAX];
    sl_space_name(space, e->space_kind, id);
    world_tie(a->world, &a->world->allowed, a->who->index, space);
    sl_json *fields = values_of(a, e, space, true);
    sl_json *kept = sl_json_clone(fields);
    sl_status status = actor_apply(a, one_op(make_op("create", e->name, space, id, fields)));
    note_op(a, FACT_CREATE, e, id, space, kept, status);
    sl_json_free(kept);
}

/* A coach's programs and storefront. */
static void make_root(actor *a)
{
    char id[SL_UUID_LEN + 1];
    const sl_entity *e = sl_entity_find(chance(a, 70) ? "program" : "coach");
    bool front = strcmp(e->name, "coach") == 0;
    sl_json *have = actor_query(a, front ? "{\"from\":\"coach\"}" : "{\"from\":\"program\"}");
    bool full = have == NULL || sl_json_count(have) > 1 || (front && sl_json_count(have) > 0);
    sl_json_free(have);
    if (full || (front && !a->first)) {
        return;
    }
    world_id(a->world, id);
    make_a_root(a, e, front ? a->who->user : id);
}

void actor_make_program(actor *a)
{
    char id[SL_UUID_LEN + 1];
    sl_json *have = actor_query(a, "{\"from\":\"program\"}");
    if (have != NULL && sl_json_count(have) < PROGRAMS_MAX) {
        world_id(a->world, id);
        make_a_root(a, sl_entity_find("program"), id);
    }
    sl_json_free(have);
}

static void make_any(actor *a)
{
    char space[SL_SPACE_MAX];
    unsigned have = pick_space(a, space);
    const sl_entity *e = pick_entity(a, space, have);
    if (a->who->role == COACH && chance(a, 25)) {
        make_root(a);
    } else if (e != NULL) {
        make_records(a, e, space, FACT_CREATE);
    }
}

/* Something this actor's user made, by chance. NULL when there is none, or the dice say so. */
static const fact *pick_own(actor *a)
{
    world *w = a->world;
    for (int tries = 0; tries < 24 && w->fact_count > 0; tries++) {
        const fact *f = &w->facts[world_dice(w, (int64_t)w->fact_count)];
        if (f->kind == FACT_CREATE && w->actors[f->actor].who == a->who &&
            (f->entity->patch | f->entity->remove) != 0) {
            return f;
        }
    }
    return NULL;
}

/* Something that this device put into a set it takes out again, or puts in once more. */
static bool change_element(actor *a)
{
    const world *w = a->world;
    for (int tries = 0; tries < 24 && w->fact_count > 0; tries++) {
        fact f = w->facts[world_dice(a->world, (int64_t)w->fact_count)];
        if (f.kind != FACT_ADD || f.field->merge != SL_M_SET || f.actor != a->index) {
            continue;
        }
        sl_json *fields = sl_json_object();
        sl_json *change = change_of_one(a->world, f.value);
        if (change == NULL || !sl_json_set(fields, f.field->name, change)) {
            sl_json_free(fields);
            return false;
        }
        sl_json *kept = sl_json_clone(fields);
        sl_status status =
            actor_apply(a, one_op(make_op("patch", f.entity->name, NULL, f.id, fields)));
        note_op(a, FACT_VALUE, f.entity, f.id, f.space, kept, status);
        sl_json_free(kept);
        return true;
    }
    return false;
}

static void change_own(actor *a)
{
    if (chance(a, 20) && change_element(a)) {
        return;
    }
    const fact *of = pick_own(a);
    if (of == NULL) {
        return;
    }
    fact f = *of; /* facts move when one is added */
    bool removes = f.entity->remove != 0 && (f.entity->patch == 0 || chance(a, 15));
    if (f.entity->patch == 0 && !removes) {
        return;
    }
    if (removes && f.entity->root) {
        if (chance(a, 20)) {
            actor_drop_root(a, f.entity->name, f.space);
        }
        return;
    }
    sl_json *fields = removes ? NULL : values_of(a, f.entity, f.space, false);
    bool dangles = !removes && a->world->dangles;
    sl_json *kept = sl_json_clone(fields);
    if (!removes && (sl_json_count(fields) == 0 || (dangles && any_gap(a)))) {
        sl_json_free(fields);
        sl_json_free(kept);
        return;
    }
    sl_status status = actor_apply(
        a, one_op(make_op(removes ? "delete" : "patch", f.entity->name, NULL, f.id, fields)));
    must_refuse(a, dangles, status);
    note_op(a, removes ? FACT_DELETE : FACT_VALUE, f.entity, f.id, f.space, kept, status);
    sl_json_free(kept);
}

/* --- what is denied ----------------------------------------------------------------------- */

/* A remark of somebody else in a space that this one may read. NULL when the dice find none. */
static const fact *pick_remark(actor *a)
{
    world *w = a->world;
    for (int tries = 0; tries < 30 && w->fact_count > 0; tries++) {
        const fact *f = &w->facts[world_dice(w, (int64_t)w->fact_count)];
        if (f->kind == FACT_CREATE && strcmp(f->entity->name, "comment") == 0 &&
            w->actors[f->actor].who != a->who && world_tied(&w->allowed, a->who->index, f->space)) {
            return f;
        }
    }
    return NULL;
}

static void rewrite(actor *a, const fact *f)
{
    sl_json *fields = sl_json_object();
    (void)sl_json_set(fields, "body", value_of(a->world, sl_field_find(f->entity, "body")));
    sl_json *kept = sl_json_clone(fields);
    sl_status status =
        actor_apply(a, one_op(make_op("patch", f->entity->name, NULL, f->id, fields)));
    note_op(a, FACT_BANNED, f->entity, f->id, f->space, kept, status);
    sl_json_free(kept);
}

/* A drawing by one who may only look and remark. */
static void scribble(actor *a)
{
    sl_json *grants =
        actor_query(a, "{\"from\":\"grant\",\"where\":{\"role\":\"member\"},\"order\":[\"id\"]}");
    const char *target = sl_json_str(pick_row(a, grants), "target");
    if (target != NULL && sl_space_is(target, "video")) {
        make_records(a, sl_entity_find("annotation"), target, FACT_BANNED);
    }
    sl_json_free(grants);
}

/* Somebody else's space, or a right that the role does not give: the server must refuse it. */
static void trespass(actor *a)
{
    world *w = a->world;
    const fact *remark = pick_remark(a);
    if (remark != NULL && chance(a, 50)) {
        fact copy = *remark; /* facts move when one is added */
        rewrite(a, &copy);
        return;
    }
    if (w->fact_count == 0 || chance(a, 30)) {
        scribble(a);
        return;
    }
    fact f = w->facts[world_dice(w, (int64_t)w->fact_count)];
    if (f.kind == FACT_CREATE && strcmp(f.entity->name, "comment") == 0 &&
        w->actors[f.actor].who != a->who) {
        rewrite(a, &f);
        return;
    }
    bool video = sl_space_is(f.space, "video");
    bool program = sl_space_is(f.space, "program");
    if (w->actors[f.actor].who == a->who || f.kind == FACT_BANNED || (!video && !program) ||
        world_tied(&w->allowed, a->who->index, f.space)) {
        return;
    }
    make_records(a, sl_entity_find(video ? "comment" : "content_item"), f.space, FACT_BANNED);
}

/* --- chat --------------------------------------------------------------------------------- */

static void say(actor *a, const char *thread)
{
    char json[200];
    sl_bytes *out = NULL;
    sl_json *fields = sl_json_object();
    (void)snprintf(json, sizeof json, "v%u canary by %s", ++a->world->named, a->node->host.name);
    (void)sl_json_set_str(fields, "body", json);
    int n = snprintf(json, sizeof json, "{\"body\":\"%s\"}", sl_json_str(fields, "body"));
    sl_status status = sl_chat_send(a->node->core, thread, json, (size_t)n, &out, NULL);
    a->world->acts++;
    sl_sim_trace(a->world->sim, "%s says %s: %s", a->node->host.name, sl_json_str(fields, "body"),
                 sl_status_name(status));
    if (status == SL_OK) {
        sl_json *j = sl_json_parse((const char *)sl_bytes_data(out), sl_bytes_len(out));
        note_op(a, FACT_CREATE, sl_entity_find("message"), sl_json_str(j, "id"), thread, fields,
                status);
        sl_json_free(j);
    }
    sl_json_free(fields);
    sl_bytes_release(out);
}

static void chat(actor *a, const char *thread)
{
    if (chance(a, 65)) {
        for (int64_t n = a->world->chatty ? 1 + world_dice(a->world, 4) : 1; n > 0; n--) {
            say(a, thread);
        }
    } else if (chance(a, 40)) {
        actor_load(a, thread);
    } else {
        (void)sl_chat_mark(a->node->core, thread, chance(a, 85) ? SL_CHAT_READ : SL_CHAT_TYPING,
                           NULL, NULL);
        a->world->acts++;
    }
}

/* --- oneself ------------------------------------------------------------------------------ */

static void rename_self(actor *a)
{
    char space[SL_SPACE_MAX];
    const sl_entity *e = sl_entity_find("user");
    sl_space_name(space, "user", a->who->user);
    sl_json *fields = values_of(a, e, space, false);
    sl_json *kept = sl_json_clone(fields);
    sl_status status = actor_apply(a, one_op(make_op("patch", "user", NULL, a->who->user, fields)));
    note_op(a, FACT_VALUE, e, a->who->user, space, kept, status);
    sl_json_free(kept);
}

static void toggle(actor *a)
{
    a->online = !a->online;
    sl_sim_trace(a->world->sim, "%s goes %s", a->node->host.name, a->online ? "online" : "offline");
    (void)sl_sync_control(a->node->core, a->online ? SL_SYNC_START : SL_SYNC_STOP, NULL);
}

/* Signs out; half of the time somebody else tries the device before its user comes back. */
static void leave(actor *a)
{
    world *w = a->world;
    person *other = &w->people[world_dice(w, w->people_count)];
    sl_status status = sl_session_logout(a->node->core, NULL);
    sl_sim_trace(w->sim, "%s signs out: %s", a->node->host.name, sl_status_name(status));
    if (status == SL_OK && chance(a, 50) && other != a->who && other->account) {
        a->intruder = other;
    }
}

void actor_work(actor *a)
{
    char thread[SL_SPACE_MAX] = "";
    if (a->who->role != STRANGER) {
        connect(a, thread);
    }
    if (a->world->clubs != NULL && club_work(a)) {
        return;
    }
    int64_t dice = world_dice(a->world, 100);
    if (sl_disk_dead(a->node->host.disk)) {
        return;
    }
    if (!a->online && dice < 30) {
        toggle(a); /* nobody stays offline for long */
    } else if (a->world->chatty && thread[0] != 0 && chance(a, 50)) {
        chat(a, thread);
    } else if (dice < 25 && a->who->role != STRANGER) {
        about_a_video(a);
    } else if (dice < 45) {
        make_any(a);
    } else if (dice < 68) {
        change_own(a);
    } else if (dice < 86 && thread[0] != 0) {
        chat(a, thread);
    } else if (dice < 90) {
        rename_self(a);
    } else if (dice < 94) {
        trespass(a);
    } else if (dice < 95) {
        leave(a);
    } else if (dice < 97) {
        toggle(a);
    }
}
