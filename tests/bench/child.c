/* Parts that want a process of their own: other libraries, a memory of their own. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    OUTPUT_MAX = 2000,
    ARGS_MAX = 16
};

/* What the program printed; false when it did not end with 0. */
static bool output_of(const char *const *argv, const char *libraries, char *out, size_t cap)
{
    int fds[2];
    size_t n = 0;
    ssize_t got = 0;
    int status = 0;
    if (pipe(fds) != 0) {
        bench_die("no pipe");
    }
    (void)fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        char *args[ARGS_MAX] = {NULL};
        for (size_t i = 0; argv[i] != NULL && i + 1 < ARGS_MAX; i++) {
            args[i] = strdup(argv[i]);
        }
        if (libraries != NULL) {
            (void)setenv("LD_LIBRARY_PATH", libraries, 1);
        }
        (void)dup2(fds[1], STDOUT_FILENO);
        (void)close(fds[0]);
        (void)close(fds[1]);
        (void)execvp(args[0], args);
        _exit(127);
    }
    (void)close(fds[1]);
    while (pid > 0 && n + 1 < cap && (got = read(fds[0], out + n, cap - 1 - n)) > 0) {
        n += (size_t)got;
    }
    out[n] = '\0';
    (void)close(fds[0]);
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

bool bench_program(const char *const *argv, const char *libraries, double *out, size_t n)
{
    char text[OUTPUT_MAX];
    char *p = text;
    bool ok = output_of(argv, libraries, text, sizeof text);
    for (size_t i = 0; ok && i < n; i++) {
        char *end = NULL;
        out[i] = strtod(p, &end);
        ok = end != p;
        p = end;
    }
    if (!ok) {
        bench_note("%s did not give its figures.\n", argv[0]);
    }
    return ok;
}

bool bench_child(const char *job, const char *libraries, const char *url, double *out, size_t n)
{
    char rows[24];
    (void)snprintf(rows, sizeof rows, "%zu", g_bench.rows);
    const char *argv[] = {g_bench.self,
                          "--rows",
                          rows,
                          "--child",
                          job,
                          "--peers",
                          g_bench.peers != NULL ? g_bench.peers : "",
                          "--url",
                          url != NULL ? url : "",
                          NULL};
    return bench_program(argv, libraries, out, n);
}

bool bench_yjs(double best[5])
{
    static char set[160];
    char edits[24];
    char script[400];
    double got[5];
    if (g_bench.peers == NULL || g_bench.scripts == NULL) {
        return false;
    }
    if (set[0] == '\0') {
        (void)snprintf(set, sizeof set, "%s/set.jsonl", bench_quick_dir("set"));
        bench_write_set(set, g_bench.rows);
    }
    (void)snprintf(edits, sizeof edits, "%d", (int)BENCH_EDITS);
    (void)snprintf(script, sizeof script, "%s/yjs.mjs", g_bench.scripts);
    const char *argv[] = {"node", script, set, g_bench.peers, edits, NULL};
    if (!bench_program(argv, NULL, got, 5)) {
        return false;
    }
    for (size_t i = 0; i < 5; i++) {
        bench_best(&best[i], got[i]);
    }
    return true;
}

void bench_child_main(const char *job)
{
    if (strncmp(job, "powersync-", strlen("powersync-")) == 0) {
        bench_powersync_child(job);
    } else if (strncmp(job, "memory-", strlen("memory-")) == 0) {
        bench_memory_child(job);
    } else {
        bench_die("no such job: %s", job);
    }
}
