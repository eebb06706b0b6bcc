/* The address with which another provider of sign-in comes back: is it an answer to what we asked? */
#include "engine/engine.h"

#include "base/error.h"
#include "base/mem.h"
#include "crypto/hash.h"

#include <string.h>

static int digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* A parameter of the address, decoded; sl_mem text, NULL when absent, twice there or broken. */
static char *parameter(const char *address, const char *name)
{
    size_t n = strlen(name);
    const char *found = NULL;
    const char *p = strchr(address, '?');
    while (p != NULL && *p != 0 && *p != '#') {
        p++;
        if (strncmp(p, name, n) == 0 && p[n] == '=') {
            if (found != NULL) {
                return NULL;
            }
            found = p + n + 1;
        }
        p += strcspn(p, "&#");
    }
    size_t len = found != NULL ? strcspn(found, "&#") : 0;
    char *out = found != NULL ? sl_mem(len + 1) : NULL;
    size_t k = 0;
    for (size_t i = 0; out != NULL && i < len; i++) {
        int high = found[i] == '%' && i + 2 < len ? digit(found[i + 1]) : 0;
        int low = found[i] == '%' && i + 2 < len ? digit(found[i + 2]) : 0;
        bool broken = found[i] == '%' && (i + 2 >= len || high < 0 || low < 0 || high + low == 0);
        if (broken) {
            sl_mem_free(out);
            return NULL;
        }
        out[k++] = found[i] == '%' ? (char)(high * 16 + low) : found[i] == '+' ? ' ' : found[i];
        i += found[i] == '%' ? 2 : 0;
    }
    return out;
}

static bool same(const char *a, const char *b)
{
    return a != NULL && b != NULL && strlen(a) == strlen(b) && sl_equal_ct(a, b, strlen(a));
}

/* Back at the place that was asked for, and nowhere else. */
static bool is_place(const char *address, const char *redirect_uri)
{
    size_t n = redirect_uri != NULL ? strlen(redirect_uri) : 0;
    return n > 0 && strncmp(address, redirect_uri, n) == 0 && address[n] == '?';
}

sl_status sl_session_redirect(const sl_json *in, sl_json **body, sl_error **err)
{
    static const char *const kept[] = {"verifier", "nonce", "redirect_uri"};
    const char *address = sl_json_str(in, "redirect");
    *body = NULL;
    if (address == NULL || sl_json_str(in, "state") == NULL || sl_json_str(in, "issuer") == NULL) {
        return sl_fail_field(err, SL_E_INVALID, "redirect",
                             "what the question gave is needed, and the address that came back");
    }
    char *code = parameter(address, "code");
    char *state = parameter(address, "state");
    char *issuer = parameter(address, "iss");
    bool ours = is_place(address, sl_json_str(in, "redirect_uri")) &&
                same(state, sl_json_str(in, "state")) &&
                (issuer != NULL ? same(issuer, sl_json_str(in, "issuer"))
                                : strstr(address, "iss=") == NULL);
    sl_json *j = ours && code != NULL ? sl_json_object() : NULL;
    sl_status status = !ours ? sl_fail(err, SL_E_DENIED, "this is no answer to what was asked")
                       : code == NULL ? sl_fail(err, SL_E_DENIED, "the provider refused")
                       : j != NULL && sl_json_set_str(j, "code", code) ? SL_OK
                                                                       : sl_fail_nomem(err);
    for (size_t i = 0; status == SL_OK && i < sizeof kept / sizeof kept[0]; i++) {
        const char *value = sl_json_str(in, kept[i]);
        if (value == NULL) {
            status = sl_fail_field(err, SL_E_INVALID, kept[i], "\"%s\" is needed", kept[i]);
        } else if (!sl_json_set_str(j, kept[i], value)) {
            status = sl_fail_nomem(err);
        }
    }
    if (status == SL_OK) {
        *body = j;
    } else {
        sl_json_free(j);
    }
    sl_mem_free(code);
    sl_mem_free(state);
    sl_mem_free(issuer);
    return status;
}

sl_status sl_session_step(const sl_core *core, const sl_json *in, sl_json **body, sl_error **err)
{
    static const char *const given[] = {"code", "birth_date"};
    *body = NULL;
    if (core->session.ticket == NULL) {
        return sl_fail(err, SL_E_DENIED, "no sign-in waits for this");
    }
    sl_json *j = sl_json_object();
    bool ok = j != NULL && sl_json_set_str(j, "ticket", core->session.ticket);
    for (size_t i = 0; ok && i < sizeof given / sizeof given[0]; i++) {
        const char *value = sl_json_str(in, given[i]);
        ok = value == NULL || sl_json_set_str(j, given[i], value);
    }
    if (!ok) {
        sl_json_free(j);
        return sl_fail_nomem(err);
    }
    *body = j;
    return SL_OK;
}
