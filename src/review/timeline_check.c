/* review/timeline_check.c - which events there can be. */
#include "review/inside.h"

#include "base/error.h"

static sl_status check_rate(const sl_event *e, sl_error **err)
{
    bool kept = e->kind == SL_EVENT_PLAY && e->rate == 0;
    if (!kept && (e->rate < SL_RATE_MIN || e->rate > SL_RATE_MAX)) {
        return sl_fail_field(err, SL_E_INVALID, "rate", "a rate is from 0.01 to 16");
    }
    return SL_OK;
}

static bool is_media_us(int64_t us)
{
    return us >= 0 && us <= SL_MEDIA_US_MAX;
}

static sl_status check_pair(const sl_pair *p, sl_error **err)
{
    if (p->layout == SL_LAYOUT_SINGLE) {
        return SL_OK;
    }
    if ((int)p->layout < SL_LAYOUT_SINGLE || p->layout > SL_LAYOUT_OVER) {
        return sl_fail_field(err, SL_E_INVALID, "layout",
                             "a layout is single, side, stack or over");
    }
    if (!sl_uuid_ok(p->video)) {
        return sl_fail_field(err, SL_E_INVALID, "video",
                             "a video is named by its id in lower case");
    }
    if (!is_media_us(p->mark_us) || !is_media_us(p->mark2_us)) {
        return sl_fail_field(err, SL_E_INVALID, "mark", "a mark is a time of each video");
    }
    if (!is_media_us(p->media_us)) {
        return sl_fail_field(err, SL_E_INVALID, "length", "no length of a video");
    }
    if (p->rate < SL_RATE_MIN || p->rate > SL_RATE_MAX) {
        return sl_fail_field(err, SL_E_INVALID, "rate", "a rate is from 0.01 to 16");
    }
    return p->opacity >= 0 && p->opacity <= SL_RATE_ONE
               ? SL_OK
               : sl_fail_field(err, SL_E_INVALID, "opacity", "an opacity is from 0 to 1");
}

sl_status sl_timeline_check_event(const sl_event *e, sl_error **err)
{
    switch (e->kind) {
    case SL_EVENT_PLAY:
    case SL_EVENT_RATE: return check_rate(e, err);
    case SL_EVENT_PAUSE: return SL_OK;
    case SL_EVENT_SEEK:
    case SL_EVENT_STEP:
        return e->to_us >= 0 && e->to_us <= SL_MEDIA_US_MAX
                   ? SL_OK
                   : sl_fail_field(err, SL_E_INVALID, "to", "no time of a video");
    case SL_EVENT_FREEZE:
        return e->to_us >= 0 && e->to_us <= SL_VOICE_US_MAX
                   ? SL_OK
                   : sl_fail_field(err, SL_E_INVALID, "for", "no length of time");
    case SL_EVENT_PAIR: return check_pair(&e->pair, err);
    case SL_EVENT_SHOW:
    case SL_EVENT_HIDE:
    case SL_EVENT_DRAW:
    case SL_EVENT_ERASE:
        return sl_uuid_ok(e->item) ? SL_OK
                                   : sl_fail_field(err, SL_E_INVALID, "item",
                                                   "an item is named by its id in lower case");
    case SL_EVENT_VIEW:
        if (e->view.x < -SL_VIEW_MAX || e->view.x > SL_VIEW_MAX || e->view.y < -SL_VIEW_MAX ||
            e->view.y > SL_VIEW_MAX) {
            return sl_fail_field(err, SL_E_INVALID, "x", "the view lies far outside");
        }
        return e->view.scale >= SL_SCALE_MIN && e->view.scale <= SL_SCALE_MAX
                   ? SL_OK
                   : sl_fail_field(err, SL_E_INVALID, "scale", "a scale is from 0.1 to 100");
    }
    return sl_fail_field(err, SL_E_INVALID, "do", "unknown kind of event");
}
