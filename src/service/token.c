/*
 * service/token.c - the server's secrets, sessions, and the tokens that name them.
 *
 *   [AUTH-2] a refresh token serves once: when it comes again its session ends, with all
 *            tokens and connections;
 *   [AUTH-3] secrets are kept as hashes only: passwords bcrypt over HMAC-SHA256, refresh
 *            tokens SHA-256.
 */
#include "base/base64.h"
#include "base/error.h"
#include "base/mem.h"
#include "crypto/hash.h"
#include "crypto/jwt.h"
#include "service/account.h"

#include <string.h>

enum {
    TOKEN_S = 3600,
    PEPPER_LEN = 32,
    SECRET_LEN = 32,
    SEEN = 1024 /* verified tokens that are remembered */
};
static const int64_t REFRESH_MS = INT64_C(30) * 86400 * 1000;
static const char ISSUER[] = "sidelined";
static const char AUDIENCE[] = "sideline";

/* ---- secrets ---- */

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
    sl_status status = start_pepper(tx->s, err);
    return status == SL_OK ? sl_sv_keys_start(tx->s, ctx, err) : status;
}

/* What goes to bcrypt, which reads 72 bytes at most: 44 characters for a password of any length. */
char *sl_sv_password_prepare(const sl_service *s, const char *password)
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

sl_status sl_sv_password_hash(sl_service *s, const char *password, char **hash, sl_error **err)
{
    *hash = NULL;
    char *secret = sl_sv_password_prepare(s, password);
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
    return status == SL_OK ? sl_sv_password_hash(s, "nobody has this password", &s->no_hash, err)
                           : status;
}

/* ---- tokens ---- */

/* The session is there; what its account is now, whatever the token says. */
static sl_status session_alive(sl_service *s, sl_sv_who *who, sl_error **err)
{
    sl_sv_rows rows;
    sl_status status = sl_sv_all(
        s,
        "SELECT a.role, a.plan, a.plan_until_ms, s.factor FROM session s JOIN account a ON"
        " a.id=s.user_id WHERE s.id=$1 AND s.user_id=$2 AND s.device=$3 AND a.status IS NULL",
        SL_SV_ARGS(sl_cell_text(who->session), sl_cell_text(who->user), sl_cell_text(who->device)),
        &rows, err);
    if (status == SL_OK && rows.count == 0) {
        status = sl_fail(err, SL_E_AUTH, "the session has ended");
    } else if (status == SL_OK) {
        sl_sv_rank_read(&who->rank, &rows, 0, 0);
        who->factor_due = sl_sv_needs_factor(s, who->rank.role) && sl_sv_int(&rows, 0, 3) == 0;
    }
    sl_sv_rows_free(&rows);
    return status;
}

bool sl_sv_needs_factor(const sl_service *s, const char *role)
{
    return s->require_factor && (strcmp(role, "coach") == 0 || strcmp(role, "admin") == 0);
}

bool sl_sv_take_id(sl_sv_id out, const sl_json *claims, const char *name)
{
    const char *v = sl_json_str(claims, name);
    if (!sl_uuid_ok(v)) {
        return false;
    }
    memcpy(out, v, sizeof(sl_sv_id));
    return true;
}

/* ---- tokens that were verified: RSA costs more than all else of a small request ---- */

typedef struct sl_sv_seen {
    uint8_t hash[SL_SHA256_LEN]; /* of the whole token */
    sl_sv_id user;
    sl_sv_id device;
    sl_sv_id session;
    int64_t exp_s; /* 0: nothing is here */
    bool alive;    /* the session, as it was known at the age; and the account */
    bool factor_due;
    uint64_t age;
    sl_sv_rank rank;
} sl_sv_seen;

void sl_sv_tokens_forget(sl_service *s)
{
    sl_mem_free(s->seen);
    s->seen = NULL;
}

/* The place of a token; NULL: there is no memory for any. */
static sl_sv_seen *seen_place(sl_service *s, const uint8_t hash[SL_SHA256_LEN])
{
    if (s->seen == NULL) {
        s->seen = sl_mem_array(SEEN, sizeof *s->seen);
    }
    return s->seen != NULL ? &s->seen[(hash[0] | hash[1] << 8) % SEEN] : NULL;
}

static bool take_seen(const sl_sv_seen *seen, const uint8_t hash[SL_SHA256_LEN], int64_t now_s,
                      sl_sv_who *who)
{
    if (seen == NULL || seen->exp_s <= now_s || !sl_equal_ct(seen->hash, hash, SL_SHA256_LEN)) {
        return false;
    }
    memcpy(who->user, seen->user, sizeof who->user);
    memcpy(who->device, seen->device, sizeof who->device);
    memcpy(who->session, seen->session, sizeof who->session);
    who->exp_s = seen->exp_s;
    return true;
}

/* The session and its account, if nothing that may have changed them has happened since they were read. */
static bool take_alive(const sl_service *s, const sl_sv_seen *seen, sl_sv_who *who)
{
    if (!seen->alive || seen->age != s->known_age) {
        return false;
    }
    who->rank = seen->rank;
    who->factor_due = seen->factor_due;
    return true;
}

static sl_status look_alive(sl_service *s, sl_sv_seen *seen, sl_sv_who *who, sl_error **err)
{
    sl_status status = session_alive(s, who, err);
    if (seen != NULL) {
        seen->alive = status == SL_OK;
        seen->age = s->known_age;
        seen->rank = who->rank;
        seen->factor_due = who->factor_due;
    }
    return status;
}

static void note_seen(sl_sv_seen *seen, const uint8_t hash[SL_SHA256_LEN], const sl_sv_who *who)
{
    if (seen != NULL) {
        memcpy(seen->hash, hash, sizeof seen->hash);
        memcpy(seen->user, who->user, sizeof seen->user);
        memcpy(seen->device, who->device, sizeof seen->device);
        memcpy(seen->session, who->session, sizeof seen->session);
        seen->exp_s = who->exp_s;
    }
}

sl_status sl_sv_token_check(sl_service *s, const char *token, sl_sv_who *who, sl_error **err)
{
    memset(who, 0, sizeof *who);
    sl_jwt_rules rules = {
        .iss = ISSUER, .aud = AUDIENCE, .now_s = sl_sv_now(s) / 1000, .skew_s = SL_JWT_SKEW_MAX_S};
    sl_json *claims = NULL;
    uint8_t hash[SL_SHA256_LEN];
    sl_sha256_of(token, strlen(token), hash);
    sl_sv_seen *seen = seen_place(s, hash);
    if (take_seen(seen, hash, rules.now_s, who)) {
        return take_alive(s, seen, who) ? SL_OK : look_alive(s, seen, who, err);
    }
    const sl_key *key = sl_sv_key_for(s, token);
    sl_status status =
        key != NULL ? sl_jwt_verify(key, token, strlen(token), &rules, &claims, err)
                    : sl_fail(err, SL_E_AUTH, "the token is refused: it names no key of ours");
    if (status != SL_OK) {
        return status;
    }
    bool ok = sl_sv_take_id(who->user, claims, "sub") &&
              sl_sv_take_id(who->device, claims, "device") &&
              sl_sv_take_id(who->session, claims, "sid") && sl_json_int(claims, "exp", &who->exp_s);
    sl_json_free(claims);
    /* The skew is for other clocks; these tokens are our own. */
    if (!ok || who->exp_s <= rules.now_s) {
        return sl_fail(err, SL_E_AUTH, "the token has expired");
    }
    note_seen(seen, hash, who);
    return look_alive(s, seen, who, err);
}

void sl_sv_account_free(sl_sv_account *a)
{
    sl_mem_free(a->email);
    sl_mem_free(a->name);
    sl_mem_free(a->hash);
    sl_wipe(a, sizeof *a);
}

/* An hour, or until the plan gives something else: then the device asks again. */
static int64_t life_s(const sl_sv_account *a)
{
    int64_t left_ms = sl_sv_rank_until(&a->rank, a->now_ms) - a->now_ms;
    int64_t left_s = left_ms / 1000 + 1;
    return left_s < TOKEN_S ? left_s : TOKEN_S;
}

static sl_json *make_claims(const sl_sv_account *a, const char *jti)
{
    sl_json *j = sl_json_object();
    sl_json *amr = sl_json_array();
    int64_t now = a->now_ms / 1000;
    bool ok = amr != NULL && sl_json_add_str(amr, a->external[0] != 0 ? "ext" : "pwd");
    ok = ok && (!a->factor || sl_json_add_str(amr, "otp"));
    ok = j != NULL && sl_json_set_str(j, "iss", ISSUER) && sl_json_set_str(j, "aud", AUDIENCE) &&
         sl_json_set_str(j, "sub", a->id) && sl_json_set_str(j, "role", a->rank.role) &&
         sl_json_set_str(j, "device", a->device) && sl_json_set_str(j, "sid", a->session) &&
         sl_json_set_int(j, "iat", now) && sl_json_set_int(j, "exp", now + life_s(a)) &&
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

static char *make_token(sl_service *s, const sl_sv_account *a)
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

static sl_json *user_json(const sl_sv_account *a)
{
    sl_json *user = sl_json_object();
    bool ok = user != NULL && sl_json_set_str(user, "id", a->id) &&
              sl_json_set_str(user, "email", a->email) && sl_json_set_str(user, "name", a->name) &&
              sl_json_set_str(user, "role", a->rank.role) &&
              sl_json_set_bool(user, "verified", a->verified);
    if (ok && a->rank.plan[0] != 0) {
        ok = sl_json_set_str(user, "plan", a->rank.plan) &&
             sl_json_set_int(user, "plan_until_ms", a->rank.until_ms);
    }
    if (!ok) {
        sl_json_free(user);
        return NULL;
    }
    return user;
}

void sl_sv_session_answer(sl_service *s, const sl_sv_account *a, int32_t status, sl_json *more,
                          sl_http_out *out)
{
    sl_lock(s->lock);
    char *token = make_token(s, a);
    sl_unlock(s->lock);
    sl_json *j = more != NULL ? more : sl_json_object();
    bool ok = token != NULL && j != NULL && sl_json_set(j, "user", user_json(a)) &&
              sl_json_set_str(j, "access_token", token) &&
              sl_json_set_int(j, "expires_in", life_s(a)) &&
              sl_json_set_str(j, "refresh_token", a->refresh);
    if (ok && sl_sv_needs_factor(s, a->rank.role) && !a->factor) {
        ok = sl_json_set_bool(j, "mfa_required", true);
    }
    sl_mem_free(token);
    if (!ok) {
        sl_json_free(j);
        j = NULL;
    }
    sl_sv_answer(out, status, j);
}

/* ---- sessions ---- */

void sl_sv_refresh_hash(const char *token, char hex[SL_SHA256_HEX_LEN + 1])
{
    sl_sha256_hex(token, strlen(token), hex);
}

sl_status sl_sv_secret(const sl_service *s, char *out, size_t n, sl_error **err)
{
    uint8_t secret[SECRET_LEN];
    sl_buf b = {0};
    sl_status status = sl_sv_random(s, secret, sizeof secret, err);
    if (status != SL_OK) {
        return status;
    }
    sl_base64url(&b, secret, sizeof secret);
    sl_wipe(secret, sizeof secret);
    if (b.failed || b.len >= n) {
        sl_buf_free(&b);
        return sl_fail_nomem(err);
    }
    memcpy(out, b.data, b.len);
    out[b.len] = 0;
    sl_wipe(b.data, b.len);
    sl_buf_free(&b);
    return SL_OK;
}

sl_status sl_sv_refresh_new(sl_sv_tx *tx, sl_sv_account *a, const char *parent, sl_error **err)
{
    char hex[SL_SHA256_HEX_LEN + 1];
    sl_status status = sl_sv_secret(tx->s, a->refresh, sizeof a->refresh, err);
    if (status != SL_OK) {
        return status;
    }
    sl_sv_refresh_hash(a->refresh, hex);
    a->now_ms = tx->now_ms;
    return sl_sv_run(tx->s,
                     "INSERT INTO refresh (hash, session_id, parent, spent, expires_ms)"
                     " VALUES ($1, $2, $3, 0, $4)",
                     SL_SV_ARGS(sl_cell_text(hex), sl_cell_text(a->session), sl_cell_text(parent),
                                sl_cell_int(tx->now_ms + REFRESH_MS)),
                     err);
}

sl_status sl_sv_session_end(sl_service *s, const char *session, sl_error **err)
{
    sl_sv_known_forget(s);
    sl_status status = sl_sv_run(s, "DELETE FROM refresh WHERE session_id=$1",
                                 SL_SV_ARGS(sl_cell_text(session)), err);
    return status == SL_OK ? sl_sv_run(s, "DELETE FROM session WHERE id=$1",
                                       SL_SV_ARGS(sl_cell_text(session)), err)
                           : status;
}

sl_status sl_sv_sessions_end(sl_service *s, const char *user, sl_error **err)
{
    sl_sv_rows rows;
    sl_status status = sl_sv_all(s, "SELECT id FROM session WHERE user_id=$1",
                                 SL_SV_ARGS(sl_cell_text(user)), &rows, err);
    for (size_t i = 0; status == SL_OK && i < rows.count; i++) {
        status = sl_sv_session_end(s, sl_sv_text(&rows, i, 0), err);
    }
    sl_sv_rows_free(&rows);
    return status;
}

/* A device has one session: an older one ends. */
sl_status sl_sv_session_new(sl_sv_tx *tx, sl_sv_account *a, sl_error **err)
{
    sl_sv_rows rows;
    sl_status status =
        sl_sv_all(tx->s, "SELECT id FROM session WHERE user_id=$1 AND device=$2",
                  SL_SV_ARGS(sl_cell_text(a->id), sl_cell_text(a->device)), &rows, err);
    for (size_t i = 0; status == SL_OK && i < rows.count; i++) {
        status = sl_sv_session_end(tx->s, sl_sv_text(&rows, i, 0), err);
    }
    sl_sv_rows_free(&rows);
    if (status == SL_OK) {
        status = sl_sv_uuid(tx->s, a->session, err);
    }
    if (status == SL_OK) {
        status = sl_sv_run(tx->s,
                           "INSERT INTO session (id, user_id, device, created_ms, factor, seen_ms)"
                           " VALUES ($1, $2, $3, $4, $5, $4)",
                           SL_SV_ARGS(sl_cell_text(a->session), sl_cell_text(a->id),
                                      sl_cell_text(a->device), sl_cell_int(tx->now_ms),
                                      sl_cell_int(a->factor ? 1 : 0)),
                           err);
    }
    return status == SL_OK ? sl_sv_refresh_new(tx, a, "", err) : status;
}
