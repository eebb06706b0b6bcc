/* sl_recorder: through the public calls, on a stepped core and on one with threads. */
#include "base/mem.h"
#include "studio.h"
#include "support.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

START_TEST(recorder__settings_out_of_range_are_refused)
{
    static const struct {
        const char *json;
        sl_status want;
    } cases[] = {{"{\"rate\":8000,\"channels\":1}", SL_OK},
                 {"{\"rate\":192000,\"channels\":2,\"bitrate\":6000}", SL_OK},
                 {"{\"rate\":7999,\"channels\":1}", SL_E_INVALID},
                 {"{\"rate\":192001,\"channels\":1}", SL_E_INVALID},
                 {"{\"rate\":48000,\"channels\":0}", SL_E_INVALID},
                 {"{\"rate\":48000,\"channels\":3}", SL_E_INVALID},
                 {"{\"rate\":48000,\"channels\":1,\"bitrate\":5999}", SL_E_INVALID},
                 {"{\"rate\":48000,\"channels\":1,\"bitrate\":999999999999}", SL_E_INVALID},
                 {"{\"rate\":48000", SL_E_INVALID}};
    open_core(SL_CORE_STEPPED);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sl_recorder *r = NULL;
        ck_assert_int_eq(start(cases[i].json, &r), cases[i].want);
        ck_assert((r != NULL) == (cases[i].want == SL_OK));
        sl_recorder_free(r);
    }
    sl_core *no_core = NULL;
    sl_recorder *none = NULL;
    ck_assert_int_eq(sl_recorder_new(no_core, "{}", 2, &none, NULL), SL_E_MISUSE);
    close_core();
}
END_TEST

START_TEST(recorder__starts_paused_and_refuses_what_its_state_refuses)
{
    open_core(SL_CORE_STEPPED);
    sl_recorder *r = start_mono();
    sl_bytes *out = NULL;
    float level = 0.0F;
    ck_assert_int_eq(sl_recorder_write(r, pcm, RATE, &level), SL_OK);
    ck_assert(level > 0.49F && level < 0.51F); /* a meter before recording */
    ck_assert_int_eq(sl_recorder_position(r), 0);
    ck_assert_int_eq(sl_recorder_command(r, SL_RECORDER_PAUSE, NULL), SL_E_MISUSE);
    ck_assert_int_eq(sl_recorder_command(r, 0, NULL), SL_E_MISUSE);
    ck_assert_int_eq(sl_recorder_command(r, 8, NULL), SL_E_MISUSE);
    ck_assert_int_eq(sl_recorder_finish(r, SPACE, 1, &out, NULL), SL_E_MISUSE);
    ck_assert_int_eq(sl_recorder_command(r, SL_RECORDER_RECORD, NULL), SL_OK);
    ck_assert_int_eq(sl_recorder_command(r, SL_RECORDER_RECORD, NULL), SL_E_MISUSE);
    ck_assert_int_eq(sl_recorder_write(r, pcm, RATE / 2, NULL), SL_OK);
    ck_assert_int_eq(sl_recorder_position(r), 500000);
    ck_assert_int_eq(sl_recorder_command(r, SL_RECORDER_PAUSE, NULL), SL_OK);
    ck_assert_int_eq(sl_recorder_write(r, pcm, RATE, NULL), SL_OK);
    ck_assert_int_eq(sl_recorder_command(r, SL_RECORDER_RECORD, NULL), SL_OK);
    ck_assert_int_eq(sl_recorder_write(r, pcm, RATE / 4, NULL), SL_OK);
    ck_assert_int_eq(sl_recorder_position(r), 750000);
    int64_t dropped = -1;
    ck_assert_int_eq(kept(r, &dropped), RATE * 3 / 4);
    ck_assert_int_eq(dropped, 0);
    ck_assert_int_eq(leftovers(), 0);
    close_core();
}
END_TEST

START_TEST(recorder__what_is_not_kept_leaves_nothing)
{
    open_core(SL_CORE_STEPPED);
    sl_recorder *r = start_mono();
    ck_assert_int_eq(sl_recorder_command(r, SL_RECORDER_RECORD, NULL), SL_OK);
    ck_assert_int_eq(sl_recorder_write(r, pcm, RATE, NULL), SL_OK);
    ck_assert_int_eq(leftovers(), 1);
    ck_assert_int_eq(sl_recorder_finish(r, SPACE, 0, NULL, NULL), SL_OK);
    ck_assert_int_eq(leftovers(), 0);
    sl_recorder_free(r);
    r = start_mono();
    ck_assert_int_eq(sl_recorder_command(r, SL_RECORDER_RECORD, NULL), SL_OK);
    ck_assert_int_eq(sl_recorder_write(r, pcm, RATE, NULL), SL_OK);
    sl_recorder_free(r); /* not finished: cancelled */
    ck_assert_int_eq(leftovers(), 0);
    close_core();
}
END_TEST

START_TEST(recorder__a_stepped_core_takes_any_burst)
{
    open_core(SL_CORE_STEPPED);
    sl_recorder *r = start_mono();
    float *long_one = sl_mem_array(25 * (size_t)RATE, sizeof *long_one);
    int64_t dropped = -1;
    ck_assert_int_eq(sl_recorder_command(r, SL_RECORDER_RECORD, NULL), SL_OK);
    ck_assert_int_eq(sl_recorder_write(r, long_one, 25 * RATE, NULL), SL_OK);
    ck_assert_int_eq(kept(r, &dropped), 25 * RATE);
    ck_assert_int_eq(dropped, 0);
    sl_mem_free(long_one);
    close_core();
}
END_TEST

START_TEST(recorder__a_writer_that_lets_it_catch_up_loses_nothing)
{
    open_core(0);
    sl_recorder *r = start_mono();
    ck_assert_int_eq(sl_recorder_command(r, SL_RECORDER_RECORD, NULL), SL_OK);
    for (int64_t s = 1; s <= 24; s++) {
        ck_assert_int_eq(sl_recorder_write(r, pcm, RATE, NULL), SL_OK);
        while (sl_recorder_position(r) < (s - 5) * 1000000) {
            (void)sl_core_wait(core, 5);
        }
    }
    int64_t dropped = -1;
    ck_assert_int_eq(kept(r, &dropped), 24 * RATE);
    ck_assert_int_eq(dropped, 0);
    close_core();
}
END_TEST

START_TEST(recorder__a_burst_that_does_not_fit_keeps_its_length)
{
    open_core(0);
    sl_recorder *r = start_mono();
    float *long_one = sl_mem_array(30 * (size_t)RATE, sizeof *long_one);
    int64_t dropped = -1;
    ck_assert_int_eq(sl_recorder_command(r, SL_RECORDER_RECORD, NULL), SL_OK);
    ck_assert_int_eq(sl_recorder_write(r, long_one, 30 * RATE, NULL), SL_OK);
    ck_assert_int_eq(kept(r, &dropped), 30 * RATE);
    ck_assert_int_gt(dropped, 15 * RATE);
    ck_assert_int_le(dropped, 20 * RATE);
    sl_mem_free(long_one);
    close_core();
}
END_TEST

/* Facts about the recordings that were found; freed by the caller. */
static sl_json *recordings(void)
{
    sl_bytes *b = NULL;
    ck_assert_int_eq(sl_core_info(core, "recordings", &b, NULL), SL_OK);
    sl_json *j = sl_json_parse((const char *)sl_bytes_data(b), sl_bytes_len(b));
    sl_bytes_release(b);
    return j;
}

static void reopen(void)
{
    sl_config config = {.struct_size = sizeof config, .flags = SL_CORE_STEPPED, .dir = dir};
    sl_core_close(core);
    ck_assert_int_eq(sl_core_open(&config, &core, NULL), SL_OK);
}

/* A process of its own records for `seconds` and is killed in the middle. */
static void record_and_die(int seconds)
{
    sl_core_close(core);
    core = NULL;
    pid_t child = fork();
    if (child == 0) {
        sl_config config = {.struct_size = sizeof config, .flags = SL_CORE_STEPPED, .dir = dir};
        sl_recorder *r = NULL;
        bool ok = sl_core_open(&config, &core, NULL) == SL_OK &&
                  start("{\"rate\":48000,\"channels\":1}", &r) == SL_OK &&
                  sl_recorder_command(r, SL_RECORDER_RECORD, NULL) == SL_OK;
        for (int i = 0; i < seconds && ok; i++) {
            ok = sl_recorder_write(r, pcm, RATE, NULL) == SL_OK;
        }
        _exit(ok ? 0 : 1);
    }
    int status = -1;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    reopen();
}

START_TEST(recorder__that_was_killed_leaves_a_voice_to_come_back_to)
{
    char path[400];
    open_core(SL_CORE_STEPPED);
    record_and_die(5);
    for (int i = 0; i < 2; i++) { /* it is offered until it is taken */
        sl_json *found = recordings();
        ck_assert_uint_eq(sl_json_count(found), 1);
        int64_t long_us = sl_json_int_or(sl_json_at(found, 0), "duration_us", 0);
        ck_assert(long_us >= 3900000 && long_us <= 5000000);
        (void)snprintf(path, sizeof path, "%s", sl_json_str(sl_json_at(found, 0), "path"));
        sl_json_free(found);
        reopen();
    }
    ck_assert_int_eq(unlink(path), 0);
    sl_json *none = recordings();
    ck_assert_uint_eq(sl_json_count(none), 0);
    sl_json_free(none);
    reopen();
    none = recordings();
    ck_assert_uint_eq(sl_json_count(none), 0);
    sl_json_free(none);
    close_core();
}
END_TEST

START_TEST(recorder__with_a_note_that_is_freed_is_offered_with_it_until_removed)
{
    char path[400];
    open_core(SL_CORE_STEPPED);
    sl_recorder *r = NULL;
    ck_assert_int_eq(start("{\"rate\":48000,\"channels\":1,\"note\":\"video:7\"}", &r), SL_OK);
    sl_recorder_free(r); /* without a sound there is nothing to keep */
    sl_json *none = recordings();
    ck_assert_uint_eq(sl_json_count(none), 0);
    sl_json_free(none);
    ck_assert_int_eq(leftovers(), 0);
    ck_assert_int_eq(start("{\"rate\":48000,\"channels\":1,\"note\":\"video:7\"}", &r), SL_OK);
    ck_assert_int_eq(sl_recorder_command(r, SL_RECORDER_RECORD, NULL), SL_OK);
    ck_assert_int_eq(sl_recorder_write(r, pcm, RATE, NULL), SL_OK);
    sl_recorder_free(r);
    for (int i = 0; i < 2; i++) {
        sl_json *found = recordings();
        ck_assert_uint_eq(sl_json_count(found), 1);
        const sl_json *one = sl_json_at(found, 0);
        ck_assert_int_eq(sl_json_int_or(one, "duration_us", 0), 1000000);
        ck_assert_str_eq(sl_json_str(one, "note"), "video:7");
        (void)snprintf(path, sizeof path, "%s", sl_json_str(one, "path"));
        sl_json_free(found);
        reopen();
    }
    ck_assert_int_eq(sl_recording_remove(core, path, NULL), SL_OK);
    ck_assert_int_eq(sl_recording_remove(core, path, NULL), SL_E_NOT_FOUND);
    ck_assert_int_eq(leftovers(), 0);
    none = recordings();
    ck_assert_uint_eq(sl_json_count(none), 0);
    sl_json_free(none);
    close_core();
}
END_TEST

START_TEST(recorder__with_a_note_that_is_cancelled_leaves_nothing)
{
    open_core(SL_CORE_STEPPED);
    sl_recorder *r = NULL;
    ck_assert_int_eq(start("{\"rate\":48000,\"channels\":1,\"note\":\"video:7\"}", &r), SL_OK);
    ck_assert_int_eq(sl_recorder_command(r, SL_RECORDER_RECORD, NULL), SL_OK);
    ck_assert_int_eq(sl_recorder_write(r, pcm, RATE, NULL), SL_OK);
    ck_assert_int_eq(sl_recorder_finish(r, "", 0, NULL, NULL), SL_OK);
    sl_recorder_free(r);
    ck_assert_int_eq(leftovers(), 0);
    sl_json *none = recordings();
    ck_assert_uint_eq(sl_json_count(none), 0);
    sl_json_free(none);
    close_core();
}
END_TEST

START_TEST(recorder__a_note_has_up_to_1000_bytes)
{
    char json[1100];
    open_core(SL_CORE_STEPPED);
    for (int more = 0; more < 2; more++) {
        sl_recorder *r = NULL;
        (void)snprintf(json, sizeof json, "{\"rate\":48000,\"channels\":1,\"note\":\"%0*d\"}",
                       1000 + more, 0);
        ck_assert_int_eq(start(json, &r), more == 0 ? SL_OK : SL_E_INVALID);
        sl_recorder_free(r);
    }
    close_core();
}
END_TEST

START_TEST(recorder__that_was_killed_before_any_sound_leaves_nothing)
{
    open_core(SL_CORE_STEPPED);
    record_and_die(0);
    sl_json *none = recordings();
    ck_assert_uint_eq(sl_json_count(none), 0);
    sl_json_free(none);
    ck_assert_int_eq(leftovers(), 0);
    int64_t dropped = 0;
    sl_recorder *r = start_mono();
    ck_assert_int_eq(sl_recorder_command(r, SL_RECORDER_RECORD, NULL), SL_OK);
    ck_assert_int_eq(sl_recorder_write(r, pcm, RATE, NULL), SL_OK);
    (void)kept(r, &dropped);
    reopen();
    none = recordings(); /* a finished one is nothing to come back to */
    ck_assert_uint_eq(sl_json_count(none), 0);
    sl_json_free(none);
    close_core();
}
END_TEST

START_TEST(recorder__running_out_of_memory_while_starting_is_only_an_error)
{
    open_core(SL_CORE_STEPPED);
    bool enough = false;
    for (uint64_t k = 1; k < 100 && !enough; k++) {
        sl_recorder *r = NULL;
        (void)sl_mem_fail_at(k, false);
        sl_status status = start("{\"rate\":44100,\"channels\":2}", &r);
        enough = sl_mem_fail_at(0, false) < k;
        /* Out of memory while it reads the settings looks like bad settings to the reader. */
        ck_assert(enough ? status == SL_OK : status == SL_E_NOMEM || status == SL_E_INVALID);
        ck_assert((r != NULL) == (status == SL_OK));
        sl_recorder_free(r);
    }
    ck_assert(enough);
    ck_assert_int_eq(leftovers(), 0);
    close_core();
}
END_TEST

SL_TEST_MAIN("voice_recorder", recorder__settings_out_of_range_are_refused,
             recorder__starts_paused_and_refuses_what_its_state_refuses,
             recorder__what_is_not_kept_leaves_nothing, recorder__a_stepped_core_takes_any_burst,
             recorder__a_writer_that_lets_it_catch_up_loses_nothing,
             recorder__a_burst_that_does_not_fit_keeps_its_length,
             recorder__that_was_killed_leaves_a_voice_to_come_back_to,
             recorder__that_was_killed_before_any_sound_leaves_nothing,
             recorder__with_a_note_that_is_freed_is_offered_with_it_until_removed,
             recorder__with_a_note_that_is_cancelled_leaves_nothing,
             recorder__a_note_has_up_to_1000_bytes,
             recorder__running_out_of_memory_while_starting_is_only_an_error)
