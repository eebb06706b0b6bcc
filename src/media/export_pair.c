/* media/export_pair.c - the second video of a review, beside, below or over the first. */
#include "media/export_inside.h"

#include <libavutil/mathematics.h>
#include <string.h>

enum {
    SMALLEST = 2
};

/* As large as it goes into `room`, in the middle of it; all even. */
static sl_part fit(sl_part room, int32_t width, int32_t height)
{
    int64_t w = room.w;
    int64_t h = av_rescale(w, height, width);
    if (h > room.h) {
        h = room.h;
        w = av_rescale(h, width, height);
    }
    sl_part out = {.w = (int32_t)(w & ~INT64_C(1)), .h = (int32_t)(h & ~INT64_C(1))};
    out.w = out.w < SMALLEST ? SMALLEST : out.w;
    out.h = out.h < SMALLEST ? SMALLEST : out.h;
    out.x = (room.x + (room.w - out.w) / 2) & ~1;
    out.y = (room.y + (room.h - out.h) / 2) & ~1;
    return out;
}

/* The two halves of the movie; over: all of it for both. */
static void share(const exporter *x, sl_layout layout, sl_part rooms[2])
{
    sl_part all = {0, 0, x->width, x->height};
    rooms[0] = all;
    rooms[1] = all;
    if (layout == SL_LAYOUT_SIDE) {
        rooms[0].w = x->width / 2 & ~1;
        rooms[1].x = rooms[0].w;
        rooms[1].w = x->width - rooms[0].w;
    } else if (layout == SL_LAYOUT_STACK) {
        rooms[0].h = x->height / 2 & ~1;
        rooms[1].y = rooms[0].h;
        rooms[1].h = x->height - rooms[0].h;
    }
}

/* Its frames in x->second; NULL when it is not at hand. */
static sl_status open_second(exporter *x, const char *video, sl_error **err)
{
    const sl_export_second *found = NULL;
    for (size_t i = 0; i < x->job->seconds_n; i++) {
        found = strcmp(x->job->seconds[i].video, video) == 0 ? &x->job->seconds[i] : found;
    }
    if (found != NULL && x->second != NULL && x->second_of == found->video) {
        return SL_OK;
    }
    sl_frames_close(x->second);
    x->second = NULL;
    x->second_us = INT64_MIN;
    x->second_of = found != NULL ? found->video : NULL;
    return found != NULL ? sl_frames_open(&found->source, &x->second, err) : SL_OK;
}

/* The second's picture at a position, fitted into `room`; *place says where it goes. */
static sl_status second_picture(exporter *x, int64_t position_us, sl_part room, sl_part *place,
                                sl_error **err)
{
    const AVFrame *frame = NULL;
    int64_t shown_us = 0;
    int32_t width = 0;
    int32_t height = 0;
    sl_frames_size(x->second, &width, &height);
    *place = fit(room, width, height);
    sl_status status = sl_frames_at(x->second, position_us, &frame, &shown_us, err);
    AVFrame *p = x->second_picture;
    if (p == NULL || p->width != place->w || p->height != place->h) {
        av_frame_free(&x->second_picture);
        x->second_picture = sl_picture_new(AV_PIX_FMT_YUV420P, place->w, place->h);
        x->second_us = INT64_MIN;
        status = status == SL_OK && x->second_picture == NULL ? sl_fail_nomem(err) : status;
    }
    if (x->second_picture != NULL) {
        x->second_picture->colorspace = x->base->colorspace;
    }
    if (status == SL_OK && shown_us != x->second_us) {
        status = sl_picture_convert(&x->to_second, frame, sl_frames_rotation(x->second), false,
                                    x->second_picture, err);
        x->second_us = status == SL_OK ? shown_us : INT64_MIN;
    }
    return status;
}

/* Whether there is a second one to be shown at t_us; opens it. */
static sl_status look_for(exporter *x, int64_t t_us, bool over, const sl_pair **pair,
                          int64_t *position_us, sl_error **err)
{
    *pair = NULL;
    const sl_pair *found = NULL;
    if (!sl_timeline_second(x->job->timeline, t_us, &found, position_us) ||
        (found->layout == SL_LAYOUT_OVER) != over) {
        return SL_OK;
    }
    sl_status status = open_second(x, found->video, err);
    if (status == SL_OK && x->paired == NULL) {
        x->paired = sl_picture_new(AV_PIX_FMT_YUV420P, x->width, x->height);
        status = x->paired == NULL || av_frame_copy_props(x->paired, x->base) < 0
                     ? sl_fail_nomem(err)
                     : SL_OK;
    }
    if (status == SL_OK && av_frame_make_writable(x->paired) < 0) {
        status = sl_fail_nomem(err);
    }
    *pair = status == SL_OK && x->second != NULL ? found : NULL;
    return status;
}

sl_status sl_export_over(exporter *x, int64_t t_us, sl_error **err)
{
    const sl_pair *pair = NULL;
    int64_t position_us = 0;
    sl_part rooms[2];
    sl_part place;
    sl_status status = look_for(x, t_us, true, &pair, &position_us, err);
    if (status != SL_OK || pair == NULL) {
        return status;
    }
    share(x, pair->layout, rooms);
    status = second_picture(x, position_us, rooms[1], &place, err);
    if (status == SL_OK && av_frame_copy(x->paired, x->ground) < 0) {
        status = sl_fail_nomem(err);
    }
    if (status == SL_OK) {
        sl_picture_mix(x->second_picture, x->paired, place.x, place.y, pair->opacity);
        x->ground = x->paired;
    }
    return status;
}

sl_status sl_export_beside(exporter *x, int64_t t_us, AVFrame **picture, sl_error **err)
{
    const sl_pair *pair = NULL;
    int64_t position_us = 0;
    sl_part rooms[2];
    sl_part place;
    sl_status status = look_for(x, t_us, false, &pair, &position_us, err);
    if (status != SL_OK || pair == NULL) {
        return status;
    }
    share(x, pair->layout, rooms);
    sl_picture_clear(x->paired);
    status = sl_picture_stretch(&x->to_half, *picture, (sl_part){0, 0, x->width, x->height},
                                x->paired, fit(rooms[0], x->width, x->height), err);
    if (status == SL_OK) {
        status = second_picture(x, position_us, rooms[1], &place, err);
    }
    if (status == SL_OK) {
        sl_picture_put(x->second_picture, x->paired, place.x, place.y);
        *picture = x->paired;
    }
    return status;
}

void sl_export_pair_free(exporter *x)
{
    sl_frames_close(x->second);
    sl_scaler_free(&x->to_second);
    sl_scaler_free(&x->to_half);
    av_frame_free(&x->second_picture);
    av_frame_free(&x->paired);
}
