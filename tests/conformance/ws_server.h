/* tests/conformance/ws_server.h - a libwebsockets server inside the test program. */
#ifndef SL_TESTS_CONFORMANCE_WS_SERVER_H
#define SL_TESTS_CONFORMANCE_WS_SERVER_H

/*
 * Subprotocol "sideline.test". Messages come back as they are, but for the texts
 *   !close  closes with 4001      !drop  cuts the line
 *   !fit    sends 16 MiB          !huge  sends one byte more than 16 MiB
 * /refuse as path refuses the upgrade.
 */
int ws_server_start(void); /* the port */
/* The same behind TLS as 127.0.0.1, with a certificate that only itself vouches for. */
int ws_server_start_secure(void);
const char *ws_server_certificate(void); /* PEM */
void ws_server_stop(void);
/* A listener that accepts connections and never says a word. */
int ws_server_mute_start(void);
void ws_server_mute_stop(void);
/* A port of this machine on which nobody listens. */
int ws_server_dead_port(void);
/* The code and reason with which a client last closed, waited for. */
int ws_server_wait_close(char *reason, unsigned cap);

#endif
