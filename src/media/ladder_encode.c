/*
 * media/ladder_encode.c - the rungs that are encoded: one decoding, each rung scaled from the one
 * above, each encoder with threads of its own.
 */
#include "media/av.h"
#include "media/cmaf_write.h"
#include "media/encoder.h"
#include "media/ladder.h"
#include "media/picture.h"
#include "media/track.h"

enum {
    CLOCK = 90000,
    RATE_MAX = 60,
    KEY_SECONDS = 2
};

typedef struct rung {
    const sl_rung *plan;
    AVFrame *picture;
    sl_scaler scaler;
    AVCodecContext *encoder;
    AVCodecParameters *parameters;
    sl_cmaf *file;
    AVPacket *packet;
} rung;

typedef struct ladder {
    const sl_ladder_job *job;
    sl_clip clip;
    sl_track *track;
    AVPacket *sound; /* the next one, when held */
    bool held;
    bool sound_end;
    AVFrame *frame;
    AVRational rate;
    rung rungs[SL_LADDER_RUNGS];
    size_t from; /* the first that is encoded */
    size_t n;
    int64_t last; /* ticks of CLOCK: the last picture taken */
    int64_t key;  /* where the last key frame is */
    bool any;
} ladder;

/* Sizes of the plan are those shown; files keep the clip's own orientation. */
static void open_size(const ladder *l, const sl_rung *plan, int32_t *w, int32_t *h)
{
    bool turned = sl_clip_rotation(l->clip.stream) % 180 != 0;
    *w = turned ? plan->height : plan->width;
    *h = turned ? plan->width : plan->height;
}

static sl_status open_rung(ladder *l, size_t i, sl_error **err)
{
    rung *r = &l->rungs[i];
    sl_encoder_config config = {.time_base = {1, CLOCK},
                                .rate = l->rate,
                                .is_709 = true,
                                .gop = (int32_t)(av_rescale(SL_LADDER_KEY_US, l->rate.num,
                                                            (int64_t)l->rate.den * AV_TIME_BASE) +
                                                 1),
                                .name = l->job->encoder};
    open_size(l, r->plan, &config.width, &config.height);
    r->picture = sl_picture_new(AV_PIX_FMT_YUV420P, config.width, config.height);
    r->parameters = avcodec_parameters_alloc();
    r->packet = av_packet_alloc();
    if (r->picture == NULL || r->parameters == NULL || r->packet == NULL) {
        return sl_fail_nomem(err);
    }
    sl_status status = sl_encoder_open(&config, &r->encoder, err);
    if (status != SL_OK) {
        return status;
    }
    if (avcodec_parameters_from_context(r->parameters, r->encoder) < 0) {
        return sl_fail_nomem(err);
    }
    sl_cmaf_stream sound = {NULL, {1, 1}};
    if (l->track != NULL) {
        sound = (sl_cmaf_stream){sl_track_parameters(l->track), sl_track_time_base(l->track)};
    }
    return sl_cmaf_open(l->job->to[i], (sl_cmaf_stream){r->parameters, {1, CLOCK}},
                        sl_clip_rotation(l->clip.stream), sound, &r->file, err);
}

static sl_status open_all(ladder *l, sl_error **err)
{
    const char *path = l->job->path;
    l->frame = av_frame_alloc();
    l->sound = av_packet_alloc();
    sl_status status = l->frame == NULL || l->sound == NULL
                           ? sl_fail_nomem(err)
                           : sl_clip_open(&l->clip, SL_SOURCE_FILE(path), err);
    if (status == SL_OK) {
        status = sl_clip_decode(&l->clip, AVMEDIA_TYPE_VIDEO, err);
    }
    if (status != SL_OK) {
        return status;
    }
    l->rate = sl_clip_rate(l->clip.format, l->clip.stream);
    if (av_cmp_q(l->rate, (AVRational){RATE_MAX, 1}) > 0) {
        l->rate = (AVRational){RATE_MAX, 1};
    }
    return sl_track_open(SL_SOURCE_FILE(path), l->job->ladder->probe.duration_us, &l->track, err);
}

static void close_all(ladder *l)
{
    for (size_t i = 0; i < l->n; i++) {
        rung *r = &l->rungs[i];
        sl_cmaf_close(r->file);
        avcodec_free_context(&r->encoder);
        avcodec_parameters_free(&r->parameters);
        av_packet_free(&r->packet);
        av_frame_free(&r->picture);
        sl_scaler_free(&r->scaler);
    }
    sl_track_close(l->track);
    av_packet_free(&l->sound);
    av_frame_free(&l->frame);
    sl_clip_close(&l->clip);
}

/* A picture (NULL: the end) through one rung's encoder into its file. */
static sl_status encode(rung *r, const AVFrame *picture, int64_t length, sl_error **err)
{
    int code = avcodec_send_frame(r->encoder, picture);
    while (code >= 0) {
        code = avcodec_receive_packet(r->encoder, r->packet);
        if (code < 0) {
            break;
        }
        r->packet->duration = r->packet->duration > 0 ? r->packet->duration : length;
        sl_status status = sl_cmaf_video(r->file, r->packet, err);
        av_packet_unref(r->packet);
        if (status != SL_OK) {
            return status;
        }
    }
    return code == AVERROR(EAGAIN) || code == AVERROR_EOF
               ? SL_OK
               : sl_av_fail(err, code, "The picture could not be encoded");
}

/* The same packets into every rung. */
static sl_status sound_until(ladder *l, int64_t t_us, sl_error **err)
{
    sl_status status = SL_OK;
    while (status == SL_OK && l->track != NULL && !l->sound_end) {
        if (!l->held) {
            status = sl_track_next(l->track, l->sound, &l->sound_end, err);
            l->held = status == SL_OK && !l->sound_end;
            continue;
        }
        if (av_rescale_q(l->sound->pts, sl_track_time_base(l->track), AV_TIME_BASE_Q) > t_us) {
            break;
        }
        for (size_t i = l->from; status == SL_OK && i < l->n; i++) {
            AVPacket *one = l->rungs[i].packet;
            status = av_packet_ref(one, l->sound) < 0 ? sl_fail_nomem(err)
                                                      : sl_cmaf_sound(l->rungs[i].file, one, err);
            av_packet_unref(one);
        }
        l->held = false;
        av_packet_unref(l->sound);
    }
    return status;
}

/* [LADDER-2] */
static bool wants_key(const ladder *l, int64_t at)
{
    if (!l->any) {
        return true;
    }
    if (l->from > 0) {
#if LIBAVUTIL_VERSION_MAJOR >= 59
        return (l->frame->flags & AV_FRAME_FLAG_KEY) != 0;
#else
        return l->frame->key_frame != 0;
#endif
    }
    return at - l->key >= (int64_t)KEY_SECONDS * CLOCK;
}

static sl_status scale_and_encode(ladder *l, int64_t at, bool key, sl_error **err)
{
    int64_t length = av_rescale(CLOCK, l->rate.den, l->rate.num);
    const AVFrame *above = l->frame;
    sl_status status = SL_OK;
    for (size_t i = l->from; status == SL_OK && i < l->n; i++) {
        rung *r = &l->rungs[i];
        status = sl_picture_convert(&r->scaler, above, 0, false, r->picture, err);
        if (status == SL_OK) {
            r->picture->pts = at;
            r->picture->pict_type = key ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
            above = r->picture;
            status = encode(r, r->picture, length, err);
        }
    }
    return status;
}

static sl_status one_picture(ladder *l, sl_error **err)
{
    int64_t us = sl_clip_us(&l->clip, l->frame->best_effort_timestamp);
    int64_t step = av_rescale(CLOCK, l->rate.den, l->rate.num);
    int64_t at = us != AV_NOPTS_VALUE ? av_rescale(us, CLOCK, AV_TIME_BASE) : l->last + step;
    if (l->any && at < l->last + step - step / 4 &&
        (at <= l->last || l->rate.num >= (int64_t)RATE_MAX * l->rate.den)) {
        return SL_OK; /* more pictures than are shown */
    }
    if (!l->any) {
        for (size_t i = l->from; i < l->n; i++) {
            sl_status status = open_rung(l, i, err);
            if (status != SL_OK) {
                return status;
            }
        }
    }
    bool key = wants_key(l, at);
    l->key = key ? at : l->key;
    l->last = at;
    l->any = true;
    sl_status status = scale_and_encode(l, at, key, err);
    return status == SL_OK ? sound_until(l, av_rescale(at, AV_TIME_BASE, CLOCK), err) : status;
}

static sl_status all_pictures(ladder *l, sl_error **err)
{
    for (;;) {
        bool end = false;
        if (l->job->cancelled != NULL && l->job->cancelled(l->job->user)) {
            return sl_fail(err, SL_E_CANCELLED, "The work was cancelled");
        }
        sl_status status = sl_clip_next(&l->clip, l->frame, &end, err);
        if (status == SL_OK && end) {
            return l->any ? SL_OK : sl_fail(err, SL_E_INVALID, "The video is cut off or damaged");
        }
        if (status == SL_OK) {
            status = one_picture(l, err);
        }
        av_frame_unref(l->frame);
        if (status != SL_OK) {
            return status;
        }
    }
}

static sl_status finish(ladder *l, sl_cmaf_index out[SL_LADDER_RUNGS], sl_error **err)
{
    int64_t length = av_rescale(CLOCK, l->rate.den, l->rate.num);
    sl_status status = SL_OK;
    for (size_t i = l->from; status == SL_OK && i < l->n; i++) {
        status = encode(&l->rungs[i], NULL, length, err);
    }
    if (status == SL_OK) {
        status = sound_until(l, INT64_MAX, err);
    }
    for (size_t i = l->from; status == SL_OK && i < l->n; i++) {
        status = sl_cmaf_finish(l->rungs[i].file, &out[i], err);
    }
    return status;
}

sl_status sl_ladder_encode(const sl_ladder_job *job, sl_cmaf_index out[SL_LADDER_RUNGS],
                           sl_error **err)
{
    ladder l = {.job = job, .n = job->ladder->n, .from = job->ladder->rungs[0].copied ? 1 : 0};
    for (size_t i = 0; i < SL_LADDER_RUNGS; i++) {
        out[i] = (sl_cmaf_index){0};
        l.rungs[i].plan = &job->ladder->rungs[i];
    }
    if (l.from == l.n) {
        return SL_OK;
    }
    sl_status status = open_all(&l, err);
    if (status == SL_OK) {
        status = all_pictures(&l, err);
    }
    if (status == SL_OK) {
        status = finish(&l, out, err);
    }
    close_all(&l);
    for (size_t i = 0; status != SL_OK && i < SL_LADDER_RUNGS; i++) {
        sl_cmaf_index_free(&out[i]);
    }
    return status;
}
