/*
 * media/movie.h - writing an MP4: H.264 pictures, AAC sound, the index in front. Inside this
 * folder.
 *
 * The encoder is the first of a list that opens on this machine: none of them is linked against
 * by name, since which there are depends on the platform and on the build of FFmpeg.
 */
#ifndef SL_MEDIA_MOVIE_H
#define SL_MEDIA_MOVIE_H

#include "base/error.h"
#include "media/splice.h"

#include <libavutil/frame.h>
#include <libavutil/rational.h>
#include <stdbool.h>

typedef struct sl_movie sl_movie;

enum {
    SL_MOVIE_SOUND_RATE = 48000
};

typedef struct sl_movie_config {
    const char *path;
    int32_t width; /* even */
    int32_t height;
    AVRational rate;         /* frames a second */
    bool is_709;             /* the pictures' colours */
    const char *encoder;     /* only this one, or NULL */
    bool sound;              /* with a sound stream */
    const sl_splice *splice; /* the clip whose packets may be copied, or NULL */
} sl_movie_config;

/* SL_E_UNSUPPORTED: no encoder opens. */
sl_status sl_movie_open(const sl_movie_config *config, sl_movie **out, sl_error **err);
const char *sl_movie_encoder(const sl_movie *m);
/* The next picture: YUV 4:2:0, shown for one frame's time. */
sl_status sl_movie_picture(sl_movie *m, const AVFrame *yuv, sl_error **err);
/* Whether packets of the splice's clip may come too: encoder and clip go together. */
bool sl_movie_splices(const sl_movie *m);
/* The next packet of the clip, with lengths of four bytes, shown as picture `at`. Whole groups of
 * pictures only, in decoding order. */
sl_status sl_movie_copy(sl_movie *m, const AVPacket *packet, int64_t at, sl_error **err);
/* The next n frames of interleaved stereo. */
sl_status sl_movie_sound(sl_movie *m, const float *stereo, size_t n, sl_error **err);
/* Writes what is held back, and the index. */
sl_status sl_movie_finish(sl_movie *m, sl_error **err);
/* Closes the file; a movie that was not finished is no valid file. */
void sl_movie_close(sl_movie *m);

#endif
