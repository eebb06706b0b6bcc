/* annotation/style.h - what of an item can change: its style, edits and keyframes, as JSON. */
#ifndef SL_ANNOTATION_STYLE_H
#define SL_ANNOTATION_STYLE_H

#include "annotation/item.h"

typedef enum sl_member_type {
    SL_MEMBER_WHOLE, /* a number, rounded */
    SL_MEMBER_MILLI, /* a number, kept in thousandths */
    SL_MEMBER_FLAG,
    SL_MEMBER_COLOR, /* "#RRGGBB"; none is -1 where the default is */
    SL_MEMBER_DASH   /* solid, dashes or dots */
} sl_member_type;

typedef struct sl_member {
    const char *name;
    sl_member_type type;
    bool always;
    uint16_t at; /* in sl_style */
    int32_t min;
    int32_t max;
    int32_t otherwise;
} sl_member;

/* All but "unit", "layer" and the edits. */
const sl_member *sl_style_members(size_t *n);

void sl_style_defaults(sl_style *style);
/* Takes the members that are there into the item; null takes one back to its default. Members that
 * are not known here are kept in item->extra. */
sl_status sl_style_read(const sl_json *j, sl_item *item, sl_error **err);
/* NULL when out of memory. Members at their default are left out, but the four every item has. */
sl_json *sl_style_write(const sl_item *item);
sl_status sl_style_check(const sl_item *item, sl_error **err);

/* The edits' part of it (annotation/edit.c). */
sl_status sl_edits_read(const sl_json *j, sl_item *item, sl_error **err);
bool sl_edits_write(sl_json *j, const sl_item *item);
sl_status sl_edits_check(const sl_item *item, sl_error **err);
void sl_edits_clear(sl_item *item);
/* Copies from's edits and keyframes into an item that has none; false: out of memory. */
bool sl_edits_copy(sl_item *item, const sl_item *from);
bool sl_edits_known(const char *member);

/* [[x,y],..] of at most `max`; *points is NULL on failure. */
sl_status sl_points_read(const sl_json *array, size_t max, sl_point **points, uint32_t *n,
                         sl_error **err);
sl_json *sl_points_write(const sl_point *points, uint32_t n);

#endif
