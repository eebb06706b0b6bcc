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

node *node_of_name(const pack *p, const char *name)
{
    for (node *n = p->files; n != NULL; n = n->next) {
        if (!n->gone && strcmp(n->name, name) == 0) {
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

static sl_status drop_if_unused(pack *p, node *f)
{
    if (!f->gone || f->opens > 0) {
        return SL_OK;
    }
    sl_status status = shrink(p, f, 0);
    node_unlink(p, f);
    return status;
}

static sl_status file_open(void *user, const char *path, uint32_t flags, void **out)
{
    pack *p = user;
    size_t n = strlen(path);
    node *f = node_of_name(p, path);
    if (f == NULL && ((flags & SL_FILE_CREATE) == 0 || n == 0 || n > PACK_NAME_MAX)) {
        return (flags & SL_FILE_CREATE) == 0 ? SL_E_NOT_FOUND : SL_E_IO;
    }
    if (f != NULL && (flags & SL_FILE_LOCK) != 0 && f->locked) {
        return SL_E_BUSY;
    }
    if (f == NULL) {
        f = node_new(p, path, n, p->last_id + 1);
        if (f == NULL) {
            return SL_E_NOMEM;
        }
        p->last_id++;
        f->moved = true;
    }
    if ((flags & SL_FILE_TRUNCATE) != 0 && f->size > 0) {
        sl_status status = shrink(p, f, 0);
        if (status != SL_OK) {
            return status;
        }
    }
    f->locked = f->locked || (flags & SL_FILE_LOCK) != 0;
    f->opens++;
    *out = f;
    return SL_OK;
}

/* The lock is the first opener's; the core opens a locked file once. */
static void file_close(void *user, void *file)
{
    node *f = file;
    f->opens--;
    f->locked = f->locked && f->opens > 0;
    (void)drop_if_unused(user, f);
}

static int64_t file_read(void *user, void *file, void *dst, size_t n, int64_t at)
{
    const pack *p = user;
    const node *f = file;
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
    node *f = file;
    if (at < 0 || at > INT64_MAX - (int64_t)n) {
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
    node *f = file;
    if (size < 0) {
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
    return ((const node *)file)->size;
}

static sl_status take_away(pack *p, node *f)
{
    sl_status status = pack_forget(p, f->id);
    if (status == SL_OK) {
        f->gone = true;
        status = drop_if_unused(p, f);
    }
    return status;
}

static sl_status file_rename(void *user, const char *from, const char *to)
{
    pack *p = user;
    node *f = node_of_name(p, from);
    size_t n = strlen(to);
    char *name = n > 0 && n <= PACK_NAME_MAX ? malloc(n + 1) : NULL;
    if (f == NULL || name == NULL) {
        free(name);
        return f == NULL ? SL_E_NOT_FOUND : n > 0 && n <= PACK_NAME_MAX ? SL_E_NOMEM : SL_E_IO;
    }
    memcpy(name, to, n + 1);
    node *old = node_of_name(p, to);
    old = old == f ? NULL : old;
    sl_status status = old != NULL ? pack_forget(p, old->id) : SL_OK;
    if (status != SL_OK) {
        free(name);
        return status;
    }
    char *before = f->name;
    f->name = name;
    f->moved = true;
    if (old != NULL) {
        old->gone = true;
    }
    status = pack_commit(p);
    if (status != SL_OK) { /* as if it had not been asked for */
        f->name = before;
        if (old != NULL) {
            old->gone = false;
            old->moved = true;
            p->removed_count--;
        }
        free(name);
        return status;
    }
    free(before);
    return old != NULL ? drop_if_unused(p, old) : SL_OK;
}

static sl_status file_remove(void *user, const char *path)
{
    pack *p = user;
    node *f = node_of_name(p, path);
    return f != NULL ? take_away(p, f) : SL_E_NOT_FOUND;
}

/* Whether `name` is in the folder `path`: what is behind the '/'. */
static const char *within(const char *path, const char *name)
{
    size_t n = strlen(path);
    return strncmp(name, path, n) == 0 && name[n] == '/' ? name + n + 1 : NULL;
}

static int32_t file_exists(void *user, const char *path)
{
    const pack *p = user;
    for (const node *n = p->files; n != NULL; n = n->next) {
        if (!n->gone && (strcmp(n->name, path) == 0 || within(path, n->name) != NULL)) {
            return 1;
        }
    }
    return 0;
}

static sl_status file_mkdir(void *user, const char *path)
{
    (void)user;
    (void)path;
    return SL_OK;
}

/* Whether a file before `end` in the list is in the same folder of `path`. */
static bool listed(const pack *p, const node *end, const char *path, const char *entry, size_t len)
{
    for (const node *n = p->files; n != end; n = n->next) {
        const char *other = n->gone ? NULL : within(path, n->name);
        if (other != NULL && strncmp(other, entry, len) == 0 && other[len] == '/') {
            return true;
        }
    }
    return false;
}

static sl_status file_list(void *user, const char *path, void (*fn)(void *ctx, const char *name),
                           void *ctx)
{
    const pack *p = user;
    for (const node *n = p->files; n != NULL; n = n->next) {
        const char *entry = n->gone ? NULL : within(path, n->name);
        if (entry == NULL) {
            continue;
        }
        size_t len = strcspn(entry, "/");
        if (entry[len] == '/' && listed(p, n, path, entry, len)) {
            continue;
        }
        char name[PACK_NAME_MAX + 1];
        memcpy(name, entry, len);
        name[len] = '\0';
        fn(ctx, name);
    }
    return SL_OK;
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
        .rename = file_rename,
        .remove = file_remove,
        .exists = file_exists,
        .mkdir = file_mkdir,
        .list = file_list,
    };
    return &ops;
}

/* --- the whole ------------------------------------------------------------------------------- */

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
        sl_pack_close(p);
        return status;
    }
    *out = p;
    return SL_OK;
}

void sl_pack_close(sl_pack *p)
{
    if (p == NULL) {
        return;
    }
    while (p->files != NULL) {
        node_unlink(p, p->files);
    }
    free(p->used);
    free(p->given_up.all);
    free(p->removed);
    free(p->out);
    free(p);
}
