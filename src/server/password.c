#include "server/password.h"

#include "base/error.h"
#include "base/mem.h"

#include <crypt.h>
#include <string.h>

enum {
    BCRYPT_COST = 10,
    BCRYPT_SALT_LEN = 16,
    BCRYPT_SECRET_MAX = 72
};

static const char bcrypt_prefix[] = "$2b$";

/* Hashes of one length, compared without telling where they differ. */
static bool same_hash(const char *a, const char *b)
{
    size_t n = strlen(a);
    if (strlen(b) != n) {
        return false;
    }
    unsigned diff = 0;
    for (size_t i = 0; i < n; i++) {
        diff |= (unsigned)((unsigned char)a[i] ^ (unsigned char)b[i]);
    }
    return diff == 0;
}

static void wipe(void *p, size_t n)
{
    volatile unsigned char *at = p;
    while (n-- > 0) {
        *at++ = 0;
    }
}

/* NULL when libcrypt cannot: its work area is too large for a worker's stack. */
static char *bcrypt(const char *secret, const char *setting)
{
    struct crypt_data *data = sl_mem(sizeof *data);
    if (data == NULL) {
        return NULL;
    }
    const char *hash = crypt_r(secret, setting, data);
    char *out = NULL;
    if (hash != NULL && strncmp(hash, bcrypt_prefix, strlen(bcrypt_prefix)) == 0) {
        out = sl_text_dup(hash);
    }
    wipe(data, sizeof *data);
    sl_mem_free(data);
    return out;
}

sl_status sl_password_hash(const sl_platform *platform, const char *secret, char **out,
                           sl_error **err)
{
    char salt[BCRYPT_SALT_LEN];
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    if (strlen(secret) > BCRYPT_SECRET_MAX) {
        return sl_fail(err, SL_E_LIMIT, "the password is too long");
    }
    sl_status st = platform->random->fill(platform->user, salt, sizeof salt);
    if (st != SL_OK) {
        return sl_fail(err, st, "there are no random numbers for a password's salt");
    }
    if (crypt_gensalt_rn(bcrypt_prefix, BCRYPT_COST, salt, (int)sizeof salt, setting,
                         (int)sizeof setting) == NULL) {
        return sl_fail(err, SL_E_UNSUPPORTED, "the system's libcrypt has no bcrypt");
    }
    *out = bcrypt(secret, setting);
    return *out != NULL ? SL_OK : sl_fail_nomem(err);
}

bool sl_password_check(const char *secret, const char *hash)
{
    if (strlen(secret) > BCRYPT_SECRET_MAX ||
        strncmp(hash, bcrypt_prefix, strlen(bcrypt_prefix)) != 0) {
        return false;
    }
    char *again = bcrypt(secret, hash);
    bool same = again != NULL && same_hash(again, hash);
    sl_mem_free(again);
    return same;
}

bool sl_password_old(const char *hash)
{
    size_t n = strlen(bcrypt_prefix);
    bool ours = strncmp(hash, bcrypt_prefix, n) == 0 && strspn(hash + n, "0123456789") == 2;
    return ours && (hash[n] - '0') * 10 + hash[n + 1] - '0' < BCRYPT_COST;
}
