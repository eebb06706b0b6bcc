/* Whom a change concerns: what live queries ask with every one. */
#include "base/mem.h"
#include "store/query.h"
#include "unit/store/folder.h"

#define SPACE "video:01890000-0000-7000-8000-00000000000"

static sl_store *g_store;

static void setup(void)
{
    folder_make();
    g_store = folder_open();
}

static void teardown(void)
{
    sl_store_close(g_store);
    folder_remove();
}

static bool concerns(const char *where, const char *space)
{
    char query[400];
    sl_query *q = NULL;
    (void)snprintf(query, sizeof query, "{\"from\":\"comment\",\"where\":%s}", where);
    sl_json *j = sl_json_parse(query, strlen(query));
    ck_assert_int_eq(sl_query_parse(j, &q, NULL), SL_OK);
    bool answer = sl_query_concerns(q, sl_entity_find("comment"), space);
    ck_assert(!sl_query_concerns(q, sl_entity_find("message"), space));
    sl_query_free(q);
    sl_json_free(j);
    return answer;
}

START_TEST(query__concerns_only_the_space_that_must_match)
{
    static const char *const only[] = {"{\"space\":\"" SPACE "1\"}",
                                       "{\"space\":{\"eq\":\"" SPACE "1\"}}",
                                       "{\"and\":[{\"seq\":1},{\"space\":\"" SPACE "1\"}]}",
                                       "{\"and\":[{\"and\":[{\"space\":\"" SPACE "1\"}]}]}"};
    static const char *const any[] = {"{\"or\":[{\"space\":\"" SPACE "1\"}]}",
                                      "{\"not\":{\"space\":\"" SPACE "1\"}}",
                                      "{\"and\":[{\"or\":[{\"space\":\"" SPACE "1\"}]}]}",
                                      "{\"space\":{\"ne\":\"" SPACE "1\"}}",
                                      "{\"space\":{\"in\":[\"" SPACE "1\"]}}",
                                      "{}"};
    for (size_t i = 0; i < sizeof only / sizeof only[0]; i++) {
        ck_assert(concerns(only[i], SPACE "1"));
        ck_assert(!concerns(only[i], SPACE "2"));
    }
    for (size_t i = 0; i < sizeof any / sizeof any[0]; i++) {
        ck_assert(concerns(any[i], SPACE "1"));
        ck_assert(concerns(any[i], SPACE "2"));
    }
}
END_TEST

enum {
    PLAN_MAX = 1000
};

static bool add_plan(void *ctx, const sl_cell *cells, size_t n)
{
    char *plan = ctx;
    size_t have = strlen(plan);
    (void)snprintf(plan + have, PLAN_MAX - have, "%s\n", n == 4 ? sl_cell_str(&cells[3]) : "");
    return true;
}

/* How SQLite looks for one record by the conditions of a query. */
static const char *plan_of(const char *query)
{
    static char plan[PLAN_MAX];
    char sql[2000];
    sl_query *q = NULL;
    sl_json *j = sl_json_parse(query, strlen(query));
    ck_assert_int_eq(sl_query_parse(j, &q, NULL), SL_OK);
    (void)sl_store_meets(g_store, q, "01890000-0000-7000-8000-000000000001");
    (void)snprintf(sql, sizeof sql, "EXPLAIN QUERY PLAN %s", q->one);
    plan[0] = 0;
    ck_assert_int_eq(sl_sql_run(g_store->sql, sql, q->params, q->param_count, add_plan, plan, NULL),
                     SL_OK);
    sl_query_free(q);
    sl_json_free(j);
    return plan;
}

START_TEST(meets__looks_for_the_record_by_its_id)
{
    static const char *const queries[] = {
        "{\"from\":\"comment\"}", "{\"from\":\"comment\",\"where\":{\"space\":\"" SPACE "1\"}}",
        ("{\"from\":\"comment\",\"where\":{\"space\":\"" SPACE "1\",\"at_us\":{\"gt\":3}},"
         "\"order\":[\"at_us\"],\"limit\":5}"),
        "{\"from\":\"comment\",\"where\":{\"or\":[{\"at_us\":3},{\"space\":\"" SPACE "1\"}]}}",
        ("{\"from\":\"message\",\"where\":{\"space\":\"thread:x\",\"place\":{\"lt\":9}},"
         "\"order\":[\"-place\"]}")};
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        const char *plan = plan_of(queries[i]);
        bool by_id = strstr(plan, "_1 (id=?)") != NULL;
        ck_assert_msg(by_id && strstr(plan, "SCAN") == NULL, "%s:\n%s", queries[i], plan);
    }
}
END_TEST

SL_TEST_MAIN_WITH("store_meets", setup, teardown, query__concerns_only_the_space_that_must_match,
                  meets__looks_for_the_record_by_its_id)
