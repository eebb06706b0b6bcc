#include "crypto/jwt.h"

#include "base/base64.h"
#include "base/error.h"
#include "base/mem.h"
#include "crypto/hash.h"

#include <string.h>

static sl_status refuse(sl_error **err, const char *why)
{
    return sl_fail(err, SL_E_AUTH, "the token is refused: %s", why);
}

sl_status sl_jwt_sign(const sl_key *key, sl_random_fn random, void *user, const sl_json *claims,
                      char **text, sl_error **err)
{
    *text = NULL;
    if (!sl_json_is_object(claims)) {
        return sl_fail(err, SL_E_MISUSE, "the claims of a token are an object");
    }
    sl_buf out = {0};
    sl_buf head = {0};
    uint8_t hash[SL_SHA256_LEN];
    uint8_t sig[SL_KEY_SIG_MAX];
    size_t sig_n = 0;
    sl_status status = SL_OK;
    char *body = sl_json_print(claims);
    sl_buf_fmt(&head, "{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":\"%s\"}", sl_key_id(key));
    if (body == NULL || head.failed) {
        status = sl_fail_nomem(err);
        goto out;
    }
    sl_base64url(&out, head.data, head.len);
    sl_buf_u8(&out, '.');
    sl_base64url(&out, body, strlen(body));
    if (out.failed) {
        status = sl_fail_nomem(err);
        goto out;
    }
    sl_sha256_of(out.data, out.len, hash);
    status = sl_key_sign(key, random, user, hash, sig, &sig_n, err);
    if (status != SL_OK) {
        goto out;
    }
    sl_buf_u8(&out, '.');
    sl_base64url(&out, sig, sig_n);
    if (out.len > SL_JWT_LEN_MAX) {
        status =
            sl_fail(err, SL_E_LIMIT, "the token would be longer than %d bytes", SL_JWT_LEN_MAX);
        goto out;
    }
    *text = out.failed ? NULL : sl_text_ndup((const char *)out.data, out.len);
    if (*text == NULL) {
        status = sl_fail_nomem(err);
    }
out:
    sl_mem_free(body);
    sl_buf_free(&head);
    sl_buf_free(&out);
    return status;
}

/* The three parts of a token, as text. */
typedef struct parts {
    const char *p[3];
    size_t n[3];
} parts;

static bool split(const char *text, size_t n, parts *out)
{
    size_t part = 0;
    size_t from = 0;
    for (size_t i = 0; i <= n; i++) {
        if (i < n && text[i] != '.') {
            continue;
        }
        if (part == 3 || i == from) {
            return false;
        }
        out->p[part] = text + from;
        out->n[part] = i - from;
        part++;
        from = i + 1;
    }
    return part == 3;
}

/* [JWT-3] Values nest at most as deep as the JSON reader lets them. */
static bool has_twins(const sl_json *j)
{
    bool object = sl_json_is_object(j);
    if (!object && !sl_json_is_array(j)) {
        return false;
    }
    for (const sl_json *m = sl_json_first(j); m != NULL; m = sl_json_next(m)) {
        if (has_twins(m)) {
            return true;
        }
        const sl_json *later = object ? sl_json_next(m) : NULL;
        for (; later != NULL; later = sl_json_next(later)) {
            if (strcmp(sl_json_key(m), sl_json_key(later)) == 0) {
                return true;
            }
        }
    }
    return false;
}

/* Texts are compared as C strings, so that a NUL inside one would hide its end. */
static bool has_nul(const sl_buf *b)
{
    return b->len == 0 || memchr(b->data, 0, b->len) != NULL ||
           strstr(sl_buf_text(b), "\\u0000") != NULL;
}

/* An object out of one part, or NULL. */
static sl_json *read_part(const char *p, size_t n)
{
    sl_buf b = {0};
    sl_json *j = NULL;
    if (sl_base64url_decode(&b, p, n) && !has_nul(&b)) {
        j = sl_json_parse((const char *)b.data, b.len);
    }
    sl_buf_free(&b);
    if (j != NULL && (!sl_json_is_object(j) || has_twins(j))) {
        sl_json_free(j);
        j = NULL;
    }
    return j;
}

/* [JWT-1] [JWT-2] */
static bool typ_ok(const char *typ, bool identity)
{
    return identity ? typ == NULL || strcmp(typ, "JWT") == 0
                    : typ != NULL && strcmp(typ, "at+jwt") == 0;
}

static sl_status check_header(const sl_key *key, const sl_jwt_rules *rules, const parts *t,
                              sl_error **err)
{
    const char *wanted = rules->kid != NULL ? rules->kid : sl_key_id(key);
    sl_json *head = read_part(t->p[0], t->n[0]);
    if (head == NULL) {
        return refuse(err, "its header is not a plain object");
    }
    sl_status status = SL_OK;
    for (const sl_json *m = sl_json_first(head); m != NULL; m = sl_json_next(m)) {
        const char *name = sl_json_key(m);
        if (strcmp(name, "alg") != 0 && strcmp(name, "typ") != 0 && strcmp(name, "kid") != 0) {
            status = refuse(err, "its header holds what is not understood");
        }
    }
    const char *alg = sl_json_str(head, "alg");
    const char *typ = sl_json_str(head, "typ");
    const char *kid = sl_json_str(head, "kid");
    if (status != SL_OK) {
        /* said already */
    } else if (alg == NULL || strcmp(alg, "RS256") != 0) {
        status = refuse(err, "it is not signed with RS256");
    } else if (!typ_ok(typ, rules->identity)) {
        status = refuse(err, "it is a token of another kind");
    } else if (kid == NULL || strcmp(kid, wanted) != 0) {
        status = refuse(err, "it names another key");
    }
    sl_json_free(head);
    return status;
}

static sl_status check_signature(const sl_key *key, const parts *t, sl_error **err)
{
    uint8_t hash[SL_SHA256_LEN];
    sl_sha256_of(t->p[0], t->n[0] + 1 + t->n[1], hash);
    sl_buf sig = {0};
    sl_status status = SL_OK;
    if (!sl_base64url_decode(&sig, t->p[2], t->n[2])) {
        status = refuse(err, "its signature is not base64url");
    } else {
        status = sl_key_verify(key, hash, sig.data, sig.len, err);
    }
    sl_buf_free(&sig);
    return status;
}

/* Absent and not required is fine; present must be an integer. */
static bool time_claim(const sl_json *claims, const char *name, bool required, int64_t *out)
{
    const sl_json *m = sl_json_get(claims, name);
    if (m == NULL) {
        return !required;
    }
    return sl_json_is_int(m) && sl_json_int(claims, name, out);
}

/* [JWT-4] */
static sl_status check_times(const sl_json *claims, const sl_jwt_rules *rules, sl_error **err)
{
    int64_t skew = rules->skew_s < 0 ? 0 : rules->skew_s;
    skew = skew > SL_JWT_SKEW_MAX_S ? SL_JWT_SKEW_MAX_S : skew;
    int64_t exp = 0;
    int64_t nbf = rules->now_s;
    int64_t iat = rules->now_s;
    if (!time_claim(claims, "exp", true, &exp) || !time_claim(claims, "nbf", false, &nbf) ||
        !time_claim(claims, "iat", false, &iat)) {
        return refuse(err, "its times are missing or not integers");
    }
    if (exp + skew <= rules->now_s) {
        return refuse(err, "it has expired");
    }
    if (nbf - skew > rules->now_s || iat - skew > rules->now_s) {
        return refuse(err, "it is from the future");
    }
    return SL_OK;
}

static bool audience_has(const sl_json *aud, const char *us)
{
    if (sl_json_is_string(aud)) {
        return strcmp(sl_json_text(aud), us) == 0;
    }
    bool found = false;
    const sl_json *m = sl_json_is_array(aud) ? sl_json_first(aud) : NULL;
    for (; m != NULL; m = sl_json_next(m)) {
        if (!sl_json_is_string(m)) {
            return false;
        }
        found = found || strcmp(sl_json_text(m), us) == 0;
    }
    return found;
}

static sl_status check_claims(const sl_json *claims, const sl_jwt_rules *rules, sl_error **err)
{
    const char *iss = sl_json_str(claims, "iss");
    if (iss == NULL || strcmp(iss, rules->iss) != 0) {
        return refuse(err, "its issuer is another");
    }
    if (!audience_has(sl_json_get(claims, "aud"), rules->aud)) {
        return refuse(err, "it is meant for another audience");
    }
    return check_times(claims, rules, err);
}

bool sl_jwt_key_id(const char *text, size_t len, char *kid, size_t n)
{
    parts t;
    bool ok = text != NULL && len <= SL_JWT_LEN_MAX && split(text, len, &t);
    sl_json *head = ok ? read_part(t.p[0], t.n[0]) : NULL;
    const char *id = sl_json_str(head, "kid");
    ok = id != NULL && strlen(id) < n;
    if (ok) {
        memcpy(kid, id, strlen(id) + 1);
    }
    sl_json_free(head);
    return ok;
}

sl_status sl_jwt_verify(const sl_key *key, const char *text, size_t n, const sl_jwt_rules *rules,
                        sl_json **claims, sl_error **err)
{
    *claims = NULL;
    if (rules->iss == NULL || rules->aud == NULL) {
        return sl_fail(err, SL_E_MISUSE, "a token is checked against an issuer and an audience");
    }
    parts t;
    if (text == NULL || n > SL_JWT_LEN_MAX || !split(text, n, &t)) {
        return refuse(err, "it does not have three parts, or is too long");
    }
    sl_status status = check_header(key, rules, &t, err);
    if (status == SL_OK) {
        status = check_signature(key, &t, err);
    }
    if (status != SL_OK) {
        return status;
    }
    sl_json *read = read_part(t.p[1], t.n[1]);
    if (read == NULL) {
        return refuse(err, "its claims are not a plain object");
    }
    status = check_claims(read, rules, err);
    if (status == SL_OK) {
        *claims = read;
    } else {
        sl_json_free(read);
    }
    return status;
}
