/* JSON as text, against the reader of values. */
#include "base/json.h"
#include "base/mem.h"
#include "base/prng.h"
#include "base/utf8.h"
#include "support.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static bool ok(const char *s)
{
    return sl_json_ok(s, strlen(s));
}

static bool reads(const char *s, size_t n)
{
    sl_json *j = sl_json_parse(s, n);
    sl_json_free(j);
    return j != NULL;
}

static const char *const VALUES[] = {
    "null",
    "true",
    "false",
    "0",
    "-0",
    "7",
    "-7",
    "10",
    "0.5",
    "-0.5e-3",
    "1E9",
    "1e+2",
    "123456789012345678901234567890",
    "\"\"",
    "\"a\"",
    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
    "\"\\u00e9\\uFFFF\\u0001\"",
    "\"\\ud83c\\udfbe\"",
    "\"\xC3\xA9\xF0\x9F\x8E\xBE\x7F\"",
    "[]",
    "{}",
    "[1]",
    "[1,2]",
    "[ 1 , 2 ]",
    "[[],{}]",
    "{\"a\":1}",
    "{ \"a\" : [ { \"b\" : null } ] }",
    "{\"\":\"\"}",
    "[\n\t1\r]",
    "{\"a\":{\"a\":{\"a\":[true,false,null]}}}",
    "{\"a\":1,\"a\":2}",
};

START_TEST(ok__takes_every_kind_of_value)
{
    for (size_t i = 0; i < sizeof VALUES / sizeof VALUES[0]; i++) {
        ck_assert_msg(ok(VALUES[i]), "%s", VALUES[i]);
        ck_assert_msg(reads(VALUES[i], strlen(VALUES[i])), "%s", VALUES[i]);
    }
}
END_TEST

START_TEST(ok__refuses_every_malformed_kind)
{
    static const char *const bad[] = {
        "",
        " ",
        " 1",
        "\n1",
        "\t{}",
        "1 ",
        "{} ",
        "[]\n", /* space around */
        "nul",
        "True",
        "nulll",
        "nan",
        "Infinity",
        "-Infinity",
        "undefined",
        "-",
        "+1",
        "01",
        "-01",
        "[01]",
        "1.",
        ".5",
        "1.e5",
        "1e",
        "1e+",
        "0x10",
        "1,",
        "1 2",
        "--1",
        "\"",
        "\"a",
        "a\"",
        "'a'",
        "\"\\\"",
        "\"\\x41\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\\",
        "\"\\u",
        "\"\\u0000\"",
        "\"a\\u0000b\"",
        "\"\\ud83c\"",
        "\"\\udfbe\"",
        "\"\\ud83cx\"",
        "\"\\ud83c\\u0041\"",
        "\"\\ud83c\\ud83c\"",
        "\"\\udfbe\\ud83c\"",
        "\"\\ud83c\\",
        "\"\n\"",
        "\"\x01\"",
        "\"\x1F\"",
        "\"\xC3\"",
        "\"\xED\xA0\x80\"",
        "\"\xFF\"",
        "\xEF\xBB\xBF{}",
        "[",
        "]",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1}",
        "[[1]",
        "[1]]",
        "[\"a]",
        "{",
        "}",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1",
        "{\"a\":1,",
        "{\"a\":1,}",
        "{,\"a\":1}",
        "{\"a\" 1}",
        "{a:1}",
        "{1:1}",
        "{\"a\":}",
        "{\"a\":1]",
        "{\"a\":1}}",
        "{\"a\",1}",
        "{null:1}",
        "{}{}",
        "[][]",
        "/* */1",
        "1//",
        "[1]//",
        "{\"a\":1;\"b\":2}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_msg(!ok(bad[i]), "%s", bad[i]);
    }
    ck_assert(!sl_json_ok("1\0", 2));
    ck_assert(!sl_json_ok("\"a\0b\"", 5));
    ck_assert(!sl_json_ok("\"\\u12\0"
                          "4\"",
                          8));
}
END_TEST

START_TEST(ok__both_sides_of_the_depth)
{
    char text[140];
    for (size_t n = 64; n <= 65; n++) {
        memset(text, '[', n);
        memset(text + n, ']', n);
        ck_assert(sl_json_ok(text, 2 * n) == (n == 64));
        ck_assert(reads(text, 2 * n) == (n == 64));
        ck_assert(!sl_json_ok(text, 2 * n - 1));
    }
}
END_TEST

START_TEST(ok__refuses_every_beginning_of_a_value_that_is_longer)
{
    for (size_t i = 0; i < sizeof VALUES / sizeof VALUES[0]; i++) {
        size_t all = strlen(VALUES[i]);
        bool number = strspn(VALUES[i], "0123456789.eE+-") == all;
        for (size_t n = 0; n < all && !number; n++) {
            ck_assert_msg(!sl_json_ok(VALUES[i], n), "%zu of %s", n, VALUES[i]);
        }
    }
}
END_TEST

/* Texts that are nearly values: those that are taken can be read, and are printed as such. */
START_TEST(ok__takes_nothing_that_cannot_be_read)
{
    static const char spice[] = "{}[]\",:\\u0019eE+-.tfn dDcC8\n/";
    sl_prng r;
    size_t taken = 0;
    sl_prng_seed(&r, 3);
    for (int round = 0; round < 60000; round++) {
        char text[80];
        const char *from = VALUES[sl_prng_below(&r, sizeof VALUES / sizeof VALUES[0])];
        size_t n = strlen(from);
        memcpy(text, from, n + 1);
        for (uint64_t k = sl_prng_below(&r, 4); k > 0; k--) {
            text[sl_prng_below(&r, n)] = spice[sl_prng_below(&r, sizeof spice - 1)];
        }
        if (sl_json_ok(text, n)) {
            sl_json *j = sl_json_parse(text, n);
            ck_assert_msg(j != NULL, "%s", text);
            char *printed = sl_json_print(j);
            ck_assert_msg(ok(printed), "%s printed %s", text, printed);
            sl_json *again = sl_json_parse(printed, strlen(printed));
            char *same = sl_json_print(again);
            ck_assert_str_eq(printed, same);
            sl_mem_free(same);
            sl_json_free(again);
            sl_mem_free(printed);
            sl_json_free(j);
            taken++;
        }
    }
    ck_assert_uint_gt(taken, 10000);
}
END_TEST

START_TEST(put_text__is_read_back)
{
    sl_prng r;
    sl_buf out = {0};
    sl_prng_seed(&r, 5);
    for (int round = 0; round < 4000; round++) {
        char text[40];
        size_t n = 0;
        while (n < sizeof text - 5 && sl_prng_below(&r, 12) > 0) {
            static const char *const wide[] = {"\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x8E\xBE"};
            const char *w = wide[sl_prng_below(&r, 3)];
            if (sl_prng_below(&r, 4) == 0) {
                memcpy(text + n, w, strlen(w));
                n += strlen(w);
            } else {
                text[n++] = (char)(1 + sl_prng_below(&r, 127));
            }
        }
        text[n] = 0;
        sl_buf_clear(&out);
        sl_json_put_text(&out, text, n);
        ck_assert(sl_json_ok(sl_buf_text(&out), out.len));
        sl_json *j = sl_json_parse(sl_buf_text(&out), out.len);
        ck_assert_str_eq(sl_json_text(j), text);
        sl_json_free(j);
    }
    sl_buf_free(&out);
}
END_TEST

static const char *int_text(sl_buf *out, int64_t v)
{
    sl_buf_clear(out);
    sl_json_put_int(out, v);
    return sl_buf_text(out);
}

START_TEST(put_int__is_read_back_to_both_ends)
{
    sl_buf out = {0};
    ck_assert_str_eq(int_text(&out, 0), "0");
    ck_assert_str_eq(int_text(&out, -1), "-1");
    for (int64_t v = 1; v <= 1000000; v *= 10) {
        ck_assert_int_eq(strtoll(int_text(&out, v), NULL, 10), v);
        ck_assert_int_eq(strtoll(int_text(&out, v - 1), NULL, 10), v - 1);
        ck_assert_int_eq(strtoll(int_text(&out, -v), NULL, 10), -v);
    }
    ck_assert_str_eq(int_text(&out, INT64_MAX), "9223372036854775807");
    ck_assert_str_eq(int_text(&out, INT64_MIN), "-9223372036854775808");
    for (int bit = 0; bit < 63; bit++) {
        for (int64_t d = -1; d <= 1; d++) {
            int64_t v = ((int64_t)1 << bit) + d;
            ck_assert_int_eq(strtoll(int_text(&out, v), NULL, 10), v);
            ck_assert_int_eq(strtoll(int_text(&out, -v), NULL, 10), -v);
        }
    }
    sl_buf_free(&out);
}
END_TEST

static const char *real_text(sl_buf *out, double v)
{
    sl_buf_clear(out);
    sl_json_put_real(out, v);
    return sl_buf_text(out);
}

/* The value is the same to the last bit; what is no number is null. */
static void check_real(sl_buf *out, double v)
{
    const char *text = real_text(out, v);
    ck_assert_msg(ok(text), "%s", text);
    if (isfinite(v)) {
        sl_json *j = sl_json_parse(text, out->len);
        ck_assert_msg(sl_json_value(j) == v, "%a as %s", v, text);
        sl_json_free(j);
    } else {
        ck_assert_str_eq(text, "null");
    }
}

static void check_many_reals(void)
{
    static const double some[] = {0.1,
                                  0.3,
                                  1.0 / 3,
                                  1e15,
                                  1e16,
                                  1e300,
                                  5e-324,
                                  -2.5,
                                  1e-7,
                                  123456.789,
                                  9007199254740991.0,
                                  9007199254740993.0,
                                  0.30000000000000004,
                                  1.7976931348623157e308,
                                  HUGE_VAL,
                                  -HUGE_VAL};
    sl_prng r;
    sl_buf out = {0};
    sl_prng_seed(&r, 9);
    for (size_t i = 0; i < sizeof some / sizeof some[0]; i++) {
        check_real(&out, some[i]);
    }
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = sl_prng_next(&r);
        double v;
        memcpy(&v, &bits, sizeof v);
        check_real(&out, v);
    }
    sl_buf_free(&out);
}

START_TEST(put_real__is_read_back_to_the_last_bit)
{
    sl_buf out = {0};
    check_many_reals();
    ck_assert_str_eq(real_text(&out, 2.0), "2");
    ck_assert_str_eq(real_text(&out, -0.5), "-0.5");
    ck_assert_str_eq(real_text(&out, 0.1), "0.1");
    sl_buf_free(&out);
}
END_TEST

START_TEST(put_real__has_a_point_whatever_the_locale)
{
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8",  "fr_FR.UTF-8",
                                        "fr_FR.utf8",  "ps_AF.UTF-8", "ps_AF.utf8"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (setlocale(LC_NUMERIC, names[i]) != NULL) {
            sl_buf out = {0};
            ck_assert_str_eq(real_text(&out, 0.5), "0.5");
            ck_assert_str_eq(real_text(&out, -1.25e-7), "-1.25e-07");
            sl_buf_free(&out);
        }
    }
    (void)setlocale(LC_NUMERIC, "C");
}
END_TEST

SL_TEST_MAIN("json_text", ok__takes_every_kind_of_value, ok__refuses_every_malformed_kind,
             ok__both_sides_of_the_depth, ok__refuses_every_beginning_of_a_value_that_is_longer,
             ok__takes_nothing_that_cannot_be_read, put_text__is_read_back,
             put_int__is_read_back_to_both_ends, put_real__is_read_back_to_the_last_bit,
             put_real__has_a_point_whatever_the_locale)
