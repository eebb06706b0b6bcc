/*
 * store/vfs.h - SQLite's files through the platform's file operations, so that one and
 * the same code runs on a disk, in a browser and on the simulator's failing disk.
 *
 * One process per folder (the folder's lock file sees to that). In it a database may have several
 * connections, each on a thread of its own: one writes, others read what was committed when they
 * began, and none waits for another (store/shared.h).
 */
#ifndef SL_STORE_VFS_H
#define SL_STORE_VFS_H

#include "sideline/platform.h"
#include "store/seal.h"

#include <stdbool.h>

typedef struct sl_vfs sl_vfs;

/* seal hides database, WAL and journal (store/pages.h); NULL: they are in the clear. Both are
 * borrowed until sl_vfs_free. */
sl_status sl_vfs_new(const sl_platform *platform, const sl_seal *seal, sl_vfs **out,
                     sl_error **err);
const char *sl_vfs_name(const sl_vfs *vfs);
/* Whoever commits, around it: the log is not synced, so that the transaction becomes durable later. */
void sl_vfs_soften(sl_vfs *vfs, bool soft);
void sl_vfs_free(sl_vfs *vfs); /* NULL accepted; no database may be open on it */

#endif
