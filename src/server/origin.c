#include "server/origin.h"

#include <string.h>
#include <strings.h>

/* Of a URL: http or https, and its host with the port, but for the one that goes without saying. */
typedef struct place {
    bool secure;
    const char *at;
    size_t len;
    const char *rest;
} place;

static size_t without_port(const char *at, size_t len, const char *port)
{
    size_t n = strlen(port);
    return len > n && memcmp(at + len - n, port, n) == 0 ? len - n : len;
}

static bool read_place(const char *url, place *out)
{
    out->secure = strncasecmp(url, "https://", 8) == 0;
    if (!out->secure && strncasecmp(url, "http://", 7) != 0) {
        return false;
    }
    out->at = url + (out->secure ? 8 : 7);
    size_t n = strcspn(out->at, "/?#");
    out->rest = out->at + n;
    for (size_t i = 0; i < n; i++) {
        if (out->at[i] <= ' ' || out->at[i] == '@' || out->at[i] == ',') {
            return false;
        }
    }
    out->len = without_port(out->at, n, out->secure ? ":443" : ":80");
    return n > 0 && out->at[0] != ':';
}

static bool same(const place *p, const char *at, size_t len)
{
    return p->len == len && strncasecmp(p->at, at, len) == 0;
}

static bool is_of(const place *p, const char *url)
{
    place other;
    return url != NULL && read_place(url, &other) && other.secure == p->secure &&
           same(p, other.at, other.len);
}

bool sl_origin_is(const char *url)
{
    place p;
    return read_place(url, &p);
}

bool sl_origin_ok(const sl_origins *o, const char *origin, const char *host)
{
    place p;
    if (origin == NULL) {
        return true;
    }
    if (!read_place(origin, &p) || p.rest[0] != '\0') {
        return false;
    }
    size_t n = host != NULL ? without_port(host, strlen(host), p.secure ? ":443" : ":80") : 0;
    /* Behind a proxy with TLS the page came by https and the request does not. */
    bool ok = n > 0 && (p.secure || !o->tls) && same(&p, host, n);
    ok = ok || is_of(&p, o->public_url);
    for (size_t i = 0; !ok && i < o->count; i++) {
        ok = is_of(&p, o->allowed[i]);
    }
    return ok;
}
