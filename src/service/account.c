/*
 * service/account.c - signing up, signing in, and staying signed in.
 *
 *   [AUTH-1] the answer to a sign-in that fails is the same, and as slow, whether the account
 *            exists or not;
 *   [AUTH-4] tries that fail in a row make the next ones wait, longer each time, for that account alone.
 */
#include "service/account.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "crypto/hash.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TRIES_MAX = 5,
    TRIES_MS = 60000,
    PAUSE_MS_MAX = 3600000,
    FORGET_MS = 86400000
};

const char *sl_sv_need(const sl_json *j, const char *field, size_t min, size_t max,
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

bool sl_sv_take_device(const sl_json *j, sl_sv_id device, sl_http_out *out)
{
    if (sl_sv_take_id(device, j, "device")) {
        return true;
    }
    sl_sv_invalid(out, "device", "device must be a UUID");
    return false;
}

bool sl_sv_email_ok(const char *email)
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

char *sl_sv_take_email(const sl_json *j, sl_http_out *out)
{
    const char *given = sl_sv_need(j, "email", 3, 254, out);
    if (given == NULL) {
        return NULL;
    }
    if (!sl_sv_email_ok(given)) {
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

typedef struct signup_ctx {
    sl_sv_account a;
    char token[64]; /* that proves the address */
} signup_ctx;

static sl_cell text_or_null(const char *text)
{
    return sl_cell_text(text != NULL && text[0] != 0 ? text : NULL);
}

static sl_status insert_account(sl_sv_tx *tx, sl_sv_account *a, sl_error **err)
{
    int32_t days = tx->s->trial_days;
    if (days > 0) {
        sl_sv_copy(a->rank.plan, sizeof a->rank.plan, "trial");
        a->rank.until_ms = tx->now_ms + days * INT64_C(86400000);
    }
    return sl_sv_run(tx->s,
                     "INSERT INTO account (id, email, name, role, hash, created_ms, plan,"
                     " plan_until_ms, status, birth, external, verified_ms)"
                     " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
                     SL_SV_ARGS(sl_cell_text(a->id), sl_cell_text(a->email), sl_cell_text(a->name),
                                sl_cell_text(a->rank.role), sl_cell_text(a->hash),
                                sl_cell_int(tx->now_ms), text_or_null(a->rank.plan),
                                sl_cell_int(a->rank.until_ms), text_or_null(a->status),
                                text_or_null(a->birth), text_or_null(a->external),
                                a->verified ? sl_cell_int(tx->now_ms) : sl_cell_text(NULL)),
                     err);
}

sl_status sl_sv_account_make(sl_sv_tx *tx, sl_sv_account *a, sl_error **err)
{
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
        status = insert_account(tx, a, err);
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
        status = sl_sv_set(user, "role", a->rank.role, err);
    }
    return status;
}

static sl_status sign_up(sl_sv_tx *tx, void *ctx, sl_error **err)
{
    signup_ctx *c = ctx;
    sl_status status = sl_sv_account_make(tx, &c->a, err);
    if (status == SL_OK && !c->a.found) {
        status = sl_sv_ticket_new(tx, c->a.id, "verify", c->token, err);
    }
    bool open = status == SL_OK && !c->a.found && c->a.status[0] == 0;
    return open ? sl_sv_session_new(tx, &c->a, err) : status;
}

sl_status sl_sv_locked_change(sl_service *s, sl_sv_fn fn, void *ctx)
{
    sl_lock(s->lock);
    sl_status status = sl_sv_change(s, fn, ctx, NULL);
    sl_unlock(s->lock);
    return status;
}

/* Reads what a sign-up says; the password is borrowed from j. NULL: the answer is made. */
static const char *read_signup(const sl_service *s, const sl_json *j, sl_sv_account *a,
                               sl_http_out *out)
{
    a->email = sl_sv_take_email(j, out);
    const char *password = a->email != NULL ? sl_sv_take_password(j, a->email, out) : NULL;
    const char *name = password != NULL ? sl_sv_need(j, "name", 1, 100, out) : NULL;
    if (name == NULL || !sl_sv_take_device(j, a->device, out)) {
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
    sl_sv_copy(a->rank.role, sizeof a->rank.role, role);
    if (!sl_sv_take_birth(j, s, a, out)) {
        return NULL;
    }
    a->name = sl_text_dup(name);
    if (a->name == NULL) {
        sl_sv_broken(out, SL_E_NOMEM);
        return NULL;
    }
    return password;
}

void sl_sv_signup(sl_sv_request *r, sl_http_out *out)
{
    sl_service *s = r->s;
    signup_ctx c = {.token = ""};
    const char *password = read_signup(s, r->body, &c.a, out);
    if (password != NULL) {
        sl_status status = sl_sv_password_hash(s, password, &c.a.hash, NULL);
        if (status == SL_OK) {
            status = sl_sv_locked_change(s, sign_up, &c);
        }
        if (status != SL_OK) {
            sl_sv_broken(out, status);
        } else if (c.a.found) {
            sl_sv_invalid(out, "email", "this e-mail address has an account");
        } else {
            sl_sv_mail_verify(s, c.a.email, c.token);
            if (sl_sv_account_open(&c.a, out)) {
                sl_sv_session_answer(s, &c.a, 201, NULL, out);
            }
        }
    }
    sl_sv_about(r, c.a.id, c.a.email);
    sl_sv_account_free(&c.a);
    sl_wipe(c.token, sizeof c.token);
}

/* After every TRIES_MAX in a row that failed there is a pause, each twice as long as the one before: some 150
 * tries a day, of which a code of six digits, three of them good at a time, is guessed once in six years. */
static int64_t pause_ms(int64_t tries)
{
    int64_t pause = TRIES_MS;
    if (tries == 0 || tries % TRIES_MAX != 0) {
        return 0;
    }
    for (int64_t i = TRIES_MAX; i < tries && pause < PAUSE_MS_MAX; i += TRIES_MAX) {
        pause *= 2;
    }
    return pause < PAUSE_MS_MAX ? pause : PAUSE_MS_MAX;
}

/* Counts the try before the password is looked at, so that tries side by side count too. */
sl_status sl_sv_count_try(sl_sv_tx *tx, sl_sv_account *a, sl_error **err)
{
    sl_sv_rows rows;
    a->wait_s = 0;
    sl_status status =
        sl_sv_run(tx->s, "DELETE FROM login_try WHERE start_ms<=$1 OR start_ms>$2",
                  SL_SV_ARGS(sl_cell_int(tx->now_ms - FORGET_MS), sl_cell_int(tx->now_ms)), err);
    if (status != SL_OK) {
        return status;
    }
    status = sl_sv_all(tx->s, "SELECT tries, start_ms FROM login_try WHERE email=$1",
                       SL_SV_ARGS(sl_cell_text(a->email)), &rows, err);
    bool some = status == SL_OK && rows.count > 0;
    int64_t tries = some ? sl_sv_int(&rows, 0, 0) : 0;
    int64_t until_ms = some ? sl_sv_int(&rows, 0, 1) + pause_ms(tries) : 0;
    sl_sv_rows_free(&rows);
    if (status == SL_OK && until_ms > tx->now_ms) {
        a->wait_s = (until_ms - tx->now_ms + 999) / 1000;
        return SL_OK;
    }
    return status == SL_OK
               ? sl_sv_run(tx->s,
                           "INSERT INTO login_try (email, start_ms, tries) VALUES ($1, $2, 1)"
                           " ON CONFLICT (email) DO UPDATE SET tries=login_try.tries+1,"
                           " start_ms=excluded.start_ms",
                           SL_SV_ARGS(sl_cell_text(a->email), sl_cell_int(tx->now_ms)), err)
               : status;
}

sl_status sl_sv_forget_tries(sl_sv_tx *tx, const sl_sv_account *a, sl_error **err)
{
    return sl_sv_run(tx->s, "DELETE FROM login_try WHERE email=$1",
                     SL_SV_ARGS(sl_cell_text(a->email)), err);
}

static sl_status take_account(const sl_sv_rows *rows, sl_sv_account *a, sl_error **err)
{
    sl_mem_free(a->email);
    sl_mem_free(a->name);
    sl_mem_free(a->hash);
    sl_sv_copy(a->id, sizeof a->id, sl_sv_text(rows, 0, 0));
    a->email = sl_text_dup(sl_sv_text(rows, 0, 1));
    a->name = sl_text_dup(sl_sv_text(rows, 0, 2));
    a->hash = sl_text_dup(sl_sv_text(rows, 0, 3));
    sl_sv_rank_read(&a->rank, rows, 0, 4);
    sl_sv_copy(a->status, sizeof a->status, sl_sv_text(rows, 0, 7));
    a->found = a->email != NULL && a->name != NULL && a->hash != NULL;
    return a->found ? SL_OK : sl_fail_nomem(err);
}

static sl_status take_more(sl_service *s, sl_sv_account *a, sl_error **err)
{
    sl_sv_rows rows;
    sl_status status =
        sl_sv_all(s,
                  "SELECT verified_ms, totp, totp_step, external, birth, created_ms FROM account"
                  " WHERE id=$1",
                  SL_SV_ARGS(sl_cell_text(a->id)), &rows, err);
    if (status == SL_OK && rows.count > 0) {
        a->verified = sl_sv_int(&rows, 0, 0) > 0;
        sl_sv_copy(a->totp, sizeof a->totp, sl_sv_text(&rows, 0, 1));
        a->has_totp = rows.rows[0].cells[2].kind == SL_CELL_INT;
        sl_sv_copy(a->external, sizeof a->external, sl_sv_text(&rows, 0, 3));
        sl_sv_copy(a->birth, sizeof a->birth, sl_sv_text(&rows, 0, 4));
        a->created_ms = sl_sv_int(&rows, 0, 5);
    }
    sl_sv_rows_free(&rows);
    return status;
}

sl_status sl_sv_account_load(sl_service *s, const char *column, const char *value, sl_sv_account *a,
                             sl_error **err)
{
    sl_sv_rows rows;
    char sql[160];
    (void)snprintf(sql, sizeof sql,
                   "SELECT id, email, name, hash, role, plan, plan_until_ms, status FROM account"
                   " WHERE %s=$1",
                   column);
    a->found = false;
    sl_status status = sl_sv_all(s, sql, SL_SV_ARGS(sl_cell_text(value)), &rows, err);
    if (status == SL_OK && rows.count > 0) {
        status = take_account(&rows, a, err);
        status = status == SL_OK ? take_more(s, a, err) : status;
    }
    sl_sv_rows_free(&rows);
    return status;
}

bool sl_sv_account_open(const sl_sv_account *a, sl_http_out *out)
{
    if (strcmp(a->status, "consent") == 0) {
        sl_sv_refuse(out, 403, "consent_required", "a parent must agree to this account first");
    } else if (strcmp(a->status, "birth") == 0) {
        sl_sv_refuse(out, 403, "birth_date_required", SL_SV_BIRTH_NEEDED);
    } else if (a->status[0] != 0) {
        sl_sv_refuse(out, 403, "forbidden", "this account is suspended");
    }
    return a->status[0] == 0;
}

static sl_status find_account(sl_sv_tx *tx, void *ctx, sl_error **err)
{
    sl_sv_account *a = ctx;
    sl_status status = sl_sv_count_try(tx, a, err);
    if (status != SL_OK || a->wait_s > 0) {
        return status;
    }
    char *email = sl_text_dup(a->email);
    status = email != NULL ? sl_sv_account_load(tx->s, "email", email, a, err) : sl_fail_nomem(err);
    sl_mem_free(email);
    return status;
}

sl_status sl_sv_let_in(sl_sv_tx *tx, sl_sv_account *a, sl_error **err)
{
    sl_status status = sl_sv_forget_tries(tx, a, err);
    return status == SL_OK ? sl_sv_session_new(tx, a, err) : status;
}

typedef struct login_ctx {
    sl_sv_account *a;
    const char *code; /* NULL: none */
    bool right;
} login_ctx;

/* The second factor, and the session. A wrong code leaves the try counted. */
static sl_status let_in(sl_sv_tx *tx, void *ctx, sl_error **err)
{
    login_ctx *c = ctx;
    sl_status status = SL_OK;
    c->right = true;
    c->a->factor = false;
    if (c->a->has_totp) {
        status = sl_sv_factor_take(tx, c->a, c->code, &c->right, err);
        c->a->factor = c->right;
    }
    return status == SL_OK && c->right ? sl_sv_let_in(tx, c->a, err) : status;
}

static void with_factor(sl_service *s, sl_sv_account *a, const char *code, sl_http_out *out)
{
    login_ctx c = {.a = a, .code = code};
    if (!sl_sv_account_open(a, out)) {
        return;
    }
    if (a->has_totp && code == NULL) {
        sl_sv_refuse(out, 403, "mfa_required", SL_SV_CODE_NEEDED);
        return;
    }
    sl_status status = sl_sv_locked_change(s, let_in, &c);
    if (status != SL_OK) {
        sl_sv_broken(out, status);
    } else if (!c.right) {
        sl_sv_refuse(out, 401, "unauthorized", "Wrong code");
    } else {
        sl_sv_session_answer(s, a, 200, NULL, out);
    }
}

typedef struct rehash_ctx {
    const sl_sv_account *a;
    const char *hash;
} rehash_ctx;

/* Not in the place of another password that was set meanwhile. */
static sl_status put_hash(sl_sv_tx *tx, void *ctx, sl_error **err)
{
    const rehash_ctx *c = ctx;
    return sl_sv_run(
        tx->s, "UPDATE account SET hash=$1 WHERE id=$2 AND hash=$3",
        SL_SV_ARGS(sl_cell_text(c->hash), sl_cell_text(c->a->id), sl_cell_text(c->a->hash)), err);
}

/* The password was right, and its hash is old. Where it cannot be made anew, the old one serves on. */
static void renew_hash(sl_service *s, const sl_sv_account *a, const char *password)
{
    char *hash = NULL;
    if (s->ports.old_hash == NULL || !s->ports.old_hash(s->ports.user, a->hash)) {
        return;
    }
    if (sl_sv_password_hash(s, password, &hash, NULL) == SL_OK) {
        (void)sl_sv_locked_change(s, put_hash, &(rehash_ctx){a, hash});
    }
    sl_mem_free(hash);
}

static void login(sl_service *s, sl_sv_account *a, const char *password, const char *code,
                  sl_http_out *out)
{
    sl_status status = sl_sv_locked_change(s, find_account, a);
    if (status == SL_OK && a->wait_s > 0) {
        sl_sv_too_many(out, a->wait_s);
        return;
    }
    char *secret = status == SL_OK ? sl_sv_password_prepare(s, password) : NULL;
    if (secret == NULL) {
        sl_sv_broken(out, status != SL_OK ? status : SL_E_NOMEM);
        return;
    }
    bool has_one = a->found && strcmp(a->hash, "-") != 0; /* else it signs in elsewhere */
    bool right = s->ports.check_password(s->ports.user, secret, has_one ? a->hash : s->no_hash);
    sl_wipe(secret, strlen(secret));
    sl_mem_free(secret);
    if (!right || !has_one) {
        sl_sv_refuse(out, 401, "unauthorized", "Wrong e-mail or password");
        return;
    }
    renew_hash(s, a, password);
    with_factor(s, a, code, out);
}

void sl_sv_login(sl_sv_request *r, sl_http_out *out)
{
    sl_sv_account a = {0};
    const sl_json *j = r->body;
    a.email = sl_sv_take_email(j, out);
    const char *password =
        a.email != NULL ? sl_sv_need(j, "password", 1, SL_SV_BODY_MAX, out) : NULL;
    if (password != NULL && sl_sv_take_device(j, a.device, out)) {
        login(r->s, &a, password, sl_json_str(j, "code"), out);
    }
    sl_sv_about(r, a.found ? a.id : "", a.email);
    sl_sv_account_free(&a);
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
        status = sl_sv_run(tx->s, "UPDATE session SET seen_ms=$1 WHERE id=$2",
                           SL_SV_ARGS(sl_cell_int(tx->now_ms), sl_cell_text(a->session)), err);
    }
    if (status == SL_OK) {
        status = sl_sv_run(tx->s, "DELETE FROM refresh WHERE session_id=$1 AND expires_ms<=$2",
                           SL_SV_ARGS(sl_cell_text(a->session), sl_cell_int(tx->now_ms)), err);
    }
    return status == SL_OK ? sl_sv_refresh_new(tx, a, hex, err) : status;
}

/* The rows' session, and its account. */
static sl_status fill_refresh(sl_service *s, const sl_sv_rows *rows, sl_sv_account *a,
                              sl_error **err)
{
    sl_sv_account_free(a);
    sl_sv_copy(a->session, sizeof a->session, sl_sv_text(rows, 0, 0));
    sl_sv_copy(a->device, sizeof a->device, sl_sv_text(rows, 0, 4));
    sl_status status = sl_sv_account_load(s, "id", sl_sv_text(rows, 0, 3), a, err);
    a->factor = sl_sv_int(rows, 0, 5) != 0;
    return status;
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
                  "SELECT s.id, r.spent, r.expires_ms, s.user_id, s.device, s.factor"
                  " FROM refresh r JOIN session s ON s.id=r.session_id"
                  " JOIN account a ON a.id=s.user_id WHERE r.hash=$1 AND a.status IS NULL",
                  SL_SV_ARGS(sl_cell_text(hex)), &rows, err);
    bool found = status == SL_OK && rows.count > 0;
    int64_t state = found ? sl_sv_int(&rows, 0, 1) : TOKEN_LIVE;
    bool late = found && sl_sv_int(&rows, 0, 2) <= tx->now_ms;
    if (found) {
        status = fill_refresh(tx->s, &rows, &r->a, err);
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

void sl_sv_refresh(sl_sv_request *r, sl_http_out *out)
{
    sl_service *s = r->s;
    refresh_ctx c = {.token = sl_sv_need(r->body, "refresh_token", 1, 200, out)};
    if (c.token != NULL && sl_sv_take_device(r->body, c.a.device, out)) {
        c.device = sl_json_str(r->body, "device");
        sl_lock(s->lock);
        sl_status status = sl_sv_change(s, rotate, &c, NULL);
        if (status == SL_OK && c.a.replay) {
            sl_sv_drop_device(s, c.a.id, c.a.device, NULL, 4401);
        }
        sl_unlock(s->lock);
        if (status != SL_OK) {
            sl_sv_broken(out, status);
        } else if (!c.a.found) {
            sl_sv_refuse(out, 401, "unauthorized", "Sign in again");
        } else {
            sl_sv_session_answer(s, &c.a, 200, NULL, out);
        }
    }
    sl_sv_about(r, c.a.id, NULL);
    sl_sv_account_free(&c.a);
}
