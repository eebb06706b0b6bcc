/* Pages of records: whose they are, in which order, and what a guest is given. */
#include "base/mem.h"
#include "service/inside.h"
#include "support.h"
#include "unit/service/world.h"

#include <stdio.h>
#include <string.h>

typedef struct scene {
    world *w;
    person ana;
    person cleo;
    person eve; /* a stranger */
    char thread[SL_SPACE_MAX];
    char video[SL_SPACE_MAX];
    char front[SL_SPACE_MAX];
    char programs[128];
} scene;

static void scene_open(scene *s)
{
    memset(s, 0, sizeof *s);
    s->w = world_new();
    person_make(s->w, &s->ana, "a@x.y", "athlete", 1);
    person_make(s->w, &s->cleo, "c@x.y", "coach", 2);
    person_make(s->w, &s->eve, "e@x.y", "athlete", 3);
    befriend(s->w, &s->ana, &s->cleo, s->thread);
    sl_space_name(s->front, "coach", s->cleo.id);
    (void)snprintf(s->programs, sizeof s->programs, "/api/v1/coaches/%s/programs", s->cleo.id);
}

/* p NULL: a guest. */
static answer get(const scene *s, const person *p, const char *path)
{
    return p != NULL ? signed_request(s->w, p, "GET", path, "", NULL, 0)
                     : request(s->w, "GET", path, "", NULL, 0);
}

static int32_t status_of(const scene *s, const person *p, const char *path)
{
    answer a = get(s, p, path);
    int32_t status = a.status;
    answer_free(&a);
    return status;
}

/* What is in the list of the answer: entities and the ends of ids, each followed by a space. */
static void ids_of(const answer *a, const char *name, char *out, size_t room)
{
    ck_assert_int_eq(a->status, 200);
    out[0] = 0;
    const sl_json *list = sl_json_get(a->body, name);
    ck_assert(sl_json_is_array(list));
    for (const sl_json *r = sl_json_first(list); r != NULL; r = sl_json_next(r)) {
        size_t at = strlen(out);
        const char *id = sl_json_str(r, "id");
        (void)snprintf(out + at, room - at, "%s:%s ", sl_json_str(r, "entity"),
                       id + SL_UUID_LEN - 3);
    }
}

/* What the list says, ids by their last three digits. */
static void expect(const scene *s, const person *p, const char *path, const char *name,
                   const char *ids)
{
    char got[4000];
    answer a = get(s, p, path);
    ids_of(&a, name, got, sizeof got);
    ck_assert_msg(strcmp(got, ids) == 0, "%s: %s, not %s", path, got, ids);
    answer_free(&a);
}

static void review_make(scene *s, person *p, const char *video, uint32_t id)
{
    char fields[200];
    char sha[65];
    sha_of("a timeline", sha);
    (void)snprintf(fields, sizeof fields,
                   "{\"title\":\"Look\",\"timeline\":\"%s\",\"duration_us\":1000}", sha);
    must(op(s->w, p, "create", "review", video, id_of(id), fields), "applied");
}

/* ---- reviews ---- */

START_TEST(reviews__are_of_the_videos_that_one_holds_and_of_no_others) /* [LIST-1] */
{
    scene s;
    char second[SL_SPACE_MAX];
    char path[200];
    scene_open(&s);
    video_make(s.w, &s.ana, s.video, 0x700, "one");
    video_make(s.w, &s.ana, second, 0x701, "two");
    share_with(s.w, &s.ana, &s.cleo, s.video, "coach", 0x101);
    review_make(&s, &s.cleo, s.video, 0xa01);
    review_make(&s, &s.ana, second, 0xa02);
    review_make(&s, &s.ana, s.video, 0xa03);
    expect(&s, &s.ana, "/api/v1/reviews", "reviews", "review:a03 review:a02 review:a01 ");
    expect(&s, &s.cleo, "/api/v1/reviews", "reviews", "review:a03 review:a01 ");
    expect(&s, &s.eve, "/api/v1/reviews", "reviews", "");
    ck_assert_int_eq(status_of(&s, NULL, "/api/v1/reviews"), 401);
    (void)snprintf(path, sizeof path, "/api/v1/reviews?video=%s", sl_space_id(second));
    expect(&s, &s.ana, path, "reviews", "review:a02 ");
    expect(&s, &s.cleo, path, "reviews", "");
    (void)snprintf(path, sizeof path, "/api/v1/reviews?author=%s", s.cleo.id);
    expect(&s, &s.ana, path, "reviews", "review:a01 ");
    must(op(s.w, &s.ana, "delete", "review", s.video, id_of(0xa01), NULL), "applied");
    expect(&s, &s.cleo, "/api/v1/reviews", "reviews", "review:a03 ");
    must(op(s.w, &s.ana, "delete", "share", s.video, id_of(0x101), NULL), "applied");
    expect(&s, &s.cleo, "/api/v1/reviews", "reviews", "");
    world_free(s.w);
}
END_TEST

START_TEST(reviews__are_read_page_after_page_each_once) /* [LIST-2] */
{
    scene s;
    char path[200] = "/api/v1/reviews?limit=7";
    size_t seen = 0;
    size_t pages = 0;
    uint32_t last = 0xb00 + 30;
    bool more = true;
    scene_open(&s);
    video_make(s.w, &s.ana, s.video, 0x700, "one");
    for (uint32_t i = 0; i < 30; i++) {
        review_make(&s, &s.ana, s.video, 0xb00 + i);
    }
    while (more) {
        answer a = get(&s, &s.ana, path);
        const sl_json *list = sl_json_get(a.body, "reviews");
        for (const sl_json *r = sl_json_first(list); r != NULL; r = sl_json_next(r)) {
            ck_assert_str_eq(sl_json_str(r, "id"), id_of(--last));
            seen++;
        }
        const char *next = sl_json_str(a.body, "next");
        more = next != NULL;
        (void)snprintf(path, sizeof path, "/api/v1/reviews?limit=7&after=%s", more ? next : "");
        review_make(&s, &s.ana, s.video, 0xc00 + (uint32_t)pages++); /* newer: not in these */
        answer_free(&a);
    }
    ck_assert_uint_eq(seen, 30);
    ck_assert_uint_eq(pages, 5);
    world_free(s.w);
}
END_TEST

START_TEST(lists__refuse_wrong_parameters_by_name)
{
    static const char *const wrong[][2] = {{"limit=0", "limit"},   {"limit=101", "limit"},
                                           {"limit=x", "limit"},   {"limit=-1", "limit"},
                                           {"after=x", "after"},   {"after=", "after"},
                                           {"video=x", "video"},   {"author=1", "author"},
                                           {"limit=1.5", "limit"}, {"limit=", "limit"}};
    scene s;
    char path[200];
    scene_open(&s);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        (void)snprintf(path, sizeof path, "/api/v1/reviews?%s", wrong[i][0]);
        answer a = get(&s, &s.ana, path);
        ck_assert_msg(a.status == 422, "%s: %d", path, a.status);
        ck_assert_ptr_nonnull(sl_json_get(sl_json_get(a.body, "fields"), wrong[i][1]));
        answer_free(&a);
    }
    ck_assert_int_eq(status_of(&s, &s.ana, "/api/v1/reviews?after=%zz"), 400);
    ck_assert_int_eq(status_of(&s, &s.ana, "/api/v1/coaches/x/programs"), 404);
    ck_assert_int_eq(status_of(&s, &s.ana, "/api/v1/coaches/x/other"), 404);
    world_free(s.w);
}
END_TEST

/* ---- coaches ---- */

static void front_make(scene *s)
{
    must(op(s->w, &s->cleo, "create", "coach", s->front, s->cleo.id,
            "{\"name\":\"Cleo\",\"headline\":\"Throws\"}"),
         "applied");
}

static void program_make(scene *s, uint32_t id, const char *title)
{
    char space[SL_SPACE_MAX];
    char fields[200];
    sl_space_name(space, "program", id_of(id));
    (void)snprintf(fields, sizeof fields, "{\"title\":\"%s\",\"status\":\"published\"}", title);
    must(op(s->w, &s->cleo, "create", "program", space, id_of(id), fields), "applied");
}

static void product_make(scene *s, uint32_t id, const char *kind, const char *status,
                         uint32_t program)
{
    char fields[300];
    (void)snprintf(fields, sizeof fields,
                   "{\"title\":\"x\",\"kind\":\"%s\",\"status\":\"%s\",\"program_id\":\"%s\"}",
                   kind, status, id_of(program));
    must(op(s->w, &s->cleo, "create", "product", s->front, id_of(id), fields), "applied");
}

START_TEST(coaches__are_shown_to_guests_as_to_all)
{
    scene s;
    char path[200];
    scene_open(&s);
    (void)snprintf(path, sizeof path, "/api/v1/coaches/%s", s.cleo.id);
    ck_assert_int_eq(status_of(&s, NULL, path), 404);
    ck_assert_int_eq(status_of(&s, NULL, s.programs), 404);
    front_make(&s);
    const person *const all[] = {NULL, &s.eve, &s.ana, &s.cleo};
    for (size_t i = 0; i < 4; i++) {
        answer a = get(&s, all[i], path);
        ck_assert_int_eq(a.status, 200);
        ck_assert_str_eq(sl_json_str(a.body, "headline"), "Throws");
        answer_free(&a);
        a = get(&s, all[i], "/api/v1/coaches");
        ck_assert_uint_eq(sl_json_count(sl_json_get(a.body, "coaches")), 1);
        ck_assert_ptr_null(sl_json_get(a.body, "next"));
        answer_free(&a);
        expect(&s, all[i], s.programs, "programs", "");
    }
    (void)snprintf(path, sizeof path, "/api/v1/coaches/%s", s.ana.id);
    ck_assert_int_eq(status_of(&s, NULL, path), 404); /* an account that is no coach */
    answer a = request(s.w, "GET", "/api/v1/coaches", "authorization: Bearer x\n", NULL, 0);
    ck_assert_int_eq(a.status, 401); /* who shows a token is not taken for a guest */
    answer_free(&a);
    world_free(s.w);
}
END_TEST

START_TEST(programs__are_read_by_who_holds_them_and_offered_to_the_rest)
{
    scene s;
    scene_open(&s);
    front_make(&s);
    program_make(&s, 0xd01, "one");
    program_make(&s, 0xd02, "two");
    product_make(&s, 0xe01, "program", "offered", 0xd01);
    product_make(&s, 0xe02, "program", "draft", 0xd02);
    product_make(&s, 0xe03, "session", "offered", 0xd02);
    expect(&s, NULL, s.programs, "programs", "product:e01 ");
    expect(&s, &s.eve, s.programs, "programs", "product:e01 ");
    expect(&s, &s.cleo, s.programs, "programs", "program:d02 program:d01 ");
    (void)world_rows(s.w, NULL,
                     "INSERT INTO access (user_id, space, role) VALUES ($1, $2, 'member')",
                     s.ana.id, "program:018b0000-0000-7000-8000-000000000d01");
    expect(&s, &s.ana, s.programs, "programs", "program:d01 ");
    char path[256];
    (void)snprintf(path, sizeof path, "%s?limit=1", s.programs);
    answer a = get(&s, &s.cleo, path);
    ck_assert_str_eq(sl_json_str(a.body, "next"), id_of(0xd02));
    answer_free(&a);
    (void)snprintf(path, sizeof path, "%s?limit=1&after=%s", s.programs, id_of(0xd02));
    expect(&s, &s.cleo, path, "programs", "program:d01 ");
    world_free(s.w);
}
END_TEST

START_TEST(posts__are_for_all_the_newest_first)
{
    scene s;
    char path[128];
    scene_open(&s);
    front_make(&s);
    (void)snprintf(path, sizeof path, "/api/v1/coaches/%s/posts", s.cleo.id);
    for (uint32_t i = 0xf01; i <= 0xf03; i++) {
        must(op(s.w, &s.cleo, "create", "post", s.front, id_of(i), "{\"title\":\"x\"}"), "applied");
    }
    must(op(s.w, &s.cleo, "delete", "post", s.front, id_of(0xf02), NULL), "applied");
    expect(&s, NULL, path, "posts", "post:f03 post:f01 ");
    expect(&s, &s.eve, path, "posts", "post:f03 post:f01 ");
    world_free(s.w);
}
END_TEST

START_TEST(lists__that_the_database_fails_are_503_and_read_when_it_is_back)
{
    scene s;
    scene_open(&s);
    front_make(&s);
    program_make(&s, 0xd01, "one");
    size_t failed = 0;
    for (uint64_t at = 1; at < 20; at++) {
        s.w->db_fault = SL_E_FULL;
        s.w->db_fail_at = at;
        int32_t status = status_of(&s, &s.cleo, s.programs);
        failed += status == 503 ? 1 : 0;
        ck_assert_msg(status == 200 || status == 503, "%d at %d", status, (int)at);
    }
    s.w->db_fail_at = 0;
    ck_assert_uint_gt(failed, 1);
    expect(&s, &s.cleo, s.programs, "programs", "program:d01 ");
    world_free(s.w);
}
END_TEST

START_TEST(lists__survive_every_allocation_failure)
{
    scene s;
    bool hit = true;
    scene_open(&s);
    front_make(&s);
    program_make(&s, 0xd01, "one");
    expect(&s, &s.cleo, s.programs, "programs", "program:d01 "); /* the planner is asked, once */
    for (uint64_t k = 1; hit; k++) {
        (void)sl_mem_fail_at(k, false);
        int32_t status = status_of(&s, &s.cleo, s.programs);
        hit = sl_mem_fail_at(0, false) >= k;
        ck_assert_msg(status == 200 || (hit && status == 500), "%d at %d", status, (int)k);
    }
    expect(&s, &s.cleo, s.programs, "programs", "program:d01 ");
    world_free(s.w);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {reviews__are_of_the_videos_that_one_holds_and_of_no_others,
                                  reviews__are_read_page_after_page_each_once,
                                  lists__refuse_wrong_parameters_by_name,
                                  coaches__are_shown_to_guests_as_to_all,
                                  programs__are_read_by_who_holds_them_and_offered_to_the_rest,
                                  posts__are_for_all_the_newest_first,
                                  lists__that_the_database_fails_are_503_and_read_when_it_is_back,
                                  lists__survive_every_allocation_failure};
    world_start();
    int code = sl_test_run(sl_test_suite("list", tests, sizeof tests / sizeof tests[0]));
    world_end();
    return code;
}
