/* Signing in with another provider: what of its tokens is believed, and what it cannot take the place of. */
#include "base/base64.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "crypto/hash.h"
#include "crypto/key.h"
#include "support.h"
#include "unit/service/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char OIDC[] = "/api/v1/auth/oidc";
static const char STEP[] = "/api/v1/auth/oidc/step";
static const char DEVICE[] = "018b0000-0000-7000-8000-000000000001";

/* What the tokens of the provider say, and how it is. Members that are NULL are left out. */
typedef struct provider {
    world *w;
    size_t shown; /* the key that it publishes */
    bool down;
    const char *issuer; /* of the discovery document */
    const char *alg;
    const char *kid;   /* NULL: the signing key's */
    const char *extra; /* of the header, with a comma before it */
    size_t signs;      /* the key that it signs with */
    const char *iss;
    const char *aud; /* JSON */
    const char *nonce;
    const char *exp; /* JSON; NULL: in a minute */
    const char *amr; /* JSON */
    const char *sub;
    const char *email; /* as in JSON */
    const char *name;
    bool verified;
    size_t abouts; /* how often each was asked for */
    size_t jwks;
    size_t trades;
    size_t others;
    char form[600]; /* the last trade */
} provider;

static sl_key *g_keys[2]; /* of the provider */

static sl_status random_fill(void *user, void *dst, size_t n)
{
    uint8_t *p = dst;
    for (size_t i = 0; i < n; i++) {
        p[i] = (uint8_t)(sl_prng_next(user) >> 24);
    }
    return SL_OK;
}

static void put_part(sl_buf *out, const sl_buf *text)
{
    if (out->len > 0) {
        sl_buf_u8(out, '.');
    }
    sl_base64url(out, text->data, text->len);
}

static void put_claims(const provider *p, sl_buf *b)
{
    sl_buf_fmt(b, "{\"iat\":%lld", (long long)(p->w->now_ms / 1000));
    if (p->exp != NULL) {
        sl_buf_fmt(b, ",\"exp\":%s", p->exp);
    } else {
        sl_buf_fmt(b, ",\"exp\":%lld", (long long)(p->w->now_ms / 1000 + 60));
    }
    const char *const members[][2] = {
        {"iss", p->iss}, {"nonce", p->nonce}, {"sub", p->sub}, {"email", p->email}};
    for (size_t i = 0; i < 4; i++) {
        if (members[i][1] != NULL) {
            sl_buf_fmt(b, ",\"%s\":\"%s\"", members[i][0], members[i][1]);
        }
    }
    if (p->aud != NULL) {
        sl_buf_fmt(b, ",\"aud\":%s", p->aud);
    }
    if (p->amr != NULL) {
        sl_buf_fmt(b, ",\"amr\":%s", p->amr);
    }
    sl_buf_fmt(b, ",\"name\":\"%s\",\"email_verified\":%s}", p->name,
               p->verified ? "true" : "false");
}

static void put_token(const provider *p, sl_buf *token)
{
    uint8_t hash[SL_SHA256_LEN];
    uint8_t sig[SL_KEY_SIG_MAX];
    size_t sig_n = 0;
    sl_buf head = {0};
    sl_buf claims = {0};
    const sl_key *key = g_keys[p->signs];
    sl_buf_fmt(&head, "{\"alg\":\"%s\",\"typ\":\"JWT\",\"kid\":\"%s\"%s}", p->alg,
               p->kid != NULL ? p->kid : sl_key_id(key), p->extra != NULL ? p->extra : "");
    put_claims(p, &claims);
    put_part(token, &head);
    put_part(token, &claims);
    sl_sha256_of(token->data, token->len, hash);
    ck_assert_int_eq(sl_key_sign(key, p->w->platform.random->fill, p->w, hash, sig, &sig_n, NULL),
                     SL_OK);
    sl_buf_u8(token, '.');
    sl_base64url(token, sig, sig_n);
    sl_buf_free(&head);
    sl_buf_free(&claims);
}

static void answer_trade(provider *p, const char *form, sl_buf *b)
{
    p->trades++;
    (void)snprintf(p->form, sizeof p->form, "%s", form);
    sl_buf_str(b, "{\"id_token\":\"");
    sl_buf token = {0};
    put_token(p, &token);
    sl_buf_put(b, token.data, token.len);
    sl_buf_free(&token);
    sl_buf_str(b, "\"}");
}

static sl_status fetch(void *user, const char *url, const char *form, sl_bytes **out,
                       sl_error **err)
{
    provider *p = ((world *)user)->fetch_ctx;
    (void)err;
    sl_buf b = {0};
    sl_mem_spare(true); /* the memory that a test takes away is the service's */
    if (strcmp(url, WORLD_ISSUER "/.well-known/openid-configuration") == 0) {
        p->abouts++;
        sl_buf_fmt(&b,
                   "{\"issuer\":\"%s\",\"authorization_endpoint\":\"" WORLD_ISSUER "/auth\","
                   "\"token_endpoint\":\"" WORLD_ISSUER "/token\","
                   "\"jwks_uri\":\"" WORLD_ISSUER "/jwks\"}",
                   p->issuer);
    } else if (strcmp(url, WORLD_ISSUER "/jwks") == 0) {
        p->jwks++;
        sl_json *jwk = sl_key_jwk(g_keys[p->shown]);
        char *text = sl_json_print(jwk);
        sl_buf_fmt(&b, "{\"keys\":[%s]}", text);
        sl_mem_free(text);
        sl_json_free(jwk);
    } else if (strcmp(url, WORLD_ISSUER "/token") == 0 && form != NULL) {
        answer_trade(p, form, &b);
    } else {
        p->others++;
    }
    *out = b.len > 0 && !p->down ? sl_buf_bytes(&b) : NULL;
    sl_buf_free(&b);
    sl_mem_spare(false);
    return *out != NULL ? SL_OK : SL_E_NETWORK;
}

/* A token that is good. */
static void be_good(provider *p)
{
    p->alg = "RS256";
    p->kid = NULL;
    p->extra = NULL;
    p->signs = 0;
    p->iss = WORLD_ISSUER;
    p->aud = "\"" WORLD_CLIENT "\"";
    p->nonce = "the nonce";
    p->exp = NULL;
    p->amr = NULL;
    p->sub = "peter";
    p->email = "Peter@b.c";
    p->name = "Peter";
    p->verified = true;
}

static world *open_world(provider *p)
{
    world *w = world_new();
    memset(p, 0, sizeof *p);
    p->w = w;
    p->issuer = WORLD_ISSUER;
    be_good(p);
    w->fetch = fetch;
    w->fetch_ctx = p;
    world_reopen(w);
    return w;
}

static void close_world(provider *p)
{
    world_free(p->w);
}

static answer come(const provider *p)
{
    char json[400];
    (void)snprintf(json, sizeof json,
                   "{\"code\":\"a code\",\"verifier\":\"a verifier\",\"nonce\":\"the nonce\","
                   "\"redirect_uri\":\"https://x.y/oidc\",\"device\":\"%s\"}",
                   DEVICE);
    return post(p->w, OIDC, json);
}

static answer step(const provider *p, const char *ticket, const char *more)
{
    char json[400];
    (void)snprintf(json, sizeof json, "{\"ticket\":\"%s\",\"device\":\"%s\"%s}", ticket, DEVICE,
                   more);
    return post(p->w, STEP, json);
}

#define BORN ",\"birth_date\":\"1990-01-31\""

/* Comes, and says the date of birth where it is asked for. */
static answer arrive(const provider *p)
{
    answer a = come(p);
    const char *error = sl_json_str(a.body, "error");
    if (error != NULL && strcmp(error, "birth_date_required") == 0) {
        answer b = step(p, sl_json_str(a.body, "ticket"), BORN);
        answer_free(&a);
        return b;
    }
    return a;
}

static int32_t arriving(const provider *p)
{
    answer a = arrive(p);
    int32_t status = a.status;
    answer_free(&a);
    return status;
}

static int32_t stepping(const provider *p, const char *ticket, const char *more)
{
    answer a = step(p, ticket, more);
    int32_t status = a.status;
    answer_free(&a);
    return status;
}

/* ---- the token ---- */

START_TEST(oidc__a_good_token_makes_an_account_and_finds_it_again)
{
    provider p;
    world *w = open_world(&p);
    answer about = request(w, "GET", OIDC, "", NULL, 0);
    ck_assert_int_eq(about.status, 200);
    ck_assert_str_eq(sl_json_str(about.body, "authorization_endpoint"), WORLD_ISSUER "/auth");
    ck_assert_str_eq(sl_json_str(about.body, "client_id"), WORLD_CLIENT);
    answer_free(&about);
    answer a = arrive(&p);
    ck_assert_int_eq(a.status, 200);
    const sl_json *user = sl_json_get(a.body, "user");
    ck_assert_str_eq(sl_json_str(user, "email"), "peter@b.c");
    ck_assert_str_eq(sl_json_str(user, "name"), "Peter");
    ck_assert_str_eq(sl_json_str(user, "role"), "athlete");
    ck_assert(sl_json_bool_or(user, "verified", false));
    ck_assert_ptr_nonnull(strstr(p.form, "grant_type=authorization_code"));
    ck_assert_ptr_nonnull(strstr(p.form, "code_verifier=a%20verifier"));
    ck_assert_ptr_nonnull(strstr(p.form, "redirect_uri=https%3A%2F%2Fx.y%2Foidc"));
    p.email = "peter@elsewhere.example"; /* the subject counts, whatever the address is now */
    p.verified = false;
    answer again = arrive(&p);
    ck_assert_int_eq(again.status, 200);
    ck_assert_str_eq(sl_json_str(sl_json_get(again.body, "user"), "id"), sl_json_str(user, "id"));
    answer_free(&again);
    answer_free(&a);
    ck_assert_uint_eq(p.abouts, 1);
    ck_assert_uint_eq(p.jwks, 1);
    close_world(&p);
}
END_TEST

START_TEST(oidc__a_name_that_is_too_long_ends_behind_a_character)
{
    static const char a[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"; /* 48 */
    static const size_t kept[] = {100, 97, 98, 99};
    provider p;
    (void)open_world(&p);
    for (size_t i = 0; i < 4; i++) {
        char name[120];
        char sub[8];
        char email[16];
        (void)snprintf(name, sizeof name, "%s%s%s%s", a, a, &"aaaa"[4 - i],
                       "\xf0\x9f\x8f\x83\xf0\x9f\x8f\x83");
        (void)snprintf(sub, sizeof sub, "s%zu", i);
        (void)snprintf(email, sizeof email, "s%zu@b.c", i);
        p.name = name;
        p.sub = sub;
        p.email = email;
        answer got = arrive(&p);
        ck_assert_int_eq(got.status, 200);
        const char *is = sl_json_str(sl_json_get(got.body, "user"), "name");
        ck_assert(sl_utf8_ok(is, strlen(is)));
        ck_assert_uint_eq(strlen(is), kept[i]);
        answer_free(&got);
    }
    close_world(&p);
}
END_TEST

/* It goes into mails: a line's end in it would begin another header there. */
START_TEST(oidc__an_address_that_is_none_opens_nothing)
{
    static const char *const wrong[] = {
        "peter", "@b.c", "peter@", "a@b@c", "a b@c.d", "", "a@b.c\\r\\nBcc: x@y.z", "a@b.c\\u0001"};
    provider p;
    world *w = open_world(&p);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        p.email = wrong[i];
        ck_assert_msg(arriving(&p) == 403, "%s", wrong[i]);
    }
    ck_assert_uint_eq(world_rows(w, NULL, "SELECT id FROM account WHERE $1=$2", "", ""), 0);
    close_world(&p);
}
END_TEST

START_TEST(oidc__a_token_that_is_not_for_us_now_from_there_opens_nothing)
{
    provider p;
    world *w = open_world(&p);
    char past[32];
    (void)snprintf(past, sizeof past, "%lld", (long long)(w->now_ms / 1000 - 61));
    static const char *const issuers[] = {WORLD_ISSUER "/", "http://provider.example",
                                          "https://other.example", NULL};
    static const char *const audiences[] = {"\"other\"", "[\"other\",\"third\"]", "\"\"", NULL};
    static const char *const nonces[] = {"another nonce", "the nonce ", "", NULL};
    static const char *const algs[] = {"none", "HS256", "RS512", "PS256", "ES256"};
    static const char *const extras[] = {",\"jku\":\"https://evil.example/jwks\"",
                                         ",\"x5u\":\"https://evil.example/x\"",
                                         ",\"crit\":[\"exp\"]", ",\"jwk\":{}"};
    const char *const ends[] = {past, "\"1900000000\"", "-1", "1e400"};
    for (size_t i = 0; i < 4; i++) {
        be_good(&p);
        p.iss = issuers[i];
        ck_assert_msg(arriving(&p) == 401, "issuer %zu", i);
        be_good(&p);
        p.aud = audiences[i];
        ck_assert_msg(arriving(&p) == 401, "audience %zu", i);
        be_good(&p);
        p.nonce = nonces[i];
        ck_assert_msg(arriving(&p) == 401, "nonce %zu", i);
        be_good(&p);
        p.exp = ends[i];
        ck_assert_msg(arriving(&p) == 401, "end %zu", i);
        be_good(&p);
        p.extra = extras[i];
        ck_assert_msg(arriving(&p) == 401, "header %zu", i);
    }
    for (size_t i = 0; i < sizeof algs / sizeof algs[0]; i++) {
        be_good(&p);
        p.alg = algs[i];
        ck_assert_msg(arriving(&p) == 401, "%s", algs[i]);
    }
    be_good(&p);
    p.signs = 1; /* another's key under the name of the one that is published */
    p.kid = sl_key_id(g_keys[0]);
    ck_assert_int_eq(arriving(&p), 401);
    be_good(&p);
    p.sub = NULL;
    ck_assert_int_eq(arriving(&p), 401);
    ck_assert_uint_eq(p.others, 0);
    ck_assert_uint_eq(world_rows(w, NULL, "SELECT id FROM account WHERE $1=$1 AND $2=$2", "", ""),
                      0);
    be_good(&p);
    p.aud = "[\"other\",\"" WORLD_CLIENT "\"]";
    ck_assert_int_eq(arriving(&p), 200);
    close_world(&p);
}
END_TEST

START_TEST(oidc__a_provider_that_changes_its_key_is_asked_once_in_half_a_minute)
{
    provider p;
    char kid[32];
    world *w = open_world(&p);
    ck_assert_int_eq(arriving(&p), 200);
    ck_assert_uint_eq(p.jwks, 1);
    w->now_ms += 31000;
    p.shown = 1;
    p.signs = 1;
    ck_assert_int_eq(arriving(&p), 200);
    ck_assert_uint_eq(p.jwks, 2);
    for (int i = 0; i < 200; i++) {
        (void)snprintf(kid, sizeof kid, "random-%d", i);
        p.kid = kid;
        ck_assert_int_eq(arriving(&p), 401);
    }
    ck_assert_uint_eq(p.jwks, 2);
    w->now_ms += 31000;
    ck_assert_int_eq(arriving(&p), 401);
    ck_assert_uint_eq(p.jwks, 3);
    p.kid = NULL;
    ck_assert_int_eq(arriving(&p), 200);
    close_world(&p);
}
END_TEST

START_TEST(oidc__a_provider_that_is_away_is_not_asked_at_every_request)
{
    provider p;
    world *w = open_world(&p);
    p.down = true;
    for (int i = 0; i < 20; i++) {
        answer a = request(w, "GET", OIDC, "", NULL, 0);
        ck_assert_int_eq(a.status, 503);
        ck_assert_str_eq(sl_json_str(a.body, "error"), "unavailable");
        ck_assert_str_ne(answer_header(&a, "Retry-After"), "");
        answer_free(&a);
        ck_assert_int_eq(arriving(&p), 503);
    }
    ck_assert_uint_eq(p.abouts, 1);
    p.down = false;
    w->now_ms += 5001;
    ck_assert_int_eq(arriving(&p), 200);
    ck_assert_uint_eq(p.abouts, 2);
    p.down = true; /* what is known serves; the code cannot be traded */
    ck_assert_int_eq(arriving(&p), 503);
    ck_assert_uint_eq(p.abouts, 2);
    close_world(&p);
}
END_TEST

START_TEST(oidc__a_document_that_speaks_for_another_is_none)
{
    provider p;
    world *w = open_world(&p);
    p.issuer = "https://other.example";
    ck_assert_int_eq(arriving(&p), 503);
    ck_assert_uint_eq(p.trades, 0);
    p.issuer = WORLD_ISSUER;
    w->now_ms += 5001;
    ck_assert_int_eq(arriving(&p), 200);
    close_world(&p);
}
END_TEST

/* ---- the account ---- */

START_TEST(oidc__an_address_that_is_not_verified_opens_no_account)
{
    provider p;
    world *w = open_world(&p);
    person other;
    person_make(w, &other, "peter@b.c", "athlete", 7);
    p.verified = false;
    answer a = arrive(&p);
    ck_assert_int_eq(a.status, 403);
    ck_assert_str_eq(sl_json_str(a.body, "error"), "forbidden");
    answer_free(&a);
    p.verified = true;
    p.email = NULL;
    ck_assert_int_eq(arriving(&p), 403);
    ck_assert_int_eq(closed_with(w, other.conn), 0);
    be_good(&p); /* it is proved there and was not here: whoever made the account may be another */
    ck_assert_int_eq(arriving(&p), 200);
    ck_assert_int_eq(closed_with(w, other.conn), 4401);
    a = post(w, "/api/v1/auth/login",
             "{\"email\":\"peter@b.c\",\"password\":\"long enough\","
             "\"device\":\"018b0000-0000-7000-8000-000000000001\"}");
    ck_assert_int_eq(a.status, 401);
    answer_free(&a);
    close_world(&p);
}
END_TEST

/* The answer that asks for the date of birth; the ticket in it. */
static void asked_for_birth(const provider *p, char ticket[64])
{
    answer a = come(p);
    ck_assert_int_eq(a.status, 403);
    ck_assert_str_eq(sl_json_str(a.body, "error"), "birth_date_required");
    ck_assert_ptr_null(sl_json_str(a.body, "access_token"));
    (void)snprintf(ticket, 64, "%s", sl_json_str(a.body, "ticket"));
    answer_free(&a);
}

START_TEST(oidc__a_new_account_says_its_date_of_birth_first)
{
    provider p;
    world *w = open_world(&p);
    char ticket[64];
    asked_for_birth(&p, ticket);
    asked_for_birth(&p, ticket);
    ck_assert_int_eq(stepping(&p, ticket, ""), 403);
    ck_assert_int_eq(stepping(&p, ticket, ",\"birth_date\":\"1990-02-30\""), 422);
    ck_assert_int_eq(stepping(&p, "another", BORN), 401);
    ck_assert_int_eq(stepping(&p, ticket, BORN), 200);
    ck_assert_int_eq(stepping(&p, ticket, BORN), 401);
    answer a = come(&p);
    ck_assert_int_eq(a.status, 200);
    answer_free(&a);
    ck_assert_uint_eq(
        world_rows(w, NULL, "SELECT id FROM account WHERE birth=$1 AND $2=$2", "1990-01-31", ""),
        1);
    close_world(&p);
}
END_TEST

START_TEST(oidc__a_child_waits_for_a_parent_there_too)
{
    provider p;
    world *w = open_world(&p); /* in November 2023 */
    char ticket[64];
    (void)w;
    asked_for_birth(&p, ticket);
    answer a = step(&p, ticket, ",\"birth_date\":\"2011-01-31\"");
    ck_assert_int_eq(a.status, 403);
    ck_assert_str_eq(sl_json_str(a.body, "error"), "consent_required");
    answer_free(&a);
    ck_assert_int_eq(stepping(&p, ticket, BORN), 403); /* it was said */
    a = come(&p);
    ck_assert_int_eq(a.status, 403);
    ck_assert_str_eq(sl_json_str(a.body, "error"), "consent_required");
    answer_free(&a);
    close_world(&p);
}
END_TEST

/* ---- the second factor ---- */

/* Signs in with the provider as this role, and sets an authenticator up. */
static void enrol(const provider *p, const char *role, char secret[40])
{
    world *w = p->w;
    person who = {.n = 0};
    char json[64];
    answer a = arrive(p);
    ck_assert_int_eq(a.status, 200);
    (void)world_rows(w, NULL, "UPDATE account SET role=$1 WHERE id=$2", role,
                     sl_json_str(sl_json_get(a.body, "user"), "id"));
    (void)snprintf(who.access, sizeof who.access, "%s", sl_json_str(a.body, "access_token"));
    answer_free(&a);
    a = signed_request(w, &who, "POST", "/api/v1/auth/totp", "", NULL, 0);
    ck_assert_int_eq(a.status, 200);
    (void)snprintf(secret, 40, "%s", sl_json_str(a.body, "secret"));
    answer_free(&a);
    (void)snprintf(json, sizeof json, "{\"code\":\"%s\"}", code_at(secret, w->now_ms));
    a = signed_request(w, &who, "POST", "/api/v1/auth/totp/confirm", "", json, strlen(json));
    ck_assert_int_eq(a.status, 200);
    answer_free(&a);
    w->now_ms += 120000;
}

/* The answer that asks for the code; the ticket in it. */
static void asked_for_code(const provider *p, char ticket[64])
{
    answer a = arrive(p);
    ck_assert_int_eq(a.status, 403);
    ck_assert_str_eq(sl_json_str(a.body, "error"), "mfa_required");
    ck_assert_ptr_null(sl_json_str(a.body, "access_token"));
    (void)snprintf(ticket, 64, "%s", sl_json_str(a.body, "ticket"));
    ck_assert_uint_ge(strlen(ticket), 43);
    answer_free(&a);
}

START_TEST(oidc__an_account_with_an_authenticator_is_not_entered_without_its_code)
{
    static const char *const roles[] = {"athlete", "coach"};
    for (size_t i = 0; i < 2; i++) {
        provider p;
        world *w = open_world(&p);
        w->require_factor = true;
        world_reopen(w);
        char secret[40];
        char ticket[64];
        char more[60];
        enrol(&p, roles[i], secret);
        asked_for_code(&p, ticket);
        ck_assert_int_eq(stepping(&p, ticket, ""), 403);
        ck_assert_int_eq(stepping(&p, ticket, ",\"code\":\"000000\""), 401);
        ck_assert_int_eq(stepping(&p, "another", ",\"code\":\"000000\""), 401);
        (void)snprintf(more, sizeof more, ",\"code\":\"%s\"", code_at(secret, w->now_ms));
        answer a = step(&p, ticket, more);
        ck_assert_int_eq(a.status, 200);
        ck_assert(!sl_json_bool_or(a.body, "mfa_required", false));
        person who = {.n = 0};
        (void)snprintf(who.access, sizeof who.access, "%s", sl_json_str(a.body, "access_token"));
        answer_free(&a);
        a = signed_request(w, &who, "GET", "/api/v1/blobs/00", "", NULL, 0);
        ck_assert_int_eq(a.status, 404); /* nothing is there, and no factor is missing */
        answer_free(&a);
        w->now_ms += 60000;
        (void)snprintf(more, sizeof more, ",\"code\":\"%s\"", code_at(secret, w->now_ms));
        ck_assert_int_eq(stepping(&p, ticket, more), 401); /* it has served */
        close_world(&p);
    }
}
END_TEST

START_TEST(oidc__a_ticket_ends_after_ten_minutes_and_guessing_after_five)
{
    provider p;
    world *w = open_world(&p);
    char secret[40];
    char ticket[64];
    char more[60];
    enrol(&p, "athlete", secret);
    asked_for_code(&p, ticket);
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(stepping(&p, ticket, ",\"code\":\"000000\""), 401);
    }
    (void)snprintf(more, sizeof more, ",\"code\":\"%s\"", code_at(secret, w->now_ms));
    ck_assert_int_eq(stepping(&p, ticket, more), 429);
    w->now_ms += 600000;
    (void)snprintf(more, sizeof more, ",\"code\":\"%s\"", code_at(secret, w->now_ms));
    ck_assert_int_eq(stepping(&p, ticket, more), 401);
    asked_for_code(&p, ticket);
    ck_assert_int_eq(stepping(&p, ticket, more), 200);
    close_world(&p);
}
END_TEST

START_TEST(oidc__a_second_factor_at_the_provider_is_one)
{
    provider p;
    world *w = open_world(&p);
    char secret[40];
    (void)w;
    enrol(&p, "athlete", secret);
    p.amr = "[\"pwd\"]";
    ck_assert_int_eq(arriving(&p), 403);
    p.amr = "[\"pwd\",\"otp\"]";
    ck_assert_int_eq(arriving(&p), 200);
    p.amr = "[\"mfa\"]";
    ck_assert_int_eq(arriving(&p), 200);
    close_world(&p);
}
END_TEST

START_TEST(oidc__what_fails_on_the_way_lets_nobody_in_without_the_code)
{
    provider p;
    world *w = open_world(&p);
    char secret[40];
    char ticket[64];
    size_t asked = 0;
    enrol(&p, "athlete", secret);
    asked_for_code(&p, ticket);
    for (uint64_t k = 1; k <= 300; k++) {
        for (int memory = 0; memory < 2; memory++) {
            w->now_ms += 31000; /* what failed is asked for anew */
            w->db_fault = SL_E_IO;
            w->db_fail_at = memory == 0 ? k : 0;
            (void)sl_mem_fail_at(memory != 0 ? k : 0, false);
            answer a = come(&p);
            (void)sl_mem_fail_at(0, false);
            w->db_fail_at = 0;
            ck_assert_msg(a.status == 403 || a.status == 401 || a.status >= 500, "%d", a.status);
            asked += a.status == 403 ? 1 : 0;
            answer_free(&a);
            w->db_fail_at = memory == 0 ? k : 0;
            (void)sl_mem_fail_at(memory != 0 ? k : 0, false);
            a = step(&p, ticket, ",\"code\":\"000000\"");
            (void)sl_mem_fail_at(0, false);
            w->db_fail_at = 0;
            ck_assert_msg(a.status == 401 || a.status == 429 || a.status >= 500, "%d", a.status);
            answer_free(&a);
        }
    }
    ck_assert_uint_gt(asked, 100);
    close_world(&p);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        oidc__a_good_token_makes_an_account_and_finds_it_again,
        oidc__a_name_that_is_too_long_ends_behind_a_character,
        oidc__an_address_that_is_none_opens_nothing,
        oidc__a_token_that_is_not_for_us_now_from_there_opens_nothing,
        oidc__a_provider_that_changes_its_key_is_asked_once_in_half_a_minute,
        oidc__a_provider_that_is_away_is_not_asked_at_every_request,
        oidc__a_document_that_speaks_for_another_is_none,
        oidc__an_address_that_is_not_verified_opens_no_account,
        oidc__a_new_account_says_its_date_of_birth_first,
        oidc__a_child_waits_for_a_parent_there_too,
        oidc__an_account_with_an_authenticator_is_not_entered_without_its_code,
        oidc__a_ticket_ends_after_ten_minutes_and_guessing_after_five,
        oidc__what_fails_on_the_way_lets_nobody_in_without_the_code,
        oidc__a_second_factor_at_the_provider_is_one,
    };
    sl_prng prng;
    sl_prng_seed(&prng, 3);
    for (size_t i = 0; i < 2; i++) {
        if (sl_key_generate(2048, random_fill, &prng, &g_keys[i], NULL) != SL_OK) {
            abort(); /* no test is running that could fail */
        }
    }
    world_start();
    int status = sl_test_run(sl_test_suite("oidc", tests, sizeof tests / sizeof tests[0]));
    world_end();
    for (size_t i = 0; i < 2; i++) {
        sl_key_free(g_keys[i]);
    }
    return status;
}
