#include "server/pool.h"

#include "base/mem.h"
#include "base/thread.h"

enum {
    POOL_THREADS_MAX = 16
};

struct sl_pool {
    sl_mutex *lock; /* guards all below and every strand */
    sl_strand *head;
    sl_strand *tail;
    bool stopping;
    uint32_t at_work; /* threads */
    uint32_t idle;
    bool watched;   /* an idle thread looks now and then whether those at work get on */
    uint64_t taken; /* works so far */
    sl_thread *threads[POOL_THREADS_MAX];
    uint32_t n;
};

static void push_ready(sl_pool *pool, sl_strand *strand)
{
    strand->next = NULL;
    if (pool->tail != NULL) {
        pool->tail->next = strand;
    } else {
        pool->head = strand;
    }
    pool->tail = strand;
}

static sl_strand *pop_ready(sl_pool *pool)
{
    sl_strand *strand = pool->head;
    if (strand != NULL) {
        pool->head = strand->next;
        if (pool->head == NULL) {
            pool->tail = NULL;
        }
    }
    return strand;
}

static sl_work *pop_work(sl_strand *strand)
{
    sl_work *work = strand->head;
    strand->head = work->next;
    if (strand->head == NULL) {
        strand->tail = NULL;
    }
    return work;
}

/* One work of one strand, called and returning locked. */
static void run_one(sl_pool *pool, sl_strand *strand)
{
    sl_work *work = pop_work(strand);
    bool last = work->last;
    pool->taken++;
    pool->at_work++;
    sl_unlock(pool->lock);
    work->run(work);
    sl_lock(pool->lock);
    pool->at_work--;
    if (last) {
        return;
    }
    if (strand->head != NULL) {
        push_ready(pool, strand); /* whoever runs it now takes the next when no other does */
    } else {
        strand->scheduled = false;
    }
}

/* Waits for a sign; true when the threads at work have taken nothing meanwhile though something waits. */
static bool rest(sl_pool *pool)
{
    bool watches = pool->at_work > 0 && !pool->watched && !pool->stopping;
    uint64_t taken = pool->taken;
    pool->idle++;
    pool->watched = pool->watched || watches;
    sl_wait(pool->lock, watches ? SL_POOL_PATIENCE_MS : -1);
    pool->idle--;
    if (watches) {
        pool->watched = false;
    }
    return watches && pool->taken == taken && pool->head != NULL;
}

static void worker(void *arg)
{
    sl_pool *pool = arg;
    bool wanted = false;
    sl_lock(pool->lock);
    while (pool->head != NULL || !pool->stopping) {
        if (pool->head != NULL && (wanted || pool->at_work == 0 || pool->stopping)) {
            run_one(pool, pop_ready(pool));
            wanted = true; /* it goes on as long as there is something */
        } else {
            wanted = rest(pool);
        }
    }
    sl_unlock(pool->lock);
}

sl_pool *sl_pool_new(uint32_t threads)
{
    sl_pool *pool = sl_mem(sizeof *pool);
    if (pool == NULL) {
        return NULL;
    }
    pool->lock = sl_mutex_new();
    if (pool->lock == NULL) {
        sl_mem_free(pool);
        return NULL;
    }
    uint32_t want = threads < POOL_THREADS_MAX ? threads : POOL_THREADS_MAX;
    while (pool->n < want) {
        sl_thread *thread = sl_thread_start(worker, pool);
        if (thread == NULL) {
            break;
        }
        pool->threads[pool->n++] = thread;
    }
    /* Fewer threads than asked for still serve; none do not. */
    if (pool->n == 0) {
        sl_pool_free(pool);
        return NULL;
    }
    return pool;
}

void sl_pool_free(sl_pool *pool)
{
    if (pool == NULL) {
        return;
    }
    sl_lock(pool->lock);
    pool->stopping = true;
    sl_signal(pool->lock);
    sl_unlock(pool->lock);
    for (uint32_t i = 0; i < pool->n; i++) {
        sl_thread_join(pool->threads[i]);
    }
    sl_mutex_free(pool->lock);
    sl_mem_free(pool);
}

void sl_pool_post(sl_pool *pool, sl_strand *strand, sl_work *work)
{
    work->next = NULL;
    sl_lock(pool->lock);
    if (strand->tail != NULL) {
        strand->tail->next = work;
    } else {
        strand->head = work;
    }
    strand->tail = work;
    if (!strand->scheduled) {
        strand->scheduled = true;
        push_ready(pool, strand);
        if (pool->idle > 0 && (pool->at_work == 0 || !pool->watched)) {
            sl_signal_one(pool->lock);
        }
    }
    sl_unlock(pool->lock);
}
