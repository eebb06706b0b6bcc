/* media/av.c - see the header. */
#include "media/av.h"

#include "base/mem.h"

#include <errno.h>
#include <libavutil/display.h>
#include <math.h>
#include <stdatomic.h>
#include <string.h>

enum {
    SOURCE_STEP = 32 * 1024,
    HEAD = 16,
    BOXES_MAX = 1000,
    BAD_PACKETS_MAX = 1000
};

static const char formats[] = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,ogg";

static const enum AVCodecID codecs[] = {
    AV_CODEC_ID_H264,       AV_CODEC_ID_HEVC,      AV_CODEC_ID_MPEG4,     AV_CODEC_ID_MJPEG,
    AV_CODEC_ID_VP8,        AV_CODEC_ID_VP9,       AV_CODEC_ID_AV1,       AV_CODEC_ID_THEORA,
    AV_CODEC_ID_H263,       AV_CODEC_ID_MSMPEG4V2, AV_CODEC_ID_MSMPEG4V3, AV_CODEC_ID_MPEG1VIDEO,
    AV_CODEC_ID_MPEG2VIDEO, AV_CODEC_ID_PRORES,    AV_CODEC_ID_DVVIDEO,   AV_CODEC_ID_RAWVIDEO,
    AV_CODEC_ID_AAC,        AV_CODEC_ID_MP3,       AV_CODEC_ID_MP2,       AV_CODEC_ID_OPUS,
    AV_CODEC_ID_VORBIS,     AV_CODEC_ID_FLAC,      AV_CODEC_ID_ALAC,      AV_CODEC_ID_AC3,
    AV_CODEC_ID_PCM_S16LE,  AV_CODEC_ID_PCM_S16BE, AV_CODEC_ID_PCM_S24LE, AV_CODEC_ID_PCM_U8,
    AV_CODEC_ID_PCM_F32LE,  AV_CODEC_ID_AMR_NB,    AV_CODEC_ID_AMR_WB,    AV_CODEC_ID_ADPCM_MS};

void sl_av_be_quiet(void)
{
    static atomic_flag done = ATOMIC_FLAG_INIT;
    if (!atomic_flag_test_and_set(&done)) {
        av_log_set_level(AV_LOG_QUIET);
    }
}

sl_status sl_av_fail(sl_error **err, int code, const char *what)
{
    char why[AV_ERROR_MAX_STRING_SIZE] = "";
    sl_status status = SL_E_INVALID;
    if (code == AVERROR(ENOMEM)) {
        return sl_fail_nomem(err);
    }
    if (code == AVERROR(ENOENT) || code == AVERROR(ENOTDIR)) {
        status = SL_E_NOT_FOUND;
    } else if (code == AVERROR(ENOSPC)) {
        status = SL_E_FULL;
    } else if (code == AVERROR(EIO) || code == AVERROR(EACCES) || code == AVERROR(EPERM) ||
               code == AVERROR(EISDIR) || code == AVERROR(EROFS)) {
        status = SL_E_IO;
    }
    (void)av_strerror(code, why, sizeof why);
    return sl_fail(err, status, "%s: %s", what, why);
}

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static bool is_box(const uint8_t *p)
{
    static const char names[][5] = {"ftyp", "moov", "mdat", "free", "skip", "wide", "pnot"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (memcmp(p + 4, names[i], 4) == 0) {
            return true;
        }
    }
    return false;
}

/* Walks the top boxes of an MP4: true when one reaches past the end of the file or the one that
 * describes the video is missing. */
static bool boxes_cut(AVIOContext *io)
{
    int64_t size = avio_size(io);
    int64_t at = 0;
    bool described = false;
    for (int i = 0; i < BOXES_MAX && at + 8 <= size; i++) {
        uint8_t head[HEAD];
        if (avio_seek(io, at, SEEK_SET) < 0 || avio_read(io, head, HEAD) < 8) {
            return true;
        }
        uint64_t len = be32(head);
        if (len == 1) {
            len = (uint64_t)be32(head + 8) << 32 | be32(head + 12);
        } else if (len == 0) {
            len = (uint64_t)(size - at);
        }
        described = described || memcmp(head + 4, "moov", 4) == 0;
        if (len < 8 || len > (uint64_t)(size - at)) {
            /* Trailing bytes that are no box are none of our business. */
            return !described || is_box(head);
        }
        at += (int64_t)len;
    }
    return !described;
}

static sl_status look_into(AVIOContext *io, sl_error **err)
{
    uint8_t head[HEAD] = {0};
    int n = avio_read(io, head, HEAD);
    if (n < 0 && n != AVERROR_EOF) {
        return sl_av_fail(err, n, "The file could not be read");
    }
    if (n >= 8 && is_box(head)) {
        return boxes_cut(io) ? sl_fail(err, SL_E_INVALID, "The video is cut off or damaged")
                             : SL_OK;
    }
    if (memcmp(head, "\x1a\x45\xdf\xa3", 4) != 0 && memcmp(head, "RIFF", 4) != 0 &&
        memcmp(head, "OggS", 4) != 0) {
        return sl_fail(err, SL_E_INVALID, "The file is not a video that can be read here");
    }
    return SL_OK;
}

/* What a file is by its first bytes, and whether it is all there. */
static sl_status look(const char *path, sl_error **err)
{
    AVIOContext *io = NULL;
    AVDictionary *options = NULL;
    (void)av_dict_set(&options, "protocol_whitelist", "file", 0);
    int code = avio_open2(&io, path, AVIO_FLAG_READ, NULL, &options);
    av_dict_free(&options);
    if (code < 0) {
        return sl_av_fail(err, code, "The file could not be opened");
    }
    sl_status status = look_into(io, err);
    (void)avio_closep(&io);
    return status;
}

static int source_read(void *opaque, uint8_t *dst, int n)
{
    sl_clip *c = opaque;
    int64_t got = c->source.read(c->source.user, dst, (size_t)n, c->at);
    if (got <= 0) {
        return got == 0 ? AVERROR_EOF : AVERROR(EIO);
    }
    c->at += got;
    return (int)got;
}

static int64_t source_seek(void *opaque, int64_t to, int whence)
{
    sl_clip *c = opaque;
    int how = whence & ~AVSEEK_FORCE;
    if (how == AVSEEK_SIZE) {
        return c->source.size;
    }
    to += how == SEEK_CUR ? c->at : how == SEEK_END ? c->source.size : 0;
    if (to < 0) {
        return AVERROR(EINVAL);
    }
    c->at = to;
    return to;
}

/* The same for a source, which the format then reads too. */
static sl_status look_at_source(sl_clip *c, sl_error **err)
{
    uint8_t *room = av_malloc(SOURCE_STEP);
    c->io = room != NULL
                ? avio_alloc_context(room, SOURCE_STEP, 0, c, source_read, NULL, source_seek)
                : NULL;
    if (c->io == NULL) {
        av_free(room);
        return sl_fail_nomem(err);
    }
    sl_status status = look_into(c->io, err);
    if (status == SL_OK && avio_seek(c->io, 0, SEEK_SET) < 0) {
        status = sl_fail(err, SL_E_IO, "The video could not be read");
    }
    return status;
}

/* A path is a path, whatever it looks like: "a:b.mp4" names no protocol. */
static char *file_url(const char *path)
{
    return sl_text_fmt("file:%s", path);
}

/* Whether the header tells all that decoding needs, as an MP4's does. */
static bool is_described(const AVFormatContext *format)
{
    bool any = false;
    if (strncmp(format->iformat->name, "mov", 3) != 0) {
        return false; /* others do not say where their pictures begin */
    }
    for (unsigned i = 0; i < format->nb_streams; i++) {
        const AVCodecParameters *p = format->streams[i]->codecpar;
        bool known = p->codec_id == AV_CODEC_ID_H264 || p->codec_id == AV_CODEC_ID_HEVC;
        if (p->codec_type != AVMEDIA_TYPE_VIDEO) {
            continue;
        }
        if (!known || p->extradata_size <= 0 || p->width <= 0 || p->height <= 0) {
            return false;
        }
        any = true;
    }
    return any;
}

static sl_status open_format(sl_clip *c, const char *url, sl_error **err)
{
    c->format = avformat_alloc_context();
    if (c->format == NULL) {
        return sl_fail_nomem(err);
    }
    c->format->protocol_whitelist = av_strdup("file");
    c->format->format_whitelist = av_strdup(formats);
    if (c->format->protocol_whitelist == NULL || c->format->format_whitelist == NULL) {
        return sl_fail_nomem(err);
    }
    if (c->io != NULL) {
        c->format->pb = c->io;
        c->format->flags |= AVFMT_FLAG_CUSTOM_IO;
    }
    c->format->max_analyze_duration = 5 * (int64_t)AV_TIME_BASE;
    int code = avformat_open_input(&c->format, url, NULL, NULL);
    if (code == AVERROR_INVALIDDATA || code == AVERROR_EOF) {
        return sl_fail(err, SL_E_INVALID, "The video is cut off or damaged");
    }
    if (code < 0) {
        return sl_av_fail(err, code, "The file is not a video that can be read here");
    }
    if (c->quick && is_described(c->format)) {
        return SL_OK;
    }
    code = avformat_find_stream_info(c->format, NULL);
    return code < 0 ? sl_av_fail(err, code, "The video could not be read") : SL_OK;
}

sl_status sl_clip_open(sl_clip *c, const sl_source *source, sl_error **err)
{
    sl_av_be_quiet();
    c->source = *source;
    c->hurry_until = INT64_MIN;
    char *url = source->path != NULL ? file_url(source->path) : sl_text_dup("clip");
    c->packet = av_packet_alloc();
    sl_status status = url == NULL || c->packet == NULL ? sl_fail_nomem(err)
                       : source->path != NULL           ? look(url, err)
                                                        : look_at_source(c, err);
    if (status == SL_OK) {
        status = open_format(c, url, err);
    }
    sl_mem_free(url);
    return status;
}

static bool codec_allowed(enum AVCodecID id)
{
    for (size_t i = 0; i < sizeof codecs / sizeof codecs[0]; i++) {
        if (codecs[i] == id) {
            return true;
        }
    }
    return false;
}

static sl_status check_limits(const sl_clip *c, const AVStream *s, sl_error **err)
{
    const AVCodecParameters *p = s->codecpar;
    int64_t limit = (int64_t)SL_CLIP_HOURS_MAX * 3600 * AV_TIME_BASE;
    if (p->codec_type == AVMEDIA_TYPE_VIDEO &&
        (p->width <= 0 || p->height <= 0 || p->width > SL_CLIP_SIDE_MAX ||
         p->height > SL_CLIP_SIDE_MAX)) {
        return sl_fail(err, SL_E_INVALID, "The picture is larger than %d by %d or has no size",
                       SL_CLIP_SIDE_MAX, SL_CLIP_SIDE_MAX);
    }
    if (c->format->duration != AV_NOPTS_VALUE && c->format->duration > limit) {
        return sl_fail(err, SL_E_INVALID, "The video is longer than %d hours", SL_CLIP_HOURS_MAX);
    }
    return SL_OK;
}

sl_status sl_clip_decode(sl_clip *c, enum AVMediaType kind, sl_error **err)
{
    const AVCodec *codec = NULL;
    int index = av_find_best_stream(c->format, kind, -1, -1, &codec, 0);
    if (index < 0 || codec == NULL) {
        return sl_fail(err, SL_E_NOT_FOUND, "The file has no such stream");
    }
    c->stream = c->format->streams[index];
    for (unsigned i = 0; i < c->format->nb_streams; i++) {
        c->format->streams[i]->discard = (int)i == index ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
    }
    sl_status status = check_limits(c, c->stream, err);
    if (status != SL_OK) {
        return status;
    }
    if (!codec_allowed(c->stream->codecpar->codec_id)) {
        return sl_fail(err, SL_E_INVALID, "The format %s is not one that can be read here",
                       avcodec_get_name(c->stream->codecpar->codec_id));
    }
    c->decoder = avcodec_alloc_context3(codec);
    if (c->decoder == NULL) {
        return sl_fail_nomem(err);
    }
    int code = avcodec_parameters_to_context(c->decoder, c->stream->codecpar);
    if (code >= 0) {
        c->decoder->pkt_timebase = c->stream->time_base;
        c->decoder->thread_count = kind == AVMEDIA_TYPE_VIDEO && !c->quick ? 2 : 1;
        c->decoder->skip_loop_filter = c->quick ? AVDISCARD_ALL : AVDISCARD_DEFAULT;
        c->decoder->max_pixels = (int64_t)SL_CLIP_SIDE_MAX * SL_CLIP_SIDE_MAX;
        code = avcodec_open2(c->decoder, codec, NULL);
    }
    return code < 0 ? sl_av_fail(err, code, "The video could not be decoded") : SL_OK;
}

/* Gives the decoder one more packet, or the end of the file. */
static int feed(sl_clip *c)
{
    int code = av_read_frame(c->format, c->packet);
    if (code < 0) {
        /* What follows a damaged place cannot be read: that is the end. */
        c->drained = true;
        return avcodec_send_packet(c->decoder, NULL);
    }
    if (c->packet->stream_index == c->stream->index) {
        bool hurry = c->packet->pts != AV_NOPTS_VALUE && c->packet->pts < c->hurry_until;
        c->decoder->skip_frame = hurry ? AVDISCARD_NONREF : AVDISCARD_DEFAULT;
        code = avcodec_send_packet(c->decoder, c->packet);
    }
    av_packet_unref(c->packet);
    return code;
}

/* What the codec does not say of the colours, the container may. */
static void name_colours(const AVCodecParameters *said, AVFrame *f)
{
    if (f->color_trc == AVCOL_TRC_UNSPECIFIED) {
        f->color_trc = said->color_trc;
    }
    if (f->color_primaries == AVCOL_PRI_UNSPECIFIED) {
        f->color_primaries = said->color_primaries;
    }
    if (f->colorspace == AVCOL_SPC_UNSPECIFIED) {
        f->colorspace = said->color_space;
    }
    if (f->color_range == AVCOL_RANGE_UNSPECIFIED) {
        f->color_range = said->color_range;
    }
}

/* The next frame that is ready; one may be larger than the file said. */
static int receive(sl_clip *c, AVFrame *into)
{
    int code = avcodec_receive_frame(c->decoder, into);
    if (code >= 0) {
        name_colours(c->stream->codecpar, into);
    }
    if (code >= 0 && (into->width > SL_CLIP_SIDE_MAX || into->height > SL_CLIP_SIDE_MAX)) {
        av_frame_unref(into);
        code = AVERROR_INVALIDDATA;
    }
    return code;
}

sl_status sl_clip_next(sl_clip *c, AVFrame *into, bool *end, sl_error **err)
{
    int bad = 0;
    *end = false;
    for (;;) {
        int code = receive(c, into);
        if (code >= 0) {
            return SL_OK;
        }
        if (code == AVERROR_EOF || (code == AVERROR(EAGAIN) && c->drained)) {
            *end = true;
            return SL_OK;
        }
        if (code == AVERROR(EAGAIN)) {
            code = feed(c);
        }
        if (code == AVERROR(ENOMEM)) {
            return sl_fail_nomem(err);
        }
        if (code < 0 && code != AVERROR_EOF && ++bad > BAD_PACKETS_MAX) {
            return sl_av_fail(err, code, "The video is damaged");
        }
    }
}

sl_status sl_clip_next_key(sl_clip *c, AVFrame *into, bool *end, sl_error **err)
{
    *end = false;
    for (int i = 0; i < BAD_PACKETS_MAX; i++) {
        int code = av_read_frame(c->format, c->packet);
        if (code < 0) {
            break;
        }
        bool key = c->packet->stream_index == c->stream->index &&
                   (c->packet->flags & AV_PKT_FLAG_KEY) != 0;
        if (key) {
            code = avcodec_send_packet(c->decoder, c->packet);
        }
        av_packet_unref(c->packet);
        if (!key) {
            continue;
        }
        if (code >= 0 && avcodec_send_packet(c->decoder, NULL) >= 0) {
            code = receive(c, into);
        }
        avcodec_flush_buffers(c->decoder);
        if (code >= 0) {
            return SL_OK;
        }
        if (code == AVERROR(ENOMEM)) {
            return sl_fail_nomem(err);
        }
    }
    *end = true;
    return SL_OK;
}

static int64_t start_of(const sl_clip *c)
{
    return c->stream->start_time == AV_NOPTS_VALUE ? 0 : c->stream->start_time;
}

bool sl_clip_seek(sl_clip *c, int64_t t_us)
{
    int64_t ts = start_of(c) + av_rescale_q(t_us, AV_TIME_BASE_Q, c->stream->time_base);
    int code = av_seek_frame(c->format, c->stream->index, ts, AVSEEK_FLAG_BACKWARD);
    if (code < 0 && t_us <= 0) {
        code = avformat_seek_file(c->format, c->stream->index, INT64_MIN, ts, INT64_MAX, 0);
    }
    if (code < 0) {
        return false;
    }
    avcodec_flush_buffers(c->decoder);
    c->drained = false;
    c->hurry_until = INT64_MIN;
    return true;
}

int64_t sl_clip_us(const sl_clip *c, int64_t pts)
{
    if (pts == AV_NOPTS_VALUE) {
        return AV_NOPTS_VALUE;
    }
    return av_rescale_q(pts - start_of(c), c->stream->time_base, AV_TIME_BASE_Q);
}

void sl_clip_close(sl_clip *c)
{
    avcodec_free_context(&c->decoder);
    avformat_close_input(&c->format);
    if (c->io != NULL) {
        av_freep((void *)&c->io->buffer);
        avio_context_free(&c->io);
    }
    av_packet_free(&c->packet);
    c->stream = NULL;
}

/* As FFmpeg keeps it: 3 by 3, 16 bits behind the point. NULL: none. */
static const int32_t *display_matrix(const AVStream *stream)
{
    const int32_t *matrix = NULL;
#if LIBAVCODEC_VERSION_MAJOR >= 61
    const AVPacketSideData *side =
        av_packet_side_data_get(stream->codecpar->coded_side_data,
                                stream->codecpar->nb_coded_side_data, AV_PKT_DATA_DISPLAYMATRIX);
    if (side != NULL && side->size >= 9 * sizeof *matrix) {
        matrix = (const int32_t *)(const void *)side->data;
    }
#else
    size_t size = 0;
    const void *side = av_stream_get_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, &size);
    if (side != NULL && size >= 9 * sizeof *matrix) {
        matrix = side;
    }
#endif
    return matrix;
}

int32_t sl_clip_rotation(const AVStream *stream)
{
    const int32_t *said = display_matrix(stream);
    int32_t matrix[9];
    if (said == NULL) {
        return 0;
    }
    memcpy(matrix, said, sizeof matrix);
    bool mirrored = (double)matrix[0] * matrix[4] < (double)matrix[1] * matrix[3];
    if (mirrored) { /* what is left when left and right have changed places */
        for (int i = 0; i < 2; i++) {
            matrix[i] = matrix[i] == INT32_MIN ? INT32_MAX : -matrix[i];
        }
    }
    double degrees = av_display_rotation_get(matrix);
    if (isnan(degrees)) {
        return 0;
    }
    long quarters = lround(-degrees / 90.0) % 4;
    return (int32_t)((quarters + 4) % 4) * 90 + (mirrored ? SL_MIRRORED : 0);
}

void sl_clip_size(const AVStream *stream, int32_t *width, int32_t *height)
{
    const AVCodecParameters *p = stream->codecpar;
    AVRational shape = stream->sample_aspect_ratio;
    if (shape.num <= 0 || shape.den <= 0) {
        shape = p->sample_aspect_ratio;
    }
    int64_t w = p->width;
    if (shape.num > 0 && shape.den > 0 && shape.num / 4 <= shape.den &&
        shape.den / 4 <= shape.num) {
        w = av_rescale(w, shape.num, shape.den);
        w = w < 1 ? 1 : w > SL_CLIP_SIDE_MAX ? SL_CLIP_SIDE_MAX : w;
    }
    bool turned = sl_clip_rotation(stream) % 180 != 0;
    *width = turned ? p->height : (int32_t)w;
    *height = turned ? (int32_t)w : p->height;
}

AVRational sl_clip_rate(AVFormatContext *format, AVStream *stream)
{
    AVRational rate = stream->avg_frame_rate;
    if (rate.num <= 0 || rate.den <= 0) {
        rate = av_guess_frame_rate(format, stream, NULL);
    }
    if (rate.num <= 0 || rate.den <= 0 || av_q2d(rate) >= SL_CLIP_RATE_MAX || av_q2d(rate) < 0.01) {
        return (AVRational){30, 1};
    }
    (void)av_reduce(&rate.num, &rate.den, rate.num, rate.den, 1000000);
    return rate;
}
