/* Stills for scrubbing: the right one, within the budget, and the thread that makes them ends. */
#include "clip.h"
#include "media/scrub.h"
#include "support.h"

#include <stdlib.h>

enum {
    RATE = 30,
    FRAMES = 120
};

static char g_folder[CLIP_PATH_MAX];
static char g_clip[CLIP_PATH_MAX];

static void setup(void)
{
    clip_folder(g_folder);
    clip_join(g_clip, g_folder, "a.mp4");
    clip_make(g_clip, FRAMES, RATE, false);
}

static void teardown(void)
{
    clip_folder_drop(g_folder);
}

START_TEST(scrub__shows_the_frame_of_any_time_when_all_stills_fit)
{
    sl_scrub *s = NULL;
    bool whole = false;
    sl_pixels p = clip_pixels(CLIP_WIDTH, CLIP_HEIGHT);
    ck_assert_int_eq(sl_scrub_open(SL_SOURCE_FILE(g_clip), 0, &s, NULL), SL_OK);
    sl_scrub_wait(s);
    ck_assert_int_ge(sl_scrub_until_us(s, &whole), (int64_t)(FRAMES - 1) * 1000000 / RATE - 1);
    ck_assert(whole);
    for (int i = 0; i < FRAMES; i++) {
        int k = (i * 53) % FRAMES;
        int64_t shown_us = 0;
        int64_t t_us = (int64_t)k * 1000000 / RATE + 1000;
        ck_assert_int_eq(sl_scrub_pixels(s, t_us, &p, &shown_us, NULL), SL_OK);
        ck_assert_int_eq(clip_number(&p), k);
        ck_assert_int_le(shown_us, t_us);
    }
    clip_pixels_free(&p);
    sl_scrub_close(s);
}
END_TEST

START_TEST(scrub__a_small_budget_spreads_fewer_stills_evenly)
{
    sl_scrub *s = NULL;
    sl_pixels p = clip_pixels(CLIP_WIDTH, CLIP_HEIGHT);
    ck_assert_int_eq(sl_scrub_open(SL_SOURCE_FILE(g_clip), 60000, &s, NULL), SL_OK);
    sl_scrub_wait(s);
    int different = 0;
    int last = -1;
    int widest = 0;
    for (int k = 0; k < FRAMES; k++) {
        int64_t t_us = (int64_t)k * 1000000 / RATE + 1000;
        ck_assert_int_eq(sl_scrub_pixels(s, t_us, &p, NULL, NULL), SL_OK);
        int seen = clip_number(&p);
        ck_assert_int_le(seen, k);
        widest = k - seen > widest ? k - seen : widest;
        different += seen != last ? 1 : 0;
        last = seen;
    }
    ck_assert_int_lt(different, FRAMES);
    ck_assert_int_ge(different, 2);
    ck_assert_int_le((different - 1) * (widest + 1), FRAMES); /* steps of one width */
    clip_pixels_free(&p);
    sl_scrub_close(s);
}
END_TEST

START_TEST(scrub__can_be_closed_at_once_and_a_file_without_pictures_has_none)
{
    sl_scrub *s = NULL;
    bool whole = false;
    sl_pixels p = clip_pixels(CLIP_WIDTH, CLIP_HEIGHT);
    for (int i = 0; i < 10; i++) {
        ck_assert_int_eq(sl_scrub_open(SL_SOURCE_FILE(g_clip), 0, &s, NULL), SL_OK);
        sl_scrub_close(s);
    }
    ck_assert_int_eq(sl_scrub_open(SL_SOURCE_FILE("tests/README.md"), 0, &s, NULL), SL_OK);
    sl_scrub_wait(s);
    ck_assert_int_eq(sl_scrub_until_us(s, &whole), 0);
    ck_assert_int_eq(sl_scrub_pixels(s, 0, &p, NULL, NULL), SL_E_NOT_FOUND);
    clip_pixels_free(&p);
    sl_scrub_close(s);
}
END_TEST

SL_TEST_MAIN_WITH("media_scrub", setup, teardown,
                  scrub__shows_the_frame_of_any_time_when_all_stills_fit,
                  scrub__a_small_budget_spreads_fewer_stills_evenly,
                  scrub__can_be_closed_at_once_and_a_file_without_pictures_has_none)
