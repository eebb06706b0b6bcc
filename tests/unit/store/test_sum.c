/* The sum of a space is that of its confirmed records, whatever was done to them. [STORE-4] */
#include "base/mem.h"
#include "base/prng.h"
#include "sync/sum.h"
#include "unit/store/folder.h"

enum {
    SPACES = 2,
    RECORDS = 10,
    OPS_MAX = 64,
    STEPS = 1500
};

static const char *const SPACE[SPACES] = {"video:01890000-0000-7000-8000-000000000002",
                                          "video:01890000-0000-7000-8000-000000000003"};
static const char EPOCH[] = "01890000-0000-7000-8000-0000000000ee";

static sl_store *g_store;
static sl_prng g_prng;
static int64_t g_seq[SPACES][RECORDS]; /* what is confirmed; 0: nothing */
static int64_t g_last[SPACES];
static bool g_deletes;
static int64_t g_ops[OPS_MAX]; /* numbers of the newest operations */
static size_t g_op_count;
static unsigned g_stamp;

static void setup(void)
{
    folder_make();
    g_store = folder_open();
    sl_prng_seed(&g_prng, 5);
    memset(g_seq, 0, sizeof g_seq);
    memset(g_last, 0, sizeof g_last);
    g_op_count = 0;
    g_stamp = 100;
}

static void teardown(void)
{
    sl_store_close(g_store);
    folder_remove();
}

static void begin(void)
{
    ck_assert_int_eq(sl_store_begin(g_store, NULL), SL_OK);
}

static void commit(void)
{
    ck_assert_int_eq(sl_store_commit(g_store, NULL), SL_OK);
}

static void end(sl_status status)
{
    if (status == SL_OK) {
        commit();
    } else {
        sl_store_rollback(g_store);
    }
}

static unsigned dice(unsigned below)
{
    return (unsigned)sl_prng_below(&g_prng, below);
}

static void id_of(char out[SL_UUID_LEN + 1], unsigned space, unsigned k)
{
    (void)snprintf(out, SL_UUID_LEN + 1, "01890000-0000-7000-8000-0000000%u01%02x", space, k);
}

static void hold(unsigned space)
{
    sl_space held = {.cursor = g_last[space]};
    (void)snprintf(held.name, sizeof held.name, "%s", SPACE[space]);
    (void)snprintf(held.epoch, sizeof held.epoch, "%s", EPOCH);
    ck_assert_int_eq(sl_store_set_space(g_store, &held, NULL), SL_OK);
}

/* The server's next state of a record, with g_deletes perhaps that it is deleted; inside a transaction. */
static void confirm(unsigned space, unsigned k)
{
    char id[SL_UUID_LEN + 1];
    char text[500];
    sl_record rec = {0};
    int64_t seq = ++g_last[space];
    bool deleted = g_deletes && dice(4) == 0;
    id_of(id, space, k);
    (void)snprintf(text, sizeof text,
                   "{\"entity\":\"comment\",\"id\":\"%s\",\"space\":\"%s\",\"seq\":%lld,"
                   "\"deleted\":%s,\"fields\":{\"body\":\"server\"},"
                   "\"clocks\":{\"*\":\"000000000000000100000002\"}}",
                   id, SPACE[space], (long long)seq, deleted ? "true" : "false");
    sl_json *j = sl_json_parse(text, strlen(text));
    ck_assert_int_eq(sl_record_from_wire(&rec, j, NULL), SL_OK);
    ck_assert_int_eq(sl_store_apply_remote(g_store, &rec, NULL), SL_OK);
    hold(space);
    sl_json_free(j);
    sl_record_free(&rec);
    g_seq[space][k] = deleted ? 0 : seq;
}

static void remote(unsigned space, unsigned k)
{
    begin();
    confirm(space, k);
    commit();
}

static void local(unsigned space, unsigned k)
{
    static const char *const kinds[] = {"create", "patch", "patch", "delete"};
    char id[SL_UUID_LEN + 1];
    char text[400];
    sl_op op = {0};
    const char *kind = kinds[dice(4)];
    id_of(id, space, k);
    (void)snprintf(text, sizeof text,
                   "{\"n\":1,\"op\":\"%s\",\"entity\":\"comment\",\"space\":\"%s\",\"id\":\"%s\","
                   "\"hlc\":\"%016x00000001\",\"fields\":%s}",
                   kind, SPACE[space], id, g_stamp++,
                   strcmp(kind, "delete") == 0 ? "{}" : "{\"body\":\"mine\"}");
    sl_json *j = sl_json_parse(text, strlen(text));
    ck_assert_int_eq(sl_op_from_json(&op, j, NULL), SL_OK);
    begin();
    sl_status status = sl_store_apply_local(g_store, &op, NULL);
    end(status);
    if (status == SL_OK) {
        g_ops[g_op_count++ % OPS_MAX] = op.n;
    }
    sl_json_free(j);
    sl_op_free(&op);
}

static int64_t some_op(void)
{
    size_t n = g_op_count < OPS_MAX ? g_op_count : OPS_MAX;
    return n > 0 ? g_ops[dice((unsigned)n)] : 0;
}

static void reject(void)
{
    begin();
    end(sl_store_outbox_rejected(g_store, some_op(), "SL_E_DENIED", "no", "", NULL));
}

static void accept(unsigned space)
{
    begin();
    ck_assert_int_eq(
        sl_store_outbox_accepted(g_store, some_op(), g_last[space] + dice(3), NULL, NULL), SL_OK);
    end(sl_store_outbox_settle(g_store, SPACE[space], NULL, NULL, NULL));
}

static void drop(unsigned space, bool keep)
{
    begin();
    ck_assert_int_eq(sl_store_drop_space(g_store, SPACE[space], keep, NULL), SL_OK);
    if (!keep) {
        hold(space);
    }
    commit();
    memset(g_seq[space], 0, sizeof g_seq[space]);
}

/* Of both spaces in turn in one transaction, which may come to nothing. */
static void many(bool keep)
{
    int64_t seq[SPACES][RECORDS];
    int64_t last[SPACES];
    memcpy(seq, g_seq, sizeof seq);
    memcpy(last, g_last, sizeof last);
    begin();
    for (unsigned i = 0; i < 6; i++) {
        confirm(i % SPACES, dice(RECORDS));
    }
    if (keep) {
        commit();
    } else {
        sl_store_rollback(g_store);
        memcpy(g_seq, seq, sizeof seq);
        memcpy(g_last, last, sizeof last);
    }
}

static void step(void)
{
    unsigned space = dice(SPACES);
    unsigned k = dice(RECORDS);
    switch (dice(20)) {
    case 0: drop(space, true); break;
    case 1: drop(space, false); break;
    case 2: many(true); break;
    case 3: many(false); break;
    case 4:
        sl_store_close(g_store);
        g_store = folder_open();
        break;
    case 5:
    case 6:
    case 7: reject(); break;
    case 8:
    case 9:
    case 10: accept(space); break;
    case 11:
    case 12:
    case 13:
    case 14: remote(space, k); break;
    default: local(space, k); break;
    }
}

static uint64_t expected(unsigned space)
{
    uint64_t sum = 0;
    for (unsigned k = 0; k < RECORDS; k++) {
        char id[SL_UUID_LEN + 1];
        id_of(id, space, k);
        sum += g_seq[space][k] > 0 ? sl_sum_of(id, g_seq[space][k]) : 0;
    }
    return sum;
}

static sl_space_sum sum_of(unsigned space)
{
    sl_space_sum sum;
    ck_assert_int_eq(sl_store_sum(g_store, SPACE[space], &sum, NULL), SL_OK);
    return sum;
}

static sl_space_sum counted(unsigned space, int64_t wall_ms)
{
    begin();
    ck_assert_int_eq(sl_store_sum_count(g_store, SPACE[space], wall_ms, NULL), SL_OK);
    commit();
    return sum_of(space);
}

static void run(const char *sql)
{
    ck_assert_int_eq(sl_sql_script(g_store->sql, sql, NULL), SL_OK);
}

START_TEST(sum__is_that_of_what_is_confirmed_whatever_is_done)
{
    unsigned waiting = 0;
    g_deletes = true;
    hold(0);
    hold(1);
    for (int i = 0; i < STEPS; i++) {
        sl_outbox_state outbox;
        step();
        ck_assert_int_eq(sl_store_outbox(g_store, &outbox, NULL), SL_OK);
        waiting += outbox.empty ? 0 : 1;
        for (unsigned s = 0; s < SPACES; s++) {
            ck_assert_msg(sum_of(s).sum == expected(s), "moved along, step %d", i);
            ck_assert_msg(counted(s, 1).sum == expected(s), "counted, step %d", i);
        }
    }
    ck_assert_uint_gt(waiting, STEPS / 4);
}
END_TEST

/* As SQLite does by itself when there is no memory, in a statement whose failure nobody minds. */
START_TEST(sum__does_not_outlive_a_transaction_that_the_database_ended)
{
    remote(0, 1);
    uint64_t before = expected(0);
    begin();
    confirm(0, 2);
    run("ROLLBACK");
    ck_assert_int_eq(sl_store_commit(g_store, NULL), SL_E_IO);
    ck_assert(sum_of(0).sum == before);
    ck_assert(counted(0, 1).sum == before);
}
END_TEST

START_TEST(sum__of_a_space_without_one_is_counted_when_it_is_asked_for)
{
    remote(0, 1);
    remote(0, 2);
    ck_assert_int_eq(counted(0, 77).counted_ms, 77);
    run("UPDATE space SET sum=NULL");
    ck_assert_int_eq(sum_of(0).counted_ms, 0);
    ck_assert_int_eq(sl_store_sum_begun(g_store, SPACE[0], 77, NULL), SL_OK);
    ck_assert_int_eq(sum_of(0).counted_ms, 0); /* there were records before */
    sl_store_close(g_store);
    g_store = folder_open();
    remote(0, 1); /* known only as a whole */
    remote(0, 3);
    ck_assert_int_eq(sum_of(0).counted_ms, 0);
    ck_assert(counted(0, 78).sum == expected(0));
    remote(0, 2); /* from now on it is moved along */
    ck_assert(sum_of(0).sum == expected(0));
    ck_assert_int_eq(sum_of(0).counted_ms, 78);
    drop(0, true);
    ck_assert_int_eq(sum_of(0).counted_ms, 0);
    ck_assert_int_eq(sl_store_sum_begun(g_store, SPACE[0], 79, NULL), SL_OK);
    ck_assert_int_eq(sum_of(0).counted_ms, 79);
}
END_TEST

START_TEST(sum__shows_lost_and_changed_rows_when_it_is_counted)
{
    for (unsigned k = 0; k < 4; k++) {
        remote(0, k);
    }
    ck_assert(counted(0, 1).sum == expected(0));
    run("DELETE FROM comment WHERE id=x'018900000000700080000000000001"
        "02'");
    ck_assert(sum_of(0).sum == expected(0));
    uint64_t without = counted(0, 1).sum;
    g_seq[0][2] = 0;
    ck_assert(without == expected(0));
    run("UPDATE comment SET seq=99 WHERE id=x'018900000000700080000000000001"
        "03'");
    g_seq[0][3] = 99;
    ck_assert(counted(0, 1).sum == expected(0));
    run("UPDATE comment SET id=x'0189' WHERE seq=99");
    g_seq[0][3] = 0; /* an id that is none */
    ck_assert(counted(0, 1).sum == expected(0));
}
END_TEST

START_TEST(sum__is_of_no_use_where_records_were_left_out_until_a_reset)
{
    remote(0, 1);
    remote(1, 1);
    ck_assert(sum_of(0).whole);
    ck_assert_int_eq(sl_store_sum_partial(g_store, SPACE[0], NULL), SL_OK);
    ck_assert(!sum_of(0).whole);
    ck_assert(sum_of(1).whole);
    drop(0, true);
    ck_assert(sum_of(0).whole);
}
END_TEST

START_TEST(sum__healing_is_remembered_over_the_reset_and_closing)
{
    sl_space_sum sum;
    remote(0, 1);
    ck_assert_int_eq(sum_of(0).healed_ms, 0);
    ck_assert_int_eq(sl_store_sum_healed(g_store, SPACE[0], 1234, NULL), SL_OK);
    drop(0, true);
    sl_store_close(g_store);
    g_store = folder_open();
    ck_assert_int_eq(sum_of(0).healed_ms, 1234);
    ck_assert_int_eq(sl_store_sum(g_store, SPACE[1], &sum, NULL), SL_E_NOT_FOUND);
}
END_TEST

SL_TEST_MAIN_WITH("sum", setup, teardown, sum__is_that_of_what_is_confirmed_whatever_is_done,
                  sum__does_not_outlive_a_transaction_that_the_database_ended,
                  sum__of_a_space_without_one_is_counted_when_it_is_asked_for,
                  sum__shows_lost_and_changed_rows_when_it_is_counted,
                  sum__is_of_no_use_where_records_were_left_out_until_a_reset,
                  sum__healing_is_remembered_over_the_reset_and_closing)
