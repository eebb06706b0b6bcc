/*
 * The truth: what the service tells each person who asks for everything anew. It speaks the
 * protocol itself, has no store, and so shares nothing with the cores but the service.
 */
#include "base/mem.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

enum {
    CONN_FIRST = 1000000000
};

typedef struct reader {
    world *w;
    const person *who;
    sl_id conn;
    truth *into; /* NULL: a space that was read before */
    const char *space;
    int64_t at;
    int64_t newest;
    size_t paged; /* bytes of pages that the service was not told to be done with */
    bool connected;
    bool done;
} reader;

const sl_json *truth_record(const world *w, const char *space, const char *entity, const char *id)
{
    char key[80];
    (void)snprintf(key, sizeof key, "%s/%s", entity, id);
    for (size_t i = 0; i < w->truth_count; i++) {
        if (strcmp(w->truths[i].space, space) == 0) {
            return sl_json_get(w->truths[i].records, key);
        }
    }
    return NULL;
}

void free_truth(world *w)
{
    for (size_t i = 0; i < w->truth_count; i++) {
        sl_json_free(w->truths[i].records);
    }
    sl_mem_free(w->truths);
    w->truths = NULL;
    w->truth_count = 0;
    w->holds.count = 0;
}

static truth *find_truth(world *w, const char *space)
{
    for (size_t i = 0; i < w->truth_count; i++) {
        if (strcmp(w->truths[i].space, space) == 0) {
            return &w->truths[i];
        }
    }
    return NULL;
}

/* --- frames ------------------------------------------------------------------------------- */

static void on_page(reader *r, const sl_json *frame)
{
    world *w = r->w;
    int64_t from = sl_json_int_or(frame, "from", -1);
    int64_t to = sl_json_int_or(frame, "to", -1);
    if (from != r->at || to < from) {
        sl_sim_fail(w->sim, "a page of %s goes from %lld to %lld, after %lld", r->space,
                    (long long)from, (long long)to, (long long)r->at);
    }
    const sl_json *records = sl_json_get(frame, "records");
    for (const sl_json *rec = sl_json_first(records); rec != NULL; rec = sl_json_next(rec)) {
        char key[80];
        int64_t seq = sl_json_int_or(rec, "seq", -1);
        if (seq <= r->newest || seq > to || seq <= from) {
            sl_sim_fail(w->sim, "a page of %s has seq %lld out of order", r->space, (long long)seq);
        }
        r->newest = seq;
        (void)snprintf(key, sizeof key, "%s/%s", sl_json_str(rec, "entity"),
                       sl_json_str(rec, "id"));
        if (r->into != NULL && !sl_json_set(r->into->records, key, sl_json_clone(rec))) {
            sl_sim_fail(w->sim, "out of memory");
        }
    }
    r->at = to;
}

static void on_subscribed(reader *r, const sl_json *frame)
{
    int64_t seq = sl_json_int_or(frame, "seq", -1);
    const char *epoch = sl_json_str(frame, "epoch");
    r->done = true;
    bool retained = r->w->sim->fault_counts[SL_FAULT_RETENTION] > 0; /* the newest may be gone */
    if (seq != r->at || (r->into != NULL && r->newest != seq && !retained)) {
        sl_sim_fail(r->w->sim, "%s is at %lld, its pages reach %lld, its newest record is %lld",
                    r->space, (long long)seq, (long long)r->at, (long long)r->newest);
    }
    if (r->into != NULL) {
        r->into->seq = seq;
        (void)snprintf(r->into->epoch, sizeof r->into->epoch, "%s", epoch != NULL ? epoch : "");
    }
    world_tie(r->w, &r->w->holds, r->who->index, r->space);
}

static void on_tap(void *ctx, sl_id conn, int32_t kind, const uint8_t *p, size_t n)
{
    reader *r = ctx;
    sl_json *frame = kind == SL_WS_TEXT ? sl_json_parse((const char *)p, n) : NULL;
    const char *t = sl_json_str(frame, "t");
    const char *space = sl_json_str(frame, "space");
    bool ours =
        conn == r->conn && space != NULL && r->space != NULL && strcmp(space, r->space) == 0;
    if (t == NULL || strcmp(t, "error") == 0) {
        sl_sim_fail(r->w->sim, "%s asks for %s and is told %.*s", r->who->name,
                    r->space != NULL ? r->space : "nothing", (int)n, (const char *)p);
    } else if (strcmp(t, "connected") == 0) {
        r->connected = true;
    } else if (ours && strcmp(t, "page") == 0) {
        r->paged += n;
        on_page(r, frame);
    } else if (ours && strcmp(t, "subscribed") == 0) {
        on_subscribed(r, frame);
    }
    sl_json_free(frame);
}

static void send(reader *r, const char *text)
{
    sl_service_ws_message(r->w->sim->server.service, r->conn, text, strlen(text));
}

/* --- reading ------------------------------------------------------------------------------ */

static const char *no_header(void *ctx, const char *name)
{
    (void)ctx;
    return strcmp(name, "content-type") == 0 ? "application/json" : NULL;
}

/* Signs in on a device of its own; the token is sl_mem text, NULL when it cannot. */
static char *log_in(reader *r, const char *device)
{
    char body[200];
    int n = snprintf(body, sizeof body,
                     "{\"email\":\"%s\",\"password\":\"correct horse\",\"device\":\"%s\"}",
                     r->who->email, device);
    sl_http_in in = {.method = "POST",
                     .path = "/api/v1/auth/login",
                     .query = "",
                     .header = no_header,
                     .body = (const uint8_t *)body,
                     .body_len = (size_t)n};
    sl_http_out out = {0};
    sl_service_http(r->w->sim->server.service, &in, &out);
    sl_json *j = out.body != NULL
                     ? sl_json_parse((const char *)sl_bytes_data(out.body), sl_bytes_len(out.body))
                     : NULL;
    const char *token = sl_json_str(j, "access_token");
    char *copy = token != NULL ? sl_text_dup(token) : NULL;
    if (copy == NULL) {
        sl_sim_fail(r->w->sim, "%s cannot sign in anew: %d", r->who->name, (int)out.status);
    }
    sl_json_free(j);
    sl_http_out_free(&out);
    return copy;
}

static bool greet(reader *r)
{
    char device[SL_UUID_LEN + 1];
    world_id(r->w, device);
    char *token = log_in(r, device);
    if (token == NULL) {
        return false;
    }
    char *text = sl_text_fmt("{\"t\":\"connect\",\"v\":1,\"token\":\"%s\",\"device\":\"%s\","
                             "\"floor\":1}",
                             token, device);
    sl_service_ws_open(r->w->sim->server.service, r->conn, false);
    if (text != NULL) {
        send(r, text);
    }
    sl_mem_free(text);
    char **kept = &r->w->people[r->who->index].token;
    sl_mem_free(*kept);
    *kept = token;
    return r->connected;
}

static void read_space(reader *r, const char *space)
{
    world *w = r->w;
    char text[160];
    truth *known = find_truth(w, space);
    r->space = space;
    r->at = known != NULL ? known->seq : 0;
    r->newest = r->at;
    r->done = false;
    r->into = NULL;
    if (known == NULL) {
        truth *grown = sl_mem_resize(w->truths, w->truth_count + 1, sizeof *grown);
        sl_json *records = sl_json_object();
        if (grown == NULL || records == NULL) {
            sl_json_free(records);
            sl_sim_fail(w->sim, "out of memory");
            return;
        }
        w->truths = grown;
        r->into = &grown[w->truth_count++];
        memset(r->into, 0, sizeof *r->into);
        r->into->records = records;
        (void)snprintf(r->into->space, sizeof r->into->space, "%s", space);
    }
    (void)snprintf(text, sizeof text,
                   "{\"t\":\"subscribe\",\"space\":\"%s\",\"epoch\":\"%s\",\"from\":%lld}", space,
                   known != NULL ? known->epoch : "", (long long)r->at);
    send(r, text);
    while (!r->done && r->paged > 0) {
        (void)snprintf(text, sizeof text, "{\"t\":\"more\",\"bytes\":%zu}", r->paged);
        r->paged = 0;
        send(r, text);
    }
    if (!r->done) {
        sl_sim_fail(w->sim, "%s has a grant for %s and may not read it", r->who->name, space);
    }
}

static void read_person(world *w, const person *who)
{
    reader r = {.w = w, .who = who, .conn = CONN_FIRST + who->index};
    char own[SL_SPACE_MAX];
    w->sim->tap_from = CONN_FIRST;
    w->sim->on_tap = on_tap;
    w->sim->on_tap_ctx = &r;
    sl_space_name(own, "user", who->user);
    if (greet(&r)) {
        read_space(&r, own);
        const truth *t = find_truth(w, own);
        sl_json *records = t != NULL ? sl_json_clone(t->records) : NULL; /* truths move */
        for (const sl_json *rec = sl_json_first(records); rec != NULL && w->sim->failure == NULL;
             rec = sl_json_next(rec)) {
            const char *entity = sl_json_str(rec, "entity");
            const char *target = sl_json_str(sl_json_get(rec, "fields"), "target");
            if (entity != NULL && strcmp(entity, "grant") == 0 && target != NULL &&
                !sl_json_bool_or(rec, "deleted", false)) {
                read_space(&r, target);
            }
        }
        sl_json_free(records);
    }
    sl_service_ws_closed(w->sim->server.service, r.conn);
    w->sim->on_tap = NULL;
}

bool read_truth(world *w)
{
    free_truth(w);
    for (unsigned i = 0; i < w->people_count && w->sim->failure == NULL; i++) {
        if (w->people[i].account) {
            read_person(w, &w->people[i]);
        }
    }
    return w->sim->failure == NULL;
}
