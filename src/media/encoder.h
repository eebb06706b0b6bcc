/*
 * media/encoder.h - H.264 encoders, chosen by name at run time. Inside this folder.
 *
 * None is linked against: which there are depends on the platform and on the build of FFmpeg.
 * The first of this list that opens is taken:
 *   h264_videotoolbox, h264_mediacodec  the device's own: the licence is the device's;
 *   libopenh264   BSD; Cisco's binary brings the patent licence, a build of one's own does not;
 *   libx264       GPL: an FFmpeg with it makes what is linked with it GPL. Debian's has it.
 */
#ifndef SL_MEDIA_ENCODER_H
#define SL_MEDIA_ENCODER_H

#include "base/error.h"

#include <libavcodec/avcodec.h>
#include <stdbool.h>

typedef struct sl_encoder_config {
    int32_t width; /* even */
    int32_t height;
    AVRational time_base;
    AVRational rate;  /* frames a second */
    bool is_709;      /* the pictures' colours */
    int32_t gop;      /* frames from key frame to key frame, at most */
    const char *name; /* only this one, or NULL */
    bool fast;        /* more speed for a little more bits */
    int32_t set_id;   /* the number of its parameter sets; other than 0 only libx264 has */
} sl_encoder_config;

/* SL_E_UNSUPPORTED: none opens. */
sl_status sl_encoder_open(const sl_encoder_config *config, AVCodecContext **out, sl_error **err);
/* AAC, stereo floats in planes, 48 kHz. */
sl_status sl_encoder_open_sound(AVCodecContext **out, sl_error **err);

#endif
