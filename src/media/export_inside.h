/* media/export_inside.h - what the files of the export share. */
#ifndef SL_MEDIA_EXPORT_INSIDE_H
#define SL_MEDIA_EXPORT_INSIDE_H

#include "media/av.h"
#include "media/between.h"
#include "media/blend.h"
#include "media/export.h"
#include "media/frame.h"
#include "media/mix.h"
#include "media/movie.h"
#include "media/picture.h"
#include "render/canvas.h"
#include "render/render.h"

typedef struct exporter {
    const sl_export_job *job;
    sl_frames *frames;
    sl_mix *mix;
    sl_movie *movie;
    sl_splice splice; /* of the clip, when `spliced` */
    bool spliced;
    sl_clip copier;        /* reads what is copied */
    int32_t copier_at;     /* the packet it reads next, -1: somewhere */
    const sl_item **items; /* sorted by id */
    sl_timeline_shown *marks;
    sl_shown *shown;
    size_t marks_cap;
    int32_t clip_width; /* as shown */
    int32_t clip_height;
    int32_t width; /* of the movie */
    int32_t height;
    AVRational rate;
    bool is_709;
    AVFrame *base;     /* the clip's picture, without ink */
    AVFrame *ground;   /* what drawings lie on: base, or what was made of it */
    AVFrame *inked;    /* with ink */
    AVFrame *zoomed;   /* what the view shows of it */
    int64_t base_us;   /* which frame base is */
    sl_canvas *canvas; /* the drawings, as large as the movie */
    sl_film *film;     /* ... in its colours */
    AVFrame *seen;     /* base in ARGB, for drawings that look at it */
    sl_film *changed;  /* what they made of it */
    sl_scaler to_rgb;
    sl_scaler scaler;
    sl_scaler zoom;
    AVFrame *ahead; /* slow motion: the frame after base, ... */
    AVFrame *woven; /* ... and what lies between */
    sl_between *between;
    int64_t learnt_us; /* which frame base was when the motion was learnt */
    int64_t ahead_us;
    const char *second_of; /* whose frames `second` has */
    sl_frames *second;
    AVFrame *second_picture; /* as large as it is shown */
    int64_t second_us;       /* which frame it is; INT64_MIN: none yet */
    AVFrame *paired;         /* both */
    sl_scaler to_second;
    sl_scaler to_half;
    int64_t total; /* pictures */
    int64_t sound_total;
    int64_t sound_made;
    int64_t copied; /* pictures */
    bool begun;     /* the file may be there */
} exporter;

/* export.c: the drawings shown at T, with the time since; *n of them in x->shown. */
sl_status sl_export_shown(exporter *x, int64_t t_us, size_t *n, sl_error **err);

/* export_slow.c: ground becomes what lies between base and the frame after it, at the position. */
sl_status sl_export_between(exporter *x, int64_t position_us, sl_error **err);
void sl_export_slow_free(exporter *x);

/* export_pair.c: the second video over base, as ground, when it is there and lies over it. */
sl_status sl_export_over(exporter *x, int64_t t_us, sl_error **err);
/* The finished picture with the second video beside or below it, when it is there. */
sl_status sl_export_beside(exporter *x, int64_t t_us, AVFrame **picture, sl_error **err);
void sl_export_pair_free(exporter *x);

/* export_copy.c: what of the clip may be copied at all; afterwards x->spliced says. */
sl_status sl_export_learn(exporter *x, sl_error **err);
/* The clip's pictures that picture k of the movie begins with and that nothing touches: *n of them,
 * 0 when k is to be drawn. */
sl_status sl_export_untouched(exporter *x, int64_t k, const sl_splice_group **group,
                              sl_error **err);
/* Copies them. */
sl_status sl_export_copy(exporter *x, int64_t k, const sl_splice_group *group, sl_error **err);

#endif
