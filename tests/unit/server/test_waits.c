/* The program's own poll() says what the kernel's says. */
#include "support.h"

#include "server/waits.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    MANY = 150 /* more than are compared at once, and not a multiple */
};

typedef struct pairs {
    int ours[MANY];
    int theirs[MANY];
    struct pollfd fds[MANY];
} pairs;

static void make(pairs *p, size_t i)
{
    int two[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, two), 0);
    p->ours[i] = two[0];
    p->theirs[i] = two[1];
    p->fds[i] = (struct pollfd){.fd = two[0], .events = POLLIN};
    sl_waits_new(two[0]);
}

static void set_up(pairs *p)
{
    sl_waits_serve(true);
    for (size_t i = 0; i < MANY; i++) {
        make(p, i);
    }
}

static void tear_down(pairs *p)
{
    for (size_t i = 0; i < MANY; i++) {
        (void)close(p->ours[i]);
        (void)close(p->theirs[i]);
    }
    sl_waits_serve(false);
}

static void say(const pairs *p, size_t i)
{
    ck_assert_int_eq(write(p->theirs[i], "x", 1), 1);
}

static void hear(const pairs *p, size_t i)
{
    char c;
    ck_assert_int_eq(read(p->ours[i], &c, 1), 1);
}

/* Asks both ways; the answers are equal, and are returned for the i-th. */
static short ask(pairs *p, size_t n, size_t i)
{
    struct pollfd kernel[MANY];
    memcpy(kernel, p->fds, n * sizeof *kernel);
    sl_waits_serve(true);
    int got = poll(p->fds, (nfds_t)n, 0);
    for (size_t k = 0; k < n; k++) { /* a few at a time: these are the kernel's own */
        ck_assert_int_ge(poll(&kernel[k], 1, 0), 0);
        got -= kernel[k].revents != 0 ? 1 : 0;
        ck_assert_int_eq(p->fds[k].revents, kernel[k].revents);
    }
    ck_assert_int_eq(got, 0);
    return p->fds[i].revents;
}

START_TEST(waits__what_is_ready_is_said_as_long_as_it_is)
{
    pairs p;
    set_up(&p);
    ck_assert_int_eq(ask(&p, MANY, 7), 0);
    say(&p, 7);
    say(&p, MANY - 1);
    ck_assert_int_eq(ask(&p, MANY, 7), POLLIN);
    ck_assert_int_eq(ask(&p, MANY, MANY - 1), POLLIN);
    hear(&p, 7);
    ck_assert_int_eq(ask(&p, MANY, 7), 0);
    ck_assert_int_eq(ask(&p, MANY, MANY - 1), POLLIN);
    tear_down(&p);
}
END_TEST

START_TEST(waits__what_is_asked_may_change_from_time_to_time)
{
    pairs p;
    set_up(&p);
    say(&p, 3);
    ck_assert_int_eq(ask(&p, MANY, 3), POLLIN);
    p.fds[3].events = POLLOUT;
    ck_assert_int_eq(ask(&p, MANY, 3), POLLOUT);
    p.fds[3].events = POLLIN | POLLOUT;
    ck_assert_int_eq(ask(&p, MANY, 3), POLLIN | POLLOUT);
    p.fds[3].events = 0;
    ck_assert_int_eq(ask(&p, MANY, 3), 0);
    p.fds[3].events = POLLIN;
    ck_assert_int_eq(ask(&p, MANY, 3), POLLIN);
    p.fds[3].fd = -1;
    ck_assert_int_eq(ask(&p, MANY, 3), 0);
    p.fds[3].fd = p.ours[3];
    ck_assert_int_eq(ask(&p, MANY, 3), POLLIN);
    tear_down(&p);
}
END_TEST

START_TEST(waits__a_full_socket_is_written_to_when_there_is_room_again)
{
    static char bytes[4096];
    pairs p;
    set_up(&p);
    (void)ask(&p, MANY, 3);
    while (write(p.ours[3], bytes, sizeof bytes) > 0) {
    }
    for (int round = 0; round < 2; round++) {
        p.fds[3].events = POLLIN | POLLOUT;
        ck_assert_int_eq(ask(&p, MANY, 3), 0);
        say(&p, 3);
        ck_assert_int_eq(ask(&p, MANY, 3), POLLIN);
        hear(&p, 3);
        p.fds[3].events = POLLIN;
        ck_assert_int_eq(ask(&p, MANY, 3), 0);
    }
    p.fds[3].events = POLLIN | POLLOUT;
    ck_assert_int_eq(ask(&p, MANY, 3), 0);
    while (read(p.theirs[3], bytes, sizeof bytes) > 0) {
    }
    ck_assert_int_eq(ask(&p, MANY, 3), POLLOUT);
    ck_assert_int_eq(ask(&p, MANY, 3), POLLOUT);
    p.fds[3].events = POLLIN;
    ck_assert_int_eq(ask(&p, MANY, 3), 0);
    tear_down(&p);
}
END_TEST

START_TEST(waits__hang_ups_are_said_unasked)
{
    pairs p;
    set_up(&p);
    p.fds[5].events = 0;
    ck_assert_int_eq(ask(&p, MANY, 5), 0);
    ck_assert_int_eq(shutdown(p.theirs[5], SHUT_RDWR), 0);
    ck_assert_int_eq(ask(&p, MANY, 5), POLLHUP);
    tear_down(&p);
}
END_TEST

START_TEST(waits__a_number_that_is_used_again_is_another_socket)
{
    pairs p;
    set_up(&p);
    (void)ask(&p, MANY, 0);
    for (int round = 0; round < 3; round++) {
        int number = p.ours[9];
        (void)close(p.ours[9]);
        (void)close(p.theirs[9]);
        make(&p, 9); /* at the same place */
        ck_assert_int_eq(p.ours[9], number);
        say(&p, 9);
        ck_assert_int_eq(ask(&p, MANY, 9), POLLIN);
    }
    /* At another place: the last one takes the place of one that has gone, as libwebsockets has it. */
    (void)close(p.ours[2]);
    (void)close(p.theirs[2]);
    struct pollfd last = p.fds[MANY - 1];
    make(&p, MANY - 1);
    p.fds[2] = last;
    say(&p, MANY - 1);
    ck_assert_int_eq(ask(&p, MANY, MANY - 1), POLLIN);
    ck_assert_int_eq(ask(&p, MANY, 2), 0);
    (void)close(last.fd);
    p.ours[2] = -1;
    p.theirs[2] = -1;
    tear_down(&p);
}
END_TEST

START_TEST(waits__a_socket_that_nobody_asks_for_any_more_is_let_go_and_may_come_back)
{
    pairs p;
    set_up(&p);
    (void)ask(&p, MANY, 0);
    say(&p, MANY - 1);
    (void)ask(&p, MANY - 1, 0);
    (void)ask(&p, MANY - 1, 0);
    ck_assert_int_eq(ask(&p, MANY, MANY - 1), POLLIN);
    tear_down(&p);
}
END_TEST

START_TEST(waits__few_sockets_and_many_take_turns)
{
    pairs p;
    set_up(&p);
    for (size_t n = SL_WAITS_FEW - 1; n <= SL_WAITS_FEW + 2; n++) {
        (void)ask(&p, MANY, 0);
        say(&p, 1);
        ck_assert_int_eq(ask(&p, n, 1), POLLIN);
        hear(&p, 1);
        ck_assert_int_eq(ask(&p, n, 1), 0);
        (void)close(p.ours[1]);
        (void)close(p.theirs[1]);
        make(&p, 1);
    }
    tear_down(&p);
}
END_TEST

START_TEST(waits__what_an_epoll_does_not_take_is_asked_of_the_kernel)
{
    pairs p;
    set_up(&p);
    say(&p, 4);
    p.fds[8].fd = p.ours[8] + 20000; /* open in nobody */
    ck_assert_int_eq(ask(&p, MANY, 8), POLLNVAL);
    ck_assert_int_eq(ask(&p, MANY, 4), POLLIN);
    p.fds[8].fd = p.ours[8];
    ck_assert_int_eq(ask(&p, MANY, 8), 0);
    tear_down(&p);
}
END_TEST

START_TEST(waits__nothing_is_waited_for_longer_than_asked)
{
    pairs p;
    set_up(&p);
    ck_assert_int_eq(poll(p.fds, MANY, 1), 0);
    ck_assert_int_eq(poll(p.fds, 2, 1), 0);
    say(&p, 11);
    ck_assert_int_eq(poll(p.fds, MANY, -1), 1);
    tear_down(&p);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        waits__what_is_ready_is_said_as_long_as_it_is,
        waits__what_is_asked_may_change_from_time_to_time,
        waits__a_full_socket_is_written_to_when_there_is_room_again,
        waits__hang_ups_are_said_unasked,
        waits__a_number_that_is_used_again_is_another_socket,
        waits__a_socket_that_nobody_asks_for_any_more_is_let_go_and_may_come_back,
        waits__few_sockets_and_many_take_turns,
        waits__what_an_epoll_does_not_take_is_asked_of_the_kernel,
        waits__nothing_is_waited_for_longer_than_asked,
    };
    return sl_test_run(sl_test_suite("waits", tests, sizeof tests / sizeof tests[0]));
}
