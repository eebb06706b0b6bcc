/*
 * service/numbers.c - what the admins of an organisation are told of their coaches' work: counts, and nothing that
 * was said or shown. For whoever may patch the organisation, by the policy; to who is not in it there is none.
 */
#include "base/error.h"
#include "service/inside.h"

#include <string.h>

enum {
    DAYS = 30,
    COUNTS = 4
};

static const char *const NAMES[COUNTS] = {"messages", "conversations", "reviews", "athletes"};

/* A UUID of version 7 that is below all that were made since. */
static void oldest_id(int64_t ms, sl_sv_id out)
{
    static const uint8_t zero[10] = {0};
    sl_uuid7(out, ms > 0 ? ms : 0, zero);
}

/* user, messages, conversations, reviews of each who wrote. Ids are of the device's clock when it was written, so
 * that those twice as old are not looked at: what was sent later than that counts by the server's. */
static sl_status read_said(sl_service *s, const char *space, int64_t from_ms, int64_t now_ms,
                           sl_sv_rows *rows)
{
    sl_sv_id oldest;
    oldest_id(from_ms - (now_ms - from_ms), oldest);
    return sl_sv_all(
        s,
        "SELECT o.user_id, count(*), count(DISTINCT m.\"space\"), sum(CASE WHEN m.\"kind\"='review'"
        " THEN 1 ELSE 0 END) FROM access o JOIN access x ON x.user_id=o.user_id AND x.space LIKE"
        " 'thread:%' JOIN feed f ON f.space=x.space AND f.entity='message' AND f.id>=$3 JOIN"
        " \"message\" m ON m.\"id\"=f.id AND m.\"space\"=f.space WHERE o.space=$1 AND"
        " m.\"author_id\"=o.user_id AND m.\"deleted\"=0 AND m.\"kind\"<>'notice' AND"
        " m.\"sent_ms\">=$2 GROUP BY o.user_id",
        SL_SV_ARGS(sl_cell_text(space), sl_cell_int(from_ms), sl_cell_text(oldest)), rows, NULL);
}

/* user, athletes of each who has any. */
static sl_status read_athletes(sl_service *s, const char *space, sl_sv_rows *rows)
{
    return sl_sv_all(
        s,
        "SELECT o.user_id, count(*) FROM access o JOIN feed f ON f.space='user:' || o.user_id AND"
        " f.listed='connection' JOIN \"connection\" c ON c.\"id\"=f.id AND c.\"space\"=f.space WHERE"
        " o.space=$1 AND c.\"status\"='accepted' AND c.\"peer_role\"='athlete' AND c.\"deleted\"=0"
        " GROUP BY o.user_id",
        SL_SV_ARGS(sl_cell_text(space)), rows, NULL);
}

static int64_t count_of(const sl_sv_rows *rows, const char *user, size_t cell)
{
    for (size_t i = 0; i < rows->count; i++) {
        if (strcmp(sl_sv_text(rows, i, 0), user) == 0) {
            return sl_sv_int(rows, i, cell);
        }
    }
    return 0;
}

static sl_json *member_json(const sl_sv_rows *who, size_t row, const sl_sv_rows *said,
                            const sl_sv_rows *athletes)
{
    static const char *const texts[] = {"id", "user", "name", "role"};
    const char *user = sl_sv_text(who, row, 1);
    sl_json *j = sl_json_object();
    bool ok = j != NULL;
    for (size_t i = 0; ok && i < sizeof texts / sizeof texts[0]; i++) {
        ok = sl_json_set_str(j, texts[i], sl_sv_text(who, row, i));
    }
    for (size_t i = 0; ok && i < COUNTS; i++) {
        ok = sl_json_set_int(j, NAMES[i],
                             i + 1 < COUNTS ? count_of(said, user, i + 1)
                                            : count_of(athletes, user, 1));
    }
    if (!ok) {
        sl_json_free(j);
        return NULL;
    }
    return j;
}

static sl_json *all_json(const char *space, const sl_sv_rows *who, const sl_sv_rows *said,
                         const sl_sv_rows *athletes)
{
    sl_json *j = sl_json_object();
    sl_json *list = sl_json_array();
    bool ok = list != NULL;
    for (size_t i = 0; ok && i < who->count; i++) {
        ok = sl_json_add(list, member_json(who, i, said, athletes));
    }
    ok = j != NULL && ok && sl_json_set_str(j, "id", sl_space_id(space)) &&
         sl_json_set_int(j, "days", DAYS);
    if (!ok) {
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
    sl_sv_rows said = {0};
    sl_sv_rows athletes = {0};
    int64_t now_ms = sl_sv_now(s);
    sl_status status = sl_sv_all(
        s,
        "SELECT m.\"id\", m.\"user_id\", m.\"name\", m.\"role\" FROM feed f JOIN \"member\" m"
        " ON m.\"id\"=f.id AND m.\"space\"=f.space WHERE f.space=$1 AND f.listed='member'"
        " AND m.\"state\"='active' AND m.\"deleted\"=0 ORDER BY m.\"id\"",
        SL_SV_ARGS(sl_cell_text(space)), &who, NULL);
    if (status == SL_OK) {
        status = read_said(s, space, now_ms - (int64_t)DAYS * 86400 * 1000, now_ms, &said);
    }
    if (status == SL_OK) {
        status = read_athletes(s, space, &athletes);
    }
    *out = status == SL_OK ? all_json(space, &who, &said, &athletes) : NULL;
    sl_sv_rows_free(&who);
    sl_sv_rows_free(&said);
    sl_sv_rows_free(&athletes);
    return status == SL_OK && *out == NULL ? SL_E_NOMEM : status;
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
