#include "crypto/xts.h"

#include "base/error.h"
#include "base/mem.h"
#include "crypto/hash.h"

#include <mbedtls/aes.h>
#include <stdbool.h>
#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__)
#define HAVE_X86 1
#include <immintrin.h>
#else
#define HAVE_X86 0
#endif

enum {
    ROUNDS = 14, /* of AES-256 */
    KEY_HALF = SL_XTS_KEY_LEN / 2
};

#if HAVE_X86
typedef struct x86_keys {
    __m128i seal[ROUNDS + 1];
    __m128i open[ROUNDS + 1];
    __m128i tweak[ROUNDS + 1];
} x86_keys;
#endif

struct sl_xts {
    mbedtls_aes_xts_context seal;
    mbedtls_aes_xts_context open;
    bool fast;
#if HAVE_X86
    x86_keys x86;
#endif
};

/* --- eight blocks at a time --------------------------------------------------------------- */

#if HAVE_X86

#define X86 __attribute__((target("aes,sse2")))

enum {
    WIDE = 8 * SL_XTS_BLOCK
};

/* One step of the key schedule (FIPS 197, 5.2): the next four words from eight before. */
X86 static __m128i x86_next(__m128i before, __m128i assist)
{
    before = _mm_xor_si128(before, _mm_slli_si128(before, 4));
    before = _mm_xor_si128(before, _mm_slli_si128(before, 4));
    before = _mm_xor_si128(before, _mm_slli_si128(before, 4));
    return _mm_xor_si128(before, assist);
}

#define X86_EVEN(k, i, constant)  \
    (k)[i] = x86_next((k)[(i)-2], \
                      _mm_shuffle_epi32(_mm_aeskeygenassist_si128((k)[(i)-1], constant), 0xFF))
#define X86_ODD(k, i) \
    (k)[i] = x86_next((k)[(i)-2], _mm_shuffle_epi32(_mm_aeskeygenassist_si128((k)[(i)-1], 0), 0xAA))

X86 static void x86_expand(__m128i *k, const uint8_t *key)
{
    k[0] = _mm_loadu_si128((const __m128i *)(const void *)key);
    k[1] = _mm_loadu_si128((const __m128i *)(const void *)(key + 16));
    X86_EVEN(k, 2, 0x01);
    X86_ODD(k, 3);
    X86_EVEN(k, 4, 0x02);
    X86_ODD(k, 5);
    X86_EVEN(k, 6, 0x04);
    X86_ODD(k, 7);
    X86_EVEN(k, 8, 0x08);
    X86_ODD(k, 9);
    X86_EVEN(k, 10, 0x10);
    X86_ODD(k, 11);
    X86_EVEN(k, 12, 0x20);
    X86_ODD(k, 13);
    X86_EVEN(k, 14, 0x40);
}

X86 static void x86_start(x86_keys *x, const uint8_t *key)
{
    x86_expand(x->seal, key);
    x86_expand(x->tweak, key + KEY_HALF);
    x->open[0] = x->seal[ROUNDS];
    x->open[ROUNDS] = x->seal[0];
    for (int i = 1; i < ROUNDS; i++) {
        x->open[i] = _mm_aesimc_si128(x->seal[ROUNDS - i]);
    }
}

/* The next tweak: times x in GF(2^128). */
X86 static __m128i x86_double(__m128i t)
{
    const __m128i mask = _mm_set_epi32(0, 1, 0, 0x87);
    __m128i carry = _mm_srai_epi32(_mm_shuffle_epi32(t, 0x13), 31);
    return _mm_xor_si128(_mm_add_epi64(t, t), _mm_and_si128(carry, mask));
}

/* Written out eight times, because compilers keep an array in memory where registers serve. */
#define EACH(WHAT) WHAT(0) WHAT(1) WHAT(2) WHAT(3) WHAT(4) WHAT(5) WHAT(6) WHAT(7)

X86 static inline __attribute__((always_inline)) __m128i x86_one(const __m128i *k, bool seals,
                                                                 __m128i b, __m128i t)
{
    b = _mm_xor_si128(_mm_xor_si128(b, t), k[0]);
    for (int r = 1; r < ROUNDS; r++) {
        b = seals ? _mm_aesenc_si128(b, k[r]) : _mm_aesdec_si128(b, k[r]);
    }
    b = seals ? _mm_aesenclast_si128(b, k[ROUNDS]) : _mm_aesdeclast_si128(b, k[ROUNDS]);
    return _mm_xor_si128(b, t);
}

/* Eight blocks, whose latencies hide one another. Returns the next tweak. */
X86 static inline __attribute__((always_inline)) __m128i x86_wide(const __m128i *k, bool seals,
                                                                  const uint8_t *from, uint8_t *to,
                                                                  __m128i t0)
{
    const __m128i *p = (const __m128i *)(const void *)from;
    __m128i *out = (__m128i *)(void *)to;
    __m128i t1 = x86_double(t0);
    __m128i t2 = x86_double(t1);
    __m128i t3 = x86_double(t2);
    __m128i t4 = x86_double(t3);
    __m128i t5 = x86_double(t4);
    __m128i t6 = x86_double(t5);
    __m128i t7 = x86_double(t6);
#define LOAD(i) __m128i b##i = _mm_xor_si128(_mm_xor_si128(_mm_loadu_si128(p + (i)), t##i), k[0]);
#define SEAL(i) b##i = _mm_aesenc_si128(b##i, k[r]);
#define OPEN(i) b##i = _mm_aesdec_si128(b##i, k[r]);
#define LAST(i)                                                                                   \
    b##i = seals ? _mm_aesenclast_si128(b##i, k[ROUNDS]) : _mm_aesdeclast_si128(b##i, k[ROUNDS]); \
    _mm_storeu_si128(out + (i), _mm_xor_si128(b##i, t##i));
    EACH(LOAD)
    for (int r = 1; r < ROUNDS; r++) {
        if (seals) {
            EACH(SEAL)
        } else {
            EACH(OPEN)
        }
    }
    EACH(LAST)
    return x86_double(t7);
}

X86 static inline __attribute__((always_inline)) void x86_run(const x86_keys *x, bool seals,
                                                              uint64_t unit, const uint8_t *p,
                                                              size_t n, uint8_t *out)
{
    const __m128i *k = seals ? x->seal : x->open;
    __m128i none = _mm_setzero_si128();
    __m128i t = x86_one(x->tweak, true, _mm_set_epi64x(0, (long long)unit), none);
    size_t at = 0;
    for (; n - at >= WIDE; at += WIDE) {
        t = x86_wide(k, seals, p + at, out + at, t);
    }
    for (; at < n; at += SL_XTS_BLOCK) {
        __m128i b = _mm_loadu_si128((const __m128i *)(const void *)(p + at));
        _mm_storeu_si128((__m128i *)(void *)(out + at), x86_one(k, seals, b, t));
        t = x86_double(t);
    }
}

X86 static void x86_seal(const sl_xts *x, uint64_t unit, const uint8_t *p, size_t n, uint8_t *out)
{
    x86_run(&x->x86, true, unit, p, n, out);
}

X86 static void x86_open(const sl_xts *x, uint64_t unit, const uint8_t *p, size_t n, uint8_t *out)
{
    x86_run(&x->x86, false, unit, p, n, out);
}

static bool x86_here(void)
{
    return __builtin_cpu_supports("aes") && __builtin_cpu_supports("sse2");
}

#endif

/* --- by mbedTLS --------------------------------------------------------------------------- */

static void slow(const mbedtls_aes_xts_context *context, int mode, uint64_t unit, const uint8_t *p,
                 size_t n, uint8_t *out)
{
    uint8_t tweak[SL_XTS_BLOCK] = {0};
    for (int i = 0; i < 8; i++) {
        tweak[i] = (uint8_t)(unit >> (8 * i));
    }
    /* It only reads the context, and so serves many threads. */
    int rc = mbedtls_aes_crypt_xts((mbedtls_aes_xts_context *)(uintptr_t)context, mode, n, tweak, p,
                                   out);
    SL_ASSERT(rc == 0); /* it refuses lengths out of bounds and nothing else */
    (void)rc;
}

sl_xts *sl_xts_new(const uint8_t key[SL_XTS_KEY_LEN])
{
    sl_xts *x = sl_mem(sizeof *x);
    if (x == NULL) {
        return NULL;
    }
    mbedtls_aes_xts_init(&x->seal);
    mbedtls_aes_xts_init(&x->open);
    int rc = mbedtls_aes_xts_setkey_enc(&x->seal, key, SL_XTS_KEY_LEN * 8);
    rc = rc == 0 ? mbedtls_aes_xts_setkey_dec(&x->open, key, SL_XTS_KEY_LEN * 8) : rc;
    if (rc != 0) {
        sl_xts_free(x);
        return NULL;
    }
#if HAVE_X86
    if (x86_here()) {
        x86_start(&x->x86, key);
        x->fast = true;
    }
#endif
    return x;
}

void sl_xts_free(sl_xts *x)
{
    if (x != NULL) {
        mbedtls_aes_xts_free(&x->seal);
        mbedtls_aes_xts_free(&x->open);
        sl_wipe(x, sizeof *x);
        sl_mem_free(x);
    }
}

void sl_xts_choose(sl_xts *x, sl_xts_way way)
{
    x->fast = false;
#if HAVE_X86
    x->fast = way == SL_XTS_ANY && x86_here();
#else
    (void)way;
#endif
}

void sl_xts_seal(const sl_xts *x, uint64_t unit, const uint8_t *p, size_t n, uint8_t *out)
{
#if HAVE_X86
    if (x->fast && n % SL_XTS_BLOCK == 0) {
        x86_seal(x, unit, p, n, out);
        return;
    }
#endif
    slow(&x->seal, MBEDTLS_AES_ENCRYPT, unit, p, n, out);
}

void sl_xts_open(const sl_xts *x, uint64_t unit, const uint8_t *p, size_t n, uint8_t *out)
{
#if HAVE_X86
    if (x->fast && n % SL_XTS_BLOCK == 0) {
        x86_open(x, unit, p, n, out);
        return;
    }
#endif
    slow(&x->open, MBEDTLS_AES_DECRYPT, unit, p, n, out);
}
