/* What the renderer draws: its bounds, its likeness, its colours, its golden pictures. */
#include "render/render.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/prng.h"
#include "golden.h"
#include "support.h"
#include "tools.h"

#include <cairo.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    GOLDEN_W = 320,
    GOLDEN_H = 180
};

/* What fontconfig keeps until the process ends is not ours to free. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libfontconfig\nleak:libpango\nleak:libglib\nleak:libgobject\n";
}

static void draw_at(const sl_item *item, int64_t age_us, int64_t t_us, const sl_pixels *into)
{
    sl_shown shown = {item, age_us};
    sl_error *err = NULL;
    sl_status s = sl_render_shown(&shown, 1, FRAME_W, FRAME_H, t_us, into, &err);
    ck_assert_msg(s == SL_OK, "%s", sl_error_message(err));
}

static sl_box touched(const sl_pixels *before, const sl_pixels *after)
{
    sl_box box = {INT32_MAX, INT32_MAX, INT32_MIN, INT32_MIN};
    for (int32_t y = 0; y < before->height; y++) {
        for (int32_t x = 0; x < before->width; x++) {
            if (pixel(before, x, y) != pixel(after, x, y)) {
                box.x0 = x < box.x0 ? x : box.x0;
                box.y0 = y < box.y0 ? y : box.y0;
                box.x1 = x >= box.x1 ? x + 1 : box.x1;
                box.y1 = y >= box.y1 ? y + 1 : box.y1;
            }
        }
    }
    return box;
}

START_TEST(render__each_tool_touches_its_damage_box_and_nothing_else)
{
    static const int32_t sizes[][2] = {{320, 180}, {641, 359}, {200, 400}};
    for (size_t i = 0; i < TOOL_COUNT * 3; i++) {
        sl_item *item = tool(i % TOOL_COUNT);
        sl_pixels before = pixels(sizes[i / TOOL_COUNT][0], sizes[i / TOOL_COUNT][1]);
        sl_pixels after = pixels(before.width, before.height);
        gradient(&before);
        gradient(&after);
        draw_at(item, -1, 5, &after);
        sl_shown shown = {item, -1};
        sl_box damage = sl_render_damage(&shown, 1, FRAME_W, FRAME_H, 5, &after);
        sl_box box = touched(&before, &after);
        ck_assert_int_lt(box.x0, box.x1);
        ck_assert(box.x0 >= damage.x0 && box.x1 <= damage.x1);
        ck_assert(box.y0 >= damage.y0 && box.y1 <= damage.y1);
        sl_box none = sl_render_damage(&shown, 1, FRAME_W, FRAME_H, item->t_out, &after);
        ck_assert_int_eq(none.x0, none.x1);
        sl_mem_free(before.data);
        sl_mem_free(after.data);
        sl_item_free(item);
    }
}
END_TEST

START_TEST(render__the_same_call_gives_the_same_bytes)
{
    for (size_t i = 0; i < TOOL_COUNT; i++) {
        sl_item *item = tool(i);
        sl_pixels a = pixels(320, 180);
        sl_pixels b = pixels(320, 180);
        gradient(&a);
        gradient(&b);
        draw_at(item, -1, 5, &a);
        draw_at(item, -1, 5, &b);
        ck_assert_mem_eq(a.data, b.data, 320 * 180 * 4);
        draw_at(item, -1, item->t_out, &b);
        ck_assert_mem_eq(a.data, b.data, 320 * 180 * 4);
        sl_mem_free(a.data);
        sl_mem_free(b.data);
        sl_item_free(item);
    }
}
END_TEST

static double luminance(uint32_t v)
{
    double sum = 0;
    static const double weights[3] = {0.0722, 0.7152, 0.2126};
    for (int i = 0; i < 3; i++) {
        double c = (v >> (8 * i) & 0xFF) / 255.0;
        sum += weights[i] * (c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4));
    }
    return sum;
}

/* The best contrast that any drawn pixel has against an even background. */
static double contrast_on(uint32_t rgb, uint32_t background)
{
    sl_item *item = item_of(TOOLS[1]);
    sl_pixels p = pixels(640, 360);
    double best = 1;
    item->style.rgb = (int32_t)rgb;
    fill(&p, background);
    draw_at(item, -1, 5, &p);
    double under = luminance(background) + 0.05;
    for (int32_t x = 0; x < p.width; x++) {
        double over = luminance(pixel(&p, x, 200)) + 0.05;
        double contrast = over > under ? over / under : under / over;
        best = contrast > best ? contrast : best;
    }
    sl_mem_free(p.data);
    sl_item_free(item);
    return best;
}

START_TEST(render__every_colour_reads_on_bright_and_on_dark_video)
{
    static const uint32_t colours[] = {0xFF3B30, 0x0000FF, 0x34C759, 0xFFD400, 0xFFFFFF,
                                       0x000000, 0x808080, 0x550000, 0x00E5FF};
    for (size_t i = 0; i < sizeof colours / sizeof colours[0]; i++) {
        double bright = contrast_on(colours[i], 0xFFFFFFFFU);
        double dark = contrast_on(colours[i], 0xFF000000U);
        ck_assert_msg(bright >= 3 && dark >= 3, "%06x: %.2f %.2f", (unsigned)colours[i], bright,
                      dark);
    }
}
END_TEST

static size_t count_ink(const sl_item *item, int64_t age_us)
{
    sl_pixels p = pixels(640, 360);
    size_t n = 0;
    draw_at(item, age_us, 5, &p);
    for (int32_t y = 0; y < p.height; y++) {
        for (int32_t x = 0; x < p.width; x++) {
            n += pixel(&p, x, y) >> 24 > 128;
        }
    }
    sl_mem_free(p.data);
    return n;
}

START_TEST(render__a_pen_grows_as_it_was_drawn)
{
    sl_item *item = pen_of(200, 0xFFFFFF, 300);
    size_t last = count_ink(item, 0);
    ck_assert_uint_gt(last, 0);
    for (int64_t age_us = 50000; age_us <= 1000000; age_us += 50000) {
        size_t n = count_ink(item, age_us);
        ck_assert_uint_ge(n, last);
        last = n;
    }
    ck_assert_uint_gt(last, 20 * count_ink(item, 0));
    ck_assert_uint_eq(count_ink(item, 1000000), count_ink(item, -1));
    ck_assert_uint_eq(count_ink(item, INT64_MAX), count_ink(item, -1));
    sl_mem_free(item->geo.dt_ms);
    item->geo.dt_ms = NULL;
    ck_assert_uint_eq(count_ink(item, 0), last);
    sl_item_free(item);
}
END_TEST

START_TEST(render__a_see_through_pen_has_no_darker_crossings_and_no_holes)
{
    /* A scribble over itself, much wider than its steps: its middle is one even colour. */
    sl_item *item = pen_of(60, 0xFFFFFF, 4000);
    item->style.opacity = 500;
    for (uint32_t i = 0; i < item->geo.n; i++) {
        item->geo.points[i].x = 16000 + (int32_t)(1200 * cos(i * 2.3));
        item->geo.points[i].y = 9000 + (int32_t)(1200 * sin(i * 1.7));
        item->geo.pressure[i] = 255;
    }
    sl_pixels p = pixels(640, 360);
    fill(&p, 0xFF000000U);
    draw_at(item, -1, 5, &p);
    uint32_t middle = pixel(&p, 312, 176);
    ck_assert_int_le(abs((int)(middle & 0xFF) - 128), 1);
    for (int32_t y = 156; y < 196; y++) {
        for (int32_t x = 292; x < 332; x++) {
            ck_assert_uint_eq(pixel(&p, x, y), middle);
        }
    }
    sl_mem_free(p.data);
    sl_item_free(item);
}
END_TEST

START_TEST(render__degenerate_shapes_and_far_ones_are_drawn_or_left_out_without_error)
{
    static const char *const items[] = {
        "{'kind':'pen','points':[[9,9]],'in':0,'out':9}",
        "{'kind':'pen','points':[[9,9],[9,9],[9,9]],'pressure':[0,0,0],'dt':[0,0,0],'in':0,'out':9}",
        "{'kind':'pen','points':[[9,9],[9000,9],[9,9],[9000,9]],'in':0,'out':9}",
        "{'kind':'arrow','points':[[9,9],[9,9]],'in':0,'out':9}",
        "{'kind':'line','points':[[9,9],[9,9]],'in':0,'out':9}",
        "{'kind':'rect','points':[[9,9],[9,9]],'in':0,'out':9}",
        "{'kind':'ellipse','points':[[9,9],[9,9]],'in':0,'out':9}",
        "{'kind':'ellipse','points':[[9,9],[9,9000]],'in':0,'out':9}",
        "{'kind':'angle','points':[[9,9],[9,9],[9,9]],'in':0,'out':9}",
        "{'kind':'angle','points':[[0,9000],[9000,9000],[18000,9000]],'in':0,'out':9}",
        "{'kind':'text','points':[[9,9]],'text':'\\n\\n','in':0,'out':9}",
        "{'kind':'text','points':[[131072,-131072]],'text':'far','in':0,'out':9}",
        "{'kind':'ellipse','points':[[-131072,-131072],[131072,131072]],'in':0,'out':9}",
        "{'kind':'text','points':[[9,9]],'text':'\xF0\x9F\x8F\x80\\t\xD7\x90','in':0,'out':9}",
        "{'kind':'text','points':[[9,9]],'text':'W','style':{'font_size':16384},'in':0,'out':9}",
    };
    for (size_t i = 0; i < sizeof items / sizeof items[0]; i++) {
        sl_item *item = item_of(items[i]);
        sl_pixels p = pixels(97, 31);
        draw_at(item, -1, 5, &p);
        draw_at(item, 0, 5, &p);
        sl_mem_free(p.data);
        sl_item_free(item);
    }
}
END_TEST

START_TEST(render__pixels_that_cannot_be_drawn_on_are_refused)
{
    sl_pixels good = pixels(10, 10);
    sl_pixels bad[6];
    for (size_t i = 0; i < 6; i++) {
        bad[i] = good;
    }
    bad[0].struct_size = 4;
    bad[1].width = 0;
    bad[2].height = SL_PIXELS_SIDE_MAX + 1;
    bad[3].stride = 36;
    bad[4].stride = 42;
    bad[5].data = NULL;
    for (size_t i = 0; i < 6; i++) {
        ck_assert_int_eq(sl_render_shown(NULL, 0, 1, 1, 0, &bad[i], NULL), SL_E_MISUSE);
    }
    ck_assert_int_eq(sl_render_shown(NULL, 0, 1, 1, 0, &good, NULL), SL_OK);
    ck_assert_int_eq(sl_render_shown(NULL, 0, 0, 1, 0, &good, NULL), SL_E_MISUSE);
    ck_assert_int_eq(sl_render_shown(NULL, 0, 1, 1, 0, NULL, NULL), SL_E_MISUSE);
    sl_mem_free(good.data);
    ck_assert_int_eq(sl_debug_live_objects(), 0);
}
END_TEST

START_TEST(render__what_is_too_large_for_one_go_is_drawn_in_parts_that_fit)
{
    static const sl_box parts[] = {{0, 0, 16384, 700}, {0, 700, 16384, 1100}};
    sl_item *item = item_of("{'kind':'ellipse','points':[[2000,100],[30000,2000]],'style':{'color':"
                            "'#FFD400','width':300,'opacity':0.6},'in':0,'out':1000}");
    sl_shown shown = {item, -1};
    sl_pixels all = pixels(16384, 1100);
    sl_pixels apart = pixels(16384, 1100);
    sl_scene scene = {.frame_w = 16384, .frame_h = 1100, .t_us = 5};
    ck_assert_int_eq(sl_render_scene(&scene, &shown, 1, &all, NULL), SL_OK);
    for (size_t i = 0; i < 2; i++) {
        scene.clip = parts[i];
        ck_assert_int_eq(sl_render_scene(&scene, &shown, 1, &apart, NULL), SL_OK);
    }
    ck_assert_mem_eq(all.data, apart.data, (size_t)16384 * 1100 * 4);
    ck_assert_uint_ne(pixel(&all, 8192, 1000), 0);
    sl_mem_free(all.data);
    sl_mem_free(apart.data);
    sl_item_free(item);
}
END_TEST

START_TEST(render__every_failed_allocation_is_reported)
{
    sl_item *item = pen_of(50, 0xFFFFFF, 300);
    sl_pixels p = pixels(64, 36);
    sl_shown shown = {item, -1};
    sl_buf png = {0};
    (void)sl_mem_fail_at(1, false);
    ck_assert_int_eq(sl_render_shown(&shown, 1, 16, 9, 5, &p, NULL), SL_E_NOMEM);
    (void)sl_mem_fail_at(1, false);
    ck_assert_int_eq(sl_pixels_png(&p, &png, NULL), SL_E_NOMEM);
    (void)sl_mem_fail_at(0, false);
    sl_buf_free(&png);
    sl_mem_free(p.data);
    sl_item_free(item);
}
END_TEST

/* What runs with the time is shown at 350 ms. */
static void draw_golden(const sl_item *item, bool by_cairo, const sl_pixels *p)
{
    uint32_t squares[4] = {0xFFFF0000U, 0xFF00FF00U, 0xFF0000FFU, 0x80800000U};
    sl_pixels stamp = {sizeof stamp, 2, 2, 8, (uint8_t *)squares};
    sl_scene scene = {.frame_w = FRAME_W,
                      .frame_h = FRAME_H,
                      .t_us = item->t_out > 350000 ? 350000 : 5,
                      .stamp = stamp_picture,
                      .user = &stamp};
    sl_shown shown = {item, -1};
    sl_renderer *r = sl_renderer_new(by_cairo);
    gradient(p);
    ck_assert_int_eq(sl_renderer_draw(r, &scene, &shown, 1, p, NULL), SL_OK);
    sl_renderer_free(r);
}

START_TEST(render__each_tool_looks_as_its_golden_picture)
{
    golden_run g = {0};
    for (size_t i = 0; i < TOOL_COUNT; i++) {
        char name[64];
        sl_item *item = tool(i);
        (void)snprintf(name, sizeof name, "tool_%s", sl_kind_name(item->geo.kind));
        sl_pixels p = pixels(GOLDEN_W, GOLDEN_H);
        draw_golden(item, false, &p);
        golden_check(&g, name, &p);
        sl_mem_free(p.data);
        sl_item_free(item);
    }
    golden_end(&g);
}
END_TEST

START_TEST(render__each_golden_is_within_half_a_level_of_cairo_s)
{
    sl_pixels own = pixels(GOLDEN_W, GOLDEN_H);
    sl_pixels cairo = pixels(GOLDEN_W, GOLDEN_H);
    for (size_t i = 0; i < TOOL_COUNT; i++) {
        sl_item *item = tool(i);
        size_t values = (size_t)GOLDEN_W * GOLDEN_H * 4;
        size_t sum = 0;
        draw_golden(item, false, &own);
        draw_golden(item, true, &cairo);
        for (size_t k = 0; k < values; k++) {
            sum += (size_t)abs(own.data[k] - cairo.data[k]);
        }
        ck_assert_msg(sum * 2 <= values, "%s: mean %.3f", sl_kind_name(item->geo.kind),
                      (double)sum / (double)values);
        sl_item_free(item);
    }
    sl_mem_free(own.data);
    sl_mem_free(cairo.data);
}
END_TEST

SL_TEST_MAIN("render", render__each_tool_touches_its_damage_box_and_nothing_else,
             render__the_same_call_gives_the_same_bytes,
             render__every_colour_reads_on_bright_and_on_dark_video,
             render__a_pen_grows_as_it_was_drawn,
             render__a_see_through_pen_has_no_darker_crossings_and_no_holes,
             render__degenerate_shapes_and_far_ones_are_drawn_or_left_out_without_error,
             render__pixels_that_cannot_be_drawn_on_are_refused,
             render__what_is_too_large_for_one_go_is_drawn_in_parts_that_fit,
             render__every_failed_allocation_is_reported,
             render__each_tool_looks_as_its_golden_picture,
             render__each_golden_is_within_half_a_level_of_cairo_s)
