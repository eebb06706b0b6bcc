/*
 * How long the core's lock is held while the set arrives, and what a reader and a small write wait.
 *
 * The library's sl_lock, sl_unlock and sl_give_way come here first (the linker's --wrap): each hold of the
 * core's lock by another thread than the player's is timed by the wall clock, which other work on the machine
 * lengthens, and by the CPU time of the thread that holds it, which is what the code itself takes. So is what
 * the engine's thread spends while the player waits for the lock.
 */
#include "loop.h"

#include "engine/engine.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    SAMPLES_MAX = 400000,
    QUIET_SAMPLES = 300
};

typedef struct samples {
    size_t n;
    double ms[SAMPLES_MAX];
} samples;

static samples g_reads;
static samples g_writes;
static samples g_held;     /* by the wall clock */
static samples g_held_cpu; /* of the thread that holds it; both are written by who holds the lock */

static samples g_waited; /* of the engine's thread, while the player waited */

static sl_mutex *g_watched; /* NULL: none */
static clockid_t g_engine;
static _Atomic bool g_engine_known;
static _Thread_local bool t_player;
static _Thread_local double t_began;
static _Thread_local double t_began_cpu;

static void note(samples *s, double seconds)
{
    if (s->n < SAMPLES_MAX) {
        s->ms[s->n++] = seconds * 1000;
    }
}

/* --- holds ---------------------------------------------------------------------------------- */

void __real_sl_lock(sl_mutex *m);
void __real_sl_unlock(sl_mutex *m);
void __real_sl_give_way(sl_mutex *m);
void __wrap_sl_lock(sl_mutex *m);
void __wrap_sl_unlock(sl_mutex *m);
void __wrap_sl_give_way(sl_mutex *m);

static double cpu_s(clockid_t of)
{
    struct timespec t;
    (void)clock_gettime(of, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double thread_cpu_s(void)
{
    return cpu_s(CLOCK_THREAD_CPUTIME_ID);
}

static void begin(void)
{
    if (!t_player && !atomic_load(&g_engine_known)) {
        bool known = pthread_getcpuclockid(pthread_self(), &g_engine) == 0;
        atomic_store(&g_engine_known, known);
    }
    t_began = bench_wall_s();
    t_began_cpu = thread_cpu_s();
}

static void end(void)
{
    if (!t_player && t_began > 0) {
        note(&g_held, bench_wall_s() - t_began);
        note(&g_held_cpu, thread_cpu_s() - t_began_cpu);
    }
    t_began = 0;
}

void __wrap_sl_lock(sl_mutex *m)
{
    bool waits = t_player && m == g_watched && atomic_load(&g_engine_known);
    double before = waits ? cpu_s(g_engine) : 0;
    __real_sl_lock(m);
    if (waits) {
        note(&g_waited, cpu_s(g_engine) - before);
    }
    if (m == g_watched) {
        begin();
    }
}

void __wrap_sl_unlock(sl_mutex *m)
{
    if (m == g_watched) {
        end();
    }
    __real_sl_unlock(m);
}

void __wrap_sl_give_way(sl_mutex *m)
{
    if (m == g_watched) { /* whoever had come would have had it */
        end();
    }
    __real_sl_give_way(m);
    if (m == g_watched) {
        begin();
    }
}

/* --- a player ------------------------------------------------------------------------------- */

static void read_page(sl_core *core, const char *video)
{
    char text[300];
    sl_bytes *out = NULL;
    sl_error *err = NULL;
    int n = snprintf(text, sizeof text,
                     "{\"from\":\"annotation\",\"where\":{\"space\":\"video:%s\"},"
                     "\"order\":[\"t_in\"],\"limit\":20}",
                     video);
    double began = bench_wall_s();
    sl_status status = sl_query_once(core, text, (size_t)n, &out, &err);
    note(&g_reads, bench_wall_s() - began);
    bench_must(status, err, "sl_query_once");
    sl_bytes_release(out);
}

static void write_one(sl_core *core, const char *video)
{
    char text[300];
    sl_error *err = NULL;
    int n = snprintf(text, sizeof text,
                     "[{\"op\":\"create\",\"entity\":\"comment\",\"space\":\"video:%s\","
                     "\"fields\":{\"body\":\"Elbow up\"}}]",
                     video);
    double began = bench_wall_s();
    sl_status status = sl_apply(core, text, (size_t)n, NULL, &err);
    note(&g_writes, bench_wall_s() - began);
    bench_must(status, err, "sl_apply");
}

/* What a player does: reads a page of what is there, and every fourth time writes one small thing.
 * Apart, so that each may be the one that has to wait. */
static void use_once(sl_core *core, unsigned i)
{
    char video[37];
    bench_video_of(i % BENCH_VIDEOS, video);
    if (i % 4 == 3) {
        write_one(core, video);
    } else {
        read_page(core, video);
    }
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static void report(const char *where, const char *what, samples *s, double reach)
{
    char line[200];
    if (s->n == 0) {
        return;
    }
    qsort(s->ms, s->n, sizeof s->ms[0], by_size);
    (void)snprintf(line, sizeof line, "lock, %s: %zu %s, p50 %.2f ms, p99 %.2f ms; longest", where,
                   s->n, what, s->ms[s->n / 2], s->ms[s->n * 99 / 100]);
    bench_value(line, "ms", s->ms[s->n - 1], reach);
    s->n = 0;
}

static void play(sl_core *core, unsigned i)
{
    use_once(core, i);
    loop_sleep_ms(1);
}

/* From before signing in, which begins the arrival, until all is there; then the same with all there. */
static void watch_lock(const char *where, bool quick, double reach)
{
    unsigned i = 0;
    sl_core *core = loop_client("lock", quick);
    t_player = true;
    sl_lock(core->lock);
    g_watched = core->lock;
    sl_unlock(core->lock);
    double began = bench_wall_s();
    loop_log_in(core);
    sl_id op = loop_begin_settle(core);
    while (!loop_ended(core, op)) {
        play(core, i++);
    }
    double took = bench_wall_s() - began;
    sl_lock(core->lock);
    g_watched = NULL;
    atomic_store(&g_engine_known, false);
    sl_unlock(core->lock);
    loop_must_hold_all(core);
    bench_value("lock: signing in and the set's arrival, wall", "s", took, 0);
    report(where, "reads while the set arrives", &g_reads, reach);
    report(where, "small writes while the set arrives", &g_writes, 0);
    report(where, "times others took the lock, CPU of the engine's thread until they had it",
           &g_waited, reach);
    report(where, "times the lock was held by the engine, wall", &g_held, 0);
    report(where, "times the lock was held by the engine, CPU of its thread", &g_held_cpu, reach);
    for (i = 0; i < QUIET_SAMPLES; i++) {
        play(core, i);
    }
    report(where, "reads when nothing arrives", &g_reads, 0);
    report(where, "small writes when nothing arrives", &g_writes, 0);
    sl_core_close(core);
}

/* On a disk a write waits for the disk as well, so what the lock alone costs is seen without one. */
void bench_lock(void)
{
    watch_lock("no disk", true, 8);
}

void bench_lock_disk(void)
{
    watch_lock("on disk", false, 8);
}
