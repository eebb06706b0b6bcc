/* fuzz/token.h - a key, and tokens that it signs: what no mutation makes, the signature, is made here. */
#ifndef SL_FUZZ_TOKEN_H
#define SL_FUZZ_TOKEN_H

#include "base/base64.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/prng.h"
#include "crypto/hash.h"
#include "crypto/jwt.h"

static inline sl_status token_random(void *user, void *dst, size_t n)
{
    static sl_prng prng;
    static bool seeded;
    uint8_t *p = dst;
    (void)user;
    if (!seeded) {
        sl_prng_seed(&prng, 11);
        seeded = true;
    }
    for (size_t i = 0; i < n; i++) {
        p[i] = (uint8_t)(sl_prng_next(&prng) >> 24);
    }
    return SL_OK;
}

/* One for the whole run: it lives as long as the process. */
static inline const sl_key *token_key(void)
{
    static sl_key *key;
    if (key == NULL) {
        SL_ASSERT(sl_key_generate(2048, token_random, NULL, &key, NULL) == SL_OK);
    }
    return key;
}

/* The signature over what is in `out`, behind a dot. */
static inline void token_sign(sl_buf *out)
{
    uint8_t hash[SL_SHA256_LEN];
    uint8_t sig[SL_KEY_SIG_MAX];
    size_t n = 0;
    sl_sha256_of(out->data, out->len, hash);
    SL_ASSERT(sl_key_sign(token_key(), token_random, NULL, hash, sig, &n, NULL) == SL_OK);
    sl_buf_u8(out, '.');
    sl_base64url(out, sig, n);
}

/* A token of these two texts, whatever they are, but not empty. */
static inline void token_put(sl_buf *out, const void *head, size_t head_n, const void *claims,
                             size_t claims_n)
{
    sl_base64url(out, head, head_n);
    sl_buf_u8(out, '.');
    sl_base64url(out, claims, claims_n);
    token_sign(out);
}

#endif
