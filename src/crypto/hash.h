/*
 * crypto/hash.h - SHA-256 and SHA-1 (FIPS 180-4), HMAC-SHA-256 (RFC 2104) and comparison in constant time. SHA-1
 * is for protocols that have it as a checksum, and for nothing else.
 *
 * The streaming form is for files; the one-call forms allocate nothing and cannot fail.
 */
#ifndef SL_CRYPTO_HASH_H
#define SL_CRYPTO_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SL_SHA256_LEN = 32,
    SL_SHA256_HEX_LEN = 64,
    SL_SHA1_LEN = 20
};

typedef struct sl_sha256 sl_sha256;

sl_sha256 *sl_sha256_new(void); /* NULL: out of memory */
void sl_sha256_update(sl_sha256 *h, const void *p, size_t n);
/* The hash of all so far; the object then starts anew. */
void sl_sha256_final(sl_sha256 *h, uint8_t out[SL_SHA256_LEN]);
/* The same as 64 lower-case digits and a NUL. */
void sl_sha256_final_hex(sl_sha256 *h, char out[SL_SHA256_HEX_LEN + 1]);
void sl_sha256_free(sl_sha256 *h); /* NULL accepted */

typedef struct sl_sha1 sl_sha1;

sl_sha1 *sl_sha1_new(void); /* NULL: out of memory */
void sl_sha1_update(sl_sha1 *h, const void *p, size_t n);
/* The hash of all so far; the object is then of no use but to be freed. */
void sl_sha1_final(sl_sha1 *h, uint8_t out[SL_SHA1_LEN]);
void sl_sha1_free(sl_sha1 *h); /* NULL accepted */

void sl_sha256_of(const void *p, size_t n, uint8_t out[SL_SHA256_LEN]);
void sl_sha256_hex(const void *p, size_t n, char out[SL_SHA256_HEX_LEN + 1]);
void sl_hmac_sha256(const void *key, size_t key_n, const void *p, size_t n,
                    uint8_t out[SL_SHA256_LEN]);
/* Time depends on n only. */
bool sl_equal_ct(const void *a, const void *b, size_t n);
/* Overwrites a secret; the compiler may not leave it out. */
void sl_wipe(void *p, size_t n);

#endif
