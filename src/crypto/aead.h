/*
 * crypto/aead.h - AES-256-GCM (NIST SP 800-38D): seals small secrets and blobs.
 *
 * A nonce must never serve twice under one key: take it from a counter or from the random port.
 */
#ifndef SL_CRYPTO_AEAD_H
#define SL_CRYPTO_AEAD_H

#include "sideline/base.h"

enum {
    SL_AEAD_KEY_LEN = 32,
    SL_AEAD_NONCE_LEN = 12,
    SL_AEAD_TAG_LEN = 16
};

/* What is sealed together, but not hidden: may be {NULL, 0}. */
typedef struct sl_aad {
    const void *p;
    size_t n;
} sl_aad;

/* out holds n + SL_AEAD_TAG_LEN bytes: the hidden text, then the tag. May be p itself. */
sl_status sl_aead_seal(const uint8_t key[SL_AEAD_KEY_LEN], const uint8_t nonce[SL_AEAD_NONCE_LEN],
                       sl_aad aad, const void *p, size_t n, uint8_t *out, sl_error **err);
/* n counts the tag; out holds n - SL_AEAD_TAG_LEN bytes and may be p itself. SL_E_CORRUPT when
 * anything was changed or the key is another; out is then all zero. */
sl_status sl_aead_open(const uint8_t key[SL_AEAD_KEY_LEN], const uint8_t nonce[SL_AEAD_NONCE_LEN],
                       sl_aad aad, const void *p, size_t n, uint8_t *out, sl_error **err);

#endif
