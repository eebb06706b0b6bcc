/* Many operations in one frame: one transaction, each answered, a rejected one alone undone. */
#include "base/buf.h"
#include "base/hlc.h"
#include "support.h"
#include "unit/service/world.h"

#include <stdio.h>
#include <string.h>

typedef struct push {
    sl_buf b;
    person *p;
    size_t count;
} push;

static void add(push *u, const world *w, const char *kind, const char *entity, const char *space,
                uint32_t number, const char *fields)
{
    char id[SL_UUID_LEN + 1];
    uuid_of(id, number);
    u->p->n++;
    sl_buf_fmt(&u->b,
               "%s{\"n\":%lld,\"op\":\"%s\",\"entity\":\"%s\",\"space\":\"%s\",\"id\":\"%s\","
               "\"hlc\":\"%012llx%04x00000001\"%s%s}",
               u->count > 0 ? "," : "{\"t\":\"push\",\"ops\":[", (long long)u->p->n, kind, entity,
               space, strcmp(entity, "video") == 0 ? sl_space_id(space) : id,
               (unsigned long long)w->now_ms, (unsigned)u->p->n,
               fields != NULL ? ",\"fields\":" : "", fields != NULL ? fields : "");
    u->count++;
}

static void send_again(push *u, world *w)
{
    frames_clear(w);
    say(w, u->p, sl_buf_text(&u->b));
}

static void send(push *u, world *w)
{
    sl_buf_str(&u->b, "]}");
    send_again(u, w);
}

/* The receipt of the k-th operation, of all frames of receipts. */
static const sl_json *receipt(const push *u, const world *w, size_t k)
{
    int64_t n = u->p->n - (int64_t)u->count + 1 + (int64_t)k;
    for (size_t i = 0; i < w->frame_count; i++) {
        const sl_json *f = w->frames[i].frame;
        if (w->frames[i].conn != u->p->conn || f == NULL) {
            continue;
        }
        if (strcmp(sl_json_str(f, "t"), "receipt") == 0 && sl_json_int_or(f, "n", 0) == n) {
            return f;
        }
        for (const sl_json *r = sl_json_first(sl_json_get(f, "receipts")); r != NULL;
             r = sl_json_next(r)) {
            if (sl_json_int_or(r, "n", 0) == n) {
                return r;
            }
        }
    }
    ck_abort_msg("no receipt for operation %zu", k);
    return NULL;
}

static void end(push *u, world *w)
{
    sl_buf_free(&u->b);
    world_free(w);
}

#define BODY "{\"body\":\"text\"}"

START_TEST(push__is_one_transaction_told_in_one_frame)
{
    world *w = world_new();
    person p;
    char space[SL_SPACE_MAX];
    person_make(w, &p, "a@x.y", "athlete", 1);
    video_make(w, &p, space, 1, "clip");
    subscribe(w, &p, space, 0, "");
    push u = {.p = &p};
    for (uint32_t i = 0; i < 20; i++) {
        add(&u, w, "create", "comment", space, 100 + i, BODY);
    }
    add(&u, w, "patch", "comment", space, 100, "{\"body\":\"changed\"}");
    send(&u, w);
    ck_assert_uint_eq(frame_count(w, p.conn, "change"), 1);
    const sl_json *change = frame_at(w, p.conn, "change", 0);
    int64_t head = sl_json_int_or(change, "seq", 0);
    ck_assert_int_eq(head - sl_json_int_or(change, "from", 0), 20);
    ck_assert_uint_eq(sl_json_count(sl_json_get(change, "records")), 20);
    ck_assert_uint_eq(frame_count(w, p.conn, "receipts"), 1);
    for (size_t i = 0; i <= 20; i++) {
        must(receipt(&u, w, i), "applied");
    }
    int64_t first = head - 19;
    ck_assert_int_eq(sl_json_int_or(receipt(&u, w, 0), "seq", 0), first);
    ck_assert_int_eq(sl_json_int_or(receipt(&u, w, 19), "seq", 0), head);
    ck_assert_msg(sl_json_int_or(receipt(&u, w, 20), "seq", 0) == first,
                  "a record takes one number of a transaction");
    end(&u, w);
}
END_TEST

START_TEST(push__a_rejected_one_undoes_only_itself) /* [OP-2] */
{
    world *w = world_new();
    person p;
    char space[SL_SPACE_MAX];
    person_make(w, &p, "a@x.y", "athlete", 1);
    video_make(w, &p, space, 1, "clip");
    push u = {.p = &p};
    add(&u, w, "create", "comment", space, 100, BODY);
    add(&u, w, "create", "comment", space, 100, "{\"body\":\"again\"}");
    add(&u, w, "patch", "comment", space, 100, "{\"body\":\"\"}");
    add(&u, w, "patch", "comment", space, 999, BODY);
    add(&u, w, "create", "hologram", space, 101, BODY);
    add(&u, w, "create", "comment", space, 102, BODY);
    send(&u, w);
    must(receipt(&u, w, 0), "applied");
    must_reject(receipt(&u, w, 1), "SL_E_CONFLICT");
    must_reject(receipt(&u, w, 2), "SL_E_INVALID");
    must_reject(receipt(&u, w, 3), "SL_E_NOT_FOUND");
    must_reject(receipt(&u, w, 4), "SL_E_INVALID");
    must(receipt(&u, w, 5), "applied");
    frames_clear(w);
    subscribe(w, &p, space, 0, "");
    const sl_json *page = frame_at(w, p.conn, "page", 0);
    ck_assert_uint_eq(sl_json_count(sl_json_get(page, "records")), 3);
    end(&u, w);
}
END_TEST

START_TEST(push__a_rejected_creation_of_a_space_leaves_no_space) /* [OP-2] */
{
    static const char clip[] = "{\"title\":\"Serve\",\"media_type\":\"video/mp4\",\"size\":1,"
                               "\"duration_us\":1,\"width\":1,\"height\":1,\"blob\":"
                               "\"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
                               "\"}";
    world *w = world_new();
    person p;
    char id[SL_UUID_LEN + 1];
    char space[SL_SPACE_MAX];
    person_make(w, &p, "a@x.y", "athlete", 1);
    uuid_of(id, 77);
    sl_space_name(space, "video", id);
    push u = {.p = &p};
    add(&u, w, "create", "video", space, 77, "{\"title\":\"no clip\"}");
    add(&u, w, "create", "comment", space, 100, BODY);
    add(&u, w, "create", "video", space, 77, clip);
    add(&u, w, "create", "comment", space, 100, BODY);
    send(&u, w);
    must_reject(receipt(&u, w, 0), "SL_E_INVALID");
    must_reject(receipt(&u, w, 1), "SL_E_DENIED");
    must(receipt(&u, w, 2), "applied");
    must(receipt(&u, w, 3), "applied");
    frames_clear(w);
    subscribe(w, &p, p.own, 0, "");
    const sl_json *list = sl_json_get(frame_at(w, p.conn, "page", 0), "records");
    size_t grants = 0;
    for (const sl_json *r = sl_json_first(list); r != NULL; r = sl_json_next(r)) {
        grants += strcmp(sl_json_str(r, "entity"), "grant") == 0;
    }
    ck_assert_uint_eq(grants, 1);
    end(&u, w);
}
END_TEST

START_TEST(push__is_answered_the_same_when_it_comes_again) /* [OP-1] */
{
    world *w = world_new();
    person p;
    char space[SL_SPACE_MAX];
    person_make(w, &p, "a@x.y", "athlete", 1);
    video_make(w, &p, space, 1, "clip");
    push u = {.p = &p};
    add(&u, w, "create", "comment", space, 100, BODY);
    add(&u, w, "create", "comment", space, 100, BODY);
    add(&u, w, "create", "comment", space, 101, BODY);
    send(&u, w);
    int64_t seqs[3];
    for (size_t i = 0; i < 3; i++) {
        seqs[i] = sl_json_int_or(receipt(&u, w, i), "seq", -1);
    }
    subscribe(w, &p, space, 0, "");
    send_again(&u, w);
    ck_assert_uint_eq(frame_count(w, p.conn, "change"), 0);
    must(receipt(&u, w, 0), "applied");
    must_reject(receipt(&u, w, 1), "SL_E_CONFLICT");
    must(receipt(&u, w, 2), "applied");
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(sl_json_int_or(receipt(&u, w, i), "seq", -1), seqs[i]);
    }
    end(&u, w);
}
END_TEST

START_TEST(push__what_asks_for_earlier_ones_finds_them)
{
    world *w = world_new();
    person a;
    person b;
    char thread[SL_SPACE_MAX];
    char space[SL_SPACE_MAX];
    char fields[200];
    person_make(w, &a, "a@x.y", "athlete", 1);
    person_make(w, &b, "b@x.y", "coach", 2);
    befriend(w, &a, &b, thread);
    video_make(w, &a, space, 1, "clip");
    push u = {.p = &a};
    (void)snprintf(fields, sizeof fields, "{\"user_id\":\"%s\",\"role\":\"coach\"}", b.id);
    add(&u, w, "create", "share", space, 50, fields);
    add(&u, w, "create", "comment", space, 51, BODY);
    add(&u, w, "delete", "video", space, 1, NULL);
    add(&u, w, "create", "comment", space, 52, BODY);
    send(&u, w);
    must(receipt(&u, w, 0), "applied");
    must(receipt(&u, w, 1), "applied");
    must(receipt(&u, w, 2), "applied");
    must_reject(receipt(&u, w, 3), "SL_E_NOT_FOUND");
    ck_assert_msg(frame_at(w, b.conn, "revoked", 0) != NULL, "the share was found and ended");
    end(&u, w);
}
END_TEST

START_TEST(push__of_so_many_operations_and_no_more)
{
    world *w = world_new();
    person p;
    person_make(w, &p, "a@x.y", "athlete", 1);
    for (uint32_t over = 0; over < 2; over++) {
        push u = {.p = &p};
        for (uint32_t i = 0; i < 1024 + over; i++) {
            add(&u, w, "delete", "goal", p.own, 5000 + i, NULL);
        }
        send(&u, w);
        ck_assert_int_eq(closed_with(w, p.conn), over == 0 ? 0 : 4400);
        sl_buf_free(&u.b);
    }
    world_free(w);
}
END_TEST

static bool take_count(void *ctx, const sl_cell *cells, size_t n)
{
    (void)n;
    *(int64_t *)ctx = sl_cell_int_or(&cells[0], -1);
    return true;
}

static int64_t count_of(const world *w, const char *sql)
{
    int64_t count = -1;
    ck_assert_int_eq(w->db.run(w->db.user, sql, NULL, 0, take_count, &count, NULL), SL_OK);
    return count;
}

#define IN_LOG "SELECT count(*) FROM receipt_log"
#define SORTED "SELECT count(*) FROM receipt"

START_TEST(push__receipts_are_sorted_when_there_are_many_and_before_one_is_looked_for) /* [OP-5] */
{
    world *w = world_new();
    person p;
    person_make(w, &p, "a@x.y", "athlete", 1);
    push u[2] = {{.p = &p}, {.p = &p}};
    for (uint32_t i = 0; i < 2048; i++) {
        add(&u[i / 1024], w, "delete", "goal", p.own, 5000 + i, NULL);
    }
    send(&u[0], w);
    int64_t all = count_of(w, IN_LOG) + count_of(w, SORTED);
    ck_assert_int_ge(count_of(w, IN_LOG), 1024);
    send(&u[1], w);
    ck_assert_int_lt(count_of(w, IN_LOG), 1024);
    ck_assert_int_ge(count_of(w, SORTED), 2047);
    person_connect(w, &p);
    send_again(&u[1], w);
    ck_assert_uint_eq(frame_count(w, p.conn, "receipts"), 1);
    ck_assert_int_eq(count_of(w, IN_LOG), 0);
    ck_assert_int_eq(count_of(w, SORTED), all + 1024);
    sl_buf_free(&u[0].b);
    end(&u[1], w);
}
END_TEST

START_TEST(push__survives_a_busy_database_at_any_moment)
{
    for (uint64_t k = 1; k < 60; k++) {
        world *w = world_new();
        person p;
        char space[SL_SPACE_MAX];
        person_make(w, &p, "a@x.y", "athlete", 1);
        video_make(w, &p, space, 1, "clip");
        push u = {.p = &p};
        add(&u, w, "create", "comment", space, 100, BODY);
        add(&u, w, "create", "comment", space, 100, BODY);
        add(&u, w, "create", "comment", space, 101, BODY);
        w->db_fault = SL_E_BUSY;
        w->db_fail_at = k;
        send(&u, w);
        w->db_fail_at = 0;
        must(receipt(&u, w, 0), "applied");
        must_reject(receipt(&u, w, 1), "SL_E_CONFLICT");
        must(receipt(&u, w, 2), "applied");
        end(&u, w);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        push__is_one_transaction_told_in_one_frame,
        push__a_rejected_one_undoes_only_itself,
        push__a_rejected_creation_of_a_space_leaves_no_space,
        push__is_answered_the_same_when_it_comes_again,
        push__what_asks_for_earlier_ones_finds_them,
        push__of_so_many_operations_and_no_more,
        push__receipts_are_sorted_when_there_are_many_and_before_one_is_looked_for,
        push__survives_a_busy_database_at_any_moment};
    world_start();
    int code = sl_test_run(sl_test_suite("push", tests, sizeof tests / sizeof tests[0]));
    world_end();
    return code;
}
