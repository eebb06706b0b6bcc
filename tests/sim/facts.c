/* Nothing acknowledged is missing, everything had its effect once, what is denied had none. */
#include "base/mem.h"
#include "organisations.h"

#include <stdio.h>
#include <string.h>

enum {
    UNSURE_MAX = 10
};

static bool same_record(const fact *a, const fact *b)
{
    return a->entity == b->entity && strcmp(a->id, b->id) == 0;
}

static bool same_field(const fact *a, const fact *b)
{
    return a->field == b->field && same_record(a, b) && a->kind != FACT_BANNED;
}

static bool maybe_deleted(const world *w, const fact *f)
{
    for (size_t i = 0; i < w->fact_count; i++) {
        if (w->facts[i].kind == FACT_DELETE && same_record(&w->facts[i], f)) {
            return true;
        }
    }
    return false;
}

/* What was deleted may be known no more: a patch of it comes too late. */
static bool maybe_forgotten(const world *w, const fact *f)
{
    return w->sim->fault_counts[SL_FAULT_RETENTION] > 0 && maybe_deleted(w, f);
}

/* What it names may have been deleted, or lost by the server, before the operation came there. */
static bool names_doubtful(const world *w, const fact *f)
{
    for (size_t i = 0; i < w->fact_count && f->names[0] != 0; i++) {
        const fact *o = &w->facts[i];
        if (strcmp(o->id, f->names) == 0 &&
            (o->kind == FACT_DELETE ||
             (o->kind == FACT_CREATE && o->age != w->sim->server.restored))) {
            return true;
        }
    }
    return false;
}

/* Then it, or the record that it is of, may have been refused. */
static bool doubtful(const world *w, const fact *f)
{
    bool yes = names_doubtful(w, f);
    for (size_t i = 0; i < w->fact_count && !yes; i++) {
        const fact *made = &w->facts[i];
        yes = made->kind == FACT_CREATE && same_record(made, f) && names_doubtful(w, made);
    }
    return yes;
}

/* A share that came, a connection that was asked for twice; a space that was shut; an operation that
 * was meant to be refused; what a restored server does not know, or has forgotten. */
bool refusal_expected(world *w, const actor *a, const char *entity, const char *id)
{
    if (strcmp(entity, "connection") == 0 || strcmp(entity, "share") == 0 ||
        w->sim->server.restored > 0 || club_refusal_expected(w, a, entity, id)) {
        return true;
    }
    for (size_t i = 0; i < w->fact_count; i++) {
        const fact *f = &w->facts[i];
        if (strcmp(f->id, id) == 0 && strcmp(f->entity->name, entity) == 0 &&
            (f->kind == FACT_BANNED || doubtful(w, f) || maybe_forgotten(w, f) ||
             world_tied(&w->lost, a->who->index, f->space))) {
            return true;
        }
    }
    return false;
}

/* True when this and nobody else wrote the field: then order is its own. */
static bool one_writer(const world *w, const fact *f)
{
    for (size_t i = 0; i < w->fact_count; i++) {
        if (same_field(&w->facts[i], f) && w->facts[i].actor != f->actor) {
            return false;
        }
    }
    return true;
}

/* What the field counts must be reachable by all that was surely added and some of the rest. */
static void check_counter(world *w, const fact *f, const sl_json *value)
{
    double rest = sl_json_value(value);
    double unsure[UNSURE_MAX];
    size_t n = 0;
    for (size_t i = 0; i < w->fact_count; i++) {
        const fact *o = &w->facts[i];
        if (!same_field(o, f)) {
            continue;
        }
        if (o->sure) {
            rest -= o->number;
        } else if (n < UNSURE_MAX) {
            unsure[n++] = o->number;
        } else {
            return;
        }
    }
    for (unsigned pick = 0; pick < 1U << n; pick++) {
        double sum = rest;
        for (size_t i = 0; i < n; i++) {
            sum -= (pick >> i & 1U) != 0 ? unsure[i] : 0;
        }
        if (sum == 0) {
            return;
        }
    }
    sl_sim_fail(w->sim, "%s %s counts %g: %g more than what was added", f->entity->name, f->id,
                sl_json_value(value), rest);
}

/* An element that was surely added and never removed is in. So it is as one alone has left it, who wrote of
 * it last: in or out. */
static void check_element(world *w, size_t at, const sl_json *value, bool jumped)
{
    const fact *f = &w->facts[at];
    bool removed = false;
    bool last = !jumped;
    bool in = false;
    for (size_t i = 0; i < w->fact_count; i++) {
        const fact *o = &w->facts[i];
        if (same_field(o, f) && o->value == f->value) {
            removed = removed || o->kind == FACT_REMOVE;
            last = last && o->actor == f->actor && i <= at && (o->act != f->act || i == at);
        }
    }
    for (const sl_json *e = sl_json_first(value); e != NULL; e = sl_json_next(e)) {
        in = in || world_hash(e) == f->value;
    }
    if (f->kind == FACT_ADD && (!removed || last) && !in) {
        sl_sim_fail(w->sim, "%s %s lost an element of %s", f->entity->name, f->id, f->field->name);
    } else if (f->kind == FACT_REMOVE && last && in) {
        sl_sim_fail(w->sim, "%s %s has an element of %s that was taken out", f->entity->name, f->id,
                    f->field->name);
    }
}

static void check_max(world *w, const fact *f, const sl_json *value)
{
    if (!sl_json_is_number(value) || sl_json_value(value) < f->number) {
        sl_sim_fail(w->sim, "%s %s has a %s below %g", f->entity->name, f->id, f->field->name,
                    f->number);
    }
}

/* The value at rest was written by this fact or a later one. */
static void check_value(world *w, size_t at, const sl_json *value)
{
    const fact *f = &w->facts[at];
    bool own = one_writer(w, f);
    uint64_t hash = world_hash(value);
    for (size_t i = own ? at : 0; i < w->fact_count; i++) {
        if (same_field(&w->facts[i], f) && w->facts[i].value == hash) {
            return;
        }
    }
    char *text = value != NULL ? sl_json_print(value) : NULL;
    sl_sim_fail(w->sim, "%s %s has %s %s, but another was acknowledged later by %s",
                f->entity->name, f->id, f->field->name, text != NULL ? text : "(none)",
                w->actors[f->actor].name);
    sl_mem_free(text);
}

static void check_field(world *w, size_t at, const sl_json *rec)
{
    const fact *f = &w->facts[at];
    const sl_json *value = sl_json_get(sl_json_get(rec, "fields"), f->field->name);
    /* Stamps are held against the server's clock, when that jumps anything may be later. */
    bool jumped =
        w->sim->fault_counts[SL_FAULT_SERVER_CLOCK] > 0 || w->sim->fault_counts[SL_FAULT_TOKEN] > 0;
    if (f->field->merge == SL_M_COUNTER) {
        check_counter(w, f, value);
    } else if (f->field->merge == SL_M_SET) {
        check_element(w, at, value, jumped);
    } else if (f->field->merge == SL_M_MAX) {
        check_max(w, f, value);
    } else if (!jumped) {
        check_value(w, at, value);
    }
}

static void check_banned(world *w, const fact *f, const sl_json *rec)
{
    unsigned who = w->actors[f->actor].who->index;
    bool drawing = strcmp(f->entity->name, "annotation") == 0;
    bool own = false; /* made by the one who was not allowed to */
    for (size_t i = 0; i < w->fact_count; i++) {
        own = own || (w->facts[i].kind == FACT_BANNED && same_record(&w->facts[i], f) &&
                      w->facts[i].field != NULL && w->facts[i].field->required);
    }
    bool remade = false;
    for (size_t i = 0; i < w->fact_count; i++) {
        remade = remade || (w->facts[i].kind == FACT_CREATE && same_record(&w->facts[i], f));
    }
    /* Let in, or in another role, before it was sent. */
    bool may = world_tied(drawing ? &w->lost : &w->allowed, who, f->space);
    if (remade && f->field != NULL) { /* a record of another, rewritten */
        const sl_json *v = sl_json_get(sl_json_get(rec, "fields"), f->field->name);
        if (v != NULL && world_hash(v) == f->value) {
            sl_sim_fail(w->sim, "%s rewrote %s %s of another", w->actors[f->actor].name,
                        f->entity->name, f->id);
        }
    } else if (!remade && own && rec != NULL && f->field == NULL && !may) {
        sl_sim_fail(w->sim, "%s made %s %s, which the policy denies", w->actors[f->actor].name,
                    f->entity->name, f->id);
    }
}

/* A restored server has lost what came after its backup, and what stood on that: not what was made
 * anew since then in one's own space, nor what its device still had. */
static bool outlives_restore(const world *w, const fact *f)
{
    bool anew = w->sim->server.restored == 0 || f->kept;
    for (size_t i = 0; i < w->fact_count && !anew; i++) {
        const fact *made = &w->facts[i];
        anew = made->kind == FACT_CREATE && same_record(made, f) &&
               made->age == w->sim->server.restored && sl_space_is(f->space, "user");
    }
    return anew;
}

static void check_fact(world *w, size_t at)
{
    const fact *f = &w->facts[at];
    const sl_json *rec = truth_record(w, f->space, f->entity->name, f->id);
    if (f->kind == FACT_BANNED) {
        check_banned(w, f, rec);
        return;
    }
    if (!f->sure || !outlives_restore(w, f) || doubtful(w, f) ||
        world_tied(&w->lost, w->actors[f->actor].who->index, f->space)) {
        return;
    }
    bool deleted = sl_json_bool_or(rec, "deleted", false);
    if (rec == NULL && maybe_forgotten(w, f)) {
        return;
    }
    if (rec == NULL) {
        sl_sim_fail(w->sim, "%s %s of %s was acknowledged and is nowhere", f->entity->name, f->id,
                    w->actors[f->actor].name);
    } else if (deleted && !maybe_deleted(w, f)) {
        sl_sim_fail(w->sim, "%s %s is deleted, but nobody did it", f->entity->name, f->id);
    } else if (!deleted && f->kind == FACT_DELETE) {
        sl_sim_fail(w->sim, "%s %s was deleted and is there", f->entity->name, f->id);
    } else if (!deleted && f->field != NULL) {
        check_field(w, at, rec);
    }
}

void check_facts(world *w)
{
    for (size_t i = 0; i < w->fact_count && w->sim->failure == NULL; i++) {
        check_fact(w, i);
    }
}
