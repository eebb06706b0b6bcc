/* The recorder's machine: its states, what its file holds, its picture, its failures. */
#include "voice/take.h"

#include "base/mem.h"
#include "base/prng.h"
#include "recording.h"
#include "support.h"
#include "tone.h"
#include "voice/listen.h"
#include "voice/ogg.h"

#include <string.h>

enum {
    SECOND = 48000
};

static float pcm[4 * SECOND];
static float heard[8 * SECOND];

static size_t listen(const recording *r, float *dst, size_t max)
{
    sl_listener *l = NULL;
    ck_assert_int_eq(sl_listen_open(r->file.data, r->file.len, &l, NULL), SL_OK);
    size_t n = sl_listen_read(l, dst, max);
    ck_assert_int_eq((int64_t)n, sl_listen_frames(l));
    sl_listen_close(l);
    return n;
}

START_TEST(take__a_cancelled_take_stays_cancelled)
{
    recording r = {0};
    sl_take *t = recording_start(&r, SECOND);
    ck_assert_int_eq(recording_run(t, SL_TAKE_RECORD), SL_OK);
    ck_assert_int_eq(recording_run(t, SL_TAKE_SWIPE), SL_OK);
    ck_assert_int_eq(sl_take_push(t, pcm, 10, NULL), SL_OK); /* ignored */
    ck_assert_int_eq(sl_take_length(t), 0);
    ck_assert_int_eq(recording_run(t, SL_TAKE_FINISH), SL_E_MISUSE);
    sl_take_free(t);
    sl_buf_free(&r.file);
}
END_TEST

START_TEST(take__limits_of_rate_and_bitrate)
{
    static const struct {
        int32_t rate, bitrate, complexity;
        sl_status want;
    } cases[] = {{8000, 24000, 5, SL_OK},   {7999, 24000, 5, SL_E_INVALID},
                 {192000, 24000, 5, SL_OK}, {192001, 24000, 5, SL_E_INVALID},
                 {48000, 6000, 5, SL_OK},   {48000, 5999, 5, SL_E_INVALID},
                 {48000, 128000, 5, SL_OK}, {48000, 128001, 5, SL_E_INVALID},
                 {48000, 24000, 0, SL_OK},  {48000, 24000, -1, SL_E_INVALID},
                 {48000, 24000, 10, SL_OK}, {48000, 24000, 11, SL_E_INVALID}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        recording r = {0};
        sl_take_config config = recording_config(&r, cases[i].rate);
        config.spool.bitrate = cases[i].bitrate;
        config.spool.complexity = cases[i].complexity;
        sl_take *t = NULL;
        ck_assert_int_eq(sl_take_new(&config, &t, NULL), cases[i].want);
        ck_assert((t != NULL) == (cases[i].want == SL_OK));
        sl_take_free(t);
    }
}
END_TEST

/* [TAKE-2] around the borders of packets and of the encoder's delay (312 frames). */
START_TEST(take__the_file_holds_exactly_the_frames_pushed)
{
    static const size_t lengths[] = {1,    647,  648,  649,  959,   960,   961,
                                     8999, 9288, 9600, 9601, 19200, 48000, 100001};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        recording r = {0};
        recording_of(&r, pcm, lengths[i], SECOND);
        ck_assert_uint_eq(listen(&r, heard, 8 * (size_t)SECOND), lengths[i]);
        sl_buf_free(&r.file);
    }
}
END_TEST

START_TEST(take__a_tone_is_heard_again_at_every_rate)
{
    static const int32_t rates[] = {8000, 16000, 44100, 48000, 96000};
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        recording r = {0};
        size_t n = (size_t)rates[i];
        tone_make(pcm, n, 500.0, rates[i], 0.5);
        recording_of(&r, pcm, n, rates[i]);
        ck_assert_uint_eq(listen(&r, heard, SECOND + 1), SECOND);
        double level = tone_level(heard + 4800, 38400, 500.0, SECOND);
        double all = tone_rms(heard + 4800, 38400) * 1.41421356;
        ck_assert_double_gt(level, 0.4);
        ck_assert_double_lt(level, 0.6);
        ck_assert_double_gt(level / all, 0.95);
        sl_buf_free(&r.file);
    }
}
END_TEST

/* Silence costs little with DTX, and sound what it costs without. */
START_TEST(take__dtx_saves_on_silence)
{
    static const struct {
        bool silent;
        double least, most; /* of the plain file of the same sound */
    } cases[] = {{true, 0.0, 0.7}, {false, 0.75, 1.1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        recording plain = {0};
        recording r = {0};
        for (size_t k = 0; k < 4 * (size_t)SECOND; k++) {
            double t = (double)k / SECOND;
            pcm[k] = cases[i].silent ? 0.0F : (float)(0.3 * sin(900.0 * t) * sin(9000.0 * t * t));
        }
        recording_of(&plain, pcm, 4 * (size_t)SECOND, SECOND);
        sl_take_config config = recording_config(&r, SECOND);
        config.spool.dtx = true;
        sl_take *t = NULL;
        ck_assert_int_eq(sl_take_new(&config, &t, NULL), SL_OK);
        ck_assert_int_eq(recording_run(t, SL_TAKE_RECORD), SL_OK);
        ck_assert_int_eq(sl_take_push(t, pcm, 4 * (size_t)SECOND, NULL), SL_OK);
        ck_assert_int_eq(recording_run(t, SL_TAKE_FINISH), SL_OK);
        sl_take_free(t);
        ck_assert_uint_eq(listen(&r, heard, 8 * (size_t)SECOND), 4 * (size_t)SECOND);
        double part = (double)r.file.len / (double)plain.file.len;
        ck_assert_double_ge(part, cases[i].least);
        ck_assert_double_le(part, cases[i].most);
        sl_buf_free(&plain.file);
        sl_buf_free(&r.file);
    }
}
END_TEST

/* Of the sound in pages that end after so many seconds. */
static size_t bytes_after(const sl_buf *file, uint64_t seconds)
{
    sl_ogg_found page;
    size_t at = 0;
    size_t n = 0;
    while (sl_ogg_next(file->data, file->len, &at, &page)) {
        n += page.granule > seconds * SECOND ? page.body_len : 0;
    }
    return n;
}

/* A voice that sings: by itself libopus spends 24.7 kbit/s on it. */
START_TEST(take__who_never_pauses_gets_the_rate_asked_for)
{
    enum {
        LENGTH = 20,
        FROM = 8
    };
    recording r = {0};
    sl_take *t = recording_start(&r, SECOND);
    double phase = 0;
    ck_assert_int_eq(recording_run(t, SL_TAKE_RECORD), SL_OK);
    for (int k = 0; k < LENGTH; k++) {
        for (int i = 0; i < SECOND; i++) {
            double at = k + (double)i / SECOND;
            double v = 0;
            phase += 6.28318530717958648 * (140 + 40 * sin(6.28 * 1.3 * at)) / SECOND;
            for (int h = 1; h <= 8; h++) {
                v += sin(h * phase) / h * (1 + 0.5 * sin(at * h));
            }
            pcm[i] = (float)(0.12 * (0.15 + 0.85 * fabs(sin(6.28 * 2 * at))) * v);
        }
        ck_assert_int_eq(sl_take_push(t, pcm, SECOND, NULL), SL_OK);
    }
    ck_assert_int_eq(recording_run(t, SL_TAKE_FINISH), SL_OK);
    sl_take_free(t);
    double rate = (double)bytes_after(&r.file, FROM) * 8 / (LENGTH - FROM);
    ck_assert_double_le(rate, SL_TAKE_BITRATE * 1.01);
    ck_assert_double_ge(rate, SL_TAKE_BITRATE * 0.97);
    sl_buf_free(&r.file);
}
END_TEST

/* [TAKE-3] */
START_TEST(take__pauses_leave_no_gap_and_nothing_is_heard_in_them)
{
    recording r = {0};
    sl_take *t = recording_start(&r, SECOND);
    tone_make(pcm, SECOND, 500.0, SECOND, 0.5);
    for (size_t i = 0; i < 4; i++) {
        ck_assert_int_eq(recording_run(t, SL_TAKE_RECORD), SL_OK);
        ck_assert_int_eq(sl_take_push(t, pcm + i * SECOND / 4, SECOND / 4, NULL), SL_OK);
        ck_assert_int_eq(recording_run(t, SL_TAKE_PAUSE), SL_OK);
        ck_assert_int_eq(sl_take_push(t, pcm, SECOND, NULL), SL_OK); /* ignored */
        ck_assert_int_eq(sl_take_position_us(t), (int64_t)(i + 1) * 250000);
    }
    ck_assert_int_eq(recording_run(t, SL_TAKE_FINISH), SL_OK);
    ck_assert_int_eq(sl_take_length(t), SECOND);
    sl_take_free(t);
    recording whole = {0};
    recording_of(&whole, pcm, SECOND, SECOND);
    ck_assert_uint_eq(r.file.len, whole.file.len);
    ck_assert_mem_eq(r.file.data, whole.file.data, r.file.len);
    sl_buf_free(&r.file);
    sl_buf_free(&whole.file);
}
END_TEST

START_TEST(take__the_pages_are_as_the_standard_wants_them)
{
    recording r = {0};
    recording_of(&r, pcm, SECOND, SECOND);
    sl_ogg_found page;
    size_t at = 0;
    uint32_t count = 0;
    uint64_t granule = 0;
    while (sl_ogg_next(r.file.data, r.file.len, &at, &page)) {
        ck_assert_uint_eq(page.sequence, count);
        ck_assert_uint_eq(page.serial, 7);
        ck_assert_uint_eq(page.flags & SL_OGG_FIRST, count == 0 ? SL_OGG_FIRST : 0);
        ck_assert_uint_eq(page.flags & SL_OGG_LAST, at == r.file.len ? SL_OGG_LAST : 0);
        ck_assert_uint_ge(page.granule, granule);
        ck_assert_uint_le(page.granule - granule, 7680);
        granule = page.granule;
        count++;
    }
    ck_assert_uint_eq(granule, SECOND + 312);
    ck_assert_uint_eq(count, 2 + 7); /* 51 packets and 8 to a page */
    sl_buf_free(&r.file);
}
END_TEST

/* [TAKE-1] */
START_TEST(take__what_is_written_lags_less_than_a_quarter_of_a_second)
{
    recording r = {0};
    sl_take *t = recording_start(&r, SECOND);
    ck_assert_int_eq(recording_run(t, SL_TAKE_RECORD), SL_OK);
    for (size_t ms = 10; ms <= 3000; ms += 10) {
        ck_assert_int_eq(sl_take_push(t, pcm, 480, NULL), SL_OK);
        if (ms % 130 != 0) {
            continue;
        }
        sl_buf copy = {0};
        sl_buf_put(&copy, r.file.data, r.file.len);
        copy.len = sl_ogg_recover(copy.data, copy.len);
        if (copy.len == 0) {
            ck_assert_uint_lt(ms, 250);
        } else {
            recording saved = {.file = copy};
            ck_assert_uint_gt(listen(&saved, heard, 8 * (size_t)SECOND) + 12000, ms * 48);
        }
        sl_buf_free(&copy);
    }
    sl_take_free(t);
    sl_buf_free(&r.file);
}
END_TEST

START_TEST(take__the_picture_is_of_the_sound_and_bounded)
{
    recording r = {0};
    sl_take *t = recording_start(&r, SECOND);
    ck_assert_int_eq(recording_run(t, SL_TAKE_RECORD), SL_OK);
    for (size_t i = 0; i < SECOND; i++) {
        pcm[i] = i % 2 == 0 ? 0.5F : -1.0F;
    }
    memset(pcm + SECOND, 0, SECOND * sizeof *pcm);
    for (int i = 0; i < 10; i++) {
        ck_assert_int_eq(sl_take_push(t, pcm, 2 * (size_t)SECOND, NULL), SL_OK);
    }
    ck_assert_int_eq(recording_run(t, SL_TAKE_FINISH), SL_OK);
    const sl_peaks *k = sl_take_peaks(t);
    ck_assert_uint_eq(k->count, 1000); /* 20 s: 2000 pairs of 10 ms, merged once */
    ck_assert_uint_eq(k->shift, 1);
    for (uint32_t i = 0; i < k->count; i++) {
        bool loud = i % 100 < 50;
        ck_assert_int_eq(k->pair[i][0], loud ? -127 : 0);
        ck_assert_int_eq(k->pair[i][1], loud ? 64 : 0);
    }
    sl_take_free(t);
    sl_buf_free(&r.file);
}
END_TEST

START_TEST(take__a_full_disk_fails_the_take_once_and_for_all)
{
    for (uint32_t k = 1; k <= 8; k++) {
        recording r = {.fail_at = k};
        sl_take *t = recording_start(&r, SECOND);
        sl_error *err = NULL;
        sl_status status = sl_take_command_run(t, SL_TAKE_RECORD, 0, &err);
        if (status == SL_OK) {
            status = sl_take_push(t, pcm, SECOND, &err);
        }
        if (status == SL_OK) {
            status = sl_take_command_run(t, SL_TAKE_FINISH, 0, &err);
        }
        ck_assert_int_eq(status, SL_E_FULL);
        ck_assert_ptr_nonnull(err);
        sl_error_release(err);
        ck_assert_int_eq(sl_take_failure(t), SL_E_FULL);
        ck_assert_int_eq(recording_run(t, SL_TAKE_FINISH), SL_E_FULL);
        ck_assert_int_eq(sl_take_push(t, pcm, 1, NULL), SL_E_FULL);
        ck_assert_int_eq(recording_run(t, SL_TAKE_SWIPE), SL_OK);
        sl_take_free(t);
        sl_buf_free(&r.file);
    }
}
END_TEST

START_TEST(take__running_out_of_memory_anywhere_is_only_an_error)
{
    for (uint64_t k = 1; k < 100; k++) {
        recording r = {0};
        sl_take_config config = recording_config(&r, 44100);
        config.chain = (sl_chain_config){.highpass = true, .level = true};
        config.loudness = true;
        sl_take *t = NULL;
        (void)sl_mem_fail_at(k, false);
        sl_status status = sl_take_new(&config, &t, NULL);
        if (status == SL_OK) {
            status = recording_run(t, SL_TAKE_RECORD);
        }
        if (status == SL_OK) {
            status = sl_take_push(t, pcm, 20000, NULL);
        }
        if (status == SL_OK) {
            status = recording_run(t, SL_TAKE_FINISH);
        }
        bool enough = sl_mem_fail_at(0, false) < k;
        ck_assert_int_eq(status, enough ? SL_OK : SL_E_NOMEM);
        sl_take_free(t);
        sl_buf_free(&r.file);
        if (enough) {
            return;
        }
    }
    ck_abort_msg("It never had enough");
}
END_TEST

SL_TEST_MAIN("voice_take", take__a_cancelled_take_stays_cancelled, take__limits_of_rate_and_bitrate,
             take__the_file_holds_exactly_the_frames_pushed,
             take__a_tone_is_heard_again_at_every_rate, take__dtx_saves_on_silence,
             take__who_never_pauses_gets_the_rate_asked_for,
             take__pauses_leave_no_gap_and_nothing_is_heard_in_them,
             take__the_pages_are_as_the_standard_wants_them,
             take__what_is_written_lags_less_than_a_quarter_of_a_second,
             take__the_picture_is_of_the_sound_and_bounded,
             take__a_full_disk_fails_the_take_once_and_for_all,
             take__running_out_of_memory_anywhere_is_only_an_error)
