/*
 * What an app is told about its changes: what was refused, how far sync has come, what waits.
 * The server is played by the test.
 */
#include "api/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *text_of(sl_bytes *b)
{
    static char text[4000];
    (void)snprintf(text, sizeof text, "%s", b != NULL ? (const char *)sl_bytes_data(b) : "");
    sl_bytes_release(b);
    return text;
}

static void has(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) != NULL, "%s is not in %s", part, text);
}

static void has_not(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) == NULL, "%s is in %s", part, text);
}

static void apply(sl_core *core, const char *ops)
{
    sl_error *err = NULL;
    sl_status status = sl_apply(core, ops, strlen(ops), NULL, &err);
    ck_assert_msg(status == SL_OK, "%s", err != NULL ? sl_error_message(err) : "");
    (void)sl_core_step(core);
}

static const char *query(sl_core *core, const char *q)
{
    sl_bytes *out = NULL;
    ck_assert_int_eq(sl_query_once(core, q, strlen(q), &out, NULL), SL_OK);
    return text_of(out);
}

static const char *drafts(sl_core *core, const char *space, sl_id after)
{
    sl_bytes *out = NULL;
    ck_assert_int_eq(sl_drafts(core, space, after, &out, NULL), SL_OK);
    return text_of(out);
}

#define MARK    "01890000-0000-7000-8000-00000000000d"
#define COMMENT "{\"from\":\"comment\",\"select\":[\"body\",\"pending\",\"seq\"]}"
#define CREATE(id, body)                                                             \
    "{\"op\":\"create\",\"entity\":\"comment\",\"space\":\"" VIDEO "\",\"id\":\"" id \
    "\",\"fields\":{\"body\":\"" body "\"}}"
#define PATCH(id, body) \
    "{\"op\":\"patch\",\"entity\":\"comment\",\"id\":\"" id "\",\"fields\":{\"body\":\"" body "\"}}"

static void reject(sl_core *core, int n, const char *code, const char *field)
{
    char text[300];
    (void)snprintf(text, sizeof text,
                   "{\"t\":\"receipt\",\"n\":%d,\"result\":\"rejected\",\"seq\":0,\"code\":\"%s\","
                   "\"message\":\"no\",\"field\":\"%s\"}",
                   n, code, field);
    frame(core, text);
}

START_TEST(draft__keeps_what_was_refused_and_is_sent_again_edited)
{
    sl_core *core = online(true);
    sl_bytes *out = NULL;
    apply(core, "[" CREATE(NOTE, "long text") "," CREATE(MARK, "good") "]");
    reject(core, 1, "SL_E_INVALID", "body");
    has(events(core), "\"draft\":1");
    ck_assert(info(core, "sync", "\"rejected\":1"));
    has_not(query(core, COMMENT), "long text");
    has(query(core, COMMENT), "good");
    sl_core_close(core);
    core = online(true); /* another process */
    has(drafts(core, NULL, 0),
        "[{\"draft\":1,\"op\":\"create\",\"entity\":\"comment\",\"space\":\"" VIDEO
        "\",\"id\":\"" NOTE "\",\"fields\":{\"body\":\"long text\"},\"code\":"
        "\"SL_E_INVALID\",\"message\":\"no\",\"field\":\"body\"}]");
    ck_assert_str_eq(drafts(core, OWN, 0), "[]");
    ck_assert_str_eq(drafts(core, VIDEO, 1), "[]");
    ck_assert_int_eq(sl_draft_send(core, 1, "{\"body\":\"\"}", 11, NULL, NULL), SL_E_INVALID);
    ck_assert_int_eq(sl_draft_send(core, 1, "[]", 2, NULL, NULL), SL_E_INVALID);
    ck_assert_int_eq(sl_draft_send(core, 9, "{}", 2, NULL, NULL), SL_E_NOT_FOUND);
    has(drafts(core, VIDEO, 0), "long text");
    ck_assert_int_eq(sl_draft_send(core, 1, "{\"body\":\"short\"}", 16, &out, NULL), SL_OK);
    ck_assert_str_eq(text_of(out), "{\"id\":\"" NOTE "\"}");
    ck_assert_str_eq(drafts(core, NULL, 0), "[]");
    g_sent[0] = 0;
    (void)sl_core_step(core);
    has(g_sent, "\"n\":3");
    has(g_sent, "short");
    has(query(core, COMMENT), "short");
    sl_core_close(core);
}
END_TEST

START_TEST(draft__says_what_it_needs_and_goes_when_discarded)
{
    sl_core *core = online(true);
    apply(core, "[" CREATE(NOTE, "mine") "]");
    apply(core, "[" PATCH(NOTE, "more") "]");
    reject(core, 1, "SL_E_DENIED", "");
    reject(core, 2, "SL_E_NOT_FOUND", "");
    has(drafts(core, NULL, 0), "\"needs\":[1]");
    ck_assert_int_eq(sl_draft_send(core, 2, "{}", 2, NULL, NULL), SL_E_NOT_FOUND);
    ck_assert_int_eq(sl_draft_send(core, 1, "{}", 2, NULL, NULL), SL_OK);
    ck_assert_int_eq(sl_draft_send(core, 2, "{}", 2, NULL, NULL), SL_OK);
    has(query(core, COMMENT), "more");
    (void)sl_core_step(core);
    reject(core, 3, "SL_E_DENIED", "");
    reject(core, 4, "SL_E_NOT_FOUND", "");
    ck_assert_int_eq(sl_draft_discard(core, 3, NULL), SL_OK);
    ck_assert_int_eq(sl_draft_discard(core, 3, NULL), SL_E_NOT_FOUND);
    has_not(drafts(core, NULL, 0), "needs");
    ck_assert_int_eq(sl_draft_discard(core, 4, NULL), SL_OK);
    ck_assert_str_eq(drafts(core, NULL, 0), "[]");
    sl_core_close(core);
}
END_TEST

START_TEST(draft__of_an_id_that_another_record_has_gets_a_new_one)
{
    sl_core *core = online(true);
    sl_bytes *out = NULL;
    apply(core, "[" CREATE(NOTE, "mine") "]");
    reject(core, 1, "SL_E_CONFLICT", "id");
    ck_assert_int_eq(sl_draft_send(core, 1, "{}", 2, &out, NULL), SL_OK);
    has_not(text_of(out), NOTE);
    has(query(core, COMMENT), "mine");
    sl_core_close(core);
}
END_TEST

/* The server's state of a comment, by this stamp's device. */
static void change(sl_core *core, int seq, const char *body, const char *device)
{
    char text[600];
    (void)snprintf(text, sizeof text,
                   "{\"t\":\"change\",\"space\":\"" VIDEO "\",\"seq\":%d,\"record\":{\"entity\":"
                   "\"comment\",\"id\":\"" NOTE "\",\"space\":\"" VIDEO
                   "\",\"seq\":%d,\"fields\":{\"body\":\"%s\"},\"clocks\":{\"*\":"
                   "\"000000000000000500000002\",\"body\":\"ffff000000000000%s\"}}}",
                   seq, seq, body, device);
    frame(core, text);
}

START_TEST(undo__leaves_what_another_device_has_changed_since)
{
    sl_core *core = online(true);
    sl_bytes *out = NULL;
    const char *text = NULL;
    apply(core, "[" CREATE(NOTE, "mine") "]");
    frame(core, "{\"t\":\"receipt\",\"n\":1,\"result\":\"applied\",\"seq\":1}");
    change(core, 1, "theirs", "00000002");
    ck_assert_int_eq(sl_undo(core, VIDEO, &out, NULL), SL_OK);
    text = text_of(out);
    has(text, "\"changed\":0");
    has(text, "\"why\":\"somebody has changed it since\"");
    has(query(core, COMMENT), "theirs");
    apply(core, "[" PATCH(NOTE, "again") "]");
    frame(core, "{\"t\":\"receipt\",\"n\":2,\"result\":\"merged\",\"seq\":2}");
    change(core, 2, "theirs too", "00000002");
    ck_assert_int_eq(sl_undo(core, VIDEO, &out, NULL), SL_OK);
    has(text_of(out), "\"field\":\"body\",\"why\":\"somebody has changed it since\"");
    has(query(core, COMMENT), "theirs too");
    sl_core_close(core);
}
END_TEST

static const char *status(sl_core *core)
{
    sl_bytes *out = NULL;
    ck_assert_int_eq(sl_core_info(core, "status", &out, NULL), SL_OK);
    return text_of(out);
}

#define OF_VIDEO(state) "{\"space\":\"" VIDEO "\",\"state\":\"" state "\""

START_TEST(status__of_a_space_goes_from_behind_over_waiting_to_up_to_date)
{
    sl_core *core = signed_in();
    has(status(core), "{\"state\":\"connecting\",");
    sl_host_ws_closed(core, g_ws, 1006);
    (void)sl_core_step(core);
    has(status(core), "\"reason\":\"unreachable\",\"retry_ms\":");
    has(status(core), "\"state\":\"blocked\"");
    has(status(core), "\"as_of\":0");
    sl_core_close(core);
    core = online(true);
    has(status(core), OF_VIDEO("up_to_date"));
    apply(core, "[" CREATE(NOTE, "mine") "," CREATE(MARK, "more") "]");
    has(status(core), "\"waiting\":2,\"sending\":2");
    has(status(core), OF_VIDEO("waiting") ",\"cursor\":0,\"waiting\":2,\"rejected\":0");
    frame(core, "{\"t\":\"receipt\",\"n\":1,\"result\":\"applied\",\"seq\":1}");
    has(status(core), OF_VIDEO("waiting") ",\"cursor\":0,\"waiting\":1");
    reject(core, 2, "SL_E_DENIED", "");
    has(status(core), OF_VIDEO("up_to_date") ",\"cursor\":0,\"waiting\":0,\"rejected\":1");
    ck_assert_int_eq(
        sl_blob_put(core, VIDEO, (const uint8_t *)"hello", 5, "text/plain", NULL, NULL), SL_OK);
    has(status(core), "\"uploads\":1,\"upload_bytes\":5,\"as_of\":");
    ck_assert_int_eq(sl_sync_control(core, SL_SYNC_STOP, NULL), SL_OK);
    has(status(core), "\"reason\":\"stopped\"");
    ck_assert_int_eq(sl_session_logout(core, NULL), SL_OK);
    has(status(core), "\"reason\":\"signed_out\"");
    sl_core_close(core);
}
END_TEST

START_TEST(status__knows_after_a_restart_what_waits_and_when_it_was_at_the_head)
{
    sl_core *core = online(true);
    apply(core, "[" CREATE(NOTE, "mine") "]");
    static const char bad[] = "[" CREATE(MARK, "more") "," CREATE(MARK, "again") "]";
    has(status(core), "\"waiting\":1,");
    ck_assert_int_eq(sl_apply(core, bad, strlen(bad), NULL, NULL), SL_E_CONFLICT);
    has(status(core), "\"waiting\":1,");
    sl_core_close(core);
    core = open_core(true);
    has(status(core), "\"waiting\":1,");
    has_not(status(core), "\"as_of\":0");
    sl_core_close(core);
}
END_TEST

START_TEST(status__tells_of_changes_at_most_four_times_a_second_and_only_once_asked)
{
    g_now_ms = 1000000;
    sl_core *core = online(true);
    apply(core, "[" CREATE(NOTE, "mine") "]");
    has_not(events(core), "\"status\"");
    (void)status(core);
    (void)sl_core_step(core);
    has_not(events(core), "\"status\"");
    g_now_ms += 250;
    apply(core, "[" CREATE(MARK, "more") "]");
    ck_assert_str_eq(events(core), "[{\"ev\":\"status\"}]");
    frame(core, "{\"t\":\"receipt\",\"n\":1,\"result\":\"applied\",\"seq\":1}");
    has_not(events(core), "\"status\"");
    ck_assert_int_le(sl_core_step(core), 250);
    g_now_ms += 249;
    (void)sl_core_step(core);
    has_not(events(core), "\"status\"");
    g_now_ms += 1;
    (void)sl_core_step(core);
    ck_assert_str_eq(events(core), "[{\"ev\":\"status\"}]");
    g_now_ms += 1000;
    (void)sl_core_step(core);
    ck_assert_str_eq(events(core), "");
    sl_core_close(core);
}
END_TEST

START_TEST(wait__tells_the_stages_of_a_record_and_ends_when_everybody_has_it)
{
    sl_core *core = open_core(true);
    sl_id op = 0;
    static const char one[] = "[" CREATE(NOTE, "mine") "]";
    ck_assert_int_eq(sl_sync_wait(core, "hologram", NOTE, &op, NULL), SL_E_INVALID);
    ck_assert_int_eq(sl_sync_wait(core, "comment", NOTE, &op, NULL), SL_OK);
    (void)sl_core_step(core);
    has(events(core), "\"ok\":true"); /* nothing waits */
    sl_core_close(core);
    core = online(true);
    ck_assert_int_eq(sl_apply(core, one, strlen(one), NULL, NULL), SL_OK);
    ck_assert_int_eq(sl_sync_wait(core, "comment", NOTE, &op, NULL), SL_OK);
    (void)sl_core_step(core);
    has(events(core), "\"stage\":\"sent\"");
    apply(core, "[" PATCH(NOTE, "more") "]"); /* comes later: not waited for */
    ck_assert_str_eq(events(core), "");
    frame(core, "{\"t\":\"receipt\",\"n\":1,\"result\":\"applied\",\"seq\":1}");
    has(events(core), "\"stage\":\"accepted\"");
    change(core, 1, "mine", "00000002");
    has(events(core), "\"ev\":\"op\"");
    ck_assert_int_eq(sl_sync_wait(core, "comment", NOTE, &op, NULL), SL_OK);
    (void)sl_core_step(core);
    has(events(core), "\"stage\":\"sent\"");
    reject(core, 2, "SL_E_CONFLICT", "");
    has(events(core), "\"ok\":false,\"code\":-16,\"name\":\"SL_E_CONFLICT\",\"message\":\"no\"");
    apply(core, "[" PATCH(NOTE, "again") "]");
    ck_assert_int_eq(sl_sync_wait(core, "comment", NOTE, &op, NULL), SL_OK);
    ck_assert_int_eq(sl_op_cancel(core, op), SL_OK);
    (void)sl_core_step(core);
    has(events(core), "\"code\":-9");
    ck_assert_int_eq(sl_sync_wait(core, "comment", NOTE, &op, NULL), SL_OK);
    sl_core_close(core); /* what waits goes with the core */
}
END_TEST

START_TEST(focus__asks_for_the_space_on_the_screen_first)
{
    sl_core *core = online(true);
    ck_assert_int_eq(sl_sync_focus(core, "nothing", NULL), SL_E_MISUSE);
    sl_host_ws_closed(core, g_ws, 1000);
    (void)sl_core_step(core);
    ck_assert_int_eq(sl_sync_focus(core, VIDEO, NULL), SL_OK);
    ck_assert_int_eq(sl_sync_control(core, SL_SYNC_START, NULL), SL_OK);
    (void)sl_core_step(core);
    sl_host_ws_opened(core, g_ws);
    (void)sl_core_step(core);
    g_sent[0] = 0;
    frame(core, "{\"t\":\"connected\",\"user\":\"" ANN "\",\"now\":5}");
    const char *video = strstr(g_sent, "\"space\":\"" VIDEO);
    const char *own = strstr(g_sent, "\"space\":\"" OWN);
    ck_assert_ptr_nonnull(video);
    ck_assert_ptr_nonnull(own);
    ck_assert_msg(video < own, "%s", g_sent);
    sl_core_close(core);
}
END_TEST

/* --- transfers ----------------------------------------------------------------------------- */

static const char *transfers(sl_core *core)
{
    sl_bytes *out = NULL;
    ck_assert_int_eq(sl_core_info(core, "transfers", &out, NULL), SL_OK);
    return text_of(out);
}

static void put_hello(sl_core *core)
{
    ck_assert_int_eq(
        sl_blob_put(core, VIDEO, (const uint8_t *)"hello", 5, "text/plain", NULL, NULL), SL_OK);
    (void)sl_core_step(core);
}

static void head(sl_core *core, int32_t code, const char *headers)
{
    sl_host_http_head(core, g_request, code, headers);
    sl_host_http_done(core, g_request, SL_OK);
    (void)sl_core_step(core);
}

START_TEST(network__large_uploads_wait_on_a_metered_one_unless_resumed)
{
    sl_core *core = online(true);
    sl_id op = 0;
    ck_assert_int_eq(sl_sync_network(core, 2, 0, NULL), SL_E_MISUSE);
    ck_assert_int_eq(sl_sync_network(core, SL_NETWORK_METERED, -1, NULL), SL_E_MISUSE);
    ck_assert_int_eq(sl_sync_network(core, SL_NETWORK_METERED, 4, NULL), SL_OK);
    g_url[0] = 0;
    put_hello(core);
    ck_assert_str_eq(g_url, "");
    has(transfers(core), "\"done\":0,\"total\":5,\"state\":\"metered\"");
    ck_assert_int_eq(sl_sync_settle(core, &op, NULL), SL_OK);
    (void)sl_core_step(core);
    has(events(core), "\"ok\":true");
    ck_assert_int_eq(sl_sync_network(core, SL_NETWORK_METERED, 5, NULL), SL_OK);
    (void)sl_core_step(core);
    ck_assert_str_eq(g_url, "POST http://server.example/api/v1/uploads");
    ck_assert_int_eq(sl_sync_network(core, SL_NETWORK_METERED, 4, NULL), SL_OK);
    (void)sl_core_step(core);
    ck_assert_uint_eq(g_cancelled, g_request);
    sl_host_http_done(core, g_request, SL_E_CANCELLED);
    (void)sl_core_step(core);
    g_url[0] = 0;
    ck_assert_int_eq(sl_transfer_control(core, HEX, SL_TRANSFER_RESUME, NULL), SL_OK);
    (void)sl_core_step(core);
    ck_assert_str_eq(g_url, "POST http://server.example/api/v1/uploads");
    head(core, 201, "Location: /api/v1/uploads/1\r\n");
    head(core, 200, "Upload-Offset: 0\r\n");
    head(core, 204, "Upload-Offset: 5\r\n");
    has(events(core), "\"download\":false,\"done\":5,\"total\":5,\"ev\":\"transfer\"");
    ck_assert_str_eq(transfers(core), "[]");
    sl_core_close(core);
}
END_TEST

START_TEST(transfer__is_paused_resumed_and_cancelled)
{
    sl_core *core = online(true);
    ck_assert_int_eq(sl_transfer_control(core, HEX, SL_TRANSFER_PAUSE, NULL), SL_E_NOT_FOUND);
    ck_assert_int_eq(sl_transfer_control(core, "x", SL_TRANSFER_PAUSE, NULL), SL_E_INVALID);
    ck_assert_int_eq(sl_transfer_control(core, HEX, 4, NULL), SL_E_MISUSE);
    put_hello(core);
    has(transfers(core), "\"state\":\"running\"");
    ck_assert_int_eq(sl_transfer_control(core, HEX, SL_TRANSFER_PAUSE, NULL), SL_OK);
    (void)sl_core_step(core);
    ck_assert_uint_eq(g_cancelled, g_request);
    sl_host_http_done(core, g_request, SL_E_CANCELLED);
    has(transfers(core), "\"state\":\"paused\"");
    ck_assert_int_eq(sl_transfer_control(core, HEX, SL_TRANSFER_CANCEL, NULL), SL_OK);
    (void)sl_core_step(core);
    ck_assert_str_eq(transfers(core), "[]");
    sl_bytes *bytes = NULL;
    ck_assert_int_eq(sl_blob_get(core, HEX, &bytes, NULL), SL_OK);
    ck_assert_str_eq(text_of(bytes), "hello");
    sl_core_close(core);
}
END_TEST

#define ETAG "ETag: \"" HEX "\"\r\n"

static void data(sl_core *core, const char *text)
{
    sl_host_http_data(core, g_request, (const uint8_t *)text, strlen(text));
    (void)sl_core_step(core);
}

START_TEST(transfer__a_download_goes_on_where_it_stopped)
{
    g_now_ms = 1000000;
    sl_core *core = online(true);
    sl_id op = 0;
    ck_assert_str_eq(transfers(core), "[]");
    ck_assert_int_eq(sl_blob_fetch(core, HEX, &op, NULL), SL_OK);
    (void)sl_core_step(core);
    sl_host_http_head(core, g_request, 200, "Content-Length: 5\r\n" ETAG);
    data(core, "h");
    has(events(core), "\"download\":true,\"done\":1,\"total\":5,\"ev\":\"transfer\"");
    data(core, "e");
    ck_assert_str_eq(events(core), ""); /* ten times a second at most */
    g_now_ms += 100;
    (void)sl_core_step(core);
    has(events(core), "\"done\":2");
    ck_assert_int_eq(sl_sync_network(core, SL_NETWORK_METERED, 4, NULL), SL_OK);
    (void)sl_core_step(core);
    ck_assert_uint_eq(g_cancelled, g_request);
    data(core, "late");
    sl_host_http_done(core, g_request, SL_E_CANCELLED);
    (void)sl_core_step(core);
    has(transfers(core), "\"done\":2,\"total\":5,\"state\":\"metered\"");
    sl_id before = g_request;
    ck_assert_int_eq(sl_sync_network(core, SL_NETWORK_FREE, 0, NULL), SL_OK);
    (void)sl_core_step(core);
    ck_assert_uint_ne(g_request, before);
    sl_host_http_head(core, g_request, 206, "Content-Length: 3\r\n" ETAG);
    data(core, "llo");
    sl_host_http_done(core, g_request, SL_OK);
    (void)sl_core_step(core);
    has(events(core), "\"ok\":true");
    ck_assert_str_eq(transfers(core), "[]");
    sl_core_close(core);
}
END_TEST

START_TEST(transfer__a_cancelled_fetch_ends_so)
{
    sl_core *core = online(true);
    sl_id op = 0;
    ck_assert_int_eq(sl_blob_fetch(core, HEX, &op, NULL), SL_OK);
    (void)sl_core_step(core);
    ck_assert_int_eq(sl_transfer_control(core, HEX, SL_TRANSFER_CANCEL, NULL), SL_OK);
    has(events(core), "\"code\":-9");
    sl_host_http_done(core, g_request, SL_E_CANCELLED);
    (void)sl_core_step(core);
    ck_assert_str_eq(events(core), "");
    sl_core_close(core);
}
END_TEST

SL_TEST_MAIN_WITH("status", host_set_up, host_tear_down,
                  draft__keeps_what_was_refused_and_is_sent_again_edited,
                  draft__says_what_it_needs_and_goes_when_discarded,
                  draft__of_an_id_that_another_record_has_gets_a_new_one,
                  undo__leaves_what_another_device_has_changed_since,
                  status__of_a_space_goes_from_behind_over_waiting_to_up_to_date,
                  status__knows_after_a_restart_what_waits_and_when_it_was_at_the_head,
                  status__tells_of_changes_at_most_four_times_a_second_and_only_once_asked,
                  wait__tells_the_stages_of_a_record_and_ends_when_everybody_has_it,
                  focus__asks_for_the_space_on_the_screen_first,
                  network__large_uploads_wait_on_a_metered_one_unless_resumed,
                  transfer__is_paused_resumed_and_cancelled,
                  transfer__a_download_goes_on_where_it_stopped,
                  transfer__a_cancelled_fetch_ends_so)
