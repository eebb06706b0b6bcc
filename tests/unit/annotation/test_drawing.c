#include "make.h"

#include "annotation/codec.h"
#include "annotation/drawing.h"
#include "base/prng.h"

#include <stdio.h>

static sl_item *line(int number, const char *z)
{
    sl_item *item = item_of("{'kind':'line','points':[[0,0],[1000,1000]],'in':0,'out':100}");
    (void)snprintf(item->id, sizeof item->id, "00000000-0000-7000-8000-%012d", number);
    (void)snprintf(item->z, sizeof item->z, "%s", z);
    return item;
}

static void check_order(const sl_drawing *d)
{
    for (size_t i = 1; i < sl_drawing_count(d); i++) {
        const sl_item *a = sl_drawing_at(d, i - 1);
        const sl_item *b = sl_drawing_at(d, i);
        int z = strcmp(a->z, b->z);
        ck_assert(z < 0 || (z == 0 && strcmp(a->id, b->id) < 0));
    }
}

START_TEST(drawing__items_are_in_order_of_z_then_id_whatever_the_order_of_arrival)
{
    sl_prng r;
    sl_prng_seed(&r, 11);
    sl_drawing *d = sl_drawing_new(1920, 1080);
    static const char *const keys[] = {"V", "a", "a1", "B", ""};
    for (int i = 0; i < 200; i++) {
        sl_item *item = line((i * 77) % 200, keys[sl_prng_below(&r, 5)]);
        ck_assert_int_eq(sl_drawing_add(d, item, NULL), SL_OK);
    }
    ck_assert_uint_eq(sl_drawing_count(d), 200);
    check_order(d);
    ck_assert_int_eq(sl_drawing_add(d, line(5, "V"), NULL), SL_E_CONFLICT);
    sl_item *nameless = line(0, "V");
    nameless->id[0] = 0;
    ck_assert_int_eq(sl_drawing_add(d, nameless, NULL), SL_E_INVALID);
    for (int i = 0; i < 200; i += 2) {
        sl_item *key = line(i, "V");
        ck_assert_ptr_nonnull(sl_drawing_find(d, key->id));
        ck_assert(sl_drawing_remove(d, key->id));
        ck_assert(!sl_drawing_remove(d, key->id));
        sl_item_free(key);
    }
    ck_assert_uint_eq(sl_drawing_count(d), 100);
    check_order(d);
    ck_assert_ptr_null(sl_drawing_at(d, 100));
    sl_drawing_free(d);
}
END_TEST

START_TEST(drawing__a_hit_is_the_topmost_item_of_that_time)
{
    sl_drawing *d = sl_drawing_new(1920, 1080);
    sl_item *under = line(2, "B");
    sl_item *over = line(1, "C");
    over->t_out = 50;
    ck_assert_int_eq(sl_drawing_add(d, over, NULL), SL_OK);
    ck_assert_int_eq(sl_drawing_add(d, under, NULL), SL_OK);
    sl_point at = {500, 500};
    sl_point away = {500, 5000};
    ck_assert_ptr_eq(sl_drawing_hit(d, at, 10, 0), over);
    ck_assert_ptr_eq(sl_drawing_hit(d, at, 10, 50), under);
    ck_assert_ptr_null(sl_drawing_hit(d, at, 10, 100));
    ck_assert_ptr_null(sl_drawing_hit(d, away, 10, 0));
    sl_item *lowered = sl_item_clone(over);
    (void)snprintf(lowered->z, sizeof lowered->z, "A");
    ck_assert_int_eq(sl_drawing_replace(d, lowered, NULL), SL_OK);
    ck_assert_ptr_eq(sl_drawing_hit(d, at, 10, 0), under);
    ck_assert_int_eq(sl_drawing_replace(d, line(9, "V"), NULL), SL_E_NOT_FOUND);
    sl_json *j = sl_drawing_json(d);
    ck_assert_int_eq(sl_json_int_or(j, "width", 0), 1920);
    ck_assert_uint_eq(sl_json_count(sl_json_get(j, "items")), 2);
    sl_json_free(j);
    sl_drawing_free(d);
}
END_TEST

static sl_item *layer(int number, const char *z)
{
    sl_item *item = item_of("{'kind':'layer','points':[[0,0]],'text':'Coach','in':0,'out':100}");
    (void)snprintf(item->id, sizeof item->id, "00000000-0000-7000-8000-%012d", number);
    (void)snprintf(item->z, sizeof item->z, "%s", z);
    return item;
}

START_TEST(drawing__a_layer_holds_its_items_together_hides_and_locks_them)
{
    sl_drawing *d = sl_drawing_new(1920, 1080);
    const sl_item *shown[8];
    sl_item *below = line(1, "z");
    sl_item *inside = line(2, "A");
    sl_item *high = line(3, "B");
    sl_item *first = layer(10, "M");
    sl_item *second = layer(11, "N");
    (void)snprintf(inside->style.layer, sizeof inside->style.layer, "%s", second->id);
    (void)snprintf(high->style.layer, sizeof high->style.layer, "%s", first->id);
    sl_item *all[] = {below, inside, high, first, second};
    for (size_t i = 0; i < 5; i++) {
        ck_assert_int_eq(sl_drawing_add(d, all[i], NULL), SL_OK);
    }
    ck_assert_uint_eq(sl_drawing_shown(d, shown), 5);
    ck_assert_ptr_eq(shown[3], high);
    ck_assert_ptr_eq(shown[4], inside);
    sl_point at = {500, 500};
    ck_assert_ptr_eq(sl_drawing_hit(d, at, 10, 0), inside);
    second->style.locked = 1;
    ck_assert_ptr_eq(sl_drawing_hit(d, at, 10, 0), high);
    first->style.hidden = 1;
    ck_assert_ptr_eq(sl_drawing_hit(d, at, 10, 0), below);
    ck_assert_uint_eq(sl_drawing_shown(d, shown), 4);
    ck_assert_ptr_eq(shown[3], inside);
    ck_assert(sl_drawing_remove(d, second->id));
    ck_assert_uint_eq(sl_drawing_shown(d, shown), 3);
    sl_drawing_free(d);
}
END_TEST

START_TEST(zkey__a_key_lies_between_its_neighbours)
{
    static const char *const pairs[][2] = {
        {NULL, NULL}, {"V", NULL}, {NULL, "V"}, {"V", "W"},       {"V", "V1"},    {"az", "b"},
        {"a", "a01"}, {"z", NULL}, {NULL, "1"}, {NULL, "000001"}, {"zzzzzz", ""}, {"", "01"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        char z[SL_Z_MAX + 1];
        ck_assert_int_eq(sl_z_between(pairs[i][0], pairs[i][1], z, NULL), SL_OK);
        ck_assert_msg(sl_z_ok(z), "%s", z);
        ck_assert(pairs[i][0] == NULL || strcmp(pairs[i][0], z) < 0);
        ck_assert(pairs[i][1] == NULL || pairs[i][1][0] == 0 || strcmp(z, pairs[i][1]) < 0);
    }
    char z[SL_Z_MAX + 1];
    ck_assert_int_eq(sl_z_between("b", "a", z, NULL), SL_E_INVALID);
    ck_assert_int_eq(sl_z_between("a", "a", z, NULL), SL_E_INVALID);
    ck_assert_int_eq(sl_z_between("a0", NULL, z, NULL), SL_E_INVALID);
}
END_TEST

START_TEST(zkey__keys_stay_short_on_top_and_end_in_an_error_when_squeezed)
{
    char top[SL_Z_MAX + 1] = "";
    char low[SL_Z_MAX + 1] = "";
    char before[SL_Z_MAX + 1] = "";
    for (int i = 0; i < 50000; i++) {
        memcpy(before, top, sizeof before);
        ck_assert_int_eq(sl_z_between(before, NULL, top, NULL), SL_OK);
        ck_assert(strcmp(before, top) < 0);
        memcpy(before, low, sizeof before);
        ck_assert_int_eq(sl_z_between(NULL, before, low, NULL), SL_OK);
        ck_assert(before[0] == 0 || strcmp(low, before) < 0);
    }
    ck_assert_uint_le(strlen(top), 6);
    ck_assert_uint_le(strlen(low), 6);

    char under[SL_Z_MAX + 1] = "a";
    char over[SL_Z_MAX + 1] = "b";
    sl_status s = SL_OK;
    int squeezed = 0;
    while (s == SL_OK) {
        memcpy(before, over, sizeof before);
        s = sl_z_between(under, before, over, NULL);
        ck_assert(s != SL_OK || (strcmp(under, over) < 0 && strcmp(over, before) < 0));
        squeezed++;
    }
    ck_assert_int_eq(s, SL_E_LIMIT);
    ck_assert_int_gt(squeezed, 500);
}
END_TEST

static void add(sl_drawing *d, int number, const char *text)
{
    sl_item *item = item_of(text);
    (void)snprintf(item->id, sizeof item->id, "00000000-0000-7000-8000-%012d", number);
    ck_assert_int_eq(sl_drawing_add(d, item, NULL), SL_OK);
}

#define ID(n) "00000000-0000-7000-8000-00000000000" #n ","

START_TEST(drawing__measures_are_rows_of_csv_in_the_unit_of_the_ruler)
{
    sl_drawing *d = sl_drawing_new(1920, 1080);
    sl_buf csv = {0};
    add(d, 1,
        "{'kind':'ruler','points':[[0,0],[3000,4000]],'style':{'length':2.5,'unit':'m'},'in':0,"
        "'out':9}");
    add(d, 2, "{'kind':'angle','points':[[1000,0],[0,0],[0,1000]],'in':500000,'out':900000}");
    add(d, 3,
        "{'kind':'path','points':[[0,0],[600,800],[600,800]],'dt':[0,500,500],'in':1000000,"
        "'out':2000000}");
    add(d, 4, "{'kind':'stopwatch','points':[[0,0]],'in':250000,'out':2000000}");
    add(d, 5, "{'kind':'counter','points':[[0,0]],'style':{'value':-7},'in':0,'out':9}");
    add(d, 6, "{'kind':'line','points':[[0,0],[9,9]],'in':0,'out':9}");
    ck_assert(sl_drawing_csv(d, &csv));
    ck_assert_str_eq(
        sl_buf_text(&csv),
        "id,kind,t,quantity,value,unit\r\n" ID(1) "ruler,0,length,2.5,m\r\n" ID(2) "angle,0.5,angle,90,deg\r\n" ID(3) "path,1,distance,0,m\r\n" ID(3) "path,1,speed,0,m/s\r\n" ID(3) "path,1.5,distance,0.5,m\r\n" ID(
            3) "path,1.5,speed,1,m/s\r\n" ID(3) "path,1.5,distance,0.5,m\r\n" ID(3) "path,1.5,speed,0,m/s\r\n" ID(4) "stopwatch,0.25,time,1.75,s\r\n" ID(5) "counter,0,count,-7,\r\n");
    sl_buf_free(&csv);
    sl_drawing_free(d);
}
END_TEST

START_TEST(drawing__a_measure_that_moves_has_a_row_for_each_keyframe_within_its_time)
{
    sl_drawing *d = sl_drawing_new(1920, 1080);
    sl_buf csv = {0};
    add(d, 1,
        "{'kind':'angle','points':[[1000,0],[0,0],[0,1000]],'in':0,'out':1000000,'style':{'keys':["
        "{'t':0,'points':[[1000,0],[0,0],[0,1000]]},{'t':500000,'points':[[1000,0],[0,0],"
        "[-1000,0]]},{'t':1000000,'points':[[1000,0],[0,0],[1000,0]]}]}}");
    ck_assert(sl_drawing_csv(d, &csv));
    ck_assert_str_eq(sl_buf_text(&csv),
                     "id,kind,t,quantity,value,unit\r\n" ID(1) "angle,0,angle,90,deg\r\n" ID(
                         1) "angle,0.5,angle,180,deg\r\n");
    sl_buf_free(&csv);
    sl_drawing_free(d);
}
END_TEST

/* The answer by looking at every item. */
static const sl_item *slow_hit(const sl_drawing *d, sl_point at, int32_t radius, int64_t t_us)
{
    const sl_item *shown[600];
    size_t n = sl_drawing_shown(d, shown);
    for (size_t i = n; i-- > 0;) {
        const sl_item *layer = sl_drawing_find(d, shown[i]->style.layer);
        bool locked = layer != NULL && layer->style.locked != 0;
        if (!locked && sl_item_opacity_at(shown[i], t_us) > 0 &&
            sl_item_hit_at(shown[i], t_us, at, radius)) {
            return shown[i];
        }
    }
    return NULL;
}

/* Anything from a point to the whole frame and beyond, some moved, some keyframed, in layers or not. */
static sl_item *random_item(sl_prng *r, int number)
{
    char text[400];
    int32_t x = (int32_t)sl_prng_below(r, 40000) - 4000;
    int32_t y = (int32_t)sl_prng_below(r, 24000) - 3000;
    int32_t size = number % 17 == 0 ? 60000 : (int32_t)sl_prng_below(r, 3000);
    static const char *const kinds[] = {"line", "rect", "ellipse", "blur"};
    static const char *const edits[] = {"", ",'move':[700,-300]", ",'scale':1.5",
                                        ",'keys':[{'t':0,'move':[0,0]},{'t':100,'move':[9000,0]}]"};
    (void)snprintf(
        text, sizeof text,
        "{'kind':'%s','points':[[%d,%d],[%d,%d]],'in':%d,'out':%d,'style':{'width':200%s%s}}",
        kinds[sl_prng_below(r, 4)], x, y, x + size, y + size / 2, number % 3 * 30,
        70 + number % 5 * 20, edits[sl_prng_below(r, 4)],
        number % 4 == 0   ? ",'layer':'00000000-0000-7000-8000-000000000001'"
        : number % 4 == 1 ? ",'layer':'00000000-0000-7000-8000-000000000002'"
                          : "");
    sl_item *item = item_of(text);
    (void)snprintf(item->id, sizeof item->id, "00000000-0000-7000-8000-%012d", number);
    return item;
}

static void check_hits(const sl_drawing *d, sl_prng *r, size_t *found)
{
    for (int i = 0; i < 400; i++) {
        sl_point at = {(int32_t)sl_prng_below(r, 44000) - 6000,
                       (int32_t)sl_prng_below(r, 28000) - 5000};
        int32_t radius = (int32_t)sl_prng_below(r, i % 10 == 0 ? 5000 : 200);
        int64_t t_us = (int64_t)sl_prng_below(r, 140);
        const sl_item *hit = sl_drawing_hit(d, at, radius, t_us);
        ck_assert_ptr_eq(hit, slow_hit(d, at, radius, t_us));
        *found += hit != NULL;
    }
}

START_TEST(drawing__a_hit_through_the_index_is_the_hit_of_looking_at_all)
{
    sl_prng r;
    sl_prng_seed(&r, 5);
    sl_drawing *d = sl_drawing_new(1920, 1080);
    size_t found = 0;
    add(d, 1, "{'kind':'layer','points':[[0,0]],'text':'a','in':0,'out':9}");
    add(d, 2, "{'kind':'layer','points':[[0,0]],'text':'b','in':0,'out':9}");
    for (int i = 3; i < 500; i++) {
        ck_assert_int_eq(sl_drawing_add(d, random_item(&r, i), NULL), SL_OK);
    }
    check_hits(d, &r, &found);
    /* Half of them go, some of the rest change, a layer hides and one is locked. */
    for (int i = 3; i < 500; i++) {
        sl_item *item = random_item(&r, i);
        if (i % 2 == 0) {
            ck_assert(sl_drawing_remove(d, item->id));
            sl_item_free(item);
        } else if (i % 5 == 0) {
            ck_assert_int_eq(sl_drawing_replace(d, item, NULL), SL_OK);
        } else {
            sl_item_free(item);
        }
    }
    check_hits(d, &r, &found);
    for (int i = 1; i < 3; i++) {
        char id[37];
        (void)snprintf(id, sizeof id, "00000000-0000-7000-8000-%012d", i);
        sl_item *layer = sl_item_clone(sl_drawing_find(d, id));
        layer->style.hidden = i == 1;
        layer->style.locked = i == 2;
        ck_assert_int_eq(sl_drawing_replace(d, layer, NULL), SL_OK);
        check_hits(d, &r, &found);
    }
    ck_assert_uint_gt(found, 400);
    sl_drawing_free(d);
}
END_TEST

START_TEST(drawing__fifty_thousand_items_are_held_and_no_more)
{
    sl_prng r;
    sl_prng_seed(&r, 21);
    sl_drawing *d = sl_drawing_new(1920, 1080);
    sl_item *model = line(0, "");
    char id[37];
    for (int i = 0; i < SL_DRAWING_ITEMS_MAX; i++) {
        sl_item *item = sl_item_clone(model);
        int32_t x = (int32_t)sl_prng_below(&r, 32000);
        int32_t y = (int32_t)sl_prng_below(&r, 18000);
        item->geo.points[0] = (sl_point){x, y};
        item->geo.points[1] = (sl_point){x + 300, y + 200};
        (void)snprintf(item->id, sizeof item->id, "00000000-0000-7000-8000-%012d", i);
        ck_assert_int_eq(sl_drawing_add(d, item, NULL), SL_OK);
    }
    ck_assert_int_eq(sl_drawing_add(d, line(SL_DRAWING_ITEMS_MAX, ""), NULL), SL_E_LIMIT);
    const sl_item *top = sl_drawing_at(d, SL_DRAWING_ITEMS_MAX - 1);
    ck_assert_ptr_eq(sl_drawing_hit(d, top->geo.points[0], 10, 5), top);
    memcpy(id, top->id, sizeof id);
    ck_assert(sl_drawing_remove(d, id));
    ck_assert_int_eq(sl_drawing_add(d, line(SL_DRAWING_ITEMS_MAX, ""), NULL), SL_OK);
    const sl_item **found = sl_mem_array(SL_DRAWING_ITEMS_MAX, sizeof(const sl_item *));
    sl_point loop[4] = {{-100, -100}, {40000, -100}, {40000, 20000}, {-100, 20000}};
    ck_assert_uint_eq(sl_drawing_lasso(d, loop, 4, 5, found), SL_DRAWING_ITEMS_MAX);
    sl_mem_free(found);
    sl_item_free(model);
    sl_drawing_free(d);
}
END_TEST

START_TEST(drawing__a_million_points_are_encoded_read_back_and_hit)
{
    sl_drawing *d = sl_drawing_new(1920, 1080);
    size_t points = 0;
    for (int k = 0; k < 16; k++) {
        sl_item *item = line(k, "");
        item->geo.kind = SL_KIND_PEN;
        sl_mem_free(item->geo.points);
        item->geo.n = SL_PEN_POINTS_MAX;
        item->geo.points = sl_mem_array(SL_PEN_POINTS_MAX, sizeof *item->geo.points);
        for (uint32_t i = 0; i < SL_PEN_POINTS_MAX; i++) {
            item->geo.points[i] =
                (sl_point){(int32_t)(i % 32768), k * 1000 + (int32_t)(i / 256 % 2) * 500};
        }
        sl_buf bytes = {0};
        sl_geometry back;
        sl_geometry_encode(&bytes, &item->geo);
        ck_assert_int_eq(sl_geometry_decode(bytes.data, bytes.len, NULL, &back, NULL), SL_OK);
        ck_assert_mem_eq(back.points, item->geo.points, back.n * sizeof *back.points);
        points += back.n;
        sl_geometry_clear(&back);
        sl_buf_free(&bytes);
        ck_assert_int_eq(sl_drawing_add(d, item, NULL), SL_OK);
    }
    ck_assert_uint_gt(points, 1000000);
    const sl_item *hit = sl_drawing_hit(d, (sl_point){5, 7000}, 60, 5);
    ck_assert_ptr_nonnull(hit);
    ck_assert_int_eq(hit->geo.points[0].y, 7000);
    sl_drawing_free(d);
}
END_TEST

SL_TEST_MAIN("annotation_drawing",
             drawing__items_are_in_order_of_z_then_id_whatever_the_order_of_arrival,
             drawing__a_hit_is_the_topmost_item_of_that_time,
             drawing__a_layer_holds_its_items_together_hides_and_locks_them,
             zkey__a_key_lies_between_its_neighbours,
             zkey__keys_stay_short_on_top_and_end_in_an_error_when_squeezed,
             drawing__measures_are_rows_of_csv_in_the_unit_of_the_ruler,
             drawing__a_measure_that_moves_has_a_row_for_each_keyframe_within_its_time,
             drawing__a_hit_through_the_index_is_the_hit_of_looking_at_all,
             drawing__fifty_thousand_items_are_held_and_no_more,
             drawing__a_million_points_are_encoded_read_back_and_hit)
