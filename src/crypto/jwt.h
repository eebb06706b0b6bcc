/*
 * crypto/jwt.h - access tokens: JSON Web Tokens signed with RS256 (RFC 7519, 8725, 9068).
 *
 *   [JWT-1] only alg RS256 and typ at+jwt are accepted, whatever the token says;
 *   [JWT-2] no key, address or extension named by the header is honoured: a header may hold
 *           alg, typ and kid, nothing else, and kid must name the key given;
 *   [JWT-3] a key that comes twice, at any depth, is refused, in header and claims;
 *   [JWT-4] exp is required; exp, nbf and iat are checked with a skew of at most 60 s.
 *
 * Every refusal is SL_E_AUTH; its sentence says why, for the log and not for the sender.
 */
#ifndef SL_CRYPTO_JWT_H
#define SL_CRYPTO_JWT_H

#include "crypto/key.h"

enum {
    SL_JWT_LEN_MAX = 8192,
    SL_JWT_SKEW_MAX_S = 60
};

typedef struct sl_jwt_rules {
    const char *iss; /* both compared byte for byte; required */
    const char *aud; /* equal to "aud", or one of its members */
    int64_t now_s;   /* Unix time */
    int64_t skew_s;  /* capped at SL_JWT_SKEW_MAX_S */
    bool identity;   /* an ID token (OpenID Connect): typ is JWT or absent. Else at+jwt is wanted */
    const char *kid; /* the issuer's name of the key; NULL: its thumbprint, sl_key_id */
} sl_jwt_rules;

/* `claims` (an object) as a token; *text is freed with sl_mem_free. SL_E_LIMIT when the token
 * would be longer than SL_JWT_LEN_MAX. */
sl_status sl_jwt_sign(const sl_key *key, sl_random_fn random, void *user, const sl_json *claims,
                      char **text, sl_error **err);
/* The "kid" of a token's header, not checked in any other way. False: it has none of a length below n. */
bool sl_jwt_key_id(const char *text, size_t len, char *kid, size_t n);
/* *claims is given: sl_json_free. NULL on every refusal. */
sl_status sl_jwt_verify(const sl_key *key, const char *text, size_t n, const sl_jwt_rules *rules,
                        sl_json **claims, sl_error **err);

#endif
