/* What a person may do to records on one device: refer, undo, redo. Public headers only. */
#include "support.h"

#include <sideline/sideline.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OWN    "user:01890000-0000-7000-8000-00000000000a"
#define THREAD "thread:01890000-0000-7000-8000-000000000003"
#define OTHER  "thread:01890000-0000-7000-8000-000000000004"
#define GOAL   "01890000-0000-7000-8000-000000000011"
#define ENTRY  "01890000-0000-7000-8000-000000000012"
#define NOTE   "01890000-0000-7000-8000-000000000013"
#define NOBODY "01890000-0000-7000-8000-0000000000ff"

static char g_dir[64];
static char g_text[4000];
static sl_core *g_core;

static void open_core(void)
{
    sl_config cfg = {.struct_size = sizeof cfg, .flags = SL_CORE_STEPPED, .dir = g_dir};
    ck_assert_int_eq(sl_core_open(&cfg, &g_core, NULL), SL_OK);
}

static void setup(void)
{
    (void)snprintf(g_dir, sizeof g_dir, "/tmp/sideline-edit-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(g_dir));
    open_core();
}

static void teardown(void)
{
    char command[160];
    sl_core_close(g_core);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", g_dir);
    ck_assert_int_eq(system(command), 0); /* NOLINT: the path is this test's own */
    ck_assert_int_eq(sl_debug_live_objects(), 0);
}

static const char *text_of(sl_bytes *b)
{
    (void)snprintf(g_text, sizeof g_text, "%s", b != NULL ? (const char *)sl_bytes_data(b) : "");
    sl_bytes_release(b);
    return g_text;
}

static void apply(const char *ops)
{
    sl_error *err = NULL;
    sl_status status = sl_apply(g_core, ops, strlen(ops), NULL, &err);
    ck_assert_msg(status == SL_OK, "%s", err != NULL ? sl_error_message(err) : "");
}

/* Refused with this code, the field named. */
static void refused(const char *ops, sl_status code, const char *field)
{
    char named[80];
    sl_error *err = NULL;
    ck_assert_int_eq(sl_apply(g_core, ops, strlen(ops), NULL, &err), code);
    (void)snprintf(named, sizeof named, "\"field\":\"%s\"", field);
    ck_assert_ptr_nonnull(strstr(sl_error_detail(err), named));
    sl_error_release(err);
}

#define CREATE(entity, space, id, fields)                                               \
    "{\"op\":\"create\",\"entity\":\"" entity "\",\"space\":\"" space "\",\"id\":\"" id \
    "\",\"fields\":{" fields "}}"
#define PATCH(entity, id, fields) \
    "{\"op\":\"patch\",\"entity\":\"" entity "\",\"id\":\"" id "\",\"fields\":{" fields "}}"
#define DELETE(entity, id) "{\"op\":\"delete\",\"entity\":\"" entity "\",\"id\":\"" id "\"}"
#define A_GOAL             CREATE("goal", OWN, GOAL, "\"title\":\"run\"")
#define A_ENTRY(more)      CREATE("progress_entry", OWN, ENTRY, "\"kind\":\"workout\",\"at_ms\":1" more)
#define A_MESSAGE(space)   CREATE("message", space, NOTE, "\"kind\":\"text\",\"body\":\"hi\"")
#define A_REACTION(space) \
    CREATE("reaction", space, ENTRY, "\"message_id\":\"" NOTE "\",\"emoji\":\"+\"")

START_TEST(refer__to_what_is_there_or_was_made_before_in_the_batch)
{
    refused("[" A_ENTRY(",\"goal_id\":\"" NOBODY "\"") "]", SL_E_NOT_FOUND, "goal_id");
    refused("[" A_ENTRY(",\"goal_id\":\"" GOAL "\"") "," A_GOAL "]", SL_E_NOT_FOUND, "goal_id");
    apply("[" A_GOAL "," A_ENTRY(",\"goal_id\":\"" GOAL "\"") "]");
    refused("[" PATCH("progress_entry", ENTRY, "\"goal_id\":\"" NOBODY "\"") "]", SL_E_NOT_FOUND,
            "goal_id");
    apply("[" PATCH("progress_entry", ENTRY, "\"goal_id\":null") "]");
}
END_TEST

START_TEST(refer__within_the_space_only)
{
    apply("[" A_MESSAGE(OTHER) "]");
    refused("[" A_REACTION(THREAD) "]", SL_E_NOT_FOUND, "message_id");
    apply("[" A_REACTION(OTHER) "]");
}
END_TEST

START_TEST(refer__a_deleted_record_leaves_the_references_to_it)
{
    sl_bytes *out = NULL;
    apply("[" A_GOAL "," A_ENTRY(",\"goal_id\":\"" GOAL "\"") "]");
    apply("[" DELETE("goal", GOAL) "]");
    ck_assert_int_eq(sl_record_get(g_core, "progress_entry", ENTRY, &out, NULL), SL_OK);
    ck_assert_ptr_nonnull(strstr(text_of(out), "\"goal_id\":\"" GOAL "\""));
    apply("[" PATCH("progress_entry", ENTRY, "\"goal_id\":\"" GOAL "\"") "]"); /* as it was */
    apply("[" PATCH("progress_entry", ENTRY, "\"goal_id\":null") "]");
    refused("[" PATCH("progress_entry", ENTRY, "\"goal_id\":\"" GOAL "\"") "]", SL_E_NOT_FOUND,
            "goal_id");
}
END_TEST

/* --- undo and redo ---------------------------------------------------------------------------- */

static const char *undo(const char *space)
{
    sl_error *err = NULL;
    sl_bytes *out = NULL;
    sl_status status = sl_undo(g_core, space, &out, &err);
    ck_assert_msg(status == SL_OK, "%s", err != NULL ? sl_error_message(err) : "");
    return text_of(out);
}

static const char *redo(const char *space)
{
    sl_error *err = NULL;
    sl_bytes *out = NULL;
    sl_status status = sl_redo(g_core, space, &out, &err);
    ck_assert_msg(status == SL_OK, "%s", err != NULL ? sl_error_message(err) : "");
    return text_of(out);
}

static const char *rows(const char *query)
{
    sl_bytes *out = NULL;
    ck_assert_int_eq(sl_query_once(g_core, query, strlen(query), &out, NULL), SL_OK);
    return text_of(out);
}

static void has(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) != NULL, "%s is not in %s", part, text);
}

/* The new id that undoing a deletion gave. */
static void new_id(const char *answer, char id[37])
{
    const char *at = strstr(answer, "\"ids\":{\"");
    ck_assert_ptr_nonnull(at);
    (void)snprintf(id, 37, "%s", at + 8 + 36 + 3);
}

#define GOALS "{\"from\":\"goal\",\"select\":[\"title\",\"done\",\"unit\"]}"

START_TEST(undo__takes_back_a_creation_and_redo_makes_it_again_under_another_id)
{
    sl_bytes *out = NULL;
    char id[37];
    ck_assert_int_eq(sl_undo(g_core, OWN, &out, NULL), SL_E_NOT_FOUND);
    ck_assert_int_eq(sl_undo(g_core, "nowhere", &out, NULL), SL_E_MISUSE);
    apply("[" A_GOAL "]");
    has(undo(OWN), "\"changed\":1,\"undo\":0,\"redo\":1");
    ck_assert_str_eq(rows(GOALS), "[]");
    new_id(redo(OWN), id);
    ck_assert_str_ne(id, GOAL);
    ck_assert_int_eq(sl_record_get(g_core, "goal", id, &out, NULL), SL_OK);
    has(text_of(out), "\"title\":\"run\"");
    has(undo(OWN), "\"undo\":0,\"redo\":1");
    ck_assert_str_eq(rows(GOALS), "[]");
}
END_TEST

START_TEST(undo__of_a_deletion_is_followed_by_the_steps_before_it)
{
    char id[37];
    apply("[" A_GOAL "]");
    apply("[" PATCH("goal", GOAL, "\"title\":\"walk\"") "]");
    apply("[" DELETE("goal", GOAL) "]");
    new_id(undo(OWN), id);
    has(rows(GOALS), "walk");
    has(undo(OWN), "\"changed\":1");
    has(rows(GOALS), "run");
    has(undo(OWN), "\"changed\":1");
    ck_assert_str_eq(rows(GOALS), "[]");
    (void)redo(OWN);
    (void)redo(OWN);
    has(rows(GOALS), "walk");
    has(redo(OWN), "\"undo\":3,\"redo\":0");
    ck_assert_str_eq(rows(GOALS), "[]");
    ck_assert_int_eq(sl_redo(g_core, OWN, NULL, NULL), SL_E_NOT_FOUND);
}
END_TEST

START_TEST(undo__a_field_goes_back_unless_it_has_changed_since)
{
    apply("[" A_GOAL "]");
    apply("[" PATCH("goal", GOAL, "\"title\":\"walk\",\"unit\":\"km\"") "]");
    ck_assert_int_eq(
        sl_apply_group(g_core, "drag", "[" PATCH("goal", GOAL, "\"title\":\"swim\"") "]",
                       strlen("[" PATCH("goal", GOAL, "\"title\":\"swim\"") "]"), NULL, NULL),
        SL_OK);
    (void)undo(OWN);
    has(rows(GOALS), "walk");
    apply("[" PATCH("goal", GOAL, "\"title\":\"swim\"") "]");
    (void)undo(OWN);
    has(undo(OWN), "\"changed\":1");
    has(rows(GOALS), "\"title\":\"run\"");
    has(redo(OWN), "\"left\":[]");
    has(rows(GOALS), "\"title\":\"walk\"");
}
END_TEST

START_TEST(undo__a_counter_and_a_set_take_back_what_they_did)
{
    apply("[" A_GOAL "," PATCH("goal", GOAL, "\"done\":5") "]");
    apply("[" CREATE("profile", OWN, NOTE, "\"sports\":{\"add\":[\"golf\",\"judo\"]}") "]");
    apply("[" PATCH("goal", GOAL, "\"done\":3") "," PATCH(
        "profile", NOTE,
        "\"sports\":{\"add\":[\"golf\",\"surf\"],\"remove\":[\"judo\",\"ski\"]}") "]");
    (void)undo(OWN);
    has(rows("{\"from\":\"profile\"}"), "\"sports\":[\"golf\",\"judo\"]");
    has(rows(GOALS), "\"done\":5");
    (void)redo(OWN);
    has(rows("{\"from\":\"profile\"}"), "\"sports\":[\"golf\",\"surf\"]");
    has(rows(GOALS), "\"done\":8");
}
END_TEST

START_TEST(undo__leaves_what_only_grows_and_what_is_gone_and_says_why)
{
    const char *answer = NULL;
    apply("[" A_ENTRY(",\"percent\":10") "]");
    apply("[" PATCH("progress_entry", ENTRY, "\"percent\":50") "]");
    answer = undo(OWN);
    has(answer, "\"changed\":0");
    has(answer, "\"field\":\"percent\",\"why\":\"it only grows\"");
    has(rows("{\"from\":\"progress_entry\"}"), "\"percent\":50");
    has(undo(OWN), "\"changed\":1,\"undo\":0");
}
END_TEST

START_TEST(undo__a_group_is_one_step_and_a_new_batch_ends_redo)
{
    static const char *const drags[] = {"[" PATCH("goal", GOAL, "\"title\":\"a\"") "]",
                                        "[" PATCH("goal", GOAL, "\"title\":\"b\"") "]",
                                        "[" PATCH("goal", GOAL, "\"title\":\"c\"") "]"};
    sl_bytes *out = NULL;
    apply("[" A_GOAL "]");
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(sl_apply_group(g_core, "drag", drags[i], strlen(drags[i]), NULL, NULL),
                         SL_OK);
    }
    ck_assert_int_eq(sl_core_info(g_core, "undo", &out, NULL), SL_OK);
    ck_assert_str_eq(text_of(out), "[{\"space\":\"" OWN "\",\"undo\":2,\"redo\":0}]");
    (void)undo(OWN);
    has(rows(GOALS), "\"title\":\"run\"");
    (void)redo(OWN);
    has(rows(GOALS), "\"title\":\"c\"");
    (void)undo(OWN);
    apply("[" PATCH("goal", GOAL, "\"title\":\"d\"") "]");
    ck_assert_int_eq(sl_redo(g_core, OWN, NULL, NULL), SL_E_NOT_FOUND);
    char name[66];
    memset(name, 'x', 65);
    name[65] = 0;
    ck_assert_int_eq(sl_apply_group(g_core, name, drags[0], strlen(drags[0]), NULL, NULL),
                     SL_E_INVALID);
    ck_assert_int_eq(sl_apply_group(g_core, name + 1, drags[0], strlen(drags[0]), NULL, NULL),
                     SL_OK);
}
END_TEST

START_TEST(undo__brings_back_records_with_what_they_refer_to)
{
    apply("[" A_GOAL "," A_ENTRY(",\"goal_id\":\"" GOAL "\"") "]");
    apply("[" DELETE("goal", GOAL) "," DELETE("progress_entry", ENTRY) "]");
    char id[37];
    char part[64];
    sl_bytes *out = NULL;
    const char *answer = undo(OWN);
    has(answer, "\"left\":[]");
    const char *at = strstr(answer, GOAL "\":\"");
    ck_assert_ptr_nonnull(at);
    (void)snprintf(id, sizeof id, "%s", at + 36 + 3);
    (void)snprintf(part, sizeof part, "\"goal_id\":\"%s\"", id);
    has(rows("{\"from\":\"progress_entry\"}"), part);
    ck_assert_int_eq(sl_record_get(g_core, "goal", id, &out, NULL), SL_OK);
    sl_bytes_release(out);
    has(undo(OWN), "\"changed\":2,\"undo\":0");
    ck_assert_str_eq(rows("{\"from\":\"progress_entry\"}"), "[]");
}
END_TEST

START_TEST(undo__is_bounded_and_survives_a_restart)
{
    char text[200];
    sl_bytes *out = NULL;
    apply("[" A_GOAL "]");
    for (int i = 0; i < 120; i++) {
        (void)snprintf(text, sizeof text, "[" PATCH("goal", GOAL, "\"title\":\"t%d\"") "]", i);
        apply(text);
    }
    sl_core_close(g_core);
    open_core();
    ck_assert_int_eq(sl_core_info(g_core, "undo", &out, NULL), SL_OK);
    has(text_of(out), "\"undo\":100,\"redo\":0");
    for (int i = 0; i < 100; i++) {
        (void)undo(OWN);
    }
    has(rows(GOALS), "\"title\":\"t19\"");
    ck_assert_int_eq(sl_undo(g_core, OWN, NULL, NULL), SL_E_NOT_FOUND);
    sl_core_close(g_core);
    open_core();
    (void)redo(OWN);
    has(rows(GOALS), "\"title\":\"t20\"");
}
END_TEST

START_TEST(undo__is_a_spaces_own)
{
    apply("[" A_GOAL "," A_MESSAGE(THREAD) "]");
    has(undo(THREAD), "\"changed\":1,\"undo\":0");
    has(rows(GOALS), "run");
    ck_assert_str_eq(rows("{\"from\":\"message\"}"), "[]");
    has(undo(OWN), "\"changed\":1");
    ck_assert_str_eq(rows(GOALS), "[]");
}
END_TEST

SL_TEST_MAIN_WITH("edit", setup, teardown, refer__to_what_is_there_or_was_made_before_in_the_batch,
                  refer__within_the_space_only, refer__a_deleted_record_leaves_the_references_to_it,
                  undo__takes_back_a_creation_and_redo_makes_it_again_under_another_id,
                  undo__of_a_deletion_is_followed_by_the_steps_before_it,
                  undo__a_field_goes_back_unless_it_has_changed_since,
                  undo__a_counter_and_a_set_take_back_what_they_did,
                  undo__leaves_what_only_grows_and_what_is_gone_and_says_why,
                  undo__a_group_is_one_step_and_a_new_batch_ends_redo,
                  undo__brings_back_records_with_what_they_refer_to,
                  undo__is_bounded_and_survives_a_restart, undo__is_a_spaces_own)
