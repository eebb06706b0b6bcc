/*
 * sideline/chat.h - what chat needs beyond records.
 *
 * Threads, participants and messages are records: list messages with a live query
 * on entity "message" of the thread's space, "thread:<id>", in order of "seq". Where a
 * call wants a thread it wants the name of that space. A message's place
 * is its server sequence; one not accepted yet comes last.
 */
#ifndef SIDELINE_CHAT_H
#define SIDELINE_CHAT_H

#include "core.h"

#ifdef __cplusplus
extern "C" {
#endif
SL_BEGIN

/* json: {"body":"..","kind":"text"|"video"|"review"?,"ref_space":"..","ref_id":".."}.
 * Durable when it returns; *out: {"id":".."}. */
SL_API sl_status sl_chat_send(sl_core *core, const char *thread, const char *json, size_t n,
                              sl_bytes *SL_NULLABLE *SL_NULLABLE out,
                              sl_error *SL_NULLABLE *SL_NULLABLE err);

enum {
    SL_CHAT_DELIVERED = 1, /* made by the core itself when messages arrive */
    SL_CHAT_READ = 2,      /* the user has seen the messages up to `message` */
    SL_CHAT_TYPING = 3     /* not stored; others get a "typing" event */
};

/* message: an id, or NULL for the newest one held. Marks only move forward. */
SL_API sl_status sl_chat_mark(sl_core *core, const char *thread, int32_t kind,
                              const char *SL_NULLABLE message,
                              sl_error *SL_NULLABLE *SL_NULLABLE err);

SL_END
#ifdef __cplusplus
}
#endif

#endif
