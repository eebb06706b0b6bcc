/* Frames, requests and databases that nobody honest sends. */
#include "support.h"
#include "unit/service/world.h"

#include "base/mem.h"
#include "server/db_sqlite.h"

#include <stdio.h>
#include <string.h>

static int32_t closed_by(world *w, person *p, const char *text, size_t n)
{
    frames_clear(w);
    person_connect(w, p);
    sl_service_ws_message(w->s, p->conn, text, n);
    return closed_with(w, p->conn);
}

START_TEST(frames__that_are_none_close_the_connection)
{
    static const char *const bad[] = {
        "",
        "x",
        "{",
        "[]",
        "null",
        "7",
        "\"t\"",
        "{}",
        "{\"t\":7}",
        "{\"t\":\"dance\"}",
        "{\"t\":\"op\"}",
        "{\"t\":\"op\",\"n\":0}",
        "{\"t\":\"op\",\"n\":-5}",
        "{\"t\":\"op\",\"n\":1.5}",
        "{\"t\":\"op\",\"n\":\"1\"}",
        "{\"t\":\"op\",\"n\":1e300}",
        "{\"t\":\"subscribe\"}",
        "{\"t\":\"typing\"}",
        "{\"t\":\"more\",\"bytes\":-1}",
        "{\"t\":\"push\"}",
        "{\"t\":\"push\",\"ops\":[]}",
        "{\"t\":\"push\",\"ops\":[{\"n\":2},{\"n\":2}]}",
        "{\"t\":\"subscribe\",\"space\":\"user:x\"}",
        "{\"t\":\"connect\"}",
        "{\"t\":\"op\",\"n\":1}{",
    };
    world *w = world_new();
    person p;
    person_make(w, &p, "a@x.y", "athlete", 1);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_msg(closed_by(w, &p, bad[i], strlen(bad[i])) == 4400, "%s", bad[i]);
        ck_assert_ptr_nonnull(frame_at(w, p.conn, "error", 0));
    }
    world_free(w);
}
END_TEST

START_TEST(frames__that_are_too_large_or_too_deep_close_the_connection)
{
    world *w = world_new();
    person p;
    size_t n = 1024 * 1024 + 1;
    char *text = sl_mem(n + 1);
    person_make(w, &p, "a@x.y", "athlete", 1);
    memset(text, ' ', n);
    text[snprintf(text, n, "{\"t\":\"more\",\"bytes\":1}")] = ' ';
    ck_assert_int_eq(closed_by(w, &p, text, n), 4400);
    ck_assert_int_eq(closed_by(w, &p, text, n - 1), 0);
    memset(text, '[', n - 1);
    ck_assert_int_eq(closed_by(w, &p, text, n - 1), 4400);
    sl_mem_free(text);
    world_free(w);
}
END_TEST

START_TEST(operations__that_are_none_are_rejected_and_answered_once)
{
    static const char *const bad[] = {
        "\"op\":\"create\"",
        "\"op\":7,\"entity\":[],\"space\":{},\"id\":null,\"hlc\":0",
        "\"op\":\"create\",\"entity\":\"nothing\",\"space\":\"user:1\",\"id\":\"2\"",
    };
    world *w = world_new();
    person p;
    char text[400];
    person_make(w, &p, "a@x.y", "athlete", 1);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        (void)snprintf(text, sizeof text, "{\"t\":\"op\",\"n\":%zu,%s}", i + 1, bad[i]);
        frames_clear(w);
        say(w, &p, text);
        must_reject(frame_at(w, p.conn, "receipt", 0), "SL_E_INVALID");
        say(w, &p, text);
        ck_assert(
            sl_json_equal(frame_at(w, p.conn, "receipt", 0), frame_at(w, p.conn, "receipt", 1)));
    }
    (void)snprintf(text, sizeof text, "{\"t\":\"op\",\"n\":9007199254740992}");
    say(w, &p, text);
    must_reject(frame_at(w, p.conn, "receipt", 2), "SL_E_INVALID");
    ck_assert_int_eq(closed_with(w, p.conn), 0);
    world_free(w);
}
END_TEST

START_TEST(connections__that_do_not_say_who_they_are_within_five_seconds_end)
{
    world *w = world_new();
    sl_service_ws_open(w->s, 900, false);
    w->now_ms += 5000;
    sl_service_ws_open(w->s, 901, false);
    ck_assert_int_eq(closed_with(w, 900), 0);
    w->now_ms += 1001;
    sl_service_ws_open(w->s, 902, false); /* it is looked for once a second, when something comes */
    ck_assert_int_eq(closed_with(w, 900), 4401);
    ck_assert_int_eq(closed_with(w, 901), 0);
    world_free(w);
}
END_TEST

START_TEST(subscribe__with_numbers_that_are_none_is_reset)
{
    static const char *const bad[] = {"-1", "1e15", "\"1\"", "null", "1.5"};
    world *w = world_new();
    person p;
    char text[200];
    person_make(w, &p, "a@x.y", "athlete", 1);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        (void)snprintf(text, sizeof text,
                       "{\"t\":\"subscribe\",\"space\":\"%s\",\"epoch\":7,\"from\":%s}", p.own,
                       bad[i]);
        frames_clear(w);
        say(w, &p, text);
        ck_assert_msg(frame_at(w, p.conn, "reset", 0) != NULL, "%s", bad[i]);
    }
    world_free(w);
}
END_TEST

START_TEST(news_of_connections__that_are_unknown_is_ignored)
{
    world *w = world_new();
    sl_service_ws_message(w->s, 9, "{}", 2);
    sl_service_ws_closed(w->s, 9);
    sl_service_ws_open(w->s, 9, false);
    sl_service_ws_open(w->s, 9, false);
    sl_service_ws_closed(w->s, 9);
    sl_service_ws_message(w->s, 9, "{}", 2);
    ck_assert_uint_eq(w->frame_count, 0);
    world_free(w);
}
END_TEST

START_TEST(bodies__of_any_shape_are_answered)
{
    static const char *const paths[] = {"/api/v1/auth/signup", "/api/v1/auth/login",
                                        "/api/v1/auth/refresh"};
    static const char *const bodies[] = {
        "",
        "null",
        "{}",
        "{\"email\":7}",
        "{\"email\":\"@\",\"password\":[]}",
        "{\"email\":\"a@b\",\"password\":\"long enough\",\"name\":{},\"device\":1}",
        "{\"refresh_token\":\"x\",\"device\":\"y\"}",
        "\xff\xfe",
        "{\"email\":\"\\u0000\"}",
    };
    world *w = world_new();
    for (size_t i = 0; i < 3; i++) {
        for (size_t k = 0; k < sizeof bodies / sizeof bodies[0]; k++) {
            answer a = post(w, paths[i], bodies[k]);
            ck_assert_msg(a.status == 400 || a.status == 422, "%s %s: %d", paths[i], bodies[k],
                          a.status);
            answer_free(&a);
        }
        answer a = request(w, "POST", paths[i], "", NULL, 0);
        ck_assert_int_eq(a.status, 400);
        answer_free(&a);
        a = request(w, "GET", paths[i], "", NULL, 0);
        ck_assert_int_eq(a.status, 405);
        answer_free(&a);
    }
    size_t n = 64 * 1024 + 1;
    char *big = sl_mem(n);
    memset(big, ' ', n);
    answer a = request(w, "POST", paths[0], "", big, n);
    ck_assert_int_eq(a.status, 413);
    answer_free(&a);
    sl_mem_free(big);
    world_free(w);
}
END_TEST

START_TEST(memory__that_runs_out_anywhere_loses_nothing)
{
    world *w = world_new();
    person p;
    char space[SL_SPACE_MAX];
    char text[400];
    person_make(w, &p, "a@x.y", "athlete", 1);
    video_make(w, &p, space, 1, "clip");
    subscribe(w, &p, space, 0, "");
    for (uint64_t k = 1; k < 400; k++) {
        frames_clear(w);
        (void)snprintf(text, sizeof text,
                       "{\"t\":\"op\",\"n\":%llu,\"op\":\"create\",\"entity\":\"comment\","
                       "\"space\":\"%s\",\"id\":\"018b0000-0000-7000-8000-0001%08llx\","
                       "\"hlc\":\"018bcfe568000000000000%02x\",\"fields\":{\"body\":\"b\"}}",
                       (unsigned long long)k + 10, space, (unsigned long long)k, 1);
        (void)sl_mem_fail_at(k, false);
        say(w, &p, text);
        bool hit = sl_mem_fail_at(0, false) >= k;
        if (closed_with(w, p.conn) != 0) {
            person_connect(w, &p);
        }
        frames_clear(w);
        say(w, &p, text); /* sent again: applied now or before */
        must(frame_at(w, p.conn, "receipt", 0), "applied");
        if (!hit) {
            break;
        }
    }
    subscribe(w, &p, space, 0, "");
    const sl_json *end = frame_at(w, p.conn, "subscribed", 0);
    int64_t seq = sl_json_int_or(end, "seq", 0);
    ck_assert_int_gt(seq, 10);
    ck_assert_uint_eq(sl_json_count(sl_json_get(frame_at(w, p.conn, "page", 0), "records")),
                      (size_t)seq);
    world_free(w);
}
END_TEST

/* One operation per call of the database that fails; each has its effect once. */
static void fail_each_call(sl_status fault)
{
    world *w = world_new();
    person p;
    char space[SL_SPACE_MAX];
    char text[400];
    uint64_t k = 1;
    person_make(w, &p, "a@x.y", "athlete", 1);
    video_make(w, &p, space, 1, "clip");
    subscribe(w, &p, space, 0, "");
    for (; k < 100; k++) {
        frames_clear(w);
        (void)snprintf(text, sizeof text,
                       "{\"t\":\"op\",\"n\":%llu,\"op\":\"create\",\"entity\":\"comment\","
                       "\"space\":\"%s\",\"id\":\"018b0000-0000-7000-8000-0001%08llx\","
                       "\"hlc\":\"018bcfe56800000000000001\",\"fields\":{\"body\":\"b\"}}",
                       (unsigned long long)k + 10, space, (unsigned long long)k);
        w->db_fault = fault;
        w->db_fail_at = k;
        say(w, &p, text);
        bool hit = w->db_fail_at == 0;
        w->db_fail_at = 0;
        if (hit && fault != SL_E_BUSY) {
            ck_assert_int_eq(closed_with(w, p.conn), 1011);
            ck_assert_ptr_null(frame_at(w, p.conn, "receipt", 0));
            ck_assert_ptr_null(frame_at(w, p.conn, "change", 0));
            person_connect(w, &p);
            say(w, &p, text);
        }
        must(frame_at(w, p.conn, "receipt", 0), "applied");
        if (!hit) {
            break;
        }
    }
    ck_assert_uint_gt(k, 8);
    frames_clear(w);
    subscribe(w, &p, space, 0, "");
    ck_assert_int_eq(sl_json_int_or(frame_at(w, p.conn, "subscribed", 0), "seq", 0),
                     (int64_t)k + 1);
    ck_assert_uint_eq(sl_json_count(sl_json_get(frame_at(w, p.conn, "page", 0), "records")),
                      (size_t)k + 1);
    world_free(w);
}

START_TEST(database__that_fails_anywhere_loses_nothing_and_doubles_nothing)
{
    fail_each_call(SL_E_IO);
    fail_each_call(SL_E_FULL);
    fail_each_call(SL_E_BUSY);
}
END_TEST

START_TEST(requests__are_answered_whatever_the_database_and_memory_do)
{
    char json[400];
    char location[128];
    char sha[65];
    world *w = world_new();
    person p;
    char space[SL_SPACE_MAX];
    person_make(w, &p, "a@x.y", "athlete", 1);
    video_make(w, &p, space, 1, "clip");
    sha_of("clip", sha);
    for (uint64_t k = 1; k < 60; k++) {
        (void)snprintf(json, sizeof json,
                       "{\"email\":\"m%llu@x.y\",\"password\":\"long enough\",\"name\":\"M\","
                       "\"role\":\"coach\",\"birth_date\":\"1990-01-31\",\"device\":\"%s\"}",
                       (unsigned long long)k, p.device);
        for (int memory = 0; memory < 2; memory++) {
            w->db_fault = SL_E_IO;
            w->db_fail_at = memory == 0 ? k : 0;
            (void)sl_mem_fail_at(memory != 0 ? k : 0, false);
            answer a = post(w, "/api/v1/auth/signup", json);
            (void)sl_mem_fail_at(0, false);
            ck_assert_msg(a.status == 201 || a.status == 500 || a.status == 422, "%d", a.status);
            answer_free(&a);
            w->db_fail_at = memory == 0 ? k : 0;
            int32_t made = upload_create(w, &p, space, sha, 4, location);
            (void)sl_mem_fail_at(memory != 0 ? k : 0, false);
            int32_t put = made == 201 ? upload_patch(w, &p, location, 0, "clip", 4) : 0;
            (void)sl_mem_fail_at(0, false);
            w->db_fail_at = 0;
            ck_assert_msg(made == 201 || made == 500, "%d", made);
            ck_assert_msg(put == 0 || put == 204 || put == 401 || put == 404 || put == 409 ||
                              put == 500,
                          "%d", put);
        }
    }
    ck_assert_int_eq(upload_create(w, &p, space, sha, 4, location), 201);
    answer a = signed_request(w, &p, "HEAD", location, "tus-resumable: 1.0.0\n", NULL, 0);
    ck_assert_str_eq(answer_header(&a, "Upload-Offset"), "4");
    answer_free(&a);
    world_free(w);
}
END_TEST

START_TEST(database__that_is_none_or_of_a_newer_server_is_refused)
{
    static const char path[] = "service_hostile.db";
    sl_db db;
    sl_error *err = NULL;
    (void)remove(path);
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    for (int i = 0; i < 4096; i++) {
        (void)fputc('x', f);
    }
    (void)fclose(f);
    ck_assert_int_eq(sl_db_sqlite_open(path, NULL, &db, &err), SL_E_CORRUPT);
    ck_assert_ptr_nonnull(err);
    sl_error_release(err);
    err = NULL;
    ck_assert_int_eq(sl_db_sqlite_open("no/such/folder/x.db", NULL, &db, NULL), SL_E_IO);
    (void)remove(path);
    world *w = world_new_at(path);
    sl_service_close(w->s);
    w->s = NULL;
    ck_assert_int_eq(sl_db_sqlite_open(path, NULL, &db, NULL), SL_OK);
    ck_assert_int_eq(db.run(db.user, "UPDATE meta SET value='99' WHERE name='schema'", NULL, 0,
                            NULL, NULL, NULL),
                     SL_OK);
    sl_service_ports ports = {.platform = &w->platform, .db = db, .user = w};
    sl_service_config config = {.dir = "data"};
    sl_service *s = NULL;
    ck_assert_int_eq(sl_service_open(&ports, &config, &s, &err), SL_E_TOO_NEW);
    ck_assert_ptr_null(s);
    sl_error_release(err);
    world_free(w);
    (void)remove(path);
}
END_TEST

START_TEST(database__serves_one_server_at_a_time)
{
    static const char path[] = "service_twice.db";
    sl_db db;
    (void)remove(path);
    world *w = world_new_at(path);
    ck_assert_int_eq(sl_db_sqlite_open(path, NULL, &db, NULL), SL_E_BUSY);
    world_free(w);
    (void)remove(path);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        frames__that_are_none_close_the_connection,
        frames__that_are_too_large_or_too_deep_close_the_connection,
        operations__that_are_none_are_rejected_and_answered_once,
        connections__that_do_not_say_who_they_are_within_five_seconds_end,
        subscribe__with_numbers_that_are_none_is_reset,
        news_of_connections__that_are_unknown_is_ignored,
        bodies__of_any_shape_are_answered,
        memory__that_runs_out_anywhere_loses_nothing,
        database__that_fails_anywhere_loses_nothing_and_doubles_nothing,
        requests__are_answered_whatever_the_database_and_memory_do,
        database__that_is_none_or_of_a_newer_server_is_refused,
        database__serves_one_server_at_a_time,
    };
    world_start();
    int status = sl_test_run(sl_test_suite("hostile", tests, sizeof tests / sizeof tests[0]));
    world_end();
    return status;
}
