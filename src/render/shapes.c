/* render/shapes.c - arrow, line, rectangle, ellipse and angle. */
#include "render/inside.h"

#include <math.h>
#include <stdio.h>

static const double PI = 3.141592653589793;

static double px(const ink *k, uint32_t i)
{
    return k->item->geo.points[i].x * k->sx;
}

static double py(const ink *k, uint32_t i)
{
    return k->item->geo.points[i].y * k->sy;
}

/* One outline of shaft and head. The head shrinks with an arrow too short for it. */
static void draw_arrow(const ink *k)
{
    cairo_t *cr = k->cr;
    double ax = px(k, 0);
    double ay = py(k, 0);
    double bx = px(k, 1);
    double by = py(k, 1);
    double len = hypot(bx - ax, by - ay);
    double half = k->width * 0.5;
    if (len < 1e-6) {
        cairo_arc(cr, ax, ay, half, 0, 2 * PI);
    } else {
        double ux = (bx - ax) / len;
        double uy = (by - ay) / len;
        double head = fmin(4.5 * k->width, 0.6 * len);
        double wing = fmax(0.4 * head, half);
        double cx = bx - ux * head;
        double cy = by - uy * head;
        double along = atan2(uy, ux);
        cairo_arc(cr, ax, ay, half, along + PI / 2, along + 3 * PI / 2);
        cairo_line_to(cr, cx + uy * half, cy - ux * half);
        cairo_line_to(cr, cx + uy * wing, cy - ux * wing);
        cairo_line_to(cr, bx, by);
        cairo_line_to(cr, cx - uy * wing, cy + ux * wing);
        cairo_line_to(cr, cx - uy * half, cy + ux * half);
    }
    cairo_close_path(cr);
    cairo_set_line_width(cr, 2 * k->halo);
    sl_ink_halo(k);
    cairo_stroke_preserve(cr);
    sl_ink_body(k);
    cairo_fill(cr);
}

static void path_ellipse(const ink *k)
{
    cairo_t *cr = k->cr;
    double rx = fabs(px(k, 1) - px(k, 0)) * 0.5;
    double ry = fabs(py(k, 1) - py(k, 0)) * 0.5;
    cairo_save(cr);
    cairo_translate(cr, (px(k, 0) + px(k, 1)) * 0.5, (py(k, 0) + py(k, 1)) * 0.5);
    cairo_scale(cr, fmax(rx, 0.01), fmax(ry, 0.01)); /* a scale of 0 has no way back */
    cairo_arc(cr, 0, 0, 1, 0, 2 * PI);
    cairo_close_path(cr);
    cairo_restore(cr);
}

typedef struct angle {
    double from; /* direction of the first arm, in pixels */
    double turn; /* to the second, the shorter way round */
    double r;    /* of the arc */
} angle;

static angle angle_of(const ink *k)
{
    double ax = px(k, 0) - px(k, 1);
    double ay = py(k, 0) - py(k, 1);
    double bx = px(k, 2) - px(k, 1);
    double by = py(k, 2) - py(k, 1);
    angle g = {atan2(ay, ax), atan2(ax * by - ay * bx, ax * bx + ay * by), 0};
    double arm = fmin(hypot(ax, ay), hypot(bx, by));
    g.r = fmin(0.4 * arm, 1.5 * k->item->style.font_size * k->scale);
    return g;
}

static void path_angle(const ink *k)
{
    cairo_t *cr = k->cr;
    angle g = angle_of(k);
    cairo_move_to(cr, px(k, 0), py(k, 0));
    cairo_line_to(cr, px(k, 1), py(k, 1));
    cairo_line_to(cr, px(k, 2), py(k, 2));
    if (g.r > 0.5) {
        cairo_new_sub_path(cr);
        if (g.turn > 0) {
            cairo_arc(cr, px(k, 1), py(k, 1), g.r, g.from, g.from + g.turn);
        } else {
            cairo_arc_negative(cr, px(k, 1), py(k, 1), g.r, g.from, g.from + g.turn);
        }
    }
}

/* The degrees are those of the units, not of pixels that may be stretched. */
void sl_ink_angle_label(const ink *k, char out[16], double *x, double *y)
{
    const sl_point *p = k->item->geo.points;
    double ax = (double)p[0].x - p[1].x;
    double ay = (double)p[0].y - p[1].y;
    double bx = (double)p[2].x - p[1].x;
    double by = (double)p[2].y - p[1].y;
    double degrees = fabs(atan2(ax * by - ay * bx, ax * bx + ay * by)) * 180.0 / PI;
    (void)snprintf(out, 16, "%d\xC2\xB0", (int)floor(degrees + 0.5));
    angle g = angle_of(k);
    double middle = g.from + g.turn * 0.5;
    double away = g.r + 1.5 * k->item->style.font_size * k->scale;
    *x = px(k, 1) + away * cos(middle);
    *y = py(k, 1) + away * sin(middle);
}

void sl_ink_shape(const ink *k)
{
    char label[16] = "";
    double x = 0;
    double y = 0;
    cairo_new_path(k->cr);
    switch (k->item->geo.kind) {
    case SL_KIND_ARROW: draw_arrow(k); return;
    case SL_KIND_LINE:
        cairo_move_to(k->cr, px(k, 0), py(k, 0));
        cairo_line_to(k->cr, px(k, 1), py(k, 1));
        break;
    case SL_KIND_RECT:
        cairo_rectangle(k->cr, px(k, 0), py(k, 0), px(k, 1) - px(k, 0), py(k, 1) - py(k, 0));
        break;
    case SL_KIND_ELLIPSE: path_ellipse(k); break;
    case SL_KIND_ANGLE: path_angle(k); break;
    case SL_KIND_PEN:
    case SL_KIND_TEXT:
    case SL_KIND_COUNT: return;
    }
    sl_ink_stroke_path(k);
    if (k->item->geo.kind == SL_KIND_ANGLE) {
        sl_ink_angle_label(k, label, &x, &y);
        sl_ink_label(k, label, x, y);
    }
}

void sl_ink_extent(const ink *k, extent *e)
{
    const sl_geometry *geo = &k->item->geo;
    if (geo->kind == SL_KIND_TEXT) {
        sl_ink_text_extent(k, e);
        return;
    }
    double pad = k->width * 0.5 + k->halo;
    if (geo->kind == SL_KIND_ARROW) {
        pad = k->width * 1.8 + k->halo;
    }
    for (uint32_t i = 0; i < geo->n; i++) {
        sl_extent_add(e, px(k, i), py(k, i), pad);
    }
    if (geo->kind == SL_KIND_ANGLE) {
        char label[16] = "";
        double x = 0;
        double y = 0;
        sl_extent_add(e, px(k, 1), py(k, 1), angle_of(k).r + pad);
        sl_ink_angle_label(k, label, &x, &y);
        sl_ink_label_extent(k, label, x, y, e);
    }
}
