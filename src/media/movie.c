/* media/movie.c - see the header. */
#include "media/movie.h"

#include "base/mem.h"
#include "media/av.h"
#include "media/encoder.h"

enum {
    GOP_SECONDS = 2
};

struct sl_movie {
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
};

static sl_status open_video(sl_movie *m, const sl_movie_config *config, sl_error **err)
{
    sl_encoder_config how = {
        .width = config->width,
        .height = config->height,
        .time_base = av_inv_q(config->rate),
        .rate = config->rate,
        .is_709 = config->is_709,
        .gop = (int32_t)av_rescale(GOP_SECONDS, config->rate.num, config->rate.den),
        .name = config->encoder};
    return sl_encoder_open(&how, &m->video, err);
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

static sl_status open_file(sl_movie *m, const sl_movie_config *config, sl_error **err)
{
    AVDictionary *options = NULL;
    char *url = sl_text_fmt("file:%s", config->path);
    int code = url == NULL ? AVERROR(ENOMEM)
                           : avformat_alloc_output_context2(&m->format, NULL, "mp4", url);
    if (code >= 0) {
        code = add_stream(m, m->video, &m->video_stream);
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
    m->packet = av_packet_alloc();
    m->picture = av_frame_alloc();
    sl_status status =
        m->packet == NULL || m->picture == NULL ? sl_fail_nomem(err) : open_video(m, config, err);
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
    return m->video->codec->name;
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
        if (m->packet->duration == 0 && stream == m->video_stream) {
            m->packet->duration = 1;
        }
        av_packet_rescale_ts(m->packet, c->time_base, stream->time_base);
        m->packet->stream_index = stream->index;
        code = av_interleaved_write_frame(m->format, m->packet);
    }
    if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) {
        return SL_OK;
    }
    return sl_av_fail(err, code, "The movie could not be written");
}

sl_status sl_movie_picture(sl_movie *m, const AVFrame *yuv, sl_error **err)
{
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
    sl_status status = encode(m, m->video, m->video_stream, NULL, err);
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
    sl_mem_free(m);
}
