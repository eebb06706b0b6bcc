/* What the core says may be done, before it is done, is what the server then allows. */
#include "lab.h"
#include "platform/sim/disk.h"
#include "sideline/core.h"
#include "sideline/record.h"
#include "sideline/sync.h"
#include "support.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

enum {
    MINUTE = 60000
};
#define LEASE_MS (INT64_C(7) * 24 * 60 * MINUTE)

static lab *g_lab;
static lab_node *g_ana; /* an athlete */
static lab_node *g_cleo;
static char g_video[40];
static char g_space[SL_SPACE_MAX];
static char g_share[40];

static void set_up(void)
{
    ck_assert(run_init());
    g_lab = lab_open();
    lab_connected(g_lab, &g_ana, &g_cleo);
    lab_video(g_ana, g_video, g_space);
    lab_share(g_ana, g_space, g_cleo, g_share);
    lab_settle(g_lab, MINUTE);
}

static void take_down(void)
{
    lab_close(g_lab);
    run_done();
}

static sl_status account(lab_node *n, const char *json)
{
    sl_status status = sl_account_do(n->node->core, json, strlen(json), &n->op, NULL);
    n->op_ended = false;
    sl_sim_node_touched(n->node);
    return status;
}

/* question: JSON, ' for ". */
static bool can(lab_node *n, const char *question)
{
    char json[400];
    sl_bytes *out = NULL;
    sl_error *err = NULL;
    (void)snprintf(json, sizeof json, "%s", question);
    for (char *p = json; *p != 0; p++) {
        *p = *p == '\'' ? '"' : *p;
    }
    sl_status status = sl_can(n->node->core, json, strlen(json), &out, &err);
    ck_assert_msg(status == SL_OK, "%s: %s", json, err != NULL ? sl_error_message(err) : "");
    sl_json *answer = sl_json_parse((const char *)sl_bytes_data(out), sl_bytes_len(out));
    bool allow = sl_json_bool_or(answer, "allow", false);
    sl_json_free(answer);
    sl_bytes_release(out);
    return allow;
}

/* Asks, does it all the same, and compares with what the server said. */
static void try_create(lab_node *n, const char *entity, const char *space, const char *fields,
                       bool wanted)
{
    char question[300];
    char id[40];
    (void)snprintf(question, sizeof question, "{'do':'create','entity':'%s','space':'%s'}", entity,
                   space);
    bool said = can(n, question);
    unsigned before = n->rejected;
    lab_id(g_lab, id);
    ck_assert_int_eq(lab_apply(n,
                               "[{'op':'create','entity':'%s','id':'%s','space':'%s','fields':%s}]",
                               entity, id, space, fields),
                     SL_OK);
    lab_settle(g_lab, MINUTE);
    bool refused = n->rejected > before;
    ck_assert_msg(said == wanted, "%s of %s: the core says %d", n->email, entity, said);
    ck_assert_msg(said != refused, "%s of %s: the core says %d, the server refused %d", n->email,
                  entity, said, refused);
    ck_assert(!refused || strcmp(n->reject_code, "SL_E_DENIED") == 0);
}

static void thread_of(lab_node *n, char space[SL_SPACE_MAX])
{
    char id[LAB_TEXT];
    char connection[LAB_TEXT] = "";
    sl_bytes *out = NULL;
    static const char query[] = "{\"from\":\"connection\"}";
    ck_assert_int_eq(sl_query_once(n->node->core, query, strlen(query), &out, NULL), SL_OK);
    sl_json *rows = sl_json_parse((const char *)sl_bytes_data(out), sl_bytes_len(out));
    (void)snprintf(connection, sizeof connection, "%s", sl_json_str(sl_json_first(rows), "id"));
    sl_json_free(rows);
    sl_bytes_release(out);
    lab_field(n, "connection", connection, "thread_id", id);
    (void)snprintf(space, SL_SPACE_MAX, "thread:%.36s", id);
}

START_TEST(can__says_what_the_server_will)
{
    char thread[SL_SPACE_MAX];
    char own[SL_SPACE_MAX];
    char question[300];
    thread_of(g_ana, thread);
    (void)snprintf(own, sizeof own, "user:%s", g_ana->user);
    static const char stroke[] = "{'kind':'pen','geometry':'AAAA','style':{},'t_in':0,'t_out':1}";
    static const char text[] = "{'kind':'text','body':'hi'}";
    try_create(g_cleo, "annotation", g_space, stroke, true);
    try_create(g_ana, "annotation", g_space, stroke, true);
    try_create(g_ana, "message", thread, text, true);
    try_create(g_cleo, "message", thread, text, true);
    try_create(g_ana, "goal", own, "{'title':'run'}", true);
    try_create(g_cleo, "goal", own, "{'title':'run'}", false);
    (void)snprintf(question, sizeof question, "{'do':'patch','entity':'video','id':'%s'}", g_video);
    ck_assert(can(g_ana, question));
    ck_assert(!can(g_cleo, question));
    (void)snprintf(question, sizeof question, "{'do':'read','entity':'video','id':'%s'}", g_video);
    ck_assert(can(g_cleo, question));
    ck_assert_int_eq(lab_apply(g_ana, "[{'op':'delete','entity':'share','id':'%s'}]", g_share),
                     SL_OK);
    lab_settle(g_lab, MINUTE);
    (void)snprintf(question, sizeof question, "{'do':'create','entity':'comment','space':'%s'}",
                   g_space);
    ck_assert(!can(g_cleo, question));
    ck_assert(can(g_ana, question));
}
END_TEST

START_TEST(can__knows_features_and_what_makes_a_space)
{
    char id[40];
    char question[300];
    lab_id(g_lab, id);
    ck_assert(can(g_cleo, "{'feature':'analytics_own'}"));
    ck_assert(!can(g_ana, "{'feature':'analytics_own'}"));
    ck_assert(!can(g_cleo, "{'feature':'admin_tools'}"));
    (void)snprintf(question, sizeof question,
                   "{'do':'create','entity':'program','space':'program:%s'}", id);
    ck_assert(can(g_cleo, question));
    ck_assert(!can(g_ana, question));
    (void)snprintf(question, sizeof question, "{'do':'create','entity':'video','space':'video:%s'}",
                   id);
    ck_assert(can(g_ana, question));
    (void)snprintf(question, sizeof question, "{'do':'create','entity':'coach','space':'coach:%s'}",
                   g_ana->user);
    ck_assert(!can(g_ana, question));
    (void)snprintf(question, sizeof question, "{'do':'read','entity':'coach','space':'coach:%s'}",
                   g_cleo->user);
    ck_assert(can(g_ana, question));
}
END_TEST

START_TEST(account__devices_are_told_and_signing_out_everywhere_ends_all)
{
    ck_assert_int_eq(account(g_ana, "{\"do\":\"dance\"}"), SL_E_INVALID);
    ck_assert_int_eq(account(g_ana, "{\"do\":\"verify\"}"), SL_E_INVALID);
    ck_assert_int_eq(account(g_ana, "{\"do\":\"devices\"}"), SL_OK);
    lab_wait_op(g_ana);
    ck_assert(g_ana->op_ok);
    lab_node *second = lab_device(g_lab, "second");
    lab_log_in(second, g_ana->email);
    lab_online(second, true);
    lab_run(g_lab, 5000);
    unsigned outs = second->sign_outs;
    ck_assert_int_eq(account(g_ana, "{\"do\":\"logout_all\"}"), SL_OK);
    lab_wait_op(g_ana);
    ck_assert(g_ana->op_ok);
    lab_run(g_lab, 5000); /* the other device hears of it within five seconds */
    ck_assert_uint_gt(second->sign_outs, outs);
    ck_assert_int_eq(account(g_ana, "{\"do\":\"devices\"}"), SL_E_AUTH);
}
END_TEST

START_TEST(account__a_video_is_played_where_the_server_says_and_by_who_may_see_it)
{
    char json[200];
    ck_assert_int_eq(account(g_ana, "{\"do\":\"playback\"}"), SL_E_INVALID);
    ck_assert_int_eq(account(g_ana, "{\"do\":\"playback\",\"video\":\"../x\"}"), SL_E_INVALID);
    (void)snprintf(json, sizeof json, "{\"do\":\"playback\",\"video\":\"%s\"}", g_video);
    ck_assert_int_eq(account(g_cleo, json), SL_OK);
    lab_wait_op(g_cleo);
    ck_assert(g_cleo->op_ok);
    ck_assert_int_eq(lab_apply(g_ana, "[{'op':'delete','entity':'share','id':'%s'}]", g_share),
                     SL_OK);
    lab_settle(g_lab, MINUTE);
    ck_assert_int_eq(account(g_cleo, json), SL_OK);
    lab_wait_op(g_cleo);
    ck_assert(!g_cleo->op_ok);
}
END_TEST

/* What the coach sees of the athlete's video is on the coach's device. */
static void fetch(lab_node *n, const char *hex)
{
    n->op_ended = false;
    ck_assert_int_eq(sl_blob_fetch(n->node->core, hex, &n->op, NULL), SL_OK);
    sl_sim_node_touched(n->node);
    lab_wait_op(n);
    ck_assert(n->op_ok);
}

static sl_status sees(lab_node *n, const char *hex)
{
    sl_bytes *out = NULL;
    sl_status status = sl_blob_get(n->node->core, hex, &out, NULL);
    sl_bytes_release(out);
    return status;
}

static bool can_watch(lab_node *n, const char *id)
{
    char question[120];
    (void)snprintf(question, sizeof question, "{'do':'watch','entity':'video','id':'%s'}", id);
    return can(n, question);
}

/* Without a connection from now on, at this time after the moment. */
static void offline(lab_node *n, int64_t after_ms)
{
    lab_online(n, false);
    lab_run(g_lab, MINUTE);
    n->node->host.wall_off_ms += after_ms - MINUTE;
}

START_TEST(lease__what_another_let_one_see_is_shown_for_seven_days_without_a_connection)
{
    char hex[LAB_TEXT];
    char own[40];
    char own_hex[LAB_TEXT];
    char space[SL_SPACE_MAX];
    lab_field(g_ana, "video", g_video, "blob", hex);
    lab_video(g_cleo, own, space);
    lab_settle(g_lab, MINUTE);
    lab_field(g_cleo, "video", own, "blob", own_hex);
    fetch(g_cleo, hex);
    offline(g_cleo, LEASE_MS - MINUTE);
    ck_assert(sees(g_cleo, hex) == SL_OK && can_watch(g_cleo, g_video));
    g_cleo->node->host.wall_off_ms += 2 * MINUTE;
    ck_assert_int_eq(sees(g_cleo, hex), SL_E_DENIED);
    ck_assert(!can_watch(g_cleo, g_video));
    ck_assert_int_eq(lab_count(g_cleo, "{'from':'video','where':{'id':'%s'}}", g_video), 1);
    ck_assert(sees(g_cleo, own_hex) == SL_OK && can_watch(g_cleo, own));
    offline(g_ana, LEASE_MS * 2);
    ck_assert(sees(g_ana, hex) == SL_OK && can_watch(g_ana, g_video));
}
END_TEST

START_TEST(lease__a_clock_set_back_gains_nothing_and_a_connection_all)
{
    char hex[LAB_TEXT];
    lab_field(g_ana, "video", g_video, "blob", hex);
    fetch(g_cleo, hex);
    offline(g_cleo, LEASE_MS + MINUTE);
    ck_assert_int_eq(sees(g_cleo, hex), SL_E_DENIED);
    g_cleo->node->host.wall_off_ms = 0;
    ck_assert_int_eq(sees(g_cleo, hex), SL_E_DENIED);
    sl_sim_node_restart(g_cleo->node);
    lab_run(g_lab, MINUTE);
    ck_assert_int_eq(sees(g_cleo, hex), SL_E_DENIED);
    lab_online(g_cleo, true);
    lab_settle(g_lab, MINUTE);
    ck_assert(sees(g_cleo, hex) == SL_OK && can_watch(g_cleo, g_video));
    offline(g_cleo, MINUTE);
    ck_assert_int_eq(sees(g_cleo, hex), SL_OK);
}
END_TEST

/* Set ahead while there is a connection, and right again without one. */
START_TEST(lease__a_clock_that_was_ahead_gains_nothing_either)
{
    char hex[LAB_TEXT];
    lab_field(g_ana, "video", g_video, "blob", hex);
    fetch(g_cleo, hex);
    g_cleo->node->host.wall_off_ms = 50 * LEASE_MS;
    lab_online(g_cleo, false);
    lab_run(g_lab, MINUTE);
    g_cleo->node->host.wall_off_ms = LEASE_MS - 2 * MINUTE;
    ck_assert_int_eq(sees(g_cleo, hex), SL_OK);
    g_cleo->node->host.wall_off_ms = LEASE_MS + MINUTE;
    ck_assert_int_eq(sees(g_cleo, hex), SL_E_DENIED);
}
END_TEST

/* Nobody closes a core that is killed: what it heard of is noted while it is online. */
START_TEST(lease__of_a_core_that_is_killed_begins_when_it_was_online_last)
{
    char hex[LAB_TEXT];
    lab_field(g_ana, "video", g_video, "blob", hex);
    fetch(g_cleo, hex);
    lab_run(g_lab, 2 * MINUTE);
    sl_disk_kill(g_cleo->node->host.disk);
    g_cleo->online = false;
    sl_sim_node_touched(g_cleo->node);
    lab_run(g_lab, MINUTE);
    ck_assert_ptr_nonnull(g_cleo->node->core);
    g_cleo->node->host.wall_off_ms = LEASE_MS - 10 * MINUTE;
    ck_assert_int_eq(sees(g_cleo, hex), SL_OK);
    g_cleo->node->host.wall_off_ms = LEASE_MS + MINUTE;
    ck_assert_int_eq(sees(g_cleo, hex), SL_E_DENIED);
}
END_TEST

SL_TEST_MAIN_WITH("can", set_up, take_down, can__says_what_the_server_will,
                  can__knows_features_and_what_makes_a_space,
                  account__devices_are_told_and_signing_out_everywhere_ends_all,
                  account__a_video_is_played_where_the_server_says_and_by_who_may_see_it,
                  lease__what_another_let_one_see_is_shown_for_seven_days_without_a_connection,
                  lease__a_clock_set_back_gains_nothing_and_a_connection_all,
                  lease__a_clock_that_was_ahead_gains_nothing_either,
                  lease__of_a_core_that_is_killed_begins_when_it_was_online_last)
