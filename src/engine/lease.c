/*
 * The lease of what others let the user see: a video or program of somebody else's is played for so long
 * after the device last had the space as the server has it, for by then it may have been taken away. What
 * is the user's own, or waits here to be sent, has no lease.
 *
 * Time is the device's wall clock, and never less than it was seen to be since the server was last heard of:
 * setting it back gains nothing. One that was ahead of the server's when that was is taken to have been right
 * then.
 */
#include "engine/engine.h"

#include "base/error.h"
#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define SEEN "lease" /* the fact: the highest time seen, and how far the clock was ahead */

enum {
    LEASE_S = 7 * 24 * 60 * 60,
    KEEP_MS = 60 * 60 * 1000, /* so exactly it is known when spaces were at their heads */
    FIRST_MS = 10 * 1000      /* after a connection is there */
};

static const char SENTENCE[] =
    "this belongs to somebody else and the server was not heard of for more than 7 days:"
    " connect once to see it again";

sl_status sl_lease_load(sl_core *core, sl_error **err)
{
    char *text = NULL;
    sl_status status = sl_store_meta(core->store, SEEN, &text, err);
    char *behind = NULL;
    core->lease_seen_ms = text != NULL ? strtoll(text, &behind, 10) : 0;
    core->lease_ahead_ms = behind != NULL ? strtoll(behind, NULL, 10) : 0;
    core->lease_kept_ms = core->lease_seen_ms;
    sl_mem_free(text);
    return status;
}

static sl_status keep(sl_core *core, sl_error **err)
{
    char text[48];
    (void)snprintf(text, sizeof text, "%" PRId64 " %" PRId64, core->lease_seen_ms,
                   core->lease_ahead_ms);
    core->lease_kept_ms = core->lease_seen_ms;
    return sl_store_set_meta(core->store, SEEN, text, err);
}

sl_status sl_lease_heard(sl_core *core, sl_error **err)
{
    int64_t wall_ms = sl_engine_wall(core);
    int64_t ahead_ms = wall_ms - sl_engine_server_ms(core);
    core->lease_ahead_ms = ahead_ms > 0 ? ahead_ms : 0;
    core->lease_seen_ms = wall_ms - core->lease_ahead_ms;
    return keep(core, err);
}

/* The clock, which does not go back. What it is now is kept sometimes, so that a restart forgets little. */
static int64_t clock_of(sl_core *core)
{
    int64_t wall_ms = sl_engine_wall(core);
    if (wall_ms > core->lease_seen_ms) {
        core->lease_seen_ms = wall_ms;
    }
    if (core->lease_seen_ms - core->lease_kept_ms >= KEEP_MS) {
        (void)keep(core, NULL);
    }
    return core->lease_seen_ms;
}

sl_status sl_lease_over(sl_core *core, const char *space, bool *over, sl_error **err)
{
    sl_relation relation = SL_REL_OWN;
    int64_t as_of_ms = 0;
    *over = false;
    if (sl_sync_live(core->sync, space)) {
        return SL_OK;
    }
    sl_status status = sl_can_relation(core, space, &relation, err);
    if (status != SL_OK || (relation != SL_REL_STUDENT && relation != SL_REL_GIVEN)) {
        return status;
    }
    status = sl_store_space_as_of(core->store, space, &as_of_ms, err);
    *over = status == SL_OK &&
            clock_of(core) - (as_of_ms - core->lease_ahead_ms) > INT64_C(1000) * LEASE_S;
    return status;
}

typedef struct naming {
    sl_core *core;
    bool open; /* in a space where it may be seen */
    bool over; /* in one where it may not */
    sl_error **err;
} naming;

static sl_status look_at(void *ctx, const char *space)
{
    naming *n = ctx;
    bool over = false;
    sl_status status = n->open ? SL_OK : sl_lease_over(n->core, space, &over, n->err);
    n->open = n->open || !over;
    n->over = n->over || over;
    return status;
}

sl_status sl_lease_open(sl_core *core, const char *hex, sl_blob_in **out, sl_error **err)
{
    naming n = {.core = core, .err = err};
    bool old = false;
    int64_t limit_ms = clock_of(core) + core->lease_ahead_ms - INT64_C(1000) * LEASE_S;
    *out = NULL;
    sl_status status = sl_store_space_older(core->store, limit_ms, &old, err);
    if (status == SL_OK && old) {
        status = sl_store_blob_spaces(core->store, hex, look_at, &n, err);
    }
    if (status == SL_OK && n.over && !n.open) {
        status = sl_fail(err, SL_E_DENIED, "%s", SENTENCE);
    }
    return status == SL_OK ? sl_store_blob_open(core->store, hex, out, err) : status;
}

int64_t sl_lease_turn(sl_core *core, int64_t now_ms)
{
    if (sl_sync_state_of(core->sync) != SL_SYNC_ONLINE) {
        core->lease_turn_ms = 0;
        return -1;
    }
    if (core->lease_turn_ms == 0) {
        core->lease_turn_ms = now_ms + FIRST_MS;
    } else if (now_ms >= core->lease_turn_ms) {
        core->lease_turn_ms = now_ms + KEEP_MS;
        sl_status_seen(core);
    }
    return core->lease_turn_ms;
}
