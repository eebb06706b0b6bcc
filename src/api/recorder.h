/*
 * api/recorder.h - a recorder inside: what its files share (voice.c its calls, voice_keep.c its
 * file and its end).
 *
 *     audio thread --write--> ring --pump--> take --> file --finish--> blob store
 *
 * The pump runs every 20 ms on a thread of the recorder's own; on a stepped core there is none
 * and the calls themselves pump. `lock` guards all but the ring and the atomics, and is never
 * taken by a write on a core with threads.
 */
#ifndef SL_API_RECORDER_H
#define SL_API_RECORDER_H

#include "api/inside.h"
#include "base/thread.h"
#include "sideline/voice.h"
#include "voice/ring.h"
#include "voice/take.h"

#include <stdatomic.h>

enum {
    SL_RECORDER_PUMP_FRAMES = 4096
};

struct sl_recorder {
    sl_core *core;
    sl_ring *ring;
    _Atomic uint32_t channels;
    uint32_t ring_frames;
    sl_mutex *lock;
    sl_thread *thread; /* NULL on a stepped core */
    bool stop;
    sl_take *take;
    char *path;
    char *note;     /* NULL: what is not finished is not kept */
    sl_draft *file; /* open until finished */
    int64_t size;
    int64_t synced; /* of size */
    int64_t sync_at_ms;
    sl_error *failure; /* the first one, of the disk or the encoder */
    float pcm[SL_RECORDER_PUMP_FRAMES];
    atomic_bool recording;
    _Atomic int32_t state;
    _Atomic int32_t failed; /* its status, for the writes */
    _Atomic int64_t position_us;
    void *mic; /* the platform's; under `lock` */
    _Atomic int32_t mic_status;
    _Atomic float peak;
    _Atomic float rms;
};

/* --- voice.c --- */

/* What is in the ring into the take, the file made safe once a second. Called locked. */
void sl_recorder_pump(sl_recorder *r);
void sl_recorder_end_thread(sl_recorder *r);
/* Remembers the first failure, whose words are in r->failure, and stops. */
sl_status sl_recorder_note(sl_recorder *r, sl_status status);
/* A failure that happened beside the calls, with its own words. */
sl_status sl_recorder_tell(const sl_recorder *r, sl_error **err);
/* The atomics follow the take. Called locked. */
void sl_recorder_show(sl_recorder *r);

/* --- voice_mic.c --- */

/* An unplugged microphone pauses. Called locked. */
void sl_recorder_watch_mic(sl_recorder *r);
void sl_recorder_close_mic(sl_recorder *r);

/* --- voice_keep.c --- */

/* Where the take writes; `user` is the recorder. */
sl_spool_file sl_recorder_file(sl_recorder *r);
sl_status sl_recorder_open_file(sl_recorder *r, sl_error **err);
sl_status sl_recorder_sync_file(sl_recorder *r, sl_error **err);
/* Of one with a note that nobody finished or cancelled: true when there is a voice to be kept. */
bool sl_recorder_leave(sl_recorder *r);
/* Removes it, or offers what is in it under "recordings". */
void sl_recorder_close_file(sl_recorder *r, bool keep);

#endif
