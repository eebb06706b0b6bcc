/* exchange/svg.c - the elements of an SVG. */
#include "exchange/inside.h"

#include "annotation/stroke.h"
#include "annotation/tool.h"
#include "base/error.h"
#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    USES_MAX = 16 /* one within another */
};

static const double PI = 3.141592653589793;
static const double ASCENT = 0.93; /* of a font's size, from its top to where it stands */

typedef struct affine {
    double m[6]; /* x' = m0 x + m2 y + m4, y' = m1 x + m3 y + m5 */
} affine;

/* What an element inherits. */
typedef struct scope {
    affine to;
    sl_look look;
} scope;

typedef struct svg {
    sl_import *im;
    sl_error **err;
    const scope *now; /* of the element whose path is read */
    sl_sheet sheet;
    int uses;       /* that one is within */
    size_t visited; /* elements, those of each use anew */
} svg;

static affine times(affine a, affine b)
{
    affine r = {{a.m[0] * b.m[0] + a.m[2] * b.m[1], a.m[1] * b.m[0] + a.m[3] * b.m[1],
                 a.m[0] * b.m[2] + a.m[2] * b.m[3], a.m[1] * b.m[2] + a.m[3] * b.m[3],
                 a.m[0] * b.m[4] + a.m[2] * b.m[5] + a.m[4],
                 a.m[1] * b.m[4] + a.m[3] * b.m[5] + a.m[5]}};
    return r;
}

/* One "name(numbers)" as a matrix; false: none known by this name. */
static bool one_transform(const char *name, size_t n, const double *v, int count, affine *out)
{
    affine r = {{1, 0, 0, 1, 0, 0}};
    if (n == 6 && strncmp(name, "matrix", n) == 0 && count == 6) {
        memcpy(r.m, v, sizeof r.m);
    } else if (n == 9 && strncmp(name, "translate", n) == 0 && count >= 1) {
        r.m[4] = v[0];
        r.m[5] = count > 1 ? v[1] : 0;
    } else if (n == 5 && strncmp(name, "scale", n) == 0 && count >= 1) {
        r.m[0] = v[0];
        r.m[3] = count > 1 ? v[1] : v[0];
    } else if (n == 6 && strncmp(name, "rotate", n) == 0 && count >= 1) {
        double a = v[0] * PI / 180;
        double x = count > 2 ? v[1] : 0;
        double y = count > 2 ? v[2] : 0;
        affine turn = {{cos(a), sin(a), -sin(a), cos(a), x, y}};
        affine back = {{1, 0, 0, 1, -x, -y}};
        r = times(turn, back);
    } else if (n == 5 && strncmp(name, "skewX", n) == 0 && count >= 1) {
        r.m[2] = tan(v[0] * PI / 180);
    } else if (n == 5 && strncmp(name, "skewY", n) == 0 && count >= 1) {
        r.m[1] = tan(v[0] * PI / 180);
    } else {
        return false;
    }
    *out = r;
    return true;
}

static affine read_transform(const char *s)
{
    affine all = {{1, 0, 0, 1, 0, 0}};
    while (s != NULL && *s != 0) {
        double v[6];
        int count = 0;
        affine one;
        s += strspn(s, " \t\r\n,");
        const char *name = s;
        size_t n = strcspn(s, "( \t\r\n");
        const char *open = strchr(s, '(');
        if (open == NULL) {
            break;
        }
        s = open + 1;
        while (count < 6 && sl_number(&s, &v[count])) {
            count++;
        }
        const char *close = strchr(s, ')');
        if (close == NULL || !one_transform(name, n, v, count, &one)) {
            break;
        }
        all = times(all, one);
        s = close + 1;
    }
    return all;
}

/* How much longer the matrix makes things, in the mean. */
static double growth(const affine *to)
{
    return sqrt(fabs(to->m[0] * to->m[3] - to->m[1] * to->m[2]));
}

static double number_of(const sl_xml *x, const char *name)
{
    return sl_number_or(sl_xml_attribute(x, name), 0);
}

static void add_through(sl_spots *spots, const affine *to, double x, double y)
{
    sl_spots_add(spots, to->m[0] * x + to->m[2] * y + to->m[4],
                 to->m[1] * x + to->m[3] * y + to->m[5]);
}

static void set_style(sl_item *item, const scope *at)
{
    const sl_look *look = &at->look;
    sl_style *style = &item->style;
    bool stroked = look->stroke >= 0;
    double opacity = look->opacity * (stroked ? look->stroke_opacity : look->fill_opacity);
    style->rgb = stroked ? look->stroke : look->fill >= 0 ? look->fill : 0;
    style->fill = look->fill;
    style->opacity = sl_import_size(opacity * SL_OPACITY_MAX, 0, SL_OPACITY_MAX);
    style->width = sl_import_size(stroked ? look->width * growth(&at->to) : 1, 1, SL_WIDTH_MAX);
    style->dash = look->dotted ? SL_DASH_DOTS : look->dashed ? SL_DASH_DASHES : SL_DASH_SOLID;
    style->heads = look->head && look->tail ? 2 : 1;
}

/* An arrow that only starts with a head goes the other way round. */
static void turn_round(sl_spots *spots)
{
    for (uint32_t i = 0; i < spots->n / 2; i++) {
        sl_spot swap = spots->p[i];
        spots->p[i] = spots->p[spots->n - 1 - i];
        spots->p[spots->n - 1 - i] = swap;
    }
}

static sl_kind open_kind(const sl_look *look, uint32_t n)
{
    if (n == 2) {
        return look->head || look->tail ? SL_KIND_ARROW : SL_KIND_LINE;
    }
    return n <= SL_SHAPE_POINTS_MAX ? SL_KIND_POLYLINE : SL_KIND_PEN;
}

/* A line through spots, or a shape they close. Too many for a shape are thinned out, and those that
 * are still too many become a pen's stroke. */
static sl_status keep_spots(svg *s, const scope *at, sl_spots *spots, bool closed)
{
    const sl_look *look = &at->look;
    if (spots->failed) {
        return sl_fail_nomem(s->err);
    }
    if (look->stroke < 0 && look->fill < 0) {
        return SL_OK; /* not painted */
    }
    closed = closed || look->stroke < 0; /* a fill closes what it fills */
    if (spots->n > 2 && spots->p[0].x == spots->p[spots->n - 1].x &&
        spots->p[0].y == spots->p[spots->n - 1].y) {
        closed = true;
        spots->n--;
    }
    if (!closed && look->tail && !look->head) {
        turn_round(spots);
    }
    sl_item *item = sl_import_item(s->im, SL_KIND_PEN);
    if (item == NULL || !sl_import_points(item, spots->p, spots->n) ||
        (spots->n > SL_SHAPE_POINTS_MAX && !sl_stroke_simplify(&item->geo))) {
        sl_item_free(item);
        return sl_fail_nomem(s->err);
    }
    uint32_t n = item->geo.n;
    item->geo.kind =
        closed && n > 2 && n <= SL_SHAPE_POINTS_MAX ? SL_KIND_POLYGON : open_kind(look, n);
    set_style(item, at);
    if (item->geo.kind != SL_KIND_POLYGON) {
        item->style.fill = -1;
    }
    return sl_import_keep(s->im, item, s->err);
}

static sl_status tell_subpath(void *user, const sl_spots *spots, bool closed)
{
    svg *s = user;
    sl_spots copy = *spots;
    return keep_spots(s, s->now, &copy, closed);
}

static bool is_upright(const affine *to)
{
    double flat = fabs(to->m[1]) + fabs(to->m[2]);
    double turned = fabs(to->m[0]) + fabs(to->m[3]);
    double all = flat + turned;
    return flat < 1e-6 * all || turned < 1e-6 * all;
}

/* A box, or the oval in it: as such while it stands upright, else as its outline. */
static sl_status read_box(svg *s, const scope *at, bool oval, double x, double y, double w,
                          double h)
{
    sl_spots spots = {0};
    sl_status status = SL_OK;
    if (!(w > 0) || !(h > 0) || (at->look.stroke < 0 && at->look.fill < 0)) {
        return SL_OK;
    }
    if (is_upright(&at->to)) {
        add_through(&spots, &at->to, x, y);
        add_through(&spots, &at->to, x + w, y + h);
        sl_item *item = sl_import_item(s->im, oval ? SL_KIND_ELLIPSE : SL_KIND_RECT);
        if (spots.failed || item == NULL || !sl_import_points(item, spots.p, spots.n)) {
            sl_item_free(item);
            status = sl_fail_nomem(s->err);
        } else {
            set_style(item, at);
            status = sl_import_keep(s->im, item, s->err);
        }
    } else {
        int n = oval ? 64 : 4;
        for (int i = 0; i < n; i++) {
            double a = 2 * PI * (i + (oval ? 0 : 0.5)) / n;
            double r = oval ? 1 : sqrt(2);
            add_through(&spots, &at->to, x + w / 2 * (1 + r * cos(a)),
                        y + h / 2 * (1 + r * sin(a)));
        }
        status = keep_spots(s, at, &spots, true);
    }
    sl_spots_free(&spots);
    return status;
}

static sl_status read_line(svg *s, const scope *at, const sl_xml *x)
{
    sl_spots spots = {0};
    add_through(&spots, &at->to, number_of(x, "x1"), number_of(x, "y1"));
    add_through(&spots, &at->to, number_of(x, "x2"), number_of(x, "y2"));
    sl_status status = at->look.stroke >= 0 ? keep_spots(s, at, &spots, false) : SL_OK;
    sl_spots_free(&spots);
    return status;
}

static sl_status read_poly(svg *s, const scope *at, const sl_xml *x, bool closed)
{
    sl_spots spots = {0};
    const char *points = sl_xml_attribute(x, "points");
    double px = 0;
    double py = 0;
    while (points != NULL && sl_number(&points, &px) && sl_number(&points, &py)) {
        add_through(&spots, &at->to, px, py);
    }
    sl_status status = spots.n > 1 ? keep_spots(s, at, &spots, closed) : SL_OK;
    sl_spots_free(&spots);
    return status;
}

/* White space of one line is one space. */
static void put_words(sl_buf *out, const char *s)
{
    for (; *s != 0; s++) {
        bool space = *s == ' ' || *s == '\t' || *s == '\n' || *s == '\r';
        bool last =
            out->len == 0 || out->data[out->len - 1] == ' ' || out->data[out->len - 1] == '\n';
        if (!space) {
            sl_buf_u8(out, (uint8_t)*s);
        } else if (!last) {
            sl_buf_u8(out, ' ');
        }
    }
}

/* Each tspan with a place of its own begins a line. */
static void put_text(sl_buf *out, const sl_xml *x)
{
    put_words(out, x->text);
    for (const sl_xml *t = x->first; t != NULL; t = t->next) {
        bool placed = sl_xml_attribute(t, "y") != NULL || sl_xml_attribute(t, "dy") != NULL;
        if (sl_xml_is(t, "tspan")) {
            if (placed && out->len > 0) {
                out->len -= out->data[out->len - 1] == ' ';
                sl_buf_u8(out, '\n');
            }
            put_text(out, t);
        }
    }
}

static sl_status read_text(svg *s, const scope *at, const sl_xml *x)
{
    const sl_xml *first = sl_xml_child(x, "tspan");
    bool own = sl_xml_attribute(x, "x") != NULL || first == NULL;
    double px = number_of(own ? x : first, "x");
    double py = number_of(own ? x : first, "y");
    sl_buf text = {0};
    sl_spots spots = {0};
    put_text(&text, x);
    if (text.len > 0) {
        size_t longest =
            text.len; /* an average letter is 0.6 of the size, as in annotation/shape.c */
        px -= at->look.anchor * 0.5 * 0.6 * (double)longest * at->look.font_size;
    }
    add_through(&spots, &at->to, px, py - ASCENT * at->look.font_size);
    sl_item *item = sl_import_item(s->im, SL_KIND_TEXT);
    char *copy = text.len > 0 ? sl_text_dup(sl_buf_text(&text)) : NULL;
    sl_status status = SL_OK;
    if (item == NULL || spots.failed || text.failed || (text.len > 0 && copy == NULL) ||
        !sl_import_points(item, spots.p, spots.n)) {
        sl_item_free(item);
        sl_mem_free(copy);
        status = sl_fail_nomem(s->err);
    } else {
        item->geo.text = copy;
        set_style(item, at);
        item->style.rgb = at->look.fill >= 0 ? at->look.fill : item->style.rgb;
        item->style.fill = -1;
        item->style.width = SL_WIDTH_DEFAULT;
        item->style.font_size =
            sl_import_size(at->look.font_size * growth(&at->to), SL_FONT_MIN, SL_FONT_MAX);
        status = sl_import_keep(s->im, item, s->err);
    }
    sl_buf_free(&text);
    sl_spots_free(&spots);
    return status;
}

/* --- our own items --- */

/* An attribute as a member: what looks like a number or an object is one. */
static bool set_field(sl_json *fields, const char *key, const char *value)
{
    static const char *const texts[] = {"kind", "geometry", "z"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (strcmp(key, texts[i]) == 0) {
            return sl_json_set_str(fields, key, value);
        }
    }
    sl_json *j = sl_json_parse(value, strlen(value));
    return j == NULL || sl_json_set(fields, key, j);
}

/* Moved, where the program that had the file put a transform on the group. */
static sl_status move_item(sl_item *item, const svg *s, const sl_xml *x)
{
    affine by = read_transform(sl_xml_attribute(x, "transform"));
    double dx = floor(by.m[4] * s->im->scale + 0.5);
    double dy = floor(by.m[5] * s->im->scale + 0.5);
    double most = SL_COORD_MAX;
    if ((dx != 0 || dy != 0) && fabs(dx) <= most && fabs(dy) <= most) {
        return sl_item_move(item, (int32_t)dx, (int32_t)dy, NULL);
    }
    return SL_OK;
}

static sl_status read_own(svg *s, const sl_xml *x)
{
    static const char prefix[] = "data-";
    sl_json *fields = sl_json_object();
    bool ok = fields != NULL;
    for (size_t i = 0; ok && x->attributes[i] != NULL; i += 2) {
        const char *name = x->attributes[i];
        if (strncmp(name, prefix, sizeof prefix - 1) == 0) {
            ok = set_field(fields, name + sizeof prefix - 1, x->attributes[i + 1]);
        }
    }
    const char *id = sl_xml_attribute(x, "id");
    id = id != NULL && strncmp(id, "item-", 5) == 0 && sl_uuid_ok(id + 5) ? id + 5 : NULL;
    id = s->uses == 0 ? id : NULL; /* it is not the one item of that id */
    sl_item *item = NULL;
    sl_error *why = NULL;
    sl_status status = ok ? sl_item_from_fields(fields, id, &item, &why) : SL_E_NOMEM;
    sl_error_release(why);
    sl_json_free(fields);
    if (status != SL_OK) {
        s->im->skipped++;
        return status == SL_E_NOMEM ? sl_fail_nomem(s->err) : SL_OK;
    }
    (void)move_item(item, s, x); /* beyond the limits it stays where it was */
    return sl_import_keep(s->im, item, s->err);
}

/* --- the tree --- */

static sl_status read_children(svg *s, const scope *above, const sl_xml *x);

static bool is_silent(const sl_xml *x)
{
    static const char *const names[] = {"defs",      "metadata",       "title",          "desc",
                                        "style",     "script",         "symbol",         "marker",
                                        "clipPath",  "mask",           "pattern",        "filter",
                                        "namedview", "linearGradient", "radialGradient", "tspan"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (sl_xml_is(x, names[i])) {
            return true;
        }
    }
    return false;
}

static sl_status read_shape(svg *s, const scope *at, const sl_xml *x)
{
    if (sl_xml_is(x, "path")) {
        const char *d = sl_xml_attribute(x, "d");
        s->now = at;
        sl_status status = d != NULL ? sl_svg_path(d, at->to.m, tell_subpath, s) : SL_OK;
        s->now = NULL;
        return status;
    }
    if (sl_xml_is(x, "rect")) {
        return read_box(s, at, false, number_of(x, "x"), number_of(x, "y"), number_of(x, "width"),
                        number_of(x, "height"));
    }
    if (sl_xml_is(x, "circle") || sl_xml_is(x, "ellipse")) {
        bool circle = sl_xml_is(x, "circle");
        double rx = number_of(x, circle ? "r" : "rx");
        double ry = number_of(x, circle ? "r" : "ry");
        return read_box(s, at, true, number_of(x, "cx") - rx, number_of(x, "cy") - ry, 2 * rx,
                        2 * ry);
    }
    if (sl_xml_is(x, "line")) {
        return read_line(s, at, x);
    }
    if (sl_xml_is(x, "polyline") || sl_xml_is(x, "polygon")) {
        return read_poly(s, at, x, sl_xml_is(x, "polygon"));
    }
    if (sl_xml_is(x, "text")) {
        return read_text(s, at, x);
    }
    s->im->skipped++;
    return SL_OK;
}

static sl_status read_element(svg *s, const scope *above, const sl_xml *x);

/* A symbol's own view within the place that the use gives it. */
static affine place_of(const sl_xml *use, const sl_xml *target)
{
    affine at = {{1, 0, 0, 1, number_of(use, "x"), number_of(use, "y")}};
    const char *view = sl_xml_attribute(target, "viewBox");
    double w = sl_number_or(sl_xml_attribute(use, "width"), 0);
    double h = sl_number_or(sl_xml_attribute(use, "height"), 0);
    double box[4] = {0, 0, 0, 0};
    for (int i = 0; view != NULL && i < 4 && sl_number(&view, &box[i]); i++) {
    }
    if (w > 0 && h > 0 && box[2] > 0 && box[3] > 0) {
        double k = fmin(w / box[2], h / box[3]);
        affine fit = {
            {k, 0, 0, k, (w - box[2] * k) / 2 - box[0] * k, (h - box[3] * k) / 2 - box[1] * k}};
        at = times(at, fit);
    }
    return at;
}

static sl_status read_use(svg *s, const scope *at, const sl_xml *x)
{
    const sl_xml *target = sl_sheet_target(&s->sheet, x);
    if (target == NULL || s->uses >= USES_MAX) {
        s->im->skipped++;
        return SL_OK;
    }
    bool symbol = sl_xml_is(target, "symbol") || sl_xml_is(target, "svg");
    scope here = *at;
    here.to = times(at->to, place_of(x, target));
    s->uses++;
    if (symbol) {
        sl_look_read(&here.look, &s->sheet, target);
    }
    sl_status status = symbol ? read_children(s, &here, target) : read_element(s, &here, target);
    s->uses--;
    return status;
}

static sl_status read_element(svg *s, const scope *above, const sl_xml *x)
{
    if (++s->visited > SL_XML_ELEMENTS_MAX) {
        return sl_fail(s->err, SL_E_LIMIT, "the file uses its elements more than %d times",
                       SL_XML_ELEMENTS_MAX);
    }
    bool group = sl_xml_is(x, "g") || sl_xml_is(x, "svg") || sl_xml_is(x, "a");
    if (group && sl_xml_attribute(x, "data-kind") != NULL) {
        return read_own(s, x);
    }
    if (is_silent(x)) {
        return SL_OK;
    }
    if (sl_xml_is(x, "image") && sl_xml_attribute(x, "id") != NULL &&
        strcmp(sl_xml_attribute(x, "id"), "frame") == 0) {
        return SL_OK; /* the picture under our own page */
    }
    scope here = {times(above->to, read_transform(sl_xml_attribute(x, "transform"))), above->look};
    sl_look_read(&here.look, &s->sheet, x);
    if (!here.look.shown) {
        return SL_OK;
    }
    s->im->clipped += here.look.clipped;
    if (sl_xml_is(x, "use")) {
        return read_use(s, &here, x);
    }
    return group ? read_children(s, &here, x) : read_shape(s, &here, x);
}

static sl_status read_children(svg *s, const scope *above, const sl_xml *x)
{
    sl_status status = SL_OK;
    for (const sl_xml *child = x->first; status == SL_OK && child != NULL; child = child->next) {
        status = read_element(s, above, child);
    }
    return status;
}

sl_status sl_import_svg(sl_import *im, const sl_xml *root, sl_error **err)
{
    double box[4] = {0, 0, number_of(root, "width"), number_of(root, "height")};
    const char *view = sl_xml_attribute(root, "viewBox");
    for (int i = 0; view != NULL && i < 4 && sl_number(&view, &box[i]); i++) {
    }
    if (!sl_import_fit(im, box[0], box[1], box[2], box[3])) {
        return sl_fail(err, SL_E_INVALID, "the SVG has no viewBox, or no width and height");
    }
    svg s = {.im = im, .err = err};
    scope top = {{{im->scale, 0, 0, im->scale, im->dx, im->dy}}, {0}};
    if (!sl_sheet_read(&s.sheet, root)) {
        return sl_fail_nomem(err);
    }
    sl_look_start(&top.look);
    sl_look_read(&top.look, &s.sheet, root);
    sl_status status = read_children(&s, &top, root);
    im->rules = s.sheet.left_out;
    im->gradients = s.sheet.gradients;
    im->patterns = s.sheet.patterns;
    sl_sheet_free(&s.sheet);
    return status;
}
