/*
 * The service against the policy: for every standing, relation, entity and deed an operation is sent, and
 * it is refused exactly when sl_policy_rule says so. What the policy says was reviewed elsewhere
 * (tests/golden/policy.txt); here it is proven that the server asks it, and asks it the right question.
 */
#include "base/buf.h"
#include "schema/policy.h"
#include "service/inside.h"
#include "support.h"
#include "unit/service/stage.h"

#include <stdio.h>
#include <string.h>

/* Somebody to invite, or a program of the host to share: the fields of such a record; NULL: another entity. */
static char *fields_of_bond(stage *s, const sl_entity *e, person *host)
{
    char text[120];
    char space[SL_SPACE_MAX];
    person guest;
    if (strcmp(e->name, "member") == 0) {
        (void)snprintf(text, sizeof text, "g%u@x.y", (unsigned)++s->next_id);
        person_make(s->w, &guest, text, "coach", s->next_id);
        (void)snprintf(text, sizeof text, "{\"email\":\"%s\"}", guest.email);
        return strdup(text);
    }
    if (strcmp(e->name, "program_share") == 0) {
        sl_space_name(space, "program", stage_fresh(s));
        must(op(s->w, host, "create", "program", space, sl_space_id(space), "{\"title\":\"x\"}"),
             "applied");
        (void)snprintf(text, sizeof text, "{\"program_id\":\"%s\"}", sl_space_id(space));
        return strdup(text);
    }
    return NULL;
}

/* A record of the entity, made by somebody who may, with this author; NULL: only the server could. */
static const char *make_record(stage *s, const sl_entity *e, const char *space, sl_relation r,
                               bool author)
{
    static char id[SL_UUID_LEN + 1];
    person *host = stage_host(s, r, space);
    char text[400];
    if (e->create == 0) {
        return NULL;
    }
    if (e->root) {
        (void)snprintf(id, sizeof id, "%s", sl_space_id(space));
    } else {
        char message[SL_UUID_LEN + 1];
        (void)snprintf(id, sizeof id, "%s", stage_fresh(s));
        (void)snprintf(message, sizeof message, "%s", stage_fresh(s));
        if (strcmp(e->name, "reaction") == 0 || strcmp(e->name, "pin") == 0) {
            (void)make_record(s, sl_entity_find("message"), space, r, false);
            (void)snprintf(message, sizeof message, "%s", id);
            (void)snprintf(id, sizeof id, "%s", stage_fresh(s));
        }
        bool by_hand = strcmp(e->name, "connection") == 0 || strcmp(e->name, "share") == 0 ||
                       strcmp(e->name, "participant") == 0 || strcmp(space, s->peer) == 0;
        if (by_hand) { /* their rules ask for more, or forbid it */
            return NULL;
        }
        char *fields = fields_of_bond(s, e, host);
        fields = fields != NULL ? fields : stage_fields(s, e, true, message);
        must(op(s->w, host, "create", e->name, space, id, fields), "applied");
        free(fields);
    }
    if (e->author_field >= 0) {
        (void)snprintf(text, sizeof text, "UPDATE \"%s\" SET \"%s\"='%s' WHERE \"id\"='%s'",
                       e->name, e->fields[e->author_field].name,
                       author ? s->subject.id : s->friend.id, id);
        stage_sql(s, text);
    }
    return id;
}

/* Refused by the policy, not by what the operation says. */
static bool refused(const sl_json *receipt)
{
    const char *code = sl_json_str(receipt, "code");
    return code != NULL && sl_json_str(receipt, "field") == NULL &&
           (strcmp(code, "SL_E_DENIED") == 0 || strcmp(code, "SL_E_NOT_FOUND") == 0);
}

static void check(stage *s, const sl_policy_ask *ask, const char *space, const sl_json *receipt)
{
    const char *message = sl_json_str(receipt, "message");
    bool no = sl_policy_rule(ask) != SL_RULING_ALLOW;
    s->cells++;
    ck_assert_msg(refused(receipt) == no, "%s %s %s of %s, author %d, in %s: %s (%s)",
                  sl_standings[ask->standing], sl_relations[ask->relation],
                  ask->deed == SL_DEED_CREATE  ? "create"
                  : ask->deed == SL_DEED_PATCH ? "patch"
                                               : "delete",
                  ask->entity->name, ask->author, space, no ? "must be refused" : "must be allowed",
                  message != NULL ? message : "applied");
}

/* Deeds on a record that is there. */
static void try_changes(stage *s, sl_policy_ask ask, const char *space, bool premium_needed)
{
    static const sl_deed deeds[] = {SL_DEED_PATCH, SL_DEED_DELETE};
    const sl_entity *e = ask.entity;
    for (size_t i = 0; i < 4; i++) {
        ask.deed = deeds[i / 2];
        ask.author = i % 2 == 1;
        if ((ask.author && e->author_field < 0) || (e->root && ask.deed == SL_DEED_DELETE)) {
            continue;
        }
        if (premium_needed) {
            stage_premium(s, true);
        }
        char id[SL_UUID_LEN + 1] = "";
        const char *made = make_record(s, e, space, ask.relation, ask.author);
        (void)snprintf(id, sizeof id, "%s", made != NULL ? made : "");
        if (premium_needed) {
            stage_premium(s, false);
        }
        if (made == NULL) {
            continue;
        }
        bool patch = ask.deed == SL_DEED_PATCH;
        char *fields = patch ? stage_fields(s, e, false, NULL) : NULL;
        check(s, &ask, space,
              op(s->w, &s->subject, patch ? "patch" : "delete", e->name, space, id, fields));
        free(fields);
        frames_clear(s->w);
    }
}

static void try_entity(stage *s, sl_standing standing, sl_relation r, const sl_entity *e,
                       const char *space)
{
    sl_policy_ask ask = {standing, r, SL_DEED_CREATE, e, false};
    char message[SL_UUID_LEN + 1];
    (void)snprintf(message, sizeof message, "%s", stage_fresh(s));
    char *fields = stage_fields(s, e, true, message);
    if (e->root && e->create != 0 && r != SL_REL_OWN) {
        /* it is there: the policy speaks first, then the merge */
        check(s, &ask, space,
              op(s->w, &s->subject, "create", e->name, space, sl_space_id(space), fields));
    } else if (!e->root) {
        check(s, &ask, space,
              op(s->w, &s->subject, "create", e->name, space, stage_fresh(s), fields));
    }
    free(fields);
    try_changes(s, ask, space, r == SL_REL_OWN);
    frames_clear(s->w);
}

static void try_read(stage *s, sl_standing standing, sl_relation r, const char *kind,
                     const char *space)
{
    sl_policy_ask ask = {standing, r, SL_DEED_READ, sl_entity_find(kind), false};
    frames_clear(s->w);
    subscribe(s->w, &s->subject, space, 0, "");
    bool revoked = frame_count(s->w, s->subject.conn, "revoked") > 0;
    bool page = frame_count(s->w, s->subject.conn, "page") > 0;
    ck_assert_msg(revoked != page, "%s answered both or neither", space);
    ck_assert_msg(page == (sl_policy_rule(&ask) == SL_RULING_ALLOW), "%s %s reads %s: %d",
                  sl_standings[standing], sl_relations[r], space, page);
    s->cells++;
    frames_clear(s->w);
}

static void try_kind(stage *s, sl_standing standing, sl_relation r, const char *kind)
{
    char space[SL_SPACE_MAX] = "";
    if (!stage_space(s, kind, r, space)) {
        return;
    }
    try_read(s, standing, r, kind, space);
    for (size_t i = 0; i < sl_entity_count; i++) {
        if (strcmp(sl_entities[i].space_kind, kind) == 0) {
            try_entity(s, standing, r, &sl_entities[i], space);
        }
    }
}

static size_t try_standing(sl_standing standing)
{
    static const char *const kinds[] = {"user",    "video", "thread",
                                        "program", "coach", "organisation"};
    size_t cells = 0;
    for (unsigned r = 0; r < SL_RELATIONS; r++) {
        for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
            stage s;
            stage_open(&s, standing);
            try_kind(&s, standing, (sl_relation)r, kinds[k]);
            cells += s.cells;
            world_free(s.w);
        }
    }
    return cells;
}

START_TEST(service__refuses_exactly_what_the_policy_refuses)
{
    size_t cells = 0;
    for (unsigned s = SL_S_ATHLETE_FREE; s < SL_STANDINGS; s++) {
        cells += try_standing((sl_standing)s);
    }
    ck_assert_uint_ge(cells, 1500);
    (void)printf("%zu cells\n", cells);
}
END_TEST

static void plan(world *w, const person *p, const char *set)
{
    char text[300];
    (void)snprintf(text, sizeof text, "UPDATE account SET %s WHERE id='%s'", set, p->id);
    ck_assert_int_eq(w->db.run(w->db.user, text, NULL, 0, NULL, NULL, NULL), SL_OK);
    sl_sv_known_forget(w->s);
}

START_TEST(plan__gives_until_its_last_millisecond)
{
    world *w = world_new();
    person coach;
    char text[80];
    char space[SL_SPACE_MAX];
    char id[SL_UUID_LEN + 1];
    person_make(w, &coach, "coach@x.y", "coach", 1);
    (void)snprintf(text, sizeof text, "plan='trial', plan_until_ms=%lld",
                   (long long)w->now_ms + 1000);
    plan(w, &coach, text);
    person_connect(w, &coach);
    w->now_ms += 999;
    uuid_of(id, 0x300);
    sl_space_name(space, "program", id);
    must(op(w, &coach, "create", "program", space, id, "{\"title\":\"A\"}"), "applied");
    w->now_ms += 1;
    uuid_of(id, 0x301);
    sl_space_name(space, "program", id);
    must_reject(op(w, &coach, "create", "program", space, id, "{\"title\":\"B\"}"), "SL_E_DENIED");
    world_free(w);
}
END_TEST

START_TEST(limit__the_fifty_first_message_of_a_day_is_refused)
{
    world *w = world_new();
    person coach;
    person athlete;
    char thread[SL_SPACE_MAX];
    char id[SL_UUID_LEN + 1];
    person_make(w, &coach, "coach@x.y", "coach", 1);
    person_make(w, &athlete, "athlete@x.y", "athlete", 2);
    befriend(w, &coach, &athlete, thread);
    plan(w, &coach, "plan='expired'");
    person_connect(w, &coach);
    for (uint32_t i = 0; i < 50; i++) {
        uuid_of(id, 0x400 + i);
        must(op(w, &coach, "create", "message", thread, id, "{\"kind\":\"text\",\"body\":\"x\"}"),
             "applied");
        must_reject(op(w, &coach, "create", "message", thread, id, "{\"kind\":\"text\"}"),
                    "SL_E_CONFLICT");
    }
    uuid_of(id, 0x500);
    must_reject(
        op(w, &coach, "create", "message", thread, id, "{\"kind\":\"text\",\"body\":\"x\"}"),
        "SL_E_LIMIT");
    w->now_ms += INT64_C(86400000);
    plan(w, &coach, "role='coach'");
    ck_assert_int_eq(closed_with(w, coach.conn), 0);
    world_free(w);
}
END_TEST

START_TEST(limit__an_eleventh_athlete_is_too_many_for_a_basic_coach_and_those_there_stay)
{
    world *w = world_new();
    person coach;
    person athlete;
    char thread[SL_SPACE_MAX];
    char email[32];
    person_make(w, &coach, "coach@x.y", "coach", 1);
    for (uint32_t i = 0; i < 11; i++) {
        (void)snprintf(email, sizeof email, "a%u@x.y", (unsigned)i);
        person_make(w, &athlete, email, "athlete", 10 + i);
        if (i == 10) {
            plan(w, &coach, "plan='expired'");
            break;
        }
        befriend(w, &athlete, &coach, thread);
    }
    char id[SL_UUID_LEN + 1];
    uuid_of(id, 0x600);
    must(op(w, &athlete, "create", "connection", athlete.own, id, "{\"peer_email\":\"coach@x.y\"}"),
         "applied");
    must_reject(op(w, &coach, "patch", "connection", coach.own, id, "{\"status\":\"accepted\"}"),
                "SL_E_LIMIT");
    plan(w, &coach, "plan='active'");
    must(op(w, &coach, "patch", "connection", coach.own, id, "{\"status\":\"accepted\"}"),
         "applied");
    world_free(w);
}
END_TEST

START_TEST(message__from_athlete_to_athlete_is_refused)
{
    world *w = world_new();
    person a;
    person b;
    char thread[SL_SPACE_MAX];
    char id[SL_UUID_LEN + 1];
    person_make(w, &a, "a@x.y", "athlete", 1);
    person_make(w, &b, "b@x.y", "athlete", 2);
    befriend(w, &a, &b, thread);
    uuid_of(id, 0x700);
    must_reject(op(w, &a, "create", "message", thread, id, "{\"kind\":\"text\",\"body\":\"x\"}"),
                "SL_E_DENIED");
    world_free(w);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        service__refuses_exactly_what_the_policy_refuses,
        plan__gives_until_its_last_millisecond,
        limit__the_fifty_first_message_of_a_day_is_refused,
        limit__an_eleventh_athlete_is_too_many_for_a_basic_coach_and_those_there_stay,
        message__from_athlete_to_athlete_is_refused,
    };
    world_start();
    int status = sl_test_run(sl_test_suite("matrix", tests, sizeof tests / sizeof tests[0]));
    world_end();
    return status;
}
