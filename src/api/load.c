/* api/load.c - the drawings that a core holds. */
#include "api/doc.h"
#include "base/error.h"
#include "base/mem.h"
#include "sideline/record.h"

#include <string.h>

enum {
    PAGE = 5000 /* records of one query */
};

/* An item that this version cannot read must not hide the others: it is left out. */
static sl_status add_record(sl_drawing *drawing, const sl_json *record, sl_error **err)
{
    sl_item *item = NULL;
    sl_error *why = NULL;
    sl_status s = sl_item_from_fields(record, sl_json_str(record, "id"), &item, &why);
    s = s == SL_OK ? sl_drawing_add(drawing, item, &why) : s;
    sl_error_release(why);
    return s == SL_E_NOMEM ? sl_fail_nomem(err) : SL_OK;
}

/* The page after an id, "" for the first. */
static char *query_text(const char *space, const char *after)
{
    sl_json *query = sl_json_object();
    sl_json *where = sl_json_object();
    sl_json *order = sl_json_array();
    sl_json *from = after[0] != 0 ? sl_json_object() : NULL;
    bool ok = sl_json_set_str(query, "from", "annotation");
    ok = sl_json_set_str(where, "space", space) && ok;
    ok = sl_json_set(query, "where", where) && ok;
    ok = sl_json_add_str(order, "id") && ok;
    ok = sl_json_set(query, "order", order) && ok;
    ok = sl_json_set_int(query, "limit", PAGE) && ok;
    if (after[0] != 0) {
        ok = sl_json_set_str(from, "id", after) && ok;
        ok = sl_json_set(query, "after", from) && ok;
    }
    char *text = ok ? sl_json_print(query) : NULL;
    sl_json_free(query);
    return text;
}

static sl_status read_page(sl_core *core, const char *space, const char *after, sl_json **out,
                           sl_error **err)
{
    char *query = query_text(space, after);
    if (query == NULL) {
        return sl_fail_nomem(err);
    }
    sl_bytes *bytes = NULL;
    sl_status s = sl_query_once(core, query, strlen(query), &bytes, err);
    sl_mem_free(query);
    if (s != SL_OK) {
        return s;
    }
    *out = sl_json_parse((const char *)sl_bytes_data(bytes), sl_bytes_len(bytes));
    sl_bytes_release(bytes);
    return *out != NULL ? SL_OK : sl_fail_nomem(err);
}

sl_status sl_drawing_load(sl_core *core, const char *space, sl_drawing *into, sl_error **err)
{
    char after[SL_UUID_LEN + 1] = "";
    for (;;) {
        sl_json *page = NULL;
        size_t n = 0;
        sl_status s = read_page(core, space, after, &page, err);
        const sl_json *r = sl_json_first(page);
        for (; s == SL_OK && r != NULL; r = sl_json_next(r), n++) {
            const char *id = sl_json_str(r, "id");
            s = add_record(into, r, err);
            if (sl_uuid_ok(id)) {
                memcpy(after, id, sizeof after);
            }
        }
        sl_json_free(page);
        if (s != SL_OK || n < PAGE) {
            return s;
        }
    }
}
