/*
 * render/text.c - texts, by Cairo's own font selection: it is there in every build of Cairo, also
 * one without a font library of the system. Letters are drawn as paths, unhinted.
 */
#include "render/inside.h"

#include <string.h>

enum {
    LINE_BYTES_MAX = 16 * 1024 + 1
};

static const double LINE_HEIGHT = 1.25; /* of the font's size, as in annotation/shape.c */

static double font_px(const ink *k)
{
    double size = k->item->style.font_size * k->scale;
    return size < 1 ? 1 : size;
}

static double text_halo(const ink *k)
{
    double halo = font_px(k) * 0.06;
    return halo < 1 ? 1 : halo;
}

void sl_ink_font(const ink *k)
{
    cairo_font_options_t *options = cairo_font_options_create();
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    cairo_set_font_options(k->cr, options);
    cairo_font_options_destroy(options);
    cairo_select_font_face(k->cr, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_BOLD);
    cairo_set_font_size(k->cr, font_px(k));
}

static void draw_line(const ink *k, const char *line, double x, double baseline)
{
    cairo_new_path(k->cr);
    cairo_move_to(k->cr, x, baseline);
    cairo_text_path(k->cr, line);
    cairo_set_line_width(k->cr, 2 * text_halo(k));
    sl_ink_halo(k);
    cairo_stroke_preserve(k->cr);
    sl_ink_body(k);
    cairo_fill(k->cr);
}

static void line_extent(const ink *k, const char *line, double x, double baseline, extent *e)
{
    cairo_text_extents_t t;
    cairo_text_extents(k->cr, line, &t);
    double pad = text_halo(k) + 1;
    sl_extent_add(e, x + t.x_bearing, baseline + t.y_bearing, pad);
    sl_extent_add(e, x + t.x_bearing + t.width, baseline + t.y_bearing + t.height, pad);
}

/* Where a label must start so that its ink is centred on (*x, *y). */
static void centre(const ink *k, const char *label, double *x, double *y)
{
    cairo_text_extents_t t;
    cairo_text_extents(k->cr, label, &t);
    *x -= t.x_bearing + t.width * 0.5;
    *y -= t.y_bearing + t.height * 0.5;
}

void sl_ink_label(const ink *k, const char *label, double x, double y)
{
    sl_ink_font(k);
    centre(k, label, &x, &y);
    draw_line(k, label, x, y);
}

void sl_ink_label_extent(const ink *k, const char *label, double x, double y, extent *e)
{
    sl_ink_font(k);
    centre(k, label, &x, &y);
    line_extent(k, label, x, y, e);
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

static void each_line(const ink *k, extent *e)
{
    char line[LINE_BYTES_MAX];
    cairo_font_extents_t font;
    sl_ink_font(k);
    cairo_font_extents(k->cr, &font);
    double x = k->item->geo.points[0].x * k->sx;
    double top = k->item->geo.points[0].y * k->sy + font.ascent;
    int number = 0;
    for (const char *s = k->item->geo.text; s != NULL; number++) {
        double baseline = top + number * LINE_HEIGHT * font_px(k);
        s = next_line(s, line);
        if (line[0] == 0) {
            continue;
        }
        if (e != NULL) {
            line_extent(k, line, x, baseline, e);
        } else {
            draw_line(k, line, x, baseline);
        }
    }
}

void sl_ink_text(const ink *k)
{
    each_line(k, NULL);
}

void sl_ink_text_extent(const ink *k, extent *e)
{
    each_line(k, e);
}
