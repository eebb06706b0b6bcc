/*
 * server/strict_read.c - the two functions by which libwebsockets reads from a socket, in the program
 * and so before those of the libraries. A socket that is not in the table is read as ever.
 *
 * The table is written by the loop's thread, and each place of it read by whoever reads from that
 * socket: for those in the table that is the loop's thread too.
 */
#define _GNU_SOURCE /* RTLD_NEXT */
#include "base/mem.h"
#include "server/strict.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/types.h>

enum {
    SOCKETS_MAX = 65536,
    MAPPED_LEN = 12 /* before an IPv4 address in an IPv6 one (RFC 4291, 2.5.5.2) */
};

/* A number may go from our socket to another thread's: what is read of it is one whole pointer. */
static sl_strict *_Atomic g_sockets[SOCKETS_MAX];

static sl_strict *find(int fd)
{
    return fd >= 0 && fd < SOCKETS_MAX ? g_sockets[fd] : NULL;
}

static void note_peer(sl_strict *s, int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } from = {0};
    socklen_t n = sizeof from;
    if (getpeername(fd, &from.any, &n) != 0) {
        return;
    }
    if (from.any.sa_family == AF_INET) {
        s->peer[10] = s->peer[11] = 0xff;
        memcpy(s->peer + MAPPED_LEN, &from.v4.sin_addr, sizeof from.v4.sin_addr);
    } else if (from.any.sa_family == AF_INET6) {
        memcpy(s->peer, &from.v6.sin6_addr, sizeof s->peer);
    }
}

void sl_strict_open(int fd)
{
    if (fd >= 0 && fd < SOCKETS_MAX) {
        (void)sl_strict_close(fd);
        sl_strict *s = sl_mem(sizeof *s);
        if (s != NULL) {
            note_peer(s, fd);
        }
        g_sockets[fd] = s;
    }
}

void sl_strict_peer_fd(int fd, char *out, size_t cap)
{
    static const uint8_t unknown[sizeof(((sl_strict *)0)->peer)];
    const sl_strict *s = find(fd);
    out[0] = '\0';
    if (s == NULL || memcmp(s->peer, unknown, sizeof unknown) == 0) {
        return;
    }
    struct in6_addr address;
    memcpy(&address, s->peer, sizeof address);
    const bool mapped = IN6_IS_ADDR_V4MAPPED(&address);
    (void)inet_ntop(mapped ? AF_INET : AF_INET6, mapped ? s->peer + MAPPED_LEN : s->peer, out,
                    (socklen_t)cap);
}

static bool has_more(int fd)
{
    int n = 0;
    return ioctl(fd, FIONREAD, &n) == 0 && n > 0;
}

void sl_strict_heads_fd(int fd)
{
    sl_strict *s = find(fd);
    if (s != NULL) {
        s->heads = true;
    }
}

bool sl_strict_close(int fd)
{
    sl_strict *s = find(fd);
    if (s == NULL) {
        return false;
    }
    bool talks = s->fault != 0 || has_more(fd);
    g_sockets[fd] = NULL;
    sl_strict_end(s);
    sl_mem_free(s);
    return talks;
}

bool sl_strict_begin_fd(int fd, uint64_t message_max)
{
    sl_strict *s = find(fd);
    return s != NULL && sl_strict_begin(s, message_max);
}

int32_t sl_strict_said_fd(int fd)
{
    const sl_strict *s = find(fd);
    return s != NULL ? s->said : 0;
}

int32_t sl_strict_fault_fd(int fd)
{
    const sl_strict *s = find(fd);
    return s != NULL ? s->fault : 0;
}

#define EXPORTED __attribute__((visibility("default")))

EXPORTED ssize_t recv(int fd, void *buf, size_t n, int flags)
{
    sl_strict *s = find(fd);
    if (s == NULL || (flags & MSG_PEEK) != 0) {
        return recvfrom(fd, buf, n, flags, NULL, NULL);
    }
    for (;;) {
        size_t room = sl_strict_room(s);
        if (n <= room) {
            errno = EINVAL;
            return -1;
        }
        ssize_t got = recvfrom(fd, buf, n - room, flags, NULL, NULL);
        if (got <= 0) {
            return got;
        }
        size_t left = sl_strict_filter(s, buf, (size_t)got);
        if (left > 0) {
            return (ssize_t)left;
        }
        if (s->dead) { /* one read a turn, however much the peer sends */
            errno = EAGAIN;
            return -1;
        }
    }
}

typedef int (*read_fn)(void *ssl, void *buf, int n);
typedef int (*fd_fn)(const void *ssl);

static read_fn g_ssl_read;
static fd_fn g_ssl_fd;

/* Before any thread is there. */
__attribute__((constructor)) static void find_next(void)
{
    /* ISO C has no way from an object's address to a function's. */
    *(void **)(void *)&g_ssl_fd = dlsym(RTLD_NEXT, "SSL_get_fd");
    *(void **)(void *)&g_ssl_read = dlsym(RTLD_NEXT, "SSL_read");
}

EXPORTED int SSL_read(void *ssl, void *buf, int n);

EXPORTED int SSL_read(void *ssl, void *buf, int n)
{
    if (g_ssl_read == NULL || g_ssl_fd == NULL) {
        return -1;
    }
    sl_strict *s = find(g_ssl_fd(ssl));
    for (;;) {
        int room = s != NULL ? (int)sl_strict_room(s) : 0;
        if (s == NULL || n <= room) {
            return s == NULL ? g_ssl_read(ssl, buf, n) : -1;
        }
        int got = g_ssl_read(ssl, buf, n - room);
        if (got <= 0) {
            return got;
        }
        size_t left = sl_strict_filter(s, buf, (size_t)got);
        if (left > 0) {
            return (int)left;
        }
    }
}
