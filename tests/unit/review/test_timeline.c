#include "review/timeline.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/prng.h"
#include "support.h"

#include <stdio.h>
#include <string.h>

enum {
    MEDIA_US = 10000000,
    EVENTS = 400,
    ITEMS = 12
};

static sl_timeline *make(int64_t media_us)
{
    sl_timeline *t = NULL;
    ck_assert_int_eq(sl_timeline_make(media_us, &t, NULL), SL_OK);
    return t;
}

static sl_status push_text(sl_timeline *t, const char *text, const char *field)
{
    char copy[256];
    (void)snprintf(copy, sizeof copy, "%s", text);
    for (char *c = copy; *c != 0; c++) {
        *c = *c == '\'' ? '"' : *c;
    }
    sl_json *j = sl_json_parse(copy, strlen(copy));
    ck_assert_ptr_nonnull(j);
    sl_error *err = NULL;
    sl_status s = sl_timeline_push_json(t, j, &err);
    if (field != NULL) {
        ck_assert_int_eq(s, SL_E_INVALID);
        ck_assert_str_eq(sl_error_field(err), field);
    }
    sl_error_release(err);
    sl_json_free(j);
    return s;
}

static void push(sl_timeline *t, const char *text)
{
    ck_assert_msg(push_text(t, text, NULL) == SL_OK, "%s", text);
}

static void check_at(const sl_timeline *t, int64_t t_us, int64_t position_us, bool playing)
{
    sl_timeline_state_t s;
    sl_timeline_at(t, t_us, &s);
    ck_assert_msg(s.position_us == position_us && s.playing == playing, "at %lld: %lld %d",
                  (long long)t_us, (long long)s.position_us, s.playing);
}

#define ID_A "00000000-0000-7000-8000-00000000000a"
#define ID_B "00000000-0000-7000-8000-00000000000b"

START_TEST(timeline__playback_pauses_seeks_slows_down_and_stops_at_the_end)
{
    sl_timeline *t = make(MEDIA_US);
    check_at(t, 0, 0, false);
    check_at(t, -5, 0, false);
    push(t, "{'t':1000000,'do':'play'}");
    push(t, "{'t':3000000,'do':'rate','rate':0.25}");
    push(t, "{'t':5000000,'do':'pause'}");
    push(t, "{'t':6000000,'do':'seek','to':9000000}");
    push(t, "{'t':7000000,'do':'play','rate':2}");
    push(t, "{'t':9000000,'do':'play'}");
    push(t, "{'t':9000000,'do':'seek','to':1000}");
    push(t, "{'t':10000000,'do':'play'}");
    check_at(t, 999999, 0, false);
    check_at(t, 1000000, 0, true);
    check_at(t, 2000000, 1000000, true);
    check_at(t, 3000000, 2000000, true);
    check_at(t, 4000000, 2250000, true);
    check_at(t, 5000000, 2500000, false);
    check_at(t, 5999999, 2500000, false);
    check_at(t, 6000000, 9000000, false);
    check_at(t, 7499999, 9999998, true);
    check_at(t, 7500000, MEDIA_US, false);
    check_at(t, 8999999, MEDIA_US, false);
    check_at(t, 9000000, 1000, false);
    check_at(t, 10000500, 2000, true);
    check_at(t, INT64_MAX, MEDIA_US, false);
    ck_assert_int_eq(sl_timeline_finish(t, 11000000, NULL), SL_OK);
    check_at(t, INT64_MAX, 2001000, true);
    ck_assert_int_eq(sl_timeline_duration_us(t), 11000000);
    sl_timeline_drop(t);
}
END_TEST

START_TEST(timeline__a_moving_view_does_not_round_the_position)
{
    sl_timeline *t = make(MEDIA_US);
    push(t, "{'t':0,'do':'play','rate':0.333}");
    for (int i = 1; i <= 1000; i++) {
        char text[100];
        (void)snprintf(text, sizeof text, "{'t':%d,'do':'view','x':%d,'y':0,'scale':1.5}", i * 1001,
                       i);
        push(t, text);
    }
    check_at(t, 1001000, 1001000 * 333 / 1000, true);
    sl_timeline_state_t s;
    sl_timeline_at(t, 500 * 1001, &s);
    ck_assert_int_eq(s.view.x, 500);
    ck_assert_int_eq(s.view.scale, 1500);
    sl_timeline_drop(t);
}
END_TEST

START_TEST(timeline__items_are_shown_from_show_to_hide_in_that_order)
{
    sl_timeline *t = make(MEDIA_US);
    push(t, "{'t':10,'do':'show','item':'" ID_B "'}");
    push(t, "{'t':20,'do':'show','item':'" ID_A "'}");
    push(t, "{'t':30,'do':'show','item':'" ID_B "'}");
    push(t, "{'t':40,'do':'hide','item':'" ID_B "'}");
    push(t, "{'t':40,'do':'hide','item':'" ID_B "'}");
    push(t, "{'t':50,'do':'show','item':'" ID_B "'}");
    sl_timeline_shown shown[4];
    ck_assert_uint_eq(sl_timeline_visible(t, 9, shown, 4), 0);
    ck_assert_uint_eq(sl_timeline_visible(t, 39, shown, 4), 2);
    ck_assert_str_eq(shown[0].id, ID_B);
    ck_assert_int_eq(shown[0].since_us, 10);
    ck_assert_str_eq(shown[1].id, ID_A);
    ck_assert_uint_eq(sl_timeline_visible(t, 40, shown, 4), 1);
    ck_assert_str_eq(shown[0].id, ID_A);
    ck_assert_uint_eq(sl_timeline_visible(t, 50, shown, 1), 2);
    ck_assert_str_eq(shown[0].id, ID_A);
    sl_json *j = sl_timeline_state_json(t, 50);
    const sl_json *items = sl_json_get(j, "items");
    ck_assert_uint_eq(sl_json_count(items), 2);
    ck_assert_str_eq(sl_json_str(sl_json_at(items, 1), "id"), ID_B);
    ck_assert_int_eq(sl_json_int_or(sl_json_at(items, 1), "since", 0), 50);
    ck_assert_int_eq(sl_json_int_or(j, "position", -1), 0);
    ck_assert_int_eq(sl_json_int_or(j, "duration", -1), 50);
    ck_assert(!sl_json_bool_or(j, "playing", true));
    sl_json_free(j);
    sl_timeline_drop(t);
}
END_TEST

START_TEST(timeline__what_breaks_a_rule_is_refused_and_its_field_named)
{
    sl_timeline *t = make(MEDIA_US);
    push(t, "{'t':100,'do':'play'}");
    static const char *const bad[][2] = {
        {"{'t':99,'do':'pause'}", "t"},
        {"{'t':86400000001,'do':'pause'}", "t"},
        {"{'t':1.5,'do':'pause'}", "t"},
        {"{'do':'pause'}", "t"},
        {"{'t':100,'do':'dance'}", "do"},
        {"{'t':100}", "do"},
        {"{'t':100,'do':'rate'}", "rate"},
        {"{'t':100,'do':'rate','rate':0.009}", "rate"},
        {"{'t':100,'do':'play','rate':16.001}", "rate"},
        {"{'t':100,'do':'play','rate':0}", "rate"},
        {"{'t':100,'do':'seek','to':-1}", "to"},
        {"{'t':100,'do':'seek'}", "to"},
        {"{'t':100,'do':'show'}", "item"},
        {"{'t':100,'do':'hide','item':'00000000-0000-7000-8000-00000000000A'}", "item"},
        {"{'t':100,'do':'view','x':1,'y':2}", "scale"},
        {"{'t':100,'do':'view','x':1e9,'y':2,'scale':1}", "x"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        (void)push_text(t, bad[i][0], bad[i][1]);
    }
    push(t, "{'t':100,'do':'rate','rate':0.01}");
    push(t, "{'t':100,'do':'rate','rate':16}");
    ck_assert_int_eq(sl_timeline_finish(t, 99, NULL), SL_E_INVALID);
    ck_assert_int_eq(sl_timeline_finish(t, 100, NULL), SL_OK);
    ck_assert_int_eq(sl_timeline_finish(t, 100, NULL), SL_E_INVALID);
    (void)push_text(t, "{'t':100,'do':'pause'}", "t");
    sl_timeline_drop(t);
    ck_assert_int_eq(sl_timeline_make(-1, &t, NULL), SL_E_INVALID);
    ck_assert_int_eq(sl_timeline_make(SL_MEDIA_US_MAX + 1, &t, NULL), SL_E_INVALID);
    t = make(SL_MEDIA_US_MAX);
    sl_timeline_drop(t);
    ck_assert_int_eq(sl_debug_live_objects(), 0);
}
END_TEST

/* The state as plainly as it can be kept: one event after the other, in thousandths of a
 * microsecond. */
typedef struct fold {
    int64_t now_us;
    int64_t from_us; /* where the position was last set, at `now`; frozen until then */
    int64_t base;    /* thousandths */
    int32_t rate;
    bool playing;
    sl_view view;
    int64_t since[ITEMS]; /* -1: hidden */
    bool growing[ITEMS];
} fold;

static int64_t fold_position(const fold *f)
{
    bool moves = f->playing && f->now_us > f->from_us;
    return moves ? f->base + (f->now_us - f->from_us) * f->rate : f->base;
}

static void fold_to(fold *f, int64_t t_us)
{
    f->now_us = t_us;
    if (f->playing && fold_position(f) / SL_RATE_ONE >= MEDIA_US) {
        f->playing = false;
        f->base = (int64_t)MEDIA_US * SL_RATE_ONE;
    }
}

static void fold_playback(fold *f, const sl_event *e)
{
    int64_t frozen_until = f->from_us;
    f->base = fold_position(f);
    f->from_us = e->t_us;
    if (e->kind == SL_EVENT_SEEK || e->kind == SL_EVENT_STEP) {
        f->base = (e->to_us < MEDIA_US ? e->to_us : MEDIA_US) * SL_RATE_ONE;
        f->playing = f->playing && e->kind == SL_EVENT_SEEK;
    } else if (e->kind == SL_EVENT_PAUSE) {
        f->playing = false;
    } else if (e->kind == SL_EVENT_FREEZE) {
        f->from_us += e->to_us;
    } else {
        f->rate = e->rate != 0 ? e->rate : f->rate;
        f->playing = f->playing || e->kind == SL_EVENT_PLAY;
        if (e->kind == SL_EVENT_RATE && frozen_until > e->t_us) {
            f->from_us = frozen_until;
        }
    }
    f->playing = f->playing && f->base < (int64_t)MEDIA_US * SL_RATE_ONE;
}

static void fold_event(fold *f, const sl_event *e, int item)
{
    fold_to(f, e->t_us);
    bool shows = e->kind == SL_EVENT_SHOW || e->kind == SL_EVENT_DRAW;
    if (e->kind == SL_EVENT_VIEW) {
        f->view = e->view;
    } else if (shows) {
        f->growing[item] = f->since[item] < 0 ? e->kind == SL_EVENT_DRAW : f->growing[item];
        f->since[item] = f->since[item] < 0 ? e->t_us : f->since[item];
    } else if (e->kind == SL_EVENT_HIDE || e->kind == SL_EVENT_ERASE) {
        f->since[item] = -1;
    } else {
        fold_playback(f, e);
    }
}

static int random_event(sl_prng *r, int64_t t_us, sl_event *e)
{
    int item = (int)sl_prng_below(r, ITEMS);
    memset(e, 0, sizeof *e);
    e->t_us = t_us;
    e->kind = (sl_event_kind)(1 + sl_prng_below(r, SL_EVENT_FREEZE));
    bool of_item = e->kind == SL_EVENT_SHOW || e->kind == SL_EVENT_HIDE ||
                   e->kind == SL_EVENT_DRAW || e->kind == SL_EVENT_ERASE;
    if (e->kind == SL_EVENT_RATE || (e->kind == SL_EVENT_PLAY && sl_prng_below(r, 2) == 0)) {
        e->rate = (int32_t)(SL_RATE_MIN + (int32_t)sl_prng_below(r, 3000));
    }
    if (e->kind == SL_EVENT_SEEK || e->kind == SL_EVENT_STEP) {
        e->to_us = (int64_t)sl_prng_below(r, MEDIA_US * 5 / 4);
    } else if (e->kind == SL_EVENT_FREEZE) {
        e->to_us = (int64_t)sl_prng_below(r, 900000);
    }
    if (of_item) {
        (void)snprintf(e->item, sizeof e->item, "00000000-0000-7000-8000-%012d", item * 7919);
    }
    if (e->kind == SL_EVENT_VIEW) {
        e->view.x = (int32_t)sl_prng_below(r, 30000) - 10000;
        e->view.y = (int32_t)sl_prng_below(r, 30000) - 10000;
        e->view.scale = SL_SCALE_MIN + (int32_t)sl_prng_below(r, 5000);
    }
    return item;
}

static int64_t since_of(const sl_timeline_shown *shown, size_t n, int item)
{
    for (size_t k = 0; k < n; k++) {
        if (strtoll(shown[k].id + 24, NULL, 10) == item * 7919) {
            return shown[k].since_us;
        }
    }
    return -1;
}

static void check_shown(const sl_timeline *t, const fold *f, int64_t t_us)
{
    sl_timeline_shown shown[ITEMS];
    size_t n = sl_timeline_visible(t, t_us, shown, ITEMS);
    size_t expected = 0;
    for (int i = 0; i < ITEMS; i++) {
        expected += f->since[i] >= 0;
        ck_assert_int_eq(since_of(shown, n, i), f->since[i]);
    }
    ck_assert_uint_eq(n, expected);
}

static void check_fold(const sl_timeline *t, const sl_event *events, const int *items, int64_t t_us)
{
    fold f = {.rate = SL_RATE_ONE, .view = {0, 0, SL_SCALE_ONE}};
    for (int i = 0; i < ITEMS; i++) {
        f.since[i] = -1;
    }
    for (int i = 0; i < EVENTS && events[i].t_us <= t_us; i++) {
        fold_event(&f, &events[i], items[i]);
    }
    fold_to(&f, t_us);
    sl_timeline_state_t s;
    sl_timeline_at(t, t_us, &s);
    ck_assert_int_eq(s.position_us, fold_position(&f) / SL_RATE_ONE);
    ck_assert_int_eq(s.frozen, f.playing && f.now_us < f.from_us);
    ck_assert_int_eq(s.playing, f.playing);
    ck_assert_int_eq(s.rate, f.rate);
    ck_assert_int_eq(s.view.x, f.view.x);
    ck_assert_int_eq(s.view.y, f.view.y);
    ck_assert_int_eq(s.view.scale, f.view.scale);
    check_shown(t, &f, t_us);
}

START_TEST(timeline__a_state_is_the_fold_of_all_events_until_then)
{
    /* [TIMELINE-1], also for what came back from bytes. */
    for (uint64_t seed = 1; seed <= 20; seed++) {
        sl_prng r;
        sl_prng_seed(&r, seed);
        sl_event events[EVENTS];
        int items[EVENTS];
        sl_timeline *t = make(MEDIA_US);
        int64_t t_us = 0;
        for (int i = 0; i < EVENTS; i++) {
            t_us += sl_prng_below(&r, 4) == 0 ? 0 : (int64_t)sl_prng_below(&r, 300000);
            items[i] = random_event(&r, t_us, &events[i]);
            ck_assert_int_eq(sl_timeline_push(t, &events[i], NULL), SL_OK);
        }
        sl_buf bytes = {0};
        sl_timeline_write(t, &bytes);
        sl_timeline *back = NULL;
        ck_assert_int_eq(sl_timeline_read(bytes.data, bytes.len, &back, NULL), SL_OK);
        for (int i = 0; i < 200; i++) {
            int64_t at = (int64_t)sl_prng_below(&r, (uint64_t)t_us + 2000000);
            check_fold(t, events, items, at);
            check_fold(back, events, items, at);
            check_fold(t, events, items, events[sl_prng_below(&r, EVENTS)].t_us);
        }
        sl_buf_free(&bytes);
        sl_timeline_drop(t);
        sl_timeline_drop(back);
    }
}
END_TEST

/* [TIMELINE-4]: an hour in which the rate changes ten times a second, against exact arithmetic. */
START_TEST(timeline__an_hour_of_events_does_not_drift)
{
    const int64_t hour_us = INT64_C(3600) * 1000000;
    sl_prng r;
    sl_prng_seed(&r, 4);
    sl_timeline *t = make(hour_us * 16);
    int64_t exact = 0; /* thousandths */
    int64_t last_us = 0;
    int32_t rate = SL_RATE_ONE;
    push(t, "{'t':0,'do':'play'}");
    for (int i = 1; i <= 36000; i++) {
        sl_event e = {.t_us = hour_us / 36000 * i - (int64_t)sl_prng_below(&r, 90000),
                      .kind = SL_EVENT_RATE,
                      .rate = 333 + (int32_t)sl_prng_below(&r, 1000)};
        ck_assert_int_eq(sl_timeline_push(t, &e, NULL), SL_OK);
        exact += (e.t_us - last_us) * rate;
        last_us = e.t_us;
        rate = e.rate;
        check_at(t, e.t_us, exact / SL_RATE_ONE, true);
    }
    sl_timeline_drop(t);
}
END_TEST

/* Many that come and go, some that stay: as a search through all of them finds. */
START_TEST(timeline__what_is_shown_is_found_from_snapshots_as_by_a_search_through_all)
{
    enum {
        MANY = 3000
    };
    static int64_t since[MANY];
    static int64_t until[MANY];
    sl_prng r;
    sl_prng_seed(&r, 8);
    sl_timeline *t = make(MEDIA_US);
    int open[MANY];
    int n = 0;
    int64_t t_us = 0;
    for (int i = 0; i < MANY; i++) {
        t_us += (int64_t)sl_prng_below(&r, 1000);
        sl_event e = {.t_us = t_us, .kind = SL_EVENT_DRAW};
        (void)snprintf(e.item, sizeof e.item, "00000000-0000-7000-8000-%012d", i);
        ck_assert_int_eq(sl_timeline_push(t, &e, NULL), SL_OK);
        since[i] = t_us;
        until[i] = INT64_MAX;
        open[n++] = i;
        while (n > 0 && sl_prng_below(&r, 10) < 6) {
            int which = (int)sl_prng_below(&r, (uint64_t)n);
            e.kind = SL_EVENT_ERASE;
            (void)snprintf(e.item, sizeof e.item, "00000000-0000-7000-8000-%012d", open[which]);
            ck_assert_int_eq(sl_timeline_push(t, &e, NULL), SL_OK);
            until[open[which]] = t_us;
            open[which] = open[--n];
        }
    }
    for (int k = 0; k < 500; k++) {
        static sl_timeline_shown shown[MANY];
        int64_t at = (int64_t)sl_prng_below(&r, (uint64_t)t_us + 10);
        size_t found = sl_timeline_visible(t, at, shown, MANY);
        size_t next = 0;
        for (int i = 0; i < MANY; i++) {
            if (since[i] <= at && until[i] > at) {
                ck_assert_uint_lt(next, found);
                ck_assert_int_eq(strtoll(shown[next].id + 24, NULL, 10), i);
                next++;
            }
        }
        ck_assert_uint_eq(next, found);
    }
    sl_timeline_drop(t);
}
END_TEST

START_TEST(timeline__a_freeze_holds_the_picture_and_lets_it_go_on)
{
    sl_timeline_state_t s;
    sl_timeline *t = make(MEDIA_US);
    push(t, "{'t':0,'do':'play'}");
    push(t, "{'t':1000000,'do':'freeze','for':2000000}");
    push(t, "{'t':1500000,'do':'view','x':1,'y':1,'scale':2}");
    push(t, "{'t':2000000,'do':'rate','rate':0.5}");
    push(t, "{'t':5000000,'do':'step','to':77000}");
    push(t, "{'t':6000000,'do':'freeze','for':500000}");
    check_at(t, 1000000, 1000000, true);
    check_at(t, 2999999, 1000000, true);
    check_at(t, 4000000, 1500000, true);
    check_at(t, 5000000, 77000, false);
    check_at(t, 7000000, 77000, false);
    sl_timeline_at(t, 2999999, &s);
    ck_assert(s.frozen);
    sl_timeline_at(t, 3000000, &s);
    ck_assert(!s.frozen);
    sl_timeline_at(t, 6100000, &s);
    ck_assert(!s.frozen); /* a picture that stands is not frozen */
    sl_timeline_drop(t);
}
END_TEST

static void second_at(const sl_timeline *t, int64_t t_us, int64_t position_us)
{
    const sl_pair *p = NULL;
    int64_t at = -1;
    ck_assert(sl_timeline_second(t, t_us, &p, &at));
    ck_assert_int_eq(at, position_us);
}

START_TEST(timeline__a_second_video_is_in_step_with_the_first_at_the_mark)
{
    const sl_pair *p = NULL;
    int64_t at = 0;
    sl_timeline *t = make(MEDIA_US);
    push(t, "{'t':0,'do':'play'}");
    push(t, "{'t':1000000,'do':'pair','layout':'side','video':'" ID_A
            "','mark':[2000000,500000],'length':3000000,'rate':0.5}");
    push(t, "{'t':6000000,'do':'pair','layout':'over','video':'" ID_B
            "','mark':[0,0],'length':9000000,'opacity':0.25}");
    push(t, "{'t':7000000,'do':'pair','layout':'single'}");
    ck_assert(!sl_timeline_second(t, 999999, &p, &at));
    second_at(t, 1000000, 0);
    second_at(t, 2000000, 500000);
    second_at(t, 4000000, 1500000);
    second_at(t, 5999999, 2499999);
    second_at(t, 6000000, 6000000);
    ck_assert(sl_timeline_second(t, 6500000, &p, &at));
    ck_assert_int_eq(p->layout, SL_LAYOUT_OVER);
    ck_assert_int_eq(p->opacity, 250);
    ck_assert_str_eq(p->video, ID_B);
    ck_assert(!sl_timeline_second(t, 7000000, &p, &at));
    (void)push_text(t, "{'t':7000000,'do':'pair','layout':'round'}", "layout");
    (void)push_text(t, "{'t':7000000,'do':'pair','layout':'side'}", "mark");
    (void)push_text(t, "{'t':7000000,'do':'pair','layout':'side','mark':[0,0]}", "length");
    (void)push_text(t, "{'t':7000000,'do':'pair','layout':'side','mark':[0,0],'length':1}",
                    "video");
    (void)push_text(
        t, "{'t':7000000,'do':'pair','layout':'side','video':'" ID_A "','mark':[0,-1],'length':1}",
        "mark");
    (void)push_text(t,
                    "{'t':7000000,'do':'pair','layout':'side','video':'" ID_A
                    "','mark':[0,0],'length':1,'rate':17}",
                    "rate");
    (void)push_text(t,
                    "{'t':7000000,'do':'pair','layout':'side','video':'" ID_A
                    "','mark':[0,0],'length':1,'opacity':1.1}",
                    "opacity");
    (void)push_text(t, "{'t':7000000,'do':'freeze'}", "for");
    (void)push_text(t, "{'t':7000000,'do':'step','to':-1}", "to");
    sl_timeline_drop(t);
}
END_TEST

static void write_sample(sl_buf *out)
{
    sl_timeline *t = make(MEDIA_US);
    push(t, "{'t':0,'do':'play'}");
    push(t, "{'t':300,'do':'show','item':'" ID_A "'}");
    push(t, "{'t':400,'do':'view','x':-5,'y':6,'scale':2}");
    push(t, "{'t':500,'do':'hide','item':'" ID_A "'}");
    push(t, "{'t':500,'do':'seek','to':77}");
    push(t, "{'t':500,'do':'draw','item':'" ID_B "'}");
    push(t, "{'t':510,'do':'erase','item':'" ID_B "'}");
    push(t, "{'t':520,'do':'step','to':78}");
    push(t, "{'t':530,'do':'freeze','for':79}");
    push(t, "{'t':540,'do':'pair','layout':'over','video':'" ID_A
            "','mark':[5,6],'length':700,'rate':2,'opacity':1}");
    push(t, "{'t':550,'do':'pair','layout':'single'}");
    ck_assert_int_eq(sl_timeline_finish(t, 1000, NULL), SL_OK);
    sl_timeline_write(t, out);
    ck_assert(!out->failed);
    sl_timeline_drop(t);
}

START_TEST(timeline__bytes_are_canonical_and_damage_is_refused)
{
    sl_buf bytes = {0};
    sl_timeline *t = NULL;
    write_sample(&bytes);
    for (size_t n = 0; n < bytes.len; n++) {
        sl_status s = sl_timeline_read(bytes.data, n, &t, NULL);
        ck_assert_int_eq(s, SL_E_INVALID);
        ck_assert_ptr_null(t);
    }
    sl_prng r;
    sl_prng_seed(&r, 9);
    for (int round = 0; round < 20000; round++) {
        sl_buf damaged = {0};
        sl_buf_put(&damaged, bytes.data, bytes.len);
        for (uint64_t hits = 1 + sl_prng_below(&r, 3); hits > 0; hits--) {
            damaged.data[sl_prng_below(&r, damaged.len)] = (uint8_t)sl_prng_next(&r);
        }
        if (sl_timeline_read(damaged.data, damaged.len, &t, NULL) == SL_OK) {
            sl_buf again = {0};
            sl_timeline_write(t, &again);
            ck_assert_uint_eq(again.len, damaged.len);
            ck_assert_mem_eq(again.data, damaged.data, again.len);
            sl_buf_free(&again);
            sl_timeline_drop(t);
        }
        sl_buf_free(&damaged);
    }
    bytes.data[4] = 2;
    ck_assert_int_eq(sl_timeline_read(bytes.data, bytes.len, &t, NULL), SL_E_TOO_NEW);
    sl_buf_free(&bytes);
    ck_assert_int_eq(sl_debug_live_objects(), 0);
}
END_TEST

START_TEST(timeline__events_of_a_later_version_survive_the_round_trip)
{
    /* [TIMELINE-3]: play at 0, at 5 an event of kind 99, at 7 pause. */
    static const uint8_t bytes[] = {'S', 'L', 'R', 'T', 1,   100, 0, 4,  0, 1, 1, 0,
                                    5,   99,  3,   'x', 'y', 'z', 0, 98, 0, 2, 2, 0};
    sl_timeline *t = NULL;
    ck_assert_int_eq(sl_timeline_read(bytes, sizeof bytes, &t, NULL), SL_OK);
    check_at(t, 6, 6, true);
    check_at(t, 7, 7, false);
    sl_buf out = {0};
    sl_timeline_write(t, &out);
    ck_assert_uint_eq(out.len, sizeof bytes);
    ck_assert_mem_eq(out.data, bytes, sizeof bytes);
    sl_buf_free(&out);
    sl_timeline_drop(t);
}
END_TEST

START_TEST(timeline__every_failed_allocation_is_reported_and_changes_nothing)
{
    sl_buf bytes = {0};
    write_sample(&bytes);
    bool done = false;
    for (uint64_t k = 1; !done && k < 200; k++) {
        sl_timeline *t = NULL;
        (void)sl_mem_fail_at(k, false);
        sl_status s = sl_timeline_read(bytes.data, bytes.len, &t, NULL);
        (void)sl_mem_fail_at(0, false);
        ck_assert(s == SL_OK || s == SL_E_NOMEM);
        ck_assert((s == SL_OK) == (t != NULL));
        done = s == SL_OK;
        sl_timeline_drop(t);
    }
    ck_assert(done);
    sl_buf_free(&bytes);
}
END_TEST

SL_TEST_MAIN("review_timeline", timeline__playback_pauses_seeks_slows_down_and_stops_at_the_end,
             timeline__a_moving_view_does_not_round_the_position,
             timeline__an_hour_of_events_does_not_drift,
             timeline__what_is_shown_is_found_from_snapshots_as_by_a_search_through_all,
             timeline__a_freeze_holds_the_picture_and_lets_it_go_on,
             timeline__a_second_video_is_in_step_with_the_first_at_the_mark,
             timeline__items_are_shown_from_show_to_hide_in_that_order,
             timeline__what_breaks_a_rule_is_refused_and_its_field_named,
             timeline__a_state_is_the_fold_of_all_events_until_then,
             timeline__bytes_are_canonical_and_damage_is_refused,
             timeline__events_of_a_later_version_survive_the_round_trip,
             timeline__every_failed_allocation_is_reported_and_changes_nothing)
