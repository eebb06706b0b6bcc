/*
 * review/timeline_seek.c - what is shown at a time: from the snapshot before it, over less than
 * SPANS_EACH spans.
 */
#include "review/inside.h"

#include "base/mem.h"

bool sl_timeline_snapshot(sl_timeline *t)
{
    if (t->n_spans % SPANS_EACH != 0 || t->n_spans / SPANS_EACH < t->n_snapshots) {
        return true;
    }
    void *snapshots = t->snapshots;
    bool ok =
        sl_timeline_room(&snapshots, t->n_snapshots, &t->snapshots_room, sizeof *t->snapshots);
    t->snapshots = snapshots;
    snapshot next = {t->n_open, 0};
    snapshot last = t->n_snapshots > 0 ? t->snapshots[t->n_snapshots - 1] : (snapshot){0, 0};
    size_t begun = t->n_spans >= SPANS_EACH ? t->n_spans - SPANS_EACH : 0;
    for (size_t i = 0; ok && i < last.n + (t->n_spans - begun); i++) {
        uint32_t number = i < last.n ? t->open[last.at + i] : (uint32_t)(begun + i - last.n);
        if (t->spans[number].until_us != INT64_MAX) {
            continue;
        }
        void *open = t->open;
        ok = sl_timeline_room(&open, t->n_open, &t->open_room, sizeof *t->open);
        t->open = open;
        if (ok) {
            t->open[t->n_open++] = number;
            next.n++;
        }
    }
    if (!ok) {
        t->n_open = next.at;
        return false;
    }
    t->snapshots[t->n_snapshots++] = next;
    return true;
}

/* How many spans begin at or before t_us. */
static size_t begun_at(const sl_timeline *t, int64_t t_us)
{
    size_t lo = 0;
    size_t hi = t->n_spans;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (t->spans[mid].since_us <= t_us) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

size_t sl_timeline_visible(const sl_timeline *t, int64_t t_us, sl_timeline_shown *out, size_t max)
{
    t_us = sl_timeline_within(t, t_us);
    size_t n = begun_at(t, t_us);
    size_t count = 0;
    if (n == 0) {
        return 0;
    }
    size_t which = (n - 1) / SPANS_EACH;
    const snapshot *s = &t->snapshots[which];
    for (size_t i = 0; i < s->n + (n - which * SPANS_EACH); i++) {
        size_t number = i < s->n ? t->open[s->at + i] : which * SPANS_EACH + i - s->n;
        const span *p = &t->spans[number];
        if (p->until_us <= t_us) {
            continue;
        }
        if (count < max) {
            sl_timeline_id_text(t->items[p->item].id, out[count].id);
            out[count].since_us = p->since_us;
            out[count].growing = p->growing;
        }
        count++;
    }
    return count;
}

bool sl_timeline_second(const sl_timeline *t, int64_t t_us, const sl_pair **out,
                        int64_t *position_us)
{
    size_t lo = 0;
    size_t hi = t->n_pairs;
    t_us = sl_timeline_within(t, t_us);
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (t->pairs[mid].t_us <= t_us) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    if (lo == 0 || t->pairs[lo - 1].pair.layout == SL_LAYOUT_SINGLE) {
        return false;
    }
    sl_timeline_state_t first;
    const sl_pair *p = &t->pairs[lo - 1].pair;
    sl_timeline_at(t, t_us, &first);
    /* Both are below 2^50 and a rate below 2^14: whole and rest by themselves. */
    int64_t away = first.position_us - p->mark_us;
    int64_t moved = away / SL_RATE_ONE * p->rate + away % SL_RATE_ONE * p->rate / SL_RATE_ONE;
    int64_t at = p->mark2_us + moved;
    *position_us = at < 0 ? 0 : at > p->media_us ? p->media_us : at;
    *out = p;
    return true;
}

const sl_pair *sl_timeline_pair(const sl_timeline *t, size_t i)
{
    return i < t->n_pairs ? &t->pairs[i].pair : NULL;
}
