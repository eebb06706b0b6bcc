#include "crypto/key.h"

#include "base/base64.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/thread.h"
#include "crypto/hash.h"

#include <mbedtls/pk.h>
#include <mbedtls/rsa.h>
#include <mbedtls/version.h>
#include <string.h>

enum {
    PEM_LEN_MAX = 16384, /* a private key of 8192 bits takes 6.4 kB */
    EXPONENT = 65537,
    EXPONENT_LEN_MAX = 8
};

/* The library remembers helper values inside the context even when it only reads the key, so
 * every use of it is under the lock. */
struct sl_key {
    mbedtls_pk_context *pk;
    sl_mutex *lock;
    uint32_t bits;
    bool is_private;
    char id[SL_KEY_ID_LEN + 1];
};

typedef struct rng {
    sl_random_fn fill;
    void *user;
} rng;

static int rng_fill(void *p, unsigned char *dst, size_t n)
{
    const rng *r = p;
    return r->fill(r->user, dst, n) == SL_OK ? 0 : MBEDTLS_ERR_RSA_RNG_FAILED;
}

static sl_key *key_new(void)
{
    sl_key *key = sl_mem(sizeof *key);
    if (key == NULL) {
        return NULL;
    }
    key->lock = sl_mutex_new();
    key->pk = sl_mem(sizeof *key->pk);
    if (key->lock == NULL || key->pk == NULL) {
        sl_mutex_free(key->lock);
        sl_mem_free(key->pk);
        sl_mem_free(key);
        return NULL;
    }
    mbedtls_pk_init(key->pk);
    return key;
}

void sl_key_free(sl_key *key)
{
    if (key != NULL) {
        mbedtls_pk_free(key->pk);
        sl_mem_free(key->pk);
        sl_mutex_free(key->lock);
        sl_mem_free(key);
    }
}

/* Modulus and exponent, big endian without leading zeros, as base64url. */
static bool public_parts(const sl_key *key, sl_buf *n64, sl_buf *e64)
{
    uint8_t n[SL_KEY_BITS_MAX / 8];
    uint8_t e[EXPONENT_LEN_MAX];
    size_t n_len = (key->bits + 7) / 8;
    if (mbedtls_rsa_export_raw(mbedtls_pk_rsa(*key->pk), n, n_len, NULL, 0, NULL, 0, NULL, 0, e,
                               sizeof e) != 0) {
        return false;
    }
    size_t zeros = 0;
    while (zeros < sizeof e - 1 && e[zeros] == 0) {
        zeros++;
    }
    sl_base64url(n64, n, n_len);
    sl_base64url(e64, e + zeros, sizeof e - zeros);
    return !n64->failed && !e64->failed;
}

/* RFC 7638: the hash of the required members, sorted, without spaces. */
static sl_status name_key(sl_key *key, sl_error **err)
{
    sl_buf n64 = {0};
    sl_buf e64 = {0};
    sl_buf text = {0};
    sl_buf id = {0};
    sl_status status = SL_E_NOMEM;
    if (!public_parts(key, &n64, &e64)) {
        goto out;
    }
    sl_buf_fmt(&text, "{\"e\":\"%s\",\"kty\":\"RSA\",\"n\":\"%s\"}", sl_buf_text(&e64),
               sl_buf_text(&n64));
    if (text.failed) {
        goto out;
    }
    uint8_t hash[SL_SHA256_LEN];
    sl_sha256_of(text.data, text.len, hash);
    sl_base64url(&id, hash, sizeof hash);
    if (!id.failed && id.len == SL_KEY_ID_LEN) {
        memcpy(key->id, id.data, SL_KEY_ID_LEN);
        status = SL_OK;
    }
out:
    sl_buf_free(&n64);
    sl_buf_free(&e64);
    sl_buf_free(&text);
    sl_buf_free(&id);
    return status == SL_OK ? SL_OK : sl_fail_nomem(err);
}

/* [KEY-1] */
static sl_status check_strength(sl_key *key, sl_error **err)
{
    mbedtls_mpi n;
    mbedtls_mpi e;
    mbedtls_mpi_init(&n);
    mbedtls_mpi_init(&e);
    sl_status status = SL_OK;
    if (mbedtls_rsa_export(mbedtls_pk_rsa(*key->pk), &n, NULL, NULL, NULL, &e) != 0) {
        status = sl_fail_nomem(err);
        goto out;
    }
    size_t bits = mbedtls_mpi_bitlen(&n);
    if (bits < SL_KEY_BITS_MIN || bits > SL_KEY_BITS_MAX) {
        status = sl_fail(err, SL_E_INVALID, "an RSA key of %u bits is not accepted, only %d to %d",
                         (unsigned)bits, SL_KEY_BITS_MIN, SL_KEY_BITS_MAX);
    } else if (mbedtls_mpi_cmp_int(&e, EXPONENT) < 0 || mbedtls_mpi_get_bit(&e, 0) == 0 ||
               mbedtls_mpi_size(&e) > EXPONENT_LEN_MAX) {
        status = sl_fail(err, SL_E_INVALID, "the RSA key's public exponent is not accepted");
    }
    key->bits = (uint32_t)bits;
out:
    mbedtls_mpi_free(&n);
    mbedtls_mpi_free(&e);
    return status;
}

static sl_status key_finish(sl_key *key, sl_key **out, sl_error **err)
{
    sl_status status = check_strength(key, err);
    if (status == SL_OK) {
        status = name_key(key, err);
    }
    if (status == SL_OK) {
        *out = key;
    } else {
        sl_key_free(key);
    }
    return status;
}

sl_status sl_key_generate(uint32_t bits, sl_random_fn random, void *user, sl_key **key,
                          sl_error **err)
{
    *key = NULL;
    if (bits < SL_KEY_BITS_MIN || bits > SL_KEY_BITS_MAX || bits % 8 != 0) {
        return sl_fail(err, SL_E_INVALID, "an RSA key of %u bits is not accepted, only %d to %d",
                       (unsigned)bits, SL_KEY_BITS_MIN, SL_KEY_BITS_MAX);
    }
    sl_key *made = key_new();
    if (made == NULL) {
        return sl_fail_nomem(err);
    }
    rng r = {random, user};
    int rc = mbedtls_pk_setup(made->pk, mbedtls_pk_info_from_type(MBEDTLS_PK_RSA));
    if (rc == 0) {
        rc = mbedtls_rsa_gen_key(mbedtls_pk_rsa(*made->pk), rng_fill, &r, bits, EXPONENT);
    }
    if (rc != 0) {
        sl_key_free(made);
        return sl_fail(err, SL_E_IO, "an RSA key could not be made (-0x%04x)", (unsigned)-rc);
    }
    made->is_private = true;
    return key_finish(made, key, err);
}

static int parse_pem(mbedtls_pk_context *pk, const uint8_t *text, size_t n, rng *r)
{
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
    return mbedtls_pk_parse_key(pk, text, n, NULL, 0, rng_fill, r);
#else
    (void)r;
    return mbedtls_pk_parse_key(pk, text, n, NULL, 0);
#endif
}

sl_status sl_key_from_pem(const char *pem, size_t n, sl_random_fn random, void *user, sl_key **key,
                          sl_error **err)
{
    *key = NULL;
    if (n >= PEM_LEN_MAX) {
        return sl_fail(err, SL_E_LIMIT, "a key file of %zu bytes is too long", n);
    }
    /* The reader wants a NUL that is counted. */
    uint8_t *text = sl_mem(n + 1);
    sl_key *made = key_new();
    if (text == NULL || made == NULL) {
        sl_mem_free(text);
        sl_key_free(made);
        return sl_fail_nomem(err);
    }
    memcpy(text, pem, n);
    rng r = {random, user};
    int rc = parse_pem(made->pk, text, n + 1, &r);
    sl_wipe(text, n);
    sl_mem_free(text);
    bool good = rc == 0 && mbedtls_pk_get_type(made->pk) == MBEDTLS_PK_RSA &&
                mbedtls_rsa_check_privkey(mbedtls_pk_rsa(*made->pk)) == 0;
    if (!good) {
        sl_key_free(made);
        return sl_fail(err, SL_E_INVALID, "the text is not an RSA private key in PEM form");
    }
    made->is_private = true;
    return key_finish(made, key, err);
}

/* A JWK integer: base64url, no leading zero byte. */
static bool jwk_number(const sl_json *jwk, const char *name, size_t max, sl_buf *out)
{
    const char *text = sl_json_str(jwk, name);
    return text != NULL && strlen(text) <= max * 2 &&
           sl_base64url_decode(out, text, strlen(text)) && out->len > 0 && out->len <= max &&
           out->data[0] != 0;
}

static bool jwk_says(const sl_json *jwk, const char *name, const char *only)
{
    const sl_json *member = sl_json_get(jwk, name);
    return member == NULL || (sl_json_is_string(member) && strcmp(sl_json_text(member), only) == 0);
}

sl_status sl_key_from_jwk(const sl_json *jwk, sl_key **key, sl_error **err)
{
    *key = NULL;
    sl_buf n = {0};
    sl_buf e = {0};
    sl_key *made = NULL;
    sl_status status = SL_OK;
    if (!sl_json_is_object(jwk) || sl_json_str(jwk, "kty") == NULL ||
        !jwk_says(jwk, "kty", "RSA") || !jwk_says(jwk, "alg", "RS256") ||
        !jwk_says(jwk, "use", "sig") || !jwk_number(jwk, "n", SL_KEY_BITS_MAX / 8, &n) ||
        !jwk_number(jwk, "e", EXPONENT_LEN_MAX, &e)) {
        status = sl_fail(err, SL_E_INVALID, "the JSON is not an RSA key for RS256 signatures");
        goto out;
    }
    made = key_new();
    if (made == NULL) {
        status = sl_fail_nomem(err);
        goto out;
    }
    int rc = mbedtls_pk_setup(made->pk, mbedtls_pk_info_from_type(MBEDTLS_PK_RSA));
    mbedtls_rsa_context *rsa = mbedtls_pk_rsa(*made->pk);
    if (rc != 0 ||
        mbedtls_rsa_import_raw(rsa, n.data, n.len, NULL, 0, NULL, 0, NULL, 0, e.data, e.len) != 0) {
        status = sl_fail_nomem(err);
        goto out;
    }
    if (mbedtls_rsa_complete(rsa) != 0 || mbedtls_rsa_check_pubkey(rsa) != 0) {
        status = sl_fail(err, SL_E_INVALID, "the JSON is not a usable RSA key");
        goto out;
    }
    status = key_finish(made, key, err);
    made = NULL;
out:
    sl_key_free(made);
    sl_buf_free(&n);
    sl_buf_free(&e);
    return status;
}

uint32_t sl_key_bits(const sl_key *key)
{
    return key->bits;
}

bool sl_key_is_private(const sl_key *key)
{
    return key->is_private;
}

const char *sl_key_id(const sl_key *key)
{
    return key->id;
}

static sl_status write_pem(const sl_key *key, bool secret, char **pem, sl_error **err)
{
    *pem = NULL;
    uint8_t *text = sl_mem(PEM_LEN_MAX);
    if (text == NULL) {
        return sl_fail_nomem(err);
    }
    sl_lock(key->lock);
    int rc = secret ? mbedtls_pk_write_key_pem(key->pk, text, PEM_LEN_MAX)
                    : mbedtls_pk_write_pubkey_pem(key->pk, text, PEM_LEN_MAX);
    sl_unlock(key->lock);
    if (rc == 0) {
        *pem = sl_text_dup((const char *)text);
    }
    sl_wipe(text, PEM_LEN_MAX);
    sl_mem_free(text);
    return *pem != NULL ? SL_OK : sl_fail_nomem(err);
}

sl_status sl_key_to_pem(const sl_key *key, char **pem, sl_error **err)
{
    *pem = NULL;
    if (!key->is_private) {
        return sl_fail(err, SL_E_MISUSE, "a public key has no private form");
    }
    return write_pem(key, true, pem, err);
}

sl_status sl_key_public_pem(const sl_key *key, char **pem, sl_error **err)
{
    return write_pem(key, false, pem, err);
}

sl_json *sl_key_jwk(const sl_key *key)
{
    sl_buf n64 = {0};
    sl_buf e64 = {0};
    sl_json *jwk = sl_json_object();
    sl_lock(key->lock);
    bool good = public_parts(key, &n64, &e64);
    sl_unlock(key->lock);
    good = good && jwk != NULL && sl_json_set_str(jwk, "kty", "RSA") &&
           sl_json_set_str(jwk, "n", sl_buf_text(&n64)) &&
           sl_json_set_str(jwk, "e", sl_buf_text(&e64)) && sl_json_set_str(jwk, "alg", "RS256") &&
           sl_json_set_str(jwk, "use", "sig") && sl_json_set_str(jwk, "kid", key->id);
    if (!good) {
        sl_json_free(jwk);
        jwk = NULL;
    }
    sl_buf_free(&n64);
    sl_buf_free(&e64);
    return jwk;
}

sl_status sl_key_sign(const sl_key *key, sl_random_fn random, void *user, const uint8_t hash[32],
                      uint8_t *sig, size_t *sig_n, sl_error **err)
{
    if (!key->is_private) {
        return sl_fail(err, SL_E_MISUSE, "a public key cannot sign");
    }
    rng r = {random, user};
    *sig_n = 0;
    sl_lock(key->lock);
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
    int rc = mbedtls_pk_sign(key->pk, MBEDTLS_MD_SHA256, hash, SL_SHA256_LEN, sig, SL_KEY_SIG_MAX,
                             sig_n, rng_fill, &r);
#else
    int rc =
        mbedtls_pk_sign(key->pk, MBEDTLS_MD_SHA256, hash, SL_SHA256_LEN, sig, sig_n, rng_fill, &r);
#endif
    sl_unlock(key->lock);
    return rc == 0 ? SL_OK : sl_fail(err, SL_E_IO, "signing failed (-0x%04x)", (unsigned)-rc);
}

sl_status sl_key_verify(const sl_key *key, const uint8_t hash[32], const uint8_t *sig, size_t sig_n,
                        sl_error **err)
{
    if (sig_n != (key->bits + 7) / 8) {
        return sl_fail(err, SL_E_AUTH, "the signature has the wrong length");
    }
    sl_lock(key->lock);
    int rc = mbedtls_pk_verify(key->pk, MBEDTLS_MD_SHA256, hash, SL_SHA256_LEN, sig, sig_n);
    sl_unlock(key->lock);
    return rc == 0 ? SL_OK : sl_fail(err, SL_E_AUTH, "the signature does not match");
}
