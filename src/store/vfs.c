#include "store/vfs.h"

#include "base/error.h"
#include "base/mem.h"
#include "store/pages.h"
#include "store/shared.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

struct sl_vfs {
    sqlite3_vfs base;
    const sl_platform *platform;
    const sl_seal *seal; /* NULL: everything is in the clear */
    sl_shared_list shared;
    char name[32];
    bool soft; /* of the connection that commits */
};

enum {
    GATHER_MAX = 64 * 1024,
    FRAME_HEAD =
        24, /* of a frame of the WAL; bytes 4 to 7 are 0 but in a transaction's last frame */
    FRAME_ENDS = 4
};

/* What was written to a WAL, one piece behind the other, and is not handed on yet: SQLite writes a
 * frame in two pieces and a transaction frame by frame. Handed on before the file is looked at or
 * synced; other connections look only at what was committed, and a commit syncs (synchronous=FULL): what a
 * soft one leaves out is the disk's part of it.
 */
typedef struct gather {
    bool here;      /* in this file */
    bool last;      /* the frame that is being written ends a transaction, */
    bool ended;     /* or the one that was written last did */
    uint8_t *bytes; /* made by the first write */
    size_t len;
    int64_t at;
} gather;

typedef struct vfs_file {
    sqlite3_file base;
    const sl_vfs *vfs;
    const sl_platform *platform;
    void *handle;
    char *remove_path; /* delete on close */
    sl_hold hold;      /* of the database itself */
    bool sealed;
    sl_pages pages; /* when sealed */
    gather gather;
} vfs_file;

static const sl_platform *platform_of(sqlite3_vfs *v)
{
    const sl_vfs *vfs = v->pAppData;
    return vfs->platform;
}

static int code_of(sl_status status, int otherwise)
{
    return status == SL_OK        ? SQLITE_OK
           : status == SL_E_FULL  ? SQLITE_FULL
           : status == SL_E_NOMEM ? SQLITE_NOMEM
                                  : otherwise;
}

static sl_status write_through(vfs_file *f, const void *p, size_t n, int64_t at)
{
    return f->sealed ? sl_pages_write(&f->pages, p, n, at)
                     : f->platform->files->write(f->platform->user, f->handle, p, n, at);
}

static sl_status hand_on(vfs_file *f)
{
    size_t n = f->gather.len;
    f->gather.len = 0;
    return n > 0 ? write_through(f, f->gather.bytes, n, f->gather.at) : SL_OK;
}

static int file_close(sqlite3_file *base)
{
    vfs_file *f = (vfs_file *)base;
    sl_status status = hand_on(f);
    sl_mem_free(f->gather.bytes);
    sl_shared_leave(&f->hold);
    sl_pages_close(&f->pages);
    f->platform->files->close(f->platform->user, f->handle);
    if (f->remove_path != NULL) {
        (void)f->platform->files->remove(f->platform->user, f->remove_path);
        sl_mem_free(f->remove_path);
    }
    return code_of(status, SQLITE_IOERR_CLOSE);
}

static int file_read(sqlite3_file *base, void *p, int n, sqlite3_int64 at)
{
    vfs_file *f = (vfs_file *)base;
    if (hand_on(f) != SL_OK) {
        return SQLITE_IOERR_READ;
    }
    int64_t got = f->sealed
                      ? sl_pages_read(&f->pages, p, (size_t)n, at)
                      : f->platform->files->read(f->platform->user, f->handle, p, (size_t)n, at);
    if (got < 0) {
        return SQLITE_IOERR_READ;
    }
    if (got < n) {
        memset((char *)p + got, 0, (size_t)(n - got));
        return SQLITE_IOERR_SHORT_READ;
    }
    return SQLITE_OK;
}

/* True when this piece makes the last frame of a transaction whole. */
static bool ends_transaction(gather *g, const void *p, int n)
{
    static const uint8_t none[4] = {0};
    bool whole = g->last && n == SL_PAGE_LEN;
    if (n == FRAME_HEAD) {
        g->last = memcmp((const uint8_t *)p + FRAME_ENDS, none, sizeof none) != 0;
    } else {
        g->last = false;
    }
    return whole;
}

static int file_write(sqlite3_file *base, const void *p, int n, sqlite3_int64 at)
{
    vfs_file *f = (vfs_file *)base;
    gather *g = &f->gather;
    g->ended = g->here && ends_transaction(g, p, n);
    bool follows = g->len > 0 && at == g->at + (int64_t)g->len && g->len + (size_t)n <= GATHER_MAX;
    sl_status status = follows ? SL_OK : hand_on(f);
    if (g->here && g->bytes == NULL) {
        g->bytes = sl_mem(GATHER_MAX); /* without it every piece goes on by itself */
    }
    if (status == SL_OK && (g->bytes == NULL || n > GATHER_MAX)) {
        status = write_through(f, p, (size_t)n, at);
    } else if (status == SL_OK) {
        g->at = g->len > 0 ? g->at : at;
        memcpy(g->bytes + g->len, p, (size_t)n);
        g->len += (size_t)n;
    }
    return code_of(status, SQLITE_IOERR_WRITE);
}

static int file_truncate(sqlite3_file *base, sqlite3_int64 size)
{
    vfs_file *f = (vfs_file *)base;
    if (hand_on(f) != SL_OK) {
        return SQLITE_IOERR_TRUNCATE;
    }
    sl_status status = f->sealed ? sl_pages_truncate(&f->pages, size)
                                 : f->platform->files->truncate(f->platform->user, f->handle, size);
    return code_of(status, SQLITE_IOERR_TRUNCATE);
}

static int file_sync(sqlite3_file *base, int flags)
{
    (void)flags;
    vfs_file *f = (vfs_file *)base;
    sl_status status = hand_on(f);
    if (status == SL_OK && !(f->gather.ended && f->vfs->soft)) {
        status = f->platform->files->sync(f->platform->user, f->handle);
    }
    return code_of(status, SQLITE_IOERR_FSYNC);
}

static int file_size(sqlite3_file *base, sqlite3_int64 *size)
{
    vfs_file *f = (vfs_file *)base;
    if (hand_on(f) != SL_OK) {
        return SQLITE_IOERR_FSTAT;
    }
    int64_t n = f->platform->files->size(f->platform->user, f->handle);
    *size = n;
    return n < 0 ? SQLITE_IOERR_FSTAT : SQLITE_OK;
}

static int file_lock(sqlite3_file *base, int level)
{
    return sl_shared_lock(&((vfs_file *)base)->hold, level);
}

static int file_unlock(sqlite3_file *base, int level)
{
    return sl_shared_unlock(&((vfs_file *)base)->hold, level);
}

static int file_reserved(sqlite3_file *base, int *out)
{
    *out = sl_shared_reserved(&((vfs_file *)base)->hold) ? 1 : 0;
    return SQLITE_OK;
}

static int file_shm_map(sqlite3_file *base, int region, int size, int extend, void volatile **out)
{
    return sl_shared_map(&((vfs_file *)base)->hold, region, size, extend != 0, out);
}

static int file_shm_lock(sqlite3_file *base, int first, int n, int flags)
{
    return sl_shared_place(&((vfs_file *)base)->hold, first, n, flags);
}

static void file_shm_barrier(sqlite3_file *base)
{
    (void)base;
    atomic_thread_fence(memory_order_seq_cst);
}

static int file_shm_unmap(sqlite3_file *base, int remove)
{
    (void)remove; /* it was only ever in memory */
    sl_shared_unmap(&((vfs_file *)base)->hold);
    return SQLITE_OK;
}

static int file_control(sqlite3_file *base, int op, void *arg)
{
    (void)base;
    (void)op;
    (void)arg;
    return SQLITE_NOTFOUND;
}

static int file_sector(sqlite3_file *base)
{
    (void)base;
    return 4096;
}

/* A write leaves the bytes around it as they were, even when power fails in the middle of it: disks
 * replace whole sectors, as SQLite takes for granted on every system. Nothing else is promised. */
static int file_traits(sqlite3_file *base)
{
    (void)base;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static const sqlite3_io_methods METHODS = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector,
    .xDeviceCharacteristics = file_traits,
    .xShmMap = file_shm_map,
    .xShmLock = file_shm_lock,
    .xShmBarrier = file_shm_barrier,
    .xShmUnmap = file_shm_unmap,
};

static sl_seal_kind kind_of(int flags)
{
    return (flags & SQLITE_OPEN_MAIN_DB) != 0 ? SL_SEAL_DATABASE
           : (flags & SQLITE_OPEN_WAL) != 0   ? SL_SEAL_WAL
                                              : SL_SEAL_JOURNAL;
}

static bool open_pages(const sl_vfs *vfs, vfs_file *f, sl_seal_kind kind)
{
    const sl_xts *xts = sl_seal_xts(vfs->seal, kind);
    return (kind == SL_SEAL_WAL ? sl_pages_open_wal : sl_pages_open)(&f->pages, f->platform,
                                                                     f->handle, xts);
}

static int open_file(sl_vfs *vfs, vfs_file *f, const char *name, int flags)
{
    uint32_t want = SL_FILE_READ;
    want |= (flags & SQLITE_OPEN_READWRITE) != 0 ? SL_FILE_WRITE : 0u;
    want |= (flags & SQLITE_OPEN_CREATE) != 0 ? SL_FILE_CREATE : 0u;
    sl_status status = f->platform->files->open(f->platform->user, name, want, &f->handle);
    if (status != SL_OK) {
        return code_of(status, SQLITE_CANTOPEN);
    }
    f->sealed = vfs->seal != NULL;
    bool ok = !f->sealed || open_pages(vfs, f, kind_of(flags));
    ok = ok && ((flags & SQLITE_OPEN_MAIN_DB) == 0 || sl_shared_join(&f->hold, &vfs->shared, name));
    if (!ok) {
        sl_pages_close(&f->pages);
        f->platform->files->close(f->platform->user, f->handle);
    }
    return ok ? SQLITE_OK : SQLITE_NOMEM;
}

static int vfs_open(sqlite3_vfs *v, const char *name, sqlite3_file *base, int flags, int *out)
{
    sl_vfs *vfs = v->pAppData;
    vfs_file *f = (vfs_file *)base;
    memset(f, 0, sizeof *f);
    if (name == NULL) {
        return SQLITE_CANTOPEN; /* temporary files are kept in memory */
    }
    f->vfs = vfs;
    f->platform = vfs->platform;
    if ((flags & SQLITE_OPEN_DELETEONCLOSE) != 0) {
        f->remove_path = sl_text_dup(name);
        if (f->remove_path == NULL) {
            return SQLITE_NOMEM;
        }
    }
    int code = open_file(vfs, f, name, flags);
    if (code != SQLITE_OK) {
        sl_mem_free(f->remove_path);
        return code;
    }
    f->gather.here = (flags & SQLITE_OPEN_WAL) != 0;
    f->base.pMethods = &METHODS;
    if (out != NULL) {
        *out = flags;
    }
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *v, const char *name, int sync_dir)
{
    (void)sync_dir;
    const sl_platform *p = platform_of(v);
    sl_status status = p->files->remove(p->user, name);
    return status == SL_E_NOT_FOUND ? SQLITE_IOERR_DELETE_NOENT
                                    : code_of(status, SQLITE_IOERR_DELETE);
}

static int vfs_access(sqlite3_vfs *v, const char *name, int flags, int *out)
{
    (void)flags;
    const sl_platform *p = platform_of(v);
    *out = p->files->exists(p->user, name);
    return SQLITE_OK;
}

static int vfs_full_path(sqlite3_vfs *v, const char *name, int n, char *out)
{
    (void)v;
    int len = snprintf(out, (size_t)n, "%s", name);
    return len < 0 || len >= n ? SQLITE_CANTOPEN : SQLITE_OK;
}

static int vfs_random(sqlite3_vfs *v, int n, char *out)
{
    const sl_platform *p = platform_of(v);
    return p->random->fill(p->user, out, (size_t)n) == SL_OK ? n : 0;
}

/* Only when another connection of this process is in the way, for a moment. */
static int vfs_sleep(sqlite3_vfs *v, int us)
{
    sl_vfs *vfs = v->pAppData;
    sl_lock(vfs->shared.lock);
    sl_wait(vfs->shared.lock, (us + 999) / 1000);
    sl_unlock(vfs->shared.lock);
    return us;
}

static int vfs_time64(sqlite3_vfs *v, sqlite3_int64 *out)
{
    const sl_platform *p = platform_of(v);
    *out = p->clock->wall_ms(p->user) + INT64_C(210866760000000); /* Julian day, in ms */
    return SQLITE_OK;
}

static int vfs_time(sqlite3_vfs *v, double *out)
{
    sqlite3_int64 ms = 0;
    (void)vfs_time64(v, &ms);
    *out = (double)ms / 86400000.0;
    return SQLITE_OK;
}

static int vfs_error(sqlite3_vfs *v, int n, char *out)
{
    (void)v;
    (void)n;
    (void)out;
    return 0;
}

sl_status sl_vfs_new(const sl_platform *platform, const sl_seal *seal, sl_vfs **out, sl_error **err)
{
    static _Atomic unsigned counter;
    sl_vfs *v = sl_mem(sizeof *v);
    if (v == NULL) {
        return sl_fail_nomem(err);
    }
    (void)snprintf(v->name, sizeof v->name, "sideline-%u", atomic_fetch_add(&counter, 1));
    v->platform = platform;
    v->seal = seal;
    v->base = (sqlite3_vfs){.iVersion = 2,
                            .szOsFile = sizeof(vfs_file),
                            .mxPathname = 1024,
                            .zName = v->name,
                            .pAppData = v,
                            .xOpen = vfs_open,
                            .xDelete = vfs_delete,
                            .xAccess = vfs_access,
                            .xFullPathname = vfs_full_path,
                            .xRandomness = vfs_random,
                            .xSleep = vfs_sleep,
                            .xCurrentTime = vfs_time,
                            .xGetLastError = vfs_error,
                            .xCurrentTimeInt64 = vfs_time64};
    if (!sl_shared_list_open(&v->shared) || sqlite3_vfs_register(&v->base, 0) != SQLITE_OK) {
        sl_shared_list_close(&v->shared);
        sl_mem_free(v);
        return sl_fail_nomem(err);
    }
    *out = v;
    return SL_OK;
}

const char *sl_vfs_name(const sl_vfs *vfs)
{
    return vfs->name;
}

void sl_vfs_soften(sl_vfs *vfs, bool soft)
{
    vfs->soft = soft;
}

void sl_vfs_free(sl_vfs *vfs)
{
    if (vfs != NULL) {
        (void)sqlite3_vfs_unregister(&vfs->base);
        sl_shared_list_close(&vfs->shared);
        sl_mem_free(vfs);
    }
}
