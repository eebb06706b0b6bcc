/*
 * A thread that devices hold in part, as its users see it: the newest at once, older messages when they
 * are asked for, and never a gap that is not told.
 */
#include "base/mem.h"
#include "engine/engine.h"
#include "lab.h"
#include "sideline/chat.h"
#include "sideline/record.h"
#include "sideline/sync.h"
#include "store/inside.h"
#include "support.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SECOND = 1000,
    MINUTE = 60 * SECOND,
    DAY = 24 * 60 * MINUTE,
    WINDOW = 5,
    MANY = 40
};

static lab *g_lab;
static lab_node *g_ana; /* the athlete; a window of 5 */
static lab_node *g_cleo;
static char g_thread[SL_SPACE_MAX];
static char g_ids[4 * MANY][40];
static int g_said;

/* The coach writes so many messages, "1", "2", ... */
static void talk(int count)
{
    for (int i = 0; i < count; i++) {
        char *id = g_ids[g_said];
        lab_id(g_lab, id);
        ck_assert_int_eq(lab_apply(g_cleo,
                                   "[{'op':'create','entity':'message','id':'%s','space':'%s',"
                                   "'fields':{'kind':'text','body':'%d'}}]",
                                   id, g_thread, ++g_said),
                         SL_OK);
    }
    lab_settle(g_lab, MINUTE);
}

static void set_up(void)
{
    sl_bytes *out = NULL;
    ck_assert(run_init());
    g_lab = lab_open();
    for (size_t i = 0; i < 4; i++) {
        g_lab->sim->windows[i] = WINDOW;
    }
    g_said = 0;
    lab_connected(g_lab, &g_ana, &g_cleo);
    static const char query[] = "{\"from\":\"thread\"}";
    ck_assert_int_eq(sl_query_once(g_ana->node->core, query, strlen(query), &out, NULL), SL_OK);
    sl_json *rows = sl_json_parse((const char *)sl_bytes_data(out), sl_bytes_len(out));
    (void)snprintf(g_thread, sizeof g_thread, "%s", sl_json_str(sl_json_first(rows), "space"));
    sl_json_free(rows);
    sl_bytes_release(out);
}

static void tear_down(void)
{
    lab_close(g_lab);
    run_done();
}

/* What the app shows: message by message in their order, "|" where the gaps reach in between. */
static void shows(lab_node *n, const char *expected)
{
    static const char query[] = "{\"from\":\"message\",\"order\":[\"place\"]}";
    char text[1000] = "";
    sl_bytes *out = NULL;
    sl_bytes *told = NULL;
    ck_assert_int_eq(sl_query_once(n->node->core, query, strlen(query), &out, NULL), SL_OK);
    ck_assert_int_eq(sl_chat_gaps(n->node->core, g_thread, &told, NULL), SL_OK);
    sl_json *rows = sl_json_parse((const char *)sl_bytes_data(out), sl_bytes_len(out));
    sl_json *gaps = sl_json_parse((const char *)sl_bytes_data(told), sl_bytes_len(told));
    int64_t last = 0;
    size_t at = 0;
    for (const sl_json *r = sl_json_first(rows);; r = sl_json_next(r)) {
        int64_t here = r != NULL ? sl_json_int_or(r, "place", 0) : SL_JSON_INT_MAX;
        bool gap = false;
        for (const sl_json *g = sl_json_first(gaps); g != NULL; g = sl_json_next(g)) {
            gap = gap ||
                  (sl_json_int_or(g, "upto", 0) > last && sl_json_int_or(g, "above", 0) < here);
        }
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%s", gap ? " |" : "",
                               r != NULL ? " " : "");
        if (r == NULL) {
            break;
        }
        at += (size_t)snprintf(text + at, sizeof text - at, "%s", sl_json_str(r, "body"));
        last = here;
    }
    ck_assert_str_eq(text, expected);
    sl_json_free(rows);
    sl_json_free(gaps);
    sl_bytes_release(out);
    sl_bytes_release(told);
}

/* Loads and waits for the end. */
static void load(lab_node *n, int32_t way, const char *id, uint32_t limit)
{
    n->op_ended = false;
    ck_assert_int_eq(sl_chat_load(n->node->core, g_thread, way, id, limit, &n->op, NULL), SL_OK);
    sl_sim_node_touched(n->node);
    lab_wait_op(n);
}

static void loads(lab_node *n, int32_t way, const char *id, uint32_t limit)
{
    load(n, way, id, limit);
    ck_assert_msg(n->op_ok, "%s", sl_status_name(n->op_code));
}

/* A device of the athlete that comes when all has been said. */
static lab_node *late_comer(void)
{
    lab_node *late = lab_device(g_lab, "late");
    lab_log_in(late, "ana@lab.test");
    ck_assert(late->op_ok);
    lab_settle(g_lab, MINUTE);
    return late;
}

START_TEST(window__a_new_device_has_the_newest_at_once_and_the_rest_on_demand)
{
    talk(14);
    shows(g_ana, " 1 2 3 4 5 6 7 8 9 10 11 12 13 14"); /* came one by one */
    char other[40];
    lab_id(g_lab, other);
    load(g_ana, SL_CHAT_AROUND, other, 1);
    ck_assert(!g_ana->op_ok && g_ana->op_code == SL_E_NOT_FOUND);
    loads(g_ana, SL_CHAT_AROUND, g_ids[3], 1);
    lab_node *late = late_comer();
    shows(late, " | 10 11 12 13 14");
    ck_assert_int_eq(lab_count(late, "{'from':'participant'}"), 2);
    ck_assert_int_eq(lab_count(late, "{'from':'thread'}"), 1);
    loads(late, SL_CHAT_OLDER, NULL, 3);
    shows(late, " | 7 8 9 10 11 12 13 14");
    loads(late, SL_CHAT_OLDER, g_ids[8], 4);
    shows(late, " | 3 4 5 6 7 8 9 10 11 12 13 14");
    loads(late, SL_CHAT_OLDER, NULL, 100);
    shows(late, " 1 2 3 4 5 6 7 8 9 10 11 12 13 14");
    lab_online(late, false);
    lab_run(g_lab, SECOND);
    loads(late, SL_CHAT_OLDER, NULL, 100); /* nothing is missing */
}
END_TEST

START_TEST(window__after_a_long_time_offline_the_gap_is_told_and_what_was_held_is_as_it_is_now)
{
    talk(8);
    lab_online(g_ana, false);
    talk(20);
    ck_assert_int_eq(lab_apply(g_cleo,
                               "[{'op':'patch','entity':'message','id':'%s','fields':"
                               "{'body':'2, edited'}},{'op':'delete','entity':'message',"
                               "'id':'%s'},{'op':'delete','entity':'message','id':'%s'}]",
                               g_ids[1], g_ids[3], g_ids[26]),
                     SL_OK);
    lab_settle(g_lab, MINUTE);
    lab_online(g_ana, true);
    lab_settle(g_lab, MINUTE);
    shows(g_ana, " 1 2, edited 3 5 6 7 8 | 23 24 25 26 28");
    loads(g_ana, SL_CHAT_NEWER, g_ids[7], 2);
    shows(g_ana, " 1 2, edited 3 5 6 7 8 9 10 | 23 24 25 26 28");
    loads(g_ana, SL_CHAT_OLDER, NULL, 2);
    shows(g_ana, " 1 2, edited 3 5 6 7 8 9 10 | 21 22 23 24 25 26 28");
    loads(g_ana, SL_CHAT_OLDER, g_ids[6], 2); /* nothing is missing below it */
    shows(g_ana, " 1 2, edited 3 5 6 7 8 9 10 | 21 22 23 24 25 26 28");
    loads(g_ana, SL_CHAT_OLDER, NULL, 0);
    shows(g_ana, " 1 2, edited 3 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 28");
}
END_TEST

START_TEST(window__a_jump_makes_an_island_that_is_kept_up_to_date)
{
    talk(MANY);
    lab_node *late = late_comer();
    shows(late, " | 36 37 38 39 40");
    loads(late, SL_CHAT_AROUND, g_ids[9], 5);
    shows(late, " | 8 9 10 11 12 | 36 37 38 39 40");
    ck_assert_int_eq(lab_apply(g_cleo,
                               "[{'op':'patch','entity':'message','id':'%s','fields':"
                               "{'body':'9, edited'}},{'op':'patch','entity':'message',"
                               "'id':'%s','fields':{'body':'20, edited'}}]",
                               g_ids[8], g_ids[19]),
                     SL_OK);
    lab_settle(g_lab, MINUTE);
    shows(late,
          " | 8 9, edited 10 11 12 | 20, edited | 36 37 38 39 40"); /* an edit makes no whole */
    loads(late, SL_CHAT_NEWER, g_ids[11], 2);
    shows(late, " | 8 9, edited 10 11 12 13 14 | 20, edited | 36 37 38 39 40");
    loads(late, SL_CHAT_OLDER, g_ids[9], 2);
    shows(late, " | 6 7 8 9, edited 10 11 12 13 14 | 20, edited | 36 37 38 39 40");
    sl_sim_node_restart(late->node);
    lab_run(g_lab, 5 * SECOND);
    lab_settle(g_lab, MINUTE);
    shows(late, " | 6 7 8 9, edited 10 11 12 13 14 | 20, edited | 36 37 38 39 40");
}
END_TEST

START_TEST(window__what_is_asked_of_a_thread_that_has_it_not_says_so)
{
    char other[40];
    sl_id op = 0;
    sl_error *err = NULL;
    talk(10);
    lab_node *late = late_comer();
    lab_id(g_lab, other);
    load(late, SL_CHAT_AROUND, other, 5);
    ck_assert(!late->op_ok && late->op_code == SL_E_NOT_FOUND);
    sl_core *core = late->node->core;
    ck_assert_int_eq(sl_chat_load(core, g_thread, SL_CHAT_OLDER, other, 5, &op, &err),
                     SL_E_NOT_FOUND);
    sl_error_release(err);
    char space[SL_SPACE_MAX];
    sl_space_name(space, "thread", other);
    ck_assert_int_eq(sl_chat_load(core, space, SL_CHAT_OLDER, NULL, 5, &op, NULL), SL_E_NOT_FOUND);
    ck_assert_int_eq(sl_chat_load(core, g_thread, 0, NULL, 5, &op, NULL), SL_E_MISUSE);
    ck_assert_int_eq(sl_chat_load(core, g_thread, 4, other, 5, &op, NULL), SL_E_MISUSE);
    ck_assert_int_eq(sl_chat_load(core, g_thread, SL_CHAT_OLDER, NULL, 501, &op, NULL),
                     SL_E_MISUSE);
    ck_assert_int_eq(sl_chat_load(core, g_thread, SL_CHAT_AROUND, NULL, 5, &op, NULL), SL_E_MISUSE);
    ck_assert_int_eq(sl_chat_load(core, "thread", SL_CHAT_OLDER, NULL, 5, &op, NULL), SL_E_MISUSE);
    lab_online(late, false);
    lab_run(g_lab, SECOND);
    ck_assert_int_eq(sl_chat_load(core, g_thread, SL_CHAT_OLDER, NULL, 5, &op, NULL), SL_E_NETWORK);
    shows(late, " | 6 7 8 9 10");
}
END_TEST

START_TEST(window__loading_ends_once_cancelled_stopped_or_cut_off)
{
    talk(20);
    lab_node *late = late_comer();
    sl_core *core = late->node->core;
    late->op_ended = false;
    ck_assert_int_eq(sl_chat_load(core, g_thread, SL_CHAT_OLDER, NULL, 5, &late->op, NULL), SL_OK);
    lab_online(late, false);
    lab_wait_op(late);
    ck_assert(!late->op_ok && late->op_code == SL_E_CANCELLED);
    lab_online(late, true);
    lab_settle(g_lab, MINUTE);
    late->op_ended = false;
    ck_assert_int_eq(sl_chat_load(core, g_thread, SL_CHAT_OLDER, NULL, 5, &late->op, NULL), SL_OK);
    ck_assert_int_eq(sl_op_cancel(core, late->op), SL_OK);
    lab_wait_op(late);
    ck_assert(!late->op_ok && late->op_code == SL_E_CANCELLED);
    shows(late, " | 16 17 18 19 20");
    late->op_ended = false; /* the connection is lost with the question under way: asked again */
    ck_assert_int_eq(sl_chat_load(core, g_thread, SL_CHAT_OLDER, NULL, 5, &late->op, NULL), SL_OK);
    g_lab->deaf = late->node;
    sl_sim_node_touched(late->node);
    lab_run(g_lab, SECOND);
    ck_assert(!late->op_ended);
    g_lab->deaf = NULL;
    sl_sim_net_cut_node(late->node);
    lab_wait_op(late);
    ck_assert(late->op_ok);
    shows(late, " | 11 12 13 14 15 16 17 18 19 20");
}
END_TEST

START_TEST(window__a_restored_server_begins_it_anew)
{
    talk(10);
    lab_node *late = late_comer();
    loads(late, SL_CHAT_AROUND, g_ids[1], 3);
    shows(late, " 1 2 3 | 6 7 8 9 10");
    ck_assert(sl_sim_server_backup(g_lab->sim));
    talk(3);
    shows(late, " 1 2 3 | 6 7 8 9 10 11 12 13");
    sl_sim_server_restore(g_lab->sim);
    lab_run(g_lab, 30 * SECOND);
    lab_settle(g_lab, 2 * MINUTE);
    shows(late, " | 6 7 8 9 10"); /* what its author had receipts for is lost with the backup */
    talk(1);
    shows(late, " | 6 7 8 9 10 14");
    loads(late, SL_CHAT_OLDER, NULL, 9);
    shows(late, " 1 2 3 4 5 6 7 8 9 10 14");
}
END_TEST

/* Behind the store's back. */
static void lose(const lab_node *n, const char *id)
{
    char sql[200];
    char hex[40] = "";
    for (const char *p = id; *p != 0; p++) {
        size_t at = strlen(hex);
        (void)snprintf(hex + at, sizeof hex - at, "%.*s", *p != '-' ? 1 : 0, p);
    }
    (void)snprintf(sql, sizeof sql, "DELETE FROM message WHERE id=x'%s'", hex);
    ck_assert_int_eq(sl_sql_script(n->node->core->store->sql, sql, NULL), SL_OK);
    ck_assert_int_eq(sl_sql_changes(n->node->core->store->sql), 1);
}

START_TEST(window__what_a_disk_lost_of_what_is_held_shows_by_the_sum_and_heals)
{
    talk(20);
    lab_node *late = late_comer();
    loads(late, SL_CHAT_AROUND, g_ids[4], 3);
    shows(late, " | 4 5 6 | 16 17 18 19 20");
    late->node->host.wall_off_ms += DAY + MINUTE;
    sl_sim_net_cut_node(late->node);
    lab_run(g_lab, SECOND);
    lab_settle(g_lab, MINUTE);
    ck_assert_uint_eq(late->differed, 0); /* the sum is right with holes */
    lose(late, g_ids[4]);
    g_lab->may_differ = true;
    late->node->host.wall_off_ms += DAY + MINUTE;
    sl_sim_net_cut_node(late->node);
    lab_run(g_lab, SECOND);
    lab_settle(g_lab, MINUTE);
    ck_assert_uint_eq(late->differed, 1);
    ck_assert_uint_eq(late->healed, 1);
    shows(late, " | 16 17 18 19 20");
    loads(late, SL_CHAT_OLDER, NULL, 100);
    ck_assert_int_eq(lab_count(late, "{'from':'message'}"), 20);
}
END_TEST

/* What the coach sees of the signs in answer to a message. */
static void signs(lab_node *n, const char *message, int expected)
{
    ck_assert_int_eq(lab_count(n, "{'from':'reaction','where':{'message_id':'%s'}}", message),
                     expected);
}

static sl_status sign(lab_node *n, const char *message)
{
    return lab_apply(n,
                     "[{'op':'create','entity':'reaction','space':'%s','fields':{'message_id':'%s',"
                     "'emoji':'+'}}]",
                     g_thread, message);
}

START_TEST(window__what_refers_to_a_message_in_a_gap_is_sent_and_comes)
{
    talk(14);
    lab_node *late = late_comer();
    shows(late, " | 10 11 12 13 14");
    ck_assert_int_eq(sign(late, g_ids[2]), SL_OK); /* told of elsewhere: not held here */
    lab_settle(g_lab, MINUTE);
    signs(g_cleo, g_ids[2], 1);
    ck_assert_int_eq(sign(g_cleo, g_ids[3]), SL_OK);
    lab_settle(g_lab, MINUTE);
    signs(late, g_ids[3], 1); /* of a message in the gap */
    shows(late, " | 10 11 12 13 14");
    loads(late, SL_CHAT_OLDER, NULL, 100);
    shows(late, " 1 2 3 4 5 6 7 8 9 10 11 12 13 14");
    signs(late, g_ids[2], 1);
    signs(late, g_ids[3], 1);
}
END_TEST

START_TEST(window__what_refers_to_no_message_at_all_is_refused_here_or_by_the_server)
{
    char other[40];
    talk(14);
    lab_node *late = late_comer();
    lab_id(g_lab, other);
    ck_assert_int_eq(sign(g_ana, other), SL_E_NOT_FOUND); /* she has all there is */
    ck_assert_int_eq(sign(late, other), SL_OK);
    signs(late, other, 1);
    lab_settle(g_lab, MINUTE);
    signs(late, other, 0);
    signs(g_cleo, other, 0);
}
END_TEST

/* How far the athlete has read, as this device knows it. */
static int read_by_ana(lab_node *n, char id[40])
{
    char query[200];
    char text[LAB_TEXT];
    sl_bytes *out = NULL;
    int len = snprintf(query, sizeof query,
                       "{\"from\":\"participant\",\"where\":{\"user_id\":\"%s\"}}", g_ana->user);
    ck_assert_int_eq(sl_query_once(n->node->core, query, (size_t)len, &out, NULL), SL_OK);
    sl_json *rows = sl_json_parse((const char *)sl_bytes_data(out), sl_bytes_len(out));
    (void)snprintf(id, 40, "%s", sl_json_str(sl_json_first(rows), "id"));
    sl_json_free(rows);
    sl_bytes_release(out);
    lab_field(n, "participant", id, "read", text);
    return (int)strtol(text, NULL, 10);
}

START_TEST(window__a_mark_in_a_gap_stays_where_it_is_and_moves_forward_only)
{
    char id[40];
    talk(4);
    sl_core *ana = g_ana->node->core;
    ck_assert_int_eq(sl_chat_mark(ana, g_thread, SL_CHAT_READ, g_ids[2], NULL), SL_OK);
    sl_sim_node_touched(g_ana->node);
    lab_settle(g_lab, MINUTE);
    int third = read_by_ana(g_cleo, id);
    ck_assert_int_gt(third, 0);
    talk(10);
    lab_node *late = late_comer();
    sl_core *core = late->node->core;
    shows(late, " | 10 11 12 13 14");
    ck_assert_int_eq(read_by_ana(late, id), third);
    ck_assert_int_eq(sl_chat_mark(core, g_thread, SL_CHAT_READ, g_ids[3], NULL), SL_E_NOT_FOUND);
    ck_assert_int_eq(lab_apply(late, /* below where it is: told by a shell that kept the number */
                               "[{'op':'patch','entity':'participant','id':'%s','fields':"
                               "{'read':%d}}]",
                               id, third - 1),
                     SL_OK);
    lab_settle(g_lab, MINUTE);
    ck_assert_int_eq(read_by_ana(g_cleo, id), third);
    ck_assert_int_eq(lab_apply(late, /* above it, still in the gap */
                               "[{'op':'patch','entity':'participant','id':'%s','fields':"
                               "{'read':%d}}]",
                               id, third + 1),
                     SL_OK);
    lab_settle(g_lab, MINUTE);
    ck_assert_int_eq(read_by_ana(g_cleo, id), third + 1);
    ck_assert_int_eq(read_by_ana(g_ana, id), third + 1);
    ck_assert_int_eq(sl_chat_mark(core, g_thread, SL_CHAT_READ, NULL, NULL), SL_OK);
    sl_sim_node_touched(late->node);
    lab_settle(g_lab, MINUTE);
    int newest = read_by_ana(late, id);
    ck_assert_int_gt(newest, third + 1);
    ck_assert_int_eq(read_by_ana(g_cleo, id), newest);
    shows(late, " | 10 11 12 13 14");
}
END_TEST

SL_TEST_MAIN_WITH(
    "windows", set_up, tear_down,
    window__a_new_device_has_the_newest_at_once_and_the_rest_on_demand,
    window__after_a_long_time_offline_the_gap_is_told_and_what_was_held_is_as_it_is_now,
    window__a_jump_makes_an_island_that_is_kept_up_to_date,
    window__what_is_asked_of_a_thread_that_has_it_not_says_so,
    window__loading_ends_once_cancelled_stopped_or_cut_off,
    window__what_refers_to_a_message_in_a_gap_is_sent_and_comes,
    window__what_refers_to_no_message_at_all_is_refused_here_or_by_the_server,
    window__a_mark_in_a_gap_stays_where_it_is_and_moves_forward_only,
    window__a_restored_server_begins_it_anew,
    window__what_a_disk_lost_of_what_is_held_shows_by_the_sum_and_heals)
