#include "schema/policy.h"

#include <string.h>

sl_standing sl_standing_of(const char *role, const char *plan, int64_t until_ms, int64_t now_ms)
{
    bool none = plan == NULL || plan[0] == 0;
    bool trial = !none && strcmp(plan, "trial") == 0;
    bool active = none || strcmp(plan, "active") == 0;
    int64_t grace_ms = trial ? 0 : SL_PLAN_GRACE_MS;
    if (!none && until_ms > 0 && now_ms - grace_ms >= until_ms) {
        trial = false;
        active = false;
    }
    if (role != NULL && strcmp(role, "admin") == 0) {
        return SL_S_ADMIN;
    }
    if (role != NULL && strcmp(role, "coach") == 0) {
        return active ? SL_S_COACH_PREMIUM : trial ? SL_S_COACH_TRIAL : SL_S_COACH_BASIC;
    }
    if (role != NULL && strcmp(role, "athlete") == 0) {
        return active || trial ? SL_S_ATHLETE_PAID : SL_S_ATHLETE_FREE;
    }
    return SL_S_GUEST;
}

sl_relation sl_relation_of(const char *space_kind, unsigned role, bool coached)
{
    if ((role & SL_R_OWNER) != 0) {
        return SL_REL_OWN;
    }
    if (role != 0 && strcmp(space_kind, "thread") == 0) {
        return (role & SL_R_COACH) != 0 ? SL_REL_LEAD : coached ? SL_REL_DIRECT : SL_REL_PEER;
    }
    if (role != 0 && strcmp(space_kind, "coach") == 0) {
        return SL_REL_PUBLIC;
    }
    if ((role & SL_R_COACH) != 0 && strcmp(space_kind, "organisation") == 0) {
        return SL_REL_LEAD;
    }
    return (role & SL_R_COACH) != 0    ? SL_REL_STUDENT
           : (role & SL_R_MEMBER) != 0 ? SL_REL_GIVEN
                                       : SL_REL_STRANGER;
}

/* The role in the space that the relation amounts to. */
static unsigned role_of(sl_relation relation)
{
    switch (relation) {
    case SL_REL_OWN:
    case SL_REL_STRANGER: return SL_R_OWNER; /* a stranger whom the area lets in: an admin */
    case SL_REL_STUDENT: return SL_R_COACH;
    case SL_REL_LEAD: return SL_R_COACH | SL_R_MEMBER;
    case SL_REL_GIVEN:
    case SL_REL_DIRECT:
    case SL_REL_PEER:
    case SL_REL_PUBLIC: return SL_R_MEMBER;
    case SL_RELATIONS: break;
    }
    return 0;
}

static unsigned may_of(const sl_entity *e, sl_deed deed)
{
    return deed == SL_DEED_CREATE ? e->create : deed == SL_DEED_PATCH ? e->patch : e->remove;
}

sl_ruling sl_policy_rule(const sl_policy_ask *ask)
{
    const sl_area *area = &sl_areas[sl_area_of_entity[ask->entity->index]];
    unsigned bit = 1U << (unsigned)ask->relation;
    if ((area->read[ask->standing] & bit) == 0) {
        return SL_RULING_HIDE;
    }
    if (ask->deed == SL_DEED_READ) {
        return SL_RULING_ALLOW;
    }
    unsigned have = role_of(ask->relation);
    if (ask->author && ask->deed != SL_DEED_CREATE) {
        have |= SL_R_AUTHOR;
    }
    bool open = (area->write[ask->standing] & bit) != 0;
    return open && (may_of(ask->entity, ask->deed) & have) != 0 ? SL_RULING_ALLOW : SL_RULING_DENY;
}

bool sl_policy_feature(sl_standing standing, const char *feature)
{
    for (size_t i = 0; i < sl_feature_count; i++) {
        if (strcmp(sl_features[i].name, feature) == 0) {
            return (sl_features[i].standings >> (unsigned)standing & 1) != 0;
        }
    }
    return false;
}
