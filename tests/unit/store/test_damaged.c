/* Databases that something else has written in: an error or less than there was, never a crash, and
 * an end. */
#include "base/mem.h"
#include "base/prng.h"
#include "unit/store/folder.h"

#define SPACE "video:01890000-0000-7000-8000-000000000002"
#define USER  "user:01890000-0000-7000-8000-000000000003"

enum {
    FILE_MAX = 2 * 1024 * 1024,
    RECORDS = 6,
    OPS_MAX = 12
};

static uint8_t g_base[FILE_MAX]; /* the sound database */
static size_t g_size;
static sl_vfs *g_vfs;

static void path_of(char out[160], const char *name)
{
    (void)snprintf(out, 160, "%s/%s", g_dir, name);
}

static void put_file(const uint8_t *bytes, size_t n)
{
    char path[160];
    path_of(path, "sideline.db-wal");
    (void)unlink(path);
    path_of(path, "sideline.db");
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert(n == 0 || fwrite(bytes, 1, n, f) == n);
    ck_assert_int_eq(fclose(f), 0);
}

static void keep_file(void)
{
    char path[160];
    path_of(path, "sideline.db");
    FILE *f = fopen(path, "rb");
    ck_assert_ptr_nonnull(f);
    g_size = fread(g_base, 1, sizeof g_base, f);
    ck_assert_uint_lt(g_size, sizeof g_base);
    (void)fclose(f);
}

static void id_of(char out[SL_UUID_LEN + 1], unsigned k)
{
    (void)snprintf(out, SL_UUID_LEN + 1, "01890000-0000-7000-8000-0000000001%02x", k);
}

static sl_status local(sl_store *s, const char *kind, const char *entity, unsigned k,
                       const char *fields)
{
    char text[500];
    char id[SL_UUID_LEN + 1];
    sl_op op = {0};
    id_of(id, k);
    (void)snprintf(text, sizeof text,
                   "{\"n\":1,\"op\":\"%s\",\"entity\":\"%s\",\"space\":\"%s\",\"id\":\"%s\","
                   "\"hlc\":\"00000000000000%02x00000001\",\"fields\":%s}",
                   kind, entity, strcmp(entity, "comment") == 0 ? SPACE : USER, id, 0x10 + k,
                   fields);
    sl_json *j = sl_json_parse(text, strlen(text));
    ck_assert_int_eq(sl_op_from_json(&op, j, NULL), SL_OK);
    sl_status status = sl_store_apply_local(s, &op, NULL);
    sl_json_free(j);
    sl_op_free(&op);
    return status;
}

static sl_status remote(sl_store *s, const char *entity, unsigned k, int64_t seq,
                        const char *fields, const char *clocks)
{
    char text[700];
    char id[SL_UUID_LEN + 1];
    sl_record rec = {0};
    id_of(id, k);
    (void)snprintf(text, sizeof text,
                   "{\"entity\":\"%s\",\"id\":\"%s\",\"space\":\"%s\",\"seq\":%lld,\"fields\":%s,"
                   "\"clocks\":%s}",
                   entity, id, strcmp(entity, "comment") == 0 ? SPACE : USER, (long long)seq,
                   fields, clocks);
    sl_json *j = sl_json_parse(text, strlen(text));
    ck_assert_int_eq(sl_record_from_wire(&rec, j, NULL), SL_OK);
    sl_status status = sl_store_apply_remote(s, &rec, NULL);
    sl_json_free(j);
    sl_record_free(&rec);
    return status;
}

static const char *const FIELDS[] = {
    ("{\"body\":\"keep the elbow up\",\"at_us\":7,\"author_id\":"
     "\"01890000-0000-7000-8000-0000000000aa\",\"later\":[1]}"),
    "{\"title\":\"run\",\"done\":3}",
    ("{\"display_name\":\"Ana\",\"sports\":[\"golf\"],\"avatar\":"
     "\"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824\"}")};
static const char *const CLOCKS[] = {
    "{\"*\":\"000000000000000100000002\",\"body\":\"000000000000000200000002\"}",
    "{\"*\":\"000000000000000100000002\",\"done\":{\"00000002\":\"0000000000000001\"}}",
    ("{\"*\":\"000000000000000100000002\",\"sports\":{\"add\":{\"golf\":{\"00000002\":"
     "\"0000000000000001\"}},\"remove\":{}}}")};
static const char *const ENTITIES[] = {"comment", "goal", "profile"};

static const char *const PATCHES[] = {"{\"body\":\"mine\"}", "{\"done\":5}",
                                      "{\"sports\":{\"add\":[\"judo\"],\"remove\":[\"golf\"]}}"};

/* Records of three entities, operations of each kind in each state. */
static void fill(sl_store *s)
{
    ck_assert_int_eq(sl_store_begin(s, NULL), SL_OK);
    for (unsigned i = 0; i < RECORDS; i++) {
        unsigned e = i % 3;
        ck_assert_int_eq(remote(s, ENTITIES[e], i, i + 1, FIELDS[e], CLOCKS[e]), SL_OK);
    }
    for (unsigned e = 0; e < 3; e++) {
        ck_assert_int_eq(local(s, "patch", ENTITIES[e], e, PATCHES[e]), SL_OK);
        ck_assert_int_eq(local(s, "patch", ENTITIES[e], e, PATCHES[e]), SL_OK);
    }
    ck_assert_int_eq(local(s, "create", "comment", RECORDS, "{\"body\":\"new\"}"), SL_OK);
    ck_assert_int_eq(local(s, "patch", "comment", RECORDS, "{\"body\":\"newer\"}"), SL_OK);
    ck_assert_int_eq(local(s, "delete", "comment", 3, "null"), SL_OK);
    ck_assert_int_eq(sl_store_outbox_accepted(s, 1, 50, NULL, NULL), SL_OK);
    ck_assert_int_eq(local(s, "create", "comment", RECORDS + 1, "{\"body\":\"no\"}"), SL_OK);
    ck_assert_int_eq(sl_store_outbox_rejected(s, 10, "SL_E_DENIED", "no", "", NULL), SL_OK);
    sl_space spaces[] = {{.name = SPACE, .epoch = "x", .cursor = 7},
                         {.name = USER, .epoch = "y", .cursor = 8}};
    ck_assert_int_eq(sl_store_set_space(s, &spaces[0], NULL), SL_OK);
    ck_assert_int_eq(sl_store_set_space(s, &spaces[1], NULL), SL_OK);
    ck_assert_int_eq(sl_store_set_meta(s, "user", "me", NULL), SL_OK);
    ck_assert_int_eq(
        sl_sql_script(s->sql, "INSERT INTO upload VALUES ('00','" SPACE "','a/b',5,'')", NULL),
        SL_OK);
    ck_assert_int_eq(sl_store_commit(s, NULL), SL_OK);
}

static void setup(void)
{
    folder_make();
    sl_store *s = folder_open();
    fill(s);
    sl_store_close(s);
    keep_file();
    ck_assert_int_eq(sl_vfs_new(&g_platform, NULL, &g_vfs, NULL), SL_OK);
}

static void teardown(void)
{
    sl_vfs_free(g_vfs);
    folder_remove();
}

/* --- everything that a store is asked --------------------------------------------------------- */

static bool any_space(void *ctx, const sl_space *space)
{
    (void)ctx;
    ck_assert(sl_space_ok(space->name));
    return true;
}

static bool any_upload(void *ctx, const sl_upload *u)
{
    (void)ctx;
    (void)u;
    return true;
}

static bool any_op(void *ctx, const sl_op *op)
{
    sl_buf *out = ctx;
    sl_op_put_json(out, op);
    return true;
}

static bool any_row(void *ctx, const char *id, size_t from)
{
    (void)ctx;
    (void)id;
    (void)from;
    return true;
}

static void query(sl_store *s, const char *text)
{
    sl_query *q = NULL;
    sl_buf rows = {0};
    sl_json *j = sl_json_parse(text, strlen(text));
    ck_assert_int_eq(sl_query_parse(j, &q, NULL), SL_OK);
    (void)sl_store_query(s, q, &rows, any_row, NULL, NULL);
    sl_query_free(q);
    sl_json_free(j);
    sl_buf_free(&rows);
}

static void read_all(sl_store *s)
{
    char *fact = NULL;
    int64_t n = 0;
    sl_outbox_state outbox;
    sl_op op = {0};
    sl_record rec = {0};
    sl_buf out = {0};
    (void)sl_store_meta(s, "user", &fact, NULL);
    sl_mem_free(fact);
    (void)sl_store_spaces(s, any_space, NULL, NULL);
    (void)sl_store_uploads(s, any_upload, NULL, NULL);
    (void)sl_store_outbox(s, &outbox, NULL);
    (void)sl_store_outbox_count(s, &n, NULL);
    (void)sl_store_rejected_count(s, &n, NULL);
    (void)sl_store_outbox_of(s, SPACE, any_op, &out, NULL);
    (void)sl_store_space_expected(s, SPACE);
    for (int64_t i = 0; i < OPS_MAX; i++) {
        if (sl_store_outbox_op(s, i, &op, NULL) == SL_OK) {
            sl_op_put_json(&out, &op);
        }
    }
    for (unsigned i = 0; i < (RECORDS + 2) * 3; i++) {
        char id[SL_UUID_LEN + 1];
        const sl_entity *e = sl_entity_find(ENTITIES[i % 3]);
        id_of(id, i / 3);
        (void)sl_store_pending(s, e, id);
        if (sl_store_record(s, e, id, &rec, NULL) == SL_OK && rec.entity != NULL) {
            sl_record_put_wire(&out, &rec);
            sl_record_put_public(&out, &rec, true);
            sl_record_pack(&out, &rec);
        }
    }
    query(s, "{\"from\":\"comment\"}");
    query(s, "{\"from\":\"goal\",\"order\":[\"seq\",\"done\"]}");
    query(s, "{\"from\":\"profile\",\"where\":{\"space\":\"" USER "\"}}");
    query(s, "{\"from\":\"comment\",\"search\":\"elb\",\"snippet\":true}");
    query(s, "{\"from\":\"comment\",\"count\":true}");
    sl_buf_free(&out);
    sl_record_free(&rec);
    sl_op_free(&op);
}

static sl_status change_all(sl_store *s)
{
    sl_status status = SL_OK;
    for (unsigned e = 0; e < 3; e++) {
        (void)local(s, "patch", ENTITIES[e], e + 3, PATCHES[e]);
        (void)local(s, "patch", ENTITIES[e], e, PATCHES[e]);
        (void)remote(s, ENTITIES[e], e, 60 + e, FIELDS[e], CLOCKS[e]);
        (void)remote(s, ENTITIES[e], e + 3, 70 + e, FIELDS[e], CLOCKS[e]);
    }
    (void)remote(s, "comment", RECORDS, 80, FIELDS[0], CLOCKS[0]);
    for (int64_t n = 1; n < OPS_MAX; n += 2) {
        (void)sl_store_outbox_accepted(s, n, 3, NULL, NULL);
        (void)sl_store_outbox_rejected(s, n + 1, "SL_E_DENIED", "no", "", NULL);
    }
    (void)sl_store_outbox_settle(s, SPACE, NULL, NULL, NULL);
    sl_space_sum sum;
    (void)sl_store_outbox_settle(s, USER, NULL, NULL, NULL);
    (void)sl_store_sum(s, USER, &sum, NULL);
    (void)sl_store_sum_count(s, USER, 1, NULL);
    (void)sl_store_sum(s, SPACE, &sum, NULL);
    (void)sl_store_sum_count(s, SPACE, 1, NULL);
    (void)sl_store_drop_space(s, USER, true, NULL);
    (void)sl_store_drop_space(s, SPACE, false, NULL);
    return status;
}

/* Opens the folder and does all that one does with a store. */
static sl_status use(void)
{
    sl_store *s = NULL;
    sl_error *err = NULL;
    sl_status status = sl_store_open(&g_platform, g_dir, &s, &err);
    ck_assert((status == SL_OK) == (err == NULL));
    sl_error_release(err);
    if (status == SL_OK) {
        read_all(s);
        if (sl_store_begin(s, NULL) == SL_OK) {
            (void)change_all(s);
            read_all(s);
            (void)sl_store_commit(s, NULL);
        }
        sl_store_close(s);
    }
    return status;
}

/* --- cells of the wrong kind ------------------------------------------------------------------ */

typedef struct columns {
    char names[48][48];
    size_t n;
    sl_buf ddl;
} columns;

static bool note_column(void *ctx, const sl_cell *cells, size_t n)
{
    columns *c = ctx;
    (void)n;
    bool key = cells[2].i == 1 && strcmp(cells[1].text, "INTEGER") == 0;
    (void)snprintf(c->names[c->n], sizeof c->names[0], "%s", cells[0].text);
    sl_buf_fmt(&c->ddl, "%s\"%s\"%s%s", c->n > 0 ? "," : "", cells[0].text,
               key ? " INTEGER PRIMARY KEY" : "",
               c->n < 2 && strcmp(cells[0].text, "id") == 0 ? " UNIQUE" : "");
    c->n++;
    return true;
}

/* The sound database with a table whose columns take anything. */
static sl_sql *loosen(const char *table, columns *c)
{
    char path[160];
    sl_sql *db = NULL;
    sl_buf sql = {0};
    sl_cell params[] = {sl_cell_text(table)};
    put_file(g_base, g_size);
    path_of(path, "sideline.db");
    memset(c, 0, sizeof *c);
    ck_assert_int_eq(sl_sql_open(path, sl_vfs_name(g_vfs), &db, NULL), SL_OK);
    ck_assert_int_eq(
        sl_sql_run(db,
                   "SELECT name, type, pk=1 AND (SELECT sum(pk) FROM pragma_table_info($1))=1"
                   " FROM pragma_table_info($1)",
                   params, 1, note_column, c, NULL),
        SL_OK);
    sl_buf_fmt(&sql,
               "CREATE TABLE x (%s); INSERT INTO x SELECT * FROM \"%s\"; DROP TABLE \"%s\";"
               "ALTER TABLE x RENAME TO \"%s\"",
               sl_buf_text(&c->ddl), table, table, table);
    sl_error *err = NULL;
    sl_status status = sl_sql_script(db, sl_buf_text(&sql), &err);
    ck_assert_msg(status == SL_OK, "%s: %s", sl_buf_text(&sql), sl_error_message(err));
    sl_buf_free(&sql);
    sl_buf_free(&c->ddl);
    return db;
}

static const char *const NONSENSE[] = {"NULL", "-9223372036854775807", "'{'", "x'00'",
                                       "x'00112233445566778899aabbccddeeff'"};
enum {
    NONSENSES = sizeof NONSENSE / sizeof NONSENSE[0]
};

/* Every column of the table with every value, or with one of them in turn. */
static void upset(const char *table, bool every)
{
    columns c;
    sl_sql_close(loosen(table, &c));
    for (size_t i = 0; i < c.n * (every ? NONSENSES : 1); i += SL_TEST_STRIDE) {
        char sql[200];
        sl_sql *db = loosen(table, &c);
        (void)snprintf(sql, sizeof sql, "UPDATE \"%s\" SET \"%s\"=%s", table, c.names[i % c.n],
                       NONSENSE[(every ? i / c.n : i) % NONSENSES]);
        (void)sl_sql_script(db, sql, NULL); /* a key refuses some */
        sl_sql_close(db);
        (void)use();
    }
}

START_TEST(damaged__the_stores_own_tables_may_hold_anything)
{
    static const char *const tables[] = {"meta", "space", "outbox", "shadow", "rejected", "upload"};
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        upset(tables[i], true);
    }
}
END_TEST

START_TEST(damaged__the_records_tables_may_hold_anything)
{
    upset("comment", true);
    upset("profile", false);
}
END_TEST

/* --- version 2 -------------------------------------------------------------------------------- */

/* Makes the database of version 2 the sound one. */
static void keep_version_2(void)
{
    static char text[FILE_MAX];
    char path[160];
    sl_sql *db = NULL;
    FILE *f = fopen("tests/compat/client-v2.sql", "rb");
    ck_assert_ptr_nonnull(f);
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    (void)fclose(f);
    put_file(NULL, 0);
    path_of(path, "sideline.db");
    ck_assert_int_eq(sl_sql_open(path, sl_vfs_name(g_vfs), &db, NULL), SL_OK);
    ck_assert_int_eq(sl_sql_script(db, text, NULL), SL_OK);
    sl_sql_close(db);
    keep_file();
}

/* The sound database with something done to it, opened. */
static sl_status after(const char *sql)
{
    char path[160];
    sl_sql *db = NULL;
    put_file(g_base, g_size);
    path_of(path, "sideline.db");
    ck_assert_int_eq(sl_sql_open(path, sl_vfs_name(g_vfs), &db, NULL), SL_OK);
    ck_assert_msg(sl_sql_script(db, sql, NULL) == SL_OK, "%s", sql);
    sl_sql_close(db);
    return use();
}

START_TEST(damaged__a_database_of_version_2_may_hold_anything)
{
    static const char *const tables[] = {"space", "outbox", "shadow", "rejected", "comment"};
    keep_version_2();
    ck_assert_int_eq(after("SELECT 1"), SL_OK);
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        upset(tables[i], false);
    }
}
END_TEST

START_TEST(damaged__what_version_2_cannot_have_written_is_an_error)
{
    static const char *const edits[] = {
        "UPDATE outbox SET op='{' WHERE n=1",
        "UPDATE outbox SET op='{}' WHERE n=1",
        "UPDATE outbox SET op='[1]' WHERE n=1",
        "UPDATE outbox SET op=replace(op, 'comment', 'nothing') WHERE n=1",
        "UPDATE outbox SET op=replace(op, '\"body\"', '\"nobody\"') WHERE n=1",
        "UPDATE outbox SET op=replace(op, '\"mine one\"', '5') WHERE n=1",
        "UPDATE outbox SET op=replace(op, '\"n\":1', '\"n\":2') WHERE n=1",
        "UPDATE shadow SET record='' WHERE entity='comment'",
        "UPDATE shadow SET record='{\"entity\":\"comment\"}' WHERE entity='comment'",
        "UPDATE rejected SET op='nonsense'",
        "UPDATE comment SET clocks='nonsense'",
        "UPDATE comment SET clocks=''",
        "UPDATE comment SET space='nowhere'",
        "UPDATE comment SET id='x' WHERE id LIKE '%0001'",
        "UPDATE space SET name='nowhere' WHERE name LIKE 'video%'; UPDATE comment SET space='nowhere'",
        "DROP TABLE space",
        "DROP TABLE outbox",
        "DROP TABLE shadow",
        "DROP TABLE rejected",
        "ALTER TABLE comment DROP COLUMN clocks",
        "ALTER TABLE outbox DROP COLUMN op",
        "CREATE TABLE old_outbox (n)",
        "CREATE TABLE old_comment (n)",
        "PRAGMA user_version=-1",
        "PRAGMA user_version=0",
        "PRAGMA user_version=3",
    };
    keep_version_2();
    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        ck_assert_msg(after(edits[i]) != SL_OK, "%s", edits[i]);
    }
    ck_assert_int_eq(after("DROP TABLE comment"), SL_OK); /* as one of an older version */
}
END_TEST

/* --- bytes ------------------------------------------------------------------------------------ */

START_TEST(damaged__bytes_of_the_file_may_be_any)
{
    static uint8_t bytes[FILE_MAX];
    sl_prng r;
    size_t opened = 0;
    sl_prng_seed(&r, 11);
    for (int round = 0; round < 50; round++) {
        memcpy(bytes, g_base, g_size);
        for (uint64_t n = 1 + sl_prng_below(&r, 30); n > 0; n--) {
            bytes[sl_prng_below(&r, g_size)] = (uint8_t)sl_prng_below(&r, 256);
        }
        put_file(bytes, g_size);
        opened += use() == SL_OK;
    }
    ck_assert_uint_gt(opened, 5); /* most places are not looked at before */
}
END_TEST

START_TEST(damaged__a_file_may_end_anywhere)
{
    sl_prng r;
    sl_prng_seed(&r, 12);
    for (int round = 0; round < 20; round++) {
        put_file(g_base, (size_t)sl_prng_below(&r, g_size));
        (void)use();
    }
}
END_TEST

static bool count_row(void *ctx, const char *id, size_t from)
{
    (void)id;
    (void)from;
    ++*(int *)ctx;
    return true;
}

/* How many comments are found by the word; -1: the search fails. */
static int found(sl_store *s, const char *word)
{
    char text[100];
    int n = 0;
    sl_query *q = NULL;
    sl_buf rows = {0};
    (void)snprintf(text, sizeof text, "{\"from\":\"comment\",\"search\":\"%s\"}", word);
    sl_json *j = sl_json_parse(text, strlen(text));
    ck_assert_int_eq(sl_query_parse(j, &q, NULL), SL_OK);
    sl_status status = sl_store_query(s, q, &rows, count_row, &n, NULL);
    sl_query_free(q);
    sl_json_free(j);
    sl_buf_free(&rows);
    return status == SL_OK ? n : -1;
}

/* All of it is in the records' own tables. */
START_TEST(damaged__a_search_index_is_filled_anew_by_the_next_write)
{
    put_file(g_base, g_size);
    sl_store *s = folder_open();
    ck_assert_int_eq(found(s, "newer"), 1);
    ck_assert_int_eq(
        sl_sql_script(s->sql, "INSERT INTO comment_fts (comment_fts) VALUES ('delete-all')", NULL),
        SL_OK);
    ck_assert_int_eq(found(s, "newer"), 0);
    ck_assert_int_eq(sl_store_begin(s, NULL), SL_OK);
    ck_assert_int_eq(local(s, "patch", "comment", 0, "{\"body\":\"yours\"}"), SL_OK);
    ck_assert_int_eq(sl_store_commit(s, NULL), SL_OK);
    ck_assert_int_eq(found(s, "mine"), 0);
    ck_assert_int_eq(found(s, "yours"), 1);
    ck_assert_int_eq(found(s, "newer"), 1);
    sl_store_close(s);
}
END_TEST

START_TEST(damaged__the_sound_file_opens)
{
    put_file(g_base, g_size);
    ck_assert_int_eq(use(), SL_OK);
}
END_TEST

SL_TEST_MAIN_WITH("damaged", setup, teardown, damaged__the_stores_own_tables_may_hold_anything,
                  damaged__the_records_tables_may_hold_anything,
                  damaged__a_database_of_version_2_may_hold_anything,
                  damaged__what_version_2_cannot_have_written_is_an_error,
                  damaged__a_search_index_is_filled_anew_by_the_next_write,
                  damaged__bytes_of_the_file_may_be_any, damaged__a_file_may_end_anywhere,
                  damaged__the_sound_file_opens)
