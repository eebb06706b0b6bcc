/* The server's database is this process's alone, whatever opens the file. */
#include "support.h"

#include "platform/posix/posix.h"
#include "server/database.h"
#include "server/db_sqlite.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const sl_platform PLATFORM = {.struct_size = sizeof PLATFORM,
                                     .clock = &sl_posix_clock,
                                     .random = &sl_posix_random,
                                     .files = &sl_posix_files};

static char g_dir[60];
static char g_path[80];

static void dir_make(void)
{
    (void)snprintf(g_dir, sizeof g_dir, "/tmp/sideline-database-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(g_dir));
    (void)snprintf(g_path, sizeof g_path, "%s/server.db", g_dir);
}

static void dir_remove(void)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        char path[90];
        (void)snprintf(path, sizeof path, "%s%s", g_path, ends[i]);
        (void)remove(path);
    }
    (void)rmdir(g_dir);
}

static void run(const sl_db *db, const char *sql)
{
    ck_assert_int_eq(db->run(db->user, sql, NULL, 0, NULL, NULL, NULL), SL_OK);
}

static bool take_number(void *ctx, const sl_cell *cells, size_t n)
{
    *(int64_t *)ctx = n == 1 ? cells[0].i : -1;
    return true;
}

START_TEST(database__sqlites_own_tools_are_refused_while_it_is_open_and_read_it_afterwards)
{
    sl_database *d = NULL;
    sl_db db;
    sl_db other;
    int64_t n = 0;
    dir_make();
    ck_assert_int_eq(sl_database_open(g_dir, &PLATFORM, &d, &db, NULL), SL_OK);
    run(&db, "CREATE TABLE t (a BIGINT)");
    run(&db, "INSERT INTO t VALUES (7)");
    ck_assert_int_eq(sl_db_sqlite_open(g_path, NULL, &other, NULL), SL_E_BUSY);
    run(&db, "INSERT INTO t VALUES (8)");
    db.close(db.user);
    sl_database_free(d);
    ck_assert_int_eq(sl_db_sqlite_open(g_path, NULL, &other, NULL), SL_OK);
    ck_assert_int_eq(other.run(other.user, "SELECT sum(a) FROM t", NULL, 0, take_number, &n, NULL),
                     SL_OK);
    ck_assert_int_eq(n, 15);
    other.close(other.user);
    dir_remove();
}
END_TEST

START_TEST(database__is_refused_while_sqlites_own_tools_write_it)
{
    sl_database *d = NULL;
    sl_db db;
    sl_db other;
    sl_error *err = NULL;
    dir_make();
    ck_assert_int_eq(sl_db_sqlite_open(g_path, NULL, &other, NULL), SL_OK);
    run(&other, "CREATE TABLE t (a BIGINT)");
    ck_assert_int_eq(sl_database_open(g_dir, &PLATFORM, &d, &db, &err), SL_E_BUSY);
    ck_assert_ptr_nonnull(err);
    sl_error_release(err);
    other.close(other.user);
    ck_assert_int_eq(sl_database_open(g_dir, &PLATFORM, &d, &db, NULL), SL_OK);
    db.close(db.user);
    sl_database_free(d);
    dir_remove();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        database__sqlites_own_tools_are_refused_while_it_is_open_and_read_it_afterwards,
        database__is_refused_while_sqlites_own_tools_write_it,
    };
    return sl_test_run(sl_test_suite("database", tests, sizeof tests / sizeof tests[0]));
}
