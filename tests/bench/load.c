/* The loop, the sockets and the WebSocket framing of the load generator. */
#include "load.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    CHUNK = 256 * 1024,
    EVENTS = 512,
    CONNECTING_MAX = 200, /* at a time: the listen queue is not what is measured */
    NS_PER_MS = 1000000,
    OP_TEXT = 1,
    OP_BINARY = 2,
    OP_CLOSE = 8,
    OP_PING = 9,
    OP_PONG = 10,
    MARK_LEN = 4 + 5 + 8 + 16,
    TIMES_MAX = 4000000
};

#define NS_PER_S INT64_C(1000000000)

int64_t load_now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

static void *must(void *p)
{
    if (p == NULL) {
        load_die("out of memory");
    }
    return p;
}

void load_start(load *l, const load_protocol *protocol, uint16_t port, const load_who *who,
                size_t count)
{
    memset(l, 0, sizeof *l);
    l->protocol = protocol;
    l->port = port;
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    l->clients = must(calloc(count, sizeof *l->clients));
    l->count = count;
    l->chunk = must(malloc(CHUNK));
    l->times_us = must(malloc(TIMES_MAX * sizeof *l->times_us));
    l->reader = must(sl_frame_in_new());
    l->items = must(sl_items_new());
    for (size_t i = 0; i < count; i++) {
        load_client *c = &l->clients[i];
        c->who = &who[i];
        c->space = protocol->strokes ? who[i].video : who[i].space;
        c->fd = -1;
        c->state = LOAD_GONE;
        c->index = (uint32_t)i;
        c->mate = (uint32_t)(i % LOAD_GROUP);
    }
}

void load_drop(load *l, load_client *c)
{
    struct linger now = {1, 0};
    if (c->fd < 0) {
        return;
    }
    (void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    (void)close(c->fd);
    c->fd = -1;
    l->ready -= c->state == LOAD_READY ? 1 : 0;
    c->state = LOAD_GONE;
    sl_buf_free(&c->in);
    sl_buf_free(&c->out);
    memset(&c->in, 0, sizeof c->in);
    memset(&c->out, 0, sizeof c->out);
    c->out_at = 0;
    c->writing = false;
    sl_wire_free(&c->wire);
}

void load_end(load *l)
{
    for (size_t i = 0; i < l->count; i++) {
        load_drop(l, &l->clients[i]);
    }
    (void)close(l->epoll);
    free(l->clients);
    free(l->chunk);
    free(l->times_us);
    sl_frame_in_free(l->reader);
    sl_items_free(l->items);
}

/* --- out ---------------------------------------------------------------------------------------- */

static void watch(const load *l, load_client *c, bool writing, int how)
{
    struct epoll_event e = {.events = (c->deaf ? 0U : EPOLLIN) | (writing ? EPOLLOUT : 0U),
                            .data = {.ptr = c}};
    c->writing = writing;
    (void)epoll_ctl(l->epoll, how, c->fd, &e);
}

void load_flush(load *l, load_client *c)
{
    while (c->fd >= 0 && c->out_at < c->out.len) {
        ssize_t n = send(c->fd, c->out.data + c->out_at, c->out.len - c->out_at, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) {
            if (!c->writing) {
                watch(l, c, true, EPOLL_CTL_MOD);
            }
            return;
        }
        if (n <= 0) {
            l->ended++;
            load_drop(l, c);
            return;
        }
        c->out_at += (size_t)n;
    }
    sl_buf_clear(&c->out);
    c->out_at = 0;
    if (c->fd >= 0 && c->writing) {
        watch(l, c, false, EPOLL_CTL_MOD);
    }
}

/* A masked frame; the mask is nought, so that masking costs the generator nothing. */
static void put_frame(load_client *c, uint8_t opcode, const void *p, size_t n)
{
    uint8_t head[14] = {(uint8_t)(0x80 | opcode)};
    size_t at = 2;
    if (n < 126) {
        head[1] = (uint8_t)(0x80 | n);
    } else if (n < 65536) {
        head[1] = 0x80 | 126;
        head[at++] = (uint8_t)(n >> 8);
        head[at++] = (uint8_t)n;
    } else {
        head[1] = 0x80 | 127;
        for (int shift = 56; shift >= 0; shift -= 8) {
            head[at++] = (uint8_t)((uint64_t)n >> shift);
        }
    }
    sl_buf_put(&c->out, head, at + 4);
    sl_buf_put(&c->out, p, n);
    if (c->out.failed) {
        load_die("out of memory");
    }
}

void load_say(load *l, load_client *c, const void *p, size_t n)
{
    put_frame(c, l->protocol->opcode, p, n);
}

void load_publish(load *l, load_client *c, int64_t meant_ns)
{
    char text[LOAD_BODY + 1];
    int64_t number = c->sent + 1;
    int n = snprintf(text, sizeof text, "@@@@%05x%08llx%016llx ", (unsigned)c->index,
                     (unsigned long long)number, (unsigned long long)meant_ns);
    memset(text + n, 'a', (size_t)(LOAD_BODY - n));
    text[LOAD_BODY] = '\0';
    c->sent++;
    l->protocol->publish(l, c, text);
}

/* --- in ----------------------------------------------------------------------------------------- */

void load_is_ready(load *l, load_client *c)
{
    if (c->state != LOAD_READY) {
        c->state = LOAD_READY;
        l->ready++;
    }
}

static uint64_t hex_of(const uint8_t *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++) {
        v = v << 4 | (uint64_t)(p[i] <= '9' ? p[i] - '0' : p[i] - 'a' + 10);
    }
    return v;
}

void load_deliveries(load *l, load_client *c, const uint8_t *p, size_t n)
{
    const uint8_t *end = p + n;
    uint64_t before = c->index - c->mate + (c->mate + LOAD_GROUP - 1) % LOAD_GROUP;
    uint64_t answers = l->protocol->strokes ? before : c->index;
    while ((size_t)(end - p) >= MARK_LEN) {
        p = memmem(p, (size_t)(end - p), "@@@@", 4);
        if (p == NULL || (size_t)(end - p) < MARK_LEN) {
            return;
        }
        uint64_t sender = hex_of(p + 4, 5);
        int64_t number = (int64_t)hex_of(p + 9, 8);
        int64_t *last = &c->last[sender % LOAD_GROUP];
        l->faults += *last != 0 && number != *last + 1 ? 1 : 0;
        *last = number;
        l->delivered++;
        if (l->timing && l->time_count < TIMES_MAX) {
            l->times_us[l->time_count++] =
                (uint32_t)((load_now_ns() - (int64_t)hex_of(p + 17, 16)) / 1000);
        }
        c->own += sender == answers ? 1 : 0;
        p += MARK_LEN;
    }
}

/* A frame at p of at most n bytes: its length, 0 when it is not whole. */
static size_t take_frame(load *l, load_client *c, const uint8_t *p, size_t n)
{
    uint64_t len = n >= 2 ? p[1] & 0x7F : 0;
    size_t head = len == 126 ? 4 : len == 127 ? 10 : 2;
    if (n < head) {
        return 0;
    }
    if (head > 2) {
        len = 0;
        for (size_t i = 2; i < head; i++) {
            len = len << 8 | p[i];
        }
    }
    if (n - head < len) {
        return 0;
    }
    switch (p[0] & 0x0F) {
    case OP_TEXT:
    case OP_BINARY: l->protocol->message(l, c, p + head, (size_t)len); break;
    case OP_PING: put_frame(c, OP_PONG, p + head, (size_t)len); break;
    case OP_CLOSE:
        l->ended++;
        load_drop(l, c);
        break;
    default: break;
    }
    return head + (size_t)len;
}

static size_t take_upgrade(load *l, load_client *c, const uint8_t *p, size_t n)
{
    const uint8_t *end = memmem(p, n, "\r\n\r\n", 4);
    if (end == NULL) {
        return 0;
    }
    if (n < 12 || memcmp(p, "HTTP/1.1 101", 12) != 0) {
        load_die("%s refuses the WebSocket: %.60s", l->protocol->name, (const char *)p);
    }
    c->state = LOAD_GREETING;
    l->protocol->greet(l, c);
    return (size_t)(end - p) + 4;
}

static size_t take_all(load *l, load_client *c, const uint8_t *p, size_t n)
{
    size_t at = 0;
    while (c->fd >= 0 && at < n) {
        size_t took = c->state == LOAD_UPGRADING ? take_upgrade(l, c, p + at, n - at)
                                                 : take_frame(l, c, p + at, n - at);
        if (took == 0) {
            break;
        }
        at += took;
    }
    return at;
}

static void keep_rest(load_client *c, const uint8_t *p, size_t n)
{
    sl_buf_clear(&c->in);
    sl_buf_put(&c->in, p, n);
}

static void read_some(load *l, load_client *c)
{
    size_t had = c->in.len;
    if (had >= CHUNK) {
        load_die("a message is larger than the generator takes");
    }
    memcpy(l->chunk, c->in.data != NULL ? c->in.data : l->chunk, had);
    ssize_t n = recv(c->fd, l->chunk + had, CHUNK - had, 0);
    if (n < 0 && errno == EAGAIN) {
        return;
    }
    if (n <= 0) {
        l->ended++;
        load_drop(l, c);
        return;
    }
    size_t all = had + (size_t)n;
    size_t took = take_all(l, c, l->chunk, all);
    if (c->fd >= 0 && (all > took || had > 0)) {
        keep_rest(c, l->chunk + took, all - took);
    }
    while (l->closed_loop && c->live && c->state == LOAD_READY &&
           c->sent - c->own < LOAD_OUTSTANDING &&
           (!l->protocol->receipts || c->sent - c->receipts < LOAD_OUTSTANDING)) {
        load_publish(l, c, load_now_ns());
    }
}

/* --- the loop ----------------------------------------------------------------------------------- */

static void begin(load *l, load_client *c)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(l->port)};
    int on = 1;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0 ||
        (connect(c->fd, (struct sockaddr *)(void *)&to, sizeof to) != 0 && errno != EINPROGRESS)) {
        load_die("no connection: %s", strerror(errno));
    }
    (void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    c->state = LOAD_UPGRADING;
    sl_buf_fmt(&c->out,
               "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
               "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n",
               l->protocol->path);
    if (l->protocol->subprotocol != NULL) {
        sl_buf_fmt(&c->out, "Sec-WebSocket-Protocol: %s\r\n", l->protocol->subprotocol);
    }
    sl_buf_str(&c->out, "\r\n");
    watch(l, c, true, EPOLL_CTL_ADD);
}

void load_turn(load *l, int64_t until_ns)
{
    struct epoll_event events[EVENTS];
    int64_t left = until_ns - load_now_ns();
    int wait_ms = left <= 0 ? 0 : (int)(left / NS_PER_MS);
    int n = epoll_wait(l->epoll, events, EVENTS, wait_ms);
    for (int i = 0; i < n; i++) {
        load_client *c = events[i].data.ptr;
        if (c->fd >= 0 && (events[i].events & ~(uint32_t)EPOLLOUT) != 0 && !c->deaf) {
            read_some(l, c);
        }
        if (c->fd >= 0 && (c->out.len > 0 || c->writing)) {
            load_flush(l, c);
        }
    }
}

bool load_connect(load *l, size_t from, size_t to, double seconds)
{
    int64_t end = load_now_ns() + (int64_t)(seconds * 1e9);
    size_t next = from;
    size_t before = l->ready;
    while (l->ready - before < to - from && load_now_ns() < end) {
        while (next < to && next - from < l->ready - before + CONNECTING_MAX) {
            begin(l, &l->clients[next++]);
        }
        load_turn(l, load_now_ns() + 10 * (int64_t)NS_PER_MS);
    }
    return l->ready - before == to - from;
}
