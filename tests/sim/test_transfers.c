/* Files, and what is asked of an account, whose way leads through networks that answer in the server's place. */
#include "lab.h"

#include "sideline/sync.h"
#include "support.h"
#include "world.h"

#include <string.h>

enum {
    SECOND = 1000,
    MINUTE = 60 * SECOND,
    CLIP = 700 * 1024 /* goes up in three parts */
};

static lab *g_lab;
static lab_node *g_ana; /* an athlete */
static lab_node *g_cleo;

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

/* How many bytes of its first transfer are across; -1: there is none. */
static int64_t done_of(lab_node *n)
{
    sl_bytes *out = NULL;
    ck_assert_int_eq(sl_core_info(n->node->core, "transfers", &out, NULL), SL_OK);
    sl_json *list = sl_json_parse((const char *)sl_bytes_data(out), sl_bytes_len(out));
    const sl_json *first = sl_json_first(list);
    int64_t done = first != NULL ? sl_json_int_or(first, "done", 0) : -1;
    sl_json_free(list);
    sl_bytes_release(out);
    return done;
}

/* Whatever the device asks for, a page of the network's own is the answer. */
static void portal(lab_node *n, int64_t ms)
{
    n->node->portal_until_ms = g_lab->sim->now_ms + ms;
    sl_sim_net_cut_node(n->node);
}

static void fetch(lab_node *n, const char *video)
{
    char hex[LAB_TEXT];
    lab_field(n, "video", video, "blob", hex);
    n->op_ended = false;
    ck_assert_int_eq(sl_blob_fetch(n->node->core, hex, &n->op, NULL), SL_OK);
    sl_sim_node_touched(n->node);
}

/* Fetches clips one after the other until the answer to one is cut in its middle. */
static int64_t fetch_half(void)
{
    for (int i = 0; i < 60; i++) {
        char video[40];
        char space[SL_SPACE_MAX];
        char share[40];
        lab_video(g_ana, video, space);
        lab_share(g_ana, space, g_cleo, share);
        g_lab->sim->faults = 0;
        lab_settle(g_lab, MINUTE);
        g_lab->sim->faults = UINT32_C(1) << SL_FAULT_ANSWER_CUT;
        fetch(g_cleo, video);
        while (!g_cleo->op_ended) {
            int64_t done = done_of(g_cleo);
            if (done > 0) {
                return done;
            }
            lab_run(g_lab, 20);
        }
        ck_assert(g_cleo->op_ok);
    }
    ck_abort_msg("no answer was cut in its middle");
    return 0;
}

START_TEST(portal__takes_nothing_of_a_download_that_it_comes_into)
{
    int64_t part = fetch_half();
    g_lab->sim->faults = 0;
    portal(g_cleo, MINUTE);
    lab_run(g_lab, MINUTE - SECOND);
    ck_assert(!g_cleo->op_ended);
    ck_assert_int_eq(done_of(g_cleo), part);
    lab_wait_op(g_cleo);
    ck_assert(g_cleo->op_ok);
}
END_TEST

START_TEST(portal__takes_nothing_of_an_upload_that_it_comes_into)
{
    static uint8_t clip[CLIP];
    char video[40];
    char space[SL_SPACE_MAX];
    sl_bytes *hex = NULL;
    lab_video(g_ana, video, space);
    lab_settle(g_lab, MINUTE);
    memset(clip, 0x5a, sizeof clip);
    ck_assert_int_eq(
        sl_blob_put(g_ana->node->core, space, clip, sizeof clip, "video/mp4", &hex, NULL), SL_OK);
    sl_bytes_release(hex);
    int64_t done = 0;
    for (int i = 0; i < 1000 && done <= 0; i++) {
        lab_run(g_lab, 20);
        done = done_of(g_ana);
    }
    ck_assert(done > 0 && done < CLIP);
    portal(g_ana, MINUTE);
    lab_run(g_lab, SECOND); /* what was under way when it came arrives */
    int64_t part = done_of(g_ana);
    lab_run(g_lab, MINUTE - 2 * SECOND);
    ck_assert_int_ge(part, done);
    ck_assert_int_eq(done_of(g_ana), part);
    lab_settle(g_lab, 2 * MINUTE);
    ck_assert_int_eq(done_of(g_ana), -1);
}
END_TEST

/* What is asked of the account of a device that is still signed in. */
static sl_status answer_to(lab_node *n, const char *json)
{
    n->op_ended = false;
    ck_assert_int_eq(sl_account_do(n->node->core, json, strlen(json), &n->op, NULL), SL_OK);
    sl_sim_node_touched(n->node);
    lab_wait_op(n);
    return n->op_ok ? SL_OK : n->op_code;
}

START_TEST(portal__is_not_believed_that_an_account_is_erased)
{
    static const char *const asked[] = {"{\"do\":\"erase\",\"password\":\"correct horse\"}",
                                        "{\"do\":\"logout_all\"}", "{\"do\":\"verify_mail\"}",
                                        "{\"do\":\"devices\"}", "{\"do\":\"recovery\"}"};
    portal(g_ana, MINUTE);
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        ck_assert_int_eq(answer_to(g_ana, asked[i]), SL_E_NETWORK);
        ck_assert_uint_eq(g_ana->sign_outs, 0);
    }
    g_ana->node->portal_until_ms = 0;
    lab_settle(g_lab, 2 * MINUTE);                       /* it is signed in, and there */
    ck_assert_int_eq(answer_to(g_ana, asked[2]), SL_OK); /* 202, and no text */
    ck_assert_int_eq(answer_to(g_ana, asked[3]), SL_OK);
    ck_assert_int_eq(answer_to(g_ana, asked[0]), SL_OK);
    ck_assert_uint_eq(g_ana->sign_outs, 1);
}
END_TEST

SL_TEST_MAIN_WITH("transfers", set_up, tear_down, portal__is_not_believed_that_an_account_is_erased,
                  portal__takes_nothing_of_a_download_that_it_comes_into,
                  portal__takes_nothing_of_an_upload_that_it_comes_into)
