/* api/touch.c - what a hand does with drawings: lasso, eraser, snapping, and where a pen will be. */
#include "annotation/erase.h"
#include "annotation/snap.h"
#include "api/doc.h"
#include "base/error.h"
#include "base/mem.h"

#include <string.h>

/* Pairs of numbers as points; NULL: why is in *s. */
static sl_point *points_of(const int32_t *xy, uint32_t n, uint32_t max, sl_status *s,
                           sl_error **err)
{
    if (n < 1 || n > max) {
        *s = sl_fail(err, SL_E_LIMIT, "a path has from 1 to %u points", max);
        return NULL;
    }
    for (uint32_t i = 0; i < 2 * n; i++) {
        if (xy[i] < -SL_COORD_MAX || xy[i] > SL_COORD_MAX) {
            *s = sl_fail_field(err, SL_E_INVALID, "points", "point %u lies more than %d units away",
                               i / 2, SL_COORD_MAX);
            return NULL;
        }
    }
    sl_point *points = sl_mem_array(n, sizeof *points);
    for (uint32_t i = 0; points != NULL && i < n; i++) {
        points[i] = (sl_point){xy[2 * i], xy[2 * i + 1]};
    }
    *s = points != NULL ? SL_OK : sl_fail_nomem(err);
    return points;
}

sl_status sl_doc_lasso(sl_doc *doc, const int32_t *xy, uint32_t points, int64_t t_us,
                       sl_bytes **out, sl_error **err)
{
    sl_error_start(err);
    if (doc == NULL || xy == NULL || out == NULL) {
        return sl_fail(err, SL_E_MISUSE, "a required argument is NULL");
    }
    *out = NULL;
    sl_status s = SL_OK;
    sl_point *loop = points_of(xy, points, SL_LASSO_POINTS_MAX, &s, err);
    if (loop == NULL) {
        return s;
    }
    sl_json *answer = sl_json_object();
    sl_json *ids = sl_json_array();
    sl_lock(doc->mutex);
    size_t room = sl_drawing_count(doc->drawing) + 1;
    const sl_item **items = sl_mem_array(room, sizeof(const sl_item *));
    size_t n = items != NULL ? sl_drawing_lasso(doc->drawing, loop, points, t_us, items) : 0;
    bool ok = items != NULL && ids != NULL;
    for (size_t i = 0; ok && i < n; i++) {
        ok = sl_json_add_str(ids, items[i]->id);
    }
    sl_unlock(doc->mutex);
    ok = sl_json_set(answer, "ids", ids) && ok;
    *out = ok ? sl_json_bytes(answer) : NULL;
    sl_json_free(answer);
    sl_mem_free(items);
    sl_mem_free(loop);
    return *out != NULL ? SL_OK : sl_fail_nomem(err);
}

/* What one sweep of an eraser does, gathered before any of it is done. */
typedef struct sweep {
    sl_eraser eraser;
    int64_t t_us;
    bool whole;
    const char *remove[SL_DOC_BATCH_MAX];
    size_t remove_n;
    sl_item *add[SL_DOC_BATCH_MAX];
    size_t add_n;
    sl_status status;
    sl_error **err;
} sweep;

static sl_status take_pieces(sweep *w, const sl_item *item, bool *touched)
{
    sl_pieces pieces;
    sl_status s = sl_item_erase(item, w->t_us, &w->eraser, &pieces, w->err);
    if (s != SL_OK) {
        return s;
    }
    *touched = pieces.touched;
    if (w->add_n + pieces.n > SL_DOC_BATCH_MAX) {
        s = sl_fail(w->err, SL_E_LIMIT, "one step changes at most %d drawings", SL_DOC_BATCH_MAX);
    } else {
        memcpy(w->add + w->add_n, pieces.items, pieces.n * sizeof(sl_item *));
        w->add_n += pieces.n;
        pieces.n = 0; /* taken */
    }
    sl_pieces_clear(&pieces);
    return s;
}

static bool sweep_item(void *user, const sl_item *item)
{
    sweep *w = user;
    bool touched = false;
    if (!w->whole && sl_item_can_be_cut(item)) {
        w->status = take_pieces(w, item, &touched);
    } else if (w->whole || item->geo.kind == SL_KIND_PEN || item->geo.kind == SL_KIND_HIGHLIGHTER) {
        touched = sl_eraser_meets(&w->eraser, item, w->t_us);
    }
    if (w->status == SL_OK && touched && w->remove_n == SL_DOC_BATCH_MAX) {
        w->status =
            sl_fail(w->err, SL_E_LIMIT, "one step changes at most %d drawings", SL_DOC_BATCH_MAX);
    } else if (touched && w->status == SL_OK) {
        w->remove[w->remove_n++] = item->id;
    }
    return w->status == SL_OK;
}

/* The ids must outlive their items. */
static sl_status do_sweep(sl_doc *doc, sweep *w, sl_json *removed, sl_json *made, sl_error **err)
{
    bool ok = removed != NULL && made != NULL;
    for (size_t i = 0; ok && i < w->remove_n; i++) {
        ok = sl_json_add_str(removed, w->remove[i]);
    }
    if (!ok) {
        return sl_fail_nomem(err);
    }
    const sl_json *id = sl_json_first(removed);
    for (size_t i = 0; i < w->remove_n; i++, id = sl_json_next(id)) {
        w->remove[i] = sl_json_text(id);
    }
    sl_doc_change change = {
        .add = w->add, .add_n = w->add_n, .remove = w->remove, .remove_n = w->remove_n};
    return sl_doc_carry_out(doc, &change, made, err);
}

static sl_status sweep_along(sl_doc *doc, sweep *w, sl_bytes **out, sl_error **err)
{
    sl_json *answer = sl_json_object();
    sl_json *removed = sl_json_array();
    sl_json *made = sl_json_array();
    sl_lock(doc->mutex);
    sl_drawing_near(doc->drawing, sl_eraser_box(&w->eraser), w->t_us, sweep_item, w);
    sl_status s = w->status == SL_OK ? do_sweep(doc, w, removed, made, err) : w->status;
    sl_unlock(doc->mutex);
    for (size_t i = 0; i < w->add_n; i++) {
        sl_item_free(w->add[i]); /* NULL when taken */
    }
    bool ok = sl_json_set(answer, "removed", removed);
    ok = sl_json_set(answer, "made", made) && ok;
    if (s == SL_OK && out != NULL) {
        *out = ok ? sl_json_bytes(answer) : NULL;
        s = *out != NULL ? SL_OK : sl_fail_nomem(err);
    }
    sl_json_free(answer);
    return s;
}

/* How an eraser is led. */
typedef struct hand {
    uint32_t points;
    int32_t radius;
    int64_t t_us;
    bool whole;
} hand;

static sl_status erase(sl_doc *doc, const int32_t *xy, const hand *h, sl_bytes **out,
                       sl_error **err)
{
    sl_error_start(err);
    if (doc == NULL || xy == NULL || h->radius < 1 || h->radius > SL_UNITS) {
        return sl_fail(err, SL_E_MISUSE, "an eraser has a path and a radius of 1 to %d", SL_UNITS);
    }
    if (out != NULL) {
        *out = NULL;
    }
    sl_status s = SL_OK;
    sl_point *path = points_of(xy, h->points, SL_ERASER_POINTS_MAX, &s, err);
    sweep *w = path != NULL ? sl_mem(sizeof *w) : NULL;
    if (w == NULL) {
        sl_mem_free(path);
        return s != SL_OK ? s : sl_fail_nomem(err);
    }
    w->eraser = (sl_eraser){path, h->points, h->radius};
    w->t_us = h->t_us;
    w->whole = h->whole;
    w->err = err;
    s = sweep_along(doc, w, out, err);
    sl_mem_free(w);
    sl_mem_free(path);
    return s;
}

sl_status sl_doc_erase(sl_doc *doc, const int32_t *xy, uint32_t points, int32_t radius,
                       int64_t t_us, sl_bytes **out, sl_error **err)
{
    hand h = {points, radius, t_us, false};
    return erase(doc, xy, &h, out, err);
}

sl_status sl_doc_erase_items(sl_doc *doc, const int32_t *xy, uint32_t points, int32_t radius,
                             int64_t t_us, sl_bytes **out, sl_error **err)
{
    hand h = {points, radius, t_us, true};
    return erase(doc, xy, &h, out, err);
}

sl_status sl_doc_snap(sl_doc *doc, const char *except, const int32_t *from, int32_t *to,
                      int32_t tolerance, int64_t t_us, uint32_t *how)
{
    if (doc == NULL || to == NULL || tolerance < 0 || tolerance > SL_UNITS) {
        return SL_E_MISUSE;
    }
    sl_point start = {from != NULL ? from[0] : 0, from != NULL ? from[1] : 0};
    sl_point end = {to[0], to[1]};
    sl_lock(doc->mutex);
    uint32_t drawn =
        sl_snap(doc->drawing, except, from != NULL ? &start : NULL, &end, tolerance, t_us);
    sl_unlock(doc->mutex);
    to[0] = end.x;
    to[1] = end.y;
    if (how != NULL) {
        *how = drawn;
    }
    return SL_OK;
}

sl_status sl_doc_stroke_predict(sl_doc *doc, sl_id stroke, int32_t ahead_ms, int32_t *xy)
{
    if (doc == NULL || xy == NULL || ahead_ms < 0 || ahead_ms > SL_PREDICT_MS_MAX) {
        return SL_E_MISUSE;
    }
    sl_status s = SL_E_NOT_FOUND;
    sl_lock(doc->mutex);
    for (size_t i = 0; stroke != 0 && i < SL_DOC_STROKES_MAX; i++) {
        sl_point at;
        if (doc->strokes[i].id == stroke && doc->strokes[i].stroke != NULL &&
            sl_stroke_predict(doc->strokes[i].stroke, ahead_ms, &at)) {
            xy[0] = at.x;
            xy[1] = at.y;
            s = SL_OK;
        }
    }
    sl_unlock(doc->mutex);
    return s;
}
