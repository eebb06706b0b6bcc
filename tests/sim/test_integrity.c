/*
 * What a device holds is not what the server has, for no fault that the protocol knows: it shows at
 * the head by the sum of the space, heals, and is told.
 */
#include "base/mem.h"
#include "engine/engine.h"
#include "lab.h"
#include "service/inside.h"
#include "sideline/record.h"
#include "sideline/sync.h"
#include "store/inside.h"
#include "support.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

enum {
    SECOND = 1000,
    MINUTE = 60 * SECOND,
    HOUR = 60 * MINUTE,
    DAY = 24 * HOUR,
    COMMENTS = 5
};

static lab *g_lab;
static lab_node *g_ana; /* an athlete */
static lab_node *g_cleo;
static char g_video[40];
static char g_space[SL_SPACE_MAX];
static char g_ids[COMMENTS][40]; /* the coach's comments */
static char g_own[40];           /* the athlete's */

static void comment(lab_node *n, const char *body, char id[40])
{
    lab_id(g_lab, id);
    ck_assert_int_eq(lab_apply(n,
                               "[{'op':'create','entity':'comment','id':'%s','space':'%s',"
                               "'fields':{'body':'%s'}}]",
                               id, g_space, body),
                     SL_OK);
}

/* An athlete and a coach, connected, with one video and some comments that both hold. */
static void set_up(void)
{
    char share[40];
    ck_assert(run_init());
    g_lab = lab_open();
    lab_connected(g_lab, &g_ana, &g_cleo);
    lab_video(g_ana, g_video, g_space);
    lab_share(g_ana, g_space, g_cleo, share);
    lab_settle(g_lab, MINUTE);
    for (int i = 0; i < COMMENTS; i++) {
        comment(g_cleo, "elbow up", g_ids[i]);
    }
    comment(g_ana, "mine", g_own);
    lab_settle(g_lab, MINUTE);
}

static void tear_down(void)
{
    lab_close(g_lab);
    run_done();
}

/* Behind the store's back. */
static void damage(const lab_node *n, const char *fmt, const char *id)
{
    char sql[300];
    char hex[40];
    size_t at = 0;
    for (const char *p = id; *p != 0; p++) {
        if (*p != '-') {
            hex[at++] = *p;
        }
    }
    hex[at] = 0;
    (void)snprintf(sql, sizeof sql, "%s WHERE id=x'%s'", fmt, hex);
    ck_assert_int_eq(sl_sql_script(n->node->core->store->sql, sql, NULL), SL_OK);
    ck_assert_int_eq(sl_sql_changes(n->node->core->store->sql), 1);
    sl_sim_node_touched(n->node);
}

/* The device's clock goes on and it connects anew. */
static void come_again(lab_node *n, int64_t later_ms)
{
    n->node->host.wall_off_ms += later_ms;
    sl_sim_net_cut_node(n->node);
    lab_run(g_lab, SECOND);
    lab_settle(g_lab, MINUTE);
}

static void body_is(lab_node *n, const char *id, const char *body)
{
    char now[LAB_TEXT];
    lab_field(n, "comment", id, "body", now);
    ck_assert_str_eq(now, body);
}

static int64_t told(const lab_node *n)
{
    sl_bytes *b = NULL;
    ck_assert_int_eq(sl_core_info(n->node->core, "sync", &b, NULL), SL_OK);
    sl_json *j = sl_json_parse((const char *)sl_bytes_data(b), sl_bytes_len(b));
    int64_t count = sl_json_int_or(j, "integrity", -1);
    sl_json_free(j);
    sl_bytes_release(b);
    return count;
}

static void spoil_servers_sum(int64_t by)
{
    sl_cell args[] = {sl_cell_int(by), sl_cell_text(g_space)};
    ck_assert_int_eq(sl_sv_run(g_lab->sim->server.service,
                               "UPDATE space SET sum=sum+$1 WHERE space=$2", args, 2, NULL),
                     SL_OK);
}

START_TEST(integrity__what_the_disk_lost_comes_back_and_own_edits_stay)
{
    char fresh[40];
    g_lab->may_differ = true;
    lab_online(g_ana, false);
    lab_run(g_lab, SECOND);
    ck_assert_int_eq(lab_apply(g_ana,
                               "[{'op':'patch','entity':'comment','id':'%s',"
                               "'fields':{'body':'mine, edited'}}]",
                               g_own),
                     SL_OK);
    comment(g_ana, "new", fresh);
    damage(g_ana, "DELETE FROM comment", g_ids[0]);
    damage(g_ana, "UPDATE comment SET seq=seq+1000, body='damaged'", g_ids[1]);
    ck_assert_int_eq(lab_count(g_ana, "{'from':'comment'}"), COMMENTS + 1);
    g_ana->node->host.wall_off_ms += DAY + MINUTE;
    lab_online(g_ana, true);
    lab_settle(g_lab, MINUTE);
    ck_assert_uint_eq(g_ana->differed, 1);
    ck_assert_uint_eq(g_ana->healed, 1);
    ck_assert_int_eq(told(g_ana), 1);
    lab_node *const both[] = {g_ana, g_cleo};
    for (size_t i = 0; i < 2; i++) {
        ck_assert_int_eq(lab_count(both[i], "{'from':'comment'}"), COMMENTS + 2);
        body_is(both[i], g_ids[0], "elbow up");
        body_is(both[i], g_ids[1], "elbow up");
        body_is(both[i], g_own, "mine, edited");
        body_is(both[i], fresh, "new");
    }
    come_again(g_ana, DAY + MINUTE);
    ck_assert_uint_eq(g_ana->differed, 1);
    ck_assert_uint_eq(g_cleo->differed, 0);
}
END_TEST

START_TEST(integrity__rows_are_looked_at_once_a_day)
{
    g_lab->may_differ = true;
    come_again(g_ana, DAY + MINUTE); /* looked at now */
    damage(g_ana, "DELETE FROM comment", g_ids[0]);
    come_again(g_ana, DAY - MINUTE);
    ck_assert_uint_eq(g_ana->differed, 0);
    ck_assert_int_eq(lab_count(g_ana, "{'from':'comment'}"), COMMENTS);
    come_again(g_ana, MINUTE);
    ck_assert_uint_eq(g_ana->healed, 1);
    ck_assert_int_eq(lab_count(g_ana, "{'from':'comment'}"), COMMENTS + 1);
}
END_TEST

START_TEST(integrity__a_wrong_sum_of_the_servers_is_told_and_heals_once_an_hour)
{
    g_lab->may_differ = true;
    spoil_servers_sum(1);
    come_again(g_ana, 0);
    ck_assert_uint_eq(g_ana->differed, 2); /* healed, and not tried again */
    ck_assert_uint_eq(g_ana->healed, 1);
    unsigned subscribes = g_lab->subscribes;
    lab_run(g_lab, MINUTE);
    ck_assert_uint_eq(g_lab->subscribes, subscribes);
    ck_assert_uint_eq(g_ana->differed, 2);
    come_again(g_ana, HOUR - 2 * MINUTE);
    ck_assert_uint_eq(g_ana->differed, 3);
    ck_assert_uint_eq(g_ana->healed, 1);
    come_again(g_ana, 2 * MINUTE);
    ck_assert_uint_eq(g_ana->differed, 5);
    ck_assert_uint_eq(g_ana->healed, 2);
    ck_assert_int_eq(lab_count(g_ana, "{'from':'comment'}"), COMMENTS + 1);
    spoil_servers_sum(-1);
    come_again(g_ana, 0);
    ck_assert_uint_eq(g_ana->differed, 5);
    ck_assert_int_eq(told(g_ana), 5);
}
END_TEST

/* Both ends move their sums along by other means: they agree at every head. */
START_TEST(integrity__both_ends_have_the_same_sum_after_whatever_was_done)
{
    char ids[3][40];
    for (int round = 0; round < 6; round++) {
        lab_node *n = round % 2 == 0 ? g_ana : g_cleo;
        for (int i = 0; i < 3; i++) {
            comment(n, "again", ids[i]);
        }
        ck_assert_int_eq(lab_apply(n,
                                   "[{'op':'patch','entity':'comment','id':'%s',"
                                   "'fields':{'body':'edited'}},"
                                   "{'op':'delete','entity':'comment','id':'%s'}]",
                                   ids[0], ids[1]),
                         SL_OK);
        come_again(g_ana, round % 3 == 0 ? DAY : 0); /* moved along, or counted */
        come_again(g_cleo, 0);
        sl_space_sum sum;
        sl_space_sum other;
        ck_assert_int_eq(sl_store_sum(g_ana->node->core->store, g_space, &sum, NULL), SL_OK);
        ck_assert_int_eq(sl_store_sum(g_cleo->node->core->store, g_space, &other, NULL), SL_OK);
        ck_assert(sum.sum == other.sum && sum.sum != 0 && sum.whole);
    }
    ck_assert_int_eq(told(g_ana) + told(g_cleo), 0);
}
END_TEST

SL_TEST_MAIN_WITH("integrity", set_up, tear_down,
                  integrity__what_the_disk_lost_comes_back_and_own_edits_stay,
                  integrity__rows_are_looked_at_once_a_day,
                  integrity__a_wrong_sum_of_the_servers_is_told_and_heals_once_an_hour,
                  integrity__both_ends_have_the_same_sum_after_whatever_was_done)
