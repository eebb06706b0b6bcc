/*
 * kill_loop [--cycles N] [--seed S] [--dir DIR] - a core on the built-in platform writes and says
 * through a pipe what was acknowledged; it is killed at a random moment; the next one opens the same
 * folder, must find all of it and a whole database, and goes on writing. Ends with 0 when nothing was
 * ever lost.
 */
#include "base/mem.h"
#include "base/prng.h"
#include "engine/engine.h"
#include "sideline/record.h"
#include "store/inside.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define USER    "01890000-0000-7000-8000-0000000000aa"
#define COUNTER "01890000-0000-7000-8000-0000000000cc"

enum {
    CYCLES = 100,
    FOLDER_CYCLES = 100, /* then a new folder */
    WAIT_MS = 25,
    BATCH_MAX = 4
};

/* One acknowledged batch: goals numbered from..to-1 were made, the counter counted once. */
typedef struct ack {
    uint32_t from;
    uint32_t to;
} ack;

typedef struct folder {
    const char *dir;
    uint32_t next;   /* number of the next goal: all below may be there */
    uint32_t counts; /* acknowledged */
    uint32_t kills;  /* each may have let one batch through without a word */
    ack *acks;
    size_t ack_count;
} folder;

/* --- the writing process ------------------------------------------------------------------- */

static void fail(const char *what, long long number)
{
    (void)fprintf(stderr, "kill_loop: %s (%lld)\n", what, number);
    _exit(3);
}

static void goal_id(uint32_t number, char out[40])
{
    (void)snprintf(out, 40, "01890000-0000-7000-8000-%012" PRIx32, number + 0x1000);
}

static int64_t field_of(sl_core *core, const char *id, const char *field)
{
    sl_bytes *out = NULL;
    if (sl_record_get(core, "goal", id, &out, NULL) != SL_OK) {
        return -1;
    }
    sl_json *j = sl_json_parse((const char *)sl_bytes_data(out), sl_bytes_len(out));
    int64_t v = sl_json_int_or(j, field, 0);
    sl_json_free(j);
    sl_bytes_release(out);
    return v;
}

static bool is_ok(void *ctx, const sl_cell *cells, size_t n)
{
    (void)n;
    *(bool *)ctx = cells[0].kind == SL_CELL_TEXT && strcmp(cells[0].text, "ok") == 0;
    return false;
}

static void check(sl_core *core, const folder *f)
{
    bool whole = false;
    if (sl_sql_run(core->store->sql, "PRAGMA integrity_check", NULL, 0, is_ok, &whole, NULL) !=
            SL_OK ||
        !whole) {
        fail("the database is damaged", 0);
    }
    for (size_t i = 0; i < f->ack_count; i++) {
        for (uint32_t n = f->acks[i].from; n < f->acks[i].to; n++) {
            char id[40];
            goal_id(n, id);
            if (field_of(core, id, "target") != n) {
                fail("an acknowledged record is lost", n);
            }
        }
    }
    int64_t counted = f->counts > 0 || f->kills > 0 ? field_of(core, COUNTER, "done") : 0;
    if (counted < (int64_t)f->counts || counted > (int64_t)f->counts + f->kills) {
        fail("the counter is wrong", counted);
    }
}

static size_t make_batch(char *text, size_t room, uint32_t from, uint32_t to, bool first)
{
    size_t n = (size_t)snprintf(
        text, room,
        first ? "[{\"op\":\"create\",\"entity\":\"goal\",\"space\":\"user:" USER
                "\",\"id\":\"" COUNTER "\",\"fields\":{\"title\":\"c\",\"done\":1}}"
              : "[{\"op\":\"patch\",\"entity\":\"goal\",\"id\":\"" COUNTER
                "\",\"fields\":{\"done\":1}}");
    for (uint32_t i = from; i < to; i++) {
        char id[40];
        goal_id(i, id);
        n += (size_t)snprintf(text + n, room - n,
                              ",{\"op\":\"create\",\"entity\":\"goal\",\"space\":\"user:" USER
                              "\",\"id\":\"%s\",\"fields\":{\"title\":\"g\",\"target\":%" PRIu32
                              "}}",
                              id, i);
    }
    n += (size_t)snprintf(text + n, room - n, "]");
    return n;
}

static void write_for_ever(const folder *f, int out, uint64_t seed)
{
    static char text[4096];
    sl_prng prng;
    sl_core *core = NULL;
    sl_error *err = NULL;
    sl_config config = {.struct_size = sizeof config, .dir = f->dir};
    sl_prng_seed(&prng, seed);
    sl_status status = sl_core_open(&config, &core, &err);
    if (status != SL_OK) {
        fail(sl_error_message(err), status);
    }
    check(core, f);
    bool first = field_of(core, COUNTER, "done") < 0;
    for (uint32_t n = f->next;;) {
        uint32_t to = n + 1 + (uint32_t)sl_prng_below(&prng, BATCH_MAX);
        sl_bytes *ids = NULL;
        size_t len = make_batch(text, sizeof text, n, to, first);
        status = sl_apply(core, text, len, &ids, &err);
        if (status != SL_OK) {
            fail(sl_error_message(err), status);
        }
        sl_bytes_release(ids);
        ack a = {n, to};
        if (write(out, &a, sizeof a) != (ssize_t)sizeof a) {
            fail("the pipe is broken", errno);
        }
        n = to;
        first = false;
    }
}

/* --- the killing process ------------------------------------------------------------------- */

static bool take_ack(folder *f, const ack *a)
{
    ack *grown = sl_mem_resize(f->acks, f->ack_count + 1, sizeof *grown);
    if (grown != NULL) {
        f->acks = grown;
        f->acks[f->ack_count++] = *a;
        f->counts++;
        f->next = a->to;
    }
    return grown != NULL;
}

/* Reads what was acknowledged until the writer is gone, and kills it after a while from its first
 * word on. */
static bool listen_and_kill(folder *f, int in, pid_t writer, sl_prng *prng)
{
    ack a;
    bool ok = read(in, &a, sizeof a) == (ssize_t)sizeof a && take_ack(f, &a);
    struct timespec wait = {0, (long)sl_prng_below(prng, WAIT_MS * 1000) * 1000};
    if (ok) {
        (void)nanosleep(&wait, NULL);
        (void)kill(writer, SIGKILL);
    }
    while (ok && read(in, &a, sizeof a) == (ssize_t)sizeof a) {
        ok = take_ack(f, &a);
    }
    int status = 0;
    (void)waitpid(writer, &status, 0);
    return ok && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

static bool cycle(folder *f, sl_prng *prng)
{
    int pipes[2];
    uint64_t seed = sl_prng_next(prng);
    if (pipe(pipes) != 0) {
        return false;
    }
    pid_t writer = fork();
    if (writer == 0) {
        (void)close(pipes[0]);
        write_for_ever(f, pipes[1], seed);
    }
    (void)close(pipes[1]);
    bool ok = writer > 0 && listen_and_kill(f, pipes[0], writer, prng);
    (void)close(pipes[0]);
    f->kills++;
    /* Numbers of a batch that came through without a word are not used again. */
    f->next += BATCH_MAX + 1;
    return ok;
}

static void remove_folder(const char *dir)
{
    char command[300];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", dir);
    if (system(command) != 0) {
        (void)fprintf(stderr, "kill_loop: %s cannot be removed\n", dir);
    }
}

int main(int argc, char **argv)
{
    long cycles = CYCLES;
    uint64_t seed = 1;
    char dir[160];
    sl_prng prng;
    const char *base = getenv("TMPDIR");
    for (int i = 1; i + 1 < argc; i += 2) {
        cycles = strcmp(argv[i], "--cycles") == 0 ? strtol(argv[i + 1], NULL, 10) : cycles;
        seed = strcmp(argv[i], "--seed") == 0 ? strtoull(argv[i + 1], NULL, 10) : seed;
        base = strcmp(argv[i], "--dir") == 0 ? argv[i + 1] : base;
    }
    (void)snprintf(dir, sizeof dir, "%.100s/sideline-kill-XXXXXX", base != NULL ? base : "/tmp");
    if (argc % 2 == 0 || cycles < 1 || mkdtemp(dir) == NULL) {
        (void)fprintf(stderr, "usage: kill_loop [--cycles N] [--seed S] [--dir DIR]\n");
        return EXIT_FAILURE;
    }
    sl_prng_seed(&prng, seed);
    folder f = {.dir = dir};
    uint64_t records = 0;
    uint64_t acks = 0;
    bool ok = true;
    long done = 0;
    struct timespec began;
    struct timespec ended;
    (void)clock_gettime(CLOCK_MONOTONIC, &began);
    for (; ok && done < cycles; done++) {
        if (f.kills == FOLDER_CYCLES) {
            remove_folder(dir);
            sl_mem_free(f.acks);
            f = (folder){.dir = dir};
        }
        size_t before = f.ack_count;
        ok = cycle(&f, &prng);
        acks += f.ack_count - before;
        for (size_t i = before; i < f.ack_count; i++) {
            records += f.acks[i].to - f.acks[i].from;
        }
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &ended);
    double s =
        (double)(ended.tv_sec - began.tv_sec) + (double)(ended.tv_nsec - began.tv_nsec) / 1e9;
    sl_mem_free(f.acks);
    remove_folder(dir);
    printf("%ld kills, %" PRIu64 " acknowledged batches of %" PRIu64 " records, %s, %.0f kills a"
           " minute\n",
           done, acks, records, ok ? "none lost" : "FAILED", (double)done / s * 60);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
