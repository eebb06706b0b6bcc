/* Search: what is found, for whom, and that nothing else is. */
#include "base/mem.h"
#include "service/fold.h"
#include "service/inside.h"
#include "support.h"
#include "unit/service/world.h"

#include <stdio.h>
#include <string.h>

/* ---- words ---- */

static void folds(const char *text, const char *folded)
{
    sl_buf b = {0};
    sl_sv_fold(&b, text);
    ck_assert_str_eq(sl_buf_text(&b), folded);
    sl_buf_free(&b);
}

START_TEST(fold__leaves_words_without_case_and_accents)
{
    folds("", "");
    folds("  ,.-  ", "");
    folds("Hello, World-2!", " hello world 2");
    folds("\xC3\x84pfel \xC3\x9C"
          "ber Stra\xC3\x9F"
          "e",
          " apfel uber strasse");
    folds("e\xCC\x81t\xC3\xA9", " ete"); /* composed or not */
    folds("\xC5\x81\xC3\xB3"
          "d\xC5\xBA",
          " lodz");
    folds("Vi\xE1\xBB\x87t", " viet");
    folds("\xCE\x86\xCE\xB8\xCE\xBB\xCE\xBF\xCF\x82", " \xCE\xB1\xCE\xB8\xCE\xBB\xCE\xBF\xCF\x83");
    folds("\xD0\x81\xD0\xB6", " \xD0\xB5\xD0\xB6");
    folds("\xD8\xA3\xD9\x8E\xD8\xA8", " \xD8\xA7\xD8\xA8"); /* hamza and fatha */
    folds("\xE6\x8A\x80\xE8\xA1\x93 a", " \xE6\x8A\x80 \xE8\xA1\x93 a");
    folds("a\xE2\x80\x94"
          "b\xC2\xA0"
          "c",
          " a b c");
    folds("\xF0\x9F\x98\x80", " \xF0\x9F\x98\x80");
}
END_TEST

START_TEST(fold__finds_words_by_their_beginnings_all_of_them)
{
    static const char text[] = " first throw of summer";
    ck_assert(sl_sv_fold_has(text, " thr"));
    ck_assert(sl_sv_fold_has(text, " summer fir"));
    ck_assert(!sl_sv_fold_has(text, " row"));
    ck_assert(!sl_sv_fold_has(text, " first second"));
    ck_assert(sl_sv_fold_has(text, ""));
}
END_TEST

/* ---- the server ---- */

typedef struct scene {
    world *w;
    person ana;
    person cleo;
    person eve; /* a stranger */
    char thread[SL_SPACE_MAX];
    char video[SL_SPACE_MAX];
} scene;

static void said(scene *s, person *p, uint32_t id, const char *body)
{
    char fields[300];
    (void)snprintf(fields, sizeof fields, "{\"kind\":\"text\",\"body\":\"%s\"}", body);
    must(op(s->w, p, "create", "message", s->thread, id_of(id), fields), "applied");
    frames_clear(s->w);
}

/* Something with the word "Würfe" of each kind. */
static void scene_open(scene *s)
{
    char front[SL_SPACE_MAX];
    char program[SL_SPACE_MAX];
    memset(s, 0, sizeof *s);
    s->w = world_new();
    person_make(s->w, &s->ana, "a@x.y", "athlete", 1);
    person_make(s->w, &s->cleo, "c@x.y", "coach", 2);
    person_make(s->w, &s->eve, "e@x.y", "athlete", 3);
    befriend(s->w, &s->ana, &s->cleo, s->thread);
    video_make(s->w, &s->ana, s->video, 0x700, "one");
    must(op(s->w, &s->ana, "patch", "video", s->video, id_of(0x700),
            "{\"title\":\"Meine W\xC3\xBCrfe\"}"),
         "applied");
    sl_space_name(front, "coach", s->cleo.id);
    must(op(s->w, &s->cleo, "create", "coach", front, s->cleo.id,
            "{\"name\":\"Cleo\",\"bio\":\"all about w\xC3\xBCrfe\"}"),
         "applied");
    sl_space_name(program, "program", id_of(0xd01));
    must(op(s->w, &s->cleo, "create", "program", program, id_of(0xd01),
            "{\"title\":\"W\xC3\x9CRFE und Spr\xC3\xBCnge\"}"),
         "applied");
    said(s, &s->ana, 0xa01, "deine W\xC3\xBCrfe");
    said(s, &s->cleo, 0xa02, "nothing of it");
}

static answer search(const scene *s, const person *p, const char *query)
{
    char path[600];
    (void)snprintf(path, sizeof path, "/api/v1/search?%s", query);
    return signed_request(s->w, p, "GET", path, "", NULL, 0);
}

static void finds(const scene *s, const person *p, const char *query, const char *entities)
{
    char got[600] = "";
    answer a = search(s, p, query);
    ck_assert_msg(a.status == 200, "%s: %d", query, a.status);
    const sl_json *list = sl_json_get(a.body, "results");
    for (const sl_json *r = sl_json_first(list); r != NULL; r = sl_json_next(r)) {
        size_t at = strlen(got);
        (void)snprintf(got + at, sizeof got - at, "%s ", sl_json_str(r, "entity"));
    }
    ck_assert_msg(strcmp(got, entities) == 0, "%s: %s, not %s", query, got, entities);
    ck_assert_ptr_null(sl_json_get(a.body, "next"));
    answer_free(&a);
}

START_TEST(search__finds_what_one_may_read_and_a_stranger_nothing_of_it) /* [SEARCH-1] */
{
    scene s;
    scene_open(&s);
    finds(&s, &s.ana, "q=wurfe", "coach video message ");
    finds(&s, &s.cleo, "q=wurfe", "coach program message ");
    finds(&s, &s.eve, "q=wurfe", "coach "); /* which is for all */
    static const char *const types[] = {"program", "video", "message"};
    for (size_t i = 0; i < 3; i++) {
        char query[100];
        (void)snprintf(query, sizeof query, "q=w%%C3%%BCrfe&type=%s", types[i]);
        finds(&s, &s.eve, query, "");
    }
    finds(&s, &s.ana, "q=W%C3%9CRF&type=message", "message ");
    finds(&s, &s.ana, "q=deine+wurfe", "message ");
    finds(&s, &s.ana, "q=wurfe+nothing", "");
    finds(&s, &s.cleo, "q=sprunge", "program ");
    answer a = request(s.w, "GET", "/api/v1/search?q=wurfe", "", NULL, 0);
    ck_assert_int_eq(a.status, 401);
    answer_free(&a);
    world_free(s.w);
}
END_TEST

START_TEST(search__finds_no_more_what_was_deleted_or_is_read_no_more)
{
    scene s;
    scene_open(&s);
    share_with(s.w, &s.ana, &s.cleo, s.video, "coach", 0x101);
    finds(&s, &s.cleo, "q=meine", "video ");
    must(op(s.w, &s.ana, "delete", "share", s.video, id_of(0x101), NULL), "applied");
    finds(&s, &s.cleo, "q=meine", "");
    must(op(s.w, &s.ana, "delete", "message", s.thread, id_of(0xa01), NULL), "applied");
    finds(&s, &s.ana, "q=wurfe", "coach video ");
    (void)world_rows(s.w, NULL, "UPDATE account SET plan='expired' WHERE id=$1 AND $2=$2", s.ana.id,
                     "");
    finds(&s, &s.ana, "q=wurfe", "coach video ");
    (void)world_rows(s.w, NULL, "DELETE FROM access WHERE user_id=$1 AND space=$2", s.ana.id,
                     s.thread);
    finds(&s, &s.ana, "q=nothing", "");
    finds(&s, &s.cleo, "q=nothing", "message ");
    world_free(s.w);
}
END_TEST

/* Goes on by `next` to the end: how many were found, and in how many requests. */
static size_t find_all(const scene *s, const person *p, const char *query, size_t *requests)
{
    char text[300];
    size_t found = 0;
    (void)snprintf(text, sizeof text, "%s", query);
    for (*requests = 0; text[0] != 0; *requests += 1) {
        answer a = search(s, p, text);
        ck_assert_int_eq(a.status, 200);
        found += sl_json_count(sl_json_get(a.body, "results"));
        const char *next = sl_json_str(a.body, "next");
        text[0] = 0;
        if (next != NULL) {
            (void)snprintf(text, sizeof text, "%s&after=%s", query, next);
        }
        answer_free(&a);
    }
    return found;
}

START_TEST(search__goes_on_until_all_was_looked_at_so_much_at_a_time) /* [SEARCH-2] */
{
    scene s;
    size_t requests = 0;
    scene_open(&s);
    for (uint32_t i = 0; i < 2500; i++) {
        said(&s, &s.ana, 0x10000 + i, i % 500 == 0 ? "needle" : "hay");
    }
    ck_assert_uint_eq(find_all(&s, &s.ana, "q=needle&type=message", &requests), 5);
    ck_assert_uint_eq(requests, 3);
    ck_assert_uint_eq(find_all(&s, &s.ana, "q=needle&limit=1", &requests), 5);
    ck_assert_uint_ge(requests, 5);
    ck_assert_uint_eq(find_all(&s, &s.ana, "q=wurfe&limit=1", &requests), 3);
    ck_assert_uint_eq(find_all(&s, &s.eve, "q=needle", &requests), 0);
    ck_assert_uint_eq(requests, 1); /* others' records cost a stranger nothing */
    world_free(s.w);
}
END_TEST

START_TEST(search__refuses_wrong_parameters_by_name)
{
    static const char *const wrong[][2] = {
        {"", "q"},
        {"q=", "q"},
        {"q=%20,", "q"},
        {"q=%FF", "q"},
        {"q=x&type=user", "type"},
        {"q=x&after=x", "after"},
        {"q=x&after=message:x", "after"},
        {"q=x&after=message:018b0000-0000-7000-8000-000000000001/", "after"},
        {"q=x&after=message:018b0000-0000-7000-8000-000000000001/0", "after"},
        {"q=x&after=message:018b0000-0000-7000-8000-000000000001x", "after"},
        {"q=x&after=video:018b0000-0000-7000-8000-000000000001/7", "after"},
        {"q=x&type=video&after=message:018b0000-0000-7000-8000-000000000001", "after"},
        {"q=x&limit=0", "limit"}};
    scene s;
    char large[260] = "q=";
    scene_open(&s);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        answer a = search(&s, &s.ana, wrong[i][0]);
        ck_assert_msg(a.status == 422, "%s: %d", wrong[i][0], a.status);
        ck_assert_msg(sl_json_get(sl_json_get(a.body, "fields"), wrong[i][1]) != NULL, "%s",
                      wrong[i][0]);
        answer_free(&a);
    }
    memset(large + 2, 'x', 201);
    answer a = search(&s, &s.ana, large);
    ck_assert_int_eq(a.status, 422);
    answer_free(&a);
    /* A place in a thread that is another's is no way in. */
    char path[300];
    (void)snprintf(path, sizeof path, "q=wurfe&type=message&after=message:%s/99",
                   sl_space_id(s.thread));
    finds(&s, &s.eve, path, "");
    finds(&s, &s.ana, path, "message ");
    world_free(s.w);
}
END_TEST

START_TEST(search__for_a_digit_is_for_text)
{
    scene s;
    scene_open(&s);
    said(&s, &s.ana, 0xa10, "throw 007 was good, true");
    finds(&s, &s.ana, "q=007", "message ");
    finds(&s, &s.ana, "q=true", "message ");
    world_free(s.w);
}
END_TEST

START_TEST(search__survives_every_allocation_failure)
{
    scene s;
    bool hit = true;
    scene_open(&s);
    finds(&s, &s.ana, "q=wurfe", "coach video message "); /* the planner is asked, once */
    for (uint64_t k = 1; hit; k++) {
        (void)sl_mem_fail_at(k, false);
        answer a = search(&s, &s.ana, "q=wurfe");
        hit = sl_mem_fail_at(0, false) >= k;
        ck_assert_msg(a.status == 200 || (hit && a.status == 500), "%d at %d", a.status, (int)k);
        answer_free(&a);
    }
    finds(&s, &s.ana, "q=wurfe", "coach video message ");
    world_free(s.w);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {fold__leaves_words_without_case_and_accents,
                                  fold__finds_words_by_their_beginnings_all_of_them,
                                  search__finds_what_one_may_read_and_a_stranger_nothing_of_it,
                                  search__finds_no_more_what_was_deleted_or_is_read_no_more,
                                  search__goes_on_until_all_was_looked_at_so_much_at_a_time,
                                  search__refuses_wrong_parameters_by_name,
                                  search__for_a_digit_is_for_text,
                                  search__survives_every_allocation_failure};
    world_start();
    int code = sl_test_run(sl_test_suite("search", tests, sizeof tests / sizeof tests[0]));
    world_end();
    return code;
}
