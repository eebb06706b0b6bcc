/* relay.h - passes TCP connections on over loopback and counts what goes through, whatever it is. */
#ifndef SL_BENCH_RELAY_H
#define SL_BENCH_RELAY_H

#include <stdint.h>

typedef struct relay relay;

/* To 127.0.0.1:to_port; *port is the relay's own. Runs on a thread until closed. */
relay *relay_open(uint16_t to_port, uint16_t *port);
void relay_close(relay *r, uint64_t *up, uint64_t *down);

#endif
