/*
 * service/oidc.c - sign-in with another provider (OpenID Connect, authorization code with PKCE).
 *
 * The device makes state, nonce and verifier, opens the provider's page and gets a code; it hands the
 * code and the verifier to us, and we trade them for an ID token, straight at the provider. What the
 * token says is believed because its key is one that the provider publishes:
 *
 *   [OIDC-1] issuer, audience, nonce, times and the RS256 signature are checked, as crypto/jwt.h does;
 *   [OIDC-2] an address that the provider has verified signs in to the account that has it; one that
 *            it has not makes or opens no account; where the account's own address was never proved,
 *            whoever made it may be another: their password and sessions end;
 *   [OIDC-3] unknown keys make us ask for the provider's keys once in REFETCH_MS at most.
 */
#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "crypto/jwt.h"
#include "service/account.h"

#include <ctype.h>
#include <string.h>

enum {
    REFETCH_MS = 30000,
    FRESH_MS = 3600000
};

struct sl_sv_oidc {
    sl_json *about; /* the discovery document; NULL: not fetched */
    sl_json *keys;  /* the JWKS */
    int64_t about_ms;
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

/* Fetches without the lock; whoever comes second finds what the first one fetched. */
static sl_status refresh_about(sl_service *s)
{
    int64_t now = sl_sv_now(s);
    sl_lock(s->lock);
    if (s->oidc == NULL) {
        s->oidc = sl_mem(sizeof *s->oidc);
    }
    bool have = s->oidc != NULL && s->oidc->about != NULL && now - s->oidc->about_ms < FRESH_MS;
    bool failed = s->oidc == NULL;
    sl_unlock(s->lock);
    if (have || failed) {
        return have ? SL_OK : SL_E_NOMEM;
    }
    sl_json *about = NULL;
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

static void put_form(sl_buf *b, const char *name, const char *value)
{
    static const char hex[] = "0123456789ABCDEF";
    sl_buf_fmt(b, "%s%s=", b->len > 0 ? "&" : "", name);
    for (; *value != 0; value++) {
        unsigned char c = (unsigned char)*value;
        if (isalnum(c) || strchr("-._~", c) != NULL) {
            sl_buf_u8(b, c);
        } else {
            sl_buf_u8(b, '%');
            sl_buf_u8(b, (uint8_t)hex[c >> 4]);
            sl_buf_u8(b, (uint8_t)hex[c & 15]);
        }
    }
}

/* The provider's answer to the code. SL_E_AUTH: it refuses. */
static sl_status trade(sl_sv_request *r, sl_json **tokens)
{
    static const char *const names[] = {"code", "redirect_uri"};
    sl_service *s = r->s;
    sl_buf form = {0};
    put_form(&form, "grant_type", "authorization_code");
    put_form(&form, "client_id", s->oidc_client);
    put_form(&form, "code_verifier", sl_json_str(r->body, "verifier"));
    for (size_t i = 0; i < 2; i++) {
        put_form(&form, names[i], sl_json_str(r->body, names[i]));
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

static sl_json *find_jwk(sl_service *s, const char *kid)
{
    sl_json *found = NULL;
    sl_lock(s->lock);
    const sl_json *keys = s->oidc != NULL ? sl_json_get(s->oidc->keys, "keys") : NULL;
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
    bool due = s->oidc != NULL && (s->oidc->keys == NULL || now - s->oidc->keys_ms >= REFETCH_MS);
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
    if (!sl_jwt_key_id(token, strlen(token), kid, sizeof kid)) {
        return SL_E_AUTH;
    }
    sl_json *jwk = find_jwk(s, kid);
    if (jwk == NULL) {
        refetch_keys(s);
        jwk = find_jwk(s, kid);
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

/* ---- the account ---- */

static bool has_factor(const sl_json *claims)
{
    const sl_json *amr = sl_json_get(claims, "amr");
    for (const sl_json *m = sl_json_first(amr); m != NULL; m = sl_json_next(m)) {
        const char *way = sl_json_text(m);
        if (way != NULL && (strcmp(way, "otp") == 0 || strcmp(way, "mfa") == 0)) {
            return true;
        }
    }
    return false;
}

typedef struct arrival {
    sl_sv_account a;
    char external[256];
    const char *email;
    const char *name;
    bool verified;
    bool refused;
    bool taken; /* from somebody who had not proved the address */
} arrival;

static sl_status make_new(sl_sv_tx *tx, arrival *x, sl_error **err)
{
    sl_sv_account *a = &x->a;
    a->email = sl_text_dup(x->email);
    a->name = sl_text_ndup(x->name, strnlen(x->name, 100));
    a->hash = sl_text_dup("-"); /* no password is right */
    if (a->email == NULL || a->name == NULL || a->hash == NULL) {
        return sl_fail_nomem(err);
    }
    sl_sv_copy(a->rank.role, sizeof a->rank.role, "athlete");
    sl_sv_copy(a->external, sizeof a->external, x->external);
    a->verified = true;
    return sl_sv_account_make(tx, a, err);
}

/* [OIDC-2] */
static sl_status link_account(sl_sv_tx *tx, arrival *x, sl_error **err)
{
    const sl_sv_account *a = &x->a;
    sl_status status = SL_OK;
    if (!a->verified) {
        status =
            sl_sv_run(tx->s, "UPDATE account SET hash='-', totp=NULL, totp_step=NULL WHERE id=$1",
                      SL_SV_ARGS(sl_cell_text(a->id)), err);
        status = status == SL_OK ? sl_sv_sessions_end(tx->s, a->id, err) : status;
        x->taken = true;
    }
    return status == SL_OK
               ? sl_sv_run(tx->s, "UPDATE account SET external=$1, verified_ms=$2 WHERE id=$3",
                           SL_SV_ARGS(sl_cell_text(x->external), sl_cell_int(tx->now_ms),
                                      sl_cell_text(a->id)),
                           err)
               : status;
}

static sl_status arrive(sl_sv_tx *tx, void *ctx, sl_error **err)
{
    arrival *x = ctx;
    sl_sv_account *a = &x->a;
    sl_status status = sl_sv_account_load(tx->s, "external", x->external, a, err);
    if (status == SL_OK && !a->found && !x->verified) {
        x->refused = true;
        return SL_OK;
    }
    if (status == SL_OK && !a->found) {
        status = sl_sv_account_load(tx->s, "email", x->email, a, err);
        if (status == SL_OK && a->found) {
            status = link_account(tx, x, err);
        } else if (status == SL_OK) {
            status = make_new(tx, x, err);
        }
    }
    return status == SL_OK && a->status[0] == 0 ? sl_sv_session_new(tx, a, err) : status;
}

/* What the claims say, as far as it is needed. The e-mail address is sl_mem text. */
static bool read_claims(sl_service *s, const sl_json *claims, arrival *x, char **email)
{
    const char *sub = sl_json_str(claims, "sub");
    const char *given = sl_json_str(claims, "email");
    const char *name = sl_json_str(claims, "name");
    size_t room = sizeof x->external - 1;
    if (sub == NULL || strlen(s->oidc_issuer) + strlen(sub) + 1 > room) {
        return false;
    }
    sl_sv_copy(x->external, sizeof x->external, s->oidc_issuer);
    size_t n = strlen(x->external);
    x->external[n] = '|';
    sl_sv_copy(x->external + n + 1, sizeof x->external - n - 1, sub);
    *email = given != NULL && strlen(given) <= 254 ? sl_text_dup(given) : NULL;
    for (char *p = *email; p != NULL && *p != 0; p++) {
        *p = (char)tolower((unsigned char)*p);
    }
    x->verified = *email != NULL && sl_json_bool_or(claims, "email_verified", false);
    x->email = *email;
    x->name = name != NULL && name[0] != 0 ? name : *email;
    x->a.factor = has_factor(claims);
    return true;
}

static void finish(sl_sv_request *r, arrival *x, const sl_json *claims, sl_http_out *out)
{
    const char *nonce = sl_json_str(claims, "nonce");
    char *email = NULL;
    bool ok = nonce != NULL && strcmp(nonce, sl_json_str(r->body, "nonce")) == 0 &&
              read_claims(r->s, claims, x, &email);
    bool factor = x->a.factor;
    sl_status status = ok ? sl_sv_locked_change(r->s, arrive, x) : (sl_status)SL_E_AUTH;
    x->a.factor = factor;
    if (status == SL_OK && x->taken) {
        sl_lock(r->s->lock);
        sl_sv_drop_user(r->s, x->a.id);
        sl_unlock(r->s->lock);
    }
    if (status == SL_E_AUTH) {
        sl_sv_refuse(out, 401, "unauthorized", "Invalid token");
    } else if (status != SL_OK) {
        sl_sv_broken(out, status);
    } else if (x->refused) {
        sl_sv_refuse(out, 403, "forbidden", "the provider has not verified the e-mail address");
    } else if (sl_sv_account_open(&x->a, out)) {
        sl_sv_session_answer(r->s, &x->a, 200, NULL, out);
    }
    sl_mem_free(email);
}

void sl_sv_oidc_login(sl_sv_request *r, sl_http_out *out)
{
    static const char *const needed[] = {"code", "verifier", "nonce", "redirect_uri"};
    arrival x = {.refused = false};
    sl_json *tokens = NULL;
    sl_json *claims = NULL;
    if (!is_on(r->s, out) || !sl_sv_take_device(r->body, &x.a, out)) {
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
        finish(r, &x, claims, out);
    }
    sl_json_free(claims);
    sl_json_free(tokens);
    sl_sv_account_free(&x.a);
}
