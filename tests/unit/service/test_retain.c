/* What was deleted long ago: it goes, and whoever has not heard of it reads anew. */
#include "support.h"
#include "sync/sum.h"
#include "unit/service/world.h"

#include <stdio.h>
#include <string.h>

static const int64_t DAY_MS = INT64_C(86400) * 1000;

typedef struct scene {
    world *w;
    person p;
    char space[SL_SPACE_MAX];
    char epoch[64]; /* as it was told when the video was all there was */
} scene;

static void comment(scene *s, uint32_t number)
{
    must(op(s->w, &s->p, "create", "comment", s->space, id_of(number), "{\"body\":\"text\"}"),
         "applied");
}

static void remove_one(scene *s, uint32_t number)
{
    must(op(s->w, &s->p, "delete", "comment", s->space, id_of(number), NULL), "applied");
}

static const sl_json *head(scene *s, int64_t from, const char *epoch)
{
    frames_clear(s->w);
    subscribe(s->w, &s->p, s->space, from, epoch);
    return frame_at(s->w, s->p.conn, "subscribed", 0);
}

static scene scene_new(void)
{
    scene s = {.w = world_new()};
    person_make(s.w, &s.p, "a@x.y", "athlete", 1);
    video_make(s.w, &s.p, s.space, 1, "clip");
    (void)snprintf(s.epoch, sizeof s.epoch, "%s", sl_json_str(head(&s, 0, ""), "epoch"));
    return s;
}

/* Tokens do not live so long: the person signs in anew. */
static void later(scene *s, int64_t ms)
{
    char body[256];
    s->w->now_ms += ms;
    (void)snprintf(body, sizeof body,
                   "{\"email\":\"%s\",\"password\":\"long enough\",\"device\":\"%s\"}", s->p.email,
                   s->p.device);
    answer a = post(s->w, "/api/v1/auth/login", body);
    ck_assert_int_eq(a.status, 200);
    (void)snprintf(s->p.access, sizeof s->p.access, "%s", sl_json_str(a.body, "access_token"));
    answer_free(&a);
    person_connect(s->w, &s->p);
}

static void retain(scene *s)
{
    ck_assert_int_eq(sl_service_retain(s->w->s, s->w->now_ms + 1, 1000, NULL), SL_OK);
}

static size_t stored(const scene *s, uint32_t number)
{
    const char *id = id_of(number);
    return world_rows(s->w, NULL, "SELECT 1 FROM \"comment\" WHERE id=$1 OR id=$2", id, id) +
           world_rows(s->w, NULL, "SELECT 1 FROM feed WHERE id=$1 OR id=$2", id, id);
}

START_TEST(retain__what_was_deleted_is_known_for_90_days) /* and no longer */
{
    scene s = scene_new();
    comment(&s, 2);
    comment(&s, 3);
    remove_one(&s, 2);
    later(&s, 90 * DAY_MS);
    ck_assert_uint_eq(stored(&s, 2), 2);
    later(&s, DAY_MS);
    ck_assert_uint_eq(stored(&s, 2), 0);
    ck_assert_uint_eq(stored(&s, 3), 2);
    world_free(s.w);
}
END_TEST

START_TEST(retain__a_cursor_below_begins_anew_and_one_at_it_goes_on) /* [RETAIN-1] */
{
    scene s = scene_new();
    comment(&s, 2);    /* 2 */
    comment(&s, 3);    /* 3 */
    remove_one(&s, 2); /* 4 */
    comment(&s, 4);    /* 5 */
    retain(&s);
    ck_assert_ptr_null(head(&s, 3, s.epoch));
    ck_assert_uint_eq(frame_count(s.w, s.p.conn, "reset"), 1);
    ck_assert_ptr_nonnull(head(&s, 4, s.epoch));
    ck_assert_uint_eq(frame_count(s.w, s.p.conn, "page"), 1);
    ck_assert_ptr_nonnull(head(&s, 5, s.epoch));
    /* It may hold something, since it names an epoch. */
    ck_assert_ptr_null(head(&s, 0, s.epoch));
    ck_assert_uint_eq(frame_count(s.w, s.p.conn, "reset"), 1);
    ck_assert_ptr_nonnull(head(&s, 0, ""));
    const sl_json *page = frame_at(s.w, s.p.conn, "page", 0);
    ck_assert_uint_eq(sl_json_count(sl_json_get(page, "records")), 3);
    world_free(s.w);
}
END_TEST

START_TEST(retain__pulling_by_requests_is_told_the_same)
{
    scene s = scene_new();
    char body[256];
    static const int64_t from[] = {3, 4};
    comment(&s, 2);
    comment(&s, 3);
    remove_one(&s, 2);
    retain(&s);
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(body, sizeof body, "{\"space\":\"%s\",\"from\":%d,\"epoch\":\"%s\"}",
                       s.space, (int)from[i], s.epoch);
        answer a = signed_request(s.w, &s.p, "POST", "/api/v1/sync/pull",
                                  "content-type: application/json\n", body, strlen(body));
        ck_assert_int_eq(a.status, i == 0 ? 409 : 200);
        answer_free(&a);
    }
    world_free(s.w);
}
END_TEST

START_TEST(retain__the_sum_of_a_space_is_the_same_before_and_after) /* [RETAIN-2] */
{
    scene s = scene_new();
    char before[17];
    comment(&s, 2);
    comment(&s, 3);
    remove_one(&s, 2);
    (void)snprintf(before, sizeof before, "%s", sl_json_str(head(&s, 4, s.epoch), "sum"));
    retain(&s);
    ck_assert_str_eq(sl_json_str(head(&s, 4, s.epoch), "sum"), before);
    /* Added up from the feed, as for a space of which none is known. */
    (void)world_rows(s.w, NULL, "UPDATE space SET sum=NULL WHERE space=$1 OR space=$2", s.space,
                     s.space);
    comment(&s, 4);
    uint64_t sum =
        sl_sum_of(sl_space_id(s.space), 1) + sl_sum_of(id_of(3), 3) + sl_sum_of(id_of(4), 5);
    (void)snprintf(before, sizeof before, "%016llx", (unsigned long long)sum);
    ck_assert_str_eq(sl_json_str(head(&s, 5, s.epoch), "sum"), before);
    world_free(s.w);
}
END_TEST

START_TEST(retain__a_first_read_that_was_broken_off_goes_on_though_it_is_below)
{
    scene s = scene_new();
    char told[64];
    comment(&s, 2);
    comment(&s, 3);
    comment(&s, 4);
    remove_one(&s, 2); /* 5, before the read begins */
    (void)snprintf(told, sizeof told, "%s", sl_json_str(head(&s, 0, ""), "epoch"));
    retain(&s);
    ck_assert_ptr_nonnull(head(&s, 1, told));
    ck_assert_str_eq(sl_json_str(frame_at(s.w, s.p.conn, "page", 0), "epoch"), told);
    ck_assert_ptr_nonnull(head(&s, 0, told));
    remove_one(&s, 3); /* 6: it may have read that */
    retain(&s);
    ck_assert_ptr_null(head(&s, 5, told));
    ck_assert_ptr_nonnull(head(&s, 6, told));
    world_free(s.w);
}
END_TEST

START_TEST(retain__who_is_reading_meanwhile_begins_anew)
{
    scene s = scene_new();
    static char fields[4000];
    (void)memset(fields, 'x', sizeof fields - 1);
    (void)memcpy(fields, "{\"body\":\"", 9);
    (void)memcpy(fields + sizeof fields - 3, "\"}", 3);
    for (uint32_t i = 0; i < 330; i++) { /* more than is sent without asking */
        must(op(s.w, &s.p, "create", "comment", s.space, id_of(100 + i), fields), "applied");
    }
    frames_clear(s.w);
    subscribe(s.w, &s.p, s.space, 1, s.epoch);
    ck_assert_uint_gt(frame_count(s.w, s.p.conn, "page"), 0);
    remove_one(&s, 100); /* which it has read */
    retain(&s);
    say(s.w, &s.p, "{\"t\":\"more\",\"bytes\":100000000}");
    ck_assert_uint_eq(frame_count(s.w, s.p.conn, "reset"), 1);
    ck_assert_ptr_null(frame_at(s.w, s.p.conn, "subscribed", 0));
    say(s.w, &s.p, "{\"t\":\"more\",\"bytes\":100000000}");
    ck_assert_uint_eq(frame_count(s.w, s.p.conn, "reset"), 1);
    frames_clear(s.w);
    subscribe(s.w, &s.p, s.space, 0, "");
    say(s.w, &s.p, "{\"t\":\"more\",\"bytes\":100000000}");
    ck_assert_ptr_nonnull(frame_at(s.w, s.p.conn, "subscribed", 0));
    world_free(s.w);
}
END_TEST

START_TEST(retain__what_comes_too_late_brings_nothing_back)
{
    scene s = scene_new();
    char again[500];
    comment(&s, 2);
    (void)snprintf(
        again, sizeof again,
        "{\"t\":\"op\",\"n\":%d,\"op\":\"create\",\"entity\":\"comment\",\"space\":\"%s\","
        "\"id\":\"%s\",\"hlc\":\"018bcfe56800000000000001\",\"fields\":{\"body\":\"x\"}}",
        (int)s.p.n + 1, s.space, id_of(3));
    say(s.w, &s.p, again);
    s.p.n++;
    remove_one(&s, 2);
    remove_one(&s, 3);
    retain(&s);
    frames_clear(s.w);
    must_reject(op(s.w, &s.p, "patch", "comment", s.space, id_of(2), "{\"body\":\"late\"}"),
                "SL_E_NOT_FOUND");
    must(op(s.w, &s.p, "delete", "comment", s.space, id_of(2), NULL), "merged");
    /* The creation itself, whose receipt was lost, has its receipt again and no effect. */
    frames_clear(s.w);
    say(s.w, &s.p, again);
    must(frame_at(s.w, s.p.conn, "receipt", 0), "applied");
    ck_assert_uint_eq(stored(&s, 2) + stored(&s, 3), 0);
    world_free(s.w);
}
END_TEST

START_TEST(retain__that_a_space_is_closed_is_never_forgotten) /* [RETAIN-3] */
{
    scene s = scene_new();
    const char *id = sl_space_id(s.space);
    comment(&s, 2);
    must(op(s.w, &s.p, "delete", "video", s.space, id, NULL), "applied");
    later(&s, 1000 * DAY_MS);
    retain(&s);
    ck_assert_uint_eq(world_rows(s.w, NULL,
                                 "SELECT 1 FROM \"video\" WHERE id=$1 AND deleted=1 OR id=$2", id,
                                 "none"),
                      1);
    must_reject(op(s.w, &s.p, "create", "comment", s.space, id_of(3), "{\"body\":\"late\"}"),
                "SL_E_NOT_FOUND");
    world_free(s.w);
}
END_TEST

START_TEST(retain__takes_some_at_a_time_and_goes_on_a_second_later)
{
    enum {
        MANY = 250,
        AT_ONCE = 200
    };
    scene s = scene_new();
    for (uint32_t i = 0; i < MANY; i++) {
        comment(&s, 100 + i);
        remove_one(&s, 100 + i);
    }
    later(&s, 91 * DAY_MS);
    for (size_t left = MANY - AT_ONCE;; left = left > AT_ONCE ? left - AT_ONCE : 0) {
        static const char sql[] = "SELECT 1 FROM \"comment\" WHERE deleted=1 AND id<>$1 AND id<>$2";
        ck_assert_uint_eq(world_rows(s.w, NULL, sql, "", ""), left);
        say(s.w, &s.p, "{\"t\":\"more\",\"bytes\":1}");
        ck_assert_uint_eq(world_rows(s.w, NULL, sql, "", ""), left);
        if (left == 0) {
            break;
        }
        s.w->now_ms += 1000;
        say(s.w, &s.p, "{\"t\":\"more\",\"bytes\":1}");
    }
    world_free(s.w);
}
END_TEST

START_TEST(retain__one_that_fails_changes_nothing_and_is_tried_again)
{
    scene s = scene_new();
    comment(&s, 2);
    comment(&s, 3);
    remove_one(&s, 2);
    for (uint64_t k = 1;; k++) {
        s.w->db_fail_at = k;
        s.w->db_fault = SL_E_FULL;
        sl_status status = sl_service_retain(s.w->s, s.w->now_ms + 1, 1000, NULL);
        s.w->db_fail_at = 0;
        if (status == SL_OK) {
            break;
        }
        ck_assert_int_eq(status, SL_E_FULL);
        ck_assert_uint_eq(stored(&s, 2), 2);
        ck_assert_ptr_nonnull(head(&s, 3, s.epoch));
        ck_assert_uint_lt(k, 100);
    }
    ck_assert_uint_eq(stored(&s, 2), 0);
    ck_assert_ptr_null(head(&s, 3, s.epoch));
    world_free(s.w);
}
END_TEST

START_TEST(retain__a_database_from_before_counts_from_its_first_opening)
{
    static const char path[] = "service_retain.db";
    static const char *const old[] = {
        "DROP INDEX feed_gone", "ALTER TABLE feed DROP COLUMN gone_ms",
        "UPDATE meta SET value='11' WHERE name='steps'", "UPDATE space SET sum=4711"};
    (void)remove(path);
    scene s = {.w = world_new_at(path)};
    char sum[17];
    person_make(s.w, &s.p, "a@x.y", "athlete", 1);
    video_make(s.w, &s.p, s.space, 1, "clip");
    comment(&s, 2);
    remove_one(&s, 2);
    for (size_t i = 0; i < sizeof old / sizeof old[0]; i++) {
        char sql[120];
        (void)snprintf(sql, sizeof sql, "%s", old[i]);
        ck_assert_int_eq(s.w->db.run(s.w->db.user, sql, NULL, 0, NULL, NULL, NULL), SL_OK);
    }
    s.w->now_ms += 200 * DAY_MS;
    world_reopen(s.w);
    later(&s, 89 * DAY_MS);
    ck_assert_uint_eq(stored(&s, 2), 2);
    comment(&s, 3);
    (void)snprintf(
        sum, sizeof sum, "%016llx",
        (unsigned long long)(sl_sum_of(sl_space_id(s.space), 1) + sl_sum_of(id_of(3), 4)));
    ck_assert_str_eq(sl_json_str(head(&s, 0, ""), "sum"), sum);
    later(&s, 2 * DAY_MS);
    ck_assert_uint_eq(stored(&s, 2), 0);
    world_free(s.w);
    (void)remove(path);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        retain__what_was_deleted_is_known_for_90_days,
        retain__a_cursor_below_begins_anew_and_one_at_it_goes_on,
        retain__pulling_by_requests_is_told_the_same,
        retain__the_sum_of_a_space_is_the_same_before_and_after,
        retain__a_first_read_that_was_broken_off_goes_on_though_it_is_below,
        retain__who_is_reading_meanwhile_begins_anew,
        retain__what_comes_too_late_brings_nothing_back,
        retain__that_a_space_is_closed_is_never_forgotten,
        retain__takes_some_at_a_time_and_goes_on_a_second_later,
        retain__one_that_fails_changes_nothing_and_is_tried_again,
        retain__a_database_from_before_counts_from_its_first_opening,
    };
    world_start();
    int status = sl_test_run(sl_test_suite("retain", tests, sizeof tests / sizeof tests[0]));
    world_end();
    return status;
}
