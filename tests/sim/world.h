/*
 * tests/sim/world.h - one run of the simulator: who acts, what was acknowledged, what must hold.
 *
 * Athletes, coaches and a stranger, each with some devices, sign up, connect, make and change
 * records of every entity, share and take back, write and read while faults strike; then the
 * faults end and everything must come to rest, equal everywhere, with nothing acknowledged
 * missing and nothing held that the policy denies.
 */
#ifndef SL_TESTS_SIM_WORLD_H
#define SL_TESTS_SIM_WORLD_H

#include "base/buf.h"
#include "base/json.h"
#include "base/uuid.h"
#include "platform/sim/sim.h"
#include "schema/schema.h"

enum {
    PEOPLE_MAX = 20,
    ACTORS_MAX = 50,
    MIRRORS = 3
};

typedef enum fact_kind {
    FACT_CREATE, /* the record as a whole */
    FACT_DELETE,
    FACT_VALUE,  /* a field's value, by hash */
    FACT_ADD,    /* an element put into a set, by hash, or a number added to a counter */
    FACT_REMOVE, /* an element taken out of a set */
    FACT_BANNED  /* an operation that the policy denies: it must have no effect */
} fact_kind;

/* Something an actor wrote, in the order of writing. */
typedef struct fact {
    fact_kind kind;
    unsigned actor;
    const sl_entity *entity;
    const sl_field *field; /* of values */
    char id[SL_UUID_LEN + 1];
    char space[SL_SPACE_MAX];
    char names[SL_UUID_LEN + 1]; /* the record that the operation refers to; "": none */
    uint64_t value;              /* hash of the printed JSON */
    double number;               /* of numbers */
    unsigned act;                /* facts of one operation have one number */
    unsigned age;                /* how often the server was restored before */
    bool sure;                   /* the call returned SL_OK */
    bool kept; /* FACT_CREATE: it waited on its device when a server that was restored came back */
} fact;

typedef enum station {
    ATHLETE,
    COACH,
    STRANGER /* has an account and nothing else */
} station;

typedef struct person {
    unsigned index;
    station role;
    char email[32];
    char name[16];
    bool account;               /* some device is, or was, signed in */
    char user[SL_UUID_LEN + 1]; /* "" before the first session */
    char *token;                /* of the reader, at the end */
} person;

/* A live query, and what its differences add up to. */
typedef struct mirror {
    char query[160];
    sl_id sub;
    sl_json *rows; /* id -> row; NULL: not watched */
    sl_json *order;
} mirror;

typedef struct actor {
    struct world *world;
    sl_sim_node *node;
    person *who;
    unsigned index;
    char name[24];
    bool first; /* the device that signs up */
    bool log_in;
    person *intruder; /* tries to sign in here next: must be refused */
    bool auth_intrudes;
    sl_id auth;    /* the operation under way, 0 when none */
    unsigned life; /* of the core that was set up */
    bool online;
    bool in; /* signed in, when last looked */
    sl_id fetch;
    char fetch_hex[65];
    char fetch_space[SL_SPACE_MAX];
    unsigned fetch_damaged; /* answers to the device before it was asked for */
    sl_id load;             /* of a thread's messages */
    sl_id settle;           /* asked for at the end; 0 when it ended well */
    sl_id numbers;          /* of an organisation */
    char numbers_of[SL_SPACE_MAX];
    mirror mirrors[MIRRORS];
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
    int64_t seq;
    int64_t delivered;
    int64_t read;
} mark;

/* A person and a space. */
typedef struct tie {
    unsigned person;
    char space[SL_SPACE_MAX];
} tie;

typedef struct ties {
    tie *list;
    size_t count;
} ties;

typedef struct blob {
    char hex[65];
    char space[SL_SPACE_MAX];
    unsigned owner; /* person */
} blob;

/* A space as the server tells it to whoever may read it. */
typedef struct truth {
    char space[SL_SPACE_MAX];
    char epoch[SL_UUID_LEN + 1];
    int64_t seq;
    sl_json *records; /* "entity/id" -> the record as on the wire */
} truth;

typedef struct world {
    sl_sim *sim;
    sl_prng prng; /* of the actors' choices */
    person people[PEOPLE_MAX];
    unsigned people_count;
    actor actors[ACTORS_MAX];
    unsigned actor_count;
    int64_t act_ms; /* how long people act, and faults strike */
    int64_t backup_at_ms;
    bool acting;
    bool chatty; /* people talk more than they work */
    unsigned acts;
    unsigned named; /* makes values unique */
    bool dangles;   /* values were made that name what is not there */
    fact *facts;
    size_t fact_count;
    size_t fact_cap;
    ties allowed; /* who was ever let into a space */
    ties
        met; /* whom of the others, by the name of their spaces, one has accepted or was accepted by */
    ties lost; /* who was, perhaps, shut out of one; of a deleted one everybody */
    place *places;
    size_t place_count;
    mark *marks;
    size_t mark_count;
    blob *blobs;
    size_t blob_count;
    truth *truths;
    size_t truth_count;
    ties holds;          /* what the server lets each person have, at rest */
    struct clubs *clubs; /* organisations.h; NULL: nobody makes any */
} world;

typedef struct run_result {
    bool ok;
    uint64_t hash;
    uint64_t events; /* lines of the trace */
    int64_t virtual_ms;
    unsigned cores;
    unsigned acts;
    unsigned rejected;
    uint64_t faults;
    uint32_t kinds; /* of faults that struck, as bits */
    char reason[300];
} run_result;

typedef struct run_options {
    uint64_t seed;
    bool verbose;
    bool calm;      /* no faults */
    unsigned cores; /* 0: as the seed has it */
    sl_sim_plant plant;
} run_options;

/* run.c. What all runs share: the service's key, disks with empty databases. False: no memory. */
bool run_init(void);
void run_done(void);
/* A simulation with what all share, for scenarios of their own. NULL: out of memory. */
sl_sim *run_sim(uint64_t seed);
/* Before the server starts: how much a page, a push and a turn of a device take, by the seed. */
void run_limits(sl_sim *s, uint64_t seed);
void run_seed(const run_options *options, run_result *out);

/* world.c */
int64_t world_dice(world *w, int64_t below);
bool world_chance(world *w, int percent);
void world_id(world *w, char out[SL_UUID_LEN + 1]);
fact *world_fact(world *w, const fact *f);
void world_tie(world *w, ties *t, unsigned who, const char *space);
bool world_tied(const ties *t, unsigned who, const char *space);
void world_lose_all(world *w, const char *space);
person *world_person(world *w, const char *user); /* NULL when nobody has that id */
uint64_t world_hash(const sl_json *v);
void world_free(world *w);
/* Notes that two people are connected from now on. */
void world_meet(world *w, const person *one, const person *other);
/* Sees every frame on its way to a client: numbers follow each other, nobody hears what is not for
 * him. */
void world_frame(void *ctx, sl_sim_node *node, sl_id ws, const char *text, size_t n);

/* actors.c */
void people_make(world *w, unsigned cores);
void actor_start(world *w, unsigned index);
/* For the rest of the run: be online, take events. */
void actor_rest(actor *a);
void actor_settle(actor *a);
/* Rows of a query; NULL when it fails. Freed with sl_json_free. */
sl_json *actor_query(actor *a, const char *query);
/* Applies a batch and traces it. ops is taken. */
sl_status actor_apply(actor *a, sl_json *ops);
/* An operation for a batch. fields is taken, may be NULL. */
sl_json *make_op(const char *kind, const char *entity, const char *space, const char *id,
                 sl_json *fields);
sl_json *one_op(sl_json *op); /* a batch of one; taken */

/* work.c: one thing a signed-in actor does */
void actor_work(actor *a);
/* A program, unless there are enough. */
void actor_make_program(actor *a);
/* Deletes a root, and so its space. */
void actor_drop_root(actor *a, const char *entity, const char *space);

/* windows.c: threads that are held in part */
/* Asks for messages that are perhaps not there. */
void actor_load(actor *a, const char *thread);
void actor_loaded(actor *a, const sl_json *event);
/* At the end every second device asks until it has all. */
bool actor_wants_all(const actor *a);
void actor_load_all(actor *a);
/* The place of a record as the service or a query tells it, in a gap of the device. */
bool in_gap(const actor *a, const char *entity, const char *space, const sl_json *fields);
bool any_gap(const actor *a);

/* values.c: what the schema allows */
sl_json *value_of(world *w, const sl_field *f);
/* A random valid set of fields; for a patch of those that may change, never empty unless none.
 * References are to what the actor sees in the space; a few are not, then w->dangles is set, and a
 * few to what somebody deleted. */
sl_json *values_of(actor *a, const sl_entity *e, const char *space, bool create);
/* Takes an element of this hash out of a set, or puts it in again; NULL when there is none. */
sl_json *change_of_one(world *w, uint64_t hash);
/* True for entities that are made and changed by their schema alone. */
bool entity_plain(const sl_entity *e);
/* Notes what an operation wrote, unless it was refused outright. */
void note_op(actor *a, fact_kind kind, const sl_entity *e, const char *id, const char *space,
             const sl_json *fields, sl_status status);

/* reader.c: the truth, as the service tells it */
bool read_truth(world *w);
void free_truth(world *w);
const sl_json *truth_record(const world *w, const char *space, const char *entity, const char *id);

/* check.c */
/* While faults strike: nothing goes back. */
void check_now(world *w);
/* A device is about to be told to begin a space anew: what waits in it is kept. */
void check_reset(world *w, const actor *a, const char *space);
/* True when everything has come to rest; *why says what has not. */
bool check_rest(world *w, const char **why);
/* Traces what keeps devices from rest. */
void check_explain(world *w);
/* unread.c: a device counts what is unread; with gaps no more than that, and what it holds of it. */
void check_unread(world *w, const actor *a);
/* equal.c, facts.c: at rest equal, complete, nothing more. */
void check_end(world *w);
void check_facts(world *w);
/* True when a refusal of this record's operation needs no explanation. */
bool refusal_expected(world *w, const actor *a, const char *entity, const char *id);

#endif
