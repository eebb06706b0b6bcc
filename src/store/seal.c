#include "store/seal.h"

#include "base/mem.h"
#include "crypto/hash.h"

#include <string.h>

struct sl_seal {
    uint8_t data_key[SL_SEAL_KEY_LEN];
    sl_xts *xts[SL_SEAL_KINDS];
};

/* n: a multiple of SL_SHA256_LEN. info: at most 64 bytes. */
static void expand(const uint8_t *key, const void *info, size_t info_n, uint8_t *out, size_t n)
{
    uint8_t text[SL_SHA256_LEN + 64 + 1];
    size_t before = 0;
    uint8_t count = 1;
    for (size_t at = 0; at < n; at += SL_SHA256_LEN) {
        memcpy(text + before, info, info_n);
        text[before + info_n] = count++;
        sl_hmac_sha256(key, SL_SEAL_KEY_LEN, text, before + info_n + 1, out + at);
        memcpy(text, out + at, SL_SHA256_LEN);
        before = SL_SHA256_LEN;
    }
    sl_wipe(text, sizeof text);
}

static sl_xts *xts_for(const uint8_t *data_key, const void *info, size_t info_n)
{
    uint8_t key[SL_XTS_KEY_LEN];
    expand(data_key, info, info_n, key, sizeof key);
    sl_xts *x = sl_xts_new(key);
    sl_wipe(key, sizeof key);
    return x;
}

sl_seal *sl_seal_new(const uint8_t data_key[SL_SEAL_KEY_LEN])
{
    static const char *const names[SL_SEAL_KINDS] = {"sideline database", "sideline wal",
                                                     "sideline journal"};
    sl_seal *s = sl_mem(sizeof *s);
    if (s == NULL) {
        return NULL;
    }
    memcpy(s->data_key, data_key, sizeof s->data_key);
    bool ok = true;
    for (int i = 0; i < SL_SEAL_KINDS; i++) {
        s->xts[i] = xts_for(data_key, names[i], strlen(names[i]));
        ok = ok && s->xts[i] != NULL;
    }
    if (!ok) {
        sl_seal_free(s);
        return NULL;
    }
    return s;
}

void sl_seal_free(sl_seal *s)
{
    if (s != NULL) {
        for (int i = 0; i < SL_SEAL_KINDS; i++) {
            sl_xts_free(s->xts[i]);
        }
        sl_wipe(s, sizeof *s);
        sl_mem_free(s);
    }
}

const uint8_t *sl_seal_data_key(const sl_seal *s)
{
    return s->data_key;
}

const sl_xts *sl_seal_xts(const sl_seal *s, sl_seal_kind kind)
{
    return s->xts[kind];
}

sl_xts *sl_seal_draft_xts(const sl_seal *s, const char *name)
{
    static const char kind[] = "sideline draft";
    uint8_t info[sizeof kind + SL_SHA256_LEN];
    memcpy(info, kind, sizeof kind);
    sl_sha256_of(name, strlen(name), info + sizeof kind);
    return xts_for(s->data_key, info, sizeof info);
}

void sl_seal_blob_key(const sl_seal *s, const uint8_t salt[16], uint8_t out[SL_SEAL_KEY_LEN])
{
    static const char name[] = "sideline blob";
    uint8_t info[sizeof name + 16];
    memcpy(info, name, sizeof name);
    memcpy(info + sizeof name, salt, 16);
    expand(s->data_key, info, sizeof info, out, SL_SEAL_KEY_LEN);
}
