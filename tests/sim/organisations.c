/* What people do with organisations: make them, invite, agree, share programs, lead, leave; and try what they may
 * not. */
#include "organisations.h"

#include "base/mem.h"
#include "sideline/record.h"
#include "sideline/sync.h"

#include <stdio.h>
#include <string.h>

enum {
    WORK_PERCENT = 65,
    MADE_MAX = 2 /* organisations of a world, but for those that two make at once */
};

static bool chance(actor *a, int percent)
{
    return world_chance(a->world, percent);
}

clubs *clubs_new(uint64_t seed)
{
    sl_prng prng;
    sl_prng_seed(&prng, seed ^ UINT64_C(0x0C1B5));
    return sl_prng_below(&prng, 3) == 0 ? sl_mem(sizeof(clubs)) : NULL;
}

void clubs_free(clubs *c)
{
    if (c != NULL) {
        sl_mem_free(c->ever.list);
        sl_mem_free(c->leads.list);
        sl_mem_free(c->tried.list);
        sl_mem_free(c->deals);
        sl_mem_free(c);
    }
}

/* --- asking ------------------------------------------------------------------------------- */

static sl_json *rows_in(actor *a, const char *entity, const char *space)
{
    char query[200];
    (void)snprintf(query, sizeof query,
                   "{\"from\":\"%s\",\"where\":{\"space\":\"%s\"},\"order\":[\"id\"]}", entity,
                   space);
    return actor_query(a, query);
}

static const sl_json *pick_row(actor *a, const sl_json *rows)
{
    size_t n = sl_json_count(rows);
    return n > 0 ? sl_json_at(rows, (size_t)world_dice(a->world, (int64_t)n)) : NULL;
}

static bool says(const sl_json *row, const char *field, const char *value)
{
    const char *text = sl_json_str(row, field);
    return text != NULL && strcmp(text, value) == 0;
}

/* Another coach with an account. NULL: there is none. */
static person *pick_coach(actor *a)
{
    world *w = a->world;
    person *found = NULL;
    int64_t n = 0;
    for (unsigned i = 0; i < w->people_count; i++) {
        person *p = &w->people[i];
        if (p->role == COACH && p != a->who && p->user[0] != 0 && world_dice(w, ++n) == 0) {
            found = p;
        }
    }
    return found;
}

/* --- doing -------------------------------------------------------------------------------- */

/* Notes the deal before it is asked for. fields is taken. */
static void ask(actor *a, deal d, sl_json *fields)
{
    static const char *const kinds[] = {"", "create", "patch", "delete"};
    world *w = a->world;
    deal *grown = sl_mem_resize(w->clubs->deals, w->clubs->deal_count + 1, sizeof *grown);
    if (grown == NULL) {
        sl_json_free(fields);
        sl_sim_fail(w->sim, "out of memory");
        return;
    }
    d.by = a->who->index;
    w->clubs->deals = grown;
    grown[w->clubs->deal_count++] = d;
    (void)actor_apply(a, one_op(make_op(kinds[d.kind], d.entity->name, d.space, d.id, fields)));
}

static deal deal_of(const char *entity, sl_op_kind kind, const char *id, const char *space,
                    const char *of)
{
    deal d = {.entity = sl_entity_find(entity), .kind = kind};
    (void)snprintf(d.id, sizeof d.id, "%s", id != NULL ? id : "");
    (void)snprintf(d.space, sizeof d.space, "%s", space);
    (void)snprintf(d.of, sizeof d.of, "%s", of != NULL ? of : "");
    return d;
}

static void found(actor *a)
{
    world *w = a->world;
    char id[SL_UUID_LEN + 1];
    char space[SL_SPACE_MAX];
    const sl_entity *e = sl_entity_find("organisation");
    world_id(w, id);
    sl_space_name(space, e->space_kind, id);
    world_tie(w, &w->allowed, a->who->index, space);
    world_tie(w, &w->clubs->ever, a->who->index, space);
    world_tie(w, &w->clubs->leads, a->who->index, space);
    sl_json *fields = values_of(a, e, space, true);
    sl_json *kept = sl_json_clone(fields);
    sl_status status = actor_apply(a, one_op(make_op("create", e->name, space, id, fields)));
    note_op(a, FACT_CREATE, e, id, space, kept, status);
    sl_json_free(kept);
}

/* Whether the device knows that this one is in, or is asked. */
static bool is_listed(const sl_json *members, const person *p)
{
    for (const sl_json *m = sl_json_first(members); m != NULL; m = sl_json_next(m)) {
        if (says(m, "user_id", p->user) || says(m, "email", p->email)) {
            return true;
        }
    }
    return false;
}

static void invite(actor *a, const char *space, bool banned)
{
    world *w = a->world;
    char id[SL_UUID_LEN + 1];
    const person *p = pick_coach(a);
    sl_json *members = rows_in(a, "member", space);
    if (p != NULL && (banned || !is_listed(members, p) || chance(a, 8))) {
        sl_json *fields = sl_json_object();
        bool admin = chance(a, 30) && !world_tied(&w->clubs->tried, p->index, space);
        (void)sl_json_set_str(fields, "email", p->email);
        if (admin || chance(a, 30)) {
            (void)sl_json_set_str(fields, "role", admin ? "admin" : "coach");
        }
        world_id(w, id);
        deal d = deal_of("member", SL_OP_CREATE, id, space, p->user);
        d.banned = banned;
        ask(a, d, fields);
    }
    sl_json_free(members);
}

/* An invitation is accepted, or not. Who tried there what only leads may does not become one. */
static void answer(actor *a, const sl_json *mine, const char *space)
{
    world *w = a->world;
    bool admin = says(mine, "role", "admin");
    deal d = deal_of("membership", SL_OP_PATCH, sl_json_str(mine, "id"), space, a->who->user);
    if (chance(a, 10) || (admin && world_tied(&w->clubs->tried, a->who->index, space))) {
        d.kind = SL_OP_DELETE;
        ask(a, d, NULL);
        return;
    }
    sl_json *fields = sl_json_object();
    (void)sl_json_set_str(fields, "state", "active");
    world_tie(w, &w->allowed, a->who->index, space);
    world_tie(w, &w->clubs->ever, a->who->index, space);
    if (admin) {
        world_tie(w, &w->clubs->leads, a->who->index, space);
    }
    ask(a, d, fields);
}

static void leave(actor *a, const sl_json *mine, const char *space)
{
    world_tie(a->world, &a->world->lost, a->who->index, space);
    ask(a, deal_of("membership", SL_OP_DELETE, sl_json_str(mine, "id"), space, a->who->user), NULL);
}

/* Makes a member lead, or one who leads lead no more; or takes a member, or an invitation, out. */
static void rule_member(actor *a, const char *space)
{
    world *w = a->world;
    sl_json *members = rows_in(a, "member", space);
    const sl_json *m = pick_row(a, members);
    const person *p = world_person(w, sl_json_str(m, "user_id"));
    bool leads = says(m, "role", "admin");
    const char *id = sl_json_str(m, "id");
    if (p == NULL) { /* an invitation that is not known to the server, or there is nobody */
        sl_json_free(members);
        return;
    }
    if (chance(a, 45)) {
        world_tie(w, &w->lost, p->index, space);
        ask(a, deal_of("member", SL_OP_DELETE, id, space, p->user), NULL);
    } else if (leads || !world_tied(&w->clubs->tried, p->index, space)) {
        sl_json *fields = sl_json_object();
        (void)sl_json_set_str(fields, "role", leads ? "coach" : "admin");
        world_tie(w, leads ? &w->lost : &w->clubs->leads, p->index, space);
        ask(a, deal_of("member", SL_OP_PATCH, id, space, p->user), fields);
    }
    sl_json_free(members);
}

static void rewrite(actor *a, const char *space, fact_kind kind)
{
    const sl_entity *e = sl_entity_find("organisation");
    sl_json *fields = values_of(a, e, space, false);
    sl_json *kept = sl_json_clone(fields);
    sl_status status =
        actor_apply(a, one_op(make_op("patch", e->name, NULL, sl_space_id(space), fields)));
    note_op(a, kind, e, sl_space_id(space), space, kept, status);
    sl_json_free(kept);
}

static void ask_numbers(actor *a, const char *space)
{
    char json[120];
    int n = snprintf(json, sizeof json, "{\"do\":\"organisation\",\"organisation\":\"%s\"}",
                     sl_space_id(space));
    if (a->numbers == 0) {
        (void)snprintf(a->numbers_of, sizeof a->numbers_of, "%s", space);
        a->world->acts++;
        if (sl_account_do(a->node->core, json, (size_t)n, &a->numbers, NULL) != SL_OK) {
            a->numbers = 0;
        }
    }
}

/* Lets the members read a program of one's own. */
static void lend(actor *a, const char *space)
{
    char id[SL_UUID_LEN + 1];
    sl_json *programs = actor_query(a, "{\"from\":\"program\",\"order\":[\"id\"]}");
    const sl_json *p = pick_row(a, programs);
    const char *program = sl_json_str(p, "id");
    if (program != NULL && says(p, "coach_id", a->who->user)) {
        sl_json *fields = sl_json_object();
        (void)sl_json_set_str(fields, "program_id", program);
        world_id(a->world, id);
        ask(a, deal_of("program_share", SL_OP_CREATE, id, space, program), fields);
    }
    sl_json_free(programs);
}

static void take_back(actor *a, const char *space, bool leads)
{
    sl_json *shares = rows_in(a, "program_share", space);
    const sl_json *s = pick_row(a, shares);
    if (s != NULL && (leads || says(s, "user_id", a->who->user))) {
        ask(a,
            deal_of("program_share", SL_OP_DELETE, sl_json_str(s, "id"), space,
                    sl_json_str(s, "program_id")),
            NULL);
    }
    sl_json_free(shares);
}

/* --- what is denied ----------------------------------------------------------------------- */

/* What only leads may, by one who never led: in the organisation or not. */
static void trespass(actor *a, const char *space)
{
    world *w = a->world;
    if (world_tied(&w->clubs->leads, a->who->index, space)) {
        return;
    }
    world_tie(w, &w->clubs->tried, a->who->index, space);
    sl_json *members = rows_in(a, "member", space);
    const sl_json *m = pick_row(a, members);
    const char *user = sl_json_str(m, "user_id");
    int64_t dice = world_dice(w, 4);
    deal d = deal_of("member", dice == 0 ? SL_OP_DELETE : SL_OP_PATCH, sl_json_str(m, "id"), space,
                     user);
    d.banned = true;
    if (dice == 3) {
        rewrite(a, space, FACT_BANNED);
    } else if (dice == 2 || user == NULL) {
        invite(a, space, true);
    } else {
        sl_json *fields = dice == 1 ? sl_json_object() : NULL;
        if (fields != NULL) {
            (void)sl_json_set_str(fields, "role", says(m, "role", "admin") ? "coach" : "admin");
        }
        ask(a, d, fields);
    }
    sl_json_free(members);
}

/* An organisation that somebody made, by chance. */
static bool some_organisation(world *w, char space[SL_SPACE_MAX])
{
    int64_t n = 0;
    for (size_t i = 0; i < w->fact_count; i++) {
        const fact *f = &w->facts[i];
        if (f->kind == FACT_CREATE && strcmp(f->entity->name, "organisation") == 0 &&
            world_dice(w, ++n) == 0) {
            memcpy(space, f->space, SL_SPACE_MAX);
        }
    }
    return n > 0;
}

static unsigned made(const world *w)
{
    unsigned n = 0;
    for (size_t i = 0; i < w->fact_count; i++) {
        const fact *f = &w->facts[i];
        n += f->kind == FACT_CREATE && strcmp(f->entity->name, "organisation") == 0 ? 1 : 0;
    }
    return n;
}

/* --- all ---------------------------------------------------------------------------------- */

static void lead(actor *a, const sl_json *mine, const char *space)
{
    int64_t dice = world_dice(a->world, 100);
    if (dice < 36) {
        invite(a, space, false);
    } else if (dice < 56) {
        rule_member(a, space);
    } else if (dice < 64) {
        rewrite(a, space, FACT_VALUE);
    } else if (dice < 72) {
        ask_numbers(a, space);
    } else if (dice < 84) {
        lend(a, space);
    } else if (dice < 90) {
        take_back(a, space, true);
    } else if (dice < 97) {
        leave(a, mine, space);
    } else {
        actor_drop_root(a, "organisation", space);
    }
}

static void take_part(actor *a, const sl_json *mine, const char *space)
{
    int64_t dice = world_dice(a->world, 100);
    if (dice < 40) {
        lend(a, space);
    } else if (dice < 52) {
        take_back(a, space, false);
    } else if (dice < 62) {
        ask_numbers(a, space);
    } else if (dice < 72) {
        trespass(a, space);
    } else if (dice < 84) {
        leave(a, mine, space);
    }
}

/* A coach, in an organisation or asked into one. */
static void as_coach(actor *a, const sl_json *mine)
{
    char space[SL_SPACE_MAX];
    const char *id = sl_json_str(mine, "organisation_id");
    sl_space_name(space, "organisation", id != NULL ? id : "");
    if (id == NULL) {
        return;
    }
    if (says(mine, "state", "invited")) {
        answer(a, mine, space);
    } else if (says(mine, "role", "admin")) {
        lead(a, mine, space);
    } else {
        take_part(a, mine, space);
    }
}

/* An invitation, when there is one. */
static const sl_json *pick_membership(actor *a, const sl_json *all)
{
    for (const sl_json *m = sl_json_first(all); m != NULL; m = sl_json_next(m)) {
        if (says(m, "state", "invited") && chance(a, 60)) {
            return m;
        }
    }
    return pick_row(a, all);
}

bool club_work(actor *a)
{
    char space[SL_SPACE_MAX];
    bool coach = a->who->role == COACH;
    if (!chance(a, coach ? WORK_PERCENT : 6) || sl_disk_dead(a->node->host.disk)) {
        return false;
    }
    sl_json *all = coach ? actor_query(a, "{\"from\":\"membership\",\"order\":[\"id\"]}") : NULL;
    const sl_json *mine = pick_membership(a, all);
    bool done = true;
    if (coach && made(a->world) < MADE_MAX && (made(a->world) == 0 || chance(a, 8))) {
        found(a);
    } else if (mine != NULL && !chance(a, 15)) {
        as_coach(a, mine);
    } else if (coach && chance(a, 50)) {
        actor_make_program(a);
    } else if (chance(a, coach ? 10 : 40) && some_organisation(a->world, space)) {
        trespass(a, space);
    } else {
        done = false;
    }
    sl_json_free(all);
    return done;
}

/* --- what may come of it ------------------------------------------------------------------ */

static const person *owner_of(const world *w, const char *program)
{
    for (size_t i = 0; i < w->fact_count; i++) {
        const fact *f = &w->facts[i];
        if (f->kind == FACT_CREATE && f->entity->root && strcmp(f->space, program) == 0) {
            return w->actors[f->actor].who;
        }
    }
    return NULL;
}

static bool was_lent(const clubs *c, const char *space, const char *program)
{
    for (size_t i = 0; i < c->deal_count; i++) {
        const deal *d = &c->deals[i];
        if (d->kind == SL_OP_CREATE && strcmp(d->entity->name, "program_share") == 0 &&
            strcmp(d->space, space) == 0 && strcmp(d->of, sl_space_id(program)) == 0) {
            return true;
        }
    }
    return false;
}

bool club_may_hear(world *w, const person *who, const char *space)
{
    const clubs *c = w->clubs;
    const person *owner = c != NULL && sl_space_is(space, "program") ? owner_of(w, space) : NULL;
    bool may = false;
    for (size_t i = 0; owner != NULL && !may && i < c->ever.count; i++) {
        const char *in = c->ever.list[i].space;
        may = c->ever.list[i].person == owner->index && world_tied(&c->ever, who->index, in) &&
              (world_tied(&c->leads, who->index, in) || was_lent(c, in, space));
    }
    return may;
}

/* Somebody else asked for the same, or it is about who made the organisation. */
static bool contested(const world *w, const deal *d)
{
    for (size_t i = 0; i < w->clubs->deal_count; i++) {
        const deal *o = &w->clubs->deals[i];
        if (o->kind == SL_OP_CREATE && o->entity == d->entity && strcmp(o->space, d->space) == 0 &&
            strcmp(o->of, d->of) == 0 && strcmp(o->id, d->id) != 0) {
            return true;
        }
    }
    const person *maker = owner_of(w, d->space);
    return maker != NULL && strcmp(maker->user, d->of) == 0;
}

static bool program_deleted(const world *w, const deal *d)
{
    for (size_t i = 0; i < w->fact_count; i++) {
        if (w->facts[i].kind == FACT_DELETE && strcmp(w->facts[i].id, d->of) == 0) {
            return true;
        }
    }
    return false;
}

/* That somebody leads less, or goes, is refused where nobody else leads. */
static bool may_be_last(world *w, const deal *d)
{
    const person *p = world_person(w, d->of);
    return d->kind != SL_OP_CREATE && p != NULL && world_tied(&w->clubs->leads, p->index, d->space);
}

bool club_refusal_expected(world *w, const actor *a, const char *entity, const char *id)
{
    const sl_entity *e = sl_entity_find(entity);
    bool forgets = w->sim->fault_counts[SL_FAULT_RETENTION] > 0;
    bool yes = false;
    for (size_t i = 0; w->clubs != NULL && !yes && i < w->clubs->deal_count; i++) {
        const deal *d = &w->clubs->deals[i];
        yes = d->entity == e && strcmp(d->id, id) == 0 &&
              (d->banned || forgets || contested(w, d) || program_deleted(w, d) ||
               may_be_last(w, d) || world_tied(&w->lost, a->who->index, d->space));
    }
    return yes;
}
