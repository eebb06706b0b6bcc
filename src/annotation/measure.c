#include "annotation/measure.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double PI = 3.141592653589793;

static double distance(sl_point a, sl_point b)
{
    double dx = (double)b.x - a.x;
    double dy = (double)b.y - a.y;
    return sqrt(dx * dx + dy * dy);
}

void sl_scale_pixels(int32_t longer, sl_scale *out)
{
    out->per_unit = (double)longer / SL_UNITS;
    memcpy(out->unit, "px", 3);
}

bool sl_scale_ruler(const sl_item *item, sl_scale *out)
{
    if (item->geo.kind != SL_KIND_RULER || item->style.length <= 0) {
        return false;
    }
    double units = distance(item->geo.points[0], item->geo.points[1]);
    if (units < 1) {
        return false;
    }
    out->per_unit = item->style.length / 1000.0 / units;
    memcpy(out->unit, item->style.unit, sizeof out->unit);
    return true;
}

void sl_angle_points(const sl_item *item, sl_point out[3])
{
    const sl_point *p = item->geo.points;
    if (item->geo.n == 3) {
        memcpy(out, p, 3 * sizeof *out);
        return;
    }
    /* An angle of two points is arm and vertex, a protractor the other way round. */
    bool protractor = item->geo.kind == SL_KIND_PROTRACTOR;
    out[0] = protractor ? p[1] : p[0];
    out[1] = protractor ? p[0] : p[1];
    int32_t arm = (int32_t)floor(distance(p[0], p[1]) + 0.5);
    out[2] = out[1];
    if (item->style.vertical != 0) {
        out[2].y -= arm;
    } else {
        out[2].x += out[0].x < out[1].x ? -arm : arm;
    }
}

double sl_angle_degrees(sl_point a, sl_point vertex, sl_point b)
{
    double ax = (double)a.x - vertex.x;
    double ay = (double)a.y - vertex.y;
    double bx = (double)b.x - vertex.x;
    double by = (double)b.y - vertex.y;
    return fabs(atan2(ax * by - ay * bx, ax * bx + ay * by)) * 180.0 / PI;
}

void sl_path_at(const sl_item *item, int64_t t_us, uint32_t *passed, int32_t *part)
{
    const sl_geometry *geo = &item->geo;
    int64_t ms = (t_us - item->t_in) / 1000;
    uint32_t i = 0;
    while (i + 1 < geo->n && (int64_t)geo->dt_ms[i + 1] <= ms) {
        i++;
    }
    *passed = i;
    *part = 0;
    if (i + 1 < geo->n && ms > geo->dt_ms[i]) {
        *part = (int32_t)((ms - geo->dt_ms[i]) * 1000 / (geo->dt_ms[i + 1] - geo->dt_ms[i]));
    }
}

/* How far a path has come, and how fast it is there. */
static void measure_path(const sl_item *item, int64_t t_us, sl_measure *out)
{
    const sl_geometry *geo = &item->geo;
    uint32_t passed = 0;
    int32_t part = 0;
    sl_path_at(item, t_us, &passed, &part);
    for (uint32_t i = 0; i < passed; i++) {
        out->length += distance(geo->points[i], geo->points[i + 1]);
    }
    uint32_t from = passed + 1 < geo->n ? passed : passed > 0 ? passed - 1 : 0;
    if (from + 1 < geo->n) {
        double step = distance(geo->points[from], geo->points[from + 1]);
        double ms = (double)geo->dt_ms[from + 1] - geo->dt_ms[from];
        out->length += from == passed ? step * part / 1000.0 : 0;
        out->speed = ms > 0 ? step * 1000.0 / ms : 0;
    }
    out->has = SL_MEASURES_LENGTH | SL_MEASURES_SPEED;
}

void sl_measure_at(const sl_item *item, int64_t t_us, const sl_scale *scale, sl_measure *out)
{
    const sl_point *p = item->geo.points;
    sl_point angle[3];
    memset(out, 0, sizeof *out);
    memcpy(out->unit, scale->unit, sizeof out->unit);
    if (item->geo.kind == SL_KIND_ANGLE || item->geo.kind == SL_KIND_PROTRACTOR) {
        sl_angle_points(item, angle);
        out->has = SL_MEASURES_DEGREES;
        out->degrees = sl_angle_degrees(angle[0], angle[1], angle[2]);
    } else if (item->geo.kind == SL_KIND_RULER) {
        out->has = SL_MEASURES_LENGTH;
        out->length = distance(p[0], p[1]);
    } else if (item->geo.kind == SL_KIND_PATH) {
        measure_path(item, t_us, out);
    } else if (item->geo.kind == SL_KIND_STOPWATCH) {
        out->has = SL_MEASURES_SECONDS;
        out->seconds = (double)(t_us - item->t_in) / 1e6;
    } else if (item->geo.kind == SL_KIND_COUNTER || item->geo.kind == SL_KIND_MARKER) {
        out->has = SL_MEASURES_COUNT;
        out->count = item->style.value;
    }
    out->length *= scale->per_unit;
    out->speed *= scale->per_unit;
}

/* Three digits of what is small, whole pixels. */
static void write_number(char out[24], double v, const char *unit)
{
    double size = strcmp(unit, "px") == 0 ? 100 : fabs(v);
    int digits = size < 10 ? 2 : size < 100 ? 1 : 0;
    (void)snprintf(out, 24, "%.*f", digits, v);
}

void sl_measure_label(const sl_measure *m, char out[SL_LABEL_MAX])
{
    char length[24];
    char speed[24];
    out[0] = 0;
    if ((m->has & SL_MEASURES_DEGREES) != 0) {
        (void)snprintf(out, SL_LABEL_MAX, "%d\xC2\xB0", (int)floor(m->degrees + 0.5));
    } else if ((m->has & SL_MEASURES_LENGTH) != 0) {
        write_number(length, m->length, m->unit);
        write_number(speed, m->speed, m->unit);
        if ((m->has & SL_MEASURES_SPEED) != 0) {
            (void)snprintf(out, SL_LABEL_MAX, "%s %s, %s %s/s", length, m->unit, speed, m->unit);
        } else {
            (void)snprintf(out, SL_LABEL_MAX, "%s %s", length, m->unit);
        }
    } else if ((m->has & SL_MEASURES_SECONDS) != 0) {
        int64_t cs = (int64_t)floor(m->seconds * 100);
        (void)snprintf(out, SL_LABEL_MAX, "%d:%02d.%02d", (int)(cs / 6000), (int)(cs / 100 % 60),
                       (int)(cs % 100));
    } else if ((m->has & SL_MEASURES_COUNT) != 0) {
        (void)snprintf(out, SL_LABEL_MAX, "%d", (int)m->count);
    }
}
