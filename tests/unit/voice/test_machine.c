/* The recorder's states and gestures: every pair, what is refused, and long random sequences. */
#include "voice/machine.h"

#include "base/prng.h"
#include "support.h"

#include <string.h>

enum {
    STATES = SL_TAKE_CANCELLED + 1,
    COMMANDS = SL_TAKE_FINISH + 1,
    SECOND = 48000
};

/* One character for each command, in their order: the state it leads to, or '-' for refused. */
static const char *const wanted[STATES] = {
    [SL_TAKE_PAUSED] = "R-H-RECPF",    [SL_TAKE_RECORDING] = "-PS-PEC-F",
    [SL_TAKE_HELD] = "-S-P--C-F",      [SL_TAKE_HELD_STILL] = "---P--C-F",
    [SL_TAKE_ENDED] = "------CPF",     [SL_TAKE_FINISHED] = "---------",
    [SL_TAKE_CANCELLED] = "---------",
};

static char letter(sl_take_state state)
{
    return "PRHSEFC"[state];
}

START_TEST(machine__each_gesture_does_in_each_state_what_the_table_says)
{
    for (int s = 0; s < STATES; s++) {
        for (int c = 1; c < COMMANDS; c++) {
            sl_machine m = {.state = (sl_take_state)s, .tap_at = -1};
            sl_machine_step step = {{SL_TAKE_PAUSED, -1}, -1};
            sl_error *err = NULL;
            char want = wanted[s][c - 1];
            sl_status got = sl_machine_run(&m, (sl_take_command)c, SECOND, SECOND, &step, &err);
            ck_assert_int_eq(got, want == '-' ? SL_E_MISUSE : SL_OK);
            if (want != '-') {
                ck_assert_int_eq(letter(step.next.state), want);
                ck_assert_ptr_null(err);
            } else {
                ck_assert_ptr_nonnull(strstr(sl_error_message(err), "The recorder "));
                ck_assert_ptr_nonnull(strstr(sl_error_message(err), " and cannot "));
            }
            sl_error_release(err);
        }
    }
}
END_TEST

START_TEST(machine__what_is_no_command_is_refused)
{
    static const int none[] = {-1, 0, COMMANDS, 1000};
    sl_machine m = {SL_TAKE_PAUSED, -1};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        sl_machine_step step;
        ck_assert_int_eq(sl_machine_run(&m, (sl_take_command)none[i], 0, SECOND, &step, NULL),
                         SL_E_MISUSE);
    }
}
END_TEST

START_TEST(machine__without_sound_nothing_ends)
{
    static const sl_take_command ends[] = {SL_TAKE_DOUBLE_TAP, SL_TAKE_FINISH};
    for (size_t i = 0; i < 2; i++) {
        sl_machine m = {SL_TAKE_RECORDING, -1};
        sl_machine_step step;
        ck_assert_int_eq(sl_machine_run(&m, ends[i], 0, 0, &step, NULL), SL_E_MISUSE);
        ck_assert_int_eq(sl_machine_run(&m, ends[i], 0, 1, &step, NULL), SL_OK);
        ck_assert_int_eq(step.cut, -1);
    }
}
END_TEST

START_TEST(machine__a_retake_begins_within_the_voice)
{
    static const struct {
        int64_t at;
        sl_status want;
        int64_t cut;
    } cases[] = {{-1, SL_E_INVALID, 0},
                 {0, SL_OK, 0},
                 {SECOND - 1, SL_OK, SECOND - 1},
                 {SECOND, SL_OK, -1},
                 {SECOND + 1, SL_E_INVALID, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sl_machine m = {SL_TAKE_ENDED, -1};
        sl_machine_step step = {{SL_TAKE_PAUSED, -1}, -1};
        ck_assert_int_eq(sl_machine_run(&m, SL_TAKE_RETAKE, cases[i].at, SECOND, &step, NULL),
                         cases[i].want);
        if (cases[i].want == SL_OK) {
            ck_assert_int_eq(step.cut, cases[i].cut);
            ck_assert_int_eq(step.next.state, SL_TAKE_PAUSED);
        }
    }
}
END_TEST

static sl_machine after(sl_machine m, sl_take_command command, int64_t length)
{
    sl_machine_step step = {m, -1};
    ck_assert_int_eq(sl_machine_run(&m, command, 0, length, &step, NULL), SL_OK);
    return step.next;
}

/* [MACHINE-1] */
START_TEST(machine__the_first_tap_of_two_is_not_heard)
{
    sl_machine m = after((sl_machine){SL_TAKE_PAUSED, -1}, SL_TAKE_TAP, SECOND);
    sl_machine_step step;
    int64_t soon = SECOND + SL_TAKE_DOUBLE_TAP_FRAMES;
    ck_assert_int_eq(sl_machine_run(&m, SL_TAKE_DOUBLE_TAP, 0, soon, &step, NULL), SL_OK);
    ck_assert_int_eq(step.cut, SECOND);
    ck_assert_int_eq(sl_machine_run(&m, SL_TAKE_DOUBLE_TAP, 0, soon + 1, &step, NULL), SL_OK);
    ck_assert_int_eq(step.cut, -1);
    /* Of a recording that the first tap began there is nothing to keep. */
    m = after((sl_machine){SL_TAKE_PAUSED, -1}, SL_TAKE_TAP, 0);
    ck_assert_int_eq(sl_machine_run(&m, SL_TAKE_DOUBLE_TAP, 0, 4800, &step, NULL), SL_E_MISUSE);
    /* A tap that paused: the second one ends what there is. */
    m = after((sl_machine){SL_TAKE_RECORDING, -1}, SL_TAKE_TAP, SECOND);
    ck_assert_int_eq(sl_machine_run(&m, SL_TAKE_DOUBLE_TAP, 0, SECOND, &step, NULL), SL_OK);
    ck_assert_int_eq(step.cut, -1);
}
END_TEST

/* Against a model made of the letters alone. */
START_TEST(machine__never_leaves_the_table_whatever_comes)
{
    sl_prng random;
    sl_prng_seed(&random, 1);
    for (int round = 0; round < 2000; round++) {
        sl_machine m = {SL_TAKE_PAUSED, -1};
        int64_t length = 0;
        char model = 'P';
        for (int i = 0; i < 60; i++) {
            int c = 1 + (int)sl_prng_below(&random, COMMANDS - 1);
            int64_t at = (int64_t)sl_prng_below(&random, 2 * SECOND) - SECOND / 2;
            sl_machine_step step = {m, -1};
            sl_status got = sl_machine_run(&m, (sl_take_command)c, at, length, &step, NULL);
            if (got == SL_OK) {
                model = wanted[m.state][c - 1];
                ck_assert_int_eq(letter(step.next.state), model);
                ck_assert(step.cut < length && step.cut >= -1);
                length = step.cut >= 0 ? step.cut : length;
                m = step.next;
            }
            ck_assert_int_eq(letter(m.state), model);
            ck_assert_int_eq(sl_machine_takes(m.state), model == 'R' || model == 'H');
            length += sl_machine_takes(m.state) ? (int64_t)sl_prng_below(&random, SECOND) : 0;
        }
    }
}
END_TEST

SL_TEST_MAIN("voice_machine", machine__each_gesture_does_in_each_state_what_the_table_says,
             machine__what_is_no_command_is_refused, machine__without_sound_nothing_ends,
             machine__a_retake_begins_within_the_voice, machine__the_first_tap_of_two_is_not_heard,
             machine__never_leaves_the_table_whatever_comes)
