/*
 * Two organisations on one server. Whoever is not in the first, be it the admin of the other, somebody who was
 * invited and has not agreed, an athlete, or who runs the service, learns no more of it than of one that there is
 * not: each question is asked about both, the answers are the same, and nothing has changed.
 */
#include "base/mem.h"
#include "service/inside.h"
#include "support.h"
#include "unit/service/world.h"

#include <stdio.h>
#include <string.h>

enum {
    OUTSIDE = 6
};

/* An organisation as others might name it: what is there, or ids of nothing. */
typedef struct target {
    char org[SL_SPACE_MAX];
    char member[SL_UUID_LEN + 1];
    char share[SL_UUID_LEN + 1];
    char user[SL_SPACE_MAX];    /* of a member */
    char program[SL_SPACE_MAX]; /* of the same */
} target;

typedef struct scene {
    world *w;
    person ada; /* leads the first, ben is in it */
    person ben;
    person outside[OUTSIDE];
    target there;
    target nowhere;
    char other[SL_SPACE_MAX]; /* the second organisation */
    size_t asked;
} scene;

static const struct {
    const char *email;
    const char *role;
} OUTSIDERS[OUTSIDE] = {{"eve@x.y", "coach"}, {"fay@x.y", "coach"},   {"zoe@x.y", "coach"},
                        {"inv@x.y", "coach"}, {"ana@x.y", "athlete"}, {"root@x.y", "coach"}};

static const char *fresh(void)
{
    static uint32_t n = 0x9000;
    return id_of(++n);
}

/* Who is asked by this coach into the space; agrees, with `in`. */
static void invite(scene *s, person *by, person *who, const char *space, bool in,
                   char id[SL_UUID_LEN + 1])
{
    char fields[80];
    (void)snprintf(id, SL_UUID_LEN + 1, "%s", fresh());
    (void)snprintf(fields, sizeof fields, "{\"email\":\"%s\"}", who->email);
    must(op(s->w, by, "create", "member", space, id, fields), "applied");
    s->w->now_ms += 1000;
    if (in) {
        must(op(s->w, who, "patch", "membership", who->own, id, "{\"state\":\"active\"}"),
             "applied");
    }
}

static void found(scene *s, person *by, char space[SL_SPACE_MAX])
{
    sl_space_name(space, "organisation", fresh());
    must(op(s->w, by, "create", "organisation", space, sl_space_id(space), "{\"name\":\"Club\"}"),
         "applied");
}

static void set(scene *s)
{
    char id[SL_UUID_LEN + 1];
    char fields[80];
    memset(s, 0, sizeof *s);
    s->w = world_new();
    person_make(s->w, &s->ada, "ada@x.y", "coach", 1);
    person_make(s->w, &s->ben, "ben@x.y", "coach", 2);
    for (uint32_t i = 0; i < OUTSIDE; i++) {
        person_make(s->w, &s->outside[i], OUTSIDERS[i].email, OUTSIDERS[i].role, 10 + i);
    }
    ck_assert_int_eq(sl_service_make_admin(s->w->s, "root@x.y", NULL), SL_OK);
    person_connect(s->w, &s->outside[5]);
    found(s, &s->ada, s->there.org);
    found(s, &s->outside[0], s->other);
    invite(s, &s->outside[0], &s->outside[1], s->other, true, id);
    invite(s, &s->ada, &s->outside[3], s->there.org, false, id);
    invite(s, &s->ada, &s->ben, s->there.org, true, s->there.member);
    sl_space_name(s->there.program, "program", fresh());
    must(op(s->w, &s->ben, "create", "program", s->there.program, sl_space_id(s->there.program),
            "{\"title\":\"Plan\"}"),
         "applied");
    (void)snprintf(s->there.share, sizeof s->there.share, "%s", fresh());
    (void)snprintf(fields, sizeof fields, "{\"program_id\":\"%s\"}", sl_space_id(s->there.program));
    must(op(s->w, &s->ben, "create", "program_share", s->there.org, s->there.share, fields),
         "applied");
    (void)snprintf(s->there.user, sizeof s->there.user, "%s", s->ben.own);
    sl_space_name(s->nowhere.org, "organisation", fresh());
    sl_space_name(s->nowhere.user, "user", fresh());
    sl_space_name(s->nowhere.program, "program", fresh());
    (void)snprintf(s->nowhere.member, sizeof s->nowhere.member, "%s", fresh());
    (void)snprintf(s->nowhere.share, sizeof s->nowhere.share, "%s", fresh());
}

/* ---- that nothing has changed ---- */

static bool mix(void *ctx, const sl_cell *cells, size_t n)
{
    uint64_t *h = ctx;
    for (size_t i = 0; i < n; i++) {
        const char *text = sl_cell_str(&cells[i]);
        *h = (*h ^ (uint64_t)sl_cell_int_or(&cells[i], 7)) * UINT64_C(1099511628211);
        for (; text != NULL && *text != 0; text++) {
            *h = (*h ^ (uint8_t)*text) * UINT64_C(1099511628211);
        }
    }
    return true;
}

/* Every change of a record takes a number in `feed`. */
static uint64_t state(const scene *s)
{
    static const char *const sql[] = {
        "SELECT space, entity, id, seq FROM feed ORDER BY 1, 2, 3",
        "SELECT user_id, space, role, via FROM access ORDER BY 1, 2",
        "SELECT organisation, space, id FROM lent ORDER BY 1, 2",
        "SELECT space, epoch, seq, min_seq FROM space ORDER BY 1",
        "SELECT sha256, space, user_id FROM blob_ref ORDER BY 1, 2, 3",
        "SELECT id, user_id, space FROM upload ORDER BY 1",
        "SELECT id, role, status FROM account ORDER BY 1",
    };
    uint64_t h = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < sizeof sql / sizeof sql[0]; i++) {
        ck_assert_int_eq(s->w->db.run(s->w->db.user, sql[i], NULL, 0, mix, &h, NULL), SL_OK);
    }
    return h;
}

/* ---- operations ---- */

typedef struct push {
    const char *kind;
    const char *entity;
    char
        where; /* o: its space, u: a member's own, p: a member's program, m: the asker's own, b: the other one */
    char what; /* r: the root of the space, m: the member, s: the share, n: something new */
    const char *fields;
} push;

static const push PUSHES[] = {
    {"patch", "organisation", 'o', 'r', "{\"name\":\"Mine\"}"},
    {"delete", "organisation", 'o', 'r', NULL},
    {"create", "member", 'o', 'n', "{\"email\":\"zoe@x.y\"}"},
    {"create", "member", 'o', 'n', "{\"email\":\"ben@x.y\"}"},
    {"patch", "member", 'o', 'm', "{\"role\":\"admin\"}"},
    {"delete", "member", 'o', 'm', NULL},
    {"create", "program_share", 'o', 'n',
     "{\"program_id\":\"018b0000-0000-7000-8000-000000000001\"}"},
    {"delete", "program_share", 'o', 's', NULL},
    {"patch", "membership", 'u', 'm', "{\"state\":\"active\"}"},
    {"delete", "membership", 'u', 'm', NULL},
    {"patch", "membership", 'm', 'm', "{\"state\":\"active\"}"},
    {"delete", "membership", 'm', 'm', NULL},
    {"patch", "member", 'b', 'm', "{\"role\":\"admin\"}"},
    {"delete", "member", 'b', 'm', NULL},
    {"delete", "program_share", 'b', 's', NULL},
    {"create", "content_item", 'p', 'n', "{\"kind\":\"text\",\"title\":\"x\"}"},
    {"patch", "program", 'p', 'r', "{\"title\":\"x\"}"},
    {"delete", "program", 'p', 'r', NULL},
};

static void put_text(sl_buf *b, const sl_json *j, const char *name)
{
    const char *text = sl_json_str(j, name);
    sl_buf_fmt(b, "%s|", text != NULL ? text : "");
}

static void do_push(scene *s, person *p, const target *t, const push *x, sl_buf *said)
{
    const char *space = x->where == 'o'   ? t->org
                        : x->where == 'u' ? t->user
                        : x->where == 'p' ? t->program
                        : x->where == 'b' ? s->other
                                          : p->own;
    const char *id = x->what == 'r'   ? sl_space_id(space)
                     : x->what == 'm' ? t->member
                     : x->what == 's' ? t->share
                                      : fresh();
    frames_clear(s->w);
    const sl_json *r = op(s->w, p, x->kind, x->entity, space, id, x->fields);
    put_text(said, r, "result");
    put_text(said, r, "code");
    put_text(said, r, "message");
    put_text(said, r, "field");
    s->asked++;
}

/* ---- requests and frames ---- */

static void do_request(scene *s, const person *p, const char *method, const char *path,
                       const char *headers, const char *body, sl_buf *said)
{
    answer a =
        signed_request(s->w, p, method, path, headers, body, body != NULL ? strlen(body) : 0);
    char *text = a.body != NULL ? sl_json_print(a.body) : NULL;
    sl_buf_fmt(said, "%d %s|", (int)a.status, text != NULL ? text : "");
    ck_assert_msg(a.status == 404, "%s %s of %s: %d", method, path, p->email, (int)a.status);
    sl_mem_free(text);
    answer_free(&a);
    s->asked++;
}

static void do_reads(scene *s, const person *p, const char *space, sl_buf *said)
{
    static const char *const paths[] = {"/api/v1/sync/pull", "/api/v1/sync/load"};
    char text[200];
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(text, sizeof text, "{\"space\":\"%s\",\"from\":0,\"to\":9,\"limit\":9}",
                       space);
        do_request(s, p, "POST", paths[i], "content-type: application/json\n", text, said);
    }
    if (!sl_space_is(space, "program")) { /* whose bytes may come before it */
        char location[128] = "";
        char sha[65];
        sha_of("clip", sha);
        int32_t status = upload_create(s->w, p, space, sha, 4, location);
        sl_buf_fmt(said, "%d|", (int)status);
        ck_assert_int_eq(status, 404);
    }
    static const char *const frames[][2] = {
        {"subscribe", "\"epoch\":\"\",\"from\":0"},
        {"load", "\"from\":0,\"to\":9,\"limit\":9"},
        {"check", "\"holes\":\"\""},
        {"typing", "\"x\":0"},
        {"prefer", "\"x\":0"},
    };
    for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
        frames_clear(s->w);
        (void)snprintf(text, sizeof text, "{\"t\":\"%s\",\"space\":\"%s\",%s}", frames[i][0], space,
                       frames[i][1]);
        say(s->w, p, text);
        sl_buf_fmt(said, "%zu %zu %zu %d|", frame_count(s->w, p->conn, "revoked"),
                   frame_count(s->w, p->conn, "page"), frame_count(s->w, p->conn, "loaded"),
                   (int)closed_with(s->w, p->conn));
        ck_assert_uint_eq(frame_count(s->w, p->conn, "page"), 0);
        s->asked++;
    }
}

/* All that the person can ask of it, and what was answered. */
static void ask_all(scene *s, person *p, const target *t, bool programs, sl_buf *said)
{
    char path[120];
    for (size_t i = 0; i < sizeof PUSHES / sizeof PUSHES[0]; i++) {
        if (programs || PUSHES[i].where != 'p') {
            do_push(s, p, t, &PUSHES[i], said);
        }
    }
    do_reads(s, p, t->org, said);
    do_reads(s, p, t->user, said);
    if (programs) {
        do_reads(s, p, t->program, said);
        (void)snprintf(path, sizeof path, "/api/v1/coaches/%s/programs", sl_space_id(t->user));
        do_request(s, p, "GET", path, "", NULL, said);
    }
    (void)snprintf(path, sizeof path, "/api/v1/organisations/%s", sl_space_id(t->org));
    do_request(s, p, "GET", path, "", NULL, said);
}

START_TEST(tenant__another_organisation_is_none)
{
    scene s;
    set(&s);
    uint64_t before = state(&s);
    for (size_t i = 0; i < OUTSIDE; i++) {
        sl_buf there = {0};
        sl_buf nowhere = {0};
        bool programs = strcmp(OUTSIDERS[i].email, "root@x.y") != 0; /* who reads all there are */
        ask_all(&s, &s.outside[i], &s.there, programs, &there);
        ck_assert_msg(state(&s) == before, "%s changed something", OUTSIDERS[i].email);
        ask_all(&s, &s.outside[i], &s.nowhere, programs, &nowhere);
        ck_assert_str_eq(sl_buf_text(&there), sl_buf_text(&nowhere));
        ck_assert_ptr_null(strstr(sl_buf_text(&there), "applied"));
        sl_buf_free(&there);
        sl_buf_free(&nowhere);
    }
    ck_assert(state(&s) == before);
    ck_assert_uint_ge(s.asked, 400);
    (void)printf("%zu questions\n", s.asked);
    world_free(s.w);
}
END_TEST

/* The same questions, by who is in it: they are answered, so that silence above says something. */
START_TEST(tenant__its_own_members_are_answered)
{
    scene s;
    char path[120];
    char text[120];
    set(&s);
    (void)snprintf(path, sizeof path, "/api/v1/organisations/%s", sl_space_id(s.there.org));
    (void)snprintf(text, sizeof text, "{\"space\":\"%s\",\"from\":0}", s.there.org);
    const person *in[] = {&s.ada, &s.ben};
    const int32_t numbers[] = {200, 403};
    for (size_t i = 0; i < 2; i++) {
        answer a = signed_request(s.w, in[i], "GET", path, "", NULL, 0);
        ck_assert_int_eq(a.status, numbers[i]);
        answer_free(&a);
        a = signed_request(s.w, in[i], "POST", "/api/v1/sync/pull",
                           "content-type: application/json\n", text, strlen(text));
        ck_assert_int_eq(a.status, 200);
        ck_assert_uint_ge(sl_json_count(sl_json_get(a.body, "records")), 5);
        answer_free(&a);
    }
    must_reject(op(s.w, &s.ben, "patch", "organisation", s.there.org, sl_space_id(s.there.org),
                   "{\"name\":\"Mine\"}"),
                "SL_E_DENIED");
    must(op(s.w, &s.ada, "delete", "member", s.there.org, s.there.member, NULL), "applied");
    sl_buf there = {0};
    sl_buf nowhere = {0};
    do_reads(&s, &s.ben, s.there.org, &there); /* and no more, once it has ended */
    do_reads(&s, &s.ben, s.nowhere.org, &nowhere);
    ck_assert_str_eq(sl_buf_text(&there), sl_buf_text(&nowhere));
    sl_buf_free(&there);
    sl_buf_free(&nowhere);
    world_free(s.w);
}
END_TEST

/* What one may not see cannot be made anew under its id, nor held by naming it among one's own. */
START_TEST(tenant__an_id_that_is_taken_opens_nothing)
{
    scene s;
    set(&s);
    uint64_t before = state(&s);
    person *eve = &s.outside[0];
    char fields[160];
    must_reject(op(s.w, eve, "create", "organisation", s.there.org, sl_space_id(s.there.org),
                   "{\"name\":\"Mine\"}"),
                "SL_E_DENIED");
    must_reject(op(s.w, eve, "create", "organisation", s.other, sl_space_id(s.there.org),
                   "{\"name\":\"Mine\"}"),
                "SL_E_INVALID");
    must_reject(
        op(s.w, eve, "create", "member", s.other, s.there.member, "{\"email\":\"zoe@x.y\"}"),
        "SL_E_CONFLICT");
    (void)snprintf(fields, sizeof fields, "{\"program_id\":\"%s\"}", sl_space_id(s.there.program));
    const sl_json *r = op(s.w, eve, "create", "program_share", s.other, fresh(), fields);
    must_reject(r, "SL_E_NOT_FOUND"); /* a program of another */
    char said[200];
    (void)snprintf(said, sizeof said, "%s", sl_json_str(r, "message"));
    (void)snprintf(fields, sizeof fields, "{\"program_id\":\"%s\"}",
                   sl_space_id(s.nowhere.program));
    r = op(s.w, eve, "create", "program_share", s.other, fresh(), fields);
    must_reject(r, "SL_E_NOT_FOUND");
    ck_assert_str_eq(sl_json_str(r, "message"), said);
    (void)snprintf(fields, sizeof fields, "{\"target\":\"%s\",\"role\":\"coach\"}", s.there.org);
    must_reject(op(s.w, eve, "create", "grant", eve->own, fresh(), fields), "SL_E_DENIED");
    must_reject(op(s.w, eve, "create", "membership", eve->own, fresh(), "{\"state\":\"active\"}"),
                "SL_E_DENIED");
    ck_assert(state(&s) == before);
    world_free(s.w);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        tenant__another_organisation_is_none,
        tenant__its_own_members_are_answered,
        tenant__an_id_that_is_taken_opens_nothing,
    };
    world_start();
    int status = sl_test_run(sl_test_suite("tenants", tests, sizeof tests / sizeof tests[0]));
    world_end();
    return status;
}
