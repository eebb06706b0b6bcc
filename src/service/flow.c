/*
 * service/flow.c - the bytes of uploads: written and hashed as they come, without the service's lock.
 *
 *   [TUS-1] an offset that was told is on the disk: bytes are synced, then the row is written;
 *   [TUS-2] the last bytes are accepted together with the check of the hash, the move to the
 *           blob's place and its row: after a crash in between the last part is sent again.
 *   [TUS-3] an upload is with one flow at a time; one that waits for its client gives way;
 *   [TUS-4] bytes with a checksum count all together, when it is right.
 */
#include "service/upload.h"

#include "base/mem.h"

#include <string.h>

enum {
    CHUNK = 256 * 1024,
    KEEP_EVERY = 32 * 1024 * 1024, /* of a long request: so much is lost when the server dies */
    GIVE_WAY_MS = 50,
    GIVE_WAY_TRIES = 20
};

/* ---- which flow has an upload; all locked ---- */

static sl_sv_flow **find_flow(sl_service *s, const char *id)
{
    sl_sv_flow **at = &s->flows;
    while (*at != NULL && strcmp((*at)->u.id, id) != 0) {
        at = &(*at)->next;
    }
    return at;
}

bool sl_sv_upload_busy(const sl_service *s, const char *id)
{
    const sl_sv_flow *f = s->flows;
    while (f != NULL && strcmp(f->u.id, id) != 0) {
        f = f->next;
    }
    return f != NULL;
}

static void leave(sl_sv_flow *f)
{
    sl_sv_flow **at = find_flow(f->s, f->u.id);
    if (*at == f) {
        *at = f->next;
    }
}

/* ---- the file ---- */

static sl_status hash_file(sl_service *s, void *file, int64_t length, char hex[SL_SV_SHA_LEN + 1])
{
    const sl_platform *p = s->ports.platform;
    sl_sha256 *h = sl_sha256_new();
    uint8_t *chunk = sl_mem(CHUNK);
    sl_status status = h != NULL && chunk != NULL ? SL_OK : SL_E_NOMEM;
    int64_t at = 0;
    while (status == SL_OK && at < length) {
        size_t want = length - at < CHUNK ? (size_t)(length - at) : CHUNK;
        int64_t got = p->files->read(p->user, file, chunk, want, at);
        if (got <= 0) {
            status = got < 0 ? (sl_status)got : SL_E_IO;
        } else {
            sl_sha256_update(h, chunk, (size_t)got);
            at += got;
        }
    }
    if (status == SL_OK) {
        sl_sha256_final_hex(h, hex);
    }
    sl_sha256_free(h);
    sl_mem_free(chunk);
    return status;
}

/* Moves checked bytes to the place of the blob. */
static sl_status settle(const sl_sv_flow *f)
{
    const sl_service *s = f->s;
    const sl_platform *p = s->ports.platform;
    char *folder = sl_text_fmt("%s/blobs/%.2s", s->dir, f->u.sha256);
    char *to = sl_sv_blob_path(s, f->u.sha256);
    sl_status status = folder != NULL && to != NULL ? SL_OK : SL_E_NOMEM;
    if (status == SL_OK) {
        status = p->files->mkdir(p->user, folder);
    }
    if (status == SL_OK) {
        status = p->files->rename(p->user, f->path, to);
    }
    sl_mem_free(folder);
    sl_mem_free(to);
    return status;
}

/* The file is gone after a crash between its move and the row: its bytes were checked then. */
static sl_status was_settled(sl_sv_flow *f)
{
    const sl_platform *p = f->s->ports.platform;
    char *path = sl_sv_blob_path(f->s, f->u.sha256);
    f->settled = path != NULL && p->files->exists(p->user, path) == 1;
    sl_mem_free(path);
    return f->settled ? SL_OK : path == NULL ? SL_E_NOMEM : SL_E_NOT_FOUND;
}

static sl_status open_file(sl_sv_flow *f)
{
    const sl_platform *p = f->s->ports.platform;
    uint32_t flags = SL_FILE_READ | SL_FILE_WRITE;
    flags |= f->at == 0 ? (uint32_t)(SL_FILE_CREATE | SL_FILE_TRUNCATE) : 0U;
    f->path = sl_text_fmt("%s/uploads/%s", f->s->dir, f->u.id);
    if (f->path == NULL) {
        return SL_E_NOMEM;
    }
    sl_status status = p->files->open(p->user, f->path, flags, &f->file);
    return status == SL_E_NOT_FOUND ? was_settled(f) : status;
}

static sl_status write_piece(sl_sv_flow *f, const uint8_t *p, size_t n)
{
    const sl_platform *pf = f->s->ports.platform;
    sl_status status = SL_OK;
    if (f->file == NULL && !f->settled) {
        status = open_file(f);
    }
    if (status == SL_OK && f->settled) {
        sl_sv_checksum_put(&f->sum, p, n);
    }
    if (status != SL_OK || f->settled) {
        return status;
    }
    if ((uint64_t)n > (uint64_t)(f->u.length - f->at)) {
        return SL_E_INVALID;
    }
    status = pf->files->write(pf->user, f->file, p, n, f->at);
    if (status == SL_OK) {
        if (f->hash != NULL) {
            sl_sha256_update(f->hash, p, n);
        }
        sl_sv_checksum_put(&f->sum, p, n);
        f->at += (int64_t)n;
    }
    return status;
}

/* All that was written is on the disk; when it is all there is, it is checked and has its place. */
static sl_status finish_file(sl_sv_flow *f)
{
    const sl_platform *p = f->s->ports.platform;
    char hex[SL_SV_SHA_LEN + 1] = "";
    f->mismatch = !sl_sv_checksum_holds(&f->sum);
    if (f->mismatch) {
        return SL_E_CONFLICT;
    }
    if (f->settled || f->file == NULL) {
        f->at = f->settled ? f->u.length : f->at;
        return SL_OK;
    }
    sl_status status = p->files->sync(p->user, f->file);
    bool last = f->at == f->u.length;
    if (status == SL_OK && last && f->hash != NULL) {
        sl_sha256_final_hex(f->hash, hex);
    } else if (status == SL_OK && last) {
        status = hash_file(f->s, f->file, f->u.length, hex);
    }
    p->files->close(p->user, f->file);
    f->file = NULL;
    if (status == SL_OK && last) {
        status = strcmp(hex, f->u.sha256) == 0 ? settle(f) : SL_E_CORRUPT;
    }
    return status;
}

/* ---- the row ---- */

/* A long request: by now the upload may be gone, and the session may have ended. Locked. SL_E_NOT_FOUND,
 * SL_E_AUTH. */
static sl_status may_go_on(const sl_sv_flow *f)
{
    sl_sv_rows rows;
    sl_status status = sl_sv_all(
        f->s,
        "SELECT EXISTS (SELECT 1 FROM session s JOIN account a ON a.id=s.user_id WHERE s.id=$2"
        " AND a.status IS NULL) FROM upload WHERE id=$1",
        SL_SV_ARGS(sl_cell_text(f->u.id), sl_cell_text(f->u.session)), &rows, NULL);
    if (status == SL_OK && rows.count == 0) {
        status = SL_E_NOT_FOUND;
    } else if (status == SL_OK && sl_sv_int(&rows, 0, 0) == 0) {
        status = SL_E_AUTH;
    }
    sl_sv_rows_free(&rows);
    return status;
}

/* The file is finished, or has failed; locked. */
static sl_status finish_row(sl_sv_flow *f, sl_status wrote)
{
    sl_service *s = f->s;
    bool gone = wrote == SL_E_CORRUPT || wrote == SL_E_NOT_FOUND;
    bool moved = wrote == SL_OK && f->at > f->u.at;
    sl_status status = wrote;
    if (moved) {
        f->u.at = f->at;
        status = sl_sv_change(s, sl_sv_upload_move_on, &f->u, NULL);
    } else if (gone) {
        status = sl_sv_change(s, sl_sv_upload_drop, &f->u, NULL);
        sl_sv_upload_remove_file(s, f->u.id);
    }
    leave(f);
    sl_signal(s->lock);
    if (f->hash != NULL && status == SL_OK && f->at < f->u.length) {
        sl_sv_digest_keep(s, f->u.id, f->at, f->hash);
    } else {
        sl_sha256_free(f->hash);
    }
    f->hash = NULL;
    return status != SL_OK ? status : wrote;
}

/* Without the lock: the end of a flow that has its upload and is marked as writing. */
static sl_status finish(sl_sv_flow *f)
{
    const sl_platform *p = f->s->ports.platform;
    sl_lock(f->s->lock);
    sl_status wrote = f->status == SL_OK ? may_go_on(f) : f->status;
    sl_unlock(f->s->lock);
    if (wrote == SL_OK) {
        wrote = finish_file(f);
    }
    if (f->file != NULL) {
        p->files->close(p->user, f->file);
        f->file = NULL;
    }
    sl_lock(f->s->lock);
    sl_status status = finish_row(f, wrote);
    sl_unlock(f->s->lock);
    sl_mem_free(f->path);
    f->path = NULL;
    sl_sv_checksum_free(&f->sum);
    return status;
}

bool sl_sv_flow_give_way(sl_service *s, const char *id)
{
    bool waited = false;
    sl_sv_flow **at = find_flow(s, id);
    for (int i = 0; *at != NULL && (*at)->writing && i < GIVE_WAY_TRIES; i++) {
        (*at)->wanted = true;
        sl_wait(s->lock, GIVE_WAY_MS); /* a piece, or its end, is being written */
        at = find_flow(s, id);
        waited = true;
    }
    sl_sv_flow *old = *at;
    if (old == NULL || old->writing) {
        return waited;
    }
    sl_sv_flow mine = *old;
    old->lost = true;
    old->file = NULL;
    old->hash = NULL;
    old->path = NULL;
    memset(&old->sum, 0, sizeof old->sum);
    mine.writing = true;
    *at = &mine;
    sl_unlock(s->lock);
    (void)finish(&mine); /* what could not be kept is sent again */
    sl_lock(s->lock);
    return true;
}

/* ---- for the request ---- */

void sl_sv_flow_begin(sl_sv_flow *f, sl_service *s, const sl_sv_upload *u, sl_sv_checksum *sum)
{
    memset(f, 0, sizeof *f);
    f->s = s;
    f->u = *u;
    if (sum != NULL) {
        f->sum = *sum;
        memset(sum, 0, sizeof *sum);
    }
    f->at = u->at;
    f->hash = sl_sv_digest_take(s, u->id, u->at);
    f->next = s->flows;
    s->flows = f;
}

/* False: another has the upload. */
static bool enter(sl_sv_flow *f)
{
    sl_lock(f->s->lock);
    bool may = !f->lost;
    f->writing = may;
    sl_unlock(f->s->lock);
    return may;
}

/* Now and then in a long request, so that not all of it is lost when the server dies. */
static sl_status keep_some(sl_sv_flow *f)
{
    const sl_platform *p = f->s->ports.platform;
    if (f->settled || sl_sv_checksum_asked(&f->sum) || f->at - f->u.at < KEEP_EVERY ||
        f->at == f->u.length) {
        return SL_OK;
    }
    sl_status status = p->files->sync(p->user, f->file);
    sl_lock(f->s->lock);
    status = status == SL_OK ? may_go_on(f) : status;
    if (status == SL_OK) {
        f->u.at = f->at;
        status = sl_sv_change(f->s, sl_sv_upload_move_on, &f->u, NULL);
    }
    sl_unlock(f->s->lock);
    return status;
}

bool sl_sv_flow_put(sl_sv_flow *f, const uint8_t *p, size_t n)
{
    if (f->status != SL_OK || !enter(f)) {
        return false;
    }
    f->status = write_piece(f, p, n);
    if (f->status == SL_OK) {
        f->status = keep_some(f);
    }
    sl_lock(f->s->lock);
    f->writing = false;
    bool goes_on = f->status == SL_OK && !f->wanted;
    sl_signal(f->s->lock);
    sl_unlock(f->s->lock);
    return goes_on;
}

sl_status sl_sv_flow_end(sl_sv_flow *f)
{
    return enter(f) ? finish(f) : SL_E_CANCELLED;
}
