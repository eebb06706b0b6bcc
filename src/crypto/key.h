/*
 * crypto/key.h - RSA keys of the tokens: made, stored as PEM, published as JWK (RFC 7517).
 *
 *   [KEY-1] a key below 2048 or above 8192 bits, or with a public exponent below 65537 or even,
 *           is refused however it arrives.
 *
 * A key may be used by several threads at once. Random bytes come in as a callback.
 */
#ifndef SL_CRYPTO_KEY_H
#define SL_CRYPTO_KEY_H

#include "base/json.h"

#include <stdbool.h>

enum {
    SL_KEY_BITS_MIN = 2048,
    SL_KEY_BITS_MAX = 8192,
    SL_KEY_ID_LEN = 43, /* base64url of a SHA-256 */
    SL_KEY_SIG_MAX = SL_KEY_BITS_MAX / 8
};

typedef struct sl_key sl_key;

/* Fills dst with n bytes fit for keys; SL_OK or a failure. */
typedef sl_status (*sl_random_fn)(void *user, void *dst, size_t n);

sl_status sl_key_generate(uint32_t bits, sl_random_fn random, void *user, sl_key **key,
                          sl_error **err);
/* A private key, PKCS#1 or PKCS#8 without password. Random hides the key during checks. */
sl_status sl_key_from_pem(const char *pem, size_t n, sl_random_fn random, void *user, sl_key **key,
                          sl_error **err);
/* A public key: {"kty":"RSA","n":...,"e":...}; "alg" and "use", when present, must be RS256, sig. */
sl_status sl_key_from_jwk(const sl_json *jwk, sl_key **key, sl_error **err);
void sl_key_free(sl_key *key); /* NULL accepted */

uint32_t sl_key_bits(const sl_key *key);
bool sl_key_is_private(const sl_key *key);
/* RFC 7638 thumbprint, SL_KEY_ID_LEN characters: the "kid". Borrowed until the key is freed. */
const char *sl_key_id(const sl_key *key);
/* Text, freed with sl_mem_free. The first is secret: wipe it. SL_E_MISUSE for a public key. */
sl_status sl_key_to_pem(const sl_key *key, char **pem, sl_error **err);
sl_status sl_key_public_pem(const sl_key *key, char **pem, sl_error **err);
/* {"kty","n","e","alg":"RS256","use":"sig","kid"}: one member of a JWKS; NULL: out of memory. */
sl_json *sl_key_jwk(const sl_key *key);

/* PKCS#1 v1.5 over a SHA-256 hash. The signature has bits / 8 bytes: sig holds SL_KEY_SIG_MAX.
 * SL_E_MISUSE for a public key. */
sl_status sl_key_sign(const sl_key *key, sl_random_fn random, void *user, const uint8_t hash[32],
                      uint8_t *sig, size_t *sig_n, sl_error **err);
/* SL_E_AUTH when the signature is not this key's over this hash. */
sl_status sl_key_verify(const sl_key *key, const uint8_t hash[32], const uint8_t *sig, size_t sig_n,
                        sl_error **err);

#endif
