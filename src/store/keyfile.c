#include "store/keyfile.h"

#include "base/error.h"
#include "base/mem.h"
#include "crypto/aead.h"
#include "crypto/hash.h"

#include <string.h>

enum {
    MAGIC_LEN = 15,
    HEAD_LEN = MAGIC_LEN + 1,
    KEYCHAIN_MAX = 4096, /* what a keychain may make of a key */
    FILE_MAX = HEAD_LEN + KEYCHAIN_MAX,
    WRAPPED_LEN = SL_SEAL_KEY_LEN + SL_AEAD_TAG_LEN
};

static const char MAGIC[] = "sideline key 1\n";

bool sl_keys_any(const sl_keys *keys)
{
    return keys != NULL && (keys->key != NULL || keys->keychain != NULL);
}

static char *path_of(const char *dir, const char *end)
{
    return sl_text_fmt("%s/key%s", dir, end);
}

sl_status sl_keyfile_exists(const sl_platform *p, const char *dir, bool *yes, sl_error **err)
{
    char *path = path_of(dir, "");
    sl_status status = path != NULL ? SL_OK : sl_fail_nomem(err);
    *yes = status == SL_OK && p->files->exists(p->user, path) == 1;
    sl_mem_free(path);
    return status;
}

static sl_aad magic_aad(void)
{
    return (sl_aad){MAGIC, MAGIC_LEN};
}

/* out has room for FILE_MAX bytes. */
static sl_status wrap(const sl_platform *p, const sl_keys *keys, const uint8_t *data_key,
                      uint8_t *out, size_t *n)
{
    memcpy(out, MAGIC, MAGIC_LEN);
    if (keys->keychain != NULL) {
        size_t used = KEYCHAIN_MAX;
        out[MAGIC_LEN] = 'c';
        sl_status status = keys->keychain->seal(keys->keychain->user, data_key, SL_SEAL_KEY_LEN,
                                                out + HEAD_LEN, &used);
        *n = HEAD_LEN + used;
        return status == SL_OK && used > KEYCHAIN_MAX ? SL_E_LIMIT : status;
    }
    uint8_t *nonce = out + HEAD_LEN;
    out[MAGIC_LEN] = 'k';
    *n = HEAD_LEN + SL_AEAD_NONCE_LEN + WRAPPED_LEN;
    if (p->random->fill(p->user, nonce, SL_AEAD_NONCE_LEN) != SL_OK) {
        return SL_E_IO;
    }
    return sl_aead_seal(keys->key, nonce, magic_aad(), data_key, SL_SEAL_KEY_LEN,
                        nonce + SL_AEAD_NONCE_LEN, NULL);
}

/* SL_E_DENIED: this is not what wrapped it. */
static sl_status unwrap(const sl_keys *keys, const uint8_t *file, size_t n, uint8_t *data_key)
{
    const uint8_t *body = file + HEAD_LEN;
    if (file[MAGIC_LEN] == 'c') {
        size_t used = SL_SEAL_KEY_LEN;
        if (keys->keychain == NULL) {
            return SL_E_DENIED;
        }
        sl_status status =
            keys->keychain->unseal(keys->keychain->user, body, n - HEAD_LEN, data_key, &used);
        return status == SL_OK && used != SL_SEAL_KEY_LEN ? SL_E_DENIED : status;
    }
    if (n != HEAD_LEN + SL_AEAD_NONCE_LEN + WRAPPED_LEN) {
        return SL_E_CORRUPT;
    }
    sl_status status = keys->key == NULL
                           ? SL_E_DENIED
                           : sl_aead_open(keys->key, body, magic_aad(), body + SL_AEAD_NONCE_LEN,
                                          WRAPPED_LEN, data_key, NULL);
    return status == SL_E_CORRUPT ? SL_E_DENIED : status;
}

/* --- the file ----------------------------------------------------------------------------- */

static sl_status write_whole(const sl_platform *p, const char *path, const uint8_t *bytes, size_t n)
{
    void *f = NULL;
    uint32_t flags = SL_FILE_WRITE | SL_FILE_CREATE | SL_FILE_TRUNCATE;
    sl_status status = p->files->open(p->user, path, flags, &f);
    if (status != SL_OK) {
        return status;
    }
    status = p->files->write(p->user, f, bytes, n, 0);
    if (status == SL_OK) {
        status = p->files->sync(p->user, f);
    }
    p->files->close(p->user, f);
    return status;
}

static sl_status replace(const sl_platform *p, const char *dir, const uint8_t *bytes, size_t n)
{
    char *path = path_of(dir, "");
    char *beside = path_of(dir, ".new");
    sl_status status =
        path != NULL && beside != NULL ? write_whole(p, beside, bytes, n) : SL_E_NOMEM;
    if (status == SL_OK) {
        status = p->files->rename(p->user, beside, path);
    }
    sl_mem_free(path);
    sl_mem_free(beside);
    return status;
}

sl_status sl_keyfile_write(const sl_platform *p, const char *dir, const sl_keys *keys,
                           const sl_seal *seal, sl_error **err)
{
    uint8_t *bytes = sl_mem(FILE_MAX);
    size_t n = 0;
    if (bytes == NULL) {
        return sl_fail_nomem(err);
    }
    sl_status status = wrap(p, keys, sl_seal_data_key(seal), bytes, &n);
    if (status != SL_OK) {
        sl_mem_free(bytes);
        return sl_fail(err, status, "the keychain did not take the key of the data folder");
    }
    status = replace(p, dir, bytes, n);
    sl_mem_free(bytes);
    return status == SL_OK
               ? SL_OK
               : sl_fail(err, status, "the key of the data folder %s cannot be written", dir);
}

sl_status sl_keyfile_make(const sl_platform *p, const char *dir, const sl_keys *keys, sl_seal **out,
                          sl_error **err)
{
    uint8_t data_key[SL_SEAL_KEY_LEN];
    if (p->random->fill(p->user, data_key, sizeof data_key) != SL_OK) {
        return sl_fail(err, SL_E_IO, "the system gives no random numbers");
    }
    *out = sl_seal_new(data_key);
    sl_wipe(data_key, sizeof data_key);
    if (*out == NULL) {
        return sl_fail_nomem(err);
    }
    sl_status status = sl_keyfile_write(p, dir, keys, *out, err);
    if (status != SL_OK) {
        sl_seal_free(*out);
        *out = NULL;
    }
    return status;
}

/* Returns the length, or a negative status. */
static int64_t read_whole(const sl_platform *p, const char *dir, uint8_t *bytes)
{
    char *path = path_of(dir, "");
    void *f = NULL;
    sl_status status = path != NULL ? p->files->open(p->user, path, SL_FILE_READ, &f) : SL_E_NOMEM;
    sl_mem_free(path);
    if (status != SL_OK) {
        return status;
    }
    int64_t n = p->files->read(p->user, f, bytes, FILE_MAX, 0);
    p->files->close(p->user, f);
    return n;
}

static sl_status explain(sl_status status, const char *dir, sl_error **err)
{
    switch (status) {
    case SL_E_NOMEM: return sl_fail_nomem(err);
    case SL_E_DENIED:
        return sl_fail(err, status, "the data folder %s is sealed under another key", dir);
    case SL_E_CORRUPT:
        return sl_fail(err, status, "the key file of the data folder %s is damaged", dir);
    default: return sl_fail(err, status, "the key of the data folder %s cannot be read", dir);
    }
}

sl_status sl_keyfile_open(const sl_platform *p, const char *dir, const sl_keys *keys, sl_seal **out,
                          sl_error **err)
{
    *out = NULL;
    if (!sl_keys_any(keys)) {
        return sl_fail(err, SL_E_DENIED, "the data folder %s is sealed: its key is needed", dir);
    }
    uint8_t *bytes = sl_mem(FILE_MAX);
    if (bytes == NULL) {
        return sl_fail_nomem(err);
    }
    uint8_t data_key[SL_SEAL_KEY_LEN] = {0};
    int64_t n = read_whole(p, dir, bytes);
    sl_status status = n < 0 ? (sl_status)n : SL_OK;
    if (status == SL_OK && (n <= HEAD_LEN || memcmp(bytes, MAGIC, MAGIC_LEN) != 0 ||
                            (bytes[MAGIC_LEN] != 'k' && bytes[MAGIC_LEN] != 'c'))) {
        status = SL_E_CORRUPT;
    }
    if (status == SL_OK) {
        status = unwrap(keys, bytes, (size_t)n, data_key);
    }
    if (status == SL_OK) {
        *out = sl_seal_new(data_key);
        status = *out != NULL ? SL_OK : SL_E_NOMEM;
    }
    sl_wipe(data_key, sizeof data_key);
    sl_mem_free(bytes);
    return status == SL_OK ? SL_OK : explain(status, dir, err);
}

sl_status sl_keyfile_destroy(const sl_platform *p, const char *dir)
{
    char *path = path_of(dir, "");
    uint8_t *zeros = sl_mem(FILE_MAX);
    void *f = NULL;
    sl_status status = path != NULL && zeros != NULL
                           ? p->files->open(p->user, path, SL_FILE_WRITE, &f)
                           : SL_E_NOMEM;
    if (status == SL_OK) {
        status = p->files->write(p->user, f, zeros, FILE_MAX, 0);
        if (status == SL_OK) {
            status = p->files->sync(p->user, f);
        }
        p->files->close(p->user, f);
    }
    if (status == SL_OK) {
        status = p->files->remove(p->user, path);
    }
    sl_mem_free(path);
    sl_mem_free(zeros);
    return status == SL_E_NOT_FOUND ? SL_OK : status;
}
