#include "server/inside.h"
#include "sync/frame.h"

#include "base/error.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    PARTING_MS = 500,   /* connections get this long to hear that the server stops */
    DRAINING_MS = 10000 /* and requests to be answered */
};

static const struct lws_protocols protocols[] = {
    {.name = "http",
     .callback = sl_http_callback,
     .per_session_data_size = sizeof(sl_session),
     .rx_buffer_size = SL_SERVER_CHUNK,
     .tx_packet_size = SL_SERVER_CHUNK},
    {.name = SL_FRAME_PROTOCOL_BIN,
     .callback = sl_conn_callback,
     .per_session_data_size = sizeof(sl_session),
     .rx_buffer_size = SL_SERVER_RX,
     .tx_packet_size = SL_SERVER_CHUNK},
    {.name = SL_FRAME_PROTOCOL_JSON,
     .callback = sl_conn_callback,
     .per_session_data_size = sizeof(sl_session),
     .rx_buffer_size = SL_SERVER_RX,
     .tx_packet_size = SL_SERVER_CHUNK},
    {.name = SL_SERVER_LINGER_NAME,
     .callback = sl_linger_callback,
     .per_session_data_size = sizeof(uint64_t),
     .rx_buffer_size = SL_SERVER_CHUNK},
    {.name = NULL},
};

/* Silent peers are asked after 30 s and dropped after 75 s. */
static const lws_retry_bo_t liveness = {
    .secs_since_valid_ping = 30,
    .secs_since_valid_hangup = 75,
};

static void print_log(int level, const char *line)
{
    (void)level;
    (void)fprintf(stderr, "sidelined: %s", line);
}

/* The address as digits: libwebsockets takes names of interfaces for anything else. */
static sl_status resolve(const char *host, char *out, size_t cap, struct sockaddr_in *addr,
                         sl_error **err)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int code = getaddrinfo(host, NULL, &hints, &found);
    if (code != 0 || found == NULL) {
        return sl_fail(err, SL_E_INVALID, "there is no IPv4 address called \"%s\" here", host);
    }
    memcpy(addr, found->ai_addr, sizeof *addr);
    freeaddrinfo(found);
    if (inet_ntop(AF_INET, &addr->sin_addr, out, (socklen_t)cap) == NULL) {
        return sl_fail(err, SL_E_INVALID, "the address \"%s\" cannot be used", host);
    }
    return SL_OK;
}

/* libwebsockets says only that it failed: find out first whether the place is free. */
static sl_status try_bind(const sl_adapter *a, struct sockaddr_in *addr, sl_error **err)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0) {
        return sl_fail(err, SL_E_IO, "no socket can be made: %s", strerror(errno));
    }
    int on = 1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    addr->sin_port = htons((uint16_t)a->port);
    int failed = bind(fd, (const struct sockaddr *)(const void *)addr, sizeof *addr);
    if (failed == 0) {
        failed = listen(fd, 1);
    }
    int why = failed == 0 ? 0 : errno;
    (void)close(fd);
    if (why == EADDRINUSE) {
        return sl_fail(err, SL_E_BUSY, "port %d of %s is in use by another program", (int)a->port,
                       a->host);
    }
    if (why != 0) {
        return sl_fail(err, SL_E_IO, "cannot listen on %s port %d: %s", a->host, (int)a->port,
                       strerror(why));
    }
    return SL_OK;
}

sl_status sl_adapter_new(const sl_adapter_config *config, sl_adapter **out, sl_error **err)
{
    sl_adapter *a = sl_mem(sizeof *a);
    if (a == NULL) {
        return sl_fail_nomem(err);
    }
    a->platform = config->platform;
    a->port = config->port;
    a->upload_rate = config->upload_rate;
    a->web = config->web;
    a->verbose = config->verbose;
    a->behind_proxy = config->behind_proxy;
    a->watch = config->watch;
    a->tls_cert = config->tls_cert;
    a->tls_key = config->tls_key;
    a->tls_old = config->tls_old;
    a->origins = config->origins;
    a->address_conns = config->address_conns;
    a->origins.tls = config->tls_cert != NULL;
    struct sockaddr_in addr;
    sl_status st = resolve(config->host, a->host, sizeof a->host, &addr, err);
    if (st == SL_OK && a->port != 0) {
        st = try_bind(a, &addr, err);
    }
    if (st == SL_OK) {
        a->lock = sl_mutex_new();
        a->chunk = sl_mem(LWS_PRE + SL_SERVER_CHUNK);
        if (a->lock == NULL || a->chunk == NULL) {
            st = sl_fail_nomem(err);
        }
    }
    if (st != SL_OK) {
        sl_adapter_free(a);
        return st;
    }
    *out = a;
    return SL_OK;
}

void sl_adapter_free(sl_adapter *a)
{
    if (a == NULL) {
        return;
    }
    a->closing = true;
    sl_pool_free(a->pool);
    a->pool = NULL;
    if (a->context != NULL) {
        /* The sockets' last callbacks come from here, with no worker left to disturb. */
        lws_context_destroy(a->context);
        sl_http_deliver(a);
    }
    for (size_t i = 0; i < a->spare_count; i++) {
        sl_buf_free(&a->spares[i]);
    }
    sl_mem_free(a->conns);
    sl_mem_free(a->chunk);
    sl_mutex_free(a->lock);
    sl_mem_free(a);
}

/* TLS 1.3, or 1.2 too, and of that only what has forward secrecy and authenticates what it encrypts.
 *
 * HTTP/2 is not offered; what stands in front of us may speak it (README.md). libwebsockets 4.1.6 as an HTTP/2
 * server, tried with curl 7.88: of a request's headers those without a number of their own are gone
 * (`Tus-Resumable`, `Upload-Offset`; 4.1 keeps them of HTTP/1.1 only), a body of 300 kB does not come to
 * its end (of HTTP/1.1, 20 MB do), and streams that are opened and reset are not counted. */
static sl_status set_tls(const sl_adapter *a, struct lws_context_creation_info *info,
                         sl_error **err)
{
    const char *files[] = {a->tls_cert, a->tls_key};
    if (a->tls_cert == NULL) {
        return SL_OK;
    }
    for (size_t i = 0; i < 2; i++) {
        if (access(files[i], R_OK) != 0) {
            return sl_fail(err, SL_E_INVALID, "the file \"%s\" cannot be read: %s", files[i],
                           strerror(errno));
        }
    }
    info->options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
    info->ssl_cert_filepath = a->tls_cert;
    info->ssl_private_key_filepath = a->tls_key;
    info->ssl_cipher_list = "ECDHE+AESGCM:ECDHE+CHACHA20";
    info->ssl_options_set =
        (long)(SSL_OP_NO_SSLv3 | SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1 | SSL_OP_NO_RENEGOTIATION |
               SSL_OP_CIPHER_SERVER_PREFERENCE | (a->tls_old ? 0 : SSL_OP_NO_TLSv1_2));
    info->alpn = "http/1.1";
    return SL_OK;
}

sl_status sl_adapter_listen(sl_adapter *a, sl_service *service, int32_t *port, sl_error **err)
{
    a->service = service;
    lws_set_log_level(a->verbose ? LLL_ERR | LLL_WARN | LLL_NOTICE : 0, print_log);
    a->pool = sl_pool_new(SL_SERVER_THREADS);
    if (a->pool == NULL) {
        return sl_fail(err, SL_E_NOMEM, "the worker threads cannot be started");
    }
    struct lws_context_creation_info info;
    memset(&info, 0, sizeof info);
    info.port = a->port;
    info.iface = a->host;
    info.protocols = protocols;
    info.user = a;
    info.options = LWS_SERVER_OPTION_VALIDATE_UTF8 | LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
                   LWS_SERVER_OPTION_DISABLE_IPV6 | LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND;
    info.pt_serv_buf_size = SL_SERVER_CHUNK;
    info.max_http_header_data = 16384;
    info.max_http_header_pool = 1024;
    info.keepalive_timeout = 30;
    info.timeout_secs = 30;
    info.retry_and_idle_policy = &liveness;
    sl_status st = set_tls(a, &info, err);
    if (st != SL_OK) {
        return st;
    }
    a->context = lws_create_context(&info);
    if (a->context == NULL) {
        return sl_fail(err, SL_E_NOMEM, "the socket layer cannot be started");
    }
    struct lws_vhost *vhost = lws_create_vhost(a->context, &info);
    int got = vhost != NULL ? lws_get_vhost_listen_port(vhost) : 0;
    if (got <= 0) {
        return sl_fail(err, SL_E_BUSY, "cannot listen on %s port %d", a->host, (int)a->port);
    }
    a->port = got;
    *port = got;
    return SL_OK;
}

void sl_adapter_wake(sl_adapter *a)
{
    if (!a->woken && a->context != NULL) {
        a->woken = true;
        lws_cancel_service(a->context);
    }
}

void sl_adapter_stop(sl_adapter *a)
{
    sl_lock(a->lock);
    a->stopping = true;
    sl_adapter_wake(a);
    sl_unlock(a->lock);
}

static bool is_stopping(sl_adapter *a)
{
    sl_lock(a->lock);
    bool yes = a->stopping;
    sl_unlock(a->lock);
    return yes;
}

static bool has_conns(sl_adapter *a)
{
    sl_lock(a->lock);
    bool yes = a->n_conns > 0;
    sl_unlock(a->lock);
    return yes;
}

/* What connections said in it is handed over together: a worker that was woken by the first would work, and
 * have written, for each by itself. */
static int serve_turn(sl_adapter *a)
{
    int result = lws_service(a->context, 0);
    sl_conn_hand_over(a);
    return result;
}

/* Turns of the loop until every connection has its close frame and every request its answer, but not for
 * long. */
static void part(sl_adapter *a)
{
    int64_t began = a->platform->clock->mono_ms(a->platform->user);
    int64_t took = 0;
    sl_conn_close_all(a);
    while ((has_conns(a) && took < PARTING_MS) || (a->n_requests > 0 && took < DRAINING_MS)) {
        /* Without this the turn may wait for news that does not come. */
        lws_cancel_service(a->context);
        if (serve_turn(a) < 0) {
            break;
        }
        took = a->platform->clock->mono_ms(a->platform->user) - began;
    }
}

sl_status sl_adapter_run(sl_adapter *a, sl_error **err)
{
    sl_status st = SL_OK;
    a->watch->serve(true);
    while (!is_stopping(a)) {
        if (serve_turn(a) < 0) {
            st = sl_fail(err, SL_E_IO, "the socket layer failed");
            break;
        }
    }
    a->closing = true;
    part(a);
    a->watch->serve(false);
    sl_pool_free(a->pool);
    a->pool = NULL;
    sl_body_abandon(a);
    return st;
}
