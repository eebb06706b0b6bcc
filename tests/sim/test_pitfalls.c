/*
 * What users of other sync engines complained of, one scenario each: stuck queues, silent
 * rejections, edits lost on reset or sign-out, unbounded logs, clocks, revocation.
 */
#include "lab.h"

#include "crypto/hash.h"
#include "sideline/record.h"
#include "sideline/sync.h"
#include "support.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

enum {
    SECOND = 1000,
    MINUTE = 60 * SECOND,
    DAY = 24 * 60 * MINUTE
};

static lab *g_lab;
static lab_node *g_ana; /* an athlete */
static lab_node *g_cleo;
static char g_video[40];
static char g_space[SL_SPACE_MAX];
static char g_share[40];

/* An athlete and a coach, connected, with one video that both hold. */
static void set_up(void)
{
    ck_assert(run_init());
    g_lab = lab_open();
    lab_connected(g_lab, &g_ana, &g_cleo);
    lab_video(g_ana, g_video, g_space);
    lab_share(g_ana, g_space, g_cleo, g_share);
    lab_settle(g_lab, MINUTE);
    ck_assert_int_eq(lab_count(g_cleo, "{'from':'video'}"), 1);
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

static void retitle(lab_node *n, const char *title)
{
    ck_assert_int_eq(lab_apply(n,
                               "[{'op':'patch','entity':'video','id':'%s',"
                               "'fields':{'title':'%s'}}]",
                               g_video, title),
                     SL_OK);
}

static void title_is(lab_node *n, const char *title)
{
    char now[LAB_TEXT];
    lab_field(n, "video", g_video, "title", now);
    ck_assert_str_eq(now, title);
}

static lab_node *second_device(const char *name, const char *email)
{
    lab_node *n = lab_device(g_lab, name);
    lab_log_in(n, email);
    ck_assert(n->op_ok);
    return n;
}

static void unshare(void)
{
    ck_assert_int_eq(lab_apply(g_ana, "[{'op':'delete','entity':'share','id':'%s'}]", g_share),
                     SL_OK);
}

START_TEST(pitfall__a_round_that_failed_is_tried_again_without_a_new_write)
{
    char id[40];
    g_ana->node->portal_until_ms = g_lab->sim->now_ms + 20 * SECOND;
    sl_sim_net_cut_node(g_ana->node);
    lab_run(g_lab, SECOND);
    comment(g_ana, "written while nothing gets through", id);
    lab_run(g_lab, 18 * SECOND);
    ck_assert(!lab_settled(g_ana));
    lab_settle(g_lab, MINUTE);
    ck_assert_int_eq(lab_count(g_cleo, "{'from':'comment'}"), 1);
}
END_TEST

START_TEST(pitfall__a_socket_that_died_without_a_word_does_not_wedge_the_queue)
{
    char id[40];
    g_lab->deaf = g_ana->node; /* and the platform never says so */
    comment(g_ana, "into the void", id);
    lab_run(g_lab, 30 * SECOND);
    ck_assert(!lab_settled(g_ana));
    lab_settle(g_lab, 2 * MINUTE);
    ck_assert_int_eq(lab_count(g_cleo, "{'from':'comment'}"), 1);
}
END_TEST

START_TEST(pitfall__a_local_write_is_not_reverted_while_the_server_lags)
{
    lab_node *tablet = second_device("tablet", "ana@lab.test");
    lab_settle(g_lab, MINUTE);
    g_lab->mute = tablet->node; /* its operations do not arrive yet */
    retitle(g_ana, "first");
    lab_run(g_lab, SECOND);
    retitle(tablet, "second");
    retitle(g_ana, "not from here"); /* its change comes over the tablet's own */
    retitle(tablet, "third");
    for (int i = 0; i < 100; i++) {
        title_is(tablet, "third");
        lab_run(g_lab, 50);
    }
    g_lab->mute = NULL;
    sl_sim_net_cut_node(tablet->node);
    lab_settle(g_lab, 2 * MINUTE);
    title_is(tablet, "third");
    title_is(g_ana, "third");
}
END_TEST

START_TEST(pitfall__the_cursor_is_never_ahead_of_the_data)
{
    char id[40];
    for (int i = 0; i < 30; i++) {
        comment(g_cleo, "one of thirty", id);
    }
    lab_settle(g_lab, MINUTE);
    lab_node *tablet = lab_device(g_lab, "tablet");
    lab_log_in(tablet, "ana@lab.test");
    for (uint64_t k = 1; k < 60; k += 3) { /* the power goes off at every third write */
        sl_disk_die_in(tablet->node->host.disk, k);
        lab_run(g_lab, 4 * SECOND);
    }
    sl_disk_die_in(tablet->node->host.disk, 0);
    lab_settle(g_lab, 2 * MINUTE);
    ck_assert_int_eq(lab_count(tablet, "{'from':'comment'}"), 30);
}
END_TEST

START_TEST(pitfall__a_new_grant_brings_what_is_older_than_it)
{
    char video[40];
    char space[SL_SPACE_MAX];
    char share[40];
    char id[40];
    lab_video(g_ana, video, space);
    lab_id(g_lab, id);
    ck_assert_int_eq(lab_apply(g_ana,
                               "[{'op':'create','entity':'comment','id':'%s','space':'%s',"
                               "'fields':{'body':'older'}}]",
                               id, space),
                     SL_OK);
    lab_settle(g_lab, MINUTE);
    for (int i = 0; i < 20; i++) {
        comment(g_cleo, "the coach is far ahead elsewhere", id);
    }
    lab_settle(g_lab, MINUTE);
    ck_assert_int_eq(lab_count(g_cleo, "{'from':'comment','where':{'space':'%s'}}", space), 0);
    lab_share(g_ana, space, g_cleo, share);
    lab_settle(g_lab, MINUTE);
    ck_assert_int_eq(lab_count(g_cleo, "{'from':'comment','where':{'space':'%s'}}", space), 1);
    ck_assert_int_eq(lab_count(g_cleo, "{'from':'video','where':{'space':'%s'}}", space), 1);
}
END_TEST

static void fetch(lab_node *n, char hex[LAB_TEXT])
{
    lab_field(n, "video", g_video, "blob", hex);
    n->op_ended = false;
    ck_assert_int_eq(sl_blob_fetch(n->node->core, hex, &n->op, NULL), SL_OK);
    sl_sim_node_touched(n->node);
    lab_wait_op(n);
    ck_assert(n->op_ok);
}

START_TEST(pitfall__revocation_takes_rows_and_files_and_says_what_it_refused)
{
    char id[40];
    char hex[LAB_TEXT];
    sl_bytes *bytes = NULL;
    fetch(g_cleo, hex);
    lab_online(g_cleo, false);
    lab_run(g_lab, SECOND);
    comment(g_cleo, "written offline", id);
    unshare();
    lab_settle(g_lab, MINUTE);
    lab_online(g_cleo, true);
    lab_settle(g_lab, MINUTE);
    ck_assert_int_eq(lab_count(g_cleo, "{'from':'video'}"), 0);
    ck_assert_int_eq(lab_count(g_cleo, "{'from':'comment'}"), 0);
    ck_assert_int_eq(sl_blob_get(g_cleo->node->core, hex, &bytes, NULL), SL_E_NOT_FOUND);
    ck_assert_uint_eq(g_cleo->rejected, 1);
    ck_assert_str_eq(g_cleo->reject_code, "SL_E_DENIED");
    ck_assert_str_eq(g_cleo->reject_body, "written offline");
    lab_share(g_ana, g_space, g_cleo, g_share); /* and given again, all is there */
    lab_settle(g_lab, MINUTE);
    ck_assert_int_eq(lab_count(g_cleo, "{'from':'video'}"), 1);
}
END_TEST

/* Not in its rows, and in no byte of its files either. */
START_TEST(pitfall__text_that_was_taken_away_cannot_be_read_from_the_files)
{
    static const char secret[] = "zanzibar";
    char body[1000];
    char id[40];
    for (int i = 0; i < 40; i++) {
        (void)snprintf(body, sizeof body, "%s quokka %0*d", secret, 1 + 20 * i, 7);
        comment(g_ana, body, id);
    }
    comment(g_cleo, "zanzibar quokka too", id);
    lab_settle(g_lab, MINUTE);
    ck_assert_ptr_nonnull(sl_disk_holds(g_cleo->node->host.disk, secret));
    unshare();
    lab_settle(g_lab, MINUTE);
    const char *path = sl_disk_holds(g_cleo->node->host.disk, secret);
    ck_assert_msg(path == NULL, "%s still has it", path);
    path = sl_disk_holds(g_ana->node->host.disk, secret);
    ck_assert_ptr_nonnull(path);
}
END_TEST

START_TEST(pitfall__a_file_damaged_on_its_way_is_fetched_again)
{
    g_lab->sim->faults = UINT32_C(1) << SL_FAULT_ANSWER_DAMAGED;
    for (int i = 0; i < 8; i++) {
        char hex[LAB_TEXT];
        char found[SL_SHA256_HEX_LEN + 1] = "";
        sl_bytes *bytes = NULL;
        lab_video(g_ana, g_video, g_space);
        lab_share(g_ana, g_space, g_cleo, g_share);
        lab_settle(g_lab, MINUTE);
        fetch(g_cleo, hex);
        ck_assert_int_eq(sl_blob_get(g_cleo->node->core, hex, &bytes, NULL), SL_OK);
        sl_sha256_hex(sl_bytes_data(bytes), sl_bytes_len(bytes), found);
        sl_bytes_release(bytes);
        ck_assert_str_eq(found, hex);
    }
    ck_assert_uint_gt(g_lab->sim->fault_counts[SL_FAULT_ANSWER_DAMAGED], 0);
}
END_TEST

/* The news that a clip is ready goes another way than the answer to its last byte, and may be late. */
START_TEST(pitfall__what_an_upload_caused_is_here_when_all_is_settled)
{
    char status[LAB_TEXT];
    char video[40];
    lab_online(g_ana, false);
    lab_video(g_ana, video, g_lab->blind_to);
    lab_run(g_lab, SECOND);
    g_lab->blind = g_ana->node;
    g_lab->blind_live = true;
    lab_online(g_ana, true);
    lab_settle(g_lab, MINUTE);
    lab_field(g_ana, "video", video, "status", status);
    ck_assert_str_eq(status, "ready");
}
END_TEST

START_TEST(pitfall__taken_away_and_given_again_while_offline_is_held_once_and_whole)
{
    char id[40];
    comment(g_ana, "before", id);
    lab_settle(g_lab, MINUTE);
    lab_online(g_cleo, false);
    lab_run(g_lab, SECOND);
    unshare();
    lab_settle(g_lab, MINUTE);
    comment(g_ana, "between", id);
    lab_share(g_ana, g_space, g_cleo, g_share);
    lab_settle(g_lab, MINUTE);
    lab_online(g_cleo, true);
    lab_settle(g_lab, MINUTE);
    ck_assert_int_eq(lab_count(g_cleo, "{'from':'comment'}"), 2);
    ck_assert_int_eq(lab_count(g_cleo, "{'from':'video'}"), 1);
}
END_TEST

START_TEST(pitfall__a_write_that_ends_the_space_is_acknowledged_and_the_queue_goes_on)
{
    char id[40];
    lab_online(g_ana, false);
    lab_run(g_lab, SECOND);
    ck_assert_int_eq(lab_apply(g_ana, "[{'op':'delete','entity':'video','id':'%s'}]", g_video),
                     SL_OK);
    comment(g_ana, "to a video that is gone", id);
    lab_id(g_lab, id);
    ck_assert_int_eq(lab_apply(g_ana,
                               "[{'op':'create','entity':'goal','id':'%s','space':'user:%s',"
                               "'fields':{'title':'goes through'}}]",
                               id, g_ana->user),
                     SL_OK);
    lab_online(g_ana, true);
    lab_settle(g_lab, MINUTE);
    ck_assert_uint_eq(g_ana->rejected, 1);
    ck_assert_str_eq(g_ana->reject_body, "to a video that is gone");
    ck_assert_int_eq(lab_count(g_ana, "{'from':'goal'}"), 1);
    ck_assert_int_eq(lab_count(g_ana, "{'from':'video'}"), 0);
    ck_assert_int_eq(lab_count(g_cleo, "{'from':'video'}"), 0);
}
END_TEST

START_TEST(pitfall__a_record_changed_120_times_costs_a_new_device_one_record)
{
    for (int i = 0; i < 120; i++) {
        char title[40];
        (void)snprintf(title, sizeof title, "title %d", i);
        retitle(g_ana, title);
    }
    lab_settle(g_lab, 2 * MINUTE);
    g_lab->page_records = 0;
    lab_node *tablet = second_device("tablet", "ana@lab.test");
    lab_settle(g_lab, MINUTE);
    title_is(tablet, "title 119");
    /* user, connection, its notification, two grants; thread, two participants; video, share */
    ck_assert_uint_eq(g_lab->page_records, 10);
}
END_TEST

START_TEST(pitfall__a_server_that_restarts_downloads_nothing_again)
{
    g_lab->pages = 0;
    g_lab->subscribes = 0;
    sl_sim_server_restart(g_lab->sim);
    lab_run(g_lab, 10 * SECOND);
    lab_settle(g_lab, MINUTE);
    ck_assert_uint_gt(g_lab->subscribes, 0);
    ck_assert_uint_eq(g_lab->pages, 0);
}
END_TEST

static int g_reads;

/* Between two pages a reader is answered, and sees whole pages only. */
static void read_between(lab *l)
{
    lab_node *tablet = &l->nodes[l->count - 1];
    if (tablet->node->core != NULL && tablet->online) {
        ck_assert_int_ge(lab_count(tablet, "{'from':'comment','limit':10000}"), 0);
        g_reads++;
    }
}

START_TEST(pitfall__a_long_download_is_stored_in_short_steps_and_read_meanwhile)
{
    for (int i = 0; i < 30; i++) {
        char batch[16384] = "[";
        for (int k = 0; k < 40; k++) {
            char id[40];
            size_t n = strlen(batch);
            lab_id(g_lab, id);
            (void)snprintf(batch + n, sizeof batch - n,
                           "%s{'op':'create','entity':'comment','id':'%s','space':'%s',"
                           "'fields':{'body':'%d'}}",
                           k == 0 ? "" : ",", id, g_space, i * 40 + k);
        }
        ck_assert_int_eq(lab_apply(g_ana, "%s]", batch), SL_OK);
    }
    lab_settle(g_lab, 2 * MINUTE);
    g_lab->page_max = 0;
    g_reads = 0;
    g_lab->on_page = read_between;
    lab_node *tablet = second_device("tablet", "ana@lab.test");
    lab_settle(g_lab, 2 * MINUTE);
    g_lab->on_page = NULL;
    ck_assert_int_eq(lab_count(tablet, "{'from':'comment','limit':10000}"), 1200);
    ck_assert_uint_le(g_lab->page_max, 500);
    ck_assert_int_ge(g_reads, 3);
}
END_TEST

/* Text that does not pack: half of what comes over the wire. */
static void noise(char *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ  "[sl_sim_dice(
            g_lab->sim, 64)];
    }
    out[n] = 0;
}

/* 2.4 MB are there for a device that answers slowly: no more than a MiB of pages, and one page over,
 * waits on the way, whatever the device's platform does with it. */
START_TEST(pitfall__a_long_download_has_a_bounded_part_under_way)
{
    char body[3501];
    char id[40];
    for (int i = 0; i < 700; i++) {
        noise(body, sizeof body - 1);
        comment(g_ana, body, id);
    }
    lab_settle(g_lab, 5 * MINUTE);
    lab_node *tablet = lab_device(g_lab, "tablet");
    g_lab->sim->faults = UINT32_C(1) << SL_FAULT_DELAY; /* seconds, now and then */
    lab_log_in(tablet, "ana@lab.test");
    ck_assert(tablet->op_ok);
    lab_settle(g_lab, 10 * MINUTE);
    ck_assert_int_eq(lab_count(tablet, "{'from':'comment','limit':10000}"), 700);
    ck_assert_uint_gt(tablet->node->on_way_max, 256 * 1024);
    ck_assert_uint_le(tablet->node->on_way_max, (1024 + 256) * 1024);
}
END_TEST

START_TEST(pitfall__a_deletion_wins_over_an_edit_made_offline_on_all_devices)
{
    char id[40];
    lab_node *tablet = second_device("tablet", "ana@lab.test");
    comment(g_ana, "here", id);
    lab_settle(g_lab, MINUTE);
    lab_online(tablet, false);
    lab_run(g_lab, SECOND);
    ck_assert_int_eq(lab_apply(tablet,
                               "[{'op':'patch','entity':'comment','id':'%s',"
                               "'fields':{'body':'edited'}}]",
                               id),
                     SL_OK);
    ck_assert_int_eq(lab_apply(g_ana, "[{'op':'delete','entity':'comment','id':'%s'}]", id), SL_OK);
    lab_settle(g_lab, MINUTE);
    lab_online(tablet, true);
    lab_settle(g_lab, MINUTE);
    ck_assert_int_eq(lab_count(tablet, "{'from':'comment'}"), 0);
    ck_assert_int_eq(lab_count(g_ana, "{'from':'comment'}"), 0);
    ck_assert_int_eq(lab_count(g_cleo, "{'from':'comment'}"), 0);
}
END_TEST

START_TEST(pitfall__children_follow_their_parent_in_one_offline_batch)
{
    char program[40];
    char item[40];
    lab_id(g_lab, program);
    lab_id(g_lab, item);
    lab_online(g_cleo, false);
    lab_run(g_lab, SECOND);
    ck_assert_int_eq(
        lab_apply(g_cleo,
                  "[{'op':'create','entity':'program','id':'%s','space':'program:%s',"
                  "'fields':{'title':'p'}},"
                  "{'op':'create','entity':'content_item','id':'%s','space':'program:%s',"
                  "'fields':{'kind':'text','title':'t'}},"
                  "{'op':'patch','entity':'content_item','id':'%s','fields':{'title':'u'}}]",
                  program, program, item, program, item),
        SL_OK);
    lab_online(g_cleo, true);
    lab_node *tablet = second_device("tablet", "cleo@lab.test");
    lab_settle(g_lab, MINUTE);
    ck_assert_uint_eq(g_cleo->rejected, 0);
    ck_assert_int_eq(lab_count(tablet, "{'from':'content_item','where':{'title':'u'}}"), 1);
}
END_TEST

START_TEST(pitfall__what_was_wiped_does_not_come_back_by_itself)
{
    char id[40];
    comment(g_cleo, "mine", id);
    lab_settle(g_lab, MINUTE);
    unshare();
    lab_settle(g_lab, MINUTE);
    for (int i = 0; i < 3; i++) {
        sl_sim_node_restart(g_cleo->node);
        lab_run(g_lab, 5 * SECOND);
        lab_settle(g_lab, MINUTE);
        ck_assert_int_eq(lab_count(g_cleo, "{'from':'comment'}"), 0);
        ck_assert_int_eq(lab_count(g_cleo, "{'from':'video'}"), 0);
    }
    ck_assert_int_eq(sl_session_logout(g_cleo->node->core, NULL), SL_OK);
    lab_log_in(g_cleo, "cleo@lab.test");
    lab_online(g_cleo, true); /* signing out went offline */
    lab_settle(g_lab, MINUTE);
    ck_assert_int_eq(lab_count(g_cleo, "{'from':'video'}"), 0);
    ck_assert_int_eq(lab_count(g_ana, "{'from':'comment'}"), 1);
}
END_TEST

START_TEST(pitfall__a_folder_of_one_user_lets_no_other_in_and_keeps_what_waits)
{
    lab_online(g_ana, false);
    lab_run(g_lab, SECOND);
    retitle(g_ana, "kept");
    ck_assert_int_eq(sl_session_logout(g_ana->node->core, NULL), SL_OK);
    lab_log_in(g_ana, "cleo@lab.test");
    ck_assert(!g_ana->op_ok);
    ck_assert_int_eq(g_ana->op_code, SL_E_CONFLICT);
    lab_log_in(g_ana, "ana@lab.test");
    ck_assert(g_ana->op_ok);
    title_is(g_ana, "kept");
    lab_online(g_ana, true);
    lab_settle(g_lab, MINUTE);
    title_is(g_cleo, "kept");
}
END_TEST

START_TEST(pitfall__a_clock_that_is_a_day_ahead_puts_in_again_what_it_took_out)
{
    static const char *const changes[] = {"remove", "add", "remove", "add"};
    char id[40];
    g_ana->node->host.wall_off_ms = DAY;
    lab_id(g_lab, id);
    for (int sent_at_once = 0; sent_at_once < 2; sent_at_once++) {
        lab_online(g_ana, sent_at_once == 0);
        if (sent_at_once == 0) {
            ck_assert_int_eq(lab_apply(g_ana,
                                       "[{'op':'create','entity':'favourite','id':'%s','space':"
                                       "'user:%s','fields':{'kind':'video','target_space':'s',"
                                       "'target_id':'%s','labels':{'add':['a']}}}]",
                                       id, g_ana->user, id),
                             SL_OK);
        }
        for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
            ck_assert_int_eq(lab_apply(g_ana,
                                       "[{'op':'patch','entity':'favourite','id':'%s','fields':"
                                       "{'labels':{'%s':['a']}}}]",
                                       id, changes[i]),
                             SL_OK);
        }
        lab_online(g_ana, true);
        lab_settle(g_lab, MINUTE);
        char labels[LAB_TEXT];
        lab_field(g_ana, "favourite", id, "labels", labels);
        ck_assert_str_eq(labels, "[\"a\"]");
    }
}
END_TEST

START_TEST(pitfall__a_clock_that_is_a_day_ahead_does_not_win_for_a_day)
{
    g_cleo->node->host.wall_off_ms = 0;
    g_ana->node->host.wall_off_ms = DAY;
    lab_node *tablet = second_device("tablet", "ana@lab.test");
    lab_settle(g_lab, MINUTE);
    lab_online(tablet, false); /* it hears of no stamp of tomorrow */
    lab_run(g_lab, SECOND);
    retitle(g_ana, "from tomorrow");
    lab_settle(g_lab, MINUTE);
    lab_run(g_lab, 2 * MINUTE);
    retitle(tablet, "two minutes later");
    lab_online(tablet, true);
    lab_settle(g_lab, MINUTE);
    title_is(g_ana, "two minutes later");
    title_is(g_cleo, "two minutes later");
}
END_TEST

START_TEST(pitfall__an_app_that_slept_for_a_day_wakes_up_whole)
{
    char id[40];
    comment(g_ana, "before sleep", id);
    lab_settle(g_lab, MINUTE);
    g_ana->node->step_at_ms = -1; /* no turn runs */
    sl_sim_net_cut_node(g_ana->node);
    g_lab->sim->server.host.wall_off_ms += DAY; /* tokens have ended */
    g_ana->node->host.wall_off_ms += DAY;
    g_ana->node->host.mono_start_ms += DAY;
    g_cleo->node->host.wall_off_ms += DAY;
    g_cleo->node->host.mono_start_ms += DAY;
    lab_run(g_lab, SECOND);
    comment(g_ana, "after sleep", id);
    lab_settle(g_lab, 2 * MINUTE);
    ck_assert_int_eq(lab_count(g_cleo, "{'from':'comment'}"), 2);
    ck_assert_uint_eq(g_ana->sign_outs, 0);
}
END_TEST

START_TEST(pitfall__one_poisoned_operation_blocks_nobody)
{
    char id[40];
    lab_online(g_ana, false);
    lab_run(g_lab, SECOND);
    lab_id(g_lab, id);
    ck_assert_int_eq(lab_apply(g_ana,
                               "[{'op':'create','entity':'connection','id':'%s','space':'user:%s',"
                               "'fields':{'peer_email':'nobody@lab.test'}}]",
                               id, g_ana->user),
                     SL_OK);
    comment(g_ana, "behind it", id);
    lab_online(g_ana, true);
    lab_settle(g_lab, MINUTE);
    ck_assert_uint_eq(g_ana->rejected, 1);
    ck_assert_str_eq(g_ana->reject_code, "SL_E_NOT_FOUND");
    ck_assert_int_eq(lab_count(g_cleo, "{'from':'comment'}"), 1);
}
END_TEST

START_TEST(pitfall__a_restored_server_gets_again_what_its_backup_does_not_know)
{
    char id[40];
    ck_assert(sl_sim_server_backup(g_lab->sim));
    g_lab->mute = g_ana->node;
    comment(g_ana, "never answered", id);
    lab_run(g_lab, SECOND);
    g_lab->mute = NULL;
    sl_sim_server_restore(g_lab->sim);
    lab_run(g_lab, 10 * SECOND);
    lab_settle(g_lab, 2 * MINUTE);
    ck_assert_int_eq(lab_count(g_cleo, "{'from':'comment'}"), 1);
    ck_assert_int_eq(lab_count(g_ana, "{'from':'comment'}"), 1);
}
END_TEST

/* The device is not sent what comes of its own operation: it stays in the outbox as accepted. */
static void accepted_unseen(lab_node *n, const char *space, const char *body)
{
    char id[40];
    g_lab->blind = n->node;
    (void)snprintf(g_lab->blind_to, sizeof g_lab->blind_to, "%s", space);
    lab_run(g_lab, SECOND);
    g_lab->ops = 0;
    lab_id(g_lab, id);
    ck_assert_int_eq(lab_apply(n,
                               "[{'op':'create','entity':'comment','id':'%s','space':'%s',"
                               "'fields':{'body':'%s'}}]",
                               id, space, body),
                     SL_OK);
    lab_run(g_lab, SECOND);
    ck_assert_uint_eq(g_lab->ops, 1);
    ck_assert(!lab_settled(n));
}

START_TEST(pitfall__what_a_server_accepted_and_lost_is_sent_again_under_numbers_taken_anew)
{
    char id[40];
    ck_assert(sl_sim_server_backup(g_lab->sim));
    accepted_unseen(g_cleo, g_space, "accepted, then lost");
    lab_online(g_cleo, false);
    sl_sim_server_restore(g_lab->sim);
    lab_run(g_lab, 10 * SECOND);
    g_lab->blind = NULL;
    for (int i = 0; i < 10; i++) { /* the number of the lost one is another's now */
        comment(g_ana, "meanwhile", id);
    }
    lab_settle(g_lab, MINUTE);
    lab_online(g_cleo, true);
    lab_settle(g_lab, MINUTE);
    ck_assert_int_eq(lab_count(g_cleo, "{'from':'comment'}"), 11);
    ck_assert_int_eq(lab_count(g_ana, "{'from':'comment'}"), 11);
}
END_TEST

START_TEST(pitfall__what_a_server_lost_is_sent_again_into_a_space_never_seen)
{
    char video[40];
    char space[SL_SPACE_MAX];
    char share[40];
    lab_video(g_ana, video, space);
    lab_settle(g_lab, MINUTE);
    g_lab->blind = g_cleo->node;
    (void)snprintf(g_lab->blind_to, sizeof g_lab->blind_to, "%s", space);
    lab_share(g_ana, space, g_cleo, share);
    lab_run(g_lab, SECOND);
    ck_assert(sl_sim_server_backup(g_lab->sim));
    accepted_unseen(g_cleo, space, "accepted, then lost");
    sl_sim_server_restore(g_lab->sim);
    g_lab->blind = NULL;
    lab_run(g_lab, 10 * SECOND);
    lab_settle(g_lab, MINUTE);
    ck_assert_int_eq(lab_count(g_cleo, "{'from':'comment'}"), 1);
    ck_assert_int_eq(lab_count(g_ana, "{'from':'comment'}"), 1);
}
END_TEST

/* The device hears of the grant neither when it is given nor before it is taken away. */
START_TEST(pitfall__what_was_accepted_where_one_is_let_in_no_more_waits_for_nothing)
{
    char video[40];
    char space[SL_SPACE_MAX];
    char share[40];
    char id[40];
    lab_video(g_ana, video, space);
    lab_settle(g_lab, MINUTE);
    g_lab->blind = g_cleo->node;
    g_lab->blind_live = true;
    (void)snprintf(g_lab->blind_to, sizeof g_lab->blind_to, "user:%s", g_cleo->user);
    lab_share(g_ana, space, g_cleo, share);
    lab_run(g_lab, SECOND);
    lab_id(g_lab, id);
    ck_assert_int_eq(lab_apply(g_cleo,
                               "[{'op':'create','entity':'comment','id':'%s','space':'%s',"
                               "'fields':{'body':'let in'}}]",
                               id, space),
                     SL_OK);
    lab_run(g_lab, SECOND);
    ck_assert_int_eq(lab_count(g_ana, "{'from':'comment'}"), 1);
    ck_assert_int_eq(lab_apply(g_ana, "[{'op':'delete','entity':'share','id':'%s'}]", share),
                     SL_OK);
    lab_run(g_lab, SECOND);
    g_lab->blind = NULL;
    lab_online(g_cleo, false);
    lab_run(g_lab, SECOND);
    lab_online(g_cleo, true);
    lab_settle(g_lab, MINUTE);
    ck_assert_int_eq(lab_count(g_ana, "{'from':'comment'}"), 1);
    ck_assert_int_eq(lab_count(g_cleo, "{'from':'comment'}"), 0);
    ck_assert_uint_eq(g_cleo->rejected, 0);
}
END_TEST

START_TEST(pitfall__devices_ahead_of_a_restored_server_agree_with_it)
{
    char id[40];
    ck_assert(sl_sim_server_backup(g_lab->sim));
    comment(g_ana, "lost with the disk", id);
    lab_settle(g_lab, MINUTE);
    sl_sim_server_restore(g_lab->sim);
    lab_online(g_ana, false); /* the other is back first and brings the number up again */
    lab_run(g_lab, 10 * SECOND);
    comment(g_cleo, "takes the same number", id);
    lab_run(g_lab, 20 * SECOND);
    lab_online(g_ana, true);
    lab_settle(g_lab, 2 * MINUTE);
    ck_assert_int_eq(lab_count(g_ana, "{'from':'comment'}"), 1);
    ck_assert_int_eq(lab_count(g_cleo, "{'from':'comment'}"), 1);
}
END_TEST

START_TEST(pitfall__a_full_disk_refuses_the_write_and_goes_on_when_freed)
{
    char id[40];
    sl_disk_set_full(g_ana->node->host.disk, true);
    sl_status status = SL_OK;
    for (int i = 0; i < 200 && status == SL_OK; i++) {
        lab_id(g_lab, id);
        status = lab_apply(g_ana,
                           "[{'op':'create','entity':'comment','id':'%s','space':'%s',"
                           "'fields':{'body':'fills the disk'}}]",
                           id, g_space);
    }
    ck_assert_int_eq(status, SL_E_FULL);
    int written = lab_count(g_ana, "{'from':'comment','limit':10000}");
    lab_run(g_lab, 5 * SECOND);
    sl_disk_set_full(g_ana->node->host.disk, false);
    comment(g_ana, "and on", id);
    lab_settle(g_lab, 2 * MINUTE);
    ck_assert_int_eq(lab_count(g_cleo, "{'from':'comment','limit':10000}"), written + 1);
}
END_TEST

SL_TEST_MAIN_WITH("pitfalls", set_up, tear_down,
                  pitfall__a_round_that_failed_is_tried_again_without_a_new_write,
                  pitfall__a_socket_that_died_without_a_word_does_not_wedge_the_queue,
                  pitfall__a_local_write_is_not_reverted_while_the_server_lags,
                  pitfall__the_cursor_is_never_ahead_of_the_data,
                  pitfall__a_new_grant_brings_what_is_older_than_it,
                  pitfall__revocation_takes_rows_and_files_and_says_what_it_refused,
                  pitfall__text_that_was_taken_away_cannot_be_read_from_the_files,
                  pitfall__a_file_damaged_on_its_way_is_fetched_again,
                  pitfall__what_an_upload_caused_is_here_when_all_is_settled,
                  pitfall__taken_away_and_given_again_while_offline_is_held_once_and_whole,
                  pitfall__a_write_that_ends_the_space_is_acknowledged_and_the_queue_goes_on,
                  pitfall__a_record_changed_120_times_costs_a_new_device_one_record,
                  pitfall__a_server_that_restarts_downloads_nothing_again,
                  pitfall__a_long_download_is_stored_in_short_steps_and_read_meanwhile,
                  pitfall__a_long_download_has_a_bounded_part_under_way,
                  pitfall__a_deletion_wins_over_an_edit_made_offline_on_all_devices,
                  pitfall__children_follow_their_parent_in_one_offline_batch,
                  pitfall__what_was_wiped_does_not_come_back_by_itself,
                  pitfall__a_folder_of_one_user_lets_no_other_in_and_keeps_what_waits,
                  pitfall__a_clock_that_is_a_day_ahead_puts_in_again_what_it_took_out,
                  pitfall__a_clock_that_is_a_day_ahead_does_not_win_for_a_day,
                  pitfall__an_app_that_slept_for_a_day_wakes_up_whole,
                  pitfall__one_poisoned_operation_blocks_nobody,
                  pitfall__a_restored_server_gets_again_what_its_backup_does_not_know,
                  pitfall__what_a_server_accepted_and_lost_is_sent_again_under_numbers_taken_anew,
                  pitfall__what_a_server_lost_is_sent_again_into_a_space_never_seen,
                  pitfall__what_was_accepted_where_one_is_let_in_no_more_waits_for_nothing,
                  pitfall__devices_ahead_of_a_restored_server_agree_with_it,
                  pitfall__a_full_disk_refuses_the_write_and_goes_on_when_freed)
