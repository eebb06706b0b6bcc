#include "platform/curl/curl.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    CONNECT_MS = 10000,
    STALL_S = 30,
    REDIRECTS_MAX = 5,
    HEAD_MAX = 64 * 1024,
    POLL_MS = 60000
};

typedef struct request request;

/* Fields marked (lock) are shared with the callers' threads; the rest is the thread's. */
struct request {
    request *next; /* (lock) */
    sl_id id;
    bool added;
    bool cancelled; /* (lock) */
    bool ended;
    CURLcode result;
    bool head_came;
    bool head_told;
    CURL *easy;
    struct curl_slist *headers;
    uint8_t *body;
    char *head; /* the last block of header lines */
    size_t head_len;
    sl_curl *owner;
};

struct sl_curl {
    pthread_mutex_t lock;
    CURLM *multi;
    request *list; /* (lock) */
    bool running;  /* (lock) */
    bool stopping; /* (lock) */
    sl_core *core;
    pthread_t thread;
};

static pthread_once_t g_once = PTHREAD_ONCE_INIT;
static CURLcode g_global = CURLE_FAILED_INIT;

static void init_global(void)
{
    g_global = curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void request_free(request *r)
{
    if (r == NULL) {
        return;
    }
    if (r->easy != NULL) {
        curl_easy_cleanup(r->easy);
    }
    curl_slist_free_all(r->headers);
    free(r->body);
    free(r->head);
    free(r);
}

/* The head is told when the answer's body begins or ends, and not before: what a redirect or an
 * interim answer said is forgotten. */
static void tell_head(request *r)
{
    long status = 0;
    if (!r->head_told && r->head_came) {
        r->head_told = true;
        (void)curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
        sl_host_http_head(r->owner->core, r->id, (int32_t)status, r->head);
    }
}

static size_t on_header(char *p, size_t size, size_t count, void *user)
{
    request *r = user;
    size_t n = size * count;
    if (r->head_told) {
        return n; /* trailers */
    }
    if (n >= 5 && memcmp(p, "HTTP/", 5) == 0) {
        r->head_len = 0;
        r->head_came = true;
        /* The status line itself is not told, but an answer without headers still has a head. */
        p = NULL;
    }
    size_t add = p == NULL || (n <= 2 && (p[0] == '\r' || p[0] == '\n')) ? 0 : n;
    if (r->head_len + add + 1 > HEAD_MAX) {
        return 0;
    }
    char *grown = realloc(r->head, r->head_len + add + 1);
    if (grown == NULL) {
        return 0;
    }
    if (add > 0) {
        memcpy(grown + r->head_len, p, add);
    }
    r->head = grown;
    r->head_len += add;
    r->head[r->head_len] = 0;
    return n;
}

static size_t on_data(char *p, size_t size, size_t count, void *user)
{
    request *r = user;
    tell_head(r);
    sl_host_http_data(r->owner->core, r->id, (const uint8_t *)p, size * count);
    return size * count;
}

/* "Name: value\r\n" lines into libcurl's list, which writes an empty value as "Name;". */
static sl_status add_headers(request *r, const char *lines)
{
    const char *at = lines == NULL ? "" : lines;
    while (*at != 0) {
        size_t n = strcspn(at, "\r\n");
        const char *colon = memchr(at, ':', n);
        if (colon == NULL || colon == at || strncmp(at + n, "\r\n", 2) != 0) {
            return SL_E_INVALID;
        }
        char *line = malloc(n + 1);
        if (line == NULL) {
            return SL_E_NOMEM;
        }
        memcpy(line, at, n);
        line[n] = 0;
        size_t name = (size_t)(colon - at);
        if (strspn(line + name + 1, " \t") == n - name - 1) {
            line[name] = ';';
            line[name + 1] = 0;
        }
        struct curl_slist *longer = curl_slist_append(r->headers, line);
        free(line);
        if (longer == NULL) {
            return SL_E_NOMEM;
        }
        r->headers = longer;
        at += n + 2;
    }
    return SL_OK;
}

/* libcurl adds headers of its own to a body; they are not wanted. */
static sl_status silence_header(request *r, const char *name)
{
    size_t n = strlen(name);
    for (const struct curl_slist *h = r->headers; h != NULL; h = h->next) {
        if (strncasecmp(h->data, name, n) == 0) {
            return SL_OK;
        }
    }
    struct curl_slist *longer = curl_slist_append(r->headers, name);
    if (longer == NULL) {
        return SL_E_NOMEM;
    }
    r->headers = longer;
    return SL_OK;
}

static sl_status set_body(request *r, const sl_http_request *q)
{
    bool bodyless = q->body == NULL || q->body_len == 0;
    bool wants = strcmp(q->method, "POST") == 0 || strcmp(q->method, "PUT") == 0 ||
                 strcmp(q->method, "PATCH") == 0;
    if (bodyless && !wants) {
        return SL_OK;
    }
    r->body = malloc(bodyless ? 1 : q->body_len);
    if (r->body == NULL) {
        return SL_E_NOMEM;
    }
    if (!bodyless) {
        memcpy(r->body, q->body, q->body_len);
    }
    curl_off_t n = bodyless ? 0 : (curl_off_t)q->body_len;
    if (curl_easy_setopt(r->easy, CURLOPT_POSTFIELDSIZE_LARGE, n) != CURLE_OK ||
        curl_easy_setopt(r->easy, CURLOPT_POSTFIELDS, r->body) != CURLE_OK) {
        return SL_E_NOMEM;
    }
    sl_status status = silence_header(r, "Expect:");
    return status == SL_OK ? silence_header(r, "Content-Type:") : status;
}

static sl_status set_method(request *r, const char *method, bool secure)
{
    CURLcode rc = CURLE_OK;
    bool reads = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
    if (strcmp(method, "HEAD") == 0) {
        rc = curl_easy_setopt(r->easy, CURLOPT_NOBODY, 1L);
    } else {
        rc = curl_easy_setopt(r->easy, CURLOPT_CUSTOMREQUEST, method);
    }
    /* Only reading follows a redirect, and never out of TLS. */
    if (rc == CURLE_OK && reads) {
        rc = curl_easy_setopt(r->easy, CURLOPT_FOLLOWLOCATION, 1L);
    }
    if (rc == CURLE_OK) {
        rc =
            curl_easy_setopt(r->easy, CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http,https");
    }
    return rc == CURLE_OK ? SL_OK : SL_E_NOMEM;
}

static sl_status set_up(request *r, const sl_http_request *q)
{
    CURL *e = curl_easy_init();
    r->easy = e;
    if (e == NULL) {
        return SL_E_NOMEM;
    }
    long timeout_ms = q->timeout_ms > 0 ? q->timeout_ms : 0;
    bool secure = strncasecmp(q->url, "https:", 6) == 0;
    CURLcode rc = curl_easy_setopt(e, CURLOPT_URL, q->url);
    if (rc == CURLE_OK) {
        rc = curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    }
    (void)curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(e, CURLOPT_MAXREDIRS, (long)REDIRECTS_MAX);
    (void)curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    (void)curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    (void)curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, 1L);
    (void)curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, (long)STALL_S);
    (void)curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, timeout_ms);
    (void)curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
    (void)curl_easy_setopt(e, CURLOPT_HEADERDATA, r);
    (void)curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_data);
    (void)curl_easy_setopt(e, CURLOPT_WRITEDATA, r);
    (void)curl_easy_setopt(e, CURLOPT_PRIVATE, r);
    sl_status status = rc == CURLE_OK ? add_headers(r, q->headers) : SL_E_NOMEM;
    if (status == SL_OK) {
        status = set_body(r, q);
    }
    if (status == SL_OK) {
        status = set_method(r, q->method, secure);
    }
    if (status == SL_OK && r->headers != NULL) {
        rc = curl_easy_setopt(e, CURLOPT_HTTPHEADER, r->headers);
        status = rc == CURLE_OK ? SL_OK : SL_E_NOMEM;
    }
    return status;
}

/* New handles in, cancelled ones marked, ended ones out; true when the thread should go on. */
static bool take_news(sl_curl *c, request **over)
{
    *over = NULL;
    pthread_mutex_lock(&c->lock);
    bool stopping = c->stopping;
    for (request **at = &c->list; *at != NULL;) {
        request *r = *at;
        if (!r->ended && (stopping || r->cancelled)) {
            r->ended = true;
            r->result = CURLE_ABORTED_BY_CALLBACK;
        } else if (!r->ended && !r->added) {
            r->added = true;
            if (curl_multi_add_handle(c->multi, r->easy) != CURLM_OK) {
                r->added = false;
                r->ended = true;
                r->result = CURLE_OUT_OF_MEMORY;
            }
        }
        if (r->ended) {
            *at = r->next;
            r->next = *over;
            *over = r;
        } else {
            at = &r->next;
        }
    }
    pthread_mutex_unlock(&c->lock);
    return !stopping;
}

static void finish(sl_curl *c, request *over)
{
    while (over != NULL) {
        request *r = over;
        over = r->next;
        sl_status status = SL_E_NETWORK;
        if (r->result == CURLE_OK) {
            tell_head(r);
            status = SL_OK;
        } else if (r->result == CURLE_ABORTED_BY_CALLBACK) {
            status = SL_E_CANCELLED;
        }
        if (r->added) {
            (void)curl_multi_remove_handle(c->multi, r->easy);
        }
        sl_id id = r->id;
        request_free(r);
        sl_host_http_done(c->core, id, status);
    }
}

static void *run(void *arg)
{
    sl_curl *c = arg;
    request *over = NULL;
    while (take_news(c, &over)) {
        finish(c, over);
        int busy = 0;
        (void)curl_multi_perform(c->multi, &busy);
        int left = 0;
        bool ended = false;
        for (CURLMsg *m = curl_multi_info_read(c->multi, &left); m != NULL;
             m = curl_multi_info_read(c->multi, &left)) {
            request *r = NULL;
            (void)curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &r);
            if (m->msg == CURLMSG_DONE && r != NULL) {
                r->result = m->data.result;
                r->ended = true;
                ended = true;
            }
        }
        if (!ended) {
            (void)curl_multi_poll(c->multi, NULL, 0, POLL_MS, NULL);
        }
    }
    finish(c, over);
    return NULL;
}

sl_curl *sl_curl_new(void)
{
    (void)pthread_once(&g_once, init_global);
    sl_curl *c = g_global == CURLE_OK ? calloc(1, sizeof *c) : NULL;
    if (c == NULL) {
        return NULL;
    }
    c->multi = curl_multi_init();
    if (c->multi == NULL || pthread_mutex_init(&c->lock, NULL) != 0) {
        (void)curl_multi_cleanup(c->multi);
        free(c);
        return NULL;
    }
    return c;
}

sl_status sl_curl_start(sl_curl *c, sl_core *core)
{
    if (c->running) {
        return SL_E_MISUSE;
    }
    c->core = core;
    c->stopping = false;
    if (pthread_create(&c->thread, NULL, run, c) != 0) {
        return SL_E_NOMEM;
    }
    pthread_mutex_lock(&c->lock);
    c->running = true;
    pthread_mutex_unlock(&c->lock);
    return SL_OK;
}

void sl_curl_stop(sl_curl *c)
{
    pthread_mutex_lock(&c->lock);
    bool was = c->running;
    c->running = false;
    c->stopping = true;
    pthread_mutex_unlock(&c->lock);
    if (was) {
        (void)curl_multi_wakeup(c->multi);
        (void)pthread_join(c->thread, NULL);
    }
}

void sl_curl_free(sl_curl *c)
{
    if (c != NULL) {
        sl_curl_stop(c);
        (void)curl_multi_cleanup(c->multi);
        (void)pthread_mutex_destroy(&c->lock);
        free(c);
    }
}

sl_status sl_curl_request(sl_curl *c, sl_id id, const sl_http_request *q)
{
    if (strncasecmp(q->url, "http://", 7) != 0 && strncasecmp(q->url, "https://", 8) != 0) {
        return SL_E_INVALID;
    }
    request *r = calloc(1, sizeof *r);
    if (r == NULL) {
        return SL_E_NOMEM;
    }
    r->id = id;
    r->owner = c;
    sl_status status = set_up(r, q);
    if (status == SL_OK) {
        pthread_mutex_lock(&c->lock);
        if (c->running) {
            request **at = &c->list;
            while (*at != NULL) {
                at = &(*at)->next;
            }
            *at = r;
        } else {
            status = SL_E_CLOSED;
        }
        pthread_mutex_unlock(&c->lock);
    }
    if (status != SL_OK) {
        request_free(r);
        return status;
    }
    (void)curl_multi_wakeup(c->multi);
    return SL_OK;
}

void sl_curl_cancel(sl_curl *c, sl_id id)
{
    pthread_mutex_lock(&c->lock);
    for (request *r = c->list; r != NULL; r = r->next) {
        if (r->id == id) {
            r->cancelled = true;
        }
    }
    pthread_mutex_unlock(&c->lock);
    (void)curl_multi_wakeup(c->multi);
}
