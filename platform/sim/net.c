/*
 * The network: sockets whose frames keep their order, requests whose answers may be lost.
 *
 * A wire is one socket. Its ends learn of the end each by themselves. What is on its way when it
 * is cut is lost; what was delivered before is always the first part of what was sent.
 */
#include "platform/sim/sim.h"

#include "base/mem.h"

#include <string.h>

enum {
    DELAY_MS_MIN = 1,
    DELAY_MS = 40,
    SLOW_MS = 4000,
    HALF_OPEN_MS = 20000,
    ABNORMAL = 1006
};

struct sl_sim_wire {
    sl_sim *sim;
    sl_sim_node *node;
    unsigned life; /* of the node */
    sl_id ws;      /* the core's number */
    sl_id conn;    /* the service's number, 0 before it got through */
    bool client_up;
    bool server_up;
    bool cut;
    bool binary;
    sl_wire ends;         /* what both know, for those who look on */
    int64_t to_server_ms; /* nothing arrives before what was sent earlier */
    int64_t to_client_ms;
    unsigned pending; /* events on their way */
    sl_sim_wire *next;
};

typedef struct frame {
    sl_sim_wire *wire;
    int32_t code; /* of an end; of a message its kind, SL_WS_* */
    size_t n;
    uint8_t bytes[]; /* followed by a NUL */
} frame;

static int64_t delay(sl_sim *s)
{
    int64_t ms = DELAY_MS_MIN + sl_sim_dice(s, DELAY_MS);
    return sl_sim_strikes(s, SL_FAULT_DELAY, 20) ? ms + sl_sim_dice(s, SLOW_MS) : ms;
}

static frame *frame_new(sl_sim_wire *w, const void *p, size_t n, int32_t code)
{
    frame *f = sl_mem(sizeof *f + n + 1);
    if (f == NULL) {
        sl_sim_fail(w->sim, "out of memory for a frame");
        return NULL;
    }
    f->wire = w;
    f->n = n;
    f->code = code;
    if (n > 0) {
        memcpy(f->bytes, p, n);
    }
    w->pending++;
    return f;
}

static bool client_hears(const sl_sim_wire *w)
{
    return w->client_up && w->node->listening != NULL && w->node->host.life == w->life;
}

static bool server_hears(const sl_sim_wire *w)
{
    return w->server_up && w->sim->server.service != NULL;
}

bool sl_sim_net_half_open(const sl_sim *s)
{
    for (const sl_sim_wire *w = s->wires; w != NULL; w = w->next) {
        if (w->cut && client_hears(w)) {
            return true;
        }
    }
    return false;
}

/* --- deliveries --------------------------------------------------------------------------- */

static void end_client(sl_sim *s, void *arg)
{
    frame *f = arg;
    sl_sim_wire *w = f->wire;
    w->pending--;
    if (!client_hears(w)) {
        return;
    }
    sl_sim_trace(s, "%s socket %d closed %d", w->node->host.name, (int)w->ws, (int)f->code);
    w->client_up = false;
    sl_sim_guard(w->node, true);
    sl_host_ws_closed(w->node->listening, w->ws, f->code);
    sl_sim_guard(w->node, false);
    sl_sim_node_touched(w->node);
}

static void end_server(sl_sim *s, void *arg)
{
    frame *f = arg;
    sl_sim_wire *w = f->wire;
    w->pending--;
    if (server_hears(w)) {
        sl_sim_trace(s, "server conn %d closed", (int)w->conn);
        w->server_up = false;
        sl_service_ws_closed(s->server.service, w->conn);
        sl_sim_server_touched(s);
    }
}

/* The frame as JSON has it: every frame of a connection comes through here once, as it is read. */
static const char *shown(sl_sim *s, const frame *f, bool to_server, size_t *n)
{
    if (!f->wire->binary) {
        *n = f->n;
        return (const char *)f->bytes;
    }
    if (s->show == NULL) {
        s->show = sl_sim_show_new();
    }
    const sl_buf *text = s->show != NULL
                             ? sl_sim_show_frame(s->show, &f->wire->ends, to_server, f->bytes, f->n)
                             : NULL;
    *n = text != NULL ? text->len : 0;
    return text != NULL ? sl_buf_text(text) : "";
}

/* A hole that the next change in the same space shows. */
static bool goes_missing(sl_sim *s, const char *text)
{
    static const char *const spaces[] = {"{\"t\":\"change\",\"space\":\"thread:",
                                         "{\"t\":\"change\",\"space\":\"user:"};
    bool may = strncmp(text, spaces[0], strlen(spaces[0])) == 0 ||
               strncmp(text, spaces[1], strlen(spaces[1])) == 0;
    return may && sl_sim_strikes(s, SL_FAULT_GAP, 30);
}

static bool passes(const frame *f, bool to_server, const char *text, size_t n)
{
    const sl_sim *s = f->wire->sim;
    return s->pass == NULL || s->pass(s->pass_ctx, f->wire->node, to_server, text, n);
}

static void at_client(sl_sim *s, void *arg)
{
    frame *f = arg;
    sl_sim_wire *w = f->wire;
    w->pending--;
    w->node->on_way -= f->n;
    if (w->cut || !client_hears(w)) {
        return;
    }
    size_t n = 0;
    const char *text = shown(s, f, false, &n);
    if (!passes(f, false, text, n)) {
        return;
    }
    if (s->on_frame != NULL) {
        s->on_frame(s->on_frame_ctx, w->node, w->ws, text, n);
    }
    bool lost =
        (s->plant == SL_PLANT_LOST_FRAME && sl_sim_dice(s, 200) == 0) || goes_missing(s, text);
    int times = lost ? 0 : sl_sim_strikes(s, SL_FAULT_TWICE, 20) ? 2 : 1;
    sl_sim_trace(s, "%s socket %d gets %zu %016llx%s %.160s", w->node->host.name, (int)w->ws, f->n,
                 (unsigned long long)sl_sim_hash_of(f->bytes, f->n), lost ? " (lost)" : "", text);
    for (int i = 0; i < times; i++) {
        sl_sim_guard(w->node, true);
        sl_host_ws_message(w->node->listening, w->ws, f->code, f->bytes, f->n);
        sl_sim_guard(w->node, false);
    }
    sl_sim_node_touched(w->node);
}

static void at_server(sl_sim *s, void *arg)
{
    frame *f = arg;
    sl_sim_wire *w = f->wire;
    w->pending--;
    if (w->cut || !server_hears(w)) {
        return;
    }
    size_t n = 0;
    const char *text = shown(s, f, true, &n);
    if (!passes(f, true, text, n)) {
        return;
    }
    sl_sim_trace(s, "server conn %d gets %zu %016llx %.160s", (int)w->conn, f->n,
                 (unsigned long long)sl_sim_hash_of(f->bytes, f->n), text);
    sl_service_ws_message(s->server.service, w->conn, f->bytes, f->n);
    sl_sim_server_touched(s);
}

static void tell_client_end(sl_sim_wire *w, int64_t in_ms, int32_t code)
{
    frame *f = w->client_up ? frame_new(w, "", 0, code) : NULL;
    if (f != NULL) {
        sl_sim_at(w->sim, w->sim->now_ms + in_ms, end_client, f, true);
    }
}

static void tell_server_end(sl_sim_wire *w, int64_t in_ms)
{
    frame *f = w->server_up ? frame_new(w, "", 0, 0) : NULL;
    if (f != NULL) {
        sl_sim_at(w->sim, w->sim->now_ms + in_ms, end_server, f, true);
    }
}

static void cut(sl_sim *s, void *arg)
{
    frame *f = arg;
    sl_sim_wire *w = f->wire;
    w->pending--;
    if (w->cut) {
        return;
    }
    sl_sim_trace(s, "%s socket %d cut", w->node->host.name, (int)w->ws);
    w->cut = true;
    int64_t client_ms = delay(s);
    int64_t server_ms = delay(s);
    if (sl_sim_strikes(s, SL_FAULT_WS_HALF_OPEN, 2)) {
        int64_t late_ms = sl_sim_dice(s, HALF_OPEN_MS);
        *(sl_sim_dice(s, 2) == 0 ? &client_ms : &server_ms) += late_ms;
    }
    tell_client_end(w, client_ms, ABNORMAL);
    tell_server_end(w, server_ms);
}

/* Each frame is an occasion for the wire to be cut, somewhat before or after it arrives. */
static void maybe_cut(sl_sim_wire *w)
{
    sl_sim *s = w->sim;
    if (!w->cut &&
        (sl_sim_strikes(s, SL_FAULT_WS_CUT, 80) || sl_sim_strikes(s, SL_FAULT_WS_HALF_OPEN, 200))) {
        frame *f = frame_new(w, "", 0, 0);
        if (f != NULL) {
            sl_sim_at(s, s->now_ms + sl_sim_dice(s, DELAY_MS * 2), cut, f, true);
        }
    }
}

static int64_t later(int64_t *last_ms, int64_t at_ms)
{
    *last_ms = at_ms > *last_ms ? at_ms : *last_ms;
    return *last_ms;
}

static void queue_frame(sl_sim_wire *w, bool to_server, int32_t kind, const void *p, size_t n)
{
    sl_sim *s = w->sim;
    maybe_cut(w);
    frame *f = frame_new(w, p, n, kind);
    if (f != NULL && !to_server) {
        sl_sim_node *node = w->node;
        node->on_way += n;
        node->on_way_max = node->on_way > node->on_way_max ? node->on_way : node->on_way_max;
    }
    if (f != NULL) {
        int64_t at_ms =
            later(to_server ? &w->to_server_ms : &w->to_client_ms, s->now_ms + delay(s));
        sl_sim_at(s, at_ms, to_server ? at_server : at_client, f, true);
    }
}

/* --- the client's side -------------------------------------------------------------------- */

static void arrive(sl_sim *s, void *arg)
{
    frame *f = arg;
    sl_sim_wire *w = f->wire;
    w->pending--;
    bool portal = w->node->portal_until_ms > s->now_ms; /* its page is no answer to an upgrade */
    if (portal || s->server.service == NULL || sl_sim_strikes(s, SL_FAULT_REFUSED, 3)) {
        tell_client_end(w, delay(s), ABNORMAL);
        return;
    }
    w->conn = ++s->server.last_conn;
    w->server_up = true;
    sl_sim_trace(s, "%s socket %d is conn %d", w->node->host.name, (int)w->ws, (int)w->conn);
    sl_service_ws_open(s->server.service, w->conn, w->binary);
    if (client_hears(w)) { /* the answer to the opening takes no time of its own */
        sl_sim_guard(w->node, true);
        sl_host_ws_opened(w->node->listening, w->ws);
        sl_sim_guard(w->node, false);
        sl_sim_node_touched(w->node);
    } else {
        tell_server_end(w, delay(s));
    }
    sl_sim_server_touched(s);
}

static sl_status open_wire(sl_sim_node *n, sl_id ws, const char *url, const char *subprotocol)
{
    sl_sim *s = n->host.sim;
    bool good =
        strcmp(url, "ws://server/api/v1/ws") == 0 && strncmp(subprotocol, "sideline.v1", 11) == 0;
    bool binary = strcmp(subprotocol, SL_FRAME_PROTOCOL_BIN) == 0;
    if (!good) {
        sl_sim_fail(s, "%s opens a socket to %s", n->host.name, url);
        return SL_E_NETWORK;
    }
    sl_sim_wire *w = sl_mem(sizeof *w);
    if (w == NULL) {
        return SL_E_NOMEM;
    }
    *w = (sl_sim_wire){
        .sim = s, .node = n, .life = n->host.life, .ws = ws, .client_up = true, .binary = binary};
    w->next = s->wires;
    s->wires = w;
    frame *f = frame_new(w, "", 0, 0);
    if (f != NULL) {
        sl_sim_at(s, s->now_ms + delay(s), arrive, f, true);
    }
    return SL_OK;
}

static sl_status ws_open(void *user, sl_id ws, const char *url, const char *subprotocol)
{
    sl_sim_guard(user, false);
    sl_status status = open_wire(user, ws, url, subprotocol);
    sl_sim_guard(user, true);
    return status;
}

static sl_sim_wire *wire_of(sl_sim_node *n, sl_id ws)
{
    for (sl_sim_wire *w = n->host.sim->wires; w != NULL; w = w->next) {
        if (w->node == n && w->ws == ws && w->life == n->host.life && w->client_up) {
            return w;
        }
    }
    return NULL;
}

static sl_status ws_send(void *user, sl_id ws, int32_t kind, const uint8_t *p, size_t n)
{
    sl_sim_node *node = user;
    sl_sim_wire *w = wire_of(node, ws);
    sl_sim_guard(node, false);
    if (w != NULL && !sl_disk_dead(node->host.disk)) {
        queue_frame(w, true, kind, p, n);
    }
    sl_sim_guard(node, true);
    return SL_OK;
}

static void ws_close(void *user, sl_id ws, int32_t code, const char *reason)
{
    sl_sim_node *node = user;
    sl_sim *s = node->host.sim;
    sl_sim_wire *w = wire_of(node, ws);
    (void)reason;
    if (w == NULL || sl_disk_dead(node->host.disk)) {
        return;
    }
    sl_sim_guard(node, false);
    int64_t at_ms = later(&w->to_server_ms, s->now_ms + delay(s)) - s->now_ms;
    tell_server_end(w, at_ms);
    tell_client_end(w, at_ms + delay(s), code);
    sl_sim_guard(node, true);
}

const sl_ws_ops sl_sim_ws = {
    .struct_size = sizeof(sl_ws_ops), .open = ws_open, .send = ws_send, .close = ws_close};

/* --- the service's side ------------------------------------------------------------------- */

static sl_sim_wire *wire_of_conn(sl_sim *s, sl_id conn)
{
    for (sl_sim_wire *w = s->wires; w != NULL; w = w->next) {
        if (w->conn == conn && w->server_up) {
            return w;
        }
    }
    return NULL;
}

void sl_sim_net_send(sl_sim *s, sl_id conn, const void *p, size_t n)
{
    if (s->on_tap != NULL && conn >= s->tap_from) {
        s->on_tap(s->on_tap_ctx, conn, SL_WS_TEXT, p, n);
        return;
    }
    sl_sim_wire *w = wire_of_conn(s, conn);
    if (w != NULL && !sl_disk_dead(s->server.host.disk)) {
        queue_frame(w, false, w->binary ? SL_WS_BINARY : SL_WS_TEXT, p, n);
    }
}

void sl_sim_net_close(sl_sim *s, sl_id conn, int32_t code)
{
    sl_sim_wire *w = wire_of_conn(s, conn);
    if (w != NULL && !sl_disk_dead(s->server.host.disk)) {
        w->server_up = false;
        tell_client_end(w, later(&w->to_client_ms, s->now_ms + delay(s)) - s->now_ms, code);
    }
}

void sl_sim_net_cut_node(sl_sim_node *n)
{
    sl_sim *s = n->host.sim;
    for (sl_sim_wire *w = s->wires; w != NULL; w = w->next) {
        if (w->node == n && w->life == n->host.life && w->client_up && !w->cut) {
            frame *f = frame_new(w, "", 0, 0);
            if (f != NULL) {
                sl_sim_at(s, s->now_ms, cut, f, true);
            }
        }
    }
}

/* --- ends --------------------------------------------------------------------------------- */

void sl_sim_net_server_gone(sl_sim *s, bool power)
{
    for (sl_sim_wire *w = s->wires; w != NULL; w = w->next) {
        if (w->server_up) {
            w->server_up = false;
            w->cut = w->cut || power;
            tell_client_end(w, power ? sl_sim_dice(s, HALF_OPEN_MS) : delay(s), ABNORMAL);
        }
    }
}

void sl_sim_net_free(sl_sim *s)
{
    while (s->wires != NULL) {
        sl_sim_wire *w = s->wires;
        s->wires = w->next;
        sl_wire_free(&w->ends);
        sl_mem_free(w);
    }
    sl_sim_show_free(s->show);
    s->show = NULL;
    sl_sim_requests_free(s);
}

void sl_sim_net_node_gone(sl_sim_node *n, bool power)
{
    sl_sim *s = n->host.sim;
    for (sl_sim_wire *w = s->wires; w != NULL; w = w->next) {
        if (w->node == n && w->life == n->host.life && w->client_up) {
            w->client_up = false;
            w->cut = w->cut || power;
            tell_server_end(w, power ? sl_sim_dice(s, HALF_OPEN_MS) : delay(s));
        }
    }
    n->listening = NULL;
}
