/*
 * service/factor.c - the second factor: an authenticator's codes, and recovery codes for when it is lost.
 *
 *   [FAC-1] a code serves once: the step of the last one is kept, a recovery code is deleted;
 *   [FAC-2] the authenticator's secret is sealed under a key of the server; recovery codes are kept as
 *           hashes.
 */
#include "base/base64.h"
#include "base/error.h"
#include "base/mem.h"
#include "crypto/aead.h"
#include "crypto/totp.h"
#include "service/account.h"

#include <string.h>

enum {
    CODES = 20,
    CODE_BYTES = 10,
    CODE_TEXT = 24,
    SEALED = SL_AEAD_NONCE_LEN + SL_TOTP_KEY_LEN + SL_AEAD_TAG_LEN
};

static void seal_key(const sl_service *s, uint8_t key[SL_AEAD_KEY_LEN])
{
    sl_hmac_sha256(s->pepper, sizeof s->pepper, "totp", 4, key);
}

static sl_status seal(const sl_service *s, const char *user, const uint8_t *secret, char *out,
                      size_t n, sl_error **err)
{
    uint8_t key[SL_AEAD_KEY_LEN];
    uint8_t box[SEALED];
    sl_buf text = {0};
    sl_status status = sl_sv_random(s, box, SL_AEAD_NONCE_LEN, err);
    seal_key(s, key);
    if (status == SL_OK) {
        status = sl_aead_seal(key, box, (sl_aad){user, strlen(user)}, secret, SL_TOTP_KEY_LEN,
                              box + SL_AEAD_NONCE_LEN, err);
    }
    sl_wipe(key, sizeof key);
    sl_base64(&text, box, sizeof box);
    if (status == SL_OK && (text.failed || text.len >= n)) {
        status = sl_fail_nomem(err);
    } else if (status == SL_OK) {
        sl_sv_copy(out, n, sl_buf_text(&text));
    }
    sl_buf_free(&text);
    return status;
}

static sl_status unseal(const sl_service *s, const char *user, const char *sealed,
                        uint8_t secret[SL_TOTP_KEY_LEN], sl_error **err)
{
    uint8_t key[SL_AEAD_KEY_LEN];
    sl_buf box = {0};
    bool ok = sl_base64_decode(&box, sealed, strlen(sealed)) && box.len == SEALED;
    seal_key(s, key);
    sl_status status =
        ok ? sl_aead_open(key, box.data, (sl_aad){user, strlen(user)}, box.data + SL_AEAD_NONCE_LEN,
                          box.len - SL_AEAD_NONCE_LEN, secret, err)
           : sl_fail(err, SL_E_CORRUPT, "an authenticator's secret cannot be read");
    sl_wipe(key, sizeof key);
    sl_buf_free(&box);
    return status;
}

/* ---- taking a code ---- */

static sl_status take_totp(sl_sv_tx *tx, const sl_sv_account *a, const char *code, bool *ok,
                           sl_error **err)
{
    uint8_t secret[SL_TOTP_KEY_LEN];
    sl_sv_rows rows;
    sl_status status = unseal(tx->s, a->id, a->totp, secret, err);
    if (status != SL_OK) {
        return status;
    }
    status = sl_sv_all(tx->s, "SELECT totp_step FROM account WHERE id=$1",
                       SL_SV_ARGS(sl_cell_text(a->id)), &rows, err);
    int64_t last = status == SL_OK && rows.count > 0 ? sl_sv_int(&rows, 0, 0) : INT64_MAX;
    sl_sv_rows_free(&rows);
    *ok = status == SL_OK && sl_totp_check(secret, code, tx->now_ms / 1000, &last);
    sl_wipe(secret, sizeof secret);
    return *ok ? sl_sv_run(tx->s, "UPDATE account SET totp_step=$1 WHERE id=$2",
                           SL_SV_ARGS(sl_cell_int(last), sl_cell_text(a->id)), err)
               : status;
}

/* Blanks, dashes and the case of letters do not count. */
static void code_hash(const sl_service *s, const char *user, const char *code, char hex[65])
{
    uint8_t mac[SL_SHA256_LEN];
    sl_buf b = {0};
    sl_buf_fmt(&b, "%s:", user);
    for (; *code != 0; code++) {
        char c = *code >= 'a' && *code <= 'z' ? (char)(*code - 'a' + 'A') : *code;
        if (c != ' ' && c != '-') {
            sl_buf_u8(&b, (uint8_t)c);
        }
    }
    sl_hmac_sha256(s->pepper, sizeof s->pepper, b.data, b.len, mac);
    sl_hex(hex, mac, sizeof mac);
    sl_buf_free(&b);
}

static sl_status take_recovery(sl_sv_tx *tx, const sl_sv_account *a, const char *code, bool *ok,
                               sl_error **err)
{
    char hex[65];
    sl_sv_rows rows;
    code_hash(tx->s, a->id, code, hex);
    sl_status status =
        sl_sv_all(tx->s, "DELETE FROM recovery WHERE user_id=$1 AND hash=$2 RETURNING hash",
                  SL_SV_ARGS(sl_cell_text(a->id), sl_cell_text(hex)), &rows, err);
    *ok = status == SL_OK && rows.count > 0;
    sl_sv_rows_free(&rows);
    return status;
}

sl_status sl_sv_factor_take(sl_sv_tx *tx, const sl_sv_account *a, const char *code, bool *ok,
                            sl_error **err)
{
    *ok = false;
    if (code == NULL || strlen(code) > 64) {
        return SL_OK;
    }
    return strlen(code) <= 8 ? take_totp(tx, a, code, ok, err)
                             : take_recovery(tx, a, code, ok, err);
}

/* ---- enrolling ---- */

typedef struct enrol {
    sl_sv_account a;
    uint8_t secret[SL_TOTP_KEY_LEN];
    char codes[CODES][CODE_TEXT];
    const char *code;
    bool right;
} enrol;

static sl_status begin(sl_sv_tx *tx, void *ctx, sl_error **err)
{
    enrol *e = ctx;
    char id[SL_UUID_LEN + 1];
    char sealed[128];
    sl_sv_copy(id, sizeof id, e->a.id);
    sl_status status = sl_sv_account_load(tx->s, "id", id, &e->a, err);
    if (status != SL_OK || e->a.has_totp) {
        return status;
    }
    status = sl_sv_random(tx->s, e->secret, sizeof e->secret, err);
    if (status == SL_OK) {
        status = seal(tx->s, id, e->secret, sealed, sizeof sealed, err);
    }
    return status == SL_OK ? sl_sv_run(tx->s, "UPDATE account SET totp=$1 WHERE id=$2",
                                       SL_SV_ARGS(sl_cell_text(sealed), sl_cell_text(id)), err)
                           : status;
}

static sl_json *secret_json(const enrol *e)
{
    sl_buf secret = {0};
    sl_json *j = sl_json_object();
    sl_base32(&secret, e->secret, sizeof e->secret);
    char *uri = sl_text_fmt("otpauth://totp/Sideline:%s?secret=%s&issuer=Sideline&algorithm=SHA1"
                            "&digits=6&period=30",
                            e->a.email, sl_buf_text(&secret));
    bool ok = !secret.failed && uri != NULL && j != NULL &&
              sl_json_set_str(j, "secret", sl_buf_text(&secret)) && sl_json_set_str(j, "uri", uri);
    sl_mem_free(uri);
    sl_buf_free(&secret);
    if (!ok) {
        sl_json_free(j);
        return NULL;
    }
    return j;
}

void sl_sv_totp(sl_sv_request *r, sl_http_out *out)
{
    enrol e = {.right = false};
    sl_sv_copy(e.a.id, sizeof e.a.id, r->who.user);
    sl_status status = sl_sv_locked_change(r->s, begin, &e);
    if (status != SL_OK) {
        sl_sv_broken(out, status);
    } else if (e.a.has_totp) {
        sl_sv_refuse(out, 409, "conflict", "the account has an authenticator");
    } else {
        sl_sv_answer(out, 200, secret_json(&e));
    }
    sl_wipe(e.secret, sizeof e.secret);
    sl_sv_account_free(&e.a);
}

static sl_status new_codes(sl_sv_tx *tx, enrol *e, sl_error **err)
{
    sl_status status = sl_sv_run(tx->s, "DELETE FROM recovery WHERE user_id=$1",
                                 SL_SV_ARGS(sl_cell_text(e->a.id)), err);
    for (size_t i = 0; status == SL_OK && i < CODES; i++) {
        uint8_t random[CODE_BYTES];
        char hex[65];
        sl_buf text = {0};
        status = sl_sv_random(tx->s, random, sizeof random, err);
        sl_base32(&text, random, sizeof random);
        if (status == SL_OK && text.failed) {
            status = sl_fail_nomem(err);
        }
        sl_sv_copy(e->codes[i], sizeof e->codes[i], sl_buf_text(&text));
        sl_buf_free(&text);
        code_hash(tx->s, e->a.id, e->codes[i], hex);
        if (status == SL_OK) {
            status = sl_sv_run(tx->s, "INSERT INTO recovery (user_id, hash) VALUES ($1, $2)",
                               SL_SV_ARGS(sl_cell_text(e->a.id), sl_cell_text(hex)), err);
        }
    }
    return status;
}

/* The first code that is right puts the secret in force; this session gets the second factor. */
static sl_status confirm(sl_sv_tx *tx, void *ctx, sl_error **err)
{
    enrol *e = ctx;
    char id[SL_UUID_LEN + 1];
    e->right = false;
    sl_sv_copy(id, sizeof id, e->a.id);
    sl_status status = sl_sv_account_load(tx->s, "id", id, &e->a, err);
    if (status != SL_OK || e->a.has_totp || e->a.totp[0] == 0) {
        return status;
    }
    status = sl_sv_count_try(tx, &e->a, err);
    if (status == SL_OK && e->a.wait_s == 0) {
        status = take_totp(tx, &e->a, e->code, &e->right, err);
    }
    if (status != SL_OK || !e->right) {
        return status;
    }
    e->a.factor = true;
    status = sl_sv_forget_tries(tx, &e->a, err);
    status = status == SL_OK ? new_codes(tx, e, err) : status;
    return status == SL_OK ? sl_sv_session_new(tx, &e->a, err) : status;
}

static sl_json *codes_json(const enrol *e)
{
    sl_json *j = sl_json_object();
    sl_json *codes = sl_json_array();
    bool ok = j != NULL && codes != NULL;
    for (size_t i = 0; ok && i < CODES; i++) {
        ok = sl_json_add_str(codes, e->codes[i]);
    }
    if (ok) {
        ok = sl_json_set(j, "recovery_codes", codes);
        codes = NULL;
    }
    sl_json_free(codes);
    if (!ok) {
        sl_json_free(j);
        return NULL;
    }
    return j;
}

void sl_sv_totp_confirm(sl_sv_request *r, sl_http_out *out)
{
    sl_service *s = r->s;
    enrol e = {.code = sl_sv_need(r->body, "code", 6, 8, out)};
    if (e.code == NULL) {
        return;
    }
    sl_sv_copy(e.a.id, sizeof e.a.id, r->who.user);
    sl_sv_copy(e.a.device, sizeof e.a.device, r->who.device);
    sl_status status = sl_sv_locked_change(s, confirm, &e);
    sl_json *codes = status == SL_OK && e.right ? codes_json(&e) : NULL;
    if (status != SL_OK) {
        sl_sv_broken(out, status);
    } else if (e.a.wait_s > 0) {
        sl_sv_too_many(out, e.a.wait_s);
    } else if (e.right) {
        sl_lock(s->lock); /* its old session has ended */
        sl_sv_drop_device(s, e.a.id, e.a.device, NULL, 4401);
        sl_unlock(s->lock);
        sl_sv_session_answer(s, &e.a, 200, codes, out);
    } else if (e.a.has_totp || e.a.totp[0] == 0) {
        sl_sv_refuse(out, 409, "conflict", "there is no secret to be confirmed");
    } else {
        sl_sv_invalid(out, "code", "this is not the code of the moment");
    }
    sl_wipe(e.codes, sizeof e.codes);
    sl_sv_account_free(&e.a);
}

static sl_status renew_codes(sl_sv_tx *tx, void *ctx, sl_error **err)
{
    enrol *e = ctx;
    char id[SL_UUID_LEN + 1];
    sl_sv_copy(id, sizeof id, e->a.id);
    sl_status status = sl_sv_account_load(tx->s, "id", id, &e->a, err);
    return status == SL_OK && e->a.has_totp ? new_codes(tx, e, err) : status;
}

void sl_sv_recovery(sl_sv_request *r, sl_http_out *out)
{
    enrol e = {.right = false};
    sl_sv_copy(e.a.id, sizeof e.a.id, r->who.user);
    sl_status status = sl_sv_locked_change(r->s, renew_codes, &e);
    if (status != SL_OK) {
        sl_sv_broken(out, status);
    } else if (!e.a.has_totp) {
        sl_sv_refuse(out, 409, "conflict", "the account has no authenticator");
    } else {
        sl_sv_answer(out, 200, codes_json(&e));
    }
    sl_wipe(e.codes, sizeof e.codes);
    sl_sv_account_free(&e.a);
}
