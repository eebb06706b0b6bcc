/*
 * server/guard.h - refuses requests whose framing two readers could understand differently.
 *
 * libwebsockets takes what a strict server must not: a length twice, a length and chunks
 * together, "+5", no Host. A proxy in front that reads it the other way would let a request
 * hide inside another one's body; so such a connection is answered once and closed.
 */
#ifndef SL_SERVER_GUARD_H
#define SL_SERVER_GUARD_H

#include <stdbool.h>
#include <stdint.h>

typedef struct sl_guard_in {
    /* Values as they came, NULL when absent; several of one name joined with ", ". */
    const char *content_length;
    const char *transfer_encoding;
    const char *host;
    bool old_http; /* HTTP/1.0: Host is not required */
} sl_guard_in;

/* 0 and the body's length, or the HTTP status to refuse with (400, 411, 413); *why is static. */
int32_t sl_guard_check(const sl_guard_in *in, int64_t body_max, int64_t *length, const char **why);

#endif
