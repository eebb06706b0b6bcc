/*
 * sideline/chat.h - what chat needs beyond records.
 *
 * Threads, participants and messages are records: list messages with a live query
 * on entity "message" of the thread's space, "thread:<id>", in order of "place". Where a
 * call wants a thread it wants the name of that space. A message's place is where the server
 * took it, and stays when it is edited; one not accepted yet has none and comes last.
 *
 * Of a long thread only the newest messages are on the device (thread_window of sl_config), with all of
 * its other records. Older ones are loaded when the app asks; what was loaded stays, is kept up to date and
 * can be found. Where messages are missing sl_chat_gaps tells: never take two that follow one another in
 * a query for neighbours before asking it.
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

enum {
    SL_CHAT_OLDER = 1, /* below `message`; NULL: below the newest */
    SL_CHAT_NEWER = 2, /* above `message`, when those are missing */
    SL_CHAT_AROUND = 3 /* on both sides of `message`, and itself: it need not be on the device */
};

/* An operation that loads up to `limit` (1 to 500; 0: 100) missing messages: those of the nearest gap in
 * that direction that are nearest. res: {"loaded":n,"more":true|false}, records that came, and whether
 * more are missing in that direction (around: anywhere in the thread). Nothing missing: it ends at
 * once, offline too. It waits through times without a connection; SL_E_CANCELLED when sync is stopped.
 * SL_E_NOT_FOUND: no such thread or message on this device, or (around, by its event) in the thread.
 * SL_E_NETWORK: there are some, and sync is stopped. */
SL_API sl_status sl_chat_load(sl_core *core, const char *thread, int32_t way,
                              const char *SL_NULLABLE message, uint32_t limit, sl_id *op,
                              sl_error *SL_NULLABLE *SL_NULLABLE err);

/* *out: JSON array of the thread's gaps, in order: [{"above":place,"upto":place},..]. Messages with a
 * place above "above", up to "upto", are with the server but not all of them here: between two
 * messages of a query something is missing when a gap reaches in between their places. A live query on
 * messages of the thread has a "rows" event when gaps change, be its difference empty. */
SL_API sl_status sl_chat_gaps(sl_core *core, const char *thread,
                              sl_bytes *SL_NULLABLE *SL_NULLABLE out,
                              sl_error *SL_NULLABLE *SL_NULLABLE err);

SL_END
#ifdef __cplusplus
}
#endif

#endif
