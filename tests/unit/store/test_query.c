#include "base/error.h"
#include "base/mem.h"
#include "base/prng.h"
#include "store/query.h"
#include "support.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SPACE "video:01890000-0000-7000-8000-00000000000"

enum {
    RECORDS = 200,
    QUERIES = 400,
    TEXT_MAX = 8192
};

static sl_platform g_platform;
static char g_dir[64];
static sl_store *g_store;

static void reopen(void)
{
    sl_error *err = NULL;
    sl_store_close(g_store);
    g_store = NULL;
    sl_status status = sl_store_open(&g_platform, g_dir, &g_store, &err);
    ck_assert_msg(status == SL_OK, "%s", sl_error_message(err));
}

static void setup(void)
{
    g_platform.struct_size = sizeof g_platform;
    ck_assert_int_eq(sl_platform_builtin(&g_platform), SL_OK);
    (void)snprintf(g_dir, sizeof g_dir, "/tmp/sideline-query-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(g_dir));
    reopen();
}

static void teardown(void)
{
    static const char *const files[] = {"sideline.db", "sideline.db-wal", "lock"};
    static const char *const dirs[] = {"blobs", "tmp", "."};
    char path[160];
    sl_store_close(g_store);
    g_store = NULL;
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", g_dir, files[i]);
        (void)unlink(path);
    }
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", g_dir, dirs[i]);
        (void)rmdir(path);
    }
    if (g_platform.release != NULL) {
        g_platform.release(g_platform.user);
    }
    ck_assert_int_eq(sl_debug_live_objects(), 0);
}

/* The server's comment number `i` in space 0 to 9. at_us < 0: absent. */
static void comment(unsigned i, unsigned space, const char *body, int at_us, int64_t seq)
{
    char at[40] = "";
    char text[600];
    sl_record rec = {0};
    if (at_us >= 0) {
        (void)snprintf(at, sizeof at, ",\"at_us\":%d", at_us);
    }
    (void)snprintf(
        text, sizeof text,
        "{\"entity\":\"comment\",\"id\":\"01890000-0000-7000-8000-%012x\",\"space\":\"" SPACE
        "%u\",\"seq\":%lld,\"fields\":{\"body\":\"%s\"%s},\"clocks\":{}}",
        i, space, (long long)seq, body, at);
    sl_json *j = sl_json_parse(text, strlen(text));
    ck_assert_int_eq(sl_record_from_wire(&rec, j, NULL), SL_OK);
    sl_json_free(j);
    ck_assert_int_eq(sl_store_apply_remote(g_store, &rec, NULL), SL_OK);
    sl_record_free(&rec);
}

typedef struct collecting {
    sl_buf text;
    sl_json *rows;
} collecting;

static bool collect(void *ctx, const char *id, size_t from)
{
    collecting *c = ctx;
    sl_json *row = sl_json_parse(sl_buf_text(&c->text) + from, c->text.len - from);
    ck_assert_msg(row != NULL, "no JSON: %s", sl_buf_text(&c->text) + from);
    const char *named = sl_json_str(row, "id");
    ck_assert_str_eq(id, named != NULL ? named : "");
    return sl_json_add(c->rows, row);
}

/* The answer, NULL when refused: then *status and the field named. */
static sl_json *ask_for(const char *query, sl_status *status, char field[64])
{
    sl_query *q = NULL;
    sl_error *err = NULL;
    sl_json *j = sl_json_parse(query, strlen(query));
    ck_assert_msg(j != NULL, "no JSON: %s", query);
    *status = sl_query_parse(j, &q, &err);
    collecting c = {.rows = NULL};
    if (*status == SL_OK) {
        c.rows = sl_json_array();
        sl_status ran = sl_store_query(g_store, q, &c.text, collect, &c, &err);
        ck_assert_msg(ran == SL_OK, "%s: %s", query, sl_error_message(err));
        sl_buf_free(&c.text);
    }
    const char *named = err != NULL ? sl_error_field(err) : NULL;
    (void)snprintf(field, 64, "%s", named != NULL ? named : "");
    sl_error_release(err);
    sl_query_free(q);
    sl_json_free(j);
    return c.rows;
}

static sl_json *ask(const char *query)
{
    sl_status status;
    char field[64];
    sl_json *rows = ask_for(query, &status, field);
    ck_assert_msg(status == SL_OK, "%s: refused for %s", query, field);
    return rows;
}

/* The last two digits of the ids found, joined. */
static const char *found(const char *query)
{
    static char text[256];
    sl_json *rows = ask(query);
    size_t n = 0;
    text[0] = 0;
    for (const sl_json *r = sl_json_first(rows); r != NULL && n < sizeof text - 4;
         r = sl_json_next(r)) {
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", n > 0 ? " " : "",
                              sl_json_str(r, "id") + 34);
    }
    sl_json_free(rows);
    return text;
}

static const char *found_where(const char *where)
{
    char query[2000];
    (void)snprintf(query, sizeof query, "{\"from\":\"comment\",\"where\":%s}", where);
    return found(query);
}

static void refuses(const char *query, sl_status expected, const char *named)
{
    sl_status status;
    char field[64];
    ck_assert_ptr_null(ask_for(query, &status, field));
    ck_assert_msg(status == expected, "%s: %d", query, status);
    ck_assert_msg(strcmp(field, named) == 0, "%s: names \"%s\"", query, field);
}

static void some_comments(void)
{
    comment(1, 1, "Keep the elbow up", 10, 1);
    comment(2, 1, "keep it 100% still", 20, 2);
    comment(3, 2, "\xC3\x89l\xC3\xA8ve: \\\"elbow\\\" OR 1=1 --", -1, 3);
    comment(4, 2, "a_b", 20, 4);
}

START_TEST(where__compares_with_each_operator)
{
    some_comments();
    ck_assert_str_eq(found_where("{}"), "01 02 03 04");
    ck_assert_str_eq(found_where("{\"at_us\":20}"), "02 04");
    ck_assert_str_eq(found_where("{\"at_us\":{\"eq\":10}}"), "01");
    ck_assert_str_eq(found_where("{\"at_us\":{\"ne\":20}}"), "01 03");
    ck_assert_str_eq(found_where("{\"at_us\":{\"lt\":20}}"), "01");
    ck_assert_str_eq(found_where("{\"at_us\":{\"le\":20}}"), "01 02 04");
    ck_assert_str_eq(found_where("{\"at_us\":{\"gt\":10}}"), "02 04");
    ck_assert_str_eq(found_where("{\"at_us\":{\"ge\":10,\"lt\":20}}"), "01");
    ck_assert_str_eq(found_where("{\"at_us\":null}"), "03");
    ck_assert_str_eq(found_where("{\"at_us\":{\"ne\":null}}"), "01 02 04");
    ck_assert_str_eq(found_where("{\"at_us\":{\"in\":[10,11]}}"), "01");
    ck_assert_str_eq(found_where("{\"at_us\":{\"in\":[]}}"), "");
    ck_assert_str_eq(found_where("{\"body\":{\"prefix\":\"keep\"}}"), "02");
    ck_assert_str_eq(found_where("{\"body\":{\"prefix\":\"\"}}"), "01 02 03 04");
    ck_assert_str_eq(found_where("{\"body\":{\"prefix\":\"\xC3\x89\"}}"), "03");
    ck_assert_str_eq(found_where("{\"body\":{\"text\":\"KEEP\"}}"), "01 02");
    ck_assert_str_eq(found_where("{\"body\":{\"text\":\"0%\"}}"), "02");
    ck_assert_str_eq(found_where("{\"body\":{\"text\":\"_\"}}"), "04");
    ck_assert_str_eq(found_where("{\"seq\":{\"ge\":3}}"), "03 04");
}
END_TEST

START_TEST(where__joins_conditions_by_and_or_and_not)
{
    some_comments();
    ck_assert_str_eq(found_where("{\"or\":[{\"at_us\":10},{\"seq\":4}]}"), "01 04");
    ck_assert_str_eq(found_where("{\"and\":[{\"at_us\":20},{\"space\":\"" SPACE "2\"}]}"), "04");
    ck_assert_str_eq(found_where("{\"not\":{\"at_us\":{\"gt\":10}}}"), "01 03");
    ck_assert_str_eq(found_where("{\"at_us\":20,\"not\":{\"seq\":2}}"), "04");
    ck_assert_str_eq(found_where("{\"or\":[]}"), "");
    ck_assert_str_eq(found_where("{\"and\":[]}"), "01 02 03 04");
    ck_assert_str_eq(found_where("{\"not\":{}}"), "");
}
END_TEST

START_TEST(where__refuses_what_it_does_not_know_and_names_it)
{
#define W(where) "{\"from\":\"comment\",\"where\":" where "}"
    refuses("{\"from\":\"nothing\"}", SL_E_INVALID, "from");
    refuses("{\"from\":\"comment\",\"wehre\":{}}", SL_E_INVALID, "wehre");
    refuses(W("3"), SL_E_INVALID, "where");
    refuses(W("{\"nobody\":1}"), SL_E_INVALID, "nobody");
    refuses(W("{\"deleted\":1}"), SL_E_INVALID, "deleted");
    refuses(W("{\"body\\\"=1 OR 1 --\":1}"), SL_E_INVALID, "body\"=1 OR 1 --");
    refuses(W("{\"body\":{\"like\":\"%\"}}"), SL_E_INVALID, "body");
    refuses(W("{\"body\":{}}"), SL_E_INVALID, "body");
    refuses(W("{\"body\":1}"), SL_E_INVALID, "body");
    refuses(W("{\"body\":[\"a\"]}"), SL_E_INVALID, "body");
    refuses(W("{\"at_us\":\"1\"}"), SL_E_INVALID, "at_us");
    refuses(W("{\"at_us\":1.5}"), SL_E_INVALID, "at_us");
    refuses(W("{\"at_us\":{\"prefix\":\"1\"}}"), SL_E_INVALID, "at_us");
    refuses(W("{\"at_us\":{\"in\":[1,null]}}"), SL_E_INVALID, "at_us");
    refuses(W("{\"at_us\":{\"in\":1}}"), SL_E_INVALID, "at_us");
    refuses(W("{\"at_us\":{\"lt\":null}}"), SL_E_INVALID, "at_us");
    refuses(W("{\"or\":{}}"), SL_E_INVALID, "or");
    refuses(W("{\"or\":[1]}"), SL_E_INVALID, "where");
    refuses(W("{\"not\":[]}"), SL_E_INVALID, "where");
    refuses(W("{\"id\":{\"ge\":\"x' OR ''='\"}}"), SL_E_INVALID, "id");
    refuses(W("{\"id\":{\"lt\":\"01890000\"}}"), SL_E_INVALID, "id");
    refuses(W("{\"author_id\":{\"prefix\":\"01\"}}"), SL_E_INVALID, "author_id");
    refuses(W("{\"id\":{\"text\":\"01\"}}"), SL_E_INVALID, "id");
    refuses("{\"from\":\"video\",\"where\":{\"blob\":{\"gt\":\"2c\"}}}", SL_E_INVALID, "blob");
    refuses("{\"from\":\"annotation\",\"where\":{\"style\":\"x\"}}", SL_E_INVALID, "style");
    refuses("{\"from\":\"comment\",\"order\":\"body\"}", SL_E_INVALID, "order");
    refuses("{\"from\":\"comment\",\"order\":[\"body; DROP TABLE comment\"]}", SL_E_INVALID,
            "order");
    refuses("{\"from\":\"annotation\",\"order\":[\"style\"]}", SL_E_INVALID, "order");
    refuses("{\"from\":\"comment\",\"select\":[\"clocks\"]}", SL_E_INVALID, "select");
    refuses("{\"from\":\"comment\",\"select\":\"body\"}", SL_E_INVALID, "select");
    refuses("{\"from\":\"comment\",\"count\":1}", SL_E_INVALID, "count");
    refuses("{\"from\":\"comment\",\"snippet\":true}", SL_E_INVALID, "snippet");
    refuses("{\"from\":\"comment\",\"search\":1}", SL_E_INVALID, "search");
    refuses("{\"from\":\"user\",\"search\":\"x\"}", SL_E_INVALID, "search");
    refuses("{\"from\":\"comment\",\"limit\":0}", SL_E_INVALID, "limit");
    refuses("{\"from\":\"comment\",\"limit\":10001}", SL_E_INVALID, "limit");
    refuses("{\"from\":\"comment\",\"limit\":\"1\"}", SL_E_INVALID, "limit");
#undef W
}
END_TEST

/* times(open) inner times(close), as "where" */
static void nest(char *out, size_t room, const char *open, const char *inner, unsigned times,
                 const char *close)
{
    size_t n = (size_t)snprintf(out, room, "{\"from\":\"comment\",\"where\":");
    for (unsigned i = 0; i < times; i++) {
        n += (size_t)snprintf(out + n, room - n, "%s", open);
    }
    n += (size_t)snprintf(out + n, room - n, "%s", inner);
    for (unsigned i = 0; i < times; i++) {
        n += (size_t)snprintf(out + n, room - n, "%s", close);
    }
    (void)snprintf(out + n, room - n, "}");
}

/* before item,item,.. after */
static void many(char *out, size_t room, const char *before, const char *item, unsigned times,
                 const char *after)
{
    size_t n = (size_t)snprintf(out, room, "{\"from\":\"comment\",%s", before);
    for (unsigned i = 0; i < times; i++) {
        n += (size_t)snprintf(out + n, room - n, "%s%s", i > 0 ? "," : "", item);
    }
    (void)snprintf(out + n, room - n, "%s}", after);
}

START_TEST(where__has_limits)
{
    static char query[TEXT_MAX];
    some_comments();
    nest(query, sizeof query, "{\"not\":", "{\"seq\":1}", 8, "}");
    ck_assert_str_eq(found(query), "01");
    nest(query, sizeof query, "{\"not\":", "{\"seq\":1}", 9, "}");
    refuses(query, SL_E_LIMIT, "where");
    many(query, sizeof query, "\"where\":{\"or\":[", "{\"seq\":2}", 64, "]}");
    ck_assert_str_eq(found(query), "02");
    many(query, sizeof query, "\"where\":{\"or\":[", "{\"seq\":2}", 65, "]}");
    refuses(query, SL_E_LIMIT, "");
    many(query, sizeof query, "\"where\":{\"seq\":{\"in\":[", "3", 256, "]}}");
    ck_assert_str_eq(found(query), "03");
    many(query, sizeof query, "\"where\":{\"seq\":{\"in\":[", "3", 257, "]}}");
    refuses(query, SL_E_LIMIT, "seq");
    many(query, sizeof query, "\"order\":[", "\"-body\"", 4, "]");
    ck_assert_str_eq(found(query), "03 02 04 01");
    many(query, sizeof query, "\"order\":[", "\"-body\"", 5, "]");
    refuses(query, SL_E_LIMIT, "order");
    many(query, sizeof query, "\"where\":{\"body\":{\"prefix\":\"", "x", 500, "\"}}");
    ck_assert_str_eq(found(query), "");
    many(query, sizeof query, "\"where\":{\"body\":{\"prefix\":\"", "x", 501, "\"}}");
    refuses(query, SL_E_LIMIT, "body");
    many(query, sizeof query, "\"search\":\"x ", "", 990, "\"");
    ck_assert_str_eq(found(query), "");
    many(query, sizeof query, "\"search\":\"x ", "", 1001, "\"");
    refuses(query, SL_E_LIMIT, "search");
}
END_TEST

START_TEST(where__takes_values_only_as_values)
{
    some_comments();
    ck_assert_str_eq(found_where("{\"body\":\"' OR 1=1 --\"}"), "");
    ck_assert_str_eq(found_where("{\"body\":{\"in\":[\"') OR (1=1\",\"a_b\"]}}"), "04");
    ck_assert_str_eq(found_where("{\"body\":{\"prefix\":\"' OR \"}}"), "");
    ck_assert_str_eq(found_where("{\"body\":{\"text\":\"OR 1=1 --\"}}"), "03");
    ck_assert_str_eq(found_where("{\"id\":\"x' OR ''='\"}"), "");
    ck_assert_str_eq(found_where("{\"id\":{\"ne\":\"x' OR ''='\"}}"), "01 02 03 04");
    ck_assert_str_eq(found_where("{\"id\":{\"in\":[\"' OR ''='\"]}}"), "");
}
END_TEST

START_TEST(select__gives_the_id_and_what_is_named)
{
    some_comments();
    sl_json *rows = ask("{\"from\":\"comment\",\"select\":[\"at_us\",\"seq\"],\"limit\":1}");
    char *text = sl_json_print(rows);
    ck_assert_str_eq(text,
                     "[{\"id\":\"01890000-0000-7000-8000-000000000001\",\"at_us\":10,\"seq\":1}]");
    sl_mem_free(text);
    sl_json_free(rows);
}
END_TEST

START_TEST(count__counts_all_that_match_whatever_the_limit)
{
    some_comments();
    sl_json *rows = ask("{\"from\":\"comment\",\"where\":{\"at_us\":20},\"count\":true,"
                        "\"limit\":1}");
    char *text = sl_json_print(rows);
    ck_assert_str_eq(text, "[{\"count\":2}]");
    sl_mem_free(text);
    sl_json_free(rows);
}
END_TEST

START_TEST(after__needs_what_the_order_needs)
{
#define AFTER(order, after) "{\"from\":\"comment\",\"order\":" order ",\"after\":" after "}"
#define ID2                 "\"id\":\"01890000-0000-7000-8000-000000000002\""
    some_comments();
    ck_assert_str_eq(found(AFTER("[\"at_us\"]", "{\"at_us\":20," ID2 "}")), "04");
    ck_assert_str_eq(found(AFTER("[\"-at_us\"]", "{\"at_us\":20," ID2 "}")), "04 01 03");
    ck_assert_str_eq(found(AFTER("[\"at_us\"]", "{" ID2 "}")), "03 01 02 04");
    ck_assert_str_eq(found(AFTER("[\"-id\"]", "{" ID2 "}")), "01");
    refuses(AFTER("[\"at_us\"]", "{\"at_us\":20}"), SL_E_INVALID, "id");
    refuses(AFTER("[\"seq\"]", "{" ID2 "}"), SL_E_INVALID, "seq");
    refuses(AFTER("[]", "{\"at_us\":1," ID2 "}"), SL_E_INVALID, "at_us");
    refuses(AFTER("[\"at_us\"]", "{\"at_us\":\"1\"," ID2 "}"), SL_E_INVALID, "at_us");
    refuses(AFTER("[]", "1"), SL_E_INVALID, "after");
    refuses(AFTER("[]", "{\"id\":\"02\"}"), SL_E_INVALID, "id");
    refuses("{\"from\":\"comment\",\"search\":\"x\",\"after\":{" ID2 "}}", SL_E_INVALID, "after");
#undef ID2
#undef AFTER
}
END_TEST

static const char *search(const char *words)
{
    char query[400];
    (void)snprintf(query, sizeof query,
                   "{\"from\":\"comment\",\"search\":\"%s\",\"order\":[\"id\"]}", words);
    return found(query);
}

START_TEST(search__finds_all_words_and_the_last_as_a_beginning)
{
    some_comments();
    ck_assert_str_eq(search("elbow"), "01 03");
    ck_assert_str_eq(search("elb"), "01 03");
    ck_assert_str_eq(search("elb keep"), "");
    ck_assert_str_eq(search("KEEP  elb "), "01");
    ck_assert_str_eq(search("eleve"), "03");
    ck_assert_str_eq(search("\xC3\x88L\xC3\x88V"), "03");
    ck_assert_str_eq(search("lbow"), "");
}
END_TEST

START_TEST(search__takes_any_text)
{
    some_comments();
    ck_assert_str_eq(search(""), "");
    ck_assert_str_eq(search("  !!! "), "");
    ck_assert_str_eq(search("\\\""), "");
    ck_assert_str_eq(search("\\\"elbow"), "01 03");
    ck_assert_str_eq(search("elbow\\\" OR \\\"a"), "");
    ck_assert_str_eq(search("!!! elbow"), "01 03");
    ck_assert_str_eq(search("body:elbow"), "");
    ck_assert_str_eq(search("NEAR(elbow keep)"), "");
    ck_assert_str_eq(search("elbow*) AND ("), "");
    ck_assert_str_eq(search("^elbow - + {}"), "01 03");
    ck_assert_str_eq(search("\xF0\x9F\x8E\xBE"), "");
}
END_TEST

START_TEST(search__gives_snippets_ranks_and_counts)
{
    some_comments();
    comment(5, 1, "elbow elbow elbow", 1, 5);
    ck_assert_str_eq(found("{\"from\":\"comment\",\"search\":\"elbow\",\"limit\":1}"), "05");
    ck_assert_str_eq(
        found("{\"from\":\"comment\",\"search\":\"elbow\",\"where\":{\"space\":\"" SPACE "2\"}}"),
        "03");
    sl_json *rows = ask("{\"from\":\"comment\",\"search\":\"elb\",\"snippet\":true,\"select\":[],"
                        "\"order\":[\"id\"],\"limit\":1}");
    ck_assert_str_eq(sl_json_str(sl_json_at(rows, 0), "snippet"), "Keep the [elbow] up");
    sl_json_free(rows);
    rows = ask("{\"from\":\"comment\",\"search\":\"elb\",\"count\":true}");
    ck_assert_int_eq(sl_json_int_or(sl_json_at(rows, 0), "count", 0), 3);
    sl_json_free(rows);
}
END_TEST

START_TEST(search__follows_changes_and_dropped_spaces)
{
    some_comments();
    comment(1, 1, "chin down", 10, 5);
    ck_assert_str_eq(search("elbow"), "03");
    ck_assert_str_eq(search("chin"), "01");
    comment(1, 1, "chin down", 11, 6);
    ck_assert_str_eq(search("chin"), "01");
    ck_assert_int_eq(sl_store_drop_space(g_store, SPACE "2", true, NULL), SL_OK);
    ck_assert_str_eq(search("elbow"), "");
    ck_assert_int_eq(sl_store_drop_space(g_store, SPACE "1", false, NULL), SL_OK);
    ck_assert_str_eq(search("chin"), "");
    static const char check[] = "INSERT INTO comment_fts (comment_fts) VALUES ('integrity-check')";
    ck_assert_int_eq(sl_sql_script(g_store->sql, check, NULL), SL_OK);
}
END_TEST

START_TEST(search__is_made_anew_when_it_is_missing_or_of_other_fields)
{
    some_comments();
    ck_assert_int_eq(sl_sql_script(g_store->sql,
                                   "DROP TABLE comment_fts; DROP TABLE video_fts;"
                                   "CREATE VIRTUAL TABLE video_fts USING fts5(status);",
                                   NULL),
                     SL_OK);
    reopen();
    ck_assert_str_eq(search("elbow"), "01 03");
    ck_assert_str_eq(found("{\"from\":\"video\",\"search\":\"elbow\"}"), "");
    comment(1, 1, "chin down", 10, 5);
    ck_assert_str_eq(search("elbow"), "03");
}
END_TEST

/* --- random queries against a plain reading of the same JSON --------------------------------- */

static const char *const bodies[] = {"a",  "ab", "abc", "B",  "b%", "b_c", "\xC3\xA9t\xC3\xA9",
                                     "zz", "Zz", "z z", "\\", "'",  "\x7F"};
enum {
    BODIES = sizeof bodies / sizeof bodies[0]
};

/* 0 absent on either side is told apart before; text by bytes, numbers by value. */
static int compare(const sl_json *a, const sl_json *b)
{
    if (sl_json_is_string(a)) {
        return strcmp(sl_json_text(a), sl_json_text(b));
    }
    double d = sl_json_value(a) - sl_json_value(b);
    return d < 0 ? -1 : (d > 0 ? 1 : 0);
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool contains(const char *s, const char *part)
{
    for (; *s != 0; s++) {
        size_t i = 0;
        while (part[i] != 0 && lower(s[i]) == lower(part[i])) {
            i++;
        }
        if (part[i] == 0) {
            return true;
        }
    }
    return false;
}

static bool meets_operator(const sl_json *have, const char *op, const sl_json *v)
{
    if (have == NULL) {
        return strcmp(op, "ne") == 0 ? !sl_json_is_null(v)
                                     : strcmp(op, "eq") == 0 && sl_json_is_null(v);
    }
    if (sl_json_is_null(v)) {
        return strcmp(op, "ne") == 0;
    }
    if (strcmp(op, "in") == 0) {
        bool any = false;
        for (const sl_json *one = sl_json_first(v); one != NULL; one = sl_json_next(one)) {
            any = any || compare(have, one) == 0;
        }
        return any;
    }
    if (strcmp(op, "prefix") == 0) {
        return strncmp(sl_json_text(have), sl_json_text(v), strlen(sl_json_text(v))) == 0;
    }
    if (strcmp(op, "text") == 0) {
        return contains(sl_json_text(have), sl_json_text(v));
    }
    int c = compare(have, v);
    return strcmp(op, "eq") == 0   ? c == 0
           : strcmp(op, "ne") == 0 ? c != 0
           : strcmp(op, "lt") == 0 ? c < 0
           : strcmp(op, "le") == 0 ? c <= 0
           : strcmp(op, "gt") == 0 ? c > 0
                                   : c >= 0;
}

static bool meets(const sl_json *row, const sl_json *where)
{
    bool all = true;
    for (const sl_json *v = sl_json_first(where); v != NULL; v = sl_json_next(v)) {
        const char *key = sl_json_key(v);
        const sl_json *have = sl_json_get(row, key);
        bool one = strcmp(key, "or") != 0;
        if (strcmp(key, "not") == 0) {
            one = !meets(row, v);
        } else if (strcmp(key, "and") == 0 || strcmp(key, "or") == 0) {
            for (const sl_json *in = sl_json_first(v); in != NULL; in = sl_json_next(in)) {
                one = strcmp(key, "or") == 0 ? one || meets(row, in) : one && meets(row, in);
            }
        } else if (sl_json_is_object(v)) {
            for (const sl_json *op = sl_json_first(v); op != NULL; op = sl_json_next(op)) {
                one = one && meets_operator(have, sl_json_key(op), op);
            }
        } else {
            one = meets_operator(have, "eq", v);
        }
        all = all && one;
    }
    return all;
}

/* Where `a` stands to `b` in "order", then by id. */
static int stands(const sl_json *a, const sl_json *b, const sl_json *order)
{
    for (const sl_json *o = sl_json_first(order); o != NULL; o = sl_json_next(o)) {
        const char *name = sl_json_text(o);
        bool down = name[0] == '-';
        const sl_json *x = sl_json_get(a, name + (down ? 1 : 0));
        const sl_json *y = sl_json_get(b, name + (down ? 1 : 0));
        int c = x == NULL || y == NULL ? (x != NULL) - (y != NULL) : compare(x, y);
        if (strcmp(name + (down ? 1 : 0), "seq") == 0 && c != 0 &&
            (sl_json_value(x) < 0.5 || sl_json_value(y) < 0.5)) {
            c = -c;
        }
        if (c != 0) {
            return down ? -c : c;
        }
    }
    return strcmp(sl_json_str(a, "id"), sl_json_str(b, "id"));
}

static size_t put_value(sl_prng *r, char *out, size_t room, unsigned field)
{
    if (field == 0) {
        const char *body = bodies[sl_prng_below(r, BODIES)];
        return (size_t)snprintf(out, room, "\"%s%s\"", body[0] == '\\' ? "\\" : "", body);
    }
    if (field == 3) {
        return (size_t)snprintf(out, room, "\"" SPACE "%u\"", (unsigned)sl_prng_below(r, 3));
    }
    return (size_t)snprintf(out, room, "%u", (unsigned)sl_prng_below(r, 12));
}

static size_t put_condition(sl_prng *r, char *out, size_t room)
{
    static const char *const names[] = {"body", "at_us", "seq", "space"};
    static const char *const ops[] = {"eq", "ne", "lt", "le", "gt", "ge", "in", "prefix", "text"};
    unsigned field = (unsigned)sl_prng_below(r, 4);
    bool text = field == 0 || field == 3;
    const char *op = ops[sl_prng_below(r, text ? 9 : 7)];
    bool in = strcmp(op, "in") == 0;
    if (sl_prng_below(r, 8) == 0) {
        return (size_t)snprintf(out, room, "\"%s\":null", names[field]);
    }
    size_t n = (size_t)snprintf(out, room, "\"%s\":{\"%s\":%s", names[field], op, in ? "[" : "");
    n += put_value(r, out + n, room - n, field);
    if (in) {
        n += (size_t)snprintf(out + n, room - n, ",");
        n += put_value(r, out + n, room - n, field);
    }
    return n + (size_t)snprintf(out + n, room - n, in ? "]}" : "}");
}

static size_t put_where(sl_prng *r, char *out, size_t room, unsigned depth)
{
    static const char *const heads[] = {"\"and\":[", "\"or\":[", "\"not\":"};
    unsigned kind = (unsigned)sl_prng_below(r, depth > 0 ? 5 : 2);
    size_t n = (size_t)snprintf(out, room, "{");
    if (kind < 2) {
        n += put_condition(r, out + n, room - n);
    } else {
        n += (size_t)snprintf(out + n, room - n, "%s", heads[kind - 2]);
        n += put_where(r, out + n, room - n, depth - 1);
        if (kind < 4) {
            n += (size_t)snprintf(out + n, room - n, ",");
            n += put_where(r, out + n, room - n, depth - 1);
            n += (size_t)snprintf(out + n, room - n, "]");
        }
    }
    return n + (size_t)snprintf(out + n, room - n, "}");
}

/* Fills the store; gives its rows as a query without conditions does, checked to be all. */
static sl_json *random_records(sl_prng *r)
{
    for (unsigned i = 0; i < RECORDS; i++) {
        char body[16];
        (void)put_value(r, body, sizeof body, 0);
        body[strlen(body) - 1] = 0;
        int at = (int)sl_prng_below(r, 12) - 2;
        comment(i, (unsigned)sl_prng_below(r, 3), body + 1, at, (int64_t)sl_prng_below(r, 12));
    }
    sl_json *all = ask("{\"from\":\"comment\"}");
    ck_assert_uint_eq(sl_json_count(all), RECORDS);
    return all;
}

/* The naive answer: the id of the first row that meets it, stands after `after` and, among those,
 * first; NULL when there is none. */
static const sl_json *next_row(const sl_json *all, const sl_json *where, const sl_json *order,
                               const sl_json *after)
{
    const sl_json *best = NULL;
    for (const sl_json *row = sl_json_first(all); row != NULL; row = sl_json_next(row)) {
        if (meets(row, where) && (after == NULL || stands(row, after, order) > 0) &&
            (best == NULL || stands(row, best, order) < 0)) {
            best = row;
        }
    }
    return best;
}

/* Asked of one record, here each fifth, the query says yes to those that it gives, and to no others. */
static void check_some(const char *query, const sl_json *all, const sl_json *rows)
{
    sl_query *q = NULL;
    sl_json *j = sl_json_parse(query, strlen(query));
    ck_assert_int_eq(sl_query_parse(j, &q, NULL), SL_OK);
    for (size_t i = strlen(query) % 5; i < RECORDS; i += 5) {
        const char *id = sl_json_str(sl_json_at(all, i), "id");
        bool given = false;
        for (const sl_json *g = sl_json_first(rows); g != NULL && !given; g = sl_json_next(g)) {
            given = strcmp(sl_json_str(g, "id"), id) == 0;
        }
        ck_assert_msg(sl_store_meets(g_store, q, id) == given, "%s: %s", query, id);
    }
    sl_query_free(q);
    sl_json_free(j);
}

static size_t check_random(sl_prng *r, const sl_json *all)
{
    static const char *const orders[] = {"[]",
                                         "[\"at_us\"]",
                                         "[\"-at_us\",\"body\"]",
                                         "[\"seq\",\"-body\"]",
                                         "[\"-seq\"]",
                                         "[\"space\",\"-at_us\",\"seq\",\"-id\"]"};
    static char query[TEXT_MAX];
    size_t n = (size_t)snprintf(
        query, sizeof query,
        "{\"from\":\"comment\",\"order\":%s,\"where\":", orders[sl_prng_below(r, 6)]);
    n += put_where(r, query + n, sizeof query - n, 4);
    size_t head = n;
    n += (size_t)snprintf(query + n, sizeof query - n, "}");
    sl_json *j = sl_json_parse(query, n);
    const sl_json *where = sl_json_get(j, "where");
    const sl_json *order = sl_json_get(j, "order");
    const sl_json *after =
        sl_prng_below(r, 2) == 0 ? sl_json_at(all, (size_t)sl_prng_below(r, RECORDS)) : NULL;
    if (after != NULL) {
        n = head + (size_t)snprintf(query + head, sizeof query - head, ",\"after\":{\"id\":\"%s\"",
                                    sl_json_str(after, "id"));
        for (const sl_json *o = sl_json_first(order); o != NULL; o = sl_json_next(o)) {
            const char *name = sl_json_text(o) + (sl_json_text(o)[0] == '-' ? 1 : 0);
            char *value = strcmp(name, "id") != 0 && sl_json_get(after, name) != NULL
                              ? sl_json_print(sl_json_get(after, name))
                              : NULL;
            if (value != NULL) {
                n += (size_t)snprintf(query + n, sizeof query - n, ",\"%s\":%s", name, value);
            }
            sl_mem_free(value);
        }
        (void)snprintf(query + n, sizeof query - n, "}}");
    }
    sl_json *rows = ask(query);
    size_t count = sl_json_count(rows);
    for (const sl_json *row = sl_json_first(rows); row != NULL; row = sl_json_next(row)) {
        const sl_json *expected = next_row(all, where, order, after);
        ck_assert_msg(expected != NULL && sl_json_equal(expected, row), "%s", query);
        after = expected;
    }
    ck_assert_msg(next_row(all, where, order, after) == NULL, "%s", query);
    check_some(query, all, rows);
    sl_json_free(rows);
    sl_json_free(j);
    return count;
}

/* Bodies go down as numbers go up; the first three, and how many there are. */
static void check_sorted(unsigned count)
{
    char expected[40];
    (void)snprintf(expected, sizeof expected, "%02x %02x %02x", count & 0xFF, (count - 1) & 0xFF,
                   (count - 2) & 0xFF);
    ck_assert_str_eq(found("{\"from\":\"comment\",\"where\":{\"space\":\"" SPACE
                           "1\"},\"order\":[\"body\"],\"limit\":3}"),
                     expected);
    sl_json *rows = ask("{\"from\":\"comment\",\"where\":{\"space\":\"" SPACE
                        "1\"},\"order\":[\"body\"],\"limit\":10000}");
    ck_assert_uint_eq(sl_json_count(rows), count);
    sl_json_free(rows);
}

START_TEST(order__of_as_many_rows_as_are_sorted_here_and_of_one_more)
{
    char body[16];
    ck_assert_int_eq(sl_store_begin(g_store, NULL), SL_OK);
    for (unsigned i = 1; i <= SL_QUERY_SORT_MAX; i++) {
        (void)snprintf(body, sizeof body, "b%04u", 9999 - i);
        comment(i, 1, body, -1, i);
    }
    ck_assert_int_eq(sl_store_commit(g_store, NULL), SL_OK);
    check_sorted(SL_QUERY_SORT_MAX);
    (void)snprintf(body, sizeof body, "b%04u", 9999 - (SL_QUERY_SORT_MAX + 1));
    comment(SL_QUERY_SORT_MAX + 1, 1, body, -1, SL_QUERY_SORT_MAX + 1);
    check_sorted(SL_QUERY_SORT_MAX + 1);
}
END_TEST

START_TEST(query__answers_as_a_plain_reading_of_it_does)
{
    sl_prng r;
    size_t rows = 0;
    sl_prng_seed(&r, 7);
    sl_json *all = random_records(&r);
    for (int i = 0; i < QUERIES; i++) {
        rows += check_random(&r, all);
    }
    ck_assert_uint_gt(rows, QUERIES * 10);
    sl_json_free(all);
}
END_TEST

SL_TEST_MAIN_WITH("query", setup, teardown, where__compares_with_each_operator,
                  where__joins_conditions_by_and_or_and_not,
                  where__refuses_what_it_does_not_know_and_names_it, where__has_limits,
                  where__takes_values_only_as_values, select__gives_the_id_and_what_is_named,
                  count__counts_all_that_match_whatever_the_limit,
                  after__needs_what_the_order_needs,
                  search__finds_all_words_and_the_last_as_a_beginning, search__takes_any_text,
                  search__gives_snippets_ranks_and_counts,
                  search__follows_changes_and_dropped_spaces,
                  search__is_made_anew_when_it_is_missing_or_of_other_fields,
                  order__of_as_many_rows_as_are_sorted_here_and_of_one_more,
                  query__answers_as_a_plain_reading_of_it_does)
