#include "base/mem.h"
#include "support.h"
#include "unit/service/world.h"

#include <stdio.h>
#include <string.h>

static const char LOGIN[] = "/api/v1/auth/login";
static const char SIGNUP[] = "/api/v1/auth/signup";
static const char REFRESH[] = "/api/v1/auth/refresh";

static answer login(world *w, const char *email, const char *password)
{
    char json[300];
    (void)snprintf(json, sizeof json,
                   "{\"email\":\"%s\",\"password\":\"%s\","
                   "\"device\":\"018b0000-0000-7000-8000-000000000001\"}",
                   email, password);
    return post(w, LOGIN, json);
}

/* Every answer has an id of its own. */
static void cut_request_id(answer *a)
{
    char *at = strstr(a->headers, "X-Request-Id: ");
    ck_assert_ptr_nonnull(at);
    at[strlen("X-Request-Id: ")] = 0;
}

static int32_t signup_with(world *w, const char *password, const char *email, const char *role)
{
    char json[800];
    (void)snprintf(json, sizeof json,
                   "{\"email\":\"%s\",\"password\":\"%s\",\"name\":\"N\",\"role\":\"%s\","
                   "\"birth_date\":\"1990-01-31\","
                   "\"device\":\"018b0000-0000-7000-8000-000000000001\"}",
                   email, password, role);
    answer a = post(w, SIGNUP, json);
    int32_t status = a.status;
    answer_free(&a);
    return status;
}

/* Letters without a rule that is looked for. */
static void fill(char *password, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        password[i] = (char)('a' + i * 11 % 26);
    }
}

static answer refresh(world *w, const char *token, const char *device)
{
    char json[300];
    (void)snprintf(json, sizeof json, "{\"refresh_token\":\"%s\",\"device\":\"%s\"}", token,
                   device);
    return post(w, REFRESH, json);
}

START_TEST(signup__gives_a_session_and_a_user_record)
{
    world *w = world_new();
    person p;
    person_make(w, &p, "Ann@Example.org", "athlete", 1);
    ck_assert_ptr_nonnull(frame_at(w, p.conn, "connected", 0));
    subscribe(w, &p, p.own, 0, "");
    const sl_json *page = frame_at(w, p.conn, "page", 0);
    const sl_json *record = sl_json_at(sl_json_get(page, "records"), 0);
    ck_assert_str_eq(sl_json_str(record, "entity"), "user");
    ck_assert_str_eq(sl_json_str(sl_json_get(record, "fields"), "email"), "ann@example.org");
    world_free(w);
}
END_TEST

START_TEST(signup__refuses_a_second_account_for_an_address_in_any_case)
{
    world *w = world_new();
    ck_assert_int_eq(signup_with(w, "long enough", "a@b.c", "coach"), 201);
    answer a = post(w, SIGNUP,
                    "{\"email\":\"A@B.c\",\"password\":\"long enough\",\"name\":\"N\","
                    "\"role\":\"coach\",\"birth_date\":\"1990-01-31\","
                    "\"device\":\"018b0000-0000-7000-8000-000000000001\"}");
    char *text = sl_json_print(a.body);
    ck_assert_int_eq(a.status, 422);
    ck_assert_str_eq(text, "{\"error\":\"validation_failed\",\"fields\":{\"email\":"
                           "\"this e-mail address has an account\"}}");
    sl_mem_free(text);
    answer_free(&a);
    world_free(w);
}
END_TEST

START_TEST(signup__names_the_field_at_fault)
{
    world *w = world_new();
    char long_enough[202];
    fill(long_enough, 201);
    long_enough[201] = 0;
    ck_assert_int_eq(signup_with(w, long_enough, "a@b.c", "coach"), 422);
    long_enough[200] = 0;
    ck_assert_int_eq(signup_with(w, long_enough, "a@b.c", "coach"), 201);
    ck_assert_int_eq(signup_with(w, "nine char", "b@b.c", "coach"), 422);
    ck_assert_int_eq(signup_with(w, "ten  chars", "b@b.c", "coach"), 201);
    ck_assert_int_eq(signup_with(w, "long enough", "no address", "coach"), 422);
    ck_assert_int_eq(signup_with(w, "long enough", "c@b.c", "admin"), 422);
    answer a = post(w, SIGNUP, "{\"email\":\"x@y.z\",\"password\":\"short\"}");
    ck_assert_int_eq(a.status, 422);
    ck_assert_str_eq(sl_json_str(a.body, "error"), "validation_failed");
    ck_assert_ptr_nonnull(sl_json_str(sl_json_get(a.body, "fields"), "password"));
    answer_free(&a);
    a = post(w, SIGNUP, "[1,2");
    ck_assert_int_eq(a.status, 400);
    answer_free(&a);
    world_free(w);
}
END_TEST

START_TEST(login__answers_the_same_and_works_as_hard_for_unknown_and_wrong)
{
    world *w = world_new();
    ck_assert_int_eq(signup_with(w, "long enough", "a@b.c", "coach"), 201);
    size_t before = w->hashes;
    answer wrong = login(w, "a@b.c", "not this one");
    ck_assert_uint_eq(w->hashes, before + 1);
    answer unknown = login(w, "nobody@b.c", "not this one");
    ck_assert_uint_eq(w->hashes, before + 2);
    ck_assert_int_eq(wrong.status, 401);
    ck_assert_int_eq(unknown.status, 401);
    ck_assert(sl_json_equal(wrong.body, unknown.body));
    cut_request_id(&wrong);
    cut_request_id(&unknown);
    ck_assert_str_eq(wrong.headers, unknown.headers);
    ck_assert_str_eq(sl_json_str(wrong.body, "error"), "unauthorized");
    answer right = login(w, "A@b.C", "long enough");
    ck_assert_int_eq(right.status, 200);
    ck_assert_ptr_nonnull(sl_json_str(right.body, "access_token"));
    ck_assert_int_eq(sl_json_int_or(right.body, "expires_in", 0), 3600);
    answer_free(&wrong);
    answer_free(&unknown);
    answer_free(&right);
    world_free(w);
}
END_TEST

static int32_t logging_in(world *w, const char *email, const char *password)
{
    answer a = login(w, email, password);
    int32_t status = a.status;
    answer_free(&a);
    return status;
}

/* Tries as often as it may until the time; how often that was. */
static int guess(world *w, const char *email, int64_t until_ms)
{
    int tries = 0;
    while (w->now_ms < until_ms) {
        answer a = login(w, email, "not this one");
        ck_assert(a.status == 401 || a.status == 429);
        tries += a.status == 401 ? 1 : 0;
        w->now_ms += a.status == 401 ? 1 : 1000 * sl_json_int_or(a.body, "retry_after", 1);
        answer_free(&a);
    }
    return tries;
}

START_TEST(login__who_guesses_in_a_row_waits_longer_each_time)
{
    world *w = world_new();
    ck_assert_int_eq(signup_with(w, "long enough", "a@b.c", "athlete"), 201);
    ck_assert_int_eq(signup_with(w, "long enough", "b@b.c", "athlete"), 201);
    int64_t start = w->now_ms;
    int hour = guess(w, "a@b.c", start + 3600000);
    ck_assert_int_le(hour, 35);
    int day = hour + guess(w, "a@b.c", start + 86400000);
    ck_assert_int_ge(day, 100);
    ck_assert_int_le(day, 155);
    while (logging_in(w, "a@b.c", "not this one") == 401) {
    }
    ck_assert_int_eq(logging_in(w, "a@b.c", "long enough"),
                     429); /* the right one has to wait too */
    ck_assert_int_eq(logging_in(w, "b@b.c", "long enough"), 200); /* and nobody else */
    w->now_ms += 3600000;
    ck_assert_int_eq(logging_in(w, "a@b.c", "long enough"), 200);
    for (int i = 0; i < 6; i++) { /* from the beginning */
        ck_assert_int_eq(logging_in(w, "a@b.c", "not this one"), i < 5 ? 401 : 429);
    }
    w->now_ms += 60000;
    ck_assert_int_eq(logging_in(w, "a@b.c", "long enough"), 200);
    world_free(w);
}
END_TEST

START_TEST(erase__guessing_the_password_there_counts_too)
{
    world *w = world_new();
    person p;
    static const char wrong[] = "{\"password\":\"not this one\"}";
    static const char right[] = "{\"password\":\"long enough\"}";
    person_make(w, &p, "a@b.c", "athlete", 1);
    for (int i = 0; i < 6; i++) {
        answer a = signed_request(w, &p, "POST", "/api/v1/account/erase", "", wrong, strlen(wrong));
        ck_assert_int_eq(a.status, i < 5 ? 422 : 429);
        answer_free(&a);
    }
    ck_assert_int_eq(logging_in(w, "a@b.c", "long enough"), 429);
    answer a = signed_request(w, &p, "POST", "/api/v1/account/erase", "", right, strlen(right));
    ck_assert_int_eq(a.status, 429);
    answer_free(&a);
    w->now_ms += 60000;
    a = signed_request(w, &p, "POST", "/api/v1/account/erase", "", right, strlen(right));
    ck_assert_int_eq(a.status, 204);
    answer_free(&a);
    ck_assert_uint_eq(
        world_rows(w, NULL, "SELECT email FROM login_try WHERE $1=$1 AND $2=$2", "", ""), 0);
    world_free(w);
}
END_TEST

START_TEST(login__an_old_hash_is_made_anew_by_its_password_alone)
{
    static const char sql[] = "SELECT hash FROM account WHERE email=$1 AND $2=$2";
    world *w = world_new();
    char before[512];
    char now[512];
    ck_assert_int_eq(signup_with(w, "long enough", "a@b.c", "coach"), 201);
    (void)world_rows(w, before, sql, "a@b.c", "");
    w->cost = 'x';
    ck_assert_int_eq(logging_in(w, "a@b.c", "not this one"), 401);
    (void)world_rows(w, now, sql, "a@b.c", "");
    ck_assert_str_eq(now, before);
    ck_assert_int_eq(logging_in(w, "a@b.c", "long enough"), 200);
    (void)world_rows(w, now, sql, "a@b.c", "");
    ck_assert_int_eq(now[0], 'x');
    ck_assert_str_eq(now + 1, before);
    size_t hashes = w->hashes;
    ck_assert_int_eq(logging_in(w, "a@b.c", "long enough"), 200);
    ck_assert_uint_eq(w->hashes, hashes + 1); /* looked at, and good as it is */
    world_free(w);
}
END_TEST

START_TEST(login__passwords_that_differ_after_72_bytes_are_different)
{
    world *w = world_new();
    char a[100];
    char b[100];
    fill(a, 99);
    a[99] = 0;
    memcpy(b, a, sizeof b);
    b[90] = '-';
    ck_assert_int_eq(signup_with(w, a, "a@b.c", "coach"), 201);
    answer wrong = login(w, "a@b.c", b);
    answer right = login(w, "a@b.c", a);
    ck_assert_int_eq(wrong.status, 401);
    ck_assert_int_eq(right.status, 200);
    answer_free(&wrong);
    answer_free(&right);
    world_free(w);
}
END_TEST

START_TEST(login__the_sixth_try_within_a_minute_must_wait)
{
    world *w = world_new();
    ck_assert_int_eq(signup_with(w, "long enough", "a@b.c", "coach"), 201);
    for (int i = 0; i < 5; i++) {
        answer a = login(w, "a@b.c", "wrong wrong");
        ck_assert_int_eq(a.status, 401);
        answer_free(&a);
    }
    answer a = login(w, "a@b.c", "long enough");
    ck_assert_int_eq(a.status, 429);
    ck_assert_int_eq(sl_json_int_or(a.body, "retry_after", 0), 60);
    answer_free(&a);
    a = login(w, "other@b.c", "wrong wrong");
    ck_assert_int_eq(a.status, 401);
    answer_free(&a);
    w->now_ms += 59999;
    a = login(w, "a@b.c", "long enough");
    ck_assert_int_eq(a.status, 429);
    answer_free(&a);
    w->now_ms += 1;
    a = login(w, "a@b.c", "long enough");
    ck_assert_int_eq(a.status, 200);
    answer_free(&a);
    world_free(w);
}
END_TEST

START_TEST(refresh__rotates_and_a_replay_ends_the_session)
{
    world *w = world_new();
    person p;
    person_make(w, &p, "a@b.c", "athlete", 1);
    answer first = refresh(w, p.refresh, p.device);
    ck_assert_int_eq(first.status, 200);
    const char *next = sl_json_str(first.body, "refresh_token");
    ck_assert_str_ne(next, p.refresh);
    answer second = refresh(w, next, p.device);
    ck_assert_int_eq(second.status, 200);
    answer_free(&second);
    answer replay = refresh(w, p.refresh, p.device);
    ck_assert_int_eq(replay.status, 401);
    ck_assert_int_eq(closed_with(w, p.conn), 4401);
    answer late = refresh(w, next, p.device);
    ck_assert_int_eq(late.status, 401);
    answer a = signed_request(w, &p, "GET", "/api/v1/blobs/00", "", NULL, 0);
    ck_assert_int_eq(a.status, 401);
    answer_free(&a);
    answer_free(&first);
    answer_free(&replay);
    answer_free(&late);
    world_free(w);
}
END_TEST

START_TEST(refresh__survives_a_lost_answer_and_the_lost_token_is_void)
{
    world *w = world_new();
    person p;
    person_make(w, &p, "a@b.c", "athlete", 1);
    answer lost = refresh(w, p.refresh, p.device);
    ck_assert_int_eq(lost.status, 200);
    answer again = refresh(w, p.refresh, p.device);
    ck_assert_int_eq(again.status, 200);
    answer used = refresh(w, sl_json_str(again.body, "refresh_token"), p.device);
    ck_assert_int_eq(used.status, 200);
    answer thief = refresh(w, sl_json_str(lost.body, "refresh_token"), p.device);
    ck_assert_int_eq(thief.status, 401);
    answer after = refresh(w, sl_json_str(used.body, "refresh_token"), p.device);
    ck_assert_msg(after.status == 401, "showing the void token ended the session");
    answer_free(&lost);
    answer_free(&again);
    answer_free(&used);
    answer_free(&thief);
    answer_free(&after);
    world_free(w);
}
END_TEST

START_TEST(refresh__is_for_its_device_and_for_thirty_days)
{
    world *w = world_new();
    person p;
    person_make(w, &p, "a@b.c", "athlete", 1);
    answer other = refresh(w, p.refresh, "018b0000-0000-7000-8000-00000000ffff");
    ck_assert_int_eq(other.status, 401);
    w->now_ms += INT64_C(30) * 86400 * 1000 - 1;
    answer in_time = refresh(w, p.refresh, p.device);
    ck_assert_int_eq(in_time.status, 200);
    w->now_ms += INT64_C(30) * 86400 * 1000;
    answer late = refresh(w, sl_json_str(in_time.body, "refresh_token"), p.device);
    ck_assert_int_eq(late.status, 401);
    answer_free(&other);
    answer_free(&in_time);
    answer_free(&late);
    world_free(w);
}
END_TEST

START_TEST(token__ends_after_an_hour_and_closes_the_connection)
{
    world *w = world_new();
    person p;
    person_make(w, &p, "a@b.c", "athlete", 1);
    w->now_ms += 3599 * 1000;
    answer a = signed_request(w, &p, "GET", "/api/v1/blobs/00", "", NULL, 0);
    ck_assert_int_eq(a.status, 404);
    answer_free(&a);
    subscribe(w, &p, p.own, 0, "");
    ck_assert_int_eq(closed_with(w, p.conn), 0);
    w->now_ms += 1000;
    a = signed_request(w, &p, "GET", "/api/v1/blobs/00", "", NULL, 0);
    ck_assert_int_eq(a.status, 401);
    ck_assert_str_eq(sl_json_str(a.body, "error"), "unauthorized");
    answer_free(&a);
    subscribe(w, &p, p.own, 0, "");
    ck_assert_int_eq(closed_with(w, p.conn), 4401);
    world_free(w);
}
END_TEST

START_TEST(token__one_changed_character_is_refused)
{
    world *w = world_new();
    person p;
    person_make(w, &p, "a@b.c", "athlete", 1);
    size_t n = strlen(p.access);
    for (size_t i = 0; i + 1 < n; i += 37) {
        char was = p.access[i];
        p.access[i] = was == 'A' ? 'B' : 'A';
        answer a = signed_request(w, &p, "GET", "/api/v1/blobs/00", "", NULL, 0);
        ck_assert_int_eq(a.status, 401);
        answer_free(&a);
        p.access[i] = was;
    }
    world_free(w);
}
END_TEST

START_TEST(connection__first_frame_device_and_replacement)
{
    world *w = world_new();
    person p;
    person_make(w, &p, "a@b.c", "athlete", 1);
    sl_id first = p.conn;
    person_connect(w, &p);
    ck_assert_int_eq(closed_with(w, first), 4409);
    ck_assert_int_eq(closed_with(w, p.conn), 0);
    sl_service_ws_open(w->s, 77, false);
    sl_service_ws_message(w->s, 77, "{\"t\":\"more\",\"bytes\":1}", 22);
    ck_assert_int_eq(closed_with(w, 77), 4401);
    person stolen = p;
    uuid_of(stolen.device, 99);
    stolen.conn = 0;
    w->conn_next = 100;
    person_connect(w, &stolen);
    ck_assert_int_eq(closed_with(w, stolen.conn), 4401);
    w->conn_next = 200;
    sl_service_ws_open(w->s, 150, false);
    w->now_ms += 10001;
    sl_service_ws_open(w->s, 151, false);
    ck_assert_int_eq(closed_with(w, 150), 4401);
    ck_assert_int_eq(closed_with(w, 151), 0);
    world_free(w);
}
END_TEST

START_TEST(keys__are_published_and_health_is_told)
{
    world *w = world_new();
    answer a = request(w, "GET", "/.well-known/jwks.json", "", NULL, 0);
    ck_assert_int_eq(a.status, 200);
    const sl_json *key = sl_json_at(sl_json_get(a.body, "keys"), 0);
    ck_assert_str_eq(sl_json_str(key, "kty"), "RSA");
    ck_assert_ptr_null(sl_json_get(key, "d"));
    answer_free(&a);
    a = request(w, "GET", "/api/v1/health", "", NULL, 0);
    ck_assert_int_eq(a.status, 200);
    ck_assert(sl_json_bool_or(a.body, "ok", false));
    answer_free(&a);
    a = request(w, "POST", "/api/v1/health", "", NULL, 0);
    ck_assert_int_eq(a.status, 405);
    answer_free(&a);
    a = request(w, "GET", "/nowhere", "", NULL, 0);
    ck_assert_int_eq(a.status, 404);
    answer_free(&a);
    world_free(w);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        signup__gives_a_session_and_a_user_record,
        signup__refuses_a_second_account_for_an_address_in_any_case,
        signup__names_the_field_at_fault,
        login__answers_the_same_and_works_as_hard_for_unknown_and_wrong,
        login__passwords_that_differ_after_72_bytes_are_different,
        login__who_guesses_in_a_row_waits_longer_each_time,
        erase__guessing_the_password_there_counts_too,
        login__an_old_hash_is_made_anew_by_its_password_alone,
        login__the_sixth_try_within_a_minute_must_wait,
        refresh__rotates_and_a_replay_ends_the_session,
        refresh__survives_a_lost_answer_and_the_lost_token_is_void,
        refresh__is_for_its_device_and_for_thirty_days,
        token__ends_after_an_hour_and_closes_the_connection,
        token__one_changed_character_is_refused,
        connection__first_frame_device_and_replacement,
        keys__are_published_and_health_is_told,
    };
    world_start();
    int status = sl_test_run(sl_test_suite("account", tests, sizeof tests / sizeof tests[0]));
    world_end();
    return status;
}
