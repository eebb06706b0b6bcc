#include "make.h"

#include "annotation/drawing.h"
#include "annotation/measure.h"
#include "annotation/tool.h"
#include "base/prng.h"

#include <stdio.h>

#define LINE "{'kind':'line','points':[[0,0],[1000,0]],'style':{'width':20"

static sl_item *posed(const sl_item *item, int64_t t_us, sl_item *out, sl_point room[64])
{
    sl_item_pose(item, t_us, out, room);
    return out;
}

static void check_point(sl_point p, int32_t x, int32_t y)
{
    ck_assert_int_eq(p.x, x);
    ck_assert_int_eq(p.y, y);
}

START_TEST(edit__an_item_is_moved_scaled_and_its_points_replaced)
{
    sl_point room[64];
    sl_item out;
    sl_item *item = item_of(LINE ",'move':[5,7],'scale':2},'in':0,'out':9}");
    posed(item, 3, &out, room);
    check_point(out.geo.points[0], -495, 7);
    check_point(out.geo.points[1], 1505, 7);
    ck_assert(sl_item_hit_at(item, 3, (sl_point){1500, 10}, 0));
    ck_assert(!sl_item_hit(item, 1500, 10, 0));
    sl_item_free(item);
    item = item_of(LINE ",'points':[[0,0],[0,500]]},'in':0,'out':9}");
    posed(item, 3, &out, room);
    check_point(out.geo.points[1], 0, 500);
    sl_json *back = json_of("{'style':{'points':null,'move':null}}");
    ck_assert_int_eq(sl_item_patch(item, back, NULL), SL_OK);
    ck_assert(!sl_item_is_posed(item));
    sl_json_free(back);
    sl_item_free(item);
}
END_TEST

START_TEST(edit__keyframes_run_straight_and_hold_outside_their_span)
{
    sl_point room[64];
    sl_item out;
    sl_item *item =
        item_of(LINE ",'opacity':0.5,'keys':[{'t':1000,'move':[0,0],'opacity':1},{'t':"
                     "2000,'scale':1},{'t':3000,'move':[200,-100],'opacity':0}]},'in':0,"
                     "'out':9000}");
    static const int32_t moves[][3] = {{0, 0, 0},        {1000, 0, 0},      {2000, 100, -50},
                                       {2500, 150, -75}, {3000, 200, -100}, {9000, 200, -100}};
    for (size_t i = 0; i < sizeof moves / sizeof moves[0]; i++) {
        posed(item, moves[i][0], &out, room);
        check_point(out.geo.points[0], moves[i][1], moves[i][2]);
    }
    posed(item, 2000, &out, room);
    ck_assert_int_eq(out.style.opacity, 250);
    sl_json *j = sl_item_to_json(item);
    sl_item *again = NULL;
    ck_assert_int_eq(sl_item_from_json(j, &again, NULL), SL_OK);
    sl_json *jj = sl_item_to_json(again);
    ck_assert(sl_json_equal(j, jj));
    sl_json_free(j);
    sl_json_free(jj);
    sl_item_free(again);
    sl_item_free(item);
}
END_TEST

START_TEST(edit__what_breaks_a_limit_is_refused)
{
    refuse_item(LINE ",'move':[1]},'in':0,'out':9}", "style.move");
    refuse_item(LINE ",'move':[1,262145]},'in':0,'out':9}", "style.move");
    refuse_item(LINE ",'scale':0},'in':0,'out':9}", "style.scale");
    refuse_item(LINE ",'scale':100.1},'in':0,'out':9}", "style.scale");
    refuse_item(LINE ",'points':[[1,2]]},'in':0,'out':9}", "style.points");
    refuse_item(LINE ",'points':[[1,2],[1,131073]]},'in':0,'out':9}", "style.points");
    refuse_item(LINE ",'keys':[{'t':2},{'t':2}]},'in':0,'out':9}", "style.keys");
    refuse_item(LINE ",'keys':[{'move':[1,2]}]},'in':0,'out':9}", "style.keys");
    refuse_item(LINE ",'keys':5},'in':0,'out':9}", "style.keys");
    char many[1600];
    size_t n = (size_t)snprintf(many, sizeof many, LINE ",'keys':[{'t':0}");
    for (int i = 1; i < SL_KEYS_MAX + 1; i++) {
        n += (size_t)snprintf(many + n, sizeof many - n, ",{'t':%d}", i);
    }
    (void)snprintf(many + n, sizeof many - n, "]},'in':0,'out':9}");
    refuse_item(many, "style.keys");
    char large[2400];
    (void)snprintf(large, sizeof large, LINE ",'later':'%01960d'},'in':0,'out':9}", 0);
    refuse_item(large, "style");
    (void)snprintf(large, sizeof large, LINE ",'later':'%01900d'},'in':0,'out':9}", 0);
    sl_item_free(item_of(large));
    ck_assert_int_eq(sl_debug_live_objects(), 0);
}
END_TEST

START_TEST(edit__a_dragged_handle_is_where_it_was_taken)
{
    sl_prng r;
    sl_prng_seed(&r, 21);
    for (int i = 0; i < SL_KIND_COUNT; i++) {
        const sl_tool *tool = sl_tool_of((sl_kind)i);
        sl_item *item = item_of(LINE "},'in':0,'out':9}");
        item->geo.kind = (sl_kind)i;
        item->geo.n = tool->points_max < 20 ? tool->points_max : 20;
        sl_mem_free(item->geo.points);
        item->geo.points = sl_mem_array(item->geo.n, sizeof *item->geo.points);
        for (int step = 0; step < 40; step++) {
            sl_point handles[SL_EDIT_POINTS_MAX];
            sl_point to = {(int32_t)sl_prng_below(&r, 30000), (int32_t)sl_prng_below(&r, 20000)};
            uint32_t handle = (uint32_t)sl_prng_below(&r, item->geo.n);
            ck_assert_int_eq(sl_item_drag(item, 0, handle, to, NULL), SL_OK);
            ck_assert_uint_eq(sl_item_handles(item, 0, handles, SL_EDIT_POINTS_MAX), item->geo.n);
            check_point(handles[handle], to.x, to.y);
            ck_assert_int_eq(sl_item_move(item, 11, -3, NULL), SL_OK);
            sl_item_handles(item, 0, handles, SL_EDIT_POINTS_MAX);
            check_point(handles[handle], to.x + 11, to.y - 3);
        }
        ck_assert_int_eq(sl_item_drag(item, 0, item->geo.n, (sl_point){0, 0}, NULL),
                         SL_E_NOT_FOUND);
        sl_item_free(item);
    }
    ck_assert_int_eq(sl_debug_live_objects(), 0);
}
END_TEST

START_TEST(edit__a_long_stroke_is_scaled_by_the_corners_of_its_box)
{
    sl_item *item = item_of("{'kind':'pen','points':[[0,0]],'style':{'width':20},'in':0,'out':9}");
    item->geo.n = 100;
    sl_mem_free(item->geo.points);
    item->geo.points = sl_mem_array(100, sizeof *item->geo.points);
    for (int32_t i = 0; i < 100; i++) {
        item->geo.points[i] = (sl_point){1000 + 10 * i, 1000 + 10 * i};
    }
    sl_point handles[SL_EDIT_POINTS_MAX];
    ck_assert_uint_eq(sl_item_handles(item, 0, handles, SL_EDIT_POINTS_MAX), 4);
    sl_point away = {handles[2].x + 505, handles[2].y + 505};
    ck_assert_int_eq(sl_item_drag(item, 0, 2, away, NULL), SL_OK);
    ck_assert_int_ge(item->edit.scale, 1995);
    ck_assert_int_le(item->edit.scale, 2005);
    ck_assert(sl_item_hit_at(item, 0, (sl_point){1985, 1985}, 0));
    ck_assert(sl_item_hit_at(item, 0, (sl_point){1985, 1985 + 27}, 0));
    ck_assert(!sl_item_hit_at(item, 0, (sl_point){1985, 1985 + 40}, 0));
    sl_item_free(item);
}
END_TEST

START_TEST(edit__members_of_a_newer_style_are_kept)
{
    sl_item *item = item_of(LINE ",'glow':{'radius':5},'heads':0},'in':0,'out':9}");
    sl_json *patch = json_of("{'style':{'color':'#123456'}}");
    ck_assert_int_eq(sl_item_patch(item, patch, NULL), SL_OK);
    sl_json *fields = sl_item_to_fields(item);
    const sl_json *style = sl_json_get(fields, "style");
    ck_assert_int_eq(sl_json_int_or(sl_json_get(style, "glow"), "radius", 0), 5);
    ck_assert_str_eq(sl_json_str(style, "color"), "#123456");
    sl_json_free(fields);
    sl_json_free(patch);
    patch = json_of("{'style':{'glow':null}}");
    ck_assert_int_eq(sl_item_patch(item, patch, NULL), SL_OK);
    fields = sl_item_to_fields(item);
    ck_assert_ptr_null(sl_json_get(sl_json_get(fields, "style"), "glow"));
    sl_json_free(fields);
    sl_json_free(patch);
    sl_item_free(item);
}
END_TEST

static void check_label(const char *text, int64_t t_us, const char *expected)
{
    sl_scale scale;
    sl_measure m;
    char label[SL_LABEL_MAX];
    sl_item *item = item_of(text);
    sl_scale_pixels(1920, &scale);
    (void)sl_scale_ruler(item, &scale);
    sl_measure_at(item, t_us, &scale, &m);
    sl_measure_label(&m, label);
    ck_assert_str_eq(label, expected);
    sl_item_free(item);
}

START_TEST(measure__each_measuring_tool_says_what_it_measures)
{
    check_label("{'kind':'angle','points':[[100,0],[0,0],[0,100]],'in':0,'out':9}", 0,
                "90\xC2\xB0");
    check_label("{'kind':'angle','points':[[100,100],[0,0]],'in':0,'out':9}", 0, "45\xC2\xB0");
    check_label("{'kind':'protractor','points':[[0,0],[100,0]],'style':{'vertical':true},'in':0,"
                "'out':9}",
                0, "90\xC2\xB0");
    check_label("{'kind':'ruler','points':[[0,0],[32768,0]],'in':0,'out':9}", 0, "1920 px");
    check_label(
        "{'kind':'ruler','points':[[0,0],[300,400]],'style':{'length':1.25,'unit':'m'},'in':"
        "0,'out':9}",
        0, "1.25 m");
    check_label("{'kind':'stopwatch','points':[[0,0]],'in':1000,'out':99000000}", 75431000,
                "1:15.43");
    check_label("{'kind':'counter','points':[[0,0]],'style':{'value':-3},'in':0,'out':9}", 0, "-3");
    check_label(
        "{'kind':'path','points':[[0,0],[3000,4000],[3000,14000]],'dt':[0,1000,2000],'in':0,"
        "'out':9000000}",
        1500000, "586 px, 586 px/s");
    check_label("{'kind':'line','points':[[0,0],[1,1]],'in':0,'out':9}", 0, "");
}
END_TEST

START_TEST(edit__every_failed_allocation_is_reported)
{
    sl_item *item = item_of(LINE ",'points':[[1,2],[3,4]],'glow':1,'keys':[{'t':5,'points':[[1,2],"
                                 "[3,4]]}]},'in':0,'out':9}");
    sl_json *j = sl_item_to_json(item);
    bool done = false;
    for (uint64_t k = 1; !done && k < 300; k++) {
        sl_item *a = NULL;
        (void)sl_mem_fail_at(k, false);
        sl_status s = sl_item_from_json(j, &a, NULL);
        sl_item *b = a != NULL ? sl_item_clone(a) : NULL;
        sl_status moved = b != NULL ? sl_item_move(b, 1, 1, NULL) : SL_E_NOMEM;
        sl_status dragged = b != NULL ? sl_item_drag(b, 0, 1, (sl_point){5, 5}, NULL) : SL_E_NOMEM;
        done = s == SL_OK && moved == SL_OK && dragged == SL_OK;
        (void)sl_mem_fail_at(0, false);
        ck_assert(s == SL_OK || s == SL_E_NOMEM);
        ck_assert(moved == SL_OK || moved == SL_E_NOMEM);
        ck_assert(dragged == SL_OK || dragged == SL_E_NOMEM);
        sl_item_free(a);
        sl_item_free(b);
    }
    ck_assert(done);
    sl_json_free(j);
    sl_item_free(item);
    ck_assert_int_eq(sl_debug_live_objects(), 0);
}
END_TEST

SL_TEST_MAIN("annotation_edit", edit__an_item_is_moved_scaled_and_its_points_replaced,
             edit__keyframes_run_straight_and_hold_outside_their_span,
             edit__what_breaks_a_limit_is_refused, edit__a_dragged_handle_is_where_it_was_taken,
             edit__a_long_stroke_is_scaled_by_the_corners_of_its_box,
             edit__members_of_a_newer_style_are_kept,
             measure__each_measuring_tool_says_what_it_measures,
             edit__every_failed_allocation_is_reported)
