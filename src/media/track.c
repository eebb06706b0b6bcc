/* media/track.c - see the header. */
#include "media/track.h"

#include "base/mem.h"
#include "media/av.h"
#include "media/encoder.h"
#include "media/sound.h"

enum {
    CHANNELS_MAX = 2,
    BAD_PACKETS_MAX = 1000
};

struct sl_track {
    sl_clip clip; /* of packets that are copied */
    int64_t shift;
    AVCodecParameters *parameters;
    AVRational time_base;
    /* Of sound that is encoded. */
    sl_sound *sound;
    AVCodecContext *encoder;
    AVFrame *frame;
    float *block; /* interleaved */
    int64_t at;
    int64_t total;
};

static bool may_copy(const AVCodecParameters *p)
{
    return p->codec_id == AV_CODEC_ID_AAC && p->ch_layout.nb_channels > 0 &&
           p->ch_layout.nb_channels <= CHANNELS_MAX && p->sample_rate > 0 &&
           p->sample_rate <= SL_SOUND_RATE && p->extradata_size > 0;
}

/* From the container's clock to one that begins with the first picture. */
static int64_t shift_of(const sl_clip *c)
{
    int video = av_find_best_stream(c->format, AVMEDIA_TYPE_VIDEO, -1, -1, NULL, 0);
    const AVStream *v = video >= 0 ? c->format->streams[video] : NULL;
    if (v == NULL || v->start_time == AV_NOPTS_VALUE) {
        return 0;
    }
    return av_rescale_q(v->start_time, v->time_base, c->stream->time_base);
}

static sl_status open_copy(sl_track *t, const sl_source *source, bool *has, sl_error **err)
{
    sl_status status = sl_clip_open(&t->clip, source, err);
    if (status != SL_OK) {
        return status;
    }
    int index = av_find_best_stream(t->clip.format, AVMEDIA_TYPE_AUDIO, -1, -1, NULL, 0);
    if (index < 0 || !may_copy(t->clip.format->streams[index]->codecpar)) {
        sl_clip_close(&t->clip);
        return SL_OK;
    }
    *has = true;
    t->clip.stream = t->clip.format->streams[index];
    for (unsigned i = 0; i < t->clip.format->nb_streams; i++) {
        t->clip.format->streams[i]->discard = (int)i == index ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
    }
    t->shift = shift_of(&t->clip);
    t->time_base = t->clip.stream->time_base;
    if (avcodec_parameters_copy(t->parameters, t->clip.stream->codecpar) < 0) {
        return sl_fail_nomem(err);
    }
    t->parameters->codec_tag = 0;
    return SL_OK;
}

static sl_status open_encoder(sl_track *t, sl_error **err)
{
    sl_status status = sl_encoder_open_sound(&t->encoder, err);
    if (status != SL_OK) {
        return status;
    }
    t->time_base = t->encoder->time_base;
    t->frame = av_frame_alloc();
    t->block = sl_mem_array((size_t)t->encoder->frame_size * 2, sizeof(float));
    if (t->frame == NULL || t->block == NULL) {
        return sl_fail_nomem(err);
    }
    t->frame->format = AV_SAMPLE_FMT_FLTP;
    t->frame->nb_samples = t->encoder->frame_size;
    t->frame->sample_rate = SL_SOUND_RATE;
    if (av_channel_layout_copy(&t->frame->ch_layout, &t->encoder->ch_layout) < 0 ||
        av_frame_get_buffer(t->frame, 0) < 0 ||
        avcodec_parameters_from_context(t->parameters, t->encoder) < 0) {
        return sl_fail_nomem(err);
    }
    return SL_OK;
}

sl_status sl_track_open(const sl_source *source, int64_t until_us, sl_track **out, sl_error **err)
{
    bool has = false;
    *out = NULL;
    sl_track *t = sl_mem(sizeof *t);
    if (t == NULL) {
        return sl_fail_nomem(err);
    }
    t->parameters = avcodec_parameters_alloc();
    sl_status status = t->parameters == NULL ? sl_fail_nomem(err) : open_copy(t, source, &has, err);
    if (status == SL_OK && !has) {
        sl_error *none = NULL;
        status = sl_sound_open(source, &t->sound, &none);
        sl_error_release(none);
        if (status == SL_OK) {
            has = true;
            t->total = av_rescale(until_us, SL_SOUND_RATE, AV_TIME_BASE);
            status = open_encoder(t, err);
        } else {
            status = status == SL_E_NOMEM ? sl_fail_nomem(err) : SL_OK;
        }
    }
    if (status != SL_OK || !has) {
        sl_track_close(t);
        return status;
    }
    *out = t;
    return SL_OK;
}

void sl_track_close(sl_track *t)
{
    if (t == NULL) {
        return;
    }
    sl_clip_close(&t->clip);
    avcodec_parameters_free(&t->parameters);
    sl_sound_close(t->sound);
    avcodec_free_context(&t->encoder);
    av_frame_free(&t->frame);
    sl_mem_free(t->block);
    sl_mem_free(t);
}

const AVCodecParameters *sl_track_parameters(const sl_track *t)
{
    return t->parameters;
}

AVRational sl_track_time_base(const sl_track *t)
{
    return t->time_base;
}

static sl_status next_copied(sl_track *t, AVPacket *out, bool *end, sl_error **err)
{
    for (int i = 0; i < BAD_PACKETS_MAX; i++) {
        int code = av_read_frame(t->clip.format, out);
        if (code == AVERROR(ENOMEM)) {
            return sl_fail_nomem(err);
        }
        if (code < 0) {
            break; /* what follows a damaged place cannot be read */
        }
        if (out->stream_index == t->clip.stream->index && out->pts != AV_NOPTS_VALUE) {
            out->pts -= t->shift;
            out->dts = out->pts;
            return SL_OK;
        }
        av_packet_unref(out);
    }
    *end = true;
    return SL_OK;
}

/* One more frame into the encoder, or the end. */
static sl_status feed(sl_track *t, sl_error **err)
{
    int64_t left = t->total - t->at;
    int n = t->encoder->frame_size;
    n = left < n ? (int)left : n;
    if (n <= 0) {
        int code = avcodec_send_frame(t->encoder, NULL);
        return code < 0 ? sl_av_fail(err, code, "The sound could not be encoded") : SL_OK;
    }
    sl_status status = sl_sound_read(t->sound, t->at, t->block, (size_t)n, err);
    if (status == SL_OK && av_frame_make_writable(t->frame) < 0) {
        status = sl_fail_nomem(err);
    }
    if (status != SL_OK) {
        return status;
    }
    float *left_side = (float *)(void *)t->frame->data[0];
    float *right_side = (float *)(void *)t->frame->data[1];
    for (int i = 0; i < n; i++) {
        left_side[i] = t->block[2 * i];
        right_side[i] = t->block[2 * i + 1];
    }
    t->frame->nb_samples = n;
    t->frame->pts = t->at;
    t->at += n;
    int code = avcodec_send_frame(t->encoder, t->frame);
    return code < 0 ? sl_av_fail(err, code, "The sound could not be encoded") : SL_OK;
}

static sl_status next_encoded(sl_track *t, AVPacket *out, bool *end, sl_error **err)
{
    for (;;) {
        int code = avcodec_receive_packet(t->encoder, out);
        if (code >= 0) {
            return SL_OK;
        }
        if (code == AVERROR_EOF) {
            *end = true;
            return SL_OK;
        }
        if (code != AVERROR(EAGAIN)) {
            return sl_av_fail(err, code, "The sound could not be encoded");
        }
        sl_status status = feed(t, err);
        if (status != SL_OK) {
            return status;
        }
    }
}

sl_status sl_track_next(sl_track *t, AVPacket *out, bool *end, sl_error **err)
{
    *end = false;
    return t->sound != NULL ? next_encoded(t, out, end, err) : next_copied(t, out, end, err);
}
