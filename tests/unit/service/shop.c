#include "unit/service/shop.h"

#include "support.h"

#include "base/base64.h"
#include "base/mem.h"
#include "crypto/hash.h"

#include <stdio.h>
#include <string.h>

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
    sl_mem_spare(true); /* the memory that a test takes away is the service's */
    *out = sl_bytes_copy(text, strlen(text));
    sl_mem_spare(false);
    return SL_OK;
}

int32_t shop_ask(shop *s, const person *p, const char *path, const char *body)
{
    answer a = signed_request(s->w, p, "POST", path, "content-type: application/json\n", body,
                              strlen(body));
    int32_t status = a.status;
    answer_free(&a);
    return status;
}

int32_t shop_price(shop *s, const person *p, const char *entity, uint32_t id, int64_t price)
{
    char body[300];
    (void)snprintf(body, sizeof body,
                   "{\"entity\":\"%s\",\"id\":\"%s\",\"price_minor\":%lld,\"currency\":\"EUR\"}",
                   entity, id_of(id), (long long)price);
    return shop_ask(s, p, "/api/v1/prices", body);
}

void shop_open(shop *s)
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
    ck_assert_int_eq(shop_price(s, &s->coach, "program", 0x200, 4999), 204);
    ck_assert_int_eq(shop_price(s, &s->coach, "product", 0x300, 2500), 204);
    ck_assert_int_eq(shop_price(s, &s->coach, "subscription_plan", 0x400, 990), 204);
}

void shop_close(shop *s)
{
    world_free(s->w);
}

answer shop_buy(shop *s, const person *p, uint32_t id, const char *what, uint32_t object)
{
    char body[400];
    (void)snprintf(body, sizeof body, "{\"id\":\"%s\",\"coach_id\":\"%s\",\"%s\":\"%s\"}",
                   id_of(id), s->coach.id, what, id_of(object));
    const char *path = strcmp(what, "plan_id") == 0 ? "/api/v1/subscriptions" : "/api/v1/payments";
    return signed_request(s->w, p, "POST", path, "content-type: application/json\n", body,
                          strlen(body));
}

int32_t shop_buy_status(shop *s, const person *p, uint32_t id, const char *what, uint32_t object)
{
    answer a = shop_buy(s, p, id, what, object);
    int32_t status = a.status;
    answer_free(&a);
    return status;
}

/* ---- events ---- */

int32_t send_signed(shop *s, const char *body, int64_t at_s, const char *secret)
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

int32_t tell_numbered(shop *s, uint32_t number, const char *type, int64_t created,
                      const char *object)
{
    char body[2000];
    (void)snprintf(body, sizeof body,
                   "{\"id\":\"evt_%u\",\"type\":\"%s\",\"created\":%lld,\"data\":{\"object\":%s}}",
                   number, type, (long long)created, object);
    return send_signed(s, body, s->w->now_ms / 1000, WORLD_SECRET);
}

void tell(shop *s, const char *type, int64_t created, const char *object)
{
    ck_assert_int_eq(tell_numbered(s, ++s->events, type, created, object), 204);
}

void tell_paid(shop *s, uint32_t id, int64_t amount)
{
    char object[400];
    (void)snprintf(object, sizeof object,
                   "{\"amount_received\":%lld,\"currency\":\"eur\",\"metadata\":{\"id\":\"%s\"}}",
                   (long long)amount, id_of(id));
    tell(s, "payment_intent.succeeded", 1, object);
}

void tell_refunded(shop *s, uint32_t id, bool whole)
{
    char object[400];
    (void)snprintf(object, sizeof object, "{\"refunded\":%s,\"metadata\":{\"id\":\"%s\"}}",
                   whole ? "true" : "false", id_of(id));
    tell(s, "charge.refunded", 1, object);
}

void tell_subscribed(shop *s, uint32_t id, const char *status, int64_t created, int until)
{
    char object[400];
    (void)snprintf(object, sizeof object,
                   "{\"status\":\"%s\",\"current_period_start\":1700000000,"
                   "\"current_period_end\":%lld,\"metadata\":{\"id\":\"%s\"}}",
                   status, (long long)(s->w->now_ms / 1000 + until * 86400), id_of(id));
    tell(s, "customer.subscription.updated", created, object);
}

/* ---- what is kept ---- */

const char *shop_kept(const shop *s, const char *entity, const person *p, const char *id,
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

bool shop_holds(const shop *s, const person *p)
{
    return world_rows(s->w, NULL, "SELECT 1 FROM access WHERE user_id=$1 AND space=$2", p->id,
                      s->program) > 0;
}
