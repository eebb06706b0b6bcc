/* Conversations through the exported functions: what they refuse, and push notifications. */
#include "api/host.h"

#include <stdio.h>
#include <string.h>

#define THREAD  "thread:01890000-0000-7000-8000-0000000000d1"
#define CLEO    "01890000-0000-7000-8000-0000000000a2"
#define ONE     "01890000-0000-7000-8000-0000000000c1"
#define TWO     "01890000-0000-7000-8000-0000000000c2"
#define THREE   "01890000-0000-7000-8000-0000000000c3"
#define BIRTH   "\"clocks\":{\"*\":\"018900000000000000000001\"}"
#define NOBODY  "01890000-0000-7000-8000-0000000000ff"
#define NO_ROOM "thread:01890000-0000-7000-8000-0000000000ff"

/* A core that holds a thread with Cleo, who has written one message, at place 4; 4 is the cursor. */
static sl_core *talking(void)
{
    sl_core *core = signed_in();
    sl_host_ws_opened(core, g_ws);
    (void)sl_core_step(core);
    frame(core, "{\"t\":\"connected\",\"user\":\"" ANN "\",\"now\":5}");
    frame(core,
          "{\"t\":\"page\",\"space\":\"" OWN "\",\"epoch\":\"" EPOCH
          "\",\"from\":0,\"to\":1,\"more\":false,\"records\":[{\"entity\":\"grant\",\"id\":"
          "\"01890000-0000-7000-8000-000000000009\",\"space\":\"" OWN
          "\",\"seq\":1,\"fields\":{\"target\":\"" THREAD "\",\"role\":\"member\"}," BIRTH "}]}");
    frame(core, "{\"t\":\"subscribed\",\"space\":\"" OWN "\",\"epoch\":\"" EPOCH
                "\",\"seq\":1,\"role\":\"owner\"}");
    frame(
        core,
        "{\"t\":\"page\",\"space\":\"" THREAD "\",\"epoch\":\"" EPOCH
        "\",\"from\":0,\"to\":4,\"more\":false,\"records\":["
        "{\"entity\":\"thread\",\"id\":\"01890000-0000-7000-8000-0000000000d1\",\"space\":\"" THREAD
        "\",\"seq\":1,\"fields\":{}," BIRTH "},"
        "{\"entity\":\"participant\",\"id\":\"01890000-0000-7000-8000-0000000000e1\",\"space\":"
        "\"" THREAD "\",\"seq\":2,\"fields\":{\"user_id\":\"" ANN "\",\"name\":\"Ann\",\"read\":0,"
        "\"delivered\":0}," BIRTH "},"
        "{\"entity\":\"participant\",\"id\":\"01890000-0000-7000-8000-0000000000e2\",\"space\":"
        "\"" THREAD "\",\"seq\":3,\"fields\":{\"user_id\":\"" CLEO
        "\",\"name\":\"Cleo\",\"read\":0,\"delivered\":0}," BIRTH "},"
        "{\"entity\":\"message\",\"id\":\"" ONE "\",\"space\":\"" THREAD
        "\",\"seq\":4,\"fields\":{\"kind\":\"text\",\"body\":\"one\",\"author_id\":\"" CLEO
        "\",\"place\":4,\"sent_ms\":5}," BIRTH "}]}");
    frame(core, "{\"t\":\"subscribed\",\"space\":\"" THREAD "\",\"epoch\":\"" EPOCH
                "\",\"seq\":4,\"role\":\"member\"}");
    (void)events(core);
    return core;
}

/* --- notifications --------------------------------------------------------------------------- */

static const char *notice(sl_core *core, const char *id, int place, const char *more)
{
    static char text[1000];
    char payload[700];
    sl_bytes *out = NULL;
    sl_error *err = NULL;
    int n =
        snprintf(payload, sizeof payload,
                 "{\"sideline\":{\"v\":1,\"to\":\"" ANN
                 "\",\"kind\":\"message\",\"space\":\"" THREAD "\",\"id\":\"%s\",\"user\":\"" CLEO
                 "\",\"place\":%d,\"title\":\"Cleo\",\"body\":\"told\"%s}}",
                 id, place, more);
    sl_status status = sl_chat_notice(core, payload, (size_t)n, &out, &err);
    ck_assert_msg(status == SL_OK, "%s", err != NULL ? sl_error_message(err) : "");
    (void)snprintf(text, sizeof text, "%s", (const char *)sl_bytes_data(out));
    sl_bytes_release(out);
    return text;
}

static void has(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) != NULL, "%s is not in %s", part, text);
}

START_TEST(notice__counts_each_message_once_until_it_has_come)
{
    sl_core *core = talking();
    const char *text = notice(core, TWO, 6, "");
    has(text, "\"show\":true");
    has(text, "\"body\":\"told\"");
    has(text, "\"badge\":2");
    has(notice(core, TWO, 6, ""), "\"badge\":2"); /* told twice */
    has(notice(core, THREE, 7, ",\"named\":true"), "\"badge\":3");
    text = notice(core, ONE, 4, ""); /* is here */
    has(text, "\"body\":\"one\"");
    has(text, "\"badge\":3");
    frame(core,
          "{\"t\":\"change\",\"space\":\"" THREAD
          "\",\"from\":4,\"seq\":6,\"records\":[{\"entity\":\"message\",\"id\":\"" TWO
          "\",\"space\":\"" THREAD "\",\"seq\":6,\"fields\":{\"kind\":\"text\",\"body\":\"two\","
          "\"author_id\":\"" CLEO "\",\"place\":6,\"sent_ms\":6}," BIRTH
          "},{\"entity\":\"message\",\"id\":\"" ONE "\",\"space\":\"" THREAD
          "\",\"seq\":5,\"deleted\":true,\"fields\":{}," BIRTH "}]}");
    sl_bytes *out = NULL;
    ck_assert_int_eq(sl_chat_counts(core, &out, NULL), SL_OK);
    has((const char *)sl_bytes_data(out), "\"unread\":1,");
    has((const char *)sl_bytes_data(out), "\"badge\":2"); /* TWO is here, THREE is told */
    sl_bytes_release(out);
    sl_core_close(core);
}
END_TEST

START_TEST(notice__of_silent_threads_blocked_people_and_read_messages_is_not_shown)
{
    sl_core *core = talking();
    ck_assert_int_eq(sl_chat_mute(core, THREAD, 1000000000000, NULL), SL_OK);
    const char *text = notice(core, TWO, 6, "");
    has(text, "\"show\":false,\"why\":\"muted\"");
    has(text, "\"badge\":0");
    text = notice(core, THREE, 7, ",\"named\":true");
    has(text, "\"show\":true");
    has(text, "\"badge\":1");
    ck_assert_int_eq(sl_chat_mute(core, THREAD, 0, NULL), SL_OK);
    ck_assert_int_eq(sl_chat_block(core, CLEO, 1, NULL), SL_OK);
    text = notice(core, TWO, 6, "");
    has(text, "\"why\":\"blocked\"");
    has(text, "\"badge\":0");
    ck_assert_int_eq(sl_chat_block(core, CLEO, 0, NULL), SL_OK);
    ck_assert_int_eq(sl_chat_mark(core, THREAD, SL_CHAT_READ, NULL, NULL), SL_OK);
    has(notice(core, ONE, 4, ""), "\"why\":\"read\"");
    has(notice(core, TWO, 6, ""), "\"badge\":2");
    sl_core_close(core);
}
END_TEST

static void wish(sl_core *core, const char *entity, const char *fields)
{
    char ops[400];
    sl_error *err = NULL;
    int n = snprintf(ops, sizeof ops,
                     "[{\"op\":\"create\",\"entity\":\"%s\",\"space\":\"" OWN "\",\"fields\":%s}]",
                     entity, fields);
    sl_status status = sl_apply(core, ops, (size_t)n, NULL, &err);
    ck_assert_msg(status == SL_OK, "%s", err != NULL ? sl_error_message(err) : "");
}

START_TEST(notice__in_quiet_hours_and_of_a_topic_that_is_off_is_not_shown_but_counts)
{
    static const struct {
        int32_t minute;
        bool shown;
    } night[] = {{1319, true}, {1320, false}, {1439, false}, {0, false}, {419, false}, {420, true}};
    sl_core *core = talking();
    wish(core, "notification_setting",
         "{\"topic\":\"message\",\"quiet_from_min\":1320,\"quiet_to_min\":420}");
    for (size_t i = 0; i < sizeof night / sizeof night[0]; i++) {
        g_minute = night[i].minute;
        const char *text = notice(core, TWO, 6, ",\"named\":true");
        has(text, night[i].shown ? "\"show\":true" : "\"show\":false,\"why\":\"quiet\"");
        has(text, "\"badge\":2");
    }
    wish(core, "notification_setting",
         "{\"topic\":\"message\",\"quiet_from_min\":60,\"quiet_to_min\":120}");
    for (g_minute = 58; g_minute < 123; g_minute++) {
        bool quiet = g_minute >= 60 && g_minute < 120; /* the later setting holds */
        has(notice(core, TWO, 6, ""), quiet ? "\"why\":\"quiet\"" : "\"show\":true");
    }
    wish(core, "notification_setting",
         "{\"topic\":\"message\",\"quiet_from_min\":60,\"quiet_to_min\":60}");
    g_minute = 60;
    has(notice(core, TWO, 6, ""), "\"show\":true"); /* no hours at all */
    wish(core, "notification_setting", "{\"topic\":\"message\",\"push\":false}");
    has(notice(core, TWO, 6, ""), "\"show\":false,\"why\":\"off\"");
    sl_core_close(core);
}
END_TEST

START_TEST(notice__for_somebody_else_or_without_sense_says_so)
{
    static const char other[] = "{\"v\":1,\"to\":\"" CLEO "\",\"kind\":\"system\",\"title\":\"t\"}";
    static const char later[] = "{\"v\":2}";
    sl_core *core = talking();
    sl_bytes *out = NULL;
    ck_assert_int_eq(sl_chat_notice(core, other, strlen(other), &out, NULL), SL_OK);
    has((const char *)sl_bytes_data(out), "\"why\":\"other_user\"");
    sl_bytes_release(out);
    ck_assert_int_eq(sl_chat_notice(core, later, strlen(later), &out, NULL), SL_E_UNSUPPORTED);
    ck_assert_int_eq(sl_chat_notice(core, "{}", 2, &out, NULL), SL_E_INVALID);
    ck_assert_int_eq(sl_chat_notice(core, "x", 1, &out, NULL), SL_E_INVALID);
    ck_assert_int_eq(sl_chat_notice(core, "{}", 2, NULL, NULL), SL_E_MISUSE);
    sl_core_close(core);
    core = open_core(false);
    ck_assert_int_eq(sl_session_logout(core, NULL), SL_OK);
    sl_core_close(core);
}
END_TEST

/* --- what is refused ------------------------------------------------------------------------- */

#define MISUSE(call) ck_assert_int_eq(call, SL_E_MISUSE)

START_TEST(chat__calls_without_a_thread_message_or_place_for_the_answer_are_misuse)
{
    sl_core *core = talking();
    sl_bytes *out = NULL;
    MISUSE(sl_chat_send(core, "thread", "{}", 2, NULL, NULL));
    MISUSE(sl_chat_send(core, OWN, "{}", 2, NULL, NULL));
    MISUSE(sl_chat_forward(core, "one", THREAD, NULL, NULL));
    MISUSE(sl_chat_forward(core, ONE, OWN, NULL, NULL));
    MISUSE(sl_chat_edit(core, "one", "{}", 2, NULL));
    MISUSE(sl_chat_delete(core, "", NULL));
    MISUSE(sl_chat_react(core, ONE, "", 1, NULL));
    MISUSE(sl_chat_react(core, "one", "+", 1, NULL));
    MISUSE(sl_chat_pin(core, "one", 1, NULL));
    MISUSE(sl_chat_retry(core, "one", NULL));
    MISUSE(sl_chat_discard(core, "one", NULL));
    MISUSE(sl_chat_set_draft(core, OWN, NULL, 0, NULL));
    MISUSE(sl_chat_draft(core, OWN, &out, NULL));
    MISUSE(sl_chat_draft(core, THREAD, NULL, NULL));
    MISUSE(sl_chat_scheduled(core, OWN, &out, NULL));
    MISUSE(sl_chat_reschedule(core, "one", "{}", 2, NULL));
    MISUSE(sl_chat_unschedule(core, "one", NULL));
    MISUSE(sl_chat_messages(core, OWN, NULL, 0, &out, NULL));
    MISUSE(sl_chat_messages(core, THREAD, NULL, 0, NULL, NULL));
    MISUSE(sl_chat_search(core, "{}", 2, NULL, NULL));
    MISUSE(sl_chat_threads(core, NULL, NULL));
    MISUSE(sl_chat_counts(core, NULL, NULL));
    MISUSE(sl_chat_mute(core, OWN, 1, NULL));
    MISUSE(sl_chat_mute(core, THREAD, -1, NULL));
    MISUSE(sl_chat_block(core, "cleo", 1, NULL));
    MISUSE(sl_chat_people(core, OWN, &out, NULL));
    MISUSE(sl_stroke_live(core, THREAD, "{}", 2, NULL));
    ck_assert_ptr_null(out);
    sl_core_close(core);
}
END_TEST

START_TEST(chat__what_is_not_here_is_not_found)
{
    static const char hi[] = "{\"body\":\"hi\",\"send_ms\":9}";
    static const char reply[] = "{\"body\":\"hi\",\"reply_to\":\"" ONE "\"}";
    static const char page[] = "{\"around\":\"" NOBODY "\"}";
    static const char search[] = "{\"limit\":5}";
    sl_core *core = talking();
    sl_bytes *out = NULL;
    ck_assert_int_eq(sl_chat_send(core, NO_ROOM, hi, strlen(hi), NULL, NULL), SL_E_NOT_FOUND);
    ck_assert_int_eq(sl_chat_send(core, NO_ROOM, reply, strlen(reply), NULL, NULL), SL_E_INVALID);
    ck_assert_int_eq(sl_chat_set_draft(core, NO_ROOM, "{}", 2, NULL), SL_E_NOT_FOUND);
    ck_assert_int_eq(sl_chat_mute(core, NO_ROOM, 1, NULL), SL_E_NOT_FOUND);
    ck_assert_int_eq(sl_chat_people(core, NO_ROOM, &out, NULL), SL_E_NOT_FOUND);
    ck_assert_int_eq(sl_chat_messages(core, NO_ROOM, NULL, 0, &out, NULL), SL_E_NOT_FOUND);
    ck_assert_int_eq(sl_chat_messages(core, THREAD, page, strlen(page), &out, NULL),
                     SL_E_NOT_FOUND);
    ck_assert_int_eq(sl_chat_messages(core, THREAD, "{\"limit\":0}", 11, &out, NULL), SL_E_INVALID);
    ck_assert_int_eq(sl_chat_messages(core, THREAD, "{\"limit\":201}", 13, &out, NULL),
                     SL_E_INVALID);
    ck_assert_int_eq(sl_chat_search(core, search, strlen(search), &out, NULL), SL_E_INVALID);
    ck_assert_int_eq(sl_chat_react(core, NOBODY, "+", 1, NULL), SL_E_NOT_FOUND);
    ck_assert_int_eq(sl_chat_pin(core, NOBODY, 1, NULL), SL_E_NOT_FOUND);
    ck_assert_int_eq(sl_chat_edit(core, ONE, "{\"body\":\"x\"}", 12, NULL), SL_E_DENIED);
    sl_core_close(core);
}
END_TEST

SL_TEST_MAIN_WITH("chat_api", host_set_up, host_tear_down,
                  notice__counts_each_message_once_until_it_has_come,
                  notice__of_silent_threads_blocked_people_and_read_messages_is_not_shown,
                  notice__in_quiet_hours_and_of_a_topic_that_is_off_is_not_shown_but_counts,
                  notice__for_somebody_else_or_without_sense_says_so,
                  chat__calls_without_a_thread_message_or_place_for_the_answer_are_misuse,
                  chat__what_is_not_here_is_not_found)
