#include "platform/lws/lws.h"

#include <libwebsockets.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    CONNECT_S = 10,
    CLOSE_S = 5,
    PING_S = 20,
    HANGUP_S = 40,
    CHUNK = 65536, /* read and written at once */
    URL_MAX = 4096,
    REASON_MAX = 123,
    CODE_NORMAL = 1000,
    CODE_GONE = 1001,
    CODE_NONE = 1005, /* closed properly, without a code */
    CODE_ABNORMAL = 1006,
    CODE_TOO_LONG = 1009
};

typedef enum phase {
    PHASE_NEW, /* asked for */
    PHASE_CONNECTING,
    PHASE_OPEN,
    PHASE_OVER /* to be told and forgotten */
} phase;

typedef struct message {
    struct message *next;
    bool text;
    size_t n;
    uint8_t space[]; /* LWS_PRE bytes for the frame's head, then n */
} message;

typedef struct conn conn;

/* Fields marked (lock) are shared with the callers' threads; the rest is the thread's. */
struct conn {
    conn *next; /* (lock) */
    sl_id id;
    sl_lws *owner;
    phase phase;
    struct lws *wsi; /* only while connecting or open */
    char *url;
    char *subprotocol;
    message *first;     /* (lock) */
    message *last;      /* (lock) */
    size_t waiting;     /* (lock) bytes in the queue */
    bool close_asked;   /* (lock) */
    bool close_timed;   /* the time limit for closing runs */
    int32_t close_code; /* (lock) until close_asked */
    char reason[REASON_MAX + 1];
    int32_t told_code; /* what the end will be called */
    uint8_t *rx;
    size_t rx_len;
    size_t rx_cap;
};

struct sl_lws {
    pthread_mutex_t lock;
    struct lws_context *context; /* (lock) NULL until the thread has made it */
    conn *list;                  /* (lock) */
    bool running;                /* (lock) */
    bool stopping;               /* (lock) */
    bool began;                  /* (lock) the thread is to be joined */
    sl_core *core;
    pthread_t thread;
};

/* A silent connection is pinged, and cut when nothing answers. */
static const lws_retry_bo_t KEEP_ALIVE = {.secs_since_valid_ping = PING_S,
                                          .secs_since_valid_hangup = HANGUP_S};

static void conn_free(conn *c)
{
    while (c->first != NULL) {
        message *m = c->first;
        c->first = m->next;
        free(m);
    }
    free(c->url);
    free(c->subprotocol);
    free(c->rx);
    free(c);
}

/* From here on the library may say what it likes about the socket: nobody listens. */
static void let_go(conn *c, int32_t code)
{
    if (c->wsi != NULL) {
        lws_set_opaque_user_data(c->wsi, NULL);
        c->wsi = NULL;
    }
    if (c->phase != PHASE_OVER) {
        c->phase = PHASE_OVER;
        c->told_code = code;
    }
}

static bool grow(conn *c, size_t need)
{
    if (need <= c->rx_cap) {
        return true;
    }
    size_t cap = c->rx_cap == 0 ? 4096 : c->rx_cap;
    while (cap < need) {
        cap *= 2;
    }
    uint8_t *bigger = realloc(c->rx, cap);
    if (bigger == NULL) {
        return false;
    }
    c->rx = bigger;
    c->rx_cap = cap;
    return true;
}

/* Frames arrive in pieces; a message is told when its last piece is here. */
static int on_receive(conn *c, struct lws *wsi, const void *in, size_t len)
{
    lws_validity_confirmed(wsi); /* whoever speaks need not be pinged */
    if (lws_is_first_fragment(wsi)) {
        c->rx_len = 0;
    }
    if (len > SL_LWS_MESSAGE_MAX - c->rx_len || !grow(c, c->rx_len + len + 1)) {
        c->told_code = CODE_TOO_LONG;
        lws_close_reason(wsi, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, NULL, 0);
        return -1;
    }
    if (len > 0) {
        memcpy(c->rx + c->rx_len, in, len);
    }
    c->rx_len += len;
    if (lws_is_final_fragment(wsi) && lws_remaining_packet_payload(wsi) == 0) {
        int32_t kind = lws_frame_is_binary(wsi) ? SL_WS_BINARY : SL_WS_TEXT;
        c->rx[c->rx_len] = 0;
        sl_host_ws_message(c->owner->core, c->id, kind, c->rx, c->rx_len);
        c->rx_len = 0;
        if (c->rx_cap > CHUNK) { /* a rare big message does not stay in memory */
            free(c->rx);
            c->rx = NULL;
            c->rx_cap = 0;
        }
    }
    return 0;
}

static int on_writable(conn *c, struct lws *wsi)
{
    sl_lws *l = c->owner;
    pthread_mutex_lock(&l->lock);
    message *m = c->first;
    if (m != NULL) {
        c->first = m->next;
        c->last = c->first == NULL ? NULL : c->last;
        c->waiting -= m->n;
    }
    bool more = c->first != NULL;
    bool closing = c->close_asked;
    pthread_mutex_unlock(&l->lock);
    if (m != NULL) {
        int wrote =
            lws_write(wsi, m->space + LWS_PRE, m->n, m->text ? LWS_WRITE_TEXT : LWS_WRITE_BINARY);
        bool good = wrote >= 0 && (size_t)wrote >= m->n;
        free(m);
        if (!good) {
            return -1;
        }
    }
    if (more || (m != NULL && closing)) {
        lws_callback_on_writable(wsi);
    } else if (closing) {
        c->told_code = c->close_code;
        lws_close_reason(wsi, (enum lws_close_status)c->close_code, (unsigned char *)c->reason,
                         strlen(c->reason));
        return -1;
    }
    return 0;
}

static void on_peer_close(conn *c, const uint8_t *in, size_t len)
{
    if (len >= 2) {
        c->told_code = in[0] << 8 | in[1];
    } else {
        c->told_code = CODE_NONE;
    }
}

/* Only the reasons that concern a client; the library has many others. */
static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t len)
{
    (void)user;
    conn *c = wsi != NULL ? lws_get_opaque_user_data(wsi) : NULL;
    if (c == NULL || c->phase == PHASE_OVER) {
        return 0;
    }
    int reason_number = (int)reason;
    switch (reason_number) {
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        c->wsi = wsi;
        c->phase = PHASE_OPEN;
        sl_host_ws_opened(c->owner->core, c->id);
        lws_callback_on_writable(wsi);
        return 0;
    case LWS_CALLBACK_CLIENT_RECEIVE: return on_receive(c, wsi, in, len);
    case LWS_CALLBACK_CLIENT_WRITEABLE: return on_writable(c, wsi);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE: on_peer_close(c, in, len); return 0;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
    case LWS_CALLBACK_CLIENT_CLOSED:
    case LWS_CALLBACK_WSI_DESTROY:
        c->wsi = wsi;
        let_go(c, c->told_code);
        return 0;
    default: return 0;
    }
}

static const struct lws_protocols PROTOCOLS[] = {
    {.name = "sideline-client",
     .callback = on_event,
     .rx_buffer_size = CHUNK,
     .tx_packet_size = CHUNK},
    {.name = NULL},
};

static void connect_now(sl_lws *l, conn *c)
{
    const char *scheme = NULL;
    const char *host = NULL;
    const char *path = NULL;
    int port = 0;
    char full[URL_MAX + 2];
    char name[URL_MAX + 16];
    c->phase = PHASE_CONNECTING;
    if (lws_parse_uri(c->url, &scheme, &host, &port, &path) != 0 || *host == 0) {
        let_go(c, CODE_ABNORMAL);
        return;
    }
    bool secure = strcasecmp(scheme, "wss") == 0;
    bool usual = port == (secure ? 443 : 80);
    (void)lws_snprintf(full, sizeof full, "/%s", path);
    (void)lws_snprintf(name, sizeof name, usual ? "%s" : "%s:%d", host, port);
    struct lws_client_connect_info info = {
        .context = l->context,
        .address = host,
        .port = port,
        .ssl_connection = LCCSCF_HTTP_NO_FOLLOW_REDIRECT | (secure ? LCCSCF_USE_SSL : 0),
        .path = full,
        .host = name,
        .protocol = c->subprotocol,
        .ietf_version_or_minus_one = -1,
        .local_protocol_name = PROTOCOLS[0].name,
        .alpn = "http/1.1",
        .opaque_user_data = c,
        .retry_and_idle_policy = &KEEP_ALIVE,
    };
    struct lws *wsi = lws_client_connect_via_info(&info);
    if (wsi == NULL) {
        let_go(c, CODE_ABNORMAL);
    } else if (c->phase != PHASE_OVER) {
        c->wsi = wsi;
    }
}

static void attend(sl_lws *l, conn *c, bool closing, bool writes)
{
    if (c->phase == PHASE_NEW) {
        if (closing) {
            let_go(c, c->close_code);
        } else {
            connect_now(l, c);
        }
    } else if (c->phase == PHASE_CONNECTING && closing) {
        struct lws *wsi = c->wsi;
        let_go(c, c->close_code);
        if (wsi != NULL) {
            lws_set_timeout(wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
        }
    } else if (c->phase == PHASE_OPEN && (closing || writes)) {
        if (closing && !c->close_timed) {
            c->close_timed = true;
            c->told_code = c->close_code;
            lws_set_timeout(c->wsi, PENDING_TIMEOUT_USER_REASON_BASE, CLOSE_S);
        }
        lws_callback_on_writable(c->wsi);
    }
}

/* One turn of the thread: does what callers asked for. Callers only ever add in front and set
 * flags, and only the thread takes out, so the list may be walked between two looks under the
 * lock. False when the thread should end. */
static bool take_news(sl_lws *l)
{
    pthread_mutex_lock(&l->lock);
    bool stopping = l->stopping;
    conn *c = l->list;
    while (c != NULL && !stopping) {
        bool closing = c->close_asked;
        bool writes = c->first != NULL;
        pthread_mutex_unlock(&l->lock);
        attend(l, c, closing, writes);
        pthread_mutex_lock(&l->lock);
        c = c->next;
    }
    pthread_mutex_unlock(&l->lock);
    return !stopping;
}

/* Takes out what is over, or with `all` everything, and tells it. */
static void bury(sl_lws *l, bool all)
{
    conn *over = NULL;
    pthread_mutex_lock(&l->lock);
    for (conn **at = &l->list; *at != NULL;) {
        conn *c = *at;
        if (all || c->phase == PHASE_OVER) {
            *at = c->next;
            c->next = over;
            over = c;
        } else {
            at = &c->next;
        }
    }
    pthread_mutex_unlock(&l->lock);
    while (over != NULL) {
        conn *c = over;
        over = c->next;
        sl_id id = c->id;
        int32_t code = c->phase == PHASE_OVER ? c->told_code : CODE_GONE;
        conn_free(c);
        sl_host_ws_closed(l->core, id, code);
    }
}

/* What TLS wants takes tens of ms, and two MiB: the thread's time, not that of who asked for a socket. */
static struct lws_context *make_context(sl_lws *l)
{
    lws_set_log_level(0, NULL);
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .protocols = PROTOCOLS,
        .options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT,
        .timeout_secs = CONNECT_S,
        .retry_and_idle_policy = &KEEP_ALIVE,
    };
    struct lws_context *context = lws_create_context(&info);
    pthread_mutex_lock(&l->lock);
    l->context = context;
    pthread_mutex_unlock(&l->lock);
    return context;
}

static void *run(void *arg)
{
    sl_lws *l = arg;
    struct lws_context *context = make_context(l);
    while (context != NULL && take_news(l)) {
        bury(l, false);
        if (lws_service(context, 0) < 0) {
            break;
        }
    }
    pthread_mutex_lock(&l->lock);
    l->running = false;
    l->context = NULL;
    pthread_mutex_unlock(&l->lock);
    if (context != NULL) {
        lws_context_destroy(context);
    }
    bury(l, true);
    return NULL;
}

sl_lws *sl_lws_new(void)
{
    sl_lws *l = calloc(1, sizeof *l);
    if (l != NULL && pthread_mutex_init(&l->lock, NULL) != 0) {
        free(l);
        l = NULL;
    }
    return l;
}

sl_status sl_lws_start(sl_lws *l, sl_core *core)
{
    if (l->core != NULL) {
        return SL_E_MISUSE;
    }
    pthread_mutex_lock(&l->lock);
    l->core = core;
    l->stopping = false;
    pthread_mutex_unlock(&l->lock);
    return SL_OK;
}

/* Called locked. The thread comes with the first socket. */
static sl_status begin(sl_lws *l)
{
    l->running = true;
    l->began = pthread_create(&l->thread, NULL, run, l) == 0;
    l->running = l->began;
    return l->began ? SL_OK : SL_E_NOMEM;
}

/* A thread that could not go on has ended: the next socket has another. */
static void reap(sl_lws *l)
{
    pthread_mutex_lock(&l->lock);
    bool over = l->began && !l->running && !l->stopping;
    pthread_mutex_unlock(&l->lock);
    if (over) {
        (void)pthread_join(l->thread, NULL);
        pthread_mutex_lock(&l->lock);
        l->began = false;
        pthread_mutex_unlock(&l->lock);
    }
}

/* Called locked: the thread destroys the context after it took it from here. */
static void wake(sl_lws *l)
{
    if (l->context != NULL) {
        lws_cancel_service(l->context);
    }
}

void sl_lws_stop(sl_lws *l)
{
    if (l->core == NULL) {
        return;
    }
    pthread_mutex_lock(&l->lock);
    l->stopping = true;
    wake(l);
    pthread_mutex_unlock(&l->lock);
    if (l->began) {
        (void)pthread_join(l->thread, NULL);
    }
    pthread_mutex_lock(&l->lock);
    l->began = false;
    l->core = NULL;
    pthread_mutex_unlock(&l->lock);
}

void sl_lws_free(sl_lws *l)
{
    if (l != NULL) {
        sl_lws_stop(l);
        (void)pthread_mutex_destroy(&l->lock);
        free(l);
    }
}

sl_status sl_lws_open(sl_lws *l, sl_id id, const char *url, const char *subprotocol)
{
    if ((strncasecmp(url, "ws://", 5) != 0 && strncasecmp(url, "wss://", 6) != 0) ||
        strlen(url) >= URL_MAX || strpbrk(url, " \r\n\t") != NULL) {
        return SL_E_INVALID;
    }
    conn *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return SL_E_NOMEM;
    }
    bool named = subprotocol != NULL && *subprotocol != 0;
    c->id = id;
    c->owner = l;
    c->told_code = CODE_ABNORMAL;
    c->url = strdup(url);
    c->subprotocol = named ? strdup(subprotocol) : NULL;
    sl_status status = c->url == NULL || (named && c->subprotocol == NULL) ? SL_E_NOMEM : SL_OK;
    reap(l);
    pthread_mutex_lock(&l->lock);
    if (status == SL_OK && (l->core == NULL || l->stopping || (l->began && !l->running))) {
        status = SL_E_CLOSED;
    }
    if (status == SL_OK && !l->began) {
        status = begin(l);
    }
    if (status == SL_OK) {
        c->next = l->list;
        l->list = c;
        wake(l);
    }
    pthread_mutex_unlock(&l->lock);
    if (status != SL_OK) {
        conn_free(c);
    }
    return status;
}

/* Called locked. */
static conn *find(const sl_lws *l, sl_id id)
{
    conn *c = l->list;
    while (c != NULL && c->id != id) {
        c = c->next;
    }
    return c;
}

sl_status sl_lws_send(sl_lws *l, sl_id id, int32_t kind, const uint8_t *p, size_t n)
{
    if (n > SL_LWS_MESSAGE_MAX) {
        return SL_E_LIMIT;
    }
    message *m = malloc(sizeof *m + LWS_PRE + n);
    if (m == NULL) {
        return SL_E_NOMEM;
    }
    m->next = NULL;
    m->text = kind == SL_WS_TEXT;
    m->n = n;
    if (n > 0) {
        memcpy(m->space + LWS_PRE, p, n);
    }
    sl_status status = SL_OK;
    pthread_mutex_lock(&l->lock);
    conn *c = find(l, id);
    if (c == NULL || c->close_asked) {
        status = SL_E_NOT_FOUND;
    } else if (n > SL_LWS_QUEUE_MAX - c->waiting) {
        status = SL_E_LIMIT;
    } else {
        c->waiting += n;
        if (c->last == NULL) {
            c->first = m;
        } else {
            c->last->next = m;
        }
        c->last = m;
        wake(l);
    }
    pthread_mutex_unlock(&l->lock);
    if (status != SL_OK) {
        free(m);
    }
    return status;
}

void sl_lws_close(sl_lws *l, sl_id id, int32_t code, const char *reason)
{
    pthread_mutex_lock(&l->lock);
    conn *c = find(l, id);
    if (c != NULL && !c->close_asked) {
        bool sayable = code == CODE_NORMAL || (code >= 3000 && code <= 4999);
        c->close_code = sayable ? code : CODE_NORMAL;
        size_t n = reason == NULL ? 0 : strlen(reason);
        n = n > REASON_MAX ? 0 : n;
        if (n > 0) {
            memcpy(c->reason, reason, n);
        }
        c->close_asked = true;
        wake(l);
    }
    pthread_mutex_unlock(&l->lock);
}
