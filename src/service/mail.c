/*
 * service/mail.c - what goes through mail: proving an address, setting a new password.
 *
 *   [MAIL-1] a ticket is 256 random bits, kept as a hash, serves once, and for TICKET_MS at most; a
 *            newer one ends it;
 *   [MAIL-2] the answer to asking for a new password is the same whether the account exists or not;
 *            a new password never takes the place of the second factor;
 *   [MAIL-3] who is asked to be written to gets five mails an hour at most, whoever asks.
 */
#include "base/error.h"
#include "base/mem.h"
#include "service/account.h"

#include <string.h>

static const int64_t TICKET_MS = INT64_C(10) * 60 * 1000;

sl_status sl_sv_ticket_new(sl_sv_tx *tx, const char *user, const char *kind, char token[64],
                           sl_error **err)
{
    char hex[SL_SHA256_HEX_LEN + 1];
    sl_status status = sl_sv_secret(tx->s, token, 64, err);
    if (status == SL_OK) {
        status = sl_sv_run(tx->s, "DELETE FROM ticket WHERE user_id=$1 AND kind=$2",
                           SL_SV_ARGS(sl_cell_text(user), sl_cell_text(kind)), err);
    }
    if (status == SL_OK) {
        status = sl_sv_run(tx->s, "DELETE FROM ticket WHERE expires_ms<=$1",
                           SL_SV_ARGS(sl_cell_int(tx->now_ms)), err);
    }
    sl_sv_refresh_hash(token, hex);
    return status == SL_OK
               ? sl_sv_run(tx->s,
                           "INSERT INTO ticket (hash, user_id, kind, expires_ms)"
                           " VALUES ($1, $2, $3, $4)",
                           SL_SV_ARGS(sl_cell_text(hex), sl_cell_text(user), sl_cell_text(kind),
                                      sl_cell_int(tx->now_ms + TICKET_MS)),
                           err)
               : status;
}

/* The ticket's user, once; "" when it is none. */
static sl_status ticket_take(sl_sv_tx *tx, const char *token, const char *kind, sl_sv_id user,
                             sl_error **err)
{
    char hex[SL_SHA256_HEX_LEN + 1];
    sl_sv_rows rows;
    sl_sv_refresh_hash(token, hex);
    sl_status status = sl_sv_all(
        tx->s,
        "DELETE FROM ticket WHERE hash=$1 AND kind=$2 AND expires_ms>$3"
        " RETURNING user_id",
        SL_SV_ARGS(sl_cell_text(hex), sl_cell_text(kind), sl_cell_int(tx->now_ms)), &rows, err);
    user[0] = 0;
    if (status == SL_OK && rows.count > 0) {
        sl_sv_copy(user, sizeof(sl_sv_id), sl_sv_text(&rows, 0, 0));
    }
    sl_sv_rows_free(&rows);
    return status;
}

static void send_mail(sl_service *s, const char *to, const char *subject, const char *what,
                      const char *path, const char *token)
{
    if (s->ports.mail == NULL) {
        return;
    }
    char *link = s->public_url != NULL ? sl_text_fmt("%s/%s#%s", s->public_url, path, token)
                                       : sl_text_dup(token);
    char *text = link != NULL ? sl_text_fmt("%s\n\n%s\n\nIt is good for ten minutes. If you did not"
                                            " ask for it, there is nothing to do.\n",
                                            what, link)
                              : NULL;
    if (text != NULL) {
        s->ports.mail(s->ports.user, to, subject, text);
        sl_wipe(text, strlen(text));
        sl_wipe(link, strlen(link));
    }
    sl_mem_free(text);
    sl_mem_free(link);
}

void sl_sv_mail_verify(sl_service *s, const char *email, const char *token)
{
    send_mail(s, email, "Your e-mail address",
              "To show that this address is yours, give Sideline this:", "verify", token);
}

/* ---- requests ---- */

typedef struct ticket_ctx {
    sl_sv_account a;
    const char *given;
    sl_sv_id user;
    char token[64];
} ticket_ctx;

static void ticket_end(ticket_ctx *c)
{
    sl_sv_account_free(&c->a);
    sl_wipe(c->token, sizeof c->token);
}

static sl_status verify(sl_sv_tx *tx, void *ctx, sl_error **err)
{
    ticket_ctx *c = ctx;
    sl_status status = ticket_take(tx, c->given, "verify", c->user, err);
    return status == SL_OK && c->user[0] != 0
               ? sl_sv_run(tx->s, "UPDATE account SET verified_ms=$1 WHERE id=$2",
                           SL_SV_ARGS(sl_cell_int(tx->now_ms), sl_cell_text(c->user)), err)
               : status;
}

void sl_sv_verify(sl_sv_request *r, sl_http_out *out)
{
    ticket_ctx c = {.given = sl_sv_need(r->body, "token", 1, 200, out)};
    if (c.given == NULL) {
        return;
    }
    sl_status status = sl_sv_locked_change(r->s, verify, &c);
    if (status != SL_OK) {
        sl_sv_broken(out, status);
    } else if (c.user[0] == 0) {
        sl_sv_invalid(out, "token", "this is not, or no longer, good");
    } else {
        out->status = 204;
    }
    sl_sv_about(r, c.user, NULL);
}

static sl_status ask_verify(sl_sv_tx *tx, void *ctx, sl_error **err)
{
    ticket_ctx *c = ctx;
    sl_status status = sl_sv_account_load(tx->s, "id", c->user, &c->a, err);
    return status == SL_OK && c->a.found ? sl_sv_ticket_new(tx, c->a.id, "verify", c->token, err)
                                         : status;
}

void sl_sv_verify_send(sl_sv_request *r, sl_http_out *out)
{
    ticket_ctx c = {.given = NULL};
    sl_sv_copy(c.user, sizeof c.user, r->who.user);
    sl_status status = sl_sv_locked_change(r->s, ask_verify, &c);
    if (status != SL_OK) {
        sl_sv_broken(out, status);
    } else {
        sl_sv_mail_verify(r->s, c.a.email, c.token);
        out->status = 202;
    }
    ticket_end(&c);
}

static sl_status ask_reset(sl_sv_tx *tx, void *ctx, sl_error **err)
{
    ticket_ctx *c = ctx;
    sl_status status = sl_sv_account_load(tx->s, "email", c->given, &c->a, err);
    return status == SL_OK && c->a.found && c->a.status[0] == 0
               ? sl_sv_ticket_new(tx, c->a.id, "reset", c->token, err)
               : status;
}

/* So many to one address, whoever asks and whether there is an account. False: the answer is made. */
static bool may_mail(sl_service *s, const char *email, sl_http_out *out)
{
    if (s->buckets == NULL) {
        return true;
    }
    sl_lock(s->lock);
    sl_sv_allowance a = sl_sv_bucket_take(s->buckets, SL_RATE_MAIL, email, 1, sl_sv_now(s));
    s->counts.limited += a.ok ? 0 : 1;
    sl_unlock(s->lock);
    if (!a.ok) {
        sl_sv_too_many(out, a.wait_s);
    }
    return a.ok;
}

void sl_sv_reset_send(sl_sv_request *r, sl_http_out *out)
{
    char *email = sl_sv_take_email(r->body, out);
    ticket_ctx c = {.given = email};
    if (email == NULL) {
        return;
    }
    if (!may_mail(r->s, email, out)) {
        sl_sv_about(r, "", email);
        sl_mem_free(email);
        return;
    }
    sl_status status = sl_sv_locked_change(r->s, ask_reset, &c);
    if (status != SL_OK) {
        sl_sv_broken(out, status);
    } else {
        if (c.token[0] != 0) {
            send_mail(r->s, email, "A new password",
                      "To set a new password, give Sideline this:", "reset", c.token);
        }
        out->status = 202;
    }
    sl_sv_about(r, c.a.id, email);
    ticket_end(&c);
    sl_mem_free(email);
}

/* Who opened the mail holds the address; all that was signed in is signed out. */
static sl_status reset(sl_sv_tx *tx, void *ctx, sl_error **err)
{
    ticket_ctx *c = ctx;
    sl_status status = ticket_take(tx, c->given, "reset", c->user, err);
    if (status != SL_OK || c->user[0] == 0) {
        return status;
    }
    status = sl_sv_run(
        tx->s, "UPDATE account SET hash=$1, verified_ms=$2 WHERE id=$3",
        SL_SV_ARGS(sl_cell_text(c->a.hash), sl_cell_int(tx->now_ms), sl_cell_text(c->user)), err);
    if (status == SL_OK) { /* guesses at the old password; not at the authenticator's codes */
        status = sl_sv_run(tx->s,
                           "DELETE FROM login_try WHERE email=(SELECT email FROM account WHERE"
                           " id=$1 AND totp_step IS NULL)",
                           SL_SV_ARGS(sl_cell_text(c->user)), err);
    }
    return status == SL_OK ? sl_sv_sessions_end(tx->s, c->user, err) : status;
}

void sl_sv_reset(sl_sv_request *r, sl_http_out *out)
{
    sl_service *s = r->s;
    ticket_ctx c = {.given = sl_sv_need(r->body, "token", 1, 200, out)};
    const char *password = c.given != NULL ? sl_sv_take_password(r->body, NULL, out) : NULL;
    if (password == NULL) {
        return;
    }
    sl_status status = sl_sv_password_hash(s, password, &c.a.hash, NULL);
    sl_lock(s->lock);
    if (status == SL_OK) {
        status = sl_sv_change(s, reset, &c, NULL);
    }
    if (status == SL_OK && c.user[0] != 0) {
        sl_sv_drop_user(s, c.user);
    }
    sl_unlock(s->lock);
    if (status != SL_OK) {
        sl_sv_broken(out, status);
    } else if (c.user[0] == 0) {
        sl_sv_invalid(out, "token", "this is not, or no longer, good");
    } else {
        out->status = 204;
    }
    sl_sv_about(r, c.user, NULL);
    ticket_end(&c);
}
