/*
 * store/keyfile.h - the file `key` of a sealed folder: its data key, wrapped.
 *
 *   "sideline key 1\n" 15 | 'k' | nonce 12 | data key 32 | tag 16     by the host's key
 *   "sideline key 1\n" 15 | 'c' | what the host's keychain made of the data key
 *
 * It is replaced as a whole: written beside, synced and renamed.
 */
#ifndef SL_STORE_KEYFILE_H
#define SL_STORE_KEYFILE_H

#include "sideline/core.h"
#include "store/seal.h"

#include <stdbool.h>

/* What the host gave; keychain comes first. Both NULL: nothing. Borrowed. */
typedef struct sl_keys {
    const uint8_t *key; /* SL_SEAL_KEY_LEN bytes */
    const sl_keychain *keychain;
} sl_keys;

bool sl_keys_any(const sl_keys *keys);

/* *yes: the folder has one. */
sl_status sl_keyfile_exists(const sl_platform *p, const char *dir, bool *yes, sl_error **err);
/* A new random data key, wrapped and written. */
sl_status sl_keyfile_make(const sl_platform *p, const char *dir, const sl_keys *keys, sl_seal **out,
                          sl_error **err);
/* SL_E_DENIED: the key is missing, another, or refused. SL_E_CORRUPT: the file is none. */
sl_status sl_keyfile_open(const sl_platform *p, const char *dir, const sl_keys *keys, sl_seal **out,
                          sl_error **err);
/* Wraps the same data key in another way. */
sl_status sl_keyfile_write(const sl_platform *p, const char *dir, const sl_keys *keys,
                           const sl_seal *seal, sl_error **err);
/* Overwrites and removes it. SL_OK when there is none. */
sl_status sl_keyfile_destroy(const sl_platform *p, const char *dir);

#endif
