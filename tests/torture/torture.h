/*
 * tests/torture/torture.h - one thing a core does, done again and again while the k-th allocation or
 * file operation in it fails, for every k, once or from then on.
 */
#ifndef SL_TESTS_TORTURE_H
#define SL_TESTS_TORTURE_H

#include "sim/lab.h"

typedef enum trouble {
    NO_MEMORY,
    NO_MEMORY_FROM_THEN,
    BAD_FILE,
    BAD_FILE_FROM_THEN,
    FULL_DISK,
    FULL_DISK_FROM_THEN,
    TROUBLES
} trouble;

typedef struct torture {
    lab *l;
    lab_node *ana; /* an athlete */
    lab_node *cleo;
    lab_node *at; /* whose core is tortured */
    char video[40];
    char space[SL_SPACE_MAX];
    char share[40];
    char goal[40];    /* of ana: a counter, texts */
    char program[40]; /* of cleo: a set */
    uint64_t tag;     /* the round whose element is in it */
    char hex[LAB_TEXT];
    char thread[SL_SPACE_MAX];
    trouble kind;
    uint64_t k;
    uint64_t used;
    bool armed;
    uint64_t round; /* makes values unique */
    /* What must be there at the end of the round. */
    char id[40];
    bool acked;
} torture;

typedef struct scenario {
    const char *name;
    bool at_coach;             /* whose core is tortured */
    void (*ready)(torture *t); /* before, without trouble; may be NULL */
    void (*act)(torture *t);   /* with trouble */
    void (*mend)(torture *t);  /* then, without; may be NULL */
    void (*check)(torture *t); /* after, all at rest; may be NULL */
} scenario;

extern const scenario scenarios[];
extern const size_t scenario_count;

/* Around calls into the tortured core. */
void torture_in(torture *t);
void torture_out(torture *t);
/* True when `status` is one that trouble may have, or SL_OK. */
void torture_may(torture *t, sl_status status);
void torture_need(const torture *t, bool ok, const char *what);

/* ---- wipe.c ---- */

void something_to_wipe(torture *t);
void sign_out_and_wipe(torture *t);
void wipe_again(torture *t);
void wipe_in_part(torture *t);
void open_after_wipe(torture *t);
void opened_after_wipe(torture *t);

#endif
