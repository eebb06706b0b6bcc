#include "annotation/item.h"

#include "annotation/drawing.h"
#include "annotation/style.h"
#include "annotation/tool.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/utf8.h"

#include <string.h>

const char *sl_kind_name(sl_kind kind)
{
    return (unsigned)kind < SL_KIND_COUNT ? sl_tool_of(kind)->name : "unknown";
}

bool sl_kind_parse(const char *name, sl_kind *out)
{
    for (int i = 0; name != NULL && i < SL_KIND_COUNT; i++) {
        if (strcmp(name, sl_tool_of((sl_kind)i)->name) == 0) {
            *out = (sl_kind)i;
            return true;
        }
    }
    return false;
}

void sl_geometry_clear(sl_geometry *geo)
{
    sl_mem_free(geo->points);
    sl_mem_free(geo->pressure);
    sl_mem_free(geo->dt_ms);
    sl_mem_free(geo->tilt);
    sl_mem_free(geo->text);
    sl_mem_free(geo->unknown);
    memset(geo, 0, sizeof *geo);
}

void sl_item_free(sl_item *item)
{
    if (item != NULL) {
        sl_geometry_clear(&item->geo);
        sl_edits_clear(item);
        sl_json_free(item->extra);
        sl_mem_free(item);
    }
}

static void *copy_array(const void *from, size_t count, size_t size, bool *failed)
{
    if (from == NULL) {
        return NULL;
    }
    void *to = sl_mem_array(count, size);
    if (to == NULL) {
        *failed = true;
        return NULL;
    }
    memcpy(to, from, count * size);
    return to;
}

sl_item *sl_item_clone(const sl_item *item)
{
    sl_item *copy = sl_mem(sizeof *copy);
    if (copy == NULL) {
        return NULL;
    }
    const sl_geometry *from = &item->geo;
    bool failed = false;
    *copy = *item;
    copy->keys = NULL;
    copy->keys_n = 0;
    memset(&copy->edit, 0, sizeof copy->edit);
    copy->extra = NULL;
    copy->geo.points = copy_array(from->points, from->n, sizeof *from->points, &failed);
    copy->geo.pressure = copy_array(from->pressure, from->n, 1, &failed);
    copy->geo.dt_ms = copy_array(from->dt_ms, from->n, sizeof *from->dt_ms, &failed);
    copy->geo.tilt = copy_array(from->tilt, from->n, 1, &failed);
    copy->geo.unknown = copy_array(from->unknown, from->unknown_n, 1, &failed);
    copy->geo.text =
        from->text != NULL ? copy_array(from->text, strlen(from->text) + 1, 1, &failed) : NULL;
    copy->extra = item->extra != NULL ? sl_json_clone(item->extra) : NULL;
    failed = failed || (item->extra != NULL && copy->extra == NULL);
    if (!sl_edits_copy(copy, item) || failed) {
        sl_item_free(copy);
        return NULL;
    }
    return copy;
}

int sl_item_compare(const sl_item *a, const sl_item *b)
{
    int z = strcmp(a->z, b->z);
    return z != 0 ? z : strcmp(a->id, b->id);
}

static sl_status check_points(const sl_geometry *geo, sl_error **err)
{
    const sl_tool *tool = sl_tool_of(geo->kind);
    if (geo->n < tool->points_min || geo->n > tool->points_max) {
        uint32_t want = geo->n < tool->points_min ? tool->points_min : tool->points_max;
        return sl_fail_field(err, SL_E_INVALID, "points", "a %s has %s %u point%s, not %u",
                             tool->name,
                             tool->points_min == tool->points_max ? "exactly"
                             : geo->n < tool->points_min          ? "at least"
                                                                  : "at most",
                             want, want > 1 ? "s" : "", geo->n);
    }
    for (uint32_t i = 0; i < geo->n; i++) {
        sl_point p = geo->points[i];
        if (p.x < -SL_COORD_MAX || p.x > SL_COORD_MAX || p.y < -SL_COORD_MAX ||
            p.y > SL_COORD_MAX) {
            return sl_fail_field(err, SL_E_INVALID, "points",
                                 "point %u lies more than %d units away", i, SL_COORD_MAX);
        }
    }
    return SL_OK;
}

static sl_status check_columns(const sl_geometry *geo, sl_error **err)
{
    const sl_tool *tool = sl_tool_of(geo->kind);
    const char *wrong = geo->pressure != NULL && (tool->may & SL_HAS_PRESSURE) == 0 ? "pressure"
                        : geo->dt_ms != NULL && (tool->may & SL_HAS_DT) == 0        ? "dt"
                        : geo->tilt != NULL && (tool->may & SL_HAS_TILT) == 0       ? "tilt"
                                                                                    : NULL;
    if (wrong != NULL) {
        return sl_fail_field(err, SL_E_INVALID, wrong, "a %s has no %s", tool->name, wrong);
    }
    if (geo->dt_ms == NULL && (tool->must & SL_HAS_DT) != 0) {
        return sl_fail_field(err, SL_E_INVALID, "dt", "a %s has a time for each point", tool->name);
    }
    for (uint32_t i = 0; geo->tilt != NULL && i < geo->n; i++) {
        if (geo->tilt[i] > SL_TILT_MAX) {
            return sl_fail_field(err, SL_E_INVALID, "tilt", "a tilt is from 0 to %d degrees",
                                 SL_TILT_MAX);
        }
    }
    uint32_t last = 0;
    for (uint32_t i = 0; geo->dt_ms != NULL && i < geo->n; i++) {
        uint32_t dt = geo->dt_ms[i];
        if (dt < last || dt > SL_DT_MS_MAX || (i == 0 && dt != 0)) {
            return sl_fail_field(err, SL_E_INVALID, "dt",
                                 "times start at 0, never go back and end within %d ms",
                                 SL_DT_MS_MAX);
        }
        last = dt;
    }
    return SL_OK;
}

/* A stamp's picture is named by the SHA-256 of its bytes. */
static sl_status check_blob(const char *text, sl_error **err)
{
    size_t n = strlen(text);
    if (n != 64 || strspn(text, "0123456789abcdef") != n) {
        return sl_fail_field(err, SL_E_INVALID, "blob", "a blob is named by its SHA-256");
    }
    return SL_OK;
}

static sl_status check_text(const sl_geometry *geo, sl_error **err)
{
    const sl_tool *tool = sl_tool_of(geo->kind);
    const char *key = tool->text_key != NULL ? tool->text_key : "text";
    if (geo->text == NULL) {
        return (tool->must & SL_HAS_TEXT) == 0
                   ? SL_OK
                   : sl_fail_field(err, SL_E_INVALID, key, "the %s of a %s is missing", key,
                                   tool->name);
    }
    if ((tool->may & SL_HAS_TEXT) == 0) {
        return sl_fail_field(err, SL_E_INVALID, key, "a %s has no text", tool->name);
    }
    if (geo->kind == SL_KIND_STAMP) {
        return check_blob(geo->text, err);
    }
    size_t n = strlen(geo->text);
    if (!sl_utf8_ok(geo->text, n)) {
        return sl_fail_field(err, SL_E_INVALID, "text", "the text is not valid UTF-8");
    }
    size_t count = sl_utf8_count(geo->text, n);
    if (count < 1 || count > SL_ITEM_TEXT_MAX) {
        return sl_fail_field(err, SL_E_INVALID, "text", "a text has 1 to %d characters",
                             SL_ITEM_TEXT_MAX);
    }
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)geo->text[i];
        if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7F) {
            return sl_fail_field(err, SL_E_INVALID, "text",
                                 "a text has no control characters but line ends and tabs");
        }
    }
    return SL_OK;
}

sl_status sl_geometry_check(const sl_geometry *geo, sl_error **err)
{
    if ((unsigned)geo->kind >= SL_KIND_COUNT) {
        return sl_fail_field(err, SL_E_INVALID, "kind", "unknown kind of item");
    }
    sl_status s = check_points(geo, err);
    s = s == SL_OK ? check_columns(geo, err) : s;
    return s == SL_OK ? check_text(geo, err) : s;
}

static sl_status check_rest(const sl_item *item, sl_error **err)
{
    if (item->t_in < 0 || item->t_in >= SL_ITEM_US_MAX) {
        return sl_fail_field(err, SL_E_INVALID, "in", "a time is from 0 to ten hours");
    }
    if (item->t_out <= item->t_in || item->t_out > SL_ITEM_US_MAX) {
        return sl_fail_field(err, SL_E_INVALID, "out", "out comes after in and within ten hours");
    }
    if (item->fade_us < 0 || item->fade_us > SL_FADE_US_MAX) {
        return sl_fail_field(err, SL_E_INVALID, "fade", "a fade is from 0 to %d us",
                             SL_FADE_US_MAX);
    }
    if (item->z[0] != 0 && !sl_z_ok(item->z)) {
        return sl_fail_field(err, SL_E_INVALID, "z",
                             "z is 1 to %d letters and digits, the last not 0", SL_Z_MAX);
    }
    return sl_style_check(item, err);
}

sl_status sl_item_check(const sl_item *item, sl_error **err)
{
    sl_status s = sl_geometry_check(&item->geo, err);
    return s == SL_OK ? check_rest(item, err) : s;
}

int32_t sl_item_opacity_at(const sl_item *item, int64_t t_us)
{
    if (t_us < item->t_in || t_us >= item->t_out) {
        return 0;
    }
    int64_t since = t_us - item->t_in;
    int64_t left = item->t_out - t_us;
    int64_t edge = since < left ? since : left;
    int64_t full = (int64_t)item->style.opacity * SL_OPAQUE / SL_OPACITY_MAX;
    return (int32_t)(edge < item->fade_us ? full * edge / item->fade_us : full);
}
