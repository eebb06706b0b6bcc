/* Operations that end when something has come about: all is settled, a blob is here. */
#include "engine/engine.h"

#include "base/error.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

enum {
    PROGRESS_MS = 100 /* between two of an operation's events */
};

/* What all waiters of one turn ask for, computed when the first one does. */
typedef struct facts {
    bool known;
    bool settled;
    int64_t left; /* bytes, -1: not to be told now */
} facts;

static sl_status add(sl_core *core, bool settle, const char *hex, sl_id *op, sl_error **err)
{
    sl_waiter *w = sl_mem(sizeof *w);
    sl_id id = w != NULL ? sl_events_op(core->events) : 0;
    if (id == 0) {
        sl_mem_free(w);
        return sl_fail_nomem(err);
    }
    w->op = id;
    w->settle = settle;
    (void)snprintf(w->hex, sizeof w->hex, "%s", hex);
    w->next = core->waiters;
    core->waiters = w;
    *op = id;
    sl_engine_kick(core);
    return SL_OK;
}

static void drop(sl_core *core, sl_waiter *w)
{
    sl_waiter **at = &core->waiters;
    while (*at != w) {
        at = &(*at)->next;
    }
    *at = w->next;
    sl_mem_free(w);
}

sl_status sl_wait_settled(sl_core *core, sl_id *op, sl_error **err)
{
    if (!core->session.have) {
        return sl_fail(err, SL_E_AUTH, "nobody is signed in here");
    }
    sl_status status = add(core, true, "", op, err);
    if (status == SL_OK && !core->want_online) {
        sl_online_want(core, true);
    }
    return status;
}

static sl_json *blob_facts(sl_core *core, const char *hex)
{
    sl_json *res = sl_json_object();
    bool ok = res != NULL && sl_json_set_str(res, "sha256", hex) &&
              sl_json_set_int(res, "size", sl_store_blob_size(core->store, hex));
    if (!ok) {
        sl_json_free(res);
        return NULL;
    }
    return res;
}

sl_status sl_wait_blob(sl_core *core, const char *hex, sl_id *op, sl_error **err)
{
    bool here = sl_store_blob_size(core->store, hex) >= 0;
    if (!here && !core->want_online) {
        return sl_fail(err, SL_E_NETWORK, "the file is not on this device and the core is offline");
    }
    sl_status status = here ? SL_OK : sl_transfers_fetch(core, hex, err);
    return status == SL_OK ? add(core, false, hex, op, err) : status;
}

void sl_waiters_blob(sl_core *core, const char *hex, sl_status status, const char *message)
{
    sl_waiter *w = core->waiters;
    while (w != NULL) {
        sl_waiter *next = w->next;
        if (!w->settle && strcmp(w->hex, hex) == 0) {
            if (status == SL_OK) {
                sl_events_op_done(core->events, w->op, blob_facts(core, hex));
            } else {
                sl_events_op_failed(core->events, w->op, status, message);
            }
            drop(core, w);
        }
        w = next;
    }
    sl_signal(core->lock); /* jobs wait for blobs on the core's lock */
}

/* What has come is here for good, too. */
static bool settled(sl_core *core)
{
    sl_outbox_state outbox;
    return sl_sync_settled(core->sync) && sl_store_outbox(core->store, &outbox, NULL) == SL_OK &&
           outbox.empty && sl_transfers_settled(core) &&
           sl_store_harden(core->store, NULL) == SL_OK;
}

static void learn(sl_core *core, facts *f, int64_t now_ms)
{
    if (f->known) {
        return;
    }
    f->known = true;
    f->settled = settled(core);
    f->left = -1;
    if (now_ms >= core->progress_at_ms) {
        core->progress_at_ms = now_ms + PROGRESS_MS;
        f->left = sl_transfers_bytes_left(core);
    }
}

static void progress(sl_core *core, sl_waiter *w, int64_t left)
{
    if (left > w->total) {
        w->total = left;
    }
    if (w->total > 0) {
        sl_events_progress(core->events, w->op, w->total - left, w->total);
    }
}

/* True when the waiter's operation has ended. */
static bool run_one(sl_core *core, sl_waiter *w, facts *f, int64_t now_ms)
{
    if (sl_events_op_cancelled(core->events, w->op)) {
        sl_events_op_failed(core->events, w->op, SL_E_CANCELLED, "cancelled");
        return true;
    }
    if (!w->settle && sl_store_blob_size(core->store, w->hex) >= 0) {
        sl_events_op_done(core->events, w->op, blob_facts(core, w->hex));
        return true;
    }
    if (!core->session.have) {
        sl_events_op_failed(core->events, w->op, SL_E_AUTH, "the session has ended: sign in again");
        return true;
    }
    if (!core->want_online) {
        sl_events_op_failed(core->events, w->op, SL_E_CANCELLED, "sync was stopped");
        return true;
    }
    if (!w->settle) {
        return false;
    }
    learn(core, f, now_ms);
    if (f->left >= 0) {
        progress(core, w, f->left);
    }
    if (f->settled) {
        sl_events_op_done(core->events, w->op, NULL);
        return true;
    }
    return false;
}

void sl_waiters_run(sl_core *core, int64_t now_ms)
{
    facts f = {.known = false};
    sl_waiter *w = core->waiters;
    while (w != NULL) {
        sl_waiter *next = w->next;
        if (run_one(core, w, &f, now_ms)) {
            drop(core, w);
        }
        w = next;
    }
}

void sl_waiters_stop(sl_core *core)
{
    while (core->waiters != NULL) {
        drop(core, core->waiters);
    }
}
