/* The stages before the encoder, each measured; loudness against known signals. */
#include "voice/chain.h"

#include "base/prng.h"
#include "support.h"
#include "tone.h"
#include "voice/loudness.h"

#include <string.h>

enum {
    SECOND = 48000,
    LONG = 8 * SECOND
};

static float in[LONG];
static float out[LONG + 1];
static size_t got;

static bool take(void *user, const float *pcm, size_t n)
{
    (void)user;
    ck_assert_uint_le(got + n, LONG);
    memcpy(out + got, pcm, n * sizeof *pcm);
    got += n;
    return true;
}

/* All of n frames through a chain, in pieces of an odd length. */
static void through(sl_chain_config config, size_t n)
{
    sl_chain *c = NULL;
    ck_assert_int_eq(sl_chain_new(&config, &c, NULL), SL_OK);
    got = 0;
    for (size_t at = 0; at < n; at += 777) {
        size_t some = n - at < 777 ? n - at : 777;
        ck_assert(sl_chain_push(c, in + at, some, take, NULL));
    }
    ck_assert(sl_chain_flush(c, take, NULL));
    ck_assert_uint_eq(got, n);
    sl_chain_free(c);
}

static void noise(float *pcm, size_t n, double level)
{
    sl_prng random;
    sl_prng_seed(&random, 3);
    for (size_t i = 0; i < n; i++) {
        pcm[i] += (float)(level * ((double)sl_prng_below(&random, 2000001) / 1e6 - 1.0));
    }
}

/* Something like speech: a buzz with formants that comes in syllables. */
static void syllables(float *pcm, size_t n, double level)
{
    for (size_t i = 0; i < n; i++) {
        double t = (double)i / SECOND;
        double beat = sin(6.28318530717958648 * 2.0 * t);
        double v = 0.0;
        for (int k = 1; k <= 12; k++) {
            v += sin(6.28318530717958648 * 140.0 * k * t) / (1.0 + 0.3 * k);
        }
        pcm[i] = (float)(beat > 0.0 ? level * beat * v / 3.0 : 0.0);
    }
}

static double db(double ratio)
{
    return 20.0 * log10(ratio + 1e-12);
}

/* [CHAIN-1], without a stage, with each, with all. */
START_TEST(chain__as_much_comes_out_as_goes_in_at_its_place)
{
    static const size_t lengths[] = {1, 95, 96, 97, 959, 960, 961, 1919, 1920, 1921, 48000};
    bool dsp = sl_chain_has_dsp();
    const sl_chain_config configs[] = {{.highpass = false},
                                       {.highpass = true},
                                       {.denoise = dsp},
                                       {.level = true},
                                       {.crest = true},
                                       {.speech = dsp},
                                       {true, dsp, true, dsp, true}};
    for (size_t k = 0; k < sizeof configs / sizeof configs[0]; k++) {
        for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
            through(configs[k], lengths[i]);
        }
        /* A click stays where it was, to within 1 ms. */
        memset(in, 0, sizeof in);
        syllables(in, SECOND, 0.2);
        in[42000] += 0.7F;
        through(configs[k], SECOND);
        size_t best = 41000; /* in a pause between syllables */
        for (size_t i = 41000; i < 43000; i++) {
            best = fabsf(out[i]) > fabsf(out[best]) ? i : best;
        }
        ck_assert_uint_ge(best, 42000 - 48);
        ck_assert_uint_le(best, 42000 + 48);
    }
}
END_TEST

START_TEST(chain__the_high_pass_takes_rumble_and_leaves_the_voice)
{
    static const struct {
        double hz, least, most; /* dB */
    } cases[] = {{20.0, -40.0, -22.0},
                 {40.0, -14.0, -11.0},
                 {80.0, -3.5, -2.5},
                 {200.0, -0.3, 0.1},
                 {1000.0, -0.1, 0.1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tone_make(in, LONG, cases[i].hz, SECOND, 0.5);
        through((sl_chain_config){.highpass = true}, LONG);
        double change = db(tone_level(out + SECOND, 6 * (size_t)SECOND, cases[i].hz, SECOND) / 0.5);
        ck_assert_double_ge(change, cases[i].least);
        ck_assert_double_le(change, cases[i].most);
    }
}
END_TEST

START_TEST(chain__denoise_takes_noise_and_leaves_the_voice)
{
    if (!sl_chain_has_dsp()) {
        return;
    }
    memset(in, 0, sizeof in);
    syllables(in, LONG, 0.3);
    double speech_before = tone_level(in + 6 * SECOND, SECOND, 140.0, SECOND);
    noise(in, LONG, 0.02);
    through((sl_chain_config){.denoise = true}, LONG);
    /* A second's last quarter is a pause between syllables. */
    size_t pause = 6 * SECOND + SECOND * 3 / 8;
    double quieter = db(tone_rms(out + pause, SECOND / 10) / tone_rms(in + pause, SECOND / 10));
    double speech = db(tone_level(out + 6 * SECOND, SECOND, 140.0, SECOND) / speech_before);
    ck_assert_double_lt(quieter, -9.0);
    ck_assert_double_gt(speech, -3.0);
    ck_assert_double_lt(speech, 1.0);
}
END_TEST

START_TEST(chain__speech_is_told_from_noise)
{
    if (!sl_chain_has_dsp()) {
        return;
    }
    memset(in, 0, sizeof in);
    syllables(in + 4 * SECOND, 3 * (size_t)SECOND, 0.3);
    noise(in, LONG, 0.003);
    sl_chain_config config = {.speech = true};
    sl_chain *c = NULL;
    ck_assert_int_eq(sl_chain_new(&config, &c, NULL), SL_OK);
    got = 0;
    ck_assert(sl_chain_push(c, in, LONG, take, NULL));
    ck_assert(sl_chain_flush(c, take, NULL));
    const sl_buf *speech = sl_chain_speech(c);
    ck_assert_uint_eq(speech->len, LONG / SL_CHAIN_BLOCK);
    uint32_t talking = 0;
    uint32_t silent = 0;
    for (size_t i = 100; i < 200; i++) { /* the first seconds it learns */
        silent += speech->data[i];
    }
    for (size_t i = 200; i < 350; i++) {
        talking += speech->data[i];
    }
    ck_assert_uint_lt(silent, 5);    /* of 100 */
    ck_assert_uint_gt(talking, 130); /* of 150 */
    sl_chain_free(c);
}
END_TEST

START_TEST(chain__the_level_comes_up_slowly_and_nothing_passes_the_ceiling)
{
    memset(in, 0, sizeof in);
    syllables(in, LONG, 0.03);
    double before = tone_rms(in + 7 * SECOND, SECOND);
    through((sl_chain_config){.level = true}, LONG);
    double early = db(tone_rms(out, SECOND) / tone_rms(in, SECOND));
    double late = db(tone_rms(out + 7 * SECOND, SECOND) / before);
    ck_assert_double_lt(early, 3.1);
    ck_assert_double_gt(late, 6.0);
    ck_assert_double_lt(late, 18.1);
    tone_make(in, SECOND, 300.0, SECOND, 1.0);
    through((sl_chain_config){.level = true}, SECOND);
    ck_assert_float_gt((float)tone_level(out + SECOND / 2, SECOND / 4, 300.0, SECOND), 0.15F);
    for (size_t i = 0; i < SECOND; i++) {
        ck_assert_float_le(fabsf(out[i]), 0.8411F);
    }
}
END_TEST

START_TEST(chain__the_crest_takes_clicks_and_leaves_what_is_no_louder_than_speech)
{
    tone_make(in, LONG, 300.0, SECOND, 0.1);
    through((sl_chain_config){.crest = true}, LONG);
    ck_assert_mem_eq(out, in, sizeof in);
    for (size_t i = SECOND; i < LONG; i += 24001) {
        in[i] = 0.9F;
    }
    through((sl_chain_config){.crest = true}, LONG);
    for (size_t i = 0; i < LONG; i++) {
        ck_assert_float_lt(fabsf(out[i]), 0.3F);
    }
    ck_assert_double_gt(tone_level(out, LONG, 300.0, SECOND), 0.085);
}
END_TEST

/* A second of a quiet room, of -56 and of -40 dB, then somebody speaks. */
START_TEST(chain__the_first_word_after_a_quiet_room_is_as_loud_as_the_others)
{
    for (int loud = 0; loud < 2; loud++) {
        size_t from =
            SECOND + (loud != 0 ? SECOND / 10 : 0); /* a loud one is told from speech then */
        memset(in, 0, sizeof in);
        syllables(in + SECOND, LONG - SECOND, 0.3);
        noise(in, LONG, loud != 0 ? 0.0173 : 0.00274);
        through((sl_chain_config){.crest = true}, LONG);
        double first = db(tone_rms(out + from, SECOND / 5) / tone_rms(in + from, SECOND / 5));
        from += 5 * SECOND;
        double later = db(tone_rms(out + from, SECOND / 5) / tone_rms(in + from, SECOND / 5));
        ck_assert_double_gt(first, later - 1.5);
        ck_assert_double_gt(later, -4.0);
    }
}
END_TEST

START_TEST(chain__a_stage_that_the_build_is_without_is_refused)
{
    sl_chain *c = NULL;
    sl_chain_config denoise = {.denoise = true};
    sl_chain_config speech = {.speech = true};
    sl_status want = sl_chain_has_dsp() ? SL_OK : SL_E_UNSUPPORTED;
    ck_assert_int_eq(sl_chain_new(&denoise, &c, NULL), want);
    sl_chain_free(c);
    ck_assert_int_eq(sl_chain_new(&speech, &c, NULL), want);
    sl_chain_free(c);
}
END_TEST

/* In pieces, as it comes. */
static double peak_of(const float *pcm, size_t n)
{
    sl_true_peak t = {.place = 0};
    float most = 0.0F;
    for (size_t at = 0; at < n; at += 500) {
        size_t some = n - at < 500 ? n - at : 500;
        most = sl_true_peak_of(&t, pcm + at, some, most);
    }
    return db((double)most);
}

/* EBU Tech 3341's first cases, for one channel: 3.01 LU less than for the same in two. */
START_TEST(loudness__of_sines_is_what_the_recommendation_says)
{
    static const double levels[] = {-23.0, -33.0};
    for (size_t i = 0; i < 2; i++) {
        sl_loudness l = {0};
        tone_make(in, LONG, 1000.0, SECOND, pow(10.0, levels[i] / 20.0));
        sl_loudness_add(&l, in, LONG);
        ck_assert_double_eq_tol(sl_loudness_lufs(&l), levels[i] - 3.01, 0.1);
        ck_assert_double_eq_tol(peak_of(in, LONG), levels[i], 0.1);
        sl_loudness_free(&l);
    }
}
END_TEST

START_TEST(loudness__leaves_pauses_out_and_knows_silence)
{
    sl_loudness l = {0};
    memset(in, 0, sizeof in);
    sl_loudness_add(&l, in, LONG);
    ck_assert_double_eq(sl_loudness_lufs(&l), SL_LOUDNESS_SILENT);
    /* Then a tone, then as long something 40 dB quieter. */
    tone_make(in, LONG, 1000.0, SECOND, 0.1);
    sl_loudness_add(&l, in, LONG);
    double alone = sl_loudness_lufs(&l);
    tone_make(in, LONG, 1000.0, SECOND, 0.001);
    sl_loudness_add(&l, in, LONG);
    ck_assert_double_eq_tol(sl_loudness_lufs(&l), alone, 0.15);
    sl_loudness_free(&l);
}
END_TEST

START_TEST(loudness__of_what_was_cut_back_is_that_of_what_is_left)
{
    sl_loudness l = {0};
    tone_make(in, LONG, 1000.0, SECOND, 0.05);
    sl_loudness_add(&l, in, LONG);
    double quiet = sl_loudness_lufs(&l);
    tone_make(in, LONG, 1000.0, SECOND, 0.9);
    sl_loudness_add(&l, in, LONG);
    ck_assert_double_gt(sl_loudness_lufs(&l), quiet + 10.0);
    sl_loudness_cut(&l, LONG);
    ck_assert_double_eq_tol(sl_loudness_lufs(&l), quiet, 0.01);
    sl_loudness_free(&l);
}
END_TEST

/* A sine of a quarter of the rate whose samples all miss its peaks: 3 dB more between them. */
START_TEST(loudness__sees_peaks_between_samples)
{
    for (size_t i = 0; i < SECOND; i++) {
        in[i] = (float)(0.5 * sin(1.57079632679489662 * (double)i + 0.78539816339744831));
    }
    ck_assert_double_eq_tol(peak_of(in, SECOND), db(0.5), 0.4);
}
END_TEST

SL_TEST_MAIN("voice_chain", chain__as_much_comes_out_as_goes_in_at_its_place,
             chain__the_high_pass_takes_rumble_and_leaves_the_voice,
             chain__denoise_takes_noise_and_leaves_the_voice, chain__speech_is_told_from_noise,
             chain__the_level_comes_up_slowly_and_nothing_passes_the_ceiling,
             chain__the_crest_takes_clicks_and_leaves_what_is_no_louder_than_speech,
             chain__the_first_word_after_a_quiet_room_is_as_loud_as_the_others,
             chain__a_stage_that_the_build_is_without_is_refused,
             loudness__of_sines_is_what_the_recommendation_says,
             loudness__leaves_pauses_out_and_knows_silence,
             loudness__of_what_was_cut_back_is_that_of_what_is_left,
             loudness__sees_peaks_between_samples)
