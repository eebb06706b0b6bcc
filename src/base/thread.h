/* base/thread.h - threads, for the modules that are not pure: POSIX threads behind four names. */
#ifndef SL_BASE_THREAD_H
#define SL_BASE_THREAD_H

#include "sideline/base.h"

#include <stdbool.h>

typedef struct sl_mutex sl_mutex; /* one mutex and one condition */
typedef struct sl_thread sl_thread;

sl_mutex *sl_mutex_new(void); /* NULL: out of memory */
void sl_mutex_free(sl_mutex *m);
void sl_lock(sl_mutex *m);
bool sl_try_lock(sl_mutex *m); /* false: another thread has it, and keeps it longer than a moment */
void sl_unlock(sl_mutex *m);
/* Called locked, between two pieces of long work: who waits for the lock gets it before this returns,
 * locked again. */
void sl_give_way(sl_mutex *m);
/* True while another thread waits for the lock. */
bool sl_wanted(sl_mutex *m);
/* How often it was taken, modulo 2^32: whoever has it sees whether others had it meanwhile. */
unsigned sl_lock_count(sl_mutex *m);
/* Called locked; waits for sl_signal at most ms (-1: for ever). Spurious returns happen. */
void sl_wait(sl_mutex *m, int64_t ms);
void sl_signal(sl_mutex *m); /* wakes all that wait; locked or not */
/* Wakes one: for those who all wait for the same, and any of whom will do. */
void sl_signal_one(sl_mutex *m);

sl_thread *sl_thread_start(void (*run)(void *arg), void *arg); /* NULL: cannot */
void sl_thread_join(sl_thread *t);                             /* and frees it; NULL accepted */

#endif
