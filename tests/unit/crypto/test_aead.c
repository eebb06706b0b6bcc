/* Vectors 13, 14 and 16 of the GCM specification (McGrew and Viega). */
#include "crypto/aead.h"

#include "base/base64.h"
#include "support.h"

#include <string.h>

typedef struct vector {
    const char *key;
    const char *nonce;
    const char *aad;
    const char *plain;
    const char *sealed;
} vector;

static const vector VECTORS[] = {
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000",
     "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000",
     "", "00000000000000000000000000000000",
     "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"},
    {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
     "76fc6ece0f4e1768cddf8853bb2d551b"},
};

static size_t unhex(uint8_t *out, const char *hex)
{
    size_t n = strlen(hex) / 2;
    ck_assert(n <= 128);
    ck_assert(sl_hex_decode(out, n, hex));
    return n;
}

START_TEST(aead__published_vectors_seal_and_open)
{
    for (size_t i = 0; i < sizeof VECTORS / sizeof VECTORS[0]; i++) {
        const vector *v = &VECTORS[i];
        uint8_t key[128];
        uint8_t nonce[128];
        uint8_t extra[128];
        uint8_t plain[128];
        uint8_t sealed[128];
        uint8_t out[128];
        unhex(key, v->key);
        unhex(nonce, v->nonce);
        sl_aad aad = {extra, unhex(extra, v->aad)};
        size_t n = unhex(plain, v->plain);
        size_t sealed_n = unhex(sealed, v->sealed);
        ck_assert_uint_eq(sealed_n, n + SL_AEAD_TAG_LEN);
        ck_assert_int_eq(sl_aead_seal(key, nonce, aad, plain, n, out, NULL), SL_OK);
        ck_assert_mem_eq(out, sealed, sealed_n);
        ck_assert_int_eq(sl_aead_open(key, nonce, aad, sealed, sealed_n, out, NULL), SL_OK);
        ck_assert(n == 0 || memcmp(out, plain, n) == 0);
    }
}
END_TEST

START_TEST(aead__a_changed_bit_anywhere_is_refused_and_nothing_is_given_out)
{
    uint8_t key[SL_AEAD_KEY_LEN] = {1};
    uint8_t nonce[SL_AEAD_NONCE_LEN] = {2};
    uint8_t sealed[40 + SL_AEAD_TAG_LEN];
    uint8_t plain[40];
    uint8_t out[40];
    const uint8_t zero[40] = {0};
    memset(plain, 'p', sizeof plain);
    sl_aad aad = {"name", 4};
    ck_assert_int_eq(sl_aead_seal(key, nonce, aad, plain, sizeof plain, sealed, NULL), SL_OK);
    for (size_t bit = 0; bit < 8 * sizeof sealed; bit++) {
        sealed[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        memset(out, 'x', sizeof out);
        ck_assert_int_eq(sl_aead_open(key, nonce, aad, sealed, sizeof sealed, out, NULL),
                         SL_E_CORRUPT);
        ck_assert_mem_eq(out, zero, sizeof out);
        sealed[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
    sl_error *err = NULL;
    aad.n = 3;
    ck_assert_int_eq(sl_aead_open(key, nonce, aad, sealed, sizeof sealed, out, &err), SL_E_CORRUPT);
    ck_assert_ptr_nonnull(err);
    sl_error_release(err);
    aad.n = 4;
    nonce[11] ^= 1;
    ck_assert_int_eq(sl_aead_open(key, nonce, aad, sealed, sizeof sealed, out, NULL), SL_E_CORRUPT);
    nonce[11] ^= 1;
    key[31] ^= 1;
    ck_assert_int_eq(sl_aead_open(key, nonce, aad, sealed, sizeof sealed, out, NULL), SL_E_CORRUPT);
    key[31] ^= 1;
    ck_assert_int_eq(sl_aead_open(key, nonce, aad, sealed, sizeof sealed, out, NULL), SL_OK);
    ck_assert_mem_eq(out, plain, sizeof plain);
    ck_assert_int_eq(sl_debug_live_objects(), 0);
}
END_TEST

START_TEST(aead__a_truncated_seal_is_refused)
{
    const uint8_t key[SL_AEAD_KEY_LEN] = {1};
    const uint8_t nonce[SL_AEAD_NONCE_LEN] = {2};
    const sl_aad none = {NULL, 0};
    uint8_t sealed[5 + SL_AEAD_TAG_LEN];
    uint8_t out[5];
    ck_assert_int_eq(sl_aead_seal(key, nonce, none, "hello", 5, sealed, NULL), SL_OK);
    for (size_t n = 0; n < sizeof sealed; n++) {
        ck_assert_int_eq(sl_aead_open(key, nonce, none, sealed, n, out, NULL), SL_E_CORRUPT);
    }
    ck_assert_int_eq(sl_aead_open(key, nonce, none, sealed, sizeof sealed, out, NULL), SL_OK);
}
END_TEST

START_TEST(aead__sealing_and_opening_in_place_work)
{
    const uint8_t key[SL_AEAD_KEY_LEN] = {3};
    const uint8_t nonce[SL_AEAD_NONCE_LEN] = {4};
    const sl_aad none = {NULL, 0};
    uint8_t box[100 + SL_AEAD_TAG_LEN];
    uint8_t plain[100];
    memset(plain, 'q', sizeof plain);
    memcpy(box, plain, sizeof plain);
    ck_assert_int_eq(sl_aead_seal(key, nonce, none, box, sizeof plain, box, NULL), SL_OK);
    ck_assert_mem_ne(box, plain, sizeof plain);
    ck_assert_int_eq(sl_aead_open(key, nonce, none, box, sizeof box, box, NULL), SL_OK);
    ck_assert_mem_eq(box, plain, sizeof plain);
}
END_TEST

SL_TEST_MAIN("crypto_aead", aead__published_vectors_seal_and_open,
             aead__a_changed_bit_anywhere_is_refused_and_nothing_is_given_out,
             aead__a_truncated_seal_is_refused, aead__sealing_and_opening_in_place_work)
