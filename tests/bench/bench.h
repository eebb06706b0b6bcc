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
    size_t rows; /* of the set; a multiple of BENCH_BATCH */
    unsigned rounds;
    const char *only; /* the one part to run, NULL: all */
    const char *sidelined;
    const char
        *seeded; /* folder of a seeded service that stays, or is made; NULL: made and removed */
    const char *peers;   /* folder with what `./run bench` fetched, NULL: none */
    const char *scripts; /* folder with yjs.mjs, NULL: none */
    const char *url;     /* of a server, for a child */
    const char *child;   /* what this process is to do as a child of another */
    const char *self;    /* this program, to start children of */
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
/* Which row the i-th of BENCH_EDITS edits is of, one video after the other as a coach goes through
 * them, and the time it sets, as what peers/yjs.mjs does. Scattered: nearly each of another video. */
size_t bench_edit_of(size_t i);
size_t bench_scattered_edit_of(size_t i);
int64_t bench_edit_time(size_t i, unsigned round);
/* What video is read in the i-th read. */
unsigned bench_read_of(size_t i);
/* A batch for sl_apply: BENCH_BATCH creates from row `first` on. malloc'd text. */
char *bench_creates(size_t first, size_t *len);
/* The set as JSON lines, for peers in other languages. */
void bench_write_set(const char *path, size_t rows);

/* --- main.c ------------------------------------------------------------------------------- */

#define BENCH_BEST 1e30 /* of nothing yet */
#define BENCH_NONE 1e20 /* from here on a value is nothing yet, whatever its unit */

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
/* An empty folder, in the same place each time; valid until the next call of either. quick: where
 * syncing costs nothing, for what is not measured. */
const char *bench_dir(const char *name);
const char *bench_quick_dir(const char *name);
int64_t bench_tree_bytes(const char *path, const char *suffix); /* NULL: all files in it */

/* --- the parts ---------------------------------------------------------------------------- */

/* child.c: runs this program as "--child job" and reads `n` numbers from what it prints; false, and a
 * note, when it fails. libraries: a folder to look into first for shared libraries, or NULL. */
bool bench_child(const char *job, const char *libraries, const char *url, double *out, size_t n);
/* The same for any program; argv ends with NULL. */
bool bench_program(const char *const *argv, const char *libraries, double *out, size_t n);
/* What "--child" says; ends the process. */
void bench_child_main(const char *job);

/* What one contestant needs; BENCH_BEST where nothing is known. */
typedef struct bench_peer {
    double insert;
    double read;
    double apply;
    double longest;       /* the longest single transaction of apply */
    double bytes;         /* of the folder after insert */
    double applied_bytes; /* after apply */
} bench_peer;

#define BENCH_PEER_NEW \
    ((bench_peer){BENCH_BEST, BENCH_BEST, BENCH_BEST, BENCH_BEST, BENCH_BEST, BENCH_BEST})

/* bare.c, powersync.c: one round each; they keep their best. PowerSync's work in a child, on an
 * SQLite as new as it wants, and do nothing when it is not to be had. */
void bench_bare_insert(bench_peer *best);
void bench_bare_round(bench_peer *best); /* and read */
void bench_powersync_local(bench_peer *best);
void bench_powersync_apply(bench_peer *best);
void bench_powersync_child(const char *job);

/* What peers/yjs.mjs prints, each the best so far; false without it. */
bool bench_yjs(double best[5]);

void bench_local(void); /* local.c: creates, reads, size; with both peers */
void bench_apply(void); /* remote.c, like the next two */
void bench_edits(void);
void bench_merge(void);
/* The best of bench_apply, which is run once if it was not. */
double bench_apply_cpu(void);
void bench_live(void); /* live.c */
void bench_seal(void); /* seal.c */
void bench_undo(void); /* undo.c */
void bench_chat(void); /* chat.c */
/* loop.c: sidelined as a process of its own, over loopback. */
void bench_loop(void);
void bench_seed(void); /* only makes the folder of --seeded: many rows take their time */
void bench_memory(void);
void bench_memory_child(const char *job);
/* lock.c: a core with threads at the same sidelined. */
void bench_lock(void);      /* no disk */
void bench_lock_disk(void); /* the same on one */

#endif
