#include "annotation/codec.h"

#include "base/error.h"
#include "base/mem.h"

#include <string.h>

enum {
    HAS_PRESSURE = 1,
    HAS_DT = 2,
    HAS_TEXT = 4,
    HAS_ALL = 7,
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

void sl_geometry_encode(sl_buf *out, const sl_geometry *geo)
{
    int columns = (geo->pressure != NULL ? HAS_PRESSURE : 0) | (geo->dt_ms != NULL ? HAS_DT : 0) |
                  (geo->text != NULL ? HAS_TEXT : 0);
    sl_buf_u8(out, SL_GEOMETRY_VERSION);
    sl_buf_u8(out, (uint8_t)geo->kind);
    sl_buf_u8(out, (uint8_t)columns);
    sl_buf_varint(out, geo->n);
    predictor x = {0, 0};
    for (uint32_t i = 0; i < geo->n; i++) {
        put_next(out, &x, i, geo->points[i].x);
    }
    predictor y = {0, 0};
    for (uint32_t i = 0; i < geo->n; i++) {
        put_next(out, &y, i, geo->points[i].y);
    }
    for (uint32_t i = 0; geo->pressure != NULL && i < geo->n; i++) {
        sl_buf_zigzag(out, (int64_t)geo->pressure[i] - (i > 0 ? geo->pressure[i - 1] : 0));
    }
    predictor dt = {0, 0};
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
    predictor x = {0, 0};
    for (uint32_t i = 0; i < geo->n; i++) {
        if (!take_next(r, &x, i, range, &v)) {
            return false;
        }
        geo->points[i].x = (int32_t)v;
    }
    predictor y = {0, 0};
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
    predictor dt = {0, 0};
    for (uint32_t i = 0; i < geo->n; i++) {
        if (!take_next(r, &dt, i, range, &v)) {
            return false;
        }
        geo->dt_ms[i] = (uint32_t)v;
    }
    return true;
}

static sl_status damaged(sl_error **err)
{
    return sl_fail_field(err, SL_E_INVALID, "geometry", "the geometry is damaged");
}

static sl_status take_text(sl_rd *r, sl_geometry *geo, sl_error **err)
{
    uint64_t len = sl_rd_varint(r);
    const uint8_t *text = len <= TEXT_BYTES_MAX ? sl_rd_take(r, (size_t)len) : NULL;
    if (text == NULL || memchr(text, 0, (size_t)len) != NULL) {
        return damaged(err);
    }
    geo->text = sl_mem((size_t)len + 1);
    if (geo->text == NULL) {
        return sl_fail_nomem(err);
    }
    memcpy(geo->text, text, (size_t)len);
    return SL_OK;
}

static sl_status take_geometry(sl_rd *r, sl_geometry *geo, sl_error **err)
{
    uint8_t version = sl_rd_u8(r);
    if (!r->bad && version > SL_GEOMETRY_VERSION) {
        return sl_fail_field(err, SL_E_TOO_NEW, "geometry",
                             "the geometry was made by a newer version");
    }
    uint8_t kind = sl_rd_u8(r);
    uint8_t columns = sl_rd_u8(r);
    uint64_t n = sl_rd_varint(r);
    /* Every point takes at least two bytes: the claim cannot make us allocate more than was sent. */
    if (r->bad || version != SL_GEOMETRY_VERSION || kind >= SL_KIND_COUNT || columns > HAS_ALL ||
        n < 1 || n > SL_PEN_POINTS_MAX || n > r->left / 2) {
        return damaged(err);
    }
    geo->kind = (sl_kind)kind;
    geo->n = (uint32_t)n;
    geo->points = sl_mem_array((size_t)n, sizeof *geo->points);
    geo->pressure = (columns & HAS_PRESSURE) != 0 ? sl_mem((size_t)n) : NULL;
    geo->dt_ms = (columns & HAS_DT) != 0 ? sl_mem_array((size_t)n, sizeof *geo->dt_ms) : NULL;
    if (geo->points == NULL || (geo->pressure == NULL && (columns & HAS_PRESSURE) != 0) ||
        (geo->dt_ms == NULL && (columns & HAS_DT) != 0)) {
        return sl_fail_nomem(err);
    }
    if (!take_points(r, geo) || (geo->pressure != NULL && !take_pressure(r, geo)) ||
        (geo->dt_ms != NULL && !take_dt(r, geo))) {
        return damaged(err);
    }
    return (columns & HAS_TEXT) != 0 ? take_text(r, geo, err) : SL_OK;
}

/* A number has longer spellings as a varint; the way back shows whether one was used. */
static sl_status check_canonical(const sl_geometry *geo, const uint8_t *p, size_t n, sl_error **err)
{
    sl_buf again = {0};
    sl_geometry_encode(&again, geo);
    sl_status s = SL_OK;
    if (again.failed) {
        s = sl_fail_nomem(err);
    } else if (again.len != n || memcmp(again.data, p, n) != 0) {
        s = damaged(err);
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
        s = damaged(err);
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
