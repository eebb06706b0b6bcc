/*
 * load.h - the load generator of the server: one thread, one epoll, as many connections as asked for,
 * against sidelined and others that do the like. Loopback only; every case ends by count or by time.
 *
 * Messages carry a mark, "@@@@" with sender, number and the time at which they were to be sent: what is
 * delivered is found by it whatever the protocol, and that nothing is lost, doubled or out of order is
 * checked at every receiver for every sender.
 */
#ifndef SL_BENCH_LOAD_H
#define SL_BENCH_LOAD_H

#include "sync/frame.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    LOAD_GROUP = 10,     /* clients that hear each other */
    LOAD_BODY = 200,     /* bytes of a message's text */
    LOAD_CLIENTS = 200,  /* that talk */
    LOAD_IDLE = 10000,   /* most that only listen */
    LOAD_FIRST_N = 1000, /* operations of the seed have lower numbers */
    LOAD_TOKEN_MAX = 1200,
    LOAD_OUTSTANDING = 4
};

/* Who one client is, at every server. */
typedef struct load_who {
    char user[SL_UUID_LEN + 1];
    char device[SL_UUID_LEN + 1];
    char space[SL_SPACE_MAX]; /* of its group: a conversation */
    char video[SL_SPACE_MAX]; /* on which it draws */
    char *token;
} load_who;

typedef struct load load;
typedef struct load_client load_client;

/* One way to speak. `message` gets whole WebSocket messages. */
typedef struct load_protocol {
    const char *name;
    const char *path;
    const char *subprotocol; /* NULL: none */
    uint8_t opcode;          /* of what is sent: 1 text, 2 binary */
    bool receipts;           /* each message sent is answered */
    bool strokes;            /* passed on to the others: who sends hears nothing */
    void (*greet)(load *l, load_client *c);
    void (*message)(load *l, load_client *c, const uint8_t *p, size_t n);
    void (*publish)(load *l, load_client *c, const char *text);
} load_protocol;

typedef enum load_state {
    LOAD_CONNECTING,
    LOAD_UPGRADING,
    LOAD_GREETING,
    LOAD_READY,
    LOAD_GONE
} load_state;

struct load_client {
    const load_who *who;
    const char *space;
    int fd;
    load_state state;
    bool writing; /* epoll tells when there is room */
    bool deaf;    /* does not read */
    uint32_t index;
    uint32_t mate; /* its number in the group */
    sl_buf in;
    sl_buf out;
    size_t out_at;
    sl_wire wire; /* sidelined's */
    char epoch[64];
    int64_t seq;
    int64_t sent;             /* messages */
    int64_t receipts;         /* of them */
    int64_t own;              /* that came back; of strokes, those of the mate before it */
    int64_t last[LOAD_GROUP]; /* number of the last message of each */
    bool live;                /* closed loop: sends when its own come back */
};

struct load {
    const load_protocol *protocol;
    uint16_t port;
    int epoll;
    load_client *clients;
    size_t count;
    size_t ready;
    int64_t delivered;
    int64_t faults; /* lost, doubled or out of order */
    int64_t ended;  /* connections that the server ended */
    uint8_t *chunk;
    uint32_t *times_us; /* of deliveries */
    size_t time_count;
    bool timing;
    bool closed_loop;
    sl_frame_in *reader;
    sl_items *items;
};

/* --- load.c ------------------------------------------------------------------------------------- */

int64_t load_now_ns(void);
/* Makes the clients; `who` is borrowed. */
void load_start(load *l, const load_protocol *protocol, uint16_t port, const load_who *who,
                size_t count);
void load_end(load *l);
/* Connects the clients from..to, some at a time, until each is ready; false after so many seconds. */
bool load_connect(load *l, size_t from, size_t to, double seconds);
void load_drop(load *l, load_client *c); /* without a word */
/* Sends what is queued, for messages published outside a turn. */
void load_flush(load *l, load_client *c);
/* Serves the sockets until then. */
void load_turn(load *l, int64_t until_ns);
/* For protocols: queues one WebSocket message; what is queued goes out at the end of the turn. */
void load_say(load *l, load_client *c, const void *p, size_t n);
void load_is_ready(load *l, load_client *c);
void load_publish(load *l, load_client *c, int64_t meant_ns);
/* Finds the marks in what came. */
void load_deliveries(load *l, load_client *c, const uint8_t *p, size_t n);

extern const load_protocol load_sideline;
extern const load_protocol load_ws;
extern const load_protocol load_nats;
extern const load_protocol load_sideline_strokes;
extern const load_protocol load_ws_strokes;
extern const load_protocol load_nats_strokes;

/* --- load_seed.c -------------------------------------------------------------------------------- */

/* Fills a data folder of sidelined: people, their sessions, threads of two with LOAD_GROUP devices. A
 * record of each group is named for load_http. */
load_who *load_seed(const char *dir, size_t count, char record[SL_UUID_LEN + 1]);

/* --- load_server.c ------------------------------------------------------------------------------ */

typedef struct load_server {
    pid_t pid;
    uint16_t port;
} load_server;

/* Starts argv, pinned to `cpu` (-1: not), and waits until it writes its port into the file, or with
 * port given until it listens there. False: it did not start. */
bool load_serve(load_server *s, const char *const *argv, const char *port_file, uint16_t port,
                int cpu);
void load_unserve(load_server *s);
double load_cpu_s(const load_server *s); /* user and system, so far */
int64_t load_rss(const load_server *s);  /* bytes, its own */

void load_die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
