/* sl_recorder by hand: gestures, retakes, both forms of PCM, the meter, a disk that fills up. */
#include "studio.h"

#include "sideline/platform.h"

START_TEST(hands__each_gesture_through_the_public_calls)
{
    static const struct {
        int32_t command;
        int32_t state;
    } steps[] = {{SL_RECORDER_HOLD, SL_RECORDER_IS_HELD},
                 {SL_RECORDER_RELEASE, SL_RECORDER_IS_PAUSED},
                 {SL_RECORDER_TAP, SL_RECORDER_IS_RECORDING},
                 {SL_RECORDER_HOLD, SL_RECORDER_IS_HELD_STILL},
                 {SL_RECORDER_RELEASE, SL_RECORDER_IS_PAUSED},
                 {SL_RECORDER_HOLD, SL_RECORDER_IS_HELD},
                 {SL_RECORDER_PAUSE, SL_RECORDER_IS_HELD_STILL},
                 {SL_RECORDER_RELEASE, SL_RECORDER_IS_PAUSED},
                 {SL_RECORDER_TAP, SL_RECORDER_IS_RECORDING},
                 {SL_RECORDER_TAP, SL_RECORDER_IS_PAUSED},
                 {SL_RECORDER_DOUBLE_TAP, SL_RECORDER_HAS_ENDED}};
    int64_t dropped = 0;
    int64_t frames = 0;
    open_core(SL_CORE_STEPPED);
    sl_recorder *r = start_mono();
    ck_assert_int_eq(sl_recorder_state(r), SL_RECORDER_IS_PAUSED);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        ck_assert_int_eq(sl_recorder_command(r, steps[i].command, NULL), SL_OK);
        ck_assert_int_eq(sl_recorder_state(r), steps[i].state);
        ck_assert_int_eq(sl_recorder_write(r, pcm, RATE / 10, NULL), SL_OK);
        bool takes =
            steps[i].state == SL_RECORDER_IS_HELD || steps[i].state == SL_RECORDER_IS_RECORDING;
        frames += takes ? RATE / 10 : 0;
        ck_assert_int_eq(sl_recorder_position(r), frames * 125 / 6);
    }
    ck_assert_int_eq(kept(r, &dropped), frames);
    close_core();
}
END_TEST

START_TEST(hands__a_refusal_is_a_sentence_and_changes_nothing)
{
    open_core(SL_CORE_STEPPED);
    sl_recorder *r = start_mono();
    sl_error *err = NULL;
    ck_assert_int_eq(sl_recorder_command(r, SL_RECORDER_RELEASE, &err), SL_E_MISUSE);
    ck_assert_str_eq(sl_error_message(err), "The recorder is paused and cannot be let go");
    sl_error_release(err);
    ck_assert_int_eq(sl_recorder_command(r, SL_RECORDER_DOUBLE_TAP, &err), SL_E_MISUSE);
    ck_assert_str_eq(sl_error_message(err), "Nothing was recorded");
    sl_error_release(err);
    ck_assert_int_eq(sl_recorder_state(r), SL_RECORDER_IS_PAUSED);
    sl_recorder_free(r);
    close_core();
}
END_TEST

START_TEST(hands__a_swipe_throws_it_away)
{
    open_core(SL_CORE_STEPPED);
    sl_recorder *r = start_mono();
    sl_bytes *out = NULL;
    ck_assert_int_eq(sl_recorder_command(r, SL_RECORDER_HOLD, NULL), SL_OK);
    ck_assert_int_eq(sl_recorder_write(r, pcm, RATE, NULL), SL_OK);
    ck_assert_int_eq(sl_recorder_command(r, SL_RECORDER_SWIPE, NULL), SL_OK);
    ck_assert_int_eq(sl_recorder_state(r), SL_RECORDER_WAS_CANCELLED);
    ck_assert_int_eq(sl_recorder_finish(r, SPACE, 1, &out, NULL), SL_E_MISUSE);
    ck_assert_int_eq(sl_recorder_finish(r, SPACE, 0, NULL, NULL), SL_OK);
    ck_assert_int_eq(leftovers(), 0);
    sl_recorder_free(r);
    close_core();
}
END_TEST

START_TEST(hands__a_retake_goes_on_from_there)
{
    int64_t dropped = 0;
    open_core(SL_CORE_STEPPED);
    sl_recorder *r = start_mono();
    ck_assert_int_eq(sl_recorder_command(r, SL_RECORDER_RECORD, NULL), SL_OK);
    ck_assert_int_eq(sl_recorder_write(r, pcm, RATE, NULL), SL_OK);
    ck_assert_int_eq(sl_recorder_retake(r, 500000, NULL), SL_E_MISUSE); /* pause first */
    ck_assert_int_eq(sl_recorder_command(r, SL_RECORDER_PAUSE, NULL), SL_OK);
    ck_assert_int_eq(sl_recorder_retake(r, -1, NULL), SL_E_INVALID);
    ck_assert_int_eq(sl_recorder_retake(r, 1000021, NULL), SL_E_INVALID);
    ck_assert_int_eq(sl_recorder_retake(r, INT64_MAX, NULL), SL_E_INVALID);
    ck_assert_int_eq(sl_recorder_retake(r, 1000000, NULL), SL_OK);
    ck_assert_int_eq(sl_recorder_position(r), 1000000);
    ck_assert_int_eq(sl_recorder_retake(r, 500000, NULL), SL_OK);
    ck_assert_int_eq(sl_recorder_position(r), 500000);
    ck_assert_int_eq(sl_recorder_command(r, SL_RECORDER_RECORD, NULL), SL_OK);
    ck_assert_int_eq(sl_recorder_write(r, pcm, RATE / 4, NULL), SL_OK);
    ck_assert_int_eq(kept(r, &dropped), RATE * 3 / 4);
    close_core();
}
END_TEST

START_TEST(hands__words_floats_and_another_device_in_one_voice)
{
    static int16_t words[2 * 16000];
    int64_t dropped = 0;
    float level = 0.0F;
    float peak = 0.0F;
    float rms = 0.0F;
    open_core(0);
    sl_recorder *r = start_mono();
    for (int i = 0; i < 16000; i++) {
        words[2 * i] = i % 2 == 0 ? 16384 : -16384;
        words[2 * i + 1] = words[2 * i];
    }
    ck_assert_int_eq(sl_recorder_command(r, SL_RECORDER_RECORD, NULL), SL_OK);
    ck_assert_int_eq(sl_recorder_write(r, pcm, RATE, NULL), SL_OK);
    ck_assert_int_eq(sl_recorder_format(r, 16000, 3, NULL), SL_E_INVALID);
    ck_assert_int_eq(sl_recorder_format(r, 7999, 2, NULL), SL_E_INVALID);
    ck_assert_int_eq(sl_recorder_format(r, 16000, 2, NULL), SL_OK);
    ck_assert_int_eq(sl_recorder_write16(r, words, 16000, &level), SL_OK);
    sl_recorder_meter(r, &peak, &rms);
    ck_assert_float_eq(level, 0.5F);
    ck_assert_float_eq(peak, 0.5F);
    ck_assert_float_eq_tol(rms, 0.5F, 0.001F);
    ck_assert_int_eq(kept(r, &dropped), 2 * RATE);
    close_core();
}
END_TEST

START_TEST(hands__the_picture_can_be_seen_while_it_grows)
{
    int8_t pairs[300];
    int64_t span = 0;
    open_core(SL_CORE_STEPPED);
    sl_recorder *r = start_mono();
    ck_assert_uint_eq(sl_recorder_peaks(r, 0, pairs, 150, &span), 0);
    ck_assert_int_eq(span, 10000);
    ck_assert_int_eq(sl_recorder_command(r, SL_RECORDER_RECORD, NULL), SL_OK);
    ck_assert_int_eq(sl_recorder_write(r, pcm, RATE, NULL), SL_OK);
    ck_assert_uint_eq(sl_recorder_peaks(r, 0, pairs, 150, NULL), 99); /* one is on its way */
    ck_assert_int_lt(pairs[100], -55);
    ck_assert_int_gt(pairs[101], 55);
    ck_assert_uint_eq(sl_recorder_peaks(r, 90, pairs, 5, NULL), 5);
    ck_assert_uint_eq(sl_recorder_peaks(r, 99, pairs, 5, NULL), 0);
    ck_assert_uint_eq(sl_recorder_peaks(r, 0, NULL, 5, &span), 0);
    sl_recorder_free(r);
    close_core();
}
END_TEST

START_TEST(hands__finish_tells_how_loud_it_was)
{
    open_core(SL_CORE_STEPPED);
    for (int silent = 0; silent < 2; silent++) {
        sl_recorder *r = start_mono();
        sl_bytes *out = NULL;
        tone_make(pcm, RATE, 997.0, RATE, silent ? 0.0 : 0.1);
        ck_assert_int_eq(sl_recorder_command(r, SL_RECORDER_RECORD, NULL), SL_OK);
        ck_assert_int_eq(sl_recorder_write(r, pcm, RATE, NULL), SL_OK);
        ck_assert_int_eq(sl_recorder_finish(r, SPACE, 1, &out, NULL), SL_OK);
        sl_json *j = sl_json_parse((const char *)sl_bytes_data(out), sl_bytes_len(out));
        const sl_json *loudness = sl_json_get(j, "loudness");
        ck_assert_int_eq(sl_json_is_null(loudness), silent);
        if (!silent) { /* a sine of 997 Hz at -20 dBFS is -23.0 LUFS in one channel */
            ck_assert_double_eq_tol(sl_json_num_or(loudness, "lufs", 0), -23.0, 0.1);
            ck_assert_double_eq_tol(sl_json_num_or(loudness, "peak_db", 0), -19.5, 0.6);
            ck_assert_double_eq_tol(sl_json_num_or(loudness, "gain_db", 0), 7.0, 0.1);
        }
        sl_json_free(j);
        sl_bytes_release(out);
        sl_recorder_free(r);
    }
    close_core();
}
END_TEST

START_TEST(hands__a_voice_is_played_cut_and_repacked)
{
    static float heard[RATE];
    open_core(SL_CORE_STEPPED);
    sl_recorder *r = start_mono();
    sl_bytes *out = NULL;
    sl_bytes *ogg = NULL;
    sl_bytes *made = NULL;
    sl_voice *v = NULL;
    ck_assert_int_eq(sl_recorder_command(r, SL_RECORDER_TAP, NULL), SL_OK);
    ck_assert_int_eq(sl_recorder_write(r, pcm, RATE, NULL), SL_OK);
    ck_assert_int_eq(sl_recorder_finish(r, SPACE, 1, &out, NULL), SL_OK);
    sl_json *j = sl_json_parse((const char *)sl_bytes_data(out), sl_bytes_len(out));
    ck_assert_int_eq(sl_blob_get(core, sl_json_str(j, "blob"), &ogg, NULL), SL_OK);
    const uint8_t *p = sl_bytes_data(ogg);
    size_t n = sl_bytes_len(ogg);
    ck_assert_int_eq(sl_voice_open(p, 10, &v, NULL), SL_E_INVALID);
    const uint8_t *none = NULL;
    ck_assert_int_eq(sl_voice_open(none, n, &v, NULL), SL_E_MISUSE);
    ck_assert_int_eq(sl_voice_open(p, n, &v, NULL), SL_OK);
    ck_assert_int_eq(sl_voice_duration(v), 1000000);
    ck_assert_int_eq(sl_voice_set_rate(v, 249, NULL), SL_E_INVALID);
    ck_assert_int_eq(sl_voice_set_rate(v, 2001, NULL), SL_E_INVALID);
    ck_assert_int_eq(sl_voice_set_rate(v, 250, NULL), SL_OK);
    sl_voice_seek(v, 500000);
    ck_assert_uint_eq(sl_voice_read(v, heard, 4800), 4800);
    ck_assert_int_eq(sl_voice_position(v), 525000);
    ck_assert_int_eq(sl_voice_set_rate(v, 2000, NULL), SL_OK);
    ck_assert_uint_eq(sl_voice_read(v, heard, 4800), 4800);
    ck_assert_int_eq(sl_voice_position(v), 725000);
    for (int64_t us = 0; us < 1000000; us += 1234) { /* a place that was told leads back to it */
        sl_voice_seek(v, us);
        int64_t place = sl_voice_position(v);
        ck_assert(place >= us && place < us + 21);
        sl_voice_seek(v, place);
        ck_assert_int_eq(sl_voice_position(v), place);
    }
    sl_voice_close(v);
    ck_assert_int_eq(sl_voice_cut(p, n, -1, -1, &made, NULL), SL_E_INVALID);
    ck_assert_int_eq(sl_voice_cut(p, n, 1000000, -1, &made, NULL), SL_E_INVALID);
    ck_assert_int_eq(sl_voice_cut(p, n, 250000, 750000, &made, NULL), SL_OK);
    ck_assert_int_eq(sl_voice_open(sl_bytes_data(made), sl_bytes_len(made), &v, NULL), SL_OK);
    ck_assert_int_eq(sl_voice_duration(v), 500000);
    sl_voice_close(v);
    sl_bytes_release(made);
    for (int32_t container = SL_VOICE_MP4; container <= SL_VOICE_CAF; container++) {
        ck_assert_int_eq(sl_voice_repack(p, n, container, &made, NULL), SL_OK);
        ck_assert_uint_gt(sl_bytes_len(made), 1000);
        sl_bytes_release(made);
    }
    ck_assert_int_eq(sl_voice_repack(p, n, 3, &made, NULL), SL_E_INVALID);
    sl_bytes_release(ogg);
    sl_json_free(j);
    sl_bytes_release(out);
    sl_recorder_free(r);
    close_core();
}
END_TEST

/* --- a disk that fills up ----------------------------------------------------------------- */

static sl_platform real;
static sl_file_ops files;
static int writes_left = -1;

static sl_status limited_write(void *user, void *file, const void *src, size_t n, int64_t at)
{
    if (writes_left == 0) {
        return SL_E_FULL;
    }
    writes_left -= writes_left > 0 ? 1 : 0;
    return real.files->write(user, file, src, n, at);
}

static void open_limited(void)
{
    static sl_platform limited;
    (void)snprintf(dir, sizeof dir, "/var/tmp/sideline-voice-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    ck_assert_int_eq(sl_platform_builtin(&real), SL_OK);
    files = *real.files;
    files.write = limited_write;
    limited = real;
    limited.files = &files;
    sl_config config = {
        .struct_size = sizeof config, .flags = SL_CORE_STEPPED, .dir = dir, .platform = &limited};
    ck_assert_int_eq(sl_core_open(&config, &core, NULL), SL_OK);
    tone_make(pcm, RATE, 500.0, RATE, 0.5);
}

START_TEST(hands__a_full_disk_stops_it_and_keeps_what_there_is)
{
    open_limited();
    sl_recorder *r = start_mono();
    sl_bytes *out = NULL;
    sl_bytes *ogg = NULL;
    sl_error *err = NULL;
    sl_listener *l = NULL;
    ck_assert_int_eq(sl_recorder_command(r, SL_RECORDER_RECORD, NULL), SL_OK);
    ck_assert_int_eq(sl_recorder_write(r, pcm, RATE, NULL), SL_OK);
    ck_assert_int_eq(sl_recorder_write(r, pcm, RATE, NULL), SL_OK);
    writes_left = 0;
    ck_assert_int_eq(sl_recorder_write(r, pcm, RATE, NULL), SL_E_FULL);
    ck_assert_int_eq(sl_recorder_write(r, pcm, RATE, NULL), SL_E_FULL);
    ck_assert_int_eq(sl_recorder_command(r, SL_RECORDER_PAUSE, NULL), SL_E_FULL);
    ck_assert_int_eq(sl_recorder_finish(r, SPACE, 1, &out, &err), SL_E_FULL);
    ck_assert_ptr_nonnull(strstr(sl_error_message(err), "disk"));
    sl_error_release(err);
    writes_left = -1;
    sl_recorder_free(r);
    sl_bytes *info = NULL;
    ck_assert_int_eq(sl_core_info(core, "recordings", &info, NULL), SL_OK);
    sl_json *j = sl_json_parse((const char *)sl_bytes_data(info), sl_bytes_len(info));
    ck_assert_uint_eq(sl_json_count(j), 1);
    const char *path = sl_json_str(sl_json_at(j, 0), "path");
    ck_assert_int_eq(sl_recording_read(core, path, &ogg, NULL), SL_OK);
    ck_assert_int_eq(sl_listen_open(sl_bytes_data(ogg), sl_bytes_len(ogg), &l, NULL), SL_OK);
    ck_assert_int_gt(sl_listen_frames(l), 2 * RATE - RATE / 4);
    sl_listen_close(l);
    sl_bytes_release(ogg);
    ck_assert_int_eq(unlink(path), 0);
    sl_json_free(j);
    sl_bytes_release(info);
    close_core();
}
END_TEST

START_TEST(hands__a_disk_too_full_for_the_blob_keeps_the_voice_too)
{
    open_limited();
    sl_recorder *r = start_mono();
    sl_bytes *out = NULL;
    ck_assert_int_eq(sl_recorder_command(r, SL_RECORDER_RECORD, NULL), SL_OK);
    ck_assert_int_eq(sl_recorder_write(r, pcm, RATE, NULL), SL_OK);
    writes_left = 3; /* the last page, its page before, the head with the gain */
    ck_assert_int_eq(sl_recorder_finish(r, SPACE, 1, &out, NULL), SL_E_FULL);
    writes_left = -1;
    sl_recorder_free(r);
    sl_bytes *info = NULL;
    ck_assert_int_eq(sl_core_info(core, "recordings", &info, NULL), SL_OK);
    sl_json *j = sl_json_parse((const char *)sl_bytes_data(info), sl_bytes_len(info));
    ck_assert_uint_eq(sl_json_count(j), 1);
    ck_assert_int_ge(sl_json_int_or(sl_json_at(j, 0), "duration_us", 0), 750000);
    sl_json_free(j);
    sl_bytes_release(info);
    close_core();
}
END_TEST

SL_TEST_MAIN("voice_hands", hands__each_gesture_through_the_public_calls,
             hands__a_refusal_is_a_sentence_and_changes_nothing, hands__a_swipe_throws_it_away,
             hands__a_retake_goes_on_from_there,
             hands__words_floats_and_another_device_in_one_voice,
             hands__the_picture_can_be_seen_while_it_grows, hands__finish_tells_how_loud_it_was,
             hands__a_voice_is_played_cut_and_repacked,
             hands__a_full_disk_stops_it_and_keeps_what_there_is,
             hands__a_disk_too_full_for_the_blob_keeps_the_voice_too)
