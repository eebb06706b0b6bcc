#include "lab.h"

#include "base/mem.h"
#include "base/plant.h"
#include "base/uuid.h"
#include "engine/engine.h"
#include "sideline/record.h"
#include "sideline/sync.h"
#include "support.h"
#include "world.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    STEP_MS = 20
};

/* --- frames ------------------------------------------------------------------------------- */

static void count_page(lab *l, const sl_json *frame)
{
    unsigned n = (unsigned)sl_json_count(sl_json_get(frame, "records"));
    l->pages++;
    l->page_records += n;
    l->page_max = n > l->page_max ? n : l->page_max;
    if (l->on_page != NULL) {
        l->on_page(l);
    }
}

/* How many operations a frame to the server has. */
static unsigned ops_of(const sl_json *frame)
{
    const char *t = sl_json_str(frame, "t");
    return t != NULL && strcmp(t, "op") == 0 ? 1
                                             : (unsigned)sl_json_count(sl_json_get(frame, "ops"));
}

/* Sent of the space that somebody is blind to, answers to operations aside. */
static bool unseen(const lab *l, const sl_json *frame)
{
    const char *space = sl_json_str(frame, "space");
    const char *t = sl_json_str(frame, "t");
    if (space == NULL || t == NULL || strcmp(space, l->blind_to) != 0) {
        return false;
    }
    bool asked = strcmp(t, "page") == 0 || strcmp(t, "subscribed") == 0;
    return strcmp(t, "change") == 0 || (asked && !l->blind_live);
}

static bool pass(void *ctx, const sl_sim_node *node, bool to_server, const char *text, size_t n)
{
    lab *l = ctx;
    sl_json *frame = sl_json_parse(text, n);
    const char *t = sl_json_str(frame, "t");
    bool op = t != NULL && to_server && ops_of(frame) > 0;
    if (node == l->deaf && to_server && t != NULL && strcmp(t, "connect") == 0) {
        l->deaf = NULL; /* another socket */
    }
    bool lost = node == l->deaf || (node == l->mute && op) ||
                (node == l->blind && !to_server && unseen(l, frame));
    if (!lost && t != NULL && strcmp(t, "page") == 0) {
        count_page(l, frame);
    }
    l->subscribes += !lost && t != NULL && strcmp(t, "subscribe") == 0 ? 1 : 0;
    l->ops += !lost && op ? ops_of(frame) : 0;
    sl_json_free(frame);
    return !lost;
}

/* --- the lab ------------------------------------------------------------------------------ */

static lab *open_lab(uint64_t seed, bool limits)
{
#ifdef SL_PLANTS
    sl_plant(getenv("SL_PLANT"));
#endif
    sl_mem_count(true);
    int64_t blocks = sl_mem_blocks();
    lab *l = sl_mem(sizeof *l);
    ck_assert_ptr_nonnull(l);
    l->blocks = blocks;
    l->sim = run_sim(seed);
    ck_assert_ptr_nonnull(l->sim);
    l->sim->verbose = getenv("SL_LAB_TRACE") != NULL;
    l->sim->pass = pass;
    l->sim->pass_ctx = l;
    if (limits) {
        run_limits(l->sim, seed);
    }
    ck_assert(sl_sim_server_start(l->sim, 8));
    return l;
}

lab *lab_open(void)
{
    return open_lab(7, false);
}

lab *lab_open_seed(uint64_t seed)
{
    return open_lab(seed, true);
}

void lab_close(lab *l)
{
    ck_assert_msg(l->sim->failure == NULL, "%s", l->sim->failure);
    int64_t blocks = l->blocks;
    sl_sim_free(l->sim);
    sl_mem_free(l);
    ck_assert_int_eq(sl_debug_live_objects(), 0);
    ck_assert_msg(sl_mem_blocks() == blocks, "%d blocks were not freed",
                  (int)(sl_mem_blocks() - blocks));
}

lab_node *lab_device(lab *l, const char *name)
{
    ck_assert_uint_lt(l->count, LAB_MAX);
    lab_node *n = &l->nodes[l->count];
    n->in = l;
    n->online = true;
    n->node = sl_sim_node_new(l->sim, name, 100 + l->count++);
    ck_assert_ptr_nonnull(n->node);
    lab_run(l, STEP_MS);
    return n;
}

static void on_event(lab_node *n, const sl_json *e)
{
    const char *ev = sl_json_str(e, "ev");
    if (n->in->hear != NULL) {
        n->in->hear(n, e);
    }
    if (strcmp(ev, "op") == 0 && (sl_id)sl_json_int_or(e, "op", 0) == n->op) {
        n->op_ended = true;
        n->op_ok = sl_json_bool_or(e, "ok", false);
        n->op_code = (sl_status)sl_json_int_or(e, "code", 0);
    } else if (strcmp(ev, "rejected") == 0) {
        const char *body = sl_json_str(sl_json_get(e, "fields"), "body");
        n->rejected++;
        (void)snprintf(n->reject_code, sizeof n->reject_code, "%s", sl_json_str(e, "code"));
        (void)snprintf(n->reject_body, sizeof n->reject_body, "%s", body != NULL ? body : "");
    } else if (strcmp(ev, "session") == 0 && strcmp(sl_json_str(e, "state"), "signed_out") == 0) {
        n->sign_outs++;
    } else if (strcmp(ev, "integrity") == 0) {
        ck_assert_msg(n->in->may_differ, "%s is not as the server has it", sl_json_str(e, "space"));
        n->differed++;
        n->healed += sl_json_bool_or(e, "healed", false) ? 1 : 0;
    }
}

static void look_after(lab_node *n)
{
    sl_bytes *out = NULL;
    if (n->node->core == NULL) {
        return;
    }
    if (n->life != n->node->host.life) {
        n->life = n->node->host.life;
        (void)sl_sync_control(n->node->core, n->online ? SL_SYNC_START : SL_SYNC_STOP, NULL);
    }
    while (sl_core_poll(n->node->core, 1U << 20, &out, NULL) == SL_OK && out != NULL) {
        sl_json *events = sl_json_parse((const char *)sl_bytes_data(out), sl_bytes_len(out));
        for (const sl_json *e = sl_json_first(events); e != NULL; e = sl_json_next(e)) {
            on_event(n, e);
        }
        sl_json_free(events);
        sl_bytes_release(out);
        out = NULL;
    }
    sl_sim_node_touched(n->node);
}

static void nothing(sl_sim *s, void *arg)
{
    (void)s;
    (void)arg;
}

void lab_run(lab *l, int64_t ms)
{
    int64_t end_ms = l->sim->now_ms + ms;
    while (l->sim->now_ms < end_ms && l->sim->failure == NULL) {
        int64_t until_ms = l->sim->now_ms + STEP_MS;
        sl_sim_at(l->sim, until_ms, nothing, NULL, false);
        while (l->sim->now_ms < until_ms && sl_sim_next(l->sim)) {
        }
        for (unsigned i = 0; i < l->count; i++) {
            look_after(&l->nodes[i]);
        }
    }
    ck_assert_msg(l->sim->failure == NULL, "%s", l->sim->failure);
}

void lab_wait_op(lab_node *n)
{
    for (int i = 0; i < 2000 && !n->op_ended; i++) {
        lab_run(n->in, STEP_MS);
    }
    ck_assert(n->op_ended);
}

static void sign(lab_node *n, const char *email, const char *role)
{
    char json[300];
    int len =
        snprintf(json, sizeof json,
                 "{\"email\":\"%s\",\"password\":\"correct horse\",\"name\":\"%.8s\""
                 "%s%s%s}",
                 email, email, role != NULL ? ",\"birth_date\":\"1990-01-31\",\"role\":\"" : "",
                 role != NULL ? role : "", role != NULL ? "\"" : "");
    n->op_ended = false;
    ck_assert_int_eq(role != NULL
                         ? sl_session_signup(n->node->core, json, (size_t)len, &n->op, NULL)
                         : sl_session_login(n->node->core, json, (size_t)len, &n->op, NULL),
                     SL_OK);
    sl_sim_node_touched(n->node);
    lab_wait_op(n);
    if (email != n->email) {
        (void)snprintf(n->email, sizeof n->email, "%s", email);
    }
    if (n->op_ok) {
        (void)snprintf(n->user, sizeof n->user, "%s", n->node->core->session.user);
    }
}

void lab_sign_up(lab_node *n, const char *email, const char *role)
{
    sign(n, email, role);
    ck_assert(n->op_ok);
}

void lab_log_in(lab_node *n, const char *email)
{
    sign(n, email, NULL);
}

void lab_online(lab_node *n, bool yes)
{
    n->online = yes;
    (void)sl_sync_control(n->node->core, yes ? SL_SYNC_START : SL_SYNC_STOP, NULL);
    sl_sim_node_touched(n->node);
}

static char *text_of(const char *fmt, va_list args) __attribute__((format(printf, 1, 0)));

static char *text_of(const char *fmt, va_list args)
{
    char *text = sl_text_vfmt(fmt, args);
    ck_assert_ptr_nonnull(text);
    for (char *p = text; *p != 0; p++) {
        *p = *p == '\'' ? '"' : *p;
    }
    return text;
}

sl_status lab_apply(lab_node *n, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    char *text = text_of(fmt, args);
    va_end(args);
    sl_bytes *out = NULL;
    sl_error *err = NULL;
    sl_status status = sl_apply(n->node->core, text, strlen(text), &out, &err);
    sl_sim_trace(n->in->sim, "%s applies %.200s: %s", n->node->host.name, text,
                 err != NULL ? sl_error_message(err) : "SL_OK");
    sl_error_release(err);
    sl_bytes_release(out);
    sl_mem_free(text);
    sl_sim_node_touched(n->node);
    return status;
}

static sl_json *rows_of(lab_node *n, const char *query)
{
    sl_bytes *out = NULL;
    if (sl_query_once(n->node->core, query, strlen(query), &out, NULL) != SL_OK) {
        return NULL;
    }
    sl_json *rows = sl_json_parse((const char *)sl_bytes_data(out), sl_bytes_len(out));
    sl_bytes_release(out);
    return rows;
}

int lab_count(lab_node *n, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    char *text = text_of(fmt, args);
    va_end(args);
    sl_json *rows = rows_of(n, text);
    int count = rows != NULL ? (int)sl_json_count(rows) : -1;
    sl_json_free(rows);
    sl_mem_free(text);
    return count;
}

void lab_field(lab_node *n, const char *entity, const char *id, const char *field,
               char out[LAB_TEXT])
{
    sl_bytes *bytes = NULL;
    out[0] = 0;
    if (sl_record_get(n->node->core, entity, id, &bytes, NULL) != SL_OK) {
        return;
    }
    sl_json *j = sl_json_parse((const char *)sl_bytes_data(bytes), sl_bytes_len(bytes));
    const sl_json *v = sl_json_get(j, field);
    char *printed = v != NULL && !sl_json_is_string(v) ? sl_json_print(v) : NULL;
    const char *text = printed != NULL ? printed : sl_json_text(v);
    (void)snprintf(out, LAB_TEXT, "%s", text != NULL ? text : "");
    sl_mem_free(printed);
    sl_json_free(j);
    sl_bytes_release(bytes);
}

void lab_id(lab *l, char out[40])
{
    uint8_t random[10];
    for (size_t i = 0; i < sizeof random; i++) {
        random[i] = (uint8_t)sl_sim_dice(l->sim, 256);
    }
    sl_uuid7(out, l->sim->now_ms, random);
}

/* What keeps a device from rest. */
static const char *unrest(const lab_node *n)
{
    sl_outbox_state outbox = {0};
    const sl_core *core = n->node->core;
    return core == NULL                                           ? "is down"
           : !core->session.have                                  ? "is signed out"
           : sl_store_outbox(core->store, &outbox, NULL) != SL_OK ? "cannot be read"
           : !outbox.empty                                        ? "has operations"
           : sl_sync_state_of(core->sync) != SL_SYNC_ONLINE       ? "is offline"
           : !sl_sync_settled(core->sync)                         ? "is behind"
           : !sl_transfers_settled(n->node->core)                 ? "has uploads"
                                                                  : NULL;
}

bool lab_settled(const lab_node *n)
{
    return unrest(n) == NULL;
}

void lab_settle(lab *l, int64_t ms_max)
{
    int64_t end_ms = l->sim->now_ms + ms_max;
    int calm = 0;
    while (calm < 20) {
        const char *who = "the network";
        const char *why = sl_sim_net_quiet(l->sim) ? NULL : "is busy";
        for (unsigned i = 0; i < l->count && why == NULL; i++) {
            who = l->nodes[i].node->host.name;
            why = l->nodes[i].online ? unrest(&l->nodes[i]) : NULL;
        }
        bool all = why == NULL;
        calm = all ? calm + 1 : 0;
        ck_assert_msg(l->sim->now_ms < end_ms, "no rest after %d ms: %s %s", (int)ms_max, who,
                      why != NULL ? why : "does not stay at rest");
        lab_run(l, STEP_MS);
    }
}

void lab_connect(lab_node *from, lab_node *to)
{
    char id[40];
    lab_id(from->in, id);
    ck_assert_int_eq(lab_apply(from,
                               "[{'op':'create','entity':'connection','id':'%s','space':'user:%s',"
                               "'fields':{'peer_email':'%s'}}]",
                               id, from->user, to->email),
                     SL_OK);
    lab_settle(from->in, 20000);
    ck_assert_int_eq(lab_apply(to,
                               "[{'op':'patch','entity':'connection','id':'%s',"
                               "'fields':{'status':'accepted'}}]",
                               id),
                     SL_OK);
    lab_settle(from->in, 20000);
}

void lab_connected(lab *l, lab_node **athlete, lab_node **coach)
{
    *athlete = lab_device(l, "athlete");
    *coach = lab_device(l, "coach");
    lab_sign_up(*athlete, "ana@lab.test", "athlete");
    lab_sign_up(*coach, "cleo@lab.test", "coach");
    lab_connect(*athlete, *coach);
}

void lab_video(lab_node *n, char id[40], char space[SL_SPACE_MAX])
{
    char bytes[64];
    sl_bytes *hex = NULL;
    lab_id(n->in, id);
    sl_space_name(space, "video", id);
    int len = snprintf(bytes, sizeof bytes, "clip %s", id);
    ck_assert_int_eq(sl_blob_put(n->node->core, space, (const uint8_t *)bytes, (size_t)len,
                                 "video/mp4", &hex, NULL),
                     SL_OK);
    ck_assert_int_eq(lab_apply(n,
                               "[{'op':'create','entity':'video','id':'%s','space':'%s','fields':"
                               "{'title':'clip','blob':'%s','media_type':'video/mp4','size':%d,"
                               "'duration_us':1000000,'width':64,'height':64}}]",
                               id, space, (const char *)sl_bytes_data(hex), len),
                     SL_OK);
    sl_bytes_release(hex);
}

void lab_share(lab_node *n, const char *space, const lab_node *with, char id[40])
{
    lab_id(n->in, id);
    ck_assert_int_eq(lab_apply(n,
                               "[{'op':'create','entity':'share','id':'%s','space':'%s',"
                               "'fields':{'user_id':'%s','role':'coach'}}]",
                               id, space, with->user),
                     SL_OK);
}
