/*
 * crypto/xts.h - AES-256-XTS (IEEE 1619, NIST SP 800-38E): hides what is stored, without making it
 * longer and without noticing changes.
 *
 * A unit is hidden under its number: the same bytes look otherwise in another unit. Within a unit
 * each 16 bytes are hidden for themselves, so that a part that begins and ends on multiples of 16
 * can be replaced alone. Only the last ones of a unit whose length is no multiple of 16 hang
 * together with those before.
 *
 * mbedTLS does it, one block after the other. On x86-64 with AES instructions units of whole blocks
 * are done eight blocks at a time, ten to twenty times as fast.
 */
#ifndef SL_CRYPTO_XTS_H
#define SL_CRYPTO_XTS_H

#include <stddef.h>
#include <stdint.h>

enum {
    SL_XTS_KEY_LEN = 64, /* two AES-256 keys */
    SL_XTS_BLOCK = 16
};

typedef struct sl_xts sl_xts;

sl_xts *sl_xts_new(const uint8_t key[SL_XTS_KEY_LEN]); /* NULL: out of memory */
void sl_xts_free(sl_xts *x);                           /* NULL accepted; wipes the key */

/* n bytes, at least SL_XTS_BLOCK and at most 16 MiB; out may be p when n is a multiple of
 * SL_XTS_BLOCK, else they are apart. Any number of threads at once. */
void sl_xts_seal(const sl_xts *x, uint64_t unit, const uint8_t *p, size_t n, uint8_t *out);
void sl_xts_open(const sl_xts *x, uint64_t unit, const uint8_t *p, size_t n, uint8_t *out);

/* For tests: how it is done here. */
typedef enum sl_xts_way {
    SL_XTS_ANY,  /* the fastest there is */
    SL_XTS_WIDE, /* with AES instructions of one block, or the next */
    SL_XTS_PLAIN /* mbedTLS */
} sl_xts_way;
void sl_xts_choose(sl_xts *x, sl_xts_way way);

#endif
