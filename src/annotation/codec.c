#include "annotation/codec.h"

#include "annotation/samples.h"
#include "annotation/tool.h"
#include "base/error.h"
#include "base/mem.h"

#include <string.h>

enum {
    PLAIN_COLUMNS = SL_HAS_PRESSURE | SL_HAS_DT | SL_HAS_TEXT,
    SECTION_END = 0,
    SECTION_SAMPLES = 1,
    SECTION_TEXT = 2,
    TEXT_BYTES_MAX = SL_ITEM_TEXT_MAX * 4
};

/* What a straight, even movement would bring next. */
typedef struct predictor {
    int64_t last;
    int64_t before;
} predictor;

static int64_t predict(const predictor *p, uint32_t i)
{
    return i < 2 ? p->last : 2 * p->last - p->before;
}

static void learn(predictor *p, int64_t v)
{
    p->before = p->last;
    p->last = v;
}

static void put_next(sl_buf *out, predictor *p, uint32_t i, int64_t v)
{
    sl_buf_zigzag(out, v - predict(p, i));
    learn(p, v);
}

/* False for a value outside [lo, hi]: with it the predictions stay small whatever is read. */
static bool take_next(sl_rd *r, predictor *p, uint32_t i, const int64_t range[2], int64_t *v)
{
    int64_t residual = sl_rd_zigzag(r);
    if (r->bad || residual < -((int64_t)1 << 40) || residual > ((int64_t)1 << 40)) {
        return false;
    }
    *v = predict(p, i) + residual;
    learn(p, *v);
    return *v >= range[0] && *v <= range[1];
}

static void encode_plain(sl_buf *out, const sl_geometry *geo)
{
    int columns = (geo->pressure != NULL ? SL_HAS_PRESSURE : 0) |
                  (geo->dt_ms != NULL ? SL_HAS_DT : 0) | (geo->text != NULL ? SL_HAS_TEXT : 0);
    sl_buf_u8(out, SL_GEOMETRY_PLAIN);
    sl_buf_u8(out, (uint8_t)geo->kind);
    sl_buf_u8(out, (uint8_t)columns);
    sl_buf_varint(out, geo->n);
    predictor x = {0};
    for (uint32_t i = 0; i < geo->n; i++) {
        put_next(out, &x, i, geo->points[i].x);
    }
    predictor y = {0};
    for (uint32_t i = 0; i < geo->n; i++) {
        put_next(out, &y, i, geo->points[i].y);
    }
    for (uint32_t i = 0; geo->pressure != NULL && i < geo->n; i++) {
        sl_buf_zigzag(out, (int64_t)geo->pressure[i] - (i > 0 ? geo->pressure[i - 1] : 0));
    }
    predictor dt = {0};
    for (uint32_t i = 0; geo->dt_ms != NULL && i < geo->n; i++) {
        put_next(out, &dt, i, geo->dt_ms[i]);
    }
    if (geo->text != NULL) {
        sl_buf_varint(out, strlen(geo->text));
        sl_buf_str(out, geo->text);
    }
}

static bool take_points(sl_rd *r, sl_geometry *geo)
{
    static const int64_t range[2] = {-SL_COORD_MAX, SL_COORD_MAX};
    int64_t v = 0;
    predictor x = {0};
    for (uint32_t i = 0; i < geo->n; i++) {
        if (!take_next(r, &x, i, range, &v)) {
            return false;
        }
        geo->points[i].x = (int32_t)v;
    }
    predictor y = {0};
    for (uint32_t i = 0; i < geo->n; i++) {
        if (!take_next(r, &y, i, range, &v)) {
            return false;
        }
        geo->points[i].y = (int32_t)v;
    }
    return true;
}

static bool take_pressure(sl_rd *r, sl_geometry *geo)
{
    int64_t last = 0;
    for (uint32_t i = 0; i < geo->n; i++) {
        int64_t residual = sl_rd_zigzag(r);
        if (r->bad || residual < -255 || residual > 255 || last + residual < 0 ||
            last + residual > 255) {
            return false;
        }
        last += residual;
        geo->pressure[i] = (uint8_t)last;
    }
    return true;
}

static bool take_dt(sl_rd *r, sl_geometry *geo)
{
    static const int64_t range[2] = {0, SL_DT_MS_MAX};
    int64_t v = 0;
    predictor dt = {0};
    for (uint32_t i = 0; i < geo->n; i++) {
        if (!take_next(r, &dt, i, range, &v)) {
            return false;
        }
        geo->dt_ms[i] = (uint32_t)v;
    }
    return true;
}

static sl_status take_text(sl_rd *r, uint64_t len, sl_geometry *geo, sl_error **err)
{
    const uint8_t *text = len <= TEXT_BYTES_MAX ? sl_rd_take(r, (size_t)len) : NULL;
    if (text == NULL || memchr(text, 0, (size_t)len) != NULL) {
        return sl_geometry_damaged(err);
    }
    geo->text = sl_mem((size_t)len + 1);
    if (geo->text == NULL) {
        return sl_fail_nomem(err);
    }
    memcpy(geo->text, text, (size_t)len);
    return SL_OK;
}

static sl_status take_plain(sl_rd *r, sl_geometry *geo, sl_error **err)
{
    uint8_t columns = sl_rd_u8(r);
    uint64_t n = sl_rd_varint(r);
    /* Every point takes at least two bytes: the claim cannot make us allocate more than was sent. */
    if (r->bad || columns > PLAIN_COLUMNS || n < 1 || n > SL_PEN_POINTS_MAX || n > r->left / 2) {
        return sl_geometry_damaged(err);
    }
    geo->n = (uint32_t)n;
    sl_status s = sl_geometry_columns(geo, columns, err);
    if (s != SL_OK) {
        return s;
    }
    if (!take_points(r, geo) || (geo->pressure != NULL && !take_pressure(r, geo)) ||
        (geo->dt_ms != NULL && !take_dt(r, geo))) {
        return sl_geometry_damaged(err);
    }
    return (columns & SL_HAS_TEXT) != 0 ? take_text(r, sl_rd_varint(r), geo, err) : SL_OK;
}

static void put_section(sl_buf *out, uint8_t tag, const sl_buf *section)
{
    sl_buf_u8(out, tag);
    sl_buf_varint(out, section->len);
    sl_buf_put(out, section->data, section->len);
    out->failed = out->failed || section->failed;
}

static void encode_sections(sl_buf *out, const sl_geometry *geo, int version)
{
    sl_buf section = {0};
    sl_buf_u8(out, (uint8_t)version);
    sl_buf_u8(out, (uint8_t)geo->kind);
    sl_buf_varint(out, geo->n);
    sl_samples_put(&section, geo, version);
    put_section(out, SECTION_SAMPLES, &section);
    sl_buf_free(&section);
    if (geo->text != NULL) {
        sl_buf text = {0};
        sl_buf_str(&text, geo->text);
        put_section(out, SECTION_TEXT, &text);
        sl_buf_free(&text);
    }
    sl_buf_put(out, geo->unknown, geo->unknown_n);
    sl_buf_u8(out, SECTION_END);
}

/* Newer sections, from the tag of the first to the length and bytes of the last. */
static sl_status keep_unknown(sl_geometry *geo, const uint8_t *from, size_t n, sl_error **err)
{
    if (n > SL_UNKNOWN_BYTES_MAX) {
        return sl_fail_field(err, SL_E_LIMIT, "geometry", "unknown sections have at most %d bytes",
                             SL_UNKNOWN_BYTES_MAX);
    }
    geo->unknown = sl_mem(n);
    if (geo->unknown == NULL) {
        return sl_fail_nomem(err);
    }
    memcpy(geo->unknown, from, n);
    geo->unknown_n = n;
    return SL_OK;
}

static sl_status take_section(uint64_t tag, int version, sl_rd r, sl_geometry *geo, sl_error **err)
{
    if (tag == SECTION_SAMPLES) {
        return sl_samples_take(&r, version, geo, err);
    }
    size_t n = r.left;
    return tag == SECTION_TEXT ? take_text(&r, n, geo, err) : SL_OK;
}

static sl_status take_sections(sl_rd *r, int version, sl_geometry *geo, sl_error **err)
{
    uint64_t n = sl_rd_varint(r);
    if (r->bad || n < 1 || n > SL_PEN_POINTS_MAX) {
        return sl_geometry_damaged(err);
    }
    geo->n = (uint32_t)n;
    const uint8_t *unknown = NULL;
    sl_status s = SL_OK;
    for (uint64_t last = SECTION_END;;) {
        const uint8_t *at = r->p;
        uint64_t tag = sl_rd_varint(r);
        if (r->bad || (tag != SECTION_END && tag <= last) ||
            (last == SECTION_END && tag != SECTION_SAMPLES)) {
            return sl_geometry_damaged(err);
        }
        unknown = unknown == NULL && tag > SECTION_TEXT ? at : unknown;
        if (tag == SECTION_END) {
            return unknown != NULL ? keep_unknown(geo, unknown, (size_t)(at - unknown), err) : s;
        }
        uint64_t len = sl_rd_varint(r);
        const uint8_t *p = len <= r->left ? sl_rd_take(r, (size_t)len) : NULL;
        sl_rd section = {p, (size_t)len, false};
        s = p != NULL && !r->bad ? take_section(tag, version, section, geo, err)
                                 : sl_geometry_damaged(err);
        if (s != SL_OK) {
            return s;
        }
        last = tag;
    }
}

bool sl_geometry_unknown_ok(const sl_buf *sections)
{
    sl_rd r = {sections->data, sections->len, false};
    uint64_t last = SECTION_TEXT;
    while (r.left > 0 && !r.bad) {
        uint64_t tag = sl_rd_varint(&r);
        uint64_t len = sl_rd_varint(&r);
        if (tag <= last || len > r.left) {
            return false;
        }
        (void)sl_rd_take(&r, (size_t)len);
        last = tag;
    }
    return !r.bad && sections->len <= SL_UNKNOWN_BYTES_MAX;
}

/* Short shapes are written plainly, so that versions before the sections read them. */
static bool is_plain(const sl_geometry *geo)
{
    return geo->n < SL_GEOMETRY_SECTIONS_FROM && geo->tilt == NULL && geo->unknown_n == 0;
}

void sl_geometry_encode(sl_buf *out, const sl_geometry *geo)
{
    if (is_plain(geo)) {
        encode_plain(out, geo);
    } else {
        encode_sections(out, geo, SL_GEOMETRY_VERSION);
    }
}

static sl_status take_geometry(sl_rd *r, sl_geometry *geo, sl_error **err)
{
    uint8_t version = sl_rd_u8(r);
    uint8_t kind = sl_rd_u8(r);
    if (!r->bad && (version > SL_GEOMETRY_VERSION || kind >= SL_KIND_COUNT)) {
        return sl_fail_field(err, SL_E_TOO_NEW, "geometry",
                             "the geometry was made by a newer version");
    }
    if (r->bad || version < SL_GEOMETRY_PLAIN) {
        return sl_geometry_damaged(err);
    }
    geo->kind = (sl_kind)kind;
    return version == SL_GEOMETRY_PLAIN ? take_plain(r, geo, err)
                                        : take_sections(r, version, geo, err);
}

/* A number has longer spellings as a varint; the way back shows whether one was used. Plain
 * geometry of any length is from before the sections. */
static sl_status check_canonical(const sl_geometry *geo, const uint8_t *p, size_t n, sl_error **err)
{
    sl_buf again = {0};
    if (p[0] == SL_GEOMETRY_PLAIN) {
        encode_plain(&again, geo);
    } else if (p[0] == SL_GEOMETRY_UNSHARED && !is_plain(geo)) {
        encode_sections(&again, geo, SL_GEOMETRY_UNSHARED);
    } else {
        sl_geometry_encode(&again, geo);
    }
    sl_status s = SL_OK;
    if (again.failed) {
        s = sl_fail_nomem(err);
    } else if (again.len != n || memcmp(again.data, p, n) != 0) {
        s = sl_geometry_damaged(err);
    }
    sl_buf_free(&again);
    return s;
}

sl_status sl_geometry_decode(const uint8_t *p, size_t n, size_t *used, sl_geometry *out,
                             sl_error **err)
{
    sl_rd r = {p, n, false};
    memset(out, 0, sizeof *out);
    sl_status s = take_geometry(&r, out, err);
    if (s == SL_OK && used == NULL && r.left != 0) {
        s = sl_geometry_damaged(err);
    }
    s = s == SL_OK ? sl_geometry_check(out, err) : s;
    s = s == SL_OK ? check_canonical(out, p, n - r.left, err) : s;
    if (s != SL_OK) {
        sl_geometry_clear(out);
        return s;
    }
    if (used != NULL) {
        *used = n - r.left;
    }
    return SL_OK;
}
