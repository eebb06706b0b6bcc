/*
 * engine/events.h - the queue of events, the wake, and the operations that end with one.
 *
 * Thread-safe by locks of its own, never held while another is taken, so that any thread
 * may push and the host may poll while the engine works.
 *
 *   [OP-1] each operation ends with exactly one event: what its end needs is allocated when
 *          it begins.
 */
#ifndef SL_ENGINE_EVENTS_H
#define SL_ENGINE_EVENTS_H

#include "base/json.h"
#include "sideline/core.h"

typedef struct sl_events sl_events;

sl_events *sl_events_new(void); /* NULL: out of memory */
void sl_events_free(sl_events *e);

void sl_events_set_wake(sl_events *e, sl_wake_fn fn, void *ctx);
sl_status sl_events_poll(sl_events *e, size_t max_bytes, sl_bytes **out, sl_error **err);
int32_t sl_events_wait(sl_events *e, int32_t timeout_ms);
void sl_events_interrupt(sl_events *e);

/* Any event; taken. Lost when out of memory. */
void sl_events_push(sl_events *e, sl_json *event);
/* As push, but dropped when an equal one of this kind of call waits already. */
void sl_events_push_once(sl_events *e, sl_json *event);
/* As push, but dropped when so many events wait. */
void sl_events_push_few(sl_events *e, sl_json *event, size_t max);
/* "rows" of a live query; at most one waits per query. */
void sl_events_rows(sl_events *e, sl_id sub);

/* A new operation; 0 when out of memory. */
sl_id sl_events_op(sl_events *e);
/* Ends it. An unknown or ended id is ignored. res is taken, may be NULL. */
void sl_events_op_done(sl_events *e, sl_id id, sl_json *res);
void sl_events_op_failed(sl_events *e, sl_id id, sl_status code, const char *message);
/* Failed with this error, which is taken. */
void sl_events_op_error(sl_events *e, sl_id id, sl_error *err);
void sl_events_progress(sl_events *e, sl_id id, int64_t done, int64_t total);
/* Asks for its end. SL_E_NOT_FOUND when it is over. */
sl_status sl_events_op_cancel(sl_events *e, sl_id id);
bool sl_events_op_cancelled(sl_events *e, sl_id id);

#endif
