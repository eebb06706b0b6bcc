/* What the command-line client reads: JSON from the library and from files, WAV files. */
#include "support.h"

#include "cli/json.h"
#include "cli/wav.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static js *parse(const char *s)
{
    return js_parse(s, strlen(s));
}

static bool is_json(const char *s)
{
    js *j = parse(s);
    bool yes = j != NULL;
    js_free(j);
    return yes;
}

START_TEST(json__members_are_found_and_keep_their_text)
{
    js *j = parse(" {\"a\": 1.5, \"b\":[1, {\"c\":\"x\"}], \"d\":true,\"e\":null} ");
    ck_assert_ptr_nonnull(j);
    ck_assert_double_eq(js_num(j, "a"), 1.5);
    const js *b = js_get(j, "b");
    ck_assert_uint_eq(js_count(b), 2);
    ck_assert(js_is(js_at(b, 1), "c", "x"));
    ck_assert_ptr_null(js_at(b, 2));
    ck_assert_uint_eq(b->raw_len, strlen("[1, {\"c\":\"x\"}]"));
    ck_assert_int_eq(strncmp(b->raw, "[1, {", 5), 0);
    ck_assert(js_get(j, "d")->truth);
    ck_assert_str_eq(js_str(j, "nothing"), "");
    ck_assert_int_eq(js_int(NULL, "a"), 0);
    js_free(j);
}
END_TEST

START_TEST(json__escapes_become_text)
{
    js *j = parse("\"a\\n\\\"\\u00e9\\ud83d\\ude00\\/\"");
    ck_assert_ptr_nonnull(j);
    ck_assert_str_eq(j->string, "a\n\"\xc3\xa9\xf0\x9f\x98\x80/");
    js_free(j);
}
END_TEST

START_TEST(json__what_is_broken_is_refused)
{
    static const char *const bad[] = {"",
                                      "{",
                                      "[1,",
                                      "[1 2]",
                                      "{\"a\"}",
                                      "{\"a\":}",
                                      "\"a",
                                      "\"\\x\"",
                                      "\"\\u12\"",
                                      "tru",
                                      "1 2",
                                      "[1],",
                                      "\"\\ud83d\"",
                                      "\"\n\"",
                                      "{1:2}",
                                      "\"\\ud83dx\"",
                                      "\"\\udc00\"",
                                      "\"\\u0000\"",
                                      "--1",
                                      "nul"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_msg(!is_json(bad[i]), "%s", bad[i]);
    }
    ck_assert(is_json("[]"));
    ck_assert(is_json("{}"));
    ck_assert(is_json("-1.5e3"));
}
END_TEST

START_TEST(json__nesting_ends_at_64)
{
    char deep[140];
    memset(deep, 0, sizeof deep);
    memset(deep, '[', 64);
    memset(deep + 64, ']', 64);
    ck_assert(is_json(deep));
    memset(deep, 0, sizeof deep);
    memset(deep, '[', 65);
    memset(deep + 65, ']', 65);
    ck_assert(!is_json(deep));
}
END_TEST

START_TEST(json__numbers_beyond_what_is_exact_are_no_integers)
{
    js *j = parse("{\"a\":9007199254740991,\"b\":1e300,\"c\":-3}");
    ck_assert_int_eq(js_int(j, "a"), INT64_C(9007199254740991));
    ck_assert_int_eq(js_int(j, "b"), 0);
    ck_assert_int_eq(js_int(j, "c"), -3);
    js_free(j);
}
END_TEST

START_TEST(text__a_string_written_as_json_reads_back)
{
    static const char original[] = "tab\t quote\" back\\ line\n \x01 \xc3\xa9";
    text t = {NULL, 0, 0};
    text_json(&t, original);
    js *j = js_parse(t.data, t.len);
    ck_assert_ptr_nonnull(j);
    ck_assert_str_eq(j->string, original);
    js_free(j);
    text_free(&t);
}
END_TEST

/* ---- WAV ---- */

static const uint8_t good_wav[] = {'R',  'I',  'F', 'F', 40, 0,    0, 0, 'W',  'A',  'V',  'E',
                                   'f',  'm',  't', ' ', 16, 0,    0, 0, 1,    0,    1,    0,
                                   0x80, 0x3e, 0,   0,   0,  0x7d, 0, 0, 2,    0,    16,   0,
                                   'd',  'a',  't', 'a', 4,  0,    0, 0, 0xff, 0x7f, 0x00, 0x80};

static const char *read_bytes(const uint8_t *p, size_t n, wav *out)
{
    char path[] = "/tmp/sideline-wav-XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, p, n), (ssize_t)n);
    ck_assert_int_eq(close(fd), 0);
    const char *fault = wav_read(path, out);
    ck_assert_int_eq(unlink(path), 0);
    return fault;
}

START_TEST(wav__samples_come_with_their_rate)
{
    wav w;
    ck_assert_ptr_null(read_bytes(good_wav, sizeof good_wav, &w));
    ck_assert_uint_eq(w.rate, 16000);
    ck_assert_uint_eq(w.channels, 1);
    ck_assert_uint_eq(w.frames, 2);
    ck_assert_int_eq(w.samples[0], 32767);
    ck_assert_int_eq(w.samples[1], -32768);
    wav_free(&w);
}
END_TEST

START_TEST(wav__every_cut_file_is_refused)
{
    for (size_t n = 0; n < sizeof good_wav; n++) {
        wav w;
        ck_assert_ptr_nonnull(read_bytes(good_wav, n, &w));
        wav_free(&w);
    }
}
END_TEST

START_TEST(wav__other_formats_are_refused)
{
    static const struct {
        size_t at;
        uint8_t value;
    } changes[] = {{0, 'X'}, {20, 3}, {22, 0}, {22, 3}, {34, 8}, {34, 24}, {36, 'X'}};
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        uint8_t bytes[sizeof good_wav];
        wav w;
        memcpy(bytes, good_wav, sizeof bytes);
        bytes[changes[i].at] = changes[i].value;
        ck_assert_ptr_nonnull(read_bytes(bytes, sizeof bytes, &w));
        wav_free(&w);
    }
    wav w;
    ck_assert_ptr_nonnull(wav_read("/nothing/here.wav", &w));
}
END_TEST

SL_TEST_MAIN("cli", json__members_are_found_and_keep_their_text, json__escapes_become_text,
             json__what_is_broken_is_refused, json__nesting_ends_at_64,
             json__numbers_beyond_what_is_exact_are_no_integers,
             text__a_string_written_as_json_reads_back, wav__samples_come_with_their_rate,
             wav__every_cut_file_is_refused, wav__other_formats_are_refused)
