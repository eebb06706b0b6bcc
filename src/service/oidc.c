/*
 * service/oidc.c - sign-in with another provider (OpenID Connect, authorization code with PKCE).
 *
 * The device makes state, nonce and verifier, opens the provider's page and gets a code; it hands the
 * code and the verifier to us, and we trade them for an ID token, straight at the provider. What the
 * token says is believed because its key is one that the provider publishes:
 *
 *   [OIDC-1] issuer, audience, nonce, times and the RS256 signature are checked, as crypto/jwt.h does;
 *   [OIDC-3] unknown keys make us ask for the provider's keys once in REFETCH_MS at most; a provider
 *            that did not say where it is, is asked again after AWAY_MS.
 *
 * Whose account it is, and what is still missing to sign in to it: arrive.c.
 */
#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "crypto/jwt.h"
#include "service/account.h"
#include "service/ask.h"

#include <string.h>

enum {
    REFETCH_MS = 30000,
    AWAY_MS = 5000, /* as Retry-After says */
    FRESH_MS = 3600000
};

struct sl_sv_oidc {
    sl_json *about; /* the discovery document; NULL: not fetched */
    sl_json *keys;  /* the JWKS */
    int64_t about_ms;
    int64_t away_ms; /* when that could not be fetched; 0: it could */
    int64_t keys_ms;
};

void sl_sv_oidc_free(sl_service *s)
{
    if (s->oidc != NULL) {
        sl_json_free(s->oidc->about);
        sl_json_free(s->oidc->keys);
        sl_mem_free(s->oidc);
        s->oidc = NULL;
    }
}

static sl_status fetch_json(sl_service *s, const char *url, const char *form, sl_json **out)
{
    sl_bytes *page = NULL;
    *out = NULL;
    sl_status status = url != NULL ? s->ports.fetch(s->ports.user, url, form, &page, NULL)
                                   : (sl_status)SL_E_NETWORK;
    if (status == SL_OK) {
        *out = sl_json_parse((const char *)sl_bytes_data(page), sl_bytes_len(page));
        status = sl_json_is_object(*out) ? SL_OK : SL_E_NETWORK;
    }
    sl_bytes_release(page);
    return status;
}

static bool is_within(int64_t at_ms, int64_t now_ms, int64_t span_ms)
{
    return at_ms > 0 && now_ms >= at_ms && now_ms - at_ms < span_ms;
}

/* What is known already: SL_OK, a failure that is remembered, or SL_E_NOT_FOUND: ask. */
static sl_status known_about(sl_service *s, int64_t now_ms)
{
    sl_lock(s->lock);
    if (s->oidc == NULL) {
        s->oidc = sl_mem(sizeof *s->oidc);
    }
    const sl_sv_oidc *o = s->oidc;
    sl_status status = SL_E_NOT_FOUND;
    if (o == NULL) {
        status = SL_E_NOMEM;
    } else if (o->about != NULL && is_within(o->about_ms, now_ms, FRESH_MS)) {
        status = SL_OK;
    } else if (is_within(o->away_ms, now_ms, AWAY_MS)) {
        status = SL_E_NETWORK;
    }
    sl_unlock(s->lock);
    return status;
}

/* Fetches without the lock; whoever comes second finds what the first one fetched. */
static sl_status refresh_about(sl_service *s)
{
    int64_t now = sl_sv_now(s);
    sl_json *about = NULL;
    sl_status known = known_about(s, now);
    if (known != SL_E_NOT_FOUND) {
        return known;
    }
    size_t n = strlen(s->oidc_issuer);
    bool slash = n > 0 && s->oidc_issuer[n - 1] == '/';
    char *url =
        sl_text_fmt("%s%s.well-known/openid-configuration", s->oidc_issuer, slash ? "" : "/");
    sl_status status = fetch_json(s, url, NULL, &about);
    const char *issuer = sl_json_str(about, "issuer");
    if (status == SL_OK && (issuer == NULL || strcmp(issuer, s->oidc_issuer) != 0)) {
        status = SL_E_NETWORK; /* it speaks for another */
    }
    sl_mem_free(url);
    sl_lock(s->lock);
    if (status == SL_OK) {
        sl_json_free(s->oidc->about);
        s->oidc->about = about;
        s->oidc->about_ms = now;
        about = NULL;
    }
    s->oidc->away_ms = status == SL_OK ? 0 : now;
    sl_unlock(s->lock);
    sl_json_free(about);
    return status;
}

/* A member of the discovery document, sl_mem text; NULL when absent. */
static char *about_text(sl_service *s, const char *name)
{
    sl_lock(s->lock);
    const char *v = s->oidc != NULL ? sl_json_str(s->oidc->about, name) : NULL;
    char *copy = v != NULL ? sl_text_dup(v) : NULL;
    sl_unlock(s->lock);
    return copy;
}

/* ---- where to go ---- */

static bool is_on(const sl_service *s, sl_http_out *out)
{
    bool on = s->ports.fetch != NULL && s->oidc_issuer != NULL && s->oidc_client != NULL;
    if (!on) {
        sl_sv_refuse(out, 404, "not_found", "there is no other provider of sign-in");
    }
    return on;
}

static void away(sl_http_out *out)
{
    sl_sv_refuse(out, 503, "unavailable", "the provider of sign-in does not answer");
    sl_sv_header(out, "Retry-After", "5");
}

void sl_sv_oidc_about(sl_sv_request *r, sl_http_out *out)
{
    sl_service *s = r->s;
    if (!is_on(s, out)) {
        return;
    }
    sl_status status = refresh_about(s);
    char *endpoint = status == SL_OK ? about_text(s, "authorization_endpoint") : NULL;
    if (endpoint == NULL) {
        away(out);
        return;
    }
    sl_json *j = sl_json_object();
    bool ok = j != NULL && sl_json_set_str(j, "issuer", s->oidc_issuer) &&
              sl_json_set_str(j, "authorization_endpoint", endpoint) &&
              sl_json_set_str(j, "client_id", s->oidc_client) &&
              sl_json_set_str(j, "scope", "openid email profile");
    sl_mem_free(endpoint);
    if (!ok) {
        sl_json_free(j);
        j = NULL;
    }
    sl_sv_answer(out, 200, j);
}

/* ---- the code ---- */

/* The provider's answer to the code. SL_E_AUTH: it refuses. */
static sl_status trade(sl_sv_request *r, sl_json **tokens)
{
    static const char *const names[] = {"code", "redirect_uri"};
    sl_service *s = r->s;
    sl_buf form = {0};
    sl_sv_form_put(&form, "grant_type", "authorization_code");
    sl_sv_form_put(&form, "client_id", s->oidc_client);
    sl_sv_form_put(&form, "code_verifier", sl_json_str(r->body, "verifier"));
    for (size_t i = 0; i < 2; i++) {
        sl_sv_form_put(&form, names[i], sl_json_str(r->body, names[i]));
    }
    char *url = about_text(s, "token_endpoint");
    sl_status status = form.failed ? SL_E_NOMEM : fetch_json(s, url, sl_buf_text(&form), tokens);
    sl_mem_free(url);
    sl_buf_free(&form);
    if (status == SL_OK && sl_json_str(*tokens, "id_token") == NULL) {
        status = SL_E_AUTH;
    }
    return status;
}

/* ---- the token ---- */

/* *away: no keys are known at all. */
static sl_json *find_jwk(sl_service *s, const char *kid, bool *away)
{
    sl_json *found = NULL;
    sl_lock(s->lock);
    const sl_json *keys = s->oidc != NULL ? sl_json_get(s->oidc->keys, "keys") : NULL;
    *away = keys == NULL;
    for (const sl_json *k = sl_json_first(keys); found == NULL && k != NULL; k = sl_json_next(k)) {
        const char *id = sl_json_str(k, "kid");
        const char *kty = sl_json_str(k, "kty");
        if (id != NULL && kty != NULL && strcmp(id, kid) == 0 && strcmp(kty, "RSA") == 0) {
            found = sl_json_clone(k);
        }
    }
    sl_unlock(s->lock);
    return found;
}

/* [OIDC-3] */
static void refetch_keys(sl_service *s)
{
    int64_t now = sl_sv_now(s);
    sl_lock(s->lock);
    bool due = s->oidc != NULL && !is_within(s->oidc->keys_ms, now, REFETCH_MS);
    if (due) {
        s->oidc->keys_ms = now;
    }
    sl_unlock(s->lock);
    char *url = due ? about_text(s, "jwks_uri") : NULL;
    sl_json *keys = NULL;
    if (url != NULL && fetch_json(s, url, NULL, &keys) == SL_OK) {
        sl_lock(s->lock);
        sl_json_free(s->oidc->keys);
        s->oidc->keys = keys;
        keys = NULL;
        sl_unlock(s->lock);
    }
    sl_json_free(keys);
    sl_mem_free(url);
}

static sl_status check_token(sl_service *s, const char *token, sl_json **claims)
{
    char kid[256];
    sl_key *key = NULL;
    bool away = false;
    if (!sl_jwt_key_id(token, strlen(token), kid, sizeof kid)) {
        return SL_E_AUTH;
    }
    sl_json *jwk = find_jwk(s, kid, &away);
    if (jwk == NULL) {
        refetch_keys(s);
        jwk = find_jwk(s, kid, &away);
    }
    if (away) {
        return SL_E_NETWORK;
    }
    sl_jwt_rules rules = {.iss = s->oidc_issuer,
                          .aud = s->oidc_client,
                          .now_s = sl_sv_now(s) / 1000,
                          .skew_s = SL_JWT_SKEW_MAX_S,
                          .identity = true,
                          .kid = kid};
    sl_status status = jwk != NULL ? sl_key_from_jwk(jwk, &key, NULL) : (sl_status)SL_E_AUTH;
    if (status == SL_OK) {
        status = sl_jwt_verify(key, token, strlen(token), &rules, claims, NULL);
    }
    sl_key_free(key);
    sl_json_free(jwk);
    return status == SL_E_NOMEM || status == SL_OK ? status : SL_E_AUTH;
}

/* ---- the request ---- */

void sl_sv_oidc_login(sl_sv_request *r, sl_http_out *out)
{
    static const char *const needed[] = {"code", "verifier", "nonce", "redirect_uri"};
    sl_sv_id device;
    sl_json *tokens = NULL;
    sl_json *claims = NULL;
    if (!is_on(r->s, out) || !sl_sv_take_device(r->body, device, out)) {
        return;
    }
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        if (sl_sv_need(r->body, needed[i], 1, 2000, out) == NULL) {
            return;
        }
    }
    sl_status status = refresh_about(r->s);
    if (status == SL_OK) {
        status = trade(r, &tokens);
    }
    if (status == SL_OK) {
        status = check_token(r->s, sl_json_str(tokens, "id_token"), &claims);
    }
    if (status == SL_E_AUTH) {
        sl_sv_refuse(out, 401, "unauthorized", "Invalid token");
    } else if (status != SL_OK) {
        away(out);
    } else {
        sl_sv_arrive(r, claims, device, out);
    }
    sl_json_free(claims);
    sl_json_free(tokens);
}
