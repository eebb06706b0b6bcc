/* The operations of one record: a chain that closes when one leaves. */
#include "base/mem.h"
#include "unit/store/folder.h"

#define SPACE "video:01890000-0000-7000-8000-000000000002"
#define ID    "01890000-0000-7000-8000-000000000001"

static sl_store *g_store;

static void setup(void)
{
    folder_make();
    g_store = folder_open();
    ck_assert_int_eq(sl_store_begin(g_store, NULL), SL_OK);
}

static void teardown(void)
{
    sl_store_rollback(g_store);
    sl_store_close(g_store);
    folder_remove();
}

static const sl_entity *comments(void)
{
    return sl_entity_find("comment");
}

static sl_status try_local(const char *kind, const char *fields, int64_t *n)
{
    static unsigned stamp = 100;
    char text[400];
    sl_op op = {0};
    (void)snprintf(text, sizeof text,
                   "{\"n\":1,\"op\":\"%s\",\"entity\":\"comment\",\"space\":\"" SPACE
                   "\",\"id\":\"" ID "\",\"hlc\":\"%016x00000001\",\"fields\":%s}",
                   kind, stamp++, fields);
    sl_json *j = sl_json_parse(text, strlen(text));
    ck_assert_int_eq(sl_op_from_json(&op, j, NULL), SL_OK);
    sl_status status = sl_store_apply_local(g_store, &op, NULL);
    *n = op.n;
    sl_json_free(j);
    sl_op_free(&op);
    return status;
}

static int64_t local(const char *kind, const char *fields)
{
    int64_t n = 0;
    ck_assert_int_eq(try_local(kind, fields, &n), SL_OK);
    return n;
}

static int64_t patch(const char *body)
{
    char fields[64];
    (void)snprintf(fields, sizeof fields, "{\"body\":\"%s\"}", body);
    return local("patch", fields);
}

/* The server's comment; older than anything here. */
static void remote(const char *body, int64_t seq)
{
    char text[400];
    sl_record rec = {0};
    (void)snprintf(text, sizeof text,
                   "{\"entity\":\"comment\",\"id\":\"" ID "\",\"space\":\"" SPACE
                   "\",\"seq\":%lld,\"fields\":{\"body\":\"%s\"},"
                   "\"clocks\":{\"*\":\"000000000000000100000002\"}}",
                   (long long)seq, body);
    sl_json *j = sl_json_parse(text, strlen(text));
    ck_assert_int_eq(sl_record_from_wire(&rec, j, NULL), SL_OK);
    ck_assert_int_eq(sl_store_apply_remote(g_store, &rec, NULL), SL_OK);
    sl_json_free(j);
    sl_record_free(&rec);
}

static void reject(int64_t n)
{
    ck_assert_int_eq(sl_store_outbox_rejected(g_store, n, "SL_E_DENIED", "no", "", NULL), SL_OK);
}

static void accept(int64_t n, int64_t seq)
{
    ck_assert_int_eq(sl_store_outbox_accepted(g_store, n, seq, NULL, NULL), SL_OK);
}

static sl_row row(sl_record *rec)
{
    sl_row at;
    ck_assert_int_eq(sl_row_load(g_store, comments(), ID, rec, &at, NULL), SL_OK);
    return at;
}

/* The chain as "1<2<3 body"; "body" alone without one, "gone" without a row, "-" for nothing to be
 * seen. The links name each other, and nothing else waits. */
static const char *state(void)
{
    static char text[160];
    size_t at = 0;
    int64_t waiting = 0;
    sl_chain chain;
    sl_record rec = {0};
    sl_row r = row(&rec);
    ck_assert_int_eq(sl_outbox_chain(g_store, r.pending, &chain, NULL), SL_OK);
    ck_assert_int_eq(sl_store_outbox_count(g_store, &waiting, NULL), SL_OK);
    ck_assert_uint_eq(chain.count, (size_t)waiting);
    ck_assert(sl_store_pending(g_store, comments(), ID) == (chain.count > 0));
    for (size_t i = 0; i < chain.count; i++) {
        ck_assert_int_eq(chain.links[i].prev, i > 0 ? chain.links[i - 1].n : 0);
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%lld", i > 0 ? "<" : "",
                               (long long)chain.links[i].n);
    }
    const char *body = rec.entity == NULL ? "gone"
                       : rec.deleted      ? "-"
                                          : sl_record_text(&rec, "body");
    (void)snprintf(text + at, sizeof text - at, "%s%s", at > 0 ? " " : "", body);
    sl_mem_free(chain.links);
    sl_record_free(&rec);
    return text;
}

static int64_t shadows(void)
{
    sl_cell cell;
    ck_assert_int_eq(sl_store_one(g_store, "SELECT count(*) FROM shadow", NULL, 0,
                                  &(sl_taken){&cell, 1, NULL}, NULL),
                     SL_OK);
    return cell.i;
}

/* The server's record and three patches that wait. */
static void three(void)
{
    remote("server", 1);
    ck_assert_str_eq(state(), "server");
    ck_assert_int_eq(shadows(), 0);
    ck_assert_int_eq(patch("one"), 1);
    ck_assert_int_eq(patch("two"), 2);
    ck_assert_int_eq(patch("three"), 3);
    ck_assert_str_eq(state(), "1<2<3 three");
    ck_assert_int_eq(shadows(), 1);
}

START_TEST(chain__closes_when_the_first_leaves)
{
    three();
    reject(1);
    ck_assert_str_eq(state(), "2<3 three");
    reject(2);
    ck_assert_str_eq(state(), "3 three");
    reject(3);
    ck_assert_str_eq(state(), "server");
    ck_assert_int_eq(shadows(), 0);
}
END_TEST

START_TEST(chain__closes_when_the_middle_one_leaves)
{
    three();
    reject(2);
    ck_assert_str_eq(state(), "1<3 three");
    ck_assert_int_eq(patch("four"), 4);
    reject(3);
    ck_assert_str_eq(state(), "1<4 four");
}
END_TEST

START_TEST(chain__closes_when_the_last_leaves)
{
    three();
    reject(3);
    ck_assert_str_eq(state(), "1<2 two");
    ck_assert_int_eq(patch("four"), 4);
    ck_assert_str_eq(state(), "1<2<4 four");
    reject(4);
    reject(2);
    ck_assert_str_eq(state(), "1 one");
}
END_TEST

START_TEST(chain__loses_what_the_confirmed_state_covers)
{
    three();
    accept(1, 5);
    accept(2, 6);
    remote("one", 5);
    ck_assert_str_eq(state(), "2<3 three");
    accept(3, 9);
    remote("two", 8);
    ck_assert_str_eq(state(), "3 three");
    remote("three", 9);
    ck_assert_str_eq(state(), "three");
    ck_assert_int_eq(shadows(), 0);
}
END_TEST

START_TEST(chain__loses_a_covered_one_between_two_that_wait)
{
    three();
    accept(2, 5);
    remote("two", 5);
    ck_assert_str_eq(state(), "1<3 three");
    reject(3);
    ck_assert_str_eq(state(), "1 one");
}
END_TEST

START_TEST(chain__settles_at_the_cursor)
{
    sl_space space = {.name = SPACE, .epoch = ID, .cursor = 6};
    three();
    accept(1, 6);
    accept(3, 7);
    ck_assert_int_eq(sl_store_set_space(g_store, &space, NULL), SL_OK);
    ck_assert_int_eq(sl_store_outbox_settle(g_store, SPACE, NULL, NULL, NULL), SL_OK);
    ck_assert_str_eq(state(), "2<3 three");
    space.cursor = 7;
    ck_assert_int_eq(sl_store_set_space(g_store, &space, NULL), SL_OK);
    ck_assert_int_eq(sl_store_outbox_settle(g_store, SPACE, NULL, NULL, NULL), SL_OK);
    ck_assert_str_eq(state(), "2 two");
}
END_TEST

START_TEST(chain__accepted_ones_are_sent_again_after_a_reset)
{
    sl_outbox_state outbox;
    three();
    accept(1, 5);
    accept(2, 6);
    ck_assert_int_eq(sl_store_outbox(g_store, &outbox, NULL), SL_OK);
    ck_assert_int_eq(outbox.floor, 3);
    ck_assert_int_eq(outbox.keep, 1);
    ck_assert_int_eq(sl_store_drop_space(g_store, SPACE, true, NULL), SL_OK);
    ck_assert_int_eq(sl_store_outbox(g_store, &outbox, NULL), SL_OK);
    ck_assert_int_eq(outbox.floor, 1);
    ck_assert_str_eq(state(), "1<2<3 three");
    ck_assert_int_eq(shadows(), 0);
    remote("server", 2);
    ck_assert_str_eq(state(), "1<2<3 three");
    ck_assert_int_eq(shadows(), 1);
}
END_TEST

START_TEST(ghost__patches_of_a_refused_creation_show_nothing_and_go_one_by_one)
{
    int64_t n = 0;
    ck_assert_int_eq(local("create", "{\"body\":\"made\"}"), 1);
    ck_assert_int_eq(patch("one"), 2);
    ck_assert_int_eq(patch("two"), 3);
    reject(1);
    ck_assert_str_eq(state(), "2<3 -");
    ck_assert_int_eq(try_local("patch", "{\"body\":\"x\"}", &n), SL_E_NOT_FOUND);
    ck_assert_int_eq(try_local("delete", "null", &n), SL_E_NOT_FOUND);
    reject(3);
    ck_assert_str_eq(state(), "2 -");
    reject(2);
    ck_assert_str_eq(state(), "gone");
}
END_TEST

START_TEST(ghost__becomes_visible_when_the_server_has_the_record)
{
    ck_assert_int_eq(local("create", "{\"body\":\"made\"}"), 1);
    ck_assert_int_eq(patch("mine"), 2);
    reject(1); /* another device made it first */
    ck_assert_str_eq(state(), "2 -");
    remote("theirs", 4);
    ck_assert_str_eq(state(), "2 mine");
    ck_assert_int_eq(shadows(), 1);
    reject(2);
    ck_assert_str_eq(state(), "theirs");
}
END_TEST

START_TEST(chain__of_a_record_made_and_deleted_here)
{
    int64_t n = 0;
    ck_assert_int_eq(local("create", "{\"body\":\"made\"}"), 1);
    ck_assert_int_eq(local("delete", "null"), 2);
    ck_assert_str_eq(state(), "1<2 -");
    ck_assert_int_eq(shadows(), 0);
    ck_assert_int_eq(try_local("create", "{\"body\":\"again\"}", &n), SL_E_CONFLICT);
    reject(2);
    ck_assert_str_eq(state(), "1 made");
    reject(1);
    ck_assert_str_eq(state(), "gone");
}
END_TEST

START_TEST(chain__of_an_unconfirmed_record_is_confirmed_by_its_echo)
{
    ck_assert_int_eq(local("create", "{\"body\":\"made\"}"), 1);
    ck_assert_int_eq(patch("mine"), 2);
    ck_assert_int_eq(shadows(), 0);
    accept(1, 3);
    remote("made", 3);
    ck_assert_str_eq(state(), "2 mine");
    ck_assert_int_eq(shadows(), 1);
    accept(2, 4);
    remote("mine", 4);
    ck_assert_str_eq(state(), "mine");
    ck_assert_int_eq(shadows(), 0);
}
END_TEST

START_TEST(chain__is_none_of_another_records)
{
    static const char again[] =
        "{\"entity\":\"comment\",\"id\":\"" ID "\",\"space\":"
        "\"video:01890000-0000-7000-8000-000000000003\",\"seq\":9,\"fields\":{\"body\":\"theirs\"},"
        "\"clocks\":{}}";
    sl_record rec = {0};
    three();
    sl_json *j = sl_json_parse(again, strlen(again));
    ck_assert_int_eq(sl_record_from_wire(&rec, j, NULL), SL_OK);
    ck_assert_int_eq(sl_store_apply_remote(g_store, &rec, NULL), SL_OK); /* from another space */
    ck_assert_str_eq(state(), "1<2<3 three");
    ck_assert_int_eq(
        sl_sql_script(g_store->sql, "UPDATE comment SET id=zeroblob(16) WHERE pending=3", NULL),
        SL_OK);
    ck_assert_int_eq(sl_store_outbox_rejected(g_store, 2, "SL_E_DENIED", "no", "", NULL), SL_OK);
    sl_json_free(j);
    sl_record_free(&rec);
}
END_TEST

START_TEST(number__is_given_once_unless_nothing_was_kept)
{
    remote("server", 1);
    ck_assert_int_eq(patch("one"), 1);
    ck_assert_int_eq(sl_store_commit(g_store, NULL), SL_OK);
    ck_assert_int_eq(sl_store_begin(g_store, NULL), SL_OK);
    ck_assert_int_eq(patch("two"), 2);
    sl_store_rollback(g_store);
    ck_assert_int_eq(sl_store_begin(g_store, NULL), SL_OK);
    ck_assert_str_eq(state(), "1 one");
    ck_assert_int_eq(patch("two"), 2);
    reject(2);
    reject(1);
    ck_assert_int_eq(sl_store_commit(g_store, NULL), SL_OK);
    sl_store_close(g_store);
    g_store = folder_open();
    ck_assert_int_eq(sl_store_begin(g_store, NULL), SL_OK);
    ck_assert_int_eq(patch("three"), 3);
}
END_TEST

SL_TEST_MAIN_WITH("chain", setup, teardown, chain__closes_when_the_first_leaves,
                  chain__closes_when_the_middle_one_leaves, chain__closes_when_the_last_leaves,
                  chain__loses_what_the_confirmed_state_covers,
                  chain__loses_a_covered_one_between_two_that_wait, chain__settles_at_the_cursor,
                  chain__accepted_ones_are_sent_again_after_a_reset,
                  ghost__patches_of_a_refused_creation_show_nothing_and_go_one_by_one,
                  ghost__becomes_visible_when_the_server_has_the_record,
                  chain__of_a_record_made_and_deleted_here,
                  chain__of_an_unconfirmed_record_is_confirmed_by_its_echo,
                  chain__is_none_of_another_records, number__is_given_once_unless_nothing_was_kept)
