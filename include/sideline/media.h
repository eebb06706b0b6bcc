/*
 * sideline/media.h - clips: import, looking at frames, thumbnails, export. Operations run on the
 * media pool.
 *
 * A clip is a file of at most 8192 by 8192 pixels and 10 hours, in MP4, MOV, Matroska, WebM, AVI or
 * Ogg; what is larger, torn or none of these is SL_E_INVALID. Its times are microseconds from its
 * first frame; the frame at a time is the last one that begins no later, the first one before that.
 * Builds without media answer SL_E_UNSUPPORTED.
 */
#ifndef SIDELINE_MEDIA_H
#define SIDELINE_MEDIA_H

#include "core.h"
#include "render.h"

#ifdef __cplusplus
extern "C" {
#endif
SL_BEGIN

/* Probes a file (borrowed for the call), blocking. *out: {"width","height","rotation",
 * "duration_us","frame_rate":[n,d],"frames","video_codec","audio_codec"?,"audio_rate"?,"size",
 * "format"}. SL_E_INVALID: not a video this build reads, or damaged. */
SL_API sl_status sl_media_probe(const char *path, sl_bytes *SL_NULLABLE *SL_NULLABLE out,
                                sl_error *SL_NULLABLE *SL_NULLABLE err);

/* Copies the file into the store as a blob, probes it, makes a thumbnail, creates the
 * video record in a space of its own and queues the uploads.
 * json: {"path","title"}. res: {"id","space","blob","duration_us","width","height"}. */
SL_API sl_status sl_media_import(sl_core *core, const char *json, size_t n, sl_id *op,
                                 sl_error *SL_NULLABLE *SL_NULLABLE err);
/* A still of a video with its drawings: json {"space","t_us","path"} writes a PNG.
 * Fetches the clip first when it is not here. res: {"path","width","height"}. */
SL_API sl_status sl_media_still(sl_core *core, const char *json, size_t n, sl_id *op,
                                sl_error *SL_NULLABLE *SL_NULLABLE err);
/* A review as MP4 (H.264 and AAC, the index in front): json {"review":"<id>","path",
 * "encoder":name?,"slow":"repeat"|"motion"?,"width":n?,"height":n?}: the clip as the timeline plays
 * it, drawings burnt in, the voice mixed in. Progress and cancelling as for all operations; a cancel
 * leaves no file. Stretches of an H.264 clip that play at 1x with no drawing and all in view keep its
 * packets, bit for bit.
 * A second video (sideline/review.h, pair) is drawn in its half, in its shape, or over the first under
 * the drawings; the view is the first's. While it moves as fast as the first both are heard, each with
 * half its strength. One that this user does not hold is left out. Slower than 1x each frame is
 * repeated, or for "motion" what lies between two is made of them, following what moves. The size is
 * the clip's, at most 1920 on its longer side, unless both are given.
 * The encoder is FFmpeg's, by name, or the first that opens of h264_videotoolbox, h264_mediacodec
 * (the device's own), libopenh264 (BSD) and libx264 (GPL: what ships with it is under the GPL).
 * SL_E_UNSUPPORTED: none opens. res: {"path","frames","copied":of them,"duration_us","encoder"}. */
SL_API sl_status sl_media_export(sl_core *core, const char *json, size_t n, sl_id *op,
                                 sl_error *SL_NULLABLE *SL_NULLABLE err);

/* A small JPEG of a file, blocking: the key frame at or before t_us, its longer side `side` pixels at
 * most, 16..1920, 0: 640. */
SL_API sl_status sl_media_thumbnail(const char *path, int64_t t_us, int32_t side,
                                    sl_bytes *SL_NULLABLE *SL_NULLABLE out,
                                    sl_error *SL_NULLABLE *SL_NULLABLE err);
/* Many small pictures of a video on one JPEG, for the bar that one seeks with: json {"space","path",
 * "index":path?,"count":n?,"side":n?,"columns":n?}. Picture i of `count` (one a second and 100 at
 * most, unless given; 400 at most) stands for the i-th part of the clip; `side` is its longer side
 * (160; 16..480). "index" writes beside it the WebVTT that players read, with cues like
 * "sheet.jpg#xywh=160,0,160,90". res: {"path","index"?,"count","columns","rows","width","height" of
 * one,"duration_us","times":[us of each frame]}. */
SL_API sl_status sl_media_sheet(sl_core *core, const char *json, size_t n, sl_id *op,
                                sl_error *SL_NULLABLE *SL_NULLABLE err);

/* --- looking ------------------------------------------------------------------------------------ */

typedef struct sl_viewer sl_viewer;

/* A file (core is NULL, what its path), or the clip of a core's video (what is its space), which is
 * to be here: SL_E_NOT_FOUND else, see sl_blob_fetch. Closed before the core. Calls block while they
 * decode; one thread at a time uses a viewer. */
SL_API sl_status sl_viewer_open(sl_core *SL_NULLABLE core, const char *what,
                                sl_viewer *SL_NULLABLE *SL_NULLABLE out,
                                sl_error *SL_NULLABLE *SL_NULLABLE err);
SL_API void sl_viewer_close(sl_viewer *SL_NULLABLE v);
/* Of a frame as shown: turned, with square pixels. */
SL_API void sl_viewer_size(const sl_viewer *v, int32_t *width, int32_t *height);
/* Fills `into` with exactly the frame at t_us, turned and scaled; *shown_us: where that frame begins.
 * The frames passed last are kept (64, 128 MB). */
SL_API sl_status sl_viewer_frame(sl_viewer *v, int64_t t_us, const sl_pixels *into,
                                 int64_t *SL_NULLABLE shown_us,
                                 sl_error *SL_NULLABLE *SL_NULLABLE err);
/* The frame after (1) or before (-1) the one shown last; at either end the same one again. */
SL_API sl_status sl_viewer_step(sl_viewer *v, int32_t by, const sl_pixels *into,
                                int64_t *SL_NULLABLE shown_us,
                                sl_error *SL_NULLABLE *SL_NULLABLE err);
/* Begins to make small stills of the whole clip on a thread of its own (64 MB of them), and tells how
 * far it is; *whole is 1 when it has ended. */
SL_API sl_status sl_viewer_prepare(sl_viewer *v, int64_t *SL_NULLABLE until_us,
                                   int32_t *SL_NULLABLE whole,
                                   sl_error *SL_NULLABLE *SL_NULLABLE err);
/* While a finger moves: at once the last still not after t_us, or the last there is so far. When the
 * finger rests, sl_viewer_frame. SL_E_NOT_FOUND: there is none yet. */
SL_API sl_status sl_viewer_scrub(sl_viewer *v, int64_t t_us, const sl_pixels *into,
                                 int64_t *SL_NULLABLE shown_us,
                                 sl_error *SL_NULLABLE *SL_NULLABLE err);

SL_END
#ifdef __cplusplus
}
#endif

#endif
