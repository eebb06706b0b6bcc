/*
 * What is asked of the server about the account itself: devices, the second factor, mails. An errand
 * that needs the session waits until there is a token, then is one request.
 */
#include "engine/engine.h"

#include "base/base64.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/plant.h"
#include "crypto/hash.h"

#include <stdio.h>
#include <string.h>

enum {
    MEMBERS = 3,
    SECRET_LEN = 32,
    NOT_YET = -1
};

typedef struct kind {
    const char *name;
    const char *method;
    const char *path;
    bool signed_in;
    const char *members[MEMBERS]; /* of the body, all needed */
    const char *named;            /* the member, an id, that ends the path, or NULL */
    const char *behind;           /* and what comes after it */
} kind;

static const kind KINDS[] = {
    {"verify", "POST", "/api/v1/auth/verify", false, {"token"}, NULL, NULL},
    {"verify_mail", "POST", "/api/v1/auth/verify/send", true, {NULL}, NULL, NULL},
    {"reset", "POST", "/api/v1/auth/reset", false, {"token", "password"}, NULL, NULL},
    {"reset_mail", "POST", "/api/v1/auth/reset/send", false, {"email"}, NULL, NULL},
    {"totp", "POST", "/api/v1/auth/totp", true, {NULL}, NULL, NULL},
    {"totp_confirm", "POST", "/api/v1/auth/totp/confirm", true, {"code"}, NULL, NULL},
    {"recovery", "POST", "/api/v1/auth/recovery", true, {NULL}, NULL, NULL},
    {"devices", "GET", "/api/v1/auth/devices", true, {NULL}, NULL, NULL},
    {"device_end", "DELETE", "/api/v1/auth/devices/", true, {NULL}, "device", ""},
    {"logout_all", "POST", "/api/v1/auth/logout/all", true, {NULL}, NULL, NULL},
    {"erase", "POST", "/api/v1/account/erase", true, {"password"}, NULL, NULL},
    {"oidc", "GET", "/api/v1/auth/oidc", false, {"redirect_uri"}, NULL, NULL},
    {"playback", "GET", "/api/v1/videos/", true, {NULL}, "video", "/playback"},
    {"organisation", "GET", "/api/v1/organisations/", true, {NULL}, "organisation", ""},
};

struct sl_errand {
    sl_id op;
    const kind *kind;
    char *path;
    char *body;        /* sl_mem text */
    unsigned failures; /* of the session's token when it began */
    struct sl_errand *next;
};

static void errand_free(sl_errand *e)
{
    if (e->body != NULL) {
        sl_wipe(e->body, strlen(e->body)); /* it may have a password */
    }
    sl_mem_free(e->path);
    sl_mem_free(e->body);
    sl_mem_free(e);
}

static void take_off(sl_core *core, sl_errand *e)
{
    sl_errand **at = &core->errands;
    while (*at != e) {
        at = &(*at)->next;
    }
    *at = e->next;
    errand_free(e);
}

void sl_errands_stop(sl_core *core)
{
    while (core->errands != NULL) {
        take_off(core, core->errands);
    }
}

static const kind *find_kind(const char *name)
{
    for (size_t i = 0; name != NULL && i < sizeof KINDS / sizeof KINDS[0]; i++) {
        if (strcmp(KINDS[i].name, name) == 0) {
            return &KINDS[i];
        }
    }
    return NULL;
}

/* The body as text, of the members that the kind names. */
static sl_status write_body(const kind *k, const sl_json *in, char **out, sl_error **err)
{
    sl_json *body = sl_json_object();
    bool ok = body != NULL;
    for (size_t i = 0; ok && i < MEMBERS && k->members[i] != NULL; i++) {
        const char *value = sl_json_str(in, k->members[i]);
        if (value == NULL) {
            sl_json_free(body);
            return sl_fail_field(err, SL_E_INVALID, k->members[i], "\"%s\" needs \"%s\"", k->name,
                                 k->members[i]);
        }
        ok = sl_json_set_str(body, k->members[i], value);
    }
    *out = ok ? sl_json_print(body) : NULL;
    sl_json_free(body);
    return *out != NULL ? SL_OK : sl_fail_nomem(err);
}

static sl_status write_path(const kind *k, const sl_json *in, char **out, sl_error **err)
{
    const char *id = k->named != NULL ? sl_json_str(in, k->named) : NULL;
    if (k->named != NULL && !sl_uuid_ok(id)) {
        return sl_fail_field(err, SL_E_INVALID, k->named, "\"%s\" needs a %s's id", k->name,
                             k->named);
    }
    *out = id != NULL ? sl_text_fmt("%s%s%s", k->path, id, k->behind) : sl_text_fmt("%s", k->path);
    return *out != NULL ? SL_OK : sl_fail_nomem(err);
}

sl_status sl_errand_start(sl_core *core, const sl_json *in, sl_id *op, sl_error **err)
{
    const kind *k = find_kind(sl_json_str(in, "do"));
    if (k == NULL) {
        return sl_fail_field(err, SL_E_INVALID, "do", "there is no such thing to be done");
    }
    if (k->signed_in && !core->session.have) {
        return sl_fail(err, SL_E_AUTH, "nobody is signed in");
    }
    sl_errand *e = sl_mem(sizeof *e);
    if (e == NULL) {
        return sl_fail_nomem(err);
    }
    sl_status status = write_body(k, in, &e->body, err);
    if (status == SL_OK) {
        status = write_path(k, in, &e->path, err);
    }
    e->op = status == SL_OK ? sl_events_op(core->events) : 0;
    if (status == SL_OK && e->op == 0) {
        status = sl_fail_nomem(err);
    }
    if (status != SL_OK) {
        errand_free(e);
        return status;
    }
    e->kind = k;
    e->failures = core->session.refresh_failures;
    e->next = core->errands;
    core->errands = e;
    *op = e->op;
    sl_engine_kick(core);
    return SL_OK;
}

/* ---- the request ---- */

static sl_status send_errand(sl_core *core, const sl_errand *e, sl_call **call)
{
    char *headers =
        e->kind->signed_in
            ? sl_text_fmt("Content-Type: application/json\r\nAuthorization: Bearer %s\r\n",
                          core->session.access)
            : sl_text_dup("Content-Type: application/json\r\n");
    bool post = strcmp(e->kind->method, "POST") == 0;
    sl_http_request request = {.method = e->kind->method,
                               .url = e->path,
                               .headers = headers,
                               .body = post ? (const uint8_t *)e->body : NULL,
                               .body_len = post ? strlen(e->body) : 0};
    sl_status status =
        headers != NULL ? sl_call_start(core, SL_CALL_ERRAND, &request, call) : SL_E_NOMEM;
    sl_mem_free(headers);
    return status;
}

static void fail(sl_core *core, sl_errand *e, sl_status status, const char *why)
{
    sl_events_op_failed(core->events, e->op, status, why);
    take_off(core, e);
}

static void run_one(sl_core *core, sl_errand *e, int64_t now_ms, int64_t *until_ms)
{
    sl_call *call = NULL;
    if (sl_events_op_cancelled(core->events, e->op)) {
        fail(core, e, SL_E_CANCELLED, "cancelled");
        return;
    }
    if (e->kind->signed_in && !core->session.have) {
        fail(core, e, SL_E_AUTH, "signed out");
        return;
    }
    if (e->kind->signed_in && !sl_session_token(core, now_ms, until_ms)) {
        if (core->session.refresh_failures > e->failures) {
            fail(core, e, SL_E_NETWORK, "the server cannot be reached");
        }
        return;
    }
    sl_status status = send_errand(core, e, &call);
    if (status != SL_OK) {
        fail(core, e, status, core->server == NULL ? "no server is set" : "the server is away");
        return;
    }
    call->op = e->op;
}

static bool is_sent(const sl_core *core, const sl_errand *e)
{
    const sl_call *call = core->calls;
    while (call != NULL && (call->kind != SL_CALL_ERRAND || call->op != e->op)) {
        call = call->next;
    }
    return call != NULL;
}

/* Its answer brings a new session, and the server ends the old one before. */
static bool renews(const sl_errand *e)
{
    return strcmp(e->kind->name, "totp_confirm") == 0;
}

bool sl_errand_renews(const sl_core *core)
{
    bool found = false;
    for (const sl_errand *e = core->errands; e != NULL && !found; e = e->next) {
        found = renews(e) && is_sent(core, e);
    }
    return found;
}

int64_t sl_errands_run(sl_core *core, int64_t now_ms)
{
    int64_t until_ms = NOT_YET;
    for (sl_errand *e = core->errands, *next = NULL; e != NULL; e = next) {
        next = e->next;
        if (!is_sent(core, e)) {
            run_one(core, e, now_ms, &until_ms);
        }
    }
    return until_ms;
}

/* ---- the answer ---- */

static bool put_secret(sl_core *core, sl_json *j, const char *name, char *out, size_t n)
{
    uint8_t random[SECRET_LEN];
    sl_buf b = {0};
    bool ok = core->platform.random->fill(core->platform.user, random, sizeof random) == SL_OK;
    sl_base64url(&b, random, sizeof random);
    ok = ok && !b.failed && b.len < n && sl_json_set_str(j, name, sl_buf_text(&b));
    if (ok) {
        memcpy(out, b.data, b.len + 1);
    }
    sl_wipe(random, sizeof random);
    sl_buf_free(&b);
    return ok;
}

static void put_arg(sl_buf *b, const char *name, const char *value)
{
    static const char hex[] = "0123456789ABCDEF";
    sl_buf_fmt(b, "%s=", name);
    for (; *value != 0; value++) {
        unsigned char c = (unsigned char)*value;
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                     strchr("-._~", c) != NULL;
        if (plain) {
            sl_buf_u8(b, c);
        } else {
            sl_buf_u8(b, '%');
            sl_buf_u8(b, (uint8_t)hex[c >> 4]);
            sl_buf_u8(b, (uint8_t)hex[c & 15]);
        }
    }
    sl_buf_u8(b, '&');
}

/* The page to open, and what must be kept until it comes back. */
static sl_json *oidc_start(sl_core *core, const sl_errand *e, const sl_json *about)
{
    char state[64];
    char nonce[64];
    char verifier[64];
    uint8_t hash[SL_SHA256_LEN];
    sl_buf challenge = {0};
    sl_buf url = {0};
    sl_json *asked = sl_json_parse(e->body, strlen(e->body));
    sl_json *j = sl_json_object();
    const char *endpoint = sl_json_str(about, "authorization_endpoint");
    const char *issuer = sl_json_str(about, "issuer");
    const char *client = sl_json_str(about, "client_id");
    const char *scope = sl_json_str(about, "scope");
    const char *redirect = sl_json_str(asked, "redirect_uri");
    bool ok = j != NULL && redirect != NULL && endpoint != NULL && issuer != NULL &&
              client != NULL && scope != NULL &&
              put_secret(core, j, "state", state, sizeof state) &&
              put_secret(core, j, "nonce", nonce, sizeof nonce) &&
              put_secret(core, j, "verifier", verifier, sizeof verifier) &&
              sl_json_set_str(j, "issuer", issuer) && sl_json_set_str(j, "redirect_uri", redirect);
    if (ok) {
        sl_sha256_of(verifier, strlen(verifier), hash);
        sl_base64url(&challenge, hash, sizeof hash);
        sl_buf_fmt(&url, "%s%s", endpoint, strchr(endpoint, '?') != NULL ? "&" : "?");
        put_arg(&url, "response_type", "code");
        put_arg(&url, "client_id", client);
        put_arg(&url, "scope", scope);
        put_arg(&url, "redirect_uri", redirect);
        put_arg(&url, "state", state);
        put_arg(&url, "nonce", nonce);
        put_arg(&url, "code_challenge", sl_buf_text(&challenge));
        sl_buf_str(&url, "code_challenge_method=S256");
        ok = !url.failed && !challenge.failed && sl_json_set_str(j, "url", sl_buf_text(&url));
    }
    sl_buf_free(&challenge);
    sl_buf_free(&url);
    sl_json_free(asked);
    if (!ok) {
        sl_json_free(j);
    }
    return ok ? j : NULL;
}

/* What the answer changes here: a new session, or none any more. */
static sl_status apply_answer(sl_core *core, const sl_errand *e, const sl_json *body,
                              sl_error **err)
{
    if (renews(e)) {
        return sl_session_accept(core, body, err);
    }
    bool over = strcmp(e->kind->name, "logout_all") == 0 || strcmp(e->kind->name, "erase") == 0;
    return over ? sl_session_forget(core, err) : SL_OK;
}

static void done(sl_core *core, const sl_errand *e, sl_json *body)
{
    sl_error *err = NULL;
    sl_status status = apply_answer(core, e, body, &err);
    if (status != SL_OK) {
        sl_events_op_error(core->events, e->op, err);
        return;
    }
    if (strcmp(e->kind->name, "oidc") == 0) {
        sl_json *page = oidc_start(core, e, body);
        if (page == NULL) {
            sl_events_op_failed(core->events, e->op, SL_E_NETWORK,
                                "the server's answer makes no sense");
        } else {
            sl_events_op_done(core->events, e->op, page);
        }
        return;
    }
    sl_json *res = body != NULL ? sl_json_clone(body) : sl_json_object();
    sl_json_remove(res, "access_token");
    sl_json_remove(res, "refresh_token");
    sl_events_op_done(core->events, e->op, res);
}

void sl_errand_answer(sl_core *core, const sl_call *call, sl_status net)
{
    sl_errand *e = core->errands;
    while (e != NULL && e->op != call->op) {
        e = e->next;
    }
    if (e == NULL) {
        return;
    }
    sl_json *body = sl_json_parse(sl_buf_text(&call->body), call->body.len);
    if (sl_events_op_cancelled(core->events, e->op)) {
        sl_events_op_failed(core->events, e->op, SL_E_CANCELLED, "cancelled");
    } else if (net != SL_OK || (!sl_answer_is_word(call, body) && !SL_PLANTED("portal-believed"))) {
        sl_events_op_failed(core->events, e->op, net != SL_OK ? net : SL_E_NETWORK,
                            "the server cannot be reached");
    } else if (call->status < 200 || call->status > 299) {
        sl_events_op_failed(core->events, e->op, sl_session_status_of(call->status),
                            sl_session_sentence_of(body));
    } else {
        done(core, e, body);
    }
    sl_json_free(body);
    take_off(core, e);
}
