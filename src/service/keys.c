/*
 * service/keys.c - the keys that sign access tokens.
 *
 *   [KEY-1] one key signs; one that was replaced is published, and its tokens are taken, until the
 *           last of them has ended;
 *   [KEY-2] a key of ours signs for KEY_LIFE_MS at most: at the next start it is replaced.
 */
#include "base/error.h"
#include "base/mem.h"
#include "crypto/hash.h"
#include "crypto/jwt.h"
#include "service/account.h"

#include <stdlib.h>
#include <string.h>

static const int64_t KEY_LIFE_MS = INT64_C(90) * 86400 * 1000;
static const int64_t TAIL_MS = (int64_t)(3600 + SL_JWT_SKEW_MAX_S) * 1000; /* a token's life */

static sl_status key_of(const sl_service *s, const char *pem, sl_key **key, sl_error **err)
{
    const sl_platform *p = s->ports.platform;
    return sl_key_from_pem(pem, strlen(pem), p->random->fill, p->user, key, err);
}

static sl_status make_key(const sl_service *s, sl_key **key, char **pem, sl_error **err)
{
    const sl_platform *p = s->ports.platform;
    sl_status status = sl_key_generate(SL_KEY_BITS_MIN, p->random->fill, p->user, key, err);
    return status == SL_OK ? sl_key_to_pem(*key, pem, err) : status;
}

static void drop_text(char *pem)
{
    if (pem != NULL) {
        sl_wipe(pem, strlen(pem));
    }
    sl_mem_free(pem);
}

static void forget_old(sl_service *s)
{
    for (size_t i = 0; i < s->old_key_count; i++) {
        sl_key_free(s->old_keys[i].key);
    }
    sl_mem_free(s->old_keys);
    s->old_keys = NULL;
    s->old_key_count = 0;
}

void sl_sv_keys_free(sl_service *s)
{
    forget_old(s);
    sl_key_free(s->key);
    s->key = NULL;
}

static sl_status read_old(sl_service *s, int64_t now_ms, sl_error **err)
{
    sl_sv_rows rows;
    forget_old(s);
    sl_status status = sl_sv_run(s, "DELETE FROM signing_key WHERE retired_ms<=$1",
                                 SL_SV_ARGS(sl_cell_int(now_ms - TAIL_MS)), err);
    if (status != SL_OK) {
        return status;
    }
    status = sl_sv_all(s, "SELECT pem, retired_ms FROM signing_key ORDER BY retired_ms DESC", NULL,
                       0, &rows, err);
    s->old_keys = status == SL_OK ? sl_mem_array(rows.count + 1, sizeof *s->old_keys) : NULL;
    if (status == SL_OK && s->old_keys == NULL) {
        status = sl_fail_nomem(err);
    }
    for (size_t i = 0; status == SL_OK && s->old_keys != NULL && i < rows.count; i++) {
        sl_sv_old_key *old = &s->old_keys[s->old_key_count];
        old->retired_ms = sl_sv_int(&rows, i, 1);
        status = key_of(s, sl_sv_text(&rows, i, 0), &old->key, err);
        s->old_key_count += status == SL_OK ? 1 : 0;
    }
    sl_sv_rows_free(&rows);
    return status;
}

/* The new key signs from now on; the one before goes to those that are still taken. */
static sl_status replace(sl_sv_tx *tx, const char *pem, sl_error **err)
{
    sl_service *s = tx->s;
    char *had = NULL;
    char now[24];
    sl_json *stamp = sl_json_number((double)tx->now_ms);
    char *text = stamp != NULL ? sl_json_print(stamp) : NULL;
    sl_json_free(stamp);
    sl_sv_copy(now, sizeof now, text != NULL ? text : "");
    sl_mem_free(text);
    sl_status status = sl_sv_meta_get(s, "key_pem", &had, err);
    if (status == SL_OK && had != NULL) {
        sl_key *old = NULL;
        status = key_of(s, had, &old, err);
        if (status == SL_OK) {
            status =
                sl_sv_run(s, "INSERT INTO signing_key (kid, pem, retired_ms) VALUES ($1, $2, $3)",
                          SL_SV_ARGS(sl_cell_text(sl_key_id(old)), sl_cell_text(had),
                                     sl_cell_int(tx->now_ms)),
                          err);
        }
        sl_key_free(old);
    }
    drop_text(had);
    if (status == SL_OK) {
        status = sl_sv_meta_set(s, "key_pem", pem, err);
    }
    return status == SL_OK ? sl_sv_meta_set(s, "key_made_ms", now, err) : status;
}

/* A key from before its age was noted begins to age now. */
static sl_status is_due(sl_sv_tx *tx, bool *due, sl_error **err)
{
    char *text = NULL;
    sl_status status = sl_sv_meta_get(tx->s, "key_made_ms", &text, err);
    *due = text != NULL && tx->now_ms - strtoll(text, NULL, 10) > KEY_LIFE_MS;
    sl_mem_free(text);
    return status;
}

static sl_status own_key(sl_sv_tx *tx, sl_error **err)
{
    sl_service *s = tx->s;
    char *pem = NULL;
    bool due = false;
    sl_status status = sl_sv_meta_get(s, "key_pem", &pem, err);
    if (status == SL_OK && pem != NULL) {
        status = is_due(tx, &due, err);
    }
    if (status == SL_OK && (pem == NULL || due)) {
        drop_text(pem);
        pem = NULL;
        status = make_key(s, &s->key, &pem, err);
        if (status == SL_OK) {
            status = replace(tx, pem, err);
        }
    } else if (status == SL_OK) {
        status = key_of(s, pem, &s->key, err);
    }
    drop_text(pem);
    return status;
}

sl_status sl_sv_keys_start(sl_service *s, const char *key_pem, sl_error **err)
{
    sl_sv_tx tx = {.s = s, .now_ms = sl_sv_now(s)};
    sl_key_free(s->key);
    s->key = NULL;
    s->key_given = key_pem != NULL;
    sl_status status = s->key_given ? key_of(s, key_pem, &s->key, err) : own_key(&tx, err);
    if (status == SL_OK && !sl_key_is_private(s->key)) {
        status = sl_fail(err, SL_E_INVALID, "the key that signs tokens must be a private one");
    }
    return status == SL_OK ? read_old(s, tx.now_ms, err) : status;
}

const sl_key *sl_sv_key_for(const sl_service *s, const char *token)
{
    char kid[SL_KEY_ID_LEN + 1];
    if (!sl_jwt_key_id(token, strlen(token), kid, sizeof kid)) {
        return NULL;
    }
    if (strcmp(kid, sl_key_id(s->key)) == 0) {
        return s->key;
    }
    for (size_t i = 0; i < s->old_key_count; i++) {
        const sl_sv_old_key *old = &s->old_keys[i];
        if (strcmp(kid, sl_key_id(old->key)) == 0 && sl_sv_now(s) < old->retired_ms + TAIL_MS) {
            return old->key;
        }
    }
    return NULL;
}

static sl_status rotate(sl_sv_tx *tx, void *ctx, sl_error **err)
{
    return replace(tx, ctx, err);
}

void sl_sv_keys_rotate(sl_sv_request *r, sl_http_out *out)
{
    sl_service *s = r->s;
    sl_key *key = NULL;
    char *pem = NULL;
    if (s->key_given) {
        sl_sv_refuse(out, 409, "conflict", "the key is given by the configuration");
        return;
    }
    sl_status status = make_key(s, &key, &pem, NULL); /* takes a while: not under the lock */
    sl_lock(s->lock);
    if (status == SL_OK) {
        status = sl_sv_change(s, rotate, pem, NULL);
    }
    if (status == SL_OK) {
        sl_key_free(s->key);
        s->key = key;
        key = NULL;
        sl_sv_tokens_forget(s);
        status = read_old(s, sl_sv_now(s), NULL);
    }
    sl_json *j = sl_json_object();
    if (j != NULL && !sl_json_set_str(j, "kid", sl_key_id(s->key))) {
        sl_json_free(j);
        j = NULL;
    }
    sl_unlock(s->lock);
    sl_key_free(key);
    drop_text(pem);
    if (status != SL_OK) {
        sl_json_free(j);
        sl_sv_broken(out, status);
    } else {
        sl_sv_answer(out, 200, j);
    }
}

void sl_sv_jwks(sl_sv_request *r, sl_http_out *out)
{
    sl_service *s = r->s;
    sl_json *j = sl_json_object();
    sl_json *keys = sl_json_array();
    sl_lock(s->lock);
    bool ok = keys != NULL && sl_json_add(keys, sl_key_jwk(s->key)) && j != NULL;
    for (size_t i = 0; ok && i < s->old_key_count; i++) {
        ok = sl_sv_now(s) >= s->old_keys[i].retired_ms + TAIL_MS ||
             sl_json_add(keys, sl_key_jwk(s->old_keys[i].key));
    }
    sl_unlock(s->lock);
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
