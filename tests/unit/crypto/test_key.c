/* Keys: made, read, published, refused; the thumbprint example of RFC 7638. */
#include "crypto/key.h"

#include "base/mem.h"
#include "base/prng.h"
#include "crypto/hash.h"
#include "support.h"
#include "vectors.h"

#include <string.h>

static sl_status fill(void *user, void *dst, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ((uint8_t *)dst)[i] = (uint8_t)(sl_prng_next(user) >> 32);
    }
    return SL_OK;
}

static sl_status fill_fails(void *user, void *dst, size_t n)
{
    (void)user;
    memset(dst, 0, n);
    return SL_E_IO;
}

static sl_prng seeded(void)
{
    sl_prng r;
    sl_prng_seed(&r, 42);
    return r;
}

static sl_status read_pem(const char *pem, sl_key **key)
{
    sl_prng r = seeded();
    return sl_key_from_pem(pem, strlen(pem), fill, &r, key, NULL);
}

static sl_status read_jwk(const char *n, const char *e, sl_key **key)
{
    sl_json *jwk = sl_json_object();
    ck_assert(sl_json_set_str(jwk, "kty", "RSA") && sl_json_set_str(jwk, "n", n) &&
              sl_json_set_str(jwk, "e", e));
    sl_status status = sl_key_from_jwk(jwk, key, NULL);
    ck_assert((status == SL_OK) == (*key != NULL));
    sl_json_free(jwk);
    return status;
}

START_TEST(key__a_made_key_signs_and_survives_pem_and_jwk)
{
    sl_prng r = seeded();
    sl_key *key = NULL;
    ck_assert_int_eq(sl_key_generate(2048, fill, &r, &key, NULL), SL_OK);
    ck_assert_uint_eq(sl_key_bits(key), 2048);
    ck_assert(sl_key_is_private(key));
    uint8_t hash[SL_SHA256_LEN] = {7};
    uint8_t sig[SL_KEY_SIG_MAX];
    size_t sig_n = 0;
    ck_assert_int_eq(sl_key_sign(key, fill, &r, hash, sig, &sig_n, NULL), SL_OK);
    ck_assert_uint_eq(sig_n, 256);

    char *pem = NULL;
    sl_key *again = NULL;
    ck_assert_int_eq(sl_key_to_pem(key, &pem, NULL), SL_OK);
    ck_assert_int_eq(read_pem(pem, &again), SL_OK);
    sl_mem_free(pem);
    ck_assert_str_eq(sl_key_id(again), sl_key_id(key));
    ck_assert_int_eq(sl_key_verify(again, hash, sig, sig_n, NULL), SL_OK);
    sl_key_free(again);

    sl_json *jwk = sl_key_jwk(key);
    ck_assert_str_eq(sl_json_str(jwk, "kid"), sl_key_id(key));
    ck_assert_str_eq(sl_json_str(jwk, "e"), "AQAB");
    ck_assert_ptr_null(sl_json_get(jwk, "d"));
    ck_assert_int_eq(sl_key_from_jwk(jwk, &again, NULL), SL_OK);
    sl_json_free(jwk);
    ck_assert(!sl_key_is_private(again));
    ck_assert_int_eq(sl_key_verify(again, hash, sig, sig_n, NULL), SL_OK);
    ck_assert_int_eq(sl_key_sign(again, fill, &r, hash, sig, &sig_n, NULL), SL_E_MISUSE);
    ck_assert_int_eq(sl_key_to_pem(again, &pem, NULL), SL_E_MISUSE);
    sl_key_free(again);
    sl_key_free(key);
    sl_key_free(NULL);
}
END_TEST

START_TEST(key__wrong_signatures_are_refused)
{
    sl_prng r = seeded();
    sl_key *key = NULL;
    ck_assert_int_eq(read_pem(KEY_PEM, &key), SL_OK);
    uint8_t hash[SL_SHA256_LEN] = {1};
    uint8_t sig[SL_KEY_SIG_MAX];
    size_t sig_n = 0;
    ck_assert_int_eq(sl_key_sign(key, fill, &r, hash, sig, &sig_n, NULL), SL_OK);
    ck_assert_int_eq(sl_key_verify(key, hash, sig, sig_n, NULL), SL_OK);
    ck_assert_int_eq(sl_key_verify(key, hash, sig, sig_n - 1, NULL), SL_E_AUTH);
    ck_assert_int_eq(sl_key_verify(key, hash, sig, sig_n + 1, NULL), SL_E_AUTH);
    ck_assert_int_eq(sl_key_verify(key, hash, sig, 0, NULL), SL_E_AUTH);
    hash[31] ^= 1;
    ck_assert_int_eq(sl_key_verify(key, hash, sig, sig_n, NULL), SL_E_AUTH);
    memset(sig, 0xFF, sizeof sig); /* not below the modulus */
    ck_assert_int_eq(sl_key_verify(key, hash, sig, sig_n, NULL), SL_E_AUTH);
    sl_key_free(key);
}
END_TEST

START_TEST(key__both_pem_forms_are_read_and_named_as_rfc_7638_says)
{
    sl_key *key = NULL;
    ck_assert_int_eq(read_pem(KEY_PEM, &key), SL_OK);
    ck_assert_str_eq(sl_key_id(key), KEY_ID);
    char *pem = NULL;
    ck_assert_int_eq(sl_key_public_pem(key, &pem, NULL), SL_OK);
    ck_assert_ptr_nonnull(strstr(pem, "BEGIN PUBLIC KEY"));
    sl_key *none = NULL;
    ck_assert_int_eq(read_pem(pem, &none), SL_E_INVALID);
    sl_mem_free(pem);
    sl_key_free(key);
    ck_assert_int_eq(read_pem(PKCS8_3072_PEM, &key), SL_OK);
    ck_assert_uint_eq(sl_key_bits(key), 3072);
    sl_key_free(key);
    static const char example[] =
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_"
        "BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-"
        "65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-"
        "bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
    ck_assert_int_eq(read_jwk(example, "AQAB", &key), SL_OK);
    ck_assert_str_eq(sl_key_id(key), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    sl_key_free(key);
}
END_TEST

START_TEST(key__weak_and_foreign_keys_are_refused)
{
    sl_prng r = seeded();
    sl_key *key = NULL;
    ck_assert_int_eq(sl_key_generate(2047, fill, &r, &key, NULL), SL_E_INVALID);
    ck_assert_int_eq(sl_key_generate(1024, fill, &r, &key, NULL), SL_E_INVALID);
    ck_assert_int_eq(sl_key_generate(8200, fill, &r, &key, NULL), SL_E_INVALID);
    ck_assert_int_eq(sl_key_generate(2048, fill_fails, NULL, &key, NULL), SL_E_IO);
    const char *const pems[] = {WEAK_1024_PEM, WEAK_512_PEM, EXPONENT_3_PEM,
                                EC_PEM,        "",           "nonsense"};
    for (size_t i = 0; i < sizeof pems / sizeof pems[0]; i++) {
        ck_assert_int_eq(read_pem(pems[i], &key), SL_E_INVALID);
        ck_assert_ptr_null(key);
    }
    char *huge = sl_mem(20000);
    ck_assert_int_eq(sl_key_from_pem(huge, 20000, fill, &r, &key, NULL), SL_E_LIMIT);
    sl_mem_free(huge);
    /* The first lines of a key, without the rest. */
    for (size_t n = 0; n < strlen(KEY_PEM) - 1; n += 61) {
        ck_assert_int_eq(sl_key_from_pem(KEY_PEM, n, fill, &r, &key, NULL), SL_E_INVALID);
    }
}
END_TEST

START_TEST(key__weak_and_malformed_public_keys_are_refused)
{
    sl_key *key = NULL;
    ck_assert_int_eq(read_jwk(KEY_N, "AQAB", &key), SL_OK);
    ck_assert_str_eq(sl_key_id(key), KEY_ID);
    sl_key_free(key);
    const char *const exponents[] = {"AQ", "Aw",    "AQAA", "AAEAAQ",
                                     "",   "AQAB=", "_w",   "AQABAQABAQAB"};
    for (size_t i = 0; i < sizeof exponents / sizeof exponents[0]; i++) {
        ck_assert_int_eq(read_jwk(KEY_N, exponents[i], &key), SL_E_INVALID);
    }
    const char *const moduli[] = {"", "AQ", "____________", "AAAA", "!!!!"};
    for (size_t i = 0; i < sizeof moduli / sizeof moduli[0]; i++) {
        ck_assert_int_eq(read_jwk(moduli[i], "AQAB", &key), SL_E_INVALID);
    }
    char short_n[172]; /* 1024 bits */
    memcpy(short_n, KEY_N, 171);
    short_n[170] = 'A';
    short_n[171] = 0;
    ck_assert_int_eq(read_jwk(short_n, "AQAB", &key), SL_E_INVALID);
    ck_assert_int_eq(sl_key_from_jwk(NULL, &key, NULL), SL_E_INVALID);
    sl_json *jwk = sl_json_object();
    ck_assert(sl_json_set_str(jwk, "kty", "oct") && sl_json_set_str(jwk, "n", KEY_N) &&
              sl_json_set_str(jwk, "e", "AQAB"));
    ck_assert_int_eq(sl_key_from_jwk(jwk, &key, NULL), SL_E_INVALID);
    ck_assert(sl_json_set_str(jwk, "kty", "RSA") && sl_json_set_str(jwk, "alg", "HS256"));
    ck_assert_int_eq(sl_key_from_jwk(jwk, &key, NULL), SL_E_INVALID);
    sl_json_free(jwk);
}
END_TEST

START_TEST(key__every_failed_allocation_is_told_and_leaks_nothing)
{
    for (uint64_t k = 1; k < 100; k++) {
        sl_prng r = seeded();
        sl_key *key = NULL;
        sl_mem_fail_at(k, false);
        sl_status status = sl_key_from_pem(KEY_PEM, strlen(KEY_PEM), fill, &r, &key, NULL);
        sl_mem_fail_at(0, false);
        ck_assert(status == SL_OK || status == SL_E_NOMEM);
        sl_key_free(key);
        if (status == SL_OK) {
            ck_assert_uint_gt(k, 4);
            return;
        }
    }
    ck_abort_msg("reading a key never succeeded");
}
END_TEST

SL_TEST_MAIN("crypto_key", key__a_made_key_signs_and_survives_pem_and_jwk,
             key__wrong_signatures_are_refused,
             key__both_pem_forms_are_read_and_named_as_rfc_7638_says,
             key__weak_and_foreign_keys_are_refused,
             key__weak_and_malformed_public_keys_are_refused,
             key__every_failed_allocation_is_told_and_leaks_nothing)
