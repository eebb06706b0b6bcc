/*
 * media/track.h - a clip's sound as AAC packets: its own where they are AAC already, else encoded.
 * Inside this folder.
 */
#ifndef SL_MEDIA_TRACK_H
#define SL_MEDIA_TRACK_H

#include "base/error.h"
#include "media/source.h"

#include <libavcodec/avcodec.h>
#include <stdbool.h>

typedef struct sl_track sl_track;

/* *out is NULL when the clip has no sound that can be read. until_us: the length of the pictures;
 * sound that is encoded ends there. */
sl_status sl_track_open(const sl_source *source, int64_t until_us, sl_track **out, sl_error **err);
void sl_track_close(sl_track *t);
const AVCodecParameters *sl_track_parameters(const sl_track *t);
AVRational sl_track_time_base(const sl_track *t);
/* The next packet, its times counted from the first picture; *end: there is none. */
sl_status sl_track_next(sl_track *t, AVPacket *out, bool *end, sl_error **err);

#endif
