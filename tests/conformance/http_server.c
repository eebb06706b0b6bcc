#include "http_server.h"

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    KEPT_MAX = 16,
    REQUEST_MAX = 4 * 1024 * 1024
};

static int g_listener = -1;
static pthread_t g_thread;
static int g_kept[KEPT_MAX]; /* connections left hanging */
static int g_kept_n;

static int listen_somewhere(int *port)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t n = sizeof a;
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&a, sizeof a), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    *port = ntohs(a.sin_port);
    return fd;
}

static void say(int fd, const void *p, size_t n)
{
    const char *at = p;
    while (n > 0) {
        ssize_t put = send(fd, at, n, MSG_NOSIGNAL);
        if (put <= 0) {
            return;
        }
        at += put;
        n -= (size_t)put;
    }
}

static void say_text(int fd, const char *text)
{
    say(fd, text, strlen(text));
}

/* Value of a header, empty when absent. */
static void header(const char *head, const char *name, char *out, size_t cap)
{
    out[0] = 0;
    for (const char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':') {
            const char *value = line + strlen(name) + 1;
            value += strspn(value, " ");
            size_t n = strcspn(value, "\r\n");
            n = n < cap ? n : cap - 1;
            memcpy(out, value, n);
            out[n] = 0;
            return;
        }
    }
}

/* Reads a whole request with its body; NULL when the peer goes away. */
static char *hear(int fd, const char **body, size_t *body_n)
{
    char *text = calloc(1, REQUEST_MAX + 1);
    size_t have = 0;
    *body = NULL;
    *body_n = 0;
    while (text != NULL && have < REQUEST_MAX) {
        ssize_t got = recv(fd, text + have, REQUEST_MAX - have, 0);
        if (got <= 0) {
            break;
        }
        have += (size_t)got;
        char *end = strstr(text, "\r\n\r\n");
        if (end != NULL) {
            char value[32];
            header(text, "Content-Length", value, sizeof value);
            *body = end + 4;
            *body_n = (size_t)strtoul(value, NULL, 10);
            if (have >= (size_t)(*body - text) + *body_n) {
                return text;
            }
        }
    }
    free(text);
    return NULL;
}

static void echo(int fd, const char *text, const char *body, size_t n)
{
    char type[100];
    char expects[100];
    char line[600];
    header(text, "Content-Type", type, sizeof type);
    header(text, "Expect", expects, sizeof expects);
    int method = (int)strcspn(text, " ");
    snprintf(line, sizeof line,
             "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nX-Method: %.*s\r\nX-Type: [%s]\r\n"
             "X-Expect: [%s]\r\nConnection: close\r\n\r\n",
             n, method, text, type, expects);
    say_text(fd, line);
    say(fd, body, n);
}

static void big(int fd)
{
    uint8_t *block = malloc(HTTP_SERVER_BIG);
    char line[100];
    if (block == NULL) {
        return;
    }
    for (size_t i = 0; i < HTTP_SERVER_BIG; i++) {
        block[i] = (uint8_t)(i % 251);
    }
    snprintf(line, sizeof line, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", HTTP_SERVER_BIG);
    say_text(fd, line);
    say(fd, block, HTTP_SERVER_BIG);
    free(block);
}

/* True when the connection stays open. */
static bool answer(int fd, const char *text, const char *body, size_t body_n)
{
    const char *path = strchr(text, ' ');
    path = path == NULL ? "" : path + 1;
    if (strncmp(path, "/hello ", 7) == 0) {
        say_text(fd, "HTTP/1.1 103 Early Hints\r\nX-Early: yes\r\n\r\n"
                     "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Test: yes\r\n"
                     "Connection: close\r\n\r\n");
        say_text(fd, strncmp(text, "HEAD", 4) == 0 ? "" : "hello");
    } else if (strncmp(path, "/echo ", 6) == 0) {
        echo(fd, text, body, body_n);
    } else if (strncmp(path, "/big ", 5) == 0) {
        big(fd);
    } else if (strncmp(path, "/bare ", 6) == 0) {
        say_text(fd, "HTTP/1.1 204 No Content\r\n\r\n");
    } else if (strncmp(path, "/short ", 7) == 0) {
        say_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789");
    } else if (strncmp(path, "/drip ", 6) == 0) {
        say_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n01234");
        return true;
    } else if (strncmp(path, "/moved ", 7) == 0) {
        say_text(fd, "HTTP/1.1 302 Found\r\nLocation: /hello\r\nX-Old: yes\r\n"
                     "Content-Length: 3\r\nConnection: close\r\n\r\nold");
    } else if (strncmp(path, "/elsewhere ", 11) == 0) {
        say_text(fd, "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n"
                     "Content-Length: 0\r\nConnection: close\r\n\r\n");
    } else if (strncmp(path, "/junk ", 6) == 0) {
        say_text(fd, "what?\r\n");
    } else {
        return true;
    }
    return false;
}

static void *serve(void *arg)
{
    (void)arg;
    while (true) {
        int fd = accept(g_listener, NULL, NULL);
        if (fd < 0) {
            return NULL;
        }
        const char *body = NULL;
        size_t body_n = 0;
        char *text = hear(fd, &body, &body_n);
        if (text != NULL && answer(fd, text, body, body_n) && g_kept_n < KEPT_MAX) {
            g_kept[g_kept_n++] = fd;
            fd = -1;
        }
        free(text);
        if (fd >= 0) {
            (void)shutdown(fd, SHUT_WR);
            (void)close(fd);
        }
    }
}

int http_server_start(void)
{
    int port = 0;
    g_kept_n = 0;
    g_listener = listen_somewhere(&port);
    ck_assert_int_eq(listen(g_listener, 64), 0);
    ck_assert_int_eq(pthread_create(&g_thread, NULL, serve, NULL), 0);
    return port;
}

void http_server_stop(void)
{
    (void)shutdown(g_listener, SHUT_RDWR);
    (void)pthread_join(g_thread, NULL);
    (void)close(g_listener);
    for (int i = 0; i < g_kept_n; i++) {
        (void)close(g_kept[i]);
    }
}

int http_server_dead_port(void)
{
    int port = 0;
    int fd = listen_somewhere(&port);
    (void)close(fd);
    return port;
}
