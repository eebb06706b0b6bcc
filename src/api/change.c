/* api/change.c - changes of a document: in the core first, when it has one, as one batch. */
#include "api/doc.h"
#include "base/error.h"
#include "base/mem.h"
#include "sideline/record.h"

#include <stdio.h>
#include <string.h>

sl_status sl_doc_apply(sl_doc *doc, sl_json *ops, const char *group, sl_json **answer,
                       sl_error **err)
{
    char *text = sl_json_print(ops);
    sl_json_free(ops);
    if (text == NULL) {
        return sl_fail_nomem(err);
    }
    group = group != NULL ? group : doc->group != NULL ? doc->group : "";
    sl_bytes *bytes = NULL;
    sl_status s = sl_apply_group(doc->core, group, text, strlen(text), &bytes, err);
    sl_mem_free(text);
    if (s == SL_OK && answer != NULL) {
        *answer = bytes != NULL
                      ? sl_json_parse((const char *)sl_bytes_data(bytes), sl_bytes_len(bytes))
                      : NULL;
    }
    sl_bytes_release(bytes);
    return s;
}

void sl_doc_number(sl_doc *doc, sl_item *item)
{
    while (item->id[0] == 0 || sl_drawing_find(doc->drawing, item->id) != NULL) {
        (void)snprintf(item->id, sizeof item->id, "00000000-0000-7000-8000-%012llx",
                       (unsigned long long)(++doc->made & 0xFFFFFFFFFFFFu));
    }
}

static bool add_create(sl_json *ops, const sl_doc *doc, const sl_item *item)
{
    sl_json *op = sl_json_object();
    sl_json *fields = sl_item_to_fields(item);
    bool ok = sl_json_set_str(op, "op", "create") && sl_json_set_str(op, "entity", "annotation") &&
              sl_json_set_str(op, "space", doc->space) &&
              (item->id[0] == 0 || sl_json_set_str(op, "id", item->id));
    ok = sl_json_set(op, "fields", fields) && ok;
    return sl_json_add(ops, op) && ok;
}

static bool add_delete(sl_json *ops, const char *id)
{
    sl_json *op = sl_json_object();
    bool ok = sl_json_set_str(op, "op", "delete") && sl_json_set_str(op, "entity", "annotation") &&
              sl_json_set_str(op, "id", id);
    return sl_json_add(ops, op) && ok;
}

/* Makes the records, and takes over the ids that the core gave. */
static sl_status in_core(sl_doc *doc, const sl_doc_change *c, sl_error **err)
{
    sl_json *ops = sl_json_array();
    bool ok = ops != NULL;
    for (size_t i = 0; ok && i < c->add_n; i++) {
        ok = add_create(ops, doc, c->add[i]);
    }
    for (size_t i = 0; ok && i < c->remove_n; i++) {
        ok = add_delete(ops, c->remove[i]);
    }
    if (!ok) {
        sl_json_free(ops);
        return sl_fail_nomem(err);
    }
    sl_json *answer = NULL;
    sl_status s = sl_doc_apply(doc, ops, c->group, &answer, err);
    const sl_json *id = sl_json_first(sl_json_get(answer, "ids"));
    for (size_t i = 0; s == SL_OK && i < c->add_n; i++, id = sl_json_next(id)) {
        const char *text = sl_json_text(id);
        if (!sl_uuid_ok(text)) {
            s = sl_fail(err, SL_E_INTERNAL, "the core gave no id to the drawing");
        } else {
            memcpy(c->add[i]->id, text, sizeof c->add[i]->id);
        }
    }
    sl_json_free(answer);
    return s;
}

static sl_status put_on_top(const sl_doc *doc, const sl_doc_change *c, sl_error **err)
{
    size_t n = sl_drawing_count(doc->drawing);
    const char *top = n > 0 ? sl_drawing_at(doc->drawing, n - 1)->z : NULL;
    sl_status s = SL_OK;
    for (size_t i = 0; s == SL_OK && i < c->add_n; i++) {
        if (c->add[i]->z[0] == 0) {
            s = sl_z_between(top, NULL, c->add[i]->z, err);
            top = c->add[i]->z;
        }
    }
    return s;
}

static sl_status check(const sl_doc *doc, const sl_doc_change *c, sl_error **err)
{
    if (c->add_n + c->remove_n > SL_DOC_BATCH_MAX) {
        return sl_fail(err, SL_E_LIMIT, "one step changes at most %d drawings", SL_DOC_BATCH_MAX);
    }
    if (sl_drawing_count(doc->drawing) + c->add_n > SL_DRAWING_ITEMS_MAX + c->remove_n) {
        return sl_fail(err, SL_E_LIMIT, "a video has at most %d drawings", SL_DRAWING_ITEMS_MAX);
    }
    return sl_drawing_reserve(doc->drawing, c->add_n) ? SL_OK : sl_fail_nomem(err);
}

sl_status sl_doc_carry_out(sl_doc *doc, const sl_doc_change *change, sl_json *made, sl_error **err)
{
    sl_status s = check(doc, change, err);
    s = s == SL_OK ? put_on_top(doc, change, err) : s;
    if (s == SL_OK && doc->core != NULL && change->add_n + change->remove_n > 0) {
        s = in_core(doc, change, err);
    }
    for (size_t i = 0; s == SL_OK && i < change->remove_n; i++) {
        (void)sl_drawing_remove(doc->drawing, change->remove[i]);
    }
    for (size_t i = 0; i < change->add_n; i++) {
        sl_item *item = change->add[i];
        change->add[i] = NULL;
        if (s != SL_OK) {
            sl_item_free(item);
            continue;
        }
        if (doc->core == NULL && item->id[0] == 0) {
            sl_doc_number(doc, item);
        }
        s = made == NULL || sl_json_add_str(made, item->id) ? s : sl_fail_nomem(err);
        sl_status added = sl_drawing_add(doc->drawing, item, err);
        s = s == SL_OK ? added : s;
    }
    return s;
}

sl_status sl_doc_group(sl_doc *doc, const char *name, sl_error **err)
{
    sl_error_start(err);
    if (doc == NULL) {
        return sl_fail(err, SL_E_MISUSE, "a required argument is NULL");
    }
    bool some = name != NULL && name[0] != 0;
    if (some && strlen(name) > 64) {
        return sl_fail(err, SL_E_INVALID, "the name of a group has at most 64 bytes");
    }
    char *copy = some ? sl_text_dup(name) : NULL;
    if (some && copy == NULL) {
        return sl_fail_nomem(err);
    }
    sl_lock(doc->mutex);
    sl_mem_free(doc->group);
    doc->group = copy;
    sl_unlock(doc->mutex);
    return SL_OK;
}
