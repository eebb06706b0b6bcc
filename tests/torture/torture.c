/*
 * test_torture [SCENARIO]: every allocation and file operation of each scenario fails in turn, in folders
 * in the clear and in sealed ones.
 * SL_TORTURE_STRIDE: only every so many (37); 1 is the whole torture.
 */
#include "torture.h"

#include "base/mem.h"
#include "engine/engine.h"
#include "sideline/sync.h"
#include "sim/world.h"
#include "support.h"

#include <inttypes.h>
#include <malloc.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

enum {
    STRIDE = 37,
    SECOND = 1000,
    MINUTE = 60000
};

static const char *const NAMES[TROUBLES] = {"an allocation fails",    "allocations fail from",
                                            "a file operation fails", "file operations fail from",
                                            "the disk is full at",    "the disk is full from"};

static uint64_t g_stride = STRIDE;
static const char *g_only;
static uint64_t g_runs;

/* --- allocations of outside libraries ------------------------------------------------------ */

/* SQLite wants to know the size of a block; eight bytes in front keep its alignment. */
static void *lite_malloc(int n)
{
    int64_t *p = sl_mem((size_t)n + sizeof *p);
    if (p == NULL) {
        return NULL;
    }
    *p = n;
    return p + 1;
}

static void lite_free(void *p)
{
    sl_mem_free((int64_t *)p - 1);
}

static void *lite_resize(void *old, int n)
{
    int64_t *p = sl_mem_resize((int64_t *)old - 1, (size_t)n + sizeof *p, 1);
    if (p == NULL) {
        return NULL;
    }
    *p = n;
    return p + 1;
}

static int lite_size(void *p)
{
    return p != NULL ? (int)((int64_t *)p)[-1] : 0;
}

static int lite_round(int n)
{
    return (n + 7) & ~7;
}

static int lite_start(void *ctx)
{
    (void)ctx;
    return SQLITE_OK;
}

static void lite_stop(void *ctx)
{
    (void)ctx;
}

static bool hook_libraries(void)
{
    static const sqlite3_mem_methods methods = {lite_malloc, lite_free,  lite_resize, lite_size,
                                                lite_round,  lite_start, lite_stop,   NULL};
    return sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) == SQLITE_OK;
}

/* --- trouble ------------------------------------------------------------------------------ */

static bool of_memory(const torture *t)
{
    return t->kind == NO_MEMORY || t->kind == NO_MEMORY_FROM_THEN;
}

static bool for_ever(const torture *t)
{
    return t->kind == NO_MEMORY_FROM_THEN || t->kind == BAD_FILE_FROM_THEN ||
           t->kind == FULL_DISK_FROM_THEN;
}

static void guard(void *ctx, const sl_sim_node *node, bool in)
{
    torture *t = ctx;
    if (!t->armed || !of_memory(t) || node != t->at->node) {
        return;
    }
    if (in) {
        uint64_t left = t->k > t->used ? t->k - t->used : for_ever(t) ? 1 : 0;
        (void)sl_mem_fail_at(left, for_ever(t));
    } else {
        t->used += sl_mem_fail_at(0, false);
    }
}

void torture_in(torture *t)
{
    guard(t, t->at->node, true);
}

void torture_out(torture *t)
{
    guard(t, t->at->node, false);
}

static void arm(torture *t)
{
    sl_status status = t->kind == BAD_FILE || t->kind == BAD_FILE_FROM_THEN ? SL_E_IO : SL_E_FULL;
    t->used = 0;
    t->armed = true;
    if (!of_memory(t)) {
        (void)sl_disk_break(t->at->node->host.disk, t->k, for_ever(t), status);
    }
}

/* True when there was as much to do as to reach the trouble. */
static bool disarm(torture *t)
{
    t->armed = false;
    if (!of_memory(t)) {
        t->used = sl_disk_break(t->at->node->host.disk, 0, false, SL_OK);
    }
    return t->used >= t->k;
}

void torture_need(const torture *t, bool ok, const char *what)
{
    ck_assert_msg(ok, "%s %" PRIu64 ": %s", NAMES[t->kind], t->k, what);
}

void torture_may(torture *t, sl_status status)
{
    bool may = status == SL_OK || status == SL_E_NOMEM || status == SL_E_IO ||
               status == SL_E_FULL || status == SL_E_NETWORK || status == SL_E_CLOSED;
    if (!may) {
        ck_abort_msg("%s %" PRIu64 ": %s", NAMES[t->kind], t->k, sl_status_name(status));
    }
}

/* --- rounds ------------------------------------------------------------------------------- */

static const uint8_t NODE_KEY[32] = {0x70, 0xa7};

static torture *begin(bool sealed)
{
    torture *t = sl_mem(sizeof *t);
    ck_assert_ptr_nonnull(t);
    t->l = lab_open();
    t->l->sim->node_key = sealed ? NODE_KEY : NULL;
    lab_connected(t->l, &t->ana, &t->cleo);
    lab_video(t->ana, t->video, t->space);
    lab_share(t->ana, t->space, t->cleo, t->share);
    lab_id(t->l, t->goal);
    lab_id(t->l, t->program);
    ck_assert_int_eq(lab_apply(t->ana,
                               "[{'op':'create','entity':'goal','id':'%s','space':'user:%s',"
                               "'fields':{'title':'run'}}]",
                               t->goal, t->ana->user),
                     SL_OK);
    ck_assert_int_eq(lab_apply(t->cleo,
                               "[{'op':'create','entity':'program','id':'%s','space':'program:%s',"
                               "'fields':{'title':'p'}}]",
                               t->program, t->program),
                     SL_OK);
    lab_settle(t->l, MINUTE);
    t->l->sim->guard = guard;
    t->l->sim->guard_ctx = t;
    return t;
}

static bool one_round(torture *t, const scenario *s)
{
    t->round++;
    t->acked = false;
    t->id[0] = 0;
    if (s->ready != NULL) {
        s->ready(t);
    }
    sl_sim_trace(t->l->sim, "%s: %s %d", s->name, NAMES[t->kind], (int)t->k);
    arm(t);
    s->act(t);
    bool struck = disarm(t);
    if (s->mend != NULL) {
        s->mend(t);
    }
    while (t->at->node->core == NULL) { /* what could not be opened is tried again */
        lab_run(t->l, SECOND);
    }
    if (!t->at->node->core->session.have) {
        lab_log_in(t->at, t->at->email);
        torture_need(t, t->at->op_ok, "signing in again mends the session");
    }
    lab_online(t->ana, true);
    lab_online(t->cleo, true);
    lab_settle(t->l, 3 * MINUTE);
    if (s->check != NULL) {
        s->check(t);
    }
    g_runs++;
    return struck;
}

static void run(const scenario *s, bool sealed)
{
    torture *t = begin(sealed);
    t->at = s->at_coach ? t->cleo : t->ana;
    for (int kind = 0; kind < TROUBLES; kind++) {
        uint64_t k = 1 + (g_stride > 1 ? (uint64_t)kind * 7 % g_stride : 0);
        bool struck = true;
        for (; struck; k += g_stride) {
            t->kind = (trouble)kind;
            t->k = k;
            struck = one_round(t, s);
        }
    }
    lab_close(t->l);
    sl_mem_free(t);
}

START_TEST(torture__every_failure_is_an_error_and_the_next_try_succeeds)
{
    const scenario *s = &scenarios[(size_t)_i % scenario_count];
    bool sealed = (size_t)_i >= scenario_count;
    if (g_only == NULL || strcmp(g_only, s->name) == 0) {
        uint64_t before = g_runs;
        run(s, sealed);
        printf("%s%s: %" PRIu64 " runs\n", s->name, sealed ? ", sealed" : "", g_runs - before);
        (void)fflush(stdout);
    }
}
END_TEST

int main(int argc, char **argv)
{
    const char *stride = getenv("SL_TORTURE_STRIDE");
    g_stride = stride != NULL ? strtoull(stride, NULL, 10) : STRIDE;
    g_stride = g_stride > 0 ? g_stride : STRIDE;
    g_only = argc > 1 ? argv[1] : NULL;
    (void)mallopt(M_MMAP_THRESHOLD, 256 << 20);
    (void)mallopt(M_TRIM_THRESHOLD, 1 << 30);
    if (!hook_libraries() || !run_init()) {
        return EXIT_FAILURE;
    }
    Suite *suite = suite_create("torture");
    TCase *tcase = tcase_create("torture");
    tcase_set_timeout(tcase, 0);
    tcase_add_loop_test(tcase, torture__every_failure_is_an_error_and_the_next_try_succeeds, 0,
                        2 * (int)scenario_count);
    suite_add_tcase(suite, tcase);
    int code = sl_test_run(suite);
    run_done();
    return code;
}
