/*
 * annotation_fuzz - geometry bytes, items as JSON and as the fields of a record.
 *
 * What is accepted obeys every limit and comes back from its own output as it was.
 */
#include "annotation/codec.h"
#include "annotation/stroke.h"
#include "base/error.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_bytes(const uint8_t *data, size_t size)
{
    sl_geometry geo;
    size_t used = 0;
    if (sl_geometry_decode(data, size, &used, &geo, NULL) != SL_OK) {
        return;
    }
    sl_buf again = {0};
    SL_ASSERT(sl_geometry_check(&geo, NULL) == SL_OK);
    sl_geometry_encode(&again, &geo);
    if (data[0] == SL_GEOMETRY_VERSION ||
        (data[0] == SL_GEOMETRY_PLAIN && geo.n < SL_GEOMETRY_SECTIONS_FROM)) {
        SL_ASSERT(again.failed || (again.len == used && memcmp(again.data, data, used) == 0));
    } else if (!again.failed) { /* from before */
        sl_geometry back;
        SL_ASSERT(sl_geometry_decode(again.data, again.len, NULL, &back, NULL) == SL_OK);
        SL_ASSERT(memcmp(back.points, geo.points, geo.n * sizeof *geo.points) == 0);
        sl_geometry_clear(&back);
    }
    (void)sl_stroke_simplify(&geo);
    SL_ASSERT(sl_geometry_check(&geo, NULL) == SL_OK);
    sl_buf_free(&again);
    sl_geometry_clear(&geo);
}

static void check_item(sl_item *item)
{
    SL_ASSERT(sl_item_check(item, NULL) == SL_OK);
    sl_json *fields = sl_item_to_fields(item);
    sl_item *back = NULL;
    if (fields != NULL) {
        SL_ASSERT(sl_item_from_fields(fields, NULL, &back, NULL) == SL_OK);
        sl_json *again = sl_item_to_fields(back);
        SL_ASSERT(again == NULL || sl_json_equal(fields, again));
        sl_json_free(again);
    }
    sl_box box = sl_item_bounds(item);
    SL_ASSERT(box.x0 < box.x1 && box.y0 < box.y1);
    (void)sl_item_hit(item, box.x0, box.y0, 100);
    (void)sl_item_hit_at(item, item->t_in, (sl_point){box.x0, box.y0}, 100);
    if (sl_item_move(item, 5, -5, NULL) == SL_OK &&
        sl_item_drag(item, item->t_in, 0, (sl_point){7, 7}, NULL) == SL_OK) {
        SL_ASSERT(sl_item_check(item, NULL) == SL_OK);
        box = sl_item_reach(item);
        SL_ASSERT(box.x0 < box.x1 && box.y0 < box.y1);
    }
    (void)sl_item_opacity_at(item, item->t_in);
    sl_json_free(fields);
    sl_item_free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_bytes(data, size);
    sl_json *j = sl_json_parse((const char *)data, size);
    sl_item *item = NULL;
    if (j != NULL && sl_item_from_json(j, &item, NULL) == SL_OK) {
        check_item(item);
        sl_item_free(item);
    }
    if (j != NULL && sl_item_from_fields(j, NULL, &item, NULL) == SL_OK) {
        check_item(item);
        (void)sl_item_patch(item, j, NULL);
        check_item(item);
        sl_item_free(item);
    }
    sl_json_free(j);
    return 0;
}
