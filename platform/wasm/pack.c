/* The files of a pack, as sl_file_ops. */
#include "platform/wasm/pack_inside.h"

#include <stdlib.h>
#include <string.h>

enum {
    GROW_MOST = 256 /* blocks: 4 MB */
};

/* --- names ----------------------------------------------------------------------------------- */

node *node_of_id(const pack *p, uint32_t id)
{
    for (node *n = p->files; n != NULL; n = n->next) {
        if (n->id == id) {
            return n;
        }
    }
    return NULL;
}

node *node_new(pack *p, const char *name, size_t n, uint32_t id)
{
    node *f = calloc(1, sizeof *f);
    char *copy = malloc(n + 1);
    if (f == NULL || copy == NULL) {
        free(f);
        free(copy);
        return NULL;
    }
    memcpy(copy, name, n);
    copy[n] = '\0';
    f->name = copy;
    f->id = id;
    f->next = p->files;
    p->files = f;
    return f;
}

void node_unlink(pack *p, node *n)
{
    node **at = &p->files;
    while (*at != n) {
        at = &(*at)->next;
    }
    *at = n->next;
    free(n->name);
    free(n->where.all);
    free(n);
}

/* --- bytes ----------------------------------------------------------------------------------- */

/* Blocks for a file of this size. */
static sl_status grow(pack *p, node *f, int64_t size)
{
    uint64_t need = ((uint64_t)size + PACK_BLOCK - 1) / PACK_BLOCK;
    while (f->blocks < need) {
        /* A file that grows slowly gets an eighth more at once, so that it stays in few pieces. */
        uint32_t more = f->blocks / 8 < GROW_MOST ? f->blocks / 8 : GROW_MOST;
        uint64_t lacking = need - f->blocks;
        uint32_t want = lacking > GROW_MOST ? GROW_MOST : (uint32_t)lacking;
        want = want > more ? want : more;
        uint32_t count = f->where.count;
        uint32_t near =
            count > 0 ? f->where.all[count - 1].start + f->where.all[count - 1].count : 0;
        extent got;
        sl_status status = pack_find(p, want, near, false, &got);
        if (status != SL_OK) {
            return status;
        }
        if (!extents_add(&f->where, got)) {
            pack_free(p, got);
            return SL_E_NOMEM;
        }
        f->blocks += got.count;
        f->moved = true;
    }
    return SL_OK;
}

/* Where byte `at` is on the device, and how many follow it there. */
static int64_t place(const node *f, int64_t at, size_t *run)
{
    uint64_t block = (uint64_t)at / PACK_BLOCK;
    for (uint32_t i = 0; i < f->where.count; i++) {
        extent e = f->where.all[i];
        if (block < e.count) {
            int64_t within = at % PACK_BLOCK;
            uint64_t left = (e.count - block) * PACK_BLOCK - (uint64_t)within;
            *run = left < *run ? (size_t)left : *run;
            return (int64_t)(e.start + block) * PACK_BLOCK + within;
        }
        block -= e.count;
    }
    *run = 0;
    return 0;
}

/* Within the file's blocks; src NULL: zeros. */
static sl_status put(const pack *p, const node *f, const uint8_t *src, size_t n, int64_t at)
{
    static const uint8_t zeros[PACK_BLOCK];
    while (n > 0) {
        size_t run = src == NULL && n > sizeof zeros ? sizeof zeros : n;
        int64_t where = place(f, at, &run);
        sl_status status = p->device.write(p->device.user, src != NULL ? src : zeros, run, where);
        if (status != SL_OK) {
            return status;
        }
        src = src != NULL ? src + run : NULL;
        at += (int64_t)run;
        n -= run;
    }
    return SL_OK;
}

static sl_status fill(const pack *p, const node *f, int64_t from, int64_t to)
{
    sl_status status = SL_OK;
    while (status == SL_OK && from < to) {
        size_t n = to - from < PACK_BLOCK ? (size_t)(to - from) : PACK_BLOCK;
        status = put(p, f, NULL, n, from);
        from += (int64_t)n;
    }
    return status;
}

/* The blocks behind a file's new, smaller end are given up. */
static sl_status shrink(pack *p, node *f, int64_t size)
{
    uint32_t keep = (uint32_t)(((uint64_t)size + PACK_BLOCK - 1) / PACK_BLOCK);
    while (f->blocks > keep) {
        extent *last = &f->where.all[f->where.count - 1];
        uint32_t drop = f->blocks - keep < last->count ? f->blocks - keep : last->count;
        sl_status status = pack_give_up(p, (extent){last->start + last->count - drop, drop});
        if (status != SL_OK) {
            return status;
        }
        last->count -= drop;
        f->where.count -= last->count == 0 ? 1 : 0;
        f->blocks -= drop;
        f->moved = true;
    }
    f->size = size;
    f->resized = true;
    return SL_OK;
}

/* --- operations ------------------------------------------------------------------------------ */

/* What an opener holds. */
typedef struct opened {
    node *file;
    bool locks;
    bool writes;
} opened;

sl_status node_drop(pack *p, node *f)
{
    if (!f->gone || f->opens > 0) {
        return SL_OK;
    }
    sl_status status = shrink(p, f, 0);
    node_unlink(p, f);
    return status;
}

/* The file of this name, made when that is wanted. */
static sl_status find(pack *p, const char *path, bool create, node **out)
{
    *out = node_of_name(p, path);
    if (*out != NULL) {
        return SL_OK;
    }
    if (node_is_folder(p, path)) {
        return SL_E_IO;
    }
    if (!create || !node_has_place(p, path)) {
        return SL_E_NOT_FOUND;
    }
    size_t n = strlen(path);
    *out = n > 0 && n <= PACK_NAME_MAX ? node_new(p, path, n, p->last_id + 1) : NULL;
    if (*out == NULL) {
        return n > 0 && n <= PACK_NAME_MAX ? SL_E_NOMEM : SL_E_IO;
    }
    p->last_id++;
    (*out)->moved = true;
    return SL_OK;
}

static sl_status file_open(void *user, const char *path, uint32_t flags, void **out)
{
    pack *p = user;
    node *f = NULL;
    bool locks = (flags & SL_FILE_LOCK) != 0;
    *out = NULL;
    sl_status status = find(p, path, (flags & SL_FILE_CREATE) != 0, &f);
    if (status != SL_OK || (locks && f->locked)) {
        return status != SL_OK ? status : SL_E_BUSY;
    }
    opened *o = malloc(sizeof *o);
    if (o == NULL) {
        return SL_E_NOMEM;
    }
    if ((flags & SL_FILE_TRUNCATE) != 0 && f->size > 0) {
        status = shrink(p, f, 0);
        if (status != SL_OK) {
            free(o);
            return status;
        }
    }
    *o = (opened){f, locks, (flags & SL_FILE_WRITE) != 0};
    f->locked = f->locked || locks;
    f->opens++;
    *out = o;
    return SL_OK;
}

static void file_close(void *user, void *file)
{
    opened *o = file;
    node *f = o->file;
    f->opens--;
    f->locked = f->locked && !o->locks;
    free(o);
    (void)node_drop(user, f);
}

static int64_t file_read(void *user, void *file, void *dst, size_t n, int64_t at)
{
    const pack *p = user;
    const node *f = ((const opened *)file)->file;
    if (at < 0 || at >= f->size) {
        return at < 0 ? SL_E_IO : 0;
    }
    n = f->size - at < (int64_t)n ? (size_t)(f->size - at) : n;
    for (size_t done = 0; done < n;) {
        size_t run = n - done;
        int64_t where = place(f, at + (int64_t)done, &run);
        sl_status status = p->device.read(p->device.user, (uint8_t *)dst + done, run, where);
        if (status != SL_OK) {
            return status;
        }
        done += run;
    }
    return (int64_t)n;
}

static sl_status file_write(void *user, void *file, const void *src, size_t n, int64_t at)
{
    pack *p = user;
    node *f = ((const opened *)file)->file;
    if (at < 0 || at > INT64_MAX - (int64_t)n || !((const opened *)file)->writes) {
        return SL_E_IO;
    }
    int64_t end = at + (int64_t)n;
    sl_status status = grow(p, f, end);
    if (status == SL_OK && at > f->size) {
        status = fill(p, f, f->size, at);
    }
    if (status == SL_OK) {
        status = put(p, f, src, n, at);
    }
    if (status == SL_OK && end > f->size) {
        f->size = end;
        f->resized = true;
    }
    return status;
}

static sl_status file_truncate(void *user, void *file, int64_t size)
{
    pack *p = user;
    node *f = ((const opened *)file)->file;
    if (size < 0 || !((const opened *)file)->writes) {
        return SL_E_IO;
    }
    if (size <= f->size) {
        return shrink(p, f, size);
    }
    sl_status status = grow(p, f, size);
    if (status == SL_OK) {
        status = fill(p, f, f->size, size);
    }
    if (status == SL_OK) {
        f->size = size;
        f->resized = true;
    }
    return status;
}

static sl_status file_sync(void *user, void *file)
{
    (void)file; /* one flush is everybody's */
    return pack_commit(user);
}

static int64_t file_size(void *user, void *file)
{
    (void)user;
    return ((const opened *)file)->file->size;
}

const sl_file_ops *sl_pack_files(void)
{
    static const sl_file_ops ops = {
        .struct_size = sizeof ops,
        .open = file_open,
        .close = file_close,
        .read = file_read,
        .write = file_write,
        .truncate = file_truncate,
        .sync = file_sync,
        .size = file_size,
        .rename = pack_rename,
        .remove = pack_remove,
        .exists = pack_exists,
        .mkdir = pack_mkdir,
        .list = pack_list,
    };
    return &ops;
}

/* --- the whole ------------------------------------------------------------------------------- */

static void dispose(pack *p)
{
    while (p->files != NULL) {
        node_unlink(p, p->files);
    }
    free(p->used);
    free(p->given_up.all);
    free(p->removed);
    free(p->out);
    free(p);
}

sl_status sl_pack_open(const sl_pack_device *device, sl_pack **out)
{
    *out = NULL;
    pack *p = calloc(1, sizeof *p);
    if (p == NULL) {
        return SL_E_NOMEM;
    }
    p->device = *device;
    sl_status status = pack_read(p);
    if (status != SL_OK) {
        dispose(p);
        return status;
    }
    *out = p;
    return SL_OK;
}

void sl_pack_close(sl_pack *p)
{
    if (p != NULL) {
        (void)pack_commit(p);
        dispose(p);
    }
}
