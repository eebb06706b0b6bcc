#include "server/db_sqlite.h"

#include "store/sql.h"

#include <string.h>

enum {
    LOG_PAGES = 4000
};

static bool one_statement(const char *sql)
{
    const char *end = strchr(sql, ';');
    return end == NULL || end[1 + strspn(end + 1, " \n\t")] == 0;
}

static sl_status db_run(void *user, const char *sql, const sl_cell *params, size_t n,
                        bool (*row)(void *ctx, const sl_cell *cells, size_t n), void *ctx,
                        sl_error **err)
{
    return n == 0 && !one_statement(sql) ? sl_sql_script(user, sql, err)
                                         : sl_sql_run(user, sql, params, n, row, ctx, err);
}

static sl_status db_begin(void *user, sl_error **err)
{
    return sl_sql_run(user, "BEGIN IMMEDIATE", NULL, 0, NULL, NULL, err);
}

/* The log is copied by whoever commits: there is no other connection. */
static sl_status db_commit(void *user, sl_error **err)
{
    sl_status status = sl_sql_run(user, "COMMIT", NULL, 0, NULL, NULL, err);
    bool whole = false;
    if (status == SL_OK && sl_sql_logged(user) >= LOG_PAGES) {
        (void)sl_sql_copy(user, &whole, NULL); /* or after the next */
    }
    return status;
}

/* After some failures SQLite has rolled back by itself. */
static void db_rollback(void *user)
{
    sl_sql_rollback(user);
}

static void db_close(void *user)
{
    sl_sql_close(user);
}

sl_status sl_db_sqlite_open(const char *path, const char *vfs, sl_db *out, sl_error **err)
{
    memset(out, 0, sizeof *out);
    sl_sql *sql = NULL;
    sl_status status = sl_sql_open(path, vfs, &sql, err);
    if (status == SL_OK) {
        *out = (sl_db){sql, db_run, db_begin, db_commit, db_rollback, db_close, " WITHOUT ROWID"};
    }
    return status;
}
