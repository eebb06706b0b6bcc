/* Blobs: files named by their SHA-256, and the uploads that wait. */
#include "store/inside.h"

#include "base/base64.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/plant.h"

#include <stdio.h>
#include <string.h>

enum {
    SETTLED_MAX = 16 /* folders at a start: each waits for the disk */
};

char *sl_store_blob_path(sl_store *s, const char *hex)
{
    return sl_text_fmt("%s/blobs/%.2s/%s", s->dir, hex, hex + 2);
}

char *sl_store_part_path(sl_store *s, const char *hex)
{
    return sl_text_fmt("%s/tmp/%s.part", s->dir, hex);
}

static int64_t size_of(sl_store *s, const char *path)
{
    const sl_file_ops *files = s->platform->files;
    void *f = NULL;
    if (files->open(s->platform->user, path, SL_FILE_READ, &f) != SL_OK) {
        return -1;
    }
    int64_t n = files->size(s->platform->user, f);
    files->close(s->platform->user, f);
    return sl_blob_size_of(s->seal, n);
}

int64_t sl_store_blob_size(sl_store *s, const char *hex)
{
    char *path = sl_store_blob_path(s, hex);
    int64_t n = path != NULL ? size_of(s, path) : -1;
    sl_mem_free(path);
    return n;
}

sl_status sl_store_blob_open(sl_store *s, const char *hex, sl_blob_in **out, sl_error **err)
{
    char *path = sl_store_blob_path(s, hex);
    *out = NULL;
    sl_status status = path != NULL ? sl_blob_in_open(s->platform, s->seal, path, hex, out, err)
                                    : sl_fail_nomem(err);
    sl_mem_free(path);
    return status;
}

sl_status sl_store_blob_make(sl_store *s, const char *path, bool resume, sl_blob_out **out,
                             sl_error **err)
{
    return sl_blob_out_open(s->platform, s->seal, path, resume, out, err);
}

static sl_status move_in(sl_store *s, const char *path, const char *hex, sl_error **err)
{
    const sl_platform *p = s->platform;
    char *dir = sl_text_fmt("%s/blobs/%.2s", s->dir, hex);
    char *to = sl_store_blob_path(s, hex);
    sl_status status = dir != NULL && to != NULL ? p->files->mkdir(p->user, dir) : SL_E_NOMEM;
    if (status == SL_OK) {
        status = p->files->rename(p->user, path, to);
    }
    sl_mem_free(dir);
    sl_mem_free(to);
    return status == SL_OK ? SL_OK : sl_fail(err, status, "a blob cannot be stored");
}

static sl_status queue_upload(sl_store *s, const char *hex, const char *space, const char *type,
                              int64_t size, sl_error **err)
{
    sl_cell params[] = {sl_cell_text(hex), sl_cell_text(space), sl_cell_text(type),
                        sl_cell_int(size)};
    return sl_sql_run(s->sql, "INSERT OR IGNORE INTO upload VALUES ($1, $2, $3, $4, '')", params, 4,
                      NULL, NULL, err);
}

sl_status sl_store_blob_place(sl_store *s, const char *path, const char *hex, int64_t size,
                              const sl_upload *upload, sl_error **err)
{
    sl_status status = sl_store_blob_note(s, hex, err);
    if (status == SL_OK) {
        status = move_in(s, path, hex, err);
    }
    if (status != SL_OK) {
        (void)s->platform->files->remove(s->platform->user, path);
        return status;
    }
    return upload != NULL ? queue_upload(s, hex, upload->space, upload->type, size, err) : SL_OK;
}

/* --- which are wanted --------------------------------------------------------------------- */

sl_status sl_store_blob_note(sl_store *s, const char *hex, sl_error **err)
{
    sl_cell params[] = {sl_cell_text(hex)};
    return sl_sql_run(s->sql,
                      "INSERT INTO blob VALUES ($1, 0) ON CONFLICT (hex) DO UPDATE SET gone=0",
                      params, 1, NULL, NULL, err);
}

typedef struct spaces {
    int64_t *list; /* numbers */
    size_t count;
    bool failed;
} spaces;

static bool note_space(void *ctx, const sl_cell *cells, size_t n)
{
    spaces *all = ctx;
    (void)n;
    int64_t *grown = sl_mem_resize(all->list, all->count + 1, sizeof *grown);
    if (grown != NULL) {
        all->list = grown;
        all->list[all->count++] = sl_cell_int_or(&cells[0], 0);
    }
    all->failed = grown == NULL;
    return !all->failed;
}

/* Of the records that name the blob in this field. */
static sl_status spaces_of(sl_store *s, const sl_entity *e, const sl_field *f, const sl_cell *blob,
                           spaces *all, sl_error **err)
{
    char sql[200];
    (void)snprintf(sql, sizeof sql,
                   "SELECT DISTINCT \"rid\">>32 FROM \"%s\" WHERE \"%s\"=$1 AND \"deleted\"=0",
                   e->name, f->name);
    sl_status status = sl_sql_run(s->sql, sql, blob, 1, note_space, all, err);
    return status == SL_OK && all->failed ? sl_fail_nomem(err) : status;
}

sl_status sl_store_blob_spaces(sl_store *s, const char *hex,
                               sl_status (*fn)(void *ctx, const char *space), void *ctx,
                               sl_error **err)
{
    uint8_t bytes[32] = {0};
    spaces all = {NULL, 0, false};
    sl_status status = SL_OK;
    bool named = sl_hex_decode(bytes, sizeof bytes, hex);
    sl_cell blob = sl_cell_blob(bytes, sizeof bytes);
    for (size_t i = 0; named && status == SL_OK && i < sl_entity_count; i++) {
        const sl_entity *e = &sl_entities[i];
        for (size_t k = 0; status == SL_OK && k < e->field_count; k++) {
            if (e->fields[k].type == SL_T_BLOB) {
                status = spaces_of(s, e, &e->fields[k], &blob, &all, err);
            }
        }
    }
    for (size_t i = 0; status == SL_OK && i < all.count; i++) {
        char space[SL_SPACE_MAX];
        status = sl_space_of(s, all.list[i], space, err);
        status = status == SL_OK ? fn(ctx, space) : status;
    }
    sl_mem_free(all.list);
    return status;
}

typedef struct sweep {
    sl_store *s;
    const char *hex; /* asked for; the answer is in `wanted` */
    bool wanted;
    sl_json *all;
} sweep;

static bool note_hex(void *ctx, const sl_cell *cells, size_t n)
{
    sweep *w = ctx;
    (void)n;
    return sl_json_add_str(w->all, cells[0].text);
}

static sl_status ask(sweep *w, const sl_entity *e, const sl_field *f)
{
    char sql[160];
    uint8_t bytes[32] = {0};
    sl_cell one;
    sl_cell params[] = {sl_cell_blob(bytes, sizeof bytes)};
    (void)snprintf(sql, sizeof sql,
                   "SELECT 1 FROM \"%s\" WHERE \"%s\"=$1 AND \"deleted\"=0 LIMIT 1", e->name,
                   f->name);
    sl_status status = sl_hex_decode(bytes, sizeof bytes, w->hex)
                           ? sl_store_one(w->s, sql, params, 1, &(sl_taken){&one, 1, NULL}, NULL)
                           : SL_E_NOT_FOUND;
    w->wanted = status == SL_OK;
    return status == SL_E_NOT_FOUND ? SL_OK : status;
}

static sl_status find_record(sweep *w)
{
    sl_status status = SL_OK;
    for (size_t i = 0; status == SL_OK && !w->wanted && i < sl_entity_count; i++) {
        const sl_entity *e = &sl_entities[i];
        for (size_t k = 0; status == SL_OK && !w->wanted && k < e->field_count; k++) {
            if (e->fields[k].type == SL_T_BLOB) {
                status = ask(w, e, &e->fields[k]);
            }
        }
    }
    return status;
}

/* Whether a record names the blob, or its bytes are still to be sent from here. */
static sl_status find_use(sweep *w)
{
    sl_cell params[] = {sl_cell_text(w->hex)};
    sl_cell one;
    sl_status status = sl_store_one(w->s, "SELECT 1 FROM upload WHERE hex=$1", params, 1,
                                    &(sl_taken){&one, 1, NULL}, NULL);
    w->wanted = status == SL_OK;
    status = status == SL_E_NOT_FOUND ? SL_OK : status;
    return status == SL_OK ? find_record(w) : status;
}

static bool in_draft(void *ctx, const sl_op *op, const char *code, const char *message,
                     const char *field)
{
    sweep *w = ctx;
    (void)code;
    (void)message;
    (void)field;
    for (size_t i = 0; op->values != NULL && i < op->entity->field_count; i++) {
        const char *hex =
            op->entity->fields[i].type == SL_T_BLOB ? sl_cell_str(&op->values[i]) : NULL;
        w->wanted = w->wanted || (hex != NULL && strcmp(hex, w->hex) == 0);
    }
    return true;
}

sl_status sl_store_blob_named(sl_store *s, const char *hex, bool *yes, sl_error **err)
{
    sweep w = {.s = s, .hex = hex};
    sl_status status = find_record(&w);
    if (status == SL_OK && !w.wanted) {
        status = sl_store_rejected(s, NULL, 0, INT64_MAX, in_draft, &w, NULL);
    }
    *yes = w.wanted;
    return status == SL_OK ? SL_OK : sl_fail(err, status, "it is not known what names the file");
}

/* SL_E_NOT_FOUND when there was no file. */
static sl_status remove_files(sl_store *s, const char *hex)
{
    char *paths[] = {sl_store_blob_path(s, hex), sl_store_part_path(s, hex)};
    sl_status status = SL_E_NOT_FOUND;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        sl_status gone =
            paths[i] != NULL ? s->platform->files->remove(s->platform->user, paths[i]) : SL_E_NOMEM;
        status = gone == SL_E_NOT_FOUND ? status : gone;
        sl_mem_free(paths[i]);
    }
    return status;
}

/* A removed name may come back when the power goes off: it is looked at again at each start, until it is known that it
 * stays away. */
static sl_status let_go(sl_store *s, const char *hex)
{
    sl_cell params[] = {sl_cell_text(hex)};
    sl_status status = remove_files(s, hex);
    return status == SL_OK || status == SL_E_NOT_FOUND
               ? sl_sql_run(s->sql, "UPDATE blob SET gone=1 WHERE hex=$1", params, 1, NULL, NULL,
                            NULL)
               : status;
}

static sl_status list(sweep *w, const char *sql)
{
    w->all = sl_json_array();
    return w->all != NULL ? sl_sql_run(w->s->sql, sql, NULL, 0, note_hex, w, NULL) : SL_E_NOMEM;
}

/* What was removed from the folder of this blob, and from that of the parts, stays away: a rename is durable in
 * both. */
static sl_status settle(sl_store *s, const char *hex)
{
    const sl_platform *p = s->platform;
    char *from = sl_text_fmt("%s/tmp/settle", s->dir);
    char *dir = sl_text_fmt("%s/blobs/%.2s", s->dir, hex);
    char *to = sl_text_fmt("%s/blobs/%.2s/settle", s->dir, hex);
    void *file = NULL;
    sl_status status =
        from != NULL && dir != NULL && to != NULL ? p->files->mkdir(p->user, dir) : SL_E_NOMEM;
    if (status == SL_OK) {
        status = p->files->open(p->user, from, SL_FILE_WRITE | SL_FILE_CREATE, &file);
    }
    if (status == SL_OK) {
        p->files->close(p->user, file);
        status = p->files->rename(p->user, from, to);
    }
    if (status == SL_OK) {
        (void)p->files->remove(p->user, to);
    }
    sl_mem_free(from);
    sl_mem_free(dir);
    sl_mem_free(to);
    return status;
}

/* What cannot be done now is tried at the next start. */
static void finish_removals(sl_store *s)
{
    sweep w = {.s = s};
    unsigned folders = 0;
    const char *folder = NULL; /* a blob of the last one that was to be settled */
    bool settled = false;
    (void)list(&w, "SELECT hex FROM blob WHERE gone=1 ORDER BY hex");
    for (const sl_json *h = sl_json_first(w.all); h != NULL; h = sl_json_next(h)) {
        const char *hex = sl_json_text(h);
        sl_cell params[] = {sl_cell_text(hex)};
        if (remove_files(s, hex) != SL_E_NOT_FOUND) {
            continue;
        }
        if (folder == NULL || memcmp(folder, hex, 2) != 0) {
            folder = hex;
            settled = folders++ < SETTLED_MAX && settle(s, hex) == SL_OK;
        }
        if (settled) {
            (void)sl_sql_run(s->sql, "DELETE FROM blob WHERE hex=$1", params, 1, NULL, NULL, NULL);
        }
    }
    sl_json_free(w.all);
}

void sl_store_blobs_prepare(sl_store *s)
{
    finish_removals(s);
}

sl_status sl_store_sweep_blobs(sl_store *s, void (*fn)(void *ctx, const char *hex), void *ctx,
                               sl_error **err)
{
    sweep w = {.s = s};
    sl_status status = list(&w, "SELECT hex FROM blob WHERE gone=0 ORDER BY hex");
    for (const sl_json *h = sl_json_first(w.all); status == SL_OK && h != NULL;
         h = sl_json_next(h)) {
        w.hex = sl_json_text(h);
        status = find_use(&w);
        if (status == SL_OK && !w.wanted && !SL_PLANTED("drop-keeps-files")) {
            if (fn != NULL) {
                fn(ctx, w.hex);
            }
            status = let_go(s, w.hex);
        }
    }
    sl_json_free(w.all);
    return status == SL_OK ? SL_OK : sl_fail(err, status, "files that went cannot be removed");
}

typedef struct each_upload {
    bool (*fn)(void *ctx, const sl_upload *u);
    void *ctx;
} each_upload;

static bool one_upload(void *ctx, const sl_cell *cells, size_t n)
{
    each_upload *each = ctx;
    sl_upload u = {.size = sl_cell_int_or(&cells[3], 0)};
    for (size_t i = 0; i < n; i++) {
        if (i != 3 && cells[i].kind != SL_CELL_TEXT) {
            return true; /* damaged: it cannot be sent */
        }
    }
    (void)snprintf(u.hex, sizeof u.hex, "%s", cells[0].text);
    (void)snprintf(u.space, sizeof u.space, "%s", cells[1].text);
    (void)snprintf(u.type, sizeof u.type, "%s", cells[2].text);
    (void)snprintf(u.url, sizeof u.url, "%s", cells[4].text);
    return each->fn(each->ctx, &u);
}

sl_status sl_store_uploads(sl_store *s, bool (*fn)(void *ctx, const sl_upload *u), void *ctx,
                           sl_error **err)
{
    each_upload each = {fn, ctx};
    return sl_sql_run(s->sql,
                      "SELECT hex, space, type, size, url FROM upload ORDER BY size, hex, space",
                      NULL, 0, one_upload, &each, err);
}

sl_status sl_store_upload_url(sl_store *s, const sl_upload *u, sl_error **err)
{
    sl_cell params[] = {sl_cell_text(u->hex), sl_cell_text(u->space), sl_cell_text(u->url)};
    return sl_sql_run(s->sql, "UPDATE upload SET url=$3 WHERE hex=$1 AND space=$2", params, 3, NULL,
                      NULL, err);
}

sl_status sl_store_upload_done(sl_store *s, const sl_upload *u, sl_error **err)
{
    sl_cell params[] = {sl_cell_text(u->hex), sl_cell_text(u->space)};
    return sl_sql_run(s->sql, "DELETE FROM upload WHERE hex=$1 AND space=$2", params, 2, NULL, NULL,
                      err);
}
