/* The exported functions of a core that is never online. Public headers only. */
#include "support.h"

#include <sideline/sideline.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SPACE "video:01890000-0000-7000-8000-000000000002"

static char g_dir[64];

static void setup(void)
{
    (void)snprintf(g_dir, sizeof g_dir, "/tmp/sideline-core-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(g_dir));
}

static void teardown(void)
{
    char command[160];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", g_dir);
    ck_assert_int_eq(system(command), 0); /* NOLINT: the path is this test's own */
    ck_assert_int_eq(sl_debug_live_objects(), 0);
}

static sl_status open_as(const uint8_t *key, uint32_t flags, sl_core **core)
{
    sl_config cfg = {.struct_size = sizeof cfg, .flags = flags, .dir = g_dir, .key = key};
    sl_error *err = NULL;
    sl_status status = sl_core_open(&cfg, core, &err);
    ck_assert_int_eq(status, sl_error_code(err));
    sl_error_release(err);
    return status;
}

static sl_core *open_core(void)
{
    sl_core *core = NULL;
    ck_assert_int_eq(open_as(NULL, SL_CORE_STEPPED, &core), SL_OK);
    return core;
}

static sl_status apply(sl_core *core, const char *ops)
{
    return sl_apply(core, ops, strlen(ops), NULL, NULL);
}

static const char *text_of(sl_bytes *b)
{
    static char text[2000];
    (void)snprintf(text, sizeof text, "%s", b != NULL ? (const char *)sl_bytes_data(b) : "");
    sl_bytes_release(b);
    return text;
}

#define CREATE(body) \
    "[{\"op\":\"create\",\"entity\":\"comment\",\"space\":\"" SPACE "\",\"fields\":{" body "}}]"

START_TEST(open__refuses_what_is_not_a_configuration)
{
    sl_core *core = NULL;
    sl_config cfg = {.struct_size = 4, .dir = g_dir};
    ck_assert_int_eq(sl_core_open(&cfg, &core, NULL), SL_E_UNSUPPORTED);
    cfg.struct_size = sizeof cfg;
    cfg.dir = NULL;
    ck_assert_int_eq(sl_core_open(&cfg, &core, NULL), SL_E_MISUSE);
    cfg.dir = g_dir;
    cfg.server = "gopher://x";
    ck_assert_int_eq(sl_core_open(&cfg, &core, NULL), SL_E_INVALID);
    ck_assert_ptr_null(core);
}
END_TEST

START_TEST(open__a_folder_has_one_core)
{
    sl_core *core = open_core();
    sl_core *other = NULL;
    ck_assert_int_eq(open_as(NULL, SL_CORE_STEPPED, &other), SL_E_BUSY);
    sl_core_close(core);
    ck_assert_int_eq(open_as(NULL, SL_CORE_STEPPED, &other), SL_OK);
    sl_core_close(other);
}
END_TEST

START_TEST(apply__is_all_or_nothing)
{
    sl_core *core = open_core();
    const char *half =
        "[{\"op\":\"create\",\"entity\":\"comment\",\"space\":\"" SPACE
        "\",\"fields\":{\"body\":\"one\"}},"
        "{\"op\":\"create\",\"entity\":\"comment\",\"space\":\"" SPACE "\",\"fields\":{}}]";
    sl_bytes *rows = NULL;
    const char *query = "{\"from\":\"comment\"}";
    ck_assert_int_eq(apply(core, half), SL_E_INVALID);
    ck_assert_int_eq(sl_query_once(core, query, strlen(query), &rows, NULL), SL_OK);
    ck_assert_str_eq(text_of(rows), "[]");
    ck_assert_int_eq(apply(core, CREATE("\"body\":\"one\"")), SL_OK);
    ck_assert_int_eq(apply(core, "[]"), SL_E_INVALID);
    ck_assert_int_eq(apply(core, "{"), SL_E_INVALID);
    ck_assert_int_eq(apply(core, "[{\"op\":\"create\",\"entity\":\"grant\",\"space\":\"user:"
                                 "01890000-0000-7000-8000-000000000002\",\"fields\":{}}]"),
                     SL_E_DENIED);
    sl_core_close(core);
}
END_TEST

START_TEST(apply__a_root_without_a_space_makes_one_of_its_own)
{
    sl_core *core = open_core();
    sl_bytes *rows = NULL;
    const char *query = "{\"from\":\"program\",\"order\":[\"title\"]}";
    ck_assert_int_eq(apply(core, "[{\"op\":\"create\",\"entity\":\"program\",\"fields\":"
                                 "{\"title\":\"A\"}},{\"op\":\"create\",\"entity\":\"program\","
                                 "\"id\":\"01890000-0000-7000-8000-000000000009\",\"fields\":"
                                 "{\"title\":\"B\"}}]"),
                     SL_OK);
    ck_assert_int_eq(sl_query_once(core, query, strlen(query), &rows, NULL), SL_OK);
    const char *text = text_of(rows);
    for (int i = 0; i < 2; i++) { /* each has the id of its space */
        const char *space = strstr(text, "\"space\":\"program:");
        ck_assert_ptr_nonnull(space);
        char id[60];
        (void)snprintf(id, sizeof id, "\"id\":\"%.36s\"", space + strlen("\"space\":\"program:"));
        ck_assert_ptr_nonnull(strstr(text, id));
        text = space + 1;
    }
    ck_assert_ptr_nonnull(strstr(text, "000000000009\""));
    ck_assert_int_eq(apply(core, "[{\"op\":\"create\",\"entity\":\"program\",\"id\":\"x\","
                                 "\"fields\":{\"title\":\"A\"}}]"),
                     SL_E_INVALID);
    ck_assert_int_eq(apply(core, "[{\"op\":\"create\",\"entity\":\"comment\",\"fields\":"
                                 "{\"body\":\"x\"}}]"),
                     SL_E_INVALID); /* no root */
    ck_assert_int_eq(apply(core, "[{\"op\":\"create\",\"entity\":\"user\",\"fields\":{}}]"),
                     SL_E_INVALID); /* the server's */
    sl_core_close(core);
}
END_TEST

START_TEST(apply__survives_reopening)
{
    sl_core *core = open_core();
    sl_bytes *out = NULL;
    ck_assert_int_eq(apply(core, CREATE("\"body\":\"kept\"")), SL_OK);
    sl_core_close(core);
    core = open_core();
    const char *query = "{\"from\":\"comment\",\"where\":{\"space\":\"" SPACE "\"}}";
    ck_assert_int_eq(sl_query_once(core, query, strlen(query), &out, NULL), SL_OK);
    ck_assert_ptr_nonnull(strstr(text_of(out), "\"body\":\"kept\""));
    sl_core_close(core);
}
END_TEST

START_TEST(live__counts_and_searches)
{
    sl_core *core = open_core();
    const char *count = "{\"from\":\"comment\",\"search\":\"elb\",\"count\":true}";
    sl_id sub = 0;
    sl_bytes *out = NULL;
    ck_assert_int_eq(sl_query_watch(core, count, strlen(count), &sub, NULL), SL_OK);
    ck_assert_int_eq(sl_query_take(core, sub, &out, NULL), SL_OK);
    ck_assert_str_eq(text_of(out),
                     "{\"upserts\":[{\"count\":0}],\"removed\":[],\"order\":[\"count\"]}");
    ck_assert_int_eq(apply(core, CREATE("\"body\":\"Elbow up\"")), SL_OK);
    ck_assert_int_eq(sl_query_take(core, sub, &out, NULL), SL_OK);
    ck_assert_str_eq(text_of(out),
                     "{\"upserts\":[{\"count\":1}],\"removed\":[],\"order\":[\"count\"]}");
    const char *once = "{\"from\":\"comment\",\"search\":\"elbow\",\"snippet\":true}";
    ck_assert_int_eq(sl_query_once(core, once, strlen(once), &out, NULL), SL_OK);
    ck_assert_ptr_nonnull(strstr(text_of(out), "\"snippet\":\"[Elbow] up\""));
    sl_core_close(core);
}
END_TEST

START_TEST(live__gives_differences_and_stays_silent_for_other_records)
{
    sl_core *core = open_core();
    const char *query = "{\"from\":\"comment\",\"where\":{\"space\":\"" SPACE "\"}}";
    sl_id sub = 0;
    sl_bytes *out = NULL;
    ck_assert_int_eq(sl_query_watch(core, query, strlen(query), &sub, NULL), SL_OK);
    ck_assert_int_eq(sl_core_poll(core, 1000, &out, NULL), SL_OK);
    ck_assert_ptr_nonnull(strstr(text_of(out), "\"rows\""));
    ck_assert_int_eq(sl_query_take(core, sub, &out, NULL), SL_OK);
    ck_assert_str_eq(text_of(out), "{\"upserts\":[],\"removed\":[],\"order\":[]}");
    ck_assert_int_eq(apply(core, "[{\"op\":\"create\",\"entity\":\"comment\",\"space\":\"video:"
                                 "01890000-0000-7000-8000-000000000003\",\"fields\":"
                                 "{\"body\":\"elsewhere\"}}]"),
                     SL_OK);
    ck_assert_int_eq(sl_core_poll(core, 1000, &out, NULL), SL_OK);
    ck_assert_ptr_null(out);
    ck_assert_int_eq(apply(core, CREATE("\"body\":\"here\"")), SL_OK);
    ck_assert_int_eq(sl_core_poll(core, 1000, &out, NULL), SL_OK);
    ck_assert_ptr_nonnull(strstr(text_of(out), "\"rows\""));
    ck_assert_int_eq(sl_query_take(core, sub, &out, NULL), SL_OK);
    ck_assert_ptr_nonnull(strstr(text_of(out), "here"));
    ck_assert_int_eq(sl_query_take(core, sub, &out, NULL), SL_OK);
    ck_assert_ptr_nonnull(strstr(text_of(out), "\"upserts\":[]"));
    ck_assert_int_eq(sl_query_unwatch(core, sub), SL_OK);
    ck_assert_int_eq(sl_query_unwatch(core, sub), SL_E_NOT_FOUND);
    sl_core_close(core);
}
END_TEST

START_TEST(blob__is_stored_under_its_hash_and_read_back)
{
    sl_core *core = open_core();
    sl_bytes *hex = NULL;
    sl_bytes *out = NULL;
    ck_assert_int_eq(
        sl_blob_put(core, SPACE, (const uint8_t *)"hello", 5, "text/plain", &hex, NULL), SL_OK);
    ck_assert_str_eq((const char *)sl_bytes_data(hex),
                     "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
    ck_assert_int_eq(sl_blob_get(core, (const char *)sl_bytes_data(hex), &out, NULL), SL_OK);
    ck_assert_str_eq(text_of(out), "hello");
    ck_assert_int_eq(sl_blob_get(core, "../../etc/passwd", &out, NULL), SL_E_INVALID);
    ck_assert_int_eq(
        sl_blob_put(core, SPACE, (const uint8_t *)"hello", 5, "text/plain", NULL, NULL), SL_OK);
    sl_bytes_release(hex);
    ck_assert_int_eq(sl_core_info(core, "sync", &out, NULL), SL_OK);
    ck_assert_ptr_nonnull(strstr(text_of(out), "\"uploads\":1"));
    sl_core_close(core);
}
END_TEST

START_TEST(blob__piece_by_piece_is_the_same_blob)
{
    sl_core *core = open_core();
    sl_blob_writer *w = NULL;
    sl_bytes *hex = NULL;
    ck_assert_int_eq(sl_blob_begin(core, NULL, &w, NULL, NULL), SL_OK);
    ck_assert_int_eq(sl_blob_append(w, (const uint8_t *)"hel", 3, NULL), SL_OK);
    ck_assert_int_eq(sl_blob_append(w, (const uint8_t *)"lo", 2, NULL), SL_OK);
    ck_assert_int_eq(sl_blob_finish(w, "nowhere", "text/plain", &hex, NULL), SL_E_MISUSE);
    ck_assert_int_eq(sl_blob_finish(w, SPACE, "text/plain", &hex, NULL), SL_OK);
    ck_assert_str_eq(text_of(hex),
                     "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
    ck_assert_int_eq(sl_blob_append(w, (const uint8_t *)"!", 1, NULL), SL_E_MISUSE);
    ck_assert_int_eq(sl_blob_finish(w, SPACE, "text/plain", NULL, NULL), SL_E_MISUSE);
    sl_blob_drop(w, 1);
    sl_core_close(core);
}
END_TEST

START_TEST(blob__a_draft_goes_on_where_it_stopped_also_after_reopening)
{
    static const uint8_t bytes[100000];
    sl_core *core = open_core();
    sl_blob_writer *w = NULL;
    sl_blob_writer *other = NULL;
    sl_bytes *hex = NULL;
    int64_t size = -1;
    ck_assert_int_eq(sl_blob_begin(core, "clip", &w, &size, NULL), SL_OK);
    ck_assert_int_eq(size, 0);
    ck_assert_int_eq(sl_blob_append(w, bytes, sizeof bytes, NULL), SL_OK);
    ck_assert_int_eq(sl_blob_begin(core, "clip", &other, NULL, NULL), SL_E_BUSY);
    sl_blob_drop(w, 1);
    sl_core_close(core);
    core = open_core();
    ck_assert_int_eq(sl_blob_begin(core, "clip", &w, &size, NULL), SL_OK);
    ck_assert_int_eq(size, sizeof bytes);
    ck_assert_int_eq(sl_blob_finish(w, SPACE, "video/mp4", &hex, NULL), SL_OK);
    sl_bytes *whole = NULL;
    ck_assert_int_eq(sl_blob_put(core, SPACE, bytes, sizeof bytes, "video/mp4", &whole, NULL),
                     SL_OK);
    ck_assert_str_eq((const char *)sl_bytes_data(hex), (const char *)sl_bytes_data(whole));
    sl_bytes_release(hex);
    sl_bytes_release(whole);
    sl_blob_drop(w, 1);
    ck_assert_int_eq(sl_blob_begin(core, "clip", &w, &size, NULL), SL_OK);
    ck_assert_int_eq(size, 0);
    ck_assert_int_eq(sl_blob_append(w, bytes, 10, NULL), SL_OK);
    sl_blob_drop(w, 0);
    ck_assert_int_eq(sl_blob_begin(core, "clip", &w, &size, NULL), SL_OK);
    ck_assert_int_eq(size, 0);
    sl_blob_drop(w, 0);
    ck_assert_int_eq(sl_blob_begin(core, "", &w, &size, NULL), SL_E_MISUSE);
    sl_core_close(core);
}
END_TEST

START_TEST(out__may_be_nowhere)
{
    sl_core *core = open_core();
    ck_assert_int_eq(sl_core_poll(core, 100, NULL, NULL), SL_E_MISUSE);
    ck_assert_int_eq(sl_core_info(core, "sync", NULL, NULL), SL_E_MISUSE);
    ck_assert_int_eq(sl_record_get(core, "comment", SPACE, NULL, NULL), SL_E_MISUSE);
    ck_assert_int_eq(sl_query_once(core, "{}", 2, NULL, NULL), SL_E_MISUSE);
    ck_assert_int_eq(sl_query_take(core, 1, NULL, NULL), SL_E_MISUSE);
    ck_assert_int_eq(sl_blob_get(core, "", NULL, NULL), SL_E_MISUSE);
    sl_core_close(core);
}
END_TEST

START_TEST(online__calls_say_what_is_missing)
{
    sl_core *core = open_core();
    sl_id op = 0;
    sl_bytes *out = NULL;
    ck_assert_int_eq(sl_sync_settle(core, &op, NULL), SL_E_AUTH);
    const char *who = "{\"email\":\"a@example.org\",\"password\":\"0123456789\"}";
    ck_assert_int_eq(sl_session_login(core, who, strlen(who), &op, NULL), SL_OK);
    ck_assert_int_eq(sl_core_poll(core, 1000, &out, NULL), SL_OK);
    ck_assert_ptr_nonnull(strstr(text_of(out), "\"ok\":false,\"code\":-13"));
    ck_assert_int_eq(sl_op_cancel(core, op), SL_E_NOT_FOUND);
    ck_assert_int_eq(sl_session_login(core, "{}", 2, &op, NULL), SL_E_INVALID);
    ck_assert_int_eq(sl_chat_mark(core, SPACE, SL_CHAT_READ, NULL, NULL), SL_E_MISUSE);
    sl_core_close(core);
}
END_TEST

SL_TEST_MAIN_WITH("core", setup, teardown, open__refuses_what_is_not_a_configuration,
                  open__a_folder_has_one_core, apply__is_all_or_nothing,
                  apply__a_root_without_a_space_makes_one_of_its_own, apply__survives_reopening,
                  live__gives_differences_and_stays_silent_for_other_records,
                  live__counts_and_searches, blob__is_stored_under_its_hash_and_read_back,
                  blob__piece_by_piece_is_the_same_blob,
                  blob__a_draft_goes_on_where_it_stopped_also_after_reopening, out__may_be_nowhere,
                  online__calls_say_what_is_missing)
