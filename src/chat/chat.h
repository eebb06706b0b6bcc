/* chat/chat.h - the rules of sending and of marks. Pure: records in, fields out. */
#ifndef SL_CHAT_CHAT_H
#define SL_CHAT_CHAT_H

#include "schema/record.h"

/* The fields of a new "message" record from what the app gave (sideline/chat.h): a text needs a
 * body, a video or review needs what it refers to. *fields is given. */
sl_status sl_chat_message(const sl_json *in, sl_json **fields, sl_error **err);

/* The patch that moves the mark `field` of a participant (public record) up to seq; *fields is
 * given, or NULL when the mark is there already. A read message was delivered too. */
sl_status sl_chat_mark_patch(const sl_json *participant, const char *field, int64_t seq,
                             sl_json **fields, sl_error **err);

#endif
