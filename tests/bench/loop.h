/* loop.h - sidelined as a process of its own with the seeded folder, and a core with threads at it. */
#ifndef SL_BENCH_LOOP_H
#define SL_BENCH_LOOP_H

#include "bench.h"

/* Signed in, not told to synchronise yet. The server is started when it does not run, and stopped when
 * the program ends. */
sl_core *loop_client(const char *dir);
sl_id loop_begin_settle(sl_core *core);
/* Looks at the events that are there; true when the operation has ended. */
bool loop_ended(sl_core *core, sl_id op);
void loop_sleep_ms(int ms);

#endif
