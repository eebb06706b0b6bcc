/*
 * service/blob.c - who may read which bytes, and their download.
 *
 * A blob is bytes named by their hash; knowing a hash gives nothing. A user who sent all the
 * bytes, or could read them when naming them, is a holder; a space refers to a blob through a
 * user, and those who hold the space may read it once that user is a holder.
 */
#include "base/base64.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/plant.h"
#include "service/sign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool sl_sv_sha_ok(const char *sha256)
{
    return sha256 != NULL && strlen(sha256) == SL_SV_SHA_LEN &&
           strspn(sha256, "0123456789abcdef") == SL_SV_SHA_LEN;
}

char *sl_sv_blob_path(const sl_service *s, const char *sha256)
{
    return sl_text_fmt("%s/blobs/%.2s/%s", s->dir, sha256, sha256);
}

/* Whether one of the spaces that refer to it through a holder is open to the user. */
static sl_status open_by_space(sl_service *s, const char *sha256, const char *user,
                               sl_standing standing, bool *open, sl_error **err)
{
    sl_sv_rows rows;
    sl_status status = sl_sv_all(s,
                                 "SELECT DISTINCT r.space FROM blob_ref r"
                                 " JOIN blob_holder h ON h.sha256=r.sha256 AND h.user_id=r.user_id"
                                 " WHERE r.sha256=$1 ORDER BY r.space",
                                 SL_SV_ARGS(sl_cell_text(sha256)), &rows, err);
    for (size_t i = 0; status == SL_OK && !*open && i < rows.count; i++) {
        unsigned role = 0;
        status = sl_sv_may_read(s, user, standing, sl_sv_text(&rows, i, 0), &role, err);
        *open = role != 0;
    }
    sl_sv_rows_free(&rows);
    return status;
}

sl_status sl_sv_blob_find(sl_service *s, const char *sha256, const char *user, sl_standing standing,
                          int64_t *size, char **type, sl_error **err)
{
    sl_sv_rows rows;
    *size = -1;
    sl_status status =
        sl_sv_all(s,
                  "SELECT b.size, b.type, h.user_id FROM blob b LEFT JOIN blob_holder h ON"
                  " h.sha256=b.sha256 AND h.user_id=$2 WHERE b.sha256=$1",
                  SL_SV_ARGS(sl_cell_text(sha256), sl_cell_text(user)), &rows, err);
    bool open = status == SL_OK && rows.count > 0 && sl_sv_text(&rows, 0, 2)[0] != 0;
    if (status == SL_OK && rows.count > 0 && !open) {
        status = open_by_space(s, sha256, user, standing, &open, err);
    }
    if (status == SL_OK && open) {
        *size = sl_sv_int(&rows, 0, 0);
        if (type != NULL) {
            *type = sl_text_dup(sl_sv_text(&rows, 0, 1));
            status = *type != NULL ? SL_OK : sl_fail_nomem(err);
        }
    }
    sl_sv_rows_free(&rows);
    return status;
}

static sl_status add_holder(sl_sv_tx *tx, const char *sha256, const char *user, sl_error **err)
{
    return sl_sv_write(tx,
                       "INSERT INTO blob_holder (sha256, user_id) VALUES ($1, $2)"
                       " ON CONFLICT (sha256, user_id) DO NOTHING",
                       SL_SV_ARGS(sl_cell_text(sha256), sl_cell_text(user)), err);
}

sl_status sl_sv_blob_refer(sl_sv_tx *tx, const char *sha256, const char *space, const char *user,
                           sl_standing standing, bool *here, sl_error **err)
{
    int64_t size = -1;
    sl_status status = sl_sv_blob_find(tx->s, sha256, user, standing, &size, NULL, err);
    *here = size >= 0;
    if (status == SL_OK) {
        status = sl_sv_write(
            tx,
            "INSERT INTO blob_ref (sha256, space, user_id) VALUES ($1, $2, $3)"
            " ON CONFLICT (sha256, space, user_id) DO NOTHING",
            SL_SV_ARGS(sl_cell_text(sha256), sl_cell_text(space), sl_cell_text(user)), err);
    }
    return status == SL_OK && *here ? add_holder(tx, sha256, user, err) : status;
}

static sl_status make_ready(sl_sv_tx *tx, const char *space, const char *sha256, sl_error **err)
{
    sl_sv_item *video = NULL;
    sl_status status =
        sl_sv_get(tx, sl_entity_find("video"), space, sl_space_id(space), &video, err);
    if (status != SL_OK || video->rec.entity == NULL || video->rec.deleted) {
        return status;
    }
    const char *blob = sl_record_text(&video->rec, "blob");
    const char *state = sl_record_text(&video->rec, "status");
    bool waits = blob != NULL && strcmp(blob, sha256) == 0 &&
                 (state == NULL || strcmp(state, "uploading") == 0);
    return waits ? sl_sv_media_begin(tx, video, err) : SL_OK;
}

sl_status sl_sv_blob_done(sl_sv_tx *tx, const char *sha256, const char *user, sl_error **err)
{
    sl_sv_rows rows;
    sl_status status = add_holder(tx, sha256, user, err);
    if (status != SL_OK) {
        return status;
    }
    status =
        sl_sv_all(tx->s, "SELECT space FROM blob_ref WHERE sha256=$1 AND user_id=$2 ORDER BY space",
                  SL_SV_ARGS(sl_cell_text(sha256), sl_cell_text(user)), &rows, err);
    for (size_t i = 0; status == SL_OK && i < rows.count; i++) {
        if (sl_space_is(sl_sv_text(&rows, i, 0), "video") && !SL_PLANTED("never-ready")) {
            status = make_ready(tx, sl_sv_text(&rows, i, 0), sha256, err);
        }
    }
    sl_sv_rows_free(&rows);
    return status;
}

typedef enum range {
    RANGE_NONE,
    RANGE_ONE,
    RANGE_OUTSIDE
} range;

/* Digits at p, at most 18; p moves behind them. -1: none. */
static int64_t digits(const char **p)
{
    int64_t v = 0;
    size_t n = strspn(*p, "0123456789");
    if (n == 0 || n > 18) {
        return -1;
    }
    for (size_t i = 0; i < n; i++) {
        v = v * 10 + ((*p)[i] - '0');
    }
    *p += n;
    return v;
}

/* One byte range (RFC 9110, 14.1.2). What is malformed or several ranges means no range. */
static range read_range(const char *text, int64_t size, int64_t *from, int64_t *len)
{
    if (text == NULL || strncmp(text, "bytes=", 6) != 0) {
        return RANGE_NONE;
    }
    const char *p = text + 6;
    int64_t first = digits(&p);
    if (*p++ != '-') {
        return RANGE_NONE;
    }
    int64_t last = digits(&p);
    if (*p != 0 || (first < 0 && last < 0) || (first >= 0 && last >= 0 && last < first)) {
        return RANGE_NONE;
    }
    if (first < 0) { /* the last so many */
        *from = last < size ? size - last : 0;
        *len = size - *from;
        return last == 0 || size == 0 ? RANGE_OUTSIDE : RANGE_ONE;
    }
    if (first >= size) {
        return RANGE_OUTSIDE;
    }
    *from = first;
    *len = (last >= 0 && last < size ? last + 1 : size) - first;
    return RANGE_ONE;
}

/* Only what cannot break out of the header line. */
static const char *safe_type(const char *type)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$&^_.+-/";
    size_t n = strlen(type);
    bool ok = n > 2 && n <= 100 && strspn(type, allowed) == n && strchr(type, '/') != NULL;
    return ok ? type : "application/octet-stream";
}

static void send_file(sl_service *s, const char *sha256, int64_t size, const char *wanted,
                      sl_http_out *out)
{
    char etag[SL_SV_SHA_LEN + 3];
    (void)snprintf(etag, sizeof etag, "\"%s\"", sha256);
    out->file_at = 0;
    out->file_len = size;
    range r = read_range(wanted, size, &out->file_at, &out->file_len);
    char bounds[80];
    if (r == RANGE_OUTSIDE) {
        sl_sv_refuse(out, 416, "range_not_satisfiable", "the bytes asked for are not there");
        (void)snprintf(bounds, sizeof bounds, "bytes */%lld", (long long)size);
        sl_sv_header(out, "Content-Range", bounds);
        return;
    }
    out->file = sl_sv_blob_path(s, sha256);
    if (out->file == NULL) {
        sl_sv_broken(out, SL_E_NOMEM);
        return;
    }
    out->status = r == RANGE_ONE ? 206 : 200;
    if (r == RANGE_ONE) {
        (void)snprintf(bounds, sizeof bounds, "bytes %lld-%lld/%lld", (long long)out->file_at,
                       (long long)(out->file_at + out->file_len - 1), (long long)size);
        sl_sv_header(out, "Content-Range", bounds);
    }
    sl_sv_header(out, "ETag", etag);
    sl_sv_header(out, "Accept-Ranges", "bytes");
    sl_sv_header(out, "Content-Disposition", "attachment");
    sl_sv_header(out, "Cache-Control", "private, no-store");
}

static bool names(const sl_http_in *in, const char *header, const char *sha256)
{
    const char *value = in->header(in->ctx, header);
    return value != NULL && strstr(value, sha256) != NULL;
}

void sl_sv_send_blob(sl_service *s, const sl_http_in *in, const char *sha256, int64_t size,
                     const char *type, sl_http_out *out)
{
    bool whole = in->header(in->ctx, "if-range") != NULL && !names(in, "if-range", sha256);
    if (names(in, "if-none-match", sha256)) {
        out->status = 304;
        return;
    }
    send_file(s, sha256, size, whole ? NULL : in->header(in->ctx, "range"), out);
    if (out->file != NULL) {
        sl_sv_header(out, "Content-Type", safe_type(type));
    }
}

/* The blob for a user, or a guest, who may read it. sl_mem text in *type. False: the answer is made. */
static bool find_for(sl_service *s, const char *sha256, const sl_sv_who *who, int64_t *size,
                     char **type, sl_http_out *out)
{
    sl_status status = SL_OK;
    *size = -1;
    *type = NULL;
    if (sl_sv_sha_ok(sha256)) {
        sl_lock(s->lock);
        status = sl_sv_blob_find(s, sha256, who->user, sl_sv_standing(&who->rank, sl_sv_now(s)),
                                 size, type, NULL);
        sl_unlock(s->lock);
    }
    if (status != SL_OK) {
        sl_sv_broken(out, status);
    } else if (*size < 0) {
        sl_sv_refuse(out, 404, "not_found", "there is nothing here");
    }
    return status == SL_OK && *size >= 0;
}

static void answer_blob(sl_sv_request *r, const sl_sv_who *who, sl_http_out *out)
{
    char *type = NULL;
    int64_t size = -1;
    if (find_for(r->s, r->rest, who, &size, &type, out)) {
        sl_sv_send_blob(r->s, r->in, r->rest, size, type, out);
    }
    sl_mem_free(type);
}

void sl_sv_blob(sl_sv_request *r, sl_http_out *out)
{
    answer_blob(r, &r->who, out);
}

/* ---- by an address alone ---- */

static const char PURPOSE[] = "sideline file";

void sl_sv_blob_url(sl_sv_request *r, sl_http_out *out)
{
    sl_service *s = r->s;
    char *type = NULL;
    int64_t size = -1;
    if (find_for(s, r->rest, &r->who, &size, &type, out)) {
        sl_buf url = {0};
        sl_sv_right right = {
            .purpose = PURPOSE, .what = r->rest, .until_s = sl_sv_now(s) / 1000 + SL_SV_SIGNED_S};
        memcpy(right.user, r->who.user, sizeof right.user);
        sl_buf_fmt(&url, "/api/v1/files/%s", r->rest);
        sl_sv_sign_answer(s, &right, &url, out);
    }
    sl_mem_free(type);
}

/* For whom it was signed, or for anybody. */
void sl_sv_file(sl_sv_request *r, sl_http_out *out)
{
    sl_service *s = r->s;
    sl_sv_right right = {.purpose = PURPOSE, .what = r->rest};
    sl_sv_who who = {.exp_s = 0};
    if (sl_sv_sign_is(r->in)) {
        if (!sl_sv_sha_ok(r->rest) || !sl_sv_sign_holds(s, r->in->query, &right)) {
            sl_sv_refuse(out, 403, "forbidden", "the address has expired or was changed");
            return;
        }
        memcpy(who.user, right.user, sizeof who.user);
        sl_lock(s->lock);
        sl_status status = sl_sv_rank_of(s, who.user, &who.rank, NULL);
        sl_unlock(s->lock);
        if (status != SL_OK) {
            sl_sv_broken(out, status);
            return;
        }
        if (who.rank.role[0] == 0) {
            who.user[0] = 0; /* the account has ended */
        }
    }
    answer_blob(r, &who, out);
}
