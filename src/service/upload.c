/*
 * service/upload.c - tus 1.0: core, creation, also with bytes, termination; and a small file at once, in a form. The
 * bytes themselves: flow.c; checksum, expiration: tus.c.
 */
#include "service/upload.h"

#include "base/base64.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "service/form.h"

#include <string.h>

enum {
    MANY_WAIT_S = 60,
    OPEN_MAX = 256 /* uploads of one user */
};
static const int64_t LIFE_MS = INT64_C(7) * 86400 * 1000;
static const char TUS[] = "1.0.0";

void sl_sv_upload_remove_file(sl_service *s, const char *id)
{
    const sl_platform *p = s->ports.platform;
    char *path = sl_text_fmt("%s/uploads/%s", s->dir, id);
    if (path != NULL) {
        (void)p->files->remove(p->user, path);
    }
    sl_mem_free(path);
}

/* ---- rows ---- */

static sl_status find_row(sl_service *s, const char *id, sl_sv_upload *u, sl_error **err)
{
    sl_sv_rows rows;
    u->found = false;
    if (!sl_uuid_ok(id)) {
        return SL_OK;
    }
    sl_sv_copy(u->id, sizeof u->id, id);
    sl_status status = sl_sv_all(
        s,
        "SELECT length, at, sha256, space, type, expires_ms FROM upload WHERE id=$1 AND user_id=$2"
        " AND expires_ms>$3",
        SL_SV_ARGS(sl_cell_text(id), sl_cell_text(u->user), sl_cell_int(sl_sv_now(s))), &rows, err);
    if (status == SL_OK && rows.count > 0) {
        u->found = true;
        u->length = sl_sv_int(&rows, 0, 0);
        u->at = sl_sv_int(&rows, 0, 1);
        sl_sv_copy(u->sha256, sizeof u->sha256, sl_sv_text(&rows, 0, 2));
        sl_sv_copy(u->space, sizeof u->space, sl_sv_text(&rows, 0, 3));
        sl_sv_copy(u->type, sizeof u->type, sl_sv_text(&rows, 0, 4));
        u->expires_ms = sl_sv_int(&rows, 0, 5);
    }
    sl_sv_rows_free(&rows);
    return status;
}

sl_status sl_sv_upload_find(sl_service *s, const char *id, sl_sv_upload *u, sl_error **err)
{
    sl_status status = find_row(s, id, u, err);
    if (status != SL_OK || !u->found || !sl_sv_flow_give_way(s, u->id)) {
        return status;
    }
    return find_row(s, id, u, err);
}

static sl_status purge(sl_sv_tx *tx, sl_sv_upload *u, sl_error **err)
{
    sl_sv_rows count;
    sl_sv_rows_free(&u->dead);
    sl_status status =
        sl_sv_all(tx->s, "DELETE FROM upload WHERE user_id=$1 AND expires_ms<=$2 RETURNING id",
                  SL_SV_ARGS(sl_cell_text(u->user), sl_cell_int(tx->now_ms)), &u->dead, err);
    if (status != SL_OK) {
        return status;
    }
    status = sl_sv_all(tx->s, "SELECT count(*) FROM upload WHERE user_id=$1 AND at<length",
                       SL_SV_ARGS(sl_cell_text(u->user)), &count, err);
    u->many = status == SL_OK && count.count > 0 && sl_sv_int(&count, 0, 0) >= OPEN_MAX;
    sl_sv_rows_free(&count);
    return status;
}

/* A kind of space whose root a client makes, and which then may come after bytes for it. */
static bool is_work(const char *space)
{
    return sl_space_is(space, "video") || sl_space_is(space, "program") ||
           sl_space_is(space, "coach");
}

/* What the user wrote there before names the bytes: they may come, whatever the user may write now. */
static sl_status is_named(sl_service *s, const sl_sv_upload *u, bool *yes, sl_error **err)
{
    sl_sv_rows rows;
    sl_status status = sl_sv_all(
        s, "SELECT 1 FROM blob_ref WHERE sha256=$1 AND space=$2 AND user_id=$3",
        SL_SV_ARGS(sl_cell_text(u->sha256), sl_cell_text(u->space), sl_cell_text(u->user)), &rows,
        err);
    *yes = rows.count > 0;
    sl_sv_rows_free(&rows);
    return status;
}

/* Whoever may write what names bytes may bring them. The space of a video or program that was made offline may come
 * after its bytes. */
static sl_status may_bring(sl_service *s, const sl_sv_upload *u, sl_error **err)
{
    unsigned role = 0;
    bool exists = true;
    bool may = false;
    sl_status status = sl_sv_may_read(s, u->user, u->standing, u->space, &role, err);
    if (status == SL_OK) {
        status = sl_sv_space_exists(s, u->space, &exists, err);
    }
    if (status != SL_OK) {
        return status;
    }
    if ((role == 0 && exists) || (!exists && !is_work(u->space))) {
        return sl_fail(err, SL_E_NOT_FOUND, "there is no such space");
    }
    if (exists) {
        status = sl_sv_may_bring(s, u->user, u->standing, u->space, &may, err);
    } else {
        may = sl_sv_may_make(u->standing, u->user, u->space);
    }
    if (status == SL_OK && !may) {
        status = is_named(s, u, &may, err);
    }
    return status == SL_OK && !may ? sl_fail(err, SL_E_DENIED, "your role does not allow this")
                                   : status;
}

static sl_status make_upload(sl_sv_tx *tx, void *ctx, sl_error **err)
{
    sl_sv_upload *u = ctx;
    bool here = false;
    sl_status status = may_bring(tx->s, u, err);
    if (status == SL_OK) {
        status = purge(tx, u, err);
    }
    if (status != SL_OK || u->many) {
        return status;
    }
    status = sl_sv_blob_refer(tx, u->sha256, u->space, u->user, u->standing, &here, err);
    if (status == SL_OK && here) {
        status = sl_sv_blob_done(tx, u->sha256, u->user, err);
    }
    u->at = here ? u->length : 0;
    u->expires_ms = tx->now_ms + LIFE_MS;
    if (status == SL_OK) {
        status = sl_sv_uuid(tx->s, u->id, err);
    }
    return status == SL_OK
               ? sl_sv_run(tx->s,
                           "INSERT INTO upload (id, user_id, length, at, sha256, space, type,"
                           " expires_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                           SL_SV_ARGS(sl_cell_text(u->id), sl_cell_text(u->user),
                                      sl_cell_int(u->length), sl_cell_int(u->at),
                                      sl_cell_text(u->sha256), sl_cell_text(u->space),
                                      sl_cell_text(u->type), sl_cell_int(u->expires_ms)),
                           err)
               : status;
}

sl_status sl_sv_upload_move_on(sl_sv_tx *tx, void *ctx, sl_error **err)
{
    const sl_sv_upload *u = ctx;
    sl_sv_rows rows;
    sl_status status = sl_sv_all(tx->s, "UPDATE upload SET at=$1 WHERE id=$2 RETURNING id",
                                 SL_SV_ARGS(sl_cell_int(u->at), sl_cell_text(u->id)), &rows, err);
    if (status == SL_OK && rows.count == 0) {
        status = sl_fail(err, SL_E_NOT_FOUND, "the upload is gone");
    }
    sl_sv_rows_free(&rows);
    if (status != SL_OK || u->at < u->length) {
        return status;
    }
    status = sl_sv_run(
        tx->s,
        "INSERT INTO blob (sha256, size, type) VALUES ($1, $2, $3)"
        " ON CONFLICT (sha256) DO NOTHING",
        SL_SV_ARGS(sl_cell_text(u->sha256), sl_cell_int(u->length), sl_cell_text(u->type)), err);
    return status == SL_OK ? sl_sv_blob_done(tx, u->sha256, u->user, err) : status;
}

sl_status sl_sv_upload_drop(sl_sv_tx *tx, void *ctx, sl_error **err)
{
    const sl_sv_upload *u = ctx;
    return sl_sv_run(tx->s, "DELETE FROM upload WHERE id=$1", SL_SV_ARGS(sl_cell_text(u->id)), err);
}

/* ---- requests ---- */

/* A header that is a number; -1: absent, -2: not one. */
static int64_t header_number(const sl_http_in *in, const char *name)
{
    const char *text = in->header(in->ctx, name);
    int64_t v = 0;
    if (text == NULL) {
        return -1;
    }
    size_t n = strspn(text, "0123456789");
    if (n == 0 || n > 18 || text[n] != 0) {
        return -2;
    }
    for (size_t i = 0; i < n; i++) {
        v = v * 10 + (text[i] - '0');
    }
    return v;
}

/* One value of Upload-Metadata: "key base64,key base64". False: absent or not valid text. */
static bool metadata(const char *all, const char *key, char *out, size_t room)
{
    size_t key_n = strlen(key);
    for (const char *p = all; p != NULL && *p != 0;) {
        p += strspn(p, ", ");
        size_t n = strcspn(p, ",");
        if (n > key_n && strncmp(p, key, key_n) == 0 && p[key_n] == ' ') {
            sl_buf b = {0};
            bool ok = sl_base64_decode(&b, p + key_n + 1, n - key_n - 1) && !b.failed &&
                      b.len > 0 && b.len < room && memchr(b.data, 0, b.len) == NULL;
            if (ok) {
                memcpy(out, b.data, b.len);
                out[b.len] = 0;
            }
            sl_buf_free(&b);
            return ok;
        }
        p += n;
    }
    return false;
}

/* False: the answer is made. */
static bool read_creation(const sl_service *s, const sl_http_in *in, sl_sv_upload *u,
                          sl_http_out *out)
{
    u->length = header_number(in, "upload-length");
    const char *all = in->header(in->ctx, "upload-metadata"); /* asked for last, so it stays */
    if (u->length < 0) {
        sl_sv_refuse(out, 400, "bad_request", "Upload-Length is required, in bytes");
    } else if (u->length > s->upload_max) {
        sl_sv_refuse(out, 413, "too_large", "the file is larger than this server takes");
    } else if (u->length == 0) {
        sl_sv_invalid(out, "length", "an upload has at least one byte");
    } else if (!metadata(all, "sha256", u->sha256, sizeof u->sha256) || !sl_sv_sha_ok(u->sha256)) {
        sl_sv_invalid(out, "sha256", "sha256 must be 64 lower-case hexadecimal digits");
    } else if (!metadata(all, "space", u->space, sizeof u->space) || !sl_space_ok(u->space)) {
        sl_sv_invalid(out, "space", "space must be a kind and a UUID");
    } else {
        if (!metadata(all, "type", u->type, sizeof u->type)) {
            sl_sv_copy(u->type, sizeof u->type, "application/octet-stream");
        }
        return true;
    }
    return false;
}

/* False: the answer is made. */
static bool may_begin(sl_status status, const sl_sv_upload *u, sl_http_out *out)
{
    if (status == SL_E_NOT_FOUND) {
        sl_sv_refuse(out, 404, "not_found", "there is nothing here");
    } else if (status == SL_E_DENIED) {
        sl_sv_refuse(out, 403, "forbidden", "Insufficient permissions");
    } else if (status != SL_OK) {
        sl_sv_broken(out, status);
    } else if (u->many) {
        sl_sv_too_many(out, MANY_WAIT_S); /* one may be finished by then */
    } else {
        return true;
    }
    return false;
}

static sl_sv_upload upload_of(const sl_service *s, const sl_sv_who *who)
{
    sl_sv_upload u = {.standing = sl_sv_standing(&who->rank, sl_sv_now(s))};
    memcpy(u.user, who->user, sizeof u.user);
    memcpy(u.session, who->session, sizeof u.session);
    return u;
}

static void tell_created(const sl_sv_upload *u, sl_http_out *out)
{
    char *place = sl_text_fmt("/api/v1/uploads/%s", u->id);
    out->status = place != NULL ? 201 : 500;
    sl_sv_header(out, "Location", place != NULL ? place : "");
    sl_sv_header_int(out, "Upload-Offset", u->at);
    sl_sv_tell_expiry(u, out);
    sl_mem_free(place);
}

/* Whether these are bytes as tus has them, which it may bring with its creation. False: the answer is made. */
static bool of_tus(const sl_http_in *in, sl_http_out *out)
{
    const char *type = in->header(in->ctx, "content-type");
    if (type == NULL || strcmp(type, "application/offset+octet-stream") != 0) {
        sl_sv_refuse(out, 415, "unsupported_type", "send application/offset+octet-stream");
        return false;
    }
    return true;
}

/* Makes the upload for which `len` bytes come along. False: the answer is made. */
static bool create(sl_service *s, const sl_http_in *in, uint64_t len, sl_sv_upload *u,
                   sl_http_out *out)
{
    if (!read_creation(s, in, u, out) || (len > 0 && !of_tus(in, out))) {
        return false;
    }
    if (len > (uint64_t)u->length) {
        sl_sv_refuse(out, 413, "too_large", "more bytes than the upload has");
        return false;
    }
    sl_lock(s->lock);
    sl_status status = sl_sv_change(s, make_upload, u, NULL);
    sl_unlock(s->lock);
    for (size_t i = 0; status == SL_OK && i < u->dead.count; i++) {
        sl_sv_upload_remove_file(s, sl_sv_text(&u->dead, i, 0));
    }
    sl_sv_rows_free(&u->dead);
    if (!may_begin(status, u, out)) {
        return false;
    }
    if (len == 0 || u->at == u->length) { /* nothing is to come, or wanted */
        tell_created(u, out);
        return false;
    }
    return true;
}

static void head(sl_service *s, sl_sv_upload *u, const char *id, sl_http_out *out)
{
    sl_lock(s->lock);
    sl_status status = sl_sv_upload_find(s, id, u, NULL);
    sl_unlock(s->lock);
    if (status != SL_OK) {
        sl_sv_broken(out, status);
    } else if (!u->found) {
        sl_sv_refuse(out, 404, "not_found", "there is nothing here");
    } else {
        out->status = 200;
        sl_sv_header_int(out, "Upload-Offset", u->at);
        sl_sv_header_int(out, "Upload-Length", u->length);
        sl_sv_tell_expiry(u, out);
        sl_sv_header(out, "Cache-Control", "no-store");
    }
}

/* Looks the upload up for the bytes of a request, `len` of them. False: the answer is made. */
static bool take(sl_service *s, const sl_http_in *in, uint64_t len, sl_sv_upload *u, const char *id,
                 sl_http_out *out)
{
    int64_t at = header_number(in, "upload-offset");
    sl_status status = sl_sv_upload_find(s, id, u, NULL);
    if (status != SL_OK) {
        sl_sv_broken(out, status);
    } else if (!u->found) {
        sl_sv_refuse(out, 404, "not_found", "there is nothing here");
    } else if (!of_tus(in, out)) {
        return false;
    } else if (at < 0) {
        sl_sv_refuse(out, 400, "bad_request", "Upload-Offset is required, in bytes");
    } else if (sl_sv_upload_busy(s, u->id)) {
        sl_sv_refuse(out, 423, "locked", "bytes of this upload are being written");
    } else if (at != u->at) {
        sl_sv_refuse(out, 409, "conflict", "the upload is at another offset");
        sl_sv_header_int(out, "Upload-Offset", u->at);
    } else if (len > (uint64_t)(u->length - u->at)) {
        sl_sv_refuse(out, 413, "too_large", "more bytes than the upload has");
    } else if (len == 0) {
        out->status = 204;
        sl_sv_header_int(out, "Upload-Offset", u->at);
        sl_sv_tell_expiry(u, out);
    } else {
        return true;
    }
    return false;
}

static bool speaks_tus(const sl_http_in *in, sl_http_out *out)
{
    const char *version = in->header(in->ctx, "tus-resumable");
    if (version == NULL || strcmp(version, TUS) != 0) {
        sl_sv_refuse(out, 412, "precondition_failed", "this server speaks tus 1.0.0");
        sl_sv_header(out, "Tus-Version", TUS);
        return false;
    }
    return true;
}

/* False: the answer is made. */
static bool read_checksum(const sl_http_in *in, uint64_t len, sl_sv_checksum *sum, sl_http_out *out)
{
    sl_status status = sl_sv_checksum_begin(sum, in->header(in->ctx, "upload-checksum"), len);
    if (status == SL_E_NOMEM) {
        sl_sv_broken(out, status);
    } else if (status != SL_OK) {
        sl_sv_refuse(out, 400, "bad_request", "Upload-Checksum is sha1 or sha256, and base64");
    }
    return status == SL_OK;
}

bool sl_sv_bytes_begin(sl_sv_request *r, uint64_t len, sl_sv_flow *f, sl_http_out *out)
{
    sl_service *s = r->s;
    sl_sv_upload u = upload_of(s, &r->who);
    sl_sv_checksum sum = {.left = 0};
    bool creates = r->route == &sl_routes[SL_ROUTE_UPLOAD_CREATE];
    bool taken = false;
    if (speaks_tus(r->in, out) && read_checksum(r->in, len, &sum, out)) {
        taken = !creates || create(s, r->in, len, &u, out);
        sl_lock(s->lock);
        taken = taken && (creates || take(s, r->in, len, &u, r->rest, out));
        if (taken) {
            sl_sv_flow_begin(f, s, &u, &sum);
            f->made = creates;
        }
        sl_unlock(s->lock);
    }
    sl_sv_checksum_free(&sum);
    if (!taken) {
        sl_sv_header(out, "Tus-Resumable", TUS);
    }
    return taken;
}

/* The client does not know of it, and brings its bytes to another. */
static void unmake(sl_service *s, sl_sv_upload *u)
{
    sl_lock(s->lock);
    (void)sl_sv_change(s, sl_sv_upload_drop, u, NULL);
    sl_unlock(s->lock);
    sl_sv_upload_remove_file(s, u->id);
}

void sl_sv_bytes_end(sl_sv_flow *f, sl_http_out *out)
{
    sl_status status = sl_sv_flow_end(f);
    if (f->made && status != SL_OK) {
        unmake(f->s, &f->u);
    }
    if (f->mismatch) {
        sl_sv_refuse(out, 460, "checksum_mismatch", "the bytes do not have the Upload-Checksum");
    } else if (status == SL_E_CORRUPT) {
        sl_sv_refuse(out, 460, "checksum_mismatch", "the bytes do not have the SHA-256 given");
    } else if (status == SL_E_NOT_FOUND) {
        sl_sv_refuse(out, 404, "not_found", "there is nothing here");
    } else if (status == SL_E_AUTH) {
        sl_sv_refuse(out, 401, "unauthorized", "Invalid token");
        sl_sv_header(out, "WWW-Authenticate", "Bearer");
    } else if (status == SL_E_CANCELLED) {
        sl_sv_refuse(out, 409, "conflict", "another request has gone on with this upload");
    } else if (status != SL_OK) {
        sl_sv_broken(out, status);
    } else if (f->made) {
        tell_created(&f->u, out);
    } else {
        out->status = 204;
        sl_sv_header_int(out, "Upload-Offset", f->u.at);
        sl_sv_tell_expiry(&f->u, out);
    }
    sl_sv_header(out, "Tus-Resumable", TUS);
}

static void terminate(sl_service *s, sl_sv_upload *u, const char *id, sl_http_out *out)
{
    sl_lock(s->lock);
    sl_status status = sl_sv_upload_find(s, id, u, NULL);
    bool busy = u->found && sl_sv_upload_busy(s, u->id);
    if (status == SL_OK && u->found && !busy) {
        status = sl_sv_change(s, sl_sv_upload_drop, u, NULL);
        if (status == SL_OK) {
            sl_sv_upload_remove_file(s, u->id);
        }
    }
    sl_unlock(s->lock);
    if (status != SL_OK) {
        sl_sv_broken(out, status);
    } else if (!u->found) {
        sl_sv_refuse(out, 404, "not_found", "there is nothing here");
    } else if (busy) {
        sl_sv_refuse(out, 423, "locked", "bytes of this upload are being written");
    } else {
        out->status = 204;
    }
}

/* The whole body at once. */
static void take_body(sl_sv_request *r, sl_http_out *out)
{
    sl_sv_flow f;
    if (sl_sv_bytes_begin(r, r->in->body_len, &f, out)) {
        (void)sl_sv_flow_put(&f, r->in->body, r->in->body_len);
        sl_sv_bytes_end(&f, out);
    }
}

void sl_sv_uploads(sl_sv_request *r, sl_http_out *out)
{
    sl_service *s = r->s;
    sl_route_id id = (sl_route_id)(r->route - sl_routes);
    sl_sv_upload u = upload_of(s, &r->who);
    if (id == SL_ROUTE_UPLOAD_PATCH || id == SL_ROUTE_UPLOAD_CREATE) {
        take_body(r, out);
        return;
    }
    if (id == SL_ROUTE_UPLOADS_INFO) {
        out->status = 204;
        sl_sv_header(out, "Tus-Version", TUS);
        sl_sv_header(out, "Tus-Extension",
                     "creation,creation-with-upload,expiration,checksum,termination");
        sl_sv_header(out, "Tus-Checksum-Algorithm", "sha1,sha256");
        sl_sv_header_int(out, "Tus-Max-Size", s->upload_max);
    } else if (!speaks_tus(r->in, out)) {
        /* the answer is made */
    } else if (id == SL_ROUTE_UPLOAD_HEAD) {
        head(s, &u, r->rest, out);
    } else {
        terminate(s, &u, r->rest, out);
    }
    sl_sv_header(out, "Tus-Resumable", TUS);
}

/* ---- a form ---- */

static bool copy_value(const sl_form_part *part, char *out, size_t room)
{
    if (part->len >= room || memchr(part->data, 0, part->len) != NULL) {
        return false;
    }
    memcpy(out, part->data, part->len);
    out[part->len] = 0;
    return true;
}

/* What the form says into u; the file's part. False: the answer is made. */
static bool read_form(const sl_http_in *in, sl_sv_upload *u, sl_form_part *file, sl_http_out *out)
{
    sl_form f;
    sl_form_part part;
    bool got = true;
    bool fits = true;
    const char *why =
        sl_form_begin(&f, in->header(in->ctx, "content-type"), in->body, in->body_len);
    while (why == NULL && got) {
        why = sl_form_next(&f, &part, &got);
        if (why != NULL || !got) {
            break;
        }
        if (strcmp(part.name, "file") == 0) {
            *file = part;
        } else if (strcmp(part.name, "space") == 0) {
            fits = copy_value(&part, u->space, sizeof u->space) && fits;
        } else if (strcmp(part.name, "sha256") == 0) {
            fits = copy_value(&part, u->sha256, sizeof u->sha256) && fits;
        }
    }
    if (why != NULL || in->cut) {
        sl_sv_refuse(out, 400, "bad_request", why != NULL ? why : "the form is cut short");
    } else if (file->len == 0) {
        sl_sv_invalid(out, "file", "the form has no file, or an empty one");
    } else if (!fits || !sl_space_ok(u->space)) {
        sl_sv_invalid(out, "space", "space must be a kind and a UUID");
    } else {
        return true;
    }
    return false;
}

/* Writes the bytes of an upload that nobody else knows. */
static sl_status bring_whole(sl_service *s, const sl_sv_upload *u, const sl_form_part *file)
{
    sl_sv_flow f;
    sl_lock(s->lock);
    sl_sv_flow_begin(&f, s, u, NULL);
    sl_unlock(s->lock);
    (void)sl_sv_flow_put(&f, file->data, file->len);
    sl_status status = sl_sv_flow_end(&f);
    if (status != SL_OK) {
        unmake(s, &f.u);
    }
    return status;
}

/* Stores the file under its hash, which must be u->sha256 unless that is empty. False: the answer is made. */
static bool bring(sl_service *s, sl_sv_upload *u, const sl_form_part *file, sl_http_out *out)
{
    char hex[SL_SV_SHA_LEN + 1];
    sl_sha256_hex(file->data, file->len, hex);
    if (u->sha256[0] != 0 && strcmp(u->sha256, hex) != 0) {
        sl_sv_refuse(out, 460, "checksum_mismatch", "the bytes do not have the SHA-256 given");
        return false;
    }
    memcpy(u->sha256, hex, sizeof hex);
    sl_sv_copy(u->type, sizeof u->type,
               file->type[0] != 0 ? file->type : "application/octet-stream");
    u->length = (int64_t)file->len;
    sl_lock(s->lock);
    sl_status status = sl_sv_change(s, make_upload, u, NULL);
    sl_unlock(s->lock);
    for (size_t i = 0; status == SL_OK && i < u->dead.count; i++) {
        sl_sv_upload_remove_file(s, sl_sv_text(&u->dead, i, 0));
    }
    sl_sv_rows_free(&u->dead);
    if (!may_begin(status, u, out)) {
        return false;
    }
    status = u->at < u->length ? bring_whole(s, u, file) : SL_OK;
    if (status != SL_OK) {
        sl_sv_broken(out, status);
    }
    return status == SL_OK;
}

bool sl_sv_upload_bring(const sl_sv_request *r, const char *space, char sha256[SL_SV_SHA_LEN + 1],
                        const sl_form_part *file, sl_http_out *out)
{
    sl_sv_upload u = upload_of(r->s, &r->who);
    sl_sv_copy(u.space, sizeof u.space, space);
    sl_sv_copy(u.sha256, sizeof u.sha256, sha256);
    bool brought = bring(r->s, &u, file, out);
    memcpy(sha256, u.sha256, sizeof u.sha256);
    return brought;
}

void sl_sv_upload_form(sl_sv_request *r, sl_http_out *out)
{
    sl_sv_upload u = upload_of(r->s, &r->who);
    sl_form_part file = {.len = 0};
    if (!read_form(r->in, &u, &file, out) || !bring(r->s, &u, &file, out)) {
        return;
    }
    sl_json *j = sl_json_object();
    if (j == NULL || !sl_json_set_str(j, "sha256", u.sha256) ||
        !sl_json_set_int(j, "size", u.length)) {
        sl_json_free(j);
        sl_sv_broken(out, SL_E_NOMEM);
    } else {
        sl_sv_answer(out, 201, j);
    }
}
