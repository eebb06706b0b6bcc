/* WebSocket of the built-in platform against a server inside this program. */
#include "host.h"
#include "support.h"
#include "ws_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BIG = 16 * 1024 * 1024
};

/* libwebsockets 4.1 keeps one TLS context, once per library context that used wss; what our own
 * code forgets is still reported. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libcrypto\nleak:libssl\nleak:libwebsockets\n";
}

static sl_platform g_p;
static int g_port;

static void begin_at(int port)
{
    g_port = port;
    ck_assert_int_eq(sl_platform_builtin(&g_p), SL_OK);
    ck_assert_ptr_nonnull(g_p.ws);
    ck_assert_int_eq(g_p.start(g_p.user, host_open()), SL_OK);
}

static void begin(void)
{
    begin_at(ws_server_start());
}

static void end(sl_id sockets)
{
    g_p.stop(g_p.user);
    for (sl_id id = 1; id <= sockets; id++) {
        host_record r = host_look(id);
        ck_assert_int_eq(r.ends, 1);
        ck_assert_int_eq(r.late, 0);
        ck_assert_int_le(r.opened, 1);
    }
    host_close();
    g_p.release(g_p.user);
    ws_server_stop();
    ck_assert_int_eq(host_foreign_calls(), 0);
}

static sl_status open_at(int port, sl_id id, const char *path)
{
    char url[200];
    snprintf(url, sizeof url, "ws://127.0.0.1:%d%s", port, path);
    return g_p.ws->open(g_p.user, id, url, "sideline.test");
}

static void connect_as(sl_id id)
{
    ck_assert_int_eq(open_at(g_port, id, "/"), SL_OK);
    host_record r = host_wait_opened(id);
    ck_assert_int_eq(r.opened, 1);
    ck_assert_int_eq(r.ends, 0);
}

static sl_status say(sl_id id, const char *text)
{
    return g_p.ws->send(g_p.user, id, SL_WS_TEXT, (const uint8_t *)text, strlen(text));
}

START_TEST(ws__texts_and_bytes_come_back_in_order)
{
    begin();
    /* Sending need not wait for the connection. */
    ck_assert_int_eq(open_at(g_port, 1, "/api?x=1"), SL_OK);
    ck_assert_int_eq(say(1, "early"), SL_OK);
    host_record r = host_wait_messages(1, 1);
    ck_assert_int_eq(r.opened, 1);
    ck_assert_int_eq(r.kind, SL_WS_TEXT);
    ck_assert_mem_eq(r.data, "early", 5);
    for (int i = 0; i < 200; i++) {
        char text[20];
        snprintf(text, sizeof text, "message %d", i);
        ck_assert_int_eq(say(1, text), SL_OK);
    }
    r = host_wait_messages(1, 201);
    ck_assert_str_eq((const char *)r.data, "message 199");
    const uint8_t bytes[] = {0, 255, 0, 7};
    ck_assert_int_eq(g_p.ws->send(g_p.user, 1, SL_WS_BINARY, bytes, sizeof bytes), SL_OK);
    r = host_wait_messages(1, 202);
    ck_assert_int_eq(r.kind, SL_WS_BINARY);
    ck_assert_uint_eq(r.len, sizeof bytes);
    ck_assert_mem_eq(r.data, bytes, sizeof bytes);
    g_p.ws->close(g_p.user, 1, 1000, "");
    ck_assert_int_eq(host_wait_end(1).code, 1000);
    end(1);
}
END_TEST

START_TEST(ws__a_message_of_16_mib_passes_both_ways_and_one_byte_more_does_not)
{
    begin();
    connect_as(1);
    uint8_t *big = malloc(BIG + 1);
    ck_assert_ptr_nonnull(big);
    for (size_t i = 0; i <= BIG; i++) {
        big[i] = (uint8_t)(i % 253);
    }
    ck_assert_int_eq(g_p.ws->send(g_p.user, 1, SL_WS_BINARY, big, BIG + 1), SL_E_LIMIT);
    ck_assert_int_eq(g_p.ws->send(g_p.user, 1, SL_WS_BINARY, big, BIG), SL_OK);
    host_record r = host_wait_messages(1, 1);
    ck_assert_uint_eq(r.len, BIG);
    ck_assert_mem_eq(r.data, big, BIG);
    free(big);
    ck_assert_int_eq(say(1, "!fit"), SL_OK);
    ck_assert_uint_eq(host_wait_messages(1, 2).len, BIG);
    ck_assert_int_eq(say(1, "!huge"), SL_OK);
    r = host_wait_end(1);
    ck_assert_int_eq(r.code, 1009);
    ck_assert_int_eq(r.messages, 2);
    end(1);
}
END_TEST

START_TEST(ws__the_other_side_closes_or_is_cut)
{
    begin();
    connect_as(1);
    connect_as(2);
    ck_assert_int_eq(say(1, "!close"), SL_OK);
    ck_assert_int_eq(host_wait_end(1).code, 4001);
    ck_assert_int_eq(say(1, "more"), SL_E_NOT_FOUND);
    ck_assert_int_eq(say(2, "!drop"), SL_OK);
    ck_assert_int_eq(host_wait_end(2).code, 1006);
    end(2);
}
END_TEST

START_TEST(ws__closing_writes_what_waits_then_says_code_and_reason)
{
    begin();
    connect_as(1);
    for (int i = 0; i < 20; i++) {
        ck_assert_int_eq(say(1, "last words"), SL_OK);
    }
    g_p.ws->close(g_p.user, 1, 4002, "enough");
    g_p.ws->close(g_p.user, 1, 4003, "again"); /* counts for nothing */
    ck_assert_int_eq(say(1, "more"), SL_E_NOT_FOUND);
    ck_assert_int_eq(host_wait_end(1).code, 4002);
    char reason[64];
    ck_assert_int_eq(ws_server_wait_close(reason, sizeof reason), 4002);
    ck_assert_str_eq(reason, "enough");
    g_p.ws->close(g_p.user, 1, 1000, ""); /* gone */
    g_p.ws->close(g_p.user, 60, 1000, "");
    end(1);
}
END_TEST

START_TEST(ws__what_cannot_connect_is_closed_once)
{
    begin();
    ck_assert_int_eq(open_at(ws_server_dead_port(), 1, "/"), SL_OK);
    ck_assert_int_eq(host_wait_end(1).code, 1006);
    ck_assert_int_eq(open_at(g_port, 2, "/refuse"), SL_OK);
    host_record r = host_wait_end(2);
    ck_assert_int_eq(r.code, 1006);
    ck_assert_int_eq(r.opened, 0);
    ck_assert_int_eq(g_p.ws->open(g_p.user, 3, "ws://name.invalid/", "sideline.test"), SL_OK);
    ck_assert_int_eq(host_wait_end(3).code, 1006);
    char url[100];
    snprintf(url, sizeof url, "wss://127.0.0.1:%d/", g_port); /* no TLS there */
    ck_assert_int_eq(g_p.ws->open(g_p.user, 4, url, "sideline.test"), SL_OK);
    ck_assert_int_eq(host_wait_end(4).code, 1006);
    connect_as(5); /* and the rest goes on */
    g_p.ws->close(g_p.user, 5, 1000, "");
    ck_assert_int_eq(host_wait_end(5).code, 1000);
    end(5);
}
END_TEST

static void open_secure(sl_id id, const char *host)
{
    char url[100];
    snprintf(url, sizeof url, "wss://%s:%d/", host, g_port);
    ck_assert_int_eq(g_p.ws->open(g_p.user, id, url, "sideline.test"), SL_OK);
}

START_TEST(ws__tls_is_checked_against_the_system_s_authorities_and_the_name)
{
    begin_at(ws_server_start_secure());
    open_secure(1, "127.0.0.1");
    host_record r = host_wait_end(1);
    ck_assert_int_eq(r.opened, 0);
    ck_assert_int_eq(r.code, 1006);
    end(1);

    char path[] = "/tmp/sideline-conformance-XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    FILE *file = fdopen(fd, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(ws_server_certificate(), file), 0);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(setenv("SSL_CERT_FILE", path, 1), 0);
    begin_at(ws_server_start_secure());
    open_secure(1, "127.0.0.1");
    ck_assert_int_eq(say(1, "secret"), SL_OK);
    ck_assert_mem_eq(host_wait_messages(1, 1).data, "secret", 6);
    open_secure(2, "localhost"); /* trusted, but not by that name */
    ck_assert_int_eq(host_wait_end(2).opened, 0);
    g_p.ws->close(g_p.user, 1, 1000, "");
    ck_assert_int_eq(host_wait_end(1).code, 1000);
    end(2);
    ck_assert_int_eq(unsetenv("SSL_CERT_FILE"), 0);
    ck_assert_int_eq(remove(path), 0);
}
END_TEST

START_TEST(ws__closing_does_not_wait_for_a_mute_server)
{
    begin();
    int port = ws_server_mute_start();
    ck_assert_int_eq(open_at(port, 1, "/"), SL_OK);
    connect_as(2); /* by then the first is on its way too */
    g_p.ws->close(g_p.user, 1, 1000, "");
    host_record r = host_wait_end(1);
    ck_assert_int_eq(r.code, 1000);
    ck_assert_int_eq(r.opened, 0);
    ck_assert_int_eq(open_at(port, 3, "/"), SL_OK);
    g_p.ws->close(g_p.user, 3, 1000, ""); /* perhaps before it even began */
    ck_assert_int_eq(host_wait_end(3).code, 1000);
    g_p.ws->close(g_p.user, 2, 1000, "");
    (void)host_wait_end(2);
    end(3);
    ws_server_mute_stop();
}
END_TEST

START_TEST(ws__addresses_that_are_none_are_refused_at_once)
{
    begin();
    const char *const urls[] = {"http://127.0.0.1/", "",          "ws:/x",
                                "127.0.0.1",         "ws://a b/", "ws://a/\r\nX: y"};
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        ck_assert_int_eq(g_p.ws->open(g_p.user, 1, urls[i], ""), SL_E_INVALID);
    }
    ck_assert_int_eq(say(1, "nobody"), SL_E_NOT_FOUND);
    end(0);
}
END_TEST

START_TEST(ws__stopping_closes_all_and_refuses_what_comes)
{
    begin();
    int port = ws_server_mute_start();
    for (sl_id id = 1; id <= 6; id++) {
        connect_as(id);
    }
    ck_assert_int_eq(open_at(port, 7, "/"), SL_OK);
    ck_assert_int_eq(open_at(g_port, 8, "/"), SL_OK);
    ck_assert_int_eq(say(1, "in flight"), SL_OK);
    g_p.stop(g_p.user);
    for (sl_id id = 1; id <= 8; id++) {
        ck_assert_int_eq(host_look(id).ends, 1);
    }
    ck_assert_int_eq(open_at(g_port, 9, "/"), SL_E_CLOSED);
    end(8);
    ws_server_mute_stop();
}
END_TEST

SL_TEST_MAIN("conformance_ws", ws__texts_and_bytes_come_back_in_order,
             ws__a_message_of_16_mib_passes_both_ways_and_one_byte_more_does_not,
             ws__the_other_side_closes_or_is_cut,
             ws__closing_writes_what_waits_then_says_code_and_reason,
             ws__what_cannot_connect_is_closed_once,
             ws__tls_is_checked_against_the_system_s_authorities_and_the_name,
             ws__closing_does_not_wait_for_a_mute_server,
             ws__addresses_that_are_none_are_refused_at_once,
             ws__stopping_closes_all_and_refuses_what_comes)
