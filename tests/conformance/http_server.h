/* tests/conformance/http_server.h - a few answers of HTTP/1.1 on a port of this machine. */
#ifndef SL_TESTS_CONFORMANCE_HTTP_SERVER_H
#define SL_TESTS_CONFORMANCE_HTTP_SERVER_H

/*
 *   /hello      200 "hello", X-Test: yes          /echo       the body; X-Method, X-Type
 *   /big        1 MiB of known bytes              /bare       204 without headers
 *   /short      ten bytes of a hundred            /hang       nothing, for ever
 *   /drip       five bytes, then nothing          /moved      302 to /hello
 *   /elsewhere  302 to a file                     /junk       no HTTP
 */
enum {
    HTTP_SERVER_BIG = 1024 * 1024
};

/* Returns the port. */
int http_server_start(void);
void http_server_stop(void);
/* A port of this machine on which nobody listens. */
int http_server_dead_port(void);

#endif
