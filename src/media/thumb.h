/*
 * media/thumb.h - small pictures of a clip, quickly: a thumbnail, and many of them on one sheet.
 *
 * A thumbnail is the key frame at or before the time asked for, so that one picture is decoded; on a
 * sheet each picture stands for a stretch of the clip and is the stretch's key frame, or, when it
 * has none, the frame in its middle.
 */
#ifndef SL_MEDIA_THUMB_H
#define SL_MEDIA_THUMB_H

#include "base/buf.h"
#include "base/error.h"
#include "media/source.h"

#include <stdbool.h>

enum {
    SL_THUMB_SIDE = 640, /* of a thumbnail, the longer side, unless told */
    SL_THUMB_SIDE_MIN = 16,
    SL_THUMB_SIDE_MAX = 1920,
    SL_SHEET_SIDE = 160, /* of a picture on a sheet */
    SL_SHEET_SIDE_MAX = 480,
    SL_SHEET_COUNT = 100,
    SL_SHEET_COUNT_MAX = 400
};

typedef struct sl_thumb {
    int32_t width;
    int32_t height;
    int64_t t_us; /* of the picture */
} sl_thumb;

/* A JPEG whose longer side is `side` at most, 0: SL_THUMB_SIDE. Appends. SL_E_INVALID: no clip. */
sl_status sl_thumb_make(const sl_source *source, int64_t t_us, int32_t side, sl_buf *jpeg,
                        sl_thumb *out, sl_error **err);

typedef struct sl_sheet_job {
    sl_source source;
    int64_t duration_us; /* of the clip */
    int32_t count;       /* pictures; 0: one a second, SL_SHEET_COUNT at most */
    int32_t side;        /* of each the longer side at most; 0: SL_SHEET_SIDE */
    int32_t columns;     /* 0: as many as rows */
    void (*progress)(void *user, int64_t done, int64_t total); /* may be NULL */
    bool (*cancelled)(void *user);                             /* may be NULL */
    void *user;
} sl_sheet_job;

typedef struct sl_sheet {
    int32_t count;
    int32_t columns;
    int32_t rows;
    int32_t width; /* of one picture */
    int32_t height;
    int64_t duration_us;                  /* picture i stands from i/count to (i+1)/count of it */
    int64_t shown_us[SL_SHEET_COUNT_MAX]; /* the frame that picture i is */
} sl_sheet;

/* A JPEG of all, row by row. Appends. SL_E_INVALID, naming the field: beyond the limits. */
sl_status sl_sheet_make(const sl_sheet_job *job, sl_buf *jpeg, sl_sheet *out, sl_error **err);
/* Where picture i stands in time. */
int64_t sl_sheet_from_us(const sl_sheet *s, int32_t i);
/* The index as players read it: WebVTT, each cue `image` with the part of it. Appends. */
void sl_sheet_vtt(const sl_sheet *s, const char *image, sl_buf *out);

#endif
