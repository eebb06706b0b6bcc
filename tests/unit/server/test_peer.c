/* Where a socket came from is known for as long as it is watched. */
#include "support.h"

#include "server/strict.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct both {
    int ours;
    int theirs;
} both;

static both dial(int family)
{
    struct sockaddr_storage at = {.ss_family = (sa_family_t)family};
    socklen_t n = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    if (family == AF_INET) {
        ((struct sockaddr_in *)(void *)&at)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    } else {
        ((struct sockaddr_in6 *)(void *)&at)->sin6_addr = in6addr_loopback;
    }
    int door = socket(family, SOCK_STREAM, 0);
    if (bind(door, (struct sockaddr *)&at, n) != 0) {
        (void)close(door);
        return (both){-1, -1};
    }
    ck_assert_int_eq(listen(door, 1), 0);
    ck_assert_int_eq(getsockname(door, (struct sockaddr *)&at, &n), 0);
    both b = {.theirs = socket(family, SOCK_STREAM, 0)};
    ck_assert_int_eq(connect(b.theirs, (struct sockaddr *)&at, n), 0);
    b.ours = accept(door, NULL, NULL);
    ck_assert_int_ge(b.ours, 0);
    (void)close(door);
    return b;
}

static void reset(const both *b)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    ck_assert_int_eq(setsockopt(b->theirs, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
    (void)close(b->theirs);
}

static void expect_known_after_reset(int family, const char *address)
{
    char text[64];
    both b = dial(family);
    if (b.ours < 0) {
        return; /* no such family on this machine */
    }
    sl_strict_open(b.ours);
    (void)sl_strict_begin_fd(b.ours, 1);
    reset(&b);
    struct sockaddr_storage from;
    socklen_t n = sizeof from;
    ck_assert_int_eq(getpeername(b.ours, (struct sockaddr *)&from, &n), -1);
    ck_assert_int_eq(errno, ENOTCONN);
    sl_strict_peer_fd(b.ours, text, sizeof text);
    ck_assert_str_eq(text, address);
    (void)sl_strict_close(b.ours);
    sl_strict_peer_fd(b.ours, text, sizeof text);
    ck_assert_str_eq(text, "");
    (void)close(b.ours);
}

/* Server: a line of the audit log names the address, whatever became of the connection. */
START_TEST(peer__the_address_of_a_socket_is_known_after_its_peer_has_reset_it)
{
    expect_known_after_reset(AF_INET, "127.0.0.1");
    expect_known_after_reset(AF_INET6, "::1");
}
END_TEST

START_TEST(peer__a_socket_that_was_reset_before_it_was_watched_has_no_address)
{
    char text[64];
    both b = dial(AF_INET);
    reset(&b);
    sl_strict_open(b.ours);
    sl_strict_peer_fd(b.ours, text, sizeof text);
    ck_assert_str_eq(text, "");
    (void)sl_strict_close(b.ours);
    (void)close(b.ours);
}
END_TEST

SL_TEST_MAIN("peer", peer__the_address_of_a_socket_is_known_after_its_peer_has_reset_it,
             peer__a_socket_that_was_reset_before_it_was_watched_has_no_address)
