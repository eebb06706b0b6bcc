#include "link.h"

#include "platform/posix/posix.h"
#include "server/db_sqlite.h"
#include "server/password.h"
#include "service/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>

enum {
    DEVICES_MAX = 8,
    VALUE_MAX = 2000,
    BURST_FRAMES = 64,
    BURST_BYTES = 256 * 1024,
    WAIT_MS_MAX = 20
};

typedef enum news_kind {
    NEWS_OPEN,
    NEWS_FRAME,
    NEWS_CLOSE,
    NEWS_REQUEST
} news_kind;

/* One thing on its way. */
typedef struct news {
    struct news *next;
    news_kind kind;
    sl_id id;
    int32_t code; /* of a close; kind of a frame */
    size_t n;
    char *method; /* of a request, with its path and headers */
    char *path;
    char *headers;
    uint8_t data[];
} news;

typedef struct queue {
    news *first;
    news **last;
} queue;

struct device {
    link_t *link;
    sl_core *core;
    sl_core *listening;
    char dir[128];
    sl_id ws;
    bool binary;
    sl_id conn; /* the service's number of ws; 0: none */
    queue up;
    queue down;
    link_spent spent;
    sl_id op;        /* waited for; 0 when it has ended */
    int32_t wait_ms; /* as its last step said, and when that will be */
    double due_s;
    bool poked; /* called, so it is to be stepped */
    sl_platform platform;
};

struct link {
    sl_service *service;
    sl_platform platform;
    device *devices[DEVICES_MAX];
    sl_id last_conn;
    double cpu;
};

static void *must_alloc(size_t n)
{
    void *p = calloc(1, n);
    if (p == NULL) {
        bench_die("out of memory");
    }
    return p;
}

static news *push(queue *q, news_kind kind, sl_id id, const void *data, size_t n)
{
    news *one = must_alloc(sizeof *one + n + 1);
    one->kind = kind;
    one->id = id;
    one->n = n;
    if (n > 0) {
        memcpy(one->data, data, n);
    }
    if (q->first == NULL) {
        q->last = &q->first;
    }
    *q->last = one;
    q->last = &one->next;
    return one;
}

static news *pull(queue *q)
{
    news *one = q->first;
    if (one != NULL) {
        q->first = one->next;
    }
    return one;
}

static void news_free(news *one)
{
    free(one->method);
    free(one->path);
    free(one->headers);
    free(one);
}

static void drop_all(queue *q)
{
    news *one = NULL;
    while ((one = pull(q)) != NULL) {
        news_free(one);
    }
}

/* --- what the core asks for --------------------------------------------------------------- */

static sl_status on_start(void *user, sl_id req, const sl_http_request *request)
{
    device *d = user;
    news *one = push(&d->up, NEWS_REQUEST, req, request->body, request->body_len);
    const char *path = strstr(request->url, "://server");
    one->method = strdup(request->method);
    one->path = strdup(path != NULL ? path + strlen("://server") : request->url);
    one->headers = strdup(request->headers);
    return SL_OK;
}

static void on_cancel(void *user, sl_id req)
{
    (void)user;
    (void)req;
}

static sl_status on_open(void *user, sl_id ws, const char *url, const char *subprotocol)
{
    device *d = user;
    (void)url;
    d->binary = strcmp(subprotocol, "sideline.v1") == 0;
    d->ws = ws;
    (void)push(&d->up, NEWS_OPEN, ws, NULL, 0);
    return SL_OK;
}

static sl_status on_send(void *user, sl_id ws, int32_t kind, const uint8_t *p, size_t n)
{
    device *d = user;
    push(&d->up, NEWS_FRAME, ws, p, n)->code = kind;
    d->spent.up += n;
    d->spent.frames_up++;
    return SL_OK;
}

static void on_close(void *user, sl_id ws, int32_t code, const char *reason)
{
    device *d = user;
    (void)reason;
    push(&d->up, NEWS_CLOSE, ws, NULL, 0)->code = code;
}

static sl_status on_core(void *user, sl_core *core)
{
    ((device *)user)->listening = core;
    return SL_OK;
}

static void on_stop(void *user)
{
    ((device *)user)->listening = NULL;
}

static const sl_http_ops HTTP = {sizeof HTTP, 0, on_start, on_cancel};
static const sl_ws_ops WS = {sizeof WS, 0, on_open, on_send, on_close};

/* --- what the service asks for -------------------------------------------------------------- */

static device *device_of(link_t *l, sl_id conn)
{
    for (size_t i = 0; i < DEVICES_MAX; i++) {
        if (l->devices[i] != NULL && l->devices[i]->conn == conn) {
            return l->devices[i];
        }
    }
    return NULL;
}

static void port_send(void *user, sl_id conn, const void *p, size_t n)
{
    device *d = device_of(user, conn);
    if (d != NULL) {
        push(&d->down, NEWS_FRAME, d->ws, p, n)->code = d->binary ? SL_WS_BINARY : SL_WS_TEXT;
    }
}

static void port_close(void *user, sl_id conn, int32_t code, const char *reason)
{
    device *d = device_of(user, conn);
    (void)reason;
    if (d != NULL) {
        push(&d->down, NEWS_CLOSE, d->ws, NULL, 0)->code = code;
    }
}

static sl_status port_hash(void *user, const char *secret, char **out, sl_error **err)
{
    return sl_password_hash(&((link_t *)user)->platform, secret, out, err);
}

static bool port_check(void *user, const char *secret, const char *hash)
{
    (void)user;
    return sl_password_check(secret, hash);
}

/* --- at the service ------------------------------------------------------------------------- */

static const char *header_of(void *ctx, const char *name)
{
    static char value[VALUE_MAX];
    size_t n = strlen(name);
    for (const char *p = ctx; *p != '\0';) {
        const char *end = strstr(p, "\r\n");
        end = end != NULL ? end : p + strlen(p);
        if (strncasecmp(p, name, n) == 0 && p[n] == ':') {
            p += n + 1 + strspn(p + n + 1, " ");
            (void)snprintf(value, sizeof value, "%.*s", (int)(end - p), p);
            return value;
        }
        p = *end != '\0' ? end + 2 : end;
    }
    return NULL;
}

static void answer(device *d, const news *one)
{
    static const char none[] = "";
    sl_http_in in = {.method = one->method,
                     .path = one->path,
                     .query = none,
                     .header = header_of,
                     .ctx = one->headers,
                     .body = one->data,
                     .body_len = one->n};
    sl_http_out out = {0};
    sl_service_http(d->link->service, &in, &out);
    sl_host_http_head(d->listening, one->id, out.status, out.headers != NULL ? out.headers : none);
    if (out.body != NULL) {
        sl_host_http_data(d->listening, one->id, sl_bytes_data(out.body), sl_bytes_len(out.body));
    }
    sl_host_http_done(d->listening, one->id, SL_OK);
    sl_http_out_free(&out);
}

static void at_service(device *d, const news *one)
{
    link_t *l = d->link;
    double began = bench_cpu_s();
    if (one->kind == NEWS_OPEN) {
        d->conn = ++l->last_conn;
        sl_service_ws_open(l->service, d->conn, d->binary);
    } else if (one->kind == NEWS_FRAME && d->conn != 0) {
        sl_service_ws_message(l->service, d->conn, (const char *)one->data, one->n);
    } else if (one->kind == NEWS_CLOSE) {
        if (d->conn != 0) {
            sl_service_ws_closed(l->service, d->conn);
        }
        d->conn = 0;
        drop_all(&d->down);
    }
    if (one->kind != NEWS_REQUEST) {
        l->cpu += bench_cpu_s() - began;
    }
    if (one->kind == NEWS_OPEN) {
        sl_host_ws_opened(d->listening, one->id);
    } else if (one->kind == NEWS_CLOSE) {
        sl_host_ws_closed(d->listening, one->id, one->code);
    } else if (one->kind == NEWS_REQUEST) {
        answer(d, one);
    }
}

/* --- at the core ---------------------------------------------------------------------------- */

static void hear_events(device *d)
{
    sl_bytes *b = NULL;
    while (sl_core_poll(d->core, 100000, &b, NULL) == SL_OK && b != NULL) {
        char name[48];
        const char *text = (const char *)sl_bytes_data(b);
        (void)snprintf(name, sizeof name, "\"op\":%llu,\"ok\":", (unsigned long long)d->op);
        const char *end = strstr(text, name);
        if (strstr(text, "\"ok\":false") != NULL || strstr(text, "\"rejected\"") != NULL) {
            bench_die("an event says: %.400s", text);
        }
        d->op = end != NULL ? 0 : d->op;
        sl_bytes_release(b);
    }
}

/* Tells the core what has come, as much as one look at a socket brings; false when nothing has. */
static bool deliver(device *d)
{
    size_t bytes = 0;
    unsigned frames = 0;
    news *one = NULL;
    while (bytes < BURST_BYTES && frames < BURST_FRAMES && (one = pull(&d->down)) != NULL) {
        if (one->kind == NEWS_FRAME) {
            sl_host_ws_message(d->listening, one->id, one->code, one->data, one->n);
        } else {
            d->conn = 0;
            sl_host_ws_closed(d->listening, one->id, one->code);
        }
        bytes += one->n;
        frames++;
        news_free(one);
    }
    d->spent.down += bytes;
    d->spent.frames_down += frames;
    return frames > 0;
}

/* A step of the core when it has a reason for one; true when it had. */
static bool at_core(device *d)
{
    double began = bench_cpu_s();
    bool heard = deliver(d);
    if (!heard && !d->poked && (d->wait_ms < 0 || bench_wall_s() < d->due_s)) {
        return false;
    }
    d->poked = false;
    d->wait_ms = sl_core_step(d->core);
    double took = bench_cpu_s() - began;
    d->due_s = bench_wall_s() + (double)d->wait_ms / 1000;
    d->spent.cpu += took;
    if (heard) {
        d->spent.longest = took > d->spent.longest ? took : d->spent.longest;
    }
    hear_events(d);
    return heard || d->wait_ms == 0;
}

/* Moves everything that is on its way; true when something was. */
static bool turn(link_t *l)
{
    bool moved = false;
    for (size_t i = 0; i < DEVICES_MAX; i++) {
        device *d = l->devices[i];
        news *one = NULL;
        if (d == NULL || d->core == NULL) {
            continue;
        }
        while ((one = pull(&d->up)) != NULL) {
            at_service(d, one);
            news_free(one);
            d->poked = true;
            moved = true;
        }
        moved = at_core(d) || d->up.first != NULL || moved;
    }
    return moved;
}

static void sleep_ms(int32_t ms)
{
    struct timespec t = {0, (long)ms * 1000000};
    (void)nanosleep(&t, NULL);
}

/* Until the operation has ended, and then until nothing moves. */
static void run(device *d)
{
    d->poked = true;
    for (;;) {
        if (turn(d->link)) {
            continue;
        }
        if (d->op == 0) {
            return;
        }
        if (d->wait_ms < 0) {
            bench_die("nothing moves, and an operation waits");
        }
        sleep_ms(d->wait_ms < WAIT_MS_MAX ? d->wait_ms : WAIT_MS_MAX);
    }
}

/* --- for the parts -------------------------------------------------------------------------- */

link_t *link_open(const char *dir)
{
    char path[300];
    link_t *l = must_alloc(sizeof *l);
    sl_error *err = NULL;
    l->platform = (sl_platform){.struct_size = sizeof l->platform,
                                .clock = &sl_posix_clock,
                                .random = &sl_posix_random,
                                .files = &sl_posix_files};
    sl_service_ports ports = {.platform = &l->platform,
                              .user = l,
                              .send = port_send,
                              .close = port_close,
                              .hash_password = port_hash,
                              .check_password = port_check};
    sl_service_config config = {.dir = dir};
    (void)snprintf(path, sizeof path, "%s/server.db", dir);
    sl_status status = sl_db_sqlite_open(path, NULL, &ports.db, &err);
    bench_must(status, err, "the service's database");
    /* Its disk is not what is measured, and the set goes in one operation at a time. */
    status = ports.db.run(ports.db.user, "PRAGMA synchronous=OFF", NULL, 0, NULL, NULL, &err);
    bench_must(status, err, "the service's database");
    status = sl_service_open(&ports, &config, &l->service, &err);
    bench_must(status, err, "sl_service_open");
    return l;
}

void link_close(link_t *l)
{
    for (size_t i = 0; i < DEVICES_MAX; i++) {
        device_close(l->devices[i]);
    }
    sl_service_close(l->service);
    free(l);
}

double link_service_cpu(const link_t *l)
{
    return l->cpu;
}

static void sign_in(device *d, bool up)
{
    static const char signup[] =
        "{\"email\":\"" LINK_EMAIL "\",\"password\":\"" LINK_PASSWORD
        "\",\"name\":\"Bench\",\"birth_date\":\"1990-01-31\",\"role\":\"athlete\"}";
    static const char login[] = "{\"email\":\"" LINK_EMAIL "\",\"password\":\"" LINK_PASSWORD "\"}";
    sl_error *err = NULL;
    sl_status status = up ? sl_session_signup(d->core, signup, strlen(signup), &d->op, &err)
                          : sl_session_login(d->core, login, strlen(login), &d->op, &err);
    bench_must(status, err, "signing in");
    run(d);
    device_offline(d);
    memset(&d->spent, 0, sizeof d->spent);
}

static device *open_device(link_t *l, const char *name, bool quick, bool signup)
{
    size_t at = 0;
    while (at < DEVICES_MAX && l->devices[at] != NULL) {
        at++;
    }
    if (at == DEVICES_MAX) {
        bench_die("too many devices");
    }
    device *d = must_alloc(sizeof *d);
    d->link = l;
    l->devices[at] = d;
    (void)snprintf(d->dir, sizeof d->dir, "%s", quick ? bench_quick_dir(name) : bench_dir(name));
    d->platform = (sl_platform){.struct_size = sizeof d->platform,
                                .user = d,
                                .clock = &sl_posix_clock,
                                .random = &sl_posix_random,
                                .files = &sl_posix_files,
                                .http = &HTTP,
                                .ws = &WS,
                                .start = on_core,
                                .stop = on_stop};
    sl_config config = {.struct_size = sizeof config,
                        .flags = SL_CORE_STEPPED,
                        .dir = d->dir,
                        .server = "http://server",
                        .platform = &d->platform};
    sl_error *err = NULL;
    sl_status status = sl_core_open(&config, &d->core, &err);
    bench_must(status, err, "sl_core_open");
    sign_in(d, signup);
    return d;
}

device *device_open(link_t *l, const char *name, bool quick)
{
    return open_device(l, name, quick, false);
}

void device_close(device *d)
{
    if (d == NULL) {
        return;
    }
    device_offline(d);
    sl_core_close(d->core);
    drop_all(&d->up);
    drop_all(&d->down);
    for (size_t i = 0; i < DEVICES_MAX; i++) {
        if (d->link->devices[i] == d) {
            d->link->devices[i] = NULL;
        }
    }
    free(d);
}

sl_core *device_core(device *d)
{
    return d->core;
}

const char *device_dir(const device *d)
{
    return d->dir;
}

link_spent device_spent(const device *d)
{
    return d->spent;
}

void device_online(device *d)
{
    sl_error *err = NULL;
    sl_status status = sl_sync_control(d->core, SL_SYNC_START, &err);
    bench_must(status, err, "going online");
    run(d);
}

void device_offline(device *d)
{
    sl_error *err = NULL;
    sl_status status = sl_sync_control(d->core, SL_SYNC_STOP, &err);
    bench_must(status, err, "going offline");
    run(d);
}

void device_settle(device *d)
{
    sl_error *err = NULL;
    sl_status status = sl_sync_settle(d->core, &d->op, &err);
    bench_must(status, err, "sl_sync_settle");
    run(d);
}

void device_apply(device *d, const char *ops, size_t n)
{
    sl_error *err = NULL;
    sl_bytes *ids = NULL;
    double began = bench_cpu_s();
    sl_status status = sl_apply(d->core, ops, n, &ids, &err);
    (void)sl_core_step(d->core);
    d->spent.cpu += bench_cpu_s() - began;
    bench_must(status, err, "sl_apply");
    sl_bytes_release(ids);
    hear_events(d);
}

size_t bench_count(sl_core *core)
{
    static const char query[] = "{\"from\":\"annotation\",\"count\":true}";
    sl_error *err = NULL;
    sl_bytes *out = NULL;
    sl_status status = sl_query_once(core, query, strlen(query), &out, &err);
    bench_must(status, err, "counting");
    const char *at = strstr((const char *)sl_bytes_data(out), "\"count\":");
    size_t n = at != NULL ? strtoul(at + strlen("\"count\":"), NULL, 10) : 0;
    sl_bytes_release(out);
    return n;
}

size_t device_count(device *d)
{
    return bench_count(d->core);
}

/* --- the seeded service --------------------------------------------------------------------- */

static link_t *g_link;
static device *g_seed;
static char g_seeded_dir[128];

static void create_videos(device *d)
{
    static char ops[BENCH_VIDEOS * 500];
    size_t n = 0;
    for (unsigned i = 0; i < BENCH_VIDEOS; i++) {
        char id[37];
        bench_video_of(i, id);
        n += (size_t)snprintf(
            ops + n, sizeof ops - n,
            "%s{\"op\":\"create\",\"entity\":\"video\",\"space\":\"video:%s\",\"id\":\"%s\","
            "\"fields\":{\"title\":\"Throw %u\",\"blob\":\"%064x\",\"media_type\":\"video/mp4\","
            "\"size\":1000000,\"duration_us\":60000000,\"width\":1280,\"height\":720}}",
            i == 0 ? "[" : ",", id, id, i, i + 1);
    }
    ops[n++] = ']';
    device_apply(d, ops, n);
    device_settle(d);
}

/* The file that says how many rows the folder of --seeded has. */
static FILE *seeded_file(const char *mode)
{
    char path[300];
    (void)snprintf(path, sizeof path, "%s/seeded-rows", g_bench.seeded);
    return fopen(path, mode);
}

static bool is_seeded(void)
{
    char text[32] = "";
    FILE *f = g_bench.seeded != NULL ? seeded_file("r") : NULL;
    if (f == NULL) {
        return false;
    }
    bool same = fgets(text, sizeof text, f) != NULL && strtoull(text, NULL, 10) == g_bench.rows;
    (void)fclose(f);
    if (!same) {
        bench_die("%s has another number of rows", g_bench.seeded);
    }
    return true;
}

static void note_seeded(void)
{
    FILE *f = g_bench.seeded != NULL ? seeded_file("w") : NULL;
    if (f != NULL) {
        (void)fprintf(f, "%zu\n", g_bench.rows);
    }
    if (g_bench.seeded != NULL && (f == NULL || fclose(f) != 0)) {
        bench_die("%s cannot be written", g_bench.seeded);
    }
}

link_t *link_seeded(device **seed)
{
    if (g_link == NULL && g_seeded_dir[0] == '\0') {
        if (is_seeded()) {
            bench_die("this part makes its own service: not with --seeded");
        }
        if (g_bench.seeded != NULL && mkdir(g_bench.seeded, 0700) != 0) {
            bench_die("%s cannot be made", g_bench.seeded);
        }
        (void)snprintf(g_seeded_dir, sizeof g_seeded_dir, "%s",
                       g_bench.seeded != NULL ? g_bench.seeded : bench_dir("service"));
        g_link = link_open(g_seeded_dir);
        g_seed = open_device(g_link, "seed", true, true);
        device_online(g_seed);
        create_videos(g_seed);
        for (size_t i = 0; i < g_bench.rows; i += BENCH_BATCH) {
            size_t n = 0;
            char *ops = bench_creates(i, &n);
            device_apply(g_seed, ops, n);
            device_settle(g_seed);
            free(ops);
        }
    }
    if (g_link == NULL) {
        bench_die("the seeded service is closed");
    }
    *seed = g_seed;
    return g_link;
}

const char *link_seeded_dir(void)
{
    device *seed = NULL;
    if (g_seeded_dir[0] == '\0' && is_seeded()) {
        (void)snprintf(g_seeded_dir, sizeof g_seeded_dir, "%s", g_bench.seeded);
    } else if (g_seeded_dir[0] == '\0') {
        (void)link_seeded(&seed);
    }
    if (g_link != NULL) {
        link_close(g_link);
        g_link = NULL;
        note_seeded();
    }
    return g_seeded_dir;
}
