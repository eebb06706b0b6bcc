/* What is seen of the heads of requests before libwebsockets sees them. */
#include "support.h"

#include "base/buf.h"
#include "base/mem.h"
#include "server/strict.h"

#include <stdio.h>
#include <string.h>

enum {
    ROOM = 128 * 1024
};

static const char REFUSED[] = "GET " SL_STRICT_REFUSED " HTTP/1.1\r\nHost: x\r\n\r\n";

typedef struct lane {
    sl_strict s;
    uint8_t out[ROOM];
    size_t n;
} lane;

/* Puts bytes through, `step` at a time; what libwebsockets gets is in l->out. */
static void feed(lane *l, const char *text, size_t n, size_t step)
{
    static uint8_t chunk[ROOM];
    memset(l, 0, sizeof *l);
    l->s.heads = true;
    for (size_t at = 0; at < n; at += step) {
        size_t take = step < n - at ? step : n - at;
        size_t room = sl_strict_room(&l->s);
        memcpy(chunk, text + at, take);
        size_t got = sl_strict_filter(&l->s, chunk, take);
        ck_assert_uint_le(got, take + room);
        memcpy(l->out + l->n, chunk, got);
        l->n += got;
    }
}

/* The status by which it is refused, however it is cut; 0: it passes, as it came. */
static int32_t refused_n(const char *text, size_t n)
{
    static const size_t steps[] = {ROOM / 2, 1, 2, 7, 1000};
    static lane l;
    int32_t status = -1;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        feed(&l, text, n, steps[i]);
        ck_assert(status == -1 || status == l.s.fault);
        status = l.s.fault;
        if (status == 0) {
            ck_assert_uint_eq(l.n + l.s.held_len, n);
            ck_assert_mem_eq(l.out, text, l.n);
        } else {
            ck_assert_uint_eq(l.n, sizeof REFUSED - 1);
            ck_assert_mem_eq(l.out, REFUSED, l.n);
        }
        sl_strict_end(&l.s);
    }
    return status;
}

static int32_t refused(const char *text)
{
    return refused_n(text, strlen(text));
}

START_TEST(head__right_ones_pass_as_they_came)
{
    static const char *const right[] = {
        "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /a?b=c&d=%20 HTTP/1.0\r\n\r\n",
        "OPTIONS /api HTTP/1.1\r\nHost:x\r\nX-Odd: \t a\tb\xc3\xa9 \r\nEmpty:\r\n\r\n",
        "POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\na\nb\r\n",
        "POST /a HTTP/1.1\r\ncontent-length:0\r\n\r\nDELETE /b HTTP/1.1\r\nHost: y\r\n\r\n",
        "PUT /a HTTP/1.1\r\nContent-Length: 4 \r\n\r\n\r\n\r\nGET /b HTTP/1.1\r\n\r\n",
        "GET /ws HTTP/1.1\r\nUpgrade: \tWebSocket \r\nUpgraded: no\r\n\r\n",
        "GET /unfinished HTTP/1.1\r\nHost"};
    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
        ck_assert_msg(refused(right[i]) == 0, "%s", right[i]);
    }
}
END_TEST

START_TEST(head__libwebsockets_gets_none_that_is_not_whole)
{
    static lane l;
    const char *text = "GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r";
    feed(&l, text, strlen(text), 3);
    ck_assert_uint_eq(l.n, strlen("GET /a HTTP/1.1\r\nHost: x\r\n\r\n"));
    sl_strict_end(&l.s);
}
END_TEST

START_TEST(head__what_two_could_read_differently_or_nobody_can_is_400)
{
    static const char *const wrong[] = {
        "\r\nGET / HTTP/1.1\r\n\r\n",
        "\x16\x03\x01",
        " GET / HTTP/1.1\r\n\r\n",
        "GET  / HTTP/1.1\r\n\r\n",
        "GET /\r\n\r\n",
        "GET / \r\n\r\n",
        "GET /  HTTP/1.1\r\n\r\n",
        "GET /\tHTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1 \r\n\r\n",
        "GET / http/1.1\r\n\r\n",
        "GET / HTTP/1.1\n\n",
        "GET / HTTP/1.1\r\r\n\r\n",
        "GET x HTTP/1.1\r\n\r\n",
        "GET http://x/ HTTP/1.1\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\n\r\n",
        "GET /#a HTTP/1.1\r\n\r\n",
        "GET /%00 HTTP/1.1\r\n\r\n",
        "GET /%zz HTTP/1.1\r\n\r\n",
        "GET /%4 HTTP/1.1\r\n\r\n",
        "GET /\xc3\xa9 HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nA : b\r\n\r\n",
        "GET / HTTP/1.1\r\nContent-Length : 5\r\n\r\nhello",
        "GET / HTTP/1.1\r\nA\t: b\r\n\r\n",
        "GET / HTTP/1.1\r\n A: b\r\n\r\n",
        "GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n",
        "GET / HTTP/1.1\r\nA: b\r\n\tc\r\n\r\n",
        "GET / HTTP/1.1\r\n: b\r\n\r\n",
        "GET / HTTP/1.1\r\nA\r\n\r\n",
        "GET / HTTP/1.1\r\nA: b\rc\r\n\r\n",
        "GET / HTTP/1.1\r\nA: b\nC: d\r\n\r\n",
        "GET / HTTP/1.1\r\nA: b\x01\r\n\r\n",
        "GET / HTTP/1.1\r\nA: b\x7f\r\n\r\n",
        "GET / HTTP/1.1\r\nA(b): c\r\n\r\n",
        "GET / HTTP/1.1\r\nUpgrade: h2c\r\n\r\n",
        "GET / HTTP/1.1\r\nUpgrade: websock\r\n\r\n",
        "GET / HTTP/1.1\r\nUpgrade: websocket, h2c\r\n\r\n",
        "GET / HTTP/1.1\r\nUpgrade:\r\n\r\n",
        "GET / HTTP/1.1\r\nUpgrade: websocket\r\nUpgrade: websocket\r\n\r\n",
        "GET / HTTP/1.1\r\n\rA: b\r\n\r\n"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        ck_assert_msg(refused(wrong[i]) == 400, "%s: %d", wrong[i], (int)refused(wrong[i]));
    }
    static const char nul[] = "GET / HTTP/1.1\r\nA: b\0c\r\n\r\n";
    ck_assert_int_eq(refused_n(nul, sizeof nul - 1), 400);
}
END_TEST

START_TEST(head__methods_and_versions_are_ours_or_501_and_505)
{
    ck_assert_int_eq(refused("TRACE / HTTP/1.1\r\n\r\n"), 501);
    ck_assert_int_eq(refused("CONNECT x:1 HTTP/1.1\r\n\r\n"), 501);
    ck_assert_int_eq(refused("get / HTTP/1.1\r\n\r\n"), 501);
    ck_assert_int_eq(refused("AVERYLONGMETHODTHATNOBODYHAS / HTTP/1.1\r\n\r\n"), 501);
    ck_assert_int_eq(refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 501);
    ck_assert_int_eq(refused("GET / HTTP/2.0\r\n\r\n"), 505);
    ck_assert_int_eq(refused("GET / HTTP/0.9\r\n\r\n"), 505);
}
END_TEST

/* `many` times `more` within a head. */
static int32_t long_one(const char *begin, const char *more, size_t many, const char *end)
{
    sl_buf b = {0};
    sl_buf_str(&b, begin);
    for (size_t i = 0; i < many; i++) {
        sl_buf_str(&b, more);
    }
    sl_buf_str(&b, end);
    int32_t status = refused(sl_buf_text(&b));
    sl_buf_free(&b);
    return status;
}

START_TEST(head__too_long_and_too_many_are_431_and_an_address_414)
{
    static const char end[] = "\r\n\r\n";
    ck_assert_int_eq(long_one("GET / HTTP/1.1\r\nA: ", "b", 13 * 1024, end), 0);
    ck_assert_int_eq(long_one("GET / HTTP/1.1\r\nA: ", "b", 14 * 1024, end), 431);
    ck_assert_int_eq(long_one("GET / HTTP/1.1\r\n", "A: b\r\n", 80, "\r\n"), 0);
    ck_assert_int_eq(long_one("GET / HTTP/1.1\r\n", "A: b\r\n", 81, "\r\n"), 431);
    ck_assert_int_eq(long_one("GET / HTTP/1.1\r\n", "A", 60000, end), 431);
    ck_assert_int_eq(long_one("GET /", "a", 8000, " HTTP/1.1\r\n\r\n"), 0);
    ck_assert_int_eq(long_one("GET /", "a", 8192, " HTTP/1.1\r\n\r\n"), 414);
    ck_assert_int_eq(long_one("GET /?a", "&a", 81, " HTTP/1.1\r\n\r\n"), 414);
    ck_assert_int_eq(long_one("", "G", 60000, " / HTTP/1.1\r\n\r\n"), 414);
}
END_TEST

START_TEST(head__one_that_is_wrong_behind_others_takes_nothing_from_them)
{
    static lane l;
    static const char first[] = "POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc";
    char text[200];
    (void)snprintf(text, sizeof text, "%sTRACE / HTTP/1.1\r\n\r\nGET /hidden HTTP/1.1\r\n\r\n",
                   first);
    for (size_t step = 1; step < strlen(text); step++) {
        feed(&l, text, strlen(text), step);
        ck_assert_int_eq(l.s.fault, 501);
        ck_assert_uint_eq(l.n, strlen(first) + strlen(REFUSED));
        ck_assert_mem_eq(l.out, first, strlen(first));
        ck_assert_mem_eq(l.out + strlen(first), REFUSED, strlen(REFUSED));
        sl_strict_end(&l.s);
    }
}
END_TEST

/* guard.h refuses these, and closes: until then nothing of what follows is taken for a head. */
START_TEST(head__where_a_body_ends_is_not_guessed)
{
    static const char *const odd[] = {
        "POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n\x01",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n\x01",
        "POST / HTTP/1.1\r\nContent-Length: +5\r\n\r\n\x01",
        "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n\x01"};
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        ck_assert_msg(refused(odd[i]) == 0, "%s", odd[i]);
    }
}
END_TEST

SL_TEST_MAIN("server_head", head__right_ones_pass_as_they_came,
             head__libwebsockets_gets_none_that_is_not_whole,
             head__what_two_could_read_differently_or_nobody_can_is_400,
             head__methods_and_versions_are_ours_or_501_and_505,
             head__too_long_and_too_many_are_431_and_an_address_414,
             head__one_that_is_wrong_behind_others_takes_nothing_from_them,
             head__where_a_body_ends_is_not_guessed)
