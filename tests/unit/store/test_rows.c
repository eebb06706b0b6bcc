/* Records in their tables: every entity, the rows' numbers, and the text that is searched. */
#include "base/mem.h"
#include "unit/schema/random.h"
#include "unit/store/folder.h"

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

static void commit(void)
{
    ck_assert_int_eq(sl_store_commit(g_store, NULL), SL_OK);
    ck_assert_int_eq(sl_store_begin(g_store, NULL), SL_OK);
}

static void video(char out[SL_SPACE_MAX], unsigned k)
{
    (void)snprintf(out, SL_SPACE_MAX, "video:01890000-0000-7000-8000-%012x", k);
}

static void id_of(char out[SL_UUID_LEN + 1], unsigned k)
{
    (void)snprintf(out, SL_UUID_LEN + 1, "01890000-0000-7000-8000-00000000%04x", k);
}

static sl_row row_of(const sl_entity *e, const char *id, sl_record *rec)
{
    sl_row row;
    ck_assert_int_eq(sl_row_load(g_store, e, id, rec, &row, NULL), SL_OK);
    return row;
}

/* --- every entity ----------------------------------------------------------------------------- */

typedef struct one_row {
    sl_buf text;
    sl_json *row;
} one_row;

static bool take_row(void *ctx, const char *id, size_t from)
{
    one_row *o = ctx;
    (void)id;
    ck_assert_ptr_null(o->row);
    o->row = sl_json_parse(sl_buf_text(&o->text) + from, o->text.len - from);
    ck_assert_ptr_nonnull(o->row);
    return true;
}

/* What a query says of the record is what the record says of itself. */
static void check_query(const sl_record *rec)
{
    char query[200];
    sl_query *q = NULL;
    one_row found = {.row = NULL};
    sl_buf said = {0};
    (void)snprintf(query, sizeof query, "{\"from\":\"%s\",\"where\":{\"id\":\"%s\"}}",
                   rec->entity->name, rec->id);
    sl_json *j = sl_json_parse(query, strlen(query));
    commit(); /* a query sees no more */
    ck_assert_int_eq(sl_query_parse(j, &q, NULL), SL_OK);
    ck_assert_int_eq(sl_store_query(g_store, q, &found.text, take_row, &found, NULL), SL_OK);
    ck_assert((found.row == NULL) == rec->deleted);
    if (!rec->deleted) {
        sl_record_put_public(&said, rec, false);
        sl_json *own = sl_json_parse(sl_buf_text(&said), said.len);
        ck_assert_msg(sl_json_equal(own, found.row), "%s", sl_buf_text(&said));
        sl_json_free(own);
    }
    sl_json_free(found.row);
    sl_json_free(j);
    sl_query_free(q);
    sl_buf_free(&said);
    sl_buf_free(&found.text);
}

static void write_and_read(const sl_record *rec)
{
    sl_record back = {0};
    ck_assert_int_eq(sl_store_apply_remote(g_store, rec, NULL), SL_OK);
    ck_assert_int_eq(sl_store_record(g_store, rec->entity, rec->id, &back, NULL), SL_OK);
    if (rec->deleted) { /* that leaves nothing */
        ck_assert_ptr_null(back.entity);
    } else {
        same_record(rec, &back);
    }
    ck_assert(!sl_store_pending(g_store, rec->entity, rec->id));
    check_query(rec);
    sl_record_free(&back);
}

START_TEST(rows__of_every_entity_are_read_as_they_were_written)
{
    sl_prng r;
    sl_record rec = {0};
    sl_record next = {0};
    sl_prng_seed(&r, 41);
    for (size_t e = 0; e < sl_entity_count; e++) {
        for (int i = 0; i < 6; i++) {
            random_record(&r, &sl_entities[e], &rec);
            write_and_read(&rec);
            random_record_of(&r, &sl_entities[e], rec.id, rec.space, &next);
            write_and_read(&next);
            sl_row row = row_of(&sl_entities[e], rec.id, &rec);
            ck_assert((row.rid != 0) == !next.deleted);
            if (row.rid != 0) {
                ck_assert_int_eq(sl_row_delete(g_store, &rec, &row, NULL), SL_OK);
            }
            row = row_of(&sl_entities[e], next.id, &rec);
            ck_assert_int_eq(row.rid, 0);
            ck_assert_ptr_null(rec.entity);
        }
    }
    sl_record_free(&rec);
    sl_record_free(&next);
}
END_TEST

START_TEST(rows__an_id_that_is_none_finds_nothing)
{
    sl_record rec = {0};
    const sl_entity *e = sl_entity_find("comment");
    ck_assert_int_eq(sl_store_record(g_store, e, "none", &rec, NULL), SL_OK);
    ck_assert_ptr_null(rec.entity);
    ck_assert(!sl_store_pending(g_store, e, "none"));
}
END_TEST

/* --- numbers ---------------------------------------------------------------------------------- */

/* A comment from the server; its rid. */
static int64_t comment(unsigned space, unsigned k, const char *body)
{
    char name[SL_SPACE_MAX];
    char id[SL_UUID_LEN + 1];
    sl_record rec = {0};
    const sl_entity *e = sl_entity_find("comment");
    sl_cell cell = sl_cell_text(body);
    video(name, space);
    id_of(id, k);
    ck_assert_int_eq(sl_record_make(&rec, e, id, name, NULL), SL_OK);
    rec.seq = 1 + k;
    rec.birth = (sl_hlc){1 + k, 2};
    ck_assert_int_eq(sl_record_set(&rec, sl_field_find(e, "body"), &cell, NULL), SL_OK);
    ck_assert_int_eq(sl_store_apply_remote(g_store, &rec, NULL), SL_OK);
    int64_t rid = row_of(e, id, &rec).rid;
    ck_assert_str_eq(rec.space, name);
    sl_record_free(&rec);
    return rid;
}

static bool is_there(unsigned k)
{
    char id[SL_UUID_LEN + 1];
    sl_record rec = {0};
    id_of(id, k);
    bool there = row_of(sl_entity_find("comment"), id, &rec).rid != 0;
    sl_record_free(&rec);
    return there;
}

static void drop(unsigned space, bool keep)
{
    char name[SL_SPACE_MAX];
    video(name, space);
    ck_assert_int_eq(sl_store_drop_space(g_store, name, keep, NULL), SL_OK);
}

START_TEST(rid__counts_within_its_space)
{
    int64_t first[2] = {0, 0};
    for (unsigned i = 0; i < 20; i++) { /* the two spaces in turn */
        int64_t rid = comment(i % 2, i, "x");
        first[i % 2] = i < 2 ? rid : first[i % 2];
        ck_assert_int_eq(rid, first[i % 2] + i / 2);
        ck_assert_int_eq(rid & UINT32_MAX, 1 + i / 2);
    }
    ck_assert_int_ne(first[0] >> 32, first[1] >> 32);
    drop(0, true);
    for (unsigned i = 0; i < 20; i++) {
        ck_assert(is_there(i) == (i % 2 == 1));
    }
    ck_assert_int_eq(comment(0, 50, "x"), first[0]);
    ck_assert_int_eq(comment(1, 51, "x"), first[1] + 10);
    drop(1, false);
    ck_assert(is_there(50));
    ck_assert(!is_there(51));
}
END_TEST

START_TEST(rid__goes_on_after_closing_and_after_a_rollback)
{
    int64_t one = comment(0, 1, "x");
    commit();
    ck_assert_int_eq(comment(0, 2, "x"), one + 1);
    int64_t other = comment(7, 3, "x");
    sl_store_rollback(g_store);
    ck_assert_int_eq(sl_store_begin(g_store, NULL), SL_OK);
    ck_assert(!is_there(2));
    ck_assert_int_eq(comment(8, 4, "x"), other); /* the number was never given */
    ck_assert_int_eq(comment(0, 5, "x"), one + 1);
    ck_assert_int_eq(sl_store_commit(g_store, NULL), SL_OK);
    sl_store_close(g_store);
    g_store = folder_open();
    ck_assert_int_eq(sl_store_begin(g_store, NULL), SL_OK);
    ck_assert_int_eq(comment(0, 6, "x"), one + 2);
}
END_TEST

START_TEST(rid__more_spaces_than_are_remembered)
{
    enum {
        SPACES = SL_PLACES + 60
    };
    static int64_t rids[SPACES];
    for (unsigned k = 0; k < SPACES; k++) {
        rids[k] = comment(k, k, "x");
    }
    for (unsigned k = 0; k < SPACES; k += 3) { /* comment() looks at the space read back */
        ck_assert_int_eq(comment(k, SPACES + k, "x"), rids[k] + 1);
    }
}
END_TEST

START_TEST(rid__ends_with_its_space_and_spaces_with_their_numbers)
{
    char sql[200];
    int64_t rid = comment(0, 1, "x");
    int64_t last = sl_space_last_rid(rid >> 32);
    int64_t next = 0;
    const sl_entity *e = sl_entity_find("comment");
    (void)snprintf(sql, sizeof sql, "UPDATE comment SET rid=%lld", (long long)(last - 1));
    ck_assert_int_eq(sl_sql_script(g_store->sql, sql, NULL), SL_OK);
    sl_space_forget_numbers(g_store);
    ck_assert_int_eq(sl_space_next_rid(g_store, e, rid >> 32, &next, NULL), SL_OK);
    ck_assert_int_eq(next, last);
    ck_assert_int_eq(sl_space_next_rid(g_store, e, rid >> 32, &next, NULL), SL_E_LIMIT);
    ck_assert_int_eq(sl_sql_script(g_store->sql,
                                   "INSERT INTO space (no, name, held, epoch, cursor)"
                                   " VALUES (2147483646, 'video:a', 0, '', 0)",
                                   NULL),
                     SL_OK);
    int64_t no = 0;
    ck_assert_int_eq(sl_space_no(g_store, "video:b", true, &no, NULL), SL_OK);
    ck_assert_int_eq(no, INT32_MAX);
    ck_assert_int_eq(sl_space_no(g_store, "video:c", true, &no, NULL), SL_E_LIMIT);
}
END_TEST

START_TEST(space__has_a_number_only_when_it_is_given_one)
{
    int64_t no = 9;
    char name[SL_SPACE_MAX];
    char out[SL_SPACE_MAX];
    video(name, 1);
    ck_assert_int_eq(sl_space_no(g_store, name, false, &no, NULL), SL_OK);
    ck_assert_int_eq(no, 0);
    ck_assert_int_eq(sl_space_no(g_store, name, true, &no, NULL), SL_OK);
    ck_assert_int_ne(no, 0);
    ck_assert_int_eq(sl_space_of(g_store, no, out, NULL), SL_OK);
    ck_assert_str_eq(out, name);
    ck_assert_int_eq(sl_space_of(g_store, no + 1, out, NULL), SL_E_CORRUPT);
}
END_TEST

/* --- search ----------------------------------------------------------------------------------- */

static bool count_row(void *ctx, const char *id, size_t from)
{
    (void)id;
    (void)from;
    ++*(int *)ctx;
    return true;
}

/* How many comments have the word; the index is checked against the table. */
static int found(const char *word)
{
    char query[100];
    sl_query *q = NULL;
    sl_buf rows = {0};
    int n = 0;
    static const char check[] =
        "INSERT INTO comment_fts (comment_fts, rank) VALUES ('integrity-check', 1)";
    ck_assert_int_eq(sl_sql_script(g_store->sql, check, NULL), SL_OK);
    commit();
    (void)snprintf(query, sizeof query, "{\"from\":\"comment\",\"search\":\"%s\"}", word);
    sl_json *j = sl_json_parse(query, strlen(query));
    ck_assert_int_eq(sl_query_parse(j, &q, NULL), SL_OK);
    ck_assert_int_eq(sl_store_query(g_store, q, &rows, count_row, &n, NULL), SL_OK);
    sl_query_free(q);
    sl_json_free(j);
    sl_buf_free(&rows);
    return n;
}

static int64_t local(const char *kind, unsigned k, const char *fields, unsigned stamp)
{
    char text[400];
    char id[SL_UUID_LEN + 1];
    char space[SL_SPACE_MAX];
    sl_op op = {0};
    id_of(id, k);
    video(space, 0);
    (void)snprintf(text, sizeof text,
                   "{\"n\":1,\"op\":\"%s\",\"entity\":\"comment\",\"space\":\"%s\",\"id\":\"%s\","
                   "\"hlc\":\"%016x00000001\",\"fields\":%s}",
                   kind, space, id, 1000 + stamp, fields);
    sl_json *j = sl_json_parse(text, strlen(text));
    ck_assert_int_eq(sl_op_from_json(&op, j, NULL), SL_OK);
    ck_assert_int_eq(sl_store_apply_local(g_store, &op, NULL), SL_OK);
    int64_t n = op.n;
    sl_json_free(j);
    sl_op_free(&op);
    return n;
}

static void reject(int64_t n)
{
    ck_assert_int_eq(sl_store_outbox_rejected(g_store, n, "SL_E_DENIED", "no", "", NULL), SL_OK);
}

START_TEST(search__follows_what_is_written_here)
{
    int64_t made = local("create", 1, "{\"body\":\"elbow up\"}", 1);
    ck_assert_int_eq(found("elbow"), 1);
    int64_t patched = local("patch", 1, "{\"body\":\"chin down\"}", 2);
    ck_assert_int_eq(found("elbow"), 0);
    ck_assert_int_eq(found("chin"), 1);
    reject(patched);
    ck_assert_int_eq(found("elbow"), 1);
    ck_assert_int_eq(found("chin"), 0);
    reject(made);
    ck_assert_int_eq(found("elbow"), 0);
    (void)comment(0, 2, "knee bent");
    ck_assert_int_eq(found("knee"), 1);
    int64_t gone = local("delete", 2, "null", 3);
    ck_assert_int_eq(found("knee"), 0);
    reject(gone);
    ck_assert_int_eq(found("knee"), 1);
}
END_TEST

START_TEST(search__follows_the_server_under_what_waits)
{
    (void)comment(0, 1, "old text");
    int64_t n = local("patch", 1, "{\"body\":\"mine\"}", 1);
    (void)comment(0, 1, "newer text"); /* its stamp is older than the patch's */
    ck_assert_int_eq(found("mine"), 1);
    ck_assert_int_eq(found("text"), 0);
    reject(n);
    ck_assert_int_eq(found("newer"), 1);
    ck_assert_int_eq(found("old"), 0);
}
END_TEST

START_TEST(search__follows_a_dropped_space_and_a_rollback)
{
    (void)comment(0, 1, "word alone");
    (void)comment(1, 2, "word other");
    (void)comment(0, 3, "word waiting");
    (void)local("patch", 3, "{\"body\":\"word mine\"}", 1);
    ck_assert_int_eq(found("word"), 3);
    drop(0, false);
    sl_store_rollback(g_store);
    ck_assert_int_eq(sl_store_begin(g_store, NULL), SL_OK);
    ck_assert_int_eq(found("word"), 3);
    drop(0, true);
    ck_assert_int_eq(found("alone"), 0);
    ck_assert_int_eq(found("mine"), 1); /* it waits */
    ck_assert_int_eq(found("word"), 2);
    drop(1, true);
    ck_assert_int_eq(found("word"), 1);
}
END_TEST

SL_TEST_MAIN_WITH("rows", setup, teardown, rows__of_every_entity_are_read_as_they_were_written,
                  rows__an_id_that_is_none_finds_nothing, rid__counts_within_its_space,
                  rid__goes_on_after_closing_and_after_a_rollback,
                  rid__more_spaces_than_are_remembered,
                  rid__ends_with_its_space_and_spaces_with_their_numbers,
                  space__has_a_number_only_when_it_is_given_one,
                  search__follows_what_is_written_here, search__follows_the_server_under_what_waits,
                  search__follows_a_dropped_space_and_a_rollback)
