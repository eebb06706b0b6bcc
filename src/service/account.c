/*
 * service/account.c - accounts, sessions and tokens.
 *
 *   [AUTH-1] the answer to a sign-in that fails is the same, and as slow, whether the account
 *            exists or not;
 *   [AUTH-2] a refresh token serves once: when it comes again its session ends, with all
 *            tokens and connections;
 *   [AUTH-3] secrets are kept as hashes only: passwords bcrypt over HMAC-SHA256, refresh
 *            tokens SHA-256.
 */
#include "base/base64.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "crypto/hash.h"
#include "crypto/jwt.h"
#include "service/inside.h"

#include <ctype.h>
#include <string.h>

enum {
    TOKEN_S = 3600,
    TRIES_MAX = 5,
    TRIES_MS = 60000,
    PASSWORD_MIN = 10,
    PASSWORD_MAX = 200,
    PEPPER_LEN = 32,
    SECRET_LEN = 32
};
static const int64_t REFRESH_MS = INT64_C(30) * 86400 * 1000;
static const char ISSUER[] = "sidelined";
static const char AUDIENCE[] = "sideline";

/* ---- keys ---- */

static sl_status start_key(sl_service *s, const char *given, sl_error **err)
{
    const sl_platform *p = s->ports.platform;
    char *pem = NULL;
    sl_status status = given == NULL ? sl_sv_meta_get(s, "key_pem", &pem, err) : SL_OK;
    if (status == SL_OK && (given != NULL || pem != NULL)) {
        const char *text = given != NULL ? given : pem;
        status = sl_key_from_pem(text, strlen(text), p->random->fill, p->user, &s->key, err);
        if (status == SL_OK && !sl_key_is_private(s->key)) {
            status = sl_fail(err, SL_E_INVALID, "the key that signs tokens must be a private one");
        }
    } else if (status == SL_OK) {
        status = sl_key_generate(SL_KEY_BITS_MIN, p->random->fill, p->user, &s->key, err);
        if (status == SL_OK) {
            status = sl_key_to_pem(s->key, &pem, err);
        }
        if (status == SL_OK) {
            status = sl_sv_meta_set(s, "key_pem", pem, err);
        }
    }
    if (pem != NULL) {
        sl_wipe(pem, strlen(pem));
    }
    sl_mem_free(pem);
    return status;
}

static sl_status start_pepper(sl_service *s, sl_error **err)
{
    char *hex = NULL;
    sl_status status = sl_sv_meta_get(s, "pepper", &hex, err);
    if (status == SL_OK && hex != NULL) {
        status = strlen(hex) == (size_t)2 * PEPPER_LEN && sl_hex_decode(s->pepper, PEPPER_LEN, hex)
                     ? SL_OK
                     : sl_fail(err, SL_E_CORRUPT, "the server's secret cannot be read");
    } else if (status == SL_OK) {
        char text[2 * PEPPER_LEN + 1];
        status = sl_sv_random(s, s->pepper, PEPPER_LEN, err);
        sl_hex(text, s->pepper, PEPPER_LEN);
        if (status == SL_OK) {
            status = sl_sv_meta_set(s, "pepper", text, err);
        }
        sl_wipe(text, sizeof text);
    }
    sl_mem_free(hex);
    return status;
}

static sl_status start_secrets(sl_sv_tx *tx, void *ctx, sl_error **err)
{
    sl_key_free(tx->s->key);
    tx->s->key = NULL;
    sl_status status = start_pepper(tx->s, err);
    return status == SL_OK ? start_key(tx->s, ctx, err) : status;
}

/* What goes to bcrypt, which reads 72 bytes at most: 44 characters for a password of any length. */
static char *prehash(const sl_service *s, const char *password)
{
    uint8_t mac[SL_SHA256_LEN];
    sl_buf b = {0};
    sl_hmac_sha256(s->pepper, PEPPER_LEN, password, strlen(password), mac);
    sl_base64(&b, mac, sizeof mac);
    char *text = b.failed ? NULL : sl_text_dup(sl_buf_text(&b));
    sl_wipe(mac, sizeof mac);
    sl_buf_free(&b);
    return text;
}

static sl_status hash_password(sl_service *s, const char *password, char **hash, sl_error **err)
{
    *hash = NULL;
    char *secret = prehash(s, password);
    sl_status status = secret != NULL ? s->ports.hash_password(s->ports.user, secret, hash, err)
                                      : sl_fail_nomem(err);
    sl_mem_free(secret);
    return status;
}

sl_status sl_sv_account_start(sl_service *s, const char *key_pem, sl_error **err)
{
    char *pem = key_pem != NULL ? sl_text_dup(key_pem) : NULL;
    if (key_pem != NULL && pem == NULL) {
        return sl_fail_nomem(err);
    }
    sl_status status = sl_sv_change(s, start_secrets, pem, err);
    sl_mem_free(pem);
    return status == SL_OK ? hash_password(s, "nobody has this password", &s->no_hash, err)
                           : status;
}

/* ---- tokens ---- */

static sl_status session_alive(sl_service *s, const sl_sv_who *who, sl_error **err)
{
    sl_sv_rows rows;
    sl_status status = sl_sv_all(
        s, "SELECT id FROM session WHERE id=$1 AND user_id=$2 AND device=$3",
        SL_SV_ARGS(sl_sv_t(who->session), sl_sv_t(who->user), sl_sv_t(who->device)), &rows, err);
    if (status == SL_OK && rows.count == 0) {
        status = sl_fail(err, SL_E_AUTH, "the session has ended");
    }
    sl_sv_rows_free(&rows);
    return status;
}

static bool take_id(sl_sv_id out, const sl_json *claims, const char *name)
{
    const char *v = sl_json_str(claims, name);
    if (!sl_uuid_ok(v)) {
        return false;
    }
    memcpy(out, v, sizeof(sl_sv_id));
    return true;
}

sl_status sl_sv_token_check(sl_service *s, const char *token, sl_sv_who *who, sl_error **err)
{
    memset(who, 0, sizeof *who);
    sl_jwt_rules rules = {ISSUER, AUDIENCE, sl_sv_now(s) / 1000, SL_JWT_SKEW_MAX_S};
    sl_json *claims = NULL;
    sl_status status = sl_jwt_verify(s->key, token, strlen(token), &rules, &claims, err);
    if (status != SL_OK) {
        return status;
    }
    bool ok = take_id(who->user, claims, "sub") && take_id(who->device, claims, "device") &&
              take_id(who->session, claims, "sid") && sl_json_int(claims, "exp", &who->exp_s);
    sl_json_free(claims);
    /* The skew is for other clocks; these tokens are our own. */
    if (!ok || who->exp_s <= rules.now_s) {
        return sl_fail(err, SL_E_AUTH, "the token has expired");
    }
    return session_alive(s, who, err);
}

typedef struct account {
    sl_sv_id id;
    sl_sv_id device;
    sl_sv_id session;
    char *email;
    char *name;
    char *role;
    char *hash;
    char refresh[64];
    int64_t now_ms;
    int64_t wait_s; /* above 0: too many tries */
    bool found;
    bool replay;
} account;

static void account_free(account *a)
{
    sl_mem_free(a->email);
    sl_mem_free(a->name);
    sl_mem_free(a->role);
    sl_mem_free(a->hash);
    sl_wipe(a, sizeof *a);
}

static sl_json *make_claims(const account *a, const char *jti)
{
    sl_json *j = sl_json_object();
    sl_json *amr = sl_json_array();
    int64_t now = a->now_ms / 1000;
    bool ok = amr != NULL && sl_json_add_str(amr, "pwd");
    ok = j != NULL && sl_json_set_str(j, "iss", ISSUER) && sl_json_set_str(j, "aud", AUDIENCE) &&
         sl_json_set_str(j, "sub", a->id) && sl_json_set_str(j, "role", a->role) &&
         sl_json_set_str(j, "device", a->device) && sl_json_set_str(j, "sid", a->session) &&
         sl_json_set_int(j, "iat", now) && sl_json_set_int(j, "exp", now + TOKEN_S) &&
         sl_json_set_str(j, "jti", jti) && ok;
    if (ok) {
        ok = sl_json_set(j, "amr", amr);
        amr = NULL;
    }
    sl_json_free(amr);
    if (!ok) {
        sl_json_free(j);
        return NULL;
    }
    return j;
}

static char *make_token(sl_service *s, const account *a)
{
    const sl_platform *p = s->ports.platform;
    sl_sv_id jti;
    char *text = NULL;
    if (sl_sv_uuid(s, jti, NULL) != SL_OK) {
        return NULL;
    }
    sl_json *claims = make_claims(a, jti);
    if (claims != NULL) {
        (void)sl_jwt_sign(s->key, p->random->fill, p->user, claims, &text, NULL);
    }
    sl_json_free(claims);
    return text;
}

static sl_json *user_json(const account *a)
{
    sl_json *user = sl_json_object();
    if (user == NULL || !sl_json_set_str(user, "id", a->id) ||
        !sl_json_set_str(user, "email", a->email) || !sl_json_set_str(user, "name", a->name) ||
        !sl_json_set_str(user, "role", a->role)) {
        sl_json_free(user);
        return NULL;
    }
    return user;
}

static void answer_session(sl_service *s, const account *a, int32_t status, sl_http_out *out)
{
    sl_lock(s->lock);
    char *token = make_token(s, a);
    sl_unlock(s->lock);
    sl_json *j = sl_json_object();
    bool ok = token != NULL && j != NULL && sl_json_set(j, "user", user_json(a)) &&
              sl_json_set_str(j, "access_token", token) &&
              sl_json_set_int(j, "expires_in", TOKEN_S) &&
              sl_json_set_str(j, "refresh_token", a->refresh);
    sl_mem_free(token);
    if (!ok) {
        sl_json_free(j);
        j = NULL;
    }
    sl_sv_answer(out, status, j);
}

/* ---- sessions ---- */

static void refresh_hash(const char *token, char hex[SL_SHA256_HEX_LEN + 1])
{
    sl_sha256_hex(token, strlen(token), hex);
}

static sl_status new_refresh(sl_sv_tx *tx, account *a, sl_error **err)
{
    uint8_t secret[SECRET_LEN];
    char hex[SL_SHA256_HEX_LEN + 1];
    sl_buf b = {0};
    sl_status status = sl_sv_random(tx->s, secret, sizeof secret, err);
    if (status != SL_OK) {
        return status;
    }
    sl_base64url(&b, secret, sizeof secret);
    sl_wipe(secret, sizeof secret);
    if (b.failed || b.len >= sizeof a->refresh) {
        sl_buf_free(&b);
        return sl_fail_nomem(err);
    }
    memcpy(a->refresh, b.data, b.len);
    a->refresh[b.len] = 0;
    sl_wipe(b.data, b.len);
    sl_buf_free(&b);
    refresh_hash(a->refresh, hex);
    a->now_ms = tx->now_ms;
    return sl_sv_run(
        tx->s, "INSERT INTO refresh (hash, session_id, spent, expires_ms) VALUES ($1, $2, 0, $3)",
        SL_SV_ARGS(sl_sv_t(hex), sl_sv_t(a->session), sl_sv_i(tx->now_ms + REFRESH_MS)), err);
}

static sl_status end_session(sl_service *s, const char *session, sl_error **err)
{
    sl_status status =
        sl_sv_run(s, "DELETE FROM refresh WHERE session_id=$1", SL_SV_ARGS(sl_sv_t(session)), err);
    return status == SL_OK
               ? sl_sv_run(s, "DELETE FROM session WHERE id=$1", SL_SV_ARGS(sl_sv_t(session)), err)
               : status;
}

/* A device has one session: an older one ends. */
static sl_status new_session(sl_sv_tx *tx, account *a, sl_error **err)
{
    sl_sv_rows rows;
    sl_status status = sl_sv_all(tx->s, "SELECT id FROM session WHERE user_id=$1 AND device=$2",
                                 SL_SV_ARGS(sl_sv_t(a->id), sl_sv_t(a->device)), &rows, err);
    for (size_t i = 0; status == SL_OK && i < rows.count; i++) {
        status = end_session(tx->s, sl_sv_text(&rows, i, 0), err);
    }
    sl_sv_rows_free(&rows);
    if (status == SL_OK) {
        status = sl_sv_uuid(tx->s, a->session, err);
    }
    if (status == SL_OK) {
        status = sl_sv_run(
            tx->s, "INSERT INTO session (id, user_id, device, created_ms) VALUES ($1, $2, $3, $4)",
            SL_SV_ARGS(sl_sv_t(a->session), sl_sv_t(a->id), sl_sv_t(a->device),
                       sl_sv_i(tx->now_ms)),
            err);
    }
    return status == SL_OK ? new_refresh(tx, a, err) : status;
}

/* ---- requests ---- */

/* A text member within its limits; NULL: the answer is made. */
static const char *need(const sl_json *j, const char *field, size_t min, size_t max,
                        sl_http_out *out)
{
    const char *v = sl_json_str(j, field);
    size_t n = v != NULL ? sl_utf8_count(v, strlen(v)) : 0;
    if (v == NULL || n < min || n > max) {
        char *text = v == NULL ? sl_text_fmt("%s is required", field)
                               : sl_text_fmt("%s must have %zu to %zu characters", field, min, max);
        sl_sv_invalid(out, field, text != NULL ? text : "is not valid");
        sl_mem_free(text);
        return NULL;
    }
    return v;
}

static sl_json *read_body(const sl_http_in *in, sl_http_out *out)
{
    sl_json *j = in->body != NULL ? sl_json_parse((const char *)in->body, in->body_len) : NULL;
    if (in->cut || !sl_json_is_object(j)) {
        sl_json_free(j);
        sl_sv_refuse(out, 400, "bad_request", "the body must be a JSON object");
        return NULL;
    }
    return j;
}

static bool take_device(const sl_json *j, account *a, sl_http_out *out)
{
    if (take_id(a->device, j, "device")) {
        return true;
    }
    sl_sv_invalid(out, "device", "device must be a UUID");
    return false;
}

static bool email_ok(const char *email)
{
    const char *at = strchr(email, '@');
    if (at == NULL || at == email || at[1] == 0 || strchr(at + 1, '@') != NULL ||
        strlen(email) > 254) {
        return false;
    }
    for (const char *p = email; *p != 0; p++) {
        if ((unsigned char)*p <= ' ' || *p == 0x7f) {
            return false;
        }
    }
    return true;
}

/* Lower case; NULL: the answer is made. */
static char *take_email(const sl_json *j, sl_http_out *out)
{
    const char *given = need(j, "email", 3, 254, out);
    if (given == NULL) {
        return NULL;
    }
    if (!email_ok(given)) {
        sl_sv_invalid(out, "email", "this is not an e-mail address");
        return NULL;
    }
    char *email = sl_text_dup(given);
    for (char *p = email; p != NULL && *p != 0; p++) {
        *p = (char)tolower((unsigned char)*p);
    }
    if (email == NULL) {
        sl_sv_broken(out, SL_E_NOMEM);
    }
    return email;
}

static sl_status make_account(sl_sv_tx *tx, void *ctx, sl_error **err)
{
    account *a = ctx;
    sl_service *s = tx->s;
    sl_sv_rows rows;
    sl_sv_space space;
    sl_sv_item *user = NULL;
    sl_status status = sl_sv_all(s, "SELECT id FROM account WHERE email=$1",
                                 SL_SV_ARGS(sl_sv_t(a->email)), &rows, err);
    a->found = rows.count > 0;
    sl_sv_rows_free(&rows);
    if (status != SL_OK || a->found) {
        return status;
    }
    status = sl_sv_uuid(s, a->id, err);
    if (status == SL_OK) {
        status = sl_sv_run(s,
                           "INSERT INTO account (id, email, name, role, hash, created_ms)"
                           " VALUES ($1, $2, $3, $4, $5, $6)",
                           SL_SV_ARGS(sl_sv_t(a->id), sl_sv_t(a->email), sl_sv_t(a->name),
                                      sl_sv_t(a->role), sl_sv_t(a->hash), sl_sv_i(tx->now_ms)),
                           err);
    }
    sl_space_name(space, "user", a->id);
    if (status == SL_OK) {
        status = sl_sv_space_make(tx, space, err);
    }
    if (status == SL_OK) {
        status = sl_sv_grant(tx, a->id, space, "owner", err);
    }
    if (status == SL_OK) {
        status = sl_sv_new(tx, "user", space, a->id, &user, err);
    }
    if (status == SL_OK) {
        status = sl_sv_set(user, "email", a->email, err);
    }
    if (status == SL_OK) {
        status = sl_sv_set(user, "name", a->name, err);
    }
    if (status == SL_OK) {
        status = sl_sv_set(user, "role", a->role, err);
    }
    return status == SL_OK ? new_session(tx, a, err) : status;
}

static sl_status locked_change(sl_service *s, sl_sv_fn fn, account *a)
{
    sl_lock(s->lock);
    sl_status status = sl_sv_change(s, fn, a, NULL);
    sl_unlock(s->lock);
    return status;
}

/* Reads what a sign-up says; the password is borrowed from j. NULL: the answer is made. */
static const char *read_signup(const sl_json *j, account *a, sl_http_out *out)
{
    a->email = take_email(j, out);
    const char *password =
        a->email != NULL ? need(j, "password", PASSWORD_MIN, PASSWORD_MAX, out) : NULL;
    const char *name = password != NULL ? need(j, "name", 1, 100, out) : NULL;
    if (name == NULL || !take_device(j, a, out)) {
        return NULL;
    }
    if (strlen(name) > 100) {
        sl_sv_invalid(out, "name", "name must have at most 100 bytes");
        return NULL;
    }
    const char *role = sl_json_str(j, "role");
    if (role == NULL || (strcmp(role, "athlete") != 0 && strcmp(role, "coach") != 0)) {
        sl_sv_invalid(out, "role", "role must be athlete or coach");
        return NULL;
    }
    a->name = sl_text_dup(name);
    a->role = sl_text_dup(role);
    if (a->name == NULL || a->role == NULL) {
        sl_sv_broken(out, SL_E_NOMEM);
        return NULL;
    }
    return password;
}

void sl_sv_signup(sl_service *s, const sl_http_in *in, sl_http_out *out)
{
    account a = {0};
    sl_json *j = read_body(in, out);
    const char *password = j != NULL ? read_signup(j, &a, out) : NULL;
    if (password != NULL) {
        sl_status status = hash_password(s, password, &a.hash, NULL);
        if (status == SL_OK) {
            status = locked_change(s, make_account, &a);
        }
        if (status != SL_OK) {
            sl_sv_broken(out, status);
        } else if (a.found) {
            sl_sv_refuse(out, 409, "conflict", "this e-mail address has an account");
        } else {
            answer_session(s, &a, 201, out);
        }
    }
    account_free(&a);
    sl_json_free(j);
}

/* Counts the try before the password is looked at, so that tries side by side count too. */
static sl_status count_try(sl_sv_tx *tx, account *a, sl_error **err)
{
    sl_sv_rows rows;
    sl_status status =
        sl_sv_run(tx->s, "DELETE FROM login_try WHERE start_ms<=$1 OR start_ms>$2",
                  SL_SV_ARGS(sl_sv_i(tx->now_ms - TRIES_MS), sl_sv_i(tx->now_ms)), err);
    if (status != SL_OK) {
        return status;
    }
    status = sl_sv_all(tx->s,
                       "INSERT INTO login_try (email, start_ms, tries) VALUES ($1, $2, 1)"
                       " ON CONFLICT (email) DO UPDATE SET tries=login_try.tries+1"
                       " RETURNING tries, start_ms",
                       SL_SV_ARGS(sl_sv_t(a->email), sl_sv_i(tx->now_ms)), &rows, err);
    a->wait_s = 0;
    if (status == SL_OK && rows.count > 0 && sl_sv_int(&rows, 0, 0) > TRIES_MAX) {
        a->wait_s = (sl_sv_int(&rows, 0, 1) + TRIES_MS - tx->now_ms + 999) / 1000;
    }
    sl_sv_rows_free(&rows);
    return status;
}

static sl_status find_account(sl_sv_tx *tx, void *ctx, sl_error **err)
{
    account *a = ctx;
    sl_sv_rows rows;
    sl_status status = count_try(tx, a, err);
    if (status != SL_OK || a->wait_s > 0) {
        return status;
    }
    status = sl_sv_all(tx->s, "SELECT id, name, role, hash FROM account WHERE email=$1",
                       SL_SV_ARGS(sl_sv_t(a->email)), &rows, err);
    if (status == SL_OK && rows.count > 0) {
        sl_mem_free(a->name);
        sl_mem_free(a->role);
        sl_mem_free(a->hash);
        sl_sv_copy(a->id, sizeof a->id, sl_sv_text(&rows, 0, 0));
        a->name = sl_text_dup(sl_sv_text(&rows, 0, 1));
        a->role = sl_text_dup(sl_sv_text(&rows, 0, 2));
        a->hash = sl_text_dup(sl_sv_text(&rows, 0, 3));
        a->found = a->name != NULL && a->role != NULL && a->hash != NULL;
        status = a->found ? SL_OK : sl_fail_nomem(err);
    }
    sl_sv_rows_free(&rows);
    return status;
}

static sl_status let_in(sl_sv_tx *tx, void *ctx, sl_error **err)
{
    account *a = ctx;
    sl_status status = sl_sv_run(tx->s, "DELETE FROM login_try WHERE email=$1",
                                 SL_SV_ARGS(sl_sv_t(a->email)), err);
    return status == SL_OK ? new_session(tx, a, err) : status;
}

static void too_many(sl_http_out *out, int64_t wait_s)
{
    sl_json *j = sl_json_object();
    if (j == NULL || !sl_json_set_str(j, "error", "too_many_requests") ||
        !sl_json_set_str(j, "message", "too many tries; wait a little") ||
        !sl_json_set_int(j, "retry_after", wait_s)) {
        sl_json_free(j);
        j = NULL;
    }
    sl_sv_answer(out, 429, j);
    sl_sv_header_int(out, "Retry-After", wait_s);
}

static void login(sl_service *s, account *a, const char *password, sl_http_out *out)
{
    sl_status status = locked_change(s, find_account, a);
    if (status == SL_OK && a->wait_s > 0) {
        too_many(out, a->wait_s);
        return;
    }
    char *secret = status == SL_OK ? prehash(s, password) : NULL;
    if (secret == NULL) {
        sl_sv_broken(out, status != SL_OK ? status : SL_E_NOMEM);
        return;
    }
    bool right = s->ports.check_password(s->ports.user, secret, a->found ? a->hash : s->no_hash);
    sl_wipe(secret, strlen(secret));
    sl_mem_free(secret);
    if (!right || !a->found) {
        sl_sv_refuse(out, 401, "unauthorized", "Wrong e-mail or password");
        return;
    }
    status = locked_change(s, let_in, a);
    if (status != SL_OK) {
        sl_sv_broken(out, status);
    } else {
        answer_session(s, a, 200, out);
    }
}

void sl_sv_login(sl_service *s, const sl_http_in *in, sl_http_out *out)
{
    account a = {0};
    sl_json *j = read_body(in, out);
    a.email = j != NULL ? take_email(j, out) : NULL;
    const char *password = a.email != NULL ? need(j, "password", 1, SL_SV_BODY_MAX, out) : NULL;
    if (password != NULL && take_device(j, &a, out)) {
        login(s, &a, password, out);
    }
    account_free(&a);
    sl_json_free(j);
}

static sl_status fill_refresh(const sl_sv_rows *rows, account *a, sl_error **err)
{
    account_free(a);
    sl_sv_copy(a->session, sizeof a->session, sl_sv_text(rows, 0, 0));
    sl_sv_copy(a->id, sizeof a->id, sl_sv_text(rows, 0, 3));
    sl_sv_copy(a->device, sizeof a->device, sl_sv_text(rows, 0, 4));
    a->email = sl_text_dup(sl_sv_text(rows, 0, 5));
    a->name = sl_text_dup(sl_sv_text(rows, 0, 6));
    a->role = sl_text_dup(sl_sv_text(rows, 0, 7));
    a->found = a->email != NULL && a->name != NULL && a->role != NULL;
    return a->found ? SL_OK : sl_fail_nomem(err);
}

typedef struct refresh_ctx {
    account a;
    const char *token;
    const char *device;
} refresh_ctx;

/* Commits also when the token is refused: a replay ends the session. */
static sl_status rotate(sl_sv_tx *tx, void *ctx, sl_error **err)
{
    refresh_ctx *r = ctx;
    char hex[SL_SHA256_HEX_LEN + 1];
    sl_sv_rows rows;
    refresh_hash(r->token, hex);
    sl_status status =
        sl_sv_all(tx->s,
                  "SELECT s.id, r.spent, r.expires_ms, s.user_id, s.device, a.email, a.name, a.role"
                  " FROM refresh r JOIN session s ON s.id=r.session_id"
                  " JOIN account a ON a.id=s.user_id WHERE r.hash=$1",
                  SL_SV_ARGS(sl_sv_t(hex)), &rows, err);
    bool found = status == SL_OK && rows.count > 0;
    bool spent = found && sl_sv_int(&rows, 0, 1) != 0;
    bool late = found && sl_sv_int(&rows, 0, 2) <= tx->now_ms;
    if (found) {
        status = fill_refresh(&rows, &r->a, err);
    }
    sl_sv_rows_free(&rows);
    if (status != SL_OK || !found) {
        return status;
    }
    r->a.replay = spent;
    r->a.found = !spent && !late && strcmp(r->a.device, r->device) == 0;
    if (spent) {
        return end_session(tx->s, r->a.session, err);
    }
    if (!r->a.found) {
        return SL_OK;
    }
    status =
        sl_sv_run(tx->s, "UPDATE refresh SET spent=1 WHERE hash=$1", SL_SV_ARGS(sl_sv_t(hex)), err);
    if (status == SL_OK) {
        status = sl_sv_run(tx->s, "DELETE FROM refresh WHERE session_id=$1 AND expires_ms<=$2",
                           SL_SV_ARGS(sl_sv_t(r->a.session), sl_sv_i(tx->now_ms)), err);
    }
    return status == SL_OK ? new_refresh(tx, &r->a, err) : status;
}

void sl_sv_refresh(sl_service *s, const sl_http_in *in, sl_http_out *out)
{
    refresh_ctx r = {.token = NULL};
    sl_json *j = read_body(in, out);
    r.token = j != NULL ? need(j, "refresh_token", 1, 200, out) : NULL;
    if (r.token != NULL && take_device(j, &r.a, out)) {
        r.device = sl_json_str(j, "device");
        sl_lock(s->lock);
        sl_status status = sl_sv_change(s, rotate, &r, NULL);
        if (status == SL_OK && r.a.replay) {
            sl_sv_drop_device(s, r.a.id, r.a.device, NULL, 4401);
        }
        sl_unlock(s->lock);
        if (status != SL_OK) {
            sl_sv_broken(out, status);
        } else if (!r.a.found) {
            sl_sv_refuse(out, 401, "unauthorized", "Sign in again");
        } else {
            answer_session(s, &r.a, 200, out);
        }
    }
    account_free(&r.a);
    sl_json_free(j);
}

void sl_sv_jwks(sl_service *s, sl_http_out *out)
{
    sl_json *j = sl_json_object();
    sl_json *keys = sl_json_array();
    bool ok = keys != NULL && sl_json_add(keys, sl_key_jwk(s->key)) && j != NULL;
    if (ok) {
        ok = sl_json_set(j, "keys", keys);
        keys = NULL;
    }
    sl_json_free(keys);
    if (!ok) {
        sl_json_free(j);
        j = NULL;
    }
    sl_sv_answer(out, 200, j);
    sl_sv_header(out, "Cache-Control", "public, max-age=300");
}
