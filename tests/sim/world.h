/*
 * tests/sim/world.h - one run of the simulator: who acts, what was acknowledged, what must hold.
 *
 * An athlete and a coach with two devices sign up, connect, share videos, draw, remark, write
 * and read while faults strike; then the faults end and everything must come to rest, equal
 * everywhere, with nothing acknowledged missing.
 */
#ifndef SL_TESTS_SIM_WORLD_H
#define SL_TESTS_SIM_WORLD_H

#include "base/buf.h"
#include "platform/sim/sim.h"
#include "sync/op.h"

enum {
    ACTORS = 3,
    TEXT_MAX = 48
};

/* Something an actor wrote, in the order of writing. */
typedef struct fact {
    unsigned actor;
    sl_op_kind kind;
    const sl_entity *entity;
    char id[SL_UUID_LEN + 1];
    char space[SL_SPACE_MAX];
    char field[12]; /* of a patch or creation: the one watched */
    char value[TEXT_MAX];
    bool sure; /* the call returned SL_OK */
} fact;

typedef struct actor {
    struct world *world;
    sl_sim_node *node;
    unsigned index;
    const char *email;
    bool coach;
    bool may_sign_up;
    bool log_in;   /* the account is there */
    sl_id auth;    /* the operation under way, 0 when none */
    unsigned life; /* of the core that was set up */
    bool online;
    char user[SL_UUID_LEN + 1]; /* "" before the first session */
    char thread[SL_SPACE_MAX];  /* "" before the connection */
    sl_id fetch;
    char fetch_hex[65];
    sl_id settle;    /* asked for at the end; 0 when it ended well */
    sl_id sub;       /* live query on messages */
    sl_json *mirror; /* what its differences add up to: id -> row */
    uint64_t rejected_events;
} actor;

/* A socket's place in a space's feed, as seen on the wire. */
typedef struct place {
    unsigned node;
    sl_id ws;
    char space[SL_SPACE_MAX];
    int64_t seq;
} place;

typedef struct mark {
    char id[SL_UUID_LEN + 1];
    int64_t delivered;
    int64_t read;
} mark;

typedef struct world {
    sl_sim *sim;
    sl_prng prng; /* of the actors' choices */
    actor actors[ACTORS];
    bool acting;
    unsigned acts;
    unsigned named; /* makes values unique */
    fact *facts;
    size_t fact_count;
    size_t fact_cap;
    char (*lost)[SL_SPACE_MAX]; /* spaces that were, perhaps, taken from the coach or deleted */
    size_t lost_count;
    place *places;
    size_t place_count;
    mark *marks;
    size_t mark_count;
    char (*blobs)[65];
    size_t blob_count;
} world;

typedef struct run_result {
    bool ok;
    uint64_t hash;
    uint64_t events; /* lines of the trace */
    int64_t virtual_ms;
    unsigned acts;
    unsigned spaces;
    unsigned rejected;
    uint64_t faults;
    char reason[300];
} run_result;

typedef struct run_options {
    uint64_t seed;
    bool verbose;
    bool calm; /* no faults */
    sl_sim_plant plant;
} run_options;

/* run.c. key_pem: the service's key, the same for all runs. */
void run_seed(const run_options *options, const char *key_pem, run_result *out);
/* A key made from a fixed seed; sl_mem text, NULL: out of memory. */
char *run_key(void);

/* world.c */
int64_t world_dice(world *w, int64_t below);
fact *world_fact(world *w, const fact *f);
void world_lose(world *w, const char *space);
bool world_lost(const world *w, const char *space);
void world_free(world *w);
/* Sees every frame on its way to a client: numbers follow each other. */
void world_frame(void *ctx, sl_sim_node *node, sl_id ws, const char *text, size_t n);

/* actors.c */
void actor_start(world *w, unsigned index);
/* For the rest of the run: be online, take events. */
void actor_rest(actor *a);
void actor_settle(actor *a);

/* work.c: one thing a signed-in actor does */
void actor_work(actor *a);
/* A change in each space that may have a hole. */
void actor_last_words(actor *a);
sl_status actor_apply(actor *a, const char *ops);
/* Rows of a query; NULL when it fails. Freed with sl_json_free. */
sl_json *actor_query(actor *a, const char *query);

/* check.c */
/* While faults strike: nothing goes back. */
void check_now(world *w);
/* True when everything has come to rest; *why says what has not. */
bool check_rest(world *w, const char **why);
/* At rest: equal, complete, nothing more. */
void check_end(world *w);

#endif
