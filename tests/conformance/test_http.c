/* HTTP of the built-in platform against a small server inside this program. */
#include "host.h"
#include "http_server.h"
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static sl_platform g_p;
static int g_port;

static void begin(void)
{
    ck_assert_int_eq(sl_platform_builtin(&g_p), SL_OK);
    ck_assert_ptr_nonnull(g_p.http);
    g_port = http_server_start();
    ck_assert_int_eq(g_p.start(g_p.user, host_open()), SL_OK);
}

/* After stop nothing may be told any more, and each request has ended exactly once. */
static void end(sl_id requests)
{
    g_p.stop(g_p.user);
    for (sl_id id = 1; id <= requests; id++) {
        host_record r = host_look(id);
        ck_assert_int_eq(r.ends, 1);
        ck_assert_int_eq(r.late, 0);
        ck_assert_int_le(r.heads, 1);
    }
    host_close();
    g_p.release(g_p.user);
    http_server_stop();
    ck_assert_int_eq(host_foreign_calls(), 0);
}

static sl_status ask_at(int port, sl_id id, const char *method, const char *path)
{
    char url[200];
    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", port, path);
    sl_http_request q = {.struct_size = sizeof q, .method = method, .url = url, .headers = ""};
    return g_p.http->start(g_p.user, id, &q);
}

static host_record get(sl_id id, const char *path)
{
    ck_assert_int_eq(ask_at(g_port, id, "GET", path), SL_OK);
    return host_wait_end(id);
}

START_TEST(http__a_get_gives_head_data_and_one_end)
{
    begin();
    host_record r = get(1, "/hello");
    ck_assert_int_eq(r.code, SL_OK);
    ck_assert_int_eq(r.heads, 1);
    ck_assert_int_eq(r.http_status, 200);
    ck_assert_ptr_nonnull(strstr(r.headers, "X-Test: yes\r\n"));
    ck_assert_ptr_null(strstr(r.headers, "X-Early"));
    ck_assert_ptr_null(strstr(r.headers, "HTTP/"));
    ck_assert_uint_eq(r.len, 5);
    ck_assert_mem_eq(r.data, "hello", 5);
    ck_assert_int_eq(ask_at(g_port, 2, "HEAD", "/hello"), SL_OK);
    r = host_wait_end(2);
    ck_assert_int_eq(r.code, SL_OK);
    ck_assert_int_eq(r.http_status, 200);
    ck_assert_uint_eq(r.len, 0);
    r = get(3, "/bare");
    ck_assert_int_eq(r.code, SL_OK);
    ck_assert_int_eq(r.http_status, 204);
    ck_assert_str_eq(r.headers, "");
    end(3);
}
END_TEST

START_TEST(http__a_body_is_copied_and_arrives_with_the_method_and_headers_given)
{
    begin();
    static uint8_t body[2000000];
    for (size_t i = 0; i < sizeof body; i++) {
        body[i] = (uint8_t)(i * 13);
    }
    const char *const methods[] = {"POST", "PUT", "PATCH", "DELETE"};
    char url[100];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/echo", g_port);
    for (sl_id i = 0; i < 4; i++) {
        uint8_t *copy = malloc(sizeof body);
        ck_assert_ptr_nonnull(copy);
        memcpy(copy, body, sizeof body);
        sl_http_request q = {.struct_size = sizeof q,
                             .method = methods[i],
                             .url = url,
                             .headers = "Content-Type: application/x-test\r\nX-Empty:\r\n",
                             .body = copy,
                             .body_len = sizeof body};
        ck_assert_int_eq(g_p.http->start(g_p.user, i + 1, &q), SL_OK);
        memset(copy, 0, sizeof body);
        free(copy);
        host_record r = host_wait_end(i + 1);
        char expected[40];
        snprintf(expected, sizeof expected, "X-Method: %s\r\n", methods[i]);
        ck_assert_int_eq(r.code, SL_OK);
        ck_assert_ptr_nonnull(strstr(r.headers, expected));
        ck_assert_ptr_nonnull(strstr(r.headers, "X-Type: [application/x-test]"));
        ck_assert_ptr_nonnull(strstr(r.headers, "X-Expect: []"));
        ck_assert_uint_eq(r.len, sizeof body);
        ck_assert_mem_eq(r.data, body, sizeof body);
    }
    /* No body, and no type made up for it. */
    ck_assert_int_eq(ask_at(g_port, 5, "POST", "/echo"), SL_OK);
    host_record r = host_wait_end(5);
    ck_assert_int_eq(r.code, SL_OK);
    ck_assert_uint_eq(r.len, 0);
    ck_assert_ptr_nonnull(strstr(r.headers, "X-Type: []"));
    end(5);
}
END_TEST

START_TEST(http__a_large_answer_arrives_whole)
{
    begin();
    host_record r = get(1, "/big");
    ck_assert_int_eq(r.code, SL_OK);
    ck_assert_uint_eq(r.len, HTTP_SERVER_BIG);
    size_t wrong = 0;
    for (size_t i = 0; i < r.len; i++) {
        wrong += r.data[i] != i % 251 ? 1 : 0;
    }
    ck_assert_uint_eq(wrong, 0);
    end(1);
}
END_TEST

START_TEST(http__a_refused_cut_or_foreign_answer_is_a_network_failure)
{
    begin();
    ck_assert_int_eq(ask_at(http_server_dead_port(), 1, "GET", "/"), SL_OK);
    ck_assert_int_eq(host_wait_end(1).code, SL_E_NETWORK);
    host_record r = get(2, "/short");
    ck_assert_int_eq(r.code, SL_E_NETWORK);
    ck_assert_int_eq(r.heads, 1);
    ck_assert_uint_eq(r.len, 10);
    r = get(3, "/junk");
    ck_assert_int_eq(r.code, SL_E_NETWORK);
    ck_assert_int_eq(r.heads, 0);
    end(3);
}
END_TEST

START_TEST(http__a_time_limit_ends_what_hangs)
{
    begin();
    char url[100];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/hang", g_port);
    sl_http_request q = {
        .struct_size = sizeof q, .timeout_ms = 50, .method = "GET", .url = url, .headers = ""};
    ck_assert_int_eq(g_p.http->start(g_p.user, 1, &q), SL_OK);
    ck_assert_int_eq(host_wait_end(1).code, SL_E_NETWORK);
    end(1);
}
END_TEST

START_TEST(http__cancelling_ends_a_request_at_any_stage)
{
    begin();
    ck_assert_int_eq(ask_at(g_port, 1, "GET", "/drip"), SL_OK);
    (void)host_wait_data(1, 5);
    g_p.http->cancel(g_p.user, 1);
    ck_assert_int_eq(host_wait_end(1).code, SL_E_CANCELLED);
    ck_assert_int_eq(ask_at(g_port, 2, "GET", "/hang"), SL_OK);
    g_p.http->cancel(g_p.user, 2);
    g_p.http->cancel(g_p.user, 2);
    ck_assert_int_eq(host_wait_end(2).code, SL_E_CANCELLED);
    g_p.http->cancel(g_p.user, 2);  /* over */
    g_p.http->cancel(g_p.user, 60); /* never was */
    ck_assert_int_eq(get(3, "/hello").code, SL_OK);
    end(3);
}
END_TEST

START_TEST(http__redirects_are_followed_for_reading_only_and_never_to_a_file)
{
    begin();
    host_record r = get(1, "/moved");
    ck_assert_int_eq(r.code, SL_OK);
    ck_assert_int_eq(r.http_status, 200);
    ck_assert_ptr_null(strstr(r.headers, "X-Old"));
    ck_assert_mem_eq(r.data, "hello", 5);
    ck_assert_uint_eq(r.len, 5);
    ck_assert_int_eq(ask_at(g_port, 2, "POST", "/moved"), SL_OK);
    r = host_wait_end(2);
    ck_assert_int_eq(r.code, SL_OK);
    ck_assert_int_eq(r.http_status, 302);
    r = get(3, "/elsewhere");
    ck_assert_int_eq(r.code, SL_E_NETWORK);
    ck_assert_uint_eq(r.len, 0);
    end(3);
}
END_TEST

START_TEST(http__what_cannot_be_asked_is_refused_at_once)
{
    begin();
    const char *const urls[] = {"file:///etc/passwd", "ftp://127.0.0.1/", "", "127.0.0.1"};
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        sl_http_request q = {
            .struct_size = sizeof q, .method = "GET", .url = urls[i], .headers = ""};
        ck_assert_int_eq(g_p.http->start(g_p.user, 1, &q), SL_E_INVALID);
    }
    const char *const headers[] = {"Name",    "Name: x\n",    "Name: x\r",
                                   ": x\r\n", "A: b\r\n\r\n", "A: b"};
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        sl_http_request q = {.struct_size = sizeof q,
                             .method = "GET",
                             .url = "http://127.0.0.1/",
                             .headers = headers[i]};
        ck_assert_int_eq(g_p.http->start(g_p.user, 1, &q), SL_E_INVALID);
    }
    ck_assert_int_eq(host_look(1).ends, 0);
    end(0);
}
END_TEST

START_TEST(http__stopping_ends_what_runs_and_refuses_what_comes)
{
    begin();
    for (sl_id id = 1; id <= 8; id++) {
        ck_assert_int_eq(ask_at(g_port, id, "GET", id % 2 == 0 ? "/hang" : "/drip"), SL_OK);
    }
    (void)host_wait_data(1, 5);
    g_p.stop(g_p.user);
    for (sl_id id = 1; id <= 8; id++) {
        ck_assert_int_eq(host_look(id).code, SL_E_CANCELLED);
    }
    ck_assert_int_eq(ask_at(g_port, 9, "GET", "/hello"), SL_E_CLOSED);
    end(8);
}
END_TEST

START_TEST(http__many_at_once_all_end)
{
    begin();
    for (sl_id id = 1; id <= 40; id++) {
        ck_assert_int_eq(ask_at(g_port, id, "GET", "/hello"), SL_OK);
    }
    for (sl_id id = 1; id <= 40; id++) {
        host_record r = host_wait_end(id);
        ck_assert_int_eq(r.code, SL_OK);
        ck_assert_uint_eq(r.len, 5);
    }
    end(40);
}
END_TEST

SL_TEST_MAIN("conformance_http", http__a_get_gives_head_data_and_one_end,
             http__a_body_is_copied_and_arrives_with_the_method_and_headers_given,
             http__a_large_answer_arrives_whole,
             http__a_refused_cut_or_foreign_answer_is_a_network_failure,
             http__a_time_limit_ends_what_hangs, http__cancelling_ends_a_request_at_any_stage,
             http__redirects_are_followed_for_reading_only_and_never_to_a_file,
             http__what_cannot_be_asked_is_refused_at_once,
             http__stopping_ends_what_runs_and_refuses_what_comes, http__many_at_once_all_end)
