/* Databases of earlier schema versions, kept in tests/compat as text, opened by the present code. */
#include "base/error.h"
#include "base/mem.h"
#include "store/inside.h"
#include "support.h"
#include "sync/sum.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define VIDEO   "video:01890000-0000-7000-8000-0000ffff0002"
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

/* The text of a file in tests/compat. */
static char *read_file(const char *name)
{
    static char text[SQL_MAX];
    char path[160];
    (void)snprintf(path, sizeof path, "tests/compat/%s", name);
    FILE *f = fopen(path, "rb");
    ck_assert_ptr_nonnull(f);
    size_t n = fread(text, 1, sizeof text - 1, f);
    (void)fclose(f);
    text[n] = 0;
    return text;
}

/* Makes the database of a file in tests/compat, with `more` done to it. */
static void make(const char *name, const char *more)
{
    char path[160];
    const char *text = read_file(name);
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
    for (sl_status status = SL_E_NOMEM; status != SL_OK; k += k < 60 ? 1 : 11) {
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

START_TEST(compat__version_3_keeps_its_records_and_reads_the_videos_again)
{
    sl_space space;
    make("client-v3.sql", "");
    sl_store *s = open_store();
    sl_record rec = record(s, "video", "01890000-0000-7000-8000-0000ffff0002");
    ck_assert_str_eq(sl_record_text(&rec, "title"), "x");
    ck_assert_ptr_null(sl_record_text(&rec, "problem"));
    sl_record_free(&rec);
    ck_assert_int_eq(sl_store_record(s, sl_entity_find("variant"), COMMENT, &rec, NULL), SL_OK);
    ck_assert_ptr_null(rec.entity);
    ck_assert_int_eq(sl_store_space(s, "video:01890000-0000-7000-8000-0000ffff0002", &space, NULL),
                     SL_OK);
    ck_assert_int_eq(space.cursor, 0);
    ck_assert_int_eq(sl_store_space(s, "coach:01890000-0000-7000-8000-0000ffff0005", &space, NULL),
                     SL_OK);
    ck_assert_int_eq(space.cursor, 154);
    sl_store_close(s);
}
END_TEST

/* --- what each version said of itself, one fact a line ----------------------------------------- */

static sl_json *parse(const char *text)
{
    sl_json *j = sl_json_parse(text, strlen(text));
    ck_assert_msg(j != NULL, "no JSON: %s", text);
    return j;
}

/* `said` is the text of the same value. Empties the buffer. */
static void same(const sl_json *expected, sl_buf *said)
{
    ck_assert(!said->failed);
    sl_json *j = parse(sl_buf_text(said));
    if (!sl_json_equal(expected, j)) {
        char *text = sl_json_print(expected);
        ck_abort_msg("was %s\nis  %s", text, sl_buf_text(said));
    }
    sl_json_free(j);
    sl_buf_free(said);
}

static void same_record(const sl_json *expected, const sl_record *rec)
{
    sl_buf said = {0};
    ck_assert_ptr_nonnull(rec->entity);
    sl_record_put_wire(&said, rec);
    same(expected, &said);
}

static void same_op(const sl_json *expected, const sl_op *op)
{
    sl_buf said = {0};
    sl_op_put_json(&said, op);
    same(expected, &said);
}

/* The cell of a row found by a number. */
static sl_cell one_cell(sl_store *s, const char *sql, int64_t n, sl_arena *mem)
{
    sl_cell cell;
    sl_cell params[] = {sl_cell_int(n)};
    ck_assert_int_eq(sl_store_one(s, sql, params, 1, &(sl_taken){&cell, 1, mem}, NULL), SL_OK);
    return cell;
}

static sl_row row_of(sl_store *s, const sl_json *wire, sl_record *rec)
{
    sl_row row;
    const sl_entity *e = sl_entity_find(sl_json_str(wire, "entity"));
    ck_assert_int_eq(sl_row_load(s, e, sl_json_str(wire, "id"), rec, &row, NULL), SL_OK);
    ck_assert_int_ne(row.rid, 0);
    return row;
}

/* What was deleted, and nothing waits for it, is forgotten since version 9. */
static bool forgotten(const sl_json *fact)
{
    return sl_json_bool_or(sl_json_get(fact, "record"), "deleted", false) &&
           !sl_json_bool_or(fact, "pending", false);
}

static void check_record(sl_store *s, const sl_json *fact)
{
    sl_record rec = {0};
    sl_row row = row_of(s, sl_json_get(fact, "record"), &rec);
    same_record(sl_json_get(fact, "record"), &rec);
    ck_assert(sl_json_bool_or(fact, "pending", false) == (row.pending != 0));
    sl_record_free(&rec);
}

static void check_forgotten(sl_store *s, const sl_json *wire)
{
    sl_record rec = {0};
    sl_row row;
    const sl_entity *e = sl_entity_find(sl_json_str(wire, "entity"));
    ck_assert_int_eq(sl_row_load(s, e, sl_json_str(wire, "id"), &rec, &row, NULL), SL_OK);
    ck_assert_int_eq(row.rid, 0);
}

static void check_shadow(sl_store *s, const sl_json *wire)
{
    sl_record rec = {0};
    sl_arena mem = {NULL, NULL};
    sl_row row = row_of(s, wire, &rec);
    char sql[80];
    (void)snprintf(sql, sizeof sql, "SELECT record FROM shadow WHERE rid=$1 AND entity=%u",
                   rec.entity->no);
    sl_cell cell = one_cell(s, sql, row.rid, &mem);
    ck_assert_int_eq(sl_record_unpack(&rec, cell.blob, cell.len, NULL), SL_OK);
    same_record(wire, &rec);
    sl_record_free(&rec);
    sl_arena_free(&mem);
}

/* The operation, and that its record's chain has it. */
static void check_op(sl_store *s, const sl_json *fact)
{
    sl_op op = {0};
    sl_record rec = {0};
    sl_chain chain;
    const sl_json *wire = sl_json_get(fact, "op");
    int64_t n = sl_json_int_or(wire, "n", 0);
    int64_t seq = sl_json_int_or(fact, "seq", 0);
    ck_assert_int_eq(sl_store_outbox_op(s, n, &op, NULL), SL_OK);
    same_op(wire, &op);
    sl_cell stored = one_cell(s, "SELECT seq FROM outbox WHERE n=$1", n, NULL);
    ck_assert_int_eq(sl_cell_int_or(&stored, 0), seq);
    sl_row row = row_of(s, wire, &rec);
    ck_assert_int_eq(sl_outbox_chain(s, row.pending, &chain, NULL), SL_OK);
    bool in = false;
    for (size_t i = 0; i < chain.count; i++) {
        const sl_waiting *link = &chain.links[i];
        ck_assert_int_eq(link->prev, i > 0 ? chain.links[i - 1].n : 0);
        in = in || (link->n == n && link->seq == seq);
    }
    ck_assert(in);
    sl_mem_free(chain.links);
    sl_record_free(&rec);
    sl_op_free(&op);
}

static void check_rejected(sl_store *s, const sl_json *fact)
{
    sl_op op = {0};
    sl_arena mem = {NULL, NULL};
    const sl_json *wire = sl_json_get(fact, "rejected");
    int64_t n = sl_json_int_or(wire, "n", 0);
    sl_cell cell = one_cell(s, "SELECT op FROM rejected WHERE n=$1", n, &mem);
    ck_assert_int_eq(sl_op_unpack(&op, cell.blob, cell.len, NULL), SL_OK);
    same_op(wire, &op);
    cell = one_cell(s, "SELECT code FROM rejected WHERE n=$1", n, &mem);
    ck_assert_str_eq(cell.text, sl_json_str(fact, "code"));
    cell = one_cell(s, "SELECT message FROM rejected WHERE n=$1", n, &mem);
    ck_assert_str_eq(cell.text, sl_json_str(fact, "message"));
    sl_op_free(&op);
    sl_arena_free(&mem);
}

typedef struct wanted {
    const sl_json *fact;
    bool found;
} wanted;

static bool is_upload(void *ctx, const sl_upload *u)
{
    wanted *w = ctx;
    w->found = w->found || (strcmp(u->hex, sl_json_str(w->fact, "upload")) == 0 &&
                            strcmp(u->space, sl_json_str(w->fact, "space")) == 0 &&
                            strcmp(u->type, sl_json_str(w->fact, "type")) == 0 &&
                            strcmp(u->url, sl_json_str(w->fact, "url")) == 0 &&
                            u->size == sl_json_int_or(w->fact, "size", -1));
    return true;
}

static bool next_row(void *ctx, const char *id, size_t from)
{
    const sl_json **expected = ctx;
    (void)from;
    ck_assert_msg(*expected != NULL, "found %s too", id);
    ck_assert_str_eq(id, sl_json_str(*expected, "id"));
    *expected = sl_json_next(*expected);
    return true;
}

static void check_found(sl_store *s, const sl_json *fact)
{
    sl_query *q = NULL;
    sl_buf rows = {0};
    const sl_json *expected = sl_json_first(sl_json_get(fact, "rows"));
    ck_assert_int_eq(sl_query_parse(sl_json_get(fact, "query"), &q, NULL), SL_OK);
    ck_assert_int_eq(sl_store_query(s, q, &rows, next_row, &expected, NULL), SL_OK);
    ck_assert_ptr_null(expected);
    sl_query_free(q);
    sl_buf_free(&rows);
}

typedef struct totals {
    int64_t records;
    int64_t ops;
    int64_t shadows;
    int64_t rejected;
    int64_t uploads;
    int64_t spaces;
    uint64_t sum; /* of what is confirmed in the video's space */
    int version;
} totals;

static const char *video_of(int version)
{
    return version == 1 ? SPACE : VIDEO;
}

static void add_confirmed(totals *t, const sl_json *record)
{
    bool in = strcmp(sl_json_str(record, "space"), video_of(t->version)) == 0;
    t->sum += in ? sl_sum_of(sl_json_str(record, "id"), sl_json_int_or(record, "seq", 0)) : 0;
}

/* Of the first all is read again; then videos since version 4, what has places since version 5. */
static void check_space(sl_store *s, const sl_json *fact, int version)
{
    sl_space space;
    sl_holes holes;
    char text[SL_HOLES_TEXT];
    const char *name = sl_json_str(fact, "space");
    const char *had = sl_json_str(fact, "holes");
    bool anew = version == 1 || (version == 3 && sl_space_is(name, "video")) ||
                (version < 5 && sl_space_has_places(name));
    ck_assert_int_eq(sl_store_space(s, name, &space, NULL), SL_OK);
    ck_assert_str_eq(space.epoch, sl_json_str(fact, "epoch"));
    ck_assert_int_eq(space.cursor, anew ? 0 : sl_json_int_or(fact, "cursor", -1));
    ck_assert_int_eq(sl_store_holes(s, name, &holes, NULL), SL_OK);
    sl_holes_print(text, &holes);
    ck_assert_str_eq(text, had != NULL ? had : "");
}

static void check_fact(sl_store *s, const sl_json *fact, totals *t)
{
    if (sl_json_get(fact, "record") != NULL && forgotten(fact)) {
        check_forgotten(s, sl_json_get(fact, "record"));
    } else if (sl_json_get(fact, "record") != NULL) {
        check_record(s, fact);
        if (!sl_json_bool_or(fact, "pending", false)) {
            add_confirmed(t, sl_json_get(fact, "record"));
        }
        t->records++;
    } else if (sl_json_get(fact, "op") != NULL) {
        check_op(s, fact);
        t->ops++;
    } else if (sl_json_get(fact, "shadow") != NULL) {
        check_shadow(s, sl_json_get(fact, "shadow"));
        add_confirmed(t, sl_json_get(fact, "shadow"));
        t->shadows++;
    } else if (sl_json_get(fact, "rejected") != NULL) {
        check_rejected(s, fact);
        t->rejected++;
    } else if (sl_json_get(fact, "upload") != NULL) {
        wanted w = {fact, false};
        ck_assert_int_eq(sl_store_uploads(s, is_upload, &w, NULL), SL_OK);
        ck_assert(w.found);
        t->uploads++;
    } else if (sl_json_get(fact, "query") != NULL) {
        check_found(s, fact);
    } else {
        check_space(s, fact, t->version);
        t->spaces++;
    }
}

static int64_t count_all(sl_store *s, const char *table)
{
    char sql[80];
    (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM \"%s\" WHERE $1=0", table);
    return one_cell(s, sql, 0, NULL).i;
}

static void check_facts(sl_store *s, totals *t)
{
    char name[32];
    (void)snprintf(name, sizeof name, "client-v%d.jsonl", t->version);
    for (char *line = read_file(name); *line != 0;) {
        char *end = strchr(line, '\n');
        *end = 0;
        sl_json *fact = parse(line);
        check_fact(s, fact, t);
        sl_json_free(fact);
        line = end + 1;
    }
}

/* And nothing else is there. */
static void check_totals(sl_store *s, const totals *t)
{
    int64_t records = 0;
    for (size_t i = 0; i < sl_entity_count; i++) {
        records += count_all(s, sl_entities[i].name);
    }
    records -= t->version == 2 ? 1 : 0; /* a patch waits for what was refused */
    ck_assert_int_eq(records, t->records);
    ck_assert_int_eq(count_all(s, "outbox"), t->ops);
    ck_assert_int_eq(count_all(s, "shadow"), t->shadows);
    ck_assert_int_eq(count_all(s, "rejected"), t->rejected);
    ck_assert_int_eq(count_all(s, "upload"), t->uploads);
    ck_assert_int_eq(one_cell(s, "SELECT count(*) FROM space WHERE held=1 AND $1=0", 0, NULL).i,
                     t->spaces);
    ck_assert_int_eq(one_cell(s,
                              "SELECT count(*) FROM sqlite_schema WHERE $1=0 AND (name LIKE 'old%'"
                              " OR sql LIKE '%old\\_%' ESCAPE '\\')",
                              0, NULL)
                         .i,
                     0);
}

/* Versions before had none, or of other records. */
static void check_sum(sl_store *s, const totals *t)
{
    sl_space_sum sum;
    const char *space = video_of(t->version);
    ck_assert_int_eq(sl_store_sum(s, space, &sum, NULL), SL_OK);
    ck_assert_int_eq(sum.counted_ms, 0);
    ck_assert_int_eq(sl_store_sum_count(s, space, 1, NULL), SL_OK);
    ck_assert_int_eq(sl_store_sum(s, space, &sum, NULL), SL_OK);
    ck_assert(sum.sum == t->sum);
}

START_TEST(compat__every_version_opens_with_all_that_it_held)
{
    for (int version = 1; version < sl_schema_version; version++) {
        totals t = {.version = version};
        char name[160];
        char *user = NULL;
        sl_outbox_state outbox;
        (void)snprintf(name, sizeof name, "client-v%d.sql", version);
        make(name, "");
        sl_store *s = open_store();
        check_facts(s, &t);
        check_totals(s, &t);
        check_sum(s, &t);
        ck_assert_int_eq(sl_store_outbox(s, &outbox, NULL), SL_OK);
        ck_assert_int_eq(outbox.last, version == 1 ? 1 : 28);
        ck_assert_int_eq(outbox.floor, 1);
        ck_assert_int_eq(sl_store_meta(s, "user", &user, NULL), SL_OK);
        ck_assert_str_eq(user, version == 1 ? USER : "01890000-0000-7000-8000-0000ffff0001");
        sl_mem_free(user);
        sl_store_close(s);
        (void)snprintf(name, sizeof name, "%s/sideline.db", g_dir);
        ck_assert_int_eq(unlink(name), 0);
    }
}
END_TEST

#define C2(n) "01890000-0000-7000-8000-00000008" n

/* The visible body of a comment; "-" when there is none. */
static const char *body(sl_store *s, const char *id)
{
    static char text[64];
    sl_record rec = {0};
    ck_assert_int_eq(sl_store_record(s, sl_entity_find("comment"), id, &rec, NULL), SL_OK);
    bool there = rec.entity != NULL && !rec.deleted;
    (void)snprintf(text, sizeof text, "%s", there ? sl_record_text(&rec, "body") : "-");
    sl_record_free(&rec);
    return text;
}

static void reject(sl_store *s, int64_t n)
{
    ck_assert_int_eq(sl_store_begin(s, NULL), SL_OK);
    ck_assert_int_eq(sl_store_outbox_rejected(s, n, "SL_E_DENIED", "no", "", NULL), SL_OK);
    ck_assert_int_eq(sl_store_commit(s, NULL), SL_OK);
}

START_TEST(compat__what_waited_in_version_2_goes_on_as_it_began)
{
    make("client-v2.sql", "");
    sl_store *s = open_store();
    ck_assert_str_eq(body(s, C2("0001")), "mine two");
    reject(s, 2);
    ck_assert_str_eq(body(s, C2("0001")), "mine one");
    reject(s, 1);
    ck_assert_str_eq(body(s, C2("0001")), "theirs");
    ck_assert(!sl_store_pending(s, sl_entity_find("comment"), C2("0001")));
    reject(s, 3); /* a creation, before its patch */
    reject(s, 4);
    ck_assert_str_eq(body(s, C2("0010")), "-");
    reject(s, 5); /* a deletion */
    ck_assert_str_eq(body(s, C2("0002")), "na\xC3\xAFve\n\ttab 2");
    reject(s, 25); /* the patch of what was refused before */
    sl_record rec = {0};
    ck_assert_int_eq(sl_store_record(s, sl_entity_find("comment"), C2("0014"), &rec, NULL), SL_OK);
    ck_assert_ptr_null(rec.entity);
    /* The echo of an accepted creation and of an accepted patch. */
    sl_space space;
    ck_assert_int_eq(sl_store_space(s, VIDEO, &space, NULL), SL_OK);
    space.cursor = 201;
    ck_assert_int_eq(sl_store_set_space(s, &space, NULL), SL_OK);
    ck_assert_int_eq(sl_store_outbox_settle(s, VIDEO, NULL, NULL, NULL), SL_OK);
    sl_op op = {0};
    ck_assert_int_eq(sl_store_outbox_op(s, 8, &op, NULL), SL_E_NOT_FOUND);
    ck_assert_int_eq(sl_store_outbox_op(s, 9, &op, NULL), SL_OK);
    ck_assert_int_eq(sl_store_outbox_op(s, 10, &op, NULL), SL_E_NOT_FOUND);
    ck_assert(sl_store_space_expected(s, "video:01890000-0000-7000-8000-0000ffff0009"));
    ck_assert(!sl_store_space_expected(s, "video:01890000-0000-7000-8000-0000ffff0008"));
    sl_op_free(&op);
    sl_store_close(s);
}
END_TEST

START_TEST(compat__reads_all_again_after_an_update_when_something_was_skipped)
{
    for (int later = 0; later < 2; later++) {
        sl_space space;
        char *fact = NULL;
        char path[160];
        make("client-v2.sql", later != 0 ? "INSERT INTO meta VALUES ('later', '1')" : "");
        for (int opening = 0; opening < 2; opening++) {
            sl_store *s = open_store();
            ck_assert_int_eq(sl_store_space(s, VIDEO, &space, NULL), SL_OK);
            ck_assert_int_eq(space.cursor, later != 0 ? 0 : 151);
            ck_assert_str_eq(space.epoch, "01890000-0000-7000-8000-0000dddd0001");
            ck_assert_int_eq(sl_store_meta(s, SL_STORE_LATER, &fact, NULL), SL_OK);
            ck_assert_ptr_null(fact);
            sl_store_close(s);
        }
        (void)snprintf(path, sizeof path, "%s/sideline.db", g_dir);
        ck_assert_int_eq(unlink(path), 0);
    }
}
END_TEST

/* --- before version 5: rows as now, but for places ------------------------------------------- */

#define THREAD3 "thread:01890000-0000-7000-8000-0000ffff0003"

static int64_t messages(sl_store *s, const char *which)
{
    char sql[120];
    (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM message WHERE $1=0 AND (%s)", which);
    return one_cell(s, sql, 0, NULL).i;
}

START_TEST(compat__threads_from_before_places_are_read_again_in_part)
{
    sl_space space;
    sl_holes holes;
    make("client-v3.sql", "");
    sl_store *s = open_store();
    ck_assert_int_eq(messages(s, "deleted=0 AND place IS NULL"), 4);
    ck_assert_int_eq(messages(s, "pending IS NOT NULL"), 1);
    ck_assert_int_eq(sl_store_space(s, THREAD3, &space, NULL), SL_OK);
    ck_assert_int_eq(space.cursor, 0);
    ck_assert_int_eq(sl_store_holes(s, THREAD3, &holes, NULL), SL_OK);
    ck_assert_uint_eq(holes.n, 0);
    ck_assert_int_eq(one_cell(s,
                              "SELECT count(*) FROM sqlite_schema WHERE $1=0 AND name IN"
                              " ('message_place', 'message_seq')",
                              0, NULL)
                         .i,
                     1);
    /* The server leaves out what is old: what was here of it goes, what waits stays. */
    ck_assert_int_eq(sl_store_begin(s, NULL), SL_OK);
    ck_assert_int_eq(sl_store_hole_add(s, THREAD3, 0, 12, NULL), SL_OK);
    ck_assert_int_eq(sl_store_commit(s, NULL), SL_OK);
    ck_assert_int_eq(messages(s, "1"), 1);
    ck_assert_int_eq(messages(s, "pending IS NOT NULL"), 1);
    sl_store_close(s);
}
END_TEST

#define VIDEO3  "video:01890000-0000-7000-8000-0000ffff0002"
#define VARIANT "01890000-0000-7000-8000-000000000401"
#define LATER   "01890000-0000-7000-8000-000000000403"

static int64_t cursor_of(sl_store *s, const char *name)
{
    sl_space space;
    ck_assert_int_eq(sl_store_space(s, name, &space, NULL), SL_OK);
    return space.cursor;
}

static size_t holes_of(sl_store *s, const char *name)
{
    sl_holes holes = {0};
    ck_assert_int_eq(sl_store_holes(s, name, &holes, NULL), SL_OK);
    return holes.n;
}

/* What all versions from the fourth on have kept. */
static void check_fourth(sl_store *s)
{
    sl_op op = {0};
    sl_record rec = record(s, "variant", VARIANT);
    ck_assert_str_eq(sl_record_text(&rec, "name"), "720");
    ck_assert_int_eq(sl_record_int(&rec, "width", 0), 1280);
    ck_assert_int_eq(rec.seq, 161);
    sl_record_free(&rec);
    rec = record(s, "video", &VIDEO3[sizeof "video:" - 1]);
    ck_assert_str_eq(sl_record_text(&rec, "title"), "x");
    sl_record_free(&rec);
    for (int64_t n = 1; n <= 5; n++) {
        ck_assert_int_eq(sl_store_outbox_op(s, n, &op, NULL), SL_OK);
    }
    sl_op_free(&op);
    ck_assert_int_eq(cursor_of(s, VIDEO3), 162);
    ck_assert_int_eq(cursor_of(s, "coach:01890000-0000-7000-8000-0000ffff0005"), 154);
}

START_TEST(compat__version_4_keeps_its_records_and_reads_its_threads_again)
{
    make("client-v4.sql", "");
    sl_store *s = open_store();
    check_fourth(s);
    sl_record rec = record(s, "message", LATER);
    ck_assert_str_eq(sl_record_text(&rec, "body"), "before places");
    ck_assert_int_eq(sl_record_int(&rec, "place", -1), -1);
    sl_record_free(&rec);
    ck_assert_int_eq(cursor_of(s, THREAD3), 0);
    ck_assert_uint_eq(holes_of(s, THREAD3), 0);
    sl_store_close(s);
}
END_TEST

/* What was added since is there and empty. */
START_TEST(compat__version_5_keeps_its_records_its_gaps_and_where_it_was)
{
    make("client-v5.sql", "");
    sl_store *s = open_store();
    check_fourth(s);
    sl_record rec = record(s, "message", LATER);
    ck_assert_int_eq(sl_record_int(&rec, "place", -1), 40);
    sl_record_free(&rec);
    rec = record(s, "message", "01890000-0000-7000-8000-000000000404");
    ck_assert_str_eq(sl_record_text(&rec, "body"), "with a place");
    ck_assert_ptr_null(sl_record_text(&rec, "reply_to"));
    ck_assert_int_eq(sl_record_int(&rec, "edited_ms", -1), -1);
    sl_record_free(&rec);
    ck_assert_int_eq(sl_store_record(s, sl_entity_find("pin"), COMMENT, &rec, NULL), SL_OK);
    ck_assert_ptr_null(rec.entity);
    ck_assert_int_eq(cursor_of(s, THREAD3), 170);
    ck_assert_uint_eq(holes_of(s, THREAD3), 1);
    sl_store_close(s);
}
END_TEST

START_TEST(compat__version_6_keeps_its_records_and_knows_of_no_group)
{
    make("client-v6.sql", "");
    sl_store *s = open_store();
    check_fourth(s);
    sl_record rec = record(s, "message", "01890000-0000-7000-8000-000000000404");
    ck_assert_str_eq(sl_record_text(&rec, "body"), "with a place");
    ck_assert_int_eq(sl_record_int(&rec, "edited_ms", -1), INT64_C(1700000000123));
    ck_assert_ptr_null(sl_record_text(&rec, "event"));
    sl_record_free(&rec);
    ck_assert_int_eq(
        one_cell(s, "SELECT count(*) FROM thread WHERE $1=0 AND \"group\" IS NOT NULL", 0, NULL).i,
        0);
    ck_assert_int_eq(cursor_of(s, THREAD3), 170);
    ck_assert_uint_eq(holes_of(s, THREAD3), 1);
    sl_store_close(s);
}
END_TEST

START_TEST(compat__version_7_keeps_its_groups_and_knows_of_no_organisation)
{
    make("client-v7.sql", "");
    sl_store *s = open_store();
    check_fourth(s);
    sl_record rec = record(s, "message", "01890000-0000-7000-8000-000000000404");
    ck_assert_str_eq(sl_record_text(&rec, "event"), "renamed");
    sl_record_free(&rec);
    rec = record(s, "thread", &THREAD3[sizeof "thread:" - 1]);
    ck_assert_int_eq(sl_record_int(&rec, "group", 0), 1);
    sl_record_free(&rec);
    static const char *const names[] = {"organisation", "member", "membership", "program_share"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        ck_assert_int_eq(sl_store_record(s, sl_entity_find(names[i]), COMMENT, &rec, NULL), SL_OK);
        ck_assert_ptr_null(rec.entity);
    }
    ck_assert_int_eq(cursor_of(s, THREAD3), 170);
    ck_assert_uint_eq(holes_of(s, THREAD3), 1);
    sl_store_close(s);
}
END_TEST

START_TEST(compat__version_8_keeps_its_records_and_forgets_what_was_deleted)
{
    make("client-v8.sql", "");
    sl_store *s = open_store();
    check_fourth(s);
    sl_record rec = record(s, "membership", "01890000-0000-7000-8000-000000000501");
    ck_assert_str_eq(sl_record_text(&rec, "name"), "Athletics Club");
    sl_record_free(&rec);
    for (size_t i = 0; i < sl_entity_count; i++) {
        char sql[120];
        (void)snprintf(sql, sizeof sql,
                       "SELECT count(*) FROM \"%s\" WHERE $1=0 AND deleted=1 AND pending IS NULL",
                       sl_entities[i].name);
        ck_assert_int_eq(one_cell(s, sql, 0, NULL).i, 0);
    }
    sl_store_close(s);
}
END_TEST

SL_TEST_MAIN_WITH(
    "compat", setup, teardown,
    compat__every_table_of_the_present_schema_is_there_and_only_the_first_opening_migrates,
    compat__a_new_column_takes_what_a_newer_server_had_sent_for_it,
    compat__a_newer_database_is_refused_and_not_touched,
    compat__version_3_keeps_its_records_and_reads_the_videos_again,
    compat__every_version_opens_with_all_that_it_held,
    compat__what_waited_in_version_2_goes_on_as_it_began,
    compat__threads_from_before_places_are_read_again_in_part,
    compat__version_4_keeps_its_records_and_reads_its_threads_again,
    compat__version_5_keeps_its_records_its_gaps_and_where_it_was,
    compat__version_6_keeps_its_records_and_knows_of_no_group,
    compat__version_7_keeps_its_groups_and_knows_of_no_organisation,
    compat__version_8_keeps_its_records_and_forgets_what_was_deleted,
    compat__reads_all_again_after_an_update_when_something_was_skipped,
    compat__a_migration_that_runs_out_of_memory_changes_nothing_and_can_be_tried_again)
