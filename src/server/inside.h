/*
 * server/inside.h - what the files of the adapter share.
 *
 * Who may touch what: fields marked "loop" belong to the loop's thread, those marked "lock" are
 * used with adapter->lock held. The service calls sl_adapter_send with its own lock held, so
 * the service is never called with adapter->lock held.
 */
#ifndef SL_SERVER_INSIDE_H
#define SL_SERVER_INSIDE_H

#include "base/buf.h"
#include "base/thread.h"
#include "server/adapter.h"
#include "server/peer.h"
#include "server/pool.h"
#include "service/service.h"

#include <libwebsockets.h>

#define SL_SERVER_LINGER_NAME "linger"

enum {
    SL_SERVER_THREADS = 4,
    SL_SERVER_BODY_MAX = 17 * 1024 * 1024, /* of one HTTP request that brings no upload's bytes */
    SL_SERVER_FRAME_MAX = 1024 * 1024,     /* of one WebSocket message to us */
    SL_SERVER_IN_MAX = 2 * 1024 * 1024,    /* taken from a connection and not worked off */
    SL_SERVER_OUT_MAX = 8 * 1024 * 1024,   /* queued for a connection: then it is too slow */
    SL_SERVER_OFFER_MAX = 64 * 1024,       /* queued: then it is spared what may be lost */
    SL_SERVER_CONNS_MAX = 50000,           /* WebSocket connections */
    SL_SERVER_REQUESTS_MEM = 256 << 20,    /* bodies being taken in, all together */
    SL_SERVER_CHUNK = 64 * 1024,           /* written to a socket at once */
    SL_SERVER_SPARES = 256,                /* buffers kept to be written to */
    SL_SERVER_SPARE_MIN = 1024,            /* bytes of one */
    SL_SERVER_SPARE_BYTES = 4 * 1024 * 1024,
    SL_SERVER_RX = 512,        /* read from a WebSocket at once: each has so much */
    SL_SERVER_HEARD_S = 5,     /* a connection says who it is within this time */
    SL_SERVER_BODY_S = 60,     /* a body may pause this long */
    SL_SERVER_LINGER_S = 2,    /* a closed socket is read this long */
    SL_SERVER_LINGER_MAX = 512 /* so many at a time */
};

typedef struct sl_request sl_request;
typedef struct sl_conn sl_conn;

/* libwebsockets keeps one of these for each socket. */
typedef struct sl_session {
    sl_request *request;
    sl_conn *conn;
    bool ends; /* by the next callback that may end it */
} sl_session;

struct sl_adapter {
    const sl_platform *platform;
    sl_service *service;
    struct lws_context *context;
    sl_pool *pool;
    char host[64];
    int32_t port;
    int32_t address_conns; /* live connections from one address; 0: any number */
    const sl_web *web;     /* or NULL */
    bool verbose;
    bool behind_proxy;
    bool tls_old;
    const sl_adapter_watch *watch;
    const char *tls_cert;
    const char *tls_key;
    sl_origins origins;

    sl_mutex *lock;
    bool woken;           /* lock: the loop was told and has not looked yet */
    bool stopping;        /* lock */
    sl_request *answered; /* lock: the workers are done with these */
    sl_conn **conns;      /* lock: by rising id */
    size_t n_conns;       /* lock */
    size_t cap_conns;     /* lock */
    sl_id last_conn;      /* lock */
    sl_conn *dirty;       /* lock: connections the loop should look at */
    struct sl_news *news; /* lock: what connections said, for the service */
    struct sl_news **news_end;
    size_t n_refusals; /* lock: lines of the audit log to be written */
    bool gathering;    /* lock: the loop is woken when a batch is worked off */
    bool live_posted;  /* lock: somebody works on it, or will */
    sl_strand live;
    sl_work live_work;

    sl_peers peers;   /* loop: the live connections, by where they come from */
    sl_conn *unheard; /* loop: have said nothing yet, by when they came */
    sl_conn *unheard_last;
    lws_sorted_usec_list_t unheard_timer;

    size_t n_lingering;     /* loop: sockets that are only read until their peers are done */
    bool closing;           /* loop: what comes now is not taken any more */
    size_t n_requests;      /* loop: taken and not answered to the end */
    int64_t bodies_len;     /* loop: bytes of bodies being taken in */
    sl_request *flowing;    /* loop: those whose bodies go on in pieces */
    int64_t upload_rate;    /* bytes per second, 0: no limit */
    int64_t upload_free_us; /* loop: the rate is used up until then */
    sl_buf spares[SL_SERVER_SPARES]; /* lock: empty, with room */
    size_t spare_count;
    size_t spare_bytes;
    uint8_t *chunk; /* loop: LWS_PRE + SL_SERVER_CHUNK bytes */
};

/* Wakes the loop. Called locked. */
void sl_adapter_wake(sl_adapter *a);

/* http.c: the callback of plain HTTP; what the workers finished; what never got answered. */
int sl_http_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                     size_t n);
void sl_http_deliver(sl_adapter *a);
void sl_body_abandon(sl_adapter *a); /* body.c: no worker is left, and the service will go */

/* refusal.c: what the service never sees: "http.refused" with a status, "ws.refused" with a close code. */
void sl_refusal_note(sl_adapter *a, struct lws *wsi, const char *what, int32_t code);

/* conn.c: the callback of WebSocket. */
int sl_conn_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                     size_t n);
void sl_conn_deliver(sl_adapter *a); /* out.c */
/* What came goes to a worker. */
void sl_conn_hand_over(sl_adapter *a);
/* The first that has said nothing yet has had its time. */
void sl_conn_on_unheard(lws_sorted_usec_list_t *timer);
/* Asks every connection to go: the server stops. */
void sl_conn_close_all(sl_adapter *a);
/* linger.c: a socket is about to be closed by us. When its peer may still be sending, it is held open a
 * while without us, so that the peer reads our last words before the reset that its own would cause. */
void sl_linger(sl_adapter *a, struct lws *wsi);
int sl_linger_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                       size_t n);
/* True when the handshake is one we take. */
bool sl_conn_handshake_ok(struct lws *wsi);
/* True when it is not by a page of somebody else's. */
bool sl_conn_origin_ok(struct lws *wsi);
/* True when as many come from there already as may. */
bool sl_conn_crowded(struct lws *wsi);

#endif
