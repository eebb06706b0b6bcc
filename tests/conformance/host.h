/*
 * tests/conformance/host.h - a core that only writes down what a transport tells it. There is one
 * at a time. Waiting has a generous deadline and fails the test when it passes.
 */
#ifndef SL_TESTS_CONFORMANCE_HOST_H
#define SL_TESTS_CONFORMANCE_HOST_H

#include "sideline/platform.h"

enum {
    HOST_IDS = 64
};

/* What was told about one request or socket. */
typedef struct host_record {
    int heads;
    int opened;
    int messages;
    int ends; /* done, or closed */
    int late; /* anything told after the end */
    int32_t http_status;
    int32_t kind; /* of the last message */
    int32_t code; /* done's status, or closed's code */
    char headers[1024];
    uint8_t *data; /* an answer's body, or the last message */
    size_t len;
} host_record;

sl_core *host_open(void);
void host_close(void);
/* Each waits until it is so, and gives a copy whose data is borrowed until host_close. */
host_record host_wait_end(sl_id id);
host_record host_wait_opened(sl_id id); /* or ended */
host_record host_wait_messages(sl_id id, int messages);
host_record host_wait_data(sl_id id, size_t len);
host_record host_look(sl_id id);
int host_foreign_calls(void); /* calls for another core, or before host_open and after host_close */

#endif
