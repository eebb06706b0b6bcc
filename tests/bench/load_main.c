/*
 * The server's speed, as ratios within one run: fan-out, durable fan-out, many that only listen, memory,
 * everybody back at once, one record by HTTP, an upload. README.md says what each is and keeps the figures.
 *
 *   bench_load --sidelined PATH --bare PATH [--peers DIR --scripts DIR] [--rounds N] [--seconds S] [PART..]
 */
#include "load_main.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

load_options g_load = {.rounds = 3, .seconds = 2.0, .dir = "build/bench-load"};

/* --- the table ---------------------------------------------------------------------------------- */

void load_line(const char *what, const char *measured, double value, const char *unit,
               const char *reach, bool met)
{
    (void)printf("| %s | %s | %.4g %s | %s | %s |\n", what, measured, value, unit, reach,
                 reach[0] == '\0' ? ""
                 : met            ? "yes"
                                  : "no");
    (void)fflush(stdout);
}

void load_best(double *best, double value)
{
    *best = value > *best ? value : *best;
}

void load_shell(const char *fmt, ...)
{
    char line[1000];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    if (system(line) != 0) { /* NOLINT(cert-env33-c): fixed words */
        load_die("failed: %s", line);
    }
}

/* --- servers ------------------------------------------------------------------------------------ */

bool load_serve_sideline(load_server *s)
{
    char data[300];
    char port[320];
    load_shell("rm -rf %s/data && cp -r %s/seed %s/data", g_load.dir, g_load.dir, g_load.dir);
    (void)snprintf(data, sizeof data, "%s/data", g_load.dir);
    (void)snprintf(port, sizeof port, "%s/port", g_load.dir);
    const char *argv[] = {g_load.sidelined, "--data", data,    "--port",   "0",
                          "--port-file",    port,     "--mfa", "optional", "--no-limits",
                          "--no-media",     NULL};
    if (!load_serve(s, argv, port, 0, 0)) {
        load_die("sidelined does not start");
    }
    return true;
}

static bool serve_ws(load_server *s, bool durable)
{
    char script[300];
    char port[300];
    char database[300];
    if (g_load.peers == NULL) {
        return false;
    }
    (void)snprintf(script, sizeof script, "%s/chat.mjs", g_load.scripts);
    (void)snprintf(port, sizeof port, "%s/port", g_load.dir);
    (void)snprintf(database, sizeof database, "%s/ws.db", g_load.dir);
    load_shell("rm -f %s/ws.db*", g_load.dir);
    const char *argv[] = {"node", script, g_load.peers, port, durable ? database : NULL, NULL};
    return load_serve(s, argv, port, 0, 0);
}

static bool serve_nats(load_server *s)
{
    char path[300];
    (void)snprintf(path, sizeof path, "%s/nats.conf", g_load.dir);
    FILE *f = fopen(path, "we");
    if (f == NULL) {
        load_die("%s cannot be written", path);
    }
    (void)fprintf(
        f, "listen: 127.0.0.1:18422\nwebsocket { listen: \"127.0.0.1:18423\", no_tls: true }\n"
           "authorization { user: bench, password: bench }\n");
    (void)fclose(f);
    const char *argv[] = {"nats-server", "-c", path, NULL};
    return load_serve(s, argv, NULL, 18423, 0);
}

typedef struct peer {
    const char *name;
    const load_protocol *protocol;
    bool (*serve)(load_server *s);
    double per_cpu;  /* deliveries a second of the server's CPU, best */
    double per_wall; /* deliveries a second */
} peer;

static bool serve_ws_plain(load_server *s)
{
    return serve_ws(s, false);
}

static bool serve_ws_durable(load_server *s)
{
    return serve_ws(s, true);
}

/* --- fan-out ------------------------------------------------------------------------------------ */

static void run_for(load *l, double seconds)
{
    int64_t end = load_now_ns() + (int64_t)(seconds * 1e9);
    while (load_now_ns() < end) {
        load_turn(l, end);
    }
}

static void start_talking(load *l)
{
    l->closed_loop = true;
    for (size_t i = 0; i < LOAD_CLIENTS; i++) {
        load_client *c = &l->clients[i];
        c->live = true;
        for (int k = 0; k < LOAD_OUTSTANDING; k++) {
            load_publish(l, c, load_now_ns());
        }
        load_flush(l, c);
    }
}

void load_check(const load *l, const char *what)
{
    if (l->faults > 0 || l->ended > 0) {
        load_die("%s: %lld messages lost, doubled or out of order, %lld connections ended", what,
                 (long long)l->faults, (long long)l->ended);
    }
}

static void saturate(peer *p)
{
    load_server s = {0};
    load l;
    if (!p->serve(&s)) {
        return;
    }
    load_start(&l, p->protocol, s.port, g_load.who, LOAD_CLIENTS);
    if (!load_connect(&l, 0, LOAD_CLIENTS, 30)) {
        load_die("%s: the clients do not get in", p->name);
    }
    start_talking(&l);
    run_for(&l, 0.5);
    int64_t had = l.delivered;
    double cpu = load_cpu_s(&s);
    int64_t began = load_now_ns();
    run_for(&l, g_load.seconds);
    double wall = (double)(load_now_ns() - began) / 1e9;
    double n = (double)(l.delivered - had);
    load_best(&p->per_cpu, n / (load_cpu_s(&s) - cpu));
    load_best(&p->per_wall, n / wall);
    load_check(&l, p->name);
    load_end(&l);
    load_unserve(&s);
}

static void compare(const char *what, const peer *ours, const peer *theirs, double reach,
                    bool by_wall)
{
    char text[200];
    char bar[32] = "";
    double a = by_wall ? ours->per_wall : ours->per_cpu;
    double b = by_wall ? theirs->per_wall : theirs->per_cpu;
    if (b <= 0) {
        (void)printf("| %s | %s: not measured | | | |\n", what, theirs->name);
        return;
    }
    (void)snprintf(text, sizeof text, "%.0f deliveries/s%s, %s %.0f", a, by_wall ? "" : " of CPU",
                   theirs->name, b);
    if (reach > 0) {
        (void)snprintf(bar, sizeof bar, "≥ %.3g", reach);
    }
    load_line(what, text, a / b, "x", bar, a / b >= reach);
}

static void part_fanout(void)
{
    peer ours = {.name = "sidelined", .protocol = &load_sideline, .serve = load_serve_sideline};
    peer ws = {.name = "ws", .protocol = &load_ws, .serve = serve_ws_plain};
    peer durable = {.name = "ws + better-sqlite3", .protocol = &load_ws, .serve = serve_ws_durable};
    peer nats = {.name = "nats-server", .protocol = &load_nats, .serve = serve_nats};
    for (unsigned i = 0; i < g_load.rounds; i++) {
        saturate(&ours);
        saturate(&ws);
        saturate(&nats);
        saturate(&durable);
    }
    compare("fan-out at saturation, ours durable", &ours, &ws, 8, false);
    compare("the same", &ours, &nats, 1.5, false);
    compare("the same by the clock", &ours, &ws, 0, true);
    compare("durable by the clock", &ours, &durable, 3, true);
    compare("durable", &ours, &durable, 3, false);
}

/* --- 20,000 deliveries a second ----------------------------------------------------------------- */

static int by_time(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return x < y ? -1 : x > y ? 1 : 0;
}

typedef struct paced {
    double p50_us;
    double p99_us;
    double cpu_us; /* per delivery */
} paced;

static void pace(load *l, const load_server *s, double seconds, paced *out)
{
    const int64_t every_ns = 500000; /* 2,000 messages a second, each to LOAD_GROUP */
    int64_t next = load_now_ns() + every_ns;
    int64_t end = next + (int64_t)(seconds * 1e9);
    size_t who = 0;
    double cpu = load_cpu_s(s);
    int64_t had = l->delivered;
    l->timing = true;
    while (next < end) {
        while (load_now_ns() >= next) {
            load_client *c = &l->clients[who];
            who = (who + 37) % LOAD_CLIENTS; /* of another group each time */
            load_publish(l, c, next);
            load_flush(l, c);
            next += every_ns;
        }
        load_turn(l, load_now_ns());
    }
    run_for(l, 0.3);
    qsort(l->times_us, l->time_count, sizeof *l->times_us, by_time);
    double n = (double)(l->delivered - had);
    size_t middle = l->time_count / 2;
    size_t last = l->time_count * 99 / 100;
    double p50 = l->times_us[middle];
    if (out->p50_us == 0 || p50 < out->p50_us) {
        *out = (paced){p50, l->times_us[last], out->cpu_us};
    }
    double us = (load_cpu_s(s) - cpu) * 1e6 / n;
    out->cpu_us = out->cpu_us == 0 || us < out->cpu_us ? us : out->cpu_us;
}

static void paced_round(const load_protocol *protocol, bool (*serve)(load_server *), size_t idle,
                        paced *out)
{
    load_server s = {0};
    load l;
    if (!serve(&s)) {
        return;
    }
    load_start(&l, protocol, s.port, g_load.who, LOAD_CLIENTS + idle);
    if (!load_connect(&l, 0, LOAD_CLIENTS + idle, 60)) {
        load_die("%s: the clients do not get in", protocol->name);
    }
    pace(&l, &s, g_load.seconds, out);
    load_check(&l, protocol->name);
    load_end(&l);
    load_unserve(&s);
}

static void compare_paced(const char *what, const paced *ours, const paced *ws)
{
    char text[200];
    if (ws->p50_us == 0) {
        (void)printf("| %s | ws: not measured | | | |\n", what);
        return;
    }
    (void)snprintf(text, sizeof text, "p50 %.0f µs, p99 %.0f; ws with none beside %.0f, %.0f",
                   ours->p50_us, ours->p99_us, ws->p50_us, ws->p99_us);
    load_line(what, text, ours->p50_us / ws->p50_us, "x", "≤ 1", ours->p50_us <= ws->p50_us);
    (void)snprintf(text, sizeof text, "%.1f µs of CPU a delivery, ws %.1f", ours->cpu_us,
                   ws->cpu_us);
    load_line("the same", text, ours->cpu_us / ws->cpu_us, "x", "≤ 0.75",
              ours->cpu_us <= 0.75 * ws->cpu_us);
}

static void part_paced(void)
{
    paced ours = {0};
    paced ws = {0};
    for (unsigned i = 0; i < g_load.rounds; i++) {
        paced_round(&load_sideline, load_serve_sideline, 5000, &ours);
        paced_round(&load_ws, serve_ws_plain, 0, &ws);
    }
    compare_paced("20,000 deliveries/s beside 5,000 idle connections, durable", &ours, &ws);
}

/* --- strokes ------------------------------------------------------------------------------------ */

static void part_strokes(void)
{
    peer ours = {
        .name = "sidelined", .protocol = &load_sideline_strokes, .serve = load_serve_sideline};
    peer ws = {.name = "ws", .protocol = &load_ws_strokes, .serve = serve_ws_plain};
    peer nats = {.name = "nats-server", .protocol = &load_nats_strokes, .serve = serve_nats};
    paced ours_paced = {0};
    paced ws_paced = {0};
    for (unsigned i = 0; i < g_load.rounds; i++) {
        saturate(&ours);
        saturate(&ws);
        saturate(&nats);
        paced_round(ours.protocol, ours.serve, 5000, &ours_paced);
        paced_round(ws.protocol, ws.serve, 0, &ws_paced);
    }
    compare("strokes at saturation", &ours, &ws, 8, false);
    compare("the same", &ours, &nats, 1.5, false);
    compare("the same by the clock", &ours, &ws, 0, true);
    compare_paced("18,000 strokes told a second beside 5,000 idle connections", &ours_paced,
                  &ws_paced);
}

/* --- many ---------------------------------------------------------------------------------------- */

static void part_idle(void)
{
    load_server s = {0};
    load l;
    char text[200];
    (void)load_serve_sideline(&s);
    load_start(&l, &load_sideline, s.port, g_load.who, LOAD_IDLE);
    if (!load_connect(&l, 0, LOAD_GROUP, 30)) {
        load_die("the first do not get in");
    }
    int64_t before = load_rss(&s);
    int64_t began = load_now_ns();
    if (!load_connect(&l, LOAD_GROUP, LOAD_IDLE, 120)) {
        load_die("only %zu of %d get in", l.ready, LOAD_IDLE);
    }
    double took = (double)(load_now_ns() - began) / 1e9;
    run_for(&l, 1.0);
    double each = (double)(load_rss(&s) - before) / (LOAD_IDLE - LOAD_GROUP) / 1024;
    (void)snprintf(text, sizeof text, "%zu held, in after %.1f s", l.ready, took);
    load_line("memory of the server for an idle connection, signed in and subscribed", text, each,
              "KiB", "≤ 4", each <= 4);
    load_check(&l, "idle");
    load_end(&l);
    load_unserve(&s);
}

static void part_storm(void)
{
    enum {
        MANY = 5000,
        MISSED = 20 /* messages written to each of LOAD_CLIENTS / LOAD_GROUP threads meanwhile */
    };
    load_server s = {0};
    load l;
    char text[200];
    (void)load_serve_sideline(&s);
    load_start(&l, &load_sideline, s.port, g_load.who, MANY + 1);
    if (!load_connect(&l, 0, MANY, 60)) {
        load_die("the clients do not get in");
    }
    run_for(&l, 0.2);
    for (size_t i = 1; i < MANY; i++) {
        load_drop(&l, &l.clients[i]);
    }
    for (int i = 0; i < MISSED; i++) {
        load_publish(&l, &l.clients[0], load_now_ns());
    }
    load_flush(&l, &l.clients[0]);
    run_for(&l, 0.2);
    int64_t began = load_now_ns();
    bool all = load_connect(&l, 1, MANY, 60);
    double took = (double)(load_now_ns() - began) / 1e9;
    for (size_t i = 1; i < LOAD_GROUP; i++) {
        l.faults += l.clients[i].last[0] != MISSED ? 1 : 0;
    }
    (void)snprintf(text, sizeof text, "%zu back%s", l.ready, all ? "" : ", not all");
    load_line("5,000 dropped at once, signed in again and gap-free", text, took, "s", "≤ 3",
              all && took <= 3);
    load_check(&l, "storm");
    load_end(&l);
    load_unserve(&s);
}

/* --- main ---------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    void (*run)(void);
    size_t clients;
} parts[] = {
    {"fanout", part_fanout, LOAD_CLIENTS},
    {"paced", part_paced, LOAD_CLIENTS + 5000},
    {"strokes", part_strokes, LOAD_CLIENTS + 5000},
    {"idle", part_idle, LOAD_IDLE},
    {"storm", part_storm, 5010},
    {"http", load_part_http, LOAD_GROUP},
    {"upload", load_part_upload, LOAD_GROUP},
};

static int take_options(int argc, char **argv)
{
    int at = 1;
    for (; at + 1 < argc && strncmp(argv[at], "--", 2) == 0; at += 2) {
        const char *value = argv[at + 1];
        if (strcmp(argv[at], "--sidelined") == 0) {
            g_load.sidelined = value;
        } else if (strcmp(argv[at], "--bare") == 0) {
            g_load.bare = value;
        } else if (strcmp(argv[at], "--peers") == 0) {
            g_load.peers = value;
        } else if (strcmp(argv[at], "--scripts") == 0) {
            g_load.scripts = value;
        } else if (strcmp(argv[at], "--dir") == 0) {
            g_load.dir = value;
        } else if (strcmp(argv[at], "--rounds") == 0) {
            g_load.rounds = (unsigned)strtoul(value, NULL, 10);
        } else if (strcmp(argv[at], "--seconds") == 0) {
            g_load.seconds = strtod(value, NULL);
        } else {
            load_die("no such option: %s", argv[at]);
        }
    }
    return at;
}

static bool wanted(const char *name, int argc, char **argv, int at)
{
    bool any = at == argc;
    for (int i = at; i < argc; i++) {
        any = any || strcmp(argv[i], name) == 0;
    }
    return any;
}

int main(int argc, char **argv)
{
    int at = take_options(argc, argv);
    size_t clients = 0;
    char seed[300];
    struct rlimit files = {0, 0};
    (void)getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &files);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        bool yes = wanted(parts[i].name, argc, argv, at);
        clients = yes && parts[i].clients > clients ? parts[i].clients : clients;
    }
    if (clients == 0 || g_load.sidelined == NULL) {
        load_die(
            "usage: bench_load --sidelined PATH .. [fanout|paced|strokes|idle|storm|http|upload]");
    }
    (void)snprintf(seed, sizeof seed, "%s/seed", g_load.dir);
    load_shell("rm -rf %s && mkdir -p %s", g_load.dir, seed);
    (void)printf("making %zu sessions ..\n", clients);
    (void)fflush(stdout);
    g_load.who = load_seed(seed, clients, g_load.record);
    (void)printf("| what | measured | value | reach | met |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (wanted(parts[i].name, argc, argv, at)) {
            parts[i].run();
        }
    }
    for (size_t i = 0; i < clients; i++) {
        free(g_load.who[i].token);
    }
    free(g_load.who);
    return 0;
}
