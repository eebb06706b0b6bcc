/*
 * annotation/shape.c - what an item covers and whether a point is on it.
 *
 * The arithmetic is that of doubles with + - * / and square roots only, all of which are exactly
 * rounded everywhere: the answers are the same on every machine.
 */
#include "annotation/tool.h"

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

static double lens_radius(const sl_point *p)
{
    double dx = (double)p[1].x - p[0].x;
    double dy = (double)p[1].y - p[0].y;
    return sqrt(dx * dx + dy * dy);
}

/* What a shape adds around the box of its points: half its line, the wings of heads, labels. */
static double padding(const sl_item *item)
{
    const sl_tool *tool = sl_tool_of(item->geo.kind);
    return tool->pad_widths * 0.5 * item->style.width +
           tool->pad_fonts * 0.5 * item->style.font_size;
}

static void grow_box(double box[4], double x, double y)
{
    box[0] = x < box[0] ? x : box[0];
    box[1] = y < box[1] ? y : box[1];
    box[2] = x > box[2] ? x : box[2];
    box[3] = y > box[3] ? y : box[3];
}

sl_box sl_item_bounds(const sl_item *item)
{
    const sl_geometry *geo = &item->geo;
    double b[4] = {geo->points[0].x, geo->points[0].y, geo->points[0].x, geo->points[0].y};
    double pad = padding(item);
    for (uint32_t i = 1; i < geo->n; i++) {
        grow_box(b, geo->points[i].x, geo->points[i].y);
    }
    sl_form form = sl_tool_of(geo->kind)->form;
    if (form == SL_FORM_TEXT) {
        pad = geo->n > 1 ? pad : 0;
        grow_box(b, geo->points[0].x + text_width(item), geo->points[0].y + text_height(item));
    } else if (form == SL_FORM_LENS) {
        double r = lens_radius(geo->points);
        grow_box(b, geo->points[0].x - r, geo->points[0].y - r);
        grow_box(b, geo->points[0].x + r, geo->points[0].y + r);
    }
    sl_box box = {clamped(floor(b[0] - pad)), clamped(floor(b[1] - pad)),
                  clamped(ceil(b[2] + pad) + 1), clamped(ceil(b[3] + pad) + 1)};
    return box;
}

double sl_step_distance(double px, double py, sl_point a, sl_point b)
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

/* Which steps of a line come near a place: most lie all on one side of it, which is seen at once. */
typedef struct reach_of {
    double x;
    double y;
    double radius;
    int32_t x0;
    int32_t y0;
    int32_t x1;
    int32_t y1;
} reach_of;

static reach_of make_reach(double x, double y, double radius)
{
    reach_of r = {x,
                  y,
                  radius,
                  clamped(floor(x - radius)),
                  clamped(floor(y - radius)),
                  clamped(ceil(x + radius)),
                  clamped(ceil(y + radius))};
    return r;
}

static bool near_step(const reach_of *r, sl_point a, sl_point b)
{
    if ((a.x < r->x0 && b.x < r->x0) || (a.x > r->x1 && b.x > r->x1) ||
        (a.y < r->y0 && b.y < r->y0) || (a.y > r->y1 && b.y > r->y1)) {
        return false;
    }
    return sl_step_distance(r->x, r->y, a, b) <= r->radius;
}

static bool near_polyline(const sl_point *p, uint32_t n, double x, double y, double reach)
{
    reach_of r = make_reach(x, y, reach);
    for (uint32_t i = 0; i < n; i++) {
        if (near_step(&r, p[i], p[i + 1 < n ? i + 1 : i])) {
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

static bool in_box(double x0, double y0, double x1, double y1, sl_point at, double radius)
{
    return at.x >= x0 - radius && at.x <= x1 + radius && at.y >= y0 - radius && at.y <= y1 + radius;
}

static bool in_area(const sl_point *p, sl_point at, double reach)
{
    return in_box(fmin(p[0].x, p[1].x), fmin(p[0].y, p[1].y), fmax(p[0].x, p[1].x),
                  fmax(p[0].y, p[1].y), at, reach);
}

/* The box of the letters and, of a callout, the line to what it speaks of. */
static bool in_text(const sl_item *item, sl_point at, double radius)
{
    const sl_point *p = item->geo.points;
    return in_box(p[0].x, p[0].y, p[0].x + text_width(item), p[0].y + text_height(item), at,
                  radius) ||
           (item->geo.n > 1 && near_polyline(p, 2, at.x, at.y, radius + item->style.width * 0.5));
}

static bool near_curve(const sl_point *p, double x, double y, double reach)
{
    enum {
        STEPS = 16
    };
    sl_point line[STEPS + 1];
    for (int i = 0; i <= STEPS; i++) {
        double t = (double)i / STEPS;
        double u = 1 - t;
        line[i].x = clamped(floor(u * u * p[0].x + 2 * u * t * p[1].x + t * t * p[2].x + 0.5));
        line[i].y = clamped(floor(u * u * p[0].y + 2 * u * t * p[1].y + t * t * p[2].y + 0.5));
    }
    return near_polyline(line, STEPS + 1, x, y, reach);
}

static bool near_figure(const sl_point *p, double x, double y, double reach)
{
    for (int i = 0; i < SL_BONES; i++) {
        const uint8_t *bone = sl_bones[i];
        if (sl_step_distance(x, y, p[bone[0]], p[bone[1]]) <= reach) {
            return true;
        }
    }
    return false;
}

bool sl_item_hit(const sl_item *item, int32_t x, int32_t y, int32_t radius)
{
    const sl_geometry *geo = &item->geo;
    const sl_point *p = geo->points;
    sl_point at = {x, y};
    double slack = radius > 0 ? radius : 0;
    double reach = slack + item->style.width * 0.5;
    switch (sl_tool_of(geo->kind)->form) {
    case SL_FORM_BOX: return near_rect(p, x, y, reach);
    case SL_FORM_OVAL: return near_ellipse(p, x, y, reach);
    case SL_FORM_AREA: return in_area(p, at, slack);
    case SL_FORM_TEXT: return in_text(item, at, slack);
    case SL_FORM_MARK: return sl_step_distance(x, y, p[0], p[0]) <= slack + padding(item);
    case SL_FORM_LENS: return sl_step_distance(x, y, p[0], p[0]) <= reach + lens_radius(p);
    case SL_FORM_CURVE: return near_curve(p, x, y, reach);
    case SL_FORM_FIGURE: return near_figure(p, x, y, reach);
    case SL_FORM_LOOP:
        return near_polyline(p, geo->n, x, y, reach) ||
               sl_step_distance(x, y, p[geo->n - 1], p[0]) <= reach;
    case SL_FORM_STROKE:
    case SL_FORM_LINE: return near_polyline(p, geo->n, x, y, reach);
    case SL_FORM_HIDDEN: break;
    }
    return false;
}
