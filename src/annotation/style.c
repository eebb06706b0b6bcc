/* annotation/style.c - the members of style, one row each. */
#include "annotation/style.h"

#include "base/error.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define AT(field) (uint16_t) offsetof(sl_style, field)

static const sl_member MEMBERS[] = {
    {"color", SL_MEMBER_COLOR, true, AT(rgb), 0, 0xFFFFFF, 0xFFD400},
    {"opacity", SL_MEMBER_MILLI, true, AT(opacity), 0, SL_OPACITY_MAX, SL_OPACITY_MAX},
    {"width", SL_MEMBER_WHOLE, true, AT(width), 1, SL_WIDTH_MAX, SL_WIDTH_DEFAULT},
    {"font_size", SL_MEMBER_WHOLE, true, AT(font_size), SL_FONT_MIN, SL_FONT_MAX, SL_FONT_DEFAULT},
    {"fill", SL_MEMBER_COLOR, false, AT(fill), -1, 0xFFFFFF, -1},
    {"heads", SL_MEMBER_WHOLE, false, AT(heads), 0, 2, 1},
    {"dash", SL_MEMBER_DASH, false, AT(dash), 0, SL_DASH_DOTS, SL_DASH_SOLID},
    {"rows", SL_MEMBER_WHOLE, false, AT(rows), 1, 64, 4},
    {"cols", SL_MEMBER_WHOLE, false, AT(cols), 1, 64, 4},
    {"zoom", SL_MEMBER_MILLI, false, AT(zoom), 1000, 8000, 2000},
    {"value", SL_MEMBER_WHOLE, false, AT(value), -999999, 999999, 1},
    {"vertical", SL_MEMBER_FLAG, false, AT(vertical), 0, 1, 0},
    {"box", SL_MEMBER_FLAG, false, AT(box), 0, 1, 0},
    {"length", SL_MEMBER_MILLI, false, AT(length), 0, 1000000000, 0},
    {"hold_ms", SL_MEMBER_WHOLE, false, AT(hold_ms), 0, 600000, 2000},
    {"hidden", SL_MEMBER_FLAG, false, AT(hidden), 0, 1, 0},
    {"locked", SL_MEMBER_FLAG, false, AT(locked), 0, 1, 0},
};

enum {
    MEMBERS_N = sizeof MEMBERS / sizeof MEMBERS[0],
    DASHES_N = SL_DASH_DOTS + 1
};

const sl_member *sl_style_members(size_t *n)
{
    *n = MEMBERS_N;
    return MEMBERS;
}

static const char *const dashes[DASHES_N] = {"solid", "dashes", "dots"};

static int32_t get(const sl_style *style, const sl_member *m)
{
    int32_t v = 0;
    memcpy(&v, (const char *)style + m->at, sizeof v);
    return v;
}

static void put(sl_style *style, const sl_member *m, int32_t v)
{
    memcpy((char *)style + m->at, &v, sizeof v);
}

void sl_style_defaults(sl_style *style)
{
    memset(style, 0, sizeof *style);
    for (size_t i = 0; i < MEMBERS_N; i++) {
        put(style, &MEMBERS[i], MEMBERS[i].otherwise);
    }
}

static sl_status refuse(const sl_member *m, sl_error **err)
{
    char field[32];
    (void)snprintf(field, sizeof field, "style.%s", m->name);
    switch (m->type) {
    case SL_MEMBER_COLOR: return sl_fail_field(err, SL_E_INVALID, field, "a colour is \"#RRGGBB\"");
    case SL_MEMBER_FLAG:
        return sl_fail_field(err, SL_E_INVALID, field, "%s is true or false", m->name);
    case SL_MEMBER_DASH:
        return sl_fail_field(err, SL_E_INVALID, field, "dash is solid, dashes or dots");
    case SL_MEMBER_MILLI:
        return sl_fail_field(err, SL_E_INVALID, field, "%s is from %g to %g", m->name,
                             m->min / 1000.0, m->max / 1000.0);
    case SL_MEMBER_WHOLE: break;
    }
    return sl_fail_field(err, SL_E_INVALID, field, "%s is from %d to %d", m->name, (int)m->min,
                         (int)m->max);
}

static bool parse_color(const char *s, int32_t *rgb)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    if (s == NULL || s[0] != '#' || strlen(s) != 7) {
        return false;
    }
    int32_t v = 0;
    for (int i = 1; i < 7; i++) {
        const char *digit = strchr(digits, s[i]);
        if (digit == NULL) {
            return false;
        }
        v = v * 16 + (int32_t)(digit - digits) % 16;
    }
    *rgb = v;
    return true;
}

static bool parse_dash(const char *s, int32_t *v)
{
    for (int32_t i = 0; s != NULL && i < DASHES_N; i++) {
        if (strcmp(s, dashes[i]) == 0) {
            *v = i;
            return true;
        }
    }
    return false;
}

static bool parse_number(const sl_json *j, const sl_member *m, int32_t *v)
{
    double d = sl_json_value(j);
    d = floor((m->type == SL_MEMBER_MILLI ? d * 1000 : d) + 0.5);
    if (!sl_json_is_number(j) || !(d >= m->min && d <= m->max)) {
        return false;
    }
    *v = (int32_t)d;
    return true;
}

static bool parse_member(const sl_json *j, const sl_member *m, int32_t *v)
{
    switch (m->type) {
    case SL_MEMBER_COLOR: return parse_color(sl_json_text(j), v);
    case SL_MEMBER_DASH: return parse_dash(sl_json_text(j), v);
    case SL_MEMBER_FLAG: *v = sl_json_truth(j); return sl_json_is_bool(j);
    case SL_MEMBER_WHOLE:
    case SL_MEMBER_MILLI: break;
    }
    return parse_number(j, m, v);
}

static sl_status read_layer(const sl_json *j, sl_style *style, sl_error **err)
{
    const char *id = sl_json_text(j);
    bool none = sl_json_is_null(j) || (id != NULL && id[0] == 0);
    if (!none && (id == NULL || !sl_uuid_ok(id))) {
        return sl_fail_field(err, SL_E_INVALID, "style.layer", "a layer is named by its id");
    }
    (void)snprintf(style->layer, sizeof style->layer, "%s", none ? "" : id);
    return SL_OK;
}

static bool unit_ok(const char *unit)
{
    for (const char *c = unit; *c != 0; c++) {
        if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z'))) {
            return false;
        }
    }
    return true;
}

static sl_status read_unit(const sl_json *j, sl_style *style, sl_error **err)
{
    const char *unit = sl_json_is_null(j) ? "" : sl_json_text(j);
    if (unit == NULL || strlen(unit) >= sizeof style->unit || !unit_ok(unit)) {
        return sl_fail_field(err, SL_E_INVALID, "style.unit", "a unit is at most %zu letters",
                             sizeof style->unit - 1);
    }
    memcpy(style->unit, unit, strlen(unit) + 1);
    return SL_OK;
}

static const sl_member *find(const char *name)
{
    for (size_t i = 0; i < MEMBERS_N; i++) {
        if (strcmp(MEMBERS[i].name, name) == 0) {
            return &MEMBERS[i];
        }
    }
    return NULL;
}

static sl_status keep_extra(const sl_json *j, sl_item *item, sl_error **err)
{
    const char *name = sl_json_key(j);
    if (sl_json_is_null(j)) {
        if (item->extra != NULL) {
            sl_json_remove(item->extra, name);
        }
        return SL_OK;
    }
    item->extra = item->extra != NULL ? item->extra : sl_json_object();
    return sl_json_set(item->extra, name, sl_json_clone(j)) ? SL_OK : sl_fail_nomem(err);
}

static sl_status read_member(const sl_json *j, sl_item *item, sl_error **err)
{
    const char *name = sl_json_key(j);
    const sl_member *m = find(name);
    if (strcmp(name, "layer") == 0) {
        return read_layer(j, &item->style, err);
    }
    if (strcmp(name, "unit") == 0) {
        return read_unit(j, &item->style, err);
    }
    if (sl_edits_known(name)) {
        return SL_OK;
    }
    if (m == NULL) {
        return keep_extra(j, item, err);
    }
    int32_t v = m->otherwise;
    if (!sl_json_is_null(j) && !parse_member(j, m, &v)) {
        return refuse(m, err);
    }
    put(&item->style, m, v);
    return SL_OK;
}

sl_status sl_style_read(const sl_json *j, sl_item *item, sl_error **err)
{
    if (j == NULL) {
        return SL_OK;
    }
    if (!sl_json_is_object(j)) {
        return sl_fail_field(err, SL_E_INVALID, "style", "style must be an object");
    }
    sl_status s = SL_OK;
    for (const sl_json *m = sl_json_first(j); s == SL_OK && m != NULL; m = sl_json_next(m)) {
        s = read_member(m, item, err);
    }
    return s == SL_OK ? sl_edits_read(j, item, err) : s;
}

static bool write_member(sl_json *j, const sl_member *m, int32_t v)
{
    char color[16];
    switch (m->type) {
    case SL_MEMBER_COLOR:
        (void)snprintf(color, sizeof color, "#%06X", (unsigned)v);
        return sl_json_set_str(j, m->name, color);
    case SL_MEMBER_DASH: return sl_json_set_str(j, m->name, dashes[v]);
    case SL_MEMBER_FLAG: return sl_json_set_bool(j, m->name, v != 0);
    case SL_MEMBER_MILLI: return sl_json_set_num(j, m->name, v / 1000.0);
    case SL_MEMBER_WHOLE: break;
    }
    return sl_json_set_int(j, m->name, v);
}

sl_json *sl_style_write(const sl_item *item)
{
    const sl_style *style = &item->style;
    sl_json *j = sl_json_object();
    bool ok = j != NULL;
    for (size_t i = 0; ok && i < MEMBERS_N; i++) {
        const sl_member *m = &MEMBERS[i];
        int32_t v = get(style, m);
        ok = (!m->always && v == m->otherwise) || write_member(j, m, v);
    }
    ok = ok && (style->unit[0] == 0 || sl_json_set_str(j, "unit", style->unit)) &&
         (style->layer[0] == 0 || sl_json_set_str(j, "layer", style->layer)) &&
         sl_edits_write(j, item);
    for (const sl_json *m = sl_json_first(item->extra); ok && m != NULL; m = sl_json_next(m)) {
        ok = sl_json_set(j, sl_json_key(m), sl_json_clone(m));
    }
    if (!ok) {
        sl_json_free(j);
        return NULL;
    }
    return j;
}

/* The plain members are far from the limit; what has no bound of its own is written out. */
static sl_status check_size(const sl_item *item, sl_error **err)
{
    if (item->extra == NULL && item->keys_n == 0 && item->edit.has == 0) {
        return SL_OK;
    }
    sl_json *j = sl_style_write(item);
    sl_bytes *text = j != NULL ? sl_json_bytes(j) : NULL;
    size_t n = text != NULL ? sl_bytes_len(text) : 0;
    sl_json_free(j);
    sl_bytes_release(text);
    if (text == NULL) {
        return sl_fail_nomem(err);
    }
    return n <= SL_STYLE_BYTES_MAX
               ? SL_OK
               : sl_fail_field(err, SL_E_INVALID, "style", "style has at most %d bytes of JSON",
                               SL_STYLE_BYTES_MAX);
}

sl_status sl_style_check(const sl_item *item, sl_error **err)
{
    for (size_t i = 0; i < MEMBERS_N; i++) {
        int32_t v = get(&item->style, &MEMBERS[i]);
        if (v < MEMBERS[i].min || v > MEMBERS[i].max) {
            return refuse(&MEMBERS[i], err);
        }
    }
    sl_status s = sl_edits_check(item, err);
    return s == SL_OK ? check_size(item, err) : s;
}
