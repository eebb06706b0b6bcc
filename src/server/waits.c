/*
 * server/waits.c - poll(), in the program and so before that of the C library. See the header.
 *
 * What the caller asked last time is kept by place, and compared: only what differs costs a call.
 */
#define _GNU_SOURCE /* ppoll */
#include "server/waits.h"

#include "base/mem.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum {
    SOCKETS_MAX = 65536,
    EVENTS_MAX = 512,
    MS_PER_S = 1000,
    NS_PER_MS = 1000000,
    WISHES_MAX = 64,
    BLOCK = 64 /* sockets that are compared at once */
};

typedef struct known {
    uint32_t place; /* in the caller's array */
    uint32_t turn;  /* which socket of this number it is: an older one's news is no news of it */
    uint32_t events;
    bool in; /* the epoll has it */
} known;

static _Thread_local bool t_serving;
static int g_epoll = -1;
static known g_known[SOCKETS_MAX];
static struct pollfd *g_kept; /* as the caller's array was, without answers */
static size_t g_cap;
static size_t g_count;
/* Those that may be written to, as a rule, when it is asked: the epoll is told only when they may not. */
static uint32_t g_wishes[WISHES_MAX]; /* places in the caller's array */
static size_t g_wish_count;

void sl_waits_serve(bool on)
{
    t_serving = on;
    if (on && g_epoll < 0) {
        g_epoll = epoll_create1(EPOLL_CLOEXEC);
    }
    if (!on && g_epoll >= 0) {
        (void)close(g_epoll);
        g_epoll = -1;
        sl_mem_free(g_kept);
        g_kept = NULL;
        g_cap = 0;
        g_count = 0;
        memset(g_known, 0, sizeof g_known);
    }
}

void sl_waits_new(int fd)
{
    if (fd < 0 || fd >= SOCKETS_MAX) {
        return;
    }
    known *k = &g_known[fd];
    k->in = false;
    k->turn++;
    if (k->place < g_count && g_kept[k->place].fd == fd) {
        g_kept[k->place].fd = -1;
    }
}

static bool room_for(size_t n)
{
    if (n <= g_cap) {
        return true;
    }
    size_t cap = n * 2;
    struct pollfd *grown = sl_mem_resize(g_kept, cap, sizeof *grown);
    if (grown == NULL) {
        return false;
    }
    g_kept = grown;
    g_cap = cap;
    return true;
}

static bool tell(int fd, known *k, uint32_t events)
{
    struct epoll_event e = {.events = events,
                            .data = {.u64 = (uint64_t)k->turn << 32 | (uint32_t)fd}};
    int failed = epoll_ctl(g_epoll, k->in ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &e);
    if (failed != 0 && k->in && errno == ENOENT) {
        failed = epoll_ctl(g_epoll, EPOLL_CTL_ADD, fd, &e);
    } else if (failed != 0 && !k->in && errno == EEXIST) {
        failed = epoll_ctl(g_epoll, EPOLL_CTL_MOD, fd, &e);
    }
    k->in = failed == 0;
    k->events = events;
    return k->in;
}

/* The i-th is another than last time, or asks for something else. False: the epoll does not take it. */
static bool note(struct pollfd *one, size_t i)
{
    one->revents = 0;
    if (one->fd < 0) { /* poll leaves those out */
        g_kept[i] = *one;
        return true;
    }
    if (one->fd >= SOCKETS_MAX) {
        return false;
    }
    known *k = &g_known[one->fd];
    uint32_t events = (uint16_t)one->events; /* the two calls' bits are the same */
    k->place = (uint32_t)i;
    g_kept[i] = *one;
    if (k->in && events == (k->events | POLLOUT) && events != k->events &&
        g_wish_count < WISHES_MAX) {
        g_wishes[g_wish_count++] = (uint32_t)i;
        return true;
    }
    bool ok = (k->in && k->events == events) || tell(one->fd, k, events);
    if (!ok) {
        g_kept[i].fd = -1; /* and tried again */
    }
    return ok;
}

static bool note_all(struct pollfd *fds, size_t n)
{
    bool ok = room_for(n);
    g_wish_count = 0;
    size_t had = n < g_count ? n : g_count;
    for (size_t i = 0; ok && i < n; i++) {
        if (i % BLOCK == 0 && i + BLOCK <= had &&
            memcmp(&fds[i], &g_kept[i], BLOCK * sizeof *fds) == 0) {
            i += BLOCK - 1;
        } else if (i >= had || memcmp(&fds[i], &g_kept[i], sizeof *fds) != 0) {
            ok = note(&fds[i], i);
        }
    }
    g_count = ok ? n : 0;
    return ok;
}

/* News of a socket that nobody asks for any more. One that was closed here is open in a process that was
 * just begun, and nothing can be done but wait until that closes it. */
static void let_go(int fd, uint32_t turn)
{
    known *k = &g_known[fd];
    if (k->turn == turn) {
        (void)epoll_ctl(g_epoll, EPOLL_CTL_DEL, fd, NULL);
        k->in = false;
    }
}

/* Asks for those that are wished for; how many are ready. The others are for the epoll. */
static int ask_wishes(struct pollfd *fds)
{
    struct pollfd some[WISHES_MAX];
    const struct timespec at_once = {0, 0};
    int answers = 0;
    for (size_t i = 0; i < g_wish_count; i++) {
        some[i] = (struct pollfd){.fd = fds[g_wishes[i]].fd, .events = POLLOUT};
    }
    bool asked = ppoll(some, (nfds_t)g_wish_count, &at_once, NULL) >= 0;
    for (size_t i = 0; i < g_wish_count; i++) {
        struct pollfd *one = &fds[g_wishes[i]];
        if (asked && (some[i].revents & POLLOUT) != 0) {
            one->revents = some[i].revents;
            g_kept[g_wishes[i]].events =
                (short)g_known[one->fd].events; /* looked at again next time */
            answers++;
        } else if (!tell(one->fd, &g_known[one->fd], (uint16_t)one->events)) {
            g_kept[g_wishes[i]].fd = -1;
        }
    }
    return answers;
}

static int by_epoll(struct pollfd *fds, size_t n, int timeout_ms)
{
    struct epoll_event events[EVENTS_MAX];
    int answers = g_wish_count > 0 ? ask_wishes(fds) : 0;
    int got = epoll_wait(g_epoll, events, EVENTS_MAX, answers > 0 ? 0 : timeout_ms);
    for (int i = 0; i < got; i++) {
        int fd = (int)(uint32_t)events[i].data.u64;
        uint32_t turn = (uint32_t)(events[i].data.u64 >> 32);
        const known *k = &g_known[fd];
        if (k->turn != turn || k->place >= n || fds[k->place].fd != fd) {
            let_go(fd, turn);
            continue;
        }
        struct pollfd *one = &fds[k->place];
        answers += one->revents == 0 ? 1 : 0;
        one->revents = (short)(one->revents | (short)events[i].events);
    }
    return got < 0 && answers == 0 ? got : answers;
}

static int by_poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
    struct timespec t = {.tv_sec = timeout_ms / MS_PER_S,
                         .tv_nsec = (long)(timeout_ms % MS_PER_S) * NS_PER_MS};
    return ppoll(fds, n, timeout_ms < 0 ? NULL : &t, NULL);
}

__attribute__((visibility("default"))) int poll(struct pollfd *fds, nfds_t nfds, int timeout)
{
    bool many = t_serving && g_epoll >= 0 && nfds > SL_WAITS_FEW;
    return many && note_all(fds, (size_t)nfds) ? by_epoll(fds, (size_t)nfds, timeout)
                                               : by_poll(fds, nfds, timeout);
}
