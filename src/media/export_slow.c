/* media/export_slow.c - slower than 1x: what lies between two frames of the clip. */
#include "media/export_inside.h"

static sl_status make_room(exporter *x, sl_error **err)
{
    if (x->between != NULL) {
        return SL_OK;
    }
    x->ahead =
        x->ahead != NULL ? x->ahead : sl_picture_new(AV_PIX_FMT_YUV420P, x->width, x->height);
    x->woven =
        x->woven != NULL ? x->woven : sl_picture_new(AV_PIX_FMT_YUV420P, x->width, x->height);
    if (x->ahead == NULL || x->woven == NULL || av_frame_copy_props(x->woven, x->base) < 0 ||
        av_frame_copy_props(x->ahead, x->base) < 0) {
        return sl_fail_nomem(err);
    }
    x->between = sl_between_new(x->width, x->height);
    return x->between != NULL ? SL_OK : sl_fail_nomem(err);
}

/* The frame after base; ahead_us is base_us when it is the last. */
static sl_status learn(exporter *x, sl_error **err)
{
    const AVFrame *frame = NULL;
    sl_status status = sl_frames_step(x->frames, 1, &frame, &x->ahead_us, err);
    if (status == SL_OK && x->ahead_us > x->base_us) {
        status = sl_picture_convert(&x->scaler, frame, sl_frames_rotation(x->frames), false,
                                    x->ahead, err);
    }
    if (status == SL_OK && x->ahead_us > x->base_us) {
        sl_between_learn(x->between, x->base, x->ahead);
    }
    x->learnt_us = status == SL_OK ? x->base_us : INT64_MIN;
    return status;
}

sl_status sl_export_between(exporter *x, int64_t position_us, sl_error **err)
{
    sl_status status = make_room(x, err);
    if (status == SL_OK && x->learnt_us != x->base_us) {
        status = learn(x, err);
    }
    int64_t length = x->ahead_us - x->base_us;
    if (status != SL_OK || length <= 0 ||
        position_us - x->base_us <= sl_frames_slack_us(x->frames)) {
        return status;
    }
    int64_t part = (position_us - x->base_us) * SL_BETWEEN_WHOLE / length;
    if (av_frame_make_writable(x->woven) < 0) {
        return sl_fail_nomem(err);
    }
    sl_between_make(x->between, (int32_t)(part > SL_BETWEEN_WHOLE ? SL_BETWEEN_WHOLE : part),
                    x->woven);
    x->ground = x->woven;
    return SL_OK;
}

void sl_export_slow_free(exporter *x)
{
    sl_between_free(x->between);
    av_frame_free(&x->ahead);
    av_frame_free(&x->woven);
}
