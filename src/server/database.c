#define _GNU_SOURCE /* F_OFD_SETLK */
#include "server/database.h"

#include "base/error.h"
#include "base/mem.h"
#include "server/db_sqlite.h"
#include "store/vfs.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

struct sl_database {
    sl_vfs *vfs;
    int held; /* the file again, locked against other programs; -1: not */
};

/* SQLite's tools know nothing of the folder's lock, and the locks of the store's files are this
 * process's alone: where they look for somebody else's (SQLite's PENDING_BYTE and the 511 behind it)
 * there is one. */
static sl_status keep_others_out(sl_database *d, const char *path, sl_error **err)
{
    struct flock all = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0x40000000, .l_len = 512};
    d->held = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (d->held < 0) {
        return sl_fail(err, errno == ENOSPC ? SL_E_FULL : SL_E_IO,
                       "the database \"%s\" cannot be opened", path);
    }
#ifdef F_OFD_SETLK /* not let go when the file is closed somewhere else in this process */
    int code = fcntl(d->held, F_OFD_SETLK, &all);
#else
    int code = fcntl(d->held, F_SETLK, &all);
#endif
    return code == 0
               ? SL_OK
               : sl_fail(err, SL_E_BUSY, "another program has the database \"%s\" open", path);
}

sl_status sl_database_open(const char *dir, const sl_platform *platform, sl_database **out,
                           sl_db *db, sl_error **err)
{
    sl_database *d = sl_mem(sizeof *d);
    char *path = sl_text_fmt("%s/server.db", dir);
    if (d == NULL || path == NULL) {
        sl_mem_free(path);
        sl_mem_free(d);
        return sl_fail_nomem(err);
    }
    d->held = -1;
    sl_status status = keep_others_out(d, path, err);
    if (status == SL_OK) {
        status = sl_vfs_new(platform, NULL, &d->vfs, err);
    }
    if (status == SL_OK) {
        status = sl_db_sqlite_open(path, sl_vfs_name(d->vfs), db, err);
    }
    sl_mem_free(path);
    if (status != SL_OK) {
        sl_database_free(d);
        return status;
    }
    *out = d;
    return SL_OK;
}

void sl_database_free(sl_database *d)
{
    if (d == NULL) {
        return;
    }
    sl_vfs_free(d->vfs);
    if (d->held >= 0) {
        (void)close(d->held);
    }
    sl_mem_free(d);
}
