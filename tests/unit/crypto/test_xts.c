/* Vector 10 of IEEE 1619-2007, annex B, and both ways of doing it against one another. */
#include "crypto/xts.h"

#include "base/base64.h"
#include "base/mem.h"
#include "base/prng.h"
#include "support.h"

#include <string.h>

static const char KEY[] = "2718281828459045235360287471352662497757247093699959574966967627"
                          "3141592653589793238462643383279502884197169399375105820974944592";
static const char SEALED[] = "1c3b3a102f770386e4836c99e370cf9bea00803f5e482357a4ae12d414a3e63b"
                             "5d31e276f8fe4a8d66b317f9ac683f44680a86ac35adfc3345befecb4bb188fd"
                             "5776926c49a3095eb108fd1098baec70aaa66999a72a82f27d848b21d4a741b0"
                             "c5cd4d5fff9dac89aeba122961d03a757123e9870f8acf1000020887891429ca";

enum {
    LONG = 4096
};

static sl_xts *vector_key(void)
{
    uint8_t key[SL_XTS_KEY_LEN];
    ck_assert(sl_hex_decode(key, sizeof key, KEY));
    sl_xts *x = sl_xts_new(key);
    ck_assert_ptr_nonnull(x);
    return x;
}

START_TEST(xts__a_published_vector_seals_and_opens)
{
    uint8_t plain[512];
    uint8_t sealed[128];
    uint8_t out[512];
    sl_xts *x = vector_key();
    ck_assert(sl_hex_decode(sealed, sizeof sealed, SEALED));
    for (size_t i = 0; i < sizeof plain; i++) {
        plain[i] = (uint8_t)i;
    }
    for (int way = SL_XTS_ANY; way <= SL_XTS_PLAIN; way++) {
        sl_xts_choose(x, (sl_xts_way)way);
        sl_xts_seal(x, 0xff, plain, sizeof plain, out);
        ck_assert_mem_eq(out, sealed, sizeof sealed);
        sl_xts_open(x, 0xff, out, sizeof out, out);
        ck_assert_mem_eq(out, plain, sizeof plain);
    }
    sl_xts_free(x);
}
END_TEST

START_TEST(xts__every_length_is_the_same_both_ways)
{
    uint8_t plain[600];
    uint8_t fast[600];
    uint8_t slow[600];
    sl_prng prng;
    sl_prng_seed(&prng, 7);
    sl_xts *x = vector_key();
    for (size_t k = 2 * SL_XTS_BLOCK; k <= 2 * sizeof plain; k++) {
        size_t n = k / 2;
        uint64_t unit = sl_prng_next(&prng);
        for (size_t i = 0; i < n; i++) {
            plain[i] = (uint8_t)sl_prng_next(&prng);
        }
        sl_xts_choose(x, k % 2 == 0 ? SL_XTS_ANY : SL_XTS_WIDE);
        sl_xts_seal(x, unit, plain, n, fast);
        sl_xts_choose(x, SL_XTS_PLAIN);
        sl_xts_seal(x, unit, plain, n, slow);
        ck_assert_mem_eq(fast, slow, n);
        sl_xts_open(x, unit, fast, n, slow);
        ck_assert_mem_eq(slow, plain, n);
        sl_xts_choose(x, k % 2 == 0 ? SL_XTS_ANY : SL_XTS_WIDE);
        memcpy(slow, fast, n);
        sl_xts_open(x, unit, slow, n, n % SL_XTS_BLOCK == 0 ? slow : fast);
        ck_assert_mem_eq(n % SL_XTS_BLOCK == 0 ? slow : fast, plain, n);
    }
    sl_xts_free(x);
}
END_TEST

START_TEST(xts__a_changed_block_changes_no_other)
{
    static uint8_t plain[LONG];
    static uint8_t before[LONG];
    static uint8_t after[LONG];
    sl_xts *x = vector_key();
    sl_xts_seal(x, 5, plain, LONG, before);
    for (size_t at = 0; at < LONG; at += SL_XTS_BLOCK) {
        plain[at + 3] = 1;
        sl_xts_seal(x, 5, plain, LONG, after);
        plain[at + 3] = 0;
        ck_assert(memcmp(before + at, after + at, SL_XTS_BLOCK) != 0);
        ck_assert_mem_eq(before, after, at);
        ck_assert_mem_eq(before + at + SL_XTS_BLOCK, after + at + SL_XTS_BLOCK,
                         LONG - at - SL_XTS_BLOCK);
    }
    sl_xts_free(x);
}
END_TEST

START_TEST(xts__the_same_bytes_look_otherwise_in_each_unit_and_block)
{
    static const uint8_t plain[64];
    uint8_t a[64];
    uint8_t b[64];
    sl_xts *x = vector_key();
    sl_xts_seal(x, 1, plain, 64, a);
    sl_xts_seal(x, 2, plain, 64, b);
    ck_assert(memcmp(a, b, 16) != 0);
    ck_assert(memcmp(a, a + 16, 16) != 0);
    ck_assert(memcmp(a + 16, b, 16) != 0);
    sl_xts_free(x);
}
END_TEST

START_TEST(xts__without_memory_there_is_no_key)
{
    static const uint8_t key[SL_XTS_KEY_LEN];
    (void)sl_mem_fail_at(1, false);
    ck_assert_ptr_null(sl_xts_new(key));
    (void)sl_mem_fail_at(0, false);
    sl_xts_free(NULL);
}
END_TEST

SL_TEST_MAIN("xts", xts__a_published_vector_seals_and_opens,
             xts__every_length_is_the_same_both_ways, xts__a_changed_block_changes_no_other,
             xts__the_same_bytes_look_otherwise_in_each_unit_and_block,
             xts__without_memory_there_is_no_key)
