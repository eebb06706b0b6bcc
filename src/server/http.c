/*
 * server/http.c - plain HTTP on libwebsockets: headers and body (body.c) are collected, a worker gives the
 * request to the service, the answer is written in pieces as the socket takes it. Small questions are answered
 * on the loop's thread when the service is free.
 *
 *   reading -> working (worker, then adapter->answered) -> sending -> gone
 *
 * A request that loses its socket while reading or sending is freed at once; while working, or while a
 * worker has a piece of its body, it is freed when the worker is done with it.
 */
#include "server/request.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/uuid.h"
#include "server/guard.h"
#include "server/reply.h"
#include "server/strict.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

enum {
    HEADER_LEN_MAX = 8192,
    RATE_RCVBUF = 32 * 1024 /* a slow server must not let the kernel read ahead */
};

static sl_adapter *adapter_of(struct lws *wsi)
{
    return lws_context_user(lws_get_context(wsi));
}

void sl_request_free(sl_request *r)
{
    sl_adapter *a = r->adapter;
    a->n_requests--;
    sl_body_forget(r);
    if (r->file != NULL) {
        a->platform->files->close(a->platform->user, r->file);
    }
    for (size_t i = 0; i < r->n_headers; i++) {
        sl_mem_free(r->headers[i].value);
    }
    sl_mem_free(r->path);
    sl_mem_free(r->query);
    sl_buf_free(&r->body);
    sl_buf_free(&r->piece);
    sl_buf_free(&r->head);
    sl_http_out_free(&r->out);
    sl_mem_free(r);
}

/* ---- the worker's side ---- */

const char *sl_request_header(void *ctx, const char *name)
{
    const sl_request *r = ctx;
    size_t n = strlen(name);
    for (size_t i = 0; i < r->n_headers; i++) {
        if (r->headers[i].name_len == n && memcmp(r->headers[i].name, name, n) == 0) {
            return r->headers[i].value;
        }
    }
    return NULL;
}

sl_http_in sl_request_in(sl_request *r)
{
    return (sl_http_in){
        .method = r->method,
        .path = r->path,
        .query = r->query,
        .header = sl_request_header,
        .ctx = r,
        .body = r->body.data,
        .body_len = r->body.len,
        .cut = r->cut,
        .peer = r->peer[0] != '\0' ? r->peer : NULL,
    };
}

void sl_request_answered(sl_request *r)
{
    sl_adapter *a = r->adapter;
    sl_lock(a->lock);
    r->next = a->answered;
    a->answered = r;
    sl_adapter_wake(a);
    sl_unlock(a->lock);
}

static void run_request(sl_work *work)
{
    sl_request *r = (sl_request *)(void *)((char *)work - offsetof(sl_request, work));
    const sl_adapter *a = r->adapter;
    sl_http_in in = sl_request_in(r);
    memset(&r->out, 0, sizeof r->out);
    if (a->web == NULL || !sl_web_answer(a->web, &in, &r->out)) {
        sl_service_http(a->service, &in, &r->out);
    }
    sl_request_answered(r);
}

void sl_request_dispatch(sl_request *r)
{
    r->state = REQ_WORKING;
    r->work.run = run_request;
    r->work.last = true;
    if (r->wsi != NULL) {
        /* However long it takes: the workers end by themselves. */
        lws_set_timeout(r->wsi, NO_PENDING_TIMEOUT, 0);
    }
    sl_pool_post(r->adapter->pool, &r->strand, &r->work);
}

/* ---- taking a request in ---- */

static char *copy_token(struct lws *wsi, enum lws_token_indexes token)
{
    int n = lws_hdr_total_length(wsi, token);
    if (n <= 0 || n > HEADER_LEN_MAX) {
        return n == 0 ? sl_text_dup("") : NULL;
    }
    /* Fragments of one name are joined with up to two characters each. */
    size_t cap = (size_t)n + 64;
    char *text = sl_mem(cap);
    if (text != NULL && lws_hdr_copy(wsi, text, (int)cap, token) < 0) {
        sl_mem_free(text);
        text = NULL;
    }
    return text;
}

static bool keep_header(sl_request *r, const char *name, size_t name_len, char *value)
{
    if (value == NULL || r->n_headers == SL_SERVER_HEADERS_MAX) {
        sl_mem_free(value);
        return false;
    }
    header_line *line = &r->headers[r->n_headers];
    line->name = name;
    line->name_len = name_len;
    line->value = value;
    r->n_headers++;
    return true;
}

/* Headers that libwebsockets has numbers for. */
static bool copy_known(sl_request *r, struct lws *wsi)
{
    for (int i = 0; i < (int)WSI_TOKEN_COUNT; i++) {
        enum lws_token_indexes token = (enum lws_token_indexes)i;
        if (lws_hdr_total_length(wsi, token) <= 0) {
            continue;
        }
        const char *name = (const char *)lws_token_to_string(token);
        size_t n = name != NULL ? strlen(name) : 0;
        if (n < 2 || name[n - 1] != ':' || name[0] == ':') {
            continue;
        }
        if (!keep_header(r, name, n - 1, copy_token(wsi, token))) {
            return false;
        }
    }
    return true;
}

/* The others that the service reads. */
static bool copy_custom(sl_request *r, struct lws *wsi)
{
    static const char *const names[] = {
        "tus-resumable:",   "upload-length:",          "upload-offset:",
        "upload-metadata:", "upload-checksum:",        "upload-defer-length:",
        "idempotency-key:", "x-http-method-override:", "stripe-signature:"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        int name_len = (int)strlen(names[i]);
        int n = lws_hdr_custom_length(wsi, names[i], name_len);
        if (n < 0) {
            continue;
        }
        if (n > HEADER_LEN_MAX) {
            return false;
        }
        char *value = sl_mem((size_t)n + 1);
        if (value != NULL && lws_hdr_custom_copy(wsi, value, n + 1, names[i], name_len) < 0) {
            value[0] = '\0';
        }
        if (!keep_header(r, names[i], (size_t)name_len - 1, value)) {
            return false;
        }
    }
    return true;
}

static const char *method_of(struct lws *wsi)
{
    static const struct {
        enum lws_token_indexes token;
        const char *name;
    } methods[] = {
        {WSI_TOKEN_GET_URI, "GET"},         {WSI_TOKEN_POST_URI, "POST"},
        {WSI_TOKEN_HEAD_URI, "HEAD"},       {WSI_TOKEN_PATCH_URI, "PATCH"},
        {WSI_TOKEN_OPTIONS_URI, "OPTIONS"}, {WSI_TOKEN_DELETE_URI, "DELETE"},
        {WSI_TOKEN_PUT_URI, "PUT"},
    };
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (lws_hdr_total_length(wsi, methods[i].token) > 0) {
            return methods[i].name;
        }
    }
    return "UNKNOWN";
}

static char *copy_query(struct lws *wsi)
{
    sl_buf query = {0};
    char part[HEADER_LEN_MAX];
    for (int i = 0; i < SL_SERVER_HEADERS_MAX; i++) {
        int n = lws_hdr_copy_fragment(wsi, part, (int)sizeof part, WSI_TOKEN_HTTP_URI_ARGS, i);
        if (n <= 0) {
            break;
        }
        if (i > 0) {
            sl_buf_str(&query, "&");
        }
        sl_buf_put(&query, part, (size_t)n);
    }
    char *text = query.failed ? NULL : sl_text_dup(sl_buf_text(&query));
    sl_buf_free(&query);
    return text;
}

/* Where it comes from: by the socket, or by what the proxy before us adds to the list. */
static void note_peer(sl_request *r, struct lws *wsi)
{
    const char *list = r->adapter->behind_proxy ? sl_request_header(r, "x-forwarded-for") : NULL;
    if (list == NULL) {
        r->adapter->watch->peer(lws_get_socket_fd(wsi), r->peer, sizeof r->peer);
    } else {
        sl_peer_forwarded(list, r->peer);
    }
}

static sl_request *request_new(struct lws *wsi, const char *path, size_t n)
{
    sl_request *r = sl_mem(sizeof *r);
    if (r == NULL) {
        return NULL;
    }
    r->adapter = adapter_of(wsi);
    r->adapter->n_requests++;
    r->wsi = wsi;
    r->method = method_of(wsi);
    r->path = sl_text_ndup(path, n);
    r->query = copy_query(wsi);
    if (r->path == NULL || r->query == NULL || !copy_known(r, wsi) || !copy_custom(r, wsi)) {
        sl_request_free(r);
        return NULL;
    }
    note_peer(r, wsi);
    return r;
}

/* For answers that the service did not give; "" for its own, and when there is no randomness. */
static void new_id(const sl_adapter *a, const sl_http_out *out, char id[SL_UUID_LEN + 1])
{
    const sl_platform *p = a->platform;
    uint8_t random[10];
    id[0] = '\0';
    if ((out->headers == NULL || strstr(out->headers, "X-Request-Id:") == NULL) &&
        p->random->fill(p->user, random, sizeof random) == SL_OK) {
        sl_uuid7(id, p->clock->wall_ms(p->user), random);
    }
}

/* A short answer, written at once; then the connection ends. */
static int refuse(struct lws *wsi, int32_t status, const char *why)
{
    sl_adapter *a = adapter_of(wsi);
    sl_http_out out;
    sl_buf text = {0};
    if (status != 503) { /* that is our fault, all else theirs */
        sl_refusal_note(a, wsi, "http.refused", status);
    }
    char id[SL_UUID_LEN + 1];
    sl_reply_error(&out, status, why);
    new_id(a, &out, id);
    if (sl_reply_head(&text, &out, id, true) && out.body != NULL) {
        sl_buf_put(&text, sl_bytes_data(out.body), sl_bytes_len(out.body));
        if (!text.failed && text.len <= SL_SERVER_CHUNK) {
            memcpy(a->chunk + LWS_PRE, text.data, text.len);
            (void)lws_write(wsi, a->chunk + LWS_PRE, text.len, LWS_WRITE_HTTP);
        }
    }
    sl_http_out_free(&out);
    sl_buf_free(&text);
    return -1;
}

/* Of a head that libwebsockets did not get. */
static const char *why_no_head(int32_t status)
{
    return status == 414   ? "the address is too long"
           : status == 431 ? "the request's headers are too many or too long"
           : status == 501 ? "there is no such method here"
           : status == 503 ? "the server is out of memory, try again"
           : status == 505 ? "this server speaks HTTP/1.1"
                           : "this is no request of HTTP/1.1";
}

static bool is_old_http(struct lws *wsi)
{
    char version[16] = "";
    (void)lws_hdr_copy(wsi, version, (int)sizeof version, WSI_TOKEN_HTTP);
    return strstr(version, "1.0") != NULL;
}

/* Clients with much to send ask first whether they may. */
static void answer_expect(const sl_request *r)
{
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    void *ctx = (void *)(uintptr_t)r;
    const char *expect = sl_request_header(ctx, "expect");
    if (expect != NULL && strstr(expect, "100-") != NULL) {
        uint8_t *at = r->adapter->chunk + LWS_PRE;
        memcpy(at, text, sizeof text - 1);
        (void)lws_write(r->wsi, at, sizeof text - 1, LWS_WRITE_HTTP);
    }
}

static int on_body(const sl_session *session, const void *p, size_t n)
{
    sl_request *r = session->request;
    if (r == NULL || r->state != REQ_READING) {
        return n == 0 || (r != NULL && r->early) ? 0 : -1;
    }
    return sl_body_more(r, p, n) ? 0 : -1;
}

static int on_body_end(const sl_session *session)
{
    sl_request *r = session->request;
    if (r != NULL && r->state == REQ_READING) {
        sl_body_end(r);
    }
    return 0;
}

static void on_closed(sl_session *session)
{
    sl_request *r = session->request;
    session->request = NULL;
    if (r == NULL) {
        return;
    }
    bool reading = r->state == REQ_READING;
    bool lives = r->state == REQ_WORKING || (reading && sl_body_lost(r));
    r->wsi = NULL;
    if (!lives) {
        sl_request_free(r);
    }
}

/* ---- the answer ---- */

static bool is_head(const sl_request *r)
{
    return strcmp(r->method, "HEAD") == 0;
}

static void prepare_file(sl_request *r)
{
    const sl_platform *p = r->adapter->platform;
    if (r->out.file == NULL || is_head(r)) {
        return;
    }
    if (p->files->open(p->user, r->out.file, SL_FILE_READ, &r->file) != SL_OK) {
        r->file = NULL;
        sl_http_out_free(&r->out);
        sl_reply_error(&r->out, 500, "the file cannot be read");
        return;
    }
    r->file_at = r->out.file_at;
    r->file_left = r->out.file_len;
}

static void prepare_answer(sl_request *r)
{
    r->state = REQ_SENDING;
    r->close_after = r->close_after || r->adapter->closing;
    sl_buf_free(&r->body);
    sl_buf_free(&r->piece);
    prepare_file(r);
    char id[SL_UUID_LEN + 1];
    new_id(r->adapter, &r->out, id);
    if (sl_reply_head(&r->head, &r->out, id, r->close_after)) {
        return;
    }
    sl_buf_free(&r->head);
    sl_http_out_free(&r->out);
    r->file_left = 0;
    r->close_after = true;
    sl_reply_error(&r->out, 500, "the answer could not be made");
    (void)sl_reply_head(&r->head, &r->out, id, true);
}

/* Puts the next bytes of head, body and file into `to`; -1 when the file fails. */
static int64_t next_bytes(sl_request *r, uint8_t *to, size_t cap)
{
    size_t n = r->head.len - r->head_sent;
    n = n < cap ? n : cap;
    if (n > 0) {
        memcpy(to, r->head.data + r->head_sent, n);
        r->head_sent += n;
    }
    size_t body_len = r->out.body != NULL && !is_head(r) ? sl_bytes_len(r->out.body) : 0;
    size_t more = body_len - r->body_sent;
    more = more < cap - n ? more : cap - n;
    if (more > 0) {
        memcpy(to + n, sl_bytes_data(r->out.body) + r->body_sent, more);
        r->body_sent += more;
        n += more;
    }
    if (r->file_left > 0 && n < cap) {
        const sl_platform *p = r->adapter->platform;
        size_t want = cap - n < (size_t)r->file_left ? cap - n : (size_t)r->file_left;
        int64_t got = p->files->read(p->user, r->file, to + n, want, r->file_at);
        if (got <= 0) {
            return -1;
        }
        r->file_at += got;
        r->file_left -= got;
        n += (size_t)got;
    }
    return (int64_t)n;
}

static bool all_sent(const sl_request *r)
{
    size_t body_len = r->out.body != NULL && !is_head(r) ? sl_bytes_len(r->out.body) : 0;
    return r->head_sent == r->head.len && r->body_sent == body_len && r->file_left == 0;
}

/* Writes the next piece; -1: the connection is to be ended. */
static int send_piece(struct lws *wsi, sl_session *session)
{
    sl_request *r = session->request;
    sl_adapter *a = r->adapter;
    int64_t n = next_bytes(r, a->chunk + LWS_PRE, SL_SERVER_CHUNK);
    bool end = all_sent(r);
    if (n < 0) {
        return -1;
    }
    if (n > 0 && lws_write(wsi, a->chunk + LWS_PRE, (size_t)n,
                           end ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) < n) {
        return -1;
    }
    if (!end || lws_partial_buffered(wsi) != 0) {
        lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, SL_SERVER_BODY_S);
    }
    if (!end) {
        lws_callback_on_writable(wsi);
        return 0;
    }
    bool close_after = r->close_after;
    session->request = NULL;
    sl_request_free(r);
    if (close_after) {
        return -1;
    }
    return lws_http_transaction_completed(wsi) != 0 ? -1 : 0;
}

static int on_request(struct lws *wsi, sl_session *session, const char *path, size_t n)
{
    sl_adapter *a = adapter_of(wsi);
    if (session->request != NULL) {
        return -1;
    }
    int32_t fault = a->watch->fault(lws_get_socket_fd(wsi));
    if (fault != 0 && n == strlen(SL_STRICT_REFUSED) && memcmp(path, SL_STRICT_REFUSED, n) == 0) {
        return refuse(wsi, fault, why_no_head(fault));
    }
    if (a->closing) {
        return refuse(wsi, 503, "the server stops, try again");
    }
    sl_request *r = request_new(wsi, path, n);
    if (r == NULL) {
        return refuse(wsi, 431, "the request's headers are too many or too long");
    }
    sl_guard_in in = {
        .content_length = sl_request_header(r, "content-length"),
        .transfer_encoding = sl_request_header(r, "transfer-encoding"),
        .host = sl_request_header(r, "host"),
        .old_http = is_old_http(wsi),
    };
    const char *why = NULL;
    sl_http_in request = sl_request_in(r);
    bool flows = sl_service_flows(&request);
    int32_t status =
        sl_guard_check(&in, flows ? INT64_MAX : SL_SERVER_BODY_MAX, &r->body_expect, &why);
    r->flows = flows && r->body_expect > 0;
    if (status == 0 && !sl_body_fits(r)) {
        status = 503;
        why = "the server is taking in too much at once, try again";
    }
    if (status == 0 && r->body_expect > 0 && !sl_body_begin(r)) {
        status = 503;
        why = "the server is out of memory, try again";
    }
    if (status != 0) {
        sl_request_free(r);
        return refuse(wsi, status, why);
    }
    session->request = r;
    if (r->body_expect == 0 && sl_service_http_now(a->service, &request, &r->out)) {
        prepare_answer(r);
        return send_piece(wsi, session);
    }
    if (r->body_expect == 0) {
        sl_request_dispatch(r);
    } else {
        answer_expect(r);
        lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, SL_SERVER_BODY_S);
    }
    return 0;
}

static int on_writeable(struct lws *wsi, sl_session *session)
{
    if (session == NULL || session->ends) {
        return -1;
    }
    const sl_request *r = session->request;
    return r != NULL && r->state == REQ_SENDING ? send_piece(wsi, session) : 0;
}

/* A socket that has asked and waits takes the first piece, as a rule all of it, at once. */
static void answer(sl_request *r)
{
    struct lws *wsi = r->wsi;
    prepare_answer(r);
    if (r->early) {
        (void)send_piece(wsi, lws_wsi_user(wsi));
        lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
        return;
    }
    bool taken = lws_partial_buffered(wsi) == 0;
    if (taken && send_piece(wsi, lws_wsi_user(wsi)) == 0) {
        return;
    }
    sl_session *session = lws_wsi_user(wsi); /* not always what it was before the answer's end */
    if (session != NULL) {
        session->ends = taken;
    }
    lws_callback_on_writable(wsi);
}

void sl_http_deliver(sl_adapter *a)
{
    sl_lock(a->lock);
    sl_request *list = a->answered;
    a->answered = NULL;
    sl_unlock(a->lock);
    while (list != NULL) {
        sl_request *r = list;
        list = r->next;
        if (r->flows && !sl_body_taken(r)) {
            continue;
        }
        if (r->wsi == NULL) {
            sl_request_free(r);
        } else {
            answer(r);
        }
    }
}

static void on_woken(sl_adapter *a)
{
    sl_lock(a->lock);
    a->woken = false;
    sl_unlock(a->lock);
    sl_http_deliver(a);
    sl_conn_deliver(a);
}

/* Only the upgrade to a WebSocket, and only as RFC 6455 has it. */
static int on_upgrade(struct lws *wsi, const char *to)
{
    if (strcasecmp(to, "websocket") != 0) {
        return refuse(wsi, 400, "there is no such upgrade here");
    }
    if (!sl_conn_handshake_ok(wsi)) {
        return refuse(wsi, 400, "this is no WebSocket handshake");
    }
    if (!sl_conn_origin_ok(wsi)) {
        return refuse(wsi, 403, "pages of this origin are not let in");
    }
    return sl_conn_crowded(wsi) ? refuse(wsi, 429, "too many connections come from this address")
                                : 0;
}

static void on_socket(struct lws *wsi)
{
    adapter_of(wsi)->watch->open(lws_get_socket_fd(wsi));
    adapter_of(wsi)->watch->heads(lws_get_socket_fd(wsi));
    if (adapter_of(wsi)->upload_rate > 0) {
        int room = RATE_RCVBUF;
        (void)setsockopt(lws_get_socket_fd(wsi), SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    }
}

int sl_http_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                     size_t n)
{
    sl_session *session = user;
    /* libwebsockets has a hundred reasons, and adds more: not a switch over the enumeration. */
    switch ((int)reason) {
    case LWS_CALLBACK_EVENT_WAIT_CANCELLED: on_woken(adapter_of(wsi)); return 0;
    case LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED: on_socket(wsi); return 0;
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE: return on_upgrade(wsi, in);
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION: return 1; /* no such subprotocol here */
    case LWS_CALLBACK_HTTP: return on_request(wsi, session, in, n);
    case LWS_CALLBACK_HTTP_BODY: return on_body(session, in, n);
    case LWS_CALLBACK_HTTP_BODY_COMPLETION: return on_body_end(session);
    case LWS_CALLBACK_HTTP_WRITEABLE: return on_writeable(wsi, session);
    case LWS_CALLBACK_CLOSED_HTTP:
        sl_linger(adapter_of(wsi), wsi);
        if (session != NULL) {
            on_closed(session);
        }
        return 0;
    default: return 0;
    }
}
