/* Any rate to 48 kHz: length, frequency, level, place; nothing folds down. */
#include "voice/resample.h"

#include "base/mem.h"
#include "support.h"
#include "tone.h"

#include <string.h>

enum {
    CAP = 200000
};

typedef struct sink {
    float pcm[CAP];
    size_t n;
    size_t stop_after;
} sink;

static bool keep(void *user, const float *pcm, size_t n)
{
    sink *s = user;
    ck_assert_uint_le(s->n + n, CAP);
    memcpy(s->pcm + s->n, pcm, n * sizeof *pcm);
    s->n += n;
    return s->stop_after == 0 || s->n < s->stop_after;
}

static void convert(sink *s, const float *in, size_t n, int32_t rate, size_t chunk)
{
    sl_resampler *r = sl_resampler_new(rate);
    ck_assert_ptr_nonnull(r);
    for (size_t at = 0; at < n; at += chunk) {
        ck_assert(sl_resampler_push(r, in + at, n - at < chunk ? n - at : chunk, keep, s));
    }
    ck_assert(sl_resampler_flush(r, keep, s));
    sl_resampler_free(r);
}

static const int32_t rates[] = {8000, 11025, 16000, 22050, 44100, 44101, 48000, 96000, 192000};

START_TEST(resample__a_sine_keeps_length_frequency_level_and_phase)
{
    static float in[192000];
    static sink out;
    int32_t rate = rates[_i];
    tone_make(in, (size_t)rate, 1000.0, rate, 0.5);
    out.n = 0;
    convert(&out, in, (size_t)rate, rate, 1000);
    ck_assert_uint_eq(out.n, 48000);
    double level = tone_level(out.pcm + 4800, 38400, 1000.0, 48000.0);
    ck_assert_double_eq_tol(level, 0.5, 0.005);
    double worst = 0.0;
    for (size_t i = 4800; i < 43200; i++) {
        double want = 0.5 * sin(2.0 * 3.14159265358979323846 * 1000.0 * (double)i / 48000.0);
        double off = fabs((double)out.pcm[i] - want);
        worst = off > worst ? off : worst;
    }
    ck_assert_double_lt(worst, 0.005);
}
END_TEST

START_TEST(resample__how_it_is_cut_does_not_matter)
{
    static float in[44100];
    static sink one;
    static sink many;
    tone_make(in, 44100, 440.0, 44100.0, 0.8);
    one.n = 0;
    many.n = 0;
    convert(&one, in, 44100, 44100, 44100);
    convert(&many, in, 44100, 44100, 1);
    ck_assert_uint_eq(one.n, many.n);
    ck_assert_mem_eq(one.pcm, many.pcm, one.n * sizeof(float));
}
END_TEST

START_TEST(resample__what_48_khz_cannot_hold_does_not_fold_down)
{
    static float in[192000];
    static sink out;
    tone_make(in, 96000, 33000.0, 96000.0, 0.5);
    out.n = 0;
    convert(&out, in, 96000, 96000, 960);
    ck_assert_double_lt(tone_rms(out.pcm + 480, 47000), 0.001);
}
END_TEST

START_TEST(resample__the_length_is_rounded_up)
{
    static const float in[3] = {0.1F, 0.2F, 0.3F};
    static sink out;
    for (size_t n = 0; n <= 3; n++) {
        out.n = 0;
        convert(&out, in, n, 44100, 1);
        ck_assert_uint_eq(out.n, (n * 48000 + 44099) / 44100);
    }
}
END_TEST

START_TEST(resample__a_refusing_receiver_stops_it)
{
    static float in[48000];
    static sink out;
    out.n = 0;
    out.stop_after = 1;
    sl_resampler *r = sl_resampler_new(48000);
    ck_assert(!sl_resampler_push(r, in, 48000, keep, &out));
    sl_resampler_free(r);
}
END_TEST

START_TEST(resample__no_memory_is_no_resampler)
{
    for (uint64_t k = 1; k <= 3; k++) {
        (void)sl_mem_fail_at(k, false);
        ck_assert_ptr_null(sl_resampler_new(44100));
    }
    (void)sl_mem_fail_at(0, false);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("voice_resample");
    TCase *tcase = tcase_create("resample");
    tcase_set_timeout(tcase, SL_TEST_TIMEOUT_S);
    tcase_add_loop_test(tcase, resample__a_sine_keeps_length_frequency_level_and_phase, 0,
                        (int)(sizeof rates / sizeof rates[0]));
    tcase_add_test(tcase, resample__how_it_is_cut_does_not_matter);
    tcase_add_test(tcase, resample__what_48_khz_cannot_hold_does_not_fold_down);
    tcase_add_test(tcase, resample__the_length_is_rounded_up);
    tcase_add_test(tcase, resample__a_refusing_receiver_stops_it);
    tcase_add_test(tcase, resample__no_memory_is_no_resampler);
    suite_add_tcase(suite, tcase);
    return sl_test_run(suite);
}
