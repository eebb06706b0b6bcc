/* tests/scan.h - looks for words in every file below a folder, through any platform's files. */
#ifndef SL_TESTS_SCAN_H
#define SL_TESTS_SCAN_H

#include "sideline/platform.h"
#include "support.h"

#include <stdio.h>
#include <string.h>

typedef struct sl_scan {
    const sl_platform *platform;
    const char *dir;
    const char *words;
    int found; /* files that hold the words */
    int files; /* files looked into */
} sl_scan;

static inline void sl_scan_folder(sl_scan *s, const char *dir);

static inline bool sl_scan_bytes(const char *bytes, size_t n, const char *words)
{
    size_t len = strlen(words);
    const char *at = bytes;
    while (n >= len) {
        const char *hit = memchr(at, words[0], n - len + 1);
        if (hit == NULL) {
            return false;
        }
        if (memcmp(hit, words, len) == 0) {
            return true;
        }
        n -= (size_t)(hit + 1 - at);
        at = hit + 1;
    }
    return false;
}

static inline void sl_scan_file(sl_scan *s, void *file)
{
    int64_t size = s->platform->files->size(s->platform->user, file);
    ck_assert_int_ge(size, 0);
    char *bytes = malloc((size_t)size + 1);
    ck_assert_ptr_nonnull(bytes);
    int64_t got = s->platform->files->read(s->platform->user, file, bytes, (size_t)size, 0);
    s->found += got > 0 && sl_scan_bytes(bytes, (size_t)got, s->words) ? 1 : 0;
    s->files++;
    free(bytes);
}

static inline void sl_scan_name(void *ctx, const char *name)
{
    sl_scan *s = ctx;
    char path[512];
    void *file = NULL;
    (void)snprintf(path, sizeof path, "%s/%s", s->dir, name);
    if (s->platform->files->open(s->platform->user, path, SL_FILE_READ, &file) == SL_OK) {
        sl_scan_file(s, file);
        s->platform->files->close(s->platform->user, file);
    } else {
        sl_scan_folder(s, path);
    }
}

static inline void sl_scan_folder(sl_scan *s, const char *dir)
{
    const char *outer = s->dir;
    s->dir = dir;
    ck_assert_int_eq(s->platform->files->list(s->platform->user, dir, sl_scan_name, s), SL_OK);
    s->dir = outer;
}

/* How many files below the folder hold the words; *files, unless NULL: how many there are. */
static inline int sl_scan_for(const sl_platform *p, const char *dir, const char *words, int *files)
{
    sl_scan s = {.platform = p, .words = words};
    sl_scan_folder(&s, dir);
    if (files != NULL) {
        *files = s.files;
    }
    return s.found;
}

#endif
