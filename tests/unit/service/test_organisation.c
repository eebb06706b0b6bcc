/* Organisations: who is asked and agrees, what a membership gives, and that its end takes it. */
#include "service/inside.h"
#include "support.h"
#include "unit/service/world.h"

#include <stdio.h>
#include <string.h>

#define PASSWORD "{\"password\":\"long enough\"}"

typedef struct scene {
    world *w;
    person ada; /* made the organisation */
    person ben; /* coaches */
    person cid;
    char org[SL_SPACE_MAX];
    char root[SL_UUID_LEN + 1];
    uint32_t next;
} scene;

static const char *fresh(scene *s)
{
    return id_of(0x5000 + s->next++);
}

/* Later than whatever was done. */
static void wait(scene *s)
{
    s->w->now_ms += 1000;
}

static void set(scene *s)
{
    memset(s, 0, sizeof *s);
    s->w = world_new();
    person_make(s->w, &s->ada, "ada@x.y", "coach", 1);
    person_make(s->w, &s->ben, "ben@x.y", "coach", 2);
    person_make(s->w, &s->cid, "cid@x.y", "coach", 3);
    uuid_of(s->root, 0x50);
    sl_space_name(s->org, "organisation", s->root);
    must(op(s->w, &s->ada, "create", "organisation", s->org, s->root, "{\"name\":\"Club\"}"),
         "applied");
}

static const sl_json *invite(scene *s, person *by, const char *email, char id[SL_UUID_LEN + 1])
{
    char fields[120];
    (void)snprintf(fields, sizeof fields, "{\"email\":\"%s\"}", email);
    (void)snprintf(id, SL_UUID_LEN + 1, "%s", fresh(s));
    return op(s->w, by, "create", "member", s->org, id, fields);
}

static const sl_json *accept(scene *s, person *who, const char *id)
{
    wait(s);
    return op(s->w, who, "patch", "membership", who->own, id, "{\"state\":\"active\"}");
}

static const sl_json *leave(scene *s, person *who, const char *id)
{
    return op(s->w, who, "delete", "membership", who->own, id, NULL);
}

/* Asked, and in. */
static void join(scene *s, person *who, char id[SL_UUID_LEN + 1])
{
    must(invite(s, &s->ada, who->email, id), "applied");
    must(accept(s, who, id), "applied");
}

static const sl_json *rank(scene *s, person *by, const char *id, const char *role)
{
    char fields[60];
    wait(s);
    (void)snprintf(fields, sizeof fields, "{\"role\":\"%s\"}", role);
    return op(s->w, by, "patch", "member", s->org, id, fields);
}

static void own_member(const scene *s, const person *p, char id[SL_UUID_LEN + 1])
{
    char text[512];
    ck_assert_uint_eq(
        world_rows(s->w, text,
                   "SELECT \"id\" FROM \"member\" WHERE \"space\"=$1 AND \"user_id\"=$2"
                   " AND \"deleted\"=0",
                   s->org, p->id),
        1);
    (void)snprintf(id, SL_UUID_LEN + 1, "%.36s", text);
}

/* As what the user holds the space: by access, which the grant agrees with. "" not at all. */
static const char *holds(const scene *s, const person *p, const char *space)
{
    static char role[512];
    char granted[512];
    size_t have = world_rows(s->w, role, "SELECT role FROM access WHERE user_id=$1 AND space=$2",
                             p->id, space);
    size_t grants =
        world_rows(s->w, granted,
                   "SELECT \"role\" FROM \"grant\" WHERE \"space\"=$1 AND \"target\"=$2 AND"
                   " \"deleted\"=0",
                   p->own, space);
    ck_assert_uint_eq(have, grants);
    ck_assert_str_eq(role, granted);
    frames_clear(s->w);
    subscribe(s->w, p, space, 0, "");
    ck_assert_uint_eq(frame_count(s->w, p->conn, "page"), have);
    ck_assert_uint_eq(frame_count(s->w, p->conn, "revoked"), have == 0);
    return role;
}

static void program(scene *s, person *who, char space[SL_SPACE_MAX])
{
    const char *id = fresh(s);
    sl_space_name(space, "program", id);
    must(op(s->w, who, "create", "program", space, id, "{\"title\":\"Plan\"}"), "applied");
}

static const sl_json *lend(scene *s, person *who, const char *space, char id[SL_UUID_LEN + 1])
{
    char fields[80];
    (void)snprintf(id, SL_UUID_LEN + 1, "%s", fresh(s));
    (void)snprintf(fields, sizeof fields, "{\"program_id\":\"%s\"}", sl_space_id(space));
    return op(s->w, who, "create", "program_share", s->org, id, fields);
}

static void audited(const scene *s, const person *who, const char *action, size_t count)
{
    ck_assert_uint_eq(
        world_rows(s->w, NULL, "SELECT n FROM audit WHERE actor=$1 AND action=$2", who->id, action),
        count);
}

static const char *message_of(const sl_json *receipt)
{
    return sl_json_str(receipt, "message");
}

START_TEST(organisation__is_made_by_a_coach_who_leads_it)
{
    scene s;
    char id[SL_UUID_LEN + 1];
    char space[SL_SPACE_MAX];
    person ana;
    set(&s);
    person_make(s.w, &ana, "ana@x.y", "athlete", 9);
    ck_assert_str_eq(holds(&s, &s.ada, s.org), "coach");
    own_member(&s, &s.ada, id);
    ck_assert_uint_eq(world_rows(s.w, NULL,
                                 "SELECT 1 FROM \"membership\" WHERE \"id\"=$1 AND \"space\"=$2 AND"
                                 " \"state\"='active' AND \"role\"='admin' AND \"name\"='Club'",
                                 id, s.ada.own),
                      1);
    audited(&s, &s.ada, "organisation_make", 1);
    sl_space_name(space, "organisation", id_of(0x51));
    must_reject(op(s.w, &ana, "create", "organisation", space, space + 13, "{\"name\":\"Us\"}"),
                "SL_E_DENIED");
    must_reject(op(s.w, &s.ben, "create", "organisation", space, space + 13, "{}"), "SL_E_INVALID");
    world_free(s.w);
}
END_TEST

START_TEST(invitation__is_for_coaches_and_for_each_once)
{
    scene s;
    char id[SL_UUID_LEN + 1];
    char said[200];
    person ana;
    set(&s);
    person_make(s.w, &ana, "ana@x.y", "athlete", 9);
    must_reject(op(s.w, &s.ada, "create", "member", s.org, fresh(&s), "{}"), "SL_E_INVALID");
    const sl_json *r = invite(&s, &s.ada, "nobody@x.y", id);
    must_reject(r, "SL_E_NOT_FOUND");
    (void)snprintf(said, sizeof said, "%s", message_of(r));
    r = invite(&s, &s.ada, "ana@x.y", id); /* that she is no coach is not told */
    must_reject(r, "SL_E_NOT_FOUND");
    ck_assert_str_eq(message_of(r), said);
    must_reject(invite(&s, &s.ada, "ada@x.y", id), "SL_E_CONFLICT");
    must(invite(&s, &s.ada, "Ben@X.y", id), "applied");
    must_reject(invite(&s, &s.ada, "ben@x.y", id), "SL_E_CONFLICT");
    char block[80];
    (void)snprintf(block, sizeof block, "{\"user_id\":\"%s\"}", s.ada.id);
    must(op(s.w, &s.cid, "create", "block", s.cid.own, fresh(&s), block), "applied");
    must_reject(invite(&s, &s.ada, "cid@x.y", id), "SL_E_DENIED");
    audited(&s, &s.ada, "organisation_invite", 1);
    world_free(s.w);
}
END_TEST

START_TEST(organisation__has_a_hundred_members_and_not_one_more)
{
    scene s;
    char id[SL_UUID_LEN + 1];
    set(&s);
    for (int i = 0; i < 98; i++) { /* and ada, and one more */
        char text[512];
        (void)snprintf(
            text, sizeof text,
            "INSERT INTO \"member\" (\"space\", \"id\", \"seq\", \"deleted\", \"clocks\","
            " \"user_id\") SELECT $1, '%s', %d, 0, x'', $2",
            id_of(0x7000 + (uint32_t)i), 1000 + i);
        (void)world_rows(s.w, NULL, text, s.org, "x");
        (void)snprintf(
            text, sizeof text,
            "INSERT INTO feed (space, entity, id, seq, listed) SELECT $1, $2, '%s', %d, $2",
            id_of(0x7000 + (uint32_t)i), 1000 + i);
        (void)world_rows(s.w, NULL, text, s.org, "member");
    }
    must(invite(&s, &s.ada, "ben@x.y", id), "applied");
    must_reject(invite(&s, &s.ada, "cid@x.y", id), "SL_E_LIMIT");
    world_free(s.w);
}
END_TEST

START_TEST(invitation__puts_nobody_in_who_has_not_agreed) /* [ORG-1] */
{
    scene s;
    char id[SL_UUID_LEN + 1];
    char text[512];
    set(&s);
    must(invite(&s, &s.ada, "ben@x.y", id), "applied");
    ck_assert_str_eq(holds(&s, &s.ben, s.org), "");
    ck_assert_uint_eq(world_rows(s.w, text,
                                 "SELECT \"by_name\" FROM \"membership\" WHERE \"id\"=$1 AND"
                                 " \"space\"=$2 AND \"state\"='invited'",
                                 id, s.ben.own),
                      1);
    ck_assert_str_eq(text, "Name of ada@x.y");
    ck_assert_uint_eq(
        world_rows(s.w, NULL,
                   "SELECT 1 FROM \"notification\" WHERE \"id\"=$1 AND \"space\"=$2 AND"
                   " \"title\"='Name of ada@x.y' AND \"deleted\"=0",
                   id, s.ben.own),
        1);
    world_rows(s.w, text, "SELECT \"name\" FROM \"member\" WHERE \"id\"=$1 AND $2<>''", id, "x");
    ck_assert_str_eq(text, ""); /* a name when it is accepted */
    must_reject(op(s.w, &s.ada, "patch", "membership", s.ben.own, id, "{\"state\":\"active\"}"),
                "SL_E_DENIED");
    must_reject(op(s.w, &s.ada, "patch", "member", s.org, id, "{\"state\":\"active\"}"),
                "SL_E_DENIED");
    must_reject(op(s.w, &s.ben, "patch", "membership", s.ben.own, id, "{\"role\":\"admin\"}"),
                "SL_E_DENIED");
    must_reject(op(s.w, &s.ben, "patch", "membership", s.ben.own, id, "{\"state\":null}"),
                "SL_E_INVALID");
    must(accept(&s, &s.ben, id), "applied");
    must(accept(&s, &s.ben, id), "merged");
    ck_assert_str_eq(holds(&s, &s.ben, s.org), "member");
    ck_assert_uint_eq(
        world_rows(s.w, text,
                   "SELECT \"name\" FROM \"member\" WHERE \"id\"=$1 AND \"space\"=$2 AND"
                   " \"email\" IS NULL AND \"state\"='active'",
                   id, s.org),
        1);
    ck_assert_str_eq(text, "Name of ben@x.y");
    audited(&s, &s.ben, "organisation_join", 1);
    must_reject(op(s.w, &s.ben, "patch", "membership", s.ben.own, id, "{\"state\":\"invited\"}"),
                "SL_E_INVALID");
    world_free(s.w);
}
END_TEST

START_TEST(invitation__is_declined_taken_back_or_goes_with_who_made_it) /* [ORG-4] */
{
    scene s;
    char id[SL_UUID_LEN + 1];
    char ben[SL_UUID_LEN + 1];
    static const char left[] = "SELECT 1 FROM \"%s\" WHERE \"id\"=$1 AND \"deleted\"=0 AND $2<>''";
    char member[120];
    char membership[120];
    (void)snprintf(member, sizeof member, left, "member");
    (void)snprintf(membership, sizeof membership, left, "membership");
    set(&s);
    join(&s, &s.ben, ben);
    must(invite(&s, &s.ada, "cid@x.y", id), "applied");
    must(leave(&s, &s.cid, id), "applied"); /* declined */
    ck_assert_uint_eq(world_rows(s.w, NULL, member, id, "x"), 0);
    ck_assert_uint_eq(world_rows(s.w, NULL,
                                 "SELECT 1 FROM \"notification\" WHERE \"id\"=$1 AND \"deleted\"=0"
                                 " AND $2<>''",
                                 id, "x"),
                      0);
    must(invite(&s, &s.ada, "cid@x.y", id), "applied");
    must(op(s.w, &s.ada, "delete", "member", s.org, id, NULL), "applied"); /* taken back */
    ck_assert_uint_eq(world_rows(s.w, NULL, membership, id, "x"), 0);
    must(accept(&s, &s.cid, id), "merged");
    ck_assert_str_eq(holds(&s, &s.cid, s.org), "");
    must(rank(&s, &s.ada, ben, "admin"), "applied");
    must(invite(&s, &s.ben, "cid@x.y", id), "applied");
    must(leave(&s, &s.ben, ben), "applied");
    ck_assert_uint_eq(world_rows(s.w, NULL, member, id, "x"), 0);
    ck_assert_uint_eq(world_rows(s.w, NULL, membership, id, "x"), 0);
    world_free(s.w);
}
END_TEST

START_TEST(organisation__is_not_without_an_admin) /* [ORG-2] */
{
    scene s;
    char ada[SL_UUID_LEN + 1];
    char ben[SL_UUID_LEN + 1];
    static const char sentence[] = "you are the only admin: make another member admin, or delete"
                                   " the organisation";
    set(&s);
    own_member(&s, &s.ada, ada);
    join(&s, &s.ben, ben);
    const sl_json *r = leave(&s, &s.ada, ada);
    must_reject(r, "SL_E_CONFLICT");
    ck_assert_str_eq(message_of(r), sentence);
    must_reject(rank(&s, &s.ada, ada, "coach"), "SL_E_CONFLICT");
    must_reject(op(s.w, &s.ada, "delete", "member", s.org, ada, NULL), "SL_E_CONFLICT");
    must_reject(rank(&s, &s.ben, ben, "admin"), "SL_E_DENIED");
    must(rank(&s, &s.ada, ben, "admin"), "applied");
    ck_assert_str_eq(holds(&s, &s.ben, s.org), "coach");
    must(rank(&s, &s.ben, ada, "coach"), "applied"); /* now ben is the last */
    ck_assert_str_eq(holds(&s, &s.ada, s.org), "member");
    must_reject(leave(&s, &s.ben, ben), "SL_E_CONFLICT");
    must_reject(op(s.w, &s.ada, "patch", "organisation", s.org, s.root, "{\"name\":\"X\"}"),
                "SL_E_DENIED");
    must(leave(&s, &s.ada, ada), "applied");
    ck_assert_str_eq(holds(&s, &s.ada, s.org), "");
    audited(&s, &s.ada, "organisation_leave", 1);
    audited(&s, &s.ben, "organisation_role", 1);
    must(op(s.w, &s.ben, "delete", "organisation", s.org, s.root, NULL), "applied");
    ck_assert_str_eq(holds(&s, &s.ben, s.org), "");
    audited(&s, &s.ben, "organisation_close", 1);
    ck_assert_uint_eq(world_rows(s.w, NULL,
                                 "SELECT 1 FROM \"membership\" WHERE \"deleted\"=0 AND $1=$2", "x",
                                 "x"),
                      0);
    world_free(s.w);
}
END_TEST

START_TEST(organisation__another_name_reaches_those_who_are_asked_too)
{
    scene s;
    char ben[SL_UUID_LEN + 1];
    char cid[SL_UUID_LEN + 1];
    set(&s);
    join(&s, &s.ben, ben);
    must(invite(&s, &s.ada, "cid@x.y", cid), "applied");
    wait(&s);
    must(op(s.w, &s.ada, "patch", "organisation", s.org, s.root, "{\"name\":\"Union\"}"),
         "applied");
    ck_assert_uint_eq(world_rows(s.w, NULL,
                                 "SELECT 1 FROM \"membership\" WHERE \"name\"=$1 AND $2<>''",
                                 "Union", "x"),
                      3);
    world_free(s.w);
}
END_TEST

START_TEST(program__is_read_by_admins_and_when_it_is_shared_by_all) /* [LEND-1] */
{
    scene s;
    char ben[SL_UUID_LEN + 1];
    char cid[SL_UUID_LEN + 1];
    char share[SL_UUID_LEN + 1];
    char plan[SL_SPACE_MAX];
    char later[SL_SPACE_MAX];
    char adas[SL_SPACE_MAX];
    set(&s);
    program(&s, &s.ben, plan);
    program(&s, &s.ada, adas);
    ck_assert_str_eq(holds(&s, &s.ada, plan), "");
    join(&s, &s.ben, ben);
    join(&s, &s.cid, cid);
    program(&s, &s.ben, later);
    ck_assert_str_eq(holds(&s, &s.ada, plan), "member");
    ck_assert_str_eq(holds(&s, &s.ada, later), "member");
    ck_assert_str_eq(holds(&s, &s.cid, plan), "");
    ck_assert_str_eq(holds(&s, &s.ben, adas), ""); /* an admin's are read by no member */
    must_reject(op(s.w, &s.ada, "patch", "program", plan, sl_space_id(plan), "{\"title\":\"x\"}"),
                "SL_E_DENIED");
    must_reject(lend(&s, &s.cid, plan, share), "SL_E_NOT_FOUND"); /* not his */
    must(lend(&s, &s.ben, plan, share), "applied");
    char again[SL_UUID_LEN + 1];
    must_reject(lend(&s, &s.ben, plan, again), "SL_E_CONFLICT");
    ck_assert_str_eq(holds(&s, &s.cid, plan), "member");
    ck_assert_str_eq(holds(&s, &s.cid, later), "");
    must(rank(&s, &s.ada, cid, "admin"), "applied");
    ck_assert_str_eq(holds(&s, &s.cid, later), "member");
    must(rank(&s, &s.ada, cid, "coach"), "applied");
    ck_assert_str_eq(holds(&s, &s.cid, later), "");
    ck_assert_str_eq(holds(&s, &s.cid, plan), "member");
    must_reject(op(s.w, &s.cid, "delete", "program_share", s.org, share, NULL), "SL_E_DENIED");
    must(op(s.w, &s.ben, "delete", "program_share", s.org, share, NULL), "applied");
    ck_assert_str_eq(holds(&s, &s.cid, plan), "");
    ck_assert_str_eq(holds(&s, &s.ada, plan), "member");
    must(lend(&s, &s.ben, plan, share), "applied");
    must(op(s.w, &s.ben, "delete", "program", plan, sl_space_id(plan), NULL), "applied");
    ck_assert_str_eq(holds(&s, &s.cid, plan), "");
    ck_assert_str_eq(holds(&s, &s.ada, plan), "");
    must(leave(&s, &s.cid, cid), "applied"); /* nothing of it comes back */
    join(&s, &s.cid, cid);
    ck_assert_str_eq(holds(&s, &s.cid, plan), "");
    world_free(s.w);
}
END_TEST

START_TEST(membership__that_ends_takes_what_it_gave_and_nothing_else)
{
    scene s;
    char ben[SL_UUID_LEN + 1];
    char cid[SL_UUID_LEN + 1];
    char share[SL_UUID_LEN + 1];
    char bens[SL_SPACE_MAX];
    char cids[SL_SPACE_MAX];
    char bought[SL_SPACE_MAX];
    set(&s);
    join(&s, &s.ben, ben);
    join(&s, &s.cid, cid);
    program(&s, &s.ben, bens);
    program(&s, &s.cid, cids);
    (void)snprintf(bought, sizeof bought, "%s", cids);
    must(lend(&s, &s.ben, bens, share), "applied");
    must(op(s.w, &s.ada, "delete", "member", s.org, ben, NULL), "applied");
    audited(&s, &s.ada, "organisation_remove", 1);
    ck_assert_str_eq(holds(&s, &s.ben, s.org), "");
    ck_assert_str_eq(holds(&s, &s.ada, bens), "");
    ck_assert_str_eq(holds(&s, &s.cid, bens), "");
    ck_assert_str_eq(holds(&s, &s.ben, bens), "owner");
    ck_assert_str_eq(holds(&s, &s.ada, cids), "member");
    /* What ben holds by another way is not the organisation's to give or take. */
    must(lend(&s, &s.cid, cids, share), "applied");
    sl_sv_tx tx = {.s = s.w->s, .now_ms = s.w->now_ms};
    ck_assert_int_eq(sl_sv_grant(&tx, s.ben.id, bought, "member", NULL), SL_OK);
    ck_assert_int_eq(sl_sv_flush(&tx, NULL), SL_OK);
    sl_sv_heads_write(s.w->s, NULL);
    sl_sv_heads_forget(s.w->s);
    sl_sv_tx_clear(&tx);
    join(&s, &s.ben, ben);
    ck_assert_str_eq(holds(&s, &s.ben, bought), "member");
    must(leave(&s, &s.ben, ben), "applied");
    ck_assert_str_eq(holds(&s, &s.ben, bought), "member");
    world_free(s.w);
}
END_TEST

START_TEST(organisation__two_that_give_the_same_take_it_when_both_have_ended)
{
    scene s;
    char first[SL_UUID_LEN + 1];
    char second[SL_UUID_LEN + 1];
    char plan[SL_SPACE_MAX];
    char org[SL_SPACE_MAX];
    set(&s);
    (void)snprintf(org, sizeof org, "%s", s.org);
    program(&s, &s.ben, plan);
    join(&s, &s.ben, first);
    sl_space_name(s.org, "organisation", id_of(0x77));
    must(op(s.w, &s.ada, "create", "organisation", s.org, sl_space_id(s.org), "{\"name\":\"B\"}"),
         "applied");
    join(&s, &s.ben, second);
    must(leave(&s, &s.ben, first), "applied");
    ck_assert_str_eq(holds(&s, &s.ada, plan), "member");
    must(op(s.w, &s.ada, "delete", "organisation", s.org, sl_space_id(s.org), NULL), "applied");
    ck_assert_str_eq(holds(&s, &s.ada, plan), "");
    ck_assert_str_eq(holds(&s, &s.ada, org), "coach");
    world_free(s.w);
}
END_TEST

/* ---- accounts that end ---- */

static int32_t do_post(scene *s, const person *p, const char *path, const char *json)
{
    answer a = signed_request(s->w, p, "POST", path, "content-type: application/json\n", json,
                              strlen(json));
    int32_t status = a.status;
    answer_free(&a);
    return status;
}

START_TEST(account__that_is_erased_leaves_its_organisations) /* [ORG-2] */
{
    scene s;
    char ben[SL_UUID_LEN + 1];
    char cid[SL_UUID_LEN + 1];
    char share[SL_UUID_LEN + 1];
    char plan[SL_SPACE_MAX];
    set(&s);
    join(&s, &s.ben, ben);
    must(invite(&s, &s.ada, "cid@x.y", cid), "applied");
    program(&s, &s.ada, plan);
    must(lend(&s, &s.ada, plan, share), "applied");
    answer a = signed_request(s.w, &s.ada, "GET", "/api/v1/account/export", "", NULL, 0);
    const sl_json *records = sl_json_get(a.body, "records");
    size_t own = 0;
    for (const sl_json *r = sl_json_first(records); r != NULL; r = sl_json_next(r)) {
        const char *entity = sl_json_str(r, "entity");
        own += strcmp(entity, "membership") == 0 || strcmp(entity, "program_share") == 0;
    }
    ck_assert_uint_eq(own, 2);
    answer_free(&a);
    ck_assert_str_eq(holds(&s, &s.ben, plan), "member");
    ck_assert_int_eq(do_post(&s, &s.ada, "/api/v1/account/erase", PASSWORD), 204);
    ck_assert_str_eq(holds(&s, &s.ben, plan), "");
    ck_assert_str_eq(holds(&s, &s.ben, s.org), "coach"); /* who was there first leads now */
    ck_assert_uint_eq(
        world_rows(s.w, NULL,
                   "SELECT 1 FROM \"membership\" WHERE \"deleted\"=0 AND (\"id\"=$1 OR"
                   " \"by_name\" IS NOT NULL) AND $2<>''",
                   cid, "x"),
        0); /* the invitation, and the name in it */
    ck_assert_uint_eq(
        world_rows(s.w, NULL,
                   "SELECT 1 FROM \"member\" WHERE \"user_id\"=$1 AND \"deleted\"=0 AND"
                   " $2<>''",
                   s.ada.id, "x"),
        0);
    ck_assert_int_eq(do_post(&s, &s.ben, "/api/v1/account/erase", PASSWORD), 204);
    ck_assert_uint_eq(world_rows(s.w, NULL,
                                 "SELECT 1 FROM \"organisation\" WHERE \"deleted\"=0 AND $1=$2",
                                 "x", "x"),
                      0); /* nobody is left */
    ck_assert_uint_eq(world_rows(s.w, NULL, "SELECT 1 FROM lent WHERE $1=$2", "x", "x"), 0);
    world_free(s.w);
}
END_TEST

START_TEST(account__that_is_a_coach_no_more_leaves_its_organisations)
{
    scene s;
    char ben[SL_UUID_LEN + 1];
    char path[120];
    char plan[SL_SPACE_MAX];
    person root;
    set(&s);
    person_make(s.w, &root, "root@x.y", "coach", 8);
    ck_assert_int_eq(sl_service_make_admin(s.w->s, "root@x.y", NULL), SL_OK);
    join(&s, &s.ben, ben);
    program(&s, &s.ben, plan);
    ck_assert_str_eq(holds(&s, &s.ada, plan), "member");
    (void)snprintf(path, sizeof path, "/api/v1/admin/accounts/%s", s.ben.id);
    answer a = signed_request(s.w, &root, "PATCH", path, "content-type: application/json\n",
                              "{\"role\":\"athlete\"}", 18);
    ck_assert_int_eq(a.status, 204);
    answer_free(&a);
    person_connect(s.w, &s.ben);
    ck_assert_str_eq(holds(&s, &s.ben, s.org), "");
    ck_assert_str_eq(holds(&s, &s.ada, plan), "");
    audited(&s, &s.ben, "organisation_leave", 1);
    world_free(s.w);
}
END_TEST

/* ---- numbers ---- */

static void says(scene *s, person *p, const char *thread, const char *fields,
                 char id[SL_UUID_LEN + 1])
{
    uint8_t random[10] = {0};
    random[9] = (uint8_t)++s->next;
    sl_uuid7(id, s->w->now_ms, random);
    must(op(s->w, p, "create", "message", thread, id, fields), "applied");
}

static int64_t number(scene *s, const person *who, const person *of, const char *name)
{
    char path[120];
    int64_t v = -1;
    (void)snprintf(path, sizeof path, "/api/v1/organisations/%s", s->root);
    answer a = signed_request(s->w, who, "GET", path, "", NULL, 0);
    ck_assert_int_eq(a.status, 200);
    ck_assert_int_eq(sl_json_int_or(a.body, "days", 0), 30);
    const sl_json *list = sl_json_get(a.body, "members");
    for (const sl_json *m = sl_json_first(list); m != NULL; m = sl_json_next(m)) {
        if (strcmp(sl_json_str(m, "user"), of->id) == 0) {
            v = sl_json_int_or(m, name, -2);
        }
    }
    answer_free(&a);
    return v;
}

START_TEST(numbers__are_of_thirty_days_and_of_members_for_admins)
{
    scene s;
    char ben[SL_UUID_LEN + 1];
    char cid[SL_UUID_LEN + 1];
    char thread[SL_SPACE_MAX];
    char video[SL_SPACE_MAX];
    char path[120];
    char review[200];
    char id[SL_UUID_LEN + 1];
    char first[SL_UUID_LEN + 1];
    person ana;
    set(&s);
    person_make(s.w, &ana, "ana@x.y", "athlete", 9);
    befriend(s.w, &s.ben, &ana, thread);
    video_make(s.w, &s.ben, video, 0x900, "clip");
    join(&s, &s.ben, ben);
    must(invite(&s, &s.ada, "cid@x.y", cid), "applied");
    int64_t begun = s.w->now_ms;
    says(&s, &s.ben, thread, "{\"kind\":\"text\",\"body\":\"a\"}", first);
    s.w->now_ms += 1000;
    says(&s, &ana, thread, "{\"kind\":\"text\",\"body\":\"b\"}", id);
    (void)snprintf(review, sizeof review,
                   "{\"kind\":\"review\",\"ref_space\":\"%s\",\"ref_id\":\"%s\"}", video,
                   id_of(0x901));
    says(&s, &s.ben, thread, review, id);
    /* One that is changed stands at the thread's end, and was sent when it was sent. */
    must(op(s.w, &s.ben, "patch", "message", thread, first, "{\"body\":\"c\"}"), "applied");
    ck_assert_int_eq(number(&s, &s.ada, &s.ben, "messages"), 2);
    ck_assert_int_eq(number(&s, &s.ada, &s.ben, "reviews"), 1);
    ck_assert_int_eq(number(&s, &s.ada, &s.ben, "conversations"), 1);
    ck_assert_int_eq(number(&s, &s.ada, &s.ben, "athletes"), 1);
    ck_assert_int_eq(number(&s, &s.ada, &s.ada, "messages"), 0);
    ck_assert_int_eq(number(&s, &s.ada, &s.cid, "messages"), -1); /* he has not agreed */
    ck_assert_int_eq(number(&s, &s.ada, &ana, "messages"), -1);
    (void)snprintf(path, sizeof path, "/api/v1/organisations/%s", s.root);
    answer a = signed_request(s.w, &s.ben, "GET", path, "", NULL, 0);
    ck_assert_int_eq(a.status, 403); /* he sees it, but leads it not */
    answer_free(&a);
    s.w->now_ms = begun + INT64_C(30) * 86400 * 1000;
    char login[200];
    (void)snprintf(login, sizeof login,
                   "{\"email\":\"ada@x.y\",\"password\":\"long enough\",\"device\":\"%s\"}",
                   s.ada.device);
    a = post(s.w, "/api/v1/auth/login", login);
    (void)snprintf(s.ada.access, sizeof s.ada.access, "%s", sl_json_str(a.body, "access_token"));
    answer_free(&a);
    ck_assert_int_eq(number(&s, &s.ada, &s.ben, "messages"), 2);
    s.w->now_ms++; /* the first one is a millisecond too old */
    ck_assert_int_eq(number(&s, &s.ada, &s.ben, "messages"), 1);
    world_free(s.w);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        organisation__is_made_by_a_coach_who_leads_it,
        invitation__is_for_coaches_and_for_each_once,
        organisation__has_a_hundred_members_and_not_one_more,
        invitation__puts_nobody_in_who_has_not_agreed,
        invitation__is_declined_taken_back_or_goes_with_who_made_it,
        organisation__is_not_without_an_admin,
        organisation__another_name_reaches_those_who_are_asked_too,
        program__is_read_by_admins_and_when_it_is_shared_by_all,
        membership__that_ends_takes_what_it_gave_and_nothing_else,
        organisation__two_that_give_the_same_take_it_when_both_have_ended,
        account__that_is_erased_leaves_its_organisations,
        account__that_is_a_coach_no_more_leaves_its_organisations,
        numbers__are_of_thirty_days_and_of_members_for_admins,
    };
    world_start();
    int status = sl_test_run(sl_test_suite("organisation", tests, sizeof tests / sizeof tests[0]));
    world_end();
    return status;
}
