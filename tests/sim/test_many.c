/* A device that comes to an account with many conversations. */
#include "engine/engine.h"
#include "platform/sim/disk.h"
#include "sideline/chat.h"
#include "support.h"
#include "talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    THREADS = 200,
    AT_ONCE = 20
};

/* The coach makes a group with the athlete and says something in it. */
static void make_group(int i)
{
    char json[200];
    char id[40];
    sl_bytes *out = NULL;
    int n = snprintf(json, sizeof json, "{\"title\":\"Group %d\",\"members\":[\"%s\"]}", i,
                     g_ana->user);
    ck_assert_int_eq(sl_chat_group(g_cleo->node->core, json, (size_t)n, &out, NULL), SL_OK);
    sl_json *j = taken(out);
    (void)snprintf(g_thread, sizeof g_thread, "%s", sl_json_str(j, "thread"));
    sl_json_free(j);
    says(g_cleo, "hello", id);
}

static void make_groups(void)
{
    for (int i = 0; i < THREADS; i++) {
        make_group(i);
        if (i % AT_ONCE == AT_ONCE - 1) {
            lab_settle(g_lab, HOUR);
        }
    }
}

/* Another device of the athlete reads all: how often it waits for its disk. */
static uint64_t syncs_of_first_read(void)
{
    lab_node *late = lab_device(g_lab, "late");
    uint64_t before = sl_disk_syncs(late->node->host.disk);
    lab_log_in(late, "ana@lab.test");
    ck_assert(late->op_ok);
    lab_settle(g_lab, HOUR);
    ck_assert_int_eq(lab_count(late, "{'from':'message','where':{'kind':'text'},'limit':1000}"),
                     THREADS);
    uint64_t syncs = sl_disk_syncs(late->node->host.disk) - before;
    if (getenv("SL_TEST_TELLS") != NULL) {
        printf("%d threads: %d syncs\n", THREADS, (int)syncs);
    }
    return syncs;
}

START_TEST(many__first_reads_of_threads_share_their_syncs)
{
    make_groups();
    ck_assert_uint_lt(syncs_of_first_read(), THREADS / 10);
}
END_TEST

static bool (*g_pass)(void *ctx, const sl_sim_node *node, bool to_server, const char *text,
                      size_t n);
static unsigned g_pushed;

/* What is sent is durable. */
static bool pass(void *ctx, const sl_sim_node *node, bool to_server, const char *text, size_t n)
{
    bool ops = to_server && strstr(text, "\"delivered\"") != NULL;
    g_pushed += ops ? 1 : 0;
    ck_assert(!ops || !sl_store_is_soft(node->core->store));
    return g_pass(ctx, node, to_server, text, n);
}

/* Nothing of it has reached the athlete yet: that it has now is noted in each. */
START_TEST(many__first_reads_of_threads_with_news_share_their_syncs)
{
    lab_online(g_ana, false);
    make_groups();
    g_pass = g_lab->sim->pass;
    g_lab->sim->pass = pass;
    uint64_t syncs = syncs_of_first_read();
    ck_assert_uint_gt(g_pushed, 0);
    ck_assert_uint_lt(syncs, THREADS + THREADS / 4); /* each echo is synced by itself */
}
END_TEST

SL_TEST_MAIN_WITH("sim_many", set_up, tear_down, many__first_reads_of_threads_share_their_syncs,
                  many__first_reads_of_threads_with_news_share_their_syncs)
