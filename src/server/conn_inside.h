/* conn_inside.h - a WebSocket connection, which conn.c hears and out.c writes to. */
#ifndef SL_SERVER_CONN_INSIDE_H
#define SL_SERVER_CONN_INSIDE_H

#include "server/inside.h"

enum {
    SL_CONN_REASON_MAX = 100 /* bytes of why a connection is closed */
};

/* What a socket told, on its way to the service. */
typedef struct sl_news {
    struct sl_news *next;
    sl_conn *conn;
    sl_ws_what what;
    size_t n;
    uint8_t data[];
} sl_news;

struct sl_conn {
    sl_id id;
    sl_adapter *adapter;
    struct lws *wsi;      /* loop */
    sl_buf in;            /* loop: a message not whole yet */
    sl_news *left;        /* for its end, so that there is always memory for it */
    lws_usec_t since;     /* loop: when it came */
    sl_conn *unheard;     /* loop: the next in it */
    sl_conn *unheard_had; /* loop: the one before */
    sl_peer peer;         /* loop: where it came from */
    bool heard;           /* loop: it is not, or not any more, in adapter->unheard */
    bool binary;          /* its subprotocol's messages are */
    bool paused;          /* lock: not read from until they are worked off */
    bool is_dirty;        /* lock */
    int32_t code;         /* lock: closes with it when all is sent; 0: stays */
    uint32_t handed; /* lock: of the piece that libwebsockets has and the kernel has not all of */

    size_t in_len;  /* lock: bytes with the service */
    sl_buf out;     /* lock: whole frames, as they go over the wire */
    sl_conn *dirty; /* lock: next in adapter->dirty */
    char *reason;   /* lock */
};

/* ---- conn.c ---- */

/* The connection, NULL when it has gone. Called locked. */
sl_conn *sl_conn_find(const sl_adapter *a, sl_id id);

/* ---- out.c ---- */

/* The loop looks at it at the end of the turn. Called locked. */
void sl_conn_mark(sl_conn *c);
/* Wakes the loop when there is something for it. Called locked. */
void sl_conn_flush(sl_adapter *a);
/* It closes when all is sent; the first reason given stays. Called locked. */
void sl_conn_end(sl_conn *c, int32_t code, const char *reason);
/* All that waits, when its socket has room; false: the socket is broken. On the loop. */
bool sl_conn_write(sl_conn *c);

#endif
