/* media/encoder.c - see the header. */
#include "media/encoder.h"

#include "media/av.h"

#include <libavutil/opt.h>
#include <stdio.h>
#include <string.h>

enum {
    SOUND_RATE = 48000,
    SOUND_BITRATE = 128000,
    BITS_PER_PIXEL_PERCENT = 10 /* for encoders without constant quality */
};

static const char *const encoders[] = {"h264_videotoolbox", "h264_mediacodec", "libopenh264",
                                       "libx264"};

static void set_x264(AVCodecContext *c, const sl_encoder_config *config)
{
    char params[64];
    (void)snprintf(params, sizeof params, "sps-id=%d", (int)config->set_id);
    (void)av_opt_set(c->priv_data, "preset", config->fast ? "superfast" : "veryfast", 0);
    (void)av_opt_set(c->priv_data, "crf", "23", 0);
    (void)av_opt_set(c->priv_data, "forced-idr", "1", 0);
    (void)av_opt_set(c->priv_data, "x264-params", params, 0);
}

static AVCodecContext *context(const AVCodec *codec, const sl_encoder_config *config)
{
    AVCodecContext *c = avcodec_alloc_context3(codec);
    if (c == NULL) {
        return NULL;
    }
    c->width = config->width;
    c->height = config->height;
    c->pix_fmt = AV_PIX_FMT_YUV420P;
    c->sample_aspect_ratio = (AVRational){1, 1};
    c->time_base = config->time_base;
    c->framerate = config->rate;
    c->gop_size = config->gop;
    c->color_range = AVCOL_RANGE_MPEG;
    c->colorspace = config->is_709 ? AVCOL_SPC_BT709 : AVCOL_SPC_SMPTE170M;
    c->color_primaries = config->is_709 ? AVCOL_PRI_BT709 : AVCOL_PRI_SMPTE170M;
    c->color_trc = config->is_709 ? AVCOL_TRC_BT709 : AVCOL_TRC_SMPTE170M;
    c->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    if (strcmp(codec->name, "libx264") == 0) {
        set_x264(c, config);
    } else {
        int64_t rate = av_rescale(config->rate.num, 1, config->rate.den) + 1;
        c->bit_rate = (int64_t)config->width * config->height * rate * BITS_PER_PIXEL_PERCENT / 100;
    }
    return c;
}

sl_status sl_encoder_open(const sl_encoder_config *config, AVCodecContext **out, sl_error **err)
{
    for (size_t i = 0; i < sizeof encoders / sizeof encoders[0]; i++) {
        const char *name = encoders[i];
        const AVCodec *codec = avcodec_find_encoder_by_name(name);
        bool wanted = config->name == NULL || strcmp(config->name, name) == 0;
        bool able = config->set_id == 0 || strcmp(name, "libx264") == 0;
        if (codec == NULL || !wanted || !able) {
            continue;
        }
        *out = context(codec, config);
        if (*out == NULL) {
            return sl_fail_nomem(err);
        }
        if (avcodec_open2(*out, codec, NULL) >= 0) {
            return SL_OK;
        }
        avcodec_free_context(out);
    }
    return sl_fail(err, SL_E_UNSUPPORTED, "No H.264 encoder is at hand on this machine");
}

sl_status sl_encoder_open_sound(AVCodecContext **out, sl_error **err)
{
    const AVCodec *codec = avcodec_find_encoder(AV_CODEC_ID_AAC);
    if (codec == NULL) {
        return sl_fail(err, SL_E_UNSUPPORTED, "No AAC encoder is at hand on this machine");
    }
    AVChannelLayout stereo = AV_CHANNEL_LAYOUT_STEREO;
    AVCodecContext *c = avcodec_alloc_context3(codec);
    if (c == NULL) {
        return sl_fail_nomem(err);
    }
    *out = c;
    c->sample_rate = SOUND_RATE;
    c->sample_fmt = AV_SAMPLE_FMT_FLTP;
    c->bit_rate = SOUND_BITRATE;
    c->time_base = (AVRational){1, SOUND_RATE};
    c->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    int code = av_channel_layout_copy(&c->ch_layout, &stereo);
    if (code >= 0) {
        code = avcodec_open2(c, codec, NULL);
    }
    if (code < 0) {
        avcodec_free_context(out);
        return sl_av_fail(err, code, "The sound encoder did not start");
    }
    return SL_OK;
}
