/*
 * service/account.c - signing up, signing in, and staying signed in.
 *
 *   [AUTH-1] the answer to a sign-in that fails is the same, and as slow, whether the account
 *            exists or not.
 */
#include "service/account.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "crypto/hash.h"

#include <ctype.h>
#include <string.h>

enum {
    TRIES_MAX = 5,
    TRIES_MS = 60000,
    PASSWORD_MIN = 10,
    PASSWORD_MAX = 200
};

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
    sl_json *j = NULL;
    sl_status status =
        in->body != NULL ? sl_json_read((const char *)in->body, in->body_len, &j, NULL) : SL_OK;
    if (status == SL_E_NOMEM) {
        sl_sv_broken(out, status);
        return NULL;
    }
    if (in->cut || !sl_json_is_object(j)) {
        sl_json_free(j);
        sl_sv_refuse(out, 400, "bad_request", "the body must be a JSON object");
        return NULL;
    }
    return j;
}

static bool take_device(const sl_json *j, sl_sv_account *a, sl_http_out *out)
{
    if (sl_sv_take_id(a->device, j, "device")) {
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
    sl_sv_account *a = ctx;
    sl_service *s = tx->s;
    sl_sv_rows rows;
    sl_sv_space space;
    sl_sv_item *user = NULL;
    sl_status status = sl_sv_all(s, "SELECT id FROM account WHERE email=$1",
                                 SL_SV_ARGS(sl_cell_text(a->email)), &rows, err);
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
                           SL_SV_ARGS(sl_cell_text(a->id), sl_cell_text(a->email),
                                      sl_cell_text(a->name), sl_cell_text(a->role),
                                      sl_cell_text(a->hash), sl_cell_int(tx->now_ms)),
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
    return status == SL_OK ? sl_sv_session_new(tx, a, err) : status;
}

static sl_status locked_change(sl_service *s, sl_sv_fn fn, sl_sv_account *a)
{
    sl_lock(s->lock);
    sl_status status = sl_sv_change(s, fn, a, NULL);
    sl_unlock(s->lock);
    return status;
}

/* Reads what a sign-up says; the password is borrowed from j. NULL: the answer is made. */
static const char *read_signup(const sl_json *j, sl_sv_account *a, sl_http_out *out)
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
    sl_sv_account a = {0};
    sl_json *j = read_body(in, out);
    const char *password = j != NULL ? read_signup(j, &a, out) : NULL;
    if (password != NULL) {
        sl_status status = sl_sv_password_hash(s, password, &a.hash, NULL);
        if (status == SL_OK) {
            status = locked_change(s, make_account, &a);
        }
        if (status != SL_OK) {
            sl_sv_broken(out, status);
        } else if (a.found) {
            sl_sv_refuse(out, 409, "conflict", "this e-mail address has an account");
        } else {
            sl_sv_session_answer(s, &a, 201, out);
        }
    }
    sl_sv_account_free(&a);
    sl_json_free(j);
}

/* Counts the try before the password is looked at, so that tries side by side count too. */
static sl_status count_try(sl_sv_tx *tx, sl_sv_account *a, sl_error **err)
{
    sl_sv_rows rows;
    sl_status status =
        sl_sv_run(tx->s, "DELETE FROM login_try WHERE start_ms<=$1 OR start_ms>$2",
                  SL_SV_ARGS(sl_cell_int(tx->now_ms - TRIES_MS), sl_cell_int(tx->now_ms)), err);
    if (status != SL_OK) {
        return status;
    }
    status = sl_sv_all(tx->s,
                       "INSERT INTO login_try (email, start_ms, tries) VALUES ($1, $2, 1)"
                       " ON CONFLICT (email) DO UPDATE SET tries=login_try.tries+1"
                       " RETURNING tries, start_ms",
                       SL_SV_ARGS(sl_cell_text(a->email), sl_cell_int(tx->now_ms)), &rows, err);
    a->wait_s = 0;
    if (status == SL_OK && rows.count > 0 && sl_sv_int(&rows, 0, 0) > TRIES_MAX) {
        a->wait_s = (sl_sv_int(&rows, 0, 1) + TRIES_MS - tx->now_ms + 999) / 1000;
    }
    sl_sv_rows_free(&rows);
    return status;
}

static sl_status find_account(sl_sv_tx *tx, void *ctx, sl_error **err)
{
    sl_sv_account *a = ctx;
    sl_sv_rows rows;
    sl_status status = count_try(tx, a, err);
    if (status != SL_OK || a->wait_s > 0) {
        return status;
    }
    status = sl_sv_all(tx->s, "SELECT id, name, role, hash FROM account WHERE email=$1",
                       SL_SV_ARGS(sl_cell_text(a->email)), &rows, err);
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
    sl_sv_account *a = ctx;
    sl_status status = sl_sv_run(tx->s, "DELETE FROM login_try WHERE email=$1",
                                 SL_SV_ARGS(sl_cell_text(a->email)), err);
    return status == SL_OK ? sl_sv_session_new(tx, a, err) : status;
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

static void login(sl_service *s, sl_sv_account *a, const char *password, sl_http_out *out)
{
    sl_status status = locked_change(s, find_account, a);
    if (status == SL_OK && a->wait_s > 0) {
        too_many(out, a->wait_s);
        return;
    }
    char *secret = status == SL_OK ? sl_sv_password_prepare(s, password) : NULL;
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
        sl_sv_session_answer(s, a, 200, out);
    }
}

void sl_sv_login(sl_service *s, const sl_http_in *in, sl_http_out *out)
{
    sl_sv_account a = {0};
    sl_json *j = read_body(in, out);
    a.email = j != NULL ? take_email(j, out) : NULL;
    const char *password = a.email != NULL ? need(j, "password", 1, SL_SV_BODY_MAX, out) : NULL;
    if (password != NULL && take_device(j, &a, out)) {
        login(s, &a, password, out);
    }
    sl_sv_account_free(&a);
    sl_json_free(j);
}

static sl_status fill_refresh(const sl_sv_rows *rows, sl_sv_account *a, sl_error **err)
{
    sl_sv_account_free(a);
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
    sl_sv_account a;
    const char *token;
    const char *device;
} refresh_ctx;

/* A token is live until it is spent for a successor. The answer that carried the successor may be
 * lost on the way: then the device shows the spent one again, and the successor that was never
 * used is replaced. That one is void from then on; whoever shows it, or a spent token whose
 * successor was used, ends the session. */
enum {
    TOKEN_LIVE = 0,
    TOKEN_SPENT = 1,
    TOKEN_VOID = 2
};

/* Makes the unused successor of a spent token void. *lost: there was one. */
static sl_status void_successor(sl_sv_tx *tx, const char *hex, bool *lost, sl_error **err)
{
    sl_sv_rows rows;
    sl_status status = sl_sv_all(tx->s, "SELECT hash FROM refresh WHERE parent=$1 AND spent=0",
                                 SL_SV_ARGS(sl_cell_text(hex)), &rows, err);
    *lost = status == SL_OK && rows.count > 0;
    sl_sv_rows_free(&rows);
    return *lost ? sl_sv_run(tx->s, "UPDATE refresh SET spent=2 WHERE parent=$1 AND spent=0",
                             SL_SV_ARGS(sl_cell_text(hex)), err)
                 : status;
}

static sl_status succeed(sl_sv_tx *tx, sl_sv_account *a, const char *hex, sl_error **err)
{
    sl_status status = sl_sv_run(tx->s, "UPDATE refresh SET spent=1 WHERE hash=$1",
                                 SL_SV_ARGS(sl_cell_text(hex)), err);
    if (status == SL_OK) {
        status = sl_sv_run(tx->s, "DELETE FROM refresh WHERE session_id=$1 AND expires_ms<=$2",
                           SL_SV_ARGS(sl_cell_text(a->session), sl_cell_int(tx->now_ms)), err);
    }
    return status == SL_OK ? sl_sv_refresh_new(tx, a, hex, err) : status;
}

/* Commits also when the token is refused: a replay ends the session. */
static sl_status rotate(sl_sv_tx *tx, void *ctx, sl_error **err)
{
    refresh_ctx *r = ctx;
    char hex[SL_SHA256_HEX_LEN + 1];
    sl_sv_rows rows;
    sl_sv_refresh_hash(r->token, hex);
    sl_status status =
        sl_sv_all(tx->s,
                  "SELECT s.id, r.spent, r.expires_ms, s.user_id, s.device, a.email, a.name, a.role"
                  " FROM refresh r JOIN session s ON s.id=r.session_id"
                  " JOIN account a ON a.id=s.user_id WHERE r.hash=$1",
                  SL_SV_ARGS(sl_cell_text(hex)), &rows, err);
    bool found = status == SL_OK && rows.count > 0;
    int64_t state = found ? sl_sv_int(&rows, 0, 1) : TOKEN_LIVE;
    bool late = found && sl_sv_int(&rows, 0, 2) <= tx->now_ms;
    if (found) {
        status = fill_refresh(&rows, &r->a, err);
    }
    sl_sv_rows_free(&rows);
    if (status != SL_OK || !found) {
        return status;
    }
    bool own = !late && strcmp(r->a.device, r->device) == 0;
    bool lost = false;
    if (state == TOKEN_SPENT && own) {
        status = void_successor(tx, hex, &lost, err);
    }
    r->a.replay = state != TOKEN_LIVE && !lost;
    r->a.found = own && !r->a.replay;
    if (status == SL_OK && r->a.replay) {
        return sl_sv_session_end(tx->s, r->a.session, err);
    }
    return status == SL_OK && r->a.found ? succeed(tx, &r->a, hex, err) : status;
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
            sl_sv_session_answer(s, &r.a, 200, out);
        }
    }
    sl_sv_account_free(&r.a);
    sl_json_free(j);
}
