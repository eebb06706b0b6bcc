/*
 * platform/curl/curl.h - HTTP through libcurl: one multi handle on one thread.
 *
 *   [CURL-1] a request that was taken ends with exactly one sl_host_http_done, at the latest
 *            while sl_curl_stop waits for the thread;
 *   [CURL-2] no sl_host_* call is made with a lock held.
 */
#ifndef SL_PLATFORM_CURL_H
#define SL_PLATFORM_CURL_H

#include "sideline/platform.h"

typedef struct sl_curl sl_curl;

sl_curl *sl_curl_new(void); /* NULL: out of memory */
sl_status sl_curl_start(sl_curl *c, sl_core *core);
void sl_curl_stop(sl_curl *c); /* joins the thread; a second call does nothing */
void sl_curl_free(sl_curl *c); /* stops it too; NULL accepted */

/* SL_E_CLOSED before start and after stop, SL_E_INVALID for an address that is not http or https
 * or headers that break a line. */
sl_status sl_curl_request(sl_curl *c, sl_id id, const sl_http_request *q);
void sl_curl_cancel(sl_curl *c, sl_id id);

#endif
