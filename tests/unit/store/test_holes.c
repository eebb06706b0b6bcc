/* A space that is held in part: what it says to hold is there, and what is not it says. [STORE-5] */
#include "base/json.h"
#include "base/mem.h"
#include "sync/sum.h"
#include "unit/store/folder.h"

#define THREAD "thread:01890000-0000-7000-8000-000000000002"
#define OTHER  "thread:01890000-0000-7000-8000-000000000003"
#define EPOCH  "01890000-0000-7000-8000-0000000000ee"

static sl_store *g_store;

static void hold(const char *name, int64_t cursor)
{
    sl_space space = {.cursor = cursor};
    (void)snprintf(space.name, sizeof space.name, "%s", name);
    (void)snprintf(space.epoch, sizeof space.epoch, "%s", EPOCH);
    ck_assert_int_eq(sl_store_set_space(g_store, &space, NULL), SL_OK);
}

static void setup(void)
{
    folder_make();
    g_store = folder_open();
    hold(THREAD, 100);
}

static void teardown(void)
{
    sl_store_close(g_store);
    folder_remove();
}

static void id_of(char out[SL_UUID_LEN + 1], int64_t number)
{
    (void)snprintf(out, SL_UUID_LEN + 1, "01890000-0000-7000-8000-%012d", (int)number);
}

/* The server's state of a message: place 0: none, as a folder of before has it. */
static void confirm(int64_t place, int64_t seq, bool deleted)
{
    char id[SL_UUID_LEN + 1];
    char text[600];
    char at[32] = "";
    sl_record rec = {0};
    id_of(id, place > 0 ? place : 90000 + seq);
    if (place > 0) {
        (void)snprintf(at, sizeof at, ",\"place\":%d", (int)place);
    }
    (void)snprintf(text, sizeof text,
                   "{\"entity\":\"message\",\"id\":\"%s\",\"space\":\"" THREAD "\",\"seq\":%d,"
                   "\"deleted\":%s,\"fields\":{\"kind\":\"text\",\"body\":\"said at %d\"%s},"
                   "\"clocks\":{\"*\":\"000000000100000000000001\"}}",
                   id, (int)seq, deleted ? "true" : "false", (int)place, at);
    sl_json *j = sl_json_parse(text, strlen(text));
    ck_assert_int_eq(sl_record_from_wire(&rec, j, NULL), SL_OK);
    if (deleted) {
        sl_record_bury(&rec);
    }
    ck_assert_int_eq(sl_store_apply_remote(g_store, &rec, NULL), SL_OK);
    sl_json_free(j);
    sl_record_free(&rec);
}

static void local(sl_op_kind kind, int64_t place)
{
    char id[SL_UUID_LEN + 1];
    char text[300];
    sl_op op = {0};
    id_of(id, place);
    (void)snprintf(text, sizeof text,
                   "{\"n\":1,\"op\":\"%s\",\"entity\":\"message\",\"space\":\"" THREAD
                   "\",\"id\":\"%s\",\"fields\":%s,\"hlc\":\"000000000200000000000001\"}",
                   kind == SL_OP_CREATE  ? "create"
                   : kind == SL_OP_PATCH ? "patch"
                                         : "delete",
                   id,
                   kind == SL_OP_CREATE  ? "{\"kind\":\"text\",\"body\":\"mine\"}"
                   : kind == SL_OP_PATCH ? "{\"body\":\"changed here\"}"
                                         : "{}");
    sl_json *j = sl_json_parse(text, strlen(text));
    ck_assert_int_eq(sl_op_from_json(&op, j, NULL), SL_OK);
    ck_assert_int_eq(sl_store_apply_local(g_store, &op, NULL), SL_OK);
    sl_json_free(j);
    sl_op_free(&op);
}

static bool is_here(int64_t number)
{
    char id[SL_UUID_LEN + 1];
    sl_record rec = {0};
    id_of(id, number);
    ck_assert_int_eq(sl_store_record(g_store, sl_entity_find("message"), id, &rec, NULL), SL_OK);
    bool here = rec.entity != NULL;
    sl_record_free(&rec);
    return here;
}

static void says(const char *space, const char *expected)
{
    sl_holes holes;
    char text[SL_HOLES_TEXT];
    ck_assert_int_eq(sl_store_holes(g_store, space, &holes, NULL), SL_OK);
    sl_holes_print(text, &holes);
    ck_assert_str_eq(text, expected);
}

static void add(int64_t above, int64_t upto)
{
    ck_assert_int_eq(sl_store_hole_add(g_store, THREAD, above, upto, NULL), SL_OK);
}

static void take(int64_t above, int64_t upto)
{
    ck_assert_int_eq(sl_store_hole_take(g_store, THREAD, above, upto, NULL), SL_OK);
}

static void begin(void)
{
    ck_assert_int_eq(sl_store_begin(g_store, NULL), SL_OK);
}

static void commit(void)
{
    ck_assert_int_eq(sl_store_commit(g_store, NULL), SL_OK);
}

START_TEST(hole__is_kept_with_the_cursor)
{
    hold(OTHER, 5);
    begin();
    add(0, 60);
    commit();
    begin();
    take(40, 60);
    add(70, 80);
    sl_store_rollback(g_store);
    says(THREAD, "0-60");
    begin();
    take(40, 60);
    add(70, 80);
    hold(THREAD, 120);
    commit();
    sl_store_close(g_store);
    g_store = folder_open();
    says(THREAD, "0-40,70-80");
    says(OTHER, "");
    says("thread:01890000-0000-7000-8000-0000000000ff", "");
}
END_TEST

START_TEST(hole__goes_with_a_reset_and_with_its_space)
{
    begin();
    add(0, 60);
    ck_assert_int_eq(sl_store_drop_space(g_store, THREAD, true, NULL), SL_OK);
    commit();
    says(THREAD, "");
    begin();
    hold(THREAD, 3);
    add(0, 2);
    ck_assert_int_eq(sl_store_drop_space(g_store, THREAD, false, NULL), SL_OK);
    hold(THREAD, 0);
    commit();
    says(THREAD, "");
}
END_TEST

START_TEST(hole__takes_what_was_there_of_it_but_for_what_waits)
{
    begin();
    confirm(10, 10, false);
    confirm(20, 20, false);
    confirm(30, 30, false);
    confirm(0, 31, false);
    local(SL_OP_PATCH, 20);
    add(12, 25);
    commit();
    ck_assert(is_here(10) && is_here(20) && is_here(30) && is_here(90031));
    begin();
    add(0, 25); /* read from the first on: what has no place comes again */
    commit();
    ck_assert(!is_here(10) && is_here(20) && is_here(30) && !is_here(90031));
}
END_TEST

START_TEST(hole__of_many_rows_takes_them_all)
{
    begin();
    for (int64_t p = 1; p <= 450; p++) {
        confirm(p, p, false);
    }
    add(0, 449);
    commit();
    for (int64_t p = 1; p <= 450; p++) {
        ck_assert(is_here(p) == (p == 450));
    }
}
END_TEST

static uint64_t held(void)
{
    uint64_t sum = 0;
    ck_assert_int_eq(sl_store_sum_held(g_store, THREAD, &sum, NULL), SL_OK);
    return sum;
}

static uint64_t part(int64_t number, int64_t seq)
{
    char id[SL_UUID_LEN + 1];
    id_of(id, number);
    return sl_sum_of(id, seq);
}

START_TEST(sum__of_what_is_held_leaves_out_what_lies_in_holes)
{
    begin();
    add(0, 15);
    confirm(10, 50, false); /* changed since: it comes, and the hole stays */
    confirm(20, 20, false);
    confirm(30, 30, false);
    confirm(30, 51, true); /* deleted: it is in no sum */
    local(SL_OP_CREATE, 77);
    commit();
    says(THREAD, "0-15");
    ck_assert(held() == part(20, 20));
    begin();
    local(SL_OP_DELETE, 10); /* hides the place: the confirmed one counts */
    local(SL_OP_DELETE, 20);
    commit();
    ck_assert(held() == part(20, 20));
    begin();
    take(9, 15);
    commit();
    says(THREAD, "0-9");
    ck_assert(held() == part(10, 50) + part(20, 20));
}
END_TEST

START_TEST(sum__of_a_space_that_lost_rows_to_a_hole_is_counted_anew)
{
    sl_space_sum sum;
    begin();
    confirm(10, 10, false);
    confirm(20, 20, false);
    commit();
    begin();
    add(5, 15);
    commit();
    ck_assert_int_eq(sl_store_sum(g_store, THREAD, &sum, NULL), SL_OK);
    ck_assert_int_eq(sum.counted_ms, 0);
    begin();
    ck_assert_int_eq(sl_store_sum_count(g_store, THREAD, 1, NULL), SL_OK);
    commit();
    ck_assert_int_eq(sl_store_sum(g_store, THREAD, &sum, NULL), SL_OK);
    ck_assert(sum.sum == part(20, 20));
}
END_TEST

/* --- order ----------------------------------------------------------------------------------- */

typedef struct listing {
    sl_buf text;
    char last[SL_UUID_LEN + 1];
} listing;

static bool note(void *ctx, const char *id, size_t from)
{
    listing *l = ctx;
    (void)from;
    (void)snprintf(l->last, sizeof l->last, "%s", id);
    return true;
}

/* Numbers of the messages that a query gives. */
static void lists(const char *query, const char *expected)
{
    sl_query *q = NULL;
    sl_buf text = {0};
    sl_buf found = {0};
    listing l = {.last = ""};
    sl_json *j = sl_json_parse(query, strlen(query));
    ck_assert_ptr_nonnull(j);
    ck_assert_int_eq(sl_query_parse(j, &q, NULL), SL_OK);
    ck_assert_int_eq(sl_store_query(g_store, q, &text, note, &l, NULL), SL_OK);
    for (const char *p = sl_buf_text(&text); (p = strstr(p, "\"id\":\"")) != NULL; p++) {
        sl_buf_fmt(&found, "%s%d", found.len > 0 ? " " : "", atoi(p + 6 + 24));
    }
    ck_assert_str_eq(found.len > 0 ? sl_buf_text(&found) : "", expected);
    sl_buf_free(&text);
    sl_buf_free(&found);
    sl_query_free(q);
    sl_json_free(j);
}

#define Q(rest) \
    "{\"from\":\"message\",\"where\":{\"space\":\"" THREAD "\"},\"select\":[\"id\"]," rest "}"
#define LAST(n) "\"id\":\"01890000-0000-7000-8000-0000000000" n "\""

START_TEST(order__by_place_has_what_waits_behind_all_others)
{
    begin();
    confirm(20, 20, false);
    confirm(10, 55, false); /* edited: it stays where it was */
    confirm(30, 30, false);
    local(SL_OP_CREATE, 91);
    local(SL_OP_CREATE, 90);
    commit();
    lists(Q("\"order\":[\"place\"]"), "10 20 30 90 91");
    lists(Q("\"order\":[\"-place\",\"-id\"]"), "91 90 30 20 10");
    lists(Q("\"order\":[\"-place\"],\"limit\":3"), "90 91 30");
    lists(Q("\"order\":[\"place\"],\"after\":{\"place\":10," LAST("10") "},\"limit\":2"), "20 30");
    lists(Q("\"order\":[\"place\"],\"after\":{\"place\":30," LAST("30") "}"), "90 91");
    lists(Q("\"order\":[\"place\"],\"after\":{\"place\":null," LAST("90") "}"), "91");
    lists(Q("\"order\":[\"-place\"],\"after\":{\"place\":null," LAST("91") "}"), "30 20 10");
    lists(Q("\"order\":[\"-place\"],\"after\":{\"place\":20," LAST("20") "}"), "10");
}
END_TEST

SL_TEST_MAIN_WITH("store_holes", setup, teardown, hole__is_kept_with_the_cursor,
                  hole__goes_with_a_reset_and_with_its_space,
                  hole__takes_what_was_there_of_it_but_for_what_waits,
                  hole__of_many_rows_takes_them_all,
                  sum__of_what_is_held_leaves_out_what_lies_in_holes,
                  sum__of_a_space_that_lost_rows_to_a_hole_is_counted_anew,
                  order__by_place_has_what_waits_behind_all_others)
