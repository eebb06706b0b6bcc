/*
 * server/body.c - how the body of a request comes in. Most are gathered, and are then with their request. The
 * bytes of an upload go on in pieces, one with a worker while the next is read; while two are waiting the socket
 * is not read from, so that it costs no more memory however long it is.
 */
#include "server/request.h"

#include "base/mem.h"

#include <stddef.h>
#include <string.h>

enum {
    PIECE = 512 * 1024,      /* so much goes to a worker that is free */
    AHEAD_MAX = 1024 * 1024, /* so much is read while none is */
    RATE_SLACK_US = 20000,
    US_PER_S = 1000000
};

/* ---- reading, or not ---- */

static void set_reading(const sl_request *r)
{
    if (r->wsi != NULL) {
        (void)lws_rx_flow_control(r->wsi, r->over_rate || r->over_ahead ? 0 : 1);
    }
}

static void resume_reading(lws_sorted_usec_list_t *timer)
{
    sl_request *r = (sl_request *)(void *)((char *)timer - offsetof(sl_request, resume));
    r->over_rate = false;
    set_reading(r);
}

/* Books n bytes on the common rate and lets the socket wait while it is overdrawn. */
static void hold_to_rate(sl_request *r, size_t n)
{
    sl_adapter *a = r->adapter;
    if (a->upload_rate == 0) {
        return;
    }
    int64_t now = (int64_t)lws_now_usecs();
    int64_t from = a->upload_free_us > now ? a->upload_free_us : now;
    a->upload_free_us = from + (int64_t)n * US_PER_S / a->upload_rate;
    if (a->upload_free_us - now > RATE_SLACK_US) {
        r->over_rate = true;
        set_reading(r);
        lws_sul_schedule(a->context, 0, &r->resume, resume_reading,
                         (lws_usec_t)(a->upload_free_us - now));
    }
}

static void stop_timer(sl_request *r)
{
    lws_sul_schedule(r->adapter->context, 0, &r->resume, resume_reading, LWS_SET_TIMER_USEC_CANCEL);
}

static void set_ahead(sl_request *r, bool yes)
{
    if (r->over_ahead != yes) {
        r->over_ahead = yes;
        set_reading(r);
    }
}

/* ---- pieces ---- */

/* The worker's. */
static void run_piece(sl_work *work)
{
    sl_request *r = (sl_request *)(void *)((char *)work - offsetof(sl_request, work));
    if (r->flow == NULL && !r->refused) {
        r->flow = sl_service_flow_begin(r->adapter->service, &r->in, (uint64_t)r->body_expect);
    }
    if (r->flow == NULL || !sl_service_flow_put(r->flow, r->piece.data, r->piece.len)) {
        r->refused = true;
    }
    if (r->piece_last && r->flow != NULL) {
        sl_service_flow_end(r->flow, &r->out);
        r->flow = NULL;
    } else if (r->piece_last) {
        r->out.status = 503;
    }
    sl_request_answered(r);
}

static void post_piece(sl_request *r)
{
    sl_buf empty = r->piece;
    r->piece = r->body;
    r->body = empty;
    r->piece_out = true;
    r->piece_last = r->all_came;
    if (r->piece_last) {
        r->state = REQ_WORKING;
        stop_timer(r);
        r->over_rate = false;
        r->over_ahead = false;
        set_reading(r);
    }
    r->work.run = run_piece;
    r->work.last = true; /* the pool does not look at the strand again */
    memset(&r->strand, 0, sizeof r->strand);
    sl_pool_post(r->adapter->pool, &r->strand, &r->work);
}

static void go_on(sl_request *r)
{
    if (!r->piece_out && (r->all_came || r->body.len >= PIECE)) {
        post_piece(r);
    }
    if (r->state == REQ_READING) {
        set_ahead(r, r->piece_out && r->body.len >= AHEAD_MAX);
    }
}

bool sl_body_taken(sl_request *r)
{
    sl_adapter *a = r->adapter;
    r->piece_out = false;
    a->bodies_len -= (int64_t)r->piece.len;
    sl_buf_clear(&r->piece);
    if (r->piece_last || a->pool == NULL) {
        return true;
    }
    if (r->refused && !r->unwanted) {
        r->unwanted = true;
        a->bodies_len -= (int64_t)r->body.len;
        sl_buf_clear(&r->body);
    }
    if (r->unwanted && r->body_expect - r->body_got > SL_SERVER_BODY_MAX) {
        r->all_came = true; /* too much to be read for nothing */
        r->early = true;
        r->close_after = true;
    }
    if (r->wsi != NULL) {
        lws_set_timeout(r->wsi, PENDING_TIMEOUT_HTTP_CONTENT, SL_SERVER_BODY_S);
    }
    go_on(r);
    return false;
}

/* ---- from the socket ---- */

bool sl_body_fits(const sl_request *r)
{
    int64_t most = r->flows ? (int64_t)2 * AHEAD_MAX : r->body_expect;
    return most + r->adapter->bodies_len <= SL_SERVER_REQUESTS_MEM;
}

bool sl_body_begin(sl_request *r)
{
    if (!r->flows) { /* at once, not by doubling */
        return sl_buf_room(&r->body, (size_t)r->body_expect) != NULL;
    }
    r->flowing = r->adapter->flowing;
    r->adapter->flowing = r;
    r->in = sl_request_in(r);
    post_piece(r); /* none yet, but it may be refused before any has come */
    return true;
}

bool sl_body_more(sl_request *r, const void *p, size_t n)
{
    if ((int64_t)n > r->body_expect - r->body_got) {
        return false;
    }
    r->body_got += (int64_t)n;
    lws_set_timeout(r->wsi, PENDING_TIMEOUT_HTTP_CONTENT, SL_SERVER_BODY_S);
    hold_to_rate(r, n);
    if (r->unwanted) {
        return true;
    }
    sl_buf_put(&r->body, p, n);
    if (r->body.failed) {
        return false;
    }
    r->adapter->bodies_len += (int64_t)n;
    if (r->flows) {
        go_on(r);
    }
    return true;
}

void sl_body_end(sl_request *r)
{
    r->all_came = true;
    if (r->flows) {
        go_on(r);
        return;
    }
    stop_timer(r);
    r->over_rate = false;
    set_reading(r);
    r->adapter->bodies_len -= (int64_t)r->body.len;
    sl_request_dispatch(r);
}

bool sl_body_lost(sl_request *r)
{
    stop_timer(r);
    if (!r->flows || r->adapter->pool == NULL) {
        return r->piece_out;
    }
    r->cut = true;
    r->all_came = true;
    r->wsi = NULL;
    go_on(r);
    return true;
}

void sl_body_forget(sl_request *r)
{
    sl_adapter *a = r->adapter;
    if (r->state == REQ_READING) {
        a->bodies_len -= (int64_t)(r->body.len + r->piece.len);
    }
    for (sl_request **at = &a->flowing; *at != NULL; at = &(*at)->flowing) {
        if (*at == r) {
            *at = r->flowing;
            break;
        }
    }
}

void sl_body_abandon(sl_adapter *a)
{
    for (sl_request *r = a->flowing; r != NULL; r = r->flowing) {
        if (r->flow != NULL) {
            sl_service_flow_end(r->flow, &r->out);
            r->flow = NULL;
        }
    }
}
