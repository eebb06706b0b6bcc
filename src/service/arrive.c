/*
 * service/arrive.c - who comes from another provider of sign-in (oidc.c): which account that is, and what
 * is still missing to sign in to it.
 *
 *   [OIDC-2] an address that the provider has verified signs in to the account that has it; one that
 *            it has not makes or opens no account; where the account's own address was never proved,
 *            whoever made it may be another: their password and sessions end;
 *   [OIDC-4] an account that is made asks for the date of birth before anything else (age.c);
 *   [OIDC-5] the provider takes the place of the password, not of the account's authenticator, unless its
 *            claims say that a second factor was used: what is missing is asked for by a ticket, and the
 *            ticket with what was missing signs in.
 */
#include "base/error.h"
#include "base/mem.h"
#include "service/account.h"

#include <ctype.h>
#include <string.h>

enum {
    NAME_MAX_LEN = 100
};

static const char TICKET[] = "oidc";

typedef struct arrival {
    sl_sv_account a;
    char external[256];
    char *email; /* sl_mem text */
    const char *name;
    bool factor; /* the provider has asked for a second one */
    bool verified;
    bool refused;
    bool taken;      /* from somebody who had not proved the address */
    char ticket[64]; /* "": nothing is missing */
} arrival;

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

/* What the claims say, as far as it is needed. */
static bool read_claims(sl_service *s, const sl_json *claims, arrival *x)
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
    x->email = given != NULL && sl_sv_email_ok(given) ? sl_text_dup(given) : NULL;
    for (char *p = x->email; p != NULL && *p != 0; p++) {
        *p = (char)tolower((unsigned char)*p);
    }
    x->verified = x->email != NULL && sl_json_bool_or(claims, "email_verified", false);
    x->name = name != NULL && name[0] != 0 ? name : x->email;
    x->factor = has_factor(claims);
    return true;
}

/* As much of a name as an account takes, to the end of a character. */
static size_t name_size(const char *name)
{
    size_t n = strnlen(name, NAME_MAX_LEN);
    while (n > 0 && ((unsigned char)name[n] & 0xC0) == 0x80) {
        n--;
    }
    return n;
}

static sl_status make_new(sl_sv_tx *tx, arrival *x, sl_error **err)
{
    sl_sv_account *a = &x->a;
    sl_mem_free(a->email); /* of a try before */
    sl_mem_free(a->name);
    sl_mem_free(a->hash);
    a->email = sl_text_dup(x->email);
    a->name = sl_text_ndup(x->name, name_size(x->name));
    a->hash = sl_text_dup("-"); /* no password is right */
    if (a->email == NULL || a->name == NULL || a->hash == NULL) {
        return sl_fail_nomem(err);
    }
    sl_sv_copy(a->rank.role, sizeof a->rank.role, "athlete");
    sl_sv_copy(a->status, sizeof a->status, "birth");
    sl_sv_copy(a->external, sizeof a->external, x->external);
    a->verified = true;
    return sl_sv_account_make(tx, a, err);
}

/* [OIDC-2] */
static sl_status link_account(sl_sv_tx *tx, arrival *x, sl_error **err)
{
    sl_sv_account *a = &x->a;
    sl_status status = SL_OK;
    if (!a->verified) {
        status =
            sl_sv_run(tx->s, "UPDATE account SET hash='-', totp=NULL, totp_step=NULL WHERE id=$1",
                      SL_SV_ARGS(sl_cell_text(a->id)), err);
        status = status == SL_OK ? sl_sv_sessions_end(tx->s, a->id, err) : status;
        a->has_totp = false;
        x->taken = true;
    }
    return status == SL_OK
               ? sl_sv_run(tx->s, "UPDATE account SET external=$1, verified_ms=$2 WHERE id=$3",
                           SL_SV_ARGS(sl_cell_text(x->external), sl_cell_int(tx->now_ms),
                                      sl_cell_text(a->id)),
                           err)
               : status;
}

static bool lacks_birth(const sl_sv_account *a)
{
    return strcmp(a->status, "birth") == 0;
}

/* [OIDC-4] [OIDC-5] A session, or the ticket that stands for what is known so far. */
static sl_status open_session(sl_sv_tx *tx, arrival *x, sl_error **err)
{
    sl_sv_account *a = &x->a;
    a->factor = x->factor;
    x->ticket[0] = 0;
    return lacks_birth(a) || (a->has_totp && !a->factor)
               ? sl_sv_ticket_new(tx, a->id, TICKET, x->ticket, err)
               : sl_sv_session_new(tx, a, err);
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
    bool opens = a->status[0] == 0 || lacks_birth(a);
    return status == SL_OK && opens ? open_session(tx, x, err) : status;
}

static void ask_more(const arrival *x, sl_http_out *out)
{
    bool birth = lacks_birth(&x->a);
    sl_json *j = sl_json_object();
    if (j == NULL || !sl_json_set_str(j, "error", birth ? "birth_date_required" : "mfa_required") ||
        !sl_json_set_str(j, "message", birth ? SL_SV_BIRTH_NEEDED : SL_SV_CODE_NEEDED) ||
        !sl_json_set_str(j, "ticket", x->ticket)) {
        sl_json_free(j);
        j = NULL;
    }
    sl_sv_answer(out, 403, j);
}

void sl_sv_arrive(sl_sv_request *r, const sl_json *claims, const char *device, sl_http_out *out)
{
    arrival x = {.refused = false};
    const char *nonce = sl_json_str(claims, "nonce");
    bool ok = nonce != NULL && strcmp(nonce, sl_json_str(r->body, "nonce")) == 0 &&
              read_claims(r->s, claims, &x);
    sl_sv_copy(x.a.device, sizeof x.a.device, device);
    sl_status status = ok ? sl_sv_locked_change(r->s, arrive, &x) : (sl_status)SL_E_AUTH;
    if (status == SL_OK && x.taken) {
        sl_lock(r->s->lock);
        sl_sv_drop_user(r->s, x.a.id);
        sl_unlock(r->s->lock);
    }
    if (status == SL_E_AUTH) {
        sl_sv_refuse(out, 401, "unauthorized", "Invalid token");
    } else if (status != SL_OK) {
        sl_sv_broken(out, status);
    } else if (x.refused) {
        sl_sv_refuse(out, 403, "forbidden", "the provider has not verified the e-mail address");
    } else if (x.ticket[0] != 0) {
        ask_more(&x, out);
    } else if (sl_sv_account_open(&x.a, out)) {
        sl_sv_session_answer(r->s, &x.a, 200, NULL, out);
    }
    sl_sv_about(r, x.a.id, x.email);
    sl_mem_free(x.email);
    sl_sv_account_free(&x.a);
    sl_wipe(x.ticket, sizeof x.ticket);
}

/* ---- the second step ---- */

typedef struct step_ctx {
    sl_sv_account a;
    const char *ticket;
    const char *code;    /* NULL: none */
    sl_sv_account given; /* its date of birth, "" for none, and what follows from it */
    bool in;             /* signed in */
} step_ctx;

/* The account that a ticket stands for. It serves until it has signed in, so that a slip of the finger is no
 * way back to the provider; tries are counted as at any other sign-in. */
static sl_status find_ticket(sl_sv_tx *tx, step_ctx *c, sl_error **err)
{
    char hex[SL_SHA256_HEX_LEN + 1];
    sl_sv_rows rows;
    sl_sv_refresh_hash(c->ticket, hex);
    sl_status status = sl_sv_all(
        tx->s, "SELECT user_id FROM ticket WHERE hash=$1 AND kind=$2 AND expires_ms>$3",
        SL_SV_ARGS(sl_cell_text(hex), sl_cell_text(TICKET), sl_cell_int(tx->now_ms)), &rows, err);
    c->a.found = false;
    if (status == SL_OK && rows.count > 0) {
        status = sl_sv_account_load(tx->s, "id", sl_sv_text(&rows, 0, 0), &c->a, err);
    }
    sl_sv_rows_free(&rows);
    return status;
}

static sl_status set_birth(sl_sv_tx *tx, step_ctx *c, sl_error **err)
{
    sl_sv_account *a = &c->a;
    sl_sv_copy(a->birth, sizeof a->birth, c->given.birth);
    sl_sv_copy(a->status, sizeof a->status, c->given.status);
    return sl_sv_run(tx->s, "UPDATE account SET birth=$1, status=$2 WHERE id=$3",
                     SL_SV_ARGS(sl_cell_text(a->birth),
                                sl_cell_text(a->status[0] != 0 ? a->status : NULL),
                                sl_cell_text(a->id)),
                     err);
}

/* *right: the account has no authenticator, or this is its code. */
static sl_status take_code(sl_sv_tx *tx, step_ctx *c, bool *right, sl_error **err)
{
    sl_sv_account *a = &c->a;
    *right = !a->has_totp;
    if (*right || c->code == NULL) {
        return SL_OK;
    }
    sl_status status = sl_sv_count_try(tx, a, err);
    if (status == SL_OK && a->wait_s == 0) {
        status = sl_sv_factor_take(tx, a, c->code, right, err);
    }
    a->factor = *right;
    return status;
}

static sl_status take_step(sl_sv_tx *tx, void *ctx, sl_error **err)
{
    step_ctx *c = ctx;
    sl_sv_account *a = &c->a;
    bool right = false;
    c->in = false;
    a->factor = false;
    a->wait_s = 0;
    sl_status status = find_ticket(tx, c, err);
    if (status == SL_OK && a->found && lacks_birth(a) && c->given.birth[0] != 0) {
        status = set_birth(tx, c, err);
    }
    if (status == SL_OK && a->found && a->status[0] == 0) {
        status = take_code(tx, c, &right, err);
    }
    if (status != SL_OK || !right) {
        return status;
    }
    c->in = true;
    status = sl_sv_run(tx->s, "DELETE FROM ticket WHERE user_id=$1 AND kind=$2",
                       SL_SV_ARGS(sl_cell_text(a->id), sl_cell_text(TICKET)), err);
    return status == SL_OK ? sl_sv_let_in(tx, a, err) : status;
}

static void answer_step(sl_service *s, const step_ctx *c, sl_http_out *out)
{
    if (!c->a.found) {
        sl_sv_refuse(out, 401, "unauthorized", "Sign in again");
    } else if (!sl_sv_account_open(&c->a, out)) {
        return;
    } else if (c->in) {
        sl_sv_session_answer(s, &c->a, 200, NULL, out);
    } else if (c->a.wait_s > 0) {
        sl_sv_too_many(out, c->a.wait_s);
    } else if (c->code == NULL) {
        sl_sv_refuse(out, 403, "mfa_required", SL_SV_CODE_NEEDED);
    } else {
        sl_sv_refuse(out, 401, "unauthorized", "Wrong code");
    }
}

void sl_sv_oidc_step(sl_sv_request *r, sl_http_out *out)
{
    step_ctx c = {.ticket = sl_sv_need(r->body, "ticket", 1, 200, out),
                  .code = sl_json_str(r->body, "code")};
    if (c.ticket == NULL || !sl_sv_take_device(r->body, c.a.device, out) ||
        (sl_json_get(r->body, "birth_date") != NULL &&
         !sl_sv_take_birth(r->body, r->s, &c.given, out))) {
        return;
    }
    sl_status status = sl_sv_locked_change(r->s, take_step, &c);
    if (status != SL_OK) {
        sl_sv_broken(out, status);
    } else {
        answer_step(r->s, &c, out);
    }
    sl_sv_about(r, c.a.found ? c.a.id : "", NULL);
    sl_sv_account_free(&c.a);
}
