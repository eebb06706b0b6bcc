/* The programs of a coach by filters and in orders: which are found, each once, and by whom. */
#include "base/mem.h"
#include "service/inside.h"
#include "support.h"
#include "unit/service/world.h"

#include <stdio.h>
#include <string.h>

typedef struct scene {
    world *w;
    person cleo;
    person ana;
    char front[SL_SPACE_MAX];
} scene;

static void scene_open(scene *s)
{
    memset(s, 0, sizeof *s);
    s->w = world_new();
    person_make(s->w, &s->cleo, "c@x.y", "coach", 1);
    person_make(s->w, &s->ana, "a@x.y", "athlete", 2);
    sl_space_name(s->front, "coach", s->cleo.id);
    must(op(s->w, &s->cleo, "create", "coach", s->front, s->cleo.id, "{\"name\":\"Cleo\"}"),
         "applied");
}

/* A product, or a program without one, with further fields (each behind a comma). A price is the server's to set: below 0
 * there is none. */
static void make(scene *s, const char *entity, uint32_t id, const char *title, const char *more,
                 int64_t price, const char *currency)
{
    char space[SL_SPACE_MAX];
    char fields[1200];
    bool product = strcmp(entity, "product") == 0;
    sl_space_name(space, "program", id_of(id));
    (void)snprintf(fields, sizeof fields, "{\"title\":\"%s\"%s%s}", title, more,
                   product ? ",\"kind\":\"program\",\"status\":\"offered\"" : "");
    must(op(s->w, &s->cleo, "create", entity, product ? s->front : space, id_of(id), fields),
         "applied");
    if (price >= 0) {
        (void)snprintf(
            fields, sizeof fields,
            "UPDATE \"%s\" SET \"price_minor\"=%lld, \"currency\"='%s' WHERE \"id\"=$1 AND"
            " $2=$2",
            entity, (long long)price, currency);
        (void)world_rows(s->w, NULL, fields, id_of(id), "");
    }
}

static void make_all(scene *s)
{
    make(s, "product", 0xe01, "Sprint", ",\"level\":\"beginner\",\"language\":\"en\"", 500, "EUR");
    make(s, "product", 0xe02, "discus", ",\"level\":\"elite\",\"language\":\"en-GB\"", 1500, "EUR");
    make(s, "product", 0xe03, "Discus", ",\"language\":\"de\"", 500, "EUR");
    make(s, "product", 0xe04, "Hammer", ",\"level\":\"beginner\",\"language\":\"EN\"", 900, "USD");
    make(s, "product", 0xe05, "Javelin", ",\"language\":\"eng\"", -1, "");
    make(s, "program", 0xe06, "Relay", ",\"level\":\"beginner\",\"language\":\"en-US\"", 0, "EUR");
}

/* p NULL: a guest. */
static answer ask(const scene *s, const person *p, const char *query)
{
    char path[1400];
    (void)snprintf(path, sizeof path, "/api/v1/coaches/%s/programs?%s", s->cleo.id, query);
    return p != NULL ? signed_request(s->w, p, "GET", path, "", NULL, 0)
                     : request(s->w, "GET", path, "", NULL, 0);
}

/* The last digits of the ids in the answer. */
static void expect(const scene *s, const person *p, const char *query, const char *ids)
{
    char got[200] = "";
    answer a = ask(s, p, query);
    ck_assert_msg(a.status == 200, "%s: %d", query, a.status);
    const sl_json *list = sl_json_get(a.body, "programs");
    for (const sl_json *r = sl_json_first(list); r != NULL; r = sl_json_next(r)) {
        size_t at = strlen(got);
        (void)snprintf(got + at, sizeof got - at, "%s", sl_json_str(r, "id") + SL_UUID_LEN - 1);
    }
    ck_assert_msg(strcmp(got, ids) == 0, "%s: %s, not %s", query, got, ids);
    answer_free(&a);
}

START_TEST(programs__are_found_by_what_they_say)
{
    scene s;
    scene_open(&s);
    make_all(&s);
    const person *cleo = &s.cleo;
    expect(&s, NULL, "", "54321");
    expect(&s, cleo, "", "654321");
    expect(&s, NULL, "level=beginner", "41");
    expect(&s, cleo, "level=beginner", "641");
    expect(&s, NULL, "level=intermediate", "");
    expect(&s, NULL, "language=en", "421");
    expect(&s, cleo, "language=EN", "6421");
    expect(&s, NULL, "language=en-gb", "2");
    expect(&s, NULL, "language=eng", "5");
    expect(&s, NULL, "language=en-g", "");
    expect(&s, NULL, "currency=EUR", "321");
    expect(&s, NULL, "currency=CHF", "");
    expect(&s, NULL, "currency=EUR&level=elite&language=en", "2");
    expect(&s, &s.ana, "currency=EUR", "321"); /* what she may not read is not among them */
    world_free(s.w);
}
END_TEST

START_TEST(programs__are_found_between_two_prices_that_belong_to_it)
{
    scene s;
    scene_open(&s);
    make_all(&s);
    expect(&s, NULL, "currency=EUR&price_min=500", "321");
    expect(&s, NULL, "currency=EUR&price_min=501", "2");
    expect(&s, NULL, "currency=EUR&price_max=500", "31");
    expect(&s, NULL, "currency=EUR&price_max=499", "");
    expect(&s, &s.cleo, "currency=EUR&price_max=499", "6");
    expect(&s, &s.cleo, "currency=EUR&price_min=0&price_max=0", "6");
    expect(&s, NULL, "currency=EUR&price_min=500&price_max=500", "31");
    expect(&s, NULL, "currency=EUR&price_min=500&price_max=1500", "321");
    expect(&s, NULL, "currency=EUR&price_min=999999999999999", "");
    world_free(s.w);
}
END_TEST

START_TEST(programs__come_in_the_order_that_is_asked_for)
{
    scene s;
    scene_open(&s);
    make_all(&s);
    expect(&s, NULL, "sort=newest", "54321");
    expect(&s, NULL, "sort=title", "32451"); /* whatever the case; of two alike the newer first */
    expect(&s, NULL, "sort=price&currency=EUR", "312");
    expect(&s, NULL, "sort=-price&currency=EUR", "231");
    expect(&s, &s.cleo, "sort=price&currency=EUR", "6312");
    expect(&s, &s.cleo, "sort=-price&currency=EUR", "2316");
    world_free(s.w);
}
END_TEST

/* In pages of `limit`. */
static void read_pages(scene *s, const char *sort, unsigned limit, const char *ids)
{
    char query[1300];
    char got[100] = "";
    char next[1200] = "";
    bool more = true;
    while (more) {
        (void)snprintf(query, sizeof query, "%s&limit=%u%s%s", sort, limit,
                       next[0] != 0 ? "&after=" : "", next);
        answer a = ask(s, NULL, query);
        ck_assert_msg(a.status == 200, "%s: %d", query, a.status);
        const sl_json *list = sl_json_get(a.body, "programs");
        for (const sl_json *r = sl_json_first(list); r != NULL; r = sl_json_next(r)) {
            size_t at = strlen(got);
            (void)snprintf(got + at, sizeof got - at, "%s", sl_json_str(r, "id") + SL_UUID_LEN - 1);
        }
        more = sl_json_get(a.body, "next") != NULL;
        (void)snprintf(next, sizeof next, "%s", more ? sl_json_str(a.body, "next") : "");
        answer_free(&a);
    }
    ck_assert_msg(strcmp(got, ids) == 0, "%s by %u: %s, not %s", sort, limit, got, ids);
}

START_TEST(programs__are_read_page_after_page_each_once_in_every_order) /* [LIST-2] */
{
    scene s;
    scene_open(&s);
    make_all(&s);
    for (unsigned limit = 1; limit <= 6; limit++) {
        read_pages(&s, "sort=newest", limit, "54321");
        read_pages(&s, "sort=title", limit, "32451");
        read_pages(&s, "sort=price&currency=EUR", limit, "312");
        read_pages(&s, "sort=-price&currency=EUR", limit, "231");
    }
    world_free(s.w);
}
END_TEST

START_TEST(programs__go_on_where_the_place_was_though_what_was_there_has_gone)
{
    scene s;
    char query[1300];
    scene_open(&s);
    make_all(&s);
    answer a = ask(&s, NULL, "sort=title&limit=2");
    const char *next = sl_json_str(a.body, "next");
    (void)snprintf(query, sizeof query, "sort=title&after=%s", next);
    expect(&s, NULL, query, "451");
    must(op(s.w, &s.cleo, "delete", "product", s.front, id_of(0xe02), NULL), "applied");
    make(&s, "product", 0xe07, "Archery", "", -1, "");
    expect(&s, NULL, query, "451");
    answer_free(&a);
    world_free(s.w);
}
END_TEST

START_TEST(programs__have_places_for_titles_as_long_as_they_may_be)
{
    scene s;
    char title[201] = "";
    scene_open(&s);
    for (size_t i = 0; i < 50; i++) {
        memcpy(title + 4 * i, "\xf0\x9f\x8f\x83", 5);
    }
    make(&s, "product", 0xe01, title, "", -1, "");
    make(&s, "product", 0xe02, title, "", -1, "");
    read_pages(&s, "sort=title", 1, "21");
    world_free(s.w);
}
END_TEST

/* Nobody is told, as the place or otherwise, what they may not read. */
START_TEST(programs__that_one_may_not_read_are_not_where_one_is_told_to_go_on)
{
    scene s;
    char text[2000] = "";
    scene_open(&s);
    make(&s, "product", 0xe01, "Shown", "", -1, "");
    for (uint32_t i = 0; i < 120; i++) {
        make(&s, "program", 0xf00 + i, "Hidden", "", -1, "");
    }
    for (size_t i = 0; i < 2; i++) {
        answer a = ask(&s, i == 0 ? NULL : &s.ana, "sort=title&limit=1");
        char *body = sl_json_print(a.body);
        (void)snprintf(text, sizeof text, "%s", body);
        ck_assert_ptr_nonnull(strstr(text, "Shown"));
        ck_assert_ptr_null(strstr(text, "next"));
        sl_mem_free(body);
        answer_free(&a);
    }
    world_free(s.w);
}
END_TEST

START_TEST(programs__refuse_wrong_parameters_by_name)
{
    static const char *const wrong[][2] = {
        {"sort=", "sort"},
        {"sort=oldest", "sort"},
        {"sort=Title", "sort"},
        {"level=", "level"},
        {"level=expert", "level"},
        {"currency=eur", "currency"},
        {"currency=EURO", "currency"},
        {"currency=EU", "currency"},
        {"currency=", "currency"},
        {"language=e", "language"},
        {"language=", "language"},
        {"language=en-", "language"},
        {"language=e%25", "language"},
        {"language=en_GB", "language"},
        {"language=englishes", "language"},
        {"language=en-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "language"}, /* 36 */
        {"price_min=-1&currency=EUR", "price_min"},
        {"price_min=x&currency=EUR", "price_min"},
        {"price_min=1.5&currency=EUR", "price_min"},
        {"price_max=&currency=EUR", "price_max"},
        {"price_max=1000000000000000&currency=EUR", "price_max"}, /* 16 digits */
        {"price_min=2&price_max=1&currency=EUR", "price_max"},
        {"price_min=1", "currency"},
        {"price_max=1", "currency"},
        {"sort=price", "currency"},
        {"sort=-price", "currency"},
        {"limit=0", "limit"},
        {"limit=101", "limit"},
        {"after=x", "after"},
        {"after=5.018b0000-0000-7000-8000-000000000e01", "after"},
        {"sort=title&after=018b0000-0000-7000-8000-000000000e01", "after"},
        {"sort=title&after=.018b0000-0000-7000-8000-000000000e01", "after"},
        {"sort=title&after=YR.018b0000-0000-7000-8000-000000000e01", "after"},   /* loose bits */
        {"sort=title&after=_w.018b0000-0000-7000-8000-000000000e01", "after"},   /* no UTF-8 */
        {"sort=title&after=YQBi.018b0000-0000-7000-8000-000000000e01", "after"}, /* a NUL */
        {"sort=title&after=YQ.018b0000", "after"},
        {"sort=price&currency=EUR&after=x.018b0000-0000-7000-8000-000000000e01", "after"},
        {"sort=price&currency=EUR&after=.018b0000-0000-7000-8000-000000000e01", "after"},
        {"sort=price&currency=EUR&after=9007199254740992.018b0000-0000-7000-8000-000000000e01",
         "after"},
    };
    static const char *const right[] = {
        "language=en-aaaaaaaa-aaaaaaaa-aaaaaaaa-aaaaa", /* 35 */
        "limit=1",
        "limit=100",
        "price_max=999999999999999&currency=EUR",
        "price_min=1&price_max=1&currency=EUR",
        "sort=title&after=YQ.018b0000-0000-7000-8000-000000000e01",
        "sort=price&currency=EUR&after=9007199254740991.018b0000-0000-7000-8000-000000000e01",
    };
    scene s;
    scene_open(&s);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        answer a = ask(&s, NULL, wrong[i][0]);
        ck_assert_msg(a.status == 422, "%s: %d", wrong[i][0], a.status);
        ck_assert_str_eq(sl_json_str(a.body, "error"), "validation_failed");
        const sl_json *fields = sl_json_get(a.body, "fields");
        ck_assert_uint_eq(sl_json_count(fields), 1);
        ck_assert_msg(sl_json_str(fields, wrong[i][1]) != NULL, "%s", wrong[i][0]);
        answer_free(&a);
    }
    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
        expect(&s, NULL, right[i], "");
    }
    answer a = ask(&s, NULL, "sort=newest1");
    char *text = sl_json_print(a.body);
    ck_assert_str_eq(
        text, "{\"error\":\"validation_failed\",\"fields\":{\"sort\":\"is newest, title, price "
              "or -price\"}}");
    sl_mem_free(text);
    answer_free(&a);
    world_free(s.w);
}
END_TEST

START_TEST(programs__survive_every_allocation_failure_in_every_order)
{
    static const char *const queries[] = {"sort=title&limit=1", "sort=price&currency=EUR&limit=1",
                                          "language=en&limit=1"};
    scene s;
    scene_open(&s);
    make_all(&s);
    for (size_t i = 0; i < 3; i++) {
        answer first = ask(&s, NULL, queries[i]); /* the planner is asked, once */
        ck_assert_int_eq(first.status, 200);
        answer_free(&first);
        bool hit = true;
        for (uint64_t k = 1; hit; k++) {
            (void)sl_mem_fail_at(k, false);
            answer a = ask(&s, NULL, queries[i]);
            hit = sl_mem_fail_at(0, false) >= k;
            ck_assert_msg(a.status == 200 || (hit && a.status == 500), "%d at %d", a.status,
                          (int)k);
            answer_free(&a);
        }
    }
    world_free(s.w);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        programs__are_found_by_what_they_say,
        programs__are_found_between_two_prices_that_belong_to_it,
        programs__come_in_the_order_that_is_asked_for,
        programs__are_read_page_after_page_each_once_in_every_order,
        programs__go_on_where_the_place_was_though_what_was_there_has_gone,
        programs__have_places_for_titles_as_long_as_they_may_be,
        programs__that_one_may_not_read_are_not_where_one_is_told_to_go_on,
        programs__refuse_wrong_parameters_by_name,
        programs__survive_every_allocation_failure_in_every_order,
    };
    world_start();
    int code = sl_test_run(sl_test_suite("offers", tests, sizeof tests / sizeof tests[0]));
    world_end();
    return code;
}
