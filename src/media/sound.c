/* media/sound.c - decoded sound waits in a queue that begins at a known frame. */
#include "media/sound.h"

#include "base/mem.h"
#include "media/av.h"

#include <libavutil/channel_layout.h>
#include <libswresample/swresample.h>
#include <string.h>

enum {
    FAR_FRAMES = SL_SOUND_RATE, /* further ahead than this is reached by seeking */
    EARLY_US = 200000,          /* decoders need a run-up after a seek */
    QUEUE_MAX = 60 * SL_SOUND_RATE
};

struct sl_sound {
    sl_clip clip;
    AVFrame *frame;
    SwrContext *swr;
    int rate; /* of the frames swr was made for */
    int format;
    AVChannelLayout layout;
    int64_t shift_us; /* from the beginning of this stream to the first picture */
    float *queue;     /* interleaved stereo */
    size_t cap;       /* frames */
    size_t held;
    int64_t at; /* the place of the first one */
    bool placed;
    bool end;
};

/* How much later the sound begins than the picture. */
static int64_t shift_of(const sl_clip *c)
{
    int video = av_find_best_stream(c->format, AVMEDIA_TYPE_VIDEO, -1, -1, NULL, 0);
    if (video < 0) {
        return 0;
    }
    const AVStream *v = c->format->streams[video];
    if (v->start_time == AV_NOPTS_VALUE || c->stream->start_time == AV_NOPTS_VALUE) {
        return 0;
    }
    return av_rescale_q(c->stream->start_time, c->stream->time_base, AV_TIME_BASE_Q) -
           av_rescale_q(v->start_time, v->time_base, AV_TIME_BASE_Q);
}

sl_status sl_sound_open(const sl_source *source, sl_sound **out, sl_error **err)
{
    *out = NULL;
    sl_sound *s = sl_mem(sizeof *s);
    if (s == NULL) {
        return sl_fail_nomem(err);
    }
    s->frame = av_frame_alloc();
    sl_status status = s->frame == NULL ? sl_fail_nomem(err) : sl_clip_open(&s->clip, source, err);
    if (status == SL_OK) {
        status = sl_clip_decode(&s->clip, AVMEDIA_TYPE_AUDIO, err);
    }
    if (status != SL_OK) {
        sl_sound_close(s);
        return status;
    }
    s->shift_us = shift_of(&s->clip);
    *out = s;
    return SL_OK;
}

void sl_sound_close(sl_sound *s)
{
    if (s == NULL) {
        return;
    }
    swr_free(&s->swr);
    av_channel_layout_uninit(&s->layout);
    av_frame_free(&s->frame);
    sl_clip_close(&s->clip);
    sl_mem_free(s->queue);
    sl_mem_free(s);
}

/* A converter for frames like this one. */
static int set_up(sl_sound *s, const AVFrame *f)
{
    if (s->swr != NULL && s->rate == f->sample_rate && s->format == f->format &&
        av_channel_layout_compare(&s->layout, &f->ch_layout) == 0) {
        return 0;
    }
    AVChannelLayout stereo = AV_CHANNEL_LAYOUT_STEREO;
    AVChannelLayout in = {0};
    swr_free(&s->swr);
    av_channel_layout_uninit(&s->layout);
    int code = av_channel_layout_copy(&s->layout, &f->ch_layout);
    if (code >= 0 && f->ch_layout.order == AV_CHANNEL_ORDER_UNSPEC) {
        av_channel_layout_default(&in, f->ch_layout.nb_channels);
    } else if (code >= 0) {
        code = av_channel_layout_copy(&in, &f->ch_layout);
    }
    if (code >= 0) {
        code = swr_alloc_set_opts2(&s->swr, &stereo, AV_SAMPLE_FMT_FLT, SL_SOUND_RATE, &in,
                                   (enum AVSampleFormat)f->format, f->sample_rate, 0, NULL);
    }
    if (code >= 0) {
        code = swr_init(s->swr);
    }
    av_channel_layout_uninit(&in);
    s->rate = f->sample_rate;
    s->format = f->format;
    return code;
}

static sl_status grow(sl_sound *s, size_t more, sl_error **err)
{
    size_t want = s->held + more;
    if (want <= s->cap) {
        return SL_OK;
    }
    if (want > QUEUE_MAX) {
        return sl_fail(err, SL_E_LIMIT, "The clip's sound cannot be read in order");
    }
    float *queue = sl_mem_resize(s->queue, want * 2, 2 * sizeof *queue);
    if (queue == NULL) {
        return sl_fail_nomem(err);
    }
    s->queue = queue;
    s->cap = want * 2;
    return SL_OK;
}

/* One decoded frame into the queue. */
static sl_status more(sl_sound *s, sl_error **err)
{
    sl_status status = sl_clip_next(&s->clip, s->frame, &s->end, err);
    if (status != SL_OK || s->end) {
        return status;
    }
    int code = set_up(s, s->frame);
    int room = code < 0 ? code : swr_get_out_samples(s->swr, s->frame->nb_samples);
    if (room < 0) {
        return sl_av_fail(err, room, "The clip's sound could not be converted");
    }
    status = grow(s, (size_t)room, err);
    if (status != SL_OK) {
        return status;
    }
    if (!s->placed) {
        int64_t us = sl_clip_us(&s->clip, s->frame->best_effort_timestamp);
        us = us == AV_NOPTS_VALUE ? 0 : us + s->shift_us;
        s->at = av_rescale(us, SL_SOUND_RATE, 1000000);
        s->placed = true;
    }
    uint8_t *to[1] = {(uint8_t *)(s->queue + s->held * 2)};
    int n = swr_convert(s->swr, to, room, (const uint8_t **)(void *)s->frame->extended_data,
                        s->frame->nb_samples);
    if (n < 0) {
        return sl_av_fail(err, n, "The clip's sound could not be converted");
    }
    s->held += (size_t)n;
    av_frame_unref(s->frame);
    return SL_OK;
}

static void go_to(sl_sound *s, int64_t at)
{
    bool here = s->placed && at >= s->at && at <= s->at + (int64_t)s->held + FAR_FRAMES;
    if (here || (!s->placed && !s->end && at < FAR_FRAMES)) {
        return;
    }
    if (s->placed && s->held == 0 && s->end && at >= s->at) {
        return; /* past the end */
    }
    int64_t us = av_rescale(at, 1000000, SL_SOUND_RATE) - s->shift_us - EARLY_US;
    if (sl_clip_seek(&s->clip, us < 0 ? 0 : us)) {
        swr_free(&s->swr);
        s->held = 0;
        s->placed = false;
        s->end = false;
    }
}

static void drop_until(sl_sound *s, int64_t at)
{
    if (!s->placed || at <= s->at) {
        return;
    }
    uint64_t ahead = (uint64_t)(at - s->at);
    size_t n = ahead < s->held ? (size_t)ahead : s->held;
    memmove(s->queue, s->queue + n * 2, (s->held - n) * 2 * sizeof *s->queue);
    s->held -= n;
    s->at += (int64_t)n;
}

sl_status sl_sound_read(sl_sound *s, int64_t at, float *dst, size_t n, sl_error **err)
{
    memset(dst, 0, n * 2 * sizeof *dst);
    go_to(s, at);
    int64_t until = at + (int64_t)n;
    while (!s->end && (!s->placed || s->at + (int64_t)s->held < until)) {
        drop_until(s, at);
        sl_status status = more(s, err);
        if (status != SL_OK) {
            return status;
        }
    }
    drop_until(s, at);
    if (s->placed && s->at < until && s->at >= at) {
        size_t skip = (size_t)(s->at - at);
        size_t some = n - skip < s->held ? n - skip : s->held;
        memcpy(dst + skip * 2, s->queue, some * 2 * sizeof *dst);
    }
    return SL_OK;
}
