/*
 * tests/sim/lab.h - a service and some cores for one directed scenario: no chance but the delays of
 * a good network, every fault set by the test. Helpers fail the running Check test. In a build with
 * SL_PLANTS the environment's SL_PLANT names a mistake to make.
 */
#ifndef SL_TESTS_SIM_LAB_H
#define SL_TESTS_SIM_LAB_H

#include "base/json.h"
#include "platform/sim/sim.h"

enum {
    LAB_MAX = 6,
    LAB_TEXT = 128
};

typedef struct lab lab;

/* A device and what it heard. */
typedef struct lab_node {
    lab *in;
    sl_sim_node *node;
    char user[40];
    char email[40];
    unsigned life;
    bool online;
    sl_id op; /* waited for */
    bool op_ended;
    bool op_ok;
    sl_status op_code;
    unsigned rejected;
    char reject_code[32];
    char reject_body[LAB_TEXT]; /* field "body" of the rejected operation */
    unsigned sign_outs;
    unsigned differed; /* "integrity" events, */
    unsigned healed;   /* and those of them that healed */
} lab_node;

struct lab {
    sl_sim *sim;
    lab_node nodes[LAB_MAX];
    unsigned count;
    /* Counted as frames pass. */
    unsigned pages;
    unsigned page_records;
    unsigned page_max;
    unsigned subscribes;
    unsigned ops;
    /* What is lost: frames of `deaf` in both directions until it connects anew, operations of
     * `mute`. */
    const sl_sim_node *deaf;
    const sl_sim_node *mute;
    /* And what `blind` is sent of this space. */
    const sl_sim_node *blind;
    char blind_to[SL_SPACE_MAX];
    bool blind_live; /* only changes are lost, not what is asked for */
    void (*on_page)(lab *l);
    void (*hear)(lab_node *n, const sl_json *event); /* of all nodes; may be NULL */
    int64_t blocks;                                  /* of memory, before it was opened */
    bool may_differ;                                 /* else an "integrity" event fails the test */
};

lab *lab_open(void);
/* The same by another seed, for tests that let chance in: pages, pushes and turns may be small. */
lab *lab_open_seed(uint64_t seed);
void lab_close(lab *l);
lab_node *lab_device(lab *l, const char *name);
void lab_run(lab *l, int64_t ms);
/* Until the operation asked for last has ended. */
void lab_wait_op(lab_node *n);
void lab_sign_up(lab_node *n, const char *email, const char *role);
void lab_log_in(lab_node *n, const char *email);
void lab_online(lab_node *n, bool yes);
/* ops: JSON, ' for ". The status of sl_apply. */
sl_status lab_apply(lab_node *n, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Number of rows; -1 when the query fails. */
int lab_count(lab_node *n, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A field of a record, as text; "" when absent. */
void lab_field(lab_node *n, const char *entity, const char *id, const char *field,
               char out[LAB_TEXT]);
void lab_id(lab *l, char out[40]);
/* True when the device is online, settled and has an empty outbox. */
bool lab_settled(const lab_node *n);
/* Runs until all are settled; fails after so long. */
void lab_settle(lab *l, int64_t ms_max);
/* The one asks, the other accepts. */
void lab_connect(lab_node *from, lab_node *to);
/* Athlete 0 and coach 1, connected. */
void lab_connected(lab *l, lab_node **athlete, lab_node **coach);
/* A video of the athlete; id and its space. */
void lab_video(lab_node *n, char id[40], char space[SL_SPACE_MAX]);
/* Shares it with the other; the share's id. */
void lab_share(lab_node *n, const char *space, const lab_node *with, char id[40]);

#endif
