#include "chat/chat.h"
#include "support.h"

#include <string.h>

static sl_status message(const char *text, sl_json **fields)
{
    sl_json *in = sl_json_parse(text, strlen(text));
    sl_status status = sl_chat_message(in, fields, NULL);
    sl_json_free(in);
    return status;
}

START_TEST(message__a_text_needs_a_body_and_a_review_what_it_refers_to)
{
    sl_json *fields = NULL;
    ck_assert_int_eq(message("{\"body\":\"hi\"}", &fields), SL_OK);
    ck_assert_str_eq(sl_json_str(fields, "kind"), "text");
    sl_json_free(fields);
    ck_assert_int_eq(message("{\"body\":\"\"}", &fields), SL_E_INVALID);
    ck_assert_int_eq(message("{\"kind\":\"review\",\"body\":\"hi\"}", &fields), SL_E_INVALID);
    ck_assert_int_eq(message("{\"kind\":\"review\",\"ref_space\":\"s\",\"ref_id\":\"i\"}", &fields),
                     SL_OK);
    sl_json_free(fields);
}
END_TEST

START_TEST(mark__moves_forward_only_and_read_means_delivered)
{
    const char *text = "{\"delivered\":5,\"read\":3}";
    sl_json *participant = sl_json_parse(text, strlen(text));
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

SL_TEST_MAIN("chat", message__a_text_needs_a_body_and_a_review_what_it_refers_to,
             mark__moves_forward_only_and_read_means_delivered)
