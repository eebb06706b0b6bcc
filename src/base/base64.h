/* base/base64.h - base64 and base64url (RFC 4648), and hexadecimal. */
#ifndef SL_BASE_BASE64_H
#define SL_BASE_BASE64_H

#include "base/buf.h"

/* With padding; the url form without. */
void sl_base64(sl_buf *out, const void *p, size_t n);
void sl_base64url(sl_buf *out, const void *p, size_t n);
/* Strict: false for a foreign character, wrong padding or loose bits. Appends to out. */
bool sl_base64_decode(sl_buf *out, const char *s, size_t n);
bool sl_base64url_decode(sl_buf *out, const char *s, size_t n);
/* 2n lower-case digits and a NUL. */
void sl_hex(char *out, const void *p, size_t n);
/* One more than the value of a lower-case digit, 0 for anything else. */
extern const uint8_t sl_hex_digits[256];
/* The two digits of each byte, one behind the other. */
extern const char sl_hex_pairs[513];
/* Exactly 2n lower-case digits. */
bool sl_hex_decode(uint8_t *out, size_t n, const char *s);

#endif
