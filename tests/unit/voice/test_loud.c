/*
 * What a player makes of a voice that was brought to its loudness: true peaks by another way than the
 * library's, eight points between two samples by a windowed sinc of 32; in Ogg, after retakes, and with
 * the gain in the samples.
 */
#include "base/mem.h"
#include "recording.h"
#include "support.h"
#include "tone.h"
#include "voice/listen.h"
#include "voice/loudness.h"
#include "voice/regain.h"
#include "voice/repack.h"

#include <string.h>

enum {
    SECOND = 48000,
    LONG = 6 * SECOND,
    REACH = 16,
    POINTS = 8
};

static const double pi = 3.14159265358979323846;
static const double most_db = 0.1; /* 0, and what two ways of looking between samples differ by */

static float in[LONG];
static float heard[LONG + 1];

/* Syllables of a low voice: pulses that ring, far peakier than a sine. */
static void speak(double level)
{
    for (int i = 0; i < LONG; i++) {
        double t = (double)i / SECOND;
        double since = fmod(t, 1.0 / 110.0);
        double ring = exp(-since * 250.0) * sin(2 * pi * 650.0 * since) +
                      0.5 * exp(-since * 350.0) * sin(2 * pi * 1900.0 * since + 1.0);
        double syllable = 0.5 - 0.5 * cos(2 * pi * 4.0 * t);
        in[i] = (float)(level * syllable * ring);
    }
}

static double db(double ratio)
{
    return 20.0 * log10(ratio + 1e-12);
}

/* The signal `part` of a sample after sample i. */
static double between(const float *pcm, size_t n, size_t i, double part)
{
    double sum = 0.0;
    for (int k = 1 - REACH; k <= REACH; k++) {
        int64_t at = (int64_t)i + k;
        double d = part - k;
        double window = 0.5 + 0.5 * cos(pi * d / (REACH + 1));
        double sinc = fabs(d) < 1e-9 ? 1.0 : sin(pi * d) / (pi * d);
        sum += at >= 0 && at < (int64_t)n ? (double)pcm[at] * sinc * window : 0.0;
    }
    return fabs(sum);
}

static double true_peak_db(const float *pcm, size_t n)
{
    double most = 0.0;
    for (size_t i = 0; i < n; i++) {
        most = fabs((double)pcm[i]) > most ? fabs((double)pcm[i]) : most;
    }
    double near = 0.7 * most;
    for (size_t i = 0; i < n; i++) {
        for (int k = 1; fabs((double)pcm[i]) > near && k < POINTS; k++) {
            double v = between(pcm, n, i, (double)k / POINTS);
            most = v > most ? v : most;
        }
    }
    return db(most);
}

static double lufs(const float *pcm, size_t n)
{
    sl_loudness l = {.fill = 0};
    sl_loudness_add(&l, pcm, n);
    double v = sl_loudness_lufs(&l);
    sl_loudness_free(&l);
    return v;
}

static size_t listen(const sl_buf *file, int16_t *gain)
{
    sl_listener *l = NULL;
    ck_assert_int_eq(sl_listen_open(file->data, file->len, &l, NULL), SL_OK);
    *gain = sl_listen_head(l)->gain;
    size_t n = sl_listen_read(l, heard, LONG + 1);
    sl_listen_close(l);
    return n;
}

static sl_take *start(recording *r, int32_t bitrate)
{
    sl_take *t = NULL;
    sl_take_config config = recording_config(r, SECOND);
    config.loudness = true;
    config.spool.bitrate = bitrate;
    ck_assert_int_eq(sl_take_new(&config, &t, NULL), SL_OK);
    ck_assert_int_eq(recording_run(t, SL_TAKE_RECORD), SL_OK);
    return t;
}

static void say(sl_take *t, double level, size_t n)
{
    speak(level);
    ck_assert_int_eq(sl_take_push(t, in, n, NULL), SL_OK);
}

static sl_take_facts finish(sl_take *t)
{
    sl_take_facts facts;
    ck_assert_int_eq(recording_run(t, SL_TAKE_FINISH), SL_OK);
    sl_take_tell(t, &facts);
    sl_take_free(t);
    return facts;
}

START_TEST(loud__what_is_played_never_passes_full_scale)
{
    static const int32_t bitrates[] = {12000, 24000, 64000};
    static const double levels[] = {0.06, 0.2, 0.9};
    recording r = {.writes = 0};
    int16_t gain = 0;
    sl_take *t = start(&r, bitrates[_i]);
    say(t, levels[_i], LONG);
    sl_take_facts facts = finish(t);
    ck_assert_uint_eq(listen(&r.file, &gain), LONG);
    ck_assert_int_ne(gain, 0);
    double peak = true_peak_db(heard, LONG);
    ck_assert_double_le(peak, most_db);
    ck_assert_double_eq_tol(facts.peak + facts.gain, peak, 0.2); /* it was known before */
    ck_assert_double_eq_tol(lufs(heard, LONG), -16.0, 2.0);      /* and not bought with quiet */
    sl_buf_free(&r.file);
}
END_TEST

/* A loud beginning that is taken again does not keep the rest down; a quiet one does not let it pass. */
START_TEST(loud__a_retake_counts_as_what_it_is)
{
    static const double levels[2][2] = {{0.9, 0.05}, {0.05, 0.9}};
    recording r = {.writes = 0};
    int16_t gain = 0;
    sl_take *t = start(&r, 24000);
    say(t, levels[_i][0], 3 * (size_t)SECOND);
    ck_assert_int_eq(recording_run(t, SL_TAKE_PAUSE), SL_OK);
    ck_assert_int_eq(sl_take_command_run(t, SL_TAKE_RETAKE, SECOND / 10, NULL), SL_OK);
    ck_assert_int_eq(recording_run(t, SL_TAKE_RECORD), SL_OK);
    say(t, levels[_i][1], 4 * (size_t)SECOND);
    sl_take_facts facts = finish(t);
    size_t n = listen(&r.file, &gain);
    ck_assert_uint_eq(n, 4 * (size_t)SECOND + SECOND / 10);
    double peak = true_peak_db(heard, n);
    ck_assert_double_le(peak, most_db);
    ck_assert_double_eq_tol(facts.peak + facts.gain, peak, 0.3);
    sl_buf_free(&r.file);
}
END_TEST

static void record(recording *r, double level)
{
    sl_take *t = start(r, 24000);
    say(t, level, LONG);
    (void)finish(t);
}

START_TEST(loud__with_the_gain_in_its_samples_a_voice_is_as_loud_and_no_louder)
{
    static const double levels[] = {0.02, 0.9}; /* up and down */
    static float before[LONG + 1];
    recording r = {.writes = 0};
    sl_buf made = {0};
    int16_t gain = 0;
    record(&r, levels[_i]);
    ck_assert_uint_eq(listen(&r.file, &gain), LONG);
    ck_assert_int_ne(gain, 0);
    memcpy(before, heard, sizeof before);
    ck_assert_int_eq(sl_regain(r.file.data, r.file.len, &made, NULL), SL_OK);
    ck_assert_uint_eq(listen(&made, &gain), LONG);
    ck_assert_int_eq(gain, 0);
    ck_assert_double_le(true_peak_db(heard, LONG), most_db);
    ck_assert_double_eq_tol(lufs(heard, LONG), lufs(before, LONG), 1.5);
    ck_assert_double_lt(tone_error_db(before, heard, LONG), -4.0); /* at its place */
    ck_assert_uint_lt(made.len, 5 * r.file.len / 2);
    sl_buf_free(&made);
    sl_buf_free(&r.file);
}
END_TEST

static uint64_t be64(const uint8_t *p)
{
    uint64_t v = 0;
    for (int i = 0; i < 8; i++) {
        v = v << 8 | p[i];
    }
    return v;
}

START_TEST(loud__a_caf_has_the_gain_and_an_mp4_carries_it)
{
    recording r = {.writes = 0};
    sl_buf caf = {0};
    sl_buf mp4 = {0};
    sl_buf plain = {0};
    record(&r, 0.02);
    ck_assert_int_eq(sl_repack_caf(r.file.data, r.file.len, &caf, NULL), SL_OK);
    ck_assert_int_eq(sl_repack_mp4(r.file.data, r.file.len, &mp4, NULL), SL_OK);
    ck_assert_int_eq(sl_regain(r.file.data, r.file.len, &plain, NULL), SL_OK);
    /* The sound of the CAF is that of the voice encoded again: its packets follow one another. */
    ck_assert_mem_eq(caf.data + 52, "pakt", 4);
    ck_assert_uint_eq(be64(caf.data + 72), LONG);
    sl_buf again = {0};
    ck_assert_int_eq(sl_repack_caf(plain.data, plain.len, &again, NULL), SL_OK);
    ck_assert_uint_eq(again.len, caf.len);
    ck_assert_mem_eq(again.data, caf.data, caf.len);
    /* The MP4's is the voice's own, and dOps has the gain. */
    int16_t gain = 0;
    (void)listen(&r.file, &gain);
    bool found = false;
    for (size_t i = 0; i + 15 < mp4.len && !found; i++) {
        found = memcmp(mp4.data + i, "dOps", 4) == 0 &&
                (uint16_t)(mp4.data[i + 12] << 8 | mp4.data[i + 13]) == (uint16_t)gain;
    }
    ck_assert(found);
    sl_buf_free(&again);
    sl_buf_free(&plain);
    sl_buf_free(&mp4);
    sl_buf_free(&caf);
    sl_buf_free(&r.file);
}
END_TEST

START_TEST(loud__running_out_of_memory_is_only_an_error)
{
    recording r = {.writes = 0};
    bool enough = false;
    sl_take *t = start(&r, 24000);
    say(t, 0.02, SECOND / 2);
    (void)finish(t);
    for (uint64_t k = 1; k < 400 && !enough; k++) {
        sl_buf out = {0};
        (void)sl_mem_fail_at(k, false);
        sl_status status = sl_repack_caf(r.file.data, r.file.len, &out, NULL);
        enough = sl_mem_fail_at(0, false) < k;
        ck_assert_int_eq(status, enough ? SL_OK : SL_E_NOMEM);
        sl_buf_free(&out);
    }
    ck_assert(enough);
    sl_buf_free(&r.file);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("voice loud");
    TCase *tcase = tcase_create("loud");
    tcase_set_timeout(tcase, SL_TEST_TIMEOUT_S);
    tcase_add_loop_test(tcase, loud__what_is_played_never_passes_full_scale, 0, 3);
    tcase_add_loop_test(tcase, loud__a_retake_counts_as_what_it_is, 0, 2);
    tcase_add_loop_test(tcase, loud__with_the_gain_in_its_samples_a_voice_is_as_loud_and_no_louder,
                        0, 2);
    tcase_add_test(tcase, loud__a_caf_has_the_gain_and_an_mp4_carries_it);
    tcase_add_test(tcase, loud__running_out_of_memory_is_only_an_error);
    suite_add_tcase(suite, tcase);
    return sl_test_run(suite);
}
