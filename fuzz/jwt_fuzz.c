/*
 * Tokens. Input that begins with "T" is one, as text. "S" begins a header's text, a line with the claims' text and
 * perhaps a third line: a token of them is signed, and each three bytes of that line change one byte of it (where, low
 * byte first, and to what). In small letters they are checked as ID tokens.
 *
 * What is accepted is what the key has signed, in the one spelling that it has, and says what it is asked to say.
 */
#include "token.h"

#include "base/mem.h"

#include <string.h>

static const int64_t NOW_S = 1700000000;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool names_us(const sl_json *aud)
{
    bool found = sl_json_is_string(aud) && strcmp(sl_json_text(aud), "sideline") == 0;
    const sl_json *m = sl_json_is_array(aud) ? sl_json_first(aud) : NULL;
    for (; m != NULL; m = sl_json_next(m)) {
        found = found || (sl_json_is_string(m) && strcmp(sl_json_text(m), "sideline") == 0);
    }
    return found;
}

static void check_claims(const sl_json *claims)
{
    SL_ASSERT(sl_json_is_object(claims));
    SL_ASSERT(strcmp(sl_json_str(claims, "iss"), "issuer") == 0);
    SL_ASSERT(names_us(sl_json_get(claims, "aud")));
    SL_ASSERT(sl_json_int_or(claims, "exp", 0) + SL_JWT_SKEW_MAX_S > NOW_S);
    SL_ASSERT(sl_json_int_or(claims, "nbf", NOW_S) - SL_JWT_SKEW_MAX_S <= NOW_S);
    SL_ASSERT(sl_json_int_or(claims, "iat", NOW_S) - SL_JWT_SKEW_MAX_S <= NOW_S);
}

/* The header says what is understood and no more. */
static void check_head(const char *text, size_t n, bool identity)
{
    sl_buf b = {0};
    size_t members = 0;
    SL_ASSERT(sl_base64url_decode(&b, text, n));
    sl_json *head = sl_json_parse((const char *)b.data, b.len);
    const char *typ = sl_json_str(head, "typ");
    SL_ASSERT(strcmp(sl_json_str(head, "alg"), "RS256") == 0);
    SL_ASSERT(strcmp(sl_json_str(head, "kid"), sl_key_id(token_key())) == 0);
    SL_ASSERT(typ != NULL ? strcmp(typ, identity ? "JWT" : "at+jwt") == 0 : identity);
    for (const sl_json *m = sl_json_first(head); m != NULL; m = sl_json_next(m)) {
        members++;
    }
    SL_ASSERT(members == (typ != NULL ? 3 : 2));
    sl_json_free(head);
    sl_buf_free(&b);
}

/* Its parts, read and written again, and signed again, are the same text. */
static void check_spelling(const char *text, size_t n)
{
    sl_buf again = {0};
    const char *end = text + n;
    for (int part = 0; part < 2; part++) {
        const char *dot = memchr(text, '.', (size_t)(end - text));
        sl_buf b = {0};
        SL_ASSERT(dot != NULL && sl_base64url_decode(&b, text, (size_t)(dot - text)));
        sl_base64url(&again, b.data, b.len);
        sl_buf_str(&again, part == 0 ? "." : "");
        sl_buf_free(&b);
        text = dot + 1;
    }
    token_sign(&again);
    SL_ASSERT(again.len == n && memcmp(again.data, end - n, n) == 0);
    sl_buf_free(&again);
}

static void verify(const char *text, size_t n, bool identity)
{
    char kid[64];
    sl_json *claims = NULL;
    sl_error *why = NULL;
    sl_jwt_rules rules = {.iss = "issuer",
                          .aud = "sideline",
                          .now_s = NOW_S,
                          .skew_s = 3600, /* which is capped */
                          .identity = identity};
    bool named = sl_jwt_key_id(text, n, kid, sizeof kid);
    SL_ASSERT(!named || strlen(kid) < sizeof kid);
    sl_status status = sl_jwt_verify(token_key(), text, n, &rules, &claims, &why);
    if (status == SL_OK) {
        SL_ASSERT(named && n <= SL_JWT_LEN_MAX);
        check_claims(claims);
        check_head(text, (size_t)((const char *)memchr(text, '.', n) - text), identity);
        check_spelling(text, n);
    } else {
        SL_ASSERT(status == SL_E_AUTH && claims == NULL);
    }
    sl_json_free(claims);
    sl_error_release(why);
}

/* "@K" in a header stands for the key's id. */
static void put_head(sl_buf *out, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i] == '@' && i + 1 < n && p[i + 1] == 'K') {
            sl_buf_str(out, sl_key_id(token_key()));
            i++;
        } else {
            sl_buf_u8(out, (uint8_t)p[i]);
        }
    }
}

static void change(sl_buf *token, const uint8_t *p, size_t n)
{
    for (; n >= 3; p += 3, n -= 3) {
        size_t at = (size_t)p[0] | (size_t)p[1] << 8;
        token->data[at % token->len] = p[2];
    }
}

static void sign_and_verify(const char *p, size_t n, bool identity)
{
    const char *line = memchr(p, '\n', n);
    if (line == NULL) {
        return;
    }
    const char *claims = line + 1;
    size_t left = n - (size_t)(claims - p);
    const char *more = left > 0 ? memchr(claims, '\n', left) : NULL;
    size_t claims_n = more != NULL ? (size_t)(more - claims) : left;
    sl_buf head = {0};
    sl_buf token = {0};
    put_head(&head, p, (size_t)(line - p));
    token_put(&token, head.data, head.len, claims, claims_n);
    if (more != NULL) {
        change(&token, (const uint8_t *)more + 1, left - claims_n - 1);
    }
    verify((const char *)token.data, token.len, identity);
    sl_buf_free(&head);
    sl_buf_free(&token);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char kind = size > 0 ? (char)data[0] : 0;
    if (kind == 'T' || kind == 't') {
        verify((const char *)data + 1, size - 1, kind == 't');
    } else if (kind == 'S' || kind == 's') {
        sign_and_verify((const char *)data + 1, size - 1, kind == 's');
    }
    return 0;
}
