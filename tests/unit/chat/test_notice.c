/* What a push notification says, from bytes that anybody may have sent. */
#include "base/utf8.h"
#include "chat/notice.h"
#include "support.h"

#include <stdio.h>
#include <string.h>

#define ID    "01890000-0000-7000-8000-0000000000a1"
#define SPACE "\"space\":\"thread:" ID "\""
#define WHOLE                                                                                   \
    "\"v\":1,\"to\":\"" ID "\",\"kind\":\"message\"," SPACE ",\"id\":\"" ID "\",\"user\":\"" ID \
    "\",\"place\":7"

static sl_status reads(const char *text, sl_notice *n)
{
    return sl_notice_read(text, strlen(text), n, NULL);
}

START_TEST(notice__a_message_is_read_alone_or_among_what_the_provider_says)
{
    sl_notice n;
    ck_assert_int_eq(reads("{" WHOLE ",\"named\":true,\"title\":\"Ana\",\"x\":{}}", &n), SL_OK);
    ck_assert_str_eq(n.kind, "message");
    ck_assert_str_eq(n.space, "thread:" ID);
    ck_assert_str_eq(n.title, "Ana");
    ck_assert_str_eq(n.body, "");
    ck_assert_int_eq(n.place, 7);
    ck_assert(n.named);
    ck_assert_int_eq(reads("{\"aps\":{\"badge\":9},\"sideline\":{" WHOLE "}}", &n), SL_OK);
    ck_assert(!n.named);
    ck_assert_str_eq(n.id, ID);
    ck_assert_int_eq(reads("{\"v\":1,\"to\":\"" ID "\",\"kind\":\"system\"}", &n), SL_OK);
    ck_assert_str_eq(n.space, "");
}
END_TEST

START_TEST(notice__what_lacks_something_or_is_of_a_later_version_says_so)
{
    sl_notice n;
    static const char *const broken[] = {
        "{}",
        "[]",
        "{\"v\":1,\"kind\":\"system\"}",
        "{\"v\":1,\"to\":\"me\",\"kind\":\"system\"}",
        "{\"v\":0,\"to\":\"" ID "\",\"kind\":\"system\"}",
        "{\"v\":1,\"to\":\"" ID "\"}",
        "{\"v\":1,\"to\":\"" ID "\",\"kind\":\"system\",\"id\":7}",
        "{\"v\":1,\"to\":\"" ID "\",\"kind\":\"system\",\"space\":\"nowhere\"}",
        "{\"v\":1,\"to\":\"" ID "\",\"kind\":\"message\"," SPACE ",\"id\":\"" ID "\",\"place\":7}",
        "{\"v\":1,\"to\":\"" ID "\",\"kind\":\"message\"," SPACE ",\"id\":\"" ID "\",\"user\":\"" ID
        "\"}",
        "{\"sideline\":7}",
    };
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        ck_assert_msg(reads(broken[i], &n) == SL_E_INVALID, "%s", broken[i]);
    }
    ck_assert_int_eq(reads("{\"v\":2}", &n), SL_E_UNSUPPORTED);
    ck_assert_int_eq(reads("{\"v\":1,\"to\":\"" ID "\",\"kind\":\"smell\"}", &n), SL_E_UNSUPPORTED);
    ck_assert_int_eq(reads("{", &n), SL_E_INVALID);
}
END_TEST

START_TEST(notice__texts_are_cut_at_a_character_and_payloads_at_8_KiB)
{
    sl_notice n;
    sl_buf text = {0};
    sl_buf_str(&text, "{" WHOLE ",\"body\":\"x");
    for (int i = 0; i < SL_NOTICE_TEXT; i++) {
        sl_buf_str(&text, "\xC3\xA9");
    }
    sl_buf_str(&text, "\"}");
    ck_assert_int_eq(sl_notice_read(sl_buf_text(&text), text.len, &n, NULL), SL_OK);
    ck_assert_uint_eq(strlen(n.body), SL_NOTICE_TEXT - 1);
    ck_assert(sl_utf8_ok(n.body, strlen(n.body)));
    text.len -= 2;
    sl_buf_str(&text, "y\"}"); /* one more in front: the limit is inside a character */
    while (text.len < SL_NOTICE_MAX) {
        sl_buf_u8(&text, ' ');
    }
    ck_assert_int_eq(sl_notice_read(sl_buf_text(&text), text.len, &n, NULL), SL_OK);
    sl_buf_u8(&text, ' ');
    ck_assert_int_eq(sl_notice_read(sl_buf_text(&text), text.len, &n, NULL), SL_E_LIMIT);
    sl_buf_free(&text);
}
END_TEST

SL_TEST_MAIN("chat_notice", notice__a_message_is_read_alone_or_among_what_the_provider_says,
             notice__what_lacks_something_or_is_of_a_later_version_says_so,
             notice__texts_are_cut_at_a_character_and_payloads_at_8_KiB)
