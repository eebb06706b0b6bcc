/* server/reply.h - the head of an HTTP/1.1 answer, and answers the adapter gives by itself. */
#ifndef SL_SERVER_REPLY_H
#define SL_SERVER_REPLY_H

#include "base/buf.h"
#include "service/service.h"

/* Status line, the service's headers, Content-Length and Connection; `out->status` is not changed. id: of the
 * request, for answers that have none; may be "". False: out of memory, or headers that are none. */
bool sl_reply_head(sl_buf *to, const sl_http_out *out, const char *id, bool close_after);
/* {"error":...,"message":...} with the headers it needs. */
void sl_reply_error(sl_http_out *out, int32_t status, const char *message);

#endif
