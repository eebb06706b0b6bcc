/*
 * server/pusher.h - push notifications on their way: a queue and a thread that hands them to a webhook,
 * one request each, again for a while when it does not answer.
 *
 * sl_pusher_send may be called from any thread and does not wait. What the queue has no room for, and what
 * the webhook refuses, is dropped and counted: a notification is a hint, the messages come by themselves.
 */
#ifndef SL_SERVER_PUSHER_H
#define SL_SERVER_PUSHER_H

#include "sideline/platform.h"

typedef struct sl_pusher sl_pusher;

enum {
    SL_PUSHER_WAITING = 1000, /* that wait at once */
    SL_PUSHER_TRIES = 5
};

typedef struct sl_pusher_config {
    const char *url;
    const char *secret; /* sent as "Authorization: Bearer"; may be NULL */
    /* POSTs JSON and waits: *status is the answer's. Other than SL_OK: there was none. */
    sl_status (*post)(const char *url, const char *secret, const char *json, int32_t *status);
    /* The token of this notification reaches nobody any more. */
    void (*gone)(void *user, const char *body);
    void *user;
    int32_t
        wait_ms; /* before the second try, four times as long before each further one; 0: 1000 */
} sl_pusher_config;

/* What was given to it is sent, gone, failed or dropped in the end, or still waits. */
typedef struct sl_pusher_counts {
    uint64_t queued; /* all that were given to it */
    uint64_t sent;
    uint64_t gone;    /* 404 and 410 */
    uint64_t failed;  /* refused, or given up after the last try */
    uint64_t dropped; /* there was no room */
    uint64_t retried; /* tries after the first */
    uint64_t waiting; /* now */
} sl_pusher_counts;

/* The config's texts are borrowed until it is freed. */
sl_status sl_pusher_new(const sl_pusher_config *config, sl_pusher **out, sl_error **err);
void sl_pusher_send(sl_pusher *p, const char *body);
sl_pusher_counts sl_pusher_count(sl_pusher *p);
/* What waits is dropped; waits for the request that is under way. NULL is fine. */
void sl_pusher_free(sl_pusher *p);

#endif
