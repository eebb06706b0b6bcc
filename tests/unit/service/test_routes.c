/*
 * Every route, asked by every standing for what stands to it in every relation: the answers are a text,
 * tests/golden/routes.txt, which people have read line by line (SL_GOLDEN_WRITE=1 writes it). Those about a space are
 * in routes_of_spaces.c, all others here, each in a world of its own: what it does to the sessions ends with it.
 *
 * There is no other provider of sign-in here (test_oidc.c has one), no second factor is asked for (test_signin.c), and the
 * provider of payments takes all (test_pay.c).
 */
#include "base/base64.h"
#include "base/mem.h"
#include "crypto/hash.h"
#include "crypto/key.h"
#include "support.h"
#include "unit/service/attempt.h"

#include <stdio.h>
#include <string.h>

static const char PATH[] = "tests/golden/routes.txt";
static const char TUS[] = "tus-resumable: 1.0.0\n";
static const char TUS_BYTES[] =
    "tus-resumable: 1.0.0\ncontent-type: application/offset+octet-stream\nupload-offset: 0\n";

#define SECRET "\"a password as long\""

/* ---- what a request is about ---- */

static void set_object(stand *here, const char *text)
{
    (void)snprintf(here->object, sizeof here->object, "%s", text);
}

static answer ask(stand *here, const char *method, const char *path, const char *body)
{
    stage *s = &here->s;
    return signed_request(s->w, &s->subject, method, path, "content-type: application/json\n", body,
                          strlen(body));
}

/* The token of the mail that the path sends. */
static void take_mail(stand *here, const char *path)
{
    char body[100];
    (void)snprintf(body, sizeof body, "{\"email\":\"%s\"}", here->s.subject.email);
    answer a = ask(here, "POST", path, body);
    ck_assert_int_eq(a.status, 202);
    const char *at = strchr(here->s.w->mail_text, '#');
    ck_assert_ptr_nonnull(at);
    (void)snprintf(here->object, sizeof here->object, "%.*s", (int)strcspn(at + 1, "\n"), at + 1);
    answer_free(&a);
}

static void verify_mail(stand *here)
{
    take_mail(here, "/api/v1/auth/verify/send");
}

static void reset_mail(stand *here)
{
    take_mail(here, "/api/v1/auth/reset/send");
}

static void own_refresh(stand *here)
{
    set_object(here, here->s.subject.refresh);
}

static void own_id(stand *here)
{
    set_object(here, here->s.subject.id);
}

static void other_id(stand *here)
{
    set_object(here, here->s.coach.id);
}

static void other_device(stand *here)
{
    set_object(here, here->s.coach.device);
}

/* A code of an authenticator that is not in force yet. */
static void secret(stand *here)
{
    answer a = ask(here, "POST", "/api/v1/auth/totp", "");
    ck_assert_int_eq(a.status, 200);
    set_object(here, code_at(sl_json_str(a.body, "secret"), here->s.w->now_ms));
    answer_free(&a);
}

static void authenticator(stand *here)
{
    char body[2020];
    secret(here);
    (void)snprintf(body, sizeof body, "{\"code\":\"%s\"}", here->object);
    answer a = ask(here, "POST", "/api/v1/auth/totp/confirm", body);
    ck_assert_int_eq(a.status, 200);
    (void)snprintf(here->s.subject.access, sizeof here->s.subject.access, "%s",
                   sl_json_str(a.body, "access_token"));
    answer_free(&a);
}

static void begin_upload(stand *here, const person *p)
{
    char sha[65];
    char location[128];
    sha_of("bytes", sha);
    ck_assert_int_eq(upload_create(here->s.w, p, p->own, sha, 5, location), 201);
    set_object(here, strrchr(location, '/') + 1);
}

static void own_upload(stand *here)
{
    begin_upload(here, &here->s.subject);
}

static void other_upload(stand *here)
{
    begin_upload(here, &here->s.coach);
}

static void new_jwk(stand *here)
{
    sl_key *key = NULL;
    stage *s = &here->s;
    ck_assert_int_eq(sl_key_generate(2048, s->w->platform.random->fill, s->w, &key, NULL), SL_OK);
    sl_json *jwk = sl_key_jwk(key);
    char *text = sl_json_print(jwk);
    set_object(here, text);
    sl_mem_free(text);
    sl_json_free(jwk);
    sl_key_free(key);
}

static void begin_subscription(stand *here, const person *p)
{
    char text[400];
    char id[SL_UUID_LEN + 1];
    stage *s = &here->s;
    (void)snprintf(id, sizeof id, "%s", stage_fresh(s));
    (void)snprintf(text, sizeof text,
                   "INSERT INTO charge (id, user_id, coach_id, entity, object, program, amount,"
                   " currency, state, as_of_s, until_ms, made_ms) VALUES ('%s', '%s', '%s',"
                   " 'subscription_plan', '%s', '', 5, 'EUR', 'active', 0, 0, 0)",
                   id, p->id, s->friend.id, id);
    stage_sql(s, text);
    (void)snprintf(text, sizeof text,
                   "INSERT INTO pay_ref (kind, id, ref) VALUES ('charge', '%s', 'r%s')", id, id);
    stage_sql(s, text);
    set_object(here, id);
}

static void own_subscription(stand *here)
{
    begin_subscription(here, &here->s.subject);
}

static void other_subscription(stand *here)
{
    begin_subscription(here, &here->s.coach);
}

#define EVENT "{\"id\":\"evt_1\",\"type\":\"unheard of\",\"created\":1,\"data\":{\"object\":{}}}"

static void sign_event(stand *here)
{
    uint8_t mac[SL_SHA256_LEN];
    char hex[SL_SHA256_HEX_LEN + 1];
    char text[400];
    long long at_s = (long long)(here->s.w->now_ms / 1000);
    int n = snprintf(text, sizeof text, "%lld." EVENT, at_s);
    sl_hmac_sha256(WORLD_SECRET, strlen(WORLD_SECRET), text, (size_t)n, mac);
    sl_hex(hex, mac, sizeof mac);
    (void)snprintf(here->object, sizeof here->object, "t=%lld,v1=%s", at_s, hex);
}

static void known_key(stand *here)
{
    set_object(here, "kid-of-a-service");
    stage_sql(&here->s, "INSERT INTO service_key (kid, name, jwk, scope, expires_ms) VALUES"
                        " ('kid-of-a-service', 'x', '{}', 'metrics', 9999999999999)");
}

#define LOGIN(email, password) \
    "{\"email\":\"" email "\",\"password\":\"" password "\",\"device\":\"@N\"}"
#define SIGNUP(email)                                                                            \
    "{\"email\":\"" email "\",\"password\":\"long enough\",\"name\":\"A\",\"role\":\"athlete\"," \
    "\"birth_date\":\"1990-01-31\",\"device\":\"@N\"}"

static const probe PROBES[] = {
    {SL_ROUTE_SIGNUP, NULL, "", "/api/v1/auth/signup", .body = SIGNUP("new@x.y")},
    {SL_ROUTE_SIGNUP, NULL, "stranger", "/api/v1/auth/signup", .body = SIGNUP("coach@x.y")},
    {SL_ROUTE_LOGIN, NULL, "own", "/api/v1/auth/login", .body = LOGIN("@E", "long enough")},
    {SL_ROUTE_LOGIN, NULL, "stranger", "/api/v1/auth/login",
     .body = LOGIN("coach@x.y", "long guess")},
    {SL_ROUTE_LOGIN, NULL, "none", "/api/v1/auth/login",
     .body = LOGIN("nobody@x.y", "long enough")},
    {SL_ROUTE_REFRESH, NULL, "own", "/api/v1/auth/refresh",
     .body = "{\"refresh_token\":\"@O\",\"device\":\"@D\"}", .prepare = own_refresh, .last = true},
    {SL_ROUTE_REFRESH, NULL, "none", "/api/v1/auth/refresh",
     .body =
         "{\"refresh_token\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\",\"device\":\"@D\"}",
     .last = true},
    {SL_ROUTE_OIDC, NULL, "none", "/api/v1/auth/oidc", .body = NULL},
    {SL_ROUTE_OIDC_LOGIN, NULL, "none", "/api/v1/auth/oidc",
     .body =
         "{\"code\":\"c\",\"verifier\":\"v\",\"nonce\":\"n\",\"redirect_uri\":\"u\",\"device\":\"@N\"}"},
    {SL_ROUTE_OIDC_STEP, NULL, "none", "/api/v1/auth/oidc/step",
     .body = "{\"ticket\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\",\"device\":\"@N\"}"},
    {SL_ROUTE_VERIFY, NULL, "own", "/api/v1/auth/verify", .body = "{\"token\":\"@O\"}",
     .prepare = verify_mail, .last = true},
    {SL_ROUTE_VERIFY, NULL, "none", "/api/v1/auth/verify", .body = "{\"token\":\"x\"}",
     .last = true},
    {SL_ROUTE_VERIFY_SEND, NULL, "own", "/api/v1/auth/verify/send", .body = NULL},
    {SL_ROUTE_RESET, NULL, "own", "/api/v1/auth/reset",
     .body = "{\"token\":\"@O\",\"password\":" SECRET "}", .prepare = reset_mail, .last = true},
    {SL_ROUTE_RESET, NULL, "none", "/api/v1/auth/reset",
     .body = "{\"token\":\"x\",\"password\":" SECRET "}", .last = true},
    {SL_ROUTE_RESET_SEND, NULL, "own", "/api/v1/auth/reset/send", .body = "{\"email\":\"@E\"}"},
    {SL_ROUTE_RESET_SEND, NULL, "none", "/api/v1/auth/reset/send",
     .body = "{\"email\":\"nobody@x.y\"}"},
    {SL_ROUTE_TOTP, NULL, "own", "/api/v1/auth/totp", .body = NULL},
    {SL_ROUTE_TOTP_CONFIRM, NULL, "own", "/api/v1/auth/totp/confirm", .body = "{\"code\":\"@O\"}",
     .prepare = secret, .last = true},
    {SL_ROUTE_TOTP_CONFIRM, NULL, "none", "/api/v1/auth/totp/confirm",
     .body = "{\"code\":\"123456\"}", .last = true},
    {SL_ROUTE_RECOVERY, NULL, "own", "/api/v1/auth/recovery", .prepare = authenticator,
     .last = true},
    {SL_ROUTE_RECOVERY, NULL, "none", "/api/v1/auth/recovery", .body = NULL, .last = true},
    {SL_ROUTE_DEVICES, NULL, "own", "/api/v1/auth/devices", .list = "devices"},
    {SL_ROUTE_DEVICE_END, NULL, "own", "/api/v1/auth/devices/@D", .body = NULL, .last = true},
    {SL_ROUTE_DEVICE_END, NULL, "stranger", "/api/v1/auth/devices/@O", .prepare = other_device,
     .last = true},
    {SL_ROUTE_DEVICE_END, NULL, "none", "/api/v1/auth/devices/@N", .body = NULL, .last = true},
    {SL_ROUTE_LOGOUT, NULL, "own", "/api/v1/auth/logout", .body = NULL, .last = true},
    {SL_ROUTE_LOGOUT_ALL, NULL, "own", "/api/v1/auth/logout/all", .body = NULL, .last = true},
    {SL_ROUTE_EXPORT, NULL, "own", "/api/v1/account/export", .body = NULL},
    {SL_ROUTE_ERASE, NULL, "own", "/api/v1/account/erase", .body = "{\"password\":\"long enough\"}",
     .last = true},
    {SL_ROUTE_UPLOADS_INFO, NULL, "", "/api/v1/uploads", .headers = TUS},
    {SL_ROUTE_UPLOAD_HEAD, NULL, "own", "/api/v1/uploads/@O", .headers = TUS,
     .prepare = own_upload},
    {SL_ROUTE_UPLOAD_HEAD, NULL, "stranger", "/api/v1/uploads/@O", .headers = TUS,
     .prepare = other_upload},
    {SL_ROUTE_UPLOAD_HEAD, NULL, "none", "/api/v1/uploads/@N", .headers = TUS},
    {SL_ROUTE_UPLOAD_PATCH, NULL, "own", "/api/v1/uploads/@O", .headers = TUS_BYTES,
     .body = "bytes", .prepare = own_upload},
    {SL_ROUTE_UPLOAD_PATCH, NULL, "stranger", "/api/v1/uploads/@O", .headers = TUS_BYTES,
     .body = "bytes", .prepare = other_upload},
    {SL_ROUTE_UPLOAD_PATCH, NULL, "none", "/api/v1/uploads/@N", .headers = TUS_BYTES,
     .body = "bytes"},
    {SL_ROUTE_UPLOAD_DELETE, NULL, "own", "/api/v1/uploads/@O", .headers = TUS,
     .prepare = own_upload},
    {SL_ROUTE_UPLOAD_DELETE, NULL, "stranger", "/api/v1/uploads/@O", .headers = TUS,
     .prepare = other_upload},
    {SL_ROUTE_UPLOAD_DELETE, NULL, "none", "/api/v1/uploads/@N", .headers = TUS},
    {SL_ROUTE_SUBSCRIPTION_END, NULL, "own", "/api/v1/subscriptions/@O",
     .prepare = own_subscription},
    {SL_ROUTE_SUBSCRIPTION_END, NULL, "stranger", "/api/v1/subscriptions/@O",
     .prepare = other_subscription},
    {SL_ROUTE_SUBSCRIPTION_END, NULL, "none", "/api/v1/subscriptions/@N", .body = NULL},
    {SL_ROUTE_PAY_EVENT, NULL, "signed", "/webhooks/stripe", .headers = "stripe-signature: @O\n",
     .body = EVENT, .prepare = sign_event},
    {SL_ROUTE_PAY_EVENT, NULL, "forged", "/webhooks/stripe",
     .headers = "stripe-signature: t=1700000000,v1=00\n", .body = EVENT},
    {SL_ROUTE_PAY_EVENT, NULL, "unsigned", "/webhooks/stripe", .body = EVENT},
    {SL_ROUTE_ACCOUNTS, NULL, "own", "/api/v1/admin/accounts?email=@E", .body = NULL},
    {SL_ROUTE_ACCOUNTS, NULL, "stranger", "/api/v1/admin/accounts?email=coach@x.y", .body = NULL},
    {SL_ROUTE_ACCOUNTS, NULL, "none", "/api/v1/admin/accounts?email=nobody@x.y", .body = NULL},
    {SL_ROUTE_ACCOUNT_SET, NULL, "own", "/api/v1/admin/accounts/@O",
     .body = "{\"plan\":\"active\"}", .prepare = own_id, .last = true},
    {SL_ROUTE_ACCOUNT_SET, NULL, "stranger", "/api/v1/admin/accounts/@O",
     .body = "{\"status\":\"suspended\"}", .prepare = other_id, .last = true},
    {SL_ROUTE_ACCOUNT_SET, NULL, "none", "/api/v1/admin/accounts/@N",
     .body = "{\"role\":\"admin\"}", .last = true},
    {SL_ROUTE_SERVICE_KEY_ADD, NULL, "", "/api/v1/admin/service-keys",
     .body = "{\"name\":\"x\",\"scope\":\"metrics\",\"expires_in\":60,\"jwk\":@O}",
     .prepare = new_jwk},
    {SL_ROUTE_SERVICE_KEY_END, NULL, "stranger", "/api/v1/admin/service-keys/@O",
     .prepare = known_key},
    {SL_ROUTE_SERVICE_KEY_END, NULL, "none", "/api/v1/admin/service-keys/none", .body = NULL},
    {SL_ROUTE_KEYS_ROTATE, NULL, "", "/api/v1/admin/keys/rotate", .body = NULL},
    {SL_ROUTE_AUDIT, NULL, "", "/api/v1/admin/audit", .body = NULL},
    {SL_ROUTE_HEALTH, NULL, "", "/api/v1/health", .body = NULL},
    {SL_ROUTE_JWKS, NULL, "", "/.well-known/jwks.json", .list = "keys"},
    {SL_ROUTE_OPENAPI, NULL, "", "/openapi.json", .body = NULL},
    {SL_ROUTE_DOCS, NULL, "", "/docs", .body = NULL},
    {SL_ROUTE_LIVEZ, NULL, "", "/livez", .body = NULL},
    {SL_ROUTE_READYZ, NULL, "", "/readyz", .body = NULL},
    {SL_ROUTE_METRICS, NULL, "", "/metrics", .body = NULL},
};

static void try_alone(sl_standing standing)
{
    stand here = {.blob = NULL};
    for (size_t i = 0; i < sizeof PROBES / sizeof PROBES[0]; i++) {
        if (here.s.w == NULL) {
            attempt_open(&here, standing);
        }
        attempt(&here, &PROBES[i], "");
        if (PROBES[i].last) {
            world_free(here.s.w);
            here.s.w = NULL;
        }
    }
    world_free(here.s.w);
}

START_TEST(routes__answer_every_standing_and_relation_as_was_reviewed)
{
    for (unsigned s = 0; s < SL_STANDINGS; s++) {
        try_spaces((sl_standing)s);
        try_alone((sl_standing)s);
    }
    attempts_check(PATH, 3612);
    attempts_free();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("routes");
    TCase *tcase = tcase_create("routes");
    tcase_set_timeout(tcase, 5 * SL_TEST_TIMEOUT_S); /* it is one long test */
    tcase_add_test(tcase, routes__answer_every_standing_and_relation_as_was_reviewed);
    suite_add_tcase(suite, tcase);
    world_start();
    int status = sl_test_run(suite);
    world_end();
    return status;
}
