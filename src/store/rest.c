/*
 * What is done while nobody waits: copying the log into the database, and syncing what was committed
 * without. Neither needs the writer's connection, so that others write meanwhile.
 */
#include "store/inside.h"

#include "base/error.h"
#include "base/mem.h"

enum {
    COPY_PAGES = 4000,  /* of the log */
    AGAIN_PAGES = 1000, /* more, when the log could not begin anew */
    TRIES = 4
};

void sl_copier_close(sl_copier *copier)
{
    sl_sql_close(copier->sql);
    sl_mutex_free(copier->lock);
}

/* --- durable --------------------------------------------------------------------------------- */

static sl_status sync_log(const sl_store *s, sl_error **err)
{
    const sl_file_ops *files = s->platform->files;
    void *file = NULL;
    char *path = sl_store_path(s, "sideline.db-wal");
    sl_status status =
        path != NULL ? files->open(s->platform->user, path, SL_FILE_READ | SL_FILE_WRITE, &file)
                     : SL_E_NOMEM;
    if (status == SL_OK) {
        status = files->sync(s->platform->user, file);
        files->close(s->platform->user, file);
    }
    sl_mem_free(path);
    return status == SL_OK        ? SL_OK
           : status == SL_E_NOMEM ? sl_fail_nomem(err)
                                  : sl_fail(err, status, "the database cannot be synced");
}

sl_status sl_store_harden(sl_store *s, sl_error **err)
{
    bool due = sl_store_is_soft(s);
    sl_status status = due ? sync_log(s, err) : SL_OK;
    s->soft = due && status != SL_OK;
    s->soft_still = false;
    return status;
}

/* --- copied ---------------------------------------------------------------------------------- */

/* The connection is made by the first copying. */
static sl_status open_copier(sl_store *s)
{
    if (s->copier.sql != NULL) {
        return SL_OK;
    }
    char *path = sl_store_path(s, "sideline.db");
    sl_status status = path != NULL
                           ? sl_sql_open_copier(path, sl_vfs_name(s->vfs), &s->copier.sql, NULL)
                           : SL_E_NOMEM;
    sl_mem_free(path);
    return status;
}

/* What others commit meanwhile is copied next, and is little: the log begins anew only when all of it was. */
static bool copy(sl_store *s)
{
    bool whole = false;
    sl_lock(s->copier.lock);
    sl_status status = open_copier(s);
    for (unsigned i = 0; i < TRIES && status == SL_OK && !whole; i++) {
        status = sl_sql_copy(s->copier.sql, &whole, NULL);
    }
    sl_unlock(s->copier.lock);
    return whole;
}

bool sl_store_log_long(const sl_store *s)
{
    int logged = sl_sql_logged(s->sql);
    int had = s->copier.had; /* fewer: the log began anew since */
    return logged >= COPY_PAGES && (logged < had || logged >= had + AGAIN_PAGES);
}

bool sl_store_is_soft(const sl_store *s)
{
    return s->soft || s->soft_still;
}

sl_rest sl_store_rest_due(sl_store *s, bool sync)
{
    sl_rest due = {.sync = sync && sl_store_is_soft(s)};
    s->soft = s->soft && !sync;
    s->soft_still = s->soft_still && !sync;
    due.copy = sl_store_log_long(s);
    if (due.copy) {
        s->copier.had = sl_sql_logged(s->sql);
    }
    return due;
}

void sl_store_rest(sl_store *s, sl_rest due)
{
    bool synced = due.copy && copy(s); /* which syncs the log first */
    s->soft_still = due.sync && !synced && sync_log(s, NULL) != SL_OK;
}
