/*
 * platform/sim/sim.h - a world in one thread: a virtual clock, a network that fails, machines with
 * disks that fail, on them real cores and one real service.
 *
 *   [SIM-1] what happens follows from the seed alone: events run in order of (time, number), all
 *           chance comes from seeded generators, nothing depends on an address;
 *   [SIM-2] the trace names everything that happened; its hash is the run's fingerprint;
 *   [SIM-3] a machine that loses power does nothing more: neither its disk nor its sockets.
 */
#ifndef SL_PLATFORM_SIM_H
#define SL_PLATFORM_SIM_H

#include "crypto/key.h"
#include "platform/sim/disk.h"
#include "service/service.h"
#include "sideline/core.h"
#include "store/vfs.h"
#include "sync/frame.h"

/* Kinds of faults. A run has a set of them, as bits. */
typedef enum sl_sim_fault {
    SL_FAULT_DELAY,        /* a message takes seconds: connections overtake each other */
    SL_FAULT_REFUSED,      /* a connection or request does not get through */
    SL_FAULT_WS_CUT,       /* a socket ends at any moment, with what is on its way */
    SL_FAULT_WS_HALF_OPEN, /* and one side learns of it long after */
    SL_FAULT_GAP,          /* a change in a thread or a user's space does not arrive */
    SL_FAULT_REQUEST_CUT,  /* a request's body ends early */
    SL_FAULT_ANSWER_LOST,  /* the service has done the work, the client does not know */
    SL_FAULT_ANSWER_CUT,
    SL_FAULT_ANSWER_DAMAGED, /* a byte of a blob is another when it arrives */
    SL_FAULT_NODE_POWER,     /* power cut at a change of the disk */
    SL_FAULT_SERVER_POWER,
    SL_FAULT_NODE_FULL,
    SL_FAULT_SERVER_FULL,
    SL_FAULT_NODE_IO, /* one change of the disk fails */
    SL_FAULT_SERVER_IO,
    SL_FAULT_NODE_CLOCK, /* the wall clock jumps up to an hour */
    SL_FAULT_SERVER_CLOCK,
    SL_FAULT_NODE_RESTART, /* in good order */
    SL_FAULT_SERVER_RESTART,
    SL_FAULT_NODE_DAY,       /* the wall clock is a day off */
    SL_FAULT_PORTAL,         /* a captive portal answers everything with a page of its own */
    SL_FAULT_BUSY,           /* 429 with Retry-After */
    SL_FAULT_TOKEN,          /* the server's clock runs past the end of all access tokens */
    SL_FAULT_SERVER_RESTORE, /* the server's disk is that of a backup */
    SL_FAULT_TWICE,          /* a frame to a client comes twice */
    SL_FAULT_RETENTION,      /* the server takes away some or all of what was deleted */
    SL_FAULT_COUNT
} sl_sim_fault;

/* Mistakes planted on purpose, to see that they are found. */
typedef enum sl_sim_plant {
    SL_PLANT_NONE,
    SL_PLANT_LYING_DISK, /* sync does nothing */
    SL_PLANT_LOST_FRAME, /* a frame to a client is left out now and then */
    SL_PLANT_COUNT
} sl_sim_plant;

typedef struct sl_sim sl_sim;

/* What both kinds of machine have. The disk comes first: sl_disk_files looks for it there. */
typedef struct sl_sim_host {
    sl_disk *disk;
    sl_sim *sim;
    const char *name;
    sl_prng random;
    int64_t mono_start_ms; /* of this life */
    int64_t wall_off_ms;   /* wall clock = virtual time + this */
    unsigned life;         /* counts the starts */
    sl_platform platform;
} sl_sim_host;

typedef struct sl_sim_node {
    sl_sim_host host;
    int64_t portal_until_ms; /* a captive portal stands between it and the server */
    unsigned damaged;        /* answers to it that came with a wrong byte */
    unsigned index;
    bool wanted;        /* false: stays down */
    sl_core *core;      /* NULL while it is down */
    sl_core *listening; /* between the platform's start and stop */
    int64_t step_at_ms;
    unsigned spins; /* steps without time passing */
    size_t on_way;  /* bytes of frames sent to it that have not arrived */
    size_t on_way_max;
    struct sl_sim_node *next;
} sl_sim_node;

typedef struct sl_sim_server {
    sl_sim_host host;
    sl_disk *backup;   /* NULL: none was made */
    unsigned restored; /* how often the disk became the backup */
    bool fresh_epochs; /* the next start is the first after that */
    sl_vfs *vfs;
    sl_service *service; /* NULL while it is down */
    sl_id last_conn;
} sl_sim_server;

typedef struct sl_sim_wire sl_sim_wire;
typedef struct sl_sim_show sl_sim_show;
typedef struct sl_sim_request sl_sim_request;
typedef struct sl_sim_event sl_sim_event;

struct sl_sim {
    int64_t now_ms;
    uint64_t next_seq;
    sl_sim_event *events; /* a binary heap */
    size_t event_count;
    size_t event_cap;
    uint64_t hash;
    uint64_t traced;
    bool verbose;
    char *failure; /* the first; sl_mem text */
    sl_prng chance;
    uint32_t faults;
    sl_sim_plant plant;
    uint64_t fault_counts[SL_FAULT_COUNT]; /* how often each kind struck */
    const char *key_pem;
    const sl_disk *blank_node; /* what new machines find on their disks; NULL: nothing */
    const sl_disk *blank_server;
    int32_t windows[4];   /* thread_window of the nodes, by their index */
    int32_t page_records; /* as service.h has them; 0: much */
    int64_t page_flight;
    bool limit_rates;    /* from the server's next opening on */
    int64_t push_window; /* of the nodes' operations, 0: as they have it, */
    int64_t push_frame;
    unsigned hurry_every; /* how often nodes leave the rest of what they store for the next turn */
    const uint8_t *node_key; /* seals the nodes' folders; NULL: they are in the clear */
    sl_sim_server server;
    sl_sim_node *nodes;
    unsigned node_count;
    sl_sim_wire *wires;
    sl_sim_request *requests;
    sl_sim_show *show; /* made when it is needed */
    /* Sees every frame that reaches a client, as JSON has it; may be NULL. */
    void (*on_frame)(void *ctx, sl_sim_node *node, sl_id ws, const char *text, size_t n);
    void *on_frame_ctx;
    /* Told when a node's core begins and ends to run; may be NULL. What the simulator does for it
     * (disk, sockets) is outside. */
    void (*guard)(void *ctx, const sl_sim_node *node, bool in);
    void *guard_ctx;
    /* Whether a frame, as JSON has it, arrives; may be NULL: all do. */
    bool (*pass)(void *ctx, const sl_sim_node *node, bool to_server, const char *text, size_t n);
    void *pass_ctx;
    /* Gets what the service sends to connections of this number and above, which no machine has. */
    sl_id tap_from;
    void (*on_tap)(void *ctx, sl_id conn, int32_t kind, const uint8_t *p, size_t n);
    void *on_tap_ctx;
};

/* --- loop.c ------------------------------------------------------------------------------- */

typedef void (*sl_sim_fn)(sl_sim *s, void *arg);

/* key_pem is borrowed. NULL: out of memory. */
sl_sim *sl_sim_new(uint64_t seed, const char *key_pem);
/* Closes and frees everything. */
void sl_sim_free(sl_sim *s);
/* fn(s, arg) at that time; `owned`: arg is one block of sl_mem, freed after the event or with the
 * world. */
void sl_sim_at(sl_sim *s, int64_t at_ms, sl_sim_fn fn, void *arg, bool owned);
/* Runs the next event; false when there is none or the run has failed. */
bool sl_sim_next(sl_sim *s);
void sl_sim_trace(sl_sim *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void sl_sim_fail(sl_sim *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* below-sided dice of the network and of fate. */
int64_t sl_sim_dice(sl_sim *s, int64_t below);
/* True when the fault is on and the dice say so: once in `in` occasions. Counted. */
bool sl_sim_strikes(sl_sim *s, sl_sim_fault fault, int64_t in);
/* Makes a host's clock, random numbers, disk. */
bool sl_sim_host_init(sl_sim *s, sl_sim_host *h, const char *name, uint64_t seed);
uint64_t sl_sim_hash_of(const void *p, size_t n);
const char *sl_sim_fault_name(sl_sim_fault fault);

/* --- node.c ------------------------------------------------------------------------------- */

sl_sim_node *sl_sim_node_new(sl_sim *s, const char *name, uint64_t seed);
/* To be called after every call into the node's core: looks whether the machine died in it, and
 * sees to the core's next step. */
void sl_sim_node_touched(sl_sim_node *n);
/* Closes the core in good order; it opens again after a while. */
void sl_sim_node_restart(sl_sim_node *n);
void sl_sim_node_close(sl_sim_node *n); /* until it is opened */
void sl_sim_node_open(sl_sim_node *n);  /* soon */
/* Around every call into the node's core, and the other way around what the platform does in it. */
void sl_sim_guard(const sl_sim_node *n, bool in);

/* --- server.c ----------------------------------------------------------------------------- */

bool sl_sim_server_start(sl_sim *s, uint64_t seed);
void sl_sim_server_touched(sl_sim *s);
void sl_sim_server_restart(sl_sim *s);
/* Keeps a copy of the disk as it is now. False: out of memory, or there is one. */
bool sl_sim_server_backup(sl_sim *s);
/* The disk becomes the copy; the server is told, as its operator must, when it starts. */
void sl_sim_server_restore(sl_sim *s);
/* What was deleted so many ms ago goes, some of it. */
void sl_sim_server_retain(sl_sim *s, int64_t age_ms, int64_t max);
void sl_sim_server_close(sl_sim *s);

/* --- net.c, http.c ------------------------------------------------------------------------ */

extern const sl_http_ops sl_sim_http;
extern const sl_ws_ops sl_sim_ws;
/* The other end is gone: with power off nothing says goodbye. */
void sl_sim_net_node_gone(sl_sim_node *n, bool power);
void sl_sim_net_server_gone(sl_sim *s, bool power);
void sl_sim_net_free(sl_sim *s);
void sl_sim_requests_free(sl_sim *s); /* http.c */
/* What the service's ports do. */
void sl_sim_net_send(sl_sim *s, sl_id conn, const void *p, size_t n);
/* All sockets of the machine are cut, as when it changes the network. */
void sl_sim_net_cut_node(sl_sim_node *n);
void sl_sim_net_close(sl_sim *s, sl_id conn, int32_t code);
/* True when no request is on its way. */
bool sl_sim_net_quiet(const sl_sim *s);
/* A core believes in a socket that is no more. */
bool sl_sim_net_half_open(const sl_sim *s);

/* --- show.c ------------------------------------------------------------------------------- */

sl_sim_show *sl_sim_show_new(void);
void sl_sim_show_free(sl_sim_show *show);
/* A binary frame of a connection, all of whose frames are shown in the order in which they are read,
 * as JSON has it; NULL when it is broken. Valid until the next. */
const sl_buf *sl_sim_show_frame(sl_sim_show *show, sl_wire *ends, bool to_server, const void *p,
                                size_t n);

/* --- fate.c ------------------------------------------------------------------------------- */

/* Starts the machines' misfortunes; they end with sl_sim_fate_end. */
void sl_sim_fate_start(sl_sim *s);
/* Ends all faults but frames that come twice: disks are well. */
void sl_sim_fate_end(sl_sim *s);

#endif
