/*
 * annotation/shape.c - what an item covers and whether a point is on it.
 *
 * The arithmetic is that of doubles with + - * / and square roots only, all of which are exactly
 * rounded everywhere: the answers are the same on every machine.
 */
#include "annotation/item.h"

#include <math.h>
#include <string.h>

/* Text without a font at hand: an average letter and a line. The renderer's line is the same. */
static double text_width(const sl_item *item)
{
    size_t longest = 0;
    size_t count = 0;
    for (const char *s = item->geo.text; *s != 0; s++) {
        count = *s == '\n' ? 0 : count + (((unsigned char)*s & 0xC0) != 0x80);
        longest = count > longest ? count : longest;
    }
    return 0.6 * (double)longest * item->style.font_size;
}

static double text_height(const sl_item *item)
{
    int lines = 1;
    for (const char *s = item->geo.text; *s != 0; s++) {
        lines += *s == '\n';
    }
    return 1.25 * lines * item->style.font_size;
}

static int32_t clamped(double v)
{
    return v > INT32_MAX ? INT32_MAX : v < INT32_MIN ? INT32_MIN : (int32_t)v;
}

sl_box sl_item_bounds(const sl_item *item)
{
    const sl_geometry *geo = &item->geo;
    sl_point first = geo->points[0];
    double x0 = first.x;
    double y0 = first.y;
    double x1 = first.x;
    double y1 = first.y;
    for (uint32_t i = 1; i < geo->n; i++) {
        sl_point p = geo->points[i];
        x0 = p.x < x0 ? p.x : x0;
        y0 = p.y < y0 ? p.y : y0;
        x1 = p.x > x1 ? p.x : x1;
        y1 = p.y > y1 ? p.y : y1;
    }
    double pad = item->style.width * 0.5;
    if (geo->kind == SL_KIND_TEXT) {
        x1 += text_width(item);
        y1 += text_height(item);
        pad = 0;
    } else if (geo->kind == SL_KIND_ARROW) {
        pad = item->style.width * 2.0; /* the wings of the head */
    }
    sl_box box = {clamped(floor(x0 - pad)), clamped(floor(y0 - pad)), clamped(ceil(x1 + pad) + 1),
                  clamped(ceil(y1 + pad) + 1)};
    return box;
}

static double distance_to_segment(double px, double py, sl_point a, sl_point b)
{
    double dx = (double)b.x - a.x;
    double dy = (double)b.y - a.y;
    double len2 = dx * dx + dy * dy;
    double along = len2 > 0 ? ((px - a.x) * dx + (py - a.y) * dy) / len2 : 0;
    along = along < 0 ? 0 : along > 1 ? 1 : along;
    double ex = px - (a.x + along * dx);
    double ey = py - (a.y + along * dy);
    return sqrt(ex * ex + ey * ey);
}

static bool near_polyline(const sl_point *p, uint32_t n, double x, double y, double reach)
{
    for (uint32_t i = 0; i < n; i++) {
        if (distance_to_segment(x, y, p[i], p[i + 1 < n ? i + 1 : i]) <= reach) {
            return true;
        }
    }
    return false;
}

static bool in_ellipse(double dx, double dy, double rx, double ry)
{
    return rx > 0 && ry > 0 && (dx / rx) * (dx / rx) + (dy / ry) * (dy / ry) <= 1;
}

static bool near_ellipse(const sl_point *p, double x, double y, double reach)
{
    double dx = x - ((double)p[0].x + p[1].x) * 0.5;
    double dy = y - ((double)p[0].y + p[1].y) * 0.5;
    double rx = fabs((double)p[1].x - p[0].x) * 0.5;
    double ry = fabs((double)p[1].y - p[0].y) * 0.5;
    return in_ellipse(dx, dy, rx + reach, ry + reach) &&
           !in_ellipse(dx, dy, rx - reach, ry - reach);
}

static bool near_rect(const sl_point *p, double x, double y, double reach)
{
    sl_point loop[5] = {
        {p[0].x, p[0].y}, {p[1].x, p[0].y}, {p[1].x, p[1].y}, {p[0].x, p[1].y}, {p[0].x, p[0].y}};
    return near_polyline(loop, 5, x, y, reach);
}

static bool in_text(const sl_item *item, double x, double y, double radius)
{
    sl_box box = sl_item_bounds(item);
    return x >= box.x0 - radius && x <= box.x1 + radius && y >= box.y0 - radius &&
           y <= box.y1 + radius;
}

bool sl_item_hit(const sl_item *item, int32_t x, int32_t y, int32_t radius)
{
    const sl_geometry *geo = &item->geo;
    double reach = (radius > 0 ? radius : 0) + item->style.width * 0.5;
    switch (geo->kind) {
    case SL_KIND_RECT: return near_rect(geo->points, x, y, reach);
    case SL_KIND_ELLIPSE: return near_ellipse(geo->points, x, y, reach);
    case SL_KIND_TEXT: return in_text(item, x, y, radius > 0 ? radius : 0);
    case SL_KIND_PEN:
    case SL_KIND_ARROW:
    case SL_KIND_LINE:
    case SL_KIND_ANGLE: return near_polyline(geo->points, geo->n, x, y, reach);
    case SL_KIND_COUNT: break;
    }
    return false;
}
