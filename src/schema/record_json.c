/* Records as JSON: on the wire that people read, and as the public calls give them. */
#include "base/error.h"
#include "base/mem.h"
#include "schema/record.h"

#include <string.h>

/* --- out ------------------------------------------------------------------------------------- */

void sl_cell_put_json(sl_buf *out, const sl_field *f, const sl_cell *v)
{
    switch (v->kind) {
    case SL_CELL_NULL: sl_buf_put(out, "null", 4); break;
    case SL_CELL_INT:
        if (f->type == SL_T_BOOL) {
            sl_buf_str(out, v->i != 0 ? "true" : "false");
        } else {
            sl_json_put_int(out, v->i);
        }
        break;
    case SL_CELL_REAL: sl_json_put_real(out, v->r); break;
    case SL_CELL_TEXT:
        if (f->type == SL_T_JSON) {
            sl_buf_put(out, v->text, v->len);
        } else {
            sl_json_put_text(out, v->text, v->len);
        }
        break;
    case SL_CELL_BLOB:
        SL_ASSERT(v->kind != SL_CELL_BLOB);
        break; /* no field holds bytes in memory */
    }
}

static void put_key(sl_buf *out, const char *name, bool *first)
{
    sl_buf_put(out, *first ? "\"" : ",\"", *first ? 1 : 2);
    sl_buf_str(out, name);
    sl_buf_put(out, "\":", 2);
    *first = false;
}

/* Those known by number alone mean nothing here. */
static void put_ext(sl_buf *out, const char *text, size_t n, bool *first)
{
    sl_json *ext = sl_json_parse(text, n);
    out->failed = out->failed || ext == NULL;
    for (const sl_json *v = sl_json_first(ext); v != NULL; v = sl_json_next(v)) {
        if (sl_json_key(v)[0] != '#') {
            char *value = sl_json_print(v);
            sl_buf_put(out, ",", *first ? 0 : 1);
            sl_json_put_text(out, sl_json_key(v), strlen(sl_json_key(v)));
            sl_buf_u8(out, ':');
            sl_buf_str(out, value != NULL ? value : "");
            out->failed = out->failed || value == NULL;
            sl_mem_free(value);
            *first = false;
        }
    }
    sl_json_free(ext);
}

void sl_ext_put_public(sl_buf *out, const char *ext, size_t n)
{
    bool first = false;
    put_ext(out, ext, n, &first);
}

static void put_values(sl_buf *out, const sl_record *r, bool first)
{
    if (r->ext != NULL) {
        put_ext(out, r->ext, strlen(r->ext), &first);
    }
    for (size_t i = 0; i < r->entity->field_count; i++) {
        if (r->values[i].kind != SL_CELL_NULL) {
            put_key(out, r->entity->fields[i].name, &first);
            sl_cell_put_json(out, &r->entity->fields[i], &r->values[i]);
        }
    }
}

static void put_stamp(sl_buf *out, sl_hlc h)
{
    char text[SL_HLC_LEN + 1];
    sl_hlc_print(text, h);
    sl_json_put_text(out, text, SL_HLC_LEN);
}

static void put_clocks(sl_buf *out, const sl_record *r)
{
    bool first = true;
    if (r->birth.time != 0) {
        put_key(out, "*", &first);
        put_stamp(out, r->birth);
    }
    for (size_t i = 0; r->clocks != NULL && i < r->entity->field_count; i++) {
        const sl_clock *c = &r->clocks[i];
        if (c->marks != NULL || c->at.time != 0) {
            put_key(out, r->entity->fields[i].name, &first);
            if (c->marks != NULL) {
                sl_buf_str(out, c->marks);
            } else {
                put_stamp(out, c->at);
            }
        }
    }
}

void sl_record_put_wire(sl_buf *out, const sl_record *r)
{
    sl_buf_str(out, "{\"entity\":\"");
    sl_buf_str(out, r->entity->name);
    sl_buf_str(out, "\",\"id\":\"");
    sl_buf_put(out, r->id, SL_UUID_LEN);
    sl_buf_str(out, "\",\"space\":\"");
    sl_buf_str(out, r->space);
    sl_buf_str(out, "\",\"seq\":");
    sl_json_put_int(out, r->seq);
    if (r->deleted) {
        sl_buf_str(out, ",\"deleted\":true}");
        return;
    }
    sl_buf_str(out, ",\"fields\":{");
    put_values(out, r, true);
    sl_buf_str(out, "},\"clocks\":{");
    put_clocks(out, r);
    sl_buf_str(out, "}}");
}

void sl_record_put_public(sl_buf *out, const sl_record *r, bool pending)
{
    sl_buf_str(out, "{\"id\":\"");
    sl_buf_put(out, r->id, SL_UUID_LEN);
    sl_buf_str(out, "\",\"entity\":\"");
    sl_buf_str(out, r->entity->name);
    sl_buf_str(out, "\",\"space\":\"");
    sl_buf_str(out, r->space);
    sl_buf_str(out, "\",\"seq\":");
    sl_json_put_int(out, r->seq);
    sl_buf_str(out, pending ? ",\"pending\":true" : ",\"pending\":false");
    put_values(out, r, false);
    sl_buf_u8(out, '}');
}

/* --- in -------------------------------------------------------------------------------------- */

static sl_status wrong_type(const sl_field *f, const char *type, sl_error **err)
{
    return sl_fail_field(err, SL_E_INVALID, f->name, "%s must be %s", f->name, type);
}

static sl_status keep_text(sl_cell *out, const char *text, sl_arena *mem, sl_error **err)
{
    *out = sl_cell_text(text);
    return sl_cell_keep(out, mem) ? SL_OK : sl_fail_nomem(err);
}

static sl_status number_from_json(sl_cell *out, const sl_field *f, const sl_json *j, sl_error **err)
{
    if (!sl_json_is_number(j)) {
        return wrong_type(f, "a number", err);
    }
    if (f->type == SL_T_REAL) {
        *out = sl_cell_real(sl_json_value(j));
        return SL_OK;
    }
    if (!sl_json_is_int(j)) {
        return wrong_type(f, "a whole number", err);
    }
    *out = sl_cell_int((int64_t)sl_json_value(j));
    return SL_OK;
}

sl_status sl_cell_from_json(sl_cell *out, const sl_field *f, const sl_json *j, sl_arena *mem,
                            sl_error **err)
{
    *out = sl_cell_text(NULL);
    if (sl_json_is_null(j)) {
        return SL_OK;
    }
    switch (f->type) {
    case SL_T_TEXT:
    case SL_T_REF:
    case SL_T_BLOB:
    case SL_T_ENUM:
        return sl_json_is_string(j) ? keep_text(out, sl_json_text(j), mem, err)
                                    : wrong_type(f, "text", err);
    case SL_T_INT:
    case SL_T_REAL: return number_from_json(out, f, j, err);
    case SL_T_BOOL:
        *out = sl_cell_int(sl_json_truth(j) ? 1 : 0);
        return sl_json_is_bool(j) ? SL_OK : wrong_type(f, "true or false", err);
    case SL_T_JSON: break;
    }
    if (!sl_json_is_object(j) && !sl_json_is_array(j)) {
        return wrong_type(f, "an object or array", err);
    }
    sl_buf text = {0};
    sl_json_put(&text, j);
    sl_status status =
        text.failed ? sl_fail_nomem(err) : keep_text(out, sl_buf_text(&text), mem, err);
    sl_buf_free(&text);
    return status;
}

/* Sorts a member of a record from outside into values or ext. */
static sl_status take_field(sl_record *r, const sl_json *v, sl_error **err)
{
    const sl_field *f = sl_field_find(r->entity, sl_json_key(v));
    sl_cell cell = {.kind = SL_CELL_NULL};
    sl_status status = f != NULL ? sl_cell_from_json(&cell, f, v, &r->mem, NULL) : SL_E_INVALID;
    if (status == SL_OK && cell.kind != SL_CELL_NULL) {
        status = sl_schema_check_value(f, &cell, NULL);
    }
    if (status == SL_E_NOMEM) {
        return sl_fail_nomem(err);
    }
    if (status != SL_OK) { /* a later version allows more than this one */
        return sl_record_set_ext(r, sl_json_key(v), v, err);
    }
    r->values[f->index] = cell;
    return SL_OK;
}

static sl_status take_clock(sl_record *r, const sl_json *v, sl_error **err)
{
    const char *name = sl_json_key(v);
    sl_hlc stamp;
    bool is_stamp = sl_hlc_parse(&stamp, sl_json_text(v));
    if (strcmp(name, "*") == 0) {
        r->birth = is_stamp ? stamp : r->birth;
        return SL_OK;
    }
    const sl_field *f = sl_field_find(r->entity, name);
    bool marks = f != NULL && (f->merge == SL_M_SET || f->merge == SL_M_COUNTER);
    if (f == NULL || (marks ? !sl_json_is_object(v) : !is_stamp)) {
        return SL_OK;
    }
    sl_clock *clock = sl_record_clock(r, f);
    if (clock == NULL) {
        return sl_fail_nomem(err);
    }
    if (!marks) {
        clock->at = stamp;
        return SL_OK;
    }
    char *text = sl_json_print(v);
    clock->marks = text != NULL ? sl_arena_text(&r->mem, text, strlen(text)) : NULL;
    sl_mem_free(text);
    return clock->marks != NULL ? SL_OK : sl_fail_nomem(err);
}

sl_status sl_record_from_wire(sl_record *r, const sl_json *j, sl_error **err)
{
    sl_status status = sl_record_make(r, sl_entity_find(sl_json_str(j, "entity")),
                                      sl_json_str(j, "id"), sl_json_str(j, "space"), err);
    if (status != SL_OK) {
        return status;
    }
    r->deleted = sl_json_bool_or(j, "deleted", false);
    r->seq = sl_json_int_or(j, "seq", 0);
    const sl_json *fields = sl_json_get(j, "fields");
    const sl_json *clocks = sl_json_get(j, "clocks");
    if (fields != NULL && !sl_json_is_object(fields)) {
        status = sl_fail(err, SL_E_INVALID, "not a record: its fields are not an object");
    }
    for (const sl_json *v = sl_json_first(fields); v != NULL && status == SL_OK;
         v = sl_json_next(v)) {
        status = take_field(r, v, err);
    }
    bool known = status == SL_OK && sl_json_is_object(clocks);
    for (const sl_json *v = known ? sl_json_first(clocks) : NULL; v != NULL && status == SL_OK;
         v = sl_json_next(v)) {
        status = take_clock(r, v, err);
    }
    if (status != SL_OK) {
        sl_record_free(r);
    }
    return status;
}
