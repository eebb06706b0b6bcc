/*
 * Attacks on sign-in, policy and requests, as tables: each gets the answer that it should, changes
 * nothing in the database, and leaves one line in the audit log when it was a refusal. The numbers are
 * those of the threat list: N1 to N14 tokens, N24 passwords, N47 to N49 objects and methods, N77 JSON.
 */
#include "base/base64.h"
#include "base/buf.h"
#include "base/mem.h"
#include "crypto/hash.h"
#include "crypto/jwt.h"
#include "service/inside.h"
#include "support.h"
#include "unit/service/world.h"

#include <stdio.h>
#include <string.h>

static const char ROUTE[] = "/api/v1/auth/devices";

typedef struct attack {
    world *w;
    person user;
    person other;
    uint64_t state;
    size_t requests;
} attack;

static bool take_int(void *ctx, const sl_cell *cells, size_t n)
{
    (void)n;
    *(int64_t *)ctx = sl_cell_int_or(&cells[0], 0);
    return true;
}

static int64_t ask(const attack *a, const char *sql)
{
    int64_t v = -1;
    ck_assert_int_eq(a->w->db.run(a->w->db.user, sql, NULL, 0, take_int, &v, NULL), SL_OK);
    return v;
}

/* A number that moves with everything that requests could change. */
static uint64_t state_of(const attack *a)
{
    static const char *const tables[] = {"account",  "session",     "refresh",     "ticket",
                                         "recovery", "service_key", "signing_key", "device_floor",
                                         "receipt",  "feed",        "access",      "blob",
                                         "blob_ref", "blob_holder", "upload"};
    uint64_t sum = (uint64_t)ask(a, "SELECT coalesce(sum(seq), 0) FROM space");
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        char sql[80];
        (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", tables[i]);
        sum = sum * 31 + (uint64_t)ask(a, sql);
    }
    return sum * 31 +
           (uint64_t)ask(a, "SELECT count(*) FROM account WHERE role='admin' OR status IS NOT NULL"
                            " OR plan IS NOT NULL OR verified_ms IS NOT NULL");
}

static void set(attack *a)
{
    memset(a, 0, sizeof *a);
    a->w = world_new();
    person_make(a->w, &a->user, "user@x.y", "athlete", 1);
    person_make(a->w, &a->other, "other@x.y", "coach", 2);
    a->state = state_of(a);
}

static void unset(attack *a, size_t least)
{
    ck_assert_uint_ge(a->requests, least);
    world_free(a->w);
}

static void expect(attack *a, const char *what, const char *method, const char *path,
                   const char *header, const char *body, int32_t wanted)
{
    int64_t lines = ask(a, "SELECT count(*) FROM audit");
    answer got = request(a->w, method, path, header, body, body != NULL ? strlen(body) : 0);
    bool refused = got.status == 401 || got.status == 403 || got.status == 429;
    a->requests++;
    ck_assert_msg(got.status == wanted, "%s: %d, not %d", what, got.status, wanted);
    ck_assert_msg(state_of(a) == a->state, "%s: it changed something", what);
    if (refused) {
        ck_assert_msg(ask(a, "SELECT count(*) FROM audit") == lines + 1, "%s: not one line", what);
    }
    if (wanted == 401 && strcmp(path, ROUTE) == 0) {
        char *text = sl_json_print(got.body);
        ck_assert_str_eq(text, "{\"error\":\"unauthorized\",\"message\":\"Invalid token\"}");
        sl_mem_free(text);
    }
    answer_free(&got);
}

static void with_token(attack *a, const char *what, const char *token, int32_t wanted)
{
    char *header = sl_text_fmt("authorization: Bearer %s\n", token);
    expect(a, what, "GET", ROUTE, header, NULL, wanted);
    sl_mem_free(header);
}

/* ---- tokens ---- */

static sl_json *claims_of(const attack *a)
{
    char part[2048];
    const char *from = strchr(a->user.access, '.') + 1;
    sl_buf b = {0};
    (void)snprintf(part, sizeof part, "%.*s", (int)strcspn(from, "."), from);
    ck_assert(sl_base64url_decode(&b, part, strlen(part)));
    sl_json *j = sl_json_parse((const char *)b.data, b.len);
    sl_buf_free(&b);
    ck_assert_ptr_nonnull(j);
    return j;
}

/* header.claims as base64url, signed by the server's own key whatever the header says. */
static char *signed_as(const attack *a, const char *header, const sl_json *claims)
{
    uint8_t hash[SL_SHA256_LEN];
    uint8_t sig[SL_KEY_SIG_MAX];
    size_t n = 0;
    sl_buf b = {0};
    char *text = sl_json_print(claims);
    sl_base64url(&b, header, strlen(header));
    sl_buf_u8(&b, '.');
    sl_base64url(&b, text, strlen(text));
    sl_sha256_of(b.data, b.len, hash);
    ck_assert_int_eq(
        sl_key_sign(a->w->s->key, a->w->platform.random->fill, a->w, hash, sig, &n, NULL), SL_OK);
    sl_buf_u8(&b, '.');
    sl_base64url(&b, sig, n);
    char *out = sl_text_dup(sl_buf_text(&b));
    sl_buf_free(&b);
    sl_mem_free(text);
    return out;
}

/* header: with %s where the name of the key goes. */
static void try_header(attack *a, const char *header, int32_t wanted)
{
    const char *at = strstr(header, "%s");
    sl_json *claims = claims_of(a);
    char *filled =
        sl_text_fmt("%.*s%s%s", (int)(at - header), header, sl_key_id(a->w->s->key), at + 2);
    char *token = signed_as(a, filled, claims);
    with_token(a, header, token, wanted);
    sl_mem_free(token);
    sl_mem_free(filled);
    sl_json_free(claims);
}

START_TEST(n1_to_n6__no_header_chooses_how_a_token_is_checked)
{
    static const char *const headers[] = {
        "{\"alg\":\"none\",\"typ\":\"at+jwt\",\"kid\":\"%s\"}",
        "{\"alg\":\"None\",\"typ\":\"at+jwt\",\"kid\":\"%s\"}",
        "{\"alg\":\"nOnE\",\"typ\":\"at+jwt\",\"kid\":\"%s\"}",
        "{\"alg\":\"\",\"typ\":\"at+jwt\",\"kid\":\"%s\"}",
        "{\"typ\":\"at+jwt\",\"kid\":\"%s\"}",
        "{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"%s\"}",
        "{\"alg\":\"RS512\",\"typ\":\"at+jwt\",\"kid\":\"%s\"}",
        "{\"alg\":\"PS256\",\"typ\":\"at+jwt\",\"kid\":\"%s\"}",
        "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"%s\"}",
        "{\"alg\":\"rs256\",\"typ\":\"at+jwt\",\"kid\":\"%s\"}",
        "{\"alg\":[\"RS256\"],\"typ\":\"at+jwt\",\"kid\":\"%s\"}",
        "{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":\"%s \"}",
        "{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":[\"%s\"]}",
        "{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"x\":\"%s\"}",
        "{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":\"%s\",\"jwk\":{\"kty\":\"RSA\"}}",
        "{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":\"%s\",\"jku\":\"http://127.0.0.1/k\"}",
        "{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":\"%s\",\"x5u\":\"http://127.0.0.1/k\"}",
        "{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":\"%s\",\"x5c\":[\"AA\"]}",
        "{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":\"%s\",\"crit\":[\"exp\"]}",
        "{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":\"%s\",\"b64\":false}",
        "{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":\"%s\",\"zip\":\"DEF\"}",
        "{\"alg\":\"RS256\",\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":\"%s\"}",
        "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"%s\"}",
        "{\"alg\":\"RS256\",\"kid\":\"%s\"}",
        "[\"%s\"]",
        "\"%s\""};
    attack a;
    set(&a);
    try_header(&a, "{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":\"%s\"}", 200); /* the control */
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        try_header(&a, headers[i], 401);
    }
    unset(&a, 26);
}
END_TEST

START_TEST(n2__a_token_signed_with_the_public_key_as_a_secret_is_refused)
{
    attack a;
    char *pem = NULL;
    set(&a);
    ck_assert_int_eq(sl_key_public_pem(a.w->s->key, &pem, NULL), SL_OK);
    sl_json *jwk = sl_key_jwk(a.w->s->key);
    const char *const secrets[] = {pem, sl_json_str(jwk, "n"), sl_key_id(a.w->s->key), ""};
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++) {
        static const char *const algs[] = {"HS256", "RS256"};
        for (size_t k = 0; k < 2; k++) {
            uint8_t mac[SL_SHA256_LEN];
            sl_buf b = {0};
            char *head = sl_text_fmt("{\"alg\":\"%s\",\"typ\":\"at+jwt\",\"kid\":\"%s\"}", algs[k],
                                     sl_key_id(a.w->s->key));
            const char *claims = strchr(a.user.access, '.');
            sl_base64url(&b, head, strlen(head));
            sl_buf_put(&b, claims, 1 + strcspn(claims + 1, "."));
            sl_hmac_sha256(secrets[i], strlen(secrets[i]), b.data, b.len, mac);
            sl_buf_u8(&b, '.');
            sl_base64url(&b, mac, sizeof mac);
            with_token(&a, algs[k], sl_buf_text(&b), 401);
            sl_buf_free(&b);
            sl_mem_free(head);
        }
    }
    sl_json_free(jwk);
    sl_mem_free(pem);
    unset(&a, 8);
}
END_TEST

START_TEST(n7_to_n10__claims_that_are_not_ours_or_not_now_are_refused)
{
    static const struct {
        const char *name;
        const char *value; /* JSON; NULL: left out */
    } cases[] = {{"iss", "\"sidelined/\""},
                 {"iss", "\"Sidelined\""},
                 {"iss", "\"\""},
                 {"iss", NULL},
                 {"iss", "[\"sidelined\"]"},
                 {"aud", "\"other\""},
                 {"aud", "[]"},
                 {"aud", NULL},
                 {"aud", "[\"other\",1]"},
                 {"aud", "\"sideline \""},
                 {"exp", "1"},
                 {"exp", NULL},
                 {"exp", "\"1900000000\""},
                 {"exp", "1e400"},
                 {"exp", "-1"},
                 {"exp", "1.5"},
                 {"exp", "null"},
                 {"nbf", "1900000000"},
                 {"nbf", "\"x\""},
                 {"iat", "1900000000"},
                 {"sub", NULL},
                 {"sub", "\"\""},
                 {"sub", "\"x\""},
                 {"sub", "1"},
                 {"device", NULL},
                 {"device", "\"x\""},
                 {"sid", NULL},
                 {"sid", "\"x\""},
                 {"sid", "\"018b0000-0000-7000-8000-000000000001\""},
                 {"device", "\"018b0000-0000-7000-8000-00000000ffff\""}};
    attack a;
    set(&a);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sl_json *claims = claims_of(&a);
        sl_json_remove(claims, cases[i].name);
        if (cases[i].value != NULL) {
            sl_json *v = sl_json_parse(cases[i].value, strlen(cases[i].value));
            ck_assert(v != NULL && sl_json_set(claims, cases[i].name, v));
        }
        char *token = NULL;
        ck_assert_int_eq(
            sl_jwt_sign(a.w->s->key, a.w->platform.random->fill, a.w, claims, &token, NULL), SL_OK);
        with_token(&a, cases[i].name, token, 401);
        sl_mem_free(token);
        sl_json_free(claims);
    }
    with_token(&a, "a refresh token", a.user.refresh, 401);
    unset(&a, 31);
}
END_TEST

START_TEST(n11__every_byte_of_a_token_matters)
{
    attack a;
    set(&a);
    char token[2048];
    (void)snprintf(token, sizeof token, "%s", a.user.access);
    with_token(&a, "the token", token, 200);
    for (size_t i = 0; token[i] != 0; i++) {
        char was = token[i];
        token[i] = was == 'A' ? 'B' : 'A';
        with_token(&a, token + i, token, 401);
        token[i] = was;
    }
    unset(&a, 700);
}
END_TEST

START_TEST(n12__what_has_not_the_form_of_a_token_is_refused)
{
    attack a;
    set(&a);
    const char *t = a.user.access;
    int first = (int)strcspn(t, ".");
    int second = first + 1 + (int)strcspn(t + first + 1, ".");
    char *const forms[] = {sl_text_fmt("%s.x", t),
                           sl_text_fmt("%.*s", second, t),
                           sl_text_fmt("%.*s", first, t),
                           sl_text_fmt("%.*s.", second, t),
                           sl_text_fmt(".%s", t),
                           sl_text_fmt("%.*s..%s", first, t, t + second + 1),
                           sl_text_fmt("%s=", t),
                           sl_text_fmt("%s==", t),
                           sl_text_fmt("%s ", t),
                           sl_text_fmt(" %s", t),
                           sl_text_fmt("%s\t", t),
                           sl_text_fmt("%s+", t),
                           sl_text_fmt("%s/", t),
                           sl_text_fmt("%s%%00", t),
                           sl_text_fmt("..."),
                           sl_text_fmt("."),
                           sl_text_fmt("%s,%s", t, t),
                           sl_text_fmt("\"%s\"", t),
                           sl_text_fmt("%s", "Bearer"),
                           sl_text_fmt("%04000d", 0)};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        with_token(&a, forms[i], forms[i], 401);
        sl_mem_free(forms[i]);
    }
    static const char *const schemes[] = {"", "bearer ", "Basic ", "Token ", "Bearer", "BEARER "};
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        char *header = sl_text_fmt("authorization: %s%s\n", schemes[i], t);
        expect(&a, schemes[i], "GET", ROUTE, header, NULL, 401);
        sl_mem_free(header);
    }
    expect(&a, "in the address", "GET", "/api/v1/auth/devices?access_token=x", "", NULL, 401);
    unset(&a, 27);
}
END_TEST

/* ---- objects and methods ---- */

START_TEST(n47__what_is_anothers_answers_as_what_is_not_there)
{
    attack a;
    char header[3000];
    char path[200];
    char location[128];
    char sha[65];
    char video[SL_SPACE_MAX];
    memset(&a, 0, sizeof a);
    a.w = world_new();
    person_make(a.w, &a.user, "user@x.y", "athlete", 1);
    person_make(a.w, &a.other, "other@x.y", "coach", 2);
    video_make(a.w, &a.other, video, 0x300, "clip");
    sha_of("clip", sha);
    ck_assert_int_eq(upload_create(a.w, &a.other, video, sha, 4, location), 201);
    a.state = state_of(&a);
    (void)snprintf(header, sizeof header, "authorization: Bearer %s\ntus-resumable: 1.0.0\n",
                   a.user.access);
    const char *const paths[] = {location, "/api/v1/uploads/018b0000-0000-7000-8000-00000000aaaa",
                                 "/api/v1/uploads/x"};
    for (size_t i = 0; i < 3; i++) {
        expect(&a, paths[i], "HEAD", paths[i], header, NULL, 404);
        expect(&a, paths[i], "DELETE", paths[i], header, NULL, 404);
    }
    (void)snprintf(path, sizeof path, "/api/v1/blobs/%s", sha);
    expect(&a, path, "GET", path, header, NULL, 404);
    (void)snprintf(path, sizeof path, "/api/v1/auth/devices/%s", a.other.device);
    expect(&a, path, "DELETE", path, header, NULL, 404);
    (void)snprintf(path, sizeof path, "/api/v1/admin/accounts/%s", a.user.id);
    expect(&a, path, "PATCH", path, header, "{\"role\":\"admin\"}", 403);
    expect(&a, path, "PATCH", "/api/v1/admin/accounts/018b0000-0000-7000-8000-00000000aaaa", header,
           "{\"role\":\"admin\"}", 403);
    unset(&a, 10);
}
END_TEST

START_TEST(n48__members_that_nobody_asked_for_are_not_taken)
{
    static const char *const more[] = {"\"status\":\"active\"",
                                       "\"plan\":\"active\"",
                                       "\"plan_until_ms\":9999999999999",
                                       "\"verified\":true",
                                       "\"is_admin\":true",
                                       "\"id\":\"018b0000-0000-7000-8000-00000000aaaa\"",
                                       "\"factor\":1",
                                       "\"hash\":\"x\"",
                                       "\"external\":\"x|y\""};
    world *w = world_new();
    attack a = {.w = w};
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++) {
        char json[500];
        (void)snprintf(
            json, sizeof json,
            "{\"email\":\"m%zu@x.y\",\"password\":\"long enough\",\"name\":\"N\","
            "\"role\":\"athlete\",\"birth_date\":\"1990-01-31\",\"device\":\"018b0000-0000-7000-8000-000000000001\",%s}",
            i, more[i]);
        answer got = post(w, "/api/v1/auth/signup", json);
        const sl_json *user = sl_json_get(got.body, "user");
        ck_assert_int_eq(got.status, 201);
        ck_assert_str_eq(sl_json_str(user, "role"), "athlete");
        ck_assert(!sl_json_bool_or(user, "verified", true));
        ck_assert_ptr_null(sl_json_get(user, "plan"));
        ck_assert_str_ne(sl_json_str(user, "id"), "018b0000-0000-7000-8000-00000000aaaa");
        answer_free(&got);
    }
    ck_assert_int_eq(ask(&a, "SELECT count(*) FROM account WHERE role<>'athlete' OR external IS NOT"
                             " NULL OR hash='x' OR status IS NOT NULL"),
                     0);
    world_free(w);
}
END_TEST

START_TEST(n49__methods_are_those_of_the_address_whatever_headers_say)
{
    static const char *const methods[] = {"TRACE", "CONNECT", "PUT", "get", "GETX", "UNKNOWN", ""};
    attack a;
    set(&a);
    for (size_t i = 0; i < SL_ROUTES; i++) {
        char path[128];
        (void)snprintf(path, sizeof path, "%s%s%s", sl_routes[i].path, sl_routes[i].rest ? "x" : "",
                       sl_routes[i].behind);
        for (size_t k = 0; k < sizeof methods / sizeof methods[0]; k++) {
            expect(&a, path, methods[k], path, "x-http-method-override: GET\n", "{}", 405);
        }
    }
    expect(&a, "override", "GET", "/api/v1/auth/logout/all", "x-http-method-override: POST\n", NULL,
           405);
    unset(&a, 200);
}
END_TEST

/* ---- JSON ---- */

static char *nested(size_t depth)
{
    sl_buf b = {0};
    sl_buf_str(&b, "{\"token\":");
    for (size_t i = 0; i < depth; i++) {
        sl_buf_u8(&b, '[');
    }
    char *text = sl_text_dup(sl_buf_text(&b));
    sl_buf_free(&b);
    return text;
}

START_TEST(n77__json_that_is_none_or_too_much_is_refused)
{
    char *deep = nested(10000);
    char *large = sl_text_fmt("{\"token\":\"%070000d\"}", 0);
    const struct {
        const char *body;
        int32_t status;
    } cases[] = {
        {deep, 400},
        {large, 413},
        {"", 400},
        {"null", 400},
        {"[]", 400},
        {"{", 400},
        {"{}{}", 400},
        {"{\"token\":\"x\"} y", 400},
        {"{\"token\":'x'}", 400},
        {"{token:\"x\"}", 400},
        {"{\"token\":1}", 422},
        {"{\"token\":null}", 422},
        {"{\"token\":[\"x\"]}", 422},
        {"{\"token\":1e999}", 422},
        {"{\"token\":\"\"}", 422},
        {"{\"token\":\"\\ud800\"}", 400},
        {"{\"token\":\"\xff\xfe\"}", 400},
        {"{\"TOKEN\":\"x\"}", 422},
    };
    attack a;
    set(&a);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        expect(&a, cases[i].body, "POST", "/api/v1/auth/verify", "", cases[i].body,
               cases[i].status);
    }
    sl_mem_free(deep);
    sl_mem_free(large);
    unset(&a, 18);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        n1_to_n6__no_header_chooses_how_a_token_is_checked,
        n2__a_token_signed_with_the_public_key_as_a_secret_is_refused,
        n7_to_n10__claims_that_are_not_ours_or_not_now_are_refused,
        n11__every_byte_of_a_token_matters,
        n12__what_has_not_the_form_of_a_token_is_refused,
        n47__what_is_anothers_answers_as_what_is_not_there,
        n48__members_that_nobody_asked_for_are_not_taken,
        n49__methods_are_those_of_the_address_whatever_headers_say,
        n77__json_that_is_none_or_too_much_is_refused,
    };
    world_start();
    int status = sl_test_run(sl_test_suite("negative", tests, sizeof tests / sizeof tests[0]));
    world_end();
    return status;
}
