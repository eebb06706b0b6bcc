/*
 * sideline/chat.h - conversations: sending, what is shown of them, counts.
 *
 * Threads, participants, messages, reactions and pins are records of the thread's space,
 * "thread:<id>"; where a call wants a thread it wants the name of that space. A message's place is
 * where the server took it, and stays when it is edited; one not accepted yet has none and comes last.
 * What is shown is asked for anew when a live query says that it may have changed: of entity "message",
 * "participant", "reaction" or "pin" of the space, and of "thread" for the list.
 *
 * A message goes queued -> sent -> delivered -> read. What the server refuses is failed, until it is
 * sent again or discarded. It is sent once, whatever ends in between, and in order within its thread.
 *
 * Of a long thread only the newest messages are on the device (thread_window of sl_config), with all of
 * its other records. Older ones are loaded when the app asks; what was loaded stays, is kept up to date and
 * can be found. Where messages are missing sl_chat_gaps and sl_chat_messages tell: never take two that
 * follow one another for neighbours before asking.
 */
#ifndef SIDELINE_CHAT_H
#define SIDELINE_CHAT_H

#include "core.h"

#ifdef __cplusplus
extern "C" {
#endif
SL_BEGIN

/* --- sending ---------------------------------------------------------------------------------- */

/* json: what a message carries; all but what its kind needs may be left out:
 *   "kind"        "text" (the default; needs a body or a blob), "video" and "review" (a response; need
 *                 ref_space and ref_id), "voice" (needs blob, media_type, duration_us)
 *   "body"        the text
 *   "mentions"    [{"user","at","len"},..]: who is named, participants, in order and not overlapping;
 *                 at and len are UTF-16 units of the body, of whole characters
 *   "reply_to"    the message of the thread that it answers
 *   "ref_space","ref_id"   a video or review that the reader may see; "at_us": a moment of that video
 *   "blob","media_type","size","duration_us","thumb"   what is attached, put with sl_blob_put in the
 *                 thread's space, and a JPEG of it
 *   "send_ms"     not now but then: Unix time in ms by the server's clock. The message waits on this device,
 *                 through restarts, and goes once there is a connection and its time has come
 * Durable when it returns; *out: {"id":".."}. SL_E_INVALID names the member at fault. */
SL_API sl_status sl_chat_send(sl_core *core, const char *thread, const char *json, size_t n,
                              sl_bytes *SL_NULLABLE *SL_NULLABLE out,
                              sl_error *SL_NULLABLE *SL_NULLABLE err);
/* Repeats a message in a thread, under a new id with "forward_of"; mentions and what it answers stay
 * behind. *out: {"id":".."}. */
SL_API sl_status sl_chat_forward(sl_core *core, const char *message, const char *thread,
                                 sl_bytes *SL_NULLABLE *SL_NULLABLE out,
                                 sl_error *SL_NULLABLE *SL_NULLABLE err);
/* Changes the text of one's own message. json: {"body","mentions"?}. SL_E_DENIED: another's. */
SL_API sl_status sl_chat_edit(sl_core *core, const char *message, const char *json, size_t n,
                              sl_error *SL_NULLABLE *SL_NULLABLE err);
/* One's own message, for everybody. */
SL_API sl_status sl_chat_delete(sl_core *core, const char *message,
                                sl_error *SL_NULLABLE *SL_NULLABLE err);
/* on: 1 gives the sign, 0 takes it back. One of each emoji counts for each user, however many
 * devices gave it. */
SL_API sl_status sl_chat_react(sl_core *core, const char *message, const char *emoji, int32_t on,
                               sl_error *SL_NULLABLE *SL_NULLABLE err);
/* on: 1 keeps the message in sight for all of the thread, 0 no longer, whoever did it. */
SL_API sl_status sl_chat_pin(sl_core *core, const char *message, int32_t on,
                             sl_error *SL_NULLABLE *SL_NULLABLE err);
/* A failed message: sent again under the same id where it can be, at the end of the thread; or given
 * up. SL_E_NOT_FOUND: it has not failed. */
SL_API sl_status sl_chat_retry(sl_core *core, const char *message,
                               sl_error *SL_NULLABLE *SL_NULLABLE err);
SL_API sl_status sl_chat_discard(sl_core *core, const char *message,
                                 sl_error *SL_NULLABLE *SL_NULLABLE err);

/* --- groups ----------------------------------------------------------------------------------- */

/* A conversation of two is made when they connect. Groups are made by coaches, who let in whom they are
 * connected with: athletes and other coaches, up to 100 people. Every coach in a group leads it: renames it,
 * lets in and removes. All may write in it, and leave it; where no coach is left, athletes can only read.
 * Who is let in finds what was said before, as read; who leaves or is removed keeps nothing of it on any
 * device. What happens is told by messages of kind "notice", made by the server: "event" made, renamed (the
 * body is the title), added, removed or left, by its author, of "about_id". They do not count as unread.
 * Everything works without a connection; what the server refuses is told by "rejected" events. */

/* json: {"title","members"?: [user..]}. *out: {"thread":"thread:<id>"}: messages can be sent into it at
 * once. SL_E_DENIED: this user makes no groups. */
SL_API sl_status sl_chat_group(sl_core *core, const char *json, size_t n,
                               sl_bytes *SL_NULLABLE *SL_NULLABLE out,
                               sl_error *SL_NULLABLE *SL_NULLABLE err);
/* json: {"title"?,"add"?: [user..],"remove"?: [user..]}. Who is in it already is left as he is. SL_E_DENIED:
 * this user does not lead it; SL_E_NOT_FOUND: one to be removed is not in it. */
SL_API sl_status sl_chat_group_edit(sl_core *core, const char *thread, const char *json, size_t n,
                                    sl_error *SL_NULLABLE *SL_NULLABLE err);
/* The conversation goes from this device when the server has taken it. SL_E_INVALID: one of two. */
SL_API sl_status sl_chat_leave(sl_core *core, const char *thread,
                               sl_error *SL_NULLABLE *SL_NULLABLE err);

/* --- not sent yet ----------------------------------------------------------------------------- */

/* The text begun in a thread, kept on this device: any JSON object up to 16 KiB, NULL for none. */
SL_API sl_status sl_chat_set_draft(sl_core *core, const char *thread, const char *SL_NULLABLE json,
                                   size_t n, sl_error *SL_NULLABLE *SL_NULLABLE err);
/* *out NULL: nothing is begun. */
SL_API sl_status sl_chat_draft(sl_core *core, const char *thread,
                               sl_bytes *SL_NULLABLE *SL_NULLABLE out,
                               sl_error *SL_NULLABLE *SL_NULLABLE err);
/* *out: JSON array of the messages of this device that wait for their time, thread NULL: all; at most
 * 100: [{"id","thread","send_ms","fields":{..}}]. One that could not be sent then, because the thread is
 * gone, stays with "code" and "message". */
SL_API sl_status sl_chat_scheduled(sl_core *core, const char *SL_NULLABLE thread,
                                   sl_bytes *SL_NULLABLE *SL_NULLABLE out,
                                   sl_error *SL_NULLABLE *SL_NULLABLE err);
/* json: members of sl_chat_send that take the place of its own, null for none; "send_ms":0 is now. */
SL_API sl_status sl_chat_reschedule(sl_core *core, const char *message, const char *json, size_t n,
                                    sl_error *SL_NULLABLE *SL_NULLABLE err);
SL_API sl_status sl_chat_unschedule(sl_core *core, const char *message,
                                    sl_error *SL_NULLABLE *SL_NULLABLE err);

/* --- what is shown ---------------------------------------------------------------------------- */

/* A page of a conversation, without messages of blocked people. json: {"limit":1 to 200 (50)} and one
 * of "before":place, "after":place, "around":message id; without: the newest. NULL: {}.
 * *out: {"thread","older":bool,"newer":bool: more is on this device,"gap_after":bool,"read":place,
 * "messages":[..]} in the order of the thread, each its record and
 *   "mine", "state"   queued, sent, delivered, read (by the least advanced of the others), failed, or
 *                     received: another's; "author": the name of another; "unread":true
 *   "about"           of a notice: the name of about_id
 *   "mentioned":true  it names this user; "pinned":true
 *   "reactions"       [{"emoji","count","mine"}]
 *   "reply"           {"id","kind","author_id","author","body"} of what it answers, {"id","missing":true}
 *                     when that is deleted or not on this device
 *   "gap":true        messages are missing before it: sl_chat_load
 *   "draft","code","message"   of a failed one: why, and its number for sl_draft_send, to send it edited
 * Behind the newest come those that are queued, in the order in which they will be sent, and then the failed. */
SL_API sl_status sl_chat_messages(sl_core *core, const char *thread, const char *SL_NULLABLE json,
                                  size_t n, sl_bytes *SL_NULLABLE *SL_NULLABLE out,
                                  sl_error *SL_NULLABLE *SL_NULLABLE err);
/* Messages on this device with all the words, the last one as a beginning, newest first. json:
 * {"words","thread"?,"limit":1 to 500 (50)}. *out: JSON array of messages as above with "snippet".
 * To jump to one: sl_chat_load SL_CHAT_AROUND, then sl_chat_messages "around". */
SL_API sl_status sl_chat_search(sl_core *core, const char *json, size_t n,
                                sl_bytes *SL_NULLABLE *SL_NULLABLE out,
                                sl_error *SL_NULLABLE *SL_NULLABLE err);
/* *out: JSON array of the conversations, the one where something happened last first:
 * [{"thread","title"?,"group":true?,"people":[{"user","name"}] without oneself,"last"? (a message as above, without what
 * was said of it),"unread","mentions","more":bool,"queued"?,"failed"?,"muted_until_ms"?,"blocked":true?,
 * "draft"?}]. more: unread messages are not all on this device, there may be more of them. */
SL_API sl_status sl_chat_threads(sl_core *core, sl_bytes *SL_NULLABLE *SL_NULLABLE out,
                                 sl_error *SL_NULLABLE *SL_NULLABLE err);
/* *out: {"unread","mentions","badge","threads","more"} of all conversations. Messages of others above
 * what was read count, as long as they are there; an edited one does not count again. badge: the number
 * for the app's icon: unread ones, of silent threads those alone that name this user. threads: with
 * something unread. */
SL_API sl_status sl_chat_counts(sl_core *core, sl_bytes *SL_NULLABLE *SL_NULLABLE out,
                                sl_error *SL_NULLABLE *SL_NULLABLE err);

/* What a push notification says, without a connection: the bytes that the provider handed over, JSON with a
 * member "sideline" (src/sync/PROTOCOL.md), up to 8 KiB. *out: {"show":bool,"why":"muted|quiet|off|blocked|
 * read|other_user"?,"kind","title","body","space"?,"id"?,"user"?,"named":true?,"badge"}: whether to show it, and the
 * number for the icon with all that notifications told and has not come yet, each message once. off, quiet:
 * by the user's notification_setting of the topic, "push", and the hours from "quiet_from_min" to "quiet_to_min", over
 * midnight when that is the lesser, by the platform's day_minute. SL_E_UNSUPPORTED: of a later version; SL_E_AUTH: nobody is signed in. */
SL_API sl_status sl_chat_notice(sl_core *core, const char *payload, size_t n,
                                sl_bytes *SL_NULLABLE *SL_NULLABLE out,
                                sl_error *SL_NULLABLE *SL_NULLABLE err);

/* --- oneself ---------------------------------------------------------------------------------- */

enum {
    SL_CHAT_DELIVERED = 1, /* made by the core itself when messages arrive */
    SL_CHAT_READ = 2,      /* the user has seen the messages up to `message` */
    SL_CHAT_TYPING = 3 /* not stored; others get "typing" events, for 6 s or until a message comes.
                            * Call it with every key: it is told every 2.5 s. SL_E_NETWORK: nobody is */
};

/* message: an id, or NULL for the newest one held. Marks only move forward. */
SL_API sl_status sl_chat_mark(sl_core *core, const char *thread, int32_t kind,
                              const char *SL_NULLABLE message,
                              sl_error *SL_NULLABLE *SL_NULLABLE err);
/* Silent until then, Unix time in ms, on all devices of the user; 0: not silent. */
SL_API sl_status sl_chat_mute(sl_core *core, const char *thread, int64_t until_ms,
                              sl_error *SL_NULLABLE *SL_NULLABLE err);
/* on: 1: messages of this user are neither shown nor counted, and the server takes none for the
 * conversation of the two; in a group the others get them; 0: they are again. */
SL_API sl_status sl_chat_block(sl_core *core, const char *user, int32_t on,
                               sl_error *SL_NULLABLE *SL_NULLABLE err);

/* --- who is there ----------------------------------------------------------------------------- */

/* here: 1 while the app is used, 0 when it no longer is: the people of this user's threads get "presence"
 * events, blocked ones none. At first 0. Nothing of it is stored; it ends by itself 75 s after the last
 * word of this device. */
SL_API sl_status sl_chat_presence(sl_core *core, int32_t here,
                                  sl_error *SL_NULLABLE *SL_NULLABLE err);
/* *out: JSON array of who takes part: [{"user","name","delivered","read","leads":true? (a group),
 * "me":true?,"online":true?,"typing":true?}], marks as places. */
SL_API sl_status sl_chat_people(sl_core *core, const char *thread,
                                sl_bytes *SL_NULLABLE *SL_NULLABLE out,
                                sl_error *SL_NULLABLE *SL_NULLABLE err);

/* --- history ---------------------------------------------------------------------------------- */

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
