/* Microphones of a platform made up here: listed, opened, unplugged, replaced while recording. */
#include "studio.h"

#include "sideline/platform.h"

#include <stdatomic.h>

typedef struct desk {
    sl_audio_take take;
    void *ctx;
    char name[32];
    _Atomic int32_t status;
    int32_t open; /* streams */
    int32_t opened;
} desk;

static desk mic;
static int32_t mic_rate = RATE;
static sl_status start_status = SL_OK;

static sl_status mic_list(void *user, void (*fn)(void *ctx, const char *name), void *ctx)
{
    (void)user;
    fn(ctx, "Built-in");
    fn(ctx, "Headset \"L\"");
    return SL_OK;
}

static sl_status mic_open(void *user, const char *name, int32_t *rate, int32_t *channels,
                          sl_audio_take take, void *ctx, void **stream)
{
    (void)user;
    if (strcmp(name, "") != 0 && strcmp(name, "Built-in") != 0) {
        return SL_E_NOT_FOUND;
    }
    ck_assert_int_eq(*rate, RATE);
    *rate = mic_rate;
    *channels = 2;
    mic.take = take;
    mic.ctx = ctx;
    (void)snprintf(mic.name, sizeof mic.name, "%s", name);
    atomic_store(&mic.status, SL_OK);
    mic.open++;
    mic.opened++;
    *stream = &mic;
    return SL_OK;
}

static sl_status mic_start(void *user, void *stream)
{
    (void)user;
    (void)stream;
    return start_status;
}

static sl_status mic_status(void *user, void *stream)
{
    (void)user;
    return atomic_load(&((desk *)stream)->status);
}

static void mic_close(void *user, void *stream)
{
    (void)user;
    ((desk *)stream)->open--;
}

static const sl_audio_ops audio = {sizeof(sl_audio_ops), 0,        mic_list, mic_open, mic_start,
                                   mic_status,           mic_close};

static void open_desk(const sl_audio_ops *ops, uint32_t size)
{
    static sl_platform platform;
    (void)snprintf(dir, sizeof dir, "/var/tmp/sideline-voice-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    ck_assert_int_eq(sl_platform_builtin(&platform), SL_OK);
    platform.audio = ops;
    platform.struct_size = size;
    sl_config config = {.struct_size = sizeof config, .dir = dir, .platform = &platform};
    ck_assert_int_eq(sl_core_open(&config, &core, NULL), SL_OK);
    tone_make(pcm, RATE, 500.0, RATE, 0.5);
    memset(&mic, 0, sizeof mic);
    mic_rate = RATE;
    start_status = SL_OK;
}

static void wait_for_state(const sl_recorder *r, int32_t state)
{
    while (sl_recorder_state(r) != state) {
        (void)sl_core_wait(core, 2);
    }
}

START_TEST(mic__all_are_listed)
{
    open_desk(&audio, sizeof(sl_platform));
    sl_bytes *out = NULL;
    ck_assert_int_eq(sl_core_info(core, "microphones", &out, NULL), SL_OK);
    const char *want = "[\"Built-in\",\"Headset \\\"L\\\"\"]";
    ck_assert_uint_eq(sl_bytes_len(out), strlen(want));
    ck_assert_mem_eq(sl_bytes_data(out), want, strlen(want));
    sl_bytes_release(out);
    close_core();
}
END_TEST

/* Also one whose maker did not know of them: its table ends before. */
START_TEST(mic__a_platform_without_any_says_so)
{
    for (int old = 0; old < 2; old++) {
        open_desk(old ? &audio : NULL,
                  old ? (uint32_t)offsetof(sl_platform, audio) : (uint32_t)sizeof(sl_platform));
        sl_bytes *out = NULL;
        ck_assert_int_eq(sl_core_info(core, "microphones", &out, NULL), SL_OK);
        ck_assert_mem_eq(sl_bytes_data(out), "[]", 2);
        sl_bytes_release(out);
        sl_recorder *r = start_mono();
        ck_assert_int_eq(sl_recorder_capture(r, "", NULL), SL_E_UNSUPPORTED);
        ck_assert_int_eq(sl_recorder_microphone(r), SL_E_MISUSE);
        sl_recorder_free(r);
        close_core();
    }
}
END_TEST

START_TEST(mic__what_cannot_be_opened_is_refused_and_nothing_stays_open)
{
    open_desk(&audio, sizeof(sl_platform));
    sl_recorder *r = start_mono();
    sl_error *err = NULL;
    ck_assert_int_eq(sl_recorder_capture(r, "Nobody's", &err), SL_E_NOT_FOUND);
    ck_assert_str_eq(sl_error_message(err), "There is no microphone \"Nobody's\"");
    sl_error_release(err);
    start_status = SL_E_IO;
    ck_assert_int_eq(sl_recorder_capture(r, "", NULL), SL_E_IO);
    start_status = SL_OK;
    mic_rate = 7999;
    ck_assert_int_eq(sl_recorder_capture(r, "", NULL), SL_E_INVALID);
    ck_assert_int_eq(mic.open, 0);
    ck_assert_int_eq(sl_recorder_microphone(r), SL_E_MISUSE);
    sl_recorder_free(r);
    close_core();
}
END_TEST

static void speak(uint32_t frames)
{
    static float stereo[2 * RATE];
    for (uint32_t i = 0; i < frames; i++) {
        stereo[2 * i] = pcm[i];
        stereo[2 * i + 1] = pcm[i];
    }
    mic.take(mic.ctx, stereo, frames);
}

START_TEST(mic__unplugged_it_pauses_and_another_goes_on_without_a_gap)
{
    int64_t dropped = 0;
    open_desk(&audio, sizeof(sl_platform));
    sl_recorder *r = start_mono();
    ck_assert_int_eq(sl_recorder_capture(r, "Built-in", NULL), SL_OK);
    ck_assert_str_eq(mic.name, "Built-in");
    ck_assert_int_eq(sl_recorder_microphone(r), SL_OK);
    ck_assert_int_eq(sl_recorder_command(r, SL_RECORDER_HOLD, NULL), SL_OK);
    speak(RATE);
    atomic_store(&mic.status, SL_E_CLOSED);
    wait_for_state(r, SL_RECORDER_IS_HELD_STILL);
    ck_assert_int_eq(sl_recorder_microphone(r), SL_E_CLOSED);
    ck_assert_int_eq(sl_recorder_position(r), 1000000);
    mic_rate = 16000;
    ck_assert_int_eq(sl_recorder_capture(r, "", NULL), SL_OK);
    ck_assert_int_eq(mic.open, 1); /* the old one is closed */
    ck_assert_int_eq(sl_recorder_command(r, SL_RECORDER_RELEASE, NULL), SL_OK);
    ck_assert_int_eq(sl_recorder_command(r, SL_RECORDER_TAP, NULL), SL_OK);
    speak(16000);
    ck_assert_int_eq(kept(r, &dropped), 2 * RATE);
    ck_assert_int_eq(dropped, 0);
    ck_assert_int_eq(mic.open, 0);
    ck_assert_int_eq(mic.opened, 2);
    close_core();
}
END_TEST

START_TEST(mic__a_recorder_lets_go_of_it)
{
    open_desk(&audio, sizeof(sl_platform));
    sl_recorder *r = start_mono();
    ck_assert_int_eq(sl_recorder_capture(r, "", NULL), SL_OK);
    ck_assert_int_eq(sl_recorder_capture(r, NULL, NULL), SL_OK);
    ck_assert_int_eq(mic.open, 0);
    ck_assert_int_eq(sl_recorder_microphone(r), SL_E_MISUSE);
    ck_assert_int_eq(sl_recorder_capture(r, "", NULL), SL_OK);
    ck_assert_int_eq(sl_recorder_command(r, SL_RECORDER_SWIPE, NULL), SL_OK);
    ck_assert_int_eq(sl_recorder_finish(r, SPACE, 0, NULL, NULL), SL_OK);
    ck_assert_int_eq(mic.open, 0);
    sl_recorder_free(r);
    r = start_mono();
    ck_assert_int_eq(sl_recorder_capture(r, "", NULL), SL_OK);
    sl_recorder_free(r);
    ck_assert_int_eq(mic.open, 0);
    close_core();
}
END_TEST

SL_TEST_MAIN("voice_mic", mic__all_are_listed, mic__a_platform_without_any_says_so,
             mic__what_cannot_be_opened_is_refused_and_nothing_stays_open,
             mic__unplugged_it_pauses_and_another_goes_on_without_a_gap,
             mic__a_recorder_lets_go_of_it)
