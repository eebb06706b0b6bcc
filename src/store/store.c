#include "store/inside.h"

#include "base/error.h"
#include "base/mem.h"
#include "store/folder.h"

#include <string.h>

char *sl_store_path(const sl_store *s, const char *name)
{
    return sl_text_fmt("%s/%s", s->dir, name);
}

const char *sl_store_dir(const sl_store *s)
{
    return s->dir;
}

typedef struct one_row {
    const sl_taken *out;
    bool found;
    bool failed;
} one_row;

static bool take_one(void *ctx, const sl_cell *cells, size_t n)
{
    one_row *r = ctx;
    const sl_taken *out = r->out;
    r->found = true;
    for (size_t i = 0; i < out->n && i < n; i++) {
        out->cells[i] = cells[i];
        bool bytes = cells[i].kind == SL_CELL_TEXT || cells[i].kind == SL_CELL_BLOB;
        if (bytes && out->mem == NULL) {
            out->cells[i] = sl_cell_text(NULL);
        } else if (!sl_cell_keep(&out->cells[i], out->mem)) {
            r->failed = true;
        }
    }
    return false;
}

sl_status sl_store_one(sl_store *s, const char *sql, const sl_cell *params, size_t np,
                       const sl_taken *out, sl_error **err)
{
    one_row row = {out, false, false};
    memset(out->cells, 0, out->n * sizeof *out->cells);
    sl_status status = sl_sql_run(s->sql, sql, params, np, take_one, &row, err);
    if (status == SL_OK && row.failed) {
        status = sl_fail_nomem(err);
    }
    return status == SL_OK && !row.found ? SL_E_NOT_FOUND : status;
}

static sl_status make_dirs(sl_store *s, sl_error **err)
{
    static const char *const names[] = {"", "blobs", "tmp"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char *path = sl_store_path(s, names[i]);
        sl_status status =
            path != NULL ? s->platform->files->mkdir(s->platform->user, path) : SL_E_NOMEM;
        sl_mem_free(path);
        if (status != SL_OK) {
            return sl_fail(err, status, "the data folder %s cannot be made", s->dir);
        }
    }
    return SL_OK;
}

static sl_status take_lock(sl_store *s, sl_error **err)
{
    char *path = sl_store_path(s, "lock");
    uint32_t flags = SL_FILE_READ | SL_FILE_WRITE | SL_FILE_CREATE | SL_FILE_LOCK;
    sl_status status = path != NULL
                           ? s->platform->files->open(s->platform->user, path, flags, &s->lock)
                           : SL_E_NOMEM;
    sl_mem_free(path);
    if (status == SL_E_BUSY) {
        return sl_fail(err, status, "the data folder %s is in use by another process", s->dir);
    }
    return status == SL_OK ? SL_OK
                           : sl_fail(err, status, "the data folder %s cannot be used", s->dir);
}

static sl_status open_database(sl_store *s, sl_error **err)
{
    sl_status status = sl_vfs_new(s->platform, s->seal, &s->vfs, err);
    char *path = sl_store_path(s, "sideline.db");
    if (status == SL_OK && path == NULL) {
        status = sl_fail_nomem(err);
    }
    if (status == SL_OK) {
        status = sl_sql_open(path, sl_vfs_name(s->vfs), &s->sql, err);
    }
    if (status == SL_OK) { /* what was deleted cannot be read from free pages */
        status = sl_sql_script(s->sql, "PRAGMA secure_delete=ON", err);
    }
    sl_mem_free(path);
    return status == SL_OK ? sl_tables_follow(s, err) : status;
}

sl_status sl_store_open(const sl_platform *platform, const char *dir, sl_store **out,
                        sl_error **err)
{
    return sl_store_open_sealed(platform, dir, NULL, out, err);
}

sl_status sl_store_open_sealed(const sl_platform *platform, const char *dir, const sl_keys *keys,
                               sl_store **out, sl_error **err)
{
    *out = NULL;
    sl_store *s = sl_mem(sizeof *s);
    if (s == NULL) {
        return sl_fail_nomem(err);
    }
    s->platform = platform;
    s->last_n = -1;
    s->dir = sl_text_dup(dir);
    sl_status status = s->dir != NULL ? make_dirs(s, err) : sl_fail_nomem(err);
    if (status == SL_OK) {
        status = take_lock(s, err);
    }
    if (status == SL_OK) {
        status = sl_folder_prepare(platform, dir, keys, &s->seal, err);
    }
    if (status == SL_OK) {
        status = sl_tables_make(s, err);
    }
    if (status == SL_OK) {
        status = open_database(s, err);
    }
    if (status == SL_OK) {
        sl_store_blobs_prepare(s);
    }
    if (status == SL_OK) {
        status = sl_search_prepare(s, err);
    }
    s->reader.lock = sl_mutex_new();
    s->copier.lock = sl_mutex_new();
    if (status == SL_OK && (s->reader.lock == NULL || s->copier.lock == NULL)) {
        status = sl_fail_nomem(err);
    }
    if (status != SL_OK) {
        sl_store_close(s);
        return status;
    }
    *out = s;
    return SL_OK;
}

sl_status sl_store_rekey(sl_store *s, const sl_keys *keys, sl_error **err)
{
    if (s->seal == NULL) {
        return sl_fail(err, SL_E_MISUSE, "the data folder %s is not sealed", s->dir);
    }
    return sl_keyfile_write(s->platform, s->dir, keys, s->seal, err);
}

const sl_seal *sl_store_seal(const sl_store *s)
{
    return s->seal;
}

sl_status sl_store_wipe(const sl_platform *platform, const char *dir, sl_error **err)
{
    sl_store s = {.platform = platform, .dir = sl_text_dup(dir)};
    sl_status status = s.dir != NULL ? make_dirs(&s, err) : sl_fail_nomem(err);
    if (status == SL_OK) {
        status = take_lock(&s, err);
    }
    if (status == SL_OK) {
        status = sl_folder_wipe(platform, dir, err);
    }
    if (s.lock != NULL) {
        platform->files->close(platform->user, s.lock);
    }
    sl_mem_free(s.dir);
    return status;
}

void sl_store_close(sl_store *s)
{
    if (s == NULL) {
        return;
    }
    sl_reader_close(&s->reader);
    sl_copier_close(&s->copier);
    sl_sql_close(s->sql);
    sl_vfs_free(s->vfs);
    sl_seal_free(s->seal);
    if (s->lock != NULL) {
        s->platform->files->close(s->platform->user, s->lock);
    }
    sl_tables_free(s);
    sl_record_free(&s->rec);
    sl_record_free(&s->old);
    sl_record_free(&s->made);
    sl_waiting_free(s);
    sl_arena_free(&s->cells);
    sl_buf_free(&s->scratch);
    sl_mem_free(s->dir);
    sl_mem_free(s);
}

sl_status sl_store_begin(sl_store *s, sl_error **err)
{
    return sl_sql_run(s->sql, "BEGIN IMMEDIATE", NULL, 0, NULL, NULL, err);
}

sl_status sl_store_begin_soft(sl_store *s, sl_error **err)
{
    sl_status status = sl_store_begin(s, err);
    s->soft_open = status == SL_OK;
    return status;
}

/* Empties the log of what was there before a space was dropped; the database has zeroes in its place.
 * What cannot be done now, because the disk fails, is tried after the next transaction. */
static void scrub(sl_store *s)
{
    sl_lock(s->copier.lock);
    s->dropped = sl_sql_script(s->sql, "PRAGMA wal_checkpoint(TRUNCATE)", NULL) != SL_OK;
    sl_unlock(s->copier.lock);
}

sl_status sl_store_commit(sl_store *s, sl_error **err)
{
    sl_status status = sl_sql_in_transaction(s->sql)
                           ? sl_outbox_flush(s, err)
                           : sl_fail(err, SL_E_IO, "the database ended the transaction");
    if (status == SL_OK) {
        status = sl_sum_flush(s, err);
    }
    if (status == SL_OK) {
        sl_vfs_soften(s->vfs, s->soft_open);
        status = sl_sql_run(s->sql, "COMMIT", NULL, 0, NULL, NULL, err);
        sl_vfs_soften(s->vfs, false);
        s->soft = status == SL_OK ? s->soft_open : s->soft;
    }
    if (status != SL_OK) {
        sl_store_rollback(s);
    }
    s->soft_open = false;
    sl_waiting_commit(s);
    if (status == SL_OK && s->dropped) {
        scrub(s);
    }
    return status;
}

void sl_store_rollback(sl_store *s)
{
    s->soft_open = false;
    s->last_n = -1; /* as stored, whatever was given out */
    s->last_n_new = false;
    sl_space_forget_numbers(s);
    sl_undo_forget_counts(s);
    sl_sum_forget(s);
    sl_waiting_rollback(s);
    sl_sql_rollback(s->sql);
}

sl_status sl_store_meta(sl_store *s, const char *key, char **out, sl_error **err)
{
    sl_arena mem = {NULL, NULL};
    sl_cell params[] = {sl_cell_text(key)};
    sl_cell value;
    sl_status status = sl_store_one(s, "SELECT value FROM meta WHERE key=$1", params, 1,
                                    &(sl_taken){&value, 1, &mem}, err);
    const char *text = status == SL_OK ? sl_cell_str(&value) : NULL;
    *out = text != NULL ? sl_text_dup(text) : NULL;
    bool failed = status == SL_OK && *out == NULL;
    bool damaged = failed && text == NULL;
    sl_arena_free(&mem);
    if (failed) {
        return damaged ? sl_fail(err, SL_E_CORRUPT, "the fact \"%s\" cannot be read", key)
                       : sl_fail_nomem(err);
    }
    return status == SL_E_NOT_FOUND ? SL_OK : status;
}

sl_status sl_store_set_meta(sl_store *s, const char *key, const char *value, sl_error **err)
{
    sl_cell params[] = {sl_cell_text(key), sl_cell_text(value)};
    const char *sql = value != NULL ? "INSERT OR REPLACE INTO meta VALUES ($1, $2)"
                                    : "DELETE FROM meta WHERE key=$1";
    return sl_sql_run(s->sql, sql, params, value != NULL ? 2 : 1, NULL, NULL, err);
}
