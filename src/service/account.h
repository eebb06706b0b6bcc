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
    char *role;
    char *hash;
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

/* Fills session, refresh and now_ms. A device has one session: an older one ends. */
sl_status sl_sv_session_new(sl_sv_tx *tx, sl_sv_account *a, sl_error **err);
sl_status sl_sv_session_end(sl_service *s, const char *session, sl_error **err);
/* parent: the hash of the token it takes over from, "" at sign-in. */
sl_status sl_sv_refresh_new(sl_sv_tx *tx, sl_sv_account *a, const char *parent, sl_error **err);
void sl_sv_refresh_hash(const char *token, char hex[SL_SHA256_HEX_LEN + 1]);
/* The session as the answer. Not to be called with the lock held. */
void sl_sv_session_answer(sl_service *s, const sl_sv_account *a, int32_t status, sl_http_out *out);

#endif
