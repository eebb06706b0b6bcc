/* Tokens: what is accepted, and the attacks of RFC 8725 that must not be. */
#include "crypto/jwt.h"

#include "base/base64.h"
#include "base/mem.h"
#include "base/prng.h"
#include "crypto/hash.h"
#include "support.h"
#include "vectors.h"

#include <stdio.h>
#include <string.h>

static const char HEAD[] = "{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":\"";
static const sl_jwt_rules RULES = {
    .iss = "https://id.example", .aud = "sideline", .now_s = 1800000000, .skew_s = 60};

static sl_prng g_random = {1};

static sl_status fill(void *user, void *dst, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ((uint8_t *)dst)[i] = (uint8_t)(sl_prng_next(user) >> 32);
    }
    return SL_OK;
}

static sl_key *the_key(void)
{
    sl_key *key = NULL;
    ck_assert_int_eq(sl_key_from_pem(KEY_PEM, strlen(KEY_PEM), fill, &g_random, &key, NULL), SL_OK);
    return key;
}

static sl_status verify(const sl_key *key, const char *text, size_t n)
{
    sl_json *claims = NULL;
    sl_status status = sl_jwt_verify(key, text, n, &RULES, &claims, NULL);
    ck_assert((status == SL_OK) == (claims != NULL));
    sl_json_free(claims);
    return status;
}

/* A correctly signed token of any header and body. */
static void forge(const sl_key *key, const char *head, const char *body, sl_buf *out)
{
    uint8_t hash[SL_SHA256_LEN];
    uint8_t sig[SL_KEY_SIG_MAX];
    size_t sig_n = 0;
    sl_buf_clear(out);
    sl_base64url(out, head, strlen(head));
    sl_buf_u8(out, '.');
    sl_base64url(out, body, strlen(body));
    sl_sha256_of(out->data, out->len, hash);
    ck_assert_int_eq(sl_key_sign(key, fill, &g_random, hash, sig, &sig_n, NULL), SL_OK);
    sl_buf_u8(out, '.');
    sl_base64url(out, sig, sig_n);
    ck_assert(!out->failed);
}

static sl_status try_head(const sl_key *key, const char *head)
{
    sl_buf t = {0};
    forge(key, head, "{\"iss\":\"https://id.example\",\"aud\":\"sideline\",\"exp\":1900000000}",
          &t);
    sl_status status = verify(key, sl_buf_text(&t), t.len);
    sl_buf_free(&t);
    return status;
}

static sl_status try_body(const sl_key *key, const char *body)
{
    char head[160];
    sl_buf t = {0};
    snprintf(head, sizeof head, "%s%s\"}", HEAD, KEY_ID);
    forge(key, head, body, &t);
    sl_status status = verify(key, sl_buf_text(&t), t.len);
    sl_buf_free(&t);
    return status;
}

/* A body that is right but for what is said about time. */
static sl_status try_times(const sl_key *key, const char *times)
{
    char body[256];
    snprintf(body, sizeof body, "{\"iss\":\"https://id.example\",\"aud\":\"sideline\"%s}", times);
    return try_body(key, body);
}

static sl_status try_who(const sl_key *key, const char *who)
{
    char body[400];
    snprintf(body, sizeof body, "{\"exp\":1900000000%s}", who);
    return try_body(key, body);
}

START_TEST(jwt__a_token_made_by_openssl_is_accepted)
{
    sl_key *key = the_key();
    sl_json *claims = NULL;
    ck_assert_int_eq(
        sl_jwt_verify(key, OPENSSL_TOKEN, strlen(OPENSSL_TOKEN), &RULES, &claims, NULL), SL_OK);
    ck_assert_str_eq(sl_json_str(claims, "sub"), "u1");
    sl_json_free(claims);
    sl_key_free(key);
}
END_TEST

START_TEST(jwt__a_signed_token_gives_its_claims_back_to_the_public_key)
{
    sl_key *key = the_key();
    sl_json *claims = sl_json_object();
    ck_assert(
        sl_json_set_str(claims, "iss", RULES.iss) && sl_json_set_str(claims, "aud", RULES.aud) &&
        sl_json_set_int(claims, "exp", RULES.now_s + 900) &&
        sl_json_set_int(claims, "iat", RULES.now_s) && sl_json_set(claims, "amr", sl_json_array()));
    char *text = NULL;
    ck_assert_int_eq(sl_jwt_sign(key, fill, &g_random, claims, &text, NULL), SL_OK);
    sl_json *jwk = sl_key_jwk(key);
    sl_key *public_key = NULL;
    ck_assert_int_eq(sl_key_from_jwk(jwk, &public_key, NULL), SL_OK);
    sl_json *back = NULL;
    ck_assert_int_eq(sl_jwt_verify(public_key, text, strlen(text), &RULES, &back, NULL), SL_OK);
    ck_assert(sl_json_equal(back, claims));
    sl_json_free(back);
    sl_json_free(jwk);
    sl_key_free(public_key);
    sl_mem_free(text);
    sl_json_free(claims);
    sl_key_free(key);
}
END_TEST

START_TEST(jwt__a_token_of_another_key_is_refused)
{
    sl_key *key = the_key();
    sl_key *other = NULL;
    ck_assert_int_eq(
        sl_key_from_pem(PKCS8_3072_PEM, strlen(PKCS8_3072_PEM), fill, &g_random, &other, NULL),
        SL_OK);
    ck_assert_int_eq(verify(other, OPENSSL_TOKEN, strlen(OPENSSL_TOKEN)), SL_E_AUTH);
    char head[160];
    snprintf(head, sizeof head, "%s%s\"}", HEAD, KEY_ID);
    sl_buf t = {0};
    forge(other, head, "{\"iss\":\"https://id.example\",\"aud\":\"sideline\",\"exp\":1900000000}",
          &t);
    ck_assert_int_eq(verify(key, sl_buf_text(&t), t.len), SL_E_AUTH);
    sl_buf_free(&t);
    sl_key_free(other);
    sl_key_free(key);
}
END_TEST

/* N1, N3, N4, N5, N6, N10, N12. */
START_TEST(jwt__a_header_may_only_say_what_we_say)
{
    sl_key *key = the_key();
    const char *const tails[] = {
        "\",\"jwk\":{\"kty\":\"RSA\"}}",
        "\",\"jku\":\"https://evil.example\"}",
        "\",\"x5u\":\"https://evil.example\"}",
        "\",\"x5c\":[\"AA\"]}",
        "\",\"crit\":[\"exp\"]}",
        "\",\"crit\":[]}",
        "\",\"zip\":\"DEF\"}",
        "\",\"b64\":false}",
        "\",\"alg\":\"none\"}",
        "\",\"alg\":\"RS256\"}",
        "\",\"\\u0061lg\":\"RS256\"}",
        "\\u0000\"}",
        " \"}",
        "\"} {}",
    };
    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
        char head[400];
        snprintf(head, sizeof head, "%s%s%s", HEAD, KEY_ID, tails[i]);
        ck_assert_msg(try_head(key, head) == SL_E_AUTH, "%s", head);
    }
    const char *const algs[] = {"none",  "None",  "nOnE",  "",      "HS256", "RS512",
                                "PS256", "ES256", "rs256", "RS384", "RS256 "};
    for (size_t i = 0; i < sizeof algs / sizeof algs[0]; i++) {
        char head[400];
        snprintf(head, sizeof head, "{\"alg\":\"%s\",\"typ\":\"at+jwt\",\"kid\":\"%s\"}", algs[i],
                 KEY_ID);
        ck_assert_msg(try_head(key, head) == SL_E_AUTH, "%s", head);
    }
    const char *const types[] = {"\"JWT\"", "\"at+JWT\"", "\"id+jwt\"", "\"\"", "null", "7"};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        char head[400];
        snprintf(head, sizeof head, "{\"alg\":\"RS256\",\"typ\":%s,\"kid\":\"%s\"}", types[i],
                 KEY_ID);
        ck_assert_msg(try_head(key, head) == SL_E_AUTH, "%s", head);
    }
    const char *const others[] = {"{}",
                                  "[]",
                                  "null",
                                  "",
                                  "x",
                                  "{\"alg\":\"RS256\"}",
                                  "{\"alg\":\"RS256\",\"typ\":\"at+jwt\"}",
                                  "{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":\"other\"}"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        ck_assert_msg(try_head(key, others[i]) == SL_E_AUTH, "%s", others[i]);
    }
    char good[160];
    snprintf(good, sizeof good, "%s%s\"}", HEAD, KEY_ID);
    ck_assert_int_eq(try_head(key, good), SL_OK);
    sl_key_free(key);
}
END_TEST

static void refuse_hmac(const sl_key *key, const void *secret, size_t secret_n)
{
    char head[160];
    snprintf(head, sizeof head, "{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"%s\"}", KEY_ID);
    const char *body = "{\"iss\":\"https://id.example\",\"aud\":\"sideline\",\"exp\":1900000000}";
    sl_buf t = {0};
    uint8_t tag[SL_SHA256_LEN];
    sl_base64url(&t, head, strlen(head));
    sl_buf_u8(&t, '.');
    sl_base64url(&t, body, strlen(body));
    sl_hmac_sha256(secret, secret_n, t.data, t.len, tag);
    sl_buf_u8(&t, '.');
    sl_base64url(&t, tag, sizeof tag);
    ck_assert_int_eq(verify(key, sl_buf_text(&t), t.len), SL_E_AUTH);
    sl_buf_free(&t);
}

/* N1 without signature, N2. */
START_TEST(jwt__the_public_key_is_no_shared_secret_and_no_signature_is_no_token)
{
    sl_key *key = the_key();
    char *pem = NULL;
    ck_assert_int_eq(sl_key_public_pem(key, &pem, NULL), SL_OK);
    refuse_hmac(key, pem, strlen(pem));
    refuse_hmac(key, KEY_N, strlen(KEY_N));
    sl_buf der = {0};
    ck_assert(sl_base64url_decode(&der, KEY_N, strlen(KEY_N)));
    refuse_hmac(key, der.data, der.len);
    sl_buf_free(&der);
    sl_mem_free(pem);
    size_t signed_n = (size_t)(strrchr(OPENSSL_TOKEN, '.') - OPENSSL_TOKEN);
    ck_assert_int_eq(verify(key, OPENSSL_TOKEN, signed_n), SL_E_AUTH);
    ck_assert_int_eq(verify(key, OPENSSL_TOKEN, signed_n + 1), SL_E_AUTH);
    ck_assert_int_eq(verify(key, OPENSSL_TOKEN, signed_n + 2), SL_E_AUTH);
    sl_key_free(key);
}
END_TEST

/* N7, N8. */
START_TEST(jwt__issuer_and_audience_are_exact)
{
    sl_key *key = the_key();
    const char *const good[] = {
        ",\"iss\":\"https://id.example\",\"aud\":\"sideline\"",
        ",\"iss\":\"https://id.example\",\"aud\":[\"sideline\"]",
        ",\"iss\":\"https://id.example\",\"aud\":[\"other\",\"sideline\"]",
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        ck_assert_msg(try_who(key, good[i]) == SL_OK, "%s", good[i]);
    }
    const char *const bad[] = {
        ",\"aud\":\"sideline\"",
        ",\"iss\":\"https://id.example/\",\"aud\":\"sideline\"",
        ",\"iss\":\"http://id.example\",\"aud\":\"sideline\"",
        ",\"iss\":\"https://ID.example\",\"aud\":\"sideline\"",
        ",\"iss\":\"https://id.example\\u0000.evil\",\"aud\":\"sideline\"",
        ",\"iss\":[\"https://id.example\"],\"aud\":\"sideline\"",
        ",\"iss\":null,\"aud\":\"sideline\"",
        ",\"iss\":\"https://id.example\"",
        ",\"iss\":\"https://id.example\",\"aud\":\"Sideline\"",
        ",\"iss\":\"https://id.example\",\"aud\":\"sidelin\"",
        ",\"iss\":\"https://id.example\",\"aud\":\"sideline2\"",
        ",\"iss\":\"https://id.example\",\"aud\":[]",
        ",\"iss\":\"https://id.example\",\"aud\":[\"other\"]",
        ",\"iss\":\"https://id.example\",\"aud\":[\"sideline\",7]",
        ",\"iss\":\"https://id.example\",\"aud\":[[\"sideline\"]]",
        ",\"iss\":\"https://id.example\",\"aud\":{\"0\":\"sideline\"}",
        ",\"iss\":\"https://id.example\",\"aud\":null",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_msg(try_who(key, bad[i]) == SL_E_AUTH, "%s", bad[i]);
    }
    sl_key_free(key);
}
END_TEST

/* N9: both sides of each limit; now is 1800000000, the skew 60 s. */
START_TEST(jwt__times_are_checked_to_the_second)
{
    sl_key *key = the_key();
    const char *const good[] = {
        ",\"exp\":1799999941",
        ",\"exp\":9007199254740992",
        ",\"exp\":1900000000,\"nbf\":1800000060",
        ",\"exp\":1900000000,\"iat\":1800000060",
        ",\"exp\":1900000000,\"iat\":0,\"nbf\":0",
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        ck_assert_msg(try_times(key, good[i]) == SL_OK, "%s", good[i]);
    }
    const char *const bad[] = {
        "",
        ",\"exp\":1799999940",
        ",\"exp\":0",
        ",\"exp\":-1",
        ",\"exp\":1e400",
        ",\"exp\":-1e400",
        ",\"exp\":1900000000.5",
        ",\"exp\":\"1900000000\"",
        ",\"exp\":null",
        ",\"exp\":true",
        ",\"exp\":[1900000000]",
        ",\"exp\":1900000000,\"nbf\":1800000061",
        ",\"exp\":1900000000,\"iat\":1800000061",
        ",\"exp\":1900000000,\"nbf\":\"0\"",
        ",\"exp\":1900000000,\"iat\":null",
        ",\"exp\":1900000000,\"nbf\":1e400",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_msg(try_times(key, bad[i]) == SL_E_AUTH, "%s", bad[i]);
    }
    sl_jwt_rules lax = RULES;
    sl_json *claims = NULL;
    lax.skew_s = 1000000;
    lax.now_s = 2000000059;
    size_t n = strlen(OPENSSL_TOKEN);
    ck_assert_int_eq(sl_jwt_verify(key, OPENSSL_TOKEN, n, &lax, &claims, NULL), SL_OK);
    sl_json_free(claims);
    lax.now_s = 2000000060;
    ck_assert_int_eq(sl_jwt_verify(key, OPENSSL_TOKEN, n, &lax, &claims, NULL), SL_E_AUTH);
    lax.skew_s = -5;
    lax.now_s = 1999999999;
    ck_assert_int_eq(sl_jwt_verify(key, OPENSSL_TOKEN, n, &lax, &claims, NULL), SL_OK);
    sl_json_free(claims);
    lax.now_s = 2000000000;
    ck_assert_int_eq(sl_jwt_verify(key, OPENSSL_TOKEN, n, &lax, &claims, NULL), SL_E_AUTH);
    lax.iss = NULL;
    ck_assert_int_eq(sl_jwt_verify(key, OPENSSL_TOKEN, n, &lax, &claims, NULL), SL_E_MISUSE);
    sl_key_free(key);
}
END_TEST

/* N11 */
START_TEST(jwt__every_changed_byte_is_refused)
{
    sl_key *key = the_key();
    size_t n = strlen(OPENSSL_TOKEN);
    char *copy = sl_text_dup(OPENSSL_TOKEN);
    for (size_t i = 0; i < n; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            copy[i] = (char)(OPENSSL_TOKEN[i] ^ (1 << bit));
            ck_assert_msg(verify(key, copy, n) == SL_E_AUTH, "byte %zu bit %u", i, bit);
        }
        copy[i] = OPENSSL_TOKEN[i];
        ck_assert_int_eq(verify(key, copy, i), SL_E_AUTH);
    }
    ck_assert_int_eq(verify(key, copy, n), SL_OK);
    sl_mem_free(copy);
    sl_key_free(key);
}
END_TEST

static void refuse_shape(const sl_key *key, const char *before, const char *after)
{
    sl_buf t = {0};
    sl_buf_str(&t, before);
    sl_buf_str(&t, OPENSSL_TOKEN);
    sl_buf_str(&t, after);
    ck_assert_msg(verify(key, sl_buf_text(&t), t.len) == SL_E_AUTH, "%s...%s", before, after);
    sl_buf_free(&t);
}

/* N12 */
START_TEST(jwt__malformed_tokens_are_refused)
{
    sl_key *key = the_key();
    const char *const around[] = {".", "..", "=", "==", " ", "\n", "+", "/", "A", ".AA", "\t"};
    for (size_t i = 0; i < sizeof around / sizeof around[0]; i++) {
        refuse_shape(key, around[i], "");
        refuse_shape(key, "", around[i]);
    }
    const char *const shapes[] = {"",     ".",   "..",  "...",        "a.b.c",
                                  "a..c", ".b.", "a.b", "e30.e30.e30"};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        ck_assert_int_eq(verify(key, shapes[i], strlen(shapes[i])), SL_E_AUTH);
    }
    ck_assert_int_eq(verify(key, NULL, 0), SL_E_AUTH);
    const char *const bodies[] = {
        ",\"sub\":\"a\",\"sub\":\"b\"",
        ",\"sub\":\"a\",\"s\\u0075b\":\"b\"",
        ",\"exp\":1900000000",
        ",\"x\":{\"y\":1,\"y\":1}",
        ",\"x\":[{\"y\":1},{\"z\":1,\"z\":2}]",
        ",\"x\":\"\\u0000\"",
        ",",
        "} {",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        char times[128];
        snprintf(times, sizeof times, ",\"exp\":1900000000%s", bodies[i]);
        ck_assert_msg(try_times(key, times) == SL_E_AUTH, "%s", times);
    }
    ck_assert_int_eq(try_times(key, ",\"exp\":1900000000,\"x\":[{\"y\":1},{\"y\":1}]"), SL_OK);
    ck_assert_int_eq(try_body(key, "[]"), SL_E_AUTH);
    ck_assert_int_eq(try_body(key, "7"), SL_E_AUTH);
    sl_key_free(key);
}
END_TEST

/* N12: depth and size. */
START_TEST(jwt__deep_and_large_tokens_are_refused)
{
    sl_key *key = the_key();
    sl_buf body = {0};
    sl_buf_str(&body, "{\"x\":");
    for (int i = 0; i < 1000; i++) {
        sl_buf_str(&body, "[");
    }
    for (int i = 0; i < 1000; i++) {
        sl_buf_str(&body, "]");
    }
    sl_buf_str(&body, "}");
    ck_assert_int_eq(try_body(key, sl_buf_text(&body)), SL_E_AUTH);
    sl_buf_free(&body);

    char *big = sl_mem(1 << 20);
    memset(big, 'A', (1 << 20) - 1);
    ck_assert_int_eq(verify(key, big, (1 << 20) - 1), SL_E_AUTH);
    big[3] = '.';
    big[9] = '.';
    ck_assert_int_eq(verify(key, big, (1 << 20) - 1), SL_E_AUTH);

    /* The largest token that may be made is accepted; one claim character more is not made. */
    sl_json *claims = sl_json_object();
    ck_assert(sl_json_set_str(claims, "iss", RULES.iss) &&
              sl_json_set_str(claims, "aud", RULES.aud) &&
              sl_json_set_int(claims, "exp", RULES.now_s + 900));
    size_t largest = 0;
    char *text = NULL;
    for (size_t pad = 5690; pad < 5760 && largest == 0; pad++) {
        memset(big, 'x', pad);
        big[pad] = 0;
        ck_assert(sl_json_set_str(claims, "pad", big));
        sl_status status = sl_jwt_sign(key, fill, &g_random, claims, &text, NULL);
        if (status != SL_OK) {
            ck_assert_int_eq(status, SL_E_LIMIT);
            largest = pad;
        } else {
            ck_assert_uint_le(strlen(text), SL_JWT_LEN_MAX);
            ck_assert_int_eq(verify(key, text, strlen(text)), SL_OK);
            sl_mem_free(text);
        }
    }
    ck_assert_uint_gt(largest, 5690);
    sl_json_free(claims);
    sl_mem_free(big);
    sl_key_free(key);
}
END_TEST

START_TEST(jwt__every_failed_allocation_is_told_and_leaks_nothing)
{
    sl_key *key = the_key();
    sl_json *claims = sl_json_object();
    ck_assert(sl_json_set_int(claims, "exp", 1900000000));
    char *none = NULL;
    ck_assert_int_eq(sl_jwt_sign(key, fill, &g_random, NULL, &none, NULL), SL_E_MISUSE);
    bool done = false;
    for (uint64_t k = 1; k < 200 && !done; k++) {
        char *text = NULL;
        sl_mem_fail_at(k, false);
        sl_status status = sl_jwt_sign(key, fill, &g_random, claims, &text, NULL);
        sl_mem_fail_at(0, false);
        ck_assert(status == SL_OK || status == SL_E_NOMEM);
        sl_mem_free(text);
        done = status == SL_OK;
    }
    ck_assert(done);
    done = false;
    for (uint64_t k = 1; k < 200 && !done; k++) {
        sl_json *read = NULL;
        sl_error *err = NULL;
        sl_mem_fail_at(k, false);
        sl_status status =
            sl_jwt_verify(key, OPENSSL_TOKEN, strlen(OPENSSL_TOKEN), &RULES, &read, &err);
        sl_mem_fail_at(0, false);
        ck_assert((status == SL_OK) == (read != NULL));
        sl_json_free(read);
        sl_error_release(err);
        done = status == SL_OK;
    }
    ck_assert(done);
    sl_json_free(claims);
    sl_key_free(key);
    ck_assert_int_eq(sl_debug_live_objects(), 0);
}
END_TEST

SL_TEST_MAIN("crypto_jwt", jwt__a_token_made_by_openssl_is_accepted,
             jwt__a_signed_token_gives_its_claims_back_to_the_public_key,
             jwt__a_token_of_another_key_is_refused, jwt__a_header_may_only_say_what_we_say,
             jwt__the_public_key_is_no_shared_secret_and_no_signature_is_no_token,
             jwt__issuer_and_audience_are_exact, jwt__times_are_checked_to_the_second,
             jwt__every_changed_byte_is_refused, jwt__malformed_tokens_are_refused,
             jwt__deep_and_large_tokens_are_refused,
             jwt__every_failed_allocation_is_told_and_leaks_nothing)
