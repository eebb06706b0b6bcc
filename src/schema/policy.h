/*
 * schema/policy.h - who may do what: one function over one table (policy_table.c, generated from
 * policy.toml), called by the server before it does something and by the core before it offers it.
 *
 * Pure: the same question has the same answer everywhere. What the server knows better (who is
 * connected with whom, whether a record is there) may still refuse what the core allowed; the server's
 * word holds.
 */
#ifndef SL_SCHEMA_POLICY_H
#define SL_SCHEMA_POLICY_H

#include "schema/schema.h"

typedef enum sl_standing {
    SL_S_GUEST, /* nobody is signed in */
    SL_S_ATHLETE_FREE,
    SL_S_ATHLETE_PAID,
    SL_S_COACH_BASIC,
    SL_S_COACH_TRIAL,
    SL_S_COACH_PREMIUM,
    SL_S_ADMIN,
    SL_STANDINGS
} sl_standing;

typedef enum sl_relation {
    SL_REL_OWN,
    SL_REL_STUDENT,
    SL_REL_GIVEN,
    SL_REL_DIRECT,
    SL_REL_PEER,
    SL_REL_PUBLIC,
    SL_REL_STRANGER,
    SL_REL_LEAD,
    SL_RELATIONS
} sl_relation;

typedef enum sl_deed {
    SL_DEED_READ,
    SL_DEED_CREATE,
    SL_DEED_PATCH,
    SL_DEED_DELETE,
    SL_DEEDS
} sl_deed;

typedef enum sl_ruling {
    SL_RULING_ALLOW,
    SL_RULING_DENY, /* it is seen, but this may not be done */
    SL_RULING_HIDE  /* as if it were not there */
} sl_ruling;

typedef enum sl_limit {
    SL_LIMIT_MESSAGES_DAY,
    SL_LIMIT_STUDENTS,
    SL_LIMITS
} sl_limit;

typedef struct sl_area {
    const char *name;
    uint8_t read[SL_STANDINGS]; /* bits of sl_relation */
    uint8_t write[SL_STANDINGS];
} sl_area;

typedef struct sl_feature {
    const char *name;
    uint8_t standings; /* bits */
} sl_feature;

extern const char *const sl_standings[SL_STANDINGS];
extern const char *const sl_relations[SL_RELATIONS];
extern const sl_area sl_areas[];
extern const size_t sl_area_count;
extern const uint8_t sl_area_of_entity[];
extern const sl_feature sl_features[];
extern const size_t sl_feature_count;
extern const int64_t sl_policy_limits[SL_LIMITS][SL_STANDINGS]; /* -1: none */

/* A paid plan goes on for so long after its end: a payment may be late. A trial does not. */
#define SL_PLAN_GRACE_MS ((int64_t)3 * 86400 * 1000)

/* What an account is at a time. role: "athlete", "coach", "admin"; anything else is a guest.
 * plan: "trial", "active", "expired"; NULL or "": there are no plans, which is as good as an active
 * one. until_ms: end of the plan, 0 for none. */
sl_standing sl_standing_of(const char *role, const char *plan, int64_t until_ms, int64_t now_ms);

/* role: the SL_R_* in the space, 0 for none; of a thread that of a coach is leading a group, of an
 * organisation being its admin. coached: of a thread, whether a coach other than the user is in it, or the
 * user is one. */
sl_relation sl_relation_of(const char *space_kind, unsigned role, bool coached);

typedef struct sl_policy_ask {
    sl_standing standing;
    sl_relation relation;
    sl_deed deed;
    const sl_entity *entity;
    bool author; /* of the record; no part in reading and creating */
} sl_policy_ask;

sl_ruling sl_policy_rule(const sl_policy_ask *ask);
/* False for a name that is no feature. */
bool sl_policy_feature(sl_standing standing, const char *feature);

#endif
