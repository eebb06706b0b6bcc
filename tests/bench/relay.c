#include "relay.h"

#include "bench.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    PAIRS_MAX = 16,
    CHUNK = 65536
};

struct relay {
    pthread_t thread;
    int listener;
    int stop[2];
    uint16_t to_port;
    int pairs[PAIRS_MAX][2]; /* client, server; 0: none */
    uint64_t counts[2];      /* up, down */
};

static struct sockaddr_in loopback(uint16_t port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return a;
}

static void take_in(relay *r)
{
    struct sockaddr_in to = loopback(r->to_port);
    int client = accept(r->listener, NULL, NULL);
    int server = socket(AF_INET, SOCK_STREAM, 0);
    for (size_t i = 0; i < PAIRS_MAX; i++) {
        if (client > 0 && server > 0 && r->pairs[i][0] == 0 &&
            connect(server, (struct sockaddr *)&to, sizeof to) == 0) {
            r->pairs[i][0] = client;
            r->pairs[i][1] = server;
            return;
        }
    }
    bench_die("the relay cannot pass a connection on");
}

static void end_pair(relay *r, size_t i)
{
    (void)close(r->pairs[i][0]);
    (void)close(r->pairs[i][1]);
    r->pairs[i][0] = 0;
    r->pairs[i][1] = 0;
}

/* side 0: from the client. */
static void pass_on(relay *r, size_t i, int side)
{
    static char data[CHUNK];
    ssize_t n = recv(r->pairs[i][side], data, sizeof data, 0);
    if (n <= 0) {
        end_pair(r, i);
        return;
    }
    r->counts[side] += (uint64_t)n;
    for (ssize_t at = 0; at < n;) {
        ssize_t sent = send(r->pairs[i][1 - side], data + at, (size_t)(n - at), MSG_NOSIGNAL);
        if (sent <= 0) {
            end_pair(r, i);
            return;
        }
        at += sent;
    }
}

static void *run(void *arg)
{
    relay *r = arg;
    for (;;) {
        struct pollfd fds[2 + 2 * PAIRS_MAX] = {{r->stop[0], POLLIN, 0}, {r->listener, POLLIN, 0}};
        for (size_t i = 0; i < PAIRS_MAX; i++) {
            for (size_t side = 0; side < 2; side++) {
                int fd = r->pairs[i][side];
                fds[2 + 2 * i + side] = (struct pollfd){fd > 0 ? fd : -1, POLLIN, 0};
            }
        }
        if (poll(fds, sizeof fds / sizeof fds[0], -1) < 0 || fds[0].revents != 0) {
            return NULL;
        }
        for (size_t i = 0; i < 2 * (size_t)PAIRS_MAX; i++) {
            if (fds[2 + i].revents != 0 && r->pairs[i / 2][0] != 0) {
                pass_on(r, i / 2, (int)(i % 2));
            }
        }
        if (fds[1].revents != 0) {
            take_in(r);
        }
    }
}

relay *relay_open(uint16_t to_port, uint16_t *port)
{
    struct sockaddr_in at = loopback(0);
    socklen_t n = sizeof at;
    relay *r = calloc(1, sizeof *r);
    if (r == NULL || pipe(r->stop) != 0) {
        bench_die("out of memory");
    }
    r->to_port = to_port;
    r->listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(r->listener, (struct sockaddr *)&at, sizeof at) != 0 || listen(r->listener, 8) != 0 ||
        getsockname(r->listener, (struct sockaddr *)&at, &n) != 0 ||
        pthread_create(&r->thread, NULL, run, r) != 0) {
        bench_die("the relay cannot listen");
    }
    *port = ntohs(at.sin_port);
    return r;
}

void relay_close(relay *r, uint64_t *up, uint64_t *down)
{
    (void)!write(r->stop[1], "x", 1);
    (void)pthread_join(r->thread, NULL);
    for (size_t i = 0; i < PAIRS_MAX; i++) {
        if (r->pairs[i][0] != 0) {
            end_pair(r, i);
        }
    }
    (void)close(r->listener);
    (void)close(r->stop[0]);
    (void)close(r->stop[1]);
    *up = r->counts[0];
    *down = r->counts[1];
    free(r);
}
