/* service/account.h - what requests about accounts share with the tokens they end in. */
#ifndef SL_SERVICE_ACCOUNT_H
#define SL_SERVICE_ACCOUNT_H

#include "crypto/hash.h"
#include "service/inside.h"

/* One request's account. */
typedef struct sl_sv_account {
    sl_sv_id id;
    sl_sv_id device;
    sl_sv_id session;
    char *email;
    char *name;
    char *hash;
    sl_sv_rank rank;
    char status[16]; /* "": active; consent, birth: it waits for that (age.c); suspended, deleted */
    bool verified;
    bool factor;    /* this session has the second factor */
    bool has_totp;  /* the account has an authenticator in force */
    char totp[128]; /* its secret, sealed; "" for none */
    char birth[16]; /* year-month-day; "": from before it was asked for */
    int64_t created_ms;
    char external[256];
    char refresh[64];
    int64_t now_ms;
    int64_t wait_s; /* above 0: too many tries */
    bool found;
    bool replay;
} sl_sv_account;

void sl_sv_account_free(sl_sv_account *a); /* what it holds, overwritten */
bool sl_sv_take_id(sl_sv_id out, const sl_json *from, const char *name);

/* What goes to bcrypt; sl_mem text, NULL: out of memory. */
char *sl_sv_password_prepare(const sl_service *s, const char *password);
sl_status sl_sv_password_hash(sl_service *s, const char *password, char **hash, sl_error **err);

/* Everything but the tokens, from the account's row; found says whether there is one. */
sl_status sl_sv_account_load(sl_service *s, const char *column, const char *value, sl_sv_account *a,
                             sl_error **err);
bool sl_sv_needs_factor(const sl_service *s, const char *role);
/* A text member of a body within its limits; NULL: the answer is made. */
const char *sl_sv_need(const sl_json *j, const char *field, size_t min, size_t max,
                       sl_http_out *out);
bool sl_sv_take_device(const sl_json *j, sl_sv_id device, sl_http_out *out);
/* The address in lower case, sl_mem text; NULL: the answer is made. */
bool sl_sv_email_ok(const char *email);
char *sl_sv_take_email(const sl_json *j, sl_http_out *out);
/* A new password that may be used; NULL: the answer is made. email may be NULL. */
const char *sl_sv_take_password(const sl_json *j, const char *email, sl_http_out *out);
/* Counts a try to give a password or a code; above 0 in wait_s there were too many, and it does not count. */
sl_status sl_sv_count_try(sl_sv_tx *tx, sl_sv_account *a, sl_error **err);
/* One was right. */
sl_status sl_sv_forget_tries(sl_sv_tx *tx, const sl_sv_account *a, sl_error **err);
#define SL_SV_CODE_NEEDED "the code of the authenticator is needed"
/* All that was asked for is there: the tries are forgotten, and the session begins. */
sl_status sl_sv_let_in(sl_sv_tx *tx, sl_sv_account *a, sl_error **err);
/* False: suspended, or waiting for a parent: the answer is made. */
bool sl_sv_account_open(const sl_sv_account *a, sl_http_out *out);
sl_status sl_sv_account_make(sl_sv_tx *tx, sl_sv_account *a, sl_error **err);
sl_status sl_sv_locked_change(sl_service *s, sl_sv_fn fn, void *ctx);
/* Random bytes as base64url, below n characters. */
sl_status sl_sv_secret(const sl_service *s, char *out, size_t n, sl_error **err);

/* ---- factor.c ---- */

/* Takes a code of the authenticator, or a recovery code, once. *ok says whether it was one. */
sl_status sl_sv_factor_take(sl_sv_tx *tx, const sl_sv_account *a, const char *code, bool *ok,
                            sl_error **err);

/* ---- age.c ---- */

#define SL_SV_BIRTH_NEEDED "the date of birth is needed"
/* The date of birth of a sign-up, and whether the account waits; false: the answer is made. */
bool sl_sv_take_birth(const sl_json *j, const sl_service *s, sl_sv_account *a, sl_http_out *out);
bool sl_sv_is_child(const sl_service *s, const char *birth);

/* A parent's. */
typedef struct sl_sv_consent {
    const char *by; /* as it was given, NULL: none */
    const char *how;
} sl_sv_consent;
/* NULL: the answer is made. */
const char *sl_sv_take_consent(const sl_json *j, sl_sv_consent *c, sl_http_out *out);
/* The account is a child's for whom nobody has agreed. */
sl_status sl_sv_consent_due(sl_service *s, const sl_sv_account *a, bool *due, sl_error **err);
sl_status sl_sv_consent_keep(sl_sv_tx *tx, const char *user, const char *admin,
                             const sl_sv_consent *c, sl_error **err);

/* ---- arrive.c ---- */

/* Signs in whom another provider's claims name, at this device. */
void sl_sv_arrive(sl_sv_request *r, const sl_json *claims, const char *device, sl_http_out *out);

/* ---- mail.c ---- */

/* Makes a ticket of this kind in place of older ones; its text. */
sl_status sl_sv_ticket_new(sl_sv_tx *tx, const char *user, const char *kind, char token[64],
                           sl_error **err);
/* Not to be called with the lock held. */
void sl_sv_mail_verify(sl_service *s, const char *email, const char *token);

/* ---- keys.c ---- */

sl_status sl_sv_keys_start(sl_service *s, const char *key_pem, sl_error **err);
void sl_sv_keys_free(sl_service *s);
/* The key that a token names; NULL: none of ours. */
const sl_key *sl_sv_key_for(const sl_service *s, const char *token);

/* Fills session, refresh and now_ms. A device has one session: an older one ends. */
sl_status sl_sv_session_new(sl_sv_tx *tx, sl_sv_account *a, sl_error **err);
sl_status sl_sv_session_end(sl_service *s, const char *session, sl_error **err);
/* All of a user; their connections are dropped by sl_sv_drop_user. */
sl_status sl_sv_sessions_end(sl_service *s, const char *user, sl_error **err);
/* parent: the hash of the token it takes over from, "" at sign-in. */
sl_status sl_sv_refresh_new(sl_sv_tx *tx, sl_sv_account *a, const char *parent, sl_error **err);
void sl_sv_refresh_hash(const char *token, char hex[SL_SHA256_HEX_LEN + 1]);
/* The session as the answer; more (taken, may be NULL): further members. Not to be called with the
 * lock held. */
void sl_sv_session_answer(sl_service *s, const sl_sv_account *a, int32_t status, sl_json *more,
                          sl_http_out *out);

#endif
