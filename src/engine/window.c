/*
 * Spaces that are held in part (sync/holes.h): what an app asks to be loaded, and whether what is held
 * is right.
 *
 * An operation asks when the space is at the head; an answer that came while it was not is thrown away,
 * and asked for again when it is.
 */
#include "engine/engine.h"

#include "base/error.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

struct sl_load {
    sl_id op;
    char space[SL_SPACE_MAX];
    char id[SL_UUID_LEN + 1]; /* of what it is about */
    sl_window_way way;
    int64_t place; /* of that, when it is older or newer ones that are wanted */
    int64_t limit;
    sl_id ws; /* the connection on which it was asked for; 0: not yet */
    sl_load *next;
};

static void drop(sl_core *core, sl_load *l)
{
    sl_load **at = &core->loads;
    while (*at != l) {
        at = &(*at)->next;
    }
    *at = l->next;
    sl_mem_free(l);
}

void sl_window_stop(sl_core *core)
{
    while (core->loads != NULL) {
        drop(core, core->loads);
    }
}

/* --- where the holes are --------------------------------------------------------------------- */

/* The place of a record that is here; SL_JSON_INT_MAX: not accepted yet, behind all others. */
static sl_status place_of(sl_core *core, const char *space, const char *id, int64_t *out,
                          sl_error **err)
{
    sl_record rec = {0};
    sl_status status = SL_E_NOT_FOUND;
    for (size_t i = 0; status == SL_E_NOT_FOUND && i < sl_entity_count; i++) {
        const sl_entity *e = &sl_entities[i];
        if (e->place_field < 0 || !sl_space_is(space, e->space_kind)) {
            continue;
        }
        status = sl_store_record(core->store, e, id, &rec, err);
        if (status == SL_OK && (rec.entity == NULL || strcmp(rec.space, space) != 0)) {
            status = SL_E_NOT_FOUND;
        } else if (status == SL_OK) {
            *out = sl_cell_int_or(&rec.values[e->place_field], SL_JSON_INT_MAX);
        }
    }
    sl_record_free(&rec);
    return status == SL_E_NOT_FOUND
               ? sl_fail(err, status, "there is no such message of this thread on this device")
               : status;
}

/* The part of the nearest hole in that direction that is nearest. False: there is none. */
static bool nearest(const sl_holes *holes, sl_window_way way, int64_t place, sl_hole *out)
{
    bool older = way == SL_WINDOW_OLDER;
    for (size_t i = 0; i < holes->n; i++) {
        const sl_hole *h = &holes->at[older ? holes->n - 1 - i : i];
        if (older && h->above < place) {
            *out = (sl_hole){h->above, h->upto < place ? h->upto : place};
            return true;
        }
        if (!older && h->upto > place) {
            *out = (sl_hole){h->above >= place ? h->above : place - 1, h->upto};
            return true;
        }
    }
    return false;
}

sl_status sl_window_gaps(sl_core *core, const char *space, sl_bytes **out, sl_error **err)
{
    sl_holes holes;
    sl_space held;
    sl_buf b = {0};
    sl_status status = sl_store_space(core->store, space, &held, err);
    if (status == SL_OK) {
        status = sl_store_holes(core->store, space, &holes, err);
    }
    if (status != SL_OK) {
        return status;
    }
    sl_buf_u8(&b, '[');
    for (size_t i = 0; i < holes.n; i++) {
        sl_buf_fmt(&b, "%s{\"above\":%lld,\"upto\":%lld}", i > 0 ? "," : "",
                   (long long)holes.at[i].above, (long long)holes.at[i].upto);
    }
    sl_buf_u8(&b, ']');
    *out = sl_buf_bytes(&b);
    return *out != NULL ? SL_OK : sl_fail_nomem(err);
}

/* --- operations ------------------------------------------------------------------------------ */

static sl_json *result_of(int64_t count, bool more)
{
    sl_json *res = sl_json_object();
    if (res == NULL || !sl_json_set_int(res, "loaded", count) ||
        !sl_json_set_bool(res, "more", more)) {
        sl_json_free(res);
        return NULL;
    }
    return res;
}

/* Whether there is more to be loaded in the same direction; around: at all. */
static bool more_of(const sl_load *l, const sl_holes *holes)
{
    sl_hole next;
    return l->way == SL_WINDOW_AROUND ? holes->n > 0 : nearest(holes, l->way, l->place, &next);
}

static void end(sl_core *core, sl_load *l, int64_t count)
{
    sl_holes holes;
    bool known = sl_store_holes(core->store, l->space, &holes, NULL) == SL_OK;
    sl_events_op_done(core->events, l->op, result_of(count, !known || more_of(l, &holes)));
    drop(core, l);
}

static void fail(sl_core *core, sl_load *l, sl_status status, const char *message)
{
    sl_events_op_failed(core->events, l->op, status, message);
    drop(core, l);
}

static sl_status check(sl_core *core, const char *space, const char *id, sl_load *l, sl_error **err)
{
    sl_space held;
    sl_holes holes;
    sl_status status = sl_store_space(core->store, space, &held, err);
    l->place = SL_JSON_INT_MAX;
    if (status == SL_OK && id != NULL && l->way != SL_WINDOW_AROUND) {
        status = place_of(core, space, id, &l->place, err);
    }
    if (status == SL_OK) {
        status = sl_store_holes(core->store, space, &holes, err);
    }
    if (status == SL_OK && !core->want_online && more_of(l, &holes)) {
        status = sl_fail(err, SL_E_NETWORK,
                         "these messages are not on this device and the core is offline");
    }
    return status;
}

sl_status sl_window_load(sl_core *core, const char *space, sl_window_way way, const char *id,
                         int64_t limit, sl_id *op, sl_error **err)
{
    sl_load *l = sl_mem(sizeof *l);
    if (l == NULL) {
        return sl_fail_nomem(err);
    }
    l->way = way;
    l->limit = limit;
    (void)snprintf(l->space, sizeof l->space, "%s", space);
    (void)snprintf(l->id, sizeof l->id, "%s", id != NULL ? id : "");
    sl_status status = check(core, space, id, l, err);
    if (status == SL_OK) {
        l->op = sl_events_op(core->events);
        status = l->op != 0 ? SL_OK : sl_fail_nomem(err);
    }
    if (status != SL_OK) {
        sl_mem_free(l);
        return status;
    }
    sl_load **at = &core->loads;
    while (*at != NULL) {
        at = &(*at)->next;
    }
    *at = l;
    *op = l->op;
    sl_engine_kick(core);
    return SL_OK;
}

/* All that the thread has is here. */
static void nothing_missing(sl_core *core, sl_load *l)
{
    int64_t place = 0;
    if (l->way == SL_WINDOW_AROUND && place_of(core, l->space, l->id, &place, NULL) != SL_OK) {
        fail(core, l, SL_E_NOT_FOUND, "the thread has no such message");
    } else {
        end(core, l, 0);
    }
}

/* Asks, or ends what has nothing to ask for. */
static void ask(sl_core *core, sl_load *l)
{
    sl_holes holes;
    sl_hole range = {0, 0};
    sl_frame frame = {.kind = SL_FRAME_LOAD, .space = l->space, .limit = l->limit};
    if (sl_store_holes(core->store, l->space, &holes, NULL) != SL_OK) {
        fail(core, l, SL_E_IO, "the database cannot be read");
        return;
    }
    bool any = l->way == SL_WINDOW_AROUND ? holes.n > 0 : nearest(&holes, l->way, l->place, &range);
    if (!any) {
        nothing_missing(core, l);
        return;
    }
    if (!core->want_online) {
        fail(core, l, SL_E_CANCELLED, "cancelled");
        return;
    }
    if (!sl_sync_live(core->sync, l->space)) {
        return;
    }
    frame.id = l->way == SL_WINDOW_AROUND ? l->id : NULL;
    frame.up = l->way == SL_WINDOW_NEWER;
    frame.from = range.above;
    frame.to = range.upto;
    if (sl_online_send(core, &frame) == SL_OK) {
        l->ws = core->ws;
        sl_sync_asked(core->sync);
    }
}

void sl_window_run(sl_core *core)
{
    sl_load *l = core->loads;
    while (l != NULL) {
        sl_load *next = l->next;
        if (sl_events_op_cancelled(core->events, l->op)) {
            fail(core, l, SL_E_CANCELLED, "cancelled");
        } else if (!sl_store_space_expected(core->store, l->space)) {
            fail(core, l, SL_E_NOT_FOUND, "the thread is no longer on this device");
        } else if (l->ws == 0 || l->ws != core->ws || !core->want_online) {
            ask(core, l);
        }
        l = next;
    }
}

void sl_window_loaded(sl_core *core, const sl_news *news)
{
    int64_t count = 0;
    sl_error *err = NULL;
    sl_load *l = core->loads;
    while (l != NULL && (l->ws != core->ws || strcmp(l->space, news->space) != 0)) {
        l = l->next;
    }
    bool nothing = news->from == news->seq;
    sl_status status = nothing ? SL_OK : sl_online_loaded(core, news, &count, &err);
    if (l == NULL) {
        sl_error_release(err); /* cancelled meanwhile */
        return;
    }
    if (status != SL_OK) {
        sl_events_op_error(core->events, l->op, err);
        drop(core, l);
    } else if (nothing && l->way == SL_WINDOW_AROUND) {
        fail(core, l, SL_E_NOT_FOUND, "the thread has no such message");
    } else {
        end(core, l, count);
    }
}

void sl_window_head(sl_core *core, const char *space)
{
    sl_holes holes;
    char text[SL_HOLES_TEXT];
    for (sl_load *l = core->loads; l != NULL; l = l->next) {
        l->ws = strcmp(l->space, space) == 0 ? 0 : l->ws;
    }
    if (sl_store_holes(core->store, space, &holes, NULL) != SL_OK || holes.n == 0 ||
        !sl_integrity_due(core, space)) {
        return;
    }
    sl_holes_print(text, &holes);
    sl_frame frame = {.kind = SL_FRAME_CHECK, .space = space, .holes = text};
    if (sl_online_send(core, &frame) == SL_OK) {
        sl_sync_asked(core->sync);
    }
}
