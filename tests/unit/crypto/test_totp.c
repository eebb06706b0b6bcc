/* One-time codes against RFC 6238 (appendix B, SHA-1) and RFC 4226 (appendix D). */
#include "crypto/totp.h"
#include "support.h"

#include <stdio.h>
#include <string.h>

static const uint8_t KEY[] = "12345678901234567890";

START_TEST(code__is_that_of_the_standards)
{
    static const struct {
        int64_t time;
        uint32_t code;
    } totp[] = {{59, 94287082},         {1111111109, 7081804},  {1111111111, 14050471},
                {1234567890, 89005924}, {2000000000, 69279037}, {20000000000, 65353130}};
    static const uint32_t hotp[] = {755224, 287082, 359152, 969429, 338314,
                                    254676, 287922, 162583, 399871, 520489};
    for (size_t i = 0; i < sizeof totp / sizeof totp[0]; i++) {
        ck_assert_uint_eq(sl_totp_code(KEY, 20, (uint64_t)totp[i].time / 30, 8), totp[i].code);
    }
    for (size_t i = 0; i < sizeof hotp / sizeof hotp[0]; i++) {
        ck_assert_uint_eq(sl_totp_code(KEY, 20, i, 6), hotp[i]);
    }
}
END_TEST

START_TEST(check__takes_a_step_to_either_side_once_and_never_an_older_one)
{
    for (int64_t step = 33; step <= 37; step++) {
        char code[16];
        int64_t last = 0;
        bool near = step >= 34 && step <= 36;
        (void)snprintf(code, sizeof code, "%06u",
                       (unsigned)sl_totp_code(KEY, 20, (uint64_t)step, 6));
        ck_assert_int_eq(sl_totp_check(KEY, code, 35 * 30 + 29, &last), near);
        ck_assert_int_eq(last, near ? step : 0);
        ck_assert(!sl_totp_check(KEY, code, 35 * 30, &last));
        last = 36;
        ck_assert(!sl_totp_check(KEY, code, 35 * 30, &last));
    }
}
END_TEST

START_TEST(check__refuses_what_is_no_code)
{
    static const char *const bad[] = {"", "1", "12345", "1234567", "12345a", " 12345", "-12345"};
    int64_t last = 0;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert(!sl_totp_check(KEY, bad[i], 1050, &last));
    }
    ck_assert(!sl_totp_check(KEY, NULL, 1050, &last));
}
END_TEST

START_TEST(base32__is_that_of_rfc_4648)
{
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "MY"},
                                           {"fo", "MZXQ"},
                                           {"foo", "MZXW6"},
                                           {"foob", "MZXW6YQ"},
                                           {"fooba", "MZXW6YTB"},
                                           {"foobar", "MZXW6YTBOI"}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        sl_buf b = {0};
        sl_base32(&b, (const uint8_t *)pairs[i][0], strlen(pairs[i][0]));
        ck_assert_str_eq(sl_buf_text(&b), pairs[i][1]);
        sl_buf_free(&b);
    }
}
END_TEST

SL_TEST_MAIN("totp", code__is_that_of_the_standards,
             check__takes_a_step_to_either_side_once_and_never_an_older_one,
             check__refuses_what_is_no_code, base32__is_that_of_rfc_4648)
