/* Blobs: files named by their SHA-256, and the uploads that wait. */
#include "store/inside.h"

#include "base/error.h"
#include "base/mem.h"
#include "crypto/hash.h"

#include <stdio.h>
#include <string.h>

enum {
    HASH_STEP = 1 << 16
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
    return n;
}

int64_t sl_store_blob_size(sl_store *s, const char *hex)
{
    char *path = sl_store_blob_path(s, hex);
    int64_t n = path != NULL ? size_of(s, path) : -1;
    sl_mem_free(path);
    return n;
}

sl_status sl_store_blob_hash(const sl_platform *p, const char *path, char hex[65], int64_t *size,
                             sl_error **err)
{
    void *f = NULL;
    sl_status status = p->files->open(p->user, path, SL_FILE_READ, &f);
    if (status != SL_OK) {
        return sl_fail(err, status, "a file that was just written cannot be read");
    }
    sl_sha256 *hash = sl_sha256_new();
    uint8_t *step = sl_mem(HASH_STEP);
    int64_t got = hash != NULL && step != NULL ? 1 : SL_E_NOMEM;
    *size = 0;
    while (got > 0) {
        got = p->files->read(p->user, f, step, HASH_STEP, *size);
        if (got > 0) {
            sl_sha256_update(hash, step, (size_t)got);
            *size += got;
        }
    }
    if (hash != NULL) {
        sl_sha256_final_hex(hash, hex);
    }
    sl_sha256_free(hash);
    sl_mem_free(step);
    p->files->close(p->user, f);
    return got == 0 ? SL_OK : sl_fail(err, (sl_status)got, "a blob's file cannot be read");
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
    sl_status status = move_in(s, path, hex, err);
    if (status != SL_OK) {
        (void)s->platform->files->remove(s->platform->user, path);
        return status;
    }
    return upload != NULL ? queue_upload(s, hex, upload->space, upload->type, size, err) : SL_OK;
}

/* --- files of a space that goes ----------------------------------------------------------- */

typedef struct shed {
    sl_store *s;
    const char *space;
    const char *field;
    const char *hex; /* asked for; the answer is in `wanted` */
    bool wanted;
    void (*fn)(void *ctx, const char *hex);
    void *ctx;
    sl_status status;
} shed;

static sl_status ask(sl_store *s, char *text, bool (*fn)(void *ctx, sl_json *row), void *ctx)
{
    sl_query *q = NULL;
    sl_json *j = text != NULL ? sl_json_parse(text, strlen(text)) : NULL;
    sl_status status = j != NULL ? sl_query_parse(j, &q, NULL) : SL_E_NOMEM;
    if (status == SL_OK) {
        status = sl_store_query(s, q, fn, ctx, NULL);
    }
    sl_query_free(q);
    sl_json_free(j);
    sl_mem_free(text);
    return status;
}

static bool note_other(void *ctx, sl_json *row)
{
    shed *d = ctx;
    const char *space = sl_json_str(row, "space");
    d->wanted = d->wanted || space == NULL || strcmp(space, d->space) != 0;
    sl_json_free(row);
    return !d->wanted;
}

static bool note_upload(void *ctx, const sl_upload *u)
{
    shed *d = ctx;
    d->wanted = d->wanted || strcmp(u->hex, d->hex) == 0;
    return !d->wanted;
}

/* Whether another space shows the blob, or its bytes are still to be sent from here. */
static sl_status still_wanted(shed *d)
{
    d->wanted = false;
    sl_status status = sl_store_uploads(d->s, note_upload, d, NULL);
    for (size_t i = 0; status == SL_OK && !d->wanted && i < sl_entity_count; i++) {
        const sl_entity *e = &sl_entities[i];
        for (size_t k = 0; status == SL_OK && !d->wanted && k < e->field_count; k++) {
            if (e->fields[k].type == SL_T_BLOB) {
                status = ask(d->s,
                             sl_text_fmt("{\"from\":\"%s\",\"where\":{\"%s\":\"%s\","
                                         "\"space\":{\"ne\":\"%s\"}},\"limit\":1}",
                                         e->name, e->fields[k].name, d->hex, d->space),
                             note_other, d);
            }
        }
    }
    return status;
}

static void remove_files(sl_store *s, const char *hex)
{
    char *paths[] = {sl_store_blob_path(s, hex), sl_store_part_path(s, hex)};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        if (paths[i] != NULL) {
            (void)s->platform->files->remove(s->platform->user, paths[i]);
        }
        sl_mem_free(paths[i]);
    }
}

static bool shed_row(void *ctx, sl_json *row)
{
    shed *d = ctx;
    d->hex = sl_json_str(row, d->field);
    if (d->hex != NULL && strlen(d->hex) == 64) {
        d->status = still_wanted(d);
        if (d->status == SL_OK && !d->wanted) {
            if (d->fn != NULL) {
                d->fn(d->ctx, d->hex);
            }
            remove_files(d->s, d->hex);
        }
    }
    sl_json_free(row);
    return d->status == SL_OK;
}

sl_status sl_store_drop_files(sl_store *s, const char *space,
                              void (*fn)(void *ctx, const char *hex), void *ctx, sl_error **err)
{
    shed d = {.s = s, .space = space, .fn = fn, .ctx = ctx};
    sl_status status = SL_OK;
    for (size_t i = 0; status == SL_OK && i < sl_entity_count; i++) {
        const sl_entity *e = &sl_entities[i];
        for (size_t k = 0; status == SL_OK && k < e->field_count; k++) {
            if (e->fields[k].type != SL_T_BLOB || !sl_space_is(space, e->space_kind)) {
                continue;
            }
            d.field = e->fields[k].name;
            status = ask(s,
                         sl_text_fmt("{\"from\":\"%s\",\"where\":{\"space\":\"%s\",\"%s\":"
                                     "{\"ne\":null}},\"limit\":10000}",
                                     e->name, space, d.field),
                         shed_row, &d);
            status = status == SL_OK ? d.status : status;
        }
    }
    return status == SL_OK ? SL_OK : sl_fail(err, status, "the files of a space cannot be found");
}

typedef struct each_upload {
    bool (*fn)(void *ctx, const sl_upload *u);
    void *ctx;
} each_upload;

static bool one_upload(void *ctx, const sl_cell *cells, size_t n)
{
    each_upload *each = ctx;
    (void)n;
    sl_upload u = {.size = cells[3].i};
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
