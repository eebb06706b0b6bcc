/* Vectors of FIPS 180-4 and RFC 4231. */
#include "crypto/hash.h"

#include "base/base64.h"
#include "base/mem.h"
#include "support.h"

#include <string.h>

static void check_hmac(const void *key, size_t key_n, const char *text, const char *expected)
{
    uint8_t out[SL_SHA256_LEN];
    char hex[SL_SHA256_HEX_LEN + 1];
    sl_hmac_sha256(key, key_n, text, strlen(text), out);
    sl_hex(hex, out, sizeof out);
    ck_assert_str_eq(hex, expected);
}

START_TEST(sha256__known_texts_give_the_published_hashes)
{
    char hex[SL_SHA256_HEX_LEN + 1];
    sl_sha256_hex("", 0, hex);
    ck_assert_str_eq(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    sl_sha256_hex(NULL, 0, hex);
    ck_assert_str_eq(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    sl_sha256_hex("abc", 3, hex);
    ck_assert_str_eq(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
END_TEST

START_TEST(sha256__a_stream_gives_the_same_wherever_it_is_cut_and_can_start_anew)
{
    uint8_t data[200];
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)(i * 7);
    }
    uint8_t whole[SL_SHA256_LEN];
    uint8_t cut[SL_SHA256_LEN];
    sl_sha256_of(data, sizeof data, whole);
    sl_sha256 *h = sl_sha256_new();
    ck_assert_ptr_nonnull(h);
    for (size_t at = 0; at <= sizeof data; at++) {
        sl_sha256_update(h, data, at);
        sl_sha256_update(h, data + at, sizeof data - at);
        sl_sha256_final(h, cut);
        ck_assert_mem_eq(cut, whole, sizeof whole);
    }
    char hex[SL_SHA256_HEX_LEN + 1];
    sl_sha256_update(h, "abc", 3);
    sl_sha256_final_hex(h, hex);
    ck_assert_str_eq(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sl_sha256_free(h);
    sl_sha256_free(NULL);
}
END_TEST

START_TEST(sha1__known_texts_give_the_published_hashes_wherever_they_are_cut)
{
    static const char *const texts[][2] = {
        {"", "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
        {"abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "84983e441c3bd26ebaae4aa1f95129e5e54670f1"}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        size_t n = strlen(texts[i][0]);
        for (size_t at = 0; at <= n; at++) {
            uint8_t out[SL_SHA1_LEN];
            char hex[2 * SL_SHA1_LEN + 1];
            sl_sha1 *h = sl_sha1_new();
            ck_assert_ptr_nonnull(h);
            sl_sha1_update(h, texts[i][0], at);
            sl_sha1_update(h, texts[i][0] + at, n - at);
            sl_sha1_final(h, out);
            sl_sha1_free(h);
            sl_hex(hex, out, sizeof out);
            ck_assert_str_eq(hex, texts[i][1]);
        }
    }
    sl_sha1_free(NULL);
}
END_TEST

START_TEST(sha256__whole_blocks_at_once_are_as_byte_by_byte)
{
    uint8_t data[1000];
    uint8_t whole[SL_SHA256_LEN];
    uint8_t bytes[SL_SHA256_LEN];
    sl_sha256 *h = sl_sha256_new();
    ck_assert_ptr_nonnull(h);
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)(i * i + i / 3);
    }
    for (size_t n = 0; n <= sizeof data; n += n < 300 ? 1 : 50) {
        for (size_t i = 0; i < n; i++) {
            sl_sha256_update(h, data + i, 1);
        }
        sl_sha256_final(h, bytes);
        sl_sha256_of(data, n, whole);
        ck_assert_mem_eq(whole, bytes, sizeof whole);
    }
    sl_sha256_free(h);
}
END_TEST

START_TEST(sha256__out_of_memory_is_told)
{
    sl_mem_fail_at(1, false);
    ck_assert_ptr_null(sl_sha256_new());
    sl_mem_fail_at(0, false);
}
END_TEST

START_TEST(hmac__short_block_and_long_keys_give_the_published_tags)
{
    uint8_t key[131];
    memset(key, 0x0b, sizeof key);
    check_hmac(key, 20, "Hi There",
               "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    check_hmac("Jefe", 4, "what do ya want for nothing?",
               "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof key);
    check_hmac(key, 131, "Test Using Larger Than Block-Size Key - Hash Key First",
               "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    /* 64 bytes are used as they are, 65 are hashed first. */
    uint8_t a[SL_SHA256_LEN];
    uint8_t b[SL_SHA256_LEN];
    uint8_t hashed[SL_SHA256_LEN];
    sl_sha256_of(key, 65, hashed);
    sl_hmac_sha256(key, 65, "x", 1, a);
    sl_hmac_sha256(hashed, sizeof hashed, "x", 1, b);
    ck_assert_mem_eq(a, b, sizeof a);
    sl_sha256_of(key, 64, hashed);
    sl_hmac_sha256(key, 64, "x", 1, a);
    sl_hmac_sha256(hashed, sizeof hashed, "x", 1, b);
    ck_assert_mem_ne(a, b, sizeof a);
}
END_TEST

START_TEST(equal_ct__one_changed_bit_anywhere_is_seen)
{
    uint8_t a[33] = {0};
    uint8_t b[33] = {0};
    ck_assert(sl_equal_ct(a, b, sizeof a));
    ck_assert(sl_equal_ct(a, b, 0));
    for (size_t bit = 0; bit < 8 * sizeof a; bit++) {
        b[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        ck_assert(!sl_equal_ct(a, b, sizeof a));
        b[bit / 8] = 0;
    }
}
END_TEST

START_TEST(wipe__nothing_is_left)
{
    uint8_t a[9] = "sekrit!!";
    const uint8_t zero[9] = {0};
    sl_wipe(a, sizeof a);
    sl_wipe(NULL, 0);
    ck_assert_mem_eq(a, zero, sizeof a);
}
END_TEST

SL_TEST_MAIN("crypto_hash", sha256__known_texts_give_the_published_hashes,
             sha256__a_stream_gives_the_same_wherever_it_is_cut_and_can_start_anew,
             sha1__known_texts_give_the_published_hashes_wherever_they_are_cut,
             sha256__whole_blocks_at_once_are_as_byte_by_byte, sha256__out_of_memory_is_told,
             hmac__short_block_and_long_keys_give_the_published_tags,
             equal_ct__one_changed_bit_anywhere_is_seen, wipe__nothing_is_left)
