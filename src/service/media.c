/* service/media.c - see the header. */
#include "service/media.h"

#include "base/error.h"
#include "base/mem.h"
#include "crypto/hash.h"
#include "service/inside.h"

#include <string.h>

enum {
    AGAIN_MS = 30 * 1000,
    READ_STEP = 256 * 1024,
    WHY_MAX = 300
};

static const char *const names[] = {"check", "scan", "first", "rest"};

const char *sl_media_step_name(sl_media_step step)
{
    return names[step];
}

static bool step_of(const char *name, sl_media_step *out)
{
    for (int i = SL_MEDIA_CHECK; i <= SL_MEDIA_REST; i++) {
        if (strcmp(name, names[i]) == 0) {
            *out = (sl_media_step)i;
            return true;
        }
    }
    return false;
}

sl_status sl_sv_media_begin(sl_sv_tx *tx, sl_sv_item *video, sl_error **err)
{
    if (!tx->s->media) {
        return sl_sv_set(video, "status", "ready", err);
    }
    const char *blob = sl_record_text(&video->rec, "blob");
    sl_status status = sl_sv_set(video, "status", "processing", err);
    if (status == SL_OK) {
        status = sl_sv_write(
            tx,
            "INSERT INTO media_job (space, sha256, step, tries, due_ms)"
            " VALUES ($1, $2, 'check', 0, $3) ON CONFLICT (space) DO NOTHING",
            SL_SV_ARGS(sl_cell_text(video->space), sl_cell_text(blob), sl_cell_int(tx->now_ms)),
            err);
    }
    if (status == SL_OK && tx->s->ports.media != NULL) {
        tx->s->ports.media(tx->s->ports.user);
    }
    return status;
}

static sl_status next_locked(sl_service *s, sl_media_job *out, bool *any, int64_t *wait_ms,
                             sl_error **err)
{
    sl_sv_rows rows;
    int64_t now = sl_sv_now(s);
    sl_status status = sl_sv_all(
        s, "SELECT space, sha256, step, due_ms FROM media_job ORDER BY due_ms, space LIMIT 1", NULL,
        0, &rows, err);
    if (status == SL_OK && rows.count > 0) {
        int64_t due = sl_sv_int(&rows, 0, 3);
        *any = due <= now;
        *wait_ms = *any ? 0 : due - now;
        sl_sv_copy(out->space, sizeof out->space, sl_sv_text(&rows, 0, 0));
        sl_sv_copy(out->sha256, sizeof out->sha256, sl_sv_text(&rows, 0, 1));
        if (!step_of(sl_sv_text(&rows, 0, 2), &out->step)) {
            status = sl_fail(err, SL_E_CORRUPT, "the database has an unknown step of media work");
        }
    }
    sl_sv_rows_free(&rows);
    if (status == SL_OK && *any) {
        out->path = sl_sv_blob_path(s, out->sha256);
        status = out->path != NULL ? SL_OK : sl_fail_nomem(err);
    }
    return status;
}

sl_status sl_service_media_next(sl_service *s, sl_media_job *out, bool *any, int64_t *wait_ms,
                                sl_error **err)
{
    sl_error_start(err);
    *any = false;
    *wait_ms = -1;
    memset(out, 0, sizeof *out);
    sl_lock(s->lock);
    sl_status status = next_locked(s, out, any, wait_ms, err);
    sl_unlock(s->lock);
    return status;
}

/* ---- what was made ---- */

typedef struct kept {
    char sha256[65];
    int64_t size;
} kept;

static sl_status hash_file(const sl_service *s, void *file, kept *out, sl_error **err)
{
    const sl_platform *p = s->ports.platform;
    sl_sha256 *hash = sl_sha256_new();
    uint8_t *step = sl_mem(READ_STEP);
    int64_t n = hash != NULL && step != NULL ? 1 : 0;
    sl_status status = n > 0 ? SL_OK : sl_fail_nomem(err);
    out->size = 0;
    while (n > 0) {
        n = p->files->read(p->user, file, step, READ_STEP, out->size);
        if (n < 0) {
            status = sl_fail(err, (sl_status)n, "what was made of a video cannot be read");
        } else if (n > 0) {
            sl_sha256_update(hash, step, (size_t)n);
            out->size += n;
        }
    }
    if (status == SL_OK) {
        sl_sha256_final_hex(hash, out->sha256);
        status = p->files->sync(p->user, file);
    }
    sl_sha256_free(hash);
    sl_mem_free(step);
    return status;
}

/* Its bytes become a blob's file, safe on disk before the database speaks of them. */
static sl_status keep_file(sl_service *s, const char *path, kept *out, sl_error **err)
{
    const sl_platform *p = s->ports.platform;
    void *file = NULL;
    sl_status status = p->files->open(p->user, path, SL_FILE_READ | SL_FILE_WRITE, &file);
    if (status != SL_OK) {
        return sl_fail(err, status, "what was made of a video cannot be read");
    }
    status = hash_file(s, file, out, err);
    p->files->close(p->user, file);
    if (status != SL_OK) {
        return status;
    }
    char *folder = sl_text_fmt("%s/blobs/%.2s", s->dir, out->sha256);
    char *to = sl_sv_blob_path(s, out->sha256);
    status = folder == NULL || to == NULL ? SL_E_NOMEM : p->files->mkdir(p->user, folder);
    if (status == SL_OK) {
        status = p->files->rename(p->user, path, to);
    }
    sl_mem_free(folder);
    sl_mem_free(to);
    return status == SL_OK ? SL_OK : sl_fail(err, status, "a variant cannot be kept");
}

typedef struct done {
    const sl_media_job *job;
    const sl_media_result *result;
    kept kept[SL_MEDIA_MADE_MAX];
    size_t kept_n;
    bool stood; /* the step was still to be done */
} done;

static sl_status add_blob(sl_sv_tx *tx, const char *space, const char *owner, const kept *k,
                          const char *type, sl_error **err)
{
    bool here = false;
    sl_status status = sl_sv_write(
        tx,
        "INSERT INTO blob (sha256, size, type) VALUES ($1, $2, $3) ON CONFLICT (sha256) DO NOTHING",
        SL_SV_ARGS(sl_cell_text(k->sha256), sl_cell_int(k->size), sl_cell_text(type)), err);
    if (status == SL_OK) {
        status = sl_sv_write(tx,
                             "INSERT INTO blob_holder (sha256, user_id) VALUES ($1, $2)"
                             " ON CONFLICT (sha256, user_id) DO NOTHING",
                             SL_SV_ARGS(sl_cell_text(k->sha256), sl_cell_text(owner)), err);
    }
    return status == SL_OK ? sl_sv_blob_refer(tx, k->sha256, space, owner, SL_S_GUEST, &here, err)
                           : status;
}

static sl_status add_variant(sl_sv_tx *tx, const char *space, const char *owner,
                             const sl_media_made *m, const kept *k, sl_error **err)
{
    sl_sv_item *item = NULL;
    sl_status status = add_blob(tx, space, owner, k, m->media_type, err);
    if (status == SL_OK) {
        status = sl_sv_write(
            tx,
            "INSERT INTO media_part (space, name, sha256, size, width, height, parts)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (space, name) DO NOTHING",
            SL_SV_ARGS(sl_cell_text(space), sl_cell_text(m->name), sl_cell_text(k->sha256),
                       sl_cell_int(k->size), sl_cell_int(m->width), sl_cell_int(m->height),
                       sl_cell_text(m->index != NULL ? m->index : "")),
            err);
    }
    if (status == SL_OK) {
        status = sl_sv_new(tx, "variant", space, NULL, &item, err);
    }
    if (status != SL_OK) {
        return status;
    }
    const struct {
        const char *field;
        const char *value;
    } texts[] = {{"name", m->name}, {"blob", k->sha256}, {"media_type", m->media_type}};
    const struct {
        const char *field;
        int64_t value;
    } numbers[] = {
        {"size", k->size}, {"width", m->width}, {"height", m->height}, {"bitrate", m->bitrate}};
    for (size_t i = 0; status == SL_OK && i < sizeof texts / sizeof texts[0]; i++) {
        status = sl_sv_set(item, texts[i].field, texts[i].value, err);
    }
    for (size_t i = 0; status == SL_OK && i < sizeof numbers / sizeof numbers[0]; i++) {
        status = sl_sv_set_int(item, numbers[i].field, numbers[i].value, err);
    }
    return status;
}

/* ---- the status machine ---- */

static sl_status end_job(sl_sv_tx *tx, const char *space, sl_error **err)
{
    return sl_sv_write(tx, "DELETE FROM media_job WHERE space=$1", SL_SV_ARGS(sl_cell_text(space)),
                       err);
}

static bool is_ready(const sl_sv_item *video)
{
    const char *status = sl_record_text(&video->rec, "status");
    return status != NULL && strcmp(status, "ready") == 0;
}

/* What others can watch already stays; else the video failed. */
static sl_status give_up(sl_sv_tx *tx, sl_sv_item *video, const char *why, sl_error **err)
{
    char text[WHY_MAX];
    sl_sv_copy(text, sizeof text, why != NULL && why[0] != 0 ? why : "The video cannot be shown");
    sl_status status = end_job(tx, video->space, err);
    if (status == SL_OK && !is_ready(video)) {
        status = sl_sv_set(video, "problem", text, err);
        status = status == SL_OK ? sl_sv_set(video, "status", "failed", err) : status;
    }
    return status;
}

static sl_status move_on(sl_sv_tx *tx, sl_sv_item *video, const done *d, sl_error **err)
{
    const sl_media_job *job = d->job;
    const sl_media_result *r = d->result;
    const char *owner = sl_record_text(&video->rec, "owner_id");
    bool watchable = is_ready(video);
    sl_status status = SL_OK;
    for (size_t i = 0; status == SL_OK && i < r->made_n; i++) {
        status = add_variant(tx, video->space, owner != NULL ? owner : "", &r->made[i], &d->kept[i],
                             err);
        watchable = watchable || r->made[i].index != NULL;
    }
    if (status == SL_OK && watchable && !is_ready(video)) {
        status = sl_sv_set(video, "status", "ready", err);
    }
    if (status != SL_OK) {
        return status;
    }
    if (job->step == SL_MEDIA_REST || (job->step == SL_MEDIA_FIRST && r->complete)) {
        return end_job(tx, video->space, err);
    }
    /* Longer steps wait for the short ones of others. */
    int64_t due = tx->now_ms + (job->step == SL_MEDIA_FIRST ? 1 : 0);
    return sl_sv_write(tx, "UPDATE media_job SET step=$1, tries=0, due_ms=$2 WHERE space=$3",
                       SL_SV_ARGS(sl_cell_text(names[job->step + 1]), sl_cell_int(due),
                                  sl_cell_text(video->space)),
                       err);
}

static sl_status try_again(sl_sv_tx *tx, const char *space, bool counts, sl_error **err)
{
    return sl_sv_write(tx, "UPDATE media_job SET tries=tries+$1, due_ms=$2 WHERE space=$3",
                       SL_SV_ARGS(sl_cell_int(counts ? 1 : 0),
                                  sl_cell_int(tx->now_ms + (counts ? 0 : AGAIN_MS)),
                                  sl_cell_text(space)),
                       err);
}

static sl_status settle(sl_sv_tx *tx, void *ctx, sl_error **err)
{
    done *d = ctx;
    const sl_media_job *job = d->job;
    sl_sv_item *video = NULL;
    sl_sv_rows rows;
    sl_status status = sl_sv_all(tx->s, "SELECT step, tries FROM media_job WHERE space=$1",
                                 SL_SV_ARGS(sl_cell_text(job->space)), &rows, err);
    bool stands =
        status == SL_OK && rows.count > 0 && strcmp(sl_sv_text(&rows, 0, 0), names[job->step]) == 0;
    int64_t tries = stands ? sl_sv_int(&rows, 0, 1) : 0;
    sl_sv_rows_free(&rows);
    d->stood = false;
    if (status != SL_OK || !stands) {
        return status;
    }
    status =
        sl_sv_get(tx, sl_entity_find("video"), job->space, sl_space_id(job->space), &video, err);
    if (status != SL_OK) {
        return status;
    }
    if (video->rec.entity == NULL || video->rec.deleted) {
        return end_job(tx, job->space, err);
    }
    d->stood = true;
    switch (d->result->outcome) {
    case SL_MEDIA_PASSED: return move_on(tx, video, d, err);
    case SL_MEDIA_REFUSED: return give_up(tx, video, d->result->why, err);
    case SL_MEDIA_LATER: return try_again(tx, job->space, false, err);
    case SL_MEDIA_BROKE: break;
    }
    return tries + 1 < SL_MEDIA_TRIES ? try_again(tx, job->space, true, err)
                                      : give_up(tx, video, d->result->why, err);
}

/* What was kept for nothing goes, unless it is a blob by another way or is about to become one. Called
 * locked. */
static void drop_orphans(sl_service *s, const done *d)
{
    const sl_platform *p = s->ports.platform;
    for (size_t i = 0; i < d->kept_n; i++) {
        sl_sv_rows rows;
        sl_cell name = sl_cell_text(d->kept[i].sha256);
        sl_status status = sl_sv_all(s,
                                     "SELECT 1 FROM blob WHERE sha256=$1 UNION ALL"
                                     " SELECT 1 FROM upload WHERE sha256=$2",
                                     SL_SV_ARGS(name, name), &rows, NULL);
        bool orphan = status == SL_OK && rows.count == 0;
        char *path = orphan ? sl_sv_blob_path(s, d->kept[i].sha256) : NULL;
        sl_sv_rows_free(&rows);
        if (path != NULL) {
            (void)p->files->remove(p->user, path);
        }
        sl_mem_free(path);
    }
}

sl_status sl_service_media_done(sl_service *s, const sl_media_job *job,
                                const sl_media_result *result, sl_error **err)
{
    sl_error_start(err);
    done d = {.job = job, .result = result};
    sl_status status = SL_OK;
    for (size_t i = 0; status == SL_OK && i < result->made_n; i++) {
        status = keep_file(s, result->made[i].path, &d.kept[i], err);
        d.kept_n += status == SL_OK ? 1 : 0;
    }
    sl_lock(s->lock);
    if (status == SL_OK) {
        status = sl_sv_change(s, settle, &d, err);
    }
    if (status != SL_OK || !d.stood) {
        drop_orphans(s, &d);
    }
    sl_unlock(s->lock);
    return status;
}
