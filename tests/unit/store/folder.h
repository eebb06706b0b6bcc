/*
 * tests/unit/store/folder.h - a data folder that goes with its test, on the platform of this
 * machine but without waiting for its disk: what these tests look at is not what a crash leaves.
 */
#ifndef SL_TESTS_FOLDER_H
#define SL_TESTS_FOLDER_H

#include "base/error.h"
#include "store/inside.h"
#include "support.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static sl_platform g_platform;
static sl_file_ops g_files;
static char g_dir[64];

static inline sl_status folder_sync(void *user, void *file)
{
    (void)user;
    (void)file;
    return SL_OK;
}

static inline void folder_make(void)
{
    g_platform.struct_size = sizeof g_platform;
    ck_assert_int_eq(sl_platform_builtin(&g_platform), SL_OK);
    g_files = *g_platform.files;
    g_files.sync = folder_sync;
    g_platform.files = &g_files;
    (void)snprintf(g_dir, sizeof g_dir, "/tmp/sideline-folder-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(g_dir));
}

static inline void folder_empty(const char *dir, int deep)
{
    DIR *d = opendir(dir);
    for (struct dirent *e = d != NULL ? readdir(d) : NULL; e != NULL; e = readdir(d)) {
        char path[400];
        int n = snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        ck_assert(n > 0 && (size_t)n < sizeof path);
        if (e->d_name[0] != '.' && unlink(path) != 0 && deep > 0) {
            folder_empty(path, deep - 1);
            (void)rmdir(path);
        }
    }
    if (d != NULL) {
        (void)closedir(d);
    }
}

static inline void folder_remove(void)
{
    folder_empty(g_dir, 3);
    (void)rmdir(g_dir);
    if (g_platform.release != NULL) {
        g_platform.release(g_platform.user);
    }
    ck_assert_int_eq(sl_debug_live_objects(), 0);
}

static inline sl_store *folder_open(void)
{
    sl_store *s = NULL;
    sl_error *err = NULL;
    sl_status status = sl_store_open(&g_platform, g_dir, &s, &err);
    ck_assert_msg(status == SL_OK, "%s", sl_error_message(err));
    return s;
}

#endif
