/*
 * Signatures that take no time, put in by the linker in place of RSA (--wrap): real ones would take
 * a third of every run, and nobody in the simulator forges any. RSA has its own tests.
 */
#include "base/error.h"
#include "crypto/key.h"

#include <string.h>

sl_status __wrap_sl_key_sign(const sl_key *key, sl_random_fn random, void *user,
                             const uint8_t hash[32], uint8_t *sig, size_t *sig_n, sl_error **err);
sl_status __wrap_sl_key_verify(const sl_key *key, const uint8_t hash[32], const uint8_t *sig,
                               size_t sig_n, sl_error **err);

static void make(const sl_key *key, const uint8_t hash[32], uint8_t *sig, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        sig[i] = (uint8_t)(hash[i % 32] ^ (i * 7 + sl_key_bits(key)));
    }
}

sl_status __wrap_sl_key_sign(const sl_key *key, sl_random_fn random, void *user,
                             const uint8_t hash[32], uint8_t *sig, size_t *sig_n, sl_error **err)
{
    (void)random;
    (void)user;
    (void)err;
    *sig_n = sl_key_bits(key) / 8;
    make(key, hash, sig, *sig_n);
    return SL_OK;
}

sl_status __wrap_sl_key_verify(const sl_key *key, const uint8_t hash[32], const uint8_t *sig,
                               size_t sig_n, sl_error **err)
{
    uint8_t want[SL_KEY_BITS_MAX / 8];
    make(key, hash, want, sizeof want);
    return sig_n == sl_key_bits(key) / 8 && memcmp(want, sig, sig_n) == 0
               ? SL_OK
               : sl_fail(err, SL_E_AUTH, "the signature is not this key's");
}
