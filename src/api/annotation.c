/*
 * api/annotation.c - sideline/annotation.h: a drawing with a lock and, when bound, a core behind it.
 *
 * A bound document writes through the same public calls as everyone else and shows a change only
 * after the core has it.
 */
#include "sideline/annotation.h"

#include "annotation/style.h"
#include "api/doc.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "sideline/record.h"

#include <string.h>

static const char SPACE_PREFIX[] = "video:";

static sl_status misuse(sl_error **err)
{
    return sl_fail(err, SL_E_MISUSE, "a required argument is NULL");
}

static sl_status doc_make(int32_t width, int32_t height, sl_doc **out, sl_error **err)
{
    *out = NULL;
    if (width < 1 || height < 1) {
        return sl_fail(err, SL_E_INVALID, "a video's frame has a width and a height");
    }
    sl_doc *doc = sl_mem(sizeof *doc);
    if (doc == NULL) {
        return sl_fail_nomem(err);
    }
    doc->mutex = sl_mutex_new();
    doc->drawing = sl_drawing_new(width, height);
    sl_live_add(1);
    if (doc->mutex == NULL || doc->drawing == NULL) {
        sl_doc_close(doc);
        return sl_fail_nomem(err);
    }
    *out = doc;
    return SL_OK;
}

sl_status sl_doc_new(int32_t width, int32_t height, sl_doc **out, sl_error **err)
{
    sl_error_start(err);
    return out != NULL ? doc_make(width, height, out, err) : misuse(err);
}

void sl_doc_close(sl_doc *doc)
{
    if (doc == NULL) {
        return;
    }
    for (size_t i = 0; i < SL_DOC_STROKES_MAX; i++) {
        sl_stroke_free(doc->strokes[i].stroke);
    }
    sl_drawing_free(doc->drawing);
    sl_mutex_free(doc->mutex);
    sl_mem_free(doc->space);
    sl_mem_free(doc->group);
    sl_mem_free(doc);
    sl_live_add(-1);
}

static sl_json *parse_bytes(const sl_bytes *bytes)
{
    return sl_json_parse((const char *)sl_bytes_data(bytes), sl_bytes_len(bytes));
}

/* Frame sizes come from the record of the video. */
static sl_status read_size(sl_core *core, const char *video, int32_t *width, int32_t *height,
                           sl_error **err)
{
    sl_bytes *bytes = NULL;
    sl_status s = sl_record_get(core, "video", video, &bytes, err);
    if (s != SL_OK) {
        return s;
    }
    sl_json *record = parse_bytes(bytes);
    int64_t w = sl_json_int_or(record, "width", 0);
    int64_t h = sl_json_int_or(record, "height", 0);
    sl_json_free(record);
    sl_bytes_release(bytes);
    if (w < 1 || h < 1 || w > INT32_MAX || h > INT32_MAX) {
        return sl_fail(err, SL_E_INVALID, "the video's record has no width and height");
    }
    *width = (int32_t)w;
    *height = (int32_t)h;
    return SL_OK;
}

sl_status sl_doc_open(sl_core *core, const char *space, sl_doc **out, sl_error **err)
{
    sl_error_start(err);
    if (core == NULL || space == NULL || out == NULL) {
        return misuse(err);
    }
    *out = NULL;
    if (strncmp(space, SPACE_PREFIX, sizeof SPACE_PREFIX - 1) != 0) {
        return sl_fail_field(err, SL_E_INVALID, "space", "drawings are in a space \"video:<id>\"");
    }
    int32_t width = 0;
    int32_t height = 0;
    sl_doc *doc = NULL;
    sl_status s = read_size(core, space + sizeof SPACE_PREFIX - 1, &width, &height, err);
    s = s == SL_OK ? doc_make(width, height, &doc, err) : s;
    if (s != SL_OK || doc == NULL) {
        return s;
    }
    doc->core = core;
    doc->space = sl_text_dup(space);
    s = doc->space != NULL ? sl_doc_refresh(doc, err) : sl_fail_nomem(err);
    if (s != SL_OK) {
        sl_doc_close(doc);
        return s;
    }
    *out = doc;
    return SL_OK;
}

sl_status sl_doc_refresh(sl_doc *doc, sl_error **err)
{
    sl_error_start(err);
    if (doc == NULL) {
        return misuse(err);
    }
    if (doc->core == NULL) {
        return SL_OK;
    }
    sl_lock(doc->mutex);
    sl_drawing *fresh =
        sl_drawing_new(sl_drawing_width(doc->drawing), sl_drawing_height(doc->drawing));
    sl_status s =
        fresh != NULL ? sl_drawing_load(doc->core, doc->space, fresh, err) : sl_fail_nomem(err);
    if (s == SL_OK) {
        sl_drawing *old = doc->drawing;
        sl_drawing_follow(fresh, old);
        doc->drawing = fresh;
        fresh = old;
    }
    sl_drawing_free(fresh);
    sl_unlock(doc->mutex);
    return s;
}

/* A batch of one operation. `fields` is taken, NULL for none; *ids, when wanted, is the answer. */
static sl_status apply(sl_doc *doc, const char *op, const char *id, sl_json *fields, sl_json **ids,
                       sl_error **err)
{
    bool create = strcmp(op, "create") == 0;
    sl_json *one = sl_json_object();
    sl_json *ops = sl_json_array();
    bool ok = sl_json_set_str(one, "op", op) && sl_json_set_str(one, "entity", "annotation") &&
              (!create || sl_json_set_str(one, "space", doc->space)) &&
              (id[0] == 0 || sl_json_set_str(one, "id", id));
    if (fields != NULL) {
        ok = sl_json_set(one, "fields", fields) && ok;
    }
    ok = sl_json_add(ops, one) && ok;
    if (!ok) {
        sl_json_free(ops);
        return sl_fail_nomem(err);
    }
    return sl_doc_apply(doc, ops, NULL, ids, err);
}

/* Makes the record; the core makes the id when the item has none. */
static sl_status create_record(sl_doc *doc, sl_item *item, sl_error **err)
{
    sl_json *fields = sl_item_to_fields(item);
    if (fields == NULL) {
        return sl_fail_nomem(err);
    }
    sl_json *answer = NULL;
    sl_status s = apply(doc, "create", item->id, fields, &answer, err);
    if (s == SL_OK && item->id[0] == 0) {
        const char *id = sl_json_text(sl_json_first(sl_json_get(answer, "ids")));
        if (sl_uuid_ok(id)) {
            memcpy(item->id, id, sizeof item->id);
        } else {
            s = sl_fail(err, SL_E_INTERNAL, "the core gave no id to the drawing");
        }
    }
    sl_json_free(answer);
    return s;
}

/* `item` is taken. Called locked. */
static sl_status add_item(sl_doc *doc, sl_item *item, sl_bytes **id, sl_error **err)
{
    sl_status s = SL_OK;
    size_t n = sl_drawing_count(doc->drawing);
    if (item->id[0] != 0 && sl_drawing_find(doc->drawing, item->id) != NULL) {
        s = sl_fail_field(err, SL_E_CONFLICT, "id", "there is an item with this id");
    } else if (n >= SL_DRAWING_ITEMS_MAX) {
        s = sl_fail(err, SL_E_LIMIT, "a video has at most %d drawings", SL_DRAWING_ITEMS_MAX);
    } else if (item->z[0] == 0) {
        const sl_item *top = n > 0 ? sl_drawing_at(doc->drawing, n - 1) : NULL;
        s = sl_z_between(top != NULL ? top->z : NULL, NULL, item->z, err);
    }
    if (s == SL_OK && doc->core != NULL) {
        s = create_record(doc, item, err);
    } else if (s == SL_OK) {
        if (item->id[0] == 0) {
            sl_doc_number(doc, item);
        }
    }
    sl_bytes *text = s == SL_OK && id != NULL ? sl_bytes_text(item->id) : NULL;
    if (s == SL_OK && id != NULL && text == NULL) {
        s = sl_fail_nomem(err);
    }
    if (s != SL_OK) {
        sl_item_free(item);
        return s;
    }
    s = sl_drawing_add(doc->drawing, item, err);
    if (s != SL_OK) {
        sl_bytes_release(text);
    } else if (id != NULL) {
        *id = text;
    }
    return s;
}

sl_status sl_doc_add(sl_doc *doc, const char *item, size_t n, sl_bytes **id, sl_error **err)
{
    sl_error_start(err);
    if (doc == NULL || item == NULL) {
        return misuse(err);
    }
    if (id != NULL) {
        *id = NULL;
    }
    sl_json *j = NULL;
    sl_item *parsed = NULL;
    sl_status s = sl_json_read(item, n, &j, err);
    s = s == SL_OK ? sl_item_from_json(j, &parsed, err) : s;
    sl_json_free(j);
    if (s != SL_OK) {
        return s;
    }
    sl_lock(doc->mutex);
    s = add_item(doc, parsed, id, err);
    sl_unlock(doc->mutex);
    return s;
}

static bool move_field(sl_json *to, const char *key, const sl_json *patch, const char *name,
                       const sl_json *fields)
{
    const sl_json *v = sl_json_get(patch, name) != NULL ? sl_json_get(fields, key) : NULL;
    return v == NULL || sl_json_set(to, key, sl_json_clone(v));
}

/* Those fields of the patched item that the patch names: the others may be newer elsewhere. */
static sl_json *patch_fields(const sl_json *patch, const sl_item *item)
{
    sl_json *fields = sl_item_to_fields(item);
    sl_json *out = sl_json_object();
    bool ok = fields != NULL && out != NULL && move_field(out, "style", patch, "style", fields) &&
              move_field(out, "t_in", patch, "in", fields) &&
              move_field(out, "t_out", patch, "out", fields) &&
              move_field(out, "fade", patch, "fade", fields) &&
              move_field(out, "z", patch, "z", fields);
    sl_json_free(fields);
    if (!ok) {
        sl_json_free(out);
        return NULL;
    }
    return out;
}

static sl_status patch_item(sl_doc *doc, const char *id, const sl_json *patch, sl_error **err)
{
    const sl_item *old = sl_drawing_find(doc->drawing, id);
    if (old == NULL) {
        return sl_fail(err, SL_E_NOT_FOUND, "there is no such item");
    }
    sl_item *item = sl_item_clone(old);
    if (item == NULL) {
        return sl_fail_nomem(err);
    }
    sl_status s = sl_item_patch(item, patch, err);
    if (s == SL_OK && doc->core != NULL) {
        sl_json *fields = patch_fields(patch, item);
        if (fields == NULL) {
            s = sl_fail_nomem(err);
        } else if (sl_json_first(fields) == NULL) {
            sl_json_free(fields); /* nothing of it is known here */
        } else {
            s = apply(doc, "patch", item->id, fields, NULL, err);
        }
    }
    if (s != SL_OK) {
        sl_item_free(item);
        return s;
    }
    return sl_drawing_replace(doc->drawing, item, err);
}

sl_status sl_doc_patch(sl_doc *doc, const char *id, const char *json, size_t n, sl_error **err)
{
    sl_error_start(err);
    if (doc == NULL || id == NULL || json == NULL) {
        return misuse(err);
    }
    sl_json *patch = NULL;
    sl_status s = sl_json_read(json, n, &patch, err);
    if (s == SL_OK) {
        sl_lock(doc->mutex);
        s = patch_item(doc, id, patch, err);
        sl_unlock(doc->mutex);
    }
    sl_json_free(patch);
    return s;
}

/* Puts the item, taken, in the place of what it was, in the core first: its style changed. */
static sl_status restyle(sl_doc *doc, sl_item *item, sl_error **err)
{
    sl_status s = SL_OK;
    if (doc->core != NULL) {
        sl_json *all = sl_item_to_fields(item);
        sl_json *fields = sl_json_object();
        if (all == NULL || fields == NULL ||
            !sl_json_set(fields, "style", sl_json_clone(sl_json_get(all, "style")))) {
            sl_json_free(fields);
            s = sl_fail_nomem(err);
        } else {
            s = apply(doc, "patch", item->id, fields, NULL, err);
        }
        sl_json_free(all);
    }
    if (s != SL_OK) {
        sl_item_free(item);
        return s;
    }
    return sl_drawing_replace(doc->drawing, item, err);
}

/* A copy to change; NULL: why is in *s. */
static sl_item *copy_to_edit(sl_doc *doc, const char *id, sl_status *s, sl_error **err)
{
    const sl_item *old = sl_drawing_find(doc->drawing, id);
    sl_item *item = old != NULL ? sl_item_clone(old) : NULL;
    *s = old == NULL    ? sl_fail(err, SL_E_NOT_FOUND, "there is no such item")
         : item == NULL ? sl_fail_nomem(err)
                        : SL_OK;
    return item;
}

sl_status sl_doc_drag(sl_doc *doc, const char *id, int64_t t_us, uint32_t handle, int32_t x,
                      int32_t y, sl_error **err)
{
    sl_error_start(err);
    if (doc == NULL || id == NULL) {
        return misuse(err);
    }
    sl_status s = SL_OK;
    sl_point to = {x, y};
    sl_lock(doc->mutex);
    sl_item *item = copy_to_edit(doc, id, &s, err);
    s = s == SL_OK ? sl_item_drag(item, t_us, handle, to, err) : s;
    if (s == SL_OK) {
        s = restyle(doc, item, err);
    } else {
        sl_item_free(item);
    }
    sl_unlock(doc->mutex);
    return s;
}

sl_status sl_doc_move(sl_doc *doc, const char *id, int32_t dx, int32_t dy, sl_error **err)
{
    sl_error_start(err);
    if (doc == NULL || id == NULL) {
        return misuse(err);
    }
    sl_status s = SL_OK;
    sl_lock(doc->mutex);
    sl_item *item = copy_to_edit(doc, id, &s, err);
    s = s == SL_OK ? sl_item_move(item, dx, dy, err) : s;
    if (s == SL_OK) {
        s = restyle(doc, item, err);
    } else {
        sl_item_free(item);
    }
    sl_unlock(doc->mutex);
    return s;
}

sl_status sl_doc_handles(sl_doc *doc, const char *id, int64_t t_us, sl_bytes **out, sl_error **err)
{
    sl_error_start(err);
    if (doc == NULL || id == NULL || out == NULL) {
        return misuse(err);
    }
    *out = NULL;
    sl_point handles[SL_EDIT_POINTS_MAX];
    uint32_t n = 0;
    sl_lock(doc->mutex);
    const sl_item *item = sl_drawing_find(doc->drawing, id);
    n = item != NULL ? sl_item_handles(item, t_us, handles, SL_EDIT_POINTS_MAX) : 0;
    sl_unlock(doc->mutex);
    if (n == 0) {
        return sl_fail(err, SL_E_NOT_FOUND, "there is no such item");
    }
    sl_json *j = sl_json_object();
    *out = sl_json_set(j, "handles", sl_points_write(handles, n)) ? sl_json_bytes(j) : NULL;
    sl_json_free(j);
    return *out != NULL ? SL_OK : sl_fail_nomem(err);
}

sl_status sl_doc_remove(sl_doc *doc, const char *id, sl_error **err)
{
    sl_error_start(err);
    if (doc == NULL || id == NULL) {
        return misuse(err);
    }
    sl_lock(doc->mutex);
    sl_status s = SL_OK;
    if (sl_drawing_find(doc->drawing, id) == NULL) {
        s = sl_fail(err, SL_E_NOT_FOUND, "there is no such item");
    } else if (doc->core != NULL) {
        s = apply(doc, "delete", id, NULL, NULL, err);
    }
    if (s == SL_OK) {
        (void)sl_drawing_remove(doc->drawing, id);
    }
    sl_unlock(doc->mutex);
    return s;
}

/* The place of a live stroke, of a free one for 0; NULL when there is none. */
static sl_live_stroke *stroke_place(sl_doc *doc, sl_id id)
{
    for (size_t i = 0; i < SL_DOC_STROKES_MAX; i++) {
        sl_live_stroke *place = &doc->strokes[i];
        if (id != 0 ? place->id == id && place->stroke != NULL : place->stroke == NULL) {
            return place;
        }
    }
    return NULL;
}

sl_status sl_doc_stroke_begin(sl_doc *doc, const char *item, size_t n, sl_id *stroke,
                              sl_error **err)
{
    sl_error_start(err);
    if (doc == NULL || item == NULL || stroke == NULL) {
        return misuse(err);
    }
    *stroke = 0;
    sl_json *j = NULL;
    sl_item *style = NULL;
    sl_status s = sl_json_read(item, n, &j, err);
    s = s == SL_OK ? sl_item_from_json_open(j, &style, err) : s;
    sl_json_free(j);
    if (s != SL_OK) {
        return s;
    }
    sl_lock(doc->mutex);
    sl_live_stroke *place = stroke_place(doc, 0);
    if (place == NULL) {
        sl_item_free(style);
        s = sl_fail(err, SL_E_LIMIT, "at most %d strokes are live at a time", SL_DOC_STROKES_MAX);
    } else {
        style->revision = UINT64_C(1) << 63 | (doc->last_stroke + 1); /* unlike any item kept */
        place->stroke = sl_stroke_new(style);
        place->id = ++doc->last_stroke;
        *stroke = place->stroke != NULL ? place->id : 0;
        s = place->stroke != NULL ? SL_OK : sl_fail_nomem(err);
    }
    sl_unlock(doc->mutex);
    return s;
}

sl_status sl_doc_stroke_points(sl_doc *doc, sl_id stroke, const float *xypt, uint32_t points)
{
    if (doc == NULL || (xypt == NULL && points > 0)) {
        return SL_E_MISUSE;
    }
    sl_lock(doc->mutex);
    sl_live_stroke *place = stroke != 0 ? stroke_place(doc, stroke) : NULL;
    sl_status s =
        place != NULL ? sl_stroke_points(place->stroke, xypt, points, NULL) : SL_E_NOT_FOUND;
    sl_unlock(doc->mutex);
    return s;
}

sl_status sl_doc_stroke_tilt(sl_doc *doc, sl_id stroke, double degrees)
{
    if (doc == NULL) {
        return SL_E_MISUSE;
    }
    sl_lock(doc->mutex);
    sl_live_stroke *place = stroke != 0 ? stroke_place(doc, stroke) : NULL;
    sl_status s =
        place != NULL ? sl_stroke_tilt(place->stroke, degrees, NULL) : (sl_status)SL_E_NOT_FOUND;
    sl_unlock(doc->mutex);
    return s;
}

sl_status sl_doc_stroke_end(sl_doc *doc, sl_id stroke, int32_t keep, sl_bytes **id, sl_error **err)
{
    sl_error_start(err);
    if (doc == NULL) {
        return misuse(err);
    }
    if (id != NULL) {
        *id = NULL;
    }
    sl_lock(doc->mutex);
    sl_live_stroke *place = stroke != 0 ? stroke_place(doc, stroke) : NULL;
    sl_status s = SL_OK;
    if (place == NULL) {
        s = sl_fail(err, SL_E_NOT_FOUND, "there is no such live stroke");
    } else if (keep == 0 || sl_stroke_is_laser(place->stroke)) {
        sl_stroke_free(place->stroke);
        place->stroke = NULL;
    } else {
        sl_item *item = NULL;
        sl_stroke *live = place->stroke;
        place->stroke = NULL;
        s = sl_stroke_finish(live, &item, err);
        s = s == SL_OK ? add_item(doc, item, id, err) : s;
    }
    sl_unlock(doc->mutex);
    return s;
}

sl_status sl_doc_hit(sl_doc *doc, int32_t x, int32_t y, int32_t radius, int64_t t_us, sl_bytes **id)
{
    if (doc == NULL || id == NULL) {
        return SL_E_MISUSE;
    }
    *id = NULL;
    sl_point at = {x, y};
    sl_status s = SL_OK;
    sl_lock(doc->mutex);
    const sl_item *item = sl_drawing_hit(doc->drawing, at, radius, t_us);
    if (item != NULL) {
        *id = sl_bytes_text(item->id);
        s = *id != NULL ? SL_OK : SL_E_NOMEM;
    }
    sl_unlock(doc->mutex);
    return s;
}

sl_status sl_doc_json(sl_doc *doc, sl_bytes **out, sl_error **err)
{
    sl_error_start(err);
    if (doc == NULL || out == NULL) {
        return misuse(err);
    }
    sl_lock(doc->mutex);
    sl_json *j = sl_drawing_json(doc->drawing);
    sl_unlock(doc->mutex);
    *out = j != NULL ? sl_json_bytes(j) : NULL;
    sl_json_free(j);
    return *out != NULL ? SL_OK : sl_fail_nomem(err);
}
