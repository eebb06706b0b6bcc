/* Devices that were away for longer than the server knows what was deleted, and those that were not. */
#include "lab.h"

#include "support.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

enum {
    SECOND = 1000,
    MINUTE = 60 * SECOND
};

static lab *g_lab;
static lab_node *g_ana; /* an athlete */
static lab_node *g_cleo;
static lab_node *g_tablet; /* hers too */
static char g_video[40];
static char g_space[SL_SPACE_MAX];

static void set_up(void)
{
    char share[40];
    ck_assert(run_init());
    g_lab = lab_open();
    lab_connected(g_lab, &g_ana, &g_cleo);
    lab_video(g_ana, g_video, g_space);
    lab_share(g_ana, g_space, g_cleo, share);
    g_tablet = lab_device(g_lab, "tablet");
    lab_log_in(g_tablet, g_cleo->email);
    lab_settle(g_lab, MINUTE);
    ck_assert_int_eq(lab_count(g_tablet, "{'from':'video'}"), 1);
}

static void tear_down(void)
{
    lab_close(g_lab);
    run_done();
}

static void comment(lab_node *n, const char *body, char id[40])
{
    lab_id(g_lab, id);
    ck_assert_int_eq(lab_apply(n,
                               "[{'op':'create','entity':'comment','id':'%s','space':'%s',"
                               "'fields':{'body':'%s'}}]",
                               id, g_space, body),
                     SL_OK);
}

static void edit(lab_node *n, const char *id, const char *body)
{
    ck_assert_int_eq(
        lab_apply(n, "[{'op':'patch','entity':'comment','id':'%s','fields':{'body':'%s'}}]", id,
                  body),
        SL_OK);
}

static void take_away(lab_node *n, const char *id)
{
    ck_assert_int_eq(lab_apply(n, "[{'op':'delete','entity':'comment','id':'%s'}]", id), SL_OK);
}

static void says(lab_node *n, const char *id, const char *body)
{
    char text[LAB_TEXT];
    lab_field(n, "comment", id, "body", text);
    ck_assert_str_eq(text, body);
}

static void forget_deleted(void)
{
    lab_run(g_lab, 10 * SECOND);
    sl_sim_server_retain(g_lab->sim, 0, 1000);
}

static void back(lab_node *n)
{
    g_lab->page_records = 0;
    lab_online(n, true);
    lab_settle(g_lab, 2 * MINUTE);
}

START_TEST(retention__who_was_away_for_longer_lets_go_of_what_was_deleted)
{
    char gone[40];
    char kept[40];
    comment(g_cleo, "deleted while the tablet is away", gone);
    comment(g_cleo, "stays", kept);
    lab_settle(g_lab, MINUTE);
    lab_online(g_tablet, false);
    lab_run(g_lab, SECOND);
    take_away(g_cleo, gone);
    forget_deleted();
    back(g_tablet);
    ck_assert_uint_gt(g_lab->page_records, 0);
    ck_assert_int_eq(lab_count(g_tablet, "{'from':'comment'}"), 1);
    says(g_tablet, kept, "stays");
    ck_assert_int_eq(lab_count(g_ana, "{'from':'comment'}"), 1);
}
END_TEST

START_TEST(retention__who_was_away_for_longer_loses_nothing_written_meanwhile)
{
    char gone[40];
    char kept[40];
    char made[40];
    char again[40];
    comment(g_cleo, "deleted while the tablet is away", gone);
    comment(g_cleo, "stays", kept);
    lab_settle(g_lab, MINUTE);
    lab_online(g_tablet, false);
    lab_run(g_lab, SECOND);
    comment(g_tablet, "made away", made);
    edit(g_tablet, kept, "edited away");
    edit(g_tablet, gone, "edited too late");
    comment(g_tablet, "made and deleted away", again);
    take_away(g_tablet, again);
    take_away(g_cleo, gone);
    forget_deleted();
    back(g_tablet);
    lab_node *nodes[] = {g_ana, g_cleo, g_tablet};
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(lab_count(nodes[i], "{'from':'comment'}"), 2);
        says(nodes[i], kept, "edited away");
        says(nodes[i], made, "made away");
    }
    /* What came too late is told, with its words. */
    ck_assert_uint_eq(g_tablet->rejected, 1);
    ck_assert_str_eq(g_tablet->reject_code, "SL_E_NOT_FOUND");
    ck_assert_str_eq(g_tablet->reject_body, "edited too late");
}
END_TEST

/* The server has done it, the device does not know: its receipt was lost, and then the record. */
START_TEST(retention__what_was_accepted_and_deleted_since_does_not_come_back)
{
    char id[40];
    lab_node *nodes[] = {g_ana, g_cleo, g_tablet};
    g_lab->blind = g_tablet->node;
    (void)snprintf(g_lab->blind_to, sizeof g_lab->blind_to, "%s", g_space);
    lab_run(g_lab, SECOND);
    comment(g_tablet, "accepted", id);
    lab_run(g_lab, SECOND);
    ck_assert(!lab_settled(g_tablet));
    lab_online(g_tablet, false);
    g_lab->blind = NULL;
    lab_run(g_lab, SECOND);
    ck_assert_int_eq(lab_count(g_cleo, "{'from':'comment'}"), 1);
    take_away(g_cleo, id);
    forget_deleted();
    back(g_tablet);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(lab_count(nodes[i], "{'from':'comment'}"), 0);
        ck_assert_uint_eq(nodes[i]->rejected, 0);
    }
}
END_TEST

START_TEST(retention__who_has_heard_of_all_of_it_reads_nothing_again_and_finds_nothing_wrong)
{
    char gone[40];
    char kept[40];
    comment(g_cleo, "deleted", gone);
    comment(g_cleo, "stays", kept);
    lab_settle(g_lab, MINUTE);
    take_away(g_cleo, gone);
    lab_settle(g_lab, MINUTE);
    lab_online(g_tablet, false);
    forget_deleted();
    back(g_tablet);
    ck_assert_uint_eq(g_lab->page_records, 0);
    lab_online(g_tablet, false);
    lab_run(g_lab, SECOND);
    g_tablet->node->host.wall_off_ms += INT64_C(2) * 24 * 3600 * 1000; /* then all is counted */
    back(g_tablet);
    ck_assert_uint_eq(g_lab->page_records, 0);
    ck_assert_uint_eq(g_tablet->differed, 0);
    ck_assert_int_eq(lab_count(g_tablet, "{'from':'comment'}"), 1);
}
END_TEST

SL_TEST_MAIN_WITH("retention", set_up, tear_down,
                  retention__who_was_away_for_longer_lets_go_of_what_was_deleted,
                  retention__who_was_away_for_longer_loses_nothing_written_meanwhile,
                  retention__what_was_accepted_and_deleted_since_does_not_come_back,
                  retention__who_has_heard_of_all_of_it_reads_nothing_again_and_finds_nothing_wrong)
