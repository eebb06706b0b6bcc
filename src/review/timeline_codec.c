/* review/timeline_codec.c - a timeline in bytes; the layout is in review/timeline.h. */
#include "review/inside.h"

#include "base/base64.h"
#include "base/error.h"

#include <string.h>

static const char MAGIC[4] = {'S', 'L', 'R', 'T'};

void sl_timeline_id_bytes(const char *text, uint8_t out[16])
{
    char hex[33];
    size_t n = 0;
    for (size_t i = 0; i < SL_UUID_LEN; i++) {
        if (text[i] != '-') {
            hex[n++] = text[i];
        }
    }
    hex[n] = 0;
    (void)sl_hex_decode(out, 16, hex);
}

void sl_timeline_id_text(const uint8_t id[16], char out[SL_UUID_LEN + 1])
{
    char hex[33];
    sl_hex(hex, id, 16);
    char *to = out;
    for (size_t i = 0; i < 32; i++) {
        if (i == 8 || i == 12 || i == 16 || i == 20) {
            *to++ = '-';
        }
        *to++ = hex[i];
    }
    *to = 0;
}

static void put_pair(const sl_pair *p, sl_buf *out)
{
    sl_buf_varint(out, (uint64_t)p->layout);
    if (p->layout != SL_LAYOUT_SINGLE) {
        uint8_t id[16];
        sl_timeline_id_bytes(p->video, id);
        sl_buf_put(out, id, sizeof id);
        sl_buf_varint(out, (uint64_t)p->mark_us);
        sl_buf_varint(out, (uint64_t)p->mark2_us);
        sl_buf_varint(out, (uint64_t)p->media_us);
        sl_buf_varint(out, (uint64_t)p->rate);
        sl_buf_varint(out, (uint64_t)p->opacity);
    }
}

static void put_content(const sl_timeline *t, const row *r, uint32_t *mentioned, sl_buf *out)
{
    switch (r->type) {
    case SL_EVENT_PLAY:
    case SL_EVENT_RATE: sl_buf_varint(out, (uint64_t)r->u.rate); break;
    case SL_EVENT_PAUSE: break;
    case SL_EVENT_SEEK:
    case SL_EVENT_STEP:
    case SL_EVENT_FREEZE: sl_buf_varint(out, (uint64_t)r->u.to_us); break;
    case SL_EVENT_PAIR: put_pair(&t->pairs[r->u.item].pair, out); break;
    case SL_EVENT_SHOW:
    case SL_EVENT_HIDE:
    case SL_EVENT_DRAW:
    case SL_EVENT_ERASE:
        sl_buf_varint(out, r->u.item);
        if (r->u.item == *mentioned) {
            sl_buf_put(out, t->items[r->u.item].id, 16);
            (*mentioned)++;
        }
        break;
    case SL_EVENT_VIEW:
        sl_buf_zigzag(out, r->u.view.x);
        sl_buf_zigzag(out, r->u.view.y);
        sl_buf_varint(out, (uint64_t)r->u.view.scale);
        break;
    default:
        if (r->u.extra.len > 0) {
            sl_buf_put(out, t->extra.data + r->u.extra.at, r->u.extra.len);
        }
        break;
    }
}

void sl_timeline_write(const sl_timeline *t, sl_buf *out)
{
    sl_buf content = {0};
    uint32_t mentioned = 0;
    int64_t last_us = 0;
    sl_buf_put(out, MAGIC, sizeof MAGIC);
    sl_buf_u8(out, SL_TIMELINE_VERSION);
    sl_buf_varint(out, (uint64_t)t->media_us);
    sl_buf_varint(out, (uint64_t)(t->end_us + 1));
    sl_buf_varint(out, t->n_events);
    for (size_t i = 0; i < t->n_events; i++) {
        const row *r = &t->events[i];
        sl_buf_clear(&content);
        put_content(t, r, &mentioned, &content);
        sl_buf_varint(out, (uint64_t)(r->t_us - last_us));
        sl_buf_varint(out, r->type);
        sl_buf_varint(out, content.len);
        sl_buf_put(out, content.data, content.len);
        out->failed = out->failed || content.failed;
        last_us = r->t_us;
    }
    sl_buf_free(&content);
}

static sl_status damaged(sl_error **err)
{
    return sl_fail(err, SL_E_INVALID, "these bytes are no review timeline");
}

/* A varint within [0, max]; else r->bad. */
static int64_t take_upto(sl_rd *r, int64_t max)
{
    uint64_t v = sl_rd_varint(r);
    if (v > (uint64_t)max) {
        r->bad = true;
        return 0;
    }
    return (int64_t)v;
}

static int32_t take_coordinate(sl_rd *r)
{
    int64_t v = sl_rd_zigzag(r);
    if (v < -SL_VIEW_MAX || v > SL_VIEW_MAX) {
        r->bad = true;
        return 0;
    }
    return (int32_t)v;
}

static void take_item(const sl_timeline *t, sl_rd *r, sl_event *e)
{
    size_t number = (size_t)take_upto(r, SL_TIMELINE_ITEMS_MAX);
    const uint8_t *id = NULL;
    if (!r->bad && number < t->n_items) {
        id = t->items[number].id;
    } else if (!r->bad && number == t->n_items) {
        id = sl_rd_take(r, 16);
    }
    if (id == NULL) {
        r->bad = true;
        return;
    }
    sl_timeline_id_text(id, e->item);
}

static void take_pair(sl_rd *r, sl_pair *p)
{
    p->layout = (sl_layout)take_upto(r, SL_LAYOUT_OVER);
    if (r->bad || p->layout == SL_LAYOUT_SINGLE) {
        return;
    }
    const uint8_t *id = sl_rd_take(r, 16);
    if (id == NULL) {
        r->bad = true;
        return;
    }
    sl_timeline_id_text(id, p->video);
    p->mark_us = take_upto(r, SL_MEDIA_US_MAX);
    p->mark2_us = take_upto(r, SL_MEDIA_US_MAX);
    p->media_us = take_upto(r, SL_MEDIA_US_MAX);
    p->rate = (int32_t)take_upto(r, SL_RATE_MAX);
    p->opacity = (int32_t)take_upto(r, SL_RATE_ONE);
}

/* The content of an event of a kind this version knows. */
static void take_content(const sl_timeline *t, sl_rd *r, sl_event *e)
{
    switch (e->kind) {
    case SL_EVENT_PLAY:
    case SL_EVENT_RATE: e->rate = (int32_t)take_upto(r, SL_RATE_MAX); break;
    case SL_EVENT_PAUSE: break;
    case SL_EVENT_SEEK:
    case SL_EVENT_STEP:
    case SL_EVENT_FREEZE: e->to_us = take_upto(r, SL_MEDIA_US_MAX); break;
    case SL_EVENT_SHOW:
    case SL_EVENT_HIDE:
    case SL_EVENT_DRAW:
    case SL_EVENT_ERASE: take_item(t, r, e); break;
    case SL_EVENT_PAIR: take_pair(r, &e->pair); break;
    case SL_EVENT_VIEW:
        e->view.x = take_coordinate(r);
        e->view.y = take_coordinate(r);
        e->view.scale = (int32_t)take_upto(r, SL_SCALE_MAX);
        break;
    }
}

static sl_status take_event(sl_timeline *t, sl_rd *r, int64_t *t_us, sl_error **err)
{
    *t_us += take_upto(r, SL_VOICE_US_MAX);
    uint64_t type = sl_rd_varint(r);
    uint64_t len = sl_rd_varint(r);
    const uint8_t *content = len <= r->left ? sl_rd_take(r, (size_t)len) : NULL;
    if (content == NULL || type == 0) {
        return damaged(err);
    }
    if (type > SL_EVENT_LAST) {
        return sl_timeline_push_unknown(t, *t_us, type, content, (size_t)len, err);
    }
    sl_rd inner = {content, (size_t)len, false};
    sl_event e = {0};
    e.t_us = *t_us;
    e.kind = (sl_event_kind)type;
    take_content(t, &inner, &e);
    if (inner.bad || inner.left != 0) {
        return damaged(err);
    }
    return sl_timeline_push(t, &e, err);
}

static sl_status take_all(sl_rd *r, sl_timeline **out, sl_error **err)
{
    const uint8_t *magic = sl_rd_take(r, sizeof MAGIC);
    uint8_t version = sl_rd_u8(r);
    if (magic == NULL || memcmp(magic, MAGIC, sizeof MAGIC) != 0 || r->bad || version == 0) {
        return damaged(err);
    }
    if (version > SL_TIMELINE_VERSION) {
        return sl_fail(err, SL_E_TOO_NEW, "the timeline was made by a newer version");
    }
    int64_t media_us = take_upto(r, SL_MEDIA_US_MAX);
    int64_t end = take_upto(r, SL_VOICE_US_MAX + 1);
    int64_t n = take_upto(r, SL_TIMELINE_EVENTS_MAX);
    if (r->bad) {
        return damaged(err);
    }
    sl_status s = sl_timeline_make(media_us, out, err);
    int64_t t_us = 0;
    for (int64_t i = 0; s == SL_OK && i < n; i++) {
        s = take_event(*out, r, &t_us, err);
    }
    if (s == SL_OK && r->left != 0) {
        s = damaged(err);
    }
    return s == SL_OK && end > 0 ? sl_timeline_finish(*out, end - 1, err) : s;
}

sl_status sl_timeline_read(const uint8_t *p, size_t n, sl_timeline **out, sl_error **err)
{
    *out = NULL;
    sl_rd r = {p, n, false};
    sl_status s = take_all(&r, out, err);
    if (s == SL_OK && *out != NULL) {
        /* Numbers have longer spellings: the way back shows whether one was used. */
        sl_buf again = {0};
        sl_timeline_write(*out, &again);
        if (again.failed) {
            s = sl_fail_nomem(err);
        } else if (again.len != n || memcmp(again.data, p, n) != 0) {
            s = damaged(err);
        }
        sl_buf_free(&again);
    }
    if (s != SL_OK) {
        sl_timeline_drop(*out);
        *out = NULL;
    }
    return s;
}
