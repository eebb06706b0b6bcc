#include "review/timeline.h"

#include "base/error.h"
#include "base/mem.h"
#include "review/inside.h"

#include <string.h>

static const int64_t NEVER = INT64_MAX;

bool sl_timeline_room(void **array, size_t n, size_t *room, size_t size)
{
    if (n < *room) {
        return true;
    }
    size_t wanted = *room != 0 ? *room * 2 : 16;
    void *grown = sl_mem_resize(*array, wanted, size);
    if (grown == NULL) {
        return false;
    }
    *array = grown;
    *room = wanted;
    return true;
}

sl_status sl_timeline_make(int64_t media_duration_us, sl_timeline **out, sl_error **err)
{
    *out = NULL;
    if (media_duration_us < 0 || media_duration_us > SL_MEDIA_US_MAX) {
        return sl_fail_field(err, SL_E_INVALID, "media_duration_us", "no length of a video");
    }
    sl_timeline *t = sl_mem(sizeof *t);
    if (t == NULL) {
        return sl_fail_nomem(err);
    }
    t->media_us = media_duration_us;
    t->end_us = -1;
    *out = t;
    return SL_OK;
}

void sl_timeline_drop(sl_timeline *t)
{
    if (t == NULL) {
        return;
    }
    sl_mem_free(t->events);
    sl_mem_free(t->segments);
    sl_mem_free(t->spans);
    sl_mem_free(t->snapshots);
    sl_mem_free(t->open);
    sl_mem_free(t->pairs);
    sl_mem_free(t->items);
    sl_mem_free(t->by_id);
    sl_buf_free(&t->extra);
    sl_mem_free(t);
}

int64_t sl_timeline_media_us(const sl_timeline *t)
{
    return t->media_us;
}

static int64_t last_event_us(const sl_timeline *t)
{
    return t->n_events > 0 ? t->events[t->n_events - 1].t_us : 0;
}

int64_t sl_timeline_duration_us(const sl_timeline *t)
{
    return t->end_us >= 0 ? t->end_us : last_event_us(t);
}

/* The state before any event, of which every other one is made. */
static const segment START = {0, 0, 0, {0, SL_RATE_ONE, false, false, {0, 0, SL_SCALE_ONE}}};

/* A segment's state at t_us >= its start; returns the thousandths of the position. */
static int32_t state_in(const segment *s, int64_t media_us, int64_t t_us, sl_timeline_state_t *out)
{
    *out = s->state;
    if (!s->state.playing || t_us < s->anchor_us) {
        out->frozen = s->state.playing;
        return s->rest;
    }
    /* At most a day times 16 thousand: no overflow. */
    int64_t moved = (t_us - s->anchor_us) * s->state.rate + s->rest;
    out->position_us += moved / SL_RATE_ONE;
    if (out->position_us >= media_us) {
        out->position_us = media_us;
        out->playing = false;
        return 0;
    }
    return (int32_t)(moved % SL_RATE_ONE);
}

static const segment *segment_at(const sl_timeline *t, int64_t t_us)
{
    size_t lo = 0;
    size_t hi = t->n_segments;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (t->segments[mid].t_us <= t_us) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo > 0 ? &t->segments[lo - 1] : &START;
}

int64_t sl_timeline_within(const sl_timeline *t, int64_t t_us)
{
    int64_t last = t->end_us >= 0 ? t->end_us : SL_VOICE_US_MAX;
    return t_us < last ? t_us : last;
}

void sl_timeline_at(const sl_timeline *t, int64_t t_us, sl_timeline_state_t *out)
{
    t_us = sl_timeline_within(t, t_us);
    state_in(segment_at(t, t_us), t->media_us, t_us, out);
}

static size_t id_place(const sl_timeline *t, const uint8_t id[16])
{
    size_t lo = 0;
    size_t hi = t->n_items;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (memcmp(t->items[t->by_id[mid]].id, id, 16) < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

/* The number of an item, given one on its first mention. */
static sl_status intern(sl_timeline *t, const uint8_t id[16], uint32_t *out, sl_error **err)
{
    size_t at = id_place(t, id);
    if (at < t->n_items && memcmp(t->items[t->by_id[at]].id, id, 16) == 0) {
        *out = t->by_id[at];
        return SL_OK;
    }
    if (t->n_items >= SL_TIMELINE_ITEMS_MAX) {
        return sl_fail(err, SL_E_LIMIT, "a timeline shows at most %d items", SL_TIMELINE_ITEMS_MAX);
    }
    void *items = t->items;
    bool room = sl_timeline_room(&items, t->n_items, &t->items_room, sizeof *t->items);
    t->items = items;
    void *by_id = t->by_id;
    room = room && sl_timeline_room(&by_id, t->n_items, &t->by_id_room, sizeof *t->by_id);
    t->by_id = by_id;
    if (!room) {
        return sl_fail_nomem(err);
    }
    memmove(t->by_id + at + 1, t->by_id + at, (t->n_items - at) * sizeof *t->by_id);
    t->by_id[at] = (uint32_t)t->n_items;
    memcpy(t->items[t->n_items].id, id, 16);
    t->items[t->n_items].span = NO_SPAN;
    *out = (uint32_t)t->n_items++;
    return SL_OK;
}

static sl_status check_time(const sl_timeline *t, int64_t t_us, sl_error **err)
{
    if (t->end_us >= 0) {
        return sl_fail_field(err, SL_E_INVALID, "t", "the timeline has ended");
    }
    if (t_us < 0 || t_us > SL_VOICE_US_MAX) {
        return sl_fail_field(err, SL_E_INVALID, "t", "a time is from 0 to 24 hours");
    }
    if (t_us < last_event_us(t)) {
        return sl_fail_field(err, SL_E_INVALID, "t", "times never go back");
    }
    return SL_OK;
}

/* What an event makes of a state at its time; a play at the end of the clip stays there. */
static void change(const sl_timeline *t, segment *s, const sl_event *e)
{
    sl_timeline_state_t *state = &s->state;
    int64_t to_us = e->to_us < t->media_us ? e->to_us : t->media_us;
    switch (e->kind) {
    case SL_EVENT_PLAY:
        state->playing = state->position_us < t->media_us;
        state->rate = e->rate != 0 ? e->rate : state->rate;
        break;
    case SL_EVENT_PAUSE: state->playing = false; break;
    case SL_EVENT_SEEK:
    case SL_EVENT_STEP:
        state->position_us = to_us;
        s->rest = 0;
        state->playing =
            e->kind == SL_EVENT_SEEK && state->playing && state->position_us < t->media_us;
        break;
    case SL_EVENT_FREEZE: s->anchor_us = e->t_us + e->to_us; break;
    case SL_EVENT_RATE: state->rate = e->rate; break;
    case SL_EVENT_VIEW:
    case SL_EVENT_SHOW:
    case SL_EVENT_HIDE:
    case SL_EVENT_DRAW:
    case SL_EVENT_ERASE:
    case SL_EVENT_PAIR: break;
    }
}

static void move_state(sl_timeline *t, const sl_event *e)
{
    segment before = *segment_at(t, e->t_us);
    segment *s = &t->segments[t->n_segments++];
    *s = before;
    s->t_us = e->t_us;
    if (e->kind == SL_EVENT_VIEW) {
        s->state.view = e->view;
        return;
    }
    s->anchor_us = e->t_us;
    s->rest = state_in(&before, t->media_us, e->t_us, &s->state);
    s->state.frozen = false;
    /* A change of the rate leaves a standing picture standing. */
    if (e->kind == SL_EVENT_RATE && before.anchor_us > e->t_us) {
        s->anchor_us = before.anchor_us;
    }
    change(t, s, e);
}

/* Showing what is shown and hiding what is not change nothing. */
static void move_item(sl_timeline *t, const sl_event *e, uint32_t number)
{
    item_row *item = &t->items[number];
    bool shows = e->kind == SL_EVENT_SHOW || e->kind == SL_EVENT_DRAW;
    if (shows && item->span == NO_SPAN) {
        span *s = &t->spans[t->n_spans];
        s->item = number;
        s->since_us = e->t_us;
        s->until_us = NEVER;
        s->growing = e->kind == SL_EVENT_DRAW;
        item->span = (uint32_t)t->n_spans++;
    } else if (!shows && item->span != NO_SPAN) {
        t->spans[item->span].until_us = e->t_us;
        item->span = NO_SPAN;
    }
}

static bool is_of_item(uint64_t type)
{
    return type == SL_EVENT_SHOW || type == SL_EVENT_HIDE || type == SL_EVENT_DRAW ||
           type == SL_EVENT_ERASE;
}

/* Room for one event and all that may come of it, so that nothing fails halfway. */
static bool make_room(sl_timeline *t, uint64_t type)
{
    void *events = t->events;
    bool ok = sl_timeline_room(&events, t->n_events, &t->events_room, sizeof *t->events);
    t->events = events;
    if (ok && is_of_item(type)) {
        void *spans = t->spans;
        ok = sl_timeline_room(&spans, t->n_spans, &t->spans_room, sizeof *t->spans);
        t->spans = spans;
        ok = ok && sl_timeline_snapshot(t);
    } else if (ok && type == SL_EVENT_PAIR) {
        void *pairs = t->pairs;
        ok = sl_timeline_room(&pairs, t->n_pairs, &t->pairs_room, sizeof *t->pairs);
        t->pairs = pairs;
    } else if (ok && type <= SL_EVENT_LAST) {
        void *segments = t->segments;
        ok = sl_timeline_room(&segments, t->n_segments, &t->segments_room, sizeof *t->segments);
        t->segments = segments;
    }
    return ok;
}

static sl_status prepare(sl_timeline *t, int64_t t_us, uint64_t type, sl_error **err)
{
    sl_status s = check_time(t, t_us, err);
    if (s != SL_OK) {
        return s;
    }
    if (t->n_events >= SL_TIMELINE_EVENTS_MAX) {
        return sl_fail(err, SL_E_LIMIT, "a timeline has at most %d events", SL_TIMELINE_EVENTS_MAX);
    }
    return make_room(t, type) ? SL_OK : sl_fail_nomem(err);
}

sl_status sl_timeline_push(sl_timeline *t, const sl_event *event, sl_error **err)
{
    sl_status s = sl_timeline_check_event(event, err);
    s = s == SL_OK ? prepare(t, event->t_us, (uint64_t)event->kind, err) : s;
    if (s != SL_OK) {
        return s;
    }
    row *r = &t->events[t->n_events];
    memset(r, 0, sizeof *r);
    r->t_us = event->t_us;
    r->type = (uint64_t)event->kind;
    if (is_of_item(r->type)) {
        uint8_t id[16];
        sl_timeline_id_bytes(event->item, id);
        s = intern(t, id, &r->u.item, err);
        if (s != SL_OK) {
            return s;
        }
        move_item(t, event, r->u.item);
    } else if (event->kind == SL_EVENT_PAIR) {
        r->u.item = (uint32_t)t->n_pairs;
        t->pairs[t->n_pairs++] = (pair_row){event->t_us, event->pair};
    } else {
        move_state(t, event);
        if (event->kind == SL_EVENT_SEEK || event->kind == SL_EVENT_STEP ||
            event->kind == SL_EVENT_FREEZE) {
            r->u.to_us = event->to_us;
        } else if (event->kind == SL_EVENT_VIEW) {
            r->u.view = event->view;
        } else {
            r->u.rate = event->rate;
        }
    }
    t->n_events++;
    return SL_OK;
}

sl_status sl_timeline_push_unknown(sl_timeline *t, int64_t t_us, uint64_t type,
                                   const uint8_t *content, size_t n, sl_error **err)
{
    sl_status s = prepare(t, t_us, type, err);
    if (s != SL_OK) {
        return s;
    }
    row *r = &t->events[t->n_events];
    memset(r, 0, sizeof *r);
    r->t_us = t_us;
    r->type = type;
    r->u.extra.at = t->extra.len;
    r->u.extra.len = n;
    sl_buf_put(&t->extra, content, n);
    if (t->extra.failed) {
        return sl_fail_nomem(err);
    }
    t->n_events++;
    return SL_OK;
}

sl_status sl_timeline_finish(sl_timeline *t, int64_t t_us, sl_error **err)
{
    sl_status s = check_time(t, t_us, err);
    if (s == SL_OK) {
        t->end_us = t_us;
    }
    return s;
}
