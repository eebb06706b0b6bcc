/*
 * server/database.h - DIR/server.db, opened for this process alone.
 *
 * The store's own files serve it (store/vfs.h): a transaction is handed to the system in one write
 * where SQLite's own take two for each page.
 */
#ifndef SL_SERVER_DATABASE_H
#define SL_SERVER_DATABASE_H

#include "service/service.h"

typedef struct sl_database sl_database;

/* platform is borrowed until sl_database_free. SL_E_BUSY: another program has it open; otherwise as
 * sl_db_sqlite_open. What db holds is closed by its close, before sl_database_free. */
sl_status sl_database_open(const char *dir, const sl_platform *platform, sl_database **out,
                           sl_db *db, sl_error **err);
void sl_database_free(sl_database *d); /* NULL accepted */

#endif
