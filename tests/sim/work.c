/* What signed-in actors do: one thing at a time, chosen by chance among what is possible. */
#include "base/mem.h"
#include "crypto/hash.h"
#include "sideline/chat.h"
#include "sideline/record.h"
#include "sideline/sync.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

enum {
    OPS_MAX = 2048,
    VIDEOS_MAX = 3,
    BLOB_MAX = 5000
};

static bool chance(actor *a, int percent)
{
    return world_dice(a->world, 100) < percent;
}

static void new_id(world *w, char out[SL_UUID_LEN + 1])
{
    uint8_t random[10];
    for (size_t i = 0; i < sizeof random; i++) {
        random[i] = (uint8_t)world_dice(w, 256);
    }
    sl_uuid7(out, w->sim->now_ms, random);
}

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

sl_status actor_apply(actor *a, const char *ops)
{
    sl_bytes *out = NULL;
    sl_error *err = NULL;
    sl_status status = sl_apply(a->node->core, ops, strlen(ops), &out, &err);
    a->world->acts++;
    sl_sim_trace(a->world->sim, "%s applies %.200s: %s", a->node->host.name, ops,
                 status == SL_OK ? "SL_OK" : sl_error_message(err));
    if (status == SL_E_INTERNAL || status == SL_E_CORRUPT) {
        sl_sim_fail(a->world->sim, "%s: %s", a->node->host.name, sl_error_message(err));
    }
    sl_error_release(err);
    sl_bytes_release(out);
    return status;
}

typedef struct target {
    const char *entity;
    const char *id;
    const char *space;
    const char *field; /* the one watched */
} target;

static void note(actor *a, sl_op_kind kind, target t, const char *value, sl_status status)
{
    fact f = {.actor = a->index, .kind = kind, .sure = status == SL_OK};
    f.entity = sl_entity_find(t.entity);
    /* What the call refused outright has no effect. */
    if (status == SL_E_INVALID || status == SL_E_DENIED || status == SL_E_NOT_FOUND ||
        status == SL_E_CONFLICT) {
        return;
    }
    (void)snprintf(f.id, sizeof f.id, "%s", t.id);
    (void)snprintf(f.space, sizeof f.space, "%s", t.space);
    (void)snprintf(f.field, sizeof f.field, "%s", t.field);
    (void)snprintf(f.value, sizeof f.value, "%s", value);
    (void)world_fact(a->world, &f);
}

static void new_value(actor *a, char out[TEXT_MAX])
{
    (void)snprintf(out, TEXT_MAX, "v%u by %s", ++a->world->named, a->node->host.name);
}

/* --- connecting --------------------------------------------------------------------------- */

/* True when there is something to do about the connection, or it is not there yet. */
static bool connect(actor *a)
{
    char ops[OPS_MAX];
    sl_json *rows = actor_query(a, "{\"from\":\"connection\"}");
    const sl_json *c = sl_json_first(rows);
    const char *thread = sl_json_str(c, "thread_id");
    const char *status = sl_json_str(c, "status");
    const char *direction = sl_json_str(c, "direction");
    ops[0] = 0;
    if (thread != NULL) {
        sl_space_name(a->thread, "thread", thread);
    } else if (rows != NULL && c == NULL && !a->coach) {
        (void)snprintf(ops, sizeof ops,
                       "[{\"op\":\"create\",\"entity\":\"connection\",\"space\":\"user:%s\","
                       "\"fields\":{\"peer_email\":\"cleo@sim.test\"}}]",
                       a->user);
    } else if (c != NULL && a->coach && status != NULL && strcmp(status, "requested") == 0 &&
               direction != NULL && strcmp(direction, "in") == 0) {
        (void)snprintf(ops, sizeof ops,
                       "[{\"op\":\"patch\",\"entity\":\"connection\",\"id\":\"%s\","
                       "\"fields\":{\"status\":\"accepted\"}}]",
                       sl_json_str(c, "id"));
    }
    sl_json_free(rows);
    if (ops[0] != 0) {
        (void)actor_apply(a, ops);
    }
    return a->thread[0] != 0;
}

/* --- videos ------------------------------------------------------------------------------- */

static void keep_blob(world *w, const char *hex)
{
    void *grown = sl_mem_resize(w->blobs, w->blob_count + 1, sizeof w->blobs[0]);
    if (grown != NULL) {
        w->blobs = grown;
        (void)snprintf(w->blobs[w->blob_count++], sizeof w->blobs[0], "%s", hex);
    }
}

static void make_video(actor *a)
{
    world *w = a->world;
    uint8_t bytes[BLOB_MAX];
    char id[SL_UUID_LEN + 1];
    char space[SL_SPACE_MAX];
    char title[TEXT_MAX];
    char ops[OPS_MAX];
    size_t n = (size_t)(1 + world_dice(w, BLOB_MAX));
    for (size_t i = 0; i < n; i++) {
        bytes[i] = (uint8_t)sl_prng_next(&w->prng);
    }
    new_id(w, id);
    sl_space_name(space, "video", id);
    new_value(a, title);
    sl_bytes *hex = NULL;
    sl_status status = sl_blob_put(a->node->core, space, bytes, n, "video/mp4", &hex, NULL);
    sl_sim_trace(w->sim, "%s puts a blob of %zu: %s", a->node->host.name, n,
                 sl_status_name(status));
    if (status != SL_OK || sl_disk_dead(a->node->host.disk)) {
        sl_bytes_release(hex);
        return;
    }
    (void)snprintf(ops, sizeof ops,
                   "[{\"op\":\"create\",\"entity\":\"video\",\"space\":\"%s\",\"id\":\"%s\","
                   "\"fields\":{\"title\":\"%s\",\"blob\":\"%s\",\"media_type\":\"video/mp4\","
                   "\"size\":%zu,\"duration_us\":1000000,\"width\":64,\"height\":64}}]",
                   space, id, title, (const char *)sl_bytes_data(hex), n);
    status = actor_apply(a, ops);
    note(a, SL_OP_CREATE, (target){"video", id, space, "title"}, title, status);
    if (status == SL_OK) {
        keep_blob(w, (const char *)sl_bytes_data(hex));
    }
    sl_bytes_release(hex);
}

/* Shares what is not shared, or takes a share back. */
static void share(actor *a, const char *space)
{
    char query[200];
    char ops[OPS_MAX];
    char id[SL_UUID_LEN + 1];
    world *w = a->world;
    (void)snprintf(query, sizeof query, "{\"from\":\"share\",\"where\":{\"space\":\"%s\"}}", space);
    sl_json *rows = actor_query(a, query);
    const char *shared = sl_json_str(sl_json_first(rows), "id");
    const char *coach = w->actors[1].user;
    ops[0] = 0;
    new_id(w, id);
    if (shared != NULL && chance(a, 50)) {
        (void)snprintf(ops, sizeof ops, "[{\"op\":\"delete\",\"entity\":\"share\",\"id\":\"%s\"}]",
                       shared);
        world_lose(w, space);
    } else if (rows != NULL && shared == NULL && coach[0] != 0) {
        (void)snprintf(ops, sizeof ops,
                       "[{\"op\":\"create\",\"entity\":\"share\",\"space\":\"%s\",\"id\":\"%s\","
                       "\"fields\":{\"user_id\":\"%s\",\"role\":\"coach\"}}]",
                       space, id, coach);
    }
    sl_json_free(rows);
    if (ops[0] != 0) {
        (void)actor_apply(a, ops);
    }
}

static void fetch(actor *a, const sl_json *video)
{
    const char *hex = sl_json_str(video, "blob");
    if (a->fetch == 0 && hex != NULL) {
        (void)snprintf(a->fetch_hex, sizeof a->fetch_hex, "%s", hex);
        if (sl_blob_fetch(a->node->core, hex, &a->fetch, NULL) != SL_OK) {
            a->fetch = 0;
        }
    }
}

/* --- what is said about a video ----------------------------------------------------------- */

static int put_remark(actor *a, char *out, size_t room, const char *space, const char *id,
                      const char *value)
{
    (void)a;
    return snprintf(out, room,
                    "{\"op\":\"create\",\"entity\":\"comment\",\"space\":\"%s\",\"id\":\"%s\","
                    "\"fields\":{\"body\":\"%s\",\"at_us\":5}}",
                    space, id, value);
}

static void remark(actor *a, const char *space)
{
    char ops[OPS_MAX];
    char ids[3][SL_UUID_LEN + 1];
    char values[3][TEXT_MAX];
    int count = 1 + (int)world_dice(a->world, 3);
    size_t at = 1;
    ops[0] = '[';
    for (int i = 0; i < count; i++) {
        new_id(a->world, ids[i]);
        new_value(a, values[i]);
        at += (size_t)put_remark(a, ops + at, sizeof ops - at, space, ids[i], values[i]);
        ops[at++] = i + 1 < count ? ',' : ']';
    }
    ops[at] = 0;
    sl_status status = actor_apply(a, ops);
    for (int i = 0; i < count; i++) {
        note(a, SL_OP_CREATE, (target){"comment", ids[i], space, "body"}, values[i], status);
    }
}

static void draw(actor *a, const char *space)
{
    char ops[OPS_MAX];
    char id[SL_UUID_LEN + 1];
    char value[TEXT_MAX];
    new_id(a->world, id);
    new_value(a, value);
    (void)snprintf(ops, sizeof ops,
                   "[{\"op\":\"create\",\"entity\":\"annotation\",\"space\":\"%s\",\"id\":\"%s\","
                   "\"fields\":{\"kind\":\"line\",\"geometry\":\"AAAA\",\"style\":{\"color\":1},"
                   "\"z\":\"%s\",\"t_in\":0,\"t_out\":1000}}]",
                   space, id, value);
    note(a, SL_OP_CREATE, (target){"annotation", id, space, "z"}, value, actor_apply(a, ops));
}

static void retitle(actor *a, const char *space)
{
    char ops[OPS_MAX];
    char value[TEXT_MAX];
    new_value(a, value);
    (void)snprintf(ops, sizeof ops,
                   "[{\"op\":\"patch\",\"entity\":\"video\",\"id\":\"%s\",\"fields\":"
                   "{\"title\":\"%s\"}}]",
                   sl_space_id(space), value);
    note(a, SL_OP_PATCH, (target){"video", sl_space_id(space), space, "title"}, value,
         actor_apply(a, ops));
}

/* --- chat --------------------------------------------------------------------------------- */

static void say(actor *a)
{
    char json[OPS_MAX];
    char value[TEXT_MAX];
    sl_bytes *out = NULL;
    new_value(a, value);
    int n = snprintf(json, sizeof json, "{\"body\":\"%s\"}", value);
    sl_status status = sl_chat_send(a->node->core, a->thread, json, (size_t)n, &out, NULL);
    a->world->acts++;
    sl_sim_trace(a->world->sim, "%s says %s: %s", a->node->host.name, value,
                 sl_status_name(status));
    if (status == SL_OK) {
        sl_json *j = sl_json_parse((const char *)sl_bytes_data(out), sl_bytes_len(out));
        note(a, SL_OP_CREATE, (target){"message", sl_json_str(j, "id"), a->thread, "body"}, value,
             status);
        sl_json_free(j);
    }
    sl_bytes_release(out);
}

static void mark_read(actor *a)
{
    (void)sl_chat_mark(a->node->core, a->thread, SL_CHAT_READ, NULL, NULL);
    a->world->acts++;
}

/* --- changing what is there --------------------------------------------------------------- */

/* Something this actor's user made, by chance. NULL when there is none, or the dice say so. */
static const fact *pick_own(actor *a)
{
    world *w = a->world;
    for (int tries = 0; tries < 6 && w->fact_count > 0; tries++) {
        const fact *f = &w->facts[world_dice(w, (int64_t)w->fact_count)];
        bool mine = w->actors[f->actor].coach == a->coach;
        bool other = f->entity->root;
        if (f->kind == SL_OP_CREATE && mine && !other) {
            return f;
        }
    }
    return NULL;
}

static void change_own(actor *a)
{
    const fact *of = pick_own(a);
    if (of == NULL) {
        return;
    }
    fact f = *of; /* facts move when one is added */
    char ops[OPS_MAX];
    char value[TEXT_MAX];
    bool removes = chance(a, 20);
    new_value(a, value);
    if (removes) {
        (void)snprintf(ops, sizeof ops, "[{\"op\":\"delete\",\"entity\":\"%s\",\"id\":\"%s\"}]",
                       f.entity->name, f.id);
    } else {
        (void)snprintf(ops, sizeof ops,
                       "[{\"op\":\"patch\",\"entity\":\"%s\",\"id\":\"%s\",\"fields\":"
                       "{\"%s\":\"%s\"}}]",
                       f.entity->name, f.id, f.field, value);
    }
    sl_status status = actor_apply(a, ops);
    note(a, removes ? SL_OP_DELETE : SL_OP_PATCH, (target){f.entity->name, f.id, f.space, f.field},
         value, status);
}

static void rename_self(actor *a)
{
    char ops[OPS_MAX];
    char value[TEXT_MAX];
    char space[SL_SPACE_MAX];
    new_value(a, value);
    sl_space_name(space, "user", a->user);
    (void)snprintf(ops, sizeof ops,
                   "[{\"op\":\"patch\",\"entity\":\"user\",\"id\":\"%s\",\"fields\":"
                   "{\"name\":\"%s\"}}]",
                   a->user, value);
    note(a, SL_OP_PATCH, (target){"user", a->user, space, "name"}, value, actor_apply(a, ops));
}

static void toggle(actor *a)
{
    a->online = !a->online;
    sl_sim_trace(a->world->sim, "%s goes %s", a->node->host.name, a->online ? "online" : "offline");
    (void)sl_sync_control(a->node->core, a->online ? SL_SYNC_START : SL_SYNC_STOP, NULL);
}

static void drop_video(actor *a, const char *space)
{
    char ops[OPS_MAX];
    (void)snprintf(ops, sizeof ops, "[{\"op\":\"delete\",\"entity\":\"video\",\"id\":\"%s\"}]",
                   sl_space_id(space));
    world_lose(a->world, space);
    note(a, SL_OP_DELETE, (target){"video", sl_space_id(space), space, "title"}, "",
         actor_apply(a, ops));
}

static void on_video(actor *a, const sl_json *video)
{
    char space[SL_SPACE_MAX];
    (void)snprintf(space, sizeof space, "%s", sl_json_str(video, "space"));
    int64_t dice = world_dice(a->world, 100);
    if (dice < 35 || (dice >= 75 && a->coach)) {
        remark(a, space);
    } else if (dice < 65) {
        draw(a, space);
    } else if (dice < 75) {
        fetch(a, video);
    } else if (dice < 90) {
        share(a, space);
    } else if (dice < 98) {
        retitle(a, space);
    } else {
        drop_video(a, space);
    }
}

static void about_a_video(actor *a)
{
    sl_json *videos = actor_query(a, "{\"from\":\"video\",\"order\":[\"id\"]}");
    size_t n = sl_json_count(videos);
    if (!a->coach && n < VIDEOS_MAX && chance(a, n == 0 ? 100 : 10)) {
        make_video(a);
    } else if (n > 0) {
        on_video(a, sl_json_at(videos, (size_t)world_dice(a->world, (int64_t)n)));
    }
    sl_json_free(videos);
}

void actor_last_words(actor *a)
{
    if (a->node->core == NULL || a->user[0] == 0) {
        return;
    }
    rename_self(a);
    if (a->thread[0] != 0) {
        say(a);
    }
    sl_sim_node_touched(a->node);
}

void actor_work(actor *a)
{
    bool connected = connect(a);
    int64_t dice = world_dice(a->world, 100);
    if (sl_disk_dead(a->node->host.disk)) {
        return;
    }
    if (!a->online) {
        dice = dice < 30 ? 99 : dice; /* nobody stays offline for long */
    }
    if (dice < 45) {
        about_a_video(a);
    } else if (dice < 60) {
        change_own(a);
    } else if (dice < 90 && connected) {
        if (dice < 80) {
            say(a);
        } else {
            mark_read(a);
        }
    } else if (dice < 94) {
        rename_self(a);
    } else if (dice >= 97) {
        toggle(a);
    }
}
