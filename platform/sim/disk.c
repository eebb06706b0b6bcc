#include "platform/sim/disk.h"

#include "base/mem.h"

#include <string.h>

enum {
    SECTOR = 512,
    GROW = 64 * 1024
};

/* What a file holds: `now` is what readers see, `safe` what is durable. Both are zero behind
 * their ends, and equally large. */
typedef struct inode {
    uint8_t *now;
    uint8_t *safe;
    uint8_t *dirty; /* a byte per sector */
    size_t room;
    size_t size;
    size_t safe_size;
    int links;
    int handles;
    bool locked;
} inode;

typedef struct name {
    char *path;
    inode *file; /* NULL: a folder */
    bool gone;   /* removed, but a power cut may bring it back */
} name;

typedef struct handle {
    inode *file;
    uint32_t flags;
} handle;

struct sl_disk {
    sl_prng prng;
    name *names;
    size_t count;
    uint64_t die_in;
    uint64_t fail_in;
    uint64_t operations;
    uint64_t syncs;
    uint64_t break_at;
    bool break_forever;
    sl_status break_with;
    bool dead;
    bool full;
    bool lying;
};

static sl_disk *disk_of(void *user)
{
    return *(sl_disk **)user;
}

/* SL_OK, or why the operation does not happen. */
static sl_status operate(sl_disk *d)
{
    uint64_t n = ++d->operations;
    bool broken = d->break_at != 0 && (n == d->break_at || (n > d->break_at && d->break_forever));
    return d->dead ? SL_E_IO : broken ? d->break_with : SL_OK;
}

/* --- inodes ------------------------------------------------------------------------------- */

static void inode_drop(inode *f)
{
    if (f->links == 0 && f->handles == 0) {
        sl_mem_free(f->now);
        sl_mem_free(f->safe);
        sl_mem_free(f->dirty);
        sl_mem_free(f);
    }
}

static bool grow_one(uint8_t **p, size_t old, size_t room)
{
    uint8_t *grown = sl_mem_resize(*p, room, 1);
    if (grown == NULL) {
        return false;
    }
    memset(grown + old, 0, room - old);
    *p = grown;
    return true;
}

static bool inode_room(inode *f, size_t size)
{
    if (size <= f->room) {
        return true;
    }
    size_t room = (size > f->room * 2 ? size : f->room * 2) + GROW - 1;
    room -= room % GROW;
    if (!grow_one(&f->now, f->room, room) || !grow_one(&f->safe, f->room, room) ||
        !grow_one(&f->dirty, f->room / SECTOR, room / SECTOR)) {
        return false;
    }
    f->room = room;
    return true;
}

static void mark(inode *f, size_t from, size_t to)
{
    if (to > from) {
        memset(f->dirty + from / SECTOR, 1, (to - 1) / SECTOR - from / SECTOR + 1);
    }
}

static void resize(inode *f, size_t size)
{
    if (size < f->size) {
        memset(f->now + size, 0, f->size - size);
        mark(f, size, f->size);
    }
    f->size = size;
}

static void make_safe(inode *f)
{
    for (size_t at = 0; at < f->room; at += SECTOR) {
        if (f->dirty[at / SECTOR] != 0) {
            memcpy(f->safe + at, f->now + at, SECTOR);
            f->dirty[at / SECTOR] = 0;
        }
    }
    f->safe_size = f->size;
}

/* mode 0: all unsynced is lost; 1: all is kept; else each sector by itself. */
static void cut_inode(sl_disk *d, inode *f, uint64_t mode)
{
    bool grown = mode == 1 || (mode > 1 && sl_prng_below(&d->prng, 2) == 1);
    size_t size = grown ? f->size : f->safe_size;
    for (size_t at = 0; at < f->room; at += SECTOR) {
        if (f->dirty[at / SECTOR] == 0) {
            continue;
        }
        bool keep = mode == 1 || (mode > 1 && sl_prng_below(&d->prng, 2) == 1);
        if (keep && (at < f->size || grown)) {
            memcpy(f->safe + at, f->now + at, SECTOR);
        }
        f->dirty[at / SECTOR] = 0;
    }
    f->size = size;
    f->safe_size = size;
    if (f->room > 0) {
        memset(f->safe + size, 0, f->room - size);
        memcpy(f->now, f->safe, f->room);
    }
}

/* --- names -------------------------------------------------------------------------------- */

static name *find(const sl_disk *d, const char *path)
{
    for (size_t i = 0; i < d->count; i++) {
        if (!d->names[i].gone && strcmp(d->names[i].path, path) == 0) {
            return &d->names[i];
        }
    }
    return NULL;
}

static void forget(sl_disk *d, name *n)
{
    if (n->file != NULL) {
        n->file->links--;
        inode_drop(n->file);
    }
    sl_mem_free(n->path);
    size_t at = (size_t)(n - d->names);
    d->count--;
    memmove(n, n + 1, (d->count - at) * sizeof *n);
}

static size_t folder_len(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? (size_t)(slash - path) : 0;
}

/* The folder of `path` was synced: what was removed there stays removed. */
static void settle_folder(sl_disk *d, const char *path)
{
    size_t n = folder_len(path);
    for (size_t i = d->count; i-- > 0;) {
        name *other = &d->names[i];
        if (other->gone && folder_len(other->path) == n && memcmp(other->path, path, n) == 0) {
            forget(d, other);
        }
    }
}

static bool folder_there(const sl_disk *d, const char *path)
{
    size_t n = folder_len(path);
    if (n == 0) {
        return true;
    }
    for (size_t i = 0; i < d->count; i++) {
        const name *e = &d->names[i];
        if (!e->gone && e->file == NULL && strlen(e->path) == n && memcmp(e->path, path, n) == 0) {
            return true;
        }
    }
    return false;
}

static name *add(sl_disk *d, const char *path, inode *f)
{
    name *grown = sl_mem_resize(d->names, d->count + 1, sizeof *grown);
    char *copy = sl_text_dup(path);
    if (grown != NULL) {
        d->names = grown;
    }
    if (grown == NULL || copy == NULL) {
        sl_mem_free(copy);
        return NULL;
    }
    d->names[d->count] = (name){copy, f, false};
    return &d->names[d->count++];
}

/* Before every change: SL_OK, or why it does not happen. */
static sl_status change(sl_disk *d, bool grows)
{
    if (d->dead) {
        return SL_E_IO;
    }
    if (d->die_in > 0 && --d->die_in == 0) {
        d->dead = true;
        return SL_E_IO;
    }
    if (d->fail_in > 0 && --d->fail_in == 0) {
        return SL_E_IO;
    }
    return grows && d->full ? SL_E_FULL : SL_OK;
}

/* --- operations --------------------------------------------------------------------------- */

static sl_status make_file(sl_disk *d, const char *path, name **out)
{
    if (!folder_there(d, path)) {
        return SL_E_NOT_FOUND;
    }
    sl_status status = change(d, true);
    if (status != SL_OK) {
        return status;
    }
    inode *f = sl_mem(sizeof *f);
    settle_folder(d, path);
    *out = f != NULL ? add(d, path, f) : NULL;
    if (*out == NULL) {
        sl_mem_free(f);
        return SL_E_NOMEM;
    }
    f->links = 1;
    return SL_OK;
}

static sl_status disk_open(void *user, const char *path, uint32_t flags, void **file)
{
    sl_disk *d = disk_of(user);
    name *n = find(d, path);
    *file = NULL;
    sl_status status = operate(d);
    if (status == SL_OK && n == NULL) {
        status = (flags & SL_FILE_CREATE) != 0 ? make_file(d, path, &n) : SL_E_NOT_FOUND;
    }
    if (status == SL_OK && n->file == NULL) {
        status = SL_E_IO;
    }
    if (status == SL_OK && (flags & SL_FILE_LOCK) != 0 && n->file->locked) {
        status = SL_E_BUSY;
    }
    if (status == SL_OK && (flags & SL_FILE_TRUNCATE) != 0 && n->file->size > 0) {
        status = change(d, false);
        if (status == SL_OK) {
            resize(n->file, 0);
        }
    }
    handle *h = status == SL_OK ? sl_mem(sizeof *h) : NULL;
    if (h == NULL) {
        return status == SL_OK ? SL_E_NOMEM : status;
    }
    *h = (handle){n->file, flags};
    h->file->handles++;
    h->file->locked = h->file->locked || (flags & SL_FILE_LOCK) != 0;
    *file = h;
    return SL_OK;
}

static void disk_close(void *user, void *file)
{
    (void)user;
    handle *h = file;
    h->file->handles--;
    if ((h->flags & SL_FILE_LOCK) != 0) {
        h->file->locked = false;
    }
    inode_drop(h->file);
    sl_mem_free(h);
}

static int64_t disk_read(void *user, void *file, void *dst, size_t n, int64_t at)
{
    const handle *h = file;
    sl_status status = at < 0 ? SL_E_IO : operate(disk_of(user));
    if (status != SL_OK) {
        return status;
    }
    if ((size_t)at >= h->file->size) {
        return 0;
    }
    size_t left = h->file->size - (size_t)at;
    n = n < left ? n : left;
    memcpy(dst, h->file->now + at, n);
    return (int64_t)n;
}

static sl_status disk_write(void *user, void *file, const void *src, size_t n, int64_t at)
{
    const handle *h = file;
    sl_disk *d = disk_of(user);
    sl_status status = (h->flags & SL_FILE_WRITE) == 0 || at < 0 ? SL_E_IO : operate(d);
    if (status != SL_OK || n == 0) {
        return status;
    }
    size_t end = (size_t)at + n;
    status = change(d, end > h->file->size);
    if (status == SL_OK && !inode_room(h->file, end)) {
        status = SL_E_NOMEM;
    }
    if (status != SL_OK) {
        return status;
    }
    memcpy(h->file->now + at, src, n);
    mark(h->file, (size_t)at, end);
    if (end > h->file->size) {
        h->file->size = end;
    }
    return SL_OK;
}

static sl_status disk_truncate(void *user, void *file, int64_t size)
{
    const handle *h = file;
    sl_disk *d = disk_of(user);
    sl_status status = (h->flags & SL_FILE_WRITE) == 0 || size < 0 ? SL_E_IO : operate(d);
    if (status == SL_OK) {
        status = change(d, (size_t)size > h->file->size);
    }
    if (status == SL_OK && !inode_room(h->file, (size_t)size)) {
        status = SL_E_NOMEM;
    }
    if (status == SL_OK) {
        resize(h->file, (size_t)size);
    }
    return status;
}

static sl_status disk_sync(void *user, void *file)
{
    const handle *h = file;
    sl_disk *d = disk_of(user);
    sl_status status = operate(d);
    if (status == SL_OK) {
        status = change(d, false);
    }
    d->syncs++;
    if (status == SL_OK && !d->lying) {
        make_safe(h->file);
    }
    return status;
}

static int64_t disk_size(void *user, void *file)
{
    const handle *h = file;
    sl_status status = operate(disk_of(user));
    return status != SL_OK ? (int64_t)status : (int64_t)h->file->size;
}

static sl_status disk_rename(void *user, const char *from, const char *to)
{
    sl_disk *d = disk_of(user);
    sl_status broken = operate(d);
    const name *n = find(d, from);
    if (broken != SL_OK) {
        return broken;
    }
    if (n == NULL || !folder_there(d, to)) {
        return d->dead ? SL_E_IO : SL_E_NOT_FOUND;
    }
    sl_status status = change(d, false);
    char *copy = status == SL_OK ? sl_text_dup(to) : NULL;
    if (copy == NULL) {
        return status == SL_OK ? SL_E_NOMEM : status;
    }
    name *old = find(d, to);
    if (old != NULL && strcmp(from, to) != 0) {
        forget(d, old);
    }
    settle_folder(d, from);
    settle_folder(d, to);
    name *moved = find(d, from);
    sl_mem_free(moved->path);
    moved->path = copy;
    return SL_OK;
}

static bool holds_names(const sl_disk *d, const char *path)
{
    size_t n = strlen(path);
    for (size_t i = 0; i < d->count; i++) {
        const name *e = &d->names[i];
        if (!e->gone && folder_len(e->path) == n && memcmp(e->path, path, n) == 0) {
            return true;
        }
    }
    return false;
}

static sl_status disk_remove(void *user, const char *path)
{
    sl_disk *d = disk_of(user);
    sl_status broken = operate(d);
    name *n = find(d, path);
    if (broken != SL_OK) {
        return broken;
    }
    if (n == NULL) {
        return d->dead ? SL_E_IO : SL_E_NOT_FOUND;
    }
    if (n->file == NULL && holds_names(d, path)) {
        return SL_E_IO;
    }
    sl_status status = change(d, false);
    if (status == SL_OK) {
        n->gone = true;
    }
    return status;
}

static int32_t disk_exists(void *user, const char *path)
{
    const sl_disk *d = disk_of(user);
    return !d->dead && find(d, path) != NULL ? 1 : 0;
}

static sl_status make_folder(sl_disk *d, const char *path)
{
    const name *n = find(d, path);
    if (d->dead || (n != NULL && n->file != NULL)) {
        return SL_E_IO;
    }
    if (n != NULL) {
        return SL_OK;
    }
    if (!folder_there(d, path)) {
        return SL_E_NOT_FOUND;
    }
    sl_status status = change(d, true);
    if (status == SL_OK) {
        settle_folder(d, path);
        status = add(d, path, NULL) != NULL ? SL_OK : SL_E_NOMEM;
    }
    return status;
}

/* As elsewhere, "folder/" is "folder". */
static sl_status disk_mkdir(void *user, const char *path)
{
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/') {
        n--;
    }
    sl_status broken = operate(disk_of(user));
    if (broken != SL_OK) {
        return broken;
    }
    char *plain = sl_text_ndup(path, n);
    sl_status status = plain != NULL ? make_folder(disk_of(user), plain) : SL_E_NOMEM;
    sl_mem_free(plain);
    return status;
}

static sl_status disk_list(void *user, const char *path, void (*fn)(void *ctx, const char *name),
                           void *ctx)
{
    sl_disk *d = disk_of(user);
    size_t n = strlen(path);
    sl_status broken = operate(d);
    const name *folder = find(d, path);
    if (broken != SL_OK) {
        return broken;
    }
    if (d->dead || folder == NULL || folder->file != NULL) {
        return d->dead ? SL_E_IO : SL_E_NOT_FOUND;
    }
    for (size_t i = 0; i < d->count; i++) {
        const name *e = &d->names[i];
        if (!e->gone && folder_len(e->path) == n && memcmp(e->path, path, n) == 0) {
            fn(ctx, e->path + n + 1);
        }
    }
    return SL_OK;
}

const sl_file_ops sl_disk_files = {.struct_size = sizeof(sl_file_ops),
                                   .open = disk_open,
                                   .close = disk_close,
                                   .read = disk_read,
                                   .write = disk_write,
                                   .truncate = disk_truncate,
                                   .sync = disk_sync,
                                   .size = disk_size,
                                   .rename = disk_rename,
                                   .remove = disk_remove,
                                   .exists = disk_exists,
                                   .mkdir = disk_mkdir,
                                   .list = disk_list};

/* --- the disk itself ---------------------------------------------------------------------- */

sl_disk *sl_disk_new(uint64_t seed)
{
    sl_disk *d = sl_mem(sizeof *d);
    if (d != NULL) {
        sl_prng_seed(&d->prng, seed);
    }
    return d;
}

void sl_disk_free(sl_disk *d)
{
    if (d == NULL) {
        return;
    }
    while (d->count > 0) {
        forget(d, &d->names[d->count - 1]);
    }
    sl_mem_free(d->names);
    sl_mem_free(d);
}

static inode *inode_copy(const inode *from)
{
    inode *f = sl_mem(sizeof *f);
    if (f == NULL || !inode_room(f, from->size)) {
        sl_mem_free(f);
        return NULL;
    }
    if (from->size > 0) {
        memcpy(f->now, from->now, from->size);
        memcpy(f->safe, from->now, from->size);
    }
    f->size = from->size;
    f->safe_size = from->size;
    return f;
}

bool sl_disk_copy(sl_disk *d, const sl_disk *from)
{
    while (d->count > 0) {
        forget(d, &d->names[d->count - 1]);
    }
    for (size_t i = 0; i < from->count; i++) {
        const name *n = &from->names[i];
        if (n->gone) {
            continue;
        }
        inode *f = n->file != NULL ? inode_copy(n->file) : NULL;
        if ((n->file != NULL && f == NULL) || add(d, n->path, f) == NULL) {
            sl_mem_free(f);
            return false;
        }
        if (f != NULL) {
            f->links = 1;
        }
    }
    return true;
}

void sl_disk_die_in(sl_disk *d, uint64_t changes)
{
    d->die_in = changes;
}

void sl_disk_fail_in(sl_disk *d, uint64_t changes)
{
    d->fail_in = changes;
}

uint64_t sl_disk_break(sl_disk *d, uint64_t k, bool forever, sl_status status)
{
    uint64_t n = d->operations;
    d->operations = 0;
    d->break_at = k;
    d->break_forever = forever;
    d->break_with = status;
    return n;
}

uint64_t sl_disk_syncs(const sl_disk *d)
{
    return d->syncs;
}

void sl_disk_set_full(sl_disk *d, bool full)
{
    d->full = full;
}

void sl_disk_set_lying(sl_disk *d, bool lying)
{
    d->lying = lying;
}

void sl_disk_kill(sl_disk *d)
{
    d->dead = true;
}

bool sl_disk_dead(const sl_disk *d)
{
    return d->dead;
}

void sl_disk_power_cut(sl_disk *d)
{
    uint64_t mode = sl_prng_below(&d->prng, 4);
    for (size_t i = d->count; i-- > 0;) {
        name *n = &d->names[i];
        if (n->gone && (mode == 1 || sl_prng_below(&d->prng, 2) == 1 || find(d, n->path) != NULL)) {
            forget(d, n);
        }
    }
    for (size_t i = 0; i < d->count; i++) {
        d->names[i].gone = false;
        if (d->names[i].file != NULL) {
            cut_inode(d, d->names[i].file, mode);
        }
    }
    d->dead = false;
    d->die_in = 0;
    d->fail_in = 0;
}

static bool bytes_hold(const uint8_t *p, size_t n, const char *words)
{
    size_t len = strlen(words);
    const uint8_t *end = p + n;
    while (n >= len) {
        p = memchr(p, words[0], n - len + 1);
        if (p == NULL) {
            return false;
        }
        if (memcmp(p, words, len) == 0) {
            return true;
        }
        p++;
        n = (size_t)(end - p);
    }
    return false;
}

const char *sl_disk_holds(const sl_disk *d, const char *words)
{
    for (size_t i = 0; i < d->count; i++) {
        const inode *f = d->names[i].file;
        if (f != NULL && f->room > 0 &&
            (bytes_hold(f->now, f->size, words) || bytes_hold(f->safe, f->safe_size, words))) {
            return d->names[i].path;
        }
    }
    return NULL;
}
