/*
 * store/seal.h - what hides a folder's files: one random data key, and the keys made of it, one for
 * each kind of file (HKDF-Expand of RFC 5869 with SHA-256). Only in memory, wiped when freed.
 *
 * Any number of threads at once.
 */
#ifndef SL_STORE_SEAL_H
#define SL_STORE_SEAL_H

#include "crypto/xts.h"
#include "sideline/base.h"

enum {
    SL_SEAL_KEY_LEN = 32
};

typedef enum sl_seal_kind {
    SL_SEAL_DATABASE,
    SL_SEAL_WAL,
    SL_SEAL_JOURNAL,
    SL_SEAL_KINDS
} sl_seal_kind;

typedef struct sl_seal sl_seal;

sl_seal *sl_seal_new(const uint8_t data_key[SL_SEAL_KEY_LEN]); /* NULL: out of memory */
void sl_seal_free(sl_seal *s);                                 /* NULL accepted */

const uint8_t *sl_seal_data_key(const sl_seal *s);
const sl_xts *sl_seal_xts(const sl_seal *s, sl_seal_kind kind);
/* For one file in the making, to be freed; NULL: out of memory. */
sl_xts *sl_seal_draft_xts(const sl_seal *s, const char *name);
/* The key of one blob's file, from the salt at its beginning. */
void sl_seal_blob_key(const sl_seal *s, const uint8_t salt[16], uint8_t out[SL_SEAL_KEY_LEN]);

#endif
