/*
 * bench_sideline [options] [part]: measures and prints a table, see README.md. `./run bench` gives
 * the options about where things are.
 */
#include "bench.h"

#include <dirent.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    TABLE_MAX = 16384,
    PATH_MAX_HERE = 400
};

bench_options g_bench = {.rows = 100000, .rounds = 3};

static char g_root[64];
static char g_quick[64]; /* the same on a disk in memory, where there is one */
static char g_table[TABLE_MAX];
static char g_notes[TABLE_MAX];

static double clock_s(clockid_t which)
{
    struct timespec t;
    (void)clock_gettime(which, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

double bench_cpu_s(void)
{
    return clock_s(CLOCK_PROCESS_CPUTIME_ID);
}

double bench_wall_s(void)
{
    return clock_s(CLOCK_MONOTONIC);
}

void bench_best(double *best, double value)
{
    if (value < *best) {
        *best = value;
    }
}

static void remove_tree(const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *entry = NULL;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        char inner[PATH_MAX_HERE];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        (void)snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        remove_tree(inner);
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
    (void)remove(path);
}

static void clean_up(void)
{
    if (g_root[0] != '\0') {
        remove_tree(g_root);
    }
    if (g_quick[0] != '\0') {
        remove_tree(g_quick);
    }
}

void bench_die(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)fprintf(stderr, "bench: ");
    (void)vfprintf(stderr, fmt, args);
    (void)fprintf(stderr, "\n");
    va_end(args);
    exit(1);
}

void bench_must(sl_status status, sl_error *err, const char *what)
{
    if (status != SL_OK) {
        bench_die("%s: %s", what, err != NULL ? sl_error_message(err) : sl_status_name(status));
    }
    sl_error_release(err);
}

static const char *empty_dir(const char *root, const char *name)
{
    static char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", root, name);
    remove_tree(path);
    if (mkdir(path, 0700) != 0) {
        bench_die("%s cannot be made", path);
    }
    return path;
}

const char *bench_dir(const char *name)
{
    return empty_dir(g_root, name);
}

const char *bench_quick_dir(const char *name)
{
    return empty_dir(g_quick[0] != '\0' ? g_quick : g_root, name);
}

int64_t bench_tree_bytes(const char *path, const char *suffix)
{
    DIR *dir = opendir(path);
    const struct dirent *entry = NULL;
    int64_t total = 0;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        char inner[PATH_MAX_HERE];
        struct stat st;
        size_t n = strlen(entry->d_name);
        if (entry->d_name[0] == '.' ||
            (suffix != NULL &&
             (n < strlen(suffix) || strcmp(entry->d_name + n - strlen(suffix), suffix) != 0))) {
            continue;
        }
        (void)snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        if (stat(inner, &st) == 0) {
            total += S_ISDIR(st.st_mode) ? bench_tree_bytes(inner, suffix) : (int64_t)st.st_size;
        }
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
    return total;
}

/* --- the table ---------------------------------------------------------------------------- */

__attribute__((format(printf, 2, 0))) static void append(char *text, const char *fmt, va_list args)
{
    size_t n = strlen(text);
    (void)vsnprintf(text + n, TABLE_MAX - n, fmt, args);
}

__attribute__((format(printf, 1, 2))) static void row(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    append(g_table, fmt, args);
    va_end(args);
}

void bench_note(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    append(g_notes, fmt, args);
    va_end(args);
}

static const char *verdict(double value, double reach)
{
    return reach <= 0 ? "" : value <= reach ? "yes" : "no";
}

static const char *wanted(char *out, size_t n, double reach)
{
    out[0] = '\0';
    if (reach > 0) {
        (void)snprintf(out, n, "<= %.4g", reach);
    }
    return out;
}

void bench_ratio(const char *what, const char *unit, double ours, const char *against,
                 double theirs, double reach)
{
    char limit[32];
    if (ours >= BENCH_NONE || theirs >= BENCH_NONE || theirs <= 0) {
        row("| %s | %s | not measured | | | |\n", what, against);
        return;
    }
    row("| %s | %.4g %s, %s %.4g | %.2f x | %s | %s |\n", what, ours, unit, against, theirs,
        ours / theirs, wanted(limit, sizeof limit, reach), verdict(ours / theirs, reach));
}

void bench_value(const char *what, const char *unit, double ours, double reach)
{
    char limit[32];
    row("| %s | | %.4g %s | %s | %s |\n", what, ours, unit, wanted(limit, sizeof limit, reach),
        verdict(ours, reach));
}

static void print_machine(void)
{
    char line[300];
    char model[200] = "";
    FILE *f = fopen("/proc/cpuinfo", "r");
    while (f != NULL && model[0] == '\0' && fgets(line, sizeof line, f) != NULL) {
        (void)sscanf(line, "model name : %199[^\n]", model);
    }
    if (f != NULL) {
        (void)fclose(f);
    }
    (void)printf("%ld cores, %s; SQLite %s; %zu rows, best of %u.\n", sysconf(_SC_NPROCESSORS_ONLN),
                 model[0] != '\0' ? model : "CPU unknown", sqlite3_libversion(), g_bench.rows,
                 g_bench.rounds);
}

/* --- the command line --------------------------------------------------------------------- */

static const struct {
    const char *name;
    void (*run)(void);
} PARTS[] = {
    {"local", bench_local}, {"live", bench_live},     {"seal", bench_seal},
    {"apply", bench_apply}, {"edits", bench_edits},   {"merge", bench_merge},
    {"loop", bench_loop},   {"memory", bench_memory}, {"lock", bench_lock},
    {"undo", bench_undo},   {"chat", bench_chat},     {"lock-disk", bench_lock_disk},
};

/* Run by their names only. */
static const struct {
    const char *name;
    void (*run)(void);
} APART[] = {{"seed", bench_seed}};

static size_t number(const char *name, const char *text)
{
    char *end = NULL;
    unsigned long long v = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || v == 0 || v > 100000000) {
        bench_die("%s takes a number from 1 to 100000000, not \"%s\"", name, text);
    }
    return (size_t)v;
}

static void take_option(const char *name, const char *value)
{
    if (strcmp(name, "--rows") == 0) {
        g_bench.rows = (number(name, value) + BENCH_BATCH - 1) / BENCH_BATCH * BENCH_BATCH;
    } else if (strcmp(name, "--rounds") == 0) {
        g_bench.rounds = (unsigned)number(name, value);
    } else if (strcmp(name, "--sidelined") == 0) {
        g_bench.sidelined = value;
    } else if (strcmp(name, "--seeded") == 0) {
        g_bench.seeded = value;
    } else if (strcmp(name, "--peers") == 0) {
        g_bench.peers = value;
    } else if (strcmp(name, "--scripts") == 0) {
        g_bench.scripts = value;
    } else if (strcmp(name, "--url") == 0) {
        g_bench.url = value;
    } else if (strcmp(name, "--child") == 0) {
        g_bench.child = value;
    } else {
        bench_die("no such option: %s", name);
    }
}

static void take_options(int argc, char **argv)
{
    g_bench.self = argv[0];
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--", 2) != 0) {
            g_bench.only = argv[i];
        } else if (i + 1 == argc) {
            bench_die("%s needs a value", argv[i]);
        } else {
            take_option(argv[i], argv[i + 1]);
            i++;
        }
    }
}

int main(int argc, char **argv)
{
    size_t ran = 0;
    take_options(argc, argv);
    (void)snprintf(g_root, sizeof g_root, "/tmp/sideline-bench-XXXXXX");
    if (mkdtemp(g_root) == NULL) {
        bench_die("%s cannot be made", g_root);
    }
    (void)snprintf(g_quick, sizeof g_quick, "/dev/shm/sideline-bench-XXXXXX");
    if (mkdtemp(g_quick) == NULL) {
        g_quick[0] = '\0';
    }
    (void)atexit(clean_up);
    if (g_bench.child != NULL) {
        bench_child_main(g_bench.child);
        return 0;
    }
    for (size_t i = 0; i < sizeof PARTS / sizeof PARTS[0]; i++) {
        if (g_bench.only == NULL || strcmp(g_bench.only, PARTS[i].name) == 0) {
            double began = bench_wall_s();
            PARTS[i].run();
            (void)fprintf(stderr, "bench: %s took %.0f s\n", PARTS[i].name, bench_wall_s() - began);
            ran++;
        }
    }
    for (size_t i = 0; g_bench.only != NULL && i < sizeof APART / sizeof APART[0]; i++) {
        if (strcmp(g_bench.only, APART[i].name) == 0) {
            APART[i].run();
            return 0;
        }
    }
    if (ran == 0) {
        bench_die("no such part: %s", g_bench.only);
    }
    print_machine();
    (void)printf("\n| what | measured | value | reach | met |\n|---|---|---|---|---|\n%s\n%s",
                 g_table, g_notes);
    return 0;
}
