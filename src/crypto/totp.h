/*
 * crypto/totp.h - one-time codes of an authenticator (RFC 6238: SHA-1, 30 s, 6 digits; RFC 4226).
 */
#ifndef SL_CRYPTO_TOTP_H
#define SL_CRYPTO_TOTP_H

#include "base/buf.h"

enum {
    SL_TOTP_KEY_LEN = 20,
    SL_TOTP_STEP_S = 30,
    SL_TOTP_DIGITS = 6
};

/* HMAC-SHA-1 of the step, cut to so many digits (6 to 8). */
uint32_t sl_totp_code(const uint8_t *key, size_t n, uint64_t step, unsigned digits);
/* True when the text is the code of the step now, the one before or the one after, and that step is
 * later than *last; *last is then that step: each serves once. */
bool sl_totp_check(const uint8_t key[SL_TOTP_KEY_LEN], const char *code, int64_t now_s,
                   int64_t *last);
/* RFC 4648 base32 without padding, as authenticators take a secret. */
void sl_base32(sl_buf *out, const uint8_t *p, size_t n);

#endif
