/*
 * What another provider of sign-in says, line by line: where it is (the discovery document), its keys (JWKS), its answer
 * to the code, the header and the claims of its ID token. "@K" stands for the public key "k", "@T" for the token, which
 * is signed with it. The code is brought, and what is missing then, the date of birth.
 *
 * Whatever it says, it is believed only when the claims are its own, for us, for this sign-in and still good; and what
 * is answered can be read.
 */
#include "service_rig.h"
#include "token.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "platform/sim/disk.h"
#include "server/db_sqlite.h"

#include <string.h>

enum {
    LINES = 5,
    ABOUT = 0,
    KEYS,
    TRADE,
    HEAD,
    CLAIMS
};

#define ISSUER "https://p.example"
#define DEVICE "018b0000-0000-7000-8000-000000000001"

static const int64_t NOW_S = 1700000000;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct line {
    const char *p;
    size_t n;
} line;

typedef struct rig {
    sl_disk *disk; /* first: sl_disk_files looks for it here */
    sl_service *s;
    line lines[LINES];
} rig;

static int64_t clock_ms(void *user)
{
    (void)user;
    return NOW_S * 1000;
}

static void no_send(void *user, sl_id conn, const void *p, size_t n)
{
    (void)user;
    (void)conn;
    (void)p;
    (void)n;
}

/* ---- the provider ---- */

static void put_key(sl_buf *out)
{
    sl_json *jwk = sl_key_jwk(token_key());
    SL_ASSERT(jwk != NULL && sl_json_set_str(jwk, "kid", "k"));
    char *text = sl_json_print(jwk);
    sl_buf_str(out, text);
    sl_mem_free(text);
    sl_json_free(jwk);
}

static void fill_in(const rig *r, const line *l, sl_buf *out)
{
    for (size_t i = 0; i < l->n; i++) {
        char sign = l->p[i] == '@' && i + 1 < l->n ? l->p[i + 1] : 0;
        if (sign == 'K') {
            put_key(out);
        } else if (sign == 'T') {
            sl_buf token = {0};
            token_put(&token, r->lines[HEAD].p, r->lines[HEAD].n, r->lines[CLAIMS].p,
                      r->lines[CLAIMS].n);
            sl_buf_put(out, token.data, token.len);
            sl_buf_free(&token);
        } else {
            sl_buf_u8(out, (uint8_t)l->p[i]);
        }
        i += sign == 'K' || sign == 'T' ? 1 : 0;
    }
}

/* Everything that is not the discovery document is the keys, or with a form the answer to the code. */
static sl_status fetch(void *user, const char *url, const char *form, sl_bytes **out,
                       sl_error **err)
{
    const rig *r = user;
    sl_buf b = {0};
    (void)err;
    bool about = strcmp(url, ISSUER "/.well-known/openid-configuration") == 0;
    fill_in(r, &r->lines[form != NULL ? TRADE : about ? ABOUT : KEYS], &b);
    *out = sl_buf_bytes(&b);
    return *out != NULL ? SL_OK : SL_E_NOMEM;
}

/* ---- the service ---- */

static const sl_clock_ops CLOCK = {
    .struct_size = sizeof(sl_clock_ops), .mono_ms = clock_ms, .wall_ms = clock_ms};
static const sl_random_ops RANDOM = {sizeof(sl_random_ops), 0, token_random};

static void open_rig(rig *r, sl_platform *platform)
{
    static char *pem;
    if (pem == NULL) {
        SL_ASSERT(sl_key_to_pem(token_key(), &pem, NULL) == SL_OK);
    }
    r->disk = sl_disk_new(1);
    SL_ASSERT(r->disk != NULL);
    *platform = (sl_platform){.struct_size = sizeof *platform,
                              .user = r,
                              .clock = &CLOCK,
                              .random = &RANDOM,
                              .files = &sl_disk_files};
    sl_service_ports ports = {.platform = platform,
                              .user = r,
                              .send = no_send,
                              .close = no_close,
                              .hash_password = hash,
                              .check_password = check,
                              .fetch = fetch};
    sl_service_config config = {
        .dir = "none", .key_pem = pem, .oidc_issuer = ISSUER, .oidc_client = "us"};
    SL_ASSERT(sl_db_sqlite_open(":memory:", NULL, &ports.db, NULL) == SL_OK);
    SL_ASSERT(sl_service_open(&ports, &config, &r->s, NULL) == SL_OK);
}

static int32_t post(rig *r, const char *path, const char *body, sl_json **out)
{
    sl_http_in in = {"POST",       path,  "",  no_header, NULL, (const uint8_t *)body,
                     strlen(body), false, NULL};
    sl_http_out answer;
    sl_service_http(r->s, &in, &answer);
    SL_ASSERT(answer.body != NULL);
    const char *text = (const char *)sl_bytes_data(answer.body);
    *out = sl_json_parse(text, sl_bytes_len(answer.body));
    SL_ASSERT(*out != NULL && sl_utf8_ok(text, sl_bytes_len(answer.body)));
    int32_t status = answer.status;
    sl_http_out_free(&answer);
    return status;
}

/* ---- what may be believed ---- */

static bool is_text(const sl_json *j, const char *name, const char *text)
{
    const char *is = sl_json_str(j, name);
    return is != NULL && strcmp(is, text) == 0;
}

static void check_believed(const rig *r)
{
    sl_json *about = sl_json_parse(r->lines[ABOUT].p, r->lines[ABOUT].n);
    sl_json *claims = sl_json_parse(r->lines[CLAIMS].p, r->lines[CLAIMS].n);
    const sl_json *aud = sl_json_get(claims, "aud");
    bool for_us = is_text(claims, "aud", "us");
    for (const sl_json *m = sl_json_is_array(aud) ? sl_json_first(aud) : NULL; m != NULL;
         m = sl_json_next(m)) {
        for_us = for_us || (sl_json_is_string(m) && strcmp(sl_json_text(m), "us") == 0);
    }
    SL_ASSERT(is_text(about, "issuer", ISSUER) && is_text(claims, "iss", ISSUER));
    SL_ASSERT(for_us && is_text(claims, "nonce", "n") && sl_json_str(claims, "sub") != NULL);
    SL_ASSERT(sl_json_int_or(claims, "exp", 0) + SL_JWT_SKEW_MAX_S > NOW_S);
    sl_json_free(about);
    sl_json_free(claims);
}

static void come(rig *r)
{
    static const char code[] =
        "{\"code\":\"c\",\"verifier\":\"v\",\"nonce\":\"n\",\"redirect_uri\":\"u\","
        "\"device\":\"" DEVICE "\"}";
    sl_json *j = NULL;
    sl_json *in = NULL;
    int32_t status = post(r, "/api/v1/auth/oidc", code, &j);
    const char *ticket = sl_json_str(j, "ticket");
    SL_ASSERT(status == 200 || status == 401 || status == 403 || status == 503);
    if (status == 200 || status == 403) {
        check_believed(r);
    }
    if (ticket != NULL) {
        char *step = sl_text_fmt(
            "{\"ticket\":\"%s\",\"device\":\"" DEVICE "\",\"birth_date\":\"1990-01-31\"}", ticket);
        SL_ASSERT(post(r, "/api/v1/auth/oidc/step", step, &in) == 200);
        sl_json_free(in);
        SL_ASSERT(post(r, "/api/v1/auth/oidc", code, &in) == 200); /* nothing is missing any more */
        sl_json_free(in);
        sl_mem_free(step);
    }
    sl_json_free(j);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rig r = {.s = NULL};
    sl_platform platform;
    const char *p = (const char *)data;
    size_t left = size;
    for (size_t i = 0; i < LINES; i++) {
        const char *end = left > 0 ? memchr(p, '\n', left) : NULL;
        r.lines[i] = (line){p, end != NULL ? (size_t)(end - p) : left};
        size_t n = r.lines[i].n + (end != NULL ? 1 : 0);
        p += n;
        left -= n;
    }
    open_rig(&r, &platform);
    come(&r);
    sl_service_close(r.s);
    sl_disk_free(r.disk);
    return 0;
}
