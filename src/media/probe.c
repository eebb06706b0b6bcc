/* media/probe.c - see the header. */
#include "media/probe.h"

#include "media/av.h"

#include <string.h>

#define LENGTH_MAX_US ((int64_t)SL_CLIP_HOURS_MAX * 3600 * AV_TIME_BASE)

static void copy_text(char *dst, size_t cap, const char *src)
{
    size_t n = strlen(src);
    n = n < cap ? n : cap - 1;
    memcpy(dst, src, n);
    dst[n] = '\0';
}

/* One word for the container, and its registered type. */
static void name_format(const AVFormatContext *format, sl_probe *out)
{
    static const struct {
        const char *demuxer, *name, *type;
    } known[] = {{"mov", "mp4", "video/mp4"},
                 {"matroska", "mkv", "video/x-matroska"},
                 {"avi", "avi", "video/x-msvideo"},
                 {"ogg", "ogg", "video/ogg"}};
    const char *name = format->iformat->name;
    const AVDictionaryEntry *brand = av_dict_get(format->metadata, "major_brand", NULL, 0);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strncmp(name, known[i].demuxer, strlen(known[i].demuxer)) == 0) {
            copy_text(out->format, sizeof out->format, known[i].name);
            copy_text(out->media_type, sizeof out->media_type, known[i].type);
        }
    }
    if (brand != NULL && strncmp(brand->value, "qt", 2) == 0) {
        copy_text(out->format, sizeof out->format, "mov");
        copy_text(out->media_type, sizeof out->media_type, "video/quicktime");
    }
}

/* Of a file that was written as it was filmed, as browsers do: where its last picture ends, and how
 * many there are. */
static int64_t measure(sl_clip *c, AVRational rate, int64_t *frames)
{
    int64_t until_us = 0;
    (void)sl_clip_seek(c, 0); /* a short one may have been read whole for its first picture */
    while (until_us <= LENGTH_MAX_US && av_read_frame(c->format, c->packet) >= 0) {
        const AVPacket *p = c->packet;
        if (p->stream_index == c->stream->index && p->pts != AV_NOPTS_VALUE) {
            int64_t length_us =
                p->duration > 0 ? av_rescale_q(p->duration, c->stream->time_base, AV_TIME_BASE_Q)
                                : av_rescale_q(1, av_inv_q(rate), AV_TIME_BASE_Q);
            int64_t end_us = sl_clip_us(c, p->pts) + length_us;
            until_us = end_us > until_us ? end_us : until_us;
            (*frames)++;
        }
        av_packet_unref(c->packet);
    }
    return until_us;
}

/* Length and frames. */
static void find_length(sl_clip *c, AVRational rate, sl_probe *out)
{
    const AVStream *s = c->stream;
    out->frames = s->nb_frames;
    if (s->duration != AV_NOPTS_VALUE && s->duration > 0) {
        out->duration_us = av_rescale_q(s->duration, s->time_base, AV_TIME_BASE_Q);
    } else if (c->format->duration != AV_NOPTS_VALUE) {
        out->duration_us = c->format->duration;
    } else {
        out->frames = 0;
        out->duration_us = measure(c, rate, &out->frames);
    }
    if (out->frames <= 0) {
        out->frames = av_rescale_q(out->duration_us, AV_TIME_BASE_Q, av_inv_q(rate));
    }
}

static sl_status first_frame(sl_clip *c, sl_error **err)
{
    bool end = false;
    AVFrame *frame = av_frame_alloc();
    if (frame == NULL) {
        return sl_fail_nomem(err);
    }
    sl_status status = sl_clip_next(c, frame, &end, err);
    if (status == SL_OK && (end || frame->width <= 0 || frame->height <= 0)) {
        status = sl_fail(err, SL_E_INVALID, "The video is cut off or damaged");
    }
    av_frame_free(&frame);
    return status;
}

static sl_status fill(sl_clip *c, sl_probe *out, sl_error **err)
{
    AVRational rate = sl_clip_rate(c->format, c->stream);
    sl_clip_size(c->stream, &out->width, &out->height);
    out->rotation = sl_clip_rotation(c->stream) % SL_MIRRORED;
    find_length(c, rate, out);
    out->rate_num = rate.num;
    out->rate_den = rate.den;
    copy_text(out->video_codec, sizeof out->video_codec,
              avcodec_get_name(c->stream->codecpar->codec_id));
    int audio = av_find_best_stream(c->format, AVMEDIA_TYPE_AUDIO, -1, -1, NULL, 0);
    if (audio >= 0) {
        const AVCodecParameters *p = c->format->streams[audio]->codecpar;
        copy_text(out->audio_codec, sizeof out->audio_codec, avcodec_get_name(p->codec_id));
        out->audio_rate = p->sample_rate;
    }
    out->size = avio_size(c->format->pb);
    name_format(c->format, out);
    if (out->duration_us <= 0 || out->duration_us > LENGTH_MAX_US) {
        return sl_fail(err, SL_E_INVALID, "The video has no length or is longer than %d hours",
                       SL_CLIP_HOURS_MAX);
    }
    return SL_OK;
}

sl_status sl_probe_file(const char *path, sl_probe *out, sl_error **err)
{
    return sl_probe_source(SL_SOURCE_FILE(path), out, err);
}

sl_status sl_probe_source(const sl_source *source, sl_probe *out, sl_error **err)
{
    sl_clip c = {0};
    *out = (sl_probe){0};
    sl_error *inner = NULL;
    sl_status status = sl_clip_open(&c, source, err);
    if (status == SL_OK) {
        status = sl_clip_decode(&c, AVMEDIA_TYPE_VIDEO, &inner);
        if (status == SL_E_NOT_FOUND) {
            status = sl_fail(err, SL_E_INVALID, "The file has no picture");
        } else if (status != SL_OK) {
            status = sl_fail(err, status, "%s",
                             inner != NULL ? sl_error_message(inner) : "Out of memory");
        }
    }
    if (status == SL_OK) {
        status = first_frame(&c, err);
    }
    if (status == SL_OK) {
        status = fill(&c, out, err);
    }
    sl_error_release(inner);
    sl_clip_close(&c);
    return status;
}

sl_json *sl_probe_json(const sl_probe *p)
{
    sl_json *j = sl_json_object();
    sl_json *rate = sl_json_array();
    bool ok = j != NULL && rate != NULL && sl_json_add_num(rate, p->rate_num) &&
              sl_json_add_num(rate, p->rate_den);
    if (!ok) {
        sl_json_free(j);
        sl_json_free(rate);
        return NULL;
    }
    ok = sl_json_set(j, "frame_rate", rate) && sl_json_set_int(j, "width", p->width) &&
         sl_json_set_int(j, "height", p->height) && sl_json_set_int(j, "rotation", p->rotation) &&
         sl_json_set_int(j, "duration_us", p->duration_us) &&
         sl_json_set_int(j, "frames", p->frames) &&
         sl_json_set_str(j, "video_codec", p->video_codec) && sl_json_set_int(j, "size", p->size) &&
         sl_json_set_str(j, "format", p->format);
    if (ok && p->audio_codec[0] != '\0') {
        ok = sl_json_set_str(j, "audio_codec", p->audio_codec) &&
             sl_json_set_int(j, "audio_rate", p->audio_rate);
    }
    if (!ok) {
        sl_json_free(j);
        return NULL;
    }
    return j;
}
