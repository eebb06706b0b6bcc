/*
 * server/conn.c - WebSocket connections: whole messages to the service in their order, what came while
 * it was busy all at once. What it sends goes out by out.c.
 *
 * What the service is told of a connection ends with its end, and whoever told it frees the connection.
 */
#include "server/conn_inside.h"
#include "sync/frame.h"

#include "base/mem.h"

#include <stddef.h>
#include <string.h>

enum {
    CLOSE_GOING_AWAY = 1001,
    CLOSE_BROKEN = 4400,
    CLOSE_WHO = 4401,
    CLOSE_TOO_BIG = 1009,
    PLACE_MAX = 300, /* of a URL's host and port */
    LIST_MAX = 1024, /* of the addresses it came by */
    US_PER_S = 1000000,
    LIVE_MAX = 512 /* of what connections say, worked on at once */
};

/* ---- the table, all called locked ---- */

/* The place of `id`, or where it would be. */
static size_t find_slot(const sl_adapter *a, sl_id id)
{
    size_t lo = 0;
    size_t hi = a->n_conns;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (a->conns[mid]->id < id) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

sl_conn *sl_conn_find(const sl_adapter *a, sl_id id)
{
    size_t i = find_slot(a, id);
    return i < a->n_conns && a->conns[i]->id == id ? a->conns[i] : NULL;
}

static bool add_conn(sl_adapter *a, sl_conn *c)
{
    if (a->n_conns == SL_SERVER_CONNS_MAX) {
        return false;
    }
    if (a->n_conns == a->cap_conns) {
        size_t cap = a->cap_conns == 0 ? 16 : a->cap_conns * 2;
        sl_conn **conns = sl_mem_resize(a->conns, cap, sizeof(sl_conn *));
        if (conns == NULL) {
            return false;
        }
        a->conns = conns;
        a->cap_conns = cap;
    }
    c->id = ++a->last_conn;
    a->conns[a->n_conns++] = c;
    return true;
}

static void remove_conn(sl_adapter *a, const sl_conn *c)
{
    size_t i = find_slot(a, c->id);
    if (i < a->n_conns && a->conns[i] == c) {
        a->n_conns--;
        memmove(&a->conns[i], &a->conns[i + 1], (a->n_conns - i) * sizeof(sl_conn *));
    }
    for (sl_conn **at = &a->dirty; *at != NULL; at = &(*at)->dirty) {
        if (*at == c) {
            *at = c->dirty;
            break;
        }
    }
}

/* ---- to the service ---- */

static void conn_free(sl_conn *c)
{
    sl_mem_free(c->left);
    sl_mem_free(c->reason);
    sl_buf_free(&c->in);
    sl_buf_free(&c->out);
    sl_mem_free(c);
}

/* Takes the first of what waits off the queue, LIVE_MAX at most. */
static size_t take_news(sl_adapter *a, sl_ws_event list[LIVE_MAX], sl_news **first)
{
    size_t n = 0;
    size_t bytes = 0;
    sl_lock(a->lock);
    *first = a->news;
    sl_news **end = first;
    while (*end != NULL && n < LIVE_MAX && bytes < SL_SERVER_FRAME_MAX) {
        sl_news *one = *end;
        list[n++] = (sl_ws_event){one->conn->id, one->what, one->conn->binary, one->data, one->n};
        bytes += one->n;
        end = &one->next;
    }
    a->news = *end;
    *end = NULL;
    a->live_posted = n > 0;
    a->gathering = n > 0;
    sl_unlock(a->lock);
    return n;
}

static void news_done(sl_adapter *a, sl_news *first)
{
    sl_lock(a->lock);
    a->gathering = false;
    sl_conn_flush(a);
    for (const sl_news *one = first; one != NULL; one = one->next) {
        sl_conn *c = one->conn;
        c->in_len -= one->n;
        if (c->paused && c->in_len <= SL_SERVER_IN_MAX / 2) {
            sl_conn_mark(c);
        }
    }
    sl_unlock(a->lock);
    while (first != NULL) {
        sl_news *one = first;
        first = one->next;
        if (one->what == SL_WS_LEFT) {
            conn_free(one->conn);
        }
        sl_mem_free(one);
    }
}

/* What came while the last were worked on is the next batch. */
static void run_live(sl_work *work)
{
    sl_adapter *a = (sl_adapter *)(void *)((char *)work - offsetof(sl_adapter, live_work));
    sl_ws_event list[LIVE_MAX];
    sl_news *first = NULL;
    for (size_t n = take_news(a, list, &first); n > 0; n = take_news(a, list, &first)) {
        sl_service_ws_events(a->service, list, n);
        news_done(a, first);
    }
}

void sl_conn_hand_over(sl_adapter *a)
{
    sl_lock(a->lock);
    bool post = a->news != NULL && !a->live_posted;
    a->live_posted = a->live_posted || post;
    sl_unlock(a->lock);
    if (post) {
        a->live_work.run = run_live;
        sl_pool_post(a->pool, &a->live, &a->live_work);
    }
}

/* Takes the news; false when the connection is to be read from no further for now. */
static bool post_news(sl_conn *c, sl_news *one)
{
    sl_adapter *a = c->adapter;
    sl_lock(a->lock);
    one->next = NULL;
    if (a->news == NULL) {
        a->news_end = &a->news;
    }
    *a->news_end = one;
    a->news_end = &one->next;
    c->in_len += one->n;
    bool pause = !c->paused && c->in_len > SL_SERVER_IN_MAX;
    c->paused = c->paused || pause;
    sl_unlock(a->lock);
    return !pause;
}

static sl_news *news_new(sl_conn *c, sl_ws_what what, size_t n)
{
    sl_news *one = sl_mem(sizeof *one + n + 1);
    if (one != NULL) {
        one->conn = c;
        one->what = what;
        one->n = n;
    }
    return one;
}

/* ---- those that have said nothing yet ---- */

/* A timer for all of them: they come in the order in which their time is over. */
static void wait_for_first(sl_adapter *a, lws_usec_t now)
{
    if (a->unheard == NULL) {
        lws_sul_cancel(&a->unheard_timer);
        return;
    }
    lws_usec_t left = a->unheard->since + (lws_usec_t)SL_SERVER_HEARD_S * US_PER_S - now;
    lws_sul_schedule(a->context, 0, &a->unheard_timer, sl_conn_on_unheard, left > 1 ? left : 1);
}

static void unheard_add(sl_conn *c)
{
    sl_adapter *a = c->adapter;
    c->since = lws_now_usecs();
    c->unheard_had = a->unheard_last;
    if (a->unheard_last != NULL) {
        a->unheard_last->unheard = c;
    } else {
        a->unheard = c;
    }
    a->unheard_last = c;
    if (a->unheard == c) {
        wait_for_first(a, c->since);
    }
}

static void unheard_remove(sl_conn *c)
{
    sl_adapter *a = c->adapter;
    if (c->heard) {
        return;
    }
    c->heard = true;
    *(c->unheard_had != NULL ? &c->unheard_had->unheard : &a->unheard) = c->unheard;
    *(c->unheard != NULL ? &c->unheard->unheard_had : &a->unheard_last) = c->unheard_had;
    if (a->unheard == NULL) {
        lws_sul_cancel(&a->unheard_timer);
    }
}

void sl_conn_on_unheard(lws_sorted_usec_list_t *timer)
{
    sl_adapter *a = lws_container_of(timer, sl_adapter, unheard_timer);
    lws_usec_t now = lws_now_usecs();
    lws_usec_t over = now - (lws_usec_t)SL_SERVER_HEARD_S * US_PER_S;
    while (a->unheard != NULL && a->unheard->since <= over) {
        sl_conn *c = a->unheard;
        unheard_remove(c);
        sl_lock(a->lock);
        sl_conn_end(c, CLOSE_WHO, "nothing was said in time");
        sl_unlock(a->lock);
    }
    wait_for_first(a, now);
}

/* ---- the loop's side ---- */

bool sl_conn_handshake_ok(struct lws *wsi)
{
    enum {
        KEY_LEN = 24,
        DIGITS = KEY_LEN - 2
    };
    char path[32] = "";
    char version[8] = "";
    char key[KEY_LEN + 1] = "";
    (void)lws_hdr_copy(wsi, path, (int)sizeof path, WSI_TOKEN_GET_URI);
    (void)lws_hdr_copy(wsi, version, (int)sizeof version, WSI_TOKEN_VERSION);
    (void)lws_hdr_copy(wsi, key, (int)sizeof key, WSI_TOKEN_KEY);
    return strcmp(path, "/api/v1/ws") == 0 && strcmp(version, "13") == 0 &&
           lws_hdr_total_length(wsi, WSI_TOKEN_KEY) == KEY_LEN &&
           strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") ==
               DIGITS &&
           strcmp(key + DIGITS, "==") == 0 && lws_hdr_total_length(wsi, WSI_TOKEN_HOST) > 0 &&
           lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH) == 0 &&
           lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) == 0;
}

bool sl_conn_origin_ok(struct lws *wsi)
{
    const sl_adapter *a = lws_context_user(lws_get_context(wsi));
    char origin[PLACE_MAX] = "";
    char host[PLACE_MAX] = "";
    bool has = lws_hdr_total_length(wsi, WSI_TOKEN_ORIGIN) > 0;
    /* What is too long for us is nobody's. */
    bool whole = !has || lws_hdr_copy(wsi, origin, (int)sizeof origin, WSI_TOKEN_ORIGIN) > 0;
    (void)lws_hdr_copy(wsi, host, (int)sizeof host, WSI_TOKEN_HOST);
    return whole && sl_origin_ok(&a->origins, has ? origin : NULL, host);
}

/* Where it comes from; false: not known, and not counted. */
static bool read_key(struct lws *wsi, uint8_t key[SL_PEER_BYTES])
{
    const sl_adapter *a = lws_context_user(lws_get_context(wsi));
    char list[LIST_MAX] = "";
    char peer[SL_PEER_TEXT] = "";
    if (a->behind_proxy &&
        lws_hdr_copy(wsi, list, (int)sizeof list, WSI_TOKEN_X_FORWARDED_FOR) > 0) {
        sl_peer_forwarded(list, peer);
    } else {
        a->watch->peer(lws_get_socket_fd(wsi), peer, sizeof peer);
    }
    return sl_peer_key(peer, key);
}

bool sl_conn_crowded(struct lws *wsi)
{
    const sl_adapter *a = lws_context_user(lws_get_context(wsi));
    uint8_t key[SL_PEER_BYTES];
    return a->address_conns > 0 && read_key(wsi, key) &&
           sl_peers_count(&a->peers, key) >= (size_t)a->address_conns;
}

static int on_established(struct lws *wsi, sl_session *session)
{
    sl_adapter *a = lws_context_user(lws_get_context(wsi));
    session->request = NULL;
    session->conn = NULL;
    bool clean = a->watch->begin(lws_get_socket_fd(wsi), SL_SERVER_FRAME_MAX);
    sl_conn *c = a->closing || !clean ? NULL : sl_mem(sizeof *c);
    if (c == NULL) {
        return -1;
    }
    c->adapter = a;
    c->wsi = wsi;
    c->binary = strcmp(lws_get_protocol(wsi)->name, SL_FRAME_PROTOCOL_BIN) == 0;
    c->left = news_new(c, SL_WS_LEFT, 0);
    sl_news *opened = news_new(c, SL_WS_OPENED, 0);
    sl_lock(a->lock);
    bool added = c->left != NULL && opened != NULL && add_conn(a, c);
    sl_unlock(a->lock);
    if (!added) {
        sl_mem_free(opened);
        conn_free(c);
        return -1;
    }
    session->conn = c;
    uint8_t key[SL_PEER_BYTES];
    if (a->address_conns > 0 && read_key(wsi, key)) {
        sl_peers_add(&a->peers, &c->peer, key);
    }
    unheard_add(c);
    (void)post_news(c, opened);
    return 0;
}

static int close_now(struct lws *wsi, int32_t code, const char *reason)
{
    unsigned char text[SL_CONN_REASON_MAX];
    size_t n = 0;
    while (n < sizeof text && reason[n] != '\0') {
        text[n] = (unsigned char)reason[n];
        n++;
    }
    lws_close_reason(wsi, (enum lws_close_status)code, text, n);
    return -1;
}

static int on_receive(struct lws *wsi, const sl_session *session, const void *p, size_t n)
{
    sl_conn *c = session->conn;
    if (c == NULL || c->adapter->closing) {
        return -1;
    }
    if (c->in.len + n > SL_SERVER_FRAME_MAX) {
        return close_now(wsi, CLOSE_TOO_BIG, "message too big");
    }
    bool whole = lws_is_final_fragment(wsi) != 0 && lws_remaining_packet_payload(wsi) == 0;
    if (!whole || c->in.len > 0) {
        sl_buf_put(&c->in, p, n);
        p = c->in.data;
        n = c->in.len;
    }
    if (c->in.failed) {
        return -1;
    }
    if (!whole) {
        return 0;
    }
    if ((lws_frame_is_binary(wsi) != 0) != c->binary) {
        return close_now(wsi, CLOSE_BROKEN, c->binary ? "binary frames only" : "text frames only");
    }
    sl_news *one = news_new(c, SL_WS_SAID, n);
    if (one == NULL) {
        return -1;
    }
    if (n > 0) {
        memcpy(one->data, p, n);
    }
    sl_buf_free(&c->in);
    memset(&c->in, 0, sizeof c->in);
    unheard_remove(c);
    if (!post_news(c, one)) {
        (void)lws_rx_flow_control(wsi, 0);
    }
    return 0;
}

static int on_writeable(struct lws *wsi, const sl_session *session)
{
    sl_conn *c = session->conn;
    if (c == NULL || !sl_conn_write(c)) {
        return -1;
    }
    sl_lock(c->adapter->lock);
    bool ends = c->code != 0 && c->out.len == 0;
    int32_t code = c->code;
    char *reason = ends ? c->reason : NULL;
    c->reason = ends ? NULL : c->reason;
    sl_unlock(c->adapter->lock);
    if (!ends || lws_partial_buffered(wsi) != 0) {
        return 0;
    }
    int result = close_now(wsi, code, reason != NULL ? reason : "");
    sl_mem_free(reason);
    return result;
}

static void on_closed(sl_session *session)
{
    sl_conn *c = session->conn;
    session->conn = NULL;
    if (c == NULL) {
        return;
    }
    sl_adapter *a = c->adapter;
    unheard_remove(c);
    sl_peers_remove(&a->peers, &c->peer);
    sl_lock(a->lock);
    remove_conn(a, c);
    c->wsi = NULL;
    c->is_dirty = true; /* in no list any more, and to be put in none */
    sl_unlock(a->lock);
    if (a->pool != NULL) {
        sl_news *left = c->left;
        c->left = NULL;
        (void)post_news(c, left);
    } else {
        conn_free(c);
    }
}

void sl_conn_close_all(sl_adapter *a)
{
    sl_lock(a->lock);
    for (size_t i = 0; i < a->n_conns; i++) {
        sl_conn_end(a->conns[i], CLOSE_GOING_AWAY, "server stops");
    }
    sl_unlock(a->lock);
}

/* libwebsockets answers a close in kind, but for codes that are younger than it. */
static int on_peer_close(struct lws *wsi)
{
    const sl_adapter *a = lws_context_user(lws_get_context(wsi));
    int32_t code = a->watch->said(lws_get_socket_fd(wsi));
    return code != 0 ? close_now(wsi, code, "") : 0;
}

static void note_fault(struct lws *wsi)
{
    sl_adapter *a = lws_context_user(lws_get_context(wsi));
    int32_t code = a->watch->fault(lws_get_socket_fd(wsi));
    if (code != 0) {
        sl_refusal_note(a, wsi, "ws.refused", code);
    }
}

int sl_conn_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                     size_t n)
{
    sl_session *session = user;
    sl_adapter *a = lws_context_user(lws_get_context(wsi));
    switch ((int)reason) {
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION: return sl_conn_handshake_ok(wsi) ? 0 : 1;
    case LWS_CALLBACK_ESTABLISHED: return on_established(wsi, session);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE: return on_peer_close(wsi);
    case LWS_CALLBACK_RECEIVE: return on_receive(wsi, session, in, n);
    case LWS_CALLBACK_SERVER_WRITEABLE: return on_writeable(wsi, session);
    case LWS_CALLBACK_CLOSED:
        note_fault(wsi);
        sl_linger(a, wsi);
        if (session != NULL) {
            on_closed(session);
        }
        return 0;
    default: return 0;
    }
}
