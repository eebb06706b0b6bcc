/* service/ask.c - what a request asks for: by its query, or by the members of a JSON body. */
#include "service/ask.h"
#include "base/error.h"
#include "service/inside.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum {
    NAME_MAX = 16,   /* of a parameter */
    VALUE_MAX = 1200 /* holes are the longest */
};

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* The part of a query up to `end`, without its escapes. False: broken, or too long. */
static bool unescape(const char **p, const char *end, char *out, size_t room)
{
    size_t n = 0;
    for (; **p != 0 && strchr(end, **p) == NULL; (*p)++, n++) {
        int c = **p == '+' ? ' ' : (unsigned char)**p;
        if (c == '%') {
            int high = hex_digit((*p)[1]);
            int low = high >= 0 ? hex_digit((*p)[2]) : -1;
            c = low >= 0 ? high * 16 + low : 0;
            *p += low >= 0 ? 2 : 0;
        }
        if (c == 0 || n + 1 >= room) {
            return false;
        }
        out[n] = (char)c;
    }
    out[n] = 0;
    return true;
}

sl_status sl_sv_query_read(const char *query, sl_json **out)
{
    char name[NAME_MAX];
    char value[VALUE_MAX];
    const char *p = query != NULL ? query : "";
    *out = sl_json_object();
    sl_status status = *out != NULL ? SL_OK : SL_E_NOMEM;
    while (status == SL_OK && *p != 0) {
        value[0] = 0;
        bool ok = unescape(&p, "=&", name, sizeof name);
        if (ok && *p == '=') {
            p++;
            ok = unescape(&p, "&", value, sizeof value);
        }
        p += ok && *p == '&' ? 1 : 0;
        status = !ok ? SL_E_INVALID : SL_OK;
        if (ok && !sl_json_set_str(*out, name, value)) {
            status = SL_E_NOMEM;
        }
    }
    return status;
}

bool sl_sv_ask_read(const sl_http_in *in, sl_sv_ask *a, sl_http_out *out)
{
    memset(a, 0, sizeof *a);
    if (in->body_len > SL_SV_BODY_MAX) {
        sl_sv_refuse(out, 413, "too_large", "the body is too large");
        return false;
    }
    a->query = strcmp(in->method, "GET") == 0;
    sl_status status = a->query
                           ? sl_sv_query_read(in->query, &a->json)
                           : sl_json_read((const char *)in->body, in->body_len, &a->json, NULL);
    if (status == SL_OK && !sl_json_is_object(a->json)) {
        status = SL_E_INVALID;
    }
    if (status == SL_E_NOMEM) {
        sl_sv_broken(out, status);
    } else if (status != SL_OK) {
        sl_sv_refuse(out, 400, "bad_request", "not a question that makes sense");
    }
    return status == SL_OK;
}

void sl_sv_ask_free(sl_sv_ask *a)
{
    sl_json_free(a->json);
    a->json = NULL;
}

/* A whole number from 0, in a query as its digits. */
static bool number_of(const sl_sv_ask *a, const char *name, int64_t *to)
{
    const char *text = a->query ? sl_json_str(a->json, name) : NULL;
    if (text == NULL) {
        return sl_json_int(a->json, name, to) && *to >= 0;
    }
    size_t n = strlen(text);
    bool ok = n > 0 && n <= 15 && strspn(text, "0123456789") == n;
    *to = ok ? strtoll(text, NULL, 10) : 0;
    return ok;
}

bool sl_sv_ask_number(const sl_sv_ask *a, const char *name, int64_t *to, sl_http_out *out)
{
    *to = 0;
    if (sl_json_get(a->json, name) != NULL && !number_of(a, name, to)) {
        sl_sv_invalid(out, name, "is a whole number from 0");
        return false;
    }
    return true;
}

bool sl_sv_ask_text(const sl_sv_ask *a, const char *name, const char **to, sl_http_out *out)
{
    *to = sl_json_str(a->json, name);
    if (sl_json_get(a->json, name) != NULL && *to == NULL) {
        sl_sv_invalid(out, name, "is a text");
        return false;
    }
    return true;
}

bool sl_sv_ask_flag(const sl_sv_ask *a, const char *name)
{
    const char *text = a->query ? sl_json_str(a->json, name) : NULL;
    return text != NULL ? strcmp(text, "true") == 0 : sl_json_bool_or(a->json, name, false);
}

void sl_sv_form_put(sl_buf *form, const char *name, const char *value)
{
    static const char hex[] = "0123456789ABCDEF";
    sl_buf_fmt(form, "%s%s=", form->len > 0 ? "&" : "", name);
    for (; *value != 0; value++) {
        unsigned char c = (unsigned char)*value;
        if (isalnum(c) || strchr("-._~", c) != NULL) {
            sl_buf_u8(form, c);
        } else {
            sl_buf_u8(form, '%');
            sl_buf_u8(form, (uint8_t)hex[c >> 4]);
            sl_buf_u8(form, (uint8_t)hex[c & 15]);
        }
    }
}
