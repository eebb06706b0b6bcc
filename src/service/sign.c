/*
 * service/sign.c - addresses that carry their right with them: ?u=USER&e=SECONDS&s=SIGNATURE, for players
 * and pages that send no headers of ours.
 *
 *   [RIGHT-1] an address opens one thing for one user until then, and no longer than the user may have it;
 *            with another user, time or thing in it, it opens nothing.
 */
#include "service/sign.h"

#include "base/base64.h"
#include "crypto/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEX_LEN = 2 * SL_SHA256_LEN
};

static void sign(const sl_service *s, const sl_sv_right *right, char out[HEX_LEN + 1])
{
    uint8_t key[SL_SHA256_LEN];
    uint8_t mac[SL_SHA256_LEN];
    char text[SL_SV_SHA_LEN + SL_UUID_LEN + 32];
    int n = snprintf(text, sizeof text, "%s %s %lld", right->what, right->user,
                     (long long)right->until_s);
    sl_hmac_sha256(s->pepper, sizeof s->pepper, right->purpose, strlen(right->purpose), key);
    sl_hmac_sha256(key, sizeof key, text, (size_t)n, mac);
    sl_hex(out, mac, sizeof mac);
    sl_wipe(key, sizeof key);
}

/* The value of a name in the query; false when it is absent or longer than there is room. */
static bool query_value(const char *query, const char *name, char *out, size_t room)
{
    size_t n = strlen(name);
    for (const char *p = query; p != NULL && *p != 0;) {
        size_t len = strcspn(p, "&");
        if (len > n && strncmp(p, name, n) == 0 && p[n] == '=') {
            if (len - n - 1 >= room) {
                return false;
            }
            memcpy(out, p + n + 1, len - n - 1);
            out[len - n - 1] = 0;
            return true;
        }
        p += len + (p[len] == '&');
    }
    return false;
}

bool sl_sv_sign_is(const sl_http_in *in)
{
    return in->query != NULL && strstr(in->query, "s=") != NULL;
}

bool sl_sv_sign_holds(const sl_service *s, const char *query, sl_sv_right *right)
{
    char until[20];
    char given[HEX_LEN + 1];
    char made[HEX_LEN + 1];
    if (!query_value(query, "u", right->user, sizeof right->user) ||
        !query_value(query, "e", until, sizeof until) ||
        !query_value(query, "s", given, sizeof given) || strlen(given) != HEX_LEN ||
        !sl_uuid_ok(right->user) || strspn(until, "0123456789") != strlen(until)) {
        return false;
    }
    right->until_s = strtoll(until, NULL, 10);
    sign(s, right, made);
    return sl_equal_ct(given, made, HEX_LEN) && right->until_s > sl_sv_now(s) / 1000;
}

void sl_sv_sign_put(const sl_service *s, const sl_sv_right *right, sl_buf *out)
{
    char mac[HEX_LEN + 1];
    sign(s, right, mac);
    sl_buf_fmt(out, "?u=%s&e=%lld&s=%s", right->user, (long long)right->until_s, mac);
}

void sl_sv_sign_answer(const sl_service *s, const sl_sv_right *right, sl_buf *url, sl_http_out *out)
{
    sl_json *j = sl_json_object();
    sl_sv_sign_put(s, right, url);
    if (url->failed || j == NULL || !sl_json_set_str(j, "url", sl_buf_text(url)) ||
        !sl_json_set_int(j, "expires_ms", right->until_s * 1000)) {
        sl_json_free(j);
        j = NULL;
    }
    sl_buf_free(url);
    sl_sv_answer(out, 200, j);
}
