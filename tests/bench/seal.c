/*
 * What encryption at rest costs: the same rows written and read through the store's VFS, in the
 * clear and sealed, in turns of a batch or some reads, so that a busy machine slows both. CPU time;
 * the ratio is what counts. There is nothing but SQLite above the files: whatever else a store does
 * makes it smaller.
 */
#include "bench.h"

#include "base/prng.h"
#include "store/sql.h"
#include "store/vfs.h"

#include <stdio.h>
#include <string.h>

enum {
    ROWS = 100000,
    BATCH = 1000,
    BODY_LEN = 214, /* with ids and numbers, 310 bytes a row */
    VIDEO_ROWS = 500,
    VIDEOS = ROWS / VIDEO_ROWS,
    READS = 1000,
    TURN = 20 /* reads */
};

#define REACH 1.25 /* of a store's time, of which this is the worst part */

typedef struct side {
    char path[160];
    sl_vfs *vfs;
    sl_sql *db;
    double write_s;
    double read_s;      /* each row on another page */
    double clustered_s; /* a video's rows side by side */
} side;

static void must(sl_status status, const char *what)
{
    bench_must(status, NULL, what);
}

static void video_of(char out[37], unsigned i)
{
    (void)snprintf(out, 37, "01890000-0000-7000-8000-%012x", i);
}

/* Rows of all videos come mixed, as they do from several people. */
static void write_batch(side *s, unsigned first)
{
    char body[BODY_LEN + 1];
    memset(body, 'b', BODY_LEN);
    body[BODY_LEN] = 0;
    double began = bench_cpu_s();
    must(sl_sql_script(s->db, "BEGIN", NULL), "begin");
    for (unsigned i = first; i < first + BATCH; i++) {
        char id[37];
        char video[37];
        (void)snprintf(id, sizeof id, "01890000-%04x-7000-8000-%012x", i >> 16, i);
        video_of(video, i % VIDEOS);
        (void)snprintf(body, 12, "%011u", i);
        body[11] = ' ';
        sl_cell row[] = {sl_cell_text(id), sl_cell_text(video), sl_cell_int((int64_t)i * 1000),
                         sl_cell_text(body)};
        must(sl_sql_run(s->db, "INSERT INTO t VALUES ($1, $2, $3, $4)", row, 4, NULL, NULL, NULL),
             "insert");
    }
    must(sl_sql_script(s->db, "COMMIT", NULL), "commit");
    s->write_s += bench_cpu_s() - began;
}

static bool count_row(void *ctx, const sl_cell *cells, size_t n)
{
    (void)cells;
    (void)n;
    ++*(unsigned *)ctx;
    return true;
}

static double read_some(sl_sql *db, const char *sql, unsigned turn)
{
    sl_prng prng;
    sl_prng_seed(&prng, turn);
    unsigned rows = 0;
    double began = bench_cpu_s();
    for (unsigned i = 0; i < TURN; i++) {
        char video[37];
        video_of(video, (unsigned)sl_prng_below(&prng, VIDEOS));
        sl_cell params[] = {sl_cell_text(video)};
        must(sl_sql_run(db, sql, params, 1, count_row, &rows, NULL), "read");
    }
    double took = bench_cpu_s() - began;
    must(rows == TURN * VIDEO_ROWS ? SL_OK : SL_E_INTERNAL, "count");
    return took;
}

static void side_open(side *s, const sl_platform *platform, const sl_seal *seal, const char *name)
{
    (void)snprintf(s->path, sizeof s->path, "%s/bench.db", bench_dir(name));
    must(sl_vfs_new(platform, seal, &s->vfs, NULL), "vfs");
    must(sl_sql_open(s->path, sl_vfs_name(s->vfs), &s->db, NULL), "open");
    must(sl_sql_script(s->db,
                       "CREATE TABLE t (id TEXT PRIMARY KEY, video TEXT NOT NULL, t INTEGER NOT"
                       " NULL, body TEXT NOT NULL) STRICT; CREATE INDEX t_video ON t (video, t);"
                       "CREATE TABLE c (video TEXT NOT NULL, t INTEGER NOT NULL, id TEXT NOT NULL,"
                       " body TEXT NOT NULL, PRIMARY KEY (video, t, id)) STRICT, WITHOUT ROWID;",
                       NULL),
         "table");
}

static void side_close(side *s)
{
    sl_sql_close(s->db);
    sl_vfs_free(s->vfs);
}

static void measure(side *sides)
{
    static const char scattered[] = "SELECT id, t, body FROM t WHERE video=$1 ORDER BY t";
    static const char clustered[] = "SELECT id, t, body FROM c WHERE video=$1 ORDER BY t";
    for (unsigned first = 0; first < ROWS; first += BATCH) {
        for (int i = 0; i < 2; i++) {
            write_batch(&sides[i], first);
        }
    }
    for (int i = 0; i < 2; i++) {
        must(sl_sql_script(sides[i].db,
                           "INSERT INTO c SELECT video, t, id, body FROM t ORDER BY video, t",
                           NULL),
             "cluster");
    }
    for (unsigned turn = 0; turn < READS / TURN; turn++) {
        for (int i = 0; i < 2; i++) {
            sides[i].read_s += read_some(sides[i].db, scattered, turn);
            sides[i].clustered_s += read_some(sides[i].db, clustered, turn);
        }
    }
}

static void report(const char *what, double clear, double sealed, double reach)
{
    bench_ratio(what, "s", sealed, "in the clear", clear, reach);
}

void bench_seal(void)
{
    static const uint8_t key[SL_SEAL_KEY_LEN] = {1};
    sl_platform platform = {.struct_size = sizeof platform};
    side sides[2] = {{.vfs = NULL}, {.vfs = NULL}};
    must(sl_platform_builtin(&platform), "platform");
    sl_seal *seal = sl_seal_new(key);
    must(seal != NULL ? SL_OK : SL_E_NOMEM, "key");
    side_open(&sides[0], &platform, NULL, "clear");
    side_open(&sides[1], &platform, seal, "sealed");
    measure(sides);
    report("sealed: rows written, nothing but SQLite above the files", sides[0].write_s,
           sides[1].write_s, REACH);
    report("sealed: read, each row on another page", sides[0].read_s, sides[1].read_s, 0);
    report("sealed: read, rows side by side", sides[0].clustered_s, sides[1].clustered_s, REACH);
    side_close(&sides[0]);
    side_close(&sides[1]);
    sl_seal_free(seal);
    if (platform.release != NULL) {
        platform.release(platform.user);
    }
}
