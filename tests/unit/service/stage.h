/* One person of a standing, and spaces to which that person has every relation: for tests of who may do what. */
#ifndef SL_TESTS_UNIT_SERVICE_STAGE_H
#define SL_TESTS_UNIT_SERVICE_STAGE_H

#include "schema/policy.h"
#include "unit/service/world.h"

typedef struct stage {
    world *w;
    sl_standing standing; /* of the subject */
    person subject;
    person coach;   /* somebody else, who owns what the subject is let into */
    person athlete; /* another */
    person friend;  /* of the athlete */
    char direct[SL_SPACE_MAX];
    char peer[SL_SPACE_MAX];
    char group[SL_SPACE_MAX]; /* of the coach alone */
    uint32_t next_id;
    size_t cells;
} stage;

/* The subject of a guest's stage is an athlete, whose token the guest does not show. world_free(w) ends it. */
void stage_open(stage *s, sl_standing standing);
void stage_open_in(stage *s, sl_standing standing, world *w); /* in which nobody is yet */
/* A statement behind the service's back. */
void stage_sql(stage *s, const char *text);
/* An id that nothing has, until the fourth call after it. */
const char *stage_fresh(stage *s);
/* Says what an account is; plan NULL: it has none. */
void stage_rank(stage *s, const person *p, const char *role, const char *plan);
/* For the moment the subject may do all, so that what the stage needs is made by the subject; or is itself again. */
void stage_premium(stage *s, bool on);
void stage_let_in(stage *s, const char *space, const char *role);
/* A record's fields, as small as they may be; freed by the caller. create: what is required; else one that may change.
 * message: the id that a reference to one has. */
char *stage_fields(stage *s, const sl_entity *e, bool create, const char *message);

/* A space of this kind, made, to which the subject has the relation; false: there is none such. */
bool stage_space(stage *s, const char *kind, sl_relation r, char *space);
/* Who may make whatever can be made in the space: its owner, or the coach. */
person *stage_host(stage *s, sl_relation r, const char *space);

#endif
