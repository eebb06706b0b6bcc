/* Subscriptions, and what the provider tells of them. */
#include "support.h"

#include "service/inside.h"
#include "unit/service/shop.h"

#include <stdio.h>
#include <string.h>

START_TEST(subscription__is_what_the_newest_event_says)
{
    shop s;
    shop_open(&s);
    answer a = shop_buy(&s, &s.athlete, 0x10, "plan_id", 0x400);
    ck_assert_int_eq(a.status, 201);
    ck_assert_ptr_nonnull(sl_json_str(a.body, "client_secret"));
    answer_free(&a);
    ck_assert_uint_eq(s.p.asked, 3); /* the customer, the product, the subscription */
    ck_assert_ptr_nonnull(strstr(s.p.form, "unit_amount]=990&"));
    ck_assert_str_eq(shop_kept(&s, "subscription", &s.athlete, id_of(0x10), "status"), "");
    tell_subscribed(&s, 0x10, "incomplete", 1, 30);
    ck_assert_str_eq(shop_kept(&s, "subscription", &s.athlete, id_of(0x10), "status"), "");
    tell_subscribed(&s, 0x10, "active", 10, 30);
    tell_subscribed(&s, 0x10, "trialing", 9, 7); /* late */
    ck_assert_str_eq(shop_kept(&s, "subscription", &s.athlete, id_of(0x10), "status"), "active");
    ck_assert_str_eq(shop_kept(&s, "subscription", &s.coach, id_of(0x10), "subscriber_id"),
                     s.athlete.id);
    ck_assert_int_eq(shop_buy_status(&s, &s.athlete, 0x11, "plan_id", 0x400), 409);
    char object[300];
    (void)snprintf(object, sizeof object,
                   "{\"id\":\"in_1\",\"amount_paid\":990,\"subscription_details\":{\"metadata\":{"
                   "\"id\":\"%s\"}}}",
                   id_of(0x10));
    tell(&s, "invoice.paid", 10, object);
    tell(&s, "invoice.paid", 11, object);
    char sum[512];
    ck_assert_uint_eq(
        world_rows(
            s.w, sum,
            "SELECT CAST(\"amount_minor\" AS TEXT) FROM \"earning\" WHERE \"space\"=$1 AND $2=$2",
            s.coach.own, ""),
        1);
    ck_assert_str_eq(sum, "891");
    tell_subscribed(&s, 0x10, "canceled", 20, 30);
    tell_subscribed(&s, 0x10, "active", 20, 30); /* of the same second */
    ck_assert_str_eq(shop_kept(&s, "subscription", &s.athlete, id_of(0x10), "status"), "cancelled");
    ck_assert_int_eq(shop_buy_status(&s, &s.athlete, 0x11, "plan_id", 0x400), 201);
    ck_assert_uint_eq(s.p.asked, 4); /* the customer and the plan are known there */
    shop_close(&s);
}
END_TEST

START_TEST(subscription__makes_an_athlete_a_paying_one_while_it_runs)
{
    shop s;
    char plan[512];
    static const char sql[] =
        "SELECT plan || ' ' || plan_until_ms FROM account WHERE id=$1 AND $2=$2";
    shop_open(&s);
    (void)world_rows(s.w, NULL, "UPDATE account SET plan='expired' WHERE id=$1 AND $2=$2",
                     s.athlete.id, "");
    sl_sv_known_forget(s.w->s);
    person_connect(s.w, &s.athlete);
    ck_assert_int_eq(shop_buy_status(&s, &s.athlete, 0x10, "plan_id", 0x400), 201);
    tell_subscribed(&s, 0x10, "active", 1, 30);
    char want[64];
    (void)snprintf(want, sizeof want, "active %lld",
                   (long long)(s.w->now_ms + INT64_C(30) * 86400000)); /* and three days of grace */
    (void)world_rows(s.w, plan, sql, s.athlete.id, "");
    ck_assert_str_eq(plan, want);
    ck_assert_int_ne(closed_with(s.w, s.athlete.conn), 0); /* and comes back as one */
    person_connect(s.w, &s.athlete);
    tell_subscribed(&s, 0x10, "active", 1, 30); /* which changes nothing */
    ck_assert_int_eq(closed_with(s.w, s.athlete.conn), 0);
    ck_assert_int_eq(shop_buy_status(&s, &s.athlete, 0x20, "program_id", 0x200), 201);
    tell_subscribed(&s, 0x10, "unpaid", 2, 30);
    (void)world_rows(s.w, plan, sql, s.athlete.id, "");
    ck_assert_int_eq(strncmp(plan, "expired ", 8), 0);
    ck_assert_int_eq(shop_buy_status(&s, &s.athlete, 0x21, "program_id", 0x200), 403);
    (void)world_rows(s.w, plan, sql, s.coach.id, "");
    ck_assert_str_eq(plan, ""); /* nobody else's */
    shop_close(&s);
}
END_TEST

START_TEST(subscription__ends_by_request_with_its_period_and_with_the_account_at_once)
{
    shop s;
    char path[100];
    shop_open(&s);
    ck_assert_int_eq(shop_buy_status(&s, &s.athlete, 0x10, "plan_id", 0x400), 201);
    tell_subscribed(&s, 0x10, "active", 1, 30);
    (void)snprintf(path, sizeof path, "/api/v1/subscriptions/%s", id_of(0x10));
    answer a = signed_request(s.w, &s.coach, "DELETE", path, "", NULL, 0);
    ck_assert_int_eq(a.status, 404);
    answer_free(&a);
    a = signed_request(s.w, &s.athlete, "DELETE", path, "", NULL, 0);
    ck_assert_int_eq(a.status, 204);
    answer_free(&a);
    ck_assert_str_eq(s.p.form, "cancel_at_period_end=true");
    static const char erase[] = "{\"password\":\"long enough\"}";
    s.p.fault = SL_E_NETWORK;
    ck_assert_int_eq(shop_ask(&s, &s.athlete, "/api/v1/account/erase", erase), 503);
    s.p.fault = SL_OK;
    ck_assert_int_eq(shop_ask(&s, &s.athlete, "/api/v1/account/erase", erase), 204);
    ck_assert_str_eq(s.p.form, "DELETE");
    tell_subscribed(&s, 0x10, "canceled", 2, 30); /* of nobody's: taken, and nothing comes of it */
    ck_assert_str_eq(shop_kept(&s, "subscription", &s.coach, id_of(0x10), "status"), "cancelled");
    shop_close(&s);
}
END_TEST

/* The plan of the athlete's account. */
static void set_plan(shop *s, const char *plan, int days)
{
    char sql[200];
    (void)snprintf(sql, sizeof sql,
                   "UPDATE account SET plan='%s', plan_until_ms=%lld WHERE id=$1 AND $2=$2", plan,
                   days == 0 ? 0LL : (long long)(s->w->now_ms + INT64_C(86400000) * days));
    (void)world_rows(s->w, NULL, sql, s->athlete.id, "");
    sl_sv_known_forget(s->w->s);
}

static void check_plan(const shop *s, const char *plan, int days)
{
    char is[512];
    char want[64];
    (void)snprintf(want, sizeof want, "%s %lld", plan,
                   days == 0 ? 0LL : (long long)(s->w->now_ms + INT64_C(86400000) * days));
    (void)world_rows(s->w, is,
                     "SELECT plan || ' ' || plan_until_ms FROM account WHERE id=$1 AND $2=$2",
                     s->athlete.id, "");
    ck_assert_str_eq(is, want);
}

START_TEST(subscription__takes_nothing_of_what_an_account_has_by_other_ways)
{
    static const struct {
        const char *plan;
        int days;
        const char *then;
        int then_days;
        const char *last; /* when it has ended */
        int last_days;
    } cases[] = {{"trial", 60, "trial", 60, "trial", 60},
                 {"trial", 10, "active", 30, "expired", 0},
                 {"active", 0, "active", 0, "active", 0}, /* for ever */
                 {"active", 60, "active", 60, "active", 60}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        shop s;
        shop_open(&s);
        set_plan(&s, cases[i].plan, cases[i].days);
        ck_assert_int_eq(shop_buy_status(&s, &s.athlete, 0x10, "plan_id", 0x400), 201);
        tell_subscribed(&s, 0x10, "incomplete", 1, 30);
        tell_subscribed(&s, 0x10, "incomplete_expired", 2, 30); /* nobody paid */
        check_plan(&s, cases[i].plan, cases[i].days);
        ck_assert_int_eq(shop_buy_status(&s, &s.athlete, 0x11, "plan_id", 0x400), 201);
        tell_subscribed(&s, 0x11, "active", 3, 30);
        check_plan(&s, cases[i].then, cases[i].then_days);
        tell_subscribed(&s, 0x11, "canceled", 4, 30);
        if (cases[i].last_days > 0 || strcmp(cases[i].last, "active") == 0) {
            check_plan(&s, cases[i].last, cases[i].last_days);
        }
        shop_close(&s);
    }
}
END_TEST

START_TEST(subscription__counts_no_period_that_is_not_paid_for)
{
    shop s;
    shop_open(&s);
    set_plan(&s, "expired", 1);
    ck_assert_int_eq(shop_buy_status(&s, &s.athlete, 0x10, "plan_id", 0x400), 201);
    tell_subscribed(&s, 0x10, "active", 1, 30);
    char object[400];
    (void)snprintf(object, sizeof object,
                   "{\"status\":\"past_due\",\"items\":{\"data\":[{\"current_period_start\":%lld,"
                   "\"current_period_end\":%lld}]},\"metadata\":{\"id\":\"%s\"}}",
                   (long long)(s.w->now_ms / 1000 + 30 * 86400),
                   (long long)(s.w->now_ms / 1000 + 60 * 86400), id_of(0x10));
    tell(&s, "customer.subscription.updated", 2, object);
    check_plan(&s, "active", 30);
    tell_subscribed(&s, 0x10, "active", 3, 60);
    check_plan(&s, "active", 60);
    shop_close(&s);
}
END_TEST

START_TEST(subscription__whose_answer_was_lost_is_known_by_its_event)
{
    shop s;
    char path[100];
    char object[300];
    shop_open(&s);
    s.p.fault = SL_E_NETWORK;
    ck_assert_int_eq(shop_buy_status(&s, &s.athlete, 0x10, "plan_id", 0x400), 503);
    s.p.fault = SL_OK;
    (void)snprintf(object, sizeof object,
                   "{\"id\":\"sub_of_the_provider\",\"status\":\"active\",\"metadata\":{\"id\":"
                   "\"%s\"}}",
                   id_of(0x10));
    tell(&s, "customer.subscription.created", 1, object);
    (void)snprintf(path, sizeof path, "/api/v1/subscriptions/%s", id_of(0x10));
    answer a = signed_request(s.w, &s.athlete, "DELETE", path, "", NULL, 0);
    ck_assert_int_eq(a.status, 204);
    answer_free(&a);
    ck_assert_str_eq(s.p.path, "subscriptions/sub_of_the_provider");
    shop_close(&s);
}
END_TEST

START_TEST(subscription__has_one_trial)
{
    shop s;
    shop_open(&s);
    must(op(s.w, &s.coach, "patch", "subscription_plan", s.shop, id_of(0x400),
            "{\"trial_days\":14}"),
         "applied");
    ck_assert_int_eq(shop_buy_status(&s, &s.athlete, 0x10, "plan_id", 0x400), 201);
    ck_assert_ptr_nonnull(strstr(s.p.form, "&trial_period_days=14&"));
    tell_subscribed(&s, 0x10, "trialing", 1, 14);
    tell_subscribed(&s, 0x10, "canceled", 2, 14);
    ck_assert_int_eq(shop_buy_status(&s, &s.athlete, 0x11, "plan_id", 0x400), 201);
    ck_assert_ptr_null(strstr(s.p.form, "trial_period_days"));
    shop_close(&s);
}
END_TEST

START_TEST(subscription__stops_with_its_coach_and_one_that_begins_behind_the_end_too)
{
    static const char erase[] = "{\"password\":\"long enough\"}";
    shop s;
    shop_open(&s);
    ck_assert_int_eq(shop_buy_status(&s, &s.athlete, 0x10, "plan_id", 0x400), 201);
    tell_subscribed(&s, 0x10, "active", 1, 30);
    s.p.fault = SL_E_NOT_FOUND; /* ended there, and we did not hear of it */
    size_t asked = s.p.asked;
    ck_assert_int_eq(shop_ask(&s, &s.coach, "/api/v1/account/erase", erase), 204);
    ck_assert_uint_eq(s.p.asked, asked + 1);
    ck_assert_str_eq(s.p.form, "DELETE");
    s.p.fault = SL_OK;
    asked = s.p.asked;
    char object[300];
    (void)snprintf(object, sizeof object,
                   "{\"id\":\"sub_late\",\"status\":\"active\",\"metadata\":{\"id\":\"%s\"}}",
                   id_of(0x10));
    tell(&s, "customer.subscription.updated", 2, object);
    ck_assert_uint_eq(s.p.asked, asked + 1);
    ck_assert_str_eq(s.p.path, "subscriptions/sub_late");
    shop_close(&s);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        subscription__is_what_the_newest_event_says,
        subscription__makes_an_athlete_a_paying_one_while_it_runs,
        subscription__ends_by_request_with_its_period_and_with_the_account_at_once,
        subscription__takes_nothing_of_what_an_account_has_by_other_ways,
        subscription__counts_no_period_that_is_not_paid_for,
        subscription__whose_answer_was_lost_is_known_by_its_event,
        subscription__has_one_trial,
        subscription__stops_with_its_coach_and_one_that_begins_behind_the_end_too};
    world_start();
    int code = sl_test_run(sl_test_suite("subscribe", tests, sizeof tests / sizeof tests[0]));
    world_end();
    return code;
}
