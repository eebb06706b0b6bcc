/* Databases through the store's VFS, in the clear and sealed: readers beside the writer, power cuts. */
#include "base/error.h"
#include "base/mem.h"
#include "base/thread.h"
#include "platform/sim/disk.h"
#include "store/sql.h"
#include "store/vfs.h"
#include "support.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static sl_platform g_platform;
static char g_dir[64];
static char g_path[96];
static sl_vfs *g_vfs;
static sl_seal *g_seal; /* NULL: in the clear */

static void setup(void)
{
    g_platform.struct_size = sizeof g_platform;
    ck_assert_int_eq(sl_platform_builtin(&g_platform), SL_OK);
    (void)snprintf(g_dir, sizeof g_dir, "/tmp/sideline-vfs-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(g_dir));
    (void)snprintf(g_path, sizeof g_path, "%s/x.db", g_dir);
    ck_assert_int_eq(sl_vfs_new(&g_platform, g_seal, &g_vfs, NULL), SL_OK);
}

static void setup_sealed(void)
{
    static const uint8_t key[SL_SEAL_KEY_LEN] = {1, 2, 3};
    g_seal = sl_seal_new(key);
    ck_assert_ptr_nonnull(g_seal);
    setup();
}

static void teardown(void)
{
    static const char *const ends[] = {"", "-wal", "-journal"};
    sl_vfs_free(g_vfs);
    sl_seal_free(g_seal);
    g_seal = NULL;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        char path[128];
        (void)snprintf(path, sizeof path, "%s%s", g_path, ends[i]);
        (void)unlink(path);
    }
    ck_assert_int_eq(rmdir(g_dir), 0);
    g_platform.release(g_platform.user);
}

static sl_sql *open_db(bool reads)
{
    sl_sql *db = NULL;
    sl_error *err = NULL;
    sl_status status = reads ? sl_sql_open_reader(g_path, sl_vfs_name(g_vfs), &db, &err)
                             : sl_sql_open(g_path, sl_vfs_name(g_vfs), &db, &err);
    ck_assert_msg(status == SL_OK, "%s", sl_error_message(err));
    return db;
}

static void run(sl_sql *db, const char *sql)
{
    sl_error *err = NULL;
    sl_status status = sl_sql_script(db, sql, &err);
    ck_assert_msg(status == SL_OK, "%s: %s", sql, sl_error_message(err));
}

static bool take_int(void *ctx, const sl_cell *cells, size_t n)
{
    int64_t *out = ctx;
    for (size_t i = 0; i < n; i++) {
        out[i] = cells[i].i;
    }
    return true;
}

static int64_t ask(sl_sql *db, const char *sql)
{
    int64_t out[4] = {-1, -1, -1, -1};
    sl_error *err = NULL;
    sl_status status = sl_sql_run(db, sql, NULL, 0, take_int, out, &err);
    ck_assert_msg(status == SL_OK, "%s: %s", sql, sl_error_message(err));
    return out[0];
}

START_TEST(vfs__a_reader_sees_what_was_committed_when_it_began)
{
    sl_sql *w = open_db(false);
    run(w, "CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1);");
    sl_sql *r = open_db(true);
    run(r, "BEGIN");
    ck_assert_int_eq(ask(r, "SELECT sum(a) FROM t"), 1);
    run(w, "BEGIN; INSERT INTO t VALUES (10)");
    ck_assert_int_eq(ask(w, "SELECT sum(a) FROM t"), 11);
    ck_assert_int_eq(ask(r, "SELECT sum(a) FROM t"), 1); /* not committed */
    run(w, "COMMIT");
    ck_assert_int_eq(ask(r, "SELECT sum(a) FROM t"), 1); /* still the same snapshot */
    run(r, "COMMIT");
    ck_assert_int_eq(ask(r, "SELECT sum(a) FROM t"), 11);
    run(w, "ALTER TABLE t ADD COLUMN b INTEGER DEFAULT 5");
    ck_assert_int_eq(ask(r, "SELECT sum(b) FROM t"), 10); /* another schema is noticed */
    sl_sql_close(r);
    sl_sql_close(w);
}
END_TEST

START_TEST(vfs__a_commit_that_is_not_synced_is_seen_at_once)
{
    sl_sql *w = open_db(false);
    run(w, "CREATE TABLE t (a INTEGER)");
    sl_sql *r = open_db(true);
    for (int64_t n = 1; n <= 5; n++) {
        sl_vfs_soften(g_vfs, true);
        run(w, "INSERT INTO t VALUES (1)");
        sl_vfs_soften(g_vfs, false);
        ck_assert_int_eq(ask(r, "SELECT sum(a) FROM t"), n);
    }
    sl_sql_close(r);
    sl_sql_close(w);
}
END_TEST

START_TEST(vfs__the_log_is_copied_beside_a_transaction)
{
    bool whole = false;
    sl_sql *c = NULL;
    sl_sql *w = open_db(false);
    run(w, "CREATE TABLE t (a TEXT)");
    run(w, "INSERT INTO t VALUES (hex(randomblob(100000)))");
    int before = sl_sql_logged(w);
    ck_assert_int_gt(before, 40);
    ck_assert_int_eq(sl_sql_open_copier(g_path, sl_vfs_name(g_vfs), &c, NULL), SL_OK);
    run(w, "BEGIN IMMEDIATE; INSERT INTO t VALUES ('b')");
    ck_assert_int_eq(sl_sql_copy(c, &whole, NULL), SL_OK);
    ck_assert(whole);
    run(w, "COMMIT"); /* behind what was copied: the log goes on */
    ck_assert_int_gt(sl_sql_logged(w), before);
    sl_sql *r = open_db(true);
    run(r, "BEGIN");
    ck_assert_int_eq(ask(r, "SELECT count(*) FROM t"), 2);
    run(w, "INSERT INTO t VALUES ('c')");
    ck_assert_int_eq(sl_sql_copy(c, &whole, NULL), SL_OK);
    ck_assert(!whole); /* a reader looks at what was there before */
    run(r, "COMMIT");
    ck_assert_int_eq(sl_sql_copy(c, &whole, NULL), SL_OK);
    ck_assert(whole);
    run(w, "INSERT INTO t VALUES ('d')");
    ck_assert_int_lt(sl_sql_logged(w), 5); /* anew */
    ck_assert_int_eq(ask(r, "SELECT count(*) FROM t"), 4);
    sl_sql_close(r);
    sl_sql_close(c);
    sl_sql_close(w);
}
END_TEST

START_TEST(vfs__a_reader_cannot_write)
{
    sl_sql *w = open_db(false);
    run(w, "CREATE TABLE t (a INTEGER)");
    sl_sql *r = open_db(true);
    ck_assert_int_ne(sl_sql_script(r, "INSERT INTO t VALUES (1)", NULL), SL_OK);
    ck_assert_int_ne(sl_sql_script(r, "PRAGMA query_only=OFF; DELETE FROM t", NULL), SL_OK);
    ck_assert_int_eq(ask(w, "SELECT count(*) FROM t"), 0);
    sl_sql_close(r);
    sl_sql_close(w);
}
END_TEST

START_TEST(vfs__there_is_no_reader_of_what_is_not_there)
{
    sl_sql *r = NULL;
    ck_assert_int_eq(sl_sql_open_reader(g_path, sl_vfs_name(g_vfs), &r, NULL), SL_E_IO);
    ck_assert_ptr_null(r);
}
END_TEST

START_TEST(vfs__a_snapshot_holds_while_the_wal_is_emptied_into_the_database)
{
    sl_sql *w = open_db(false);
    run(w, "CREATE TABLE t (n INTEGER PRIMARY KEY, a TEXT); INSERT INTO t VALUES (1, 'x')");
    sl_sql *r = open_db(true);
    run(r, "BEGIN");
    ck_assert_int_eq(ask(r, "SELECT count(*) FROM t"), 1);
    for (int i = 2; i <= 40; i++) {
        run(w, "INSERT INTO t SELECT max(n) + 1, hex(randomblob(6000)) FROM t");
        run(w, "PRAGMA wal_checkpoint(PASSIVE)");
        ck_assert_int_eq(ask(r, "SELECT count(*) FROM t"), 1);
    }
    run(r, "COMMIT");
    run(w, "PRAGMA wal_checkpoint(TRUNCATE)");
    ck_assert_int_eq(ask(r, "SELECT count(*) FROM t"), 40);
    run(w, "DELETE FROM t WHERE n > 20; VACUUM");
    ck_assert_int_eq(ask(r, "SELECT count(*) FROM t"), 20);
    sl_sql_close(r);
    sl_sql_close(w);
}
END_TEST

/* --- threads ------------------------------------------------------------------------------ */

enum {
    ACCOUNTS = 64,
    TRANSFERS = 3000,
    TOTAL = ACCOUNTS * 1000
};

static _Atomic bool g_over;

/* Each change moves money and counts itself: in every snapshot the sum is the same, and the number
 * of changes never goes back. */
static void write_on(void *arg)
{
    sl_sql *db = arg;
    for (int i = 0; i < TRANSFERS; i++) {
        char sql[320];
        int from = i * 7 % ACCOUNTS;
        int to = (i * 13 + 5) % ACCOUNTS;
        (void)snprintf(sql, sizeof sql,
                       "BEGIN IMMEDIATE; UPDATE a SET v = v - %d WHERE n = %d;"
                       "UPDATE a SET v = v + %d WHERE n = %d; UPDATE c SET n = n + 1;"
                       "INSERT INTO log VALUES (%d, hex(randomblob(200)));"
                       "DELETE FROM log WHERE n < %d; COMMIT",
                       i, from, i, to, i, i - 50);
        run(db, sql);
    }
    atomic_store(&g_over, true);
}

static void read_on(void *arg)
{
    int64_t *snapshots = arg;
    sl_sql *db = open_db(true);
    int64_t before = 0;
    bool over = false;
    while (!over) {
        over = atomic_load(&g_over); /* one more look after the end */
        run(db, "BEGIN");
        int64_t sum = ask(db, "SELECT sum(v) FROM a");
        int64_t changes = ask(db, "SELECT n FROM c");
        int64_t logged = ask(db, "SELECT coalesce(max(n) + 1, 0) FROM log");
        ck_assert_int_eq(ask(db, "SELECT sum(v) FROM a"), sum);
        run(db, "COMMIT");
        ck_assert_int_eq(sum, TOTAL);
        ck_assert_int_eq(logged, changes);
        ck_assert_int_ge(changes, before);
        before = changes;
        ++*snapshots;
    }
    ck_assert_int_eq(before, TRANSFERS);
    sl_sql_close(db);
}

START_TEST(vfs__two_readers_and_the_writer_run_beside_each_other)
{
    sl_sql *w = open_db(false);
    int64_t seen[2] = {0, 0};
    run(w, "CREATE TABLE a (n INTEGER PRIMARY KEY, v INTEGER); CREATE TABLE c (n INTEGER);"
           "CREATE TABLE log (n INTEGER PRIMARY KEY, t TEXT); INSERT INTO c VALUES (0);"
           "WITH RECURSIVE k(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM k WHERE i < 63)"
           " INSERT INTO a SELECT i, 1000 FROM k");
    run(w, "PRAGMA wal_autocheckpoint=100"); /* the WAL starts anew often */
    atomic_store(&g_over, false);
    sl_thread *readers[2] = {sl_thread_start(read_on, &seen[0]),
                             sl_thread_start(read_on, &seen[1])};
    sl_thread *writer = sl_thread_start(write_on, w);
    ck_assert(readers[0] != NULL && readers[1] != NULL && writer != NULL);
    sl_thread_join(writer);
    sl_thread_join(readers[0]);
    sl_thread_join(readers[1]);
    ck_assert_int_gt(seen[0], 0);
    ck_assert_int_gt(seen[1], 0);
    ck_assert_int_eq(ask(w, "SELECT count(*) FROM pragma_integrity_check"
                            " WHERE integrity_check = 'ok'"),
                     1);
    sl_sql_close(w);
}
END_TEST

/* --- power cuts --------------------------------------------------------------------------- */

/* A machine whose disk fails: the disk comes first. */
typedef struct host {
    sl_disk *disk;
    sl_platform platform;
    sl_prng prng;
    sl_vfs *vfs;
    sl_sql *db;
    sl_sql *reader;
    sl_sql *copier;
    bool soft;    /* some commits are not synced */
    int64_t hard; /* the last number that is durable */
} host;

static sl_status host_random(void *user, void *dst, size_t n)
{
    host *h = user;
    for (size_t i = 0; i < n; i++) {
        ((uint8_t *)dst)[i] = (uint8_t)sl_prng_next(&h->prng);
    }
    return SL_OK;
}

static int64_t host_ms(void *user)
{
    (void)user;
    return 1700000000000;
}

static const sl_random_ops host_randoms = {.struct_size = sizeof(sl_random_ops),
                                           .fill = host_random};
static const sl_clock_ops host_clock = {
    .struct_size = sizeof(sl_clock_ops), .mono_ms = host_ms, .wall_ms = host_ms};

static sl_status host_open(host *h)
{
    ck_assert_int_eq(sl_vfs_new(&h->platform, g_seal, &h->vfs, NULL), SL_OK);
    return sl_sql_open("d/x.db", sl_vfs_name(h->vfs), &h->db, NULL);
}

static void host_close(host *h)
{
    sl_sql_close(h->reader);
    sl_sql_close(h->copier);
    sl_sql_close(h->db);
    sl_vfs_free(h->vfs);
    h->reader = NULL;
    h->copier = NULL;
    h->db = NULL;
}

/* Copies the log; what it held is durable then. */
static sl_status copy_log(host *h, int64_t n)
{
    bool whole = false;
    sl_status status = h->copier == NULL
                           ? sl_sql_open_copier("d/x.db", sl_vfs_name(h->vfs), &h->copier, NULL)
                           : SL_OK;
    if (status == SL_OK) {
        status = sl_sql_copy(h->copier, &whole, NULL);
    }
    h->hard = whole ? n : h->hard;
    return status;
}

/* Commits until the disk dies; returns the last number whose commit said yes. */
static int64_t commit_until_death(host *h, int64_t n)
{
    sl_status status =
        sl_sql_script(h->db, "CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY, v TEXT)", NULL);
    while (status == SL_OK) {
        char sql[200];
        (void)snprintf(sql, sizeof sql,
                       "BEGIN; INSERT INTO t VALUES (%lld, hex(randomblob(%d)));"
                       "UPDATE t SET v = v || 'x' WHERE n = %lld; COMMIT",
                       (long long)n + 1, (int)(n * 37 % 3000), (long long)n / 2);
        bool soft = h->soft && n % 4 != 0;
        sl_vfs_soften(h->vfs, soft);
        status = sl_sql_script(h->db, sql, NULL);
        sl_vfs_soften(h->vfs, false);
        n += status == SL_OK ? 1 : 0;
        h->hard = status == SL_OK && !soft ? n : h->hard;
        if (status == SL_OK && h->soft && n % 7 == 0) {
            status = copy_log(h, n);
        }
        if (status == SL_OK && n % 5 == 0 && h->reader == NULL) {
            status = sl_sql_open_reader("d/x.db", sl_vfs_name(h->vfs), &h->reader, NULL);
        }
        if (status == SL_OK && n % 11 == 0) {
            status = sl_sql_script(h->db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL);
        }
    }
    return n;
}

static void survive(uint64_t seed, bool soft)
{
    host h = {.disk = sl_disk_new(seed), .soft = soft};
    h.platform = (sl_platform){.struct_size = sizeof h.platform,
                               .user = &h,
                               .files = &sl_disk_files,
                               .random = &host_randoms,
                               .clock = &host_clock};
    sl_prng_seed(&h.prng, seed);
    ck_assert_int_eq(sl_disk_files.mkdir(&h, "d"), SL_OK);
    int64_t kept = 0;
    for (int life = 0; life < 4; life++) {
        sl_disk_die_in(h.disk, 1 + sl_prng_below(&h.prng, 400));
        if (host_open(&h) == SL_OK) {
            kept = commit_until_death(&h, kept);
        }
        host_close(&h);
        sl_disk_power_cut(h.disk);
        ck_assert_int_eq(host_open(&h), SL_OK);
        ck_assert_int_eq(ask(h.db, "SELECT count(*) FROM pragma_integrity_check"
                                   " WHERE integrity_check = 'ok'"),
                         1);
        run(h.db, "CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY, v TEXT)");
        int64_t have = ask(h.db, "SELECT coalesce(max(n), 0) FROM t");
        ck_assert_msg(have >= h.hard && have <= kept + 1, "seed %llu: %lld to %lld, then %lld",
                      (unsigned long long)seed, (long long)h.hard, (long long)kept,
                      (long long)have);
        ck_assert_int_eq(ask(h.db, "SELECT count(*) FROM t"), have);
        kept = have;
        h.hard = have;
        host_close(&h);
    }
    sl_disk_free(h.disk);
}

START_TEST(vfs__a_power_cut_takes_no_commit_that_said_yes)
{
    for (uint64_t seed = 1; seed <= 150; seed += SL_TEST_STRIDE) {
        survive(seed, false);
    }
}
END_TEST

START_TEST(vfs__of_commits_that_were_not_synced_a_power_cut_takes_the_last_ones)
{
    for (uint64_t seed = 1; seed <= 10; seed++) {
        survive(seed, true);
    }
}
END_TEST

/* --- what is on the disk ------------------------------------------------------------------ */

/* How often the words are in the file. */
static int count_words(const char *end, const char *words)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s%s", g_path, end);
    void *file = NULL;
    ck_assert_int_eq(g_platform.files->open(g_platform.user, path, SL_FILE_READ, &file), SL_OK);
    size_t n = (size_t)g_platform.files->size(g_platform.user, file);
    char *bytes = malloc(n + 1);
    ck_assert_ptr_nonnull(bytes);
    ck_assert_int_eq(g_platform.files->read(g_platform.user, file, bytes, n, 0), (int64_t)n);
    g_platform.files->close(g_platform.user, file);
    int found = 0;
    for (size_t i = 0; i + strlen(words) <= n; i++) {
        found += memcmp(bytes + i, words, strlen(words)) == 0;
    }
    free(bytes);
    return found;
}

START_TEST(vfs__what_is_sealed_is_not_on_the_disk)
{
    sl_sql *w = open_db(false);
    run(w, "CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('a canary sings')");
    int in_wal = count_words("-wal", "a canary sings");
    run(w, "PRAGMA wal_checkpoint(TRUNCATE)");
    int in_database = count_words("", "a canary sings");
    int marks = count_words("", "SQLite format 3");
    ck_assert_int_eq(in_wal, g_seal == NULL ? 1 : 0);
    ck_assert_int_eq(in_database, g_seal == NULL ? 1 : 0);
    ck_assert_int_eq(marks, g_seal == NULL ? 1 : 0);
    /* The rollback journal, which only a change of mode uses. */
    run(w, "PRAGMA journal_mode=PERSIST; UPDATE t SET a = a || '!'");
    ck_assert_int_eq(count_words("-journal", "a canary sings"), g_seal == NULL ? 1 : 0);
    run(w, "BEGIN; UPDATE t SET a = 'gone'; ROLLBACK");
    ck_assert_int_eq(ask(w, "SELECT count(*) FROM t WHERE a = 'a canary sings!'"), 1);
    sl_sql_close(w);
}
END_TEST

START_TEST(vfs__another_key_finds_no_database)
{
    static const uint8_t other[SL_SEAL_KEY_LEN] = {9};
    sl_sql *w = open_db(false);
    run(w, "CREATE TABLE t (a TEXT)");
    sl_sql_close(w);
    sl_vfs_free(g_vfs);
    sl_seal *seal = sl_seal_new(other);
    ck_assert_int_eq(sl_vfs_new(&g_platform, seal, &g_vfs, NULL), SL_OK);
    ck_assert_int_eq(sl_sql_open(g_path, sl_vfs_name(g_vfs), &w, NULL), SL_E_CORRUPT);
    sl_vfs_free(g_vfs);
    sl_seal_free(seal);
    ck_assert_int_eq(sl_vfs_new(&g_platform, g_seal, &g_vfs, NULL), SL_OK);
    w = open_db(false); /* nothing was harmed */
    ck_assert_int_eq(ask(w, "SELECT count(*) FROM t"), 0);
    sl_sql_close(w);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_set_timeout(tcase, SL_TEST_TIMEOUT_S);
    tcase_add_test(tcase, vfs__a_reader_sees_what_was_committed_when_it_began);
    tcase_add_test(tcase, vfs__a_commit_that_is_not_synced_is_seen_at_once);
    tcase_add_test(tcase, vfs__the_log_is_copied_beside_a_transaction);
    tcase_add_test(tcase, vfs__a_reader_cannot_write);
    tcase_add_test(tcase, vfs__there_is_no_reader_of_what_is_not_there);
    tcase_add_test(tcase, vfs__a_snapshot_holds_while_the_wal_is_emptied_into_the_database);
    tcase_add_test(tcase, vfs__two_readers_and_the_writer_run_beside_each_other);
    tcase_add_test(tcase, vfs__a_power_cut_takes_no_commit_that_said_yes);
    tcase_add_test(tcase, vfs__of_commits_that_were_not_synced_a_power_cut_takes_the_last_ones);
    tcase_add_test(tcase, vfs__what_is_sealed_is_not_on_the_disk);
}

int main(void)
{
    Suite *suite = suite_create("vfs");
    TCase *clear = tcase_create("clear");
    TCase *sealed = tcase_create("sealed");
    tcase_add_checked_fixture(clear, setup, teardown);
    tcase_add_checked_fixture(sealed, setup_sealed, teardown);
    add_tests(clear);
    add_tests(sealed);
    tcase_add_test(sealed, vfs__another_key_finds_no_database);
    suite_add_tcase(suite, clear);
    suite_add_tcase(suite, sealed);
    return sl_test_run(suite);
}
