/* media/splice.c - see the header. */
#include "media/splice.h"

#include "base/mem.h"
#include "media/av.h"
#include "media/tone.h"

#include <libavutil/mathematics.h>
#include <stdlib.h>
#include <string.h>

enum {
    PACKETS_MAX = 2 * 1000 * 1000,
    LENGTH_SIZE = 4
};

void sl_splice_free(sl_splice *s)
{
    avcodec_parameters_free(&s->parameters);
    sl_mem_free(s->packets);
    sl_mem_free(s->groups);
    *s = (sl_splice){0};
}

/* What the stream as a whole must be. */
static bool stream_fits(const sl_clip *c, int32_t width, int32_t height, AVRational rate)
{
    const AVCodecParameters *p = c->stream->codecpar;
    AVRational shape = c->stream->sample_aspect_ratio;
    bool square = shape.num == 0 || shape.num == shape.den;
    bool avcc = p->extradata_size >= 7 && p->extradata[0] == 1 && (p->extradata[4] & 3) == 3;
    bool plain = p->profile == FF_PROFILE_H264_CONSTRAINED_BASELINE ||
                 p->profile == FF_PROFILE_H264_MAIN || p->profile == FF_PROFILE_H264_HIGH;
    bool ordinary =
        sl_tone_light(p->color_trc, p->color_primaries, p->color_space) == SL_LIGHT_PLAIN;
    return p->codec_id == AV_CODEC_ID_H264 && ordinary && p->format == AV_PIX_FMT_YUV420P &&
           plain && square && avcc && p->color_range != AVCOL_RANGE_JPEG && p->width == width &&
           p->height == height && sl_clip_rotation(c->stream) == 0 &&
           av_cmp_q(sl_clip_rate(c->format, c->stream), rate) == 0;
}

/* The number of the picture with this time; -1: it lies beside the grid. */
static int32_t number_of(const sl_splice *s, AVRational step, int64_t pts)
{
    int64_t n = av_rescale_q(pts - s->start, s->time_base, step);
    int64_t back = s->start + av_rescale_q(n, step, s->time_base);
    int64_t tick = av_rescale_q(1, (AVRational){1, 1000}, s->time_base) + 1;
    return n >= 0 && n < PACKETS_MAX && llabs(back - pts) <= tick ? (int32_t)n : -1;
}

static bool add_packet(sl_splice *s, size_t *room, const AVPacket *p)
{
    if ((size_t)s->packets_n == *room) {
        size_t wanted = *room == 0 ? 1024 : *room * 2;
        sl_splice_packet *grown = sl_mem_resize(s->packets, wanted, sizeof *grown);
        if (grown == NULL) {
            return false;
        }
        s->packets = grown;
        *room = wanted;
    }
    bool key = (p->flags & AV_PKT_FLAG_KEY) != 0 &&
               sl_splice_is_idr(p->data, (size_t)p->size, LENGTH_SIZE);
    s->packets[s->packets_n++] = (sl_splice_packet){.pts = p->pts, .shown = -1, .key = key};
    return true;
}

static sl_status read_packets(sl_clip *c, sl_splice *s, bool *fits, sl_error **err)
{
    size_t room = 0;
    while (*fits) {
        int code = av_read_frame(c->format, c->packet);
        if (code < 0) {
            return code == AVERROR(ENOMEM) ? sl_fail_nomem(err) : SL_OK;
        }
        if (c->packet->stream_index == c->stream->index) {
            *fits = c->packet->pts != AV_NOPTS_VALUE && s->packets_n < PACKETS_MAX &&
                    (c->packet->flags & (AV_PKT_FLAG_DISCARD | AV_PKT_FLAG_CORRUPT)) == 0;
            if (*fits && !add_packet(s, &room, c->packet)) {
                av_packet_unref(c->packet);
                return sl_fail_nomem(err);
            }
        }
        av_packet_unref(c->packet);
    }
    return SL_OK;
}

/* Numbers all pictures; false unless they fill the grid without hole or double. */
static bool number_all(sl_splice *s, AVRational step, bool *seen)
{
    for (int32_t i = 0; i < s->packets_n; i++) {
        int32_t n = number_of(s, step, s->packets[i].pts);
        if (n < 0 || n >= s->packets_n || seen[n]) {
            return false;
        }
        seen[n] = true;
        s->packets[i].shown = n;
    }
    return true;
}

/* Groups of pictures that are a whole in both orders. */
static void find_groups(sl_splice *s)
{
    for (int32_t i = 0; i < s->packets_n;) {
        int32_t end = i + 1;
        while (end < s->packets_n && !s->packets[end].key) {
            end++;
        }
        bool whole = s->packets[i].key && s->packets[i].shown == i;
        for (int32_t j = i; whole && j < end; j++) {
            int32_t ahead = j - s->packets[j].shown;
            whole = s->packets[j].shown >= i && s->packets[j].shown < end;
            s->delay = whole && ahead > s->delay ? ahead : s->delay;
        }
        if (whole) {
            s->groups[s->groups_n++] = (sl_splice_group){i, end - i};
        }
        i = end;
    }
}

static sl_status number(sl_splice *s, AVRational rate, bool *fits, sl_error **err)
{
    size_t n = (size_t)s->packets_n;
    bool *seen = sl_mem_array(n + 1, sizeof *seen);
    s->groups = sl_mem_array(n + 1, sizeof *s->groups);
    if (seen == NULL || s->groups == NULL) {
        sl_mem_free(seen);
        return sl_fail_nomem(err);
    }
    s->start = INT64_MAX;
    for (size_t i = 0; i < n; i++) {
        s->start = s->packets[i].pts < s->start ? s->packets[i].pts : s->start;
    }
    *fits = n > 0 && number_all(s, av_inv_q(rate), seen);
    sl_mem_free(seen);
    if (*fits) {
        find_groups(s);
        *fits = s->groups_n > 0;
    }
    return SL_OK;
}

sl_status sl_splice_learn(const sl_source *source, int32_t width, int32_t height, AVRational rate,
                          sl_splice *out, bool *fits, sl_error **err)
{
    sl_clip c = {0};
    *out = (sl_splice){0};
    *fits = false;
    sl_status status = sl_clip_open(&c, source, err);
    if (status == SL_OK) {
        status = sl_clip_decode(&c, AVMEDIA_TYPE_VIDEO, err);
    }
    if (status == SL_OK && stream_fits(&c, width, height, rate)) {
        const AVCodecParameters *p = c.stream->codecpar;
        out->time_base = c.stream->time_base;
        out->set_id = sl_splice_free_number(p->extradata, (size_t)p->extradata_size);
        out->parameters = avcodec_parameters_alloc();
        *fits = out->set_id > 0;
        status = out->parameters == NULL || avcodec_parameters_copy(out->parameters, p) < 0
                     ? sl_fail_nomem(err)
                     : read_packets(&c, out, fits, err);
        if (status == SL_OK && *fits) {
            status = number(out, rate, fits, err);
        }
    }
    sl_clip_close(&c);
    if (status != SL_OK || !*fits) {
        *fits = false;
        sl_splice_free(out);
    }
    return status;
}

const sl_splice_group *sl_splice_group_at(const sl_splice *s, int32_t shown)
{
    int32_t lo = 0;
    int32_t hi = s->groups_n;
    while (lo < hi) {
        int32_t mid = lo + (hi - lo) / 2;
        if (s->groups[mid].first < shown) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo < s->groups_n && s->groups[lo].first == shown ? &s->groups[lo] : NULL;
}
