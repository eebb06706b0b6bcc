/* Money: prices, payments, subscriptions, and what the provider tells of them. */
#include "support.h"

#include "base/base64.h"
#include "crypto/hash.h"
#include "service/inside.h"
#include "unit/service/world.h"

#include <stdio.h>
#include <string.h>

/* The provider: what it was asked last, and how it answers. */
typedef struct provider {
    char path[200];
    char form[2000];
    char key[128];
    size_t asked;
    size_t made; /* requests with a key that is new */
    char keys[32][128];
    sl_status fault;
} provider;

typedef struct scene {
    world *w;
    provider p;
    person coach;
    person athlete;
    char shop[SL_SPACE_MAX];
    char program[SL_SPACE_MAX];
    uint32_t events;
} scene;

static sl_status pay(void *ctx, const char *path, const char *form, const char *key, sl_bytes **out,
                     sl_error **err)
{
    provider *p = ((world *)ctx)->pay_ctx;
    (void)err;
    char text[400];
    size_t at = 0;
    (void)snprintf(p->path, sizeof p->path, "%s", path);
    (void)snprintf(p->form, sizeof p->form, "%s", form != NULL ? form : "DELETE");
    (void)snprintf(p->key, sizeof p->key, "%s", key);
    p->asked++;
    *out = NULL;
    if (p->fault != SL_OK) {
        return p->fault;
    }
    while (at < p->made && strcmp(p->keys[at], key) != 0) {
        at++;
    }
    if (at == p->made) {
        ck_assert_uint_lt(p->made, 32);
        (void)snprintf(p->keys[p->made++], sizeof p->keys[0], "%s", key);
    }
    if (strcmp(path, "subscriptions") == 0) {
        (void)snprintf(text, sizeof text,
                       "{\"id\":\"sub_%zu\",\"status\":\"incomplete\",\"latest_invoice\":{"
                       "\"payment_intent\":{\"client_secret\":\"secret_%zu\"}}}",
                       at, at);
    } else {
        (void)snprintf(text, sizeof text, "{\"id\":\"ref_%zu\",\"client_secret\":\"secret_%zu\"}",
                       at, at);
    }
    *out = sl_bytes_copy(text, strlen(text));
    return SL_OK;
}

static int32_t ask(scene *s, const person *p, const char *path, const char *body)
{
    answer a = signed_request(s->w, p, "POST", path, "content-type: application/json\n", body,
                              strlen(body));
    int32_t status = a.status;
    answer_free(&a);
    return status;
}

static int32_t set_price(scene *s, const person *p, const char *entity, uint32_t id, int64_t price)
{
    char body[300];
    (void)snprintf(body, sizeof body,
                   "{\"entity\":\"%s\",\"id\":\"%s\",\"price_minor\":%lld,\"currency\":\"EUR\"}",
                   entity, id_of(id), (long long)price);
    return ask(s, p, "/api/v1/prices", body);
}

/* A coach with a shop: program 0x200 for 49.99, product 0x300 of it for 25.00, plan 0x400 for 9.90 a month. */
static void set(scene *s)
{
    memset(s, 0, sizeof *s);
    s->w = world_new();
    s->w->pay = pay;
    s->w->pay_ctx = &s->p;
    world_reopen(s->w);
    person_make(s->w, &s->coach, "coach@x.y", "coach", 1);
    person_make(s->w, &s->athlete, "athlete@x.y", "athlete", 2);
    sl_space_name(s->shop, "coach", s->coach.id);
    sl_space_name(s->program, "program", id_of(0x200));
    must(op(s->w, &s->coach, "create", "coach", s->shop, s->coach.id, "{\"name\":\"Cleo\"}"),
         "applied");
    must(op(s->w, &s->coach, "create", "program", s->program, id_of(0x200),
            "{\"title\":\"Serve & volley\",\"status\":\"published\"}"),
         "applied");
    char fields[200];
    (void)snprintf(fields, sizeof fields,
                   "{\"title\":\"In short\",\"kind\":\"program\",\"status\":\"offered\","
                   "\"program_id\":\"%s\"}",
                   id_of(0x200));
    must(op(s->w, &s->coach, "create", "product", s->shop, id_of(0x300), fields), "applied");
    must(op(s->w, &s->coach, "create", "subscription_plan", s->shop, id_of(0x400),
            "{\"title\":\"Each month\",\"period\":\"month\",\"status\":\"offered\"}"),
         "applied");
    ck_assert_int_eq(set_price(s, &s->coach, "program", 0x200, 4999), 204);
    ck_assert_int_eq(set_price(s, &s->coach, "product", 0x300, 2500), 204);
    ck_assert_int_eq(set_price(s, &s->coach, "subscription_plan", 0x400, 990), 204);
}

static void unset(scene *s)
{
    world_free(s->w);
}

static answer buy(scene *s, const person *p, uint32_t id, const char *what, uint32_t object)
{
    char body[400];
    (void)snprintf(body, sizeof body, "{\"id\":\"%s\",\"coach_id\":\"%s\",\"%s\":\"%s\"}",
                   id_of(id), s->coach.id, what, id_of(object));
    const char *path = strcmp(what, "plan_id") == 0 ? "/api/v1/subscriptions" : "/api/v1/payments";
    return signed_request(s->w, p, "POST", path, "content-type: application/json\n", body,
                          strlen(body));
}

static int32_t buy_status(scene *s, const person *p, uint32_t id, const char *what, uint32_t object)
{
    answer a = buy(s, p, id, what, object);
    int32_t status = a.status;
    answer_free(&a);
    return status;
}

/* ---- events ---- */

static int32_t send_signed(scene *s, const char *body, int64_t at_s, const char *secret)
{
    uint8_t mac[SL_SHA256_LEN];
    char hex[2 * SL_SHA256_LEN + 1] = "";
    char text[4096];
    char headers[200];
    int n = snprintf(text, sizeof text, "%lld.%s", (long long)at_s, body);
    sl_hmac_sha256(secret, strlen(secret), text, (size_t)n, mac);
    sl_hex(hex, mac, sizeof mac);
    (void)snprintf(headers, sizeof headers, "stripe-signature: t=%lld,v1=%s,v0=00\n",
                   (long long)at_s, hex);
    answer a = request(s->w, "POST", "/webhooks/stripe", headers, body, strlen(body));
    int32_t status = a.status;
    answer_free(&a);
    return status;
}

/* An event of its own, or a second time the one with this number. */
static int32_t tell_numbered(scene *s, uint32_t number, const char *type, int64_t created,
                             const char *object)
{
    char body[2000];
    (void)snprintf(body, sizeof body,
                   "{\"id\":\"evt_%u\",\"type\":\"%s\",\"created\":%lld,\"data\":{\"object\":%s}}",
                   number, type, (long long)created, object);
    return send_signed(s, body, s->w->now_ms / 1000, WORLD_SECRET);
}

static void tell(scene *s, const char *type, int64_t created, const char *object)
{
    ck_assert_int_eq(tell_numbered(s, ++s->events, type, created, object), 204);
}

static void tell_paid(scene *s, uint32_t id, int64_t amount)
{
    char object[400];
    (void)snprintf(object, sizeof object,
                   "{\"amount_received\":%lld,\"currency\":\"eur\",\"metadata\":{\"id\":\"%s\"}}",
                   (long long)amount, id_of(id));
    tell(s, "payment_intent.succeeded", 1, object);
}

static void tell_refunded(scene *s, uint32_t id, bool whole)
{
    char object[400];
    (void)snprintf(object, sizeof object, "{\"refunded\":%s,\"metadata\":{\"id\":\"%s\"}}",
                   whole ? "true" : "false", id_of(id));
    tell(s, "charge.refunded", 1, object);
}

/* until: days from now. */
static void tell_subscribed(scene *s, uint32_t id, const char *status, int64_t created, int until)
{
    char object[400];
    (void)snprintf(object, sizeof object,
                   "{\"status\":\"%s\",\"current_period_start\":1700000000,"
                   "\"current_period_end\":%lld,\"metadata\":{\"id\":\"%s\"}}",
                   status, (long long)(s->w->now_ms / 1000 + until * 86400), id_of(id));
    tell(s, "customer.subscription.updated", created, object);
}

/* ---- what is kept ---- */

/* A field of the record in this person's own space that is there; "" when it is not. */
static const char *kept(const scene *s, const char *entity, const person *p, const char *id,
                        const char *field)
{
    static char text[512];
    char sql[300];
    (void)snprintf(sql, sizeof sql,
                   "SELECT CAST(\"%s\" AS TEXT) FROM \"%s\" WHERE \"space\"=$1 AND \"id\"=$2 AND"
                   " \"deleted\"=0",
                   field, entity);
    return world_rows(s->w, text, sql, p->own, id) > 0 ? text : "";
}

static bool holds(const scene *s, const person *p)
{
    return world_rows(s->w, NULL, "SELECT 1 FROM access WHERE user_id=$1 AND space=$2", p->id,
                      s->program) > 0;
}

/* All charges were begun so much before they were. */
static void made_earlier(const scene *s, int ms)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%d", ms);
    (void)world_rows(s->w, NULL, "UPDATE charge SET made_ms=made_ms-CAST($1 AS BIGINT) WHERE $2=$2",
                     text, "");
}

START_TEST(price__is_set_by_the_owner_alone_within_its_limits)
{
    scene s;
    set(&s);
    ck_assert_int_eq(set_price(&s, &s.coach, "program", 0x200, 99999999), 204);
    ck_assert_int_eq(set_price(&s, &s.coach, "program", 0x200, 100000000), 422);
    ck_assert_int_eq(set_price(&s, &s.coach, "program", 0x200, 0), 204);
    ck_assert_int_eq(set_price(&s, &s.coach, "program", 0x200, -1), 422);
    ck_assert_int_eq(set_price(&s, &s.coach, "video", 0x200, 1), 422);
    ck_assert_int_eq(set_price(&s, &s.coach, "product", 0x200, 1), 404);
    ck_assert_int_eq(set_price(&s, &s.athlete, "program", 0x200, 1), 404);
    ck_assert_int_eq(set_price(&s, &s.athlete, "product", 0x300, 1), 404); /* of a shop of hers */
    ck_assert_int_eq(ask(&s, &s.coach, "/api/v1/prices",
                         "{\"entity\":\"program\",\"id\":\"x\",\"price_minor\":1,"
                         "\"currency\":\"eur\"}"),
                     422);
    unset(&s);
}
END_TEST

START_TEST(payment__gives_what_is_bought_when_the_provider_says_so_and_not_before) /* [PAY-1] */
{
    scene s;
    set(&s);
    answer a = buy(&s, &s.athlete, 0x10, "program_id", 0x200);
    ck_assert_int_eq(a.status, 201);
    ck_assert_str_eq(sl_json_str(a.body, "status"), "pending");
    ck_assert_str_eq(sl_json_str(a.body, "client_secret"), "secret_0");
    ck_assert_int_eq(sl_json_int_or(a.body, "amount_minor", 0), 4999);
    answer_free(&a);
    ck_assert_str_eq(s.p.path, "payment_intents");
    ck_assert_ptr_nonnull(strstr(s.p.form, "amount=4999&currency=eur&"));
    ck_assert_ptr_nonnull(strstr(s.p.form, "description=Serve%20%26%20volley&"));
    ck_assert_str_eq(kept(&s, "payment", &s.athlete, id_of(0x10), "status"), "pending");
    ck_assert(!holds(&s, &s.athlete));
    frames_clear(s.w);
    tell_paid(&s, 0x10, 4999);
    ck_assert(holds(&s, &s.athlete));
    ck_assert_str_eq(kept(&s, "payment", &s.athlete, id_of(0x10), "status"), "succeeded");
    ck_assert_str_eq(kept(&s, "purchase", &s.athlete, id_of(0x10), "status"), "paid");
    ck_assert_str_eq(kept(&s, "purchase", &s.coach, id_of(0x10), "buyer_id"), s.athlete.id);
    ck_assert_str_eq(kept(&s, "enrollment", &s.coach, id_of(0x10), "status"), "active");
    ck_assert_str_eq(kept(&s, "access_right", &s.athlete, id_of(0x10), "target"), s.program);
    ck_assert_str_eq(kept(&s, "earning", &s.coach, id_of(0x10), "fee_minor"), "500");
    ck_assert_str_eq(kept(&s, "earning", &s.coach, id_of(0x10), "amount_minor"), "4499");
    ck_assert_int_eq(buy_status(&s, &s.athlete, 0x11, "program_id", 0x200), 409); /* has it */
    unset(&s);
}
END_TEST

START_TEST(payment__is_one_however_often_it_is_asked_for_and_told_of) /* [PAY-2] [PAY-3] */
{
    scene s;
    char object[300];
    set(&s);
    s.p.fault = SL_E_NETWORK;
    ck_assert_int_eq(buy_status(&s, &s.athlete, 0x10, "program_id", 0x200), 503);
    s.p.fault = SL_E_INVALID;
    ck_assert_int_eq(buy_status(&s, &s.athlete, 0x10, "program_id", 0x200), 409);
    s.p.fault = SL_OK;
    ck_assert_int_eq(set_price(&s, &s.coach, "program", 0x200, 1), 204); /* too late for it */
    ck_assert_int_eq(buy_status(&s, &s.athlete, 0x10, "program_id", 0x200), 200);
    ck_assert_int_eq(buy_status(&s, &s.athlete, 0x10, "program_id", 0x200), 200);
    ck_assert_ptr_nonnull(strstr(s.p.form, "amount=4999&"));
    ck_assert_uint_eq(s.p.made, 1);
    ck_assert_int_eq(buy_status(&s, &s.athlete, 0x10, "product_id", 0x300), 409);
    made_earlier(&s, 20 * 3600 * 1000 - 1);
    ck_assert_int_eq(buy_status(&s, &s.athlete, 0x10, "program_id", 0x200), 200);
    made_earlier(&s, 1);
    ck_assert_int_eq(buy_status(&s, &s.athlete, 0x10, "program_id", 0x200), 409); /* too old */
    (void)snprintf(object, sizeof object,
                   "{\"amount_received\":4999,\"currency\":\"eur\",\"metadata\":{\"id\":\"%s\"}}",
                   id_of(0x10));
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(tell_numbered(&s, 77, "payment_intent.succeeded", 1, object), 204);
    }
    tell(&s, "payment_intent.succeeded", 2, object); /* another event of the same */
    tell(&s, "payment_intent.payment_failed", 3, object);
    ck_assert_str_eq(kept(&s, "payment", &s.athlete, id_of(0x10), "status"), "succeeded");
    char count[512];
    (void)world_rows(
        s.w, count,
        "SELECT CAST(\"enrolled_count\" AS TEXT) FROM \"program\" WHERE \"space\"=$1 AND $2=$2",
        s.program, "");
    ck_assert_str_eq(count, "1");
    unset(&s);
}
END_TEST

START_TEST(payment__of_another_amount_or_charge_gives_nothing)
{
    scene s;
    set(&s);
    ck_assert_int_eq(buy_status(&s, &s.athlete, 0x10, "product_id", 0x300), 201);
    tell_paid(&s, 0x10, 2499);
    tell_paid(&s, 0x11, 2500);
    tell(&s, "payment_intent.succeeded", 1, "{\"amount_received\":2500,\"currency\":\"eur\"}");
    ck_assert(!holds(&s, &s.athlete));
    ck_assert_str_eq(kept(&s, "payment", &s.athlete, id_of(0x10), "status"), "pending");
    tell_paid(&s, 0x10, 2500);
    ck_assert(holds(&s, &s.athlete));
    ck_assert_str_eq(kept(&s, "purchase", &s.coach, id_of(0x10), "product_id"), id_of(0x300));
    unset(&s);
}
END_TEST

START_TEST(payment__paid_back_takes_what_was_had_for_it_and_nothing_else)
{
    scene s;
    set(&s);
    ck_assert_int_eq(buy_status(&s, &s.athlete, 0x10, "program_id", 0x200), 201);
    ck_assert_int_eq(buy_status(&s, &s.athlete, 0x11, "product_id", 0x300), 201); /* twice */
    tell_paid(&s, 0x10, 4999);
    tell_paid(&s, 0x11, 2500);
    tell_refunded(&s, 0x10, false);
    ck_assert_str_eq(kept(&s, "payment", &s.athlete, id_of(0x10), "status"), "succeeded");
    tell_refunded(&s, 0x10, true);
    ck_assert(holds(&s, &s.athlete)); /* by the other */
    ck_assert_str_eq(kept(&s, "purchase", &s.coach, id_of(0x10), "status"), "refunded");
    ck_assert_str_eq(kept(&s, "earning", &s.coach, id_of(0x10), "fee_minor"), "");
    ck_assert_str_eq(kept(&s, "access_right", &s.athlete, id_of(0x10), "target"), "");
    tell_refunded(&s, 0x11, true);
    ck_assert(!holds(&s, &s.athlete));
    ck_assert_str_eq(kept(&s, "enrollment", &s.athlete, id_of(0x11), "status"), "cancelled");
    ck_assert_int_eq(buy_status(&s, &s.athlete, 0x12, "program_id", 0x200), 201);
    tell_refunded(&s, 0x12, true); /* told of first */
    tell_paid(&s, 0x12, 4999);
    ck_assert(!holds(&s, &s.athlete)); /* [PAY-2] */
    unset(&s);
}
END_TEST

START_TEST(payment__is_not_begun_for_what_is_not_offered_or_could_not_be_opened) /* [PAY-4] */
{
    scene s;
    set(&s);
    ck_assert_int_eq(buy_status(&s, &s.athlete, 0x10, "program_id", 0x201), 422);
    ck_assert_int_eq(buy_status(&s, &s.athlete, 0x10, "product_id", 0x301), 422);
    ck_assert_int_eq(buy_status(&s, &s.coach, 0x10, "program_id", 0x200), 422); /* one's own */
    ck_assert_int_eq(set_price(&s, &s.coach, "program", 0x200, 0), 204);
    ck_assert_int_eq(buy_status(&s, &s.athlete, 0x10, "program_id", 0x200), 422);
    ck_assert_int_eq(set_price(&s, &s.coach, "program", 0x200, 4999), 204);
    must(op(s.w, &s.coach, "patch", "program", s.program, id_of(0x200), "{\"status\":\"draft\"}"),
         "applied");
    ck_assert_int_eq(buy_status(&s, &s.athlete, 0x10, "program_id", 0x200), 422);
    ck_assert_int_eq(buy_status(&s, &s.athlete, 0x10, "product_id", 0x300), 422);
    must(op(s.w, &s.coach, "patch", "program", s.program, id_of(0x200),
            "{\"status\":\"published\"}"),
         "applied");
    (void)world_rows(s.w, NULL, "UPDATE account SET plan='expired' WHERE id=$1 AND $2=$2",
                     s.athlete.id, "");
    sl_sv_known_forget(s.w->s);
    ck_assert_int_eq(buy_status(&s, &s.athlete, 0x10, "program_id", 0x200), 403);
    ck_assert_uint_eq(s.p.asked, 0);
    unset(&s);
}
END_TEST

START_TEST(event__must_be_signed_lately_and_by_the_provider)
{
    scene s;
    static const char body[] =
        "{\"id\":\"evt_1\",\"type\":\"x\",\"created\":1,\"data\":{\"object\":{}}}";
    set(&s);
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
    unset(&s);
}
END_TEST

/* What is kept of a charge, but for the times of it. */
static void state_text(const scene *s, uint32_t id, char *out, size_t room)
{
    static const char *const asked[][3] = {{"payment", "status", "purchase_id"},
                                           {"purchase", "status", "amount_minor"},
                                           {"enrollment", "status", "program_id"},
                                           {"access_right", "target", "source"},
                                           {"earning", "fee_minor", "amount_minor"}};
    const person *whose[] = {&s->athlete, &s->coach};
    size_t n = (size_t)snprintf(out, room, "%s", holds(s, &s->athlete) ? "holds" : "");
    for (size_t i = 0; i < 2 * sizeof asked / sizeof asked[0]; i++) {
        const char *const *a = asked[i / 2];
        for (size_t f = 1; f < 3; f++) {
            const char *text = kept(s, a[0], whose[i % 2], id_of(id), a[f]);
            n += (size_t)snprintf(out + n, room - n, " %s", text);
        }
    }
}

START_TEST(event__in_whatever_order_they_come_the_end_is_the_same) /* [PAY-2] */
{
    char first[2000] = "";
    char now[2000];
    scene s;
    set(&s);
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
        ck_assert_int_eq(buy_status(&s, &s.athlete, id, "program_id", 0x200), 201);
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
    unset(&s);
}
END_TEST

START_TEST(subscription__is_what_the_newest_event_says)
{
    scene s;
    set(&s);
    answer a = buy(&s, &s.athlete, 0x10, "plan_id", 0x400);
    ck_assert_int_eq(a.status, 201);
    ck_assert_ptr_nonnull(sl_json_str(a.body, "client_secret"));
    answer_free(&a);
    ck_assert_uint_eq(s.p.asked, 3); /* the customer, the product, the subscription */
    ck_assert_ptr_nonnull(strstr(s.p.form, "unit_amount]=990&"));
    ck_assert_str_eq(kept(&s, "subscription", &s.athlete, id_of(0x10), "status"), "");
    tell_subscribed(&s, 0x10, "incomplete", 1, 30);
    ck_assert_str_eq(kept(&s, "subscription", &s.athlete, id_of(0x10), "status"), "");
    tell_subscribed(&s, 0x10, "active", 10, 30);
    tell_subscribed(&s, 0x10, "trialing", 9, 7); /* late */
    ck_assert_str_eq(kept(&s, "subscription", &s.athlete, id_of(0x10), "status"), "active");
    ck_assert_str_eq(kept(&s, "subscription", &s.coach, id_of(0x10), "subscriber_id"),
                     s.athlete.id);
    ck_assert_int_eq(buy_status(&s, &s.athlete, 0x11, "plan_id", 0x400), 409);
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
    ck_assert_str_eq(kept(&s, "subscription", &s.athlete, id_of(0x10), "status"), "cancelled");
    ck_assert_int_eq(buy_status(&s, &s.athlete, 0x11, "plan_id", 0x400), 201);
    ck_assert_uint_eq(s.p.asked, 4); /* the customer and the plan are known there */
    unset(&s);
}
END_TEST

START_TEST(subscription__makes_an_athlete_a_paying_one_while_it_runs)
{
    scene s;
    char plan[512];
    static const char sql[] =
        "SELECT plan || ' ' || plan_until_ms FROM account WHERE id=$1 AND $2=$2";
    set(&s);
    (void)world_rows(s.w, NULL, "UPDATE account SET plan='expired' WHERE id=$1 AND $2=$2",
                     s.athlete.id, "");
    sl_sv_known_forget(s.w->s);
    person_connect(s.w, &s.athlete);
    ck_assert_int_eq(buy_status(&s, &s.athlete, 0x10, "plan_id", 0x400), 201);
    tell_subscribed(&s, 0x10, "active", 1, 30);
    char want[64];
    (void)snprintf(want, sizeof want, "active %lld",
                   (long long)(s.w->now_ms + INT64_C(33) * 86400000));
    (void)world_rows(s.w, plan, sql, s.athlete.id, "");
    ck_assert_str_eq(plan, want);
    ck_assert_int_ne(closed_with(s.w, s.athlete.conn), 0); /* and comes back as one */
    ck_assert_int_eq(buy_status(&s, &s.athlete, 0x20, "program_id", 0x200), 201);
    tell_subscribed(&s, 0x10, "unpaid", 2, 30);
    (void)world_rows(s.w, plan, sql, s.athlete.id, "");
    ck_assert_int_eq(strncmp(plan, "expired ", 8), 0);
    ck_assert_int_eq(buy_status(&s, &s.athlete, 0x21, "program_id", 0x200), 403);
    (void)world_rows(s.w, plan, sql, s.coach.id, "");
    ck_assert_str_eq(plan, ""); /* nobody else's */
    unset(&s);
}
END_TEST

START_TEST(subscription__ends_by_request_with_its_period_and_with_the_account_at_once)
{
    scene s;
    char path[100];
    set(&s);
    ck_assert_int_eq(buy_status(&s, &s.athlete, 0x10, "plan_id", 0x400), 201);
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
    ck_assert_int_eq(ask(&s, &s.athlete, "/api/v1/account/erase", erase), 503);
    s.p.fault = SL_OK;
    ck_assert_int_eq(ask(&s, &s.athlete, "/api/v1/account/erase", erase), 204);
    ck_assert_str_eq(s.p.form, "DELETE");
    tell_subscribed(&s, 0x10, "canceled", 2, 30); /* of nobody's: taken, and nothing comes of it */
    ck_assert_str_eq(kept(&s, "subscription", &s.coach, id_of(0x10), "status"), "cancelled");
    unset(&s);
}
END_TEST

START_TEST(payment__is_not_there_without_a_provider)
{
    scene s;
    memset(&s, 0, sizeof s);
    s.w = world_new();
    person_make(s.w, &s.coach, "coach@x.y", "coach", 1);
    ck_assert_int_eq(buy_status(&s, &s.coach, 0x10, "program_id", 0x200), 404);
    ck_assert_int_eq(buy_status(&s, &s.coach, 0x10, "plan_id", 0x400), 404);
    ck_assert_int_eq(send_signed(&s, "{}", s.w->now_ms / 1000, WORLD_SECRET), 404);
    unset(&s);
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
        payment__is_not_begun_for_what_is_not_offered_or_could_not_be_opened,
        event__must_be_signed_lately_and_by_the_provider,
        event__in_whatever_order_they_come_the_end_is_the_same,
        subscription__is_what_the_newest_event_says,
        subscription__makes_an_athlete_a_paying_one_while_it_runs,
        subscription__ends_by_request_with_its_period_and_with_the_account_at_once,
        payment__is_not_there_without_a_provider};
    world_start();
    int code = sl_test_run(sl_test_suite("pay", tests, sizeof tests / sizeof tests[0]));
    world_end();
    return code;
}
