/*
 * sideline/voice.h - recording a voice-over.
 *
 * The host owns the microphone and pushes PCM; the core encodes Opus (RFC 6716)
 * into Ogg (RFC 7845) beside the calls, and loses at most one second when killed.
 *   [VOICE-1] sl_recorder_write never locks, allocates or blocks: it may run on the
 *             audio thread. What does not fit is counted and becomes silence.
 */
#ifndef SIDELINE_VOICE_H
#define SIDELINE_VOICE_H

#include "core.h"

#ifdef __cplusplus
extern "C" {
#endif
SL_BEGIN

typedef struct sl_recorder sl_recorder;

/* json: {"rate":48000,"channels":1|2,"bitrate":24000?}. rate 8000..192000. Starts paused. */
SL_API sl_status sl_recorder_new(sl_core *core, const char *json, size_t n,
                                 sl_recorder *SL_NULLABLE *SL_NULLABLE out,
                                 sl_error *SL_NULLABLE *SL_NULLABLE err);
SL_API void sl_recorder_free(sl_recorder *SL_NULLABLE r); /* cancels what was not finished */

enum {
    SL_RECORDER_RECORD = 1,
    SL_RECORDER_PAUSE = 2
};
/* SL_E_MISUSE for a command its state refuses. Pauses leave no gap in the voice. */
SL_API sl_status sl_recorder_command(sl_recorder *r, int32_t command,
                                     sl_error *SL_NULLABLE *SL_NULLABLE err);
/* frames of interleaved float PCM, -1..1. *level: peak of this call, 0..1. Ignored while paused. */
SL_API sl_status sl_recorder_write(sl_recorder *r, const float *pcm, uint32_t frames,
                                   float *SL_NULLABLE level);
/* Microseconds of voice so far: the master clock of a review. It follows the writes by some 20 ms;
 * about 10 s fit between: who writes faster than real time lets it catch up. */
SL_API int64_t sl_recorder_position(const sl_recorder *r);
/* keep 1: *out {"blob":sha256,"duration_us":n,"peaks":"<base64>","dropped":frames}, the file
 * stored as a blob of `space` and queued for upload. keep 0: throws it away. */
SL_API sl_status sl_recorder_finish(sl_recorder *r, const char *space, int32_t keep,
                                    sl_bytes *SL_NULLABLE *SL_NULLABLE out,
                                    sl_error *SL_NULLABLE *SL_NULLABLE err);

/* The Ogg Opus bytes of a recording that sl_core_info offers under "recordings", sealed or not.
 * SL_E_NOT_FOUND: none is offered under this path. */
SL_API sl_status sl_recording_read(sl_core *core, const char *path,
                                   sl_bytes *SL_NULLABLE *SL_NULLABLE out,
                                   sl_error *SL_NULLABLE *SL_NULLABLE err);

SL_END
#ifdef __cplusplus
}
#endif

#endif
