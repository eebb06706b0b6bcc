/*
 * engine/chat.h - the chat client: what the user does with messages, what is shown of them, what waits
 * for its time. Everything is called with the core's lock held.
 *
 *   chat.c        messages: sending, changing, answering     chat_list.c   threads and counts
 *   chat_page.c   what a conversation shows                  chat_later.c  texts begun, messages planned
 *   notice.c      push notifications                         chat_group.c  groups
 */
#ifndef SL_ENGINE_CHAT_H
#define SL_ENGINE_CHAT_H

#include "engine/engine.h"

/* --- chat.c --- */

/* The rows of a query, whose text `query` is and is freed. *rows is given. */
sl_status sl_chat_ask(sl_core *core, sl_buf *query, sl_json **rows, sl_error **err);
/* Operations as text, for sl_chat_apply: begins one, whose object the caller ends. kind: patch, delete. */
void sl_chat_op_create(sl_buf *ops, const char *entity, const char *space);
void sl_chat_op_change(sl_buf *ops, const char *kind, const char *entity, const char *id);
/* Applies the list, which is freed; an empty one changes nothing. */
sl_status sl_chat_apply(sl_core *core, sl_buf *ops, sl_error **err);
/* The participants of a thread who are in it now; *people is given. */
sl_status sl_chat_members(sl_core *core, const char *thread, sl_json **people, sl_error **err);
/* A message that is here, or was refused; *out, its public record, is given; *draft: 0 unless refused.
 * SL_E_NOT_FOUND. */
sl_status sl_chat_find(sl_core *core, const char *message, sl_json **out, int64_t *draft,
                       sl_error **err);
/* Adds a new message to a batch. fields: as sl_chat_message made them. */
sl_status sl_chat_put(sl_core *core, sl_batch *b, const char *thread, const char *id,
                      const sl_json *fields, sl_error **err);
/* Whoever is named takes part, and what is answered is in the thread, if it is here. */
sl_status sl_chat_check_thread(sl_core *core, const char *thread, const sl_json *fields,
                               sl_error **err);
/* A new message under this id, at once. */
sl_status sl_chat_post(sl_core *core, const char *thread, const char *id, const sl_json *fields,
                       sl_error **err);
sl_status sl_chat_change(sl_core *core, const char *message, const sl_json *in, sl_error **err);
sl_status sl_chat_remove(sl_core *core, const char *message, sl_error **err);
/* A message once more, under this id. */
sl_status sl_chat_repeat(sl_core *core, const char *message, const char *thread, const char *id,
                         sl_error **err);
sl_status sl_chat_sign(sl_core *core, const char *message, const char *emoji, bool on,
                       sl_error **err);
sl_status sl_chat_keep(sl_core *core, const char *message, bool on, sl_error **err);
/* Sends a refused message again, or gives it up. */
sl_status sl_chat_again(sl_core *core, const char *message, bool send, sl_error **err);
sl_status sl_chat_silence(sl_core *core, const char *thread, int64_t until_ms, sl_error **err);
sl_status sl_chat_shut(sl_core *core, const char *user, bool on, sl_error **err);
/* The place up to which a mark goes: that of the message, or of the newest held. 0: there is none. */
sl_status sl_chat_reach(sl_core *core, const char *thread, const char *message, int64_t *place,
                        sl_error **err);

/* --- chat_page.c --- */

/* What both lists need: who takes part, who is blocked, what was refused. */
typedef struct sl_chat_frame {
    sl_json *people;  /* participants of all threads, or of one, also those who left */
    sl_json *failed;  /* drafts, as sl_drafts tells them */
    sl_buf unblocked; /* ,"not":{..}: a condition on authors, empty when nobody is blocked */
    sl_json *blocked; /* blocks */
} sl_chat_frame;
/* thread NULL: for all. Freed also after a failure. */
sl_status sl_chat_frame_make(sl_core *core, const char *thread, sl_chat_frame *out, sl_error **err);
void sl_chat_frame_free(sl_chat_frame *f);
bool sl_chat_is_blocked(const sl_chat_frame *f, const char *user);
/* Adds state, author and the like to a message's public record. False: out of memory. */
bool sl_chat_dress(const sl_core *core, const sl_chat_frame *f, sl_json *message);
/* The refused messages of a thread, dressed, added to the list. */
bool sl_chat_add_failed(const sl_core *core, const sl_chat_frame *f, const char *thread,
                        sl_json *list);
/* Those that wait to be sent, dressed, in the order in which they will be. */
sl_status sl_chat_add_queued(sl_core *core, const sl_chat_frame *f, const char *thread,
                             sl_json *list, sl_error **err);
/* in: sl_chat_messages'; *out is given. */
sl_status sl_chat_page(sl_core *core, const char *thread, const sl_json *in, sl_json **out,
                       sl_error **err);
sl_status sl_chat_find_text(sl_core *core, const sl_json *in, sl_json **out, sl_error **err);

/* --- chat_list.c --- */

sl_status sl_chat_list(sl_core *core, sl_json **out, sl_error **err);
/* settings: rows of "thread_setting". */
bool sl_chat_is_silent(const sl_core *core, const sl_json *settings, const char *space);
/* Who takes part in a thread, and what they do now. */
sl_status sl_chat_who(sl_core *core, const char *thread, sl_json **out, sl_error **err);
/* {"unread","mentions","badge",..} of all threads. */
sl_status sl_chat_count(sl_core *core, sl_json **out, sl_error **err);

/* --- notice.c --- */

/* Adds what notifications told and has not come to the badge. settings: rows of "thread_setting". */
sl_status sl_chat_told(sl_core *core, const sl_chat_frame *f, const sl_json *settings,
                       int64_t *badge, sl_error **err);
/* payload: sl_chat_notice's; *out is given. */
sl_status sl_chat_notified(sl_core *core, const char *payload, size_t n, sl_json **out,
                           sl_error **err);

/* --- chat_group.c --- */

/* in: sl_chat_group's. id: that of the thread. */
sl_status sl_chat_group_make(sl_core *core, const char *id, const sl_json *in, sl_error **err);
/* in: sl_chat_group_edit's. */
sl_status sl_chat_group_change(sl_core *core, const char *thread, const sl_json *in,
                               sl_error **err);
sl_status sl_chat_group_leave(sl_core *core, const char *thread, sl_error **err);

/* --- chat_later.c --- */

/* *out NULL: nothing is begun. draft NULL: nothing any more. */
sl_status sl_chat_draft_read(sl_core *core, const char *thread, sl_json **out, sl_error **err);
sl_status sl_chat_draft_write(sl_core *core, const char *thread, const sl_json *draft,
                              sl_error **err);
/* The space is dropped, in this transaction. */
sl_status sl_chat_forget(sl_core *core, const char *space, sl_error **err);

/* A message under this id at a time of the server's clock. */
sl_status sl_chat_plan(sl_core *core, const char *thread, const char *id, int64_t send_ms,
                       const sl_json *fields, sl_error **err);
sl_status sl_chat_plan_edit(sl_core *core, const char *id, const sl_json *edits, sl_error **err);
sl_status sl_chat_plan_drop(sl_core *core, const char *id, sl_error **err);
/* thread NULL: of all. */
sl_status sl_chat_planned(sl_core *core, const char *thread, sl_json **out, sl_error **err);
sl_status sl_chat_later_open(sl_core *core, sl_error **err);
/* Sends what is due; returns when to look again (mono ms), -1: not by itself. */
int64_t sl_chat_later_turn(sl_core *core, int64_t now_ms);

#endif
