/* Blobs on their way through networks that answer in the server's place, and servers that ask to wait. */
#include "host.h"

#include <stdio.h>
#include <string.h>

#define ETAG  "ETag: \"" HEX "\"\r\n"
#define JSON  "Content-Type: application/json\r\n"
#define OTHER "0000000000000000000000000000000000000000000000000000000000000001"
#define PAGE  "<html><body>Welcome! Please sign in.</body></html>"

static void has(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) != NULL, "%s is not in %s", part, text);
}

static const char *transfers(sl_core *core)
{
    static char text[2000];
    sl_bytes *out = NULL;
    ck_assert_int_eq(sl_core_info(core, "transfers", &out, NULL), SL_OK);
    (void)snprintf(text, sizeof text, "%s", (const char *)sl_bytes_data(out));
    sl_bytes_release(out);
    return text;
}

static void reply(sl_core *core, int32_t status, const char *headers, const char *body)
{
    sl_host_http_head(core, g_request, status, headers);
    if (body[0] != 0) {
        sl_host_http_data(core, g_request, (const uint8_t *)body, strlen(body));
    }
    sl_host_http_done(core, g_request, SL_OK);
    (void)sl_core_step(core);
}

/* As a captive portal does it. */
static void portal(sl_core *core, int32_t status)
{
    reply(core, status, "Content-Type: text/html\r\nContent-Length: 50\r\n", PAGE);
}

/* Until there is another request; how long that took. */
static int64_t next_request(sl_core *core)
{
    sl_id before = g_request;
    int64_t began_ms = g_now_ms;
    while (g_request == before) {
        ck_assert_int_lt(g_now_ms - began_ms, 3700 * 1000);
        int32_t wait_ms = sl_core_step(core);
        g_now_ms += g_request != before ? 0 : wait_ms > 0 ? wait_ms : 1;
    }
    return g_now_ms - began_ms;
}

static void asks(const char *method, const char *path)
{
    char url[200];
    (void)snprintf(url, sizeof url, "%s http://server.example%s", method, path);
    ck_assert_str_eq(g_url, url);
}

static sl_core *fetching(sl_id *op)
{
    g_now_ms = 1000000;
    sl_core *core = online(true);
    ck_assert_int_eq(sl_blob_fetch(core, HEX, op, NULL), SL_OK);
    (void)sl_core_step(core);
    asks("GET", "/api/v1/blobs/" HEX);
    return core;
}

static sl_core *sending(void)
{
    g_now_ms = 1000000;
    sl_core *core = online(true);
    ck_assert_int_eq(
        sl_blob_put(core, VIDEO, (const uint8_t *)"hello", 5, "text/plain", NULL, NULL), SL_OK);
    (void)sl_core_step(core);
    asks("POST", "/api/v1/uploads");
    return core;
}

START_TEST(download__behind_a_portal_keeps_its_part_and_waits_longer_each_time)
{
    sl_id op = 0;
    sl_core *core = fetching(&op);
    ck_assert_str_ne(transfers(core), "[]");
    sl_host_http_head(core, g_request, 200, "Content-Length: 5\r\n" ETAG);
    sl_host_http_data(core, g_request, (const uint8_t *)"he", 2);
    sl_host_http_done(core, g_request, SL_E_NETWORK);
    (void)sl_core_step(core);
    has(transfers(core), "\"done\":2");
    has(transfers(core), "\"why\":\"unreachable\"");
    int64_t waited_ms = next_request(core);
    for (int i = 0; i < 6; i++) {
        portal(core, i == 3 ? 404 : 200);
        has(transfers(core), "\"done\":2");
        has(transfers(core), "\"why\":\"portal\"");
        waited_ms = next_request(core);
    }
    ck_assert_int_ge(waited_ms, 15000);
    (void)events(core);
    sl_host_http_head(core, g_request, 206, "Content-Length: 3\r\n" ETAG);
    sl_host_http_data(core, g_request, (const uint8_t *)"l", 1);
    (void)sl_core_step(core);
    ck_assert_ptr_null(strstr(transfers(core), "why"));
    sl_host_http_data(core, g_request, (const uint8_t *)"lo", 2);
    sl_host_http_done(core, g_request, SL_OK);
    (void)sl_core_step(core);
    has(events(core), "\"ok\":true");
    sl_core_close(core);
}
END_TEST

START_TEST(download__takes_no_part_that_begins_elsewhere)
{
    sl_id op = 0;
    sl_core *core = fetching(&op);
    reply(core, 206, "Content-Range: bytes 2-4/5\r\n" ETAG, "llo");
    has(transfers(core), "\"done\":0");
    (void)next_request(core);
    reply(core, 206, "Content-Range: bytes 0-4/5\r\n" ETAG, "hello");
    has(events(core), "\"ok\":true");
    sl_core_close(core);
}
END_TEST

START_TEST(upload__behind_a_portal_is_neither_ended_nor_begun_anew)
{
    static const int32_t odd[] = {200, 201, 204, 302, 400, 404, 410, 413, 415, 422};
    sl_core *core = sending();
    portal(core, 413);
    has(transfers(core), "\"why\":\"portal\"");
    (void)next_request(core);
    asks("POST", "/api/v1/uploads");
    reply(core, 201, "Location: /api/v1/uploads/1\r\n", "");
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        asks("HEAD", "/api/v1/uploads/1");
        reply(core, 200, "Upload-Offset: 0\r\n", "");
        asks("PATCH", "/api/v1/uploads/1");
        portal(core, odd[i]);
        has(transfers(core), "\"why\":\"portal\"");
        (void)next_request(core);
    }
    reply(core, 404, JSON, "{\"error\":\"not_found\"}");
    (void)next_request(core);
    asks("POST", "/api/v1/uploads"); /* that was the server's word */
    sl_core_close(core);
}
END_TEST

START_TEST(upload__that_is_refused_says_why_it_waits)
{
    static const struct {
        int32_t status;
        const char *why;
    } cases[] = {{403, "denied"}, {404, "not_found"}, {500, "unreachable"}, {503, "unreachable"}};
    sl_core *core = sending();
    (void)transfers(core);
    (void)events(core);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char part[60];
        (void)snprintf(part, sizeof part, "\"why\":\"%s\"", cases[i].why);
        reply(core, cases[i].status, JSON, "{\"error\":\"x\"}");
        has(transfers(core), part);
        has(transfers(core), "\"state\":\"running\"");
        (void)next_request(core);
        asks("POST", "/api/v1/uploads");
    }
    has(events(core), "\"why\":\"denied\",\"ev\":\"transfer\"");
    reply(core, 201, "Location: /api/v1/uploads/1\r\n", "");
    ck_assert_ptr_null(strstr(transfers(core), "why"));
    sl_core_close(core);
}
END_TEST

START_TEST(retry_after__is_obeyed_by_uploads_and_downloads)
{
    sl_id op = 0;
    sl_core *core = sending();
    reply(core, 429, JSON "Retry-After: 70\r\n", "{}");
    has(transfers(core), "\"why\":\"throttled\"");
    ck_assert_int_eq(next_request(core), 70000);
    asks("POST", "/api/v1/uploads");
    reply(core, 201, "Location: /api/v1/uploads/1\r\n", "");
    reply(core, 503, "Retry-After: 45\r\n", "");
    has(transfers(core), "\"why\":\"throttled\"");
    ck_assert_int_eq(next_request(core), 45000);
    asks("HEAD", "/api/v1/uploads/1");
    reply(core, 200, "Upload-Offset: 0\r\n", "");
    reply(core, 204, "Upload-Offset: 5\r\n", "");
    ck_assert_str_eq(transfers(core), "[]");
    ck_assert_int_eq(sl_blob_fetch(core, OTHER, &op, NULL), SL_OK);
    (void)sl_core_step(core);
    reply(core, 503, JSON "Retry-After: 50\r\n", "{}");
    ck_assert_int_eq(next_request(core), 50000);
    reply(core, 429, JSON "Retry-After: 60\r\n", "{}");
    ck_assert_int_eq(next_request(core), 60000);
    asks("GET", "/api/v1/blobs/" OTHER);
    sl_core_close(core);
}
END_TEST

START_TEST(retry_after__is_obeyed_when_the_session_is_renewed)
{
    static const int32_t status[] = {429, 503};
    g_now_ms = 1000000;
    sl_core *core = online(false);
    g_now_ms += 3600 * 1000;
    (void)sl_core_step(core);
    sl_host_ws_closed(core, g_ws, 4401);
    (void)sl_core_step(core);
    for (int i = 0; i < 2; i++) {
        asks("POST", "/api/v1/auth/refresh");
        reply(core, status[i], JSON "Retry-After: 90\r\n", "{\"error\":\"busy\"}");
        ck_assert_int_eq(next_request(core), 90000);
    }
    ck_assert_uint_eq(g_refreshes, 3);
    sl_core_close(core);
}
END_TEST

START_TEST(status__says_that_a_portal_or_the_server_keeps_the_device_off)
{
    sl_core *core = sending();
    sl_host_ws_closed(core, g_ws, 1006);
    (void)sl_core_step(core);
    ck_assert(info(core, "status", "\"reason\":\"unreachable\""));
    portal(core, 200);
    sl_host_ws_closed(core, g_ws, 1006);
    (void)sl_core_step(core);
    ck_assert(info(core, "status", "\"reason\":\"portal\""));
    (void)next_request(core);
    reply(core, 429, JSON "Retry-After: 20\r\n", "{}");
    sl_host_ws_closed(core, g_ws, 1006);
    (void)sl_core_step(core);
    ck_assert(info(core, "status", "\"reason\":\"throttled\""));
    (void)next_request(core);
    reply(core, 201, "Location: /api/v1/uploads/1\r\n", "");
    sl_host_ws_closed(core, g_ws, 1006);
    (void)sl_core_step(core);
    ck_assert(info(core, "status", "\"reason\":\"unreachable\""));
    sl_core_close(core);
}
END_TEST

static void say(sl_core *core, const char *id)
{
    char ops[400];
    (void)snprintf(ops, sizeof ops,
                   "[{\"op\":\"create\",\"entity\":\"voice_over\",\"id\":\"%s\",\"space\":\"" VIDEO
                   "\",\"fields\":{\"blob\":\"" HEX "\",\"duration_us\":5}}]",
                   id);
    ck_assert_int_eq(sl_apply(core, ops, strlen(ops), NULL, NULL), SL_OK);
}

static void reject(sl_core *core, int n)
{
    char text[200];
    (void)snprintf(text, sizeof text,
                   "{\"t\":\"receipt\",\"n\":%d,\"result\":\"rejected\",\"seq\":0,"
                   "\"code\":\"SL_E_DENIED\",\"message\":\"no\"}",
                   n);
    frame(core, text);
}

START_TEST(upload__goes_with_the_last_draft_that_names_its_file)
{
    static const char *const ids[] = {"01890000-0000-7000-8000-0000000000d1",
                                      "01890000-0000-7000-8000-0000000000d2",
                                      "01890000-0000-7000-8000-0000000000d3"};
    sl_bytes *bytes = NULL;
    sl_core *core = sending();
    for (int i = 0; i < 3; i++) {
        say(core, ids[i]);
    }
    (void)sl_core_step(core);
    for (int i = 1; i <= 3; i++) {
        reject(core, i);
    }
    ck_assert_int_eq(sl_draft_discard(core, 1, NULL), SL_OK);
    has(transfers(core), HEX); /* another draft has it */
    ck_assert_int_eq(sl_draft_send(core, 2, "{}", 2, NULL, NULL), SL_OK);
    ck_assert_int_eq(sl_draft_discard(core, 3, NULL), SL_OK);
    has(transfers(core), HEX); /* a record has it */
    (void)sl_core_step(core);
    reject(core, 4);
    ck_assert_int_eq(sl_draft_discard(core, 4, NULL), SL_OK);
    ck_assert_str_eq(transfers(core), "[]");
    ck_assert(info(core, "status", "\"uploads\":0"));
    ck_assert_uint_eq(g_cancelled, g_request);
    ck_assert_int_eq(sl_blob_get(core, HEX, &bytes, NULL), SL_OK);
    sl_bytes_release(bytes);
    sl_core_close(core);
}
END_TEST

START_TEST(session__is_not_ended_by_whoever_answers_in_the_servers_place)
{
    g_now_ms = 1000000;
    sl_core *core = online(false);
    sl_host_ws_closed(core, g_ws, 4401);
    (void)sl_core_step(core);
    asks("POST", "/api/v1/auth/refresh");
    portal(core, 401);
    (void)next_request(core);
    asks("POST", "/api/v1/auth/refresh");
    ck_assert_ptr_null(strstr(events(core), "signed_out"));
    reply(core, 401, JSON, "{\"error\":\"unauthorized\"}");
    has(events(core), "signed_out");
    sl_core_close(core);
}
END_TEST

START_TEST(refused_token__of_two_transfers_is_renewed_once)
{
    sl_id op = 0;
    sl_core *core = sending();
    sl_id upload = g_request;
    ck_assert_int_eq(sl_blob_fetch(core, OTHER, &op, NULL), SL_OK);
    (void)sl_core_step(core);
    sl_id download = g_request;
    ck_assert_uint_ne(upload, download);
    answer(core, upload, 401, "{\"error\":\"unauthorized\"}");
    has(transfers(core), "\"why\":\"auth\"");
    answer(core, download, 401, "{\"error\":\"unauthorized\"}");
    asks("POST", "/api/v1/auth/refresh");
    sl_id refresh = g_request;
    g_now_ms += 20000;
    (void)sl_core_step(core);
    ck_assert_uint_eq(g_request, refresh); /* nothing is asked with the old one */
    answer(core, refresh, 200, SESSION);
    ck_assert_uint_eq(g_refreshes, 1);
    ck_assert_uint_eq(g_request, refresh + 2); /* both go on */
    sl_core_close(core);
}
END_TEST

START_TEST(refused_token__of_a_socket_is_renewed_once)
{
    g_now_ms = 1000000;
    sl_core *core = online(false);
    sl_id ws = g_ws;
    sl_host_ws_closed(core, g_ws, 4401);
    (void)sl_core_step(core);
    g_now_ms += 60000;
    (void)sl_core_step(core);
    ck_assert_uint_eq(g_refreshes, 1);
    ck_assert_uint_eq(g_ws, ws); /* not opened with the old one */
    answer(core, g_request, 200, SESSION);
    g_now_ms += 60000;
    (void)sl_core_step(core);
    ck_assert_uint_ne(g_ws, ws);
    ck_assert_uint_eq(g_refreshes, 1);
    sl_core_close(core);
}
END_TEST

SL_TEST_MAIN_WITH("transfer", host_set_up, host_tear_down,
                  download__behind_a_portal_keeps_its_part_and_waits_longer_each_time,
                  download__takes_no_part_that_begins_elsewhere,
                  upload__behind_a_portal_is_neither_ended_nor_begun_anew,
                  upload__that_is_refused_says_why_it_waits,
                  retry_after__is_obeyed_by_uploads_and_downloads,
                  retry_after__is_obeyed_when_the_session_is_renewed,
                  status__says_that_a_portal_or_the_server_keeps_the_device_off,
                  upload__goes_with_the_last_draft_that_names_its_file,
                  session__is_not_ended_by_whoever_answers_in_the_servers_place,
                  refused_token__of_two_transfers_is_renewed_once,
                  refused_token__of_a_socket_is_renewed_once)
