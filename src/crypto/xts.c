#include "crypto/xts.h"

#include "base/error.h"
#include "base/mem.h"
#include "crypto/hash.h"

#include <mbedtls/aes.h>
#include <stdbool.h>
#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__)
#define HAVE_X86 1
#include <cpuid.h>
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
    bool fast;  /* with the processor's AES instructions */
    bool pairs; /* ... on two blocks in one register */
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

/* The tweak eight blocks on: the byte shifted out comes back times x^7 + x^2 + x + 1. */
X86 static __m128i x86_eight_on(__m128i t)
{
    __m128i c = _mm_srli_si128(t, 15);
    c = _mm_xor_si128(_mm_xor_si128(c, _mm_slli_epi32(c, 1)),
                      _mm_xor_si128(_mm_slli_epi32(c, 2), _mm_slli_epi32(c, 7)));
    return _mm_xor_si128(_mm_slli_si128(t, 1), c);
}

/* Written out, because compilers keep an array in memory where registers serve, and a loop of 13
 * rounds ends in a mispredicted jump each time. */
#define EACH(WHAT) WHAT(0) WHAT(1) WHAT(2) WHAT(3) WHAT(4) WHAT(5) WHAT(6) WHAT(7)
#define EACH_ROUND(WHAT) \
    WHAT(1)              \
    WHAT(2)              \
    WHAT(3) WHAT(4) WHAT(5) WHAT(6) WHAT(7) WHAT(8) WHAT(9) WHAT(10) WHAT(11) WHAT(12) WHAT(13)

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

/* Eight blocks, whose latencies hide one another. */
X86 static inline __attribute__((always_inline)) void x86_wide(const __m128i *k, bool seals,
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
    __m128i key;
#define LOAD(i) __m128i b##i = _mm_xor_si128(_mm_xor_si128(_mm_loadu_si128(p + (i)), t##i), k[0]);
#define STEP(i) b##i = seals ? _mm_aesenc_si128(b##i, key) : _mm_aesdec_si128(b##i, key);
#define ROUND(r) \
    key = k[r];  \
    EACH(STEP)
#define LAST(i)                                                                       \
    b##i = seals ? _mm_aesenclast_si128(b##i, key) : _mm_aesdeclast_si128(b##i, key); \
    _mm_storeu_si128(out + (i), _mm_xor_si128(b##i, t##i));
    EACH(LOAD)
    EACH_ROUND(ROUND)
    key = k[ROUNDS];
    EACH(LAST)
#undef LOAD
#undef STEP
#undef ROUND
#undef LAST
}

#define X86_PAIRS __attribute__((target("vaes,aes,avx2")))

/* Two tweaks, each two blocks on. */
X86_PAIRS static inline __attribute__((always_inline)) __m256i x86_pair_on(__m256i t)
{
    const __m256i mask = _mm256_set_epi32(0, 1, 0, 0x87, 0, 1, 0, 0x87);
    for (int i = 0; i < 2; i++) {
        __m256i carry = _mm256_srai_epi32(_mm256_shuffle_epi32(t, 0x13), 31);
        t = _mm256_xor_si256(_mm256_add_epi64(t, t), _mm256_and_si256(carry, mask));
    }
    return t;
}

/* The same, two blocks in one register. */
X86_PAIRS static inline __attribute__((always_inline)) void x86_wide_pairs(const __m128i *k,
                                                                           bool seals,
                                                                           const uint8_t *from,
                                                                           uint8_t *to, __m128i t)
{
    const __m256i *p = (const __m256i *)(const void *)from;
    __m256i *out = (__m256i *)(void *)to;
    __m256i t0 = _mm256_set_m128i(x86_double(t), t);
    __m256i t1 = x86_pair_on(t0);
    __m256i t2 = x86_pair_on(t1);
    __m256i t3 = x86_pair_on(t2);
    __m256i key = _mm256_broadcastsi128_si256(k[0]);
#define EACH_PAIR(WHAT) WHAT(0) WHAT(1) WHAT(2) WHAT(3)
#define LOAD(i) \
    __m256i b##i = _mm256_xor_si256(_mm256_xor_si256(_mm256_loadu_si256(p + (i)), t##i), key);
#define STEP(i) b##i = seals ? _mm256_aesenc_epi128(b##i, key) : _mm256_aesdec_epi128(b##i, key);
#define ROUND(r)                             \
    key = _mm256_broadcastsi128_si256(k[r]); \
    EACH_PAIR(STEP)
#define LAST(i)                                                                               \
    b##i = seals ? _mm256_aesenclast_epi128(b##i, key) : _mm256_aesdeclast_epi128(b##i, key); \
    _mm256_storeu_si256(out + (i), _mm256_xor_si256(b##i, t##i));
    EACH_PAIR(LOAD)
    EACH_ROUND(ROUND)
    key = _mm256_broadcastsi128_si256(k[ROUNDS]);
    EACH_PAIR(LAST)
#undef EACH_PAIR
#undef LOAD
#undef STEP
#undef ROUND
#undef LAST
}

X86 static inline __attribute__((always_inline)) __m128i x86_first(const sl_xts *x, uint64_t unit)
{
    return x86_one(x->x86.tweak, true, _mm_set_epi64x(0, (long long)unit), _mm_setzero_si128());
}

/* What is left when there are less than eight. */
X86 static inline __attribute__((always_inline)) void x86_rest(const __m128i *k, bool seals,
                                                               const uint8_t *p, size_t n,
                                                               uint8_t *out, __m128i t)
{
    for (size_t at = 0; at < n; at += SL_XTS_BLOCK) {
        __m128i b = _mm_loadu_si128((const __m128i *)(const void *)(p + at));
        _mm_storeu_si128((__m128i *)(void *)(out + at), x86_one(k, seals, b, t));
        t = x86_double(t);
    }
}

#define X86_RUN(name, how, wide, k_of, seals)                                                      \
    how static void name(const sl_xts *x, uint64_t unit, const uint8_t *p, size_t n, uint8_t *out) \
    {                                                                                              \
        const __m128i *k = x->x86.k_of;                                                            \
        __m128i t = x86_first(x, unit);                                                            \
        size_t at = 0;                                                                             \
        for (; n - at >= WIDE; at += WIDE) {                                                       \
            wide(k, seals, p + at, out + at, t);                                                   \
            t = x86_eight_on(t);                                                                   \
        }                                                                                          \
        x86_rest(k, seals, p + at, n - at, out + at, t);                                           \
    }
X86_RUN(x86_seal, X86, x86_wide, seal, true)
X86_RUN(x86_open, X86, x86_wide, open, false)
X86_RUN(x86_seal_pairs, X86_PAIRS, x86_wide_pairs, seal, true)
X86_RUN(x86_open_pairs, X86_PAIRS, x86_wide_pairs, open, false)

static bool x86_here(void)
{
    return __builtin_cpu_supports("aes") && __builtin_cpu_supports("sse2");
}

static bool x86_pairs_here(void)
{
    enum {
        LEAF = 7,
        VAES = 1 << 9 /* of ECX */
    };
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    return x86_here() && __builtin_cpu_supports("avx2") &&
           __get_cpuid_count(LEAF, 0, &a, &b, &c, &d) != 0 && (c & VAES) != 0;
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
    }
#endif
    sl_xts_choose(x, SL_XTS_ANY);
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
    x->pairs = false;
#if HAVE_X86
    x->fast = way != SL_XTS_PLAIN && x86_here();
    x->pairs = way == SL_XTS_ANY && x86_pairs_here();
#else
    (void)way;
#endif
}

void sl_xts_seal(const sl_xts *x, uint64_t unit, const uint8_t *p, size_t n, uint8_t *out)
{
#if HAVE_X86
    if (x->fast && n % SL_XTS_BLOCK == 0) {
        (x->pairs ? x86_seal_pairs : x86_seal)(x, unit, p, n, out);
        return;
    }
#endif
    slow(&x->seal, MBEDTLS_AES_ENCRYPT, unit, p, n, out);
}

void sl_xts_open(const sl_xts *x, uint64_t unit, const uint8_t *p, size_t n, uint8_t *out)
{
#if HAVE_X86
    if (x->fast && n % SL_XTS_BLOCK == 0) {
        (x->pairs ? x86_open_pairs : x86_open)(x, unit, p, n, out);
        return;
    }
#endif
    slow(&x->open, MBEDTLS_AES_DECRYPT, unit, p, n, out);
}
