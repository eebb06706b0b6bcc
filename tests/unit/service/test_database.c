/* The SQLite driver, the tables over it, and several threads at once. */
#include "support.h"
#include "unit/service/world.h"

#include "base/thread.h"
#include "server/db_sqlite.h"

#include <stdio.h>
#include <string.h>

typedef struct seen {
    size_t rows;
    sl_cell_kind kinds[8];
    int64_t ints[8];
    double reals[8];
    char texts[8][32];
    size_t stop_after;
    const sl_db *inner; /* runs a statement inside the row */
} seen;

static bool look(void *ctx, const sl_cell *cells, size_t n)
{
    seen *s = ctx;
    s->rows++;
    for (size_t i = 0; i < n && i < 8; i++) {
        s->kinds[i] = cells[i].kind;
        s->ints[i] = cells[i].i;
        s->reals[i] = cells[i].r;
        (void)snprintf(s->texts[i], sizeof s->texts[i], "%s",
                       cells[i].kind == SL_CELL_TEXT ? cells[i].text : "");
    }
    if (s->inner != NULL) {
        seen deep = {0};
        ck_assert_int_eq(
            s->inner->run(s->inner->user, "SELECT k FROM t ORDER BY k", NULL, 0, look, &deep, NULL),
            SL_OK);
        ck_assert_uint_eq(deep.rows, 3);
    }
    return s->stop_after == 0 || s->rows < s->stop_after;
}

static sl_db open_db(void)
{
    sl_db db;
    ck_assert_int_eq(sl_db_sqlite_open(":memory:", NULL, &db, NULL), SL_OK);
    ck_assert_int_eq(db.run(db.user,
                            "CREATE TABLE t (k BIGINT PRIMARY KEY, v TEXT, r DOUBLE PRECISION);"
                            "INSERT INTO t VALUES (1, 'one', 0.5), (2, NULL, NULL), (3, '', 3);",
                            NULL, 0, NULL, NULL, NULL),
                     SL_OK);
    return db;
}

START_TEST(driver__parameters_go_by_number_not_by_place)
{
    sl_db db = open_db();
    const sl_cell args[] = {sl_cell_text("one"), sl_cell_int(1)};
    seen s = {0};
    ck_assert_int_eq(db.run(db.user, "SELECT k, v, r, $1, $2 FROM t WHERE k=$2 AND v=$1", args, 2,
                            look, &s, NULL),
                     SL_OK);
    ck_assert_uint_eq(s.rows, 1);
    ck_assert_int_eq(s.ints[0], 1);
    ck_assert_str_eq(s.texts[1], "one");
    ck_assert_double_eq(s.reals[2], 0.5);
    ck_assert_str_eq(s.texts[3], "one");
    ck_assert_int_eq(s.ints[4], 1);
    db.close(db.user);
}
END_TEST

START_TEST(driver__rows_stop_on_request_and_statements_nest)
{
    sl_db db = open_db();
    seen s = {.stop_after = 2};
    ck_assert_int_eq(db.run(db.user, "SELECT k FROM t ORDER BY k", NULL, 0, look, &s, NULL), SL_OK);
    ck_assert_uint_eq(s.rows, 2);
    seen nest = {.inner = &db};
    ck_assert_int_eq(db.run(db.user, "SELECT k FROM t ORDER BY k", NULL, 0, look, &nest, NULL),
                     SL_OK);
    ck_assert_uint_eq(nest.rows, 3);
    seen null = {0};
    ck_assert_int_eq(db.run(db.user, "SELECT v FROM t WHERE k=2", NULL, 0, look, &null, NULL),
                     SL_OK);
    ck_assert_int_eq(null.kinds[0], SL_CELL_NULL);
    db.close(db.user);
}
END_TEST

START_TEST(driver__a_rolled_back_transaction_leaves_nothing)
{
    sl_db db = open_db();
    const sl_cell args[] = {sl_cell_int(9)};
    for (int commit = 0; commit < 2; commit++) {
        ck_assert_int_eq(db.begin(db.user, NULL), SL_OK);
        ck_assert_int_eq(
            db.run(db.user, "INSERT INTO t (k) VALUES ($1)", args, 1, NULL, NULL, NULL), SL_OK);
        if (commit != 0) {
            ck_assert_int_eq(db.commit(db.user, NULL), SL_OK);
        } else {
            db.rollback(db.user);
        }
        db.rollback(db.user); /* without a transaction: nothing */
        seen s = {0};
        ck_assert_int_eq(db.run(db.user, "SELECT k FROM t WHERE k=$1", args, 1, look, &s, NULL),
                         SL_OK);
        ck_assert_uint_eq(s.rows, (size_t)commit);
    }
    db.close(db.user);
}
END_TEST

START_TEST(driver__says_what_went_wrong)
{
    sl_db db = open_db();
    sl_error *err = NULL;
    const sl_cell args[] = {sl_cell_int(1)};
    ck_assert_int_eq(db.run(db.user, "INSERT INTO t (k) VALUES ($1)", args, 1, NULL, NULL, &err),
                     SL_E_CONFLICT);
    ck_assert_ptr_nonnull(err);
    sl_error_release(err);
    ck_assert_int_eq(db.run(db.user, "SELEKT 1", NULL, 0, NULL, NULL, NULL), SL_E_INTERNAL);
    /* Hundreds of different statements: the cache gives way. */
    for (int i = 0; i < 300; i++) {
        char sql[64];
        seen s = {0};
        (void)snprintf(sql, sizeof sql, "SELECT %d", i);
        ck_assert_int_eq(db.run(db.user, sql, NULL, 0, look, &s, NULL), SL_OK);
        ck_assert_int_eq(s.ints[0], i);
    }
    db.close(db.user);
}
END_TEST

START_TEST(tables__gain_the_columns_that_the_schema_gained)
{
    static const char path[] = "service_columns.db";
    static const char old[] =
        "DROP TABLE \"comment\";"
        "CREATE TABLE \"comment\" (\"space\" TEXT NOT NULL, \"id\" TEXT NOT NULL,"
        " \"seq\" BIGINT NOT NULL, \"deleted\" BIGINT NOT NULL, \"clocks\" TEXT NOT NULL,"
        " \"ext\" TEXT, \"body\" TEXT, PRIMARY KEY (\"id\", \"space\"));"
        "UPDATE meta SET value='body,' WHERE name='columns.comment';"
        "DROP TABLE \"share\";"
        "DELETE FROM meta WHERE name='columns.share';";
    (void)remove(path);
    world *w = world_new_at(path);
    person p;
    char space[SL_SPACE_MAX];
    char id[SL_UUID_LEN + 1];
    person_make(w, &p, "a@x.y", "athlete", 1);
    video_make(w, &p, space, 1, "clip");
    sl_service_close(w->s);
    w->s = NULL;
    sl_db db;
    ck_assert_int_eq(sl_db_sqlite_open(path, NULL, &db, NULL), SL_OK);
    ck_assert_int_eq(db.run(db.user, old, NULL, 0, NULL, NULL, NULL), SL_OK);
    db.close(db.user);
    world_reopen(w);
    person_connect(w, &p);
    uuid_of(id, 7);
    must(op(w, &p, "create", "comment", space, id, "{\"body\":\"x\",\"at_us\":5}"), "applied");
    frames_clear(w);
    subscribe(w, &p, space, 0, "");
    const sl_json *r = sl_json_at(sl_json_get(frame_at(w, p.conn, "page", 0), "records"), 1);
    ck_assert_int_eq(sl_json_int_or(sl_json_get(r, "fields"), "at_us", 0), 5);
    ck_assert_str_eq(sl_json_str(sl_json_get(r, "fields"), "author_id"), p.id);
    world_free(w);
    (void)remove(path);
}
END_TEST

enum {
    THREADS = 4,
    ROUNDS = 40
};

typedef struct worker {
    world *w;
    person *p;
    const char *space;
    uint32_t first;
} worker;

static void work(void *arg)
{
    const worker *k = arg;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        char text[500];
        char id[SL_UUID_LEN + 1];
        uuid_of(id, k->first + i);
        (void)snprintf(text, sizeof text,
                       "{\"t\":\"op\",\"n\":%u,\"op\":\"create\",\"entity\":\"comment\","
                       "\"space\":\"%s\",\"id\":\"%s\",\"hlc\":\"018bcfe56800000000000001\","
                       "\"fields\":{\"body\":\"b\"}}",
                       k->first + i, k->space, id);
        sl_service_ws_message(k->w->s, k->p->conn, text, strlen(text));
        answer a = request(k->w, "GET", "/api/v1/health", "", NULL, 0);
        answer_free(&a);
        a = signed_request(k->w, k->p, "GET", "/api/v1/blobs/00", "", NULL, 0);
        answer_free(&a);
    }
}

START_TEST(threads__share_one_service_and_numbers_stay_dense)
{
    world *w = world_new();
    person p;
    char space[SL_SPACE_MAX];
    sl_thread *threads[THREADS];
    worker workers[THREADS];
    person_make(w, &p, "a@x.y", "athlete", 1);
    video_make(w, &p, space, 1, "clip");
    subscribe(w, &p, space, 0, "");
    frames_clear(w);
    for (uint32_t i = 0; i < THREADS; i++) {
        workers[i] = (worker){w, &p, space, 100 + i * ROUNDS};
        threads[i] = sl_thread_start(work, &workers[i]);
        ck_assert_ptr_nonnull(threads[i]);
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        sl_thread_join(threads[i]);
    }
    ck_assert_uint_eq(frame_count(w, p.conn, "receipt"), (size_t)THREADS * ROUNDS);
    for (int64_t i = 0; i < (int64_t)THREADS * ROUNDS; i++) {
        const sl_json *c = frame_at(w, p.conn, "change", (size_t)i);
        ck_assert_int_eq(sl_json_int_or(c, "seq", 0), i + 2);
    }
    world_free(w);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        driver__parameters_go_by_number_not_by_place,
        driver__rows_stop_on_request_and_statements_nest,
        driver__a_rolled_back_transaction_leaves_nothing,
        driver__says_what_went_wrong,
        tables__gain_the_columns_that_the_schema_gained,
        threads__share_one_service_and_numbers_stay_dense,
    };
    world_start();
    int status = sl_test_run(sl_test_suite("database", tests, sizeof tests / sizeof tests[0]));
    world_end();
    return status;
}
