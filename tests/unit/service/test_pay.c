/* Money: prices, payments, and what the provider tells of them. */
#include "support.h"

#include "base/mem.h"
#include "service/inside.h"
#include "unit/service/shop.h"

#include <stdio.h>
#include <string.h>

/* All charges were begun so much before they were. */
static void made_earlier(const shop *s, int ms)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%d", ms);
    (void)world_rows(s->w, NULL, "UPDATE charge SET made_ms=made_ms-CAST($1 AS BIGINT) WHERE $2=$2",
                     text, "");
}

START_TEST(price__is_set_by_the_owner_alone_within_its_limits)
{
    shop s;
    shop_open(&s);
    ck_assert_int_eq(shop_price(&s, &s.coach, "program", 0x200, 99999999), 204);
    ck_assert_int_eq(shop_price(&s, &s.coach, "program", 0x200, 100000000), 422);
    ck_assert_int_eq(shop_price(&s, &s.coach, "program", 0x200, 0), 204);
    ck_assert_int_eq(shop_price(&s, &s.coach, "program", 0x200, -1), 422);
    ck_assert_int_eq(shop_price(&s, &s.coach, "video", 0x200, 1), 422);
    ck_assert_int_eq(shop_price(&s, &s.coach, "product", 0x200, 1), 404);
    ck_assert_int_eq(shop_price(&s, &s.athlete, "program", 0x200, 1), 404);
    ck_assert_int_eq(shop_price(&s, &s.athlete, "product", 0x300, 1), 404); /* of a shop of hers */
    ck_assert_int_eq(shop_ask(&s, &s.coach, "/api/v1/prices",
                              "{\"entity\":\"program\",\"id\":\"x\",\"price_minor\":1,"
                              "\"currency\":\"EUR\"}"),
                     422);
    static const char *const currencies[] = {"eur", "EURO", "EU", "E1R", ""};
    for (size_t i = 0; i < sizeof currencies / sizeof currencies[0]; i++) {
        char body[200];
        (void)snprintf(body, sizeof body,
                       "{\"entity\":\"program\",\"id\":\"%s\",\"price_minor\":1,"
                       "\"currency\":\"%s\"}",
                       id_of(0x200), currencies[i]);
        ck_assert_int_eq(shop_ask(&s, &s.coach, "/api/v1/prices", body), 422);
    }
    shop_close(&s);
}
END_TEST

START_TEST(payment__gives_what_is_bought_when_the_provider_says_so_and_not_before) /* [PAY-1] */
{
    shop s;
    shop_open(&s);
    answer a = shop_buy(&s, &s.athlete, 0x10, "program_id", 0x200);
    ck_assert_int_eq(a.status, 201);
    ck_assert_str_eq(sl_json_str(a.body, "status"), "pending");
    ck_assert_str_eq(sl_json_str(a.body, "client_secret"), "secret_0");
    ck_assert_int_eq(sl_json_int_or(a.body, "amount_minor", 0), 4999);
    answer_free(&a);
    ck_assert_str_eq(s.p.path, "payment_intents");
    ck_assert_ptr_nonnull(strstr(s.p.form, "amount=4999&currency=eur&"));
    ck_assert_str_eq(shop_kept(&s, "payment", &s.athlete, id_of(0x10), "status"), "pending");
    ck_assert(!shop_holds(&s, &s.athlete));
    frames_clear(s.w);
    tell_paid(&s, 0x10, 4999);
    ck_assert(shop_holds(&s, &s.athlete));
    ck_assert_str_eq(shop_kept(&s, "payment", &s.athlete, id_of(0x10), "status"), "succeeded");
    ck_assert_str_eq(shop_kept(&s, "purchase", &s.athlete, id_of(0x10), "status"), "paid");
    ck_assert_str_eq(shop_kept(&s, "purchase", &s.coach, id_of(0x10), "buyer_id"), s.athlete.id);
    ck_assert_str_eq(shop_kept(&s, "enrollment", &s.coach, id_of(0x10), "status"), "active");
    ck_assert_str_eq(shop_kept(&s, "access_right", &s.athlete, id_of(0x10), "target"), s.program);
    ck_assert_str_eq(shop_kept(&s, "earning", &s.coach, id_of(0x10), "fee_minor"), "500");
    ck_assert_str_eq(shop_kept(&s, "earning", &s.coach, id_of(0x10), "amount_minor"), "4499");
    ck_assert_int_eq(shop_buy_status(&s, &s.athlete, 0x11, "program_id", 0x200), 409); /* has it */
    shop_close(&s);
}
END_TEST

START_TEST(payment__is_one_however_often_it_is_asked_for_and_told_of) /* [PAY-2] [PAY-3] */
{
    shop s;
    char object[300];
    shop_open(&s);
    s.p.fault = SL_E_NETWORK;
    ck_assert_int_eq(shop_buy_status(&s, &s.athlete, 0x10, "program_id", 0x200), 503);
    s.p.fault = SL_E_INVALID;
    ck_assert_int_eq(shop_buy_status(&s, &s.athlete, 0x10, "program_id", 0x200), 409);
    s.p.fault = SL_OK;
    ck_assert_int_eq(shop_price(&s, &s.coach, "program", 0x200, 1), 204); /* too late for it */
    ck_assert_int_eq(shop_buy_status(&s, &s.athlete, 0x10, "program_id", 0x200), 200);
    ck_assert_int_eq(shop_buy_status(&s, &s.athlete, 0x10, "program_id", 0x200), 200);
    ck_assert_ptr_nonnull(strstr(s.p.form, "amount=4999&"));
    ck_assert_uint_eq(s.p.made, 1);
    ck_assert_int_eq(shop_buy_status(&s, &s.athlete, 0x10, "product_id", 0x300), 409);
    made_earlier(&s, 20 * 3600 * 1000 - 1);
    ck_assert_int_eq(shop_buy_status(&s, &s.athlete, 0x10, "program_id", 0x200), 200);
    made_earlier(&s, 1);
    ck_assert_int_eq(shop_buy_status(&s, &s.athlete, 0x10, "program_id", 0x200), 409); /* too old */
    (void)snprintf(object, sizeof object,
                   "{\"amount_received\":4999,\"currency\":\"eur\",\"metadata\":{\"id\":\"%s\"}}",
                   id_of(0x10));
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(tell_numbered(&s, 77, "payment_intent.succeeded", 1, object), 204);
    }
    tell(&s, "payment_intent.succeeded", 2, object); /* another event of the same */
    tell(&s, "payment_intent.payment_failed", 3, object);
    ck_assert_str_eq(shop_kept(&s, "payment", &s.athlete, id_of(0x10), "status"), "succeeded");
    char count[512];
    (void)world_rows(
        s.w, count,
        "SELECT CAST(\"enrolled_count\" AS TEXT) FROM \"program\" WHERE \"space\"=$1 AND $2=$2",
        s.program, "");
    ck_assert_str_eq(count, "1");
    shop_close(&s);
}
END_TEST

START_TEST(payment__of_another_amount_or_charge_gives_nothing)
{
    shop s;
    shop_open(&s);
    ck_assert_int_eq(shop_buy_status(&s, &s.athlete, 0x10, "product_id", 0x300), 201);
    tell_paid(&s, 0x10, 2499);
    tell_paid(&s, 0x11, 2500);
    tell(&s, "payment_intent.succeeded", 1, "{\"amount_received\":2500,\"currency\":\"eur\"}");
    ck_assert(!shop_holds(&s, &s.athlete));
    ck_assert_str_eq(shop_kept(&s, "payment", &s.athlete, id_of(0x10), "status"), "pending");
    tell_paid(&s, 0x10, 2500);
    ck_assert(shop_holds(&s, &s.athlete));
    ck_assert_str_eq(shop_kept(&s, "purchase", &s.coach, id_of(0x10), "product_id"), id_of(0x300));
    shop_close(&s);
}
END_TEST

START_TEST(payment__paid_back_takes_what_was_had_for_it_and_nothing_else)
{
    shop s;
    shop_open(&s);
    ck_assert_int_eq(shop_buy_status(&s, &s.athlete, 0x10, "program_id", 0x200), 201);
    ck_assert_int_eq(shop_buy_status(&s, &s.athlete, 0x11, "product_id", 0x300), 201); /* twice */
    tell_paid(&s, 0x10, 4999);
    tell_paid(&s, 0x11, 2500);
    tell_refunded(&s, 0x10, false);
    ck_assert_str_eq(shop_kept(&s, "payment", &s.athlete, id_of(0x10), "status"), "succeeded");
    tell_refunded(&s, 0x10, true);
    ck_assert(shop_holds(&s, &s.athlete)); /* by the other */
    ck_assert_str_eq(shop_kept(&s, "purchase", &s.coach, id_of(0x10), "status"), "refunded");
    ck_assert_str_eq(shop_kept(&s, "earning", &s.coach, id_of(0x10), "fee_minor"), "");
    ck_assert_str_eq(shop_kept(&s, "access_right", &s.athlete, id_of(0x10), "target"), "");
    tell_refunded(&s, 0x11, true);
    ck_assert(!shop_holds(&s, &s.athlete));
    ck_assert_str_eq(shop_kept(&s, "enrollment", &s.athlete, id_of(0x11), "status"), "cancelled");
    ck_assert_int_eq(shop_buy_status(&s, &s.athlete, 0x12, "program_id", 0x200), 201);
    tell_refunded(&s, 0x12, true); /* told of first */
    tell_paid(&s, 0x12, 4999);
    ck_assert(!shop_holds(&s, &s.athlete)); /* [PAY-2] */
    shop_close(&s);
}
END_TEST

START_TEST(payment__disputed_stays_until_it_is_lost)
{
    shop s;
    char object[300];
    shop_open(&s);
    ck_assert_int_eq(shop_buy_status(&s, &s.athlete, 0x10, "program_id", 0x200), 201);
    tell(&s, "charge.dispute.created", 1, "{\"payment_intent\":\"ref_0\"}"); /* before it is paid */
    tell_paid(&s, 0x10, 4999);
    ck_assert_str_eq(shop_kept(&s, "payment", &s.athlete, id_of(0x10), "status"), "succeeded");
    static const char *const told[][3] = {{"charge.dispute.created", "needs_response", "disputed"},
                                          {"charge.dispute.closed", "won", "succeeded"},
                                          {"charge.dispute.created", "needs_response", "disputed"},
                                          {"charge.dispute.closed", "lost", "refunded"},
                                          {"charge.dispute.created", "needs_response", "refunded"}};
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
        (void)snprintf(object, sizeof object, "{\"payment_intent\":\"ref_0\",\"status\":\"%s\"}",
                       told[i][1]);
        tell(&s, told[i][0], 1, object);
        ck_assert_str_eq(shop_kept(&s, "payment", &s.athlete, id_of(0x10), "status"), told[i][2]);
        ck_assert_int_eq(shop_holds(&s, &s.athlete), i < 3);
    }
    ck_assert_str_eq(shop_kept(&s, "earning", &s.coach, id_of(0x10), "fee_minor"), "");
    shop_close(&s);
}
END_TEST

START_TEST(payment__of_who_is_gone_gives_nothing)
{
    shop s;
    char text[512];
    shop_open(&s);
    ck_assert_int_eq(shop_buy_status(&s, &s.athlete, 0x10, "program_id", 0x200), 201);
    ck_assert_int_eq(
        shop_ask(&s, &s.athlete, "/api/v1/account/erase", "{\"password\":\"long enough\"}"), 204);
    tell_paid(&s, 0x10, 4999);
    ck_assert(!shop_holds(&s, &s.athlete));
    static const char *const names[] = {"payment",      "purchase", "enrollment",
                                        "access_right", "grant",    "subscription"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char sql[200];
        (void)snprintf(sql, sizeof sql,
                       "SELECT \"id\" FROM \"%s\" WHERE \"space\"=$1 AND \"deleted\"=0 AND $2=$2",
                       names[i]);
        ck_assert_msg(world_rows(s.w, text, sql, s.athlete.own, "") == 0, "%s %s", names[i], text);
    }
    ck_assert_str_eq(shop_kept(&s, "earning", &s.coach, id_of(0x10), "fee_minor"), "500");
    shop_close(&s);
}
END_TEST

START_TEST(payment__has_no_id_that_the_server_makes)
{
    shop s;
    char body[300];
    shop_open(&s);
    (void)snprintf(body, sizeof body,
                   "{\"id\":\"01920000-0000-8000-8000-000000000001\",\"program_id\":\"%s\"}",
                   id_of(0x200));
    ck_assert_int_eq(shop_ask(&s, &s.athlete, "/api/v1/payments", body), 422);
    ck_assert_uint_eq(s.p.asked, 0);
    shop_close(&s);
}
END_TEST

START_TEST(payment__is_not_begun_for_what_is_not_offered_or_could_not_be_opened) /* [PAY-4] */
{
    shop s;
    shop_open(&s);
    ck_assert_int_eq(shop_buy_status(&s, &s.athlete, 0x10, "program_id", 0x201), 422);
    ck_assert_int_eq(shop_buy_status(&s, &s.athlete, 0x10, "product_id", 0x301), 422);
    ck_assert_int_eq(shop_buy_status(&s, &s.coach, 0x10, "program_id", 0x200), 422); /* one's own */
    ck_assert_int_eq(shop_price(&s, &s.coach, "program", 0x200, 0), 204);
    ck_assert_int_eq(shop_buy_status(&s, &s.athlete, 0x10, "program_id", 0x200), 422);
    ck_assert_int_eq(shop_price(&s, &s.coach, "program", 0x200, 4999), 204);
    must(op(s.w, &s.coach, "patch", "program", s.program, id_of(0x200), "{\"status\":\"draft\"}"),
         "applied");
    ck_assert_int_eq(shop_buy_status(&s, &s.athlete, 0x10, "program_id", 0x200), 422);
    ck_assert_int_eq(shop_buy_status(&s, &s.athlete, 0x10, "product_id", 0x300), 422);
    must(op(s.w, &s.coach, "patch", "program", s.program, id_of(0x200),
            "{\"status\":\"published\"}"),
         "applied");
    (void)world_rows(s.w, NULL, "UPDATE account SET plan='expired' WHERE id=$1 AND $2=$2",
                     s.athlete.id, "");
    sl_sv_known_forget(s.w->s);
    ck_assert_int_eq(shop_buy_status(&s, &s.athlete, 0x10, "program_id", 0x200), 403);
    ck_assert_uint_eq(s.p.asked, 0);
    shop_close(&s);
}
END_TEST

START_TEST(event__must_be_signed_lately_and_by_the_provider)
{
    shop s;
    static const char body[] =
        "{\"id\":\"evt_1\",\"type\":\"x\",\"created\":1,\"data\":{\"object\":{}}}";
    shop_open(&s);
    int64_t now = s.w->now_ms / 1000;
    ck_assert_int_eq(send_signed(&s, body, now, WORLD_SECRET), 204);
    ck_assert_int_eq(send_signed(&s, body, now, "another"), 400);
    ck_assert_int_eq(send_signed(&s, body, now - 300, WORLD_SECRET), 204);
    ck_assert_int_eq(send_signed(&s, body, now - 301, WORLD_SECRET), 400);
    ck_assert_int_eq(send_signed(&s, body, now + 300, WORLD_SECRET), 204);
    ck_assert_int_eq(send_signed(&s, body, now + 301, WORLD_SECRET), 400);
    ck_assert_int_eq(send_signed(&s, "{}", now, WORLD_SECRET), 400);
    ck_assert_int_eq(send_signed(&s, "[", now, WORLD_SECRET), 400);
    answer a = request(s.w, "POST", "/webhooks/stripe", "", body, strlen(body));
    ck_assert_int_eq(a.status, 400);
    answer_free(&a);
    shop_close(&s);
}
END_TEST

/* What is kept of a charge, but for the times of it. */
static void state_text(const shop *s, uint32_t id, char *out, size_t room)
{
    static const char *const asked[][3] = {{"payment", "status", "purchase_id"},
                                           {"purchase", "status", "amount_minor"},
                                           {"enrollment", "status", "program_id"},
                                           {"access_right", "target", "source"},
                                           {"earning", "fee_minor", "amount_minor"}};
    const person *whose[] = {&s->athlete, &s->coach};
    char grants[512];
    size_t granted = world_rows(s->w, grants,
                                "SELECT \"id\" FROM \"grant\" WHERE \"space\"=$1 AND"
                                " \"target\"=$2 AND \"deleted\"=0",
                                s->athlete.own, s->program);
    size_t n = (size_t)snprintf(out, room, "%s", shop_holds(s, &s->athlete) ? "holds" : "");
    ck_assert_uint_eq(granted, shop_holds(s, &s->athlete) ? 1 : 0);
    for (size_t i = 0; i < 2 * sizeof asked / sizeof asked[0]; i++) {
        const char *const *a = asked[i / 2];
        for (size_t f = 1; f < 3; f++) {
            const char *text = shop_kept(s, a[0], whose[i % 2], id_of(id), a[f]);
            n += (size_t)snprintf(out + n, room - n, " %s", text);
        }
    }
}

START_TEST(event__in_whatever_order_they_come_the_end_is_the_same) /* [PAY-2] */
{
    char first[2000] = "";
    char now[2000];
    shop s;
    shop_open(&s);
    for (int order = 0; order < 24; order++) {
        static const char *const types[] = {"payment_intent.created", "payment_intent.succeeded",
                                            "payment_intent.payment_failed", "charge.refunded"};
        bool told[4] = {false, false, false, false};
        uint32_t id = 0x40 + (uint32_t)order;
        char object[400];
        (void)snprintf(object, sizeof object,
                       "{\"amount_received\":4999,\"currency\":\"eur\",\"refunded\":true,"
                       "\"metadata\":{\"id\":\"%s\"}}",
                       id_of(id));
        ck_assert_int_eq(shop_buy_status(&s, &s.athlete, id, "program_id", 0x200), 201);
        for (int left = 4, rest = order; left > 0; rest /= left, left--) {
            int skip = rest % left;
            size_t at = 0;
            while (told[at] || skip-- > 0) {
                at++;
            }
            told[at] = true;
            tell(&s, types[at], 1, object);
        }
        state_text(&s, id, now, sizeof now);
        if (order == 0) {
            memcpy(first, now, sizeof first);
            ck_assert_ptr_nonnull(strstr(first, "refunded"));
        }
        char *at = strstr(now, id_of(id)); /* the purchase's, which is the charge's own */
        if (at != NULL) {
            memcpy(at, strstr(first, id_of(0x40)), SL_UUID_LEN);
        }
        ck_assert_str_eq(now, first);
    }
    shop_close(&s);
}
END_TEST

/* What is told of fails, with the first, second, ... allocation or call of the database, until it does not: told
 * again it is done once. */
static void survive_event(shop *s, uint32_t id, bool memory, const char *type)
{
    char object[400];
    int32_t status = 500;
    uint32_t number = ++s->events;
    (void)snprintf(object, sizeof object,
                   "{\"amount_received\":4999,\"currency\":\"eur\",\"refunded\":true,"
                   "\"metadata\":{\"id\":\"%s\"}}",
                   id_of(id));
    uint64_t k = 0;
    while (status != 204) {
        k++;
        s->w->db_fault = SL_E_FULL;
        s->w->db_fail_at = memory ? 0 : k;
        (void)sl_mem_fail_at(memory ? k : 0, false);
        status = tell_numbered(s, number, type, 1, object);
        (void)sl_mem_fail_at(0, false);
        s->w->db_fail_at = 0;
        ck_assert_msg(status == 204 || status >= 500, "%s: %d at %d", type, status, (int)k);
    }
    ck_assert_uint_gt(k, 20);
}

START_TEST(event__survives_every_failure_of_memory_and_of_the_database)
{
    char state[2000];
    shop s;
    shop_open(&s);
    /* What the planner says of each statement is looked at once, and needs memory of its own. */
    ck_assert_int_eq(shop_buy_status(&s, &s.athlete, 0x10, "program_id", 0x200), 201);
    tell_paid(&s, 0x10, 4999);
    tell_refunded(&s, 0x10, true);
    for (uint32_t id = 0x11; id < 0x13; id++) {
        ck_assert_int_eq(shop_buy_status(&s, &s.athlete, id, "program_id", 0x200), 201);
        survive_event(&s, id, id == 0x11, "payment_intent.succeeded");
        state_text(&s, id, state, sizeof state);
        ck_assert_ptr_nonnull(strstr(state, "holds succeeded"));
        ck_assert_ptr_nonnull(strstr(state, " 500 4499"));
        survive_event(&s, id, id == 0x11, "charge.refunded");
        ck_assert(!shop_holds(&s, &s.athlete));
    }
    shop_close(&s);
}
END_TEST

START_TEST(payment__begun_survives_every_allocation_failure)
{
    shop s;
    shop_open(&s);
    ck_assert_int_eq(shop_buy_status(&s, &s.athlete, 0x10, "program_id", 0x200), 201);
    bool hit = true;
    for (uint64_t k = 1; hit; k++) {
        (void)sl_mem_fail_at(k, false);
        int32_t status = shop_buy_status(&s, &s.athlete, 0x11, "program_id", 0x200);
        hit = sl_mem_fail_at(0, false) >= k;
        ck_assert_msg(status == 201 || status == 200 || (hit && status >= 500), "%d at %d", status,
                      (int)k);
    }
    ck_assert_uint_eq(s.p.made, 2);
    shop_close(&s);
}
END_TEST

START_TEST(payment__is_not_there_without_a_provider)
{
    shop s;
    memset(&s, 0, sizeof s);
    s.w = world_new();
    person_make(s.w, &s.coach, "coach@x.y", "coach", 1);
    ck_assert_int_eq(shop_buy_status(&s, &s.coach, 0x10, "program_id", 0x200), 404);
    ck_assert_int_eq(shop_buy_status(&s, &s.coach, 0x10, "plan_id", 0x400), 404);
    ck_assert_int_eq(send_signed(&s, "{}", s.w->now_ms / 1000, WORLD_SECRET), 404);
    shop_close(&s);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        price__is_set_by_the_owner_alone_within_its_limits,
        payment__gives_what_is_bought_when_the_provider_says_so_and_not_before,
        payment__is_one_however_often_it_is_asked_for_and_told_of,
        payment__of_another_amount_or_charge_gives_nothing,
        payment__paid_back_takes_what_was_had_for_it_and_nothing_else,
        payment__disputed_stays_until_it_is_lost,
        payment__of_who_is_gone_gives_nothing,
        payment__has_no_id_that_the_server_makes,
        payment__is_not_begun_for_what_is_not_offered_or_could_not_be_opened,
        event__must_be_signed_lately_and_by_the_provider,
        event__in_whatever_order_they_come_the_end_is_the_same,
        event__survives_every_failure_of_memory_and_of_the_database,
        payment__begun_survives_every_allocation_failure,
        payment__is_not_there_without_a_provider};
    world_start();
    int code = sl_test_run(sl_test_suite("pay", tests, sizeof tests / sizeof tests[0]));
    world_end();
    return code;
}
