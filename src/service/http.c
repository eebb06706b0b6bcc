/* service/http.c - which request is whose, and the form of answers. */
#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "service/inside.h"

#include <stdio.h>
#include <string.h>

#ifndef SL_SERVICE_VERSION
#define SL_SERVICE_VERSION "0"
#endif

/* Adds text to the header lines; what cannot be added for want of memory makes the answer 500. */
static void header_text(sl_http_out *out, const char *line)
{
    const char *had = out->headers != NULL ? out->headers : "";
    char *now = sl_text_fmt("%s%s", had, line);
    if (now == NULL) {
        out->status = 500;
        return;
    }
    sl_mem_free(out->headers);
    out->headers = now;
}

void sl_sv_header(sl_http_out *out, const char *name, const char *value)
{
    char *line = sl_text_fmt("%s: %s\r\n", name, value);
    if (line != NULL) {
        header_text(out, line);
    } else {
        out->status = 500;
    }
    sl_mem_free(line);
}

void sl_sv_header_int(sl_http_out *out, const char *name, int64_t value)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%lld", (long long)value);
    sl_sv_header(out, name, text);
}

void sl_sv_answer(sl_http_out *out, int32_t status, sl_json *body)
{
    out->status = body != NULL ? status : 500;
    sl_bytes_release(out->body);
    out->body = body != NULL ? sl_json_bytes(body) : NULL;
    if (out->body == NULL) {
        out->status = 500;
    } else {
        sl_sv_header(out, "Content-Type", "application/json");
    }
    sl_json_free(body);
}

void sl_sv_refuse(sl_http_out *out, int32_t status, const char *name, const char *message)
{
    sl_json *j = sl_json_object();
    if (j == NULL || !sl_json_set_str(j, "error", name) ||
        !sl_json_set_str(j, "message", message)) {
        sl_json_free(j);
        j = NULL;
    }
    sl_sv_answer(out, status, j);
}

void sl_sv_broken(sl_http_out *out, sl_status status)
{
    if (status == SL_E_BUSY || status == SL_E_FULL) {
        sl_sv_refuse(out, 503, "unavailable", "the server cannot do this now; try again later");
        sl_sv_header(out, "Retry-After", "5");
    } else {
        sl_sv_refuse(out, 500, "internal", "the server failed");
    }
}

void sl_sv_invalid(sl_http_out *out, const char *field, const char *message)
{
    sl_json *j = sl_json_object();
    sl_json *fields = sl_json_object();
    bool ok = j != NULL && sl_json_set_str(j, "error", "validation_failed") &&
              sl_json_set_str(fields, field, message);
    if (ok) {
        ok = sl_json_set(j, "fields", fields);
        fields = NULL;
    }
    sl_json_free(fields);
    if (!ok) {
        sl_json_free(j);
        j = NULL;
    }
    sl_sv_answer(out, 422, j);
}

bool sl_sv_signed_in(sl_service *s, const sl_http_in *in, sl_sv_who *who, sl_http_out *out)
{
    const char *value = in->header(in->ctx, "authorization");
    bool ok = value != NULL && strncmp(value, "Bearer ", 7) == 0;
    sl_status status = SL_E_AUTH;
    if (ok) {
        sl_lock(s->lock);
        status = sl_sv_token_check(s, value + 7, who, NULL);
        sl_unlock(s->lock);
    }
    if (status == SL_E_AUTH) {
        sl_sv_refuse(out, 401, "unauthorized", "Invalid token");
        sl_sv_header(out, "WWW-Authenticate", "Bearer");
    } else if (status != SL_OK) {
        sl_sv_broken(out, status);
    }
    return status == SL_OK;
}

static void health(sl_http_out *out)
{
    sl_json *j = sl_json_object();
    if (j == NULL || !sl_json_set_bool(j, "ok", true) ||
        !sl_json_set_str(j, "version", SL_SERVICE_VERSION)) {
        sl_json_free(j);
        j = NULL;
    }
    sl_sv_answer(out, 200, j);
}

/* True when the method is the one wanted; else the answer is 405. */
static bool method_is(const sl_http_in *in, const char *method, sl_http_out *out)
{
    if (strcmp(in->method, method) == 0) {
        return true;
    }
    sl_sv_refuse(out, 405, "method_not_allowed", "this address does not know the method");
    sl_sv_header(out, "Allow", method);
    return false;
}

typedef void (*post_fn)(sl_service *s, const sl_http_in *in, sl_http_out *out);

static bool route_post(sl_service *s, const sl_http_in *in, sl_http_out *out)
{
    static const struct {
        const char *path;
        post_fn fn;
        size_t body_max;
        bool get; /* too */
    } posts[] = {
        {"/api/v1/auth/signup", sl_sv_signup, SL_SV_BODY_MAX, false},
        {"/api/v1/auth/login", sl_sv_login, SL_SV_BODY_MAX, false},
        {"/api/v1/auth/refresh", sl_sv_refresh, SL_SV_BODY_MAX, false},
        {"/api/v1/sync/push", sl_sv_rest_push, SL_SV_FRAME_MAX, false},
        {"/api/v1/sync/pull", sl_sv_rest_pull, SL_SV_BODY_MAX, true},
        {"/api/v1/sync/load", sl_sv_rest_load, SL_SV_BODY_MAX, true},
    };
    for (size_t i = 0; i < sizeof posts / sizeof posts[0]; i++) {
        if (strcmp(in->path, posts[i].path) != 0) {
            continue;
        }
        if (in->body_len > posts[i].body_max) {
            sl_sv_refuse(out, 413, "too_large", "the body is too large");
        } else if ((posts[i].get && strcmp(in->method, "GET") == 0) || method_is(in, "POST", out)) {
            posts[i].fn(s, in, out);
        }
        return true;
    }
    return false;
}

static const char *after(const char *path, const char *prefix)
{
    size_t n = strlen(prefix);
    return strncmp(path, prefix, n) == 0 ? path + n : NULL;
}

static void route(sl_service *s, const sl_http_in *in, sl_http_out *out)
{
    const char *rest = NULL;
    if (route_post(s, in, out)) {
        return;
    }
    if (strcmp(in->path, "/api/v1/health") == 0) {
        if (method_is(in, "GET", out)) {
            health(out);
        }
    } else if (strcmp(in->path, "/.well-known/jwks.json") == 0) {
        if (method_is(in, "GET", out)) {
            sl_sv_jwks(s, out);
        }
    } else if (strcmp(in->path, "/api/v1/uploads") == 0) {
        sl_sv_uploads(s, in, "", out);
    } else if ((rest = after(in->path, "/api/v1/uploads/")) != NULL) {
        sl_sv_uploads(s, in, rest, out);
    } else if ((rest = after(in->path, "/api/v1/blobs/")) != NULL) {
        sl_sv_blob(s, in, rest, out);
    } else if ((rest = after(in->path, "/api/v1/videos/")) != NULL) {
        sl_sv_videos(s, in, rest, out);
    } else {
        sl_sv_refuse(out, 404, "not_found", "there is nothing here");
    }
}

void sl_service_http(sl_service *s, const sl_http_in *in, sl_http_out *out)
{
    memset(out, 0, sizeof *out);
    out->status = 500;
    if (in->method == NULL || in->path == NULL || in->header == NULL) {
        sl_sv_refuse(out, 400, "bad_request", "not a request");
        return;
    }
    route(s, in, out);
    if (out->headers == NULL || strstr(out->headers, "Cache-Control:") == NULL) {
        sl_sv_header(out, "Cache-Control", "no-store");
    }
    sl_sv_header(out, "X-Content-Type-Options", "nosniff");
    if (strcmp(in->method, "HEAD") == 0 && out->body != NULL) {
        sl_bytes_release(out->body);
        out->body = NULL;
    }
}

void sl_http_out_free(sl_http_out *out)
{
    sl_mem_free(out->headers);
    sl_bytes_release(out->body);
    sl_mem_free(out->file);
    memset(out, 0, sizeof *out);
}
