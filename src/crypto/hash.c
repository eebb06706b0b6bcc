#include "crypto/hash.h"

#include "base/base64.h"
#include "base/error.h"
#include "base/mem.h"
#include "crypto/sha_x86.h"

#include <mbedtls/platform_util.h>
#include <mbedtls/sha1.h>
#include <mbedtls/sha256.h>
#include <mbedtls/version.h>
#include <string.h>

#if MBEDTLS_VERSION_NUMBER >= 0x03000000
#define SHA_STARTS     mbedtls_sha256_starts
#define SHA_UPDATE     mbedtls_sha256_update
#define SHA_FINISH     mbedtls_sha256_finish
#define SHA_PART(name) MBEDTLS_PRIVATE(name)
#define SHA1_STARTS    mbedtls_sha1_starts
#define SHA1_UPDATE    mbedtls_sha1_update
#define SHA1_FINISH    mbedtls_sha1_finish
#else
#define SHA_STARTS     mbedtls_sha256_starts_ret
#define SHA_UPDATE     mbedtls_sha256_update_ret
#define SHA_FINISH     mbedtls_sha256_finish_ret
#define SHA_PART(name) name
#define SHA1_STARTS    mbedtls_sha1_starts_ret
#define SHA1_UPDATE    mbedtls_sha1_update_ret
#define SHA1_FINISH    mbedtls_sha1_finish_ret
#endif

enum {
    BLOCK_LEN = 64
};

struct sl_sha256 {
    mbedtls_sha256_context ctx;
};

/* The software SHA-256 refuses only an unknown variant, so a failure here is our mistake. */
static void start(mbedtls_sha256_context *ctx)
{
    mbedtls_sha256_init(ctx);
    SL_ASSERT(SHA_STARTS(ctx, 0) == 0);
}

/* Whole blocks, when the processor can do them by itself: it is five times as fast. How many bytes. */
static size_t update_blocks(mbedtls_sha256_context *ctx, const void *p, size_t n)
{
    if (n < BLOCK_LEN || ctx->SHA_PART(total)[0] % BLOCK_LEN != 0 || !sl_sha_x86_have()) {
        return 0;
    }
    size_t whole = n - n % BLOCK_LEN;
    uint64_t total = ((uint64_t)ctx->SHA_PART(total)[1] << 32 | ctx->SHA_PART(total)[0]) + whole;
    sl_sha_x86(ctx->SHA_PART(state), p, whole / BLOCK_LEN);
    ctx->SHA_PART(total)[0] = (uint32_t)total;
    ctx->SHA_PART(total)[1] = (uint32_t)(total >> 32);
    return whole;
}

static void update(mbedtls_sha256_context *ctx, const void *p, size_t n)
{
    size_t part = ctx->SHA_PART(total)[0] % BLOCK_LEN;
    if (part > 0 && n > 0) {
        size_t fill = n < BLOCK_LEN - part ? n : BLOCK_LEN - part;
        SL_ASSERT(SHA_UPDATE(ctx, p, fill) == 0);
        p = (const uint8_t *)p + fill;
        n -= fill;
    }
    size_t done = update_blocks(ctx, p, n);
    p = done > 0 ? (const uint8_t *)p + done : p;
    n -= done;
    if (n > 0) {
        SL_ASSERT(SHA_UPDATE(ctx, p, n) == 0);
    }
}

static void finish(mbedtls_sha256_context *ctx, uint8_t out[SL_SHA256_LEN])
{
    SL_ASSERT(SHA_FINISH(ctx, out) == 0);
    mbedtls_sha256_free(ctx);
}

sl_sha256 *sl_sha256_new(void)
{
    sl_sha256 *h = sl_mem(sizeof *h);
    if (h != NULL) {
        start(&h->ctx);
    }
    return h;
}

void sl_sha256_update(sl_sha256 *h, const void *p, size_t n)
{
    update(&h->ctx, p, n);
}

void sl_sha256_final(sl_sha256 *h, uint8_t out[SL_SHA256_LEN])
{
    finish(&h->ctx, out);
    start(&h->ctx);
}

void sl_sha256_final_hex(sl_sha256 *h, char out[SL_SHA256_HEX_LEN + 1])
{
    uint8_t hash[SL_SHA256_LEN];
    sl_sha256_final(h, hash);
    sl_hex(out, hash, sizeof hash);
}

void sl_sha256_free(sl_sha256 *h)
{
    if (h != NULL) {
        mbedtls_sha256_free(&h->ctx);
        sl_mem_free(h);
    }
}

/* As above: the software's functions fail only by our mistake. */
struct sl_sha1 {
    mbedtls_sha1_context ctx;
};

sl_sha1 *sl_sha1_new(void)
{
    sl_sha1 *h = sl_mem(sizeof *h);
    if (h != NULL) {
        mbedtls_sha1_init(&h->ctx);
        SL_ASSERT(SHA1_STARTS(&h->ctx) == 0);
    }
    return h;
}

void sl_sha1_update(sl_sha1 *h, const void *p, size_t n)
{
    if (n > 0) {
        SL_ASSERT(SHA1_UPDATE(&h->ctx, p, n) == 0);
    }
}

void sl_sha1_final(sl_sha1 *h, uint8_t out[SL_SHA1_LEN])
{
    SL_ASSERT(SHA1_FINISH(&h->ctx, out) == 0);
}

void sl_sha1_free(sl_sha1 *h)
{
    if (h != NULL) {
        mbedtls_sha1_free(&h->ctx);
        sl_mem_free(h);
    }
}

void sl_sha256_of(const void *p, size_t n, uint8_t out[SL_SHA256_LEN])
{
    mbedtls_sha256_context ctx;
    start(&ctx);
    update(&ctx, p, n);
    finish(&ctx, out);
}

void sl_sha256_hex(const void *p, size_t n, char out[SL_SHA256_HEX_LEN + 1])
{
    uint8_t hash[SL_SHA256_LEN];
    sl_sha256_of(p, n, hash);
    sl_hex(out, hash, sizeof hash);
}

static void hmac_pass(const uint8_t block[BLOCK_LEN], uint8_t mask, const void *p, size_t n,
                      uint8_t out[SL_SHA256_LEN])
{
    uint8_t pad[BLOCK_LEN];
    for (size_t i = 0; i < BLOCK_LEN; i++) {
        pad[i] = block[i] ^ mask;
    }
    mbedtls_sha256_context ctx;
    start(&ctx);
    update(&ctx, pad, sizeof pad);
    update(&ctx, p, n);
    finish(&ctx, out);
    sl_wipe(pad, sizeof pad);
}

void sl_hmac_sha256(const void *key, size_t key_n, const void *p, size_t n,
                    uint8_t out[SL_SHA256_LEN])
{
    uint8_t block[BLOCK_LEN] = {0};
    uint8_t inner[SL_SHA256_LEN];
    if (key_n > BLOCK_LEN) {
        sl_sha256_of(key, key_n, block);
    } else if (key_n > 0) {
        memcpy(block, key, key_n);
    }
    hmac_pass(block, 0x36, p, n, inner);
    hmac_pass(block, 0x5C, inner, sizeof inner, out);
    sl_wipe(block, sizeof block);
    sl_wipe(inner, sizeof inner);
}

bool sl_equal_ct(const void *a, const void *b, size_t n)
{
    const volatile uint8_t *x = a;
    const volatile uint8_t *y = b;
    uint8_t diff = 0;
    for (size_t i = 0; i < n; i++) {
        diff = (uint8_t)(diff | (x[i] ^ y[i]));
    }
    return diff == 0;
}

void sl_wipe(void *p, size_t n)
{
    if (p != NULL && n > 0) {
        mbedtls_platform_zeroize(p, n);
    }
}
