/*
 * service/feed.c - subscriptions, pages and live changes.
 *
 * Pages are read and the subscription is made under one hold of the lock, and changes are told
 * under it too: between the last page and the first change nothing is lost.
 */
#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "service/inside.h"

#include <string.h>

static size_t sub_place(const sl_sv_conn *c, const char *space)
{
    size_t from = 0;
    size_t to = c->sub_count;
    while (from < to) {
        size_t mid = from + (to - from) / 2;
        if (strcmp(c->subs[mid], space) < 0) {
            from = mid + 1;
        } else {
            to = mid;
        }
    }
    return from;
}

bool sl_sv_subscribed(const sl_sv_conn *c, const char *space)
{
    size_t i = sub_place(c, space);
    return i < c->sub_count && strcmp(c->subs[i], space) == 0;
}

static sl_status sub_add(sl_sv_conn *c, const char *space)
{
    size_t i = sub_place(c, space);
    if (i < c->sub_count && strcmp(c->subs[i], space) == 0) {
        return SL_OK;
    }
    if (c->sub_count == SL_SV_SUBS_MAX) {
        return SL_E_LIMIT;
    }
    if (c->sub_count == c->sub_cap) {
        size_t cap = c->sub_cap == 0 ? 8 : c->sub_cap * 2;
        sl_sv_space *grown = sl_mem_resize(c->subs, cap, sizeof *grown);
        if (grown == NULL) {
            return SL_E_NOMEM;
        }
        c->subs = grown;
        c->sub_cap = cap;
    }
    memmove(&c->subs[i + 1], &c->subs[i], (c->sub_count - i) * sizeof(c->subs[0]));
    memset(c->subs[i], 0, sizeof c->subs[i]);
    memcpy(c->subs[i], space, strlen(space) + 1);
    c->sub_count++;
    return SL_OK;
}

void sl_sv_unsubscribe(sl_sv_conn *c, const char *space)
{
    size_t i = sub_place(c, space);
    if (i < c->sub_count && strcmp(c->subs[i], space) == 0) {
        c->sub_count--;
        memmove(&c->subs[i], &c->subs[i + 1], (c->sub_count - i) * sizeof(c->subs[0]));
    }
}

void sl_sv_on_unsubscribe(sl_sv_conn *c, const sl_json *frame)
{
    const char *space = sl_json_str(frame, "space");
    if (sl_space_ok(space)) {
        sl_sv_unsubscribe(c, space);
    }
}

/* Sends what the buffer holds and frees it. */
static sl_status send_buf(sl_service *s, const sl_sv_conn *c, sl_buf *b)
{
    sl_status status = b->failed ? SL_E_NOMEM : SL_OK;
    if (status == SL_OK) {
        sl_sv_send(s, c, sl_buf_text(b), b->len);
    }
    sl_buf_free(b);
    return status;
}

typedef struct space_state {
    const char *name;
    char epoch[64];
    int64_t seq;
    int64_t min_seq;
} space_state;

/* The records of a page, behind each other. *to: the number it reaches. */
static sl_status page_records(sl_service *s, const space_state *space, int64_t from, sl_buf *b,
                              int64_t *to)
{
    sl_sv_rows rows;
    sl_status status = sl_sv_all(
        s,
        "SELECT seq, entity, id FROM feed WHERE space=$1 AND seq>$2 ORDER BY seq"
        " LIMIT $3",
        SL_SV_ARGS(sl_cell_text(space->name), sl_cell_int(from), sl_cell_int(SL_SV_PAGE_RECORDS)),
        &rows, NULL);
    size_t i = 0;
    sl_record rec = {0};
    for (; status == SL_OK && i < rows.count && b->len < SL_SV_PAGE_BYTES; i++) {
        const sl_entity *e = sl_entity_find(sl_sv_text(&rows, i, 1));
        status = e == NULL ? SL_E_CORRUPT
                           : sl_sv_load(s, e, space->name, sl_sv_text(&rows, i, 2), &rec, NULL);
        if (status != SL_OK) {
            break;
        }
        if (i > 0) {
            sl_buf_u8(b, ',');
        }
        if (rec.entity != NULL) {
            sl_record_put_wire(b, &rec);
        } else {
            status = SL_E_CORRUPT;
        }
        *to = sl_sv_int(&rows, i, 0);
    }
    sl_record_free(&rec);
    /* Numbers above the newest record do not exist: the last page reaches the head. */
    if (status == SL_OK && i == rows.count && rows.count < SL_SV_PAGE_RECORDS) {
        *to = space->seq;
    }
    sl_sv_rows_free(&rows);
    return status;
}

static sl_status send_page(sl_service *s, const sl_sv_conn *c, const space_state *space,
                           int64_t *from)
{
    sl_buf records = {0};
    sl_buf b = {0};
    int64_t to = space->seq;
    sl_status status = page_records(s, space, *from, &records, &to);
    if (status == SL_OK && records.failed) {
        status = SL_E_NOMEM;
    }
    if (status == SL_OK) {
        sl_buf_fmt(&b,
                   "{\"t\":\"page\",\"space\":\"%s\",\"epoch\":\"%s\",\"from\":%lld,\"to\":%lld,"
                   "\"more\":%s,\"records\":[",
                   space->name, space->epoch, (long long)*from, (long long)to,
                   to < space->seq ? "true" : "false");
        sl_buf_put(&b, records.data, records.len);
        sl_buf_str(&b, "]}");
        status = send_buf(s, c, &b);
    }
    sl_buf_free(&records);
    *from = to;
    return status;
}

static sl_status space_read(sl_service *s, space_state *space, bool *found)
{
    sl_sv_rows rows;
    sl_status status = sl_sv_all(s, "SELECT epoch, seq, min_seq FROM space WHERE space=$1",
                                 SL_SV_ARGS(sl_cell_text(space->name)), &rows, NULL);
    *found = status == SL_OK && rows.count > 0;
    if (*found) {
        sl_sv_copy(space->epoch, sizeof space->epoch, sl_sv_text(&rows, 0, 0));
        space->seq = sl_sv_int(&rows, 0, 1);
        space->min_seq = sl_sv_int(&rows, 0, 2);
    }
    sl_sv_rows_free(&rows);
    return status;
}

static sl_status send_short(sl_service *s, const sl_sv_conn *c, const char *t, const char *space,
                            const char *epoch)
{
    sl_buf b = {0};
    sl_buf_fmt(&b, "{\"t\":\"%s\",\"space\":\"%s\"", t, space);
    if (epoch != NULL) {
        sl_buf_fmt(&b, ",\"epoch\":\"%s\"", epoch);
    }
    sl_buf_u8(&b, '}');
    return send_buf(s, c, &b);
}

static sl_status catch_up(sl_service *s, sl_sv_conn *c, const space_state *space, int64_t from,
                          unsigned role)
{
    sl_status status = SL_OK;
    while (status == SL_OK && from < space->seq) {
        status = send_page(s, c, space, &from);
    }
    if (status == SL_OK) {
        status = sub_add(c, space->name);
    }
    if (status != SL_OK) {
        return status;
    }
    sl_buf b = {0};
    sl_buf_fmt(&b,
               "{\"t\":\"subscribed\",\"space\":\"%s\",\"epoch\":\"%s\",\"seq\":%lld,"
               "\"role\":\"%s\"}",
               space->name, space->epoch, (long long)space->seq, sl_sv_role_name(role));
    return send_buf(s, c, &b);
}

static sl_status subscribe(sl_service *s, sl_sv_conn *c, const sl_json *frame, const char *name)
{
    int64_t from = sl_json_int_or(frame, "from", -1);
    const char *epoch = sl_json_str(frame, "epoch");
    space_state space = {.name = name};
    unsigned role = 0;
    bool found = false;
    sl_sv_unsubscribe(c, name);
    sl_status status = sl_sv_role(s, c->user, name, &role, NULL);
    if (status == SL_OK && role != 0) {
        status = space_read(s, &space, &found);
    }
    if (status != SL_OK) {
        return status;
    }
    if (!found) {
        return send_short(s, c, "revoked", name, NULL);
    }
    bool other = epoch == NULL || strcmp(epoch, space.epoch) != 0;
    if (from < 0 || (from > 0 && (other || from > space.seq || from < space.min_seq))) {
        return send_short(s, c, "reset", name, space.epoch);
    }
    return catch_up(s, c, &space, from, role);
}

void sl_sv_on_subscribe(sl_service *s, sl_sv_conn *c, const sl_json *frame)
{
    const char *name = sl_json_str(frame, "space");
    if (!sl_space_ok(name)) {
        sl_sv_drop(s, c, 4400, SL_E_INVALID, "subscribe needs a space");
        return;
    }
    sl_sv_space space = {0};
    memcpy(space, name, strlen(name) + 1);
    sl_status status = subscribe(s, c, frame, space);
    if (status == SL_E_LIMIT) {
        sl_sv_drop(s, c, 4400, status, "too many subscriptions");
    } else if (status != SL_OK) {
        sl_sv_drop(s, c, 1011, SL_E_INTERNAL, "the server failed; try again");
    }
}

void sl_sv_on_typing(sl_service *s, sl_sv_conn *c, const sl_json *frame)
{
    const char *space = sl_json_str(frame, "space");
    if (!sl_space_ok(space) || !sl_sv_subscribed(c, space)) {
        return;
    }
    char *text = sl_text_fmt("{\"t\":\"typing\",\"space\":\"%s\",\"user\":\"%s\"}", space, c->user);
    for (size_t i = 0; text != NULL && i < s->conn_count; i++) {
        const sl_sv_conn *to = s->conns[i];
        if (strcmp(to->user, c->user) != 0 && sl_sv_subscribed(to, space)) {
            sl_sv_send(s, to, text, strlen(text));
        }
    }
    sl_mem_free(text);
}

static void tell_loss(sl_service *s, const sl_sv_loss *loss)
{
    for (size_t i = 0; i < s->conn_count; i++) {
        sl_sv_conn *c = s->conns[i];
        if (c->ready && strcmp(c->user, loss->user) == 0) {
            sl_sv_unsubscribe(c, loss->space);
            (void)send_short(s, c, "revoked", loss->space, NULL);
        }
    }
}

/* A listener that cannot be told has a gap: it is cut off and comes again with its cursor. */
static void tell_change(sl_service *s, const sl_record *rec)
{
    sl_buf b = {0};
    sl_buf_fmt(&b, "{\"t\":\"change\",\"space\":\"%s\",\"seq\":%lld,\"record\":", rec->space,
               (long long)rec->seq);
    sl_record_put_wire(&b, rec);
    sl_buf_u8(&b, '}');
    bool ok = !b.failed;
    int64_t now_s = sl_sv_now(s) / 1000;
    for (size_t i = s->conn_count; i-- > 0;) {
        sl_sv_conn *c = s->conns[i];
        if (!sl_sv_subscribed(c, rec->space)) {
            continue;
        }
        if (c->exp_s <= now_s) {
            sl_sv_drop(s, c, 4401, SL_E_AUTH, "the token has expired");
        } else if (ok) {
            sl_sv_send(s, c, sl_buf_text(&b), b.len);
        } else {
            sl_sv_drop(s, c, 1011, SL_E_INTERNAL, "the server failed; try again");
        }
    }
    sl_buf_free(&b);
}

void sl_sv_publish(sl_service *s, const sl_sv_tx *tx)
{
    for (size_t i = 0; i < tx->loss_count; i++) {
        tell_loss(s, &tx->losses[i]);
    }
    for (size_t i = 0; i < tx->item_count; i++) {
        if (tx->items[i]->saved) {
            tell_change(s, &tx->items[i]->rec);
        }
    }
}
