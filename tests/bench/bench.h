/*
 * bench.h - the benchmarks of the store and the sync engine, one program.
 *
 * The set: annotations of 200 videos, about 310 bytes each as JSON, made from their number alone,
 * so that every round and every peer has the same. Times are CPU time of this process (user and
 * system), in seconds, where nothing else is said; each is the best of the rounds, and ours, bare
 * SQLite and the peers take turns.
 */
#ifndef SL_BENCH_H
#define SL_BENCH_H

#include <sideline/sideline.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BENCH_VIDEOS = 200,
    BENCH_BATCH = 1000, /* operations of one sl_apply, rows of one transaction elsewhere */
    BENCH_READS = 1000,
    BENCH_EDITS = 10000
};

typedef struct bench_options {
    size_t rows;  /* of the set; a multiple of BENCH_BATCH */
    size_t flood; /* rows that arrive while the lock is watched */
    unsigned rounds;
    const char *only; /* the one part to run, NULL: all */
    const char *sidelined;
    const char *powersync; /* its loadable extension, NULL: not to be had */
    const char *yjs;       /* folder with yjs.mjs and its packages, NULL: not to be had */
    const char *self;      /* this program, to start children of */
} bench_options;

extern bench_options g_bench;

/* --- set.c -------------------------------------------------------------------------------- */

typedef struct bench_row {
    char id[37];
    uint8_t raw_id[16];
    char video[37];
    char kind[8];
    char geometry[129];
    char style[64]; /* JSON */
    char z[8];
    int64_t t_in;
    int64_t t_out;
} bench_row;

void bench_row_of(size_t i, bench_row *out);
void bench_video_of(unsigned video, char out[37]);
/* What video is read in the i-th read. */
unsigned bench_read_of(size_t i);
/* A batch for sl_apply: BENCH_BATCH creates from row `first` on. malloc'd text. */
char *bench_creates(size_t first, size_t *len);
/* The set as JSON lines, for peers in other languages. */
void bench_write_set(const char *path, size_t rows);

/* --- main.c ------------------------------------------------------------------------------- */

#define BENCH_BEST 1e30 /* of nothing yet */

double bench_cpu_s(void);
double bench_wall_s(void);
void bench_best(double *best, double value);
void bench_die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
void bench_must(sl_status status, sl_error *err, const char *what); /* err is taken */
/* One line of the table: our value against another by name; either may be BENCH_BEST: not measured.
 * reach: of ours divided by theirs; 0: none. */
void bench_ratio(const char *what, const char *unit, double ours, const char *against,
                 double theirs, double reach);
/* One line with a value of its own. */
void bench_value(const char *what, const char *unit, double ours, double reach);
void bench_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* An empty folder, in the same place each time; the path is valid until the next call of that name. */
const char *bench_dir(const char *name);
int64_t bench_tree_bytes(const char *dir, const char *suffix); /* NULL: all files in it */

/* --- the parts ---------------------------------------------------------------------------- */

/* bare.c, powersync.c: one round each; they keep their best. */
typedef struct bench_peer {
    double insert;
    double read;
    double apply;
    double bytes;         /* of the database with the rows */
    double applied_bytes; /* the same after download */
    double wire;          /* bytes of the downloaded lines, compressed as a whole */
} bench_peer;

void bench_bare_round(bench_peer *best);
void bench_powersync_round(bench_peer *best); /* nothing without the extension */

void bench_local(void); /* local.c: creates, reads, size; with both peers */

#endif
