/*
 * server/db_sqlite.h - the database port of the service over SQLite.
 *
 * One connection, not for several threads at once. It holds the file for itself until it is
 * closed: a second server over the same file gets SL_E_BUSY. A committed transaction is on
 * the disk (write-ahead log, synchronous FULL).
 *
 * Statuses: SL_E_BUSY, SL_E_FULL, SL_E_CORRUPT (also: not a database), SL_E_IO, SL_E_NOMEM,
 * SL_E_CONFLICT (a constraint), SL_E_INTERNAL (a statement that is wrong).
 */
#ifndef SL_SERVER_DB_SQLITE_H
#define SL_SERVER_DB_SQLITE_H

#include "service/service.h"

/* vfs: the name of a registered SQLite VFS; NULL: the default one. */
sl_status sl_db_sqlite_open(const char *path, const char *vfs, sl_db *out, sl_error **err);

#endif
