/* Playing: exact places, other speeds at the same pitch, the place that the review's clock follows. */
#include "voice/player.h"

#include "base/prng.h"
#include "recording.h"
#include "support.h"
#include "tone.h"
#include "voice/listen.h"

#include <string.h>

enum {
    SECOND = 48000,
    LONG = 4 * SECOND
};

static float spoken[LONG];
static float straight[LONG];
static float heard[5 * LONG];
static recording voice;

/* A sweep with a beat: no stretch of it is like another. */
static void set_up(void)
{
    for (size_t i = 0; i < LONG; i++) {
        double t = (double)i / SECOND;
        double beat = 0.6 + 0.4 * sin(6.28318530717958648 * 3.0 * t);
        spoken[i] = (float)(0.4 * beat * sin(6.28318530717958648 * (200.0 * t + 60.0 * t * t)));
    }
    voice = (recording){0};
    recording_of(&voice, spoken, LONG, SECOND);
    sl_listener *l = NULL;
    ck_assert_int_eq(sl_listen_open(voice.file.data, voice.file.len, &l, NULL), SL_OK);
    ck_assert_uint_eq(sl_listen_read(l, straight, LONG), (size_t)LONG);
    sl_listen_close(l);
}

static void tear_down(void)
{
    sl_buf_free(&voice.file);
}

static sl_player *play(void)
{
    sl_player *p = NULL;
    ck_assert_int_eq(sl_player_open(voice.file.data, voice.file.len, &p, NULL), SL_OK);
    return p;
}

/* How far apart two stretches are, in dB of the first. */
/* [PLAYER-1] */
START_TEST(player__at_the_usual_rate_gives_every_frame)
{
    sl_player *p = play();
    ck_assert_int_eq(sl_player_frames(p), LONG);
    size_t at = 0;
    size_t n = 0;
    while ((n = sl_player_read(p, heard + at, 777)) > 0) {
        at += n;
        ck_assert_int_eq(sl_player_place(p), (int64_t)at);
    }
    ck_assert_uint_eq(at, (size_t)LONG);
    ck_assert_mem_eq(heard, straight, sizeof straight);
    sl_player_close(p);
}
END_TEST

START_TEST(player__seeks_to_the_exact_frame)
{
    sl_prng random;
    sl_prng_seed(&random, 9);
    sl_player *p = play();
    for (int i = 0; i < 200; i++) {
        int64_t at = (int64_t)sl_prng_below(&random, LONG - 4800);
        sl_player_seek(p, at);
        ck_assert_int_eq(sl_player_place(p), at);
        ck_assert_uint_eq(sl_player_read(p, heard, 4800), 4800);
        /* A decoder that began 80 ms before is right but for what nobody hears. */
        ck_assert_double_lt(tone_error_db(straight + at, heard, 4800), -35.0);
        ck_assert_int_eq(sl_player_place(p), at + 4800);
    }
    sl_player_close(p);
}
END_TEST

START_TEST(player__beyond_the_ends_are_the_ends)
{
    sl_player *p = play();
    sl_player_seek(p, INT64_MAX);
    ck_assert_int_eq(sl_player_place(p), LONG);
    ck_assert_uint_eq(sl_player_read(p, heard, 10), 0);
    sl_player_seek(p, INT64_MIN);
    ck_assert_int_eq(sl_player_place(p), 0);
    sl_player_seek(p, LONG - 1);
    ck_assert_uint_eq(sl_player_read(p, heard, 10), 1);
    sl_player_close(p);
}
END_TEST

/* [PLAYER-2]: the length, the place, and the beat at the right time. */
START_TEST(player__at_every_rate_the_place_is_a_straight_line)
{
    for (int32_t rate = SL_PLAYER_RATE_MIN; rate <= SL_PLAYER_RATE_MAX; rate += 125) {
        sl_player *p = play();
        sl_player_set_rate(p, rate);
        size_t at = 0;
        size_t n = 0;
        while ((n = sl_player_read(p, heard + at, 1111)) > 0) {
            at += n;
            int64_t want = (int64_t)at * rate / 1000;
            ck_assert_int_eq(sl_player_place(p), want < LONG ? want : LONG);
        }
        ck_assert_uint_eq(at, ((size_t)LONG * 1000 + (size_t)rate - 1) / (size_t)rate);
        sl_player_close(p);
    }
}
END_TEST

/* The strength of the sound in pieces of 10 ms. */
static void envelope(const float *pcm, size_t n, double step, double *out, size_t pieces)
{
    for (size_t i = 0; i < pieces; i++) {
        size_t at = (size_t)((double)i * step);
        out[i] = at + 480 <= n ? tone_rms(pcm + at, 480) : 0.0;
    }
}

/* The shift at which two envelopes fit best, in pieces. */
static int best_shift(const double *a, const double *b, int pieces)
{
    int best = -20;
    double most = -1.0;
    for (int shift = -20; shift <= 20; shift++) {
        double same = 0.0;
        double pa = 1e-9;
        double pb = 1e-9;
        for (int i = 20; i < pieces - 20; i++) {
            double x = a[i] - 0.16;
            double y = b[i + shift] - 0.16;
            same += x * y;
            pa += x * x;
            pb += y * y;
        }
        double like = same / sqrt(pa * pb);
        if (like > most) {
            most = like;
            best = shift;
        }
    }
    ck_assert_double_gt(most, 0.95);
    return best;
}

START_TEST(player__other_rates_are_heard_within_10_ms_of_their_place)
{
    static const int32_t rates[] = {250, 500, 750, 1250, 1500, 2000};
    enum {
        PIECES = 380
    };
    double a[PIECES];
    double b[PIECES];
    envelope(straight, LONG, 480.0, a, PIECES);
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        sl_player *p = play();
        sl_player_set_rate(p, rates[i]);
        size_t n = sl_player_read(p, heard, 5 * (size_t)LONG);
        envelope(heard, n, 480.0 * 1000.0 / rates[i], b, PIECES);
        int shift = best_shift(a, b, PIECES);
        ck_assert_int_ge(shift, -1);
        ck_assert_int_le(shift, 1);
        sl_player_close(p);
    }
}
END_TEST

START_TEST(player__keeps_the_pitch)
{
    static const int32_t rates[] = {250, 500, 800, 1250, 1500, 2000};
    recording steady = {0};
    tone_make(spoken, LONG, 233.0, SECOND, 0.4);
    recording_of(&steady, spoken, LONG, SECOND);
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        sl_player *p = NULL;
        ck_assert_int_eq(sl_player_open(steady.file.data, steady.file.len, &p, NULL), SL_OK);
        sl_player_set_rate(p, rates[i]);
        size_t n = sl_player_read(p, heard, 5 * (size_t)LONG);
        ck_assert_uint_gt(n, SECOND);
        double level = tone_level(heard + 9600, SECOND, 233.0, SECOND);
        double all = tone_rms(heard + 9600, SECOND) * 1.41421356;
        ck_assert_double_gt(level, 0.37);
        ck_assert_double_gt(level / all, 0.98);
        sl_player_close(p);
    }
    sl_buf_free(&steady.file);
}
END_TEST

START_TEST(player__changes_its_rate_without_a_click_and_without_losing_its_place)
{
    static const int32_t rates[] = {1000, 500, 1000, 2000, 1500, 1000};
    recording steady = {0};
    tone_make(spoken, LONG, 233.0, SECOND, 0.4);
    recording_of(&steady, spoken, LONG, SECOND);
    sl_player *p = NULL;
    ck_assert_int_eq(sl_player_open(steady.file.data, steady.file.len, &p, NULL), SL_OK);
    size_t at = 0;
    int64_t place = 0;
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        sl_player_set_rate(p, rates[i]);
        ck_assert_int_eq(sl_player_place(p), place);
        ck_assert_uint_eq(sl_player_read(p, heard + at, 14143), 14143);
        at += 14143;
        place += (int64_t)14143 * rates[i] / 1000;
        ck_assert_int_eq(sl_player_place(p), place);
    }
    for (size_t i = 4801; i < at; i++) { /* a sine of 233 Hz moves 0.0122 a frame at most */
        ck_assert_float_lt(fabsf(heard[i] - heard[i - 1]), 0.03F);
    }
    sl_player_close(p);
    sl_buf_free(&steady.file);
}
END_TEST

SL_TEST_MAIN_WITH("voice_player", set_up, tear_down, player__at_the_usual_rate_gives_every_frame,
                  player__seeks_to_the_exact_frame, player__beyond_the_ends_are_the_ends,
                  player__at_every_rate_the_place_is_a_straight_line,
                  player__other_rates_are_heard_within_10_ms_of_their_place,
                  player__keeps_the_pitch,
                  player__changes_its_rate_without_a_click_and_without_losing_its_place)
