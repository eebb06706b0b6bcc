/* annotation/item_json.c - items as JSON and as the fields of a record. */
#include "annotation/item.h"

#include "annotation/codec.h"
#include "base/base64.h"
#include "base/error.h"
#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static sl_status read_int(const sl_json *obj, const char *key, int64_t *out, sl_error **err)
{
    const sl_json *j = sl_json_get(obj, key);
    if (j == NULL || sl_json_is_null(j)) {
        return SL_OK;
    }
    if (!sl_json_int(obj, key, out)) {
        return sl_fail_field(err, SL_E_INVALID, key, "%s must be an integer", key);
    }
    return SL_OK;
}

/* Values outside int32_t become the nearest, which the check of limits then refuses. */
static int32_t narrow(double v)
{
    return v > 2147483647.0 ? INT32_MAX : v < -2147483648.0 ? INT32_MIN : (int32_t)v;
}

static bool parse_color(const char *s, uint32_t *rgb)
{
    if (s == NULL || s[0] != '#' || strlen(s) != 7) {
        return false;
    }
    uint32_t v = 0;
    for (int i = 1; i < 7; i++) {
        char c = s[i];
        uint32_t digit = 0;
        if (c >= '0' && c <= '9') {
            digit = (uint32_t)(c - '0');
        } else if (c >= 'a' && c <= 'f') {
            digit = (uint32_t)(c - 'a') + 10;
        } else if (c >= 'A' && c <= 'F') {
            digit = (uint32_t)(c - 'A') + 10;
        } else {
            return false;
        }
        v = v << 4 | digit;
    }
    *rgb = v;
    return true;
}

/* The members that are there; the others keep what *style has. */
static sl_status read_style(const sl_json *j, sl_style *style, sl_error **err)
{
    if (j == NULL) {
        return SL_OK;
    }
    if (!sl_json_is_object(j)) {
        return sl_fail_field(err, SL_E_INVALID, "style", "style must be an object");
    }
    const sl_json *color = sl_json_get(j, "color");
    if (color != NULL && !parse_color(sl_json_text(color), &style->rgb)) {
        return sl_fail_field(err, SL_E_INVALID, "style.color", "a colour is \"#RRGGBB\"");
    }
    const sl_json *opacity = sl_json_get(j, "opacity");
    if (opacity != NULL) {
        double v = sl_json_value(opacity);
        if (!sl_json_is_number(opacity) || !(v >= 0 && v <= 1)) {
            return sl_fail_field(err, SL_E_INVALID, "style.opacity", "opacity is from 0 to 1");
        }
        style->opacity = (int32_t)floor(v * SL_OPACITY_MAX + 0.5);
    }
    const sl_json *width = sl_json_get(j, "width");
    const sl_json *font = sl_json_get(j, "font_size");
    if ((width != NULL && !sl_json_is_number(width)) ||
        (font != NULL && !sl_json_is_number(font))) {
        bool first = width != NULL && !sl_json_is_number(width);
        return sl_fail_field(err, SL_E_INVALID, first ? "style.width" : "style.font_size",
                             "sizes are numbers");
    }
    style->width = width != NULL ? narrow(floor(sl_json_value(width) + 0.5)) : style->width;
    style->font_size = font != NULL ? narrow(floor(sl_json_value(font) + 0.5)) : style->font_size;
    return SL_OK;
}

static sl_json *write_style(const sl_style *style)
{
    sl_json *j = sl_json_object();
    char color[16];
    (void)snprintf(color, sizeof color, "#%06X", (unsigned)style->rgb);
    if (!sl_json_set_str(j, "color", color) ||
        !sl_json_set_num(j, "opacity", (double)style->opacity / SL_OPACITY_MAX) ||
        !sl_json_set_int(j, "width", style->width) ||
        !sl_json_set_int(j, "font_size", style->font_size)) {
        sl_json_free(j);
        return NULL;
    }
    return j;
}

static sl_status read_z(const sl_json *j, sl_item *item, sl_error **err)
{
    const sl_json *z = sl_json_get(j, "z");
    if (z == NULL || sl_json_is_null(z)) {
        return SL_OK;
    }
    const char *text = sl_json_text(z);
    if (text == NULL || strlen(text) > SL_Z_MAX) {
        return sl_fail_field(err, SL_E_INVALID, "z", "z is text of at most %d characters",
                             SL_Z_MAX);
    }
    memcpy(item->z, text, strlen(text) + 1);
    return SL_OK;
}

static sl_status read_points(const sl_json *array, sl_geometry *geo, sl_error **err)
{
    size_t n = sl_json_is_array(array) ? sl_json_count(array) : 0;
    if (!sl_json_is_array(array) || n > SL_PEN_POINTS_MAX) {
        return sl_fail_field(err, SL_E_INVALID, "points", "points is an array of at most %d [x,y]",
                             SL_PEN_POINTS_MAX);
    }
    geo->points = sl_mem_array(n, sizeof *geo->points);
    if (geo->points == NULL) {
        return sl_fail_nomem(err);
    }
    const sl_json *j = sl_json_first(array);
    for (size_t i = 0; i < n; i++, j = sl_json_next(j)) {
        const sl_json *x = sl_json_is_array(j) && sl_json_count(j) == 2 ? sl_json_first(j) : NULL;
        const sl_json *y = x != NULL ? sl_json_next(x) : NULL;
        if (!sl_json_is_int(x) || !sl_json_is_int(y)) {
            return sl_fail_field(err, SL_E_INVALID, "points", "point %zu is not [x,y] of integers",
                                 i);
        }
        geo->points[i].x = narrow(sl_json_value(x));
        geo->points[i].y = narrow(sl_json_value(y));
    }
    geo->n = (uint32_t)n;
    return SL_OK;
}

/* An array of geo->n integers from 0 to max, as double for the caller to narrow; NULL in *out when
 * there is no such member. */
static sl_status read_column(const sl_json *obj, const char *key, const sl_geometry *geo,
                             int64_t max, uint32_t **out, sl_error **err)
{
    *out = NULL;
    const sl_json *array = sl_json_get(obj, key);
    if (array == NULL || sl_json_is_null(array)) {
        return SL_OK;
    }
    if (!sl_json_is_array(array) || sl_json_count(array) != geo->n) {
        return sl_fail_field(err, SL_E_INVALID, key, "%s has one number for each point", key);
    }
    uint32_t *column = sl_mem_array(geo->n, sizeof *column);
    if (column == NULL) {
        return sl_fail_nomem(err);
    }
    uint32_t i = 0;
    for (const sl_json *j = sl_json_first(array); j != NULL; j = sl_json_next(j)) {
        double v = sl_json_value(j);
        if (!sl_json_is_int(j) || v < 0 || v > (double)max) {
            sl_mem_free(column);
            return sl_fail_field(err, SL_E_INVALID, key, "%s holds integers from 0 to %lld", key,
                                 (long long)max);
        }
        column[i++] = (uint32_t)v;
    }
    *out = column;
    return SL_OK;
}

/* Narrowed to bytes. NULL when out of memory. */
static uint8_t *to_bytes(const uint32_t *column, uint32_t n)
{
    uint8_t *bytes = sl_mem(n);
    for (uint32_t i = 0; bytes != NULL && i < n; i++) {
        bytes[i] = (uint8_t)column[i];
    }
    return bytes;
}

static sl_status read_pen_columns(const sl_json *j, sl_geometry *geo, sl_error **err)
{
    uint32_t *pressure = NULL;
    sl_status s = read_column(j, "pressure", geo, 255, &pressure, err);
    if (pressure != NULL) {
        geo->pressure = to_bytes(pressure, geo->n);
        s = geo->pressure != NULL ? s : sl_fail_nomem(err);
        sl_mem_free(pressure);
    }
    return s == SL_OK ? read_column(j, "dt", geo, SL_DT_MS_MAX, &geo->dt_ms, err) : s;
}

static sl_status read_geometry(const sl_json *j, bool open, sl_geometry *geo, sl_error **err)
{
    const sl_json *text = sl_json_get(j, "text");
    if (text != NULL && !sl_json_is_null(text)) {
        if (!sl_json_is_string(text)) {
            return sl_fail_field(err, SL_E_INVALID, "text", "text must be a string");
        }
        geo->text = sl_text_dup(sl_json_text(text));
        if (geo->text == NULL) {
            return sl_fail_nomem(err);
        }
    }
    if (open) {
        return geo->kind == SL_KIND_PEN && geo->text == NULL && sl_json_get(j, "points") == NULL
                   ? SL_OK
                   : sl_fail_field(err, SL_E_INVALID, "kind",
                                   "a live stroke is a pen that has no points yet");
    }
    sl_status s = read_points(sl_json_get(j, "points"), geo, err);
    return s == SL_OK ? read_pen_columns(j, geo, err) : s;
}

static sl_status read_id(const char *id, sl_item *item, sl_error **err)
{
    if (!sl_uuid_ok(id)) {
        return sl_fail_field(err, SL_E_INVALID, "id", "an id is a UUID in lower case");
    }
    memcpy(item->id, id, sizeof item->id);
    return SL_OK;
}

static void set_defaults(sl_item *item)
{
    item->style.rgb = 0xFFD400;
    item->style.opacity = SL_OPACITY_MAX;
    item->style.width = SL_WIDTH_DEFAULT;
    item->style.font_size = SL_FONT_DEFAULT;
    item->t_in = -1;
    item->t_out = -1;
}

static sl_status read_item(const sl_json *j, bool open, sl_item *item, sl_error **err)
{
    set_defaults(item);
    if (!sl_json_is_object(j)) {
        return sl_fail(err, SL_E_INVALID, "an item is a JSON object");
    }
    const sl_json *id = sl_json_get(j, "id");
    sl_status s = id != NULL && !sl_json_is_null(id) ? read_id(sl_json_text(id), item, err) : SL_OK;
    if (s == SL_OK && !sl_kind_parse(sl_json_str(j, "kind"), &item->geo.kind)) {
        s = sl_fail_field(err, SL_E_INVALID, "kind",
                          "kind is pen, arrow, line, rect, ellipse, angle or text");
    }
    s = s == SL_OK ? read_geometry(j, open, &item->geo, err) : s;
    s = s == SL_OK ? read_style(sl_json_get(j, "style"), &item->style, err) : s;
    s = s == SL_OK ? read_int(j, "in", &item->t_in, err) : s;
    s = s == SL_OK ? read_int(j, "out", &item->t_out, err) : s;
    s = s == SL_OK ? read_int(j, "fade", &item->fade_us, err) : s;
    return s == SL_OK ? read_z(j, item, err) : s;
}

static sl_status from_json(const sl_json *j, bool open, sl_item **out, sl_error **err)
{
    *out = NULL;
    sl_item *item = sl_mem(sizeof *item);
    if (item == NULL) {
        return sl_fail_nomem(err);
    }
    sl_status s = read_item(j, open, item, err);
    if (s == SL_OK && open) {
        sl_point origin = {0, 0};
        item->geo.points = &origin; /* stands in for the check of all the rest */
        item->geo.n = 1;
        s = sl_item_check(item, err);
        item->geo.points = NULL;
        item->geo.n = 0;
    } else if (s == SL_OK) {
        s = sl_item_check(item, err);
    }
    if (s != SL_OK) {
        sl_item_free(item);
        return s;
    }
    *out = item;
    return SL_OK;
}

sl_status sl_item_from_json(const sl_json *j, sl_item **out, sl_error **err)
{
    return from_json(j, false, out, err);
}

sl_status sl_item_from_json_open(const sl_json *j, sl_item **out, sl_error **err)
{
    return from_json(j, true, out, err);
}

static bool write_geometry(sl_json *j, const sl_geometry *geo)
{
    sl_json *points = sl_json_array();
    for (uint32_t i = 0; points != NULL && i < geo->n; i++) {
        sl_json *pair = sl_json_array();
        if (!sl_json_add_num(pair, geo->points[i].x) || !sl_json_add_num(pair, geo->points[i].y)) {
            sl_json_free(pair);
            pair = NULL;
        }
        if (!sl_json_add(points, pair)) {
            sl_json_free(points);
            return false;
        }
    }
    bool ok = sl_json_set(j, "points", points);
    sl_json *pressure = geo->pressure != NULL ? sl_json_array() : NULL;
    sl_json *dt = geo->dt_ms != NULL ? sl_json_array() : NULL;
    for (uint32_t i = 0; ok && i < geo->n; i++) {
        ok = (geo->pressure == NULL || sl_json_add_num(pressure, geo->pressure[i])) &&
             (geo->dt_ms == NULL || sl_json_add_num(dt, geo->dt_ms[i]));
    }
    ok = (geo->pressure == NULL || sl_json_set(j, "pressure", pressure)) && ok;
    ok = (geo->dt_ms == NULL || sl_json_set(j, "dt", dt)) && ok;
    return ok && (geo->text == NULL || sl_json_set_str(j, "text", geo->text));
}

sl_json *sl_item_to_json(const sl_item *item)
{
    sl_json *j = sl_json_object();
    bool ok = (item->id[0] == 0 || sl_json_set_str(j, "id", item->id)) &&
              sl_json_set_str(j, "kind", sl_kind_name(item->geo.kind)) &&
              write_geometry(j, &item->geo) && sl_json_set(j, "style", write_style(&item->style)) &&
              sl_json_set_int(j, "in", item->t_in) && sl_json_set_int(j, "out", item->t_out) &&
              sl_json_set_int(j, "fade", item->fade_us) &&
              (item->z[0] == 0 || sl_json_set_str(j, "z", item->z));
    if (!ok) {
        sl_json_free(j);
        return NULL;
    }
    return j;
}

static sl_status read_geometry_field(const sl_json *fields, sl_item *item, sl_error **err)
{
    sl_kind kind = SL_KIND_PEN;
    const char *name = sl_json_str(fields, "kind");
    const char *text = sl_json_str(fields, "geometry");
    if (name == NULL || text == NULL) {
        return sl_fail_field(err, SL_E_INVALID, name == NULL ? "kind" : "geometry",
                             "an annotation has a kind and a geometry");
    }
    if (!sl_kind_parse(name, &kind)) {
        return sl_fail_field(err, SL_E_TOO_NEW, "kind", "unknown kind of item");
    }
    sl_buf bytes = {0};
    sl_status s = SL_OK;
    bool decoded = sl_base64_decode(&bytes, text, strlen(text));
    if (bytes.failed) {
        s = sl_fail_nomem(err);
    } else if (!decoded) {
        s = sl_fail_field(err, SL_E_INVALID, "geometry", "the geometry is not base64");
    } else {
        s = sl_geometry_decode(bytes.data, bytes.len, NULL, &item->geo, err);
    }
    sl_buf_free(&bytes);
    if (s == SL_OK && item->geo.kind != kind) {
        return sl_fail_field(err, SL_E_INVALID, "kind", "the geometry is that of another kind");
    }
    return s;
}

sl_status sl_item_from_fields(const sl_json *fields, const char *id, sl_item **out, sl_error **err)
{
    *out = NULL;
    sl_item *item = sl_mem(sizeof *item);
    if (item == NULL) {
        return sl_fail_nomem(err);
    }
    set_defaults(item);
    sl_status s = id != NULL ? read_id(id, item, err) : SL_OK;
    s = s == SL_OK ? read_geometry_field(fields, item, err) : s;
    s = s == SL_OK ? read_style(sl_json_get(fields, "style"), &item->style, err) : s;
    s = s == SL_OK ? read_int(fields, "t_in", &item->t_in, err) : s;
    s = s == SL_OK ? read_int(fields, "t_out", &item->t_out, err) : s;
    s = s == SL_OK ? read_int(fields, "fade", &item->fade_us, err) : s;
    s = s == SL_OK ? read_z(fields, item, err) : s;
    s = s == SL_OK ? sl_item_check(item, err) : s;
    if (s != SL_OK) {
        sl_item_free(item);
        return s;
    }
    *out = item;
    return SL_OK;
}

sl_json *sl_item_to_fields(const sl_item *item)
{
    sl_buf bytes = {0};
    sl_buf text = {0};
    sl_json *j = sl_json_object();
    sl_geometry_encode(&bytes, &item->geo);
    sl_base64(&text, bytes.data, bytes.len);
    bool ok = !bytes.failed && !text.failed &&
              sl_json_set_str(j, "kind", sl_kind_name(item->geo.kind)) &&
              sl_json_set_str(j, "geometry", sl_buf_text(&text)) &&
              sl_json_set(j, "style", write_style(&item->style)) &&
              sl_json_set_int(j, "t_in", item->t_in) && sl_json_set_int(j, "t_out", item->t_out) &&
              sl_json_set_int(j, "fade", item->fade_us) && sl_json_set_str(j, "z", item->z);
    sl_buf_free(&bytes);
    sl_buf_free(&text);
    if (!ok) {
        sl_json_free(j);
        return NULL;
    }
    return j;
}

sl_status sl_item_patch(sl_item *item, const sl_json *j, sl_error **err)
{
    static const char *const FIXED[] = {"id", "kind", "points", "pressure", "dt", "text"};
    if (!sl_json_is_object(j)) {
        return sl_fail(err, SL_E_INVALID, "a patch is a JSON object");
    }
    for (size_t i = 0; i < sizeof FIXED / sizeof FIXED[0]; i++) {
        if (sl_json_get(j, FIXED[i]) != NULL) {
            return sl_fail_field(err, SL_E_INVALID, FIXED[i], "%s of an item never changes",
                                 FIXED[i]);
        }
    }
    sl_item with = *item; /* shares the geometry, which stays as it is */
    sl_status s = read_style(sl_json_get(j, "style"), &with.style, err);
    s = s == SL_OK ? read_int(j, "in", &with.t_in, err) : s;
    s = s == SL_OK ? read_int(j, "out", &with.t_out, err) : s;
    s = s == SL_OK ? read_int(j, "fade", &with.fade_us, err) : s;
    s = s == SL_OK ? read_z(j, &with, err) : s;
    s = s == SL_OK ? sl_item_check(&with, err) : s;
    if (s == SL_OK) {
        *item = with;
    }
    return s;
}
