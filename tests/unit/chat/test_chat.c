#include "chat/chat.h"
#include "support.h"

#include <string.h>

#define USER  "01890000-0000-7000-8000-0000000000a1"
#define OTHER "01890000-0000-7000-8000-0000000000a2"
#define THIRD "01890000-0000-7000-8000-0000000000a3"
#define VIDEO "01890000-0000-7000-8000-0000000000b1"
#define ONE   "01890000-0000-7000-8000-0000000000c1"
#define TWO   "01890000-0000-7000-8000-0000000000c2"
#define SPACE "thread:01890000-0000-7000-8000-0000000000d1"
#define CLIP  "\"ref_space\":\"video:" VIDEO "\",\"ref_id\":\"" VIDEO "\""
#define HASH  "0000000000000000000000000000000000000000000000000000000000000000"

static sl_json *parse(const char *text)
{
    sl_json *j = sl_json_parse(text, strlen(text));
    ck_assert_msg(j != NULL, "no JSON: %s", text);
    return j;
}

static sl_status message(const char *text, sl_json **fields)
{
    sl_json *in = parse(text);
    sl_status status = sl_chat_message(in, fields, NULL);
    sl_json_free(in);
    return status;
}

static void takes(const char *text)
{
    sl_json *fields = NULL;
    ck_assert_msg(message(text, &fields) == SL_OK, "%s", text);
    sl_json_free(fields);
}

static void refuses(const char *text, const char *field)
{
    sl_error *err = NULL;
    sl_json *fields = NULL;
    sl_json *in = parse(text);
    ck_assert_msg(sl_chat_message(in, &fields, &err) == SL_E_INVALID, "%s", text);
    ck_assert_ptr_null(fields);
    ck_assert_msg(strstr(sl_error_detail(err), field) != NULL, "%s: %s", text,
                  sl_error_detail(err));
    sl_error_release(err);
    sl_json_free(in);
}

START_TEST(message__each_kind_needs_what_it_carries)
{
    sl_json *fields = NULL;
    ck_assert_int_eq(message("{\"body\":\"hi\"}", &fields), SL_OK);
    ck_assert_str_eq(sl_json_str(fields, "kind"), "text");
    sl_json_free(fields);
    refuses("{\"body\":\"\"}", "body");
    refuses("{}", "body");
    takes("{\"blob\":\"" HASH "\",\"media_type\":\"image/jpeg\"}");
    refuses("{\"body\":\"x\",\"blob\":\"" HASH "\"}", "media_type");
    refuses("{\"body\":\"x\",\"media_type\":\"image/jpeg\"}", "media_type");
    refuses("{\"kind\":\"review\",\"body\":\"hi\"}", "ref_id");
    refuses("{\"kind\":\"video\",\"ref_space\":\"video:" VIDEO "\"}", "ref_id");
    refuses("{\"kind\":\"video\",\"ref_space\":\"s\",\"ref_id\":\"" VIDEO "\"}", "ref_space");
    takes("{\"kind\":\"video\"," CLIP "}");
    refuses("{\"kind\":\"voice\"}", "blob");
    refuses("{\"kind\":\"voice\",\"blob\":\"" HASH "\",\"media_type\":\"audio/ogg\"}", "blob");
    takes("{\"kind\":\"voice\",\"blob\":\"" HASH
          "\",\"media_type\":\"audio/ogg\",\"duration_us\":5}");
    refuses("{\"body\":\"x\",\"bodi\":\"x\"}", "bodi");
}
END_TEST

START_TEST(message__a_moment_is_one_of_a_video)
{
    takes("{\"body\":\"look\"," CLIP ",\"at_us\":0}");
    refuses("{\"body\":\"look\",\"at_us\":0}", "at_us");
    refuses("{\"body\":\"look\",\"ref_space\":\"program:" VIDEO "\",\"ref_id\":\"" VIDEO
            "\",\"at_us\":0}",
            "at_us");
}
END_TEST

/* Mentions as {at, len} of one user in a text. */
static sl_status mentions(const char *body, const char *list)
{
    sl_json *j = parse(list);
    sl_status status = sl_chat_check_mentions(body, j, NULL);
    sl_json_free(j);
    return status;
}

#define AT(at, len) "{\"user\":\"" USER "\",\"at\":" #at ",\"len\":" #len "}"

START_TEST(mentions__are_ranges_of_whole_characters_in_order)
{
    ck_assert_int_eq(mentions("@ann hi", "[" AT(0, 4) "]"), SL_OK);
    ck_assert_int_eq(mentions("@ann hi", "[" AT(0, 7) "]"), SL_OK);
    ck_assert_int_eq(mentions("@ann hi", "[" AT(0, 8) "]"), SL_E_INVALID);
    ck_assert_int_eq(mentions("@ann hi", "[" AT(7, 1) "]"), SL_E_INVALID);
    ck_assert_int_eq(mentions("@ann hi", "[" AT(0, 0) "]"), SL_E_INVALID);
    ck_assert_int_eq(mentions("@ann hi", "[" AT(-1, 4) "]"), SL_E_INVALID);
    ck_assert_int_eq(mentions("@a @b", "[" AT(0, 2) "," AT(3, 2) "]"), SL_OK);
    ck_assert_int_eq(mentions("@a@b", "[" AT(0, 2) "," AT(2, 2) "]"), SL_OK);
    ck_assert_int_eq(mentions("@a@b", "[" AT(0, 3) "," AT(2, 2) "]"), SL_E_INVALID);
    ck_assert_int_eq(mentions("@a@b", "[" AT(2, 2) "," AT(0, 2) "]"), SL_E_INVALID);
    /* A runner is two units, an e with an accent one, a snowman one. */
    ck_assert_int_eq(mentions("\xF0\x9F\x8F\x83@a", "[" AT(2, 2) "]"), SL_OK);
    ck_assert_int_eq(mentions("\xF0\x9F\x8F\x83@a", "[" AT(1, 3) "]"), SL_E_INVALID);
    ck_assert_int_eq(mentions("\xF0\x9F\x8F\x83@a", "[" AT(0, 1) "]"), SL_E_INVALID);
    ck_assert_int_eq(mentions("\xC3\xA9\xE2\x98\x83@a", "[" AT(2, 2) "]"), SL_OK);
    ck_assert_int_eq(mentions("\xC3\xA9\xE2\x98\x83@a", "[" AT(2, 3) "]"), SL_E_INVALID);
    ck_assert_int_eq(mentions(NULL, "[]"), SL_OK);
    ck_assert_int_eq(mentions(NULL, "[" AT(0, 1) "]"), SL_E_INVALID);
}
END_TEST

START_TEST(mentions__have_a_user_and_nothing_else)
{
    ck_assert_int_eq(mentions("@ann", "{}"), SL_E_INVALID);
    ck_assert_int_eq(mentions("@ann", "[{\"user\":\"ann\",\"at\":0,\"len\":4}]"), SL_E_INVALID);
    ck_assert_int_eq(mentions("@ann", "[{\"at\":0,\"len\":4}]"), SL_E_INVALID);
    ck_assert_int_eq(mentions("@ann", "[{\"user\":\"" USER "\",\"at\":0,\"len\":4,\"x\":1}]"),
                     SL_E_INVALID);
    sl_buf body = {0};
    sl_buf list = {0};
    for (int i = 0; i <= SL_CHAT_MENTIONS_MAX; i++) {
        sl_buf_u8(&body, 'a');
        sl_buf_fmt(&list, "%s{\"user\":\"" USER "\",\"at\":%d,\"len\":1}", i > 0 ? "," : "[", i);
        if (i >= SL_CHAT_MENTIONS_MAX - 1) {
            size_t len = list.len;
            sl_buf_u8(&list, ']');
            ck_assert_int_eq(mentions(sl_buf_text(&body), sl_buf_text(&list)),
                             i < SL_CHAT_MENTIONS_MAX ? SL_OK : SL_E_INVALID);
            list.len = len;
        }
    }
    sl_buf_free(&body);
    sl_buf_free(&list);
}
END_TEST

START_TEST(edit__changes_text_and_mentions_together)
{
    sl_json *fields = NULL;
    sl_json *in = parse("{\"body\":\"now\"}");
    ck_assert_int_eq(sl_chat_edit_fields(in, "text", &fields, NULL), SL_OK);
    ck_assert_str_eq(sl_json_str(fields, "body"), "now");
    ck_assert(sl_json_is_null(sl_json_get(fields, "mentions")));
    sl_json_free(fields);
    sl_json_free(in);
    in = parse("{\"body\":\"@a\",\"mentions\":[" AT(0, 3) "]}");
    ck_assert_int_eq(sl_chat_edit_fields(in, "text", &fields, NULL), SL_E_INVALID);
    sl_json_free(in);
    in = parse("{\"body\":\"\"}");
    ck_assert_int_eq(sl_chat_edit_fields(in, "text", &fields, NULL), SL_E_INVALID);
    ck_assert_int_eq(sl_chat_edit_fields(in, "video", &fields, NULL), SL_OK);
    sl_json_free(fields);
    sl_json_free(in);
}
END_TEST

START_TEST(forward__leaves_mentions_and_the_answer_behind_and_names_the_first)
{
    sl_json *fields = NULL;
    sl_json *in = parse("{\"id\":\"" ONE "\",\"kind\":\"video\",\"body\":\"@a\"," CLIP
                        ",\"mentions\":[" AT(0, 2) "],\"reply_to\":\"" TWO "\",\"place\":4}");
    ck_assert_int_eq(sl_chat_forward_fields(in, &fields, NULL), SL_OK);
    sl_json *expected =
        parse("{\"kind\":\"video\",\"body\":\"@a\"," CLIP ",\"forward_of\":\"" ONE "\"}");
    ck_assert(sl_json_equal(fields, expected));
    (void)sl_json_set_str(in, "forward_of", TWO);
    sl_json_free(fields);
    ck_assert_int_eq(sl_chat_forward_fields(in, &fields, NULL), SL_OK);
    ck_assert_str_eq(sl_json_str(fields, "forward_of"), TWO);
    sl_json_free(fields);
    sl_json_free(expected);
    sl_json_free(in);
}
END_TEST

START_TEST(mark__moves_forward_only_and_read_means_delivered)
{
    sl_json *participant = parse("{\"delivered\":5,\"read\":3}");
    sl_json *fields = NULL;
    ck_assert_int_eq(sl_chat_mark_patch(participant, "delivered", 5, &fields, NULL), SL_OK);
    ck_assert_ptr_null(fields);
    ck_assert_int_eq(sl_chat_mark_patch(participant, "read", 5, &fields, NULL), SL_OK);
    ck_assert_int_eq(sl_json_int_or(fields, "read", 0), 5);
    ck_assert_ptr_null(sl_json_get(fields, "delivered"));
    sl_json_free(fields);
    ck_assert_int_eq(sl_chat_mark_patch(participant, "read", 6, &fields, NULL), SL_OK);
    ck_assert_int_eq(sl_json_int_or(fields, "delivered", 0), 6);
    sl_json_free(fields);
    sl_json_free(participant);
}
END_TEST

#define MARK(user, space, delivered, read)                                        \
    "{\"user_id\":\"" user "\",\"space\":\"" space "\",\"delivered\":" #delivered \
    ",\"read\":" #read "}"

START_TEST(state__is_that_of_the_least_advanced_of_the_others)
{
    sl_json *people = parse("[" MARK(USER, SPACE, 9, 9) "," MARK(OTHER, SPACE, 7, 5) "," MARK(
        THIRD, SPACE, 6, 4) "," MARK(OTHER, "thread:" ONE, 1, 1) "]");
    ck_assert_str_eq(sl_chat_state(people, SPACE, USER, 4), "read");
    ck_assert_str_eq(sl_chat_state(people, SPACE, USER, 5), "delivered");
    ck_assert_str_eq(sl_chat_state(people, SPACE, USER, 6), "delivered");
    ck_assert_str_eq(sl_chat_state(people, SPACE, USER, 7), "sent");
    ck_assert_str_eq(sl_chat_state(NULL, SPACE, USER, 1), "sent");
    sl_json_free(people);
}
END_TEST

#define SIGN(message, emoji, author) \
    "{\"message_id\":\"" message "\",\"emoji\":\"" emoji "\",\"author_id\":\"" author "\"}"

START_TEST(reactions__count_one_of_each_user_and_emoji)
{
    sl_json *all = parse(
        "[" SIGN(ONE, "a", OTHER) "," SIGN(ONE, "b", THIRD) "," SIGN(ONE, "a", OTHER) "," SIGN(
            TWO, "a", USER) "," SIGN(ONE, "a", THIRD) ",{\"message_id\":"
                                                      "\"" ONE "\",\"emoji\":\"b\"},"
                                                      "{\"message_id\":"
                                                      "\"" ONE "\",\"emoji\":\"b\"}]");
    sl_json *lines = NULL;
    ck_assert_int_eq(sl_chat_reactions(all, ONE, USER, &lines, NULL), SL_OK);
    sl_json *expected = parse("[{\"emoji\":\"a\",\"count\":2,\"mine\":false},"
                              "{\"emoji\":\"b\",\"count\":2,\"mine\":true}]");
    ck_assert(sl_json_equal(lines, expected));
    sl_json_free(lines);
    ck_assert_int_eq(sl_chat_reactions(all, THIRD, USER, &lines, NULL), SL_OK);
    ck_assert_ptr_null(lines);
    sl_json_free(expected);
    sl_json_free(all);
}
END_TEST

SL_TEST_MAIN("chat", message__each_kind_needs_what_it_carries, message__a_moment_is_one_of_a_video,
             mentions__are_ranges_of_whole_characters_in_order,
             mentions__have_a_user_and_nothing_else, edit__changes_text_and_mentions_together,
             forward__leaves_mentions_and_the_answer_behind_and_names_the_first,
             mark__moves_forward_only_and_read_means_delivered,
             state__is_that_of_the_least_advanced_of_the_others,
             reactions__count_one_of_each_user_and_emoji)
