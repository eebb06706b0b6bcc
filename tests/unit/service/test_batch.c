/* Many messages as one transaction: what is told, and when, and what becomes of it when it fails. */
#include "base/mem.h"
#include "support.h"
#include "unit/service/world.h"

#include <stdio.h>
#include <string.h>

enum {
    MANY = 40
};

/* The text of a comment's creation. */
static void write_op(char *text, size_t cap, int64_t n, const char *space, uint32_t id,
                     const char *body)
{
    char uuid[SL_UUID_LEN + 1];
    uuid_of(uuid, id);
    (void)snprintf(
        text, cap,
        "{\"t\":\"op\",\"n\":%lld,\"op\":\"create\",\"entity\":\"comment\",\"space\":\"%s\","
        "\"id\":\"%s\",\"hlc\":\"018bcfe56800000000000001\",\"fields\":{%s}}",
        (long long)n, space, uuid, body);
}

typedef struct fixture {
    world *w;
    person a;
    person b;
    char space[SL_SPACE_MAX];
    char texts[MANY][400];
    sl_ws_event events[MANY];
} fixture;

/* Two people who listen to one video. */
static void set_up(fixture *f)
{
    char thread[SL_SPACE_MAX];
    memset(f, 0, sizeof *f);
    f->w = world_new();
    person_make(f->w, &f->a, "a@x.y", "athlete", 1);
    person_make(f->w, &f->b, "b@x.y", "coach", 2);
    befriend(f->w, &f->a, &f->b, thread);
    video_make(f->w, &f->a, f->space, 1, "clip");
    share_with(f->w, &f->a, &f->b, f->space, "coach", 5);
    subscribe(f->w, &f->a, f->space, 0, "");
    subscribe(f->w, &f->b, f->space, 0, "");
    char text[200]; /* what a is told of it all is not looked at */
    (void)snprintf(text, sizeof text, "{\"t\":\"unsubscribe\",\"space\":\"%s\"}", f->a.own);
    say(f->w, &f->a, text);
    frames_clear(f->w);
}

/* The i-th event: a or b, by turns, writes a comment. */
static void fill(fixture *f, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        person *p = i % 2 == 0 ? &f->a : &f->b;
        p->n++;
        write_op(f->texts[i], sizeof f->texts[i], p->n, f->space, 100 + (uint32_t)i,
                 "\"body\":\"b\"");
        f->events[i] = (sl_ws_event){p->conn, SL_WS_SAID, false, f->texts[i], strlen(f->texts[i])};
    }
}

START_TEST(batch__every_message_has_its_effect_its_receipt_and_its_change_in_order)
{
    fixture f;
    set_up(&f);
    fill(&f, MANY);
    sl_service_ws_events(f.w->s, f.events, MANY);
    ck_assert_uint_eq(frame_count(f.w, f.a.conn, "receipt"), MANY / 2);
    ck_assert_uint_eq(frame_count(f.w, f.b.conn, "receipt"), MANY / 2);
    ck_assert_uint_eq(frame_count(f.w, f.a.conn, "change"), MANY);
    int64_t first = sl_json_int_or(frame_at(f.w, f.b.conn, "change", 0), "seq", 0);
    for (size_t i = 0; i < MANY; i++) {
        ck_assert_int_eq(sl_json_int_or(frame_at(f.w, f.b.conn, "change", i), "seq", 0),
                         first + (int64_t)i);
        must(frame_at(f.w, i % 2 == 0 ? f.a.conn : f.b.conn, "receipt", i / 2), "applied");
    }
    world_free(f.w);
}
END_TEST

START_TEST(batch__one_that_is_refused_undoes_nothing_but_itself)
{
    fixture f;
    set_up(&f);
    fill(&f, 6);
    write_op(f.texts[2], sizeof f.texts[2], f.a.n - 1, f.space, 102, "\"nothing\":1");
    f.events[2].p = f.texts[2];
    f.events[2].n = strlen(f.texts[2]);
    sl_service_ws_events(f.w->s, f.events, 6);
    must_reject(frame_at(f.w, f.a.conn, "receipt", 1), "SL_E_INVALID");
    must(frame_at(f.w, f.a.conn, "receipt", 0), "applied");
    must(frame_at(f.w, f.a.conn, "receipt", 2), "applied");
    ck_assert_uint_eq(frame_count(f.w, f.b.conn, "change"), 5);
    world_free(f.w);
}
END_TEST

START_TEST(batch__comings_and_goings_are_part_of_it)
{
    fixture f;
    set_up(&f);
    fill(&f, 4);
    f.events[1] = (sl_ws_event){f.b.conn, SL_WS_LEFT, false, NULL, 0};
    f.events[3] = (sl_ws_event){9999, SL_WS_OPENED, false, NULL, 0};
    sl_service_ws_events(f.w->s, f.events, 4);
    ck_assert_uint_eq(frame_count(f.w, f.a.conn, "change"), 2);
    ck_assert_uint_eq(frame_count(f.w, f.b.conn, "change"), 1);
    person stranger = {.conn = 9999};
    subscribe(f.w, &stranger, f.space, 0, "");
    ck_assert_int_eq(closed_with(f.w, 9999), 4401);
    world_free(f.w);
}
END_TEST

/* What was told is there; who was told nothing is cut off, or nothing was to be told. */
static bool fail_at(uint64_t k, sl_status fault)
{
    fixture f;
    set_up(&f);
    fill(&f, 4);
    f.w->db_fault = fault;
    f.w->db_fail_at = k;
    sl_service_ws_events(f.w->s, f.events, 4);
    bool hit = f.w->db_fail_at == 0;
    f.w->db_fail_at = 0;
    size_t told = frame_count(f.w, f.a.conn, "receipt") + frame_count(f.w, f.b.conn, "receipt");
    size_t heard_a = frame_count(f.w, f.a.conn, "change");
    bool cut_a = closed_with(f.w, f.a.conn) != 0;
    bool cut_b = closed_with(f.w, f.b.conn) != 0;
    ck_assert(cut_a || frame_count(f.w, f.a.conn, "receipt") == 2);
    ck_assert(cut_b || frame_count(f.w, f.b.conn, "receipt") == 2);
    ck_assert(hit || (!cut_a && !cut_b));
    frames_clear(f.w);
    person_connect(f.w, &f.a);
    subscribe(f.w, &f.a, f.space, 0, "");
    const sl_json *page = frame_at(f.w, f.a.conn, "page", 0);
    size_t comments = 0;
    for (const sl_json *r = sl_json_first(sl_json_get(page, "records")); r != NULL;
         r = sl_json_next(r)) {
        comments += strcmp(sl_json_str(r, "entity"), "comment") == 0 ? 1 : 0;
    }
    ck_assert_uint_ge(comments, told);
    ck_assert_uint_ge(comments, heard_a);
    /* What has no receipt is sent again, and has its effect once. */
    for (size_t i = 0; i < 4; i++) {
        person *p = i % 2 == 0 ? &f.a : &f.b;
        if (i == 1) {
            person_connect(f.w, &f.b);
        }
        say(f.w, p, f.texts[i]);
        must(frame_at(f.w, p->conn, "receipt", i / 2), "applied");
    }
    world_free(f.w);
    return hit;
}

START_TEST(batch__a_database_that_fails_anywhere_in_it_tells_nobody_what_is_not_so)
{
    uint64_t k = 1;
    while (fail_at(k, SL_E_IO)) {
        k += 5;
    }
    ck_assert_uint_gt(k, 20);
    for (uint64_t i = 1; i < k; i += 29) {
        (void)fail_at(i, SL_E_BUSY);
    }
}
END_TEST

START_TEST(batch__memory_that_runs_out_anywhere_in_it_loses_nothing)
{
    for (uint64_t k = 1; k < 400; k += 67) {
        fixture f;
        set_up(&f);
        fill(&f, 4);
        (void)sl_mem_fail_at(k, false);
        sl_service_ws_events(f.w->s, f.events, 4);
        (void)sl_mem_fail_at(0, false);
        bool cut_a = closed_with(f.w, f.a.conn) != 0;
        bool cut_b = closed_with(f.w, f.b.conn) != 0;
        frames_clear(f.w);
        if (cut_a) {
            person_connect(f.w, &f.a);
        }
        if (cut_b) {
            person_connect(f.w, &f.b);
        }
        for (size_t i = 0; i < 4; i++) {
            person *p = i % 2 == 0 ? &f.a : &f.b;
            size_t had = frame_count(f.w, p->conn, "receipt");
            say(f.w, p, f.texts[i]);
            must(frame_at(f.w, p->conn, "receipt", had), "applied");
        }
        world_free(f.w);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        batch__every_message_has_its_effect_its_receipt_and_its_change_in_order,
        batch__one_that_is_refused_undoes_nothing_but_itself,
        batch__comings_and_goings_are_part_of_it,
        batch__a_database_that_fails_anywhere_in_it_tells_nobody_what_is_not_so,
        batch__memory_that_runs_out_anywhere_in_it_loses_nothing,
    };
    world_start();
    int status = sl_test_run(sl_test_suite("batch", tests, sizeof tests / sizeof tests[0]));
    world_end();
    return status;
}
