/* First reads in many small pages, and pages that a device stores in several turns. */
#include "lab.h"

#include "engine/engine.h"
#include "support.h"
#include "world.h"

enum {
    SECOND = 1000,
    MINUTE = 60 * SECOND,
    VIDEOS = 3,
    NOTES = 4 /* of each */
};

static lab *g_lab;
static lab_node *g_ana; /* an athlete */
static lab_node *g_cleo;

static void fill(void)
{
    for (int i = 0; i < VIDEOS; i++) {
        char video[40];
        char space[SL_SPACE_MAX];
        lab_video(g_ana, video, space);
        for (int k = 0; k < NOTES; k++) {
            char id[40];
            lab_id(g_lab, id);
            ck_assert_int_eq(lab_apply(g_ana,
                                       "[{'op':'create','entity':'comment','id':'%s','space':'%s',"
                                       "'fields':{'body':'note %d'}}]",
                                       id, space, k),
                             SL_OK);
        }
    }
    lab_settle(g_lab, MINUTE);
}

static void set_up(void)
{
    ck_assert(run_init());
    g_lab = lab_open();
    lab_connected(g_lab, &g_ana, &g_cleo);
}

static void tear_down(void)
{
    lab_close(g_lab);
    run_done();
}

/* A device that holds nothing yet. */
static lab_node *another_device(void)
{
    lab_node *n = lab_device(g_lab, "tablet");
    lab_log_in(n, "ana@lab.test");
    ck_assert(n->op_ok);
    return n;
}

static void has_all(lab_node *n)
{
    ck_assert_int_eq(lab_count(n, "{'from':'video'}"), VIDEOS);
    ck_assert_int_eq(lab_count(n, "{'from':'comment','limit':10000}"), VIDEOS * NOTES);
}

static bool not_begun(void *ctx, const sl_space *space)
{
    const lab_node *n = ctx;
    ck_assert_msg(sl_space_is(space->name, "user") || space->cursor == 0,
                  "%s: %s is at %lld before a page of it came", n->node->host.name, space->name,
                  (long long)space->cursor);
    return true;
}

START_TEST(part__of_a_page_with_grants_leaves_the_spaces_that_they_bring_to_their_own_pages)
{
    fill();
    for (unsigned every = 2; g_lab->count < LAB_MAX; every++) {
        g_lab->sim->hurry_every = every;
        g_lab->pages = 0;
        lab_node *tablet = another_device();
        while (g_lab->pages == 0) {
            lab_run(g_lab, SECOND / 100);
        }
        ck_assert_uint_eq(g_lab->pages, 1); /* of the user's own space */
        ck_assert_int_eq(sl_store_spaces(tablet->node->core->store, not_begun, tablet, NULL),
                         SL_OK);
        lab_settle(g_lab, 2 * MINUTE);
        has_all(tablet);
        lab_online(tablet, false);
    }
}
END_TEST

START_TEST(page__of_one_record_comes_after_the_one_before_was_stored)
{
    fill();
    g_lab->sim->page_records = 1;
    g_lab->sim->page_flight = 1;
    sl_sim_server_restart(g_lab->sim);
    lab_run(g_lab, 20 * SECOND);
    g_lab->pages = 0;
    g_lab->page_max = 0;
    lab_node *tablet = another_device();
    lab_settle(g_lab, 2 * MINUTE);
    has_all(tablet);
    ck_assert_uint_gt(g_lab->pages, VIDEOS * (NOTES + 1));
    ck_assert_uint_eq(g_lab->page_max, 1);
}
END_TEST

START_TEST(page__by_page_goes_on_after_the_power_went_between_two)
{
    fill();
    g_lab->sim->page_records = 2;
    g_lab->sim->page_flight = 1;
    sl_sim_server_restart(g_lab->sim);
    lab_run(g_lab, 20 * SECOND);
    lab_node *tablet = another_device();
    for (int i = 0; i < 6; i++) {
        lab_run(g_lab, 200);
        sl_disk_kill(tablet->node->host.disk);
        sl_sim_node_touched(tablet->node);
        lab_run(g_lab, 3 * SECOND);
    }
    lab_settle(g_lab, 2 * MINUTE);
    has_all(tablet);
}
END_TEST

START_TEST(push__one_by_one_sends_all_in_order)
{
    g_lab->sim->push_window = 1;
    g_lab->sim->push_frame = 1;
    sl_sim_node_restart(g_ana->node);
    lab_run(g_lab, 5 * SECOND);
    lab_online(g_ana, false);
    for (int i = 0; i < 3; i++) {
        char video[40];
        char space[SL_SPACE_MAX];
        lab_video(g_ana, video, space);
    }
    g_lab->ops = 0;
    lab_online(g_ana, true);
    lab_settle(g_lab, MINUTE);
    ck_assert_uint_eq(g_lab->ops, 3);
    ck_assert_uint_eq(g_ana->rejected, 0);
}
END_TEST

SL_TEST_MAIN_WITH("parts", set_up, tear_down,
                  part__of_a_page_with_grants_leaves_the_spaces_that_they_bring_to_their_own_pages,
                  page__of_one_record_comes_after_the_one_before_was_stored,
                  page__by_page_goes_on_after_the_power_went_between_two,
                  push__one_by_one_sends_all_in_order)
