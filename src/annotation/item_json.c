/* annotation/item_json.c - items as JSON and as the fields of a record. */
#include "annotation/item.h"

#include "annotation/codec.h"
#include "annotation/style.h"
#include "annotation/tool.h"
#include "base/base64.h"
#include "base/error.h"
#include "base/mem.h"

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

sl_status sl_points_read(const sl_json *array, size_t max, sl_point **points, uint32_t *n,
                         sl_error **err)
{
    size_t count = sl_json_is_array(array) ? sl_json_count(array) : 0;
    *points = NULL;
    if (!sl_json_is_array(array) || count > max) {
        return sl_fail_field(err, SL_E_INVALID, "points", "points is an array of at most %zu [x,y]",
                             max);
    }
    sl_point *out = sl_mem_array(count, sizeof *out);
    if (out == NULL) {
        return sl_fail_nomem(err);
    }
    const sl_json *j = sl_json_first(array);
    for (size_t i = 0; i < count; i++, j = sl_json_next(j)) {
        const sl_json *x = sl_json_is_array(j) && sl_json_count(j) == 2 ? sl_json_first(j) : NULL;
        const sl_json *y = x != NULL ? sl_json_next(x) : NULL;
        if (!sl_json_is_int(x) || !sl_json_is_int(y)) {
            sl_mem_free(out);
            return sl_fail_field(err, SL_E_INVALID, "points", "point %zu is not [x,y] of integers",
                                 i);
        }
        out[i].x = narrow(sl_json_value(x));
        out[i].y = narrow(sl_json_value(y));
    }
    *points = out;
    *n = (uint32_t)count;
    return SL_OK;
}

sl_json *sl_points_write(const sl_point *points, uint32_t n)
{
    sl_json *array = sl_json_array();
    for (uint32_t i = 0; array != NULL && i < n; i++) {
        sl_json *pair = sl_json_array();
        if (!sl_json_add_num(pair, points[i].x) || !sl_json_add_num(pair, points[i].y)) {
            sl_json_free(pair);
            pair = NULL;
        }
        if (!sl_json_add(array, pair)) {
            sl_json_free(array);
            return NULL;
        }
    }
    return array;
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

static sl_status read_bytes(const sl_json *j, const char *key, const sl_geometry *geo, int64_t max,
                            uint8_t **out, sl_error **err)
{
    uint32_t *column = NULL;
    sl_status s = read_column(j, key, geo, max, &column, err);
    if (column != NULL) {
        *out = to_bytes(column, geo->n);
        s = *out != NULL ? s : sl_fail_nomem(err);
        sl_mem_free(column);
    }
    return s;
}

static sl_status read_columns(const sl_json *j, sl_geometry *geo, sl_error **err)
{
    sl_status s = read_bytes(j, "pressure", geo, 255, &geo->pressure, err);
    s = s == SL_OK ? read_bytes(j, "tilt", geo, SL_TILT_MAX, &geo->tilt, err) : s;
    return s == SL_OK ? read_column(j, "dt", geo, SL_DT_MS_MAX, &geo->dt_ms, err) : s;
}

static sl_status read_text(const sl_json *j, sl_geometry *geo, sl_error **err)
{
    const char *key = sl_tool_of(geo->kind)->text_key;
    key = key != NULL ? key : "text";
    const sl_json *text = sl_json_get(j, key);
    if (text == NULL || sl_json_is_null(text)) {
        return SL_OK;
    }
    if (!sl_json_is_string(text)) {
        return sl_fail_field(err, SL_E_INVALID, key, "%s must be a string", key);
    }
    geo->text = sl_text_dup(sl_json_text(text));
    return geo->text != NULL ? SL_OK : sl_fail_nomem(err);
}

static sl_status read_unknown(const sl_json *j, sl_geometry *geo, sl_error **err)
{
    const char *text = sl_json_str(j, "unknown");
    if (text == NULL) {
        return SL_OK;
    }
    sl_buf bytes = {0};
    if (!sl_base64_decode(&bytes, text, strlen(text)) || !sl_geometry_unknown_ok(&bytes)) {
        sl_status s = bytes.failed ? sl_fail_nomem(err)
                                   : sl_fail_field(err, SL_E_INVALID, "unknown",
                                                   "unknown holds sections of a geometry, base64");
        sl_buf_free(&bytes);
        return s;
    }
    geo->unknown = bytes.data; /* taken: it is of sl_mem too */
    geo->unknown_n = bytes.len;
    return SL_OK;
}

static sl_status read_geometry(const sl_json *j, bool open, sl_geometry *geo, sl_error **err)
{
    const sl_tool *tool = sl_tool_of(geo->kind);
    sl_status s = read_text(j, geo, err);
    if (s != SL_OK) {
        return s;
    }
    if (open) {
        return tool->form == SL_FORM_STROKE && geo->text == NULL && sl_json_get(j, "points") == NULL
                   ? SL_OK
                   : sl_fail_field(err, SL_E_INVALID, "kind",
                                   "a live stroke is a pen that has no points yet");
    }
    if (tool->live_only) {
        return sl_fail_field(err, SL_E_INVALID, "kind", "a %s is shown, never kept", tool->name);
    }
    s = sl_points_read(sl_json_get(j, "points"), SL_PEN_POINTS_MAX, &geo->points, &geo->n, err);
    s = s == SL_OK ? read_columns(j, geo, err) : s;
    return s == SL_OK ? read_unknown(j, geo, err) : s;
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
    sl_style_defaults(&item->style);
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
                          "kind is one of the tools of sideline/annotation.h");
    }
    s = s == SL_OK ? read_geometry(j, open, &item->geo, err) : s;
    s = s == SL_OK ? sl_style_read(sl_json_get(j, "style"), item, err) : s;
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
    if (s == SL_OK && open && sl_item_is_posed(item)) {
        s = sl_fail_field(err, SL_E_INVALID, "style", "a live stroke has no edits yet");
    } else if (s == SL_OK && open) {
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

/* The column "pressure", "tilt" or "dt": `bytes` or `words`, whichever is there. */
static bool write_column(sl_json *j, const char *key, const uint8_t *bytes, const uint32_t *words,
                         uint32_t n)
{
    if (bytes == NULL && words == NULL) {
        return true;
    }
    sl_json *array = sl_json_array();
    bool ok = array != NULL;
    for (uint32_t i = 0; ok && i < n; i++) {
        ok = sl_json_add_num(array, bytes != NULL ? bytes[i] : words[i]);
    }
    return sl_json_set(j, key, array) && ok;
}

static bool write_unknown(sl_json *j, const sl_geometry *geo)
{
    sl_buf text = {0};
    sl_base64(&text, geo->unknown, geo->unknown_n);
    bool ok = !text.failed && sl_json_set_str(j, "unknown", sl_buf_text(&text));
    sl_buf_free(&text);
    return ok;
}

static bool write_geometry(sl_json *j, const sl_geometry *geo)
{
    const char *text_key = sl_tool_of(geo->kind)->text_key;
    return sl_json_set(j, "points", sl_points_write(geo->points, geo->n)) &&
           write_column(j, "pressure", geo->pressure, NULL, geo->n) &&
           write_column(j, "tilt", geo->tilt, NULL, geo->n) &&
           write_column(j, "dt", NULL, geo->dt_ms, geo->n) &&
           (geo->text == NULL || text_key == NULL || sl_json_set_str(j, text_key, geo->text)) &&
           (geo->unknown_n == 0 || write_unknown(j, geo));
}

sl_json *sl_item_to_json(const sl_item *item)
{
    sl_json *j = sl_json_object();
    bool ok = (item->id[0] == 0 || sl_json_set_str(j, "id", item->id)) &&
              sl_json_set_str(j, "kind", sl_kind_name(item->geo.kind)) &&
              write_geometry(j, &item->geo) && sl_json_set(j, "style", sl_style_write(item)) &&
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
    if (sl_tool_of(kind)->live_only) {
        return sl_fail_field(err, SL_E_INVALID, "kind", "a %s is shown, never kept", name);
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
    s = s == SL_OK ? sl_style_read(sl_json_get(fields, "style"), item, err) : s;
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
              sl_json_set(j, "style", sl_style_write(item)) &&
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
    static const char *const FIXED[] = {"id",   "kind", "points", "pressure",
                                        "tilt", "dt",   "text",   "blob"};
    if (!sl_json_is_object(j)) {
        return sl_fail(err, SL_E_INVALID, "a patch is a JSON object");
    }
    for (size_t i = 0; i < sizeof FIXED / sizeof FIXED[0]; i++) {
        if (sl_json_get(j, FIXED[i]) != NULL) {
            return sl_fail_field(err, SL_E_INVALID, FIXED[i], "%s of an item never changes",
                                 FIXED[i]);
        }
    }
    sl_item *with = sl_item_clone(item);
    if (with == NULL) {
        return sl_fail_nomem(err);
    }
    sl_status s = sl_style_read(sl_json_get(j, "style"), with, err);
    s = s == SL_OK ? read_int(j, "in", &with->t_in, err) : s;
    s = s == SL_OK ? read_int(j, "out", &with->t_out, err) : s;
    s = s == SL_OK ? read_int(j, "fade", &with->fade_us, err) : s;
    s = s == SL_OK ? read_z(j, with, err) : s;
    s = s == SL_OK ? sl_item_check(with, err) : s;
    if (s == SL_OK) {
        sl_item old = *item;
        *item = *with;
        *with = old;
    }
    sl_item_free(with);
    return s;
}
