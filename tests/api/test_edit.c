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

SL_TEST_MAIN_WITH("edit", setup, teardown, refer__to_what_is_there_or_was_made_before_in_the_batch,
                  refer__within_the_space_only, refer__a_deleted_record_leaves_the_references_to_it)
