/* What an app can show of sync: as a whole and space by space, and an event when it has changed. */
#include "engine/engine.h"

#include "base/error.h"
#include "base/mem.h"

#include <string.h>

enum {
    TELL_MS = 250 /* between two looks */
};

/* Why there is no connection; NULL: there is one, or it is being made. */
static const char *reason_of(const sl_core *core)
{
    sl_sync_state state = sl_sync_state_of(core->sync);
    if (!core->session.have) {
        return "signed_out";
    }
    if (!core->want_online) {
        return "stopped";
    }
    if (core->platform.ws == NULL || core->platform.http == NULL || core->server == NULL) {
        return "no_transport";
    }
    if (state == SL_SYNC_ONLINE || state == SL_SYNC_GREETING || core->ws != 0) {
        return NULL;
    }
    return core->close_code == 4409   ? "replaced"
           : core->close_code == 4403 ? "mfa_required"
           : core->kept_off != NULL   ? core->kept_off
                                      : "unreachable";
}

typedef struct listing {
    sl_core *core;
    sl_json *spaces;
    const char *reason;
    bool timeless; /* without what moves by itself */
    int64_t rejected;
    int64_t uploads;
    int64_t upload_bytes;
} listing;

/* Bytes of the space's uploads that the server has. */
static int64_t sent_of(const sl_core *core, const char *space)
{
    int64_t sent = 0;
    for (const sl_transfer *t = core->transfers; t != NULL; t = t->next) {
        sent += !t->download && strcmp(t->upload.space, space) == 0 ? t->xfer.at : 0;
    }
    return sent;
}

static bool put_space(void *ctx, const sl_space_facts *f)
{
    listing *l = ctx;
    bool live = sl_sync_live(l->core->sync, f->name);
    int64_t bytes = f->upload_bytes - sent_of(l->core, f->name);
    const char *state = l->reason != NULL                  ? "blocked"
                        : !live                            ? "behind"
                        : f->waiting > 0 || f->uploads > 0 ? "waiting"
                                                           : "up_to_date";
    l->rejected += f->rejected;
    l->uploads += f->uploads;
    l->upload_bytes += bytes;
    int64_t as_of = live ? sl_engine_wall(l->core) : f->as_of_ms;
    sl_json *j = sl_json_object();
    bool ok =
        j != NULL && sl_json_set_str(j, "space", f->name) && sl_json_set_str(j, "state", state) &&
        sl_json_set_int(j, "cursor", f->cursor) && sl_json_set_int(j, "waiting", f->waiting) &&
        sl_json_set_int(j, "rejected", f->rejected) && sl_json_set_int(j, "uploads", f->uploads) &&
        sl_json_set_int(j, "upload_bytes", bytes) &&
        (l->timeless || sl_json_set_int(j, "as_of", as_of));
    if (!ok) {
        sl_json_free(j);
        return false;
    }
    return sl_json_add(l->spaces, j);
}

static sl_json *gather(sl_core *core, bool timeless)
{
    static const char *const names[] = {"offline", "connecting", "connecting", "online"};
    listing l = {
        .core = core, .spaces = sl_json_array(), .reason = reason_of(core), .timeless = timeless};
    int64_t waiting = 0;
    int64_t rejected = 0;
    sl_json *j = sl_json_object();
    bool ok = j != NULL && l.spaces != NULL &&
              sl_store_space_facts(core->store, put_space, &l, NULL) == SL_OK &&
              sl_store_waiting(core->store, &waiting, NULL) == SL_OK &&
              sl_store_rejected_count(core->store, &rejected, NULL) == SL_OK;
    int64_t retry_ms = core->retry_at_ms - sl_engine_mono(core);
    bool retries = l.reason != NULL && core->retry_at_ms >= 0 && core->want_online;
    ok = ok && sl_json_set_str(j, "state", names[sl_sync_state_of(core->sync)]) &&
         (l.reason == NULL || sl_json_set_str(j, "reason", l.reason)) &&
         (!retries || timeless || sl_json_set_int(j, "retry_ms", retry_ms > 0 ? retry_ms : 0)) &&
         sl_json_set_int(j, "waiting", waiting) &&
         sl_json_set_int(j, "sending", sl_sync_unanswered(core->sync)) &&
         sl_json_set_int(j, "rejected", rejected) && sl_json_set_int(j, "uploads", l.uploads) &&
         sl_json_set_int(j, "upload_bytes", l.upload_bytes);
    ok = ok && sl_json_set(j, "spaces", l.spaces);
    if (!ok) {
        sl_json_free(sl_json_get(j, "spaces") == NULL ? l.spaces : NULL);
        sl_json_free(j);
        return NULL;
    }
    return j;
}

/* FNV-1a of what would be told; 0: not known. */
static uint64_t print_of(sl_core *core)
{
    sl_json *j = gather(core, true);
    char *text = j != NULL ? sl_json_print(j) : NULL;
    uint64_t h = text != NULL ? UINT64_C(14695981039346656037) : 0;
    for (const char *p = text; p != NULL && *p != 0; p++) {
        h = (h ^ (uint8_t)*p) * UINT64_C(1099511628211);
    }
    sl_mem_free(text);
    sl_json_free(j);
    return h;
}

sl_json *sl_status_info(sl_core *core)
{
    core->status_asked = true;
    core->status_print = print_of(core);
    return gather(core, false);
}

int64_t sl_status_turn(sl_core *core, int64_t now_ms)
{
    if (!core->status_asked) {
        return -1;
    }
    if (now_ms < core->status_at_ms) {
        return core->status_at_ms; /* something may have happened: looked at then */
    }
    uint64_t print = print_of(core);
    core->status_at_ms = now_ms + TELL_MS;
    if (print != 0 && print != core->status_print) {
        core->status_print = print;
        sl_json *event = sl_json_object();
        if (event != NULL && sl_json_set_str(event, "ev", "status")) {
            sl_events_push_once(core->events, event);
        } else {
            sl_json_free(event);
        }
    }
    return -1;
}

typedef struct seeing {
    sl_core *core;
    sl_json *live;
} seeing;

static bool note_live(void *ctx, const sl_space *space)
{
    const seeing *s = ctx;
    return !sl_sync_live(s->core->sync, space->name) || sl_json_add_str(s->live, space->name);
}

void sl_status_seen(sl_core *core)
{
    seeing s = {core, sl_json_array()};
    int64_t wall_ms = sl_engine_wall(core);
    sl_status status =
        s.live != NULL ? sl_store_spaces(core->store, note_live, &s, NULL) : SL_E_NOMEM;
    if (status == SL_OK && sl_json_count(s.live) > 0) {
        status = sl_store_begin_soft(core->store, NULL);
        status = status == SL_OK ? sl_lease_heard(core, NULL) : status;
        for (const sl_json *j = sl_json_first(s.live); status == SL_OK && j != NULL;
             j = sl_json_next(j)) {
            status = sl_store_space_seen(core->store, sl_json_text(j), wall_ms, NULL);
        }
        if (status == SL_OK) {
            (void)sl_store_commit(core->store, NULL);
        } else {
            sl_store_rollback(core->store);
        }
    }
    sl_json_free(s.live);
}
