/*
 * server/origin.h - which web pages may open the live channel. A browser says with the handshake whose page
 * it is (RFC 6455, 10.2); what is no browser says nothing, and is asked for its token alone.
 */
#ifndef SL_SERVER_ORIGIN_H
#define SL_SERVER_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>

enum {
    SL_ORIGINS_MAX = 16
};

typedef struct sl_origins {
    const char *allowed[SL_ORIGINS_MAX]; /* URLs; what follows their host and port does not count */
    size_t count;
    const char *public_url; /* one more, or NULL */
    bool tls;               /* the server's own pages come over TLS */
} sl_origins;

/* A URL of http or https with a host and perhaps a port. */
bool sl_origin_is(const char *url);
/* origin, host: the headers, NULL when there is none. Nobody's pages but the server's own, by the host that
 * the request names, and those that are allowed. */
bool sl_origin_ok(const sl_origins *o, const char *origin, const char *host);

#endif
