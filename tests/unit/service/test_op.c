#include "support.h"
#include "unit/service/world.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char STROKE[] =
    "{\"kind\":\"pen\",\"geometry\":\"AAAA\",\"style\":{\"color\":\"#ff0000\"},"
    "\"t_in\":0,\"t_out\":1000000}";

typedef struct scene {
    world *w;
    person athlete;
    person coach;
    person stranger;
    char thread[SL_SPACE_MAX];
    char video[SL_SPACE_MAX];
} scene;

/* An athlete, a coach who holds the athlete's video, and someone else. */
static void set(scene *s)
{
    s->w = world_new();
    person_make(s->w, &s->athlete, "athlete@x.y", "athlete", 1);
    person_make(s->w, &s->coach, "coach@x.y", "coach", 2);
    person_make(s->w, &s->stranger, "stranger@x.y", "athlete", 3);
    befriend(s->w, &s->athlete, &s->coach, s->thread);
    video_make(s->w, &s->athlete, s->video, 0x100, "clip");
    share_with(s->w, &s->athlete, &s->coach, s->video, "coach", 0x101);
}

START_TEST(policy__creating_patching_and_deleting_go_by_role_and_author)
{
    scene s;
    set(&s);
    must(op(s.w, &s.coach, "create", "annotation", s.video, id_of(1), STROKE), "applied");
    must(op(s.w, &s.coach, "patch", "annotation", s.video, id_of(1), "{\"t_in\":5}"), "applied");
    must_reject(op(s.w, &s.athlete, "patch", "annotation", s.video, id_of(1), "{\"t_in\":6}"),
                "SL_E_DENIED");
    must_reject(op(s.w, &s.stranger, "patch", "annotation", s.video, id_of(1), "{\"t_in\":7}"),
                "SL_E_DENIED");
    must_reject(op(s.w, &s.stranger, "create", "comment", s.video, id_of(2), "{\"body\":\"hi\"}"),
                "SL_E_DENIED");
    must(op(s.w, &s.athlete, "delete", "annotation", s.video, id_of(1), NULL), "applied");
    must_reject(op(s.w, &s.coach, "delete", "video", s.video, s.video + 6, NULL), "SL_E_DENIED");
    must_reject(op(s.w, &s.coach, "patch", "video", s.video, s.video + 6, "{\"title\":\"x\"}"),
                "SL_E_DENIED");
    must(op(s.w, &s.athlete, "patch", "video", s.video, s.video + 6, "{\"title\":\"x\"}"),
         "applied");
    must_reject(op(s.w, &s.coach, "patch", "annotation", s.video, id_of(77), "{\"t_in\":5}"),
                "SL_E_NOT_FOUND");
    world_free(s.w);
}
END_TEST

START_TEST(policy__a_member_may_comment_but_not_draw)
{
    scene s;
    set(&s);
    char thread[SL_SPACE_MAX];
    befriend(s.w, &s.athlete, &s.stranger, thread);
    share_with(s.w, &s.athlete, &s.stranger, s.video, "member", 0x102);
    must(op(s.w, &s.stranger, "create", "comment", s.video, id_of(2), "{\"body\":\"hi\"}"),
         "applied");
    must_reject(op(s.w, &s.stranger, "create", "annotation", s.video, id_of(3), STROKE),
                "SL_E_DENIED");
    world_free(s.w);
}
END_TEST

START_TEST(policy__what_the_server_writes_a_client_cannot)
{
    scene s;
    set(&s);
    must_reject(op(s.w, &s.athlete, "patch", "video", s.video, s.video + 6,
                   "{\"owner_id\":\"018b0000-0000-7000-8000-000000000009\"}"),
                "SL_E_DENIED");
    must_reject(op(s.w, &s.athlete, "create", "grant", s.athlete.own, id_of(4), "{}"),
                "SL_E_DENIED");
    must_reject(
        op(s.w, &s.athlete, "patch", "user", s.athlete.own, s.athlete.id, "{\"role\":\"admin\"}"),
        "SL_E_DENIED");
    must(op(s.w, &s.athlete, "patch", "user", s.athlete.own, s.athlete.id, "{\"name\":\"New\"}"),
         "applied");
    must_reject(op(s.w, &s.athlete, "patch", "user", s.coach.own, s.coach.id, "{\"name\":\"No\"}"),
                "SL_E_DENIED");
    must_reject(op(s.w, &s.athlete, "create", "comment", s.thread, id_of(5), "{\"body\":\"hi\"}"),
                "SL_E_INVALID");
    must_reject(op(s.w, &s.athlete, "create", "video", s.video, id_of(6), "{}"), "SL_E_INVALID");
    world_free(s.w);
}
END_TEST

START_TEST(rejection__names_the_field)
{
    scene s;
    set(&s);
    const sl_json *r =
        op(s.w, &s.athlete, "create", "comment", s.video, id_of(2), "{\"body\":\"\"}");
    must_reject(r, "SL_E_INVALID");
    ck_assert_str_eq(sl_json_str(r, "field"), "body");
    r = op(s.w, &s.athlete, "create", "comment", s.video, id_of(2), "{\"body\":\"a\",\"zz\":1}");
    must_reject(r, "SL_E_INVALID");
    ck_assert_str_eq(sl_json_str(r, "field"), "zz");
    world_free(s.w);
}
END_TEST

START_TEST(once__the_same_number_has_one_effect_and_one_answer)
{
    scene s;
    set(&s);
    const sl_json *first =
        op(s.w, &s.coach, "create", "comment", s.video, id_of(2), "{\"body\":\"one\"}");
    must(first, "applied");
    s.coach.n--;
    const sl_json *again =
        op(s.w, &s.coach, "create", "comment", s.video, id_of(3), "{\"body\":\"two\"}");
    ck_assert(sl_json_equal(first, again));
    subscribe(s.w, &s.coach, s.video, 0, "");
    const sl_json *page = frame_at(s.w, s.coach.conn, "page", 0);
    ck_assert_uint_eq(sl_json_count(sl_json_get(page, "records")), 3); /* video, share, comment */
    const sl_json *no = op(s.w, &s.coach, "create", "annotation", s.video, id_of(4), "{}");
    must_reject(no, "SL_E_INVALID");
    s.coach.n--;
    ck_assert(
        sl_json_equal(no, op(s.w, &s.coach, "create", "annotation", s.video, id_of(4), STROKE)));
    world_free(s.w);
}
END_TEST

START_TEST(once__the_answer_outlives_the_connection_until_the_floor_passes_it)
{
    scene s;
    set(&s);
    must(op(s.w, &s.coach, "create", "comment", s.video, id_of(2), "{\"body\":\"one\"}"),
         "applied");
    int64_t n = s.coach.n;
    person_connect(s.w, &s.coach);
    s.coach.n = n - 1;
    must(op(s.w, &s.coach, "create", "comment", s.video, id_of(2), "{\"body\":\"one\"}"),
         "applied");
    char text[3000];
    s.coach.conn = ++s.w->conn_next;
    sl_service_ws_open(s.w->s, s.coach.conn, false);
    (void)snprintf(text, sizeof text,
                   "{\"t\":\"connect\",\"v\":1,\"token\":\"%s\",\"device\":\"%s\",\"floor\":%lld}",
                   s.coach.access, s.coach.device, (long long)n + 1);
    say(s.w, &s.coach, text);
    s.coach.n = n - 1;
    must_reject(op(s.w, &s.coach, "create", "comment", s.video, id_of(9), "{\"body\":\"one\"}"),
                "SL_E_CONFLICT");
    person_connect(s.w, &s.coach); /* with floor 0: it does not go back */
    s.coach.n = n - 1;
    must_reject(op(s.w, &s.coach, "create", "comment", s.video, id_of(9), "{\"body\":\"one\"}"),
                "SL_E_CONFLICT");
    world_free(s.w);
}
END_TEST

START_TEST(once__another_operation_under_a_used_number_is_refused_and_changes_nothing)
{
    scene s;
    set(&s);
    must(op(s.w, &s.coach, "create", "comment", s.video, id_of(2), "{\"body\":\"one\"}"),
         "applied");
    s.coach.n--; /* a folder restored from a backup counts again from here, at a later time */
    s.w->now_ms += 1000;
    must_reject(op(s.w, &s.coach, "create", "comment", s.video, id_of(3), "{\"body\":\"two\"}"),
                "SL_E_CONFLICT");
    must(op(s.w, &s.coach, "create", "comment", s.video, id_of(3), "{\"body\":\"two\"}"),
         "applied");
    world_free(s.w);
}
END_TEST

START_TEST(policy__an_id_of_another_space_cannot_be_used_again)
{
    scene s;
    char other[SL_SPACE_MAX];
    set(&s);
    must(op(s.w, &s.athlete, "create", "comment", s.video, id_of(2), "{\"body\":\"one\"}"),
         "applied");
    video_make(s.w, &s.coach, other, 0x200, "other");
    must_reject(op(s.w, &s.coach, "create", "comment", other, id_of(2), "{\"body\":\"mine\"}"),
                "SL_E_CONFLICT");
    must(op(s.w, &s.coach, "create", "comment", other, id_of(3), "{\"body\":\"mine\"}"), "applied");
    world_free(s.w);
}
END_TEST

START_TEST(sequence__rejected_operations_leave_no_hole)
{
    scene s;
    set(&s);
    frames_clear(s.w);
    subscribe(s.w, &s.coach, s.video, 0, "");
    int64_t seq = sl_json_int_or(frame_at(s.w, s.coach.conn, "subscribed", 0), "seq", 0);
    for (uint32_t i = 0; i < 20; i++) {
        const char *body = i % 3 == 0 ? "{\"body\":\"\"}" : "{\"body\":\"ok\"}";
        (void)op(s.w, &s.athlete, "create", "comment", s.video, id_of(0x200 + i), body);
    }
    size_t changes = frame_count(s.w, s.coach.conn, "change");
    ck_assert_uint_eq(changes, 13);
    for (size_t i = 0; i < changes; i++) {
        const sl_json *c = frame_at(s.w, s.coach.conn, "change", i);
        ck_assert_int_eq(sl_json_int_or(c, "seq", 0), ++seq);
        ck_assert_int_eq(sl_json_int_or(sl_json_get(c, "record"), "seq", 0), seq);
    }
    world_free(s.w);
}
END_TEST

START_TEST(merge__an_older_stamp_loses_and_is_told_as_merged)
{
    scene s;
    set(&s);
    const char *video = s.video + 6;
    s.w->now_ms += 1000;
    must(op(s.w, &s.athlete, "patch", "video", s.video, video, "{\"title\":\"new\"}"), "applied");
    s.w->now_ms -= 500;
    const sl_json *r = op(s.w, &s.athlete, "patch", "video", s.video, video, "{\"title\":\"old\"}");
    must(r, "merged");
    ck_assert_int_eq(sl_json_int_or(r, "seq", -1), 0);
    world_free(s.w);
}
END_TEST

START_TEST(clock__a_stamp_far_ahead_is_cut_to_the_limit)
{
    scene s;
    set(&s);
    const char *video = s.video + 6;
    int64_t now = s.w->now_ms;
    frames_clear(s.w);
    subscribe(s.w, &s.coach, s.video, 0, "");
    for (int64_t ahead = 60000; ahead <= 60002; ahead++) {
        char text[400];
        char stamp[25];
        (void)snprintf(stamp, sizeof stamp, "%012" PRIx64 "000000000001",
                       (uint64_t)now + (uint64_t)ahead);
        (void)snprintf(text, sizeof text,
                       "{\"t\":\"op\",\"n\":%lld,\"op\":\"patch\",\"entity\":\"video\","
                       "\"space\":\"%s\",\"id\":\"%s\",\"hlc\":\"%s\","
                       "\"fields\":{\"title\":\"x%lld\"}}",
                       (long long)++s.athlete.n, s.video, video, stamp, (long long)ahead);
        say(s.w, &s.athlete, text);
    }
    char limit[13];
    char last[25] = "";
    (void)snprintf(limit, sizeof limit, "%012" PRIx64, (uint64_t)now + 60000U);
    ck_assert_uint_eq(frame_count(s.w, s.coach.conn, "change"), 3);
    for (size_t i = 0; i < 3; i++) {
        const sl_json *record = sl_json_get(frame_at(s.w, s.coach.conn, "change", i), "record");
        const char *stamp = sl_json_str(sl_json_get(record, "clocks"), "title");
        ck_assert_int_eq(strncmp(stamp, limit, 12), 0);
        ck_assert_int_gt(strcmp(stamp, last), 0); /* each is later than the one before */
        (void)snprintf(last, sizeof last, "%s", stamp);
    }
    s.w->now_ms += 60001; /* a clock that is right wins again */
    must(op(s.w, &s.athlete, "patch", "video", s.video, video, "{\"title\":\"right\"}"), "applied");
    world_free(s.w);
}
END_TEST

START_TEST(connection__needs_the_one_asked_to_answer)
{
    world *w = world_new();
    person a;
    person b;
    person c;
    person_make(w, &a, "a@x.y", "athlete", 1);
    person_make(w, &b, "b@x.y", "coach", 2);
    person_make(w, &c, "c@x.y", "coach", 3);
    must_reject(op(w, &a, "create", "connection", a.own, id_of(1), "{\"peer_email\":\"q@x.y\"}"),
                "SL_E_NOT_FOUND");
    must_reject(op(w, &a, "create", "connection", a.own, id_of(1), "{\"peer_email\":\"a@x.y\"}"),
                "SL_E_INVALID");
    must_reject(op(w, &a, "create", "connection", a.own, id_of(1),
                   "{\"peer_email\":\"b@x.y\",\"status\":\"accepted\"}"),
                "SL_E_INVALID");
    subscribe(w, &b, b.own, 0, "");
    must(op(w, &a, "create", "connection", a.own, id_of(1), "{\"peer_email\":\"B@x.y\"}"),
         "applied");
    const sl_json *change = frame_at(w, b.conn, "change", 0); /* with a notification of it */
    const sl_json *asked = sl_json_at(sl_json_get(change, "records"), 0);
    ck_assert_str_eq(sl_json_str(asked, "id"), id_of(1));
    ck_assert_str_eq(sl_json_str(sl_json_get(asked, "fields"), "direction"), "in");
    ck_assert_str_eq(sl_json_str(sl_json_get(asked, "fields"), "peer_email"), "a@x.y");
    must_reject(op(w, &a, "create", "connection", a.own, id_of(2), "{\"peer_email\":\"b@x.y\"}"),
                "SL_E_CONFLICT");
    must_reject(op(w, &b, "create", "connection", b.own, id_of(2), "{\"peer_email\":\"a@x.y\"}"),
                "SL_E_CONFLICT");
    must_reject(op(w, &a, "patch", "connection", a.own, id_of(1), "{\"status\":\"accepted\"}"),
                "SL_E_DENIED");
    must_reject(op(w, &c, "patch", "connection", b.own, id_of(1), "{\"status\":\"accepted\"}"),
                "SL_E_DENIED");
    must(op(w, &b, "patch", "connection", b.own, id_of(1), "{\"status\":\"accepted\"}"), "applied");
    must(op(w, &b, "patch", "connection", b.own, id_of(1), "{\"status\":\"accepted\"}"), "merged");
    must_reject(op(w, &b, "patch", "connection", b.own, id_of(1), "{\"status\":\"declined\"}"),
                "SL_E_CONFLICT");
    world_free(w);
}
END_TEST

START_TEST(connection__declined_makes_no_thread_and_may_be_asked_again)
{
    world *w = world_new();
    person a;
    person b;
    person_make(w, &a, "a@x.y", "athlete", 1);
    person_make(w, &b, "b@x.y", "coach", 2);
    must(op(w, &a, "create", "connection", a.own, id_of(1), "{\"peer_email\":\"b@x.y\"}"),
         "applied");
    must(op(w, &b, "patch", "connection", b.own, id_of(1), "{\"status\":\"declined\"}"), "applied");
    frames_clear(w);
    subscribe(w, &a, a.own, 0, "");
    const sl_json *records = sl_json_get(frame_at(w, a.conn, "page", 0), "records");
    ck_assert_uint_eq(sl_json_count(records), 2); /* user, connection: no grant */
    const sl_json *fields = sl_json_get(sl_json_at(records, 1), "fields");
    ck_assert_str_eq(sl_json_str(fields, "status"), "declined");
    ck_assert_ptr_null(sl_json_str(fields, "peer_name"));
    must(op(w, &a, "create", "connection", a.own, id_of(2), "{\"peer_email\":\"b@x.y\"}"),
         "applied");
    world_free(w);
}
END_TEST

START_TEST(share__is_for_the_owner_and_for_the_connected)
{
    scene s;
    set(&s);
    char fields[160];
    (void)snprintf(fields, sizeof fields, "{\"user_id\":\"%s\",\"role\":\"member\"}",
                   s.stranger.id);
    must_reject(op(s.w, &s.athlete, "create", "share", s.video, id_of(1), fields), "SL_E_DENIED");
    must_reject(op(s.w, &s.coach, "create", "share", s.video, id_of(1), fields), "SL_E_DENIED");
    (void)snprintf(fields, sizeof fields, "{\"user_id\":\"%s\",\"role\":\"member\"}", s.coach.id);
    must_reject(op(s.w, &s.athlete, "create", "share", s.video, id_of(1), fields), "SL_E_CONFLICT");
    world_free(s.w);
}
END_TEST

START_TEST(share__its_end_takes_the_space_away_at_once)
{
    scene s;
    set(&s);
    frames_clear(s.w);
    subscribe(s.w, &s.coach, s.coach.own, 0, "");
    subscribe(s.w, &s.coach, s.video, 0, "");
    ck_assert_str_eq(sl_json_str(frame_at(s.w, s.coach.conn, "subscribed", 1), "role"), "coach");
    frames_clear(s.w);
    must(op(s.w, &s.athlete, "delete", "share", s.video, id_of(0x101), NULL), "applied");
    ck_assert_str_eq(sl_json_str(frame_at(s.w, s.coach.conn, "revoked", 0), "space"), s.video);
    const sl_json *change = frame_at(s.w, s.coach.conn, "change", 0); /* and what was told of it */
    const sl_json *gone = sl_json_at(sl_json_get(change, "records"), 0);
    ck_assert_str_eq(sl_json_str(gone, "entity"), "grant");
    ck_assert(sl_json_bool_or(gone, "deleted", false));
    must(op(s.w, &s.athlete, "create", "comment", s.video, id_of(2), "{\"body\":\"secret\"}"),
         "applied");
    ck_assert_uint_eq(frame_count(s.w, s.coach.conn, "change"), 1);
    must_reject(op(s.w, &s.coach, "create", "comment", s.video, id_of(3), "{\"body\":\"x\"}"),
                "SL_E_DENIED");
    subscribe(s.w, &s.coach, s.video, 0, "");
    ck_assert_uint_eq(frame_count(s.w, s.coach.conn, "revoked"), 2);
    share_with(s.w, &s.athlete, &s.coach, s.video, "member", 0x103);
    subscribe(s.w, &s.coach, s.video, 0, "");
    ck_assert_uint_eq(frame_count(s.w, s.coach.conn, "subscribed"), 1);
    world_free(s.w);
}
END_TEST

START_TEST(video__its_end_takes_it_from_everyone)
{
    scene s;
    set(&s);
    frames_clear(s.w);
    subscribe(s.w, &s.coach, s.video, 0, "");
    must(op(s.w, &s.athlete, "delete", "video", s.video, s.video + 6, NULL), "applied");
    ck_assert_ptr_nonnull(frame_at(s.w, s.coach.conn, "revoked", 0));
    must_reject(op(s.w, &s.athlete, "create", "comment", s.video, id_of(3), "{\"body\":\"x\"}"),
                "SL_E_NOT_FOUND");
    must(op(s.w, &s.athlete, "delete", "video", s.video, s.video + 6, NULL), "merged");
    world_free(s.w);
}
END_TEST

START_TEST(chat__a_message_gets_author_and_time_and_its_text_is_required)
{
    scene s;
    set(&s);
    frames_clear(s.w);
    subscribe(s.w, &s.athlete, s.thread, 0, "");
    must(op(s.w, &s.coach, "create", "message", s.thread, id_of(1),
            "{\"kind\":\"text\",\"body\":\"good\"}"),
         "applied");
    const sl_json *record = sl_json_get(frame_at(s.w, s.athlete.conn, "change", 0), "record");
    const sl_json *fields = sl_json_get(record, "fields");
    ck_assert_str_eq(sl_json_str(fields, "author_id"), s.coach.id);
    ck_assert_int_eq(sl_json_int_or(fields, "sent_ms", 0), s.w->now_ms);
    must_reject(op(s.w, &s.coach, "create", "message", s.thread, id_of(2), "{\"kind\":\"text\"}"),
                "SL_E_INVALID");
    must_reject(op(s.w, &s.stranger, "create", "message", s.thread, id_of(2),
                   "{\"kind\":\"text\",\"body\":\"x\"}"),
                "SL_E_DENIED");
    must_reject(op(s.w, &s.athlete, "patch", "message", s.thread, id_of(1), "{\"body\":\"bad\"}"),
                "SL_E_DENIED");
    char about[200];
    (void)snprintf(about, sizeof about,
                   "{\"kind\":\"video\",\"ref_space\":\"%s\",\"ref_id\":\"%s\"}", s.video,
                   s.video + 6);
    must(op(s.w, &s.coach, "create", "message", s.thread, id_of(3), about), "applied");
    must(op(s.w, &s.athlete, "delete", "share", s.video, id_of(0x101), NULL), "applied");
    must_reject(op(s.w, &s.coach, "create", "message", s.thread, id_of(4), about), "SL_E_DENIED");
    world_free(s.w);
}
END_TEST

START_TEST(chat__marks_only_rise_and_are_ones_own)
{
    scene s;
    set(&s);
    frames_clear(s.w);
    subscribe(s.w, &s.coach, s.thread, 0, "");
    const sl_json *records = sl_json_get(frame_at(s.w, s.coach.conn, "page", 0), "records");
    char mine[SL_UUID_LEN + 1] = "";
    char theirs[SL_UUID_LEN + 1] = "";
    for (size_t i = 0; i < sl_json_count(records); i++) {
        const sl_json *r = sl_json_at(records, i);
        const char *user = sl_json_str(sl_json_get(r, "fields"), "user_id");
        if (user != NULL) {
            char *to = strcmp(user, s.coach.id) == 0 ? mine : theirs;
            (void)snprintf(to, sizeof mine, "%s", sl_json_str(r, "id"));
        }
    }
    must(op(s.w, &s.coach, "patch", "participant", s.thread, mine, "{\"read\":2}"), "applied");
    must(op(s.w, &s.coach, "patch", "participant", s.thread, mine, "{\"read\":1}"), "merged");
    must(op(s.w, &s.coach, "patch", "participant", s.thread, mine, "{\"read\":3,\"delivered\":0}"),
         "merged");
    const sl_json *record = sl_json_get(frame_at(s.w, s.coach.conn, "change", 1), "record");
    ck_assert_int_eq(sl_json_int_or(sl_json_get(record, "fields"), "read", 0), 3);
    must_reject(op(s.w, &s.coach, "patch", "participant", s.thread, theirs, "{\"read\":2}"),
                "SL_E_DENIED");
    must_reject(op(s.w, &s.coach, "patch", "participant", s.thread, mine, "{\"read\":99}"),
                "SL_E_INVALID");
    world_free(s.w);
}
END_TEST

START_TEST(state__survives_a_restart_of_the_server)
{
    char path[] = "service_test.db";
    (void)remove(path);
    world *w = world_new_at(path);
    person p;
    char space[SL_SPACE_MAX];
    person_make(w, &p, "a@x.y", "athlete", 1);
    video_make(w, &p, space, 0x100, "clip");
    world_reopen(w);
    person_connect(w, &p);
    frames_clear(w);
    p.n--;
    video_make(w, &p, space, 0x100, "clip"); /* the same number: answered from the receipts */
    subscribe(w, &p, space, 0, "");
    ck_assert_int_eq(sl_json_int_or(frame_at(w, p.conn, "subscribed", 0), "seq", 0), 1);
    world_free(w);
    (void)remove(path);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        policy__creating_patching_and_deleting_go_by_role_and_author,
        policy__a_member_may_comment_but_not_draw,
        policy__what_the_server_writes_a_client_cannot,
        rejection__names_the_field,
        once__the_same_number_has_one_effect_and_one_answer,
        once__the_answer_outlives_the_connection_until_the_floor_passes_it,
        once__another_operation_under_a_used_number_is_refused_and_changes_nothing,
        policy__an_id_of_another_space_cannot_be_used_again,
        sequence__rejected_operations_leave_no_hole,
        merge__an_older_stamp_loses_and_is_told_as_merged,
        clock__a_stamp_far_ahead_is_cut_to_the_limit,
        connection__needs_the_one_asked_to_answer,
        connection__declined_makes_no_thread_and_may_be_asked_again,
        share__is_for_the_owner_and_for_the_connected,
        share__its_end_takes_the_space_away_at_once,
        video__its_end_takes_it_from_everyone,
        chat__a_message_gets_author_and_time_and_its_text_is_required,
        chat__marks_only_rise_and_are_ones_own,
        state__survives_a_restart_of_the_server,
    };
    world_start();
    int status = sl_test_run(sl_test_suite("op", tests, sizeof tests / sizeof tests[0]));
    world_end();
    return status;
}
