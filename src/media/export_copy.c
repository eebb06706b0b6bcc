/* media/export_copy.c - stretches of a review that show the clip as it is are copied. */
#include "media/export_inside.h"

#include <libavutil/mathematics.h>

enum {
    READ_MAX = 100000, /* packets that are passed over to find one */
    EARLY_US = 1000000
};

sl_status sl_export_learn(exporter *x, sl_error **err)
{
    if (x->job->encode_all) {
        return SL_OK;
    }
    x->copier_at = -1;
    return sl_splice_learn(&x->job->source, x->width, x->height, x->rate, &x->splice, &x->spliced,
                           err);
}

/* The clip's picture that the movie's picture k shows as it is, or -1. */
static sl_status picture_at(exporter *x, int64_t k, int32_t *number, sl_error **err)
{
    int64_t t_us = av_rescale_q(k, av_inv_q(x->rate), AV_TIME_BASE_Q);
    sl_timeline_state_t state;
    size_t n = 0;
    *number = -1;
    sl_timeline_at(x->job->timeline, t_us, &state);
    const sl_pair *pair = NULL;
    int64_t second_us = 0;
    bool alone = !sl_timeline_second(x->job->timeline, t_us, &pair, &second_us);
    if (!alone || state.view.x != 0 || state.view.y != 0 || state.view.scale != SL_SCALE_ONE) {
        return SL_OK;
    }
    sl_status status = sl_export_shown(x, t_us, &n, err);
    if (status == SL_OK && n == 0) {
        int64_t at = state.position_us + sl_frames_slack_us(x->frames);
        int64_t m =
            av_rescale_rnd(at, x->rate.num, (int64_t)x->rate.den * AV_TIME_BASE, AV_ROUND_DOWN);
        *number = m < x->splice.packets_n ? (int32_t)m : x->splice.packets_n - 1;
    }
    return status;
}

sl_status sl_export_untouched(exporter *x, int64_t k, const sl_splice_group **group, sl_error **err)
{
    int32_t number = -1;
    *group = NULL;
    sl_status status = picture_at(x, k, &number, err);
    const sl_splice_group *g =
        status == SL_OK && number >= 0 ? sl_splice_group_at(&x->splice, number) : NULL;
    if (g == NULL || k + g->n > x->total) {
        return status;
    }
    for (int32_t i = 1; status == SL_OK && i < g->n; i++) {
        status = picture_at(x, k + i, &number, err);
        if (number != g->first + i) {
            return status;
        }
    }
    *group = g;
    return status;
}

static sl_status lost(sl_error **err)
{
    return sl_fail(err, SL_E_INVALID, "The video cannot be read at this place");
}

/* The next packet of the picture into copier.packet. */
static sl_status next_packet(exporter *x, sl_error **err)
{
    sl_clip *c = &x->copier;
    for (int i = 0; i < READ_MAX; i++) {
        av_packet_unref(c->packet);
        int code = av_read_frame(c->format, c->packet);
        if (code < 0) {
            return code == AVERROR(ENOMEM) ? sl_fail_nomem(err) : lost(err);
        }
        if (c->packet->stream_index == c->stream->index) {
            return SL_OK;
        }
    }
    return lost(err);
}

static sl_status open_copier(exporter *x, sl_error **err)
{
    if (x->copier.format != NULL) {
        return SL_OK;
    }
    sl_status status = sl_clip_open(&x->copier, &x->job->source, err);
    return status == SL_OK ? sl_clip_decode(&x->copier, AVMEDIA_TYPE_VIDEO, err) : status;
}

/* Afterwards copier.packet is packet `wanted` of the clip. */
static sl_status go_to(exporter *x, int32_t wanted, sl_error **err)
{
    int64_t pts = x->splice.packets[wanted].pts;
    sl_status status = open_copier(x, err);
    if (status == SL_OK && x->copier_at != wanted) {
        int64_t us = av_rescale_q(pts - x->splice.start, x->splice.time_base, AV_TIME_BASE_Q);
        if (!sl_clip_seek(&x->copier, us > EARLY_US ? us - EARLY_US : 0)) {
            return lost(err);
        }
    }
    for (int i = 0; status == SL_OK && i < READ_MAX; i++) {
        status = next_packet(x, err);
        if (status == SL_OK && x->copier.packet->pts == pts) {
            x->copier_at = wanted + 1;
            return SL_OK;
        }
    }
    x->copier_at = -1;
    return status == SL_OK ? lost(err) : status;
}

sl_status sl_export_copy(exporter *x, int64_t k, const sl_splice_group *group, sl_error **err)
{
    sl_status status = SL_OK;
    for (int32_t i = 0; status == SL_OK && i < group->n; i++) {
        int32_t which = group->first + i;
        status = go_to(x, which, err);
        if (status == SL_OK) {
            status = sl_movie_copy(x->movie, x->copier.packet,
                                   k + x->splice.packets[which].shown - group->first, err);
        }
    }
    x->copied += group->n;
    return status;
}
