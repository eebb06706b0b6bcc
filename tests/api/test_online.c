/*
 * A core that is online with a server played by the test, which is the host of its transport:
 * what a server and a network at their worst make of operations, uploads and the session.
 */
#include "api/host.h"
#include "base/mem.h"
#include "base/thread.h"
#include "store/store.h"
#include "sync/sum.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OTHER "01890000-0000-7000-8000-0000000000ff"
#define ECHO                                                                                    \
    "{\"entity\":\"comment\",\"id\":\"" NOTE "\",\"space\":\"" VIDEO "\",\"seq\":1,\"fields\":" \
    "{\"body\":\"mine\"},\"clocks\":{}}"

START_TEST(session__an_answer_after_signing_out_does_not_sign_in_again)
{
    sl_core_close(signed_in());
    sl_core *core = open_core(true); /* the access token is not kept */
    ck_assert_int_eq(sl_sync_control(core, SL_SYNC_START, NULL), SL_OK);
    (void)sl_core_step(core);
    ck_assert_str_eq(g_url, "POST http://server.example/api/v1/auth/refresh");
    ck_assert_int_eq(sl_session_logout(core, NULL), SL_OK);
    answer(core, g_request, 200, SESSION);
    ck_assert(!info(core, "session", "ann@example.org"));
    sl_core_close(core);
}
END_TEST

START_TEST(session__a_late_refusal_does_not_end_a_newer_session)
{
    static const char who[] = "{\"email\":\"ann@example.org\",\"password\":\"correct-horse\"}";
    sl_id op = 0;
    sl_core_close(signed_in());
    sl_core *core = open_core(true);
    ck_assert_int_eq(sl_sync_control(core, SL_SYNC_START, NULL), SL_OK);
    (void)sl_core_step(core);
    sl_id refresh = g_request;
    ck_assert_int_eq(sl_session_login(core, who, strlen(who), &op, NULL), SL_OK);
    answer(core, g_request, 200, SESSION);
    answer(core, refresh, 401, "{\"error\":\"unauthorized\"}");
    ck_assert(info(core, "session", "ann@example.org"));
    sl_core_close(core);
}
END_TEST

START_TEST(frame__with_a_broken_record_closes_the_socket)
{
    sl_core *core = online(false);
    frame(core,
          "{\"t\":\"change\",\"space\":\"" OWN "\",\"seq\":1,\"record\":{\"entity\":\"grant\","
          "\"id\":\"" ANN "\",\"space\":\"" OWN "\",\"seq\":1,\"fields\":[1]}}");
    ck_assert_int_eq(g_closed, 1011);
    sl_core_close(core);
}
END_TEST

START_TEST(frame__of_a_later_version_does_not_block_its_space)
{
    sl_core *core = online(true);
    frame(core,
          "{\"t\":\"change\",\"space\":\"" VIDEO "\",\"seq\":1,\"record\":{\"entity\":\"hologram\","
          "\"id\":\"" ANN "\",\"space\":\"" VIDEO "\",\"seq\":1,\"fields\":{}}}");
    frame(core,
          "{\"t\":\"change\",\"space\":\"" VIDEO "\",\"seq\":2,\"record\":{\"entity\":\"video\","
          "\"id\":\"01890000-0000-7000-8000-000000000002\",\"space\":\"" VIDEO "\",\"seq\":2,"
          "\"fields\":{\"status\":\"frozen\",\"title\":\"Jump\"},\"clocks\":{}}}");
    ck_assert_int_eq(g_closed, 0);
    sl_bytes *row = NULL;
    ck_assert_int_eq(
        sl_record_get(core, "video", "01890000-0000-7000-8000-000000000002", &row, NULL), SL_OK);
    ck_assert_ptr_nonnull(strstr((const char *)sl_bytes_data(row), "\"frozen\""));
    sl_bytes_release(row);
    sl_core_close(core);
    sl_store *store = NULL; /* it is remembered that there is more than this version could read */
    char *later = NULL;
    ck_assert_int_eq(sl_store_open(&g_base, g_dir, &store, NULL), SL_OK);
    ck_assert_int_eq(sl_store_meta(store, SL_STORE_LATER, &later, NULL), SL_OK);
    ck_assert_ptr_nonnull(later);
    sl_mem_free(later);
    sl_store_close(store);
}
END_TEST

/* A gap, after which the video is at the head again with this sum. */
static const char *head_again(sl_core *core, uint64_t sum)
{
    char text[300];
    frame(core, "{\"t\":\"change\",\"space\":\"" VIDEO "\",\"seq\":9,\"record\":" ECHO "}");
    (void)events(core);
    g_sent[0] = 0;
    (void)snprintf(text, sizeof text,
                   "{\"t\":\"subscribed\",\"space\":\"" VIDEO "\",\"epoch\":\"" EPOCH
                   "\",\"seq\":1,\"role\":\"owner\",\"sum\":\"%016llx\"}",
                   (unsigned long long)sum);
    frame(core, text);
    return events(core);
}

START_TEST(sum__is_compared_at_the_head_unless_something_was_left_out)
{
    const uint64_t right = sl_sum_of(NOTE, 1);
    sl_core *core = online(true);
    frame(core, "{\"t\":\"change\",\"space\":\"" VIDEO "\",\"seq\":1,\"record\":" ECHO "}");
    ck_assert_ptr_null(strstr(head_again(core, right), "integrity"));
    ck_assert_ptr_null(strstr(g_sent, "subscribe"));
    ck_assert(info(core, "sync", "\"integrity\":0"));
    ck_assert_ptr_nonnull(strstr(head_again(core, right + 1),
                                 "{\"ev\":\"integrity\",\"space\":\"" VIDEO "\",\"healed\":true}"));
    ck_assert_ptr_nonnull(strstr(g_sent, "\"epoch\":\"\",\"from\":0"));
    ck_assert(info(core, "sync", "\"integrity\":1"));
    frame(core, "{\"t\":\"page\",\"space\":\"" VIDEO "\",\"epoch\":\"" EPOCH
                "\",\"from\":0,\"to\":1,\"more\":false,\"records\":[" ECHO "]}");
    ck_assert_ptr_nonnull(strstr(head_again(core, right + 1), "\"healed\":false"));
    ck_assert_ptr_null(strstr(g_sent, "subscribe"));
    ck_assert_ptr_null(strstr(head_again(core, right), "integrity"));
    frame(core,
          "{\"t\":\"change\",\"space\":\"" VIDEO "\",\"seq\":2,\"record\":{\"entity\":\"hologram\","
          "\"id\":\"" ANN "\",\"space\":\"" VIDEO "\",\"seq\":2,\"fields\":{}}}");
    frame(core, "{\"t\":\"reset\",\"space\":\"" VIDEO "\",\"epoch\":\"" EPOCH "\"}");
    frame(core, "{\"t\":\"page\",\"space\":\"" VIDEO "\",\"epoch\":\"" EPOCH
                "\",\"from\":0,\"to\":1,\"more\":false,\"records\":[{\"entity\":\"hologram\","
                "\"id\":\"" ANN "\",\"space\":\"" VIDEO "\",\"seq\":1,\"fields\":{}}]}");
    ck_assert_ptr_null(strstr(head_again(core, right), "integrity"));
    sl_core_close(core);
}
END_TEST

START_TEST(settle__does_not_wait_for_an_upload_whose_space_nobody_makes)
{
    sl_core *core = online(false);
    sl_id op = 0;
    ck_assert_int_eq(
        sl_blob_put(core, VIDEO, (const uint8_t *)"hello", 5, "text/plain", NULL, NULL), SL_OK);
    ck_assert_int_eq(sl_sync_settle(core, &op, NULL), SL_OK);
    (void)sl_core_step(core);
    ck_assert_ptr_nonnull(strstr(events(core), "\"ok\":true"));
    ck_assert(info(core, "sync", "\"uploads\":1"));
    sl_core_close(core);
}
END_TEST

static void write_comment(sl_core *core)
{
    static const char comment[] = "[{\"op\":\"create\",\"entity\":\"comment\",\"space\":\"" VIDEO
                                  "\",\"id\":\"" NOTE "\",\"fields\":{\"body\":\"mine\"}}]";
    ck_assert_int_eq(sl_apply(core, comment, strlen(comment), NULL, NULL), SL_OK);
    (void)sl_core_step(core);
}

/* The socket ends and the next one greets. */
static void reconnect(sl_core *core)
{
    sl_host_ws_closed(core, g_ws, 1000);
    (void)sl_core_step(core);
    ck_assert_int_eq(sl_sync_control(core, SL_SYNC_START, NULL), SL_OK);
    (void)sl_core_step(core);
    sl_host_ws_opened(core, g_ws);
    (void)sl_core_step(core);
    frame(core, "{\"t\":\"connected\",\"user\":\"" ANN "\",\"now\":5}");
}

/* The server is at 1 of the user's space and, of another epoch, at 1 of the video's. */
static void restored(sl_core *core, const char *space)
{
    sl_id op = 0;
    ck_assert_ptr_nonnull(strstr(g_sent, "\"floor\":1"));
    ck_assert_ptr_nonnull(strstr(g_sent, "\"n\":1"));
    ck_assert_ptr_nonnull(strstr(g_sent, space));
    frame(core, "{\"t\":\"subscribed\",\"space\":\"" OWN "\",\"epoch\":\"" EPOCH
                "\",\"seq\":1,\"role\":\"owner\"}");
    frame(core, "{\"t\":\"page\",\"space\":\"" VIDEO "\",\"epoch\":\"" OTHER
                "\",\"from\":0,\"to\":1,\"more\":false,\"records\":[" ECHO "]}");
    frame(core, "{\"t\":\"subscribed\",\"space\":\"" VIDEO "\",\"epoch\":\"" OTHER
                "\",\"seq\":1,\"role\":\"owner\"}");
    frame(core, "{\"t\":\"receipt\",\"n\":1,\"result\":\"applied\",\"seq\":1}");
    (void)events(core);
    ck_assert_int_eq(sl_sync_settle(core, &op, NULL), SL_OK);
    (void)sl_core_step(core);
    ck_assert_ptr_nonnull(strstr(events(core), "\"ok\":true"));
}

START_TEST(reset__sends_again_what_was_accepted_and_has_not_come_back)
{
    sl_core *core = online(true);
    write_comment(core);
    frame(core, "{\"t\":\"receipt\",\"n\":1,\"result\":\"applied\",\"seq\":7}");
    ck_assert_int_eq(g_closed, 0);
    frame(core, "{\"t\":\"reset\",\"space\":\"" VIDEO "\",\"epoch\":\"" OTHER "\"}");
    ck_assert_int_eq(g_closed, 1000);
    g_sent[0] = 0;
    reconnect(core);
    restored(core, "\"epoch\":\"\"");
    sl_core_close(core);
}
END_TEST

START_TEST(page__of_another_epoch_sends_again_what_was_accepted)
{
    sl_core *core = online(true);
    write_comment(core);
    frame(core, "{\"t\":\"receipt\",\"n\":1,\"result\":\"applied\",\"seq\":7}");
    reconnect(core);
    ck_assert_msg(strstr(g_sent, "\"floor\":2") == NULL, "it may have to be sent again");
    frame(core, "{\"t\":\"subscribed\",\"space\":\"" VIDEO "\",\"epoch\":\"" OTHER
                "\",\"seq\":0,\"role\":\"owner\"}");
    ck_assert_int_eq(g_closed, 1000);
    g_sent[0] = 0;
    reconnect(core);
    restored(core, OTHER);
    sl_core_close(core);
}
END_TEST

static bool shows(sl_core *core, const char *part)
{
    sl_bytes *row = NULL;
    sl_status status = sl_record_get(core, "comment", NOTE, &row, NULL);
    bool found = status == SL_OK && strstr((const char *)sl_bytes_data(row), part) != NULL;
    sl_bytes_release(row);
    return found;
}

/* The page covers the operation's number, its record comes with the next one. */
START_TEST(own_edit__stays_visible_while_pages_come)
{
    sl_core *core = online(true);
    write_comment(core);
    frame(core, "{\"t\":\"receipt\",\"n\":1,\"result\":\"applied\",\"seq\":1}");
    reconnect(core);
    frame(core, "{\"t\":\"page\",\"space\":\"" VIDEO "\",\"epoch\":\"" EPOCH
                "\",\"from\":0,\"to\":2,\"more\":true,\"records\":[]}");
    ck_assert(shows(core, "\"mine\""));
    frame(
        core,
        "{\"t\":\"page\",\"space\":\"" VIDEO "\",\"epoch\":\"" EPOCH
        "\",\"from\":2,\"to\":3,\"more\":false,\"records\":[{\"entity\":\"comment\",\"id\":\"" NOTE
        "\",\"space\":\"" VIDEO "\",\"seq\":3,\"fields\":{\"body\":\"edited\"},\"clocks\":{}}]}");
    ck_assert(shows(core, "\"edited\""));
    ck_assert_msg(shows(core, "\"pending\":false"), "the record itself came");
    sl_core_close(core);
}
END_TEST

START_TEST(own_edit__is_over_at_the_head_without_its_record)
{
    sl_core *core = online(true);
    write_comment(core);
    frame(core, "{\"t\":\"receipt\",\"n\":1,\"result\":\"applied\",\"seq\":1}");
    reconnect(core);
    frame(core, "{\"t\":\"page\",\"space\":\"" VIDEO "\",\"epoch\":\"" EPOCH
                "\",\"from\":0,\"to\":2,\"more\":false,\"records\":[]}");
    ck_assert(info(core, "sync", "\"outbox\":1"));
    frame(core, "{\"t\":\"subscribed\",\"space\":\"" VIDEO "\",\"epoch\":\"" EPOCH
                "\",\"seq\":2,\"role\":\"owner\"}");
    ck_assert(info(core, "sync", "\"outbox\":0"));
    ck_assert(!shows(core, "mine"));
    sl_core_close(core);
}
END_TEST

START_TEST(upload__given_up_is_told_and_keeps_its_bytes)
{
    sl_core *core = online(true);
    sl_bytes *bytes = NULL;
    ck_assert_int_eq(
        sl_blob_put(core, VIDEO, (const uint8_t *)"hello", 5, "text/plain", NULL, NULL), SL_OK);
    (void)sl_core_step(core);
    answer(core, g_request, 413, "{}");
    const char *told = events(core);
    ck_assert_ptr_nonnull(
        strstr(told, "\"upload_failed\",\"sha256\":\"" HEX "\",\"space\":\"" VIDEO));
    ck_assert_ptr_nonnull(strstr(told, "\"SL_E_LIMIT\""));
    ck_assert(info(core, "sync", "\"uploads\":0"));
    ck_assert_int_eq(sl_blob_get(core, HEX, &bytes, NULL), SL_OK);
    sl_bytes_release(bytes);
    sl_core_close(core);
}
END_TEST

START_TEST(fetch__of_a_part_that_is_whole_asks_for_no_byte_again)
{
    char path[200];
    sl_id op = 0;
    sl_core *core = online(false);
    (void)snprintf(path, sizeof path, "%s/tmp/" HEX ".part", g_dir);
    FILE *part = fopen(path, "wb");
    ck_assert_ptr_nonnull(part);
    ck_assert_uint_eq(fwrite("hello", 1, 5, part), 5);
    ck_assert_int_eq(fclose(part), 0);
    ck_assert_int_eq(sl_blob_fetch(core, HEX, &op, NULL), SL_OK);
    (void)sl_core_step(core);
    sl_id request = g_request;
    answer(core, request, 416, "");
    ck_assert_ptr_nonnull(strstr(events(core), "\"ok\":true"));
    ck_assert_uint_eq(g_request, request);
    sl_core_close(core);
}
END_TEST

START_TEST(progress__is_told_ten_times_a_second_at_most)
{
    sl_core *core = online(true);
    sl_id op = 0;
    g_now_ms = 1000000000;
    ck_assert_int_eq(
        sl_blob_put(core, VIDEO, (const uint8_t *)"hello", 5, "text/plain", NULL, NULL), SL_OK);
    ck_assert_int_eq(sl_sync_settle(core, &op, NULL), SL_OK);
    int told = 0;
    for (int i = 0; i < 20; i++) {
        g_now_ms += 10;
        (void)sl_core_step(core);
        told += strstr(events(core), "\"progress\"") != NULL;
    }
    ck_assert_int_eq(told, 2);
    sl_core_close(core);
}
END_TEST

START_TEST(news__that_finds_no_memory_ends_what_it_was_about)
{
    static const char who[] = "{\"email\":\"ann@example.org\",\"password\":\"correct-horse\"}";
    static const char typing[] = "{\"t\":\"typing\"}";
    sl_core *core = online(false);
    sl_id op = 0;
    ck_assert_int_eq(sl_session_login(core, who, strlen(who), &op, NULL), SL_OK);
    sl_mem_fail_at(1, true);
    sl_host_http_head(core, g_request, 200, "");
    sl_host_http_data(core, g_request, (const uint8_t *)SESSION, strlen(SESSION));
    sl_host_http_done(core, g_request, SL_OK);
    sl_host_ws_message(core, g_ws, SL_WS_TEXT, (const uint8_t *)typing, strlen(typing));
    sl_mem_fail_at(0, false);
    (void)sl_core_step(core);
    ck_assert_ptr_nonnull(strstr(events(core), "\"SL_E_NOMEM\""));
    ck_assert_msg(g_closed == 1011, "a frame is missing");
    sl_mem_fail_at(1, true);
    sl_host_ws_closed(core, g_ws, 1011);
    sl_mem_fail_at(0, false);
    (void)sl_core_step(core);
    ck_assert_ptr_nonnull(strstr(events(core), "\"connecting\""));
    sl_core_close(core);
}
END_TEST

START_TEST(login__answered_after_signing_out_ends_cancelled)
{
    static const char who[] = "{\"email\":\"ann@example.org\",\"password\":\"correct-horse\"}";
    sl_core *core = online(false);
    sl_id op = 0;
    ck_assert_int_eq(sl_session_login(core, who, strlen(who), &op, NULL), SL_OK);
    sl_id first = g_request;
    ck_assert_int_eq(sl_session_login(core, who, strlen(who), &op, NULL), SL_OK);
    answer(core, g_request, 200, SESSION);
    ck_assert_ptr_nonnull(strstr(events(core), "\"ok\":true"));
    answer(core, first, 200, SESSION);
    ck_assert_ptr_nonnull(strstr(events(core), "\"SL_E_CANCELLED\""));
    ck_assert(info(core, "session", "ann@example.org"));
    ck_assert_int_eq(sl_session_login(core, who, strlen(who), &op, NULL), SL_OK);
    ck_assert_int_eq(sl_session_logout(core, NULL), SL_OK);
    answer(core, g_request, 200, SESSION);
    ck_assert_ptr_nonnull(strstr(events(core), "\"SL_E_CANCELLED\""));
    ck_assert(!info(core, "session", "ann@example.org"));
    ck_assert_int_eq(sl_session_login(core, who, strlen(who), &op, NULL), SL_OK);
    answer(core, g_request, 200, SESSION);
    ck_assert(info(core, "session", "ann@example.org"));
    sl_core_close(core);
}
END_TEST

START_TEST(login__that_fails_leaves_who_was_signed_in)
{
    static const char who[] = "{\"email\":\"ann@example.org\",\"password\":\"correct-horse\"}";
    sl_core *core = online(false);
    sl_id op = 0;
    ck_assert_int_eq(sl_session_login(core, who, strlen(who), &op, NULL), SL_OK);
    g_full = true;
    answer(core, g_request, 200, SESSION);
    g_full = false;
    ck_assert_ptr_nonnull(strstr(events(core), "\"ok\":false"));
    ck_assert(info(core, "session", "ann@example.org"));
    sl_core_close(core);
}
END_TEST

START_TEST(session__that_is_damaged_opens_signed_out_with_all_data)
{
    sl_core *core = online(true);
    write_comment(core);
    sl_core_close(core);
    sl_store *store = NULL;
    ck_assert_int_eq(sl_store_open(&g_base, g_dir, &store, NULL), SL_OK);
    ck_assert_int_eq(sl_store_set_meta(store, "session", "{\"id\":7", NULL), SL_OK);
    sl_store_close(store);
    core = open_core(true);
    ck_assert_ptr_nonnull(strstr(events(core), "\"signed_out\""));
    ck_assert(!info(core, "session", "ann@example.org"));
    ck_assert(shows(core, "\"mine\""));
    sl_core_close(core);
}
END_TEST

START_TEST(settle__needs_a_transport)
{
    sl_core_close(signed_in());
    sl_core *core = open_core(false);
    sl_id op = 0;
    ck_assert_int_eq(sl_sync_settle(core, &op, NULL), SL_E_UNSUPPORTED);
    sl_core_close(core);
}
END_TEST

START_TEST(revoked__ends_the_uploads_and_tells_what_waited)
{
    sl_core *core = online(true);
    static const char comment[] = "[{\"op\":\"create\",\"entity\":\"comment\",\"space\":\"" VIDEO
                                  "\",\"fields\":{\"body\":\"unsent\"}}]";
    ck_assert_int_eq(
        sl_blob_put(core, VIDEO, (const uint8_t *)"hello", 5, "text/plain", NULL, NULL), SL_OK);
    ck_assert_int_eq(sl_apply(core, comment, strlen(comment), NULL, NULL), SL_OK);
    (void)sl_core_step(core);
    ck_assert_str_eq(g_url, "POST http://server.example/api/v1/uploads");
    sl_id request = g_request;
    frame(core, "{\"t\":\"revoked\",\"space\":\"" VIDEO "\"}");
    ck_assert_uint_eq(g_cancelled, request);
    const char *told = events(core);
    ck_assert_ptr_nonnull(strstr(told, "\"rejected\""));
    ck_assert_ptr_nonnull(strstr(told, "unsent"));
    answer(core, request, 404, "{}");
    ck_assert_msg(g_request == request, "nothing is asked for it again");
    ck_assert(info(core, "sync", "\"uploads\":0"));
    sl_core_close(core);
}
END_TEST

START_TEST(fetch__onto_a_full_disk_ends_once)
{
    sl_core *core = online(false);
    sl_id op = 0;
    ck_assert_int_eq(sl_blob_fetch(core, HEX, &op, NULL), SL_OK);
    (void)sl_core_step(core);
    ck_assert_str_eq(g_url, "GET http://server.example/api/v1/blobs/" HEX);
    g_full = true;
    sl_host_http_head(core, g_request, 200, "ETag: \"" HEX "\"\r\n");
    sl_host_http_data(core, g_request, (const uint8_t *)"hel", 3);
    (void)sl_core_step(core);
    g_full = false;
    ck_assert_uint_eq(g_cancelled, g_request);
    ck_assert_ptr_nonnull(strstr(events(core), "\"SL_E_FULL\""));
    sl_host_http_data(core, g_request, (const uint8_t *)"lo", 2);
    sl_host_http_done(core, g_request, SL_E_CANCELLED);
    (void)sl_core_step(core);
    ck_assert_str_eq(events(core), "");
    sl_core_close(core);
}
END_TEST

/* A page of the video, not looked at yet: comments with the numbers from + 1 to `to`, of ids made of
 * them. */
static void page_comes(sl_core *core, int from, int to, bool more)
{
    enum {
        RECORD = 260
    };
    size_t room = RECORD * (size_t)(to - from) + 300;
    char *text = sl_mem(room);
    ck_assert_ptr_nonnull(text);
    int n = snprintf(text, room,
                     "{\"t\":\"page\",\"space\":\"" VIDEO "\",\"epoch\":\"" EPOCH
                     "\",\"from\":%d,\"to\":%d,\"more\":%s,\"records\":[",
                     from, to, more ? "true" : "false");
    for (int i = from + 1; i <= to; i++) {
        n += snprintf(text + n, room - (size_t)n,
                      "%s{\"entity\":\"comment\",\"id\":\"01890000-0000-7000-8000-%012d\","
                      "\"space\":\"" VIDEO "\",\"seq\":%d,\"fields\":{\"body\":\"%d\"},"
                      "\"clocks\":{}}",
                      i == from + 1 ? "" : ",", i, i, i);
    }
    (void)snprintf(text + n, room - (size_t)n, "]}");
    sl_host_ws_message(core, g_ws, SL_WS_TEXT, (const uint8_t *)text, strlen(text));
    sl_mem_free(text);
}

static void page_of(sl_core *core, int from, int to, bool more)
{
    page_comes(core, from, to, more);
    (void)sl_core_step(core);
}

typedef struct writer {
    sl_core *core;
    atomic_bool stop;
    int written;
} writer;

static void write_on(void *arg)
{
    static const char op[] = "[{\"op\":\"create\",\"entity\":\"goal\",\"space\":\"" OWN
                             "\",\"fields\":{\"title\":\"run\"}}]";
    writer *w = arg;
    do {
        w->written += sl_apply(w->core, op, sizeof op - 1, NULL, NULL) == SL_OK;
    } while (!atomic_load(&w->stop) && w->written < 500);
}

static size_t count_of(sl_core *core, const char *query, const char *part)
{
    sl_bytes *rows = NULL;
    size_t n = 0;
    ck_assert_int_eq(sl_query_once(core, query, strlen(query), &rows, NULL), SL_OK);
    for (const char *p = (const char *)sl_bytes_data(rows); (p = strstr(p, part)) != NULL; p++) {
        n++;
    }
    sl_bytes_release(rows);
    return n;
}

/* Who waits is let in between the records of a page: whenever that is, nothing is lost or comes twice. */
START_TEST(page__is_whole_when_others_write_meanwhile)
{
    static const char comments[] = "{\"from\":\"comment\",\"limit\":10000}";
    static const char goals[] = "{\"from\":\"goal\",\"limit\":10000}";
    sl_core *core = online(true);
    writer w = {.core = core};
    reconnect(core);
    sl_thread *thread = sl_thread_start(write_on, &w);
    ck_assert_ptr_nonnull(thread);
    for (int at = 0; at < 1000; at += 200) {
        page_of(core, at, at + 200, at < 800);
    }
    atomic_store(&w.stop, true);
    sl_thread_join(thread);
    ck_assert_int_eq(g_closed, 0);
    frame(core, "{\"t\":\"subscribed\",\"space\":\"" VIDEO "\",\"epoch\":\"" EPOCH
                "\",\"seq\":1000,\"role\":\"owner\"}");
    ck_assert_uint_eq(count_of(core, comments, "\"body\""), 1000);
    ck_assert_int_gt(w.written, 0);
    ck_assert_uint_eq(count_of(core, goals, "\"title\""), (size_t)w.written);
    frame(core, "{\"t\":\"change\",\"space\":\"" VIDEO
                "\",\"seq\":1001,\"record\":{\"entity\":\"comment\",\"id\":\"" NOTE
                "\",\"space\":\"" VIDEO "\",\"seq\":1001,\"fields\":{\"body\":\"the next\"},"
                "\"clocks\":{}}}");
    ck_assert(shows(core, "the next")); /* the cursor stands where the pages ended */
    sl_core_close(core);
}
END_TEST

static const char COMMENTS[] = "{\"from\":\"comment\",\"limit\":10000}";
static const char HEAD_100[] = "{\"t\":\"subscribed\",\"space\":\"" VIDEO "\",\"epoch\":\"" EPOCH
                               "\",\"seq\":100,\"role\":\"owner\"}";
static const char CHANGE_101[] =
    "{\"t\":\"change\",\"space\":\"" VIDEO
    "\",\"seq\":101,\"record\":{\"entity\":\"comment\",\"id\":\"" NOTE "\",\"space\":\"" VIDEO
    "\",\"seq\":101,\"fields\":{\"body\":\"the next\"},\"clocks\":{}}}";
static const char FROM_0[] = "\"space\":\"" VIDEO "\",\"epoch\":\"\",\"from\":0";

/* Pages that come together are stored by one transaction. What it takes with it comes again, from where
 * the space was before the first of them; and nobody is told of what is not there. */
START_TEST(pages__that_came_together_are_lost_together_and_asked_for_again)
{
    sl_core *core = online(true);
    sl_id sub = 0;
    ck_assert_int_eq(sl_query_watch(core, COMMENTS, strlen(COMMENTS), &sub, NULL), SL_OK);
    reconnect(core);
    (void)events(core);
    g_full = true;
    page_comes(core, 0, 50, true);
    page_comes(core, 50, 100, false);
    (void)sl_core_step(core);
    g_full = false;
    ck_assert_int_eq(g_closed, 1011);
    ck_assert_uint_eq(count_of(core, COMMENTS, "\"body\""), 0);
    ck_assert_ptr_null(strstr(events(core), "\"rows\""));
    g_closed = 0;
    g_sent[0] = 0;
    reconnect(core);
    ck_assert_msg(strstr(g_sent, FROM_0) != NULL, "%s", g_sent);
    page_comes(core, 0, 50, true);
    page_comes(core, 50, 100, false);
    (void)sl_core_step(core);
    ck_assert_int_eq(g_closed, 0);
    ck_assert_uint_eq(count_of(core, COMMENTS, "\"body\""), 100);
    ck_assert_ptr_nonnull(strstr(events(core), "\"rows\""));
    sl_core_close(core);
}
END_TEST

static void bad_page_comes(sl_core *core)
{
    static const char text[] =
        "{\"t\":\"page\",\"space\":\"" VIDEO "\",\"epoch\":\"" EPOCH
        "\",\"from\":50,\"to\":51,\"more\":false,\"records\":[{\"entity\":"
        "\"comment\",\"id\":\"" NOTE "\",\"space\":\"" VIDEO "\",\"seq\":51,\"fields\":[1]}]}";
    sl_host_ws_message(core, g_ws, SL_WS_TEXT, (const uint8_t *)text, sizeof text - 1);
}

START_TEST(page__that_makes_no_sense_keeps_those_before_it_out_once_only)
{
    sl_core *core = online(true);
    reconnect(core);
    page_comes(core, 0, 50, true);
    bad_page_comes(core);
    (void)sl_core_step(core);
    ck_assert_int_eq(g_closed, 1011);
    ck_assert_uint_eq(count_of(core, COMMENTS, "\"body\""), 0);
    g_closed = 0;
    g_sent[0] = 0;
    reconnect(core);
    ck_assert_msg(strstr(g_sent, FROM_0) != NULL, "%s", g_sent);
    page_comes(core, 0, 50, true);
    bad_page_comes(core);
    (void)sl_core_step(core);
    ck_assert_int_eq(g_closed, 1011);
    ck_assert_uint_eq(count_of(core, COMMENTS, "\"body\""), 50);
    sl_core_close(core);
}
END_TEST

START_TEST(change__after_pages_that_came_with_it_is_stored_behind_them)
{
    sl_core *core = online(true);
    reconnect(core);
    page_comes(core, 0, 50, true);
    page_comes(core, 50, 100, false);
    sl_host_ws_message(core, g_ws, SL_WS_TEXT, (const uint8_t *)HEAD_100, sizeof HEAD_100 - 1);
    sl_host_ws_message(core, g_ws, SL_WS_TEXT, (const uint8_t *)CHANGE_101, sizeof CHANGE_101 - 1);
    (void)sl_core_step(core);
    ck_assert_int_eq(g_closed, 0);
    ck_assert_uint_eq(count_of(core, COMMENTS, "\"body\""), 101);
    sl_core_close(core);
}
END_TEST

START_TEST(fetch__ends_when_sync_is_stopped) /* [OP-1] */
{
    sl_core *core = online(false);
    sl_id op = 0;
    ck_assert_int_eq(sl_blob_fetch(core, HEX, &op, NULL), SL_OK);
    (void)sl_core_step(core);
    ck_assert_int_eq(sl_sync_control(core, SL_SYNC_STOP, NULL), SL_OK);
    (void)sl_core_step(core);
    ck_assert_ptr_nonnull(strstr(events(core), "\"SL_E_CANCELLED\""));
    sl_core_close(core);
}
END_TEST

SL_TEST_MAIN_WITH("online", host_set_up, host_tear_down,
                  session__an_answer_after_signing_out_does_not_sign_in_again,
                  session__a_late_refusal_does_not_end_a_newer_session,
                  frame__with_a_broken_record_closes_the_socket,
                  settle__does_not_wait_for_an_upload_whose_space_nobody_makes,
                  settle__needs_a_transport, upload__given_up_is_told_and_keeps_its_bytes,
                  fetch__of_a_part_that_is_whole_asks_for_no_byte_again,
                  progress__is_told_ten_times_a_second_at_most,
                  news__that_finds_no_memory_ends_what_it_was_about,
                  login__answered_after_signing_out_ends_cancelled,
                  login__that_fails_leaves_who_was_signed_in,
                  session__that_is_damaged_opens_signed_out_with_all_data,
                  frame__of_a_later_version_does_not_block_its_space,
                  sum__is_compared_at_the_head_unless_something_was_left_out,
                  own_edit__stays_visible_while_pages_come,
                  page__is_whole_when_others_write_meanwhile,
                  pages__that_came_together_are_lost_together_and_asked_for_again,
                  page__that_makes_no_sense_keeps_those_before_it_out_once_only,
                  change__after_pages_that_came_with_it_is_stored_behind_them,
                  own_edit__is_over_at_the_head_without_its_record,
                  reset__sends_again_what_was_accepted_and_has_not_come_back,
                  page__of_another_epoch_sends_again_what_was_accepted,
                  revoked__ends_the_uploads_and_tells_what_waited,
                  fetch__onto_a_full_disk_ends_once, fetch__ends_when_sync_is_stopped)
