/* One record by HTTP against a bare libwebsockets handler, and a tus upload against nginx's PUT. */
#include "load_main.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    LANES = 16, /* connections that ask, each when it was answered */
    ANSWER_MAX = 16384,
    PIECE = 16 * 1024 * 1024, /* of an upload */
    LOOK = 1024 * 1024,       /* after so much of it memory is looked at */
    UPLOAD = 1024 * 1024 * 1024,
    NGINX_PORT = 18424
};

static int open_lane(uint16_t port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)(void *)&to, sizeof to) != 0) {
        load_die("no connection: %s", strerror(errno));
    }
    return fd;
}

static void send_all(int fd, const void *p, size_t n)
{
    const char *at = p;
    while (n > 0) {
        ssize_t done = send(fd, at, n, MSG_NOSIGNAL);
        if (done <= 0) {
            load_die("the server does not take it: %s", strerror(errno));
        }
        at += done;
        n -= (size_t)done;
    }
}

/* One answer with its body, which is all of what came; its status. */
static int take_answer(int fd, char *text, size_t cap)
{
    size_t n = 0;
    for (;;) {
        ssize_t got = recv(fd, text + n, cap - 1 - n, 0);
        if (got <= 0) {
            load_die("the server does not answer");
        }
        n += (size_t)got;
        text[n] = '\0';
        const char *end = strstr(text, "\r\n\r\n");
        const char *length = strcasestr(text, "\r\ncontent-length:");
        size_t body = length != NULL ? strtoul(length + 17, NULL, 10) : 0;
        if (end != NULL && (size_t)(end + 4 - text) + body <= n) {
            return (int)strtol(text + 9, NULL, 10);
        }
    }
}

/* Answers that are there are taken, and asked for again; how many. It never sleeps: to wake it would be the
 * server's work, and more so the less busy it is. */
static double take_round(struct pollfd *lanes, const char *request, char *text, size_t cap)
{
    double n = 0;
    (void)poll(lanes, LANES, 0);
    for (size_t i = 0; i < LANES; i++) {
        if ((lanes[i].revents & POLLIN) == 0) {
            continue;
        }
        int status = take_answer(lanes[i].fd, text, cap);
        if (status != 200) {
            load_die("answered %d: %s", status, text);
        }
        n++;
        send_all(lanes[i].fd, request, strlen(request));
    }
    return n;
}

/* Requests a second of the server's CPU; *len: of an answer. */
static double ask_for(const load_server *s, const char *request, double seconds, size_t *len)
{
    struct pollfd lanes[LANES];
    char text[ANSWER_MAX];
    double n = 0;
    for (size_t i = 0; i < LANES; i++) {
        lanes[i] = (struct pollfd){.fd = open_lane(s->port), .events = POLLIN};
        send_all(lanes[i].fd, request, strlen(request));
    }
    int64_t warm = load_now_ns() + 300000000;
    int64_t end = warm + (int64_t)(seconds * 1e9);
    double cpu = 0;
    for (int64_t now = load_now_ns(); now < end; now = load_now_ns()) {
        if (cpu == 0 && now >= warm) {
            cpu = load_cpu_s(s);
            n = 0;
        }
        n += take_round(lanes, request, text, sizeof text);
    }
    double spent = load_cpu_s(s) - cpu;
    *len = strlen(text);
    for (size_t i = 0; i < LANES; i++) {
        (void)close(lanes[i].fd);
    }
    return n / spent;
}

void load_part_http(void)
{
    char request[LOAD_TOKEN_MAX + 400];
    char port[300];
    char size[24];
    char text[200];
    double ours = 0;
    double bare = 0;
    size_t len = 0;
    (void)snprintf(port, sizeof port, "%s/port", g_load.dir);
    (void)snprintf(request, sizeof request,
                   "GET /api/v1/sync/load?space=%s&id=%s&limit=1 HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                   "Authorization: Bearer %s\r\n\r\n",
                   g_load.who[0].space, g_load.record, g_load.who[0].token);
    for (unsigned i = 0; i < g_load.rounds; i++) {
        load_server s = {0};
        (void)load_serve_sideline(&s);
        load_best(&ours, ask_for(&s, request, g_load.seconds, &len));
        load_unserve(&s);
        (void)snprintf(size, sizeof size, "%zu", len);
        const char *argv[] = {g_load.bare, port, size, NULL};
        if (g_load.bare == NULL || !load_serve(&s, argv, port, 0, 0)) {
            load_die("the bare handler does not start");
        }
        load_best(&bare, ask_for(&s, request, g_load.seconds, &len));
        load_unserve(&s);
    }
    (void)snprintf(text, sizeof text, "%.0f requests/s of CPU, bare libwebsockets %.0f", ours,
                   bare);
    load_line("one record by HTTP, signed in", text, ours / bare, "x", "≥ 0.5", ours / bare >= 0.5);
}

/* --- uploads ------------------------------------------------------------------------------------ */

static void fill(uint8_t *p, size_t n)
{
    uint64_t x = 88172645463325252U;
    for (size_t i = 0; i + 8 <= n; i += 8) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        memcpy(p + i, &x, 8);
    }
}

/* The bytes of an upload are one piece again and again; their hash, by the system's own program. */
static void hash_upload(const uint8_t *piece, char out[65])
{
    char path[300];
    char line[400];
    (void)snprintf(path, sizeof path, "%s/upload", g_load.dir);
    FILE *f = fopen(path, "we");
    for (size_t at = 0; f != NULL && at < UPLOAD; at += PIECE) {
        if (fwrite(piece, 1, PIECE, f) != PIECE) {
            load_die("the disk is full");
        }
    }
    if (f == NULL || fclose(f) != 0) {
        load_die("%s cannot be written", path);
    }
    (void)snprintf(line, sizeof line, "sha256sum %s", path);
    f = popen(line, "re"); /* NOLINT(cert-env33-c): fixed words */
    if (f == NULL || fscanf(f, "%64s", out) != 1) {
        load_die("sha256sum does not answer");
    }
    (void)pclose(f);
    (void)unlink(path);
}

static void base64(char *out, const char *in)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t n = strlen(in);
    for (size_t i = 0; i < n; i += 3) {
        unsigned v = (unsigned)(uint8_t)in[i] << 16;
        v |= i + 1 < n ? (unsigned)(uint8_t)in[i + 1] << 8 : 0;
        v |= i + 2 < n ? (unsigned)(uint8_t)in[i + 2] : 0;
        *out++ = digits[v >> 18 & 63];
        *out++ = digits[v >> 12 & 63];
        *out++ = i + 1 < n ? digits[v >> 6 & 63] : '=';
        *out++ = i + 2 < n ? digits[v & 63] : '=';
    }
    *out = '\0';
}

typedef struct upload {
    double wall;
    double synced; /* the same with the file synced afterwards */
    double cpu;
    double grown; /* MiB of memory */
} upload;

static void keep_best(upload *best, const upload *took)
{
    double synced = best->synced == 0 || took->synced < best->synced ? took->synced : best->synced;
    if (best->wall == 0 || took->wall < best->wall) {
        *best = *took;
    }
    best->synced = synced;
}

static void begin_tus(int fd, const char *sha256, char location[200])
{
    char text[ANSWER_MAX];
    char request[LOAD_TOKEN_MAX + 800];
    char sha[100];
    char space[100];
    char own[SL_SPACE_MAX];
    (void)snprintf(own, sizeof own, "user:%s", g_load.who[0].user);
    base64(sha, sha256);
    base64(space, own);
    (void)snprintf(
        request, sizeof request,
        "POST /api/v1/uploads HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n"
        "Tus-Resumable: 1.0.0\r\nUpload-Length: %d\r\nContent-Length: 0\r\n"
        "Upload-Metadata: sha256 %s,space %s,type dmlkZW8vbXA0\r\n\r\n",
        g_load.who[0].token, UPLOAD, sha, space);
    send_all(fd, request, strlen(request));
    int status = take_answer(fd, text, sizeof text);
    const char *at = strcasestr(text, "\r\nlocation: ");
    if (status != 201 || at == NULL || sscanf(at + 12, "%199s", location) != 1) {
        load_die("the upload is answered %d: %s", status, text);
    }
}

/* In requests of `request` bytes. */
static void tus(const uint8_t *piece, const char *sha256, size_t request, upload *best)
{
    load_server s = {0};
    char location[200];
    char text[ANSWER_MAX];
    char head[LOAD_TOKEN_MAX + 400];
    (void)load_serve_sideline(&s);
    int fd = open_lane(s.port);
    begin_tus(fd, sha256, location);
    double cpu = load_cpu_s(&s);
    int64_t before = load_rss(&s);
    int64_t most = before;
    int64_t began = load_now_ns();
    for (size_t at = 0; at < UPLOAD; at += request) {
        (void)snprintf(head, sizeof head,
                       "PATCH %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n"
                       "Tus-Resumable: 1.0.0\r\nContent-Type: application/offset+octet-stream\r\n"
                       "Upload-Offset: %zu\r\nContent-Length: %zu\r\n\r\n",
                       location, g_load.who[0].token, at, request);
        send_all(fd, head, strlen(head));
        for (size_t sent = 0; sent < request; sent += LOOK) {
            send_all(fd, piece + sent % PIECE, LOOK);
            int64_t now = load_rss(&s);
            most = now > most ? now : most;
        }
        int status = take_answer(fd, text, sizeof text);
        if (status != 204) {
            load_die("a piece is answered %d: %s", status, text);
        }
    }
    upload took = {.wall = (double)(load_now_ns() - began) / 1e9,
                   .cpu = load_cpu_s(&s) - cpu,
                   .grown = (double)(most - before) / 1048576};
    took.synced = took.wall;
    keep_best(best, &took);
    (void)close(fd);
    load_unserve(&s);
}

static bool serve_nginx(load_server *s)
{
    char path[300];
    char cwd[256];
    if (getcwd(cwd, sizeof cwd) == NULL) {
        return false;
    }
    (void)snprintf(path, sizeof path, "%s/nginx.conf", g_load.dir);
    FILE *f = fopen(path, "we");
    if (f == NULL) {
        load_die("%s cannot be written", path);
    }
    const char *d = g_load.dir;
    const char *up = d[0] == '/' ? "" : cwd;
    const char *slash = d[0] == '/' ? "" : "/";
    (void)fprintf(f,
                  "daemon off; master_process off; pid %s%s%s/nginx.pid; error_log stderr crit;\n"
                  "events {}\nhttp { access_log off; client_body_temp_path %s%s%s/nginx-body;\n"
                  "proxy_temp_path %s%s%s/nginx-p; fastcgi_temp_path %s%s%s/nginx-f;\n"
                  "uwsgi_temp_path %s%s%s/nginx-u; scgi_temp_path %s%s%s/nginx-s;\n"
                  "client_max_body_size 0; server { listen 127.0.0.1:%d; root %s%s%s/nginx-root;\n"
                  "location / { dav_methods PUT DELETE; } } }\n",
                  up, slash, d, up, slash, d, up, slash, d, up, slash, d, up, slash, d, up, slash,
                  d, NGINX_PORT, up, slash, d);
    (void)fclose(f);
    load_shell("mkdir -p %s/nginx-root %s/nginx-body", d, d);
    char full[600];
    (void)snprintf(full, sizeof full, "%s%s%s", up, slash, path);
    const char *argv[] = {"nginx", "-c", full, NULL};
    return load_serve(s, argv, NULL, NGINX_PORT, 0);
}

/* What nginx leaves to the system. */
static void sync_upload(void)
{
    char path[300];
    (void)snprintf(path, sizeof path, "%s/nginx-root/upload", g_load.dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fdatasync(fd) != 0) {
        load_die("%s cannot be synced", path);
    }
    (void)close(fd);
}

static void put(const uint8_t *piece, upload *best)
{
    load_server s = {0};
    char text[ANSWER_MAX];
    char head[300];
    if (!serve_nginx(&s)) {
        return;
    }
    int fd = open_lane(s.port);
    double cpu = load_cpu_s(&s);
    int64_t began = load_now_ns();
    (void)snprintf(head, sizeof head,
                   "PUT /upload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n", UPLOAD);
    send_all(fd, head, strlen(head));
    for (size_t at = 0; at < UPLOAD; at += PIECE) {
        send_all(fd, piece, PIECE);
    }
    int status = take_answer(fd, text, sizeof text);
    if (status != 201 && status != 204) {
        load_die("nginx answers %d: %s", status, text);
    }
    upload took = {.wall = (double)(load_now_ns() - began) / 1e9, .cpu = load_cpu_s(&s) - cpu};
    sync_upload();
    took.synced = (double)(load_now_ns() - began) / 1e9;
    keep_best(best, &took);
    (void)close(fd);
    load_unserve(&s);
    load_shell("rm -rf %s/nginx-root", g_load.dir);
}

static void tell_upload(const char *what, const upload *ours, const upload *nginx)
{
    char text[200];
    (void)snprintf(text, sizeof text, "%.2f s, CPU %.2f; nginx's PUT %.2f s, CPU %.2f", ours->wall,
                   ours->cpu, nginx->wall, nginx->cpu);
    load_line(what, text, nginx->wall / ours->wall, "x", "≥ 0.7", nginx->wall / ours->wall >= 0.7);
    (void)snprintf(text, sizeof text, "nginx's PUT and fdatasync %.2f s", nginx->synced);
    load_line("- against a PUT that is on the disk too", text, nginx->synced / ours->wall, "x", "",
              true);
    load_line("- memory that it takes at most", "", ours->grown, "MiB", "", true);
}

void load_part_upload(void)
{
    char sha256[65];
    upload whole = {0};
    upload parts = {0};
    upload nginx = {0};
    uint8_t *piece = malloc(PIECE);
    if (piece == NULL) {
        load_die("out of memory");
    }
    fill(piece, PIECE);
    hash_upload(piece, sha256);
    for (unsigned i = 0; i < g_load.rounds; i++) {
        tus(piece, sha256, UPLOAD, &whole);
        tus(piece, sha256, PIECE, &parts);
        put(piece, &nginx);
    }
    free(piece);
    if (nginx.wall == 0) {
        (void)printf("| tus upload of 1 GiB | nginx: not measured | | | |\n");
        return;
    }
    tell_upload("tus upload of 1 GiB in one request, durable, its hash checked", &whole, &nginx);
    tell_upload("the same in 64 requests, each durable", &parts, &nginx);
}
