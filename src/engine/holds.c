/* Transfers that are held back, by somebody's wish or by the network, and what is told of all. */
#include "engine/engine.h"

#include "base/error.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

enum {
    TELL_MS = 100 /* between two events of one transfer */
};

/* A wish about one blob. */
struct sl_hold {
    char hex[65];
    bool paused; /* else it goes whatever the network */
    sl_hold *next;
};

static sl_hold *find(const sl_core *core, const char *hex)
{
    sl_hold *h = core->holds;
    while (h != NULL && strcmp(h->hex, hex) != 0) {
        h = h->next;
    }
    return h;
}

static void forget(sl_core *core, const char *hex)
{
    sl_hold **at = &core->holds;
    while (*at != NULL && strcmp((*at)->hex, hex) != 0) {
        at = &(*at)->next;
    }
    sl_hold *h = *at;
    if (h != NULL) {
        *at = h->next;
        sl_mem_free(h);
    }
}

void sl_holds_stop(sl_core *core)
{
    while (core->holds != NULL) {
        forget(core, core->holds->hex);
    }
}

bool sl_hold_blocks(const sl_core *core, const char *hex, int64_t size)
{
    const sl_hold *h = find(core, hex);
    return h != NULL ? h->paused : core->metered && size > core->metered_limit;
}

void sl_holds_network(sl_core *core, bool metered, int64_t limit)
{
    core->metered = metered;
    core->metered_limit = limit;
    sl_engine_kick(core);
}

/* --- one transfer ---------------------------------------------------------------------------- */

typedef struct same_blob {
    const char *hex;
    sl_upload *uploads; /* sl_mem */
    size_t count;
    bool failed;
} same_blob;

static bool note_same(void *ctx, const sl_upload *u)
{
    same_blob *s = ctx;
    if (strcmp(u->hex, s->hex) != 0) {
        return true;
    }
    sl_upload *grown = sl_mem_resize(s->uploads, s->count + 1, sizeof *grown);
    if (grown == NULL) {
        s->failed = true;
        return false;
    }
    s->uploads = grown;
    s->uploads[s->count++] = *u;
    return true;
}

static sl_status wish(sl_core *core, const char *hex, bool paused, sl_error **err)
{
    sl_hold *h = find(core, hex);
    if (h == NULL) {
        h = sl_mem(sizeof *h);
        if (h == NULL) {
            return sl_fail_nomem(err);
        }
        (void)snprintf(h->hex, sizeof h->hex, "%s", hex);
        h->next = core->holds;
        core->holds = h;
    }
    h->paused = paused;
    for (sl_transfer *t = core->transfers; !paused && t != NULL; t = t->next) {
        if (strcmp(t->upload.hex, hex) == 0) {
            t->xfer.retry_at_ms = 0; /* at once */
        }
    }
    return SL_OK;
}

static sl_status give_up(sl_core *core, const same_blob *s, sl_error **err)
{
    sl_status status = SL_OK;
    for (size_t i = 0; status == SL_OK && i < s->count; i++) {
        status = sl_store_upload_done(core->store, &s->uploads[i], err);
    }
    if (status == SL_OK) {
        sl_transfers_cancel(core, s->hex);
        forget(core, s->hex);
    }
    return status;
}

sl_status sl_holds_control(sl_core *core, const char *hex, int32_t action, sl_error **err)
{
    same_blob s = {.hex = hex};
    sl_status status = sl_store_uploads(core->store, note_same, &s, err);
    if (status == SL_OK && s.failed) {
        status = sl_fail_nomem(err);
    }
    if (status == SL_OK && s.count == 0 && !sl_transfers_fetching(core, hex)) {
        status = sl_fail(err, SL_E_NOT_FOUND, "there is no transfer of this blob");
    }
    if (status == SL_OK && action == SL_TRANSFER_CANCEL) {
        status = give_up(core, &s, err);
    } else if (status == SL_OK) {
        status = wish(core, hex, action == SL_TRANSFER_PAUSE, err);
    }
    sl_mem_free(s.uploads);
    sl_engine_kick(core);
    return status;
}

/* --- what is told ---------------------------------------------------------------------------- */

static sl_json *facts_of(const sl_upload *u, const sl_transfer *t, int64_t total)
{
    bool download = t != NULL && t->download;
    const char *why = t != NULL ? t->why : NULL;
    sl_json *j = sl_json_object();
    bool ok = j != NULL && sl_json_set_str(j, "sha256", u->hex) &&
              (download || sl_json_set_str(j, "space", u->space)) &&
              sl_json_set_bool(j, "download", download) &&
              sl_json_set_int(j, "done", t != NULL ? t->xfer.at : 0) &&
              (total <= 0 || sl_json_set_int(j, "total", total)) &&
              (why == NULL || sl_json_set_str(j, "why", why));
    if (!ok) {
        sl_json_free(j);
        return NULL;
    }
    return j;
}

static bool untold(const sl_transfer *t)
{
    return t->told != t->xfer.at || t->why_told != t->why;
}

void sl_transfer_tell(sl_core *core, sl_transfer *t, int64_t now_ms)
{
    if (!core->transfers_asked || !untold(t)) {
        return;
    }
    t->told = t->xfer.at;
    t->why_told = t->why;
    t->tell_at_ms = now_ms + TELL_MS;
    sl_json *event = facts_of(&t->upload, t, t->total);
    if (event != NULL && sl_json_set_str(event, "ev", "transfer")) {
        sl_events_push(core->events, event);
    } else {
        sl_json_free(event);
    }
}

int64_t sl_transfers_tell(sl_core *core, int64_t now_ms)
{
    int64_t until_ms = -1;
    for (sl_transfer *t = core->transfers; t != NULL; t = t->next) {
        if (now_ms >= t->tell_at_ms) {
            sl_transfer_tell(core, t, now_ms);
        } else if (core->transfers_asked && untold(t) &&
                   (until_ms < 0 || t->tell_at_ms < until_ms)) {
            until_ms = t->tell_at_ms;
        }
    }
    return until_ms;
}

typedef struct listing {
    sl_core *core;
    sl_json *list;
} listing;

static bool put(const listing *l, const sl_upload *u, const sl_transfer *t, int64_t total)
{
    const sl_hold *h = find(l->core, u->hex);
    bool held = sl_hold_blocks(l->core, u->hex, total);
    const char *state = held        ? (h != NULL ? "paused" : "metered")
                        : t != NULL ? "running"
                                    : "waiting";
    sl_json *j = facts_of(u, t, total);
    if (j == NULL || !sl_json_set_str(j, "state", state)) {
        sl_json_free(j);
        return false;
    }
    return sl_json_add(l->list, j);
}

static bool put_upload(void *ctx, const sl_upload *u)
{
    const listing *l = ctx;
    const sl_transfer *t = l->core->transfers;
    while (t != NULL && (t->download || strcmp(t->upload.hex, u->hex) != 0 ||
                         strcmp(t->upload.space, u->space) != 0)) {
        t = t->next;
    }
    return put(l, u, t, u->size);
}

sl_json *sl_transfers_info(sl_core *core)
{
    listing l = {core, sl_json_array()};
    core->transfers_asked = true;
    bool ok = l.list != NULL && sl_store_uploads(core->store, put_upload, &l, NULL) == SL_OK;
    for (const sl_transfer *t = core->transfers; ok && t != NULL; t = t->next) {
        ok = !t->download || put(&l, &t->upload, t, t->total);
    }
    if (!ok) {
        sl_json_free(l.list);
        return NULL;
    }
    return l.list;
}
