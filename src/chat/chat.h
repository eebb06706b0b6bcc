/* chat/chat.h - the rules of messages and of marks. Pure: records in, fields out. */
#ifndef SL_CHAT_CHAT_H
#define SL_CHAT_CHAT_H

#include "schema/record.h"

enum {
    SL_CHAT_MENTIONS_MAX = 50,
    SL_CHAT_GROUP_MAX = 100 /* people of a group */
};

/* What a message carries, as client and server look at it; NULL is absent. */
typedef struct sl_chat_content {
    const char *kind;
    const char *body;
    const char *mentions; /* JSON text */
    const char *ref_space;
    const char *ref_id;
    const char *blob;
    const char *media_type;
    bool has_length; /* duration_us */
    bool has_moment; /* at_us */
} sl_chat_content;

/* Whether it is a message: a text needs a text or an attachment, a video or review what it refers to, a
 * voice note its sound; a moment is one of a video; a notice is none that people write. SL_E_INVALID
 * names the field. */
sl_status sl_chat_check(const sl_chat_content *c, sl_error **err);
/* Mentions against the text: [{"user":id,"at":n,"len":n},..] of at most SL_CHAT_MENTIONS_MAX, in order, not
 * overlapping, whole characters of the body counted in UTF-16 units. */
sl_status sl_chat_check_mentions(const char *body, const sl_json *mentions, sl_error **err);

/* The fields of a new "message" record from what the app gave (sideline/chat.h). *fields is given. */
sl_status sl_chat_message(const sl_json *in, sl_json **fields, sl_error **err);
/* The fields of an edit: text and mentions go together. The kind is that of the message. */
sl_status sl_chat_edit_fields(const sl_json *in, const char *kind, sl_json **fields,
                              sl_error **err);
/* The fields of a message that repeats this one (its public record), under its own id. */
sl_status sl_chat_forward_fields(const sl_json *message, sl_json **fields, sl_error **err);

/* The patch that moves the mark `field` of a participant (public record) up to a place; *fields is
 * given, or NULL when the mark is there already. A read message was delivered too. */
sl_status sl_chat_mark_patch(const sl_json *participant, const char *field, int64_t place,
                             sl_json **fields, sl_error **err);

/* --- what is shown (view.c) ------------------------------------------------------------------ */

/* Of a message with a place, of the user `me`: "sent", "delivered" or "read", by the least advanced of the
 * other participants who are there (public records of any threads); "sent" when there is none. */
const char *sl_chat_state(const sl_json *participants, const char *space, const char *me,
                          int64_t place);
/* Whether mentions (an array, may be NULL) name the user. */
bool sl_chat_names(const sl_json *mentions, const char *user);
/* [{"emoji","count","mine"},..] of the reactions (public records) to a message, one of each user and emoji
 * counted, in order of the first of each. *out is given, NULL when there are none. */
sl_status sl_chat_reactions(const sl_json *reactions, const char *message, const char *me,
                            sl_json **out, sl_error **err);

#endif
