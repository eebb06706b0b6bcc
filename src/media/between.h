/*
 * media/between.h - pictures between two pictures of a clip, for slow motion. Inside this folder.
 *
 * What moves is followed: for each place of the picture in the middle the displacement is sought by
 * which the first picture, taken from before, and the second, taken from after, are most alike, from
 * coarse to fine. Displacements run evenly from place to place, so that no edges of blocks show.
 * Where the two have nothing in common (a cut) the nearer one is repeated.
 */
#ifndef SL_MEDIA_BETWEEN_H
#define SL_MEDIA_BETWEEN_H

#include "base/error.h"

#include <libavutil/frame.h>
#include <stdbool.h>

typedef struct sl_between sl_between;

enum {
    SL_BETWEEN_WHOLE = 1000 /* parts are thousandths */
};

/* For YUV 4:2:0 pictures of this size. NULL: no memory. */
sl_between *sl_between_new(int32_t width, int32_t height);
void sl_between_free(sl_between *b);
/* The two pictures; copied. */
void sl_between_learn(sl_between *b, const AVFrame *first, const AVFrame *second);
/* Whether they have so little in common that nothing lies between them. */
bool sl_between_is_cut(const sl_between *b);
/* What lies `part` of the way from the first to the second, 0..SL_BETWEEN_WHOLE. */
void sl_between_make(const sl_between *b, int32_t part, AVFrame *into);

#endif
