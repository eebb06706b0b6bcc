/*
 * service/policy.c - from the database to the questions of schema/policy.h: what an account is, what
 * it is to a space, how much it has used.
 *
 *   [POL-1] nothing that a client says of itself counts: standing, relation and author come from
 *           rows that the server wrote.
 */
#include "base/error.h"
#include "service/inside.h"

#include <string.h>

static const int64_t DAY_MS = INT64_C(86400) * 1000;

void sl_sv_rank_read(sl_sv_rank *rank, const sl_sv_rows *rows, size_t row, size_t cell)
{
    sl_sv_copy(rank->role, sizeof rank->role, sl_sv_text(rows, row, cell));
    sl_sv_copy(rank->plan, sizeof rank->plan, sl_sv_text(rows, row, cell + 1));
    rank->until_ms = sl_sv_int(rows, row, cell + 2);
}

sl_standing sl_sv_standing(const sl_sv_rank *rank, int64_t now_ms)
{
    return sl_standing_of(rank->role, rank->plan, rank->until_ms, now_ms);
}

int64_t sl_sv_rank_until(const sl_sv_rank *rank, int64_t now_ms)
{
    bool trial = strcmp(rank->plan, "trial") == 0;
    int64_t end_ms = rank->until_ms + (trial ? 0 : SL_PLAN_GRACE_MS);
    bool ends = rank->plan[0] != 0 && rank->until_ms > 0 && end_ms > now_ms;
    return ends ? end_ms : INT64_MAX;
}

sl_status sl_sv_rank_of(sl_service *s, const char *user, sl_sv_rank *rank, sl_error **err)
{
    sl_sv_rows rows;
    memset(rank, 0, sizeof *rank);
    sl_status status = sl_sv_all(s,
                                 "SELECT role, plan, plan_until_ms FROM account WHERE id=$1"
                                 " AND status IS NULL",
                                 SL_SV_ARGS(sl_cell_text(user)), &rows, err);
    if (status == SL_OK && rows.count > 0) {
        sl_sv_rank_read(rank, &rows, 0, 0);
    }
    sl_sv_rows_free(&rows);
    return status;
}

static sl_status coached(sl_service *s, const char *user, sl_standing standing, const char *space,
                         bool *yes, sl_error **err)
{
    *yes = standing >= SL_S_COACH_BASIC;
    if (*yes) {
        return SL_OK;
    }
    sl_sv_rows rows;
    sl_sv_known *known = sl_sv_known_of(s, user, space);
    if (known != NULL && known->met_coach) {
        *yes = known->with_coach;
        return SL_OK;
    }
    sl_status status =
        sl_sv_all(s,
                  "SELECT 1 FROM access x JOIN account a ON a.id=x.user_id WHERE x.space=$1 AND"
                  " x.user_id<>$2 AND a.role IN ('coach', 'admin') LIMIT 1",
                  SL_SV_ARGS(sl_cell_text(space), sl_cell_text(user)), &rows, err);
    *yes = status == SL_OK && rows.count > 0;
    sl_sv_rows_free(&rows);
    if (known != NULL && status == SL_OK) {
        known->met_coach = true;
        known->with_coach = *yes;
    }
    return status;
}

sl_status sl_sv_relation(sl_service *s, const char *user, sl_standing standing, const char *space,
                         unsigned role, sl_relation *relation, sl_error **err)
{
    char kind[16] = "";
    bool with_coach = false;
    sl_status status = SL_OK;
    sl_sv_copy(kind, sizeof kind, space);
    kind[strcspn(kind, ":")] = 0;
    if (role != 0 && strcmp(kind, "thread") == 0) {
        status = coached(s, user, standing, space, &with_coach, err);
    }
    *relation = sl_relation_of(kind, role, with_coach);
    return status;
}

/* The entity that a space's root is. */
static const sl_entity *root_of(const char *space)
{
    char kind[16];
    sl_sv_copy(kind, sizeof kind, space);
    kind[strcspn(kind, ":")] = 0;
    return sl_entity_find(kind);
}

sl_status sl_sv_may_read(sl_service *s, const char *user, sl_standing standing, const char *space,
                         unsigned *role, sl_error **err)
{
    sl_relation relation = SL_REL_STRANGER;
    sl_status status = sl_sv_role(s, user, space, role, err);
    if (status == SL_OK) {
        status = sl_sv_relation(s, user, standing, space, *role, &relation, err);
    }
    const sl_entity *root = root_of(space);
    sl_policy_ask ask = {standing, relation, SL_DEED_READ, root, false};
    if (status != SL_OK || root == NULL || sl_policy_rule(&ask) != SL_RULING_ALLOW) {
        *role = 0;
    } else if (*role == 0) { /* a stranger whom the policy lets in, if it is there */
        bool there = false;
        status = sl_sv_space_exists(s, space, &there, err);
        *role = there ? SL_R_OWNER : 0;
    }
    return status;
}

/* Its writers name blobs in it. */
static bool names_bytes(const sl_entity *e)
{
    bool found = false;
    for (size_t i = 0; i < e->field_count; i++) {
        found = found || (e->fields[i].type == SL_T_BLOB && e->fields[i].merge != SL_M_SERVER);
    }
    return found;
}

sl_status sl_sv_may_bring(sl_service *s, const char *user, sl_standing standing, const char *space,
                          bool *may, sl_error **err)
{
    unsigned role = 0;
    sl_policy_ask ask = {.standing = standing, .relation = SL_REL_STRANGER};
    sl_status status = sl_sv_role(s, user, space, &role, err);
    if (status == SL_OK) {
        status = sl_sv_relation(s, user, standing, space, role, &ask.relation, err);
    }
    *may = false;
    for (size_t i = 0; status == SL_OK && !*may && i < sl_entity_count; i++) {
        ask.entity = &sl_entities[i];
        if (!sl_space_is(space, ask.entity->space_kind) || !names_bytes(ask.entity)) {
            continue;
        }
        ask.deed = SL_DEED_CREATE;
        *may = sl_policy_rule(&ask) == SL_RULING_ALLOW;
        ask.deed = SL_DEED_PATCH;
        *may = *may || sl_policy_rule(&ask) == SL_RULING_ALLOW;
    }
    return status;
}

bool sl_sv_may_make(sl_standing standing, const char *user, const char *space)
{
    const sl_entity *root = root_of(space);
    sl_policy_ask ask = {standing, SL_REL_OWN, SL_DEED_CREATE, root, false};
    bool storefront = sl_space_is(space, "coach");
    return root != NULL && (!storefront || strcmp(sl_space_id(space), user) == 0) &&
           sl_policy_rule(&ask) == SL_RULING_ALLOW;
}

sl_status sl_sv_use(sl_sv_tx *tx, const char *user, sl_limit limit, sl_standing standing,
                    sl_error **err)
{
    int64_t most = sl_policy_limits[limit][standing];
    if (most < 0) {
        return SL_OK;
    }
    sl_sv_rows rows;
    sl_status status = sl_sv_write(
        tx,
        "INSERT INTO quota (user_id, kind, day, used) VALUES ($1, $2, $3, 1)"
        " ON CONFLICT (user_id, kind) DO UPDATE SET used=CASE WHEN"
        " quota.day=excluded.day THEN quota.used+1 ELSE 1 END, day=excluded.day",
        SL_SV_ARGS(sl_cell_text(user), sl_cell_int(limit), sl_cell_int(tx->now_ms / DAY_MS)), err);
    if (status != SL_OK) {
        return status;
    }
    status = sl_sv_all(tx->s, "SELECT used FROM quota WHERE user_id=$1 AND kind=$2",
                       SL_SV_ARGS(sl_cell_text(user), sl_cell_int(limit)), &rows, err);
    if (status == SL_OK && rows.count > 0 && sl_sv_int(&rows, 0, 0) > most) {
        status = sl_fail(err, SL_E_LIMIT, "your plan allows %lld messages a day", (long long)most);
    }
    sl_sv_rows_free(&rows);
    return status;
}

sl_status sl_sv_room_for_student(sl_service *s, const char *coach, sl_standing standing,
                                 sl_error **err)
{
    int64_t most = sl_policy_limits[SL_LIMIT_STUDENTS][standing];
    if (most < 0) {
        return SL_OK;
    }
    sl_sv_space own;
    sl_sv_rows rows;
    sl_space_name(own, "user", coach);
    sl_status status = sl_sv_all(s,
                                 "SELECT count(*) FROM \"connection\" WHERE \"space\"=$1 AND"
                                 " \"status\"='accepted' AND \"deleted\"=0",
                                 SL_SV_ARGS(sl_cell_text(own)), &rows, err);
    if (status == SL_OK && rows.count > 0 && sl_sv_int(&rows, 0, 0) >= most) {
        status = sl_fail(err, SL_E_LIMIT, "the coach's plan allows %lld athletes", (long long)most);
    }
    sl_sv_rows_free(&rows);
    return status;
}
