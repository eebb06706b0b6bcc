/* What is kept of an account is given to its owner, and goes when they go. */
#include "base/mem.h"
#include "schema/schema.h"
#include "support.h"
#include "unit/service/world.h"

#include <stdio.h>
#include <string.h>

static answer call(world *w, const person *p, const char *method, const char *path,
                   const char *json)
{
    return signed_request(w, p, method, path, "content-type: application/json\n", json,
                          json != NULL ? strlen(json) : 0);
}

static int32_t status_of(world *w, const person *p, const char *method, const char *path,
                         const char *json)
{
    answer a = call(w, p, method, path, json);
    int32_t status = a.status;
    answer_free(&a);
    return status;
}

/* What is not given, and why. */
static bool is_left_out(const char *table)
{
    static const char *const tables[] = {
        "recovery", "ticket",                      /* hashes of secrets */
        "receipt",  "receipt_log", "device_floor", /* of operations, whose records are there */
        "blob_ref",                                /* which records name a file */
    };
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        if (strcmp(table, tables[i]) == 0) {
            return true;
        }
    }
    return sl_entity_find(table) != NULL; /* records are given whole */
}

static bool is_secret(const char *column)
{
    return strcmp(column, "hash") == 0 || strcmp(column, "totp") == 0 ||
           strcmp(column, "totp_step") == 0;
}

/* The i-th name of a list that the database gives; false: there are no more. */
static bool name_at(const world *w, size_t i, const char *from, char name[512])
{
    char sql[300];
    (void)snprintf(sql, sizeof sql,
                   "SELECT name FROM (%s) WHERE $1=$2 ORDER BY name LIMIT 1 OFFSET %zu", from, i);
    return world_rows(w, name, sql, "", "") == 1;
}

static void check_account(const world *w, const person *p, const sl_json *account)
{
    char column[512];
    for (size_t i = 0; name_at(w, i, "SELECT name FROM pragma_table_info('account')", column);
         i++) {
        char sql[700];
        char kept[512];
        const char *name = strcmp(column, "birth") == 0 ? "birth_date" : column;
        const sl_json *value = sl_json_get(account, name);
        if (is_secret(column)) {
            ck_assert_msg(value == NULL, "%s is a secret", column);
            continue;
        }
        (void)snprintf(sql, sizeof sql,
                       "SELECT CAST(%s AS TEXT) FROM account WHERE id=$1 AND $2=$2", column);
        ck_assert_uint_eq(world_rows(w, kept, sql, p->id, ""), 1);
        char *text =
            sl_json_is_string(value) ? sl_text_dup(sl_json_text(value)) : sl_json_print(value);
        ck_assert_msg(strcmp(kept[0] != 0 ? kept : "null", text) == 0, "%s: %s, not %s", column,
                      text, kept);
        sl_mem_free(text);
    }
}

/* The list of the export with the rows of a table. */
static const char *list_of(const char *table)
{
    static const char *const names[][2] = {{"session", "sessions"}, {"consent", "consents"},
                                           {"access", "access"},    {"quota", "quotas"},
                                           {"upload", "uploads"},   {"blob_holder", "files"},
                                           {"charge", "charges"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i][0], table) == 0) {
            return names[i][1];
        }
    }
    return "";
}

static size_t check_tables(const world *w, const person *p, const sl_json *export)
{
    char table[512];
    size_t rows = 0;
    for (size_t i = 0;
         name_at(w, i,
                 "SELECT m.name AS name FROM sqlite_master m JOIN pragma_table_info(m.name) c"
                 " WHERE m.type='table' AND c.name='user_id'",
                 table);
         i++) {
        char sql[700];
        if (is_left_out(table)) {
            continue;
        }
        const sl_json *list = sl_json_get(export, list_of(table));
        ck_assert_msg(sl_json_is_array(list), "nothing is given of the table %s", table);
        (void)snprintf(sql, sizeof sql, "SELECT user_id FROM \"%s\" WHERE user_id=$1 AND $2=$2",
                       table);
        ck_assert_uint_eq(sl_json_count(list), world_rows(w, NULL, sql, p->id, ""));
        rows += sl_json_count(list);
    }
    return rows;
}

/* Every record of the user's own spaces, with every field that has a value. */
static void check_records(const world *w, const person *p, const sl_json *records)
{
    for (size_t k = 0; k < sl_entity_count; k++) {
        const sl_entity *e = &sl_entities[k];
        char sql[400];
        size_t given = 0;
        for (const sl_json *r = sl_json_first(records); r != NULL; r = sl_json_next(r)) {
            bool own = strcmp(sl_json_str(r, "entity"), e->name) == 0;
            given += own ? 1 : 0;
            for (size_t i = 0; own && i < e->field_count; i++) {
                const char *name = e->fields[i].name;
                (void)snprintf(
                    sql, sizeof sql,
                    "SELECT id FROM \"%s\" WHERE id=$1 AND space=$2 AND \"%s\" IS NOT NULL",
                    e->name, name);
                bool there =
                    world_rows(w, NULL, sql, sl_json_str(r, "id"), sl_json_str(r, "space")) > 0;
                ck_assert_msg(!there || sl_json_get(sl_json_get(r, "fields"), name) != NULL,
                              "%s.%s is not given", e->name, name);
            }
        }
        (void)snprintf(sql, sizeof sql,
                       "SELECT r.id FROM \"%s\" r JOIN access a ON a.space=r.space WHERE"
                       " a.user_id=$1 AND a.role=$2 AND r.deleted=0",
                       e->name);
        ck_assert_msg(given >= world_rows(w, NULL, sql, p->id, "owner"), "%s", e->name);
    }
}

START_TEST(export__leaves_nothing_out_that_the_database_has_of_the_account)
{
    world *w = world_new();
    w->trial_days = 30;
    world_reopen(w);
    person p;
    person other;
    char thread[SL_SPACE_MAX];
    char video[SL_SPACE_MAX];
    char sha[65];
    char location[128];
    person_make(w, &p, "a@b.c", "coach", 1);
    person_make(w, &other, "c@b.c", "athlete", 2);
    befriend(w, &p, &other, thread);
    video_make(w, &p, video, 0x300, "the clip");
    ck_assert_int_eq(upload(w, &p, video, "the clip"), 204);
    video_make(w, &p, video, 0x301, "another clip");
    sha_of("another clip", sha);
    ck_assert_int_eq(upload_create(w, &p, video, sha, 12, location), 201);
    must(op(w, &p, "create", "message", thread, id_of(0x302), "{\"kind\":\"text\",\"body\":\"x\"}"),
         "applied");
    for (int i = 0; i < 2; i++) { /* each has a line in the audit log */
        ck_assert_int_eq(status_of(w, &p, "POST", "/api/v1/auth/totp", NULL), 200);
    }
    (void)world_rows(w, NULL,
                     "INSERT INTO consent (user_id, by_name, how, at_ms, admin)"
                     " VALUES ($1, $2, 'form', 1, 'x')",
                     p.id, "Anna A");
    (void)world_rows(w, NULL, "UPDATE account SET external=$2, verified_ms=7 WHERE id=$1", p.id,
                     "https://p.example|1");
    answer a = call(w, &p, "GET", "/api/v1/account/export", NULL);
    ck_assert_int_eq(a.status, 200);
    check_account(w, &p, sl_json_get(a.body, "account"));
    ck_assert_str_eq(sl_json_str(sl_json_get(a.body, "account"), "birth_date"), "1990-01-31");
    ck_assert_uint_ge(check_tables(w, &p, a.body), 7);
    check_records(w, &p, sl_json_get(a.body, "records"));
    ck_assert_uint_eq(
        sl_json_count(sl_json_get(a.body, "audit")) + 1, /* this request's line */
        world_rows(w, NULL, "SELECT n FROM audit WHERE actor=$1 OR object=$2", p.id, p.id));
    ck_assert_uint_ge(sl_json_count(sl_json_get(a.body, "audit")), 2);
    answer_free(&a);
    world_free(w);
}
END_TEST

START_TEST(export__has_what_is_ones_own_and_erasing_leaves_nothing)
{
    world *w = world_new();
    person athlete;
    person coach;
    char thread[SL_SPACE_MAX];
    char video[SL_SPACE_MAX];
    char id[SL_UUID_LEN + 1];
    person_make(w, &athlete, "a@b.c", "athlete", 1);
    person_make(w, &coach, "c@b.c", "coach", 2);
    befriend(w, &athlete, &coach, thread);
    video_make(w, &athlete, video, 0x300, "the clip");
    ck_assert_int_eq(upload(w, &athlete, video, "the clip"), 204);
    share_with(w, &athlete, &coach, video, "coach", 0x301);
    uuid_of(id, 0x302);
    must(op(w, &athlete, "create", "message", thread, id,
            "{\"kind\":\"text\",\"body\":\"my own words\"}"),
         "applied");
    uuid_of(id, 0x303);
    must(op(w, &coach, "create", "message", thread, id,
            "{\"kind\":\"text\",\"body\":\"the words of another\"}"),
         "applied");
    answer a = call(w, &athlete, "GET", "/api/v1/account/export", NULL);
    ck_assert_int_eq(a.status, 200);
    char *text = sl_json_print(a.body);
    ck_assert_ptr_nonnull(strstr(text, "my own words"));
    ck_assert_ptr_null(strstr(text, "the words of another"));
    ck_assert_ptr_nonnull(strstr(text, "\"entity\":\"video\""));
    ck_assert_ptr_nonnull(strstr(text, "\"entity\":\"connection\""));
    sl_mem_free(text);
    answer_free(&a);
    frames_clear(w);
    ck_assert_int_eq(
        status_of(w, &athlete, "POST", "/api/v1/account/erase", "{\"password\":\"not this one\"}"),
        422);
    ck_assert_int_eq(
        status_of(w, &athlete, "POST", "/api/v1/account/erase", "{\"password\":\"long enough\"}"),
        204);
    ck_assert_int_eq(closed_with(w, athlete.conn), 4401);
    ck_assert_uint_ge(frame_count(w, coach.conn, "revoked"), 1);
    a = post(w, "/api/v1/auth/login",
             "{\"email\":\"a@b.c\",\"password\":\"long enough\","
             "\"device\":\"018b0000-0000-7000-8000-000000000001\"}");
    ck_assert_int_eq(a.status, 401);
    answer_free(&a);
    char sha[65];
    char blob[140];
    sha_of("the clip", sha);
    (void)snprintf(blob, sizeof blob, "data/blobs/%.2s/%s", sha, sha);
    ck_assert_ptr_null(file_find(w, blob));
    frames_clear(w);
    subscribe(w, &coach, thread, 0, "");
    text = sl_json_print(frame_at(w, coach.conn, "page", 0));
    ck_assert_ptr_null(strstr(text, "my own words"));
    ck_assert_ptr_nonnull(strstr(text, "the words of another"));
    sl_mem_free(text);
    person again;
    person_make(w, &again, "a@b.c", "athlete", 5); /* the address is free */
    world_free(w);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        export__leaves_nothing_out_that_the_database_has_of_the_account,
        export__has_what_is_ones_own_and_erasing_leaves_nothing,
    };
    world_start();
    int status = sl_test_run(sl_test_suite("privacy", tests, sizeof tests / sizeof tests[0]));
    world_end();
    return status;
}
