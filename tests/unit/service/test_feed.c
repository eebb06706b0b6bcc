#include "support.h"
#include "sync/frame.h"
#include "sync/sum.h"
#include "unit/service/world.h"

#include "base/buf.h"

#include <stdio.h>
#include <string.h>

static void comment(world *w, person *p, const char *space, uint32_t number, const char *body)
{
    char id[SL_UUID_LEN + 1];
    char fields[5000];
    uuid_of(id, number);
    (void)snprintf(fields, sizeof fields, "{\"body\":\"%s\"}", body);
    must(op(w, p, "create", "comment", space, id, fields), "applied");
}

/* Checks that the pages cover (from, head] without gap or overlap; returns the records in all. */
static size_t check_pages(const world *w, sl_id conn, int64_t from, size_t *pages)
{
    size_t records = 0;
    size_t n = frame_count(w, conn, "page");
    const sl_json *end = frame_at(w, conn, "subscribed", 0);
    ck_assert_ptr_nonnull(end);
    for (size_t i = 0; i < n; i++) {
        const sl_json *page = frame_at(w, conn, "page", i);
        const sl_json *list = sl_json_get(page, "records");
        int64_t seq = sl_json_int_or(page, "from", -1);
        int64_t to = sl_json_int_or(page, "to", -1);
        ck_assert_int_eq(seq, from);
        ck_assert_uint_le(sl_json_count(list), 500);
        for (const sl_json *r = sl_json_first(list); r != NULL; r = sl_json_next(r)) {
            ck_assert_int_gt(sl_json_int_or(r, "seq", 0), seq);
            seq = sl_json_int_or(r, "seq", 0);
            records++;
        }
        ck_assert_int_le(seq, to);
        ck_assert(sl_json_bool_or(page, "more", true) == (i + 1 < n));
        from = to;
    }
    ck_assert_int_eq(sl_json_int_or(end, "seq", -1), from);
    *pages = n;
    return records;
}

START_TEST(pages__are_contiguous_and_hold_each_record_once)
{
    world *w = world_new();
    person p;
    char space[SL_SPACE_MAX];
    size_t pages = 0;
    person_make(w, &p, "a@x.y", "athlete", 1);
    video_make(w, &p, space, 1, "clip");
    for (uint32_t i = 0; i < 499; i++) {
        comment(w, &p, space, 1000 + i, "text");
    }
    frames_clear(w);
    subscribe(w, &p, space, 0, "");
    ck_assert_uint_eq(check_pages(w, p.conn, 0, &pages), 500);
    ck_assert_uint_eq(pages, 1);
    for (uint32_t i = 0; i < 250; i++) {
        comment(w, &p, space, 2000 + i, "text");
    }
    for (uint32_t i = 0; i < 60; i++) {
        char id[SL_UUID_LEN + 1];
        uuid_of(id, 1000 + i);
        w->now_ms++;
        must(op(w, &p, "patch", "comment", space, id, "{\"body\":\"changed\"}"), "applied");
    }
    frames_clear(w);
    subscribe(w, &p, space, 0, "");
    ck_assert_uint_eq(check_pages(w, p.conn, 0, &pages), 750);
    ck_assert_uint_eq(pages, 2);
    world_free(w);
}
END_TEST

START_TEST(pages__end_at_about_a_quarter_of_a_mebibyte)
{
    world *w = world_new();
    person p;
    char space[SL_SPACE_MAX];
    size_t pages = 0;
    static char big[4001];
    memset(big, 'x', 4000);
    person_make(w, &p, "a@x.y", "athlete", 1);
    video_make(w, &p, space, 1, "clip");
    for (uint32_t i = 0; i < 150; i++) {
        comment(w, &p, space, 1000 + i, big);
    }
    frames_clear(w);
    subscribe(w, &p, space, 0, "");
    ck_assert_uint_eq(check_pages(w, p.conn, 0, &pages), 151);
    ck_assert_uint_eq(pages, 3);
    world_free(w);
}
END_TEST

static void say_more(world *w, const person *p, int64_t bytes)
{
    char text[64];
    (void)snprintf(text, sizeof text, "{\"t\":\"more\",\"bytes\":%lld}", (long long)bytes);
    say(w, p, text);
}

/* A video with more than a mebibyte of comments. */
static void large_video(world *w, person *p, char space[SL_SPACE_MAX], uint32_t number)
{
    static char big[4001];
    memset(big, 'x', 4000);
    video_make(w, p, space, number, "clip");
    for (uint32_t i = 0; i < 400; i++) {
        comment(w, p, space, number * 1000 + i, big);
    }
}

START_TEST(pages__wait_until_there_is_room_for_them) /* [FEED-2] */
{
    world *w = world_new();
    person p;
    char space[SL_SPACE_MAX];
    size_t pages = 0;
    person_make(w, &p, "a@x.y", "athlete", 1);
    large_video(w, &p, space, 1);
    frames_clear(w);
    subscribe(w, &p, space, 0, "");
    size_t first = frame_count(w, p.conn, "page");
    ck_assert_uint_eq(first, 4);
    ck_assert_ptr_null(frame_at(w, p.conn, "subscribed", 0));
    comment(w, &p, space, 9, "meanwhile");
    ck_assert_msg(frame_at(w, p.conn, "change", 0) == NULL, "it comes with a page");
    say_more(w, &p, 1);
    ck_assert_uint_eq(frame_count(w, p.conn, "page"), first);
    say_more(w, &p, INT64_C(1) << 40);
    ck_assert_uint_eq(check_pages(w, p.conn, 0, &pages), 402);
    ck_assert_uint_gt(pages, first);
    comment(w, &p, space, 10, "live");
    ck_assert_ptr_nonnull(frame_at(w, p.conn, "change", 0));
    world_free(w);
}
END_TEST

START_TEST(pages__of_what_is_preferred_come_first)
{
    world *w = world_new();
    person p;
    char spaces[3][SL_SPACE_MAX];
    char text[128];
    person_make(w, &p, "a@x.y", "athlete", 1);
    large_video(w, &p, spaces[0], 1);
    video_make(w, &p, spaces[1], 2, "clip");
    video_make(w, &p, spaces[2], 3, "clip");
    frames_clear(w);
    for (int i = 0; i < 3; i++) {
        subscribe(w, &p, spaces[i], 0, "");
    }
    (void)snprintf(text, sizeof text, "{\"t\":\"prefer\",\"space\":\"%s\"}", spaces[2]);
    say(w, &p, text);
    say_more(w, &p, INT64_C(1) << 40);
    static const int order[] = {2, 0, 1};
    for (size_t i = 0; i < 3; i++) {
        const sl_json *end = frame_at(w, p.conn, "subscribed", i);
        ck_assert_ptr_nonnull(end);
        ck_assert_str_eq(sl_json_str(end, "space"), spaces[order[i]]);
    }
    world_free(w);
}
END_TEST

/* The sum that the pages since the last clearing add up to. */
static uint64_t sum_of_pages(const world *w, sl_id conn)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < frame_count(w, conn, "page"); i++) {
        const sl_json *list = sl_json_get(frame_at(w, conn, "page", i), "records");
        for (const sl_json *r = sl_json_first(list); r != NULL; r = sl_json_next(r)) {
            sum += !sl_json_bool_or(r, "deleted", false)
                       ? sl_sum_of(sl_json_str(r, "id"), sl_json_int_or(r, "seq", 0))
                       : 0;
        }
    }
    return sum;
}

START_TEST(subscribed__says_the_sum_of_the_space)
{
    world *w = world_new();
    person p;
    char space[SL_SPACE_MAX];
    char id[SL_UUID_LEN + 1];
    char hex[17];
    person_make(w, &p, "a@x.y", "athlete", 1);
    video_make(w, &p, space, 1, "clip");
    for (uint32_t i = 0; i < 5; i++) {
        comment(w, &p, space, 10 + i, "text");
    }
    uuid_of(id, 11);
    must(op(w, &p, "patch", "comment", space, id, "{\"body\":\"changed\"}"), "applied");
    uuid_of(id, 12);
    must(op(w, &p, "delete", "comment", space, id, NULL), "applied");
    frames_clear(w);
    subscribe(w, &p, space, 0, "");
    (void)snprintf(hex, sizeof hex, "%016llx", (unsigned long long)sum_of_pages(w, p.conn));
    ck_assert_str_eq(sl_json_str(frame_at(w, p.conn, "subscribed", 0), "sum"), hex);
    world_free(w);
}
END_TEST

START_TEST(cursor__resumes_in_its_epoch_and_is_reset_otherwise)
{
    world *w = world_new();
    person p;
    char space[SL_SPACE_MAX];
    char epoch[64];
    size_t pages = 0;
    person_make(w, &p, "a@x.y", "athlete", 1);
    video_make(w, &p, space, 1, "clip");
    comment(w, &p, space, 2, "one");
    frames_clear(w);
    subscribe(w, &p, space, 0, "");
    (void)snprintf(epoch, sizeof epoch, "%s",
                   sl_json_str(frame_at(w, p.conn, "subscribed", 0), "epoch"));
    comment(w, &p, space, 3, "two");
    frames_clear(w);
    subscribe(w, &p, space, 2, epoch);
    ck_assert_uint_eq(check_pages(w, p.conn, 2, &pages), 1);
    frames_clear(w);
    subscribe(w, &p, space, 3, epoch);
    ck_assert_ptr_null(frame_at(w, p.conn, "page", 0));
    ck_assert_ptr_nonnull(frame_at(w, p.conn, "subscribed", 0));
    frames_clear(w);
    subscribe(w, &p, space, 4, epoch);
    const sl_json *reset = frame_at(w, p.conn, "reset", 0);
    ck_assert_str_eq(sl_json_str(reset, "epoch"), epoch);
    subscribe(w, &p, space, 3, "another");
    ck_assert_ptr_nonnull(frame_at(w, p.conn, "reset", 1));
    ck_assert_ptr_null(frame_at(w, p.conn, "subscribed", 0));
    subscribe(w, &p, space, 0, "another");
    ck_assert_ptr_nonnull(frame_at(w, p.conn, "subscribed", 0));
    world_free(w);
}
END_TEST

START_TEST(changes__come_in_order_before_the_receipt_and_until_unsubscribed)
{
    world *w = world_new();
    person p;
    char space[SL_SPACE_MAX];
    char text[128];
    person_make(w, &p, "a@x.y", "athlete", 1);
    video_make(w, &p, space, 1, "clip");
    subscribe(w, &p, space, 0, "");
    frames_clear(w);
    comment(w, &p, space, 2, "one");
    ck_assert_uint_eq(w->frame_count, 2);
    ck_assert_str_eq(sl_json_str(w->frames[0].frame, "t"), "change");
    ck_assert_int_eq(sl_json_int_or(w->frames[0].frame, "seq", 0), 2);
    ck_assert_str_eq(sl_json_str(w->frames[1].frame, "t"), "receipt");
    ck_assert_int_eq(sl_json_int_or(w->frames[1].frame, "seq", 0), 2);
    (void)snprintf(text, sizeof text, "{\"t\":\"unsubscribe\",\"space\":\"%s\"}", space);
    say(w, &p, text);
    comment(w, &p, space, 3, "two");
    ck_assert_uint_eq(frame_count(w, p.conn, "change"), 1);
    world_free(w);
}
END_TEST

START_TEST(own_space__tells_of_a_new_grant_live)
{
    world *w = world_new();
    person a;
    person b;
    char thread[SL_SPACE_MAX];
    char space[SL_SPACE_MAX];
    person_make(w, &a, "a@x.y", "athlete", 1);
    person_make(w, &b, "b@x.y", "coach", 2);
    befriend(w, &a, &b, thread);
    video_make(w, &a, space, 1, "clip");
    subscribe(w, &b, b.own, 0, "");
    frames_clear(w);
    share_with(w, &a, &b, space, "coach", 5);
    const sl_json *records = sl_json_get(frame_at(w, b.conn, "change", 0), "records");
    const sl_json *grant = sl_json_at(records, 0);
    ck_assert_str_eq(sl_json_str(grant, "entity"), "grant");
    ck_assert_str_eq(sl_json_str(sl_json_at(records, 1), "entity"), "notification");
    ck_assert_str_eq(sl_json_str(sl_json_get(grant, "fields"), "target"), space);
    ck_assert_str_eq(sl_json_str(sl_json_get(grant, "fields"), "role"), "coach");
    world_free(w);
}
END_TEST

START_TEST(foreign_space__looks_like_one_that_is_not_there)
{
    world *w = world_new();
    person a;
    person b;
    char space[SL_SPACE_MAX];
    person_make(w, &a, "a@x.y", "athlete", 1);
    person_make(w, &b, "b@x.y", "coach", 2);
    video_make(w, &a, space, 1, "clip");
    subscribe(w, &b, space, 0, "");
    subscribe(w, &b, a.own, 0, "");
    subscribe(w, &b, "video:018b0000-0000-7000-8000-000000000099", 0, "");
    ck_assert_uint_eq(frame_count(w, b.conn, "revoked"), 3);
    comment(w, &a, space, 2, "canary");
    ck_assert_ptr_null(frame_at(w, b.conn, "change", 0));
    ck_assert_ptr_null(frame_at(w, b.conn, "page", 0));
    world_free(w);
}
END_TEST

START_TEST(typing__reaches_the_others_who_listen)
{
    world *w = world_new();
    person a;
    person b;
    char thread[SL_SPACE_MAX];
    char text[128];
    person_make(w, &a, "a@x.y", "athlete", 1);
    person_make(w, &b, "b@x.y", "coach", 2);
    befriend(w, &a, &b, thread);
    subscribe(w, &b, thread, 0, "");
    (void)snprintf(text, sizeof text, "{\"t\":\"typing\",\"space\":\"%s\"}", thread);
    say(w, &a, text); /* does not listen itself */
    ck_assert_ptr_null(frame_at(w, b.conn, "typing", 0));
    subscribe(w, &a, thread, 0, "");
    say(w, &a, text);
    ck_assert_str_eq(sl_json_str(frame_at(w, b.conn, "typing", 0), "user"), a.id);
    ck_assert_ptr_null(frame_at(w, a.conn, "typing", 0));
    world_free(w);
}
END_TEST

/* Everything a world was sent, as one text. */
/* What passes by in a space; data without quotes. */
static void passes(world *w, const person *p, const char *space, const char *what, const char *data)
{
    sl_buf text = {0};
    sl_buf_fmt(&text, "{\"t\":\"signal\",\"space\":\"%s\",\"what\":\"%s\",\"data\":\"%s\"}", space,
               what, data);
    say(w, p, sl_buf_text(&text));
    sl_buf_free(&text);
}

START_TEST(stroke__is_told_to_all_who_see_the_video_by_those_who_may_draw)
{
    world *w = world_new();
    person owner;
    person coach;
    person member;
    char space[SL_SPACE_MAX];
    char thread[SL_SPACE_MAX];
    person_make(w, &owner, "a@x.y", "athlete", 1);
    person_make(w, &coach, "b@x.y", "coach", 2);
    person_make(w, &member, "c@x.y", "coach", 3);
    befriend(w, &owner, &coach, thread);
    befriend(w, &owner, &member, thread);
    video_make(w, &owner, space, 1, "clip");
    share_with(w, &owner, &coach, space, "coach", 5);
    passes(w, &coach, space, "stroke", "1"); /* does not listen itself */
    subscribe(w, &owner, space, 0, "");
    subscribe(w, &coach, space, 0, "");
    subscribe(w, &member, space, 0, ""); /* not let in yet */
    passes(w, &coach, space, "stroke", "2");
    const sl_json *f = frame_at(w, owner.conn, "signal", 0);
    ck_assert_str_eq(sl_json_str(f, "what"), "stroke");
    ck_assert_str_eq(sl_json_str(f, "data"), "2");
    ck_assert_str_eq(sl_json_str(f, "user"), coach.id);
    ck_assert_int_eq(sl_json_int_or(f, "until", 0), w->now_ms + 10000);
    ck_assert_uint_eq(frame_count(w, member.conn, "signal"), 0);
    ck_assert_uint_eq(frame_count(w, coach.conn, "signal"), 0);
    share_with(w, &owner, &member, space, "member", 6);
    subscribe(w, &member, space, 0, "");
    passes(w, &member, space, "stroke", "3"); /* sees it, and may not draw */
    ck_assert_uint_eq(frame_count(w, owner.conn, "signal"), 1);
    passes(w, &owner, space, "stroke", "4");
    ck_assert_str_eq(sl_json_str(frame_at(w, member.conn, "signal", 0), "data"), "4");
    passes(w, &owner, space, "smell", "5"); /* of a later version */
    ck_assert_uint_eq(frame_count(w, member.conn, "signal"), 1);
    ck_assert_int_eq(closed_with(w, owner.conn), 0);
    world_free(w);
}
END_TEST

START_TEST(signals__beyond_their_rate_are_dropped_and_come_again_with_time)
{
    world *w = world_new();
    person a;
    person b;
    char thread[SL_SPACE_MAX];
    w->limit_rates = true;
    world_reopen(w);
    person_make(w, &a, "a@x.y", "athlete", 1);
    person_make(w, &b, "b@x.y", "coach", 2);
    befriend(w, &a, &b, thread);
    subscribe(w, &a, thread, 0, "");
    subscribe(w, &b, thread, 0, "");
    for (int i = 0; i < 30; i++) {
        passes(w, &a, a.own, "present", "1");
    }
    size_t told = frame_count(w, b.conn, "signal");
    ck_assert_uint_ge(told, 10);
    ck_assert_uint_lt(told, 30);
    ck_assert_str_eq(sl_json_str(frame_at(w, b.conn, "signal", 0), "space"), thread);
    w->now_ms += 2000;
    passes(w, &a, a.own, "present", "0");
    ck_assert_uint_eq(frame_count(w, b.conn, "signal"), told + 1);
    sl_buf large = {0};
    for (int i = 0; i <= SL_FRAME_SIGNAL_MAX; i++) {
        sl_buf_u8(&large, 'x');
    }
    passes(w, &a, thread, "stroke", sl_buf_text(&large));
    ck_assert_int_eq(closed_with(w, a.conn), 4400);
    sl_buf_free(&large);
    world_free(w);
}
END_TEST

static void play(sl_buf *log)
{
    world *w = world_new();
    person a;
    person b;
    char space[SL_SPACE_MAX];
    person_make(w, &a, "a@x.y", "athlete", 1);
    person_make(w, &b, "b@x.y", "coach", 2);
    subscribe(w, &a, a.own, 0, "");
    subscribe(w, &b, b.own, 0, "");
    must(op(w, &a, "create", "connection", a.own, "018b0000-0000-7000-8000-000000000042",
            "{\"peer_email\":\"b@x.y\"}"),
         "applied");
    must(op(w, &b, "patch", "connection", b.own, "018b0000-0000-7000-8000-000000000042",
            "{\"status\":\"accepted\"}"),
         "applied");
    video_make(w, &a, space, 1, "clip");
    share_with(w, &a, &b, space, "coach", 5);
    for (size_t i = 0; i < w->frame_count; i++) {
        sl_bytes *text = sl_json_bytes(w->frames[i].frame);
        sl_buf_fmt(log, "%llu ", (unsigned long long)w->frames[i].conn);
        sl_buf_put(log, sl_bytes_data(text), sl_bytes_len(text));
        sl_bytes_release(text);
    }
    world_free(w);
}

START_TEST(run__repeats_itself_to_the_byte)
{
    sl_buf one = {0};
    sl_buf two = {0};
    play(&one);
    play(&two);
    ck_assert_uint_gt(one.len, 1000);
    ck_assert_str_eq(sl_buf_text(&one), sl_buf_text(&two));
    sl_buf_free(&one);
    sl_buf_free(&two);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        pages__are_contiguous_and_hold_each_record_once,
        pages__end_at_about_a_quarter_of_a_mebibyte,
        pages__wait_until_there_is_room_for_them,
        pages__of_what_is_preferred_come_first,
        subscribed__says_the_sum_of_the_space,
        cursor__resumes_in_its_epoch_and_is_reset_otherwise,
        changes__come_in_order_before_the_receipt_and_until_unsubscribed,
        own_space__tells_of_a_new_grant_live,
        foreign_space__looks_like_one_that_is_not_there,
        typing__reaches_the_others_who_listen,
        stroke__is_told_to_all_who_see_the_video_by_those_who_may_draw,
        signals__beyond_their_rate_are_dropped_and_come_again_with_time,
        run__repeats_itself_to_the_byte,
    };
    world_start();
    int status = sl_test_run(sl_test_suite("feed", tests, sizeof tests / sizeof tests[0]));
    world_end();
    return status;
}
