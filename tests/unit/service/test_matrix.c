/*
 * The service against the policy: for every standing, relation, entity and deed an operation is sent, and
 * it is refused exactly when sl_policy_rule says so. What the policy says was reviewed elsewhere
 * (tests/golden/policy.txt); here it is proven that the server asks it, and asks it the right question.
 */
#include "base/buf.h"
#include "schema/policy.h"
#include "service/inside.h"
#include "support.h"
#include "unit/service/world.h"

#include <stdio.h>
#include <string.h>

typedef struct stage {
    world *w;
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

static const struct {
    const char *role;
    const char *plan;
} STANDINGS[SL_STANDINGS] = {{NULL, NULL},         {"athlete", "expired"}, {"athlete", "active"},
                             {"coach", "expired"}, {"coach", "trial"},     {"coach", "active"},
                             {"admin", NULL}};

static void sql(stage *s, const char *text)
{
    sl_error *err = NULL;
    sl_status status = s->w->db.run(s->w->db.user, text, NULL, 0, NULL, NULL, &err);
    ck_assert_msg(status == SL_OK, "%s: %s", text, sl_error_message(err));
    sl_sv_known_forget(s->w->s); /* behind its back */
}

static const char *fresh(stage *s)
{
    static char text[4][SL_UUID_LEN + 1];
    static size_t turn;
    char *out = text[turn++ % 4];
    uuid_of(out, ++s->next_id);
    return out;
}

static void let_in(stage *s, const char *space, const char *role)
{
    char text[300];
    (void)snprintf(text, sizeof text,
                   "INSERT INTO access (user_id, space, role) VALUES ('%s', '%s', '%s')",
                   s->subject.id, space, role);
    sql(s, text);
}

static void set(stage *s, sl_standing standing)
{
    char text[300];
    memset(s, 0, sizeof *s);
    s->next_id = 0x10000;
    s->w = world_new();
    person_make(s->w, &s->subject, "subject@x.y", "athlete", 1);
    person_make(s->w, &s->coach, "coach@x.y", "coach", 2);
    person_make(s->w, &s->athlete, "athlete@x.y", "athlete", 3);
    person_make(s->w, &s->friend, "friend@x.y", "athlete", 4);
    befriend(s->w, &s->athlete, &s->coach, s->direct);
    befriend(s->w, &s->athlete, &s->friend, s->peer);
    sl_space_name(s->group, "thread", fresh(s));
    must(op(s->w, &s->coach, "create", "thread", s->group, sl_space_id(s->group),
            "{\"title\":\"x\",\"group\":true}"),
         "applied");
    (void)snprintf(text, sizeof text, "UPDATE account SET role='%s', plan=%s%s%s WHERE id='%s'",
                   STANDINGS[standing].role, STANDINGS[standing].plan != NULL ? "'" : "",
                   STANDINGS[standing].plan != NULL ? STANDINGS[standing].plan : "NULL",
                   STANDINGS[standing].plan != NULL ? "'" : "", s->subject.id);
    sql(s, text);
    person_connect(s->w, &s->subject);
}

/* The smallest value that the field takes. */
static void put_value(sl_buf *b, stage *s, const sl_field *f, const char *message)
{
    switch (f->type) {
    case SL_T_TEXT:
        sl_buf_str(b, "\"");
        for (int64_t i = 0; i < (f->min > 0 ? f->min : 1); i++) {
            sl_buf_str(b, "x");
        }
        sl_buf_str(b, "\"");
        break;
    case SL_T_INT: sl_buf_fmt(b, "%lld", (long long)(f->min > 0 ? f->min : 1)); break;
    case SL_T_REAL: sl_buf_str(b, "1.5"); break;
    case SL_T_BOOL: sl_buf_str(b, "true"); break;
    case SL_T_JSON: sl_buf_str(b, f->merge == SL_M_SET ? "{\"add\":[\"x\"]}" : "{}"); break;
    case SL_T_REF: sl_buf_fmt(b, "\"%s\"", f->to != NULL ? message : fresh(s)); break;
    case SL_T_BLOB:
        sl_buf_str(b, "\"");
        for (int i = 0; i < 64; i++) {
            sl_buf_str(b, "a");
        }
        sl_buf_str(b, "\"");
        break;
    case SL_T_ENUM: sl_buf_fmt(b, "\"%s\"", f->values[0]); break;
    }
}

/* create: what is required; else one field that may change. */
static char *fields_of(stage *s, const sl_entity *e, bool create, const char *message)
{
    sl_buf b = {0};
    bool any = false;
    sl_buf_str(&b, "{");
    for (size_t i = 0; i < e->field_count; i++) {
        const sl_field *f = &e->fields[i];
        bool body = strcmp(e->name, "message") == 0 && strcmp(f->name, "body") == 0;
        bool take =
            create ? f->required || body
                   : !any && f->merge != SL_M_SERVER && f->merge != SL_M_IMMUTABLE && f->to == NULL;
        if (take) {
            sl_buf_fmt(&b, "%s\"%s\":", any ? "," : "", f->name);
            if (strcmp(f->name, "peer_email") == 0) {
                sl_buf_str(&b, "\"nobody@x.y\"");
            } else {
                put_value(&b, s, f, message);
            }
            any = true;
        }
    }
    sl_buf_str(&b, "}");
    char *text = strdup(sl_buf_text(&b));
    sl_buf_free(&b);
    return text;
}

/* Refused by the policy, not by what the operation says. */
static bool refused(const sl_json *receipt)
{
    const char *code = sl_json_str(receipt, "code");
    return code != NULL && sl_json_str(receipt, "field") == NULL &&
           (strcmp(code, "SL_E_DENIED") == 0 || strcmp(code, "SL_E_NOT_FOUND") == 0);
}

/* The space of this kind to which the subject has the relation; false: there is none such. */
static bool space_for(stage *s, const char *kind, sl_relation r, sl_standing standing, char *space)
{
    bool is_coach = standing >= SL_S_COACH_BASIC;
    bool thread = strcmp(kind, "thread") == 0;
    bool user = strcmp(kind, "user") == 0;
    bool shop = strcmp(kind, "coach") == 0;
    const person *owner = r == SL_REL_OWN ? &s->subject : &s->coach;
    if (thread) {
        (void)snprintf(space, SL_SPACE_MAX, "%s",
                       r == SL_REL_PEER   ? s->peer
                       : r == SL_REL_LEAD ? s->group
                                          : s->direct);
        return r == SL_REL_DIRECT || r == SL_REL_STRANGER || r == SL_REL_LEAD ||
               (r == SL_REL_PEER && !is_coach);
    }
    if (user || shop) {
        sl_space_name(space, kind, owner->id);
        return r == SL_REL_OWN || (user && r == SL_REL_STRANGER) || (shop && r == SL_REL_PUBLIC);
    }
    if (strcmp(kind, "organisation") == 0) {
        return r == SL_REL_LEAD || r == SL_REL_GIVEN || r == SL_REL_STRANGER;
    }
    return r == SL_REL_OWN || r == SL_REL_STUDENT || r == SL_REL_GIVEN || r == SL_REL_STRANGER;
}

/* Who may make whatever can be made in the space: its owner, or the coach. */
static person *host_of(stage *s, sl_relation r, const char *space)
{
    return r == SL_REL_OWN ? &s->subject : strcmp(space, s->peer) == 0 ? &s->athlete : &s->coach;
}

/* Says that the subject, for the moment, may do all: what the stage needs is made by itself. */
static void as_premium(stage *s, sl_standing standing, bool on)
{
    char text[300];
    const char *plan = STANDINGS[standing].plan;
    (void)snprintf(text, sizeof text, "UPDATE account SET role='%s', plan=%s%s%s WHERE id='%s'",
                   on ? "coach" : STANDINGS[standing].role, !on && plan != NULL ? "'" : "",
                   !on && plan != NULL ? plan : "NULL", !on && plan != NULL ? "'" : "",
                   s->subject.id);
    sql(s, text);
    person_connect(s->w, &s->subject);
}

/* A root with its space; threads and user spaces are there. */
static void make_space(stage *s, const char *kind, sl_relation r, char *space)
{
    const sl_entity *root = sl_entity_find(kind);
    person *host = host_of(s, r, space);
    if (strcmp(kind, "thread") == 0 || strcmp(kind, "user") == 0) {
        return;
    }
    if (strcmp(kind, "coach") != 0) {
        sl_space_name(space, kind, fresh(s));
    }
    char *fields = fields_of(s, root, true, NULL);
    must(op(s->w, host, "create", kind, space, sl_space_id(space), fields), "applied");
    free(fields);
    if (r == SL_REL_STUDENT || r == SL_REL_GIVEN || r == SL_REL_LEAD) {
        let_in(s, space, r == SL_REL_GIVEN ? "member" : "coach");
    }
}

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
        sl_space_name(space, "program", fresh(s));
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
    person *host = host_of(s, r, space);
    char text[400];
    if (e->create == 0) {
        return NULL;
    }
    if (e->root) {
        (void)snprintf(id, sizeof id, "%s", sl_space_id(space));
    } else {
        char message[SL_UUID_LEN + 1];
        (void)snprintf(id, sizeof id, "%s", fresh(s));
        (void)snprintf(message, sizeof message, "%s", fresh(s));
        if (strcmp(e->name, "reaction") == 0 || strcmp(e->name, "pin") == 0) {
            (void)make_record(s, sl_entity_find("message"), space, r, false);
            (void)snprintf(message, sizeof message, "%s", id);
            (void)snprintf(id, sizeof id, "%s", fresh(s));
        }
        bool by_hand = strcmp(e->name, "connection") == 0 || strcmp(e->name, "share") == 0 ||
                       strcmp(e->name, "participant") == 0 || strcmp(space, s->peer) == 0;
        if (by_hand) { /* their rules ask for more, or forbid it */
            return NULL;
        }
        char *fields = fields_of_bond(s, e, host);
        fields = fields != NULL ? fields : fields_of(s, e, true, message);
        must(op(s->w, host, "create", e->name, space, id, fields), "applied");
        free(fields);
    }
    if (e->author_field >= 0) {
        (void)snprintf(text, sizeof text, "UPDATE \"%s\" SET \"%s\"='%s' WHERE \"id\"='%s'",
                       e->name, e->fields[e->author_field].name,
                       author ? s->subject.id : s->friend.id, id);
        sql(s, text);
    }
    return id;
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
            as_premium(s, ask.standing, true);
        }
        char id[SL_UUID_LEN + 1] = "";
        const char *made = make_record(s, e, space, ask.relation, ask.author);
        (void)snprintf(id, sizeof id, "%s", made != NULL ? made : "");
        if (premium_needed) {
            as_premium(s, ask.standing, false);
        }
        if (made == NULL) {
            continue;
        }
        bool patch = ask.deed == SL_DEED_PATCH;
        char *fields = patch ? fields_of(s, e, false, NULL) : NULL;
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
    (void)snprintf(message, sizeof message, "%s", fresh(s));
    char *fields = fields_of(s, e, true, message);
    if (e->root && e->create != 0 && r != SL_REL_OWN) {
        /* it is there: the policy speaks first, then the merge */
        check(s, &ask, space,
              op(s->w, &s->subject, "create", e->name, space, sl_space_id(space), fields));
    } else if (!e->root) {
        check(s, &ask, space, op(s->w, &s->subject, "create", e->name, space, fresh(s), fields));
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
    if (!space_for(s, kind, r, standing, space)) {
        return;
    }
    if (r == SL_REL_OWN) {
        as_premium(s, standing, true);
    }
    make_space(s, kind, r, space);
    if (r == SL_REL_OWN) {
        as_premium(s, standing, false);
    }
    if (strcmp(kind, "thread") == 0 && r != SL_REL_STRANGER) {
        let_in(s, space, r == SL_REL_LEAD ? "coach" : "member");
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
            set(&s, standing);
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
