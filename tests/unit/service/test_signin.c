/* The account beyond its password: mails, the second factor, devices, age, keys, what ends what. */
#include "base/buf.h"
#include "base/mem.h"
#include "crypto/jwt.h"
#include "crypto/key.h"
#include "support.h"
#include "unit/service/world.h"

#include <stdio.h>
#include <string.h>

static const char DEVICE[] = "018b0000-0000-7000-8000-000000000001";

static answer call(world *w, const person *p, const char *method, const char *path,
                   const char *json)
{
    return signed_request(w, p, method, path, "content-type: application/json\n", json,
                          json != NULL ? strlen(json) : 0);
}

static int32_t status_of(world *w, const person *p, const char *method, const char *path,
                         const char *json)
{
    answer a = call(w, p, method, path, json);
    int32_t status = a.status;
    answer_free(&a);
    return status;
}

/* The token in the last mail: behind the #. */
static void mailed(const world *w, char out[64])
{
    const char *at = strchr(w->mail_text, '#');
    ck_assert_ptr_nonnull(at);
    (void)snprintf(out, 64, "%.*s", (int)strcspn(at + 1, "\n"), at + 1);
    ck_assert_uint_ge(strlen(out), 43); /* 256 bits */
}

static int32_t give(world *w, const char *path, const char *token, const char *more)
{
    char json[300];
    (void)snprintf(json, sizeof json, "{\"token\":\"%s\"%s}", token, more);
    answer a = post(w, path, json);
    int32_t status = a.status;
    answer_free(&a);
    return status;
}

static answer log_in(world *w, const char *email, const char *password, const char *code)
{
    char json[400];
    (void)snprintf(json, sizeof json,
                   "{\"email\":\"%s\",\"password\":\"%s\",\"device\":\"%s\"%s%s%s}", email,
                   password, DEVICE, code != NULL ? ",\"code\":\"" : "", code != NULL ? code : "",
                   code != NULL ? "\"" : "");
    return post(w, "/api/v1/auth/login", json);
}

static void take_tokens(person *p, const answer *a)
{
    (void)snprintf(p->access, sizeof p->access, "%s", sl_json_str(a->body, "access_token"));
    (void)snprintf(p->refresh, sizeof p->refresh, "%s", sl_json_str(a->body, "refresh_token"));
}

/* ---- mails ---- */

START_TEST(verify__a_token_serves_once_and_for_ten_minutes)
{
    world *w = world_new();
    person p;
    char token[64];
    person_make(w, &p, "a@b.c", "athlete", 1);
    ck_assert_str_eq(w->mail_to, "a@b.c");
    mailed(w, token);
    ck_assert_int_eq(give(w, "/api/v1/auth/verify", "x", ""), 422);
    ck_assert_int_eq(give(w, "/api/v1/auth/reset", token, ",\"password\":\"another one\""), 422);
    w->now_ms += 599999;
    ck_assert_int_eq(give(w, "/api/v1/auth/verify", token, ""), 204);
    ck_assert_int_eq(give(w, "/api/v1/auth/verify", token, ""), 422);
    answer a = log_in(w, "a@b.c", "long enough", NULL);
    ck_assert(sl_json_bool_or(sl_json_get(a.body, "user"), "verified", false));
    answer_free(&a);
    ck_assert_int_eq(status_of(w, &p, "POST", "/api/v1/auth/verify/send", NULL), 401);
    world_free(w);
}
END_TEST

START_TEST(verify__a_newer_mail_ends_the_older_one)
{
    world *w = world_new();
    person p;
    char first[64];
    char second[64];
    person_make(w, &p, "a@b.c", "athlete", 1);
    mailed(w, first);
    ck_assert_int_eq(status_of(w, &p, "POST", "/api/v1/auth/verify/send", NULL), 202);
    mailed(w, second);
    ck_assert_int_eq(give(w, "/api/v1/auth/verify", first, ""), 422);
    w->now_ms += 600000;
    ck_assert_int_eq(give(w, "/api/v1/auth/verify", second, ""), 422);
    world_free(w);
}
END_TEST

START_TEST(reset__sets_a_password_ends_all_and_tells_nothing_of_who_is_here)
{
    world *w = world_new();
    person p;
    char token[64];
    person_make(w, &p, "a@b.c", "athlete", 1);
    size_t mails = w->mails;
    answer known = post(w, "/api/v1/auth/reset/send", "{\"email\":\"A@b.c\"}");
    ck_assert_uint_eq(w->mails, mails + 1);
    answer unknown = post(w, "/api/v1/auth/reset/send", "{\"email\":\"nobody@b.c\"}");
    ck_assert_uint_eq(w->mails, mails + 1);
    ck_assert_int_eq(known.status, 202);
    ck_assert_int_eq(unknown.status, 202);
    ck_assert_ptr_null(known.body);
    ck_assert_ptr_null(unknown.body);
    answer_free(&known);
    answer_free(&unknown);
    mailed(w, token);
    ck_assert_int_eq(give(w, "/api/v1/auth/reset", token, ",\"password\":\"short\""), 422);
    ck_assert_int_eq(give(w, "/api/v1/auth/reset", token, ",\"password\":\"another one\""), 204);
    ck_assert_int_eq(closed_with(w, p.conn), 4401);
    ck_assert_int_eq(status_of(w, &p, "GET", "/api/v1/auth/devices", NULL), 401);
    answer a = log_in(w, "a@b.c", "long enough", NULL);
    ck_assert_int_eq(a.status, 401);
    answer_free(&a);
    a = log_in(w, "a@b.c", "another one", NULL);
    ck_assert_int_eq(a.status, 200);
    answer_free(&a);
    ck_assert_int_eq(give(w, "/api/v1/auth/reset", token, ",\"password\":\"a third one\""), 422);
    world_free(w);
}
END_TEST

/* ---- the second factor ---- */

/* Enrols; secret holds 33, code one of the recovery codes. */
static void enrol(world *w, person *p, char secret[40], char code[40])
{
    char json[64];
    answer a = call(w, p, "POST", "/api/v1/auth/totp", NULL);
    ck_assert_int_eq(a.status, 200);
    (void)snprintf(secret, 40, "%s", sl_json_str(a.body, "secret"));
    ck_assert_ptr_nonnull(strstr(sl_json_str(a.body, "uri"), secret));
    answer_free(&a);
    ck_assert_int_eq(status_of(w, p, "POST", "/api/v1/auth/totp/confirm", "{\"code\":\"000000\"}"),
                     422);
    (void)snprintf(json, sizeof json, "{\"code\":\"%s\"}", code_at(secret, w->now_ms));
    a = call(w, p, "POST", "/api/v1/auth/totp/confirm", json);
    ck_assert_int_eq(a.status, 200);
    ck_assert_uint_ge(sl_json_count(sl_json_get(a.body, "recovery_codes")), 20);
    (void)snprintf(code, 40, "%s",
                   sl_json_text(sl_json_at(sl_json_get(a.body, "recovery_codes"), 3)));
    take_tokens(p, &a);
    answer_free(&a);
}

START_TEST(factor__coaches_can_do_nothing_but_sign_in_without_it)
{
    world *w = world_new();
    w->require_factor = true;
    world_reopen(w);
    person coach;
    person athlete;
    char secret[40];
    char code[40];
    person_make(w, &athlete, "a@b.c", "athlete", 2);
    ck_assert_int_eq(closed_with(w, athlete.conn), 0);
    person_make(w, &coach, "c@b.c", "coach", 1);
    ck_assert_int_eq(closed_with(w, coach.conn), 4403);
    answer a = call(w, &coach, "GET", "/api/v1/blobs/00", NULL);
    ck_assert_int_eq(a.status, 403);
    ck_assert_str_eq(sl_json_str(a.body, "error"), "mfa_required");
    answer_free(&a);
    ck_assert_int_eq(status_of(w, &coach, "GET", "/api/v1/auth/devices", NULL), 200);
    enrol(w, &coach, secret, code);
    ck_assert_int_eq(status_of(w, &coach, "GET", "/api/v1/blobs/00", NULL), 404);
    person_connect(w, &coach);
    ck_assert_int_eq(closed_with(w, coach.conn), 0);
    ck_assert_int_eq(status_of(w, &coach, "POST", "/api/v1/auth/totp", NULL), 409);
    world_free(w);
}
END_TEST

START_TEST(factor__a_code_serves_once_within_a_step_of_the_clock)
{
    world *w = world_new();
    person p;
    char secret[40];
    char recovery[40];
    person_make(w, &p, "a@b.c", "athlete", 1);
    enrol(w, &p, secret, recovery);
    answer a = log_in(w, "a@b.c", "long enough", NULL);
    ck_assert_int_eq(a.status, 403);
    ck_assert_str_eq(sl_json_str(a.body, "error"), "mfa_required");
    answer_free(&a);
    static const int steps[] = {-2, 2, -1, 1, 1, 0};
    static const int32_t want[] = {401, 401, 200, 200, 401, 401};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        w->now_ms += i == 0 || i == 3 ? 120000 : 0; /* the count of tries begins anew */
        a = log_in(w, "a@b.c", "long enough", code_at(secret, w->now_ms + steps[i] * 30000));
        ck_assert_msg(a.status == want[i], "case %zu: %d", i, a.status);
        answer_free(&a);
    }
    world_free(w);
}
END_TEST

START_TEST(factor__a_recovery_code_serves_once_in_any_spelling)
{
    world *w = world_new();
    person p;
    char secret[40];
    char recovery[40];
    char spelled[80];
    person_make(w, &p, "a@b.c", "athlete", 1);
    enrol(w, &p, secret, recovery);
    (void)snprintf(spelled, sizeof spelled, "%.4s-%.4s %s", recovery, recovery + 4, recovery + 8);
    answer a = log_in(w, "a@b.c", "long enough", spelled);
    ck_assert_int_eq(a.status, 200);
    take_tokens(&p, &a);
    answer_free(&a);
    a = log_in(w, "a@b.c", "long enough", recovery);
    ck_assert_int_eq(a.status, 401);
    answer_free(&a);
    ck_assert_int_eq(status_of(w, &p, "POST", "/api/v1/auth/recovery", NULL), 200);
    world_free(w);
}
END_TEST

START_TEST(factor__a_reset_password_does_not_take_its_place)
{
    world *w = world_new();
    person p;
    char secret[40];
    char recovery[40];
    char token[64];
    person_make(w, &p, "a@b.c", "athlete", 1);
    enrol(w, &p, secret, recovery);
    answer a = post(w, "/api/v1/auth/reset/send", "{\"email\":\"a@b.c\"}");
    answer_free(&a);
    mailed(w, token);
    ck_assert_int_eq(give(w, "/api/v1/auth/reset", token, ",\"password\":\"another one\""), 204);
    a = log_in(w, "a@b.c", "another one", NULL);
    ck_assert_int_eq(a.status, 403);
    answer_free(&a);
    world_free(w);
}
END_TEST

START_TEST(factor__guessing_is_stopped_after_five)
{
    world *w = world_new();
    person p;
    char secret[40];
    char recovery[40];
    person_make(w, &p, "a@b.c", "athlete", 1);
    enrol(w, &p, secret, recovery);
    w->now_ms += 60000;
    for (int i = 0; i < 5; i++) {
        answer a = log_in(w, "a@b.c", "long enough", "000000");
        ck_assert_int_eq(a.status, 401);
        answer_free(&a);
    }
    answer a = log_in(w, "a@b.c", "long enough", code_at(secret, w->now_ms));
    ck_assert_int_eq(a.status, 429);
    ck_assert_str_eq(sl_json_str(a.body, "error"), "rate_limit_exceeded");
    answer_free(&a);
    world_free(w);
}
END_TEST

/* ---- devices ---- */

START_TEST(devices__are_listed_and_signed_out_one_by_one_or_all)
{
    world *w = world_new();
    person p;
    char path[100];
    person_make(w, &p, "a@b.c", "athlete", 7);
    answer a = log_in(w, "a@b.c", "long enough", NULL);
    person other = p;
    take_tokens(&other, &a);
    answer_free(&a);
    (void)snprintf(other.device, sizeof other.device, "%s", DEVICE);
    person_connect(w, &other);
    a = call(w, &p, "GET", "/api/v1/auth/devices", NULL);
    const sl_json *list = sl_json_get(a.body, "devices");
    ck_assert_uint_eq(sl_json_count(list), 2);
    ck_assert(sl_json_bool_or(sl_json_at(list, 1), "this", false));
    ck_assert_str_eq(sl_json_str(sl_json_at(list, 0), "device"), DEVICE);
    answer_free(&a);
    (void)snprintf(path, sizeof path, "/api/v1/auth/devices/%s", DEVICE);
    ck_assert_int_eq(status_of(w, &p, "DELETE", path, NULL), 204);
    ck_assert_int_eq(status_of(w, &p, "DELETE", path, NULL), 404);
    ck_assert_int_eq(closed_with(w, other.conn), 4401);
    ck_assert_int_eq(closed_with(w, p.conn), 0);
    ck_assert_int_eq(status_of(w, &other, "GET", "/api/v1/auth/devices", NULL), 401);
    ck_assert_int_eq(status_of(w, &p, "POST", "/api/v1/auth/logout/all", NULL), 204);
    ck_assert_int_eq(closed_with(w, p.conn), 4401);
    ck_assert_int_eq(status_of(w, &p, "GET", "/api/v1/auth/devices", NULL), 401);
    char json[200];
    (void)snprintf(json, sizeof json, "{\"refresh_token\":\"%s\",\"device\":\"%s\"}", p.refresh,
                   p.device);
    a = post(w, "/api/v1/auth/refresh", json);
    ck_assert_int_eq(a.status, 401);
    answer_free(&a);
    world_free(w);
}
END_TEST

/* ---- age ---- */

static int32_t sign_up_born(world *w, const char *email, const char *birth)
{
    char json[300];
    (void)snprintf(
        json, sizeof json,
        "{\"email\":\"%s\",\"password\":\"long enough\",\"name\":\"N\",\"role\":\"athlete\","
        "\"device\":\"%s\",\"birth_date\":\"%s\"}",
        email, DEVICE, birth);
    answer a = post(w, "/api/v1/auth/signup", json);
    int32_t status = a.status;
    answer_free(&a);
    return status;
}

START_TEST(age__a_child_waits_for_a_parent_until_the_thirteenth_birthday)
{
    world *w = world_new();
    w->now_ms = INT64_C(1709251200000); /* 2024-03-01 */
    ck_assert_int_eq(sign_up_born(w, "a@b.c", "2011-02-28"), 201);
    ck_assert_int_eq(sign_up_born(w, "b@b.c", "2011-03-02"), 403);
    answer a = log_in(w, "b@b.c", "long enough", NULL);
    ck_assert_int_eq(a.status, 403);
    ck_assert_str_eq(sl_json_str(a.body, "error"), "consent_required");
    answer_free(&a);
    ck_assert_int_eq(sign_up_born(w, "c@b.c", "2011-02-29"), 422); /* no such day */
    ck_assert_int_eq(sign_up_born(w, "c@b.c", "2024-03-05"), 422); /* not born */
    ck_assert_int_eq(sign_up_born(w, "c@b.c", "1899-12-31"), 422);
    ck_assert_int_eq(sign_up_born(w, "c@b.c", "2000-13-01"), 422);
    ck_assert_int_eq(sign_up_born(w, "c@b.c", "yesterday"), 422);
    w->now_ms = INT64_C(1740700800000); /* 2025-02-28: born 2012-02-29 */
    ck_assert_int_eq(sign_up_born(w, "d@b.c", "2012-02-29"), 403);
    w->now_ms = INT64_C(1740873600000); /* 2025-03-02 */
    ck_assert_int_eq(sign_up_born(w, "e@b.c", "2012-02-29"), 201);
    world_free(w);
}
END_TEST

START_TEST(age__nobody_signs_up_without_a_date_of_birth)
{
    world *w = world_new();
    answer a = post(w, "/api/v1/auth/signup",
                    "{\"email\":\"a@b.c\",\"password\":\"long enough\",\"name\":\"N\","
                    "\"role\":\"athlete\",\"device\":\"018b0000-0000-7000-8000-000000000001\"}");
    ck_assert_int_eq(a.status, 422);
    ck_assert_ptr_nonnull(sl_json_str(sl_json_get(a.body, "fields"), "birth_date"));
    answer_free(&a);
    world_free(w);
}
END_TEST

static void make_admin(world *w, person *p)
{
    person_make(w, p, "root@b.c", "athlete", 9);
    ck_assert_int_eq(sl_service_make_admin(w->s, "root@b.c", NULL), SL_OK);
    ck_assert_int_eq(sl_service_make_admin(w->s, "nobody@b.c", NULL), SL_E_NOT_FOUND);
}

START_TEST(age__a_child_is_let_in_by_a_parent_and_that_is_kept)
{
    world *w = world_new();
    person admin;
    char id[512];
    char path[600];
    char text[512];
    make_admin(w, &admin);
    ck_assert_int_eq(sign_up_born(w, "b@b.c", "2014-03-02"), 403);
    (void)world_rows(w, id, "SELECT id FROM account WHERE email=$1 AND $2=$2", "b@b.c", "");
    (void)snprintf(path, sizeof path, "/api/v1/admin/accounts/%s", id);
    static const char *const refused[] = {
        "{\"status\":\"active\"}", "{\"status\":\"active\",\"consent\":{\"by\":\"Anna\"}}",
        "{\"status\":\"active\",\"consent\":{\"by\":\"\",\"how\":\"form\"}}",
        "{\"status\":\"active\",\"consent\":{\"by\":\"Anna\",\"how\":\"somehow\"}}"};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        ck_assert_int_eq(status_of(w, &admin, "PATCH", path, refused[i]), 422);
    }
    /* Not around it either. */
    ck_assert_int_eq(status_of(w, &admin, "PATCH", path, "{\"status\":\"suspended\"}"), 204);
    ck_assert_int_eq(status_of(w, &admin, "PATCH", path, "{\"status\":\"active\"}"), 422);
    ck_assert_int_eq(
        status_of(w, &admin, "PATCH", path,
                  "{\"status\":\"active\",\"consent\":{\"by\":\"Anna A\",\"how\":\"form\"}}"),
        204);
    answer a = log_in(w, "b@b.c", "long enough", NULL);
    ck_assert_int_eq(a.status, 200);
    answer_free(&a);
    ck_assert_uint_eq(world_rows(w, text,
                                 "SELECT by_name || '/' || how || '/' || at_ms FROM consent"
                                 " WHERE user_id=$1 AND admin=$2",
                                 id, admin.id),
                      1);
    ck_assert_str_eq(text, "Anna A/form/1700000000000");
    ck_assert_uint_eq(world_rows(w, text,
                                 "SELECT actor FROM audit WHERE action='consent' AND"
                                 " outcome='form' AND object=$1 AND actor=$2",
                                 id, admin.id),
                      1);
    world_free(w);
}
END_TEST

START_TEST(password__what_is_guessed_first_is_refused)
{
    static const char *const bad[] = {
        "password123",     "QwertyUiop",   "zzzzzzzzzzzz", "my annabel x", "Password2024!",
        "P@ssw0rd2024",    "!!Football99", "1234567890",   "0987654321",   "abcdefghijkl",
        "1q2w3e4r5t6y",    "1qaz2wsx3edc", "qwertz123456", "coachcoach",   "abcabcabcabc",
        "121212121212",    "b4sk3tb4ll",   "volleyball",   "2024-tennis!", "iloveyou1234",
        "trustno1trustno1"};
    static const char *const good[] = {"correct horse",       "long enough",
                                       "football is my life", "a long enough password",
                                       "xk4f9qwm2z",          "hunter of seals"};
    world *w = world_new();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char json[300];
        (void)snprintf(json, sizeof json,
                       "{\"email\":\"annabel@b.c\",\"password\":\"%s\",\"name\":\"N\","
                       "\"role\":\"athlete\",\"birth_date\":\"1990-01-31\",\"device\":\"%s\"}",
                       bad[i], DEVICE);
        answer a = post(w, "/api/v1/auth/signup", json);
        ck_assert_msg(a.status == 422, "%s: %d", bad[i], a.status);
        ck_assert_ptr_nonnull(sl_json_str(sl_json_get(a.body, "fields"), "password"));
        answer_free(&a);
    }
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        char json[300];
        (void)snprintf(json, sizeof json,
                       "{\"email\":\"a%zu@b.c\",\"password\":\"%s\",\"name\":\"N\","
                       "\"role\":\"athlete\",\"birth_date\":\"1990-01-31\",\"device\":\"%s\"}",
                       i, good[i], DEVICE);
        answer a = post(w, "/api/v1/auth/signup", json);
        ck_assert_msg(a.status == 201, "%s: %d", good[i], a.status);
        answer_free(&a);
    }
    world_free(w);
}
END_TEST

/* ---- admins and services ---- */

START_TEST(admin__finds_an_account_however_its_address_is_written)
{
    static const char *const queries[] = {"email=c%2bx%40b.c", "email=c%2Bx@b.c",
                                          "email=C%2BX%40B.C", "a=1&email=%63%2Bx%40b%2Ec&b=2",
                                          "email=c+x@b.c"};
    static const char *const none[] = {"", "email=", "mail=c%2Bx%40b.c", "email=c%2"};
    world *w = world_new();
    person admin;
    person p;
    char path[120];
    make_admin(w, &admin);
    person_make(w, &p, "c+x@b.c", "athlete", 1);
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        (void)snprintf(path, sizeof path, "/api/v1/admin/accounts?%s", queries[i]);
        answer a = call(w, &admin, "GET", path, NULL);
        ck_assert_msg(a.status == 200, "%s: %d", queries[i], a.status);
        ck_assert_str_eq(sl_json_str(a.body, "id"), p.id);
        answer_free(&a);
    }
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        (void)snprintf(path, sizeof path, "/api/v1/admin/accounts?%s", none[i]);
        ck_assert_int_eq(status_of(w, &admin, "GET", path, NULL), 422);
    }
    world_free(w);
}
END_TEST

START_TEST(admin__suspends_and_plans_and_others_do_not)
{
    world *w = world_new();
    person admin;
    person coach;
    char path[100];
    make_admin(w, &admin);
    person_make(w, &coach, "c@b.c", "coach", 1);
    (void)snprintf(path, sizeof path, "/api/v1/admin/accounts/%s", coach.id);
    ck_assert_int_eq(status_of(w, &coach, "PATCH", path, "{\"role\":\"admin\"}"), 403);
    ck_assert_int_eq(status_of(w, &admin, "PATCH", path, "{\"role\":\"king\"}"), 422);
    answer a = call(w, &admin, "GET", "/api/v1/admin/accounts?email=c%40b.c", NULL);
    ck_assert_int_eq(a.status, 200);
    ck_assert_str_eq(sl_json_str(a.body, "id"), coach.id);
    answer_free(&a);
    ck_assert_int_eq(
        status_of(w, &admin, "PATCH", path, "{\"plan\":\"trial\",\"plan_until_ms\":1700000001000}"),
        204);
    ck_assert_int_eq(closed_with(w, coach.conn), 4401);
    a = log_in(w, "c@b.c", "long enough", NULL);
    ck_assert_str_eq(sl_json_str(sl_json_get(a.body, "user"), "plan"), "trial");
    ck_assert_int_eq(sl_json_int_or(a.body, "expires_in", 0), 2); /* no longer than the plan */
    answer_free(&a);
    ck_assert_int_eq(status_of(w, &admin, "PATCH", path, "{\"status\":\"suspended\"}"), 204);
    ck_assert_int_eq(status_of(w, &coach, "GET", "/api/v1/auth/devices", NULL), 401);
    a = log_in(w, "c@b.c", "long enough", NULL);
    ck_assert_int_eq(a.status, 403);
    answer_free(&a);
    ck_assert_int_eq(status_of(w, &admin, "PATCH", path, "{\"status\":\"active\"}"), 204);
    a = log_in(w, "c@b.c", "long enough", NULL);
    ck_assert_int_eq(a.status, 200);
    answer_free(&a);
    world_free(w);
}
END_TEST

static char *service_token(world *w, const sl_key *key, const char *iss, int64_t life_s)
{
    char *text = NULL;
    sl_json *claims = sl_json_object();
    (void)(sl_json_set_str(claims, "iss", iss) && sl_json_set_str(claims, "aud", "sideline") &&
           sl_json_set_int(claims, "exp", w->now_ms / 1000 + life_s));
    ck_assert_int_eq(sl_jwt_sign(key, w->platform.random->fill, w, claims, &text, NULL), SL_OK);
    sl_json_free(claims);
    return text;
}

static int32_t as_service(world *w, const char *token, const char *path)
{
    char header[3000];
    (void)snprintf(header, sizeof header, "authorization: Bearer %s\n", token);
    answer a = request(w, "GET", path, header, NULL, 0);
    int32_t status = a.status;
    answer_free(&a);
    return status;
}

START_TEST(service_key__does_what_its_scope_says_until_it_is_revoked)
{
    world *w = world_new();
    person admin;
    sl_key *key = NULL;
    sl_buf body = {0};
    char path[120];
    make_admin(w, &admin);
    ck_assert_int_eq(sl_key_generate(2048, w->platform.random->fill, w, &key, NULL), SL_OK);
    sl_json *jwk = sl_key_jwk(key);
    char *text = sl_json_print(jwk);
    sl_buf_fmt(&body,
               "{\"name\":\"prometheus\",\"scope\":\"metrics\",\"expires_in\":86400,\"jwk\":%s}",
               text);
    char *token = service_token(w, key, "prometheus", 600);
    char *wrong = service_token(w, key, "grafana", 600);
    char *longer = service_token(w, key, "prometheus", 7200);
    ck_assert_int_eq(as_service(w, token, "/metrics"), 401);
    ck_assert_int_eq(status_of(w, &admin, "POST", "/api/v1/admin/service-keys", sl_buf_text(&body)),
                     201);
    ck_assert_int_eq(as_service(w, token, "/metrics"), 200);
    ck_assert_int_eq(as_service(w, wrong, "/metrics"), 401);
    ck_assert_int_eq(as_service(w, longer, "/metrics"), 401);
    ck_assert_int_eq(as_service(w, token, "/api/v1/admin/audit"), 403);
    ck_assert_int_eq(as_service(w, token, "/api/v1/auth/devices"), 401);
    (void)snprintf(path, sizeof path, "/api/v1/admin/service-keys/%s", sl_key_id(key));
    ck_assert_int_eq(status_of(w, &admin, "DELETE", path, NULL), 204);
    ck_assert_int_eq(as_service(w, token, "/metrics"), 401);
    sl_mem_free(token);
    sl_mem_free(wrong);
    sl_mem_free(longer);
    sl_mem_free(text);
    sl_json_free(jwk);
    sl_key_free(key);
    sl_buf_free(&body);
    world_free(w);
}
END_TEST

START_TEST(keys__a_rotated_key_is_published_until_its_tokens_have_ended)
{
    world *w = world_new();
    person admin;
    person p;
    w->own_key = true;
    world_reopen(w);
    make_admin(w, &admin);
    person_make(w, &p, "a@b.c", "athlete", 1);
    ck_assert_int_eq(status_of(w, &p, "POST", "/api/v1/admin/keys/rotate", NULL), 403);
    ck_assert_int_eq(status_of(w, &admin, "POST", "/api/v1/admin/keys/rotate", NULL), 200);
    ck_assert_int_eq(status_of(w, &p, "GET", "/api/v1/auth/devices", NULL), 200);
    answer a = request(w, "GET", "/.well-known/jwks.json", "", NULL, 0);
    ck_assert_uint_eq(sl_json_count(sl_json_get(a.body, "keys")), 2);
    answer_free(&a);
    answer fresh = log_in(w, "a@b.c", "long enough", NULL);
    take_tokens(&p, &fresh);
    answer_free(&fresh);
    ck_assert_int_eq(status_of(w, &p, "GET", "/api/v1/auth/devices", NULL), 200);
    w->now_ms += INT64_C(3660) * 1000;
    a = request(w, "GET", "/.well-known/jwks.json", "", NULL, 0);
    ck_assert_uint_eq(sl_json_count(sl_json_get(a.body, "keys")), 1);
    answer_free(&a);
    world_free(w);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        verify__a_token_serves_once_and_for_ten_minutes,
        verify__a_newer_mail_ends_the_older_one,
        reset__sets_a_password_ends_all_and_tells_nothing_of_who_is_here,
        factor__coaches_can_do_nothing_but_sign_in_without_it,
        factor__a_code_serves_once_within_a_step_of_the_clock,
        factor__a_recovery_code_serves_once_in_any_spelling,
        factor__a_reset_password_does_not_take_its_place,
        factor__guessing_is_stopped_after_five,
        devices__are_listed_and_signed_out_one_by_one_or_all,
        age__a_child_waits_for_a_parent_until_the_thirteenth_birthday,
        age__nobody_signs_up_without_a_date_of_birth,
        age__a_child_is_let_in_by_a_parent_and_that_is_kept,
        password__what_is_guessed_first_is_refused,
        admin__finds_an_account_however_its_address_is_written,
        admin__suspends_and_plans_and_others_do_not,
        service_key__does_what_its_scope_says_until_it_is_revoked,
        keys__a_rotated_key_is_published_until_its_tokens_have_ended,
    };
    world_start();
    int status = sl_test_run(sl_test_suite("signin", tests, sizeof tests / sizeof tests[0]));
    world_end();
    return status;
}
