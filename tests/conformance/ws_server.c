#include "ws_server.h"

#include "certificate.h"

#include <arpa/inet.h>
#include <check.h>
#include <libwebsockets.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    BIG = 16 * 1024 * 1024,
    DEADLINE_S = 60
};

typedef struct answer {
    struct answer *next;
    bool binary;
    size_t n;
    uint8_t space[];
} answer;

/* What each connection has; zeroed by the library. */
typedef struct session {
    answer *first;
    answer *last;
    uint8_t *rx;
    size_t rx_len;
    size_t rx_cap;
    bool closing;
} session;

static struct lws_context *g_context;
static pthread_t g_thread;
static atomic_bool g_stop;
static int g_mute = -1;

static pthread_mutex_t g_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t g_news = PTHREAD_COND_INITIALIZER;
static int g_code;
static char g_reason[128];

static void reply(session *s, struct lws *wsi, const void *p, size_t n, bool binary)
{
    answer *a = calloc(1, sizeof *a + LWS_PRE + n);
    ck_assert_ptr_nonnull(a);
    a->binary = binary;
    a->n = n;
    if (p != NULL && n > 0) {
        memcpy(a->space + LWS_PRE, p, n);
    }
    if (s->last == NULL) {
        s->first = a;
    } else {
        s->last->next = a;
    }
    s->last = a;
    lws_callback_on_writable(wsi);
}

static void on_message(session *s, struct lws *wsi)
{
    bool binary = lws_frame_is_binary(wsi) != 0;
    const char *text = (const char *)s->rx;
    if (binary || s->rx_len == 0 || text[0] != '!') {
        reply(s, wsi, s->rx, s->rx_len, binary);
    } else if (strcmp(text, "!close") == 0) {
        s->closing = true;
        lws_callback_on_writable(wsi);
    } else if (strcmp(text, "!drop") == 0) {
        (void)shutdown(lws_get_socket_fd(wsi), SHUT_RDWR);
    } else if (strcmp(text, "!fit") == 0) {
        reply(s, wsi, NULL, BIG, true);
    } else if (strcmp(text, "!huge") == 0) {
        reply(s, wsi, NULL, BIG + 1, true);
    }
}

static void on_receive(session *s, struct lws *wsi, const void *in, size_t n)
{
    if (s->rx_len + n + 1 > s->rx_cap) {
        s->rx_cap = 2 * (s->rx_len + n + 1);
        s->rx = realloc(s->rx, s->rx_cap);
        ck_assert_ptr_nonnull(s->rx);
    }
    if (n > 0) {
        memcpy(s->rx + s->rx_len, in, n);
    }
    s->rx_len += n;
    s->rx[s->rx_len] = 0;
    if (lws_is_final_fragment(wsi) && lws_remaining_packet_payload(wsi) == 0) {
        on_message(s, wsi);
        s->rx_len = 0;
    }
}

static int on_writable(session *s, struct lws *wsi)
{
    answer *a = s->first;
    if (a == NULL) {
        if (s->closing) {
            unsigned char why[] = "as asked";
            lws_close_reason(wsi, (enum lws_close_status)4001, why, sizeof why - 1);
            return -1;
        }
        return 0;
    }
    s->first = a->next;
    s->last = s->first == NULL ? NULL : s->last;
    (void)lws_write(wsi, a->space + LWS_PRE, a->n, a->binary ? LWS_WRITE_BINARY : LWS_WRITE_TEXT);
    free(a);
    lws_callback_on_writable(wsi);
    return 0;
}

static void on_peer_close(const uint8_t *in, size_t n)
{
    pthread_mutex_lock(&g_lock);
    g_code = n >= 2 ? in[0] << 8 | in[1] : 1005;
    size_t len = n > 2 && n - 2 < sizeof g_reason ? n - 2 : 0;
    if (len > 0) {
        memcpy(g_reason, in + 2, len);
    }
    g_reason[len] = 0;
    pthread_cond_broadcast(&g_news);
    pthread_mutex_unlock(&g_lock);
}

static void forget(session *s)
{
    while (s->first != NULL) {
        answer *a = s->first;
        s->first = a->next;
        free(a);
    }
    s->last = NULL;
    free(s->rx);
    s->rx = NULL;
    s->rx_cap = 0;
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t len)
{
    session *s = user;
    char path[64];
    int number = (int)reason;
    switch (number) {
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
        return lws_hdr_copy(wsi, path, sizeof path, WSI_TOKEN_GET_URI) > 0 &&
               strcmp(path, "/refuse") == 0;
    case LWS_CALLBACK_RECEIVE: on_receive(s, wsi, in, len); return 0;
    case LWS_CALLBACK_SERVER_WRITEABLE: return on_writable(s, wsi);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE: on_peer_close(in, len); return 0;
    case LWS_CALLBACK_CLOSED: forget(s); return 0;
    default: return 0;
    }
}

static const struct lws_protocols PROTOCOLS[] = {
    {.name = "sideline.test",
     .callback = on_event,
     .per_session_data_size = sizeof(session),
     .rx_buffer_size = 65536,
     .tx_packet_size = 65536},
    {.name = NULL},
};

static void *run(void *arg)
{
    (void)arg;
    while (!atomic_load(&g_stop) && lws_service(g_context, 0) >= 0) {
    }
    return NULL;
}

static int start(bool secure)
{
    lws_set_log_level(0, NULL);
    struct lws_context_creation_info info = {.port = 0,
                                             .iface = "127.0.0.1",
                                             .protocols = PROTOCOLS,
                                             .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS};
    if (secure) {
        info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
        info.server_ssl_cert_mem = CERTIFICATE_PEM;
        info.server_ssl_cert_mem_len = sizeof CERTIFICATE_PEM - 1;
        info.server_ssl_private_key_mem = CERTIFICATE_KEY_PEM;
        info.server_ssl_private_key_mem_len = sizeof CERTIFICATE_KEY_PEM - 1;
    }
    atomic_store(&g_stop, false);
    g_code = 0;
    g_context = lws_create_context(&info);
    ck_assert_ptr_nonnull(g_context);
    struct lws_vhost *vhost = lws_create_vhost(g_context, &info);
    ck_assert_ptr_nonnull(vhost);
    int port = lws_get_vhost_listen_port(vhost);
    ck_assert_int_gt(port, 0);
    ck_assert_int_eq(pthread_create(&g_thread, NULL, run, NULL), 0);
    return port;
}

int ws_server_start(void)
{
    return start(false);
}

int ws_server_start_secure(void)
{
    return start(true);
}

const char *ws_server_certificate(void)
{
    return CERTIFICATE_PEM;
}

void ws_server_stop(void)
{
    atomic_store(&g_stop, true);
    lws_cancel_service(g_context);
    (void)pthread_join(g_thread, NULL);
    lws_context_destroy(g_context);
    g_context = NULL;
}

static int bind_somewhere(int *port)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t n = sizeof a;
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&a, sizeof a), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    *port = ntohs(a.sin_port);
    return fd;
}

int ws_server_mute_start(void)
{
    int port = 0;
    g_mute = bind_somewhere(&port);
    ck_assert_int_eq(listen(g_mute, 8), 0);
    return port;
}

void ws_server_mute_stop(void)
{
    (void)close(g_mute);
}

int ws_server_dead_port(void)
{
    int port = 0;
    (void)close(bind_somewhere(&port));
    return port;
}

int ws_server_wait_close(char *reason, unsigned cap)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += DEADLINE_S;
    pthread_mutex_lock(&g_lock);
    int rc = 0;
    while (rc == 0 && g_code == 0) {
        rc = pthread_cond_timedwait(&g_news, &g_lock, &until);
    }
    int code = g_code;
    size_t n = strlen(g_reason);
    n = n < cap ? n : cap - 1;
    memcpy(reason, g_reason, n);
    reason[n] = 0;
    pthread_mutex_unlock(&g_lock);
    return code;
}
