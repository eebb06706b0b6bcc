/*
 * sideline/voice.h - recording a voice-over, playing, cutting and repacking it.
 *
 * The host owns the microphone and pushes PCM, or lets the platform's own (sl_recorder_capture)
 * do it; the core encodes Opus (RFC 6716) into Ogg (RFC 7845) beside the calls.
 *   [VOICE-1] sl_recorder_write and sl_recorder_write16 never lock, allocate or block: they may
 *             run on the audio thread. What does not fit is counted and becomes silence of its
 *             length.
 *   [VOICE-2] a killed process has lost less than a quarter of a second of what was written; the
 *             rest is offered under "recordings" by sl_core_info.
 *   [VOICE-3] a full disk ends the recording with SL_E_FULL; what is in the file is kept and
 *             offered in the same place once the recorder is freed.
 */
#ifndef SIDELINE_VOICE_H
#define SIDELINE_VOICE_H

#include "core.h"

#ifdef __cplusplus
extern "C" {
#endif
SL_BEGIN

typedef struct sl_recorder sl_recorder;

/* json: {"rate":48000,"channels":1|2}, rate 8000..192000, and where not as usual:
 *   "bitrate"     24000  6000..128000 bits a second
 *   "complexity"  5      0..10, of the encoder
 *   "dtx"         false  next to nothing for silence; "fec" false: a packet mends the one before
 *   "highpass"    true   nothing below 80 Hz
 *   "denoise"     false  steady noise 15 dB down; off where the platform does it
 *   "level"       false  slow gain towards -18 dBFS of speech, and a limiter
 *   "speech"      false  tell where nobody speaks
 *   "loudness"    true   no peak more than 11 dB above the speech of the last seconds; on finish,
 *                        a gain in the file that makes it -16 LUFS (less, should its true peak
 *                        as decoded pass full scale)
 *   "note"        none   up to 1000 bytes of the host's own, offered with what became of a recorder
 *                        that was killed or freed: what the voice is about
 * SL_E_UNSUPPORTED for denoise and speech in a build without libspeexdsp (WebAssembly is one).
 * Starts paused. */
SL_API sl_status sl_recorder_new(sl_core *core, const char *json, size_t n,
                                 sl_recorder *SL_NULLABLE *SL_NULLABLE out,
                                 sl_error *SL_NULLABLE *SL_NULLABLE err);
/* Cancels what was not finished; with a note it is offered under "recordings" instead. */
SL_API void sl_recorder_free(sl_recorder *SL_NULLABLE r);

/* Commands: the first two for buttons, the others for one finger on one button. Each is refused
 * with SL_E_MISUSE and a sentence where the table has `-`, and always once cancelled or finished:
 *
 *              | paused       recording    held         held still   ended
 *   -----------+------------------------------------------------------------
 *   RECORD     | recording    -            -            -            -
 *   PAUSE      | -            paused       held still   -            -
 *   HOLD       | held         held still   -            -            -
 *   RELEASE    | -            -            paused       paused       -
 *   TAP        | recording    paused       -            -            -
 *   DOUBLE_TAP | ended        ended        -            -            -
 *   SWIPE      | cancelled    cancelled    cancelled    cancelled    cancelled
 *   retake     | paused       -            -            -            paused
 *
 * Hold to record, release to pause; tap to record with free hands, hold or tap again to pause;
 * double tap when done, swipe to throw it away. A double tap may follow the TAP of its first
 * touch: what came between the two is not kept. DOUBLE_TAP without sound is refused. */
enum {
    SL_RECORDER_RECORD = 1,
    SL_RECORDER_PAUSE = 2,
    SL_RECORDER_HOLD = 3,
    SL_RECORDER_RELEASE = 4,
    SL_RECORDER_TAP = 5,
    SL_RECORDER_DOUBLE_TAP = 6,
    SL_RECORDER_SWIPE = 7
};
/* Pauses leave no gap in the voice. */
SL_API sl_status sl_recorder_command(sl_recorder *r, int32_t command,
                                     sl_error *SL_NULLABLE *SL_NULLABLE err);
/* Forgets all after at_us microseconds of voice, 0..position; what comes next follows there,
 * without a click. SL_E_INVALID, naming "at": not within the voice. */
SL_API sl_status sl_recorder_retake(sl_recorder *r, int64_t at_us,
                                    sl_error *SL_NULLABLE *SL_NULLABLE err);

enum {
    SL_RECORDER_IS_PAUSED = 0,
    SL_RECORDER_IS_RECORDING = 1,
    SL_RECORDER_IS_HELD = 2,
    SL_RECORDER_IS_HELD_STILL = 3,
    SL_RECORDER_HAS_ENDED = 4,
    SL_RECORDER_HAS_FINISHED = 5,
    SL_RECORDER_WAS_CANCELLED = 6
};
SL_API int32_t sl_recorder_state(const sl_recorder *r);

/* frames of interleaved float PCM, -1..1. *level: peak of this call, 0..1. Ignored while paused. */
SL_API sl_status sl_recorder_write(sl_recorder *r, const float *pcm, uint32_t frames,
                                   float *SL_NULLABLE level);
/* The same of 16-bit samples. One thread at a time writes, in either form. */
SL_API sl_status sl_recorder_write16(sl_recorder *r, const int16_t *pcm, uint32_t frames,
                                     float *SL_NULLABLE level);
/* What is written from now on has this rate and 1 or 2 channels: another device. Never at the
 * same time as a write. SL_E_INVALID as for sl_recorder_new. */
SL_API sl_status sl_recorder_format(sl_recorder *r, int32_t rate, int32_t channels,
                                    sl_error *SL_NULLABLE *SL_NULLABLE err);

/* Lets the platform's microphone write into r, in place of one that did before; NULL: none does.
 * name: one of sl_core_info "microphones", or "" for the machine's own choice. The microphone runs
 * at once, so that the first word after RECORD is there. SL_E_UNSUPPORTED: this platform has none;
 * SL_E_NOT_FOUND: no such one. */
SL_API sl_status sl_recorder_capture(sl_recorder *r, const char *SL_NULLABLE name,
                                     sl_error *SL_NULLABLE *SL_NULLABLE err);
/* SL_OK while a microphone writes. SL_E_CLOSED: it was unplugged; the recorder has paused, as by
 * PAUSE, and goes on with another one without a gap. SL_E_MISUSE: there is none. */
SL_API sl_status sl_recorder_microphone(const sl_recorder *r);

/* Microseconds of voice so far: the master clock of a review. It follows the writes by some 20 ms;
 * about 10 s fit between: who writes faster than real time lets it catch up. */
SL_API int64_t sl_recorder_position(const sl_recorder *r);
/* Peak and root mean square, 0..1, of the last write, recorded or not. Any thread. */
SL_API void sl_recorder_meter(const sl_recorder *r, float *SL_NULLABLE peak,
                              float *SL_NULLABLE rms);
/* The picture so far, from the pair `from` on: lowest and highest of each *span_us as two signed
 * bytes, -127..127. At most `max` pairs are copied; returns how many. At 1500 pairs neighbours are
 * merged and the span doubles: a caller who sees another span asks from 0. Not on the audio thread. */
SL_API uint32_t sl_recorder_peaks(sl_recorder *r, uint32_t from, int8_t *SL_NULLABLE pairs,
                                  uint32_t max, int64_t *SL_NULLABLE span_us);
/* keep 1: *out {"blob":sha256,"duration_us":n,"peaks":"<base64>","dropped":frames}, the file
 * stored as a blob of `space` and queued for upload; with "loudness" {"lufs","peak_db","gain_db"},
 * measured before the gain, null for silence; with "speech" [[from_us,to_us],...], the stretches
 * of half a second and more where nobody speaks, as "silences". keep 0: throws it away. */
SL_API sl_status sl_recorder_finish(sl_recorder *r, const char *space, int32_t keep,
                                    sl_bytes *SL_NULLABLE *SL_NULLABLE out,
                                    sl_error *SL_NULLABLE *SL_NULLABLE err);

/* The Ogg Opus bytes of a recording that sl_core_info offers under "recordings", sealed or not.
 * SL_E_NOT_FOUND: none is offered under this path. */
SL_API sl_status sl_recording_read(sl_core *core, const char *path,
                                   sl_bytes *SL_NULLABLE *SL_NULLABLE out,
                                   sl_error *SL_NULLABLE *SL_NULLABLE err);

/* Removes one of them, for good. SL_E_NOT_FOUND likewise. */
SL_API sl_status sl_recording_remove(sl_core *core, const char *path,
                                     sl_error *SL_NULLABLE *SL_NULLABLE err);

/* --- playing ------------------------------------------------------------------------------------ */

typedef struct sl_voice sl_voice;

enum {
    SL_VOICE_RATE_ONE = 1000, /* rates are thousandths */
    SL_VOICE_SLOWEST = 250,
    SL_VOICE_FASTEST = 2000
};

/* An Ogg Opus file of any maker, mono or stereo, also torn and damaged ones: what is missing is
 * silence. The bytes are borrowed until sl_voice_close. SL_E_INVALID: no such file. SL_E_LIMIT:
 * longer than 10 hours. One thread at a time uses a voice; sl_voice_read never locks or allocates. */
SL_API sl_status sl_voice_open(const uint8_t *bytes, size_t n,
                               sl_voice *SL_NULLABLE *SL_NULLABLE out,
                               sl_error *SL_NULLABLE *SL_NULLABLE err);
SL_API void sl_voice_close(sl_voice *SL_NULLABLE v);
SL_API int64_t sl_voice_duration(const sl_voice *v); /* microseconds */
/* The next frames of mono 48 kHz PCM, the file's gain applied; fewer than max only at the end. */
SL_API uint32_t sl_voice_read(sl_voice *v, float *pcm, uint32_t max);
/* To the exact frame; before 0 is 0, after the end the end. */
SL_API void sl_voice_seek(sl_voice *v, int64_t at_us);
/* The pitch stays. SL_E_INVALID beyond the limits. */
SL_API sl_status sl_voice_set_rate(sl_voice *v, int32_t rate,
                                   sl_error *SL_NULLABLE *SL_NULLABLE err);
/* Microseconds of voice that the frame read last stands for, whatever the rate: what a review's
 * clock follows, less what the sound card still holds times the rate. */
SL_API int64_t sl_voice_position(const sl_voice *v);

/* --- files -------------------------------------------------------------------------------------- */

/* The stretch of a voice from from_us to to_us (-1: the end) as an Ogg Opus file, its packets
 * copied and not encoded again; the ends are exact to the frame. Two cuts split a voice.
 * SL_E_INVALID: no voice, or an empty stretch. */
SL_API sl_status sl_voice_cut(const uint8_t *bytes, size_t n, int64_t from_us, int64_t to_us,
                              sl_bytes *SL_NULLABLE *SL_NULLABLE out,
                              sl_error *SL_NULLABLE *SL_NULLABLE err);

enum {
    SL_VOICE_MP4 = 1, /* players of iOS 17 and macOS 14 on, Chromium, Firefox */
    SL_VOICE_CAF = 2  /* players of iOS 11 and macOS 10.13 on */
};
/* The voice in another container, for players that do not take Ogg. MP4 has the same packets and the
 * file's gain, which players of it apply; CAF has no place for a gain: a voice that has one is encoded
 * again with the gain in its sound, which costs 2 to 6 % of its length of a core and a little of its
 * quality. SL_E_INVALID: no voice of ours or alike. */
SL_API sl_status sl_voice_repack(const uint8_t *bytes, size_t n, int32_t container,
                                 sl_bytes *SL_NULLABLE *SL_NULLABLE out,
                                 sl_error *SL_NULLABLE *SL_NULLABLE err);

SL_END
#ifdef __cplusplus
}
#endif

#endif
