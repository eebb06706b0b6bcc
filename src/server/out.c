/*
 * server/out.c - what WebSocket connections are sent: a bounded queue of whole frames for each, written in
 * one piece at the end of a turn of the loop.
 *
 * The loop takes the pieces of many connections at a time, and one frame is offered to many at a time: two
 * threads that met at the lock for each would wake each other for each.
 */
#include "server/conn_inside.h"

#include "base/mem.h"

#include <string.h>

enum {
    CLOSE_SLOW = 4408,
    PIECES = 64 /* taken at a time */
};

/* ---- the queues, all called locked ---- */

void sl_conn_mark(sl_conn *c)
{
    sl_adapter *a = c->adapter;
    if (!c->is_dirty) {
        c->is_dirty = true;
        c->dirty = a->dirty;
        a->dirty = c;
    }
    if (!a->gathering) {
        sl_adapter_wake(a);
    }
}

void sl_conn_flush(sl_adapter *a)
{
    if (a->dirty != NULL) {
        sl_adapter_wake(a);
    }
}

void sl_conn_end(sl_conn *c, int32_t code, const char *reason)
{
    if (c->code == 0) {
        c->code = code;
        c->reason = sl_text_ndup(reason, strnlen(reason, SL_CONN_REASON_MAX));
        sl_conn_mark(c);
    }
}

/* The head of a frame from a server: not masked. Its length. */
static size_t frame_head(uint8_t head[10], bool binary, size_t n)
{
    size_t at = 2;
    head[0] = 0x80 | (binary ? 2 : 1);
    if (n < 126) {
        head[1] = (uint8_t)n;
        return at;
    }
    head[1] = n < 65536 ? 126 : 127;
    for (int shift = n < 65536 ? 8 : 56; shift >= 0; shift -= 8) {
        head[at++] = (uint8_t)((uint64_t)n >> shift);
    }
    return at;
}

/* What waits to be sent: at most so much, as nobody tells how much of a piece is gone. */
static size_t queued(const sl_conn *c)
{
    return c->handed + c->out.len;
}

/* A buffer with room, when there is a spare one. */
static void take_spare(sl_adapter *a, sl_buf *out)
{
    if (out->cap == 0 && a->spare_count > 0) {
        *out = a->spares[--a->spare_count];
        a->spare_bytes -= out->cap;
    }
}

static void give_back(sl_adapter *a, sl_buf *out)
{
    if (out->cap >= SL_SERVER_SPARE_MIN && a->spare_count < SL_SERVER_SPARES &&
        out->cap <= SL_SERVER_SPARE_BYTES - a->spare_bytes) {
        sl_buf_clear(out);
        a->spare_bytes += out->cap;
        a->spares[a->spare_count++] = *out;
    } else {
        sl_buf_free(out);
    }
    memset(out, 0, sizeof *out);
}

static void put_frame(sl_conn *c, const void *p, size_t n)
{
    uint8_t head[10];
    bool slow = queued(c) + n > SL_SERVER_OUT_MAX;
    if (c->code != 0) {
        return;
    }
    if (!slow) {
        take_spare(c->adapter, &c->out);
        sl_buf_put(&c->out, head, frame_head(head, c->binary, n));
        sl_buf_put(&c->out, p, n);
        sl_conn_mark(c);
    }
    if (slow || c->out.failed) {
        sl_buf_free(&c->out);
        memset(&c->out, 0, sizeof c->out);
        sl_conn_end(c, CLOSE_SLOW, "too slow");
    }
}

/* ---- for the service ---- */

void sl_adapter_send(void *user, sl_id conn, const void *p, size_t n)
{
    sl_adapter *a = user;
    sl_lock(a->lock);
    sl_conn *c = sl_conn_find(a, conn);
    if (c != NULL) {
        put_frame(c, p, n);
    }
    sl_unlock(a->lock);
}

void sl_adapter_offer(void *user, const sl_id *conns, size_t count, const void *p, size_t n)
{
    sl_adapter *a = user;
    sl_lock(a->lock);
    for (size_t i = 0; i < count; i++) {
        sl_conn *c = sl_conn_find(a, conns[i]);
        if (c != NULL && queued(c) + n <= SL_SERVER_OFFER_MAX) {
            put_frame(c, p, n);
        }
    }
    sl_unlock(a->lock);
}

void sl_adapter_flush(void *user)
{
    sl_adapter *a = user;
    sl_lock(a->lock);
    sl_conn_flush(a);
    sl_unlock(a->lock);
}

void sl_adapter_close_conn(void *user, sl_id conn, int32_t code, const char *reason)
{
    sl_adapter *a = user;
    sl_lock(a->lock);
    sl_conn *c = sl_conn_find(a, conn);
    if (c != NULL) {
        sl_conn_end(c, code, reason);
    }
    sl_unlock(a->lock);
}

/* ---- on the loop ---- */

/* All that waits for a connection goes out in one piece, as it is: the frames were made when they were
 * sent. What the socket does not take libwebsockets keeps, and there is no other piece before it is gone. */
typedef struct piece {
    sl_conn *c;
    sl_buf out;
    bool waits;  /* for the one before it */
    bool ends;   /* closing is for the socket's callback */
    bool resume; /* reading */
} piece;

/* Locked. */
static void piece_take(piece *p, sl_conn *c)
{
    *p = (piece){.c = c, .waits = lws_partial_buffered(c->wsi) != 0, .ends = c->code != 0};
    p->resume = c->paused && c->in_len <= SL_SERVER_IN_MAX / 2;
    c->paused = c->paused && !p->resume;
    if (!p->waits) {
        p->out = c->out;
        memset(&c->out, 0, sizeof c->out);
        c->handed = (uint32_t)p->out.len;
    }
}

/* False: the socket is broken. */
static bool piece_write(const piece *p)
{
    struct lws *wsi = p->c->wsi;
    if (p->resume) {
        (void)lws_rx_flow_control(wsi, 1);
    }
    if (p->out.len > 0 &&
        lws_write(wsi, p->out.data, p->out.len, LWS_WRITE_RAW) < (int)p->out.len) {
        return false;
    }
    if (p->ends || lws_partial_buffered(wsi) != 0) {
        lws_callback_on_writable(wsi);
    }
    return true;
}

/* Locked. */
static void piece_done(piece *p)
{
    if (!p->waits && lws_partial_buffered(p->c->wsi) == 0) {
        p->c->handed = 0;
    }
    give_back(p->c->adapter, &p->out);
}

bool sl_conn_write(sl_conn *c)
{
    sl_adapter *a = c->adapter;
    piece p;
    sl_lock(a->lock);
    piece_take(&p, c);
    sl_unlock(a->lock);
    bool ok = piece_write(&p);
    sl_lock(a->lock);
    piece_done(&p);
    sl_unlock(a->lock);
    return ok;
}

/* The next that have something to say, locked. */
static size_t take_pieces(sl_adapter *a, piece list[PIECES])
{
    size_t n = 0;
    for (sl_conn *c = a->dirty; c != NULL && n < PIECES; c = a->dirty) {
        a->dirty = c->dirty;
        c->dirty = NULL;
        c->is_dirty = false;
        piece_take(&list[n++], c);
    }
    return n;
}

void sl_conn_deliver(sl_adapter *a)
{
    piece list[PIECES];
    sl_lock(a->lock);
    for (size_t n = take_pieces(a, list); n > 0; n = take_pieces(a, list)) {
        sl_unlock(a->lock);
        for (size_t i = 0; i < n; i++) {
            if (!piece_write(&list[i])) {
                lws_set_timeout(list[i].c->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
            }
        }
        sl_lock(a->lock);
        for (size_t i = 0; i < n; i++) {
            piece_done(&list[i]);
        }
    }
    sl_unlock(a->lock);
}
