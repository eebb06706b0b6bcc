/* service/admin.c - what those who run the service do: accounts, plans, keys of other services. */
#include "base/error.h"
#include "base/mem.h"
#include "crypto/jwt.h"
#include "service/account.h"
#include "service/ask.h"

#include <ctype.h>
#include <string.h>

enum {
    KEY_LIFE_S_MAX = 366 * 86400,
    SERVICE_TOKEN_S_MAX = 3600
};

/* ---- accounts ---- */

static sl_json *account_json(const sl_sv_account *a)
{
    sl_json *j = sl_json_object();
    bool ok = j != NULL && sl_json_set_str(j, "id", a->id) &&
              sl_json_set_str(j, "email", a->email) && sl_json_set_str(j, "name", a->name) &&
              sl_json_set_str(j, "role", a->rank.role) &&
              sl_json_set_str(j, "status", a->status[0] != 0 ? a->status : "active") &&
              sl_json_set_bool(j, "verified", a->verified) &&
              sl_json_set_bool(j, "authenticator", a->has_totp);
    if (ok && a->rank.plan[0] != 0) {
        ok = sl_json_set_str(j, "plan", a->rank.plan) &&
             sl_json_set_int(j, "plan_until_ms", a->rank.until_ms);
    }
    if (!ok) {
        sl_json_free(j);
        return NULL;
    }
    return j;
}

/* The value of "email" in the query, in lower case; a + that was not escaped is one, as addresses have no
 * blanks. False: there is none. */
static bool email_of(const char *query, char out[256])
{
    sl_json *j = NULL;
    const char *email = sl_sv_query_read(query, &j) == SL_OK ? sl_json_str(j, "email") : NULL;
    sl_sv_copy(out, 256, email != NULL ? email : "");
    sl_json_free(j);
    for (char *p = out; *p != 0; p++) {
        *p = *p == ' ' ? '+' : (char)tolower((unsigned char)*p);
    }
    return out[0] != 0;
}

void sl_sv_accounts(sl_sv_request *r, sl_http_out *out)
{
    char email[256];
    sl_sv_account a = {0};
    if (!email_of(r->in->query, email)) {
        sl_sv_invalid(out, "email", "email is required");
        return;
    }
    sl_lock(r->s->lock);
    sl_status status = sl_sv_account_load(r->s, "email", email, &a, NULL);
    sl_unlock(r->s->lock);
    if (status != SL_OK) {
        sl_sv_broken(out, status);
    } else if (!a.found) {
        sl_sv_refuse(out, 404, "not_found", "there is nothing here");
    } else {
        sl_sv_answer(out, 200, account_json(&a));
    }
    sl_sv_account_free(&a);
}

typedef struct wish {
    const char *user;
    const char *status;
    const char *role;
    const char *plan;
    int64_t until_ms;
    const char *admin;
    sl_sv_consent consent;
    bool found;
    bool due; /* a parent's consent */
} wish;

/* value NULL: it stays; equal to `none`: it becomes null. */
static sl_status set_one(sl_sv_tx *tx, const char *sql, const char *value, const char *none,
                         const char *user, sl_error **err)
{
    if (value == NULL) {
        return SL_OK;
    }
    const char *kept = strcmp(value, none) == 0 ? NULL : value;
    return sl_sv_run(tx->s, sql, SL_SV_ARGS(sl_cell_text(kept), sl_cell_text(user)), err);
}

static sl_status set_role(sl_sv_tx *tx, const wish *w, sl_error **err)
{
    sl_sv_space own;
    sl_sv_item *user = NULL;
    if (w->role == NULL) {
        return SL_OK;
    }
    sl_space_name(own, "user", w->user);
    sl_status status =
        set_one(tx, "UPDATE account SET role=$1 WHERE id=$2", w->role, "", w->user, err);
    if (status == SL_OK) {
        status = sl_sv_get(tx, sl_entity_find("user"), own, w->user, &user, err);
    }
    if (status == SL_OK && user->rec.entity != NULL) {
        status = sl_sv_set(user, "role", w->role, err);
    }
    bool athlete = strcmp(w->role, "athlete") == 0;
    return status == SL_OK && athlete ? sl_sv_organisations_leave(tx, w->user, err) : status;
}

static sl_status set_account(sl_sv_tx *tx, void *ctx, sl_error **err)
{
    wish *w = ctx;
    sl_sv_account a = {0};
    sl_status status = sl_sv_account_load(tx->s, "id", w->user, &a, err);
    w->found = a.found && strcmp(a.status, "deleted") != 0;
    w->due = false;
    bool opens = w->status != NULL && strcmp(w->status, "active") == 0;
    if (status == SL_OK && w->found && opens && w->consent.by == NULL) {
        status = sl_sv_consent_due(tx->s, &a, &w->due, err);
    }
    if (opens && a.external[0] != 0 && a.birth[0] == 0) {
        w->status = "birth"; /* which is asked for when they sign in */
    }
    sl_sv_account_free(&a);
    if (status != SL_OK || !w->found || w->due) {
        return status;
    }
    if (w->consent.by != NULL) {
        status = sl_sv_consent_keep(tx, w->user, w->admin, &w->consent, err);
    }
    if (status != SL_OK) {
        return status;
    }
    sl_sv_known_forget(tx->s);
    status =
        set_one(tx, "UPDATE account SET status=$1 WHERE id=$2", w->status, "active", w->user, err);
    if (status == SL_OK) {
        status =
            set_one(tx, "UPDATE account SET plan=$1 WHERE id=$2", w->plan, "none", w->user, err);
    }
    if (status == SL_OK && w->plan != NULL) {
        status = sl_sv_run(tx->s, "UPDATE account SET plan_until_ms=$1 WHERE id=$2",
                           SL_SV_ARGS(sl_cell_int(w->until_ms), sl_cell_text(w->user)), err);
    }
    return status == SL_OK ? set_role(tx, w, err) : status;
}

static bool one_of(const char *value, const char *const *names)
{
    for (; value != NULL && *names != NULL; names++) {
        if (strcmp(value, *names) == 0) {
            return true;
        }
    }
    return value == NULL;
}

void sl_sv_account_set(sl_sv_request *r, sl_http_out *out)
{
    static const char *const statuses[] = {"active", "suspended", NULL};
    static const char *const roles[] = {"athlete", "coach", "admin", NULL};
    static const char *const plans[] = {"none", "trial", "active", "expired", NULL};
    const sl_json *j = r->body;
    wish w = {.user = r->rest,
              .admin = r->who.user,
              .status = sl_json_str(j, "status"),
              .role = sl_json_str(j, "role"),
              .plan = sl_json_str(j, "plan"),
              .until_ms = sl_json_int_or(j, "plan_until_ms", 0)};
    const char *wrong = !one_of(w.status, statuses) ? "status"
                        : !one_of(w.role, roles)    ? "role"
                        : !one_of(w.plan, plans)    ? "plan"
                                                    : NULL;
    if (wrong != NULL || w.until_ms < 0) {
        sl_sv_invalid(out, wrong != NULL ? wrong : "plan_until_ms", "is not one of its values");
        return;
    }
    if (sl_sv_take_consent(j, &w.consent, out) == NULL) {
        return;
    }
    sl_lock(r->s->lock);
    sl_status status = sl_sv_change(r->s, set_account, &w, NULL);
    if (status == SL_OK && w.found && !w.due) {
        sl_sv_drop_user(r->s, w.user);
    }
    sl_unlock(r->s->lock);
    if (status != SL_OK) {
        sl_sv_broken(out, status);
    } else if (!w.found) {
        sl_sv_refuse(out, 404, "not_found", "there is nothing here");
    } else if (w.due) {
        sl_sv_invalid(out, "consent", "a parent must have agreed: by whom, and how");
    } else {
        out->status = 204;
    }
}

sl_status sl_service_make_admin(sl_service *s, const char *email, sl_error **err)
{
    sl_sv_account a = {0};
    sl_error_start(err);
    sl_lock(s->lock);
    sl_status status = sl_sv_account_load(s, "email", email, &a, err);
    if (status == SL_OK && !a.found) {
        status = sl_fail(err, SL_E_NOT_FOUND, "nobody has the e-mail address \"%s\"", email);
    }
    if (status == SL_OK) {
        wish w = {.user = a.id, .role = "admin"};
        status = sl_sv_change(s, set_account, &w, err);
        sl_sv_audit_note(s, "operator", "account_set", a.id, "admin");
    }
    sl_unlock(s->lock);
    sl_sv_account_free(&a);
    return status;
}

/* ---- services ---- */

typedef struct service_key {
    const char *name;
    const char *scope;
    char *jwk;
    char kid[SL_KEY_ID_LEN + 1];
    int64_t life_s;
    size_t ended;
} service_key;

static sl_status add_key(sl_sv_tx *tx, void *ctx, sl_error **err)
{
    const service_key *k = ctx;
    return sl_sv_run(tx->s,
                     "INSERT INTO service_key (kid, name, jwk, scope, expires_ms) VALUES"
                     " ($1, $2, $3, $4, $5) ON CONFLICT (kid) DO UPDATE SET name=excluded.name,"
                     " scope=excluded.scope, expires_ms=excluded.expires_ms",
                     SL_SV_ARGS(sl_cell_text(k->kid), sl_cell_text(k->name), sl_cell_text(k->jwk),
                                sl_cell_text(k->scope), sl_cell_int(tx->now_ms + k->life_s * 1000)),
                     err);
}

static sl_json *kid_json(const service_key *k)
{
    sl_json *j = sl_json_object();
    if (j == NULL || !sl_json_set_str(j, "kid", k->kid)) {
        sl_json_free(j);
        return NULL;
    }
    return j;
}

void sl_sv_service_key_add(sl_sv_request *r, sl_http_out *out)
{
    sl_key *key = NULL;
    service_key k = {.name = sl_sv_need(r->body, "name", 1, 60, out)};
    k.scope = k.name != NULL ? sl_sv_need(r->body, "scope", 1, 200, out) : NULL;
    if (k.scope == NULL) {
        return;
    }
    if (!sl_json_int(r->body, "expires_in", &k.life_s) || k.life_s < 1 ||
        k.life_s > KEY_LIFE_S_MAX) {
        sl_sv_invalid(out, "expires_in", "expires_in must be seconds, at most a year");
        return;
    }
    const sl_json *jwk = sl_json_get(r->body, "jwk");
    if (sl_key_from_jwk(jwk, &key, NULL) != SL_OK) {
        sl_sv_invalid(out, "jwk", "jwk must be a public RSA key of 2048 bits or more");
        return;
    }
    sl_sv_copy(k.kid, sizeof k.kid, sl_key_id(key));
    sl_key_free(key);
    k.jwk = sl_json_print(jwk);
    sl_status status =
        k.jwk != NULL ? sl_sv_locked_change(r->s, add_key, &k) : (sl_status)SL_E_NOMEM;
    sl_mem_free(k.jwk);
    if (status != SL_OK) {
        sl_sv_broken(out, status);
    } else {
        sl_sv_answer(out, 201, kid_json(&k));
    }
}

static sl_status end_key(sl_sv_tx *tx, void *ctx, sl_error **err)
{
    service_key *k = ctx;
    sl_sv_rows rows;
    sl_status status = sl_sv_all(tx->s, "DELETE FROM service_key WHERE kid=$1 RETURNING kid",
                                 SL_SV_ARGS(sl_cell_text(k->kid)), &rows, err);
    k->ended = rows.count;
    sl_sv_rows_free(&rows);
    return status;
}

void sl_sv_service_key_end(sl_sv_request *r, sl_http_out *out)
{
    service_key k = {.ended = 0};
    sl_sv_copy(k.kid, sizeof k.kid, r->rest);
    sl_status status = sl_sv_locked_change(r->s, end_key, &k);
    if (status != SL_OK) {
        sl_sv_broken(out, status);
    } else if (k.ended == 0) {
        sl_sv_refuse(out, 404, "not_found", "there is nothing here");
    } else {
        out->status = 204;
    }
}

static bool has_word(const char *words, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = words; *p != 0; p += strspn(p, " ")) {
        size_t len = strcspn(p, " ");
        if (len == n && strncmp(p, word, n) == 0) {
            return true;
        }
        p += len;
    }
    return false;
}

/* Its token is signed with its own key, is short-lived, and names it as the issuer. */
static sl_status check_token(sl_service *s, const char *token, const sl_sv_rows *rows,
                             sl_error **err)
{
    sl_key *key = NULL;
    sl_json *claims = NULL;
    const char *text = sl_sv_text(rows, 0, 1);
    sl_json *jwk = sl_json_parse(text, strlen(text));
    sl_status status = sl_key_from_jwk(jwk, &key, err);
    sl_jwt_rules rules = {.iss = sl_sv_text(rows, 0, 0),
                          .aud = "sideline",
                          .now_s = sl_sv_now(s) / 1000,
                          .skew_s = SL_JWT_SKEW_MAX_S};
    if (status == SL_OK) {
        status = sl_jwt_verify(key, token, strlen(token), &rules, &claims, err);
    }
    int64_t exp_s = sl_json_int_or(claims, "exp", 0);
    if (status == SL_OK && exp_s > rules.now_s + SERVICE_TOKEN_S_MAX + SL_JWT_SKEW_MAX_S) {
        status = sl_fail(err, SL_E_AUTH, "the token is good for too long");
    }
    sl_json_free(claims);
    sl_json_free(jwk);
    sl_key_free(key);
    return status;
}

sl_status sl_sv_service_check(sl_service *s, const char *token, const char *scope, char name[64],
                              sl_error **err)
{
    char kid[SL_KEY_ID_LEN + 1];
    sl_sv_rows rows;
    if (!sl_jwt_key_id(token, strlen(token), kid, sizeof kid)) {
        return sl_fail(err, SL_E_AUTH, "the token names no key");
    }
    sl_status status =
        sl_sv_all(s, "SELECT name, jwk, scope FROM service_key WHERE kid=$1 AND expires_ms>$2",
                  SL_SV_ARGS(sl_cell_text(kid), sl_cell_int(sl_sv_now(s))), &rows, err);
    if (status == SL_OK && rows.count == 0) {
        status = sl_fail(err, SL_E_AUTH, "the token names no key of a service");
    }
    if (status == SL_OK) {
        status = check_token(s, token, &rows, err);
    }
    if (status == SL_OK) {
        sl_sv_copy(name, 64, sl_sv_text(&rows, 0, 0));
        if (!has_word(sl_sv_text(&rows, 0, 2), scope)) {
            status = sl_fail(err, SL_E_DENIED, "the key's scope does not have this");
        }
    }
    sl_sv_rows_free(&rows);
    return status;
}
