/*
 * Conversations as their users see them: how far a message came, what counts as unread, what belongs to a
 * message, what waits for its time.
 */
#include "base/mem.h"
#include "platform/sim/sim.h"
#include "sideline/annotation.h"
#include "sideline/chat.h"
#include "sideline/record.h"
#include "sideline/sync.h"
#include "support.h"
#include "talk.h"

#include <stdio.h>
#include <string.h>

/* --- how far a message came ------------------------------------------------------------------ */

START_TEST(chat__a_message_goes_from_queued_to_read)
{
    char id[40];
    lab_online(g_ana, false);
    lab_online(g_cleo, false);
    lab_run(g_lab, SECOND);
    says(g_ana, "one", id);
    says(g_ana, "two", id);
    shows(g_ana, "one:queued two:queued");
    sl_json *line = line_of(g_ana);
    ck_assert_int_eq(sl_json_int_or(line, "queued", 0), 2);
    ck_assert_str_eq(sl_json_str(sl_json_get(line, "last"), "state"), "queued");
    ck_assert_str_eq(sl_json_str(sl_json_get(line, "last"), "body"), "two");
    sl_json_free(line);
    lab_online(g_ana, true);
    rest();
    shows(g_ana, "one:sent two:sent");
    lab_online(g_cleo, true);
    rest();
    shows(g_ana, "one:delivered two:delivered");
    shows(g_cleo, "one:received! two:received!");
    line = line_of(g_cleo);
    ck_assert_int_eq(sl_json_int_or(line, "unread", 0), 2);
    ck_assert_str_eq(sl_json_str(sl_json_get(line, "last"), "author"), "ana@lab.");
    sl_json_free(line);
    sl_json *page = page_of(g_cleo, "{}");
    reads(g_cleo, sl_json_str(sl_json_first(sl_json_get(page, "messages")), "id"));
    sl_json_free(page);
    rest();
    shows(g_ana, "one:read two:delivered");
    reads(g_cleo, NULL);
    rest();
    shows(g_ana, "one:read two:read");
    shows(g_cleo, "one:received two:received");
}
END_TEST

START_TEST(chat__those_that_wait_keep_their_order_when_the_clock_goes_back)
{
    char id[40];
    lab_online(g_ana, false);
    for (int i = 0; i < 4; i++) {
        char body[8];
        (void)snprintf(body, sizeof body, "%d", i);
        says(g_ana, body, id);
        g_ana->node->host.wall_off_ms -= HOUR;
    }
    shows(g_ana, "0:queued 1:queued 2:queued 3:queued");
    lab_online(g_ana, true);
    rest();
    shows(g_ana, "0:delivered 1:delivered 2:delivered 3:delivered");
    shows(g_cleo, "0:received! 1:received! 2:received! 3:received!");
}
END_TEST

START_TEST(chat__what_the_server_refuses_is_failed_until_it_is_sent_again_or_discarded)
{
    char one[40];
    char two[40];
    ck_assert_int_eq(sl_chat_block(g_cleo->node->core, g_ana->user, 1, NULL), SL_OK);
    ck_assert_int_eq(sl_chat_block(g_cleo->node->core, g_ana->user, 1, NULL), SL_OK); /* already */
    sl_sim_node_touched(g_cleo->node);
    rest();
    ck_assert_int_eq(lab_count(g_cleo, "{'from':'block'}"), 1);
    says(g_ana, "one", one);
    says(g_ana, "two", two);
    rest();
    shows(g_ana, "one:failed two:failed");
    shows(g_cleo, "");
    sl_json *line = line_of(g_ana);
    ck_assert_int_eq(sl_json_int_or(line, "failed", 0), 2);
    sl_json_free(line);
    ck_assert_int_eq(sl_chat_edit(g_ana->node->core, one, "{\"body\":\"x\"}", 12, NULL),
                     SL_E_INVALID);
    ck_assert_int_eq(sl_chat_discard(g_ana->node->core, one, NULL), SL_OK);
    ck_assert_int_eq(sl_chat_discard(g_ana->node->core, one, NULL), SL_E_NOT_FOUND);
    ck_assert_int_eq(sl_chat_retry(g_ana->node->core, two, NULL), SL_OK);
    sl_sim_node_touched(g_ana->node);
    rest();
    shows(g_ana, "two:failed");
    ck_assert_int_eq(sl_chat_block(g_cleo->node->core, g_ana->user, 0, NULL), SL_OK);
    sl_sim_node_touched(g_cleo->node);
    rest();
    ck_assert_int_eq(sl_chat_retry(g_ana->node->core, two, NULL), SL_OK);
    sl_sim_node_touched(g_ana->node);
    rest();
    shows(g_ana, "two:delivered");
    shows(g_cleo, "two:received!");
    ck_assert_int_eq(sl_chat_retry(g_ana->node->core, two, NULL), SL_E_NOT_FOUND);
}
END_TEST

/* --- what counts ----------------------------------------------------------------------------- */

START_TEST(chat__an_edit_does_not_count_again_and_what_is_deleted_no_longer)
{
    char id[3][40];
    says(g_ana, "one", id[0]);
    says(g_ana, "two", id[1]);
    rest();
    counts(g_cleo, 2, 0, 2);
    reads(g_cleo, NULL);
    rest();
    counts(g_cleo, 0, 0, 0);
    ck_assert_int_eq(sl_chat_edit(g_ana->node->core, id[0], "{\"body\":\"uno\"}", 14, NULL), SL_OK);
    sl_sim_node_touched(g_ana->node);
    rest();
    counts(g_cleo, 0, 0, 0);
    shows(g_cleo, "uno:received two:received");
    char edited[LAB_TEXT];
    lab_field(g_cleo, "message", id[0], "edited_ms", edited);
    ck_assert_str_ne(edited, "");
    lab_field(g_cleo, "message", id[1], "edited_ms", edited);
    ck_assert_str_eq(edited, "");
    says(g_ana, "three", id[2]);
    rest();
    counts(g_cleo, 1, 0, 1);
    ck_assert_int_eq(sl_chat_delete(g_ana->node->core, id[2], NULL), SL_OK);
    sl_sim_node_touched(g_ana->node);
    rest();
    counts(g_cleo, 0, 0, 0);
    shows(g_cleo, "uno:received two:received");
    ck_assert_int_eq(sl_chat_edit(g_cleo->node->core, id[0], "{\"body\":\"x\"}", 12, NULL),
                     SL_E_DENIED);
    ck_assert_int_eq(sl_chat_delete(g_cleo->node->core, id[0], NULL), SL_E_DENIED);
    ck_assert_int_eq(sl_chat_delete(g_cleo->node->core, id[2], NULL), SL_E_NOT_FOUND);
}
END_TEST

START_TEST(chat__mentions_count_also_in_a_silent_thread)
{
    char json[300];
    char id[40];
    (void)snprintf(json, sizeof json,
                   "{'body':'@cleo look','mentions':[{'user':'%s','at':0,'len':5}]}", g_cleo->user);
    sends(g_ana, json, id);
    says(g_ana, "more", id);
    rest();
    counts(g_cleo, 2, 1, 2);
    shows(g_cleo, "@cleo look:received@! more:received!");
    int64_t until_ms = server_ms() + 3 * MINUTE;
    ck_assert_int_eq(sl_chat_mute(g_cleo->node->core, g_thread, until_ms, NULL), SL_OK);
    sl_sim_node_touched(g_cleo->node);
    rest();
    counts(g_cleo, 2, 1, 1);
    g_cleo->node->host.wall_off_ms += 2 * HOUR; /* silent by the server's clock */
    counts(g_cleo, 2, 1, 1);
    lab_run(g_lab, 3 * MINUTE);
    counts(g_cleo, 2, 1, 2);
    ck_assert_int_eq(sl_chat_mute(g_cleo->node->core, g_thread, until_ms + 9 * HOUR, NULL), SL_OK);
    counts(g_cleo, 2, 1, 1);
    ck_assert_int_eq(sl_chat_mute(g_cleo->node->core, g_thread, 0, NULL), SL_OK);
    sl_sim_node_touched(g_cleo->node);
    counts(g_cleo, 2, 1, 2);
    rest();
    ck_assert_int_eq(lab_count(g_cleo, "{'from':'thread_setting'}"), 1);
    (void)snprintf(json, sizeof json,
                   "{'body':'@nobody','mentions':[{'user':'%s','at':0,'len':7}]}", id);
    ck_assert_int_eq(try_send(g_ana, json, id), SL_E_INVALID);
}
END_TEST

START_TEST(chat__messages_of_blocked_people_are_neither_shown_nor_counted)
{
    char id[40];
    says(g_ana, "one", id);
    rest();
    counts(g_cleo, 1, 0, 1);
    ck_assert_int_eq(sl_chat_block(g_cleo->node->core, g_ana->user, 1, NULL), SL_OK);
    sl_sim_node_touched(g_cleo->node);
    counts(g_cleo, 0, 0, 0);
    shows(g_cleo, "");
    sl_json *line = line_of(g_cleo);
    ck_assert(sl_json_bool_or(line, "blocked", false));
    ck_assert_ptr_null(sl_json_get(line, "last"));
    sl_json_free(line);
    ck_assert_int_eq(sl_chat_block(g_cleo->node->core, g_ana->user, 0, NULL), SL_OK);
    sl_sim_node_touched(g_cleo->node);
    counts(g_cleo, 1, 0, 1);
    shows(g_cleo, "one:received!");
}
END_TEST

START_TEST(chat__a_sign_given_on_two_devices_counts_once_and_goes_from_both)
{
    char id[40];
    lab_node *tablet = second();
    says(g_cleo, "one", id);
    rest();
    lab_online(tablet, false);
    ck_assert_int_eq(sl_chat_react(g_ana->node->core, id, "+", 1, NULL), SL_OK);
    ck_assert_int_eq(sl_chat_react(g_ana->node->core, id, "+", 1, NULL), SL_OK); /* already */
    ck_assert_int_eq(sl_chat_react(tablet->node->core, id, "+", 1, NULL), SL_OK);
    ck_assert_int_eq(sl_chat_react(g_cleo->node->core, id, "+", 1, NULL), SL_OK);
    ck_assert_int_eq(sl_chat_react(g_cleo->node->core, id, "o", 1, NULL), SL_OK);
    sl_sim_node_touched(g_ana->node);
    sl_sim_node_touched(g_cleo->node);
    lab_online(tablet, true);
    rest();
    ck_assert_int_eq(lab_count(g_ana, "{'from':'reaction'}"), 3);
    shows(g_cleo, "one:delivered[+2*][o1*]");
    shows(tablet, "one:received![+2*][o1]");
    ck_assert_int_eq(sl_chat_react(tablet->node->core, id, "+", 0, NULL), SL_OK);
    sl_sim_node_touched(tablet->node);
    rest();
    shows(g_cleo, "one:delivered[+1*][o1*]");
    shows(g_ana, "one:received![+1][o1]");
}
END_TEST

START_TEST(chat__answers_forwards_and_pins_are_shown_with_the_message)
{
    char one[40];
    char two[40];
    char again[40];
    char json[200];
    says(g_cleo, "one", one);
    rest();
    (void)snprintf(json, sizeof json, "{'body':'two','reply_to':'%s'}", one);
    sends(g_ana, json, two);
    ck_assert_int_eq(sl_chat_pin(g_ana->node->core, one, 1, NULL), SL_OK);
    sl_sim_node_touched(g_ana->node);
    rest();
    shows(g_cleo, "one:delivered^ two:received!");
    sl_json *page = page_of(g_cleo, "{'limit':1}");
    const sl_json *m = sl_json_first(sl_json_get(page, "messages"));
    ck_assert_str_eq(sl_json_str(sl_json_get(m, "reply"), "body"), "one");
    ck_assert(sl_json_bool_or(page, "older", false));
    ck_assert(!sl_json_bool_or(page, "newer", true));
    sl_json_free(page);
    ck_assert_int_eq(sl_chat_pin(g_cleo->node->core, one, 0, NULL), SL_OK);
    repeats(g_cleo, two, again);
    ck_assert_int_eq(sl_chat_delete(g_cleo->node->core, one, NULL), SL_OK);
    sl_sim_node_touched(g_cleo->node);
    rest();
    shows(g_ana, "two:delivered two:received!");
    page = page_of(g_ana, "{}");
    m = sl_json_first(sl_json_get(page, "messages"));
    ck_assert(sl_json_bool_or(sl_json_get(m, "reply"), "missing", false));
    m = sl_json_next(m);
    ck_assert_str_eq(sl_json_str(m, "id"), again);
    ck_assert_str_eq(sl_json_str(m, "forward_of"), two);
    ck_assert_ptr_null(sl_json_get(m, "reply"));
    sl_json_free(page);
}
END_TEST

START_TEST(chat__pages_and_searches_lead_to_a_message)
{
    char id[40];
    char middle[40] = "";
    sl_bytes *out = NULL;
    for (int i = 0; i < 30; i++) {
        char body[24];
        (void)snprintf(body, sizeof body, i == 15 ? "the needle" : "hay %d", i);
        says(g_ana, body, i == 15 ? middle : id);
    }
    rest();
    static const char words[] = "{\"words\":\"need\"}";
    ck_assert_int_eq(sl_chat_search(g_cleo->node->core, words, strlen(words), &out, NULL), SL_OK);
    sl_json *found = taken(out);
    ck_assert_uint_eq(sl_json_count(found), 1);
    ck_assert_str_eq(sl_json_str(sl_json_first(found), "id"), middle);
    ck_assert_str_eq(sl_json_str(sl_json_first(found), "snippet"), "the [needle]");
    sl_json_free(found);
    char json[100];
    (void)snprintf(json, sizeof json, "{'around':'%s','limit':5}", middle);
    sl_json *page = page_of(g_cleo, json);
    const sl_json *list = sl_json_get(page, "messages");
    ck_assert_uint_eq(sl_json_count(list), 6);
    ck_assert_str_eq(sl_json_str(sl_json_at(list, 0), "body"), "hay 13");
    ck_assert_str_eq(sl_json_str(sl_json_at(list, 2), "id"), middle);
    ck_assert_str_eq(sl_json_str(sl_json_at(list, 5), "body"), "hay 18");
    ck_assert(sl_json_bool_or(page, "older", false) && sl_json_bool_or(page, "newer", false));
    int64_t last = sl_json_int_or(sl_json_at(list, 5), "place", 0);
    int64_t first = sl_json_int_or(sl_json_at(list, 0), "place", 0);
    sl_json_free(page);
    (void)snprintf(json, sizeof json, "{'after':%lld,'limit':11}", (long long)last);
    page = page_of(g_cleo, json);
    list = sl_json_get(page, "messages");
    ck_assert_uint_eq(sl_json_count(list), 11);
    ck_assert_str_eq(sl_json_str(sl_json_first(list), "body"), "hay 19");
    ck_assert(!sl_json_bool_or(page, "newer", true));
    sl_json_free(page);
    (void)snprintf(json, sizeof json, "{'before':%lld,'limit':12}", (long long)first);
    page = page_of(g_cleo, json);
    list = sl_json_get(page, "messages");
    ck_assert_uint_eq(sl_json_count(list), 12);
    ck_assert_str_eq(sl_json_str(sl_json_at(list, 11), "body"), "hay 12");
    ck_assert(sl_json_bool_or(page, "older", false) && sl_json_bool_or(page, "newer", false));
    sl_json_free(page);
}
END_TEST

/* --- not sent yet ---------------------------------------------------------------------------- */

START_TEST(chat__a_text_begun_stays_on_its_device_until_it_is_taken_back)
{
    static const char text[] = "{\"body\":\"dear\"}";
    sl_bytes *out = NULL;
    ck_assert_int_eq(sl_chat_draft(g_ana->node->core, g_thread, &out, NULL), SL_OK);
    ck_assert_ptr_null(out);
    ck_assert_int_eq(sl_chat_set_draft(g_ana->node->core, g_thread, text, strlen(text), NULL),
                     SL_OK);
    restart(g_ana);
    ck_assert_int_eq(sl_chat_draft(g_ana->node->core, g_thread, &out, NULL), SL_OK);
    sl_json *j = taken(out);
    ck_assert_str_eq(sl_json_str(j, "body"), "dear");
    sl_json_free(j);
    sl_json *line = line_of(g_ana);
    ck_assert_str_eq(sl_json_str(sl_json_get(line, "draft"), "body"), "dear");
    sl_json_free(line);
    line = line_of(g_cleo);
    ck_assert_ptr_null(sl_json_get(line, "draft"));
    sl_json_free(line);
    ck_assert_int_eq(sl_chat_set_draft(g_ana->node->core, g_thread, NULL, 0, NULL), SL_OK);
    out = NULL;
    ck_assert_int_eq(sl_chat_draft(g_ana->node->core, g_thread, &out, NULL), SL_OK);
    ck_assert_ptr_null(out);
    ck_assert_int_eq(sl_chat_set_draft(g_ana->node->core, g_thread, "[]", 2, NULL), SL_E_INVALID);
    sl_buf large = {0};
    sl_buf_str(&large, "{\"body\":\"");
    for (int i = 0; i < 16 * 1024; i++) {
        sl_buf_u8(&large, 'x');
    }
    sl_buf_str(&large, "\"}");
    ck_assert_int_eq(
        sl_chat_set_draft(g_ana->node->core, g_thread, sl_buf_text(&large), large.len, NULL),
        SL_E_LIMIT);
    sl_buf_free(&large);
}
END_TEST

static void plans(lab_node *n, const char *body, int64_t send_ms, char id[40])
{
    char json[200];
    (void)snprintf(json, sizeof json, "{'body':'%s','send_ms':%lld}", body, (long long)send_ms);
    sends(n, json, id);
}

START_TEST(chat__a_planned_message_goes_once_at_its_time_by_the_servers_clock)
{
    char id[40];
    char seen[LAB_TEXT];
    plans(g_ana, "later", server_ms() + 3 * MINUTE, id);
    g_ana->node->host.wall_off_ms += 24 * HOUR; /* its own clock says that it is due */
    lab_run(g_lab, MINUTE);
    restart(g_ana);
    rest();
    shows(g_cleo, "");
    planned(g_ana, 1);
    lab_run(g_lab, MINUTE);
    shows(g_cleo, "");
    lab_run(g_lab, MINUTE);
    rest();
    planned(g_ana, 0);
    shows(g_ana, "later:delivered");
    lab_field(g_cleo, "message", id, "body", seen);
    ck_assert_str_eq(seen, "later");
    restart(g_ana);
    rest();
    shows(g_cleo, "later:received!");
}
END_TEST

START_TEST(chat__a_planned_message_waits_for_a_connection_and_can_be_changed_or_given_up)
{
    char one[40];
    char two[40];
    char three[40];
    plans(g_ana, "one", server_ms() + 3 * MINUTE, one);
    plans(g_ana, "two", server_ms() + 3 * MINUTE, two);
    plans(g_ana, "three", server_ms() + 3 * MINUTE, three);
    ck_assert_int_eq(sl_chat_unschedule(g_ana->node->core, two, NULL), SL_OK);
    ck_assert_int_eq(sl_chat_unschedule(g_ana->node->core, two, NULL), SL_E_NOT_FOUND);
    static const char edit[] = "{\"body\":\"uno\",\"send_ms\":0}";
    ck_assert_int_eq(sl_chat_reschedule(g_ana->node->core, one, edit, strlen(edit), NULL), SL_OK);
    static const char wrong[] = "{\"body\":\"\"}";
    ck_assert_int_eq(sl_chat_reschedule(g_ana->node->core, three, wrong, strlen(wrong), NULL),
                     SL_E_INVALID);
    sl_sim_node_touched(g_ana->node);
    rest();
    shows(g_cleo, "uno:received!");
    planned(g_ana, 1);
    lab_online(g_ana, false);
    restart(g_ana);
    lab_run(g_lab, 4 * MINUTE); /* what time it is nobody told this core */
    planned(g_ana, 1);
    shows(g_ana, "uno:delivered");
    lab_online(g_ana, true);
    rest();
    shows(g_cleo, "uno:received! three:received!");
    planned(g_ana, 0);
    char json[100];
    (void)snprintf(json, sizeof json, "{'body':'x','send_ms':'soon'}");
    ck_assert_int_eq(try_send(g_ana, json, one), SL_E_INVALID);
    for (int i = 0; i <= 100; i++) {
        (void)snprintf(json, sizeof json, "{'body':'x','send_ms':%lld}",
                       (long long)(server_ms() + 3 * MINUTE));
        ck_assert_int_eq(try_send(g_ana, json, one), i < 100 ? SL_OK : SL_E_LIMIT);
    }
}
END_TEST

/* Its socket is not closed at once: what comes until then is nobody's. */
START_TEST(chat__what_comes_while_one_signs_out_is_delivered_when_one_is_in_again)
{
    char expected[200] = "";
    for (int i = 0; i < 10; i++) {
        char body[4];
        char id[40];
        size_t n = strlen(expected);
        (void)snprintf(body, sizeof body, "%d", i);
        (void)snprintf(expected + n, sizeof expected - n, "%s%d:delivered", i > 0 ? " " : "", i);
        says(g_ana, body, id);
        lab_run(g_lab, 20);
        ck_assert_int_eq(sl_session_logout(g_cleo->node->core, NULL), SL_OK);
        lab_run(g_lab, SECOND);
        lab_log_in(g_cleo, "cleo@lab.test");
        lab_online(g_cleo, true);
        rest();
        shows(g_ana, expected);
    }
}
END_TEST

SL_TEST_MAIN_WITH("sim_chat", set_up, tear_down, chat__a_message_goes_from_queued_to_read,
                  chat__what_comes_while_one_signs_out_is_delivered_when_one_is_in_again,
                  chat__those_that_wait_keep_their_order_when_the_clock_goes_back,
                  chat__what_the_server_refuses_is_failed_until_it_is_sent_again_or_discarded,
                  chat__an_edit_does_not_count_again_and_what_is_deleted_no_longer,
                  chat__mentions_count_also_in_a_silent_thread,
                  chat__messages_of_blocked_people_are_neither_shown_nor_counted,
                  chat__a_sign_given_on_two_devices_counts_once_and_goes_from_both,
                  chat__answers_forwards_and_pins_are_shown_with_the_message,
                  chat__pages_and_searches_lead_to_a_message,
                  chat__a_text_begun_stays_on_its_device_until_it_is_taken_back,
                  chat__a_planned_message_goes_once_at_its_time_by_the_servers_clock,
                  chat__a_planned_message_waits_for_a_connection_and_can_be_changed_or_given_up)
