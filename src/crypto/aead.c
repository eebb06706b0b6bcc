#include "crypto/aead.h"

#include "base/error.h"
#include "crypto/hash.h"

#include <mbedtls/gcm.h>
#include <string.h>

/* The cipher library wants real pointers even for nothing. */
static const uint8_t NOTHING[1] = {0};

static int start(mbedtls_gcm_context *gcm, const uint8_t *key)
{
    mbedtls_gcm_init(gcm);
    return mbedtls_gcm_setkey(gcm, MBEDTLS_CIPHER_ID_AES, key, SL_AEAD_KEY_LEN * 8);
}

sl_status sl_aead_seal(const uint8_t key[SL_AEAD_KEY_LEN], const uint8_t nonce[SL_AEAD_NONCE_LEN],
                       sl_aad aad, const void *p, size_t n, uint8_t *out, sl_error **err)
{
    mbedtls_gcm_context gcm;
    int rc = start(&gcm, key);
    if (rc == 0) {
        uint8_t tag[SL_AEAD_TAG_LEN];
        rc = mbedtls_gcm_crypt_and_tag(&gcm, MBEDTLS_GCM_ENCRYPT, n, nonce, SL_AEAD_NONCE_LEN,
                                       aad.n > 0 ? aad.p : NOTHING, aad.n, n > 0 ? p : NOTHING, out,
                                       sizeof tag, tag);
        if (rc == 0) {
            memcpy(out + n, tag, sizeof tag);
        }
    }
    mbedtls_gcm_free(&gcm);
    return rc == 0 ? SL_OK : sl_fail(err, SL_E_INTERNAL, "sealing failed (-0x%04x)", (unsigned)-rc);
}

sl_status sl_aead_open(const uint8_t key[SL_AEAD_KEY_LEN], const uint8_t nonce[SL_AEAD_NONCE_LEN],
                       sl_aad aad, const void *p, size_t n, uint8_t *out, sl_error **err)
{
    if (n < SL_AEAD_TAG_LEN) {
        return sl_fail(err, SL_E_CORRUPT, "the sealed data is shorter than its seal");
    }
    size_t text_n = n - SL_AEAD_TAG_LEN;
    uint8_t tag[SL_AEAD_TAG_LEN];
    memcpy(tag, (const uint8_t *)p + text_n, sizeof tag);
    uint8_t none[1];
    mbedtls_gcm_context gcm;
    int rc = start(&gcm, key);
    if (rc == 0) {
        rc = mbedtls_gcm_auth_decrypt(&gcm, text_n, nonce, SL_AEAD_NONCE_LEN,
                                      aad.n > 0 ? aad.p : NOTHING, aad.n, tag, sizeof tag,
                                      text_n > 0 ? p : NOTHING, text_n > 0 ? out : none);
    }
    mbedtls_gcm_free(&gcm);
    if (rc == 0) {
        return SL_OK;
    }
    sl_wipe(out, text_n);
    return rc == MBEDTLS_ERR_GCM_AUTH_FAILED
               ? sl_fail(err, SL_E_CORRUPT, "the sealed data was changed, or the key is another")
               : sl_fail(err, SL_E_INTERNAL, "unsealing failed (-0x%04x)", (unsigned)-rc);
}
