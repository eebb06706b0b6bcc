/*
 * POSIX files, clock and random numbers.
 *
 * What is durable: a file's bytes after sync; a name after open with SL_FILE_CREATE, rename and
 * mkdir, because the directory is synced as well. Files are the owner's only.
 */
#define _FILE_OFFSET_BITS 64
#define _GNU_SOURCE       /* getentropy, sync_file_range */

#include "platform/posix/posix.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    RANDOM_CHUNK = 256, /* the most getentropy gives at once */
    FILE_MODE = 0600,
    FOLDER_MODE = 0700,
    EARLY_MIN = 256 * 1024
};

typedef struct posix_file posix_file;

struct posix_file {
    int fd;
#ifdef __EMSCRIPTEN__
    posix_file *next_locked;
    dev_t device;
    ino_t inode;
#endif
};

static int64_t clock_ms(clockid_t id)
{
    struct timespec t = {0};
    (void)clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t mono_ms(void *user)
{
    (void)user;
    return clock_ms(CLOCK_MONOTONIC);
}

static int64_t wall_ms(void *user)
{
    (void)user;
    return clock_ms(CLOCK_REALTIME);
}

static int32_t day_minute(void *user, int64_t wall_ms)
{
    struct tm local = {0};
    time_t at = (time_t)(wall_ms / 1000);
    (void)user;
    return localtime_r(&at, &local) != NULL ? local.tm_hour * 60 + local.tm_min : 0;
}

static sl_status random_fill(void *user, void *dst, size_t n)
{
    (void)user;
    uint8_t *at = dst;
    while (n > 0) {
        size_t take = n < RANDOM_CHUNK ? n : RANDOM_CHUNK;
        if (getentropy(at, take) != 0) {
            return SL_E_IO;
        }
        at += take;
        n -= take;
    }
    return SL_OK;
}

static sl_status status_of(int error)
{
    if (error == ENOSPC || error == EDQUOT) {
        return SL_E_FULL;
    }
    if (error == ENOENT || error == ENOTDIR) {
        return SL_E_NOT_FOUND;
    }
    if (error == ENOMEM) {
        return SL_E_NOMEM;
    }
    return error == EWOULDBLOCK || error == EBUSY ? SL_E_BUSY : SL_E_IO;
}

static int open_again(const char *path, int flags)
{
    int fd = -1;
    do {
        fd = open(path, flags | O_CLOEXEC, FILE_MODE);
    } while (fd < 0 && errno == EINTR);
    return fd;
}

/* Makes the names inside the folder of `path` durable. */
static sl_status sync_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t n = slash == NULL ? 0 : (size_t)(slash - path);
    char *folder = malloc(n + 2);
    if (folder == NULL) {
        return SL_E_NOMEM;
    }
    memcpy(folder, path, n);
    folder[n] = 0;
    if (n == 0) {
        folder[0] = slash == NULL ? '.' : '/';
        folder[1] = 0;
    }
    sl_status status = SL_OK;
#ifndef __EMSCRIPTEN__ /* there a folder cannot be opened */
    int fd = open_again(folder, O_RDONLY | O_DIRECTORY);
    /* Some file systems cannot sync a folder, and say EINVAL. */
    if (fd < 0 || (fsync(fd) != 0 && errno != EINVAL)) {
        status = status_of(errno);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
#endif
    free(folder);
    return status;
}

static int open_flags(uint32_t flags)
{
    bool reads = (flags & SL_FILE_READ) != 0;
    bool writes = (flags & SL_FILE_WRITE) != 0;
    if (!writes) {
        return O_RDONLY;
    }
    return reads ? O_RDWR : O_WRONLY;
}

#ifdef __EMSCRIPTEN__

/* flock() does nothing there. One thread owns the file system, so a list serves. */
static posix_file *g_locked;

static int take_lock(posix_file *f)
{
    struct stat st;
    if (fstat(f->fd, &st) != 0) {
        return -1;
    }
    for (const posix_file *l = g_locked; l != NULL; l = l->next_locked) {
        if (l->device == st.st_dev && l->inode == st.st_ino) {
            errno = EWOULDBLOCK;
            return -1;
        }
    }
    f->device = st.st_dev;
    f->inode = st.st_ino;
    f->next_locked = g_locked;
    g_locked = f;
    return 0;
}

static void drop_lock(const posix_file *f)
{
    for (posix_file **at = &g_locked; *at != NULL; at = &(*at)->next_locked) {
        if (*at == f) {
            *at = f->next_locked;
            return;
        }
    }
}

#else

/* The lock belongs to the open file: it holds against this process too, and ends with it. */
static int take_lock(posix_file *f)
{
    return flock(f->fd, LOCK_EX | LOCK_NB);
}

static void drop_lock(const posix_file *f)
{
    (void)f;
}

#endif

/* Truncation waits for the lock, and so is not a flag of open(). */
static sl_status settle(posix_file *f, uint32_t flags)
{
    struct stat st;
    if (fstat(f->fd, &st) != 0) {
        return status_of(errno);
    }
    if (S_ISDIR(st.st_mode)) {
        return SL_E_IO;
    }
    if ((flags & SL_FILE_LOCK) != 0 && take_lock(f) != 0) {
        return status_of(errno);
    }
    if ((flags & SL_FILE_TRUNCATE) != 0 && ftruncate(f->fd, 0) != 0) {
        return status_of(errno);
    }
    return SL_OK;
}

static void file_close(void *user, void *file)
{
    (void)user;
    posix_file *f = file;
    drop_lock(f);
    (void)close(f->fd);
    free(f);
}

static sl_status file_open(void *user, const char *path, uint32_t flags, void **file)
{
    *file = NULL;
    posix_file *f = calloc(1, sizeof *f);
    if (f == NULL) {
        return SL_E_NOMEM;
    }
    bool made = false;
    f->fd = open_again(path, open_flags(flags));
    if (f->fd < 0 && errno == ENOENT && (flags & SL_FILE_CREATE) != 0) {
        f->fd = open_again(path, open_flags(flags) | O_CREAT);
        made = true;
    }
    if (f->fd < 0) {
        sl_status status = status_of(errno);
        free(f);
        return status;
    }
    sl_status status = settle(f, flags);
    if (status == SL_OK && made) {
        status = sync_folder(path);
    }
    if (status != SL_OK) {
        file_close(user, f);
        return status;
    }
    *file = f;
    return SL_OK;
}

static int64_t file_read(void *user, void *file, void *dst, size_t n, int64_t at)
{
    (void)user;
    const posix_file *f = file;
    uint8_t *to = dst;
    size_t have = 0;
    while (have < n) {
        ssize_t got = pread(f->fd, to + have, n - have, (off_t)(at + (int64_t)have));
        if (got == 0) {
            break;
        }
        if (got < 0 && errno != EINTR) {
            return status_of(errno);
        }
        have += got > 0 ? (size_t)got : 0;
    }
    return (int64_t)have;
}

static sl_status file_write(void *user, void *file, const void *src, size_t n, int64_t at)
{
    (void)user;
    const posix_file *f = file;
    const uint8_t *from = src;
    size_t have = 0;
    while (have < n) {
        ssize_t put = pwrite(f->fd, from + have, n - have, (off_t)(at + (int64_t)have));
        if (put == 0) {
            return SL_E_IO;
        }
        if (put < 0 && errno != EINTR) {
            return status_of(errno);
        }
        have += put > 0 ? (size_t)put : 0;
    }
#if defined(__linux__) && !defined(__ANDROID__) && !defined(__EMSCRIPTEN__)
    if (n >= EARLY_MIN) { /* on its way to the disk: a later sync has less to wait for */
        (void)sync_file_range(f->fd, (off_t)at, (off_t)n, SYNC_FILE_RANGE_WRITE);
    }
#endif
    return SL_OK;
}

static sl_status file_truncate(void *user, void *file, int64_t size)
{
    (void)user;
    const posix_file *f = file;
    int rc = 0;
    do {
        rc = ftruncate(f->fd, (off_t)size);
    } while (rc != 0 && errno == EINTR);
    return rc == 0 ? SL_OK : status_of(errno);
}

static sl_status file_sync(void *user, void *file)
{
    (void)user;
    const posix_file *f = file;
    int rc = 0;
    do {
#ifdef __APPLE__
        rc = fcntl(f->fd, F_FULLFSYNC); /* fsync stops at the drive's cache there */
#else
        rc = fdatasync(f->fd);
#endif
    } while (rc != 0 && errno == EINTR);
    return rc == 0 ? SL_OK : status_of(errno);
}

static int64_t file_size(void *user, void *file)
{
    (void)user;
    const posix_file *f = file;
    struct stat st;
    return fstat(f->fd, &st) == 0 ? (int64_t)st.st_size : status_of(errno);
}

static bool same_folder(const char *a, const char *b)
{
    const char *x = strrchr(a, '/');
    const char *y = strrchr(b, '/');
    if (x == NULL || y == NULL) {
        return x == y;
    }
    return x - a == y - b && memcmp(a, b, (size_t)(x - a)) == 0;
}

static sl_status path_rename(void *user, const char *from, const char *to)
{
    (void)user;
    if (rename(from, to) != 0) {
        return status_of(errno);
    }
    sl_status status = sync_folder(to);
    if (status == SL_OK && !same_folder(from, to)) {
        status = sync_folder(from);
    }
    return status;
}

static sl_status path_remove(void *user, const char *path)
{
    (void)user;
    return remove(path) == 0 ? SL_OK : status_of(errno);
}

static int32_t path_exists(void *user, const char *path)
{
    (void)user;
    struct stat st;
    return stat(path, &st) == 0 ? 1 : 0;
}

static sl_status path_mkdir(void *user, const char *path)
{
    (void)user;
    if (mkdir(path, FOLDER_MODE) == 0) {
        return sync_folder(path);
    }
    int error = errno;
    struct stat st;
    if (error == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        return SL_OK;
    }
    return status_of(error);
}

static sl_status path_list(void *user, const char *path, void (*fn)(void *ctx, const char *name),
                           void *ctx)
{
    (void)user;
    DIR *dir = opendir(path);
    if (dir == NULL) {
        return status_of(errno);
    }
    errno = 0;
    struct dirent *entry = readdir(dir); /* this stream is used by this thread alone */
    while (entry != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            fn(ctx, entry->d_name);
        }
        errno = 0;
        entry = readdir(dir);
    }
    sl_status status = errno == 0 ? SL_OK : status_of(errno);
    (void)closedir(dir);
    return status;
}

const sl_clock_ops sl_posix_clock = {.struct_size = sizeof(sl_clock_ops),
                                     .mono_ms = mono_ms,
                                     .wall_ms = wall_ms,
                                     .day_minute = day_minute};

const sl_random_ops sl_posix_random = {.struct_size = sizeof(sl_random_ops), .fill = random_fill};

const sl_file_ops sl_posix_files = {.struct_size = sizeof(sl_file_ops),
                                    .open = file_open,
                                    .close = file_close,
                                    .read = file_read,
                                    .write = file_write,
                                    .truncate = file_truncate,
                                    .sync = file_sync,
                                    .size = file_size,
                                    .rename = path_rename,
                                    .remove = path_remove,
                                    .exists = path_exists,
                                    .mkdir = path_mkdir,
                                    .list = path_list};
