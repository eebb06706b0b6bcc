/* Cutting a take back and going on: lengths, sounds, picture, what a kill would leave. */
#include "base/mem.h"
#include "base/prng.h"
#include "recording.h"
#include "support.h"
#include "tone.h"
#include "voice/listen.h"
#include "voice/ogg.h"
#include "voice/take.h"

#include <string.h>

enum {
    SECOND = 48000
};

static float first[4 * SECOND];
static float again[4 * SECOND];
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

static void set_up(void)
{
    tone_make(first, 4 * (size_t)SECOND, 400.0, SECOND, 0.4);
    tone_make(again, 4 * (size_t)SECOND, 900.0, SECOND, 0.4);
}

/* Pages number themselves without a hole, their granules rise, only the last one is marked. */
static void check_pages(const recording *r)
{
    sl_ogg_found page;
    size_t at = 0;
    size_t end = 0;
    uint32_t count = 0;
    uint64_t granule = 0;
    while (sl_ogg_next(r->file.data, r->file.len, &at, &page)) {
        ck_assert_uint_eq(page.at, end);
        ck_assert_uint_eq(page.sequence, count);
        ck_assert_uint_ge(page.granule, granule);
        ck_assert_uint_eq(page.flags & SL_OGG_LAST, at == r->file.len ? SL_OGG_LAST : 0);
        granule = page.granule;
        end = at;
        count++;
    }
    ck_assert_uint_eq(end, r->file.len);
}

/* Records `before` frames of one tone, goes back to `at`, records `after` frames of the other. */
static recording take_again(size_t before, size_t at, size_t after)
{
    recording r = {0};
    sl_take *t = recording_start(&r, SECOND);
    ck_assert_int_eq(recording_run(t, SL_TAKE_RECORD), SL_OK);
    ck_assert_int_eq(sl_take_push(t, first, before, NULL), SL_OK);
    ck_assert_int_eq(recording_run(t, SL_TAKE_PAUSE), SL_OK);
    ck_assert_int_eq(sl_take_command_run(t, SL_TAKE_RETAKE, (int64_t)at, NULL), SL_OK);
    ck_assert_int_eq(sl_take_length(t), (int64_t)at);
    ck_assert_int_eq(recording_run(t, SL_TAKE_RECORD), SL_OK);
    ck_assert_int_eq(sl_take_push(t, again, after, NULL), SL_OK);
    ck_assert_int_eq(recording_run(t, SL_TAKE_FINISH), SL_OK);
    ck_assert_int_eq(sl_take_length(t), (int64_t)(at + after));
    sl_take_free(t);
    check_pages(&r);
    return r;
}

/* [SPOOL-2] and [SPOOL-3] around the borders of frames, pages and the encoder's delay. */
START_TEST(retake__the_file_holds_what_was_kept_and_what_came_after)
{
    static const size_t places[] = {0,     1,     647,   648,   649,    960,   961,   7367,
                                    7368,  7369,  7680,  7681,  9000,   15047, 15048, 15049,
                                    48000, 60000, 95999, 96000, 143999, 144000};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        for (size_t after = 1; after <= SECOND; after += SECOND - 1) {
            recording r = take_again(3 * (size_t)SECOND, places[i], after);
            ck_assert_uint_eq(listen(&r, heard, 8 * (size_t)SECOND), places[i] + after);
            sl_buf_free(&r.file);
        }
    }
}
END_TEST

START_TEST(retake__a_finish_right_after_it_keeps_what_was_kept)
{
    for (size_t at = 1; at < 3 * 7680; at += 311) {
        recording r = {0};
        sl_take *t = recording_start(&r, SECOND);
        ck_assert_int_eq(recording_run(t, SL_TAKE_RECORD), SL_OK);
        ck_assert_int_eq(sl_take_push(t, first, SECOND, NULL), SL_OK);
        ck_assert_int_eq(recording_run(t, SL_TAKE_DOUBLE_TAP), SL_OK);
        ck_assert_int_eq(sl_take_command_run(t, SL_TAKE_RETAKE, (int64_t)at, NULL), SL_OK);
        ck_assert_int_eq(recording_run(t, SL_TAKE_FINISH), SL_OK);
        sl_take_free(t);
        check_pages(&r);
        ck_assert_uint_eq(listen(&r, heard, 8 * (size_t)SECOND), at);
        sl_buf_free(&r.file);
    }
}
END_TEST

START_TEST(retake__the_old_tone_ends_and_the_new_one_begins_at_the_cut)
{
    static const size_t places[] = {48000, 60321, 71999, 72648};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        size_t at = places[i];
        recording r = take_again(3 * (size_t)SECOND, at, 2 * (size_t)SECOND);
        ck_assert_uint_eq(listen(&r, heard, 8 * (size_t)SECOND), at + 2 * (size_t)SECOND);
        const size_t n = 2400; /* 50 ms: whole periods of both tones */
        /* To within 10 ms of the cut all is the one tone, from 10 ms after it the other. */
        const float *before = heard + at - 480 - n;
        const float *after = heard + at + 480;
        ck_assert_double_gt(tone_level(before, n, 400.0, SECOND), 0.3);
        ck_assert_double_lt(tone_level(before, n, 900.0, SECOND), 0.06);
        ck_assert_double_gt(tone_level(after, n, 900.0, SECOND), 0.3);
        ck_assert_double_lt(tone_level(after, n, 400.0, SECOND), 0.06);
        /* No click: nothing is louder than the tones. */
        for (size_t k = at - 960; k < at + 960; k++) {
            ck_assert_float_lt(heard[k] < 0.0F ? -heard[k] : heard[k], 0.6F);
        }
        sl_buf_free(&r.file);
    }
}
END_TEST

/* What was kept sounds as if there had been no retake, sample by sample. */
START_TEST(retake__what_was_kept_is_untouched)
{
    static float straight[4 * SECOND];
    recording plain = {0};
    recording_of(&plain, first, 3 * (size_t)SECOND, SECOND);
    ck_assert_uint_eq(listen(&plain, straight, 4 * (size_t)SECOND), 3 * (size_t)SECOND);
    recording r = take_again(3 * (size_t)SECOND, 100000, SECOND);
    (void)listen(&r, heard, 8 * (size_t)SECOND);
    for (size_t i = 0; i < 100000 - 1300; i++) { /* the packet of the cut is made anew */
        ck_assert(heard[i] == straight[i]);
    }
    sl_buf_free(&plain.file);
    sl_buf_free(&r.file);
}
END_TEST

START_TEST(retake__the_picture_and_the_length_follow)
{
    recording r = {0};
    sl_take *t = recording_start(&r, SECOND);
    for (size_t i = 0; i < 2 * (size_t)SECOND; i++) {
        first[i] = i < SECOND ? 0.25F : 1.0F;
        again[i] = 0.5F;
    }
    ck_assert_int_eq(recording_run(t, SL_TAKE_RECORD), SL_OK);
    ck_assert_int_eq(sl_take_push(t, first, 2 * (size_t)SECOND, NULL), SL_OK);
    ck_assert_int_eq(recording_run(t, SL_TAKE_TAP), SL_OK);
    ck_assert_int_eq(sl_take_command_run(t, SL_TAKE_RETAKE, SECOND, NULL), SL_OK);
    ck_assert_int_eq(sl_take_position_us(t), 1000000);
    ck_assert_int_eq(recording_run(t, SL_TAKE_TAP), SL_OK);
    ck_assert_int_eq(sl_take_push(t, again, SECOND / 2, NULL), SL_OK);
    ck_assert_int_eq(recording_run(t, SL_TAKE_FINISH), SL_OK);
    const sl_peaks *k = sl_take_peaks(t);
    ck_assert_uint_eq(k->count, 150);
    ck_assert_int_eq(k->pair[99][1], 32);
    ck_assert_int_eq(k->pair[100][1], 64);
    ck_assert_int_eq(k->pair[149][1], 64);
    sl_take_free(t);
    sl_buf_free(&r.file);
    set_up();
}
END_TEST

/* Many cuts, each followed by an odd number of frames; at 44.1 kHz and with all stages. */
START_TEST(retake__a_hundred_of_them_still_add_up)
{
    sl_prng random;
    sl_prng_seed(&random, 5);
    for (int round = 0; round < 2; round++) {
        recording r = {0};
        sl_take_config config = recording_config(&r, round == 0 ? 44100 : SECOND);
        config.chain = (sl_chain_config){true, sl_chain_has_dsp(), true, sl_chain_has_dsp(), true};
        config.loudness = true;
        sl_take *t = NULL;
        ck_assert_int_eq(sl_take_new(&config, &t, NULL), SL_OK);
        for (int i = 0; i < 100; i++) {
            ck_assert_int_eq(recording_run(t, SL_TAKE_HOLD), SL_OK);
            ck_assert_int_eq(
                sl_take_push(t, first, (size_t)(1 + sl_prng_below(&random, SECOND / 5)), NULL),
                SL_OK);
            ck_assert_int_eq(recording_run(t, SL_TAKE_RELEASE), SL_OK);
            int64_t at = (int64_t)sl_prng_below(&random, (uint64_t)sl_take_length(t));
            ck_assert_int_eq(sl_take_command_run(t, SL_TAKE_RETAKE, at, NULL), SL_OK);
            ck_assert_int_eq(sl_take_length(t), at);
        }
        ck_assert_int_eq(recording_run(t, SL_TAKE_RECORD), SL_OK);
        ck_assert_int_eq(sl_take_push(t, first, 777, NULL), SL_OK);
        ck_assert_int_eq(recording_run(t, SL_TAKE_FINISH), SL_OK);
        int64_t length = sl_take_length(t);
        float *all = sl_mem_array((size_t)length + 1, sizeof *all);
        check_pages(&r);
        ck_assert_int_eq((int64_t)listen(&r, all, (size_t)length + 1), length);
        sl_mem_free(all);
        sl_take_free(t);
        sl_buf_free(&r.file);
    }
}
END_TEST

/* [SPOOL-3], second half. */
START_TEST(retake__a_kill_afterwards_loses_a_quarter_of_a_second_of_what_was_kept)
{
    recording r = {0};
    sl_take *t = recording_start(&r, SECOND);
    ck_assert_int_eq(recording_run(t, SL_TAKE_RECORD), SL_OK);
    ck_assert_int_eq(sl_take_push(t, first, 3 * (size_t)SECOND, NULL), SL_OK);
    ck_assert_int_eq(recording_run(t, SL_TAKE_PAUSE), SL_OK);
    for (int64_t at = 3 * SECOND - 1; at > 0; at -= 4999) {
        ck_assert_int_eq(sl_take_command_run(t, SL_TAKE_RETAKE, at, NULL), SL_OK);
        sl_buf copy = {0};
        sl_buf_put(&copy, r.file.data, r.file.len);
        copy.len = sl_ogg_recover(copy.data, copy.len);
        int64_t got = 0;
        if (copy.len > 0) {
            recording saved = {.file = copy};
            got = (int64_t)listen(&saved, heard, 8 * (size_t)SECOND);
        }
        ck_assert_int_gt(got + SECOND / 4, at);
        ck_assert_int_le(got, at);
        sl_buf_free(&copy);
    }
    sl_take_free(t);
    sl_buf_free(&r.file);
}
END_TEST

START_TEST(retake__a_new_rate_in_the_middle_goes_on_where_the_old_one_stopped)
{
    recording r = {0};
    sl_take *t = recording_start(&r, SECOND);
    static float low[16000];
    tone_make(low, 16000, 900.0, 16000, 0.4);
    ck_assert_int_eq(recording_run(t, SL_TAKE_RECORD), SL_OK);
    ck_assert_int_eq(sl_take_push(t, first, SECOND, NULL), SL_OK);
    ck_assert_int_eq(sl_take_set_rate(t, 7999, NULL), SL_E_INVALID);
    ck_assert_int_eq(sl_take_set_rate(t, 16000, NULL), SL_OK);
    ck_assert_int_eq(sl_take_push(t, low, 16000, NULL), SL_OK);
    ck_assert_int_eq(sl_take_position_us(t), 2000000);
    ck_assert_int_eq(recording_run(t, SL_TAKE_FINISH), SL_OK);
    sl_take_free(t);
    ck_assert_uint_eq(listen(&r, heard, 8 * (size_t)SECOND), 2 * (size_t)SECOND);
    ck_assert_double_gt(tone_level(heard + 2400, 40800, 400.0, SECOND), 0.3);
    ck_assert_double_gt(tone_level(heard + SECOND + 2400, 40800, 900.0, SECOND), 0.3);
    sl_buf_free(&r.file);
}
END_TEST

START_TEST(retake__running_out_of_memory_is_only_an_error)
{
    for (uint64_t k = 1; k < 60; k++) {
        recording r = {0};
        sl_take *t = recording_start(&r, SECOND);
        ck_assert_int_eq(recording_run(t, SL_TAKE_RECORD), SL_OK);
        ck_assert_int_eq(sl_take_push(t, first, SECOND, NULL), SL_OK);
        ck_assert_int_eq(recording_run(t, SL_TAKE_PAUSE), SL_OK);
        (void)sl_mem_fail_at(k, false);
        sl_status status = sl_take_command_run(t, SL_TAKE_RETAKE, SECOND / 3, NULL);
        bool enough = sl_mem_fail_at(0, false) < k;
        ck_assert_int_eq(status, enough ? SL_OK : SL_E_NOMEM);
        ck_assert_int_eq(sl_take_failure(t), enough ? SL_OK : SL_E_NOMEM);
        sl_take_free(t);
        sl_buf_free(&r.file);
        if (enough) {
            return;
        }
    }
    ck_abort_msg("It never had enough");
}
END_TEST

SL_TEST_MAIN_WITH("voice_retake", set_up, NULL,
                  retake__the_file_holds_what_was_kept_and_what_came_after,
                  retake__a_finish_right_after_it_keeps_what_was_kept,
                  retake__the_old_tone_ends_and_the_new_one_begins_at_the_cut,
                  retake__what_was_kept_is_untouched, retake__the_picture_and_the_length_follow,
                  retake__a_hundred_of_them_still_add_up,
                  retake__a_kill_afterwards_loses_a_quarter_of_a_second_of_what_was_kept,
                  retake__a_new_rate_in_the_middle_goes_on_where_the_old_one_stopped,
                  retake__running_out_of_memory_is_only_an_error)
