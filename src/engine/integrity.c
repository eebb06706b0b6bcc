/* Whether a space is here as the server has it, by their sums, at the head. */
#include "engine/engine.h"

#include "base/json.h"

#include <string.h>

enum {
    HEAL_MS = 60 * 60 * 1000,      /* not more often */
    COUNT_MS = 24 * 60 * 60 * 1000 /* so often the records themselves are looked at */
};

/* Less than `span` lies between: the wall clock may have been set back. */
static bool recent(int64_t at_ms, int64_t now_ms, int64_t span_ms)
{
    return at_ms != 0 && now_ms - at_ms < span_ms && at_ms - now_ms < span_ms;
}

static sl_status in_transaction(sl_core *core, const char *space, int64_t wall_ms,
                                sl_status (*fn)(sl_store *, const char *, int64_t, sl_error **))
{
    sl_status status = sl_kept_commit(core);
    if (status == SL_OK) {
        status = sl_store_begin(core->store, NULL);
    }
    if (status == SL_OK) {
        status = fn(core->store, space, wall_ms, NULL);
        if (status == SL_OK) {
            return sl_store_commit(core->store, NULL);
        }
        sl_store_rollback(core->store);
    }
    return status;
}

static void tell(sl_core *core, const char *space, bool healed)
{
    sl_json *event = sl_json_object();
    bool ok = event != NULL && sl_json_set_str(event, "ev", "integrity") &&
              sl_json_set_str(event, "space", space) && sl_json_set_bool(event, "healed", healed);
    core->differed++;
    if (ok) {
        sl_events_push(core->events, event);
    } else {
        sl_json_free(event);
    }
}

/* Heals, unless that was tried a while ago. */
static bool heal(sl_core *core, const char *space, const sl_space_sum *here)
{
    int64_t wall_ms = sl_engine_wall(core);
    /* Noted first: whatever comes of it, this is not tried again and again. */
    bool heals = !recent(here->healed_ms, wall_ms, HEAL_MS) &&
                 in_transaction(core, space, wall_ms, sl_store_sum_healed) == SL_OK;
    tell(core, space, heals);
    return heals;
}

bool sl_integrity_due(sl_core *core, const char *space)
{
    sl_space_sum here;
    return sl_store_sum(core->store, space, &here, NULL) == SL_OK && here.whole &&
           !recent(here.counted_ms, sl_engine_wall(core), COUNT_MS);
}

bool sl_integrity_held_differs(sl_core *core, const char *space, const char *holes, uint64_t sum)
{
    sl_space_sum here;
    sl_holes now;
    char text[SL_HOLES_TEXT];
    uint64_t held = 0;
    sl_status status = sl_store_sum(core->store, space, &here, NULL);
    if (status == SL_OK) {
        status = sl_store_holes(core->store, space, &now, NULL);
    }
    sl_holes_print(text, &now);
    if (status != SL_OK || !here.whole || holes == NULL || strcmp(holes, text) != 0) {
        return false; /* they have changed meanwhile: asked for at the next head */
    }
    if (sl_store_sum_held(core->store, space, &held, NULL) != SL_OK) {
        return false;
    }
    if (held == sum) {
        (void)in_transaction(core, space, sl_engine_wall(core), sl_store_sum_begun);
        return false;
    }
    return heal(core, space, &here);
}

bool sl_integrity_differs(sl_core *core, const char *space, uint64_t sum)
{
    sl_space_sum here;
    sl_holes holes;
    int64_t wall_ms = sl_engine_wall(core);
    sl_status status = sl_store_holes(core->store, space, &holes, NULL);
    if (status != SL_OK || holes.n > 0) {
        return false; /* the server's is of all */
    }
    status = sl_store_sum(core->store, space, &here, NULL);
    if (status == SL_OK && here.whole && !recent(here.counted_ms, wall_ms, COUNT_MS)) {
        status = in_transaction(core, space, wall_ms, sl_store_sum_count);
        status = status == SL_OK ? sl_store_sum(core->store, space, &here, NULL) : status;
    }
    if (status != SL_OK || !here.whole || here.sum == sum) {
        return false; /* what cannot be read now is compared at the next head */
    }
    return heal(core, space, &here);
}
