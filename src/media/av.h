/*
 * media/av.h - opening files with FFmpeg, safely; inside this folder only.
 *
 * Clips come from strangers: only the file protocol, a few containers, a few codecs, no
 * references to other files, limits on size. Compiles with FFmpeg 5.1 to 7.1.
 */
#ifndef SL_MEDIA_AV_H
#define SL_MEDIA_AV_H

#include "base/error.h"
#include "media/source.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <stdbool.h>

enum {
    SL_CLIP_SIDE_MAX = 8192,
    SL_CLIP_HOURS_MAX = 10,
    SL_MIRRORED = 360,
    SL_CLIP_RATE_MAX = 1000 /* so many frames a second are the clock's ticks and not believed */
};

/* An open file and the decoder of one of its streams. Zero-initialise; sl_clip_close. */
typedef struct sl_clip {
    sl_source source;
    int64_t at;      /* where the source is read next */
    AVIOContext *io; /* of a source without a path */
    AVFormatContext *format;
    AVCodecContext *decoder;
    AVStream *stream;
    AVPacket *packet;
    bool quick;   /* set before opening: for one small picture, with less looking and less care */
    bool drained; /* the end of the file was sent to the decoder */
    /* Pictures before this time, in the stream's own, may be left out where no other needs them. */
    int64_t hurry_until;
} sl_clip;

/* FFmpeg writes to standard error by itself; errors here are returned, not printed. */
void sl_av_be_quiet(void);
/* Turns FFmpeg's error into ours. what: "The video could not be read". */
sl_status sl_av_fail(sl_error **err, int code, const char *what);
/* Opens the clip and learns its streams; c stays where it is until it is closed. */
sl_status sl_clip_open(sl_clip *c, const sl_source *source, sl_error **err);
/* Chooses the best stream of a kind and opens its decoder. SL_E_NOT_FOUND: there is none. */
sl_status sl_clip_decode(sl_clip *c, enum AVMediaType kind, sl_error **err);
/* The next decoded frame; *end at the end of the stream. Damaged stretches are passed over. */
sl_status sl_clip_next(sl_clip *c, AVFrame *into, bool *end, sl_error **err);
/* The next key frame by itself, from where the clip was put, and nothing of what follows it; *end:
 * there is none that decodes. The clip is to be put somewhere before it is read on. */
sl_status sl_clip_next_key(sl_clip *c, AVFrame *into, bool *end, sl_error **err);
/* To a key frame at or before t_us, as well as the container knows; false when it cannot. */
bool sl_clip_seek(sl_clip *c, int64_t t_us);
/* Microseconds from the beginning of the stream; AV_NOPTS_VALUE stays. */
int64_t sl_clip_us(const sl_clip *c, int64_t pts);
void sl_clip_close(sl_clip *c);

/* 0, 90, 180 or 270: degrees clockwise that the decoded picture is to be turned by; SL_MIRRORED more
 * when left and right are to change places before. */
int32_t sl_clip_rotation(const AVStream *stream);
/* Of the picture as shown: square pixels, turned. */
void sl_clip_size(const AVStream *stream, int32_t *width, int32_t *height);
/* Frames a second, believable; 30 when the file does not say. */
AVRational sl_clip_rate(AVFormatContext *format, AVStream *stream);

#endif
