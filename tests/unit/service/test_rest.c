/* The feed and pushes as requests: the same rules, receipts and pages as on the live channel. */
#include "base/mem.h"
#include "service/inside.h"
#include "support.h"
#include "unit/service/world.h"

#include <stdio.h>
#include <string.h>

typedef struct talk {
    world *w;
    person ana;
    person cleo;
    char thread[SL_SPACE_MAX];
} talk;

static void talk_open(talk *t)
{
    t->w = world_new();
    person_make(t->w, &t->ana, "a@x.y", "athlete", 1);
    person_make(t->w, &t->cleo, "c@x.y", "coach", 2);
    befriend(t->w, &t->ana, &t->cleo, t->thread);
}

static answer ask(talk *t, const person *p, const char *method, const char *path, const char *body)
{
    return signed_request(t->w, p, method, path, "content-type: application/json\n", body,
                          body != NULL ? strlen(body) : 0);
}

/* The status of a request; its error's name. */
static int32_t asks(talk *t, const char *method, const char *path, const char *body,
                    const char *name)
{
    answer a = ask(t, &t->ana, method, path, body);
    int32_t status = a.status;
    const char *error = sl_json_str(a.body, "error");
    ck_assert_str_eq(error != NULL ? error : "", name);
    answer_free(&a);
    return status;
}

static void message_op(char *out, size_t room, const talk *t, int64_t n, uint32_t id,
                       const char *stamp)
{
    char uuid[SL_UUID_LEN + 1];
    uuid_of(uuid, 5000 + id);
    (void)snprintf(
        out, room,
        "{\"n\":%d,\"op\":\"create\",\"entity\":\"message\",\"space\":\"%s\",\"id\":\"%s\","
        "\"fields\":{\"kind\":\"text\",\"body\":\"number %u\"},\"hlc\":\"%s\"}",
        (int)n, t->thread, uuid, id, stamp);
}

#define STAMP "018c00000000000000000001"

/* Pushes messages of these numbers; the answer. */
static answer push(talk *t, const person *p, int64_t n, uint32_t first, uint32_t count)
{
    static char body[400000];
    size_t at = (size_t)snprintf(body, sizeof body, "{\"ops\":[");
    for (uint32_t i = 0; i < count; i++) {
        char op_text[400];
        message_op(op_text, sizeof op_text, t, n + i, first + i, STAMP);
        at += (size_t)snprintf(body + at, sizeof body - at, "%s%s", i > 0 ? "," : "", op_text);
    }
    (void)snprintf(body + at, sizeof body - at, "]}");
    return ask(t, p, "POST", "/api/v1/sync/push", body);
}

static const sl_json *receipt_of(const answer *a, size_t i)
{
    ck_assert_int_eq(a->status, 200);
    return sl_json_at(sl_json_get(a->body, "receipts"), i);
}

START_TEST(
    push__answers_each_operation_once_however_often_and_whichever_way_it_comes) /* [REST-1] */
{
    talk t;
    talk_open(&t);
    subscribe(t.w, &t.cleo, t.thread, 0, "");
    frames_clear(t.w);
    answer a = push(&t, &t.ana, 50, 1, 3);
    int64_t seq = sl_json_int_or(receipt_of(&a, 0), "seq", 0);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_str_eq(sl_json_str(receipt_of(&a, i), "result"), "applied");
        ck_assert_int_eq(sl_json_int_or(receipt_of(&a, i), "n", 0), 50 + (int64_t)i);
        ck_assert_int_eq(sl_json_int_or(receipt_of(&a, i), "seq", 0), seq + (int64_t)i);
    }
    ck_assert_uint_eq(frame_count(t.w, t.cleo.conn, "change"), 1); /* heard by who listens */
    answer again = push(&t, &t.ana, 50, 1, 3);
    ck_assert(sl_json_equal(a.body, again.body));
    answer_free(&again);
    char frame[500] = "{\"t\":\"op\",";
    char op_text[400];
    message_op(op_text, sizeof op_text, &t, 51, 2, STAMP);
    (void)snprintf(frame + strlen(frame), sizeof frame - strlen(frame), "%s", op_text + 1);
    say(t.w, &t.ana, frame);
    const sl_json *r = frame_at(t.w, t.ana.conn, "receipt", 0);
    ck_assert_int_eq(sl_json_int_or(r, "seq", 0), seq + 1);
    again = push(&t, &t.ana, 52, 3, 1); /* one alone is a list too */
    ck_assert_uint_eq(sl_json_count(sl_json_get(again.body, "receipts")), 1);
    ck_assert_int_eq(sl_json_int_or(receipt_of(&again, 0), "seq", 0), seq + 2);
    answer_free(&again);
    ck_assert_uint_eq(frame_count(t.w, t.cleo.conn, "change"), 1);
    answer_free(&a);
    world_free(t.w);
}
END_TEST

START_TEST(push__refuses_one_operation_and_applies_the_rest)
{
    talk t;
    talk_open(&t);
    char body[2000];
    char ops[3][400];
    for (uint32_t i = 0; i < 3; i++) {
        message_op(ops[i], sizeof ops[i], &t, 60 + i, 10 + i, STAMP);
    }
    memcpy(strstr(ops[1], "\"kind\""), "\"kinx\"", 6);
    (void)snprintf(body, sizeof body, "{\"t\":\"push\",\"ops\":[%s,%s,%s]}", ops[0], ops[1],
                   ops[2]);
    answer a = ask(&t, &t.ana, "POST", "/api/v1/sync/push", body);
    ck_assert_str_eq(sl_json_str(receipt_of(&a, 0), "result"), "applied");
    ck_assert_str_eq(sl_json_str(receipt_of(&a, 1), "result"), "rejected");
    ck_assert_str_eq(sl_json_str(receipt_of(&a, 1), "code"), "SL_E_INVALID");
    ck_assert_str_eq(sl_json_str(receipt_of(&a, 2), "result"), "applied");
    answer_free(&a);
    message_op(ops[0], sizeof ops[0], &t, 60, 13, "018c00000000000100000001");
    (void)snprintf(body, sizeof body, "{\"ops\":[%s]}",
                   ops[0]); /* the number under another stamp */
    a = ask(&t, &t.ana, "POST", "/api/v1/sync/push", body);
    ck_assert_str_eq(sl_json_str(receipt_of(&a, 0), "code"), "SL_E_CONFLICT");
    answer_free(&a);
    world_free(t.w);
}
END_TEST

START_TEST(push__forgets_receipts_below_the_floor_that_it_is_told)
{
    talk t;
    char body[600];
    char op_text[400];
    talk_open(&t);
    answer a = push(&t, &t.ana, 70, 20, 2);
    answer_free(&a);
    message_op(op_text, sizeof op_text, &t, 72, 22, STAMP);
    (void)snprintf(body, sizeof body, "{\"floor\":71,\"ops\":[%s]}", op_text);
    a = ask(&t, &t.ana, "POST", "/api/v1/sync/push", body);
    ck_assert_str_eq(sl_json_str(receipt_of(&a, 0), "result"), "applied");
    answer_free(&a);
    a = push(&t, &t.ana, 70, 20, 2); /* the floor stays when it is not told */
    ck_assert_str_eq(sl_json_str(receipt_of(&a, 0), "code"), "SL_E_CONFLICT");
    ck_assert_str_eq(sl_json_str(receipt_of(&a, 1), "result"), "applied");
    answer_free(&a);
    world_free(t.w);
}
END_TEST

START_TEST(push__that_is_broken_as_a_whole_does_nothing)
{
    static const char *const wrong[] = {"",
                                        "[]",
                                        "{}",
                                        "{\"ops\":{}}",
                                        "{\"ops\":[]}",
                                        "{\"ops\":[1]}",
                                        "{\"ops\":[{}]}",
                                        "{\"ops\":[{\"n\":0}]}",
                                        "{\"ops\":[{\"n\":2},{\"n\":2}]}",
                                        "{\"ops\":[{\"n\":1}],\"floor\":-1}",
                                        "not JSON",
                                        "{\"ops\":[{\"n\":1}]",
                                        "{ \"t\":\"subscribe\",\"ops\":7}"};
    talk t;
    talk_open(&t);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        ck_assert_msg(asks(&t, "POST", "/api/v1/sync/push", wrong[i], "bad_request") == 400, "%s",
                      wrong[i]);
    }
    ck_assert_int_eq(asks(&t, "GET", "/api/v1/sync/push", NULL, "method_not_allowed"), 405);
    answer a = push(&t, &t.ana, 80, 30, 1024);
    ck_assert_uint_eq(sl_json_count(sl_json_get(a.body, "receipts")), 1024);
    answer_free(&a);
    a = push(&t, &t.ana, 2000, 2000, 1025);
    ck_assert_int_eq(a.status, 400);
    answer_free(&a);
    char *large = calloc(1, 1024 * 1024 + 2);
    memset(large, ' ', 1024 * 1024 + 1);
    ck_assert_int_eq(asks(&t, "POST", "/api/v1/sync/push", large, "too_large"), 413);
    free(large);
    a = request(t.w, "POST", "/api/v1/sync/push", "", "{}", 2);
    ck_assert_int_eq(a.status, 401);
    answer_free(&a);
    world_free(t.w);
}
END_TEST

START_TEST(push__that_the_database_fails_is_answered_503_and_can_be_sent_again)
{
    talk t;
    talk_open(&t);
    t.w->db_fault = SL_E_FULL;
    t.w->db_fail_at = 6;
    answer a = push(&t, &t.ana, 90, 40, 2);
    ck_assert_int_eq(a.status, 503);
    ck_assert_str_eq(answer_header(&a, "Retry-After"), "5");
    answer_free(&a);
    t.w->db_fail_at = 0;
    a = push(&t, &t.ana, 90, 40, 2);
    ck_assert_str_eq(sl_json_str(receipt_of(&a, 1), "result"), "applied");
    answer_free(&a);
    world_free(t.w);
}
END_TEST

/* --- pull ------------------------------------------------------------------------------------ */

START_TEST(pull__pages_follow_each_other_to_the_head) /* [REST-2] */
{
    talk t;
    char body[300];
    char epoch[64] = "";
    talk_open(&t);
    for (uint32_t i = 0; i < 3; i++) {
        answer a = push(&t, &t.cleo, 100 + 400 * i, 100 + 400 * i, 400);
        answer_free(&a);
    }
    int64_t at = 0;
    size_t records = 0;
    size_t pages = 0;
    bool more = true;
    while (more) {
        (void)snprintf(body, sizeof body, "{\"space\":\"%s\",\"epoch\":\"%s\",\"from\":%d}",
                       t.thread, epoch, (int)at);
        answer a = ask(&t, &t.ana, "POST", "/api/v1/sync/pull", body);
        ck_assert_int_eq(a.status, 200);
        ck_assert_int_eq(sl_json_int_or(a.body, "from", -1), at);
        more = sl_json_bool_or(a.body, "more", true);
        ck_assert((sl_json_str(a.body, "sum") == NULL) == more);
        ck_assert_str_eq(sl_json_str(a.body, "role"), "member");
        at = sl_json_int_or(a.body, "to", -1);
        records += sl_json_count(sl_json_get(a.body, "records"));
        (void)snprintf(epoch, sizeof epoch, "%s", sl_json_str(a.body, "epoch"));
        pages++;
        answer_free(&a);
    }
    ck_assert_uint_eq(records, 1203);
    ck_assert_uint_eq(pages, 3);
    (void)snprintf(body, sizeof body, "/api/v1/sync/pull");
    answer a = signed_request(t.w, &t.ana, "GET", body, "", NULL, 0);
    ck_assert_int_eq(a.status, 422); /* no space is named */
    answer_free(&a);
    world_free(t.w);
}
END_TEST

START_TEST(pull__with_a_window_keeps_to_the_range_that_it_left_out)
{
    talk t;
    char body[300];
    char holes[64];
    char epoch[64];
    size_t records = 0;
    talk_open(&t);
    answer a = push(&t, &t.cleo, 100, 100, 900);
    int64_t first = sl_json_int_or(receipt_of(&a, 0), "seq", 0);
    answer_free(&a);
    (void)snprintf(body, sizeof body, "{\"space\":\"%s\",\"last\":600}", t.thread);
    a = ask(&t, &t.ana, "POST", "/api/v1/sync/pull", body);
    (void)snprintf(holes, sizeof holes, "%s", sl_json_str(a.body, "holes"));
    (void)snprintf(epoch, sizeof epoch, "%s", sl_json_str(a.body, "epoch"));
    ck_assert(sl_json_bool_or(a.body, "more", false));
    records = sl_json_count(sl_json_get(a.body, "records"));
    int64_t at = sl_json_int_or(a.body, "to", -1);
    answer_free(&a);
    char expected[64];
    (void)snprintf(expected, sizeof expected, "0-%d", (int)(first + 299));
    ck_assert_str_eq(holes, expected);
    (void)snprintf(body, sizeof body,
                   "{\"space\":\"%s\",\"epoch\":\"%s\",\"from\":%d,\"holes\":\"%s\"}", t.thread,
                   epoch, (int)at, holes);
    a = ask(&t, &t.ana, "POST", "/api/v1/sync/pull", body);
    ck_assert(!sl_json_bool_or(a.body, "more", true));
    records += sl_json_count(sl_json_get(a.body, "records"));
    ck_assert_uint_eq(records, 603);
    answer_free(&a);
    (void)snprintf(body, sizeof body, "{\"space\":\"%s\",\"from\":0,\"to\":%d,\"limit\":10}",
                   t.thread, (int)(first + 299));
    a = ask(&t, &t.ana, "POST", "/api/v1/sync/load", body);
    ck_assert_int_eq(a.status, 200);
    ck_assert_uint_eq(sl_json_count(sl_json_get(a.body, "records")), 10);
    ck_assert_int_eq(sl_json_int_or(a.body, "from", 0), first + 289);
    ck_assert_int_eq(sl_json_int_or(a.body, "to", 0), first + 299);
    answer_free(&a);
    world_free(t.w);
}
END_TEST

START_TEST(pull__is_for_who_may_hold_the_space)
{
    talk t;
    person eve;
    char body[200];
    talk_open(&t);
    person_make(t.w, &eve, "e@x.y", "athlete", 3);
    static const char *const paths[] = {"/api/v1/sync/pull", "/api/v1/sync/load"};
    (void)snprintf(body, sizeof body, "{\"space\":\"%s\",\"limit\":5,\"to\":9}", t.thread);
    for (size_t i = 0; i < 2; i++) {
        answer a = ask(&t, &eve, "POST", paths[i], body);
        ck_assert_int_eq(a.status, 404);
        answer_free(&a);
        a = request(t.w, "POST", paths[i], "", body, strlen(body));
        ck_assert_int_eq(a.status, 401);
        answer_free(&a);
        ck_assert_int_eq(asks(&t, "DELETE", paths[i], body, "method_not_allowed"), 405);
    }
    ck_assert_int_eq(asks(&t, "POST", paths[0],
                          "{\"space\":\"thread:01890000-0000-7000-8000-000000000001\"}",
                          "not_found"),
                     404);
    world_free(t.w);
}
END_TEST

START_TEST(pull__of_a_cursor_that_is_of_no_use_says_reset)
{
    talk t;
    char body[300];
    talk_open(&t);
    (void)snprintf(body, sizeof body, "{\"space\":\"%s\",\"from\":2}", t.thread);
    ck_assert_int_eq(asks(&t, "POST", "/api/v1/sync/pull", body, "reset"), 409);
    (void)snprintf(
        body, sizeof body,
        "{\"space\":\"%s\",\"from\":2,\"epoch\":\"01890000-0000-7000-8000-000000000001\"}",
        t.thread);
    ck_assert_int_eq(asks(&t, "POST", "/api/v1/sync/pull", body, "reset"), 409);
    world_free(t.w);
}
END_TEST

START_TEST(pull__refuses_wrong_parameters_by_name)
{
    static const char *const wrong[][2] = {
        {"\"from\":-1", "from"},      {"\"from\":\"x\"", "from"},        {"\"from\":1.5", "from"},
        {"\"last\":-1", "last"},      {"\"epoch\":7", "epoch"},          {"\"holes\":7", "holes"},
        {"\"holes\":\"x\"", "holes"}, {"\"holes\":\"1-2,4-5\"", "holes"}};
    talk t;
    char body[300];
    talk_open(&t);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        (void)snprintf(body, sizeof body, "{\"space\":\"%s\",%s}", t.thread, wrong[i][0]);
        answer a = ask(&t, &t.ana, "POST", "/api/v1/sync/pull", body);
        ck_assert_int_eq(a.status, 422);
        ck_assert_ptr_nonnull(sl_json_get(sl_json_get(a.body, "fields"), wrong[i][1]));
        answer_free(&a);
    }
    (void)snprintf(body, sizeof body, "{\"space\":\"%s\",\"to\":9}", t.thread);
    ck_assert_int_eq(asks(&t, "POST", "/api/v1/sync/load", body, "validation_failed"), 422);
    ck_assert_int_eq(asks(&t, "POST", "/api/v1/sync/pull", "[]", "bad_request"), 400);
    ck_assert_int_eq(asks(&t, "POST", "/api/v1/sync/pull", "", "bad_request"), 400);
    world_free(t.w);
}
END_TEST

/* ---- at once ---- */

static const char *who_header(void *ctx, const char *name)
{
    static char text[4096];
    const person *p = ctx;
    if (p == NULL || strcmp(name, "authorization") != 0) {
        return NULL;
    }
    (void)snprintf(text, sizeof text, "Bearer %s", p->access);
    return text;
}

/* 0: not at once. */
static int32_t now_status(const talk *t, person *p, const char *query, char *body, size_t room)
{
    sl_http_out out;
    sl_http_in in = {.method = "GET",
                     .path = "/api/v1/sync/load",
                     .query = query,
                     .header = who_header,
                     .ctx = p};
    bool done = sl_service_http_now(t->w->s, &in, &out);
    if (!done) {
        return 0;
    }
    int32_t status = out.status;
    (void)snprintf(body, room, "%.*s", out.body != NULL ? (int)sl_bytes_len(out.body) : 0,
                   out.body != NULL ? (const char *)sl_bytes_data(out.body) : "");
    sl_http_out_free(&out);
    return status;
}

START_TEST(now__answers_small_questions_as_they_are_answered_else)
{
    talk t;
    char query[300];
    char path[340];
    char id[SL_UUID_LEN + 1];
    char body[2000];
    talk_open(&t);
    answer a = push(&t, &t.ana, 50, 1, 1);
    ck_assert_int_eq(a.status, 200);
    answer_free(&a);
    uuid_of(id, 5001);
    (void)snprintf(query, sizeof query, "space=%s&id=%s&limit=50", t.thread, id);
    ck_assert_int_eq(now_status(&t, &t.ana, query, body, sizeof body), 200);
    (void)snprintf(path, sizeof path, "/api/v1/sync/load?%s", query);
    a = ask(&t, &t.ana, "GET", path, NULL);
    ck_assert_int_eq(a.status, 200);
    char *text = sl_json_print(a.body);
    ck_assert_str_eq(text, body);
    ck_assert_ptr_nonnull(strstr(text, "number 1"));
    sl_mem_free(text);
    answer_free(&a);
    ck_assert_int_eq(now_status(&t, &t.ana, "space=x&limit=1", body, sizeof body), 422);
    world_free(t.w);
}
END_TEST

START_TEST(now__is_not_for_strangers_nor_much_nor_while_another_is_at_it)
{
    talk t;
    char query[300];
    char body[2000];
    talk_open(&t);
    (void)snprintf(query, sizeof query, "space=%s&limit=51", t.thread);
    ck_assert_int_eq(now_status(&t, &t.ana, query, body, sizeof body), 0);
    (void)snprintf(query, sizeof query, "space=%s", t.thread);
    ck_assert_int_eq(now_status(&t, &t.ana, query, body, sizeof body), 0);
    (void)snprintf(query, sizeof query, "space=%s&limit=1", t.thread);
    ck_assert_int_eq(now_status(&t, NULL, query, body, sizeof body), 0);
    sl_lock(t.w->s->lock);
    ck_assert_int_eq(now_status(&t, &t.ana, query, body, sizeof body), 0);
    sl_unlock(t.w->s->lock);
    ck_assert_int_eq(now_status(&t, &t.ana, query, body, sizeof body), 200);
    world_free(t.w);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        push__answers_each_operation_once_however_often_and_whichever_way_it_comes,
        push__refuses_one_operation_and_applies_the_rest,
        push__forgets_receipts_below_the_floor_that_it_is_told,
        push__that_is_broken_as_a_whole_does_nothing,
        push__that_the_database_fails_is_answered_503_and_can_be_sent_again,
        pull__pages_follow_each_other_to_the_head,
        pull__with_a_window_keeps_to_the_range_that_it_left_out,
        pull__is_for_who_may_hold_the_space,
        pull__of_a_cursor_that_is_of_no_use_says_reset,
        pull__refuses_wrong_parameters_by_name,
        now__answers_small_questions_as_they_are_answered_else,
        now__is_not_for_strangers_nor_much_nor_while_another_is_at_it};
    world_start();
    int code = sl_test_run(sl_test_suite("rest", tests, sizeof tests / sizeof tests[0]));
    world_end();
    return code;
}
