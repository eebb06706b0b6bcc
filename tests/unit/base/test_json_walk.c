/* Elements one at a time, against the reader of values as wholes. */
#include "base/json.h"
#include "base/mem.h"
#include "base/prng.h"
#include "support.h"

#include <stdio.h>
#include <string.h>

/* The elements are those that reading the whole gives. */
static void check_same(const char *text, size_t n)
{
    sl_json_walk w;
    const sl_json *j = NULL;
    size_t count = 0;
    sl_json *whole = sl_json_parse(text, n);
    ck_assert_msg(sl_json_walk_start(&w, text, n) == SL_OK && whole != NULL, "%s", text);
    while (sl_json_walk_next(&w, &j) == SL_OK && j != NULL) {
        const sl_json *same = sl_json_at(whole, count++);
        ck_assert_uint_eq(w.count, count);
        ck_assert_msg(same != NULL, "%zu of %s", count, text);
        char *a = sl_json_print(j);
        char *b = sl_json_print(same);
        ck_assert_str_eq(a, b);
        sl_mem_free(a);
        sl_mem_free(b);
    }
    ck_assert_ptr_null(j);
    ck_assert_uint_eq(count, sl_json_count(whole));
    ck_assert_int_eq(sl_json_walk_next(&w, &j), SL_OK); /* and nothing again */
    ck_assert_ptr_null(j);
    sl_json_walk_end(&w);
    sl_json_free(whole);
}

static const char *const ARRAYS[] = {
    "[]",
    " \n[ ]\t\r",
    "[null,true,false,0,-0,7,-7,0.5,-0.5e-3,1E9]",
    "[ { \"a\" : [ { } , [ ] , \"b\" ] , \"c\" : null } , 1 ]",
    "[\"\",\"a\",\"\\\"\\\\\\/\\b\\f\\n\\r\\t\",\"\\u00e9\\uFFFF\\u0001\\u07ff\\u0800\"]",
    "[\"\\ud83c\\udfbe\",\"\xC3\xA9\xF0\x9F\x8E\xBE\x7F\",{\"\\u0061b\":1,\"ab\":2}]",
    "[999999999999999,-99999999999999,1000000000000000,-100000000000000,9007199254740993]",
    "[123456789012345678901234567890,1.7976931348623157e308,5e-324,0.1]",
    "[[[[[[1]]]]],{\"a\":{\"a\":{\"a\":[true,false,null]}}}]",
};

START_TEST(walk__gives_what_reading_the_whole_gives)
{
    for (size_t i = 0; i < sizeof ARRAYS / sizeof ARRAYS[0]; i++) {
        check_same(ARRAYS[i], strlen(ARRAYS[i]));
    }
}
END_TEST

START_TEST(walk__finds_an_escape_at_every_place)
{
    for (size_t n = 1; n <= 26; n++) {
        for (size_t at = 0; at < n; at++) {
            char text[64];
            char body[32] = "";
            memset(body, 'x', n);
            (void)snprintf(text, sizeof text, "[\"%.*s\\n%s\",\"y\"]", (int)at, body, body + at);
            check_same(text, strlen(text));
        }
    }
}
END_TEST

/* Arrays with some bytes changed: those that are taken are read alike. */
START_TEST(walk__takes_nothing_that_is_read_otherwise)
{
    static const char spice[] = "{}[]\",:\\u0019eE+-.tfn dDcC8\n/";
    sl_prng r;
    size_t taken = 0;
    sl_prng_seed(&r, 7);
    for (int round = 0; round < 40000; round++) {
        char text[120];
        sl_json_walk w;
        const char *from = ARRAYS[sl_prng_below(&r, sizeof ARRAYS / sizeof ARRAYS[0])];
        size_t n = strlen(from);
        memcpy(text, from, n + 1);
        for (uint64_t k = sl_prng_below(&r, 4); k > 0; k--) {
            text[sl_prng_below(&r, n)] = spice[sl_prng_below(&r, sizeof spice - 1)];
        }
        bool ok = sl_json_walk_start(&w, text, n) == SL_OK;
        sl_json_walk_end(&w);
        if (ok) {
            check_same(text, n);
            taken++;
        }
    }
    ck_assert_uint_gt(taken, 8000);
}
END_TEST

static sl_status start_of(const char *text)
{
    sl_json_walk w;
    sl_status status = sl_json_walk_start(&w, text, strlen(text));
    sl_json_walk_end(&w);
    return status;
}

START_TEST(start__says_what_is_no_json_and_what_is_no_array)
{
    static const char *const bad[] = {"",
                                      " ",
                                      "[",
                                      "]",
                                      "[1",
                                      "[1,]",
                                      "[,1]",
                                      "[1 2]",
                                      "[1]]",
                                      "[1],",
                                      "[\"\\u0000\"]",
                                      "[\"\n\"]",
                                      "[01]",
                                      "[\"\xC3\"]"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_msg(start_of(bad[i]) == SL_E_INVALID, "%s", bad[i]);
    }
    ck_assert_int_eq(start_of("{}"), SL_E_NOT_FOUND);
    ck_assert_int_eq(start_of(" 1 "), SL_E_NOT_FOUND);
    ck_assert_int_eq(start_of("\"[]\""), SL_E_NOT_FOUND);
    ck_assert_int_eq(start_of(" [1] "), SL_OK);
}
END_TEST

/* Some versions of cJSON take numbers of any length, others up to 63 bytes. */
START_TEST(next__takes_numbers_as_long_as_values_may_have_them)
{
    for (size_t n = 50; n <= 80; n++) {
        sl_json_walk w;
        const sl_json *j = NULL;
        char text[100] = "[0.";
        memset(text + 3, '5', n - 2);
        text[1 + n] = ']';
        sl_json *whole = sl_json_parse(text, strlen(text));
        ck_assert_int_eq(sl_json_walk_start(&w, text, strlen(text)), SL_OK);
        ck_assert_int_eq(sl_json_walk_next(&w, &j), whole != NULL ? SL_OK : SL_E_INVALID);
        ck_assert(whole != NULL ? sl_json_value(j) == 5.0 / 9 : j == NULL);
        ck_assert(whole != NULL || n > 63);
        sl_json_walk_end(&w);
        sl_json_free(whole);
    }
}
END_TEST

START_TEST(walk__tells_every_allocation_that_fails)
{
    char text[20100] = "[\"";
    memset(text + 2, 'x', 20000);
    (void)snprintf(text + 20002, sizeof text - 20002, "\",0.25,{\"a\":[\"b\"]}]");
    for (uint64_t k = 1;; k++) {
        sl_json_walk w;
        const sl_json *j = NULL;
        (void)sl_mem_fail_at(k, false);
        sl_status status = sl_json_walk_start(&w, text, strlen(text));
        do {
            status = status == SL_OK ? sl_json_walk_next(&w, &j) : status;
        } while (status == SL_OK && j != NULL);
        uint64_t calls = sl_mem_fail_at(0, false);
        sl_json_walk_end(&w);
        ck_assert_int_eq(status, calls < k ? SL_OK : SL_E_NOMEM);
        if (calls < k) {
            ck_assert_uint_gt(k, 3);
            break;
        }
    }
}
END_TEST

SL_TEST_MAIN("base_json_walk", walk__gives_what_reading_the_whole_gives,
             walk__finds_an_escape_at_every_place, walk__takes_nothing_that_is_read_otherwise,
             start__says_what_is_no_json_and_what_is_no_array,
             next__takes_numbers_as_long_as_values_may_have_them,
             walk__tells_every_allocation_that_fails)
