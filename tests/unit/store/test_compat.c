/* Databases of earlier schema versions, kept in tests/compat as text, opened by the present code. */
#include "base/error.h"
#include "base/mem.h"
#include "store/store.h"
#include "support.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SPACE   "video:01890000-0000-7000-8000-000000000002"
#define COMMENT "01890000-0000-7000-8000-000000000001"
#define USER    "01890000-0000-7000-8000-0000000000aa"
#define MESSAGE "01890000-0000-7000-8000-0000000000cc"

enum {
    SQL_MAX = 200000
};

static sl_platform g_platform;
static char g_dir[64];

static void setup(void)
{
    g_platform.struct_size = sizeof g_platform;
    ck_assert_int_eq(sl_platform_builtin(&g_platform), SL_OK);
    (void)snprintf(g_dir, sizeof g_dir, "/tmp/sideline-compat-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(g_dir));
}

static void teardown(void)
{
    static const char *const names[] = {"sideline.db", "sideline.db-wal", "sideline.db-shm",
                                        "lock"};
    static const char *const dirs[] = {"blobs", "tmp", "."};
    char path[160];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", g_dir, names[i]);
        (void)unlink(path);
    }
    for (size_t i = 0; i < sizeof dirs / sizeof dirs[0]; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", g_dir, dirs[i]);
        (void)rmdir(path);
    }
    if (g_platform.release != NULL) {
        g_platform.release(g_platform.user);
    }
    ck_assert_int_eq(sl_debug_live_objects(), 0);
}

/* Makes the database of a file in tests/compat, with `more` done to it. */
static void make(const char *name, const char *more)
{
    static char text[SQL_MAX];
    char path[160];
    (void)snprintf(path, sizeof path, "tests/compat/%s", name);
    FILE *f = fopen(path, "rb");
    ck_assert_ptr_nonnull(f);
    size_t n = fread(text, 1, sizeof text - 1, f);
    (void)fclose(f);
    text[n] = 0;
    (void)snprintf(path, sizeof path, "%s/sideline.db", g_dir);
    sl_sql *db = NULL;
    ck_assert_int_eq(sl_sql_open(path, NULL, &db, NULL), SL_OK);
    ck_assert_int_eq(sl_sql_script(db, text, NULL), SL_OK);
    ck_assert_int_eq(sl_sql_script(db, more, NULL), SL_OK);
    sl_sql_close(db);
}

static sl_store *open_store(void)
{
    sl_store *s = NULL;
    sl_error *err = NULL;
    sl_status status = sl_store_open(&g_platform, g_dir, &s, &err);
    ck_assert_msg(status == SL_OK, "%s", sl_error_message(err));
    return s;
}

static sl_record record(sl_store *s, const char *entity, const char *id)
{
    sl_record rec = {0};
    ck_assert_int_eq(sl_store_record(s, sl_entity_find(entity), id, &rec, NULL), SL_OK);
    ck_assert_ptr_nonnull(rec.entity);
    return rec;
}

START_TEST(compat__version_1_opens_with_all_that_it_held)
{
    make("client-v1.sql", "");
    sl_store *s = open_store();
    sl_record rec = record(s, "user", USER);
    ck_assert_str_eq(sl_record_text(&rec, "name"), "Ana");
    sl_record_free(&rec);
    rec = record(s, "comment", COMMENT);
    ck_assert_str_eq(sl_record_text(&rec, "body"), "mine");
    ck_assert_int_eq(sl_record_int(&rec, "at_us", 0), 7);
    sl_record_free(&rec);
    rec = record(s, "message", MESSAGE);
    ck_assert_str_eq(rec.ext, "{\"mood\":[\"calm\"]}");
    sl_record_free(&rec);
    ck_assert(sl_store_pending(s, sl_entity_find("comment"), COMMENT));
    sl_op op = {0};
    ck_assert_int_eq(sl_store_outbox_op(s, 1, &op, NULL), SL_OK);
    ck_assert_str_eq(sl_op_text(&op, "body"), "mine");
    sl_op_free(&op);
    char *user = NULL;
    ck_assert_int_eq(sl_store_meta(s, "user", &user, NULL), SL_OK);
    ck_assert_str_eq(user, USER);
    sl_mem_free(user);
    sl_space space;
    ck_assert_int_eq(sl_store_space(s, SPACE, &space, NULL), SL_OK);
    ck_assert_int_eq(space.cursor, 0);
    sl_store_close(s);
}
END_TEST

START_TEST(compat__every_table_of_the_present_schema_is_there_and_only_the_first_opening_migrates)
{
    make("client-v1.sql", "");
    sl_store_close(open_store());
    sl_store *s = open_store();
    sl_space space = {.name = SPACE, .epoch = COMMENT, .cursor = 9};
    ck_assert_int_eq(sl_store_set_space(s, &space, NULL), SL_OK);
    for (size_t i = 0; i < sl_entity_count; i++) {
        sl_record rec = {0};
        ck_assert_int_eq(sl_store_record(s, &sl_entities[i], "none", &rec, NULL), SL_OK);
        ck_assert_ptr_null(rec.entity);
    }
    sl_store_close(s);
    s = open_store();
    ck_assert_int_eq(sl_store_space(s, SPACE, &space, NULL), SL_OK);
    ck_assert_int_eq(space.cursor, 9);
    sl_store_close(s);
}
END_TEST

START_TEST(compat__a_new_column_takes_what_a_newer_server_had_sent_for_it)
{
    make("client-v1.sql",
         "UPDATE message SET ext='{\"mood\":[\"calm\"],\"sent_ms\":5,\"kind\":7}';"
         "ALTER TABLE message DROP COLUMN sent_ms; ALTER TABLE message DROP COLUMN kind;");
    sl_store *s = open_store();
    sl_record rec = record(s, "message", MESSAGE);
    ck_assert_int_eq(sl_record_int(&rec, "sent_ms", 0), 5);
    ck_assert_ptr_null(sl_record_text(&rec, "kind")); /* of a wrong type: left where it was */
    ck_assert_str_eq(rec.ext, "{\"mood\":[\"calm\"],\"kind\":7}");
    sl_record_free(&rec);
    sl_store_close(s);
}
END_TEST

START_TEST(compat__a_newer_database_is_refused_and_not_touched)
{
    make("client-v1.sql", "PRAGMA user_version=1000;");
    sl_store *s = NULL;
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(sl_store_open(&g_platform, g_dir, &s, NULL), SL_E_TOO_NEW);
    }
}
END_TEST

START_TEST(compat__a_migration_that_runs_out_of_memory_changes_nothing_and_can_be_tried_again)
{
    make("client-v1.sql", "");
    uint64_t k = 1;
    for (sl_status status = SL_E_NOMEM; status != SL_OK; k++) {
        sl_store *s = NULL;
        ck_assert_uint_lt(k, 5000);
        sl_mem_fail_at(k, false);
        status = sl_store_open(&g_platform, g_dir, &s, NULL);
        sl_mem_fail_at(0, false);
        sl_store_close(s);
    }
    sl_store *s = open_store();
    sl_record rec = record(s, "comment", COMMENT);
    ck_assert_str_eq(sl_record_text(&rec, "body"), "mine");
    sl_record_free(&rec);
    sl_store_close(s);
}
END_TEST

SL_TEST_MAIN_WITH(
    "compat", setup, teardown, compat__version_1_opens_with_all_that_it_held,
    compat__every_table_of_the_present_schema_is_there_and_only_the_first_opening_migrates,
    compat__a_new_column_takes_what_a_newer_server_had_sent_for_it,
    compat__a_newer_database_is_refused_and_not_touched,
    compat__a_migration_that_runs_out_of_memory_changes_nothing_and_can_be_tried_again)
