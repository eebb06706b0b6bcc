#include "make.h"

#include "annotation/codec.h"

#define PEN \
    "{'kind':'pen','points':[[0,0],[100,50],[-7,32768]],'pressure':[0,128,255],'dt':[0,8,8],'in':5,'out':1000}"
#define TEXT_OF(t)    "{'kind':'text','points':[[1,2]],'text':'" t "','in':0,'out':1}"
#define LINE_IN(rest) "{'kind':'line','points':[[0,0],[100,100]]," rest "}"

START_TEST(item__its_json_comes_back_as_it_was)
{
    static const char *const items[] = {
        PEN,
        "{'id':'00000000-0000-7000-8000-000000000001','kind':'arrow','points':[[1,2],[3,4]],"
        "'style':{'color':'#1A2B3C','opacity':0.25,'width':7,'font_size':64},'in':0,'out':9,"
        "'fade':10000000,'z':'V1'}",
        "{'kind':'rect','points':[[1,2],[3,4]],'in':0,'out':36000000000}",
        "{'kind':'ellipse','points':[[-131072,131072],[3,4]],'in':0,'out':1}",
        "{'kind':'angle','points':[[1,2],[3,4],[5,6]],'in':0,'out':1}",
        TEXT_OF("Gr\xC3\xBC\xC3\x9F \xF0\x9F\x8F\x80\\nb"),
    };
    for (size_t i = 0; i < sizeof items / sizeof items[0]; i++) {
        sl_item *a = item_of(items[i]);
        sl_json *ja = sl_item_to_json(a);
        sl_item *b = NULL;
        ck_assert_int_eq(sl_item_from_json(ja, &b, NULL), SL_OK);
        sl_json *jb = sl_item_to_json(b);
        ck_assert(sl_json_equal(ja, jb));
        sl_json *given = json_of(items[i]);
        for (const sl_json *m = sl_json_first(given); m != NULL; m = sl_json_next(m)) {
            ck_assert_msg(sl_json_equal(m, sl_json_get(ja, sl_json_key(m))), "%s of %s",
                          sl_json_key(m), items[i]);
        }
        sl_json_free(given);
        sl_json_free(ja);
        sl_json_free(jb);
        sl_item_free(a);
        sl_item_free(b);
    }
    ck_assert_int_eq(sl_debug_live_objects(), 0);
}
END_TEST

START_TEST(item__what_breaks_a_rule_is_refused_and_its_field_named)
{
    refuse_item("{'kind':'blob','points':[[0,0]],'in':0,'out':1}", "kind");
    refuse_item("{'points':[[0,0]],'in':0,'out':1}", "kind");
    refuse_item("{'kind':'pen','in':0,'out':1}", "points");
    refuse_item("{'kind':'pen','points':[],'in':0,'out':1}", "points");
    refuse_item("{'kind':'pen','points':[[1]],'in':0,'out':1}", "points");
    refuse_item("{'kind':'pen','points':[[1,2,3]],'in':0,'out':1}", "points");
    refuse_item("{'kind':'pen','points':[[1,0.5]],'in':0,'out':1}", "points");
    refuse_item("{'kind':'pen','points':[[1,131073]],'in':0,'out':1}", "points");
    refuse_item("{'kind':'pen','points':[[1,-131073]],'in':0,'out':1}", "points");
    refuse_item("{'kind':'pen','points':[[1,1e300]],'in':0,'out':1}", "points");
    refuse_item("{'kind':'line','points':[[1,2]],'in':0,'out':1}", "points");
    refuse_item("{'kind':'angle','points':[[1,2]],'in':0,'out':1}", "points");
    refuse_item("{'kind':'pen','points':[[1,2]],'pressure':[],'in':0,'out':1}", "pressure");
    refuse_item("{'kind':'pen','points':[[1,2]],'pressure':[256],'in':0,'out':1}", "pressure");
    refuse_item("{'kind':'pen','points':[[1,2]],'pressure':[-1],'in':0,'out':1}", "pressure");
    refuse_item("{'kind':'pen','points':[[1,2]],'dt':[1],'in':0,'out':1}", "dt");
    refuse_item("{'kind':'pen','points':[[1,2],[3,4]],'dt':[0,3600001],'in':0,'out':1}", "dt");
    refuse_item("{'kind':'pen','points':[[1,2],[3,4],[5,6]],'dt':[0,2,1],'in':0,'out':1}", "dt");
    refuse_item(LINE_IN("'dt':[0,1],'in':0,'out':1"), "dt");
    refuse_item(LINE_IN("'text':'x','in':0,'out':1"), "text");
    refuse_item("{'kind':'text','points':[[1,2]],'in':0,'out':1}", "text");
    refuse_item(TEXT_OF(""), "text");
    refuse_item(TEXT_OF("a\\u0007b"), "text");
    refuse_item(LINE_IN("'out':1"), "in");
    refuse_item(LINE_IN("'in':-1,'out':1"), "in");
    refuse_item(LINE_IN("'in':1,'out':1"), "out");
    refuse_item(LINE_IN("'in':1,'out':36000000001"), "out");
    refuse_item(LINE_IN("'in':1,'out':2.5"), "out");
    refuse_item(LINE_IN("'in':0,'out':1,'fade':-1"), "fade");
    refuse_item(LINE_IN("'in':0,'out':1,'fade':10000001"), "fade");
    refuse_item(LINE_IN("'in':0,'out':1,'z':'V0'"), "z");
    refuse_item(LINE_IN("'in':0,'out':1,'z':'a-b'"), "z");
    refuse_item(LINE_IN("'in':0,'out':1,'id':'X'"), "id");
    refuse_item(LINE_IN("'in':0,'out':1,'style':5"), "style");
    refuse_item(LINE_IN("'in':0,'out':1,'style':{'color':'#12345'}"), "style.color");
    refuse_item(LINE_IN("'in':0,'out':1,'style':{'color':'#12345G'}"), "style.color");
    refuse_item(LINE_IN("'in':0,'out':1,'style':{'opacity':1.01}"), "style.opacity");
    refuse_item(LINE_IN("'in':0,'out':1,'style':{'width':0}"), "style.width");
    refuse_item(LINE_IN("'in':0,'out':1,'style':{'width':8193}"), "style.width");
    refuse_item(LINE_IN("'in':0,'out':1,'style':{'font_size':63}"), "style.font_size");
    ck_assert_int_eq(sl_debug_live_objects(), 0);
}
END_TEST

static sl_status points_status(size_t n)
{
    sl_json *j = json_of("{'kind':'pen','in':0,'out':1}");
    sl_json *points = sl_json_array();
    for (size_t i = 0; i < n; i++) {
        sl_json *pair = sl_json_array();
        ck_assert(sl_json_add_num(pair, (double)i) && sl_json_add_num(pair, 1));
        ck_assert(sl_json_add(points, pair));
    }
    ck_assert(sl_json_set(j, "points", points));
    sl_item *item = NULL;
    sl_status s = sl_item_from_json(j, &item, NULL);
    sl_item_free(item);
    sl_json_free(j);
    return s;
}

START_TEST(item__a_pen_has_up_to_65536_points)
{
    ck_assert_int_eq(points_status(SL_PEN_POINTS_MAX), SL_OK);
    ck_assert_int_eq(points_status(SL_PEN_POINTS_MAX + 1), SL_E_INVALID);
}
END_TEST

static sl_status text_status(size_t characters)
{
    sl_item *item = item_of(TEXT_OF("x"));
    sl_mem_free(item->geo.text);
    item->geo.text = sl_mem(characters * 2 + 1);
    for (size_t i = 0; i < characters; i++) {
        memcpy(item->geo.text + 2 * i, "\xC3\xBC", 2);
    }
    sl_status s = sl_item_check(item, NULL);
    sl_item_free(item);
    return s;
}

START_TEST(item__a_text_has_up_to_4000_characters)
{
    ck_assert_int_eq(text_status(SL_ITEM_TEXT_MAX), SL_OK);
    ck_assert_int_eq(text_status(SL_ITEM_TEXT_MAX + 1), SL_E_INVALID);
}
END_TEST

START_TEST(item__the_fields_of_a_record_come_back_and_others_are_ignored)
{
    sl_item *a = item_of(PEN);
    sl_json *fields = sl_item_to_fields(a);
    ck_assert_str_eq(sl_json_str(fields, "kind"), "pen");
    ck_assert_ptr_nonnull(sl_json_str(fields, "geometry"));
    ck_assert_int_eq(sl_json_int_or(fields, "t_in", -1), 5);
    ck_assert_int_eq(sl_json_int_or(fields, "t_out", -1), 1000);
    ck_assert(sl_json_set_str(fields, "later", "news"));
    ck_assert(sl_json_set_int(fields, "seq", 7));
    sl_item *b = NULL;
    const char *id = "00000000-0000-7000-8000-0000000000ff";
    ck_assert_int_eq(sl_item_from_fields(fields, id, &b, NULL), SL_OK);
    ck_assert_str_eq(b->id, id);
    b->id[0] = 0;
    sl_json *ja = sl_item_to_json(a);
    sl_json *jb = sl_item_to_json(b);
    ck_assert(sl_json_equal(ja, jb));
    sl_json_free(ja);
    sl_json_free(jb);
    sl_item_free(b);

    ck_assert(sl_json_set_str(fields, "kind", "hologram"));
    ck_assert_int_eq(sl_item_from_fields(fields, id, &b, NULL), SL_E_TOO_NEW);
    ck_assert(sl_json_set_str(fields, "kind", "arrow"));
    ck_assert_int_eq(sl_item_from_fields(fields, id, &b, NULL), SL_E_INVALID);
    ck_assert(sl_json_set_str(fields, "kind", "pen"));
    ck_assert(sl_json_set_str(fields, "geometry", "!!"));
    ck_assert_int_eq(sl_item_from_fields(fields, id, &b, NULL), SL_E_INVALID);
    ck_assert_ptr_null(b);
    sl_json_free(fields);
    sl_item_free(a);
}
END_TEST

START_TEST(item__a_patch_changes_style_and_times_and_nothing_when_it_fails)
{
    sl_item *item = item_of(PEN);
    sl_json *good = json_of("{'style':{'width':50},'out':2000,'fade':10,'z':'c'}");
    ck_assert_int_eq(sl_item_patch(item, good, NULL), SL_OK);
    ck_assert_int_eq(item->style.width, 50);
    ck_assert_int_eq(item->style.rgb, 0xFFD400);
    ck_assert_int_eq(item->t_out, 2000);
    static const char *const bad[] = {
        "{'points':[[1,1]]}",
        "{'text':'x'}",
        "{'kind':'line'}",
        "{'out':5}",
        "{'style':{'width':0}}",
        "{'z':'0'}",
        "[]",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        sl_json *j = json_of(bad[i]);
        ck_assert_msg(sl_item_patch(item, j, NULL) == SL_E_INVALID, "%s", bad[i]);
        ck_assert_int_eq(item->style.width, 50);
        ck_assert_int_eq(item->t_out, 2000);
        ck_assert_str_eq(item->z, "c");
        sl_json_free(j);
    }
    sl_json_free(good);
    sl_item_free(item);
}
END_TEST

START_TEST(item__opacity_is_zero_outside_its_time_and_ramps_at_both_ends)
{
    sl_item *item = item_of(LINE_IN("'in':1000,'out':3000,'fade':500,'style':{'opacity':0.5}"));
    int32_t full = SL_OPAQUE / 2;
    ck_assert_int_eq(sl_item_opacity_at(item, 999), 0);
    ck_assert_int_eq(sl_item_opacity_at(item, 1000), 0);
    ck_assert_int_eq(sl_item_opacity_at(item, 1250), full / 2);
    ck_assert_int_eq(sl_item_opacity_at(item, 1500), full);
    ck_assert_int_eq(sl_item_opacity_at(item, 2500), full);
    ck_assert_int_eq(sl_item_opacity_at(item, 2750), full / 2);
    ck_assert_int_eq(sl_item_opacity_at(item, 3000), 0);
    item->fade_us = 0;
    ck_assert_int_eq(sl_item_opacity_at(item, 1000), full);
    ck_assert_int_eq(sl_item_opacity_at(item, 2999), full);
    ck_assert_int_eq(sl_item_opacity_at(item, 3000), 0);
    sl_item_free(item);
}
END_TEST

static void check_hit(const char *text, int32_t x, int32_t y, int32_t radius, bool expected)
{
    sl_item *item = item_of(text);
    ck_assert_msg(sl_item_hit(item, x, y, radius) == expected, "(%d, %d) of %s", x, y, text);
    if (expected) {
        sl_box box = sl_item_bounds(item);
        ck_assert(x + radius >= box.x0 && x - radius < box.x1);
        ck_assert(y + radius >= box.y0 && y - radius < box.y1);
    }
    sl_item_free(item);
}

START_TEST(item__a_hit_is_on_the_ink_within_the_radius)
{
    const char *line =
        "{'kind':'line','points':[[0,0],[1000,0]],'style':{'width':20},'in':0,'out':1}";
    check_hit(line, 500, 10, 0, true);
    check_hit(line, 500, 11, 0, false);
    check_hit(line, 500, 60, 50, true);
    check_hit(line, 500, 61, 50, false);
    check_hit(line, 1010, 0, 0, true);
    check_hit(line, 1011, 0, 0, false);
    const char *rect =
        "{'kind':'rect','points':[[1000,1000],[0,0]],'style':{'width':20},'in':0,'out':1}";
    check_hit(rect, 500, 500, 100, false);
    check_hit(rect, 1000, 500, 0, true);
    const char *ellipse =
        "{'kind':'ellipse','points':[[0,0],[2000,1000]],'style':{'width':20},'in':0,'out':1}";
    check_hit(ellipse, 1000, 0, 0, true);
    check_hit(ellipse, 0, 500, 0, true);
    check_hit(ellipse, 1000, 500, 100, false);
    check_hit(ellipse, 5, 5, 100, false);
    const char *dot = "{'kind':'pen','points':[[7,7]],'style':{'width':2},'in':0,'out':1}";
    check_hit(dot, 7, 8, 0, true);
    check_hit(dot, 7, 9, 0, false);
    check_hit(dot, INT32_MAX, INT32_MIN, 0, false);
    check_hit(TEXT_OF("abc"), 500, 500, 0, true);
    check_hit(TEXT_OF("abc"), 500, 1500, 0, false);
}
END_TEST

START_TEST(item__every_failed_allocation_is_reported)
{
    sl_item *item = item_of(PEN);
    sl_json *fields = sl_item_to_fields(item);
    sl_json *j = sl_item_to_json(item);
    bool done = false;
    for (uint64_t k = 1; !done && k < 100; k++) {
        sl_item *a = NULL;
        sl_item *b = NULL;
        (void)sl_mem_fail_at(k, false);
        sl_status sa = sl_item_from_json(j, &a, NULL);
        sl_status sb = sl_item_from_fields(fields, NULL, &b, NULL);
        sl_item *c = a != NULL ? sl_item_clone(a) : NULL;
        done = sa == SL_OK && sb == SL_OK && c != NULL;
        (void)sl_mem_fail_at(0, false);
        ck_assert(sa == SL_OK || sa == SL_E_NOMEM);
        ck_assert(sb == SL_OK || sb == SL_E_NOMEM);
        sl_item_free(a);
        sl_item_free(b);
        sl_item_free(c);
    }
    ck_assert(done);
    sl_json_free(j);
    sl_json_free(fields);
    sl_item_free(item);
    ck_assert_int_eq(sl_debug_live_objects(), 0);
}
END_TEST

SL_TEST_MAIN("annotation_item", item__its_json_comes_back_as_it_was,
             item__what_breaks_a_rule_is_refused_and_its_field_named,
             item__a_pen_has_up_to_65536_points, item__a_text_has_up_to_4000_characters,
             item__the_fields_of_a_record_come_back_and_others_are_ignored,
             item__a_patch_changes_style_and_times_and_nothing_when_it_fails,
             item__opacity_is_zero_outside_its_time_and_ramps_at_both_ends,
             item__a_hit_is_on_the_ink_within_the_radius, item__every_failed_allocation_is_reported)
