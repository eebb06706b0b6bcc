/*
 * media/probe.h - what a video file is: container, size as shown, length, codecs.
 *
 * A file passes when its first frame really decodes. Errors: SL_E_NOT_FOUND no such file,
 * SL_E_INVALID no video, damaged, or beyond the limits (8192 by 8192, 10 hours).
 */
#ifndef SL_MEDIA_PROBE_H
#define SL_MEDIA_PROBE_H

#include "base/error.h"
#include "base/json.h"
#include "media/source.h"

typedef struct sl_probe {
    int32_t width; /* as shown: turned, square pixels */
    int32_t height;
    int32_t rotation; /* degrees clockwise from decoded to shown */
    int64_t duration_us;
    int32_t rate_num; /* frames a second */
    int32_t rate_den;
    int64_t frames;
    char video_codec[24];
    char audio_codec[24]; /* "" when there is no sound */
    int32_t audio_rate;
    int64_t size; /* bytes */
    char format[8];
    char media_type[24];
} sl_probe;

sl_status sl_probe_file(const char *path, sl_probe *out, sl_error **err);
sl_status sl_probe_source(const sl_source *source, sl_probe *out, sl_error **err);
/* The object of sideline/media.h; NULL when out of memory. */
sl_json *sl_probe_json(const sl_probe *p);

#endif
