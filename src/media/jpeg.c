/* media/jpeg.c - FFmpeg's MJPEG encoder and decoder, one picture at a time. */
#include "media/jpeg.h"

#include "base/mem.h"
#include "media/av.h"

#include <string.h>

enum {
    QUALITY = 4 /* 2 best, 31 worst */
};

struct sl_jpeg {
    AVCodecContext *codec;
    AVPacket *packet;
    int64_t written; /* encoders refuse times that do not rise */
};

struct sl_unjpeg {
    AVCodecContext *codec;
    AVPacket *packet;
    AVFrame *frame;
};

sl_status sl_jpeg_open(int32_t width, int32_t height, sl_jpeg **out, sl_error **err)
{
    *out = NULL;
    const AVCodec *codec = avcodec_find_encoder(AV_CODEC_ID_MJPEG);
    if (codec == NULL) {
        return sl_fail(err, SL_E_UNSUPPORTED, "This build of FFmpeg writes no JPEG");
    }
    sl_jpeg *j = sl_mem(sizeof *j);
    if (j == NULL) {
        return sl_fail_nomem(err);
    }
    j->packet = av_packet_alloc();
    j->codec = avcodec_alloc_context3(codec);
    int code = j->packet == NULL || j->codec == NULL ? AVERROR(ENOMEM) : 0;
    if (code == 0) {
        AVCodecContext *c = j->codec;
        c->width = width;
        c->height = height;
        c->pix_fmt = AV_PIX_FMT_YUV420P;
        c->color_range = AVCOL_RANGE_JPEG;
        c->strict_std_compliance = FF_COMPLIANCE_UNOFFICIAL;
        c->time_base = (AVRational){1, 25};
        c->flags |= AV_CODEC_FLAG_QSCALE;
        c->global_quality = QUALITY * FF_QP2LAMBDA;
        c->thread_count = 1; /* each picture is there at once */
        code = avcodec_open2(c, codec, NULL);
    }
    if (code < 0) {
        sl_jpeg_close(j);
        return sl_av_fail(err, code, "The still could not be made");
    }
    *out = j;
    return SL_OK;
}

void sl_jpeg_close(sl_jpeg *j)
{
    if (j != NULL) {
        avcodec_free_context(&j->codec);
        av_packet_free(&j->packet);
        sl_mem_free(j);
    }
}

sl_status sl_jpeg_write(sl_jpeg *j, AVFrame *picture, sl_buf *out, sl_error **err)
{
    picture->quality = j->codec->global_quality;
    picture->pts = j->written++;
    int code = avcodec_send_frame(j->codec, picture);
    if (code >= 0) {
        code = avcodec_receive_packet(j->codec, j->packet);
    }
    if (code < 0) {
        return sl_av_fail(err, code, "The still could not be made");
    }
    sl_buf_put(out, j->packet->data, (size_t)j->packet->size);
    av_packet_unref(j->packet);
    return out->failed ? sl_fail_nomem(err) : SL_OK;
}

sl_status sl_unjpeg_open(sl_unjpeg **out, sl_error **err)
{
    *out = NULL;
    const AVCodec *codec = avcodec_find_decoder(AV_CODEC_ID_MJPEG);
    if (codec == NULL) {
        return sl_fail(err, SL_E_UNSUPPORTED, "This build of FFmpeg reads no JPEG");
    }
    sl_unjpeg *u = sl_mem(sizeof *u);
    if (u == NULL) {
        return sl_fail_nomem(err);
    }
    u->packet = av_packet_alloc();
    u->frame = av_frame_alloc();
    u->codec = avcodec_alloc_context3(codec);
    int code = u->packet == NULL || u->frame == NULL || u->codec == NULL ? AVERROR(ENOMEM) : 0;
    if (code == 0) {
        u->codec->thread_count = 1;
        code = avcodec_open2(u->codec, codec, NULL);
    }
    if (code < 0) {
        sl_unjpeg_close(u);
        return sl_av_fail(err, code, "The still could not be read");
    }
    *out = u;
    return SL_OK;
}

void sl_unjpeg_close(sl_unjpeg *u)
{
    if (u != NULL) {
        avcodec_free_context(&u->codec);
        av_packet_free(&u->packet);
        av_frame_free(&u->frame);
        sl_mem_free(u);
    }
}

sl_status sl_unjpeg_read(sl_unjpeg *u, const uint8_t *p, size_t n, const AVFrame **out,
                         sl_error **err)
{
    int code = av_new_packet(u->packet, (int)n);
    if (code >= 0) {
        memcpy(u->packet->data, p, n);
        code = avcodec_send_packet(u->codec, u->packet);
    }
    av_packet_unref(u->packet);
    if (code >= 0) {
        code = avcodec_receive_frame(u->codec, u->frame);
    }
    if (code < 0) {
        return sl_av_fail(err, code, "The still could not be read");
    }
    *out = u->frame;
    return SL_OK;
}
