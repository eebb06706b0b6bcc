/*
 * service/numbers.c - what the admins of an organisation are told of their coaches' work: counts, and nothing that
 * was said or shown. For whoever may patch the organisation, by the policy; to who is not in it there is none.
 */
#include "base/error.h"
#include "base/plant.h"
#include "service/inside.h"

#include <string.h>

enum {
    DAYS = 30
};

enum {
    MESSAGES,
    CONVERSATIONS,
    REVIEWS,
    ATHLETES,
    COUNTS
};

static const char *const NAMES[COUNTS] = {"messages", "conversations", "reviews", "athletes"};

typedef struct tally {
    int64_t of[COUNTS]; /* as NAMES */
} tally;

/* Behind which place of a thread all that was sent since then lies: what it costs is by that, not by the thread. */
static sl_status last_before(sl_service *s, const char *space, int64_t from_ms, int64_t *place)
{
    sl_sv_rows rows;
    sl_status status = sl_sv_all(
        s,
        "SELECT f.seq FROM feed f JOIN \"message\" m ON m.\"id\"=f.id AND m.\"space\"=f.space WHERE"
        " f.space=$1 AND f.place=f.seq AND m.\"sent_ms\"<$2 ORDER BY f.seq DESC LIMIT 1",
        SL_SV_ARGS(sl_cell_text(space), sl_cell_int(from_ms)), &rows, NULL);
    *place = status == SL_OK && rows.count > 0 ? sl_sv_int(&rows, 0, 0) : 0;
    sl_sv_rows_free(&rows);
    return status;
}

static sl_status count_thread(sl_service *s, const char *user, const char *space, int64_t from_ms,
                              tally *t)
{
    int64_t place = 0;
    sl_sv_rows rows = {0};
    sl_status status = last_before(s, space, from_ms, &place);
    if (status == SL_OK) {
        status = sl_sv_all(
            s,
            "SELECT count(*), sum(CASE WHEN m.\"kind\"='review' THEN 1 ELSE 0 END) FROM (SELECT id"
            " FROM feed WHERE space=$1 AND seq>$2 AND place=seq UNION ALL SELECT id FROM feed WHERE"
            " space=$1 AND place>$2 AND place<seq) AS recent JOIN \"message\" m ON m.\"id\"=recent.id AND"
            " m.\"space\"=$1 WHERE m.\"author_id\"=$3 AND m.\"deleted\"=0 AND"
            " m.\"kind\"<>'notice' AND m.\"sent_ms\">=$4",
            SL_SV_ARGS(sl_cell_text(space), sl_cell_int(place), sl_cell_text(user),
                       sl_cell_int(from_ms)),
            &rows, NULL);
    }
    if (status == SL_OK) {
        int64_t sent = sl_sv_int(&rows, 0, 0);
        t->of[MESSAGES] += sent;
        t->of[CONVERSATIONS] += sent > 0 ? 1 : 0;
        t->of[REVIEWS] += sl_sv_int(&rows, 0, 1);
    }
    sl_sv_rows_free(&rows);
    return status;
}

static sl_status count_said(sl_service *s, const char *user, int64_t from_ms, tally *t)
{
    sl_sv_rows threads;
    sl_status status = sl_sv_all(
        s, "SELECT space FROM access WHERE user_id=$1 AND space>='thread:' AND space<'thread;'",
        SL_SV_ARGS(sl_cell_text(user)), &threads, NULL);
    for (size_t i = 0; status == SL_OK && i < threads.count; i++) {
        status = count_thread(s, user, sl_sv_text(&threads, i, 0), from_ms, t);
    }
    sl_sv_rows_free(&threads);
    return status;
}

static sl_status count_athletes(sl_service *s, const char *user, tally *t)
{
    sl_sv_space own;
    sl_sv_rows rows;
    sl_space_name(own, "user", user);
    sl_status status = sl_sv_all(
        s,
        "SELECT count(*) FROM feed f JOIN \"connection\" c ON c.\"id\"=f.id AND c.\"space\"=f.space"
        " WHERE f.space=$1 AND f.listed='connection' AND c.\"status\"='accepted' AND"
        " c.\"peer_role\"='athlete' AND c.\"deleted\"=0",
        SL_SV_ARGS(sl_cell_text(own)), &rows, NULL);
    t->of[ATHLETES] = status == SL_OK ? sl_sv_int(&rows, 0, 0) : 0;
    sl_sv_rows_free(&rows);
    return status;
}

static sl_json *member_json(const sl_sv_rows *who, size_t row, const tally *t)
{
    static const char *const texts[] = {"id", "user", "name", "role"};
    sl_json *j = sl_json_object();
    bool ok = j != NULL;
    for (size_t i = 0; ok && i < sizeof texts / sizeof texts[0]; i++) {
        ok = sl_json_set_str(j, texts[i], sl_sv_text(who, row, i));
    }
    for (size_t i = 0; ok && i < COUNTS; i++) {
        ok = sl_json_set_int(j, NAMES[i], t->of[i]);
    }
    if (!ok) {
        sl_json_free(j);
        return NULL;
    }
    return j;
}

static sl_status list_members(sl_service *s, const sl_sv_rows *who, int64_t from_ms, sl_json *list)
{
    sl_status status = SL_OK;
    for (size_t i = 0; status == SL_OK && i < who->count; i++) {
        tally t = {{0}};
        const char *user = sl_sv_text(who, i, 1);
        status = count_said(s, user, from_ms, &t);
        status = status == SL_OK ? count_athletes(s, user, &t) : status;
        if (status == SL_OK && !sl_json_add(list, member_json(who, i, &t))) {
            status = SL_E_NOMEM;
        }
    }
    return status;
}

static sl_json *all_json(const char *space, sl_json *list)
{
    sl_json *j = sl_json_object();
    if (j == NULL || !sl_json_set_str(j, "id", sl_space_id(space)) ||
        !sl_json_set_int(j, "days", DAYS)) {
        sl_json_free(list);
        sl_json_free(j);
        return NULL;
    }
    if (!sl_json_set(j, "members", list)) {
        sl_json_free(j);
        return NULL;
    }
    return j;
}

static sl_status read_all(sl_service *s, const char *space, sl_json **out)
{
    sl_sv_rows who;
    sl_json *list = sl_json_array();
    sl_status status = sl_sv_all(
        s,
        "SELECT m.\"id\", m.\"user_id\", m.\"name\", m.\"role\" FROM feed f JOIN \"member\" m"
        " ON m.\"id\"=f.id AND m.\"space\"=f.space WHERE f.space=$1 AND f.listed='member'"
        " AND m.\"state\"='active' AND m.\"deleted\"=0 ORDER BY m.\"id\"",
        SL_SV_ARGS(sl_cell_text(space)), &who, NULL);
    if (status == SL_OK) {
        status = list != NULL
                     ? list_members(s, &who, sl_sv_now(s) - (int64_t)DAYS * 86400 * 1000, list)
                     : SL_E_NOMEM;
    }
    sl_sv_rows_free(&who);
    if (status != SL_OK) {
        sl_json_free(list);
        return status;
    }
    *out = all_json(space, list);
    return *out != NULL ? SL_OK : SL_E_NOMEM;
}

void sl_sv_organisation(sl_sv_request *r, sl_http_out *out)
{
    sl_service *s = r->s;
    sl_sv_space space;
    sl_json *body = NULL;
    unsigned role = 0;
    sl_policy_ask ask = {.deed = SL_DEED_PATCH, .entity = sl_entity_find("organisation")};
    sl_ruling ruling = SL_RULING_HIDE;
    sl_status status = SL_OK;
    sl_sv_hold(r);
    if (sl_uuid_ok(r->rest)) {
        sl_space_name(space, "organisation", r->rest);
        ask.standing = sl_sv_standing(&r->who.rank, sl_sv_now(s));
        status = sl_sv_role(s, r->who.user, space, &role, NULL);
        ask.relation = sl_relation_of("organisation", role, false);
        ruling = sl_policy_rule(&ask);
        ruling =
            ruling == SL_RULING_DENY && SL_PLANTED("numbers-to-all") ? SL_RULING_ALLOW : ruling;
    }
    if (status == SL_OK && ruling == SL_RULING_ALLOW) {
        status = read_all(s, space, &body);
    }
    sl_sv_let_go(r);
    if (status != SL_OK) {
        sl_sv_broken(out, status);
    } else if (ruling == SL_RULING_HIDE) {
        sl_sv_refuse(out, 404, "not_found", "there is nothing here");
    } else if (ruling == SL_RULING_DENY) {
        sl_sv_refuse(out, 403, "forbidden", "Insufficient permissions");
    } else {
        sl_sv_answer(out, 200, body);
    }
}
