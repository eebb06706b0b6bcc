/* Spaces held in part: the list of holes, the frames that speak of them, the client's machine. */
#include "sync/client.h"
#include "sync/holes.h"
#include "unit/sync/frames.h"

#include "support.h"

#include <stdio.h>
#include <string.h>

#define THREAD "thread:01890000-0000-7000-8000-000000000002"
#define VIDEO  "video:01890000-0000-7000-8000-000000000002"
#define EPOCH  "01890000-0000-7000-8000-0000000000ee"
#define ID     "01890000-0000-7000-8000-0000000000aa"

enum {
    PLACES = 400,
    STEPS = 4000
};

/* --- holes ----------------------------------------------------------------------------------- */

static void check_list(const sl_holes *h)
{
    ck_assert_uint_le(h->n, SL_HOLES_MAX);
    for (size_t i = 0; i < h->n; i++) {
        ck_assert_int_lt(h->at[i].above, h->at[i].upto);
        ck_assert(i == 0 || h->at[i].above > h->at[i - 1].upto);
    }
}

START_TEST(holes__are_what_was_left_out_and_did_not_come)
{
    sl_prng prng;
    sl_prng_seed(&prng, 11);
    for (int round = 0; round < 4; round++) {
        sl_holes h = {.n = 0};
        bool missing[PLACES + 1] = {false};
        /* Few and long ones first, then so many that some must be made one. */
        int64_t span = round < 2 ? 60 : 4;
        size_t most = 0;
        for (int step = 0; step < STEPS; step++) {
            int64_t above = (int64_t)sl_prng_below(&prng, PLACES);
            int64_t upto = above + (int64_t)sl_prng_below(&prng, (uint64_t)span);
            upto = upto < PLACES ? upto : PLACES;
            bool add = sl_prng_below(&prng, 2) == 0;
            if (add) {
                sl_holes_add(&h, above, upto);
            } else {
                sl_holes_take(&h, above, upto);
            }
            for (int64_t p = above + 1; p <= upto; p++) {
                missing[p] = add;
            }
            check_list(&h);
            most = h.n > most ? h.n : most;
            for (int64_t p = 1; p <= PLACES; p++) {
                bool in = sl_holes_at(&h, p) != NULL;
                if (missing[p] && !in) { /* too often for an assertion each */
                    ck_abort_msg("place %d is passed off as held", (int)p);
                }
                missing[p] = in; /* what was made one is missing from now on */
            }
        }
        ck_assert(round < 2 || most == SL_HOLES_MAX);
    }
}
END_TEST

START_TEST(holes__of_too_many_the_two_nearest_become_one)
{
    sl_holes h = {.n = 0};
    for (int64_t i = 0; i < SL_HOLES_MAX; i++) {
        sl_holes_add(&h, i * 100, i * 100 + 50);
    }
    ck_assert_uint_eq(h.n, SL_HOLES_MAX);
    sl_holes_add(&h, 760, 770); /* 10 behind 750, 30 before 800 */
    ck_assert_uint_eq(h.n, SL_HOLES_MAX);
    ck_assert_ptr_nonnull(sl_holes_at(&h, 755));
    ck_assert_ptr_null(sl_holes_at(&h, 775));
    ck_assert_ptr_null(sl_holes_at(&h, 655));
}
END_TEST

START_TEST(holes__come_back_from_their_text)
{
    sl_holes h = {.n = 0};
    sl_holes back;
    char text[SL_HOLES_TEXT];
    for (int64_t i = 0; i < SL_HOLES_MAX; i++) {
        sl_holes_add(&h, ((int64_t)1 << 53) - 200 + i * 3, ((int64_t)1 << 53) - 199 + i * 3);
    }
    sl_holes_print(text, &h);
    ck_assert(sl_holes_read(&back, text));
    ck_assert_uint_eq(back.n, h.n);
    ck_assert_mem_eq(back.at, h.at, h.n * sizeof h.at[0]);
    ck_assert(sl_holes_read(&back, "4-17,40-62"));
    ck_assert_int_eq(back.at[1].upto, 62);
    ck_assert(sl_holes_read(&back, NULL) && back.n == 0);
    ck_assert(sl_holes_read(&back, "") && back.n == 0);
}
END_TEST

START_TEST(holes__refuse_what_is_none)
{
    static const char *const wrong[] = {"4",
                                        "4-",
                                        "-4",
                                        "4-4",
                                        "5-4",
                                        "4-17,",
                                        ",4-17",
                                        "4-17 40-62",
                                        "4-17,17-20",
                                        "4-17,3-20",
                                        "a-b",
                                        "4--17",
                                        "4-17x",
                                        "0-9007199254740993",
                                        "0-99999999999999999999"};
    sl_holes h;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        ck_assert_msg(!sl_holes_read(&h, wrong[i]) && h.n == 0, "%s", wrong[i]);
    }
    char many[SL_HOLES_TEXT * 2] = "";
    for (int i = 0; i <= SL_HOLES_MAX; i++) {
        size_t n = strlen(many);
        (void)snprintf(many + n, sizeof many - n, "%s%d-%d", i > 0 ? "," : "", i * 10, i * 10 + 5);
    }
    ck_assert(!sl_holes_read(&h, many));
    *strrchr(many, ',') = 0;
    ck_assert(sl_holes_read(&h, many));
}
END_TEST

/* --- frames ---------------------------------------------------------------------------------- */

static void same_text(const char *a, const char *b)
{
    ck_assert_str_eq(a != NULL ? a : "", b != NULL ? b : "");
}

static void comes_through(bool to_server, const sl_frame *f)
{
    for (int binary = 0; binary < 2; binary++) {
        ends e;
        ends_open(&e, binary != 0, false);
        sl_frame got = pass(&e, to_server, f, e.items);
        ck_assert_int_eq(got.kind, f->kind);
        same_text(got.space, f->space);
        same_text(got.epoch, f->epoch);
        same_text(got.id, f->id);
        same_text(got.holes, f->holes);
        ck_assert(got.from == f->from && got.to == f->to && got.last == f->last);
        ck_assert(got.hole == f->hole && got.limit == f->limit && got.up == f->up);
        ck_assert(got.more == f->more && got.summed == f->summed && got.sum == f->sum);
        ends_close(&e);
    }
}

START_TEST(frame__what_speaks_of_windows_comes_through) /* [FRAME-1] */
{
    const sl_frame to[] = {
        {.kind = SL_FRAME_SUBSCRIBE, .space = THREAD, .epoch = EPOCH, .from = 7, .last = 100},
        {.kind = SL_FRAME_SUBSCRIBE, .space = THREAD, .epoch = EPOCH, .from = 7},
        {.kind = SL_FRAME_LOAD, .space = THREAD, .from = 3, .to = 90, .limit = 20},
        {.kind = SL_FRAME_LOAD, .space = THREAD, .from = 3, .to = 90, .limit = 20, .up = true},
        {.kind = SL_FRAME_LOAD, .space = THREAD, .id = ID, .limit = 1},
        {.kind = SL_FRAME_CHECK, .space = THREAD, .holes = "4-17,40-62"},
    };
    const sl_frame from[] = {
        {.kind = SL_FRAME_PAGE, .space = THREAD, .epoch = EPOCH, .from = 7, .to = 9, .hole = 1000},
        {.kind = SL_FRAME_PAGE, .space = THREAD, .epoch = EPOCH, .from = 7, .to = 9, .more = true},
        {.kind = SL_FRAME_LOADED, .space = THREAD, .from = 70, .to = 90},
        {.kind = SL_FRAME_CHECKED,
         .space = THREAD,
         .holes = "4-17",
         .to = 99,
         .summed = true,
         .sum = UINT64_C(0xfedcba9876543210)},
    };
    for (size_t i = 0; i < sizeof to / sizeof to[0]; i++) {
        comes_through(true, &to[i]);
    }
    for (size_t i = 0; i < sizeof from / sizeof from[0]; i++) {
        comes_through(false, &from[i]);
    }
}
END_TEST

START_TEST(frame__broken_words_of_windows_are_refused) /* [FRAME-2] */
{
    static const char *const wrong[] = {
        "{\"t\":\"subscribe\",\"space\":\"" THREAD "\",\"from\":0,\"last\":-1}",
        "{\"t\":\"load\",\"space\":\"" THREAD "\",\"from\":4,\"to\":3,\"limit\":1}",
        "{\"t\":\"load\",\"space\":\"" THREAD "\",\"from\":-4,\"to\":3,\"limit\":1}",
        "{\"t\":\"load\",\"space\":\"" THREAD "\",\"from\":0,\"to\":3}",
        "{\"t\":\"load\",\"from\":0,\"to\":3,\"limit\":1}",
        "{\"t\":\"check\",\"holes\":\"\"}"};
    ends e;
    ends_open(&e, false, false);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        sl_frame f;
        ck_assert_msg(sl_frame_read(e.in, &e.server, wrong[i], strlen(wrong[i]), &f, NULL) ==
                          SL_E_INVALID,
                      "%s", wrong[i]);
    }
    ends_close(&e);
}
END_TEST

/* --- the machine ----------------------------------------------------------------------------- */

static sl_news hears(sl_sync *s, const sl_frame *f, sl_status expected)
{
    sl_news news = {.kind = SL_NEWS_NONE};
    ck_assert_int_eq(sl_sync_frame(s, f, &news, NULL), expected);
    return news;
}

static sl_sync *connected(int64_t window)
{
    sl_sync *s = sl_sync_new(1);
    sl_sync_window(s, window);
    sl_sync_want(s, true);
    ck_assert_int_eq(sl_sync_next(s, 0).kind, SL_STEP_OPEN);
    sl_sync_opened(s);
    ck_assert_int_eq(sl_sync_next(s, 0).kind, SL_STEP_GREET);
    (void)hears(s, &(sl_frame){.kind = SL_FRAME_CONNECTED, .now_ms = 5}, SL_OK);
    return s;
}

START_TEST(client__asks_for_a_window_of_spaces_with_places)
{
    sl_sync *s = connected(25);
    ck_assert_int_eq(sl_sync_hold(s, THREAD, EPOCH, 9), SL_OK);
    ck_assert_int_eq(sl_sync_hold(s, VIDEO, EPOCH, 9), SL_OK);
    sl_sync_step a = sl_sync_next(s, 0);
    sl_sync_step b = sl_sync_next(s, 0);
    ck_assert(a.kind == SL_STEP_SUBSCRIBE && b.kind == SL_STEP_SUBSCRIBE);
    ck_assert_str_eq(a.space, THREAD);
    ck_assert_int_eq(a.last, 25);
    ck_assert_str_eq(b.space, VIDEO);
    ck_assert_int_eq(b.last, 0);
    sl_sync_free(s);
    s = connected(0);
    ck_assert_int_eq(sl_sync_hold(s, THREAD, EPOCH, 9), SL_OK);
    ck_assert_int_eq(sl_sync_next(s, 0).last, 0);
    sl_sync_free(s);
}
END_TEST

START_TEST(client__hands_on_what_a_page_leaves_out)
{
    sl_sync *s = connected(25);
    ck_assert_int_eq(sl_sync_hold(s, THREAD, EPOCH, 9), SL_OK);
    ck_assert_int_eq(sl_sync_next(s, 0).kind, SL_STEP_SUBSCRIBE);
    sl_frame page = {.kind = SL_FRAME_PAGE, .space = THREAD, .epoch = EPOCH, .from = 9, .to = 500};
    page.hole = 9; /* nothing lies in it */
    (void)hears(s, &page, SL_E_INVALID);
    page.hole = 470;
    sl_news news = hears(s, &page, SL_OK);
    ck_assert_int_eq(news.kind, SL_NEWS_APPLY);
    ck_assert(news.from == 9 && news.hole == 470 && news.seq == 500);
    sl_sync_free(s);
    s = connected(25);
    ck_assert_int_eq(sl_sync_hold(s, VIDEO, EPOCH, 9), SL_OK);
    ck_assert_int_eq(sl_sync_next(s, 0).kind, SL_STEP_SUBSCRIBE);
    page.space = VIDEO;
    (void)hears(s, &page, SL_E_INVALID); /* nobody asked for that */
    sl_sync_free(s);
}
END_TEST

static sl_sync *live(void)
{
    sl_sync *s = connected(25);
    ck_assert_int_eq(sl_sync_hold(s, THREAD, EPOCH, 9), SL_OK);
    ck_assert_int_eq(sl_sync_next(s, 0).kind, SL_STEP_SUBSCRIBE);
    sl_frame f = {.kind = SL_FRAME_SUBSCRIBED, .space = THREAD, .epoch = EPOCH, .to = 9};
    ck_assert_int_eq(hears(s, &f, SL_OK).kind, SL_NEWS_HEAD);
    return s;
}

START_TEST(client__takes_what_was_loaded_only_at_the_head)
{
    sl_sync *s = live();
    sl_frame loaded = {.kind = SL_FRAME_LOADED, .space = THREAD, .from = 2, .to = 5};
    sl_news news = hears(s, &loaded, SL_OK);
    ck_assert_int_eq(news.kind, SL_NEWS_LOADED);
    ck_assert(news.from == 2 && news.seq == 5);
    sl_frame gap = {.kind = SL_FRAME_CHANGE, .space = THREAD, .from = 10, .to = 11, .count = 1};
    ck_assert_int_eq(hears(s, &gap, SL_OK).kind, SL_NEWS_NONE);
    ck_assert_int_eq(hears(s, &loaded, SL_OK).kind, SL_NEWS_NONE);
    loaded.space = VIDEO; /* is not held at all */
    ck_assert_int_eq(hears(s, &loaded, SL_OK).kind, SL_NEWS_NONE);
    sl_sync_free(s);
}
END_TEST

START_TEST(client__a_sum_of_another_number_says_nothing)
{
    sl_sync *s = live();
    sl_frame f = {.kind = SL_FRAME_CHECKED, .space = THREAD, .to = 9, .summed = true, .sum = 5};
    sl_news news = hears(s, &f, SL_OK);
    ck_assert(news.kind == SL_NEWS_CHECKED && news.summed && news.sum == 5);
    f.to = 8;
    ck_assert(!hears(s, &f, SL_OK).summed);
    sl_sync_free(s);
}
END_TEST

START_TEST(client__gives_up_a_connection_that_owes_what_was_asked) /* [SYNC-4] */
{
    sl_sync *s = live();
    ck_assert_int_eq(sl_sync_next(s, 1000).kind, SL_STEP_IDLE);
    sl_sync_asked(s);
    ck_assert_int_eq(sl_sync_next(s, 1000).kind, SL_STEP_WAIT);
    ck_assert_int_eq(sl_sync_next(s, 60999).kind, SL_STEP_WAIT);
    ck_assert_int_eq(sl_sync_next(s, 61000).kind, SL_STEP_CLOSE);
    sl_sync_free(s);
    s = live();
    sl_sync_asked(s);
    ck_assert_int_eq(sl_sync_next(s, 1000).kind, SL_STEP_WAIT);
    (void)hears(s, &(sl_frame){.kind = SL_FRAME_LOADED, .space = THREAD, .to = 5}, SL_OK);
    ck_assert_int_eq(sl_sync_next(s, 61000).kind, SL_STEP_IDLE);
    sl_sync_free(s);
}
END_TEST

START_TEST(client__refuses_questions_from_a_server)
{
    sl_sync *s = live();
    (void)hears(s, &(sl_frame){.kind = SL_FRAME_LOAD, .space = THREAD}, SL_E_INVALID);
    (void)hears(s, &(sl_frame){.kind = SL_FRAME_CHECK, .space = THREAD}, SL_E_INVALID);
    sl_sync_free(s);
}
END_TEST

SL_TEST_MAIN("window", holes__are_what_was_left_out_and_did_not_come,
             holes__of_too_many_the_two_nearest_become_one, holes__come_back_from_their_text,
             holes__refuse_what_is_none, frame__what_speaks_of_windows_comes_through,
             frame__broken_words_of_windows_are_refused,
             client__asks_for_a_window_of_spaces_with_places,
             client__hands_on_what_a_page_leaves_out,
             client__takes_what_was_loaded_only_at_the_head,
             client__a_sum_of_another_number_says_nothing,
             client__gives_up_a_connection_that_owes_what_was_asked,
             client__refuses_questions_from_a_server)
