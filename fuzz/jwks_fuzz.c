/* Keys that somebody publishes (RFC 7517): one that is taken is public and as long as is asked for, and written and
 * read again it is the same. */
#include "base/error.h"
#include "crypto/key.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const sl_json *jwk)
{
    sl_key *key = NULL;
    sl_key *again = NULL;
    sl_error *why = NULL;
    sl_status status = sl_key_from_jwk(jwk, &key, &why);
    SL_ASSERT((status == SL_OK) == (key != NULL));
    if (status == SL_OK) {
        const char *alg = sl_json_str(jwk, "alg");
        sl_json *spelled = sl_key_jwk(key);
        SL_ASSERT(strcmp(sl_json_str(jwk, "kty"), "RSA") == 0);
        SL_ASSERT(alg == NULL || strcmp(alg, "RS256") == 0);
        SL_ASSERT(!sl_key_is_private(key));
        SL_ASSERT(sl_key_bits(key) >= SL_KEY_BITS_MIN && sl_key_bits(key) <= SL_KEY_BITS_MAX);
        SL_ASSERT(strlen(sl_key_id(key)) == SL_KEY_ID_LEN);
        SL_ASSERT(spelled != NULL && sl_key_from_jwk(spelled, &again, NULL) == SL_OK);
        SL_ASSERT(strcmp(sl_key_id(key), sl_key_id(again)) == 0);
        SL_ASSERT(strcmp(sl_json_str(spelled, "kid"), sl_key_id(key)) == 0);
        sl_json_free(spelled);
    }
    sl_key_free(key);
    sl_key_free(again);
    sl_error_release(why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sl_json *set = sl_json_parse((const char *)data, size);
    const sl_json *keys = sl_json_get(set, "keys");
    check(set);
    for (const sl_json *k = sl_json_first(keys); k != NULL; k = sl_json_next(k)) {
        check(k);
    }
    sl_json_free(set);
    return 0;
}
