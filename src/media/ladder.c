/* media/ladder.c - what a clip's ladder is, and the rung that is copied. */
#include "media/ladder.h"

#include "media/av.h"
#include "media/cmaf_write.h"
#include "media/splice.h"
#include "media/tone.h"
#include "media/track.h"

#include <string.h>

enum {
    LINES_MAX = 1080,
    RATE_MAX = 60
};

size_t sl_ladder_rungs(int32_t width, int32_t height, sl_rung out[SL_LADDER_RUNGS])
{
    static const int32_t sizes[SL_LADDER_RUNGS] = {1080, 720, 480};
    int64_t shorter = width < height ? width : height;
    size_t n = 0;
    for (size_t i = 0; i < SL_LADDER_RUNGS; i++) {
        bool last = i + 1 == SL_LADDER_RUNGS;
        int64_t lines = shorter < sizes[i] ? shorter : sizes[i];
        if (!last && shorter <= sizes[i + 1]) {
            continue; /* the next one is as good */
        }
        int64_t w = width < height ? lines : av_rescale(width, lines, shorter);
        int64_t h = width < height ? av_rescale(height, lines, shorter) : lines;
        out[n++] = (sl_rung){.lines = sizes[i],
                             .width = (int32_t)((w + 1) & ~INT64_C(1)),
                             .height = (int32_t)((h + 1) & ~INT64_C(1))};
    }
    return n;
}

/* What [LADDER-1] asks of the stream as a whole. */
static bool stream_fits(const AVStream *s, const sl_probe *p)
{
    const AVCodecParameters *c = s->codecpar;
    int shorter = c->width < c->height ? c->width : c->height;
    int longer = c->width < c->height ? c->height : c->width;
    AVRational shape = s->sample_aspect_ratio;
    bool square = shape.num == 0 || shape.num == shape.den;
    int64_t rate = av_rescale(p->size * 8, AV_TIME_BASE, p->duration_us);
    bool profile = c->profile == FF_PROFILE_H264_CONSTRAINED_BASELINE ||
                   c->profile == FF_PROFILE_H264_MAIN || c->profile == FF_PROFILE_H264_HIGH;
    return c->codec_id == AV_CODEC_ID_H264 && profile && square &&
           sl_tone_light(c->color_trc, c->color_primaries, c->color_space) == SL_LIGHT_PLAIN &&
           (c->format == AV_PIX_FMT_YUV420P || c->format == AV_PIX_FMT_YUVJ420P) &&
           c->extradata_size >= 7 && c->extradata[0] == 1 && shorter <= LINES_MAX &&
           longer <= SL_LADDER_LONG && c->width % 2 == 0 && c->height % 2 == 0 &&
           rate <= SL_LADDER_BITRATE && p->rate_num <= (int64_t)RATE_MAX * p->rate_den;
}

typedef struct walk {
    const AVStream *stream;
    int length_size;
    int64_t packets;
    int64_t bytes;
    int64_t last_dts;
    int64_t key_us; /* the last one */
    bool fits;
} walk;

static void look_at(walk *w, const AVPacket *p)
{
    if (p->pts == AV_NOPTS_VALUE || p->dts == AV_NOPTS_VALUE ||
        (p->flags & AV_PKT_FLAG_DISCARD) != 0 || (w->packets > 0 && p->dts <= w->last_dts)) {
        w->fits = false;
        return;
    }
    int64_t t_us = av_rescale_q(p->pts, w->stream->time_base, AV_TIME_BASE_Q);
    if ((p->flags & AV_PKT_FLAG_KEY) != 0) {
        w->fits = w->fits && sl_splice_is_idr(p->data, (size_t)p->size, w->length_size);
        w->key_us = t_us;
    }
    w->fits = w->fits && (w->packets > 0 || (p->flags & AV_PKT_FLAG_KEY) != 0) &&
              t_us - w->key_us <= SL_LADDER_KEY_US;
    w->last_dts = p->dts;
}

/* Reads all packets of the picture. */
static sl_status walk_packets(sl_clip *c, walk *w, sl_error **err)
{
    for (;;) {
        int code = av_read_frame(c->format, c->packet);
        if (code == AVERROR(ENOMEM)) {
            return sl_fail_nomem(err);
        }
        if (code < 0) {
            return SL_OK;
        }
        if (c->packet->stream_index == c->stream->index) {
            if (w->fits) {
                look_at(w, c->packet);
            }
            w->packets++;
            w->bytes += c->packet->size;
        }
        av_packet_unref(c->packet);
    }
}

static sl_status check_whole(const char *path, const sl_probe *probe, bool *fits, sl_error **err)
{
    sl_clip c = {0};
    sl_status status = sl_clip_open(&c, SL_SOURCE_FILE(path), err);
    if (status == SL_OK) {
        status = sl_clip_decode(&c, AVMEDIA_TYPE_VIDEO, err);
    }
    if (status == SL_OK) {
        walk w = {.stream = c.stream, .fits = stream_fits(c.stream, probe)};
        w.length_size = w.fits ? (c.stream->codecpar->extradata[4] & 3) + 1 : 4;
        status = walk_packets(&c, &w, err);
        *fits = w.fits;
        /* Half of what the index names may be lost at a damaged place, not more. */
        if (status == SL_OK && w.packets < (probe->frames + 1) / 2) {
            status = sl_fail(err, SL_E_INVALID, "The video is cut off or damaged");
        }
    }
    sl_clip_close(&c);
    return status;
}

sl_status sl_ladder_plan(const char *path, sl_ladder *out, sl_error **err)
{
    bool fits = false;
    *out = (sl_ladder){0};
    sl_status status = sl_probe_file(path, &out->probe, err);
    if (status != SL_OK) {
        return status;
    }
    if (out->probe.duration_us > (int64_t)SL_LADDER_MINUTES_MAX * 60 * AV_TIME_BASE) {
        return sl_fail(err, SL_E_INVALID, "The video is longer than %d minutes",
                       SL_LADDER_MINUTES_MAX);
    }
    status = check_whole(path, &out->probe, &fits, err);
    if (status == SL_OK) {
        out->n = sl_ladder_rungs(out->probe.width, out->probe.height, out->rungs);
        out->rungs[0].copied = fits;
        if (fits) {
            out->rungs[0].width = out->probe.width;
            out->rungs[0].height = out->probe.height;
        }
    }
    return status;
}

/* Sound up to the time of the pictures, so that both lie close together in the file. */
typedef struct sound_side {
    sl_track *track;
    AVPacket *packet;
    bool held;
    bool end;
} sound_side;

static sl_status sound_until(sound_side *s, sl_cmaf *to, int64_t t_us, sl_error **err)
{
    sl_status status = SL_OK;
    while (status == SL_OK && s->track != NULL && !s->end) {
        if (!s->held) {
            status = sl_track_next(s->track, s->packet, &s->end, err);
            s->held = status == SL_OK && !s->end;
            continue;
        }
        if (av_rescale_q(s->packet->pts, sl_track_time_base(s->track), AV_TIME_BASE_Q) > t_us) {
            break;
        }
        s->held = false;
        status = sl_cmaf_sound(to, s->packet, err);
        av_packet_unref(s->packet);
    }
    return status;
}

static sl_status copy_packets(const sl_ladder_job *job, sl_clip *c, sound_side *sound, sl_cmaf *to,
                              sl_error **err)
{
    int64_t start = c->stream->start_time == AV_NOPTS_VALUE ? 0 : c->stream->start_time;
    sl_status status = SL_OK;
    while (status == SL_OK) {
        if (job->cancelled != NULL && job->cancelled(job->user)) {
            return sl_fail(err, SL_E_CANCELLED, "The work was cancelled");
        }
        int code = av_read_frame(c->format, c->packet);
        if (code < 0) {
            return code == AVERROR(ENOMEM) ? sl_fail_nomem(err)
                                           : sound_until(sound, to, INT64_MAX, err);
        }
        if (c->packet->stream_index == c->stream->index) {
            c->packet->pts -= start;
            c->packet->dts -= start;
            int64_t t_us = av_rescale_q(c->packet->dts, c->stream->time_base, AV_TIME_BASE_Q);
            status = sound_until(sound, to, t_us, err);
            status = status == SL_OK ? sl_cmaf_video(to, c->packet, err) : status;
        }
        av_packet_unref(c->packet);
    }
    return status;
}

static sl_cmaf_stream stream_of(const sl_track *track)
{
    return track != NULL ? (sl_cmaf_stream){sl_track_parameters(track), sl_track_time_base(track)}
                         : (sl_cmaf_stream){NULL, {1, 1}};
}

sl_status sl_ladder_copy(const sl_ladder_job *job, sl_cmaf_index *out, sl_error **err)
{
    sl_clip c = {0};
    sl_cmaf *to = NULL;
    sound_side sound = {.packet = av_packet_alloc()};
    sl_status status = sound.packet == NULL ? sl_fail_nomem(err)
                                            : sl_clip_open(&c, SL_SOURCE_FILE(job->path), err);
    if (status == SL_OK) {
        status = sl_clip_decode(&c, AVMEDIA_TYPE_VIDEO, err);
    }
    if (status == SL_OK) {
        status = sl_track_open(SL_SOURCE_FILE(job->path), job->ladder->probe.duration_us,
                               &sound.track, err);
    }
    if (status == SL_OK) {
        status = sl_cmaf_open(job->to[0], (sl_cmaf_stream){c.stream->codecpar, c.stream->time_base},
                              sl_clip_rotation(c.stream), stream_of(sound.track), &to, err);
    }
    if (status == SL_OK) {
        status = copy_packets(job, &c, &sound, to, err);
    }
    if (status == SL_OK) {
        status = sl_cmaf_finish(to, out, err);
    }
    sl_cmaf_close(to);
    sl_track_close(sound.track);
    av_packet_free(&sound.packet);
    sl_clip_close(&c);
    return status;
}
