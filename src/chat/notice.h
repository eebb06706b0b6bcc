/* chat/notice.h - what a push notification says, read from bytes that anybody may have sent. Pure. */
#ifndef SL_CHAT_NOTICE_H
#define SL_CHAT_NOTICE_H

#include "base/json.h"
#include "base/uuid.h"
#include "schema/schema.h"

enum {
    SL_NOTICE_MAX = 8192, /* bytes of a payload: twice what the providers take */
    SL_NOTICE_TEXT = 512  /* bytes of a name or text that is kept */
};

typedef struct sl_notice {
    char to[SL_UUID_LEN + 1]; /* the user */
    char kind[16];            /* message, connection, review, comment, program, payment, system */
    char space[SL_SPACE_MAX];
    char id[SL_UUID_LEN + 1];   /* of the record that it speaks of, "" none */
    char user[SL_UUID_LEN + 1]; /* who caused it, "" nobody */
    int64_t place;              /* of a message */
    bool named;                 /* a message that names `to` */
    char title[SL_NOTICE_TEXT];
    char body[SL_NOTICE_TEXT];
} sl_notice;

/* {"sideline":{..}} among what a provider adds, or the inner object alone (src/sync/PROTOCOL.md). Members that
 * are not known are passed over; texts that are too long are cut at a character. SL_E_INVALID, SL_E_LIMIT,
 * SL_E_UNSUPPORTED: of a later version. */
sl_status sl_notice_read(const char *p, size_t n, sl_notice *out, sl_error **err);

#endif
