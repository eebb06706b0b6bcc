/* The connection: executes the sync machine's steps, stores what it lets through. */
#include "engine/chat.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/plant.h"
#include "sync/zip.h"

#include <stdio.h>
#include <string.h>

enum {
    UNREAD_MS = 1000 /* until a store that could not be read is asked again */
};

static void tell_state(sl_core *core)
{
    sl_sync_state state = sl_sync_state_of(core->sync);
    if (state == core->told) {
        return;
    }
    core->told = state;
    sl_json *event = sl_json_object();
    const char *name = state == SL_SYNC_ONLINE    ? "online"
                       : state == SL_SYNC_OFFLINE ? "offline"
                                                  : "connecting";
    if (event != NULL && sl_json_set_str(event, "ev", "sync") &&
        sl_json_set_str(event, "state", name)) {
        sl_events_push(core->events, event);
    } else {
        sl_json_free(event);
    }
}

static bool hold_one(void *ctx, const sl_space *space)
{
    sl_core *core = ctx;
    return sl_sync_hold(core->sync, space->name, space->epoch, space->cursor) == SL_OK;
}

void sl_online_outbox_changed(sl_core *core)
{
    sl_outbox_state outbox;
    core->outbox_unread = sl_store_outbox(core->store, &outbox, NULL) != SL_OK;
    if (!core->outbox_unread) {
        sl_sync_outbox(core->sync, outbox.floor, outbox.last);
    }
}

sl_status sl_online_start(sl_core *core, sl_error **err)
{
    core->link.in = sl_frame_in_new();
    core->link.items = sl_items_new();
    if (core->link.in == NULL || core->link.items == NULL) {
        return sl_fail_nomem(err);
    }
    sl_status status = sl_store_spaces(core->store, hold_one, core, err);
    if (status == SL_OK) {
        sl_online_outbox_changed(core);
    }
    return status;
}

void sl_online_stop(sl_core *core)
{
    sl_wire_free(&core->link.wire);
    sl_frame_in_free(core->link.in);
    sl_items_free(core->link.items);
    sl_buf_free(&core->link.out);
}

void sl_online_want(sl_core *core, bool online)
{
    core->want_online = online;
    core->session.refresh_at_ms = online ? 0 : core->session.refresh_at_ms;
    sl_sync_want(core->sync, online && core->session.have);
    tell_state(core);
    sl_engine_kick(core);
    sl_signal(core->lock); /* jobs wait for blobs on the core's lock */
}

/* --- what goes out ---------------------------------------------------------------------- */

/* Returns its size; 0 when it was not sent. */
static size_t send_frame(sl_core *core, const sl_frame *frame, sl_items *items)
{
    sl_link *link = &core->link;
    const sl_ws_ops *ws = core->platform.ws;
    if (ws == NULL || core->ws == 0) {
        return 0;
    }
    sl_buf_clear(&link->out);
    sl_frame_put(&link->wire, &link->out, frame, items);
    int32_t kind = link->wire.binary ? SL_WS_BINARY : SL_WS_TEXT;
    if (link->out.failed ||
        ws->send(core->platform.user, core->ws, kind, link->out.data, link->out.len) != SL_OK) {
        /* What is not sent must be sent anew: close, and all starts from the stored state. */
        ws->close(core->platform.user, core->ws, 1011, "out of memory");
        return 0;
    }
    return link->out.len;
}

static void open_socket(sl_core *core, int64_t now_ms)
{
    const sl_ws_ops *ws = core->platform.ws;
    const char *protocol = core->link.plain ? SL_FRAME_PROTOCOL_JSON : SL_FRAME_PROTOCOL_BIN;
    sl_wire_free(&core->link.wire);
    core->link.wire.binary = !core->link.plain;
    core->ws = ++core->next_id;
    char *url = core->server != NULL ? sl_text_fmt("ws%s/api/v1/ws", core->server + 4) : NULL;
    sl_status status = url != NULL && ws != NULL && sl_engine_expect(core, core->ws)
                           ? ws->open(core->platform.user, core->ws, url, protocol)
                           : SL_E_UNSUPPORTED;
    sl_mem_free(url);
    if (status != SL_OK) {
        sl_engine_expect_no_more(core, core->ws);
        core->ws = 0;
        sl_sync_closed(core->sync, now_ms);
    }
}

static void send_greeting(sl_core *core)
{
    sl_outbox_state outbox = {1, 1, 0, true};
    (void)sl_store_outbox(core->store, &outbox, NULL);
    if (sl_store_harden(core->store, NULL) != SL_OK) {
        /* What is below `floor` the server forgets: it must not come back. */
        core->platform.ws->close(core->platform.user, core->ws, 1011, "cannot store");
        return;
    }
    sl_sync_outbox(core->sync, outbox.floor, outbox.last);
    sl_frame frame = {.kind = SL_FRAME_CONNECT,
                      .version = 1,
                      .token = core->session.access,
                      .device = core->device,
                      .floor = SL_PLANTED("floor-too-high") ? outbox.last + 1 : outbox.keep,
                      .clock = core->clock.device,
                      .zip = sl_zip_have()};
    (void)send_frame(core, &frame, NULL);
}

static void send_of_space(sl_core *core, sl_frame_kind kind, const sl_sync_step *step)
{
    bool subscribe = kind == SL_FRAME_SUBSCRIBE;
    sl_frame frame = {.kind = kind,
                      .space = step->space,
                      .epoch = subscribe ? step->epoch : NULL,
                      .from = subscribe ? step->from : 0,
                      .last = subscribe ? step->last : 0};
    (void)send_frame(core, &frame, NULL);
}

/* Operations that left the outbox are passed over. What is sent must not be forgotten here: its number would
 * be given again. */
static void send_push(sl_core *core, const sl_sync_step *step)
{
    sl_items *items = core->link.items;
    sl_op op = {0};
    sl_status status = core->soft_ops ? sl_store_harden(core->store, NULL) : SL_OK;
    int64_t n = status == SL_OK ? step->n : step->n + step->count; /* the connection goes */
    core->soft_ops = core->soft_ops && status != SL_OK;
    sl_items_clear(items);
    while (status == SL_OK && n < step->n + step->count &&
           sl_items_size(items) < SL_SYNC_PUSH_BYTES && !(n > step->n && sl_kept_hurry(core))) {
        status = sl_store_outbox_op(core->store, n, &op, NULL);
        if (status == SL_OK) {
            status = sl_items_op(items, &op);
        } else if (status == SL_E_NOT_FOUND) {
            sl_sync_skip(core->sync, n);
            status = SL_OK;
        }
        n++;
    }
    sl_op_free(&op);
    size_t bytes = 0;
    if (status != SL_OK) {
        core->platform.ws->close(core->platform.user, core->ws, 1011, "cannot push");
    } else if (sl_items_count(items) > 0) {
        bytes = send_frame(core, &(sl_frame){.kind = SL_FRAME_PUSH}, items);
    }
    sl_sync_pushed(core->sync, n - 1, bytes);
}

static void take_step(sl_core *core, const sl_sync_step *step, int64_t now_ms)
{
    switch (step->kind) {
    case SL_STEP_OPEN: open_socket(core, now_ms); break;
    case SL_STEP_CLOSE:
        if (core->ws != 0) {
            core->platform.ws->close(core->platform.user, core->ws, 1000, "bye");
        }
        break;
    case SL_STEP_GREET: send_greeting(core); break;
    case SL_STEP_SUBSCRIBE: send_of_space(core, SL_FRAME_SUBSCRIBE, step); break;
    case SL_STEP_PREFER: send_of_space(core, SL_FRAME_PREFER, step); break;
    case SL_STEP_PUSH: send_push(core, step); break;
    case SL_STEP_MORE:
        (void)send_frame(core, &(sl_frame){.kind = SL_FRAME_MORE, .bytes = step->n}, NULL);
        break;
    case SL_STEP_IDLE:
    case SL_STEP_WAIT: break;
    }
}

int64_t sl_online_run(sl_core *core, int64_t now_ms)
{
    int64_t until_ms = -1;
    if (core->outbox_unread) {
        sl_online_outbox_changed(core);
    }
    if (core->outbox_unread) {
        return now_ms + UNREAD_MS;
    }
    bool have_token = core->want_online && sl_session_token(core, now_ms, &until_ms);
    bool down = core->ws == 0;
    while (!down || have_token || !core->want_online) {
        sl_sync_step step = sl_sync_next(core->sync, now_ms);
        if (step.kind == SL_STEP_IDLE || step.kind == SL_STEP_WAIT) {
            tell_state(core);
            return step.kind == SL_STEP_IDLE ? until_ms : step.until_ms;
        }
        take_step(core, &step, now_ms);
        down = core->ws == 0;
        if (sl_kept_hurry(core)) { /* the next turn goes on */
            until_ms = now_ms;
            break;
        }
    }
    tell_state(core);
    return until_ms;
}

sl_status sl_online_send(sl_core *core, const sl_frame *frame)
{
    if (sl_sync_state_of(core->sync) != SL_SYNC_ONLINE) {
        return SL_E_NETWORK;
    }
    (void)send_frame(core, frame, NULL);
    return SL_OK;
}

/* --- what comes in ---------------------------------------------------------------------- */

/* What a stored batch leaves to be done once it is committed. */
typedef struct after {
    bool touched[64]; /* by entity index */
    sl_few few;       /* the records */
    sl_json *granted; /* spaces to hold */
    sl_json *revoked; /* spaces to drop */
    sl_json *lost;    /* events: operations that waited in what was dropped */
    int64_t reach;    /* place of the newest message of another */
    int64_t count;    /* records stored */
    bool apart;       /* what is left of the frame comes in another transaction */
    bool kept;        /* its transaction is still open */
    bool later;       /* something of a later version came */
    bool skipped;     /* and was left out */
} after;

static void see_clocks(sl_core *core, const sl_record *rec)
{
    sl_hlc_see(&core->clock, rec->birth);
    for (size_t i = 0; rec->clocks != NULL && i < rec->entity->field_count; i++) {
        if (rec->clocks[i].at.time != 0) {
            sl_hlc_see(&core->clock, rec->clocks[i].at);
        }
    }
}

static void note_touched(after *due, const sl_entity *e, const char *space, const char *id,
                         bool gone)
{
    due->touched[e->index] = true;
    sl_few_add(&due->few, e, space, id, gone);
}

static bool note_settled(void *ctx, const sl_op *op)
{
    note_touched(ctx, op->entity, op->space, op->id, true);
    return true;
}

/* Any record of the space may have changed. */
static void note_all(after *due, const char *space)
{
    for (size_t i = 0; i < sl_entity_count; i++) {
        due->touched[i] = due->touched[i] || sl_space_is(space, sl_entities[i].space_kind);
    }
    sl_few_exceed(&due->few);
}

/* A grant learned or lost. A deleted grant no longer says for what: the visible one does. */
static sl_status note_grant(sl_core *core, const sl_record *rec, after *due, sl_error **err)
{
    if (!rec->deleted) {
        const char *target = sl_record_text(rec, "target");
        bool ok = target == NULL || sl_json_add_str(due->granted, target);
        return ok ? SL_OK : sl_fail_nomem(err);
    }
    sl_record old = {0};
    sl_status status = sl_store_record(core->store, rec->entity, rec->id, &old, err);
    const char *target = status == SL_OK && old.entity != NULL && !old.deleted
                             ? sl_record_text(&old, "target")
                             : NULL;
    if (target != NULL && !sl_json_add_str(due->revoked, target)) {
        status = sl_fail_nomem(err);
    }
    sl_record_free(&old);
    return status;
}

static sl_status store_one(sl_core *core, sl_record *rec, after *due, sl_error **err)
{
    sl_status status = SL_OK;
    if (strcmp(rec->entity->name, "grant") == 0) {
        status = note_grant(core, rec, due, err);
    }
    if (status == SL_OK) {
        see_clocks(core, rec);
        due->later = due->later || rec->ext != NULL;
        status = sl_store_apply_remote(core->store, rec, err);
        note_touched(due, rec->entity, rec->space, rec->id, rec->deleted);
        due->count++;
    }
    if (status == SL_OK && strcmp(rec->entity->name, "message") == 0 && !rec->deleted) {
        const char *author = sl_record_text(rec, "author_id");
        int64_t place = sl_record_int(rec, "place", 0);
        if (author != NULL && strcmp(author, core->session.user) != 0) {
            due->reach = place > due->reach ? place : due->reach;
            sl_signals_said(core, rec->space, author);
        }
    }
    return status;
}

/* The records of the frame that was read, or when it is time to end and it may be, the next few.
 * What this version does not know is skipped, and read again after an update. */
static sl_status store_records(sl_core *core, after *due, bool may_part, sl_error **err)
{
    sl_record rec = {0};
    bool got = true;
    sl_status status = SL_OK;
    while (status == SL_OK && got && !due->apart) {
        status = sl_frame_record(core->link.in, &rec, &got, err);
        if (status == SL_OK && got && rec.entity != NULL) {
            status = store_one(core, &rec, due, err);
            due->apart = may_part && sl_kept_hurry(core);
        } else if (status == SL_OK && got) {
            due->later = true;
            due->skipped = true;
        }
    }
    sl_record_free(&rec);
    return status;
}

/* Losses come first: a space that was taken away and given again in one page is held, empty. */
static sl_status store_grants(sl_core *core, const after *due, sl_error **err)
{
    sl_status status = SL_OK;
    for (const sl_json *g = sl_json_first(due->revoked); g != NULL && status == SL_OK;
         g = sl_json_next(g)) {
        status = sl_lost_space(core, sl_json_text(g), due->lost, err);
    }
    for (const sl_json *g = sl_json_first(due->granted); g != NULL && status == SL_OK;
         g = sl_json_next(g)) {
        sl_space space;
        if (!sl_space_ok(sl_json_text(g))) {
            continue;
        }
        status = sl_store_space(core->store, sl_json_text(g), &space, NULL);
        if (status == SL_E_NOT_FOUND) {
            memset(&space, 0, sizeof space);
            (void)snprintf(space.name, sizeof space.name, "%s", sl_json_text(g));
            status = sl_store_set_space(core->store, &space, err);
        }
    }
    return status;
}

/* Another epoch without a reset, for a cursor at 0: what was accepted before it may be unknown. Of the
 * user's own space, which is there before all others, also the first one that can be stored. */
static sl_status see_epoch(sl_core *core, const sl_space *before, const sl_space *now, after *due,
                           sl_error **err)
{
    bool first = before->epoch[0] == 0 && strcmp(now->name, core->session.space) != 0;
    bool same = first || strcmp(before->epoch, now->epoch) == 0;
    if (!same) { /* what was sent may be waiting again */
        sl_few_exceed(&due->few);
    }
    return same ? SL_OK : sl_store_outbox_again(core->store, now->name, err);
}

/* What was left out, before what came. A space that is read from the first on has no other holes. */
static sl_status store_hole(sl_core *core, const sl_news *news, sl_error **err)
{
    sl_status status = SL_OK;
    if (news->from == 0 && !sl_sync_live(core->sync, news->space)) {
        status = sl_store_hole_take(core->store, news->space, 0, SL_JSON_INT_MAX, err);
    }
    if (status == SL_OK && news->hole > 0) {
        status = sl_store_hole_add(core->store, news->space, news->from, news->hole, err);
    }
    return status;
}

/* Of a page that says nothing but records. */
static bool may_stay_open(const after *due)
{
    return !due->apart && due->reach == 0 && sl_json_count(due->granted) == 0 &&
           sl_json_count(due->revoked) == 0 && sl_json_count(due->lost) == 0;
}

static uint64_t touched_by(const after *due)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < sl_entity_count; i++) {
        bits |= (uint64_t)(due->touched[i] && !SL_PLANTED("touch-none")) << i;
    }
    return bits;
}

/* Records of a page come in any order: the cursor moves with the last of them, and until then what is here
 * is newer than it says. */
static sl_status store_news(sl_core *core, const sl_news *news, const sl_space *before, after *due,
                            sl_error **err)
{
    bool places = sl_space_has_places(news->space);
    sl_space space = {.cursor = news->seq};
    (void)snprintf(space.name, sizeof space.name, "%s", news->space);
    (void)snprintf(space.epoch, sizeof space.epoch, "%s", news->epoch);
    if (SL_PLANTED("cursor-before-data")) {
        (void)sl_store_set_space(core->store, &space, NULL);
    }
    bool live = sl_sync_live(core->sync, space.name);
    sl_status status = sl_kept_open(core) ? SL_OK
                       : live || strcmp(news->space, core->session.space) == 0
                           ? sl_store_begin(core->store, err)
                           : sl_store_begin_soft(core->store, err);
    if (status == SL_OK) {
        status = see_epoch(core, before, &space, due, err);
    }
    if (status == SL_OK && places) {
        status = store_hole(core, news, err);
    }
    if (places && (news->hole > 0 || news->from == 0)) {
        note_all(due, space.name);
    }
    if (status == SL_OK) {
        status = store_records(core, due, !live && !places, err);
        space.cursor = due->apart ? before->cursor : space.cursor;
    }
    if (status == SL_OK) {
        status = sl_engine_keep_clock(core, err);
    }
    if (status == SL_OK && due->later) {
        status = sl_store_set_meta(core->store, SL_STORE_LATER, "1", err);
    }
    if (status == SL_OK) {
        status = sl_store_set_space(core->store, &space, err);
    }
    if (status == SL_OK && before->cursor == 0 && news->hole == 0) {
        status = sl_store_sum_begun(core->store, space.name, sl_engine_wall(core), err);
    }
    if (status == SL_OK && due->skipped) {
        status = sl_store_sum_partial(core->store, space.name, err);
    }
    if (status == SL_OK && live) {
        status = sl_store_outbox_settle(core->store, space.name, note_settled, due, err);
    }
    if (status == SL_OK) {
        status = store_grants(core, due, err);
    }
    if (status != SL_OK) {
        sl_store_rollback(core->store);
        return status;
    }
    due->kept = !live && !places && may_stay_open(due) &&
                sl_kept_add(core, before, touched_by(due), due->count);
    return due->kept ? SL_OK : sl_store_commit(core->store, err);
}

/* The newest message of another that came is delivered, whichever way it came. */
static void mark_reached(sl_core *core, const char *space, const after *due)
{
    if (due->reach > 0 && sl_space_is(space, "thread") && !SL_PLANTED("no-mark")) {
        (void)sl_local_reached(core, space, due->reach, NULL);
    }
}

static void after_commit(sl_core *core, const char *space, const after *due)
{
    bool told = SL_PLANTED("touch-none") || sl_live_touch_few(core, &due->few);
    for (size_t i = 0; !told && i < sl_entity_count; i++) {
        if (due->touched[i]) {
            sl_live_touch(core, &sl_entities[i], space);
        }
    }
    for (const sl_json *g = sl_json_first(due->revoked); g != NULL; g = sl_json_next(g)) {
        sl_sync_drop(core->sync, sl_json_text(g));
        sl_transfers_drop(core, sl_json_text(g));
        sl_live_touch_space(core, sl_json_text(g));
    }
    sl_lost_tell(core, due->lost);
    for (const sl_json *g = sl_json_first(due->granted); g != NULL; g = sl_json_next(g)) {
        sl_space held;
        if (sl_store_space(core->store, sl_json_text(g), &held, NULL) == SL_OK &&
            !sl_sync_live(core->sync, held.name) && !SL_PLANTED("grant-not-held")) {
            (void)sl_sync_hold(core->sync, held.name, held.epoch, held.cursor);
        }
    }
    mark_reached(core, space, due);
}

static int64_t floor_of(sl_core *core)
{
    sl_outbox_state outbox;
    return sl_store_outbox(core->store, &outbox, NULL) == SL_OK ? outbox.floor : 0;
}

/* Operations that had receipts are to be sent again: only a new connection starts at them. */
static void renew_below(sl_core *core, int64_t floor)
{
    if (floor_of(core) < floor) {
        core->platform.ws->close(core->platform.user, core->ws, 1000, "again");
    }
}

sl_status sl_online_loaded(sl_core *core, const sl_news *news, int64_t *count, sl_error **err)
{
    after due = {.granted = sl_json_array(), .revoked = sl_json_array(), .lost = sl_json_array()};
    bool ready = due.granted != NULL && due.revoked != NULL && due.lost != NULL;
    sl_status status = ready ? sl_store_begin(core->store, err) : sl_fail_nomem(err);
    if (status == SL_OK) {
        status = SL_PLANTED("loaded-dropped") ? SL_OK : store_records(core, &due, false, err);
        if (status == SL_OK && due.later) {
            status = sl_store_set_meta(core->store, SL_STORE_LATER, "1", err);
        }
        if (status == SL_OK && due.skipped) {
            status = sl_store_sum_partial(core->store, news->space, err);
        }
        if (status == SL_OK) {
            status = sl_engine_keep_clock(core, err);
        }
        if (status == SL_OK && news->from < news->seq) {
            status = sl_store_hole_take(core->store, news->space, news->from, news->seq, err);
        }
        if (status == SL_OK) {
            status = sl_store_commit(core->store, err);
        } else {
            sl_store_rollback(core->store);
        }
    }
    *count = due.count;
    if (status == SL_OK) { /* the holes have changed, whatever came */
        sl_live_touch_space(core, news->space);
        mark_reached(core, news->space, &due);
    }
    sl_json_free(due.granted);
    sl_json_free(due.revoked);
    sl_json_free(due.lost);
    return status;
}

/* One transaction of a frame. *more: others waited, and have had the core; the rest is to come. */
static sl_status apply_some(sl_core *core, const sl_news *news, sl_space *before, bool *more)
{
    after due = {.granted = sl_json_array(), .revoked = sl_json_array(), .lost = sl_json_array()};
    bool ready = due.granted != NULL && due.revoked != NULL && due.lost != NULL;
    int64_t floor = floor_of(core);
    sl_status status = ready ? store_news(core, news, before, &due, NULL) : SL_E_NOMEM;
    *more = status == SL_OK && due.apart;
    if (status == SL_OK) {
        before->cursor = due.apart ? before->cursor : news->seq;
        (void)snprintf(before->epoch, sizeof before->epoch, "%s", news->epoch);
        if (!due.kept) {
            sl_kept_stored(core);
            after_commit(core, before->name, &due);
        }
        renew_below(core, floor);
    }
    sl_json_free(due.granted);
    sl_json_free(due.revoked);
    sl_json_free(due.lost);
    if (*more) {
        sl_id ws = core->ws;
        sl_kept_give_way(core);
        bool same = ws == core->ws && core->session.have && core->want_online;
        status = same ? SL_OK : SL_E_CANCELLED;
    }
    return status;
}

/* What the news borrows goes when a space is held or dropped, as by the first part of a page with grants. */
static void apply(sl_core *core, const sl_news *borrowed)
{
    sl_space before = {.cursor = 0};
    char space[SL_SPACE_MAX];
    char epoch[SL_UUID_LEN + 1];
    (void)snprintf(space, sizeof space, "%s", borrowed->space);
    (void)snprintf(epoch, sizeof epoch, "%s", borrowed->epoch);
    sl_news own = *borrowed;
    const sl_news *news = &own;
    own.space = space;
    own.epoch = epoch;
    bool more = true;
    bool joins = !sl_sync_live(core->sync, news->space) && !sl_space_has_places(news->space);
    bool open = joins || sl_kept_commit(core) == SL_OK;
    sl_status status = sl_store_space(core->store, news->space, &before, NULL);
    (void)snprintf(before.name, sizeof before.name, "%s", news->space);
    if (!open) { /* the connection is being closed */
        sl_sync_not_applied(core->sync, before.name, before.cursor);
        return;
    }
    while (status == SL_OK && more) {
        status = apply_some(core, news, &before, &more);
    }
    if (status != SL_OK) {
        /* Full disk, a record that makes no sense, or signed out: the rest comes later. */
        sl_sync_not_applied(core->sync, before.name, before.cursor);
        sl_kept_lost(core);
        core->platform.ws->close(core->platform.user, core->ws, 1011, "cannot store");
    }
}

/* At the head all that the cursor covers has come. */
static void settle_at_head(sl_core *core, const char *space)
{
    sl_outbox_state outbox;
    sl_status status = sl_store_outbox(core->store, &outbox, NULL);
    if (status == SL_OK && outbox.empty) {
        return;
    }
    if (status == SL_OK) {
        status = sl_kept_commit(core);
    }
    if (status == SL_OK) {
        status = sl_store_begin(core->store, NULL);
    }
    if (status == SL_OK) {
        status = sl_store_outbox_settle(core->store, space, NULL, NULL, NULL);
    }
    if (status == SL_OK) {
        status = sl_store_outbox_unknown(core->store, space, NULL);
    }
    if (status == SL_OK && strcmp(space, core->session.space) == 0) {
        status = sl_store_outbox_settle_unheld(core->store, NULL);
    }
    if (status == SL_OK) {
        status = sl_store_commit(core->store, NULL);
    }
    if (status != SL_OK) { /* pages may still be kept: they go too */
        sl_store_rollback(core->store);
        sl_kept_lost(core);
        core->platform.ws->close(core->platform.user, core->ws, 1011, "cannot store");
    } else {
        renew_below(core, outbox.floor);
    }
    sl_live_touch_space(core, space);
}

/* A loss that cannot be stored: the machine knows the space again as it is stored, and the server
 * says it once more on the next connection. */
static void undo_loss(sl_core *core, const char *space)
{
    sl_space held;
    if (sl_store_space(core->store, space, &held, NULL) == SL_OK) {
        (void)sl_sync_hold(core->sync, held.name, held.epoch, held.cursor);
    }
    core->platform.ws->close(core->platform.user, core->ws, 1011, "cannot store");
}

static void lose_space(sl_core *core, const char *space, bool keep)
{
    sl_json *lost = sl_json_array();
    int64_t floor = floor_of(core);
    sl_status status = lost != NULL ? sl_store_begin(core->store, NULL) : SL_E_NOMEM;
    if (status == SL_OK) {
        status = keep ? sl_store_drop_space(core->store, space, true, NULL)
                      : sl_lost_space(core, space, lost, NULL);
        if (status == SL_OK) {
            status = sl_store_commit(core->store, NULL);
        } else {
            sl_store_rollback(core->store);
        }
    }
    if (status == SL_OK && !keep) {
        sl_transfers_drop(core, space);
        sl_lost_tell(core, lost);
    } else if (status != SL_OK) {
        undo_loss(core, space);
    } else {
        renew_below(core, floor);
    }
    sl_json_free(lost);
    sl_live_touch_space(core, space);
}

static void read_again(sl_core *core, const char *space)
{
    if (sl_kept_commit(core) != SL_OK) {
        return; /* asked for again in any case */
    }
    (void)sl_sync_hold(core->sync, space, "", 0); /* it is held: this takes no memory */
    lose_space(core, space, true);
}

static void at_head(sl_core *core, const sl_news *news)
{
    char space[SL_SPACE_MAX];
    (void)snprintf(space, sizeof space, "%s", news->space);
    if (news->summed && sl_integrity_differs(core, space, news->sum)) {
        read_again(core, space);
        return;
    }
    settle_at_head(core, space);
    sl_window_head(core, space);
}

static void checked(sl_core *core, const sl_news *news, const char *holes)
{
    char space[SL_SPACE_MAX];
    (void)snprintf(space, sizeof space, "%s", news->space);
    if (news->summed && sl_integrity_held_differs(core, space, holes, news->sum)) {
        read_again(core, space);
    }
}

void sl_online_opened(sl_core *core)
{
    core->kept_off = NULL;
    sl_sync_opened(core->sync);
}

static void take_news(sl_core *core, const sl_news *news, const sl_frame *frame)
{
    switch (news->kind) {
    case SL_NEWS_NONE:
    case SL_NEWS_CONNECTED: break;
    case SL_NEWS_APPLY: apply(core, news); break;
    case SL_NEWS_HEAD: at_head(core, news); break;
    case SL_NEWS_RECEIPTS: sl_online_receipts(core); break;
    case SL_NEWS_RESET: lose_space(core, news->space, true); break;
    case SL_NEWS_REVOKED: lose_space(core, news->space, false); break;
    case SL_NEWS_SIGNAL: sl_signals_heard(core, frame); break;
    case SL_NEWS_LOADED: sl_window_loaded(core, news); break;
    case SL_NEWS_CHECKED: checked(core, news, frame->holes); break;
    }
}

void sl_online_message(sl_core *core, const void *p, size_t n)
{
    sl_link *link = &core->link;
    sl_frame frame;
    sl_news news = {.kind = SL_NEWS_NONE};
    sl_status status = sl_frame_read(link->in, &link->wire, p, n, &frame, NULL);
    if (status == SL_OK && frame.kind != SL_FRAME_PAGE && frame.kind != SL_FRAME_SUBSCRIBED &&
        sl_kept_commit(core) != SL_OK) {
        return; /* the connection is being closed */
    }
    if (status == SL_OK) {
        status = sl_sync_frame(core->sync, &frame, &news, NULL);
    }
    if (status != SL_OK) {
        core->platform.ws->close(core->platform.user, core->ws, 1002, "protocol");
        return;
    }
    if (news.kind == SL_NEWS_CONNECTED) {
        link->wire.zip = frame.zip && sl_zip_have();
        core->server_known = true;
        core->server_ahead_ms = frame.now_ms - sl_engine_mono(core);
        sl_signals_connected(core);
    }
    take_news(core, &news, &frame);
    if (frame.kind == SL_FRAME_PAGE) {
        sl_sync_page_done(core->sync, n);
    }
}

void sl_online_closed(sl_core *core, int32_t code, int64_t now_ms)
{
    sl_status_seen(core);
    core->ws = 0;
    core->close_code = code;
    if (code == 4409) {
        /* Another core says that it is this device (a copied folder): do not fight for it. */
        sl_sync_slow_down(core->sync);
    }
    if (code == 4401) {
        sl_mem_free(core->session.access);
        core->session.access = NULL;
    }
    sl_sync_closed(core->sync, now_ms);
}
