#include "base/thread.h"

#include "base/mem.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

struct sl_mutex {
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    _Atomic unsigned waiting; /* threads in sl_lock */
    _Atomic unsigned taken;   /* counts the times it was taken */
};

struct sl_thread {
    pthread_t id;
    void (*run)(void *arg);
    void *arg;
};

sl_mutex *sl_mutex_new(void)
{
    sl_mutex *m = sl_mem(sizeof *m);
    if (m == NULL) {
        return NULL;
    }
    pthread_condattr_t attr;
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&m->mutex, NULL);
    (void)pthread_cond_init(&m->cond, &attr);
    (void)pthread_condattr_destroy(&attr);
    return m;
}

void sl_mutex_free(sl_mutex *m)
{
    if (m != NULL) {
        (void)pthread_cond_destroy(&m->cond);
        (void)pthread_mutex_destroy(&m->mutex);
        sl_mem_free(m);
    }
}

void sl_lock(sl_mutex *m)
{
    (void)atomic_fetch_add(&m->waiting, 1);
    (void)pthread_mutex_lock(&m->mutex);
    (void)atomic_fetch_sub(&m->waiting, 1);
    (void)atomic_fetch_add(&m->taken, 1);
}

bool sl_try_lock(sl_mutex *m)
{
    enum {
        TRIES = 4
    };
    for (int i = 0; i < TRIES; i++) {
        if (pthread_mutex_trylock(&m->mutex) == 0) {
            (void)atomic_fetch_add(&m->taken, 1);
            return true;
        }
        (void)sched_yield(); /* whoever has it may be done before this thread's next turn */
    }
    return false;
}

void sl_unlock(sl_mutex *m)
{
    (void)pthread_mutex_unlock(&m->mutex);
}

bool sl_wanted(sl_mutex *m)
{
    return atomic_load(&m->waiting) > 0;
}

unsigned sl_lock_count(sl_mutex *m)
{
    return atomic_load(&m->taken);
}

void sl_give_way(sl_mutex *m)
{
    if (!sl_wanted(m)) {
        return;
    }
    unsigned at = atomic_load(&m->taken);
    sl_unlock(m);
    while (atomic_load(&m->waiting) > 0 && atomic_load(&m->taken) == at) {
        (void)sched_yield(); /* the one that waits was woken and needs a moment to come */
    }
    sl_lock(m);
}

void sl_wait(sl_mutex *m, int64_t ms)
{
    if (ms < 0) {
        (void)pthread_cond_wait(&m->cond, &m->mutex);
        return;
    }
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(ms / 1000);
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    (void)pthread_cond_timedwait(&m->cond, &m->mutex, &until);
}

void sl_signal(sl_mutex *m)
{
    (void)pthread_cond_broadcast(&m->cond);
}

void sl_signal_one(sl_mutex *m)
{
    (void)pthread_cond_signal(&m->cond);
}

static void *thread_main(void *arg)
{
    sl_thread *t = arg;
    t->run(t->arg);
    return NULL;
}

sl_thread *sl_thread_start(void (*run)(void *arg), void *arg)
{
    sl_thread *t = sl_mem(sizeof *t);
    if (t == NULL) {
        return NULL;
    }
    t->run = run;
    t->arg = arg;
    if (pthread_create(&t->id, NULL, thread_main, t) != 0) {
        sl_mem_free(t);
        return NULL;
    }
    return t;
}

void sl_thread_join(sl_thread *t)
{
    if (t != NULL) {
        (void)pthread_join(t->id, NULL);
        sl_mem_free(t);
    }
}
