/* HTTP requests over the simulated network: one event each at a time, from the start to the end. */
#include "platform/sim/sim.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
    DELAY_MS_MIN = 2,
    DELAY_MS = 60,
    SLOW_MS = 5000,
    LOST_MS = 8000, /* until a client gives up on an answer */
    HEADERS_MAX = 24
};

static const char BASE[] = "http://server";

typedef struct header {
    char *name;
    const char *value;
} header;

struct sl_sim_request {
    sl_sim *sim;
    sl_sim_node *node;
    unsigned life;
    sl_id id;
    bool cancelled;
    bool over;
    char *method;
    char *path;
    const char *query;
    char *header_text;
    header headers[HEADERS_MAX];
    size_t header_count;
    uint8_t *body;
    size_t body_len;
    int32_t status;
    char *answer_headers;
    uint8_t *answer;
    size_t answer_len;
    bool answer_cut;
    sl_sim_request *next;
};

static void request_free(sl_sim_request *r)
{
    sl_mem_free(r->method);
    sl_mem_free(r->path);
    sl_mem_free(r->header_text);
    sl_mem_free(r->body);
    sl_mem_free(r->answer_headers);
    sl_mem_free(r->answer);
    sl_mem_free(r);
}

void sl_sim_requests_free(sl_sim *s)
{
    while (s->requests != NULL) {
        sl_sim_request *r = s->requests;
        s->requests = r->next;
        request_free(r);
    }
}

bool sl_sim_net_quiet(const sl_sim *s)
{
    for (const sl_sim_request *r = s->requests; r != NULL; r = r->next) {
        if (!r->over) {
            return false;
        }
    }
    return true;
}

static int64_t delay(sl_sim *s)
{
    int64_t ms = DELAY_MS_MIN + sl_sim_dice(s, DELAY_MS);
    return sl_sim_strikes(s, SL_FAULT_DELAY, 10) ? ms + sl_sim_dice(s, SLOW_MS) : ms;
}

static bool client_hears(const sl_sim_request *r)
{
    return r->node->listening != NULL && r->node->host.life == r->life;
}

static void finish(sl_sim_request *r, sl_status status)
{
    r->over = true;
    sl_sim_trace(r->sim, "%s request %d ends: %d %s", r->node->host.name, (int)r->id,
                 (int)r->status, sl_status_name(status));
    if (client_hears(r)) {
        sl_sim_guard(r->node, true);
        sl_host_http_done(r->node->listening, r->id, r->cancelled ? SL_E_CANCELLED : status);
        sl_sim_guard(r->node, false);
        sl_sim_node_touched(r->node);
    }
}

static void fail_late(sl_sim *s, void *arg)
{
    (void)s;
    finish(arg, SL_E_NETWORK);
}

static void give_answer(sl_sim *s, void *arg)
{
    sl_sim_request *r = arg;
    if (r->cancelled || !client_hears(r)) {
        finish(r, SL_E_CANCELLED);
        return;
    }
    size_t n = r->answer_cut ? (size_t)sl_sim_dice(s, (int64_t)r->answer_len + 1) : r->answer_len;
    size_t half = n > 1 ? n / 2 : 0;
    sl_sim_guard(r->node, true);
    sl_host_http_head(r->node->listening, r->id, r->status, r->answer_headers);
    sl_sim_guard(r->node, false);
    if (half > 0) {
        sl_sim_guard(r->node, true);
        sl_host_http_data(r->node->listening, r->id, r->answer, half);
        sl_sim_guard(r->node, false);
    }
    if (n > half) {
        sl_sim_guard(r->node, true);
        sl_host_http_data(r->node->listening, r->id, r->answer + half, n - half);
        sl_sim_guard(r->node, false);
    }
    finish(r, r->answer_cut ? SL_E_NETWORK : SL_OK);
}

/* --- at the service ----------------------------------------------------------------------- */

static const char *header_of(void *ctx, const char *name)
{
    const sl_sim_request *r = ctx;
    for (size_t i = 0; i < r->header_count; i++) {
        if (strcasecmp(r->headers[i].name, name) == 0) {
            return r->headers[i].value;
        }
    }
    return NULL;
}

static bool read_file(sl_sim *s, const sl_http_out *out, sl_sim_request *r)
{
    const sl_platform *p = &s->server.host.platform;
    void *f = NULL;
    size_t n = (size_t)out->file_len;
    r->answer = sl_mem(n + 1);
    if (r->answer == NULL || p->files->open(p->user, out->file, SL_FILE_READ, &f) != SL_OK) {
        return false;
    }
    int64_t got = p->files->read(p->user, f, r->answer, n, out->file_at);
    p->files->close(p->user, f);
    r->answer_len = n;
    return got == out->file_len;
}

static bool keep_answer(sl_sim *s, sl_sim_request *r, const sl_http_out *out)
{
    r->status = out->status;
    r->answer_headers = sl_text_dup(out->headers != NULL ? out->headers : "");
    bool ok = r->answer_headers != NULL;
    if (ok && out->file != NULL) {
        return read_file(s, out, r);
    }
    if (ok && out->body != NULL && strcmp(r->method, "HEAD") != 0) {
        r->answer_len = sl_bytes_len(out->body);
        r->answer = sl_mem(r->answer_len + 1);
        ok = r->answer != NULL;
        if (ok && r->answer_len > 0) {
            memcpy(r->answer, sl_bytes_data(out->body), r->answer_len);
        }
    }
    return ok;
}

/* An answer of the network's own: it never was at the service. */
static bool answer_short(sl_sim_request *r, int32_t status, const char *headers, const char *body)
{
    r->status = status;
    r->answer_headers = sl_text_dup(headers);
    r->answer_len = strlen(body);
    r->answer = sl_mem(r->answer_len + 1);
    if (r->answer != NULL) {
        memcpy(r->answer, body, r->answer_len);
    }
    return r->answer_headers != NULL && r->answer != NULL;
}

/* True when the request gets no further than the network. */
static bool turned_away(sl_sim *s, sl_sim_request *r)
{
    bool portal = r->node->portal_until_ms > s->now_ms;
    if (!portal && !sl_sim_strikes(s, SL_FAULT_BUSY, 6)) {
        return false;
    }
    char wait[64];
    (void)snprintf(wait, sizeof wait, "Retry-After: %d\r\nContent-Type: application/json\r\n",
                   1 + (int)(s->now_ms % 3));
    bool ok = portal ? answer_short(r, 200, "Content-Type: text/html\r\n",
                                    "<html><body>Welcome! Please sign in.</body></html>")
                     : answer_short(r, 429, wait,
                                    "{\"error\":\"too_many_requests\",\"message\":\"wait\"}");
    sl_sim_trace(s, "%s %s %s: %s", r->node->host.name, r->method, r->path,
                 portal ? "the portal answers" : "too many requests");
    sl_sim_at(s, s->now_ms + delay(s), ok ? give_answer : fail_late, r, false);
    return true;
}

/* Only bytes of blobs: they have no check of their own but the name. */
static void maybe_damage(sl_sim *s, sl_sim_request *r)
{
    static const char blobs[] = "/api/v1/blobs/";
    bool may = (r->status == 200 || r->status == 206) && r->answer_len > 0 &&
               strcmp(r->method, "GET") == 0 && strncmp(r->path, blobs, sizeof blobs - 1) == 0;
    if (may && sl_sim_strikes(s, SL_FAULT_ANSWER_DAMAGED, 3)) {
        r->node->damaged++;
        r->answer[sl_sim_dice(s, (int64_t)r->answer_len)] ^= (uint8_t)(1 << sl_sim_dice(s, 8));
    }
}

static void at_service(sl_sim *s, void *arg)
{
    sl_sim_request *r = arg;
    if (turned_away(s, r)) {
        return;
    }
    if (s->server.service == NULL || sl_sim_strikes(s, SL_FAULT_REFUSED, 6)) {
        sl_sim_at(s, s->now_ms + delay(s), fail_late, r, false);
        return;
    }
    bool cut = r->body_len > 0 && sl_sim_strikes(s, SL_FAULT_REQUEST_CUT, 8);
    size_t n = cut ? (size_t)sl_sim_dice(s, (int64_t)r->body_len) : r->body_len;
    sl_http_in in = {.method = r->method,
                     .path = r->path,
                     .query = r->query,
                     .header = header_of,
                     .ctx = r,
                     .body = r->body,
                     .body_len = n,
                     .cut = cut};
    sl_http_out out = {0};
    sl_service_http(s->server.service, &in, &out);
    sl_sim_trace(s, "server %s %s from %s, %zu bytes%s: %d", r->method, r->path, r->node->host.name,
                 n, cut ? " (cut)" : "", (int)out.status);
    bool ok = keep_answer(s, r, &out);
    sl_http_out_free(&out);
    ok = ok && !sl_disk_dead(s->server.host.disk);
    sl_sim_server_touched(s);
    if (!ok || cut) {
        sl_sim_at(s, s->now_ms + delay(s), fail_late, r, false);
    } else if (sl_sim_strikes(s, SL_FAULT_ANSWER_LOST, 8)) {
        sl_sim_at(s, s->now_ms + LOST_MS, fail_late, r, false);
    } else {
        maybe_damage(s, r);
        r->answer_cut = sl_sim_strikes(s, SL_FAULT_ANSWER_CUT, 8);
        sl_sim_at(s, s->now_ms + delay(s), give_answer, r, false);
    }
}

/* --- at the client ------------------------------------------------------------------------ */

/* "Name: value" lines, in place. */
static void split_headers(sl_sim_request *r)
{
    char *line = r->header_text;
    while (line != NULL && *line != 0 && r->header_count < HEADERS_MAX) {
        char *end = strstr(line, "\r\n");
        char *colon = strchr(line, ':');
        if (end != NULL) {
            *end = 0;
        }
        if (colon != NULL && (end == NULL || colon < end)) {
            *colon = 0;
            r->headers[r->header_count++] = (header){line, colon + 1 + strspn(colon + 1, " ")};
        }
        line = end != NULL ? end + 2 : NULL;
    }
}

static bool copy_request(sl_sim_request *r, const sl_http_request *request)
{
    size_t base = sizeof BASE - 1;
    if (strncmp(request->url, BASE, base) != 0) {
        return false;
    }
    r->method = sl_text_dup(request->method);
    r->path = sl_text_dup(request->url + base);
    r->header_text = sl_text_dup(request->headers);
    r->body = sl_mem(request->body_len + 1);
    if (r->method == NULL || r->path == NULL || r->header_text == NULL || r->body == NULL) {
        return false;
    }
    if (request->body_len > 0) {
        memcpy(r->body, request->body, request->body_len);
    }
    r->body_len = request->body_len;
    char *mark = strchr(r->path, '?');
    r->query = mark != NULL ? mark + 1 : "";
    if (mark != NULL) {
        *mark = 0;
    }
    split_headers(r);
    return true;
}

static sl_status start(sl_sim_node *n, sl_id id, const sl_http_request *request)
{
    sl_sim *s = n->host.sim;
    sl_sim_request *r = sl_mem(sizeof *r);
    if (r == NULL) {
        return SL_E_NOMEM;
    }
    *r = (sl_sim_request){.sim = s, .node = n, .life = n->host.life, .id = id};
    if (!copy_request(r, request)) {
        sl_sim_fail(s, "%s cannot ask for %s", n->host.name, request->url);
        request_free(r);
        return SL_E_NETWORK;
    }
    r->next = s->requests;
    s->requests = r;
    if (sl_disk_dead(n->host.disk)) {
        r->over = true; /* no machine, no request */
        return SL_OK;
    }
    sl_sim_at(s, s->now_ms + delay(s), at_service, r, false);
    return SL_OK;
}

static sl_status http_start(void *user, sl_id id, const sl_http_request *request)
{
    sl_sim_guard(user, false);
    sl_status status = start(user, id, request);
    sl_sim_guard(user, true);
    return status;
}

static void http_cancel(void *user, sl_id id)
{
    sl_sim_node *n = user;
    for (sl_sim_request *r = n->host.sim->requests; r != NULL; r = r->next) {
        if (r->node == n && r->id == id && r->life == n->host.life) {
            r->cancelled = true;
        }
    }
}

const sl_http_ops sl_sim_http = {
    .struct_size = sizeof(sl_http_ops), .start = http_start, .cancel = http_cancel};
