/*
 * service/media.h - the work on videos that came in: what waits, and what came of it.
 *
 * The service keeps what is to be done in the database and never does it: a worker asks for the
 * next step, does it, and says how it went. A step's result and the move to the next one are one
 * transaction, so that a worker or server killed at any moment leaves a step that is done again or a
 * step that is done.
 *
 *   check   is it a video that can be shown here
 *   scan    the operator's own program, when there is one
 *   first   a still; the original as a rung, when players take it as it is: then the video is ready
 *   rest    the other rungs; with them the video is ready if it was not before
 *
 * A video is `processing` from when its bytes are here until it is `ready` or `failed`; what was made
 * are its records `variant`.
 */
#ifndef SL_SERVICE_MEDIA_H
#define SL_SERVICE_MEDIA_H

#include "service/service.h"

enum {
    SL_MEDIA_MADE_MAX = 8,
    SL_MEDIA_TRIES = 3, /* of a step whose worker dies */
    SL_MEDIA_INDEX_MAX = 2 * 1024 * 1024
};

typedef enum sl_media_step {
    SL_MEDIA_CHECK,
    SL_MEDIA_SCAN,
    SL_MEDIA_FIRST,
    SL_MEDIA_REST
} sl_media_step;

typedef struct sl_media_job {
    char space[SL_SPACE_MAX];
    char sha256[65]; /* of the original */
    sl_media_step step;
    char *path; /* of its bytes; sl_mem */
} sl_media_job;

/* A file that a step made. The service takes the file away from there. */
typedef struct sl_media_made {
    char name[8]; /* of the variant */
    const char *path;
    const char *media_type;
    int32_t width;
    int32_t height;
    int64_t bitrate;
    const char *index; /* JSON of its parts (sl_cmaf_index_json), NULL for a still */
} sl_media_made;

typedef enum sl_media_outcome {
    SL_MEDIA_PASSED,
    SL_MEDIA_REFUSED, /* for good: the video failed, `why` says so to its people */
    SL_MEDIA_BROKE,   /* the worker died or could not: it is tried again, SL_MEDIA_TRIES times */
    SL_MEDIA_LATER    /* not its fault, as a full disk: it is tried again */
} sl_media_outcome;

typedef struct sl_media_result {
    sl_media_outcome outcome;
    const char *why;
    sl_media_made made[SL_MEDIA_MADE_MAX];
    size_t made_n;
    bool complete; /* of `first`: there is no more to make */
} sl_media_result;

const char *sl_media_step_name(sl_media_step step);
/* The step that waits longest. *any false: none is due; *wait_ms: until one is, -1: none waits.
 * One worker at a time asks. out->path is freed with sl_mem_free. */
sl_status sl_service_media_next(sl_service *s, sl_media_job *out, bool *any, int64_t *wait_ms,
                                sl_error **err);
sl_status sl_service_media_done(sl_service *s, const sl_media_job *job,
                                const sl_media_result *result, sl_error **err);

#endif
