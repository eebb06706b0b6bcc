#include "schema/record.h"

#include "base/error.h"
#include "base/mem.h"

#include <string.h>

sl_status sl_record_make(sl_record *r, const sl_entity *e, const char *id, const char *space,
                         sl_error **err)
{
    sl_arena mem = r->mem;
    char own_id[SL_UUID_LEN + 1] = "";
    char own_space[SL_SPACE_MAX] = "";
    bool ok = e != NULL && sl_uuid_ok(id) && sl_space_ok(space);
    if (ok) { /* they may be those of the record that makes room */
        memcpy(own_id, id, sizeof own_id);
        memcpy(own_space, space, strlen(space) + 1);
    }
    sl_arena_clear(&mem);
    memset(r, 0, sizeof *r);
    r->mem = mem;
    if (!ok) {
        return sl_fail(err, SL_E_INVALID, "not a record: entity, id or space is wrong");
    }
    size_t size = e->field_count * sizeof *r->values;
    r->values = sl_arena_take(&r->mem, size);
    if (r->values == NULL) {
        return sl_fail_nomem(err);
    }
    memset(r->values, 0, size);
    r->entity = e;
    memcpy(r->id, own_id, sizeof r->id);
    memcpy(r->space, own_space, sizeof r->space);
    return SL_OK;
}

void sl_record_free(sl_record *r)
{
    sl_arena_free(&r->mem);
    memset(r, 0, sizeof *r);
}

static bool copy_clocks(sl_record *to, const sl_record *from)
{
    if (from->clocks == NULL) {
        return true;
    }
    size_t n = from->entity->field_count;
    to->clocks = sl_arena_take(&to->mem, n * sizeof *to->clocks);
    bool ok = to->clocks != NULL;
    for (size_t i = 0; ok && i < n; i++) {
        to->clocks[i] = from->clocks[i];
        if (from->clocks[i].marks != NULL) {
            const char *marks = from->clocks[i].marks;
            to->clocks[i].marks = sl_arena_text(&to->mem, marks, strlen(marks));
            ok = to->clocks[i].marks != NULL;
        }
    }
    return ok;
}

sl_status sl_record_copy(sl_record *to, const sl_record *from)
{
    if (from->entity == NULL) {
        sl_record_free(to);
        return SL_OK;
    }
    sl_status status = sl_record_make(to, from->entity, from->id, from->space, NULL);
    bool ok = status == SL_OK && copy_clocks(to, from);
    for (size_t i = 0; ok && i < from->entity->field_count; i++) {
        to->values[i] = from->values[i];
        ok = sl_cell_keep(&to->values[i], &to->mem);
    }
    if (ok && from->ext != NULL) {
        to->ext = sl_arena_text(&to->mem, from->ext, strlen(from->ext));
        ok = to->ext != NULL;
    }
    if (!ok) {
        sl_record_free(to);
        return SL_E_NOMEM;
    }
    to->seq = from->seq;
    to->deleted = from->deleted;
    to->birth = from->birth;
    return SL_OK;
}

void sl_record_bury(sl_record *r)
{
    memset(r->values, 0, r->entity->field_count * sizeof *r->values);
    r->clocks = NULL;
    r->ext = NULL;
    r->birth = (sl_hlc){0, 0};
    r->deleted = true;
}

const sl_cell *sl_record_cell(const sl_record *r, const char *field)
{
    static const sl_cell none = {.kind = SL_CELL_NULL};
    const sl_field *f = sl_field_find(r->entity, field);
    SL_ASSERT(f != NULL);
    return f != NULL ? &r->values[f->index] : &none;
}

const char *sl_record_text(const sl_record *r, const char *field)
{
    return sl_cell_str(sl_record_cell(r, field));
}

int64_t sl_record_int(const sl_record *r, const char *field, int64_t otherwise)
{
    return sl_cell_int_or(sl_record_cell(r, field), otherwise);
}

sl_clock *sl_record_clock(sl_record *r, const sl_field *f)
{
    if (r->clocks == NULL) {
        size_t size = r->entity->field_count * sizeof *r->clocks;
        r->clocks = sl_arena_take(&r->mem, size);
        if (r->clocks == NULL) {
            return NULL;
        }
        memset(r->clocks, 0, size);
    }
    return &r->clocks[f->index];
}

sl_hlc sl_record_written(const sl_record *r, const sl_field *f)
{
    return r->clocks != NULL && r->clocks[f->index].at.time != 0 ? r->clocks[f->index].at
                                                                 : r->birth;
}

/* *ext becomes the text of the object, NULL when it is empty. Takes it. */
static sl_status put_ext(sl_record *r, sl_json *ext, sl_error **err)
{
    char *text = ext != NULL ? sl_json_print(ext) : NULL;
    bool empty = sl_json_count(ext) == 0;
    sl_json_free(ext);
    r->ext = text != NULL && !empty ? sl_arena_text(&r->mem, text, strlen(text)) : NULL;
    bool ok = text != NULL && (empty || r->ext != NULL);
    sl_mem_free(text);
    return ok ? SL_OK : sl_fail_nomem(err);
}

sl_status sl_record_set_ext(sl_record *r, const char *name, const sl_json *v, sl_error **err)
{
    sl_json *ext = r->ext != NULL ? sl_json_parse(r->ext, strlen(r->ext)) : sl_json_object();
    if (ext == NULL || !sl_json_set(ext, name, sl_json_clone(v))) {
        sl_json_free(ext);
        return sl_fail_nomem(err);
    }
    return put_ext(r, ext, err);
}

static sl_status take_from_ext(sl_record *r, const char *name, sl_error **err)
{
    if (r->ext == NULL) {
        return SL_OK;
    }
    sl_json *ext = sl_json_parse(r->ext, strlen(r->ext));
    if (ext != NULL) {
        sl_json_remove(ext, name);
    }
    return put_ext(r, ext, err);
}

sl_status sl_record_set(sl_record *r, const sl_field *f, const sl_cell *v, sl_error **err)
{
    sl_cell copy = *v;
    if (!sl_cell_keep(&copy, &r->mem)) {
        return sl_fail_nomem(err);
    }
    r->values[f->index] = copy;
    return take_from_ext(r, f->name, err);
}
