/* The built-in platform: POSIX, and where the build has them libcurl and libwebsockets. */
#include "platform/posix/posix.h"

#ifdef SL_WITH_CAPTURE
#include "platform/audio/audio.h"
#endif

#include <stdlib.h>
#include <string.h>

#ifdef SL_WITH_TRANSPORT

#include "platform/curl/curl.h"
#include "platform/lws/lws.h"

typedef struct builtin {
    sl_curl *curl;
    sl_lws *lws;
} builtin;

static sl_status http_start(void *user, sl_id req, const sl_http_request *request)
{
    const builtin *b = user;
    return sl_curl_request(b->curl, req, request);
}

static void http_cancel(void *user, sl_id req)
{
    const builtin *b = user;
    sl_curl_cancel(b->curl, req);
}

static sl_status ws_open(void *user, sl_id ws, const char *url, const char *subprotocol)
{
    const builtin *b = user;
    return sl_lws_open(b->lws, ws, url, subprotocol);
}

static sl_status ws_send(void *user, sl_id ws, int32_t kind, const uint8_t *p, size_t n)
{
    const builtin *b = user;
    return sl_lws_send(b->lws, ws, kind, p, n);
}

static void ws_close(void *user, sl_id ws, int32_t code, const char *reason)
{
    const builtin *b = user;
    sl_lws_close(b->lws, ws, code, reason);
}

static const sl_http_ops HTTP = {
    .struct_size = sizeof(sl_http_ops), .start = http_start, .cancel = http_cancel};

static const sl_ws_ops WS = {
    .struct_size = sizeof(sl_ws_ops), .open = ws_open, .send = ws_send, .close = ws_close};

static sl_status platform_start(void *user, sl_core *core)
{
    const builtin *b = user;
    sl_status status = sl_curl_start(b->curl, core);
    if (status == SL_OK) {
        status = sl_lws_start(b->lws, core);
        if (status != SL_OK) {
            sl_curl_stop(b->curl);
        }
    }
    return status;
}

static void platform_stop(void *user)
{
    const builtin *b = user;
    sl_lws_stop(b->lws);
    sl_curl_stop(b->curl);
}

static void platform_release(void *user)
{
    builtin *b = user;
    sl_lws_free(b->lws);
    sl_curl_free(b->curl);
    free(b);
}

static sl_status add_transport(sl_platform *out)
{
    builtin *b = calloc(1, sizeof *b);
    if (b == NULL) {
        return SL_E_NOMEM;
    }
    b->curl = sl_curl_new();
    b->lws = sl_lws_new();
    if (b->curl == NULL || b->lws == NULL) {
        platform_release(b);
        return SL_E_NOMEM;
    }
    out->user = b;
    out->http = &HTTP;
    out->ws = &WS;
    out->start = platform_start;
    out->stop = platform_stop;
    out->release = platform_release;
    return SL_OK;
}

#else

static sl_status add_transport(sl_platform *out)
{
    out->user = NULL;
    return SL_OK;
}

#endif

sl_status sl_platform_builtin(sl_platform *out)
{
    if (out == NULL) {
        return SL_E_MISUSE;
    }
    memset(out, 0, sizeof *out);
    out->struct_size = sizeof *out;
    out->clock = &sl_posix_clock;
    out->random = &sl_posix_random;
    out->files = &sl_posix_files;
#ifdef SL_WITH_CAPTURE
    out->audio = &sl_desktop_audio;
#endif
    return add_transport(out);
}
