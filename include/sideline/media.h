/*
 * sideline/media.h - clips: import, frames, export. Operations run on the media pool.
 *
 * Builds without media answer SL_E_UNSUPPORTED.
 */
#ifndef SIDELINE_MEDIA_H
#define SIDELINE_MEDIA_H

#include "core.h"

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
 * "encoder":name?}: the clip as the timeline plays it, drawings burnt in, the voice mixed in.
 * Progress and cancelling as for all operations; a cancel leaves no file. Stretches of an H.264 clip
 * that play at 1x with no drawing and all in view keep its packets, bit for bit.
 * The encoder is FFmpeg's, by name, or the first that opens of h264_videotoolbox, h264_mediacodec
 * (the device's own), libopenh264 (BSD) and libx264 (GPL: what ships with it is under the GPL).
 * SL_E_UNSUPPORTED: none opens. res: {"path","frames","copied":of them,"duration_us","encoder"}. */
SL_API sl_status sl_media_export(sl_core *core, const char *json, size_t n, sl_id *op,
                                 sl_error *SL_NULLABLE *SL_NULLABLE err);

SL_END
#ifdef __cplusplus
}
#endif

#endif
