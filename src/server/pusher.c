#include "server/pusher.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/thread.h"

#include <string.h>
#include <time.h>

enum {
    WAIT_MS = 1000,
    WAIT_GROWS = 4
};

typedef struct note {
    char *body;
    int tries;
    int64_t due_ms;
    struct note *next;
} note;

struct sl_pusher {
    sl_pusher_config config;
    sl_mutex *lock;
    sl_thread *thread;
    note *first;             /* lock: in order of coming */
    size_t waiting;          /* lock */
    sl_pusher_counts counts; /* lock */
    bool stopping;           /* lock */
};

static int64_t now_ms(void)
{
    struct timespec t = {0, 0};
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void note_free(note *x)
{
    if (x != NULL) {
        sl_mem_free(x->body);
        sl_mem_free(x);
    }
}

/* To the end. Called locked. */
static void put(sl_pusher *p, note *x)
{
    note **at = &p->first;
    while (*at != NULL) {
        at = &(*at)->next;
    }
    x->next = NULL;
    *at = x;
    p->waiting++;
}

/* The first that is due, taken out; else NULL and how long to wait, -1 for ever. Called locked. */
static note *take(sl_pusher *p, int64_t *wait_ms)
{
    int64_t now = now_ms();
    *wait_ms = -1;
    for (note **at = &p->first; *at != NULL; at = &(*at)->next) {
        note *x = *at;
        if (x->due_ms <= now) {
            *at = x->next;
            p->waiting--;
            return x;
        }
        if (*wait_ms < 0 || x->due_ms - now < *wait_ms) {
            *wait_ms = x->due_ms - now;
        }
    }
    return NULL;
}

/* NULL: the thread is to end. */
static note *wait_for_note(sl_pusher *p)
{
    int64_t wait_ms = 0;
    note *x = NULL;
    sl_lock(p->lock);
    while (!p->stopping && (x = take(p, &wait_ms)) == NULL) {
        sl_wait(p->lock, (int32_t)(wait_ms < 3600000 ? wait_ms : 3600000));
    }
    sl_unlock(p->lock);
    return x;
}

static int64_t pause_of(const sl_pusher *p, int tries)
{
    int64_t ms = p->config.wait_ms > 0 ? p->config.wait_ms : WAIT_MS;
    for (int i = 1; i < tries; i++) {
        ms *= WAIT_GROWS;
    }
    return ms;
}

/* After an answer, or none. The note is taken. */
static void settle(sl_pusher *p, note *x, sl_status status, int32_t answer)
{
    bool sent = status == SL_OK && answer >= 200 && answer < 300;
    bool gone = status == SL_OK && (answer == 404 || answer == 410);
    bool later = status != SL_OK || answer == 408 || answer == 429 || answer >= 500;
    if (gone) {
        p->config.gone(p->config.user, x->body);
    }
    sl_lock(p->lock);
    p->counts.sent += sent;
    p->counts.gone += gone;
    if (!sent && !gone && later && ++x->tries < SL_PUSHER_TRIES) {
        p->counts.retried++;
        x->due_ms = now_ms() + pause_of(p, x->tries);
        put(p, x);
        x = NULL;
    } else if (!sent && !gone) {
        p->counts.failed++;
    }
    sl_unlock(p->lock);
    note_free(x);
}

static void send_all(void *arg)
{
    sl_pusher *p = arg;
    for (note *x = wait_for_note(p); x != NULL; x = wait_for_note(p)) {
        int32_t answer = 0;
        sl_status status = p->config.post(p->config.url, p->config.secret, x->body, &answer);
        settle(p, x, status, answer);
    }
}

void sl_pusher_send(sl_pusher *p, const char *body)
{
    note *x = sl_mem(sizeof *x);
    if (x != NULL) {
        x->body = sl_text_dup(body);
    }
    bool ok = x != NULL && x->body != NULL;
    sl_lock(p->lock);
    p->counts.queued++;
    if (ok && p->waiting < SL_PUSHER_WAITING) {
        put(p, x);
        x = NULL;
        sl_signal(p->lock);
    } else {
        p->counts.dropped++;
    }
    sl_unlock(p->lock);
    note_free(x);
}

sl_pusher_counts sl_pusher_count(sl_pusher *p)
{
    sl_lock(p->lock);
    sl_pusher_counts counts = p->counts;
    counts.waiting = p->waiting;
    sl_unlock(p->lock);
    return counts;
}

sl_status sl_pusher_new(const sl_pusher_config *config, sl_pusher **out, sl_error **err)
{
    sl_pusher *p = sl_mem(sizeof *p);
    if (p == NULL) {
        return sl_fail_nomem(err);
    }
    p->config = *config;
    p->lock = sl_mutex_new();
    p->thread = p->lock != NULL ? sl_thread_start(send_all, p) : NULL;
    if (p->thread == NULL) {
        sl_pusher_free(p);
        return sl_fail(err, SL_E_NOMEM, "push notifications cannot be set up");
    }
    *out = p;
    return SL_OK;
}

void sl_pusher_free(sl_pusher *p)
{
    if (p == NULL) {
        return;
    }
    if (p->thread != NULL) {
        sl_lock(p->lock);
        p->stopping = true;
        sl_signal(p->lock);
        sl_unlock(p->lock);
        sl_thread_join(p->thread);
    }
    while (p->first != NULL) {
        note *x = p->first;
        p->first = x->next;
        note_free(x);
    }
    if (p->lock != NULL) {
        sl_mutex_free(p->lock);
    }
    sl_mem_free(p);
}
