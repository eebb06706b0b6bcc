/* media/cmaf.c - the MP4 muxer writes a fragment whenever it is told to; afterwards the top boxes
 * say where each lies. */
#include "media/cmaf.h"

#include "base/mem.h"
#include "media/av.h"
#include "media/cmaf_write.h"

#include <libavutil/display.h>
#include <stdio.h>
#include <string.h>

enum {
    BOX_HEAD = 16
};

struct sl_cmaf {
    AVFormatContext *format;
    AVStream *video;
    AVStream *sound;
    AVRational video_base; /* of the packets that come */
    AVRational sound_base;
    int64_t *durations_us; /* of the parts */
    size_t n;
    size_t room;
    int64_t began_us; /* the part being written */
    int64_t until_us; /* where its pictures end so far */
    bool any;
    char codecs[48];
    char *path;
};

void sl_cmaf_index_free(sl_cmaf_index *index)
{
    sl_mem_free(index->parts);
    *index = (sl_cmaf_index){0};
}

static sl_json *part_json(const sl_cmaf_part *part)
{
    sl_json *j = sl_json_array();
    bool ok = j != NULL && sl_json_add_num(j, (double)part->duration_us) &&
              sl_json_add_num(j, (double)part->at) && sl_json_add_num(j, (double)part->len);
    if (!ok) {
        sl_json_free(j);
        return NULL;
    }
    return j;
}

sl_json *sl_cmaf_index_json(const sl_cmaf_index *index)
{
    sl_json *j = sl_json_object();
    sl_json *parts = sl_json_array();
    bool ok = j != NULL && parts != NULL;
    for (size_t i = 0; ok && i < index->n; i++) {
        ok = sl_json_add(parts, part_json(&index->parts[i]));
    }
    if (!ok) {
        sl_json_free(parts);
        sl_json_free(j);
        return NULL;
    }
    ok = sl_json_set(j, "parts", parts) && sl_json_set_str(j, "codecs", index->codecs) &&
         sl_json_set_int(j, "size", index->size) && sl_json_set_int(j, "head", index->head) &&
         sl_json_set_int(j, "peak", index->peak) && sl_json_set_int(j, "mean", index->mean);
    if (!ok) {
        sl_json_free(j);
        return NULL;
    }
    return j;
}

/* Profile, constraints and level stand behind the first byte of an avcC, or behind the first start
 * code of a sequence parameter set. */
static void name_codecs(const AVCodecParameters *video, bool sound, char out[48])
{
    static const uint8_t main_31[3] = {0x4d, 0x00, 0x1f};
    const uint8_t *p = main_31;
    const uint8_t *e = video->extradata;
    int n = video->extradata_size;
    if (n >= 4 && e[0] == 1) {
        p = e + 1;
    } else {
        for (int i = 0; i + 7 < n; i++) {
            if (e[i] == 0 && e[i + 1] == 0 && e[i + 2] == 1 && (e[i + 3] & 31) == 7) {
                p = e + i + 4;
                break;
            }
        }
    }
    (void)snprintf(out, 48, "avc1.%02x%02x%02x%s", p[0], p[1], p[2], sound ? ",mp4a.40.2" : "");
}

static int set_rotation(AVStream *stream, int32_t rotation)
{
    int32_t matrix[9];
    if (rotation == 0) {
        return 0;
    }
    av_display_rotation_set(matrix, rotation % SL_MIRRORED); /* clockwise */
    if (rotation >= SL_MIRRORED) {
        matrix[0] = -matrix[0];
        matrix[1] = -matrix[1];
    }
#if LIBAVCODEC_VERSION_MAJOR >= 61
    AVCodecParameters *p = stream->codecpar;
    AVPacketSideData *side = av_packet_side_data_new(&p->coded_side_data, &p->nb_coded_side_data,
                                                     AV_PKT_DATA_DISPLAYMATRIX, sizeof matrix, 0);
    void *to = side != NULL ? side->data : NULL;
#else
    void *to = av_stream_new_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, sizeof matrix);
#endif
    if (to == NULL) {
        return AVERROR(ENOMEM);
    }
    memcpy(to, matrix, sizeof matrix);
    return 0;
}

static int add_stream(sl_cmaf *c, sl_cmaf_stream from, AVStream **out)
{
    *out = avformat_new_stream(c->format, NULL);
    if (*out == NULL) {
        return AVERROR(ENOMEM);
    }
    (*out)->time_base = from.time_base;
    int code = avcodec_parameters_copy((*out)->codecpar, from.parameters);
    (*out)->codecpar->codec_tag = 0;
    return code;
}

static int write_head(sl_cmaf *c, const char *url)
{
    AVDictionary *options = NULL;
    int code = avio_open(&c->format->pb, url, AVIO_FLAG_WRITE);
    if (code >= 0) {
        (void)av_dict_set(&options, "movflags",
                          "+frag_custom+delay_moov+default_base_moof+skip_trailer", 0);
        code = avformat_write_header(c->format, &options);
    }
    av_dict_free(&options);
    return code;
}

sl_status sl_cmaf_open(const char *path, sl_cmaf_stream video, int32_t rotation,
                       sl_cmaf_stream sound, sl_cmaf **out, sl_error **err)
{
    *out = NULL;
    sl_cmaf *c = sl_mem(sizeof *c);
    char *url = sl_text_fmt("file:%s", path);
    if (c == NULL || url == NULL) {
        sl_mem_free(c);
        sl_mem_free(url);
        return sl_fail_nomem(err);
    }
    c->path = url;
    c->video_base = video.time_base;
    c->sound_base = sound.time_base;
    name_codecs(video.parameters, sound.parameters != NULL, c->codecs);
    int code = avformat_alloc_output_context2(&c->format, NULL, "mp4", url);
    if (code >= 0) {
        code = add_stream(c, video, &c->video);
    }
    if (code >= 0) {
        code = set_rotation(c->video, rotation);
    }
    if (code >= 0 && sound.parameters != NULL) {
        code = add_stream(c, sound, &c->sound);
    }
    if (code >= 0) {
        code = write_head(c, url);
    }
    if (code < 0) {
        sl_cmaf_close(c);
        return sl_av_fail(err, code, "The movie could not be written");
    }
    *out = c;
    return SL_OK;
}

/* Ends the part at a time. */
static int cut(sl_cmaf *c, int64_t at_us)
{
    if (c->n >= SL_CMAF_PARTS_MAX) {
        return AVERROR(E2BIG);
    }
    if (c->n == c->room) {
        size_t room = c->room == 0 ? 64 : c->room * 2;
        int64_t *grown = sl_mem_resize(c->durations_us, room, sizeof *grown);
        if (grown == NULL) {
            return AVERROR(ENOMEM);
        }
        c->durations_us = grown;
        c->room = room;
    }
    c->durations_us[c->n++] = at_us - c->began_us;
    c->began_us = at_us;
    int code = av_interleaved_write_frame(c->format, NULL);
    if (code >= 0 && c->n == 1) {
        code = av_write_frame(c->format, NULL); /* the head, with edit lists for what came */
    }
    return code >= 0 ? av_write_frame(c->format, NULL) : code;
}

static sl_status put(sl_cmaf *c, AVPacket *packet, AVStream *stream, AVRational base,
                     sl_error **err)
{
    av_packet_rescale_ts(packet, base, stream->time_base);
    packet->stream_index = stream->index;
    packet->pos = -1;
    int code = av_interleaved_write_frame(c->format, packet);
    return code < 0 ? sl_av_fail(err, code, "The movie could not be written") : SL_OK;
}

sl_status sl_cmaf_video(sl_cmaf *c, AVPacket *packet, sl_error **err)
{
    int64_t t_us = av_rescale_q(packet->pts, c->video_base, AV_TIME_BASE_Q);
    int64_t length = av_rescale_q(packet->duration, c->video_base, AV_TIME_BASE_Q);
    bool key = (packet->flags & AV_PKT_FLAG_KEY) != 0;
    if (!c->any) {
        c->began_us = t_us;
        c->any = true;
    } else if (key && t_us - c->began_us >= SL_CMAF_PART_US - length / 2) {
        int code = cut(c, t_us);
        if (code < 0) {
            return sl_av_fail(err, code, "The movie could not be written");
        }
    }
    c->until_us = t_us + length > c->until_us ? t_us + length : c->until_us;
    return put(c, packet, c->video, c->video_base, err);
}

sl_status sl_cmaf_sound(sl_cmaf *c, AVPacket *packet, sl_error **err)
{
    return put(c, packet, c->sound, c->sound_base, err);
}

static uint64_t box_len(const uint8_t *p)
{
    uint64_t len = (uint64_t)p[0] << 24 | (uint64_t)p[1] << 16 | (uint64_t)p[2] << 8 | p[3];
    if (len == 1) {
        len = 0;
        for (int i = 8; i < 16; i++) {
            len = len << 8 | p[i];
        }
    }
    return len;
}

/* A part begins where the box before it ended and ends with its mdat. */
static sl_status find_parts(const sl_cmaf *c, AVIOContext *io, sl_cmaf_index *out, sl_error **err)
{
    int64_t at = 0;
    int64_t began = 0;
    out->size = avio_size(io);
    while (at + 8 <= out->size && out->n < c->n) {
        uint8_t head[BOX_HEAD];
        if (avio_seek(io, at, SEEK_SET) < 0 || avio_read(io, head, BOX_HEAD) < 8) {
            break;
        }
        uint64_t len = box_len(head);
        if (len < 8 || len > (uint64_t)(out->size - at)) {
            break;
        }
        at += (int64_t)len;
        if (memcmp(head + 4, "moov", 4) == 0) {
            out->head = at;
            began = at;
        } else if (memcmp(head + 4, "mdat", 4) == 0) {
            out->parts[out->n] = (sl_cmaf_part){c->durations_us[out->n], began, at - began};
            out->n++;
            began = at;
        }
    }
    return out->n == c->n && out->n > 0 && out->head > 0
               ? SL_OK
               : sl_fail(err, SL_E_INTERNAL, "The movie's parts could not be told apart");
}

static void weigh(sl_cmaf_index *out)
{
    int64_t length = 0;
    for (size_t i = 0; i < out->n; i++) {
        const sl_cmaf_part *p = &out->parts[i];
        int64_t us = p->duration_us > 0 ? p->duration_us : 1;
        int64_t rate = av_rescale(p->len * 8, AV_TIME_BASE, us);
        out->peak = rate > out->peak && us >= AV_TIME_BASE / 2 ? rate : out->peak;
        length += us;
    }
    out->mean = av_rescale(out->size * 8, AV_TIME_BASE, length > 0 ? length : 1);
    out->peak = out->peak > out->mean ? out->peak : out->mean;
}

static sl_status make_index(const sl_cmaf *c, sl_cmaf_index *out, sl_error **err)
{
    AVIOContext *io = NULL;
    out->parts = sl_mem_array(c->n + 1, sizeof *out->parts);
    if (out->parts == NULL) {
        return sl_fail_nomem(err);
    }
    int code = avio_open(&io, c->path, AVIO_FLAG_READ);
    if (code < 0) {
        return sl_av_fail(err, code, "The movie could not be read again");
    }
    memcpy(out->codecs, c->codecs, sizeof out->codecs);
    sl_status status = find_parts(c, io, out, err);
    (void)avio_closep(&io);
    weigh(out);
    return status;
}

sl_status sl_cmaf_finish(sl_cmaf *c, sl_cmaf_index *out, sl_error **err)
{
    *out = (sl_cmaf_index){0};
    int code = cut(c, c->until_us);
    if (code >= 0) {
        code = av_write_trailer(c->format);
    }
    if (code >= 0) {
        code = avio_closep(&c->format->pb);
    }
    if (code < 0) {
        return sl_av_fail(err, code, "The movie could not be written");
    }
    sl_status status = make_index(c, out, err);
    if (status != SL_OK) {
        sl_cmaf_index_free(out);
    }
    return status;
}

void sl_cmaf_close(sl_cmaf *c)
{
    if (c == NULL) {
        return;
    }
    if (c->format != NULL && c->format->pb != NULL) {
        (void)avio_closep(&c->format->pb);
    }
    avformat_free_context(c->format);
    sl_mem_free(c->durations_us);
    sl_mem_free(c->path);
    sl_mem_free(c);
}
