/*
 * tests/sim/organisations.h - organisations in the random world, in a share of the seeds: who is in them, what was
 * asked of them, what may come of it.
 */
#ifndef SL_TESTS_SIM_ORGANISATIONS_H
#define SL_TESTS_SIM_ORGANISATIONS_H

#include "sync/op.h"
#include "world.h"

/* What somebody asked of an organisation: of a member, a membership or a program that is shared with it. */
typedef struct deal {
    const sl_entity *entity;
    sl_op_kind kind;
    char id[SL_UUID_LEN + 1];
    char space[SL_SPACE_MAX];
    char of[SL_UUID_LEN + 1]; /* the user or the program that it is about */
    unsigned by;              /* person */
    bool banned;              /* the policy denies it */
} deal;

typedef struct clubs {
    ties ever;  /* who was, perhaps, in it */
    ties leads; /* who led it, perhaps */
    ties tried; /* who tried there what only leads may: they are never made one */
    deal *deals;
    size_t deal_count;
} clubs;

/* ---- organisations.c ---- */

/* Whether the people of this seed make organisations; NULL when they do not, or there is no memory. */
clubs *clubs_new(uint64_t seed);
void clubs_free(clubs *c);
/* One thing about organisations, by chance. False: nothing was done. */
bool club_work(actor *a);
/* Whether this person may ever have heard of this space, a program, because of an organisation. */
bool club_may_hear(world *w, const person *who, const char *space);
/* True when a refusal of this operation of an organisation needs no explanation. */
bool club_refusal_expected(world *w, const actor *a, const char *entity, const char *id);

/* ---- check_organisations.c ---- */

/* While faults strike: what the server lets people hold is what its records of members say. */
void check_clubs_now(world *w);
/* The numbers that a device was told of. */
void check_numbers_told(world *w, const actor *a, const sl_json *event);
/* By the truth: whether an organisation, or a program because of one, lets this person in. */
bool club_lets_in(const world *w, const truth *t, const person *p);
/* At rest: members and memberships are in step, somebody leads, numbers are the truth. */
void check_clubs(world *w);

#endif
