/*
 * api/media.h - what the files behind sideline/media.h share: jobs on the media pool, and what they
 * read of the store.
 */
#ifndef SL_API_MEDIA_H
#define SL_API_MEDIA_H

#include "api/inside.h"
#include "base/buf.h"
#include "base/error.h"
#include "media/source.h"

/* What a job was asked; all its own. */
typedef struct sl_media_request {
    char *subject; /* title, space or review */
    char *path;
    sl_json *options; /* the whole request */
} sl_media_request;

/* The common beginning of the calls that start a job: the request has a path and the subject, a
 * text under that name. */
sl_status sl_media_start(sl_core *core, const char *json, size_t n, const char *subject,
                         void (*run)(sl_job *job, void *arg), sl_id *op, sl_error **err);
/* The common end; res and err are taken. */
void sl_media_end(sl_job *job, sl_status status, sl_json *res, sl_error *err);
/* A whole number of the request, 0 when it is not there. SL_E_INVALID, naming it: no such number. */
sl_status sl_media_number(const sl_media_request *q, const char *name, int32_t *out,
                          sl_error **err);

/* For jobs: their progress and whether they were cancelled. */
void sl_media_progress(void *job, int64_t done, int64_t total);
bool sl_media_cancelled(void *job);

sl_status sl_media_record(sl_core *core, const char *entity, const char *id, sl_json **out,
                          sl_error **err);
/* The blob of the video whose space this is. *hex is to be freed with sl_mem_free. */
sl_status sl_media_clip_name(sl_core *core, const char *space, char **hex, sl_error **err);
/* The clip of a space, fetched when it is not here. */
sl_status sl_media_clip(sl_job *job, const char *space, sl_blob_in **clip, sl_error **err);
sl_source sl_media_source(sl_blob_in *clip);
/* Writes a file of the host's, whole or not at all. */
sl_status sl_media_write(sl_core *core, const char *path, const sl_buf *bytes, sl_error **err);

#endif
