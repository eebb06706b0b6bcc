#include "crypto/sha_x86.h"

#include "base/error.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <cpuid.h>
#include <immintrin.h>

#define X86 __attribute__((target("sha,sse4.1,ssse3")))

enum {
    BLOCK = 64,
    GROUPS = 16, /* of four rounds */
    SHA_BIT = 29 /* of EBX, leaf 7 */
};

static const uint32_t K[GROUPS][4] = {
    {0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5},
    {0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5},
    {0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3},
    {0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174},
    {0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc},
    {0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da},
    {0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7},
    {0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967},
    {0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13},
    {0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85},
    {0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3},
    {0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070},
    {0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5},
    {0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3},
    {0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208},
    {0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2},
};

static bool look(void)
{
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    return __builtin_cpu_supports("sse4.1") && __builtin_cpu_supports("ssse3") &&
           __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b >> SHA_BIT & 1) != 0;
}

/* Asking the processor costs more than a block in a virtual machine, so it is asked once. */
bool sl_sha_x86_have(void)
{
    static _Atomic int have; /* 0: not known, 1: no, 2: yes */
    int known = have;
    if (known == 0) {
        known = look() ? 2 : 1;
        have = known;
    }
    return known == 2;
}

X86 static __m128i load(const void *p)
{
    return _mm_loadu_si128((const __m128i *)p);
}

/* The two halves of the state as the instructions want them: ABEF and CDGH. */
X86 static void rounds(__m128i *abef, __m128i *cdgh, const uint8_t *p)
{
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
    __m128i w[4];
    __m128i s0 = *abef;
    __m128i s1 = *cdgh;
    for (int i = 0; i < GROUPS; i++) {
        __m128i *now = &w[i & 3];
        if (i < 4) {
            *now = _mm_shuffle_epi8(load(p + (size_t)i * 16), swap);
        } else {
            const __m128i last = w[(i - 1) & 3];
            __m128i x = _mm_sha256msg1_epu32(*now, w[(i - 3) & 3]);
            x = _mm_add_epi32(x, _mm_alignr_epi8(last, w[(i - 2) & 3], 4));
            *now = _mm_sha256msg2_epu32(x, last);
        }
        __m128i m = _mm_add_epi32(*now, load(K[i]));
        s1 = _mm_sha256rnds2_epu32(s1, s0, m);
        s0 = _mm_sha256rnds2_epu32(s0, s1, _mm_shuffle_epi32(m, 0x0E));
    }
    *abef = _mm_add_epi32(*abef, s0);
    *cdgh = _mm_add_epi32(*cdgh, s1);
}

X86 void sl_sha_x86(uint32_t state[8], const uint8_t *p, size_t blocks)
{
    __m128i cdab = _mm_shuffle_epi32(load(state), 0xB1);
    __m128i efgh = _mm_shuffle_epi32(load(state + 4), 0x1B);
    __m128i abef = _mm_alignr_epi8(cdab, efgh, 8);
    __m128i cdgh = _mm_blend_epi16(efgh, cdab, 0xF0);
    for (size_t i = 0; i < blocks; i++) {
        rounds(&abef, &cdgh, p + i * BLOCK);
    }
    __m128i feba = _mm_shuffle_epi32(abef, 0x1B);
    __m128i dchg = _mm_shuffle_epi32(cdgh, 0xB1);
    _mm_storeu_si128((__m128i *)(void *)state, _mm_blend_epi16(feba, dchg, 0xF0));
    _mm_storeu_si128((__m128i *)(void *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

#else

bool sl_sha_x86_have(void)
{
    return false;
}

void sl_sha_x86(uint32_t state[8], const uint8_t *p, size_t blocks)
{
    (void)state, (void)p, (void)blocks;
    SL_ASSERT(false); /* it is not there */
}

#endif
