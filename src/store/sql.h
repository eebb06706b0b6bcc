/*
 * store/sql.h - one SQLite connection, used by one thread at a time: statements kept
 * prepared, parameters and rows as cells, SQLite's codes turned into ours.
 */
#ifndef SL_STORE_SQL_H
#define SL_STORE_SQL_H

#include "schema/cell.h"
#include "sideline/base.h"

typedef struct sl_sql sl_sql;

enum {
    SL_CELLS_MAX = 48 /* of a row */
};

/* Cells are borrowed for the call; false stops the statement without error. */
typedef bool (*sl_sql_row)(void *ctx, const sl_cell *cells, size_t n);

/* WAL, synchronous=FULL: a commit is durable when it returns; the file has one owner. vfs NULL:
 * SQLite's own, and no reader may come. SL_E_CORRUPT: the file is no database. */
sl_status sl_sql_open(const char *path, const char *vfs, sl_sql **out, sl_error **err);
/* Another connection to a database that is open, which only reads, on a thread of its own: each
 * statement, or each transaction, sees what was committed when it began. With a vfs of this module.
 * To be closed before the connection that writes. */
sl_status sl_sql_open_reader(const char *path, const char *vfs, sl_sql **out, sl_error **err);
/* Another one, on a thread of its own, for sl_sql_copy alone; with a vfs of this module. To be closed
 * before the connection that writes. */
sl_status sl_sql_open_copier(const char *path, const char *vfs, sl_sql **out, sl_error **err);
void sl_sql_close(sl_sql *db); /* NULL accepted */

/* One statement with $1.. parameters, borrowed until it ran; row may be NULL. Statements are kept
 * prepared by their text. */
sl_status sl_sql_run(sl_sql *db, const char *sql, const sl_cell *params, size_t n, sl_sql_row row,
                     void *ctx, sl_error **err);
/* The same for "SELECT sl_row(a, b..) FROM ..", of a reader's connection: a row's cells are the arguments.
 * It costs less for many rows; their order is SQLite's. */
sl_status sl_sql_gather(sl_sql *db, const char *sql, const sl_cell *params, size_t n,
                        sl_sql_row row, void *ctx, sl_error **err);
/* Several statements without parameters. */
sl_status sl_sql_script(sl_sql *db, const char *sql, sl_error **err);
/* Pages in the log after the last commit of this connection, copied or not. When nobody copies them until
 * there are SL_SQL_LOG_MAX the commit does. */
enum {
    SL_SQL_LOG_MAX = 16000
};
int sl_sql_logged(const sl_sql *db);
/* Copies committed pages of the log into the database, durably, beside readers and the writer, but for what
 * a reader still looks at. *whole: all of them; the next commit begins the log anew, unless a reader that
 * began before still reads after some milliseconds, for which a writer waits too. */
sl_status sl_sql_copy(sl_sql *db, bool *whole, sl_error **err);
/* True inside a transaction. */
bool sl_sql_in_transaction(const sl_sql *db);
/* Ends the transaction, if there is one, without its effects. Needs no memory. When the database has ended a
 * transaction by itself, all that is run fails with SL_E_IO until its owner has called this. */
void sl_sql_rollback(sl_sql *db);
/* How many rows the last insert, update or delete touched. */
int64_t sl_sql_changes(const sl_sql *db);

#endif
