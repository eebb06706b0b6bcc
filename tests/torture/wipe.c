/* Signing out and wiping the device: nothing of the user is left, or it is said that it failed, and the next try, or
 * the next opening of the folder, leaves nothing. */
#include "torture.h"

#include "engine/engine.h"
#include "store/folder.h"
#include "store/seal.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

enum {
    SECOND = 1000
};

static const char MARKER[] = "core/wiping";

/* --- what is there to be wiped -------------------------------------------------------------- */

void something_to_wipe(torture *t)
{
    lab_field(t->at, "video", t->video, "blob", t->hex);
    t->at->op_ended = false;
    ck_assert_int_eq(sl_blob_fetch(t->at->node->core, t->hex, &t->at->op, NULL), SL_OK);
    sl_sim_node_touched(t->at->node);
    lab_wait_op(t->at);
    ck_assert(t->at->op_ok);
}

/* --- wiping --------------------------------------------------------------------------------- */

static sl_status wipe_once(torture *t)
{
    sl_error *err = NULL;
    sl_config cfg = {
        .struct_size = sizeof cfg, .dir = "core", .platform = &t->at->node->host.platform};
    torture_in(t);
    sl_status status = sl_core_wipe(&cfg, &err);
    torture_out(t);
    torture_may(t, status);
    torture_need(t, (status == SL_OK) == (err == NULL) || status == SL_E_NOMEM,
                 "an error comes with a sentence");
    sl_sim_trace(t->l->sim, "%s is wiped: %s", t->at->node->host.name, sl_status_name(status));
    sl_error_release(err);
    return status;
}

void sign_out_and_wipe(torture *t)
{
    torture_in(t);
    sl_status status = sl_session_logout(t->at->node->core, NULL);
    torture_out(t);
    torture_may(t, status);
    sl_sim_node_close(t->at->node);
    t->acked = wipe_once(t) == SL_OK;
}

/* --- what is left --------------------------------------------------------------------------- */

static void no_name(void *ctx, const char *name)
{
    static const char *const kept[] = {"lock", "blobs", "tmp"};
    bool known = false;
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        known = known || strcmp(kept[i], name) == 0;
    }
    if (!known) {
        (void)fprintf(stderr, "%s is left\n", name);
    }
    torture_need(ctx, known, "all files are gone");
}

static void no_words(torture *t, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *path = sl_disk_holds(t->at->node->host.disk, words[i]);
        if (path != NULL) {
            (void)fprintf(stderr, "%s holds \"%s\"\n", path, words[i]);
        }
        torture_need(t, path == NULL, "nothing that can be read is left");
    }
}

/* Words of the clip, of records, of the session. */
static const char *const WORDS[] = {"clip ", "@lab.test", "refresh", "SQLite format 3"};

static void nothing_is_left(torture *t)
{
    static const char *const folders[] = {"core", "core/blobs", "core/tmp"};
    const sl_platform *p = &t->at->node->host.platform;
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        sl_status status = p->files->list(p->user, folders[i], no_name, t);
        ck_assert(status == SL_OK || status == SL_E_NOT_FOUND);
    }
    no_words(t, WORDS, sizeof WORDS / sizeof WORDS[0]);
}

/* Opens the folder: it is as new. */
static void opens_empty(torture *t)
{
    while (t->at->node->core == NULL) {
        lab_run(t->l, SECOND);
    }
    torture_need(t, !t->at->node->core->session.have, "nobody is signed in");
    torture_need(t, lab_count(t->at, "{'from':'video'}") == 0, "no record is left");
    no_words(t, WORDS, sizeof WORDS / sizeof WORDS[0] - 1); /* its database is new */
}

void wipe_again(torture *t)
{
    if (!t->acked) {
        torture_need(t, wipe_once(t) == SL_OK, "a later try succeeds");
    }
    nothing_is_left(t);
    sl_sim_node_open(t->at->node);
    opens_empty(t);
}

/* --- opening what was wiped in part --------------------------------------------------------- */

static bool is_marked(const torture *t)
{
    const sl_platform *p = &t->at->node->host.platform;
    return p->files->exists(p->user, MARKER) == 1;
}

/* A wipe that was cut short as soon as it had begun: all is to be done yet. */
void wipe_in_part(torture *t)
{
    something_to_wipe(t);
    sl_disk *disk = t->at->node->host.disk;
    sl_sim_node_close(t->at->node);
    for (uint64_t k = 1; !is_marked(t); k++) {
        (void)sl_disk_break(disk, k, true, SL_E_IO);
        ck_assert_int_eq(wipe_once(t), SL_E_IO);
        (void)sl_disk_break(disk, 0, false, SL_OK);
    }
}

/* What every opening does first. */
void open_after_wipe(torture *t)
{
    sl_error *err = NULL;
    sl_seal *seal = NULL;
    sl_keys keys = {t->l->sim->node_key, NULL};
    torture_in(t);
    sl_status status = sl_folder_prepare(&t->at->node->host.platform, "core", &keys, &seal, &err);
    torture_out(t);
    torture_may(t, status);
    torture_need(t, (status == SL_OK) == (err == NULL) || status == SL_E_NOMEM,
                 "an error comes with a sentence");
    t->acked = status == SL_OK;
    sl_error_release(err);
    sl_seal_free(seal);
}

void opened_after_wipe(torture *t)
{
    torture_need(t, !t->acked || !is_marked(t), "a wipe that began is ended first");
    sl_sim_node_open(t->at->node);
    opens_empty(t);
}
