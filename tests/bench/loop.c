/* sidelined as a process of its own with the seeded folder, and cores with threads of their own. */
#include "loop.h"

#include "link.h"
#include "relay.h"
#include "sqlite.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    START_TRIES = 500,
    START_WAIT_MS = 20,
    WAIT_MS = 1000,
    KIB = 1024
};

static pid_t g_server;
static uint16_t g_port;

void loop_sleep_ms(int ms)
{
    struct timespec t = {0, (long)ms * 1000000};
    (void)nanosleep(&t, NULL);
}

static void stop_server(void)
{
    if (g_server > 0) {
        (void)kill(g_server, SIGTERM);
        (void)waitpid(g_server, NULL, 0);
        g_server = 0;
    }
}

static void start_server(void)
{
    char file[200];
    unsigned long port = 0;
    if (g_server > 0) {
        return;
    }
    if (g_bench.sidelined == NULL) {
        bench_die("this part wants --sidelined");
    }
    const char *dir = link_seeded_dir();
    (void)snprintf(file, sizeof file, "%s/port", dir);
    (void)remove(file); /* of a run before */
    g_server = fork();
    if (g_server == 0) {
        (void)!freopen("/dev/null", "w", stdout);
        (void)execl(g_bench.sidelined, g_bench.sidelined, "--data", dir, "--port", "0",
                    "--port-file", file, "--mfa", "optional", "--no-limits", (char *)NULL);
        _exit(127);
    }
    (void)atexit(stop_server);
    for (int i = 0; i < START_TRIES && port == 0; i++) {
        char text[16];
        FILE *f = fopen(file, "r");
        if (f != NULL && fgets(text, sizeof text, f) != NULL) {
            port = strtoul(text, NULL, 10);
        } else {
            loop_sleep_ms(START_WAIT_MS);
        }
        if (f != NULL) {
            (void)fclose(f);
        }
    }
    if (port == 0) {
        bench_die("sidelined does not start");
    }
    g_port = (uint16_t)port;
}

/* --- a client ------------------------------------------------------------------------------- */

static sl_core *open_client(const char *dir, const char *url)
{
    sl_config config = {.struct_size = sizeof config, .dir = dir, .server = url};
    sl_core *core = NULL;
    sl_error *err = NULL;
    sl_status status = sl_core_open(&config, &core, &err);
    bench_must(status, err, "sl_core_open");
    return core;
}

bool loop_ended(sl_core *core, sl_id op)
{
    char name[48];
    bool ended = false;
    sl_bytes *b = NULL;
    (void)snprintf(name, sizeof name, "\"op\":%llu,\"ok\":", (unsigned long long)op);
    while (sl_core_poll(core, 100000, &b, NULL) == SL_OK && b != NULL) {
        const char *text = (const char *)sl_bytes_data(b);
        if (strstr(text, "\"ok\":false") != NULL) {
            bench_die("an event says: %.400s", text);
        }
        ended = ended || strstr(text, name) != NULL;
        sl_bytes_release(b);
    }
    return ended;
}

static void await(sl_core *core, sl_id op)
{
    while (!loop_ended(core, op)) {
        (void)sl_core_wait(core, WAIT_MS);
    }
}

void loop_log_in(sl_core *core)
{
    static const char who[] = "{\"email\":\"" LINK_EMAIL "\",\"password\":\"" LINK_PASSWORD "\"}";
    sl_id op = 0;
    sl_error *err = NULL;
    sl_status status = sl_session_login(core, who, strlen(who), &op, &err);
    bench_must(status, err, "sl_session_login");
    await(core, op);
}

void loop_must_hold_all(sl_core *core)
{
    size_t n = bench_count(core);
    if (n != g_bench.rows) {
        bench_die("%zu of %zu rows arrived", n, (size_t)g_bench.rows);
    }
}

sl_id loop_begin_settle(sl_core *core)
{
    sl_id op = 0;
    sl_error *err = NULL;
    sl_status status = sl_sync_settle(core, &op, &err);
    bench_must(status, err, "sl_sync_settle");
    return op;
}

static void url_of(char *out, size_t n, uint16_t port)
{
    (void)snprintf(out, n, "http://127.0.0.1:%u", (unsigned)port);
}

sl_core *loop_client(const char *name, bool quick)
{
    char url[64];
    start_server(); /* which makes folders of its own: the names of folders are kept in one place */
    url_of(url, sizeof url, g_port);
    return open_client(quick ? bench_quick_dir(name) : bench_dir(name), url);
}

/* Wall seconds from the wish to have everything until it is there. */
static double arrive_over(uint16_t port)
{
    char url[64];
    url_of(url, sizeof url, port);
    sl_core *core = open_client(bench_dir("loop"), url);
    loop_log_in(core);
    double began = bench_wall_s();
    await(core, loop_begin_settle(core));
    double took = bench_wall_s() - began;
    loop_must_hold_all(core);
    sl_core_close(core);
    return took;
}

void bench_loop(void)
{
    double best = BENCH_BEST;
    double alone = bench_apply_cpu();
    uint16_t port = 0;
    uint64_t up = 0;
    uint64_t down = 0;
    start_server();
    for (unsigned i = 0; i < g_bench.rounds; i++) {
        bench_best(&best, arrive_over(g_port));
    }
    relay *r = relay_open(g_port, &port);
    (void)arrive_over(port);
    relay_close(r, &up, &down);
    bench_ratio("the set over loopback from sidelined, wall", "s", best, "its apply alone, CPU",
                alone, 2);
    bench_value("bytes on the wire for it, both ways", "MB", (double)(up + down) / 1e6,
                9 * (double)g_bench.rows / 100000);
}

void bench_seed(void)
{
    if (g_bench.seeded == NULL) {
        bench_die("this part wants --seeded");
    }
    (void)link_seeded_dir();
}

/* --- memory --------------------------------------------------------------------------------- */

/* A line of /proc/self/status, in MiB. */
static double status_mib(const char *name)
{
    char line[200];
    unsigned long kib = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        if (strncmp(line, name, strlen(name)) == 0) {
            kib = strtoul(line + strlen(name) + 1, NULL, 10);
        }
    }
    if (f == NULL || fclose(f) != 0 || kib == 0) {
        bench_die("/proc/self/status does not tell %s", name);
    }
    return (double)kib / KIB;
}

static void forget_peak(void)
{
    FILE *f = fopen("/proc/self/clear_refs", "w");
    if (f == NULL || fputs("5", f) < 0 || fclose(f) != 0) {
        bench_die("/proc/self/clear_refs cannot be written");
    }
}

void bench_memory_child(const char *job)
{
    if (strcmp(job, "memory-bare") == 0) {
        sqlite3 *db = bench_sql_open(bench_dir("memory"));
        bench_sql_run(db,
                      "CREATE TABLE t (id BLOB PRIMARY KEY, a TEXT); INSERT INTO t VALUES (1, 2)");
        (void)printf("%.3f\n", status_mib("VmRSS"));
        return;
    }
    sl_core *core = open_client(bench_dir("memory"), g_bench.url);
    loop_sleep_ms(200);
    double idle = status_mib("VmRSS");
    forget_peak();
    loop_log_in(core);
    await(core, loop_begin_settle(core));
    (void)printf("%.3f %.3f\n", idle, status_mib("VmHWM"));
    sl_core_close(core);
}

void bench_memory(void)
{
    char url[64];
    double bare[1];
    double core[2];
    start_server();
    url_of(url, sizeof url, g_port);
    if (!bench_child("memory-bare", NULL, NULL, bare, 1) ||
        !bench_child("memory-core", NULL, url, core, 2)) {
        return;
    }
    bench_value("memory: an idle core above the same process with bare SQLite open", "MiB",
                core[0] - bare[0], 6);
    bench_value("memory: the peak of the first sync above the idle core", "MiB", core[1] - core[0],
                16);
}
