#include "base/error.h"
#include "base/mem.h"
#include "store/inside.h"
#include "support.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SPACE "video:01890000-0000-7000-8000-000000000002"
#define ID    "01890000-0000-7000-8000-000000000001"

static sl_platform g_platform;
static char g_dir[64];

static sl_store *open_store(void)
{
    sl_store *s = NULL;
    sl_error *err = NULL;
    sl_status status = sl_store_open(&g_platform, g_dir, &s, &err);
    ck_assert_msg(status == SL_OK, "%s", sl_error_message(err));
    return s;
}

static void setup(void)
{
    g_platform.struct_size = sizeof g_platform;
    ck_assert_int_eq(sl_platform_builtin(&g_platform), SL_OK);
    (void)snprintf(g_dir, sizeof g_dir, "/tmp/sideline-store-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(g_dir));
}

static void teardown(void)
{
    static const char *const names[] = {"sideline.db", "sideline.db-wal", "lock", "x"};
    static const char *const dirs[] = {"blobs/2c", "blobs", "tmp", "."};
    char path[160];
    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", g_dir, names[i]);
        (void)unlink(path);
    }
    (void)snprintf(path, sizeof path,
                   "%s/blobs/2c/f24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
                   g_dir);
    (void)unlink(path);
    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", g_dir, dirs[i]);
        (void)rmdir(path);
    }
    (void)rmdir(g_dir);
    if (g_platform.release != NULL) {
        g_platform.release(g_platform.user);
    }
    ck_assert_int_eq(sl_debug_live_objects(), 0);
}

static sl_status local(sl_store *s, const char *kind, const char *fields, unsigned stamp,
                       int64_t *n)
{
    char text[400];
    (void)snprintf(text, sizeof text,
                   "{\"n\":1,\"op\":\"%s\",\"entity\":\"comment\",\"space\":\"" SPACE
                   "\",\"id\":\"" ID "\",\"hlc\":\"%016x00000001\",\"fields\":%s}",
                   kind, stamp, fields);
    sl_json *j = sl_json_parse(text, strlen(text));
    sl_op op = {0};
    ck_assert_int_eq(sl_op_from_json(&op, j, NULL), SL_OK);
    sl_json_free(j);
    ck_assert_int_eq(sl_store_begin(s, NULL), SL_OK);
    sl_status status = sl_store_apply_local(s, &op, NULL);
    if (status == SL_OK) {
        ck_assert_int_eq(sl_store_commit(s, NULL), SL_OK);
    } else {
        sl_store_rollback(s);
    }
    if (n != NULL) {
        *n = op.n;
    }
    sl_op_free(&op);
    return status;
}

static void remote(sl_store *s, const char *body, int64_t seq, unsigned stamp)
{
    char text[400];
    (void)snprintf(text, sizeof text,
                   "{\"entity\":\"comment\",\"id\":\"" ID "\",\"space\":\"" SPACE
                   "\",\"seq\":%lld,\"fields\":{\"body\":\"%s\"},"
                   "\"clocks\":{\"*\":\"%016x00000002\"}}",
                   (long long)seq, body, stamp);
    sl_json *j = sl_json_parse(text, strlen(text));
    sl_record rec = {0};
    ck_assert_int_eq(sl_record_from_wire(&rec, j, NULL), SL_OK);
    sl_json_free(j);
    sl_space space = {.name = SPACE, .epoch = ID, .cursor = seq};
    ck_assert_int_eq(sl_store_apply_remote(s, &rec, NULL), SL_OK);
    ck_assert_int_eq(sl_store_set_space(s, &space, NULL), SL_OK);
    ck_assert_int_eq(sl_store_outbox_settle(s, SPACE, NULL, NULL, NULL), SL_OK);
    sl_record_free(&rec);
}

/* The visible body; "-" when there is none. */
static const char *body(sl_store *s)
{
    static char text[64];
    sl_record rec = {0};
    ck_assert_int_eq(sl_store_record(s, sl_entity_find("comment"), ID, &rec, NULL), SL_OK);
    const char *b = rec.entity != NULL && !rec.deleted ? sl_record_text(&rec, "body") : "-";
    (void)snprintf(text, sizeof text, "%s", b);
    sl_record_free(&rec);
    return text;
}

static sl_outbox_state outbox(sl_store *s)
{
    sl_outbox_state state;
    ck_assert_int_eq(sl_store_outbox(s, &state, NULL), SL_OK);
    return state;
}

START_TEST(store__shows_local_changes_on_top_of_the_servers) /* [STORE-3] */
{
    sl_store *s = open_store();
    const sl_entity *e = sl_entity_find("comment");
    remote(s, "server", 1, 5);
    ck_assert(!sl_store_pending(s, e, ID));
    ck_assert_int_eq(local(s, "patch", "{\"body\":\"mine\"}", 10, NULL), SL_OK);
    ck_assert(sl_store_pending(s, e, ID));
    ck_assert_str_eq(body(s), "mine");
    remote(s, "older", 2, 8);
    ck_assert_str_eq(body(s), "mine");
    remote(s, "newer", 3, 20);
    ck_assert_str_eq(body(s), "newer");
    sl_store_close(s);
}
END_TEST

START_TEST(store__keeps_an_accepted_change_until_the_cursor_covers_it)
{
    sl_store *s = open_store();
    int64_t n = 0;
    local(s, "create", "{\"body\":\"mine\"}", 10, &n);
    ck_assert_int_eq(n, 1);
    ck_assert_int_eq(outbox(s).floor, 1);
    sl_space space = {.name = SPACE, .epoch = ID, .cursor = 6};
    ck_assert_int_eq(sl_store_set_space(s, &space, NULL), SL_OK);
    ck_assert_int_eq(sl_store_outbox_accepted(s, n, 7, NULL, NULL), SL_OK);
    ck_assert_int_eq(sl_store_outbox_settle(s, SPACE, NULL, NULL, NULL), SL_OK);
    ck_assert_str_eq(body(s), "mine");
    ck_assert(!outbox(s).empty);
    ck_assert_int_eq(outbox(s).floor, 2);
    remote(s, "mine", 7, 10);
    ck_assert(outbox(s).empty);
    ck_assert_str_eq(body(s), "mine");
    ck_assert(!sl_store_pending(s, sl_entity_find("comment"), ID));
    sl_store_close(s);
}
END_TEST

START_TEST(store__undoes_a_rejected_change_and_keeps_its_text)
{
    sl_store *s = open_store();
    int64_t first = 0;
    int64_t second = 0;
    remote(s, "server", 1, 5);
    local(s, "patch", "{\"body\":\"one\"}", 10, &first);
    local(s, "patch", "{\"body\":\"two\"}", 11, &second);
    ck_assert_int_eq(sl_store_outbox_rejected(s, second, "SL_E_DENIED", "no", "", NULL), SL_OK);
    ck_assert_str_eq(body(s), "one");
    ck_assert_int_eq(sl_store_outbox_rejected(s, first, "SL_E_DENIED", "no", "", NULL), SL_OK);
    ck_assert_str_eq(body(s), "server");
    int64_t rejected = 0;
    ck_assert_int_eq(sl_store_rejected_count(s, &rejected, NULL), SL_OK);
    ck_assert_int_eq(rejected, 2);
    sl_store_close(s);
}
END_TEST

START_TEST(store__a_rejected_creation_leaves_nothing)
{
    sl_store *s = open_store();
    int64_t n = 0;
    local(s, "create", "{\"body\":\"one\"}", 10, &n);
    ck_assert_int_eq(local(s, "create", "{\"body\":\"one\"}", 11, NULL), SL_E_CONFLICT);
    ck_assert_int_eq(sl_store_outbox_rejected(s, n, "SL_E_DENIED", "no", "", NULL), SL_OK);
    ck_assert_str_eq(body(s), "-");
    ck_assert_int_eq(local(s, "patch", "{\"body\":\"x\"}", 12, NULL), SL_E_NOT_FOUND);
    sl_store_close(s);
}
END_TEST

START_TEST(store__a_reset_drops_the_servers_and_keeps_ours)
{
    sl_store *s = open_store();
    remote(s, "server", 4, 5);
    local(s, "patch", "{\"body\":\"mine\"}", 10, NULL);
    ck_assert_int_eq(sl_store_drop_space(s, SPACE, true, NULL), SL_OK);
    sl_space space;
    ck_assert_int_eq(sl_store_space(s, SPACE, &space, NULL), SL_OK);
    ck_assert_int_eq(space.cursor, 0);
    ck_assert(!outbox(s).empty);
    remote(s, "again", 9, 5);
    ck_assert_str_eq(body(s), "mine");
    ck_assert_int_eq(sl_store_drop_space(s, SPACE, false, NULL), SL_OK);
    ck_assert_str_eq(body(s), "-");
    ck_assert(outbox(s).empty);
    ck_assert_int_eq(sl_store_space(s, SPACE, &space, NULL), SL_E_NOT_FOUND);
    sl_store_close(s);
}
END_TEST

START_TEST(store__an_id_used_again_in_another_space_takes_nothing_away)
{
    static const char again[] = "{\"entity\":\"comment\",\"id\":\"" ID
                                "\",\"space\":\"video:01890000-0000-7000-8000-000000000003\","
                                "\"seq\":1,\"fields\":{\"body\":\"theirs\"},\"clocks\":{}}";
    sl_store *s = open_store();
    sl_record rec = {0};
    remote(s, "server", 4, 5);
    sl_json *j = sl_json_parse(again, strlen(again));
    ck_assert_int_eq(sl_record_from_wire(&rec, j, NULL), SL_OK);
    ck_assert_int_eq(sl_store_apply_remote(s, &rec, NULL), SL_OK);
    ck_assert_str_eq(body(s), "server");
    sl_record_free(&rec);
    sl_json_free(j);
    sl_store_close(s);
}
END_TEST

/* The goal of the test below as the server has it. */
static void remote_goal(sl_store *s, const char *fields, const char *clocks, int64_t seq)
{
    char text[500];
    (void)snprintf(text, sizeof text,
                   "{\"entity\":\"goal\",\"id\":\"" ID "\",\"space\":\"user:" ID
                   "\",\"seq\":%lld,\"fields\":%s,\"clocks\":%s}",
                   (long long)seq, fields, clocks);
    sl_json *j = sl_json_parse(text, strlen(text));
    sl_record rec = {0};
    ck_assert_int_eq(sl_record_from_wire(&rec, j, NULL), SL_OK);
    sl_json_free(j);
    sl_space space = {.name = "user:" ID, .epoch = ID, .cursor = seq};
    ck_assert_int_eq(sl_store_apply_remote(s, &rec, NULL), SL_OK);
    ck_assert_int_eq(sl_store_set_space(s, &space, NULL), SL_OK);
    ck_assert_int_eq(sl_store_outbox_settle(s, space.name, NULL, NULL, NULL), SL_OK);
    sl_record_free(&rec);
}

static int64_t goal_done(sl_store *s)
{
    sl_record rec = {0};
    ck_assert_int_eq(sl_store_record(s, sl_entity_find("goal"), ID, &rec, NULL), SL_OK);
    int64_t done = sl_record_int(&rec, "done", 0);
    sl_record_free(&rec);
    return done;
}

START_TEST(store__a_counter_shows_a_pending_addition_once_before_and_after_its_echo)
{
    static const char patch[] =
        "{\"n\":1,\"op\":\"patch\",\"entity\":\"goal\",\"space\":\"user:" ID "\",\"id\":\"" ID
        "\",\"hlc\":\"000000000000001000000001\",\"fields\":{\"done\":5}}";
    sl_store *s = open_store();
    sl_op op = {0};
    remote_goal(s, "{\"title\":\"x\",\"done\":2}", "{\"*\":\"000000000000000100000002\"}", 1);
    sl_json *j = sl_json_parse(patch, strlen(patch));
    ck_assert_int_eq(sl_op_from_json(&op, j, NULL), SL_OK);
    sl_json_free(j);
    ck_assert_int_eq(sl_store_apply_local(s, &op, NULL), SL_OK);
    ck_assert_int_eq(goal_done(s), 7);
    remote_goal(s, "{\"title\":\"x\",\"done\":3}", "{}", 2); /* another's */
    ck_assert_int_eq(goal_done(s), 8);
    remote_goal(s, "{\"title\":\"x\",\"done\":8}", "{\"done\":{\"00000001\":\"0000000000000010\"}}",
                3); /* the echo */
    ck_assert_int_eq(goal_done(s), 8);
    ck_assert_int_eq(sl_store_outbox_accepted(s, op.n, 3, NULL, NULL), SL_OK);
    ck_assert_int_eq(sl_store_outbox_settle(s, "user:" ID, NULL, NULL, NULL), SL_OK);
    ck_assert_int_eq(goal_done(s), 8);
    ck_assert(outbox(s).empty);
    sl_op_free(&op);
    sl_store_close(s);
}
END_TEST

static bool note_body(void *ctx, const sl_op *op)
{
    (void)snprintf(ctx, 64, "%s", sl_op_text(op, "body"));
    return true;
}

START_TEST(store__what_waited_in_a_space_that_was_taken_away_is_kept_as_rejected)
{
    sl_store *s = open_store();
    char kept[64] = "";
    int64_t n = 0;
    ck_assert(!sl_store_space_expected(s, SPACE));
    local(s, "create", "{\"body\":\"mine\"}", 10, NULL);
    ck_assert(sl_store_space_expected(s, SPACE));
    ck_assert_int_eq(sl_store_outbox_of(s, SPACE, note_body, kept, NULL), SL_OK);
    ck_assert_str_eq(kept, "mine");
    ck_assert_int_eq(sl_store_drop_space(s, SPACE, false, NULL), SL_OK);
    ck_assert_int_eq(sl_store_rejected_count(s, &n, NULL), SL_OK);
    ck_assert_int_eq(n, 1);
    ck_assert(!sl_store_space_expected(s, SPACE));
    sl_store_close(s);
}
END_TEST

START_TEST(store__finds_all_again_after_closing) /* [STORE-1] */
{
    sl_store *s = open_store();
    local(s, "create", "{\"body\":\"kept\"}", 10, NULL);
    sl_store_close(s);
    s = open_store();
    ck_assert_str_eq(body(s), "kept");
    ck_assert_int_eq(outbox(s).last, 1);
    sl_store_close(s);
}
END_TEST

START_TEST(store__a_folder_has_one_owner)
{
    sl_store *s = open_store();
    sl_store *other = NULL;
    sl_error *err = NULL;
    ck_assert_int_eq(sl_store_open(&g_platform, g_dir, &other, &err), SL_E_BUSY);
    ck_assert_ptr_nonnull(strstr(sl_error_message(err), "in use"));
    sl_error_release(err);
    sl_store_close(s);
    s = open_store();
    sl_store_close(s);
}
END_TEST

static void write_file(const char *name, const char *bytes)
{
    char path[160];
    (void)snprintf(path, sizeof path, "%s/%s", g_dir, name);
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    (void)fputs(bytes, f);
    (void)fclose(f);
}

START_TEST(store__says_so_when_the_database_is_damaged)
{
    char junk[4000];
    memset(junk, 'j', sizeof junk - 1);
    junk[sizeof junk - 1] = 0;
    write_file("sideline.db", junk);
    sl_store *s = NULL;
    ck_assert_int_eq(sl_store_open(&g_platform, g_dir, &s, NULL), SL_E_CORRUPT);
}
END_TEST

static bool count_row(void *ctx, const char *id, size_t from)
{
    (void)from;
    ck_assert_str_eq(id, ID);
    ++*(int *)ctx;
    return true;
}

static sl_status query(sl_store *s, const char *text, int *count)
{
    sl_json *j = sl_json_parse(text, strlen(text));
    sl_query *q = NULL;
    sl_status status = sl_query_parse(j, &q, NULL);
    sl_json_free(j);
    sl_buf rows = {0};
    *count = 0;
    if (status == SL_OK) {
        status = sl_store_query(s, q, &rows, count_row, count, NULL);
    }
    sl_buf_free(&rows);
    sl_query_free(q);
    return status;
}

START_TEST(query__finds_by_known_fields_and_refuses_others)
{
    sl_store *s = open_store();
    int n = 0;
    local(s, "create", "{\"body\":\"a'b\",\"at_us\":7}", 10, NULL);
    ck_assert_int_eq(query(s, "{\"from\":\"comment\",\"where\":{\"body\":\"a'b\"}}", &n), SL_OK);
    ck_assert_int_eq(n, 1);
    ck_assert_int_eq(query(s, "{\"from\":\"comment\",\"where\":{\"at_us\":8}}", &n), SL_OK);
    ck_assert_int_eq(n, 0);
    ck_assert_int_eq(query(s, "{\"from\":\"comment\",\"where\":{\"at_us\":null}}", &n), SL_OK);
    ck_assert_int_eq(n, 0);
    ck_assert_int_eq(query(s, "{\"from\":\"comment\",\"order\":[\"-seq\",\"body\"]}", &n), SL_OK);
    ck_assert_int_eq(n, 1);
    ck_assert_int_eq(query(s, "{\"from\":\"sqlite_master\"}", &n), SL_E_INVALID);
    ck_assert_int_eq(query(s, "{\"from\":\"comment\",\"where\":[1]}", &n), SL_E_INVALID);
    ck_assert_int_eq(query(s, "{\"from\":\"comment\",\"where\":{\"1=1 --\":1}}", &n), SL_E_INVALID);
    ck_assert_int_eq(query(s, "{\"from\":\"comment\",\"order\":[\"body; DROP\"]}", &n),
                     SL_E_INVALID);
    ck_assert_int_eq(query(s, "{\"from\":\"comment\",\"limit\":0}", &n), SL_E_INVALID);
    ck_assert_int_eq(query(s, "{\"from\":\"comment\",\"limit\":10001}", &n), SL_E_INVALID);
    sl_store_close(s);
}
END_TEST

static bool count_upload(void *ctx, const sl_upload *u)
{
    ck_assert_int_eq(u->size, 5);
    ++*(int *)ctx;
    return true;
}

START_TEST(blob__is_named_by_its_hash)
{
    static const char hello[] = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    sl_store *s = open_store();
    char path[160];
    char hex[65];
    int uploads = 0;
    sl_blob_out *out = NULL;
    (void)snprintf(path, sizeof path, "%s/x", g_dir);
    const sl_upload upload = {.space = SPACE, .type = "text/plain"};
    ck_assert_int_eq(sl_store_blob_make(s, path, false, &out, NULL), SL_OK);
    ck_assert_int_eq(sl_blob_out_append(out, "hello", 5), SL_OK);
    ck_assert_int_eq(sl_blob_out_finish(out, hex), SL_OK);
    sl_blob_out_close(out);
    ck_assert_str_eq(hex, hello);
    ck_assert_int_eq(sl_store_blob_size(s, hello), -1);
    ck_assert_int_eq(sl_store_blob_place(s, path, hex, 5, &upload, NULL), SL_OK);
    ck_assert_int_eq(sl_store_blob_size(s, hello), 5);
    ck_assert_int_eq(sl_store_uploads(s, count_upload, &uploads, NULL), SL_OK);
    ck_assert_int_eq(uploads, 1);
    sl_store_close(s);
}
END_TEST

START_TEST(store__survives_every_allocation_failure)
{
    sl_store *s = open_store();
    remote(s, "server", 1, 5);
    for (uint64_t k = 1;; k++) {
        char fields[64];
        (void)snprintf(fields, sizeof fields, "{\"body\":\"try\"}");
        char text[400];
        (void)snprintf(text, sizeof text,
                       "{\"n\":1,\"op\":\"patch\",\"entity\":\"comment\",\"space\":\"" SPACE
                       "\",\"id\":\"" ID "\",\"hlc\":\"000000000000ffff00000001\",\"fields\":%s}",
                       fields);
        sl_json *j = sl_json_parse(text, strlen(text));
        sl_op op = {0};
        ck_assert_int_eq(sl_op_from_json(&op, j, NULL), SL_OK);
        sl_json_free(j);
        ck_assert_int_eq(sl_store_begin(s, NULL), SL_OK);
        sl_mem_fail_at(k, false);
        sl_status status = sl_store_apply_local(s, &op, NULL);
        sl_mem_fail_at(0, false);
        sl_op_free(&op);
        sl_store_rollback(s);
        ck_assert_str_eq(body(s), "server");
        if (status == SL_OK) {
            ck_assert_uint_gt(k, 5);
            break;
        }
        ck_assert_int_eq(status, SL_E_NOMEM);
    }
    sl_store_close(s);
}
END_TEST

static bool take_plan(void *ctx, const sl_cell *cells, size_t n)
{
    (void)snprintf(ctx, 200, "%s", n == 4 ? sl_cell_str(&cells[3]) : "");
    return true;
}

static void check_plan(sl_store *s)
{
    char plan[200] = "";
    ck_assert_int_eq(
        sl_sql_run(s->sql, "EXPLAIN QUERY PLAN " SL_OUTBOX_FLOOR, NULL, 0, take_plan, plan, NULL),
        SL_OK);
    ck_assert_msg(strstr(plan, "SEARCH") != NULL && strstr(plan, "outbox_waiting") != NULL, "%s",
                  plan);
}

/* Asked with every page and every batch: what was accepted and waits for its echo is not walked over. */
START_TEST(outbox__finds_its_lowest_number_without_a_receipt_by_an_index)
{
    int64_t n[4];
    sl_outbox_state state;
    sl_store *s = open_store();
    ck_assert_int_eq(local(s, "create", "{\"body\":\"0\"}", 100, &n[0]), SL_OK);
    for (unsigned i = 1; i < 4; i++) {
        ck_assert_int_eq(local(s, "patch", "{\"body\":\"1\"}", 100 + i, &n[i]), SL_OK);
    }
    ck_assert_int_eq(sl_store_outbox_accepted(s, n[0], 7, NULL, NULL), SL_OK);
    ck_assert_int_eq(sl_store_outbox_accepted(s, n[2], 8, NULL, NULL), SL_OK);
    ck_assert_int_eq(sl_store_outbox(s, &state, NULL), SL_OK);
    ck_assert(state.floor == n[1] && state.keep == n[0] && state.last == n[3]);
    check_plan(s);
    ck_assert_int_eq(sl_sql_script(s->sql, "DROP INDEX outbox_waiting", NULL), SL_OK);
    sl_store_close(s);
    s = open_store(); /* as one that was written before there was the index */
    check_plan(s);
    ck_assert_int_eq(sl_store_outbox_accepted(s, n[1], 9, NULL, NULL), SL_OK);
    ck_assert_int_eq(sl_store_outbox(s, &state, NULL), SL_OK);
    ck_assert_int_eq(state.floor, n[3]);
    sl_store_close(s);
}
END_TEST

SL_TEST_MAIN_WITH("store", setup, teardown, store__shows_local_changes_on_top_of_the_servers,
                  store__keeps_an_accepted_change_until_the_cursor_covers_it,
                  store__undoes_a_rejected_change_and_keeps_its_text,
                  store__a_rejected_creation_leaves_nothing,
                  store__a_reset_drops_the_servers_and_keeps_ours,
                  store__what_waited_in_a_space_that_was_taken_away_is_kept_as_rejected,
                  store__an_id_used_again_in_another_space_takes_nothing_away,
                  store__finds_all_again_after_closing,
                  store__a_counter_shows_a_pending_addition_once_before_and_after_its_echo,
                  store__a_folder_has_one_owner, store__says_so_when_the_database_is_damaged,
                  query__finds_by_known_fields_and_refuses_others,
                  outbox__finds_its_lowest_number_without_a_receipt_by_an_index,
                  blob__is_named_by_its_hash, store__survives_every_allocation_failure)
