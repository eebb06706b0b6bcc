/* loop.h - sidelined as a process of its own with the seeded folder, and a core with threads at it. */
#ifndef SL_BENCH_LOOP_H
#define SL_BENCH_LOOP_H

#include "bench.h"

/* A core with an empty folder that nobody has signed in to: the set arrives from the moment somebody does. The
 * folder costs no disk when it is quick. The server is started when it does not run, and stopped when the program
 * ends. */
sl_core *loop_client(const char *name, bool quick);
void loop_log_in(sl_core *core);
void loop_must_hold_all(sl_core *core);
sl_id loop_begin_settle(sl_core *core);
/* Looks at the events that are there; true when the operation has ended. */
bool loop_ended(sl_core *core, sl_id op);
void loop_sleep_ms(int ms);

#endif
