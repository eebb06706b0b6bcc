/* service/upload.h - what the files of uploads share: the row of one, and the bytes on their way to it. */
#ifndef SL_SERVICE_UPLOAD_H
#define SL_SERVICE_UPLOAD_H

#include "service/form.h"
#include "service/inside.h"

enum {
    SL_SV_TYPE_MAX = 100
};

typedef struct sl_sv_upload {
    bool found;
    sl_sv_id id;
    sl_sv_id user;
    sl_sv_id session;
    sl_standing standing;
    int64_t length;
    int64_t at; /* bytes that are on the disk, as the row says */
    char sha256[SL_SV_SHA_LEN + 1];
    sl_sv_space space;
    char type[SL_SV_TYPE_MAX + 1];
    int64_t expires_ms;
    bool many;
    sl_sv_rows dead; /* files to remove after the commit */
} sl_sv_upload;

/* What the bytes of a request are to be, as its Upload-Checksum says. (tus.c) */
typedef struct sl_sv_checksum {
    sl_sha1 *sha1; /* both NULL: nothing was said */
    sl_sha256 *sha256;
    uint8_t wanted[SL_SHA256_LEN]; /* shorter ones with noughts behind */
    uint64_t left;                 /* bytes that are still to come */
} sl_sv_checksum;

/* text NULL: there is none. SL_E_INVALID: of no kind known here; SL_E_NOMEM. Freed in any case. */
sl_status sl_sv_checksum_begin(sl_sv_checksum *c, const char *text, uint64_t len);
bool sl_sv_checksum_asked(const sl_sv_checksum *c);
void sl_sv_checksum_put(sl_sv_checksum *c, const uint8_t *p, size_t n);
/* All bytes came and are what was said. Asked once. */
bool sl_sv_checksum_holds(sl_sv_checksum *c);
void sl_sv_checksum_free(sl_sv_checksum *c);
/* When an upload that is not finished ends. */
void sl_sv_tell_expiry(const sl_sv_upload *u, sl_http_out *out);

/* The bytes of one request on their way to the file. It belongs to who began it, who uses it from one
 * thread at a time. */
struct sl_sv_flow {
    sl_sv_flow *next; /* in s->flows, while it has the upload */
    sl_service *s;
    sl_sv_upload u;
    bool writing; /* its owner is at the file */
    bool wanted;  /* another request waits for the upload: no more is taken */
    bool lost;    /* and has it now */
    char *path;
    void *file;
    sl_sha256 *hash; /* of all bytes before `at`; NULL: not known */
    int64_t at;
    sl_sv_checksum
        sum; /* of the bytes of this request: they count when all of them came and are right */
    bool mismatch; /* they did not, or are not */
    bool made;     /* the request has made the upload */
    bool settled;  /* all bytes are at the blob's place already */
    sl_status status;
};

/* A row by its id, when it is this user's (u->user). A request that has the upload and waits for more of
 * its bytes is ended first, with what came: the client has begun anew, and its old connection may be dead
 * without our knowing. */
sl_status sl_sv_upload_find(sl_service *s, const char *id, sl_sv_upload *u, sl_error **err);
bool sl_sv_upload_busy(const sl_service *s, const char *id);
void sl_sv_upload_remove_file(sl_service *s, const char *id);
/* For sl_sv_change; ctx: an sl_sv_upload. `at` is written, with the blob when it is the last. */
sl_status sl_sv_upload_move_on(sl_sv_tx *tx, void *ctx, sl_error **err);
sl_status sl_sv_upload_drop(sl_sv_tx *tx, void *ctx, sl_error **err);

/* The flow has the upload, which is not busy, until its end. It takes sum, which may be NULL. */
void sl_sv_flow_begin(sl_sv_flow *f, sl_service *s, const sl_sv_upload *u, sl_sv_checksum *sum);
/* Ends the one that has the upload, when it waits for more bytes; one that is writing is told to stop and
 * waited for, but not long. True: the lock was given up meanwhile. */
bool sl_sv_flow_give_way(sl_service *s, const char *id);
/* Without the lock. False: there is no use in more. */
bool sl_sv_flow_put(sl_sv_flow *f, const uint8_t *p, size_t n);
/* Without the lock. SL_E_CORRUPT: all bytes came and are not what their name says; SL_E_NOT_FOUND: the file
 * is gone: with both the upload is too. SL_E_CANCELLED: another request has the upload. SL_E_AUTH: the
 * session has ended meanwhile. SL_E_CONFLICT: f->mismatch, nothing of it was kept. */
sl_status sl_sv_flow_end(sl_sv_flow *f);

/* The request of tus that brings bytes, `len` of them, to an upload or with its creation, without the lock. False:
 * the answer is made; else the flow is to be ended. */
bool sl_sv_bytes_begin(sl_sv_request *r, uint64_t len, sl_sv_flow *f, sl_http_out *out);
void sl_sv_bytes_end(sl_sv_flow *f, sl_http_out *out);

/* Stores the file of a form for the space under its hash, which it must have unless that is "". False: the
 * answer is made. */
bool sl_sv_upload_bring(const sl_sv_request *r, const char *space, char sha256[SL_SV_SHA_LEN + 1],
                        const sl_form_part *file, sl_http_out *out);

#endif
