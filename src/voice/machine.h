/*
 * voice/machine.h - the recorder's states and what each gesture does in them (pure).
 *
 *              | paused       recording    held         held still   ended
 *   -----------+------------------------------------------------------------------
 *   record     | recording    -            -            -            -
 *   pause      | -            paused       held still   -            -
 *   hold       | held         held still   -            -            -
 *   release    | -            -            paused       paused       -
 *   tap        | recording    paused       -            -            -
 *   double tap | ended *      ended *      -            -            -
 *   swipe      | cancelled    cancelled    cancelled    cancelled    cancelled
 *   retake     | paused       -            -            -            paused
 *   finish     | finished *   finished *   finished *   finished *   finished *
 *
 * `-` is refused, and so is everything once finished or cancelled. `*`: refused while there is no
 * sound. "Held": recording as long as a finger stays down. "Held still": a finger is down and
 * nothing is recorded: a hold that paused what a tap had begun, or one that was interrupted.
 *
 *   [MACHINE-1] a double tap whose first tap began to record throws away what came between the two.
 */
#ifndef SL_VOICE_MACHINE_H
#define SL_VOICE_MACHINE_H

#include "base/error.h"

typedef enum sl_take_state {
    SL_TAKE_PAUSED, /* the first one */
    SL_TAKE_RECORDING,
    SL_TAKE_HELD,
    SL_TAKE_HELD_STILL,
    SL_TAKE_ENDED, /* nothing more goes in, unless part of it is taken again */
    SL_TAKE_FINISHED,
    SL_TAKE_CANCELLED
} sl_take_state;

typedef enum sl_take_command {
    SL_TAKE_RECORD = 1,
    SL_TAKE_PAUSE,
    SL_TAKE_HOLD,
    SL_TAKE_RELEASE,
    SL_TAKE_TAP,
    SL_TAKE_DOUBLE_TAP,
    SL_TAKE_SWIPE,
    SL_TAKE_RETAKE,
    SL_TAKE_FINISH
} sl_take_command;

enum {
    SL_TAKE_DOUBLE_TAP_FRAMES = 24000 /* of 48 kHz: no longer lie the two taps apart */
};

/* Zero-initialise. */
typedef struct sl_machine {
    sl_take_state state;
    int64_t tap_at; /* frames of voice when the tap that began this recording came; -1: none */
} sl_machine;

/* What is to be done with the voice. */
typedef struct sl_machine_step {
    sl_machine next; /* the machine afterwards, when the rest of it went well */
    int64_t cut;     /* frames of voice to keep, -1: all */
} sl_machine_step;

/* length: frames of voice so far. at: where a retake begins, else ignored. SL_E_MISUSE with a
 * sentence for what the state refuses; SL_E_INVALID, naming "at", for a place that is none. */
sl_status sl_machine_run(const sl_machine *m, sl_take_command command, int64_t at, int64_t length,
                         sl_machine_step *step, sl_error **err);
/* Whether sound is taken in this state. */
bool sl_machine_takes(sl_take_state state);

#endif
