/* media/movie.c - see the header. */
#include "media/movie.h"

#include "base/mem.h"
#include "media/av.h"
#include "media/encoder.h"

#include <stdio.h>
#include <string.h>

enum {
    GOP_SECONDS = 2
};

struct sl_movie {
    sl_movie_config config;
    AVFormatContext *format;
    AVStream *video_stream;
    AVStream *sound_stream;
    AVCodecContext *video;
    AVCodecContext *sound;
    AVPacket *packet;
    AVFrame *picture; /* a reference to the caller's, with a time */
    AVFrame *sound_frame;
    int filled; /* frames in sound_frame */
    int64_t pictures;
    int64_t sounds;
    /* Of a spliced movie. */
    bool splices;
    sl_buf described; /* the track's avcC */
    sl_buf sets;      /* the first encoder's, which all have */
    sl_buf lengths;   /* a packet */
    AVPacket *made;   /* it */
    int64_t written;  /* packets of pictures */
    int64_t delay;    /* pictures by which decoding runs ahead */
    char encoder[32];
};

static sl_status open_encoder(sl_movie *m, int32_t set_id, sl_error **err)
{
    const sl_movie_config *config = &m->config;
    sl_encoder_config how = {
        .width = config->width,
        .height = config->height,
        .time_base = av_inv_q(config->rate),
        .rate = config->rate,
        .is_709 = config->is_709,
        .gop = (int32_t)av_rescale(GOP_SECONDS, config->rate.num, config->rate.den),
        .name = config->encoder,
        .set_id = set_id};
    return sl_encoder_open(&how, &m->video, err);
}

/* With sets that go together with the clip's, when the encoder can. */
static sl_status open_spliced(sl_movie *m, sl_error **err)
{
    const sl_splice *splice = m->config.splice;
    sl_error *unable = NULL;
    sl_status status = open_encoder(m, splice->set_id, &unable);
    sl_error_release(unable);
    if (status != SL_OK) {
        return status == SL_E_NOMEM ? sl_fail_nomem(err) : SL_OK;
    }
    const uint8_t *sets = m->video->extradata;
    size_t n = (size_t)m->video->extradata_size;
    sl_buf_put(&m->sets, sets, n);
    m->splices = sl_splice_describe(splice->parameters, sets, n, &m->described);
    m->delay = splice->delay > m->video->has_b_frames ? splice->delay : m->video->has_b_frames;
    if (!m->splices) {
        avcodec_free_context(&m->video);
    }
    return m->sets.failed || m->described.failed ? sl_fail_nomem(err) : SL_OK;
}

static sl_status open_video(sl_movie *m, sl_error **err)
{
    sl_status status = m->config.splice != NULL ? open_spliced(m, err) : SL_OK;
    if (status == SL_OK && !m->splices) {
        status = open_encoder(m, 0, err);
    }
    if (status == SL_OK) {
        (void)snprintf(m->encoder, sizeof m->encoder, "%s", m->video->codec->name);
    }
    return status;
}

static sl_status open_sound(sl_movie *m, sl_error **err)
{
    sl_status status = sl_encoder_open_sound(&m->sound, err);
    if (status != SL_OK) {
        return status;
    }
    m->sound_frame = av_frame_alloc();
    if (m->sound_frame == NULL) {
        return sl_fail_nomem(err);
    }
    m->sound_frame->format = AV_SAMPLE_FMT_FLTP;
    m->sound_frame->nb_samples = m->sound->frame_size;
    m->sound_frame->sample_rate = SL_MOVIE_SOUND_RATE;
    int code = av_channel_layout_copy(&m->sound_frame->ch_layout, &m->sound->ch_layout);
    if (code >= 0) {
        code = av_frame_get_buffer(m->sound_frame, 0);
    }
    return code < 0 ? sl_av_fail(err, code, "The sound encoder did not start") : SL_OK;
}

static int add_stream(sl_movie *m, const AVCodecContext *c, AVStream **out)
{
    *out = avformat_new_stream(m->format, NULL);
    if (*out == NULL) {
        return AVERROR(ENOMEM);
    }
    (*out)->time_base = c->time_base;
    return avcodec_parameters_from_context((*out)->codecpar, c);
}

/* An avcC in place of the encoder's own description. */
static int describe(AVCodecParameters *p, const sl_buf *avcc)
{
    uint8_t *copy = av_mallocz(avcc->len + AV_INPUT_BUFFER_PADDING_SIZE);
    if (copy == NULL) {
        return AVERROR(ENOMEM);
    }
    memcpy(copy, avcc->data, avcc->len);
    av_freep((void *)&p->extradata);
    p->extradata = copy;
    p->extradata_size = (int)avcc->len;
    p->profile = copy[1];
    p->level = copy[3];
    return 0;
}

static sl_status open_file(sl_movie *m, const sl_movie_config *config, sl_error **err)
{
    AVDictionary *options = NULL;
    char *url = sl_text_fmt("file:%s", config->path);
    int code = url == NULL ? AVERROR(ENOMEM)
                           : avformat_alloc_output_context2(&m->format, NULL, "mp4", url);
    if (code >= 0) {
        code = add_stream(m, m->video, &m->video_stream);
    }
    if (code >= 0 && m->splices) {
        code = describe(m->video_stream->codecpar, &m->described);
    }
    if (code >= 0) {
        m->video_stream->avg_frame_rate = config->rate;
        code = m->sound != NULL ? add_stream(m, m->sound, &m->sound_stream) : 0;
    }
    if (code >= 0) {
        code = avio_open(&m->format->pb, url, AVIO_FLAG_WRITE);
    }
    if (code >= 0) {
        (void)av_dict_set(&options, "movflags", "+faststart", 0);
        code = avformat_write_header(m->format, &options);
    }
    av_dict_free(&options);
    sl_mem_free(url);
    return code < 0 ? sl_av_fail(err, code, "The movie could not be written") : SL_OK;
}

sl_status sl_movie_open(const sl_movie_config *config, sl_movie **out, sl_error **err)
{
    *out = NULL;
    sl_av_be_quiet();
    sl_movie *m = sl_mem(sizeof *m);
    if (m == NULL) {
        return sl_fail_nomem(err);
    }
    m->config = *config;
    m->packet = av_packet_alloc();
    m->made = av_packet_alloc();
    m->picture = av_frame_alloc();
    bool ok = m->packet != NULL && m->made != NULL && m->picture != NULL;
    sl_status status = ok ? open_video(m, err) : sl_fail_nomem(err);
    if (status == SL_OK && config->sound) {
        status = open_sound(m, err);
    }
    if (status == SL_OK) {
        status = open_file(m, config, err);
    }
    if (status != SL_OK) {
        sl_movie_close(m);
        return status;
    }
    *out = m;
    return SL_OK;
}

const char *sl_movie_encoder(const sl_movie *m)
{
    return m->encoder;
}

/* In a spliced movie the packets of both kinds are counted, and decoded in that order. */
static int write_spliced(sl_movie *m, const uint8_t *p, size_t n, int64_t at, bool key)
{
    AVRational base = av_inv_q(m->config.rate);
    int code = av_new_packet(m->made, (int)n);
    if (code < 0) {
        return code;
    }
    memcpy(m->made->data, p, n);
    m->made->pts = at;
    m->made->dts = m->written++ - m->delay;
    m->made->duration = 1;
    m->made->flags = key ? AV_PKT_FLAG_KEY : 0;
    m->made->stream_index = m->video_stream->index;
    av_packet_rescale_ts(m->made, base, m->video_stream->time_base);
    return av_interleaved_write_frame(m->format, m->made);
}

static int write_packet(sl_movie *m, const AVCodecContext *c, AVStream *stream)
{
    AVPacket *p = m->packet;
    if (m->splices && stream == m->video_stream) {
        sl_buf_clear(&m->lengths);
        sl_splice_lengths(p->data, (size_t)p->size, &m->lengths);
        return m->lengths.failed ? AVERROR(ENOMEM)
                                 : write_spliced(m, m->lengths.data, m->lengths.len, p->pts,
                                                 (p->flags & AV_PKT_FLAG_KEY) != 0);
    }
    if (p->duration == 0 && stream == m->video_stream) {
        p->duration = 1;
    }
    av_packet_rescale_ts(p, c->time_base, stream->time_base);
    p->stream_index = stream->index;
    return av_interleaved_write_frame(m->format, p);
}

/* A frame (NULL: the end) through an encoder into the file. */
static sl_status encode(sl_movie *m, AVCodecContext *c, AVStream *stream, const AVFrame *frame,
                        sl_error **err)
{
    int code = avcodec_send_frame(c, frame);
    while (code >= 0) {
        code = avcodec_receive_packet(c, m->packet);
        if (code < 0) {
            break;
        }
        code = write_packet(m, c, stream);
        av_packet_unref(m->packet);
    }
    if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) {
        return SL_OK;
    }
    return sl_av_fail(err, code, "The movie could not be written");
}

bool sl_movie_splices(const sl_movie *m)
{
    return m->splices;
}

/* Ends what was encoded before packets are copied. */
static sl_status end_encoder(sl_movie *m, sl_error **err)
{
    sl_status status = m->video != NULL ? encode(m, m->video, m->video_stream, NULL, err) : SL_OK;
    avcodec_free_context(&m->video);
    return status;
}

/* Another one after packets were copied: it has the sets that the track has. */
static sl_status begin_encoder(sl_movie *m, sl_error **err)
{
    sl_status status = open_encoder(m, m->config.splice->set_id, err);
    if (status == SL_OK && ((size_t)m->video->extradata_size != m->sets.len ||
                            memcmp(m->video->extradata, m->sets.data, m->sets.len) != 0)) {
        status = sl_fail(err, SL_E_INTERNAL, "The encoder did not begin again as before");
    }
    return status;
}

sl_status sl_movie_copy(sl_movie *m, const AVPacket *packet, int64_t at, sl_error **err)
{
    sl_status status = end_encoder(m, err);
    if (status != SL_OK) {
        return status;
    }
    int code = write_spliced(m, packet->data, (size_t)packet->size, at,
                             (packet->flags & AV_PKT_FLAG_KEY) != 0);
    m->pictures = at + 1 > m->pictures ? at + 1 : m->pictures;
    return code < 0 ? sl_av_fail(err, code, "The movie could not be written") : SL_OK;
}

sl_status sl_movie_picture(sl_movie *m, const AVFrame *yuv, sl_error **err)
{
    sl_status status = m->video == NULL ? begin_encoder(m, err) : SL_OK;
    if (status != SL_OK) {
        return status;
    }
    av_frame_unref(m->picture);
    int code = av_frame_ref(m->picture, yuv);
    if (code < 0) {
        return sl_av_fail(err, code, "The movie could not be written");
    }
    m->picture->pts = m->pictures++;
    m->picture->pict_type = AV_PICTURE_TYPE_NONE;
    return encode(m, m->video, m->video_stream, m->picture, err);
}

static sl_status send_sound(sl_movie *m, sl_error **err)
{
    m->sound_frame->nb_samples = m->filled;
    m->sound_frame->pts = m->sounds;
    m->sounds += m->filled;
    m->filled = 0;
    sl_status status = encode(m, m->sound, m->sound_stream, m->sound_frame, err);
    m->sound_frame->nb_samples = m->sound->frame_size;
    if (status == SL_OK && av_frame_make_writable(m->sound_frame) < 0) {
        return sl_fail_nomem(err);
    }
    return status;
}

sl_status sl_movie_sound(sl_movie *m, const float *stereo, size_t n, sl_error **err)
{
    sl_status status = SL_OK;
    for (size_t i = 0; i < n && status == SL_OK; i++) {
        float *left = (float *)(void *)m->sound_frame->data[0];
        float *right = (float *)(void *)m->sound_frame->data[1];
        left[m->filled] = stereo[2 * i];
        right[m->filled] = stereo[2 * i + 1];
        m->filled++;
        if (m->filled == m->sound->frame_size) {
            status = send_sound(m, err);
        }
    }
    return status;
}

sl_status sl_movie_finish(sl_movie *m, sl_error **err)
{
    sl_status status = end_encoder(m, err);
    if (status == SL_OK && m->sound != NULL && m->filled > 0) {
        status = send_sound(m, err);
    }
    if (status == SL_OK && m->sound != NULL) {
        status = encode(m, m->sound, m->sound_stream, NULL, err);
    }
    if (status != SL_OK) {
        return status;
    }
    int code = av_write_trailer(m->format);
    if (code >= 0) {
        code = avio_closep(&m->format->pb);
    }
    return code < 0 ? sl_av_fail(err, code, "The movie could not be written") : SL_OK;
}

void sl_movie_close(sl_movie *m)
{
    if (m == NULL) {
        return;
    }
    if (m->format != NULL && m->format->pb != NULL) {
        (void)avio_closep(&m->format->pb);
    }
    avformat_free_context(m->format);
    avcodec_free_context(&m->video);
    avcodec_free_context(&m->sound);
    av_frame_free(&m->picture);
    av_frame_free(&m->sound_frame);
    av_packet_free(&m->packet);
    av_packet_free(&m->made);
    sl_buf_free(&m->described);
    sl_buf_free(&m->sets);
    sl_buf_free(&m->lengths);
    sl_mem_free(m);
}
