/* Live queries: told that they may have changed, they give the difference when it is taken. */
#include "engine/engine.h"

#include "base/error.h"
#include "base/mem.h"

#include <string.h>

static sl_live_query *find(sl_core *core, sl_id id)
{
    sl_live_query *q = core->queries;
    while (q != NULL && q->id != id) {
        q = q->next;
    }
    return q;
}

static void live_free(sl_live_query *q)
{
    sl_query_free(q->query);
    sl_json_free(q->last);
    sl_mem_free(q);
}

sl_status sl_live_watch(sl_core *core, const sl_json *query, sl_id *sub, sl_error **err)
{
    sl_live_query *q = sl_mem(sizeof *q);
    if (q == NULL) {
        return sl_fail_nomem(err);
    }
    sl_status status = sl_query_parse(query, &q->query, err);
    if (status != SL_OK) {
        sl_mem_free(q);
        return status;
    }
    q->id = ++core->next_id;
    q->next = core->queries;
    core->queries = q;
    *sub = q->id;
    sl_events_rows(core->events, q->id);
    return SL_OK;
}

sl_status sl_live_unwatch(sl_core *core, sl_id sub)
{
    for (sl_live_query **at = &core->queries; *at != NULL; at = &(*at)->next) {
        if ((*at)->id == sub) {
            sl_live_query *q = *at;
            *at = q->next;
            live_free(q);
            return SL_OK;
        }
    }
    return SL_E_NOT_FOUND;
}

void sl_live_stop(sl_core *core)
{
    while (core->queries != NULL) {
        sl_live_query *q = core->queries;
        core->queries = q->next;
        live_free(q);
    }
}

void sl_live_touch(sl_core *core, const sl_entity *e, const char *space)
{
    for (const sl_live_query *q = core->queries; q != NULL; q = q->next) {
        if (sl_query_concerns(q->query, e, space)) {
            sl_events_rows(core->events, q->id);
        }
    }
}

/* The rows of now: an object id -> row, so that both sides are looked up by id. */
typedef struct gather {
    sl_json *rows;
    sl_json *order;
    bool failed;
} gather;

static bool gather_row(void *ctx, sl_json *row)
{
    gather *g = ctx;
    const char *id = sl_json_str(row, "id");
    id = id != NULL ? id : "count"; /* the one row of a count */
    if (!sl_json_add_str(g->order, id)) {
        sl_json_free(row);
        g->failed = true;
        return false;
    }
    g->failed = !sl_json_set(g->rows, id, row);
    return !g->failed;
}

static bool add_changes(sl_json *diff, const sl_json *old, const gather *now)
{
    sl_json *upserts = sl_json_array();
    sl_json *removed = sl_json_array();
    bool ok = upserts != NULL && removed != NULL;
    for (const sl_json *r = sl_json_first(now->rows); ok && r != NULL; r = sl_json_next(r)) {
        const sl_json *before = sl_json_get(old, sl_json_key(r));
        ok = (before != NULL && sl_json_equal(before, r)) || sl_json_add(upserts, sl_json_clone(r));
    }
    for (const sl_json *r = sl_json_first(old); ok && r != NULL; r = sl_json_next(r)) {
        ok = sl_json_get(now->rows, sl_json_key(r)) != NULL ||
             sl_json_add_str(removed, sl_json_key(r));
    }
    if (!ok) {
        sl_json_free(upserts);
        sl_json_free(removed);
        return false;
    }
    ok = sl_json_set(diff, "upserts", upserts);
    return sl_json_set(diff, "removed", removed) && ok;
}

sl_status sl_live_take(sl_core *core, sl_id sub, sl_bytes **out, sl_error **err)
{
    sl_live_query *q = find(core, sub);
    if (q == NULL) {
        return sl_fail(err, SL_E_NOT_FOUND, "there is no such live query");
    }
    gather now = {sl_json_object(), sl_json_array(), false};
    sl_json *diff = sl_json_object();
    sl_status status = now.rows != NULL && now.order != NULL && diff != NULL
                           ? sl_store_query(core->store, q->query, gather_row, &now, err)
                           : sl_fail_nomem(err);
    bool ok = status == SL_OK && !now.failed && add_changes(diff, q->last, &now);
    if (ok) {
        ok = sl_json_set(diff, "order", now.order);
        now.order = NULL;
    }
    *out = ok ? sl_json_bytes(diff) : NULL;
    if (*out != NULL) {
        sl_json_free(q->last);
        q->last = now.rows;
        now.rows = NULL;
    } else if (status == SL_OK) {
        status = sl_fail_nomem(err);
    }
    sl_json_free(now.rows);
    sl_json_free(now.order);
    sl_json_free(diff);
    return status;
}
