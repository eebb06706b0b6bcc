/* What must hold of organisations: on the way by the server's tables, at rest by what it tells. */
#include "base/mem.h"
#include "organisations.h"
#include "service/inside.h"

#include <stdio.h>
#include <string.h>

/* --- on the way --------------------------------------------------------------------------- */

/* What no moment may show, by the records of members, which the service does not ask. */
static const struct {
    const char *what;
    const char *sql;
} NEVER[] = {
    {"an organisation",
     "SELECT a.user_id, a.space FROM access a WHERE a.space>='organisation:' AND"
     " a.space<'organisation;' AND NOT EXISTS (SELECT 1 FROM \"member\" m WHERE"
     " m.\"space\"=a.space AND m.\"user_id\"=a.user_id AND m.\"state\"='active' AND"
     " m.\"deleted\"=0 AND (a.role='coach')=(m.\"role\"='admin'))"},
    {"a program because of one",
     "SELECT a.user_id, a.space FROM access a WHERE a.via='organisation' AND NOT EXISTS (SELECT 1"
     " FROM \"member\" r JOIN \"member\" i ON i.\"space\"=r.\"space\" JOIN access o ON"
     " o.user_id=i.\"user_id\" AND o.space=a.space AND o.role='owner' WHERE"
     " r.\"user_id\"=a.user_id AND r.\"state\"='active' AND r.\"deleted\"=0 AND"
     " i.\"state\"='active' AND i.\"deleted\"=0 AND (r.\"role\"='admin' OR EXISTS (SELECT 1 FROM"
     " \"program_share\" s WHERE s.\"space\"=r.\"space\" AND s.\"deleted\"=0 AND"
     " s.\"program_id\"=substr(a.space, 9))))"},
};

void check_clubs_now(world *w)
{
    for (size_t i = 0; w->clubs != NULL && i < sizeof NEVER / sizeof NEVER[0]; i++) {
        sl_sv_rows rows;
        (void)sl_sv_all(w->sim->server.service, NEVER[i].sql, NULL, 0, &rows, NULL);
        if (rows.count > 0) {
            sl_sim_fail(w->sim, "%s holds %s, by whose members not: %s", sl_sv_text(&rows, 0, 0),
                        NEVER[i].what, sl_sv_text(&rows, 0, 1));
        }
        sl_sv_rows_free(&rows);
    }
}

void check_numbers_told(world *w, const actor *a, const sl_json *event)
{
    const char *id = sl_json_str(sl_json_get(event, "res"), "id");
    if (!sl_json_bool_or(event, "ok", false)) {
        return;
    }
    if (!world_tied(&w->clubs->leads, a->who->index, a->numbers_of)) {
        sl_sim_fail(w->sim, "%s is told the numbers of %s and never led it", a->node->host.name,
                    a->numbers_of);
    } else if (id == NULL || strcmp(id, sl_space_id(a->numbers_of)) != 0) {
        sl_sim_fail(w->sim, "%s is told the numbers of %s, not of %s", a->node->host.name,
                    id != NULL ? id : "nothing", a->numbers_of);
    }
}

/* --- members ------------------------------------------------------------------------------ */

static bool is(const sl_json *rec, const char *entity)
{
    return strcmp(sl_json_str(rec, "entity"), entity) == 0;
}

/* A field as text, "" when it is not there. */
static const char *text_of(const sl_json *rec, const char *field)
{
    const char *text = sl_json_str(sl_json_get(rec, "fields"), field);
    return text != NULL ? text : "";
}

static bool there(const sl_json *rec)
{
    return rec != NULL && !sl_json_bool_or(rec, "deleted", false);
}

static const truth *truth_of(const world *w, const char *kind, const char *id)
{
    char space[SL_SPACE_MAX];
    sl_space_name(space, kind, id);
    for (size_t i = 0; i < w->truth_count; i++) {
        if (strcmp(w->truths[i].space, space) == 0) {
            return &w->truths[i];
        }
    }
    return NULL;
}

/* The user's record among the members, whatever its state; NULL: none. */
static const sl_json *listed(const truth *t, const char *user)
{
    for (const sl_json *r = sl_json_first(t->records); r != NULL; r = sl_json_next(r)) {
        if (is(r, "member") && there(r) && strcmp(text_of(r, "user_id"), user) == 0) {
            return r;
        }
    }
    return NULL;
}

static const sl_json *member_of(const truth *t, const char *user)
{
    const sl_json *r = listed(t, user);
    return r != NULL && strcmp(text_of(r, "state"), "active") == 0 ? r : NULL;
}

static bool leads(const sl_json *member)
{
    return member != NULL && strcmp(text_of(member, "role"), "admin") == 0;
}

static bool is_lent(const truth *t, const char *program)
{
    for (const sl_json *r = sl_json_first(t->records); r != NULL; r = sl_json_next(r)) {
        if (is(r, "program_share") && there(r) && strcmp(text_of(r, "program_id"), program) == 0) {
            return true;
        }
    }
    return false;
}

bool club_lets_in(const world *w, const truth *t, const person *p)
{
    const char *program = sl_space_id(t->space);
    if (sl_space_is(t->space, "organisation")) {
        return member_of(t, p->user) != NULL;
    }
    if (!sl_space_is(t->space, "program")) {
        return false;
    }
    const char *owner = text_of(truth_record(w, t->space, "program", program), "coach_id");
    bool may = false;
    for (size_t i = 0; !may && i < w->truth_count; i++) {
        const truth *o = &w->truths[i];
        const sl_json *me = sl_space_is(o->space, "organisation") ? member_of(o, p->user) : NULL;
        may = me != NULL && member_of(o, owner) != NULL && (leads(me) || is_lent(o, program));
    }
    return may;
}

/* --- at rest ------------------------------------------------------------------------------ */

static void need(world *w, bool ok, const char *what, const sl_json *rec)
{
    if (!ok) {
        sl_sim_fail(w->sim, "%s: %s %s", what, rec != NULL ? sl_json_str(rec, "entity") : "",
                    rec != NULL ? sl_json_str(rec, "id") : "");
    }
}

/* The grant of this space among a user's own records. */
static const sl_json *grant_of(const truth *own, const char *space)
{
    for (const sl_json *r = sl_json_first(own->records); r != NULL; r = sl_json_next(r)) {
        if (is(r, "grant") && there(r) && strcmp(text_of(r, "target"), space) == 0) {
            return r;
        }
    }
    return NULL;
}

/* Both copies say the same, the grant is of that rank, and no one has two. */
static void check_member(world *w, const truth *t, const sl_json *member)
{
    static const char *const same[] = {"role", "state"};
    const char *user = text_of(member, "user_id");
    const truth *own = truth_of(w, "user", user);
    const person *p = world_person(w, user);
    need(w, own != NULL && p != NULL, "nobody is this member", member);
    if (own == NULL || p == NULL) {
        return;
    }
    const sl_json *mine = truth_record(w, own->space, "membership", sl_json_str(member, "id"));
    const sl_json *root = truth_record(w, t->space, "organisation", sl_space_id(t->space));
    need(w, there(mine), "a member without membership", member);
    need(w, listed(t, user) == member, "one is a member twice", member);
    for (size_t i = 0; there(mine) && i < 2; i++) {
        need(w, strcmp(text_of(mine, same[i]), text_of(member, same[i])) == 0,
             "member and membership differ", member);
    }
    need(w, strcmp(text_of(mine, "name"), text_of(root, "name")) == 0,
         "a membership has another name than the organisation", mine);
    bool active = strcmp(text_of(member, "state"), "active") == 0;
    const sl_json *grant = grant_of(own, t->space);
    need(w, active == (grant != NULL), "a grant and a membership are one", member);
    need(w, !active || strcmp(text_of(grant, "role"), leads(member) ? "coach" : "member") == 0,
         "a member is granted another rank", member);
    need(w, !active || text_of(member, "email")[0] == 0, "a member's address is told", member);
    need(w, active || member_of(t, text_of(mine, "by_id")) != NULL,
         "an invitation of who is no member", member);
    need(w, !active || world_tied(&w->clubs->ever, p->index, t->space), "a member never agreed",
         member);
    need(w, !active || !leads(member) || !world_tied(&w->clubs->tried, p->index, t->space),
         "one was not made to lead and does", member);
}

/* Whether somebody who may wanted this gone. */
static bool wanted_gone(const world *w, const truth *t, const char *id)
{
    for (size_t i = 0; i < w->clubs->deal_count; i++) {
        const deal *d = &w->clubs->deals[i];
        bool inviter = d->kind == SL_OP_CREATE && world_tied(&w->lost, d->by, t->space);
        if (strcmp(d->id, id) == 0 && !d->banned && (d->kind == SL_OP_DELETE || inviter)) {
            return true;
        }
    }
    return false;
}

static void check_share(world *w, const truth *t, const sl_json *share)
{
    const char *program = text_of(share, "program_id");
    const truth *of = truth_of(w, "program", program);
    const sl_json *root = of != NULL ? truth_record(w, of->space, "program", program) : NULL;
    need(w, member_of(t, text_of(share, "user_id")) != NULL, "who shares is no member", share);
    need(w, there(root), "what is shared was deleted", share);
    need(w, !there(root) || strcmp(text_of(root, "coach_id"), text_of(share, "user_id")) == 0,
         "one shares the program of another", share);
}

static void check_club(world *w, const truth *t)
{
    unsigned leading = 0;
    const sl_json *root = truth_record(w, t->space, "organisation", sl_space_id(t->space));
    need(w, there(root), "an organisation that is gone is held", root);
    for (const sl_json *r = sl_json_first(t->records); r != NULL && w->sim->failure == NULL;
         r = sl_json_next(r)) {
        if (is(r, "member") && there(r)) {
            check_member(w, t, r);
            leading += leads(r) && strcmp(text_of(r, "state"), "active") == 0 ? 1 : 0;
        } else if (is(r, "member")) {
            need(w, w->sim->server.restored > 0 || wanted_gone(w, t, sl_json_str(r, "id")),
                 "nobody who may wanted this", r);
        } else if (is(r, "program_share") && there(r)) {
            check_share(w, t, r);
        }
    }
    need(w, leading > 0, "nobody leads", root);
}

/* A membership, and what was told of it, goes with the organisation and the member. */
static void check_memberships(world *w, const truth *own)
{
    for (const sl_json *r = sl_json_first(own->records); r != NULL && w->sim->failure == NULL;
         r = sl_json_next(r)) {
        if (is(r, "membership") && there(r)) {
            const truth *t = truth_of(w, "organisation", text_of(r, "organisation_id"));
            need(w, t != NULL && there(truth_record(w, t->space, "member", sl_json_str(r, "id"))),
                 "a membership of nothing", r);
        } else if (is(r, "notification") && there(r)) {
            const sl_json *of = truth_record(w, own->space, "membership", text_of(r, "ref_id"));
            need(w, of == NULL || there(of), "told of an invitation that is gone", r);
        }
    }
}

/* --- numbers ------------------------------------------------------------------------------ */

typedef struct tally {
    int64_t messages;
    int64_t conversations;
    int64_t reviews;
    int64_t athletes;
} tally;

static tally count_of(const world *w, const person *p)
{
    tally n = {0};
    for (size_t i = 0; i < w->truth_count; i++) {
        const truth *t = &w->truths[i];
        bool thread = sl_space_is(t->space, "thread") && world_tied(&w->holds, p->index, t->space);
        bool own = sl_space_is(t->space, "user") && strcmp(sl_space_id(t->space), p->user) == 0;
        int64_t before = n.messages;
        const sl_json *r = thread || own ? sl_json_first(t->records) : NULL;
        for (; r != NULL; r = sl_json_next(r)) {
            bool said = is(r, "message") && there(r) &&
                        strcmp(text_of(r, "author_id"), p->user) == 0 &&
                        strcmp(text_of(r, "kind"), "notice") != 0;
            n.messages += said ? 1 : 0;
            n.reviews += said && strcmp(text_of(r, "kind"), "review") == 0 ? 1 : 0;
            n.athletes += own && is(r, "connection") && there(r) &&
                                  strcmp(text_of(r, "status"), "accepted") == 0 &&
                                  strcmp(text_of(r, "peer_role"), "athlete") == 0
                              ? 1
                              : 0;
        }
        n.conversations += n.messages > before ? 1 : 0;
    }
    return n;
}

static void check_numbers_of(world *w, const truth *t, const sl_json *row)
{
    const char *user = sl_json_str(row, "user");
    const person *p = world_person(w, user);
    const sl_json *member = user != NULL ? member_of(t, user) : NULL;
    if (p == NULL || member == NULL) {
        sl_sim_fail(w->sim, "%s has numbers of %s, who is no member", t->space, user);
        return;
    }
    tally n = count_of(w, p);
    if (sl_json_int_or(row, "messages", -1) != n.messages ||
        sl_json_int_or(row, "conversations", -1) != n.conversations ||
        sl_json_int_or(row, "reviews", -1) != n.reviews ||
        sl_json_int_or(row, "athletes", -1) != n.athletes) {
        char *text = sl_json_print(row);
        sl_sim_fail(w->sim, "%s has the numbers %s, and not %lld, %lld, %lld, %lld", t->space, text,
                    (long long)n.messages, (long long)n.conversations, (long long)n.reviews,
                    (long long)n.athletes);
        sl_mem_free(text);
    }
}

static const char *bearer(void *ctx, const char *name)
{
    return strcmp(name, "authorization") == 0 ? ctx : NULL;
}

/* What the service answers this person who asks for the numbers; its body, NULL without. */
static sl_json *ask_service(world *w, const person *p, const char *id, int *status)
{
    char path[80];
    char *token = sl_text_fmt("Bearer %s", p->token != NULL ? p->token : "");
    sl_http_out out = {0};
    (void)snprintf(path, sizeof path, "/api/v1/organisations/%s", id);
    sl_http_in in = {.method = "GET", .path = path, .query = "", .header = bearer, .ctx = token};
    sl_service_http(w->sim->server.service, &in, &out);
    sl_json *j = out.body != NULL
                     ? sl_json_parse((const char *)sl_bytes_data(out.body), sl_bytes_len(out.body))
                     : NULL;
    *status = (int)out.status;
    sl_http_out_free(&out);
    sl_mem_free(token);
    return j;
}

/* Who leads is told the truth, other members that they may not, everybody else that there is nothing. */
static void check_numbers(world *w, const char *id)
{
    const truth *t = truth_of(w, "organisation", id);
    for (unsigned i = 0; i < w->people_count && w->sim->failure == NULL; i++) {
        const person *p = &w->people[i];
        const sl_json *member = t != NULL ? member_of(t, p->user) : NULL;
        int want = leads(member) ? 200 : member != NULL ? 403 : 404;
        int status = 0;
        sl_json *body = ask_service(w, p, id, &status);
        const sl_json *rows = sl_json_get(body, "members");
        if (status != want || (want == 200 && sl_json_count(rows) == 0)) {
            sl_sim_fail(w->sim, "%s asks for the numbers of %s and is told %d, not %d", p->name, id,
                        status, want);
        }
        for (const sl_json *r = sl_json_first(rows); r != NULL && w->sim->failure == NULL;
             r = sl_json_next(r)) {
            check_numbers_of(w, t, r);
        }
        sl_json_free(body);
    }
}

void check_clubs(world *w)
{
    if (w->clubs == NULL) {
        return;
    }
    check_clubs_now(w);
    for (size_t i = 0; i < w->truth_count && w->sim->failure == NULL; i++) {
        if (sl_space_is(w->truths[i].space, "organisation")) {
            check_club(w, &w->truths[i]);
        } else if (sl_space_is(w->truths[i].space, "user")) {
            check_memberships(w, &w->truths[i]);
        }
    }
    for (size_t i = 0; i < w->fact_count && w->sim->failure == NULL; i++) {
        const fact *f = &w->facts[i];
        if (f->kind == FACT_CREATE && strcmp(f->entity->name, "organisation") == 0) {
            check_numbers(w, f->id);
        }
    }
}
