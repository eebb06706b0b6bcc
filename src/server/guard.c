#include "server/guard.h"

#include <stddef.h>
#include <string.h>

enum {
    LENGTH_DIGITS_MAX = 18
};

/* Digits only: no sign, no blanks, no list. False also for what no number of ours can be. */
static bool parse_length(const char *s, int64_t *out)
{
    size_t n = strlen(s);
    if (n == 0 || n > LENGTH_DIGITS_MAX) {
        return false;
    }
    int64_t value = 0;
    for (size_t i = 0; i < n; i++) {
        if (s[i] < '0' || s[i] > '9') {
            return false;
        }
        value = value * 10 + (s[i] - '0');
    }
    *out = value;
    return true;
}

static bool host_ok(const sl_guard_in *in)
{
    if (in->host == NULL) {
        return in->old_http;
    }
    return in->host[0] != '\0' && strpbrk(in->host, ", /@") == NULL;
}

int32_t sl_guard_check(const sl_guard_in *in, int64_t body_max, int64_t *length, const char **why)
{
    *length = 0;
    *why = "";
    if (!host_ok(in)) {
        *why = "the request needs exactly one Host header";
        return 400;
    }
    if (in->transfer_encoding != NULL && in->content_length != NULL) {
        *why = "the request has both Content-Length and Transfer-Encoding";
        return 400;
    }
    if (in->transfer_encoding != NULL) {
        *why = "the request needs a Content-Length, chunks are not taken";
        return 411;
    }
    if (in->content_length == NULL) {
        return 0;
    }
    if (!parse_length(in->content_length, length)) {
        *why = "the Content-Length is not one plain number";
        return 400;
    }
    if (*length > body_max) {
        *why = "the request is larger than this server takes at once";
        return 413;
    }
    return 0;
}
