/* annotation/report.c - what the measuring tools say, as CSV. */
#include "annotation/drawing.h"
#include "annotation/tool.h"
#include "base/mem.h"

#include <math.h>
#include <string.h>

void sl_drawing_scale(const sl_drawing *d, int64_t t_us, sl_scale *out)
{
    int32_t w = sl_drawing_width(d);
    int32_t h = sl_drawing_height(d);
    sl_scale_pixels(w > h ? w : h, out);
    for (size_t i = 0; i < sl_drawing_count(d); i++) {
        const sl_item *item = sl_drawing_at(d, i);
        sl_point room[SL_EDIT_POINTS_MAX];
        sl_item posed;
        if (item->geo.kind == SL_KIND_RULER) {
            sl_item_pose(item, t_us, &posed, room);
            if (sl_scale_ruler(&posed, out)) {
                return;
            }
        }
    }
}

typedef struct report {
    sl_buf *out;
    const sl_item *item; /* posed */
    double t_s;
} report;

static void put_number(sl_buf *out, double v)
{
    sl_json_put_real(out, floor(v * 1e6 + 0.5) / 1e6);
}

static void put_row(const report *r, const char *quantity, double value, const char *unit)
{
    sl_buf_str(r->out, r->item->id);
    sl_buf_u8(r->out, ',');
    sl_buf_str(r->out, sl_kind_name(r->item->geo.kind));
    sl_buf_u8(r->out, ',');
    put_number(r->out, r->t_s);
    sl_buf_u8(r->out, ',');
    sl_buf_str(r->out, quantity);
    sl_buf_u8(r->out, ',');
    put_number(r->out, value);
    sl_buf_u8(r->out, ',');
    sl_buf_str(r->out, unit);
    sl_buf_str(r->out, "\r\n");
}

static void put_figure(const report *r)
{
    const sl_point *p = r->item->geo.points;
    for (int i = 0; i < SL_BENDS; i++) {
        const uint8_t *bend = sl_bends[i];
        put_row(r, sl_joint_names[bend[1]], sl_angle_degrees(p[bend[0]], p[bend[1]], p[bend[2]]),
                "deg");
    }
}

static void put_path(report *r, const sl_scale *scale)
{
    const sl_geometry *geo = &r->item->geo;
    char per_s[sizeof scale->unit + 2];
    size_t n = strlen(scale->unit);
    double distance = 0;
    memcpy(per_s, scale->unit, n);
    memcpy(per_s + n, "/s", 3);
    for (uint32_t i = 0; i < geo->n; i++) {
        double step = 0;
        double ms = 0;
        if (i > 0) {
            double dx = (double)geo->points[i].x - geo->points[i - 1].x;
            double dy = (double)geo->points[i].y - geo->points[i - 1].y;
            step = sqrt(dx * dx + dy * dy) * scale->per_unit;
            ms = (double)geo->dt_ms[i] - geo->dt_ms[i - 1];
        }
        distance += step;
        r->t_s = (double)r->item->t_in / 1e6 + geo->dt_ms[i] / 1e3;
        put_row(r, "distance", distance, scale->unit);
        put_row(r, "speed", ms > 0 ? step * 1000 / ms : 0, per_s);
    }
}

static void put_item(report *r, const sl_scale *scale, int64_t t_us)
{
    sl_measure m;
    r->t_s = (double)t_us / 1e6;
    sl_measure_at(r->item, t_us, scale, &m);
    if (r->item->geo.kind == SL_KIND_FIGURE) {
        put_figure(r);
    } else if (r->item->geo.kind == SL_KIND_PATH) {
        put_path(r, scale);
    } else if ((m.has & SL_MEASURES_DEGREES) != 0) {
        put_row(r, "angle", m.degrees, "deg");
    } else if ((m.has & SL_MEASURES_LENGTH) != 0) {
        put_row(r, "length", m.length, m.unit);
    } else if ((m.has & SL_MEASURES_SECONDS) != 0) {
        put_row(r, "time", (double)(r->item->t_out - r->item->t_in) / 1e6, "s");
    } else if ((m.has & SL_MEASURES_COUNT) != 0) {
        put_row(r, "count", m.count, "");
    }
}

/* Only its keyframes make an item measure anything else later. */
static bool moves(const sl_item *item)
{
    sl_kind kind = item->geo.kind;
    return item->keys_n > 0 && (kind == SL_KIND_ANGLE || kind == SL_KIND_PROTRACTOR ||
                                kind == SL_KIND_RULER || kind == SL_KIND_FIGURE);
}

static bool measures(sl_kind kind)
{
    return kind == SL_KIND_ANGLE || kind == SL_KIND_PROTRACTOR || kind == SL_KIND_RULER ||
           kind == SL_KIND_PATH || kind == SL_KIND_STOPWATCH || kind == SL_KIND_COUNTER ||
           kind == SL_KIND_MARKER || kind == SL_KIND_FIGURE;
}

/* False: out of memory. */
static bool put_at(const sl_drawing *d, const sl_item *item, int64_t t_us, sl_buf *out)
{
    sl_scale scale;
    sl_item posed;
    sl_point *room = sl_mem_array(item->geo.n, sizeof *room);
    if (room == NULL) {
        return false;
    }
    sl_drawing_scale(d, t_us, &scale);
    sl_item_pose(item, t_us, &posed, room);
    report r = {.out = out, .item = &posed};
    put_item(&r, &scale, t_us);
    sl_mem_free(room);
    return true;
}

bool sl_drawing_csv(const sl_drawing *d, sl_buf *out)
{
    bool ok = true;
    sl_buf_str(out, "id,kind,t,quantity,value,unit\r\n");
    for (size_t i = 0; ok && i < sl_drawing_count(d); i++) {
        const sl_item *item = sl_drawing_at(d, i);
        if (!measures(item->geo.kind)) {
            continue;
        }
        ok = put_at(d, item, item->t_in, out);
        for (uint32_t k = 0; ok && moves(item) && k < item->keys_n; k++) {
            int64_t t_us = item->keys[k].t_us;
            ok = t_us <= item->t_in || t_us >= item->t_out || put_at(d, item, t_us, out);
        }
    }
    return ok && !out->failed;
}
