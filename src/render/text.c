/* render/text.c - texts, labels and what lies under them. Letters are drawn as paths (letters.h). */
#include "render/inside.h"
#include "render/letters.h"

#include <math.h>
#include <string.h>

enum {
    LINE_BYTES_MAX = 16 * 1024 + 1,
    GROUND = 0x101014 /* under letters that ask for one and name no fill */
};

static const double PI = 3.141592653589793;
static const double LINE_HEIGHT = 1.25; /* of the font's size, as in annotation/shape.c */

static double font_px(const ink *k, double size)
{
    double px = k->item->style.font_size * k->scale * size;
    return px < 1 ? 1 : px;
}

static double halo_px(const ink *k, double size)
{
    double halo = font_px(k, size) * 0.06;
    return halo < 1 ? 1 : halo;
}

/* Without memory all may be touched, and the drawing fails. */
static void no_letters(const ink *k)
{
    if (k->tools != NULL) {
        k->tools->failed = true;
    }
    if (k->measure != NULL) {
        sl_extent_add(k->measure, 0, 0, HUGE_VAL);
    }
}

static sl_letters letters_of(const ink *k, const char *line, double size)
{
    sl_letters l = {0, 0, 0, 0, 0, false};
    if (!sl_letters_measure(line, font_px(k, size), &l)) {
        no_letters(k);
    }
    return l;
}

static void draw_line(const ink *k, const char *line, double x, double baseline, double size)
{
    if (k->measure != NULL) {
        sl_letters l = letters_of(k, line, size);
        double pad = halo_px(k, size) + 1;
        sl_extent_add(k->measure, x + l.x0, baseline + l.y0, pad);
        sl_extent_add(k->measure, x + l.x1, baseline + l.y1, pad);
        return;
    }
    cairo_new_path(k->cr);
    if (!sl_letters_path(k->cr, line, font_px(k, size), x, baseline)) {
        no_letters(k);
    }
    sl_ink_halo(k, 2 * halo_px(k, size));
    sl_ink_fill(k, k->item->style.rgb, 1);
    cairo_new_path(k->cr);
}

void sl_ink_label(const ink *k, const char *label, double x, double y, double size)
{
    sl_letters l = letters_of(k, label, size);
    draw_line(k, label, x - (l.x0 + l.x1) * 0.5, y - (l.y0 + l.y1) * 0.5, size);
}

static void draw_ground(const ink *k, const extent *e, double pad, double alpha)
{
    if (!isfinite(e->x0)) {
        return;
    }
    double x0 = e->x0 - pad;
    double y0 = e->y0 - pad;
    double x1 = e->x1 + pad;
    double y1 = e->y1 + pad;
    double r = fmin(pad, fmin(x1 - x0, y1 - y0) / 2);
    cairo_new_sub_path(k->cr);
    cairo_arc(k->cr, x1 - r, y0 + r, r, -PI / 2, 0);
    cairo_arc(k->cr, x1 - r, y1 - r, r, 0, PI / 2);
    cairo_arc(k->cr, x0 + r, y1 - r, r, PI / 2, PI);
    cairo_arc(k->cr, x0 + r, y0 + r, r, PI, 3 * PI / 2);
    cairo_close_path(k->cr);
    sl_ink_area(k, k->item->style.fill >= 0 ? k->item->style.fill : GROUND, alpha);
}

/* How far a span must go to lie within 0..size: a label beside a thing at the edge is read too. What
 * lies all outside stays there. */
static double inward(double from, double to, double size)
{
    if (to <= 0 || from >= size || to - from > size) {
        return 0;
    }
    return from < 0 ? -from : to > size ? size - to : 0;
}

void sl_ink_boxed_label(const ink *k, const char *label, double x, double y, double size)
{
    extent e = {HUGE_VAL, HUGE_VAL, -HUGE_VAL, -HUGE_VAL};
    ink dry = *k;
    dry.measure = &e;
    sl_ink_label(&dry, label, x, y, size);
    double pad = 0.3 * font_px(k, size);
    double dx = inward(e.x0 - pad, e.x1 + pad, k->into->width);
    double dy = inward(e.y0 - pad, e.y1 + pad, k->into->height);
    e.x0 += dx;
    e.x1 += dx;
    e.y0 += dy;
    e.y1 += dy;
    draw_ground(k, &e, pad, 0.75);
    sl_ink_label(k, label, x + dx, y + dy, size);
}

/* Copies the next line, tabs as spaces; returns where the one after it starts, NULL at the end. */
static const char *next_line(const char *s, char *line)
{
    size_t n = 0;
    while (*s != 0 && *s != '\n') {
        if (n < LINE_BYTES_MAX - 1) {
            line[n++] = *s == '\t' ? ' ' : *s;
        }
        s++;
    }
    line[n] = 0;
    return *s == '\n' ? s + 1 : NULL;
}

/* The widest line's advance, to whose end lines from right to left go. */
static double widest(const ink *k)
{
    char line[LINE_BYTES_MAX];
    double wide = 0;
    for (const char *s = k->item->geo.text; s != NULL;) {
        s = next_line(s, line);
        wide = fmax(wide, letters_of(k, line, 1).advance);
    }
    return wide;
}

static void each_line(const ink *k)
{
    char line[LINE_BYTES_MAX];
    double top = 0;
    double wide = widest(k);
    if (!sl_letters_ascent(font_px(k, 1), &top)) {
        no_letters(k);
    }
    top += sl_ink_y(k, 0);
    int number = 0;
    for (const char *s = k->item->geo.text; s != NULL; number++) {
        double x = sl_ink_x(k, 0);
        double baseline = top + number * LINE_HEIGHT * font_px(k, 1);
        s = next_line(s, line);
        if (line[0] != 0) {
            sl_letters l = letters_of(k, line, 1);
            draw_line(k, line, l.rtl ? x + wide - l.advance : x, baseline, 1);
        }
    }
}

/* From the nearest side of the letters' box to the point spoken of. */
static void draw_pointer(const ink *k, const extent *e)
{
    if (!isfinite(e->x0)) {
        return;
    }
    double tx = sl_ink_x(k, 1);
    double ty = sl_ink_y(k, 1);
    double cx = (e->x0 + e->x1) / 2;
    double cy = (e->y0 + e->y1) / 2;
    double wide = fmin(0.5 * font_px(k, 1), (e->x1 - e->x0) / 3);
    double along = atan2(ty - cy, tx - cx);
    cairo_move_to(k->cr, cx - sin(along) * wide, cy + cos(along) * wide);
    cairo_line_to(k->cr, tx, ty);
    cairo_line_to(k->cr, cx + sin(along) * wide, cy - cos(along) * wide);
    cairo_close_path(k->cr);
    sl_ink_body(k);
}

bool sl_ink_text(const ink *k)
{
    bool callout = k->item->geo.kind == SL_KIND_CALLOUT;
    if (callout || k->item->style.box != 0) {
        extent e = {HUGE_VAL, HUGE_VAL, -HUGE_VAL, -HUGE_VAL};
        ink dry = *k;
        dry.measure = &e;
        each_line(&dry);
        if (callout && e.x0 < e.x1) {
            draw_pointer(k, &e);
        }
        if (e.x0 < e.x1) {
            draw_ground(k, &e, 0.3 * font_px(k, 1), callout ? 1 : 0.75);
        }
    }
    each_line(k);
    return true;
}
