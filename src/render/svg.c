#include "render/svg.h"

#include "base/base64.h"
#include "base/json.h"
#include "render/inside.h"

#include <math.h>
#include <string.h>

/* Hundredths, as written: whole numbers, so that steps from one to the next add up to no error. */
typedef struct hundredths {
    int64_t x;
    int64_t y;
} hundredths;

static const double FAR = 1e9; /* beyond what any viewer draws */

static int64_t to_hundredths(double v)
{
    double bound = v < -FAR ? -FAR : v > FAR ? FAR : v;
    return (int64_t)floor(bound * 100 + 0.5);
}

static void put_number(sl_buf *out, int64_t v)
{
    int64_t size = v < 0 ? -v : v;
    int64_t whole = size / 100;
    int64_t part = size % 100;
    sl_buf_str(out, v < 0 ? "-" : "");
    if (whole > 0 || part == 0) {
        sl_json_put_int(out, whole);
    }
    if (part > 0) {
        char digits[4] = {'.', (char)('0' + part / 10), (char)('0' + part % 10), 0};
        digits[2] = digits[2] == '0' ? (char)0 : digits[2];
        sl_buf_str(out, digits);
    }
}

static void put_real(sl_buf *out, double v)
{
    put_number(out, to_hundredths(v));
}

static void put_pair(sl_buf *out, int64_t a, int64_t b)
{
    put_number(out, a);
    if (b >= 0) {
        sl_buf_u8(out, ' ');
    }
    put_number(out, b);
}

static void put_escaped(sl_buf *out, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        switch (s[i]) {
        case '&': sl_buf_str(out, "&amp;"); break;
        case '<': sl_buf_str(out, "&lt;"); break;
        case '>': sl_buf_str(out, "&gt;"); break;
        case '"': sl_buf_str(out, "&quot;"); break;
        case '\n': sl_buf_str(out, "&#10;"); break;
        case '\t': sl_buf_str(out, "&#9;"); break;
        default: sl_buf_u8(out, (uint8_t)s[i]); break;
        }
    }
}

/* The points of one command, relative to where the pen is, which they move. */
static void put_steps(sl_buf *out, char command, const cairo_path_data_t *data, int points,
                      hundredths *pen)
{
    hundredths from = *pen;
    sl_buf_u8(out, (uint8_t)command);
    for (int i = 0; i < points; i++) {
        pen->x = to_hundredths(data[i].point.x);
        pen->y = to_hundredths(data[i].point.y);
        if (i > 0 && pen->x - from.x >= 0) {
            sl_buf_u8(out, ' ');
        }
        put_pair(out, pen->x - from.x, pen->y - from.y);
    }
}

/* The current path as d="..". A move that nothing follows draws nothing, and is left out. */
static void put_path(sl_buf *out, cairo_t *cr)
{
    cairo_path_t *path = cairo_copy_path(cr);
    hundredths pen = {0, 0};
    hundredths start = {0, 0};
    out->failed = out->failed || path->status == CAIRO_STATUS_NO_MEMORY;
    sl_buf_str(out, " d=\"");
    for (int i = 0; i < path->num_data; i += path->data[i].header.length) {
        const cairo_path_data_t *data = &path->data[i];
        int next = i + data->header.length;
        switch (data->header.type) {
        case CAIRO_PATH_MOVE_TO:
            if (next < path->num_data && path->data[next].header.type != CAIRO_PATH_MOVE_TO) {
                put_steps(out, 'm', data + 1, 1, &pen);
                start = pen;
            }
            break;
        case CAIRO_PATH_LINE_TO: put_steps(out, 'l', data + 1, 1, &pen); break;
        case CAIRO_PATH_CURVE_TO: put_steps(out, 'c', data + 1, 3, &pen); break;
        case CAIRO_PATH_CLOSE_PATH:
            sl_buf_u8(out, 'z');
            pen = start;
            break;
        }
    }
    cairo_path_destroy(path);
    sl_buf_u8(out, '"');
}

static void put_alpha(sl_buf *out, const char *name, double alpha)
{
    if (alpha < 1) {
        sl_buf_fmt(out, " %s=\"", name);
        put_real(out, alpha);
        sl_buf_u8(out, '"');
    }
}

static void put_dashes(sl_buf *out, cairo_t *cr)
{
    double dashes[2];
    double offset = 0;
    if (cairo_get_dash_count(cr) == 2) {
        cairo_get_dash(cr, dashes, &offset);
        sl_buf_str(out, " stroke-dasharray=\"");
        put_real(out, dashes[0]);
        sl_buf_u8(out, ' ');
        put_real(out, dashes[1]);
        sl_buf_u8(out, '"');
    }
}

void sl_svg_stroke(const ink *k, double width, int32_t rgb, double alpha)
{
    sl_buf *out = k->svg->out;
    sl_buf_fmt(out, "<path stroke=\"#%06X\" stroke-width=\"", (unsigned)rgb);
    put_real(out, width);
    sl_buf_u8(out, '"');
    put_alpha(out, "stroke-opacity", alpha);
    put_dashes(out, k->cr);
    put_path(out, k->cr);
    sl_buf_str(out, "/>\n");
}

void sl_svg_fill(const ink *k, int32_t rgb, double alpha)
{
    sl_buf *out = k->svg->out;
    sl_buf_fmt(out, "<path fill=\"#%06X\"", (unsigned)rgb);
    put_alpha(out, "fill-opacity", alpha);
    if (cairo_get_fill_rule(k->cr) == CAIRO_FILL_RULE_EVEN_ODD) {
        sl_buf_str(out, " fill-rule=\"evenodd\"");
    }
    put_path(out, k->cr);
    sl_buf_str(out, "/>\n");
}

static cairo_status_t keep_png(void *closure, const unsigned char *data, unsigned int n)
{
    sl_buf *png = closure;
    sl_buf_put(png, data, n);
    return png->failed ? CAIRO_STATUS_NO_MEMORY : CAIRO_STATUS_SUCCESS;
}

/* width, height and the PNG itself. */
static void put_image(sl_buf *out, cairo_surface_t *picture)
{
    sl_buf png = {0};
    cairo_status_t status = cairo_surface_write_to_png_stream(picture, keep_png, &png);
    sl_buf_fmt(out, " preserveAspectRatio=\"none\" width=\"%d\" height=\"%d\"",
               cairo_image_surface_get_width(picture), cairo_image_surface_get_height(picture));
    sl_buf_str(out, " xlink:href=\"data:image/png;base64,");
    sl_base64(out, png.data, png.len);
    sl_buf_str(out, "\"/>");
    out->failed = out->failed || png.failed || status != CAIRO_STATUS_SUCCESS;
    sl_buf_free(&png);
}

static void put_matrix(sl_buf *out, const cairo_matrix_t *m)
{
    /* Five digits: a picture is up to 16384 pixels wide. */
    double v[6] = {m->xx, m->yx, m->xy, m->yy, m->x0, m->y0};
    sl_buf_str(out, " transform=\"matrix(");
    for (int i = 0; i < 6; i++) {
        sl_buf_str(out, i > 0 ? " " : "");
        sl_json_put_real(out, floor(v[i] * 1e5 + 0.5) / 1e5);
    }
    sl_buf_str(out, ")\"");
}

bool sl_svg_picture(const ink *k, cairo_surface_t *picture, cairo_filter_t filter,
                    const double *lens)
{
    sl_buf *out = k->svg->out;
    cairo_matrix_t to;
    cairo_get_matrix(k->cr, &to);
    if (lens != NULL) {
        uint32_t id = ++k->svg->clips;
        sl_buf_fmt(out, "<clipPath id=\"lens%u\"><circle cx=\"", id);
        put_real(out, lens[0]);
        sl_buf_str(out, "\" cy=\"");
        put_real(out, lens[1]);
        sl_buf_str(out, "\" r=\"");
        put_real(out, lens[2]);
        sl_buf_fmt(out, "\"/></clipPath><g clip-path=\"url(#lens%u)\">", id);
    }
    sl_buf_str(out, "<image");
    put_matrix(out, &to);
    sl_buf_str(out, filter == CAIRO_FILTER_NEAREST ? " style=\"image-rendering:pixelated\"" : "");
    put_image(out, picture);
    sl_buf_str(out, lens != NULL ? "</g>\n" : "\n");
    return !out->failed;
}

bool sl_svg_ground(sl_svg *svg, cairo_surface_t *picture)
{
    sl_buf_str(svg->out, "<image id=\"frame\"");
    put_image(svg->out, picture);
    sl_buf_str(svg->out, "\n");
    return !svg->out->failed;
}

void sl_svg_open(sl_svg *svg, int32_t width, int32_t height)
{
    sl_buf_str(svg->out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                         "<svg xmlns=\"http://www.w3.org/2000/svg\" "
                         "xmlns:xlink=\"http://www.w3.org/1999/xlink\"");
    sl_buf_fmt(svg->out,
               " viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" fill=\"none\" "
               "stroke-linecap=\"round\" stroke-linejoin=\"round\" stroke-miterlimit=\"10\">\n",
               width, height, width, height);
}

void sl_svg_close(sl_svg *svg)
{
    sl_buf_str(svg->out, "</svg>\n");
}

static void put_field(sl_buf *out, const sl_json *field)
{
    sl_buf text = {0};
    const char *s = sl_json_text(field);
    if (s == NULL) {
        sl_json_put(&text, field);
        s = sl_buf_text(&text);
    }
    sl_buf_fmt(out, " data-%s=\"", sl_json_key(field));
    put_escaped(out, s, strlen(s));
    sl_buf_u8(out, '"');
    out->failed = out->failed || text.failed;
    sl_buf_free(&text);
}

bool sl_svg_item_open(sl_svg *svg, const sl_item *item, double opacity, bool hidden)
{
    sl_json *fields = sl_item_to_fields(item);
    sl_buf_fmt(svg->out, "<g id=\"item-%s\"", item->id);
    for (const sl_json *f = sl_json_first(fields); f != NULL; f = sl_json_next(f)) {
        put_field(svg->out, f);
    }
    put_alpha(svg->out, "opacity", opacity);
    sl_buf_str(svg->out, hidden ? " display=\"none\">\n" : ">\n");
    bool ok = fields != NULL && !svg->out->failed;
    sl_json_free(fields);
    return ok;
}

void sl_svg_item_close(sl_svg *svg)
{
    sl_buf_str(svg->out, "</g>\n");
}
