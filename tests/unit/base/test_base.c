#include "base/base64.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/hlc.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/prng.h"
#include "base/utf8.h"
#include "base/uuid.h"
#include "support.h"

#include <string.h>

START_TEST(buf__reads_back_what_was_put)
{
    sl_buf b = {0};
    sl_buf_varint(&b, 0);
    sl_buf_varint(&b, UINT64_MAX);
    sl_buf_zigzag(&b, INT64_MIN);
    sl_buf_zigzag(&b, -1);
    sl_buf_u16le(&b, 0xBEEF);
    sl_buf_u64le(&b, 0x0123456789ABCDEFu);
    sl_rd r = {b.data, b.len, false};
    ck_assert_uint_eq(sl_rd_varint(&r), 0);
    ck_assert_uint_eq(sl_rd_varint(&r), UINT64_MAX);
    ck_assert_int_eq(sl_rd_zigzag(&r), INT64_MIN);
    ck_assert_int_eq(sl_rd_zigzag(&r), -1);
    ck_assert_uint_eq(sl_rd_u16le(&r), 0xBEEF);
    ck_assert_uint_eq(sl_rd_u64le(&r), 0x0123456789ABCDEFu);
    ck_assert(!r.bad);
    ck_assert_uint_eq(r.left, 0);
    sl_buf_free(&b);
}
END_TEST

START_TEST(buf__a_short_read_is_remembered_and_gives_zeros)
{
    const uint8_t bytes[] = {1, 2, 3};
    sl_rd r = {bytes, sizeof bytes, false};
    ck_assert_uint_eq(sl_rd_u32le(&r), 0);
    ck_assert(r.bad);
    ck_assert_uint_eq(sl_rd_u8(&r), 0);
    const uint8_t endless[] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02};
    sl_rd over = {endless, sizeof endless, false};
    (void)sl_rd_varint(&over);
    ck_assert_msg(over.bad, "a varint above 64 bits is refused");
}
END_TEST

START_TEST(buf__a_failed_allocation_is_remembered)
{
    sl_buf b = {0};
    sl_mem_fail_at(1, false);
    sl_buf_str(&b, "hello");
    sl_mem_fail_at(0, false);
    ck_assert(b.failed);
    sl_buf_str(&b, "more");
    ck_assert_uint_eq(b.len, 0);
    ck_assert_ptr_null(sl_buf_bytes(&b));
}
END_TEST

START_TEST(base64__gives_the_vectors_of_rfc_4648)
{
    static const char *const plain[] = {"", "f", "fo", "foo", "foob", "fooba", "foobar"};
    static const char *const coded[] = {"",         "Zg==",     "Zm8=",    "Zm9v",
                                        "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
    for (size_t i = 0; i < 7; i++) {
        sl_buf out = {0};
        sl_base64(&out, plain[i], strlen(plain[i]));
        ck_assert_str_eq(sl_buf_text(&out), coded[i]);
        sl_buf back = {0};
        ck_assert(sl_base64_decode(&back, coded[i], strlen(coded[i])));
        ck_assert_str_eq(sl_buf_text(&back), plain[i]);
        sl_buf_free(&back);
        sl_buf_free(&out);
    }
}
END_TEST

START_TEST(base64__refuses_what_is_not_canonical)
{
    static const char *const bad[] = {"Zg", "Zg=", "Zh==", "Z===", "Zg==Zg==", "Zm 9", "Zm9-"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        sl_buf out = {0};
        ck_assert_msg(!sl_base64_decode(&out, bad[i], strlen(bad[i])), "%s", bad[i]);
        sl_buf_free(&out);
    }
}
END_TEST

START_TEST(hex__takes_lower_case_of_the_exact_length_only)
{
    uint8_t b[2];
    ck_assert(sl_hex_decode(b, 2, "0aff"));
    ck_assert_uint_eq(b[0], 0x0A);
    ck_assert_uint_eq(b[1], 0xFF);
    ck_assert(!sl_hex_decode(b, 2, "0AFF"));
    ck_assert(!sl_hex_decode(b, 2, "0aff0"));
    ck_assert(!sl_hex_decode(b, 2, "0af"));
}
END_TEST

START_TEST(utf8__accepts_the_edges_and_refuses_beyond_them)
{
    ck_assert(sl_utf8_ok("\xEF\xBF\xBF", 3));
    ck_assert(sl_utf8_ok("\xF4\x8F\xBF\xBF", 4));
    ck_assert(sl_utf8_ok("\xED\x9F\xBF", 3));
    ck_assert_msg(!sl_utf8_ok("\xED\xA0\x80", 3), "surrogate");
    ck_assert_msg(!sl_utf8_ok("\xF4\x90\x80\x80", 4), "above U+10FFFF");
    ck_assert_msg(!sl_utf8_ok("\xC0\x80", 2), "overlong");
    ck_assert_msg(!sl_utf8_ok("\xE0\x9F\xBF", 3), "overlong");
    ck_assert_msg(!sl_utf8_ok("\xE2\x82", 2), "cut");
    for (size_t i = 0; i < 20; i++) { /* wherever it is */
        char text[21] = "abcdefghijklmnopqrst";
        text[i] = (char)0xFF;
        ck_assert(!sl_utf8_ok(text, 20));
        ck_assert(sl_utf8_ok(text, i));
    }
    ck_assert_uint_eq(sl_utf8_count("a\xC3\xA9\xE2\x82\xAC", 6), 3);
}
END_TEST

START_TEST(uuid__has_version_7_and_sorts_by_time)
{
    const uint8_t random[10] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
    const uint8_t zero[10] = {0};
    char early[37];
    char late[37];
    sl_uuid7(early, 1000, random);
    sl_uuid7(late, 1001, zero);
    ck_assert(sl_uuid_ok(early));
    ck_assert_int_eq(early[14], '7');
    ck_assert_int_eq(early[19], 'b');
    ck_assert_int_lt(strcmp(early, late), 0);
    ck_assert(!sl_uuid_ok("0189000000000-7000-8000-000000000001"));
    ck_assert(!sl_uuid_ok("01890000-0000-7000-8000-00000000000G"));
    ck_assert(!sl_uuid_ok(NULL));
}
END_TEST

START_TEST(uuid__bytes_and_text_are_one_to_one)
{
    static const char id[] = "01890abc-def0-7123-8456-789abcdef012";
    uint8_t bytes[SL_UUID_BYTES];
    char text[SL_UUID_LEN + 1];
    ck_assert(sl_uuid_decode(bytes, id));
    ck_assert_uint_eq(bytes[0], 0x01);
    ck_assert_uint_eq(bytes[15], 0x12);
    sl_uuid_encode(text, bytes);
    ck_assert_str_eq(text, id);
    ck_assert(!sl_uuid_decode(bytes, NULL));
    ck_assert(!sl_uuid_decode(bytes, ""));
    for (size_t at = 0; at < SL_UUID_LEN; at++) {
        static const char wrong[] = {'-', 'g', 'A', ' ', '\0', '/', ':', '`', (char)0xC3};
        for (size_t k = 0; k < sizeof wrong; k++) {
            memcpy(text, id, sizeof text);
            text[at] = wrong[k];
            ck_assert(sl_uuid_decode(bytes, text) == (wrong[k] == id[at]));
        }
        memcpy(text, id, sizeof text);
        text[at] = id[at] == '-' ? '0' : id[at];
        ck_assert(sl_uuid_ok(text) == (id[at] != '-'));
    }
    ck_assert(!sl_uuid_ok("01890abc-def0-7123-8456-789abcdef0120"));
    ck_assert(!sl_uuid_ok("01890abc-def0-7123-8456-789abcdef01"));
    ck_assert(!sl_uuid_ok("01890abcdef0-7123-8456-789abcdef0120"));
}
END_TEST

START_TEST(hlc__a_later_stamp_is_greater_even_when_the_clock_goes_back) /* [HLC-1] */
{
    sl_hlc clock = {0, 7};
    sl_hlc a = sl_hlc_tick(&clock, 5000);
    sl_hlc b = sl_hlc_tick(&clock, 4000);
    ck_assert_int_lt(sl_hlc_compare(a, b), 0);
    sl_hlc_see(&clock, (sl_hlc){(uint64_t)9000 << 16, 1});
    sl_hlc c = sl_hlc_tick(&clock, 4001);
    ck_assert_int_eq(sl_hlc_ms(c), 9000);
    ck_assert_int_gt(sl_hlc_compare(c, (sl_hlc){(uint64_t)9000 << 16, 1}), 0);
}
END_TEST

START_TEST(hlc__text_compares_as_stamps_do) /* [HLC-2] */
{
    sl_prng r;
    sl_prng_seed(&r, 1);
    for (int i = 0; i < 1000; i++) {
        sl_hlc a = {sl_prng_next(&r) >> (i % 60), (uint32_t)sl_prng_next(&r)};
        sl_hlc b = {i % 3 == 0 ? a.time : sl_prng_next(&r) >> (i % 60), (uint32_t)sl_prng_next(&r)};
        char ta[25];
        char tb[25];
        sl_hlc_print(ta, a);
        sl_hlc_print(tb, b);
        int by_text = strcmp(ta, tb);
        int by_value = sl_hlc_compare(a, b);
        ck_assert_int_eq(by_text < 0, by_value < 0);
        ck_assert_int_eq(by_text > 0, by_value > 0);
        sl_hlc back;
        ck_assert(sl_hlc_parse(&back, ta));
        ck_assert_int_eq(sl_hlc_compare(a, back), 0);
    }
}
END_TEST

START_TEST(json__refuses_depth_beyond_64_rubbish_after_it_and_bad_utf8)
{
    char deep[200];
    memset(deep, '[', 65);
    memset(deep + 65, ']', 65);
    ck_assert_ptr_null(sl_json_parse(deep, 130));
    memset(deep, '[', 64);
    memset(deep + 64, ']', 64);
    sl_json *ok = sl_json_parse(deep, 128);
    ck_assert_ptr_nonnull(ok);
    sl_json_free(ok);
    ck_assert_ptr_null(sl_json_parse("{} x", 4));
    ck_assert_ptr_null(sl_json_parse("\"\xC0\x80\"", 4));
    ck_assert_ptr_null(sl_json_parse("{", 1));
    ck_assert_ptr_null(sl_json_parse("", 0));
    sl_json *spaced = sl_json_parse(" {\"a\":1} \n", 10);
    ck_assert_int_eq(sl_json_int_or(spaced, "a", 0), 1);
    sl_json_free(spaced);
}
END_TEST

START_TEST(json__integers_are_whole_and_within_2_to_53)
{
    const char *text = "{\"a\":9007199254740992,\"b\":9007199254740994,\"c\":1.5,\"d\":\"1\"}";
    sl_json *j = sl_json_parse(text, strlen(text));
    int64_t v = -1;
    ck_assert(sl_json_int(j, "a", &v));
    ck_assert_int_eq(v, SL_JSON_INT_MAX);
    ck_assert(!sl_json_int(j, "b", &v));
    ck_assert(!sl_json_int(j, "c", &v));
    ck_assert(!sl_json_int(j, "d", &v));
    ck_assert_int_eq(v, SL_JSON_INT_MAX);
    sl_json_free(j);
}
END_TEST

START_TEST(error__keeps_the_first_and_names_the_field)
{
    sl_error *err = NULL;
    ck_assert_int_eq(sl_fail_field(&err, SL_E_INVALID, "title", "%s is wrong", "it"), SL_E_INVALID);
    ck_assert_int_eq(sl_fail(&err, SL_E_IO, "later"), SL_E_IO);
    ck_assert_int_eq(sl_error_code(err), SL_E_INVALID);
    ck_assert_str_eq(sl_error_message(err), "it is wrong");
    ck_assert_str_eq(
        sl_error_detail(err),
        "{\"code\":-5,\"name\":\"SL_E_INVALID\",\"retryable\":false,\"field\":\"title\"}");
    sl_error_release(err);
    ck_assert_int_eq(sl_debug_live_objects(), 0);
}
END_TEST

START_TEST(error__out_of_memory_is_told_without_memory)
{
    for (uint64_t k = 1; k < 4; k++) {
        sl_error *err = NULL;
        sl_mem_fail_at(k, true);
        ck_assert_int_eq(sl_fail(&err, SL_E_IO, "x"), SL_E_IO);
        sl_mem_fail_at(0, false);
        ck_assert_int_eq(sl_error_code(err), SL_E_NOMEM);
        ck_assert_str_eq(sl_error_message(err), "out of memory");
        sl_error_release(err);
    }
    ck_assert_int_eq(sl_debug_live_objects(), 0);
}
END_TEST

START_TEST(size__arithmetic_tells_of_overflow)
{
    size_t out = 5;
    ck_assert(sl_size_add(SIZE_MAX - 1, 1, &out));
    ck_assert(out == SIZE_MAX);
    ck_assert(!sl_size_add(SIZE_MAX, 1, &out));
    ck_assert(!sl_size_mul(SIZE_MAX / 2, 3, &out));
    ck_assert(out == SIZE_MAX);
    ck_assert_ptr_null(sl_mem_array(SIZE_MAX, 2));
}
END_TEST

SL_TEST_MAIN("base", buf__reads_back_what_was_put, buf__a_short_read_is_remembered_and_gives_zeros,
             buf__a_failed_allocation_is_remembered, base64__gives_the_vectors_of_rfc_4648,
             base64__refuses_what_is_not_canonical, hex__takes_lower_case_of_the_exact_length_only,
             utf8__accepts_the_edges_and_refuses_beyond_them, uuid__has_version_7_and_sorts_by_time,
             uuid__bytes_and_text_are_one_to_one,
             hlc__a_later_stamp_is_greater_even_when_the_clock_goes_back,
             hlc__text_compares_as_stamps_do,
             json__refuses_depth_beyond_64_rubbish_after_it_and_bad_utf8,
             json__integers_are_whole_and_within_2_to_53,
             error__keeps_the_first_and_names_the_field,
             error__out_of_memory_is_told_without_memory, size__arithmetic_tells_of_overflow)
