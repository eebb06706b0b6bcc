#include "crypto/totp.h"

#include "base/error.h"
#include "crypto/hash.h"

#include <mbedtls/sha1.h>
#include <mbedtls/version.h>
#include <stdio.h>

#if MBEDTLS_VERSION_NUMBER >= 0x03000000
#define SHA1 mbedtls_sha1
#else
#define SHA1 mbedtls_sha1_ret
#endif

enum {
    BLOCK_LEN = 64,
    SHA1_LEN = 20,
    STEP_LEN = 8
};

static void hmac_sha1(const uint8_t *key, size_t n, const uint8_t *p, size_t p_n,
                      uint8_t out[SHA1_LEN])
{
    uint8_t block[BLOCK_LEN] = {0};
    uint8_t text[BLOCK_LEN + SHA1_LEN];
    SL_ASSERT(n <= BLOCK_LEN && p_n <= SHA1_LEN);
    memcpy(block, key, n);
    for (size_t i = 0; i < BLOCK_LEN; i++) {
        text[i] = block[i] ^ 0x36;
    }
    memcpy(text + BLOCK_LEN, p, p_n);
    SL_ASSERT(SHA1(text, BLOCK_LEN + p_n, out) == 0);
    for (size_t i = 0; i < BLOCK_LEN; i++) {
        text[i] = block[i] ^ 0x5C;
    }
    memcpy(text + BLOCK_LEN, out, SHA1_LEN);
    SL_ASSERT(SHA1(text, sizeof text, out) == 0);
    sl_wipe(block, sizeof block);
    sl_wipe(text, sizeof text);
}

uint32_t sl_totp_code(const uint8_t *key, size_t n, uint64_t step, unsigned digits)
{
    uint8_t counter[STEP_LEN];
    uint8_t mac[SHA1_LEN];
    uint32_t modulus = 1;
    for (int i = STEP_LEN; i-- > 0; step >>= 8) {
        counter[i] = (uint8_t)step;
    }
    hmac_sha1(key, n, counter, sizeof counter, mac);
    size_t at = mac[SHA1_LEN - 1] & 0x0F;
    uint32_t code = (uint32_t)(mac[at] & 0x7F) << 24 | (uint32_t)mac[at + 1] << 16 |
                    (uint32_t)mac[at + 2] << 8 | mac[at + 3];
    for (unsigned i = 0; i < digits; i++) {
        modulus *= 10;
    }
    return code % modulus;
}

bool sl_totp_check(const uint8_t key[SL_TOTP_KEY_LEN], const char *code, int64_t now_s,
                   int64_t *last)
{
    bool found = false;
    int64_t which = 0;
    if (code == NULL || strlen(code) != SL_TOTP_DIGITS ||
        strspn(code, "0123456789") != SL_TOTP_DIGITS || now_s < SL_TOTP_STEP_S) {
        return false;
    }
    for (int64_t step = now_s / SL_TOTP_STEP_S - 1; step <= now_s / SL_TOTP_STEP_S + 1; step++) {
        char text[16];
        uint32_t wanted = sl_totp_code(key, SL_TOTP_KEY_LEN, (uint64_t)step, SL_TOTP_DIGITS);
        (void)snprintf(text, sizeof text, "%06u", (unsigned)wanted);
        if (sl_equal_ct(text, code, SL_TOTP_DIGITS) && step > *last) {
            found = true;
            which = step;
        }
    }
    *last = found ? which : *last;
    return found;
}

void sl_base32(sl_buf *out, const uint8_t *p, size_t n)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    uint32_t bits = 0;
    unsigned count = 0;
    for (size_t i = 0; i < n; i++) {
        bits = bits << 8 | p[i];
        for (count += 8; count >= 5; count -= 5) {
            sl_buf_u8(out, (uint8_t)letters[bits >> (count - 5) & 31]);
        }
    }
    if (count > 0) {
        sl_buf_u8(out, (uint8_t)letters[bits << (5 - count) & 31]);
    }
}
