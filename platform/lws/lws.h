/*
 * platform/lws/lws.h - WebSocket through libwebsockets: one context on one thread.
 *
 *   [LWS-1] a socket that was opened ends with exactly one sl_host_ws_closed, at the latest while
 *           sl_lws_stop waits for the thread;
 *   [LWS-2] no sl_host_* call is made with a lock held;
 *   [LWS-3] of libwebsockets only lws_cancel_service is called from other threads.
 */
#ifndef SL_PLATFORM_LWS_H
#define SL_PLATFORM_LWS_H

#include "sideline/platform.h"

enum {
    SL_LWS_MESSAGE_MAX = 16 * 1024 * 1024, /* a longer one closes the socket with 1009 */
    SL_LWS_QUEUE_MAX = 4 * SL_LWS_MESSAGE_MAX
};

typedef struct sl_lws sl_lws;

sl_lws *sl_lws_new(void); /* NULL: out of memory */
sl_status sl_lws_start(sl_lws *l, sl_core *core);
void sl_lws_stop(sl_lws *l); /* joins the thread; a second call does nothing */
void sl_lws_free(sl_lws *l); /* stops it too; NULL accepted */

/* SL_E_CLOSED before start and after stop, SL_E_INVALID for an address that is not ws or wss. */
sl_status sl_lws_open(sl_lws *l, sl_id id, const char *url, const char *subprotocol);
/* SL_E_NOT_FOUND for a socket that is gone, SL_E_LIMIT when too much waits. */
sl_status sl_lws_send(sl_lws *l, sl_id id, int32_t kind, const uint8_t *p, size_t n);
/* What was sent before is written first. */
void sl_lws_close(sl_lws *l, sl_id id, int32_t code, const char *reason);

#endif
