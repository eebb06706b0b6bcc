/*
 * server/pool.h - a few threads for what may block: SQL, password hashing.
 *
 * A thread takes one work after the other; another thread is woken for what waits when none is at work, or when
 * those that are have taken nothing new for a while (SL_POOL_PATIENCE_MS): most works are short and want the
 * same lock, so that threads for each would stand in each other's way.
 *
 * Work belongs to a strand. Works of one strand run one after the other, in the order in which
 * they were posted; strands take turns. Both are fields of their owners, so posting never fails.
 */
#ifndef SL_SERVER_POOL_H
#define SL_SERVER_POOL_H

#include "sideline/base.h"

#include <stdbool.h>

enum {
    SL_POOL_PATIENCE_MS = 2
};

typedef struct sl_pool sl_pool;

typedef struct sl_work {
    struct sl_work *next;
    void (*run)(struct sl_work *work);
    bool last; /* `run` may free the strand's owner: the pool does not look at either again */
} sl_work;

typedef struct sl_strand {
    sl_work *head;
    sl_work *tail;
    struct sl_strand *next;
    bool scheduled;
} sl_strand;

sl_pool *sl_pool_new(uint32_t threads); /* NULL: no memory or no threads */
/* Runs what was posted, then ends the threads. Nothing may be posted any more. */
void sl_pool_free(sl_pool *pool);
void sl_pool_post(sl_pool *pool, sl_strand *strand, sl_work *work);

#endif
