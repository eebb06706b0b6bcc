/* voice/machine.c - the table of the header as data. */
#include "voice/machine.h"

enum {
    STATES = SL_TAKE_CANCELLED + 1,
    COMMANDS = SL_TAKE_FINISH + 1,
    NO = -1 /* refused */
};

#define PAUSED    SL_TAKE_PAUSED
#define RECORDING SL_TAKE_RECORDING
#define HELD      SL_TAKE_HELD
#define STILL     SL_TAKE_HELD_STILL
#define ENDED     SL_TAKE_ENDED
#define FINISHED  SL_TAKE_FINISHED
#define CANCELLED SL_TAKE_CANCELLED

static const int table[STATES][COMMANDS] = {
    /* record pause hold release tap double-tap swipe retake finish */
    [PAUSED] = {NO, RECORDING, NO, HELD, NO, RECORDING, ENDED, CANCELLED, PAUSED, FINISHED},
    [RECORDING] = {NO, NO, PAUSED, STILL, NO, PAUSED, ENDED, CANCELLED, NO, FINISHED},
    [HELD] = {NO, NO, STILL, NO, PAUSED, NO, NO, CANCELLED, NO, FINISHED},
    [STILL] = {NO, NO, NO, NO, PAUSED, NO, NO, CANCELLED, NO, FINISHED},
    [ENDED] = {NO, NO, NO, NO, NO, NO, NO, CANCELLED, PAUSED, FINISHED},
    [FINISHED] = {NO, NO, NO, NO, NO, NO, NO, NO, NO, NO},
    [CANCELLED] = {NO, NO, NO, NO, NO, NO, NO, NO, NO, NO},
};

static const char *const names[COMMANDS] = {
    "",           "record again",      "pause",     "be held", "be let go",
    "take a tap", "take a double tap", "be swiped", "retake",  "finish"};

static const char *const states[STATES] = {
    "is paused",
    "is recording",
    "is recording while a finger holds it",
    "is paused with a finger on it",
    "has ended",
    "has finished",
    "was cancelled",
};

static sl_status refuse(const sl_machine *m, sl_take_command command, sl_error **err)
{
    return sl_fail(err, SL_E_MISUSE, "The recorder %s and cannot %s", states[m->state],
                   names[command]);
}

/* [MACHINE-1] */
static int64_t kept(const sl_machine *m, int64_t length)
{
    bool tapped = m->state == RECORDING && m->tap_at >= 0;
    return tapped && length - m->tap_at <= SL_TAKE_DOUBLE_TAP_FRAMES ? m->tap_at : length;
}

sl_status sl_machine_run(const sl_machine *m, sl_take_command command, int64_t at, int64_t length,
                         sl_machine_step *step, sl_error **err)
{
    if (command < SL_TAKE_RECORD || command > SL_TAKE_FINISH) {
        return sl_fail(err, SL_E_MISUSE, "The recorder knows no such command");
    }
    int next = table[m->state][command];
    if (next == NO) {
        return refuse(m, command, err);
    }
    if (command == SL_TAKE_RETAKE && (at < 0 || at > length)) {
        return sl_fail_field(err, SL_E_INVALID, "at",
                             "A retake begins within the voice recorded so far");
    }
    int64_t keep = command == SL_TAKE_DOUBLE_TAP ? kept(m, length)
                   : command == SL_TAKE_RETAKE   ? at
                                                 : length;
    if (keep == 0 && (next == ENDED || next == FINISHED)) {
        return sl_fail(err, SL_E_MISUSE, "Nothing was recorded");
    }
    step->cut = keep < length ? keep : -1;
    step->next.state = (sl_take_state)next;
    step->next.tap_at = command == SL_TAKE_TAP && next == RECORDING ? length : -1;
    return SL_OK;
}

bool sl_machine_takes(sl_take_state state)
{
    return state == RECORDING || state == HELD;
}
