/*
 * What encryption at rest costs: the same rows written and read through the store's VFS, in the
 * clear and sealed. CPU time, both in this run, alternating, the best of each; the ratio is what
 * counts. There is nothing but SQLite above the files: whatever else a store does makes it smaller.
 */
#include "base/mem.h"
#include "base/prng.h"
#include "sideline/platform.h"
#include "store/sql.h"
#include "store/vfs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    ROWS = 100000,
    BATCH = 1000,
    BODY_LEN = 214, /* with ids and numbers, 310 bytes a row */
    VIDEO_ROWS = 500,
    VIDEOS = ROWS / VIDEO_ROWS,
    READS = 1000,
    ROUNDS = 3
};

static char g_dir[] = "/tmp/sideline-bench-XXXXXX";
static char g_path[64];

static void must(sl_status status, const char *what)
{
    if (status != SL_OK) {
        (void)fprintf(stderr, "bench_seal: %s: %s\n", what, sl_status_name(status));
        exit(1);
    }
}

static double cpu_s(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static void video_of(char out[37], unsigned i)
{
    (void)snprintf(out, 37, "01890000-0000-7000-8000-%012x", i);
}

/* Rows of all videos come mixed, as they do from several people. */
static double write_all(sl_sql *db)
{
    char body[BODY_LEN + 1];
    memset(body, 'b', BODY_LEN);
    body[BODY_LEN] = 0;
    double began = cpu_s();
    for (unsigned i = 0; i < ROWS; i++) {
        char id[37];
        char video[37];
        (void)snprintf(id, sizeof id, "01890000-%04x-7000-8000-%012x", i >> 16, i);
        video_of(video, i % VIDEOS);
        (void)snprintf(body, 12, "%011u", i);
        body[11] = ' ';
        if (i % BATCH == 0) {
            must(sl_sql_script(db, "BEGIN", NULL), "begin");
        }
        sl_cell row[] = {sl_cell_text(id), sl_cell_text(video), sl_cell_int((int64_t)i * 1000),
                         sl_cell_text(body)};
        must(sl_sql_run(db, "INSERT INTO t VALUES ($1, $2, $3, $4)", row, 4, NULL, NULL, NULL),
             "insert");
        if ((i + 1) % BATCH == 0) {
            must(sl_sql_script(db, "COMMIT", NULL), "commit");
        }
    }
    return cpu_s() - began;
}

static bool count_row(void *ctx, const sl_cell *cells, size_t n)
{
    (void)cells;
    (void)n;
    ++*(unsigned *)ctx;
    return true;
}

static double read_all(sl_sql *db)
{
    sl_prng prng;
    sl_prng_seed(&prng, 1);
    unsigned rows = 0;
    double began = cpu_s();
    for (unsigned i = 0; i < READS; i++) {
        char video[37];
        video_of(video, (unsigned)sl_prng_below(&prng, VIDEOS));
        sl_cell params[] = {sl_cell_text(video)};
        must(sl_sql_run(db, "SELECT id, t, body FROM t WHERE video=$1 ORDER BY t", params, 1,
                        count_row, &rows, NULL),
             "read");
    }
    double took = cpu_s() - began;
    must(rows == READS * VIDEO_ROWS ? SL_OK : SL_E_INTERNAL, "count");
    return took;
}

static void remove_files(void)
{
    static const char *const ends[] = {"", "-wal", "-journal"};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        char path[80];
        (void)snprintf(path, sizeof path, "%s%s", g_path, ends[i]);
        (void)unlink(path);
    }
}

typedef struct figures {
    double write_s;
    double read_s;
} figures;

static void run_once(const sl_platform *platform, const sl_seal *seal, figures *best)
{
    sl_vfs *vfs = NULL;
    sl_sql *db = NULL;
    must(sl_vfs_new(platform, seal, &vfs, NULL), "vfs");
    must(sl_sql_open(g_path, sl_vfs_name(vfs), &db, NULL), "open");
    must(sl_sql_script(db,
                       "CREATE TABLE t (id TEXT PRIMARY KEY, video TEXT NOT NULL, t INTEGER NOT"
                       " NULL, body TEXT NOT NULL) STRICT; CREATE INDEX t_video ON t (video, t);",
                       NULL),
         "table");
    double write_s = write_all(db);
    double read_s = read_all(db);
    best->write_s = write_s < best->write_s ? write_s : best->write_s;
    best->read_s = read_s < best->read_s ? read_s : best->read_s;
    sl_sql_close(db);
    sl_vfs_free(vfs);
    remove_files();
}

int main(void)
{
    static const uint8_t key[SL_SEAL_KEY_LEN] = {1};
    sl_platform platform = {.struct_size = sizeof platform};
    figures clear = {1e9, 1e9};
    figures sealed = {1e9, 1e9};
    if (mkdtemp(g_dir) == NULL) {
        return 1;
    }
    (void)snprintf(g_path, sizeof g_path, "%s/x.db", g_dir);
    must(sl_platform_builtin(&platform), "platform");
    sl_seal *seal = sl_seal_new(key);
    must(seal != NULL ? SL_OK : SL_E_NOMEM, "key");
    for (int r = 0; r < ROUNDS; r++) {
        run_once(&platform, NULL, &clear);
        run_once(&platform, seal, &sealed);
    }
    (void)printf("write %d rows of 310 B, %d per transaction: clear %.3f s, sealed %.3f s, ratio"
                 " %.2f\n",
                 ROWS, BATCH, clear.write_s, sealed.write_s, sealed.write_s / clear.write_s);
    (void)printf("read %d times %d rows: clear %.3f s, sealed %.3f s, ratio %.2f\n", READS,
                 VIDEO_ROWS, clear.read_s, sealed.read_s, sealed.read_s / clear.read_s);
    sl_seal_free(seal);
    if (platform.release != NULL) {
        platform.release(platform.user);
    }
    return rmdir(g_dir) == 0 ? 0 : 1;
}
