#include "schema/record.h"

#include "base/error.h"
#include "base/mem.h"

#include <string.h>

enum {
    FIXED_CELLS = 6
};

void sl_record_free(sl_record *r)
{
    sl_json_free(r->fields);
    sl_json_free(r->clocks);
    sl_json_free(r->ext);
    memset(r, 0, sizeof *r);
}

sl_status sl_record_copy(sl_record *to, const sl_record *from)
{
    *to = *from;
    to->fields = from->fields != NULL ? sl_json_clone(from->fields) : NULL;
    to->clocks = from->clocks != NULL ? sl_json_clone(from->clocks) : NULL;
    to->ext = from->ext != NULL ? sl_json_clone(from->ext) : NULL;
    bool short_of = (from->fields != NULL && to->fields == NULL) ||
                    (from->clocks != NULL && to->clocks == NULL) ||
                    (from->ext != NULL && to->ext == NULL);
    if (short_of) {
        sl_record_free(to);
        return SL_E_NOMEM;
    }
    return SL_OK;
}

/* Copies the members of `from` into `to`, but for nulls. */
static bool add_members(sl_json *to, const sl_json *from)
{
    for (const sl_json *v = sl_json_first(from); v != NULL; v = sl_json_next(v)) {
        if (!sl_json_is_null(v) && !sl_json_set(to, sl_json_key(v), sl_json_clone(v))) {
            return false;
        }
    }
    return true;
}

sl_json *sl_record_to_wire(const sl_record *r)
{
    sl_json *j = sl_json_object();
    sl_json *fields = sl_json_object();
    bool ok = fields != NULL && add_members(fields, r->ext) && add_members(fields, r->fields);
    ok = j != NULL && sl_json_set_str(j, "entity", r->entity->name) &&
         sl_json_set_str(j, "id", r->id) && sl_json_set_str(j, "space", r->space) &&
         sl_json_set_int(j, "seq", r->seq) && ok;
    if (ok && r->deleted) {
        ok = sl_json_set_bool(j, "deleted", true);
    } else if (ok) {
        ok = sl_json_set(j, "fields", fields) && sl_json_set(j, "clocks", sl_json_clone(r->clocks));
        fields = NULL;
    }
    if (fields != NULL) {
        sl_json_free(fields);
    }
    if (!ok) {
        sl_json_free(j);
        return NULL;
    }
    return j;
}

/* Sorts a member of a record from outside into fields or ext. */
static sl_status take_field(sl_record *r, const sl_json *v, sl_error **err)
{
    const sl_field *f = sl_field_find(r->entity, sl_json_key(v));
    sl_status status = f != NULL ? sl_schema_check_value(f, v, NULL) : SL_OK;
    if (status == SL_E_NOMEM) {
        return sl_fail_nomem(err);
    }
    if (status != SL_OK) {
        f = NULL; /* a later version allows more than this one */
    }
    if (f == NULL && r->ext == NULL) {
        r->ext = sl_json_object();
    }
    sl_json *to = f != NULL ? r->fields : r->ext;
    return sl_json_set(to, sl_json_key(v), sl_json_clone(v)) ? SL_OK : sl_fail_nomem(err);
}

static sl_status start(sl_record *out, const sl_entity *e, const char *id, const char *space,
                       sl_error **err)
{
    memset(out, 0, sizeof *out);
    if (e == NULL || !sl_uuid_ok(id) || !sl_space_ok(space)) {
        return sl_fail(err, SL_E_INVALID, "not a record: entity, id or space is wrong");
    }
    out->entity = e;
    memcpy(out->id, id, sizeof out->id);
    memcpy(out->space, space, strlen(space) + 1);
    out->fields = sl_json_object();
    out->clocks = sl_json_object();
    if (out->fields == NULL || out->clocks == NULL) {
        sl_record_free(out);
        return sl_fail_nomem(err);
    }
    return SL_OK;
}

sl_status sl_record_from_wire(sl_record *out, const sl_json *j, sl_error **err)
{
    sl_status status = start(out, sl_entity_find(sl_json_str(j, "entity")), sl_json_str(j, "id"),
                             sl_json_str(j, "space"), err);
    if (status != SL_OK) {
        return status;
    }
    out->deleted = sl_json_bool_or(j, "deleted", false);
    out->seq = sl_json_int_or(j, "seq", 0);
    const sl_json *fields = sl_json_get(j, "fields");
    if (fields != NULL && !sl_json_is_object(fields)) {
        sl_record_free(out);
        return sl_fail(err, SL_E_INVALID, "not a record: its fields are not an object");
    }
    for (const sl_json *v = sl_json_first(fields); v != NULL && status == SL_OK;
         v = sl_json_next(v)) {
        status = take_field(out, v, err);
    }
    const sl_json *clocks = sl_json_get(j, "clocks");
    if (status == SL_OK && sl_json_is_object(clocks) && !add_members(out->clocks, clocks)) {
        status = sl_fail_nomem(err);
    }
    if (status != SL_OK) {
        sl_record_free(out);
    }
    return status;
}

sl_json *sl_record_to_public(const sl_record *r, bool pending)
{
    sl_json *j = sl_json_object();
    bool ok = j != NULL && sl_json_set_str(j, "id", r->id) &&
              sl_json_set_str(j, "entity", r->entity->name) &&
              sl_json_set_str(j, "space", r->space) && sl_json_set_int(j, "seq", r->seq) &&
              sl_json_set_bool(j, "pending", pending) && add_members(j, r->ext) &&
              add_members(j, r->fields);
    if (!ok) {
        sl_json_free(j);
        return NULL;
    }
    return j;
}

size_t sl_record_cell_count(const sl_entity *e)
{
    return FIXED_CELLS + e->field_count;
}

void sl_cells_free(sl_cell *cells, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        sl_mem_free(cells[i].text);
        cells[i] = (sl_cell){SL_CELL_NULL, 0, 0, NULL};
    }
}

static bool cell_text(sl_cell *c, const char *s)
{
    c->kind = SL_CELL_TEXT;
    c->text = s != NULL ? sl_text_dup(s) : NULL;
    return c->text != NULL;
}

static bool cell_json(sl_cell *c, const sl_json *j)
{
    c->kind = SL_CELL_TEXT;
    c->text = sl_json_print(j);
    return c->text != NULL;
}

static bool field_to_cell(sl_cell *c, const sl_field *f, const sl_json *v)
{
    if (v == NULL || sl_json_is_null(v)) {
        return true;
    }
    switch (f->type) {
    case SL_T_INT: *c = (sl_cell){SL_CELL_INT, (int64_t)sl_json_value(v), 0, NULL}; return true;
    case SL_T_BOOL: *c = (sl_cell){SL_CELL_INT, sl_json_truth(v) ? 1 : 0, 0, NULL}; return true;
    case SL_T_REAL: *c = (sl_cell){SL_CELL_REAL, 0, sl_json_value(v), NULL}; return true;
    case SL_T_JSON: return cell_json(c, v);
    case SL_T_TEXT:
    case SL_T_REF:
    case SL_T_BLOB:
    case SL_T_ENUM: return cell_text(c, sl_json_text(v));
    }
    return false;
}

sl_status sl_record_to_cells(const sl_record *r, sl_cell cells[SL_CELLS_MAX], sl_error **err)
{
    memset(cells, 0, SL_CELLS_MAX * sizeof *cells);
    SL_ASSERT(sl_record_cell_count(r->entity) <= SL_CELLS_MAX);
    bool ok = cell_text(&cells[0], r->id) && cell_text(&cells[1], r->space);
    cells[2] = (sl_cell){SL_CELL_INT, r->seq, 0, NULL};
    cells[3] = (sl_cell){SL_CELL_INT, r->deleted ? 1 : 0, 0, NULL};
    ok = ok && cell_json(&cells[4], r->clocks) && (r->ext == NULL || cell_json(&cells[5], r->ext));
    for (size_t i = 0; ok && i < r->entity->field_count; i++) {
        const sl_field *f = &r->entity->fields[i];
        ok = field_to_cell(&cells[FIXED_CELLS + i], f, sl_json_get(r->fields, f->name));
    }
    if (!ok) {
        sl_cells_free(cells, SL_CELLS_MAX);
        return sl_fail_nomem(err);
    }
    return SL_OK;
}

static sl_json *field_from_cell(const sl_field *f, const sl_cell *c)
{
    if (c->kind == SL_CELL_INT) {
        if (f->type == SL_T_BOOL) {
            sl_json *holder = sl_json_parse(c->i != 0 ? "true" : "false", c->i != 0 ? 4 : 5);
            return holder;
        }
        return sl_json_number((double)c->i);
    }
    if (c->kind == SL_CELL_REAL) {
        return sl_json_number(c->r);
    }
    return f->type == SL_T_JSON ? sl_json_parse(c->text, strlen(c->text)) : sl_json_string(c->text);
}

static sl_json *json_cell(const sl_cell *c)
{
    return c->kind == SL_CELL_TEXT ? sl_json_parse(c->text, strlen(c->text)) : NULL;
}

sl_status sl_record_from_cells(sl_record *out, const sl_entity *e, const sl_cell *cells,
                               sl_error **err)
{
    sl_status status = start(out, e, cells[0].text, cells[1].text, err);
    if (status != SL_OK) {
        return status;
    }
    out->seq = cells[2].i;
    out->deleted = cells[3].i != 0;
    sl_json_free(out->clocks);
    out->clocks = json_cell(&cells[4]);
    out->ext = cells[5].kind == SL_CELL_TEXT ? json_cell(&cells[5]) : NULL;
    bool ok = sl_json_is_object(out->clocks);
    for (size_t i = 0; ok && i < e->field_count; i++) {
        const sl_cell *c = &cells[FIXED_CELLS + i];
        if (c->kind != SL_CELL_NULL) {
            ok = sl_json_set(out->fields, e->fields[i].name, field_from_cell(&e->fields[i], c));
        }
    }
    if (!ok) {
        sl_record_free(out);
        return sl_fail(err, SL_E_CORRUPT, "a stored %s record cannot be read", e->name);
    }
    return SL_OK;
}
