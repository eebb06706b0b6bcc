/* review/timeline_json.c - events and states as the JSON of sideline/review.h. */
#include "review/inside.h"

#include "base/error.h"
#include "base/mem.h"

#include <math.h>
#include <string.h>

static const char *const NAMES[] = {"",     "play", "pause", "seek", "rate",   "show", "hide",
                                    "view", "draw", "erase", "step", "freeze", "pair"};
static const char *const LAYOUTS[] = {"single", "side", "stack", "over"};

/* A number in thousandths; 0, which no check lets pass, for what is none. */
static int32_t thousandths(const sl_json *j)
{
    double v = floor(sl_json_value(j) * 1000 + 0.5);
    return v >= 1 && v <= 1e9 ? (int32_t)v : 0;
}

static bool coordinate(const sl_json *j, const char *key, int32_t *out)
{
    const sl_json *v = sl_json_get(j, key);
    double d = floor(sl_json_value(v) + 0.5);
    if (!sl_json_is_number(v) || !(d >= -SL_VIEW_MAX && d <= SL_VIEW_MAX)) {
        return false;
    }
    *out = (int32_t)d;
    return true;
}

/* Thousandths from 0 to 1; -1, which no check lets pass, for what is none. */
static int32_t opacity_of(const sl_json *j)
{
    double v = j != NULL ? floor(sl_json_value(j) * SL_RATE_ONE + 0.5) : SL_RATE_ONE * 0.5;
    return (j == NULL || sl_json_is_number(j)) && v >= 0 && v <= SL_RATE_ONE ? (int32_t)v : -1;
}

static sl_status read_pair(const sl_json *j, sl_pair *p, sl_error **err)
{
    const char *layout = sl_json_str(j, "layout");
    const char *video = sl_json_str(j, "video");
    const sl_json *mark = sl_json_get(j, "mark");
    const sl_json *rate = sl_json_get(j, "rate");
    p->layout = (sl_layout)-1;
    for (int i = 0; layout != NULL && i <= SL_LAYOUT_OVER; i++) {
        if (strcmp(layout, LAYOUTS[i]) == 0) {
            p->layout = (sl_layout)i;
        }
    }
    if ((int)p->layout <= SL_LAYOUT_SINGLE) {
        return SL_OK; /* what is none of them is refused with the rest */
    }
    if (video != NULL && strlen(video) == SL_UUID_LEN) {
        memcpy(p->video, video, sizeof p->video);
    }
    if (!sl_json_is_int(sl_json_at(mark, 0)) || !sl_json_is_int(sl_json_at(mark, 1))) {
        return sl_fail_field(err, SL_E_INVALID, "mark", "a mark is a time of each video");
    }
    p->mark_us = (int64_t)sl_json_value(sl_json_at(mark, 0));
    p->mark2_us = (int64_t)sl_json_value(sl_json_at(mark, 1));
    if (!sl_json_int(j, "length", &p->media_us)) {
        return sl_fail_field(err, SL_E_INVALID, "length", "a pair has the second video's length");
    }
    p->rate = rate != NULL ? thousandths(rate) : SL_RATE_ONE;
    p->opacity = opacity_of(sl_json_get(j, "opacity"));
    return SL_OK;
}

static sl_status read_content(const sl_json *j, sl_event *e, sl_error **err)
{
    const sl_json *rate = sl_json_get(j, "rate");
    const char *item = sl_json_str(j, "item");
    switch (e->kind) {
    case SL_EVENT_PLAY:
    case SL_EVENT_RATE:
        e->rate = thousandths(rate);
        if (e->rate == 0 && (rate != NULL || e->kind == SL_EVENT_RATE)) {
            return sl_fail_field(err, SL_E_INVALID, "rate", "a rate is from 0.01 to 16");
        }
        break;
    case SL_EVENT_PAUSE: break;
    case SL_EVENT_SEEK:
    case SL_EVENT_STEP:
        if (!sl_json_int(j, "to", &e->to_us)) {
            return sl_fail_field(err, SL_E_INVALID, "to", "a %s has an integer \"to\"",
                                 NAMES[e->kind]);
        }
        break;
    case SL_EVENT_FREEZE:
        if (!sl_json_int(j, "for", &e->to_us)) {
            return sl_fail_field(err, SL_E_INVALID, "for", "a freeze has an integer \"for\"");
        }
        break;
    case SL_EVENT_PAIR: return read_pair(j, &e->pair, err);
    case SL_EVENT_SHOW:
    case SL_EVENT_HIDE:
    case SL_EVENT_DRAW:
    case SL_EVENT_ERASE:
        if (item == NULL || strlen(item) != SL_UUID_LEN) {
            return sl_fail_field(err, SL_E_INVALID, "item", "an item is named by its id");
        }
        memcpy(e->item, item, sizeof e->item);
        break;
    case SL_EVENT_VIEW:
        if (!coordinate(j, "x", &e->view.x) || !coordinate(j, "y", &e->view.y)) {
            return sl_fail_field(err, SL_E_INVALID, "x", "a view has an x, a y and a scale");
        }
        e->view.scale = thousandths(sl_json_get(j, "scale"));
        break;
    }
    return SL_OK;
}

sl_status sl_timeline_push_json(sl_timeline *t, const sl_json *event, sl_error **err)
{
    sl_event e = {0};
    const char *name = sl_json_str(event, "do");
    if (!sl_json_int(event, "t", &e.t_us)) {
        return sl_fail_field(err, SL_E_INVALID, "t", "an event has an integer time \"t\"");
    }
    for (int i = SL_EVENT_PLAY; name != NULL && i <= SL_EVENT_LAST; i++) {
        if (strcmp(name, NAMES[i]) == 0) {
            e.kind = (sl_event_kind)i;
        }
    }
    if (e.kind == 0) {
        return sl_fail_field(err, SL_E_INVALID, "do",
                             "do is play, pause, seek, step, freeze, rate, view, draw, show, "
                             "erase, hide or pair");
    }
    sl_status s = read_content(event, &e, err);
    return s == SL_OK ? sl_timeline_push(t, &e, err) : s;
}

static sl_json *view_json(const sl_view *view)
{
    sl_json *j = sl_json_object();
    if (!sl_json_set_int(j, "x", view->x) || !sl_json_set_int(j, "y", view->y) ||
        !sl_json_set_num(j, "scale", (double)view->scale / SL_SCALE_ONE)) {
        sl_json_free(j);
        return NULL;
    }
    return j;
}

static sl_json *shown_json(const sl_timeline_shown *shown)
{
    sl_json *j = sl_json_object();
    if (!sl_json_set_str(j, "id", shown->id) || !sl_json_set_int(j, "since", shown->since_us) ||
        !sl_json_set_bool(j, "growing", shown->growing)) {
        sl_json_free(j);
        return NULL;
    }
    return j;
}

static sl_json *items_json(const sl_timeline *t, int64_t t_us)
{
    size_t n = sl_timeline_visible(t, t_us, NULL, 0);
    sl_timeline_shown *shown = sl_mem_array(n, sizeof *shown);
    sl_json *j = sl_json_array();
    bool ok = shown != NULL && j != NULL;
    if (ok) {
        (void)sl_timeline_visible(t, t_us, shown, n);
    }
    for (size_t i = 0; ok && i < n; i++) {
        ok = sl_json_add(j, shown_json(&shown[i]));
    }
    sl_mem_free(shown);
    if (!ok) {
        sl_json_free(j);
        return NULL;
    }
    return j;
}

/* True also when there is no second video. */
static bool set_second(sl_json *j, const sl_timeline *t, int64_t t_us)
{
    const sl_pair *pair = NULL;
    int64_t position_us = 0;
    if (!sl_timeline_second(t, t_us, &pair, &position_us)) {
        return true;
    }
    sl_json *s = sl_json_object();
    if (!sl_json_set_str(s, "video", pair->video) || !sl_json_set_int(s, "position", position_us) ||
        !sl_json_set_str(s, "layout", LAYOUTS[pair->layout]) ||
        !sl_json_set_num(s, "opacity", (double)pair->opacity / SL_RATE_ONE)) {
        sl_json_free(s);
        return false;
    }
    return sl_json_set(j, "second", s);
}

sl_json *sl_timeline_state_json(const sl_timeline *t, int64_t t_us)
{
    sl_timeline_state_t state;
    sl_timeline_at(t, t_us, &state);
    sl_json *j = sl_json_object();
    if (!sl_json_set_int(j, "position", state.position_us) ||
        !sl_json_set_num(j, "rate", (double)state.rate / SL_RATE_ONE) ||
        !sl_json_set_bool(j, "playing", state.playing) ||
        !sl_json_set_bool(j, "frozen", state.frozen) || !set_second(j, t, t_us) ||
        !sl_json_set(j, "view", view_json(&state.view)) ||
        !sl_json_set(j, "items", items_json(t, t_us)) ||
        !sl_json_set_int(j, "duration", sl_timeline_duration_us(t))) {
        sl_json_free(j);
        return NULL;
    }
    return j;
}
