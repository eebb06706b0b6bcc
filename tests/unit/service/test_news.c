/* What is kept of what people are told: notifications in their own space. */
#include "support.h"
#include "unit/service/world.h"

#include <stdio.h>
#include <string.h>

typedef struct scene {
    world *w;
    person coach;
    person ana;
    char thread[SL_SPACE_MAX];
    char video[SL_SPACE_MAX];
} scene;

/* How many of this kind, "" any, the user has. */
static size_t count(const scene *s, const person *p, const char *kind)
{
    return world_rows(s->w, NULL,
                      "SELECT \"id\" FROM \"notification\" WHERE \"space\"=$1 AND \"deleted\"=0"
                      " AND ($2='' OR \"kind\"=$2)",
                      p->own, kind);
}

/* A text of the notification with this id; "" when there is none. */
static const char *field(const scene *s, const person *p, const char *id, const char *name)
{
    static char text[512];
    char sql[200];
    (void)snprintf(sql, sizeof sql,
                   "SELECT \"%s\" FROM \"notification\" WHERE \"space\"=$1 AND \"id\"=$2", name);
    (void)world_rows(s->w, text, sql, p->own, id);
    return text;
}

/* A coach and an athlete who shares a video. */
static void set(scene *s)
{
    memset(s, 0, sizeof *s);
    s->w = world_new();
    person_make(s->w, &s->coach, "coach@x.y", "coach", 1);
    person_make(s->w, &s->ana, "ana@x.y", "athlete", 2);
    befriend(s->w, &s->coach, &s->ana, s->thread);
    video_make(s->w, &s->ana, s->video, 0x900, "clip");
    share_with(s->w, &s->ana, &s->coach, s->video, "coach", 0x901);
}

static void says(scene *s, person *p, uint32_t number, const char *body)
{
    char fields[200];
    (void)snprintf(fields, sizeof fields, "{\"body\":\"%s\"}", body);
    must(op(s->w, p, "create", "comment", s->video, id_of(number), fields), "applied");
}

START_TEST(news__each_event_is_kept_for_whom_it_is_and_not_for_who_caused_it)
{
    scene s;
    set(&s);
    /* One of the two asked, the other accepted; the video was shared with the coach. */
    ck_assert_uint_eq(count(&s, &s.coach, "connection"), 1);
    ck_assert_uint_eq(count(&s, &s.ana, "connection"), 1);
    ck_assert_uint_eq(count(&s, &s.coach, "review"), 1);
    ck_assert_uint_eq(count(&s, &s.ana, "review"), 0);
    ck_assert_str_eq(field(&s, &s.coach, id_of(0x901), "title"), "Name of ana@x.y");
    ck_assert_str_eq(field(&s, &s.coach, id_of(0x901), "ref_space"), s.video);
    ck_assert_str_eq(field(&s, &s.coach, id_of(0x901), "ref_id"), s.video + strlen("video:"));
    says(&s, &s.coach, 0x910, "elbow up");
    ck_assert_uint_eq(count(&s, &s.ana, "comment"), 1);
    ck_assert_uint_eq(count(&s, &s.coach, "comment"), 0);
    ck_assert_str_eq(field(&s, &s.ana, id_of(0x910), "ref_id"), id_of(0x910));
    ck_assert_str_eq(field(&s, &s.ana, id_of(0x910), "body"), ""); /* words are not copied */
    ck_assert_str_eq(field(&s, &s.ana, id_of(0x910), "title"), "Name of coach@x.y");
    must(op(s.w, &s.coach, "create", "message", s.thread, id_of(0x911),
            "{\"kind\":\"text\",\"body\":\"hi\"}"),
         "applied");
    ck_assert_uint_eq(count(&s, &s.ana, ""), 2); /* a message is in its thread alone */
    world_free(s.w);
}
END_TEST

START_TEST(news__an_answer_is_told_to_those_who_have_taken_part)
{
    scene s;
    person ben;
    set(&s);
    person_make(s.w, &ben, "ben@x.y", "coach", 3);
    char thread[SL_SPACE_MAX];
    befriend(s.w, &ben, &s.ana, thread);
    share_with(s.w, &s.ana, &ben, s.video, "coach", 0x902);
    says(&s, &s.ana, 0x920, "how is it?");
    ck_assert_uint_eq(count(&s, &s.coach, "comment"), 0); /* has said nothing yet */
    says(&s, &s.coach, 0x921, "good");
    says(&s, &s.ana, 0x922, "thanks");
    ck_assert_uint_eq(count(&s, &s.coach, "comment"), 1);
    ck_assert_uint_eq(count(&s, &ben, "comment"), 0);
    ck_assert_uint_eq(count(&s, &s.ana, "comment"), 1);
    world_free(s.w);
}
END_TEST

START_TEST(news__a_setting_keeps_it_out_of_the_app_and_a_block_too)
{
    scene s;
    set(&s);
    must(op(s.w, &s.ana, "create", "notification_setting", s.ana.own, id_of(0x930),
            "{\"topic\":\"comment\",\"in_app\":false}"),
         "applied");
    says(&s, &s.coach, 0x931, "one");
    ck_assert_uint_eq(count(&s, &s.ana, "comment"), 0);
    must(op(s.w, &s.ana, "create", "notification_setting", s.ana.own, id_of(0x932),
            "{\"topic\":\"comment\",\"push\":false,\"quiet_from_min\":0,\"quiet_to_min\":1439}"),
         "applied"); /* the later one holds; pushes and hours are another matter */
    says(&s, &s.coach, 0x933, "two");
    ck_assert_uint_eq(count(&s, &s.ana, "comment"), 1);
    char block[100];
    (void)snprintf(block, sizeof block, "{\"user_id\":\"%s\"}", s.coach.id);
    must(op(s.w, &s.ana, "create", "block", s.ana.own, id_of(0x934), block), "applied");
    says(&s, &s.coach, 0x935, "three");
    ck_assert_uint_eq(count(&s, &s.ana, "comment"), 1);
    world_free(s.w);
}
END_TEST

START_TEST(news__is_read_by_its_user_and_nothing_else_of_it_can_be_written)
{
    scene s;
    set(&s);
    says(&s, &s.coach, 0x940, "one");
    must(op(s.w, &s.ana, "patch", "notification", s.ana.own, id_of(0x940), "{\"read_ms\":5}"),
         "applied");
    must_reject(
        op(s.w, &s.ana, "patch", "notification", s.ana.own, id_of(0x940), "{\"title\":\"x\"}"),
        "SL_E_DENIED");
    must_reject(
        op(s.w, &s.ana, "create", "notification", s.ana.own, id_of(0x941), "{\"kind\":\"system\"}"),
        "SL_E_DENIED");
    must_reject(
        op(s.w, &s.coach, "patch", "notification", s.ana.own, id_of(0x940), "{\"read_ms\":6}"),
        "SL_E_DENIED");
    ck_assert_uint_eq(count(&s, &s.ana, "comment"), 1);
    must(op(s.w, &s.ana, "delete", "notification", s.ana.own, id_of(0x940), NULL), "applied");
    ck_assert_uint_eq(count(&s, &s.ana, "comment"), 0);
    world_free(s.w);
}
END_TEST

START_TEST(news__goes_with_what_it_speaks_of)
{
    scene s;
    set(&s);
    says(&s, &s.coach, 0x950, "one");
    says(&s, &s.coach, 0x951, "two");
    must(op(s.w, &s.coach, "delete", "comment", s.video, id_of(0x950), NULL), "applied");
    ck_assert_uint_eq(count(&s, &s.ana, "comment"), 1);
    ck_assert_str_eq(field(&s, &s.ana, id_of(0x951), "kind"), "comment");
    says(&s, &s.ana, 0x952, "thanks");
    ck_assert_uint_eq(count(&s, &s.coach, "comment"), 1);
    must(op(s.w, &s.ana, "delete", "share", s.video, id_of(0x901), NULL), "applied");
    ck_assert_uint_eq(count(&s, &s.coach, "review"), 0);
    ck_assert_uint_eq(count(&s, &s.coach, "comment"), 0); /* the space is no longer theirs */
    ck_assert_uint_eq(count(&s, &s.coach, "connection"), 1);
    answer a =
        signed_request(s.w, &s.coach, "POST", "/api/v1/account/erase", "",
                       "{\"password\":\"long enough\"}", strlen("{\"password\":\"long enough\"}"));
    ck_assert_int_lt(a.status, 300);
    answer_free(&a);
    ck_assert_uint_eq(count(&s, &s.ana, ""), 0); /* nothing of who is erased is left */
    world_free(s.w);
}
END_TEST

/* One frame after another, so that the limit is passed within a transaction and between two. */
START_TEST(news__the_newest_500_are_kept)
{
    scene s;
    set(&s);
    sl_buf frame = {0};
    for (uint32_t i = 0; i < 520; i += 130) {
        sl_buf_clear(&frame);
        sl_buf_str(&frame, "{\"t\":\"push\",\"ops\":[");
        for (uint32_t k = i; k < i + 130; k++) {
            sl_buf_fmt(&frame,
                       "%s{\"n\":%lld,\"op\":\"create\",\"entity\":\"comment\",\"space\":\"%s\","
                       "\"id\":\"%s\",\"hlc\":\"018900000000%04x00000001\",\"fields\":"
                       "{\"body\":\"x\"}}",
                       k > i ? "," : "", (long long)++s.coach.n, s.video, id_of(0x2000 + k), k);
        }
        sl_buf_str(&frame, "]}");
        s.w->now_ms += 1000;
        say(s.w, &s.coach, sl_buf_text(&frame));
        size_t made = count(&s, &s.ana, "comment");
        ck_assert_uint_eq(made, i + 130 < 500 ? i + 130 : 500);
        frames_clear(s.w);
    }
    ck_assert_uint_eq(count(&s, &s.ana, ""), 500);
    ck_assert_str_eq(field(&s, &s.ana, id_of(0x2000), "kind"), ""); /* the oldest are gone */
    ck_assert_str_eq(field(&s, &s.ana, id_of(0x2000 + 519), "kind"), "comment");
    sl_buf_free(&frame);
    world_free(s.w);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        news__each_event_is_kept_for_whom_it_is_and_not_for_who_caused_it,
        news__an_answer_is_told_to_those_who_have_taken_part,
        news__a_setting_keeps_it_out_of_the_app_and_a_block_too,
        news__is_read_by_its_user_and_nothing_else_of_it_can_be_written,
        news__goes_with_what_it_speaks_of,
        news__the_newest_500_are_kept,
    };
    world_start();
    int status = sl_test_run(sl_test_suite("news", tests, sizeof tests / sizeof tests[0]));
    world_end();
    return status;
}
