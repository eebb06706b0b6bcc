/*
 * server/conn.c - WebSocket connections: whole messages to the connection's strand in their order,
 * answers from a bounded queue.
 *
 * A connection is freed by the last work of its strand, so a worker never sees it go.
 */
#include "server/inside.h"
#include "sync/frame.h"

#include "base/mem.h"

#include <stddef.h>
#include <string.h>

enum {
    CLOSE_GOING_AWAY = 1001,
    CLOSE_BROKEN = 4400,
    CLOSE_WHO = 4401,
    CLOSE_SLOW = 4408,
    CLOSE_TOO_BIG = 1009,
    REASON_MAX = 100,
    US_PER_S = 1000000,
    WRITES_PER_TURN = 16
};

typedef struct out_frame {
    struct out_frame *next;
    size_t n;
    uint8_t data[]; /* LWS_PRE bytes for libwebsockets, then the frame */
} out_frame;

typedef struct in_frame {
    sl_work work;
    sl_conn *conn;
    size_t n;
    uint8_t data[];
} in_frame;

struct sl_conn {
    sl_id id;
    sl_adapter *adapter;
    struct lws *wsi; /* loop */
    sl_strand strand;
    sl_work opened;
    sl_work closed;
    sl_buf in;   /* loop: a message not whole yet */
    bool heard;  /* loop */
    bool binary; /* its subprotocol's messages are */

    size_t in_len; /* lock: bytes with the workers */
    bool paused;   /* lock: not read from until they are worked off */
    out_frame *head;
    out_frame *tail;
    size_t out_len; /* lock, as head and tail */
    bool is_dirty;  /* lock */
    sl_conn *dirty; /* lock: next in adapter->dirty */
    bool ending;    /* lock: closes when the queue is empty */
    int32_t code;   /* lock, as reason */
    char reason[REASON_MAX];
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

static sl_conn *find_conn(const sl_adapter *a, sl_id id)
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

static void mark_dirty(sl_conn *c)
{
    sl_adapter *a = c->adapter;
    if (!c->is_dirty) {
        c->is_dirty = true;
        c->dirty = a->dirty;
        a->dirty = c;
    }
    sl_adapter_wake(a);
}

static void drop_queue(sl_conn *c)
{
    while (c->head != NULL) {
        out_frame *frame = c->head;
        c->head = frame->next;
        sl_mem_free(frame);
    }
    c->tail = NULL;
    c->out_len = 0;
}

/* The first reason given stays. */
static void end_conn(sl_conn *c, int32_t code, const char *reason)
{
    if (c->ending) {
        return;
    }
    c->ending = true;
    c->code = code;
    size_t n = strlen(reason);
    n = n < REASON_MAX - 1 ? n : REASON_MAX - 1;
    memcpy(c->reason, reason, n);
    mark_dirty(c);
}

/* ---- for the service ---- */

void sl_adapter_send(void *user, sl_id conn, const void *p, size_t n)
{
    sl_adapter *a = user;
    out_frame *frame = sl_mem(sizeof *frame + LWS_PRE + n);
    if (frame != NULL) {
        frame->n = n;
        memcpy(frame->data + LWS_PRE, p, n);
    }
    sl_lock(a->lock);
    sl_conn *c = find_conn(a, conn);
    if (c == NULL || c->ending) {
        sl_mem_free(frame);
    } else if (frame == NULL || c->out_len + n > SL_SERVER_OUT_MAX) {
        sl_mem_free(frame);
        drop_queue(c);
        end_conn(c, CLOSE_SLOW, "too slow");
    } else {
        if (c->tail != NULL) {
            c->tail->next = frame;
        } else {
            c->head = frame;
        }
        c->tail = frame;
        c->out_len += n;
        mark_dirty(c);
    }
    sl_unlock(a->lock);
}

void sl_adapter_offer(void *user, sl_id conn, const void *p, size_t n)
{
    sl_adapter *a = user;
    sl_lock(a->lock);
    const sl_conn *c = find_conn(a, conn);
    bool takes = c != NULL && c->out_len + n <= SL_SERVER_OFFER_MAX;
    sl_unlock(a->lock);
    if (takes) {
        sl_adapter_send(user, conn, p, n);
    }
}

void sl_adapter_close_conn(void *user, sl_id conn, int32_t code, const char *reason)
{
    sl_adapter *a = user;
    sl_lock(a->lock);
    sl_conn *c = find_conn(a, conn);
    if (c != NULL) {
        end_conn(c, code, reason);
    }
    sl_unlock(a->lock);
}

/* ---- the workers' side ---- */

static void run_opened(sl_work *work)
{
    sl_conn *c = (sl_conn *)(void *)((char *)work - offsetof(sl_conn, opened));
    sl_service_ws_open(c->adapter->service, c->id, c->binary);
}

static void run_message(sl_work *work)
{
    in_frame *frame = (in_frame *)(void *)((char *)work - offsetof(in_frame, work));
    sl_conn *c = frame->conn;
    sl_adapter *a = c->adapter;
    sl_service_ws_message(a->service, c->id, frame->data, frame->n);
    sl_lock(a->lock);
    c->in_len -= frame->n;
    if (c->paused && c->in_len <= SL_SERVER_IN_MAX / 2) {
        mark_dirty(c);
    }
    sl_unlock(a->lock);
    sl_mem_free(frame);
}

static void conn_free(sl_conn *c)
{
    drop_queue(c);
    sl_buf_free(&c->in);
    sl_mem_free(c);
}

static void run_closed(sl_work *work)
{
    sl_conn *c = (sl_conn *)(void *)((char *)work - offsetof(sl_conn, closed));
    sl_service_ws_closed(c->adapter->service, c->id);
    conn_free(c);
}

/* ---- the loop's side ---- */

bool sl_conn_handshake_ok(struct lws *wsi)
{
    enum {
        KEY_LEN = 24
    };
    char path[32] = "";
    char version[8] = "";
    (void)lws_hdr_copy(wsi, path, (int)sizeof path, WSI_TOKEN_GET_URI);
    (void)lws_hdr_copy(wsi, version, (int)sizeof version, WSI_TOKEN_VERSION);
    return strcmp(path, "/api/v1/ws") == 0 && strcmp(version, "13") == 0 &&
           lws_hdr_total_length(wsi, WSI_TOKEN_KEY) == KEY_LEN &&
           lws_hdr_total_length(wsi, WSI_TOKEN_HOST) > 0;
}

static int on_established(struct lws *wsi, sl_session *session)
{
    sl_adapter *a = lws_context_user(lws_get_context(wsi));
    session->request = NULL;
    session->conn = NULL;
    if (a->closing) {
        return -1;
    }
    sl_conn *c = sl_mem(sizeof *c);
    if (c == NULL) {
        return -1;
    }
    c->adapter = a;
    c->wsi = wsi;
    c->binary = strcmp(lws_get_protocol(wsi)->name, SL_FRAME_PROTOCOL_BIN) == 0;
    c->opened.run = run_opened;
    c->closed.run = run_closed;
    c->closed.last = true;
    sl_lock(a->lock);
    bool added = add_conn(a, c);
    sl_unlock(a->lock);
    if (!added) {
        sl_mem_free(c);
        return -1;
    }
    session->conn = c;
    sl_pool_post(a->pool, &c->strand, &c->opened);
    lws_set_timer_usecs(wsi, (lws_usec_t)SL_SERVER_HEARD_S * US_PER_S);
    return 0;
}

static int close_now(struct lws *wsi, int32_t code, const char *reason)
{
    unsigned char text[REASON_MAX];
    size_t n = 0;
    while (n < sizeof text && reason[n] != '\0') {
        text[n] = (unsigned char)reason[n];
        n++;
    }
    lws_close_reason(wsi, (enum lws_close_status)code, text, n);
    return -1;
}

static void post_message(sl_conn *c, in_frame *frame)
{
    sl_adapter *a = c->adapter;
    sl_lock(a->lock);
    c->in_len += frame->n;
    bool pause = !c->paused && c->in_len > SL_SERVER_IN_MAX;
    if (pause) {
        c->paused = true;
    }
    sl_unlock(a->lock);
    if (pause) {
        (void)lws_rx_flow_control(c->wsi, 0);
    }
    sl_pool_post(a->pool, &c->strand, &frame->work);
}

static int on_receive(struct lws *wsi, const sl_session *session, const void *p, size_t n)
{
    sl_conn *c = session->conn;
    if (c == NULL || c->adapter->closing) {
        return -1;
    }
    if ((lws_frame_is_binary(wsi) != 0) != c->binary) {
        return close_now(wsi, CLOSE_BROKEN, c->binary ? "binary frames only" : "text frames only");
    }
    if (c->in.len + n > SL_SERVER_FRAME_MAX) {
        return close_now(wsi, CLOSE_TOO_BIG, "message too big");
    }
    sl_buf_put(&c->in, p, n);
    if (c->in.failed) {
        return -1;
    }
    if (!lws_is_final_fragment(wsi) || lws_remaining_packet_payload(wsi) > 0) {
        return 0;
    }
    in_frame *frame = sl_mem(sizeof *frame + c->in.len + 1);
    if (frame == NULL) {
        return -1;
    }
    frame->work.run = run_message;
    frame->conn = c;
    frame->n = c->in.len;
    if (c->in.len > 0) {
        memcpy(frame->data, c->in.data, c->in.len);
    }
    sl_buf_free(&c->in);
    memset(&c->in, 0, sizeof c->in);
    c->heard = true;
    post_message(c, frame);
    return 0;
}

static out_frame *take_frame(sl_conn *c)
{
    sl_adapter *a = c->adapter;
    sl_lock(a->lock);
    out_frame *frame = c->head;
    if (frame != NULL) {
        c->head = frame->next;
        if (c->head == NULL) {
            c->tail = NULL;
        }
        c->out_len -= frame->n;
    }
    sl_unlock(a->lock);
    return frame;
}

static bool is_ending(sl_conn *c, int32_t *code, char reason[REASON_MAX])
{
    sl_adapter *a = c->adapter;
    sl_lock(a->lock);
    bool yes = c->ending && c->head == NULL;
    *code = c->code;
    memcpy(reason, c->reason, REASON_MAX);
    sl_unlock(a->lock);
    return yes;
}

static int on_writeable(struct lws *wsi, const sl_session *session)
{
    sl_conn *c = session->conn;
    if (c == NULL) {
        return -1;
    }
    for (int i = 0; i < WRITES_PER_TURN && lws_send_pipe_choked(wsi) == 0; i++) {
        out_frame *frame = take_frame(c);
        if (frame == NULL) {
            int32_t code = 0;
            char reason[REASON_MAX];
            return is_ending(c, &code, reason) ? close_now(wsi, code, reason) : 0;
        }
        int done = lws_write(wsi, frame->data + LWS_PRE, frame->n,
                             c->binary ? LWS_WRITE_BINARY : LWS_WRITE_TEXT);
        bool failed = done < (int)frame->n;
        sl_mem_free(frame);
        if (failed) {
            return -1;
        }
    }
    lws_callback_on_writable(wsi);
    return 0;
}

static void on_closed(sl_session *session)
{
    sl_conn *c = session->conn;
    session->conn = NULL;
    if (c == NULL) {
        return;
    }
    sl_adapter *a = c->adapter;
    sl_lock(a->lock);
    remove_conn(a, c);
    c->wsi = NULL;
    c->is_dirty = true; /* in no list any more, and to be put in none */
    drop_queue(c);
    sl_unlock(a->lock);
    if (a->pool != NULL) {
        sl_pool_post(a->pool, &c->strand, &c->closed);
    } else {
        conn_free(c);
    }
}

void sl_conn_deliver(sl_adapter *a)
{
    /* Requests for a write cannot call back, so they may be made with the lock held. */
    sl_lock(a->lock);
    while (a->dirty != NULL) {
        sl_conn *c = a->dirty;
        a->dirty = c->dirty;
        c->dirty = NULL;
        c->is_dirty = false;
        if (c->head != NULL || c->ending) {
            lws_callback_on_writable(c->wsi);
        }
        if (c->paused && c->in_len <= SL_SERVER_IN_MAX / 2) {
            c->paused = false;
            (void)lws_rx_flow_control(c->wsi, 1);
        }
    }
    sl_unlock(a->lock);
}

void sl_conn_close_all(sl_adapter *a)
{
    sl_lock(a->lock);
    for (size_t i = 0; i < a->n_conns; i++) {
        end_conn(a->conns[i], CLOSE_GOING_AWAY, "server stops");
    }
    sl_unlock(a->lock);
}

static int on_timer(const sl_session *session)
{
    sl_conn *c = session->conn;
    if (c != NULL && !c->heard) {
        sl_lock(c->adapter->lock);
        end_conn(c, CLOSE_WHO, "nothing was said in time");
        sl_unlock(c->adapter->lock);
    }
    return 0;
}

int sl_conn_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                     size_t n)
{
    sl_session *session = user;
    switch ((int)reason) {
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION: return sl_conn_handshake_ok(wsi) ? 0 : 1;
    case LWS_CALLBACK_ESTABLISHED: return on_established(wsi, session);
    case LWS_CALLBACK_RECEIVE: return on_receive(wsi, session, in, n);
    case LWS_CALLBACK_SERVER_WRITEABLE: return on_writeable(wsi, session);
    case LWS_CALLBACK_TIMER: return on_timer(session);
    case LWS_CALLBACK_CLOSED:
        if (session != NULL) {
            on_closed(session);
        }
        return 0;
    default: return 0;
    }
}
