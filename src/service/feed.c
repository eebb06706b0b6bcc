/*
 * service/feed.c - subscriptions, pages and live changes.
 *
 *   [FEED-1] between a page and the next, and between the last page and the first change, nothing
 *            is lost: pages are read, subscriptions go live and changes are told under one lock;
 *   [FEED-2] a connection has at most SL_SV_FLIGHT bytes of pages on the way, and a page over;
 *   [FEED-3] what a transaction changed in a space is one frame (in parts when it is large),
 *            encoded once for each encoding.
 */
#include "service/inside.h"

#include "base/base64.h"
#include "base/plant.h"

#include <string.h>

/* Returns its size; 0: out of memory, nothing was sent. */
size_t sl_sv_send(sl_service *s, sl_sv_conn *c, const sl_frame *f, sl_items *items)
{
    sl_buf_clear(&s->out);
    sl_frame_put(&c->wire, &s->out, f, items);
    if (s->out.failed) {
        return 0;
    }
    sl_sv_tell(s, c->id, s->out.data, s->out.len);
    return s->out.len;
}

static sl_status send_or_fail(sl_service *s, sl_sv_conn *c, const sl_frame *f, sl_items *items)
{
    return sl_sv_send(s, c, f, items) > 0 ? SL_OK : SL_E_NOMEM;
}

typedef struct state_row {
    sl_sv_state *space;
    bool found;
} state_row;

static bool take_state(void *ctx, const sl_cell *cells, size_t n)
{
    state_row *r = ctx;
    const char *epoch = sl_cell_str(&cells[0]);
    (void)n;
    r->found = true;
    sl_sv_copy(r->space->epoch, sizeof r->space->epoch, epoch != NULL ? epoch : "");
    r->space->seq = sl_cell_int_or(&cells[1], 0);
    r->space->min_seq = sl_cell_int_or(&cells[2], 0);
    r->space->summed = cells[3].kind == SL_CELL_INT;
    r->space->sum = (uint64_t)sl_cell_int_or(&cells[3], 0);
    return true;
}

sl_status sl_sv_state_read(sl_service *s, sl_sv_state *space, bool *found, sl_error **err)
{
    state_row row = {space, false};
    sl_cell name = sl_cell_text(space->name);
    sl_status status = s->ports.db.run(s->ports.db.user,
                                       "SELECT epoch, seq, min_seq, sum FROM space WHERE space=$1",
                                       &name, 1, take_state, &row, err);
    const sl_sv_head *head = sl_sv_head_find(s, space->name);
    *found = status == SL_OK && row.found;
    if (*found && head != NULL) {
        space->seq = head->seq;
        space->summed = true;
        space->sum = head->sum;
    }
    return status;
}

sl_status sl_sv_item_add(sl_service *s, const char *space, const char *entity, const char *id)
{
    const sl_entity *e = sl_entity_find(entity);
    sl_status status = e == NULL ? SL_E_CORRUPT : sl_sv_load(s, e, space, id, &s->rec, NULL);
    if (status == SL_OK) {
        status = s->rec.entity != NULL ? sl_items_record(s->items, &s->rec) : SL_E_CORRUPT;
    }
    return status;
}

static sl_status rows_after(sl_service *s, const char *space, int64_t at, sl_sv_rows *rows)
{
    return sl_sv_all(s,
                     "SELECT seq, entity, id FROM feed WHERE space=$1 AND seq>$2 ORDER BY seq"
                     " LIMIT $3",
                     SL_SV_ARGS(sl_cell_text(space),
                                sl_cell_int(SL_PLANTED("page-skips-one") ? at + 1 : at),
                                sl_cell_int(s->page_records)),
                     rows, NULL);
}

sl_status sl_sv_page(sl_service *s, const sl_sv_state *space, int64_t at, const sl_hole *hole,
                     int64_t *to)
{
    sl_sv_rows rows;
    sl_items_clear(s->items);
    sl_status status = hole->upto > 0 ? sl_sv_rows_beside(s, space->name, at, hole, &rows)
                                      : rows_after(s, space->name, at, &rows);
    size_t i = 0;
    *to = at;
    for (; status == SL_OK && i < rows.count && sl_items_size(s->items) < SL_SV_PAGE_BYTES; i++) {
        status = sl_sv_item_add(s, space->name, sl_sv_text(&rows, i, 1), sl_sv_text(&rows, i, 2));
        *to = sl_sv_int(&rows, i, 0);
    }
    /* Numbers above the newest record do not exist: the last page reaches the head. */
    if (status == SL_OK && i == rows.count && rows.count < (size_t)s->page_records) {
        *to = space->seq;
    }
    sl_sv_rows_free(&rows);
    return status;
}

/* --- cursors --------------------------------------------------------------------------------- */

/*
 * What a device is told as the epoch of a space is the space's own, and the number that the space had
 * when the device began to read: 24 bytes in Base64. What was deleted up to that number the device never
 * saw: a long first read goes on where it was, though its cursor is below min_seq. At 0 it is the space's
 * own alone.
 */
enum {
    TOLD_BYTES = SL_UUID_BYTES + 8
};

void sl_sv_epoch_tell(sl_sv_state *space)
{
    uint8_t bytes[TOLD_BYTES];
    sl_buf text = {0};
    if (space->base <= 0 || !sl_uuid_decode(bytes, space->epoch)) {
        return;
    }
    for (int i = 0; i < 8; i++) {
        bytes[SL_UUID_BYTES + i] = (uint8_t)((uint64_t)space->base >> (56 - 8 * i));
    }
    sl_base64url(&text, bytes, sizeof bytes);
    if (!text.failed) {
        sl_sv_copy(space->epoch, sizeof space->epoch, sl_buf_text(&text));
    }
    sl_buf_free(&text);
}

/* True when it is the space's, as a device was told it. */
static bool read_epoch(const sl_sv_state *space, const char *epoch, int64_t *base)
{
    uint8_t own[SL_UUID_BYTES];
    sl_buf told = {0};
    uint64_t n = 0;
    *base = 0;
    if (strcmp(epoch, space->epoch) == 0) {
        return true;
    }
    bool same = sl_base64url_decode(&told, epoch, strlen(epoch)) && told.len == TOLD_BYTES &&
                sl_uuid_decode(own, space->epoch) && memcmp(told.data, own, sizeof own) == 0;
    for (size_t i = sizeof own; same && i < TOLD_BYTES; i++) {
        n = n << 8 | told.data[i];
    }
    same = same && n <= (uint64_t)space->seq;
    *base = same ? (int64_t)n : 0;
    sl_buf_free(&told);
    return same;
}

bool sl_sv_hears_all(const sl_sv_state *space, int64_t at)
{
    return at >= space->min_seq || space->base >= space->min_seq;
}

bool sl_sv_cursor_ok(sl_sv_state *space, const char *epoch, int64_t from)
{
    bool named = epoch != NULL && epoch[0] != 0;
    bool same = (named && read_epoch(space, epoch, &space->base)) || SL_PLANTED("reset-missed");
    if (from == 0 && !named) {
        space->base = space->seq;
    }
    bool ok = (from == 0 || (from > 0 && same && from <= space->seq)) &&
              sl_sv_hears_all(space, from); /* one at 0 that names an epoch may hold something */
    sl_sv_epoch_tell(space);
    return ok;
}

static sl_status send_page(sl_service *s, sl_sv_sub *sub, const sl_sv_state *space)
{
    int64_t to = 0;
    sl_status status = sl_sv_page(s, space, sub->at, &sub->hole, &to);
    if (status != SL_OK) {
        return status;
    }
    sl_frame f = {.kind = SL_FRAME_PAGE,
                  .space = space->name,
                  .epoch = space->epoch,
                  .from = sub->at,
                  .to = to,
                  .more = to < space->seq,
                  .hole = sub->told ? 0 : sub->hole.upto};
    sub->told = true;
    size_t bytes = sl_sv_send(s, sub->conn, &f, s->items);
    sub->at = to;
    sub->conn->flight += bytes;
    return bytes > 0 ? SL_OK : SL_E_NOMEM;
}

static sl_status go_live(sl_service *s, sl_sv_sub *sub, const sl_sv_state *space)
{
    sl_frame f = {.kind = SL_FRAME_SUBSCRIBED,
                  .space = space->name,
                  .epoch = space->epoch,
                  .to = space->seq,
                  .role = sl_sv_role_name(sub->role),
                  .summed = space->summed,
                  .sum = space->sum};
    sl_sv_sub_live(sub);
    return send_or_fail(s, sub->conn, &f, NULL);
}

/* What was taken away meanwhile it may hold: it begins anew. */
static sl_status go_on(sl_service *s, sl_sv_sub *sub, sl_sv_state *space)
{
    space->base = sub->base;
    bool whole = sl_sv_hears_all(space, sub->at);
    sl_sv_epoch_tell(space);
    if (whole) {
        return sub->at < space->seq ? send_page(s, sub, space) : go_live(s, sub, space);
    }
    sl_sv_conn *c = sub->conn;
    sl_frame f = {.kind = SL_FRAME_RESET, .space = space->name, .epoch = space->epoch};
    sl_status status = send_or_fail(s, c, &f, NULL);
    sl_sv_sub_remove(sub);
    return status;
}

/* Sends pages while there is room for them on the way: the first subscription in the queue, then
 * the next. */
static sl_status pump(sl_service *s, sl_sv_conn *c)
{
    sl_status status = SL_OK;
    while (status == SL_OK && c->queue != NULL && c->flight < (size_t)s->page_flight) {
        sl_sv_sub *sub = c->queue;
        sl_sv_state space = {.name = sub->topic->space};
        bool found = false;
        status = sl_sv_state_read(s, &space, &found, NULL);
        if (status == SL_OK && !found) {
            status = SL_E_CORRUPT;
        } else if (status == SL_OK) {
            status = go_on(s, sub, &space);
        }
    }
    return status;
}

void sl_sv_drop_failed(sl_service *s, sl_sv_conn *c, sl_status status)
{
    if (status == SL_E_LIMIT) {
        sl_sv_drop(s, c, 4400, status, "too many subscriptions");
    } else if (status != SL_OK) {
        sl_sv_drop(s, c, 1011, SL_E_INTERNAL, "the server failed; try again");
    }
}

/* A space that is there was not shown. */
static void note_hidden(sl_service *s, const sl_sv_conn *c, const char *space)
{
    bool there = false;
    if (sl_space_ok(space) && sl_sv_space_exists(s, space, &there, NULL) == SL_OK && there) {
        sl_sv_audit_note(s, c->user, "ws.subscribe", space, "revoked");
    }
}

static sl_status subscribe(sl_service *s, sl_sv_conn *c, const sl_frame *frame)
{
    sl_sv_state space = {.name = frame->space};
    unsigned role = 0;
    bool found = false;
    sl_sv_unsubscribe(c, frame->space);
    sl_status status = sl_sv_may_read(s, c->user, sl_sv_standing(&c->rank, sl_sv_now(s)),
                                      frame->space, &role, NULL);
    if (status == SL_OK && role != 0) {
        status = sl_sv_state_read(s, &space, &found, NULL);
    }
    if (status != SL_OK) {
        return status;
    }
    if (!found) {
        note_hidden(s, c, frame->space);
        return send_or_fail(s, c, &(sl_frame){.kind = SL_FRAME_REVOKED, .space = frame->space},
                            NULL);
    }
    int64_t from = frame->from;
    if (!sl_sv_cursor_ok(&space, frame->epoch, from)) {
        sl_frame f = {.kind = SL_FRAME_RESET, .space = frame->space, .epoch = space.epoch};
        return send_or_fail(s, c, &f, NULL);
    }
    sl_sv_sub *sub = NULL;
    status = sl_sv_sub_add(s, c, frame->space, &sub);
    if (status == SL_OK) {
        sub->at = from;
        sub->base = space.base;
        sub->role = role;
        status = sl_sv_hole(s, frame->space, from, frame->last, &sub->hole);
    }
    if (status == SL_OK) {
        sl_sv_sub_queue(sub, false);
        status = pump(s, c);
    }
    return status;
}

void sl_sv_on_subscribe(sl_service *s, sl_sv_conn *c, const sl_frame *frame)
{
    sl_sv_drop_failed(s, c, subscribe(s, c, frame));
}

void sl_sv_unsubscribe(sl_sv_conn *c, const char *space)
{
    sl_sv_sub *sub = sl_sv_sub_find(c, space);
    if (sub != NULL) {
        sl_sv_sub_remove(sub);
    }
}

void sl_sv_on_more(sl_service *s, sl_sv_conn *c, const sl_frame *frame)
{
    size_t bytes = (uint64_t)frame->bytes < c->flight ? (size_t)frame->bytes : c->flight;
    c->flight -= bytes;
    sl_sv_drop_failed(s, c, pump(s, c));
}

void sl_sv_on_prefer(const sl_sv_conn *c, const sl_frame *frame)
{
    sl_sv_sub *sub = sl_sv_sub_find(c, frame->space);
    if (sub != NULL && !sub->live) {
        sl_sv_sub_queue(sub, true);
    }
}

static void tell_loss(sl_service *s, const sl_sv_loss *loss)
{
    for (size_t i = 0; i < s->conn_count; i++) {
        sl_sv_conn *c = s->conns[i];
        if (c->ready && strcmp(c->user, loss->user) == 0) {
            sl_sv_unsubscribe(c, loss->space);
            sl_frame f = {.kind = SL_FRAME_REVOKED, .space = loss->space};
            (void)sl_sv_send(s, c, &f, NULL);
        }
    }
}

/* Sends s->items to all who are live. A listener that cannot be told has a gap: it is cut off and
 * comes again with its cursor. */
static void tell_change(sl_service *s, const sl_sv_topic *t, const sl_frame *f)
{
    int64_t now_s = sl_sv_now(s) / 1000;
    bool to_all = SL_PLANTED("thread-to-all") && sl_space_is(f->space, "thread");
    for (size_t i = 0; to_all && i < s->conn_count; i++) {
        (void)(s->conns[i]->ready ? sl_sv_send(s, s->conns[i], f, s->items) : 0);
    }
    for (size_t i = t->count; i-- > 0;) {
        sl_sv_conn *c = t->subs[i]->conn;
        if (!t->subs[i]->live) {
            continue;
        }
        if (c->exp_s <= now_s) {
            sl_sv_drop(s, c, 4401, SL_E_AUTH, "the token has expired");
        } else if (sl_sv_send(s, c, f, s->items) == 0) {
            sl_sv_drop(s, c, 1011, SL_E_INTERNAL, "the server failed; try again");
        }
    }
}

static void drop_listeners(sl_service *s, const sl_sv_topic *t)
{
    for (size_t i = t->count; i-- > 0;) {
        if (t->subs[i]->live) {
            sl_sv_drop(s, t->subs[i]->conn, 1011, SL_E_INTERNAL, "the server failed; try again");
        }
    }
}

/* The saved items from *i on of one space, as many as a frame takes. */
static void tell_part(sl_service *s, const sl_sv_tx *tx, size_t *i)
{
    const char *space = tx->items[*i]->space;
    const sl_sv_topic *t = sl_sv_topic_find(s, space);
    bool told = t != NULL && t->count > 0;
    sl_frame f = {.kind = SL_FRAME_CHANGE, .space = space};
    sl_status status = SL_OK;
    sl_items_clear(s->items);
    while (*i < tx->item_count && strcmp(tx->items[*i]->space, space) == 0 &&
           sl_items_count(s->items) < (size_t)s->change_records &&
           sl_items_size(s->items) < SL_SV_PAGE_BYTES) {
        const sl_sv_item *item = tx->items[(*i)++];
        if (!item->saved || !told) {
            continue;
        }
        f.from = f.to == 0 ? item->rec.seq - 1 : f.from;
        f.to = item->rec.seq;
        status = status == SL_OK ? sl_items_record(s->items, &item->rec) : status;
    }
    if (told && status != SL_OK) {
        drop_listeners(s, t);
    } else if (told && sl_items_count(s->items) > 0) {
        tell_change(s, t, &f);
    }
}

void sl_sv_publish(sl_service *s, const sl_sv_tx *tx)
{
    for (size_t i = 0; i < tx->loss_count; i++) {
        tell_loss(s, &tx->losses[i]);
    }
    for (size_t i = SL_PLANTED("tell-nobody") ? tx->item_count : 0; i < tx->item_count;) {
        tell_part(s, tx, &i);
    }
    for (size_t i = s->ports.push != NULL ? 0 : tx->item_count; i < tx->item_count; i++) {
        sl_sv_notify(s, tx->items[i], tx->now_ms);
    }
}
