#include "host.h"

#include <check.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    DEADLINE_S = 60
};

struct sl_core {
    bool open;
};

static pthread_mutex_t g_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t g_news = PTHREAD_COND_INITIALIZER;
static struct sl_core g_core;
static host_record g_records[HOST_IDS];
static int g_foreign;

sl_core *host_open(void)
{
    pthread_mutex_lock(&g_lock);
    memset(g_records, 0, sizeof g_records);
    g_foreign = 0;
    g_core.open = true;
    pthread_mutex_unlock(&g_lock);
    return &g_core;
}

void host_close(void)
{
    pthread_mutex_lock(&g_lock);
    g_core.open = false;
    for (size_t i = 0; i < HOST_IDS; i++) {
        free(g_records[i].data);
        g_records[i].data = NULL;
    }
    pthread_mutex_unlock(&g_lock);
}

int host_foreign_calls(void)
{
    pthread_mutex_lock(&g_lock);
    int n = g_foreign;
    pthread_mutex_unlock(&g_lock);
    return n;
}

/* Locks, and unlocks again when there is nothing to write to. */
static host_record *enter(const sl_core *core, sl_id id)
{
    pthread_mutex_lock(&g_lock);
    if (core != &g_core || !core->open || id >= HOST_IDS) {
        g_foreign++;
        pthread_mutex_unlock(&g_lock);
        return NULL;
    }
    g_records[id].late += g_records[id].ends > 0 ? 1 : 0;
    return &g_records[id];
}

static void leave(void)
{
    pthread_cond_broadcast(&g_news);
    pthread_mutex_unlock(&g_lock);
}

static void append(host_record *r, const uint8_t *p, size_t n)
{
    uint8_t *bigger = realloc(r->data, r->len + n + 1);
    if (bigger == NULL) {
        abort();
    }
    if (n > 0) {
        memcpy(bigger + r->len, p, n);
    }
    r->data = bigger;
    r->len += n;
    r->data[r->len] = 0;
}

void sl_host_http_head(sl_core *core, sl_id req, int32_t status, const char *headers)
{
    host_record *r = enter(core, req);
    if (r != NULL) {
        size_t n = strlen(headers);
        n = n < sizeof r->headers ? n : sizeof r->headers - 1;
        r->heads++;
        r->http_status = status;
        memcpy(r->headers, headers, n);
        r->headers[n] = 0;
        leave();
    }
}

void sl_host_http_data(sl_core *core, sl_id req, const uint8_t *p, size_t n)
{
    host_record *r = enter(core, req);
    if (r != NULL) {
        append(r, p, n);
        leave();
    }
}

void sl_host_http_done(sl_core *core, sl_id req, sl_status status)
{
    host_record *r = enter(core, req);
    if (r != NULL) {
        r->ends++;
        r->code = status;
        leave();
    }
}

void sl_host_ws_opened(sl_core *core, sl_id ws)
{
    host_record *r = enter(core, ws);
    if (r != NULL) {
        r->opened++;
        leave();
    }
}

void sl_host_ws_message(sl_core *core, sl_id ws, int32_t kind, const uint8_t *p, size_t n)
{
    host_record *r = enter(core, ws);
    if (r != NULL) {
        r->messages++;
        r->kind = kind;
        r->len = 0;
        append(r, p, n);
        leave();
    }
}

void sl_host_ws_closed(sl_core *core, sl_id ws, int32_t code)
{
    host_record *r = enter(core, ws);
    if (r != NULL) {
        r->ends++;
        r->code = code;
        leave();
    }
}

typedef struct wish {
    int ends;
    int opened;
    int messages;
    size_t len;
} wish;

static bool granted(const host_record *r, const wish *w)
{
    return r->ends >= w->ends && r->messages >= w->messages && r->len >= w->len &&
           (r->opened >= w->opened || r->ends > 0);
}

static host_record wait_for(sl_id id, wish w)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += DEADLINE_S;
    pthread_mutex_lock(&g_lock);
    int rc = 0;
    while (rc == 0 && !granted(&g_records[id], &w)) {
        rc = pthread_cond_timedwait(&g_news, &g_lock, &until);
    }
    host_record copy = g_records[id];
    pthread_mutex_unlock(&g_lock);
    ck_assert_msg(rc == 0, "waited in vain for %d %d %d %zu: %d %d %d %zu (code %d)", w.ends,
                  w.opened, w.messages, w.len, copy.ends, copy.opened, copy.messages, copy.len,
                  (int)copy.code);
    return copy;
}

host_record host_wait_end(sl_id id)
{
    return wait_for(id, (wish){.ends = 1});
}

host_record host_wait_opened(sl_id id)
{
    return wait_for(id, (wish){.opened = 1});
}

host_record host_wait_messages(sl_id id, int messages)
{
    return wait_for(id, (wish){.messages = messages});
}

host_record host_wait_data(sl_id id, size_t len)
{
    return wait_for(id, (wish){.len = len});
}

host_record host_look(sl_id id)
{
    return wait_for(id, (wish){0});
}
