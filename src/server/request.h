/* server/request.h - one request of HTTP, for the files that take it in and answer it. */
#ifndef SL_SERVER_REQUEST_H
#define SL_SERVER_REQUEST_H

#include "server/inside.h"

enum {
    SL_SERVER_HEADERS_MAX = 64
};

typedef enum req_state {
    REQ_READING,
    REQ_WORKING,
    REQ_SENDING
} req_state;

typedef struct header_line {
    const char *name; /* static, not ended */
    size_t name_len;
    char *value;
} header_line;

struct sl_request {
    sl_work work;
    sl_strand strand;
    sl_adapter *adapter;
    struct lws *wsi; /* loop; NULL when it is gone */
    req_state state;
    sl_request *next; /* lock: in adapter->answered */

    const char *method; /* static */
    char *path;
    char *query;
    header_line headers[SL_SERVER_HEADERS_MAX];
    size_t n_headers;
    char peer[64];
    int64_t body_expect;
    int64_t body_got;
    sl_buf body; /* all of it, or what came since the last piece */
    lws_sorted_usec_list_t resume;
    sl_request *flowing; /* next in adapter->flowing */

    /* With a worker while `piece_out`. */
    sl_http_in in;
    sl_buf piece;
    sl_inflow *flow;

    sl_http_out out;
    sl_buf head;
    size_t head_sent;
    size_t body_sent;
    void *file;
    int64_t file_at;
    int64_t file_left;

    bool cut;        /* not all of the body came */
    bool over_rate;  /* it is read on after `resume` */
    bool over_ahead; /* it is read on when a worker has taken a piece */
    bool flows;      /* it goes on in pieces */
    bool all_came;   /* or nothing more will */
    bool unwanted;   /* the answer is known already: what comes is thrown away */
    bool early;      /* and it is given without waiting for the rest */
    bool piece_out;
    bool piece_last;
    bool refused; /* the worker's, while it has a piece */
    bool close_after;
};

/* http.c */
const char *sl_request_header(void *ctx, const char *name); /* ctx: the request */
sl_http_in sl_request_in(sl_request *r);
void sl_request_free(sl_request *r);
void sl_request_answered(sl_request *r); /* a worker is done with it, or with its piece */
void sl_request_dispatch(sl_request *r);

/* body.c: how the body comes. Loop's thread. */
bool sl_body_fits(const sl_request *r);
bool sl_body_begin(sl_request *r); /* false: no memory */
bool sl_body_more(sl_request *r, const void *p,
                  size_t n); /* false: the connection is to be ended */
void sl_body_end(sl_request *r);
/* The socket is gone. True: the request lives on without it. */
bool sl_body_lost(sl_request *r);
/* A worker is done with a piece. True: it was the last, r->out is the answer. */
bool sl_body_taken(sl_request *r);
void sl_body_forget(sl_request *r); /* it is freed */

#endif
