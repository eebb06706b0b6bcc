/* service/http.c - which request is whose, and the form of answers. */
#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/uuid.h"
#include "service/account.h"
#include "service/list.h"
#include "service/make.h"
#include "service/pay.h"
#include "service/upload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Adds text to the header lines, and room for `more`; what cannot be added for want of memory makes the
 * answer 500. Where the room is. */
static char *header_room(sl_http_out *out, const char *text, size_t n, size_t more)
{
    size_t had = out->headers != NULL ? strlen(out->headers) : 0;
    char *now = sl_mem_resize(out->headers, had + n + more + 1, 1);
    if (now == NULL) {
        out->status = 500;
        return NULL;
    }
    memcpy(now + had, text, n);
    now[had + n] = 0;
    out->headers = now;
    return now + had + n;
}

void sl_sv_header(sl_http_out *out, const char *name, const char *value)
{
    size_t n = strlen(value);
    char *at = header_room(out, name, strlen(name), n + 4);
    if (at != NULL) {
        at[0] = ':';
        at[1] = ' ';
        memcpy(at + 2, value, n + 1);
        memcpy(at + 2 + n, "\r\n", 3);
    }
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

void sl_sv_answer_text(sl_http_out *out, sl_buf *text, const char *type)
{
    sl_bytes_release(out->body);
    out->body = sl_buf_bytes(text);
    sl_buf_free(text);
    if (out->body == NULL) {
        sl_sv_broken(out, SL_E_NOMEM);
        return;
    }
    out->status = 200;
    sl_sv_header(out, "Content-Type", type);
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

void sl_sv_too_many(sl_http_out *out, int64_t wait_s)
{
    sl_json *j = sl_json_object();
    if (j == NULL || !sl_json_set_str(j, "error", "rate_limit_exceeded") ||
        !sl_json_set_int(j, "retry_after", wait_s)) {
        sl_json_free(j);
        j = NULL;
    }
    sl_sv_answer(out, 429, j);
    sl_sv_header_int(out, "Retry-After", wait_s);
}

/* ---- the way ---- */

static bool matches(const sl_route *route, const char *path, const char **rest)
{
    size_t n = strlen(route->path);
    if (!route->rest) {
        *rest = "";
        return strcmp(path, route->path) == 0;
    }
    if (strncmp(path, route->path, n) != 0) {
        return false;
    }
    *rest = path + n;
    size_t len = route->tail ? strlen(*rest) : strcspn(*rest, "/");
    return len > 0 && strcmp(*rest + len, route->behind) == 0;
}

/* The route; NULL: *allow (sl_mem text) names the methods of the address, NULL when there is none. */
static const sl_route *find_route(const sl_http_in *in, const char **rest, char **allow)
{
    sl_buf methods = {0};
    const sl_route *found = NULL;
    for (size_t i = 0; found == NULL && i < SL_ROUTES; i++) {
        const char *r = "";
        if (!matches(&sl_routes[i], in->path, &r)) {
            continue;
        }
        if (strcmp(sl_routes[i].method, in->method) == 0) {
            found = &sl_routes[i];
            *rest = r;
        } else {
            sl_buf_fmt(&methods, "%s%s", methods.len > 0 ? ", " : "", sl_routes[i].method);
        }
    }
    *allow = found == NULL && methods.len > 0 ? sl_text_dup(sl_buf_text(&methods)) : NULL;
    sl_buf_free(&methods);
    return found;
}

/* ---- the lock ---- */

void sl_sv_hold(const sl_sv_request *r)
{
    if (!r->held) {
        sl_lock(r->s->lock);
    }
}

void sl_sv_let_go(const sl_sv_request *r)
{
    if (!r->held) {
        sl_unlock(r->s->lock);
    }
}

/* ---- who asks ---- */

static void refuse_token(sl_http_out *out)
{
    sl_sv_refuse(out, 401, "unauthorized", "Invalid token");
    sl_sv_header(out, "WWW-Authenticate", "Bearer");
}

static void refuse_role(sl_http_out *out)
{
    sl_sv_refuse(out, 403, "forbidden", "Insufficient permissions");
}

/* First whether it is anybody, then whether the second factor is there, then what they may. */
static bool let_user(sl_sv_request *r, sl_http_out *out)
{
    sl_need need = r->route->need;
    sl_standing standing = sl_sv_standing(&r->who.rank, sl_sv_now(r->s));
    if (need != SL_NEED_SESSION && r->who.factor_due) {
        sl_sv_refuse(out, 403, "mfa_required", "the second factor is missing");
        return false;
    }
    bool admin = need == SL_NEED_ADMIN || need == SL_NEED_SERVICE;
    if (admin && !sl_policy_feature(standing, "admin_tools")) {
        refuse_role(out);
        return false;
    }
    return true;
}

bool sl_sv_signed_in(sl_sv_request *r, sl_http_out *out)
{
    sl_service *s = r->s;
    const char *value = r->in->header(r->in->ctx, "authorization");
    const char *token = value != NULL && strncmp(value, "Bearer ", 7) == 0 ? value + 7 : NULL;
    sl_status status = SL_E_AUTH;
    if (token != NULL) {
        sl_sv_hold(r);
        status = r->route->need == SL_NEED_SERVICE
                     ? sl_sv_service_check(s, token, r->route->scope, r->service, NULL)
                     : (sl_status)SL_E_AUTH;
        if (status == SL_E_AUTH) {
            status = sl_sv_token_check(s, token, &r->who, NULL);
        }
        sl_sv_let_go(r);
    }
    if (status == SL_E_AUTH) {
        refuse_token(out);
    } else if (status == SL_E_DENIED) {
        refuse_role(out);
    } else if (status != SL_OK) {
        sl_sv_broken(out, status);
    }
    return status == SL_OK && (r->service[0] != 0 || let_user(r, out));
}

/* ---- how often ---- */

static void tell_rate(sl_rate rate, const sl_sv_allowance *a, sl_http_out *out)
{
    char text[80];
    (void)snprintf(text, sizeof text, "\"%s\";q=%lld;w=%lld", sl_sv_rate_name(rate),
                   (long long)sl_sv_rate_limit(rate), (long long)sl_sv_rate_window_s(rate));
    sl_sv_header(out, "RateLimit-Policy", text);
    (void)snprintf(text, sizeof text, "\"%s\";r=%lld;t=%lld", sl_sv_rate_name(rate),
                   (long long)a->left, (long long)a->reset_s);
    sl_sv_header(out, "RateLimit", text);
}

/* False: the answer is made. */
static bool known_or_guest(sl_sv_request *r, sl_http_out *out)
{
    sl_need need = r->route->need;
    bool shows = r->in->header(r->in->ctx, "authorization") != NULL;
    return need == SL_NEED_NONE || (need == SL_NEED_GUEST && !shows) || sl_sv_signed_in(r, out);
}

/* Takes one of the key's; false: the answer is made. */
static bool take_one(const sl_sv_request *r, sl_rate rate, const char *key, sl_http_out *out)
{
    sl_service *s = r->s;
    sl_sv_hold(r);
    sl_sv_allowance a = sl_sv_bucket_take(s->buckets, rate, key, 1, sl_sv_now(s));
    s->counts.limited += a.ok || r->held ? 0 : 1; /* held: it comes again */
    sl_sv_let_go(r);
    if (!a.ok) {
        sl_sv_too_many(out, a.wait_s);
    }
    tell_rate(rate, &a, out);
    return a.ok;
}

/* By who asks; whoever shows no good token by where it comes from. What others' services tell does not count
 * with what is asked from there. */
static bool within_rate(sl_sv_request *r, sl_http_out *out)
{
    sl_rate rate = r->route != NULL ? r->route->rate : SL_RATE_PUBLIC;
    char peer[64] = "";
    const char *key = r->who.user[0] != 0 ? r->who.user : r->service;
    if (r->s->buckets == NULL || rate == SL_RATE_NONE) {
        return true;
    }
    if (key[0] == 0 && r->in->peer == NULL) {
        return true; /* not known where it comes from */
    }
    if (key[0] == 0) {
        rate = rate == SL_RATE_WEBHOOK ? rate : SL_RATE_PUBLIC;
        sl_sv_peer_key(r->in->peer, peer, sizeof peer);
        key = peer;
    }
    return take_one(r, rate, key, out);
}

/* ---- the body ---- */

bool sl_sv_read_body(sl_sv_request *r, sl_http_out *out)
{
    const sl_http_in *in = r->in;
    if (in->body_len > (r->route->large ? (size_t)SL_SV_FRAME_MAX : (size_t)SL_SV_BODY_MAX)) {
        sl_sv_refuse(out, 413, "too_large", "the body is too large");
        return false;
    }
    sl_status status = in->body != NULL
                           ? sl_json_read((const char *)in->body, in->body_len, &r->body, NULL)
                           : SL_OK;
    if (status == SL_E_NOMEM) {
        sl_sv_broken(out, status);
        return false;
    }
    if (in->cut || !sl_json_is_object(r->body)) {
        sl_sv_refuse(out, 400, "bad_request", "the body must be a JSON object");
        return false;
    }
    return true;
}

sl_sv_handler sl_sv_handler_of(sl_route_id id)
{
    static const sl_sv_handler handlers[SL_ROUTES] = {
        [SL_ROUTE_SIGNUP] = sl_sv_signup,
        [SL_ROUTE_LOGIN] = sl_sv_login,
        [SL_ROUTE_REFRESH] = sl_sv_refresh,
        [SL_ROUTE_OIDC] = sl_sv_oidc_about,
        [SL_ROUTE_OIDC_LOGIN] = sl_sv_oidc_login,
        [SL_ROUTE_OIDC_STEP] = sl_sv_oidc_step,
        [SL_ROUTE_VERIFY] = sl_sv_verify,
        [SL_ROUTE_VERIFY_SEND] = sl_sv_verify_send,
        [SL_ROUTE_RESET] = sl_sv_reset,
        [SL_ROUTE_RESET_SEND] = sl_sv_reset_send,
        [SL_ROUTE_TOTP] = sl_sv_totp,
        [SL_ROUTE_TOTP_CONFIRM] = sl_sv_totp_confirm,
        [SL_ROUTE_RECOVERY] = sl_sv_recovery,
        [SL_ROUTE_DEVICES] = sl_sv_devices,
        [SL_ROUTE_DEVICE_END] = sl_sv_device_end,
        [SL_ROUTE_LOGOUT] = sl_sv_logout,
        [SL_ROUTE_LOGOUT_ALL] = sl_sv_logout_all,
        [SL_ROUTE_EXPORT] = sl_sv_export,
        [SL_ROUTE_ERASE] = sl_sv_erase,
        [SL_ROUTE_SYNC_PUSH] = sl_sv_rest_push,
        [SL_ROUTE_SYNC_PULL] = sl_sv_rest_pull,
        [SL_ROUTE_SYNC_PULL_ASKED] = sl_sv_rest_pull,
        [SL_ROUTE_SYNC_LOAD] = sl_sv_rest_load,
        [SL_ROUTE_SYNC_LOAD_ASKED] = sl_sv_rest_load,
        [SL_ROUTE_MESSAGE_MAKE] = sl_sv_message_make,
        [SL_ROUTE_VIDEO_MAKE] = sl_sv_video_make,
        [SL_ROUTE_ANNOTATION_MAKE] = sl_sv_annotation_make,
        [SL_ROUTE_REVIEWS] = sl_sv_reviews,
        [SL_ROUTE_COACHES] = sl_sv_coaches,
        [SL_ROUTE_COACH] = sl_sv_coach,
        [SL_ROUTE_COACH_PROGRAMS] = sl_sv_coach_programs,
        [SL_ROUTE_COACH_POSTS] = sl_sv_coach_posts,
        [SL_ROUTE_SEARCH] = sl_sv_search,
        [SL_ROUTE_UPLOADS_INFO] = sl_sv_uploads,
        [SL_ROUTE_UPLOAD_CREATE] = sl_sv_uploads,
        [SL_ROUTE_UPLOAD_FORM] = sl_sv_upload_form,
        [SL_ROUTE_UPLOAD_HEAD] = sl_sv_uploads,
        [SL_ROUTE_UPLOAD_PATCH] = sl_sv_uploads,
        [SL_ROUTE_UPLOAD_DELETE] = sl_sv_uploads,
        [SL_ROUTE_BLOB] = sl_sv_blob,
        [SL_ROUTE_BLOB_URL] = sl_sv_blob_url,
        [SL_ROUTE_FILE] = sl_sv_file,
        [SL_ROUTE_FILE_HEAD] = sl_sv_file,
        [SL_ROUTE_VIDEO] = sl_sv_videos,
        [SL_ROUTE_VIDEO_HEAD] = sl_sv_videos,
        [SL_ROUTE_ORGANISATION] = sl_sv_organisation,
        [SL_ROUTE_PRICE_SET] = sl_sv_price_set,
        [SL_ROUTE_PAYMENT_MAKE] = sl_sv_payment_make,
        [SL_ROUTE_SUBSCRIPTION_MAKE] = sl_sv_subscription_make,
        [SL_ROUTE_SUBSCRIPTION_END] = sl_sv_subscription_end,
        [SL_ROUTE_PAY_EVENT] = sl_sv_pay_event,
        [SL_ROUTE_ACCOUNTS] = sl_sv_accounts,
        [SL_ROUTE_ACCOUNT_SET] = sl_sv_account_set,
        [SL_ROUTE_SERVICE_KEY_ADD] = sl_sv_service_key_add,
        [SL_ROUTE_SERVICE_KEY_END] = sl_sv_service_key_end,
        [SL_ROUTE_KEYS_ROTATE] = sl_sv_keys_rotate,
        [SL_ROUTE_AUDIT] = sl_sv_audit_read,
        [SL_ROUTE_HEALTH] = sl_sv_health,
        [SL_ROUTE_JWKS] = sl_sv_jwks,
        [SL_ROUTE_OPENAPI] = sl_sv_openapi,
        [SL_ROUTE_DOCS] = sl_sv_docs,
        [SL_ROUTE_LIVEZ] = sl_sv_livez,
        [SL_ROUTE_READYZ] = sl_sv_readyz,
        [SL_ROUTE_METRICS] = sl_sv_metrics,
    };
    return handlers[id];
}

/* ---- a request ---- */

/* All that comes before its handler. False: the answer is made. */
static bool enter(sl_sv_request *r, sl_http_out *out)
{
    char *allow = NULL;
    sl_http_out limited;
    memset(&limited, 0, sizeof limited);
    if (r->route == NULL) {
        r->route = find_route(r->in, &r->rest, &allow);
    }
    if (r->route != NULL && r->route->behind[0] != 0) { /* what is cut off was no id */
        (void)snprintf(r->word, sizeof r->word, "%.*s", (int)strcspn(r->rest, "/"), r->rest);
        r->rest = r->word;
    }
    bool known = r->route != NULL && known_or_guest(r, out);
    bool within = (known || !r->held) && within_rate(r, &limited);
    if (r->held && !within) { /* what is refused is noted, and that takes longer */
        r->later = true;
        sl_mem_free(allow);
        sl_http_out_free(&limited);
        return false;
    }
    if (!within) {
        sl_http_out_free(out); /* too often, whatever the answer would have been */
        *out = limited;
    } else {
        r->rate_headers = limited.headers;
    }
    bool goes = within && known && (!r->route->json || sl_sv_read_body(r, out));
    if (within && r->route == NULL && allow != NULL) {
        sl_sv_refuse(out, 405, "method_not_allowed", "this address does not know the method");
        sl_sv_header(out, "Allow", allow);
    } else if (within && r->route == NULL) {
        sl_sv_refuse(out, 404, "not_found", "there is nothing here");
    }
    sl_mem_free(allow);
    return goes;
}

/* What is logged is made of our own words, numbers and ids. */
static void log_line(const sl_sv_request *r, int32_t status, int64_t took_ms)
{
    const sl_service *s = r->s;
    sl_buf b = {0};
    if (s->ports.log == NULL) {
        return;
    }
    sl_buf_fmt(&b, "{\"t\":%lld,\"request\":\"%s\",\"route\":\"%s\",\"status\":%d,\"ms\":%lld",
               (long long)sl_sv_now(s), r->id, r->route != NULL ? r->route->id : "none",
               (int)status, (long long)took_ms);
    if (r->who.user[0] != 0) {
        sl_buf_fmt(&b, ",\"user\":\"%s\"", r->who.user);
    }
    sl_buf_str(&b, "}");
    if (!b.failed) {
        s->ports.log(s->ports.user, sl_buf_text(&b));
    }
    sl_buf_free(&b);
}

static int64_t mono(const sl_service *s)
{
    const sl_platform *p = s->ports.platform;
    return p->clock->mono_ms(p->user);
}

/* False: the answer is made. */
static bool begin(sl_sv_request *r, sl_service *s, const sl_http_in *in, sl_http_out *out)
{
    memset(out, 0, sizeof *out);
    r->s = s;
    r->in = in;
    r->rest = "";
    out->status = 500;
    if (in->method == NULL || in->path == NULL || in->header == NULL) {
        sl_sv_refuse(out, 400, "bad_request", "not a request");
        return false;
    }
    (void)sl_sv_uuid(s, r->id, NULL);
    return enter(r, out);
}

static void end(sl_sv_request *r, int64_t took_ms, sl_http_out *out)
{
    sl_service *s = r->s;
    if (r->rate_headers != NULL) {
        (void)header_room(out, r->rate_headers, strlen(r->rate_headers), 0);
    }
    if (out->headers == NULL || strstr(out->headers, "Cache-Control:") == NULL) {
        sl_sv_header(out, "Cache-Control", "no-store");
    }
    sl_sv_header(out, "X-Content-Type-Options", "nosniff");
    sl_sv_header(out, "X-Request-Id", r->id);
    if (r->in->method != NULL && strcmp(r->in->method, "HEAD") == 0 && out->body != NULL) {
        sl_bytes_release(out->body);
        out->body = NULL;
    }
    sl_sv_hold(r);
    sl_sv_audit_request(r, out->status);
    sl_sv_count_request(s, r->route, out->status, took_ms);
    sl_unlock(s->lock);
    log_line(r, out->status, took_ms);
    sl_mem_free(r->rate_headers);
    sl_json_free(r->body);
}

void sl_service_http(sl_service *s, const sl_http_in *in, sl_http_out *out)
{
    sl_sv_request r = {.held = false};
    int64_t began_ms = mono(s);
    if (begin(&r, s, in, out)) {
        sl_sv_handler_of((sl_route_id)(r.route - sl_routes))(&r, out);
    }
    end(&r, mono(s) - began_ms, out);
}

/* ---- at once ---- */

/* One of our own clients' small questions: a few records by their place. */
static bool is_small(const sl_http_in *in)
{
    enum {
        FEW = 50
    };
    const sl_route *load = &sl_routes[SL_ROUTE_SYNC_LOAD];
    const char *limit = in->query != NULL ? strstr(in->query, "limit=") : NULL;
    return limit != NULL && strtol(limit + 6, NULL, 10) <= FEW &&
           strcmp(in->method, load->method) == 0 && strcmp(in->path, load->path) == 0;
}

bool sl_service_http_now(sl_service *s, const sl_http_in *in, sl_http_out *out)
{
    if (!is_small(in) || !sl_try_lock(s->lock)) {
        return false;
    }
    sl_sv_request r = {.held = true, .route = &sl_routes[SL_ROUTE_SYNC_LOAD]};
    int64_t began_ms = mono(s);
    if (begin(&r, s, in, out)) {
        sl_sv_rest_load(&r, out);
    }
    if (r.later) {
        sl_unlock(s->lock);
        sl_http_out_free(out);
        return false;
    }
    end(&r, mono(s) - began_ms, out);
    return true;
}

/* ---- a body that comes in pieces ---- */

struct sl_inflow {
    sl_sv_request r;
    sl_http_in in;
    sl_http_out out; /* made, unless it is open */
    sl_sv_flow flow;
    bool open;
    int64_t took_ms; /* to begin */
};

bool sl_service_flows(const sl_http_in *in)
{
    static const sl_route_id ids[] = {SL_ROUTE_UPLOAD_PATCH, SL_ROUTE_UPLOAD_CREATE};
    const char *rest = NULL;
    bool flows = false;
    for (size_t i = 0; !flows && i < sizeof ids / sizeof ids[0]; i++) {
        const sl_route *route = &sl_routes[ids[i]];
        flows = strcmp(in->method, route->method) == 0 && matches(route, in->path, &rest);
    }
    return flows;
}

sl_inflow *sl_service_flow_begin(sl_service *s, const sl_http_in *in, uint64_t len)
{
    sl_inflow *f = sl_mem(sizeof *f);
    if (f == NULL) {
        return NULL;
    }
    int64_t began_ms = mono(s);
    f->in = *in;
    f->open = begin(&f->r, s, &f->in, &f->out) && sl_sv_bytes_begin(&f->r, len, &f->flow, &f->out);
    f->took_ms = mono(s) - began_ms;
    return f;
}

bool sl_service_flow_put(sl_inflow *f, const void *p, size_t n)
{
    return f->open && (n == 0 || sl_sv_flow_put(&f->flow, p, n));
}

void sl_service_flow_end(sl_inflow *f, sl_http_out *out)
{
    sl_service *s = f->r.s;
    int64_t began_ms = mono(s);
    if (f->open) {
        sl_sv_bytes_end(&f->flow, &f->out);
    }
    end(&f->r, f->took_ms + mono(s) - began_ms, &f->out);
    *out = f->out;
    sl_mem_free(f);
}

void sl_http_out_free(sl_http_out *out)
{
    sl_mem_free(out->headers);
    sl_bytes_release(out->body);
    sl_mem_free(out->file);
    memset(out, 0, sizeof *out);
}
