/* make.h - items for tests, from JSON written with ' for ". */
#ifndef SL_TESTS_ANNOTATION_MAKE_H
#define SL_TESTS_ANNOTATION_MAKE_H

#include "annotation/item.h"
#include "base/error.h"
#include "base/mem.h"
#include "support.h"

#include <string.h>

static inline sl_json *json_of(const char *text)
{
    char *copy = sl_text_dup(text);
    ck_assert_ptr_nonnull(copy);
    for (char *c = copy; *c != 0; c++) {
        *c = *c == '\'' ? '"' : *c;
    }
    sl_json *j = sl_json_parse(copy, strlen(copy));
    ck_assert_msg(j != NULL, "test JSON does not parse: %s", text);
    sl_mem_free(copy);
    return j;
}

static inline sl_item *item_of(const char *text)
{
    sl_json *j = json_of(text);
    sl_item *item = NULL;
    sl_error *err = NULL;
    sl_status s = sl_item_from_json(j, &item, &err);
    ck_assert_msg(s == SL_OK, "%s: %s", text, sl_error_message(err));
    sl_json_free(j);
    return item;
}

/* The item is refused, naming the field. */
static inline void refuse_item(const char *text, const char *field)
{
    sl_json *j = json_of(text);
    sl_item *item = NULL;
    sl_error *err = NULL;
    ck_assert_int_eq(sl_item_from_json(j, &item, &err), SL_E_INVALID);
    ck_assert_ptr_null(item);
    ck_assert_msg(sl_error_field(err) != NULL && strcmp(sl_error_field(err), field) == 0,
                  "%s: field %s, not %s", text, sl_error_field(err), field);
    sl_error_release(err);
    sl_json_free(j);
}

#endif
