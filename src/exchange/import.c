/* exchange/import.c - from a file's bytes to items, and the tools of the readers. */
#include "exchange/inside.h"

#include "annotation/style.h"
#include "annotation/tool.h"
#include "base/error.h"
#include "base/mem.h"

#include <math.h>
#include <string.h>

void sl_spots_add(sl_spots *s, double x, double y)
{
    if (s->n > SL_PEN_POINTS_MAX) {
        return; /* one more than any item may have */
    }
    if (s->n == s->room && !s->failed) {
        uint32_t room = s->room != 0 ? s->room * 2 : 64;
        sl_spot *p = sl_mem_resize(s->p, room, sizeof *p);
        s->failed = p == NULL;
        s->p = p != NULL ? p : s->p;
        s->room = p != NULL ? room : s->room;
    }
    if (!s->failed) {
        s->p[s->n++] = (sl_spot){x, y};
    }
}

void sl_spots_free(sl_spots *s)
{
    sl_mem_free(s->p);
    memset(s, 0, sizeof *s);
}

bool sl_import_fit(sl_import *im, double x, double y, double w, double h)
{
    double longer = im->frame_w > im->frame_h ? im->frame_w : im->frame_h;
    double frame_w = im->frame_w * (SL_UNITS / longer);
    double frame_h = im->frame_h * (SL_UNITS / longer);
    if (!(w > 0) || !(h > 0)) {
        return false;
    }
    im->scale = fmin(frame_w / w, frame_h / h);
    im->dx = (frame_w - w * im->scale) / 2 - x * im->scale;
    im->dy = (frame_h - h * im->scale) / 2 - y * im->scale;
    return isfinite(im->scale) && isfinite(im->dx) && isfinite(im->dy);
}

sl_item *sl_import_item(const sl_import *im, sl_kind kind)
{
    sl_item *item = sl_mem(sizeof *item);
    if (item != NULL) {
        sl_style_defaults(&item->style);
        item->geo.kind = kind;
        item->t_in = im->t_in;
        item->t_out = im->t_out;
    }
    return item;
}

/* Beyond the range is left to the check of limits. */
static int32_t rounded(double v)
{
    const double far = 2.0 * SL_COORD_MAX;
    return !(v > -far) ? (int32_t)-far : v > far ? (int32_t)far : (int32_t)floor(v + 0.5);
}

bool sl_import_points(sl_item *item, const sl_spot *spots, uint32_t n)
{
    item->geo.points = sl_mem_array(n, sizeof *item->geo.points);
    if (item->geo.points == NULL) {
        return false;
    }
    item->geo.n = n;
    for (uint32_t i = 0; i < n; i++) {
        item->geo.points[i].x = rounded(spots[i].x);
        item->geo.points[i].y = rounded(spots[i].y);
    }
    return true;
}

sl_status sl_import_keep(sl_import *im, sl_item *item, sl_error **err)
{
    sl_error *why = NULL;
    sl_status s = sl_tool_of(item->geo.kind)->live_only ? SL_E_INVALID : sl_item_check(item, &why);
    sl_error_release(why);
    if (s != SL_OK) {
        sl_item_free(item);
        im->skipped++;
        return s == SL_E_NOMEM ? sl_fail_nomem(err) : SL_OK;
    }
    if (im->n >= SL_IMPORT_ITEMS_MAX) {
        sl_item_free(item);
        return sl_fail(err, SL_E_LIMIT, "the file has more than %d drawings", SL_IMPORT_ITEMS_MAX);
    }
    if (im->n == im->room) {
        size_t room = im->room != 0 ? im->room * 2 : 64;
        sl_item **items = sl_mem_resize(im->items, room, sizeof(sl_item *));
        if (items == NULL) {
            sl_item_free(item);
            return sl_fail_nomem(err);
        }
        im->items = items;
        im->room = room;
    }
    im->items[im->n++] = item;
    return SL_OK;
}

int32_t sl_import_size(double v, int32_t min, int32_t max)
{
    return !(v > min) ? min : v > max ? max : (int32_t)floor(v + 0.5);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ',';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "e5" counts only with digits after it: "3em" is a 3. */
static int take_exponent(const char **s)
{
    const char *p = *s;
    if (*p != 'e' && *p != 'E') {
        return 0;
    }
    p++;
    bool minus = *p == '-';
    p += *p == '-' || *p == '+';
    if (!is_digit(*p)) {
        return 0;
    }
    int e = 0;
    for (; is_digit(*p); p++) {
        e = e < 1000 ? e * 10 + (*p - '0') : e;
    }
    *s = p;
    return minus ? -e : e;
}

bool sl_number(const char **s, double *out)
{
    const char *p = *s;
    while (is_space(*p)) {
        p++;
    }
    bool minus = *p == '-';
    p += *p == '-' || *p == '+';
    double v = 0;
    double part = 0.1;
    int digits = 0;
    for (; is_digit(*p); p++, digits++) {
        v = v * 10 + (*p - '0');
    }
    if (*p == '.') {
        for (p++; is_digit(*p); p++, digits++) {
            v += part * (*p - '0');
            part /= 10;
        }
    }
    if (digits == 0) {
        return false;
    }
    int e = take_exponent(&p);
    v = e != 0 ? v * pow(10, e) : v;
    if (!isfinite(v)) {
        return false;
    }
    *out = minus ? -v : v;
    *s = p;
    return true;
}

double sl_number_or(const char *s, double otherwise)
{
    double v = 0;
    return s != NULL && sl_number(&s, &v) ? v : otherwise;
}

void sl_import_clear(sl_import *im)
{
    for (size_t i = 0; i < im->n; i++) {
        sl_item_free(im->items[i]);
    }
    sl_mem_free(im->items);
    im->items = NULL;
    im->n = 0;
    im->room = 0;
}

sl_status sl_import_read(sl_import *im, sl_format format, const void *data, size_t n,
                         sl_error **err)
{
    static const struct {
        const char *root;
        sl_status (*read)(sl_import *im, const sl_xml *root, sl_error **err);
    } readers[] = {[SL_FORMAT_SVG] = {"svg", sl_import_svg},
                   [SL_FORMAT_INKML] = {"ink", sl_import_inkml},
                   [SL_FORMAT_KVA] = {"KinoveaVideoAnalysis", sl_import_kva}};
    sl_arena arena = {0};
    const sl_xml *root = NULL;
    im->items = NULL;
    im->n = im->room = im->skipped = 0;
    im->rules = im->gradients = im->patterns = im->clipped = 0;
    sl_status s = sl_xml_read(data, n, &arena, &root, err);
    if (s == SL_OK && !sl_xml_is(root, readers[format].root)) {
        s = sl_fail(err, SL_E_INVALID, "the file is not <%s> but <%.40s>", readers[format].root,
                    root->name);
    }
    s = s == SL_OK ? readers[format].read(im, root, err) : s;
    sl_arena_free(&arena);
    if (s != SL_OK) {
        sl_import_clear(im);
    }
    return s;
}
