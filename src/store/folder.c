#include "store/folder.h"

#include "base/base64.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "crypto/aead.h"
#include "crypto/hash.h"
#include "store/blob_file.h"
#include "store/draft.h"
#include "store/pages.h"
#include "store/sql.h"
#include "store/vfs.h"

#include <string.h>

enum {
    STEP = 64 * 1024
};

static const char WIPING[] = "wiping";
static const char WIPED[] = "wiped";
static const char SEALING[] = "sealing";
static const char GRAVE[] = "tmp/grave";
static const char BESIDE[] = "tmp/sealing";            /* the sealed form of a file */
static const char DATABASE_MARK[] = "SQLite format 3"; /* and a NUL: how one in the clear begins */

typedef struct folder {
    const sl_platform *p;
    const char *dir;
} folder;

/* --- small file work ---------------------------------------------------------------------- */

static char *path_of(const folder *f, const char *name)
{
    return sl_text_fmt("%s/%s", f->dir, name);
}

/* What cannot be looked for is not missing: a folder whose wipe began must not open with what is left. */
static sl_status look(const folder *f, const char *name, bool *there, sl_error **err)
{
    char *path = path_of(f, name);
    sl_status status = path != NULL ? SL_OK : sl_fail_nomem(err);
    *there = status == SL_OK && f->p->files->exists(f->p->user, path) == 1;
    sl_mem_free(path);
    return status;
}

/* SL_OK when it is not there. */
static sl_status remove_name(const folder *f, const char *name)
{
    char *path = path_of(f, name);
    sl_status status = path != NULL ? f->p->files->remove(f->p->user, path) : SL_E_NOMEM;
    sl_mem_free(path);
    return status == SL_E_NOT_FOUND ? SL_OK : status;
}

/* An empty file; durable. */
static sl_status mark(const folder *f, const char *name)
{
    char *path = path_of(f, name);
    void *file = NULL;
    uint32_t flags = SL_FILE_WRITE | SL_FILE_CREATE | SL_FILE_TRUNCATE;
    sl_status status =
        path != NULL ? f->p->files->open(f->p->user, path, flags, &file) : SL_E_NOMEM;
    if (status == SL_OK) {
        status = f->p->files->sync(f->p->user, file);
        f->p->files->close(f->p->user, file);
    }
    sl_mem_free(path);
    return status;
}

static sl_status move(const folder *f, const char *from, const char *to)
{
    char *old_path = path_of(f, from);
    char *new_path = path_of(f, to);
    sl_status status = old_path != NULL && new_path != NULL
                           ? f->p->files->rename(f->p->user, old_path, new_path)
                           : SL_E_NOMEM;
    sl_mem_free(old_path);
    sl_mem_free(new_path);
    return status;
}

/* A removal may be undone by a power cut, a renaming not: what must not come back is moved onto one
 * and the same file. SL_OK when it is not there. */
static sl_status bury(const folder *f, const char *name)
{
    sl_status status = strcmp(name, GRAVE) != 0 ? move(f, name, GRAVE) : SL_OK;
    return status == SL_E_NOT_FOUND ? SL_OK : status;
}

static sl_status close_grave(const folder *f)
{
    sl_status status = mark(f, GRAVE); /* empties the last one */
    return status == SL_OK ? remove_name(f, GRAVE) : status;
}

static bool can_list(const sl_platform *p)
{
    const sl_file_ops *ops = p->files;
    return ops->struct_size >= offsetof(sl_file_ops, list) + sizeof ops->list && ops->list != NULL;
}

typedef struct names {
    sl_buf text; /* each with its NUL */
    size_t count;
} names;

static void add_name(void *ctx, const char *name)
{
    names *n = ctx;
    sl_buf_put(&n->text, name, strlen(name) + 1);
    n->count++;
}

/* Calls fn for each file in a folder of this one; what fn does to the files is no matter. */
static sl_status each_file(const folder *f, const char *sub,
                           sl_status (*fn)(void *ctx, const char *name), void *ctx)
{
    names found = {.count = 0};
    char *path = path_of(f, sub);
    sl_status status =
        path != NULL ? f->p->files->list(f->p->user, path, add_name, &found) : SL_E_NOMEM;
    sl_mem_free(path);
    if (status == SL_OK && found.text.failed) {
        status = SL_E_NOMEM;
    }
    const char *at = (const char *)found.text.data;
    for (size_t i = 0; status == SL_OK && i < found.count; i++) {
        char *name = sl_text_fmt("%s/%s", sub, at);
        status = name != NULL ? fn(ctx, name) : SL_E_NOMEM;
        sl_mem_free(name);
        at += strlen(at) + 1;
    }
    sl_buf_free(&found.text);
    return status == SL_E_NOT_FOUND ? SL_OK : status;
}

/* --- wiping ------------------------------------------------------------------------------- */

static sl_status wipe_file(void *ctx, const char *name)
{
    return bury(ctx, name);
}

static sl_status wipe_blobs(void *ctx, const char *name)
{
    sl_status status = each_file(ctx, name, wipe_file, ctx);
    return status == SL_OK ? remove_name(ctx, name) : status;
}

/* The marker is taken away by a renaming too: a wipe that came back would take what is new. */
static sl_status wipe_all(const folder *f)
{
    static const char *const files[] = {"key",
                                        "key.new",
                                        "sideline.db-wal",
                                        "sideline.db-journal",
                                        "sideline.db",
                                        "sideline.db.new",
                                        SEALING};
    folder copy = *f;
    sl_status status = sl_keyfile_destroy(f->p, f->dir);
    for (size_t i = 0; status == SL_OK && i < sizeof files / sizeof files[0]; i++) {
        status = bury(f, files[i]);
    }
    if (status == SL_OK && can_list(f->p)) {
        status = each_file(f, "blobs", wipe_blobs, &copy);
    }
    if (status == SL_OK && can_list(f->p)) {
        status = each_file(f, "tmp", wipe_file, &copy);
    }
    if (status == SL_OK) {
        status = close_grave(f);
    }
    if (status == SL_OK) {
        status = move(f, WIPING, WIPED);
    }
    return status == SL_OK ? remove_name(f, WIPED) : status;
}

sl_status sl_folder_wipe(const sl_platform *p, const char *dir, sl_error **err)
{
    folder f = {p, dir};
    sl_status status = mark(&f, WIPING);
    if (status == SL_OK) {
        status = wipe_all(&f);
    }
    return status == SL_OK ? SL_OK
                           : sl_fail(err, status, "the data folder %s cannot be wiped yet", dir);
}

/* --- sealing ------------------------------------------------------------------------------ */

bool sl_folder_old_session(const char *stored)
{
    return strncmp(stored, "sealed:", 7) == 0;
}

sl_status sl_folder_open_session(const uint8_t *key, const char *stored, char **out, sl_error **err)
{
    sl_buf raw = {0};
    sl_status status = SL_E_DENIED;
    const char *text = stored + strlen("sealed:");
    *out = NULL;
    if (key != NULL && sl_base64_decode(&raw, text, strlen(text)) &&
        raw.len >= SL_AEAD_NONCE_LEN + SL_AEAD_TAG_LEN) {
        size_t n = raw.len - SL_AEAD_NONCE_LEN;
        *out = sl_mem(n);
        status = *out != NULL ? sl_aead_open(key, raw.data, (sl_aad){NULL, 0},
                                             raw.data + SL_AEAD_NONCE_LEN, n, (uint8_t *)*out, NULL)
                              : SL_E_NOMEM;
    }
    sl_buf_free(&raw);
    if (status == SL_OK) {
        return SL_OK; /* the room for the tag holds the NUL */
    }
    sl_mem_free(*out);
    *out = NULL;
    return status == SL_E_NOMEM
               ? sl_fail_nomem(err)
               : sl_fail(err, SL_E_DENIED, "the data folder is sealed under another key");
}

/* How the database begins: 1 in the clear, 0 not so, -1 there is none, or a status below. */
static int64_t is_clear(const folder *f)
{
    char head[sizeof DATABASE_MARK];
    char *path = path_of(f, "sideline.db");
    void *file = NULL;
    sl_status status =
        path != NULL ? f->p->files->open(f->p->user, path, SL_FILE_READ, &file) : SL_E_NOMEM;
    sl_mem_free(path);
    if (status != SL_OK) {
        return status == SL_E_NOT_FOUND ? -1 : (int64_t)status - 1;
    }
    int64_t got = f->p->files->read(f->p->user, file, head, sizeof head, 0);
    f->p->files->close(f->p->user, file);
    if (got <= 0) {
        return got == 0 ? -1 : got - 1;
    }
    return got == sizeof head && memcmp(head, DATABASE_MARK, sizeof head) == 0 ? 1 : 0;
}

static bool take_session(void *ctx, const sl_cell *cells, size_t n)
{
    (void)n;
    *(char **)ctx = sl_text_dup(cells[0].text);
    return false;
}

/* Whoever could not read the session may not seal the folder under a key of their own. */
static sl_status check_session(sl_sql *db, const sl_keys *keys, sl_error **err)
{
    char *stored = NULL;
    char *text = NULL;
    /* A database without the table is new. */
    (void)sl_sql_run(db, "SELECT value FROM meta WHERE key='session'", NULL, 0, take_session,
                     &stored, NULL);
    sl_status status = stored != NULL && sl_folder_old_session(stored)
                           ? sl_folder_open_session(keys->key, stored, &text, err)
                           : SL_OK;
    if (text != NULL) {
        sl_wipe(text, strlen(text));
    }
    sl_mem_free(text);
    sl_mem_free(stored);
    return status;
}

/* Moves the WAL into the database; closing removes it. */
static sl_status settle_clear(const folder *f, const sl_keys *keys, sl_error **err)
{
    sl_vfs *vfs = NULL;
    sl_sql *db = NULL;
    char *path = path_of(f, "sideline.db");
    sl_status status = path != NULL ? sl_vfs_new(f->p, NULL, &vfs, err) : sl_fail_nomem(err);
    if (status == SL_OK) {
        status = sl_sql_open(path, sl_vfs_name(vfs), &db, err);
    }
    if (status == SL_OK) {
        status = check_session(db, keys, err);
    }
    if (status == SL_OK) {
        status = sl_sql_script(db, "PRAGMA wal_checkpoint(TRUNCATE)", err);
    }
    sl_sql_close(db);
    sl_vfs_free(vfs);
    sl_mem_free(path);
    return status;
}

static sl_status copy_pages(const folder *f, void *from, sl_pages *to)
{
    uint8_t *step = sl_mem(STEP);
    int64_t at = 0;
    int64_t got = step != NULL ? 1 : SL_E_NOMEM;
    while (got > 0) {
        got = f->p->files->read(f->p->user, from, step, STEP, at);
        if (got > 0) {
            sl_status status = sl_pages_write(to, step, (size_t)got, at);
            at += got;
            got = status == SL_OK ? got : (int64_t)status;
        }
    }
    sl_mem_free(step);
    return (sl_status)got;
}

static sl_status copy_database(const folder *f, const sl_seal *seal, const char *from,
                               const char *to)
{
    void *in = NULL;
    void *out = NULL;
    sl_pages pages = {.unit = NULL};
    const sl_xts *xts = sl_seal_xts(seal, SL_SEAL_DATABASE);
    uint32_t flags = SL_FILE_READ | SL_FILE_WRITE | SL_FILE_CREATE | SL_FILE_TRUNCATE;
    sl_status status = f->p->files->open(f->p->user, from, SL_FILE_READ, &in);
    if (status == SL_OK) {
        status = f->p->files->open(f->p->user, to, flags, &out);
    }
    if (status == SL_OK && !sl_pages_open(&pages, f->p, out, xts)) {
        status = SL_E_NOMEM;
    }
    if (status == SL_OK) {
        status = copy_pages(f, in, &pages);
    }
    if (status == SL_OK) {
        status = f->p->files->sync(f->p->user, out);
    }
    sl_pages_close(&pages);
    if (in != NULL) {
        f->p->files->close(f->p->user, in);
    }
    if (out != NULL) {
        f->p->files->close(f->p->user, out);
    }
    return status;
}

/* The sealed copy takes the place of the database at once. Its WAL and journal are gone for good
 * then: the renaming makes their removal durable. */
static sl_status seal_database(const folder *f, const sl_seal *seal)
{
    char *from = path_of(f, "sideline.db");
    char *to = path_of(f, "sideline.db.new");
    sl_status status = from != NULL && to != NULL ? copy_database(f, seal, from, to) : SL_E_NOMEM;
    if (status == SL_OK) {
        status = remove_name(f, "sideline.db-wal");
    }
    if (status == SL_OK) {
        status = remove_name(f, "sideline.db-journal");
    }
    if (status == SL_OK) {
        status = f->p->files->rename(f->p->user, to, from);
    }
    sl_mem_free(from);
    sl_mem_free(to);
    return status;
}

typedef struct sealing {
    const folder *f;
    const sl_seal *seal;
} sealing;

static sl_status copy_blob(sl_blob_in *in, sl_blob_out *out)
{
    char hex[65];
    uint8_t *step = sl_mem(STEP);
    int64_t at = 0;
    int64_t got = step != NULL ? 1 : SL_E_NOMEM;
    while (got > 0) {
        got = sl_blob_in_read(in, step, STEP, at);
        if (got > 0) {
            sl_status status = sl_blob_out_append(out, step, (size_t)got);
            at += got;
            got = status == SL_OK ? got : (int64_t)status;
        }
    }
    sl_mem_free(step);
    return got == 0 ? sl_blob_out_finish(out, hex) : (sl_status)got;
}

/* What was sealed already, before it was cut short, stays. */
static sl_status seal_blob(void *ctx, const char *name)
{
    const sealing *s = ctx;
    const sl_platform *p = s->f->p;
    sl_blob_in *in = NULL;
    sl_blob_out *out = NULL;
    char *path = path_of(s->f, name);
    char *beside = path_of(s->f, BESIDE);
    sl_status status = path != NULL && beside != NULL
                           ? sl_blob_in_open(p, s->seal, path, NULL, &in, NULL)
                           : SL_E_NOMEM;
    bool done = status == SL_OK;
    sl_blob_in_close(in);
    in = NULL;
    if (!done && status == SL_E_CORRUPT) {
        status = sl_blob_in_open(p, NULL, path, NULL, &in, NULL);
        if (status == SL_OK) {
            status = sl_blob_out_open(p, s->seal, beside, false, &out, NULL);
        }
        if (status == SL_OK) {
            status = copy_blob(in, out);
        }
        sl_blob_in_close(in);
        sl_blob_out_close(out);
        if (status == SL_OK) {
            status = p->files->rename(p->user, beside, path);
        }
    }
    sl_mem_free(path);
    sl_mem_free(beside);
    return status;
}

static sl_status seal_blobs(void *ctx, const char *name)
{
    const sealing *s = ctx;
    return each_file(s->f, name, seal_blob, ctx);
}

static sl_status copy_voice(const folder *f, const char *path, sl_draft *to, bool *clear)
{
    uint8_t *step = sl_mem(STEP);
    void *file = NULL;
    int64_t at = 0;
    sl_status status = f->p->files->open(f->p->user, path, SL_FILE_READ, &file);
    int64_t got = status != SL_OK ? (int64_t)status : step != NULL ? 1 : SL_E_NOMEM;
    while (got > 0) {
        got = f->p->files->read(f->p->user, file, step, STEP, at);
        if (at == 0) {
            *clear = got >= 4 && memcmp(step, "OggS", 4) == 0;
        }
        if (got > 0) {
            status = sl_draft_write(to, step, (size_t)got, at);
            at += got;
            got = status == SL_OK ? got : (int64_t)status;
        }
    }
    if (file != NULL) {
        f->p->files->close(f->p->user, file);
    }
    sl_mem_free(step);
    return got == 0 ? sl_draft_sync(to) : (sl_status)got;
}

/* A voice whose recorder was killed is not lost: it is sealed where it is. */
static sl_status seal_voice(const sealing *s, const char *name)
{
    const folder *f = s->f;
    uint32_t flags = SL_FILE_WRITE | SL_FILE_CREATE | SL_FILE_TRUNCATE;
    bool clear = false;
    sl_draft *draft = NULL;
    char *path = path_of(f, name);
    char *beside = path_of(f, BESIDE);
    sl_status status =
        path != NULL && beside != NULL
            ? sl_draft_open_as(f->p, s->seal, beside, strrchr(name, '/') + 1, flags, &draft)
            : SL_E_NOMEM;
    if (status == SL_OK) {
        status = copy_voice(f, path, draft, &clear);
    }
    sl_draft_close(draft);
    if (status == SL_OK && clear) {
        status = f->p->files->rename(f->p->user, beside, path);
    }
    sl_mem_free(path);
    sl_mem_free(beside);
    return status;
}

/* Downloads begin anew; imports under way died with their process. */
static sl_status seal_draft(void *ctx, const char *name)
{
    const sealing *s = ctx;
    size_t n = strlen(name);
    return n > 4 && strcmp(name + n - 4, ".ogg") == 0 ? seal_voice(s, name) : bury(s->f, name);
}

static sl_status seal_all(const folder *f, const sl_seal *seal, const sl_keys *keys, bool clear,
                          sl_error **err)
{
    sealing s = {f, seal};
    sl_status status = clear ? settle_clear(f, keys, err) : SL_OK;
    if (status == SL_OK && clear) {
        status = seal_database(f, seal);
    }
    if (status == SL_OK) {
        status = each_file(f, "blobs", seal_blobs, &s);
    }
    if (status == SL_OK) {
        status = each_file(f, "tmp", seal_draft, &s);
    }
    if (status == SL_OK) {
        status = close_grave(f);
    }
    if (status == SL_OK) {
        status = remove_name(f, SEALING);
    }
    return status == SL_OK
               ? SL_OK
               : sl_fail(err, status, "the data folder %s cannot be sealed yet", f->dir);
}

/* A folder without a key file, opened with a key. */
static sl_status begin_sealing(const folder *f, const sl_keys *keys, int64_t clear, sl_seal **out,
                               sl_error **err)
{
    sl_status status = SL_OK;
    if (clear == 0) {
        return sl_fail(err, SL_E_CORRUPT, "the key file of the data folder %s is missing", f->dir);
    }
    if (clear == 1 && !can_list(f->p)) {
        return sl_fail(err, SL_E_UNSUPPORTED,
                       "the data folder %s cannot be sealed on this platform", f->dir);
    }
    if (clear == 1) {
        status = settle_clear(f, keys, err);
        if (status == SL_OK) {
            status = mark(f, SEALING);
        }
    }
    return status == SL_OK ? sl_keyfile_make(f->p, f->dir, keys, out, err)
                           : sl_fail(err, status, "the data folder %s cannot be sealed", f->dir);
}

/* One that was cut short. */
static sl_status end_wipe(const folder *f, sl_error **err)
{
    bool wiping = false;
    sl_status status = look(f, WIPING, &wiping, err);
    if (status != SL_OK || wiping) {
        return status == SL_OK ? sl_folder_wipe(f->p, f->dir, err) : status;
    }
    status = remove_name(f, WIPED);
    return status == SL_OK ? SL_OK
                           : sl_fail(err, status, "the data folder %s cannot be used", f->dir);
}

sl_status sl_folder_prepare(const sl_platform *p, const char *dir, const sl_keys *keys,
                            sl_seal **out, sl_error **err)
{
    folder f = {p, dir};
    bool have = false;
    bool half = false;
    *out = NULL;
    sl_status status = end_wipe(&f, err);
    if (status == SL_OK) {
        status = sl_keyfile_exists(p, dir, &have, err);
    }
    if (status != SL_OK || (!have && !sl_keys_any(keys))) {
        return status;
    }
    int64_t clear = is_clear(&f);
    if (clear < -1) {
        return sl_fail(err, (sl_status)(clear + 1), "the database cannot be read");
    }
    status =
        have ? sl_keyfile_open(p, dir, keys, out, err) : begin_sealing(&f, keys, clear, out, err);
    if (status == SL_OK) {
        status = look(&f, SEALING, &half, err);
    }
    if (status == SL_OK && (clear == 1 || half)) {
        status = seal_all(&f, *out, keys, clear == 1, err);
    }
    if (status != SL_OK) {
        sl_seal_free(*out);
        *out = NULL;
    }
    return status;
}
