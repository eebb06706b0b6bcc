/* exchange/kva_tools.c - Kinovea's counters, postures and tracked points. */
#include "exchange/kva.h"

#include "annotation/tool.h"
#include "base/error.h"
#include "base/mem.h"

#include <string.h>

enum {
    GUID_LEN = 36
};

void sl_kva_trail_add(const sl_kva *k, sl_kva_trail *trail, sl_spot at, double stamp)
{
    trail->start = trail->spots.n == 0 ? stamp : trail->start;
    uint32_t ms =
        (uint32_t)sl_import_size((stamp - trail->start) / k->per_s * 1000, 0, SL_DT_MS_MAX);
    trail->last = ms > trail->last ? ms : trail->last;
    sl_spots_add(&trail->spots, at.x, at.y);
    sl_buf_put(&trail->times, &trail->last, sizeof trail->last);
}

sl_status sl_kva_trail_keep(sl_kva *k, sl_kva_trail *trail, double start, const sl_xml *drawing)
{
    sl_item *item = sl_import_item(k->im, SL_KIND_PATH);
    if (item == NULL || trail->times.failed || trail->spots.n == 0) {
        sl_status s = item == NULL || trail->times.failed ? sl_fail_nomem(k->err) : SL_OK;
        sl_item_free(item);
        k->im->skipped += s == SL_OK;
        sl_buf_free(&trail->times);
        sl_spots_free(&trail->spots);
        return s;
    }
    item->geo.dt_ms = (uint32_t *)(void *)trail->times.data; /* taken: it is of sl_mem too */
    item->t_in = sl_kva_bounded(sl_kva_us(k, start));
    item->t_out = sl_kva_bounded((double)item->t_in + trail->last * 1000.0 + SL_KVA_US);
    sl_kva_style(k, drawing, item);
    sl_status s = sl_kva_keep(k, item, &trail->spots);
    sl_spots_free(&trail->spots);
    return s;
}

static sl_status keep_count(sl_kva *k, const sl_xml *counter, sl_spot at, double from, double to,
                            int32_t value)
{
    sl_item *item = sl_import_item(k->im, SL_KIND_COUNTER);
    if (item != NULL) {
        item->t_in = sl_kva_bounded(sl_kva_us(k, from));
        item->t_out = to > from ? sl_kva_bounded(sl_kva_us(k, to)) : SL_ITEM_US_MAX;
        sl_kva_style(k, counter, item);
        item->style.value = value;
    }
    return sl_kva_keep_mark(k, item, at, NULL);
}

sl_status sl_kva_counter(sl_kva *k, const sl_xml *counter, sl_spot at)
{
    const sl_xml *values = sl_xml_child(counter, "Values");
    const sl_xml *beats = values != NULL ? sl_xml_child(values, "Beats") : NULL;
    const char *zero = sl_xml_child_text(values, "ZeroBased");
    int32_t value = zero != NULL && strcmp(zero, "true") == 0 ? 0 : 1;
    double end = sl_kva_number(values, "Invisible", -1);
    if (beats == NULL || beats->first == NULL) {
        return keep_count(k, counter, at, sl_kva_number(values, "Visible", 0), end, 0);
    }
    sl_status s = SL_OK;
    for (const sl_xml *b = beats->first; s == SL_OK && b != NULL; b = b->next, value++) {
        double from = sl_number_or(b->text, -1);
        double to = b->next != NULL ? sl_number_or(b->next->text, -1) : end;
        if (from < 0 || (b->next != NULL && to <= from) || (end >= 0 && from >= end)) {
            k->im->skipped++;
        } else {
            s = keep_count(k, counter, at, from, end >= 0 && to > end ? end : to, value);
        }
    }
    return s;
}

/* Which of a tool's points are a body's joints: each is in the middle of two of them. */
typedef struct body {
    const char *tool; /* its id */
    uint32_t points;
    uint8_t joints[SL_JOINTS][2];
} body;

static const body BODIES[] = {
    /* Human model: vertex, chin, left arm to the hand, left leg to the heel, right alike */
    {"5723bacc-91b0-4172-8ea0-0bf2a5a27eda",
     20,
     {{0, 1},
      {2, 11},
      {2, 2},
      {3, 3},
      {4, 4},
      {11, 11},
      {12, 12},
      {13, 13},
      {6, 6},
      {7, 7},
      {8, 8},
      {15, 15},
      {16, 16},
      {17, 17}}},
    /* Human model 2, seen from the side: one shoulder at the chin, one hip */
    {"5723bacc-91b0-4172-8ea0-0bf2a5a27ede",
     15,
     {{0, 1},
      {1, 1},
      {1, 1},
      {2, 2},
      {3, 3},
      {1, 1},
      {5, 5},
      {6, 6},
      {8, 8},
      {9, 9},
      {10, 10},
      {8, 8},
      {12, 12},
      {13, 13}}},
    /* OpenPose's 25 points */
    {"a9ce7c83-4120-4400-8b20-b6f034213522",
     25,
     {{0, 0},
      {1, 1},
      {5, 5},
      {6, 6},
      {7, 7},
      {2, 2},
      {3, 3},
      {4, 4},
      {12, 12},
      {13, 13},
      {14, 14},
      {9, 9},
      {10, 10},
      {11, 11}}},
};

/* Ids are written in either case. */
static bool same_id(const char *a, const char *b)
{
    size_t n = a != NULL ? strlen(a) : 0;
    for (size_t i = 0; i < n; i++) {
        char lower = (char)(a[i] >= 'A' && a[i] <= 'F' ? a[i] - 'A' + 'a' : a[i]);
        if (lower != b[i]) {
            return false;
        }
    }
    return n == GUID_LEN;
}

static const body *body_of(const char *tool, uint32_t points)
{
    for (size_t i = 0; i < sizeof BODIES / sizeof BODIES[0]; i++) {
        if (same_id(tool, BODIES[i].tool) && BODIES[i].points == points) {
            return &BODIES[i];
        }
    }
    return NULL;
}

static void join(const body *b, const sl_spots *from, sl_spots *to)
{
    for (int i = 0; i < SL_JOINTS; i++) {
        sl_spot p = from->p[b->joints[i][0]];
        sl_spot q = from->p[b->joints[i][1]];
        sl_spots_add(to, (p.x + q.x) / 2, (p.y + q.y) / 2);
    }
}

sl_status sl_kva_posture(sl_kva *k, const sl_xml *posture, double at_us)
{
    static const char goniometer[] = "02ea93f9-ba00-424b-8c87-07e156e0252f";
    const sl_xml *list = sl_xml_child(posture, "Positions");
    const char *tool = sl_xml_child_text(posture, "ToolId");
    sl_spots spots = {0};
    sl_spots made = {0};
    for (const sl_xml *x = list != NULL ? list->first : NULL; x != NULL; x = x->next) {
        sl_spot p;
        if (sl_kva_point(k, x->text, &p)) {
            sl_spots_add(&spots, p.x, p.y);
        }
    }
    const body *b = spots.failed || spots.p == NULL ? NULL : body_of(tool, spots.n);
    sl_kind kind = b != NULL ? SL_KIND_FIGURE : SL_KIND_POLYLINE;
    if (b != NULL) {
        join(b, &spots, &made);
    } else if (spots.p != NULL && spots.n == 4 && same_id(tool, goniometer)) {
        kind = SL_KIND_ANGLE; /* its third point goes on from the first through the second */
        sl_spots_add(&made, spots.p[2].x, spots.p[2].y);
        sl_spots_add(&made, spots.p[1].x, spots.p[1].y);
        sl_spots_add(&made, spots.p[3].x, spots.p[3].y);
    }
    sl_status s = SL_OK;
    if (spots.n < 2 && !spots.failed) {
        k->im->skipped++;
    } else {
        sl_item *item = sl_import_item(k->im, kind);
        if (item != NULL) {
            sl_kva_times(k, posture, at_us, SL_KVA_FADE_FRAMES, item);
            sl_kva_style(k, posture, item);
        }
        s = sl_kva_keep(k, item, made.n > 0 || made.failed ? &made : &spots);
    }
    sl_spots_free(&spots);
    sl_spots_free(&made);
    return s;
}

sl_status sl_kva_tracked(sl_kva *k, const sl_xml *drawing)
{
    sl_status s = SL_OK;
    for (const sl_xml *x = drawing->first; s == SL_OK && x != NULL; x = x->next) {
        const sl_xml *line = sl_xml_child(x, "Timeline");
        sl_kva_trail trail = {0};
        for (const sl_xml *f = line != NULL ? line->first : NULL; f != NULL; f = f->next) {
            const char *time = sl_xml_attribute(f, "time");
            sl_spot p;
            if (time != NULL && sl_kva_point(k, sl_xml_attribute(f, "location"), &p)) {
                sl_kva_trail_add(k, &trail, p, sl_number_or(time, 0));
            }
        }
        if (line != NULL && line->first != NULL) {
            s = sl_kva_trail_keep(k, &trail, trail.start, drawing);
        }
    }
    return s;
}
